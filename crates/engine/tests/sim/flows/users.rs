//! The simulated provider: users who are born, appear now or later, and are listed by the window that is asked for. Its
//! log of answers is half of what the oracle knows.

use serde_json::json;
use url::Url;

use super::scenario::{GROUPS, Scenario};
use crate::rng::Rng;
use crate::stamp::*;

/// A user of the provider. `born` is in the provider's time, `visible` in true time.
#[derive(Clone, Debug)]
pub struct User {
    pub group: &'static str,
    pub born: Micros,
    pub visible: Micros,
    /// Whether it appeared later after its date than may be relied on.
    pub too_late: bool,
}

/// A window that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    pub after: Option<Micros>,
    pub before: Option<Micros>,
    pub group: Option<String>,
}

/// The provider.
pub struct Users {
    pub all: Vec<User>,
    rng: Rng,
}

impl Users {
    pub fn new(rng: Rng) -> Users {
        Users { all: Vec::new(), rng }
    }

    /// Some are there before anybody asks.
    pub fn settle_in(&mut self, scenario: &Scenario) {
        for _ in 0..scenario.initial {
            let at = scenario.start - self.rng.between(0, 10_800_000) * MILLI;
            self.push(scenario, at + scenario.theirs, at, false);
        }
    }

    /// Users are born at an instant of true time: one, or several with one date. Returns what they are about.
    pub fn birth(&mut self, scenario: &Scenario, at: Micros) -> Vec<String> {
        let mut classes = Vec::new();
        let born = (at + scenario.theirs).div_euclid(scenario.unit) * scenario.unit;
        let count = if self.rng.percent(20) { self.rng.between(2, 4) } else { 1 };
        if count > 1 {
            classes.push("equal stamps".to_owned());
        }
        for _ in 0..count {
            if !self.rng.percent(scenario.late_percent) {
                self.push(scenario, born, at, false);
                continue;
            }
            let longest = scenario.lateness_max();
            let (lateness, name) = match self.rng.below(8) {
                0 | 1 => (longest / 2, "half of the overlap"),
                2 | 3 => (longest - longest / 100, "0.99 × the overlap"),
                4..=6 => (longest, "the whole overlap"),
                _ => (longest * 3, "more than the overlap"),
            };
            classes.push(format!("late by {name}"));
            self.push(scenario, born, (born + lateness - scenario.theirs).max(at), lateness > longest);
        }
        classes
    }

    /// A user is born exactly on an edge of the window that is being asked for, or beside it, and is visible now.
    pub fn birth_on_edge(&mut self, scenario: &Scenario, window: &Window, now: Micros) -> bool {
        let theirs = now + scenario.theirs;
        let edges: Vec<Micros> = [window.after, window.before].into_iter().flatten().collect();
        if edges.is_empty() {
            return false;
        }
        let beside = *self.rng.pick(&[0, 0, -1, 1]) * scenario.unit;
        let born = (*self.rng.pick(&edges) + beside).div_euclid(scenario.unit) * scenario.unit;
        let possible = born <= theirs && theirs - born <= scenario.lateness_max();
        if possible {
            self.push(scenario, born, now, false);
        }
        possible
    }

    fn push(&mut self, scenario: &Scenario, born: Micros, visible: Micros, too_late: bool) {
        let born = born.div_euclid(scenario.unit) * scenario.unit;
        let group = *self.rng.pick(&GROUPS);
        self.all.push(User { group, born, visible, too_late });
    }

    /// Who is listed in a window at an instant of true time, in the order of their dates.
    pub fn listed(&self, scenario: &Scenario, window: &Window, now: Micros) -> Vec<usize> {
        let cut = |at: Micros| {
            if scenario.cuts { at.div_euclid(scenario.unit) * scenario.unit } else { at }
        };
        let mut found: Vec<usize> = (0..self.all.len())
            .filter(|at| {
                let user = &self.all[*at];
                let after = window.after.map(cut).is_none_or(|after| {
                    if scenario.after_inclusive { user.born >= after } else { user.born > after }
                });
                let before = window.before.map(cut).is_none_or(|before| {
                    if scenario.before_inclusive { user.born <= before } else { user.born < before }
                });
                let of_group = window.group.as_deref().is_none_or(|group| group == user.group);
                user.visible <= now && after && before && of_group
            })
            .collect();
        found.sort_by_key(|at| self.all[*at].born);
        found
    }

    /// The body of a list.
    pub fn body(&self, listed: &[usize]) -> String {
        let users = listed.iter().map(|at| {
            let user = &self.all[*at];
            json!({
                "id": name_of(*at), "name": format!("User {at}"), "email": format!("u{at}@example.com"),
                "createdAt": timestamp(user.born).to_string(),
            })
        });
        serde_json::Value::Array(users.collect()).to_string()
    }
}

/// The id of a user.
pub fn name_of(at: usize) -> String {
    format!("u{at}")
}

/// Reads the window of a request; a request that cannot be understood is a mistake of the code under test.
pub fn window_of(url: &str) -> Window {
    let url = Url::parse(url).expect("an address");
    let mut window = Window { after: None, before: None, group: None };
    for (name, value) in url.query_pairs() {
        let instant = || value.parse::<jiff::Timestamp>().expect("an instant").as_microsecond();
        match &*name {
            "createdAfter" => window.after = Some(instant()),
            "createdBefore" => window.before = Some(instant()),
            "group" => window.group = Some(value.into_owned()),
            other => panic!("nobody asked for `{other}` to be sent"),
        }
    }
    window
}
