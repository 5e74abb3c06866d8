//! Ask about a record, and the cursor of its poller.

use serde_json::{Value, json};

use super::world::World;
use crate::bench::wait_for;

impl World {
    fn record(&self, id: &str) -> Value {
        self.get(&format!("/records/{}/{id}", self.poller()["id"]))
    }

    fn paused(&self) {
        self.ask("PUT", &self.at("/paused"), &Value::Null).expect(200);
        // A run that was under way ends.
        wait_for("rest", || {
            let body = json!({"watermark": self.poller()["watermark"]});
            (self.ask("PUT", &self.at("/cursor"), &body).status == 200).then_some(())
        });
    }
}

#[track_caller]
fn says(record: &Value, words: &[&str]) {
    let sentence = record["sentence"].as_str().unwrap();
    for word in words {
        assert!(sentence.contains(word), "`{word}` is missing: {record:#}");
    }
}

#[test]
fn a_record_is_told_from_its_first_reading_to_its_delivery() {
    let world = World::new();
    let poller = world.poller()["id"].clone();
    let never = world.record("no%2Fsuch%20one");
    assert_eq!((&never["known"], &never["objectId"]), (&json!(false), &json!("no/such one")));
    says(&never, &["No run has seen", "`no/such one`", "The poller is well, complete to"]);
    assert!(never["runsWithout"]["count"].as_u64() > Some(0), "{never}");

    let id = world.change();
    let record = wait_for("delivered event", || {
        let record = world.record(&id);
        (record["events"][0]["status"] == "NOTIFIED").then_some(record)
    });
    let event = &record["events"][0];
    let run = event["runId"].as_str().unwrap();
    says(
        &record,
        &["reported as UPDATED", run, event["id"].as_str().unwrap(), "it was delivered by delivery"],
    );
    assert_eq!((&record["known"], &record["versions"][0]["state"]), (&json!(true), &json!("last")));
    let sightings = record["sightings"].as_array().unwrap();
    let sighting = sightings.iter().find(|one| one["eventId"] == event["id"]).expect("its run");
    assert_eq!((&sighting["run"]["id"], &sighting["decision"]["verdict"]), (&json!(run), &json!("UPDATED")));
    let compared = event["providerData"].as_str().unwrap();
    let compared: Value = serde_json::from_str(compared).unwrap();
    let decision = &sighting["decision"];
    assert_eq!(decision["compared"], compared["updated_at"]);
    let instant = |value: &Value| value.as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
    assert!(instant(&decision["comparedDate"]).is_some(), "{decision}");
    assert_eq!(instant(&decision["comparedDate"]), instant(&decision["compared"]));
    let run = world.get(&format!("/runs/{}", sighting["run"]["id"].as_str().unwrap()));
    assert!(run["decisions"].as_array().unwrap().contains(decision), "the run says the same: {run}");
    assert!(sighting["decision"]["page"].as_u64() > Some(0), "{sighting}");
    assert_eq!(record["deliveries"][0]["attempts"], 1, "{record}");
    // The overlap of the next window holds it again.
    let again = wait_for("second reading", || {
        let record = world.record(&id);
        let sentence = record["sentence"].as_str().unwrap();
        sentence.contains("did not report it twice (reported)").then_some(record)
    });
    assert_eq!(again["sightings"][0]["decision"]["ignored"], "reported", "{again}");
    let others = world.ask("GET", &format!("/records/{poller}/{id}"), &Value::Null);
    assert_eq!(others.status, 200);
    world.ask("GET", "/records/999999/1", &Value::Null).expect(404);
    world.ask("GET", "/records/x/1", &Value::Null).expect(404);
}

#[test]
fn what_waits_is_told_with_its_reason() {
    let world = World::new();
    world.receiver.answer(500);
    let id = world.change();
    let record = wait_for("retry", || {
        let record = world.record(&id);
        record["sentence"].as_str().unwrap().contains("is being retried").then_some(record)
    });
    says(&record, &["carries it, failed", "times and is being retried, next at"]);
    world.change_of(&id);
    let held = wait_for("held event", || {
        let record = world.record(&id);
        record["sentence"].as_str().unwrap().contains("held behind").then_some(record)
    });
    let earlier = held["events"][1]["id"].as_str().unwrap();
    says(&held, &["it is held behind the earlier event", earlier, "is retry"]);
    let endpoint = world.get("/endpoints")[0]["id"].clone();
    world.ask("DELETE", &format!("/endpoints/{endpoint}/active"), &Value::Null).expect(200);
    says(&world.record(&id), &["it waits, because endpoint", "disabled", "a person switched it off"]);
    world.paused();
    says(&world.record("nobody"), &["No run has seen", "The poller is paused: a person paused it"]);
}

