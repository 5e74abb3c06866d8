//! Hooks around a call: what they read, and what their result changes.
//!
//! The inputs carry the names that the field documents (events §5), each as JSON text, so that no number goes through a
//! float. Global hooks wrap those of the resource: before the request first the connector's, then the resource's; after
//! it the other way round.
//!
//! Not here: running a hook. The engine answers a [`HookCall`] with a [`HookChanges`].

use crate::connector::{Connector, Hook, HookKind, Resource};
use crate::json_text::{self, quote};

use super::mapping::{VendorBody, VendorParts};

/// A hook to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookCall {
    /// Before or after the request.
    pub kind: HookKind,
    /// The place of the hook, for a message: `hooks[0]` or `resources[3].hooks[1]`.
    pub place: String,
    /// Its JavaScript.
    pub body: String,
    /// Whether it returns its result instead of calling `done`.
    pub legacy: bool,
    /// Its inputs: the documented names, each with its JSON text.
    pub inputs: Vec<(&'static str, String)>,
}

/// A name and its new value; `None` removes it.
pub type Change = (String, Option<String>);

/// What a hook wants changed. The default is what `done()` says: nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HookChanges {
    /// `continue: false` of a hook before the request: answer at once.
    pub stops: bool,
    /// `response_error`: the call fails with these words.
    pub error: Option<String>,
    /// `request_vendor_method`.
    pub method: Option<String>,
    /// `request_vendor_path`.
    pub path: Option<String>,
    /// `request_vendor_url`; it wins over path and parameters.
    pub url: Option<String>,
    /// `request_vendor_headers`: only those that it names change.
    pub headers: Vec<Change>,
    /// `request_vendor_parameters`: all of them.
    pub parameters: Option<Vec<(String, String)>>,
    /// `request_vendor_body` or `request_vendor_body_map`.
    pub body: Option<VendorBody>,
    /// `response_status_code`.
    pub response_status: Option<u16>,
    /// `response_headers`: only those that it names change.
    pub response_headers: Vec<Change>,
    /// `response_body`, as JSON text.
    pub response_body: Option<String>,
    /// `response_iserror`.
    pub response_is_error: Option<bool>,
    /// `configuration`: merged into the instance's stored values; `None` removes one.
    pub configuration: Vec<Change>,
}

/// What came of a hook: its changes, or one sentence that names the hook's fault.
pub type HookResult = Result<HookChanges, String>;

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

impl HookChanges {
    /// Changes the request.
    pub(super) fn apply_before(&self, parts: &mut VendorParts) {
        if let Some(method) = &self.method {
            parts.method = method.to_ascii_uppercase();
        }
        if let Some(path) = &self.path {
            parts.path.clone_from(path);
        }
        if let Some(url) = &self.url {
            parts.url = Some(url.clone());
        }
        if let Some(parameters) = &self.parameters {
            parts.parameters.clone_from(parameters);
        }
        if let Some(body) = &self.body {
            parts.body = body.clone();
        }
        merge(&mut parts.headers, &self.headers);
    }

    /// Changes the answer.
    pub(super) fn apply_after(&self, answer: &mut Answer) {
        if let Some(status) = self.response_status {
            answer.status = status;
            answer.is_error = status >= 400;
        }
        if let Some(is_error) = self.response_is_error {
            answer.is_error = is_error;
        }
        if let Some(body) = &self.response_body {
            answer.body = Some(body.clone());
            answer.text = None;
            answer.rewritten = true;
        }
        merge(&mut answer.headers, &self.response_headers);
        merge(&mut answer.set_by_hooks, &self.response_headers);
    }
}

/// Replaces, adds and removes headers; a name counts without letter case.
pub(super) fn merge(headers: &mut Vec<(String, String)>, changes: &[Change]) {
    for (name, value) in changes {
        let at = headers.iter().position(|(known, _)| known.eq_ignore_ascii_case(name));
        headers.retain({
            let mut position = 0;
            move |(known, _)| {
                position += 1;
                Some(position - 1) == at || !known.eq_ignore_ascii_case(name)
            }
        });
        match (at, value) {
            (Some(at), Some(value)) => headers[at] = (name.clone(), value.clone()),
            (Some(at), None) => {
                headers.remove(at);
            }
            (None, Some(value)) => headers.push((name.clone(), value.clone())),
            (None, None) => {}
        }
    }
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
