//! The API against its own schema: schemathesis sends what the served document allows, and what it does not, and looks
//! at every answer.
//!
//! The server's own log counts the requests, so that a run that tried little is not taken for a good one. `REQUESTS`
//! sets how many there must be. Nothing here reaches beyond this machine: the provider, the callbacks and the
//! connectors' addresses are on loopback.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{ChildStderr, Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::bench::{Server, turnstone, wait_for};

/// Requests that one more example per operation brings, about: operations without parameters need few.
const REQUESTS_PER_EXAMPLE: usize = 140;
/// Requests of a run that nobody set.
const REQUESTS: usize = 2_000;
const SEED: &str = "20";
const CONNECTOR: &str = include_str!("../../../core/tests/elements/activecampaign2.json");

/// What the server's log says of requests.
#[derive(Clone, Default)]
struct Tally(Arc<Mutex<Vec<(u64, String)>>>);

impl Tally {
    /// Reads the log to its end.
    fn of(log: ChildStderr) -> Tally {
        let tally = Tally::default();
        let kept = tally.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(log).lines().map_while(Result::ok) {
                let Ok(entry) = serde_json::from_str::<Value>(&line) else { continue };
                if let (Some(status), Some(path)) = (entry["status"].as_u64(), entry["path"].as_str()) {
                    kept.0.lock().unwrap().push((status, format!("{} {path}", entry["method"])));
                }
            }
        });
        tally
    }

    fn count(&self, wanted: impl Fn(u64) -> bool) -> usize {
        self.0.lock().unwrap().iter().filter(|(status, _)| wanted(*status)).count()
    }

    fn failures(&self) -> Vec<String> {
        let all = self.0.lock().unwrap();
        all.iter()
            .filter(|(status, _)| *status >= 500)
            .map(|(status, what)| format!("{status} {what}"))
            .collect()
    }
}

/// Answers every request: a GET with one record that has just changed, anything else, as callbacks are, with 500.
fn neighbour() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(stream));
        }
    });
    address
}

fn answer(stream: TcpStream) -> Option<()> {
    let mut writer = stream.try_clone().ok()?;
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line.trim().is_empty() {
            break;
        }
        if let Some(told) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = told.trim().parse().ok()?;
        }
        head.push_str(&line);
    }
    reader.read_exact(&mut vec![0; length]).ok()?;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).ok()?.as_millis();
    let (status, body) = match head.starts_with("GET ") {
        true => {
            let records = json!([{"id": "r1", "changed": now, "created": now - 60_000}]);
            ("200 OK", json!({"deals": records, "things": records}).to_string())
        }
        false => ("500 No", "{}".to_owned()),
    };
    write!(
        writer,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .ok()
}

/// What the run is sent with.
struct Seeds {
    owner: String,
    element: String,
    element_switched: String,
    element_to_lose: String,
    user_to_lose: String,
    kept_users: String,
    kept_instances: String,
}

fn seeds(server: &Server, neighbour: SocketAddr) -> Seeds {
    let first = server.token.clone().expect("the first start shows a token");
    let ask = |method: &str, path: &str, body: Value| {
        server.ask(&first, method, path, Some(&body).filter(|body| !body.is_null())).expect(200)
    };
    let owner = ask("POST", "/users", json!({"name": "fuzzer", "role": "owner"}));
    let lost = ask("POST", "/users", json!({"name": "loser", "role": "reader"}));
    let secret = |made: &Value| format!("User {}", made["secret"].as_str().unwrap());
    let connector: Value = serde_json::from_str(CONNECTOR).unwrap();
    let connector = ask("POST", "/elements", connector);
    let of_connector = json!({"element": {"key": connector["key"]}, "name": "called", "configuration":
        {"base.url": format!("http://{neighbour}"), "account": "a", "api.token": "b"}});
    let called = ask("POST", "/instances", of_connector.clone());
    let switched = ask("POST", "/instances", of_connector.clone());
    let lose = ask("POST", "/instances", of_connector);
    let polled = ask("POST", "/instances", polled(neighbour));
    let poller = format!("/instances/{}/pollers/things", polled["id"]);
    wait_for("delivery", || {
        assert_ne!(ask("GET", &poller, Value::Null)["lastRuns"][0]["outcome"], "failed");
        let deliveries = ask("GET", &format!("/instances/{}/deliveries", polled["id"]), Value::Null);
        deliveries.get(0).cloned()
    });
    let owner_secret = secret(&owner);
    let with = |made: &Value| format!("{owner_secret}, Element {}", made["token"].as_str().unwrap());
    let first_id = ask("GET", "/users/me", Value::Null)["id"].clone();
    Seeds {
        element: with(&called),
        element_switched: with(&switched),
        element_to_lose: with(&lose),
        user_to_lose: secret(&lost),
        kept_users: format!("{first_id},{},{}", owner["id"], lost["id"]),
        kept_instances: format!("{},{},{},{}", called["id"], switched["id"], lose["id"], polled["id"]),
        owner: owner_secret,
    }
}

