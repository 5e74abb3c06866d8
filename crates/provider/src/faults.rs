//! Faults on demand: which request is spoiled, and how.
//!
//! A rule names a fault, whom it hits, how likely and how often. All rules are asked for every request; those that
//! fire are gathered in a `Plan`, in which faults of different places combine (a slow answer with a wrong `Date`).
//! Where two rules claim one place, the earlier rule keeps it. The plan says what shall happen; `server` does it.

use serde::{Deserialize, Serialize};

use crate::data::Chance;

/// One way of going wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fault {
    /// 429.
    RateLimited {
        /// The header that comes with it.
        #[serde(default)]
        retry_after: RetryAfter,
    },
    /// Any status with a JSON error body.
    Status {
        /// The status.
        code: u16,
    },
    /// A redirect.
    Redirect {
        /// The status, 301 to 308.
        code: u16,
        /// Where to.
        location: String,
    },
    /// The answer begins only after a pause.
    Slow {
        /// The pause in milliseconds.
        delay_ms: u64,
    },
    /// The body comes in small pieces.
    Dribble {
        /// Bytes of a piece.
        bytes: usize,
        /// Pause between pieces in milliseconds.
        pause_ms: u64,
    },
    /// The page holds the records of the page served before it (of that resource); its next link is the right one.
    DuplicatePage,
    /// The next link or token leads to the page that was asked for.
    LoopNext,
    /// The next URL has another origin.
    ForeignNext {
        /// Scheme, host and port.
        origin: String,
    },
    /// Fewer records than asked, 0 included; what is left out comes with the next token. Without tokens it is lost.
    ShortPage {
        /// Records on the page.
        size: usize,
    },
    /// Records change between the pages: before every page but the first.
    Drift {
        /// Records updated.
        #[serde(default)]
        updates: u32,
        /// Records deleted.
        #[serde(default)]
        deletes: u32,
        /// Records created.
        #[serde(default)]
        creates: u32,
    },
    /// Another `Date` header.
    DateSkew {
        /// How far it is ahead of the provider's clock, in milliseconds.
        ms: i64,
    },
    /// No `Date` header.
    NoDate,
    /// The answer comes from the lagging replica.
    StaleReplica,
    /// The connection ends in the middle of the body.
    Truncated {
        /// Share of the body that is sent, 0 to 1; at least one byte is always missing.
        keep: f64,
        /// How the length was announced.
        #[serde(default)]
        framing: Framing,
    },
    /// The connection ends without an answer.
    Cut,
    /// 200 with a login page.
    Html,
    /// 200 with an error envelope.
    ErrorEnvelope,
    /// Another content type for the right body.
    ContentType {
        /// The value of the header.
        value: String,
    },
    /// Any other answer.
    Replace {
        /// The status.
        code: u16,
        /// The content type.
        content_type: String,
        /// The body.
        body: String,
    },
    /// Records with equal stamps come in another order on every request.
    ShuffleTies,
    /// A share of the records, always the same ones, is missing from lists.
    Vanish {
        /// The share, 0 to 1.
        share: f64,
    },
}

/// The `Retry-After` header of a 429.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    /// None.
    #[default]
    Absent,
    /// A number of seconds.
    Seconds(u64),
    /// An HTTP date, so many seconds after the provider's present; negative for the past.
    Date(i64),
    /// Anything.
    Text(String),
}

/// How a truncated body announced its length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Framing {
    /// A `Content-Length` larger than what is sent.
    #[default]
    ContentLength,
    /// Chunks without the last one.
    Chunked,
}

/// Whom a fault hits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Every request under `/v1/`.
    #[default]
    Any,
    /// Lists.
    List,
    /// Lists, but not their first page.
    LaterPages,
    /// Single records.
    Record,
}

