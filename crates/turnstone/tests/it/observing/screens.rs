//! Pollers, runs, endpoints and deliveries of a whole organisation.

use serde_json::{Value, json};
use turnstone_provider::{Control, Fault, FaultRule};

use super::world::World;
use crate::bench::{Server, wait_for};

#[test]
fn the_first_screen_counts_and_lists_what_fails() {
    let world = World::new();
    let shown = world.get("/overview");
    assert_eq!(shown["instances"], json!({"total": 1, "enabled": 1, "failing": 0}));
    assert_eq!(shown["pollers"], json!({"total": 1, "ok": 1, "failing": 0, "paused": 0, "starting": 0}));
    assert_eq!((&shown["failingPollers"], &shown["failingEndpoints"]), (&json!([]), &json!([])));
    let fault = FaultRule::always(Fault::Status { code: 403 });
    world.provider.control(Control { faults: vec![fault], ..Control::default() }).unwrap();
    let shown = wait_for("failing poller", || {
        let shown = world.get("/overview");
        (shown["pollers"]["failing"] == 1).then_some(shown)
    });
    assert_eq!(shown["instances"]["failing"], 1);
    let failing = &shown["failingPollers"][0];
    assert_eq!((&failing["resource"], &failing["elementKey"]), (&json!("customers"), &json!("crm")));
    assert_eq!(failing["instanceName"], "Shop one");
    assert!(failing["failuresInARow"].as_u64() > Some(0), "{failing}");

    let list = |query: &str| world.ask("GET", &format!("/pollers{query}"), &Value::Null);
    let all = list("");
    assert_eq!(all.header("Elements-Total-Count"), Some("1"));
    assert_eq!(all.json()[0]["id"], failing["id"]);
    assert_eq!(list("?status=failing").json().as_array().unwrap().len(), 1);
    assert_eq!(list("?status=ok").json(), json!([]));
    assert_eq!(list("?instanceId=999").json(), json!([]));
    let both = list(&format!("?instanceId=999&instanceId={}", world.instance));
    assert_eq!(both.json().as_array().unwrap().len(), 1);
    list("?instanceId=1&instanceId=x").expect(400);
    list("?status=well").expect(400);
    let failed = world.get("/runs?outcome=failed&pageSize=1");
    assert_eq!((&failed[0]["outcome"], &failed[0]["instanceName"]), (&json!("failed"), &json!("Shop one")));
    assert_eq!((&failed[0]["resource"], &failed[0]["subscriptionId"]), (&json!("customers"), &Value::Null));
}

#[test]
fn runs_are_continued_and_one_shows_its_events() {
    let world = World::new();
    let id = world.change();
    for list in ["/runs".to_owned(), world.at("/runs"), format!("/runs?instanceId={}", world.instance)] {
        let join = if list.contains('?') { '&' } else { '?' };
        let first = world.ask("GET", &format!("{list}{join}pageSize=1"), &Value::Null);
        let last = first.json()[0]["id"].as_str().unwrap().to_owned();
        assert_eq!(first.header("Elements-Next-Page-Token"), Some(last.as_str()));
        let second = world.get(&format!("{list}{join}pageSize=1&before={last}"));
        assert!(second[0]["startedAt"].as_str() <= first.json()[0]["startedAt"].as_str(), "{second}");
        assert_ne!(second[0]["id"], first.json()[0]["id"]);
        world.ask("GET", &format!("{list}{join}before=x"), &Value::Null).expect(400);
    }
    let event = &world.get(&format!("/instances/events?objectId={id}"))[0];
    let run = format!("/runs/{}?objectId={id}", event["runId"].as_str().unwrap());
    let run = world.get(&run);
    assert_eq!((&run["instanceId"], &run["resource"]), (&json!(world.instance), &json!("customers")));
    let decision = &run["decisions"][0];
    assert_eq!((&decision["eventId"], &decision["verdict"]), (&event["id"], &json!("UPDATED")));
    let decided = run["decisions"].as_array().unwrap();
    assert!(decided.iter().all(|decision| decision["objectId"] == json!(id)), "{run}");
}

