//! The questions that providers ask before they send, and what is answered to them.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;
use turnstone_core::intake::{Challenge, ChallengeAnswer, Inbound, presets};

const SECRET: &str = "sëcret";

struct Question<'a> {
    query: &'a [(&'a str, &'a str)],
    headers: &'a [(&'a str, &'a str)],
    body: &'a str,
}

fn ask(name: &str, question: &Question<'_>, secrets: &[&str]) -> ChallengeAnswer {
    let owned = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
    };
    let (query, headers) = (owned(question.query), owned(question.headers));
    let challenge: Challenge = presets::preset(name).unwrap().challenge.unwrap();
    let request = Inbound {
        method: "POST",
        url: "https://turnstone.example/events/x",
        query: &query,
        headers: &headers,
        body: question.body.as_bytes(),
    };
    challenge.answer(&request, secrets)
}

fn zoom(token: &str) -> String {
    json!({"event": "endpoint.url_validation", "payload": {"plainToken": token}}).to_string()
}

fn mac(text: &str) -> String {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn every_question_is_answered_as_its_provider_wants_it() {
    let graph = "Validation: Testing client application reachability for subscription Request-Id: 3f2b-1";
    let none: &[(&str, &str)] = &[];
    let meta = [("hub.mode", "subscribe"), ("hub.verify_token", SECRET), ("hub.challenge", "1158201444")];
    let asked = zoom("qgg8vlvZRS6UYooatFL8Aw");
    let zoom_answer =
        json!({"plainToken": "qgg8vlvZRS6UYooatFL8Aw", "encryptedToken": mac("qgg8vlvZRS6UYooatFL8Aw")});
    let slack = r#"{"token":"x","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P","type":"url_verification"}"#;
    let cases: [(&str, Question<'_>, &str, &str); 6] = [
        (
            "dropbox",
            Question { query: &[("challenge", "abc123")], headers: none, body: "" },
            "text/plain",
            "abc123",
        ),
        ("meta", Question { query: &meta, headers: none, body: "" }, "text/plain", "1158201444"),
        (
            "microsoft-graph",
            Question { query: &[("validationToken", graph)], headers: none, body: "" },
            "text/plain",
            graph,
        ),
        (
            "okta",
            Question { query: none, headers: &[("x-okta-verification-challenge", "n0nce-1")], body: "" },
            "application/json",
            r#"{"verification":"n0nce-1"}"#,
        ),
        (
            "slack",
            Question { query: none, headers: none, body: slack },
            "text/plain",
            "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P",
        ),
        (
            "zoom",
            Question { query: none, headers: none, body: &asked },
            "application/json",
            &zoom_answer.to_string(),
        ),
    ];
    for (name, question, kind, expect) in cases {
        match ask(name, &question, &[SECRET]) {
            ChallengeAnswer::Answer { content_type, body, header: None } => {
                assert!(content_type.starts_with(kind), "{name}: {content_type}");
                assert_eq!(body, expect, "{name}");
            }
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn nobody_gets_a_request_signed_by_asking() {
    let request = r#"{"event":"meeting.started"}"#;
    for token in [
        format!("v0:1795918099:{request}"),
        request.to_owned(),
        "v0:1795918099:a".to_owned(),
        "a=1&b=2".to_owned(),
        "a b".to_owned(),
        String::new(),
    ] {
        let question = Question { query: &[], headers: &[], body: &zoom(&token) };
        assert_eq!(ask("zoom", &question, &[SECRET]), ChallengeAnswer::Refused, "{token}");
    }
}

#[test]
fn what_is_no_question_is_none_and_what_proves_nothing_is_refused() {
    let event = json!({"event": "meeting.started", "payload": {"plainToken": "abc"}}).to_string();
    for (name, body) in
        [("zoom", event.as_str()), ("slack", r#"{"type":"event_callback","challenge":"x"}"#), ("slack", "")]
    {
        let question = Question { query: &[], headers: &[], body };
        assert_eq!(ask(name, &question, &[SECRET]), ChallengeAnswer::NotAsked, "{name}: {body}");
    }
    for token in ["wrong", ""] {
        let query = [("hub.mode", "subscribe"), ("hub.verify_token", token), ("hub.challenge", "1")];
        let question = Question { query: &query, headers: &[], body: "" };
        assert_eq!(ask("meta", &question, &[SECRET, ""]), ChallengeAnswer::Refused, "{token}");
    }
    let page = Question { query: &[("challenge", "<script>alert(1)</script>")], headers: &[], body: "" };
    assert_eq!(ask("dropbox", &page, &[SECRET]), ChallengeAnswer::Refused);
    let twice = Question { query: &[("challenge", "a"), ("challenge", "b")], headers: &[], body: "" };
    assert_eq!(ask("dropbox", &twice, &[SECRET]), ChallengeAnswer::NotAsked);
}
