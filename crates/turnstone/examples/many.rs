//! Fills the data directory of a server that is not running with many instances and events, for tests of the console:
//! `many DIR INSTANCES EVENTS`.
//!
//! It writes what polls would have written, by the store's own verbs: runs with their decisions, events of two thousand
//! records, in the last two hours. One poller in fifty fails. Nothing of it is due before an hour has passed.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use serde_json::json;
use turnstone_core::event::{Event, EventType};
use turnstone_core::id::{EventId, InboundId, OrgId, RunId};
use turnstone_core::ledger::Counts;
use turnstone_core::poll::{Batch, Finish, RunFault, RunKind, RunOutcome, RunRecord, Status, Story};
use turnstone_store::sqlite::SqliteStore;
use turnstone_store::{Claim, Committed, NewInstance, NewPoller, Store};

/// Instances that are made at once: their transactions are grouped.
const AT_ONCE: usize = 64;
/// Events of one run.
const OF_RUN: u64 = 500;
/// Records that the events are about.
const RECORDS: u64 = 2_000;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    let usage = "usage: many DIR INSTANCES EVENTS";
    let mut arguments = std::env::args().skip(1);
    let dir = arguments.next().context(usage)?;
    let mut number = || -> Result<u64> { Ok(arguments.next().context(usage)?.parse()?) };
    let (instances, events) = (number()?, number()?);
    let store = SqliteStore::open(Path::new(&dir).join("turnstone.db"))?;
    let now = Timestamp::now();
    let org = store.ensure_org("default", now).await?;
    let made = (0..instances).map(|at| store.create_instance(instance(org, at, now), now));
    let made: Vec<_> = stream::iter(made).buffered(AT_ONCE).try_collect().await?;
    let due = store.due(now, 200, 200).await?;
    let claims = stream::iter(&due).then(|due| store.claim(due.poller, now, Duration::from_secs(600)));
    let claims: Vec<Claim> = claims.try_filter_map(|claim| async move { Ok(claim) }).try_collect().await?;
    let runs = events.div_ceil(OF_RUN);
    for run in 0..runs {
        let claim = &claims[run as usize % claims.len()];
        let count = OF_RUN.min(events - run * OF_RUN);
        let at = now - Duration::from_secs(7_200 * (runs - run) / runs);
        let is_last = run + claims.len() as u64 >= runs;
        let batch = batch(claim, run, count, at);
        let written = if is_last {
            store.finish(claim.lease, finish(claim, batch, run, at, now), at).await?
        } else {
            store.commit(claim.lease, batch, at).await?
        };
        anyhow::ensure!(written == Committed::Yes, "the claim of poller {} was lost", claim.poller.id);
    }
    println!("{} instances, {events} events", made.len());
    Ok(())
}

fn instance(org: OrgId, at: u64, now: Timestamp) -> NewInstance {
    let mut token_hash = [0x5a; 32];
    token_hash[..8].copy_from_slice(&at.to_be_bytes());
    // Those that get events are due now, to be claimed here; the others in an hour.
    let next_due = if at < 200 { now } else { now + Duration::from_secs(3_600) };
    let document = json!({
        "name": format!("Shop {at}"),
        "element": {"key": "shop"},
        "configuration": {
            "base.url": "https://shop.example.com",
            "event.notification.enabled": true,
            "event.vendor.type": "polling",
            "event.poller.refresh_interval": 60,
            "event.poller.configuration": {"orders": {
                "url": "/orders?since=${gmtDate:yyyy-MM-dd'T'HH:mm:ss'Z'}",
                "idField": "id",
                "datesConfiguration": {
                    "updatedDateField": "updated", "updatedDateFormat": "yyyy-MM-dd'T'HH:mm:ssXXX",
                    "createdDateField": "created", "createdDateFormat": "yyyy-MM-dd'T'HH:mm:ssXXX"
                }
            }}
        }
    });
    NewInstance {
        org,
        element_key: "shop".into(),
        element: None,
        name: format!("Shop {at}"),
        tags: vec![if at.is_multiple_of(2) { "north".into() } else { "south".into() }],
        token_hash,
        document: document.to_string(),
        enabled: true,
        pollers: vec![NewPoller {
            resource: "orders".into(),
            revision: 1,
            next_due,
            interval: Duration::from_secs(3_600),
        }],
        endpoint: None,
        intake: None,
    }
}

fn batch(claim: &Claim, run: u64, count: u64, at: Timestamp) -> Batch {
    let event = |of: u64| {
        let number = run * OF_RUN + of;
        let record = number % RECORDS;
        Event {
            id: EventId(u128::from(number + 1).to_be_bytes()),
            poller: claim.poller.id,
            instance: claim.instance.id,
            run: RunId::new(at, run),
            inbound: None,
            event_type: if number < RECORDS { EventType::Created } else { EventType::Updated },
            object_type: "orders".into(),
            object_id: record.to_string(),
            element_key: "shop".into(),
            date: at,
            sequence: 1 + number / RECORDS,
            reason: if number < RECORDS { "a record not known before".into() } else { "it changed".into() },
            compared: String::new(),
            page: 0,
            record: Some(json!({"id": record, "updated": at.to_string(), "total": number}).to_string()),
        }
    };
    Batch { events: (0..count).map(event).collect(), ..Batch::default() }
}

fn finish(claim: &Claim, batch: Batch, run: u64, at: Timestamp, now: Timestamp) -> Finish {
    let fails = claim.poller.id.0 % 50 == 0;
    let fault = RunFault {
        code: "unauthorized".into(),
        message: "the provider answered 401; renew the credentials of the instance".into(),
        transient: false,
    };
    let counts = Counts {
        pages: 1,
        records: batch.events.len() as u64,
        updated: batch.events.len() as u64,
        ..Counts::default()
    };
    let status = if fails {
        Status { code: fault.code.clone(), sentence: fault.message.clone(), needs_attention: true }
    } else {
        Status::ok()
    };
    Finish {
        batch,
        pass_closed: true,
        state: String::new(),
        watermark: Some(at.as_microsecond()),
        status,
        next_due: now + Duration::from_secs(3_600),
        regular_due: None,
        hints_known: InboundId(0),
        prune_versions_below: None,
        run: RunRecord {
            id: RunId::new(at, run),
            poller: claim.poller.id,
            kind: RunKind::Poll,
            started_at: at,
            finished_at: at,
            outcome: if fails { RunOutcome::Failed } else { RunOutcome::Completed },
            error: fails.then_some(fault),
            counts,
            story: Story { requests: vec!["GET /orders?since=…".into()], ..Story::default() },
        },
        flow: None,
    }
}
