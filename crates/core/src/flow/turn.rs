//! One run of a subscription: what it starts from, whether its clock was right, and what is committed.
//!
//! ```text
//!   state ─► start ─► the flow (`run`) ─► end ─► recall ─► finish: events, ledger, cursor; or nothing
//!                        ▲                 │
//!                        └── Now was ahead ┘  once
//! ```
//!
//! *Now* is a promise: what the provider dates after it is found by the next run. So it must never be ahead of the
//! provider's clock. It is our clock less the skew that the last run measured; each run measures again, and one whose
//! *Now* turns out to have been ahead is thrown away and carried out again with the right one, before anything is
//! written. That is also how the very first run finds its time, without a request of its own. *Now* does not go back
//! either: what a run was promised as past stays past when our own clock is set back.
//!
//! Not here: requests (the engine), the rules of the ledger (`records`).

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Flow;
use super::records::{Judged, Moments, Returned, Subscription};
use super::run::{Bounds, Entry, FlowEnd, FlowError, FlowStart, Trace, redacted_json};
use super::state::SubscriptionState;
use crate::cadence::Cadence;
use crate::date::ZoneRules;
use crate::id::{InboundId, RunId};
use crate::ledger::{Compared, Counts, Known, Recall};
use crate::poll::{
    Batch, Finish, FlowRecord, RECONNECT_NEEDED, RunFault, RunKind, RunOutcome, RunRecord, Status, Story,
};
use crate::run::Reply;
use crate::window::{http_date, minus, provider_time};

/// How far the provider's clock may seem to have moved between two runs before one is carried out again: `Date` has
/// whole seconds.
const SKEW_TOLERANCE: SignedDuration = SignedDuration::from_secs(1);

/// By how much an earlier skew may exceed the present one and still be remembered; a larger excess is a clock that was
/// set.
const SKEW_KEPT_MAX: SignedDuration = SignedDuration::from_secs(60);

/// What a `Date` leaves out of the time at which it was written.
const DATE_UNIT: SignedDuration = SignedDuration::from_secs(1);

/// How long versions that were replaced are remembered: a provider that serves them again later than this has them
/// judged as new.
const REPLACED_VERSIONS_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// What a subscription runs.
#[derive(Clone, Debug)]
pub struct FlowPlan {
    /// Whose records they are, and how they leave.
    pub subscription: Subscription,
    /// The deployed version.
    pub flow: Arc<Flow>,
    /// Its number, and that of the subscription's settings.
    pub version: i64,
    /// See `version`.
    pub revision: i64,
    /// Values of options by label.
    pub options: Vec<(String, String)>,
    /// When it is due.
    pub cadence: Cadence,
    /// Its interval, by which pauses after failures are measured.
    pub interval: Duration,
    /// Address that relative URLs continue, and whose origin gets the connection's credentials.
    pub base_url: Option<String>,
    /// How zone names are understood.
    pub zones: ZoneRules,
}

/// One run of a subscription.
#[derive(Clone, Debug)]
pub struct FlowTurn {
    /// What runs.
    pub plan: FlowPlan,
    /// The state that it starts from.
    pub state: SubscriptionState,
    /// Its id.
    pub run: RunId,
    /// Our clock at its start.
    pub started_at: Timestamp,
    /// When it was due.
    pub due: Timestamp,
    /// Chance.
    pub entropy: u64,
    /// What it may use.
    pub bounds: Bounds,
    /// What *Now* is at most: of a turn that was begun again, what the first one measured.
    pub ceiling: Option<Timestamp>,
}

/// The provider's clock, as the answers of a run showed it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClockSeen {
    /// Our clock minus the provider's; never smaller than the true difference. `None`: no answer had a `Date`.
    pub skew: Option<SignedDuration>,
    /// The earliest `Date` of an answer. A cache in front of the provider sends an old one, and then its answer shows
    /// nothing that is newer.
    pub earliest: Option<Timestamp>,
}

impl ClockSeen {
    /// Takes an answer into account. The largest difference counts: it belongs to the answer whose clock is farthest
    /// behind, and no record may be dated before *Now* by that one.
    pub fn see(&mut self, reply: &Reply) {
        let Ok(response) = &reply.outcome else { return };
        if let Some(skew) = provider_time(reply, response).skew {
            self.skew = Some(self.skew.map_or(skew, |known| known.max(skew)));
        }
        if let Some(date) = response.header("date").and_then(http_date) {
            self.earliest = Some(self.earliest.map_or(date, |known| known.min(date)));
        }
    }
}

