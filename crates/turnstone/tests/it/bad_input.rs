//! Bad answers and bad documents: one clear sentence that names the place and the remedy, and the right exit code.

use std::net::TcpListener;

use serde_json::{Value, json};

use crate::harness::{Desk, Peer, Running, answer, document, json_answer};

const FILTER: &str = "/customers?since=${gmtDate:yyyy-MM-dd'T'HH:mm:ss'Z'}";

/// One poll of a server with this answer: exit code 3 and these words on standard error.
#[track_caller]
fn answered(text: String, words: &[&str]) {
    let peer = Peer::start(move |_, _| text.clone());
    let desk = Desk::new(&document(&peer.url(FILTER), json!({"startFrom": "beginning"})));
    let mut ended = desk.poll().expect_code(3);
    for word in words {
        ended = ended.expect_words(word);
    }
    let error: Vec<&str> = ended.stderr.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(error.len(), 1, "one sentence: {}", ended.stderr);
    assert!(error[0].contains(';') || error[0].contains(':'), "a remedy: {}", error[0]);
    assert!(ended.lines.is_empty());
    assert!(peer.count() >= 1);
}

#[test]
fn an_answer_that_is_no_list_says_what_it_is() {
    answered(
        answer("200 OK", "text/html; charset=utf-8", "<html>Sign in</html>"),
        &["`customers`", "text/html", "login"],
    );
    answered(json_answer(&json!({"data": []})), &["`customers`", "list"]);
    answered(answer("200 OK", "application/json", "[{\"id\": 1},"), &["`customers`"]);
    answered(answer("200 OK", "application/json", "hello"), &["`customers`"]);
    answered(answer("200 OK", "application/json", ""), &["`customers`"]);
}

#[test]
fn an_answer_that_breaks_off_is_not_used() {
    let whole = json_answer(&json!([{"id": 1, "updated_at": "2026-01-01T00:00:00.000Z"}]));
    let cut = whole[..whole.len() - 10].to_owned();
    answered(cut, &["127.0.0.1", "not used"]);
}

#[test]
fn refusals_say_what_to_do() {
    let refused = |status: &str| answer(status, "application/json", "{}");
    answered(refused("401 Unauthorized"), &["answered with 401", "correct them"]);
    answered(refused("403 Forbidden"), &["answered with 403", "grant them the right"]);
    answered(refused("404 Not Found"), &["answered with 404", "correct `url`"]);
    answered(refused("500 Internal Server Error"), &["answered with 500", "tried again"]);
    let elsewhere = "HTTP/1.1 302 Found\r\nlocation: https://login.example.com/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    answered(elsewhere.to_owned(), &["`customers`", "login.example.com"]);
}

#[test]
fn records_without_what_the_document_promises_name_the_member() {
    let dated = "2026-01-01T00:00:00.000Z";
    answered(
        json_answer(&json!([{"key": 1, "updated_at": dated}])),
        &["`customers`", "1 of 1 records", "`id`"],
    );
    let undated = json!({"id": 1, "updated_at": "yesterday"});
    answered(
        json_answer(&json!([undated])),
        &["`customers`", "1 of 1 records", "`updated_at` of record `1`"],
    );
}

#[test]
fn single_bad_records_are_left_out_and_named() {
    let sound = |id: u32| json!({"id": id, "updated_at": "2026-01-01T00:00:00.000Z"});
    let long = format!("yesterday{}", " é".repeat(200));
    let records = json!([{"id": 1, "updated_at": long}, sound(2), sound(3), {"name": "nobody"}, sound(4)]);
    let peer = Peer::start(move |_, _| json_answer(&records));
    let desk = Desk::new(&document(&peer.url(FILTER), json!({"startFrom": "beginning"})));
    let ended = desk.poll().expect_code(0).expect_words("2 of 5 records cannot be used");
    let ids: Vec<&str> = ended.lines.iter().map(|line| line["objectId"].as_str().unwrap()).collect();
    assert_eq!(ids, ["2", "3", "4"]);
    let explained = desk.run(&["explain", "FILE"]).expect_code(0).stdout;
    // Its text is shown, but not at any length.
    let words =
        format!("cannot read `updated_at` of record `1`, which is `yesterday{} …`: ", " é".repeat(25));
    assert!(explained.contains(&words), "{explained}");
}

#[test]
fn a_server_that_is_not_there_is_told_with_its_address() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let desk = Desk::new(&document(&format!("http://{free}/customers"), json!({"startFrom": "beginning"})));
    desk.poll().expect_code(3).expect_words(&format!("`{free}`")).expect_words("check the address in `url`");
    let desk = Desk::new(&document("http://no-such-host.invalid/customers", json!({})));
    desk.poll().expect_code(3).expect_words("no-such-host.invalid");
}

