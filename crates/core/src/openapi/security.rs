//! From the security schemes of a description to the way an account signs in.

use serde_json::{Value, json};

use crate::check::Fault;

use super::{members, resolve, text};

/// What a scheme becomes.
pub(super) struct SignIn {
    pub(super) kind: &'static str,
    /// Key, title, type, value and whether it is needed, of every configuration entry.
    pub(super) entries: Vec<(&'static str, &'static str, &'static str, Option<String>, bool)>,
    /// Element-wide parameters.
    pub(super) parameters: Vec<Value>,
}

impl SignIn {
    fn none() -> SignIn {
        SignIn { kind: "none", entries: Vec::new(), parameters: Vec::new() }
    }
}

/// Takes the scheme that fits best; the others are named.
pub(super) fn read(root: &Value, warnings: &mut Vec<Fault>) -> SignIn {
    let place =
        if root.get("swagger").is_some() { "securityDefinitions" } else { "components.securitySchemes" };
    let schemes = root.get("securityDefinitions").or_else(|| root.pointer("/components/securitySchemes"));
    let mut found: Vec<(u8, &String, SignIn)> = Vec::new();
    for (name, scheme) in members(schemes) {
        match one(resolve(root, scheme)) {
            Some((rank, sign_in)) => found.push((rank, name, sign_in)),
            None => warnings.push(Fault {
                path: format!("{place}.{name}"),
                problem: "this way of signing in has no counterpart".into(),
                remedy: "set the connector's `authentication` and its parameters by hand".into(),
            }),
        }
    }
    found.sort_by_key(|(rank, ..)| *rank);
    let mut found = found.into_iter();
    let Some((_, chosen, sign_in)) = found.next() else { return SignIn::none() };
    for (_, name, _) in found {
        warnings.push(Fault {
            path: format!("{place}.{name}"),
            problem: format!("a connector has one way of signing in, and it is `{chosen}`"),
            remedy: "change the connector's `authentication` if this one is wanted".into(),
        });
    }
    sign_in
}

/// A scheme by its type, with its rank: what needs a person least comes last.
fn one(scheme: &Value) -> Option<(u8, SignIn)> {
    let kind = text(scheme, "type")?.to_ascii_lowercase();
    let named = |name: &str| text(scheme, name).map(str::to_ascii_lowercase);
    match kind.as_str() {
        "oauth2" => {
            if let Some(flow) = named("flow") {
                return oauth2(&flow, scheme);
            }
            let flows = scheme.get("flows")?;
            let order = ["authorizationCode", "clientCredentials", "password"];
            order.iter().find_map(|flow| oauth2(flow, flows.get(flow)?))
        }
        "basic" => Some((3, basic())),
        "http" => match named("scheme").as_deref() {
            Some("basic") => Some((3, basic())),
            Some("bearer") => Some((2, key("Bearer ${configuration.api.key}", "Authorization", "header"))),
            _ => None,
        },
        "apikey" => match (named("in").as_deref(), text(scheme, "name")) {
            (Some("header"), Some(name)) => Some((2, key("", name, "header"))),
            (Some("query"), Some(name)) => Some((2, key("", name, "query"))),
            _ => None,
        },
        _ => None,
    }
}

fn basic() -> SignIn {
    let entries = vec![
        ("username", "User Name", "TEXTFIELD_1000", None, true),
        ("password", "Password", "PASSWORD", None, true),
    ];
    SignIn { kind: "basic", entries, parameters: Vec::new() }
}

/// A key in a header or a query, bare or inside a constant.
fn key(constant: &str, vendor_name: &str, place: &str) -> SignIn {
    let (name, kind) = if constant.is_empty() { ("api.key", "configuration") } else { (constant, "value") };
    let parameter = json!({
        "name": name, "vendorName": vendor_name, "type": kind, "vendorType": place,
        "source": "request", "required": constant.is_empty(),
    });
    SignIn {
        kind: "apiKey",
        entries: vec![("api.key", "API Key", "PASSWORD", None, true)],
        parameters: vec![parameter],
    }
}

fn oauth2(flow: &str, scheme: &Value) -> Option<(u8, SignIn)> {
    let scopes: Vec<&str> = members(scheme.get("scopes")).map(|(name, _)| name.as_str()).collect();
    let address = |name: &str| text(scheme, name).map(str::to_string);
    let mut entries = vec![
        ("oauth.api.key", "API Key", "TEXTFIELD_1000", None, true),
        ("oauth.api.secret", "API Secret", "PASSWORD", None, true),
        ("oauth.scope", "Scope", "TEXTFIELD_1000", Some(scopes.join(" ")), false),
        ("oauth.token.url", "Token URL", "TEXTFIELD_1000", address("tokenUrl"), false),
        ("oauth.user.token", "OAuth User Token", "TEXTFIELD_1000", None, false),
        ("oauth.user.refresh_token", "OAuth User Refresh Token", "TEXTFIELD_1000", None, false),
        ("oauth.user.refresh_time", "OAuth User Refresh Time", "TEXTFIELD_32", None, false),
        (
            "oauth.user.refresh_interval",
            "OAuth User Refresh Interval",
            "TEXTFIELD_32",
            Some("3600".into()),
            false,
        ),
    ];
    let refresh = address("refreshUrl").or_else(|| address("tokenUrl"));
    let (rank, kind) = match flow {
        "accesscode" | "authorizationCode" => {
            let authorization = address("authorizationUrl");
            entries.extend([
                ("oauth.callback.url", "Callback URL", "TEXTFIELD_1000", None, true),
                ("oauth.authorization.url", "Authorization URL", "TEXTFIELD_1000", authorization, false),
                ("oauth.token.refresh_url", "Refresh URL", "TEXTFIELD_1000", refresh, false),
            ]);
            (0, "oauth2")
        }
        "application" | "clientCredentials" => (1, "oauth2ClientCredentials"),
        "password" => {
            entries.extend(basic().entries);
            (4, "oauth2Password")
        }
        // The implicit flow gives nothing that could be renewed.
        _ => return None,
    };
    Some((rank, SignIn { kind, entries, parameters: Vec::new() }))
}