impl ClockSeen {
    /// What the provider's clock showed at the latest when it answered: `Date` has lost less than a second.
    fn latest(self) -> Option<Timestamp> {
        self.earliest.and_then(|date| date.checked_add(DATE_UNIT).ok())
    }
}

/// What *Now* is in a run that starts from this state at this time of our clock: by the provider's clock as last
/// measured, never ahead of ours, and not before that of an earlier run. What may go unnoticed of a clock that moved is
/// taken off: it must not cost a record.
pub fn now_at(state: &SubscriptionState, started_at: Timestamp) -> Timestamp {
    let at = measured(state, started_at);
    state.now.map_or(at, |earlier| earlier.max(at))
}

/// The provider's clock at this time of ours, as last measured and less what may go unnoticed.
fn measured(state: &SubscriptionState, started_at: Timestamp) -> Timestamp {
    let skew = SignedDuration::from_micros(state.skew.unwrap_or(0));
    let at = started_at.checked_sub(skew).unwrap_or(started_at).min(started_at);
    minus(at, SKEW_TOLERANCE.unsigned_abs())
}

/// The skew to go on with. A faster answer than the last one shows a smaller one, and is believed only by and by: the
/// next answer may be slow again, and a *Now* that is a little early costs nothing.
fn kept(before: Option<i64>, seen: SignedDuration) -> Option<i64> {
    let seen = micros(seen)?;
    let excess = before.map_or(0, |before| before.saturating_sub(seen));
    let believed =
        if (1..=SKEW_KEPT_MAX.as_micros() as i64).contains(&excess) { excess - excess / 4 } else { 0 };
    Some(seen.saturating_add(believed))
}

/// What the ledger is asked before a run can be finished, and what is known already.
#[derive(Debug)]
pub struct Ended {
    turn: FlowTurn,
    end: FlowEnd,
    clock: ClockSeen,
    returned: Option<Returned>,
}

impl FlowTurn {
    /// What *Now* is in this run.
    pub fn provider_now(&self) -> Timestamp {
        let at = measured(&self.state, self.started_at);
        let at = self.ceiling.map_or(at, |ceiling| at.min(ceiling));
        self.state.now.map_or(at, |earlier| earlier.max(at))
    }

    /// What the run of the flow starts from.
    pub fn start(&self) -> FlowStart {
        FlowStart {
            flow: Arc::clone(&self.plan.flow),
            entry: Entry::Monitor,
            cursor: self.state.cursor.clone(),
            options: self.plan.options.clone(),
            now: self.started_at,
            provider_now: self.provider_now(),
            seed: self.entropy,
            execution: self.run.to_string(),
            base_url: self.plan.base_url.clone(),
            zones: self.plan.zones,
            bounds: self.bounds,
        }
    }

    /// The turn again from `now` on, with the right clock, when this one's *Now* may have been ahead of the provider's.
    /// A run that failed promised nothing.
    pub fn again(&self, end: &FlowEnd, clock: ClockSeen, now: Timestamp) -> Option<FlowTurn> {
        let seen = clock.skew.filter(|_| end.result.is_ok())?;
        let set_back = self.was_set_back(clock);
        (seen > self.assumed() + SKEW_TOLERANCE || set_back).then(|| {
            let mut again = self.clone();
            again.started_at = now;
            again.ceiling = Some(minus(
                self.started_at.checked_sub(seen).unwrap_or(self.started_at),
                SKEW_TOLERANCE.unsigned_abs(),
            ));
            again.state.skew = micros(seen);
            again.state.now = self.state.now.filter(|_| !set_back);
            again
        })
    }

    /// Whether *Now* was ahead of the provider's clock for certain, however long its answers were under way. Of a turn
    /// that was begun again this says that the clock moved meanwhile.
    pub fn was_ahead(&self, end: &FlowEnd, clock: ClockSeen) -> bool {
        let latest = clock.latest().filter(|_| end.result.is_ok());
        latest.is_some_and(|latest| self.provider_now() > latest)
    }

    /// Our clock minus the provider's, as *Now* took it.
    fn assumed(&self) -> SignedDuration {
        SignedDuration::from_micros(self.state.skew.unwrap_or(0)).max(SignedDuration::ZERO)
    }

