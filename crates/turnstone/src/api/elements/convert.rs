//! A connector made from an API's description, to be refined and imported; nothing is stored.
//!
//! The description comes as a file of a form, as the field's clients send it, or as the body itself; in JSON or YAML.

use axum::extract::{FromRequest, Multipart, Request, State};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde_json::Value;
use turnstone_core::openapi::{ImportError, import};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::Api;
use super::super::access::Caller;
use super::super::body::{LARGE_BYTES_MAX, Query, bytes, text};
use super::super::error::{Answer, ApiError};
use super::JsonText;
use super::stored::with_warnings;

/// The operations.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(convert))
}

/// Makes a connector of an OpenAPI document, without storing it.
///
/// Takes OpenAPI 2 and 3 as JSON or YAML: as the file `file` of a form, or as the body. `warnings` of the answer say
/// what has no counterpart.
#[utoipa::path(
    post,
    path = "/elements/convert",
    tag = "elements",
    operation_id = "convertElement",
    params(("type" = Option<String>, Query, description = "`swagger`, which it also is when it is left out.")),
    request_body(content(
        (Value = "application/json"),
        (String = "application/yaml"),
        (Upload = "multipart/form-data")
    )),
    responses((status = 200, body = Value)),
    extensions(("x-right" = json!("admin")), ("x-audited" = json!(false)))
)]
pub async fn convert(
    State(api): State<Api>,
    Caller { .. }: Caller,
    query: Query,
    request: Request,
) -> Answer<JsonText> {
    match query.text("type").map(str::to_ascii_lowercase).as_deref() {
        None | Some("swagger" | "openapi") => {}
        Some("soap") => {
            let message =
                "SOAP is not read here; describe the API as OpenAPI and send it with `type=swagger`";
            return Err(ApiError::bad("badParameter", message));
        }
        Some(_) => return Err(ApiError::bad("badParameter", "`type` is not known; write `swagger`")),
    }
    let description = read(&api, request).await?;
    let made = import(&understood(&description)?).map_err(|error| match error {
        ImportError::NoDescription
        | ImportError::NoPaths
        | ImportError::TooLarge(_)
        | ImportError::Unusable(_) => ApiError::bad("badDocument", error.to_string()),
    })?;
    Ok(JsonText(with_warnings(made.document.completed().text(), &made.warnings)))
}

/// A form with the description.
#[derive(utoipa::ToSchema)]
#[allow(dead_code, reason = "it only describes the form")]
pub struct Upload {
    /// The description, JSON or YAML.
    #[schema(format = Binary, content_media_type = "application/octet-stream")]
    file: String,
}

async fn read(api: &Api, request: Request) -> Answer<String> {
    let declared = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence =
        declared.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "multipart/form-data" => file(api, request).await,
        "application/x-www-form-urlencoded" | "multipart/mixed" => Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupportedMediaType",
            format!(
                "`{essence}` is not read here; send a form with the file `file`, or the document as JSON or YAML"
            ),
        )),
        // Whatever else it is called, it is the document: YAML has many names.
        _ => text(bytes(request, LARGE_BYTES_MAX).await?),
    }
}

/// The file of a form: the field `file`, or else its only file.
async fn file(api: &Api, request: Request) -> Answer<String> {
    let broken = |words: String| ApiError::bad("badForm", format!("the form cannot be read: {words}"));
    let (parts, body) = request.into_parts();
    let whole = bytes(Request::from_parts(parts.clone(), body), LARGE_BYTES_MAX).await?;
    let request = Request::from_parts(parts, axum::body::Body::from(whole));
    let mut form = Multipart::from_request(request, api).await.map_err(|error| broken(error.body_text()))?;
    let mut other = None;
    while let Some(field) = form.next_field().await.map_err(|error| broken(error.body_text()))? {
        let is_it = field.name() == Some("file");
        let is_file = field.file_name().is_some();
        let content = field.bytes().await.map_err(|error| broken(error.body_text()))?;
        if is_it {
            return text(content);
        }
        if is_file {
            other.get_or_insert(content);
        }
    }
    match other {
        Some(content) => text(content),
        None => {
            Err(ApiError::bad("badForm", "the form has no file; send the description as the file `file`"))
        }
    }
}

fn understood(description: &str) -> Answer<Value> {
    let trimmed = description.trim_start();
    if trimmed.is_empty() {
        return Err(ApiError::bad("malformedJson", "there is no description; send OpenAPI as JSON or YAML"));
    }
    if trimmed.starts_with('{') {
        return serde_json::from_str(description).map_err(|error| {
            ApiError::bad(
                "malformedJson",
                format!("the description is not JSON: {error}; correct it at that place"),
            )
        });
    }
    serde_saphyr::from_str(description).map_err(|error| {
        let words = error.to_string();
        let first = words.lines().next().unwrap_or_default();
        ApiError::bad("malformedYaml", format!("the description is neither JSON nor YAML: {first}"))
    })
}
