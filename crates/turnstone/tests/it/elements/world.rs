//! A server with a client that sends texts as they are.

use serde_json::Value;
use tempfile::TempDir;

use crate::bench::{Answer, Server, request};

pub const REVEL: &str = include_str!("../../../../core/tests/elements/revel.json");
pub const SERVICENOW: &str = include_str!("../../../../core/tests/elements/servicenowoauth.json");
pub const DEALS: &str = include_str!("../../../../core/tests/elements/activecampaign2.json");
pub const SAGEONE: &str = include_str!("../../../../core/tests/elements/sageone.json");

/// A server of its own.
pub struct World {
    pub server: Server,
    pub token: String,
    _data: TempDir,
}

impl World {
    pub fn new() -> World {
        let data = tempfile::tempdir().unwrap();
        let server = Server::start(data.path(), &[]);
        let token = server.token.clone().expect("the first start shows a token");
        World { server, token, _data: data }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.server.ask(&self.token, "GET", path, None)
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.server.ask(&self.token, "DELETE", path, None)
    }

    pub fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.server.ask(&self.token, method, path, Some(body))
    }

    /// Sends a text byte by byte.
    pub fn text(&self, method: &str, path: &str, body: &str) -> Answer {
        self.typed(method, path, "application/json", body.as_bytes())
    }

    pub fn typed(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> Answer {
        let path = format!("/elements/api-v2{path}");
        request(self.server.address, method, &path, Some(&self.token), Some(kind), body)
    }

    /// Imports a document and answers what came back.
    #[track_caller]
    pub fn import(&self, document: &str) -> Value {
        self.text("POST", "/elements", document).expect(200)
    }
}
