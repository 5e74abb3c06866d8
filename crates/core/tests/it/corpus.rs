//! Every published configuration gets a verdict, and the verdicts are a committed table that a person has read.
//!
//! `UPDATE=1 cargo test -p turnstone-core --test it corpus` writes the table anew; the change is then reviewed like
//! code.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use turnstone_core::call::CallRequest;
use turnstone_core::check::{CheckSettings, CheckedResource, Fault, check_resource};
use turnstone_core::date::{Zone, ZoneRules};
use turnstone_core::query::Expression;
use turnstone_core::template::{Template, Values};

fn corpus(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(corpus(name)).unwrap()
}

fn settings() -> CheckSettings {
    CheckSettings::new("2026-01-01T00:00:00Z".parse().unwrap())
}

/// Compares with a committed table and shows what differs.
fn compare(name: &str, now: &str) {
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(corpus(name), now).unwrap();
        return;
    }
    let before = std::fs::read_to_string(corpus(name)).unwrap_or_default();
    if before == now {
        return;
    }
    let (old, new): (BTreeSet<&str>, BTreeSet<&str>) = (before.lines().collect(), now.lines().collect());
    let mut diff = String::new();
    for line in old.difference(&new) {
        writeln!(diff, "- {line}").unwrap();
    }
    for line in new.difference(&old) {
        writeln!(diff, "+ {line}").unwrap();
    }
    panic!("{name} has changed; read the difference and run again with UPDATE=1 if it is right:\n{diff}");
}

fn sentences(faults: &[Fault], resource: &str) -> String {
    // The name of the resource has a column of its own.
    let short = |fault: &Fault| fault.to_string().replacen(&format!("{resource}."), "", 1);
    faults.iter().map(short).collect::<Vec<_>>().join(" | ")
}

fn verdict(checked: &CheckedResource) -> &'static str {
    if !checked.faults.is_empty() {
        "damaged"
    } else if !checked.repairs.is_empty() {
        "repaired"
    } else {
        "sound"
    }
}

#[test]
fn every_published_resource_has_the_verdict_of_the_table() {
    let base = Some("https://api.example.com/elements/api-v2");
    let mut table = String::from("# row\telement\tresource\tverdict\tfaults and repairs\twarnings\n");
    let rows = read("poller-configs.jsonl");
    for (number, line) in rows.lines().enumerate() {
        let row: Value = serde_json::from_str(line).unwrap();
        let (element, resource) = (row["element"].as_str().unwrap(), row["resource"].as_str().unwrap());
        let mut checked = check_resource(resource, &row["config"], &settings(), base);
        assert_eq!(checked.resources.is_empty(), !checked.faults.is_empty(), "row {}", number + 1);
        // Nothing published declares pagination: every row would say so.
        checked.warnings.retain(|warning| !warning.problem.starts_with("`pagination` is not declared"));
        let both = [&checked.faults[..], &checked.repairs[..]].concat();
        let (said, warned) = (sentences(&both, resource), sentences(&checked.warnings, resource));
        writeln!(table, "{}\t{element}\t{resource}\t{}\t{said}\t{warned}", number + 1, verdict(&checked))
            .unwrap();
    }
    assert_eq!(rows.lines().count(), 248);
    compare("verdicts.tsv", &table);
}

#[test]
fn every_published_url_is_a_template_or_says_why_not() {
    let mut table = String::from("# url\trendered, or why not\trepairs\n");
    let at = "2019-05-09T20:37:30.123456Z".parse().unwrap();
    for url in read("url-templates.txt").lines() {
        let (shown, repairs) = match Template::parse(url, &Zone::utc(), ZoneRules::default()) {
            Ok(parsed) => {
                let url = parsed.template.render(&Values { start: at, end: at, cursor: None });
                (url, parsed.repairs.join(" | "))
            }
            Err(error) => (format!("! {error}"), String::new()),
        };
        writeln!(table, "{url}\t{shown}\t{repairs}").unwrap();
    }
    compare("urls.tsv", &table);
}

/// What a provider would be asked for each published clause: query parameters, or why the clause is not read.
#[test]
fn every_published_where_clause_has_the_parameters_of_the_table() {
    let mut table = String::from("# clause\tquery parameters, or why not\tOData filter\n");
    let at = "2019-05-09T20:37:30.123456Z".parse().unwrap();
    let mut clauses: BTreeSet<String> = BTreeSet::new();
    for url in read("url-templates.txt").lines() {
        let Ok(parsed) = Template::parse(url, &Zone::utc(), ZoneRules::default()) else { continue };
        let url = parsed.template.render(&Values { start: at, end: at, cursor: None });
        clauses.extend(CallRequest::get(&url).parameter("where").map(str::to_string));
    }
    assert!(clauses.len() >= 60, "{}", clauses.len());
    for clause in clauses {
        let (parameters, filter) = match Expression::parse(&clause) {
            Ok(expression) => {
                let pair = |(name, value): (String, String)| format!("{name} = {value}");
                let parameters = expression.to_query_parameters();
                let pairs =
                    parameters.map(|pairs| pairs.into_iter().map(pair).collect::<Vec<_>>().join(" & "));
                let filter = expression.to_odata_filter().unwrap_or_else(|error| format!("! {error}"));
                (pairs.unwrap_or_else(|error| format!("! {error}")), filter)
            }
            Err(error) => (format!("! {error}"), String::new()),
        };
        writeln!(table, "{clause}\t{parameters}\t{filter}").unwrap();
    }
    compare("clauses.tsv", &table);
}

#[test]
fn lines_in_the_old_form_are_no_configurations_and_no_panics() {
    for line in read("legacy-poller-urls.txt").lines() {
        let text = line.split('\t').nth(1).unwrap();
        let checked = check_resource("legacy", &Value::String(text.into()), &settings(), None);
        assert!(checked.resources.is_empty() && !checked.faults.is_empty(), "{line}");
        for part in text.split('|').filter(|part| part.starts_with('/')) {
            Template::parse(part, &Zone::utc(), ZoneRules::default()).unwrap();
        }
    }
}
