//! What an outcome does to a request or a response.
//!
//! Headers are merged, because published hooks hand over only those they mean: a name counts without letter case, null
//! removes. Everything else that is given replaces what was there. Not here: sending, and storing the configuration.

use serde::Serialize;
use serde_json::value::RawValue;

use super::HookOutcome;
use super::outcome::Change;

/// Status of a call that a hook fails without naming one.
const STATUS_OF_ERROR: u16 = 400;

/// A request's body, as a hook gives it.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum HookBody {
    /// No body.
    Empty,
    /// A text, sent as it is.
    Text(String),
    /// A value, sent as this JSON.
    Json(Box<RawValue>),
}

impl PartialEq for HookBody {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (HookBody::Empty, HookBody::Empty) => true,
            (HookBody::Text(one), HookBody::Text(two)) => one == two,
            (HookBody::Json(one), HookBody::Json(two)) => one.get() == two.get(),
            (HookBody::Empty | HookBody::Text(_) | HookBody::Json(_), _) => false,
        }
    }
}

impl HookBody {
    /// Null is no body; a text is the body itself, not a JSON string.
    pub(super) fn read(json: &RawValue) -> Self {
        match json.get() {
            "null" => HookBody::Empty,
            text if text.starts_with('"') => match serde_json::from_str(text) {
                Ok(text) => HookBody::Text(text),
                // Half a character cannot be sent as text; its escape can.
                Err(_) => HookBody::Json(json.to_owned()),
            },
            _ => HookBody::Json(json.to_owned()),
        }
    }
}

/// The request as it will go to the provider.
#[derive(Clone, Debug, PartialEq)]
pub struct VendorRequest {
    /// `GET`, `POST` and so on.
    pub method: String,
    /// The path below the base URL.
    pub path: String,
    /// The whole URL, when a hook gave one; it wins over path and parameters.
    pub url: Option<String>,
    /// In order; names may repeat.
    pub headers: Vec<(String, String)>,
    /// Query parameters in order; names may repeat.
    pub parameters: Vec<(String, String)>,
    /// The body.
    pub body: HookBody,
}

/// The answer as it will go to the caller.
#[derive(Clone, Debug)]
pub struct HookResponse {
    /// HTTP status.
    pub status: u16,
    /// In order; names may repeat.
    pub headers: Vec<(String, String)>,
    /// The body as JSON text, when there is one.
    pub body: Option<Box<RawValue>>,
    /// Whether it is an error.
    pub is_error: bool,
}

/// What follows a hook.
#[derive(Clone, Debug)]
pub enum Next {
    /// The call goes on.
    GoOn,
    /// The caller gets this at once; nothing is sent.
    Answer(HookResponse),
    /// The call fails.
    Fail {
        /// HTTP status for the caller.
        status: u16,
        /// The hook's words.
        message: String,
    },
}

impl HookOutcome {
    /// Applies what a preRequest hook said. With an answer or a failure the request is as it was.
    pub fn apply_before(&self, request: &mut VendorRequest) -> Next {
        if let Some(message) = &self.error {
            return self.failure(message, STATUS_OF_ERROR);
        }
        if self.stops {
            let mut response = HookResponse { status: 200, headers: Vec::new(), body: None, is_error: false };
            self.apply_response(&mut response);
            return Next::Answer(response);
        }
        let vendor = &self.vendor;
        if let Some(method) = &vendor.method {
            request.method.clone_from(method);
        }
        if let Some(path) = &vendor.path {
            request.path.clone_from(path);
        }
        if let Some(url) = &vendor.url {
            request.url = Some(url.clone());
        }
        if let Some(parameters) = &vendor.parameters {
            request.parameters.clone_from(parameters);
        }
        if let Some(body) = &vendor.body {
            request.body = body.clone();
        }
        merge(&mut request.headers, &vendor.headers);
        Next::GoOn
    }

    /// Applies what a postRequest hook said.
    pub fn apply_after(&self, response: &mut HookResponse) -> Next {
        if let Some(message) = &self.error {
            let status = if response.status >= 400 { response.status } else { STATUS_OF_ERROR };
            return self.failure(message, status);
        }
        self.apply_response(response);
        Next::GoOn
    }

    fn failure(&self, message: &str, status: u16) -> Next {
        Next::Fail { status: self.response.status.unwrap_or(status), message: message.to_owned() }
    }

    fn apply_response(&self, response: &mut HookResponse) {
        let change = &self.response;
        if let Some(status) = change.status {
            response.status = status;
            // A status says whether it is an error, unless the hook says otherwise.
            response.is_error = status >= 400;
        }
        if let Some(is_error) = change.is_error {
            response.is_error = is_error;
        }
        if let Some(body) = &change.body {
            response.body = Some(body.clone());
        }
        merge(&mut response.headers, &change.headers);
    }
}

