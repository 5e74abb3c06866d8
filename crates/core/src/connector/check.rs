//! Reads a connector's document and says everything that is wrong with it at once.
//!
//! Two measures apply. What cannot work is a fault: nothing is stored then. What works less than its author thinks is a
//! warning, because real exports must import: a hook that wants a network, a parameter of a kind that we do not know, a
//! poller configuration that an instance could not use as it stands.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use regex::Regex;

use crate::check::{CheckSettings, Fault, check_resource};
use crate::json_text;

use super::Document;
use super::keys;
use super::parts::{self, read_entry, read_hook, read_parameter, read_resource};
use super::reading::{Findings, Object, cut};
use super::view::{
    AuthenticationKind, ConfigurationEntry, Connector, Hook, Parameter, ParameterPlace, Resource,
};

/// What came of reading a connector's document.
#[derive(Clone, Debug)]
pub struct CheckedConnector {
    /// The connector; `None` when there is a fault.
    pub connector: Option<Connector>,
    /// Everything that must be put right first.
    pub faults: Vec<Fault>,
    /// What works less than it seems.
    pub warnings: Vec<Fault>,
}

/// The ways to sign in, by the field's names for them.
const AUTHENTICATION: [(&str, AuthenticationKind); 17] = [
    ("none", AuthenticationKind::None),
    ("basic", AuthenticationKind::Basic),
    ("apiKey", AuthenticationKind::ApiKey),
    ("customApiKey", AuthenticationKind::ApiKey),
    ("personalAccessToken", AuthenticationKind::ApiKey),
    ("oauth2", AuthenticationKind::OAuth2),
    ("oauth2AuthorizationCode", AuthenticationKind::OAuth2),
    ("oauth2Pkce", AuthenticationKind::OAuth2),
    ("oauth2ClientCredentials", AuthenticationKind::OAuth2ClientCredentials),
    ("oauthClientCredentials", AuthenticationKind::OAuth2ClientCredentials),
    ("oauth2Password", AuthenticationKind::OAuth2Password),
    ("oauthPassword", AuthenticationKind::OAuth2Password),
    ("oauth1", AuthenticationKind::OAuth1),
    ("oauth", AuthenticationKind::OAuth1),
    ("awsv4", AuthenticationKind::AwsV4),
    ("aws", AuthenticationKind::AwsV4),
    ("custom", AuthenticationKind::Custom),
];

/// Reads a connector. Collects every fault with its place and remedy; never panics, whatever the document holds.
///
/// `settings` judge the default of `event.poller.configuration`, whose faults are warnings here: an instance may bring
/// its own.
pub fn check(document: &Document, settings: &CheckSettings) -> CheckedConnector {
    let mut findings = Findings::default();
    let connector = Object::open("", document.text(), &mut findings)
        .and_then(|object| read(&object, settings, &mut findings))
        .filter(|_| findings.faults.is_empty());
    CheckedConnector { connector, faults: findings.faults, warnings: findings.warnings }
}

/// The authentication that a word means. Letter case and the signs `-`, `_` do not matter.
pub fn authentication_kind(word: &str) -> Option<AuthenticationKind> {
    let plain: String = word.chars().filter(char::is_ascii_alphanumeric).collect();
    let plain =
        plain.strip_prefix("oauth2").filter(|_| plain == "oauth20").map_or(plain.as_str(), |_| "oauth2");
    AUTHENTICATION.iter().find(|(name, _)| name.eq_ignore_ascii_case(plain)).map(|(_, kind)| *kind)
}

