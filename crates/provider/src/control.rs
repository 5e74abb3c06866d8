//! The levers: what a test or a demo may change while the provider runs.
//!
//! One document, [`Control`], for both doors: [`crate::RunningProvider::control`] in process and `POST /_control` over
//! HTTP. Its parts are applied in the order of its members, and the first one that cannot be applied ends it with a
//! sentence; what stood before it stays applied.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::config::{Auth, Rates, Settings};
use crate::faults::FaultRule;
use crate::log::Change;
use crate::server::Inner;
use crate::world::{Force, Refused};

/// Changes that one document may force.
pub const FORCED_MAX: u32 = 1_000_000;

/// What to change. Absent members change nothing.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Control {
    /// Whether time brings changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pause: Option<bool>,
    /// Changes per second, by resource.
    pub rates: BTreeMap<String, Rates>,
    /// Members of [`Settings`] to replace, by resource.
    pub settings: BTreeMap<String, Map<String, Value>>,
    /// How far the provider's clock is ahead, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skew_ms: Option<i64>,
    /// How far the `Date` header is ahead of the provider's clock, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date_skew_ms: Option<i64>,
    /// What a request must carry from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
    /// Makes all page tokens expire.
    pub expire_tokens: bool,
    /// Removes all fault rules, before those of `faults` are added.
    pub clear_faults: bool,
    /// Fault rules to add.
    pub faults: Vec<FaultRule>,
    /// Changes to make now, in order.
    pub ops: Vec<Op>,
}

/// Changes of records to make now.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Op {
    /// What to do.
    pub op: OpKind,
    /// In which resource.
    pub resource: String,
    /// How many records, where no ids are given; 1 by default.
    #[serde(default = "one")]
    pub count: u32,
    /// Which records, by id as text; not for `create`.
    #[serde(default)]
    pub ids: Vec<String>,
    /// How they are stamped.
    #[serde(default)]
    pub stamp: Stamp,
}

fn one() -> u32 {
    1
}

/// What to do with records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpKind {
    /// New records.
    Create,
    /// New versions.
    Update,
    /// Deletions.
    Delete,
    /// Deleted records return under their ids; needs `ids`.
    Restore,
}

/// The updated value of forced changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stamp {
    /// The provider's present, the same for all records of the operation.
    #[default]
    Same,
    /// The provider's present plus one microsecond for every record.
    Rising,
    /// The updated value that the record already had: changed content under an unchanged date. Not for `create`.
    Keep,
    /// Microseconds since 1970: the future, the past, or a stamp shared with other operations.
    At(i64),
}

/// What came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ControlReply {
    /// The forced changes, in order.
    pub changes: Vec<Change>,
    /// Position of the newest change in the log.
    pub last: u64,
    /// The provider's present in microseconds.
    pub now: i64,
}

impl Control {
    /// Operations only.
    pub fn ops(ops: Vec<Op>) -> Control {
        Control { ops, ..Control::default() }
    }

    /// Replaces all fault rules.
    pub fn faults(faults: Vec<FaultRule>) -> Control {
        Control { clear_faults: true, faults, ..Control::default() }
    }

    /// Replaces one member of the settings of one resource.
    pub fn setting(resource: &str, name: &str, value: Value) -> Control {
        let members = Map::from_iter([(name.to_owned(), value)]);
        Control { settings: BTreeMap::from([(resource.to_owned(), members)]), ..Control::default() }
    }
}

impl Op {
    /// An operation on records drawn at random, or on new ones.
    pub fn some(op: OpKind, resource: &str, count: u32) -> Op {
        Op { op, resource: resource.to_owned(), count, ids: Vec::new(), stamp: Stamp::Same }
    }

    /// An operation on these records.
    pub fn on(op: OpKind, resource: &str, ids: &[&str]) -> Op {
        let ids = ids.iter().map(|id| (*id).to_owned()).collect();
        Op { op, resource: resource.to_owned(), count: 1, ids, stamp: Stamp::Same }
    }

    /// With this stamp.
    pub fn stamped(mut self, stamp: Stamp) -> Op {
        self.stamp = stamp;
        self
    }
}

