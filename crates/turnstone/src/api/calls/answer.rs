//! From the answer of a call to an HTTP answer.
//!
//! A connector and its hooks may set headers. Those that steer the connection, or that a browser would take for words
//! of this server, stay out.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderName, HeaderValue, StatusCode};
use turnstone_core::call::CallAnswer;
use turnstone_core::run::FetchErrorKind;

use crate::api::KnownAs;
use crate::api::error::ApiError;

/// The header that names a request.
const REQUEST_ID: &str = "elements-request-id";

/// Headers that are not a connector's to set.
const NEVER: [&str; 16] = [
    REQUEST_ID,
    "connection",
    "keep-alive",
    "content-length",
    "content-encoding",
    "content-type",
    "content-security-policy",
    "transfer-encoding",
    "trailer",
    "upgrade",
    "set-cookie",
    "clear-site-data",
    "strict-transport-security",
    "www-authenticate",
    "location",
    "date",
];

/// The HTTP answer.
pub fn of(answer: CallAnswer) -> Response {
    let headers = answer.headers.clone();
    let known = answer.header(REQUEST_ID).map(|id| KnownAs(id.to_owned()));
    let mut response = match &answer.fault {
        Some(fault) => ApiError::of_call(fault.clone(), code(&answer)).into_response(),
        None => plain(answer),
    };
    for (name, value) in headers {
        let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) else {
            continue;
        };
        if !NEVER.contains(&name.as_str()) && !name.as_str().starts_with("access-control-") {
            response.headers_mut().insert(name, value);
        }
    }
    if let Some(known) = known {
        response.extensions_mut().insert(known);
    }
    response
}

fn plain(answer: CallAnswer) -> Response {
    let mut response = Response::new(Body::from(answer.body.unwrap_or_default()));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// What failed, for programs.
fn code(answer: &CallAnswer) -> &'static str {
    match (&answer.unreachable, &answer.provider) {
        (Some(error), _) if error.kind == FetchErrorKind::Reconnect => "reconnectNeeded",
        (Some(_), _) => "providerUnreachable",
        (None, Some(head)) if (400..500).contains(&head.status) => "providerRefused",
        (None, Some(head)) if !(200..300).contains(&head.status) => "providerFailed",
        (None, Some(_)) => "badAnswer",
        (None, None) if matches!(answer.status, 404 | 405) => "noSuchResource",
        (None, None) => "badCall",
    }
}

#[cfg(test)]
mod tests {
    use turnstone_core::call::CallFault;

    use super::*;

    #[test]
    fn what_a_connector_must_not_set_stays_out() {
        let mut answer = CallFault::new(404, "x").into_answer(7, "00aa");
        answer.headers.extend([
            ("Set-Cookie".to_owned(), "turnstone_session=x".to_owned()),
            ("Access-Control-Allow-Origin".to_owned(), "*".to_owned()),
            ("X-Fine".to_owned(), "1".to_owned()),
            ("bad name".to_owned(), "1".to_owned()),
            ("X-Broken".to_owned(), "a\nb".to_owned()),
        ]);
        let response = of(answer);
        let names: Vec<&str> = response.headers().keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["elements-element-instance-id", "x-fine"]);
        assert_eq!(response.extensions().get::<KnownAs>().unwrap().0, "00aa");
        assert_eq!(response.extensions().get::<ApiError>().unwrap().code, "noSuchResource");
    }
}
