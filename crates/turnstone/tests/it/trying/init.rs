//! `turnstone init`: `check` and `explain` take what it writes, against npm's json-server and the fake provider.

use std::path::Path;

use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::harness::{Desk, Ended, of_output};
use crate::json_server::Server;
use crate::serve::provider;

fn run(desk: &Desk, args: &[&str], environment: &[(&str, &str)]) -> Ended {
    let mut command = desk.command(args);
    command.envs(environment.iter().copied());
    let output = command.output().unwrap();
    of_output(output.status, output.stdout, output.stderr)
}

fn explained(desk: &Desk, file: &Path, environment: &[(&str, &str)]) -> Value {
    let told = run(desk, &["explain", file.to_str().unwrap(), "--json"], environment).expect_code(0);
    serde_json::from_str(&told.stdout).unwrap()
}

#[test]
fn a_document_for_json_server_is_polled_at_once() {
    let at = |day: u32| format!("2026-05-{day:02}T10:00:00Z");
    let orders: Vec<Value> = (1..=25)
        .map(|id| json!({"id": id, "customerId": id % 3, "createdAt": at(1), "updatedAt": at(id), "note": "x"}))
        .collect();
    let server = Server::start(&json!({"orders": orders}), &json!({}), "/orders");
    let desk = Desk::new(&json!({}));
    let file = desk.path("orders.yaml");
    let url =
        format!("http://{}/orders?_page=1&_limit=10&updatedAt_gte=2026-05-01T00:00:00Z", server.address);
    let out = file.to_str().unwrap().to_owned();
    let told =
        run(&desk, &["init", &url, "--out", &out, "-H", "X-Api-Key: canary-0123456789"], &[]).expect_code(0);
    assert_eq!(told.stdout, "");
    assert!(
        told.stderr.contains("idField: \"id\"") && told.stderr.contains("export X_API_KEY="),
        "{}",
        told.stderr
    );
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains("canary") && !told.stderr.contains("canary"), "{text}");
    assert!(text.contains("# present, unique and never empty in 10 of 10 records"), "{text}");
    let key = [("X_API_KEY", "canary-0123456789")];
    let checked = run(&desk, &["check", &out, "--json"], &key).expect_code(0);
    let checked: Value = serde_json::from_str(&checked.stdout).unwrap();
    assert_eq!((&checked["sound"], &checked["repairs"]), (&json!(true), &json!([])), "{checked}");
    let told = explained(&desk, &file, &key);
    let text = told.to_string();
    assert!(text.contains("updatedAt_gte=") && !text.contains("canary"), "{text}");
    // json-server tells the next page by `Link`.
    let document = std::fs::read_to_string(&file).unwrap();
    assert!(document.contains("pagination: { type: link"), "{document}");
    assert!(
        document.contains("updatedDateField: updatedAt") && document.contains("createdDateField: createdAt"),
        "{document}"
    );

    run(&desk, &["init", &url, "--out", &out], &[]).expect_code(2).expect_words("is there already");
    let printed =
        run(&desk, &["init", &url, "-H", "X-Api-Key: env:OWN", "--quiet"], &[("OWN", "v")]).expect_code(0);
    assert!(printed.stdout.contains("X-Api-Key: \"env:OWN\"") && printed.stderr.is_empty(), "{printed:?}");
}

#[test]
fn a_document_for_the_provider_reports_every_record() {
    let runtime = Runtime::new().unwrap();
    let provider = provider(&runtime);
    let desk = Desk::new(&json!({}));
    let url = format!("{}/v1/customers?per_page=10&page=1", provider.url());
    let made = run(&desk, &["init", &url], &[]).expect_code(0);
    let file = desk.path("customers.yaml");
    std::fs::write(
        &file,
        made.stdout.replace("    customers:\n", "    customers:\n      startFrom: beginning\n"),
    )
    .unwrap();
    let told = explained(&desk, &file, &[]);
    assert_eq!(told[0]["counts"]["records"].as_u64().map(|records| records >= 30), Some(true), "{told}");
    let polled = run(&desk, &["poll", file.to_str().unwrap()], &[]).expect_code(0);
    assert_eq!(polled.lines.len(), 30, "{}", polled.stdout);
}

#[test]
fn what_is_no_list_is_refused_with_a_sentence() {
    let server = Server::start(&json!({"orders": [], "profile": {"name": "x"}}), &json!({}), "/orders");
    let desk = Desk::new(&json!({}));
    let at = |path: &str| format!("http://{}{path}", server.address);
    run(&desk, &["init", &at("/orders")], &[]).expect_code(3).expect_words("an empty list");
    run(&desk, &["init", &at("/profile")], &[]).expect_code(3).expect_words("no list with objects");
    run(&desk, &["init", &at("/none")], &[]).expect_code(3).expect_words("answered 404");
    run(&desk, &["init", "nonsense"], &[]).expect_code(2).expect_words("the address cannot be used");
    run(&desk, &["init", &at("/orders"), "-H", "canary"], &[]).expect_code(2).expect_words("no colon");
    std::fs::write(desk.path("sample.json"), r#"{"items": [{"id": 1}, {"id": 2}]}"#).unwrap();
    let sample = desk.path("sample.json");
    let args = ["init", "https://api.example.com/things", "--sample", sample.to_str().unwrap()];
    let told = run(&desk, &args, &[]).expect_code(0);
    assert!(told.stdout.contains("list: items") && told.stderr.contains("warning"), "{told:?}");
}