/// Replaces a header at its first place, adds a new one at the end, removes what is set to null. A name that is both
/// removed and set, in two letter cases, ends as set.
pub(crate) fn merge(headers: &mut Vec<(String, String)>, changes: &[Change]) {
    let same = |one: &str, two: &str| one.eq_ignore_ascii_case(two);
    for (name, _) in changes.iter().filter(|(_, text)| text.is_none()) {
        headers.retain(|(known, _)| !same(known, name));
    }
    for (name, text) in changes {
        let Some(text) = text else { continue };
        let place = headers.iter().position(|(known, _)| same(known, name));
        headers.retain({
            let mut seen = false;
            move |(known, _)| !same(known, name) || !std::mem::replace(&mut seen, true)
        });
        match place {
            Some(place) => headers[place] = (name.clone(), text.clone()),
            None => headers.push((name.clone(), text.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::HookKind;
    use super::*;

    fn outcome(kind: HookKind, json: &str) -> HookOutcome {
        HookOutcome::read(kind, Some(&RawValue::from_string(json.to_owned()).unwrap())).unwrap()
    }

    fn request() -> VendorRequest {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        VendorRequest {
            method: "GET".into(),
            path: "/contacts".into(),
            url: None,
            headers: vec![
                pair("Content-Type", "application/json"),
                pair("X-A", "1"),
                pair("x-a", "2"),
                pair("B", "b"),
            ],
            parameters: vec![pair("page", "1"), pair("where", "x")],
            body: HookBody::Json(RawValue::from_string("{\"a\":1.0}".into()).unwrap()),
        }
    }

    fn response() -> HookResponse {
        HookResponse { status: 200, headers: vec![("Link".into(), "x".into())], body: None, is_error: false }
    }

    #[track_caller]
    fn before(json: &str, change: impl FnOnce(&mut VendorRequest)) {
        let (mut found, mut expect) = (request(), request());
        assert!(matches!(outcome(HookKind::PreRequest, json).apply_before(&mut found), Next::GoOn));
        change(&mut expect);
        assert_eq!(found, expect, "{json}");
    }

    #[test]
    fn an_empty_result_changes_nothing() {
        before("{}", |_| ());
        before(r#"{"continue": true}"#, |_| ());
        let mut found = response();
        outcome(HookKind::PostRequest, "{}").apply_after(&mut found);
        assert_eq!((found.status, found.headers.len(), found.body.is_none()), (200, 1, true));
    }

    #[test]
    fn each_member_replaces_its_part() {
        before(r#"{"request_vendor_method": "post"}"#, |request| request.method = "POST".into());
        before(r#"{"request_vendor_path": "/a"}"#, |request| request.path = "/a".into());
        before(r#"{"request_vendor_url": "https://x.example"}"#, |request| {
            request.url = Some("https://x.example".into());
        });
        before(r#"{"request_vendor_parameters": {"b": 2.0}}"#, |request| {
            request.parameters = vec![("b".into(), "2.0".into())];
        });
        before(r#"{"request_vendor_body": null}"#, |request| request.body = HookBody::Empty);
        before(r#"{"request_vendor_body": "a=1"}"#, |request| request.body = HookBody::Text("a=1".into()));
        let json = |text: &str| HookBody::Json(RawValue::from_string(text.to_owned()).unwrap());
        before(r#"{"request_vendor_body_map": {"x":1e400}}"#, |request| request.body = json("{\"x\":1e400}"));
        before(r#"{"request_vendor_body_map": 1, "request_vendor_body": 2}"#, |request| {
            request.body = json("2")
        });
        before(r#"{"request_vendor_body": 2, "request_vendor_body_map": 1}"#, |request| {
            request.body = json("2")
        });
    }

    #[test]
    fn headers_are_merged_without_letter_case() {
        before(r#"{"request_vendor_headers": {"content-type": null}}"#, |request| {
            request.headers.remove(0);
        });
        before(r#"{"request_vendor_headers": {"X-a": "3", "New": true}}"#, |request| {
            request.headers[1] = ("X-a".into(), "3".into());
            request.headers.remove(2);
            request.headers.push(("New".into(), "true".into()));
        });
        before(r#"{"request_vendor_headers": {"b": "new", "B": null}}"#, |request| {
            request.headers[3] = ("b".into(), "new".into());
        });
    }

    #[test]
    fn continue_false_answers_at_once() {
        let mut found = request();
        let json = r#"{"continue": false, "response_body": {"n": 1.0}, "response_status_code": 404, "request_vendor_path": "/no"}"#;
        match outcome(HookKind::PreRequest, json).apply_before(&mut found) {
            Next::Answer(response) => {
                assert_eq!((response.status, response.is_error), (404, true));
                assert_eq!(response.body.unwrap().get(), "{\"n\": 1.0}");
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(found, request());
    }

    #[test]
    fn an_error_fails_the_call() {
        let failed = |next: Next| match next {
            Next::Fail { status, message } => (status, message),
            other => panic!("{other:?}"),
        };
        let pre = outcome(HookKind::PreRequest, r#"{"response_error": "no", "response_status_code": 403}"#);
        assert_eq!(failed(pre.apply_before(&mut request())), (403, "no".into()));
        let post = outcome(HookKind::PostRequest, r#"{"response_error_message": "no"}"#);
        assert_eq!(failed(post.apply_after(&mut response())), (400, "no".into()));
        let mut bad = HookResponse { status: 502, ..response() };
        assert_eq!(failed(post.apply_after(&mut bad)), (502, "no".into()));
    }

    #[test]
    fn a_response_is_changed() {
        let mut found = response();
        let json = r#"{"response_body": [1.10], "response_headers": {"elements-next-page-token": 7, "link": null},
                       "response_status_code": 500, "response_iserror": false, "continue": false}"#;
        assert!(matches!(outcome(HookKind::PostRequest, json).apply_after(&mut found), Next::GoOn));
        assert_eq!(found.body.unwrap().get(), "[1.10]");
        assert_eq!(found.headers, [("elements-next-page-token".to_owned(), "7".to_owned())]);
        assert_eq!((found.status, found.is_error), (500, false));
    }
}
