//! A poll of a hub path: the poller's `GET /hubs/…` is a call in process, and its answer a page like any other.
//!
//! The poller asks for a URL and gets a [`Reply`]; that the records came through a mapping, hooks and several requests
//! is not its business. What it decides by, the provider's clock and status, is the provider's own.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::connector::Connector;
use crate::resource::{Drift, Pagination, PaginationKind, Place};
use crate::run::{FetchError, FetchErrorKind, Reply, Response};

use super::paging::is_tokened;
use super::{CallAnswer, find};

/// Whether a polled `url` names a resource of the instance itself: a path below `/hubs/`.
pub fn is_hub_path(url: &str) -> bool {
    url.trim_start().starts_with("/hubs/")
}

/// Whether a polled `url` is a call of this connector: a hub path, or another path that it has.
pub fn is_polled_in_process(connector: &Connector, url: &str) -> bool {
    let url = url.trim_start();
    is_hub_path(url) || (url.starts_with('/') && find(connector, "GET", url).is_ok())
}

/// Whether the pages of a polled resource hold still: those of a provider's tokens do, as far as anybody promises; our
/// token over pages that the provider counts is a count like any other, and shifts with it.
pub fn hub_drift(connector: &Connector, url: &str) -> Drift {
    let tokened = find(connector, "GET", url).is_ok_and(|route| {
        is_tokened(connector, &connector.resources[route.resource], &connector.settings(&BTreeMap::new()))
    });
    if tokened { Drift::Trust } else { Drift::Verify }
}

/// How the pages of a hub path follow each other: by our token, with our page size.
pub fn hub_pagination() -> Pagination {
    Pagination {
        kind: PaginationKind::Cursor {
            token: Place::Header("elements-next-page-token".into()),
            param: Some("nextPage".into()),
        },
        size_param: Some("pageSize".into()),
        more: None,
    }
}

/// A call's answer as a poll reads it: our records and token, the provider's `Date`, status and waiting time. `now` is
/// our clock, for a call that never left.
///
/// What we cannot make of an answer that the provider thought good, and a call that failed before it left, is a
/// [`FetchError`] with its sentence.
pub fn reply_of(answer: CallAnswer, now: Timestamp) -> Reply {
    let (sent_at, to_head) =
        answer.provider.as_ref().map_or((now, Duration::ZERO), |head| (head.sent_at, head.to_head));
    if let Some(error) = answer.unreachable {
        return Reply { sent_at, to_head, outcome: Err(error) };
    }
    let refused = answer.provider.as_ref().is_some_and(|head| head.status >= 300);
    if let Some(fault) = answer.fault.filter(|_| !refused) {
        // Too many hooks at once, say, is over soon; a mapping that does not fit is not.
        let passes = matches!(fault.status, 503 | 504);
        let kind = if passes { FetchErrorKind::Broken } else { FetchErrorKind::Call };
        return Reply { sent_at, to_head, outcome: Err(FetchError { kind, message: fault.message }) };
    }
    let (status, headers) = match answer.provider {
        // The provider's own refusals stay its own.
        Some(head) => (if refused { head.status } else { answer.status }, head.headers),
        None => (answer.status, Vec::new()),
    };
    let response = response(status, headers, answer.headers, answer.body);
    Reply { sent_at, to_head, outcome: Ok(response) }
}

fn response(
    status: u16,
    provider: Vec<(String, String)>,
    ours: Vec<(String, String)>,
    body: Option<String>,
) -> Response {
    // The provider's own paging headers speak of its pages, not of ours.
    let kept = ["date", "retry-after", "etag", "last-modified"];
    let rate = |name: &str| name.contains("ratelimit") || name.contains("rate-limit");
    let mut headers: Vec<(String, String)> = provider
        .into_iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .filter(|(name, _)| kept.contains(&name.as_str()) || rate(name))
        .collect();
    headers.extend(ours.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)));
    headers.push(("content-type".into(), "application/json".into()));
    Response { status, headers, body: body.unwrap_or_default() }
}
