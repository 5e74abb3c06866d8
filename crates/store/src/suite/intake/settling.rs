//! What becomes of requests: events with their numbers, and states.

use std::sync::Arc;

use turnstone_core::event::{Event, EventType};
use turnstone_core::id::{EventId, InboundId, RunId};
use turnstone_core::intake::{BodyFormat, Reported};
use turnstone_core::json_hash::ContentHash;
use turnstone_core::ledger::{Entry, Known, Recall, Version};
use turnstone_core::limits::NOTIFIED_RESOURCES_MAX;

use super::Both;
use super::world::{World, any_request, event, hint, named, order, quarantine, settlement};
use crate::api::*;
use crate::intake::*;
use crate::suite::world::{any_event, at, everything_before, new_instance};

async fn events(world: &World) -> Vec<LoggedEvent> {
    world.store.events(world.org, &any_event()).await.unwrap()
}

/// What is remembered of a record, by the row that numbers its kind.
async fn entry(world: &World, poller: turnstone_core::id::PollerId, id: &str) -> Option<Entry> {
    let version = Version { id: id.into(), compared: None, hash: ContentHash([0; 16]) };
    match world.store.recall(poller, &Recall::Versions(vec![version])).await.unwrap() {
        Known::Versions(mut known) => known.remove(0).entry,
        Known::Missing { .. } => panic!("a version was asked for"),
    }
}

pub async fn settling_records_events(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    world.record(&[(90, "polled")]).await;
    let id = world.receive(1, 2).await;
    let reported = vec![order(1, "b"), event(2, "notes", "n\0", EventType::Deleted)];
    assert_eq!(world.settle(id, reported, 4).await, (2, 0));
    let logged = events(&world).await;
    assert_eq!(logged.len(), 3);
    assert_eq!(logged[0].event.inbound, None);
    let expected = Event {
        id: EventId(1u128.to_be_bytes()),
        poller: logged[1].event.poller,
        instance: world.instance,
        run: RunId([9; 16]),
        inbound: Some(id),
        event_type: EventType::Updated,
        object_type: "orders".into(),
        object_id: "b".into(),
        element_key: "crm".into(),
        date: at(3),
        sequence: 1,
        reason: "reported".into(),
        compared: String::new(),
        page: 0,
        record: None,
    };
    assert_eq!(logged[1].event, expected);
    assert_eq!((logged[1].recorded_at, logged[2].recorded_at), (at(4), at(4)));
    assert_eq!((logged[1].position, logged[2].position), (logged[0].position + 1, logged[0].position + 2));
    assert_eq!((logged[2].event.object_id.as_str(), logged[2].event.event_type), ("n\0", EventType::Deleted));
    let pollers: Vec<_> = logged.iter().map(|logged| logged.event.poller).collect();
    assert!(
        pollers[0] != pollers[1] && pollers[1] != pollers[2],
        "each kind has a row of its own: {pollers:?}"
    );
    let one = EventFilter { id: Some(logged[1].event.id), ..any_event() };
    assert_eq!(world.store.events(world.org, &one).await.unwrap(), [logged[1].clone()]);

    let row = world.row(id).await;
    assert_eq!((row.state, row.events, row.hints), (InboundState::Settled, 2, 0));
    assert_eq!((row.format, row.element_revision), (Some(BodyFormat::Json), Some(4)));
    assert_eq!((row.next_due, row.settled_at, row.failures), (None, Some(at(4)), 0));
}

pub async fn a_request_is_settled_once(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let id = world.tell(1, vec![order(1, "a")], 1).await;
    let again = world.try_settle(id, InboundOutcome::Settled(vec![order(2, "a")]), 2).await.unwrap();
    assert_eq!(again, SettledAs::Stale);
    let aside = world.try_settle(id, InboundOutcome::Quarantined(quarantine()), 2).await.unwrap();
    assert_eq!(aside, SettledAs::Stale);
    let later = InboundOutcome::Postponed { failures: 1, next_due: at(9) };
    assert_eq!(world.try_settle(id, later, 2).await.unwrap(), SettledAs::Stale);
    let unknown = world.try_settle(InboundId(999), InboundOutcome::Settled(vec![order(3, "a")]), 2).await;
    assert_eq!(unknown.unwrap(), SettledAs::Stale);
    assert_eq!(world.numbered().await, [("a".to_string(), 1)]);
    assert_eq!(world.row(id).await.settled_at, Some(at(1)));
}

