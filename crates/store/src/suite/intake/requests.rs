//! Requests: kept, recognised, listed, waiting for their turn.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use turnstone_core::id::{InboundId, InstanceId, OrgId};
use turnstone_core::intake::{DeliveryKey, RawRequest, Recognition};

use super::Both;
use super::world::{World, any_request, content, named, request};
use crate::api::*;
use crate::intake::*;
use crate::suite::world::{at, everything_before, new_instance};

pub async fn requests_come_back_as_they_came(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let id = world.receive(1, 2).await;
    let row = InboundRow {
        id,
        org: world.org,
        instance: world.instance,
        key: named(1),
        method: "POST".into(),
        body_bytes: 3,
        received_at: at(2),
        repeats: 0,
        state: InboundState::Received,
        failures: 0,
        next_due: Some(at(2)),
        quarantine: None,
        format: None,
        element_revision: None,
        events: 0,
        hints: 0,
        settled_at: None,
    };
    assert_eq!(world.row(id).await, row);
    let waiting = world.intake.waiting_requests(at(2), 9).await.unwrap();
    let instance = world.store.instance(world.org, world.instance).await.unwrap();
    assert_eq!(waiting, [WaitingRequest { row, request: request(1), instance }]);
    assert_eq!(world.intake.request(world.org, id).await.unwrap(), request(1));

    let bare = NewInbound { request: RawRequest::default(), ..world.inbound(world.instance, named(2), 2) };
    let Received::New(id) = world.intake.receive(vec![bare], at(2)).await.unwrap()[0] else { panic!() };
    assert_eq!(world.intake.request(world.org, id).await.unwrap(), RawRequest::default());
    assert_eq!(world.intake.receive(Vec::new(), at(2)).await.unwrap(), []);
}

pub async fn requests_need_their_instance(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let other = world.store.ensure_org("other", at(0)).await.unwrap();
    let good = world.inbound(world.instance, named(1), 1);
    let unknown = world.inbound(InstanceId(999), named(2), 2);
    let foreign = NewInbound { org: other, ..world.inbound(world.instance, named(2), 2) };
    for bad in [unknown, foreign] {
        let answer = world.intake.receive(vec![good.clone(), bad], at(1)).await;
        assert!(matches!(answer, Err(StoreError::NotFound("instance"))), "{answer:?}");
    }
    assert_eq!(world.ids(any_request()).await, [], "nothing was kept");
    assert!(matches!(world.take_in(world.instance, named(1), 1).await, Received::New(_)));
}

pub async fn a_name_is_kept_once(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let id = world.receive(1, 0).await;
    for seconds in [0, 5, 1_000_000] {
        assert_eq!(world.take_in(world.instance, named(1), seconds).await, Received::Repeated(id));
    }
    let row = world.row(id).await;
    assert_eq!((row.repeats, row.received_at), (3, at(0)));
    assert_ne!(world.receive(2, 1).await, id);
    assert_eq!(world.ids(any_request()).await.len(), 2);
}

pub async fn a_name_is_known_after_its_request_was_settled(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let settled = world.tell(1, vec![], 1).await;
    let aside = world.receive(2, 1).await;
    world.put_aside(aside, 1).await;
    assert_eq!(world.take_in(world.instance, named(1), 2).await, Received::Repeated(settled));
    assert_eq!(world.take_in(world.instance, named(2), 2).await, Received::Repeated(aside));
    assert_eq!(world.row(settled).await.state, InboundState::Settled);
    assert_eq!(world.due_requests(9).await, []);
    world.store.prune(&everything_before(9)).await.unwrap();
    assert!(matches!(world.take_in(world.instance, named(1), 9).await, Received::New(_)), "it is not kept");
}

pub async fn repeats_meet_within_one_call(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let new = |number| world.inbound(world.instance, named(number), number);
    let received = world.intake.receive(vec![new(1), new(2), new(1), new(1)], at(0)).await.unwrap();
    let [Received::New(first), Received::New(second), Received::Repeated(third), Received::Repeated(fourth)] =
        received[..]
    else {
        panic!("{received:?}")
    };
    assert_eq!((third, fourth), (first, first));
    assert_eq!((world.row(first).await.repeats, world.row(second).await.repeats), (2, 0));
}

