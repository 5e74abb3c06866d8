//! The way of a flow's requests: through the connection of an instance, or without one.
//!
//! Credentials are added to requests that the core marked as going to the connection's own origin, and to no others. A
//! 401 leads to one renewal and one more try. No card ever sees a credential.
//!
//! Not here: which requests are sent and what their answers mean (the core's `flow`).

use std::sync::{Arc, PoisonError};

use futures_util::future::{Either, select};
use std::pin::pin;
use tokio::sync::Mutex;
use turnstone_core::auth;
use turnstone_core::call::{Renewal, VendorRequest, authorise};
use turnstone_core::connector::{Settings, UnsetPlaces, keys};
use turnstone_core::flow::run::FlowRequest;
use turnstone_core::poll::{RECONNECT_NEEDED, RunFault};
use turnstone_core::run::{FetchError, FetchErrorKind, Reply};
use turnstone_store::InstanceRow;
use url::Url;

use crate::calls::Calls;
use crate::clock::Clock;
use crate::connections::{Account, NotReady};
use crate::egress::{Bodies, Connection, Net};
use crate::prepare::Prepared;

/// Secrets that are shorter would cut ordinary words out of a text.
const SECRET_CHARS_MIN: usize = 6;

/// Sends the requests of one run.
pub struct Link {
    net: Arc<dyn Net>,
    clock: Arc<dyn Clock>,
    bodies: Bodies,
    /// Address that relative URLs continue.
    base_url: Option<String>,
    connection: Via,
}

/// Settings that were renewed since: an answer from before may still repeat their secrets.
type Former = Box<std::sync::Mutex<Vec<Settings>>>;

/// With whose credentials.
enum Via {
    /// Those of a document without a connector.
    Document(Connection),
    /// Those of an account of a connector.
    Account { calls: Calls, row: Box<InstanceRow>, account: Box<Mutex<Account>>, former: Former },
}

impl Link {
    /// A link with these credentials, or with none.
    pub fn new(
        net: Arc<dyn Net>,
        clock: Arc<dyn Clock>,
        base_url: Option<String>,
        connection: Connection,
    ) -> Link {
        let bodies = connection.bodies.clone();
        Link { net, clock, bodies, base_url, connection: Via::Document(connection) }
    }

    /// The link of an instance whose document brings its own credentials.
    pub(super) fn of_document(
        prepared: &Prepared,
        net: Arc<dyn Net>,
        clock: Arc<dyn Clock>,
        bodies: Bodies,
    ) -> Result<Link, RunFault> {
        let connection = prepared.connection_of_flows(bodies).map_err(|error| error.fault())?;
        Ok(Link::new(net, clock, prepared.instance.base_url.clone(), connection))
    }

    /// The link of an instance that was made from a connector.
    pub(super) async fn of_account(
        calls: Calls,
        row: &InstanceRow,
        net: Arc<dyn Net>,
        clock: Arc<dyn Clock>,
        bodies: Bodies,
    ) -> Result<Link, RunFault> {
        let account = match calls.connections().ready(row).await {
            Ok(account) => account,
            Err(NotReady::Reconnect(words)) => return Err(RunFault::new(RECONNECT_NEEDED, words, false)),
            Err(NotReady::Faulty(fault)) => {
                return Err(RunFault::new("connection", fault.message, fault.status >= 500));
            }
        };
        let base = account.settings.filled(keys::BASE_URL);
        let base_url = match base.map(|base| account.settings.fill(base, "`base.url`", UnsetPlaces::Refuse)) {
            Some(Err(unset)) => return Err(RunFault::new("badConfiguration", unset.to_string(), false)),
            Some(Ok(base)) => Some(base),
            None => None,
        };
        let (row, account) = (Box::new(row.clone()), Box::new(Mutex::new(account)));
        let former = Former::default();
        Ok(Link { net, clock, bodies, base_url, connection: Via::Account { calls, row, account, former } })
    }

    /// Address that relative URLs continue, and whose origin gets the credentials.
    pub fn base_url(&self) -> Option<&str> {
        self.base_url.as_deref()
    }

    /// Memory of this run's answers.
    pub(super) fn bodies(&self) -> &Bodies {
        &self.bodies
    }

    /// A text without the secrets that it may repeat.
    pub fn redacted(&self, text: &str) -> String {
        match &self.connection {
            Via::Document(connection) => without(text, &secrets_of(connection)),
            Via::Account { account, former, .. } => match account.try_lock() {
                Ok(account) => {
                    let former = former.lock().unwrap_or_else(PoisonError::into_inner);
                    former.iter().fold(account.settings.redacted(text), |text, before| before.redacted(&text))
                }
                // Nobody sends any more when texts are made for people.
                Err(_) => String::new(),
            },
        }
    }

    /// Sends one request, within the time that its card gives it.
    pub(super) async fn send(&self, request: FlowRequest) -> Reply {
        let FlowRequest { request, authorised, timeout } = request;
        let sent_at = self.clock.now();
        let send = async {
            match (&self.connection, authorised) {
                (Via::Document(connection), true) => self.net.send(request, connection).await,
                (Via::Account { calls, row, account, former }, true) => {
                    self.send_authorised(calls, row, account, former, request).await
                }
                (Via::Document(_) | Via::Account { .. }, false) => {
                    let Ok(url) = Url::parse(&request.url) else { return self.bad_url() };
                    self.net.send(request, &Connection::new(&url, self.bodies.clone())).await
                }
            }
        };
        let Some(timeout) = timeout else { return send.await };
        match select(pin!(send), pin!(self.clock.sleep(timeout))).await {
            Either::Left((reply, _)) => reply,
            Either::Right(((), _)) => {
                let message =
                    format!("no answer within the {} s that the card allows", timeout.as_secs_f64());
                let error = FetchError { kind: FetchErrorKind::Timeout, message };
                Reply { sent_at, to_head: timeout, outcome: Err(error) }
            }
        }
    }

