//! What is sent of a subscription, judged: every fault beside its member, all at once.
//!
//! A change goes over what there is: members that are left out stay as they are. Secrets of an own callback that are
//! sent as they are shown stay as they are kept.

use std::time::Duration;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use turnstone_core::cadence::{Cadence, Pattern};
use turnstone_core::check::{Fault, check_callback, duration_text};
use turnstone_core::date::ZoneRules;
use turnstone_core::flow::records::RunMode;
use turnstone_core::flow::run::read_cursor;
use turnstone_core::flow::{Flow, type_word};
use turnstone_core::id::OrgId;
use turnstone_core::limits::INTERVAL_MINUTES;
use turnstone_engine::deliverer::EndpointConfig;
use turnstone_engine::document::HIDDEN;
use turnstone_engine::egress::{Guard, Policy};
use turnstone_store::{InstanceRow, NewEndpoint, Timing};
use utoipa::ToSchema;

use crate::api::{Api, markup};

/// Letters of a name.
const NAME_CHARS_MAX: usize = 200;
/// Bytes of one option.
const OPTION_BYTES_MAX: usize = 10_000;

/// A subscription as it is sent, new or changed.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SubscriptionBody {
    /// Its name; no other subscription of the instance has it. The monitor's when a new one is given none.
    #[schema(value_type = Option<String>)]
    pub name: Option<Value>,
    /// The monitor; only of a new subscription, where it is needed.
    #[schema(value_type = Option<i64>)]
    pub monitor_id: Option<Value>,
    /// The version to use; of a new subscription the newest.
    #[schema(value_type = Option<i64>)]
    pub version: Option<Value>,
    /// Values of the monitor's options by label; all of them, where any are sent.
    #[schema(value_type = Option<Object>)]
    pub options: Option<Value>,
    /// `eachRecord` (also when it is left out), `noNewData` or `everyTime`.
    #[schema(value_type = Option<String>, example = "eachRecord")]
    pub run_mode: Option<Value>,
    /// `{"interval": "5m"}` or `{"cron": "0 6 * * MON-FRI", "zone": "Europe/Berlin"}`; the monitor's shortest interval
    /// when a new one is given none.
    #[schema(value_type = Option<Object>, example = json!({"interval": "5m"}))]
    pub schedule: Option<Value>,
    /// Minutes between two runs; another way to say `schedule`.
    #[schema(value_type = Option<f64>)]
    pub interval_minutes: Option<Value>,
    /// Where its events go, if not where the instance's go: `url`, `headers`, `username`, `password`, `signatureKey`.
    /// `null` takes it away.
    #[schema(value_type = Option<Object>)]
    #[serde(default, deserialize_with = "given")]
    pub callback: Option<Value>,
    /// Whether a new one runs at once; `true` when it is left out.
    #[schema(value_type = Option<bool>)]
    pub active: Option<Value>,
    /// The cursor to start from, any JSON of the monitor's cursor type; `null` begins anew.
    #[schema(value_type = Value)]
    #[serde(default, deserialize_with = "given")]
    pub cursor: Option<Box<RawValue>>,
}

impl SubscriptionBody {
    /// Whether it says nothing at all.
    pub fn is_empty(&self) -> bool {
        let SubscriptionBody { name, monitor_id, version, options, run_mode, .. } = self;
        let SubscriptionBody { schedule, interval_minutes, callback, active, cursor, .. } = self;
        [name, monitor_id, version, options, run_mode, schedule, interval_minutes, callback, active]
            .iter()
            .all(|member| member.is_none())
            && cursor.is_none()
    }

    /// Whether it says something that only a flow can judge.
    pub fn needs_flow(&self) -> bool {
        let names_times = |schedule: &Value| schedule.get("cron").is_some_and(|cron| !cron.is_null());
        self.cursor.is_some() || self.schedule.as_ref().is_some_and(names_times)
    }
}

/// A member that is there, `null` or not.
pub fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(reader: D) -> Result<Option<T>, D::Error> {
    T::deserialize(reader).map(Some)
}

/// Faults as they are found.
#[derive(Default)]
pub struct Faults(pub Vec<Fault>);

impl Faults {
    /// Notes one.
    pub fn add(&mut self, path: &str, problem: impl Into<String>, remedy: impl Into<String>) {
        self.0.push(Fault { path: path.to_owned(), problem: problem.into(), remedy: remedy.into() });
    }
}

