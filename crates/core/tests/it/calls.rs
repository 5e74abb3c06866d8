//! Calls as tables: a request and a mapping in, the provider's request or our answer out, as text.

mod answers;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use turnstone_core::call::{
    CallAnswer, CallBody, CallContext, CallRequest, CallStep, Renewal, VendorRequest, reply_of, start,
};
use turnstone_core::check::CheckSettings;
use turnstone_core::connector::{Document, check};
use turnstone_core::hook::{HookKind, HookOutcome};
use turnstone_core::run::{FetchError, FetchErrorKind, Reply, Response};

/// A connector of one resource and what a test puts into it.
pub(crate) struct Setup {
    element: Value,
    settings: Vec<(String, String)>,
}

impl Setup {
    /// `GET` and its siblings of `/things`, with these members put into the resource.
    pub(crate) fn new(method: &str, resource: Value) -> Setup {
        let path = resource.get("path").and_then(Value::as_str).unwrap_or("/hubs/crm/things").to_string();
        let mut full = json!({"path": path, "method": method, "vendorPath": "/v1/items"});
        merge(&mut full, resource);
        let element = json!({
            "name": "t", "description": "", "authentication": {"type": "none"}, "configuration": [],
            "parameters": [], "hooks": [], "resources": [full],
        });
        Setup { element, settings: vec![("base.url".into(), "https://api.example.com".into())] }
    }

    pub(crate) fn element(mut self, members: Value) -> Setup {
        merge(&mut self.element, members);
        self
    }

    pub(crate) fn set(mut self, key: &str, value: &str) -> Setup {
        self.settings.push((key.into(), value.into()));
        self
    }

    fn context(&self) -> CallContext {
        let document = Document::parse(self.element.to_string()).unwrap();
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let checked = check(&document, &CheckSettings::new(now));
        let connector = checked.connector.unwrap_or_else(|| panic!("{:#?}", checked.faults));
        let settings = connector.settings(&self.settings.iter().cloned().collect());
        CallContext {
            connector: Arc::new(connector),
            settings,
            instance: 7,
            request_id: "req1".into(),
            now,
            nonce: "nonce".into(),
        }
    }

    pub(crate) fn start(&self, request: &str) -> CallStep {
        start(self.context(), read_request(request))
    }

    /// The provider's request, or the fault as `status: message`.
    fn sent(&self, request: &str) -> String {
        match self.start(request) {
            CallStep::Fetch(request, _) => show(request),
            CallStep::Done(answer) => show_fault(&answer),
            other => panic!("{other:?}"),
        }
    }

    /// Our answer, when the provider answers the requests in this order.
    fn answered(&self, request: &str, answers: &[(&str, &str)]) -> CallAnswer {
        let (answer, sent) = self.conversation(request, answers);
        assert_eq!(sent.len(), answers.len(), "{sent:#?}");
        answer
    }

    pub(crate) fn conversation(&self, request: &str, answers: &[(&str, &str)]) -> (CallAnswer, Vec<String>) {
        let mut step = self.start(request);
        let mut sent = Vec::new();
        let mut answers = answers.iter();
        loop {
            step = match step {
                CallStep::Fetch(request, waiting) => {
                    sent.push(show(request));
                    let (head, body) =
                        answers.next().unwrap_or_else(|| panic!("no answer left for {sent:#?}"));
                    waiting.resume(reply(head, body))
                }
                CallStep::Done(answer) => return (answer, sent),
                other => panic!("{other:?}"),
            };
        }
    }
}

fn merge(into: &mut Value, members: Value) {
    for (name, value) in members.as_object().unwrap() {
        into[name] = value.clone();
    }
}

/// `GET /path?query`, header lines, an empty line, a body. A body that begins with `form:` is a form.
fn read_request(text: &str) -> CallRequest {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let (method, url) = lines.next().unwrap().split_once(' ').unwrap();
    let headers = lines.map(|line| line.split_once(": ").unwrap());
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_string())).collect();
    let body = match body.strip_prefix("form:") {
        Some(form) => CallBody::Form(CallRequest::get(&format!("?{form}")).query),
        None if body.is_empty() => CallBody::Empty,
        None => CallBody::Json(body.to_string()),
    };
    CallRequest { method: method.into(), headers, body, ..CallRequest::get(url) }
}

