//! The sentence about a record: why it did, or did not, become an event, and where that event is.

use std::collections::HashMap;

use jiff::Timestamp;
use turnstone_core::id::RunId;
use turnstone_core::poll::{Decision, Ignored, PollerState, RunRecord, Verdict};
use turnstone_store::{
    EndpointRow, EndpointState, InstanceRow, LoggedEvent, NotificationRow, NotificationState, PollerRow,
    RecordStory,
};

/// What a sentence is made of.
pub struct Facts<'a> {
    pub poller: &'a PollerRow,
    pub instance: &'a InstanceRow,
    pub object_id: &'a str,
    pub story: &'a RecordStory,
    /// Newest first.
    pub events: &'a [LoggedEvent],
    /// The field's status of each event.
    pub statuses: Vec<&'static str>,
    /// Newest first.
    pub deliveries: &'a [NotificationRow],
    pub runs: &'a HashMap<RunId, RunRecord>,
    /// Where its events go.
    pub endpoint: Option<&'a EndpointRow>,
}

impl Facts<'_> {
    /// One sentence; it names the run and the reason.
    pub fn sentence(&self) -> String {
        // What is met again and again stays what it was when it was news.
        let news = self.story.decisions.iter().find(|(_, decision)| !is_repeat(decision));
        match (self.events.first(), news) {
            (Some(event), Some((run, decision))) if self.is_later(*run, event) => {
                let seen = self.decided(*run, decision);
                format!("{seen} Before that, {}", lower(&self.reported(event)))
            }
            (Some(event), _) => self.reported(event),
            (None, Some((run, decision))) => {
                format!("{}{}{}", self.decided(*run, decision), self.again(), self.state())
            }
            (None, None) => format!("{}{}", self.without_trace(), self.again()),
        }
    }

    /// The last reading of a record without events, where it brought nothing new.
    fn again(&self) -> String {
        match self.story.decisions.first() {
            Some((run, decision)) if is_repeat(decision) => format!(" {run} read the same version again."),
            _ => String::new(),
        }
    }

    /// Whether a run began after an event was recorded.
    fn is_later(&self, run: RunId, event: &LoggedEvent) -> bool {
        self.runs.get(&run).is_some_and(|run| run.started_at > event.recorded_at)
    }

    fn decided(&self, run: RunId, decision: &Decision) -> String {
        let at = self.runs.get(&run).map(|run| format!(" of {}", run.started_at)).unwrap_or_default();
        let reason = &decision.reason;
        match decision.verdict {
            Verdict::Event(event_type) => {
                format!("{run}{at} made it an event, {event_type}: {reason}.")
            }
            Verdict::Seeded => {
                format!("It is no event, because {run}{at} took it as known without one (seeded): {reason}.")
            }
            Verdict::Ignored(why) => {
                format!("It is no event, because {run}{at} ignored it ({}): {reason}.", why.as_str())
            }
        }
    }

    /// What became of an event.
    fn reported(&self, logged: &LoggedEvent) -> String {
        let event = &logged.event;
        let head = format!(
            "It was reported as {} by {} at {} ({}), event {}",
            event.event_type, event.run, logged.recorded_at, event.reason, event.id
        );
        let fate = self.fate(logged);
        let again = match self.story.decisions.first() {
            Some((run, decision)) if is_repeat(decision) => {
                format!(" {run} read the same version again and did not report it twice (reported).")
            }
            _ => String::new(),
        };
        format!("{head}; {fate}.{again}")
    }

    fn fate(&self, logged: &LoggedEvent) -> String {
        let place = self.events.iter().position(|other| other.position == logged.position).unwrap_or(0);
        let status = self.statuses.get(place).copied().unwrap_or_default();
        let carried = self.deliveries.iter().find(|delivery| delivery.events.contains(&logged.event.id));
        if let Some(delivery) = carried {
            return self.carried(delivery);
        }
        let off = self.endpoint.filter(|endpoint| endpoint.state != EndpointState::Active);
        let held = self.events.iter().skip(place + 1).find_map(|earlier| {
            let by = self
                .deliveries
                .iter()
                .find(|delivery| delivery.state.is_open() && delivery.events.contains(&earlier.event.id))?;
            Some((earlier.event.id, by))
        });
        match (status, off, held) {
            ("RECEIVED", _, _) => "it has no callback to go to, and is read from the feed".to_owned(),
            (_, Some(endpoint), _) => format!(
                "it waits, because endpoint {} is {}: {}",
                endpoint.id,
                endpoint.state.as_str(),
                endpoint.reason
            ),
            (_, None, Some((earlier, by))) => format!(
                "it is held behind the earlier event {earlier} of this record, whose delivery {} is {}",
                by.id,
                by.state.as_str()
            ),
            ("NOTIFIED", None, None) => "it was sent, and its delivery is not kept any more".to_owned(),
            (_, None, None) => "it waits for its turn to be sent".to_owned(),
        }
    }

    fn carried(&self, delivery: &NotificationRow) -> String {
        let id = delivery.id;
        let off = match self.endpoint.filter(|endpoint| endpoint.state != EndpointState::Active) {
            Some(endpoint) if delivery.state.is_open() => {
                format!("; but endpoint {} is {}: {}", endpoint.id, endpoint.state.as_str(), endpoint.reason)
            }
            Some(_) | None => String::new(),
        };
        match delivery.state {
            NotificationState::Created => format!("delivery {id} carries it and is being sent{off}"),
            NotificationState::Retry => {
                let failures = delivery.failures;
                let next = delivery.next_due.map(|due| format!(", next at {due}")).unwrap_or_default();
                format!("delivery {id} carries it, failed {failures} times and is being retried{next}{off}")
            }
            NotificationState::Delivered => {
                let at = delivery.completed_at.map(|at| format!(" at {at}")).unwrap_or_default();
                format!("it was delivered by delivery {id}{at}")
            }
            NotificationState::Split => format!("delivery {id} was split into single ones, which carry it"),
            NotificationState::Dead => {
                format!(
                    "delivery {id} is a dead letter: given up after its last retry, until it is redelivered{off}"
                )
            }
            NotificationState::Queued => {
                format!("delivery {id} carries it and is queued until somebody releases it{off}")
            }
            NotificationState::Cancelled => {
                format!("delivery {id} was cancelled, because its endpoint was removed")
            }
        }
    }

    /// Of a record without events and decisions.
    fn without_trace(&self) -> String {
        let state = self.state();
        match &self.story.entry {
            Some(entry) if entry.sequence > 0 => {
                let at = entry.first_read_at;
                format!(
                    "Its events are older than what the log keeps; its last version was read at {at}.{state}"
                )
            }
            Some(entry) => {
                let at = entry.first_read_at;
                format!(
                    "It is no event, because it was taken as known without one (seeded) when it was first read at \
                     {at}; the run's single decision about it is not kept.{state}"
                )
            }
            None => {
                let id = self.object_id;
                format!("No run has seen a record `{id}`, as far as decisions are kept.{state}")
            }
        }
    }

    /// How the poller is, where that explains why nothing came.
    fn state(&self) -> String {
        if !self.instance.enabled {
            return " Its instance is disabled.".to_owned();
        }
        if let Some(reason) = &self.poller.paused {
            return format!(" The poller is paused: {reason}.");
        }
        let complete_to: Option<Timestamp> =
            PollerState::read(&self.poller.state).ok().and_then(|state| state.complete_to);
        let complete = complete_to.map(|at| format!(", complete to {at}")).unwrap_or_default();
        match self.poller.status.code.as_str() {
            "ok" => format!(" The poller is well{complete}."),
            "starting" => " The poller has not polled yet.".to_owned(),
            code => {
                let sentence = self.poller.status.sentence.trim_end_matches('.');
                format!(" The poller is failing ({code}){complete}: {sentence}.")
            }
        }
    }
}

