//! A monitor's document as somebody sends it: read, judged, told about; and what an export of a flow becomes.
//!
//! Nothing here touches the store or a provider.

use std::sync::Arc;

use axum::Json;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use turnstone_core::check::Fault;
use turnstone_core::flow::check::{CheckedFlow, check};
use turnstone_core::flow::document::{Choices, Document, Group, OptionField};
use turnstone_core::flow::{Flow, import, type_word};
use turnstone_store::VersionRow;
use utoipa::ToSchema;

use super::findings;
use crate::api::access::Caller;
use crate::api::body::{Query, TextBody, Typed};
use crate::api::error::{Answer, ApiError, FaultBody};
use crate::cli::input;

/// Bytes of a document as it is kept; the largest ones known have some ten kilobytes.
const DOCUMENT_BYTES_MAX: usize = 1024 * 1024;

/// A document that was judged.
pub struct Judged {
    /// The flow, when nothing is wrong.
    pub flow: Option<Arc<Flow>>,
    /// What must be put right.
    pub faults: Vec<Fault>,
    /// What works and could be better.
    pub warnings: Vec<Fault>,
}

impl Judged {
    /// The flow, or 400 with every fault.
    pub fn sound(self) -> Answer<Arc<Flow>> {
        let Judged { flow, faults, .. } = self;
        flow.ok_or_else(|| ApiError::faults(faults))
    }
}

/// Judges a document.
pub fn judge(document: &Value) -> Judged {
    let document = match Document::read(document) {
        Ok(document) => document,
        Err(faults) => return Judged { flow: None, faults, warnings: Vec::new() },
    };
    let CheckedFlow { flow, faults, warnings } = check(&document);
    Judged { flow: flow.map(Arc::new), faults, warnings }
}

/// What was sent as a document: an object, or a text in YAML or JSON.
pub fn sent(document: Value) -> Answer<Value> {
    let document = match document {
        Value::String(text) if text.trim().is_empty() => {
            return Err(ApiError::bad("badDocument", "`document` is empty; send the monitor's document"));
        }
        Value::String(text) => input::parse(&text)
            .map_err(|what| ApiError::bad("malformedDocument", format!("`document` {what}")))?,
        other => other,
    };
    match document.is_object() {
        true if document.to_string().len() <= DOCUMENT_BYTES_MAX => Ok(document),
        true => {
            let message =
                format!("`document` is larger than {DOCUMENT_BYTES_MAX} bytes; move what can be shared out");
            Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "bodyTooLarge", message))
        }
        false => Err(ApiError::bad(
            "badDocument",
            "`document` is not a monitor's document; send an object, or the text of one in YAML or JSON",
        )),
    }
}

/// A document that is kept, as a value.
pub fn kept(text: &str) -> Answer<Value> {
    serde_json::from_str(text).map_err(|error| ApiError {
        detail: Some(format!("a document of a monitor: {error}")),
        ..ApiError::conflict("badDocument", "the stored document cannot be read; PUT it anew")
    })
}

/// The flow of a deployed version. One that this version of the program does not take any more is a conflict.
pub fn deployed(version: &VersionRow) -> Answer<Arc<Flow>> {
    let judged = judge(&kept(&version.document)?);
    judged.flow.ok_or_else(|| {
        let first = judged.faults.first().map(ToString::to_string).unwrap_or_default();
        let message =
            format!("version {} cannot be run any more: {first}; deploy another one", version.version);
        ApiError { faults: judged.faults, ..ApiError::conflict("badMonitor", message) }
    })
}

/// A document to be judged.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentToCheck {
    /// The document: an object, or a text in YAML or JSON.
    document: Value,
}

/// What is known of a document.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckedDocument {
    /// What must be put right; a document with faults is not saved.
    faults: Vec<FaultBody>,
    /// What works and could be better.
    warnings: Vec<FaultBody>,
    /// What a user chooses; empty while there are faults.
    options: Vec<OptionBody>,
    /// What it returns: types by group and field.
    #[schema(value_type = Object)]
    outputs: Value,
    /// Type of its cursor.
    #[schema(example = "date")]
    cursor: Option<String>,
    /// The shortest interval of a subscription.
    #[schema(example = 5.0)]
    minimum_interval_minutes: Option<f64>,
    /// Key of the connector that it is made for.
    connector: Option<String>,
    /// Whether it has a flow that tries a connection.
    has_authping: bool,
}

