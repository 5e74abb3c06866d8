//! The world: records that come, change and go as time passes. A pure state machine without clock or network.
//!
//! The same seed, rates and forced changes at the same instants give the same world, however the time between is cut
//! into steps. Each collection keeps the truth and, beside it, the [`Index`] that lists are read from: the index may
//! lag behind the truth, and a second one (the replica) lags by a fixed time. Knows nothing of dates as text, pages or
//! HTTP.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::{DeleteMode, LateVisibility, ProviderConfig, Rates, ResourceConfig};
use crate::data::{Chance, IdStyle, RecordKind, write_members};
use crate::log::{Change, ChangeKind, ChangeLog};

/// Changes that one step may bring; a clock that leaps by years would otherwise never come back. When it is reached
/// the rest of the time passes without changes.
pub const CHANGES_PER_STEP_MAX: usize = 1_000_000;
/// Initial records are stamped over this time before the start.
const HISTORY_MICROS: u64 = 90 * 86_400 * 1_000_000;

/// One version of one record.
#[derive(Debug)]
pub struct Record {
    /// Number of the record in its collection, from 1.
    pub key: u32,
    /// Its version, from 1.
    pub version: u32,
    /// Position of the change in the log; 0 for initial records that are not logged.
    pub seq: u64,
    /// Created value in microseconds.
    pub created: i64,
    /// Updated value in microseconds.
    pub updated: i64,
    /// Whether this version is its deletion.
    pub deleted: bool,
    /// The members after the dates, as JSON text without braces.
    pub members: Box<str>,
}

/// What lists are read from: records by key, and in the order of (updated, key).
#[derive(Clone, Debug, Default)]
pub struct Index {
    by_updated: BTreeMap<(i64, u32), Arc<Record>>,
    by_key: Vec<Option<Arc<Record>>>,
    /// Per key, the newest change that was applied, so that a late one never covers a newer one.
    applied: Vec<u64>,
    pending: BTreeMap<(i64, u64), Shown>,
    /// Counts what was applied; equal revisions serve equal lists.
    revision: u64,
}

#[derive(Clone, Debug)]
enum Shown {
    Record(Arc<Record>),
    Nothing { key: u32 },
}

impl Index {
    /// Records in the order of (updated, key).
    pub fn by_updated(&self) -> &BTreeMap<(i64, u32), Arc<Record>> {
        &self.by_updated
    }

    /// The version of a record that this index shows.
    pub fn get(&self, key: u32) -> Option<&Arc<Record>> {
        self.by_key.get(key as usize)?.as_ref()
    }

    /// Counts the changes that were applied.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    fn offer(&mut self, visible_at: i64, seq: u64, shown: Shown, now: i64) {
        if visible_at <= now {
            self.apply(seq, shown);
        } else {
            self.pending.insert((visible_at, seq), shown);
        }
    }

    fn advance(&mut self, now: i64) {
        while let Some(entry) = self.pending.first_entry() {
            let (visible_at, seq) = *entry.key();
            if visible_at > now {
                return;
            }
            let shown = entry.remove();
            self.apply(seq, shown);
        }
    }

    fn apply(&mut self, seq: u64, shown: Shown) {
        let key = match &shown {
            Shown::Record(record) => record.key,
            Shown::Nothing { key } => *key,
        };
        let slot = key as usize;
        if self.by_key.len() <= slot {
            self.by_key.resize(slot + 1, None);
            self.applied.resize(slot + 1, 0);
        }
        if seq < self.applied[slot] {
            return;
        }
        self.applied[slot] = seq;
        self.revision += 1;
        if let Some(old) = self.by_key[slot].take() {
            self.by_updated.remove(&(old.updated, key));
        }
        if let Shown::Record(record) = shown {
            self.by_updated.insert((record.updated, key), Arc::clone(&record));
            self.by_key[slot] = Some(record);
        }
    }
}

