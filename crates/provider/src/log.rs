//! The ground truth: every change that happened, in the order in which it happened.
//!
//! What a poller reports is compared with this log and with nothing else. It is written by the world at the moment of
//! a change, before faults, lag or paging touch what is served.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// Entries kept. Beyond it the oldest are dropped, and [`ChangeLog::first`] shows the gap to whoever compares.
pub const LOG_ENTRIES_MAX: usize = 5_000_000;

/// What happened to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It came to be, or came back after a deletion.
    Created,
    /// Its content changed.
    Updated,
    /// It was deleted, in whatever way the resource shows that.
    Deleted,
}

/// One change of one record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Position in the log, from 1, without gaps; also the record's member `seq`.
    pub seq: u64,
    /// Name of the resource.
    pub resource: String,
    /// The record's id as text, exactly as it stands in the JSON without quotes.
    pub id: String,
    /// Version of the record after the change; the deletion is a version too.
    pub version: u32,
    /// What happened.
    pub kind: ChangeKind,
    /// When it happened, in microseconds since 1970 of the clock that drives the world.
    pub at: i64,
    /// The updated value that the provider stamped on it, in microseconds.
    pub stamp: i64,
    /// When lists begin to show it, in microseconds of the driving clock.
    pub visible_at: i64,
}

/// The log of a world.
#[derive(Debug, Default)]
pub struct ChangeLog {
    entries: VecDeque<Change>,
    last: u64,
}

impl ChangeLog {
    /// The position that the next change will have.
    pub fn next_seq(&self) -> u64 {
        self.last + 1
    }

    /// Position of the newest change, 0 when there is none.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// Position of the oldest change that is still kept.
    pub fn first(&self) -> u64 {
        self.last + 1 - self.entries.len() as u64
    }

    /// Changes after a position, oldest first, at most `limit`.
    pub fn after(&self, seq: u64, limit: usize) -> Vec<Change> {
        let skip = (seq + 1).saturating_sub(self.first()) as usize;
        self.entries.iter().skip(skip).take(limit).cloned().collect()
    }

    pub(crate) fn push(&mut self, change: Change) {
        self.last = change.seq;
        if self.entries.len() == LOG_ENTRIES_MAX {
            self.entries.pop_front();
        }
        self.entries.push_back(change);
    }
}
