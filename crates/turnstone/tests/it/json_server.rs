//! A server that we did not write: npm's json-server, polled while its records change, held against the test's own log.
//!
//! Every change gets a number (`rev`) of its own, and no record is changed again before its last version was printed.
//! So each change must be printed exactly once: none collapses into a later one, and none may be missing or doubled.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Desk, Ended, PATIENCE, document, http, of_output, root};

const RECORDS: u64 = 5_000;
const POLLS_MIN: usize = 12;
const CHANGES_MIN: usize = 600;
const DELETES_MIN: usize = 60;
/// Time for sweeps to find what is gone, once nothing changes any more.
const PEACE_MAX: Duration = Duration::from_secs(60);
/// Changes in one poll at most, so that many polls see some.
const CHANGES_PER_POLL: usize = 28;
/// Changes between two polls.
const CHANGES_BETWEEN: usize = 16;

/// The server; it ends with the test.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Server {
    /// Starts one over this database, with these rewritten routes, and waits until this path is answered.
    pub fn start(db: &Value, routes: &Value, path: &str) -> Server {
        let program = root().join("tests/json-server/node_modules/.bin/json-server");
        assert!(
            program.exists(),
            "json-server is not installed: run `bash scripts/setup-test.sh` (or `make test`, which does), then again"
        );
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &Value| {
            let file = folder.path().join(name);
            std::fs::write(&file, content.to_string()).unwrap();
            file
        };
        let (db, routes) = (file("db.json", db), file("routes.json", routes));
        // Its watcher would load a half-written file again; port 0 would not be told, so a free one is looked for.
        for _ in 0..10 {
            let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let address = SocketAddr::from(([127, 0, 0, 1], port));
            let mut child = Command::new(&program)
                .args(["--quiet", "--host", "127.0.0.1", "--port", &port.to_string(), "--routes"])
                .arg(&routes)
                .arg(&db)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let patience = Instant::now() + PATIENCE;
            while Instant::now() < patience && child.try_wait().unwrap().is_none() {
                if http(address, "GET", path, &Value::Null).is_ok_and(|(status, _)| status == 200) {
                    return Server { child, address, _folder: folder };
                }
                std::thread::sleep(Duration::from_millis(20)); // It tells nobody when it is ready.
            }
            child.kill().ok();
            child.wait().ok();
        }
        panic!("json-server did not start; try it: {}", program.display());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A server with the records of this test.
fn server() -> Server {
    let base = jiff::Timestamp::now();
    let records: Vec<Value> = (1..=RECORDS)
        .map(|id| {
            let age = jiff::SignedDuration::from_secs(7_200 + i64::try_from(id).unwrap() * 37);
            let at = stamp(base - age);
            json!({"id": id, "name": format!("customer {id}"), "rev": 0, "created_at": at, "updated_at": at})
        })
        .collect();
    Server::start(&json!({"items": records}), &json!({}), "/items/1")
}

fn stamp(at: jiff::Timestamp) -> String {
    let ms = jiff::Timestamp::from_millisecond(at.as_millisecond()).unwrap();
    format!("{ms:.3}")
}

/// What the test did to the server.
#[derive(Default)]
struct Log {
    /// Record and number of every created and changed version.
    versions: BTreeSet<(String, u64)>,
    created: BTreeSet<String>,
    deleted: BTreeSet<String>,
    /// How many versions carry each stamp.
    stamps: BTreeMap<String, usize>,
    /// Changes made while a poll read.
    during: usize,
    rev: u64,
    next_id: u64,
}

impl Log {
    fn changes(&self) -> usize {
        self.versions.len() + self.deleted.len()
    }

    fn sharing(&self) -> usize {
        self.stamps.values().filter(|count| **count > 1).sum()
    }
}

/// What the program printed.
#[derive(Default)]
struct Printed {
    versions: BTreeSet<(String, u64)>,
    deleted: BTreeSet<String>,
    polls: usize,
}

impl Printed {
    #[track_caller]
    fn take(&mut self, ended: &Ended) {
        self.polls += 1;
        let unstable = ended.code == Some(3) && ended.stderr.contains("is unstable");
        assert!(ended.code == Some(0) || unstable, "{}", ended.stderr);
        assert_eq!(ended.lines.len(), ended.stdout.lines().count());
        for line in &ended.lines {
            let id = line["objectId"].as_str().unwrap().to_owned();
            if line["eventType"] == "DELETED" {
                assert!(self.deleted.insert(id), "deleted twice: {line}");
            } else {
                assert!(self.versions.insert((id, line["record"]["rev"].as_u64().unwrap())), "twice: {line}");
            }
        }
    }
}

/// Changes the server's records, one after the other.
struct Changer<'a> {
    server: &'a Server,
    log: Log,
    /// Ids that may be changed: alive, and nothing of them is unprinted.
    free: Vec<String>,
    stamp: String,
    sharers: usize,
}

