//! OAuth 2: the authorisation address with state and PKCE, the token requests, and a lenient reading of their answers.
//!
//! Providers differ from RFC 6749 in small ways, and every one of them is read here: answers as forms, `expires_in` as
//! text, no `token_type`, errors with status 200.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use url::Url;

use super::{AuthError, basic};
use crate::call::{VendorBody, VendorRequest};
use crate::connector::{Settings, Unset, UnsetPlaces};
use crate::json_text;

/// What an authorisation is asked with, besides the configuration. An empty scope takes the configured one.
#[derive(Clone, Copy, Debug)]
pub struct Authorization<'a> {
    /// Unguessable, used once, bound to who asks (catalogue E10).
    pub state: &'a str,
    /// The PKCE verifier; kept by the caller until the exchange.
    pub verifier: Option<&'a str>,
    /// Scopes, separated by blanks.
    pub scope: &'a str,
}

/// The address where a person allows the access. The configuration gives `oauth.authorization.url`, `oauth.api.key`,
/// `oauth.callback.url` and `oauth.scope`.
pub fn authorization_url(settings: &Settings, asked: Authorization<'_>) -> Result<String, AuthError> {
    let mut url = address(settings, "oauth.authorization.url")?;
    let key = needed(settings, "oauth.api.key")?.to_string();
    let has = |url: &Url, name: &str| url.query_pairs().any(|(known, _)| known == name);
    let scope = match asked.scope.trim() {
        "" => settings.filled("oauth.scope").unwrap_or_default(),
        scope => scope,
    };
    let mut pairs = vec![("response_type", "code".to_string()), ("client_id", key)];
    if let Some(callback) = settings.filled("oauth.callback.url") {
        pairs.push(("redirect_uri", callback.to_string()));
    }
    if !scope.is_empty() {
        pairs.push(("scope", scope.to_string()));
    }
    pairs.push(("state", asked.state.to_string()));
    if let Some(verifier) = asked.verifier {
        pairs.push(("code_challenge", pkce_challenge(verifier)?));
        pairs.push(("code_challenge_method", "S256".to_string()));
    }
    // What the connector wrote into its own address stays as it is.
    pairs.retain(|(name, _)| !has(&url, name));
    url.query_pairs_mut().extend_pairs(pairs);
    Ok(url.to_string())
}

/// The challenge of a PKCE verifier, by S256 (RFC 7636).
pub fn pkce_challenge(verifier: &str) -> Result<String, AuthError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if !(43..=128).contains(&verifier.len()) || !verifier.bytes().all(fits) {
        return Err(AuthError::BadVerifier);
    }
    Ok(URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())))
}

/// Whether the state that came back is the one that was sent. Takes as long for every wrong one.
pub fn is_expected_state(sent: &str, came: &str) -> bool {
    let different = sent.bytes().zip(came.bytes()).fold(0, |sum, (left, right)| sum | (left ^ right));
    sent.len() == came.len() && different == 0 && !sent.is_empty()
}

/// What a redirect brought (`providerData`).
#[derive(Clone, PartialEq, Eq)]
pub struct Grant {
    /// The authorisation code.
    pub code: String,
    /// Its state, when it came back.
    pub state: Option<String>,
    /// Every other member, for the exchange and its hooks.
    pub others: Vec<(String, String)>,
}

impl std::fmt::Debug for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Grant")
    }
}

impl Grant {
    /// Reads `providerData`. Fails when the provider refused, or gave no code.
    pub fn read(provider_data: &Map<String, Value>) -> Result<Grant, AuthError> {
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        };
        let find = |name: &str| provider_data.get(name).and_then(text).filter(|text| !text.is_empty());
        if let Some(error) = find("error") {
            return Err(AuthError::Denied(find("error_description").unwrap_or(error)));
        }
        let known = ["code", "state", "error", "error_description", "error_uri"];
        let others = provider_data.iter().filter(|(name, _)| !known.contains(&name.as_str()));
        Ok(Grant {
            code: find("code").ok_or(AuthError::NoCode)?,
            state: find("state"),
            others: others.filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect(),
        })
    }
}

