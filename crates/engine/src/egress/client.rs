//! The real way out: HTTP over sockets.
//!
//! What the library would do on its own is switched off, because each of it can carry data where it does not belong:
//! no cookies, no proxies from the environment, no redirects (they are followed here, checked hop by hop), no
//! decompression (done in `body`, where it is bounded).
//!
//! Time limits are tokio's. What a run sees of time (`sent_at`, `to_head`) comes from the engine's clock.

use std::sync::{Arc, Once};
use std::time::Duration;

use async_trait::async_trait;
use http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER,
};
use http::{Method, StatusCode};
use jiff::Timestamp;
use turnstone_core::limits::{CALLBACK_ANSWER_BYTES_MAX, REDIRECTS_MAX};
use turnstone_core::run::{FetchError, FetchErrorKind, Reply, Request, Response};
use url::Url;

use super::body::{BodyError, BodyText};
use super::budget::Share;
use super::dials::{NoteDials, noting_dials};
use super::failure::{Cause, bad_url, failure, host, refusal};
use super::guard::{Guard, GuardError, GuardedResolver, Lookup, SystemLookup};
use super::outgoing::{Outgoing, Visibility, own_headers, secret_headers, set_headers};
use super::{Callback, CallbackAnswer, CallbackReply, Connection, Net};
use crate::clock::Clock;

/// Bytes of the body of a status of 400 and above. It only explains; the status and the headers count.
const ERROR_BODY_BYTES_MAX: usize = 256 * 1024;

/// How long a callback's answer may take after its head. The verdict is known by then.
const CALLBACK_ANSWER_WAIT: Duration = Duration::from_secs(2);

/// How long an idle connection is kept. Longer than pages are apart, shorter than most servers keep theirs.
const IDLE_CONNECTION: Duration = Duration::from_secs(20);

/// Idle connections per host.
const IDLE_CONNECTIONS_MAX: usize = 8;

/// Headers of one answer.
const HEADERS_MAX: usize = 128;

const USER_AGENT: &str = concat!("turnstone/", env!("CARGO_PKG_VERSION"));

/// How long each part of an exchange may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Resolving a name. A resolver that is silent for longer is as good as none.
    pub lookup: Duration,
    /// Resolving, connecting and the TLS handshake together. A third of it is usual on a bad day.
    pub connect: Duration,
    /// From sending to the head of the answer; slow reports need it.
    pub head: Duration,
    /// Between two pieces of a body. A server that pauses longer has lost us.
    pub idle: Duration,
    /// The whole exchange with all redirects. It frees the slot from a server that sends one byte at a time.
    pub total: Duration,
    /// Waiting for memory before sending. Longer means that the machine is overloaded; the run should yield.
    pub memory: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            lookup: Duration::from_secs(5),
            connect: Duration::from_secs(10),
            head: Duration::from_secs(30),
            idle: Duration::from_secs(15),
            total: Duration::from_secs(120),
            memory: Duration::from_secs(60),
        }
    }
}

/// What a client is made of.
pub struct Setup {
    /// Judges addresses.
    pub guard: Guard,
    /// Resolves names.
    pub lookup: Arc<dyn Lookup>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Time limits.
    pub limits: Limits,
}

impl Setup {
    /// The system's resolver and the usual limits.
    pub fn new(guard: Guard, clock: Arc<dyn Clock>) -> Self {
        Setup { guard, lookup: Arc::new(SystemLookup), clock, limits: Limits::default() }
    }
}

