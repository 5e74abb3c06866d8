//! How much memory answers may take.
//!
//! All answers together stay within a [`BodyBudget`]. A run has one account ([`Bodies`]); a fetch takes its share from
//! it before it is sent, and more while it reads. The share stays with the account after the fetch, because the text
//! does; the driver takes it out with [`Bodies::take`] and drops it once the answers are used up.
//!
//! Waiting for memory while holding memory is how such schemes lock up. Here the budget has two parts:
//!
//! - the **common part**. An account that holds nothing waits for it, first come first served. An account that holds
//!   something takes from it what is free and never waits.
//! - the **lane**, which belongs to one account at a time. An account that holds something and finds the common part
//!   empty waits for the lane. It is large enough for two whole answers: one that is being committed while the next
//!   one is fetched.
//!
//! So whoever has the lane never waits for memory: it finishes, or it fails because even the lane is too small
//! (`TooLarge`). Then the lane is free for the next one. Whoever waits for the common part holds nothing, and whoever
//! holds a piece of it either works, or waits for the lane, which comes. No circle can close. Inside an account one
//! fetch at a time may wait, or two of a step would wait for each other.
//!
//! Not here: what a buffer is filled with (`body`), and how long a fetch may wait (`client`).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use turnstone_core::limits::{BODIES_BYTES_SUM_MAX, BODY_BYTES_MAX};

use super::body::{BodyError, SLACK_BYTES};

/// Unit of the budget.
const BLOCK_BYTES: usize = 1024;

/// Share that a fetch takes before it is sent when nothing is known of its size.
pub(super) const SHARE_BYTES_MIN: usize = 64 * 1024;

const _: () = assert!(3 * BODY_BYTES_MAX <= BODIES_BYTES_SUM_MAX); // Two answers in the lane, one in the common part.

/// The memory of all answers. Clones share it.
#[derive(Clone, Debug)]
pub struct BodyBudget {
    pool: Arc<Pool>,
}

#[derive(Debug)]
struct Pool {
    common: Arc<Semaphore>,
    lane: Arc<Semaphore>,
    lane_blocks: usize,
    body_bytes_max: usize,
}

impl BodyBudget {
    /// A budget of `sum_bytes` for answers of at most `body_bytes_max` each.
    ///
    /// # Panics
    ///
    /// When three answers do not fit the sum.
    pub fn new(sum_bytes: usize, body_bytes_max: usize) -> Self {
        assert!(
            body_bytes_max.checked_mul(3).is_some_and(|three| three <= sum_bytes),
            "the budget holds three answers of the largest size"
        );
        let lane_blocks = 2 * blocks(body_bytes_max + SLACK_BYTES);
        let common_blocks = blocks(sum_bytes).saturating_sub(lane_blocks).max(blocks(body_bytes_max));
        let common = Arc::new(Semaphore::new(common_blocks));
        BodyBudget {
            pool: Arc::new(Pool { common, lane: Arc::new(Semaphore::new(1)), lane_blocks, body_bytes_max }),
        }
    }

    /// Bytes of the common part that nobody holds.
    pub fn free_bytes(&self) -> usize {
        self.pool.common.available_permits() * BLOCK_BYTES
    }
}

impl Default for BodyBudget {
    fn default() -> Self {
        BodyBudget::new(BODIES_BYTES_SUM_MAX, BODY_BYTES_MAX)
    }
}

/// The account of one run. Clones are the same account.
#[derive(Clone, Debug)]
pub struct Bodies {
    owner: Arc<Owner>,
}

/// Closes the account with its last clone. Its shares point at the account, so it would never end by itself.
#[derive(Debug)]
struct Owner {
    account: Arc<Account>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        let finished = std::mem::take(&mut self.account.state().finished);
        drop(finished);
    }
}

#[derive(Debug)]
struct Account {
    pool: Arc<Pool>,
    /// One fetch of the account at a time may wait for memory.
    entry: Semaphore,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    held_blocks: usize,
    turn: Weak<Turn>,
    expected_bytes: usize,
    finished: Vec<Share>,
}

/// The lane, as long as some share of the account holds a piece of it.
#[derive(Debug)]
struct Turn {
    _permit: OwnedSemaphorePermit,
    used_blocks: Mutex<usize>,
}

/// What [`Bodies::take`] took out. Dropping it frees the memory for others.
#[derive(Debug)]
#[must_use = "dropping it says that the answers are used up"]
pub struct Held {
    _shares: Vec<Share>,
}

impl Bodies {
    /// An account that holds nothing.
    pub fn new(budget: &BodyBudget) -> Self {
        let state = State {
            held_blocks: 0,
            turn: Weak::new(),
            expected_bytes: SHARE_BYTES_MIN,
            finished: Vec::new(),
        };
        let account =
            Account { pool: Arc::clone(&budget.pool), entry: Semaphore::new(1), state: Mutex::new(state) };
        Bodies { owner: Arc::new(Owner { account: Arc::new(account) }) }
    }

