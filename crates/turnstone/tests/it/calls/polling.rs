//! Polls through the instance's own resource: what the poll sees of the provider, and what it says when the call fails.

use jiff::Timestamp;
use serde_json::{Value, json};
use turnstone_core::event::EventType;
use turnstone_core::poll::RunOutcome;
use turnstone_store::InstanceRow;

use super::vendor::{Records, Said, Seen, Vendor, zulu};
use super::world::{World, small_element};

/// A list in pages, as the small element asks for it.
fn list(records: &Records, seen: &Seen) -> Said {
    let since = seen.parameter("since").map(|text| text.parse().unwrap());
    let size = seen.number("size", 50);
    let page = records.page(since, (seen.number("page", 1) - 1) * size, size);
    let record = |(number, made, changed): (u64, _, _)| json!({"id": number.to_string(), "changed": zulu(changed), "made": zulu(made)});
    (200, Vec::new(), json!({"items": page.into_iter().map(record).collect::<Vec<_>>()}))
}

async fn instance(world: &World, element: &str, vendor: &Vendor) -> InstanceRow {
    let element = world.element(element).await;
    let body = json!({"element": {"key": "small"}, "configuration": {
        "base.url": vendor.url(), "event.notification.enabled": true}});
    world.instance(&element, body).await.unwrap()
}

