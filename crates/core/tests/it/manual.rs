//! What the manual shows is read, and what it says about mistakes is what is said.

use std::path::Path;

use serde_json::{Value, json};
use turnstone_core::check::{CheckSettings, check, check_resource};

const SAID: &str = "<!-- said: written by the tests -->\n```text\n";

/// Mistakes that are made often, as members of a resource.
const MISTAKES: [&str; 18] = [
    r#"{"url": "/hubs/finance/customers"}"#,
    r#"{"url": "https://x.example/?where=at>='${gmtDate:yyyy-MM-dd}"}"#,
    r#"{"url": "https://x.example/?at=${gmtDate}"}"#,
    r#"{"url": "https://x.example/?at=${dateTimeZone:Mars:yyyy}"}"#,
    r#"{"url": "https://x.example/?since=${date:yyyy-MM-dd}"}"#,
    r#"{"url": "https://x.example/?updated_at=${epoch:s}"}"#,
    r#"{"idField": ""}"#,
    r#"{"datesConfiguration": {}}"#,
    r#"{"updatedDateTimezone": "MST"}"#,
    r#"{"pageSize": "many"}"#,
    r#"{"pagination": {"type": "page"}}"#,
    r#"{"sort": "ascending"}"#,
    r#"{"filterByUpdateDate": false}"#,
    r#"{"polDelay": 30}"#,
    r#"{"batchSize": 100}"#,
    r#"{"startFrom": "yesterday"}"#,
    r#"{"sweep": {"every": "24h"}}"#,
    r#"{"sweep": {"every": "often", "url": "https://x.example/"}}"#,
];

fn manual() -> (std::path::PathBuf, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/polling.md");
    let text = std::fs::read_to_string(&path).unwrap();
    (path, text)
}

fn settings() -> CheckSettings {
    CheckSettings::new("2026-06-01T00:00:00Z".parse().unwrap())
}

/// A sound resource with these members put in. `cursorField` stands instead of dates.
fn resource(members: &Value) -> Value {
    let mut resource = json!({
        "url": "https://api.example.com/customers?updated[gte]=${gmtDate:yyyy-MM-dd'T'HH:mm:ssXXX}",
        "idField": "id",
        "pagination": {"type": "page", "page": "page", "size": "per_page"},
        "datesConfiguration": {
            "updatedDateField": "updated_at", "updatedDateFormat": "yyyy-MM-dd'T'HH:mm:ssXXX",
            "createdDateField": "created_at", "createdDateFormat": "yyyy-MM-dd'T'HH:mm:ssXXX",
        },
    });
    resource.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    resource
}

/// A sentence in lines of the manual's width.
fn wrapped(sentence: &str) -> String {
    const WIDTH: usize = 120;
    let (mut lines, mut line) = (String::new(), String::from("   "));
    for word in sentence.split(' ') {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines += &format!("{line}\n");
            line = "       ".into();
        }
        line += &format!(" {word}");
    }
    lines + &line + "\n"
}

#[test]
fn every_example_is_sound() {
    let (_, manual) = manual();
    let mut examples = 0;
    for block in manual.split("```json\n").skip(1) {
        let text = block.split("```").next().unwrap();
        let example: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"));
        let said = if example.get("element").is_some() {
            let checked = check(&example, &settings());
            [checked.faults, checked.repairs, checked.warnings].concat()
        } else {
            let checked = check_resource("customers", &resource(&example), &settings(), None);
            [checked.faults, checked.repairs, checked.warnings].concat()
        };
        assert!(said.is_empty(), "{text}: {said:#?}");
        examples += 1;
    }
    assert!(examples >= 10, "{examples} examples were found");
}

#[test]
fn mistakes_are_answered_as_the_manual_says() {
    let (path, manual) = manual();
    let (before, rest) = manual.split_once(SAID).unwrap();
    let (_, after) = rest.split_once("```\n").unwrap();
    let mut lines = String::new();
    for mistake in MISTAKES {
        let checked = check_resource(
            "customers",
            &resource(&serde_json::from_str(mistake).unwrap()),
            &settings(),
            None,
        );
        let said = [("fault", &checked.faults), ("repair", &checked.repairs), ("warning", &checked.warnings)];
        lines += &format!("{mistake}\n");
        let mut spoken = 0;
        for (kind, found) in said {
            for fault in found {
                lines += &wrapped(&format!("{kind}: {fault}"));
                spoken += 1;
            }
        }
        assert!(spoken > 0, "nothing is said about {mistake}");
    }
    let now = format!("{before}{SAID}{lines}```\n{after}");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, now).unwrap();
    } else {
        assert!(manual == now, "the manual says something else; run with UPDATE=1 and read it:\n{lines}");
    }
}
