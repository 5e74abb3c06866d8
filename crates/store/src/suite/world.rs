//! The little world that the cases start from, and short words for long verbs.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use turnstone_core::event::{Event, EventType};
use turnstone_core::id::{AttemptId, EndpointId, EventId, InboundId, InstanceId, OrgId, PollerId, RunId};
use turnstone_core::json_hash::ContentHash;
use turnstone_core::ledger::{Counts, Entry, Known, KnownVersion, Recall, Version};
use turnstone_core::poll::{
    Batch, Decision, Finish, Ignored, RunKind, RunOutcome, RunRecord, Status, Story, Verdict,
};

use crate::api::*;

/// How long the cases claim.
pub const LEASE: Duration = Duration::from_secs(60);

/// So many seconds after the cases' beginning.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).expect("the cases' instants are in range")
}

/// One organisation with one instance that polls `contacts` and has an endpoint; due from 0 on.
pub struct World {
    pub store: Arc<dyn Store>,
    pub org: OrgId,
    pub instance: InstanceId,
    pub poller: PollerId,
    pub endpoint: EndpointId,
}

/// An instance to be made, with a token of its own.
pub fn new_instance(org: OrgId, token: u8, resources: &[&str]) -> NewInstance {
    let poller = |resource: &&str| NewPoller {
        resource: resource.to_string(),
        revision: 1,
        next_due: at(0),
        interval: Duration::from_secs(300),
    };
    NewInstance {
        org,
        element_key: "crm".into(),
        element: None,
        name: format!("instance {token}"),
        tags: vec!["b".into(), "a".into()],
        token_hash: [token; 32],
        document: r#"{"a": 1}"#.into(),
        enabled: true,
        pollers: resources.iter().map(poller).collect(),
        endpoint: Some(NewEndpoint {
            kind: "callback".into(),
            config: r#"{"url":"https://a.example"}"#.into(),
        }),
        intake: None,
    }
}

/// An entry; its content is told by `compared`.
pub fn entry(id: &str, compared: i64, last_sweep: u64) -> Entry {
    Entry {
        id: id.into(),
        incarnation: 1,
        sequence: 1,
        compared_text: compared.to_string(),
        compared: Some(compared),
        hash: hash(compared),
        shape: 1,
        recurrence: 0,
        first_read_at: at(0),
        last_sweep,
        deleted_at: None,
        last_body: None,
    }
}

/// A version with the content of [`entry`].
pub fn version(id: &str, compared: i64) -> Version {
    Version { id: id.into(), compared: Some(compared), hash: hash(compared) }
}

/// A content for a number.
pub fn hash(number: i64) -> ContentHash {
    ContentHash(i128::from(number).to_be_bytes())
}

/// A decision about a record.
pub fn decision(object_id: &str) -> Decision {
    Decision {
        object_id: object_id.into(),
        verdict: Verdict::Ignored(Ignored::BeforeWindow),
        reason: "too old".into(),
        compared: "2020-01-01".into(),
        page: 1,
    }
}

/// A retention that removes everything that may go, as of a second.
pub fn everything_before(seconds: i64) -> Retention {
    Retention {
        events_before: at(seconds),
        runs_before: at(seconds),
        attempts_before: at(seconds),
        deleted_entries_before: at(seconds),
        requests_before: at(seconds),
        rows_max: 1_000,
    }
}

/// At most so many events, whoever told of them.
pub fn most(events_max: u32) -> EventsMax {
    EventsMax { polled: events_max, received: events_max }
}

/// Every notification.
pub fn any_notification() -> NotificationFilter {
    NotificationFilter { limit: 1_000, ..NotificationFilter::default() }
}

/// Every event.
pub fn any_event() -> EventFilter {
    EventFilter { limit: 100_000, ..EventFilter::default() }
}

impl World {
    pub async fn new(store: Arc<dyn Store>) -> World {
        let org = store.ensure_org("acme", at(0)).await.unwrap();
        let new = new_instance(org, 1, &["contacts"]);
        let instance = store.create_instance(new, at(0)).await.unwrap();
        let poller = store.pollers(org, Some(instance)).await.unwrap()[0].id;
        let endpoint = store.instance(org, instance).await.unwrap().endpoint.expect("it was asked for");
        World { store, org, instance, poller, endpoint }
    }

    /// Another instance of the same organisation, and its pollers.
    pub async fn add(&self, token: u8, resources: &[&str]) -> (InstanceId, Vec<PollerId>) {
        let new = new_instance(self.org, token, resources);
        let instance = self.store.create_instance(new, at(0)).await.unwrap();
        let pollers = self.store.pollers(self.org, Some(instance)).await.unwrap();
        (instance, pollers.iter().map(|poller| poller.id).collect())
    }

