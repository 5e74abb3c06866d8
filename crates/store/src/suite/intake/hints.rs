//! Records that notifications name, and the pollers that look at them.

use std::sync::Arc;
use std::time::Duration;

use turnstone_core::event::EventType;
use turnstone_core::flow::records::RunMode;
use turnstone_core::id::{InboundId, PollerId};
use turnstone_core::intake::{Hint, Reported};
use turnstone_core::poll::{Batch, Finish, Named, RunOutcome, Status};

use super::Both;
use super::world::{World, any_request, heard, hint, named, order};
use crate::api::*;
use crate::intake::*;
use crate::monitors::{NewSubscription, SubscriptionSettings, Timing};
use crate::suite::world::{LEASE, at, entry, everything_before, new_instance, version};

fn updated(object_id: &str) -> Reported {
    hint(object_id, EventType::Updated, None)
}

async fn end(world: &World, lease: Lease<PollerId>, finish: Finish, seconds: i64) {
    assert_eq!(world.store.finish(lease, finish, at(seconds)).await.unwrap(), Committed::Yes);
}

pub async fn named_records_are_hints(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let id = world.receive(1, 2).await;
    let reported = vec![hint("a\0", EventType::Deleted, Some(1)), order(1, "o"), updated("b")];
    let (events, _) = world.settle(id, reported, 4).await;
    assert_eq!(events, 1);
    let named = |object_id: &str, event_type, date: Option<i64>| Named {
        object_id: object_id.into(),
        event_type,
        date: date.map(at),
        inbound: id,
        announced_at: at(2),
        looks: 0,
    };
    let expected = [named("a\0", EventType::Deleted, Some(1)), named("b", EventType::Updated, None)];
    assert_eq!(world.hints().await, expected);
    assert_eq!((world.row(id).await.events, world.row(id).await.hints), (1, 2));
    assert_eq!(world.intake.hints(world.poller, 1).await.unwrap(), expected[..1]);
    assert_eq!(world.intake.hints(world.poller, 0).await.unwrap(), []);
    assert_eq!(world.intake.hints(PollerId(999), 9).await.unwrap(), []);
}

pub async fn those_named_first_come_first(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    world.tell(1, vec![updated("z"), updated("y")], 1).await;
    world.tell(2, vec![updated("x")], 2).await;
    world.tell(3, vec![updated("z")], 3).await;
    let order: Vec<String> = world.open_hints().await.into_iter().map(|(id, _)| id).collect();
    assert_eq!(order, ["y", "x", "z"]);
}

pub async fn a_record_is_named_once(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let first = world.tell(1, vec![updated("a"), updated("a")], 1).await;
    assert_eq!(world.row(first).await.hints, 1);
    let lease = world.claim(2).await;
    world.commit(lease, heard("a", first, true), 2).await;
    assert_eq!(world.open_hints().await, [("a".to_string(), 1)]);
    let second = world.tell(2, vec![updated("a")], 3).await;
    let hints = world.hints().await;
    assert_eq!((hints.len(), hints[0].looks, hints[0].inbound), (1, 0, second));
    assert_eq!(hints[0].announced_at, at(3));
    world.commit(lease, heard("a", second, false), 4).await;
    assert_eq!(world.open_hints().await, []);
    world.tell(3, vec![updated("a")], 5).await;
    assert_eq!(world.open_hints().await, [("a".to_string(), 0)], "it is to be looked at again");
}

pub async fn what_is_said_later_replaces_what_was_said(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let mut number = 0;
    let mut said = async |date: Option<i64>, event_type| {
        number += 1;
        let id = world.tell(number, vec![hint("a", event_type, date)], i64::from(number)).await;
        let named = world.hints().await.remove(0);
        assert_eq!((named.inbound, named.announced_at), (id, at(i64::from(number))));
        (named.date.map(|date| date.as_second() - at(0).as_second()), named.event_type)
    };
    use EventType::{Created, Deleted, Unknown, Updated};
    assert_eq!(said(Some(10), Deleted).await, (Some(10), Deleted));
    assert_eq!(said(Some(9), Updated).await, (Some(10), Deleted), "it lies before");
    assert_eq!(said(Some(10), Created).await, (Some(10), Created), "it does not lie before");
    assert_eq!(said(Some(12), Updated).await, (Some(12), Updated));
    assert_eq!(said(None, Unknown).await, (None, Unknown), "nobody knows which is later");
    assert_eq!(said(Some(1), Deleted).await, (Some(1), Deleted));
    assert_eq!(said(Some(20), Deleted).await, (Some(20), Deleted));
    // What was looked at counts no more.
    let lease = world.claim(50).await;
    world.commit(lease, heard("a", world.hints().await[0].inbound, true), 50).await;
    assert_eq!(said(Some(19), Updated).await, (Some(20), Deleted), "it is still to be looked at");
    world.commit(lease, heard("a", world.hints().await[0].inbound, false), 50).await;
    assert_eq!(said(Some(5), Created).await, (Some(5), Created));
    let once = [hint("b", Deleted, Some(9)), hint("b", Updated, Some(8))];
    world.tell(99, once.to_vec(), 60).await;
    let named = world.hints().await.into_iter().find(|named| named.object_id == "b").unwrap();
    assert_eq!((named.date, named.event_type), (Some(at(9)), Deleted), "within one request, too");
}

