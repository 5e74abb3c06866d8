//! What is wrong with a document, without doing anything with it: the words of `turnstone check`.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use turnstone_core::check::{Checked, Fault};
use utoipa::ToSchema;

use super::create::{self, Draft};
use super::element::{Chosen, Reference};
use super::{change, find};
use crate::api::Api;
use crate::api::access::Caller;
use crate::api::body::{Body, Query};
use crate::api::error::{Answer, ApiError, FaultBody};

/// What is to be said of a document.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = Checked)]
pub struct CheckedBody {
    /// Whether it could be stored: there is no fault.
    sound: bool,
    /// What must be put right first.
    faults: Vec<FaultBody>,
    /// What is misspelt and is read as it was meant.
    repairs: Vec<FaultBody>,
    /// What works less well than it could.
    warnings: Vec<FaultBody>,
}

impl CheckedBody {
    /// What was found.
    pub fn of(faults: &[Fault], repairs: &[Fault], warnings: &[Fault]) -> CheckedBody {
        let list = |found: &[Fault]| found.iter().map(FaultBody::from).collect();
        let (sound, faults) = (faults.is_empty(), list(faults));
        CheckedBody { sound, faults, repairs: list(repairs), warnings: list(warnings) }
    }
}

/// Says everything that is wrong with an instance's document.
///
/// It is judged as by `POST /instances`, and as by `PUT /instances/{id}` where `instanceId` names one. Nothing is sent
/// and nothing is stored.
#[utoipa::path(
    post,
    path = "/instances/check",
    tag = "instances",
    operation_id = "checkInstance",
    params(
        ("instanceId" = Option<i64>, Query, minimum = 0, description = "The instance whose document it would replace.")
    ),
    request_body = Value,
    responses((status = 200, body = CheckedBody)),
    extensions(("x-right" = json!("member")), ("x-audited" = json!(false)))
)]
pub async fn check(
    State(api): State<Api>,
    caller: Caller,
    query: Query,
    Body(document): Body,
) -> Answer<Json<CheckedBody>> {
    let drafted = match query.number("instanceId")? {
        Some(id) => {
            let row = find(&api, caller.org, &id.to_string()).await?;
            change::draft(&api, &caller, row, document.clone()).await
        }
        None => create::draft(&api, &caller, document.clone()).await,
    };
    let found = match drafted {
        Ok(Draft { read, .. }) => CheckedBody::of(&[], &read.repairs, &read.warnings),
        Err(error) if error.faults.is_empty() => return Err(error),
        Err(ApiError { faults, .. }) => {
            let Checked { repairs, warnings, .. } = beside(&api, &caller, &document).await;
            CheckedBody::of(&faults, &repairs, &warnings)
        }
    };
    Ok(Json(found))
}

/// What else there is to say of a document that has faults.
async fn beside(api: &Api, caller: &Caller, document: &Value) -> Checked {
    let row = Reference::of(document).row(api, caller.org).await.ok().flatten();
    let chosen = match &row {
        Some(row) => Chosen::current(api, row).await.ok(),
        None => None,
    };
    api.preparer.check_for(document, chosen.as_ref().map(|chosen| &chosen.connector), api.now())
}
