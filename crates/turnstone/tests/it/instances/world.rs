//! A server with people of every role, and what the tests ask it again and again.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use turnstone_store::sqlite::SqliteStore;
use turnstone_store::{Directory, NewUser, Role, Store};

use crate::bench::{Answer, SOON, Server, request, wait_for};

const OPEN: [&str; 3] = ["--allow-private", "--interval-minimum", "0.05"];

/// A server of its own.
pub struct World {
    pub server: Server,
    /// The owner's header.
    pub owner: String,
    data: TempDir,
}

impl World {
    pub fn new() -> World {
        let data = tempfile::tempdir().unwrap();
        let server = Server::start(data.path(), &OPEN);
        let owner = server.token.clone().expect("the first start shows a token");
        World { server, owner, data }
    }

    /// The same with a user of each role; their headers, by the role's name.
    pub async fn with_people() -> (World, impl Fn(&str) -> String) {
        let data = tempfile::tempdir().unwrap();
        let server = Server::start(data.path(), &OPEN);
        let owner = server.token.clone().expect("the first start shows a token");
        assert!(server.terminate());
        let store = SqliteStore::open(data.path().join("turnstone.db")).unwrap();
        let now = jiff::Timestamp::now();
        let org = store.ensure_org("default", now).await.unwrap();
        assert_eq!(store.orgs().await.unwrap().len(), 1, "the organisation that the server made");
        for role in Role::ALL {
            let token_hash = Sha256::digest(secret(role.as_str()).as_bytes()).into();
            let (name, email) = (format!("a {}", role.as_str()), String::new());
            store.create_user(NewUser { org, name, email, role, token_hash }, now).await.unwrap();
        }
        drop(store);
        let server = wait_for("server", || Some(Server::start(data.path(), &OPEN)));
        (World { server, owner, data }, |role: &str| format!("User {}", secret(role)))
    }

    pub fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.server.ask(&self.owner, method, path, body)
    }

    #[track_caller]
    pub fn get(&self, path: &str) -> Value {
        self.ask("GET", path, None).expect(200)
    }

    /// The owner's header with an Element token.
    pub fn as_instance(&self, made: &Value) -> String {
        format!("{}, Element {}", self.owner, made["token"].as_str().expect("a token"))
    }

    /// A request with further headers.
    pub fn with(&self, method: &str, path: &str, headers: &str, body: &Value) -> Answer {
        let token = format!("{}\r\n{headers}", self.owner);
        let path = format!("/elements/api-v2{path}");
        let body = body.to_string();
        request(self.server.address, method, &path, Some(&token), Some("application/json"), body.as_bytes())
    }

    /// Imports a connector through the API.
    #[track_caller]
    pub fn import(&self, document: &str) -> Value {
        let path = "/elements/api-v2/elements";
        let kind = Some("application/json");
        let address = self.server.address;
        request(address, "POST", path, Some(&self.owner), kind, document.as_bytes()).expect(200)
    }

    #[track_caller]
    pub fn make(&self, body: &Value) -> Value {
        self.ask("POST", "/instances", Some(body)).expect(200)
    }

    /// Polls a resource now, to the end of a pass that began after this call.
    #[track_caller]
    pub fn poll(&self, made: &Value, resource: &str) -> Value {
        let path = format!("/instances/{}/pollers/{resource}", made["id"]);
        let passes = || self.get(&path)["passes"].as_u64().unwrap();
        // A run that is under way already has read an older state of the provider.
        let begun = passes();
        let idle = || self.get(&path)["passOpen"] == json!(false);
        wait_for("the end of an earlier run", || idle().then_some(()));
        self.ask("POST", &format!("{path}/run"), None).expect(202);
        wait_for("pass", || {
            let poller = self.get(&path);
            (poller["passes"].as_u64().unwrap() > begun).then_some(poller)
        })
    }

    /// Whether a text stands in the database, or anywhere else in the data directory.
    pub fn holds(&self, text: &str) -> bool {
        let files = std::fs::read_dir(self.data.path()).unwrap();
        files
            .map(|file| std::fs::read(file.unwrap().path()).unwrap_or_default())
            .any(|bytes| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
    }
}

fn secret(role: &str) -> String {
    format!("the secret of a {role} 0123456789").replace(' ', "-")
}

/// A resource with members of its own, as an instance without a connector writes it.
pub fn own_settings(url: &str) -> Value {
    json!({
        "element": {"key": "own"}, "name": "Own",
        "configuration": {
            "base.url": url, "event.notification.enabled": true, "event.poller.refresh_interval": "15",
            "event.poller.configuration": {"things": {"url": "/things", "idField": "id"}}
        }
    })
}

pub use std::time::Duration;
/// How long nothing must happen for nothing to have happened.
pub const QUIET: Duration = Duration::from_millis(700);
pub const PATIENCE: Duration = SOON;
