//! Cards that ask a provider: Raw Request, Get, Post, Put, Patch, Delete, Paginate, and the built-in `httpHelper`
//! (catalogue §10).
//!
//! A relative URL continues the connection's base URL. What goes to the base URL's origin is marked as authorised, and
//! the engine adds the connection's credentials; nothing else ever gets them. An answer of 300 and more is an error of
//! the card, with the provider's own words.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use url::Url;

use super::cards::count;
use super::loops::Loop;
use super::machine::{CardResult, Did, Machine, Next, Task, Waits, card_code};
use super::{FlowError, FlowRequest};
use crate::flow::program::{Action, HttpKind};
use crate::flow::value::{Object, Type, Value, convert};
use crate::limits::FLOW_RAW_ERROR_BYTES_MAX;
use crate::run::{FetchError, Reply, Request, Response};
use crate::window::http_date;

/// Headers that belong to the sender.
const HEADERS_OF_THE_SENDER: [&str; 7] =
    ["host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "expect"];

/// A request as a card gives it.
struct Wanted {
    method: String,
    url: String,
    query: Value,
    headers: Value,
    body: Option<String>,
    is_json: bool,
}

/// The pages of a Paginate.
#[derive(Debug)]
pub(super) struct Pages {
    url: String,
    query: Value,
    headers: Value,
    /// Pages asked for.
    number: usize,
    maximum: usize,
    /// The address of the page before.
    asked: String,
    /// The page that the helper flow gets.
    pub(super) answer: Value,
    /// What the helper flow said about the next one.
    next: Value,
}

impl Machine {
    /// Asks, and waits for the answer.
    pub(super) fn ask(&mut self, task: &mut Task, kind: HttpKind, mut given: Object) -> CardResult {
        let mut take = |key: &str| given.get_mut(key).map(std::mem::take).unwrap_or_default();
        let wanted = match kind {
            HttpKind::Raw => {
                let body = take("body").to_text();
                Wanted {
                    method: take("method").to_text(),
                    url: take("url").to_text(),
                    query: take("query"),
                    headers: take("headers"),
                    body: (!body.is_empty()).then_some(body),
                    is_json: false,
                }
            }
            HttpKind::Json(method) => Wanted {
                method: method.into(),
                url: take("url").to_text(),
                query: take("query"),
                headers: take("headers"),
                body: json_body(&take("body")),
                is_json: true,
            },
            HttpKind::Helper => Wanted {
                method: take("request_method").to_text(),
                url: take("relative_url").to_text(),
                query: take("query"),
                headers: take("headers"),
                body: json_body(&take("body")),
                is_json: true,
            },
        };
        let request = self.request(task, wanted)?;
        Ok(Did::Waits(Waits::Answer(Some(Box::new(request)))))
    }

    fn request(&self, task: &Task, wanted: Wanted) -> Result<FlowRequest, Box<FlowError>> {
        let base = self.start.base_url.as_deref();
        let refuse = |input: &str, message: String| self.input_error(task, "bad-request", input, message);
        let mut url = address(&wanted.url, base).map_err(|message| refuse("url", message))?;
        add_query(&mut url, &wanted.query).map_err(|message| refuse("query", message))?;
        let method = method(&wanted.method).map_err(|message| refuse("method", message))?;
        let mut headers = headers(&wanted.headers).map_err(|message| refuse("headers", message))?;
        let has = |headers: &[(String, String)], name: &str| {
            headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
        };
        if wanted.is_json {
            if !has(&headers, "accept") {
                headers.push(("Accept".into(), "application/json".into()));
            }
            if wanted.body.is_some() && !has(&headers, "content-type") {
                headers.push(("Content-Type".into(), "application/json".into()));
            }
        }
        let body = wanted.body.filter(|_| method != "GET" && method != "HEAD");
        let origin = base.and_then(|base| Url::parse(base).ok()).map(|base| base.origin());
        let authorised = origin.is_some_and(|origin| origin.is_tuple() && origin == url.origin());
        let request = Request { method, url: url.into(), headers, body };
        Ok(FlowRequest { request, authorised, timeout: card_code(&self.flow, task).timeout })
    }

    /// The answer to the request of the card under way.
    pub(super) fn answered(&mut self, task: &mut Task, reply: Reply) -> Next {
        let flow = Arc::clone(&self.flow);
        let code = card_code(&flow, task);
        let sent_at = reply.sent_at;
        let response = match reply.outcome {
            Err(error) => {
                self.abandon_pages(task);
                let error = self.unreachable(task, &error);
                return self.raise(task, error);
            }
            Ok(response) if !(200..300).contains(&response.status) => {
                self.abandon_pages(task);
                let error = self.refused(task, &response, sent_at);
                return self.raise(task, error);
            }
            Ok(response) => response,
        };
        let kind = match &code.action {
            Action::Http(kind) => *kind,
            _ => HttpKind::Json("GET"),
        };
        let outputs = match self.answer(task, kind, response) {
            Ok(outputs) => outputs,
            Err(error) => {
                self.abandon_pages(task);
                return self.raise(task, error);
            }
        };
        match &code.action {
            Action::Loop(_, call) => self.page_came(task, call, outputs),
            _ => self.card_done(task, outputs),
        }
    }

    /// The answer as a card's outputs.
    fn answer(&self, task: &Task, kind: HttpKind, response: Response) -> Result<Object, Box<FlowError>> {
        let body = match kind {
            HttpKind::Raw => Value::Text(response.body),
            HttpKind::Json(_) | HttpKind::Helper if response.body.trim().is_empty() => Value::Null,
            HttpKind::Json(_) | HttpKind::Helper => match Value::from_json(&response.body) {
                Ok(body) => body,
                Err(_) if kind == HttpKind::Helper => Value::Text(response.body),
                Err(why) => {
                    let message =
                        format!("the answer cannot be read: {why}; use Raw Request for other texts");
                    let error = self.error_at(task, "bad-answer", message);
                    return Err(Box::new(FlowError { raw: Some(shortened(&response.body)), ..*error }));
                }
            },
        };
        let mut headers = Object::new();
        for (name, value) in response.headers {
            match headers.get_mut(&name) {
                Some(Value::Text(known)) => {
                    known.push_str(", ");
                    known.push_str(&value);
                }
                _ => {
                    headers.insert(name, Value::Text(value));
                }
            }
        }
        let status = if kind == HttpKind::Helper { "status_code" } else { "statusCode" };
        let mut outputs = Object::new();
        outputs.insert(status.into(), Value::whole(i64::from(response.status)));
        outputs.insert("headers".into(), Value::object(headers));
        outputs.insert("body".into(), body);
        Ok(outputs)
    }

    fn unreachable(&self, task: &Task, error: &FetchError) -> Box<FlowError> {
        let kind = serde_json::to_value(error.kind).ok();
        let code = kind.as_ref().and_then(|kind| kind.as_str()).unwrap_or("unreachable").to_string();
        let at = self.error_at(task, &code, error.message.clone());
        Box::new(FlowError { transient: error.kind.is_transient(), ..*at })
    }

    fn refused(&self, task: &Task, response: &Response, sent_at: Timestamp) -> Box<FlowError> {
        let status = response.status;
        let words = match status {
            300..=399 => "it redirects, which is not followed outside its origin",
            401 => "it refuses the credentials; connect the account anew",
            403 => "it forbids this to the account",
            404 => "it knows no such address",
            429 => "it asks to slow down",
            500.. => "it failed",
            _ => "it refused the request",
        };
        let at = self.error_at(
            task,
            &format!("http-{status}"),
            format!("the provider answered {status}: {words}"),
        );
        Box::new(FlowError {
            status: Some(status),
            raw: Some(shortened(&response.body)).filter(|raw| !raw.is_empty()),
            transient: matches!(status, 408 | 425 | 429 | 500..),
            retry_after: retry_after(response, sent_at),
            ..*at
        })
    }
}

/// Paginate.
impl Machine {
    pub(super) fn begin_pages(&mut self, task: &mut Task, mut given: Object) -> CardResult {
        let bound = self.start.bounds.iterations;
        let maximum = count(&given, "maximum").unwrap_or(bound).clamp(1, bound);
        let mut take = |key: &str| given.get_mut(key).map(std::mem::take).unwrap_or_default();
        let pages = Pages {
            url: take("url").to_text(),
            query: take("query"),
            headers: take("headers"),
            number: 0,
            maximum,
            asked: String::new(),
            answer: Value::Null,
            next: Value::Null,
        };
        self.ask_page(task, Self::loop_of_pages(pages))
    }

    fn ask_page(&mut self, task: &mut Task, mut looping: Box<Loop>) -> CardResult {
        let pages = looping.pages.as_mut().expect("a loop over pages has them");
        let wanted = Wanted {
            method: "GET".into(),
            url: pages.url.clone(),
            query: pages.query.clone(),
            headers: pages.headers.clone(),
            body: None,
            is_json: true,
        };
        let charged = looping.charged;
        let request = match self.request(task, wanted) {
            Ok(request) => request,
            Err(error) => {
                self.release(charged);
                return Err(error);
            }
        };
        let pages = looping.pages.as_mut().expect("a loop over pages has them");
        if request.request.url == pages.asked {
            self.release(charged);
            let message = "the next page is the page itself; return another `next`, or nothing at the end";
            return Err(self.error_at(task, "endless-pages", message.into()));
        }
        pages.asked.clone_from(&request.request.url);
        pages.number += 1;
        self.set_loop(task, looping);
        Ok(Did::Waits(Waits::Answer(Some(Box::new(request)))))
    }

    /// A page came: the helper flow takes its records, and says where the next one is.
    fn page_came(&mut self, task: &mut Task, call: &crate::flow::program::Call, mut answer: Object) -> Next {
        let Some(mut looping) = self.take_loop(task) else { return Next::Waiting };
        let pages = looping.pages.as_mut().expect("a loop over pages has them");
        let index = pages.number - 1;
        answer.insert("index".into(), i64::try_from(index).map_or(Value::Null, Value::whole));
        pages.answer = Value::object(answer);
        let of_call = looping.of_page(index);
        match self.call_one(task, call, &of_call) {
            Ok(()) => {
                looping.began_call();
                self.set_loop(task, looping);
                task.waits = Waits::Calls;
                Next::Waiting
            }
            Err(error) => {
                self.release(looping.charged);
                self.raise(task, error)
            }
        }
    }

    /// What the helper flow made of a page.
    pub(super) fn take_page(
        &mut self,
        task: &Task,
        looping: &mut Loop,
        mut values: Object,
    ) -> Result<(), Box<FlowError>> {
        let mut take = |key: &str| values.get_mut(key).map(std::mem::take).unwrap_or_default();
        let records = convert(take("records"), Type::LIST).unwrap_or_default();
        let bytes = records.json_bytes();
        looping.charged += bytes;
        self.charge(task, bytes)?;
        if let Value::List(items) = records {
            looping.records.extend(Arc::unwrap_or_clone(items));
        }
        if let Some(pages) = looping.pages.as_mut() {
            pages.next = take("next");
            pages.answer = Value::Null;
        }
        Ok(())
    }

    pub(super) fn next_page(&mut self, task: &mut Task, mut looping: Box<Loop>) -> CardResult {
        let pages = looping.pages.as_mut().expect("a loop over pages has them");
        let next = std::mem::take(&mut pages.next);
        let is_end = match &next {
            Value::Null | Value::Boolean(false) => true,
            Value::Text(text) => text.trim().is_empty(),
            Value::Object(members) => members.is_empty(),
            _ => false,
        };
        if is_end {
            self.release(looping.charged);
            return Ok(Did::Outputs(looping.all_records()));
        }
        let charged = looping.charged;
        if pages.number >= pages.maximum {
            let maximum = pages.maximum;
            self.release(charged);
            let message =
                format!("there are more than {maximum} pages; ask for larger pages, or for fewer records");
            return Err(if maximum >= self.start.bounds.iterations {
                self.limit(task, "limit-iterations", message)
            } else {
                self.error_at(task, "too-many-pages", message)
            });
        }
        match next {
            Value::Object(members) => {
                let mut query = match &pages.query {
                    Value::Object(query) => (**query).clone(),
                    _ => Object::new(),
                };
                query.extend(members.iter().map(|(name, value)| (name.clone(), value.clone())));
                pages.query = Value::object(query);
            }
            next => {
                // A URL of the provider's brings its own query.
                pages.url = match Url::parse(&pages.asked).and_then(|asked| asked.join(next.to_text().trim()))
                {
                    Ok(url) => url.into(),
                    Err(_) => next.to_text(),
                };
                pages.query = Value::Null;
            }
        }
        self.ask_page(task, looping)
    }

    /// A loop over pages ends with its request.
    fn abandon_pages(&mut self, task: &mut Task) {
        if let Some(looping) = self.take_loop(task) {
            self.release(looping.charged);
        }
    }
}

/// The JSON of a body; an empty object is one, nothing is none.
fn json_body(body: &Value) -> Option<String> {
    (!body.is_null()).then(|| body.to_json())
}

/// The absolute address of a request.
fn address(url: &str, base: Option<&str>) -> Result<Url, String> {
    let url = url.trim();
    let lower = url.to_ascii_lowercase();
    let absolute = lower.starts_with("http://") || lower.starts_with("https://");
    let text = match (absolute, base) {
        (true, _) => url.to_string(),
        (false, _) if url.contains("://") => return Err(format!("`{}` is neither http nor https", cut(url))),
        (false, Some(base)) if url.is_empty() => base.to_string(),
        (false, Some(base)) => format!("{}/{}", base.trim_end_matches('/'), url.trim_start_matches('/')),
        (false, None) => {
            return Err(format!(
                "`{}` is relative, and the connection has no base URL; write a whole URL, or set `base.url`",
                cut(url)
            ));
        }
    };
    let mut parsed = Url::parse(&text).map_err(|why| format!("`{}` is not a URL: {why}", cut(&text)))?;
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err("the URL holds credentials; keep them in the connection".into());
    }
    parsed.set_fragment(None);
    Ok(parsed)
}