#[test]
fn deliveries_wait_at_an_endpoint_until_they_are_released_since_a_time() {
    let world = World::new();
    let endpoint = world.get("/endpoints")[0].clone();
    assert_eq!((&endpoint["state"], &endpoint["instanceId"]), (&json!("active"), &json!(world.instance)));
    assert_eq!(endpoint["url"], format!("http://{}/events", world.receiver.address));
    let path = format!("/endpoints/{}", endpoint["id"]);
    let off = world.ask("DELETE", &format!("{path}/active"), &Value::Null).expect(200);
    assert_eq!((&off["state"], &off["reason"]), (&json!("disabled"), &json!("a person switched it off")));
    world.change();
    let behind =
        wait_for("event that waits", || Some(world.get(&path)).filter(|found| found["behind"] == true));
    assert_eq!(behind["open"], json!({"retry": 0, "dead": 0, "queued": 0}));
    assert_eq!(world.get("/overview")["failingEndpoints"][0]["id"], endpoint["id"]);
    assert_eq!(world.get("/deliveries"), json!([]));

    world.receiver.answer(500);
    let on = world.ask("PUT", &format!("{path}/active"), &Value::Null).expect(200);
    assert_eq!((&on["state"], &on["reason"]), (&json!("active"), &json!("")));
    let waiting = wait_for("retry", || world.get("/deliveries?status=retry").get(0).cloned());
    assert_eq!(world.get(&path)["open"]["retry"], 1);
    let event = waiting["events"][0].as_str().unwrap();
    for query in [
        format!("eventId={event}"),
        format!("instanceId={}", world.instance),
        format!("endpointId={}", endpoint["id"]),
        "since=2020-01-01T00:00:00Z".to_owned(),
    ] {
        assert_eq!(world.get(&format!("/deliveries?{query}"))[0]["id"], waiting["id"], "{query}");
    }
    for query in [format!("before={}", waiting["id"]), "since=2120-01-01T00:00:00Z".to_owned()] {
        assert_eq!(world.get(&format!("/deliveries?{query}")), json!([]), "{query}");
    }
    world.ask("GET", "/deliveries?status=lost", &Value::Null).expect(400);
    world.ask("GET", "/deliveries?eventId=1", &Value::Null).expect(400);
    let later = json!({"where": "status='retry'", "since": "2120-01-01T00:00:00Z"});
    assert_eq!(world.ask("POST", "/deliveries/redeliver", &later).expect(200)["released"], 0);
    world.receiver.answer(200);
    let all = json!({"where": "status='retry'"});
    // One that is being sent at this moment is not released; it has then its next try.
    wait_for("release", || {
        let released = world.ask("POST", "/deliveries/redeliver", &all).expect(200)["released"] == 1;
        let delivered = world.get(&format!("/deliveries/{}", waiting["id"]))["status"] == "delivered";
        (released || delivered).then_some(())
    });
    wait_for("delivery", || {
        (world.get(&format!("/deliveries/{}", waiting["id"]))["status"] == "delivered").then_some(())
    });
    world.ask("POST", "/deliveries/redeliver", &json!({"where": "status='lost'"})).expect(400);
    let switched = world.get("/audit");
    let told = switched.as_array().unwrap().iter().find(|entry| entry["action"] == "deactivateEndpoint");
    assert!(told.is_some(), "{switched}");
}

#[test]
fn instances_are_searched_by_their_name() {
    let world = World::new();
    assert_eq!(world.get("/instances?search=SHOP&hydrate=false").as_array().unwrap().len(), 1);
    assert_eq!(world.get("/instances?search=shopping"), json!([]));
}

#[test]
fn a_delivery_tells_what_was_sent_and_everything_names_its_instance() {
    let world = World::new();
    let id = world.change();
    let delivery = wait_for("delivery", || {
        let found = world.get("/deliveries?status=delivered&pageSize=1");
        found.get(0).cloned()
    });
    let read = world.get(&format!("/deliveries/{}", delivery["id"]));
    let request = &read["attempts"][0]["request"];
    assert_eq!(
        (&request["method"], &request["url"]),
        (&json!("POST"), &json!(format!("http://{}/events", world.receiver.address)))
    );
    let header = |name: &str| {
        let headers = request["headers"].as_array().unwrap();
        headers.iter().find(|header| header["name"] == name).map(|header| header["value"].clone())
    };
    assert_eq!(header("Elements-Webhook-Id"), Some(json!(delivery["id"].to_string())));
    assert!(header("Elements-Webhook-Signature").is_some_and(|value| value.to_string().contains("sha256=")));
    let own = world.get(&format!("/instances/{}/deliveries", world.instance));
    let found = world.get("/notifications/subscriptions/deliveries?where=status%3D'delivered'");
    let record = world.get(&format!("/records/{}/{id}", world.poller()["id"]));
    for named in [&delivery, &read, &own[0], &found[0], &record["deliveries"][0]] {
        assert_eq!(named["instanceName"], "Shop one", "{named}");
    }
    let event = &world.get(&format!("/instances/events?objectId={id}"))[0];
    let one = world.get(&format!("/instances/events/{}", event["id"].as_str().unwrap()));
    assert_eq!((&event["instanceName"], &one["instanceName"]), (&json!("Shop one"), &json!("Shop one")));
    assert_eq!(world.get("/endpoints")[0]["signatureKeys"], 1);

    // What is kept stays when its instance goes.
    world.ask("DELETE", &format!("/instances/{}", world.instance), &Value::Null).expect(200);
    let gone = world.get(&format!("/instances/events?objectId={id}"));
    assert_eq!(gone[0].get("instanceName"), Some(&Value::Null), "{gone}");
}

#[test]
fn how_long_things_are_kept_is_told_as_it_was_said_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--keep-runs", "3", "--keep-webhooks", "1"]);
    let token = server.token.clone().unwrap();
    let told = server.ask(&token, "GET", "/retention", None).expect(200);
    let wanted = json!({"events": 30, "runs": 3, "attempts": 30, "webhooks": 1, "deletedRecords": 30});
    assert_eq!(told, wanted);
}
