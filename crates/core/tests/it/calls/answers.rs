//! What becomes of a provider's answer: records, headers, and refusals.

use super::*;

#[test]
fn an_answer_without_mapping_passes_as_it_came() {
    let raw = "[ {\"id\": 10000000000000000000001, \"p\": 1.10}, 2 ]";
    let answer = Setup::new("GET", json!({})).answered("GET /things", &[("200", raw)]);
    assert_eq!((answer.status, answer.body.as_deref()), (200, Some(raw)));
    assert_eq!(answer.header("elements-returned-count"), Some("2"));
    assert_eq!(answer.header("Elements-Request-Id"), Some("req1"));
    assert_eq!(answer.header("Elements-Element-Instance-Id"), Some("7"));
    assert_eq!(answer.header("Elements-Has-More"), Some("false"));
    assert_eq!(answer.header("Elements-Next-Page-Token"), None);
    assert_eq!(answer.provider.unwrap().to_head, Duration::from_millis(5));
}

/// Members of the resource, an answer of the provider, our body.
#[track_caller]
fn answers(resource: Value, request: &str, answer: &str, expect: &str) {
    let method = request.split(' ').next().unwrap();
    let answer = Setup::new(method, resource).answered(request, &[("200", answer)]);
    let shown = match &answer.fault {
        Some(_) => show_fault(&answer),
        None => answer.body.unwrap_or_default(),
    };
    assert_eq!(shown, expect);
}

