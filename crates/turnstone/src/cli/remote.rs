//! The public HTTP API of a running server, for the commands that work with one.
//!
//! It goes out through the engine's egress like everything else, as the user: loopback and private addresses are
//! allowed, credentials go to the server's own origin alone, and nothing that changes something is redirected or sent
//! twice. What the server answers is shown as it says it: its sentence, and every fault with its place.
//!
//! Not here: what is asked for (each command), where the secrets come from (`credentials`).

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde_json::Value;
use turnstone_core::check::Fault;
use turnstone_core::json_text;
use turnstone_core::run::{FetchError, FetchErrorKind, Request, Response};
use turnstone_engine::clock::SystemClock;
use turnstone_engine::egress::{Bodies, BodyBudget, Client, Connection, Guard, Net as _, Policy, Setup};
use url::Url;

use super::output::{Output, tame};
use super::{Failure, credentials};
use crate::api::BASE;

/// Pages of one list that are asked for. At 200 entries each, far more than an organisation has.
const PAGES_MAX: usize = 10_000;

/// Which server, and as whom.
#[derive(Args, Clone, Debug)]
pub(crate) struct ServerArgs {
    /// Address of the server.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080", env = "TURNSTONE_SERVER")]
    server: String,
    /// File with the line `User <secret>, Organization <secret>`, readable by you alone.
    ///
    /// Without it TURNSTONE_USER_TOKEN and TURNSTONE_TOKEN are used, or the file `turnstone/credentials` in your
    /// configuration folder.
    #[arg(long, value_name = "FILE")]
    credentials: Option<PathBuf>,
}

/// Why a server did not do what it was asked for.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// It cannot be reached, or what answered is not this API.
    Unusable(String),
    /// It said so.
    Said(Said),
}

/// A server's error.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// HTTP status.
    pub(crate) status: u16,
    /// Its sentence.
    pub(crate) message: String,
    /// Everything that is wrong with the document that was sent.
    pub(crate) faults: Vec<Fault>,
    /// What the provider said.
    provider_message: Option<String>,
    /// Names the request in the server's log.
    request_id: String,
}

impl Refusal {
    /// Whether the server knows no such thing.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Refusal::Said(Said { status: 404, .. }))
    }

    /// How a command ends over it. `about` names what it was about: "`crm.json`".
    pub(crate) fn failure(&self, about: &str) -> Failure {
        let said = match self {
            Refusal::Unusable(sentence) => return Failure::Server(sentence.clone()),
            Refusal::Said(said) => said,
        };
        let id = match said.request_id.as_str() {
            "" => String::new(),
            id => format!(" (request {})", tame(id)),
        };
        let message = tame(&said.message);
        let text = match said.status {
            401 => format!(
                "the server does not know these credentials: {message}; it shows new ones when it is started with \
                 `--new-token`{id}"
            ),
            403 => format!("{about}: not allowed: {message}; ask an owner or admin of the organisation{id}"),
            _ => format!("{about}: {message}{id}"),
        };
        let text = self.with_particulars(text, said);
        match said.status {
            400 | 404 | 409 | 413 | 415 => Failure::Configuration(text),
            _ => Failure::Server(text),
        }
    }

    fn with_particulars(&self, mut text: String, said: &Said) -> String {
        // One fault is in the sentence already.
        if said.faults.len() > 1 {
            for fault in &said.faults {
                // Writing to a string cannot fail.
                let _ = write!(text, "\n  {}", tame(&fault.to_string()));
            }
        }
        if let Some(words) = &said.provider_message {
            let _ = write!(text, "\n  the provider says: {}", tame(words));
        }
        text
    }
}

/// A server that is talked to.
pub(crate) struct Remote {
    net: Client,
    connection: Connection,
    /// Everything before a path of the API.
    base: String,
}

impl Remote {
    /// Makes ready to talk to a server; nothing is sent yet.
    pub(crate) fn open(args: &ServerArgs, output: &Output) -> Result<Remote, Failure> {
        let url = address(&args.server).map_err(|reason| {
            Failure::Configuration(format!(
                "the server's address `{}` {reason}; write it as `https://turnstone.example.com`",
                tame(&args.server)
            ))
        })?;
        let secret = credentials::find(args.credentials.as_deref())?;
        if url.scheme() == "http" && !is_near(&url) {
            output.warn(&format!("the credentials travel unencrypted to {}; use https", origin(&url)));
        }
        let setup = Setup::new(Guard::new(Policy::AllowPrivate), Arc::new(SystemClock::new()));
        let net = Client::new(setup).map_err(|error| Failure::Internal(error.to_string()))?;
        let mut connection = Connection::new(&url, Bodies::new(&BodyBudget::default()));
        connection.headers.push(("Authorization".to_owned(), secret));
        Ok(Remote { net, connection, base: url.as_str().trim_end_matches('/').to_owned() })
    }

