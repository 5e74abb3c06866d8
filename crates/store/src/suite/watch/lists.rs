//! Lists of a whole organisation.

use std::sync::Arc;

use turnstone_core::id::{InstanceId, PollerId};
use turnstone_core::poll::{Batch, RunOutcome, Status};

use super::{Watched, World, wrong};
use crate::api::*;
use crate::suite::world::at;
use crate::watch::*;

pub async fn pollers_are_listed_worst_first(store: Arc<dyn Watched>) {
    let world = World::new(store).await;
    let (instance, more) = world.add(2, &["a", "b", "c", "d"]).await;
    let pollers = [&[world.poller], more.as_slice()].concat();
    let run = async |place: usize, status| {
        world.run_of(pollers[place], Batch::default(), 1, status, RunOutcome::Completed).await;
    };
    run(0, Status::ok()).await;
    run(1, wrong("unstable", false)).await;
    run(2, wrong("refused", true)).await;
    run(3, Status::ok()).await;
    world.store.pause(world.org, pollers[3], "why not").await.unwrap();
    let page = async |filter: PollerFilter| {
        let (rows, total) = world.watch.poller_page(world.org, &filter).await.unwrap();
        for row in &rows {
            assert_eq!(*row, world.store.poller(world.org, row.id).await.unwrap());
        }
        let ids: Vec<PollerId> = rows.into_iter().map(|row| row.id).collect();
        let place = |id: &PollerId| pollers.iter().position(|known| known == id).unwrap();
        (ids.iter().map(place).collect::<Vec<_>>(), total)
    };
    let all = PollerFilter { limit: 100, ..PollerFilter::default() };
    assert_eq!(page(all.clone()).await, (vec![2, 1, 3, 4, 0], 5));
    assert_eq!(page(PollerFilter { skip: 1, limit: 2, ..all.clone() }).await, (vec![1, 3], 5));
    assert_eq!(page(PollerFilter { skip: 9, ..all.clone() }).await, (vec![], 5));
    assert_eq!(page(PollerFilter { limit: 0, ..all.clone() }).await, (vec![], 5));
    let of = |health: &[Health]| PollerFilter { health: health.to_vec(), ..all.clone() };
    assert_eq!(page(of(&[Health::Failing, Health::NeedsAttention])).await, (vec![2, 1], 2));
    assert_eq!(page(of(&[Health::Paused])).await, (vec![3], 1));
    assert_eq!(page(of(&[Health::Ok, Health::Starting])).await, (vec![4, 0], 2));
    let two = vec![world.instance, instance, world.instance];
    assert_eq!(page(PollerFilter { instances: two, ..all.clone() }).await, (vec![2, 1, 3, 4, 0], 5));
    assert_eq!(page(PollerFilter { instances: vec![instance], ..all.clone() }).await, (vec![2, 1, 3, 4], 4));
    assert_eq!(page(PollerFilter { instances: vec![instance], ..of(&[Health::Ok]) }).await, (vec![], 0));
}

pub async fn an_overview_counts_everything(store: Arc<dyn Watched>) {
    let world = World::new(store).await;
    let (off, pollers) = world.add(2, &["a", "b"]).await;
    world.add(3, &["a"]).await;
    let fails = wrong("refused", true);
    world.run_of(world.poller, Batch::default(), 1, Status::ok(), RunOutcome::Completed).await;
    world.run_of(pollers[0], Batch::default(), 1, fails, RunOutcome::Failed).await;
    world.store.pause(world.org, pollers[1], "why not").await.unwrap();
    let monitor = world.watch.create_monitor(world.org, "users", "{}", at(0)).await.unwrap();
    world.watch.deploy(world.org, monitor, 1, at(0)).await.unwrap();
    let delivery = world.formed(&[(1, "a")], 1).await;
    let dead = world.result(&delivery, NotificationState::Dead, 2);
    world.end(&delivery, dead, 2).await;
    let delivery = world.formed(&[(2, "b")], 3).await;
    world.deliver(&delivery, 4).await;
    let expect = Overview {
        instances: 3,
        instances_enabled: 3,
        instances_failing: 1,
        pollers_ok: 1,
        pollers_failing: 1,
        pollers_paused: 1,
        pollers_starting: 1,
        endpoints_active: 3,
        open: Open { dead: 1, ..Open::default() },
        ..Overview::default()
    };
    assert_eq!(world.watch.overview(world.org).await.unwrap(), expect);
    world.store.set_enabled(world.org, off, false).await.unwrap();
    world.watch.switch_endpoint(world.org, world.endpoint, EndpointState::Disabled, "off").await.unwrap();
    let expect = Overview {
        instances_enabled: 2,
        instances_failing: 0,
        endpoints_active: 2,
        endpoints_disabled: 1,
        ..expect
    };
    assert_eq!(world.watch.overview(world.org).await.unwrap(), expect);
}

