//! Event hooks to start from, and the schemes of verification that are known by name.

use axum::Json;
use axum::extract::Path;
use serde::Serialize;
use serde_json::Value;
use turnstone_core::intake::{presets, samples};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::api::access::Caller;
use crate::api::error::{Answer, ApiError};

/// The operations.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(read)).routes(routes!(list_presets))
}

/// An event hook to start from, in short.
#[derive(Debug, Serialize, ToSchema)]
pub struct SampleName {
    /// Its name.
    #[schema(example = "json-body")]
    name: &'static str,
    /// Its name for people.
    title: &'static str,
    /// What it is an example of.
    about: &'static str,
}

/// An event hook to start from.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Sample {
    #[serde(flatten)]
    name: SampleName,
    /// The hook.
    script: &'static str,
    /// Whether it is an older one that returns its result.
    is_legacy: bool,
    /// The value of `event.webhook.verification` that goes with it; `null` where the hook checks by itself.
    #[schema(value_type = Value)]
    verification: Option<Value>,
    /// A request as its provider sends it.
    request: SampleRequest,
}

/// A request of a sample.
#[derive(Debug, Serialize, ToSchema)]
pub struct SampleRequest {
    /// Its method.
    method: &'static str,
    /// Its query parameters.
    query: Vec<(&'static str, &'static str)>,
    /// Its headers.
    headers: Vec<(&'static str, &'static str)>,
    /// Its body.
    body: &'static str,
}

/// A scheme of verification that is known by name.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PresetName {
    /// The value of `event.webhook.verification`.
    #[schema(example = "github")]
    name: &'static str,
    /// Whether requests show that they are the provider's.
    verifies: bool,
    /// Whether the provider asks a question first, which is answered.
    answers_challenge: bool,
}

impl From<&samples::Sample> for SampleName {
    fn from(sample: &samples::Sample) -> SampleName {
        SampleName { name: sample.name, title: sample.title, about: sample.about }
    }
}

/// Lists event hooks to start from.
#[utoipa::path(
    get,
    path = "/webhooks/samples",
    tag = "webhooks",
    operation_id = "listWebhookSamples",
    responses((status = 200, body = Vec<SampleName>)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn list(_caller: Caller) -> Json<Vec<SampleName>> {
    Json(samples::SAMPLES.iter().map(SampleName::from).collect())
}

/// One event hook to start from, with a request and the verification that goes with it.
#[utoipa::path(
    get,
    path = "/webhooks/samples/{name}",
    tag = "webhooks",
    operation_id = "readWebhookSample",
    params(
        ("name" = String, Path, description = "The sample.")
    ),
    responses((status = 200, body = Sample)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn read(_caller: Caller, Path(name): Path<String>) -> Answer<Json<Sample>> {
    let found = samples::SAMPLES.iter().find(|sample| sample.name == name);
    let sample = found.ok_or_else(|| ApiError::not_found("sample"))?;
    Ok(Json(Sample {
        name: sample.into(),
        script: sample.script,
        is_legacy: sample.is_legacy,
        verification: serde_json::from_str(sample.verification).ok(),
        request: SampleRequest {
            method: sample.method,
            query: sample.query.to_vec(),
            headers: sample.headers.to_vec(),
            body: sample.body,
        },
    }))
}

/// Lists the schemes of verification that are known by name.
#[utoipa::path(
    get,
    path = "/webhooks/presets",
    tag = "webhooks",
    operation_id = "listWebhookPresets",
    responses((status = 200, body = Vec<PresetName>)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn list_presets(_caller: Caller) -> Json<Vec<PresetName>> {
    let shown = |name: &'static str| {
        let preset = presets::preset(name)?;
        Some(PresetName {
            name,
            verifies: preset.verification.is_some(),
            answers_challenge: preset.challenge.is_some(),
        })
    };
    Json(presets::NAMES.into_iter().filter_map(shown).collect())
}