/// One that is named like a resource is none.
pub async fn hints_do_not_reach_subscriptions(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    world.well(0).await;
    let monitor = world.intake.create_monitor(world.org, "m", "d", at(0)).await.unwrap();
    let version = world.intake.deploy(world.org, monitor, 1, at(0)).await.unwrap();
    let settings = SubscriptionSettings {
        name: "contacts".into(),
        version,
        options: "{}".into(),
        mode: RunMode::EachRecord,
        timing: Timing { interval: Duration::from_secs(300), cron: None },
        next_due: Some(at(0)),
        endpoint: None,
    };
    let (org, instance) = (world.org, world.instance);
    let new = NewSubscription { org, instance, monitor, settings, state: String::new(), active: true };
    let id = world.intake.subscribe(new, at(0)).await.unwrap();
    let poller = world.intake.subscription(org, id).await.unwrap().poller;
    let lease = world.claim_of(poller, 0).await;
    end(&world, lease, world.finish(Batch::default(), 0), 0).await;

    let request = world.receive(1, 1).await;
    assert_eq!(world.settle(request, vec![updated("a")], 2).await, (0, 1), "the resource's poller alone");
    assert_eq!(world.open_hints().await, [("a".to_string(), 0)]);
    assert_eq!(world.intake.hints(poller, 9).await.unwrap(), []);
    let row = world.store.poller(org, poller).await.unwrap();
    assert_eq!((row.next_due, row.regular_due), (at(300), None));
}

pub async fn hints_for_nobody_are_dropped(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    world.well(0).await;
    let (other, pollers) = world.add(2, &["deals"]).await;
    let of = |resource: &str| {
        Reported::Hint(Hint {
            resource: resource.into(),
            object_id: "a".into(),
            event_type: EventType::Updated,
            date: None,
        })
    };
    world.tell(1, vec![order(1, "a")], 1).await;
    let id = world.receive(2, 2).await;
    assert_eq!(world.settle(id, vec![of("deals"), of("orders"), of("contacts")], 3).await, (0, 1));
    assert_eq!(world.row(id).await.hints, 1);
    assert_eq!(world.open_hints().await.len(), 1);
    assert_eq!(world.intake.hints(pollers[0], 9).await.unwrap(), [], "it is another instance's");
    let Received::New(id) = world.take_in(other, named(3), 4).await else { panic!() };
    world.settle(id, vec![of("deals")], 4).await;
    assert_eq!(world.intake.hints(pollers[0], 9).await.unwrap().len(), 1);
}

pub async fn hints_make_their_poller_due(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    world.well(0).await;
    assert_eq!(world.dues().await, (at(300), None));
    let id = world.receive(1, 1).await;
    assert_eq!(world.settle(id, vec![updated("a"), updated("b")], 2).await, (0, 1));
    assert_eq!(world.dues().await, (at(5), Some(at(300))));
    assert_eq!(world.store.due(at(4), 9, 9).await.unwrap(), []);
    assert_eq!(world.store.due(at(5), 9, 9).await.unwrap()[0].due, at(5));
    assert_eq!(world.store.next_due().await.unwrap(), Some(at(5)));
    let claim = world.store.claim(world.poller, at(5), LEASE).await.unwrap().unwrap();
    assert_eq!((claim.poller.next_due, claim.poller.regular_due), (at(5), Some(at(300))));
}

