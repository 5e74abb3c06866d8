//! Pages of calls: whatever a provider counts by, ours are full, in order, without gap or repetition.

use jiff::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use turnstone_core::call::{CallAnswer, CallStep, hub_pagination, is_hub_path, reply_of};
use turnstone_core::page::{Position, url_of};
use url::Url;

use super::calls::{Setup, parameters, reply, show_fault};

/// How a provider pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Provider {
    /// `p` from `start` and `n`.
    Page { start: u64 },
    /// `o` and `n`.
    Offset,
    /// `c` and `n`; the token stands in the body.
    Token,
    /// A whole address in the body.
    NextUrl,
    /// `Link: <…>; rel="next"`.
    Link,
    /// Everything at once.
    Whole,
}

/// A provider of `total` records that never sends more than `cap` at once, `default` when nobody says.
#[derive(Clone, Copy, Debug)]
struct Shop {
    provider: Provider,
    total: u64,
    cap: u64,
    default: u64,
    /// Whether the connector knows the cap (`pagination.max`).
    declared: bool,
    /// Whether the connector maps `pageSize`.
    sized: bool,
}

impl Shop {
    fn setup(&self) -> Setup {
        let (kind, mut lines, next) = match self.provider {
            Provider::Page { .. } => ("page", vec!["page query > p query"], None),
            Provider::Offset => ("offset", vec!["page query > o query"], None),
            Provider::Token => ("cursor", vec!["nextPage query > c query"], Some("meta.next")),
            Provider::NextUrl => ("cursor", vec![], Some("meta.url")),
            Provider::Link => ("link", vec![], None),
            Provider::Whole => ("none", vec![], None),
        };
        if self.sized && !matches!(self.provider, Provider::Whole | Provider::Link) {
            lines.push("pageSize query > n query");
        }
        let resource = json!({"rootKey": "|list", "nextPageKey": next, "parameters": parameters(&lines)});
        let mut setup = Setup::new("GET", resource).set("pagination.type", kind);
        if let Provider::Page { start } = self.provider {
            setup = setup.set("pagination.page.startindex", &start.to_string());
        }
        if self.declared {
            setup = setup.set("pagination.max", &self.cap.to_string());
        }
        setup
    }

    /// What it answers to an address.
    fn answer(&self, url: &str) -> (String, String) {
        let url = Url::parse(url).unwrap();
        let number = |name: &str| {
            url.query_pairs()
                .find(|(known, _)| known == name)
                .and_then(|(_, value)| value.parse::<u64>().ok())
        };
        let size = number("n").unwrap_or(self.default).min(self.cap).max(1);
        let (from, size) = match self.provider {
            Provider::Page { start } => (number("p").unwrap_or(start).saturating_sub(start) * size, size),
            Provider::Offset => (number("o").unwrap_or(0), size),
            Provider::Token | Provider::NextUrl | Provider::Link => (number("c").unwrap_or(0), size),
            Provider::Whole => (0, self.total),
        };
        let to = (from + size).min(self.total);
        let list: Vec<u64> = (from..to).collect();
        let mut body = json!({"list": list, "meta": {}});
        let mut head = "200".to_string();
        let next = format!("/v1/items?c={to}&n={size}");
        match self.provider {
            Provider::Token if to < self.total => body["meta"]["next"] = to.to_string().into(),
            Provider::NextUrl if to < self.total => body["meta"]["url"] = next.into(),
            Provider::Link if to < self.total => {
                head = format!(
                    "200\nLink: <https://api.example.com/v1/items?c=0>; rel=\"first\", <{next}>; rel=\"next\""
                );
            }
            Provider::Link => {
                head = "200\nLink: <https://api.example.com/v1/items?c=0>; rel=\"first\"".into()
            }
            _ => {}
        }
        (head, body.to_string())
    }

    fn call(&self, query: &str) -> CallAnswer {
        let mut step = self.setup().start(&format!("GET /things?{query}"));
        loop {
            step = match step {
                CallStep::Fetch(request, waiting) => {
                    let (head, body) = self.answer(&request.url);
                    waiting.resume(reply(&head, &body))
                }
                CallStep::Done(answer) => return answer,
                other => panic!("{other:?}"),
            };
        }
    }

