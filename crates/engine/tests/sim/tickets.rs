//! What is right about objects that are notified and not polled, decided from two logs: what the provider sent and was
//! told, and what was recorded.
//!
//! Everything that the provider knows to be understood is exactly one event. Events of one object stand in the order of
//! their notifications, as far as there is one: of two that were under way at the same time, either may have been kept
//! first.

use std::collections::BTreeMap;

use turnstone_core::event::Event;

use crate::oracle::{Received, Verdict};
use crate::push::{Sent, TICKETS, Told};

/// Judges the events of tickets.
pub fn judge_tickets(log: &[Sent], recorded: &[Received], verdict: &mut Verdict) {
    let mut known: BTreeMap<i64, (usize, &Told)> = BTreeMap::new();
    for (number, sent) in log.iter().enumerate() {
        for told in sent.told.iter().filter(|told| told.kind == TICKETS) {
            known.insert(date_of(told), (number, told));
        }
    }
    let mut counts: BTreeMap<i64, u32> = BTreeMap::new();
    let mut by_ticket: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
    for Received { event, .. } in recorded {
        let date = event.date.as_microsecond();
        let is_sent = known.get(&date).is_some_and(|(number, told)| {
            let is_it = told.id == event.object_id && told.what == event.event_type.as_str();
            is_it && log[*number].tried.is_some()
        });
        if !is_sent {
            verdict.invented.push(format!("{} of `{}`", event.event_type, event.object_id));
            continue;
        }
        *counts.entry(date).or_default() += 1;
        by_ticket.entry(&event.object_id).or_default().push(event);
    }
    for (date, (number, told)) in &known {
        let count = counts.get(date).copied().unwrap_or(0);
        if count == 0 && log[*number].understood.is_some() {
            verdict.lost.push(format!("notification #{number}: {} of `{}`", told.what, told.id));
        }
        if count > 1 {
            verdict.doubled.push(format!("notification #{number}: {} of `{}`", told.what, told.id));
        }
        verdict.notified += u64::from(count > 0);
    }
    for (ticket, events) in by_ticket {
        for (place, event) in events.iter().enumerate() {
            if event.sequence != place as u64 + 1 {
                verdict.disordered.push(format!("`{ticket}`: sequence {} at {place}", event.sequence));
            }
            let of = |event: &Event| known[&event.date.as_microsecond()].0;
            for later in &events[place + 1..] {
                let (first, second) = (of(event), of(later));
                let within = first == second && later.date < event.date;
                let clear = first != second && log[second].understood < log[first].tried;
                if within || clear && log[second].understood.is_some() {
                    verdict.disordered.push(format!("`{ticket}`: #{first} before #{second}"));
                }
            }
        }
    }
}

fn date_of(told: &Told) -> i64 {
    told.at.map_or(0, |at| at.as_microsecond())
}
