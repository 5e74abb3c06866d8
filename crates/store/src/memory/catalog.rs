//! Organisations, instances, and their pollers' settings.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use turnstone_core::id::{EndpointId, InstanceId, OrgId, PollerId, TokenId};
use turnstone_core::ledger::Compared;
use turnstone_core::poll::Status;

use super::state::{Endpoint, Instance, Poller, State, micros, next, stands};
use crate::api::*;
use crate::directory::OrgRow;
use crate::monitors::run_under_way;

impl State {
    pub fn ensure_org(&mut self, name: &str, now: Timestamp) -> OrgId {
        if let Some(org) = self.org_by_name(name) {
            return org.id;
        }
        let id = OrgId(next(&mut self.numbers.org));
        self.orgs.insert(id, OrgRow { id, name: name.to_string(), created_at: micros(now) });
        id
    }

    pub fn org_by_token(&self, token_hash: [u8; 32]) -> Option<OrgId> {
        self.tokens.get(&token_hash).filter(|token| token.user.is_none()).map(|token| token.org)
    }

    pub fn add_org_token(&mut self, org: OrgId, token_hash: [u8; 32], now: Timestamp) -> Result<TokenId> {
        self.known_org(org)?;
        self.add_token(org, None, token_hash, now)
    }

    pub fn known_org(&self, org: OrgId) -> Result<()> {
        if self.orgs.contains_key(&org) { Ok(()) } else { Err(StoreError::NotFound("organisation")) }
    }

    pub fn create_instance(&mut self, new: NewInstance, now: Timestamp) -> Result<InstanceId> {
        self.known_org(new.org)?;
        distinct(&new.pollers)?;
        self.known_revision(new.org, new.element)?;
        if self.instance_tokens.contains_key(&new.token_hash) {
            return Err(StoreError::Conflict("this instance token is taken".into()));
        }
        self.free_address(None, new.intake.as_ref())?;
        let id = InstanceId(next(&mut self.numbers.instance));
        for poller in new.pollers {
            self.add_poller(new.org, id, poller);
        }
        let endpoint = new.endpoint.map(|endpoint| self.add_endpoint(new.org, id, endpoint));
        let row = InstanceRow {
            id,
            org: new.org,
            element_key: new.element_key,
            element: new.element,
            name: new.name,
            tags: new.tags,
            document: new.document,
            enabled: new.enabled,
            created_at: micros(now),
            endpoint,
        };
        self.replace_intake(id, new.intake);
        self.instance_tokens.insert(new.token_hash, id);
        self.instances.insert(id, Instance { row, token_hash: new.token_hash });
        Ok(id)
    }

    fn add_poller(&mut self, org: OrgId, instance: InstanceId, new: NewPoller) {
        let id = PollerId(next(&mut self.numbers.poller));
        let row = PollerRow {
            subscription: None,
            id,
            org,
            instance,
            resource: new.resource,
            revision: new.revision,
            interval: new.interval,
            next_due: micros(new.next_due),
            regular_due: None,
            paused: None,
            status: Status { code: "starting".into(), sentence: String::new(), needs_attention: false },
            watermark: None,
            state: String::new(),
            checkpoint: None,
        };
        self.pollers.insert(id, Poller::new(row));
    }

    pub(super) fn add_endpoint(&mut self, org: OrgId, instance: InstanceId, new: NewEndpoint) -> EndpointId {
        let id = EndpointId(next(&mut self.numbers.endpoint));
        let row = EndpointRow {
            subscription: None,
            id,
            org,
            instance,
            kind: new.kind,
            config: new.config,
            position: self.log.end(),
            state: EndpointState::Active,
            reason: String::new(),
            accepted_at: None,
        };
        self.endpoints.insert(id, Endpoint { row, held: BTreeSet::new(), open: BTreeSet::new() });
        id
    }

    pub fn instance(&self, org: OrgId, id: InstanceId) -> Result<&Instance> {
        self.instances
            .get(&id)
            .filter(|instance| instance.row.org == org)
            .ok_or(StoreError::NotFound("instance"))
    }

    fn instance_mut(&mut self, org: OrgId, id: InstanceId) -> Result<&mut Instance> {
        self.instances
            .get_mut(&id)
            .filter(|instance| instance.row.org == org)
            .ok_or(StoreError::NotFound("instance"))
    }

    pub fn instances(&self, org: OrgId) -> Vec<InstanceRow> {
        let of_org = self.instances.values().filter(|instance| instance.row.org == org);
        of_org.map(|instance| instance.row.clone()).collect()
    }