    fn records(&self, query: &str) -> Vec<u64> {
        let answer = self.call(query);
        assert_eq!(answer.status, 200, "{self:?} {query}: {}", show_fault(&answer));
        serde_json::from_str(answer.body.as_deref().unwrap()).unwrap()
    }
}

fn shop() -> impl Strategy<Value = Shop> {
    let provider = prop_oneof![
        (0..2u64).prop_map(|start| Provider::Page { start }),
        Just(Provider::Offset),
        Just(Provider::Token),
        Just(Provider::NextUrl),
        Just(Provider::Link),
        Just(Provider::Whole),
    ];
    let sizes = (0..40u64, 1..12u64, 1..12u64);
    (provider, sizes, any::<bool>(), any::<bool>()).prop_map(
        |(provider, (total, cap, default), declared, sized)| {
            // Whoever counts pages without saying how long they are can only mean one length.
            Shop { provider, total, cap, default: default.min(cap), declared, sized }
        },
    )
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() })
}

#[test]
fn two_pages_are_one_of_twice_the_size() {
    runner(600)
        .run(&(shop(), 1..9u64, 1..4u64), |(shop, size, page)| {
            // A cap that nobody declared and that is smaller than asked makes a provider's page numbers ambiguous.
            let size = if shop.declared || !shop.sized { size } else { size.min(shop.cap) };
            let double = if shop.declared || !shop.sized { 2 * size } else { (2 * size).min(shop.cap) };
            prop_assume!(double == 2 * size);
            let mut two = shop.records(&format!("page={}&pageSize={size}", 2 * page - 1));
            two.extend(shop.records(&format!("page={}&pageSize={size}", 2 * page)));
            prop_assert_eq!(&two, &shop.records(&format!("page={page}&pageSize={}", 2 * size)));
            let from = (page - 1) * 2 * size;
            let expect: Vec<u64> = (from..(from + 2 * size).min(shop.total.max(from))).collect();
            prop_assert_eq!(two, expect);
            Ok(())
        })
        .unwrap();
}

#[test]
fn tokens_lead_through_everything_once() {
    runner(600)
        .run(&(shop(), proptest::option::of(1..9u64)), |(shop, size)| {
            let size = size.map_or(String::new(), |size| format!("pageSize={size}"));
            let (mut all, mut token, mut calls) = (Vec::new(), String::new(), 0);
            loop {
                let answer = shop.call(&format!("{size}&nextPage={token}"));
                prop_assert_eq!(answer.status, 200);
                let page: Vec<u64> = serde_json::from_str(answer.body.as_deref().unwrap()).unwrap();
                let count = answer.header("Elements-Returned-Count").unwrap().to_string();
                prop_assert_eq!(count, page.len().to_string());
                all.extend(page);
                calls += 1;
                prop_assert!(calls < 100, "{:?}", shop);
                let more = answer.header("Elements-Has-More").unwrap() == "true";
                match answer.header("Elements-Next-Page-Token") {
                    Some(next) => token = next.to_string(),
                    None => break prop_assert!(!more),
                }
                prop_assert!(more);
            }
            prop_assert_eq!(all, (0..shop.total).collect::<Vec<u64>>());
            Ok(())
        })
        .unwrap();
}

#[test]
fn the_last_page_has_no_token_where_the_size_is_promised() {
    for total in [0, 1, 4, 5] {
        let shop =
            Shop { provider: Provider::Offset, total, cap: 100, default: 5, declared: true, sized: true };
        let answer = shop.call("pageSize=3&page=2");
        assert_eq!(answer.header("Elements-Next-Page-Token"), None, "{total}");
        let first = shop.call("pageSize=3");
        assert_eq!(first.header("Elements-Next-Page-Token").is_some(), total >= 3, "{total}");
    }
}

