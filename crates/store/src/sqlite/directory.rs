//! The verbs of people and connectors, carried to the one writer and the readers.
//!
//! Everything here belongs to somebody who waits, except for upkeep.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use turnstone_core::id::{AuditId, DateFormatId, ElementId, InstanceId, OrgId, TokenId, UserId};

use super::writer::{Class, Weight};
use super::{SqliteStore, authorizations, connections, elements, people, rim};
use crate::api::*;
use crate::directory::*;

/// A write of one document and what hangs on it.
fn weight(bytes: usize) -> Weight {
    Weight { rows: 4, bytes }
}

#[async_trait]
impl Directory for SqliteStore {
    async fn orgs(&self) -> Result<Vec<OrgRow>> {
        self.read(Class::Api, people::orgs).await
    }

    async fn org(&self, id: OrgId) -> Result<OrgRow> {
        self.read(Class::Api, move |db| people::org(db, id)).await
    }

    async fn org_by_name(&self, name: &str) -> Result<Option<OrgRow>> {
        let name = name.to_owned();
        self.read(Class::Api, move |db| people::org_by_name(db, &name)).await
    }

    async fn org_tokens(&self, org: OrgId) -> Result<Vec<OrgTokenRow>> {
        self.read(Class::Api, move |db| people::org_tokens(db, org)).await
    }

    async fn remove_org_token(&self, org: OrgId, id: TokenId) -> Result<()> {
        self.write(Class::Api, Weight::SMALL, move |desk| people::remove_org_token(desk, org, id)).await
    }

    async fn setting(&self, org: OrgId, key: &str) -> Result<Option<String>> {
        let key = key.to_owned();
        self.read(Class::Api, move |db| rim::setting(db, org, &key)).await
    }

    async fn put_setting(&self, org: OrgId, key: &str, value: &str) -> Result<()> {
        let key = key.to_owned();
        let value = value.to_owned();
        let weight = weight(value.len());
        self.write(Class::Api, weight, move |desk| rim::put_setting(desk, org, &key, &value)).await
    }

    async fn reserve_part_ids(&self, count: u32) -> Result<i64> {
        self.write(Class::Api, Weight::SMALL, move |desk| elements::reserve_part_ids(desk, count)).await
    }

    async fn create_element(&self, new: NewElement, now: Timestamp) -> Result<ElementId> {
        let weight = weight(2 * new.document.len() + new.ids.len());
        self.write(Class::Api, weight, move |desk| elements::create_element(desk, &new, now)).await
    }

    async fn update_element(
        &self,
        org: OrgId,
        id: ElementId,
        revision_was: i64,
        change: ElementChange,
        now: Timestamp,
    ) -> Result<i64> {
        let weight = weight(2 * change.document.len() + change.ids.len());
        self.write(Class::Api, weight, move |desk| {
            elements::update_element(desk, org, id, revision_was, &change, now)
        })
        .await
    }

    async fn delete_element(&self, org: OrgId, id: ElementId) -> Result<()> {
        self.write(Class::Api, Weight::SMALL, move |desk| elements::delete_element(desk, org, id)).await
    }

    async fn element(&self, org: OrgId, id: ElementId) -> Result<ElementRow> {
        self.read(Class::Api, move |db| elements::element(db, org, id)).await
    }

    async fn element_by_key(&self, org: OrgId, key: &str) -> Result<Option<ElementRow>> {
        let key = key.to_owned();
        self.read(Class::Api, move |db| elements::element_by_key(db, org, &key)).await
    }

    async fn elements(&self, org: OrgId) -> Result<Vec<ElementRow>> {
        self.read(Class::Api, move |db| elements::elements(db, org)).await
    }

    async fn element_at(&self, org: OrgId, id: ElementId, revision: i64) -> Result<String> {
        self.read(Class::Api, move |db| elements::element_at(db, org, id, revision)).await
    }

    async fn instance_by_token(&self, token_hash: [u8; 32]) -> Result<Option<InstanceRow>> {
        self.read(Class::Api, move |db| elements::instance_by_token(db, token_hash)).await
    }

    async fn instances_page(&self, org: OrgId, filter: &InstanceFilter) -> Result<Vec<InstanceRow>> {
        let filter = filter.clone();
        self.read(Class::Api, move |db| elements::instances_page(db, org, &filter)).await
    }