pub async fn only_the_first_is_settled(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let (other, _) = world.add(2, &[]).await;
    let first = world.receive(1, 1).await;
    let second = world.receive(2, 1).await;
    let Received::New(foreign) = world.take_in(other, named(3), 1).await else { panic!() };
    let outcome = || InboundOutcome::Settled(vec![order(1, "a")]);
    assert_eq!(world.try_settle(second, outcome(), 2).await.unwrap(), SettledAs::Stale);
    let aside = InboundOutcome::Quarantined(quarantine());
    assert_eq!(world.try_settle(second, aside, 2).await.unwrap(), SettledAs::Stale);
    assert_eq!(events(&world).await, []);
    world.settle(foreign, vec![], 2).await;
    world.settle(first, vec![], 2).await;
    world.settle(second, vec![order(1, "a")], 2).await;
    assert_eq!(events(&world).await.len(), 1);
}

pub async fn one_that_is_put_aside_lets_the_others_pass(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let first = world.receive(1, 1).await;
    let second = world.receive(2, 1).await;
    world.put_aside(first, 2).await;
    let row = world.row(first).await;
    assert_eq!((row.state, row.quarantine), (InboundState::Quarantined, Some(quarantine())));
    assert_eq!((row.next_due, row.settled_at), (None, Some(at(2))));
    assert_eq!(row.format, Some(BodyFormat::Json));
    world.settle(second, vec![order(1, "a")], 3).await;
    assert_eq!(world.intake.replay(world.org, &any_request(), at(4)).await.unwrap(), 1);
    let third = world.receive(3, 4).await;
    assert_eq!(world.due_requests(4).await, [first], "it is the first again");
    assert_eq!(world.try_settle(third, InboundOutcome::Settled(vec![]), 5).await.unwrap(), SettledAs::Stale);
    world.settle(first, vec![order(2, "a")], 5).await;
    assert_eq!(world.numbered().await, [("a".to_string(), 1), ("a".to_string(), 2)]);
}

pub async fn postponing_waits_for_its_time(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let id = world.receive(1, 1).await;
    let later = InboundOutcome::Postponed { failures: 3, next_due: at(20) };
    let done = world.try_settle(id, later, 2).await.unwrap();
    assert_eq!(done, SettledAs::Done { events: 0, pollers: 0 });
    let row = world.row(id).await;
    assert_eq!((row.state, row.failures, row.next_due), (InboundState::Received, 3, Some(at(20))));
    assert_eq!((row.settled_at, row.format, row.element_revision), (None, Some(BodyFormat::Json), Some(4)));
    assert_eq!((world.due_requests(19).await, world.due_requests(20).await), (vec![], vec![id]));
    // Whoever has it may settle it before.
    world.settle(id, vec![order(1, "a")], 3).await;
    assert_eq!(world.row(id).await.failures, 0);
}

pub async fn the_reason_stays_until_it_is_settled(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let id = world.receive(1, 1).await;
    world.put_aside(id, 2).await;
    world.intake.replay(world.org, &any_request(), at(3)).await.unwrap();
    assert_eq!(world.row(id).await.quarantine, Some(quarantine()));
    let later = InboundOutcome::Postponed { failures: 1, next_due: at(4) };
    world.try_settle(id, later, 4).await.unwrap();
    assert_eq!(world.row(id).await.quarantine, Some(quarantine()));
    world.settle(id, vec![], 5).await;
    assert_eq!(world.row(id).await.quarantine, None);
}

pub async fn known_events_are_passed_over(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    world.record(&[(1, "polled")]).await;
    let id = world.receive(1, 1).await;
    let reported =
        vec![order(1, "a"), order(2, "a"), order(2, "a"), event(1, "notes", "x", EventType::Created)];
    assert_eq!(world.settle(id, reported, 2).await, (1, 0));
    assert_eq!(world.row(id).await.events, 1);
    assert_eq!(world.numbered().await, [("polled".to_string(), 1), ("a".to_string(), 1)]);
    let next = world.tell(2, vec![order(2, "a"), order(3, "a")], 3).await;
    assert_eq!(world.row(next).await.events, 1);
    let numbered = world.numbered().await;
    assert_eq!(numbered[2], ("a".to_string(), 2), "what is passed over is not counted");
    let inbound: Vec<_> = events(&world).await.iter().map(|logged| logged.event.inbound).collect();
    assert_eq!(inbound, [None, Some(id), Some(next)]);
}

