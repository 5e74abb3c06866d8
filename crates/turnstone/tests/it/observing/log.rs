//! The log, page by page, and as a stream that tells of every event as it is recorded.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::world::World;
use crate::bench::{SOON, wait_for};

/// A stream of events that is being read.
struct Told {
    reader: BufReader<TcpStream>,
    head: String,
    /// Where it begins, as its first message says; `None` of an answer that is no stream.
    start: Option<i64>,
}

impl Told {
    /// Opens one with these header lines.
    fn open(world: &World, path: &str, lines: &str) -> Told {
        let mut stream = TcpStream::connect(world.server.address).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        let head = format!(
            "GET /elements/api-v2{path} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n{lines}\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(reader.read_line(&mut head).unwrap(), 0, "{head}");
        }
        let is_stream = head.starts_with("HTTP/1.1 200");
        let mut told = Told { reader, head, start: None };
        if is_stream {
            let (id, data) = told.next().expect("its start");
            assert_eq!(data, json!({"after": id}));
            told.start = Some(id);
        }
        told
    }

    fn of(world: &World, path: &str) -> Told {
        Told::open(world, path, &format!("Authorization: {}\r\n", world.token))
    }

    /// The next event: its id and its data. `None` when the stream has ended.
    fn next(&mut self) -> Option<(i64, Value)> {
        let (mut id, mut data) = (None, String::new());
        loop {
            let mut line = String::new();
            if self.reader.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            let line = line.trim_end();
            if let Some(text) = line.strip_prefix("id: ") {
                id = Some(text.parse().unwrap());
            } else if let Some(text) = line.strip_prefix("data: ") {
                data.push_str(text);
            } else if let (true, Some(id)) = (line.is_empty() && !data.is_empty(), id) {
                return Some((id, serde_json::from_str(&data).unwrap()));
            }
            // Anything else frames the chunks of the answer, or is a comment.
        }
    }
}

#[test]
fn an_event_is_told_as_it_is_recorded_and_nothing_is_missed() {
    let world = World::new();
    let first = world.change();
    let mut told = Told::of(&world, "/events?after=0");
    assert!(told.head.starts_with("HTTP/1.1 200"), "{}", told.head);
    assert!(told.head.to_ascii_lowercase().contains("content-type: text/event-stream"), "{}", told.head);
    assert_eq!(told.start, Some(0));
    let (position, event) = told.next().expect("what was there before");
    assert_eq!((&event["objectId"], &event["position"]), (&json!(first), &json!(position)));

    // From now on: what was there before is not told.
    let mut fresh = Told::of(&world, "/events");
    let mut others = Told::of(&world, "/events?objectType=nothing");
    // A client that is cut off before its first event comes back with this, and misses nothing.
    assert_eq!((fresh.start, others.start), (Some(position), Some(position)));
    let second = world.change();
    for told in [&mut told, &mut fresh] {
        let (later, event) = told.next().expect("what is recorded now");
        assert_eq!(event["objectId"], json!(second));
        assert_eq!(event["instanceName"], world.get(&format!("/instances/{}", world.instance))["name"]);
        assert!(later > position);
        let feed = world.get(&format!("/events?after={position}"));
        assert_eq!(feed[0], event, "the same line as the feed's");
    }

    // A browser that comes back sends the address that it asked for first, and what it saw last.
    let lines = format!("Authorization: {}\r\nLast-Event-ID: {position}\r\n", world.token);
    let mut again = Told::open(&world, "/events?after=0", &lines);
    assert_eq!(again.start, Some(position));
    assert_eq!(again.next().expect("what it missed").1["objectId"], json!(second));

    let of_instance = format!("/events?after=0&instanceId={}", world.instance);
    let mut of_instance = Told::of(&world, &of_instance);
    assert_eq!(of_instance.next().unwrap().1["objectId"], json!(first));
    assert!(Told::of(&world, "/events?after=-1").head.starts_with("HTTP/1.1 400"));
    let bad = format!("Authorization: {}\r\nLast-Event-ID: x\r\n", world.token);
    assert!(Told::open(&world, "/events", &bad).head.starts_with("HTTP/1.1 400"));
    assert!(Told::open(&world, "/events", "").head.starts_with("HTTP/1.1 401"));

    // The server ends, and with it every stream.
    assert!(world.server.terminate(), "open streams do not hold up its end");
    assert_eq!(told.next(), None);
    assert_eq!(others.next(), None, "nothing that was filtered out was told");
}