impl Changer<'_> {
    /// One change: of ten, two create, one deletes, seven update. Three changes in a row share their stamp.
    fn change(&mut self) {
        if self.sharers == 0 {
            self.stamp = stamp(jiff::Timestamp::now());
            self.sharers = 3;
        }
        self.sharers -= 1;
        match self.log.changes() % 10 {
            0 | 5 => self.create(),
            7 => self.delete(),
            _ => self.update(),
        }
    }

    fn send(&self, method: &str, path: &str, body: &Value) {
        let (status, text) = http(self.server.address, method, path, body).unwrap();
        assert!((200..300).contains(&status), "{method} {path}: {status} {text}");
    }

    fn note(&mut self, id: String) {
        *self.log.stamps.entry(self.stamp.clone()).or_default() += 1;
        self.log.versions.insert((id, self.log.rev));
    }

    fn create(&mut self) {
        self.log.rev += 1;
        self.log.next_id += 1;
        let id = RECORDS + self.log.next_id;
        let (rev, at) = (self.log.rev, &self.stamp);
        self.send(
            "POST",
            "/items",
            &json!({"id": id, "name": "new", "rev": rev, "created_at": at, "updated_at": at}),
        );
        self.log.created.insert(id.to_string());
        self.note(id.to_string());
    }

    fn update(&mut self) {
        let id = self.pick();
        self.log.rev += 1;
        self.send("PATCH", &format!("/items/{id}"), &json!({"rev": self.log.rev, "updated_at": self.stamp}));
        self.note(id);
    }

    fn delete(&mut self) {
        let id = self.pick();
        self.send("DELETE", &format!("/items/{id}"), &Value::Null);
        self.log.deleted.insert(id);
    }

    /// Steps through the free ones so that all parts of the list are touched.
    fn pick(&mut self) -> String {
        let at = (self.log.changes() * 769) % self.free.len();
        self.free.swap_remove(at)
    }
}

/// Runs a poll and changes records while it reads.
fn poll_among_changes(desk: &Desk, changer: &mut Changer<'_>) -> Ended {
    let child = desk
        .command(&["poll", "FILE", "--state", "STATE"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let polling = scope.spawn(|| {
            let output = child.wait_with_output().unwrap();
            over.store(true, Ordering::SeqCst);
            output
        });
        for _ in 0..CHANGES_PER_POLL {
            changer.change();
            if over.load(Ordering::SeqCst) {
                break; // This one may have come too late; it is not counted.
            }
            changer.log.during += 1;
        }
        let output = polling.join().unwrap();
        of_output(output.status, output.stdout, output.stderr)
    })
}

fn instance(server: &Server) -> Value {
    let base = format!("http://{}", server.address);
    document(
        &format!("{base}/items?updated_at_gte=${{gmtDate:yyyy-MM-dd'T'HH:mm:ss.SSS'Z'}}"),
        json!({
            "pagination": {"type": "page", "page": "_page", "size": "_limit"},
            "pageSize": 100,
            // This server has no replicas; its records are seen milliseconds after their stamp.
            "overlap": 2,
            "sweep": {"every": "4 polls", "url": format!("{base}/items"), "readUrl": format!("{base}/items/{{id}}")}
        }),
    )
}

#[test]
fn a_real_server_is_followed_without_loss_and_without_repeats() {
    let server = server();
    let desk = Desk::new(&instance(&server));
    let first = desk.poll().expect_code(0);
    assert!(first.lines.is_empty(), "what was there is known: {}", first.stdout);

    let mut printed = Printed::default();
    let mut changer = Changer {
        server: &server,
        log: Log::default(),
        free: (1..=RECORDS).map(|id| id.to_string()).collect(),
        stamp: String::new(),
        sharers: 0,
    };
    while changer.log.changes() < CHANGES_MIN
        || changer.log.deleted.len() < DELETES_MIN
        || changer.log.during * 10 < changer.log.changes() * 3
        || printed.polls < POLLS_MIN
    {
        let ended = poll_among_changes(&desk, &mut changer);
        let before = printed.versions.clone();
        printed.take(&ended);
        // Printed: it may be changed again, or deleted.
        let fresh = printed.versions.difference(&before).map(|(id, _)| id.clone());
        changer.free.extend(fresh.filter(|id| !changer.log.deleted.contains(id)));
        for _ in 0..CHANGES_BETWEEN {
            changer.change();
        }
        assert!(printed.polls < 200, "the server is too slow for this test");
    }
    // In peace: what is left is found by a poll, and what is gone by two sweeps (one may have begun already) once it is
    // older than the overlap.
    let deadline = Instant::now() + PEACE_MAX;
    for sweep in 1.. {
        let args = ["poll", "FILE", "--state", "STATE", "--sweep"];
        printed.take(&desk.run(&args).expect_code(0));
        let found = printed.deleted == changer.log.deleted;
        if sweep >= 3 && (found || Instant::now() > deadline) {
            break;
        }
    }

    let log = &changer.log;
    let lost: Vec<_> = log.versions.difference(&printed.versions).collect();
    let invented: Vec<_> = printed.versions.difference(&log.versions).collect();
    assert!(lost.is_empty() && invented.is_empty(), "lost {lost:?}, invented {invented:?}");
    assert_eq!(printed.deleted, log.deleted);
    assert!(printed.polls >= POLLS_MIN && log.changes() >= CHANGES_MIN && log.deleted.len() >= DELETES_MIN);
    assert!(log.created.len() >= 100);
    assert!(log.sharing() * 5 >= log.versions.len(), "{} share a stamp", log.sharing());
    assert!(log.during * 10 >= log.changes() * 3, "{} while a pass read", log.during);
    assert!(desk.poll().expect_code(0).lines.is_empty(), "and then nothing");
}
