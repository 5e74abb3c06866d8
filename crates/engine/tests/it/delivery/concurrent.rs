//! Several attempts, several deliverers, crashes between the steps.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::oneshot;
use turnstone_engine::clock::Clock;
use turnstone_engine::deliverer::Limits;
use turnstone_store::EndpointState;

use super::world::{Act, Seen, World};

const URL: &str = "https://a.test/events";
const SLOW: &str = "https://slow.test/events";

/// Lets everything run that can, until this holds.
async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..10_000 {
        if holds() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("{what}: never happened");
}

fn slow_hangs(seen: &Seen, _: usize) -> Act {
    if seen.url == SLOW { Act::Hang } else { Act::Status(200) }
}

#[tokio::test]
async fn a_receiver_that_hangs_delays_only_itself() {
    let world = World::new(slow_hangs).await;
    let (slow, quick) = (world.place(SLOW).await, world.place(URL).await);
    let ids: Vec<String> = (0..100).map(|number| format!("r{number}-")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    world.record(slow, &ids).await;
    world.record(quick, &ids).await;
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn({
        let deliverer = Arc::clone(&world.deliverer);
        async move { deliverer.run(async { stopped.await.unwrap_or_default() }).await }
    });
    // The clock stands: nobody waits for the one that hangs.
    until("the quick one has all", || world.receivers.accepted().len() == 10).await;
    let per_endpoint = Limits::default().per_endpoint as usize;
    until("the slow one is busy", || world.receivers.hung_at_most(SLOW) == per_endpoint).await;
    // New events are found by a hint alone.
    world.record(quick, &["new"]).await;
    world.deliverer.wake();
    until("the new one is there", || world.receivers.accepted().len() == 11).await;
    // When its time is over the slow one gets what is next, and still no more at once.
    world.clock.advance(Duration::from_secs(15));
    until("the next ones are sent", || {
        world.receivers.seen().iter().filter(|seen| seen.url == SLOW).count() == 2 * per_endpoint
    })
    .await;
    assert_eq!(world.receivers.hung_at_most(SLOW), per_endpoint);

    // Shutdown ends what is under way, and keeps its outcome.
    stop.send(()).unwrap();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!running.is_finished());
    world.clock.advance(Duration::from_secs(15));
    running.await.unwrap();
    let failed: Vec<u32> = world
        .notifications()
        .await
        .iter()
        .filter(|row| row.endpoint == slow.endpoint)
        .map(|row| row.failures)
        .collect();
    assert_eq!(failed, vec![1; 2 * per_endpoint]);
}

#[tokio::test]
async fn the_loop_retries_by_the_clock_without_a_hint() {
    let world = World::new(|_, count| Act::Status(if count < 2 { 500 } else { 200 })).await;
    let place = world.place(URL).await;
    world.record(place, &["a"]).await;
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn({
        let deliverer = Arc::clone(&world.deliverer);
        async move { deliverer.run(async { stopped.await.unwrap_or_default() }).await }
    });
    for _ in 0..10_000 {
        tokio::task::yield_now().await;
        if !world.receivers.accepted().is_empty() {
            break;
        }
        if world.clock.sleepers() > 0 {
            world.clock.advance_to_next();
        }
    }
    stop.send(()).unwrap();
    running.await.unwrap();
    let seen = world.receivers.seen();
    assert_eq!(seen.len(), 3);
    let last = world.seconds(seen[2].at);
    assert!((16.0..=19.0).contains(&last), "{last}");
}