fn seconds_before(vendor: &Vendor, seconds: i64) -> Timestamp {
    Timestamp::from_second(vendor.now().as_second() - seconds).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_read_and_the_provider_tells_the_time() {
    let records = Records::default();
    let shown = records.clone();
    let vendor = Vendor::start(move |seen| list(&shown, seen)).await;
    records.made(107, seconds_before(&vendor, 5_000));
    let world = World::new().await;
    let row = instance(&world, &small_element(json!({})), &vendor).await;
    let mut position = 0;
    assert_eq!(world.events(&row, "things", &mut position).await.len(), 107);
    let state = world.poller_of(&row, "things").await;
    let newest = records.page(None, 106, 1)[0].2;
    assert!(format!("{:?}", state.watermark).contains(&newest.as_microsecond().to_string()), "{state:?}");
    vendor.pass(10);
    records.change(50, seconds_before(&vendor, 10));
    let finish = world.poll(&row, "things").await.unwrap();
    let skew = finish.run.story.clock_skew_ms.unwrap();
    assert!((2_900_000..3_100_000).contains(&skew), "our clock is 50 minutes ahead of its: {skew} ms");
    let events = world.recorded(&row, &mut position).await;
    assert_eq!(events.iter().map(|event| event.object_id.as_str()).collect::<Vec<_>>(), ["50"]);
    assert!(finish.run.story.requests[0].starts_with("/hubs/crm/things?where="), "{:?}", finish.run.story);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_fails_is_named_with_its_line_and_the_watermark_stays() {
    let records = Records::default();
    let shown = records.clone();
    let vendor = Vendor::start(move |seen| list(&shown, seen)).await;
    records.made(5, seconds_before(&vendor, 5_000));
    let world = World::new().await;
    for (kind, words) in [
        ("preRequest", "`GET /hubs/crm/things` (`resources[0].hooks[0]`): the hook threw at line 2"),
        ("postRequest", "`GET /hubs/crm/things` (`resources[0].hooks[0]`): the hook threw at line 2"),
    ] {
        let hook = json!({"type": kind, "mimeType": "application/javascript",
            "body": "// Fine until it is Friday\nthrow new Error('it is Friday');"});
        let key = kind.to_lowercase();
        let element = small_element(json!({"key": key, "resource": {"hooks": [hook]}}));
        let row = instance(&world, &element, &vendor).await;
        let finish = world.poll(&row, "things").await.unwrap();
        let fault = finish.run.error.unwrap();
        assert_eq!((fault.code.as_str(), fault.transient), ("callFailed", false));
        assert!(
            fault.message.starts_with(words) && fault.message.contains("it is Friday"),
            "{}",
            fault.message
        );
        assert_eq!(finish.run.outcome, RunOutcome::Failed);
        let poller = world.poller_of(&row, "things").await;
        assert_eq!((poller.watermark, poller.status.needs_attention), (None, true));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_of_the_provider_stay_its_own() {
    let world = World::new().await;
    let vendor = Vendor::start(|seen| match seen.header("x-mode") {
        "slow" => (429, vec![("retry-after", "3600".into())], Value::Null),
        "broken" => (500, Vec::new(), json!({"message": "boom"})),
        "gone" => (200, Vec::new(), json!({"others": []})),
        _ => (200, Vec::new(), json!({"items": []})),
    })
    .await;
    let before = World::now();
    for (mode, code, words) in [
        ("slow", "tooManyRequests", "was answered with 429"),
        ("broken", "providerFailed", "was answered with 500"),
        ("gone", "callFailed", "the provider's answer has nothing at `items`; correct `rootKey`"),
    ] {
        let header = json!([{"name": mode, "type": "value", "vendorName": "X-Mode", "vendorType": "header"}]);
        let row = instance(&world, &small_element(json!({"key": mode, "parameters": header})), &vendor).await;
        let finish = world.poll(&row, "things").await.unwrap();
        let fault = finish.run.error.clone().unwrap();
        assert_eq!(fault.code, code, "{}", fault.message);
        assert!(fault.message.contains(words), "{}", fault.message);
        if mode == "slow" {
            let wait = finish.next_due.duration_since(before).as_secs();
            assert!(wait >= 3_600, "the provider asked for an hour: {wait} s");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_hooks_set_is_kept_and_read_by_the_next_call() {
    let vendor = Vendor::start(|_| (200, Vec::new(), json!({"items": []}))).await;
    let world = World::new().await;
    let count = "const next = Number(configuration.count || 0) + 1;\n\
                 request_vendor_headers['X-Count'] = String(next);\n\
                 done({ request_vendor_headers, configuration: { count: String(next), 'my.pin': 'pin-4711' } });";
    let element = small_element(json!({
        "configuration": [{"key": "my.pin", "name": "Pin", "type": "PASSWORD"}],
        "resource": {"hooks": [{"type": "preRequest", "body": count}]}}));
    let row = instance(&world, &element, &vendor).await;
    for expect in ["1", "2", "3"] {
        assert_eq!(world.call(&row, "/things").await.status, 200);
        let seen = vendor.asked("/things");
        assert_eq!(seen.last().unwrap().header("x-count"), expect);
    }
    let account = world.calls.connections().account(&row).await.unwrap();
    assert_eq!(
        (account.settings.get("count"), account.settings.get("my.pin")),
        (Some("3"), Some("pin-4711"))
    );
    assert!(!format!("{:?}", account.settings).contains("pin-4711"));
    world.calls.connections().forget(&row, &["count".into()]).await.unwrap();
    world.call(&row, "/things").await;
    assert_eq!(vendor.asked("/things").last().unwrap().header("x-count"), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_that_cannot_be_called_is_told_when_it_is_saved() {
    let world = World::new().await;
    let element = world.element(&small_element(json!({}))).await;
    let body = |url: &str| {
        json!({"element": {"key": "small"}, "configuration": {
            "event.poller.configuration": {"things": {"url": url, "idField": "id"}}}})
    };
    let faults = |url: &str| {
        let checked = world.preparer.check_for(&body(url), Some(&element.connector), World::now());
        checked.faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(faults("/hubs/crm/things"), "");
    assert_eq!(faults("/things"), "", "a path that the connector has");
    let missing = faults("/hubs/crm/others");
    assert!(missing.contains("the connector `small` has no resource `/hubs/crm/others`"), "{missing}");
    assert!(missing.contains("such as `/hubs/crm/things`"), "{missing}");
    assert!(faults("/others").contains("relative"), "no base address");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_gone_is_found_through_the_connector_too() {
    let records = Records::default();
    let shown = records.clone();
    let vendor = Vendor::start(move |seen| match seen.path.strip_prefix("/things/") {
        Some(id) if shown.has(id.parse().unwrap()) => (200, Vec::new(), json!({"id": id})),
        Some(_) => (404, Vec::new(), json!({"message": "Not found"})),
        None => list(&shown, seen),
    })
    .await;
    records.made(30, seconds_before(&vendor, 5_000));
    let world = World::new().await;
    let one = json!({"type": "api", "method": "GET", "path": "/hubs/crm/things/{id}", "vendorMethod": "GET",
        "vendorPath": "/things/{id}", "hooks": [],
        "parameters": [{"name": "id", "type": "path", "vendorName": "id", "vendorType": "path"}]});
    let element = world.element(&small_element(json!({"resources": [one]}))).await;
    let mut polled = element.connector.defaults().resources["things"].clone();
    polled["overlap"] = json!(0); // Nothing settles, so that a young record may be missed at once.
    polled["sweep"] =
        json!({"every": "1 polls", "url": "/hubs/crm/things", "readUrl": "/hubs/crm/things/{id}"});
    let body = json!({"element": {"key": "small"}, "configuration": {
        "base.url": vendor.url(), "event.notification.enabled": true,
        "event.poller.configuration": {"things": polled}}});
    let row = world.instance(&element, body).await.unwrap();
    let mut position = 0;
    assert_eq!(world.events(&row, "things", &mut position).await.len(), 30);
    records.remove(7);
    let mut gone = Vec::new();
    for _ in 0..6 {
        let events = world.events(&row, "things", &mut position).await;
        gone.extend(events.into_iter().map(|event| (event.object_id, event.event_type)));
    }
    assert_eq!(gone, [("7".to_owned(), EventType::Deleted)]);
    assert!(!vendor.asked("/things/7").is_empty(), "it was looked for");
}