#[test]
fn streams_are_bounded_and_a_client_that_goes_makes_room() {
    let world = World::new();
    let open: Vec<Told> = (0..64).map(|_| Told::of(&world, "/events")).collect();
    assert!(open.iter().all(|told| told.head.starts_with("HTTP/1.1 200")));
    assert!(Told::of(&world, "/events").head.starts_with("HTTP/1.1 429"));
    drop(open);
    wait_for("room", || Told::of(&world, "/events").head.starts_with("HTTP/1.1 200").then_some(()));
}

#[test]
fn the_log_is_read_page_by_page_from_its_newest_end() {
    let world = World::new();
    for _ in 0..5 {
        world.change();
    }
    let feed = world.get("/events?after=0");
    let mut expected: Vec<i64> =
        feed.as_array().unwrap().iter().map(|event| event["position"].as_i64().unwrap()).collect();
    expected.reverse();
    assert_eq!(expected.len(), 5, "{feed}");
    for list in ["/instances/events".to_owned(), format!("/instances/{}/events", world.instance)] {
        let (mut found, mut next) = (Vec::new(), None);
        for _ in 0..9 {
            let page = next.as_ref().map(|next| format!("&nextPage={next}")).unwrap_or_default();
            let answer = world.ask("GET", &format!("{list}?pageSize=2{page}"), &Value::Null);
            found.extend(
                answer.json().as_array().unwrap().iter().map(|entry| entry["position"].as_i64().unwrap()),
            );
            next = answer.header("Elements-Next-Page-Token").map(str::to_owned);
            if next.is_none() {
                break;
            }
        }
        assert_eq!(found, expected, "{list}");
    }
    let positions = |query: &str| -> Vec<i64> {
        let found = world.get(&format!("/instances/events?{query}"));
        found.as_array().unwrap().iter().map(|entry| entry["position"].as_i64().unwrap()).collect()
    };
    assert_eq!(positions(&format!("before={}", expected[1])), expected[2..]);
    assert_eq!(positions("eventType=DELETED"), Vec::<i64>::new());
    assert_eq!(positions("eventType=UPDATED"), expected);
    assert_eq!(positions("from=2020-01-01T00:00:00Z"), expected);
    assert_eq!(positions("to=2020-01-01T00:00:00Z"), Vec::<i64>::new());
    for query in ["eventType=GONE", "from=yesterday", "to=1", "before=x"] {
        world.ask("GET", &format!("/instances/events?{query}"), &Value::Null).expect(400);
    }
}

#[test]
fn one_event_shows_what_the_record_was_before_and_who_carries_it() {
    let world = World::new();
    let id = world.change();
    world.change_of(&id);
    let found = world.get(&format!("/instances/events?objectId={id}"));
    let (last, first) = (&found[0], &found[1]);
    let read = |entry: &Value| world.get(&format!("/instances/events/{}", entry["id"].as_str().unwrap()));
    let shown = read(last);
    assert_eq!(shown["before"], first["providerData"]);
    assert_ne!(shown["before"], shown["providerData"]);
    assert!(read(first).get("before").is_none(), "{}", read(first));
    let delivery = wait_for("delivery", || read(last)["deliveries"].get(0).cloned());
    let delivery = world.get(&format!("/deliveries/{delivery}"));
    assert_eq!(delivery["events"], json!([last["id"]]));
}
