//! Turns, claims, the ledger, and what runs write.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use jiff::Timestamp;
use turnstone_core::id::{OrgId, PollerId, RunId};
use turnstone_core::json_hash::ContentHash;
use turnstone_core::ledger::{Compared, Entry, Known, KnownVersion, Recall, Version};
use turnstone_core::poll::{Batch, Decision, Finish, RunRecord};

use super::state::{Poller, Run, State, micros, stands};
use crate::api::*;
use crate::intake::heeds_hints;

/// What one poller remembers.
#[derive(Clone, Default)]
pub(super) struct Ledger {
    pub entries: BTreeMap<String, Entry>,
    window: HashMap<String, Vec<(Option<Compared>, ContentHash)>>,
    /// Which ids have a version of this compared value, so that pruning looks only at what goes.
    by_compared: BTreeMap<Compared, BTreeSet<String>>,
}

impl Ledger {
    pub fn known(&self, version: &Version) -> KnownVersion {
        let entry = self.entries.get(&version.id).cloned();
        let last = entry
            .as_ref()
            .is_some_and(|entry| entry.compared == version.compared && entry.hash == version.hash);
        let stands = || {
            self.window
                .get(&version.id)
                .is_some_and(|known| known.contains(&(version.compared, version.hash)))
        };
        KnownVersion { version: last || stands(), entry, announced_at: None }
    }

    /// The entry of a record, and its versions in the window in the order of their values.
    pub fn of_record(&self, id: &str) -> (Option<Entry>, Vec<Version>) {
        let mut versions = self.window.get(id).cloned().unwrap_or_default();
        versions.sort_by_key(|(compared, hash)| (*compared, hash.0));
        let version = |(compared, hash)| Version { id: id.to_owned(), compared, hash };
        (self.entries.get(id).cloned(), versions.into_iter().map(version).collect())
    }

    fn missing(&self, last_sweep_below: u64, after: Option<&str>, limit: u32) -> Known {
        let mut entries = Vec::new();
        let (mut missing, mut alive) = (0, 0);
        for entry in self.entries.values().filter(|entry| entry.deleted_at.is_none()) {
            alive += 1;
            if entry.last_sweep >= last_sweep_below {
                continue;
            }
            missing += 1;
            if entries.len() < limit as usize && after.is_none_or(|after| entry.id.as_str() > after) {
                entries.push(entry.clone());
            }
        }
        Known::Missing { entries, missing, alive }
    }

    pub fn put(&mut self, mut entry: Entry) {
        entry.first_read_at = micros(entry.first_read_at);
        entry.deleted_at = entry.deleted_at.map(micros);
        self.entries.insert(entry.id.clone(), entry);
    }

    fn know(&mut self, version: Version) {
        let known = self.window.entry(version.id.clone()).or_default();
        if known.contains(&(version.compared, version.hash)) {
            return;
        }
        known.push((version.compared, version.hash));
        if let Some(compared) = version.compared {
            self.by_compared.entry(compared).or_default().insert(version.id);
        }
    }

    fn prune_below(&mut self, below: Compared) {
        let stays = self.by_compared.split_off(&below);
        let goes = std::mem::replace(&mut self.by_compared, stays);
        for id in goes.into_values().flatten() {
            if let Some(known) = self.window.get_mut(&id) {
                known.retain(|(compared, _)| compared.is_none_or(|compared| compared >= below));
                if known.is_empty() {
                    self.window.remove(&id);
                }
            }
        }
    }

    /// Removes an entry with its versions.
    pub fn forget(&mut self, id: &str) {
        self.entries.remove(id);
        for (compared, _) in self.window.remove(id).unwrap_or_default() {
            let Some(compared) = compared else { continue };
            if let Some(ids) = self.by_compared.get_mut(&compared) {
                ids.remove(id);
                if ids.is_empty() {
                    self.by_compared.remove(&compared);
                }
            }
        }
    }
}

impl State {
    /// Whether a poller may be given a turn, apart from its time and its claim.
    pub fn may_run(&self, poller: &Poller) -> bool {
        !poller.is_intake
            && poller.row.paused.is_none()
            && self.is_active(&poller.row)
            && self.instances.get(&poller.row.instance).is_some_and(|instance| instance.row.enabled)
    }

    fn is_due(&self, poller: &Poller, now: Timestamp) -> bool {
        poller.row.next_due <= now && !stands(poller.claim, now) && self.may_run(poller)
    }

    pub fn due(&self, now: Timestamp, limit: u32, per_org: u32) -> Vec<Due> {
        let mut turns: Vec<Due> = self
            .pollers
            .values()
            .filter(|poller| self.is_due(poller, now))
            .map(|Poller { row, .. }| Due {
                poller: row.id,
                org: row.org,
                instance: row.instance,
                due: row.next_due,
            })
            .collect();
        turns.sort_by_key(|turn| (turn.due, turn.poller));
        let mut of_org: HashMap<OrgId, u32> = HashMap::new();
        turns.retain(|turn| {
            let taken = of_org.entry(turn.org).or_default();
            *taken += 1;
            *taken <= per_org
        });
        turns.truncate(limit as usize);
        turns
    }

    pub fn next_due(&self) -> Option<Timestamp> {
        let waiting = self.pollers.values().filter(|poller| poller.claim.is_none() && self.may_run(poller));
        waiting.map(|poller| poller.row.next_due).min()
    }

