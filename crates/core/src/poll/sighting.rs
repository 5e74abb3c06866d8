//! Comparing the reads of pages that cannot overlap (design section 4, rule 9, drift).
//!
//! A record that was read and then leaves its place shifts all records behind it, and one of them slips over the edge
//! between two pages. What left shows: a record that moved is met a second time in the same read, with another value;
//! one that was deleted is missing in the next read. So two reads agree when the earlier one met no id with two values,
//! and the later one misses none of its versions, unless that id was served with a newer value, and brings none older
//! than the pass's start that no earlier read had. Then nothing left its place while the earlier one read, whatever the
//! list's order.
//!
//! Versions are remembered as 64-bit fingerprints, at most [`SIGHTINGS_MAX`] of them.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use twox_hash::XxHash3_64;

use crate::ledger::Compared;
use crate::limits::SIGHTINGS_MAX;

/// What the reads of one group of pages saw.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sightings {
    /// Version → the last read that saw it.
    seen: HashMap<(u64, Compared), u32>,
    /// Id → its newest value in the present read.
    newest: HashMap<u64, Compared>,
    /// Versions of the present read, older than the pass's start, that no earlier read had.
    fresh: u64,
    /// The present read met an id with two values: something moved while it read.
    moved: bool,
    /// The read before it did.
    moved_before: bool,
    overflow: bool,
}

/// How a read compares with those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// Versions that no earlier read had.
    pub fresh: u64,
    /// Versions of the read before that are missing without an excuse.
    pub missing: u64,
    /// Something moved while the read before was under way, so that it may have missed something.
    pub moved_before: bool,
    /// Too many versions to compare.
    pub overflow: bool,
}

impl Comparison {
    /// Whether nothing can have slipped between the pages of the read before.
    pub fn agrees(&self) -> bool {
        self.fresh == 0 && self.missing == 0 && !self.moved_before && !self.overflow
    }
}

impl Sightings {
    /// Whether nothing was seen.
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    /// Notes one version of read number `read`. One that is not `settled`, dated after the pass's start, may be new.
    pub fn note(&mut self, read: u32, id: &str, value: Option<Compared>, settled: bool) {
        let id = XxHash3_64::oneshot(id.as_bytes());
        let value = value.unwrap_or(Compared::MIN);
        let newest = self.newest.entry(id).or_insert(value);
        self.moved |= *newest != value;
        *newest = (*newest).max(value);
        if self.seen.len() >= SIGHTINGS_MAX {
            self.overflow = true;
            return;
        }
        if self.seen.insert((id, value), read).is_none() && settled {
            self.fresh += 1;
        }
    }

    /// Compares the read that just ended with those before it, and makes ready for the next one.
    pub fn end_read(&mut self, read: u32) -> Comparison {
        let missing = self.seen.iter().filter(|((id, value), last)| {
            **last + 1 == read && self.newest.get(id).is_none_or(|newest| newest <= value)
        });
        let comparison = Comparison {
            fresh: self.fresh,
            missing: missing.count() as u64,
            moved_before: self.moved_before,
            overflow: self.overflow,
        };
        self.newest.clear();
        self.fresh = 0;
        self.moved_before = std::mem::take(&mut self.moved);
        comparison
    }
}

impl Serialize for Sightings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bytes = Vec::with_capacity(self.seen.len() * 20 + self.newest.len() * 16 + 24);
        bytes.extend_from_slice(&self.fresh.to_be_bytes());
        let flags = u64::from(self.overflow) | u64::from(self.moved) << 1 | u64::from(self.moved_before) << 2;
        bytes.extend_from_slice(&flags.to_be_bytes());
        bytes.extend_from_slice(&(self.seen.len() as u64).to_be_bytes());
        for ((id, value), read) in &self.seen {
            bytes.extend_from_slice(&id.to_be_bytes());
            bytes.extend_from_slice(&value.to_be_bytes());
            bytes.extend_from_slice(&read.to_be_bytes());
        }
        for (id, value) in &self.newest {
            bytes.extend_from_slice(&id.to_be_bytes());
            bytes.extend_from_slice(&value.to_be_bytes());
        }
        serializer.serialize_str(&STANDARD_NO_PAD.encode(bytes))
    }
}

impl<'de> Deserialize<'de> for Sightings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = STANDARD_NO_PAD.decode(text).map_err(serde::de::Error::custom)?;
        unpack(&bytes).ok_or_else(|| serde::de::Error::custom("broken sightings"))
    }
}

