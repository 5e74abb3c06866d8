//! Renewing an account's credentials: once, however many wait, and durable before anybody uses them.
//!
//! ```text
//!   caller ─┐
//!   caller ─┼─► one flight per instance ─► claim in the store ─► request ─► new tokens durable ─► all callers
//!   caller ─┘    (a task of its own:        (over processes,
//!                 callers may leave)         ends by itself)
//! ```
//!
//! What a crash can cost: before the provider handled the request, nothing. After it did and before its answer is
//! durable, the next try sends the old refresh token again. Providers that give the old one some grace (or do not
//! rotate) answer it; one that takes it for stolen ends the grant, and then the account must be connected anew. Nothing
//! of the poll's place is lost by that either way.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use futures_util::future::{BoxFuture, Either, FutureExt, Shared, select};
use turnstone_core::auth::{RenewalWay, Token, TokenFault, read_token, renewal_way, stored};
use turnstone_core::call::{CallAnswer, CallRequest, Change, Renewal, VendorRequest, start_at};
use turnstone_core::connector::{Connector, Settings};
use turnstone_core::id::{InstanceId, OrgId};
use turnstone_store::{InstanceRow, Lease, Written};

use super::{Account, ConnectionError, Connections, Inner, PAUSE, STORE_WORDS};
use crate::egress::Bodies;

/// Tries to make new tokens durable. The provider may take the old ones no more, so it is worth waiting for the store.
const STORE_TRIES: u32 = 40;

/// Pause between two of them.
const STORE_PAUSE: Duration = Duration::from_millis(500);

/// Renewals under way, by instance and by the renewal that they follow.
pub(super) type Flights = HashMap<(InstanceId, u64), Shared<BoxFuture<'static, Renewal>>>;

/// Takes a renewal from the list when it ends, however it ends.
struct Landing {
    inner: Arc<Inner>,
    flight: (InstanceId, u64),
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.inner.flights.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.flight);
    }
}

/// What a provider said to a renewal.
enum Verdict {
    /// These are the new values.
    New(Vec<Change>),
    /// It takes the account no more.
    Gone(String),
    /// It may work the next time.
    Passing(String),
    /// Nothing is known of it: it may still be under way.
    Silent(String),
}

impl Connections {
    /// Renews credentials, unless they are newer already than those that the caller had (`seen`). All who ask at once
    /// get the one result. Goes on to its end when nobody waits for it any more.
    pub(crate) async fn renew(&self, row: &InstanceRow, seen: u64) -> Renewal {
        let flight = {
            let mut flights = self.0.flights.lock().unwrap_or_else(PoisonError::into_inner);
            let take_off = || {
                let (inner, id, org) = (Arc::clone(&self.0), row.id, row.org);
                let landing = Landing { inner: Arc::clone(&inner), flight: (id, seen) };
                let task = tokio::spawn(async move {
                    let _landing = landing;
                    inner.renew(org, id, seen).await
                });
                let landed = task.map(|ended| {
                    ended.unwrap_or_else(|error| {
                        tracing::error!(%error, "a renewal ended in a mistake of ours");
                        Renewal::Failed("the token could not be renewed by a mistake of this program".into())
                    })
                });
                landed.boxed().shared()
            };
            flights.entry((row.id, seen)).or_insert_with(take_off).clone()
        };
        flight.await
    }
}

impl Inner {
    async fn renew(&self, org: OrgId, id: InstanceId, seen: u64) -> Renewal {
        let clock = &self.way.clock;
        // Somebody else's claim is over by then, and with it their try.
        let until = clock.monotonic() + self.settings.lease + 10 * PAUSE;
        loop {
            // As it is now: a run may have read its instance long ago.
            let row = match self.store.instance(org, id).await {
                Ok(row) => row,
                Err(error) => return failed_store(&error),
            };
            let account = match self.account(&row).await {
                Ok(account) => account,
                Err(error) => return Renewal::Failed(error.fault().message),
            };
            if account.renewals != seen {
                return Renewal::Renewed(account.settings);
            }
            if let Some(reason) = account.reconnect {
                return Renewal::Refused(reason);
            }
            let lease_for = self.settings.lease;
            let begun =
                self.directory.begin_refresh(org, id, account.generation, clock.now(), lease_for).await;
            match begun {
                Ok(Some(lease)) => return self.renew_under(lease, &row, account).await,
                Ok(None) if clock.monotonic() >= until => {
                    return Renewal::Failed(
                        "another process renews the token and does not end; it is tried again".into(),
                    );
                }
                Ok(None) => clock.sleep(PAUSE).await,
                Err(error) => return failed_store(&error),
            }
        }
    }