    pub fn claim(&mut self, id: PollerId, now: Timestamp, lease_for: Duration) -> Option<Claim> {
        let poller = self.pollers.get(&id).filter(|poller| self.is_due(poller, now))?;
        let instance = self.instances.get(&poller.row.instance)?.row.clone();
        let held = self.new_claim(now, lease_for);
        let poller = self.pollers.get_mut(&id)?;
        poller.give_up();
        poller.claim = Some(held);
        Some(Claim { lease: Lease { id, epoch: held.epoch }, poller: poller.row.clone(), instance })
    }

    pub fn renew(&mut self, lease: Lease<PollerId>, now: Timestamp, lease_for: Duration) -> Committed {
        let Some(held) = self.leased(lease).and_then(|poller| poller.claim.as_mut()) else {
            return Committed::StaleLease;
        };
        held.prolong(now, lease_for);
        Committed::Yes
    }

    pub fn recall(&self, id: PollerId, recall: &Recall) -> Known {
        let nothing = Ledger::default();
        let ledger = self.pollers.get(&id).map_or(&nothing, |poller| &poller.ledger);
        match recall {
            Recall::Versions(versions) => {
                let known = versions.iter().map(|version| KnownVersion {
                    announced_at: self.announced_at(id, &version.id),
                    ..ledger.known(version)
                });
                Known::Versions(known.collect())
            }
            Recall::Missing { last_sweep_below, after, limit } => {
                ledger.missing(*last_sweep_below, after.as_deref(), *limit)
            }
        }
    }

    pub fn commit(&mut self, lease: Lease<PollerId>, batch: Batch, now: Timestamp) -> Committed {
        let Some(poller) = self.leased(lease) else { return Committed::StaleLease };
        let (org, row) = (poller.row.org, poller.row.clone());
        for entry in batch.entries {
            poller.ledger.put(entry);
        }
        for version in batch.versions {
            poller.ledger.know(version);
        }
        for id in &batch.swept {
            if let Some(entry) = poller.ledger.entries.get_mut(id) {
                entry.last_sweep = batch.sweep;
            }
        }
        poller.hear(&batch.heard);
        poller.decisions.extend(batch.decisions);
        if batch.checkpoint.is_some() {
            poller.row.checkpoint = batch.checkpoint;
        }
        let channel = self.channel_of(&row);
        for event in batch.events {
            self.log.add(org, channel, event, now);
        }
        Committed::Yes
    }

    pub fn finish(&mut self, lease: Lease<PollerId>, finish: Finish, now: Timestamp) -> Committed {
        if self.commit(lease, finish.batch, now) == Committed::StaleLease {
            return Committed::StaleLease;
        }
        if self.runs.contains_key(&finish.run.id) {
            self.forget_trace(finish.run.id); // The run that takes its place brings its own.
        }
        let revision = self.pollers.get(&lease.id).map(|poller| poller.row.revision);
        let is_as_it_ran = finish.flow.as_ref().is_none_or(|flow| revision == Some(flow.revision));
        if let Some(flow) = finish.flow {
            if flow.cursor_changed {
                self.remember_state(lease.id, now);
            }
            self.keep_trace(lease.id, finish.run.id, flow);
        }
        let Some(poller) = self.leased(lease) else { return Committed::StaleLease };
        if finish.pass_closed {
            poller.row.checkpoint = None;
        }
        poller.row.state = finish.state;
        poller.row.watermark = finish.watermark;
        poller.row.status = finish.status;
        if is_as_it_ran {
            poller.row.next_due = micros(finish.next_due);
        }
        poller.row.regular_due = finish.regular_due.map(micros);
        if heeds_hints(&poller.row.status, finish.run.outcome) && poller.is_named_after(finish.hints_known) {
            poller.pull(now);
        }
        if let Some(below) = finish.prune_versions_below {
            poller.ledger.prune_below(below);
        }
        let (org, decisions) = (poller.row.org, std::mem::take(&mut poller.decisions));
        poller.give_up();
        self.runs.insert(finish.run.id, Run { org, record: finish.run, decisions });
        Committed::Yes
    }

    pub fn release(&mut self, lease: Lease<PollerId>, due: Timestamp) {
        if let Some(poller) = self.leased(lease) {
            poller.give_up();
            poller.row.next_due = micros(due);
            poller.row.regular_due = poller.row.regular_due.filter(|at| *at > micros(due));
        }
    }

    pub fn runs(&self, org: OrgId, poller: PollerId, limit: u32) -> Result<Vec<RunRecord>> {
        self.poller(org, poller)?;
        let records = self.runs.values().map(|run| &run.record);
        let mut of_poller: Vec<_> = records.filter(|record| record.poller == poller).collect();
        of_poller.sort_by_key(|record| std::cmp::Reverse((record.started_at, record.id)));
        Ok(of_poller.into_iter().take(limit as usize).cloned().collect())
    }

    pub fn run(&self, org: OrgId, id: RunId) -> Result<(RunRecord, Vec<Decision>)> {
        let run = self.runs.get(&id).filter(|run| run.org == org).ok_or(StoreError::NotFound("run"))?;
        Ok((run.record.clone(), run.decisions.clone()))
    }
}