    /// Reads something.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, Refusal> {
        self.json(path, self.send("GET", path, None).await?)
    }

    /// Reads a text as it is.
    pub(crate) async fn text(&self, path: &str) -> Result<String, Refusal> {
        Ok(self.send("GET", path, None).await?.body)
    }

    /// Asks for something or changes it; the answer as it is written, so that its numbers keep their digits.
    pub(crate) async fn told(
        &self,
        method: &str,
        path: &str,
        body: Option<String>,
    ) -> Result<String, Refusal> {
        let answer = self.send(method, path, body).await?;
        let text = answer.body.clone();
        self.json(path, answer)?;
        Ok(text)
    }

    /// Sends a document that is JSON already.
    pub(crate) async fn put_text(&self, method: &str, path: &str, body: &str) -> Result<Value, Refusal> {
        self.json(path, self.send(method, path, Some(body.to_owned())).await?)
    }

    /// Changes something; what comes back may be nothing.
    pub(crate) async fn change(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Refusal> {
        self.json(path, self.send(method, path, body.map(Value::to_string)).await?)
    }

    /// Reads a list to its end, page by page.
    pub(crate) async fn list(&self, path: &str) -> Result<Vec<Value>, Refusal> {
        let texts = self.texts(path).await?;
        texts.iter().map(|text| serde_json::from_str(text).map_err(|_| self.strange(path, 200))).collect()
    }

    /// The same, each entry as it is written.
    pub(crate) async fn texts(&self, path: &str) -> Result<Vec<String>, Refusal> {
        let sign = if path.contains('?') { '&' } else { '?' };
        let (mut all, mut next) = (Vec::new(), None::<String>);
        for _ in 0..PAGES_MAX {
            let page = match &next {
                None => path.to_owned(),
                Some(token) => format!("{path}{sign}nextPage={}", encode(token)),
            };
            let answer = self.send("GET", &page, None).await?;
            let token = answer.header("elements-next-page-token").map(str::to_owned);
            let text = answer.body.clone();
            match self.json(&page, answer)? {
                Value::Array(_) => {
                    let items = json_text::items(&text).ok_or_else(|| self.strange(path, 200))?;
                    all.extend(items.into_iter().map(str::to_owned));
                }
                // With an Element token in the credentials, the server shows that one instance.
                Value::Object(_) => all.push(text),
                _ => return Err(self.strange(path, 200)),
            }
            match token {
                Some(token) if next.as_ref() != Some(&token) => next = Some(token),
                _ => break,
            }
        }
        Ok(all)
    }

    async fn send(&self, method: &str, path: &str, body: Option<String>) -> Result<Response, Refusal> {
        let url = format!("{}{path}", self.base);
        let request = Request { method: method.to_owned(), url, headers: Vec::new(), body };
        let reply = self.net.send(request, &self.connection).await;
        drop(self.connection.bodies.take());
        let answer = reply.outcome.map_err(|error| self.unreachable(&error))?;
        match answer.status {
            200..=299 => Ok(answer),
            status => Err(self.said(path, status, &answer)),
        }
    }

    fn json(&self, path: &str, answer: Response) -> Result<Value, Refusal> {
        if answer.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&answer.body).map_err(|_| self.strange(path, answer.status))
    }

    fn said(&self, path: &str, status: u16, answer: &Response) -> Refusal {
        let body: Value = serde_json::from_str(&answer.body).unwrap_or(Value::Null);
        let text = |value: &Value, name: &str| value[name].as_str().map(str::to_owned);
        // The header tells it from a proxy's page, and from any other server that speaks JSON.
        let (true, Some(message)) = (answer.header("elements-request-id").is_some(), text(&body, "message"))
        else {
            return self.strange(path, status);
        };
        let fault = |fault: &Value| Fault {
            path: text(fault, "path").unwrap_or_default(),
            problem: text(fault, "problem").unwrap_or_default(),
            remedy: text(fault, "remedy").unwrap_or_default(),
        };
        Refusal::Said(Said {
            status,
            message,
            faults: body["faults"].as_array().into_iter().flatten().map(fault).collect(),
            provider_message: text(&body, "providerMessage"),
            request_id: text(&body, "requestId").unwrap_or_default(),
        })
    }

    fn strange(&self, path: &str, status: u16) -> Refusal {
        Refusal::Unusable(format!(
            "what answers at {}{} (status {status}) is not Turnstone's API; correct --server or TURNSTONE_SERVER",
            self.base,
            path.split('?').next().unwrap_or_default()
        ))
    }

    fn unreachable(&self, error: &FetchError) -> Refusal {
        let place = self.base.strip_suffix(BASE).unwrap_or(&self.base);
        let remedy = match error.kind {
            FetchErrorKind::Connect | FetchErrorKind::Dns => {
                "start it with `turnstone serve`, or name another with --server or TURNSTONE_SERVER"
            }
            FetchErrorKind::Redirect => "name the address that it redirects to with --server",
            FetchErrorKind::Timeout => "try again",
            _ => "correct --server or TURNSTONE_SERVER",
        };
        Refusal::Unusable(format!("the server at {place} cannot be used: {}; {remedy}", tame(&error.message)))
    }
}

/// The address of the API on a server: its base path is added unless it is there.
fn address(text: &str) -> Result<Url, String> {
    let text = text.trim();
    let mut url = Url::parse(text).map_err(|error| format!("cannot be read ({error})"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err("is neither http nor https".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds credentials, which belong into a file or the environment".to_owned());
    }
    url.set_query(None);
    url.set_fragment(None);
    let path = url.path().trim_end_matches('/').to_owned();
    if !path.ends_with(BASE) {
        url.set_path(&format!("{path}{BASE}"));
    }
    Ok(url)
}

fn is_near(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// A text as one segment of a path, or as a value of a query.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_needs_no_base_path() {
        let check = |text: &str, expect: &str| assert_eq!(address(text).unwrap().as_str(), expect, "{text}");
        check("http://127.0.0.1:8080", "http://127.0.0.1:8080/elements/api-v2");
        check("https://a.test/", "https://a.test/elements/api-v2");
        check("https://a.test/elements/api-v2/", "https://a.test/elements/api-v2/");
        check("https://a.test/events?x#y", "https://a.test/events/elements/api-v2");
        for text in ["a.test", "ftp://a.test", "https://u:p@a.test", ""] {
            assert!(address(text).is_err(), "{text}");
        }
    }

    #[test]
    fn segments_hold_nothing_that_ends_them() {
        assert_eq!(encode("a/b c?ü"), "a%2Fb%20c%3F%C3%BC");
    }
}
