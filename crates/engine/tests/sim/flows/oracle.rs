//! What is right, decided from three logs: who was born at the provider, what it answered, and what was recorded.
//!
//! With `record.id`, each user of the subscription's group who was born after the cursor that it started from (or was
//! turned back to), and appeared within the overlap, is one event of that subscription: not none and not two. Between
//! that cursor and the overlap before it an event is allowed, before that none is. Without `record.id` the events are
//! those records, repeats included, that the answers of committed runs listed; and nobody who appeared at once is
//! missing, unless both bounds leave out their edge.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use turnstone_core::event::Event;
use turnstone_core::id::{EventId, RunId};

use super::scenario::Scenario;
use super::store::Ran;
use super::users::{User, name_of};
use crate::oracle::Verdict;
use crate::stamp::*;

/// What is judged.
pub struct Case<'a> {
    pub scenario: &'a Scenario,
    pub users: &'a [User],
    pub ran: &'a [Ran],
    /// The earliest cursor of each subscription that it started from or was turned back to; `None`: none at all.
    pub from: &'a [Option<Micros>],
    /// Of each subscription, what was recorded.
    pub events: &'a [Vec<Event>],
}

/// Judges a seed.
pub fn judge(case: &Case<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    for (of, subscribed) in case.scenario.subscribed.iter().enumerate() {
        verdict.events += case.events[of].len() as u64;
        if subscribed.by_id {
            once_each(case, of, &mut verdict);
        } else {
            as_answered(case, of, &mut verdict);
            edges_without_overlap(case, of, &mut verdict);
        }
        cursors(case, of, &mut verdict);
    }
    let mut ids: BTreeSet<EventId> = BTreeSet::new();
    for event in case.events.iter().flatten() {
        if !ids.insert(event.id) {
            verdict.doubled.push(format!("the event id of {} {} is used twice", event.id, event.object_id));
        }
    }
    verdict
}

/// The users of events, in their order.
fn named(events: &[Event]) -> Vec<String> {
    let id = |event: &Event| {
        let record: Value = serde_json::from_str(event.record.as_deref()?).ok()?;
        record["User"]["ID"].as_str().map(str::to_owned)
    };
    events.iter().map(|event| id(event).unwrap_or_else(|| "nobody".into())).collect()
}

fn is_of_group(case: &Case<'_>, of: usize, user: &User) -> bool {
    case.scenario.subscribed[of].group.is_none_or(|group| group == user.group)
}

fn once_each(case: &Case<'_>, of: usize, verdict: &mut Verdict) {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for name in named(&case.events[of]) {
        *counts.entry(name).or_default() += 1;
    }
    for (at, user) in case.users.iter().enumerate() {
        let count = counts.remove(&name_of(at)).unwrap_or(0);
        let told = |what: &str| {
            format!("{what}: {} in subscription {of}, born {}", name_of(at), timestamp(user.born))
        };
        let since = case.from[of];
        let due = since.is_none_or(|since| user.born > since) && is_of_group(case, of, user);
        let step = case.scenario.unit.max(if case.scenario.cuts { case.scenario.unit } else { 1 });
        let allowed = since.is_none_or(|since| user.born >= since - case.scenario.overlap - step)
            && is_of_group(case, of, user);
        match (count, due && !user.too_late) {
            (0, true) => verdict.lost.push(told("lost")),
            (1, true) => verdict.arrived += 1,
            (0, false) => {}
            (1, false) if allowed => {}
            (1, false) => verdict.invented.push(told("not asked for")),
            (_, _) => verdict.doubled.push(told(&format!("{count} times"))),
        }
        if user.too_late && due {
            verdict.late += 1;
        }
    }
    for name in counts.keys() {
        verdict.invented.push(format!("{name} in subscription {of}, who never was"));
    }
}

fn as_answered(case: &Case<'_>, of: usize, verdict: &mut Verdict) {
    let mut by_run: BTreeMap<RunId, Vec<Event>> = BTreeMap::new();
    for event in &case.events[of] {
        by_run.entry(event.run).or_default().push(event.clone());
    }
    for ran in case.ran.iter().filter(|ran| ran.of == of) {
        let recorded = named(&by_run.remove(&ran.run).unwrap_or_default());
        let listed = ran.listed.as_deref().filter(|_| ran.completed).unwrap_or_default();
        let answered: Vec<String> = listed.iter().map(|at| name_of(*at)).collect();
        if recorded.len() < answered.len() {
            verdict.lost.push(format!("run {}: answered {answered:?}, recorded {recorded:?}", ran.run));
        } else if recorded.len() > answered.len() {
            verdict.doubled.push(format!("run {}: answered {answered:?}, recorded {recorded:?}", ran.run));
        } else if recorded != answered {
            verdict.invented.push(format!("run {}: answered {answered:?}, recorded {recorded:?}", ran.run));
        }
    }
    for (run, events) in by_run {
        verdict.invented.push(format!("{:?} of run {run}, which was never written", named(&events)));
    }
}

/// Without an overlap and without lateness windows lie side by side: nothing falls between them.
fn edges_without_overlap(case: &Case<'_>, of: usize, verdict: &mut Verdict) {
    let names: BTreeMap<String, usize> =
        named(&case.events[of]).into_iter().fold(BTreeMap::new(), |mut all, name| {
            *all.entry(name).or_default() += 1;
            all
        });
    let open = !case.scenario.after_inclusive && !case.scenario.before_inclusive;
    for (at, user) in case.users.iter().enumerate() {
        let count = names.get(&name_of(at)).copied().unwrap_or(0);
        if count > 1 {
            verdict.classes.insert("repeated without an id".into());
        }
        let punctual =
            user.visible + case.scenario.theirs < user.born + case.scenario.unit && case.scenario.unit == 1;
        let due = case.from[of].is_none_or(|since| user.born > since) && is_of_group(case, of, user);
        // Born on the end of this subscription's window while the provider was being asked for it.
        let on_edge = case.ran.iter().any(|ran| {
            let in_time = ran.asked <= Some(user.visible) && Some(user.visible) <= ran.listed_at;
            let moved = ran.after != ran.before;
            ran.of == of && moved && ran.after == Some(user.born) && in_time
        });
        if on_edge {
            verdict.classes.insert("on an edge, without an overlap".into());
        }
        if due && on_edge && open {
            *verdict.limits.entry("on an edge that no window includes").or_default() += u64::from(count == 0);
        } else if due && (punctual || on_edge) && count == 0 {
            verdict.lost.push(format!("{} in subscription {of}, without an id", name_of(at)));
        }
    }
}

fn cursors(case: &Case<'_>, of: usize, verdict: &mut Verdict) {
    for ran in case.ran.iter().filter(|ran| ran.of == of) {
        verdict.passes += 1;
        let told = |what: &str| format!("subscription {of}, run {}: the cursor {what}: {ran:?}", ran.run);
        let well = ran.completed && ran.listed.is_some();
        if !well && ran.before != ran.after {
            verdict.moved.push(told("moved though the run failed"));
        }
        if well && ran.before == ran.after && ran.before.is_none() {
            verdict.moved.push(told("was not saved"));
        }
        if ran.by_run && ran.after < ran.before {
            verdict.moved.push(told("went back"));
        }
        let ahead = |asked: Micros| ran.after != ran.before && ran.after > Some(asked + case.scenario.theirs);
        if ran.asked.is_some_and(ahead) {
            verdict.moved.push(told("is ahead of the provider's clock"));
        }
    }
}
