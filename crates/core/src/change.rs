//! Decides what a record means: CREATED, UPDATED, DELETED, silently known, or ignored with a reason.
//!
//! Pure: the caller brings the record, what the ledger knows of it, and the window. The order of the questions is the
//! rule (design section 4, rules 6, 7, 8 and 12); see [`judge`].
//!
//! Not here: reading the record (`records`), writing the ledger (the store), the watermark (`poll`).

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;

use crate::date::DateFormat;
use crate::event::EventType;
use crate::ledger::{Compared, Entry, KnownVersion};
use crate::poll::Ignored;
use crate::records::Item;
use crate::resource::{ComparedBy, CreatedInWindow, MissingDate, Resource, SameTimestampChange};
use crate::window::{LowerBound, instant, unit_is_before};

/// Age up to which an unknown record that is marked as deleted is news. The ledger keeps deleted entries a day longer.
const DELETED_NEWS_MAX: jiff::SignedDuration = jiff::SignedDuration::from_hours(29 * 24);

/// What the judgement rests on beside the record and the ledger.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// The resource's settings.
    pub resource: &'a Resource,
    /// Lower bound of the window; `None` on a sweep and on a first read of everything.
    pub bound: Option<LowerBound>,
    /// Provider's time at the start of the pass.
    pub provider_time: Timestamp,
    /// Our clock when the answer came.
    pub read_at: Timestamp,
    /// Later than the provider's time when the answer came, whatever its clock and ours say.
    pub ahead: Timestamp,
    /// Our clock when the pass began: a frozen list, or one that was parked on the way, answers as of then.
    pub as_of: Timestamp,
    /// Whether the pass was parked, so that other passes reported versions since it began.
    pub was_parked: bool,
    /// Whether everything is read to find what was missed.
    pub sweep: bool,
    /// Bound of the last window of polls: what a sweep finds below it could not have come otherwise.
    pub polled_below: Option<LowerBound>,
    /// Whether the same page also holds a newer version of this record.
    pub beside_newer: bool,
    /// Set while the first pass establishes what is already there.
    pub baseline: Option<Baseline>,
}

/// What the first pass takes as known without an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Baseline {
    /// Versions whose whole unit lies before this instant; later ones are events.
    Before(Timestamp),
    /// Everything: the provider sends no `Date`, so nothing can be told apart.
    Everything,
    /// Everything, whatever the ledger says: its values are of another kind.
    Anew,
}

/// The judgement on one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// An event.
    Event {
        /// Which.
        event_type: EventType,
        /// Why, in words.
        reason: Cow<'static, str>,
        /// Whether the version returns after a newer one: it gets an identity of its own.
        returned: bool,
        /// Whether the id is born again.
        reborn: bool,
    },
    /// Known from now on, without an event.
    Seeded,
    /// Same version under another shape: the stored hash is replaced, nothing else.
    Rebased,
    /// Nothing.
    Ignored(Ignored, Cow<'static, str>),
    /// The pass must fail: the configuration says that such a record is an error.
    Fault(String),
}

/// Judges one record. In this order:
///
/// 1. what configuration leaves out, or declares an error;
/// 2. a mark of deletion → DELETED once;
/// 3. a version that the ledger has as this record's last one → `reported`;
/// 4. the first pass → seeded, if certainly older than its start;
/// 5. older than the window → `before-window` (never on a sweep);
/// 6. a deleted id that is back → CREATED, unless it may be a stale replica;
/// 7. a known id → UPDATED, unless `superseded`;
/// 8. an unknown id → by its dates.
pub fn judge(item: &Item, known: &KnownVersion, now: &Circumstances<'_>) -> Change {
    if let Some(left_out) = left_out(item, known.entry.as_ref(), now) {
        return left_out;
    }
    if item.deleted {
        return judge_deletion(item, known, now);
    }
    let entry = known.entry.as_ref();
    if let Some(entry) = entry.filter(|entry| entry.deleted_at.is_none())
        && let Some(known_last) = same_as_last(item, entry, now.resource)
    {
        return known_last;
    }
    // What is older than a version already known says nothing about the beginning: a stale replica's, most likely.
    let comparable = now.baseline != Some(Baseline::Anew);
    let replaced = comparable && entry.is_some_and(|entry| entry.compared > item.compared);
    if seeds(item, now) && !replaced {
        return Change::Seeded;
    }
    if before_window(item, now) {
        return Change::Ignored(Ignored::BeforeWindow, "older than the window".into());
    }
    match entry {
        Some(entry) if entry.deleted_at.is_some() => judge_return(item, known, entry, now),
        Some(entry) => judge_known(item, known, entry, now),
        None => judge_unknown(item, now),
    }
}

