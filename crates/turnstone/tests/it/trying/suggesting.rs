//! Proposals over the API, from a sample and from an address; what is proposed is polled at once.

use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::instances::world::World;
use crate::serve::provider;

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_leads_to_a_proposal() {
    let (world, role) = World::with_people().await;
    let record = |at: u32| json!({"id": 9_007_199_254_740_990_u64 + u64::from(at), "updated_at": format!("2026-05-0{at}T10:00:00Z")});
    let records: Vec<Value> = (1..=9).map(record).collect();
    let body = json!({"sample": {"data": records, "next": "https://api.example.com/x?c=2"}, "url": "https://api.example.com/things"});
    let suggest = |body: &Value| world.server.ask(&role("member"), "POST", "/suggest", Some(body));
    let told = suggest(&body).expect(200);
    assert_eq!((&told["name"], &told["sampleRecords"]), (&json!("things"), &json!(9)));
    assert_eq!(
        told["resource"],
        json!({"url": "https://api.example.com/things", "idField": "id", "list": "data",
            "datesConfiguration": {"updatedDateField": "updated_at", "updatedDateFormat": "yyyy-MM-dd'T'HH:mm:ssXXX"},
            "pagination": {"type": "next", "next": "next"}})
    );
    let id = &told["proposals"].as_array().unwrap()[1];
    assert_eq!(
        (&id["setting"], &id["evidence"]),
        (&json!("idField"), &json!("present, unique and never empty in 9 of 9 records"))
    );
    assert!(id["confidence"].as_f64().is_some_and(|sure| sure > 0.9) && id["alternatives"].is_array());
    let as_text = json!({"sample": json!(records).to_string()});
    assert_eq!(suggest(&as_text).expect(200)["resource"]["idField"], "id");
    for (body, code, words) in [
        (json!({}), "badDocument", "`url`"),
        (json!({"sample": []}), "noSuggestion", "an empty list"),
        (json!({"sample": "<html>"}), "noSuggestion", "HTML"),
        (json!({"sample": null}), "badDocument", "is not given"),
        (json!({"sample": records, "url": "x"}), "noSuggestion", "does not begin with"),
        (json!({"other": 1}), "badDocument", "other"),
    ] {
        let told = suggest(&body).expect(400);
        assert_eq!(told["code"], code, "{told}");
        assert!(told["message"].as_str().unwrap().contains(words), "{told}");
    }
    // Where the server sends requests is an admin's to say.
    suggest(&json!({"url": "http://127.0.0.1:9/x"})).expect(403);
    world.server.ask(&role("reader"), "POST", "/suggest", Some(&body)).expect(403);
}

#[test]
fn an_address_is_read_and_what_is_proposed_is_polled() {
    let runtime = Runtime::new().unwrap();
    let (provider, world) = (provider(&runtime), World::new());
    let url = format!("{}/v1/customers?page=1&per_page=20", provider.url());
    let told =
        world.ask("POST", "/suggest", Some(&json!({"url": url, "headers": {"X-Any": "canary"}}))).expect(200);
    let resource = &told["resource"];
    assert_eq!(
        (&resource["idField"], &resource["url"]),
        (&json!("id"), &json!(format!("{}/v1/customers", provider.url())))
    );
    assert_eq!(resource["datesConfiguration"]["updatedDateField"], "updated_at", "{told}");
    assert_eq!(resource["pagination"], json!({"type": "page", "page": "page", "size": "per_page"}));
    assert!(!told.to_string().contains("canary"));
    let name = told["name"].as_str().unwrap();
    let document =
        json!({"element": {"key": "own"}, "configuration": {"event.poller.configuration": {name: resource}}});
    let body = json!({"instance": document, "pages": 20, "startFrom": "beginning"});
    let tried = world.ask("POST", "/instances/explain", Some(&body)).expect(200);
    let explanation = &tried[0]["explanation"];
    assert_eq!(
        (&explanation["outcome"], &explanation["error"]),
        (&json!("completed"), &json!(null)),
        "{tried}"
    );
    assert_eq!(explanation["events"].as_array().unwrap().len(), 30);

    let refused = json!({"url": format!("{}/nothing", provider.url())});
    let told = world.ask("POST", "/suggest", Some(&refused)).expect(400);
    assert_eq!(told["code"], "noSample", "{told}");
    for (body, words) in [
        (json!({"url": "ftp://x.test/"}), "url"),
        (json!({"url": "http://169.254.169.254/latest"}), "url"),
        (json!({"url": url, "headers": {"a b": "c"}}), "header"),
        (json!({"url": url, "headers": {"a": "c\r\nx: y"}}), "header"),
        (json!({"url": url, "headers": {"a": []}}), "no text"),
    ] {
        let told = world.ask("POST", "/suggest", Some(&body)).expect(400);
        assert!(told["message"].as_str().unwrap().contains(words), "{told}");
    }
}