    /// Tells the size that the next answer will probably have. Each answer updates it.
    pub fn expect_bytes(&self, bytes: usize) {
        self.account().state().expected_bytes = bytes;
    }

    /// The size of the last answer, for the next run's [`Bodies::expect_bytes`].
    pub fn expected_bytes(&self) -> usize {
        self.account().state().expected_bytes
    }

    /// Takes out the shares of all answers so far. The driver calls this before each `Fetch` and drops the result, and
    /// before each `Commit` and drops it when the commit is through, while the next page is already being fetched.
    /// A driver that forgets runs into `TooLarge` when the lane is full.
    pub fn take(&self) -> Held {
        let shares = std::mem::take(&mut self.account().state().finished);
        Held { _shares: shares }
    }

    /// Bytes that the account holds, in fetches under way and in answers.
    pub fn held_bytes(&self) -> usize {
        self.account().state().held_blocks * BLOCK_BYTES
    }

    /// Largest answer that the budget allows.
    pub(super) fn body_bytes_max(&self) -> usize {
        self.account().pool.body_bytes_max
    }

    /// Waits for the share of a fetch that has not been sent.
    pub(super) async fn reserve(&self) -> Result<Share, BodyError> {
        let account = self.account();
        let expected = account.state().expected_bytes.max(SHARE_BYTES_MIN).min(account.pool.body_bytes_max);
        let want = blocks(expected);
        let mut share = Share { account: Arc::clone(account), common: None, common_blocks: 0, lane: None };
        let _entry = account.entry.acquire().await.expect(NEVER_CLOSED);
        if account.state().held_blocks == 0 {
            let permit =
                Arc::clone(&account.pool.common).acquire_many_owned(want as u32).await.expect(NEVER_CLOSED);
            share.add_common(permit, want);
        } else if !share.try_common(want) {
            share.use_lane(want).await?;
        }
        Ok(share)
    }

    /// Keeps the share of a finished answer until the driver takes it.
    pub(super) fn keep(&self, mut share: Share, text_bytes: usize) {
        share.shrink_to(text_bytes);
        let mut state = self.account().state();
        state.expected_bytes = text_bytes;
        state.finished.push(share);
    }

    fn account(&self) -> &Arc<Account> {
        &self.owner.account
    }
}

const NEVER_CLOSED: &str = "the semaphores of the budget are never closed";

impl Account {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    fn used(&self) -> MutexGuard<'_, usize> {
        self.used_blocks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Memory of one answer. Dropping it gives it back.
#[derive(Debug)]
pub(super) struct Share {
    account: Arc<Account>,
    common: Option<OwnedSemaphorePermit>,
    common_blocks: usize,
    lane: Option<(Arc<Turn>, usize)>,
}

impl Share {
    fn held_blocks(&self) -> usize {
        self.common_blocks + self.lane.as_ref().map_or(0, |(_, blocks)| *blocks)
    }

    /// Makes the share at least this large. May wait for the lane.
    pub(super) async fn grow_to(&mut self, bytes: usize) -> Result<(), BodyError> {
        let want = blocks(bytes).saturating_sub(self.held_blocks());
        if want == 0 || self.try_common(want) {
            return Ok(());
        }
        let account = Arc::clone(&self.account);
        let _entry = account.entry.acquire().await.expect(NEVER_CLOSED);
        self.use_lane(want).await
    }

    fn try_common(&mut self, want: usize) -> bool {
        let Ok(permit) = Arc::clone(&self.account.pool.common).try_acquire_many_owned(want as u32) else {
            return false;
        };
        self.add_common(permit, want);
        true
    }

    fn add_common(&mut self, permit: OwnedSemaphorePermit, count: usize) {
        match &mut self.common {
            Some(common) => common.merge(permit),
            None => self.common = Some(permit),
        }
        self.common_blocks += count;
        self.account.state().held_blocks += count;
    }

    /// The caller holds the account's entry, so nobody else of the account waits for the lane meanwhile.
    async fn use_lane(&mut self, want: usize) -> Result<(), BodyError> {
        let turn = self.account.state().turn.upgrade();
        let turn = match turn {
            Some(turn) => turn,
            None => {
                let permit = Arc::clone(&self.account.pool.lane).acquire_owned().await.expect(NEVER_CLOSED);
                let turn = Arc::new(Turn { _permit: permit, used_blocks: Mutex::new(0) });
                self.account.state().turn = Arc::downgrade(&turn);
                turn
            }
        };
        let lane_blocks = self.account.pool.lane_blocks;
        {
            let mut used = turn.used();
            if *used + want > lane_blocks {
                let lane_mib = lane_blocks * BLOCK_BYTES / (1024 * 1024);
                return Err(BodyError::TooLarge(format!(
                    "memory for answers is short, and this run already holds {lane_mib} MiB of it"
                )));
            }
            *used += want;
        }
        match &mut self.lane {
            Some((_, count)) => *count += want,
            None => self.lane = Some((turn, want)),
        }
        self.account.state().held_blocks += want;
        Ok(())
    }