fn read(object: &Object<'_>, settings: &CheckSettings, findings: &mut Findings) -> Option<Connector> {
    let name = object.required("name", "give the connector a name", findings);
    let key = object.filled("key", findings).or_else(|| name.as_deref().map(parts::key_of));
    if let Some(key) = &key
        && !parts::is_key(key)
    {
        let remedy = "use letters, digits, `-`, `_` and `.`, because it stands in addresses";
        findings.fault("key", format!("`{}` cannot be a key", cut(key)), remedy);
    }
    let description = object.text("description", findings).unwrap_or_default();
    let authentication = read_authentication(object, findings);
    let configuration: Vec<ConfigurationEntry> = object
        .list("configuration", findings)
        .into_iter()
        .filter_map(|(path, raw)| read_entry(&path, raw, findings))
        .collect();
    let parameters: Vec<Parameter> = object
        .list("parameters", findings)
        .into_iter()
        .filter_map(|(path, raw)| read_parameter(&path, raw, findings))
        .collect();
    let hooks = read_hooks(object.list("hooks", findings), findings);
    let resources: Vec<Option<Resource>> = object
        .list("resources", findings)
        .into_iter()
        .map(|(path, raw)| read_resource(&path, raw, findings))
        .collect();
    let flag = |key: &str, findings: &mut Findings| object.flag(key, findings);
    let active = flag("active", findings).unwrap_or(true);
    let private = flag("private", findings).unwrap_or(true);
    for other in ["deleted", "extended", "extendable", "cloneable", "beta", "typeOauth", "trialAccount"] {
        flag(other, findings);
    }
    no_duplicate_keys(&configuration, findings);
    no_duplicate_resources(&resources, findings);
    let mut resources: Vec<Resource> = resources.into_iter().flatten().collect();
    if findings.faults.is_empty() {
        link_chains(object, &mut resources, findings);
    }
    warn_about_keys(authentication, &parameters, &resources, findings);
    warn_about_hooks("hooks", &hooks, findings);
    for (position, resource) in resources.iter().enumerate() {
        warn_about_hooks(&format!("resources[{position}].hooks"), &resource.hooks, findings);
    }
    warn_about_poller(&configuration, settings, findings);
    Some(Connector {
        key: key?,
        name: name?,
        description,
        hub: object.filled("hub", findings),
        authentication: authentication?,
        configuration,
        parameters,
        hooks,
        resources,
        active,
        private,
    })
}

fn read_authentication(object: &Object<'_>, findings: &mut Findings) -> Option<AuthenticationKind> {
    let words = "`none`, `basic`, `apiKey`, `oauth2`, `oauth2ClientCredentials`, `oauth2Password`, `oauth1` or `custom`";
    let Some(raw) = object.raw("authentication") else {
        let remedy = format!("write `\"authentication\": {{\"type\": …}}` with {words}");
        findings.fault("authentication", "`authentication` is missing", remedy);
        return None;
    };
    let inner = Object::open("authentication", raw, findings)?;
    let word = inner.required("type", &format!("write {words}"), findings)?;
    let kind = authentication_kind(&word);
    match kind {
        None => {
            let problem = format!("`{}` is not a way to authenticate that is known here", cut(&word));
            findings.fault("authentication.type", problem, format!("write {words}"));
        }
        Some(AuthenticationKind::AwsV4) => findings.warn(
            "authentication.type",
            "requests are not signed as Amazon wants it, so its calls are refused",
            "sign in another way, or keep the connector for other readers",
        ),
        Some(_) => {}
    }
    kind
}

/// Hooks of one list.
pub(super) fn read_hooks(list: Vec<(String, &str)>, findings: &mut Findings) -> Vec<Hook> {
    list.into_iter().filter_map(|(path, raw)| read_hook(&path, raw, findings)).collect()
}

fn no_duplicate_keys(configuration: &[ConfigurationEntry], findings: &mut Findings) {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (position, entry) in configuration.iter().enumerate() {
        if let Some(first) = seen.insert(&entry.key, position) {
            let problem =
                format!("the key `{}` is there already, at configuration[{first}]", cut(&entry.key));
            findings.fault(format!("configuration[{position}].key"), problem, "keep one of the two entries");
        }
    }
}

fn no_duplicate_resources(resources: &[Option<Resource>], findings: &mut Findings) {
    let mut seen: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (position, resource) in resources.iter().enumerate() {
        // The steps of a sign-in are found by their type; several may share a path.
        let Some(resource) = resource.as_ref().filter(|resource| resource.kind.is_called()) else { continue };
        let shape = parts::path_shape(&resource.path);
        if let Some(first) = seen.insert((resource.method.clone(), shape), position) {
            let problem = format!(
                "`{} {}` answers the same calls as resources[{first}]",
                resource.method,
                cut(&resource.path)
            );
            let remedy = "keep one of the two, or give them different paths";
            findings.fault(format!("resources[{position}].path"), problem, remedy);
        }
    }
}

/// Finds the resources that `nextResource` names, and refuses chains that never end.
fn link_chains(object: &Object<'_>, resources: &mut [Resource], findings: &mut Findings) {
    let mut next: Vec<Option<usize>> = vec![None; resources.len()];
    for (position, (path, raw)) in object.list("resources", findings).into_iter().enumerate() {
        let named = json_text::member(raw, "nextResource").and_then(json_text::scalar);
        let Some(named) = named.filter(|named| !named.trim().is_empty()) else { continue };
        next[position] = parts::named_resource(named.trim(), resources);
        if next[position].is_none() {
            let problem = format!("there is no resource `{}`", cut(&named));
            let remedy = "name one as `GET /path`, or by its `operationId`";
            findings.fault(format!("{path}.nextResource"), problem, remedy);
        }
    }
    for start in 0..next.len() {
        let (mut at, mut steps) = (next[start], 0);
        while let Some(following) = at {
            steps += 1;
            if following == start || steps > next.len() {
                let problem = "the chain of resources comes back to where it was and never ends";
                findings.fault(format!("resources[{start}].nextResource"), problem, "end the chain");
                next[start] = None;
                break;
            }
            at = next[following];
        }
        resources[start].next = next[start];
    }
}

