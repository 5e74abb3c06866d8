//! Connecting an account: the address where a person allows it, the exchange of what comes back, and the steps that a
//! connector has of its own.
//!
//! What the redirect brought (`providerData`) is an input of the exchange and is kept nowhere. The state and the PKCE
//! verifier of an authorisation wait in the store, sealed, for ten minutes, and are taken once. A client that hands on
//! the code without the state gets the verifier that waits for its application, if only one does.
//!
//! The steps, in this order: exchange (or the connector's `oauthOnTokenExchange`), `provisionAuthValidation`,
//! `onProvision`. All of them run before there is an instance, so an account that cannot be connected leaves none.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use turnstone_core::auth::{
    self, Authorization, Grant, RenewalWay, TokenFault, access_token_request, authorization_page,
    authorization_url, code_request, read_oauth1_token, renewal_way, request_token, revocation_request,
};
use turnstone_core::call::{CallBody, CallFault, CallRequest, Change, VendorRequest};
use turnstone_core::connector::{AuthenticationKind, Connector, ResourceKind, Settings};
use turnstone_core::id::{InstanceId, OrgId};
use turnstone_store::{InstanceRow, NewAuthorization};

use super::renewal::words;
use super::{ConnectionError, Connections, Inner};
use crate::document::configuration_of;
use crate::egress::Bodies;
use crate::secrets::{Place, Secret};

/// How long an authorisation may take. Longer than anybody reads a page, short enough that nobody finds an old one.
const WAITS: SignedDuration = SignedDuration::from_mins(10);

/// The instance of steps that run before there is one.
const NO_INSTANCE: InstanceId = InstanceId(0);

/// What an authorisation is asked for with.
#[derive(Clone, Default)]
pub struct AskedFor {
    /// Configuration values over the connector's defaults: `oauth.api.key`, `oauth.callback.url` and others.
    pub configuration: BTreeMap<String, String>,
    /// The caller's own state; one is made without it.
    pub state: Option<String>,
    /// Scopes, separated by blanks; the configured ones when empty.
    pub scope: String,
    /// The request token, for OAuth 1; one is asked for without it.
    pub request_token: Option<String>,
}

/// A request token of OAuth 1 and its secret. Prints neither.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestToken {
    /// The token.
    pub token: String,
    /// Its secret.
    pub secret: String,
}

impl fmt::Debug for RequestToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequestToken")
    }
}

/// What connecting an account brought. Prints its keys only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SignedIn {
    changes: Vec<Change>,
}

impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.changes.iter().map(|(key, _)| key)).finish()
    }
}

impl SignedIn {
    /// Writes it into the configuration of a document that is about to be sealed and stored, and takes `providerData`
    /// out: so a new instance and its tokens are one transaction.
    pub fn write_into(&self, document: &mut Value) {
        let Some(members) = document.as_object_mut() else { return };
        members.shift_remove("providerData");
        let configuration = members.entry("configuration").or_insert_with(|| json!({}));
        let Some(configuration) = configuration.as_object_mut() else { return };
        for (key, value) in &self.changes {
            match value {
                Some(value) => {
                    configuration.insert(key.clone(), json!(value));
                }
                None => {
                    configuration.shift_remove(key);
                }
            }
        }
    }
}

/// What waits for the end of an authorisation.
#[derive(Serialize, Deserialize)]
struct Waiting {
    /// The connector, so that a state of one is of no use for another.
    connector: String,
    /// The PKCE verifier, or the secret of a request token.
    secret: String,
}