/// Method and address, headers that do not go without saying, body.
pub(crate) fn show(request: VendorRequest) -> String {
    let request = request.into_request("xxBOUNDARYxx");
    let usual =
        |name: &str, value: &str| ["Accept", "Content-Type"].contains(&name) && value == "application/json";
    let mut text = format!("{} {}", request.method, request.url.replace("https://api.example.com", ""));
    for (name, value) in request.headers.iter().filter(|(name, value)| !usual(name, value)) {
        text.push_str(&format!("\n{name}: {value}"));
    }
    if let Some(body) = request.body {
        text.push_str(&format!("\n\n{body}"));
    }
    text
}

pub(crate) fn show_fault(answer: &CallAnswer) -> String {
    let fault = answer.fault.as_ref().unwrap_or_else(|| panic!("{answer:?}"));
    match &fault.provider_message {
        Some(words) => format!("{}: {} [{words}]", fault.status, fault.message),
        None => format!("{}: {}", fault.status, fault.message),
    }
}

/// `200`, or a status and header lines.
pub(crate) fn reply(head: &str, body: &str) -> Reply {
    let mut lines = head.lines();
    let status = lines.next().unwrap().parse().unwrap();
    let headers = lines.map(|line| line.split_once(": ").unwrap());
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_string())).collect();
    Reply {
        sent_at: "2026-01-01T00:00:00Z".parse().unwrap(),
        to_head: Duration::from_millis(5),
        outcome: Ok(Response { status, headers, body: body.to_string() }),
    }
}

fn parameter(text: &str) -> Value {
    // `name type > vendorName vendorType [dataType vendorDataType] [flags]`
    let (ours, theirs) = text.split_once(" > ").unwrap();
    let (name, kind) = ours.rsplit_once(' ').unwrap();
    let mut words = theirs.split(' ');
    let mut value = json!({"name": name, "type": kind, "vendorName": words.next().unwrap(),
        "vendorType": words.next().unwrap(), "source": "request"});
    for word in words {
        match word {
            "required" => value["required"] = true.into(),
            "response" => value["source"] = "response".into(),
            _ => match word.split_once('=') {
                Some((name, word)) => value[name] = word.into(),
                None if value.get("dataType").is_none() => value["dataType"] = word.into(),
                None => value["vendorDataType"] = word.into(),
            },
        }
    }
    value
}

pub(crate) fn parameters(lines: &[&str]) -> Value {
    Value::Array(lines.iter().map(|line| parameter(line)).collect())
}

/// A method, parameters, a request, and what the provider gets.
#[track_caller]
fn maps(method: &str, lines: &[&str], request: &str, expect: &str) {
    let setup =
        Setup::new(method, json!({"parameters": parameters(lines)})).set("account", "acme").set("n", "5");
    assert_eq!(setup.sent(request), expect, "{lines:?} {request}");
}

