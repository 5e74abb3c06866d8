//! Hooks around calls: their order, what they read, what their results change.

use serde_json::value::RawValue;
use serde_json::{Value, json};
use turnstone_core::call::{CallAnswer, CallStep, HookAsk};
use turnstone_core::hook::{HookFault, HookLimits, HookOutcome};

use super::calls::{Setup, parameters, reply, show, show_fault};

fn hook(kind: &str, body: &str) -> Value {
    json!({"type": kind, "body": body})
}

/// Runs a call whose hooks are answered by `answer`; the steps as text, and our answer.
fn run(
    setup: &Setup,
    request: &str,
    provider: (&str, &str),
    mut answer: impl FnMut(&HookAsk) -> Result<HookOutcome, HookFault>,
) -> (Vec<String>, CallAnswer) {
    let mut steps = Vec::new();
    let mut step = setup.start(request);
    loop {
        step = match step {
            CallStep::Hook(call, waiting) => {
                steps.push(call.body.clone());
                let result = answer(&call);
                waiting.resume(result)
            }
            CallStep::Fetch(request, waiting) => {
                steps.push(show(request));
                waiting.resume(reply(provider.0, provider.1))
            }
            CallStep::RefreshToken(_) => panic!("nothing to renew"),
            CallStep::Done(answer) => return (steps, answer),
        };
    }
}

/// What a hook handed to `done`.
fn done(ask: &HookAsk, json: &str) -> Result<HookOutcome, HookFault> {
    HookOutcome::read(ask.kind, Some(&RawValue::from_string(json.to_string()).unwrap()))
}

/// The text of an input.
fn input<'a>(ask: &'a HookAsk, name: &str) -> &'a str {
    ask.inputs.iter().find(|(known, _)| known.as_str() == name).map_or("undefined", |(_, json)| json.get())
}

fn setup() -> Setup {
    let element = json!({"hooks": [hook("preRequest", "global pre"), hook("postRequest", "global post"), hook("event", "event")]});
    let resource = json!({
        "hooks": [hook("postRequest", "own post"), hook("preRequest", "own pre")],
        "parameters": parameters(&["a query > b query", "where query > where no-op"]),
    });
    Setup::new("POST", resource).element(element).set("tenant", "acme")
}

#[test]
fn global_hooks_wrap_those_of_the_resource() {
    let (steps, answer) = run(&setup(), "POST /things", ("200", "{}"), |ask| done(ask, "{}"));
    assert_eq!(steps, ["global pre", "own pre", "POST /v1/items", "own post", "global post"]);
    assert_eq!(answer.status, 200);
}