/// The client cannot be made; usually the system has no root certificates.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up the HTTP client; check that the system's root certificates are installed")]
pub struct ClientError(#[source] reqwest::Error);

/// Sends requests and callbacks over sockets. One per process: it keeps connections alive.
pub struct Client {
    guard: Arc<Guard>,
    clock: Arc<dyn Clock>,
    limits: Limits,
    /// Keeps connections alive.
    pooled: reqwest::Client,
    /// Dials anew each time: for the one retry after a kept connection broke.
    fresh: reqwest::Client,
}

/// Chooses the cryptography of TLS for the whole process. Harmless to call again.
pub fn install_crypto() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // An error says that somebody has installed a provider already, and then that one serves.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

impl Client {
    /// Makes a client. It may be used from any task.
    pub fn new(setup: Setup) -> Result<Self, ClientError> {
        install_crypto();
        let guard = Arc::new(setup.guard);
        let resolver = Arc::new(GuardedResolver {
            guard: Arc::clone(&guard),
            lookup: setup.lookup,
            time_max: setup.limits.lookup,
        });
        let build = |idle_max: usize| {
            reqwest::Client::builder()
                .user_agent(USER_AGENT)
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .referer(false)
                .dns_resolver(Arc::clone(&resolver))
                .connect_timeout(setup.limits.connect)
                .pool_idle_timeout(IDLE_CONNECTION)
                .pool_max_idle_per_host(idle_max)
                .http1_max_headers(HEADERS_MAX)
                .connector_layer(NoteDials)
                .build()
                .map_err(ClientError)
        };
        Ok(Client {
            guard: Arc::clone(&guard),
            clock: setup.clock,
            limits: setup.limits,
            pooled: build(IDLE_CONNECTIONS_MAX)?,
            fresh: build(0)?,
        })
    }

    async fn exchange(
        &self,
        request: &Request,
        connection: &Connection,
        timing: &mut Timing,
    ) -> Result<Response, FetchError> {
        let url = self.guard.check_url(&request.url).map_err(|error| refusal(&error))?;
        let method = Method::from_bytes(request.method.as_bytes())
            .map_err(|_| bad_url(&url, format!("`{}` is no method", request.method)))?;
        let outgoing = Outgoing {
            own: own_headers(request, &url)?,
            secret: if connection.owns(&url) { secret_headers(connection, &url)? } else { HeaderMap::new() },
            method,
            body: request.body.clone(),
        };
        let share = tokio::time::timeout(self.limits.memory, connection.bodies.reserve())
            .await
            .map_err(|_| {
                let waited = self.limits.memory;
                failure(
                    FetchErrorKind::Timeout,
                    &url,
                    format!("memory for the answer of {{}} was not free within {waited:?}"),
                )
            })?
            .map_err(|error| {
                failure(error.kind(), &url, format!("the answer of {{}} cannot be read: {error}"))
            })?;
        timing.start(self.clock.as_ref());
        let at = host(&url);
        tokio::time::timeout(self.limits.total, self.follow(&outgoing, connection, url, share, timing))
            .await
            .unwrap_or_else(|_| {
                Err(FetchError {
                    kind: FetchErrorKind::Timeout,
                    message: format!("the answer of {at} was not complete within {:?}", self.limits.total),
                })
            })
    }

    /// Follows redirects and reads the answer at their end.
    async fn follow(
        &self,
        outgoing: &Outgoing,
        connection: &Connection,
        first: Url,
        share: Share,
        timing: &mut Timing,
    ) -> Result<Response, FetchError> {
        let mut url = first.clone();
        for _ in 0..=REDIRECTS_MAX {
            let response = self.head(outgoing, &url, url.origin() == first.origin(), timing).await?;
            let Some(next) = self.redirect(outgoing, connection, &url, &response)? else {
                return self.read(response, connection, share, &url).await;
            };
            url = next;
        }
        Err(failure(
            FetchErrorKind::Redirect,
            &url,
            format!("{{}} redirects more than {REDIRECTS_MAX} times"),
        ))
    }

    /// Sends and waits for the head. A safe request whose kept connection breaks is sent once more, on a new one.
    async fn head(
        &self,
        outgoing: &Outgoing,
        url: &Url,
        with_secrets: bool,
        timing: &mut Timing,
    ) -> Result<reqwest::Response, FetchError> {
        let attempt = async {
            timing.start(self.clock.as_ref());
            let (first, dialled) = noting_dials(self.pooled.execute(outgoing.build(url, with_secrets))).await;
            let outcome = match first {
                Err(error)
                    if !dialled && outgoing.is_safe() && !error.is_timeout() && !error.is_builder() =>
                {
                    timing.start(self.clock.as_ref());
                    self.fresh.execute(outgoing.build(url, with_secrets)).await
                }
                outcome => outcome,
            };
            timing.stop(self.clock.as_ref());
            outcome.map_err(|error| self.explain(&error, url, Stage::Head))
        };
        let response = tokio::time::timeout(self.limits.head, attempt).await.map_err(|_| {
            failure(
                FetchErrorKind::Timeout,
                url,
                format!("{{}} did not answer within {:?}", self.limits.head),
            )
        })??;
        if response.status().is_informational() {
            let status = response.status().as_u16();
            return Err(failure(
                FetchErrorKind::Broken,
                url,
                format!("{{}} answered with the interim status {status}"),
            ));
        }
        Ok(response)
    }

    /// Where the answer redirects to; `None` when it does not redirect.
    fn redirect(
        &self,
        outgoing: &Outgoing,
        connection: &Connection,
        url: &Url,
        response: &reqwest::Response,
    ) -> Result<Option<Url>, FetchError> {
        let redirects = [
            StatusCode::MOVED_PERMANENTLY,
            StatusCode::FOUND,
            StatusCode::SEE_OTHER,
            StatusCode::TEMPORARY_REDIRECT,
            StatusCode::PERMANENT_REDIRECT,
        ];
        if !redirects.contains(&response.status()) {
            return Ok(None);
        }
        let refused =
            |reason: String| Err(failure(FetchErrorKind::Redirect, url, format!("{{}} redirects {reason}")));
        if !outgoing.is_safe() {
            return refused(format!("a {} request", outgoing.method));
        }
        let place = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let Some(target) = place.and_then(|place| url.join(place).ok()) else {
            return refused("without saying where to".to_owned());
        };
        let mut next = match self.guard.check_url(target.as_str()) {
            Ok(next) => next,
            Err(error @ GuardError::Forbidden { .. }) => return Err(refusal(&error)),
            Err(error) => return refused(format!("to an address that cannot be used: {error}")),
        };
        next.set_fragment(None);
        if url.scheme() == "https" && next.scheme() != "https" {
            return refused(format!("from https to http at {}", host(&next)));
        }
        if next.origin() != url.origin() && !connection.owns(&next) {
            let origin = next.origin().ascii_serialization();
            return refused(format!("to `{origin}`, which is not part of this connection"));
        }
        Ok(Some(next))
    }

    /// Reads the body. That of an error status is left out when it cannot be read: status and headers still say what
    /// to do, and a short body never passes for a whole one.
    async fn read(
        &self,
        mut response: reqwest::Response,
        connection: &Connection,
        share: Share,
        url: &Url,
    ) -> Result<Response, FetchError> {
        let status = response.status().as_u16();
        let headers = plain_headers(response.headers());
        if matches!(status, 204 | 205 | 304) {
            // These have no body, whatever their headers say of one.
            return Ok(Response { status, headers, body: String::new() });
        }
        let is_error = status >= 400;
        let bytes_max = connection.bodies.body_bytes_max();
        let bytes_max = if is_error { bytes_max.min(ERROR_BODY_BYTES_MAX) } else { bytes_max };
        match self.text(&mut response, share, bytes_max, url).await {
            Ok((body, share)) => {
                connection.bodies.keep(share, body.len());
                Ok(Response { status, headers, body })
            }
            Err(_) if is_error => Ok(Response { status, headers, body: String::new() }),
            Err(error) => Err(error),
        }
    }

    async fn text(
        &self,
        response: &mut reqwest::Response,
        share: Share,
        bytes_max: usize,
        url: &Url,
    ) -> Result<(String, Share), FetchError> {
        let damaged = |error: BodyError| {
            failure(error.kind(), url, format!("the answer of {{}} cannot be used: {error}"))
        };
        let codings: Vec<&str> = response
            .headers()
            .get_all(CONTENT_ENCODING)
            .iter()
            .map(|value| value.to_str().unwrap_or("?"))
            .collect();
        let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let mut text =
            BodyText::new(share, Some(&codings.join(", ")), content_type, bytes_max).map_err(damaged)?;
        loop {
            let chunk = tokio::time::timeout(self.limits.idle, response.chunk()).await.map_err(|_| {
                let idle = self.limits.idle;
                failure(FetchErrorKind::Timeout, url, format!("the answer of {{}} stopped for {idle:?}"))
            })?;
            match chunk.map_err(|error| self.explain(&error, url, Stage::Body))? {
                Some(bytes) => text.push(bytes).await.map_err(damaged)?,
                None => return text.finish().await.map_err(damaged),
            }
        }
    }

    async fn deliver(&self, callback: &Callback, timing: &mut Timing) -> Result<CallbackAnswer, FetchError> {
        let url = self.guard.check_url(&callback.url).map_err(|error| refusal(&error))?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let given = callback.headers.iter().map(|(name, value)| (name.as_str(), value.expose()));
        set_headers(&mut headers, given, Visibility::Secret, &url)?;
        let mut request = reqwest::Request::new(Method::POST, url.clone());
        *request.headers_mut() = headers;
        *request.body_mut() = Some(callback.body.clone().into());
        timing.start(self.clock.as_ref());
        let sent = tokio::time::timeout(callback.timeout, self.pooled.execute(request)).await;
        timing.stop(self.clock.as_ref());
        let mut response = sent
            .map_err(|_| {
                let limit = callback.timeout;
                failure(FetchErrorKind::Timeout, &url, format!("{{}} did not answer within {limit:?}"))
            })?
            .map_err(|error| self.explain(&error, &url, Stage::Head))?;
        let retry_after = response.headers().get(RETRY_AFTER).map(lossy);
        let text = beginning(&mut response).await;
        Ok(CallbackAnswer { status: response.status().as_u16(), retry_after, text })
    }

    /// Says in one clause what failed, without the URL: paths and queries may hold secrets.
    fn explain(&self, error: &reqwest::Error, url: &Url, stage: Stage) -> FetchError {
        let cause = Cause::of(error);
        if let Some(refused) = cause.guard {
            return refusal(refused);
        }
        let reason = &cause.root;
        let (kind, text) = if let Some(tls) = cause.tls {
            (FetchErrorKind::Tls, format!("no secure connection to {{}}: {tls}"))
        } else if error.is_builder() {
            (FetchErrorKind::BadUrl, format!("the request to {{}} cannot be made: {reason}"))
        } else if error.is_connect() && error.is_timeout() {
            (FetchErrorKind::Timeout, format!("{{}} could not be connected within {:?}", self.limits.connect))
        } else if error.is_connect() {
            (FetchErrorKind::Connect, format!("{{}} cannot be connected: {reason}"))
        } else {
            match stage {
                Stage::Head => (FetchErrorKind::Broken, format!("the connection to {{}} failed: {reason}")),
                Stage::Body => (FetchErrorKind::Truncated, format!("the answer of {{}} broke off: {reason}")),
            }
        };
        failure(kind, url, text)
    }
}

#[async_trait]
impl Net for Client {
    async fn send(&self, request: Request, connection: &Connection) -> Reply {
        let mut timing = Timing::new(self.clock.as_ref());
        let outcome = self.exchange(&request, connection, &mut timing).await;
        Reply { sent_at: timing.sent_at, to_head: timing.until_head(self.clock.as_ref()), outcome }
    }

    async fn post(&self, callback: Callback) -> CallbackReply {
        let mut timing = Timing::new(self.clock.as_ref());
        let outcome = self.deliver(&callback, &mut timing).await;
        CallbackReply { sent_at: timing.sent_at, duration: timing.until_head(self.clock.as_ref()), outcome }
    }
}

#[derive(Clone, Copy)]
enum Stage {
    Head,
    Body,
}

/// When the request that counts was sent: the last one, after redirects and the retry.
struct Timing {
    sent_at: Timestamp,
    sent: Duration,
    to_head: Option<Duration>,
}

impl Timing {
    fn new(clock: &dyn Clock) -> Self {
        Timing { sent_at: clock.now(), sent: clock.monotonic(), to_head: None }
    }

    fn start(&mut self, clock: &dyn Clock) {
        *self = Timing::new(clock);
    }

    fn stop(&mut self, clock: &dyn Clock) {
        self.to_head = Some(clock.monotonic().saturating_sub(self.sent));
    }

    fn until_head(&self, clock: &dyn Clock) -> Duration {
        self.to_head.unwrap_or_else(|| clock.monotonic().saturating_sub(self.sent))
    }
}

fn plain_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), lossy(value))).collect()
}

