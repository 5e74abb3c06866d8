//! Compares what was received with what really happened, by the provider's own log of changes.
//!
//! Nothing of the engine's opinion goes in, except when its runs began and ended: a version that stood unchanged in the
//! provider during a whole run had to be seen by it, and a deletion without a trace had to be seen by the second sweep
//! after it. What came and went between two runs is *collapsed*; what no run had time for yet is *on the way*.

use std::collections::HashMap;

use serde::Serialize;
use turnstone_provider::{Change, ChangeKind};

use super::receiver::ReceivedEvent;

/// A completed run of a resource.
#[derive(Clone, Debug)]
pub struct Sitting {
    /// The resource.
    pub resource: String,
    /// Whether it read everything to find what is gone.
    pub sweep: bool,
    /// Its start, in microseconds since 1970.
    pub started: i64,
    /// Its end, in microseconds since 1970.
    pub finished: i64,
}

/// The counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// Changes of the provider since it was opened.
    pub changes: u64,
    /// Changes that were received exactly once.
    pub matched: u64,
    /// Changes that had to be received and were not.
    pub lost: u64,
    /// Events received again.
    pub doubled: u64,
    /// Events of changes that never happened.
    pub invented: u64,
    /// Versions that were replaced before any run could see them.
    pub collapsed: u64,
    /// Changes that no run had time for yet.
    pub on_the_way: u64,
}

impl Comparison {
    /// Whether the promise held.
    pub fn holds(&self) -> bool {
        self.lost == 0 && self.doubled == 0 && self.invented == 0
    }
}

/// What was received of one record.
#[derive(Default)]
struct Heard {
    versions: HashMap<u32, u64>,
    deletions: u64,
}

/// Compares. `traceless` names the resources whose deletions only a sweep can find.
pub fn compare(
    received: &[ReceivedEvent],
    truth: &[Change],
    sittings: &[Sitting],
    traceless: &[&str],
) -> Comparison {
    let mut counts = Comparison { changes: truth.len() as u64, ..Comparison::default() };
    let mut heard: HashMap<(&str, &str), Heard> = HashMap::new();
    for event in received {
        let record = heard.entry((&event.resource, &event.object_id)).or_default();
        match (event.kind.as_str(), event.version) {
            ("DELETED", _) => record.deletions += 1,
            (_, Some(version)) => *record.versions.entry(version).or_default() += 1,
            (_, None) => counts.invented += 1,
        }
    }
    let mut histories: HashMap<(&str, &str), Vec<&Change>> = HashMap::new();
    for change in truth {
        histories.entry((&change.resource, &change.id)).or_default().push(change);
    }
    for (record, history) in &histories {
        let heard = heard.remove(record).unwrap_or_default();
        let runs: Vec<&Sitting> = sittings.iter().filter(|run| run.resource == record.0).collect();
        judge(history, heard, &runs, traceless.contains(&record.0), &mut counts);
    }
    for unknown in heard.values() {
        counts.invented += unknown.deletions + unknown.versions.values().sum::<u64>();
    }
    counts
}

