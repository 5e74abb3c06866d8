//! From an answer to a page: is it an answer, does it fit the page before it, what comes next?
//!
//! Nothing of an answer that is no page is used (rule 11), except that single bad records are counted and left out. A
//! page that does not join the one before it is an answer all the same: its records are judged, only the pass's place
//! does not rest on it. What a provider has served once it may never serve again.

use std::time::Duration;

use jiff::Timestamp;
use twox_hash::XxHash3_64;

use super::machine::{AfterCommit, Poll};
use super::outcome::{Batch, RunFault, RunKind};
use super::state::{BaselineState, Group, Validators};
use crate::ledger::Compared;
use crate::limits;
use crate::page::{Next, Position, next};
use crate::records::{Item, Page, PageFault, Room, Unreadable};
use crate::resource::{Drift, PaginationKind, Sort, StartFrom};
use crate::run::{FetchError, FetchErrorKind, Reply, Response, Step};
use crate::window::{LowerBound, bound_at, http_date, lower_bound, provider_time};

/// Code of the fault of a list that goes in circles.
const PAGE_LOOP: &str = "pageLoop";

/// Fingerprints of pages that are remembered to recognise a loop.
const RECENT_PAGES: usize = 64;

/// Pages in a row that repeat earlier ones before the list is said to go in circles.
const REPEATED_PAGES_MAX: u32 = 4;

/// Empty pages in a row that name a next one.
const EMPTY_PAGES_MAX: u32 = 100;

/// The code of a run that failed because its account must be connected anew.
pub const RECONNECT_NEEDED: &str = "reconnectNeeded";

/// Waits inside one run.
const WAITS_PER_RUN_MAX: u32 = 2;

/// A page that was read and fits.
pub(super) struct PageRead {
    /// The answer's text; the items are places in it.
    pub(super) body: String,
    pub(super) items: Vec<Item>,
    pub(super) unreadable: Vec<Unreadable>,
    pub(super) read_at: Timestamp,
    pub(super) ends_read: bool,
}

impl Poll {
    /// Takes the answer to a page's request.
    pub(super) fn on_reply(mut self: Box<Self>, reply: Reply) -> Step {
        let response = match &reply.outcome {
            Ok(response) => response.clone_head(),
            Err(error) => {
                let fault = fault_of(error);
                return self.fail(fault, None);
            }
        };
        if response.status == 304 && self.resource().conditional && self.pass.pages == 0 {
            self.learn_time(&reply, &response);
            return self.close_unchanged();
        }
        if self.is_beyond_the_end(response.status) {
            let end = Response { status: 200, headers: Vec::new(), body: String::new() };
            let body = self.reader.empty_page();
            return self.on_page(body, &end);
        }
        if !self.is_whole_answer(response.status) {
            return self.on_refusal(&reply, &response);
        }
        let body = match reply.outcome {
            Ok(response) => response.body,
            Err(_) => String::new(),
        };
        let first_answer = self.pass.provider_time.is_none();
        if first_answer {
            let timed = Reply { outcome: Ok(response.clone()), ..reply };
            return self.on_first_page(body, &timed, &response);
        }
        self.on_page(body, &response)
    }

    /// The first answer of a pass also tells the provider's time, if it is a page.
    fn on_first_page(mut self: Box<Self>, body: String, reply: &Reply, response: &Response) -> Step {
        let before = (self.pass.baseline, self.pass.floor, self.state.skew);
        self.learn_time(reply, response);
        match self.read_page(body, response) {
            Err(fault) => {
                // Whoever sent this is not known to be the provider: it tells no time either (rule 11).
                self.pass.provider_time = None;
                (self.pass.baseline, self.pass.floor, self.state.skew) = before;
                self.on_page_fault(&fault)
            }
            Ok(page) => self.on_read(page),
        }
    }

    fn on_page(mut self: Box<Self>, body: String, response: &Response) -> Step {
        match self.read_page(body, response) {
            Err(fault) => self.on_page_fault(&fault),
            Ok(page) => self.on_read(page),
        }
    }

