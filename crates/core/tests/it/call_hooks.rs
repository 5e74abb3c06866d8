//! Hooks around calls: their order, what they read, what their results change.

use serde_json::{Value, json};
use turnstone_core::call::{CallAnswer, CallStep, HookCall, HookChanges, HookResult, VendorBody};

use super::calls::{Setup, parameters, reply, show, show_fault};

fn hook(kind: &str, body: &str) -> Value {
    json!({"type": kind, "body": body})
}

/// Runs a call whose hooks are answered by `answer`; the steps as text, and our answer.
fn run(
    setup: &Setup,
    request: &str,
    provider: (&str, &str),
    mut answer: impl FnMut(&HookCall) -> HookResult,
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
    let (steps, answer) = run(&setup(), "POST /things", ("200", "{}"), |_| Ok(HookChanges::default()));
    assert_eq!(steps, ["global pre", "own pre", "POST /v1/items", "own post", "global post"]);
    assert_eq!(answer.status, 200);
}

#[test]
fn hooks_read_the_documented_names() {
    let mut seen: Vec<(String, Vec<(&'static str, String)>)> = Vec::new();
    let request = "POST /hubs/crm/things?a=1&where=x%3E%272%27\nX-A: y\n\n{\"n\": 10000000000000000000001}";
    run(&setup(), request, ("201\nX-B: z", r#"{"id":1.50}"#), |call| {
        seen.push((call.place.clone(), call.inputs.clone()));
        Ok(HookChanges::default())
    });
    assert_eq!(
        seen.iter().map(|(place, _)| place.as_str()).collect::<Vec<_>>(),
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
    let before: Vec<(&str, &str)> = seen[0].1.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(before, expected);
    let after: Vec<(&str, &str)> =
        seen[3].1[expected.len()..].iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(
        after,
        [
            ("response_body", r#"{"id":1.50}"#),
            ("response_headers", r#"{"x-b":"z"}"#),
            ("response_status_code", "201"),
            ("response_iserror", "false"),
        ]
    );
}

/// What a hook before the request changes.
#[track_caller]
fn before(changes: HookChanges, expect: &str) {
    let mut first = Some(changes);
    let (steps, _) =
        run(&setup(), "POST /things?a=1\n\n{}", ("200", "{}"), |_| Ok(first.take().unwrap_or_default()));
    assert_eq!(steps[2], expect);
}

#[test]
fn a_hook_changes_the_request() {
    let none = HookChanges::default;
    before(HookChanges { method: Some("put".into()), ..none() }, "PUT /v1/items?b=1\n\n{}");
    before(HookChanges { path: Some("/v2/".into()), ..none() }, "POST /v2/?b=1\n\n{}");
    before(
        HookChanges { url: Some("https://x.example/y".into()), ..none() },
        "POST https://x.example/y\n\n{}",
    );
    before(
        HookChanges { parameters: Some(vec![("q".into(), "a b".into())]), ..none() },
        "POST /v1/items?q=a%20b\n\n{}",
    );
    before(
        HookChanges { headers: vec![("X".into(), Some("1".into()))], ..none() },
        "POST /v1/items?b=1\nX: 1\n\n{}",
    );
    before(
        HookChanges { headers: vec![("content-TYPE".into(), Some("text/xml".into()))], ..none() },
        "POST /v1/items?b=1\ncontent-TYPE: text/xml\n\n{}",
    );
    before(
        HookChanges { body: Some(VendorBody::Text("<a/>".into())), ..none() },
        "POST /v1/items?b=1\n\n<a/>",
    );
    before(HookChanges { body: Some(VendorBody::Empty), ..none() }, "POST /v1/items?b=1");
    before(
        HookChanges { body: Some(VendorBody::Json("[1.0]".into())), ..none() },
        "POST /v1/items?b=1\n\n[1.0]",
    );
}

#[test]
fn a_hook_changes_the_answer() {
    let post = |changes: HookChanges| {
        let mut first = Some(changes);
        let (_, answer) = run(&setup(), "POST /things", ("200\nLink: x", r#"{"id":1}"#), |call| {
            let is_post = call.body == "own post";
            Ok(if is_post { first.take().unwrap_or_default() } else { HookChanges::default() })
        });
        answer
    };
    let none = HookChanges::default;
    assert_eq!(
        post(HookChanges { response_body: Some("[1.10]".into()), ..none() }).body.as_deref(),
        Some("[1.10]")
    );
    let token = vec![("elements-next-page-token".to_string(), Some("abc".to_string()))];
    let answer = post(HookChanges { response_body: Some("[1]".into()), response_headers: token, ..none() });
    assert_eq!(
        (answer.header("Elements-Next-Page-Token"), answer.header("Elements-Has-More")),
        (Some("abc"), Some("true"))
    );
    let answer = post(HookChanges { response_status: Some(404), ..none() });
    assert_eq!((answer.status, show_fault(&answer)), (404, "404: Not found [{\"id\":1}]".to_string()));
    let answer = post(HookChanges { error: Some("no such thing".into()), ..none() });
    assert_eq!(show_fault(&answer), "400: no such thing");
    let answer = post(HookChanges { error: Some("no".into()), response_status: Some(409), ..none() });
    assert_eq!(show_fault(&answer), "409: no");
    let answer = post(HookChanges { response_is_error: Some(true), ..none() });
    assert_eq!(show_fault(&answer), "502: the call failed [{\"id\":1}]");
}

#[test]
fn a_hook_may_heal_an_error() {
    let (_, answer) = run(&setup(), "POST /things", ("404", r#"{"why":"none"}"#), |call| {
        let is_error = call.inputs.iter().any(|(name, value)| *name == "response_iserror" && value == "true");
        Ok(match is_error {
            true => HookChanges {
                response_status: Some(200),
                response_body: Some("[]".into()),
                ..HookChanges::default()
            },
            false => HookChanges::default(),
        })
    });
    assert_eq!((answer.status, answer.body.as_deref()), (200, Some("[]")));
}

#[test]
fn continue_false_answers_at_once() {
    let stop = |changes: HookChanges| {
        let mut first = Some(HookChanges { stops: true, ..changes });
        run(&setup(), "POST /things", ("200", "{}"), |_| Ok(first.take().unwrap_or_default()))
    };
    let none = HookChanges::default;
    let (steps, answer) = stop(HookChanges { response_body: Some(r#"[{"a":1.0}]"#.into()), ..none() });
    assert_eq!((steps.len(), answer.status, answer.body.as_deref()), (1, 200, Some(r#"[{"a":1.0}]"#)));
    assert_eq!(answer.header("Elements-Returned-Count"), Some("1"));
    let (_, answer) = stop(HookChanges { response_status: Some(403), ..none() });
    assert_eq!(show_fault(&answer), "403: the provider forbids this to the account");
    let (steps, answer) = stop(none());
    assert_eq!((steps.len(), answer.status, answer.body), (1, 200, None));
}

#[test]
fn a_hook_that_fails_names_itself_and_no_secret() {
    let setup = setup().set("oauth.user.token", "tok-secret");
    let (steps, answer) = run(&setup, "POST /things", ("200", "{}"), |call| match call.body.as_str() {
        "own pre" => Err("it ran longer than 10 s with tok-secret".into()),
        _ => Ok(HookChanges::default()),
    });
    assert_eq!(steps, ["global pre", "own pre"]);
    assert_eq!(
        show_fault(&answer),
        "400: the hook at `resources[0].hooks[1]` failed: it ran longer than 10 s with ********"
    );
}

#[test]
fn configuration_that_a_hook_sets_is_there_for_the_next_and_handed_out() {
    let mut last = String::new();
    let (_, answer) = run(&setup(), "POST /things", ("200", "{}"), |call| {
        last = call.inputs.iter().find(|(name, _)| *name == "configuration").unwrap().1.clone();
        Ok(match call.body.as_str() {
            "global pre" => HookChanges {
                configuration: vec![("session.id".into(), Some("s1".into())), ("tenant".into(), None)],
                ..HookChanges::default()
            },
            _ => HookChanges::default(),
        })
    });
    assert_eq!(last, r#"{"base.url":"https://api.example.com","session.id":"s1"}"#);
    assert_eq!(
        answer.configuration,
        [("session.id".to_string(), Some("s1".to_string())), ("tenant".to_string(), None)]
    );
}

#[test]
fn a_hook_takes_the_clause_that_no_form_can_say() {
    let resource = json!({"hooks": [hook("preRequest", "where")]});
    let (steps, _) = run(
        &Setup::new("GET", resource),
        "GET /things?where=a%3D1%20or%20b%20is%20null&orderBy=a",
        ("200", "[]"),
        |call| {
            let expression = &call.inputs.iter().find(|(name, _)| *name == "request_expression").unwrap().1;
            let parameters = Some(vec![("q".to_string(), expression.clone())]);
            Ok(HookChanges { parameters, ..HookChanges::default() })
        },
    );
    assert!(steps[1].starts_with("GET /v1/items?q=%5B%7B%22attribute%22"), "{steps:?}");
}

#[test]
fn pages_that_hooks_make_are_left_to_them() {
    let resource = json!({
        "hooks": [hook("preRequest", "page")],
        "parameters": parameters(&["page query > page no-op", "pageSize query > size no-op", "nextPage query > n no-op"]),
    });
    let (_, answer) =
        run(&Setup::new("GET", resource), "GET /things?page=2&pageSize=1", ("200", "[3,4]"), |_| {
            Ok(HookChanges::default())
        });
    assert_eq!(answer.body.as_deref(), Some("[3,4]"), "neither skipped nor cut");
}