/// A fault and when it fires.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FaultRule {
    /// What goes wrong.
    #[serde(flatten)]
    pub fault: Fault,
    /// Only this resource; without it, all.
    #[serde(default)]
    pub resource: Option<String>,
    /// Which requests.
    #[serde(default)]
    pub target: Target,
    /// How likely, 0 to 1.
    #[serde(default = "always")]
    pub probability: f64,
    /// Matching requests that are let through first.
    #[serde(default)]
    pub skip: u64,
    /// How often at most; without it, for ever.
    #[serde(default)]
    pub count: Option<u64>,
}

fn always() -> f64 {
    1.0
}

impl FaultRule {
    /// A fault that hits every request.
    pub fn always(fault: Fault) -> FaultRule {
        FaultRule { fault, resource: None, target: Target::Any, probability: 1.0, skip: 0, count: None }
    }

    /// A fault that hits the next request only.
    pub fn once(fault: Fault) -> FaultRule {
        FaultRule { count: Some(1), ..FaultRule::always(fault) }
    }

    /// A fault that hits each request with a probability.
    pub fn sometimes(fault: Fault, probability: f64) -> FaultRule {
        FaultRule { probability, ..FaultRule::always(fault) }
    }
}

/// The rules in force and the chance that they draw from.
#[derive(Debug)]
pub(crate) struct Faults {
    rules: Vec<FaultRule>,
    chance: Chance,
    fired: u64,
}

/// A request, as the rules see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) resource: &'a str,
    pub(crate) is_list: bool,
    pub(crate) is_later_page: bool,
}

/// Everything that shall go wrong with one answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Plan {
    pub(crate) answer: Option<Fault>,
    pub(crate) transport: Option<Fault>,
    pub(crate) drift: Option<(u32, u32, u32)>,
    pub(crate) delay_ms: u64,
    pub(crate) date_skew_ms: i64,
    pub(crate) content_type: Option<String>,
    pub(crate) foreign_next: Option<String>,
    pub(crate) page_size: Option<usize>,
    pub(crate) vanish: f64,
    pub(crate) tie_seed: Option<u64>,
    pub(crate) flags: Flags,
}

/// The yes-or-no faults of a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags {
    pub(crate) no_date: bool,
    pub(crate) stale: bool,
    pub(crate) duplicate_page: bool,
    pub(crate) loop_next: bool,
}

impl Faults {
    pub(crate) fn new(seed: u64, rules: Vec<FaultRule>) -> Faults {
        Faults { rules, chance: Chance::new(&[seed, 0xFA]), fired: 0 }
    }

    pub(crate) fn set(&mut self, rules: Vec<FaultRule>) {
        self.rules = rules;
    }

    pub(crate) fn add(&mut self, rules: Vec<FaultRule>) {
        self.rules.extend(rules);
    }

    pub(crate) fn rules(&self) -> &[FaultRule] {
        &self.rules
    }

    /// How often any rule fired.
    pub(crate) fn fired(&self) -> u64 {
        self.fired
    }

    /// Draws what goes wrong with a request.
    pub(crate) fn draw(&mut self, asked: Asked<'_>) -> Plan {
        let mut plan = Plan::default();
        for rule in &mut self.rules {
            if !rule_matches(rule, asked) {
                continue;
            }
            if rule.skip > 0 {
                rule.skip -= 1;
                continue;
            }
            if !self.chance.happens(rule.probability) {
                continue;
            }
            if let Some(left) = &mut rule.count {
                *left = left.saturating_sub(1);
            }
            self.fired += 1;
            let entropy = self.chance.next();
            plan.add(&rule.fault, entropy);
        }
        self.rules.retain(|rule| rule.count != Some(0));
        plan
    }
}

fn rule_matches(rule: &FaultRule, asked: Asked<'_>) -> bool {
    let target = match rule.target {
        Target::Any => true,
        Target::List => asked.is_list,
        Target::LaterPages => asked.is_list && asked.is_later_page,
        Target::Record => !asked.is_list,
    };
    target && rule.count != Some(0) && rule.resource.as_deref().is_none_or(|name| name == asked.resource)
}