impl Connections {
    /// The address where a person allows the access. A state and a PKCE verifier wait for what comes back.
    pub async fn authorization_url(
        &self,
        org: OrgId,
        connector: &Arc<Connector>,
        asked: AskedFor,
    ) -> Result<String, CallFault> {
        let mut settings = connector.settings(&asked.configuration);
        if connector.authentication == AuthenticationKind::OAuth1 {
            let token = match asked.request_token {
                Some(token) => token,
                None => self.0.request_token(org, connector, &settings).await?.token,
            };
            return authorization_page(&settings, &token).map_err(refused);
        }
        if connector.authentication != AuthenticationKind::OAuth2 {
            let words = format!("the connector `{}` has no page where access is allowed", connector.key);
            return Err(CallFault::new(400, words));
        }
        if let Some(step) = connector.resource_of(ResourceKind::OAuthOnAuthorizeUrl) {
            let changes = self.0.step(org, NO_INSTANCE, connector, &settings, step, CallBody::Empty).await?;
            apply(&mut settings, &changes.configuration);
        }
        let state = asked.state.unwrap_or_else(|| self.0.unguessable());
        let verifier = self.0.unguessable();
        let authorization = Authorization { state: &state, verifier: Some(&verifier), scope: &asked.scope };
        let url = authorization_url(&settings, authorization).map_err(refused)?;
        let client = client_of(connector, &settings);
        self.0.wait(org, &format!("state\n{state}"), &client, connector, verifier).await?;
        Ok(url)
    }

    /// A request token of OAuth 1; its secret waits for the exchange.
    pub async fn request_token(
        &self,
        org: OrgId,
        connector: &Arc<Connector>,
        asked: AskedFor,
    ) -> Result<RequestToken, CallFault> {
        self.0.request_token(org, connector, &connector.settings(&asked.configuration)).await
    }

    /// Connects an account by a document with its secrets open: exchanges what `providerData` holds, sees whether the
    /// credentials work, and runs the connector's own steps.
    pub async fn sign_in(
        &self,
        org: OrgId,
        connector: &Arc<Connector>,
        document: &Value,
    ) -> Result<SignedIn, CallFault> {
        let empty = Map::new();
        let data = document.get("providerData").and_then(Value::as_object).unwrap_or(&empty);
        let mut settings = connector.settings(&configuration_of(document));
        let mut changes = match brought_along(connector, document, data) {
            Some(tokens) => tokens,
            None => self.0.exchange(org, connector, &settings, data).await?,
        };
        apply(&mut settings, &changes);
        if let Some(step) = connector.resource_of(ResourceKind::ProvisionAuthValidation) {
            let body = CallBody::Json(Value::Object(data.clone()).to_string());
            let answer = self.0.step(org, NO_INSTANCE, connector, &settings, step, body).await?;
            apply(&mut settings, &answer.configuration);
            changes.extend(answer.configuration);
        }
        if let Some(step) = connector.resource_of(ResourceKind::OnProvision) {
            let body = CallBody::Json(Value::Object(data.clone()).to_string());
            let answer = self.0.step(org, NO_INSTANCE, connector, &settings, step, body).await?;
            changes.extend(answer.configuration);
        }
        Ok(SignedIn { changes })
    }

    /// Gives an instance that is there what connecting it brought: it is connected from then on, and its pollers that
    /// rested for that go on where they stood.
    pub async fn adopt(&self, row: &InstanceRow, signed_in: &SignedIn) -> Result<(), ConnectionError> {
        let adopt = |kept: &mut super::Kept| {
            kept.add(&signed_in.changes);
            kept.renewals += 1;
            true
        };
        self.0.write(row, super::Grant::New, adopt).await?;
        let now = self.0.way.clock.now();
        for poller in self.0.store.pollers(row.org, Some(row.id)).await? {
            let rests = poller.paused.as_deref().is_some_and(|reason| reason.starts_with(RESTS));
            if rests {
                self.0.store.set_due(row.org, poller.id, now, true).await?;
            }
        }
        Ok(())
    }

    /// Gives the credentials back and runs the connector's last step. The instance goes whatever comes of it; what did
    /// not work is told.
    pub async fn disconnect(&self, row: &InstanceRow) -> Vec<String> {
        let account = match self.0.account(row).await {
            Ok(account) => account,
            Err(ConnectionError::NoConnector(_)) => return Vec::new(),
            Err(error) => return vec![error.fault().message],
        };
        let (connector, settings) = (&account.connector, &account.settings);
        let mut told = Vec::new();
        if let Some(step) = connector.resource_of(ResourceKind::OnDelete) {
            let done = self.0.step(row.org, row.id, connector, settings, step, CallBody::Empty).await;
            told.extend(done.err().map(|fault| words(&fault)));
        }
        let revoked = match connector.resource_of(ResourceKind::OAuthOnTokenRevoke) {
            Some(step) => {
                let done = self.0.step(row.org, row.id, connector, settings, step, CallBody::Empty).await;
                done.map(|_| ())
            }
            None => match revocation_request(settings) {
                Ok(Some(request)) => self.0.plain(request).await.map(|_| ()),
                Ok(None) | Err(_) => Ok(()),
            },
        };
        told.extend(revoked.err().map(|fault| words(&fault)));
        told
    }
}

