//! The feed as server-sent events: a browser asks once, and is told of every event as it is recorded.
//!
//! The log is the truth: a stream reads rows beyond its position, at most once a second, and somewhat sooner after a
//! hint that something was recorded. Whoever comes back says where it was (`Last-Event-ID`) and misses nothing. A
//! stream ends with the server, with its client, and within a minute after the client may not look any more.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use hyper::body::Frame;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use turnstone_store::{EventFilter, LoggedEvent};

use super::{CHUNK, names_in, positioned};
use crate::api::Api;
use crate::api::access::{self, Caller};
use crate::api::error::{Answer, ApiError};

/// The type of such an answer, and what a client accepts to get one.
pub const KIND: &str = "text/event-stream";
/// Streams at once. Each is a connection and reads the store once a second.
const STREAMS_MAX: usize = 64;
/// Time between two reads of a stream that nobody wakes.
const LOOK: Duration = Duration::from_secs(1);
/// The same after a hint: so many events are told together.
const LOOK_SOON: Duration = Duration::from_millis(100);
/// Silence after which a comment shows that the connection stands.
const SILENCE: Duration = Duration::from_secs(15);
/// How often it is asked whether the client may still look.
const CHECK: Duration = Duration::from_secs(60);
/// What a client waits before it comes back.
const COME_BACK: Duration = Duration::from_secs(2);

/// Room for streams.
pub struct Room(Arc<Semaphore>);

impl Default for Room {
    fn default() -> Room {
        Room(Arc::new(Semaphore::new(STREAMS_MAX)))
    }
}

/// Whether a client wants a stream.
pub fn is_wanted(accepted: &str) -> bool {
    accepted
        .split(',')
        .any(|one| one.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case(KIND)))
}

/// Where a client that was here before goes on: its last event's position. A browser that comes back sends it with the
/// address that it first asked for, so that it counts more than what stands there.
fn last_seen(headers: &HeaderMap) -> Answer<Option<i64>> {
    let Some(sent) = headers.get("last-event-id") else { return Ok(None) };
    let text = sent.to_str().unwrap_or_default().trim();
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().ok().filter(|position| *position >= 0).map(Some).ok_or_else(|| {
        let message =
            "`Last-Event-ID` is no position of this feed; send the `id` of the last event, or leave it out";
        ApiError::bad("badParameter", message)
    })
}

/// Answers with a stream of what the filter lets through: after where the client was, after `after`, or from now on.
pub async fn answer(
    api: &Api,
    caller: Caller,
    headers: &HeaderMap,
    mut filter: EventFilter,
    after: Option<i64>,
) -> Answer<Response> {
    let Ok(place) = Arc::clone(&api.streams().0).try_acquire_owned() else {
        let message = format!("{STREAMS_MAX} streams are open already; close one, or pull from the feed");
        return Err(ApiError::new(StatusCode::TOO_MANY_REQUESTS, "busy", message));
    };
    filter.after = match last_seen(headers)?.or(after) {
        Some(position) => position,
        None => end_of_log(api, &caller).await?,
    };
    filter.limit = CHUNK;
    // One text waits while another is sent: a client that reads slowly is waited for.
    let (sender, receiver) = mpsc::channel(1);
    let stream = Stream { api: api.clone(), caller, headers: headers.clone(), filter, sender, _place: place };
    tokio::spawn(stream.run());
    let mut response = ([(CONTENT_TYPE, KIND)], Body::new(Texts(receiver))).into_response();
    // Proxies that gather answers before they pass them on know this word.
    response.headers_mut().insert("X-Accel-Buffering", http::HeaderValue::from_static("no"));
    Ok(response)
}

async fn end_of_log(api: &Api, caller: &Caller) -> Answer<i64> {
    let newest = EventFilter { newest_first: true, limit: 1, ..EventFilter::default() };
    Ok(api.store.events(caller.org, &newest).await?.first().map_or(0, |last| last.position))
}

/// One open stream.
struct Stream {
    api: Api,
    caller: Caller,
    headers: HeaderMap,
    filter: EventFilter,
    sender: mpsc::Sender<Bytes>,
    _place: OwnedSemaphorePermit,
}

/// Why a stream ends: its client is gone or may not look any more, the server stops, or the store does not answer.
struct Over;

impl Stream {
    async fn run(mut self) {
        // The end of a stream is all that its client is told; it comes back, and is answered why not.
        let _ = self.tell().await;
    }

    async fn tell(&mut self) -> Result<(), Over> {
        let clock = Arc::clone(&self.api.tools.clock);
        self.send(start(self.filter.after)).await?;
        let (mut sent_at, mut checked_at) = (clock.monotonic(), clock.monotonic());
        loop {
            // Before the read: what is recorded while it goes on is told of at once.
            let api = self.api.clone();
            let recorded = api.recorded.notified();
            tokio::pin!(recorded);
            recorded.as_mut().enable();
            let (found, names, is_all) = self.look().await?;
            for logged in &found {
                self.send(text(logged, &names)).await?;
                sent_at = clock.monotonic();
            }
            if clock.monotonic().saturating_sub(checked_at) >= CHECK {
                checked_at = clock.monotonic();
                self.check().await?;
            }
            if clock.monotonic().saturating_sub(sent_at) >= SILENCE {
                sent_at = clock.monotonic();
                self.send(": still here\n\n".to_owned()).await?;
            }
            if is_all {
                clock.sleep(LOOK_SOON).await;
                let rest = LOOK.saturating_sub(LOOK_SOON);
                tokio::select! {
                    biased;
                    () = self.sender.closed() => return Err(Over),
                    () = api.stop.asked() => return Err(Over),
                    () = recorded => {}
                    () = clock.sleep(rest) => {}
                }
            }
        }
    }