#[tokio::test]
async fn a_crash_between_sending_and_keeping_the_outcome_sends_the_same_bytes_again() {
    let world = World::new(|_, count| if count == 0 { Act::Hang } else { Act::Status(200) }).await;
    let place = world.place(URL).await;
    world.record(place, &["a", "b"]).await;
    {
        let round = world.deliverer.deliver_once();
        tokio::pin!(round);
        assert!(futures_util::poll!(round.as_mut()).is_pending());
        assert_eq!(world.receivers.seen().len(), 1);
        // Here the process dies: nothing after this line of the round ever happens.
    }
    // Another process on the same store may not take it before the claim is over …
    let other = world.another();
    assert!(other.deliver_once().await.unwrap().is_idle());
    world.clock.advance(Limits::default().lease);
    assert_eq!(other.deliver_once().await.unwrap().delivered, 1);
    let seen = world.receivers.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!((seen[0].id(), &seen[0].body), (seen[1].id(), &seen[1].body));
}

#[tokio::test]
async fn a_restart_sends_at_once_what_was_under_way() {
    let world = World::new(|_, count| if count == 0 { Act::Hang } else { Act::Status(200) }).await;
    let place = world.place(URL).await;
    world.record(place, &["a"]).await;
    {
        let round = world.deliverer.deliver_once();
        tokio::pin!(round);
        assert!(futures_util::poll!(round.as_mut()).is_pending());
    }
    world.store.reopen();
    assert_eq!(world.another().deliver_once().await.unwrap().delivered, 1);
    let seen = world.receivers.seen();
    assert_eq!((seen[0].id(), &seen[0].body), (seen[1].id(), &seen[1].body));
}

#[tokio::test]
async fn of_two_deliverers_only_one_decides() {
    let world = World::new(|_, count| if count == 0 { Act::Hang } else { Act::Status(200) }).await;
    let place = world.place(URL).await;
    world.record(place, &["a"]).await;
    // The first one is held up for longer than its claim; the second takes over and delivers.
    let late = world.deliverer.deliver_once();
    tokio::pin!(late);
    assert!(futures_util::poll!(late.as_mut()).is_pending());
    let lease = Limits::default().lease;
    let other = world.another();
    world.clock.advance(lease);
    assert_eq!(other.deliver_once().await.unwrap().delivered, 1);
    let summary = late.await.unwrap();
    assert_eq!((summary.attempts, summary.stale, summary.failed), (1, 1, 0));
    let [row] = &world.notifications().await[..] else { panic!("one notification") };
    assert_eq!((row.state.as_str(), row.failures), ("delivered", 0));
    assert_eq!(world.attempts(row.id).await.len(), 1);
}

