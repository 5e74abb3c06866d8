//! Records, dates, deletions, conditional requests, credentials, and the truth beside them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use turnstone_provider::{
    Auth, ChangeKind, Control, DateStyle, DeleteMode, LateVisibility, Op, OpKind, Provider, ProviderConfig,
    RecordKind, ResourceConfig, Settings, Stamp,
};

use crate::client::{get, send};
use crate::{Bench, START, id_text};

/// 2019-05-09T20:37:30.123456Z.
const STAMP: i64 = 1_557_434_250_123_456;

fn busy(seed: u64) -> Bench {
    let mut config = ProviderConfig { seed, ..ProviderConfig::default() };
    for resource in &mut config.resources {
        *resource = resource.clone().with_rates(4.0, 8.0, 2.0);
    }
    Bench::new(config)
}

#[test]
fn a_seed_always_serves_the_same() {
    let read = |seed| {
        let bench = busy(seed);
        bench.clock.advance(Duration::from_secs(30));
        let lists: Vec<Vec<u8>> = ["customers", "orders", "tickets"]
            .map(|resource| bench.get(&format!("/v1/{resource}?style=none")).body)
            .to_vec();
        (lists, bench.provider.truth(0))
    };
    let (lists, truth) = read(5);
    assert_eq!((&lists, &truth), (&read(5).0, &read(5).1));
    assert_ne!(lists, read(6).0);
    assert!(truth.len() > 500, "{} changes", truth.len());
}

#[test]
fn the_truth_equals_what_lists_show() {
    let bench = busy(3);
    let listed = |bench: &Bench| -> BTreeMap<String, u64> {
        let mut versions = BTreeMap::new();
        for resource in ["customers", "orders", "tickets"] {
            let body = bench.get(&format!("/v1/{resource}?style=none")).json();
            for record in body.as_array().expect("a list") {
                let name = format!("{resource}/{}", id_text(&record["id"]));
                versions.insert(name, record["version"].as_u64().expect("a version"));
            }
        }
        versions
    };
    let mut expect = listed(&bench);
    bench.clock.advance(Duration::from_secs(60));
    let mut after = 0;
    loop {
        let body = bench.get(&format!("/_truth?after={after}&limit=100")).json();
        for change in body["changes"].as_array().expect("changes") {
            assert_eq!(change["seq"], json!(after + 1));
            after += 1;
            let name = format!("{}/{}", change["resource"].as_str().expect("text"), id_text(&change["id"]));
            match change["kind"].as_str() {
                Some("deleted") => assert!(expect.remove(&name).is_some(), "{name}"),
                Some("created" | "updated") => {
                    expect.insert(name, change["version"].as_u64().expect("a version"));
                }
                other => panic!("{other:?}"),
            }
        }
        if body["last"] == json!(after) {
            break;
        }
    }
    assert!(after > 1_000, "{after} changes");
    assert_eq!(expect, listed(&bench));
    assert_eq!(bench.provider.truth(0).len() as u64, after);
}

#[test]
fn every_date_style_prints_its_example() {
    let bench = Bench::of_customers(0, Settings::default());
    let op = Op::some(OpKind::Create, "customers", 1).stamped(Stamp::At(STAMP));
    bench.control(Control::ops(vec![op]));
    let examples = [
        ("iso_offset", json!("2019-05-09T13:37:30-07:00")),
        ("iso_basic_offset", json!("2019-05-09T13:37:30-0700")),
        ("iso_short_offset", json!("2019-05-09T13:37:30-7:00")),
        ("iso_z", json!("2019-05-09T20:37:30Z")),
        ("iso_millis", json!("2019-05-09T20:37:30.123Z")),
        ("iso_micros", json!("2019-05-09T20:37:30.123456Z")),
        ("iso_millis_offset", json!("2019-05-09T13:37:30.123-07:00")),
        ("iso_micros_offset", json!("2019-05-09T13:37:30.123456-07:00")),
        ("local", json!("2019-05-09T13:37:30")),
        ("local_space", json!("2019-05-09 13:37:30")),
        ("abbreviation", json!("2019-05-09 13:37:30 PDT")),
        ("date", json!("2019-05-09")),
        ("slashes", json!("2019/05/09 13:37:30")),
        ("us_offset", json!("05/09/2019T13:37:30-07:00")),
        ("us_date", json!("05/09/2019")),
        ("eu_offset", json!("09/05/2019T13:37:30-07:00")),
        ("eu_date", json!("09/05/2019")),
        ("rfc822", json!("Thu, 09 May 2019 13:37:30 -0700")),
        ("epoch_s", json!(1_557_434_250)),
        ("epoch_ms", json!(1_557_434_250_123_i64)),
        ("epoch_us", json!(STAMP)),
        ("epoch_s_text", json!("1557434250")),
        ("epoch_ms_text", json!("1557434250123")),
        ("epoch_us_text", json!("1557434250123456")),
        ("null", Value::Null),
    ];
    assert_eq!(examples.len() + 1, DateStyle::ALL.len(), "all styles but `missing`");
    for (style, expect) in &examples {
        let target = format!("/v1/customers?dates={style}&zone=America/Los_Angeles");
        let record = bench.get(&target).json()[0].clone();
        assert_eq!(record.get("updated_at"), Some(expect), "{style}");
        assert_eq!(record.get("created_at"), Some(expect), "{style}");
    }
    let record = bench.get("/v1/customers?dates=missing").json()[0].clone();
    assert_eq!((record.get("updated_at"), record["id"].as_u64()), (None, Some(1_001)));
}