/// What the reason of a poller begins with that rests until its account is connected anew.
const RESTS: &str = "reconnect needed";

/// What a step of a connector left.
struct Stepped {
    configuration: Vec<Change>,
}

impl Inner {
    /// The values that the exchange brings; none where there is nothing to exchange.
    async fn exchange(
        &self,
        org: OrgId,
        connector: &Arc<Connector>,
        settings: &Settings,
        data: &Map<String, Value>,
    ) -> Result<Vec<Change>, CallFault> {
        match connector.authentication {
            AuthenticationKind::OAuth2 => self.exchange_code(org, connector, settings, data).await,
            AuthenticationKind::OAuth1 => self.exchange_verifier(org, connector, settings, data).await,
            AuthenticationKind::OAuth2ClientCredentials | AuthenticationKind::OAuth2Password => {
                self.first_token(org, connector, settings).await
            }
            AuthenticationKind::None
            | AuthenticationKind::Basic
            | AuthenticationKind::ApiKey
            | AuthenticationKind::AwsV4
            | AuthenticationKind::Custom => Ok(Vec::new()),
        }
    }

    async fn exchange_code(
        &self,
        org: OrgId,
        connector: &Arc<Connector>,
        settings: &Settings,
        data: &Map<String, Value>,
    ) -> Result<Vec<Change>, CallFault> {
        let grant = Grant::read(data).map_err(refused)?;
        let verifier = match &grant.state {
            Some(state) => {
                let found = self.take(org, &format!("state\n{state}"), connector).await?;
                let words = "the `state` is unknown, was used already, or is older than ten minutes; begin again at \
                             `/oauth/url`";
                Some(found.ok_or_else(|| CallFault::new(400, words))?)
            }
            None => self.take(org, &client_of(connector, settings), connector).await?,
        };
        let Some(step) = connector.resource_of(ResourceKind::OAuthOnTokenExchange) else {
            let request = code_request(settings, &grant, verifier.as_deref()).map_err(refused)?;
            let token = self.token(request).await.map_err(|fault| not_exchanged(settings, &fault))?;
            return Ok(self.changes(connector, &token));
        };
        let mut body = data.clone();
        if let Some(verifier) = verifier {
            body.insert("code_verifier".into(), json!(verifier));
        }
        let body = CallBody::Json(Value::Object(body).to_string());
        let answer = self.answer(org, NO_INSTANCE, connector, settings, step, body).await?;
        self.brought(connector, answer).map_err(|fault| not_exchanged(settings, &fault))
    }

    async fn exchange_verifier(
        &self,
        org: OrgId,
        connector: &Arc<Connector>,
        settings: &Settings,
        data: &Map<String, Value>,
    ) -> Result<Vec<Change>, CallFault> {
        let text = |name: &str| data.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let (Some(token), Some(verifier)) = (text("oauth_token"), text("oauth_verifier")) else {
            let words = "`providerData` needs `oauth_token` and `oauth_verifier`; send those of the redirect";
            return Err(CallFault::new(400, words));
        };
        let waited = self.take(org, &format!("request token\n{token}"), connector).await?;
        let secret = text("secret").map(str::to_owned).or(waited).unwrap_or_default();
        let mut settings = settings.clone();
        settings.set("oauth.user.token", token);
        settings.set("oauth.user.token.secret", &secret);
        let (now, nonce) = (self.way.clock.now(), self.way.request_id());
        let request = access_token_request(&settings, verifier, now, &nonce).map_err(refused)?;
        let body = self.plain(request).await?;
        let words = "the provider answered without a token; connect the account anew";
        let token = read_oauth1_token(&body).ok_or_else(|| CallFault::new(502, words))?;
        Ok(vec![
            ("oauth.user.token".into(), Some(token.token)),
            ("oauth.user.token.secret".into(), Some(token.secret)),
        ])
    }