fn judge(history: &[&Change], mut heard: Heard, runs: &[&Sitting], traceless: bool, counts: &mut Comparison) {
    // A record that was there before the start, or of which a version came through.
    let known = history[0].kind != ChangeKind::Created || !heard.versions.is_empty();
    for (at, change) in history.iter().enumerate() {
        let replaced_at = history.get(at + 1).map_or(i64::MAX, |next| next.at);
        let stood_during = |run: &&&Sitting| run.started >= change.visible_at && run.finished <= replaced_at;
        let (times, due) = match change.kind {
            ChangeKind::Created | ChangeKind::Updated => {
                let times = heard.versions.remove(&change.version).unwrap_or_default();
                (times, runs.iter().any(|run| stood_during(&run)))
            }
            ChangeKind::Deleted => {
                let times = std::mem::take(&mut heard.deletions);
                let sweeps = runs.iter().filter(stood_during).filter(|run| run.sweep).count();
                let due =
                    if traceless { known && sweeps >= 2 } else { runs.iter().any(|run| stood_during(&run)) };
                (times, due)
            }
        };
        let hidden = replaced_at != i64::MAX || change.kind == ChangeKind::Deleted && traceless && !known;
        match (times, due) {
            (0, true) => counts.lost += 1,
            (0, false) if hidden => counts.collapsed += 1,
            (0, false) => counts.on_the_way += 1,
            (times, _) => {
                counts.matched += 1;
                counts.doubled += times - 1;
            }
        }
    }
    counts.invented += heard.deletions + heard.versions.values().sum::<u64>();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(id: &str, version: u32, kind: ChangeKind, at: i64) -> Change {
        let resource = "customers".to_owned();
        Change { seq: 0, resource, id: id.into(), version, kind, at, stamp: at, visible_at: at }
    }

    fn event(id: &str, kind: &str, version: Option<u32>) -> ReceivedEvent {
        ReceivedEvent {
            id: format!("evt_{id}_{version:?}"),
            kind: kind.into(),
            resource: "customers".into(),
            object_id: id.into(),
            reason: String::new(),
            version,
        }
    }

    fn run(started: i64, sweep: bool) -> Sitting {
        Sitting { resource: "customers".into(), sweep, started, finished: started + 5 }
    }

    #[track_caller]
    fn check(received: &[ReceivedEvent], truth: &[Change], sittings: &[Sitting], expect: Comparison) {
        let changes = truth.len() as u64;
        let traceless = ["customers"];
        assert_eq!(compare(received, truth, sittings, &traceless), Comparison { changes, ..expect });
    }

    #[test]
    fn a_version_that_stood_during_a_run_must_have_come() {
        let truth = [change("1", 1, ChangeKind::Created, 10), change("1", 2, ChangeKind::Updated, 30)];
        let runs = [run(15, false), run(40, false)];
        let both = [event("1", "CREATED", Some(1)), event("1", "UPDATED", Some(2))];
        check(&both, &truth, &runs, Comparison { matched: 2, ..Comparison::default() });
        check(&both[1..], &truth, &runs, Comparison { matched: 1, lost: 1, ..Comparison::default() });
        let collapsed = Comparison { matched: 1, collapsed: 1, ..Comparison::default() };
        check(&both[1..], &truth, &runs[1..], collapsed);
        check(&[], &truth[1..], &[], Comparison { on_the_way: 1, ..Comparison::default() });
    }

    #[test]
    fn a_repeat_and_an_event_out_of_nowhere_are_seen() {
        let truth = [change("1", 1, ChangeKind::Created, 10)];
        let twice = [event("1", "CREATED", Some(1)), event("1", "CREATED", Some(1))];
        check(&twice, &truth, &[], Comparison { matched: 1, doubled: 1, ..Comparison::default() });
        let strange =
            [event("1", "UPDATED", Some(7)), event("2", "DELETED", None), event("1", "UPDATED", None)];
        let expect = Comparison { lost: 1, invented: 3, ..Comparison::default() };
        check(&strange, &truth, &[run(20, false)], expect);
    }

    #[test]
    fn a_deletion_without_a_trace_is_due_with_the_second_sweep() {
        let truth = [change("1", 2, ChangeKind::Deleted, 10)];
        let runs = [run(20, true), run(30, false), run(40, true)];
        check(&[], &truth, &runs[..2], Comparison { on_the_way: 1, ..Comparison::default() });
        check(&[], &truth, &runs, Comparison { lost: 1, ..Comparison::default() });
        let found = [event("1", "DELETED", None)];
        check(&found, &truth, &runs, Comparison { matched: 1, ..Comparison::default() });
    }

    #[test]
    fn a_record_that_came_and_went_between_two_runs_is_collapsed() {
        let truth = [change("1", 1, ChangeKind::Created, 10), change("1", 2, ChangeKind::Deleted, 12)];
        let runs = [run(20, true), run(40, true)];
        check(&[], &truth, &runs, Comparison { collapsed: 2, ..Comparison::default() });
    }
}
