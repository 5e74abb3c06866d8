//! The HTTP door: routes, rendering, and the faults that need the connection itself.
//!
//! Decisions are made elsewhere (`paging` picks the records, `faults` says what goes wrong); here they are carried out.
//! Records are copied out under the lock and written as JSON outside it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::Response;
use axum::routing::{get, post};
use base64::Engine;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Clock;
use crate::body::{Cut, pieces};
use crate::config::{Auth, DeleteMode, Settings};
use crate::control::{self, Control};
use crate::data::IdStyle;
use crate::dates::http_date;
use crate::faults::{Asked, Fault, Faults, Framing, Plan, RetryAfter};
use crate::paging::{BadQuery, ListQuery, Page, PageStyle, Pager, Position, Spoil};
use crate::world::{Force, Record, World};

/// Requests remembered for [`crate::RunningProvider::requests`].
const REQUESTS_MAX: usize = 10_000;
/// Changes that one answer of `/_truth` holds.
const TRUTH_PAGE_MAX: usize = 10_000;
/// Parameters that say where a page begins.
const POSITION_PARAMETERS: [&str; 5] = ["page", "offset", "cursor", "after_time", "after_key"];
const JSON: &str = "application/json; charset=utf-8";
const LOGIN_PAGE: &str = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head>\n\
    <body><h1>Your session has ended</h1><form><input name=\"user\"></form></body></html>\n";

/// Everything that changes, behind one lock.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) world: World,
    pub(crate) settings: HashMap<String, Settings>,
    pub(crate) settings_revision: u64,
    pub(crate) faults: Faults,
    pub(crate) pager: Pager,
    pub(crate) auth: Auth,
    pub(crate) date_skew_ms: i64,
    pub(crate) token_epoch: u32,
    /// The records of the last page of every resource, for duplicated pages.
    pub(crate) last_pages: HashMap<String, Vec<Arc<Record>>>,
    /// Numbers the requests, for orders that differ every time.
    pub(crate) request_number: u64,
}

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) inner: Mutex<Inner>,
    pub(crate) traffic: Mutex<Traffic>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Tells validators of this provider from those of an earlier one.
    pub(crate) started: i64,
}

/// Requests that arrived.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    pub(crate) total: u64,
    pub(crate) by_status: BTreeMap<u16, u64>,
    pub(crate) recent: VecDeque<Seen>,
}

/// A request that arrived under `/v1/`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// When, in microseconds of the driving clock.
    pub at: i64,
    /// Path and query as sent.
    pub target: String,
    /// Status that was answered; 0 where the connection was cut instead.
    pub status: u16,
}