    /// The first token of an account that needs nobody's leave.
    pub(super) async fn first_token(
        &self,
        org: OrgId,
        connector: &Arc<Connector>,
        settings: &Settings,
    ) -> Result<Vec<Change>, CallFault> {
        match renewal_way(connector, settings).map_err(refused)? {
            RenewalWay::Request(request) => {
                let token = self.token(request).await.map_err(|fault| not_exchanged(settings, &fault))?;
                Ok(self.changes(connector, &token))
            }
            RenewalWay::Resource(step) => {
                let answer =
                    self.answer(org, NO_INSTANCE, connector, settings, step, CallBody::Empty).await?;
                self.brought(connector, answer).map_err(|fault| not_exchanged(settings, &fault))
            }
            RenewalWay::None => Ok(Vec::new()),
        }
    }

    async fn request_token(
        &self,
        org: OrgId,
        connector: &Arc<Connector>,
        settings: &Settings,
    ) -> Result<RequestToken, CallFault> {
        let body = match connector.resource_of(ResourceKind::OAuth1OnTokenRequest) {
            Some(step) => {
                let answer =
                    self.answer(org, NO_INSTANCE, connector, settings, step, CallBody::Empty).await?;
                let set = |key: &str| {
                    answer
                        .configuration
                        .iter()
                        .find(|(known, _)| known == key)
                        .and_then(|(_, value)| value.clone())
                };
                if let (Some(token), Some(secret)) = (set("oauth.user.token"), set("oauth.user.token.secret"))
                {
                    return Ok(RequestToken { token, secret });
                }
                let text = answer.body.unwrap_or_default();
                serde_json::from_str::<String>(&text).unwrap_or(text)
            }
            None => {
                let callback = settings.filled("oauth.callback.url").unwrap_or("oob");
                let (now, nonce) = (self.way.clock.now(), self.way.request_id());
                self.plain(request_token(settings, callback, now, &nonce).map_err(refused)?).await?
            }
        };
        let words = "the provider answered without a request token; correct `oauth.request.url`";
        let token = read_oauth1_token(&body).ok_or_else(|| CallFault::new(502, words))?;
        let key = format!("request token\n{}", token.token);
        self.wait(org, &key, &key, connector, token.secret.clone()).await?;
        Ok(RequestToken { token: token.token, secret: token.secret })
    }

    /// Calls a step of a connector, which must succeed.
    async fn step(
        &self,
        org: OrgId,
        instance: InstanceId,
        connector: &Arc<Connector>,
        settings: &Settings,
        step: usize,
        body: CallBody,
    ) -> Result<Stepped, CallFault> {
        let answer = self.answer(org, instance, connector, settings, step, body).await?;
        Ok(Stepped { configuration: answer.configuration })
    }

    pub(super) async fn answer(
        &self,
        org: OrgId,
        instance: InstanceId,
        connector: &Arc<Connector>,
        settings: &Settings,
        step: usize,
        body: CallBody,
    ) -> Result<turnstone_core::call::CallAnswer, CallFault> {
        let called = &connector.resources[step];
        let (method, path) = (called.method.clone(), called.path.clone());
        let body = if method == "GET" { CallBody::Empty } else { body };
        let request = CallRequest { method, path, body, ..CallRequest::default() };
        let answer = self.run(org, instance, connector, settings, step, request).await;
        match answer.fault {
            None => Ok(answer),
            Some(fault) => {
                let message = format!("`{}` failed: {}", called.kind.word(), fault.message);
                Err(CallFault { message, ..fault })
            }
        }
    }

    /// Sends a request whose answer is no token: its body.
    async fn plain(&self, request: VendorRequest) -> Result<String, CallFault> {
        let reply = self.way.send(request, &Bodies::new(&self.budget)).await;
        match reply.outcome {
            Ok(response) if (200..300).contains(&response.status) => Ok(response.body),
            Ok(response) => {
                let words = format!("the provider refused the credentials with {}", response.status);
                Err(CallFault::new(if response.status < 500 { 401 } else { 502 }, words))
            }
            Err(error) => Err(CallFault::new(502, error.message)),
        }
    }

