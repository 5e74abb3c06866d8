//! Time and chance, as arguments.
//!
//! Only this module reads the system's clock and its source of randomness. Everything else is handed a [`Clock`] and
//! an [`Entropy`], so that a test or the simulator decides what time it is, when a pause ends and which numbers fall.
//!
//! Not here: time limits of sockets. Those are tokio's timers inside `egress`; they never decide anything that is
//! stored.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

/// Tells the time and waits.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The wall clock. It may jump; never measure with it.
    fn now(&self) -> Timestamp;

    /// Time since some fixed start. It never goes back; only differences mean something.
    fn monotonic(&self) -> Duration;

    /// Waits this long by the monotonic clock. Dropping the future ends the wait.
    async fn sleep(&self, pause: Duration);
}

/// The system's clock.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time starts now.
    pub fn new() -> Self {
        SystemClock { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        SystemClock::new()
    }
}

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    async fn sleep(&self, pause: Duration) {
        tokio::time::sleep(pause).await;
    }
}

/// A clock that moves only when told to. Clones share the time.
#[derive(Clone)]
pub struct ManualClock {
    start: Timestamp,
    elapsed: watch::Sender<Duration>,
    /// Ends of the pauses under way, with the number of sleepers for each.
    ends: Arc<Mutex<BTreeMap<Duration, usize>>>,
}

impl ManualClock {
    /// A clock that stands at `start`.
    pub fn new(start: Timestamp) -> Self {
        ManualClock { start, elapsed: watch::Sender::new(Duration::ZERO), ends: Arc::default() }
    }

    /// Moves both clocks on. Sleepers whose pause is over become ready.
    pub fn advance(&self, by: Duration) {
        self.elapsed.send_modify(|elapsed| *elapsed = elapsed.saturating_add(by));
    }

    /// Moves on to the end of the next pause and says how far that was; `None` when nobody sleeps.
    pub fn advance_to_next(&self) -> Option<Duration> {
        let end = *self.ends().keys().next()?;
        let by = end.saturating_sub(self.monotonic());
        self.advance(by);
        Some(by)
    }

    /// How many pauses are under way.
    pub fn sleepers(&self) -> usize {
        self.ends().values().sum()
    }

    fn ends(&self) -> MutexGuard<'_, BTreeMap<Duration, usize>> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManualClock").field("now", &self.now()).field("sleepers", &self.sleepers()).finish()
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        // Past the end of the calendar the clock stands still.
        SignedDuration::try_from(self.monotonic())
            .ok()
            .and_then(|elapsed| self.start.checked_add(elapsed).ok())
            .unwrap_or(Timestamp::MAX)
    }

    fn monotonic(&self) -> Duration {
        *self.elapsed.borrow()
    }

    async fn sleep(&self, pause: Duration) {
        let end = self.monotonic().saturating_add(pause);
        let _asleep = Asleep::until(self, end);
        let mut elapsed = self.elapsed.subscribe();
        // It can only fail when the sender is gone, and `self` holds one.
        let _ = elapsed.wait_for(|elapsed| *elapsed >= end).await;
    }
}

/// Counts one sleeper; uncounts it when the pause ends or is abandoned.
struct Asleep<'a> {
    clock: &'a ManualClock,
    end: Duration,
}

impl<'a> Asleep<'a> {
    fn until(clock: &'a ManualClock, end: Duration) -> Self {
        *clock.ends().entry(end).or_default() += 1;
        Asleep { clock, end }
    }
}

impl Drop for Asleep<'_> {
    fn drop(&mut self) {
        let mut ends = self.clock.ends();
        if let Some(count) = ends.get_mut(&self.end) {
            *count -= 1;
            if *count == 0 {
                ends.remove(&self.end);
            }
        }
    }
}

/// Gives numbers that nobody can foresee, or that a seed decides.
pub trait Entropy: Send + Sync {
    /// The next number.
    fn next_u64(&self) -> u64;

    /// Fills the whole slice.
    fn fill(&self, bytes: &mut [u8]);
}

/// The system's source of randomness; fit for keys and nonces.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn next_u64(&self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// # Panics
    ///
    /// When the system has no randomness to give: going on would mean guessable keys.
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system gives random bytes");
    }
}

/// Numbers that follow from a seed (SplitMix64). For tests and the simulator; never for secrets.
#[derive(Debug)]
pub struct SeededEntropy {
    state: Mutex<u64>,
}

impl SeededEntropy {
    /// The sequence of this seed.
    pub fn new(seed: u64) -> Self {
        SeededEntropy { state: Mutex::new(seed) }
    }
}

impl Entropy for SeededEntropy {
    fn next_u64(&self) -> u64 {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = *state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn fill(&self, bytes: &mut [u8]) {
        for block in bytes.chunks_mut(8) {
            block.copy_from_slice(&self.next_u64().to_le_bytes()[..block.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manual() -> ManualClock {
        ManualClock::new("2026-03-01T12:00:00Z".parse().unwrap())
    }

    #[tokio::test]
    async fn a_sleeper_wakes_exactly_when_its_pause_is_over() {
        let clock = manual();
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep(Duration::from_secs(10)).await }
        });
        while clock.sleepers() == 0 {
            tokio::task::yield_now().await;
        }
        clock.advance(Duration::from_millis(9_999));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance(Duration::from_millis(1));
        sleeper.await.unwrap();
        assert_eq!(clock.sleepers(), 0);
        assert_eq!(clock.now().to_string(), "2026-03-01T12:00:10Z");
    }

    #[tokio::test]
    async fn the_next_pause_is_the_shortest() {
        let clock = manual();
        let both = async {
            tokio::join!(clock.sleep(Duration::from_secs(7)), clock.sleep(Duration::from_secs(3)));
        };
        let drive = async {
            assert_eq!(clock.advance_to_next(), Some(Duration::from_secs(3)));
            while clock.sleepers() > 1 {
                tokio::task::yield_now().await;
            }
            assert_eq!(clock.advance_to_next(), Some(Duration::from_secs(4)));
        };
        tokio::join!(both, drive);
        assert_eq!(clock.advance_to_next(), None);
    }

    #[tokio::test]
    async fn an_abandoned_pause_is_not_counted() {
        let clock = manual();
        {
            let pause = clock.sleep(Duration::from_secs(1));
            tokio::pin!(pause);
            assert!(futures_util::poll!(pause.as_mut()).is_pending());
            assert_eq!(clock.sleepers(), 1);
        }
        assert_eq!(clock.sleepers(), 0);
    }

    #[test]
    fn a_clock_at_the_end_of_the_calendar_stands_still() {
        let clock = manual();
        clock.advance(Duration::MAX);
        clock.advance(Duration::MAX);
        assert_eq!(clock.now(), Timestamp::MAX);
    }

    #[test]
    fn a_seed_decides_its_sequence() {
        // Reference values of SplitMix64 for seed 1234567.
        let entropy = SeededEntropy::new(1_234_567);
        let expect = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423_u64];
        assert_eq!([entropy.next_u64(), entropy.next_u64(), entropy.next_u64()], expect);
        let (mut one, mut two) = ([0; 13], [0; 13]);
        SeededEntropy::new(7).fill(&mut one);
        SeededEntropy::new(7).fill(&mut two);
        assert_eq!(one, two);
        assert_ne!(one, [0; 13]);
    }

    #[test]
    fn the_system_gives_different_numbers() {
        assert_ne!(SystemEntropy.next_u64(), SystemEntropy.next_u64());
    }
}
