//! The connectors of the mission, called: what their pollers ask, and what anybody may ask, as the provider sees it.

use std::sync::Arc;

use jiff::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::value::RawValue;
use turnstone_core::call::{CallBody, CallContext, CallRequest, CallStep, HookAsk, Renewal, start, start_at};
use turnstone_core::connector::{Connector, ResourceKind};
use turnstone_core::date::{Zone, ZoneRules};
use turnstone_core::hook::{HookFault, HookOutcome};
use turnstone_core::json_text;
use turnstone_core::template::{Template, Values};

use super::calls::{reply, show, show_fault};
use super::connector::{DEALS, REVEL, SAGEONE, SERVICENOW, connector};

fn context(connector: &Connector, settings: &[(&str, &str)]) -> CallContext {
    let own = settings.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    CallContext {
        connector: Arc::new(connector.clone()),
        settings: connector.settings(&own),
        instance: 1,
        request_id: "r".into(),
        now: "2026-01-01T00:00:00Z".parse().unwrap(),
        nonce: "n".into(),
    }
}

/// The address that a poll of a default resource calls, its window rendered.
fn poll_url(connector: &Connector, resource: &str) -> String {
    let url = connector.defaults().resources[resource]["url"].as_str().unwrap().to_string();
    let parsed = Template::parse(&url, &Zone::utc(), ZoneRules::default()).unwrap();
    let at: Timestamp = "2019-05-09T20:37:30.123Z".parse().unwrap();
    parsed.template.render(&Values { start: at, end: at, cursor: None })
}

/// The first provider request, hooks answered by `hook` with what they hand to `done`.
fn sent(context: CallContext, request: CallRequest, hook: impl Fn(&HookAsk) -> &'static str) -> String {
    let mut step = start(context, request);
    loop {
        step = match step {
            CallStep::Hook(ask, waiting) => {
                let done = RawValue::from_string(hook(&ask).to_string()).unwrap();
                waiting.resume(HookOutcome::read(ask.kind, Some(&done)))
            }
            CallStep::Fetch(request, _) => return show(request),
            CallStep::Done(answer) => return show_fault(&answer),
            CallStep::RefreshToken(_) => panic!("nothing was refused"),
        };
    }
}

fn plain(_: &HookAsk) -> &'static str {
    "{}"
}

#[test]
fn a_poll_of_revel_asks_by_the_filter_of_its_resource() {
    let revel = connector(REVEL);
    let url = format!("{}&pageSize=20", poll_url(&revel, "employees"));
    let settings = [("subdomain", "testhumanity"), ("oauth.user.token", "tok")];
    assert_eq!(
        sent(context(&revel, &settings), CallRequest::get(&url), plain),
        "GET https://testhumanity.revelup.com/resources/Employee/?offset=0&limit=20&updated_date__gte=\
         2019-05-09T12%3A37%3A30.123\nAPI-AUTHENTICATION: Bearer tok"
    );
    let unset = sent(context(&revel, &[]), CallRequest::get(&url), plain);
    assert_eq!(
        unset,
        "400: the configuration value `subdomain` is missing, which `base.url` needs; set it on the instance"
    );
}