#[test]
fn parameters_go_from_every_place_to_every_other() {
    maps("GET", &[], "GET /hubs/crm/things", "GET /v1/items");
    maps("GET", &["a query > b query"], "GET /things?a=1%202&c=3", "GET /v1/items?b=1%202&c=3");
    maps("GET", &["a query > X-B header"], "GET /things?a=1", "GET /v1/items\nX-B: 1");
    maps("GET", &["X-A header > b query"], "GET /things\nx-a: 1", "GET /v1/items?b=1");
    maps("GET", &["X-A header > X-B header"], "GET /things\nX-A: 1", "GET /v1/items\nX-B: 1");
    maps("GET", &["account configuration > a query"], "GET /things", "GET /v1/items?a=acme");
    maps("GET", &["account configuration > X-A header"], "GET /things", "GET /v1/items\nX-A: acme");
    maps("GET", &["unset configuration > X-A header"], "GET /things", "GET /v1/items");
    maps("GET", &["json value > format query"], "GET /things", "GET /v1/items?format=json");
    maps(
        "GET",
        &["Token ${configuration.account} value > A header"],
        "GET /things",
        "GET /v1/items\nA: Token acme",
    );
    maps("GET", &["{account}/1 value > A header"], "GET /things", "GET /v1/items\nA: acme/1");
    maps("GET", &["a-${header.x-b} value > A header"], "GET /things\nX-B: 2", "GET /v1/items\nA: a-2");
    maps("GET", &["a query > a no-op"], "GET /things?a=1", "GET /v1/items");
    maps("GET", &["a cookie > a query"], "GET /things", "GET /v1/items");
    let post = |lines: &[&str], body: &str, expect: &str| {
        maps("POST", lines, &format!("POST /things\n\n{body}"), expect)
    };
    post(&[], r#"{"a": 1.50}"#, "POST /v1/items\n\n{\"a\": 1.50}");
    post(&["body body > body body"], r#"{"a": 1.50}"#, "POST /v1/items\n\n{\"a\": 1.50}");
    post(&["body body > item bodyField"], r#"{"a":1}"#, "POST /v1/items\n\n{\"item\":{\"a\":1}}");
    post(&["body body > q query"], r#"{"a":1}"#, "POST /v1/items?q=%7B%22a%22%3A1%7D");
    post(&["a bodyField > b bodyField"], r#"{"a":1.50,"z":2}"#, "POST /v1/items\n\n{\"z\":2,\"b\":1.50}");
    post(
        &["a.b bodyField > c.d bodyField"],
        r#"{"a":{"b":1,"x":2}}"#,
        r#"POST /v1/items

{"a":{"x":2},"c":{"d":1}}"#,
    );
    post(
        &["l[*].q bodyField > m[*].qty bodyField"],
        r#"{"l":[{"q":1},{"q":2}]}"#,
        r#"POST /v1/items

{"l":[{},{}],"m":[{"qty":1},{"qty":2}]}"#,
    );
    post(
        &["a bodyField > b query"],
        r#"{"a":10000000000000000000001,"z":2}"#,
        "POST /v1/items?b=10000000000000000000001\n\n{\"z\":2}",
    );
    post(&["a bodyField > X-A header"], r#"{"a":"x"}"#, "POST /v1/items\nX-A: x\n\n{}");
    post(
        &["account configuration > meta.account bodyField"],
        r#"{"a":1}"#,
        r#"POST /v1/items

{"a":1,"meta":{"account":"acme"}}"#,
    );
    post(&["n configuration > n bodyField integer"], "{}", "POST /v1/items\n\n{\"n\":5}");
    post(&["true value > on bodyField boolean"], "{}", "POST /v1/items\n\n{\"on\":true}");
    post(
        &["v-${body.id} value > ref bodyField"],
        r#"{"id":7}"#,
        r#"POST /v1/items

{"id":7,"ref":"v-7"}"#,
    );
    post(
        &["account configuration > who bodyToken"],
        r#"{"a":"{who} and ${who}"}"#,
        r#"POST /v1/items

{"a":"acme and acme"}"#,
    );
    post(
        &["a bodyField > f form"],
        r#"{"a":"x y"}"#,
        "POST /v1/items\nContent-Type: application/x-www-form-urlencoded\n\nf=x%20y",
    );
    post(
        &["application/x-www-form-urlencoded value > Content-Type header"],
        r#"{"a":1.0,"b":"x&y"}"#,
        "POST /v1/items\nContent-Type: application/x-www-form-urlencoded\n\na=1.0&b=x%26y",
    );
    post(
        &["a bodyField > f multipart"],
        r#"{"a":"x"}"#,
        "POST /v1/items\nContent-Type: multipart/form-data; boundary=xxBOUNDARYxx\n\n--xxBOUNDARYxx\r\n\
         Content-Disposition: form-data; name=\"f\"\r\n\r\nx\r\n--xxBOUNDARYxx--\r\n",
    );
    maps(
        "POST",
        &["a form > b form"],
        "POST /things\n\nform:a=1&c=2",
        "POST /v1/items\nContent-Type: application/x-www-form-urlencoded\n\nb=1&c=2",
    );
    maps("POST", &["q query > q bodyField integer"], "POST /things?q=5", "POST /v1/items\n\n{\"q\":5}");
}

#[test]
fn paths_take_their_variables() {
    let sent = |vendor: &str, lines: &[&str], request: &str| {
        let resource = json!({"path": "/hubs/crm/things/{id}/parts", "vendorPath": vendor, "parameters": parameters(lines)});
        Setup::new("GET", resource).set("account", "acme").sent(request)
    };
    assert_eq!(sent("/i/{key}/p", &["id path > key path"], "GET /things/a%20b/parts"), "GET /i/a%20b/p");
    assert_eq!(sent("/i/{id}", &[], "GET /hubs/any/things/7/parts/"), "GET /i/7");
    assert_eq!(sent("/i", &["id path > item query"], "GET /things/7/parts"), "GET /i?item=7");
    assert_eq!(sent("/{account}/i/{id}", &[], "GET /things/7/parts"), "GET /acme/i/7");
    assert_eq!(sent("/${configuration.account}/{id}", &[], "GET /things/7/parts"), "GET /acme/7");
    assert_eq!(
        sent("/i?fixed={account}&b=1", &["id path > b query"], "GET /things/7/parts"),
        "GET /i?fixed=acme&b=7"
    );
    assert_eq!(sent("/i/{id}", &[], "GET /things/a%2F..%3Fx/parts"), "GET /i/a%2F..%3Fx");
    assert_eq!(
        sent("/i/{id}", &[], "GET /things/%2E%2E/parts"),
        "400: `..` cannot be the `id` of the provider's path; send another value"
    );
    assert_eq!(
        sent("/i/{other}", &[], "GET /things/7/parts"),
        "400: the provider's path needs `other`, which neither the call nor the configuration has; add a parameter for \
         it to the resource"
    );
    assert_eq!(
        sent("https://other.example.com/i/{id}", &[], "GET /things/7/parts"),
        "GET https://other.example.com/i/7"
    );
}

#[test]
fn base_addresses_are_filled_in() {
    let sent = |base: &str| {
        Setup::new("GET", json!({})).set("base.url", base).set("sub", "acme").sent("GET /things")
    };
    assert_eq!(sent("https://{sub}.example.org/api/"), "GET https://acme.example.org/api/v1/items");
    assert_eq!(sent("https://${configuration.sub}.example.org"), "GET https://acme.example.org/v1/items");
    assert_eq!(
        sent("https://{host}/"),
        "400: the configuration value `host` is missing, which `base.url` needs; set it on the instance"
    );
    assert_eq!(
        sent("api.example.com"),
        "400: the provider's address is not complete; set `base.url` to one like `https://api.example.com`"
    );
}

#[test]
fn what_is_missing_or_does_not_fit_is_said() {
    maps(
        "GET",
        &["a query > a query required"],
        "GET /things",
        "400: the query parameter `a` is missing, which `GET /hubs/crm/things` needs; send it",
    );
    maps(
        "GET",
        &["A header > A header required"],
        "GET /things",
        "400: the header `A` is missing, which `GET /hubs/crm/things` needs; send it",
    );
    maps(
        "GET",
        &["key configuration > A header required"],
        "GET /things",
        "400: the configuration value `key` is missing, which `GET /hubs/crm/things` needs; set it on the instance",
    );
    maps(
        "POST",
        &["body body > body body required"],
        "POST /things",
        "400: the body `body` is missing, which `POST /hubs/crm/things` needs; send one",
    );
    maps(
        "POST",
        &["a bodyField > b bodyField required"],
        "POST /things\n\n{}",
        "400: the member of the body `a` is missing, which `POST /hubs/crm/things` needs; send it",
    );
    maps(
        "POST",
        &["f form > f form required"],
        "POST /things",
        "400: the field of the form `f` is missing, which `POST /hubs/crm/things` needs; send it",
    );
    maps(
        "POST",
        &["a prevBodyField > b query required"],
        "POST /things",
        "400: the value of the call before this one `a` is missing, which `POST /hubs/crm/things` needs; correct the \
         chain of resources",
    );
    maps(
        "POST",
        &["a bodyField > b bodyField integer"],
        "POST /things\n\n{\"a\":\"x\"}",
        "400: the parameter `a` does not fit: `x` is not a whole number; send another value",
    );
    maps(
        "GET",
        &["a query > a query boolean"],
        "GET /things?a=perhaps",
        "400: the parameter `a` does not fit: `perhaps` is neither true nor false; send another value",
    );
    maps(
        "POST",
        &["file file > file file required"],
        "POST /things",
        "415: the parameter `file` is a file, and calls with files are not supported; send none",
    );
    maps(
        "POST",
        &["a query > b.c bodyField"],
        "POST /things?a=1\n\n{\"b\":7}",
        "400: the parameter `a` has no place in the body: there is a number where an object or a list would have to be; \
         map to another place",
    );
    maps(
        "GET",
        &["${configuration.secret} value > A header"],
        "GET /things",
        "400: the configuration value `secret` is missing, which the constant `${configuration.secret}` needs; set it on \
         the instance",
    );
    maps(
        "GET",
        &["a query > A header"],
        "GET /things?a=x%0D%0AB:1",
        "400: the header `A` would hold a line break or has no name; correct its value",
    );
    maps(
        "POST",
        &[],
        "POST /things\n\n{\"a\":",
        "400: the body cannot be read: it is not well-formed JSON (EOF while parsing a value at line 1 column 5); correct \
         it there",
    );
    let none = "404: the connector `t` has no resource `/others`; see its docs for those it has";
    assert_eq!(Setup::new("GET", json!({})).sent("GET /others"), none);
    assert_eq!(
        Setup::new("GET", json!({})).sent("PUT /things"),
        "405: `/things` is called with GET; use one of them"
    );
}

#[test]
fn the_resource_is_found_by_its_path() {
    let element = json!({"resources": [
        {"path": "/hubs/crm/things/{id}", "method": "GET", "vendorPath": "/by-id/{id}"},
        {"path": "/hubs/crm/things/search", "method": "GET", "vendorPath": "/search"},
        {"path": "/things/{id}/parts/{part}", "method": "GETBYID", "vendorPath": "/p/{part}/{id}"},
        {"path": "/hubs/crm/secret", "method": "GET", "type": "onProvision", "vendorPath": "/no"},
    ]});
    let setup = Setup::new("GET", json!({})).element(element);
    assert_eq!(setup.sent("GET /hubs/x/things/search"), "GET /search");
    assert_eq!(setup.sent("GET /things/other"), "GET /by-id/other");
    assert_eq!(setup.sent("GET /hubs/crm/things/1/parts/2"), "GET /p/2/1");
    assert!(setup.sent("GET /secret").starts_with("404"));
    assert!(setup.sent("GET /hubs/crm").starts_with("404"));
}

#[test]
fn resource_parameters_win_over_those_of_the_connector() {
    let element = json!({"parameters": parameters(&["1 value > V header", "k query > key query"])});
    let resource = json!({"parameters": parameters(&["2 value > v header", "K query > key query"])});
    let setup = Setup::new("GET", resource).element(element);
    assert_eq!(setup.sent("GET /things?k=a&K=b"), "GET /v1/items?key=b\nv: 2");
}

#[test]
fn a_where_clause_takes_the_form_that_the_resource_declares() {
    let clause = "GET /things?where=a%3D%271%27%20and%20b%3E%272%27";
    maps("GET", &[], clause, "GET /v1/items?a=1&b=2");
    maps("GET", &["where query > converter:toQueryParameters query"], clause, "GET /v1/items?a=1&b=2");
    maps(
        "GET",
        &["where query > where query converter=toQueryParameters", "b query > since header"],
        clause,
        "GET /v1/items?a=1\nsince: 2",
    );
    maps(
        "GET",
        &["where query > converter:toODataFilter query"],
        clause,
        "GET /v1/items?%24filter=a%20eq%20%271%27%20and%20b%20gt%20%272%27",
    );
    maps(
        "GET",
        &["where query > filter query converter=toODataFilter"],
        clause,
        "GET /v1/items?filter=a%20eq%20%271%27%20and%20b%20gt%20%272%27",
    );
    maps("GET", &["where query > q query"], clause, "GET /v1/items?q=a%3D%271%27%20and%20b%3E%272%27");
    maps("GET", &["where query > q query"], "GET /things?where=not%20ceql", "GET /v1/items?q=not%20ceql");
    maps("GET", &["where query > where no-op"], clause, "GET /v1/items");
    assert!(
        Setup::new("GET", json!({}))
            .sent("GET /things?where=a")
            .starts_with("400: cannot read the `where` clause")
    );
    assert!(
        Setup::new("GET", json!({}))
            .sent("GET /things?where=a%3D1%20or%20b%3D2")
            .contains("`OR` has no such form")
    );
    maps(
        "GET",
        &["orderBy query > sort query"],
        "GET /things?orderBy=a%20desc",
        "GET /v1/items?sort=a%20desc",
    );
    maps(
        "GET",
        &[],
        "GET /things?orderBy=a",
        "400: the provider cannot order this resource; call it without `orderBy`",
    );
}

#[test]
fn credentials_are_added_where_no_parameter_places_them() {
    let auth = |kind: &str, lines: &[&str]| {
        Setup::new("GET", json!({}))
            .element(json!({"authentication": {"type": kind}, "parameters": parameters(lines)}))
            .set("oauth.user.token", "tok")
            .set("username", "u")
            .set("password", "p")
            .sent("GET /things")
    };
    assert_eq!(auth("oauth2", &[]), "GET /v1/items\nAuthorization: Bearer tok");
    assert_eq!(auth("oauth2ClientCredentials", &[]), "GET /v1/items\nAuthorization: Bearer tok");
    assert_eq!(auth("oauth2", &["oauth.user.token configuration > t query"]), "GET /v1/items?t=tok");
    assert_eq!(
        auth("oauth2", &["oauth.user.token configuration > Authorization header"]),
        "GET /v1/items\nAuthorization: Bearer tok"
    );
    assert_eq!(
        auth("oauth2", &["OAuth ${configuration.oauth.user.token} value > Authorization header"]),
        "GET /v1/items\nAuthorization: OAuth tok"
    );
    assert_eq!(auth("basic", &[]), "GET /v1/items\nAuthorization: Basic dTpw");
    assert_eq!(auth("basic", &["username configuration > user query"]), "GET /v1/items?user=u");
    assert_eq!(auth("apiKey", &["username configuration > X-Key header"]), "GET /v1/items\nX-Key: u");
    assert_eq!(auth("custom", &[]), "GET /v1/items");
    assert!(auth("awsv4", &[]).starts_with("400: requests are not signed as Amazon wants it"));
    let none = Setup::new("GET", json!({})).element(json!({"authentication": {"type": "oauth2"}}));
    assert_eq!(
        none.sent("GET /things"),
        "400: the configuration value `oauth.user.token` is missing, which OAuth 2 needs; set it on the instance"
    );
}

fn renewable() -> Setup {
    Setup::new("GET", json!({}))
        .element(json!({"authentication": {"type": "oauth2"}}))
        .set("oauth.user.token", "old")
        .set("oauth.user.refresh_token", "r")
        .set("oauth.api.key", "k")
        .set("oauth.token.url", "https://api.example.com/token")
}

#[test]
fn a_401_is_answered_once_with_new_credentials() {
    let setup = renewable();
    let CallStep::Fetch(request, waiting) = setup.start("GET /things") else { panic!() };
    assert_eq!(show(request), "GET /v1/items\nAuthorization: Bearer old");
    let CallStep::RefreshToken(waiting) = waiting.resume(reply("401", "")) else { panic!() };
    let mut settings = setup.context().settings;
    settings.set("oauth.user.token", "new");
    let CallStep::Fetch(request, waiting) = waiting.resume(Renewal::Renewed(settings)) else { panic!() };
    assert_eq!(show(request), "GET /v1/items\nAuthorization: Bearer new");
    let CallStep::Done(answer) = waiting.resume(reply("401", "")) else { panic!("only once") };
    assert_eq!(answer.status, 401);
}

#[test]
fn the_answer_to_the_second_try_is_the_one_that_counts() {
    let setup = renewable();
    let refused = || {
        let CallStep::Fetch(_, waiting) = setup.start("GET /things") else { panic!() };
        let CallStep::RefreshToken(waiting) = waiting.resume(reply("401", "")) else { panic!() };
        waiting
    };
    let renewed = Renewal::Renewed(setup.context().settings);
    let CallStep::Fetch(_, waiting) = refused().resume(renewed) else { panic!() };
    let CallStep::Done(answer) = waiting.resume(reply("200\nDate: x", "[]")) else { panic!() };
    let head = answer.provider.as_ref().unwrap();
    assert_eq!((head.status, head.headers.len()), (200, 1));
    assert_eq!(reply_of(answer, Timestamp::UNIX_EPOCH).outcome.unwrap().status, 200);
    let CallStep::Done(answer) = refused().resume(Renewal::Refused("gone".into())) else { panic!() };
    assert_eq!(answer.provider.as_ref().unwrap().status, 401);
    let error = reply_of(answer, Timestamp::UNIX_EPOCH).outcome.unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (FetchErrorKind::Reconnect, "gone"));
}

#[test]
fn what_hooks_set_outlives_a_renewal() {
    let hooks = json!({"hooks": [{"type": "preRequest", "body": "set"}], "authentication": {"type": "oauth2"},
        "parameters": parameters(&["session configuration > S header"])});
    let setup = renewable().element(hooks);
    let set = r#"{"configuration":{"session":"s1","oauth.user.token":"mine"}}"#;
    let outcome =
        || HookOutcome::read(HookKind::PreRequest, Some(&RawValue::from_string(set.into()).unwrap()));
    let CallStep::Hook(_, waiting) = setup.start("GET /things") else { panic!() };
    let CallStep::Fetch(_, waiting) = waiting.resume(outcome()) else { panic!() };
    let CallStep::RefreshToken(waiting) = waiting.resume(reply("401", "")) else { panic!() };
    let mut settings = setup.context().settings;
    settings.set("oauth.user.token", "new");
    let CallStep::Hook(_, waiting) = waiting.resume(Renewal::Renewed(settings)) else { panic!() };
    let none = HookOutcome::read(HookKind::PreRequest, None);
    let CallStep::Fetch(request, _) = waiting.resume(none) else { panic!() };
    assert_eq!(show(request), "GET /v1/items\nS: s1\nAuthorization: Bearer new");
}

#[test]
fn a_refused_renewal_says_so() {
    let renew = |renewal: Renewal| {
        let CallStep::Fetch(_, waiting) = renewable().start("GET /things") else { panic!() };
        let CallStep::RefreshToken(waiting) = waiting.resume(reply("401", "")) else { panic!() };
        let CallStep::Done(answer) = waiting.resume(renewal) else { panic!() };
        show_fault(&answer)
    };
    assert_eq!(renew(Renewal::Refused("reconnect needed".into())), "401: reconnect needed");
    assert_eq!(renew(Renewal::Failed("the token server is down".into())), "503: the token server is down");
}

#[test]
fn chains_hand_their_answers_on() {
    let element = json!({"resources": [
        {"path": "/things", "method": "POST", "vendorPath": "/first", "nextResource": "POST /second"},
        {"path": "/second", "method": "POST", "vendorPath": "/second/{id}", "parameters": parameters(&[
            "data.id prevBodyField > id path", "body prevBody > before bodyField", "1 value > n bodyField integer"])},
    ]});
    let setup = Setup::new("POST", json!({})).element(element);
    let answers = [("201", r#"{"data":{"id":7}}"#), ("201", r#"{"ok":true}"#)];
    let (answer, sent) = setup.conversation("POST /things\n\n{\"a\":1}", &answers);
    assert_eq!(
        sent,
        ["POST /first\n\n{\"a\":1}", "POST /second/7\n\n{\"a\":1,\"before\":{\"data\":{\"id\":7}},\"n\":1}"]
    );
    assert_eq!((answer.status, answer.body.as_deref()), (200, Some(r#"{"ok":true}"#)));
}