    /// Whether the provider's clock stood before the *Now* of an earlier run.
    fn was_set_back(&self, clock: ClockSeen) -> bool {
        self.state.now.zip(clock.latest()).is_some_and(|(earlier, latest)| earlier > latest)
    }

    /// Takes the end of the flow.
    pub fn ended(self, mut end: FlowEnd, clock: ClockSeen) -> Ended {
        let records = end.result.as_mut().ok().map(|outcome| std::mem::take(&mut outcome.records));
        let returned = records.map(|records| Returned::new(&self.plan.flow, records));
        Ended { turn: self, end, clock, returned }
    }
}

impl Ended {
    /// What to ask the ledger; `None` when it has no say.
    pub fn recall(&self) -> Option<Recall> {
        self.returned.as_ref().and_then(Returned::recall)
    }

    /// What is to be committed, with what the ledger knows. `redacted` takes secrets out of texts that a provider may
    /// have repeated.
    pub fn finish(self, known: Option<Known>, redacted: &dyn Fn(&str) -> String) -> Finish {
        let Ended { turn, end, clock, returned } = self;
        let FlowEnd { result, trace, notes, requests, cards, finished_at } = end;
        let failed = result.as_ref().err().cloned();
        let moments = Moments {
            run: turn.run,
            started_at: turn.started_at,
            finished_at,
            provider_time: turn.provider_now(),
        };
        let known = match known {
            Some(Known::Versions(known)) => known,
            Some(Known::Missing { .. }) | None => Vec::new(),
        };
        let judged = match (result, returned) {
            (Ok(outcome), Some(returned)) => returned
                .judge(&turn.plan.subscription, moments, known)
                .map(|judged| (judged, outcome.cursor))
                .map_err(|sentence| RunFault::new("badRecords", redacted(&sentence), false)),
            (Ok(outcome), None) => {
                Ok((Judged { batch: Batch::default(), counts: Counts::default() }, outcome.cursor))
            }
            (Err(error), _) => Err(fault(&error, redacted)),
        };
        let mut notes: Vec<String> = notes.iter().map(|note| redacted(note)).collect();
        if requests > 0 && clock.skew.is_none() {
            notes.push(
                "no answer of the provider had a `Date`, so Now is the time of this machine".to_owned(),
            );
        }
        let mut state = turn.state.clone();
        let before = state.cursor.clone();
        if let Some(seen) = clock.skew {
            state.skew = kept(state.skew, seen);
        }
        let (batch, counts, error) = match judged {
            Ok((judged, cursor)) => {
                state.failures = 0;
                state.runs = state.runs.saturating_add(1);
                if clock.skew.is_some() {
                    state.now = Some(turn.provider_now());
                }
                if let Some(cursor) = cursor.filter(|cursor| Some(cursor) != state.cursor.as_ref()) {
                    state.cursor = Some(cursor);
                    state.saved_at = Some(finished_at);
                    state.saved_by = Some(turn.run);
                }
                (judged.batch, judged.counts, None)
            }
            Err(fault) => {
                state.failures = state.failures.saturating_add(1);
                (Batch::default(), Counts::default(), Some(fault))
            }
        };
        let cursor_changed = before != state.cursor;
        let shown = Shown { trace: trace.redacted(redacted), notes: &notes, cards, requests, redacted };
        let trace = shown.write(before.as_deref(), state.cursor.as_deref(), error.as_ref(), failed.as_ref());
        let (revision, version) = (turn.plan.revision, turn.plan.version);
        let record = FlowRecord { trace, cursor_changed, revision, version };
        let retry_after = failed.and_then(|failed| failed.retry_after);
        turn.closed(Closing { state, batch, counts, error, retry_after, notes, now: finished_at, record })
    }
}

/// What a run leaves, before it is put together.
struct Closing {
    state: SubscriptionState,
    batch: Batch,
    counts: Counts,
    error: Option<RunFault>,
    /// The pause that the provider asked for.
    retry_after: Option<Duration>,
    notes: Vec<String>,
    now: Timestamp,
    record: FlowRecord,
}