/// Exchanges a code for tokens at `oauth.token.url`. Further members of `providerData` go with it.
pub fn code_request(
    settings: &Settings,
    grant: &Grant,
    verifier: Option<&str>,
) -> Result<VendorRequest, AuthError> {
    let mut fields = vec![field("grant_type", "authorization_code"), field("code", &grant.code)];
    if let Some(callback) = settings.filled("oauth.callback.url") {
        fields.push(field("redirect_uri", callback));
    }
    if let Some(verifier) = verifier {
        pkce_challenge(verifier)?;
        fields.push(field("code_verifier", verifier));
    }
    let is_known = |name: &str| fields.iter().any(|(known, _)| known == name) || name.starts_with("client_");
    let others: Vec<(String, String)> =
        grant.others.iter().filter(|(name, _)| !is_known(name)).cloned().collect();
    fields.extend(others);
    token_request(settings, "oauth.token.url", fields)
}

/// Renews the tokens at `oauth.token.refresh_url`, or where they were exchanged.
pub fn refresh_request(settings: &Settings) -> Result<VendorRequest, AuthError> {
    let token = needed(settings, "oauth.user.refresh_token")?;
    let fields = vec![field("grant_type", "refresh_token"), field("refresh_token", token)];
    let key = match settings.filled("oauth.token.refresh_url") {
        Some(_) => "oauth.token.refresh_url",
        None => "oauth.token.url",
    };
    token_request(settings, key, fields)
}

/// Gets a token for the application itself.
pub fn client_credentials_request(settings: &Settings) -> Result<VendorRequest, AuthError> {
    let mut fields = vec![field("grant_type", "client_credentials")];
    fields.extend(settings.filled("oauth.scope").map(|scope| field("scope", scope)));
    token_request(settings, "oauth.token.url", fields)
}

/// Gets a token for the owner's name and password.
pub fn password_request(settings: &Settings) -> Result<VendorRequest, AuthError> {
    let mut fields = vec![
        field("grant_type", "password"),
        field("username", needed(settings, "username")?),
        field("password", needed(settings, "password")?),
    ];
    fields.extend(settings.filled("oauth.scope").map(|scope| field("scope", scope)));
    token_request(settings, "oauth.token.url", fields)
}

/// Gives the tokens back (`oauth.token.revoke_url`). `None` when the connector names no such address.
pub fn revocation_request(settings: &Settings) -> Result<Option<VendorRequest>, AuthError> {
    if settings.filled("oauth.token.revoke_url").is_none() {
        return Ok(None);
    }
    let refresh = settings.filled("oauth.user.refresh_token").map(|token| field("token", token));
    let token = refresh.or_else(|| settings.filled("oauth.user.token").map(|token| field("token", token)));
    let Some(token) = token else { return Ok(None) };
    token_request(settings, "oauth.token.revoke_url", vec![token]).map(Some)
}

/// A token request: the application in a basic header when `oauth.basic.header` says so, in the body otherwise.
fn token_request(
    settings: &Settings,
    key: &'static str,
    mut fields: Vec<(String, String)>,
) -> Result<VendorRequest, AuthError> {
    let url = address(settings, key)?.to_string();
    let client = needed(settings, "oauth.api.key")?;
    // A public application has no secret.
    let secret = settings.get("oauth.api.secret").unwrap_or_default();
    let mut headers = vec![
        ("Accept".to_string(), "application/json".to_string()),
        ("Content-Type".to_string(), "application/x-www-form-urlencoded".to_string()),
    ];
    if settings.is_true("oauth.basic.header") {
        headers.push(("Authorization".into(), basic(client, secret)));
    } else {
        fields.push(field("client_id", client));
        if !secret.is_empty() {
            fields.push(field("client_secret", secret));
        }
    }
    Ok(VendorRequest { method: "POST".into(), url, headers, body: VendorBody::Form(fields) })
}

fn field(name: &str, value: &str) -> (String, String) {
    (name.to_string(), value.to_string())
}

fn needed<'s>(settings: &'s Settings, key: &str) -> Result<&'s str, AuthError> {
    let unset = || Unset { key: key.to_string(), place: "OAuth 2".to_string() };
    Ok(settings.filled(key).ok_or_else(unset)?)
}

fn address(settings: &Settings, key: &'static str) -> Result<Url, AuthError> {
    let filled = settings.fill(needed(settings, key)?, &format!("`{key}`"), UnsetPlaces::Refuse)?;
    let url = Url::parse(&filled).map_err(|_| AuthError::BadAddress(key))?;
    if url.host_str().is_none() || !matches!(url.scheme(), "https" | "http") {
        return Err(AuthError::BadAddress(key));
    }
    Ok(url)
}