    fn on_read(mut self: Box<Self>, page: PageRead) -> Step {
        if !self.baseline_saved && self.pass.baseline.is_some() && !self.state.primed {
            self.baseline_saved = true;
            // The start of the first pass must outlive everything that may happen to this run (rule 8).
            let checkpoint = Some(self.pass_before_page());
            let batch = Batch { checkpoint, ..Batch::default() };
            return self.commit(batch, AfterCommit::Page(Box::new(page)));
        }
        self.recall(page)
    }

    fn on_page_fault(mut self: Box<Self>, fault: &PageFault) -> Step {
        // A pass that went in circles would go on in them: the next run begins anew (rule 10).
        let circled = fault.code == PAGE_LOOP;
        let resumed = self.pages == 0 && !circled;
        if resumed && self.starts_over("the answer at the place where the pass stood is no page") {
            return self.fetch_page();
        }
        let message = format!("{}: {}", self.asked_for(), fault.message);
        let fault = RunFault::new(fault.code, message, false);
        self.finish_failed(Batch::default(), fault, None, circled)
    }

    /// Whether the place where the pass stood may not be there any more (a token that expired, a page past the end):
    /// the pass then starts over, once per run. What is committed is not reported twice (B08).
    fn starts_over(&mut self, why: &str) -> bool {
        let moved_on = match self.pass.position {
            Position::First => false,
            Position::Token(_) | Position::Merge(_) | Position::Url(_) => true,
            // Counted pages are there or not; only a resumed run may find its place gone.
            Position::Page(_) | Position::Offset(_) => self.pages == 0,
        };
        if !moved_on || self.restarts > 0 {
            return false;
        }
        self.restarts += 1;
        self.state.starts += 1;
        self.note(format!("{why}: the pass starts over"));
        self.pass.query_bound = self.pass.bound;
        self.pass.restart_group(1);
        true
    }

    /// Whether a status says that the answer is the whole of what was asked for (rule 11). A part (206) is a page only
    /// where pages are declared.
    fn is_whole_answer(&self, status: u16) -> bool {
        let paged =
            !matches!(self.resource().pagination.kind, PaginationKind::Undeclared | PaginationKind::None);
        matches!(status, 200 | 203) || (status == 206 && paged)
    }

    /// Many APIs that count pages answer 404 (or 416) to a page past the last one. Right after a page that was read,
    /// that is their end marker; the comparison of reads finds out if it was not.
    fn is_beyond_the_end(&self, status: u16) -> bool {
        matches!(status, 404 | 416)
            && self.pages > 0
            && self.resource().drift == Drift::Verify
            && matches!(self.pass.position, Position::Page(_) | Position::Offset(_))
    }

    /// The pass as it must be resumed if this page is never decided: from its beginning.
    fn pass_before_page(&self) -> String {
        let mut pass = self.pass.clone();
        pass.query_bound = pass.bound;
        pass.pages = 0;
        pass.restart_group(1);
        pass.write()
    }

    fn asked_for(&self) -> String {
        let url = self.story.requests.last().map_or("the provider", String::as_str);
        format!("`{}` ({url})", self.resource().name)
    }

    /// Rule 4: the provider's time at the start of the pass. Rule 8: the first one is the start of everything.
    fn learn_time(&mut self, reply: &Reply, response: &Response) {
        let time = provider_time(reply, response);
        self.pass.provider_time = Some(time.at);
        self.state.skew = time.skew.map(|skew| skew.as_micros() as i64).or(self.state.skew);
        self.story.provider_time = Some(time.at);
        self.story.clock_skew_ms = time.skew.map(|skew| skew.as_millis() as i64);
        if self.state.primed || self.pass.baseline.is_some() || self.start_from() != StartFrom::Now {
            return;
        }
        self.pass.baseline = Some(BaselineState { at: time.at, undated: time.skew.is_none() });
        if self.resource().is_numbered() {
            return; // A number has no time, so its bound has no floor in time.
        }
        let LowerBound(bound) =
            lower_bound(self.resource(), &self.plan.resource.url, time.at.as_microsecond());
        self.pass.floor = Some(self.pass.bound.map_or(bound, |used| used.min(bound)));
    }