fn polled(neighbour: SocketAddr) -> Value {
    json!({"element": {"key": "bare"}, "name": "polled", "configuration": {
        "base.url": format!("http://{neighbour}"),
        "event.notification.enabled": true,
        "event.notification.callback.url": format!("http://{neighbour}/events"),
        "event.notification.signature.key": "a key that nobody knows",
        "event.poller.refresh_interval": "0.01",
        "event.poller.configuration": {"things": {
            "url": "/things?since=${milliseconds}", "idField": "id", "list": "things",
            "datesConfiguration": {"updatedDateField": "changed", "updatedDateFormat": "milliseconds",
                                   "createdDateField": "created", "createdDateFormat": "milliseconds"}}}}})
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/schemathesis")
}

fn schemathesis(server: &Server, seeds: &Seeds, examples: usize) -> Command {
    let program = folder().join(".venv/bin/schemathesis");
    assert!(program.exists(), "schemathesis is missing; `bash scripts/setup-test.sh` brings it");
    let mut command = Command::new(program);
    command
        .current_dir(folder())
        .args(["--config-file", "schemathesis.toml", "run"])
        .arg(format!("http://{}/openapi.json", server.address))
        .args(["--url", &format!("http://{}", server.address)])
        .args(["--phases", "examples,coverage,fuzzing,stateful", "--seed", SEED])
        .args(["--max-examples", &examples.to_string()])
        .env("FUZZ_OWNER", &seeds.owner)
        .env("FUZZ_ELEMENT", &seeds.element)
        .env("FUZZ_ELEMENT_SWITCHED", &seeds.element_switched)
        .env("FUZZ_ELEMENT_TO_LOSE", &seeds.element_to_lose)
        .env("FUZZ_USER_TO_LOSE", &seeds.user_to_lose)
        .env("FUZZ_KEPT_USERS", &seeds.kept_users)
        .env("FUZZ_KEPT_INSTANCES", &seeds.kept_instances)
        // A proxy of the machine has no part in this.
        .env("NO_PROXY", "*")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

#[test]
fn the_api_keeps_to_its_own_schema() {
    let wanted = std::env::var("REQUESTS").ok().and_then(|text| text.parse().ok()).unwrap_or(REQUESTS);
    let data = tempfile::tempdir().unwrap();
    let mut command = turnstone();
    command.args(["serve", "--json-messages", "--allow-private", "--interval-minimum", "0.5"]);
    command.args(["--listen", "127.0.0.1:0", "--data"]).arg(data.path());
    let (server, log) = Server::start_with(&mut command);
    let tally = Tally::of(log);
    let seeds = seeds(&server, neighbour());
    let before = tally.count(|_| true);
    let output =
        schemathesis(&server, &seeds, wanted.div_ceil(REQUESTS_PER_EXAMPLE)).output().expect("it runs");
    let requests = tally.count(|_| true) - before;
    let told = String::from_utf8_lossy(&output.stdout);
    println!(
        "{requests} requests: {} done, {} refused, {} failures of the server",
        tally.count(|status| status < 400) - before,
        tally.count(|status| (400..500).contains(&status)),
        tally.failures().len()
    );
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(tally.failures().is_empty(), "{:?}", tally.failures());
    assert!(requests >= wanted, "only {requests} requests of {wanted}: {told}");
    // Secrets that ended, or a server that knows nothing, would make everything a refusal.
    let done = tally.count(|status| status < 300) - before;
    assert!(done * 20 >= requests, "only {done} of {requests} requests did something: {told}");
    let me = server.ask(&seeds.owner, "GET", "/users/me", None).expect(200);
    assert_eq!(me["role"], "owner", "the fuzzer was still let in at the end");
}
