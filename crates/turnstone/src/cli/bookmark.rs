//! Standard output as an endpoint: what was printed is remembered, and what was not is printed first next time.
//!
//! Up to where an instance's events have been printed is a row of the state like everything else: the document of a
//! companion instance, which is switched off and polls nothing. Events are printed in the order of the log, one line
//! each; a line counts as delivered when its write returned. A kill between a write and its bookmark prints that line
//! again, under the same event id.
//!
//! Not here: the form of a line (the core's `event::line`).

use std::io::{self, Write};
use std::sync::Arc;

use serde_json::{Value, json};
use turnstone_core::event::line;
use turnstone_core::id::{InstanceId, OrgId};
use turnstone_engine::clock::{Clock, Entropy};
use turnstone_engine::stop::Stop;
use turnstone_store::{EventFilter, NewInstance, Result, Store, StoreError};

/// Lines between two bookmarks: what a kill prints twice at most.
const LINES_MAX: u32 = 100;

/// Marks the companions among the instances.
const ELEMENT_KEY: &str = "turnstone/stdout";

/// How a round of printing ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Printed {
    /// Everything is out.
    All,
    /// Nobody reads any more.
    Closed,
}

/// The place of standard output in the log of an instance's events.
pub(crate) struct Bookmark {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    org: OrgId,
    instance: InstanceId,
    companion: InstanceId,
    token_hash: [u8; 32],
    position: i64,
}

impl Bookmark {
    /// Finds the bookmark of an instance, or begins one before its first event.
    pub(crate) async fn open(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        entropy: &dyn Entropy,
        org: OrgId,
        instance: InstanceId,
    ) -> Result<Bookmark> {
        let name = format!("stdout of {instance}");
        let mut token_hash = [0; 32];
        entropy.fill(&mut token_hash);
        let known = store.instances(org).await?.into_iter();
        let known = known.into_iter().find(|row| row.element_key == ELEMENT_KEY && row.name == name);
        let (companion, position) = match known {
            Some(row) => (row.id, position(&row.document)?),
            None => {
                let new = companion(org, name, token_hash, 0);
                (store.create_instance(new, clock.now()).await?, 0)
            }
        };
        Ok(Bookmark { store, clock, org, instance, companion, token_hash, position })
    }

    /// Whether this row is a companion and no instance of the user's.
    pub(crate) fn is_companion(element_key: &str) -> bool {
        element_key == ELEMENT_KEY
    }

    /// Prints what is recorded and not printed yet, and remembers it. Returns early when a stop is asked for and some
    /// lines are out; the rest is printed next time.
    pub(crate) async fn print(&mut self, stop: &Stop) -> Result<Printed> {
        loop {
            let filter = EventFilter {
                instance: Some(self.instance),
                after: self.position,
                limit: LINES_MAX,
                ..EventFilter::default()
            };
            let events = self.store.events(self.org, &filter).await?;
            if events.is_empty() {
                return Ok(Printed::All);
            }
            let lines: Vec<(i64, String)> =
                events.iter().map(|logged| (logged.position, line(&logged.event) + "\n")).collect();
            // A slow reader blocks a thread that is made for it, and no run.
            let written = tokio::task::spawn_blocking(move || write_all(&lines)).await;
            let (last, outcome) =
                written.map_err(|error| StoreError::Failed(format!("printing ended early ({error})")))?;
            if let Some(last) = last {
                self.remember(last).await?;
            }
            if outcome.is_err() {
                return Ok(Printed::Closed);
            }
            if stop.is_asked() {
                return Ok(Printed::All);
            }
        }
    }

    async fn remember(&mut self, position: i64) -> Result<()> {
        let name = format!("stdout of {}", self.instance);
        let new = companion(self.org, name, self.token_hash, position);
        self.store.update_instance(self.org, self.companion, new, self.clock.now()).await?;
        self.position = position;
        Ok(())
    }
}

/// Writes and flushes line by line. Returns the position of the last line that is out, and what stopped it.
fn write_all(lines: &[(i64, String)]) -> (Option<i64>, io::Result<()>) {
    let mut last = None;
    let mut out = io::stdout().lock();
    for (position, line) in lines {
        if let Err(error) = out.write_all(line.as_bytes()).and_then(|()| out.flush()) {
            return (last, Err(error));
        }
        last = Some(*position);
    }
    (last, Ok(()))
}

fn companion(org: OrgId, name: String, token_hash: [u8; 32], position: i64) -> NewInstance {
    NewInstance {
        org,
        element_key: ELEMENT_KEY.to_owned(),
        element: None,
        name,
        tags: Vec::new(),
        token_hash,
        document: json!({ "position": position }).to_string(),
        enabled: false,
        pollers: Vec::new(),
        endpoint: None,
        intake: None,
    }
}

fn position(document: &str) -> Result<i64> {
    serde_json::from_str::<Value>(document)
        .ok()
        .and_then(|document| document.get("position")?.as_i64())
        .ok_or_else(|| {
            StoreError::Unusable("the state does not say what was printed; it is damaged".to_owned())
        })
}
