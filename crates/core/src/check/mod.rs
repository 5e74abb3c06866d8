//! Reads a configuration and says everything that is wrong with it at once.
//!
//! [`check`] is the only door to an [`Instance`]: what it returns without a fault is understood completely, and nothing
//! behind it validates again. Each [`Fault`] names the place, what is wrong there and what would be right. What works
//! is never refused: damage that has one reading is repaired and named ([`Checked::repairs`]), and what works less well
//! than it could is a warning.
//!
//! Deliberately not here: files, YAML, environment variables and secrets (the caller brings a JSON document), and any
//! request: whether the provider answers is the first poll's to say.

mod callback;
mod content;
mod dates;
mod document;
pub(crate) mod nearest;
mod paging;
mod resource;
pub(crate) mod section;
mod sweep;
mod verification;
mod webhook;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::connector::Connector;
use crate::date::{Zone, ZoneRules};
use crate::instance::Instance;
use crate::resource::Resource;

pub use callback::check_callback;
pub use content::CONTENT_RECIPE;
pub use section::duration_text;

/// What a configuration is judged by, besides itself.
#[derive(Clone, Debug)]
pub struct CheckSettings {
    /// The zone of `${date:…}` (`server.time_zone`).
    pub server_zone: Zone,
    /// How zone names are understood.
    pub zone_rules: ZoneRules,
    /// The shortest interval that is allowed; a minute unless a setting or a command lowers it.
    pub interval_min: Duration,
    /// Now, for dates that lie ahead.
    pub now: Timestamp,
    /// What the connector brings for everything that the document leaves to it.
    pub connector: Option<ConnectorDefaults>,
}

impl CheckSettings {
    /// The settings of a server that was told nothing else.
    pub fn new(now: Timestamp) -> CheckSettings {
        CheckSettings {
            server_zone: Zone::utc(),
            zone_rules: ZoneRules::default(),
            interval_min: Duration::from_secs(60),
            now,
            connector: None,
        }
    }
}

/// What a connector brings to an instance.
#[derive(Clone, Debug, Default)]
pub struct ConnectorDefaults {
    /// Address that relative URLs continue.
    pub base_url: Option<String>,
    /// Its `event.poller.configuration`: what `{}` and an absent configuration stand for.
    pub resources: Map<String, Value>,
    /// The connector itself, whose resources a `url` may name; `None` where nothing could call them.
    pub calls: Option<Arc<Connector>>,
}

impl ConnectorDefaults {
    /// All that a connector brings where its resources can be called.
    pub fn of(connector: &Arc<Connector>) -> ConnectorDefaults {
        ConnectorDefaults { calls: Some(Arc::clone(connector)), ..connector.defaults() }
    }
}

/// One thing to say about a place of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The place, such as `configuration."event.poller.configuration".customers.idField`; empty for the document.
    pub path: String,
    /// What is wrong.
    pub problem: String,
    /// What would be right.
    pub remedy: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "{}; {}", self.problem, self.remedy)
    }
}

/// What came of reading a document.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The instance; `None` when there is a fault.
    pub instance: Option<Instance>,
    /// Everything that must be put right first.
    pub faults: Vec<Fault>,
    /// What was damaged or misspelt and is read as it was meant.
    pub repairs: Vec<Fault>,
    /// What works and could be better, or has no effect.
    pub warnings: Vec<Fault>,
}

/// What came of reading one resource.
#[derive(Clone, Debug)]
pub struct CheckedResource {
    /// The resource first, then resources that were nested in it by mistake; empty when there is a fault.
    pub resources: Vec<Resource>,
    /// Everything that must be put right first.
    pub faults: Vec<Fault>,
    /// What was damaged or misspelt and is read as it was meant.
    pub repairs: Vec<Fault>,
    /// What works and could be better, or has no effect.
    pub warnings: Vec<Fault>,
}

/// Reads an instance document. Collects every fault; never panics, whatever the document holds.
pub fn check(document: &Value, settings: &CheckSettings) -> Checked {
    let mut findings = section::Findings::default();
    let instance = document::read(document, settings, &mut findings);
    let instance = instance.filter(|_| findings.faults.is_empty());
    let section::Findings { faults, repairs, warnings } = findings;
    Checked { instance, faults, repairs, warnings }
}

/// Reads one resource of an `event.poller.configuration`. Relative URLs continue `base`.
pub fn check_resource(
    name: &str,
    value: &Value,
    settings: &CheckSettings,
    base: Option<&str>,
) -> CheckedResource {
    let mut findings = section::Findings::default();
    let place = resource::Surroundings { settings, base, siblings: &[] };
    let mut resources = resource::read(name, &section::member_path("", name), value, &place, &mut findings);
    if !findings.faults.is_empty() {
        resources.clear();
    }
    let section::Findings { faults, repairs, warnings } = findings;
    CheckedResource { resources, faults, repairs, warnings }
}

/// What came of reading how a provider's requests are told from others.
#[derive(Clone, Debug, Default)]
pub struct CheckedVerification {
    /// How a request shows that it is the provider's.
    pub verification: Option<crate::intake::Verification>,
    /// The question that the provider asks first.
    pub challenge: Option<crate::intake::Challenge>,
    /// Where the name of a delivery stands, whether requests are verified or not.
    pub delivery_id: Option<crate::intake::DeliveryId>,
    /// Everything that must be put right first.
    pub faults: Vec<Fault>,
    /// What was misspelt and is read as it was meant.
    pub repairs: Vec<Fault>,
    /// What works and could be better, or has no effect.
    pub warnings: Vec<Fault>,
}