    /// An answer with a status that is no success.
    fn on_refusal(mut self: Box<Self>, reply: &Reply, response: &Response) -> Step {
        let asked = retry_after(response, reply);
        if let Some(pause) = asked.filter(|pause| *pause <= limits::WAIT_IN_RUN_MAX)
            && matches!(response.status, 429 | 503)
            && self.waits < WAITS_PER_RUN_MAX
        {
            self.note(format!("the provider asked to wait {} s", pause.as_secs_f32()));
            return self.wait(pause.max(Duration::from_millis(100)));
        }
        let refused = matches!(response.status, 400 | 404 | 409 | 410 | 416 | 422);
        if refused && self.starts_over("the provider refused the next page") {
            return self.fetch_page();
        }
        let fault = refusal(&self.asked_for(), response.status);
        self.fail(fault, asked)
    }

    /// Reads an answer as the page that was asked for. When it does not join the page before it, the pass has been put
    /// where it must go on.
    fn read_page(&mut self, body: String, response: &Response) -> Result<PageRead, PageFault> {
        if let Some(kind) = response.header("content-type").filter(|kind| is_html(kind)) {
            return Err(PageFault::new(
                "html",
                format!("the answer is {kind}, not JSON: a login or maintenance page, or a wrong `url`"),
            ));
        }
        let page = self.reader.page(&body)?;
        let (items, unreadable) = self.read_items(&body, &page);
        let prints: Vec<u64> = items.iter().map(fingerprint).collect();
        let read_at = self.now;
        self.counts.pages += 1;
        self.counts.records += page.records.len() as u64;
        if self.restart_with_lower_bound() || self.border_is_broken(&prints, page.records.len()) {
            return Ok(PageRead { body, items, unreadable, read_at, ends_read: false });
        }
        self.check_order(&items);
        self.check_loop(&prints)?;
        self.pass.group.steps_back = 0;
        let follows =
            next(&self.resource().pagination, &self.asked_url, &self.pass.position, &page, response)?;
        let follows = self.end_of_empty_pages(follows, page.records.len())?;
        let records = page.records.len();
        let first = self.pass.pages == 0;
        self.count_page(records, &items);
        let ends_read = self.move_on(follows, &items, &prints, records);
        if first {
            self.remember_validators(response, ends_read);
        }
        self.note_sightings(&items, ends_read);
        self.pass.border = prints;
        Ok(PageRead { body, items, unreadable, read_at, ends_read })
    }

    fn read_items(&mut self, body: &str, page: &Page<'_>) -> (Vec<Item>, Vec<Unreadable>) {
        let mut items = Vec::with_capacity(page.records.len());
        let mut unreadable = Vec::new();
        let mut room = Room::default();
        for raw in &page.records {
            match self.reader.item(&self.plan.resource, body, raw, self.now, &mut room) {
                Ok(item) => items.push(item),
                Err(bad) => unreadable.push(bad),
            }
        }
        (items, unreadable)
    }

    /// Rule 8: the first window must begin at the provider's time, or at our clock if that is earlier.
    fn restart_with_lower_bound(&mut self) -> bool {
        if self.state.primed || self.start_from() != StartFrom::Now || self.pass.pages > 0 {
            return false;
        }
        let (Some(used), Some(floor)) = (self.pass.bound, self.pass.floor) else { return false };
        if floor >= used {
            return false;
        }
        self.pass.bound = Some(floor);
        self.pass.query_bound = Some(floor);
        if !self.plan.resource.url.is_filtered() {
            return false; // The same request would bring the same answer.
        }
        self.note("the provider's clock is behind ours: the first window begins earlier");
        self.pass.restart_group(1);
        true
    }

    /// Rule 9: whether this page does not join the one before it. Puts the pass where it must go on.
    fn border_is_broken(&mut self, prints: &[u64], records: usize) -> bool {
        let joins = prints.iter().any(|print| self.pass.border.contains(print));
        if let Some(old) = self.pass.moved.take() {
            if joins {
                return false;
            }
            self.note("the filter is coarser than its format: this pass goes on without moving its bound");
            self.pass.key_set = false;
            self.pass.query_bound = Some(old);
            self.pass.restart_group(1);
            return true;
        }
        let Position::Offset(skip) = self.pass.position else { return false };
        if !self.overlaps() || joins || skip == 0 {
            return false;
        }
        if self.pass.border.is_empty() {
            // The page before held one record or none where more were asked for: nothing overlaps here.
            if records > 0 {
                self.note("offsets do not count records here: the reads are compared instead");
                self.pass.unproven = true;
                self.pass.restart_group(1);
                return true;
            }
            return false;
        }
        self.step_back(skip);
        true
    }