#[test]
fn filters_are_strict_or_inclusive() {
    let bench = Bench::of_customers(0, Settings::default());
    for micros in [STAMP, STAMP + 400_000, STAMP + 1_000_000] {
        bench
            .control(Control::ops(vec![Op::some(OpKind::Create, "customers", 1).stamped(Stamp::At(micros))]));
    }
    let check = |query: &str, expect: &[&str]| {
        assert_eq!(bench.ids(&format!("/v1/customers?{query}")), expect, "{query}");
    };
    check("updated_since=2019-05-09T20:37:30Z", &["1001", "1002", "1003"]);
    check("updated_since=2019-05-09T20:37:30Z&filter_resolution=s", &["1003"]);
    check("updated_at_gte=2019-05-09T20:37:31Z&filter_resolution=s", &["1003"]);
    check("updated_since=1557434250123456", &["1002", "1003"]);
    check("updated_at_gte=1557434250123456", &["1001", "1002", "1003"]);
    check("updated_from=1557434250123456&updated_before=1557434250523456", &["1001"]);
    check("where=updated_at%3E='2019-05-09T20:37:30.200Z'", &["1002", "1003"]);
    for not_understood in ["updated_since=2019-05-09T20:37:30.2Z", "updated_since=2019-05-09T22:37:30+02:00"]
    {
        assert_eq!(bench.get(&format!("/v1/customers?{not_understood}")).status, 400, "{not_understood}");
    }
}

#[test]
fn deletions_leave_what_is_declared() {
    for (deletes, listed, gone_status) in [
        (DeleteMode::Hard, 2, 404),
        (DeleteMode::Hard, 2, 403),
        (DeleteMode::Soft, 3, 200),
        (DeleteMode::Tombstone, 3, 410),
    ] {
        let bench = Bench::of_customers(3, Settings { deletes, gone_status, ..Settings::default() });
        let reply = bench.control(Control::ops(vec![Op::on(OpKind::Delete, "customers", &["1002"])]));
        assert_eq!((reply.changes[0].kind, reply.changes[0].version), (ChangeKind::Deleted, 2));
        let list = bench.get("/v1/customers").json();
        let list = list.as_array().expect("a list");
        assert_eq!(list.len(), listed, "{deletes:?}");
        let flag = list.last().map(|record| (record["is_deleted"].clone(), record["deleted"].clone()));
        let expect = match deletes {
            DeleteMode::Hard => (Value::Null, Value::Null),
            DeleteMode::Soft => (json!(true), Value::Null),
            DeleteMode::Tombstone => (Value::Null, json!(true)),
        };
        assert_eq!(flag, Some(expect), "{deletes:?}");
        assert_eq!(bench.get("/v1/customers/1002").status, gone_status);
        assert_eq!(bench.get("/v1/customers/1001").status, 200);
        assert_eq!(bench.get("/v1/customers/9999").status, 404);
        assert_eq!(bench.ids("/v1/customers/deleted").len(), listed - 2);

        bench.control(Control::ops(vec![Op::on(OpKind::Restore, "customers", &["1002"])]));
        assert_eq!(bench.get("/v1/customers/1002").json()["version"], json!(3));
        assert_eq!(bench.ids("/v1/customers").len(), 3);
    }
}

