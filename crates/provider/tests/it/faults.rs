//! Every fault does on the wire what it says.

use std::time::{Duration, Instant};

use serde_json::json;
use turnstone_provider::{
    Control, Fault, FaultRule, Framing, Op, OpKind, RetryAfter, Settings, Stamp, Target,
};

use crate::client::Reply;
use crate::{Bench, ids_of};

fn bench() -> Bench {
    Bench::of_customers(30, Settings::default())
}

/// The answer to a list request under one fault; the request after it is sound.
#[track_caller]
fn under(fault: Fault) -> Reply {
    let bench = bench();
    bench.control(Control::faults(vec![FaultRule::once(fault)]));
    let reply = bench.get("/v1/customers");
    let after = bench.get("/v1/customers");
    assert_eq!((after.status, after.is_whole, ids_of(&after.json()).len()), (200, true, 20));
    reply
}

#[test]
fn rate_limits() {
    let cases = [
        (RetryAfter::Absent, None),
        (RetryAfter::Seconds(7), Some("7")),
        (RetryAfter::Date(60), Some("Sun, 01 Mar 2026 12:01:00 GMT")),
        (RetryAfter::Date(-60), Some("Sun, 01 Mar 2026 11:59:00 GMT")),
        (RetryAfter::Text("soon".to_owned()), Some("soon")),
    ];
    for (retry_after, expect) in cases {
        let reply = under(Fault::RateLimited { retry_after });
        assert_eq!((reply.status, reply.header("retry-after")), (429, expect));
    }
}

