//! The only way out.
//!
//! Everything that leaves this machine over HTTP goes through [`Net`]: requests to providers with their connection's
//! credentials, and callbacks. The real one is [`Client`]; the simulator brings its own. [`guard`] decides which
//! addresses may be dialled, [`budget`] how much memory answers may take.
//!
//! Not here: what an answer means, when to try again, and signing. Those are decided by the runs and by delivery.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use turnstone_core::run::{FetchError, Reply, Request};
use url::{Origin, Url};

use crate::secrets::Secret;

mod body;
pub mod budget;
mod client;
mod dials;
mod failure;
pub mod guard;
mod outgoing;

pub use budget::{Bodies, BodyBudget, Held};
pub use client::{Client, ClientError, Limits, Setup, install_crypto};
pub use guard::{Guard, GuardError, Lookup, Policy, SystemLookup};

/// The way out. Neither method fails: what went wrong is part of the answer.
#[async_trait]
pub trait Net: Send + Sync {
    /// Sends one request with the connection's credentials and reads the whole answer.
    ///
    /// Waits first until the connection's account has memory for the answer; see [`budget`]. The memory stays with the
    /// account until the driver takes it out with [`Bodies::take`].
    async fn send(&self, request: Request, connection: &Connection) -> Reply;

    /// Posts a callback and reads the beginning of its answer. Redirects are not followed.
    async fn post(&self, callback: Callback) -> CallbackReply;
}

/// What the engine adds to the requests of one run.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Headers with credentials. They replace ours of the same name (`accept`, for example).
    pub headers: Vec<(String, Secret)>,
    /// User name and password of HTTP Basic.
    pub basic: Option<(String, Secret)>,
    /// The connection's own origins. Only they receive its credentials, and redirects may only lead to them or stay
    /// where they are. A request to any other origin is sent without credentials.
    pub origins: Vec<Origin>,
    /// Memory of this run's answers.
    pub bodies: Bodies,
}

impl Connection {
    /// A connection without credentials that belongs to the origin of this URL.
    pub fn new(base: &Url, bodies: Bodies) -> Self {
        Connection { headers: Vec::new(), basic: None, origins: vec![base.origin()], bodies }
    }

    /// Whether this URL is on one of the connection's origins.
    pub fn owns(&self, url: &Url) -> bool {
        self.origins.contains(&url.origin())
    }
}

/// A notification on its way to its subscriber. Prints without its body, which is a tenant's data.
#[derive(Clone)]
pub struct Callback {
    /// Where to.
    pub url: String,
    /// Signature and the subscriber's own headers; any of them may be a secret.
    pub headers: Vec<(String, Secret)>,
    /// The body, `application/json` unless a header says otherwise.
    pub body: Bytes,
    /// Time until the head of the answer.
    pub timeout: Duration,
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callback")
            .field("headers", &self.headers)
            .field("body_bytes", &self.body.len())
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// What came of a callback.
#[derive(Clone, Debug)]
pub struct CallbackReply {
    /// Our clock when it was sent.
    pub sent_at: Timestamp,
    /// Measured (monotonic) time until the head of the answer, or until it failed.
    pub duration: Duration,
    /// The answer, or why there is none.
    pub outcome: Result<CallbackAnswer, FetchError>,
}

/// A subscriber's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackAnswer {
    /// HTTP status; a redirect is an answer like any other.
    pub status: u16,
    /// The `Retry-After` header as it stands.
    pub retry_after: Option<String>,
    /// The answer's first bytes, for a person to read. Never interpreted, and never decompressed.
    pub text: String,
}
