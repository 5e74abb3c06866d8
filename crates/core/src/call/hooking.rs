//! Hooks around a call: which run, what they read, and what their outcome means for the call.
//!
//! The contract is `hook`'s; here stands what only a call knows. The inputs carry the names that the field documents
//! (events §5), each as JSON text, so that no number goes through a float. Global hooks wrap those of the resource:
//! before the request first the connector's, then the resource's; after it the other way round.
//!
//! Not here: running a hook. The engine makes a `HookCall` of a [`HookAsk`] and answers with what came of it.

use std::fmt;

use jiff::Timestamp;
use serde_json::value::RawValue;

use crate::connector::{Connector, Hook, Resource};
use crate::hook::{
    HookBody, HookCall, HookInputs, HookKind, HookLimits, HookOutcome, HookResponse, Next, VendorRequest,
    merge,
};
use crate::json_text::{self, quote};

use super::mapping::{VendorBody, VendorParts};

/// A hook to run. Its inputs hold secrets, so it prints its place only.
#[derive(Clone)]
pub struct HookAsk {
    /// Before or after the request.
    pub kind: HookKind,
    /// The place of the hook, for a message: `hooks[0]` or `resources[3].hooks[1]`.
    pub place: String,
    /// Its JavaScript.
    pub body: String,
    /// Whether it returns its result instead of calling `done`.
    pub is_legacy: bool,
    /// What it may read.
    pub inputs: HookInputs,
}

impl fmt::Debug for HookAsk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HookAsk({} at {})", self.kind.as_str(), self.place)
    }
}

impl HookAsk {
    /// The run of this hook, with what only the engine has.
    pub fn into_call(self, limits: HookLimits, now: Timestamp, seed: u64) -> HookCall {
        let HookAsk { kind, body, is_legacy, inputs, .. } = self;
        HookCall { kind, body, is_legacy, inputs, limits, now, seed }
    }
}

/// A name and its new value; `None` removes it.
pub type Change = (String, Option<String>);

/// The answer of the provider on its way to the caller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    /// JSON text; `None` when there is no body or it is not JSON.
    pub(super) body: Option<String>,
    /// The body when it is not JSON.
    pub(super) text: Option<String>,
    pub(super) is_error: bool,
    /// Whether a hook wrote the body.
    pub(super) rewritten: bool,
    /// Headers that hooks set.
    pub(super) set_by_hooks: Vec<(String, String)>,
}

/// What follows a hook.
pub(super) enum Follows {
    GoOn,
    Answer(Answer),
    Fail { status: u16, words: String },
}

/// The hooks of one kind around a resource, in the order in which they run, with their places.
pub(super) fn around<'c>(
    connector: &'c Connector,
    position: usize,
    resource: &'c Resource,
    kind: HookKind,
) -> Vec<(String, &'c Hook)> {
    let global = connector.hooks.iter().enumerate().map(|(at, hook)| (format!("hooks[{at}]"), hook));
    let own = resource
        .hooks
        .iter()
        .enumerate()
        .map(|(at, hook)| (format!("resources[{position}].hooks[{at}]"), hook));
    let wanted = |(_, hook): &(String, &Hook)| hook.kind == kind;
    match kind {
        HookKind::PreRequest => global.chain(own).filter(wanted).collect(),
        HookKind::PostRequest | HookKind::Event => own.chain(global).filter(wanted).collect(),
    }
}

