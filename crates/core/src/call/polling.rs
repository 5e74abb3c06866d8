//! A poll of a hub path: the poller's `GET /hubs/…` is a call in process, and its answer a page like any other.
//!
//! The poller asks for a URL and gets a [`Reply`]; that the records came through a mapping, hooks and several requests
//! is not its business. What it decides by, the provider's clock and status, is the provider's own.

use std::time::Duration;

use jiff::Timestamp;

use crate::resource::{Pagination, PaginationKind, Place};
use crate::run::{FetchError, FetchErrorKind, Reply, Response};

use super::CallAnswer;

/// Whether a polled `url` names a resource of the instance itself: a path below `/hubs/`.
pub fn is_hub_path(url: &str) -> bool {
    url.trim_start().starts_with("/hubs/")
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
/// A call that failed before it reached the provider is a [`FetchError`] that does not heal by itself.
pub fn reply_of(answer: CallAnswer, now: Timestamp) -> Reply {
    let (sent_at, to_head) =
        answer.provider.as_ref().map_or((now, Duration::ZERO), |head| (head.sent_at, head.to_head));
    if let Some(error) = answer.unreachable {
        return Reply { sent_at, to_head, outcome: Err(error) };
    }
    let Some(head) = answer.provider else {
        let message =
            answer.fault.map_or("the call was answered by a hook".to_string(), |fault| fault.message);
        if answer.status >= 400 {
            let error = FetchError { kind: FetchErrorKind::BadUrl, message };
            return Reply { sent_at, to_head, outcome: Err(error) };
        }
        let response = response(answer.status, Vec::new(), answer.headers, answer.body);
        return Reply { sent_at, to_head, outcome: Ok(response) };
    };
    // What we make of an answer that the provider thought good stays our verdict; its own refusals stay its own.
    let status = if head.status >= 300 { head.status } else { answer.status };
    let response = response(status, head.headers, answer.headers, answer.body);
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
