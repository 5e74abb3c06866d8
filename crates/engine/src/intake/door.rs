//! The door: whose a request is, whether it may come in, and keeping it before it is answered.
//!
//! Whoever is not let in learns nothing but that: an unknown address, one that is closed and one that belongs to
//! another connector are all unknown, and every failed proof is the same refusal. What was wrong is remembered for
//! the instance's own people, in memory alone, so that a stranger writes nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use metrics::counter;
use turnstone_core::id::{InboundId, InstanceId};
use turnstone_core::instance::Webhook;
use turnstone_core::intake::{ChallengeAnswer, RawRequest, Refusal, Token, Verification, Way, delivery_key};
use turnstone_core::limits::INBOUND_INSTANCES_MAX;
use turnstone_store::{InstanceRow, NewInbound, Received, StoreError};

use super::Intake;
use super::address::{address_hash, encoded_id, finders_hash, match_hash};
use crate::metrics as names;
use crate::prepare::{PrepareError, look_up};
use crate::secrets::Secret;

/// After what time somebody who was told to come back may.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// Instances whose refusals are remembered.
const REFUSALS_MAX: usize = 10_000;

/// Where a request was sent.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// To an instance's own address: its connector's key, and the last part.
    Own {
        /// The connector's key.
        element_key: &'a str,
        /// The last part of the address.
        address: &'a str,
    },
    /// To the address that all instances of a connector share.
    Common {
        /// The connector's key.
        element_key: &'a str,
        /// The header that lists the instances, if it is there.
        instances: Option<&'a str>,
    },
}

/// What the sender is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is kept, durably: so many copies, of which some were there already.
    Kept {
        /// The requests.
        ids: Vec<InboundId>,
    },
    /// It was a question.
    Challenge {
        /// A header of the answer.
        header: Option<(String, String)>,
        /// The type of its body.
        content_type: &'static str,
        /// Its body.
        body: String,
    },
    /// There is nobody here of that name.
    Unknown,
    /// It is not the provider's.
    Refused,
    /// It has to be sent again later; nothing was kept.
    ComeBack {
        /// When.
        after: Duration,
        /// Whether it is the organisation's bound and not ours.
        is_theirs: bool,
    },
}

/// What is remembered of refused requests of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusalNote {
    /// How many, since this process began.
    pub count: u64,
    /// The last one.
    pub at: Timestamp,
    /// What was wrong with it.
    pub reason: String,
}

#[derive(Default)]
pub(super) struct Refusals(Mutex<HashMap<InstanceId, RefusalNote>>);

impl Refusals {
    fn lock(&self) -> MutexGuard<'_, HashMap<InstanceId, RefusalNote>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, instance: InstanceId, reason: String, at: Timestamp) {
        let mut known = self.lock();
        if known.len() >= REFUSALS_MAX && !known.contains_key(&instance) {
            known.clear();
        }
        let note =
            known.entry(instance).or_insert_with(|| RefusalNote { count: 0, at, reason: String::new() });
        *note = RefusalNote { count: note.count + 1, at, reason };
    }
}

/// An instance whose door is there.
struct Door {
    row: InstanceRow,
    webhook: Webhook,
    secrets: Vec<Secret>,
}

/// What an instance says to a request.
enum Heard {
    Closed,
    Question(Answer),
    Refused(Refusal),
    Welcome(Box<NewInbound>),
}

/// Why nothing can be said now.
enum Trouble {
    Store(StoreError),
    /// The instance cannot be opened: its own people must look.
    Instance(InstanceId, PrepareError),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Trouble {
        Trouble::Store(error)
    }
}

impl Intake {
    /// Takes a request in. Never fails by itself: what went wrong is the answer.
    pub async fn take(&self, target: Target<'_>, request: RawRequest) -> Answer {
        let Ok(_place) = self.0.keeping.try_acquire() else {
            counter!(names::INBOUND, "outcome" => "busy").increment(1);
            return Answer::ComeBack { after: RETRY_AFTER, is_theirs: false };
        };
        let answer = match self.try_take(target, request).await {
            Ok(answer) => answer,
            Err(Trouble::Store(error)) => {
                tracing::error!(%error, "a notification could not be kept");
                Answer::ComeBack { after: RETRY_AFTER, is_theirs: false }
            }
            Err(Trouble::Instance(instance, error)) => {
                let reason = format!("nothing can be taken in: {error}");
                tracing::warn!(%instance, "{reason}");
                self.0.refusals.note(instance, reason, self.0.parts.clock.now());
                Answer::ComeBack { after: 30 * RETRY_AFTER, is_theirs: false }
            }
        };
        let outcome = match &answer {
            Answer::Kept { .. } => "kept",
            Answer::Challenge { .. } => "challenge",
            Answer::Unknown => "unknown",
            Answer::Refused => "refused",
            Answer::ComeBack { .. } => "busy",
        };
        counter!(names::INBOUND, "outcome" => outcome).increment(1);
        answer
    }

    /// What was wrong with requests of an instance lately.
    pub fn refusals(&self, instance: InstanceId) -> Option<RefusalNote> {
        self.0.refusals.lock().get(&instance).cloned()
    }

