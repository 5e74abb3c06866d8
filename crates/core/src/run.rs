//! The step protocol: a run is a value that says what it needs next.
//!
//! A poll and (later) a flow are machines that yield [`Step`]s. The machine decides and does no IO; the driver in the
//! engine does the IO and decides nothing. Every `Await…` owns the machine and has one `resume`, so answering the wrong
//! question, or answering twice, does not compile. A run can be replayed from the list of its answers: dry run,
//! `explain`, golden tests and the simulator are all this one feature, and the points where a crash can fall are
//! exactly the steps.
//!
//! Not here: what a poll decides (`poll`), how a request is sent (the engine's `egress`).

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ledger::{Known, Recall};
use crate::poll::{Batch, Finish};

/// A request to a provider, before the engine adds the connection's credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// `GET` for everything that a poll asks.
    pub method: String,
    /// Absolute URL, every value already encoded for its place.
    pub url: String,
    /// Headers that this request needs beyond the connection's own (conditional requests, for example).
    pub headers: Vec<(String, String)>,
    /// Body; empty for `GET`.
    pub body: Option<String>,
}

impl Request {
    /// A plain `GET`.
    pub fn get(url: impl Into<String>) -> Self {
        Request { method: "GET".into(), url: url.into(), headers: Vec::new(), body: None }
    }
}

/// One to sixteen requests that may be sent together; their answers come back in request order.
#[derive(Clone, Debug)]
pub struct Requests(pub Vec<Request>);

/// What came of one request.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Our clock when the request was sent.
    pub sent_at: Timestamp,
    /// Measured (monotonic) time from sending to the head of the answer.
    pub to_head: Duration,
    /// The answer, or why there is none.
    pub outcome: Result<Response, FetchError>,
}

/// A complete, decoded answer. A body that broke off is a [`FetchError`], never a short `Response`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Headers in order; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as text: transfer and content codings undone, charset decoded, byte order mark removed.
    pub body: String,
}

impl Response {
    /// The first header of this name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Why a request has no answer. The sentence is made for a person and names the host, never a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FetchError {
    /// What kind of failure it was.
    pub kind: FetchErrorKind,
    /// One clause in lower case, without a full stop: what failed for which host.
    pub message: String,
}

/// Kinds of failure on the way to a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FetchErrorKind {
    /// The egress guard refused the address, before or after name resolution.
    Forbidden,
    /// The URL cannot be requested at all.
    BadUrl,
    /// The name could not be resolved.
    Dns,
    /// No connection.
    Connect,
    /// The TLS handshake or the certificate failed.
    Tls,
    /// A time limit passed.
    Timeout,
    /// The body broke off or contradicts its declared length.
    Truncated,
    /// The body is larger than allowed, or expands too far.
    TooLarge,
    /// The body cannot be decoded in its declared charset or coding.
    Undecodable,
    /// A redirect led outside the origin, or too far.
    Redirect,
    /// The connection failed while in use.
    Broken,
    /// The connector's own resource could not be called: a mapping or a hook failed.
    Call,
    /// The account must be connected anew.
    Reconnect,
}

impl FetchErrorKind {
    /// Whether trying again without a person's help may succeed.
    pub fn is_transient(self) -> bool {
        match self {
            Self::Dns | Self::Connect | Self::Timeout | Self::Truncated | Self::Broken => true,
            Self::Forbidden
            | Self::BadUrl
            | Self::Tls
            | Self::TooLarge
            | Self::Undecodable
            | Self::Redirect
            | Self::Call
            | Self::Reconnect => false,
        }
    }
}

/// What a run needs next.
pub enum Step {
    /// Send these requests.
    Fetch(Requests, AwaitReplies),
    /// Look up what the ledger knows. Reading outside the commit is safe: only the lease's holder writes this ledger,
    /// and the commit checks the lease.
    Recall(Recall, AwaitKnown),
    /// Wait, because the provider asked for it.
    Wait(Duration, AwaitWake),
    /// Commit this, in one transaction, only if the lease still holds. The request may be sent meanwhile.
    Commit(Box<Batch>, Option<Request>, AwaitCommit),
    /// The run is over: one last transaction.
    Done(Box<Finish>),
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Fetch(requests, _) => f.debug_tuple("Fetch").field(requests).finish(),
            Step::Recall(recall, _) => f.debug_tuple("Recall").field(recall).finish(),
            Step::Wait(pause, _) => f.debug_tuple("Wait").field(pause).finish(),
            Step::Commit(batch, next, _) => f.debug_tuple("Commit").field(batch).field(next).finish(),
            Step::Done(finish) => f.debug_tuple("Done").field(finish).finish(),
        }
    }
}

/// A machine behind the steps. A poll today; a flow of cards is another one.
pub trait Machine: Send {
    /// Continues with the answers, in request order.
    fn replies(self: Box<Self>, replies: Vec<Reply>) -> Step;
    /// Continues with what the ledger knows.
    fn known(self: Box<Self>, known: Known) -> Step;
    /// Continues after a wait. `now` is our clock after it.
    fn woken(self: Box<Self>, now: Timestamp) -> Step;
    /// Continues after a successful commit, with the answer to the request that travelled with it.
    fn committed(self: Box<Self>, reply: Option<Reply>) -> Step;
}

macro_rules! awaits {
    ($(#[$doc:meta] $name:ident, $method:ident($answer:ident: $kind:ty);)*) => {$(
        #[$doc]
        pub struct $name(pub(crate) Box<dyn Machine>);

        impl $name {
            /// Answers the question and hands the machine on to its next step.
            pub fn resume(self, $answer: $kind) -> Step {
                self.0.$method($answer)
            }
        }
    )*};
}

awaits! {
    /// Waits for the answers of a `Fetch`.
    AwaitReplies, replies(replies: Vec<Reply>);
    /// Waits for the ledger's knowledge.
    AwaitKnown, known(known: Known);
    /// Waits for the end of a pause.
    AwaitWake, woken(now: Timestamp);
    /// Waits for a commit. A commit that failed ends the run: there is nothing to resume.
    AwaitCommit, committed(reply: Option<Reply>);
}