impl FlowTurn {
    fn closed(self, closing: Closing) -> Finish {
        let Closing { state, batch, counts, error, retry_after, notes, now, record } = closing;
        let plan = &self.plan;
        let next_due = match &error {
            None => plan.cadence.after_success(self.due, now, self.entropy),
            Some(_) => {
                plan.cadence.after_failure(now, plan.interval, state.failures, retry_after, self.entropy)
            }
        };
        let status = match &error {
            None => Status::ok(),
            Some(fault) => Status {
                code: fault.code.clone(),
                sentence: fault.message.clone(),
                needs_attention: !fault.transient,
            },
        };
        let provider_time = self.provider_now();
        let prune = minus(provider_time, REPLACED_VERSIONS_KEPT).as_microsecond();
        let story = Story {
            provider_time: Some(provider_time),
            clock_skew_ms: state.skew.map(|skew| skew / 1_000),
            notes,
            ..Story::default()
        };
        let outcome = if error.is_none() { RunOutcome::Completed } else { RunOutcome::Failed };
        Finish {
            batch,
            pass_closed: true,
            state: state.write(),
            watermark: None,
            status,
            next_due,
            regular_due: None,
            hints_known: InboundId(0),
            prune_versions_below: error.is_none().then_some(prune as Compared),
            run: RunRecord {
                id: self.run,
                poller: plan.subscription.poller,
                kind: RunKind::Flow,
                started_at: self.started_at,
                finished_at: now,
                outcome,
                error,
                counts,
                story,
            },
            flow: Some(record),
        }
    }
}

/// A flow's failure as that of a run.
fn fault(error: &FlowError, redacted: &dyn Fn(&str) -> String) -> RunFault {
    let mut sentence = redacted(&error.to_string());
    if let Some(raw) = error.raw.as_deref().map(str::trim).filter(|raw| !raw.is_empty()) {
        sentence.push_str(&format!("; the provider says: {}", cut(&redacted(raw))));
    }
    let code = if error.code == "reconnect" { RECONNECT_NEEDED } else { &error.code };
    RunFault::new(code, sentence, error.transient)
}

/// The beginning of what a provider said, for a sentence; the whole stands in the trace.
fn cut(text: &str) -> String {
    const CHARS: usize = 300;
    match text.char_indices().nth(CHARS) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_string(),
    }
}

fn micros(skew: SignedDuration) -> Option<i64> {
    i64::try_from(skew.as_micros()).ok()
}

/// What people see of a run.
struct Shown<'a> {
    trace: Trace,
    notes: &'a [String],
    cards: u64,
    requests: u64,
    redacted: &'a dyn Fn(&str) -> String,
}