pub async fn runs_of_an_organisation_are_paged(store: Arc<dyn Watched>) {
    let world = World::new(store).await;
    let (instance, pollers) = world.add(2, &["a", "b"]).await;
    let mut ids = Vec::new();
    for (place, seconds) in [(0, 10), (1, 20), (2, 30), (0, 30), (1, 40)] {
        let poller = if place == 0 { world.poller } else { pollers[place - 1] };
        let outcome = match place {
            0 => RunOutcome::Completed,
            1 => RunOutcome::Failed,
            _ => RunOutcome::Yielded,
        };
        ids.push(world.run_of(poller, Batch::default(), seconds, Status::ok(), outcome).await);
    }
    let check = async |filter: RunFilter, expected: &[usize]| {
        let records = world.watch.run_page(world.org, &filter).await.unwrap();
        let found: Vec<_> = records.iter().map(|record| record.id).collect();
        let expected: Vec<_> = expected.iter().map(|place| ids[*place]).collect();
        assert_eq!(found, expected, "{filter:?}");
        for record in records {
            assert_eq!(world.store.run(world.org, record.id).await.unwrap().0, record);
        }
    };
    let all = RunFilter { limit: 100, ..RunFilter::default() };
    // Runs of one start are told apart by their ids, which grow with the poller's here.
    check(all.clone(), &[4, 2, 3, 1, 0]).await;
    check(RunFilter { limit: 2, ..all.clone() }, &[4, 2]).await;
    check(RunFilter { before: Some(ids[2]), limit: 2, ..all.clone() }, &[3, 1]).await;
    check(RunFilter { before: Some(ids[0]), ..all.clone() }, &[]).await;
    check(RunFilter { before: Some(turnstone_core::id::RunId([9; 16])), ..all.clone() }, &[]).await;
    check(RunFilter { outcome: Some(RunOutcome::Failed), ..all.clone() }, &[4, 1]).await;
    check(RunFilter { outcome: Some(RunOutcome::Yielded), ..all.clone() }, &[2]).await;
    check(RunFilter { outcome: Some(RunOutcome::Completed), limit: 1, ..all.clone() }, &[3]).await;
    check(RunFilter { outcome: Some(RunOutcome::Failed), before: Some(ids[4]), ..all.clone() }, &[1]).await;
    check(RunFilter { instance: Some(instance), ..all.clone() }, &[4, 2, 1]).await;
    check(RunFilter { instance: Some(instance), limit: 1, before: Some(ids[4]), ..all.clone() }, &[2]).await;
    check(RunFilter { poller: Some(world.poller), ..all.clone() }, &[3, 0]).await;
    check(RunFilter { poller: Some(world.poller), before: Some(ids[3]), ..all.clone() }, &[0]).await;
    check(RunFilter { poller: Some(world.poller), instance: Some(instance), ..all.clone() }, &[]).await;
    check(RunFilter { poller: Some(pollers[0]), outcome: Some(RunOutcome::Completed), ..all }, &[]).await;

    let asked = [ids[3], turnstone_core::id::RunId([9; 16]), ids[0]];
    let records = world.watch.run_records(world.org, &asked).await.unwrap();
    assert_eq!(records.iter().map(|record| record.id).collect::<Vec<_>>(), [ids[3], ids[0]]);
    let places = world.watch.places(world.org, &[pollers[1], PollerId(999), world.poller]).await.unwrap();
    let named: Vec<_> =
        places.iter().map(|place| (place.instance_name.as_str(), place.resource.as_str())).collect();
    assert_eq!(named, [("instance 2", "b"), ("instance 1", "contacts")]);
    let asked = [instance, InstanceId(999), world.instance];
    let names = world.watch.instance_names(world.org, &asked).await.unwrap();
    assert_eq!(names, [(instance, "instance 2".to_owned()), (world.instance, "instance 1".to_owned())]);
    assert_eq!((places[0].instance, places[0].subscription), (instance, None));
}

