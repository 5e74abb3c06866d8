//! Providers as simple as they come: records with a date, a filter, pages, and whatever a test wants in between.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, StatusCode, Uri};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// A request as a provider sees it.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub query: Vec<(String, String)>,
    pub headers: HeaderMap,
    pub body: String,
}

impl Seen {
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn number(&self, name: &str, otherwise: usize) -> usize {
        self.parameter(name).map_or(otherwise, |text| text.parse().unwrap())
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The fields of a form.
    pub fn form(&self) -> Vec<(String, String)> {
        pairs(&self.body)
    }
}

fn pairs(text: &str) -> Vec<(String, String)> {
    reqwest::Url::parse(&format!("http://x/?{text}")).unwrap().query_pairs().into_owned().collect()
}

/// What a provider answers: status, headers, and JSON, or a text as it is.
pub type Said = (u16, Vec<(&'static str, String)>, Value);

type Answers = Arc<dyn Fn(&Seen) -> Said + Send + Sync>;

/// A running provider. Its clock is its own: an hour behind ours, and it moves only when told to.
pub struct Vendor {
    pub address: SocketAddr,
    pub seen: Arc<Mutex<Vec<Seen>>>,
    time: Arc<Mutex<Timestamp>>,
}

#[derive(Clone)]
struct Shared {
    answers: Answers,
    seen: Arc<Mutex<Vec<Seen>>>,
    time: Arc<Mutex<Timestamp>>,
}

impl Vendor {
    pub async fn start(answers: impl Fn(&Seen) -> Said + Send + Sync + 'static) -> Vendor {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let start = Timestamp::from_second(Timestamp::now().as_second() - 3_600).unwrap();
        let (seen, time) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(start)));
        let shared = Shared { answers: Arc::new(answers), seen: Arc::clone(&seen), time: Arc::clone(&time) };
        let router = axum::Router::new().fallback(answer).with_state(shared);
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Vendor { address, seen, time }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn now(&self) -> Timestamp {
        *self.time.lock().unwrap()
    }

    /// Some minutes pass.
    pub fn pass(&self, minutes: i64) -> Timestamp {
        let mut time = self.time.lock().unwrap();
        *time += SignedDuration::from_mins(minutes);
        *time
    }

    /// Requests whose path ends like this.
    pub fn asked(&self, path: &str) -> Vec<Seen> {
        self.seen.lock().unwrap().iter().filter(|seen| seen.path.ends_with(path)).cloned().collect()
    }
}

async fn answer(
    State(shared): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let seen = Seen {
        method: method.to_string(),
        path: uri.path().to_owned(),
        query: pairs(uri.query().unwrap_or_default()),
        headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    let (status, more, json) = (shared.answers)(&seen);
    shared.seen.lock().unwrap().push(seen);
    let date = shared.time.lock().unwrap().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let text = match json {
        Value::Null => String::new(),
        Value::String(text) => text,
        json => json.to_string(),
    };
    let mut response = (StatusCode::from_u16(status).unwrap(), text).into_response();
    let headers = response.headers_mut();
    headers.insert("content-type", "application/json".parse().unwrap());
    headers.insert("date", date.parse().unwrap());
    for (name, value) in more {
        headers.insert(name, value.parse().unwrap());
    }
    response
}

/// Records of a provider, by number: when each was made and changed.
#[derive(Clone, Default)]
pub struct Records(Arc<Mutex<Vec<(u64, Timestamp, Timestamp)>>>);

impl Records {
    /// Makes so many, changed one second after the other since `from`.
    pub fn made(&self, count: u64, from: Timestamp) {
        let mut all = self.0.lock().unwrap();
        for _ in 0..count {
            let number = all.len() as u64 + 1;
            let at = from + SignedDuration::from_secs(number as i64);
            all.push((number, at, at));
        }
    }

    pub fn change(&self, number: u64, at: Timestamp) {
        let mut all = self.0.lock().unwrap();
        all.iter_mut().find(|(known, _, _)| *known == number).unwrap().2 = at;
    }

    pub fn has(&self, number: u64) -> bool {
        self.0.lock().unwrap().iter().any(|(known, _, _)| *known == number)
    }

    pub fn remove(&self, number: u64) {
        self.0.lock().unwrap().retain(|(known, _, _)| *known != number);
    }

    /// Those changed since, in the order of their change: `skip` are left out, at most `take` follow.
    pub fn page(
        &self,
        since: Option<Timestamp>,
        skip: usize,
        take: usize,
    ) -> Vec<(u64, Timestamp, Timestamp)> {
        let mut all = self.0.lock().unwrap().clone();
        all.retain(|(_, _, changed)| since.is_none_or(|since| *changed >= since));
        all.sort_by_key(|(number, _, changed)| (*changed, *number));
        all.into_iter().skip(skip).take(take).collect()
    }
}

/// `2026-01-31T09:30:00Z`.
pub fn zulu(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
