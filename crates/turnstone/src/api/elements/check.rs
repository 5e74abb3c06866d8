//! What is wrong with a connector, without doing anything with it.

use axum::Json;
use axum::extract::State;
use turnstone_core::connector::CheckedConnector;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::Api;
use super::super::access::Caller;
use super::super::body::TextBody;
use super::super::error::{Answer, ApiError};
use super::super::instances::CheckedBody;
use super::scripts;
use super::stored::{arrive, understand};

/// The operations.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(check))
}

/// Says everything that is wrong with a connector.
///
/// It is judged as by `POST /elements`, hooks that do not compile included. Nothing is stored.
#[utoipa::path(
    post,
    path = "/elements/check",
    tag = "elements",
    operation_id = "checkElement",
    request_body = Value,
    responses((status = 200, body = CheckedBody)),
    extensions(("x-right" = json!("admin")), ("x-audited" = json!(false)))
)]
pub async fn check(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    TextBody(text): TextBody,
) -> Answer<Json<CheckedBody>> {
    let document = arrive(&api, org, text)?;
    let found = match understand(&api, &document) {
        Ok((connector, mut warnings)) => {
            warnings.extend(scripts::broken(&api, org, &connector).await);
            CheckedBody::of(&[], &[], &warnings)
        }
        Err(ApiError { faults, .. }) => {
            let CheckedConnector { warnings, .. } = api.preparer.check_connector(&document, api.now());
            CheckedBody::of(&faults, &[], &warnings)
        }
    };
    Ok(Json(found))
}
