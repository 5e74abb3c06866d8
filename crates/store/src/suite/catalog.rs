//! Organisations, instances, and their pollers' settings.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use turnstone_core::id::{InstanceId, NotificationId, OrgId, PollerId, RunId};

use super::world::{LEASE, World, any_event, any_notification, at, entry, most, new_instance, version};
use crate::api::*;

fn is_missing<T: std::fmt::Debug>(answer: Result<T>, what: &str) {
    match answer {
        Err(StoreError::NotFound(word)) => assert_eq!(word, what),
        other => panic!("expected no such {what}: {other:?}"),
    }
}

fn is_taken<T: std::fmt::Debug>(answer: Result<T>) {
    assert!(matches!(answer, Err(StoreError::Conflict(_))), "{answer:?}");
}

pub async fn organisations_are_made_once(store: Arc<dyn Store>) {
    let first = store.ensure_org("acme", at(0)).await.unwrap();
    let other = store.ensure_org("Acme", at(1)).await.unwrap();
    assert_ne!(first, other);
    assert_eq!(store.ensure_org("acme", at(2)).await.unwrap(), first);
}

pub async fn organisation_tokens_find_their_organisation(store: Arc<dyn Store>) {
    let one = store.ensure_org("one", at(0)).await.unwrap();
    let two = store.ensure_org("two", at(0)).await.unwrap();
    store.add_org_token(one, [1; 32], at(0)).await.unwrap();
    store.add_org_token(one, [2; 32], at(0)).await.unwrap();
    assert_eq!(store.org_by_token([1; 32]).await.unwrap(), Some(one));
    assert_eq!(store.org_by_token([2; 32]).await.unwrap(), Some(one));
    assert_eq!(store.org_by_token([3; 32]).await.unwrap(), None);
    is_taken(store.add_org_token(two, [1; 32], at(0)).await);
    is_missing(store.add_org_token(OrgId(99), [9; 32], at(0)).await, "organisation");
    assert_eq!(store.org_by_token([9; 32]).await.unwrap(), None);
}

pub async fn instances_come_back_as_they_were_made(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let row = world.store.instance(world.org, world.instance).await.unwrap();
    let new = new_instance(world.org, 1, &["contacts"]);
    assert_eq!((row.id, row.org, row.created_at), (world.instance, world.org, at(0)));
    assert_eq!((row.element_key, row.name, row.tags), (new.element_key, new.name, new.tags));
    assert_eq!((row.document, row.enabled), (new.document, true));
    let pollers = world.store.pollers(world.org, Some(world.instance)).await.unwrap();
    assert_eq!(pollers.len(), 1);
    let poller = &pollers[0];
    assert_eq!((poller.resource.as_str(), poller.revision, poller.next_due), ("contacts", 1, at(0)));
    assert_eq!((poller.interval, poller.paused.clone()), (Duration::from_secs(300), None));
    assert_eq!((poller.status.code.as_str(), poller.state.as_str()), ("starting", ""));
    assert_eq!((poller.watermark, poller.checkpoint.clone()), (None, None));
    let endpoint = world.endpoint_row().await;
    assert_eq!(
        (endpoint.kind.as_str(), endpoint.state, endpoint.position),
        ("callback", EndpointState::Active, 0)
    );
    assert_eq!((endpoint.reason.as_str(), endpoint.accepted_at), ("", None));
    assert_eq!(world.store.endpoints(world.org).await.unwrap(), [endpoint]);
}

pub async fn instances_need_an_organisation(store: Arc<dyn Store>) {
    is_missing(store.create_instance(new_instance(OrgId(5), 1, &["a"]), at(0)).await, "organisation");
    assert_eq!(store.next_due().await.unwrap(), None, "nothing was written");
}

