//! From a document to a flow that can be run, or to everything that is wrong with it at once.
//!
//! [`check`] is the only maker of a [`Flow`]. What it lets pass needs no second look: every card exists, every
//! reference leads to an output that is there by then, every wire joins two types that the table of conversions joins,
//! and every path ends. Each [`Fault`] names the card, the input and what would be right.
//!
//! Deliberately not here: the form of the document (`document`), what only a run can know (an empty list, an answer).

mod compile;
mod graph;
mod inputs;
mod record;
mod references;
mod shape;
mod wires;

use std::time::Duration;

use super::document::Document;
use super::program::{
    Action, Body, CardCode, Expression, Flow, HttpKind, InputCode, OutputCode, PolicyCode, Program,
    SLOT_PARAMETERS, ThenCode,
};
use super::run::can_be_cursor;
use super::value::{Type, Value};
use crate::check::Fault;
use crate::check::section::Findings;

/// Name of the helper flow that every monitor can call.
pub const HTTP_HELPER: &str = "httpHelper";

/// What dates that are read from the cursor are lowered by, where records have an id and the document says nothing.
const OVERLAP_DEFAULT: Duration = Duration::from_secs(120);

/// What came of checking a document.
#[derive(Clone, Debug)]
pub struct CheckedFlow {
    /// The flow; `None` when there is a fault.
    pub flow: Option<Flow>,
    /// Everything that must be put right first.
    pub faults: Vec<Fault>,
    /// What works and could be better.
    pub warnings: Vec<Fault>,
}

/// A helper flow from its caller's side.
#[derive(Clone, Debug)]
struct Signature {
    name: String,
    inputs: Vec<(String, Type)>,
    outputs: Vec<(String, Type)>,
}

/// Checks a document. Collects every fault; never panics, whatever the document holds.
pub fn check(document: &Document) -> CheckedFlow {
    let mut findings = Findings::default();
    check_settings(document, &mut findings);
    let signatures = signatures(document);
    let mut programs = Vec::new();
    programs.push(compile::main(document, &signatures, &mut findings));
    for flow in &document.flows {
        programs.push(compile::helper(document, flow, &signatures, &mut findings));
    }
    if !document.flows.iter().any(|flow| flow.name == HTTP_HELPER) {
        programs.push(http_helper());
    }
    graph::check(document, &programs, &mut findings);
    shape::check_outputs(document, &programs, &mut findings);
    let identity = record::check(document, &mut findings);
    let has_id = identity.as_ref().is_some_and(|identity| identity.id.is_some());
    let overlap = if has_id { OVERLAP_DEFAULT } else { Duration::ZERO };
    let Findings { faults, warnings, .. } = findings;
    let flow = faults.is_empty().then(|| Flow {
        name: document.name.clone(),
        connector: document.connector.clone(),
        interval_min: document.interval_min,
        cursor: document.cursor,
        cursor_overlap: document.cursor_overlap.unwrap_or(overlap),
        options: document.options.clone(),
        outputs: document.outputs.clone(),
        record: identity,
        programs,
    });
    CheckedFlow { flow, faults, warnings }
}

fn signatures(document: &Document) -> Vec<Signature> {
    let mut signatures = vec![Signature { name: String::new(), inputs: Vec::new(), outputs: Vec::new() }];
    signatures.extend(document.flows.iter().map(|flow| Signature {
        name: flow.name.clone(),
        inputs: flow.inputs.clone(),
        outputs: flow.outputs.clone(),
    }));
    if !document.flows.iter().any(|flow| flow.name == HTTP_HELPER) {
        let helper = http_helper();
        signatures.push(Signature { name: helper.name, inputs: helper.parameters, outputs: helper.outputs });
    }
    signatures
}