pub async fn records_are_numbered(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    world.tell(1, vec![order(1, "a"), order(2, "b"), order(3, "a")], 1).await;
    world.tell(2, vec![event(4, "notes", "a", EventType::Created), order(5, "a"), order(6, "A")], 2).await;
    let numbers: Vec<u64> = events(&world).await.iter().map(|logged| logged.event.sequence).collect();
    assert_eq!(numbers, [1, 1, 2, 1, 3, 1]);
    let (other, _) = world.add(2, &[]).await;
    let Received::New(id) = world.take_in(other, named(1), 3).await else { panic!() };
    world.settle(id, vec![order(7, "a")], 3).await;
    assert_eq!(events(&world).await[6].event.sequence, 1, "instances do not share numbers");
    let logged = events(&world).await;
    let known = entry(&world, logged[0].event.poller, "a").await.unwrap();
    assert_eq!((known.sequence, known.incarnation, known.deleted_at), (3, 1, None));
    assert_eq!((known.compared, known.first_read_at), (Some(at(3).as_microsecond()), at(2)));
    assert_eq!(logged[0].event.poller, logged[4].event.poller);
}

pub async fn a_deleted_record_may_come_back(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let deleted = |number| event(number, "orders", "a", EventType::Deleted);
    world.tell(1, vec![order(1, "a"), deleted(2)], 1).await;
    let poller = events(&world).await[0].event.poller;
    let known = entry(&world, poller, "a").await.unwrap();
    assert_eq!((known.incarnation, known.deleted_at), (1, Some(at(1))));
    world.tell(2, vec![deleted(3)], 2).await;
    let known = entry(&world, poller, "a").await.unwrap();
    assert_eq!((known.incarnation, known.deleted_at), (1, Some(at(2))));
    world.tell(3, vec![order(4, "a")], 3).await;
    let known = entry(&world, poller, "a").await.unwrap();
    assert_eq!((known.incarnation, known.sequence, known.deleted_at), (2, 4, None));
    let numbers: Vec<u64> = events(&world).await.iter().map(|logged| logged.event.sequence).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
    // What was deleted long ago is forgotten like any other record.
    world.tell(4, vec![deleted(5)], 4).await;
    world.store.prune(&everything_before(5)).await.unwrap();
    assert_eq!(entry(&world, poller, "a").await, None);
}

