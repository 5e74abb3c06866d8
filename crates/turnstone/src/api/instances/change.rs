//! Changing an instance: as a whole (PUT), by members (PATCH), by connecting it anew, and removing it.
//!
//! An instance keeps the revision of its connector until it is changed; a change takes the present one, unless it is of
//! words for people alone. Cursors are matched by resource name and stay with their records. What signing in brought
//! is kept beside the document (decision 0032), so whoever changes a key takes back what is kept of that key, and
//! nothing else is lost.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::{Map, Value, json};
use turnstone_core::connector::{AuthenticationKind, Connector, keys};
use turnstone_core::resource::Resource;
use turnstone_engine::document::restore_hidden;
use turnstone_engine::prepare::{Before, pollers_of};
use turnstone_store::{InstanceRow, NewPoller, PollerRow};

use super::at::At;
use super::create::{Draft, not_signed_in};
use super::document::{
    Understood, configuration, configuration_mut, new_instance, opened, stored_document, understand,
};
use super::element::{Chosen, Reference, for_new, of_row, write_reference};
use super::plan::{Plan, changed_keys, changed_members, changes};
use super::provision;
use super::rights::{self, Was};
use super::shape::{ADDED, InstanceBody, InstanceOrPlan, findings, shown};
use super::switch;
use crate::api::access::{Caller, Particulars, Unaudited};
use crate::api::body::{Body, Query};
use crate::api::error::{Answer, ApiError};
use crate::api::{Api, Gone, date_formats};

/// What an authorisation brings: a document that comes without them keeps them.
const TOKENS: [&str; 6] = [
    "oauth.user.token",
    "oauth.user.token.secret",
    "oauth.user.refresh_token",
    "oauth.user.refresh_time",
    "expires",
    "expires_in",
];

/// Members that a PATCH may hold.
const MERGED: [&str; 7] =
    ["name", "description", "tags", "configuration", "element", "providerData", "externalAuthentication"];

/// Replaces an instance's document.
///
/// Secrets that are sent as they were shown stay as they are, and resources that stay the same keep their place.
#[utoipa::path(
    put,
    path = "/instances/{id}",
    tag = "instances",
    operation_id = "replaceInstance",
    params(
        ("id" = i64, Path, description = "The instance."),
        ("plan" = Option<bool>, Query, description = "`true` says what would be done, and does nothing.")
    ),
    request_body = Value,
    responses((status = 200, body = InstanceOrPlan)),
    extensions(("x-right" = json!("member")))
)]
pub async fn replace(State(api): State<Api>, at: At, query: Query, Body(document): Body) -> Answer<Response> {
    replace_with(&api, &at.caller, at.row, document, &query).await
}

/// Changes an instance.
///
/// Merges `name`, `tags` and the members of `configuration`; `null` takes one out. `providerData` or other credentials
/// connect the account anew; `element` moves the instance to another connector.
#[utoipa::path(
    patch,
    path = "/instances/{id}",
    tag = "instances",
    operation_id = "changeInstance",
    params(
        ("id" = i64, Path, description = "The instance."),
        ("plan" = Option<bool>, Query, description = "`true` says what would be done, and does nothing.")
    ),
    request_body = Value,
    responses((status = 200, body = InstanceOrPlan)),
    extensions(("x-right" = json!("member")))
)]
pub async fn merge(State(api): State<Api>, at: At, query: Query, Body(patch): Body) -> Answer<Response> {
    merge_with(&api, &at.caller, at.row, patch, &query).await
}

/// Removes an instance.
///
/// Its account is given back to the provider as far as the connector says how, and its pollers go with it; its events
/// and deliveries stay for their retention.
#[utoipa::path(
    delete,
    path = "/instances/{id}",
    tag = "instances",
    operation_id = "deleteInstance",
    params(
        ("id" = i64, Path, description = "The instance.")
    ),
    responses((status = 200, body = Gone)),
    extensions(("x-right" = json!("member")))
)]
pub async fn remove(State(api): State<Api>, at: At) -> Answer<(Extension<Particulars>, Json<Gone>)> {
    remove_row(&api, at.row).await
}