    async fn try_take(&self, target: Target<'_>, request: RawRequest) -> Result<Answer, Trouble> {
        let rows = match target {
            Target::Own { element_key, address } => self.own(element_key, address).await?,
            Target::Common { element_key, instances: Some(list) } => self.listed(element_key, list).await?,
            Target::Common { element_key, instances: None } => self.found(element_key, &request).await?,
        };
        let mut welcome = Vec::new();
        let mut is_refused = false;
        for (row, is_guessable) in rows {
            let id = row.id;
            match self.hear(row, is_guessable, &request).await? {
                Heard::Closed => {}
                Heard::Question(answer) => return Ok(answer),
                Heard::Refused(refusal) => {
                    is_refused = true;
                    self.0.refusals.note(id, refusal.to_string(), self.0.parts.clock.now());
                }
                Heard::Welcome(new) => welcome.push(*new),
            }
        }
        if !welcome.is_empty() {
            return self.keep(welcome).await;
        }
        if is_refused {
            return Ok(Answer::Refused);
        }
        match target {
            Target::Common { element_key, instances: None } => {
                self.common_question(element_key, &request).await
            }
            Target::Common { .. } | Target::Own { .. } => Ok(Answer::Unknown),
        }
    }

    /// Keeps what was let in, all or nothing.
    async fn keep(&self, new: Vec<NewInbound>) -> Result<Answer, Trouble> {
        let (limits, clock) = (&self.0.parts.limits, &self.0.parts.clock);
        let is_full = || new.iter().any(|one| self.0.backlog.of(one.org) >= limits.waiting_per_org);
        if is_full() && self.0.backlog.is_count_due(clock.monotonic(), limits.scan) {
            self.count().await?;
        }
        if is_full() {
            return Ok(Answer::ComeBack { after: 5 * RETRY_AFTER, is_theirs: true });
        }
        let orgs: Vec<_> = new.iter().map(|one| one.org).collect();
        let received = match self.0.parts.store.receive(new, self.0.parts.clock.now()).await {
            Ok(received) => received,
            Err(StoreError::NotFound(_)) => return Ok(Answer::Unknown), // Removed just now.
            Err(error) => return Err(error.into()),
        };
        let mut ids = Vec::with_capacity(received.len());
        for (received, org) in received.into_iter().zip(orgs) {
            match received {
                Received::New(id) => {
                    self.0.backlog.add(org);
                    ids.push(id);
                }
                Received::Repeated(id) => {
                    counter!(names::INBOUND_REPEATS).increment(1);
                    ids.push(id);
                }
            }
        }
        self.wake();
        Ok(Answer::Kept { ids })
    }

    /// The instance of an address, and whether the address can be guessed.
    async fn own(&self, element_key: &str, address: &str) -> Result<Vec<(InstanceRow, bool)>, Trouble> {
        let store = &self.0.parts.store;
        let mut found = store.instance_by_address(address_hash(address)).await?.map(|row| (row, false));
        if found.is_none()
            && let Some(id) = encoded_id(address)
        {
            found = store.instance_anywhere(id).await?.map(|row| (row, true));
        }
        Ok(found.into_iter().filter(|(row, _)| row.element_key == element_key).collect())
    }

    /// The instances that a header lists.
    async fn listed(&self, element_key: &str, list: &str) -> Result<Vec<(InstanceRow, bool)>, Trouble> {
        let mut rows: Vec<(InstanceRow, bool)> = Vec::new();
        for part in list.split(',').map(str::trim).take(INBOUND_INSTANCES_MAX) {
            let Some(id) = part.parse().ok().map(InstanceId) else { continue };
            let row = self.0.parts.store.instance_anywhere(id).await?;
            let is_new = !rows.iter().any(|(known, _)| known.id == id);
            rows.extend(row.filter(|row| is_new && row.element_key == element_key).map(|row| (row, true)));
        }
        Ok(rows)
    }

    /// The instances that are found by a value in the request. Where it stands is for those to say who are found so.
    async fn found(
        &self,
        element_key: &str,
        request: &RawRequest,
    ) -> Result<Vec<(InstanceRow, bool)>, Trouble> {
        let mut finders = Vec::new();
        for webhook in self.webhooks_found_by_value(element_key).await? {
            if let Some(finder) = webhook.finder
                && !finders.contains(&finder.place)
            {
                finders.push(finder.place);
            }
        }
        let mut rows: Vec<(InstanceRow, bool)> = Vec::new();
        for place in finders {
            let Some(value) = place.read(&request.as_inbound()) else { continue };
            let room = u32::try_from(INBOUND_INSTANCES_MAX.saturating_sub(rows.len())).unwrap_or(0);
            let hash = match_hash(element_key, &value);
            for row in self.0.parts.store.instances_by_match(element_key, hash, room).await? {
                if !rows.iter().any(|(known, _)| known.id == row.id) {
                    rows.push((row, true));
                }
            }
        }
        Ok(rows)
    }

