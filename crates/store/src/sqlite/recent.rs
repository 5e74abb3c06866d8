//! The latest entries of the ledger: written one after the other, and moved to their places by the thousand.
//!
//! `record` is in the order of ids, and a provider's pages are in any other: an entry that is written there touches a
//! page of the file for itself, which is copied into the log with every commit. So entries go to the end of
//! `record_recent` first, in the same transaction as everything that must agree with them, and a later transaction
//! moves some thousands of them in the order of ids.
//!
//! What stands there is also kept in memory, for whoever asks: that is changed only after the transaction is durable. A
//! reader looks into the memory first and at the file afterwards. What is moved meanwhile it sees twice, and never not
//! at all.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use rusqlite::{Connection, params};
use turnstone_core::id::{OrgId, PollerId};
use turnstone_core::ledger::{Entry, Version};

use super::row::{micros, statements, whole};
use crate::Result;

/// Entries after which they are moved. The more, the more of them share a page; but nobody else can write meanwhile. So
/// many take some tens of milliseconds, and a few hundred where the ledger is so large that each has a page for itself.
pub(super) const ENTRIES_MAX: i64 = 16_384;

/// The same for a database in memory, where waiting saves nothing and tests shall meet the move often.
pub(super) const ENTRIES_MAX_IN_MEMORY: i64 = 16;

statements! {
    INSERT_RECENT = "
    insert into record_recent (
        poller_id, id, org_id, incarnation, sequence, compared_text, compared, hash, shape, recurrence, first_read_at,
        last_sweep, deleted_at, has_body
    )
    values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";

    /// Numbers begin at 1 again after every move.
    COUNT_RECENT = "
    select coalesce(max(number), 0)
    from record_recent";

    /// In the order of their writing where an id stands there several times: the last one stays.
    MOVE_RECENT = "
    insert into record (
        poller_id, id, org_id, incarnation, sequence, compared_text, compared, hash, shape, recurrence, first_read_at,
        last_sweep, deleted_at, has_body
    )
    select
        poller_id, id, org_id, incarnation, sequence, compared_text, compared, hash, shape, recurrence, first_read_at,
        last_sweep, deleted_at, has_body
    from record_recent
    where true
    order by poller_id, id, number
    on conflict (poller_id, id) do update
    set
        incarnation = excluded.incarnation,
        sequence = excluded.sequence,
        compared_text = excluded.compared_text,
        compared = excluded.compared,
        hash = excluded.hash,
        shape = excluded.shape,
        recurrence = excluded.recurrence,
        first_read_at = excluded.first_read_at,
        last_sweep = excluded.last_sweep,
        deleted_at = excluded.deleted_at,
        has_body = excluded.has_body";

    DELETE_RECENT = "
    delete from record_recent";
}

/// An entry without its body, and whether it has one.
pub(super) type Found = (Entry, bool);

/// The latest entries as far as they are durable.
#[derive(Clone, Debug, Default)]
pub(super) struct Latest(Arc<RwLock<HashMap<PollerId, HashMap<String, Found>>>>);

impl Latest {
    /// Whether there are any of this poller.
    pub fn has(&self, poller: PollerId) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains_key(&poller)
    }

    /// The latest entries of these records, as far as there are any.
    pub fn of(&self, poller: PollerId, asked: &[Version]) -> HashMap<String, Found> {
        let latest = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let Some(entries) = latest.get(&poller) else { return HashMap::new() };
        let found = asked.iter().filter_map(|version| entries.get_key_value(&version.id));
        found.map(|(id, found)| (id.clone(), found.clone())).collect()
    }
}

#[derive(Debug)]
enum Change {
    Written(PollerId, Found),
    Moved,
}

/// The writer's side: what its open transaction changes.
#[derive(Debug)]
pub(super) struct Recent {
    latest: Latest,
    changes: Vec<Change>,
    entries_max: i64,
}

impl Recent {
    /// None yet.
    pub fn new(entries_max: i64) -> Recent {
        Recent { latest: Latest::default(), changes: Vec::new(), entries_max }
    }