impl Shared {
    /// Locks the provider after bringing its world to the present.
    pub(crate) fn present(&self) -> MutexGuard<'_, Inner> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.world.advance(self.clock.now_micros());
        inner
    }

    pub(crate) fn traffic(&self) -> MutexGuard<'_, Traffic> {
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An answer before faults of the transport.
struct Answer {
    status: u16,
    content_type: &'static str,
    headers: Vec<(HeaderName, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn json(status: u16, value: &Value) -> Answer {
        Answer {
            status,
            content_type: JSON,
            headers: Vec::new(),
            body: serde_json::to_vec(value).unwrap_or_default(),
        }
    }

    fn error(status: u16, code: &str, message: &str) -> Answer {
        Answer::json(status, &json!({"error": {"code": code, "message": message}}))
    }

    fn with(mut self, name: HeaderName, value: impl Into<String>) -> Answer {
        self.headers.push((name, value.into()));
        self
    }
}

impl From<BadQuery> for Answer {
    fn from(bad: BadQuery) -> Answer {
        let code = if bad.status == 410 { "cursor_expired" } else { "bad_request" };
        Answer::error(bad.status, code, &bad.message)
    }
}

pub(crate) fn router(shared: Arc<Shared>) -> Router {
    let api = Router::new()
        .route("/v1/{resource}", get(list))
        .route("/v1/{resource}/deleted", get(list_deleted))
        .route("/v1/{resource}/{id}", get(record))
        .route_layer(axum::middleware::from_fn_with_state(Arc::clone(&shared), observe));
    api.route("/", get(overview))
        .route("/_truth", get(truth))
        .route("/_truth/records", get(truth_records))
        .route("/_control", post(change))
        .route("/_requests", get(requests))
        .with_state(shared)
}

type Pairs = Query<Vec<(String, String)>>;

/// Remembers every request under `/v1/` and its status.
async fn observe(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let at = shared.clock.now_micros();
    let target = request.uri().to_string();
    let response = next.run(request).await;
    let is_cut = response.extensions().get::<Cut>().is_some();
    let status = if is_cut { 0 } else { response.status().as_u16() };
    let mut traffic = shared.traffic();
    traffic.total += 1;
    *traffic.by_status.entry(status).or_default() += 1;
    if traffic.recent.len() == REQUESTS_MAX {
        traffic.recent.pop_front();
    }
    traffic.recent.push_back(Seen { at, target, status });
    drop(traffic);
    response
}

async fn list(
    State(shared): State<Arc<Shared>>,
    Path(resource): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    Query(pairs): Pairs,
) -> Response {
    answer_list(&shared, &ListCall { resource, uri, headers, pairs, only_deleted: false }).await
}

async fn list_deleted(
    State(shared): State<Arc<Shared>>,
    Path(resource): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    Query(pairs): Pairs,
) -> Response {
    answer_list(&shared, &ListCall { resource, uri, headers, pairs, only_deleted: true }).await
}

struct ListCall {
    resource: String,
    uri: Uri,
    headers: HeaderMap,
    pairs: Vec<(String, String)>,
    only_deleted: bool,
}

/// What is taken out of the lock to write a list.
struct Picked {
    query: ListQuery,
    page: Page,
    ids: IdStyle,
    absolute_next: bool,
    token_epoch: u32,
    etag: Option<String>,
}

async fn answer_list(shared: &Shared, call: &ListCall) -> Response {
    let (plan, date, picked) = {
        let mut inner = shared.present();
        let inner = &mut *inner;
        let read = read_list(inner, call);
        let is_later_page = read.as_ref().is_ok_and(|query| query.position.is_later());
        let plan = inner.faults.draw(Asked { resource: &call.resource, is_list: true, is_later_page });
        let picked = check_auth(&inner.auth, &call.headers)
            .and(read)
            .and_then(|query| pick_list(inner, call, query, &plan, shared.started));
        (plan.clone(), date_skew(inner, &plan), picked)
    };
    let answer = match picked {
        Err(answer) => answer,
        Ok(picked) => write_list(&picked, call, &plan),
    };
    send(shared, answer, plan, date).await
}

fn read_list(inner: &Inner, call: &ListCall) -> Result<ListQuery, Answer> {
    let settings = inner.settings.get(&call.resource).ok_or_else(no_resource)?;
    Ok(ListQuery::read(&call.pairs, settings, call.only_deleted, inner.token_epoch)?)
}

fn pick_list(
    inner: &mut Inner,
    call: &ListCall,
    query: ListQuery,
    plan: &Plan,
    started: i64,
) -> Result<Picked, Answer> {
    inner.request_number += 1;
    if let Some((updates, deletes, creates)) = plan.drift.filter(|_| query.position.is_later()) {
        drift(&mut inner.world, &call.resource, [updates, deletes, creates]);
    }
    let collection = inner.world.collection(&call.resource).ok_or_else(no_resource)?;
    let index = if plan.flags.stale { collection.replica() } else { collection.index() };
    let is_plain = *plan == Plan::default() && query.selection.is_repeatable();
    let etag = is_plain.then(|| {
        let mut hasher = DefaultHasher::new();
        (started, index.revision(), inner.settings_revision, inner.token_epoch, &call.uri).hash(&mut hasher);
        format!("W/\"{:016x}\"", hasher.finish())
    });
    if let Some(etag) = etag.as_deref().filter(|etag| asks_for_other_than(&call.headers, etag)) {
        return Err(not_modified(etag));
    }
    let spoil = Spoil {
        tie_seed: plan.tie_seed,
        vanish: plan.vanish,
        size: plan.page_size,
        entropy: inner.request_number,
    };
    let mut page = inner.pager.page(&call.resource, index, &query, spoil)?;
    let last = inner.last_pages.insert(call.resource.clone(), page.records.clone());
    if let Some(last) = last.filter(|_| plan.flags.duplicate_page) {
        page.records = last;
    }
    if plan.flags.loop_next {
        page.next = Some(query.position);
    }
    let absolute_next = inner.settings.get(&call.resource).is_none_or(|settings| settings.absolute_next);
    Ok(Picked { query, page, ids: collection.ids(), absolute_next, token_epoch: inner.token_epoch, etag })
}

fn drift(world: &mut World, resource: &str, [updates, deletes, creates]: [u32; 3]) {
    for (count, force) in
        [(updates, Force::Update(None)), (deletes, Force::Delete(None)), (creates, Force::Create)]
    {
        for _ in 0..count {
            // A resource that has run empty cannot drift further.
            let _ = world.force(resource, force, None);
        }
    }
}

fn write_list(picked: &Picked, call: &ListCall, plan: &Plan) -> Answer {
    let Picked { query, page, .. } = picked;
    let next = page.next.filter(|_| query.style != PageStyle::None);
    let url = next.map(|position| next_url(picked, call, plan, position));
    let mut body = Vec::with_capacity(page.records.len() * 520 + 256);
    if let Some(path) = &query.list {
        for name in path.split('.') {
            body.push(b'{');
            write_text(&mut body, name);
            body.push(b':');
        }
    }
    body.push(b'[');
    for (place, record) in page.records.iter().enumerate() {
        if place > 0 {
            body.push(b',');
        }
        write_record(&mut body, record, picked.ids, query);
    }
    body.push(b']');
    if let Some(path) = &query.list {
        body.extend(std::iter::repeat_n(b'}', path.split('.').count() - 1));
        write_page_members(&mut body, picked, next, url.as_deref());
        body.push(b'}');
    }
    let mut answer = Answer { status: 200, content_type: JSON, headers: Vec::new(), body };
    if let Some(etag) = &picked.etag {
        answer = answer.with(header::ETAG, etag.as_str());
    }
    match (query.style, next, url) {
        (PageStyle::Link, Some(_), Some(url)) => answer.with(header::LINK, format!("<{url}>; rel=\"next\"")),
        (PageStyle::NextHeader, Some(_), Some(url)) => answer.with(HeaderName::from_static("next-page"), url),
        (PageStyle::HeaderCursor, Some(position), _) => {
            let token = query.token_of(position, picked.token_epoch);
            answer.with(HeaderName::from_static("x-next-cursor"), token)
        }
        _ => answer,
    }
}

/// Appends what the body says of the next page and of the list.
fn write_page_members(body: &mut Vec<u8>, picked: &Picked, next: Option<Position>, url: Option<&str>) {
    let Picked { query, page, token_epoch, .. } = picked;
    let mut meta = json!({"count": page.records.len()});
    if let Some(total) = page.total {
        meta["total"] = json!(total);
    }
    let mut rest = json!({});
    match query.style {
        PageStyle::Cursor => {
            meta["next_cursor"] = json!(next.map(|position| query.token_of(position, *token_epoch)));
        }
        PageStyle::Next => rest["paging"] = json!({"next": url}),
        PageStyle::Merge => {
            let parameters = next.map(|position| {
                let parameters = query.parameters_of(position, *token_epoch);
                parameters.into_iter().map(|(name, value)| (name, json!(value))).collect::<BTreeMap<_, _>>()
            });
            rest["paging"] = json!({"next": parameters});
        }
        PageStyle::HasMore => rest["has_more"] = json!(next.is_some()),
        PageStyle::Page
        | PageStyle::Offset
        | PageStyle::HeaderCursor
        | PageStyle::NextHeader
        | PageStyle::Link
        | PageStyle::None => {}
    }
    rest["meta"] = meta;
    let text = rest.to_string();
    body.push(b',');
    body.extend_from_slice(&text.as_bytes()[1..text.len() - 1]);
}

fn next_url(picked: &Picked, call: &ListCall, plan: &Plan, position: Position) -> String {
    let host = call.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let origin = match &plan.foreign_next {
        Some(origin) => origin.clone(),
        None if picked.absolute_next => format!("http://{host}"),
        None => String::new(),
    };
    let kept = call.pairs.iter().filter(|(name, _)| !POSITION_PARAMETERS.contains(&name.as_str()));
    let mut url = format!("{origin}{}", call.uri.path());
    let mut separator = '?';
    let parameters = picked.query.parameters_of(position, picked.token_epoch);
    let parameters = parameters.iter().map(|(name, value)| (*name, value.as_str()));
    for (name, value) in kept.map(|(name, value)| (name.as_str(), value.as_str())).chain(parameters) {
        url.push(separator);
        separator = '&';
        push_encoded(&mut url, name);
        url.push('=');
        push_encoded(&mut url, value);
    }
    url
}

fn push_encoded(url: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            url.push(char::from(byte));
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
    }
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(Value::String(text.to_owned()).to_string().as_bytes());
}

