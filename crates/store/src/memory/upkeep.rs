//! What goes when its time is over.

use std::collections::HashSet;

use jiff::Timestamp;
use turnstone_core::id::EndpointId;

use super::state::State;
use crate::api::*;

impl State {
    pub fn expire_leases(&mut self, now: Timestamp) -> u64 {
        let mut expired = 0;
        for poller in self.pollers.values_mut() {
            if poller.claim.is_some_and(|held| held.ran_out(now)) {
                poller.give_up();
                expired += 1;
            }
        }
        for notification in self.notifications.values_mut() {
            if notification.claim.is_some_and(|held| held.ran_out(now)) {
                notification.claim = None;
                expired += 1;
            }
        }
        expired
    }

    /// Attempts first, then notifications without any, then events in none: one call takes down what hangs together.
    pub fn prune(&mut self, retention: &Retention) -> Kept {
        let rows_max = retention.rows_max as usize;
        let counts = [
            self.prune_attempts(retention.attempts_before, rows_max),
            self.prune_notifications(retention.events_before, rows_max),
            self.prune_events(retention.events_before, rows_max),
            self.prune_runs(retention.runs_before, rows_max),
            self.prune_entries(retention.deleted_entries_before, rows_max),
            self.prune_requests(retention.requests_before, rows_max),
        ];
        let hints = self.prune_hints(retention.runs_before, rows_max);
        Kept {
            removed: counts.iter().map(|count| *count as u64).sum(),
            more: counts.iter().any(|count| *count >= rows_max) || hints >= rows_max,
        }
    }

    fn prune_attempts(&mut self, before: Timestamp, rows_max: usize) -> usize {
        let mut count = 0;
        for notification in self.notifications.values_mut() {
            notification.attempts.retain(|attempt| {
                let goes = attempt.started_at < before && count < rows_max;
                count += usize::from(goes);
                !goes
            });
        }
        count
    }

    fn prune_notifications(&mut self, before: Timestamp, rows_max: usize) -> usize {
        let goes: Vec<_> = self
            .notifications
            .values()
            .filter(|known| !known.row.state.is_open() && known.attempts.is_empty())
            .filter(|known| known.row.state != NotificationState::Dead)
            .filter(|known| known.row.completed_at.is_some_and(|at| at < before))
            .map(|known| known.row.id)
            .take(rows_max)
            .collect();
        for id in &goes {
            self.notifications.remove(id);
        }
        goes.len()
    }

    fn prune_events(&mut self, before: Timestamp, rows_max: usize) -> usize {
        let sent: HashSet<i64> =
            self.notifications.values().flat_map(|known| known.members.iter().copied()).collect();
        let goes: Vec<i64> = self
            .log
            .all()
            .filter(|(_, logged)| logged.recorded_at < before && !sent.contains(&logged.position))
            .filter(|(_, logged)| !self.waits(logged))
            .map(|(_, logged)| logged.position)
            .take(rows_max)
            .collect();
        for position in &goes {
            self.log.remove(*position);
        }
        goes.len()
    }

    /// Whether an endpoint has yet to send an event.
    fn waits(&self, logged: &LoggedEvent) -> bool {
        let endpoint = self.endpoint_of(logged.position);
        endpoint.and_then(|id| self.endpoints.get(&id)).is_some_and(|endpoint| {
            endpoint.row.position < logged.position || endpoint.held.contains(&logged.position)
        })
    }

    /// The endpoint that takes an event: that of its channel.
    pub fn endpoint_of(&self, position: i64) -> Option<EndpointId> {
        let of_event = self.log.channel_at(position)?;
        let mut rows = self.endpoints.values().map(|endpoint| &endpoint.row);
        rows.find(|row| row.channel() == of_event).map(|row| row.id)
    }

    fn prune_runs(&mut self, before: Timestamp, rows_max: usize) -> usize {
        let old = self.runs.iter().filter(|(_, run)| run.record.finished_at < before);
        let goes: Vec<_> = old.map(|(id, _)| *id).take(rows_max).collect();
        for id in &goes {
            self.runs.remove(id);
            self.forget_trace(*id);
        }
        goes.len()
    }

    fn prune_entries(&mut self, before: Timestamp, rows_max: usize) -> usize {
        let mut count = 0;
        for poller in self.pollers.values_mut() {
            let deleted = poller.ledger.entries.values();
            let goes: Vec<String> = deleted
                .filter(|entry| entry.deleted_at.is_some_and(|at| at < before))
                .map(|entry| entry.id.clone())
                .take(rows_max - count)
                .collect();
            count += goes.len();
            for id in &goes {
                poller.ledger.forget(id);
            }
        }
        count
    }
}