/// Reads how a provider's requests are told from others: a preset's name, or a declaration. `path` names the setting in
/// what is found.
pub fn check_verification(path: &str, value: &Value) -> CheckedVerification {
    verification::read(path, value)
}

/// What the tests of this module's rooms share.
#[cfg(test)]
mod testing {
    use serde_json::{Value, json};

    use super::{CheckSettings, Checked, CheckedResource, Fault, check, check_resource};
    use crate::instance::Instance;
    use crate::resource::Resource;

    pub(super) fn settings() -> CheckSettings {
        CheckSettings::new("2026-01-01T00:00:00Z".parse().unwrap())
    }

    /// A sound resource with these members put in, or taken out where they are null.
    pub(super) fn read(members: Value) -> CheckedResource {
        let mut resource = json!({
            "url": "https://api.example.com/customers?updated[gte]=${gmtDate:yyyy-MM-dd'T'HH:mm:ssXXX}",
            "idField": "id",
            "pagination": {"type": "page", "page": "page", "size": "per_page"},
            "datesConfiguration": {
                "updatedDateField": "updated_at", "updatedDateFormat": "yyyy-MM-dd'T'HH:mm:ssXXX",
                "createdDateField": "created_at", "createdDateFormat": "yyyy-MM-dd'T'HH:mm:ssXXX",
            },
        });
        merge(&mut resource, members);
        check_resource("customers", &resource, &settings(), None)
    }

    /// A sound document with these members of `configuration` put in, or taken out where they are null.
    pub(super) fn document(members: Value) -> Checked {
        let mut document = json!({
            "element": {"key": "shop"}, "name": "Shop",
            "configuration": {
                "event.notification.enabled": true,
                "event.notification.callback.url": "https://app.example.com/events",
                "base.url": "https://api.example.com/v2",
                "event.poller.configuration": {"customers": {
                    "url": "/customers", "idField": "id", "pagination": {"type": "none"},
                    "datesConfiguration": {
                        "updatedDateField": "u", "updatedDateFormat": "seconds",
                        "createdDateField": "c", "createdDateFormat": "seconds",
                    },
                }},
            },
        });
        merge(&mut document["configuration"], members);
        check(&document, &settings())
    }

    fn merge(into: &mut Value, members: Value) {
        let (Value::Object(into), Value::Object(members)) = (into, members) else { panic!("two objects") };
        for (name, value) in members {
            if value.is_null() {
                into.remove(&name);
            } else {
                into.insert(name, value);
            }
        }
    }

    /// Nothing to say: the resource.
    #[track_caller]
    pub(super) fn clean(members: Value) -> Resource {
        let mut checked = read(members);
        assert!(checked.faults.is_empty(), "{:#?}", checked.faults);
        assert!(checked.repairs.is_empty(), "{:#?}", checked.repairs);
        assert!(checked.warnings.is_empty(), "{:#?}", checked.warnings);
        checked.resources.remove(0)
    }

    /// Nothing to say: the instance.
    #[track_caller]
    pub(super) fn clean_instance(members: Value) -> Instance {
        let checked = document(members);
        assert!(checked.faults.is_empty(), "{:#?}", checked.faults);
        assert!(checked.repairs.is_empty(), "{:#?}", checked.repairs);
        assert!(checked.warnings.is_empty(), "{:#?}", checked.warnings);
        checked.instance.unwrap()
    }

    /// This is said at this place below the resource or the configuration.
    #[track_caller]
    pub(super) fn said(found: &[Fault], place: &str, words: &str) {
        let here = |fault: &Fault| fault.path.ends_with(place) && fault.to_string().contains(words);
        assert!(found.iter().any(here), "no `{words}` at {place} in {found:#?}");
    }

    /// Exactly one fault, this one.
    #[track_caller]
    pub(super) fn refused(members: Value, place: &str, words: &str) {
        let checked = read(members);
        said(&checked.faults, place, words);
        assert_eq!(checked.faults.len(), 1, "{:#?}", checked.faults);
        assert!(checked.resources.is_empty());
    }

    /// Exactly one warning, this one, and it works.
    #[track_caller]
    pub(super) fn warned(members: Value, place: &str, words: &str) -> Resource {
        let mut checked = read(members);
        assert!(checked.faults.is_empty(), "{:#?}", checked.faults);
        said(&checked.warnings, place, words);
        assert_eq!(checked.warnings.len(), 1, "{:#?}", checked.warnings);
        checked.resources.remove(0)
    }

    /// Exactly one repair, this one, and it works.
    #[track_caller]
    pub(super) fn repaired(members: Value, place: &str, words: &str) -> Resource {
        let mut checked = read(members);
        assert!(checked.faults.is_empty(), "{:#?}", checked.faults);
        said(&checked.repairs, place, words);
        assert_eq!(checked.repairs.len(), 1, "{:#?}", checked.repairs);
        checked.resources.remove(0)
    }
}

#[cfg(test)]
mod tests {
    use super::{dates, document, paging, resource, sweep, webhook};

    #[test]
    fn the_manual_explains_every_setting() {
        let manual = include_str!("../../../../docs/polling.md");
        let known = [
            &resource::KNOWN[..],
            &paging::KNOWN,
            &sweep::KNOWN,
            &webhook::KNOWN,
            &dates::KNOWN,
            &document::CONFIGURATION,
        ]
        .concat();
        assert_eq!(known.len(), 74);
        for name in known {
            // In a table, or in one of the examples; a table may leave out the beginning of a long key.
            let end = name.strip_prefix("event.notification.basic").unwrap_or(name);
            let shown = manual.contains(&format!("{end}`")) || manual.contains(&format!("\"{name}\""));
            assert!(shown, "`{name}` is not explained in docs/polling.md");
        }
    }
}