/// A key that no parameter places is never sent.
fn warn_about_keys(
    authentication: Option<AuthenticationKind>,
    parameters: &[Parameter],
    resources: &[Resource],
    findings: &mut Findings,
) {
    let all = parameters.iter().chain(resources.iter().flat_map(|resource| &resource.parameters));
    let places = |parameter: &Parameter| match parameter.place {
        ParameterPlace::Configuration => true,
        ParameterPlace::Value => parameter.name.contains('{'),
        _ => false,
    };
    if authentication == Some(AuthenticationKind::ApiKey) && !all.into_iter().any(places) {
        let problem = "no parameter places a key, so calls carry none";
        let remedy = "add a parameter of type `configuration` with the key's name, for a header or the query";
        findings.warn("authentication.type", problem, remedy);
    }
}

/// What a hook asks for and does not get.
pub(super) fn warn_about_hooks(path: &str, hooks: &[Hook], findings: &mut Findings) {
    static REQUIRES: OnceLock<Regex> = OnceLock::new();
    static NOTIFIES: OnceLock<Regex> = OnceLock::new();
    let requires = REQUIRES.get_or_init(|| {
        Regex::new(r#"(?-u:\b)require[ \t\r\n]*\([ \t\r\n]*["'`](?:node:)?([^"'`]{1,60})["'`][ \t\r\n]*\)"#)
            .expect("the pattern is sound")
    });
    let notifies = NOTIFIES.get_or_init(|| {
        Regex::new(r"(?-u:\b)notify[ \t\r\n]*\.[ \t\r\n]*email(?-u:\b)").expect("the pattern is sound")
    });
    for (position, hook) in hooks.iter().enumerate() {
        let path = format!("{path}[{position}].body");
        let mut named: Vec<&str> = Vec::new();
        for found in requires.captures_iter(&hook.body) {
            let module = found.get(1).map_or("", |module| module.as_str());
            if ["lodash", "lodash/fp", "util"].contains(&module) || named.contains(&module) {
                continue;
            }
            named.push(module);
            let problem = format!("the hook requires `{module}`, and hooks have no network and no files");
            let remedy =
                "the calls around it fail until the hook does without: `lodash` and `util` are there";
            findings.warn(&path, problem, remedy);
        }
        if notifies.is_match(&hook.body) {
            let problem = "the hook calls `notify.email`, and hooks cannot send mail";
            findings.warn(&path, problem, "the calls around it fail there; let a callback send the mail");
        }
    }
}

fn warn_about_poller(
    configuration: &[ConfigurationEntry],
    settings: &CheckSettings,
    findings: &mut Findings,
) {
    let Some(position) = configuration.iter().position(|entry| entry.key == keys::POLLER_CONFIGURATION)
    else {
        return;
    };
    let Some(text) = configuration[position].default.as_deref().filter(|text| !text.trim().is_empty()) else {
        return;
    };
    let path = format!("configuration[{position}].defaultValue");
    let resources: serde_json::Map<String, serde_json::Value> = match serde_json::from_str(text) {
        Ok(resources) => resources,
        Err(error) => {
            let problem = format!("the poller configuration is not a JSON object ({error})");
            let remedy = "write an object of resources as text; until then each instance must bring its own";
            findings.warn(path, problem, remedy);
            return;
        }
    };
    for (name, value) in &resources {
        // Where the account's own address begins is not known yet; any will do to judge the rest.
        let checked = check_resource(name, value, settings, Some("https://base.invalid"));
        // A hub path is paged by the connector's own resource.
        let is_hub =
            value.get("url").and_then(serde_json::Value::as_str).is_some_and(|url| url.starts_with('/'));
        let of_paging = |said: &Fault| is_hub && said.problem.contains("`pagination`");
        let warnings = checked.warnings.into_iter().filter(|said| !of_paging(said));
        for said in checked.faults.into_iter().chain(warnings) {
            findings.warn(format!("{path}.{}", said.path), said.problem, said.remedy);
        }
    }
}