pub async fn equal_content_counts_within_its_time(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let Received::New(first) = world.take_in(world.instance, content(1, 10), 0).await else { panic!() };
    assert_eq!(world.take_in(world.instance, content(1, 10), 9).await, Received::Repeated(first));
    // Ten seconds later it is another one, and that one is the one to be repeated.
    let Received::New(second) = world.take_in(world.instance, content(1, 10), 10).await else { panic!() };
    assert_eq!(world.take_in(world.instance, content(1, 10), 19).await, Received::Repeated(second));
    assert_eq!(world.take_in(world.instance, content(1, 30), 25).await, Received::Repeated(second));
    assert_eq!((world.row(first).await.repeats, world.row(second).await.repeats), (1, 2));
    let no_time = world.take_in(world.instance, content(1, 0), 25).await;
    assert!(matches!(no_time, Received::New(_)), "no time at all matches nothing: {no_time:?}");
    let set_back = world.take_in(world.instance, content(1, 0), 5).await;
    assert!(matches!(set_back, Received::New(_)), "whatever the clock says: {set_back:?}");
    let at_once = vec![world.inbound(world.instance, content(2, 0), 2); 2];
    let received = world.intake.receive(at_once, at(30)).await.unwrap();
    assert!(received.iter().all(|received| matches!(received, Received::New(_))), "{received:?}");
    let at_once = vec![world.inbound(world.instance, content(3, 1), 3); 2];
    let received = world.intake.receive(at_once, at(30)).await.unwrap();
    assert!(matches!(received[..], [Received::New(a), Received::Repeated(b)] if a == b), "{received:?}");
}

pub async fn keys_belong_to_their_instance(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let (other, _) = world.add(2, &[]).await;
    let first = world.receive(1, 0).await;
    let second = world.take_in(other, named(1), 0).await;
    assert!(matches!(second, Received::New(id) if id != first), "{second:?}");
}

pub async fn numbers_grow_in_the_order_of_arrival(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let (other, _) = world.add(2, &[]).await;
    let first = world.receive(1, 9).await;
    let Received::New(second) = world.take_in(other, named(2), 3).await else { panic!() };
    let third = world.receive(3, 1).await;
    assert!(InboundId(0) < first && first < second && second < third);
    assert_eq!(world.ids(any_request()).await, [first, second, third]);
}

pub async fn numbers_are_never_used_twice(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let first = world.tell(1, vec![], 1).await;
    let refused = vec![world.inbound(world.instance, named(2), 2), world.inbound(InstanceId(9), named(3), 3)];
    world.intake.receive(refused, at(1)).await.unwrap_err();
    let second = world.tell(2, vec![], 1).await;
    assert!(second > first);
    world.store.prune(&everything_before(9)).await.unwrap();
    assert_eq!(world.ids(any_request()).await, []);
    assert!(world.receive(3, 9).await > second);
}

pub async fn many_are_received_at_once(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let tasks = (0..200u8).map(|number| {
        let new = world.inbound(world.instance, named(number / 2), number / 2);
        let intake = world.intake.clone();
        tokio::spawn(async move { intake.receive(vec![new], at(1)).await.unwrap()[0] })
    });
    let mut received = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        received.push(task.await.unwrap());
    }
    let id_of = |received: &Received| match received {
        Received::New(id) | Received::Repeated(id) => *id,
    };
    for pair in received.chunks(2) {
        assert_eq!(id_of(&pair[0]), id_of(&pair[1]), "twins are one");
    }
    let new = received.iter().filter(|received| matches!(received, Received::New(_))).count();
    let rows = world.intake.requests(world.org, &any_request()).await.unwrap();
    assert_eq!((new, rows.len()), (100, 100));
    for row in rows {
        let content = world.intake.request(world.org, row.id).await.unwrap();
        assert_eq!((content, row.repeats), (request(row.key.hash[0]), 1));
    }
}

pub async fn the_first_of_each_instance_waits(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let (other, _) = world.add(2, &[]).await;
    let first = world.receive(1, 5).await;
    let second = world.receive(2, 5).await;
    let Received::New(third) = world.take_in(other, named(3), 4).await else { panic!() };
    assert_eq!(world.due_requests(3).await, []);
    assert_eq!(world.due_requests(4).await, [third]);
    assert_eq!(world.due_requests(5).await, [first, third]);
    let one = world.intake.waiting_requests(at(5), 1).await.unwrap();
    assert_eq!(one[0].row.id, first);
    assert_eq!(world.intake.waiting_requests(at(5), 0).await.unwrap(), []);
    world.settle(first, vec![], 6).await;
    assert_eq!(world.due_requests(6).await, [second, third]);
}