    /// Gives back what the text does not need; the lane's part first, so that the lane moves on.
    fn shrink_to(&mut self, bytes: usize) {
        let mut spare = self.held_blocks().saturating_sub(blocks(bytes));
        self.account.state().held_blocks -= spare;
        if let Some((turn, count)) = &mut self.lane {
            let back = spare.min(*count);
            *count -= back;
            *turn.used() -= back;
            spare -= back;
            if *count == 0 {
                self.lane = None;
            }
        }
        if let Some(common) = &mut self.common {
            drop(common.split(spare));
            self.common_blocks -= spare;
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}

fn blocks(bytes: usize) -> usize {
    bytes.div_ceil(BLOCK_BYTES)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::poll;
    use turnstone_core::run::FetchErrorKind;

    use super::*;

    const MIB: usize = 1024 * 1024;

    /// A budget of 12 MiB for answers of 2 MiB: about 7.8 MiB common, the rest lane.
    fn small() -> BodyBudget {
        BodyBudget::new(12 * MIB, 2 * MIB)
    }

    fn account(budget: &BodyBudget, expected: usize) -> Bodies {
        let bodies = Bodies::new(budget);
        bodies.expect_bytes(expected);
        bodies
    }

    #[tokio::test]
    async fn a_share_comes_back_when_it_is_dropped() {
        let budget = small();
        let free = budget.free_bytes();
        let bodies = account(&budget, MIB);
        let share = bodies.reserve().await.unwrap();
        assert_eq!(budget.free_bytes(), free - MIB);
        bodies.keep(share, 1000);
        assert_eq!((budget.free_bytes(), bodies.expected_bytes()), (free - BLOCK_BYTES, 1000));
        drop(bodies.take());
        assert_eq!((budget.free_bytes(), bodies.held_bytes()), (free, 0));
        let share = bodies.reserve().await.unwrap();
        bodies.keep(share, 1000);
        drop(bodies);
        assert_eq!(budget.free_bytes(), free);
    }

    #[tokio::test]
    async fn who_holds_nothing_waits_until_others_give_back() {
        let budget = small();
        let mut others = Vec::new();
        while budget.free_bytes() >= 2 * MIB {
            others.push(account(&budget, 2 * MIB).reserve().await.unwrap());
        }
        let bodies = account(&budget, 2 * MIB);
        let late = bodies.reserve();
        tokio::pin!(late);
        assert!(poll!(late.as_mut()).is_pending());
        others.pop();
        assert!(late.await.is_ok());
    }

    #[tokio::test]
    async fn who_holds_something_and_finds_nothing_free_goes_through_the_lane() {
        let budget = small();
        let (one, two) = (account(&budget, 0), account(&budget, 0));
        let (mut first, mut second) = (one.reserve().await.unwrap(), two.reserve().await.unwrap());
        let rest: Vec<_> = {
            let mut rest = Vec::new();
            while let Ok(permit) = Arc::clone(&budget.pool.common).try_acquire_owned() {
                rest.push(permit);
            }
            rest
        };
        first.grow_to(2 * MIB).await.unwrap();
        let mut waiting = Box::pin(second.grow_to(2 * MIB));
        assert!(poll!(waiting.as_mut()).is_pending());
        // The page is whole; the next one of the same run still finds room, the one after that does not.
        one.keep(first, 2 * MIB);
        let next = one.reserve().await.unwrap();
        one.keep(next, 2 * MIB);
        assert_eq!(one.reserve().await.unwrap_err().kind(), FetchErrorKind::TooLarge);
        assert!(poll!(waiting.as_mut()).is_pending());
        drop(one.take());
        waiting.await.unwrap();
        drop(rest);
    }

    /// Runs that fetch several large answers per step, more than the budget holds, and all of them come through.
    #[tokio::test]
    async fn many_runs_with_many_answers_never_lock_up() {
        let budget = small();
        let free = budget.free_bytes();
        let run_once = |seed: usize| {
            let bodies = account(&budget, 0);
            async move {
                for step in 0..4 {
                    drop(bodies.take());
                    let fetches = (0..4).map(|index| {
                        let bodies = bodies.clone();
                        async move {
                            let mut share = bodies.reserve().await?;
                            let size = 400_000 + (seed * 7919 + step * 104_729 + index * 1299) % 600_000;
                            for part in 1..=8 {
                                tokio::task::yield_now().await;
                                share.grow_to(size * part / 8).await?;
                            }
                            bodies.keep(share, size);
                            Ok::<(), BodyError>(())
                        }
                    });
                    for outcome in futures_util::future::join_all(fetches).await {
                        outcome.unwrap();
                    }
                }
            }
        };
        let all = futures_util::future::join_all((0..40).map(run_once));
        tokio::time::timeout(Duration::from_secs(30), all).await.expect("the runs wait for each other");
        assert_eq!(budget.free_bytes(), free);
        assert_eq!(budget.pool.lane.available_permits(), 1);
    }
}