    /// What readers look into.
    pub fn latest(&self) -> Latest {
        self.latest.clone()
    }

    /// Writes entries, whole. Bodies are kept elsewhere.
    pub fn write(
        &mut self,
        db: &Connection,
        poller: PollerId,
        org: OrgId,
        entries: Vec<Entry>,
    ) -> Result<()> {
        let count: i64 = db.prepare_cached(COUNT_RECENT)?.query_row([], |row| row.get(0))?;
        if count >= self.entries_max {
            self.move_all(db)?;
        }
        let mut insert = db.prepare_cached(INSERT_RECENT)?;
        for entry in entries {
            let has_body = entry.last_body.is_some();
            insert.execute(params![
                poller.0,
                entry.id,
                org.0,
                entry.incarnation,
                whole(entry.sequence)?,
                entry.compared_text,
                entry.compared,
                entry.hash.0,
                entry.shape,
                entry.recurrence,
                micros(entry.first_read_at),
                whole(entry.last_sweep)?,
                entry.deleted_at.map(micros),
                has_body
            ])?;
            self.changes.push(Change::Written(poller, (as_kept(entry), has_body)));
        }
        Ok(())
    }

    /// The latest entry of a record as the open transaction sees it, as long as it was not moved to its place.
    pub fn find(&self, poller: PollerId, id: &str) -> Option<Found> {
        for change in self.changes.iter().rev() {
            match change {
                Change::Written(of, found) if *of == poller && found.0.id == id => {
                    return Some(found.clone());
                }
                Change::Written(..) => {}
                Change::Moved => return None,
            }
        }
        let latest = self.latest.0.read().unwrap_or_else(PoisonError::into_inner);
        latest.get(&poller)?.get(id).cloned()
    }

    /// Moves all entries to their places, if there are any: before anything looks for entries there and is not content
    /// with most of them.
    pub fn move_all(&mut self, db: &Connection) -> Result<()> {
        if move_all(db)? {
            self.changes.push(Change::Moved);
        }
        Ok(())
    }

    /// A place to come back to with [`Recent::roll_back`].
    pub fn mark(&self) -> usize {
        self.changes.len()
    }

    /// Takes back every change since the mark.
    pub fn roll_back(&mut self, mark: usize) {
        self.changes.truncate(mark);
    }

    /// The changes are durable.
    pub fn settle(&mut self) {
        if self.changes.is_empty() {
            return;
        }
        let mut latest = self.latest.0.write().unwrap_or_else(PoisonError::into_inner);
        let mut moved = Vec::new();
        for change in self.changes.drain(..) {
            match change {
                Change::Moved => moved.push(std::mem::take(&mut *latest)),
                Change::Written(poller, found) => {
                    latest.entry(poller).or_default().insert(found.0.id.clone(), found);
                }
            }
        }
        drop(latest); // Readers need not wait until thousands of entries are given back.
        drop(moved);
    }
}

/// Moves all entries to their places; whether there were any.
pub(super) fn move_all(db: &Connection) -> Result<bool> {
    let count: i64 = db.prepare_cached(COUNT_RECENT)?.query_row([], |row| row.get(0))?;
    if count == 0 {
        return Ok(false);
    }
    db.prepare_cached(MOVE_RECENT)?.execute([])?;
    db.prepare_cached(DELETE_RECENT)?.execute([])?;
    Ok(true)
}

/// An entry as it will be read from its columns.
fn as_kept(entry: Entry) -> Entry {
    let whole_micros = |at: Timestamp| Timestamp::from_microsecond(micros(at)).unwrap_or(at);
    Entry {
        first_read_at: whole_micros(entry.first_read_at),
        deleted_at: entry.deleted_at.map(whole_micros),
        last_body: None,
        ..entry
    }
}

#[cfg(test)]
mod tests {
    use turnstone_core::json_hash::ContentHash;

    use super::*;
    use crate::StoreError;
    use crate::sqlite::open;

    const POLLER: PollerId = PollerId(7);

