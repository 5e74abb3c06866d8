//! Monitors on the command line: the mission's example against the fake provider and against json-server, and what is
//! refused.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use turnstone_provider::{
    Auth, Control, Fault, FaultRule, Names, Op, OpKind, ProviderConfig, RecordKind, ResourceConfig, Settings,
};

use crate::harness::{Crm, Desk, Ended, http, root};
use crate::json_server::Server;

const EXAMPLE: &str = "examples/monitors/new-users.yaml";

/// The members of a rehearsal.
const TESTED: [&str; 14] = [
    "ok",
    "error",
    "cards",
    "leftOut",
    "notes",
    "cardsRun",
    "requests",
    "finishedAt",
    "recordCount",
    "records",
    "cursor",
    "savesCursor",
    "returned",
    "reported",
];

fn desk() -> Desk {
    Desk::new(&Value::Null)
}

/// A rehearsal of a document, as its JSON.
fn rehearse(desk: &Desk, file: &Path, base: &str, cursor: &str) -> (Ended, Value) {
    let file = file.to_str().unwrap();
    let ended = desk.run(&["flow", "run", file, "--base-url", base, "--cursor", cursor, "--json"]);
    let shown = ended.lines.first().cloned().unwrap_or_default();
    (ended, shown)
}

fn ids(shown: &Value) -> Vec<String> {
    let records = shown["records"].as_array().unwrap().iter();
    records.map(|record| record["User"]["ID"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_example_reads_the_fake_provider_window_after_window() {
    let names = Names { created: "createdAt".into(), ..Names::default() };
    let settings = Settings { names, page_size: 100, page_size_max: 100, ..Settings::default() };
    let users = ResourceConfig::new("users", RecordKind::Customers).with_initial(40).with_settings(settings);
    let crm = Crm::start(ProviderConfig { paused: true, ..ProviderConfig::of(3, vec![users]) });
    let (desk, example) = (desk(), root().join(EXAMPLE));
    let (ended, first) = rehearse(&desk, &example, &crm.provider.url(), "null");
    ended.expect_code(0);
    assert_eq!((first["ok"].as_bool(), ids(&first).len()), (Some(true), 40), "{first}");
    let reported = &first["reported"];
    assert_eq!((&reported["eventCount"], &reported["error"]), (&json!(40), &Value::Null));
    assert!(reported["events"].as_array().unwrap().iter().all(|event| event["eventType"] == "CREATED"));
    // The shape is the one of `POST /monitors/test`, values opened.
    let members: Vec<&String> = first.as_object().unwrap().keys().collect();
    assert_eq!(members, TESTED);
    let call = first["cards"].as_array().unwrap().iter().find(|card| card["card"] == "call").unwrap();
    assert_eq!((&call["inputs"]["relative_url"], &first["returned"]), (&json!("/v1/users"), &json!({})));
    // Later runs ask from the saved cursor on: what is new, and nothing of what is old.
    let cursor = first["cursor"].to_string();
    assert!(first["cursor"]["cursor_value"].is_string(), "{cursor}");
    crm.provider.control(Control::ops(vec![Op::some(OpKind::Create, "users", 3)])).unwrap();
    std::thread::sleep(Duration::from_millis(1_100)); // *Now* has whole seconds, as the provider's `Date`.
    let (ended, second) = rehearse(&desk, &example, &crm.provider.url(), &cursor);
    ended.expect_code(0);
    assert_eq!(ids(&second).len(), 3, "{second}");
    let asked = crm.provider.requests();
    let last = format!("{:?}", asked.last().unwrap());
    assert!(last.contains("createdAfter") && last.contains("createdBefore"), "{last}");
    // The service cannot be asked: the Try block handles it, nothing is returned, and the cursor stays.
    crm.provider.control(Control::faults(vec![FaultRule::always(Fault::Status { code: 503 })])).unwrap();
    let (ended, failed) = rehearse(&desk, &example, &crm.provider.url(), &cursor);
    ended.expect_code(0);
    assert_eq!((ids(&failed).len(), &failed["cursor"]), (0, &Value::Null), "{failed}");
    let cards = failed["cards"].as_array().unwrap();
    let called = cards.iter().find(|card| card["error"].is_string()).unwrap();
    assert!(called["error"].as_str().unwrap().contains("503"), "{called}");
}

fn user(id: u32, at: jiff::Timestamp) -> Value {
    json!({"id": id, "name": format!("User {id}"), "email": format!("u{id}@example.com"), "createdAt": at.to_string()})
}

#[test]
fn the_example_reads_json_server_window_after_window() {
    let now = jiff::Timestamp::now();
    let old: Vec<Value> =
        (1..=25).map(|id| user(id, now - jiff::SignedDuration::from_mins(i64::from(id)))).collect();
    let server = Server::start(&json!({"users": old}), &json!({"/v1/*": "/$1"}), "/v1/users");
    let desk = desk();
    // The same cards; only the names of its two query parameters are this provider's.
    let text = std::fs::read_to_string(root().join(EXAMPLE)).unwrap();
    let text = text.replace("createdAfter:", "createdAt_gte:").replace("createdBefore:", "createdAt_lte:");
    let file = desk.path("users.yaml");
    std::fs::write(&file, text).unwrap();
    let base = format!("http://{}", server.address);
    let (ended, first) = rehearse(&desk, &file, &base, "null");
    ended.expect_code(0);
    assert_eq!(ids(&first).len(), 25, "{first}");
    let cursor = first["cursor"].to_string();
    let saved: jiff::Timestamp = first["cursor"]["cursor_value"].as_str().unwrap().parse().unwrap();
    // One on the edge of the window, one after it, and one that is late by a minute: the overlap finds all three.
    for (id, at) in [
        (26, saved),
        (27, saved + jiff::SignedDuration::from_millis(1)),
        (28, saved - jiff::SignedDuration::from_secs(60)),
    ] {
        let (status, text) = http(server.address, "POST", "/users", &user(id, at)).unwrap();
        assert_eq!(status, 201, "{text}");
    }
    std::thread::sleep(Duration::from_millis(2_100)); // *Now* has whole seconds, as the provider's `Date`.
    let (ended, second) = rehearse(&desk, &file, &base, &cursor);
    ended.expect_code(0);
    let mut found = ids(&second);
    found.retain(|id| !["1", "2"].contains(&id.as_str())); // Read again by the overlap; the ledger suppresses them.
    found.sort();
    assert_eq!(found, ["26", "27", "28"], "{second}");
    drop(server);
    let (ended, failed) = rehearse(&desk, &file, &base, &cursor);
    ended.expect_code(0);
    assert_eq!((ids(&failed).len(), &failed["cursor"]), (0, &Value::Null), "{failed}");
}

#[test]
fn everything_that_is_wrong_is_named_at_once() {
    let desk = desk();
    let file = desk.path("bad.yaml");
    std::fs::write(
        &file,
        "name: Bad\ncursor: date\noutputs: {User: {ID: text}}\ncards:\n  - {id: a, card: text.upperCas}\n  \
         - {id: b, card: list.length, inputs: {list: {from: later.output}}}\n  - {id: later, card: date.now}\n  \
         - {card: control.cursor, inputs: {Properties: {from: b.length}}}\n  - {card: control.cursor, inputs: {Properties: {from: later.date}}}\n  \
         - {card: control.returnOutputs, inputs: {List: [{User: {Name: x}}]}}\n",
    )
    .unwrap();
    let path = file.to_str().unwrap();
    let ended = desk.run(&["flow", "check", path, "--json"]).expect_code(2);
    let faults = ended.lines[0]["faults"].as_array().unwrap().clone();
    assert!(faults.len() >= 4, "{faults:#?}");
    for words in ["upperCas", "later", "Name", "and Number is saved", "two Cursor cards race in one path"] {
        let named = |fault: &Value| fault.to_string().contains(words);
        assert!(faults.iter().any(named), "{words}: {faults:#?}");
    }
    assert!(faults.iter().all(|fault| !fault["remedy"].as_str().unwrap().is_empty()));
    desk.run(&["flow", "run", path, "--cursor", "null"]).expect_code(2).expect_words("is not sound");
    let example = root().join(EXAMPLE);
    let example = example.to_str().unwrap();
    desk.run(&["flow", "check", example]).expect_code(0);
    for (cursor, words) in [("nope", "no JSON"), ("7", "cursor of this monitor is"), ("", "no JSON")] {
        let run = ["flow", "run", example, "--base-url", "http://127.0.0.1:9", "--cursor", cursor];
        desk.run(&run).expect_code(2).expect_words(words);
    }
    let large = json!({"cursor_value": "x".repeat(10_300)}).to_string();
    let run = ["flow", "run", example, "--base-url", "http://127.0.0.1:9", "--cursor", &large];
    desk.run(&run).expect_code(2).expect_words("10240");
    let run = ["flow", "run", example, "--cursor", "null", "--option", "Team=7"];
    desk.run(&run).expect_code(2).expect_words("there is no option `Team`");
    desk.run(&["flow", "run", example]).expect_code(64);
    desk.run(&["flow", "run", example, "--cursor", "null", "--base-url", "ftp://x"]).expect_code(2);
}

#[test]
fn a_new_monitor_is_sound_and_an_export_becomes_one() {
    let desk = desk();
    let made = desk.run(&["flow", "new", "New users"]).expect_code(0);
    let document: Value = serde_json::from_str(&made.stdout).unwrap();
    let cards: Vec<&str> =
        document["cards"].as_array().unwrap().iter().filter_map(|card| card["card"].as_str()).collect();
    assert!(cards.contains(&"control.cursor") && cards.contains(&"control.returnOutputs"), "{cards:?}");
    let listed = desk.run(&["flow", "cards", "--json"]).expect_code(0);
    assert!(listed.lines[0].as_array().unwrap().len() > 130);
    desk.run(&["flow", "cards", "cursor"]).expect_code(0);
    std::fs::write(desk.path("not.json"), "{}").unwrap();
    let not = desk.path("not.json");
    desk.run(&["flow", "import", not.to_str().unwrap()])
        .expect_code(2)
        .expect_words("not an export of flows");
}

#[test]
fn credentials_follow_the_origin_and_are_never_shown() {
    let names = Names { created: "createdAt".into(), ..Names::default() };
    let settings = Settings { names, ..Settings::default() };
    let users = ResourceConfig::new("users", RecordKind::Customers).with_initial(2).with_settings(settings);
    let auth = Auth::Bearer { token: "s3cret-t0ken".into() };
    let crm = Crm::start(ProviderConfig { paused: true, auth, ..ProviderConfig::of(3, vec![users]) });
    let (desk, example) = (desk(), root().join(EXAMPLE));
    let file = example.to_str().unwrap();
    let base = crm.provider.url();
    let mut command = desk.command(&[
        "flow",
        "run",
        file,
        "--base-url",
        &base,
        "--cursor",
        "null",
        "--json",
        "-H",
        "Authorization: env:THE_HEADER",
    ]);
    command.env("THE_HEADER", "Bearer s3cret-t0ken");
    let ended = crate::harness::ended(command).expect_code(0);
    assert_eq!(ids(&ended.lines[0]).len(), 2, "{}", ended.stdout);
    assert!(!ended.stdout.contains("s3cret") && !ended.stderr.contains("s3cret"));
    desk.run(&[
        "flow",
        "run",
        file,
        "--base-url",
        &base,
        "--cursor",
        "null",
        "-H",
        "Authorization: env:NOT_SET",
    ])
    .expect_code(2)
    .expect_words("NOT_SET");
    desk.run(&["flow", "run", file, "--base-url", &base, "--cursor", "null", "-H", "nonsense"])
        .expect_code(2);
}