/// See [`remove`].
pub async fn remove_row(api: &Api, row: InstanceRow) -> Answer<(Extension<Particulars>, Json<Gone>)> {
    // Nothing of it is polled or called any more while its account is given back.
    api.store.set_enabled(row.org, row.id, false).await?;
    let mut told = provision::take_back(api, &row).await;
    told.extend(api.calls.connections().disconnect(&row).await);
    for words in &told {
        tracing::warn!(instance = %row.id, "giving back an account did not work: {words}");
    }
    api.store.delete_instance(row.org, row.id, api.now()).await?;
    let particulars = json!({"instance": row.id, "name": row.name, "notGivenBack": told});
    Ok((Extension(Particulars(particulars)), Json(Gone {})))
}

/// See [`replace`].
pub async fn replace_with(
    api: &Api,
    caller: &Caller,
    row: InstanceRow,
    mut document: Value,
    query: &Query,
) -> Answer<Response> {
    if let Some(members) = document.as_object_mut() {
        members.retain(|name, _| !ADDED.contains(&name.as_str()));
    }
    let sent = sent_keys(&document);
    finish(api, caller, row, Wanted { document, sent, unset: Vec::new(), stays: false }, query).await
}

/// See [`merge`].
pub async fn merge_with(
    api: &Api,
    caller: &Caller,
    row: InstanceRow,
    patch: Value,
    query: &Query,
) -> Answer<Response> {
    let wanted = merged(&row, patch)?;
    finish(api, caller, row, wanted, query).await
}

/// The same, for routes that answer with something else.
pub async fn merge_members(
    api: &Api,
    caller: &Caller,
    row: InstanceRow,
    patch: Value,
) -> Answer<InstanceRow> {
    let wanted = merged(&row, patch)?;
    let change = prepared(api, caller, row, wanted).await?;
    change.carry_out(api).await.map(|(row, _)| row)
}

/// Judges a document as one that replaces an instance's. Nothing is sent and nothing is stored.
pub async fn draft(api: &Api, caller: &Caller, row: InstanceRow, mut document: Value) -> Answer<Draft> {
    if let Some(members) = document.as_object_mut() {
        members.retain(|name, _| !ADDED.contains(&name.as_str()));
    }
    let sent = sent_keys(&document);
    let wanted = Wanted { document, sent, unset: Vec::new(), stays: false };
    let Change { document, chosen, read, .. } = prepared(api, caller, row, wanted).await?;
    Ok(Draft { document, chosen, read })
}

async fn finish(
    api: &Api,
    caller: &Caller,
    row: InstanceRow,
    wanted: Wanted,
    query: &Query,
) -> Answer<Response> {
    let change = prepared(api, caller, row, wanted).await?;
    if query.flag("plan")? {
        return Ok((Extension(Unaudited), Json(change.planned())).into_response());
    }
    let particulars = json!({"instance": change.row.id, "changed": change.members()});
    let (_, body) = change.carry_out(api).await?;
    let body = InstanceOrPlan::Instance(Box::new(body));
    Ok((Extension(Particulars(particulars)), Json(body)).into_response())
}

/// What a request wants an instance to be.
struct Wanted {
    /// The whole document; hidden secrets stand for those that are kept, `element` only where it was sent.
    document: Value,
    /// Keys of the configuration that the request holds.
    sent: BTreeSet<String>,
    /// Keys that it takes out by name.
    unset: Vec<String>,
    /// Whether only words for people change, so that the connector's revision stays.
    stays: bool,
}

fn sent_keys(document: &Value) -> BTreeSet<String> {
    configuration(document).into_iter().flatten().map(|(key, _)| key.clone()).collect()
}

/// A stored document with the members of a patch.
fn merged(row: &InstanceRow, patch: Value) -> Answer<Wanted> {
    let Value::Object(patch) = patch else {
        return Err(ApiError::bad("badDocument", "the body is not an object; send the members to change"));
    };
    let mut document = stored_document(row)?;
    // Only an element that was sent moves the instance.
    document.as_object_mut().map(|members| members.shift_remove("element"));
    let (mut sent, mut unset) = (BTreeSet::new(), Vec::new());
    let stays = !patch.is_empty()
        && patch.keys().all(|name| ["name", "description", "tags"].contains(&name.as_str()));
    for (name, value) in patch {
        match name.as_str() {
            "configuration" => {
                let Value::Object(values) = value else {
                    return Err(ApiError::bad("badDocument", "`configuration` is not an object"));
                };
                sent.extend(values.iter().filter(|(_, value)| !value.is_null()).map(|(key, _)| key.clone()));
                unset.extend(values.iter().filter(|(_, value)| value.is_null()).map(|(key, _)| key.clone()));
                merge_configuration(&mut document, values)?;
            }
            "disabled" if value.as_bool() != Some(!row.enabled) => {
                let message = "`disabled` is not changed this way; PUT or DELETE `/instances/{id}/enabled`";
                return Err(ApiError::bad("badDocument", message));
            }
            name if MERGED.contains(&name) => document[name] = value,
            name if ADDED.contains(&name) => {}
            other => {
                let message = format!("`{other}` cannot be changed this way; send {}", known_members());
                return Err(ApiError::bad("badDocument", message));
            }
        }
    }
    Ok(Wanted { document, sent, unset, stays })
}

