//! From what was sent of a subscription to what is written: a new one, or the present one with its changes.

use serde_json::{Value, json};
use turnstone_core::flow::records::RunMode;
use turnstone_core::flow::state::SubscriptionState;
use turnstone_core::flow::{Flow, type_word};
use turnstone_core::id::{MonitorId, OrgId};
use turnstone_engine::deliverer::EndpointConfig;
use turnstone_engine::flows::options_of;
use turnstone_store::{
    InstanceRow, MonitorRow, NewEndpoint, NewSubscription, PollerRow, StoreError, SubscriptionRow,
    SubscriptionSettings, Timing,
};

use super::document::deployed;
use super::settings::{self, Faults, SubscriptionBody, cadence, default_timing};
use super::subscriptions::{own_endpoint, state_of};
use crate::api::Api;
use crate::api::error::{Answer, ApiError};

/// A change of a subscription, judged.
pub struct Change {
    /// What it becomes.
    pub settings: SubscriptionSettings,
    /// Its state, where the cursor is given too.
    pub state: Option<String>,
    /// What the audit says.
    pub told: Value,
}

/// What was sent, judged; members that were left out are `None`.
struct Sent {
    name: Option<String>,
    options: Option<Vec<(String, String)>>,
    mode: Option<RunMode>,
    timing: Option<Timing>,
    endpoint: Option<NewEndpoint>,
    /// `Some(None)` begins anew.
    cursor: Option<Option<String>>,
}

/// Judges what was sent by the version that gets it. `kept` is the present callback, whose secrets may be referred to.
fn judged(
    api: &Api,
    org: OrgId,
    body: &SubscriptionBody,
    flow: Option<&Flow>,
    kept: Option<&EndpointConfig>,
    faults: &mut Faults,
) -> Sent {
    let callback = body.callback.as_ref().filter(|value| !value.is_null());
    Sent {
        name: body.name.as_ref().and_then(|name| settings::name(name, faults)),
        options: body.options.as_ref().map(|options| settings::options(options, flow, faults)),
        mode: body.run_mode.as_ref().and_then(|mode| settings::mode(mode, faults)),
        timing: settings::timing(body, flow, api.now(), faults),
        endpoint: callback.and_then(|value| settings::callback(api, org, value, kept, faults)),
        cursor: body.cursor.as_ref().zip(flow).map(|(raw, flow)| settings::cursor(raw, flow, faults)),
    }
}

/// A new subscription, or 400 with everything that is wrong.
pub async fn new(api: &Api, instance: &InstanceRow, body: &SubscriptionBody) -> Answer<NewSubscription> {
    let mut faults = Faults::default();
    let monitor = monitor_of(api, instance.org, body, &mut faults).await?;
    let used = match &monitor {
        Some(monitor) => version_of(api, monitor, body, &mut faults).await?,
        None => None,
    };
    let flow = used.as_ref().map(|(_, flow)| flow.as_ref());
    let mut sent = judged(api, instance.org, body, flow, None, &mut faults);
    if sent.options.is_none() {
        sent.options = Some(settings::options(&json!({}), flow, &mut faults));
    }
    let active = body.active.as_ref().map(|active| settings::flag("active", active, &mut faults));
    if let Some(flow) = flow {
        settings::fits(flow, instance, &mut faults);
    }
    match (monitor, used, faults.0.as_slice()) {
        (Some(monitor), Some(used), []) => {
            Ok(made(api, instance, &monitor, used, sent, active.flatten().unwrap_or(true)))
        }
        _ => Err(ApiError::faults(faults.0)),
    }
}

