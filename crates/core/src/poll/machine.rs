//! The machine behind a poll: what it starts from, what it holds, and which answer goes to which room.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::looking::{LookPage, Named, Notices};
use super::outcome::{Batch, Decision, RunFault, RunKind, Story};
use super::reading::PageRead;
use super::state::{BaselineState, Group, Pass, PollerState, Validators};
use crate::change::Baseline;
use crate::id::{InstanceId, OrgId, PollerId, RunId};
use crate::ledger::{Compared, Counts, Known, Recall};
use crate::limits;
use crate::page::{Position, url_of};
use crate::records::Reader;
use crate::resource::{Drift, PaginationKind, Resource, Sort, StartFrom};
use crate::run::{AwaitCommit, AwaitKnown, AwaitReplies, AwaitWake, Machine, Reply, Request, Requests, Step};
use crate::schedule::add;
use crate::template::{Template, Values};
use crate::window::{LowerBound, bound_at, instant, lower_bound, minus};

/// Requests whose addresses a run's record keeps.
const STORY_REQUESTS_MAX: usize = 20;

/// What is polled, and for whom.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The organisation.
    pub org: OrgId,
    /// The instance.
    pub instance: InstanceId,
    /// The poller.
    pub poller: PollerId,
    /// The connector's key.
    pub element_key: String,
    /// The resource's settings.
    pub resource: Resource,
    /// Number of this configuration: an open pass of another one starts over.
    pub revision: i64,
    /// Time between polls.
    pub interval: Duration,
}

/// How a run may differ from the scheduled one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Do this, whatever is due.
    pub kind: Option<RunKind>,
    /// Pages before the run yields.
    pub pages_max: u32,
    /// Time before the run yields.
    pub time_max: Duration,
    /// Single decisions about ignored records to keep.
    pub decisions_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            kind: None,
            pages_max: limits::PAGES_PER_RUN_MAX,
            time_max: limits::RUN_TIME_MAX,
            decisions_max: limits::IGNORED_DECISIONS_PER_RUN_MAX,
        }
    }
}

/// Everything that a run starts from. Time and chance are here and nowhere else.
#[derive(Clone, Debug)]
pub struct Start {
    /// What is polled.
    pub plan: Arc<Plan>,
    /// The poller's state.
    pub state: PollerState,
    /// Its open pass, if there is one.
    pub pass: Option<Pass>,
    /// The run's id.
    pub run: RunId,
    /// Our clock.
    pub now: Timestamp,
    /// When the poller was due.
    pub due: Timestamp,
    /// Chance, for jitter.
    pub entropy: u64,
    /// Differences from the scheduled run.
    pub options: Options,
    /// What the provider's notifications named, where it is to notify us.
    pub notices: Option<Notices>,
}

/// Begins a run and returns its first question.
pub fn start(start: Start) -> Step {
    let reader = Reader::new(&start.plan.resource);
    let mut poll = Box::new(Poll {
        reader,
        pass: Pass::new(&start.plan, &mut start.state.clone(), RunKind::Poll, start.now),
        plan: start.plan,
        state: start.state,
        run: start.run,
        started_at: start.now,
        now: start.now,
        due: start.due,
        entropy: start.entropy,
        options: start.options,
        pages: 0,
        waits: 0,
        restarts: 0,
        counts: Counts::default(),
        story: Story::default(),
        decisions: Vec::new(),
        kept_decisions: 0,
        asked_url: String::new(),
        baseline_saved: false,
        validators: None,
        unchanged: false,
        looked_before: None,
        asked: Asked::Page,
        after_commit: AfterCommit::Reply,
        notices: start.notices,
        to_look: Vec::new(),
        looks_again: None,
    });
    let wanted = poll.options.kind;
    if wanted == Some(RunKind::Look) || wanted.is_none() && poll.looks_now(start.pass.is_some()) {
        poll.pass.kind = RunKind::Look;
        return poll.begin_looks();
    }
    poll.open(start.pass);
    poll.story.lower_bound = poll.pass.bound.map(instant);
    if poll.pass.looking { poll.look_for_missing() } else { poll.fetch_page() }
}