impl Plan {
    fn add(&mut self, fault: &Fault, entropy: u64) {
        match fault {
            Fault::RateLimited { .. }
            | Fault::Status { .. }
            | Fault::Redirect { .. }
            | Fault::Html
            | Fault::ErrorEnvelope
            | Fault::Replace { .. } => {
                self.answer.get_or_insert_with(|| fault.clone());
            }
            Fault::Cut | Fault::Truncated { .. } | Fault::Dribble { .. } => {
                self.transport.get_or_insert_with(|| fault.clone());
            }
            Fault::Slow { delay_ms } => self.delay_ms = self.delay_ms.max(*delay_ms),
            Fault::DuplicatePage => self.flags.duplicate_page = true,
            Fault::LoopNext => self.flags.loop_next = true,
            Fault::ForeignNext { origin } => {
                self.foreign_next.get_or_insert_with(|| origin.clone());
            }
            Fault::ShortPage { size } => {
                self.page_size.get_or_insert(*size);
            }
            Fault::Drift { updates, deletes, creates } => {
                self.drift.get_or_insert((*updates, *deletes, *creates));
            }
            Fault::DateSkew { ms } => self.date_skew_ms = self.date_skew_ms.saturating_add(*ms),
            Fault::NoDate => self.flags.no_date = true,
            Fault::StaleReplica => self.flags.stale = true,
            Fault::ContentType { value } => {
                self.content_type.get_or_insert_with(|| value.clone());
            }
            Fault::ShuffleTies => self.tie_seed = Some(entropy),
            Fault::Vanish { share } => self.vanish = self.vanish.max(*share),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: Asked<'_> = Asked { resource: "orders", is_list: true, is_later_page: false };

    #[test]
    fn a_rule_skips_and_counts() {
        let rule = FaultRule { skip: 2, count: Some(3), ..FaultRule::always(Fault::Html) };
        let mut faults = Faults::new(1, vec![rule]);
        let fired: Vec<bool> = (0..8).map(|_| faults.draw(LIST).answer.is_some()).collect();
        assert_eq!(fired, [false, false, true, true, true, false, false, false]);
        assert_eq!(faults.fired(), 3);
        assert!(faults.rules().is_empty());
    }

    #[test]
    fn a_rule_hits_only_its_target() {
        let rule = FaultRule {
            resource: Some("orders".to_owned()),
            target: Target::LaterPages,
            ..FaultRule::always(Fault::NoDate)
        };
        let mut faults = Faults::new(1, vec![rule]);
        assert!(!faults.draw(LIST).flags.no_date);
        assert!(!faults.draw(Asked { resource: "tickets", is_later_page: true, ..LIST }).flags.no_date);
        assert!(faults.draw(Asked { is_later_page: true, ..LIST }).flags.no_date);
    }

    #[test]
    fn probability_is_seeded() {
        let draw = |seed| {
            let mut faults = Faults::new(seed, vec![FaultRule::sometimes(Fault::Html, 0.3)]);
            (0..1_000).map(|_| faults.draw(LIST).answer.is_some()).collect::<Vec<bool>>()
        };
        assert_eq!(draw(5), draw(5));
        assert_ne!(draw(5), draw(6));
        let share = draw(5).into_iter().filter(|fired| *fired).count();
        assert!((250..350).contains(&share), "{share} of 1000");
    }

    #[test]
    fn rules_read_from_json() {
        let text = r#"{"kind":"rate_limited","retry_after":{"seconds":7},"resource":"orders","count":2}"#;
        let rule: FaultRule = serde_json::from_str(text).expect("a rule");
        let expect = Fault::RateLimited { retry_after: RetryAfter::Seconds(7) };
        assert_eq!((rule.fault, rule.count, rule.probability), (expect, Some(2), 1.0));
        serde_json::from_str::<FaultRule>(r#"{"kind":"unknown"}"#).expect_err("no such fault");
    }
}
