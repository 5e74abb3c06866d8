//! The wish to stop, told once to everything that runs.
//!
//! Stopping is a request and never a cut: each task looks at it where nothing is half done (between two steps of a run,
//! before the next claim) and then ends by itself.
//!
//! Not here: signals of the operating system (the program asks for the stop), and how long anyone waits.

use std::sync::Arc;

use tokio::sync::watch;

/// Asks for a stop and sees whether it was asked for. Clones are one.
#[derive(Clone, Debug)]
pub struct Stop {
    asked: Arc<watch::Sender<bool>>,
}

impl Stop {
    /// Nobody has asked yet.
    pub fn new() -> Self {
        Stop { asked: Arc::new(watch::Sender::new(false)) }
    }

    /// Asks. Asking again changes nothing.
    pub fn ask(&self) {
        self.asked.send_replace(true);
    }

    /// Whether somebody asked.
    pub fn is_asked(&self) -> bool {
        *self.asked.borrow()
    }

    /// Waits until somebody asks.
    pub async fn asked(&self) {
        let mut asked = self.asked.subscribe();
        // It can only fail when the sender is gone, and `self` holds it.
        let _ = asked.wait_for(|asked| *asked).await;
    }

    /// Waits for the work unless a stop is asked for first: `None` then, and the work is dropped. Work that is ready
    /// together with the stop counts.
    pub async fn unless_asked<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = work => Some(done),
            () = self.asked() => None,
        }
    }
}

impl Default for Stop {
    fn default() -> Self {
        Stop::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn everybody_hears_of_it_and_finished_work_counts() {
        let stop = Stop::new();
        let other = stop.clone();
        assert!(!other.is_asked());
        assert_eq!(other.unless_asked(async { 1 }).await, Some(1));
        let waiting = tokio::spawn({
            let other = other.clone();
            async move { other.unless_asked(std::future::pending::<()>()).await }
        });
        stop.ask();
        assert_eq!(waiting.await.unwrap(), None);
        assert!(other.is_asked());
        assert_eq!(other.unless_asked(async { 2 }).await, Some(2));
    }
}