/// Whether a version was met that is known already.
fn is_repeat(decision: &Decision) -> bool {
    decision.verdict == Verdict::Ignored(Ignored::Reported)
}

fn lower(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use turnstone_core::event::{Event, EventType};
    use turnstone_core::id::{EndpointId, EventId, InstanceId, NotificationId, OrgId, PollerId};
    use turnstone_core::json_hash::ContentHash;
    use turnstone_core::ledger::{Counts, Entry};
    use turnstone_core::poll::{RunKind, RunOutcome, Status, Story};

    /// A record with everything that is known around it, to be changed by a case.
    struct Known {
        poller: PollerRow,
        instance: InstanceRow,
        endpoint: Option<EndpointRow>,
        story: RecordStory,
        /// Newest first, each with its status.
        events: Vec<(LoggedEvent, &'static str)>,
        deliveries: Vec<NotificationRow>,
        runs: HashMap<RunId, RunRecord>,
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_772_000_000 + seconds).unwrap()
    }

    fn run_id(number: u64) -> RunId {
        RunId::new(at(100 * number as i64), number)
    }

    impl Known {
        fn nothing() -> Known {
            let poller = PollerRow {
                id: PollerId(4),
                org: OrgId(1),
                instance: InstanceId(3),
                resource: "orders".into(),
                subscription: None,
                revision: 1,
                interval: Duration::from_secs(300),
                next_due: at(1_000),
                regular_due: None,
                paused: None,
                status: Status::ok(),
                watermark: None,
                state: PollerState { complete_to: Some(at(900)), ..PollerState::default() }.write(),
                checkpoint: None,
            };
            let instance = InstanceRow {
                id: InstanceId(3),
                org: OrgId(1),
                element_key: "crm".into(),
                element: None,
                name: "north".into(),
                tags: Vec::new(),
                document: String::new(),
                enabled: true,
                created_at: at(0),
                endpoint: Some(EndpointId(5)),
            };
            let endpoint = EndpointRow {
                id: EndpointId(5),
                org: OrgId(1),
                instance: InstanceId(3),
                subscription: None,
                kind: "callback".into(),
                config: String::new(),
                position: 0,
                state: EndpointState::Active,
                reason: String::new(),
                accepted_at: None,
            };
            let story = RecordStory { entry: None, versions: Vec::new(), decisions: Vec::new() };
            let (events, deliveries) = (Vec::new(), Vec::new());
            Known {
                poller,
                instance,
                endpoint: Some(endpoint),
                story,
                events,
                deliveries,
                runs: HashMap::new(),
            }
        }

        /// Run `number`, at second `100 * number`, decided this.
        fn decided(mut self, number: u64, verdict: Verdict, reason: &str) -> Known {
            let run = run_id(number);
            let record = RunRecord {
                id: run,
                poller: PollerId(4),
                kind: RunKind::Poll,
                started_at: at(100 * number as i64),
                finished_at: at(100 * number as i64 + 1),
                outcome: RunOutcome::Completed,
                error: None,
                counts: Counts::default(),
                story: Story::default(),
            };
            self.runs.insert(run, record);
            let decision = Decision {
                object_id: "7".into(),
                verdict,
                reason: reason.into(),
                compared: String::new(),
                page: 1,
            };
            self.story.decisions.insert(0, (run, decision));
            self
        }

        /// Run `number` reported this, at second `100 * number`.
        fn reported(mut self, number: u64, event_type: EventType, status: &'static str) -> Known {
            let event = Event {
                id: EventId(u128::from(number).to_be_bytes()),
                poller: PollerId(4),
                instance: InstanceId(3),
                run: run_id(number),
                inbound: None,
                event_type,
                object_type: "orders".into(),
                object_id: "7".into(),
                element_key: "crm".into(),
                date: at(100 * number as i64),
                sequence: number,
                reason: "it changed".into(),
                compared: String::new(),
                page: 0,
                record: None,
            };
            let recorded_at = at(100 * number as i64);
            self.events.insert(0, (LoggedEvent { position: number as i64, recorded_at, event }, status));
            self
        }

        /// A delivery of the newest event.
        fn carried(mut self, id: i64, state: NotificationState, failures: u32) -> Known {
            let delivery = NotificationRow {
                id: NotificationId(id),
                org: OrgId(1),
                endpoint: EndpointId(5),
                instance: InstanceId(3),
                split_from: None,
                state,
                failures,
                first_failed_at: None,
                next_due: (state == NotificationState::Retry).then(|| at(950)),
                created_at: at(1),
                completed_at: (state == NotificationState::Delivered).then(|| at(940)),
                body: String::new(),
                events: vec![self.events[0].0.event.id],
            };
            self.deliveries.insert(0, delivery);
            self
        }

        fn entry(mut self, sequence: u64) -> Known {
            self.story.entry = Some(Entry {
                id: "7".into(),
                incarnation: 1,
                sequence,
                compared_text: String::new(),
                compared: None,
                hash: ContentHash([0; 16]),
                shape: 0,
                recurrence: 0,
                first_read_at: at(50),
                last_sweep: 0,
                deleted_at: None,
                last_body: None,
            });
            self
        }

        fn with(mut self, change: impl FnOnce(&mut Known)) -> Known {
            change(&mut self);
            self
        }

        fn sentence(&self) -> String {
            let events: Vec<LoggedEvent> = self.events.iter().map(|(event, _)| event.clone()).collect();
            Facts {
                poller: &self.poller,
                instance: &self.instance,
                object_id: "7",
                story: &self.story,
                events: &events,
                statuses: self.events.iter().map(|(_, status)| *status).collect(),
                deliveries: &self.deliveries,
                runs: &self.runs,
                endpoint: self.endpoint.as_ref(),
            }
            .sentence()
        }
    }

    /// The record, in these words; `{n}` is the id of run `n`.
    #[track_caller]
    fn says(known: Known, words: &[&str]) {
        let sentence = known.sentence();
        for word in words {
            let mut word = (*word).to_owned();
            for number in 1..=9 {
                word = word.replace(&format!("{{{number}}}"), &run_id(number).to_string());
            }
            assert!(sentence.contains(&word), "`{word}` is missing: {sentence}");
        }
    }

    #[test]
    fn twenty_records_are_told_with_the_right_run_and_reason() {
        use EventType::{Created, Deleted, Updated};
        use NotificationState::{Cancelled, Dead, Delivered, Queued, Retry, Split};
        let nothing = Known::nothing;
        let ignored = |why, reason: &str| nothing().decided(3, Verdict::Ignored(why), reason);
        says(nothing(), &["No run has seen a record `7`", "The poller is well, complete to 2026"]);
        says(
            nothing().with(|it| it.poller.paused = Some("moving".into())),
            &["The poller is paused: moving."],
        );
        says(nothing().with(|it| it.instance.enabled = false), &["Its instance is disabled."]);
        says(
            nothing().with(|it| {
                let sentence = "the provider answered 401; renew its key.".to_owned();
                it.poller.status = Status { code: "unauthorized".into(), sentence, needs_attention: true };
            }),
            &["The poller is failing (unauthorized), complete to", "answered 401; renew its key."],
        );
        says(
            ignored(Ignored::BeforeWindow, "older than the window"),
            &["It is no event, because {3}", "ignored it (before-window): older than the window."],
        );
        says(
            ignored(Ignored::Quarantined, "`updated` is `soon`, which is no date"),
            &["{3}", "(quarantined): `updated` is `soon`"],
        );
        says(ignored(Ignored::Filtered, "it has no date"), &["{3}", "(filtered): it has no date."]);
        says(
            nothing().decided(1, Verdict::Seeded, "it was there before").entry(0),
            &["{1}", "took it as known without one (seeded): it was there before."],
        );
        // What is read again and again stays what it was at first.
        let again = |known: Known| known.decided(5, Verdict::Ignored(Ignored::Reported), "already reported");
        let seeded = nothing().decided(1, Verdict::Seeded, "it was there before").entry(0);
        says(again(seeded), &["{1}", "(seeded): it was there before.", "{5} read the same version again."]);
        says(again(nothing().entry(0)), &["(seeded) when it was first read at 2026", "{5} read the same"]);
        says(
            again(nothing().entry(4)),
            &["older than what the log keeps", "{5} read the same version again"],
        );
        says(nothing().entry(0), &["(seeded) when it was first read at 2026", "is not kept"]);
        says(nothing().entry(4), &["Its events are older than what the log keeps"]);
        says(
            nothing().reported(2, Created, "NOTIFIED").carried(9, Delivered, 0),
            &["reported as CREATED by {2}", "it was delivered by delivery 9 at 2026"],
        );
        says(
            nothing().reported(2, Updated, "NOTIFIED").carried(9, Delivered, 0).decided(
                3,
                Verdict::Ignored(Ignored::Reported),
                "already reported",
            ),
            &["reported as UPDATED by {2}", "{3} read the same version again and did not report it twice"],
        );
        says(
            nothing().reported(2, Updated, "NOTIFIED").carried(9, Delivered, 0).decided(
                3,
                Verdict::Ignored(Ignored::Superseded),
                "an older version, read soon after a newer one",
            ),
            &[
                "It is no event, because {3}",
                "(superseded)",
                "Before that, it was reported as UPDATED by {2}",
            ],
        );
        says(
            nothing().reported(2, Deleted, "DISPATCHED").carried(9, Retry, 3),
            &[
                "reported as DELETED",
                "delivery 9 carries it, failed 3 times and is being retried, next at 2026",
            ],
        );
        says(
            nothing().reported(2, Updated, "DISPATCHED").carried(9, Dead, 9),
            &["{2}", "delivery 9 is a dead letter: given up after its last retry"],
        );
        says(
            nothing().reported(2, Updated, "DISPATCHED").carried(9, Retry, 1).reported(4, Updated, "NEW"),
            &["by {4}", "it is held behind the earlier event", "whose delivery 9 is retry"],
        );
        let off = |it: &mut Known| {
            let endpoint = it.endpoint.as_mut().unwrap();
            (endpoint.state, endpoint.reason) = (EndpointState::Disabled, "it answered 410".into());
        };
        says(
            nothing().reported(2, Updated, "NEW").with(off),
            &["it waits, because endpoint 5 is disabled: it answered 410"],
        );
        says(
            nothing().reported(2, Updated, "DISPATCHED").carried(9, Queued, 0),
            &["delivery 9 carries it and is queued until somebody releases it"],
        );
        says(
            nothing().reported(2, Updated, "NOTIFIED").carried(9, Cancelled, 0),
            &["delivery 9 was cancelled, because its endpoint was removed"],
        );
        says(
            nothing().reported(2, Updated, "DISPATCHED").carried(9, Split, 3),
            &["delivery 9 was split into single ones"],
        );
        says(
            nothing().reported(2, Created, "RECEIVED").with(|it| it.endpoint = None),
            &["it has no callback to go to, and is read from the feed"],
        );
    }
}