#[test]
fn requests_to_the_provider_are_sized_as_it_wants() {
    let sent = |query: &str| {
        let shop = Shop {
            provider: Provider::Page { start: 0 },
            total: 30,
            cap: 10,
            default: 10,
            declared: true,
            sized: true,
        };
        let mut urls = Vec::new();
        let mut step = shop.setup().start(&format!("GET /things?{query}"));
        while let CallStep::Fetch(request, waiting) = step {
            urls.push(request.url.replace("https://api.example.com/v1/items", ""));
            let (head, body) = shop.answer(&request.url);
            step = waiting.resume(reply(&head, &body));
        }
        urls.join(" ")
    };
    assert_eq!(sent(""), "?p=0&n=10");
    assert_eq!(sent("pageSize=4"), "?p=0&n=4");
    assert_eq!(sent("pageSize=4&page=3"), "?p=2&n=4");
    assert_eq!(sent("pageSize=25"), "?p=0&n=10 ?p=1&n=10 ?p=2&n=10");
    assert_eq!(sent("pageSize=25&page=2"), "?p=2&n=10 ?p=3&n=10");
}

#[test]
fn what_is_no_page_is_refused() {
    let fault = |query: &str| {
        show_fault(&Setup::new("GET", json!({})).conversation(&format!("GET /things?{query}"), &[]).0)
    };
    assert_eq!(fault("page=0"), "400: `page` is not a whole number from 1; correct it");
    assert_eq!(fault("pageSize=many"), "400: `pageSize` is not a whole number from 1; correct it");
    assert_eq!(
        fault("nextPage=t1-%25"),
        "400: `nextPage` is not a token of this resource; begin with the first page"
    );
    let long = format!("nextPage={}", "x".repeat(5_000));
    assert_eq!(fault(&long), "400: `nextPage` is longer than 4096 bytes; begin with the first page");
    let paged = |next: Value, url: &str| {
        let resource = json!({"nextPageKey": "next", "rootKey": "|list"});
        let setup = Setup::new("GET", resource).set("pagination.type", "cursor");
        let body = json!({"list": [1], "next": next}).to_string();
        setup.conversation(&format!("GET /things?{url}"), &[("200", &body), ("200", &body)])
    };
    assert_eq!(
        show_fault(&paged(json!("https://evil.example.org/x"), "").0),
        "502: the provider names a next page at another origin, which is not followed; correct `nextPageKey`"
    );
    assert_eq!(
        show_fault(&paged(json!("same"), "pageSize=9").0),
        "502: the provider names the page that it just sent as its next one; correct `nextPageKey`"
    );
    assert_eq!(paged(json!(null), "").0.header("elements-next-page-token"), None);
}

