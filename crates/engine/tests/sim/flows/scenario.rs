//! What one seed of a monitor is about: the provider's habits, the monitor's document, who subscribed, how rough it is.

use serde_json::{Value, json};

use crate::fault::Fault;
use crate::rng::Rng;
use crate::stamp::*;

/// The monitor of the mission, as people get it.
const EXAMPLE: &str = include_str!("../../../../../examples/monitors/new-users.yaml");

/// How the flow meets a provider that does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asking {
    /// As the example: a Try, and the window stays.
    Tried,
    /// As the example, with a second request in the Try that may fail after the first one answered.
    TriedTwice,
    /// Without a Try: the error ends the run.
    Bare,
}

/// Who subscribed.
#[derive(Clone, Debug)]
pub struct Subscribed {
    /// Whether its monitor has `record.id`.
    pub by_id: bool,
    pub interval: Micros,
    /// The group that it is about; `None`: everybody.
    pub group: Option<&'static str>,
    /// The cursor that it starts from, in the provider's time; `None`: none. Never ahead of our clock: there *Now* ends
    /// (rule 4 of polling), and the flow saves it whatever it started from.
    pub from: Option<Micros>,
}

/// Everything that a seed decides before the first run.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// True time at the beginning.
    pub start: Micros,
    /// Our clock minus true time, at the beginning.
    pub ours: Micros,
    /// The provider's clock minus true time.
    pub theirs: Micros,
    pub asking: Asking,
    pub overlap: Micros,
    /// `createdAfter` and `createdBefore` mean "or equal".
    pub after_inclusive: bool,
    pub before_inclusive: bool,
    /// How finely the provider keeps its dates.
    pub unit: Micros,
    /// Whether it cuts bounds to that unit before it compares.
    pub cuts: bool,
    pub subscribed: [Subscribed; 3],
    pub initial: usize,
    /// Turns before the world falls silent.
    pub turns: u32,
    /// Mean number of new users between two turns.
    pub births: u64,
    pub late_percent: u64,
    /// Percent of requests that see a user born on the edge of their window.
    pub edge_percent: u64,
    pub failure_percent: u64,
    pub slow_percent: u64,
    pub crash_percent: u64,
    /// Percent of turns before which our clock is set.
    pub step_percent: u64,
    /// The turn before which a person turns a cursor back.
    pub rewind: Option<u32>,
    pub fault: Option<Fault>,
}

/// Groups of users.
pub const GROUPS: [&str; 3] = ["own", "guests", "robots"];

impl Scenario {
    /// The scenario of a seed.
    pub fn draw(rng: &mut Rng, fault: Option<Fault>) -> Scenario {
        let start = 1_700_000_000 * SECOND + rng.between(0, 300 * DAY);
        let theirs = match rng.below(6) {
            0 => 0,
            1 => rng.between(-2_000, 2_000) * MILLI,
            2 => rng.between(-180, 180) * SECOND,
            _ => rng.between(-3_600_000, 3_600_000) * MILLI,
        };
        let ours = rng.between(-300, 300) * SECOND;
        let turns = rng.between(15, 40) as u32;
        let subscribed = [true, true, false].map(|by_id| Subscribed {
            by_id,
            interval: rng.between(60, 900) * SECOND,
            group: rng.percent(40).then(|| *rng.pick(&GROUPS)),
            from: rng.percent(60).then(|| start + theirs.min(ours) - rng.between(0, 7_200) * SECOND),
        });
        Scenario {
            start,
            ours,
            theirs,
            asking: *rng.pick(&[Asking::Tried, Asking::Tried, Asking::TriedTwice, Asking::Bare]),
            overlap: *rng.pick(&[120, 120, 120, 30, 600]) * SECOND,
            after_inclusive: rng.percent(50),
            before_inclusive: rng.percent(50),
            unit: *rng.pick(&[1, MILLI, MILLI, SECOND]),
            cuts: rng.percent(30),
            subscribed,
            initial: rng.below(12) as usize,
            turns,
            births: rng.below(4),
            late_percent: *rng.pick(&[0, 10, 40, 80]),
            edge_percent: *rng.pick(&[0, 30, 60]),
            failure_percent: *rng.pick(&[0, 5, 20, 45]),
            slow_percent: *rng.pick(&[0, 5, 30]),
            crash_percent: *rng.pick(&[0, 10, 30]),
            step_percent: *rng.pick(&[0, 0, 5, 15]),
            rewind: rng.percent(35).then(|| rng.between(3, i64::from(turns) - 1) as u32),
            fault,
        }
    }

    /// The longest time after its date at which a user may appear and must still be reported.
    pub fn lateness_max(&self) -> Micros {
        let strictly_cut = self.cuts && !self.after_inclusive;
        self.overlap - if strictly_cut { self.unit } else { 0 }
    }

    /// The document of the monitor, with `record.id` or without. Everything else is the same.
    pub fn document(&self, by_id: bool) -> String {
        let mut document: Value = serde_saphyr::from_str(EXAMPLE).expect("the example is sound");
        document["options"] = json!([{"label": "Group", "required": false}]);
        let query = &mut document["cards"][2]["try"][0]["inputs"];
        assert!(query["createdAfter"].is_object(), "the example has changed: {query}");
        query["group"] = json!({"from": "options.Group"});
        if by_id {
            document["cursorOverlap"] = json!(format!("{}s", self.overlap / SECOND));
            if self.fault == Some(Fault::OverlapIgnored) {
                document["cursorOverlap"] = json!("0s");
            }
        } else {
            document["record"].as_object_mut().expect("an object").remove("id");
        }
        match self.asking {
            Asking::Tried => {}
            Asking::TriedTwice => {
                let cards = document["cards"][2]["try"].as_array_mut().expect("cards");
                cards.insert(
                    2,
                    json!({
                        "card": "control.spawn", "flow": "httpHelper",
                        "inputs": {"relative_url": "/v1/seen", "request_method": "POST"},
                    }),
                );
            }
            Asking::Bare => {
                let cards = document["cards"].as_array_mut().expect("cards");
                let tried = cards[2]["try"].as_array().expect("cards").clone();
                cards.splice(2..4, tried.into_iter().take(2));
                let map = cards.iter_mut().find(|card| card["id"] == "records").expect("a Map");
                map["inputs"]["list"] = json!({"from": "call.body"});
            }
        }
        document.to_string()
    }
}
