//! What outlives a run: the poller's state, and its open pass.
//!
//! Both are kept by the store as opaque JSON that only this module reads and writes. A field that is missing takes its
//! default, so that an older state is readable by a newer program.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::RunKind;
use super::sighting::Sightings;
use crate::ledger::Compared;
use crate::page::Position;

/// The state of a poller between runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PollerState {
    /// The position up to which everything is settled, in provider time (or in numbers of `cursorField`).
    pub watermark: Option<Compared>,
    /// Whether the first pass has closed.
    pub primed: bool,
    /// What decides about versions, by name: a watermark of one kind means nothing to another.
    pub compared: String,
    /// What decides has changed: the next pass takes everything as known, silently (A27).
    pub reseeding: bool,
    /// Start of the first pass: versions before it are taken as known without an event.
    pub baseline: Option<BaselineState>,
    /// The lower bound never goes below this.
    pub floor: Option<Compared>,
    /// Passes closed so far.
    pub passes: u64,
    /// Starts of a pass since one closed.
    pub starts: u32,
    /// Failed runs in a row.
    pub failures: u32,
    /// Failed runs of looks in a row.
    pub look_failures: u32,
    /// Sweeps closed so far.
    pub sweeps: u64,
    /// Polls closed since the last sweep.
    pub polls_since_sweep: u32,
    /// When the last sweep closed.
    pub swept_at: Option<Timestamp>,
    /// The next run is a sweep.
    pub sweep_next: bool,
    /// A superseded version that holds the lower bound back.
    pub hold: Option<Hold>,
    /// Watermarks at the start of recent passes; `overlap` of a `cursorField` is counted in them.
    pub trail: Vec<TrailMark>,
    /// Our clock minus the provider's, in microseconds, as last measured.
    pub skew: Option<i64>,
    /// A sweep that failed on its way: it goes on when the next one is due, and polls go on meanwhile.
    pub parked: Option<Box<Pass>>,
    /// To which provider instant the poller is complete.
    pub complete_to: Option<Timestamp>,
    /// Lower bound of the last closed poll.
    pub last_bound: Option<Compared>,
    /// How late records arrive.
    pub lateness: Lateness,
    /// Validators of the last complete answer.
    pub validators: Option<Validators>,
    /// A sweep missed too many records: a person is asked.
    pub brake: Option<Brake>,
}

/// The first pass's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BaselineState {
    /// Provider's time of the first answered request, or the date that the configuration names.
    pub at: Timestamp,
    /// The provider sends no `Date`: everything that the first pass reads is taken as known.
    pub undated: bool,
}

/// Why the lower bound is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hold {
    /// The oldest open superseded version.
    pub value: Compared,
    /// Passes closed since it was seen.
    pub passes: u32,
    /// Our clock until when a look at it may be a stale replica's.
    pub until: Timestamp,
}

/// A pass's start and the watermark at that time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrailMark {
    /// Our clock.
    pub at: Timestamp,
    /// The watermark.
    pub watermark: Compared,
}

/// How late records arrive: dated before the start of a pass that did not see them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Lateness {
    /// Late records so far.
    pub count: u64,
    /// The latest by how much, in seconds, rounded up.
    pub worst_seconds: u64,
}

/// Validators of a conditional request, with the URL that they belong to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Validators {
    /// The URL.
    pub url: String,
    /// The configuration that the answer was read under.
    #[serde(default)]
    pub revision: i64,
    /// `ETag`.
    pub etag: Option<String>,
    /// `Last-Modified`.
    pub last_modified: Option<String>,
}

/// A sweep that missed too many records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Brake {
    /// Records missing.
    pub missing: u64,
    /// Records known.
    pub known: u64,
    /// A person has said that they are really gone.
    pub released: bool,
}

impl PollerState {
    /// Reads a stored state; an empty text is a new poller's.
    pub fn read(text: &str) -> Result<PollerState, serde_json::Error> {
        if text.is_empty() { Ok(PollerState::default()) } else { serde_json::from_str(text) }
    }

    /// The text to store.
    pub fn write(&self) -> String {
        serde_json::to_string(self).expect("numbers, texts and instants always serialise")
    }

