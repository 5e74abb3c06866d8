//! A resource call: our request through a connector's mapping and hooks to the provider, and its answer back.
//!
//! `/hubs/{hub}/{object}` means the same to a person's client, to the poller in process and to a dry run, so it is a
//! machine in the spirit of the step protocol (`run`): it says what it needs next ([`CallStep`]), each question owns
//! the machine, and answering the wrong one does not compile. It decides everything and does no IO.
//!
//! Not here: sending (`egress`), running hooks (the engine), renewing a token (`auth` builds the request; the engine
//! makes sure that one renewal is in flight per instance), reading multipart bodies (the API).

mod address;
mod answer;
mod field;
mod hooking;
mod machine;
mod mapping;
mod paging;
mod polling;
mod root_key;
mod route;
mod value;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::connector::{Connector, Settings};
use crate::hook::{HookFault, HookOutcome};
use crate::run::{FetchError, Reply, Request};

pub use field::{FieldPlace, field_place};
pub use hooking::{Change, HookAsk};
pub use mapping::{VendorBody, authorise};
pub use polling::{hub_drift, hub_pagination, is_hub_path, is_polled_in_process, reply_of};
pub use root_key::RootKey;
pub use route::{NoRoute, Route, find};

/// A call as it reached us.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallRequest {
    /// The method.
    pub method: String,
    /// The path below `/elements/api-v2`, escaped as it came, with or without its hub.
    pub path: String,
    /// Query parameters, decoded, in order.
    pub query: Vec<(String, String)>,
    /// Headers; without the caller's own credentials.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: CallBody,
}

/// A call's body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CallBody {
    /// None.
    #[default]
    Empty,
    /// JSON text.
    Json(String),
    /// A form.
    Form(Vec<(String, String)>),
    /// A multipart body: its fields, and the names of its files.
    Multipart {
        /// Name and text of each field.
        fields: Vec<(String, String)>,
        /// Names of the parts that are files.
        files: Vec<String>,
    },
}

impl CallRequest {
    /// A call of a path with its query, as a poller's `url` writes it.
    pub fn get(url: &str) -> CallRequest {
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        CallRequest {
            method: "GET".into(),
            path: path.into(),
            query: address::pairs(query),
            ..CallRequest::default()
        }
    }

    /// The first query parameter of this name.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The first header of this name, in any letter case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// Whose call it is, and what it may not find out by itself.
#[derive(Clone, Debug)]
pub struct CallContext {
    /// The connector.
    pub connector: Arc<Connector>,
    /// The account's configuration over the connector's defaults ([`Connector::settings`]).
    pub settings: Settings,
    /// The instance's number.
    pub instance: i64,
    /// The id of this request.
    pub request_id: String,
    /// Our clock, for signatures.
    pub now: Timestamp,
    /// A text that was never used before, for signatures.
    pub nonce: String,
}

/// What a call needs next.
#[derive(Debug)]
pub enum CallStep {
    /// Run this hook.
    Hook(HookAsk, AwaitHook),
    /// Send this request. Redirects are not followed outside the origin.
    Fetch(VendorRequest, AwaitReply),
    /// Renew the account's credentials, or take those that somebody else renewed meanwhile.
    RefreshToken(AwaitToken),
    /// The call is over.
    Done(CallAnswer),
}

/// A request to the provider, credentials included: it prints its method and host only.
#[derive(Clone, PartialEq, Eq)]
pub struct VendorRequest {
    /// The method.
    pub method: String,
    /// The address.
    pub url: String,
    /// All headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: VendorBody,
}

impl fmt::Debug for VendorRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = url::Url::parse(&self.url).map(|url| url.origin().ascii_serialization());
        write!(f, "VendorRequest({} {})", self.method, origin.unwrap_or_default())
    }
}

impl VendorRequest {
    /// The request for the sender. `boundary` separates the parts of a multipart body and must occur in none of them.
    pub fn into_request(self, boundary: &str) -> Request {
        let mut headers = self.headers;
        let body = match self.body {
            VendorBody::Empty => None,
            VendorBody::Json(text) | VendorBody::Text(text) => Some(text),
            VendorBody::Form(fields) => Some(address::query(&fields)),
            VendorBody::Multipart(fields) => {
                headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
                headers.push(("Content-Type".into(), format!("multipart/form-data; boundary={boundary}")));
                Some(multipart(&fields, boundary))
            }
        };
        Request { method: self.method, url: self.url, headers, body }
    }
}

fn multipart(fields: &[(String, String)], boundary: &str) -> String {
    let mut body = String::new();
    for (name, value) in fields {
        let name = name.replace('"', "%22").replace(['\r', '\n'], " ");
        body.push_str(&format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        ));
    }
    body.push_str(&format!("--{boundary}--\r\n"));
    body
}

