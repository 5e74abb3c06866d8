//! Connectors from API descriptions, and API descriptions of connectors.
//!
//! [`import`] turns an OpenAPI 2 or 3 document into element JSON that a person then refines; [`describe`] writes what a
//! connector or an instance can be called with as Swagger 2, which the field's clients and consoles read. Neither is a
//! round trip: a description says less than a connector.
//!
//! Not here: YAML (the caller brings JSON), SOAP, the description of our own API.

mod export;
mod import;
mod security;

use serde_json::{Map, Value};

use crate::check::Fault;
use crate::connector::Document;

pub use export::{Description, describe};
pub use import::import;

/// A connector made from a description.
#[derive(Clone, Debug)]
pub struct Imported {
    /// Its document; checked like any import before it is stored.
    pub document: Document,
    /// What of the description has no counterpart, with its place.
    pub warnings: Vec<Fault>,
}

/// Why a document is no description that we take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// Neither Swagger 2 nor OpenAPI 3.
    #[error(
        "the document has neither `\"swagger\": \"2.0\"` nor `\"openapi\": \"3.…\"`; send an OpenAPI description"
    )]
    NoDescription,
    /// There is nothing to call.
    #[error("the description has no `paths`; describe at least one operation")]
    NoPaths,
    /// Too much to call.
    #[error("the description has {0} operations, more than {max}; split it", max = crate::limits::OPENAPI_OPERATIONS_MAX)]
    TooLarge(usize),
    /// What came of it cannot be a connector.
    #[error("no connector comes of the description: {0}")]
    Unusable(String),
}

/// How many references may lead from one to the next.
const REFERENCES_MAX: usize = 16;

/// Follows `$ref` inside the document. A reference that leads elsewhere, nowhere or in a circle is an empty object.
fn resolve<'d>(root: &'d Value, value: &'d Value) -> &'d Value {
    let mut found = value;
    for _ in 0..REFERENCES_MAX {
        let Some(reference) = found.get("$ref").and_then(Value::as_str) else { return found };
        let Some(target) = reference.strip_prefix('#').and_then(|pointer| root.pointer(pointer)) else {
            break;
        };
        found = target;
    }
    &Value::Null
}

/// The members of an object, none for anything else.
fn members(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flat_map(Map::iter)
}

fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
}