    /// The next events, what their instances are called, and whether there are no more.
    async fn look(&mut self) -> Result<(Vec<LoggedEvent>, HashMap<i64, String>, bool), Over> {
        let failed = |error: ApiError| {
            tracing::warn!(error = error.detail.unwrap_or(error.message), "a stream of events ends");
            Over
        };
        // What a filter leaves out would be passed over again with every read.
        let end = match self.filter.resource {
            Some(_) => Some(end_of_log(&self.api, &self.caller).await.map_err(failed)?),
            None => None,
        };
        let found = self.api.store.events(self.caller.org, &self.filter).await;
        let found = found.map_err(|error| failed(error.into()))?;
        let names = match found.is_empty() {
            true => HashMap::new(),
            false => names_in(&self.api, self.caller.org, &found).await.map_err(failed)?,
        };
        let is_all = found.len() < CHUNK as usize;
        let last = found.last().map_or(self.filter.after, |last| last.position);
        self.filter.after = last.max(end.filter(|_| is_all).unwrap_or(last));
        Ok((found, names, is_all))
    }

    async fn check(&self) -> Result<(), Over> {
        match access::may_still_look(&self.api, &self.caller, &self.headers).await {
            true => Ok(()),
            false => Err(Over),
        }
    }

    async fn send(&self, text: String) -> Result<(), Over> {
        let sending = self.sender.send(Bytes::from(text));
        // A client that takes nothing must not hold up the server's end.
        match self.api.stop.unless_asked(sending).await {
            Some(Ok(())) => Ok(()),
            Some(Err(_)) | None => Err(Over),
        }
    }
}

/// What a stream begins with: its position, so that a client whose connection is lost before its first event misses
/// nothing, and the time after which it comes back.
fn start(after: i64) -> String {
    format!("retry: {}\nid: {after}\nevent: start\ndata: {{\"after\":{after}}}\n\n", COME_BACK.as_millis())
}

/// An event as a browser reads it. The provider's record may hold line breaks, and each line of data needs its name.
fn text(logged: &LoggedEvent, names: &HashMap<i64, String>) -> String {
    let mut text = format!("id: {}\nevent: event\n", logged.position);
    let line = positioned(logged, names).replace("\r\n", "\n").replace('\r', "\n");
    for line in line.split('\n') {
        text.push_str("data: ");
        text.push_str(line);
        text.push('\n');
    }
    text.push('\n');
    text
}

/// A body of what a task hands over, until it ends.
struct Texts(mpsc::Receiver<Bytes>);

impl HttpBody for Texts {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(cx).map(|text| text.map(|text| Ok(Frame::data(text))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use turnstone_core::event::{Event, EventType};
    use turnstone_core::id::{EventId, InstanceId, PollerId, RunId};

    #[test]
    fn every_line_of_a_record_is_data() {
        let event = Event {
            id: EventId([7; 16]),
            poller: PollerId(1),
            instance: InstanceId(2),
            run: RunId([3; 16]),
            inbound: None,
            event_type: EventType::Updated,
            object_type: "a".into(),
            object_id: "1".into(),
            element_key: "crm".into(),
            date: jiff::Timestamp::UNIX_EPOCH,
            sequence: 1,
            reason: "new".into(),
            compared: String::new(),
            page: 0,
            record: Some("{\r\n\"a\":\r1,\n\n\"b\": 2}".into()),
        };
        let logged = LoggedEvent { position: 9, recorded_at: jiff::Timestamp::UNIX_EPOCH, event };
        let text = text(&logged, &HashMap::new());
        assert!(text.starts_with("id: 9\nevent: event\ndata: {\"position\":9,") && text.ends_with("\n\n"));
        let data: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
        assert_eq!(data.len(), text.lines().count() - 3, "{text}");
        let value: serde_json::Value = serde_json::from_str(&data.join("\n")).unwrap();
        assert_eq!(value["record"], serde_json::json!({"a": 1, "b": 2}));
    }

    #[test]
    fn only_who_asks_for_a_stream_gets_one() {
        for accepted in ["text/event-stream", "application/json, Text/Event-Stream;q=0.5"] {
            assert!(is_wanted(accepted), "{accepted}");
        }
        for accepted in ["*/*", "text/*", "application/json", "text/event-streams", ""] {
            assert!(!is_wanted(accepted), "{accepted}");
        }
    }

    #[test]
    fn a_client_that_comes_back_says_where_it_was() {
        let check = |sent: Option<&'static str>, expect: Option<Option<i64>>| {
            let mut headers = HeaderMap::new();
            if let Some(sent) = sent {
                headers.insert("last-event-id", http::HeaderValue::from_static(sent));
            }
            assert_eq!(last_seen(&headers).ok(), expect, "{sent:?}");
        };
        check(None, Some(None));
        check(Some(""), Some(None));
        check(Some("12"), Some(Some(12)));
        check(Some("-1"), None);
        check(Some("evt_1"), None);
    }
}