impl Shown<'_> {
    fn write(
        &self,
        before: Option<&str>,
        after: Option<&str>,
        error: Option<&RunFault>,
        failed: Option<&FlowError>,
    ) -> String {
        let clean = |text: &str| redacted_json(text, self.redacted);
        let raw = |text: Option<&str>| {
            text.and_then(|text| serde_json::value::RawValue::from_string(clean(text)).ok())
        };
        let failed = failed.map(|failed| FlowError {
            message: (self.redacted)(&failed.message),
            raw: failed.raw.as_deref().map(self.redacted),
            ..failed.clone()
        });
        #[derive(serde::Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Kept<'k> {
            cards: u64,
            requests: u64,
            notes: &'k [String],
            cursor_before: Option<Box<serde_json::value::RawValue>>,
            cursor_after: Option<Box<serde_json::value::RawValue>>,
            error: Option<&'k RunFault>,
            failed_card: Option<FlowError>,
            trace: &'k Trace,
        }
        let kept = Kept {
            cards: self.cards,
            requests: self.requests,
            notes: self.notes,
            cursor_before: raw(before),
            cursor_after: raw(after),
            error,
            failed_card: failed,
            trace: &self.trace,
        };
        serde_json::to_string(&kept).expect("texts and numbers always serialise")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::check::check;
    use crate::flow::document::Document;
    use crate::flow::run::FlowOutcome;
    use crate::id::{InstanceId, OrgId, PollerId};
    use crate::run::Response;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// A turn of a monitor that starts at this time of our clock, after a run that left this state.
    fn turn(overlap: &str, started_at: &str, state: SubscriptionState) -> FlowTurn {
        let document = serde_json::json!({
            "name": "m", "cursor": "date", "cursorOverlap": overlap, "outputs": {"User": {"ID": "text"}},
            "record": {"group": "User", "id": "ID"},
            "cards": [{"card": "control.returnOutputs", "inputs": {"List": []}}],
        });
        let checked = check(&Document::read(&document).unwrap());
        let flow = Arc::new(checked.flow.unwrap_or_else(|| panic!("{:?}", checked.faults)));
        let subscription = Subscription {
            org: OrgId(1),
            instance: InstanceId(1),
            poller: PollerId(1),
            element_key: "k".into(),
            mode: Default::default(),
        };
        let interval = Duration::from_secs(300);
        FlowTurn {
            plan: FlowPlan {
                subscription,
                flow,
                version: 1,
                revision: 1,
                options: Vec::new(),
                cadence: Cadence::Every(interval),
                interval,
                base_url: None,
                zones: ZoneRules::default(),
            },
            state,
            run: RunId::new(at(started_at), 1),
            started_at: at(started_at),
            due: at(started_at),
            entropy: 1,
            bounds: Bounds::default(),
            ceiling: None,
        }
    }

    fn ended_well(turn: &FlowTurn) -> FlowEnd {
        FlowEnd {
            result: Ok(FlowOutcome::default()),
            trace: Trace::default(),
            notes: Vec::new(),
            cards: 1,
            requests: 1,
            finished_at: turn.started_at,
        }
    }

    /// What an answer showed that was sent at the start of the turn and took so long.
    fn seen(turn: &FlowTurn, date: &str, seconds: u64) -> ClockSeen {
        let mut clock = ClockSeen::default();
        let headers = vec![("date".to_string(), date.to_string())];
        clock.see(&Reply {
            sent_at: turn.started_at,
            to_head: Duration::from_secs(seconds),
            outcome: Ok(Response { status: 200, headers, body: String::new() }),
        });
        clock
    }

    fn after(turn: FlowTurn, clock: ClockSeen) -> SubscriptionState {
        let end = ended_well(&turn);
        let finish = turn.ended(end, clock).finish(Some(Known::Versions(Vec::new())), &str::to_owned);
        SubscriptionState::read(&finish.state).unwrap()
    }

    #[test]
    fn now_is_behind_by_what_may_go_unnoticed_with_an_overlap_and_without() {
        for overlap in ["0s", "1s", "2m"] {
            let turn = turn(overlap, "2024-03-01T12:00:00Z", SubscriptionState::default());
            assert_eq!(turn.provider_now(), at("2024-03-01T11:59:59Z"), "{overlap}");
        }
    }

    #[test]
    fn now_does_not_go_back_when_our_clock_is_set_back() {
        let first = turn("2m", "2024-03-01T12:00:00Z", SubscriptionState::default());
        let clock = seen(&first, "Fri, 01 Mar 2024 12:00:00 GMT", 0);
        assert!(first.again(&ended_well(&first), clock, first.started_at).is_none());
        let state = after(first, clock);
        // A quarter of an hour later, by a clock that was set back by half an hour.
        let second = turn("2m", "2024-03-01T11:45:00Z", state.clone());
        assert_eq!(second.provider_now(), at("2024-03-01T11:59:59Z"));
        let clock = seen(&second, "Fri, 01 Mar 2024 12:15:00 GMT", 0);
        assert!(second.again(&ended_well(&second), clock, second.started_at).is_none());
        // A cursor that a person sets changes nothing of it.
        let state = state.with_cursor(None, second.started_at);
        assert_eq!(turn("2m", "2024-03-01T11:45:00Z", state).provider_now(), at("2024-03-01T11:59:59Z"));
    }

    #[test]
    fn now_goes_back_with_the_providers_own_clock() {
        let first = turn("0s", "2024-03-01T12:00:00Z", SubscriptionState::default());
        let clock = seen(&first, "Fri, 01 Mar 2024 12:00:00 GMT", 0);
        let second = turn("0s", "2024-03-01T12:05:00Z", after(first, clock));
        let clock = seen(&second, "Fri, 01 Mar 2024 11:50:00 GMT", 0);
        let again = second.again(&ended_well(&second), clock, second.started_at).unwrap();
        assert_eq!(again.provider_now(), at("2024-03-01T11:49:59Z"));
        assert!(!again.was_ahead(&ended_well(&again), clock));
        // A run that nobody told the time leaves no promise behind.
        let silent = turn("0s", "2024-03-01T12:00:00Z", SubscriptionState::default());
        assert_eq!(after(silent, ClockSeen::default()).now, None);
    }

    #[test]
    fn a_slow_answer_is_no_clock_that_moves() {
        let first = turn("2m", "2024-03-01T12:00:00Z", SubscriptionState::default());
        let slow = seen(&first, "Fri, 01 Mar 2024 12:00:01 GMT", 9);
        let again = first.again(&ended_well(&first), slow, at("2024-03-01T12:00:09Z")).unwrap();
        // Not later than the first answer showed, however long that was under way.
        assert_eq!(again.provider_now(), at("2024-03-01T11:59:51Z"));
        // Still slower, and the same clock.
        let slower = seen(&again, "Fri, 01 Mar 2024 12:00:10 GMT", 20);
        assert!(!again.was_ahead(&ended_well(&again), slower));
        // This one moved, however long it took.
        let moved = seen(&again, "Fri, 01 Mar 2024 11:59:00 GMT", 20);
        assert!(again.was_ahead(&ended_well(&again), moved));
    }

    #[test]
    fn a_cache_that_shows_an_old_date_is_believed_and_fails_no_run() {
        let first = turn("2m", "2024-03-01T12:00:00Z", SubscriptionState::default());
        let old = seen(&first, "Fri, 01 Mar 2024 11:50:00 GMT", 0);
        let again = first.again(&ended_well(&first), old, at("2024-03-01T12:00:30Z")).unwrap();
        // The flow takes half a minute, and the cache still says the same: what it shows is as old as that.
        let same = seen(&again, "Fri, 01 Mar 2024 11:50:00 GMT", 0);
        assert!(!again.was_ahead(&ended_well(&again), same));
        assert_eq!(again.provider_now(), at("2024-03-01T11:49:59Z"));
    }

    #[test]
    fn a_fast_answer_after_a_slow_one_makes_no_run_begin_anew_later() {
        let mut state = SubscriptionState::default();
        let mut begun_anew = 0;
        for (at_minute, seconds) in [(0, 3), (5, 0), (10, 3), (15, 0), (20, 3), (25, 3)] {
            let started_at = format!("2024-03-01T12:{at_minute:02}:00Z");
            let turn = turn("2m", &started_at, state);
            let clock = seen(&turn, &format!("Fri, 01 Mar 2024 12:{at_minute:02}:00 GMT"), seconds);
            begun_anew += u32::from(turn.again(&ended_well(&turn), clock, turn.started_at).is_some());
            state = after(turn, clock);
        }
        assert_eq!(begun_anew, 1, "only the first one, which knew nothing");
        // A clock that was set is believed at once.
        assert_eq!(kept(Some(3_600_000_000), SignedDuration::from_secs(1)), Some(1_000_000));
    }

    #[test]
    fn a_failed_run_keeps_the_cursor_and_waits_as_long_as_the_provider_asks() {
        let state = SubscriptionState { cursor: Some("\"a\"".into()), ..SubscriptionState::default() };
        let turn = turn("2m", "2024-03-01T12:00:00Z", state);
        let mut end = ended_well(&turn);
        end.notes = vec!["the service says: hunter2-secret".into()];
        end.result = Err(FlowError {
            card: "call".into(),
            place: "cards.call".into(),
            flow: "monitor `m`".into(),
            input: None,
            code: "http-429".into(),
            message: "the provider answered 429: it asks to slow down".into(),
            status: Some(429),
            raw: Some("wait, hunter2-secret".into()),
            transient: true,
            fatal: false,
            retry_after: Some(Duration::from_secs(3_600)),
        });
        let redacted = |text: &str| text.replace("hunter2-secret", "********");
        let finish = turn.ended(end, ClockSeen::default()).finish(None, &redacted);
        assert_eq!(finish.next_due, at("2024-03-01T13:00:00Z"));
        assert_eq!(SubscriptionState::read(&finish.state).unwrap().cursor.as_deref(), Some("\"a\""));
        let record = finish.flow.unwrap();
        assert!(!record.cursor_changed);
        let shown = format!("{:?} {} {}", finish.run, record.trace, finish.status.sentence);
        assert!(!shown.contains("hunter2") && shown.contains("wait, ********"), "{shown}");
        let trace: serde_json::Value = serde_json::from_str(&record.trace).unwrap();
        assert_eq!(
            (trace["failedCard"]["card"].as_str(), trace["failedCard"]["place"].as_str()),
            (Some("call"), Some("cards.call"))
        );
        assert_eq!(trace["cursorBefore"], trace["cursorAfter"]);
    }
}