pub async fn one_that_is_not_due_holds_up_the_later_ones(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let (other, _) = world.add(2, &[]).await;
    let first = world.receive(1, 1).await;
    let second = world.receive(2, 1).await;
    let Received::New(third) = world.take_in(other, named(3), 1).await else { panic!() };
    let later = InboundOutcome::Postponed { failures: 1, next_due: at(20) };
    world.try_settle(first, later, 2).await.unwrap();
    assert_eq!(world.due_requests(19).await, [third]);
    let one = world.intake.waiting_requests(at(19), 1).await.unwrap();
    assert_eq!(one[0].row.id, third, "what holds up takes nobody's place");
    assert_eq!(world.due_requests(20).await, [first, third]);
    world.settle(first, vec![], 20).await;
    assert_eq!(world.due_requests(20).await, [second, third]);
}

pub async fn next_request_due_is_the_earliest_first_one(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    assert_eq!(world.intake.next_request_due().await.unwrap(), None);
    let (other, _) = world.add(2, &[]).await;
    let first = world.receive(1, 5).await;
    world.receive(2, 6).await;
    world.take_in(other, named(3), 30).await;
    assert_eq!(world.intake.next_request_due().await.unwrap(), Some(at(5)));
    let later = InboundOutcome::Postponed { failures: 1, next_due: at(20) };
    world.try_settle(first, later, 7).await.unwrap();
    assert_eq!(
        world.intake.next_request_due().await.unwrap(),
        Some(at(20)),
        "the second waits for the first"
    );
    world.put_aside(first, 8).await;
    assert_eq!(world.intake.next_request_due().await.unwrap(), Some(at(6)));
}

pub async fn waiting_is_counted_by_organisation(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    assert_eq!(world.intake.waiting_by_org().await.unwrap(), []);
    let other = world.store.ensure_org("other", at(0)).await.unwrap();
    let instance = world.store.create_instance(new_instance(other, 7, &[]), at(0)).await.unwrap();
    for number in 1..=3 {
        let new = NewInbound { org: other, ..world.inbound(instance, named(number), number) };
        world.intake.receive(vec![new], at(1)).await.unwrap();
    }
    let first = world.receive(1, 1).await;
    world.receive(2, 1).await;
    assert_eq!(world.intake.waiting_by_org().await.unwrap(), [(world.org, 2), (other, 3)]);
    world.put_aside(first, 2).await;
    assert_eq!(world.intake.waiting_by_org().await.unwrap(), [(world.org, 1), (other, 3)]);
}

pub async fn requests_are_filtered(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let (other, _) = world.add(2, &[]).await;
    let settled = world.tell(1, vec![], 1).await;
    let aside = world.receive(2, 1).await;
    world.put_aside(aside, 1).await;
    let given_up = world.receive(3, 1).await;
    world.put_aside(given_up, 1).await;
    let one = InboundFilter { id: Some(given_up), ..any_request() };
    assert_eq!(world.intake.discard(world.org, &one, at(1)).await.unwrap(), 1);
    let waiting = world.receive(4, 1).await;
    let Received::New(foreign) = world.take_in(other, named(5), 1).await else { panic!() };

    assert_eq!(world.ids(any_request()).await, [settled, aside, given_up, waiting, foreign]);
    let states = [
        (InboundState::Settled, vec![settled]),
        (InboundState::Quarantined, vec![aside]),
        (InboundState::Discarded, vec![given_up]),
        (InboundState::Received, vec![waiting, foreign]),
    ];
    for (state, ids) in states {
        let filter = InboundFilter { state: Some(state), ..any_request() };
        assert_eq!(world.ids(filter.clone()).await, ids, "{state:?}");
        let newest: Vec<InboundId> = ids.iter().rev().copied().collect();
        assert_eq!(world.ids(InboundFilter { newest_first: true, ..filter.clone() }).await, newest);
        let of_other = InboundFilter { instance: Some(other), ..filter };
        assert_eq!(world.ids(of_other).await.len(), usize::from(state == InboundState::Received));
    }
    let of_instance = InboundFilter { instance: Some(world.instance), ..any_request() };
    assert_eq!(world.ids(of_instance).await, [settled, aside, given_up, waiting]);
    let one = InboundFilter { id: Some(aside), ..any_request() };
    assert_eq!(world.ids(one.clone()).await, [aside]);
    assert_eq!(world.ids(InboundFilter { instance: Some(other), ..one }).await, []);
    assert_eq!(world.ids(InboundFilter { limit: 0, ..any_request() }).await, []);
}