    async fn webhooks_found_by_value(&self, element_key: &str) -> Result<Vec<Webhook>, Trouble> {
        let hash = finders_hash(element_key);
        let limit = INBOUND_INSTANCES_MAX as u32;
        let rows = self.0.parts.store.instances_by_match(element_key, hash, limit).await?;
        let now = self.0.parts.clock.now();
        let mut webhooks = Vec::new();
        for row in rows.into_iter().filter(|row| row.enabled) {
            // One that cannot be opened must not keep the others from being found.
            if let Ok(prepared) = self.0.parts.preparer.prepare(&row, now).await {
                webhooks.extend(prepared.instance.webhook.clone());
            }
        }
        Ok(webhooks)
    }

    /// A question at the common address that names no instance is answered as all of them would.
    async fn common_question(&self, element_key: &str, request: &RawRequest) -> Result<Answer, Trouble> {
        for webhook in self.webhooks_found_by_value(element_key).await? {
            let Some(challenge) = &webhook.challenge else { continue };
            let Ok(secrets) = secrets_of(&webhook) else { continue };
            if let Some(answer) = asked(challenge.answer(&request.as_inbound(), &exposed(&secrets))) {
                return Ok(answer);
            }
        }
        Ok(Answer::Unknown)
    }

    /// What one instance says to a request.
    async fn hear(
        &self,
        row: InstanceRow,
        is_guessable: bool,
        request: &RawRequest,
    ) -> Result<Heard, Trouble> {
        let Some(door) = self.open(row, is_guessable).await? else { return Ok(Heard::Closed) };
        let (inbound, secrets) = (request.as_inbound(), exposed(&door.secrets));
        if let Some(challenge) = &door.webhook.challenge {
            match challenge.answer(&inbound, &secrets) {
                ChallengeAnswer::NotAsked => {}
                ChallengeAnswer::Refused => return Ok(Heard::Refused(Refusal::Wrong)),
                given @ ChallengeAnswer::Answer { .. } => {
                    return Ok(asked(given).map_or(Heard::Closed, Heard::Question));
                }
            }
        }
        let mut name = None;
        if let Some(verification) = &door.webhook.verification {
            match verification.verify(&inbound, &secrets, self.0.parts.clock.now()) {
                Ok(verified) => name = verified.id,
                Err(refusal) => return Ok(Heard::Refused(refusal)),
            }
        }
        let name = name.or_else(|| door.webhook.delivery.as_ref()?.read(&inbound));
        let key = delivery_key(door.row.id, name.as_deref(), request, door.webhook.repeat_window);
        let (org, instance) = (door.row.org, door.row.id);
        let request = without_proof(request, door.webhook.verification.as_ref());
        Ok(Heard::Welcome(Box::new(NewInbound { org, instance, key, request })))
    }

    /// The door of an instance, if it has one that opens at this kind of address.
    async fn open(&self, row: InstanceRow, is_guessable: bool) -> Result<Option<Door>, Trouble> {
        if !row.enabled {
            return Ok(None);
        }
        let id = row.id;
        let now = self.0.parts.clock.now();
        let trouble = |error| Trouble::Instance(id, error);
        let prepared = self.0.parts.preparer.prepare(&row, now).await.map_err(trouble)?;
        let instance = &prepared.instance;
        let Some(webhook) = instance.webhook.clone().filter(|_| instance.enabled) else { return Ok(None) };
        if is_guessable && webhook.verification.is_none() && !webhook.open {
            return Ok(None);
        }
        let secrets = secrets_of(&webhook).map_err(trouble)?;
        Ok(Some(Door { row, webhook, secrets }))
    }
}

/// A request as it may be kept: neither the address, which opens the door, nor a secret that was shown at it.
fn without_proof(request: &RawRequest, verification: Option<&Verification>) -> RawRequest {
    let mut kept = RawRequest { url: String::new(), ..request.clone() };
    match verification.map(|verification| &verification.way) {
        Some(Way::Basic) => kept.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("authorization")),
        Some(Way::Token(Token::Header { name: secret, .. })) => {
            kept.headers.retain(|(name, _)| !name.eq_ignore_ascii_case(secret));
        }
        Some(Way::Token(Token::Parameter(secret))) => kept.query.retain(|(name, _)| name != secret),
        // What the provider writes into the body is part of what it says, and stays byte for byte.
        Some(Way::Signature(_) | Way::Token(Token::Field { .. })) | None => {}
    }
    kept
}

fn secrets_of(webhook: &Webhook) -> Result<Vec<Secret>, PrepareError> {
    webhook.secrets.iter().map(look_up).collect()
}

fn exposed(secrets: &[Secret]) -> Vec<&str> {
    secrets.iter().map(Secret::expose).collect()
}

fn asked(answer: ChallengeAnswer) -> Option<Answer> {
    match answer {
        ChallengeAnswer::Answer { header, content_type, body } => {
            Some(Answer::Challenge { header, content_type, body })
        }
        ChallengeAnswer::NotAsked | ChallengeAnswer::Refused => None,
    }
}

/// Kept so that a clone of the intake can be handed to every connection.
const _: fn() = || {
    fn shared<T: Send + Sync>() {}
    shared::<Intake>();
    shared::<Arc<Refusals>>();
};
