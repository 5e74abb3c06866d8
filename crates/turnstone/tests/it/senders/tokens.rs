//! What no library signs: passwords and tokens, keys that are none, and times inside of bodies.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use turnstone_core::check::check_verification;
use turnstone_core::intake::Verification;

use super::{Case, Sent, Try, Verdict, fault_of, judge};

const AT: i64 = 1_795_918_099;

fn sent(headers: &[(&str, &str)], query: &str, body: &str) -> Sent {
    Sent {
        preset: String::new(),
        by: String::new(),
        kind: String::new(),
        header: String::new(),
        method: "POST".into(),
        url: format!("https://turnstone.example/events/x{query}"),
        at: AT,
        id: None,
        headers: headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
        body: body.to_owned(),
        secret: String::new(),
        bytes: None,
    }
}

#[track_caller]
fn declared(setting: &Value) -> Verification {
    let checked = check_verification("v", setting);
    assert!(checked.faults.is_empty(), "{:?}", checked.faults);
    checked.verification.unwrap()
}

/// Judges requests by a setting and a secret; the cases are numbered for their names.
#[track_caller]
fn check(setting: Value, secret: &str, requests: Vec<(&str, Sent, Verdict)>) -> usize {
    let verification = declared(&setting);
    let count = requests.len();
    let faults = requests.into_iter().filter_map(|(name, sent, verdict)| {
        let one = Try { what: setting.to_string(), sent, secrets: vec![secret.to_owned()], away: 0 };
        let case = Case { name: name.to_owned(), tries: vec![one], verdict, id: None };
        fault_of(&case, |one| judge(&verification, one))
    });
    let faults: Vec<String> = faults.collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    count
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

#[test]
fn a_password_is_compared_whole() {
    let with = |value: &str| sent(&[("authorization", value)], "", "{}");
    let basic = |text: &str| with(&format!("Basic {}", STANDARD.encode(text)));
    let mut twice = basic("ann:päss:word");
    twice.headers.push(twice.headers[0].clone());
    let count = check(
        json!({"basic": true}),
        "ann:päss:word",
        vec![
            ("as it was sent", basic("ann:päss:word"), Verdict::Accepted),
            ("another password", basic("ann:päss:worD"), Verdict::Wrong),
            ("a shorter password", basic("ann:päss"), Verdict::Wrong),
            ("another user", basic("bob:päss:word"), Verdict::Wrong),
            ("no password", basic("ann:"), Verdict::Wrong),
            ("nothing", basic(""), Verdict::Wrong),
            ("no base64", with("Basic ann:päss:word"), Verdict::Malformed),
            ("another scheme", with("Bearer YW5uOnDDpHNzOndvcmQ="), Verdict::Malformed),
            ("no scheme", with("YW5uOnDDpHNzOndvcmQ="), Verdict::Malformed),
            ("no header", sent(&[], "", "{}"), Verdict::Missing),
            ("two headers", twice, Verdict::Doubled),
        ],
    );
    assert_eq!(count, 11);
}

#[test]
fn a_token_is_compared_whole_wherever_it_stands() {
    let header = |value: &str| sent(&[("Authorization", value)], "", "{}");
    let mut count = check(
        json!({"token": {"header": "Authorization", "prefix": "Bearer "}}),
        "t0ken",
        vec![
            ("bearer", header("Bearer t0ken"), Verdict::Accepted),
            ("bearer: altered", header("Bearer t1ken"), Verdict::Wrong),
            ("bearer: longer", header("Bearer t0kenn"), Verdict::Wrong),
            ("bearer: empty", header("Bearer "), Verdict::Wrong),
            ("bearer: no prefix", header("t0ken"), Verdict::Malformed),
            ("bearer: in the query", sent(&[], "?Authorization=Bearer%20t0ken", "{}"), Verdict::Missing),
        ],
    );
    let query = |query: &str| sent(&[], query, "{}");
    count += check(
        json!({"token": {"parameter": "key"}}),
        "t0 k&n",
        vec![
            ("parameter", query("?a=1&key=t0+k%26n"), Verdict::Accepted),
            ("parameter: altered", query("?key=t0+k%27n"), Verdict::Wrong),
            ("parameter: empty", query("?key="), Verdict::Wrong),
            ("parameter: missing", query("?Key=t0+k%26n"), Verdict::Missing),
            ("parameter: twice", query("?key=t0+k%26n&key=t0+k%26n"), Verdict::Doubled),
            ("parameter: in a header", sent(&[("key", "t0 k&n")], "", "{}"), Verdict::Missing),
        ],
    );
    let body = |body: &str| sent(&[], "", body);
    count += check(
        json!({"token": {"field": "auth.passcode"}}),
        "t0ken",
        vec![
            ("field", body(r#"{"auth":{"passcode":"t0ken"}}"#), Verdict::Accepted),
            ("field: written with escapes", body(r#"{"auth":{"passcode":"t\u0030ken"}}"#), Verdict::Accepted),
            ("field: altered", body(r#"{"auth":{"passcode":"t0kem"}}"#), Verdict::Wrong),
            ("field: elsewhere", body(r#"{"passcode":"t0ken"}"#), Verdict::Missing),
            ("field: no text", body(r#"{"auth":{"passcode":["t0ken"]}}"#), Verdict::Missing),
            ("field: a form", body("auth.passcode=t0ken"), Verdict::Missing),
        ],
    );
    assert_eq!(count, 18);
}

#[test]
fn every_notification_of_microsoft_graph_shows_the_state() {
    let body = |body: Value| sent(&[], "", &body.to_string());
    let one = |state: &str| json!({"clientState": state, "changeType": "updated"});
    for setting in [json!("microsoft-graph"), json!({"token": {"field": "clientState", "each": "value"}})] {
        let requests = vec![
            ("graph: one", body(json!({"value": [one("st4te")]})), Verdict::Accepted),
            ("graph: two", body(json!({"value": [one("st4te"), one("st4te")]})), Verdict::Accepted),
            ("graph: another", body(json!({"value": [one("st5te")]})), Verdict::Wrong),
            ("graph: the second is another", body(json!({"value": [one("st4te"), one("")]})), Verdict::Wrong),
            ("graph: the second has none", body(json!({"value": [one("st4te"), {}]})), Verdict::Missing),
            ("graph: empty", body(json!({"value": []})), Verdict::Missing),
            ("graph: no list", body(json!({"clientState": "st4te"})), Verdict::Missing),
            ("graph: another list", body(json!({"value": one("st4te")})), Verdict::Malformed),
            ("graph: no body", sent(&[], "", ""), Verdict::Malformed),
            ("graph: in the query", sent(&[], "?clientState=st4te", "{}"), Verdict::Missing),
        ];
        assert_eq!(check(setting, "st4te", requests), 10);
    }
}

#[test]
fn an_empty_key_signs_nothing() {
    let body = r#"{"type":"forged"}"#;
    let signature = STANDARD.encode(mac(b"", &format!("msg_1.{AT}.{body}")));
    let time = AT.to_string();
    let value = format!("v1,{signature}");
    let forged = sent(
        &[("webhook-id", "msg_1"), ("webhook-timestamp", &time), ("webhook-signature", &value)],
        "",
        body,
    );
    for secret in ["whsec_", "whsec_====", "=", "whsec_ "] {
        let requests = vec![(secret, forged.clone(), Verdict::Wrong)];
        check(json!("standard-webhooks"), secret, requests);
    }
    check(json!("standard-webhooks"), "", vec![("no secret", forged, Verdict::NoSecret)]);
    let hex: String = mac(b"", body).iter().map(|byte| format!("{byte:02x}")).collect();
    let forged = sent(&[("X-Hub-Signature-256", &format!("sha256={hex}"))], "", body);
    check(json!("github"), "", vec![("github", forged, Verdict::NoSecret)]);
}

#[test]
fn a_time_in_the_body_is_judged_when_it_is_signed() {
    let signed = |body: &str| {
        let hex: String = mac(b"key", body).iter().map(|byte| format!("{byte:02x}")).collect();
        sent(&[("Linear-Signature", &hex)], "", body)
    };
    let at = |away: i64| signed(&format!(r#"{{"webhookTimestamp": {}}}"#, (AT + away) * 1_000));
    let count = check(
        json!("linear"),
        "key",
        vec![
            ("now", at(0), Verdict::Accepted),
            ("a minute ago", at(-60), Verdict::Accepted),
            ("a minute ahead", at(60), Verdict::Accepted),
            ("more than a minute ago", at(-61), Verdict::Stale),
            ("more than a minute ahead", at(61), Verdict::Stale),
            ("no time", signed("{}"), Verdict::Missing),
            ("no time in a list", signed("[1]"), Verdict::Missing),
            ("a time that is true", signed(r#"{"webhookTimestamp": true}"#), Verdict::Missing),
            ("a time with a point", signed(r#"{"webhookTimestamp": 1795918099000.0}"#), Verdict::Malformed),
            ("a word", signed(r#"{"webhookTimestamp": "now"}"#), Verdict::Malformed),
            ("no JSON", signed("webhookTimestamp=1795918099000"), Verdict::Missing),
        ],
    );
    assert_eq!(count, 11);
}

#[test]
fn a_delivery_is_named_by_a_parameter_or_a_field() {
    for (setting, query, body, expect) in [
        (json!({"parameter": "d"}), "?d=q-1", "{}", Some("q-1")),
        (json!({"parameter": "d"}), "?e=q-1", "{}", None),
        (
            json!({"field": "event.id"}),
            "",
            r#"{"event":{"id":12345678901234567890}}"#,
            Some("12345678901234567890"),
        ),
        (json!({"field": "event.id"}), "", "event.id=1", None),
        (json!({"header": "X-D"}), "", "{}", Some("h-1")),
    ] {
        let verification = declared(&json!({"token": {"header": "X-T"}, "deliveryId": setting}));
        let sent = sent(&[("X-T", "t"), ("X-D", "h-1")], query, body);
        let one = Try { what: String::new(), sent, secrets: vec!["t".into()], away: 0 };
        let verified = judge(&verification, &one).unwrap();
        assert_eq!(verified.id.as_deref(), expect, "{setting}");
    }
}