    pub async fn claim(&self, seconds: i64) -> Lease<PollerId> {
        self.claim_of(self.poller, seconds).await
    }

    pub async fn claim_of(&self, poller: PollerId, seconds: i64) -> Lease<PollerId> {
        let claim = self.store.claim(poller, at(seconds), LEASE).await.unwrap();
        claim.expect("the poller is free and due").lease
    }

    /// An event of the world's poller. Its id is told by `number`.
    pub fn event(&self, number: u128, object_id: &str) -> Event {
        Event {
            id: EventId(number.to_be_bytes()),
            poller: self.poller,
            instance: self.instance,
            run: RunId([7; 16]),
            inbound: None,
            event_type: EventType::Updated,
            object_type: "contacts".into(),
            object_id: object_id.into(),
            element_key: "crm".into(),
            date: at(0),
            sequence: 1,
            reason: "it changed".into(),
            compared: "2026-03-01T12:00:00Z".into(),
            page: 3,
            record: Some(r#"{"a": 1.10}"#.into()),
        }
    }

    /// A batch of events.
    pub fn batch(&self, events: &[(u128, &str)]) -> Batch {
        let events = events.iter().map(|(number, object_id)| self.event(*number, object_id)).collect();
        Batch { events, ..Batch::default() }
    }

    pub async fn try_commit(&self, lease: Lease<PollerId>, batch: Batch, seconds: i64) -> Committed {
        self.store.commit(lease, batch, at(seconds)).await.unwrap()
    }

    pub async fn commit(&self, lease: Lease<PollerId>, batch: Batch, seconds: i64) {
        assert_eq!(self.try_commit(lease, batch, seconds).await, Committed::Yes);
    }

    /// Writes a batch within a claim of its own, at second 1; the poller stays due from 0 on.
    pub async fn write(&self, batch: Batch) {
        let lease = self.claim(1).await;
        self.commit(lease, batch, 1).await;
        self.store.release(lease, at(0)).await.unwrap();
    }

    /// Records events.
    pub async fn record(&self, events: &[(u128, &str)]) {
        self.write(self.batch(events)).await;
    }

    /// The end of a run that starts at a second.
    pub fn finish(&self, batch: Batch, seconds: i64) -> Finish {
        Finish {
            flow: None,
            batch,
            pass_closed: true,
            state: format!(r#"{{"at":{seconds}}}"#),
            watermark: Some(seconds),
            status: Status::ok(),
            next_due: at(seconds + 300),
            regular_due: None,
            hints_known: InboundId(0),
            prune_versions_below: None,
            run: RunRecord {
                id: RunId::new(at(seconds), 1),
                poller: self.poller,
                kind: RunKind::Poll,
                started_at: at(seconds),
                finished_at: at(seconds + 1),
                outcome: RunOutcome::Completed,
                error: None,
                counts: Counts { pages: 1, records: 2, created: 1, ..Counts::default() },
                story: Story { requests: vec!["GET /contacts".into()], ..Story::default() },
            },
        }
    }

    pub async fn known(&self, versions: &[Version]) -> Vec<KnownVersion> {
        let recall = Recall::Versions(versions.to_vec());
        match self.store.recall(self.poller, &recall).await.unwrap() {
            Known::Versions(known) => known,
            Known::Missing { .. } => panic!("versions were asked for"),
        }
    }

    /// Whether one version is known.
    pub async fn knows(&self, id: &str, compared: i64) -> bool {
        self.known(&[version(id, compared)]).await[0].version
    }

    /// Ids of the missing entries, how many there are, and how many live.
    pub async fn missing(&self, below: u64, after: Option<&str>, limit: u32) -> (Vec<String>, u64, u64) {
        let recall = Recall::Missing { last_sweep_below: below, after: after.map(str::to_string), limit };
        match self.store.recall(self.poller, &recall).await.unwrap() {
            Known::Missing { entries, missing, alive } => {
                (entries.into_iter().map(|entry| entry.id).collect(), missing, alive)
            }
            Known::Versions(_) => panic!("missing entries were asked for"),
        }
    }

    /// Records of the organisation's events, in log order.
    pub async fn objects(&self) -> Vec<String> {
        let events = self.store.events(self.org, &any_event()).await.unwrap();
        events.into_iter().map(|logged| logged.event.object_id).collect()
    }

    /// Positions and records of the events that wait.
    pub async fn waiting(&self, events_max: u32) -> Vec<(i64, String)> {
        let waiting = self.store.waiting(self.endpoint, most(events_max)).await.unwrap();
        waiting.events.into_iter().map(|logged| (logged.position, logged.event.object_id)).collect()
    }

    /// Records of the events that wait.
    pub async fn waiting_objects(&self) -> Vec<String> {
        self.waiting(100).await.into_iter().map(|(_, object_id)| object_id).collect()
    }

    pub async fn endpoint_row(&self) -> EndpointRow {
        self.store.waiting(self.endpoint, most(0)).await.unwrap().endpoint
    }

    /// Forms a notification of these members; `None` when the store refuses.
    pub async fn try_form(&self, members: &[i64], position_was: i64, seconds: i64) -> Option<Delivery> {
        let id = self.store.reserve_notification().await.unwrap();
        let new = self.new_notification(members);
        self.store.form(id, new, position_was, at(seconds), LEASE).await.unwrap()
    }

    pub fn new_notification(&self, members: &[i64]) -> NewNotification {
        NewNotification {
            endpoint: self.endpoint,
            split_from: None,
            members: members.to_vec(),
            body: format!("{{\"events\": {members:?}}}"),
        }
    }

    /// Forms a notification of all that waits.
    pub async fn form(&self, seconds: i64) -> Delivery {
        let members: Vec<i64> = self.waiting(100).await.into_iter().map(|(position, _)| position).collect();
        let position = self.endpoint_row().await.position;
        self.try_form(&members, position, seconds).await.expect("what waits may be formed")
    }

    /// Records events and forms a notification of them.
    pub async fn formed(&self, events: &[(u128, &str)], seconds: i64) -> Delivery {
        self.record(events).await;
        self.form(seconds).await
    }

    /// What comes of an attempt.
    pub fn result(&self, delivery: &Delivery, state: NotificationState, seconds: i64) -> AttemptResult {
        AttemptResult {
            attempt: AttemptRow {
                id: AttemptId::new(at(seconds), delivery.lease.epoch),
                notification: delivery.notification.id,
                started_at: at(seconds),
                duration_ms: 12,
                status: Some(503),
                error: None,
                answer: "busy".into(),
                request: r#"{"url":"https://example.com/told"}"#.into(),
            },
            state,
            next_due: None,
            failures: delivery.notification.failures + 1,
            singles: Vec::new(),
            endpoint: None,
        }
    }

    pub fn delivered(&self, delivery: &Delivery, seconds: i64) -> AttemptResult {
        let failures = delivery.notification.failures;
        AttemptResult { failures, ..self.result(delivery, NotificationState::Delivered, seconds) }
    }

    pub async fn end(&self, delivery: &Delivery, result: AttemptResult, seconds: i64) {
        let ended = self.store.finish_attempt(delivery.lease, result, at(seconds)).await.unwrap();
        assert_eq!(ended, Committed::Yes);
    }

    /// Delivers.
    pub async fn deliver(&self, delivery: &Delivery, seconds: i64) {
        self.end(delivery, self.delivered(delivery, seconds), seconds).await;
    }

    /// Ends an attempt in some other state.
    pub async fn fail(&self, delivery: &Delivery, state: NotificationState, seconds: i64) {
        self.end(delivery, self.result(delivery, state, seconds), seconds).await;
    }

    /// Ends an attempt with a retry.
    pub async fn retry(&self, delivery: &Delivery, due: i64, seconds: i64) {
        let result = self.result(delivery, NotificationState::Retry, seconds);
        self.end(delivery, AttemptResult { next_due: Some(at(due)), ..result }, seconds).await;
    }

    /// Delivers, and switches the endpoint.
    pub async fn deliver_and_switch(&self, delivery: &Delivery, state: EndpointState, seconds: i64) {
        let result = self.delivered(delivery, seconds);
        let endpoint = Some((state, "it said so".to_string()));
        self.end(delivery, AttemptResult { endpoint, ..result }, seconds).await;
    }

    pub async fn notification(&self, delivery: &Delivery) -> NotificationRow {
        let filter = NotificationFilter { id: Some(delivery.notification.id), ..any_notification() };
        self.store.notifications(self.org, &filter).await.unwrap().remove(0)
    }

    /// Claims what is due.
    pub async fn take(&self, seconds: i64) -> Vec<Delivery> {
        self.store.claim_notifications(at(seconds), 100, 100, LEASE).await.unwrap()
    }

    /// How many endpoints are listed as waiting.
    pub async fn endpoints_waiting(&self) -> usize {
        self.store.endpoints_waiting(100).await.unwrap().len()
    }
}