    pub fn update_instance(
        &mut self,
        org: OrgId,
        id: InstanceId,
        new: NewInstance,
        now: Timestamp,
    ) -> Result<()> {
        distinct(&new.pollers)?;
        self.instance(org, id)?;
        self.known_revision(org, new.element)?;
        self.free_address(Some(id), new.intake.as_ref())?;
        self.replace_intake(id, new.intake);
        let row = &mut self.instance_mut(org, id)?.row;
        if new.element.is_some() {
            row.element_key = new.element_key;
        }
        row.element = new.element;
        row.name = new.name;
        row.tags = new.tags;
        row.document = new.document;
        let was = row.endpoint;
        let endpoint = match (was, new.endpoint) {
            (Some(endpoint), Some(settings)) => {
                if let Some(known) = self.endpoints.get_mut(&endpoint) {
                    known.row.kind = settings.kind;
                    known.row.config = settings.config;
                }
                Some(endpoint)
            }
            (Some(endpoint), None) => {
                self.remove_endpoint(endpoint, now);
                None
            }
            (None, settings) => settings.map(|settings| self.add_endpoint(org, id, settings)),
        };
        self.instance_mut(org, id)?.row.endpoint = endpoint;
        self.replace_pollers(org, id, new.pollers);
        Ok(())
    }

    fn replace_pollers(&mut self, org: OrgId, instance: InstanceId, new: Vec<NewPoller>) {
        let mut known: HashMap<String, PollerId> = HashMap::new();
        for poller in self.pollers.values().filter(|poller| {
            poller.row.instance == instance && !poller.is_intake && poller.row.subscription.is_none()
        }) {
            known.insert(poller.row.resource.clone(), poller.row.id);
        }
        for settings in new {
            let Some(id) = known.remove(&settings.resource) else {
                self.add_poller(org, instance, settings);
                continue;
            };
            let row = &mut self.pollers.get_mut(&id).expect("it was listed above").row;
            row.interval = settings.interval;
            if row.revision != settings.revision {
                row.revision = settings.revision;
                row.next_due = micros(settings.next_due);
                row.regular_due = None;
            }
        }
        for gone in known.into_values() {
            self.pollers.remove(&gone);
        }
    }

    pub fn set_enabled(&mut self, org: OrgId, id: InstanceId, enabled: bool) -> Result<()> {
        self.instance_mut(org, id)?.row.enabled = enabled;
        Ok(())
    }

    pub fn delete_instance(&mut self, org: OrgId, id: InstanceId, now: Timestamp) -> Result<()> {
        self.instance(org, id)?;
        self.directory.connections.remove(&id);
        if let Some(instance) = self.instances.remove(&id) {
            self.instance_tokens.remove(&instance.token_hash);
            if let Some(endpoint) = instance.row.endpoint {
                self.remove_endpoint(endpoint, now);
            }
        }
        self.forget_subscriptions(id, now);
        self.pollers.retain(|_, poller| poller.row.instance != id);
        self.forget_intake(id, now);
        Ok(())
    }

    pub fn pollers(&self, org: OrgId, instance: Option<InstanceId>) -> Result<Vec<PollerRow>> {
        if let Some(instance) = instance {
            self.instance(org, instance)?;
        }
        let rows = self.pollers.values().filter(|poller| !poller.is_intake).map(|poller| &poller.row);
        let wanted =
            rows.filter(|row| row.org == org && instance.is_none_or(|instance| row.instance == instance));
        Ok(wanted.cloned().collect())
    }

    pub fn poller(&self, org: OrgId, id: PollerId) -> Result<&Poller> {
        let known = self.pollers.get(&id).filter(|poller| poller.row.org == org && !poller.is_intake);
        known.ok_or(StoreError::NotFound("poller"))
    }

    fn poller_mut(&mut self, org: OrgId, id: PollerId) -> Result<&mut Poller> {
        let known = self.pollers.get_mut(&id).filter(|poller| poller.row.org == org && !poller.is_intake);
        known.ok_or(StoreError::NotFound("poller"))
    }

    pub fn set_due(&mut self, org: OrgId, id: PollerId, due: Timestamp, unpause: bool) -> Result<()> {
        let row = &mut self.poller_mut(org, id)?.row;
        row.next_due = micros(due);
        row.regular_due = None;
        if unpause {
            row.paused = None;
        }
        Ok(())
    }

    pub fn pause(&mut self, org: OrgId, id: PollerId, reason: &str) -> Result<()> {
        self.poller_mut(org, id)?.row.paused = Some(reason.to_string());
        Ok(())
    }

    pub fn set_state(
        &mut self,
        org: OrgId,
        id: PollerId,
        state: &str,
        watermark: Option<Compared>,
        now: Timestamp,
    ) -> Result<()> {
        let poller = self.poller_mut(org, id)?;
        if stands(poller.claim, now) {
            return Err(run_under_way());
        }
        poller.give_up();
        self.remember_state(id, now);
        let poller = self.poller_mut(org, id)?;
        poller.row.state = state.to_string();
        poller.row.watermark = watermark;
        poller.row.checkpoint = None;
        Ok(())
    }
}

fn distinct(pollers: &[NewPoller]) -> Result<()> {
    let mut seen = BTreeSet::new();
    match pollers.iter().find(|poller| !seen.insert(&poller.resource)) {
        Some(twice) => Err(StoreError::Conflict(format!("the resource `{}` stands twice", twice.resource))),
        None => Ok(()),
    }
}