fn write_record(out: &mut Vec<u8>, record: &Record, ids: IdStyle, query: &ListQuery) {
    let names = &query.names;
    out.extend_from_slice(b"{\"");
    out.extend_from_slice(names.id.as_bytes());
    out.extend_from_slice(b"\":");
    ids.write_json(out, record.key, names.quoted_ids);
    for (name, micros) in [(&names.created, record.created), (&names.updated, record.updated)] {
        let length = out.len();
        out.extend_from_slice(b",\"");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":");
        if !query.dates.write_json(out, micros, &query.zone) {
            out.truncate(length);
        }
    }
    out.push(b',');
    out.extend_from_slice(record.members.as_bytes());
    out.push(b'}');
}

async fn record(
    State(shared): State<Arc<Shared>>,
    Path((resource, id)): Path<(String, String)>,
    headers: HeaderMap,
    Query(pairs): Pairs,
) -> Response {
    let (plan, date, answer) = {
        let mut inner = shared.present();
        let inner = &mut *inner;
        let asked = Asked { resource: &resource, is_list: false, is_later_page: false };
        let plan = inner.faults.draw(asked);
        let answer = check_auth(&inner.auth, &headers)
            .and_then(|()| find_record(inner, &plan, &resource, &id, &pairs, &headers))
            .unwrap_or_else(|answer| answer);
        (plan.clone(), date_skew(inner, &plan), answer)
    };
    send(&shared, answer, plan, date).await
}

