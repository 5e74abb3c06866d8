//! Flows as data: a document, the provider's scripted replies, and what the run brings.
//!
//! `tests/flows/*.yaml` hold runs. A document may be named (`examples/monitors/…`) or written; `cursor: kept` takes
//! what the run before it saved. A reply names the request that it answers, so that a request nobody expects fails the
//! test.

mod documents;
mod runs;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value as Json;
use turnstone_core::flow::Flow;
use turnstone_core::flow::check::check;
use turnstone_core::flow::document::Document;

/// A file below the project's root.
pub(crate) fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}

pub(crate) fn yaml(text: &str) -> Json {
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

pub(crate) fn yaml_file(name: &str) -> Json {
    let path = path(name);
    yaml(&std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

/// A sound flow of a document.
#[track_caller]
pub(crate) fn sound(json: &Json) -> Arc<Flow> {
    let document = Document::read(json).unwrap_or_else(|faults| panic!("{faults:#?}"));
    let checked = check(&document);
    Arc::new(checked.flow.unwrap_or_else(|| panic!("{:#?}", checked.faults)))
}
