//! The rows of people and connectors, and the verbs on them.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use turnstone_core::id::{AuditId, DateFormatId, ElementId, InstanceId, OrgId, TokenId, UserId};

use super::MemoryStore;
use crate::api::*;
use crate::directory::*;

/// What [`crate::Store`] knows nothing of.
#[derive(Clone, Default)]
pub(super) struct Rows {
    pub settings: BTreeMap<(OrgId, String), String>,
    pub elements: BTreeMap<ElementId, Element>,
    pub users: BTreeMap<UserId, UserRow>,
    pub sessions: BTreeMap<[u8; 32], Session>,
    pub codes: BTreeMap<[u8; 32], Code>,
    pub date_formats: BTreeMap<DateFormatId, (OrgId, DateFormatRow)>,
    pub connections: BTreeMap<InstanceId, Connection>,
    pub authorizations: BTreeMap<(OrgId, [u8; 32]), NewAuthorization>,
    pub audit: BTreeMap<AuditId, NewAudit>,
    pub answers: BTreeMap<(OrgId, String), RememberedAnswer>,
}

/// A connector and the documents of all its revisions.
#[derive(Clone)]
pub(super) struct Element {
    pub row: ElementRow,
    pub documents: BTreeMap<i64, String>,
}

/// A session, whether it stands or has ended.
#[derive(Clone)]
pub(super) struct Session {
    pub user: UserId,
    pub change_hash: [u8; 32],
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// A sign-in code that nobody used.
#[derive(Clone)]
pub(super) struct Code {
    pub user: UserId,
    pub expires_at: Timestamp,
}

/// A connection and the claim on its refresh.
#[derive(Clone)]
pub(super) struct Connection {
    pub row: ConnectionRow,
    pub refresh_epoch: u64,
    /// The end of the claim in microseconds, while there is one.
    pub refresh_until: Option<i64>,
}

#[async_trait]
impl Directory for MemoryStore {
    async fn orgs(&self) -> Result<Vec<OrgRow>> {
        Ok(self.lock().orgs())
    }

    async fn org(&self, id: OrgId) -> Result<OrgRow> {
        self.lock().org(id)
    }

    async fn org_by_name(&self, name: &str) -> Result<Option<OrgRow>> {
        Ok(self.lock().org_by_name(name))
    }

    async fn org_tokens(&self, org: OrgId) -> Result<Vec<OrgTokenRow>> {
        Ok(self.lock().org_tokens(org))
    }

    async fn remove_org_token(&self, org: OrgId, id: TokenId) -> Result<()> {
        self.lock().remove_org_token(org, id)
    }

    async fn setting(&self, org: OrgId, key: &str) -> Result<Option<String>> {
        Ok(self.lock().setting(org, key))
    }

    async fn put_setting(&self, org: OrgId, key: &str, value: &str) -> Result<()> {
        self.lock().put_setting(org, key, value)
    }

    async fn reserve_part_ids(&self, count: u32) -> Result<i64> {
        Ok(self.lock().reserve_part_ids(count))
    }

    async fn create_element(&self, new: NewElement, now: Timestamp) -> Result<ElementId> {
        self.lock().create_element(new, now)
    }

    async fn update_element(
        &self,
        org: OrgId,
        id: ElementId,
        revision_was: i64,
        change: ElementChange,
        now: Timestamp,
    ) -> Result<i64> {
        self.lock().update_element(org, id, revision_was, change, now)
    }

    async fn delete_element(&self, org: OrgId, id: ElementId) -> Result<()> {
        self.lock().delete_element(org, id)
    }

    async fn element(&self, org: OrgId, id: ElementId) -> Result<ElementRow> {
        self.lock().element(org, id)
    }

    async fn element_by_key(&self, org: OrgId, key: &str) -> Result<Option<ElementRow>> {
        Ok(self.lock().element_by_key(org, key))
    }

    async fn elements(&self, org: OrgId) -> Result<Vec<ElementRow>> {
        Ok(self.lock().elements(org))
    }

    async fn element_at(&self, org: OrgId, id: ElementId, revision: i64) -> Result<String> {
        self.lock().element_at(org, id, revision)
    }

    async fn instance_by_token(&self, token_hash: [u8; 32]) -> Result<Option<InstanceRow>> {
        Ok(self.lock().instance_by_token(token_hash))
    }

    async fn instances_page(&self, org: OrgId, filter: &InstanceFilter) -> Result<Vec<InstanceRow>> {
        Ok(self.lock().instances_page(org, filter))
    }

    async fn tags(&self, org: OrgId) -> Result<Vec<TagCount>> {
        Ok(self.lock().tags(org))
    }

    async fn create_user(&self, new: NewUser, now: Timestamp) -> Result<UserId> {
        self.lock().create_user(new, now)
    }

