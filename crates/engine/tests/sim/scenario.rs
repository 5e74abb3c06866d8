//! What one seed is about: a provider with its habits, our configuration of it, and how rough the world is.

use serde_json::{Value, json};

use crate::fault::Fault;
use crate::push::Pushing;
use crate::rng::Rng;
use crate::stamp::*;

/// How the provider hands out its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Paging {
    /// Everything at once.
    None,
    /// By page number.
    Page,
    /// By records to skip.
    Offset,
    /// A token that freezes the list.
    Snapshot,
    /// A token that continues after a record.
    KeySet,
    /// `Link: rel=next`, page numbers behind it.
    Link,
    /// A URL in the answer, offsets behind it.
    Next,
}

impl Paging {
    pub const ALL: [Paging; 7] = [
        Paging::None,
        Paging::Page,
        Paging::Offset,
        Paging::Snapshot,
        Paging::KeySet,
        Paging::Link,
        Paging::Next,
    ];
}

/// The order of the provider's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Ascending,
    Descending,
    ById,
}

/// How the provider's filter decides.
#[derive(Clone, Copy, Debug)]
pub struct Filter {
    /// How the bound is written.
    pub format: Stamp,
    /// "Later than" instead of "later or equal".
    pub strict: bool,
    /// Both sides are cut to this unit before they are compared.
    pub cut: Micros,
    /// A local time that occurs twice is read as the later one.
    pub later: bool,
}

/// What the first poll is told to report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    Now,
    Beginning,
    Instant(Micros),
}

/// Everything that a seed decides before the first poll.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// True time at the beginning.
    pub start: Micros,
    /// How records carry their dates.
    pub stamp: Stamp,
    /// How finely the provider keeps its dates.
    pub stored_unit: Micros,
    pub filter: Option<Filter>,
    pub paging: Paging,
    pub order: Order,
    /// Whether the order is declared to us.
    pub order_declared: bool,
    /// Whether the provider says itself whether there is more.
    pub more_flag: bool,
    pub page_size: u32,
    /// Records of one stamp stand in another order in every answer.
    pub shuffled: bool,
    /// How far each replica is behind.
    pub replicas: Vec<Micros>,
    /// The provider's `Date` minus its true time; `None`: no such header.
    pub date: Option<Micros>,
    /// Our clock minus true time.
    pub skew: Micros,
    pub poll_delay: Micros,
    pub overlap: Micros,
    /// Percent of versions that become visible late.
    pub lag_percent: u64,
    /// Percent of versions dated in the future.
    pub future_percent: u64,
    /// Percent of changes that take an earlier content back.
    pub flip_percent: u64,
    /// Percent of changes that hit many records at one instant.
    pub burst_percent: u64,
    /// Percent of changes that delete.
    pub delete_percent: u64,
    /// Deletions are marked, not done.
    pub soft_delete: bool,
    /// Percent of requests during which something changes.
    pub between_percent: u64,
    /// Mean number of changes in an interval.
    pub changes: u64,
    pub initial: usize,
    pub volatile: bool,
    pub conditional: bool,
    pub text_ids: bool,
    pub interval: Micros,
    pub polls: u32,
    pub from: From,
    /// Polls between two sweeps.
    pub sweep: Option<u32>,
    pub sweep_reads: bool,
    /// Percent of requests that fail.
    pub failure_percent: u64,
    /// Percent of runs that crash.
    pub crash_percent: u64,
    /// Percent of runs whose node stops for a while.
    pub pause_percent: u64,
    /// Percent of requests that take seconds.
    pub slow_percent: u64,
    /// Pages of one run.
    pub pages_max: u32,
    /// Percent of notifications that the receiver refuses, or takes without our hearing of it.
    pub receiver_failure_percent: u64,
    /// How the provider notifies us, if it does.
    pub pushing: Option<Pushing>,
    pub fault: Option<Fault>,
}

/// What the provider belongs to.
pub const BASE: &str = "https://api.example.com";