#[test]
fn conditional_requests_are_answered_304_until_something_changes() {
    let bench = Bench::of_customers(3, Settings::default());
    for target in ["/v1/customers?per_page=2", "/v1/customers/1001"] {
        let first = bench.get(target);
        let etag = first.header("etag").expect("a validator").to_owned();
        let ask = || send(bench.address, "GET", target, &[("If-None-Match", &etag)], "");
        let unchanged = ask();
        assert_eq!((unchanged.status, unchanged.body.len()), (304, 0), "{target}");
        bench.control(Control::ops(vec![Op::on(OpKind::Update, "customers", &["1001"])]));
        assert_eq!(ask().status, 200, "{target}");
    }
}

#[test]
fn content_can_change_under_an_unchanged_date() {
    let bench = Bench::of_customers(3, Settings::default());
    let before = bench.get("/v1/customers/1002").json();
    let op = Op::on(OpKind::Update, "customers", &["1002"]).stamped(Stamp::Keep);
    bench.control(Control::ops(vec![op]));
    let after = bench.get("/v1/customers/1002").json();
    assert_eq!(before["updated_at"], after["updated_at"]);
    assert_ne!(before, after);
}

#[test]
fn a_bulk_change_shares_one_stamp() {
    let bench = Bench::of_customers(0, Settings::default());
    bench.control(Control::ops(vec![Op::some(OpKind::Create, "customers", 120)]));
    let list = bench.get("/v1/customers?style=none&dates=epoch_us").json();
    let stamps: Vec<&Value> =
        list.as_array().expect("a list").iter().map(|record| &record["updated_at"]).collect();
    assert_eq!(stamps, vec![&json!(START); 120]);
}

#[test]
fn late_changes_and_a_lagging_replica() {
    let late = Some(LateVisibility { share: 1.0, min_ms: 2_000, max_ms: 2_000 });
    let bench = Bench::of_customers(1, Settings { late, ..Settings::default() });
    bench.control(Control::ops(vec![Op::some(OpKind::Create, "customers", 1)]));
    assert_eq!(bench.ids("/v1/customers"), ["1001"]);
    assert_eq!(bench.get("/v1/customers/1002").status, 200, "its own address knows it at once");
    bench.clock.advance(Duration::from_millis(2_000));
    let list = bench.get("/v1/customers?dates=epoch_us").json();
    assert_eq!(list[1]["updated_at"], json!(START), "stamped before it could be seen");
}

#[test]
fn credentials_are_checked() {
    let cases = [
        (
            Auth::Basic { username: "ann".to_owned(), password: "s:3".to_owned() },
            "Authorization",
            "Basic YW5uOnM6Mw==",
        ),
        (Auth::Bearer { token: "t0".to_owned() }, "Authorization", "Bearer t0"),
        (Auth::ApiKey { header: "X-Api-Key".to_owned(), value: "k1".to_owned() }, "X-Api-Key", "k1"),
    ];
    for (auth, name, value) in cases {
        let bench = Bench::of_customers(1, Settings::default());
        bench.control(Control { auth: Some(auth.clone()), ..Control::default() });
        for target in ["/v1/customers", "/v1/customers/1001"] {
            let ask = |value: &str| send(bench.address, "GET", target, &[(name, value)], "").status;
            assert_eq!((ask(value), ask("wrong"), bench.get(target).status), (200, 401, 401), "{auth:?}");
        }
        assert_eq!(bench.provider.request_count(), 6);
    }
}