fn cut(text: &str) -> String {
    let shown = crate::poll::redacted(text);
    match shown.char_indices().nth(120) {
        Some((at, _)) => format!("{}…", &shown[..at]),
        None => shown,
    }
}

/// Adds parameters; those that are nothing are left out, lists repeat their name.
fn add_query(url: &mut Url, query: &Value) -> Result<(), String> {
    let members = match query {
        Value::Null => return Ok(()),
        Value::Object(members) if members.values().all(Value::is_null) => return Ok(()),
        Value::Object(members) => members,
        other => return Err(format!("the query is {}, an object is wanted", other.noun())),
    };
    let mut pairs = url.query_pairs_mut();
    for (name, value) in members.iter() {
        match value {
            Value::Null => {}
            Value::List(items) => {
                for item in items.iter().filter(|item| !item.is_null()) {
                    pairs.append_pair(name, &item.to_text());
                }
            }
            value => {
                pairs.append_pair(name, &value.to_text());
            }
        }
    }
    Ok(())
}

fn method(text: &str) -> Result<String, String> {
    let method = text.trim().to_ascii_uppercase();
    if method.is_empty() {
        return Ok("GET".into());
    }
    let known = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    if !known.contains(&method.as_str()) {
        return Err(format!("`{}` is not a method; write one of {}", cut(text), known.join(", ")));
    }
    Ok(method)
}