#[test]
fn other_answers() {
    for code in [401, 500, 502, 503] {
        assert_eq!(under(Fault::Status { code }).status, code);
    }
    let html = under(Fault::Html);
    assert_eq!((html.status, html.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(html.text().starts_with("<!DOCTYPE html>"));
    let envelope = under(Fault::ErrorEnvelope);
    assert_eq!((envelope.status, &envelope.json()["error"]["code"]), (200, &json!("internal_error")));
    let redirect = under(Fault::Redirect { code: 302, location: "http://127.0.0.2/".to_owned() });
    assert_eq!((redirect.status, redirect.header("location")), (302, Some("http://127.0.0.2/")));
    let typed = under(Fault::ContentType { value: "text/plain".to_owned() });
    assert_eq!((typed.header("content-type"), ids_of(&typed.json()).len()), (Some("text/plain"), 20));
    let content_type = "application/json".to_owned();
    let replaced = under(Fault::Replace { code: 200, content_type, body: "null".to_owned() });
    assert_eq!((replaced.status, replaced.text()), (200, "null".to_owned()));
}

#[test]
fn bodies_are_really_truncated() {
    let sound = bench().get("/v1/customers");
    for framing in [Framing::ContentLength, Framing::Chunked] {
        for keep in [0.0, 0.4, 1.0] {
            let reply = under(Fault::Truncated { keep, framing });
            let kept = ((sound.body.len() as f64 * keep) as usize).min(sound.body.len() - 1);
            assert_eq!((reply.status, reply.is_whole), (200, false), "{framing:?} {keep}");
            assert_eq!(reply.body, sound.body[..kept], "{framing:?} {keep}");
            let length = sound.body.len().to_string();
            let announced = (framing == Framing::ContentLength).then_some(length.as_str());
            assert_eq!(reply.header("content-length"), announced);
        }
    }
}

#[test]
fn connections_end_without_an_answer() {
    assert_eq!(under(Fault::Cut).status, 0);
}

#[test]
fn slow_heads_and_slow_bodies() {
    let begin = Instant::now();
    assert_eq!(under(Fault::Slow { delay_ms: 150 }).status, 200);
    assert!(begin.elapsed() >= Duration::from_millis(150));
    let begin = Instant::now();
    let reply = under(Fault::Dribble { bytes: 1_000, pause_ms: 20 });
    assert!(reply.is_whole && begin.elapsed() >= Duration::from_millis(160), "{:?}", begin.elapsed());
    assert_eq!(reply.body, bench().get("/v1/customers").body);
}

#[test]
fn date_headers() {
    assert_eq!(under(Fault::NoDate).header("date"), None);
    let skewed = under(Fault::DateSkew { ms: 3_600_000 });
    assert_eq!(skewed.header("date"), Some("Sun, 01 Mar 2026 13:00:00 GMT"));
}

#[test]
fn pages_that_repeat_or_lead_astray() {
    let bench = bench();
    let page = |number: usize| bench.ids(&format!("/v1/customers?per_page=10&page={number}"));
    let (first, second) = (page(1), page(2));
    page(1);
    bench.control(Control::faults(vec![FaultRule::once(Fault::DuplicatePage)]));
    assert_eq!(page(2), first);
    assert_eq!(page(2), second);

    let next = |fault: Option<Fault>| {
        bench.control(Control::faults(fault.map(FaultRule::once).into_iter().collect()));
        bench.get("/v1/customers?per_page=10&page=2&style=next").json()["paging"]["next"].clone()
    };
    let url = |page: usize| {
        json!(format!("{}/v1/customers?per_page=10&style=next&page={page}", bench.provider.url()))
    };
    assert_eq!(next(None), url(3));
    assert_eq!(next(Some(Fault::LoopNext)), url(2));
    let foreign = next(Some(Fault::ForeignNext { origin: "http://evil.example".to_owned() }));
    assert_eq!(foreign, json!("http://evil.example/v1/customers?per_page=10&style=next&page=3"));
}

#[test]
fn short_and_empty_pages_lose_nothing_with_tokens() {
    for size in [0, 3] {
        let bench = bench();
        let short = FaultRule { count: Some(1), skip: 1, ..FaultRule::always(Fault::ShortPage { size }) };
        bench.control(Control::faults(vec![short]));
        let (mut ids, mut sizes, mut query) = (Vec::new(), Vec::new(), String::new());
        loop {
            let body = bench.get(&format!("/v1/customers?style=cursor&per_page=12{query}")).json();
            sizes.push(ids_of(&body).len());
            ids.extend(ids_of(&body));
            match body["meta"]["next_cursor"].as_str() {
                Some(token) => query = format!("&cursor={token}"),
                None => break,
            }
        }
        assert_eq!(sizes[..2], [12, size]);
        assert_eq!(ids, bench.ids("/v1/customers?style=none"));
    }
}

#[test]
fn drift_moves_records_between_pages() {
    let bench = bench();
    let drift = Fault::Drift { updates: 0, deletes: 2, creates: 1 };
    bench.control(Control::faults(vec![FaultRule::always(drift)]));
    bench.ids("/v1/customers?per_page=10&page=1");
    assert_eq!(bench.provider.truth(0).len(), 0, "the first page is left alone");
    bench.ids("/v1/customers?per_page=10&page=2");
    assert_eq!(bench.provider.truth(0).len(), 3);
    assert_eq!(bench.ids("/v1/customers?style=none").len(), 29);
}

#[test]
fn a_stale_replica_answers_with_the_past() {
    let bench = Bench::of_customers(3, Settings { replica_lag_ms: Some(4_000), ..Settings::default() });
    bench.control(Control::ops(vec![Op::on(OpKind::Update, "customers", &["1001"])]));
    let stale = FaultRule { probability: 1.0, ..FaultRule::always(Fault::StaleReplica) };
    let version = || bench.get("/v1/customers/1001").json()["version"].clone();
    assert_eq!(version(), json!(2));
    bench.control(Control::faults(vec![stale]));
    assert_eq!(version(), json!(1));
    bench.clock.advance(Duration::from_secs(4));
    assert_eq!(version(), json!(2));
}

#[test]
fn ties_are_shuffled_and_records_vanish() {
    let bench = Bench::of_customers(0, Settings::default());
    for micros in [1_000_000, 2_000_000] {
        let op = Op::some(OpKind::Create, "customers", 15).stamped(Stamp::At(micros));
        bench.control(Control::ops(vec![op]));
    }
    let read = || bench.ids("/v1/customers?style=none");
    let sound = read();
    bench.control(Control::faults(vec![FaultRule::always(Fault::ShuffleTies)]));
    let (one, other) = (read(), read());
    assert_ne!(one, other);
    let sorted = |ids: &[String]| {
        let mut ids = ids.to_vec();
        ids.sort();
        ids
    };
    assert_eq!(sorted(&one[..15]), sound[..15], "only within one stamp");
    bench.control(Control::faults(vec![FaultRule::always(Fault::Vanish { share: 0.3 })]));
    let left = read();
    assert!((15..28).contains(&left.len()), "{} left", left.len());
    assert_eq!(left, read(), "always the same ones");
}

#[test]
fn a_fault_hits_only_what_it_names() {
    let bench = bench();
    let rule = FaultRule { target: Target::Record, ..FaultRule::always(Fault::Status { code: 503 }) };
    bench.control(Control::faults(vec![rule]));
    assert_eq!((bench.get("/v1/customers").status, bench.get("/v1/customers/1001").status), (200, 503));
    let seen: Vec<(String, u16)> =
        bench.provider.requests().into_iter().map(|seen| (seen.target, seen.status)).collect();
    assert_eq!(seen, [("/v1/customers".to_owned(), 200), ("/v1/customers/1001".to_owned(), 503)]);
}
