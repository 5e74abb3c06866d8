//! Every pagination style, read to its end.

use serde_json::{Value, json};
use turnstone_provider::{Control, Op, OpKind, Settings};

use crate::{Bench, ids_of};

const RECORDS: u32 = 53;
const PAGES_MAX: usize = 40;

/// Follows a style as its documentation says and returns the ids in the order in which they came.
#[track_caller]
fn read_all(bench: &Bench, style: &str, query: &str) -> Vec<String> {
    let base = format!("/v1/customers?style={style}&per_page=7{query}");
    let mut target = base.clone();
    let mut ids = Vec::new();
    for number in 1..=PAGES_MAX {
        let reply = bench.get(&target);
        assert_eq!(reply.status, 200, "{target}: {}", reply.text());
        let body = reply.json();
        let page = ids_of(&body);
        let is_full = page.len() == 7;
        ids.extend(page);
        let next = match style {
            "page" => is_full.then(|| format!("{base}&page={}", number + 1)),
            "offset" => is_full.then(|| format!("{base}&offset={}", number * 7)),
            "has_more" => {
                let more = body["has_more"].as_bool().expect("a flag");
                more.then(|| format!("{base}&page={}", number + 1))
            }
            "cursor" => body["meta"]["next_cursor"].as_str().map(|token| format!("{base}&cursor={token}")),
            "header_cursor" => reply.header("x-next-cursor").map(|token| format!("{base}&cursor={token}")),
            "merge" => body["paging"]["next"].as_object().map(|object| {
                let pair =
                    |(name, value): (&String, &Value)| format!("&{name}={}", value.as_str().expect("text"));
                base.clone() + &object.iter().map(pair).collect::<String>()
            }),
            "next" => body["paging"]["next"].as_str().map(|url| in_origin(bench, url)),
            "next_header" => reply.header("next-page").map(|url| in_origin(bench, url)),
            "link" => reply.header("link").map(|link| {
                let url = link.strip_prefix('<').and_then(|rest| rest.strip_suffix(">; rel=\"next\""));
                in_origin(bench, url.expect("one next link"))
            }),
            _ => None,
        };
        match next {
            Some(next) => target = next,
            None => return ids,
        }
    }
    panic!("{style} has no end");
}

#[track_caller]
fn in_origin(bench: &Bench, url: &str) -> String {
    url.strip_prefix(&bench.provider.url()).expect("the provider's own origin").to_owned()
}

#[track_caller]
fn check(style: &str, tokens: &[&str]) {
    let bench = Bench::of_customers(RECORDS, Settings::default());
    for sort in ["asc", "desc"] {
        let expect = bench.ids(&format!("/v1/customers?style=none&sort={sort}"));
        assert_eq!(expect.len(), RECORDS as usize);
        for token in tokens {
            let query = format!("&sort={sort}&tokens={token}");
            assert_eq!(read_all(&bench, style, &query), expect, "{style} {query}");
        }
        assert_eq!(read_all(&bench, style, &format!("&sort={sort}")), expect, "{style} {sort}");
    }
}

#[test]
fn page_numbers() {
    check("page", &["page"]);
}

#[test]
fn offsets() {
    check("offset", &["offset"]);
}

#[test]
fn has_more() {
    check("has_more", &["page"]);
}

#[test]
fn body_tokens() {
    check("cursor", &["keyset", "snapshot", "offset"]);
}

#[test]
fn header_tokens() {
    check("header_cursor", &["keyset", "snapshot", "offset"]);
}

#[test]
fn objects_to_merge() {
    check("merge", &["keyset", "page", "offset", "snapshot"]);
}

#[test]
fn next_urls_in_the_body() {
    check("next", &["page", "offset", "keyset", "snapshot"]);
}

#[test]
fn next_urls_in_a_header() {
    check("next_header", &["page", "keyset"]);
}

#[test]
fn links() {
    check("link", &["page", "offset", "keyset", "snapshot"]);
}

#[test]
fn a_filter_survives_the_next_url() {
    let bench = Bench::of_customers(RECORDS, Settings::default());
    let all = bench.get("/v1/customers?style=none&dates=iso_offset&zone=%2B05:30").json();
    let middle = all[20]["updated_at"].as_str().expect("a date").replace('+', "%2B");
    assert!(middle.ends_with("%2B05:30"), "{middle}");
    let query = format!("&dates=iso_offset&zone=%2B05:30&updated_at_gte={middle}");
    let expect = bench.ids(&format!("/v1/customers?style=none{query}"));
    assert!((30..RECORDS as usize).contains(&expect.len()), "{} records", expect.len());
    assert_eq!(read_all(&bench, "link", &query), expect);
    assert_eq!(read_all(&bench, "merge", &query), expect);
}

#[test]
fn lists_without_order_hold_everything() {
    let bench = Bench::of_customers(RECORDS, Settings::default());
    let ordered = bench.ids("/v1/customers?style=none");
    let none = read_all(&bench, "page", "&sort=none");
    assert_ne!(none, ordered);
    assert_eq!(none, read_all(&bench, "offset", "&sort=none"));
    let (mut one, mut other) = (none, ordered);
    one.sort();
    other.sort();
    assert_eq!(one, other);
    assert_ne!(bench.ids("/v1/customers?sort=random"), bench.ids("/v1/customers?sort=random"));
}

#[test]
fn a_snapshot_stands_still_and_a_list_drifts() {
    let bench = Bench::of_customers(30, Settings::default());
    let snapshot = bench.get("/v1/customers?style=cursor&tokens=snapshot&per_page=10").json();
    let first = ids_of(&snapshot);
    bench.control(Control::ops(vec![Op::on(OpKind::Update, "customers", &[&first[0]])]));
    let token = snapshot["meta"]["next_cursor"].as_str().expect("a token");
    let still = bench.ids(&format!("/v1/customers?style=cursor&cursor={token}&per_page=10"));
    let drifted = bench.ids("/v1/customers?page=2&per_page=10");
    assert_eq!(still[1..], drifted[..9], "the update moved every later record up by one place");

    bench.control(Control { expire_tokens: true, ..Control::default() });
    let expired = bench.get(&format!("/v1/customers?style=cursor&cursor={token}"));
    assert_eq!((expired.status, &expired.json()["error"]["code"]), (410, &json!("cursor_expired")));
}

#[test]
fn the_list_can_be_anywhere() {
    let bench = Bench::of_customers(3, Settings::default());
    let deep = bench.get("/v1/customers?list=result.page.rows&style=has_more").json();
    assert_eq!(deep["result"]["page"]["rows"].as_array().map(Vec::len), Some(3));
    assert_eq!(deep["has_more"], json!(false));
    assert_eq!(bench.get("/v1/customers?list=bare&style=cursor").status, 400);
    assert_eq!(bench.get("/v1/nothing").status, 404);
}

#[test]
fn a_result_cap_refuses_what_is_beyond() {
    let bench = Bench::of_customers(30, Settings { result_cap: Some(20), ..Settings::default() });
    assert_eq!(bench.ids("/v1/customers?per_page=10&page=2").len(), 10);
    assert_eq!(bench.get("/v1/customers?per_page=10&page=3").status, 400);
}