/// An option of a monitor.
#[derive(Debug, Serialize, ToSchema)]
pub struct OptionBody {
    /// Its name.
    label: String,
    /// Whether it must be given.
    required: bool,
    /// Values to choose from, where the document lists them.
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<Vec<ChoiceBody>>,
    /// The helper flow that returns them; `POST /monitors/{id}/test` runs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    flow: Option<String>,
}

/// A value to choose.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChoiceBody {
    /// What people see.
    display: String,
    /// What the monitor gets.
    value: String,
}

fn option(option: &OptionField) -> OptionBody {
    let (values, flow) = match &option.choices {
        None => (None, None),
        Some(Choices::Flow(name)) => (None, Some(name.clone())),
        Some(Choices::Listed(values)) => {
            let choice = |(display, value): &(String, String)| ChoiceBody {
                display: display.clone(),
                value: value.clone(),
            };
            (Some(values.iter().map(choice).collect()), None)
        }
    };
    OptionBody { label: option.label.clone(), required: option.required, values, flow }
}

fn outputs(groups: &[Group]) -> Value {
    let fields = |group: &Group| {
        let fields = group.fields.iter().map(|(name, of)| (name.clone(), json!(type_word(*of))));
        Value::Object(fields.collect())
    };
    Value::Object(groups.iter().map(|group| (group.name.clone(), fields(group))).collect())
}

impl From<Judged> for CheckedDocument {
    fn from(judged: Judged) -> CheckedDocument {
        let flow = judged.flow.as_deref();
        CheckedDocument {
            faults: findings(&judged.faults),
            warnings: findings(&judged.warnings),
            options: flow.map(|flow| flow.options.iter().map(option).collect()).unwrap_or_default(),
            outputs: flow.map_or_else(|| json!({}), |flow| outputs(&flow.outputs)),
            cursor: flow.map(|flow| type_word(flow.cursor)),
            minimum_interval_minutes: flow.map(|flow| flow.interval_min.as_secs_f64() / 60.0),
            connector: flow.and_then(|flow| flow.connector.clone()),
            has_authping: flow.is_some_and(Flow::has_authping),
        }
    }
}

/// Judges a document.
///
/// Nothing is kept and nobody is asked.
#[utoipa::path(
    post,
    path = "/monitors/check",
    tag = "monitors",
    operation_id = "checkMonitor",
    request_body = DocumentToCheck,
    responses((status = 200, body = CheckedDocument)),
    extensions(("x-right" = json!("reader")), ("x-audited" = json!(false)))
)]
pub async fn check_document(
    Caller { .. }: Caller,
    Typed(DocumentToCheck { document }): Typed<DocumentToCheck>,
) -> Answer<Json<CheckedDocument>> {
    Ok(Json(judge(&sent(document)?).into()))
}

/// What came of an export.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportedFlow {
    /// The document, to be looked through and saved.
    #[schema(value_type = Object)]
    document: Value,
    /// Cards that are not known here: flow, card and its id there.
    unknown: Vec<String>,
    /// What a person should look at.
    notes: Vec<String>,
    /// What must be put right before it can be saved.
    faults: Vec<FaultBody>,
    /// What works and could be better.
    warnings: Vec<FaultBody>,
}

/// Makes a document of an exported flow, without saving it.
///
/// The body is a `.flopack` file. The flow called `main` becomes the monitor; else the one that begins with a Polling
/// Monitor card, or the only one that no other calls.
#[utoipa::path(
    post,
    path = "/monitors/import",
    tag = "monitors",
    operation_id = "importMonitor",
    params(("main" = Option<String>, Query, description = "Name of the flow that becomes the monitor.")),
    request_body = Value,
    responses((status = 200, body = ImportedFlow)),
    extensions(("x-right" = json!("reader")), ("x-audited" = json!(false)))
)]
pub async fn import_flow(
    Caller { .. }: Caller,
    query: Query,
    TextBody(text): TextBody,
) -> Answer<Json<ImportedFlow>> {
    let export: Value = serde_json::from_str(&text).map_err(|error| {
        ApiError::bad("malformedJson", format!("the body is not JSON: {error}; send the export as it is"))
    })?;
    let imported = import::import(&export, query.text("main"))
        .map_err(|sentence| ApiError::bad("badDocument", sentence))?;
    let judged = judge(&imported.document);
    Ok(Json(ImportedFlow {
        document: imported.document,
        unknown: imported.unknown,
        notes: imported.notes,
        faults: findings(&judged.faults),
        warnings: findings(&judged.warnings),
    }))
}