#[tokio::test]
async fn two_deliverers_in_turn_send_everything_once() {
    let world = World::new(|_, _| Act::Status(200)).await;
    let place = world.place(URL).await;
    let ids: Vec<String> = (0..95).map(|number| format!("r{number}-")).collect();
    world.record(place, &ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let other = world.another();
    let (stop, stopped) = oneshot::channel::<()>();
    let (stop_other, stopped_other) = oneshot::channel::<()>();
    let one = world.deliverer.run(async { stopped.await.unwrap_or_default() });
    let two = other.run(async { stopped_other.await.unwrap_or_default() });
    let watch = async {
        until("all are delivered", || world.receivers.accepted().len() >= 10).await;
        stop.send(()).unwrap();
        stop_other.send(()).unwrap();
    };
    tokio::join!(one, two, watch);
    let mut events: Vec<String> =
        world.receivers.accepted().iter().flat_map(|story| story.split(' ').map(str::to_owned)).collect();
    assert_eq!(events.len(), 95);
    events.sort();
    events.dedup();
    assert_eq!(events.len(), 95);
    assert!(world.states().await.iter().all(|state| *state == "delivered"));
    assert_eq!(world.seconds(world.clock.now()), 0.0);
}

#[tokio::test]
async fn what_was_accepted_during_the_last_attempt_keeps_the_endpoint_active() {
    let world = World::new(|_, _| Act::Status(500)).await;
    let place = world.place(URL).await;
    world.record(place, &["a"]).await;
    world.settle().await;
    while world.receivers.seen().len() < 9 {
        assert!(world.move_on().await);
        world.settle().await;
    }
    assert!(world.move_on().await);
    world.script(|seen, _| if seen.story() == "a1" { Act::Hang } else { Act::Status(200) });
    let last = world.deliverer.deliver_once();
    tokio::pin!(last);
    assert!(futures_util::poll!(last.as_mut()).is_pending());
    world.record(place, &["b"]).await;
    assert_eq!(world.another().deliver_once().await.unwrap().delivered, 1);
    world.clock.advance(Duration::from_secs(15));
    last.await.unwrap();
    assert_eq!(world.states().await, ["dead", "delivered"]);
    assert_eq!(world.endpoint(place).await.state, EndpointState::Active);
}

/// Counts what is measured, by name and label.
#[derive(Default)]
struct Book(Arc<Mutex<BTreeMap<String, u64>>>);

struct Line(Arc<Mutex<BTreeMap<String, u64>>>, String);

impl Line {
    fn add(&self, count: u64) {
        *self.0.lock().unwrap().entry(self.1.clone()).or_default() += count;
    }
}

impl metrics::CounterFn for Line {
    fn increment(&self, value: u64) {
        self.add(value);
    }
    fn absolute(&self, _value: u64) {}
}

impl metrics::HistogramFn for Line {
    fn record(&self, value: f64) {
        // Sums seconds.
        self.add(value as u64);
    }
}

impl Book {
    fn line(&self, key: &metrics::Key) -> Arc<Line> {
        let labels: Vec<&str> = key.labels().map(metrics::Label::value).collect();
        Arc::new(Line(Arc::clone(&self.0), format!("{} {}", key.name(), labels.join(" ")).trim().to_owned()))
    }
}

impl metrics::Recorder for Book {
    fn describe_counter(&self, _: metrics::KeyName, _: Option<metrics::Unit>, _: metrics::SharedString) {}
    fn describe_gauge(&self, _: metrics::KeyName, _: Option<metrics::Unit>, _: metrics::SharedString) {}
    fn describe_histogram(&self, _: metrics::KeyName, _: Option<metrics::Unit>, _: metrics::SharedString) {}
    fn register_counter(&self, key: &metrics::Key, _: &metrics::Metadata<'_>) -> metrics::Counter {
        metrics::Counter::from_arc(self.line(key))
    }
    fn register_gauge(&self, _: &metrics::Key, _: &metrics::Metadata<'_>) -> metrics::Gauge {
        metrics::Gauge::noop()
    }
    fn register_histogram(&self, key: &metrics::Key, _: &metrics::Metadata<'_>) -> metrics::Histogram {
        metrics::Histogram::from_arc(self.line(key))
    }
}

#[tokio::test]
async fn attempts_and_the_time_from_commit_to_acceptance_are_measured() {
    let book = Book::default();
    let _recording = metrics::set_default_local_recorder(&book);
    let world = World::new(|seen, count| match (seen.url == SLOW, count) {
        (true, _) => Act::Status(410),
        (false, 0) => Act::Status(500),
        (false, _) => Act::Status(200),
    })
    .await;
    let place = world.place(URL).await;
    world.record(place, &["a"]).await;
    world.clock.advance(Duration::from_secs(100));
    world.settle().await;
    world.clock.advance(Duration::from_secs(50));
    world.settle().await;
    let gone = world.place(SLOW).await;
    world.record(gone, &["b"]).await;
    world.settle().await;
    let measured: Vec<(String, u64)> = book.0.lock().unwrap().clone().into_iter().collect();
    let expect = [
        ("turnstone_delivery_attempt_seconds", 0),
        ("turnstone_delivery_attempts_total delivered", 1),
        ("turnstone_delivery_attempts_total disabled", 1),
        ("turnstone_delivery_attempts_total retry", 1),
        ("turnstone_delivery_lag_seconds", 150),
        ("turnstone_endpoints_stopped_total disabled", 1),
    ];
    assert_eq!(measured, expect.map(|(name, count)| (name.to_owned(), count)));
}