fn known_members() -> String {
    let names: Vec<String> = MERGED.iter().map(|name| format!("`{name}`")).collect();
    let (last, first) = names.split_last().expect("there are several");
    format!("{} or {last}", first.join(", "))
}

fn merge_configuration(document: &mut Value, patch: Map<String, Value>) -> Answer<()> {
    let configuration = configuration_mut(document)?;
    for (key, value) in patch {
        if value.is_null() {
            configuration.shift_remove(&key);
        } else {
            configuration.insert(key, value);
        }
    }
    Ok(())
}

/// A change that was judged and may be carried out.
struct Change {
    row: InstanceRow,
    /// As it was, secrets open.
    was: Value,
    /// As it shall be, secrets open.
    document: Value,
    chosen: Option<Chosen>,
    /// Whether it moves to another connector or revision.
    moves: bool,
    read: Understood,
    known: Vec<PollerRow>,
    pollers: Vec<NewPoller>,
    wanted: Sent,
}

/// See [`Wanted`].
struct Sent {
    sent: BTreeSet<String>,
    unset: Vec<String>,
}

async fn prepared(api: &Api, caller: &Caller, row: InstanceRow, wanted: Wanted) -> Answer<Change> {
    let Wanted { document, sent, unset, stays } = wanted;
    if !document.is_object() {
        return Err(ApiError::bad("badDocument", "the body is not an object; send the whole document"));
    }
    let stored = stored_document(&row)?;
    let was = opened(api, row.org, &stored)?;
    // Members that were merged in may be sealed still.
    let mut document = opened(api, row.org, &restore_hidden(&document, &was))?;
    let before = of_row(api, &row).await;
    let chosen = wanted_connector(api, &row, &document, stays).await?;
    match &chosen {
        Some(chosen) => write_reference(&mut document, chosen),
        None => document["element"] = json!({"key": row.element_key}),
    }
    carry_over(&was, &mut document, &unset);
    let connector = chosen.as_ref().map(|chosen| &chosen.connector);
    let read = understand(api, row.org, &document, connector)?;
    // A connector that cannot be had now is told by the runs; here it only means that passes begin anew.
    let before = before.ok().flatten();
    let of_stored = |chosen: Option<&Chosen>| {
        api.preparer.stored_resources(&row.document, chosen.map(|chosen| &chosen.connector), api.now())
    };
    let resources = of_stored(before.as_ref());
    let is_other = |one: &Chosen| before.as_ref().is_none_or(|before| before.id != one.id);
    // A new revision of the same connector is whose edit it was, not that of whoever renames an instance of it.
    let judged = match &chosen {
        Some(chosen) if !is_other(chosen) => of_stored(Some(chosen)),
        Some(_) | None => resources.clone(),
    };
    let compared = Was { document: Some(&was), resources: &judged };
    rights::may(api, caller, &compared, &document, &read.instance.resources, chosen.as_ref())?;
    let mut known = api.store.pollers(row.org, Some(row.id)).await?;
    // Those of subscriptions are not the document's, and may have the names of its resources.
    known.retain(|poller| poller.subscription.is_none());
    let pollers = pollers(api, &read, &known, &resources);
    let moves = chosen.as_ref().map(|chosen| (chosen.id, chosen.revision)) != row.element;
    Ok(Change { row, was, document, chosen, moves, read, known, pollers, wanted: Sent { sent, unset } })
}

