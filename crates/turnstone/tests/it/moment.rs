//! The date cards against moment.js itself, as npm has it: the committed cases are what it says today, and fresh ones
//! agree too.

use std::process::Command;

use crate::harness::root;

#[path = "../../../core/tests/flow/oracle.rs"]
mod oracle;

/// Another seed every time this number is changed; the same one finds a difference again.
const SEED: &str = "20261129";

fn cases(seed: &str, count: &str) -> String {
    let folder = root().join("tests/moment");
    assert!(
        folder.join("node_modules/moment-timezone/package.json").exists(),
        "moment is not installed: run `bash scripts/setup-test.sh` (or `make test`, which does), then again"
    );
    let output = Command::new("node").arg(folder.join("cases.mjs")).args([seed, count]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_committed_cases_are_what_moment_says() {
    let committed =
        std::fs::read_to_string(root().join("crates/core/tests/golden/dates-moment.tsv")).unwrap();
    let differs = cases("1", "8000").lines().zip(committed.lines()).position(|(is, was)| is != was);
    assert_eq!(differs, None, "line of `node tests/moment/cases.mjs 1 8000`, from 0");
    assert_eq!(committed.lines().count(), 8_000);
}

#[test]
fn moment_agrees_on_fresh_cases() {
    let tally = oracle::compare(&cases(SEED, "20000"));
    oracle::assert_sound(&tally);
    assert_eq!(tally.sum(), 20_000);
    assert!(tally.reads >= 4_000 && tally.refused >= 1_200, "{tally:?}");
}