/// The temporary token of the mission's `providerData` goes with the code, through the connector's own exchange.
#[test]
fn the_exchange_of_revel_is_a_call_of_its_own_resource() {
    let revel = connector(REVEL);
    let exchange = revel.resource_of(ResourceKind::OAuthOnTokenExchange).unwrap();
    let request = CallRequest {
        method: "POST".into(),
        path: "/oauth/token".into(),
        body: CallBody::Json(r#"{"code":"xxx","token":"tmp"}"#.into()),
        ..CallRequest::default()
    };
    // A refresh token from before must not make a refused exchange ask for a renewal.
    let settings = [
        ("subdomain", "acme"),
        ("oauth.user.refresh_token", "r"),
        ("oauth.api.key", "k"),
        ("oauth.token.url", "https://acme.revelup.com/oauth/token"),
    ];
    let mut step = start_at(context(&revel, &settings), exchange, request);
    if let CallStep::Hook(ask, waiting) = step {
        step = waiting.resume(HookOutcome::read(ask.kind, None));
    }
    let CallStep::Fetch(request, waiting) = step else { panic!("{step:?}") };
    assert_eq!(
        show(request),
        "POST https://acme.revelup.com/oauth/token/\n\n{\"code\":\"xxx\",\"temporary_token\":\"tmp\"}"
    );
    let CallStep::Done(answer) = waiting.resume(reply("401", "")) else {
        panic!("no sign-in inside a sign-in")
    };
    assert_eq!(show_fault(&answer), "401: the provider refused the credentials; reconnect the instance");
}

#[test]
fn a_poll_of_servicenow_asks_through_its_hook() {
    let servicenow = connector(SERVICENOW);
    let settings = [("servicenow.subdomain", "acme"), ("oauth.user.token", "tok")];
    let request = sent(
        context(&servicenow, &settings),
        CallRequest::get(&format!("{}&pageSize=20", poll_url(&servicenow, "accounts"))),
        |ask| {
            // What the hook's own JavaScript does, so far as this clause needs it.
            assert_eq!(ask.place, "resources[0].hooks[0]");
            let input =
                |name: &str| ask.inputs.iter().find(|(known, _)| known.as_str() == name).unwrap().1.get();
            assert_eq!(
                input("request_expression"),
                r#"[{"attribute":"sys_updated_on","operator":">","value":"2019-05-09T20:37:30"}]"#
            );
            assert_eq!(input("request_vendor_parameters"), r#"{"sysparm_offset":"0","sysparm_limit":"20"}"#);
            r#"{"request_vendor_parameters":{"sysparm_offset":"0","sysparm_limit":"20",
                "sysparm_query":"sys_updated_on>2019-05-09 20:37:30"}}"#
        },
    );
    assert_eq!(
        request,
        "GET https://acme.service-now.com/api/now/v1/table/customer_account?sysparm_offset=0&sysparm_limit=20&\
         sysparm_query=sys_updated_on%3E2019-05-09%2020%3A37%3A30\nAuthorization: Bearer tok"
    );
    let comments = sent(context(&servicenow, &settings), CallRequest::get("/incidents/abc/comments"), plain);
    assert!(comments.contains("/table/sys_journal_field?element_id=abc"), "{comments}");
}