/// A whole number above 0.
pub fn number(path: &str, value: &Value, faults: &mut Faults) -> Option<i64> {
    let number = value.as_i64().filter(|number| *number > 0);
    if number.is_none() {
        faults.add(path, format!("{} is no whole number above 0", short(value)), "write one, such as `7`");
    }
    number
}

/// A value in a message.
fn short(value: &Value) -> String {
    let text: String = value.to_string().chars().take(60).collect();
    format!("`{text}`")
}

/// A name.
pub fn name(value: &Value, faults: &mut Faults) -> Option<String> {
    let name = value
        .as_str()
        .map(markup::strip)
        .filter(|name| !name.is_empty() && name.chars().count() <= NAME_CHARS_MAX);
    if name.is_none() {
        let remedy = format!("write a text of 1 to {NAME_CHARS_MAX} letters");
        faults.add("name", format!("{} is no name", short(value)), remedy);
    }
    name
}

/// A switch.
pub fn flag(path: &str, value: &Value, faults: &mut Faults) -> Option<bool> {
    if value.as_bool().is_none() {
        faults.add(path, format!("{} is neither true nor false", short(value)), "write true or false");
    }
    value.as_bool()
}

/// How records leave.
pub fn mode(value: &Value, faults: &mut Faults) -> Option<RunMode> {
    let mode = serde_json::from_value(value.clone()).ok();
    if mode.is_none() {
        let remedy = "write `eachRecord`, `noNewData` or `everyTime`";
        faults.add("runMode", format!("{} is not known", short(value)), remedy);
    }
    mode
}

/// Values of options by label, judged by the version that gets them. Numbers and truth values count as their texts.
pub fn options(value: &Value, flow: Option<&Flow>, faults: &mut Faults) -> Vec<(String, String)> {
    let Value::Object(members) = value else {
        faults.add("options", format!("{} is not an object", short(value)), "write `{\"Label\": \"value\"}`");
        return Vec::new();
    };
    let mut values = Vec::new();
    for (label, value) in members {
        let text = match value {
            Value::Null => continue,
            Value::String(text) => text.clone(),
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            Value::Array(_) | Value::Object(_) => {
                let path = format!("options.{label}");
                faults.add(&path, "values of options are texts", "write a text in quotes");
                continue;
            }
        };
        if text.len() > OPTION_BYTES_MAX {
            let problem = format!("it has {} bytes", text.len());
            faults.add(&format!("options.{label}"), problem, format!("write at most {OPTION_BYTES_MAX}"));
            continue;
        }
        values.push((label.clone(), text));
    }
    let judged = |fault: &Fault| !faults.0.iter().any(|known| known.path == fault.path);
    let more: Vec<Fault> =
        flow.map(|flow| flow.check_options(&values)).unwrap_or_default().into_iter().filter(judged).collect();
    faults.0.extend(more);
    values
}

/// Options as they are kept.
pub fn options_text(values: &[(String, String)]) -> String {
    let members: Map<String, Value> =
        values.iter().map(|(label, value)| (label.clone(), json!(value))).collect();
    Value::Object(members).to_string()
}

/// Which one is meant of the two ways to say when a subscription is due; `None` when neither is used.
pub fn timing(
    body: &SubscriptionBody,
    flow: Option<&Flow>,
    now: jiff::Timestamp,
    faults: &mut Faults,
) -> Option<Timing> {
    match (&body.schedule, &body.interval_minutes) {
        (None, None) => None,
        (Some(_), Some(_)) => {
            faults.add("intervalMinutes", "`schedule` says it too", "send one of the two");
            None
        }
        (None, Some(minutes)) => {
            let read = minutes.as_f64().filter(|minutes| minutes.is_finite() && *minutes > 0.0);
            let Some(minutes) = read.filter(|minutes| *minutes <= *INTERVAL_MINUTES.end()) else {
                let remedy = "write a number of minutes, 1 to 43200";
                faults.add("intervalMinutes", format!("{} is no interval", short(minutes)), remedy);
                return None;
            };
            every("intervalMinutes", Duration::from_secs_f64(minutes * 60.0), flow, faults)
        }
        (Some(schedule), None) => scheduled(schedule, flow, now, faults),
    }
}