pub async fn a_second_hint_keeps_the_regular_time(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    world.well(0).await;
    let settle = async |number: u8, look_at: i64| {
        let id = world.receive(number, 1).await;
        let settled = settlement_at(vec![updated("a")], look_at);
        match world.intake.settle(id, settled, at(1)).await.unwrap() {
            SettledAs::Done { pollers, .. } => (pollers, world.dues().await),
            SettledAs::Stale => panic!("it is the first"),
        }
    };
    assert_eq!(settle(1, 300).await, (0, (at(300), None)), "it is due by then");
    assert_eq!(settle(2, 50).await, (1, (at(50), Some(at(300)))));
    assert_eq!(settle(3, 60).await, (0, (at(50), Some(at(300)))));
    assert_eq!(settle(4, 10).await, (1, (at(10), Some(at(300)))));
}

fn settlement_at(reported: Vec<Reported>, look_at: i64) -> Settlement {
    let outcome = InboundOutcome::Settled(reported);
    Settlement { look_at: at(look_at), ..super::world::settlement(outcome) }
}

pub async fn only_pollers_that_are_well_are_made_due(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    world.store.set_due(world.org, world.poller, at(100), false).await.unwrap();
    let mut number = 0;
    let mut pulled = async || {
        number += 1;
        let id = world.receive(number, 1).await;
        let (_, pollers) = world.settle(id, vec![updated(&format!("r{number}"))], 1).await;
        (pollers, world.dues().await)
    };
    assert_eq!(pulled().await, (0, (at(100), None)), "it has not run yet");
    let lease = world.claim(100).await;
    let well = |seconds| Finish { hints_known: InboundId(999), ..world.finish(Batch::default(), seconds) };
    end(&world, lease, well(100), 100).await;
    world.store.pause(world.org, world.poller, "x").await.unwrap();
    assert_eq!(pulled().await, (0, (at(400), None)), "it is paused");
    world.store.set_due(world.org, world.poller, at(400), true).await.unwrap();
    world.store.set_enabled(world.org, world.instance, false).await.unwrap();
    assert_eq!(pulled().await, (0, (at(400), None)), "it is off");
    world.store.set_enabled(world.org, world.instance, true).await.unwrap();
    let lease = world.claim(400).await;
    let status = Status { code: "unreachable".into(), sentence: "x".into(), needs_attention: false };
    let ill = Finish { status, ..world.finish(Batch::default(), 400) };
    end(&world, lease, ill, 400).await;
    assert_eq!(pulled().await, (0, (at(700), None)), "it is not well");
    assert_eq!(world.open_hints().await.len(), 4, "what is named waits all the same");
    let lease = world.claim(700).await;
    end(&world, lease, well(700), 700).await;
    assert_eq!(pulled().await, (1, (at(5), Some(at(1_000)))));
}

pub async fn a_look_closes_a_hint(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let id = world.tell(1, vec![updated("a"), updated("b")], 1).await;
    let lease = world.claim(1).await;
    world.commit(lease, heard("a", id, false), 2).await;
    assert_eq!(world.open_hints().await, [("b".to_string(), 0)]);
    // In the batch of a finish as well; whom nobody named is passed over.
    let mut batch = heard("b", id, false);
    batch.heard.extend(heard("c", id, false).heard);
    batch.heard.extend(heard("a", id, true).heard);
    end(&world, lease, world.finish(batch, 3), 3).await;
    assert_eq!(world.open_hints().await, []);
}

pub async fn a_look_that_decided_nothing_is_counted(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let id = world.tell(1, vec![updated("a")], 1).await;
    let lease = world.claim(1).await;
    for looks in 1..=3 {
        world.commit(lease, heard("a", id, true), 2).await;
        assert_eq!(world.open_hints().await, [("a".to_string(), looks)]);
    }
    world.commit(lease, heard("a", id, false), 2).await;
    assert_eq!(world.open_hints().await, []);
}

pub async fn a_record_that_is_named_meanwhile_stays(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let first = world.tell(1, vec![updated("a"), updated("b")], 1).await;
    let lease = world.claim(1).await;
    let second = world.tell(2, vec![updated("a"), updated("b")], 2).await;
    world.commit(lease, heard("a", first, false), 3).await;
    world.commit(lease, heard("b", first, true), 3).await;
    assert_eq!(world.open_hints().await, [("a".to_string(), 0), ("b".to_string(), 0)]);
    world.commit(lease, heard("a", InboundId(second.0 + 1), false), 4).await;
    assert_eq!(world.open_hints().await, [("b".to_string(), 0)]);
}

