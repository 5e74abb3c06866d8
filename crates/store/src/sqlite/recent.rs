//! The latest entries of the ledger: written one after the other, and moved to their places by the thousand.
//!
//! `record` is in the order of ids, and a provider's pages are in any other: an entry that is written there touches a
//! page of the file for itself, which is copied into the log with every commit. So entries go to the end of
//! `record_recent` first, in the same transaction as everything that must agree with them, and a later transaction moves
//! some thousands of them in the order of ids.
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

/// Entries after which they are moved. Moving so many takes some tens of milliseconds, in which nobody else can write.
pub(super) const ENTRIES_MAX: i64 = 8_192;

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

    /// Writes entries, whole.
    pub fn write(&mut self, db: &Connection, poller: PollerId, org: OrgId, entries: &[Entry]) -> Result<()> {
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
        for change in self.changes.drain(..) {
            match change {
                Change::Moved => latest.clear(),
                Change::Written(poller, found) => {
                    latest.entry(poller).or_default().insert(found.0.id.clone(), found);
                }
            }
        }
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
fn as_kept(entry: &Entry) -> Entry {
    let whole_micros = |at: Timestamp| Timestamp::from_microsecond(micros(at)).unwrap_or(at);
    Entry {
        id: entry.id.clone(),
        incarnation: entry.incarnation,
        sequence: entry.sequence,
        compared_text: entry.compared_text.clone(),
        compared: entry.compared,
        hash: entry.hash,
        shape: entry.shape,
        recurrence: entry.recurrence,
        first_read_at: whole_micros(entry.first_read_at),
        last_sweep: entry.last_sweep,
        deleted_at: entry.deleted_at.map(whole_micros),
        last_body: None,
    }
}
