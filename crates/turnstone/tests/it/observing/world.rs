//! A server with one polled instance whose provider changes only when told to.

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use turnstone_provider::{Control, Op, OpKind, RunningProvider};

use crate::bench::{Answer, Receiver, Server, wait_for};
use crate::serve::{change, document, provider};

/// See the module.
pub struct World {
    pub server: Server,
    pub token: String,
    pub instance: i64,
    pub receiver: Receiver,
    pub provider: RunningProvider,
    _data: TempDir,
    _runtime: Runtime,
}

impl World {
    /// Polled once, so that what changes from now on is an event.
    pub fn new() -> World {
        World::of(json!({}))
    }

    /// The same with more settings of the resource.
    pub fn of(more: Value) -> World {
        let (runtime, data) = (Runtime::new().unwrap(), tempfile::tempdir().unwrap());
        let provider = provider(&runtime);
        let server = Server::start(data.path(), &["--allow-private", "--interval-minimum", "0.05"]);
        let token = server.token.clone().unwrap();
        let receiver = Receiver::start("a key that nobody knows");
        let callback = format!("http://{}/events", receiver.address);
        let mut document = document(&provider.url(), &callback);
        let resource = &mut document["configuration"]["event.poller.configuration"]["customers"];
        for (name, value) in more.as_object().unwrap() {
            resource[name] = value.clone();
        }
        let made = server.ask(&token, "POST", "/instances", Some(&document));
        let instance = made.expect(200)["id"].as_i64().unwrap();
        let world = World { server, token, instance, receiver, provider, _data: data, _runtime: runtime };
        wait_for("first pass", || (world.poller()["passes"].as_u64() > Some(0)).then_some(()));
        world
    }

    pub fn ask(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.server.ask(&self.token, method, path, Some(body).filter(|body| !body.is_null()))
    }

    #[track_caller]
    pub fn get(&self, path: &str) -> Value {
        self.ask("GET", path, &Value::Null).expect(200)
    }

    /// The path of the poller.
    pub fn at(&self, rest: &str) -> String {
        format!("/instances/{}/pollers/customers{rest}", self.instance)
    }

    pub fn poller(&self) -> Value {
        self.get(&self.at(""))
    }

    /// Changes a record, and waits until that is an event. The record's id.
    pub fn change(&self) -> String {
        let before = self.newest();
        let id = change(&self.provider, OpKind::Update);
        self.wait_for_event_of(&id, before);
        id
    }

    /// Changes this record, and waits until that is an event.
    pub fn change_of(&self, id: &str) {
        let before = self.newest();
        let op = Op::on(OpKind::Update, "customers", &[id]);
        self.provider.control(Control::ops(vec![op])).unwrap();
        self.wait_for_event_of(id, before);
    }

    fn newest(&self) -> i64 {
        let newest = self.get("/instances/events?pageSize=1");
        newest[0]["position"].as_i64().unwrap_or(0)
    }

    fn wait_for_event_of(&self, id: &str, after: i64) {
        wait_for("event", || {
            let feed = self.get(&format!("/events?after={after}"));
            feed.as_array().unwrap().iter().any(|event| event["objectId"] == json!(id)).then_some(())
        });
    }
}
