//! The loop: many attempts at once, within the bounds, until shutdown.
//!
//! All attempts live in this one task. It is woken by the end of an attempt, by a hint, by the next due time, and by
//! the periodic scan, and then looks at the store.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use turnstone_core::id::EndpointId;
use turnstone_store::StoreError;

use super::{Deliverer, Done, Job, measures};

/// Pause before another look when something is due that could not be claimed, because its endpoint is busy here or on
/// another node. The end of an attempt of ours wakes the loop sooner.
const PAUSE_WHEN_BUSY: Duration = Duration::from_millis(100);

/// Attempts under way.
struct Underway<'a> {
    attempts: FuturesUnordered<BoxFuture<'a, (EndpointId, Result<Done, StoreError>)>>,
    of_endpoint: BTreeMap<EndpointId, u32>,
}

impl<'a> Underway<'a> {
    fn start(&mut self, deliverer: &'a Deliverer, job: Job) {
        let endpoint = job.delivery.endpoint.id;
        *self.of_endpoint.entry(endpoint).or_default() += 1;
        self.attempts.push(Box::pin(async move { (endpoint, deliverer.carry_out(job).await) }));
        measures::in_flight(self.attempts.len());
    }

    /// Notes an attempt that ended. One whose outcome could not be kept is sent again when its claim has run out.
    fn end(&mut self, (endpoint, done): (EndpointId, Result<Done, StoreError>)) {
        if let Some(count) = self.of_endpoint.get_mut(&endpoint) {
            *count -= 1;
            if *count == 0 {
                self.of_endpoint.remove(&endpoint);
            }
        }
        measures::in_flight(self.attempts.len());
        if let Err(error) = done {
            tracing::error!(
                endpoint = endpoint.0,
                "the outcome of an attempt could not be kept, the notification will be sent again: {error}"
            );
        }
    }
}

impl Deliverer {
    /// Delivers until `shutdown` is ready; then claims nothing more, and returns when what is under way has ended.
    pub async fn run(&self, shutdown: impl Future<Output = ()> + Send) {
        let mut underway = Underway { attempts: FuturesUnordered::new(), of_endpoint: BTreeMap::new() };
        let mut shutdown = std::pin::pin!(shutdown.fuse());
        loop {
            let pause = match self.fill(&mut underway).await {
                Ok(()) => self.pause().await,
                Err(error) => {
                    tracing::warn!("deliveries pause, because the store failed: {error}");
                    self.parts.limits.scan
                }
            };
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                Some(ended) = underway.attempts.next() => underway.end(ended),
                () = self.hint.notified() => {}
                () = self.parts.clock.sleep(pause) => {}
            }
            while let Some(Some(ended)) = underway.attempts.next().now_or_never() {
                underway.end(ended);
            }
        }
        while let Some(ended) = underway.attempts.next().await {
            underway.end(ended);
        }
    }

    /// Starts as many attempts as there is room for. What was tried before gets half of the room first, new
    /// notifications the rest, so that neither starves the other.
    async fn fill<'a>(&'a self, underway: &mut Underway<'a>) -> Result<(), StoreError> {
        let limits = self.parts.limits;
        let room = |attempts: usize| limits.attempts.saturating_sub(attempts as u32);
        let retries = room(underway.attempts.len()).div_ceil(2);
        if retries > 0 {
            for job in self.claim(retries).await? {
                if self.has_sink(&job.delivery.endpoint) {
                    underway.start(self, job);
                }
            }
        }
        while room(underway.attempts.len()) > 0 {
            // Only the counts are borrowed: the attempts themselves cannot be looked at from two places.
            let counts = &underway.of_endpoint;
            let has_room =
                |endpoint| counts.get(&endpoint).copied().unwrap_or_default() < limits.per_endpoint;
            let candidates = self.candidates(room(underway.attempts.len()), has_room).await?;
            // Of different endpoints, so that none disturbs another, and their writes share a commit.
            let formed = join_all(candidates.iter().map(|endpoint| self.form_next(endpoint))).await;
            let (mut started, mut failed) = (false, None);
            for job in formed {
                match job {
                    Ok(Some(job)) => {
                        underway.start(self, job);
                        started = true;
                    }
                    Ok(None) => {}
                    Err(error) => failed = Some(error),
                }
            }
            match failed {
                Some(error) => return Err(error),
                None if !started => break,
                None => {}
            }
        }
        Ok(())
    }

    async fn pause(&self) -> Duration {
        let scan = self.parts.limits.scan;
        let due = self.next_due().await.unwrap_or_else(|error| {
            tracing::warn!("the next delivery is not known, because the store failed: {error}");
            None
        });
        let now = self.parts.clock.now();
        let wait = due.map(|due| Duration::try_from(due.duration_since(now)).unwrap_or_default());
        match wait {
            Some(Duration::ZERO) => PAUSE_WHEN_BUSY.min(scan),
            Some(wait) => wait.min(scan),
            None => scan,
        }
    }
}