    /// The same at another position, where a person puts it: what bound the old one is forgotten, and so is a sweep
    /// that stood still. The ledger stays, so that a move back reads again and reports nothing twice; a move on leaves
    /// out what lies between. Where the position is a date, completeness is never claimed beyond it.
    #[must_use]
    pub fn moved_to(&self, watermark: Compared, is_date: bool) -> PollerState {
        let at = Timestamp::from_microsecond(watermark).ok().filter(|_| is_date);
        let complete_to = match (self.complete_to, at) {
            (Some(complete_to), Some(at)) => Some(complete_to.min(at)),
            (Some(complete_to), None) if is_date => Some(complete_to),
            _ => None,
        };
        PollerState {
            watermark: Some(watermark),
            floor: None,
            hold: None,
            trail: Vec::new(),
            parked: None,
            validators: None,
            starts: 0,
            failures: 0,
            complete_to,
            ..self.clone()
        }
    }

    /// The `pollDelay` in seconds that would have covered every late record so far.
    pub fn suggested_poll_delay(&self) -> Option<u64> {
        (self.lateness.count > 0).then_some(self.lateness.worst_seconds)
    }
}

/// One complete read of a resource, from the lower bound to the last page: open until it closes, over several runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pass {
    /// What it reads.
    pub kind: RunKind,
    /// The configuration that it reads under.
    pub revision: i64,
    /// Our clock at its start.
    pub started_at: Timestamp,
    /// Provider's time at its start; known with the first answer.
    pub provider_time: Option<Timestamp>,
    /// The upper end that requests name, estimated before the first answer.
    pub end: Timestamp,
    /// Lower bound of the window; `None` when everything is read.
    pub bound: Option<Compared>,
    /// Lower bound of the present query; moves up in a key-set pass.
    pub query_bound: Option<Compared>,
    /// Whether the bound may move.
    pub key_set: bool,
    /// The next page.
    pub position: Position,
    /// Pages read so far, all reads together.
    pub pages: u32,
    /// The pages under one bound.
    pub group: Group,
    /// Largest compared value of settled groups that is not after the provider's time.
    pub settled: Option<Compared>,
    /// Fingerprints of the last page's versions, to recognise a border.
    pub border: Vec<u64>,
    /// The next page must hold a version of the border: the bound was just moved.
    pub moved: Option<Compared>,
    /// Recent pages' fingerprints, to recognise a loop.
    pub recent: Vec<u64>,
    /// Pages without records in a row.
    #[serde(default)]
    pub empty_pages: u32,
    /// Pages in a row that repeated an earlier one.
    pub repeats: u32,
    /// Oldest superseded version met.
    pub superseded: Option<Compared>,
    /// Readable and unreadable records so far.
    pub readable: u64,
    /// Records that could not be read.
    pub unreadable: u64,
    /// The first unreadable record's reason.
    pub unreadable_reason: Option<String>,
    /// The promised order did not hold.
    pub order_broken: bool,
    /// Offsets turned out not to count records: borders prove nothing, reads are compared.
    pub unproven: bool,
    /// Start of the first pass, while it is open.
    pub baseline: Option<BaselineState>,
    /// The lower bound never goes below this.
    pub floor: Option<Compared>,
    /// The pages did not agree within the allowed reads.
    pub unstable: Option<String>,
    /// A sweep past its read: the last missing id that was looked at.
    pub missing_after: Option<String>,
    /// The sweep's read is complete; what is missing is looked at.
    pub looking: bool,
    /// It stood still while other passes went on.
    #[serde(default)]
    pub was_parked: bool,
}

/// The pages under one bound: a small pass of their own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Group {
    /// Which read of these pages this is, from 1.
    pub read: u32,
    /// Pages of this read. A last page without records counts only after a full one.
    pub pages: u32,
    /// The last page was full.
    pub full: bool,
    /// Largest compared value not after the provider's time.
    pub largest: Option<Compared>,
    /// The bound to which a key-set pass moves once these pages agree.
    pub moves_to: Option<Compared>,
    /// Steps back over the present border.
    pub steps_back: u32,
    /// Largest compared value of the last page, for key-set reading.
    pub last: Option<Compared>,
    /// What the reads saw, to compare them.
    #[serde(skip_serializing_if = "Sightings::is_empty")]
    pub sightings: Sightings,
}

impl Pass {
    /// Reads a stored pass.
    pub fn read(text: &str) -> Result<Pass, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The text to store, with what the reads saw so far: after a yield the comparison goes on.
    pub fn write(&self) -> String {
        serde_json::to_string(self).expect("a pass always serialises")
    }

    /// The text to store in the middle of a run, without what the reads saw: too much to write with every page. A run
    /// that resumes from it after a crash reads the pages under this bound anew.
    pub fn write_brief(&mut self) -> String {
        let sightings = std::mem::take(&mut self.group.sightings);
        let text = self.write();
        self.group.sightings = sightings;
        text
    }
}