/// Tokens, as a provider gave them.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// The access token.
    pub access: String,
    /// The refresh token, when there is a new one.
    pub refresh: Option<String>,
    /// Seconds until it ends, when told.
    pub expires_in: Option<u64>,
    /// Scopes, when told.
    pub scope: Option<String>,
    /// Every other scalar of the answer, such as `instance_url`: hooks and base addresses may need it.
    pub others: Vec<(String, String)>,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Token(expires in {:?})", self.expires_in)
    }
}

/// Why there is no token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    /// The grant is gone: a person must connect again. Trying again only annoys the provider.
    #[error("reconnect needed: {0}")]
    Reconnect(String),
    /// It may work the next time; the credentials stay.
    #[error("the token could not be renewed this time: {0}")]
    Transient(String),
}

/// Reads the answer of a token request: JSON or a form, whatever its content type says.
pub fn read_token(status: u16, body: &str) -> Result<Token, TokenFault> {
    let members = members_of(body);
    let find = |names: &[&str]| {
        let found = names.iter().find_map(|name| members.iter().find(|(known, _)| known == name));
        found.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
    };
    let error = find(&["error", "error_code", "errorCode"]);
    let words = find(&["error_description", "error_message", "message", "errorMessage"]);
    if !(200..300).contains(&status) || error.is_some() {
        return Err(classify(status, error, words));
    }
    let Some(access) = find(&["access_token", "accessToken", "token", "id_token"]) else {
        let sentence = format!("the provider answered {status} without a token");
        // A page of HTML is a proxy or a maintenance window, not a verdict on the grant.
        let is_verdict = json_text::kind(body) == Some(json_text::Kind::Object);
        return Err(if is_verdict {
            TokenFault::Reconnect(sentence)
        } else {
            TokenFault::Transient(sentence)
        });
    };
    const KNOWN: [&str; 9] = [
        "access_token",
        "accessToken",
        "refresh_token",
        "refreshToken",
        "expires_in",
        "expiresIn",
        "token_type",
        "scope",
        "id_token",
    ];
    let others = members.iter().filter(|(name, _)| !KNOWN.contains(&name.as_str())).cloned().collect();
    Ok(Token {
        access,
        refresh: find(&["refresh_token", "refreshToken"]),
        expires_in: find(&["expires_in", "expiresIn"]).and_then(|text| seconds(&text)),
        scope: find(&["scope"]),
        others,
    })
}

/// What a refusal means: `Reconnect` for every verdict on grant or application, `Transient` for everything that heals.
fn classify(status: u16, error: Option<String>, words: Option<String>) -> TokenFault {
    const HEALS: [&str; 5] = [
        "temporarily_unavailable",
        "server_error",
        "slow_down",
        "rate_limit_exceeded",
        "authorization_pending",
    ];
    let heals = error.as_deref().is_some_and(|error| HEALS.contains(&error.to_ascii_lowercase().as_str()));
    let shown: Vec<String> =
        [error, words].into_iter().flatten().map(|text| text.chars().take(200).collect()).collect();
    let said = match shown.is_empty() {
        true => format!("the provider answered {status}"),
        false => format!("the provider answered {status} ({})", shown.join(": ")),
    };
    match status {
        408 | 425 | 429 => TokenFault::Transient(said),
        200..=299 | 400..=499 if !heals => TokenFault::Reconnect(said),
        _ => TokenFault::Transient(said),
    }
}

/// Scalars of a JSON object, or fields of a form.
fn members_of(body: &str) -> Vec<(String, String)> {
    let body = body.trim();
    if json_text::validate(body).is_ok() {
        // Some wrap the token once.
        let object =
            json_text::member(body, "data").filter(|_| json_text::member(body, "access_token").is_none());
        let members = json_text::members(object.unwrap_or(body)).unwrap_or_default();
        return members
            .into_iter()
            .filter_map(|member| {
                Some((member.name.into_owned(), json_text::scalar(member.value)?.into_owned()))
            })
            .collect();
    }
    if body.starts_with('<') || !body.contains('=') {
        return Vec::new();
    }
    url::form_urlencoded::parse(body.as_bytes()).into_owned().collect()
}

/// Seconds as number or text, with a fraction or without.
fn seconds(text: &str) -> Option<u64> {
    let number: f64 = text.trim().parse().ok()?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded and not negative")]
    (0.0..=4e9).contains(&number).then_some(number as u64)
}