fn find_record(
    inner: &Inner,
    plan: &Plan,
    resource: &str,
    id: &str,
    pairs: &[(String, String)],
    headers: &HeaderMap,
) -> Result<Answer, Answer> {
    let settings = inner.settings.get(resource).ok_or_else(no_resource)?;
    let collection = inner.world.collection(resource).ok_or_else(no_resource)?;
    let missing = || Answer::error(404, "not_found", "there is no such record");
    let key = collection.ids().key(id).ok_or_else(missing)?;
    let found = if plan.flags.stale { collection.replica().get(key) } else { collection.newest(key) };
    let record = found.ok_or_else(missing)?;
    if record.deleted && settings.deletes != DeleteMode::Soft {
        return Err(Answer::error(settings.gone_status, "gone", "the record was deleted"));
    }
    let query = ListQuery::read(pairs, settings, false, inner.token_epoch)?;
    let etag = format!("\"{}-{}\"", record.version, record.seq);
    if asks_for_other_than(headers, &etag) {
        return Err(not_modified(&etag));
    }
    let mut body = Vec::with_capacity(520);
    write_record(&mut body, record, collection.ids(), &query);
    Ok(Answer { status: 200, content_type: JSON, headers: Vec::new(), body }.with(header::ETAG, etag))
}

fn asks_for_other_than(headers: &HeaderMap, etag: &str) -> bool {
    let held = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    held.is_some_and(|held| held.split(',').any(|one| one.trim() == etag || one.trim() == "*"))
}