/// What the provider's answer looked like from outside: for watermarks, rates and retries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderHead {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Our clock when the request was sent.
    pub sent_at: Timestamp,
    /// Measured time to the head of the answer.
    pub to_head: Duration,
}

/// The answer to a call. Configuration values may be secrets: it prints none of them.
#[derive(Clone, PartialEq, Eq)]
pub struct CallAnswer {
    /// Status for the caller.
    pub status: u16,
    /// Our headers; `Content-Type: application/json` goes without saying.
    pub headers: Vec<(String, String)>,
    /// JSON text.
    pub body: Option<String>,
    /// Configuration values that hooks and parameters set (`None`: removed), to be stored with the instance.
    pub configuration: Vec<Change>,
    /// The first answer of the provider, or the one that failed the call.
    pub provider: Option<ProviderHead>,
    /// Why it failed, when it did.
    pub fault: Option<CallFault>,
    /// Why the provider could not be reached, or not asked again with new credentials, when that failed the call.
    pub unreachable: Option<FetchError>,
}

impl fmt::Debug for CallAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<&str> = self.configuration.iter().map(|(key, _)| key.as_str()).collect();
        f.debug_struct("CallAnswer")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .field("body", &self.body)
            .field("configuration", &keys)
            .field("fault", &self.fault)
            .finish_non_exhaustive()
    }
}

impl CallAnswer {
    /// A header of the answer, in any letter case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// Why a call failed: `{requestId, message, providerMessage}` and a status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CallFault {
    /// Status for the caller.
    pub status: u16,
    /// One sentence of ours.
    pub message: String,
    /// The provider's own words, without our secrets.
    pub provider_message: Option<String>,
}

impl CallFault {
    /// A fault of ours, without words of the provider.
    pub fn new(status: u16, message: impl Into<String>) -> CallFault {
        CallFault { status, message: message.into(), provider_message: None }
    }
}

/// What came of renewing credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// These are the settings now.
    Renewed(Settings),
    /// The provider wants the account to connect again; one sentence.
    Refused(String),
    /// It did not work this time; one sentence.
    Failed(String),
}

/// Waits for a hook.
pub struct AwaitHook {
    machine: Box<machine::Machine>,
    stage: machine::HookStage,
    place: String,
}

impl AwaitHook {
    /// Answers with what came of the hook.
    pub fn resume(self, result: Result<HookOutcome, HookFault>) -> CallStep {
        self.machine.hooked(self.stage, &self.place, result)
    }
}

/// Waits for the provider's answer.
pub struct AwaitReply {
    machine: Box<machine::Machine>,
    url: String,
    parts: Box<mapping::VendorParts>,
}

impl AwaitReply {
    /// Answers with what came of the request.
    pub fn resume(self, reply: Reply) -> CallStep {
        self.machine.replied(self.url, *self.parts, reply)
    }
}

/// Waits for new credentials.
pub struct AwaitToken {
    machine: Box<machine::Machine>,
    refusal: Box<ProviderHead>,
}

impl AwaitToken {
    /// Answers with what came of the renewal.
    pub fn resume(self, renewal: Renewal) -> CallStep {
        self.machine.renewed(*self.refusal, renewal)
    }
}

macro_rules! opaque {
    ($($name:ident)*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )*};
}

opaque!(AwaitHook AwaitReply AwaitToken);

/// Begins a call. Finds its resource, or is over at once with 404, 405, or 400 for what the call itself gets wrong.
pub fn start(context: CallContext, request: CallRequest) -> CallStep {
    let faulty =
        |fault: CallFault, context: &CallContext| CallStep::Done(fault.answer(context, Vec::new(), None));
    match find(&context.connector, &request.method, &request.path) {
        Ok(route) => machine::Machine::start(context, request, route.resource, route.variables),
        Err(NoRoute::Path) => {
            let sentence = format!(
                "the connector `{}` has no resource `{}`; see its docs for those it has",
                context.connector.key, request.path
            );
            faulty(CallFault::new(404, sentence), &context)
        }
        Err(NoRoute::Method(methods)) => {
            let sentence =
                format!("`{}` is called with {}; use one of them", request.path, methods.join(", "));
            faulty(CallFault::new(405, sentence), &context)
        }
    }
}

/// Begins the call of a resource that the connector itself needs (`onProvision`, `oauthOnTokenExchange` …), by
/// position. `request` carries what the step gives it: `providerData` as JSON body or query.
pub fn start_at(context: CallContext, resource: usize, request: CallRequest) -> CallStep {
    if resource >= context.connector.resources.len() {
        let sentence = "the connector has no such resource any more; read it again";
        return CallStep::Done(CallFault::new(404, sentence).answer(&context, Vec::new(), None));
    }
    machine::Machine::start(context, request, resource, std::collections::BTreeMap::new())
}