/// Applies what a hook before the request said.
pub(super) fn apply_before(outcome: &HookOutcome, parts: &mut VendorParts) -> Follows {
    let mut request = VendorRequest {
        method: parts.method.clone(),
        path: parts.path.clone(),
        url: parts.url.clone(),
        headers: parts.headers.clone(),
        parameters: parts.parameters.clone(),
        body: HookBody::Empty,
    };
    match outcome.apply_before(&mut request) {
        Next::GoOn => {
            let VendorRequest { method, path, url, headers, parameters, body } = request;
            if outcome.vendor.body.is_some() {
                parts.body = match body {
                    HookBody::Empty => VendorBody::Empty,
                    HookBody::Text(text) => VendorBody::Text(text),
                    HookBody::Json(raw) => VendorBody::Json(raw.get().to_string()),
                };
            }
            *parts = VendorParts { method, path, url, headers, parameters, ..parts.clone() };
            Follows::GoOn
        }
        Next::Answer(response) => {
            let mut answer = Answer { rewritten: true, ..Answer::default() };
            if let Err(refused) = take(response, &mut answer) {
                return refused;
            }
            merge(&mut answer.set_by_hooks, &outcome.response.headers);
            Follows::Answer(answer)
        }
        Next::Fail { status, message } => Follows::Fail { status, words: message },
    }
}

/// Applies what a hook after the request said.
pub(super) fn apply_after(outcome: &HookOutcome, answer: &mut Answer) -> Follows {
    let mut response = HookResponse {
        status: answer.status,
        headers: answer.headers.clone(),
        body: None,
        is_error: answer.is_error,
    };
    match outcome.apply_after(&mut response) {
        Next::GoOn | Next::Answer(_) => {
            if let Err(refused) = take(response, answer) {
                return refused;
            }
            merge(&mut answer.set_by_hooks, &outcome.response.headers);
            Follows::GoOn
        }
        Next::Fail { status, message } => Follows::Fail { status, words: message },
    }
}

/// Takes what a hook made of the answer. A body that is nested too deeply is refused: records are walked by recursion.
fn take(response: HookResponse, answer: &mut Answer) -> Result<(), Follows> {
    answer.status = response.status;
    answer.is_error = response.is_error;
    answer.headers = response.headers;
    if let Some(body) = response.body {
        if let Err(error) = json_text::validate(body.get()) {
            let words = format!("the `response_body` that a hook made cannot be used: {error}");
            return Err(Follows::Fail { status: 400, words });
        }
        answer.body = Some(body.get().to_string());
        answer.text = None;
        answer.rewritten = true;
    }
    Ok(())
}

/// Configuration values that a hook set: texts as they are, everything else as its JSON, `null` removes.
pub(super) fn configuration(outcome: &HookOutcome) -> Vec<Change> {
    let value = |raw: &RawValue| match json_text::kind(raw.get()) {
        Some(json_text::Kind::Null) | None => None,
        Some(json_text::Kind::Text) => json_text::text(raw.get()).map(|text| text.into_owned()),
        Some(_) => Some(raw.get().to_string()),
    };
    outcome.configuration.iter().map(|(key, raw)| (key.clone(), value(raw))).collect()
}

/// JSON text as an input; text that is none becomes `null`.
pub(super) fn json(text: String) -> Box<RawValue> {
    RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// Pairs as a JSON object; of a name that repeats, a list.
pub(super) fn object<'p>(pairs: impl IntoIterator<Item = (&'p str, &'p str)>) -> String {
    let mut names: Vec<(&str, Vec<&str>)> = Vec::new();
    for (name, value) in pairs {
        match names.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(value),
            None => names.push((name, vec![value])),
        }
    }
    let member = |(name, values): &(&str, Vec<&str>)| {
        let values: Vec<String> = values.iter().map(|value| quote(value)).collect();
        match values.as_slice() {
            [one] => format!("{}:{one}", quote(name)),
            many => format!("{}:[{}]", quote(name), many.join(",")),
        }
    };
    format!("{{{}}}", names.iter().map(member).collect::<Vec<_>>().join(","))
}

/// A body as hooks see it twice: as text, and as a value when it is one.
pub(super) fn body_inputs(body: &VendorBody) -> (String, String) {
    match body {
        VendorBody::Empty => ("null".into(), "null".into()),
        VendorBody::Json(raw) => (raw.clone(), raw.clone()),
        VendorBody::Text(text) => {
            let map = if json_text::validate(text).is_ok() { text.clone() } else { "null".into() };
            (quote(text), map)
        }
        VendorBody::Form(fields) | VendorBody::Multipart(fields) => {
            let fields = object(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())));
            (fields.clone(), fields)
        }
    }
}