impl Scenario {
    /// The scenario of a seed.
    pub fn draw(rng: &mut Rng, fault: Option<Fault>) -> Scenario {
        let stamp = *rng.pick(&Stamp::ALL);
        let overlap = *rng.pick(&[0, 0, 5, 60, 60, 60, 60, 300]) * SECOND;
        let poll_delay = *rng.pick(&[0, 0, 0, 10, 60, 300]) * SECOND;
        let settling = overlap + poll_delay;
        let (skew, date) = clocks(rng);
        let sweep = rng.percent(30).then(|| rng.between(1, 4) as u32);
        let interval = rng.between(60, 600) * SECOND;
        let start = start(rng, stamp);
        let mut scenario = Scenario {
            start,
            stamp,
            stored_unit: if rng.percent(60) { stamp.unit() } else { MILLI },
            filter: rng.percent(75).then(|| filter(rng)),
            paging: *rng.pick(&Paging::ALL),
            order: *rng.pick(&[Order::Ascending, Order::Ascending, Order::Descending, Order::ById]),
            order_declared: rng.percent(75),
            more_flag: rng.percent(40),
            page_size: rng.between(2, 8) as u32,
            shuffled: rng.percent(12),
            replicas: vec![0],
            date,
            skew,
            poll_delay,
            overlap,
            lag_percent: if settling > 0 && rng.percent(60) { 25 } else { 0 },
            future_percent: if rng.percent(25) { 6 } else { 0 },
            flip_percent: if rng.percent(30) { 25 } else { 0 },
            burst_percent: if rng.percent(40) { 15 } else { 0 },
            delete_percent: if rng.percent(75) { 20 } else { 0 },
            soft_delete: rng.percent(45),
            between_percent: *rng.pick(&[0, 30, 40, 50, 70]),
            changes: rng.between(1, 5) as u64,
            initial: rng.between(0, 25) as usize,
            volatile: rng.percent(15),
            conditional: rng.percent(25),
            text_ids: rng.percent(50),
            interval,
            polls: rng.between(10, 30) as u32,
            from: From::Now,
            sweep,
            sweep_reads: rng.percent(70),
            failure_percent: if rng.percent(40) { 6 } else { 0 },
            crash_percent: if rng.percent(70) { 25 } else { 0 },
            pause_percent: if rng.percent(30) { 20 } else { 0 },
            slow_percent: *rng.pick(&[0, 10, 30]),
            pages_max: if rng.percent(20) { rng.between(1, 4) as u32 } else { 1_000 },
            receiver_failure_percent: if rng.percent(50) { 15 } else { 0 },
            pushing: None,
            fault,
        };
        // Only what is sorted by a date has ties, and a key set without a total order is none.
        let tied = scenario.order != Order::ById && scenario.paging != Paging::KeySet;
        scenario.shuffled &= tied;
        if settling > 0 && rng.percent(20) {
            let behind = rng.between(settling / 20, settling * 2 / 5);
            scenario.replicas = vec![0, behind];
        }
        scenario.from = match rng.below(10) {
            0 | 1 => From::Beginning,
            2 => From::Instant((start - rng.between(0, 7200) * SECOND) / SECOND * SECOND),
            _ => From::Now,
        };
        scenario
    }

    /// The same world, with a provider that also notifies us. Chance has a stream of its own, so that the scenario of a
    /// seed does not depend on it.
    pub fn with_pushing(self, rng: &mut Rng) -> Scenario {
        let pushing = Pushing::draw(rng);
        let mut scenario = Scenario { pushing: Some(pushing), ..self };
        // A look that is answered by a stale replica is what notifications are most likely to meet.
        if scenario.settling() > 0 && scenario.replicas.len() == 1 && rng.percent(35) {
            let behind = rng.between(scenario.settling() / 20, scenario.settling() * 2 / 5);
            scenario.replicas = vec![0, behind];
        }
        // Every change leads to requests here, so that changes during requests must not bring forth more of themselves.
        scenario.between_percent /= 10;
        scenario.polls = scenario.polls.min(16);
        // Records that end and return within the time that replicas take.
        if Rng::new(rng.clone().next()).percent(30) {
            scenario.changes *= 5;
            scenario.delete_percent = 40;
            scenario.initial = scenario.initial.min(6);
            scenario.polls = scenario.polls.min(8);
        }
        scenario
    }

    /// `pollDelay + overlap`.
    pub fn settling(&self) -> Micros {
        self.poll_delay + self.overlap
    }

    /// How far the slowest replica is behind.
    pub fn replica_lag(&self) -> Micros {
        self.replicas.iter().copied().max().unwrap_or(0)
    }