/// A running poll.
pub(super) struct Poll {
    pub(super) plan: Arc<Plan>,
    pub(super) reader: Reader,
    pub(super) state: PollerState,
    pub(super) pass: Pass,
    pub(super) run: RunId,
    pub(super) started_at: Timestamp,
    /// Our clock, as the last answer showed it.
    pub(super) now: Timestamp,
    pub(super) due: Timestamp,
    pub(super) entropy: u64,
    pub(super) options: Options,
    /// Pages of this run.
    pub(super) pages: u32,
    /// Waits of this run.
    pub(super) waits: u32,
    /// Starts over in this run, because a token was refused.
    pub(super) restarts: u32,
    pub(super) counts: Counts,
    pub(super) story: Story,
    /// Single decisions not yet committed.
    pub(super) decisions: Vec<Decision>,
    /// Single decisions kept so far, committed ones included.
    pub(super) kept_decisions: usize,
    /// The address of the last page asked for.
    pub(super) asked_url: String,
    /// The start of the first pass is durable.
    pub(super) baseline_saved: bool,
    /// The provider answered that nothing has changed.
    pub(super) unchanged: bool,
    /// The missing record up to which the step before this one looked.
    pub(super) looked_before: Option<String>,
    /// Validators of this pass's answer, kept if the pass completes.
    pub(super) validators: Option<Validators>,
    /// What the pending question is about.
    pub(super) asked: Asked,
    pub(super) after_commit: AfterCommit,
    /// What the provider's notifications named, where it is to notify us.
    pub(super) notices: Option<Notices>,
    /// Named records that are still to be looked at, the next one last.
    pub(super) to_look: Vec<Named>,
    /// When the first of what must be looked at again is to be.
    pub(super) looks_again: Option<Timestamp>,
}

/// What the pending question is about.
pub(super) enum Asked {
    /// A page.
    Page,
    /// What the ledger knows of a page.
    Ledger(Box<PageRead>),
    /// What a sweep missed.
    Missing,
    /// Whether these missing records can be read.
    Gone(Vec<crate::ledger::Entry>),
    /// Records that notifications named.
    Named(Vec<Named>),
    /// What the ledger knows of those.
    Looked(Box<LookPage>),
}

/// What follows a commit.
pub(super) enum AfterCommit {
    /// The answer that travelled with it.
    Reply,
    /// The page whose start had to be durable first.
    Page(Box<PageRead>),
    /// The search for what is missing.
    Look,
    /// The next records that notifications named.
    Looks,
}

impl Machine for Poll {
    fn replies(mut self: Box<Self>, replies: Vec<Reply>) -> Step {
        for reply in &replies {
            self.now = self.now.max(add(reply.sent_at, reply.to_head));
        }
        match std::mem::replace(&mut self.asked, Asked::Page) {
            Asked::Gone(entries) => self.judge_missing(entries, replies),
            Asked::Named(named) => self.on_looks(named, replies),
            Asked::Page | Asked::Ledger(_) | Asked::Missing | Asked::Looked(_) => {
                match replies.into_iter().next() {
                    Some(reply) => self.on_reply(reply),
                    None => self.fail(RunFault::new("noReply", "the request was not sent", true), None),
                }
            }
        }
    }

    fn known(mut self: Box<Self>, known: Known) -> Step {
        match (std::mem::replace(&mut self.asked, Asked::Page), known) {
            (Asked::Ledger(page), Known::Versions(known)) => self.decide(*page, known),
            (Asked::Looked(read), Known::Versions(known)) => self.decide_looks(*read, known),
            (Asked::Missing, Known::Missing { entries, missing, alive }) => {
                self.on_missing(entries, missing, alive)
            }
            _ => self.fail(RunFault::new("protocol", "the store answered another question", true), None),
        }
    }

    fn woken(mut self: Box<Self>, now: Timestamp) -> Step {
        self.now = self.now.max(now);
        self.fetch_page()
    }

    fn committed(mut self: Box<Self>, reply: Option<Reply>) -> Step {
        match (std::mem::replace(&mut self.after_commit, AfterCommit::Reply), reply) {
            (AfterCommit::Page(page), _) => self.recall(*page),
            (AfterCommit::Look, _) => self.look_for_missing(),
            (AfterCommit::Looks, _) => self.next_looks(),
            (AfterCommit::Reply, Some(reply)) => self.replies(vec![reply]),
            (AfterCommit::Reply, None) => self.fetch_page(),
        }
    }
}

impl Poll {
    pub(super) fn resource(&self) -> &Resource {
        &self.plan.resource
    }

    /// The list that this pass reads: a sweep's own, or the polled one.
    pub(super) fn url(&self) -> &Template {
        match (&self.plan.resource.sweep, self.pass.kind) {
            (Some(sweep), RunKind::Sweep) => &sweep.url,
            _ => &self.plan.resource.url,
        }
    }