#[test]
fn control_over_http_does_what_it_does_in_process() {
    let bench = Bench::of_customers(2, Settings::default());
    let post = |body: &str| send(bench.address, "POST", "/_control", &[], body);
    let reply = post(
        r#"{"rates":{"customers":{"creates":10}},"settings":{"customers":{"dates":"epoch_s"}},"skew_ms":5000,
            "ops":[{"op":"update","resource":"customers","ids":["1001"]},{"op":"create","resource":"customers","count":2}]}"#,
    );
    assert_eq!((reply.status, reply.json()["changes"].as_array().map(Vec::len)), (200, Some(3)));
    assert_eq!(reply.json()["changes"][0]["stamp"], json!(START + 5_000_000));
    let list = bench.get("/v1/customers").json();
    assert_eq!(list[3]["updated_at"], json!(START / 1_000_000 + 5));
    bench.clock.advance(Duration::from_secs(10));
    assert!((50..200).contains(&bench.provider.truth(3).len()), "time brings records");

    for (body, expect) in [
        (r#"{"ops":[{"op":"update","resource":"customers","ids":["7"]}]}"#, "`customers` has no record `7`"),
        (r#"{"rates":{"nothing":{}}}"#, "there is no resource `nothing`"),
        (r#"{"settings":{"customers":{"zone":"Mars"}}}"#, "settings: there is no zone `Mars`"),
        (
            r#"{"ops":[{"op":"restore","resource":"customers","ids":["1001"]}]}"#,
            "`customers` has no record `1001` in the state that this needs",
        ),
    ] {
        let reply = post(body);
        assert_eq!((reply.status, &reply.json()["error"]["message"]), (400, &json!(expect)));
    }
    assert_eq!(post(r#"{"colour":"red"}"#).status, 400);
}

#[test]
fn the_clock_of_the_provider_can_be_ahead() {
    let bench = Bench::of_customers(1, Settings::default());
    assert_eq!(bench.get("/v1/customers").header("date"), Some("Sun, 01 Mar 2026 12:00:00 GMT"));
    bench.control(Control { skew_ms: Some(-90_000), date_skew_ms: Some(30_000), ..Control::default() });
    assert_eq!(bench.get("/v1/customers").header("date"), Some("Sun, 01 Mar 2026 11:59:00 GMT"));
}

#[test]
fn the_time_of_this_machine_brings_changes_until_the_provider_stops() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let customers = ResourceConfig::new("customers", RecordKind::Customers).with_rates(2_000.0, 0.0, 0.0);
    let config = ProviderConfig::of(1, vec![customers]);
    let provider = runtime.block_on(Provider::start(config.clone())).expect("the provider starts");
    let address = provider.address();
    let begin = Instant::now();
    while get(address, "/v1/customers").json().as_array().is_none_or(Vec::is_empty) {
        assert!(begin.elapsed() < Duration::from_secs(10), "no record came");
    }
    runtime.block_on(provider.stop());
    let again = ProviderConfig { port: address.port(), ..config };
    let provider = runtime.block_on(Provider::start(again)).expect("the port is free again");
    assert_eq!(provider.url(), format!("http://{address}"));
}

#[test]
fn what_cannot_be_served_does_not_start() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let customers = ResourceConfig::new("customers", RecordKind::Customers);
    let lost = Settings { zone: "Mars".to_owned(), ..Settings::default() };
    for (resources, expect) in [
        (vec![customers.clone(), customers.clone()], "there are two resources `customers`"),
        (vec![customers.with_settings(lost)], "resource `customers`: settings: there is no zone `Mars`"),
    ] {
        let outcome = runtime.block_on(Provider::start(ProviderConfig::of(1, resources)));
        assert_eq!(outcome.err().map(|error| error.to_string()).as_deref(), Some(expect));
    }
}

#[test]
fn the_schema_can_change_overnight() {
    let bench = Bench::of_customers(3, Settings::default());
    let before = bench.get("/v1/customers/1002").json();
    let names = json!({"id": "internalID", "updated": "modifiedDate", "quoted_ids": true});
    bench.control(Control::setting("customers", "names", names));
    let after = bench.get("/v1/customers/1002").json();
    assert_eq!((after.get("id"), after.get("updated_at")), (None, None));
    assert_eq!((&after["internalID"], &after["modifiedDate"]), (&json!("1002"), &before["updated_at"]));
    let since = before["updated_at"].as_str().expect("a date");
    let list =
        bench.get(&format!("/v1/customers?where=modifiedDate%3D%27{since}%27&filter_resolution=ms")).json();
    assert_eq!((list.as_array().map(Vec::len), &list[0]["internalID"]), (Some(1), &json!("1002")));
    let control = Control::setting("customers", "names", json!({"id": "a\"b"}));
    assert_eq!(
        bench.provider.control(control).err().as_deref(),
        Some("settings: `a\"b` is not a name for a member")
    );
}