/// The pages of a hub path, as a poller reads them: our page size, our token, the provider's clock.
#[test]
fn a_poll_of_a_hub_path_reads_everything_once() {
    runner(300)
        .run(&(shop(), 1..9u32), |(shop, size)| {
            let pagination = hub_pagination();
            let (mut all, mut position, mut pages) = (Vec::new(), Position::First, 0);
            loop {
                let url = url_of(&pagination, size, "/hubs/crm/things", &position);
                prop_assert!(is_hub_path(&url));
                let answer = shop.call(url.split_once('?').unwrap().1);
                let response = reply_of(answer, Timestamp::UNIX_EPOCH).outcome.unwrap();
                prop_assert_eq!(response.status, 200);
                let page: Vec<u64> = serde_json::from_str(&response.body).unwrap();
                prop_assert!(page.len() <= size as usize);
                prop_assert!(response.header("link").is_none(), "the provider's pages are not ours");
                all.extend(page);
                pages += 1;
                prop_assert!(pages < 100);
                match response.header("elements-next-page-token") {
                    Some(token) => position = Position::Token(token.to_string()),
                    None => break,
                }
            }
            prop_assert_eq!(all, (0..shop.total).collect::<Vec<u64>>());
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_poll_sees_the_provider_s_clock_and_refusals() {
    let setup = Setup::new("GET", json!({"rootKey": "|list"}));
    let replied = |head: &str, body: &str| {
        let (answer, _) = setup.conversation("GET /things", &[(head, body)]);
        reply_of(answer, Timestamp::UNIX_EPOCH)
    };
    let date = "200\nDate: Thu, 01 Jan 2026 00:00:00 GMT\nX-RateLimit-Remaining: 3\nServer: x";
    let reply = replied(date, r#"{"list":[1]}"#);
    assert_eq!(reply.to_head.as_millis(), 5);
    let response = reply.outcome.unwrap();
    assert_eq!((response.status, response.body.as_str()), (200, "[1]"));
    assert_eq!(response.header("date"), Some("Thu, 01 Jan 2026 00:00:00 GMT"));
    assert_eq!(response.header("x-ratelimit-remaining"), Some("3"));
    assert_eq!((response.header("server"), response.header("elements-returned-count")), (None, Some("1")));
    let slow = replied("429\nRetry-After: 9", "").outcome.unwrap();
    assert_eq!((slow.status, slow.header("retry-after")), (429, Some("9")));
    assert_eq!(replied("500", "").outcome.unwrap().status, 500, "the provider's own word");
    let other = replied("200", r#"{"other":[]}"#).outcome.unwrap_err();
    assert_eq!(other.message, "the provider's answer has nothing at `list`; correct `rootKey`");
    assert!(!other.kind.is_transient(), "not the list that was declared");
    let unset = Setup::new("GET", json!({})).set("base.url", "https://{host}");
    let error =
        reply_of(unset.conversation("GET /things", &[]).0, Timestamp::UNIX_EPOCH).outcome.unwrap_err();
    assert!(!error.kind.is_transient());
    assert!(error.message.contains("`host` is missing"), "{error}");
}

#[test]
fn a_token_of_somebody_else_leads_nowhere() {
    let json = r#"{"a":{"u":"https://evil.example.org/x"},"k":0,"s":null}"#;
    let token = format!("t1-{}", base64(json));
    let (answer, sent) =
        Setup::new("GET", json!({})).conversation(&format!("GET /things?nextPage={token}"), &[]);
    assert!(sent.is_empty());
    assert_eq!(show_fault(&answer), "400: `nextPage` leads to another origin; begin with the first page");
}

/// Base64 without padding, as tokens are written.
fn base64(text: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut written = String::new();
    for group in text.as_bytes().chunks(3) {
        let bits =
            group.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for at in 0..=group.len() {
            written.push(char::from(LETTERS[(bits >> (18 - 6 * at)) as usize & 63]));
        }
    }
    written
}

#[test]
fn next_pages_are_found_where_the_resource_says() {
    let token = |key: &str, head: &str, body: &str| {
        let resource = json!({"nextPageKey": key, "rootKey": "|list"});
        let setup = Setup::new("GET", resource).set("pagination.type", "cursor");
        let (answer, _) = setup.conversation("GET /things", &[(head, body)]);
        let next = answer.header("elements-next-page-token")?.to_string();
        let (_, sent) =
            setup.conversation(&format!("GET /things?nextPage={next}"), &[("200", "{\"list\":[]}")]);
        sent.first().cloned()
    };
    let page = Some("GET /v1/items".to_string());
    assert_eq!(token("next", "200", r#"{"list":[1],"next":"a"}"#), page, "there is no parameter for it");
    assert_eq!(
        token("$.a.next", "200", r#"{"list":[1],"a":{"next":"/v1/items?q=2"}}"#),
        Some("GET /v1/items?q=2".into())
    );
    assert_eq!(token("header:X-Next", "200\nx-next: /v2", r#"{"list":[1]}"#), Some("GET /v2".into()));
    assert_eq!(token("X-Next", "200\nx-next: /v2", r#"{"list":[1]}"#), Some("GET /v2".into()));
    assert_eq!(
        token("@odata.nextLink", "200", r#"{"list":[1],"@odata.nextLink":"https://api.example.com/v3"}"#),
        Some("GET /v3".into())
    );
    assert_eq!(token("next", "200", r#"{"list":[1],"next":false}"#), None);
}