    /// Keeps a secret until an authorisation comes back.
    async fn wait(
        &self,
        org: OrgId,
        key: &str,
        client: &str,
        connector: &Connector,
        secret: String,
    ) -> Result<(), CallFault> {
        let (state_hash, client_hash) = (hash(key), hash(client));
        let waiting = Waiting { connector: connector.key.clone(), secret };
        let text = serde_json::to_string(&waiting).expect("two texts are always JSON");
        let row = row(&state_hash);
        let place = Place { organisation: org.0, row: &row };
        let sealed = self.preparer.keys().seal(&Secret::from(text), place, self.way.entropy.as_ref());
        let now = self.way.clock.now();
        let expires_at = now.checked_add(WAITS).unwrap_or(now);
        let new = NewAuthorization { org, state_hash, client_hash, sealed, expires_at };
        self.directory
            .add_authorization(new, now)
            .await
            .map_err(|error| ConnectionError::Store(error).fault())
    }

    /// Takes what waits under this key, if it is of this connector.
    async fn take(&self, org: OrgId, key: &str, connector: &Connector) -> Result<Option<String>, CallFault> {
        let taken = self.directory.take_authorization(org, hash(key), self.way.clock.now()).await;
        let Some(taken) = taken.map_err(|error| ConnectionError::Store(error).fault())? else {
            return Ok(None);
        };
        let row = row(&taken.state_hash);
        let place = Place { organisation: org.0, row: &row };
        let open = self.preparer.keys().open(&taken.sealed, place);
        let text = open.map_err(|error| ConnectionError::Sealed(error).fault())?;
        let waiting = serde_json::from_str::<Waiting>(text.expose()).ok();
        Ok(waiting.filter(|waiting| waiting.connector == connector.key).map(|waiting| waiting.secret))
    }

    /// 64 letters that nobody guesses: a state, or a PKCE verifier.
    fn unguessable(&self) -> String {
        let mut bytes = [0; 32];
        self.way.entropy.fill(&mut bytes);
        hex::encode(bytes)
    }
}

/// Tokens that were obtained elsewhere and stand in the document, where nothing is there to be exchanged.
pub(super) fn brought_along(
    connector: &Connector,
    document: &Value,
    data: &Map<String, Value>,
) -> Option<Vec<Change>> {
    const GRANTS: [&str; 3] = ["code", "error", "oauth_verifier"];
    const TOKENS: [&str; 5] = [
        "oauth.user.token",
        "oauth.user.token.secret",
        "oauth.user.refresh_token",
        "oauth.user.refresh_time",
        "expires_in",
    ];
    let exchanges =
        matches!(connector.authentication, AuthenticationKind::OAuth2 | AuthenticationKind::OAuth1);
    if !exchanges || GRANTS.iter().any(|member| data.contains_key(*member)) {
        return None;
    }
    let configuration = configuration_of(document);
    configuration.get(TOKENS[0]).filter(|token| !token.trim().is_empty())?;
    let given = configuration.into_iter().filter(|(key, _)| TOKENS.contains(&key.as_str()));
    Some(given.map(|(key, value)| (key, Some(value))).collect())
}

/// What an authorisation can be found by without its state: connector and application.
fn client_of(connector: &Connector, settings: &Settings) -> String {
    let value = |key: &str| settings.filled(key).unwrap_or_default().to_owned();
    format!("client\n{}\n{}\n{}", connector.key, value("oauth.api.key"), value("oauth.callback.url"))
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

fn row(state_hash: &[u8; 32]) -> String {
    format!("authorization/{}", hex::encode(state_hash))
}

pub(super) fn apply(settings: &mut Settings, changes: &[Change]) {
    for (key, value) in changes {
        match value {
            Some(value) => settings.set(key, value),
            None => settings.remove(key),
        }
    }
}

fn refused(error: auth::AuthError) -> CallFault {
    CallFault::new(400, error.to_string())
}

/// A token that was refused at the first exchange. There is nothing yet that could be connected anew.
fn not_exchanged(settings: &Settings, fault: &TokenFault) -> CallFault {
    let (status, said) = match fault {
        TokenFault::Reconnect(said) => (401, said),
        TokenFault::Transient(said) => (502, said),
    };
    CallFault::new(status, settings.redacted(&format!("the account cannot be connected: {said}")))
}