pub async fn endpoints_are_listed_and_switched(store: Arc<dyn Watched>) {
    let world = World::new(store).await;
    let (second, _) = world.add(2, &["a"]).await;
    let (third, _) = world.add(3, &["a"]).await;
    let endpoint =
        async |instance| world.store.instance(world.org, instance).await.unwrap().endpoint.unwrap();
    let ids = [world.endpoint, endpoint(second).await, endpoint(third).await];
    let delivery = world.formed(&[(1, "a")], 1).await;
    let view = async |id| {
        let filter = EndpointFilter { id: Some(id), limit: 1, ..EndpointFilter::default() };
        world.watch.endpoint_page(world.org, &filter).await.unwrap().0.remove(0)
    };
    assert!(!view(ids[0]).await.is_behind, "everything is in a notification");
    world.record(&[(2, "b")]).await;
    let shown = view(ids[0]).await;
    assert!(shown.is_behind && shown.instance_name == "instance 1", "{shown:?}");
    assert_eq!(shown.open, Open::default());
    let retry =
        AttemptResult { next_due: Some(at(9)), ..world.result(&delivery, NotificationState::Retry, 2) };
    world.end(&delivery, retry, 2).await;
    assert_eq!(view(ids[0]).await.open, Open { retry: 1, ..Open::default() });
    assert!(!view(ids[1]).await.is_behind);
    let page = async |skip, limit| {
        let filter = EndpointFilter { id: None, skip, limit };
        let (views, total) = world.watch.endpoint_page(world.org, &filter).await.unwrap();
        assert_eq!(total, 3);
        let place = |view: &EndpointView| ids.iter().position(|id| *id == view.row.id).unwrap();
        views.iter().map(place).collect::<Vec<_>>()
    };
    assert_eq!(page(0, 9).await, [0, 1, 2]);
    world.watch.switch_endpoint(world.org, ids[2], EndpointState::Disabled, "for now").await.unwrap();
    assert_eq!(page(0, 9).await, [2, 0, 1]);
    assert_eq!(page(1, 1).await, [0]);
    let row = view(ids[2]).await.row;
    assert_eq!((row.state, row.reason.as_str()), (EndpointState::Disabled, "for now"));

    // What is off is sent nothing; switched on, it goes on where it was.
    world.watch.switch_endpoint(world.org, ids[0], EndpointState::Disabled, "x").await.unwrap();
    assert_eq!(world.endpoints_waiting().await, 0);
    assert!(world.take(20).await.is_empty());
    world.watch.switch_endpoint(world.org, ids[0], EndpointState::Active, "").await.unwrap();
    assert_eq!(world.endpoints_waiting().await, 1);
    assert_eq!(world.take(20).await.len(), 1);
    let unknown = world.watch.switch_endpoint(
        world.org,
        turnstone_core::id::EndpointId(999),
        EndpointState::Active,
        "",
    );
    assert!(matches!(unknown.await, Err(StoreError::NotFound("endpoint"))));
}

pub async fn organisations_see_their_own(store: Arc<dyn Watched>) {
    let world = World::new(store).await;
    let run = world.run_of(world.poller, Batch::default(), 1, Status::ok(), RunOutcome::Completed).await;
    let other = world.store.ensure_org("other", at(0)).await.unwrap();
    assert_eq!(world.watch.overview(other).await.unwrap(), Overview::default());
    let all = PollerFilter { limit: 9, ..PollerFilter::default() };
    assert_eq!(world.watch.poller_page(other, &all).await.unwrap(), (vec![], 0));
    let of_instance = PollerFilter { instances: vec![world.instance], ..all };
    assert_eq!(world.watch.poller_page(other, &of_instance).await.unwrap(), (vec![], 0));
    for filter in [
        RunFilter { limit: 9, ..RunFilter::default() },
        RunFilter { limit: 9, poller: Some(world.poller), ..RunFilter::default() },
        RunFilter { limit: 9, instance: Some(world.instance), ..RunFilter::default() },
        RunFilter { limit: 9, before: Some(run), ..RunFilter::default() },
    ] {
        assert_eq!(world.watch.run_page(other, &filter).await.unwrap(), vec![], "{filter:?}");
    }
    assert_eq!(world.watch.run_records(other, &[run]).await.unwrap(), vec![]);
    assert_eq!(world.watch.instance_names(other, &[world.instance]).await.unwrap(), vec![]);
    assert_eq!(world.watch.places(other, &[world.poller]).await.unwrap(), vec![]);
    let story = world.watch.record_story(other, world.poller, "a", 9).await;
    assert!(matches!(story, Err(StoreError::NotFound("poller"))));
    let filter = EndpointFilter { limit: 9, ..EndpointFilter::default() };
    assert_eq!(world.watch.endpoint_page(other, &filter).await.unwrap(), (vec![], 0));
    let switched = world.watch.switch_endpoint(other, world.endpoint, EndpointState::Disabled, "").await;
    assert!(matches!(switched, Err(StoreError::NotFound("endpoint"))));
}