fn left_out(item: &Item, entry: Option<&Entry>, now: &Circumstances<'_>) -> Option<Change> {
    let comparable = now.baseline != Some(Baseline::Anew);
    if comparable && item.fell_back && entry.is_some_and(|entry| entry.compared > item.compared) {
        let reason =
            format!("record `{}` has lost its updated date; correct `updatedDateField`", item.object_id);
        return Some(Change::Ignored(Ignored::Quarantined, reason.into()));
    }
    if item.compared.is_none() && !item.deleted && now.resource.compared != ComparedBy::Content {
        match now.resource.missing_date {
            MissingDate::Report => {}
            MissingDate::Skip => return Some(Change::Ignored(Ignored::Filtered, "it has no date".into())),
            MissingDate::Fail => {
                return Some(Change::Fault(format!(
                    "record `{}` has no date, and `missingDate` is `fail`",
                    item.object_id
                )));
            }
        }
    }
    let future = item.compared.is_some_and(|value| value > now.provider_time.as_microsecond());
    if now.resource.filter_by_current_date && future && is_dated(now.resource) {
        let reason = "dated after the start of this poll; a later poll brings it";
        return Some(Change::Ignored(Ignored::Filtered, reason.into()));
    }
    None
}

fn is_dated(resource: &Resource) -> bool {
    matches!(resource.compared, ComparedBy::Updated | ComparedBy::Created)
}

/// Whether this is the version that the entry ends with. A hash of another shape cannot be compared: with the same
/// compared value it is re-based silently.
fn same_as_last(item: &Item, entry: &Entry, resource: &Resource) -> Option<Change> {
    if entry.compared != item.compared {
        return None;
    }
    if entry.shape != resource.shape {
        return Some(Change::Rebased);
    }
    if entry.hash == item.hash {
        return Some(Change::Ignored(Ignored::Reported, "already reported".into()));
    }
    if resource.same_timestamp_change == SameTimestampChange::Ignore && item.compared.is_some() {
        return Some(Change::Ignored(
            Ignored::Reported,
            "same date, and `sameTimestampChange` is `ignore`".into(),
        ));
    }
    None
}

/// Rule 8. A record without any date says nothing about when: it was there.
fn seeds(item: &Item, now: &Circumstances<'_>) -> bool {
    match now.baseline {
        None => false,
        Some(Baseline::Everything | Baseline::Anew) => true,
        Some(Baseline::Before(start)) => {
            let dated = match now.resource.compared {
                ComparedBy::Updated | ComparedBy::Created => item.compared,
                ComparedBy::Cursor(_) | ComparedBy::Content => {
                    item.updated.or(item.created).map(|at| at.as_microsecond())
                }
            };
            dated.is_none_or(|value| unit_is_before(now.resource, value, start))
        }
    }
}

fn before_window(item: &Item, now: &Circumstances<'_>) -> bool {
    match (item.compared, now.bound) {
        (Some(value), Some(bound)) => value < bound.0 && !now.sweep,
        _ => false,
    }
}

/// Whether a version's date does not tell what it came after: it lies ahead of every clock, so that somebody chose it,
/// and what is written next to the same record is dated before it. A stale replica's answer looks no different.
fn dated_ahead(item: &Item, now: &Circumstances<'_>) -> bool {
    is_dated(now.resource) && item.compared.is_some_and(|value| value > now.ahead.as_microsecond())
}