fn made(
    api: &Api,
    instance: &InstanceRow,
    monitor: &MonitorRow,
    (version, flow): Used,
    sent: Sent,
    active: bool,
) -> NewSubscription {
    let now = api.now();
    let timing = sent.timing.unwrap_or_else(|| default_timing(&flow));
    let state = |cursor| SubscriptionState::default().with_cursor(Some(cursor), now).write();
    NewSubscription {
        org: instance.org,
        instance: instance.id,
        monitor: monitor.id,
        settings: SubscriptionSettings {
            name: sent.name.unwrap_or_else(|| monitor.name.clone()),
            version,
            options: settings::options_text(&sent.options.unwrap_or_default()),
            mode: sent.mode.unwrap_or_default(),
            next_due: cadence(&timing).first(now, api.entropy.next_u64()),
            timing,
            endpoint: sent.endpoint,
        },
        state: sent.cursor.flatten().map(state).unwrap_or_default(),
        active,
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
type Used = (i64, std::sync::Arc<Flow>);

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

/// A subscription with its changes, or what is wrong with them.
pub async fn changed(
    api: &Api,
    row: &SubscriptionRow,
    poller: &PollerRow,
    body: &SubscriptionBody,
) -> Answer<Change> {
    let mut faults = Faults::default();
    not_changeable(body, &mut faults);
    let before = flow_now(api, row).await?;
    let moved = moved(api, row, body, &mut faults).await?;
    let flow = moved.as_ref().map(|(_, flow)| flow).or(before.as_ref()).map(AsRef::as_ref);
    let kept = own_endpoint(api, row).await?;
    let mut sent = judged(api, row.org, body, flow, kept.as_ref(), &mut faults);
    if body.callback.is_none() {
        sent.endpoint = kept.map(|config| NewEndpoint { kind: "callback".into(), config: config.to_json() });
    }
    if let Some((_, flow)) = &moved {
        settings::fits(flow, &api.store.instance(row.org, row.instance).await?, &mut faults);
        // What stays was judged by another version.
        if sent.options.is_none() {
            settings::options(&kept_options(row), Some(flow), &mut faults);
        }
        if body.schedule.is_none() && body.interval_minutes.is_none() {
            still_rare_enough(row, flow, &mut faults);
        }
    }
    if !faults.0.is_empty() {
        return Err(ApiError::faults(faults.0));
    }
    if let (Some((_, after)), None) = (&moved, &sent.cursor) {
        same_cursor(row, poller, before.as_deref(), after)?;
    }
    let version = moved.map_or(row.version, |(version, _)| version);
    let (told, state) = told_and_state(row, poller, body, version, sent.cursor.clone(), api.now())?;
    Ok(Change { settings: over(api, row, poller, version, sent), state, told })
}

/// The version that a change moves to, if it moves.
async fn moved(
    api: &Api,
    row: &SubscriptionRow,
    body: &SubscriptionBody,
    faults: &mut Faults,
) -> Answer<Option<Used>> {
    let version = body.version.as_ref().and_then(|version| settings::number("version", version, faults));
    match version.filter(|version| *version != row.version) {
        Some(version) => used(api, row.org, row.monitor, version, faults).await,
        None => Ok(None),
    }
}

/// The present settings with what was sent over them.
fn over(
    api: &Api,
    row: &SubscriptionRow,
    poller: &PollerRow,
    version: i64,
    sent: Sent,
) -> SubscriptionSettings {
    let next_due = match &sent.timing {
        Some(timing) => cadence(timing).first(api.now(), api.entropy.next_u64()),
        None => poller.next_due,
    };
    SubscriptionSettings {
        name: sent.name.unwrap_or_else(|| row.name.clone()),
        version,
        options: sent.options.as_deref().map_or_else(|| row.options.clone(), settings::options_text),
        mode: sent.mode.unwrap_or(row.mode),
        timing: sent.timing.unwrap_or_else(|| row.timing.clone()),
        next_due,
        endpoint: sent.endpoint,
    }
}

/// The flow of the version that is in use; `None` when this program does not take it any more.
pub async fn flow_now(api: &Api, row: &SubscriptionRow) -> Answer<Option<std::sync::Arc<Flow>>> {
    let version = api.monitors.version(row.org, row.monitor, row.version).await?;
    Ok(deployed(&version).ok())
}

fn kept_options(row: &SubscriptionRow) -> Value {
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
fn still_rare_enough(row: &SubscriptionRow, moved: &Flow, faults: &mut Faults) {
    if row.timing.interval >= moved.interval_min {
        return;
    }
    let least = moved.interval_min.as_secs_f64() / 60.0;
    let problem = format!("that version allows no run within {least} minutes of another");
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