    /// Resumes the stored pass, or opens a new one (rule 10).
    fn open(&mut self, stored: Option<Pass>) {
        self.notice_other_comparison();
        let kind = self.options.kind.unwrap_or_else(|| self.kind_due());
        match stored {
            Some(pass) if pass.revision == self.plan.revision && pass.kind == kind => {
                self.baseline_saved = pass.baseline.is_some();
                if kind == RunKind::Sweep {
                    // It went on from there, and the run that took it up did not end.
                    self.state.parked = None;
                }
                self.pass = pass;
                self.resume();
            }
            Some(pass) => {
                // The start of the first pass is kept, whatever starts over (rule 8).
                if !self.state.primed {
                    self.state.baseline = self.state.baseline.or(pass.baseline);
                    self.state.floor = self.state.floor.or(pass.floor);
                }
                if pass.revision != self.plan.revision {
                    self.note("the configuration has changed: the pass starts over");
                }
                self.pass = Pass::new(&self.plan, &mut self.state, kind, self.now);
            }
            None => match self.unpark(kind) {
                Some(pass) => {
                    self.pass = pass;
                    self.resume();
                }
                None => self.pass = Pass::new(&self.plan, &mut self.state, kind, self.now),
            },
        }
    }

    /// A watermark of updated dates means nothing to created dates or numbers. When another value decides from now on,
    /// the ledger is built anew, silently, and the run says so (A27).
    fn notice_other_comparison(&mut self) {
        let name = self.resource().compared.name();
        if self.state.compared == name {
            return;
        }
        let first = self.state.compared.is_empty();
        self.state.compared = name.to_string();
        if first || self.state.watermark.is_none() {
            return;
        }
        self.note(
            "another value decides about versions now: what is there is taken as known, without events",
        );
        self.state.watermark = None;
        self.state.primed = false;
        self.state.reseeding = true;
        self.state.baseline = None;
        self.state.floor = None;
        self.state.hold = None;
        self.state.trail.clear();
        self.state.last_bound = None;
        self.state.complete_to = None;
    }

    /// What the first pass reports; one that builds the ledger anew reports nothing old.
    pub(super) fn start_from(&self) -> StartFrom {
        start_from(&self.plan, &self.state)
    }

    /// The sweep that failed on its way, if this is the time to go on with it.
    fn unpark(&mut self, kind: RunKind) -> Option<Pass> {
        if kind != RunKind::Sweep {
            return None;
        }
        let mut parked = *self.state.parked.take()?;
        parked.was_parked = true;
        (parked.revision == self.plan.revision).then_some(parked)
    }

    /// What the schedule asks for. The first pass reads everything when deletions are looked for, so that every id is
    /// known (rule 8).
    fn kind_due(&self) -> RunKind {
        let sweeps = self.resource().sweep.is_some();
        let first = !self.state.primed && self.start_from() == StartFrom::Now;
        let held = self.state.brake.is_some_and(|brake| !brake.released);
        if sweeps && !held && (first || self.state.sweep_next) { RunKind::Sweep } else { RunKind::Poll }
    }

    /// Reads that were being compared cannot go on without what they saw: that is not written with every page.
    fn resume(&mut self) {
        self.pass.border.truncate(limits::RECORDS_PER_PAGE_MAX);
        let compared = self.verifies() && self.pass.group.pages > 0 && !self.pass.looking;
        if compared && self.pass.group.sightings.is_empty() {
            self.note("the reads that were being compared begin anew after an interruption");
            self.state.starts += 1;
            self.pass.restart_group(1);
        }
    }

    /// Whether the reads of several pages must be compared: they cannot overlap, and nobody vouches for them.
    pub(super) fn verifies(&self) -> bool {
        self.resource().drift == Drift::Verify && !self.overlaps()
    }

    /// Whether pages overlap by a record, so that their borders prove themselves.
    pub(super) fn overlaps(&self) -> bool {
        self.resource().drift == Drift::Verify
            && matches!(self.resource().pagination.kind, PaginationKind::Offset { .. })
            && self.resource().page_size >= 2
            && !self.pass.unproven
    }

