//! Connectors, which the field calls elements: imported, shown, changed in whole or in parts, copied and exported.
//!
//! A connector is kept as the text that came in; what is answered is read from it (`core::connector`). Everything that
//! changes one goes through `stored`: the change is made on the text, the whole is judged, and nothing with a fault is
//! kept. Instances stay with the revision that they were made from.
//!
//! Not here: instances of a connector, signing in to its provider.

mod catalog;
mod check;
mod configuration;
mod convert;
mod metadata;
mod parts;
mod scripts;
mod stored;

use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use utoipa_axum::router::OpenApiRouter;

pub use self::stored::{row, tried};

use super::Api;

/// The operations.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .merge(catalog::routes())
        .merge(metadata::routes())
        .merge(convert::routes())
        .merge(check::routes())
        .merge(configuration::routes())
        .merge(parts::routes())
}

/// An answer that is JSON already.
pub struct JsonText(pub String);

impl IntoResponse for JsonText {
    fn into_response(self) -> Response {
        ([(CONTENT_TYPE, "application/json")], self.0).into_response()
    }
}

/// A JSON list of texts that are JSON.
fn list_of(items: &[String]) -> String {
    format!("[{}]", items.join(","))
}