pub async fn a_run_that_did_not_know_is_followed_at_once(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    world.well(0).await;
    let lease = world.claim(300).await;
    let id = world.receive(1, 301).await;
    assert_eq!(world.settle(id, vec![updated("a")], 301).await, (0, 0), "it is due, and runs");
    end(&world, lease, world.finish(Batch::default(), 302), 303).await;
    assert_eq!(world.dues().await, (at(303), Some(at(602))));
    let lease = world.claim(303).await;
    // It knows of that one. Another comes, and the run would look again itself a little later.
    world.tell(2, vec![updated("b")], 304).await;
    let again = Finish {
        hints_known: id,
        next_due: at(310),
        regular_due: Some(at(602)),
        ..world.finish(heard("a", id, true), 304)
    };
    end(&world, lease, again, 305).await;
    assert_eq!(world.dues().await, (at(305), Some(at(602))));
}

pub async fn a_run_that_knew_is_not_followed(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    world.well(0).await;
    let id = world.tell(1, vec![updated("a"), updated("b")], 1).await;
    let lease = world.claim(5).await;
    let finish = Finish { hints_known: id, ..world.finish(heard("a", id, false), 6) };
    end(&world, lease, finish, 6).await;
    assert_eq!(world.dues().await, (at(306), None), "what it left open it left on purpose");
    let lease = world.claim(306).await;
    world.commit(lease, heard("b", id, false), 306).await;
    end(&world, lease, world.finish(Batch::default(), 307), 307).await;
    assert_eq!(world.dues().await, (at(607), None), "nothing is open");
    let lease = world.claim(607).await;
    world.tell(2, vec![updated("a")], 608).await;
    let soon = Finish { next_due: at(600), ..world.finish(Batch::default(), 609) };
    end(&world, lease, soon, 609).await;
    assert_eq!(world.dues().await, (at(600), None), "it is due already");
}

pub async fn a_poller_that_is_not_well_waits(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    world.well(0).await;
    let lease = world.claim(300).await;
    world.tell(1, vec![updated("a")], 301).await;
    let mut failed = world.finish(Batch::default(), 302);
    failed.run.outcome = RunOutcome::Failed;
    end(&world, lease, failed, 302).await;
    assert_eq!(world.dues().await, (at(602), None), "its run failed");
    let lease = world.claim(602).await;
    let status = Status { code: "unreachable".into(), sentence: "x".into(), needs_attention: false };
    end(&world, lease, Finish { status, ..world.finish(Batch::default(), 603) }, 603).await;
    assert_eq!(world.dues().await, (at(903), None), "it is not well");
    let lease = world.claim(903).await;
    let mut yielded = world.finish(Batch::default(), 904);
    yielded.run.outcome = RunOutcome::Yielded;
    end(&world, lease, yielded, 904).await;
    assert_eq!(world.dues().await, (at(904), Some(at(1_204))), "it goes on");
}

pub async fn stale_looks_write_nothing(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let id = world.tell(1, vec![updated("a")], 1).await;
    let lease = world.claim(1).await;
    world.store.release(lease, at(0)).await.unwrap();
    assert_eq!(world.try_commit(lease, heard("a", id, false), 2).await, Committed::StaleLease);
    assert_eq!(world.open_hints().await, [("a".to_string(), 0)]);
}

/// A request that waited for somebody has a small number and names late: a run that heard of later ones must not take
/// it for one of those.
pub async fn requests_that_run_again_name_later(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    world.well(0).await;
    let early = world.receive(1, 1).await;
    world.put_aside(early, 1).await;
    let late = world.tell(2, vec![updated("a")], 2).await;
    let lease = world.claim(5).await;
    let known = world.hints().await[0].inbound;
    assert_eq!(known, late);
    world.intake.replay(world.org, &any_request(), at(6)).await.unwrap();
    world.settle(early, vec![updated("a"), updated("b")], 6).await;
    let hints = world.hints().await;
    assert!(hints.iter().all(|named| named.inbound > known && named.announced_at == at(1)), "{hints:?}");
    let finish = Finish { hints_known: known, ..world.finish(heard("a", known, false), 7) };
    end(&world, lease, finish, 7).await;
    assert_eq!(world.open_hints().await, [("a".to_string(), 0), ("b".to_string(), 0)]);
    assert_eq!(world.dues().await, (at(7), Some(at(307))));
    // And whoever comes next in the usual order is later still.
    let before = world.hints().await[0].inbound;
    world.tell(3, vec![updated("b")], 8).await;
    assert!(world.hints().await[1].inbound > before);
}