#[test]
fn answers_are_mapped_record_by_record() {
    let mapped = |lines: &[&str]| json!({"parameters": parameters(lines)});
    answers(
        json!({"rootKey": "|data.items"}),
        "GET /things",
        r#"{"data":{"items":[{"a": 1.0}]}}"#,
        r#"[{"a": 1.0}]"#,
    );
    answers(
        json!({"rootKey": "data[*].deal"}),
        "GET /things",
        r#"{"data":[{"deal":1},{"deal":2}]}"#,
        "[1,2]",
    );
    answers(json!({"rootKey": "[0]"}), "GET /things", r#"[{"a":1}]"#, r#"{"a":1}"#);
    answers(
        mapped(&["name bodyField > attributes.full_name bodyField response"]),
        "GET /things",
        r#"[{"id":1.0,"attributes":{"full_name":"x","z":1}},{"id":2}]"#,
        r#"[{"id":1.0,"attributes":{"z":1},"name":"x"},{"id":2}]"#,
    );
    answers(
        mapped(&["id bodyField > id bodyField string response"]),
        "GET /things",
        r#"{"id":10000000000000000000001}"#,
        r#"{"id":"10000000000000000000001"}"#,
    );
    answers(mapped(&["v bodyField > 1.5 value number response"]), "GET /things", "[{}]", r#"[{"v":1.5}]"#);
    answers(
        json!({}),
        "GET /things",
        r#"[{"a":null,"b":{"c":null,"d":"null"},"e":[null]}]"#,
        r#"[{"b":{"d":"null"},"e":[null]}]"#,
    );
    answers(
        json!({}),
        "GET /things?fields=id,b.c",
        r#"[{"a":1,"b":{"c":2,"d":3},"id":1.0}]"#,
        r#"[{"id":1.0,"b":{"c":2}}]"#,
    );
    answers(
        mapped(&["n bodyField > n bodyField integer response"]),
        "GET /things",
        r#"[{"n":"x"}]"#,
        "502: the answer's `n` does not fit: `x` is not a whole number; correct its mapping",
    );
    answers(
        json!({"rootKey": "data"}),
        "GET /things",
        r#"{"items":[]}"#,
        "502: the provider's answer has nothing at `data`; correct `rootKey` [{\"items\":[]}]",
    );
    answers(
        json!({"rootKey": "data"}),
        "GET /things",
        "",
        "502: the provider answered with nothing where JSON was expected",
    );
    answers(
        json!({}),
        "GET /things",
        "<html><title>Sign in</title></html>",
        "502: the provider answered with HTML where JSON was expected [an HTML page: Sign in]",
    );
    answers(
        json!({}),
        "GET /things",
        "hello",
        "502: the provider answered with something else where JSON was expected [hello]",
    );
    answers(json!({}), "DELETE /things", "", "");
    answers(json!({}), "POST /things", "done", "\"done\"");
    answers(json!({"rootKey": "thing"}), "POST /things\n\n{\"a\":1}", r#"{"id":7}"#, r#"{"id":7}"#);
}

#[test]
fn nulls_stay_where_they_are_wanted() {
    let setup = Setup::new("GET", json!({})).set("filter.response.nulls", "false");
    let answer = setup.answered("GET /things", &[("200", r#"[{"a":null}]"#)]);
    assert_eq!(answer.body.as_deref(), Some(r#"[{"a":null}]"#));
}

#[test]
fn answers_fill_our_headers_and_the_configuration() {
    let lines = [
        "X-Rate header > x-rate header response",
        "Elements-Total-Count header > meta.total bodyField response",
        "session.id configuration > X-Session header response",
    ];
    let setup = Setup::new("GET", json!({"rootKey": "items", "parameters": parameters(&lines)}));
    let answer = setup.answered(
        "GET /things",
        &[("200\nX-Rate: 5\nx-session: s1", r#"{"items":[],"meta":{"total":"12"}}"#)],
    );
    assert_eq!((answer.header("x-rate"), answer.header("elements-total-count")), (Some("5"), Some("12")));
    assert_eq!(answer.configuration, [("session.id".to_string(), Some("s1".to_string()))]);
    let totals = Setup::new("GET", json!({})).answered("GET /things", &[("200\nX-Total-Count: 99", "[]")]);
    assert_eq!(totals.header("Elements-Total-Count"), Some("99"));
}

#[test]
fn a_request_is_wrapped_by_the_root_key() {
    let sent = |root: &str| Setup::new("POST", json!({"rootKey": root})).sent("POST /things\n\n{\"a\":1.0}");
    assert_eq!(sent("deal|x"), "POST /v1/items\n\n{\"deal\":{\"a\":1.0}}");
    assert_eq!(sent("deal"), "POST /v1/items\n\n{\"deal\":{\"a\":1.0}}");
    let later = json!({"expressions": {"requestBodyRoot": "deal", "responseBodyRoot": "data"}});
    let later = Setup::new("POST", later).sent("POST /things\n\n{}");
    assert_eq!(later, "POST /v1/items\n\n{\"deal\":{}}");
    assert_eq!(sent("|deal"), "POST /v1/items\n\n{\"a\":1.0}");
}

/// Status, headers and body of the provider's error, and ours.
#[track_caller]
fn fails(head: &str, body: &str, expect: &str) {
    let answer = Setup::new("GET", json!({}))
        .set("oauth.user.token", "tok-secret")
        .answered("GET /things", &[(head, body)]);
    assert_eq!(show_fault(&answer), expect);
    let shape: Value = serde_json::from_str(answer.body.as_deref().unwrap()).unwrap();
    assert_eq!(shape["requestId"], "req1");
    assert_eq!(shape["message"], answer.fault.as_ref().unwrap().message);
    assert!(answer.status != 500 && answer.header("Elements-Request-Id") == Some("req1"));
}

#[test]
fn errors_of_the_provider_are_passed_on_in_our_shape() {
    fails(
        "401",
        r#"{"error":"invalid_token","error_description":"expired"}"#,
        "401: the provider refused the credentials; reconnect the instance [expired]",
    );
    fails("403", r#"{"message":"no scope"}"#, "403: the provider forbids this to the account [no scope]");
    fails("404", "", "404: Not found");
    fails("400", r#"{"errors":[{"detail":"bad `x`"}]}"#, "400: the provider refused the request [bad `x`]");
    fails("409", r#"{"error":{"message":"taken"}}"#, "409: the provider has a conflicting record [taken]");
    fails(
        "429\nRetry-After: 30",
        "slow",
        "429: the provider asks to slow down; wait before the next call [slow]",
    );
    fails("500", r#"{"x":1}"#, "502: the provider failed with 500; try again later [{\"x\":1}]");
    fails(
        "503",
        "<html><head><title>Down",
        "503: the provider failed with 503; try again later [an HTML page]",
    );
    fails(
        "502",
        "<HTML><TITLE>Bad gateway</TITLE>",
        "502: the provider failed with 502; try again later [an HTML page: \
           Bad gateway]",
    );
    fails("504", "", "504: the provider failed with 504; try again later");
    fails(
        "302\nLocation: /login",
        "",
        "502: the provider redirects (302), which is not followed; correct `base.url`",
    );
    fails(
        "403",
        "token tok-secret is bad",
        "403: the provider forbids this to the account [token ******** is bad]",
    );
    let slow = Setup::new("GET", json!({})).answered("GET /things", &[("429\nRetry-After: 30", "")]);
    assert_eq!(slow.header("retry-after"), Some("30"));
    let long = Setup::new("GET", json!({})).answered("GET /things", &[("400", &"x".repeat(9_000))]);
    assert!(long.fault.unwrap().provider_message.unwrap().chars().count() < 600);
}

#[test]
fn a_provider_that_cannot_be_reached_is_no_failure_of_ours() {
    let status = |kind: FetchErrorKind| {
        let CallStep::Fetch(_, waiting) = Setup::new("GET", json!({})).start("GET /things") else { panic!() };
        let error = FetchError { kind, message: "no answer from api.example.com".into() };
        let reply = Reply { outcome: Err(error), ..reply("200", "") };
        let CallStep::Done(answer) = waiting.resume(reply) else { panic!() };
        let message = answer.fault.unwrap().message;
        assert_eq!(message, "the provider cannot be reached: no answer from api.example.com");
        answer.status
    };
    assert_eq!(status(FetchErrorKind::Timeout), 504);
    assert_eq!(status(FetchErrorKind::Connect), 502);
    assert_eq!(status(FetchErrorKind::Forbidden), 400);
}
