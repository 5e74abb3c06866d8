//! The way of one call: its hooks to their workers, its requests through the guard to the provider.
//!
//! All IO of a call happens here and no decision is made here; the machine (the core's `call`) decides. The number of
//! requests that are under way to one host is bounded over all calls, as it is for polls.
//!
//! Not here: whose credentials a request carries and how they are renewed (`connections`).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use futures_util::future::BoxFuture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use turnstone_core::call::{CallAnswer, CallContext, CallStep, Renewal, VendorRequest};
use turnstone_core::connector::{Connector, Settings};
use turnstone_core::hook::{HookFault, HookLimits};
use turnstone_core::id::{InstanceId, OrgId};
use turnstone_core::run::{FetchError, FetchErrorKind, Reply, Request};
use url::Url;

use crate::clock::{Clock, Entropy};
use crate::egress::{Bodies, Connection, Net};
use crate::hooks::HookPool;
use crate::secrets::Secret;

/// Hosts that are remembered; beyond this many those that nobody asks are forgotten.
const HOSTS_MAX: usize = 10_000;

/// What a call works with.
pub(crate) struct Way {
    pub(crate) net: Arc<dyn Net>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) hooks: Option<HookPool>,
    pub(crate) hosts: Hosts,
}

/// Renews the credentials of the account that a call belongs to.
pub(crate) type Renew<'a> = &'a (dyn Fn() -> BoxFuture<'a, Renewal> + Send + Sync);

impl Way {
    /// Carries out a call to its end.
    pub(crate) async fn drive(
        &self,
        org: OrgId,
        mut step: CallStep,
        bodies: &Bodies,
        renew: Renew<'_>,
    ) -> CallAnswer {
        loop {
            step = match step {
                CallStep::Hook(ask, waiting) => {
                    let Some(hooks) = &self.hooks else {
                        let why = "hooks are switched off in this process".to_owned();
                        step = waiting.resume(Err(HookFault::NoWorker { why }));
                        continue;
                    };
                    let place = ask.place.clone();
                    let call =
                        ask.into_call(HookLimits::default(), self.clock.now(), self.entropy.next_u64());
                    let reply = hooks.run(org, &call).await;
                    for line in &reply.log {
                        tracing::debug!(%org, hook = place, "a hook says: {line}");
                    }
                    waiting.resume(reply.result)
                }
                CallStep::Fetch(request, waiting) => waiting.resume(self.send(request, bodies).await),
                CallStep::RefreshToken(waiting) => waiting.resume(renew().await),
                CallStep::Done(answer) => return answer,
            };
        }
    }

    /// What a call of an instance starts from.
    pub(crate) fn context(
        &self,
        instance: InstanceId,
        connector: Arc<Connector>,
        settings: Settings,
        request_id: String,
    ) -> CallContext {
        let nonce = format!("{:016x}{:016x}", self.entropy.next_u64(), self.entropy.next_u64());
        let (instance, now) = (instance.0, self.clock.now());
        CallContext { connector, settings, instance, request_id, now, nonce }
    }

    /// An id for a request: 24 hex digits, as the field's look.
    pub(crate) fn request_id(&self) -> String {
        format!("{:016x}{:08x}", self.entropy.next_u64(), self.entropy.next_u64() >> 32)
    }

    /// Sends one request, its headers as secrets, redirects only inside its own origin.
    pub(crate) async fn send(&self, request: VendorRequest, bodies: &Bodies) -> Reply {
        let boundary = format!("turnstone-{:016x}{:016x}", self.entropy.next_u64(), self.entropy.next_u64());
        let Request { method, url, headers, body } = request.into_request(&boundary);
        let origin = match Url::parse(&url) {
            Ok(url) => url.origin(),
            Err(error) => {
                let message = format!("the provider's address cannot be used ({error})");
                let error = FetchError { kind: FetchErrorKind::BadUrl, message };
                return Reply {
                    sent_at: self.clock.now(),
                    to_head: std::time::Duration::ZERO,
                    outcome: Err(error),
                };
            }
        };
        let _place = self.hosts.enter(&origin.ascii_serialization()).await;
        let connection = Connection {
            headers: headers.into_iter().map(|(name, value)| (name, Secret::from(value))).collect(),
            basic: None,
            origins: vec![origin],
            bodies: bodies.clone(),
        };
        self.net.send(Request { method, url, headers: Vec::new(), body }, &connection).await
    }
}

/// How many requests of calls are under way to each host.
pub(crate) struct Hosts {
    at_once: usize,
    known: Mutex<HashMap<String, Weak<Semaphore>>>,
}

impl Hosts {
    /// At most so many at once for each.
    pub(crate) fn new(at_once: usize) -> Hosts {
        Hosts { at_once: at_once.max(1), known: Mutex::default() }
    }

    /// Waits for a place among the requests to this host.
    async fn enter(&self, host: &str) -> OwnedSemaphorePermit {
        let places = self.places(host);
        places.acquire_owned().await.expect("these semaphores are never closed")
    }

    fn places(&self, host: &str) -> Arc<Semaphore> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(places) = known.get(host).and_then(Weak::upgrade) {
            return places;
        }
        if known.len() >= HOSTS_MAX {
            known.retain(|_, places| places.strong_count() > 0);
        }
        let places = Arc::new(Semaphore::new(self.at_once));
        known.insert(host.to_owned(), Arc::downgrade(&places));
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_host_has_so_many_places_and_others_their_own() {
        let hosts = Hosts::new(2);
        let (one, two) = (hosts.enter("https://a.test").await, hosts.enter("https://a.test").await);
        assert_eq!(hosts.places("https://a.test").available_permits(), 0);
        assert_eq!(hosts.places("https://b.test").available_permits(), 2);
        drop(one);
        assert_eq!(hosts.places("https://a.test").available_permits(), 1);
        drop(two);
        assert_eq!(hosts.places("https://a.test").available_permits(), 2, "forgotten, and made anew");
    }
}