    pub(super) fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        if self.story.notes.len() < STORY_REQUESTS_MAX && !self.story.notes.contains(&note) {
            self.story.notes.push(note);
        }
    }

    /// Keeps an address for the run's record, the first ones of a run.
    pub(super) fn remember_address(&mut self, url: &str) {
        if self.story.requests.len() < STORY_REQUESTS_MAX {
            self.story.requests.push(redacted(url));
        }
    }

    /// The request for the pass's next page.
    pub(super) fn request(&mut self) -> Request {
        let plan = Arc::clone(&self.plan);
        let resource = &plan.resource;
        let bound = self.pass.query_bound;
        let cursor = bound.map(|bound| bound.to_string());
        let values = Values {
            start: bound.map_or(Timestamp::UNIX_EPOCH, instant),
            end: self.pass.end,
            cursor: cursor.as_deref(),
        };
        let rendered = self.url().render(&values);
        let url = url_of(&resource.pagination, resource.page_size, &rendered, &self.pass.position);
        self.remember_address(&url);
        self.asked_url.clone_from(&url);
        let mut request = Request::get(url);
        // A superseded version that is still open must be looked at again, whatever the validators say.
        let wanted = resource.conditional && self.state.hold.is_none() && self.pass.kind == RunKind::Poll;
        if wanted && self.pass.position == Position::First && self.pass.pages == 0 {
            self.add_validators(&mut request);
        }
        request
    }

    fn add_validators(&self, request: &mut Request) {
        let Some(validators) = self
            .state
            .validators
            .as_ref()
            .filter(|known| known.url == request.url && known.revision == self.plan.revision)
        else {
            return;
        };
        if let Some(etag) = &validators.etag {
            request.headers.push(("if-none-match".into(), etag.clone()));
        }
        if let Some(at) = &validators.last_modified {
            request.headers.push(("if-modified-since".into(), at.clone()));
        }
    }

    pub(super) fn fetch_page(mut self: Box<Self>) -> Step {
        let request = self.request();
        self.asked = Asked::Page;
        Step::Fetch(Requests(vec![request]), AwaitReplies(self))
    }

    pub(super) fn recall(mut self: Box<Self>, page: PageRead) -> Step {
        if page.items.is_empty() {
            return self.decide(page, Vec::new());
        }
        let versions = page.items.iter().map(|item| item.version()).collect();
        self.asked = Asked::Ledger(Box::new(page));
        Step::Recall(Recall::Versions(versions), AwaitKnown(self))
    }

    pub(super) fn recall_missing(mut self: Box<Self>, last_sweep_below: u64) -> Step {
        self.asked = Asked::Missing;
        let after = self.pass.missing_after.clone();
        let limit = limits::REQUESTS_PER_STEP_MAX as u32;
        Step::Recall(Recall::Missing { last_sweep_below, after, limit }, AwaitKnown(self))
    }

    pub(super) fn ask_gone(
        mut self: Box<Self>,
        requests: Vec<Request>,
        entries: Vec<crate::ledger::Entry>,
    ) -> Step {
        self.asked = Asked::Gone(entries);
        Step::Fetch(Requests(requests), AwaitReplies(self))
    }

    pub(super) fn wait(mut self: Box<Self>, pause: Duration) -> Step {
        self.waits += 1;
        Step::Wait(pause, AwaitWake(self))
    }

    pub(super) fn commit(mut self: Box<Self>, batch: Batch, then: AfterCommit) -> Step {
        let request = matches!(then, AfterCommit::Reply).then(|| self.request());
        self.asked = Asked::Page;
        self.after_commit = then;
        Step::Commit(Box::new(batch), request, AwaitCommit(self))
    }

    /// The baseline that applies to records of this pass, while the first pass is open.
    pub(super) fn baseline(&self) -> Option<Baseline> {
        if self.state.primed {
            return None;
        }
        let baseline = self.pass.baseline?;
        if self.state.reseeding {
            return Some(Baseline::Anew);
        }
        Some(if baseline.undated { Baseline::Everything } else { Baseline::Before(baseline.at) })
    }

    /// The lower bound for the next pass (rules 5, 6 and 8).
    pub(super) fn next_bound(&self, watermark: Compared) -> Compared {
        next_bound(&self.plan, &self.state, watermark, self.now)
    }
}

fn next_bound(plan: &Plan, state: &PollerState, watermark: Compared, now: Timestamp) -> Compared {
    let resource = &plan.resource;
    let settled = match resource.is_numbered() {
        true => trailing(state, resource, watermark, now),
        false => watermark,
    };
    let LowerBound(mut bound) = lower_bound(resource, &resource.url, settled);
    if let Some(hold) = state.hold {
        // A superseded version may turn out to be the truth: it must not leave the window meanwhile.
        let below = match resource.is_numbered() {
            true => hold.value,
            false => minus(instant(hold.value), resource.overlap).as_microsecond(),
        };
        bound = bound.min(bound_at(resource, &resource.url, below).0);
    }
    state.floor.map_or(bound, |floor| bound.max(floor))
}

/// `overlap` and `pollDelay` are times; a number has none of its own. So the bound is the watermark of the youngest
/// pass that began so long ago.
fn trailing(state: &PollerState, resource: &Resource, watermark: Compared, now: Timestamp) -> Compared {
    let before = minus(now, resource.settling());
    let old_enough = state.trail.iter().rev().find(|mark| mark.at <= before);
    match (old_enough, state.trail.first()) {
        (Some(mark), _) | (None, Some(mark)) => mark.watermark.min(watermark),
        (None, None) => watermark,
    }
}

