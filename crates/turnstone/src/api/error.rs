//! What the API answers when it does not do what was asked: the field's shape, plus a stable code and all faults.
//!
//! A handler returns an [`ApiError`]; the outermost layer (`mod.rs`) gives it the request's id and writes the body, so
//! that errors of the framework and of the handlers look alike. A detail that is not for the client goes to the log.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use turnstone_core::call::CallFault;
use turnstone_core::check::Fault;
use turnstone_store::StoreError;
use utoipa::ToSchema;

/// What a handler returns.
pub type Answer<T> = Result<T, ApiError>;

/// An answer that is an error.
#[derive(Clone, Debug)]
pub struct ApiError {
    /// HTTP status.
    pub status: StatusCode,
    /// Stable code for programs.
    pub code: &'static str,
    /// A sentence for the client.
    pub message: String,
    /// Everything that is wrong with a document.
    pub faults: Vec<Fault>,
    /// What the provider said, if it was asked.
    pub provider_message: Option<String>,
    /// For the log only.
    pub detail: Option<String>,
}

impl ApiError {
    /// An error with a sentence.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> ApiError {
        ApiError {
            status,
            code,
            message: message.into(),
            faults: Vec::new(),
            provider_message: None,
            detail: None,
        }
    }

    /// 400: the request cannot be understood.
    pub fn bad(code: &'static str, message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// 404: there is no such thing, or it belongs to somebody else.
    pub fn not_found(what: &str) -> ApiError {
        ApiError::new(StatusCode::NOT_FOUND, "notFound", format!("there is no such {what}"))
    }

    /// 409: it cannot be done in the present state.
    pub fn conflict(code: &'static str, message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::CONFLICT, code, message)
    }

    /// What came of a call to a provider that failed.
    pub fn of_call(fault: CallFault, code: &'static str) -> ApiError {
        let status = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::BAD_GATEWAY);
        ApiError { provider_message: fault.provider_message, ..ApiError::new(status, code, fault.message) }
    }

    /// 400 with every fault of a document.
    pub fn faults(faults: Vec<Fault>) -> ApiError {
        let first = faults.first().map(ToString::to_string).unwrap_or_default();
        let message = match faults.len() {
            0 | 1 => format!("the document cannot be used: {first}"),
            more => format!("the document has {more} faults; the first: {first}"),
        };
        ApiError { faults, ..ApiError::bad("badDocument", message) }
    }

    /// The body, for a request with this id.
    pub fn body(&self, request_id: &str) -> ErrorBody {
        ErrorBody {
            request_id: request_id.to_owned(),
            message: self.message.clone(),
            code: self.code,
            faults: self.faults.iter().map(FaultBody::from).collect(),
            provider_message: self.provider_message.clone(),
        }
    }
}

/// What went wrong.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Error)]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody {
    /// Names the request; the log and the header `Elements-Request-Id` have it too.
    request_id: String,
    /// A sentence.
    message: String,
    /// For programs; does not change.
    #[schema(example = "badDocument")]
    code: &'static str,
    /// Everything that is wrong with a document.
    faults: Vec<FaultBody>,
    /// What the provider said.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_message: Option<String>,
}

/// Something about a document: wrong, repaired, or worth knowing.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Fault)]
pub struct FaultBody {
    /// Where.
    path: String,
    /// What is wrong.
    problem: String,
    /// What would be right.
    remedy: String,
}

impl From<&Fault> for FaultBody {
    fn from(fault: &Fault) -> FaultBody {
        let Fault { path, problem, remedy } = fault.clone();
        FaultBody { path, problem, remedy }
    }
}

impl IntoResponse for ApiError {
    /// Leaves the body to the outermost layer, which knows the request's id.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> ApiError {
        match error {
            StoreError::NotFound(what) => ApiError::not_found(what),
            StoreError::Conflict(sentence) => ApiError::conflict("conflict", sentence),
            StoreError::Unusable(_) | StoreError::Unknown(_) | StoreError::Failed(_) => ApiError {
                detail: Some(error.to_string()),
                ..ApiError::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "storeUnavailable",
                    "the store does not answer; try again",
                )
            },
        }
    }
}
