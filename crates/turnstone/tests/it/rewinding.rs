//! The cursor of a poller over the API: seen, previewed, moved back, put back, and never reporting anything twice.

use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::bench::{Receiver, Server, wait_for};
use crate::serve::{document, provider};

#[test]
fn a_cursor_moved_back_brings_what_was_missed_once_and_a_preview_leaves_everything_as_it_is() {
    let runtime = Runtime::new().unwrap();
    let (provider, receiver, data) =
        (provider(&runtime), Receiver::start("a key that nobody knows"), tempfile::tempdir().unwrap());
    let server = Server::start(data.path(), &["--allow-private", "--interval-minimum", "0.05"]);
    let token = server.token.clone().unwrap();
    let ask = |method: &str, path: &str, body: Value| {
        server.ask(&token, method, path, (body != Value::Null).then_some(&body))
    };
    // What a run under way refuses is asked for again.
    let insist = |method: &str, path: &str, body: Value| {
        wait_for("moment between two runs", || {
            let answer = ask(method, path, body.clone());
            (answer.status != 409 || !answer.body.contains("underWay")).then_some(answer)
        })
    };
    let callback = format!("http://{}/events", receiver.address);
    let made = ask("POST", "/instances", document(&provider.url(), &callback)).expect(200);
    let poller = format!("/instances/{}/pollers/customers", made["id"]);
    let cursor = format!("{poller}/cursor");
    wait_for("completed pass", || {
        (ask("GET", &poller, Value::Null).expect(200)["passes"].as_u64() > Some(0)).then_some(())
    });
    let place = ask("GET", &cursor, Value::Null).expect(200);
    assert!(place["watermarkDate"].is_string() && place["counts"] == json!(false), "{place}");
    assert_eq!(ask("GET", "/events", Value::Null).expect(200), json!([]), "it starts from now");

    let rewind = format!("{poller}/rewind");
    let past = json!({"date": "2000-01-01T00:00:00Z"});
    let seen = ask("POST", &format!("{rewind}?preview=true"), past.clone()).expect(200);
    assert_eq!(seen["to"]["watermarkDate"], "2000-01-01T00:00:00Z");
    let foreseen: u64 =
        ["created", "updated"].iter().map(|kind| seen["events"][kind].as_u64().unwrap()).sum();
    assert_eq!((foreseen, &seen["records"], &seen["more"]), (30, &json!(30), &json!(false)), "{seen}");
    assert_eq!(seen["explanation"]["events"].as_array().map(Vec::len), Some(30));
    assert_eq!(ask("GET", "/events", Value::Null).expect(200), json!([]), "a preview records nothing");
    assert_eq!(ask("GET", &format!("{poller}/cursors"), Value::Null).expect(200), json!([]));

    let moved = insist("POST", &rewind, past.clone()).expect(202);
    assert_eq!(moved["watermarkDate"], "2000-01-01T00:00:00Z");
    wait_for("thirty events", || {
        let events = ask("GET", "/events?pageSize=100", Value::Null).expect(200);
        (events.as_array().map(Vec::len) == Some(30)).then_some(())
    });
    let again = ask("POST", &format!("{rewind}?preview=true"), past).expect(200);
    assert_eq!(again["events"], json!({"created": 0, "updated": 0, "deleted": 0}), "nothing comes twice");

    // It is put back by its number in the history; how far polls come moves on from there.
    let former = ask("GET", &format!("{poller}/cursors"), Value::Null).expect(200);
    assert_eq!(former.as_array().map(Vec::len), Some(1), "{former}");
    let back = insist("PUT", &cursor, json!({"to": former[0]["id"]})).expect(200);
    assert_eq!(back["watermark"], former[0]["watermark"]);
    let audit = ask("GET", "/audit", Value::Null).expect(200);
    let moves: Vec<&Value> =
        audit.as_array().unwrap().iter().filter(|entry| entry["detail"]["watermark"].is_object()).collect();
    assert!(moves.len() >= 2, "{audit}");

    for (body, code) in [
        (json!({}), "badCursor"),
        (json!({"date": "2000-01-01T00:00:00Z", "to": 1}), "badCursor"),
        (json!({"date": "yesterday"}), "badDocument"),
        (json!({"date": "2999-01-01T00:00:00Z"}), "badCursor"),
    ] {
        let refused = ask("PUT", &cursor, body.clone());
        assert_eq!((refused.status, &refused.expect(400)["code"]), (400, &json!(code)), "{body}");
    }
    ask("PUT", &cursor, json!({"to": 999_999})).expect(404);
    ask("PUT", &format!("{poller}/paused"), json!({"reason": "looking"})).expect(200);
    let paused = ask("POST", &rewind, json!({"date": "2001-01-01T00:00:00Z"})).expect(409);
    assert_eq!(paused["code"], "paused");
}