/// The connector that an instance shall have: the one that the request names, else the present revision of its own.
async fn wanted_connector(
    api: &Api,
    row: &InstanceRow,
    document: &Value,
    stays: bool,
) -> Answer<Option<Chosen>> {
    let reference = Reference::of(document);
    let Some((own, _)) = row.element else { return first_connector(api, row, &reference).await };
    if reference != Reference::default() {
        let Some(named) = reference.row(api, row.org).await? else {
            let message = format!(
                "there is no connector `{}`; import it, or leave `element` out",
                reference.key.unwrap_or_default()
            );
            return Err(ApiError::conflict("elementChanged", message));
        };
        if named.id != own {
            return for_new(api, &named).await.map(Some);
        }
    }
    if stays {
        return of_row(api, row).await;
    }
    let current = api.directory.element(row.org, own).await?;
    Chosen::current(api, &current).await.map(Some)
}

/// The same for an instance that brings its own settings: it becomes one of a connector only by the connector's id.
async fn first_connector(api: &Api, row: &InstanceRow, reference: &Reference) -> Answer<Option<Chosen>> {
    if reference.id.is_some() {
        let named = reference.row(api, row.org).await?.ok_or_else(|| ApiError::not_found("connector"))?;
        return for_new(api, &named).await.map(Some);
    }
    if reference.key.as_ref().is_none_or(|key| *key == row.element_key) {
        return Ok(None);
    }
    let message = format!(
        "the instance brings its own settings as `{}`, which stays; name a stored connector by `element.id`, or make \
         a new instance",
        row.element_key
    );
    Err(ApiError::conflict("elementChanged", message))
}

/// What only we write into a document stays in it: who made it, and what an authorisation brought.
fn carry_over(was: &Value, document: &mut Value, unset: &[String]) {
    if let Some(user) = was.get("user") {
        document["user"] = user.clone();
    }
    let Some(old) = configuration(was) else { return };
    let kept: Vec<(String, Value)> = TOKENS
        .iter()
        .filter(|key| !unset.iter().any(|unset| unset == *key))
        .filter_map(|key| Some(((*key).to_owned(), old.get(*key)?.clone())))
        .collect();
    if kept.is_empty() {
        return;
    }
    let Ok(configuration) = configuration_mut(document) else { return };
    for (key, value) in kept {
        configuration.entry(key).or_insert(value);
    }
}

/// The pollers after a change. While an instance wants no events, those that it had rest, and none is added.
fn pollers(api: &Api, read: &Understood, known: &[PollerRow], resources: &[Resource]) -> Vec<NewPoller> {
    let before = Before { pollers: known, resources };
    let mut pollers = pollers_of(&read.instance, before, api.now(), api.entropy.as_ref());
    if !read.instance.enabled {
        pollers.retain(|poller| known.iter().any(|known| known.resource == poller.resource));
    }
    pollers
}

impl Change {
    fn members(&self) -> Vec<String> {
        let mut members = changed_members(&self.was, &self.document);
        if self.moves {
            members.push("element".to_owned());
        }
        if self.document.get("providerData").is_some_and(|data| !data.is_null()) {
            members.push("providerData".to_owned());
        }
        members
    }

    fn planned(&self) -> InstanceOrPlan {
        let changes = changes(&self.known, &self.pollers, &self.read.instance.resources);
        InstanceOrPlan::Plan(Plan::new(changes, self.members(), &self.read))
    }

    async fn carry_out(mut self, api: &Api) -> Answer<(InstanceRow, InstanceBody)> {
        let (org, id) = (self.row.org, self.row.id);
        let changed = changed_keys(&self.was, &self.document);
        let signed_in = match &self.chosen {
            Some(chosen) if self.signs_in(chosen, &changed) => {
                let document = self.for_sign_in(&chosen.connector);
                let connections = api.calls.connections();
                let signed_in = connections.sign_in(org, &chosen.connector, &document).await;
                Some(signed_in.map_err(not_signed_in)?)
            }
            Some(_) | None => None,
        };
        if let Some(signed_in) = &signed_in {
            signed_in.write_into(&mut self.document);
        }
        let wants_told = provision::is_provisioned(&self.read.instance, self.chosen.as_ref());
        let was_told = provision::end_unless(wants_told, api, &self.row).await;
        let events = self.read.instance.enabled;
        let (warnings, repairs) = (findings(&self.read.warnings), findings(&self.read.repairs));
        let new = new_instance(api, org, self.read, &self.document, self.chosen.as_ref(), self.pollers);
        api.store.update_instance(org, id, new, api.now()).await?;
        let row = api.store.instance(org, id).await?;
        if self.chosen.is_some() {
            let sent = changed.into_iter().filter(|key| self.wanted.sent.contains(key));
            let newer: Vec<String> = sent.chain(self.wanted.unset).collect();
            connected(api, &row, &newer, signed_in.as_ref()).await?;
        }
        switch::follow_events(api, &row, events).await?;
        if wants_told && !was_told {
            provision::tell_changed(api, &row).await?;
        }
        date_formats::remember_of_instance(api, org, &self.document).await;
        (api.wake)();
        let mut body = shown(api, &row).await?;
        (body.warnings, body.repairs) = (warnings, repairs);
        Ok((row, body))
    }