    fn step_back(&mut self, skip: u64) {
        self.pass.group.steps_back += 1;
        if self.pass.group.steps_back <= limits::STEPS_BACK_MAX {
            self.note("the list shifted while it was read: one page back");
            let step = u64::from(self.resource().page_size).saturating_sub(1).max(1);
            self.pass.position = match skip.saturating_sub(step) {
                0 => Position::First,
                back => Position::Offset(back),
            };
            return;
        }
        self.note("the list shifted too far: these pages are read again from the first");
        let read = self.pass.group.read + 1;
        if read > self.reads_max() {
            self.pass.unproven = true; // From here on the reads are compared, and called unstable if they disagree.
        }
        self.pass.restart_group(read.min(self.reads_max()));
    }

    pub(super) fn reads_max(&self) -> u32 {
        if self.pass.key_set { limits::READS_PER_BOUND_MAX } else { limits::READS_PER_PASS_MAX }
    }

    /// B10: a promise of order that does not hold is not relied on any further.
    fn check_order(&mut self, items: &[Item]) {
        if self.pass.order_broken || self.resource().sort == Sort::None {
            return;
        }
        let values: Vec<Compared> = items.iter().filter_map(|item| item.compared).collect();
        let holds = match self.resource().sort {
            Sort::Asc => values.is_sorted(),
            Sort::Desc => values.is_sorted_by(|one, two| one >= two),
            Sort::None => true,
        };
        if holds {
            return;
        }
        self.note("`sort` promises an order that does not hold; this pass reads everything");
        self.pass.order_broken = true;
        if self.pass.key_set {
            self.pass.key_set = false;
            if self.pass.query_bound != self.pass.bound {
                self.pass.query_bound = self.pass.bound;
                self.pass.restart_group(1);
            }
        }
    }

    /// B06: pages in a row that were all read before are a loop. A few may be a list that shifts as fast as it is read.
    fn check_loop(&mut self, prints: &[u64]) -> Result<(), PageFault> {
        if prints.is_empty() {
            return Ok(());
        }
        let bytes: Vec<u8> = prints.iter().flat_map(|print| print.to_be_bytes()).collect();
        let page = XxHash3_64::oneshot(&bytes);
        if self.pass.recent.contains(&page) {
            self.pass.repeats += 1;
            if self.pass.repeats >= REPEATED_PAGES_MAX {
                return Err(PageFault::new(
                    PAGE_LOOP,
                    "the provider answers page after page with the same records; correct `pagination`",
                ));
            }
            return Ok(());
        }
        self.pass.repeats = 0;
        if self.pass.recent.len() >= RECENT_PAGES {
            self.pass.recent.remove(0);
        }
        self.pass.recent.push(page);
        Ok(())
    }

    /// An empty page may be followed by others (B12), but not by itself, and not by empty ones for ever (B06).
    fn end_of_empty_pages(&mut self, follows: Next, records: usize) -> Result<Next, PageFault> {
        if records > 0 {
            self.pass.empty_pages = 0;
            return Ok(follows);
        }
        self.pass.empty_pages += 1;
        match &follows {
            Next::At(position) if *position == self.pass.position => return Ok(Next::End),
            Next::At(_) if self.pass.empty_pages >= EMPTY_PAGES_MAX => {}
            Next::At(_) | Next::End => return Ok(follows),
        }
        Err(PageFault::new(
            PAGE_LOOP,
            format!(
                "{EMPTY_PAGES_MAX} pages in a row hold no records and name a next one; correct `pagination`"
            ),
        ))
    }