/// Applies a document to a provider whose world has been advanced to the present.
pub(crate) fn apply(inner: &mut Inner, control: Control) -> Result<ControlReply, String> {
    let before = inner.world.log().last();
    if let Some(pause) = control.pause {
        inner.world.set_paused(pause);
    }
    for (resource, rates) in control.rates {
        inner.world.set_rates(&resource, rates).map_err(|_| no_resource(&resource))?;
    }
    for (resource, members) in control.settings {
        change_settings(inner, &resource, members)?;
    }
    if let Some(skew) = control.skew_ms {
        inner.world.set_skew(skew.saturating_mul(1_000));
    }
    if let Some(skew) = control.date_skew_ms {
        inner.date_skew_ms = skew;
    }
    if let Some(auth) = control.auth {
        inner.auth = auth;
    }
    if control.expire_tokens {
        inner.token_epoch += 1;
        inner.pager.expire();
    }
    if control.clear_faults {
        inner.faults.set(Vec::new());
    }
    inner.faults.add(control.faults);
    let mut forced: u32 = 0;
    for op in &control.ops {
        let wanted =
            if op.ids.is_empty() { op.count } else { u32::try_from(op.ids.len()).unwrap_or(u32::MAX) };
        forced = forced.saturating_add(wanted);
        if forced > FORCED_MAX {
            return Err(format!("one request may force at most {FORCED_MAX} changes"));
        }
        force(inner, op)?;
    }
    let changes = inner.world.log().after(before, FORCED_MAX as usize);
    Ok(ControlReply { changes, last: inner.world.log().last(), now: inner.world.provider_now() })
}

fn change_settings(inner: &mut Inner, resource: &str, members: Map<String, Value>) -> Result<(), String> {
    let settings = inner.settings.get_mut(resource).ok_or_else(|| no_resource(resource))?;
    let mut value = serde_json::to_value(&*settings).map_err(|error| error.to_string())?;
    if let Value::Object(object) = &mut value {
        object.extend(members);
    }
    let changed: Settings = serde_json::from_value(value).map_err(|error| format!("settings: {error}"))?;
    check_settings(&changed)?;
    let outcome = inner.world.set_visibility(resource, changed.deletes, changed.late, changed.replica_lag_ms);
    *settings = changed;
    inner.settings_revision += 1;
    outcome.map_err(|_| no_resource(resource))
}

/// Says what cannot be served.
pub(crate) fn check_settings(settings: &Settings) -> Result<(), String> {
    if crate::dates::Zone::from_name(&settings.zone).is_none() {
        return Err(format!("settings: there is no zone `{}`", settings.zone));
    }
    let names = &settings.names;
    let is_name = |name: &String| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    if let Some(name) = [&names.id, &names.created, &names.updated].into_iter().find(|name| !is_name(name)) {
        return Err(format!("settings: `{name}` is not a name for a member"));
    }
    if settings.page_size == 0 || settings.page_size_max == 0 {
        return Err("settings: a page holds at least one record".to_owned());
    }
    if !(200..600).contains(&settings.gone_status) {
        return Err(format!("settings: {} is not a status for a deleted record", settings.gone_status));
    }
    if settings.late.is_some_and(|late| late.min_ms > late.max_ms) {
        return Err("settings: the least delay of late changes is above the largest".to_owned());
    }
    Ok(())
}

fn force(inner: &mut Inner, op: &Op) -> Result<(), String> {
    let resource = op.resource.as_str();
    let ids = inner.world.collection(resource).ok_or_else(|| no_resource(resource))?.ids();
    let no_ids = op.ids.is_empty();
    if op.op == OpKind::Create && !no_ids {
        return Err("a created record takes the next id; `ids` is for the other operations".to_owned());
    }
    if op.op == OpKind::Restore && no_ids {
        return Err("`restore` needs `ids`".to_owned());
    }
    let mut keys = Vec::with_capacity(op.ids.len());
    for id in &op.ids {
        keys.push(ids.key(id).ok_or_else(|| format!("`{resource}` has no record `{id}`"))?);
    }
    let now = inner.world.provider_now();
    let count = if no_ids { op.count as usize } else { keys.len() };
    for number in 0..count {
        let key = keys.get(number).copied();
        let force = match (op.op, key) {
            (OpKind::Create, _) => Force::Create,
            (OpKind::Update, key) => Force::Update(key),
            (OpKind::Delete, key) => Force::Delete(key),
            (OpKind::Restore, Some(key)) => Force::Restore(key),
            (OpKind::Restore, None) => return Err("`restore` needs `ids`".to_owned()),
        };
        let stamp = match op.stamp {
            Stamp::Same => now,
            Stamp::Rising => now.saturating_add(number as i64),
            Stamp::At(micros) => micros,
            Stamp::Keep => key
                .and_then(|key| inner.world.collection(resource)?.newest(key).map(|record| record.updated))
                .ok_or_else(|| "a stamp can only be kept of records named in `ids`".to_owned())?,
        };
        inner.world.force(resource, force, Some(stamp)).map_err(|refused| match refused {
            Refused::NoSuchResource => no_resource(resource),
            Refused::NoSuchRecord => match op.ids.get(number) {
                Some(id) => format!("`{resource}` has no record `{id}` in the state that this needs"),
                None => format!("`{resource}` has no more records for this"),
            },
        })?;
    }
    Ok(())
}

fn no_resource(name: &str) -> String {
    format!("there is no resource `{name}`")
}