fn lossy(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

/// The first bytes of a callback's answer, for a person. What does not come in time is left out.
async fn beginning(response: &mut reqwest::Response) -> String {
    let mut bytes = Vec::new();
    let read = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            let room = CALLBACK_ANSWER_BYTES_MAX - bytes.len();
            bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() > room {
                break;
            }
        }
    };
    // Too late is no failure: the status has decided, and what came is kept.
    let _ = tokio::time::timeout(CALLBACK_ANSWER_WAIT, read).await;
    // Databases do not take zero characters in texts.
    String::from_utf8_lossy(&bytes).replace('\0', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use turnstone_core::run::FetchErrorKind::{BadUrl, Forbidden, Redirect};

    use http::header::ACCEPT;

    use super::super::outgoing::TRANSPORT_HEADERS;
    use super::*;
    use crate::clock::SystemClock;
    use crate::egress::{Bodies, BodyBudget, Policy};

    fn client() -> Client {
        Client::new(Setup::new(Guard::new(Policy::Public), Arc::new(SystemClock::new()))).unwrap()
    }

    fn connection(origins: &[&str]) -> Connection {
        let mut connection =
            Connection::new(&Url::parse(origins[0]).unwrap(), Bodies::new(&BodyBudget::default()));
        connection.origins = origins.iter().map(|url| Url::parse(url).unwrap().origin()).collect();
        connection
    }

    fn outgoing(method: Method) -> Outgoing {
        Outgoing { method, own: HeaderMap::new(), secret: HeaderMap::new(), body: None }
    }

    /// Own origins; where we are; status; where it leads; expected place or failure.
    type Row = (
        &'static [&'static str],
        &'static str,
        u16,
        &'static str,
        Result<Option<&'static str>, FetchErrorKind>,
    );

    const HOPS: &[Row] = &[
        (&["https://a.test"], "https://a.test/x", 302, "/y", Ok(Some("https://a.test/y"))),
        (&["https://a.test"], "https://a.test/x/z", 301, "y?q=1", Ok(Some("https://a.test/x/y?q=1"))),
        (&["https://a.test"], "https://a.test/x", 303, "https://a.test:443/y", Ok(Some("https://a.test/y"))),
        (&["https://a.test"], "https://a.test/x", 307, "//a.test/y", Ok(Some("https://a.test/y"))),
        (&["https://a.test"], "https://a.test/x", 308, "/y#part", Ok(Some("https://a.test/y"))),
        (&["https://a.test"], "https://a.test/x", 304, "/y", Ok(None)),
        (&["https://a.test"], "https://a.test/x", 300, "/y", Ok(None)),
        (&["https://a.test"], "https://a.test/x", 200, "/y", Ok(None)),
        (&["https://a.test"], "https://a.test/x", 302, "https://b.test/y", Err(Redirect)),
        (&["https://a.test"], "https://a.test/x", 302, "https://sub.a.test/y", Err(Redirect)),
        (&["https://a.test"], "https://a.test/x", 302, "https://a.test:444/y", Err(Redirect)),
        (&["https://a.test"], "https://a.test/x", 302, "https://a.test.evil.test/", Err(Redirect)),
        (
            &["https://a.test", "https://b.test"],
            "https://a.test/",
            302,
            "https://b.test/y",
            Ok(Some("https://b.test/y")),
        ),
        // Never down, even among the connection's own origins.
        (&["https://a.test", "http://a.test"], "https://a.test/", 302, "http://a.test/", Err(Redirect)),
        (&["http://a.test"], "http://a.test/", 302, "https://a.test/", Err(Redirect)),
        (
            &["http://a.test", "https://a.test"],
            "http://a.test/",
            302,
            "https://a.test/",
            Ok(Some("https://a.test/")),
        ),
        (&["https://a.test"], "https://a.test/", 302, "https://127.0.0.1/", Err(Forbidden)),
        (&["https://a.test"], "https://a.test/", 302, "http://0xa9fea9fe/", Err(Forbidden)),
        (&["https://a.test"], "https://a.test/", 302, "https://[::ffff:10.0.0.1]/", Err(Forbidden)),
        (&["https://a.test"], "https://a.test/", 302, "file:///etc/passwd", Err(Redirect)),
        (&["https://a.test"], "https://a.test/", 302, "https://user:pass@a.test/", Err(Redirect)),
        (&["https://a.test"], "https://a.test/", 302, "https://a.test:99999/", Err(Redirect)),
        (&["https://a.test"], "https://a.test/", 302, "", Ok(Some("https://a.test/"))),
    ];

    #[test]
    fn each_hop_is_judged() {
        let client = client();
        for (origins, from, status, location, expect) in HOPS {
            let answer =
                http::Response::builder().status(*status).header(LOCATION, *location).body("").unwrap();
            let url = Url::parse(from).unwrap();
            let outcome = client.redirect(&outgoing(Method::GET), &connection(origins), &url, &answer.into());
            let outcome =
                outcome.as_ref().map(|next| next.as_ref().map(Url::as_str)).map_err(|error| error.kind);
            assert_eq!(outcome, *expect, "{from} to {location}");
        }
    }

    #[test]
    fn a_redirect_without_a_place_and_one_of_an_unsafe_request_are_refused() {
        let client = client();
        let url = Url::parse("https://a.test/").unwrap();
        let nowhere = http::Response::builder().status(302).body("").unwrap();
        let outcome =
            client.redirect(&outgoing(Method::GET), &connection(&["https://a.test"]), &url, &nowhere.into());
        assert_eq!(outcome.unwrap_err().message, "`a.test` redirects without saying where to");
        let answer = http::Response::builder().status(302).header(LOCATION, "/y").body("").unwrap();
        let outcome =
            client.redirect(&outgoing(Method::POST), &connection(&["https://a.test"]), &url, &answer.into());
        assert_eq!(outcome.unwrap_err().kind, Redirect);
    }

    #[track_caller]
    fn refused_header(name: &str, value: &str) {
        let url = Url::parse("https://a.test/secret-path").unwrap();
        let error =
            set_headers(&mut HeaderMap::new(), [(name, value)], Visibility::Secret, &url).unwrap_err();
        assert_eq!(error.kind, BadUrl, "{name}");
        for secret in ["secret-path", "canary"] {
            assert!(!error.message.contains(secret), "{}", error.message);
        }
    }

    #[test]
    fn headers_that_could_split_a_request_are_refused() {
        for name in TRANSPORT_HEADERS {
            refused_header(name, "canary");
            refused_header(&name.to_ascii_uppercase(), "canary");
        }
        for value in ["canary\r\nx: y", "canary\n", "canary\0", "canary\u{7f}"] {
            refused_header("x-key", value);
        }
        for name in ["", "a b", "a:b", "a\r\nb", "é"] {
            refused_header(name, "canary");
        }
    }

    #[test]
    fn given_headers_replace_ours_and_add_to_each_other() {
        let url = Url::parse("https://a.test/").unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let given = [("Accept", "text/csv"), ("X-Tag", "one"), ("x-tag", "two"), ("x-name", "grün")];
        set_headers(&mut headers, given, Visibility::Plain, &url).unwrap();
        let expect: Vec<(String, String)> =
            [("accept", "text/csv"), ("x-tag", "one"), ("x-tag", "two"), ("x-name", "grün")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into();
        assert_eq!(plain_headers(&headers), expect);
    }
}
