//! OAuth 1.0a with HMAC-SHA1 (RFC 5849), as far as an element declares it: request token, authorisation page, access
//! token, and a signature on every request.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha1::Sha1;
use url::Url;

use super::AuthError;
use crate::call::{VendorBody, VendorRequest};
use crate::connector::{Settings, Unset, UnsetPlaces};

/// What a signature is made with.
pub(super) struct Signing<'s> {
    pub(super) settings: &'s Settings,
    /// Keys of the token and its secret; `None` before there is one.
    pub(super) token: Option<(&'s str, &'s str)>,
    /// Further members of the header, such as `oauth_callback`.
    pub(super) extra: &'s [(&'s str, &'s str)],
    pub(super) now: Timestamp,
    pub(super) nonce: &'s str,
}

impl Signing<'_> {
    /// The value of `Authorization` for a request. `form` are the fields of a form body.
    pub(super) fn header(
        &self,
        method: &str,
        url: &str,
        form: &[(String, String)],
    ) -> Result<String, AuthError> {
        let needed = |key: &str| {
            self.settings
                .filled(key)
                .ok_or_else(|| Unset { key: key.to_string(), place: "OAuth 1".to_string() })
        };
        let (key, secret) = (needed("oauth.api.key")?, needed("oauth.api.secret")?);
        let (token, token_secret) = match self.token {
            Some((token, secret)) => (Some(needed(token)?), self.settings.get(secret).unwrap_or_default()),
            None => (None, ""),
        };
        let seconds = self.now.as_second().to_string();
        let mut members: Vec<(&str, &str)> = vec![
            ("oauth_consumer_key", key),
            ("oauth_nonce", self.nonce),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", &seconds),
            ("oauth_version", "1.0"),
        ];
        members.extend(token.map(|token| ("oauth_token", token)));
        members.extend_from_slice(self.extra);
        let base = base_string(method, url, &members, form)?;
        let signing_key = format!("{}&{}", percent(secret), percent(token_secret));
        let mut mac =
            Hmac::<Sha1>::new_from_slice(signing_key.as_bytes()).expect("HMAC takes keys of any length");
        mac.update(base.as_bytes());
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        members.push(("oauth_signature", &signature));
        let member = |(name, value): &(&str, &str)| format!("{}=\"{}\"", percent(name), percent(value));
        Ok(format!("OAuth {}", members.iter().map(member).collect::<Vec<_>>().join(", ")))
    }
}

/// The text that is signed (RFC 5849 §3.4.1).
fn base_string(
    method: &str,
    url: &str,
    members: &[(&str, &str)],
    form: &[(String, String)],
) -> Result<String, AuthError> {
    let parsed = Url::parse(url).map_err(|_| AuthError::BadAddress("base.url"))?;
    let mut pairs: Vec<(String, String)> =
        parsed.query_pairs().map(|(name, value)| (percent(&name), percent(&value))).collect();
    pairs.extend(form.iter().map(|(name, value)| (percent(name), percent(value))));
    pairs.extend(members.iter().map(|(name, value)| (percent(name), percent(value))));
    pairs.sort();
    let joined = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
    let mut address = parsed;
    address.set_query(None);
    address.set_fragment(None);
    Ok(format!("{}&{}&{}", method.to_ascii_uppercase(), percent(address.as_str()), percent(&joined)))
}

fn percent(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

fn address(settings: &Settings, key: &'static str) -> Result<String, AuthError> {
    let template =
        settings.filled(key).ok_or_else(|| Unset { key: key.to_string(), place: "OAuth 1".to_string() })?;
    let url = settings.fill(template, &format!("`{key}`"), UnsetPlaces::Refuse)?;
    Url::parse(&url).map_err(|_| AuthError::BadAddress(key))?;
    Ok(url)
}

/// Asks for a request token (`oauth.request.url`).
pub fn request_token(
    settings: &Settings,
    callback: &str,
    now: Timestamp,
    nonce: &str,
) -> Result<VendorRequest, AuthError> {
    let url = address(settings, "oauth.request.url")?;
    let signing = Signing { settings, token: None, extra: &[("oauth_callback", callback)], now, nonce };
    post(&signing, url)
}

/// The page where a person allows the access (`oauth.authorization.url`).
pub fn authorization_page(settings: &Settings, request_token: &str) -> Result<String, AuthError> {
    let mut url = Url::parse(&address(settings, "oauth.authorization.url")?)
        .map_err(|_| AuthError::BadAddress("oauth.authorization.url"))?;
    url.query_pairs_mut().append_pair("oauth_token", request_token);
    Ok(url.to_string())
}

/// Exchanges an allowed request token for an access token (`oauth.token.url`). `settings` hold the request token and
/// its secret in the place of the user's.
pub fn access_token_request(
    settings: &Settings,
    verifier: &str,
    now: Timestamp,
    nonce: &str,
) -> Result<VendorRequest, AuthError> {
    let url = address(settings, "oauth.token.url")?;
    let token = Some(("oauth.user.token", "oauth.user.token.secret"));
    let signing = Signing { settings, token, extra: &[("oauth_verifier", verifier)], now, nonce };
    post(&signing, url)
}

fn post(signing: &Signing<'_>, url: String) -> Result<VendorRequest, AuthError> {
    let headers = vec![("Authorization".to_string(), signing.header("POST", &url, &[])?)];
    Ok(VendorRequest { method: "POST".into(), url, headers, body: VendorBody::Empty })
}

/// A token of OAuth 1 and its secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Oauth1Token {
    /// `oauth_token`.
    pub token: String,
    /// `oauth_token_secret`.
    pub secret: String,
}