#[test]
fn a_poll_of_deals_asks_by_their_date() {
    let deals = connector(DEALS);
    let settings = [("account", "acme"), ("api.token", "key")];
    let call = |request: CallRequest| sent(context(&deals, &settings), request, plain);
    assert_eq!(
        call(CallRequest::get(&poll_url(&deals, "deals"))),
        "GET https://acme.api-us1.com/api/3/deals?offset=0&limit=100&filters%5Bupdated_after%5D=\
         2017-02-28T16%3A11%3A29-06%3A00\nApi-Token: key"
    );
    let create = CallRequest {
        method: "POST".into(),
        path: "/hubs/marketing/deals".into(),
        body: CallBody::Json(r#"{"title":"x","amount":"45600","big":10000000000000000000001}"#.into()),
        ..CallRequest::default()
    };
    assert_eq!(
        call(create),
        "POST https://acme.api-us1.com/api/3/deals\nApi-Token: key\n\n\
         {\"deal\":{\"title\":\"x\",\"big\":10000000000000000000001,\"value\":45600}}"
    );
    let missing = sent(context(&deals, &[("account", "acme")]), CallRequest::get("/deals"), plain);
    assert_eq!(
        missing,
        "400: the configuration value `api.token` is missing, which `GET /hubs/marketing/deals` needs; set it on the \
         instance"
    );
}

#[test]
fn a_poll_of_sage_one_asks_with_both_its_parameters() {
    let sage = connector(SAGEONE);
    let url = poll_url(&sage, "customers");
    let request = sent(context(&sage, &[("oauth.user.token", "tok")]), CallRequest::get(&url), plain);
    assert_eq!(
        request,
        "GET https://api.accounting.sage.com/v3.1/contacts?page=1&items_per_page=200&contact_type_id=CUSTOMER&\
         updated_or_created_since=2019-05-09T20%3A37%3A30Z&attributes=created_at%2Cupdated_at\nAuthorization: Bearer tok"
    );
}

#[test]
fn any_answer_ends_a_call_and_none_panics() {
    let connectors = [REVEL, SERVICENOW, DEALS, SAGEONE].map(connector);
    let settings = [
        ("subdomain", "a"),
        ("servicenow.subdomain", "a"),
        ("account", "a"),
        ("api.token", "key-key-key"),
        ("oauth.user.token", "tok-tok-tok"),
        ("oauth.user.refresh_token", "r"),
        ("oauth.api.key", "k"),
    ];
    let paths = proptest::sample::select(vec![
        "/hubs/employee/employees",
        "/timesheets/7",
        "/accounts",
        "/incidents/%2E%2E/comments",
        "/deals",
        "/deals/x",
        "/hubs/finance/customers",
        "/customers/1?fields=a.b,c",
        "/x",
        "//",
        "/hubs/",
    ]);
    let bodies = proptest::sample::select(vec![
        "",
        "null",
        "[]",
        "{}",
        "[null]",
        "{\"objects\":[1,{\"a\":null}],\"result\":[[]],\"deals\":{}}",
        "<html>",
        "[1",
        "{\"result\":{\"a\":1e999}}",
        "{\"$items\":[{\"owner\":{\"name\":1}}],\"deal\":null}",
        "\"\\ud800\"",
        "a=b",
    ]);
    let query = "(where|page|pageSize|nextPage|fields|orderBy|x)=[a-z0-9'<>=% ().-]{0,12}";
    let strategy = (
        (0..4usize, proptest::sample::select(vec!["GET", "POST", "PUT", "PATCH", "DELETE", "get"]), paths),
        proptest::collection::vec(query, 0..3),
        prop_oneof![Just(CallBody::Empty), "[\\[\\]{}\":a1,]{0,9}".prop_map(CallBody::Json)],
        proptest::collection::vec((100..600u16, bodies, any::<bool>()), 1..6),
    );
    TestRunner::new(Config { cases: 2_000, failure_persistence: None, ..Config::default() })
        .run(&strategy, |((which, method, path), query, body, answers)| {
            let url = format!("{path}{}{}", if path.contains('?') { "&" } else { "?" }, query.join("&"));
            let request = CallRequest { method: method.into(), body, ..CallRequest::get(&url) };
            let mut step = start(context(&connectors[which], &settings), request);
            let (mut answers, mut steps) = (answers.into_iter().cycle(), 0);
            let answer = loop {
                steps += 1;
                prop_assert!(steps < 1_000, "the call does not end");
                step = match step {
                    CallStep::Hook(ask, waiting) => {
                        let (status, body, fails) = answers.next().unwrap();
                        let done =
                            serde_json::json!({"request_vendor_body": body, "response_status_code": status});
                        let done = serde_json::value::to_raw_value(&done).unwrap();
                        let fault = HookFault::Thrown { line: None, message: "it failed".into() };
                        waiting.resume(if fails {
                            Err(fault)
                        } else {
                            HookOutcome::read(ask.kind, Some(&done))
                        })
                    }
                    CallStep::Fetch(request, waiting) => {
                        prop_assert!(
                            request.url.bytes().all(|byte| byte.is_ascii_graphic()),
                            "{}",
                            request.url
                        );
                        let (status, body, linked) = answers.next().unwrap();
                        let head = if linked {
                            format!("{status}\nLink: </n?{steps}>; rel=next")
                        } else {
                            status.to_string()
                        };
                        waiting.resume(reply(&head, body))
                    }
                    CallStep::RefreshToken(waiting) => waiting.resume(Renewal::Failed("no".into())),
                    CallStep::Done(answer) => break answer,
                };
            };
            prop_assert_ne!(answer.status, 500);
            prop_assert!((200..600).contains(&answer.status));
            if let Some(body) = &answer.body {
                prop_assert!(json_text::validate(body).is_ok(), "{}", body);
                prop_assert!(!body.contains("tok-tok-tok") && !body.contains("key-key-key"));
            }
            prop_assert_eq!(answer.fault.is_some(), answer.status >= 400);
            Ok(())
        })
        .unwrap();
}
