//! A request on its way out: whose headers it bears, and to whom.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
};
use turnstone_core::run::{FetchError, Request};
use url::Url;
use zeroize::Zeroizing;

use super::Connection;
use super::failure::bad_url;
use crate::secrets::Secret;

/// Headers that only the transport may set: with them a request could be split, or an answer come in a form that
/// escapes our limits.
pub(super) const TRANSPORT_HEADERS: &[&str] = &[
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A request that can be sent again.
pub(super) struct Outgoing {
    pub method: Method,
    /// Ours and the request's own.
    pub own: HeaderMap,
    /// The connection's: for the first origin only.
    pub secret: HeaderMap,
    pub body: Option<String>,
}

impl Outgoing {
    pub fn is_safe(&self) -> bool {
        self.method == Method::GET || self.method == Method::HEAD
    }

    pub fn build(&self, url: &Url, with_secrets: bool) -> reqwest::Request {
        let mut request = reqwest::Request::new(self.method.clone(), url.clone());
        let headers = request.headers_mut();
        *headers = self.own.clone();
        if with_secrets {
            for name in self.secret.keys() {
                headers.remove(name);
            }
            headers.extend(self.secret.clone());
        }
        *request.body_mut() = self.body.clone().map(Into::into);
        request
    }
}

pub(super) fn own_headers(request: &Request, url: &Url) -> Result<HeaderMap, FetchError> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    if request.body.is_some() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    let given = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    set_headers(&mut headers, given, Visibility::Plain, url)?;
    Ok(headers)
}

pub(super) fn secret_headers(connection: &Connection, url: &Url) -> Result<HeaderMap, FetchError> {
    let mut headers = HeaderMap::new();
    if let Some((user, password)) = &connection.basic {
        let pair = Zeroizing::new(format!("{user}:{}", password.expose()));
        let value = Secret::from(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
        set_headers(&mut headers, [(AUTHORIZATION.as_str(), value.expose())], Visibility::Secret, url)?;
    }
    let given = connection.headers.iter().map(|(name, value)| (name.as_str(), value.expose()));
    set_headers(&mut headers, given, Visibility::Secret, url)?;
    Ok(headers)
}

/// Whether a header's value may be seen in the library's debug output.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Visibility {
    Plain,
    Secret,
}

/// Sets headers. The first of a name replaces what was there, further ones are added to it.
pub(super) fn set_headers<'a>(
    headers: &mut HeaderMap,
    given: impl IntoIterator<Item = (&'a str, &'a str)>,
    visibility: Visibility,
    url: &Url,
) -> Result<(), FetchError> {
    let mut replaced: Vec<HeaderName> = Vec::new();
    for (name, value) in given {
        let unusable = || bad_url(url, format!("the header `{}` cannot be sent", name.escape_debug()));
        let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unusable())?;
        if TRANSPORT_HEADERS.contains(&key.as_str()) {
            return Err(bad_url(url, format!("the header `{key}` is set by the transport alone; remove it")));
        }
        let mut value = HeaderValue::from_str(value)
            .or_else(|_| HeaderValue::from_bytes(value.as_bytes()))
            .map_err(|_| unusable())?;
        value.set_sensitive(visibility == Visibility::Secret);
        if replaced.contains(&key) {
            headers.append(key, value);
        } else {
            headers.insert(key.clone(), value);
            replaced.push(key);
        }
    }
    Ok(())
}