    fn entry(id: &str, sequence: u64) -> Entry {
        Entry {
            id: id.into(),
            incarnation: 1,
            sequence,
            compared_text: String::new(),
            compared: Some(1),
            hash: ContentHash([1; 16]),
            shape: 1,
            recurrence: 0,
            first_read_at: Timestamp::from_nanosecond(1_999).unwrap(),
            last_sweep: 0,
            deleted_at: None,
            last_body: None,
        }
    }

    fn entries(ids: std::ops::Range<i64>, sequence: u64) -> Vec<Entry> {
        ids.rev().map(|id| entry(&id.to_string(), sequence)).collect()
    }

    /// The sequence of an entry as readers find it in memory.
    fn latest(latest: &Latest, id: &str) -> Option<u64> {
        let asked = Version { id: id.into(), compared: None, hash: ContentHash([0; 16]) };
        latest.of(POLLER, &[asked]).get(id).map(|(entry, _)| entry.sequence)
    }

    /// Rows that wait, and rows in their places with the sum of their sequences.
    fn rows(db: &Connection) -> (i64, i64, i64) {
        let sql =
            "select (select count(*) from record_recent), count(*), coalesce(sum(sequence), 0) from record";
        db.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap()
    }

    #[test]
    fn many_entries_are_moved_and_the_last_one_of_an_id_stays() {
        let mut desk = open::memory().unwrap();
        let shared = desk.recent.latest();
        for sequence in 1..=3 {
            let written = entries(0..10, sequence);
            desk.alone(move |desk| desk.recent.write(&desk.db, POLLER, OrgId(1), written)).unwrap();
            assert_eq!(latest(&shared, "3"), Some(sequence));
        }
        // The third batch found more than may wait: those of the first two were moved before it was written.
        assert_eq!(rows(&desk.db), (10, 10, 20));
        desk.alone(|desk| desk.recent.move_all(&desk.db)).unwrap();
        assert_eq!(rows(&desk.db), (0, 10, 30));
        assert_eq!((latest(&shared, "3"), shared.has(POLLER)), (None, false));
    }

    #[test]
    fn what_was_not_committed_is_not_known() {
        let mut desk = open::memory().unwrap();
        let shared = desk.recent.latest();
        desk.alone(|desk| desk.recent.write(&desk.db, POLLER, OrgId(1), vec![entry("a", 1)])).unwrap();
        let failed = desk.alone(|desk| {
            desk.recent.move_all(&desk.db)?;
            desk.recent.write(&desk.db, POLLER, OrgId(1), vec![entry("a", 2), entry("b", 1)])?;
            Err::<(), _>(StoreError::Failed("refused".into()))
        });
        failed.unwrap_err();
        assert_eq!((latest(&shared, "a"), latest(&shared, "b")), (Some(1), None));
        assert_eq!(rows(&desk.db), (1, 0, 0));
    }

    #[test]
    fn memory_says_what_the_columns_say() {
        let mut desk = open::memory().unwrap();
        let shared = desk.recent.latest();
        desk.alone(|desk| desk.recent.write(&desk.db, POLLER, OrgId(1), vec![entry("a", 1)])).unwrap();
        let asked = entry("a", 1).version();
        let (kept, _) = shared.of(POLLER, &[asked]).remove("a").unwrap();
        assert_eq!(kept.first_read_at, Timestamp::from_nanosecond(1_000).unwrap());
    }

    #[test]
    fn opening_moves_what_an_earlier_process_left() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.db");
        let mut opened = open::file(&path, 0).unwrap();
        let written = entries(0..100, 1);
        opened.desk.alone(move |desk| desk.recent.write(&desk.db, POLLER, OrgId(1), written)).unwrap();
        assert_eq!(rows(&opened.desk.db), (100, 0, 0));
        drop(opened);
        let opened = open::file(&path, 0).unwrap();
        assert_eq!(rows(&opened.desk.db), (0, 100, 100));
        assert!(!opened.desk.recent.latest().has(POLLER));
    }
}