    async fn send_authorised(
        &self,
        calls: &Calls,
        row: &InstanceRow,
        account: &Mutex<Account>,
        former: &Former,
        request: turnstone_core::run::Request,
    ) -> Reply {
        let (first, seen) = self.signed(calls, row, account, request.clone()).await;
        let reply = match first {
            Ok(signed) => calls.send_signed(signed, &self.bodies).await,
            Err(error) => return self.unsent(error),
        };
        if !matches!(&reply.outcome, Ok(response) if response.status == 401) {
            return reply;
        }
        {
            let account = account.lock().await;
            if !auth::can_renew(&account.connector, &account.settings) {
                return reply;
            }
        }
        match calls.connections().renew(row, seen).await {
            Renewal::Renewed(_) => match calls.connections().account(row).await {
                Ok(renewed) => {
                    let before = std::mem::replace(&mut *account.lock().await, renewed);
                    former.lock().unwrap_or_else(PoisonError::into_inner).push(before.settings);
                }
                Err(error) => return self.unsent(error.fault().message),
            },
            Renewal::Refused(message) => {
                let error = FetchError { kind: FetchErrorKind::Reconnect, message };
                return Reply { outcome: Err(error), ..reply };
            }
            Renewal::Failed(message) => {
                let error = FetchError { kind: FetchErrorKind::Broken, message };
                return Reply { outcome: Err(error), ..reply };
            }
        }
        match self.signed(calls, row, account, request).await.0 {
            Ok(signed) => calls.send_signed(signed, &self.bodies).await,
            Err(error) => self.unsent(error),
        }
    }

    /// The request with the account's credentials, and how often they had been renewed.
    async fn signed(
        &self,
        calls: &Calls,
        row: &InstanceRow,
        account: &Mutex<Account>,
        request: turnstone_core::run::Request,
    ) -> (Result<VendorRequest, String>, u64) {
        let account = account.lock().await.clone();
        let renewals = account.renewals;
        let signed = authorise(&calls.context_of(row, account), request).map_err(|fault| fault.message);
        (signed, renewals)
    }

    fn unsent(&self, message: String) -> Reply {
        let error = FetchError { kind: FetchErrorKind::Call, message };
        Reply { sent_at: self.clock.now(), to_head: std::time::Duration::ZERO, outcome: Err(error) }
    }

    fn bad_url(&self) -> Reply {
        let error = FetchError {
            kind: FetchErrorKind::BadUrl,
            message: "the address cannot be used; correct the card's URL".to_owned(),
        };
        Reply { sent_at: self.clock.now(), to_head: std::time::Duration::ZERO, outcome: Err(error) }
    }
}

/// Headers whose values are no secrets, whoever gives them.
const PLAIN_HEADERS: [&str; 5] =
    ["accept", "accept-encoding", "accept-language", "content-type", "user-agent"];

/// What grants access in the headers of a connection, as it might be repeated.
fn secrets_of(connection: &Connection) -> Vec<String> {
    let named = connection.headers.iter();
    let named = named.filter(|(name, _)| !PLAIN_HEADERS.contains(&name.to_ascii_lowercase().as_str()));
    let mut secrets: Vec<String> =
        named.flat_map(|(_, secret)| secret.expose().split_whitespace().map(str::to_owned)).collect();
    if let Some((user, password)) = &connection.basic {
        let pair = auth::basic(user, password.expose());
        secrets.extend(pair.split_whitespace().map(str::to_owned));
        secrets.push(password.expose().to_owned());
    }
    secrets.retain(|secret| {
        let is_scheme = ["bearer", "basic", "token"].iter().any(|scheme| secret.eq_ignore_ascii_case(scheme));
        secret.len() >= SECRET_CHARS_MIN && !is_scheme
    });
    secrets
}

fn without(text: &str, secrets: &[String]) -> String {
    secrets.iter().fold(text.to_owned(), |text, secret| match text.contains(secret.as_str()) {
        true => text.replace(secret.as_str(), "********"),
        false => text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::egress::BodyBudget;
    use crate::secrets::Secret;

    #[test]
    fn what_a_provider_repeats_of_a_connection_is_taken_out_and_nothing_else() {
        let url = Url::parse("https://a.test").unwrap();
        let mut connection = Connection::new(&url, Bodies::new(&BodyBudget::default()));
        connection.headers = vec![
            ("Authorization".into(), Secret::from("Bearer abcdef123")),
            ("Accept".into(), Secret::from("application/json")),
            ("X-Key".into(), Secret::from("short")),
        ];
        connection.basic = Some(("user".into(), Secret::from("pa\"ss-word")));
        let secrets = secrets_of(&connection);
        let clean = |text: &str| without(text, &secrets);
        assert_eq!(
            clean("bearer abcdef123, application/json, short"),
            "bearer ********, application/json, short"
        );
        assert_eq!(clean("user:pa\"ss-word"), "user:********");
        assert_eq!(clean("Basic dXNlcjpwYSJzcy13b3Jk"), "Basic ********");
    }
}