pub async fn lists_are_read_in_pages(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let mut ids = Vec::new();
    for number in 1..=5 {
        ids.push(world.receive(number, 1).await);
    }
    for instance in [None, Some(world.instance)] {
        for newest_first in [false, true] {
            let mut filter = InboundFilter { instance, newest_first, limit: 2, ..any_request() };
            let mut read = Vec::new();
            loop {
                let page = world.ids(filter.clone()).await;
                let Some(last) = page.last() else { break };
                filter.after = last.0;
                read.extend(page);
            }
            let mut expected = ids.clone();
            if newest_first {
                expected.reverse();
            }
            assert_eq!(read, expected);
        }
    }
}

pub async fn requests_are_counted(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let counts = async || world.intake.request_counts(world.org, world.instance).await.unwrap();
    assert_eq!(counts().await, InboundCounts::default());
    let aside = world.receive(1, 1).await;
    world.put_aside(aside, 1).await;
    world.tell(2, vec![], 1).await;
    world.receive(3, 1).await;
    world.receive(4, 1).await;
    let (other, _) = world.add(2, &[]).await;
    world.take_in(other, named(5), 1).await;
    assert_eq!(counts().await, InboundCounts { received: 2, quarantined: 1 });
    world.intake.discard(world.org, &any_request(), at(2)).await.unwrap();
    assert_eq!(counts().await, InboundCounts { received: 2, quarantined: 0 });
    let missing = world.intake.request_counts(world.org, InstanceId(999)).await;
    assert!(matches!(missing, Err(StoreError::NotFound("instance"))));
}

pub async fn requests_belong_to_their_organisation(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let other = world.store.ensure_org("other", at(0)).await.unwrap();
    let id = world.receive(1, 1).await;
    world.put_aside(id, 1).await;
    assert_eq!(world.intake.requests(other, &any_request()).await.unwrap(), []);
    let of_instance = InboundFilter { instance: Some(world.instance), ..any_request() };
    assert_eq!(world.intake.requests(other, &of_instance).await.unwrap(), []);
    for org in [other, OrgId(999)] {
        let answer = world.intake.request(org, id).await;
        assert!(matches!(answer, Err(StoreError::NotFound("request"))), "{answer:?}");
        assert_eq!(world.intake.replay(org, &any_request(), at(1)).await.unwrap(), 0);
        assert_eq!(world.intake.discard(org, &of_instance, at(1)).await.unwrap(), 0);
    }
    let missing = world.intake.request(world.org, InboundId(999)).await;
    assert!(matches!(missing, Err(StoreError::NotFound("request"))));
    let counts = world.intake.request_counts(other, world.instance).await;
    assert!(matches!(counts, Err(StoreError::NotFound("instance"))));
    assert_eq!(world.row(id).await.state, InboundState::Quarantined);
}

pub async fn instants_and_windows_are_cut_to_microseconds(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let window = Duration::from_nanos(2_500);
    let key = DeliveryKey { recognition: Recognition::Content(window), ..named(1) };
    let finer = Timestamp::from_nanosecond(at(1).as_nanosecond() + 1_999).unwrap();
    let Received::New(id) =
        world.intake.receive(vec![world.inbound(world.instance, key, 1)], finer).await.unwrap()[0]
    else {
        panic!()
    };
    let row = world.row(id).await;
    assert_eq!(row.received_at.as_nanosecond(), at(1).as_nanosecond() + 1_000);
    assert_eq!(row.key.recognition, Recognition::Content(Duration::from_micros(2)));
    let less = DeliveryKey { recognition: Recognition::Content(Duration::from_nanos(999)), ..named(1) };
    let again = world.intake.receive(vec![world.inbound(world.instance, less, 1)], finer).await.unwrap();
    assert!(matches!(again[0], Received::New(_)), "less than a microsecond is nothing");
}