    fn count_page(&mut self, records: usize, items: &[Item]) {
        self.pages += 1;
        self.pass.pages += 1;
        let group = &mut self.pass.group;
        if records > 0 || group.full {
            group.pages += 1;
        }
        group.full = records >= self.plan.resource.page_size as usize
            || self.plan.resource.pagination.size_param.is_none();
        let ceiling = self.pass.provider_time.map(|at| at.as_microsecond());
        let dated = self.plan.resource.compared_format().is_some();
        let values = items.iter().filter_map(|item| item.compared);
        let largest = values.filter(|value| !dated || ceiling.is_some_and(|ceiling| *value <= ceiling)).max();
        group.largest = group.largest.max(largest);
        group.last = items.iter().filter_map(|item| item.compared).max();
    }

    /// Puts the pass at the next page. `true` at the end of the read.
    fn move_on(&mut self, follows: Next, items: &[Item], prints: &[u64], records: usize) -> bool {
        if self.older_than_window(items) {
            return true;
        }
        let Next::At(position) = follows else { return true };
        let overlapped = match position {
            Position::Offset(skip) if self.overlaps() => self.overlapped(skip, prints, records),
            other => Some(other),
        };
        let Some(position) = overlapped else { return true };
        let Some(later) = self.later_bound() else {
            self.pass.position = position;
            return false;
        };
        if self.verifies() && (self.pass.group.pages > 1 || self.pass.group.read > 1) {
            // The pages under this bound are compared before it moves.
            self.pass.group.moves_to = Some(later);
            return true;
        }
        self.move_bound(later);
        false
    }

    /// The next offset, one record back, so that the pages join. `None` when this page was nothing but the joint.
    fn overlapped(&self, skip: u64, prints: &[u64], records: usize) -> Option<Position> {
        let border = &self.pass.border;
        match records {
            0 => None,
            // More than the joint, and nothing new: the list has shifted by a page, which is not its end.
            1 if prints.iter().any(|print| border.contains(print)) => None,
            // One record cannot overlap with what follows it; skip what was asked for instead.
            1 => Some(Position::Offset(skip - 1 + u64::from(self.resource().page_size))),
            _ => Some(Position::Offset(skip - 1)),
        }
    }

    /// Rule 9, newest first: a page that is older than the window throughout ends the read.
    fn older_than_window(&self, items: &[Item]) -> bool {
        let (Some(bound), Sort::Desc, false) =
            (self.pass.bound, self.resource().sort, self.pass.order_broken)
        else {
            return false;
        };
        self.pass.kind == RunKind::Poll
            && self.baseline().is_none()
            && !items.is_empty()
            && items.iter().all(|item| item.compared.is_some_and(|value| value < bound))
    }

    /// Rule 9, key set: the bound rendered from the last value, if it is later than the present one.
    fn later_bound(&self) -> Option<Compared> {
        let (true, Some(present), Some(last)) =
            (self.pass.key_set, self.pass.query_bound, self.pass.group.last)
        else {
            return None;
        };
        let bound = |value| bound_at(self.resource(), &self.plan.resource.url, value).0;
        let later = bound(last);
        if later <= present {
            return None;
        }
        if self.pass.group.pages <= 1 {
            return Some(later);
        }
        // Several pages under one bound may come from replicas that take turns, and then two reads can agree and miss
        // the same version. So the bound passes only what no first page can show whole: the unit that fills pages.
        let (mut below, mut above) = (present, last);
        while above > below + 1 {
            let middle = below + (above - below) / 2;
            if bound(middle) > present { above = middle } else { below = middle }
        }
        Some(bound(above))
    }

    /// Settles the pages under the present bound and goes to the first page under a later one.
    pub(super) fn move_bound(&mut self, later: Compared) {
        self.settle_group();
        let border = std::mem::take(&mut self.pass.border);
        self.pass.moved = self.pass.query_bound.replace(later);
        let moved = self.pass.moved;
        self.pass.restart_group(1);
        self.pass.moved = moved;
        self.pass.border = border;
    }

    /// The pages under one bound agree: what they showed counts.
    pub(super) fn settle_group(&mut self) {
        self.pass.settled = self.pass.settled.max(self.pass.group.largest);
        self.pass.group = Group { read: 1, ..Group::default() };
    }

