//! The demo: what `make run` shows must really happen, within its time.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::bench::turnstone;

fn lines(output: &[u8]) -> Vec<Value> {
    let text = String::from_utf8(output.to_vec()).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

#[test]
fn all_three_kinds_are_delivered_and_verified_within_its_time() {
    let output = turnstone().args(["demo", "--seconds", "40", "--json"]).output().unwrap();
    let lines = lines(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let of = |kind: &str| lines.iter().filter(|line| line["type"] == kind).collect::<Vec<_>>();
    for kind in ["CREATED", "UPDATED", "DELETED"] {
        let events = of("event");
        let found = events.iter().find(|event| event["eventType"] == kind);
        let found = found.unwrap_or_else(|| panic!("no {kind} among {} events", events.len()));
        assert_eq!(found["signature"], "ok");
        assert!(!found["reason"].as_str().unwrap().is_empty());
    }
    assert!(of("refused").is_empty());
    assert!(of("poll").iter().any(|poll| poll["run"]["kind"] == "sweep"));
    let summary = of("summary").pop().expect("a summary").clone();
    let comparison = &summary["comparison"];
    assert_eq!(summary["complete"], true, "{summary}");
    for count in ["lost", "doubled", "invented"] {
        assert_eq!(comparison[count], 0, "{summary}");
    }
    assert!(comparison["matched"].as_u64().unwrap() >= 4, "{summary}");
}

#[test]
fn a_demo_that_ends_too_early_says_so() {
    let output = turnstone().args(["demo", "--seconds", "1", "--quiet"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains('\x1b'), "no colours where nobody reads them: {text}");
    assert!(text.contains("What you saw"), "{text}");
    assert!(!text.contains("  poll  "), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
}

#[test]
fn a_reader_that_leaves_ends_it_quietly() {
    let mut command = turnstone();
    command.args(["demo", "--json", "--seconds", "60"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut first = String::new();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    reader.read_line(&mut first).unwrap();
    assert!(first.contains("\"started\""), "{first}");
    drop(reader);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn the_document_behind_it_is_sound() {
    let output = turnstone().args(["demo", "--document"]).output().unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(document["configuration"]["event.poller.configuration"]["customers"]["sweep"].is_object());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.json");
    std::fs::write(&file, output.stdout).unwrap();
    let checked = turnstone().arg("check").arg(file).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}