pub async fn poll_now_forgets_the_regular_time(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    world.well(0).await;
    world.tell(1, vec![updated("a")], 1).await;
    world.store.set_due(world.org, world.poller, at(2), false).await.unwrap();
    assert_eq!(world.dues().await, (at(2), None));
}

pub async fn a_changed_poller_forgets_the_regular_time(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    world.well(0).await;
    world.tell(1, vec![updated("a")], 1).await;
    let change = async |revision| {
        let mut new = new_instance(world.org, 1, &["contacts"]);
        new.pollers[0].revision = revision;
        new.pollers[0].next_due = at(77);
        world.store.update_instance(world.org, world.instance, new, at(2)).await.unwrap();
        world.dues().await
    };
    assert_eq!(change(1).await, (at(5), Some(at(300))));
    assert_eq!(change(2).await, (at(77), None));
    assert_eq!(world.open_hints().await.len(), 1, "what is named stays");
}

pub async fn releasing_keeps_the_regular_time(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    world.well(0).await;
    world.tell(1, vec![updated("a")], 1).await;
    let lease = world.claim(5).await;
    world.store.release(lease, at(6)).await.unwrap();
    assert_eq!(world.dues().await, (at(6), Some(at(300))));
    let lease = world.claim(6).await;
    world.store.release(lease, at(300)).await.unwrap();
    assert_eq!(world.dues().await, (at(300), None), "that is its regular time");
}

pub async fn finishing_keeps_the_regular_time(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let lease = world.claim(0).await;
    let looks = Finish { next_due: at(5), regular_due: Some(at(60)), ..world.finish(Batch::default(), 1) };
    end(&world, lease, looks, 1).await;
    assert_eq!(world.dues().await, (at(5), Some(at(60))));
    let lease = world.claim(5).await;
    end(&world, lease, world.finish(Batch::default(), 6), 6).await;
    assert_eq!(world.dues().await, (at(306), None));
}

pub async fn recall_knows_what_was_announced(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    world.write(Batch { entries: vec![entry("a", 1, 0)], ..Batch::default() }).await;
    let announced = async |id: &str| {
        let known = world.known(&[version(id, 1)]).await.remove(0);
        (known.announced_at, known.entry.is_some())
    };
    assert_eq!(announced("a").await, (None, true));
    let id = world.tell(1, vec![updated("a"), updated("new")], 2).await;
    assert_eq!((announced("a").await, announced("new").await), ((Some(at(2)), true), (Some(at(2)), false)));
    assert_eq!(announced("b").await, (None, false));
    let lease = world.claim(3).await;
    world.commit(lease, heard("a", id, false), 3).await;
    assert_eq!(announced("a").await, (Some(at(2)), true), "whether it was looked at or not");
    world.tell(2, vec![updated("a")], 9).await;
    assert_eq!(announced("a").await.0, Some(at(9)));
}

pub async fn hints_go_with_their_poller(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    world.tell(1, vec![updated("a")], 1).await;
    let without = new_instance(world.org, 1, &[]);
    world.store.update_instance(world.org, world.instance, without, at(2)).await.unwrap();
    assert_eq!(world.hints().await, []);
    let again = new_instance(world.org, 1, &["contacts"]);
    world.store.update_instance(world.org, world.instance, again, at(3)).await.unwrap();
    let poller = world.store.pollers(world.org, None).await.unwrap()[0].id;
    assert_eq!(world.intake.hints(poller, 9).await.unwrap(), []);
    world.tell(2, vec![updated("a")], 4).await;
    assert_eq!(world.intake.hints(poller, 9).await.unwrap().len(), 1);
    world.store.delete_instance(world.org, world.instance, at(5)).await.unwrap();
    assert_eq!(world.intake.hints(poller, 9).await.unwrap(), []);
}

pub async fn looked_at_hints_go_in_time(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let id = world.tell(1, vec![updated("a"), updated("b")], 1).await;
    let lease = world.claim(2).await;
    world.commit(lease, heard("a", id, false), 2).await;
    let announced = async |id: &str| world.known(&[version(id, 1)]).await[0].announced_at;
    let runs_only = |seconds| Retention { runs_before: at(seconds), ..everything_before(-1_000) };
    world.store.prune(&runs_only(1)).await.unwrap();
    assert_eq!(announced("a").await, Some(at(1)), "its time is not over");
    world.store.prune(&runs_only(2)).await.unwrap();
    assert_eq!((announced("a").await, announced("b").await), (None, Some(at(1))), "what is open stays");
}