fn not_modified(etag: &str) -> Answer {
    Answer { status: 304, content_type: JSON, headers: Vec::new(), body: Vec::new() }.with(header::ETAG, etag)
}

fn no_resource() -> Answer {
    Answer::error(404, "not_found", "there is no such resource")
}

fn check_auth(auth: &Auth, headers: &HeaderMap) -> Result<(), Answer> {
    let (name, expect, challenge) = match auth {
        Auth::None => return Ok(()),
        Auth::Basic { username, password } => {
            let pair = base64::engine::general_purpose::STANDARD.encode(format!("{username}:{password}"));
            ("authorization", format!("Basic {pair}"), "Basic realm=\"crm\"")
        }
        Auth::Bearer { token } => ("authorization", format!("Bearer {token}"), "Bearer realm=\"crm\""),
        Auth::ApiKey { header, value } => (header.as_str(), value.clone(), "ApiKey"),
    };
    if headers.get(name).is_some_and(|sent| sent.as_bytes() == expect.as_bytes()) {
        return Ok(());
    }
    let answer = Answer::error(401, "unauthorized", "the credentials are missing or wrong");
    Err(answer.with(header::WWW_AUTHENTICATE, challenge))
}

/// How far the `Date` header of an answer is ahead of the driving clock.
#[derive(Clone, Copy)]
struct DateSkew {
    provider_micros: i64,
    header_micros: i64,
}

fn date_skew(inner: &Inner, plan: &Plan) -> DateSkew {
    let skew_ms = inner.date_skew_ms.saturating_add(plan.date_skew_ms);
    let provider_micros = inner.world.skew_micros();
    DateSkew { provider_micros, header_micros: provider_micros.saturating_add(skew_ms.saturating_mul(1_000)) }
}

/// Replaces an answer by what a fault says.
fn faulty_answer(fault: &Fault, provider_now: i64) -> Option<Answer> {
    let answer = match fault {
        Fault::RateLimited { retry_after } => {
            let answer = Answer::error(429, "rate_limited", "too many requests");
            match retry_after {
                RetryAfter::Absent => answer,
                RetryAfter::Seconds(seconds) => answer.with(header::RETRY_AFTER, seconds.to_string()),
                RetryAfter::Date(seconds) => {
                    let at = provider_now.saturating_add(seconds.saturating_mul(1_000_000));
                    answer.with(header::RETRY_AFTER, http_date(at))
                }
                RetryAfter::Text(text) => answer.with(header::RETRY_AFTER, text.as_str()),
            }
        }
        Fault::Status { code } => Answer::error(*code, "fault", "the provider fails on demand"),
        Fault::Redirect { code, location } => {
            Answer::error(*code, "moved", "look elsewhere").with(header::LOCATION, location.as_str())
        }
        Fault::Html => Answer {
            status: 200,
            content_type: "text/html; charset=utf-8",
            headers: Vec::new(),
            body: LOGIN_PAGE.as_bytes().to_vec(),
        },
        Fault::ErrorEnvelope => {
            Answer::error(200, "internal_error", "something went wrong, please try again later")
        }
        Fault::Replace { code, content_type, body } => Answer {
            status: *code,
            content_type: "",
            headers: vec![(header::CONTENT_TYPE, content_type.clone())],
            body: body.clone().into_bytes(),
        },
        _ => return None,
    };
    Some(answer)
}