fn headers(given: &Value) -> Result<Vec<(String, String)>, String> {
    let members = match given {
        Value::Null => return Ok(Vec::new()),
        Value::Object(members) => members,
        other => return Err(format!("the headers are {}, an object is wanted", other.noun())),
    };
    let mut headers = Vec::new();
    for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
        let is_token = |letter: char| letter.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(letter);
        if name.is_empty() || !name.chars().all(is_token) {
            return Err(format!("`{}` is not the name of a header", cut(name)));
        }
        if HEADERS_OF_THE_SENDER.contains(&name.to_ascii_lowercase().as_str()) {
            return Err(format!("`{name}` is set by the sender; remove it"));
        }
        let text = value.to_text();
        if text.chars().any(|letter| letter.is_control() && letter != '\t') {
            return Err(format!("the value of `{name}` holds a line break or another control character"));
        }
        headers.push((name.clone(), text));
    }
    Ok(headers)
}

/// As much of a provider's words as an error keeps.
fn shortened(text: &str) -> String {
    let text = text.trim();
    if text.len() <= FLOW_RAW_ERROR_BYTES_MAX {
        return text.to_string();
    }
    let mut at = FLOW_RAW_ERROR_BYTES_MAX;
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    format!("{}…", &text[..at])
}

/// The pause that `Retry-After` asks for: seconds, or an instant of the provider's clock.
fn retry_after(response: &Response, sent_at: Timestamp) -> Option<Duration> {
    let text = response.header("retry-after")?.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Duration::from_secs(u64::from(seconds)));
    }
    let until = http_date(text)?;
    let now = response.header("date").and_then(http_date).unwrap_or(sent_at);
    Duration::try_from(until.duration_since(now)).ok()
}