fn unpack(bytes: &[u8]) -> Option<Sightings> {
    let mut rest = bytes;
    let mut take = |length: usize| -> Option<[u8; 8]> {
        let (head, tail) = rest.split_at_checked(length)?;
        rest = tail;
        let mut word = [0; 8];
        word[8 - length..].copy_from_slice(head);
        Some(word)
    };
    let fresh = u64::from_be_bytes(take(8)?);
    let flags = u64::from_be_bytes(take(8)?);
    let count = u64::from_be_bytes(take(8)?);
    let flag = |bit: u64| flags & bit != 0;
    let mut sightings =
        Sightings { fresh, overflow: flag(1), moved: flag(2), moved_before: flag(4), ..Sightings::default() };
    for _ in 0..count {
        let id = u64::from_be_bytes(take(8)?);
        let value = i64::from_be_bytes(take(8)?);
        let read = u64::from_be_bytes(take(4)?) as u32;
        sightings.seen.insert((id, value), read);
    }
    while let Some(id) = take(8) {
        let value = i64::from_be_bytes(take(8)?);
        sightings.newest.insert(u64::from_be_bytes(id), value);
    }
    Some(sightings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(sightings: &mut Sightings, number: u32, versions: &[(&str, i64)]) -> (u64, u64, bool) {
        for (id, value) in versions {
            sightings.note(number, id, Some(*value), *value < 100);
        }
        let comparison = sightings.end_read(number);
        (comparison.fresh, comparison.missing, comparison.moved_before)
    }

    #[test]
    fn equal_reads_agree() {
        let mut sightings = Sightings::default();
        read(&mut sightings, 1, &[("a", 1), ("b", 2)]);
        assert_eq!(read(&mut sightings, 2, &[("b", 2), ("a", 1)]), (0, 0, false));
    }

    #[test]
    fn what_an_earlier_read_missed_is_fresh() {
        let mut sightings = Sightings::default();
        read(&mut sightings, 1, &[("a", 1)]);
        assert_eq!(read(&mut sightings, 2, &[("a", 1), ("b", 2)]), (1, 0, false));
        assert_eq!(read(&mut sightings, 3, &[("a", 1), ("b", 2)]), (0, 0, false));
    }

    #[test]
    fn what_moved_between_two_reads_has_shifted_neither() {
        let mut sightings = Sightings::default();
        read(&mut sightings, 1, &[("a", 1), ("b", 2)]);
        assert_eq!(read(&mut sightings, 2, &[("b", 2), ("a", 150)]), (0, 0, false));
    }

    #[test]
    fn what_moves_while_it_is_read_is_met_twice() {
        let mut sightings = Sightings::default();
        read(&mut sightings, 1, &[("a", 1), ("c", 3), ("a", 150)]); // `b` slipped over the edge of the page.
        assert_eq!(read(&mut sightings, 2, &[("b", 2), ("c", 3), ("a", 150)]), (1, 0, true));
        assert_eq!(read(&mut sightings, 3, &[("b", 2), ("c", 3), ("a", 150)]), (0, 0, false));
    }

    #[test]
    fn a_read_during_which_something_moved_proves_nothing() {
        let mut sightings = Sightings::default();
        read(&mut sightings, 1, &[("a", 1), ("c", 3), ("a", 150)]);
        // The second read misses the same record as the first: nothing is new, and nothing is gone.
        sightings.note(2, "c", Some(3), true);
        sightings.note(2, "a", Some(150), false);
        assert!(!sightings.end_read(2).agrees());
        sightings.note(3, "c", Some(3), true);
        sightings.note(3, "a", Some(150), false);
        assert!(sightings.end_read(3).agrees());
    }

    #[test]
    fn a_deleted_record_is_missing_however_new() {
        for value in [1, 150] {
            let mut sightings = Sightings::default();
            read(&mut sightings, 1, &[("a", value), ("b", 2)]);
            assert_eq!(read(&mut sightings, 2, &[("b", 2)]), (0, 1, false));
        }
    }

    #[test]
    fn records_newer_than_the_start_were_seen_too() {
        let mut sightings = Sightings::default();
        assert!(sightings.is_empty());
        sightings.note(1, "a", Some(500), false);
        assert!(!sightings.is_empty(), "or a pass that yields here begins anew for ever");
    }

    #[test]
    fn sightings_survive_their_text() {
        let mut sightings = Sightings::default();
        read(&mut sightings, 1, &[("a", 1), ("b", -2), ("a", 3)]);
        sightings.note(2, "a", Some(1), true);
        let text = serde_json::to_string(&sightings).unwrap();
        assert_eq!(serde_json::from_str::<Sightings>(&text).unwrap(), sightings);
        assert!(serde_json::from_str::<Sightings>("\"AAAA\"").is_err());
    }
}
