//! `turnstone check`: every fault at once, warnings apart, and where a text breaks.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::harness::{Desk, document, of_output};

#[test]
fn a_sound_document_is_called_sound() {
    let desk = Desk::new(&document("https://api.example.com/customers", json!({})));
    let ended = desk.run(&["check", "FILE"]).expect_code(0);
    assert!(ended.stdout.contains("sound: polls `customers` every 15 minutes"), "{}", ended.stdout);
}

#[test]
fn every_fault_is_named_at_once_and_warnings_stand_apart() {
    let mut broken = document("https://api.example.com/customers", json!({"idField": 7, "sort": "up"}));
    broken["configuration"]["event.poller.refresh_interval"] = json!("often");
    broken["configuration"]["event.poler.urls"] = json!("x");
    let desk = Desk::new(&broken);
    let ended = desk.run(&["check", "FILE", "--json"]).expect_code(2).expect_words("there are 3 faults");
    let found: Value = serde_json::from_str(&ended.stdout).unwrap();
    let places: Vec<&str> =
        found["faults"].as_array().unwrap().iter().map(|fault| fault["path"].as_str().unwrap()).collect();
    for place in ["refresh_interval", "customers.idField", "customers.sort"] {
        assert!(places.iter().any(|path| path.contains(place)), "{place} in {places:?}");
    }
    assert_eq!(found["sound"], json!(false));
    assert!(found["warnings"].to_string().contains("event.poller.urls"), "{found}");
    for fault in found["faults"].as_array().unwrap() {
        assert!(
            !fault["problem"].as_str().unwrap().is_empty() && !fault["remedy"].as_str().unwrap().is_empty()
        );
    }
    let text = desk.run(&["check", "FILE", "--color", "always"]).expect_code(2);
    assert!(text.stdout.contains("\u{1b}[31;1mfault\u{1b}[0m"), "{}", text.stdout);
}

#[test]
fn yaml_from_standard_input_says_the_same_and_breaks_are_placed() {
    let desk = Desk::new(&json!({}));
    let check = |text: &str| {
        let mut child = desk
            .command(&["check", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        of_output(output.status, output.stdout, output.stderr)
    };
    let sound = "element: {key: crm}\nconfiguration:\n  event.poller.configuration:\n    orders:\n      \
                 url: https://a.example/orders\n      idField: no\n";
    assert!(check(sound).expect_code(0).stdout.contains("`orders`"));
    check("element: {key: crm\n").expect_code(2).expect_words("standard input is not YAML at line");
    check("{\"element\": {\"key\": \"crm\",, }}")
        .expect_code(2)
        .expect_words("is not JSON at line 1, column 27");
    check("").expect_code(2).expect_words("is empty");
}

#[test]
fn a_wrong_command_line_is_no_wrong_configuration() {
    let desk = Desk::new(&json!({}));
    desk.run(&["poll"]).expect_code(64);
    desk.run(&["poll", "FILE", "--follow", "--every", "soon"]).expect_code(64).expect_words("as in `30s`");
    desk.run(&["poll", "FILE", "--every", "30s"]).expect_code(64);
    assert!(desk.run(&["--help"]).expect_code(0).stdout.contains("Exit codes:"));
    desk.run(&["check", "nowhere.json"]).expect_code(2).expect_words("cannot read `nowhere.json`");
}