fn scheduled(
    schedule: &Value,
    flow: Option<&Flow>,
    now: jiff::Timestamp,
    faults: &mut Faults,
) -> Option<Timing> {
    let remedy =
        "write `{\"interval\": \"5m\"}` or `{\"cron\": \"0 6 * * MON-FRI\", \"zone\": \"Europe/Berlin\"}`";
    let Value::Object(members) = schedule else {
        faults.add("schedule", format!("{} is not an object", short(schedule)), remedy);
        return None;
    };
    let before = faults.0.len();
    for name in members.keys().filter(|name| !["interval", "cron", "zone"].contains(&name.as_str())) {
        faults.add(&format!("schedule.{name}"), "a schedule has no such member", remedy);
    }
    if faults.0.len() > before {
        return None;
    }
    let member = |name: &str| members.get(name).filter(|value| !value.is_null());
    match (member("interval"), member("cron"), member("zone")) {
        (Some(interval), None, None) => {
            let read = interval.as_str().and_then(duration_text);
            if read.is_none() {
                let remedy = "write a text such as `90s`, `5m` or `1h30m`";
                faults.add("schedule.interval", format!("{} is no interval", short(interval)), remedy);
            }
            every("schedule.interval", read?, flow, faults)
        }
        (None, Some(Value::String(cron)), None) => at_times(cron, "UTC", flow, now, faults),
        (None, Some(Value::String(cron)), Some(Value::String(zone))) => {
            at_times(cron, zone, flow, now, faults)
        }
        _ => {
            faults.add("schedule", "it is neither an interval nor a cron pattern with a zone", remedy);
            None
        }
    }
}

/// An interval, which may not be shorter than the monitor's.
fn every(path: &str, interval: Duration, flow: Option<&Flow>, faults: &mut Faults) -> Option<Timing> {
    let minutes = interval.as_secs_f64() / 60.0;
    if !INTERVAL_MINUTES.contains(&minutes) {
        faults.add(path, format!("{minutes} minutes are no interval"), "write 1 to 43200 minutes");
        return None;
    }
    if let Some(flow) = flow.filter(|flow| interval < flow.interval_min) {
        too_often(path, flow, faults);
        return None;
    }
    Some(Timing { interval, cron: None })
}

fn too_often(path: &str, flow: &Flow, faults: &mut Faults) {
    let least = flow.interval_min.as_secs_f64() / 60.0;
    let problem = format!("the monitor allows no run within {least} minutes of another (`minimumInterval`)");
    faults.add(path, problem, format!("let at least {least} minutes pass between two runs"));
}

/// The times of a cron pattern, whose shortest pause may not be shorter than the monitor's interval.
fn at_times(
    cron: &str,
    zone: &str,
    flow: Option<&Flow>,
    now: jiff::Timestamp,
    faults: &mut Faults,
) -> Option<Timing> {
    let pattern = match Pattern::parse(cron, zone, ZoneRules::default()) {
        Ok(pattern) => pattern,
        Err(sentence) => {
            let path = if sentence.contains("cron pattern") { "schedule.cron" } else { "schedule.zone" };
            faults.add(path, sentence, "correct it, or write an interval");
            return None;
        }
    };
    if pattern.next_after(now).is_none() {
        faults.add("schedule.cron", format!("`{cron}` never comes"), "write a pattern with a next time");
        return None;
    }
    let pause = pattern.shortest_pause(now);
    let flow = flow?;
    if pause.is_some_and(|pause| pause < flow.interval_min) {
        too_often("schedule.cron", flow, faults);
        return None;
    }
    // What pauses after failures are measured by; the next regular time ends them anyway.
    let longest = Duration::from_secs_f64(INTERVAL_MINUTES.end() * 60.0);
    let interval = pause.unwrap_or(flow.interval_min).min(longest);
    Some(Timing { interval, cron: Some((cron.trim().to_owned(), zone.trim().to_owned())) })
}

/// The timing of a subscription that says nothing about it.
pub fn default_timing(flow: &Flow) -> Timing {
    Timing { interval: flow.interval_min, cron: None }
}

/// What a timing means.
pub fn cadence(timing: &Timing) -> Cadence {
    // It was judged before it was kept; were it not, the run would say so.
    turnstone_engine::flows::cadence(timing, ZoneRules::default()).unwrap_or(Cadence::Every(timing.interval))
}

/// Whether a monitor can use the connection of an instance.
pub fn fits(flow: &Flow, instance: &InstanceRow, faults: &mut Faults) {
    let Some(wanted) = flow.connector.as_ref().filter(|wanted| **wanted != instance.element_key) else {
        return;
    };
    let problem =
        format!("the monitor is made for `{wanted}`, and the instance is one of `{}`", instance.element_key);
    faults.add("instanceId", problem, "choose an instance of that connector, or another monitor");
}

/// A cursor that a person gives: the text to keep, `None` for none.
pub fn cursor(raw: &RawValue, flow: &Flow, faults: &mut Faults) -> Option<String> {
    read_cursor(flow, raw.get()).unwrap_or_else(|sentence| {
        let remedy = format!("send a value of the type {}, or null", type_word(flow.cursor));
        faults.add("cursor", sentence, remedy);
        None
    })
}

