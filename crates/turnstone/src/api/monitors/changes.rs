//! From what was sent of a subscription to what is written: a new one, or the present one with its changes.

use std::sync::Arc;

use serde_json::{Value, json};
use turnstone_core::flow::records::RunMode;
use turnstone_core::flow::state::SubscriptionState;
use turnstone_core::flow::{Flow, type_word};
use turnstone_core::id::{MonitorId, OrgId};
use turnstone_engine::flows::options_of;
use turnstone_store::{
    InstanceRow, MonitorRow, NewEndpoint, NewSubscription, PollerRow, StoreError, SubscriptionChange,
    SubscriptionRow, SubscriptionSettings, Timing,
};

use super::document::deployed;
use super::settings::{self, Faults, SubscriptionBody, cadence, default_timing};
use super::subscriptions::{own_endpoint, state_of};
use crate::api::Api;
use crate::api::error::{Answer, ApiError};

/// A change of a subscription, judged.
pub struct Change {
    /// What is written.
    pub write: SubscriptionChange,
    /// What the audit says.
    pub told: Value,
}

/// A new subscription, or 400 with everything that is wrong.
pub async fn new(api: &Api, instance: &InstanceRow, body: &SubscriptionBody) -> Answer<NewSubscription> {
    let mut faults = Faults::default();
    let (org, now) = (instance.org, api.now());
    let monitor = monitor_of(api, org, body, &mut faults).await?;
    let (version, flow) = match &monitor {
        Some(monitor) => version_of(api, monitor, body, &mut faults).await?.unzip(),
        None => (None, None),
    };
    let flow = flow.as_deref();
    let name = match &body.name {
        Some(name) => settings::name(name, &mut faults),
        None => monitor.as_ref().map(|monitor| monitor.name.clone()),
    };
    let options = settings::options(body.options.as_ref().unwrap_or(&json!({})), flow, &mut faults);
    let mode = body.run_mode.as_ref().map(|mode| settings::mode(mode, &mut faults).unwrap_or_default());
    let active = body.active.as_ref().map(|active| settings::flag("active", active, &mut faults));
    let sent = settings::timing(body, flow, now, &mut faults);
    let endpoint = endpoint(api, org, body, None, &mut faults);
    let cursor = cursor_of(body, flow, &mut faults).flatten();
    let flow = flow.inspect(|flow| settings::fits(flow, instance, &mut faults));
    let (Some(monitor), Some(version), Some(flow), Some(name), []) =
        (monitor, version, flow, name, faults.0.as_slice())
    else {
        return Err(ApiError::faults(faults.0));
    };
    let timing = sent.unwrap_or_else(|| default_timing(flow));
    let settings = SubscriptionSettings {
        name,
        version,
        options: settings::options_text(&options),
        mode: mode.unwrap_or_default(),
        next_due: Some(cadence(&timing).first(now, api.entropy.next_u64())),
        timing,
        endpoint,
    };
    let state = cursor.map(|cursor| SubscriptionState::default().with_cursor(Some(cursor), now).write());
    let (state, active) = (state.unwrap_or_default(), active.flatten().unwrap_or(true));
    Ok(NewSubscription { org, instance: instance.id, monitor: monitor.id, settings, state, active })
}

/// The cursor that is sent: `None` when none is, `Some(None)` for none or for a faulty one.
fn cursor_of(body: &SubscriptionBody, flow: Option<&Flow>, faults: &mut Faults) -> Option<Option<String>> {
    match (&body.cursor, flow) {
        (Some(raw), Some(flow)) => Some(settings::cursor(raw, flow, faults)),
        (Some(_), None) | (None, _) => None,
    }
}