impl std::fmt::Debug for Oauth1Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Oauth1Token")
    }
}

/// Reads a token from an answer's form. `None` when it holds none.
pub fn read_oauth1_token(body: &str) -> Option<Oauth1Token> {
    let pairs: Vec<(String, String)> =
        url::form_urlencoded::parse(body.trim().as_bytes()).into_owned().collect();
    let find = |name: &str| pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    Some(Oauth1Token { token: find("oauth_token")?, secret: find("oauth_token_secret").unwrap_or_default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(values: [&str; 4]) -> Settings {
        let mut settings = Settings::default();
        let keys = ["oauth.api.key", "oauth.api.secret", "oauth.user.token", "oauth.user.token.secret"];
        keys.iter().zip(values).for_each(|(key, value)| settings.set(key, value));
        settings
    }

    #[test]
    fn signatures_are_those_of_published_examples() {
        // RFC 5849 §1.2 has no `oauth_version`; this one is the example of a provider's documentation, with it.
        let settings = settings([
            "xvz1evFS4wEEPTGEFPHBog",
            "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw",
            "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb",
            "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE",
        ]);
        let signing = Signing {
            settings: &settings,
            token: Some(("oauth.user.token", "oauth.user.token.secret")),
            extra: &[],
            now: Timestamp::from_second(1_318_622_958).unwrap(),
            nonce: "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg",
        };
        let form = [("status".to_string(), "Hello Ladies + Gentlemen, a signed OAuth request!".to_string())];
        let url = "https://api.twitter.com/1/statuses/update.json?include_entities=true";
        let header = signing.header("POST", url, &form).unwrap();
        assert!(header.contains("oauth_signature=\"tnnArxj06cWHq44gCs1OSKk%2FjLY%3D\""), "{header}");
        assert!(header.starts_with("OAuth oauth_consumer_key=\"xvz1evFS4wEEPTGEFPHBog\", "), "{header}");
    }

    #[test]
    fn the_three_steps() {
        let mut settings = settings(["key", "secret", "rt", "rs"]);
        let now = Timestamp::from_second(1_000).unwrap();
        let missing = request_token(&settings, "https://app/cb", now, "n").unwrap_err();
        assert!(missing.to_string().contains("`oauth.request.url` is missing"), "{missing}");
        settings.set("oauth.request.url", "https://p.example/request");
        settings.set("oauth.authorization.url", "https://p.example/allow?x=1");
        settings.set("oauth.token.url", "https://p.example/access");
        let request = request_token(&settings, "https://app/cb", now, "n").unwrap();
        assert!(request.headers[0].1.contains("oauth_callback=\"https%3A%2F%2Fapp%2Fcb\""));
        assert!(!request.headers[0].1.contains("oauth_token=\""));
        let page = authorization_page(&settings, "r t").unwrap();
        assert_eq!(page, "https://p.example/allow?x=1&oauth_token=r+t");
        let request = access_token_request(&settings, "v", now, "n").unwrap();
        assert!(request.headers[0].1.contains("oauth_verifier=\"v\""));
        let token = read_oauth1_token("oauth_token=a%20b&oauth_token_secret=c").unwrap();
        assert_eq!((token.token.as_str(), token.secret.as_str()), ("a b", "c"));
        assert_eq!(format!("{token:?}"), "Oauth1Token");
        assert!(read_oauth1_token("<html>").is_none());
        settings.set("oauth.authorization.url", "nowhere");
        assert_eq!(
            authorization_page(&settings, "r").unwrap_err().to_string(),
            "`oauth.authorization.url` is not an address; correct it in the connector"
        );
    }
}
