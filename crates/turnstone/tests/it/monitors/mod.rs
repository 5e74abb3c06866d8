//! Monitors through the real binary: drafts and versions, subscriptions and their runs, cursors, runs that write
//! nothing.

mod commands;
mod cursors;
mod drafts;
mod dry_run;
mod importing;
mod running;
mod subscribing;

use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::bench::{Answer, Callback, Receiver, SOON, Server, wait_for};
use crate::harness::Peer;

/// Signs callbacks.
pub const KEY: &str = "a key that nobody knows";
/// What the provider wants to see.
pub const PASSWORD: &str = "the-password-of-the-account";

const OPTIONS: [&str; 3] = ["--allow-private", "--interval-minimum", "0.05"];

/// What the provider answers with.
#[derive(Default)]
pub struct People {
    pub users: Vec<Value>,
    pub status: Option<u16>,
}

/// A server, a provider with users, and an instance (`id`) that has its credentials and the receiver as its callback.
pub struct World {
    pub server: Server,
    pub token: String,
    pub receiver: Receiver,
    pub provider: Peer,
    pub people: Arc<Mutex<People>>,
    /// While somebody holds it, the provider does not answer.
    pub gate: Arc<Mutex<()>>,
    pub instance: i64,
    pub data: tempfile::TempDir,
}

/// Asks for all users, returns them, and saves how many there were.
pub fn monitor() -> Value {
    json!({
        "name": "New users",
        "cursor": "object",
        "options": [
            {"label": "Group", "type": "dropdown", "values": ["all", "staff"]},
            {"label": "Prefix", "required": false},
        ],
        "outputs": {"User": {"ID": "text", "Name": "text"}},
        "record": {"group": "User", "id": "ID"},
        "cards": [
            {"id": "call", "card": "control.spawn", "flow": "httpHelper", "inputs": {
                "relative_url": "/users", "query": {"group": {"from": "options.Group"}, "seen": {"from": "monitor.cursor.last"}}}},
            {"id": "each", "card": "list.map", "flow": "asRecord", "inputs": {"list": {"from": "call.body.users"}},
                "values": {"user": {"from": "item"}}, "outputs": {"new list": "list of object"}},
            {"card": "control.cursor", "inputs": {"Properties": {"from": "call.body.mark"}}},
            {"card": "control.returnOutputs", "inputs": {"List": {"from": "each.new list"}}},
        ],
        "flows": {
            "asRecord": {
                "inputs": {"user": "object"}, "outputs": {"record": "object"},
                "cards": [{"card": "control.return", "inputs": {"record": {"User": {
                    "ID": {"from": "inputs.user.id"}, "Name": {"from": "inputs.user.name"}}}}}],
            },
            "_authping": {
                "outputs": {"who": "text"},
                "cards": [
                    {"id": "me", "card": "control.spawn", "flow": "httpHelper", "inputs": {"relative_url": "/me"}},
                    {"card": "control.return", "inputs": {"who": {"from": "me.body.name"}}},
                ],
            },
        },
    })
}

impl World {
    pub fn start() -> World {
        let people = Arc::new(Mutex::new(People::default()));
        let answered = Arc::clone(&people);
        let gate = Arc::new(Mutex::new(()));
        let passed = Arc::clone(&gate);
        let provider = Peer::start(move |seen, _| {
            drop(passed.lock().unwrap());
            answer(&seen.path, &answered.lock().unwrap())
        });
        let data = tempfile::tempdir().unwrap();
        let server = Server::start(data.path(), &OPTIONS);
        let token = server.token.clone().unwrap();
        let receiver = Receiver::start(KEY);
        let mut world = World { server, token, receiver, provider, people, gate, instance: 0, data };
        world.instance = world.instance_of("people", "main")["id"].as_i64().unwrap();
        world
    }

    pub fn instance_of(&self, key: &str, name: &str) -> Value {
        self.instance_at(key, name, &self.provider.url(""))
    }

    /// An instance of another provider.
    pub fn instance_at(&self, key: &str, name: &str, base_url: &str) -> Value {
        let document = json!({"name": name, "element": {"key": key}, "configuration": {
            "base.url": base_url, "authentication.type": "basic", "username": "somebody", "password": PASSWORD,
            "event.notification.enabled": true,
            // An instance without a connector declares a resource; this one is hardly ever due.
            "event.poller.refresh_interval": "43200",
            "event.poller.configuration": {"idle": {"url": "/idle", "idField": "id"}},
            "event.notification.callback.url": format!("http://{}/events", self.receiver.address),
            "event.notification.signature.key": KEY,
        }});
        self.ask("POST", "/instances", &document).expect(200)
    }

    pub fn users(&self, ids: &[i64]) {
        let user = |id: &i64| json!({"id": id, "name": format!("user {id}")});
        self.people.lock().unwrap().users = ids.iter().map(user).collect();
    }

    pub fn fail_with(&self, status: Option<u16>) {
        self.people.lock().unwrap().status = status;
    }

