//! Golden runs.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value as Json, json};
use turnstone_core::date::ZoneRules;
use turnstone_core::flow::run::{Bounds, Entry, FlowEnd, FlowRequest, FlowStart, FlowStep, start};
use turnstone_core::flow::value::Object;
use turnstone_core::run::{FetchError, FetchErrorKind, Reply, Response};

use super::{sound, yaml_file};

/// The clock of every run that names none.
const NOW: &str = "2025-03-01T12:00:00Z";

/// What a run was asked, beside its end.
struct Played {
    end: FlowEnd,
    requests: Vec<String>,
    together: usize,
    waited: Duration,
}

fn moment(run: &Json, name: &str) -> Timestamp {
    run[name].as_str().unwrap_or(NOW).parse().unwrap()
}

fn begin(document: &Json, run: &Json, kept: Option<&str>) -> FlowStart {
    let cursor = match &run["cursor"] {
        Json::Null => None,
        Json::String(word) if word == "kept" => kept.map(str::to_string),
        value => Some(value.to_string()),
    };
    let options = run["options"].as_object().into_iter().flatten();
    let mut bounds = Bounds::default();
    for (name, value) in run["bounds"].as_object().into_iter().flatten() {
        let value = value.as_u64().unwrap();
        let size = usize::try_from(value).unwrap();
        match name.as_str() {
            "cards" => bounds.cards = value,
            "depth" => bounds.depth = size,
            "waits" => bounds.waits = Duration::from_secs(value),
            "time" => bounds.time = Duration::from_secs(value),
            "iterations" => bounds.iterations = size,
            "records" => bounds.records = size,
            "valueBytes" => bounds.value_bytes = size,
            "workBytes" => bounds.work_bytes = value,
            other => panic!("no bound `{other}`"),
        }
    }
    let entry = match run["helper"].as_str() {
        Some(name) => Entry::Helper { name: name.into(), values: Object::new() },
        None => Entry::Monitor,
    };
    FlowStart {
        flow: sound(document),
        entry,
        cursor,
        options: options.map(|(label, value)| (label.clone(), value.as_str().unwrap().to_string())).collect(),
        now: moment(run, "now"),
        provider_now: moment(run, "providerNow"),
        seed: 7,
        execution: "run_1".into(),
        base_url: Some("https://api.example.com/base".into()),
        zones: ZoneRules::default(),
        bounds,
    }
}

/// Answers every request by the script, whatever their order.
fn play(mut step: FlowStep, run: &Json, at: Timestamp) -> Played {
    let mut script: Vec<Json> = run["replies"].as_array().cloned().unwrap_or_default();
    let (mut requests, mut together, mut waited) = (Vec::new(), 0, Duration::ZERO);
    let mut now = at;
    loop {
        step = match step {
            FlowStep::Fetch(asked, waiting) => {
                together = together.max(asked.len());
                let mut replies = Vec::new();
                for request in asked {
                    let line = shown(&request);
                    replies.push(answer(&line, &mut script, now));
                    requests.push(line);
                }
                let longest = replies.iter().map(|reply: &Reply| reply.to_head).max().unwrap_or_default();
                now = now.checked_add(longest).unwrap();
                waiting.resume(replies)
            }
            FlowStep::Wait(pause, waiting) => {
                waited += pause;
                now = now.checked_add(pause).unwrap();
                waiting.resume(now)
            }
            FlowStep::Done(end) => {
                assert!(
                    script.is_empty(),
                    "never asked for: {script:#?}\nasked: {requests:#?}\n{:#?}",
                    end.result
                );
                return Played { end: *end, requests, together, waited };
            }
        };
    }
}

fn shown(FlowRequest { request, authorised, .. }: &FlowRequest) -> String {
    let mut line = format!("{} {}", request.method, request.url);
    for (name, value) in request.headers.iter().filter(|(name, _)| name.starts_with("X-")) {
        line.push_str(&format!(" {name}: {value}"));
    }
    if let Some(body) = &request.body {
        line.push_str(&format!(" {body}"));
    }
    if !authorised {
        line.push_str(" (stranger)");
    }
    line
}