/// Whether a look at `entry`'s record may still be a stale replica's (rule 6).
fn unsettled(entry_read_at: Timestamp, now: &Circumstances<'_>) -> bool {
    now.as_of.min(now.read_at).duration_since(entry_read_at) < settling(now.resource)
}

fn settling(resource: &Resource) -> jiff::SignedDuration {
    jiff::SignedDuration::try_from(resource.settling()).unwrap_or(jiff::SignedDuration::MAX)
}

fn judge_deletion(item: &Item, known: &KnownVersion, now: &Circumstances<'_>) -> Change {
    let Some(entry) = &known.entry else {
        if seeds(item, now) || outlived(item, now) {
            return Change::Seeded;
        }
        if before_window(item, now) {
            return Change::Ignored(Ignored::BeforeWindow, "older than the window".into());
        }
        return event(EventType::Deleted, "marked as deleted");
    };
    if entry.deleted_at.is_some() {
        return Change::Ignored(Ignored::Reported, "already reported as deleted".into());
    }
    let older = matches!((item.compared, entry.compared), (Some(new), Some(last)) if new < last);
    if (older || known.version || dated_ahead(item, now)) && unsettled(entry.first_read_at, now) {
        return superseded();
    }
    event(EventType::Deleted, "marked as deleted")
}

/// Whether a mark of deletion may have been reported long ago: one that stays listed for ever outlives its entry in the
/// ledger. Without a date nothing tells, and silence is the smaller mistake.
fn outlived(item: &Item, now: &Circumstances<'_>) -> bool {
    let dated = item.compared.filter(|_| is_dated(now.resource));
    let Some(value) = dated.or(item.updated.map(|at| at.as_microsecond())) else { return true };
    now.sweep && now.provider_time.duration_since(instant(value)) > DELETED_NEWS_MAX
}

/// A deleted id that is served again: born anew, unless the answer may be older than the deletion.
fn judge_return(item: &Item, known: &KnownVersion, entry: &Entry, now: &Circumstances<'_>) -> Change {
    let not_newer = known.version || item.compared <= entry.compared || dated_ahead(item, now);
    if not_newer && unsettled(entry.first_read_at, now) {
        return superseded();
    }
    Change::Event {
        event_type: EventType::Created,
        reason: "returned after its deletion".into(),
        returned: false,
        reborn: true,
    }
}

fn judge_known(item: &Item, known: &KnownVersion, entry: &Entry, now: &Circumstances<'_>) -> Change {
    let older = matches!((item.compared, entry.compared), (Some(new), Some(last)) if new < last);
    if older && now.beside_newer {
        return Change::Ignored(Ignored::Reported, "an older version, listed beside its newer one".into());
    }
    let doubtful = now.was_parked && item.compared == entry.compared && entry.first_read_at >= now.as_of;
    if doubtful && unsettled(entry.first_read_at, now) {
        return superseded(); // Which of the two came first, a live list tells.
    }
    if older || known.version {
        if unsettled(entry.first_read_at, now) {
            return superseded();
        }
        return Change::Event {
            event_type: EventType::Updated,
            reason: "outOfOrder: a version not newer than the last one is served for good".into(),
            returned: true,
            reborn: false,
        };
    }
    if dated_ahead(item, now) && unsettled(entry.first_read_at, now) {
        return superseded();
    }
    if is_late(item, now) {
        return event(EventType::Updated, "late: found by a sweep, too old for the window of the polls");
    }
    if item.compared == entry.compared && item.compared.is_some() {
        return event(EventType::Updated, "known record, same date, other content");
    }
    event(EventType::Updated, "known record, newer version")
}

fn is_late(item: &Item, now: &Circumstances<'_>) -> bool {
    now.sweep && matches!((item.compared, now.polled_below), (Some(value), Some(bound)) if value < bound.0)
}

fn superseded() -> Change {
    Change::Ignored(
        Ignored::Superseded,
        "not newer than the last reported version, which was read just before, or dated ahead".into(),
    )
}