impl Pass {
    /// Opens a pass.
    pub(super) fn new(plan: &Plan, state: &mut PollerState, kind: RunKind, now: Timestamp) -> Pass {
        state.starts += 1;
        let resource = &plan.resource;
        let bound = match kind {
            RunKind::Sweep | RunKind::Look | RunKind::Flow => None,
            RunKind::Poll => first_bound(plan, state, now),
        };
        if let (false, StartFrom::Instant(at)) = (state.primed, start_from(plan, state)) {
            state.baseline = Some(BaselineState { at, undated: false });
            state.floor = bound;
        }
        let skew = jiff::SignedDuration::from_micros(state.skew.unwrap_or(0));
        Pass {
            kind,
            revision: plan.revision,
            started_at: now,
            provider_time: None,
            end: now.checked_sub(skew).unwrap_or(now),
            bound,
            query_bound: bound,
            key_set: kind == RunKind::Poll && can_move(resource) && bound.is_some(),
            position: Position::First,
            pages: 0,
            group: Group { read: 1, ..Group::default() },
            settled: None,
            border: Vec::new(),
            moved: None,
            recent: Vec::new(),
            repeats: 0,
            superseded: None,
            readable: 0,
            unreadable: 0,
            unreadable_reason: None,
            order_broken: false,
            unproven: false,
            unstable: None,
            baseline: state.baseline.filter(|_| !state.primed),
            floor: state.floor,
            empty_pages: 0,
            missing_after: None,
            looking: false,
            was_parked: false,
        }
    }

    /// Begins the pages under the present bound again, as read number `read`.
    pub(super) fn restart_group(&mut self, read: u32) {
        self.position = Position::First;
        self.border.clear();
        self.recent.clear();
        self.repeats = 0;
        self.moved = None;
        self.group.read = read;
        self.group.pages = 0;
        self.group.full = false;
        self.group.moves_to = None;
        self.group.steps_back = 0;
        if read == 1 {
            self.group.sightings = Default::default();
        }
    }
}

fn start_from(plan: &Plan, state: &PollerState) -> StartFrom {
    if state.reseeding { StartFrom::Now } else { plan.resource.start_from }
}

fn first_bound(plan: &Plan, state: &PollerState, now: Timestamp) -> Option<Compared> {
    let resource = &plan.resource;
    if let Some(watermark) = state.watermark.filter(|_| state.primed) {
        return Some(next_bound(plan, state, watermark, now));
    }
    match start_from(plan, state) {
        StartFrom::Beginning => None,
        _ if resource.is_numbered() => None,
        StartFrom::Instant(at) => Some(bound_at(resource, &resource.url, at.as_microsecond()).0),
        StartFrom::Now => {
            let from = state.baseline.map_or(now, |baseline| baseline.at.min(now));
            Some(lower_bound(resource, &resource.url, from.as_microsecond()).0)
        }
    }
}

/// Key-set reading needs a promised ascending order, a filter whose bound can move, and pages to move over.
fn can_move(resource: &Resource) -> bool {
    resource.sort == Sort::Asc
        && resource.drift == Drift::Verify
        && resource.url.is_filtered()
        && !matches!(resource.pagination.kind, PaginationKind::None)
}

/// A URL for people: values of parameters that carry credentials are left out.
pub(crate) fn redacted(url: &str) -> String {
    let Some((path, query)) = url.split_once('?') else { return url.to_string() };
    let secret = |name: &str| {
        let plain: String = name
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|letter| letter.to_ascii_lowercase())
            .collect();
        // A page token is no secret, and people need to see it; everything that grants access is.
        let paging =
            ["pagetoken", "nexttoken", "continuationtoken", "nextpagetoken"].contains(&plain.as_str());
        let words =
            ["key", "token", "secret", "pass", "pwd", "auth", "signature", "credential", "appid", "session"];
        !paging && (words.iter().any(|word| plain.contains(word)) || plain == "sig")
    };
    let parts: Vec<String> = query
        .split('&')
        .map(|part| match part.split_once('=') {
            Some((name, _)) if secret(name) => format!("{name}=***"),
            _ => part.to_string(),
        })
        .collect();
    format!("{path}?{}", parts.join("&"))
}

impl RunFault {
    /// A fault with its code, its sentence, and whether trying again may help.
    pub fn new(code: &str, message: impl Into<String>, transient: bool) -> RunFault {
        RunFault { code: code.into(), message: message.into(), transient }
    }
}