    /// The same after something was done to its data while the server was down.
    pub fn restarted(self, meanwhile: impl FnOnce(&Path)) -> World {
        assert!(self.server.terminate());
        meanwhile(self.data.path());
        let server = Server::start(self.data.path(), &OPTIONS);
        World { server, ..self }
    }

    /// What flows asked the provider for; the declared resource of the instance is another matter.
    pub fn asked(&self) -> Vec<String> {
        let seen = self.provider.seen.lock().unwrap();
        seen.iter().map(|seen| seen.path.clone()).filter(|path| path != "/idle").collect()
    }

    pub fn ask(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.server.ask(&self.token, method, path, Some(body).filter(|body| !body.is_null()))
    }

    #[track_caller]
    pub fn get(&self, path: &str) -> Value {
        self.ask("GET", path, &Value::Null).expect(200)
    }

    /// Saves a document as a new monitor and deploys it; its id.
    #[track_caller]
    pub fn deployed(&self, document: &Value) -> i64 {
        let made = self.ask("POST", "/monitors", &json!({"document": document})).expect(200);
        let id = made["id"].as_i64().unwrap();
        self.ask("POST", &format!("/monitors/{id}/deploy"), &Value::Null).expect(200);
        id
    }

    pub fn subscribe(&self, body: &Value) -> Answer {
        self.ask("POST", &format!("/instances/{}/subscriptions", self.instance), body)
    }

    /// A subscription of a new monitor of this document; its id.
    #[track_caller]
    pub fn subscribed(&self, document: &Value, more: Value) -> i64 {
        let mut body = json!({"monitorId": self.deployed(document), "options": {"Group": "all"}});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        self.subscribe(&body).expect(200)["id"].as_i64().unwrap()
    }

    /// Runs a subscription to the end of one more run, and answers it.
    #[track_caller]
    pub fn run(&self, subscription: i64) -> Value {
        let runs = format!("/subscriptions/{subscription}/runs");
        let before = self.get(&runs).as_array().unwrap().len();
        self.ask("POST", &format!("/subscriptions/{subscription}/run"), &Value::Null).expect(202);
        wait_for("run", || {
            let all = self.get(&runs);
            (all.as_array().unwrap().len() > before).then(|| all[0].clone())
        })
    }

    #[track_caller]
    pub fn cursor(&self, subscription: i64) -> Value {
        self.get(&format!("/subscriptions/{subscription}/cursor"))["cursor"].clone()
    }

    /// The next callback, its signature checked.
    #[track_caller]
    pub fn next(&self) -> Callback {
        next(&self.receiver)
    }

    #[track_caller]
    pub fn receiver_is_silent(&self) {
        let callback = self.receiver.next(std::time::Duration::from_millis(1_500));
        assert!(callback.is_none(), "{callback:?}");
    }

    /// Everything that is kept, as the API shows it; but the audit, which has runs that write nothing else.
    pub fn everything(&self, subscription: i64) -> Vec<Value> {
        let of = |path: &str| self.get(&format!("/subscriptions/{subscription}{path}"));
        vec![of(""), of("/cursor"), of("/cursors"), of("/runs"), self.get("/monitors"), self.get("/events")]
    }
}

#[track_caller]
pub fn next(receiver: &Receiver) -> Callback {
    let callback = receiver.next(SOON).expect("a callback");
    assert!(callback.verified, "{callback:?}");
    callback
}

/// `TYPE id`, sorted.
pub fn told(callback: &Callback) -> Vec<String> {
    let events = callback.body["message"]["events"].as_array().unwrap_or_else(|| panic!("{callback:?}"));
    let mut all: Vec<String> = events
        .iter()
        .map(|event| {
            format!("{} {}", event["eventType"].as_str().unwrap(), event["objectId"].as_str().unwrap())
        })
        .collect();
    all.sort();
    all
}

/// Callbacks until they have told so many events, as `told` writes them.
#[track_caller]
pub fn told_in_all(receiver: &Receiver, count: usize) -> Vec<String> {
    let mut all = Vec::new();
    while all.len() < count {
        all.extend(told(&next(receiver)));
    }
    all.sort();
    all
}

/// The places of the faults of an answer.
pub fn places(error: &Value) -> Vec<String> {
    let faults = error["faults"].as_array().unwrap_or_else(|| panic!("{error}"));
    faults.iter().map(|fault| fault["path"].as_str().unwrap().to_owned()).collect()
}

fn answer(path: &str, people: &People) -> String {
    let (status, body) = match (people.status, path.split('?').next().unwrap()) {
        (Some(status), _) => (status, json!({"message": "the database of the provider is away"})),
        (None, "/users") => {
            let last = people.users.last().map_or(Value::Null, |user| user["id"].clone());
            (200, json!({"users": people.users, "mark": {"last": last}}))
        }
        (None, "/me") => (200, json!({"name": "somebody", "echo": PASSWORD})),
        (None, _) => (404, json!({"message": "there is no such page"})),
    };
    let body = body.to_string();
    format!(
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}
