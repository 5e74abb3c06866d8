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
        let decided = self.story.decisions.first();
        match (self.events.first(), decided) {
            (Some(event), Some((run, decision))) if self.is_later(*run, event) => {
                let seen = self.decided(*run, decision);
                format!("{seen} Before that, {}", lower(&self.reported(event)))
            }
            (Some(event), _) => self.reported(event),
            (None, Some((run, decision))) => format!("{}{}", self.decided(*run, decision), self.state()),
            (None, None) => self.without_trace(),
        }
    }

    /// Whether a decision that says more than "reported already" is later than the last event.
    fn is_later(&self, run: RunId, event: &LoggedEvent) -> bool {
        let decision = &self.story.decisions[0].1;
        let is_news = !matches!(decision.verdict, Verdict::Ignored(Ignored::Reported));
        is_news && self.runs.get(&run).is_some_and(|run| run.started_at > event.recorded_at)
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
            Some((run, decision)) if decision.verdict == Verdict::Ignored(Ignored::Reported) => {
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

fn lower(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}