async fn monitor_of(
    api: &Api,
    org: OrgId,
    body: &SubscriptionBody,
    faults: &mut Faults,
) -> Answer<Option<MonitorRow>> {
    let Some(value) = &body.monitor_id else {
        faults.add("monitorId", "it is not given", "name the monitor by its id");
        return Ok(None);
    };
    let Some(id) = settings::number("monitorId", value, faults) else { return Ok(None) };
    match api.monitors.monitor(org, MonitorId(id)).await {
        Ok(monitor) => Ok(Some(monitor)),
        Err(StoreError::NotFound(_)) => {
            faults.add("monitorId", format!("there is no monitor {id}"), "list them at /monitors");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// A version with its flow.
type Used = (i64, Arc<Flow>);

/// The version of a new subscription: the one that is named, or the newest.
async fn version_of(
    api: &Api,
    monitor: &MonitorRow,
    body: &SubscriptionBody,
    faults: &mut Faults,
) -> Answer<Option<Used>> {
    let version = match &body.version {
        Some(version) => settings::number("version", version, faults),
        None => {
            if monitor.version.is_none() {
                let remedy = format!("POST /monitors/{}/deploy first", monitor.id);
                faults.add("monitorId", "nothing of the monitor is deployed", remedy);
            }
            monitor.version
        }
    };
    match version {
        Some(version) => used(api, monitor.org, monitor.id, version, faults).await,
        None => Ok(None),
    }
}

async fn used(
    api: &Api,
    org: OrgId,
    monitor: MonitorId,
    version: i64,
    faults: &mut Faults,
) -> Answer<Option<Used>> {
    match api.monitors.version(org, monitor, version).await {
        Ok(row) => Ok(Some((version, deployed(&row)?))),
        Err(StoreError::NotFound(_)) => {
            let remedy = format!("list them at /monitors/{monitor}/versions");
            faults.add("version", format!("the monitor has no version {version}"), remedy);
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// What is sent as an own callback.
fn endpoint(
    api: &Api,
    org: OrgId,
    body: &SubscriptionBody,
    kept: Option<&turnstone_engine::deliverer::EndpointConfig>,
    faults: &mut Faults,
) -> Option<NewEndpoint> {
    let value = body.callback.as_ref().filter(|value| !value.is_null())?;
    settings::callback(api, org, value, kept, faults)
}

/// What is sent as changes of a subscription, read.
struct Sent {
    version: i64,
    /// The flow of the version that is in use, and of the one that it moves to.
    before: Option<Arc<Flow>>,
    moved: Option<Arc<Flow>>,
    name: Option<String>,
    mode: Option<RunMode>,
    options: Vec<(String, String)>,
    timing: Option<Timing>,
    endpoint: Option<NewEndpoint>,
    cursor: Option<Option<String>>,
}

/// The version that is named, or the present one; with its flow where it is another one.
async fn moved_to(
    api: &Api,
    row: &SubscriptionRow,
    body: &SubscriptionBody,
    faults: &mut Faults,
) -> Answer<(i64, Option<Arc<Flow>>)> {
    let version = body.version.as_ref().map(|version| settings::number("version", version, faults));
    let version = version.flatten().unwrap_or(row.version);
    let moved = match version == row.version {
        true => None,
        false => used(api, row.org, row.monitor, version, faults).await?.map(|(_, flow)| flow),
    };
    Ok((version, moved))
}

async fn read(
    api: &Api,
    row: &SubscriptionRow,
    body: &SubscriptionBody,
    faults: &mut Faults,
) -> Answer<Sent> {
    let (org, now) = (row.org, api.now());
    not_changeable(body, faults);
    let before = flow_now(api, row).await?;
    let (version, moved) = moved_to(api, row, body, faults).await?;
    let flow = moved.as_deref().or(before.as_deref());
    if flow.is_none() && version == row.version && body.needs_flow() {
        return Err(not_sound(row));
    }
    let name = body.name.as_ref().map(|name| settings::name(name, faults));
    let mode = body.run_mode.as_ref().map(|mode| settings::mode(mode, faults));
    let options = match &body.options {
        Some(options) => settings::options(options, flow, faults),
        // Another version may want other ones.
        None => settings::options(&kept_options(row), moved.as_deref(), faults),
    };
    let timing = settings::timing(body, flow, now, faults);
    if timing.is_none() && body.schedule.is_none() && body.interval_minutes.is_none() {
        still_often_enough(row, moved.as_deref(), faults);
    }
    let kept = own_endpoint(api, row).await?;
    let endpoint = match &body.callback {
        Some(_) => endpoint(api, org, body, kept.as_ref(), faults),
        None => kept.map(|config| NewEndpoint { kind: "callback".into(), config: config.to_json() }),
    };
    if let Some(moved) = &moved {
        settings::fits(moved, &api.store.instance(org, row.instance).await?, faults);
    }
    let cursor = cursor_of(body, flow, faults);
    let (name, mode) = (name.flatten(), mode.flatten());
    Ok(Sent { version, before, moved, name, mode, options, timing, endpoint, cursor })
}

/// A subscription with its changes, or what is wrong with them.
pub async fn changed(
    api: &Api,
    row: &SubscriptionRow,
    poller: &PollerRow,
    body: &SubscriptionBody,
) -> Answer<Change> {
    let mut faults = Faults::default();
    let now = api.now();
    let sent = read(api, row, body, &mut faults).await?;
    if !faults.0.is_empty() {
        return Err(ApiError::faults(faults.0));
    }
    if let (Some(moved), None) = (&sent.moved, &sent.cursor) {
        same_cursor(row, poller, sent.before.as_deref(), moved)?;
    }
    let next_due = sent.timing.as_ref().map(|timing| cadence(timing).first(now, api.entropy.next_u64()));
    let (told, state) = told_and_state(row, poller, body, sent.version, sent.cursor, now)?;
    let settings = SubscriptionSettings {
        name: sent.name.unwrap_or_else(|| row.name.clone()),
        version: sent.version,
        options: settings::options_text(&sent.options),
        mode: sent.mode.unwrap_or(row.mode),
        timing: sent.timing.unwrap_or_else(|| row.timing.clone()),
        next_due,
        endpoint: sent.endpoint,
    };
    let judged_by = sent.moved.map(|_| poller.state.clone());
    let write = SubscriptionChange { was: row.revision, settings, judged_by, state };
    Ok(Change { write, told })
}

/// The flow of the version that is in use; `None` when this program does not take it any more.
pub async fn flow_now(api: &Api, row: &SubscriptionRow) -> Answer<Option<Arc<Flow>>> {
    let version = api.monitors.version(row.org, row.monitor, row.version).await?;
    Ok(deployed(&version).ok())
}

/// 409 for what only a version that can be run may judge.
pub fn not_sound(row: &SubscriptionRow) -> ApiError {
    let message = format!("version {} cannot be run any more; move to another one first", row.version);
    ApiError::conflict("badMonitor", message)
}

/// The kept values of options, as they were sent.
pub fn kept_options(row: &SubscriptionRow) -> Value {
    let members = options_of(&row.options).into_iter().map(|(label, value)| (label, json!(value)));
    Value::Object(members.collect())
}

fn not_changeable(body: &SubscriptionBody, faults: &mut Faults) {
    if body.monitor_id.is_some() {
        let remedy = "leave it out, or make another subscription";
        faults.add("monitorId", "a subscription stays with its monitor", remedy);
    }
    if body.active.is_some() {
        let remedy = "PUT or DELETE /subscriptions/{id}/active";
        faults.add("active", "it is switched at an address of its own", remedy);
    }
}

/// Another version may allow fewer runs.
fn still_often_enough(row: &SubscriptionRow, moved: Option<&Flow>, faults: &mut Faults) {
    let Some(moved) = moved.filter(|moved| row.timing.interval < moved.interval_min) else { return };
    let least = moved.interval_min.as_secs_f64() / 60.0;
    let problem =
        format!("version allows no run within {least} minutes of another, and the subscription has more");
    faults.add("schedule", problem, "send another `schedule` with it");
}

/// 409 when the saved cursor is none that the other version reads.
fn same_cursor(row: &SubscriptionRow, poller: &PollerRow, before: Option<&Flow>, after: &Flow) -> Answer<()> {
    let state = state_of(poller)?;
    let is_same = before.is_some_and(|before| before.cursor == after.cursor);
    if state.cursor.is_none() || is_same {
        return Ok(());
    }
    let was = before.map_or_else(|| "another type".to_owned(), |before| type_word(before.cursor));
    let message = format!(
        "the cursor of version {} is {was}, and this version saves {}; send a converted `cursor` with it, or \
         `\"cursor\": null` to begin anew",
        row.version,
        type_word(after.cursor)
    );
    Err(ApiError::conflict("cursorType", message))
}

/// What the audit says of a change, and the state that goes with it.
fn told_and_state(
    row: &SubscriptionRow,
    poller: &PollerRow,
    body: &SubscriptionBody,
    version: i64,
    cursor: Option<Option<String>>,
    now: jiff::Timestamp,
) -> Answer<(Value, Option<String>)> {
    let members = [
        ("name", body.name.is_some()),
        ("options", body.options.is_some()),
        ("runMode", body.run_mode.is_some()),
        ("schedule", body.schedule.is_some() || body.interval_minutes.is_some()),
        ("callback", body.callback.is_some()),
    ];
    let changed: Vec<&str> =
        members.into_iter().filter(|(_, is_sent)| *is_sent).map(|(name, _)| name).collect();
    let mut told = json!({"changed": changed});
    if version != row.version {
        told["version"] = json!({"from": row.version, "to": version});
    }
    let Some(cursor) = cursor else { return Ok((told, None)) };
    let state = state_of(poller).unwrap_or_default();
    told["cursor"] = json!({"from": state.cursor, "to": cursor});
    Ok((told, Some(state.with_cursor(cursor, now).write())))
}