    async fn users(&self, org: OrgId) -> Result<Vec<UserRow>> {
        Ok(self.lock().users(org))
    }

    async fn user(&self, org: OrgId, id: UserId) -> Result<UserRow> {
        self.lock().user(org, id)
    }

    async fn user_by_token(&self, token_hash: [u8; 32]) -> Result<Option<UserRow>> {
        Ok(self.lock().user_by_token(token_hash))
    }

    async fn change_user(&self, org: OrgId, id: UserId, change: UserChange) -> Result<()> {
        self.lock().change_user(org, id, change)
    }

    async fn remove_user(&self, org: OrgId, id: UserId) -> Result<()> {
        self.lock().remove_user(org, id)
    }

    async fn replace_user_token(
        &self,
        org: OrgId,
        id: UserId,
        token_hash: [u8; 32],
        now: Timestamp,
    ) -> Result<()> {
        self.lock().replace_user_token(org, id, token_hash, now)
    }

    async fn open_session(&self, new: NewSession, now: Timestamp) -> Result<()> {
        self.lock().open_session(new, now)
    }

    async fn session(&self, session_hash: [u8; 32], now: Timestamp) -> Result<Option<SessionRow>> {
        Ok(self.lock().session(session_hash, now))
    }

    async fn close_session(&self, session_hash: [u8; 32]) -> Result<()> {
        self.lock().close_session(session_hash);
        Ok(())
    }

    async fn close_sessions(&self, org: OrgId, user: UserId) -> Result<u64> {
        self.lock().close_sessions(org, user)
    }

    async fn add_sign_in_code(&self, new: NewSignInCode, now: Timestamp) -> Result<()> {
        self.lock().add_sign_in_code(new, now)
    }

    async fn use_sign_in_code(&self, code_hash: [u8; 32], now: Timestamp) -> Result<Option<UserRow>> {
        Ok(self.lock().use_sign_in_code(code_hash, now))
    }

    async fn date_formats(&self, org: OrgId) -> Result<Vec<DateFormatRow>> {
        Ok(self.lock().date_formats(org))
    }

    async fn add_date_format(
        &self,
        org: OrgId,
        pattern: &str,
        zone: Option<&str>,
        now: Timestamp,
    ) -> Result<DateFormatId> {
        self.lock().add_date_format(org, pattern, zone, now)
    }

    async fn remove_date_format(&self, org: OrgId, id: DateFormatId) -> Result<()> {
        self.lock().remove_date_format(org, id)
    }

    async fn connection(&self, org: OrgId, instance: InstanceId) -> Result<Option<ConnectionRow>> {
        self.lock().connection(org, instance)
    }

    async fn put_tokens(&self, org: OrgId, instance: InstanceId, tokens: NewTokens) -> Result<Written> {
        self.lock().put_tokens(org, instance, tokens)
    }

    async fn mark_reconnect(
        &self,
        org: OrgId,
        instance: InstanceId,
        generation: i64,
        reason: &str,
    ) -> Result<Written> {
        self.lock().mark_reconnect(org, instance, generation, reason)
    }

    async fn begin_refresh(
        &self,
        org: OrgId,
        instance: InstanceId,
        generation: i64,
        now: Timestamp,
        lease_for: Duration,
    ) -> Result<Option<Lease<InstanceId>>> {
        self.lock().begin_refresh(org, instance, generation, now, lease_for)
    }

    async fn end_refresh(&self, lease: Lease<InstanceId>) -> Result<()> {
        self.lock().end_refresh(lease);
        Ok(())
    }

    async fn add_authorization(&self, new: NewAuthorization, now: Timestamp) -> Result<()> {
        self.lock().add_authorization(new, now)
    }

    async fn take_authorization(
        &self,
        org: OrgId,
        hash: [u8; 32],
        now: Timestamp,
    ) -> Result<Option<AuthorizationRow>> {
        Ok(self.lock().take_authorization(org, hash, now))
    }

    async fn audit(&self, new: NewAudit) -> Result<AuditId> {
        self.lock().audit(new)
    }

    async fn audit_entries(&self, org: OrgId, before: Option<AuditId>, limit: u32) -> Result<Vec<AuditRow>> {
        Ok(self.lock().audit_entries(org, before, limit))
    }

    async fn remember_answer(&self, new: NewAnswer, now: Timestamp) -> Result<()> {
        self.lock().remember_answer(new, now)
    }

    async fn remembered(&self, org: OrgId, key: &str) -> Result<Option<RememberedAnswer>> {
        Ok(self.lock().remembered(org, key))
    }

    async fn prune_directory(&self, retention: &DirectoryRetention) -> Result<Kept> {
        Ok(self.lock().prune_directory(retention))
    }
}