/// One collection of the world.
#[derive(Debug)]
pub struct Collection {
    name: String,
    kind: RecordKind,
    ids: IdStyle,
    seed: u64,
    rates: Rates,
    deletes: DeleteMode,
    late: Option<LateVisibility>,
    replica_lag_micros: Option<i64>,
    chance: Chance,
    lateness: Chance,
    /// When the next create, update and delete are due.
    due: [Option<i64>; 3],
    /// The newest version by key; place 0 is empty.
    records: Vec<Option<Arc<Record>>>,
    live: Vec<u32>,
    /// Per key, its place in `live`.
    live_place: Vec<usize>,
    index: Index,
    replica: Option<Index>,
}

impl Collection {
    /// Its name in the path.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How its ids are written.
    pub fn ids(&self) -> IdStyle {
        self.ids
    }

    /// The newest version of a record, deleted or not.
    pub fn newest(&self, key: u32) -> Option<&Arc<Record>> {
        self.records.get(key as usize)?.as_ref()
    }

    /// The newest versions of all records that ever were, deleted ones included, by key.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Record>> {
        self.records.iter().flatten()
    }

    /// Number of records that are not deleted.
    pub fn live_count(&self) -> usize {
        self.live.len()
    }

    /// What lists are read from.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// The lagging replica; where there is none, what lists are read from.
    pub fn replica(&self) -> &Index {
        self.replica.as_ref().unwrap_or(&self.index)
    }

    fn set_rates(&mut self, rates: Rates, now: i64) {
        self.rates = rates;
        self.due = [rates.creates, rates.updates, rates.deletes]
            .map(|rate| (rate > 0.0).then(|| now.saturating_add(pause_micros(&mut self.chance, rate))));
    }

    fn next_due(&self) -> Option<(i64, Happening)> {
        let happenings = [Happening::Create, Happening::Update, Happening::Delete];
        self.due.iter().zip(happenings).filter_map(|(due, what)| due.map(|at| (at, what))).min_by_key(|d| d.0)
    }

    fn random_live(&mut self) -> Option<u32> {
        let place = self.chance.below(self.live.len() as u64) as usize;
        self.live.get(place).copied()
    }

    fn enlist(&mut self, key: u32) {
        let slot = key as usize;
        if self.live_place.len() <= slot {
            self.live_place.resize(slot + 1, 0);
        }
        self.live_place[slot] = self.live.len();
        self.live.push(key);
    }

    fn delist(&mut self, key: u32) {
        let place = self.live_place[key as usize];
        self.live.swap_remove(place);
        if let Some(moved) = self.live.get(place) {
            self.live_place[*moved as usize] = place;
        }
    }

    /// Draws when lists begin to show a change.
    fn visible_at(&mut self, at: i64) -> i64 {
        let Some(late) = self.late else { return at };
        if !self.lateness.happens(late.share) {
            return at;
        }
        let spread = self.lateness.below(late.max_ms.saturating_sub(late.min_ms).saturating_add(1));
        let delay_ms = i64::try_from(late.min_ms.saturating_add(spread)).unwrap_or(i64::MAX);
        at.saturating_add(delay_ms.saturating_mul(1_000))
    }

    fn render(&self, key: u32, version: u32, seq: u64, deleted: bool) -> Box<str> {
        let mut out = String::with_capacity(480);
        out.push_str(r#""version":"#);
        out.push_str(&version.to_string());
        out.push_str(r#","seq":"#);
        out.push_str(&seq.to_string());
        if deleted && self.deletes == DeleteMode::Tombstone {
            out.push_str(r#","deleted":true"#);
            return out.into_boxed_str();
        }
        if self.deletes == DeleteMode::Soft {
            out.push_str(if deleted { r#","is_deleted":true"# } else { r#","is_deleted":false"# });
        }
        out.push(',');
        write_members(&mut out, self.kind, self.seed, key, version);
        out.into_boxed_str()
    }

    fn put(&mut self, record: Record, visible_at: i64, at: i64) {
        let key = record.key;
        let record = Arc::new(record);
        let shown = if record.deleted && self.deletes == DeleteMode::Hard {
            Shown::Nothing { key }
        } else {
            Shown::Record(Arc::clone(&record))
        };
        if let (Some(replica), Some(lag)) = (&mut self.replica, self.replica_lag_micros) {
            replica.offer(at.saturating_add(lag), record.seq, shown.clone(), at);
        }
        self.index.offer(visible_at, record.seq, shown, at);
        let slot = key as usize;
        if self.records.len() <= slot {
            self.records.resize(slot + 1, None);
        }
        self.records[slot] = Some(record);
    }
}

/// What time brings.
#[derive(Clone, Copy, Debug)]
enum Happening {
    Create,
    Update,
    Delete,
}

/// A change to make now.
#[derive(Clone, Copy, Debug)]
pub enum Force {
    /// A new record.
    Create,
    /// A new version of this record, or of one drawn at random.
    Update(Option<u32>),
    /// The deletion of this record, or of one drawn at random.
    Delete(Option<u32>),
    /// The return of a deleted record under its old id.
    Restore(u32),
}

/// Why a forced change did not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There is no such record, or none at all, in the needed state.
    NoSuchRecord,
    /// There is no such resource.
    NoSuchResource,
}

/// All collections, the log, and the instant that the world has reached.
#[derive(Debug)]
pub struct World {
    collections: Vec<Collection>,
    log: ChangeLog,
    now: i64,
    skew_micros: i64,
    paused: bool,
}

impl World {
    /// Makes the world at an instant (microseconds of the driving clock) with its initial records.
    pub fn new(config: &ProviderConfig, now: i64) -> World {
        let mut world = World {
            collections: Vec::new(),
            log: ChangeLog::default(),
            now,
            skew_micros: config.skew_ms.saturating_mul(1_000),
            paused: config.paused,
        };
        for (place, resource) in config.resources.iter().enumerate() {
            world.collections.push(collection(config.seed, place as u64, resource));
            world.found(place, resource.initial, config.log_initial);
            let collection = &mut world.collections[place];
            collection.set_rates(resource.rates, now);
            collection.replica_lag_micros = lag_micros(resource.settings.replica_lag_ms);
            collection.replica = collection.replica_lag_micros.map(|_| collection.index.clone());
        }
        world
    }

    /// The instant that the world has reached.
    pub fn now(&self) -> i64 {
        self.now
    }

    /// The instant as the provider's own clock shows it.
    pub fn provider_now(&self) -> i64 {
        self.now.saturating_add(self.skew_micros)
    }

    /// How far the provider's clock is ahead of the driving one, in microseconds.
    pub fn skew_micros(&self) -> i64 {
        self.skew_micros
    }

    /// The collections, in configured order.
    pub fn collections(&self) -> &[Collection] {
        &self.collections
    }

    /// A collection by name.
    pub fn collection(&self, name: &str) -> Option<&Collection> {
        self.collections.iter().find(|collection| collection.name == name)
    }

    /// The ground truth.
    pub fn log(&self) -> &ChangeLog {
        &self.log
    }

    /// Lets time pass up to an instant; one that is not later changes nothing.
    pub fn advance(&mut self, to: i64) {
        let mut changes = 0;
        while let Some((at, place, what)) = self.next_due(to) {
            if changes == CHANGES_PER_STEP_MAX {
                for collection in &mut self.collections {
                    let rates = collection.rates;
                    collection.set_rates(rates, to);
                }
                break;
            }
            changes += 1;
            self.now = at;
            let collection = &mut self.collections[place];
            let rate = match what {
                Happening::Create => collection.rates.creates,
                Happening::Update => collection.rates.updates,
                Happening::Delete => collection.rates.deletes,
            };
            collection.due[what as usize] =
                Some(at.saturating_add(pause_micros(&mut collection.chance, rate)));
            let force = match what {
                Happening::Create => Force::Create,
                Happening::Update => Force::Update(None),
                Happening::Delete => Force::Delete(None),
            };
            // An empty collection has nothing to update or delete: then nothing happens.
            let _ = self.force_at(place, force, at.saturating_add(self.skew_micros));
        }
        self.now = self.now.max(to);
        for collection in &mut self.collections {
            collection.index.advance(self.now);
            if let Some(replica) = &mut collection.replica {
                replica.advance(self.now);
            }
        }
    }

    /// Makes a change now, stamped with the provider's time or with the given updated value; returns its place in the
    /// log.
    pub fn force(&mut self, resource: &str, force: Force, stamp: Option<i64>) -> Result<u64, Refused> {
        let place =
            self.collections.iter().position(|c| c.name == resource).ok_or(Refused::NoSuchResource)?;
        self.force_at(place, force, stamp.unwrap_or_else(|| self.provider_now()))
    }

    /// Whether time brings changes. Time that passes in a pause never brings any.
    pub fn set_paused(&mut self, paused: bool) {
        if self.paused && !paused {
            for collection in &mut self.collections {
                let rates = collection.rates;
                collection.set_rates(rates, self.now);
            }
        }
        self.paused = paused;
    }

    /// Sets how far the provider's clock is ahead of the driving one.
    pub fn set_skew(&mut self, micros: i64) {
        self.skew_micros = micros;
    }

    /// Sets the changes per second of a resource from now on.
    pub fn set_rates(&mut self, resource: &str, rates: Rates) -> Result<(), Refused> {
        let now = self.now;
        self.collection_mut(resource)?.set_rates(rates, now);
        Ok(())
    }

    /// Takes over what settings say about deletions, lateness and the replica, for changes from now on.
    pub fn set_visibility(
        &mut self,
        resource: &str,
        deletes: DeleteMode,
        late: Option<LateVisibility>,
        replica_lag_ms: Option<u64>,
    ) -> Result<(), Refused> {
        let collection = self.collection_mut(resource)?;
        collection.deletes = deletes;
        collection.late = late;
        let lag = lag_micros(replica_lag_ms);
        if lag.is_none() {
            collection.replica = None;
        } else if collection.replica.is_none() {
            collection.replica = Some(collection.index.clone());
        }
        collection.replica_lag_micros = lag;
        Ok(())
    }

    fn collection_mut(&mut self, name: &str) -> Result<&mut Collection, Refused> {
        self.collections.iter_mut().find(|c| c.name == name).ok_or(Refused::NoSuchResource)
    }

    fn next_due(&self, to: i64) -> Option<(i64, usize, Happening)> {
        if self.paused {
            return None;
        }
        let due = self.collections.iter().enumerate();
        due.filter_map(|(place, collection)| collection.next_due().map(|(at, what)| (at, place, what)))
            .min_by_key(|(at, place, _)| (*at, *place))
            .filter(|(at, ..)| *at <= to)
    }

    fn force_at(&mut self, place: usize, force: Force, stamp: i64) -> Result<u64, Refused> {
        let seq = self.log.next_seq();
        let at = self.now;
        let collection = &mut self.collections[place];
        let (key, old, kind) = match force {
            Force::Create => (collection.records.len().max(1) as u32, None, ChangeKind::Created),
            Force::Update(key) | Force::Delete(key) => {
                let key = match key {
                    Some(key) => key,
                    None => collection.random_live().ok_or(Refused::NoSuchRecord)?,
                };
                let old = collection.newest(key).filter(|old| !old.deleted).ok_or(Refused::NoSuchRecord)?;
                let kind = match force {
                    Force::Delete(_) => ChangeKind::Deleted,
                    Force::Create | Force::Update(_) | Force::Restore(_) => ChangeKind::Updated,
                };
                (key, Some(Arc::clone(old)), kind)
            }
            Force::Restore(key) => {
                let old = collection.newest(key).filter(|old| old.deleted).ok_or(Refused::NoSuchRecord)?;
                (key, Some(Arc::clone(old)), ChangeKind::Created)
            }
        };
        let deleted = kind == ChangeKind::Deleted;
        let version = old.as_ref().map_or(1, |old| old.version + 1);
        let created = match (&old, kind) {
            (Some(old), ChangeKind::Updated | ChangeKind::Deleted) => old.created,
            (_, ChangeKind::Created) | (None, _) => stamp,
        };
        match kind {
            ChangeKind::Created => collection.enlist(key),
            ChangeKind::Deleted => collection.delist(key),
            ChangeKind::Updated => {}
        }
        let visible_at = collection.visible_at(at);
        let members = collection.render(key, version, seq, deleted);
        let record = Record { key, version, seq, created, updated: stamp, deleted, members };
        collection.put(record, visible_at, at);
        let (resource, id) = (collection.name.clone(), collection.ids.id(key));
        self.log.push(Change { seq, resource, id, version, kind, at, stamp, visible_at });
        Ok(seq)
    }

    /// Puts the initial records, stamped in the past in the order of their keys.
    fn found(&mut self, place: usize, count: u32, logged: bool) {
        let provider_now = self.provider_now();
        let step = HISTORY_MICROS / u64::from(count.max(1));
        for number in 0..count {
            let seq = if logged { self.log.next_seq() } else { 0 };
            let (at, collection) = (self.now, &mut self.collections[place]);
            let key = number + 1;
            let behind = HISTORY_MICROS - step * u64::from(number) - collection.chance.below(step.max(1));
            let created = provider_now.saturating_sub(behind as i64);
            let since = if collection.chance.happens(0.5) { collection.chance.below(behind) } else { 0 };
            let updated = created.saturating_add(since as i64);
            let members = collection.render(key, 1, seq, false);
            collection.enlist(key);
            collection.put(
                Record { key, version: 1, seq, created, updated, deleted: false, members },
                at,
                at,
            );
            if logged {
                let (resource, id) = (collection.name.clone(), collection.ids.id(key));
                let kind = ChangeKind::Created;
                self.log.push(Change {
                    seq,
                    resource,
                    id,
                    version: 1,
                    kind,
                    at,
                    stamp: updated,
                    visible_at: at,
                });
            }
        }
    }
}

fn collection(seed: u64, place: u64, resource: &ResourceConfig) -> Collection {
    Collection {
        name: resource.name.clone(),
        kind: resource.kind,
        ids: resource.ids,
        seed: Chance::new(&[seed, place]).next(),
        rates: resource.rates,
        deletes: resource.settings.deletes,
        late: resource.settings.late,
        replica_lag_micros: None,
        chance: Chance::new(&[seed, place, 1]),
        lateness: Chance::new(&[seed, place, 2]),
        due: [None; 3],
        records: vec![None],
        live: Vec::new(),
        live_place: Vec::new(),
        index: Index::default(),
        replica: None,
    }
}

fn lag_micros(lag_ms: Option<u64>) -> Option<i64> {
    lag_ms.map(|ms| i64::try_from(ms).unwrap_or(i64::MAX).saturating_mul(1_000))
}

/// An exponentially distributed pause, at least a microsecond.
fn pause_micros(chance: &mut Chance, rate: f64) -> i64 {
    let seconds = -(1.0 - chance.unit()).ln() / rate;
    ((seconds * 1_000_000.0) as i64).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_700_000_000_000_000;
    const SECOND: i64 = 1_000_000;

    fn world(settings: crate::config::Settings) -> World {
        let resource = |name: &str, kind| {
            ResourceConfig::new(name, kind)
                .with_initial(20)
                .with_rates(2.0, 5.0, 1.0)
                .with_settings(settings.clone())
        };
        let resources =
            vec![resource("customers", RecordKind::Customers), resource("orders", RecordKind::Orders)];
        World::new(&ProviderConfig::of(7, resources), START)
    }

    #[test]
    fn the_way_time_is_cut_does_not_matter() {
        let (mut once, mut often) = (world(Default::default()), world(Default::default()));
        once.advance(START + 60 * SECOND);
        for step in 0..=6_000 {
            often.advance(START + step * SECOND / 100);
        }
        assert!(once.log().last() > 500, "time brings changes");
        assert_eq!(once.log().after(0, usize::MAX), often.log().after(0, usize::MAX));
    }

    #[test]
    fn the_log_equals_the_differences_of_the_world() {
        let mut world = world(Default::default());
        let mut known: BTreeMap<(String, String), u32> = BTreeMap::new();
        for collection in world.collections() {
            for record in collection.all() {
                known.insert((collection.name().to_owned(), collection.ids().id(record.key)), 1);
            }
        }
        world.advance(START + 120 * SECOND);
        for change in world.log().after(0, usize::MAX) {
            let name = (change.resource, change.id);
            let before = known.get(&name).copied();
            match change.kind {
                ChangeKind::Created => assert_eq!((before, change.version), (None, 1)),
                ChangeKind::Updated | ChangeKind::Deleted => assert_eq!(before, Some(change.version - 1)),
            }
            match change.kind {
                ChangeKind::Deleted => known.remove(&name),
                ChangeKind::Created | ChangeKind::Updated => known.insert(name, change.version),
            };
        }
        let mut served = BTreeMap::new();
        for collection in world.collections() {
            assert_eq!(collection.live_count(), collection.index().by_updated().len());
            for record in collection.index().by_updated().values() {
                served
                    .insert((collection.name().to_owned(), collection.ids().id(record.key)), record.version);
            }
        }
        assert_eq!(known, served);
    }

    #[test]
    fn a_late_change_is_stamped_now_and_listed_later() {
        let late = Some(LateVisibility { share: 1.0, min_ms: 3_000, max_ms: 3_000 });
        let mut world = world(crate::config::Settings { late, ..Default::default() });
        world.set_paused(true);
        world.advance(START + SECOND);
        let seq = world.force("customers", Force::Update(Some(3)), None).expect("exists");
        let listed = |world: &World| {
            world.collection("customers").expect("exists").index().by_updated().values().any(|r| r.seq == seq)
        };
        world.advance(START + 4 * SECOND - 1);
        assert!(!listed(&world));
        world.advance(START + 4 * SECOND);
        assert!(listed(&world));
    }

    #[test]
    fn a_late_old_version_never_covers_a_newer_one() {
        let mut world = world(Default::default());
        world.set_paused(true);
        let late = Some(LateVisibility { share: 1.0, min_ms: 3_000, max_ms: 3_000 });
        world.set_visibility("customers", DeleteMode::Hard, late, None).expect("exists");
        world.force("customers", Force::Update(Some(3)), None).expect("exists");
        world.set_visibility("customers", DeleteMode::Hard, None, None).expect("exists");
        let newer = world.force("customers", Force::Update(Some(3)), None).expect("exists");
        world.advance(START + 10 * SECOND);
        let customers = world.collection("customers").expect("exists");
        let shown: Vec<u64> =
            customers.index().by_updated().values().filter(|r| r.key == 3).map(|r| r.seq).collect();
        assert_eq!(shown, [newer]);
    }

    #[test]
    fn the_replica_is_behind() {
        let mut world = world(crate::config::Settings { replica_lag_ms: Some(5_000), ..Default::default() });
        world.set_paused(true);
        world.force("orders", Force::Delete(Some(1)), None).expect("exists");
        let count = |world: &World| world.collection("orders").expect("exists").replica().by_updated().len();
        assert_eq!(count(&world), 20);
        world.advance(START + 5 * SECOND);
        assert_eq!(count(&world), 19);
    }

    #[test]
    fn refuses_what_cannot_happen() {
        let mut world = world(Default::default());
        world.force("orders", Force::Delete(Some(1)), None).expect("exists");
        assert_eq!(world.force("orders", Force::Delete(Some(1)), None), Err(Refused::NoSuchRecord));
        assert_eq!(world.force("orders", Force::Restore(2), None), Err(Refused::NoSuchRecord));
        assert_eq!(world.force("nothing", Force::Create, None), Err(Refused::NoSuchResource));
        world.force("orders", Force::Restore(1), None).expect("deleted before");
    }
}
