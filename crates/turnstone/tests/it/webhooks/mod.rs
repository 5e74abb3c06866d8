//! Webhooks through the real binary: addresses, verification, event hooks, what is put aside, the provider's own
//! subscription, and polls beside them.

mod both;
mod intake;
mod provision;
mod quarantine;

use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::bench::{Answer, Callback, Receiver, SOON, Server, request};

/// Signs callbacks.
pub const KEY: &str = "a key that nobody knows";
/// Signs the provider's notifications.
pub const SECRET: &str = "the provider's own";

/// A hook that takes `{"changes": [{"id", "type", "at"}]}`.
pub const HOOK: &str = r#"
const list = events.changes || [events];
done({events: list.map((one) => ({
  event_type: one.type, event_object_id: one.id, event_object_type: one.kind || "contacts", event_date: one.at,
}))});
"#;

/// A server with a connector `pushy` that has this event hook and these configuration defaults.
pub struct World {
    pub server: Server,
    pub token: String,
    pub receiver: Receiver,
    pub data: tempfile::TempDir,
}

impl World {
    pub fn start() -> World {
        World::with(&["--allow-private", "--interval-minimum", "0.05"])
    }

    pub fn with(options: &[&str]) -> World {
        let data = tempfile::tempdir().unwrap();
        let server = Server::start(data.path(), options);
        let token = server.token.clone().expect("the first start shows a token");
        World { server, token, receiver: Receiver::start(KEY), data }
    }

    pub fn restart(self, options: &[&str]) -> World {
        let World { server, token, receiver, data } = self;
        drop(server);
        let server = Server::start(data.path(), options);
        World { server, token, receiver, data }
    }

    pub fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.server.ask(&self.token, method, path, body)
    }

    #[track_caller]
    pub fn connector(
        &self,
        key: &str,
        hook: &str,
        configuration: &[(&str, &str)],
        resources: Value,
    ) -> Value {
        let entry = |(key, value): &(&str, &str)| json!({"key": key, "name": key, "type": "TEXTFIELD_1000", "defaultValue": value, "required": false});
        let element = json!({
            "key": key, "name": key, "description": "d", "hub": "crm", "authentication": {"type": "none"},
            "configuration": configuration.iter().map(entry).collect::<Vec<_>>(),
            "parameters": [], "resources": resources,
            "hooks": [{"type": "event", "mimeType": "application/javascript", "body": hook, "isLegacy": false}],
        });
        self.ask("POST", "/elements", Some(&element)).expect(200)
    }

    /// An instance of a connector, with the receiver as its callback.
    #[track_caller]
    pub fn instance(&self, key: &str, configuration: Value) -> Value {
        self.try_instance(key, configuration).expect(200)
    }

    pub fn try_instance(&self, key: &str, configuration: Value) -> Answer {
        let mut all = json!({
            "event.notification.enabled": true,
            "event.notification.callback.url": format!("http://{}/events", self.receiver.address),
            "event.notification.signature.key": KEY,
        });
        for (name, value) in configuration.as_object().unwrap() {
            all[name] = value.clone();
        }
        let document = json!({"name": key, "element": {"key": key}, "configuration": all});
        self.ask("POST", "/instances", Some(&document))
    }

    /// The path of an instance's own address.
    #[track_caller]
    pub fn path(&self, instance: &Value) -> String {
        let shown = self.ask("GET", &format!("/instances/{}/webhook", instance["id"]), None).expect(200);
        let url = shown["url"].as_str().unwrap_or_else(|| panic!("{shown}"));
        let (_, path) = url.split_once("://").unwrap().1.split_once('/').unwrap();
        format!("/{path}")
    }

    /// Sends a notification to a path, with further headers.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut head =
            format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.server.address);
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
        crate::bench::raw(self.server.address, &[head.as_bytes(), body].concat())
    }

    /// The next callback, its signature checked.
    #[track_caller]
    pub fn next(&self) -> Callback {
        let callback = self.receiver.next(SOON).expect("a callback");
        assert!(callback.verified, "{callback:?}");
        callback
    }

    #[track_caller]
    pub fn silence(&self) {
        let callback = self.receiver.next(std::time::Duration::from_millis(1_500));
        assert!(callback.is_none(), "{callback:?}");
    }
}

/// The events of a callback as `TYPE id`.
pub fn told(callback: &Callback) -> Vec<String> {
    let events = callback.body["message"]["events"].as_array().expect("events");
    events
        .iter()
        .map(|event| {
            format!("{} {}", event["eventType"].as_str().unwrap(), event["objectId"].as_str().unwrap())
        })
        .collect()
}

/// What GitHub would write into its header.
pub fn github_signature(body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// Whether a secret stands in any file of a directory.
pub fn stands_in(folder: &Path, secret: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap_or_default();
        bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
    })
}

pub fn get(server: &Server, path: &str) -> Answer {
    request(server.address, "GET", path, None, None, b"")
}
