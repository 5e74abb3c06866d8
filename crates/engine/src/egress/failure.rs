//! Why a request has no answer: what lies behind the library's error, in a sentence that names the host and no secret.

use std::error::Error;
use std::io;

use turnstone_core::run::{FetchError, FetchErrorKind};
use url::Url;

use super::guard::GuardError;

/// What lies behind an error of the library.
pub(super) struct Cause<'a> {
    pub guard: Option<&'a GuardError>,
    pub tls: Option<&'a rustls::Error>,
    pub root: String,
}

impl<'a> Cause<'a> {
    pub fn of(error: &'a reqwest::Error) -> Self {
        let mut cause = Cause { guard: None, tls: None, root: "the connection was closed".to_owned() };
        let mut next: Option<&(dyn Error + 'static)> = error.source();
        while let Some(error) = next {
            cause.root = error.to_string();
            cause.guard = cause.guard.or_else(|| error.downcast_ref());
            cause.tls = cause.tls.or_else(|| error.downcast_ref());
            // An input error names its own source as source and skips itself.
            let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            next = match inner {
                Some(inner) => Some(inner as &(dyn Error + 'static)),
                None => error.source(),
            };
        }
        cause
    }
}

pub(super) fn refusal(error: &GuardError) -> FetchError {
    FetchError { kind: error.kind(), message: error.to_string() }
}

pub(super) fn bad_url(url: &Url, reason: String) -> FetchError {
    failure(FetchErrorKind::BadUrl, url, format!("the request to {{}} cannot be made: {reason}"))
}

/// `{}` in the text becomes the host.
pub(super) fn failure(kind: FetchErrorKind, url: &Url, text: String) -> FetchError {
    FetchError { kind, message: text.replacen("{}", &host(url), 1) }
}

pub(super) fn host(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("`{host}:{port}`"),
        (Some(host), None) => format!("`{host}`"),
        (None, _) => "an unnamed host".to_owned(),
    }
}