#[test]
fn a_cursor_is_moved_remembered_and_put_back() {
    // The ledger knows every record: each was an event once.
    let world = World::of(json!({"startFrom": "beginning"}));
    world.change();
    let rewind = |body: &Value| world.ask("POST", &world.at("/rewind"), body);
    world.paused();
    let before = world.get(&world.at("/cursor"));
    assert_eq!(before["counts"], false);
    assert_eq!(before["watermark"], world.poller()["watermark"]);
    let back = json!({"date": "2020-01-01T00:00:00Z"});
    let preview = world.ask("POST", &world.at("/rewind?preview=true"), &back).expect(200);
    assert_eq!((&preview["from"], &preview["to"]["watermarkDate"]), (&before, &back["date"]));
    assert_eq!(preview["records"].as_u64(), Some(30), "everything is read: {preview}");
    assert_eq!(preview["more"], false);
    let events = &preview["events"];
    assert_eq!(events, &json!({"created": 0, "updated": 0, "deleted": 0}), "and nothing is reported twice");
    assert_eq!(world.get(&world.at("/cursor")), before, "a preview writes nothing");
    assert_eq!(rewind(&back).expect(409)["code"], "paused");
    for body in
        [json!({}), json!({"date": "2020-01-01T00:00:00Z", "to": 1}), json!({"date": "2120-01-01T00:00:00Z"})]
    {
        assert_eq!(world.ask("PUT", &world.at("/cursor"), &body).expect(400)["code"], "badCursor", "{body}");
    }
    world.ask("PUT", &world.at("/cursor"), &json!({"to": 999_999})).expect(404);
    let moved = world.ask("PUT", &world.at("/cursor"), &back).expect(200);
    assert_eq!((&moved["watermarkDate"], &moved["completeTo"]), (&back["date"], &back["date"]));
    let former = world.get(&world.at("/cursors"));
    assert_eq!(former[0]["watermark"], before["watermark"], "{former}");
    let put = world.ask("PUT", &world.at("/cursor"), &json!({"to": former[0]["id"]})).expect(200);
    assert_eq!(put["watermark"], before["watermark"]);

    // It is moved back and polls, and what was reported is not reported again.
    world.ask("DELETE", &world.at("/paused"), &Value::Null).expect(202);
    let position = world.get("/instances/events?pageSize=1")[0]["position"].clone();
    let passes = wait_for("rewind between two runs", || {
        let passes = world.poller()["passes"].as_u64().unwrap();
        let answer = rewind(&back);
        assert!(matches!(answer.status, 202 | 409), "{answer:?}");
        (answer.status == 202).then_some(passes)
    });
    wait_for("pass after it", || (world.poller()["passes"].as_u64() > Some(passes + 1)).then_some(()));
    assert_eq!(world.get("/instances/events?pageSize=1")[0]["position"], position);
    let audit = world.get("/audit");
    let told = audit.as_array().unwrap().iter().find(|entry| entry["action"] == "rewindPoller");
    assert!(told.is_some(), "{audit}");
}

#[test]
fn a_rewind_brings_what_was_missed_and_brings_it_once() {
    // It starts from now: the thirty records that were there before were never read.
    let world = World::new();
    let past = json!({"date": "2000-01-01T00:00:00Z"});
    let foreseen = || {
        let preview = world.ask("POST", &world.at("/rewind?preview=true"), &past).expect(200);
        let events = &preview["events"];
        events["created"].as_u64().unwrap() + events["updated"].as_u64().unwrap()
    };
    assert_eq!((foreseen(), world.get("/events")), (30, json!([])), "a preview records nothing");
    wait_for("rewind between two runs", || {
        let answer = world.ask("POST", &world.at("/rewind"), &past);
        assert!(matches!(answer.status, 202 | 409), "{answer:?}");
        (answer.status == 202).then_some(())
    });
    wait_for("thirty events", || {
        (world.get("/events?pageSize=100").as_array().map(Vec::len) == Some(30)).then_some(())
    });
    assert_eq!(foreseen(), 0, "and nothing of it comes twice");
}