    async fn tags(&self, org: OrgId) -> Result<Vec<TagCount>> {
        self.read(Class::Api, move |db| elements::tags(db, org)).await
    }

    async fn create_user(&self, new: NewUser, now: Timestamp) -> Result<UserId> {
        self.write(Class::Api, Weight::SMALL, move |desk| people::create_user(desk, &new, now)).await
    }

    async fn users(&self, org: OrgId) -> Result<Vec<UserRow>> {
        self.read(Class::Api, move |db| people::users(db, org)).await
    }

    async fn user(&self, org: OrgId, id: UserId) -> Result<UserRow> {
        self.read(Class::Api, move |db| people::user(db, org, id)).await
    }

    async fn user_by_token(&self, token_hash: [u8; 32]) -> Result<Option<UserRow>> {
        self.read(Class::Api, move |db| people::user_by_token(db, token_hash)).await
    }

    async fn change_user(&self, org: OrgId, id: UserId, change: UserChange) -> Result<()> {
        self.write(Class::Api, Weight::SMALL, move |desk| people::change_user(desk, org, id, change)).await
    }

    async fn remove_user(&self, org: OrgId, id: UserId) -> Result<()> {
        self.write(Class::Api, Weight::SMALL, move |desk| people::remove_user(desk, org, id)).await
    }

    async fn replace_user_token(
        &self,
        org: OrgId,
        id: UserId,
        token_hash: [u8; 32],
        now: Timestamp,
    ) -> Result<()> {
        self.write(Class::Api, Weight::SMALL, move |desk| {
            people::replace_user_token(desk, org, id, token_hash, now)
        })
        .await
    }

    async fn open_session(&self, new: NewSession, now: Timestamp) -> Result<()> {
        self.write(Class::Api, Weight::SMALL, move |desk| people::open_session(desk, &new, now)).await
    }

    async fn session(&self, session_hash: [u8; 32], now: Timestamp) -> Result<Option<SessionRow>> {
        self.read(Class::Api, move |db| people::session(db, session_hash, now)).await
    }

    async fn close_session(&self, session_hash: [u8; 32]) -> Result<()> {
        self.write(Class::Api, Weight::SMALL, move |desk| people::close_session(desk, session_hash)).await
    }

    async fn close_sessions(&self, org: OrgId, user: UserId) -> Result<u64> {
        self.write(Class::Api, Weight::SMALL, move |desk| people::close_sessions(desk, org, user)).await
    }

    async fn add_sign_in_code(&self, new: NewSignInCode, now: Timestamp) -> Result<()> {
        self.write(Class::Api, Weight::SMALL, move |desk| people::add_sign_in_code(desk, &new, now)).await
    }

    async fn use_sign_in_code(&self, code_hash: [u8; 32], now: Timestamp) -> Result<Option<UserRow>> {
        self.write(Class::Api, Weight::SMALL, move |desk| people::use_sign_in_code(desk, code_hash, now))
            .await
    }

    async fn date_formats(&self, org: OrgId) -> Result<Vec<DateFormatRow>> {
        self.read(Class::Api, move |db| rim::date_formats(db, org)).await
    }

    async fn add_date_format(
        &self,
        org: OrgId,
        pattern: &str,
        zone: Option<&str>,
        now: Timestamp,
    ) -> Result<DateFormatId> {
        let pattern = pattern.to_owned();
        let zone = zone.map(str::to_owned);
        self.write(Class::Api, Weight::SMALL, move |desk| {
            rim::add_date_format(desk, org, &pattern, zone.as_deref(), now)
        })
        .await
    }

    async fn remove_date_format(&self, org: OrgId, id: DateFormatId) -> Result<()> {
        self.write(Class::Api, Weight::SMALL, move |desk| rim::remove_date_format(desk, org, id)).await
    }

    async fn connection(&self, org: OrgId, instance: InstanceId) -> Result<Option<ConnectionRow>> {
        self.read(Class::Api, move |db| connections::connection(db, org, instance)).await
    }

    async fn put_tokens(&self, org: OrgId, instance: InstanceId, tokens: NewTokens) -> Result<Written> {
        let weight = weight(tokens.tokens_sealed.len());
        self.write(Class::Api, weight, move |desk| connections::put_tokens(desk, org, instance, &tokens))
            .await
    }