pub async fn instance_tokens_are_taken_once(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    is_taken(world.store.create_instance(new_instance(world.org, 1, &["b"]), at(0)).await);
    assert_eq!(world.store.instances(world.org).await.unwrap().len(), 1);
    assert_eq!(world.store.pollers(world.org, None).await.unwrap().len(), 1);
    let same_name = NewInstance { name: "instance 1".into(), ..new_instance(world.org, 2, &["b"]) };
    world.store.create_instance(same_name, at(0)).await.unwrap();
    let all = world.store.instances(world.org).await.unwrap();
    assert_eq!(all.len(), 2, "names may repeat");
    assert!(all[0].id < all[1].id);
}

pub async fn resources_stand_once(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    is_taken(world.store.create_instance(new_instance(world.org, 2, &["b", "b"]), at(0)).await);
    let twice = new_instance(world.org, 1, &["contacts", "contacts"]);
    is_taken(world.store.update_instance(world.org, world.instance, twice, at(0)).await);
    assert_eq!(world.store.pollers(world.org, None).await.unwrap().len(), 1);
    assert_eq!(world.store.instances(world.org).await.unwrap().len(), 1);
}

pub async fn organisations_do_not_see_each_other(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let delivery = world.formed(&[(1, "a")], 1).await;
    let lease = world.claim(1).await;
    let finish = world.finish(world.batch(&[]), 1);
    let run = finish.run.id;
    world.store.finish(lease, finish, at(2)).await.unwrap();
    let store = &world.store;
    let other = store.ensure_org("other", at(0)).await.unwrap();
    let (instance, poller) = (world.instance, world.poller);
    is_missing(store.instance(other, instance).await, "instance");
    is_missing(store.update_instance(other, instance, new_instance(other, 1, &[]), at(3)).await, "instance");
    is_missing(store.set_enabled(other, instance, false).await, "instance");
    is_missing(store.delete_instance(other, instance, at(3)).await, "instance");
    is_missing(store.pollers(other, Some(instance)).await, "instance");
    is_missing(store.poller(other, poller).await, "poller");
    is_missing(store.set_due(other, poller, at(0), true).await, "poller");
    is_missing(store.pause(other, poller, "no").await, "poller");
    is_missing(store.set_state(other, poller, "{}", None, at(3)).await, "poller");
    is_missing(store.runs(other, poller, 9).await, "poller");
    is_missing(store.run(other, run).await, "run");
    is_missing(store.run(world.org, RunId([9; 16])).await, "run");
    is_missing(store.attempts(other, delivery.notification.id).await, "notification");
    is_missing(store.attempts(world.org, NotificationId(999)).await, "notification");
    is_missing(store.instance(world.org, InstanceId(999)).await, "instance");
    is_missing(store.poller(world.org, PollerId(999)).await, "poller");
    assert_eq!(store.instances(other).await.unwrap(), []);
    assert_eq!(store.pollers(other, None).await.unwrap(), []);
    assert_eq!(store.endpoints(other).await.unwrap(), []);
    assert_eq!(store.events(other, &any_event()).await.unwrap(), []);
    let of_instance = EventFilter { instance: Some(instance), ..any_event() };
    assert_eq!(store.events(other, &of_instance).await.unwrap(), []);
    assert_eq!(store.notifications(other, &any_notification()).await.unwrap(), []);
    assert_eq!(store.redeliver(other, &any_notification(), at(3)).await.unwrap(), 0);
    let row = store.poller(world.org, poller).await.unwrap();
    assert_eq!((row.paused, row.state.as_str()), (None, r#"{"at":1}"#), "nothing was written");
    assert!(store.instance(world.org, instance).await.unwrap().enabled);
}

pub async fn ids_are_never_used_twice(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    world.store.delete_instance(world.org, world.instance, at(1)).await.unwrap();
    let (instance, pollers) = world.add(1, &["contacts"]).await;
    assert!(instance > world.instance);
    assert!(pollers[0] > world.poller);
    let row = world.store.instance(world.org, instance).await.unwrap();
    assert!(row.endpoint.unwrap() > world.endpoint);
    let first = world.store.reserve_notification().await.unwrap();
    assert!(world.store.reserve_notification().await.unwrap() > first);
}

pub async fn updates_replace_what_they_name(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let new = NewInstance {
        element_key: "other".into(),
        element: None,
        name: "new name".into(),
        tags: vec![],
        document: "{}".into(),
        enabled: false,
        token_hash: [9; 32],
        endpoint: Some(NewEndpoint { kind: "stdout".into(), config: "null".into() }),
        ..new_instance(world.org, 1, &["contacts", "deals"])
    };
    world.store.update_instance(world.org, world.instance, new, at(1)).await.unwrap();
    let row = world.store.instance(world.org, world.instance).await.unwrap();
    assert_eq!((row.name.as_str(), row.tags.len(), row.document.as_str()), ("new name", 0, "{}"));
    assert_eq!((row.element_key.as_str(), row.enabled, row.created_at), ("crm", true, at(0)));
    let endpoint = world.endpoint_row().await;
    assert_eq!((endpoint.kind.as_str(), endpoint.config.as_str()), ("stdout", "null"));
    let pollers = world.store.pollers(world.org, Some(world.instance)).await.unwrap();
    let resources: Vec<&str> = pollers.iter().map(|poller| poller.resource.as_str()).collect();
    assert_eq!(resources, ["contacts", "deals"]);
    is_taken(world.store.create_instance(new_instance(world.org, 1, &[]), at(1)).await);
    world.store.create_instance(new_instance(world.org, 9, &[]), at(1)).await.unwrap();
}

pub async fn updates_keep_what_a_poller_knows(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let mut batch = world.batch(&[]);
    batch.entries = vec![entry("a", 1, 0)];
    batch.checkpoint = Some("open".into());
    world.write(batch).await;
    world.store.set_state(world.org, world.poller, "state", Some(7), at(1)).await.unwrap();
    let lease = world.claim(1).await;
    let mut batch = world.batch(&[]);
    batch.checkpoint = Some("open again".into());
    world.commit(lease, batch, 1).await;
    world.store.pause(world.org, world.poller, "by hand").await.unwrap();

    let mut new = new_instance(world.org, 1, &["contacts"]);
    new.pollers[0].next_due = at(500);
    new.pollers[0].interval = Duration::from_secs(60);
    world.store.update_instance(world.org, world.instance, new.clone(), at(1)).await.unwrap();
    let same = world.store.poller(world.org, world.poller).await.unwrap();
    assert_eq!((same.revision, same.next_due, same.interval), (1, at(0), Duration::from_secs(60)));

    new.pollers[0].revision = 2;
    world.store.update_instance(world.org, world.instance, new, at(1)).await.unwrap();
    let row = world.store.poller(world.org, world.poller).await.unwrap();
    assert_eq!((row.revision, row.next_due), (2, at(500)));
    assert_eq!((row.state.as_str(), row.watermark), ("state", Some(7)));
    assert_eq!((row.checkpoint.as_deref(), row.paused.as_deref()), (Some("open again"), Some("by hand")));
    assert!(world.knows("a", 1).await);
    world.commit(lease, world.batch(&[(1, "a")]), 2).await;
}

pub async fn updates_remove_pollers_with_their_ledger(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let mut batch = world.batch(&[(1, "a")]);
    batch.entries = vec![entry("a", 1, 0)];
    batch.versions = vec![version("a", 1)];
    world.write(batch).await;
    let lease = world.claim(1).await;
    let new = new_instance(world.org, 1, &["deals"]);
    world.store.update_instance(world.org, world.instance, new, at(1)).await.unwrap();
    is_missing(world.store.poller(world.org, world.poller).await, "poller");
    assert_eq!(world.try_commit(lease, world.batch(&[(2, "b")]), 2).await, Committed::StaleLease);
    assert!(!world.knows("a", 1).await);
    assert_eq!(world.missing(9, None, 9).await, (vec![], 0, 0));
    assert_eq!(world.objects().await, ["a"], "its events stay");
    let back = new_instance(world.org, 1, &["contacts", "deals"]);
    world.store.update_instance(world.org, world.instance, back, at(1)).await.unwrap();
    let pollers = world.store.pollers(world.org, None).await.unwrap();
    assert!(pollers.iter().all(|poller| poller.id > world.poller && poller.state.is_empty()));
}

pub async fn updates_keep_the_endpoint_in_place(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let delivery = world.formed(&[(1, "a"), (2, "a")], 1).await;
    world.deliver_and_switch(&delivery, EndpointState::Disabled, 2).await;
    let new = new_instance(world.org, 1, &["contacts"]);
    world.store.update_instance(world.org, world.instance, new, at(3)).await.unwrap();
    let row = world.endpoint_row().await;
    assert_eq!((row.position, row.state, row.accepted_at), (1, EndpointState::Disabled, Some(at(2))));
    assert_eq!(row.reason, "it said so");
}

pub async fn an_endpoint_that_is_left_out_is_removed(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let delivery = world.formed(&[(1, "a")], 1).await;
    let new = NewInstance { endpoint: None, ..new_instance(world.org, 1, &["contacts"]) };
    world.store.update_instance(world.org, world.instance, new, at(3)).await.unwrap();
    assert_eq!(world.store.instance(world.org, world.instance).await.unwrap().endpoint, None);
    assert_eq!(world.store.endpoints(world.org).await.unwrap(), []);
    is_missing(world.store.waiting(world.endpoint, most(9)).await, "endpoint");
    let row = world.notification(&delivery).await;
    assert_eq!(
        (row.state, row.completed_at, row.next_due),
        (NotificationState::Cancelled, Some(at(3)), None)
    );
}

pub async fn a_late_endpoint_starts_at_the_end(store: Arc<dyn Store>) {
    let mut world = World::new(store).await;
    let without = NewInstance { endpoint: None, ..new_instance(world.org, 1, &["contacts"]) };
    world.store.update_instance(world.org, world.instance, without, at(1)).await.unwrap();
    world.record(&[(1, "a")]).await;
    let with = new_instance(world.org, 1, &["contacts"]);
    world.store.update_instance(world.org, world.instance, with, at(2)).await.unwrap();
    let row = world.store.instance(world.org, world.instance).await.unwrap();
    world.endpoint = row.endpoint.unwrap();
    assert!(world.waiting_objects().await.is_empty());
    world.record(&[(2, "b")]).await;
    assert_eq!(world.waiting_objects().await, ["b"]);
}

pub async fn switched_off_pollers_are_not_due(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    world.store.set_enabled(world.org, world.instance, false).await.unwrap();
    assert_eq!(world.store.due(at(9), 9, 9).await.unwrap(), []);
    assert_eq!(world.store.next_due().await.unwrap(), None);
    assert_eq!(world.store.claim(world.poller, at(9), LEASE).await.unwrap(), None);
    assert!(!world.store.instance(world.org, world.instance).await.unwrap().enabled);
    world.store.set_enabled(world.org, world.instance, true).await.unwrap();
    assert_eq!(world.store.due(at(9), 9, 9).await.unwrap().len(), 1);
    let off = NewInstance { enabled: false, ..new_instance(world.org, 2, &["x"]) };
    world.store.create_instance(off, at(0)).await.unwrap();
    assert_eq!(world.store.due(at(9), 9, 9).await.unwrap().len(), 1);
}

pub async fn switching_off_lets_a_run_finish(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let lease = world.claim(1).await;
    world.store.set_enabled(world.org, world.instance, false).await.unwrap();
    world.commit(lease, world.batch(&[(1, "a")]), 2).await;
    let finish = world.finish(world.batch(&[(2, "b")]), 1);
    assert_eq!(world.store.finish(lease, finish, at(2)).await.unwrap(), Committed::Yes);
    assert_eq!(world.objects().await, ["a", "b"]);
}

pub async fn deleting_ends_leases_and_keeps_events(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    world.record(&[(1, "a")]).await;
    let first = world.claim(1).await;
    let finish = world.finish(world.batch(&[]), 1);
    let run = finish.run.id;
    world.store.finish(first, finish, at(1)).await.unwrap();
    let lease = world.claim(400).await;
    world.store.delete_instance(world.org, world.instance, at(401)).await.unwrap();
    assert_eq!(world.try_commit(lease, world.batch(&[(2, "b")]), 402).await, Committed::StaleLease);
    let finish = world.finish(world.batch(&[(2, "b")]), 400);
    assert_eq!(world.store.finish(lease, finish, at(402)).await.unwrap(), Committed::StaleLease);
    assert_eq!(world.store.renew(lease, at(402), LEASE).await.unwrap(), Committed::StaleLease);
    world.store.release(lease, at(402)).await.unwrap();
    assert_eq!(world.objects().await, ["a"]);
    assert_eq!(world.store.run(world.org, run).await.unwrap().0.id, run);
    is_missing(world.store.instance(world.org, world.instance).await, "instance");
    is_missing(world.store.delete_instance(world.org, world.instance, at(402)).await, "instance");
    is_missing(world.store.poller(world.org, world.poller).await, "poller");
    is_missing(world.store.runs(world.org, world.poller, 9).await, "poller");
    is_missing(world.store.waiting(world.endpoint, most(9)).await, "endpoint");
    assert_eq!(world.store.due(at(999), 9, 9).await.unwrap(), []);
    assert_eq!(world.store.claim(world.poller, at(999), LEASE).await.unwrap(), None);
    assert!(!world.knows("a", 1).await);
}

pub async fn deleting_frees_the_token(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    world.store.delete_instance(world.org, world.instance, at(1)).await.unwrap();
    world.store.create_instance(new_instance(world.org, 1, &["contacts"]), at(2)).await.unwrap();
}

pub async fn pausing_keeps_the_reason(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    world.store.pause(world.org, world.poller, "the token was refused").await.unwrap();
    let row = world.store.poller(world.org, world.poller).await.unwrap();
    assert_eq!(row.paused.as_deref(), Some("the token was refused"));
    assert_eq!(world.store.due(at(9), 9, 9).await.unwrap(), []);
    assert_eq!(world.store.next_due().await.unwrap(), None);
    world.store.set_due(world.org, world.poller, at(5), false).await.unwrap();
    assert_eq!(world.store.claim(world.poller, at(9), LEASE).await.unwrap(), None, "it is still paused");
    world.store.set_due(world.org, world.poller, at(6), true).await.unwrap();
    assert_eq!(world.store.next_due().await.unwrap(), Some(at(6)));
    assert_eq!(world.store.poller(world.org, world.poller).await.unwrap().paused, None);
    let lease = world.claim(6).await;
    world.store.pause(world.org, world.poller, "again").await.unwrap();
    let finish = world.finish(world.batch(&[]), 6);
    assert_eq!(world.store.finish(lease, finish, at(7)).await.unwrap(), Committed::Yes);
    let row = world.store.poller(world.org, world.poller).await.unwrap();
    assert_eq!(row.paused.as_deref(), Some("again"), "a run in flight does not unpause");
}

pub async fn states_are_replaced_between_runs(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let lease = world.claim(1).await;
    is_taken(world.store.set_state(world.org, world.poller, "new", Some(1), at(2)).await);
    let mut finish = world.finish(world.batch(&[]), 1);
    finish.pass_closed = false;
    finish.batch.checkpoint = Some("open".into());
    world.store.finish(lease, finish, at(2)).await.unwrap();
    world.store.set_state(world.org, world.poller, "new", Some(1), at(3)).await.unwrap();
    let row = world.store.poller(world.org, world.poller).await.unwrap();
    assert_eq!((row.state.as_str(), row.watermark, row.checkpoint), ("new", Some(1), None));
    world.store.set_state(world.org, world.poller, "", None, at(3)).await.unwrap();
    let row = world.store.poller(world.org, world.poller).await.unwrap();
    assert_eq!((row.state.as_str(), row.watermark), ("", None));
}

pub async fn a_lapsed_claim_gives_way_to_a_new_state(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let lease = world.claim(1).await;
    is_taken(world.store.set_state(world.org, world.poller, "new", None, at(60)).await);
    world.store.set_state(world.org, world.poller, "new", None, at(61)).await.unwrap();
    let finish = world.finish(world.batch(&[]), 1);
    assert_eq!(world.store.finish(lease, finish, at(62)).await.unwrap(), Committed::StaleLease);
    assert_eq!(world.store.poller(world.org, world.poller).await.unwrap().state, "new");
}

pub async fn texts_hold_any_character(store: Arc<dyn Store>) {
    let strange = "a\0b\u{1F600}\u{FEFF}'\"\\\n\u{7f}é\u{10FFFF}\0";
    let org = store.ensure_org(strange, at(0)).await.unwrap();
    assert_eq!(store.ensure_org(strange, at(0)).await.unwrap(), org);
    assert_ne!(store.ensure_org("a", at(0)).await.unwrap(), org);
    let mut new = new_instance(org, 1, &[strange, "a"]);
    new.name = strange.into();
    new.tags = vec![strange.into(), String::new()];
    new.document = strange.into();
    new.element_key = strange.into();
    new.endpoint = Some(NewEndpoint { kind: "callback".into(), config: strange.into() });
    let id = store.create_instance(new, at(0)).await.unwrap();
    let row = store.instance(org, id).await.unwrap();
    assert_eq!(
        (row.name.as_str(), row.document.as_str(), row.element_key.as_str()),
        (strange, strange, strange)
    );
    assert_eq!(row.tags, [strange, ""]);
    let poller = store.pollers(org, Some(id)).await.unwrap().remove(0);
    assert_eq!(poller.resource, strange);
    assert_eq!(store.endpoints(org).await.unwrap()[0].config, strange);

    let endpoint = row.endpoint.unwrap();
    let world = World { store, org, instance: id, poller: poller.id, endpoint };
    let mut known = entry(strange, 1, 0);
    known.compared_text = strange.into();
    known.last_body = Some(strange.into());
    let mut batch = world.batch(&[(1, strange), (2, "a")]);
    batch.events[0].record = Some(strange.into());
    batch.events[0].reason = strange.into();
    batch.events[0].object_type = strange.into();
    batch.versions = vec![version(strange, 2)];
    batch.entries = vec![known.clone(), entry("a", 2, 0)];
    batch.checkpoint = Some(strange.into());
    let written = batch.events[0].clone();
    world.write(batch).await;
    let answers = world.known(&[version(strange, 1), version(strange, 2), version("a", 1)]).await;
    assert_eq!(answers[0].entry, Some(known));
    assert_eq!(answers.iter().map(|answer| answer.version).collect::<Vec<_>>(), [true, true, false]);
    let filter =
        EventFilter { object_id: Some(strange.into()), resource: Some(strange.into()), ..any_event() };
    let events = world.store.events(org, &filter).await.unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].event, written);
    let row = world.store.poller(org, poller.id).await.unwrap();
    assert_eq!(row.checkpoint.as_deref(), Some(strange));
    world.store.pause(org, poller.id, strange).await.unwrap();
    assert_eq!(world.store.poller(org, poller.id).await.unwrap().paused.as_deref(), Some(strange));
}

