//! `turnstone poll` and `explain`: every change exactly once, whatever ends a poll, and explained without a trace.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use turnstone_provider::{
    Auth, Change, Control, Op, OpKind, ProviderConfig, RecordKind, ResourceConfig, Stamp,
};

use crate::harness::{Crm, Desk, Peer, Running, answer, ended, json_answer};

fn crm(records: u32) -> Crm {
    let customers = ResourceConfig::new("customers", RecordKind::Customers).with_initial(records);
    Crm::start(ProviderConfig { paused: true, ..ProviderConfig::of(7, vec![customers]) })
}

fn change(crm: &Crm, op: OpKind, count: u32) -> Vec<Change> {
    let op = Op { op, resource: "customers".into(), count, ids: Vec::new(), stamp: Stamp::Rising };
    crm.provider.control(Control::ops(vec![op])).unwrap().changes
}

/// Id and version of an event's record.
fn version(line: &Value) -> (String, u64) {
    (line["objectId"].as_str().unwrap().to_owned(), line["record"]["version"].as_u64().unwrap())
}

/// The last version of each changed record.
fn newest(changes: &[Change]) -> BTreeMap<String, u64> {
    changes.iter().map(|change| (change.id.clone(), u64::from(change.version))).collect()
}

#[test]
fn the_first_poll_from_now_prints_nothing_and_changes_appear_exactly_once() {
    let crm = crm(90);
    let desk = Desk::new(&crm.document(json!({})));
    let first = desk.poll().expect_code(0).expect_words("takes what is there as known");
    assert!(first.lines.is_empty(), "{}", first.stdout);
    assert!(desk.poll().expect_code(0).lines.is_empty());

    for round in 0..3 {
        let mut changes = change(&crm, OpKind::Create, 5);
        changes.extend(change(&crm, OpKind::Update, 25));
        let lines = desk.poll().expect_code(0).lines;
        let printed: BTreeMap<String, u64> = lines.iter().map(version).collect();
        assert_eq!(printed.len(), lines.len(), "no record twice in round {round}");
        assert_eq!(printed, newest(&changes), "round {round}");
        let kinds: BTreeSet<&str> = lines.iter().map(|line| line["eventType"].as_str().unwrap()).collect();
        assert_eq!(kinds, BTreeSet::from(["CREATED", "UPDATED"]));
        assert!(desk.poll().expect_code(0).lines.is_empty(), "nothing twice in round {round}");
    }
    let columns = [
        "id",
        "eventType",
        "objectType",
        "objectId",
        "date",
        "elementKey",
        "instanceId",
        "sequence",
        "reason",
        "record",
    ];
    change(&crm, OpKind::Update, 1);
    let line = desk.poll().lines.remove(0);
    assert_eq!(line.as_object().unwrap().keys().collect::<Vec<_>>(), columns);
    assert!(line["date"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn without_a_state_the_advice_is_to_use_one() {
    let crm = crm(5);
    let desk = Desk::new(&crm.document(json!({})));
    let ended = desk.run(&["poll", "FILE"]).expect_code(0).expect_words("add `--state FILE`");
    assert!(ended.lines.is_empty());
    desk.write(&crm.document(json!({"startFrom": "beginning"})));
    assert_eq!(desk.run(&["poll", "FILE", "--quiet"]).expect_code(0).lines.len(), 5);
    let said = desk.run(&["poll", "FILE", "--json-messages"]).stderr;
    assert!(said.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{said}");
}

#[test]
fn what_a_closed_pipe_did_not_take_is_printed_by_the_next_start() {
    let crm = crm(130);
    let desk = Desk::new(&crm.document(json!({"startFrom": "beginning"})));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = desk.command(&["poll", "FILE", "--state", "STATE"]);
    let output = command.stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let mut lines = desk.poll().expect_code(0).lines;
    lines.extend(desk.poll().expect_code(0).lines);
    let ids: BTreeSet<String> = lines.iter().map(|line| version(line).0).collect();
    assert_eq!((ids.len(), lines.len()), (130, 130));
}

#[test]
fn a_kill_between_commit_and_print_loses_nothing() {
    let crm = crm(1_500);
    let desk = Desk::new(&crm.document(json!({"startFrom": "beginning", "pageSize": 500})));
    // Nobody reads: the pipe fills up, and the program is killed while it waits to print.
    let mut running = Running::start(desk.command(&["poll", "FILE", "--state", "STATE"]));
    running.wait_for("polled: ");
    running.child.kill().unwrap();
    running.child.wait().unwrap();
    let mut text = String::new();
    running.child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    let before: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert!(!before.is_empty() && before.len() < 1_500, "{} lines before the kill", before.len());

    let after = desk.poll().expect_code(0).lines;
    let ids = |lines: &[Value]| lines.iter().map(|line| line["id"].to_string()).collect::<BTreeSet<_>>();
    let (first, second) = (ids(&before), ids(&after));
    assert_eq!(second.len(), after.len(), "nothing twice after the start");
    assert_eq!(first.union(&second).count(), 1_500, "nothing lost");
    assert!(first.intersection(&second).count() <= 100, "only what had no bookmark yet");
    assert!(desk.poll().expect_code(0).lines.is_empty());
}

#[test]
fn following_prints_as_it_goes_and_an_interrupt_ends_it() {
    let crm = crm(30);
    let desk = Desk::new(&crm.document(json!({})));
    let command = desk.command(&["poll", "FILE", "--state", "STATE", "--follow", "--every", "1s"]);
    let mut running = Running::start(command);
    running.wait_for("polled: ");
    let refused = desk.poll().expect_code(5);
    assert!(refused.stderr.contains("another process"), "{}", refused.stderr);

    let changes = newest(&change(&crm, OpKind::Update, 4));
    let mut lines = BufReader::new(running.child.stdout.as_mut().unwrap()).lines();
    let mut printed = BTreeMap::new();
    while printed.len() < changes.len() {
        let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        printed.extend([version(&line)]);
    }
    assert_eq!(printed, changes);
    drop(lines);
    running.interrupt();
    running.end().expect_code(0).expect_words("stopping");
    assert!(desk.poll().expect_code(0).lines.is_empty());
}

#[test]
fn an_interrupt_finishes_the_page_in_hand_and_the_next_start_goes_on_there() {
    const PAGES: usize = 30;
    let peer = Peer::start(|request, _| {
        std::thread::sleep(Duration::from_millis(20)); // A provider that takes its time.
        let page: usize = request.path.rsplit("page=").next().unwrap().parse().unwrap();
        let records: Vec<Value> = (0..4)
            .filter(|_| page <= PAGES)
            .map(|at| json!({"id": page * 10 + at, "version": 1, "updated_at": "2026-01-01T00:00:00.000Z"}))
            .collect();
        json_answer(&json!(records))
    });
    let paged = json!({
        "startFrom": "beginning", "pagination": {"type": "page", "page": "page"}, "pageSize": 4, "drift": "trust"
    });
    let desk = Desk::new(&crate::harness::document(&peer.url("/customers"), paged));
    let mut running = Running::start(desk.command(&["poll", "FILE", "--state", "STATE"]));
    let mut out = BufReader::new(running.child.stdout.take().unwrap());
    let mut text = String::new();
    out.read_line(&mut text).unwrap();
    running.interrupt();
    running.wait_for("stopping");
    out.read_to_string(&mut text).unwrap();
    assert_eq!(running.child.wait().unwrap().code(), Some(0));
    let asked = peer.count();
    assert!((1..PAGES).contains(&asked), "{asked} pages were asked for before the interrupt");

    let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!lines.is_empty() && lines.len() <= asked * 4, "{} lines of {asked} pages", lines.len());
    lines.extend(desk.poll().expect_code(0).lines);
    let resumed = peer.seen.lock().unwrap()[asked].path.clone();
    assert!(!resumed.ends_with("page=1"), "the pass goes on: {resumed}");
    let ids: BTreeSet<String> = lines.iter().map(|line| version(line).0).collect();
    assert_eq!((ids.len(), lines.len()), (PAGES * 4, PAGES * 4), "each once");
    assert!(desk.poll().expect_code(0).lines.is_empty());
}

#[test]
fn what_is_gone_is_found_by_sweeps() {
    let crm = crm(60);
    let read_url = format!("{}/v1/customers/{{id}}", crm.provider.url());
    let list = format!("{}/v1/customers", crm.provider.url());
    let sweep = json!({"every": "1h", "url": list, "readUrl": read_url});
    // No replica lags here. With an overlap, a sweep so soon after the first look would decide nothing (0025).
    let desk = Desk::new(&crm.document(json!({"sweep": sweep, "overlap": 0})));
    assert!(desk.poll().expect_code(0).lines.is_empty());
    let gone: BTreeSet<String> =
        change(&crm, OpKind::Delete, 3).into_iter().map(|change| change.id).collect();
    let mut lines = Vec::new();
    for _ in 0..3 {
        lines.extend(desk.run(&["poll", "FILE", "--state", "STATE", "--sweep"]).expect_code(0).lines);
    }
    assert!(lines.iter().all(|line| line["eventType"] == "DELETED"), "{lines:?}");
    let told: BTreeSet<String> =
        lines.iter().map(|line| line["objectId"].as_str().unwrap().to_owned()).collect();
    assert_eq!((told, lines.len()), (gone, 3));
    desk.write(&crm.document(json!({})));
    desk.run(&["poll", "FILE", "--sweep"]).expect_code(2).expect_words("has no `sweep`");
}

#[test]
fn a_callback_gets_what_is_printed() {
    let crm = crm(12);
    let callback = Peer::start(|_, _| answer("200 OK", "text/plain", "thanks"));
    let mut document = crm.document(json!({"startFrom": "beginning"}));
    document["configuration"]["event.notification.callback.url"] = json!(callback.url("/hook"));
    document["configuration"]["event.notification.signature.key"] = json!("env:TURNSTONE_TEST_KEY");
    let desk = Desk::new(&document);
    let mut command = desk.command(&["poll", "FILE", "--state", "STATE", "--deliver"]);
    command.env("TURNSTONE_TEST_KEY", "a key of sufficient length");
    let printed = ended(command).expect_code(0).expect_words("the callback accepted 2 notifications").lines;
    let posted: BTreeSet<String> = callback
        .seen
        .lock()
        .unwrap()
        .iter()
        .flat_map(|request| {
            let body: Value = serde_json::from_str(&request.body).unwrap();
            let events = body["message"]["events"].as_array().unwrap().clone();
            events.into_iter().map(|event| event["eventId"].to_string())
        })
        .collect();
    let printed: BTreeSet<String> = printed.iter().map(|line| line["id"].to_string()).collect();
    assert_eq!((posted.len(), posted), (12, printed));
    let bytes = std::fs::read(desk.path("state.db")).unwrap();
    assert!(!bytes.windows(12).any(|part| part == b"a key of suf"), "the state does not show the key");
}

#[test]
fn explain_tells_every_record_and_commits_nothing() {
    let crm = crm(25);
    let desk = Desk::new(&crm.document(json!({})));
    desk.poll().expect_code(0);
    let changes = newest(&change(&crm, OpKind::Update, 6));
    let explain = || -> Value {
        let ended = desk.run(&["explain", "FILE", "--state", "STATE", "--json"]).expect_code(0);
        serde_json::from_str::<Value>(&ended.stdout).unwrap()[0].clone()
    };
    let (once, again) = (explain(), explain());
    for explained in [&once, &again] {
        let updated = explained["records"].as_array().unwrap().iter().filter(|it| it["verdict"] == "UPDATED");
        let ids: BTreeSet<String> = updated.map(|it| it["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(ids, changes.keys().cloned().collect());
        assert_eq!(explained["counts"]["updated"], json!(6));
        assert!(explained["requests"][0].as_str().unwrap().contains("updated_at_gte=20"), "{explained}");
        assert!(explained["completeTo"].is_string() && explained["lowerBound"].is_string());
        for record in explained["records"].as_array().unwrap() {
            assert!(!record["reason"].as_str().unwrap().is_empty(), "{record}");
        }
    }
    assert_eq!(desk.poll().expect_code(0).lines.len(), 6, "nothing was committed");
    let text = desk.run(&["explain", "FILE", "--state", "STATE"]).expect_code(0).stdout;
    for words in ["the next poll", "window", "reported", "complete to", "nothing was committed"] {
        assert!(text.contains(words), "`{words}` is not in:\n{text}");
    }
}

#[test]
fn credentials_come_from_the_environment_and_from_files() {
    let customers = ResourceConfig::new("customers", RecordKind::Customers).with_initial(3);
    let auth = Auth::Basic { username: "ann".into(), password: "from the file".into() };
    let crm = Crm::start(ProviderConfig { paused: true, auth, ..ProviderConfig::of(7, vec![customers]) });
    let mut document = crm.document(json!({"startFrom": "beginning"}));
    let desk = Desk::new(&document);
    desk.poll().expect_code(3).expect_words("answered with 401");
    std::fs::write(desk.path("password"), "from the file\n").unwrap();
    document["configuration"]["authentication.type"] = json!("basic");
    document["configuration"]["username"] = json!("env:TURNSTONE_TEST_USER");
    document["configuration"]["password"] = json!(format!("file:{}", desk.path("password").display()));
    desk.write(&document);
    let mut command = desk.command(&["poll", "FILE", "--state", "STATE"]);
    command.env("TURNSTONE_TEST_USER", "ann");
    assert_eq!(ended(command).expect_code(0).lines.len(), 3);
}

#[test]
fn one_resource_of_several_and_the_first_failure_decides() {
    let records = json!([{"id": 1, "updated_at": "2026-01-01T00:00:00.000Z"}]);
    let peer = Peer::start(move |request, _| {
        if request.path.starts_with("/good") {
            json_answer(&records)
        } else {
            answer("404 Not Found", "text/plain", "")
        }
    });
    let mut document = crate::harness::document(&peer.url("/good"), json!({"startFrom": "beginning"}));
    let mut bad = document["configuration"]["event.poller.configuration"]["customers"].clone();
    bad["url"] = json!(peer.url("/bad"));
    let all = document["configuration"]["event.poller.configuration"].as_object_mut().unwrap();
    let good = all.remove("customers").unwrap();
    all.insert("bad".into(), bad);
    all.insert("good".into(), good);
    let desk = Desk::new(&document);
    let ended = desk.poll().expect_code(3).expect_words("`bad`");
    assert_eq!(ended.lines.len(), 1, "the other one is polled all the same");
    desk.run(&["poll", "FILE", "--state", "STATE", "--resource", "good"]).expect_code(0);
    desk.run(&["poll", "FILE", "--resource", "ugly"]).expect_code(2).expect_words("it has `bad`, `good`");
}
