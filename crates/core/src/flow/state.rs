//! What outlives a run of a monitor: the state of a subscription's poller.
//!
//! Kept by the store as opaque JSON that only this module reads and writes. A field that is missing takes its default,
//! so that an older state is readable by a newer program.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::RunId;

/// The state of a subscription between runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SubscriptionState {
    /// The cursor as JSON text; `None` before the first run that saved one.
    pub cursor: Option<String>,
    /// When it was saved.
    pub saved_at: Option<Timestamp>,
    /// The run that saved it; `None` when a person set it.
    pub saved_by: Option<RunId>,
    /// Runs that ended well.
    pub runs: u64,
    /// Failed runs in a row.
    pub failures: u32,
    /// Our clock minus the provider's, in microseconds, as last measured; never smaller than the true one.
    pub skew: Option<i64>,
    /// The latest *Now* of a run that ended well while the provider told its time. No later run's is earlier, however
    /// our own clock is set, unless the provider's own clock turns out to have been set back.
    pub now: Option<Timestamp>,
}

impl SubscriptionState {
    /// Reads a stored state; an empty text is a new subscription's.
    pub fn read(text: &str) -> Result<SubscriptionState, serde_json::Error> {
        if text.is_empty() { Ok(SubscriptionState::default()) } else { serde_json::from_str(text) }
    }

    /// The text to store.
    pub fn write(&self) -> String {
        serde_json::to_string(self).expect("numbers, texts and instants always serialise")
    }

    /// The same with a cursor that a person gives, or none; failures are forgotten, because the next run begins anew.
    #[must_use]
    pub fn with_cursor(&self, cursor: Option<String>, now: Timestamp) -> SubscriptionState {
        let saved_at = cursor.is_some().then_some(now);
        SubscriptionState { cursor, saved_at, saved_by: None, failures: 0, ..self.clone() }
    }

    /// Bytes of the cursor.
    pub fn cursor_bytes(&self) -> usize {
        self.cursor.as_ref().map_or(0, String::len)
    }
}