pub async fn numbers_reach_their_ends(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let mut batch = world.batch(&[(u128::MAX, "a"), (0, "b")]);
    batch.events[0].sequence = i64::MAX as u64;
    batch.versions = vec![version("v", i64::MIN), version("v", i64::MAX), version("v", -1)];
    let mut known = entry("a", i64::MAX, i64::MAX as u64);
    known.sequence = i64::MAX as u64;
    known.incarnation = u32::MAX;
    known.shape = u32::MAX;
    known.recurrence = u32::MAX;
    batch.entries = vec![known.clone(), entry("b", i64::MIN, 0)];
    world.write(batch).await;
    let answers =
        world.known(&[version("a", i64::MAX), version("b", i64::MIN), version("v", i64::MIN)]).await;
    assert_eq!(answers[0].entry, Some(known));
    assert!(answers.iter().all(|answer| answer.version));
    assert!(world.knows("v", i64::MAX).await && world.knows("v", -1).await && !world.knows("v", 0).await);
    let events = world.store.events(world.org, &any_event()).await.unwrap();
    assert_eq!(events[0].event.sequence, i64::MAX as u64);
    assert_eq!(events[0].event.id.0, [0xff; 16]);
    let lease = world.claim(1).await;
    let mut finish = world.finish(world.batch(&[]), 1);
    finish.watermark = Some(i64::MIN);
    finish.prune_versions_below = Some(i64::MAX);
    world.store.finish(lease, finish, at(2)).await.unwrap();
    assert!(world.knows("v", i64::MAX).await && !world.knows("v", -1).await);
    let row = world.store.poller(world.org, world.poller).await.unwrap();
    assert_eq!(row.watermark, Some(i64::MIN));
    let none = EventFilter { after: i64::MAX, ..any_event() };
    assert_eq!(world.store.events(world.org, &none).await.unwrap(), []);
}

