//! Failures: the schedule, dead letters, and what becomes of the endpoint and of the events behind.

use std::time::Duration;

use turnstone_engine::clock::Clock;
use turnstone_engine::deliverer::EndpointConfig;
use turnstone_store::EndpointState;

use super::world::{Act, Seen, World, config};

const URL: &str = "https://a.test/events";

const PUBLISHED: [f64; 10] = [0.0, 4.0, 16.0, 64.0, 256.0, 1_024.0, 4_096.0, 16_384.0, 65_536.0, 262_144.0];

#[track_caller]
fn on_schedule(world: &World, seen: &[Seen]) {
    assert_eq!(seen.len(), PUBLISHED.len());
    for (seen, published) in seen.iter().zip(PUBLISHED) {
        let second = world.seconds(seen.at);
        assert!(second >= published && second <= published * 1.1, "{second} for {published}");
    }
}

#[tokio::test]
async fn nine_retries_then_a_dead_letter_and_the_rest_waits_until_released() {
    let world = World::new(|_, _| Act::Status(503)).await;
    let place = world.place(URL).await;
    world.record(place, &["a"]).await;
    world.live().await;
    let seen = world.receivers.seen();
    on_schedule(&world, &seen);
    assert_eq!(world.states().await, ["dead"]);
    let endpoint = world.endpoint(place).await;
    assert_eq!(endpoint.state, EndpointState::Deactivated);
    assert_eq!(
        endpoint.reason,
        "nothing was accepted since 2026-03-01T12:00:00Z: the callback answered 503: it failed; see the receiver's \
         own log"
    );
    assert_eq!(world.attempts(world.notifications().await[0].id).await.len(), 10);

    // Later events wait; nothing is sent.
    world.record(place, &["a", "b"]).await;
    world.clock.advance(Duration::from_secs(10 * 24 * 3600));
    world.live().await;
    assert_eq!(world.receivers.seen().len(), 10);
    assert_eq!(world.states().await, ["dead"]);

    // Released: the same id, the same bytes, and then what waited.
    world.script(|_, _| Act::Status(200));
    assert_eq!(world.release().await, 1);
    world.live().await;
    let seen = world.receivers.seen();
    assert_eq!((seen[10].id(), &seen[10].body), (seen[0].id(), &seen[0].body));
    assert_eq!(world.states().await, ["delivered", "delivered"]);
    assert_eq!(world.receivers.accepted(), ["a1", "a2 b1"]);
    assert_eq!(world.endpoint(place).await.state, EndpointState::Active);
    world.check_promise(URL, &["a1", "a2", "b1"]);
}

#[tokio::test]
async fn a_receiver_that_accepts_others_is_not_deactivated() {
    let world = World::new(|seen, _| Act::Status(if seen.story() == "a1" { 500 } else { 200 })).await;
    let place = world.place(URL).await;
    world.record(place, &["a"]).await;
    world.settle().await;
    world.record(place, &["b"]).await;
    world.live().await;
    assert_eq!(world.states().await, ["dead", "delivered"]);
    let endpoint = world.endpoint(place).await;
    assert_eq!((endpoint.state, endpoint.reason.as_str()), (EndpointState::Active, ""));
}

#[tokio::test]
async fn a_poison_event_holds_up_its_own_record_only() {
    let world =
        World::new(|seen, _| Act::Status(if seen.story().contains("poison1") { 500 } else { 200 })).await;
    let place = world.place(URL).await;
    world.record(place, &["a", "poison", "b"]).await;
    world.settle().await;
    world.record(place, &["poison", "c", "a"]).await;
    world.settle().await;
    // The group of three failed; only `c` was free to go.
    assert_eq!(world.receivers.accepted(), ["c1"]);
    let mut moves = 0;
    while world.receivers.accepted().len() < 4 && moves < 20 {
        assert!(world.move_on().await);
        world.settle().await;
        moves += 1;
    }
    // Taken apart after the third failure, at 16 s; due again as after a first failure.
    let now = world.seconds(world.clock.now());
    assert!((20.0..=22.1).contains(&now), "{now}");
    assert_eq!(world.receivers.accepted(), ["c1", "a1", "b1", "a2"]);
    let states = world.states().await;
    assert_eq!(states, ["split", "delivered", "delivered", "retry", "delivered", "delivered"]);
    let rows = world.notifications().await;
    for row in &rows[2..5] {
        assert_eq!((row.split_from, row.events.len()), (Some(rows[0].id), 1));
        assert!(rows[0].events.contains(&row.events[0]));
    }

    // To the end: the poison dies, its record goes on, the endpoint stays.
    world.live().await;
    assert_eq!(world.states().await.iter().filter(|state| **state == "dead").count(), 1);
    assert_eq!(world.endpoint(place).await.state, EndpointState::Active);
    assert_eq!(world.receivers.accepted().last().unwrap(), "poison2");
    world.check_promise(URL, &["a1", "a2", "b1", "c1", "poison2"]);
}