/// Carries out the plan: pause, replacement, headers, and the way the body is sent.
///
/// A slow answer was read before its pause and is dated after it, as the head leaves: as at a real provider, its
/// records may be older than its `Date`.
async fn send(shared: &Shared, answer: Answer, plan: Plan, date: DateSkew) -> Response {
    if plan.delay_ms > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(plan.delay_ms)).await;
    }
    let now = shared.clock.now_micros();
    let provider_now = now.saturating_add(date.provider_micros);
    let replaced = plan.answer.as_ref().and_then(|fault| faulty_answer(fault, provider_now));
    let answer = replaced.unwrap_or(answer);
    let mut headers = HeaderMap::new();
    let content_type = plan.content_type.as_deref().unwrap_or(answer.content_type);
    let fixed = [(header::CONTENT_TYPE, content_type.to_owned())];
    let shown = http_date(now.saturating_add(date.header_micros));
    let date = (!plan.flags.no_date).then_some((header::DATE, shown));
    let spoken = fixed.into_iter().filter(|(_, value)| !value.is_empty());
    for (name, value) in spoken.chain(answer.headers).chain(date) {
        // A fault may ask for a value that no header can hold; then the header stays away.
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    let length = answer.body.len();
    let mut announced = None;
    let mut is_cut = matches!(plan.transport, Some(Fault::Cut));
    let body = match plan.transport {
        Some(Fault::Truncated { keep, framing }) if length > 0 => {
            let kept = ((length as f64 * keep.clamp(0.0, 1.0)) as usize).min(length - 1);
            announced = (framing == Framing::ContentLength).then_some(length);
            pieces(answer.body, kept, kept.max(1), std::time::Duration::ZERO)
        }
        Some(Fault::Truncated { .. }) => {
            is_cut = true;
            Body::empty()
        }
        Some(Fault::Dribble { bytes, pause_ms }) => {
            announced = Some(length);
            let pause = std::time::Duration::from_millis(pause_ms);
            pieces(answer.body, length, bytes.max(1), pause)
        }
        _ => Body::from(answer.body),
    };
    if let Some(length) = announced {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = headers;
    if is_cut {
        response.extensions_mut().insert(Cut);
    }
    response
}

fn plain(answer: Answer) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
    response
}

async fn overview(State(shared): State<Arc<Shared>>) -> Response {
    let inner = shared.present();
    let resources = inner.world.collections().iter().map(|collection| {
        json!({
            "name": collection.name(),
            "url": format!("/v1/{}", collection.name()),
            "records": collection.live_count(),
            "settings": inner.settings.get(collection.name()),
        })
    });
    let resources: Vec<Value> = resources.collect();
    let traffic = shared.traffic();
    plain(Answer::json(
        200,
        &json!({
            "resources": resources,
            "changes": inner.world.log().last(),
            "requests": traffic.total,
            "by_status": traffic.by_status,
            "faults": inner.faults.rules(),
            "faults_fired": inner.faults.fired(),
            "now": inner.world.provider_now(),
        }),
    ))
}

#[derive(Deserialize)]
struct TruthQuery {
    #[serde(default)]
    after: u64,
    limit: Option<usize>,
}

async fn truth(State(shared): State<Arc<Shared>>, Query(query): Query<TruthQuery>) -> Response {
    let inner = shared.present();
    let limit = query.limit.unwrap_or(TRUTH_PAGE_MAX).min(TRUTH_PAGE_MAX);
    let log = inner.world.log();
    let changes = log.after(query.after, limit);
    plain(Answer::json(200, &json!({"changes": changes, "first": log.first(), "last": log.last()})))
}

#[derive(Deserialize)]
struct TruthRecordsQuery {
    resource: String,
}

async fn truth_records(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<TruthRecordsQuery>,
) -> Response {
    let inner = shared.present();
    plain(match crate::truths(&inner.world, &query.resource) {
        Some(records) => Answer::json(200, &json!({"records": records, "last": inner.world.log().last()})),
        None => no_resource(),
    })
}

async fn requests(State(shared): State<Arc<Shared>>) -> Response {
    plain(Answer::json(200, &json!({"requests": shared.traffic().recent})))
}

async fn change(State(shared): State<Arc<Shared>>, body: axum::body::Bytes) -> Response {
    let outcome = serde_json::from_slice::<Control>(&body)
        .map_err(|error| error.to_string())
        .and_then(|control| control::apply(&mut shared.present(), control));
    plain(match outcome {
        Ok(reply) => Answer::json(200, &json!(reply)),
        Err(message) => Answer::error(400, "bad_control", &message),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_what_a_query_cannot_hold() {
        let mut url = String::new();
        push_encoded(&mut url, "a b+c&d=é~");
        assert_eq!(url, "a%20b%2Bc%26d%3D%C3%A9~");
    }
}