    async fn renew_under(&self, lease: Lease<InstanceId>, row: &InstanceRow, account: Account) -> Renewal {
        let ask = self.ask(row, &account).boxed();
        let verdict = match select(ask, self.way.clock.sleep(self.settings.request)).await {
            Either::Left((verdict, _)) => verdict,
            Either::Right(_) => {
                Verdict::Silent(format!("it was not answered within {:?}", self.settings.request))
            }
        };
        match verdict {
            Verdict::New(changes) => self.keep_new(row, &account, changes).await,
            Verdict::Gone(words) => self.mark(row, &account, words).await,
            Verdict::Passing(words) => {
                if let Err(error) = self.directory.end_refresh(lease).await {
                    tracing::warn!(%error, instance = %row.id, "a claim could not be given back and runs out");
                }
                Renewal::Failed(words)
            }
            // The claim stays until it runs out: nobody else may send the same refresh token meanwhile.
            Verdict::Silent(words) => Renewal::Failed(format!("the token could not be renewed: {words}")),
        }
    }

    async fn ask(&self, row: &InstanceRow, account: &Account) -> Verdict {
        let Account { connector, settings, .. } = account;
        match renewal_way(connector, settings) {
            Err(error) => Verdict::Passing(error.to_string()),
            Ok(RenewalWay::None) => {
                Verdict::Gone("reconnect needed: there is nothing to renew the token with".to_owned())
            }
            Ok(RenewalWay::Request(request)) => match self.token(request).await {
                Ok(token) => Verdict::New(self.changes(connector, &token)),
                Err(TokenFault::Reconnect(words)) => {
                    Verdict::Gone(settings.redacted(&TokenFault::Reconnect(words).to_string()))
                }
                Err(TokenFault::Transient(words)) => {
                    Verdict::Passing(settings.redacted(&TokenFault::Transient(words).to_string()))
                }
            },
            Ok(RenewalWay::Resource(resource)) => {
                let called = &connector.resources[resource];
                let request = CallRequest {
                    method: called.method.clone(),
                    path: called.path.clone(),
                    ..CallRequest::default()
                };
                let answer = self.run(row.org, row.id, connector, settings, resource, request).await;
                self.verdict_of(connector, &called.path, answer)
            }
        }
    }

    /// What a connector's own renewal resource brought: what its hooks set, or a token in its answer.
    fn verdict_of(&self, connector: &Connector, path: &str, answer: CallAnswer) -> Verdict {
        if let Some(fault) = &answer.fault {
            let refused = answer.provider.as_ref().is_some_and(|head| matches!(head.status, 400 | 401 | 403));
            return match refused {
                true => Verdict::Gone(format!("reconnect needed: {}", words(fault))),
                false => Verdict::Passing(format!("the token could not be renewed: {}", words(fault))),
            };
        }
        match self.brought(connector, answer) {
            Ok(changes) => Verdict::New(changes),
            Err(TokenFault::Reconnect(_)) => {
                Verdict::Passing(format!("`{path}` was called to renew the token, and it brought none"))
            }
            Err(fault @ TokenFault::Transient(_)) => Verdict::Passing(fault.to_string()),
        }
    }

    /// The values that a step of a sign-in brought.
    pub(super) fn brought(
        &self,
        connector: &Connector,
        answer: CallAnswer,
    ) -> Result<Vec<Change>, TokenFault> {
        let mut changes = answer.configuration;
        let has_token = changes.iter().any(|(_, value)| value.is_some());
        let token = read_token(answer.status, answer.body.as_deref().unwrap_or_default());
        match token {
            Ok(token) => {
                // What a hook set by its own name wins over what is read from the answer.
                let read = self.changes(connector, &token);
                let is_set = |key: &String| changes.iter().any(|(known, _)| known == key);
                let read: Vec<Change> = read.into_iter().filter(|(key, _)| !is_set(key)).collect();
                changes.extend(read);
                Ok(changes)
            }
            Err(_) if has_token => {
                let key = "oauth.user.refresh_time";
                if !changes.iter().any(|(known, _)| known == key) {
                    changes.push((key.into(), Some(self.way.clock.now().as_millisecond().to_string())));
                }
                Ok(changes)
            }
            Err(fault) => Err(fault),
        }
    }