fn event(event_type: EventType, reason: &'static str) -> Change {
    Change::Event { event_type, reason: reason.into(), returned: false, reborn: false }
}

/// Rule 7 for ids never seen: the mission's comparison of created and updated.
fn judge_unknown(item: &Item, now: &Circumstances<'_>) -> Change {
    let resource = now.resource;
    let late = is_late(item, now);
    let tell = |event_type, reason: &'static str| {
        if late {
            let reason = match event_type {
                EventType::Created => "late: created, found by a sweep",
                EventType::Updated | EventType::Deleted | EventType::Unknown => {
                    "late: changed, found by a sweep"
                }
            };
            return event(event_type, reason);
        }
        event(event_type, reason)
    };
    let (Some(updated), Some(created)) = (item.updated, item.created) else {
        return tell(EventType::Created, "a record not known before");
    };
    if within_tolerance(resource, updated, created) {
        return tell(EventType::Created, "created and updated are equal");
    }
    if created > updated {
        return tell(EventType::Created, "created later than updated");
    }
    let bound = now.bound.or(now.polled_below);
    let inside = bound.is_some_and(|bound| created.as_microsecond() >= bound.0);
    if resource.created_in_window == CreatedInWindow::Created && inside {
        return tell(EventType::Created, "created inside the window");
    }
    tell(EventType::Updated, "created earlier than updated")
}

/// Compared at the coarser resolution of the two formats: a date without time says nothing about hours.
fn within_tolerance(resource: &Resource, updated: Timestamp, created: Timestamp) -> bool {
    let formats: Vec<&DateFormat> =
        [&resource.updated, &resource.created].into_iter().flatten().map(|field| &field.format).collect();
    let unit = formats.iter().map(|format| format.resolution()).max();
    let (updated, created) = match (unit, formats.first()) {
        (Some(unit), Some(format)) => (format.floor(updated, unit), format.floor(created, unit)),
        _ => (updated, created),
    };
    let difference = updated.duration_since(created).unsigned_abs();
    difference <= resource.created_check_tolerance.max(Duration::ZERO)
}

/// The ledger entry after a change; `None` when it stays as it is.
pub fn entry_after(
    item: &Item,
    old: Option<&Entry>,
    change: &Change,
    now: &Circumstances<'_>,
    sweep: u64,
) -> Option<Entry> {
    let fresh = |incarnation, sequence, recurrence| Entry {
        id: item.id.clone(),
        incarnation,
        sequence,
        compared_text: item.compared_text.clone(),
        compared: item.compared,
        hash: item.hash,
        shape: now.resource.shape,
        recurrence,
        first_read_at: now.read_at,
        last_sweep: old.map_or(sweep, |old| old.last_sweep.max(sweep)),
        deleted_at: item.deleted.then_some(now.read_at),
        last_body: None,
    };
    match change {
        Change::Ignored(..) | Change::Fault(_) => None,
        Change::Seeded => Some(match old {
            None => fresh(1, 0, 0),
            // Back after its deletion: what ends this life must not bear the name of what ended the last one.
            Some(old) if old.deleted_at.is_some() && !item.deleted => {
                fresh(old.incarnation + 1, old.sequence, 0)
            }
            Some(old) => fresh(old.incarnation, old.sequence, old.recurrence),
        }),
        Change::Rebased => old.map(|old| Entry { hash: item.hash, shape: now.resource.shape, ..old.clone() }),
        Change::Event { returned, reborn, .. } => Some(match old {
            None => fresh(1, 1, 0),
            Some(old) => fresh(
                old.incarnation + u32::from(*reborn),
                old.sequence + 1,
                if *reborn { 0 } else { old.recurrence + u32::from(*returned) },
            ),
        }),
    }
}

/// The smallest compared value that must stay in the window because of a superseded version.
pub fn open_superseded(item: &Item, change: &Change) -> Option<Compared> {
    match change {
        Change::Ignored(Ignored::Superseded, _) => item.compared,
        _ => None,
    }
}