fn check_settings(document: &Document, findings: &mut Findings) {
    if !can_be_cursor(document.cursor) {
        let problem = format!("a cursor cannot be {}", document.cursor);
        findings.fault("cursor", problem, "write date, number, text or object");
    }
    let minutes = document.interval_min.as_secs_f64() / 60.0;
    if !crate::limits::INTERVAL_MINUTES.contains(&minutes) {
        let problem = format!("{} s is no interval", document.interval_min.as_secs());
        findings.fault("minimumInterval", problem, "write `1m` to `30d`");
    }
    for (at, option) in document.options.iter().enumerate() {
        if document.options[..at].iter().any(|other| other.label == option.label) {
            let problem = format!("the option `{}` is declared twice", option.label);
            findings.fault(&format!("options[{at}].label"), problem, "give it a label of its own");
        }
        if let Some(super::document::Choices::Flow(name)) = &option.choices {
            check_choices(document, at, name, findings);
        }
    }
}

/// A flow that returns the values of a dropdown.
fn check_choices(document: &Document, at: usize, name: &str, findings: &mut Findings) {
    let path = format!("options[{at}].values.flow");
    match document.flows.iter().find(|flow| flow.name == name) {
        Some(flow) if flow.outputs.len() == 1 && flow.outputs[0].1.collection => {}
        Some(_) => {
            let problem = format!("the flow `{name}` does not return one list");
            findings.fault(&path, problem, "let it return a list of texts, or of objects `{display, value}`");
        }
        None => {
            let problem = format!("there is no flow `{name}`");
            findings.fault(&path, problem, "write it under `flows`, or list the values here");
        }
    }
}

/// The helper flow that asks the connection's provider (catalogue §10).
///
/// Its request is tried again after a 429: three times, after ten seconds or what the provider asks for.
fn http_helper() -> Program {
    let parameters = [
        ("relative_url", Type::TEXT),
        ("request_method", Type::TEXT),
        ("query", Type::OBJECT),
        ("headers", Type::OBJECT),
        ("body", Type::ANY),
    ];
    // What comes back may be a list as well as an object: providers answer both.
    let outputs = [("status_code", Type::NUMBER), ("headers", Type::OBJECT), ("body", Type::ANY)];
    let inputs = parameters.iter().enumerate().map(|(at, (name, _))| InputCode {
        key: (*name).to_string(),
        expression: Expression::Slot(SLOT_PARAMETERS + at, Vec::new()),
    });
    let first = SLOT_PARAMETERS + parameters.len();
    let kept = outputs.iter().enumerate().map(|(at, (name, of))| OutputCode {
        key: (*name).to_string(),
        of: *of,
        slot: first + at,
    });
    let returned = outputs.iter().enumerate().map(|(at, (name, _))| InputCode {
        key: (*name).to_string(),
        expression: Expression::Slot(first + at, Vec::new()),
    });
    let card =
        |label: &str, id: &str, inputs: Vec<InputCode>, outputs: Vec<OutputCode>, action, policy| CardCode {
            label: label.to_string(),
            place: format!("flows.{HTTP_HELPER}.{label}"),
            spec: super::cards::spec(id).expect("the catalogue has it"),
            inputs,
            outputs,
            author_outputs: Vec::new(),
            action,
            policy,
            timeout: None,
        };
    let policy = PolicyCode { retry: 3, after: Duration::from_secs(10), then: ThenCode::Halt };
    let request = card(
        "request",
        "http.raw",
        inputs.collect(),
        kept.collect(),
        Action::Http(HttpKind::Helper),
        Some(policy),
    );
    let back = card("return", "control.return", returned.collect(), Vec::new(), Action::Return, None);
    let named = |list: &[(&str, Type)]| list.iter().map(|(name, of)| ((*name).to_string(), *of)).collect();
    Program {
        name: HTTP_HELPER.to_string(),
        parameters: named(&parameters),
        outputs: named(&outputs),
        body: Body::from([0, 1]),
        cards: vec![request, back],
        slots: first + outputs.len(),
    }
}

/// Ids that no card may have, because references mean something else by them.
pub(super) fn reserved_ids() -> &'static [&'static str] {
    &references::SOURCES
}

/// A literal value of the document.
fn literal(json: &serde_json::Value) -> Value {
    Value::from_json(&json.to_string()).unwrap_or_default()
}
