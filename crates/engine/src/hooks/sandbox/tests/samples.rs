//! The event hooks to start from, each run with the request that comes with it.

use serde_json::{Value, json};
use turnstone_core::hook::HookOutcome;
use turnstone_core::intake::samples::{SAMPLES, SENT_AT, Sample};

use super::*;

/// What a request holds for an event hook: the members of its body, form or query, then what is put beside them.
fn events(sample: &Sample, headers: &[(String, &str)]) -> String {
    let pairs = |pairs: &mut dyn Iterator<Item = (String, String)>| {
        Value::Object(pairs.map(|(name, value)| (name, Value::from(value))).collect()).to_string()
    };
    let members = if sample.body.starts_with('{') {
        sample.body.to_owned()
    } else if sample.body.is_empty() {
        pairs(&mut sample.query.iter().map(|(name, value)| (name.to_string(), value.to_string())))
    } else {
        pairs(&mut url::form_urlencoded::parse(sample.body.as_bytes()).into_owned())
    };
    let headers: Value = headers.iter().map(|(name, value)| (name.clone(), Value::from(*value))).collect();
    let open = members.strip_suffix('}').unwrap();
    format!(r#"{open},"eventHeaders":{headers},"eventId":"17"}}"#)
}

fn outcome(sample: &Sample, events: &str) -> Result<Value, String> {
    let mut call = call(sample.script, events);
    call.is_legacy = sample.is_legacy;
    call.now = SENT_AT.parse().unwrap();
    let configuration = json!({"webhook.secret": sample.secret}).to_string();
    call.inputs = call.inputs.with(InputName::Configuration, raw(&configuration));
    match run(&call).end {
        End::Done(json) => {
            let outcome =
                HookOutcome::read(HookKind::Event, Some(&json)).map_err(|fault| fault.to_string())?;
            assert_eq!(outcome.ignored, Vec::<String>::new(), "{}", sample.name);
            Ok(serde_json::to_value(outcome.events).unwrap())
        }
        other => Err(format!("{other:?}")),
    }
}

fn event(kind: &str, object: &str, id: &str, date: &str) -> Value {
    let mut event = json!({"eventType": kind, "objectId": id, "objectType": object});
    if !date.is_empty() {
        event["date"] = json!(date);
    }
    event
}

fn expected(name: &str) -> Value {
    match name {
        "json-body" => json!([event("UPDATED", "contacts", "9007199254740993", "2026-01-31T09:29:58Z")]),
        "list-of-records" => json!([
            event("CREATED", "accounts", "A-1", "2026-01-31T09:29:50Z"),
            event("UPDATED", "accounts", "A-2", "2026-01-31T09:29:51Z"),
            event("DELETED", "contacts", "77", "2026-01-31T09:29:52Z"),
        ]),
        "signature-in-hook" => json!([event("UPDATED", "invoices", "R-2026-0117", "2026-01-31T09:29:58Z")]),
        "handshake" => json!([event("DELETED", "items", "i-9", "2026-01-31T09:29:58Z")]),
        "form-body" => json!([event("UPDATED", "messages", "SM0c1f5", "")]),
        "query-string" => json!([event("UPDATED", "contact", "42", "2026-01-31T09:29:58Z")]),
        "legacy" => json!([
            event("UPDATED", "leads", "1", "2026-01-31T09:29:57Z"),
            event("DELETED", "leads", "2", "2026-01-31T09:29:58Z"),
        ]),
        "standard-webhooks" => json!([event("UPDATED", "user", "usr_1f81", "2026-01-31T09:29:59Z")]),
        "github-issues" => json!([event("CREATED", "issues", "2735462144", "2026-01-31T09:29:57Z")]),
        "github-push" => json!([
            event("CREATED", "commits", "0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c", "2026-01-31T09:29:30Z"),
            event("UPDATED", "refs", "refs/heads/main", ""),
        ]),
        "stripe" => json!([event("DELETED", "subscription", "sub_9dK2", "2026-01-31T09:29:55Z")]),
        "shopify" => json!([event("UPDATED", "orders", "820982911946154508", "2026-01-31T09:29:55Z")]),
        "slack" => {
            json!([event("UPDATED", "messages", "C2147483705:1769851700.000100", "2026-01-31T09:29:58Z")])
        }
        "microsoft-graph" => {
            json!([event("CREATED", "messages", "AAMk1", ""), event("DELETED", "messages", "AAMk0", ""),])
        }
        other => panic!("`{other}` has no expectation here"),
    }
}

#[test]
fn every_sample_makes_its_events_whatever_the_letter_case_of_headers() {
    for sample in SAMPLES {
        let as_sent = sample.headers.iter().map(|(name, value)| (name.to_string(), *value));
        let lower = sample.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), *value));
        for headers in [as_sent.collect::<Vec<_>>(), lower.collect()] {
            let made = outcome(sample, &events(sample, &headers));
            assert_eq!(made, Ok(expected(sample.name)), "{}", sample.name);
        }
    }
    assert_eq!(SAMPLES.len(), 14);
}

#[test]
fn the_signature_in_a_hook_refuses_what_was_changed() {
    let sample = SAMPLES.iter().find(|sample| sample.name == "signature-in-hook").unwrap();
    let headers: Vec<(String, &str)> =
        sample.headers.iter().map(|(name, value)| (name.to_string(), *value)).collect();
    let right = events(sample, &headers);
    let mut refused = vec![
        right.replace("119.00", "119.0"),
        right.replace("R-2026-0117", "R-2026-0118"),
        right.replace("WSma", "WSmb"),
        right.replace("X-Signature", "X-Other"),
        right.replacen("{\"invoice\"", "{\"more\":1,\"invoice\"", 1),
    ];
    refused.push(events(sample, &[]));
    for changed in refused {
        let made = outcome(sample, &changed).unwrap_err();
        assert!(made.contains("the signature is wrong"), "{changed}: {made}");
    }
}

#[test]
fn samples_leave_alone_what_is_not_theirs() {
    for (name, from, to) in [
        ("github-issues", "X-GitHub-Event\":\"issues", "X-GitHub-Event\":\"ping"),
        ("github-push", "X-GitHub-Event\":\"push", "X-GitHub-Event\":\"ping"),
        ("slack", "\"event\":{\"type\":\"message\"", "\"event\":{\"type\":\"reaction_added\""),
    ] {
        let sample = SAMPLES.iter().find(|sample| sample.name == name).unwrap();
        let headers: Vec<(String, &str)> =
            sample.headers.iter().map(|(name, value)| (name.to_string(), *value)).collect();
        let sent = events(sample, &headers);
        assert!(sent.contains(from), "{name}");
        assert_eq!(outcome(sample, &sent.replace(from, to)), Ok(json!([])), "{name}");
    }
}