pub async fn instants_keep_their_microseconds(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    for micro in [1_700_000_000_123_456_i64, -1, 0, -377_705_023_201_000_000, 253_402_207_200_000_000] {
        let instant = Timestamp::from_microsecond(micro).expect("a valid instant");
        world.store.set_due(world.org, world.poller, instant, true).await.unwrap();
        let row = world.store.poller(world.org, world.poller).await.unwrap();
        assert_eq!(row.next_due, instant);
        assert_eq!(world.store.next_due().await.unwrap(), Some(instant));
    }
    let instant = Timestamp::from_microsecond(1_700_000_000_123_456).expect("a valid instant");
    world.store.set_due(world.org, world.poller, at(0), true).await.unwrap();
    let mut batch = world.batch(&[(1, "a")]);
    batch.events[0].date = instant;
    batch.entries = vec![entry("a", 1, 0)];
    batch.entries[0].first_read_at = instant;
    batch.entries[0].deleted_at = Some(instant);
    let (event, known) = (batch.events[0].clone(), batch.entries[0].clone());
    let lease = world.store.claim(world.poller, instant, LEASE).await.unwrap().unwrap().lease;
    world.store.commit(lease, batch, instant).await.unwrap();
    let logged = world.store.events(world.org, &any_event()).await.unwrap().remove(0);
    assert_eq!((logged.event, logged.recorded_at), (event, instant));
    assert_eq!(world.known(&[version("a", 1)]).await[0].entry, Some(known));
}

pub async fn finer_instants_are_cut(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let fine = Timestamp::from_nanosecond(1_700_000_000_123_456_789).expect("a valid instant");
    let cut = Timestamp::from_microsecond(1_700_000_000_123_456).expect("a valid instant");
    world.store.set_due(world.org, world.poller, fine, true).await.unwrap();
    assert_eq!(world.store.next_due().await.unwrap(), Some(cut));
    let lease = world.store.claim(world.poller, fine, LEASE).await.unwrap().unwrap().lease;
    let mut batch = world.batch(&[(1, "a")]);
    batch.events[0].date = fine;
    world.store.commit(lease, batch, fine).await.unwrap();
    let logged = world.store.events(world.org, &any_event()).await.unwrap().remove(0);
    assert_eq!((logged.event.date, logged.recorded_at), (cut, cut));
}