    /// What is stored of a token: what everybody needs, and what the connector has an entry for.
    pub(super) fn changes(&self, connector: &Connector, token: &Token) -> Vec<Change> {
        let mut changes = stored(token, self.way.clock.now());
        let has_entry = |key: &str| connector.entry(key).is_some() && !key.starts_with("oauth.");
        let others = token.others.iter().filter(|(key, _)| has_entry(key));
        changes.extend(others.map(|(key, value)| (key.clone(), Some(value.clone()))));
        changes
    }

    /// Sends a token request.
    pub(super) async fn token(&self, request: VendorRequest) -> Result<Token, TokenFault> {
        let reply = self.way.send(request, &Bodies::new(&self.budget)).await;
        match reply.outcome {
            Ok(response) => read_token(response.status, &response.body),
            Err(error) => Err(TokenFault::Transient(error.message)),
        }
    }

    /// Calls a resource that the connector itself needs.
    pub(super) async fn run(
        &self,
        org: OrgId,
        instance: InstanceId,
        connector: &Arc<Connector>,
        settings: &Settings,
        resource: usize,
        request: CallRequest,
    ) -> CallAnswer {
        let context =
            self.way.context(instance, Arc::clone(connector), settings.clone(), self.way.request_id());
        let no_renewal = || {
            let words = "a step of the sign-in was refused".to_owned();
            std::future::ready(Renewal::Failed(words)).boxed()
        };
        let step = start_at(context, resource, request);
        self.way.drive(org, step, &Bodies::new(&self.budget), &no_renewal).await
    }

    /// Makes new tokens durable. Only then anybody gets them.
    async fn keep_new(&self, row: &InstanceRow, account: &Account, changes: Vec<Change>) -> Renewal {
        for attempt in 1..=STORE_TRIES {
            match self.put_new(row, account, &changes).await {
                // Written, or somebody else renewed them too and theirs hold.
                Ok(Some(settings)) => return Renewal::Renewed(settings),
                // A hook changed something else meanwhile.
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(%error, instance = %row.id, attempt, "new tokens cannot be stored");
                    self.way.clock.sleep(STORE_PAUSE).await;
                }
            }
        }
        Renewal::Failed(STORE_WORDS.into())
    }

    /// `None` when the connection moved on while it was written.
    async fn put_new(
        &self,
        row: &InstanceRow,
        account: &Account,
        changes: &[Change],
    ) -> Result<Option<Settings>, ConnectionError> {
        let (generation, _, mut kept) = self.read(row.org, row.id).await?;
        if kept.renewals == account.renewals {
            kept.add(changes);
            kept.renewals += 1;
            if self.put(row, generation, &kept).await? == Written::Moved {
                return Ok(None);
            }
        }
        Ok(Some(self.account(row).await?.settings))
    }

    /// Writes that the account must be connected anew.
    async fn mark(&self, row: &InstanceRow, account: &Account, reason: String) -> Renewal {
        tracing::info!(instance = %row.id, "its provider takes it no more: {reason}");
        match self.directory.mark_reconnect(row.org, row.id, account.generation, &reason).await {
            Ok(Written::Yes) => Renewal::Refused(reason),
            Ok(Written::Moved) => match self.account(row).await {
                Ok(now) if now.renewals != account.renewals => Renewal::Renewed(now.settings),
                Ok(_) | Err(_) => Renewal::Failed(reason),
            },
            Err(error) => failed_store(&error),
        }
    }
}

fn failed_store(error: &turnstone_store::StoreError) -> Renewal {
    tracing::error!(%error, "a connection cannot be read or written");
    Renewal::Failed(STORE_WORDS.into())
}

/// A fault's sentence with the provider's own words.
pub(super) fn words(fault: &turnstone_core::call::CallFault) -> String {
    match &fault.provider_message {
        Some(said) => format!("{} ({said})", fault.message),
        None => fault.message.clone(),
    }
}