    async fn mark_reconnect(
        &self,
        org: OrgId,
        instance: InstanceId,
        generation: i64,
        reason: &str,
    ) -> Result<Written> {
        let reason = reason.to_owned();
        self.write(Class::Api, Weight::SMALL, move |desk| {
            connections::mark_reconnect(desk, org, instance, generation, &reason)
        })
        .await
    }

    async fn begin_refresh(
        &self,
        org: OrgId,
        instance: InstanceId,
        generation: i64,
        now: Timestamp,
        lease_for: Duration,
    ) -> Result<Option<Lease<InstanceId>>> {
        self.write(Class::Api, Weight::SMALL, move |desk| {
            connections::begin_refresh(desk, org, instance, generation, now, lease_for)
        })
        .await
    }

    async fn end_refresh(&self, lease: Lease<InstanceId>) -> Result<()> {
        self.write(Class::Api, Weight::SMALL, move |desk| connections::end_refresh(desk, lease)).await
    }

    async fn add_authorization(&self, new: NewAuthorization, now: Timestamp) -> Result<()> {
        let add = move |desk: &mut _| authorizations::add_authorization(desk, &new, now);
        self.write(Class::Api, Weight::SMALL, add).await
    }

    async fn take_authorization(
        &self,
        org: OrgId,
        hash: [u8; 32],
        now: Timestamp,
    ) -> Result<Option<AuthorizationRow>> {
        let take = move |desk: &mut _| authorizations::take_authorization(desk, org, hash, now);
        self.write(Class::Api, Weight::SMALL, take).await
    }

    async fn audit(&self, new: NewAudit) -> Result<AuditId> {
        let weight = weight(new.detail.len());
        self.write(Class::Api, weight, move |desk| rim::audit(desk, &new)).await
    }

    async fn audit_entries(&self, org: OrgId, before: Option<AuditId>, limit: u32) -> Result<Vec<AuditRow>> {
        self.read(Class::Api, move |db| rim::audit_entries(db, org, before, limit)).await
    }

    async fn remember_answer(&self, new: NewAnswer, now: Timestamp) -> Result<()> {
        let weight = weight(new.answer.len());
        self.write(Class::Api, weight, move |desk| rim::remember_answer(desk, &new, now)).await
    }

    async fn remembered(&self, org: OrgId, key: &str) -> Result<Option<RememberedAnswer>> {
        let key = key.to_owned();
        self.read(Class::Api, move |db| rim::remembered(db, org, &key)).await
    }

    async fn prune_directory(&self, retention: &DirectoryRetention) -> Result<Kept> {
        let retention = *retention;
        let weight = Weight { rows: retention.rows_max as usize, bytes: 0 };
        self.write(Class::Keeper, weight, move |desk| rim::prune(desk, &retention)).await
    }
}

#[cfg(test)]
mod tests {
    use super::super::open;
    use super::*;

    /// Every statement prepares, and none walks through or sorts what other organisations own.
    #[test]
    fn statements_prepare_and_do_not_scan() {
        let desk = open::memory().unwrap();
        let modules = [
            elements::STATEMENTS,
            people::STATEMENTS,
            connections::STATEMENTS,
            authorizations::STATEMENTS,
            rim::STATEMENTS,
        ];
        for (name, sql) in modules.concat() {
            let mut explain = desk
                .db
                .prepare(&format!("explain query plan {sql}"))
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            if name == "SELECT_ORGS" {
                continue; // All of them are asked for.
            }
            let none = vec![rusqlite::types::Null; explain.parameter_count()];
            let plan: Vec<String> = explain
                .query_map(rusqlite::params_from_iter(none), |row| row.get(3))
                .unwrap()
                .map(|line| line.unwrap())
                .collect();
            let scans = |line: &&String| line.starts_with("SCAN") && !line.contains("CONSTANT");
            assert_eq!(plan.iter().find(scans), None, "{name}: {plan:?}");
            let sorts = |line: &&String| line.contains("TEMP B-TREE");
            assert_eq!(plan.iter().find(sorts), None, "{name}: {plan:?}");
        }
    }
}