#[test]
fn hooks_read_the_documented_names() {
    let mut seen: Vec<HookAsk> = Vec::new();
    let request = "POST /hubs/crm/things?a=1&where=x%3E%272%27\nX-A: y\n\n{\"n\": 10000000000000000000001}";
    run(&setup(), request, ("201\nX-B: z", r#"{"id":1.50}"#), |ask| {
        seen.push(ask.clone());
        done(ask, "{}")
    });
    assert_eq!(
        seen.iter().map(|ask| ask.place.as_str()).collect::<Vec<_>>(),
        ["hooks[0]", "resources[0].hooks[1]", "resources[0].hooks[0]", "hooks[1]"]
    );
    let expected = [
        ("request_body", r#"{"n": 10000000000000000000001}"#),
        ("request_body_map", r#"{"n": 10000000000000000000001}"#),
        ("request_headers", r#"{"X-A":"y"}"#),
        ("request_path", r#""/hubs/crm/things""#),
        ("request_path_variables", "{}"),
        ("request_parameters", r#"{"a":"1","where":"x>'2'"}"#),
        ("request_method", r#""POST""#),
        ("request_vendor_body", r#"{"n": 10000000000000000000001}"#),
        ("request_vendor_body_map", r#"{"n": 10000000000000000000001}"#),
        ("request_vendor_headers", r#"{"Content-Type":"application/json","Accept":"application/json"}"#),
        ("request_vendor_parameters", r#"{"b":"1"}"#),
        ("request_vendor_path", r#""/v1/items""#),
        ("request_vendor_method", r#""POST""#),
        ("request_vendor_url", r#""https://api.example.com/v1/items?b=1""#),
        ("request_expression", r#"[{"attribute":"x","operator":">","value":"2"}]"#),
        ("object_name", r#""things""#),
        ("meta_data", "{}"),
        ("configuration", r#"{"base.url":"https://api.example.com","tenant":"acme"}"#),
    ];
    let read = |ask: &HookAsk| {
        ask.inputs.iter().map(|(name, json)| (name.as_str(), json.get().to_string())).collect::<Vec<_>>()
    };
    let pairs = |pairs: &[(&'static str, &str)]| {
        pairs.iter().map(|(name, json)| (*name, json.to_string())).collect::<Vec<_>>()
    };
    assert_eq!(read(&seen[0]), pairs(&expected));
    assert_eq!(
        read(&seen[3])[expected.len()..],
        pairs(&[
            ("response_body", r#"{"id":1.50}"#),
            ("response_headers", r#"{"x-b":"z"}"#),
            ("response_status_code", "201"),
            ("response_iserror", "false"),
        ])
    );
    let call = seen.remove(0).into_call(HookLimits::default(), "2026-01-01T00:00:00Z".parse().unwrap(), 7);
    assert_eq!((call.body.as_str(), call.is_legacy, call.seed), ("global pre", false, 7));
}

/// What a hook before the request changes.
#[track_caller]
fn before(json: &str, expect: &str) {
    let (steps, _) = run(&setup(), "POST /things?a=1\n\n{}", ("200", "{}"), |ask| match ask.body.as_str() {
        "global pre" => done(ask, json),
        _ => done(ask, "{}"),
    });
    assert_eq!(steps[2], expect);
}

#[test]
fn a_hook_changes_the_request() {
    before(r#"{"request_vendor_method":"put"}"#, "PUT /v1/items?b=1\n\n{}");
    before(r#"{"request_vendor_path":"/v2/"}"#, "POST /v2/?b=1\n\n{}");
    before(r#"{"request_vendor_url":"https://x.example/y"}"#, "POST https://x.example/y\n\n{}");
    before(r#"{"request_vendor_parameters":{"q":"a b"}}"#, "POST /v1/items?q=a%20b\n\n{}");
    before(r#"{"request_vendor_headers":{"X":"1"}}"#, "POST /v1/items?b=1\nX: 1\n\n{}");
    before(
        r#"{"request_vendor_headers":{"content-TYPE":"text/xml"}}"#,
        "POST /v1/items?b=1\ncontent-TYPE: text/xml\n\n{}",
    );
    before(r#"{"request_vendor_body":"<a/>"}"#, "POST /v1/items?b=1\n\n<a/>");
    before(r#"{"request_vendor_body":null}"#, "POST /v1/items?b=1");
    before(r#"{"request_vendor_body_map":[1.0]}"#, "POST /v1/items?b=1\n\n[1.0]");
}

#[test]
fn a_hook_changes_the_answer() {
    let post = |json: &str| {
        let (_, answer) =
            run(&setup(), "POST /things", ("200\nLink: x", r#"{"id":1}"#), |ask| match ask.body.as_str() {
                "own post" => done(ask, json),
                _ => done(ask, "{}"),
            });
        answer
    };
    assert_eq!(post(r#"{"response_body":[1.10]}"#).body.as_deref(), Some("[1.10]"));
    let answer = post(r#"{"response_body":[1],"response_headers":{"elements-next-page-token":"abc"}}"#);
    assert_eq!(
        (answer.header("Elements-Next-Page-Token"), answer.header("Elements-Has-More")),
        (Some("abc"), Some("true"))
    );
    let answer = post(r#"{"response_status_code":404}"#);
    assert_eq!((answer.status, show_fault(&answer)), (404, "404: Not found [{\"id\":1}]".to_string()));
    assert_eq!(show_fault(&post(r#"{"response_error":"no such thing"}"#)), "400: no such thing");
    assert_eq!(show_fault(&post(r#"{"response_error":"no","response_status_code":409}"#)), "409: no");
    assert_eq!(show_fault(&post(r#"{"response_iserror":true}"#)), "502: the call failed [{\"id\":1}]");
}

#[test]
fn a_hook_may_heal_an_error() {
    let (_, answer) = run(&setup(), "POST /things", ("404", r#"{"why":"none"}"#), |ask| {
        let heals = r#"{"response_status_code":200,"response_body":[]}"#;
        done(ask, if input(ask, "response_iserror") == "true" { heals } else { "{}" })
    });
    assert_eq!((answer.status, answer.body.as_deref()), (200, Some("[]")));
}

#[test]
fn continue_false_answers_at_once() {
    let stop = |json: &str| run(&setup(), "POST /things", ("200", "{}"), |ask| done(ask, json));
    let (steps, answer) = stop(r#"{"continue":false,"response_body":[{"a":1.0}]}"#);
    assert_eq!((steps.len(), answer.status, answer.body.as_deref()), (1, 200, Some(r#"[{"a":1.0}]"#)));
    assert_eq!(answer.header("Elements-Returned-Count"), Some("1"));
    let (_, answer) = stop(r#"{"continue":false,"response_status_code":403}"#);
    assert_eq!(show_fault(&answer), "403: the provider forbids this to the account");
    let (steps, answer) = stop(r#"{"continue":false}"#);
    assert_eq!((steps.len(), answer.status, answer.body), (1, 200, None));
}

#[test]
fn a_hook_that_fails_names_itself_and_no_secret() {
    let setup = setup().set("oauth.user.token", "tok-secret");
    let fails = |fault: HookFault| {
        run(&setup, "POST /things", ("200", "{}"), |ask| match ask.body.as_str() {
            "own pre" => Err(fault.clone()),
            _ => done(ask, "{}"),
        })
    };
    let (steps, answer) = fails(HookFault::Thrown { line: Some(3), message: "bad tok-secret".into() });
    assert_eq!(steps, ["global pre", "own pre"]);
    let shown = show_fault(&answer);
    assert!(
        shown.starts_with("400: `POST /hubs/crm/things` (`resources[0].hooks[1]`): the hook threw"),
        "{shown}"
    );
    assert!(shown.contains("bad ********") && !shown.contains("tok-secret"), "{shown}");
}

#[test]
fn a_hook_cannot_make_an_answer_that_is_too_deep_to_read() {
    let deep = format!("{{\"response_body\":{}null{}}}", "[".repeat(50_000), "]".repeat(50_000));
    let (_, answer) = run(&setup(), "POST /things", ("200", "{}"), |ask| match ask.body.as_str() {
        "own post" => done(ask, &deep),
        _ => done(ask, "{}"),
    });
    assert_eq!(
        show_fault(&answer),
        "400: the `response_body` that a hook made cannot be used: it is nested more than 128 deep; flatten it"
    );
}

#[test]
fn nothing_of_a_call_prints_a_secret() {
    let setup =
        setup().set("oauth.user.token", "canary-1").element(json!({"authentication": {"type": "oauth2"}}));
    let mut printed = String::new();
    let mut step = setup.start("POST /things");
    while !matches!(step, CallStep::Done(_)) {
        printed.push_str(&format!("{step:?}"));
        step = match step {
            CallStep::Hook(ask, waiting) => {
                waiting.resume(done(&ask, r#"{"configuration":{"oauth.user.token":"canary-2"}}"#))
            }
            CallStep::Fetch(request, waiting) => {
                assert!(request.headers.iter().any(|(_, value)| value == "Bearer canary-1"));
                waiting.resume(reply("200", "{}"))
            }
            other => panic!("{other:?}"),
        };
    }
    printed.push_str(&format!("{step:?}"));
    assert!(printed.contains("oauth.user.token") && !printed.contains("canary"), "{printed}");
}

#[test]
fn configuration_that_a_hook_sets_is_there_for_the_next_and_handed_out() {
    let mut last = String::new();
    let (_, answer) = run(&setup(), "POST /things", ("200", "{}"), |ask| {
        last = input(ask, "configuration").to_string();
        let sets = r#"{"configuration":{"session.id":"s1","count":1.50,"tenant":null}}"#;
        done(ask, if ask.body == "global pre" { sets } else { "{}" })
    });
    assert_eq!(last, r#"{"base.url":"https://api.example.com","count":"1.50","session.id":"s1"}"#);
    let change = |key: &str, value: Option<&str>| (key.to_string(), value.map(str::to_string));
    assert_eq!(
        answer.configuration,
        [change("session.id", Some("s1")), change("count", Some("1.50")), change("tenant", None)]
    );
}

#[test]
fn a_hook_takes_the_clause_that_no_form_can_say() {
    let setup = Setup::new("GET", json!({"hooks": [hook("preRequest", "where")]}));
    let request = "GET /things?where=a%3D1%20or%20b%20is%20null&orderBy=a";
    let (steps, _) = run(&setup, request, ("200", "[]"), |ask| {
        let expression: Value = serde_json::from_str(input(ask, "request_expression")).unwrap();
        done(ask, &json!({"request_vendor_parameters": {"q": expression.to_string()}}).to_string())
    });
    assert!(steps[1].starts_with("GET /v1/items?q=%5B%7B%22attribute%22"), "{steps:?}");
}

#[test]
fn pages_that_hooks_make_are_left_to_them() {
    let lines = ["page query > page no-op", "pageSize query > size no-op", "nextPage query > n no-op"];
    let resource = json!({"hooks": [hook("preRequest", "page")], "parameters": parameters(&lines)});
    let request = "GET /things?page=2&pageSize=1";
    let (_, answer) = run(&Setup::new("GET", resource), request, ("200", "[3,4]"), |ask| done(ask, "{}"));
    assert_eq!(answer.body.as_deref(), Some("[3,4]"), "neither skipped nor cut");
}
