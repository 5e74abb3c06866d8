//! How instances are connected to their providers.

use std::time::Duration;

use jiff::Timestamp;
use turnstone_core::id::{InstanceId, OrgId};

use super::directory::Connection;
use super::state::{State, end, micros};
use crate::api::*;
use crate::directory::*;

impl State {
    pub fn connection(&self, org: OrgId, instance: InstanceId) -> Result<Option<ConnectionRow>> {
        self.instance(org, instance)?;
        Ok(self.directory.connections.get(&instance).map(|connection| connection.row.clone()))
    }

    /// The connection, if it has this generation. One that is not there is made for generation 0.
    fn at_generation(
        &mut self,
        org: OrgId,
        instance: InstanceId,
        generation: i64,
    ) -> Result<Option<&mut Connection>> {
        self.instance(org, instance)?;
        if generation == 0 {
            self.directory.connections.entry(instance).or_insert_with(|| Connection {
                row: ConnectionRow {
                    generation: 0,
                    tokens_sealed: None,
                    tokens_expire_at: None,
                    state: ConnectionState::Connected,
                    reason: String::new(),
                },
                refresh_epoch: 0,
                refresh_until: None,
            });
        }
        let connection = self.directory.connections.get_mut(&instance);
        Ok(connection.filter(|connection| connection.row.generation == generation))
    }

    pub fn put_tokens(&mut self, org: OrgId, instance: InstanceId, tokens: NewTokens) -> Result<Written> {
        let Some(connection) = self.at_generation(org, instance, tokens.generation_was)? else {
            return Ok(Written::Moved);
        };
        connection.refresh_until = None;
        connection.row = ConnectionRow {
            generation: tokens.generation_was + 1,
            tokens_sealed: Some(tokens.tokens_sealed),
            tokens_expire_at: tokens.expire_at.map(micros),
            state: ConnectionState::Connected,
            reason: String::new(),
        };
        Ok(Written::Yes)
    }

    pub fn mark_reconnect(
        &mut self,
        org: OrgId,
        instance: InstanceId,
        generation: i64,
        reason: &str,
    ) -> Result<Written> {
        let Some(connection) = self.at_generation(org, instance, generation)? else {
            return Ok(Written::Moved);
        };
        connection.refresh_until = None;
        connection.row.state = ConnectionState::ReconnectNeeded;
        connection.row.reason = reason.to_string();
        Ok(Written::Yes)
    }

    pub fn begin_refresh(
        &mut self,
        org: OrgId,
        instance: InstanceId,
        generation: i64,
        now: Timestamp,
        lease_for: Duration,
    ) -> Result<Option<Lease<InstanceId>>> {
        let Some(connection) = self.at_generation(org, instance, generation)? else { return Ok(None) };
        if connection.refresh_until.is_some_and(|until| until > now.as_microsecond()) {
            return Ok(None);
        }
        connection.refresh_epoch += 1;
        connection.refresh_until = Some(end(now, lease_for));
        Ok(Some(Lease { id: instance, epoch: connection.refresh_epoch }))
    }

    pub fn end_refresh(&mut self, lease: Lease<InstanceId>) {
        let connection = self.directory.connections.get_mut(&lease.id);
        if let Some(connection) = connection.filter(|known| known.refresh_epoch == lease.epoch) {
            connection.refresh_until = None;
        }
    }

    pub fn add_authorization(&mut self, new: NewAuthorization, now: Timestamp) -> Result<()> {
        self.known_org(new.org)?;
        let waiting = &mut self.directory.authorizations;
        waiting.retain(|_, waits| micros(waits.expires_at) > micros(now));
        waiting.insert((new.org, new.state_hash), new);
        Ok(())
    }

    pub fn take_authorization(
        &mut self,
        org: OrgId,
        hash: [u8; 32],
        now: Timestamp,
    ) -> Option<AuthorizationRow> {
        let waiting = &mut self.directory.authorizations;
        let is_it = |waits: &&NewAuthorization| {
            waits.org == org
                && (waits.state_hash == hash || waits.client_hash == hash)
                && micros(waits.expires_at) > micros(now)
        };
        let found: Vec<[u8; 32]> = waiting.values().filter(is_it).map(|waits| waits.state_hash).collect();
        let [state_hash] = found.as_slice() else { return None };
        let taken = waiting.remove(&(org, *state_hash))?;
        Some(AuthorizationRow { state_hash: taken.state_hash, sealed: taken.sealed })
    }
}