#[tokio::test]
async fn the_events_of_a_record_arrive_one_by_one_in_order() {
    // Every second request fails, in turn by an answer and by a broken connection.
    let world = World::new(|_, count| match count % 4 {
        1 => Act::Status(500),
        3 => Act::Break(true),
        _ => Act::Status(200),
    })
    .await;
    let place = world.place(URL).await;
    for _ in 0..6 {
        world.record(place, &["a", "b"]).await;
    }
    world.record(place, &["c"]).await;
    world.live().await;
    let mut expect = vec!["c1".to_owned()];
    for sequence in 1..=6 {
        expect.extend(["a", "b"].map(|object| format!("{object}{sequence}")));
    }
    world.check_promise(URL, &expect.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(world.states().await.iter().all(|state| ["delivered", "split"].contains(state)));
}

#[tokio::test]
async fn a_gone_receiver_gets_nothing_more_until_released() {
    let world = World::new(|_, _| Act::Status(410)).await;
    let place = world.place(URL).await;
    world.record(place, &["a"]).await;
    world.settle().await;
    world.record(place, &["b"]).await;
    world.live().await;
    assert_eq!(world.receivers.seen().len(), 1);
    assert_eq!(world.states().await, ["queued"]);
    let endpoint = world.endpoint(place).await;
    assert_eq!(endpoint.state, EndpointState::Disabled);
    assert!(endpoint.reason.contains("410"), "{}", endpoint.reason);
    world.script(|_, _| Act::Status(200));
    world.release().await;
    world.live().await;
    world.check_promise(URL, &["a1", "b1"]);
}

#[tokio::test]
async fn a_receiver_is_not_asked_earlier_than_it_said() {
    let world =
        World::new(|_, count| if count == 0 { Act::Later(429, "100") } else { Act::Status(200) }).await;
    let place = world.place(URL).await;
    world.record(place, &["a"]).await;
    world.settle().await;
    // Nothing new is formed meanwhile either.
    world.record(place, &["b"]).await;
    world.settle().await;
    world.clock.advance(Duration::from_secs(99));
    world.settle().await;
    assert_eq!(world.receivers.seen().len(), 1);
    world.live().await;
    let seen = world.receivers.seen();
    assert_eq!(seen.len(), 3);
    assert!(seen[1..].iter().all(|seen| world.seconds(seen.at) >= 100.0));
    assert!(world.seconds(seen[2].at) <= 101.0);
    world.check_promise(URL, &["a1", "b1"]);

    // A date, and one that asks for more than is granted.
    for (asked, expect) in [("Sun, 01 Mar 2026 12:05:00 GMT", 300.0), ("9999999", 24.0 * 3600.0)] {
        let later = move |_: &Seen, count| if count == 0 { Act::Later(503, asked) } else { Act::Status(200) };
        let world = World::new(later).await;
        let place = world.place(URL).await;
        world.record(place, &["a"]).await;
        world.live().await;
        assert_eq!(world.seconds(world.receivers.seen()[1].at), expect);
    }
}

#[tokio::test]
async fn the_queue_policy_holds_everything_from_the_first_failure() {
    let world = World::new(|_, count| Act::Status(if count == 1 { 502 } else { 200 })).await;
    let settings = EndpointConfig { policy: turnstone_core::delivery::RetryPolicy::Queue, ..config(URL) };
    let place = world.place_with("callback", &settings.to_json()).await;
    for object in ["a", "b", "c"] {
        world.record(place, &[object]).await;
        world.live().await;
    }
    assert_eq!(world.receivers.seen().len(), 2);
    assert_eq!(world.states().await, ["delivered", "queued"]);
    let endpoint = world.endpoint(place).await;
    assert_eq!(endpoint.state, EndpointState::Deactivated);
    assert!(endpoint.reason.starts_with("its policy is `queue`: the callback answered 502"));
    assert_eq!(world.release().await, 1);
    world.live().await;
    assert_eq!(world.receivers.accepted(), ["a1", "b1", "c1"]);
}

#[tokio::test]
async fn an_unknown_outcome_repeats_the_same_id_and_bytes() {
    let world = World::new(|_, count| if count < 2 { Act::Break(true) } else { Act::Status(200) }).await;
    let place = world.place(URL).await;
    world.record(place, &["a", "b"]).await;
    world.live().await;
    let seen = world.receivers.seen();
    assert_eq!(seen.len(), 3);
    assert!(seen.iter().all(|one| one.id() == seen[0].id() && one.body == seen[0].body));
    assert_eq!(world.states().await, ["delivered"]);
}