fn answer(line: &str, script: &mut Vec<Json>, now: Timestamp) -> Reply {
    let at = script.iter().position(|reply| reply["request"] == *line);
    let at = at.unwrap_or_else(|| panic!("nobody answers `{line}` in {script:#?}"));
    let reply = match script[at]["times"].as_u64() {
        Some(times) if times > 1 => {
            script[at]["times"] = json!(times - 1);
            script[at].clone()
        }
        _ => script.remove(at),
    };
    let to_head = Duration::from_millis(reply["ms"].as_u64().unwrap_or(0));
    if let Some(message) = reply["fails"].as_str() {
        let error = FetchError { kind: FetchErrorKind::Connect, message: message.into() };
        return Reply { sent_at: now, to_head, outcome: Err(error) };
    }
    let body = match &reply["body"] {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        value => value.to_string(),
    };
    let headers = reply["headers"].as_object().into_iter().flatten();
    let headers = headers.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_string())).collect();
    let status = u16::try_from(reply["status"].as_u64().unwrap_or(200)).unwrap();
    Reply { sent_at: now, to_head, outcome: Ok(Response { status, headers, body }) }
}

fn json_of(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

/// What a run brought, as far as `expect` speaks of it.
fn compare(name: &str, played: &Played, expect: &Json) {
    let outcome = played.end.result.as_ref();
    for (key, wanted) in expect.as_object().unwrap() {
        let found = match key.as_str() {
            "records" => {
                let records = outcome.map(|it| it.records.as_slice()).unwrap_or_default();
                records.iter().map(|record| json_of(&record.body)).collect()
            }
            "ids" => outcome
                .map(|it| json!(it.records.iter().map(|r| r.id.clone()).collect::<Vec<_>>()))
                .unwrap_or_default(),
            "updated" => {
                let updated = |record: &turnstone_core::flow::run::RecordOut| {
                    record.updated.as_ref().map(|(_, at)| at.to_string())
                };
                outcome
                    .map(|it| json!(it.records.iter().map(updated).collect::<Vec<_>>()))
                    .unwrap_or_default()
            }
            "types" => {
                let types =
                    |record: &turnstone_core::flow::run::RecordOut| record.event_type.map(|of| of.as_str());
                outcome.map(|it| json!(it.records.iter().map(types).collect::<Vec<_>>())).unwrap_or_default()
            }
            "cursor" => outcome.ok().and_then(|it| it.cursor.as_deref()).map_or(Json::Null, json_of),
            "returned" => outcome.map_or(Json::Null, |it| {
                json_of(&turnstone_core::flow::value::Value::object(it.returned.clone()).to_json())
            }),
            "error" => outcome.err().map_or(Json::Null, |error| {
                let mut found = serde_json::to_value(error).unwrap();
                let kept: Vec<String> = wanted.as_object().unwrap().keys().cloned().collect();
                found.as_object_mut().unwrap().retain(|name, _| kept.contains(name));
                found
            }),
            "requests" => json!(played.requests),
            "together" => json!(played.together),
            "waited" => json!(played.waited.as_secs()),
            "notes" => json!(played.end.notes),
            "cards" => json!(played.end.cards),
            "trace" => {
                let cards = serde_json::to_value(&played.end.trace.cards).unwrap();
                let wanted = wanted.as_array().unwrap();
                let find = |want: &Json| {
                    let is_it = |card: &&Json| {
                        want.as_object().unwrap().iter().all(|(name, value)| card[name] == *value)
                    };
                    cards.as_array().unwrap().iter().find(is_it).map(|_| want.clone())
                };
                let found: Vec<Json> =
                    wanted.iter().map(|want| find(want).unwrap_or(json!("missing"))).collect();
                if json!(found) != json!(wanted) {
                    panic!("{name}: trace {found:#?}\nis not in {cards:#}");
                }
                json!(found)
            }
            other => panic!("{name}: nothing is called `{other}`"),
        };
        assert_eq!(found, *wanted, "{name}: {key}\n{:#?}\n{:#?}", played.end.result, played.requests);
    }
}

fn play_file(file: &str) -> usize {
    let cases = yaml_file(file);
    let mut count = 0;
    for case in cases.as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let document = match &case["document"] {
            Json::String(path) => yaml_file(path),
            document => document.clone(),
        };
        let mut kept: Option<String> = None;
        for (at, run) in case["runs"].as_array().unwrap().iter().enumerate() {
            let begun = begin(&document, run, kept.as_deref());
            let now = begun.now;
            let played = play(start(begun), run, now);
            compare(&format!("{file}: {name}, run {at}"), &played, &run["expect"]);
            if let Ok(outcome) = &played.end.result {
                kept = outcome.cursor.clone().or(kept);
            }
            count += 1;
        }
    }
    count
}

#[test]
fn the_example_of_the_mission_runs() {
    assert!(play_file("crates/core/tests/flows/new-users.yaml") >= 5);
}

#[test]
fn blocks_errors_and_limits() {
    assert!(play_file("crates/core/tests/flows/control.yaml") >= 20);
}

#[test]
fn loops_and_requests() {
    assert!(play_file("crates/core/tests/flows/loops.yaml") >= 10);
}