    fn note_sightings(&mut self, items: &[Item], ends_read: bool) {
        let alone = self.pass.group.read == 1 && self.pass.group.pages <= 1;
        if !self.verifies() || (alone && ends_read) || self.pass.moved.is_some() {
            return;
        }
        let start = self.pass.provider_time.map_or(Compared::MAX, |at| at.as_microsecond());
        let read = self.pass.group.read;
        for item in items {
            let settled = item.compared.is_none_or(|value| value < start);
            self.pass.group.sightings.note(read, &item.id, item.compared, settled);
        }
    }

    fn remember_validators(&mut self, response: &Response, whole: bool) {
        if !self.resource().conditional {
            return;
        }
        let etag = response.header("etag").map(str::to_string);
        let last_modified = response.header("last-modified").map(str::to_string);
        let known = whole && (etag.is_some() || last_modified.is_some());
        self.validators = known.then(|| Validators {
            url: self.asked_url.clone(),
            revision: self.plan.revision,
            etag,
            last_modified,
        });
    }
}

/// What a version looks like at a page's border.
fn fingerprint(item: &Item) -> u64 {
    let mut bytes = Vec::with_capacity(item.id.len() + 24);
    bytes.extend_from_slice(item.id.as_bytes());
    bytes.extend_from_slice(&item.compared.unwrap_or(Compared::MIN).to_be_bytes());
    bytes.extend_from_slice(&item.hash.0);
    XxHash3_64::oneshot(&bytes)
}

fn is_html(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("text/html") || kind.eq_ignore_ascii_case("application/xhtml+xml")
}

/// `Retry-After` in seconds or as a date judged against the answer's own `Date`; also the reset of a rate limit that
/// is used up (D06).
pub(super) fn retry_after(response: &Response, reply: &Reply) -> Option<Duration> {
    let text = response.header("retry-after").map(str::trim);
    if let Some(seconds) = text.and_then(|text| text.parse::<f64>().ok()) {
        return (seconds >= 0.0 && seconds.is_finite()).then(|| Duration::from_secs_f64(seconds.min(1e9)));
    }
    let date = text.and_then(http_date)?;
    let now = response.header("date").and_then(http_date).unwrap_or(reply.sent_at);
    Duration::try_from(date.duration_since(now)).ok()
}

/// The sentence for a status, and whether waiting may help.
pub(super) fn refusal(asked: &str, status: u16) -> RunFault {
    let (code, remedy, transient) = match status {
        401 => ("unauthorised", "the provider does not accept the credentials; correct them", false),
        403 => ("forbidden", "the credentials may not read this; grant them the right, or use others", false),
        404 | 410 => ("notFound", "there is nothing at this address; correct `url`", false),
        400 | 405 | 406 | 415 | 422 => {
            ("refused", "the provider does not understand the request; correct `url`", false)
        }
        408 | 425 => ("busy", "the provider was not ready; the poll is tried again", true),
        429 => ("tooManyRequests", "the provider asks for patience; the poll waits and is tried again", true),
        300..=399 => ("redirected", "the provider sends the request elsewhere; correct `url`", false),
        500.. => ("providerFailed", "the provider failed; the poll is tried again", true),
        _ => ("unexpectedStatus", "the provider's answer is not understood", false),
    };
    RunFault::new(code, format!("{asked} was answered with {status}: {remedy}"), transient)
}

pub(super) fn fault_of(error: &FetchError) -> RunFault {
    let code = match error.kind {
        FetchErrorKind::Forbidden => "addressForbidden",
        FetchErrorKind::BadUrl => "badUrl",
        FetchErrorKind::Dns | FetchErrorKind::Connect => "unreachable",
        FetchErrorKind::Tls => "tls",
        FetchErrorKind::Timeout => "timeout",
        FetchErrorKind::Truncated => "truncated",
        FetchErrorKind::TooLarge => "tooLarge",
        FetchErrorKind::Undecodable => "undecodable",
        FetchErrorKind::Redirect => "redirected",
        FetchErrorKind::Broken => "broken",
        FetchErrorKind::Call => "callFailed",
        FetchErrorKind::Reconnect => RECONNECT_NEEDED,
    };
    RunFault::new(code, error.message.clone(), error.kind.is_transient())
}

impl Response {
    /// Status and headers without the body, which may be large.
    fn clone_head(&self) -> Response {
        Response { status: self.status, headers: self.headers.clone(), body: String::new() }
    }
}