pub async fn numbers_go_on_however_many_records_there_are(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let mut number = 0;
    for round in 0..4u8 {
        let mut reported: Vec<Reported> = Vec::new();
        for object in 0..60 {
            number += 1;
            reported.push(order(number, &format!("r{object}")));
        }
        // Twice in one request, the second time after many others.
        number += 1;
        reported.push(order(number, "r0"));
        world.tell(round, reported, i64::from(round)).await;
        // A poll in between moves entries about as well.
        world.record(&[(10_000 + u128::from(round), "polled")]).await;
    }
    let numbers = world.numbered().await;
    let of = |object: &str| -> Vec<u64> {
        numbers.iter().filter(|(known, _)| known == object).map(|(_, sequence)| *sequence).collect()
    };
    assert_eq!(of("r0"), [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(of("r59"), [1, 2, 3, 4]);
}

pub async fn one_of_two_settlers_wins(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let mut ids = Vec::new();
    for number in 1..=20 {
        let (instance, _) = world.add(number + 1, &[]).await;
        let Received::New(id) = world.take_in(instance, named(number), 1).await else { panic!() };
        ids.push(id);
    }
    let tasks = ids.iter().flat_map(|id| [(*id, 0), (*id, 1)]).map(|(id, twin)| {
        let intake = world.intake.clone();
        let number = id.0 as u128 * 2 + twin;
        let outcome = InboundOutcome::Settled(vec![order(number, "a")]);
        tokio::spawn(async move { intake.settle(id, settlement(outcome), at(2)).await.unwrap() })
    });
    let mut done = 0;
    for task in tasks.collect::<Vec<_>>() {
        done += usize::from(task.await.unwrap() == SettledAs::Done { events: 1, pollers: 0 });
    }
    assert_eq!((done, events(&world).await.len()), (20, 20));
    assert!(events(&world).await.iter().all(|logged| logged.event.sequence == 1));
}

pub async fn kinds_of_objects_are_bounded(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let most = NOTIFIED_RESOURCES_MAX;
    let kind = |number: usize| event(number as u128 + 1, &format!("kind{number}"), "a", EventType::Created);
    world.tell(1, (0..most - 1).map(kind).collect(), 1).await;
    let id = world.receive(2, 2).await;
    let refused = InboundOutcome::Settled(vec![
        order(9_000, "a"),
        event(9_001, "onemore", "a", EventType::Created),
        hint("c", EventType::Updated, None),
    ]);
    match world.try_settle(id, refused, 2).await {
        Err(StoreError::Conflict(sentence)) => assert!(sentence.contains(&most.to_string()), "{sentence}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(events(&world).await.len(), most - 1, "nothing of it was written");
    assert_eq!(world.hints().await, []);
    assert_eq!(world.row(id).await.state, InboundState::Received);
    // What is known may go on, one more fits, and other instances have room of their own.
    world.settle(id, vec![order(9_000, "a"), event(9_002, "kind7", "a", EventType::Updated)], 3).await;
    assert_eq!(events(&world).await[most].event.sequence, 2);
    let (other, _) = world.add(2, &[]).await;
    let Received::New(foreign) = world.take_in(other, named(3), 4).await else { panic!() };
    world.settle(foreign, vec![event(9_003, "onemore", "a", EventType::Created)], 4).await;
    let id = world.receive(4, 5).await;
    let known = event(9_003, "another", "a", EventType::Created);
    assert_eq!(world.settle(id, vec![known], 5).await, (0, 0), "what is passed over needs no room");
}

pub async fn what_numbers_events_is_no_poller(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    world.tell(1, vec![order(1, "a")], 1).await;
    let poller = events(&world).await[0].event.poller;
    let rows = world.store.pollers(world.org, None).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [world.poller]);
    assert_eq!(world.store.pollers(world.org, Some(world.instance)).await.unwrap().len(), 1);
    let missing = |answer: Result<()>| {
        assert!(matches!(answer, Err(StoreError::NotFound("poller"))), "{answer:?}");
    };
    missing(world.store.poller(world.org, poller).await.map(drop));
    missing(world.store.set_due(world.org, poller, at(0), true).await);
    missing(world.store.pause(world.org, poller, "x").await);
    missing(world.store.set_state(world.org, poller, "x", None, at(2)).await);
    missing(world.store.runs(world.org, poller, 9).await.map(drop));
    world.store.set_enabled(world.org, world.instance, false).await.unwrap();
    world.store.set_enabled(world.org, world.instance, true).await.unwrap();
    let due = world.store.due(at(999), 9, 9).await.unwrap();
    assert_eq!(due.iter().map(|due| due.poller).collect::<Vec<_>>(), [world.poller]);
    assert_eq!(world.store.claim(poller, at(999), super::super::world::LEASE).await.unwrap(), None);
    world.store.pause(world.org, world.poller, "x").await.unwrap();
    assert_eq!(world.store.next_due().await.unwrap(), None);
}

pub async fn changes_keep_the_numbers(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    world.tell(1, vec![order(1, "a")], 1).await;
    // From now on orders are polled, and then not any more.
    for resources in [&["contacts", "orders"][..], &["contacts"]] {
        let new = new_instance(world.org, 1, resources);
        world.store.update_instance(world.org, world.instance, new, at(2)).await.unwrap();
    }
    world.tell(2, vec![order(2, "a")], 3).await;
    assert_eq!(world.numbered().await, [("a".to_string(), 1), ("a".to_string(), 2)]);
}

pub async fn replaying_starts_from_zero(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let id = world.receive(1, 1).await;
    let later = InboundOutcome::Postponed { failures: 3, next_due: at(2) };
    world.try_settle(id, later, 2).await.unwrap();
    world.put_aside(id, 3).await;
    assert_eq!(world.intake.replay(world.org, &any_request(), at(9)).await.unwrap(), 1);
    let row = world.row(id).await;
    assert_eq!((row.state, row.failures, row.next_due), (InboundState::Received, 0, Some(at(9))));
    assert_eq!((row.settled_at, row.received_at), (None, at(1)));
    assert_eq!((world.due_requests(8).await, world.due_requests(9).await), (vec![], vec![id]));
    assert_eq!(world.intake.replay(world.org, &any_request(), at(10)).await.unwrap(), 0, "it waits already");
    world.settle(id, vec![], 10).await;
    assert_eq!(world.intake.replay(world.org, &any_request(), at(11)).await.unwrap(), 0, "it is settled");
}

pub async fn replaying_counts_what_qualifies(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    world.tell(1, vec![], 1).await;
    let mut aside = Vec::new();
    for number in 2..=6 {
        let id = world.receive(number, 1).await;
        world.put_aside(id, 1).await;
        aside.push(id);
    }
    let one = InboundFilter { id: Some(aside[4]), ..any_request() };
    assert_eq!(world.intake.discard(world.org, &one, at(2)).await.unwrap(), 1);
    let replay = async |filter: InboundFilter| {
        let count = world.intake.replay(world.org, &filter, at(3)).await.unwrap();
        let received = InboundFilter { state: Some(InboundState::Received), ..any_request() };
        (count, world.ids(received).await)
    };
    assert_eq!(replay(InboundFilter { limit: 0, ..any_request() }).await, (0, vec![]));
    let settled = InboundFilter { state: Some(InboundState::Settled), ..any_request() };
    assert_eq!(replay(settled).await, (0, vec![]));
    let first = InboundFilter { limit: 1, ..any_request() };
    assert_eq!(replay(first).await, (1, vec![aside[0]]));
    let after = InboundFilter { after: aside[1].0, limit: 1, ..any_request() };
    assert_eq!(replay(after).await, (1, vec![aside[0], aside[2]]));
    let newest = InboundFilter { newest_first: true, limit: 1, ..any_request() };
    assert_eq!(replay(newest).await, (1, vec![aside[0], aside[2], aside[4]]), "a discarded one may run, too");
    let quarantined = InboundFilter { state: Some(InboundState::Quarantined), ..any_request() };
    assert_eq!(replay(quarantined).await.0, 2);
    let foreign = InboundFilter { instance: Some(turnstone_core::id::InstanceId(999)), ..any_request() };
    assert_eq!(replay(foreign).await.0, 0);
}

pub async fn discarding_ends_what_was_put_aside(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let first = world.receive(1, 1).await;
    world.put_aside(first, 1).await;
    let second = world.receive(2, 1).await;
    world.put_aside(second, 1).await;
    let waiting = world.receive(3, 1).await;
    let received = InboundFilter { state: Some(InboundState::Received), ..any_request() };
    assert_eq!(world.intake.discard(world.org, &received, at(2)).await.unwrap(), 0);
    let one = InboundFilter { limit: 1, ..any_request() };
    assert_eq!(world.intake.discard(world.org, &one, at(2)).await.unwrap(), 1);
    let row = world.row(first).await;
    assert_eq!((row.state, row.settled_at), (InboundState::Discarded, Some(at(2))));
    assert_eq!(row.quarantine, Some(quarantine()));
    assert_eq!(world.intake.discard(world.org, &any_request(), at(3)).await.unwrap(), 1);
    assert_eq!(world.intake.discard(world.org, &any_request(), at(4)).await.unwrap(), 0);
    assert_eq!(world.row(second).await.settled_at, Some(at(3)));
    assert_eq!(world.row(waiting).await.state, InboundState::Received);
    assert_eq!(world.intake.request(world.org, first).await.unwrap(), super::world::request(1));
}

pub async fn deleting_gives_up_what_waits(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let settled = world.tell(1, vec![order(1, "a")], 1).await;
    let poller = events(&world).await[0].event.poller;
    let aside = world.receive(2, 1).await;
    world.put_aside(aside, 1).await;
    let waiting = world.receive(3, 1).await;
    let (other, _) = world.add(2, &[]).await;
    let Received::New(foreign) = world.take_in(other, named(4), 1).await else { panic!() };
    world.store.delete_instance(world.org, world.instance, at(5)).await.unwrap();
    for id in [aside, waiting] {
        let row = world.row(id).await;
        assert_eq!((row.state, row.settled_at), (InboundState::Discarded, Some(at(5))));
    }
    assert_eq!(world.row(settled).await.settled_at, Some(at(1)));
    assert_eq!(world.due_requests(99).await, [foreign]);
    assert_eq!(world.intake.replay(world.org, &any_request(), at(6)).await.unwrap(), 0, "nobody is there");
    assert_eq!(world.intake.request(world.org, waiting).await.unwrap(), super::world::request(3));
    let late = world.try_settle(waiting, InboundOutcome::Settled(vec![order(2, "a")]), 6).await.unwrap();
    assert_eq!(late, SettledAs::Stale);
    assert_eq!(entry(&world, poller, "a").await, None);
    assert_eq!(events(&world).await.len(), 1, "its events stay for their time");
}