/// A document that is refused before any request, with exit code 2.
#[track_caller]
fn refused(change: impl Fn(&mut Value), words: &[&str]) {
    let mut broken = document("https://api.example.com/customers", json!({}));
    change(&mut broken);
    let desk = Desk::new(&broken);
    for command in ["poll", "explain"] {
        let mut ended = desk.run(&[command, "FILE"]).expect_code(2);
        for word in words {
            ended = ended.expect_words(word);
        }
    }
    let ended = desk.poll().expect_code(2);
    assert!(!desk.path("state.db").exists(), "a refused document leaves no state: {}", ended.stderr);
}

#[test]
fn a_wrong_document_is_refused_before_any_request() {
    fn resource(document: &mut Value) -> &mut Value {
        &mut document["configuration"]["event.poller.configuration"]["customers"]
    }
    refused(|it| resource(it)["url"] = json!("/customers"), &["customers.url", "base.url"]);
    refused(|it| resource(it)["url"] = json!("ftp://a.example/"), &["customers.url"]);
    refused(
        |it| resource(it)["datesConfiguration"]["updatedDateFormat"] = json!("yyyy-MM-dd'T'HH:mm:ss.bb"),
        &["datesConfiguration.updatedDateFormat"],
    );
    refused(
        |it| resource(it)["datesConfiguration"]["updatedDateTimezone"] = json!("Mars/Olympus"),
        &["datesConfiguration.updatedDateTimezone", "Mars/Olympus"],
    );
    refused(|it| *resource(it) = json!({}), &["customers", "connector"]);
    refused(|it| it["configuration"]["http.headers"] = json!({"X-Key": "env:"}), &["http.headers"]);
}

#[test]
fn what_the_document_refers_to_must_be_there() {
    let peer = Peer::start(|_, _| json_answer(&json!([])));
    let mut referring = document(&peer.url("/customers"), json!({}));
    referring["configuration"]["http.headers"] = json!({"X-Key": "env:TURNSTONE_TEST_NOT_SET"});
    let desk = Desk::new(&referring);
    desk.poll().expect_code(2).expect_words("`TURNSTONE_TEST_NOT_SET`").expect_words("set it");
    assert_eq!(peer.count(), 0);
}

#[test]
fn addresses_that_nobody_may_ask_are_refused() {
    let desk = Desk::new(&document("http://169.254.169.254/latest/meta-data", json!({})));
    desk.poll().expect_code(2).expect_words("169.254.169.254");
}

#[test]
fn a_state_that_is_no_state_is_refused_and_left_alone() {
    let desk = Desk::new(&document("http://127.0.0.1:9/", json!({})));
    std::fs::write(desk.path("state.db"), "my diary, which is not a database").unwrap();
    desk.poll().expect_code(5).expect_words("state.db");
    assert_eq!(std::fs::read_to_string(desk.path("state.db")).unwrap(), "my diary, which is not a database");
    desk.run(&["explain", "FILE", "--state", "elsewhere.db"]).expect_code(5).expect_words("no state file");
}

#[test]
fn a_callback_that_refuses_is_told_and_keeps_the_events() {
    let records = json!([{"id": 1, "updated_at": "2026-01-01T00:00:00.000Z"}]);
    let peer = Peer::start(move |_, _| json_answer(&records));
    let callback = Peer::start(|_, _| answer("503 Service Unavailable", "text/plain", "not now"));
    let mut delivering = document(&peer.url("/customers"), json!({"startFrom": "beginning"}));
    delivering["configuration"]["event.notification.callback.url"] = json!(callback.url("/hook?key=hidden"));
    let desk = Desk::new(&delivering);
    let ended = desk.run(&["poll", "FILE", "--state", "STATE", "--deliver"]).expect_code(4);
    assert_eq!(ended.lines.len(), 1, "printed all the same");
    let ended =
        ended.expect_words("it answered 503").expect_words("/hook").expect_words("the events are kept");
    assert!(!ended.stderr.contains("hidden"));
    assert_eq!(callback.count(), 1);
    let follow = ["poll", "FILE", "--state", "STATE", "--deliver", "--follow", "--every", "1m"];
    let mut running = Running::start(desk.command(&follow));
    running.wait_for("it answered 503");
    running.interrupt();
    running.end().expect_code(0);
    assert!(callback.count() > 1, "tried again");
    let without = document(&peer.url("/customers"), json!({}));
    Desk::new(&without).run(&["poll", "FILE", "--deliver"]).expect_code(2).expect_words("callback.url");
}