/// An own callback, sealed. Secrets that are sent as they are shown are taken from `kept`.
pub fn callback(
    api: &Api,
    org: OrgId,
    value: &Value,
    kept: Option<&EndpointConfig>,
    faults: &mut Faults,
) -> Option<NewEndpoint> {
    let mut read = match check_callback(value) {
        Ok(read) => read,
        Err(more) => {
            faults.0.extend(more);
            return None;
        }
    };
    if let Err(error) = api.guard.check_url(&read.url) {
        let lifted = Guard::new(Policy::AllowPrivate).check_url(&read.url).is_ok();
        let remedy = match lifted {
            true => "use an address of the public internet, or start the server with `--allow-private`",
            false => "use an address of the public internet",
        };
        faults.add("callback.url", error.to_string(), remedy);
        return None;
    }
    let hidden = Hidden::of(value);
    // A value that stands for a kept one is not worth sealing; it is replaced below.
    if hidden.username || hidden.password {
        read.basic = None;
    }
    let sealed = EndpointConfig::of_callback(&read, org, &api.vault, api.entropy.as_ref());
    let mut config = match sealed {
        Ok(config) => config,
        Err(error) => {
            faults.add("callback", error.to_string(), "write the secrets themselves");
            return None;
        }
    };
    hidden.fill(&mut config, kept, faults)?;
    Some(NewEndpoint { kind: "callback".into(), config: config.to_json() })
}

/// Members of a callback that were sent as they are shown.
struct Hidden {
    headers: Vec<String>,
    username: bool,
    password: bool,
    signature: bool,
}

impl Hidden {
    fn of(value: &Value) -> Hidden {
        let is = |value: &Value| value.as_str() == Some(HIDDEN);
        let headers = value["headers"].as_object().into_iter().flatten();
        Hidden {
            headers: headers.filter(|(_, value)| is(value)).map(|(name, _)| name.clone()).collect(),
            username: is(&value["username"]),
            password: is(&value["password"]),
            signature: is(&value["signatureKey"]),
        }
    }

    /// Puts the kept secrets in their places; a fault where there are none.
    fn fill(
        &self,
        config: &mut EndpointConfig,
        kept: Option<&EndpointConfig>,
        faults: &mut Faults,
    ) -> Option<()> {
        let before = faults.0.len();
        let missing = |path: &str, faults: &mut Faults| {
            let problem = format!("`{HIDDEN}` stands for a secret that is kept, and none is kept here");
            faults.add(path, problem, "send the secret itself, or leave it out");
        };
        for name in &self.headers {
            let known = kept.and_then(|kept| {
                kept.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).cloned()
            });
            let place = config.headers.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name));
            match (known, place) {
                (Some(known), Some(place)) => *place = known,
                _ => missing(&format!("callback.headers.{name}"), faults),
            }
        }
        match (self.username, self.password) {
            (false, false) => {}
            (true, true) => {
                config.basic = kept.and_then(|kept| kept.basic.clone());
                if config.basic.is_none() {
                    missing("callback.password", faults);
                }
            }
            // A new user with the old one's password, or the reverse: nobody means that.
            (is_name_hidden, _) => {
                let (hidden, other) = match is_name_hidden {
                    true => ("callback.username", "password"),
                    false => ("callback.password", "username"),
                };
                let problem = format!("`{HIDDEN}` stands for what is kept, and the {other} is a new one");
                faults.add(hidden, problem, "send both themselves, or both as they are shown");
            }
        }
        if self.signature {
            config.signature_keys = kept.map(|kept| kept.signature_keys.clone()).unwrap_or_default();
            if config.signature_keys.is_empty() {
                missing("callback.signatureKey", faults);
            }
        }
        (faults.0.len() == before).then_some(())
    }
}

/// An own callback as it is shown: secrets hidden.
pub fn shown_callback(config: &EndpointConfig) -> Value {
    let mut shown = json!({"url": config.url});
    if !config.headers.is_empty() {
        let headers = config.headers.iter().map(|(name, _)| (name.clone(), json!(HIDDEN)));
        shown["headers"] = Value::Object(headers.collect());
    }
    if config.basic.is_some() {
        (shown["username"], shown["password"]) = (json!(HIDDEN), json!(HIDDEN));
    }
    if !config.signature_keys.is_empty() {
        shown["signatureKey"] = json!(HIDDEN);
    }
    shown
}
