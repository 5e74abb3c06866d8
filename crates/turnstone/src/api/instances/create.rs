//! Making an instance: from a stored connector, or with settings of its own.
//!
//! Everything that can be judged without the provider is judged before it is asked: a grant code is good once. Signing
//! in comes next, and only then is anything stored, so an account that cannot be connected leaves nothing behind.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::HeaderMap;
use serde_json::{Value, json};
use turnstone_core::call::CallFault;
use turnstone_engine::connections::SignedIn;
use turnstone_engine::prepare::{Before, pollers_of};
use turnstone_store::{InstanceRow, NewInstance, NewPoller};

use super::document::{Understood, new_instance, understand};
use super::element::{Chosen, Reference, for_new, write_reference};
use super::plan::{Plan, changed_members, changes};
use super::provision;
use super::remembered::{self, Remembered};
use super::rights::{self, Was};
use super::shape::{ADDED, InstanceOrPlan, findings, made_by, shown};
use crate::api::access::Caller;
use crate::api::body::{Body, Query};
use crate::api::error::{Answer, ApiError};
use crate::api::{Api, access, date_formats, secret};

/// Makes an instance and starts its pollers.
///
/// `element` names a connector by `key` or `id`. Where the organisation has a connector of that key, the instance is
/// made from it and takes what it leaves out from it; else it brings its own settings. `providerData` is what the
/// redirect of an authorisation brought; it is used once and kept nowhere. The same request under the same
/// `Idempotency-Key` makes one instance and gets the same answer.
#[utoipa::path(
    post,
    path = "/instances",
    tag = "instances",
    operation_id = "createInstance",
    params(
        ("plan" = Option<bool>, Query, description = "`true` says what would be done, and does nothing."),
        ("Idempotency-Key" = Option<String>, Header, description = "Names this request, so that it can safely be sent again within a day.")
    ),
    request_body = Value,
    responses((status = 200, body = InstanceOrPlan)),
    extensions(("x-right" = json!("member")))
)]
pub async fn create(
    State(api): State<Api>,
    caller: Caller,
    query: Query,
    headers: HeaderMap,
    Body(document): Body,
) -> Answer<Response> {
    answer(&api, &caller, document, &query, &headers).await
}

/// Makes an instance, plans it, or repeats what was answered before.
pub async fn answer(
    api: &Api,
    caller: &Caller,
    document: Value,
    query: &Query,
    headers: &HeaderMap,
) -> Answer<Response> {
    if query.flag("plan")? {
        let draft = draft(api, caller, document).await?;
        let plan = planned(api, &draft);
        return Ok((Extension(access::Unaudited), Json(plan)).into_response());
    }
    let seen = remembered::begin(api, caller, headers, &document).await?;
    let place = match seen {
        Remembered::Answer(response) => return Ok(response),
        Remembered::New(place) => place,
    };
    let made = make(api, caller, draft(api, caller, document).await?).await?;
    remembered::end(api, caller, place, &made).await?;
    Ok(Json(made).into_response())
}

/// A document that may become an instance.
pub struct Draft {
    /// It, secrets open.
    pub document: Value,
    /// Its connector.
    pub chosen: Option<Chosen>,
    /// What it says.
    pub read: Understood,
}

/// Judges a document as one that becomes an instance. Nothing is sent and nothing is stored.
pub async fn draft(api: &Api, caller: &Caller, mut document: Value) -> Answer<Draft> {
    if let Some(members) = document.as_object_mut() {
        members.retain(|name, _| !ADDED.contains(&name.as_str()));
    }
    let chosen = match Reference::of(&document).row(api, caller.org).await? {
        Some(row) => Some(for_new(api, &row).await?),
        None => None,
    };
    if let Some(chosen) = &chosen {
        write_reference(&mut document, chosen);
    }
    let connector = chosen.as_ref().map(|chosen| &chosen.connector);
    let read = understand(api, caller.org, &document, connector)?;
    let was = Was { document: None, resources: &[] };
    rights::may(api, caller, &was, &document, &read.instance.resources, chosen.as_ref())?;
    document["user"] = made_by(&caller.user);
    Ok(Draft { document, chosen, read })
}

/// The pollers of a new instance; one that wants no events has none.
fn pollers(api: &Api, read: &Understood) -> Vec<NewPoller> {
    match read.instance.enabled {
        true => pollers_of(&read.instance, Before::default(), api.now(), api.entropy.as_ref()),
        false => Vec::new(),
    }
}

fn planned(api: &Api, draft: &Draft) -> InstanceOrPlan {
    let changes = changes(&[], &pollers(api, &draft.read), &draft.read.instance.resources);
    let mut members = changed_members(&json!({}), &draft.document);
    members.push("element".to_owned());
    InstanceOrPlan::Plan(Plan::new(changes, members, &draft.read))
}

async fn make(api: &Api, caller: &Caller, draft: Draft) -> Answer<InstanceOrPlan> {
    let Draft { mut document, chosen, read } = draft;
    let signed_in = match &chosen {
        Some(chosen) => {
            let connections = api.calls.connections();
            let signed_in = connections.sign_in(caller.org, &chosen.connector, &document).await;
            Some(signed_in.map_err(not_signed_in)?)
        }
        None => None,
    };
    if let Some(signed_in) = &signed_in {
        signed_in.write_into(&mut document);
    }
    let (warnings, repairs) = (findings(&read.warnings), findings(&read.repairs));
    let pollers = pollers(api, &read);
    let token = secret(api.entropy.as_ref());
    let is_provisioned = provision::is_provisioned(&read.instance, chosen.as_ref());
    let new = new_instance(api, caller.org, read, &document, chosen.as_ref(), pollers);
    // Nothing of it is polled before its provider has accepted our address.
    let new = NewInstance { token_hash: access::hash(&token), enabled: !is_provisioned, ..new };
    let id = api.store.create_instance(new, api.now()).await?;
    let mut row = api.store.instance(caller.org, id).await?;
    if let Some(signed_in) = signed_in {
        adopt(api, &row, &signed_in).await;
    }
    if is_provisioned {
        if let Err(error) = provision::tell(api, &row).await {
            undo(api, &row).await;
            return Err(error);
        }
        api.store.set_enabled(caller.org, id, true).await?;
        row.enabled = true;
    }
    date_formats::remember_of_instance(api, caller.org, &document).await;
    (api.wake)();
    let mut body = shown(api, &row).await?;
    body.token = Some(token);
    (body.warnings, body.repairs) = (warnings, repairs);
    Ok(InstanceOrPlan::Instance(Box::new(body)))
}

/// Takes an instance away whose provider did not accept our address.
async fn undo(api: &Api, row: &InstanceRow) {
    for words in api.calls.connections().disconnect(row).await {
        tracing::warn!(instance = %row.id, "giving back an account did not work: {words}");
    }
    if let Err(error) = api.store.delete_instance(row.org, row.id, api.now()).await {
        tracing::error!(%error, instance = %row.id, "an instance that could not be provisioned could not be removed; it is disabled");
    }
}

/// The document holds the first tokens already, so a connection that cannot be written now is no loss.
async fn adopt(api: &Api, row: &InstanceRow, signed_in: &SignedIn) {
    if let Err(error) = api.calls.connections().adopt(row, signed_in).await {
        tracing::warn!(%error, instance = %row.id, "the connection of a new instance could not be written");
    }
}

/// An account that cannot be connected, in the field's shape.
pub fn not_signed_in(fault: CallFault) -> ApiError {
    ApiError::of_call(fault, "signInFailed")
}