    /// Whether the account is connected anew by this change.
    fn signs_in(&self, chosen: &Chosen, changed: &[String]) -> bool {
        let data = self.document.get("providerData").and_then(Value::as_object);
        if data.is_some_and(|data| !data.is_empty()) {
            return true;
        }
        let connector = &chosen.connector;
        let sent = |key: &&String| self.wanted.sent.contains(*key) && changed.contains(key);
        let mut sent = self.wanted.sent.iter().filter(sent);
        match connector.authentication {
            AuthenticationKind::None => false,
            // Without a grant there is nothing to exchange; tokens may come from elsewhere.
            AuthenticationKind::OAuth2 | AuthenticationKind::OAuth1 => {
                sent.any(|key| TOKENS.contains(&key.as_str()))
            }
            AuthenticationKind::Basic
            | AuthenticationKind::ApiKey
            | AuthenticationKind::OAuth2ClientCredentials
            | AuthenticationKind::OAuth2Password
            | AuthenticationKind::AwsV4
            | AuthenticationKind::Custom => sent.any(|key| is_credential(connector, key)),
        }
    }

    /// The document for signing in: tokens that it had must not pass for tokens that were sent.
    fn for_sign_in(&self, connector: &Connector) -> Value {
        let mut document = self.document.clone();
        let exchanges =
            matches!(connector.authentication, AuthenticationKind::OAuth2 | AuthenticationKind::OAuth1);
        if let (true, Ok(configuration)) = (exchanges, configuration_mut(&mut document)) {
            configuration.retain(|key, _| !TOKENS.contains(&key.as_str()) || self.wanted.sent.contains(key));
        }
        document
    }
}

/// Takes back what is kept of keys that are newer in the document, and keeps what signing in brought.
async fn connected(
    api: &Api,
    row: &InstanceRow,
    newer: &[String],
    signed_in: Option<&turnstone_engine::connections::SignedIn>,
) -> Answer<()> {
    let connections = api.calls.connections();
    let busy = |error: turnstone_engine::connections::ConnectionError| {
        ApiError::of_call(error.fault(), "connectionBusy")
    };
    if !newer.is_empty() {
        connections.forget(row, newer).await.map_err(busy)?;
    }
    match signed_in {
        Some(signed_in) => connections.adopt(row, signed_in).await.map_err(busy),
        None => Ok(()),
    }
}

fn is_credential(connector: &Connector, key: &str) -> bool {
    let is_secret = connector.entry(key).map_or_else(|| keys::is_secret(key), |entry| entry.secret);
    !key.starts_with("event.") && (is_secret || key == "username")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_adds_replaces_and_takes_out() {
        let mut document = json!({"configuration": {"a": 1, "b": 2}});
        let Value::Object(patch) = json!({"a": null, "b": 3, "c": {"d": 4}}) else { panic!("an object") };
        merge_configuration(&mut document, patch).unwrap();
        assert_eq!(document, json!({"configuration": {"b": 3, "c": {"d": 4}}}));
        assert_eq!(known_members().matches('`').count(), 14);
    }

    #[test]
    fn tokens_stay_unless_they_are_taken_out_by_name() {
        let was =
            json!({"user": {"id": 1}, "configuration": {"oauth.user.token": "t", "expires_in": "5", "a": 1}});
        let mut document = json!({"configuration": {"expires_in": "9"}});
        carry_over(&was, &mut document, &[]);
        let expect =
            json!({"configuration": {"expires_in": "9", "oauth.user.token": "t"}, "user": {"id": 1}});
        assert_eq!(document, expect);
        let mut document = json!({"configuration": {}});
        carry_over(&was, &mut document, &["oauth.user.token".into(), "expires_in".into()]);
        assert_eq!(document["configuration"], json!({}));
    }
}