    /// The configuration of this provider, as its user would write it.
    pub fn configuration(&self) -> Value {
        let mut dates = json!({
            "updatedDateField": "dates.updated", "updatedDateFormat": self.stamp.pattern(),
            "createdDateField": "dates.created", "createdDateFormat": self.stamp.pattern(),
        });
        if let Some(zone) = self.stamp.zone() {
            dates["updatedDateTimezone"] = json!(zone);
            dates["createdDateTimezone"] = json!(zone);
        }
        let mut resource = json!({
            "url": self.url(),
            "idField": "id",
            "datesConfiguration": dates,
            "pageSize": self.page_size,
            "pollDelay": self.poll_delay / SECOND,
            "overlap": self.overlap / SECOND,
            "pagination": self.pagination(),
            "startFrom": match self.from {
                From::Now => "now".to_string(),
                From::Beginning => "beginning".to_string(),
                From::Instant(at) => timestamp(at).to_string(),
            },
        });
        if self.enveloped() {
            resource["list"] = json!("data.items");
        }
        if self.order_declared {
            resource["sort"] = json!(match self.order {
                Order::Ascending => "asc",
                Order::Descending => "desc",
                Order::ById => "none",
            });
        }
        if let Some(filter) = self.filter {
            if filter.cut > MILLI {
                resource["filterResolution"] = json!(match filter.cut {
                    SECOND => "s",
                    MINUTE => "min",
                    _ => "h",
                });
            }
            if self.fault == Some(Fault::StrictOperator) {
                resource["bound"] = json!("inclusive");
            }
        }
        if self.fault == Some(Fault::DriftUnchecked) {
            resource["drift"] = json!("trust");
        }
        if self.soft_delete {
            resource["deletedField"] = json!("removed");
        }
        if self.volatile {
            resource["volatileFields"] = json!(["stats.views"]);
        }
        if self.conditional {
            resource["conditional"] = json!(true);
        }
        if let Some(polls) = self.sweep {
            resource["sweep"] = json!({"every": format!("{polls} polls"), "url": "/v1/all"});
            if self.sweep_reads {
                resource["sweep"]["readUrl"] = json!("/v1/one/{id}");
            }
        }
        if self.pushing.as_ref().is_some_and(|pushing| pushing.read_url) {
            resource["webhook"] = json!({"readUrl": "/v1/one/{id}"});
        }
        resource
    }

    /// Whether the list stands inside an object.
    pub fn enveloped(&self) -> bool {
        self.more_flag || matches!(self.paging, Paging::Snapshot | Paging::KeySet | Paging::Next)
    }

    fn url(&self) -> String {
        match self.filter {
            None => "/v1/list".into(),
            Some(filter) if filter.strict => format!("/v1/list?since={}", filter.format.placeholder()),
            Some(filter) => format!("/v1/list?updated_gte={}", filter.format.placeholder()),
        }
    }

    fn pagination(&self) -> Value {
        let mut pagination = match self.paging {
            Paging::None => json!({"type": "none"}),
            Paging::Page => json!({"type": "page", "page": "page", "start": 1}),
            Paging::Offset => json!({"type": "offset", "offset": "skip"}),
            Paging::Snapshot | Paging::KeySet => {
                json!({"type": "cursor", "token": "meta.next", "param": "token"})
            }
            Paging::Link => json!({"type": "link"}),
            Paging::Next => json!({"type": "next", "next": "meta.next"}),
        };
        if self.paging != Paging::None {
            pagination["size"] = json!("limit");
            if self.more_flag {
                pagination["more"] = json!("meta.more");
            }
        }
        pagination
    }
}

/// Our clock and the provider's `Date`, never both ahead of its stamps.
fn clocks(rng: &mut Rng) -> (Micros, Option<Micros>) {
    let skew = match rng.below(5) {
        0 => rng.between(-15 * 60, -1) * SECOND,
        1 => rng.between(1, 15 * 60) * SECOND,
        2 => rng.between(-3_000, 3_000) * MILLI,
        _ => 0,
    };
    let date = match rng.below(10) {
        0 => None,
        1 => Some(rng.between(-15 * 60, -1) * SECOND),
        2 if skew <= 0 => Some(rng.between(1, 15 * 60) * SECOND),
        _ => Some(0),
    };
    (skew, date)
}

fn filter(rng: &mut Rng) -> Filter {
    let format = *rng.pick(&Stamp::ALL);
    let cut = *rng.pick(&[MILLI, MILLI, MILLI, MILLI, SECOND, MINUTE, HOUR]);
    Filter { format, strict: rng.percent(50), cut: cut.max(MILLI), later: rng.percent(50) }
}

/// Near midnight for dates without a time, near the changes of the clock for local ones.
fn start(rng: &mut Rng, stamp: Stamp) -> Micros {
    // 2024-11-03T06:00Z and 2024-03-10T07:00Z: New York changes its clocks.
    const AUTUMN: Micros = 1_730_613_600 * SECOND;
    const SPRING: Micros = 1_710_054_000 * SECOND;
    let any = rng.between(1_600_000_000, 1_760_000_000) * SECOND + rng.between(0, 999_999);
    match stamp {
        Stamp::Local if rng.percent(60) => AUTUMN - rng.between(0, 3 * 3600) * SECOND,
        Stamp::Local if rng.percent(70) => SPRING - rng.between(0, 2 * 3600) * SECOND,
        Stamp::Days if rng.percent(50) => any / DAY * DAY - rng.between(0, 2 * 3600) * SECOND,
        _ => any,
    }
}
