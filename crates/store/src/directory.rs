//! Who may do what with which connectors: the verbs for people, connectors and what an organisation keeps for itself.
//!
//! Apart from [`crate::Store`], because nobody who polls or delivers needs any of it. The conventions are those of
//! [`crate::api`], and the words of `NotFound` here are `organisation`, `token`, `connector`, `revision`, `instance`,
//! `user` and `date format`. A connector is an `element` on the wire, and therefore in names. Lists and look-ups by
//! anything but an id answer nothing where nothing is; a verb that writes for an organisation wants it to be there.
//!
//! Tokens, sessions and sign-in codes are known by their hashes alone. Something that ends at an instant has ended at
//! that instant.
//!
//! Not here: what a role allows, how long a session lasts, what a document says.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use turnstone_core::id::{AuditId, DateFormatId, ElementId, InstanceId, OrgId, TokenId, UserId};

use crate::api::{InstanceRow, Kept, Lease, Result};

/// An organisation as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrgRow {
    /// Its id.
    pub id: OrgId,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A token of an organisation, without its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrgTokenRow {
    /// Its id.
    pub id: TokenId,
    /// When it was added.
    pub created_at: Timestamp,
}

/// A new connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewElement {
    /// Its organisation.
    pub org: OrgId,
    /// Its key, once per organisation.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Its document, as it was imported.
    pub document: String,
    /// Which numbers its parts have on the wire, as JSON.
    pub ids: String,
    /// Whether instances of it may be made.
    pub active: bool,
}

/// Everything of a connector that a person may change, as it shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElementChange {
    /// Its key, once per organisation.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Its document, as it was imported.
    pub document: String,
    /// Which numbers its parts have on the wire, as JSON.
    pub ids: String,
    /// Whether instances of it may be made.
    pub active: bool,
}

/// A connector as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElementRow {
    /// Its id.
    pub id: ElementId,
    /// Its organisation.
    pub org: OrgId,
    /// Its key.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Its document.
    pub document: String,
    /// Which numbers its parts have on the wire, as JSON.
    pub ids: String,
    /// Whether instances of it may be made.
    pub active: bool,
    /// Its revision; the first is 1.
    pub revision: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When this revision was made.
    pub updated_at: Timestamp,
}

/// Which instances to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstanceFilter {
    /// Only those that have all of these tags.
    pub tags: Vec<String>,
    /// Only those of this connector.
    pub element: Option<ElementId>,
    /// Only those whose name holds this text, in any letter case; empty for all.
    pub search: String,
    /// Only ids after this.
    pub after: i64,
    /// At most so many.
    pub limit: u32,
}

impl InstanceFilter {
    /// What tells whether a name holds the text that is searched for.
    pub(crate) fn named(&self) -> impl Fn(&str) -> bool + use<> {
        let wanted = self.search.to_lowercase();
        move |name| wanted.is_empty() || name.to_lowercase().contains(&wanted)
    }
}

/// A tag that is in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagCount {
    /// The tag.
    pub tag: String,
    /// How many instances have it.
    pub instances: u64,
}

/// What a user may do; what that means is decided elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The organisation itself: tokens, roles, keys.
    Owner,
    /// Connectors, hooks, monitors, and how resources are polled.
    Admin,
    /// Instances.
    Member,
    /// Looks only.
    Reader,
}

impl Role {
    /// All of them.
    pub const ALL: [Role; 4] = [Role::Owner, Role::Admin, Role::Member, Role::Reader];

    /// The stored code.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Owner => "owner",
            Role::Admin => "admin",
            Role::Member => "member",
            Role::Reader => "reader",
        }
    }
}

/// A new user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUser {
    /// Their organisation.
    pub org: OrgId,
    /// Their name, once per organisation.
    pub name: String,
    /// Their address; may be empty.
    pub email: String,
    /// What they may do.
    pub role: Role,
    /// Hash of their token.
    pub token_hash: [u8; 32],
}

/// What changes of a user; `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserChange {
    /// Their name, once per organisation.
    pub name: Option<String>,
    /// Their address; may be empty.
    pub email: Option<String>,
    /// What they may do.
    pub role: Option<Role>,
}

impl UserChange {
    /// Another role, and nothing else.
    pub fn of_role(role: Role) -> UserChange {
        UserChange { role: Some(role), ..UserChange::default() }
    }
}

/// A user as they are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRow {
    /// Their id.
    pub id: UserId,
    /// Their organisation.
    pub org: OrgId,
    /// Their name.
    pub name: String,
    /// Their address; may be empty.
    pub email: String,
    /// What they may do.
    pub role: Role,
    /// When they were added.
    pub created_at: Timestamp,
}

/// A browser that a user signs in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSession {
    /// The user's organisation.
    pub org: OrgId,
    /// The user.
    pub user: UserId,
    /// Hash of what its cookie holds.
    pub session_hash: [u8; 32],
    /// Hash of the token that comes with everything that it changes.
    pub change_hash: [u8; 32],
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A session that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// Whose it is, as they are now.
    pub user: UserRow,
    /// Hash of the token that comes with everything that it changes.
    pub change_hash: [u8; 32],
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A link that signs a user in once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSignInCode {
    /// The user's organisation.
    pub org: OrgId,
    /// The user.
    pub user: UserId,
    /// Hash of the code in the link.
    pub code_hash: [u8; 32],
    /// When it ends, used or not.
    pub expires_at: Timestamp,
}

/// A date format that an organisation keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DateFormatRow {
    /// Its id.
    pub id: DateFormatId,
    /// The pattern.
    pub pattern: String,
    /// The zone that goes with it, if any.
    pub zone: Option<String>,
    /// When it was added.
    pub created_at: Timestamp,
}

/// Something that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAudit {
    /// For which organisation.
    pub org: OrgId,
    /// By whom; `None` for the organisation's token and for the program itself.
    pub user: Option<UserId>,
    /// When.
    pub at: Timestamp,
    /// What was done.
    pub action: String,
    /// To what kind of thing.
    pub target_kind: String,
    /// To which one.
    pub target_id: String,
    /// The particulars as JSON, without secrets.
    pub detail: String,
}

/// An entry of the audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Its id; grows with every entry.
    pub id: AuditId,
    /// What was done.
    pub entry: NewAudit,
}

/// How an instance is connected to its provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnectionState {
    /// As far as anybody knows.
    Connected,
    /// The provider takes its grant no more; a person must connect it anew.
    ReconnectNeeded,
}

impl ConnectionState {
    /// Both.
    pub const ALL: [ConnectionState; 2] = [ConnectionState::Connected, ConnectionState::ReconnectNeeded];

    /// The stored code.
    pub fn as_str(self) -> &'static str {
        match self {
            ConnectionState::Connected => "connected",
            ConnectionState::ReconnectNeeded => "reconnect needed",
        }
    }
}

/// What is kept of an instance's connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionRow {
    /// Grows by one with every new set of tokens; 0 while there was none.
    pub generation: i64,
    /// The tokens, sealed; `None` at generation 0 only.
    pub tokens_sealed: Option<String>,
    /// When they end, as far as the provider said so.
    pub tokens_expire_at: Option<Timestamp>,
    /// How it is.
    pub state: ConnectionState,
    /// Why a person must connect it anew, in words; empty while connected.
    pub reason: String,
}

/// Tokens that a provider gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTokens {
    /// The generation that they replace.
    pub generation_was: i64,
    /// The tokens, sealed.
    pub tokens_sealed: String,
    /// When they end, as far as the provider said so.
    pub expire_at: Option<Timestamp>,
}

/// What came of a write that names the generation it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is durable.
    Yes,
    /// The connection has another generation by now; nothing was written.
    Moved,
}

/// Something that waits for the end of an authorisation at a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAuthorization {
    /// For which organisation.
    pub org: OrgId,
    /// Hash of its state.
    pub state_hash: [u8; 32],
    /// Hash of the application that it is for, to be found by when the state does not come back.
    pub client_hash: [u8; 32],
    /// What waits, sealed.
    pub sealed: String,
    /// When it ends, taken or not.
    pub expires_at: Timestamp,
}

/// What waited for the end of an authorisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationRow {
    /// Hash of its state.
    pub state_hash: [u8; 32],
    /// What waited, sealed.
    pub sealed: String,
}

/// What a request was answered with, so that the same request gets the same answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RememberedAnswer {
    /// Hash of the request: another request under the same key is a mistake.
    pub request_hash: [u8; 32],
    /// The status.
    pub status: u16,
    /// The body.
    pub answer: String,
    /// When it was given.
    pub created_at: Timestamp,
}

/// A request's key with its answer, to be remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAnswer {
    /// Whose key it is.
    pub org: OrgId,
    /// The key.
    pub key: String,
    /// Hash of the request.
    pub request_hash: [u8; 32],
    /// The status.
    pub status: u16,
    /// The body.
    pub answer: String,
}

/// What [`Directory::prune_directory`] removes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DirectoryRetention {
    /// Sessions and sign-in codes that have ended by this instant go.
    pub ended_by: Timestamp,
    /// Answers given before this go.
    pub answers_before: Timestamp,
    /// At most so many rows of each kind in one call.
    pub rows_max: u32,
}

/// The verbs of people and connectors. Object safe; implemented beside [`crate::Store`] by every database.
#[async_trait]
pub trait Directory: Send + Sync {
    // Organisations.

    /// All organisations, by id.
    async fn orgs(&self) -> Result<Vec<OrgRow>>;
    /// One organisation.
    async fn org(&self, id: OrgId) -> Result<OrgRow>;
    /// The organisation of this name.
    async fn org_by_name(&self, name: &str) -> Result<Option<OrgRow>>;
    /// The organisation's own tokens, by id.
    async fn org_tokens(&self, org: OrgId) -> Result<Vec<OrgTokenRow>>;
    /// Removes a token of the organisation; nobody finds it by that token any more. A user's token is none of these.
    async fn remove_org_token(&self, org: OrgId, id: TokenId) -> Result<()>;
    /// What the organisation has set under this key.
    async fn setting(&self, org: OrgId, key: &str) -> Result<Option<String>>;
    /// Sets it, in place of what was set before.
    async fn put_setting(&self, org: OrgId, key: &str, value: &str) -> Result<()>;

    // Connectors.

    /// Hands out `count` numbers for the parts of connectors (configuration entries, resources, parameters, hooks): the
    /// first of a row of consecutive ones, counted over all organisations. Numbers that are never used leave gaps. A
    /// count of 0 hands out none, and answers the number that comes next.
    async fn reserve_part_ids(&self, count: u32) -> Result<i64>;
    /// Makes a connector at revision 1. `Conflict` when the organisation has one with this key.
    async fn create_element(&self, new: NewElement, now: Timestamp) -> Result<ElementId>;
    /// Replaces a connector and answers its new revision, one after `revision_was`. Instances stay with the revision
    /// that they were made from, whose document is kept. `Conflict` when the revision has moved on, or another
    /// connector of the organisation has the key.
    async fn update_element(
        &self,
        org: OrgId,
        id: ElementId,
        revision_was: i64,
        change: ElementChange,
        now: Timestamp,
    ) -> Result<i64>;
    /// Removes a connector with all its revisions. `Conflict`, saying how many, while instances of it exist.
    async fn delete_element(&self, org: OrgId, id: ElementId) -> Result<()>;
    /// One connector.
    async fn element(&self, org: OrgId, id: ElementId) -> Result<ElementRow>;
    /// The organisation's connector with this key.
    async fn element_by_key(&self, org: OrgId, key: &str) -> Result<Option<ElementRow>>;
    /// The organisation's connectors, by id.
    async fn elements(&self, org: OrgId) -> Result<Vec<ElementRow>>;
    /// The document of a connector as it was in a revision, the present one included. `NotFound` says `revision` when
    /// only that is missing.
    async fn element_at(&self, org: OrgId, id: ElementId, revision: i64) -> Result<String>;

    // Instances.

    /// The instance whose token has this hash, of whatever organisation.
    async fn instance_by_token(&self, token_hash: [u8; 32]) -> Result<Option<InstanceRow>>;
    /// Instances of an organisation, by id.
    async fn instances_page(&self, org: OrgId, filter: &InstanceFilter) -> Result<Vec<InstanceRow>>;
    /// The tags that the organisation's instances have, by tag. An instance counts once for a tag that it has twice.
    async fn tags(&self, org: OrgId) -> Result<Vec<TagCount>>;

    // Users.

    /// Adds a user. `Conflict` when the organisation has one of this name, or the token is known, be it a user's or an
    /// organisation's.
    async fn create_user(&self, new: NewUser, now: Timestamp) -> Result<UserId>;
    /// The organisation's users, by id.
    async fn users(&self, org: OrgId) -> Result<Vec<UserRow>>;
    /// One user.
    async fn user(&self, org: OrgId, id: UserId) -> Result<UserRow>;
    /// The user whose token has this hash, of whatever organisation.
    async fn user_by_token(&self, token_hash: [u8; 32]) -> Result<Option<UserRow>>;
    /// Changes a user; sessions that are open have a new role at once. `Conflict`, and nothing changes, when it would
    /// leave the organisation without an owner, or another user of the organisation has the name.
    async fn change_user(&self, org: OrgId, id: UserId, change: UserChange) -> Result<()>;
    /// Removes a user with their token, sessions and sign-in codes; the audit keeps naming their id. `Conflict` when it
    /// would leave the organisation without an owner.
    async fn remove_user(&self, org: OrgId, id: UserId) -> Result<()>;
    /// Replaces a user's token; the old one finds nobody any more. Sessions stay, see [`Directory::close_sessions`].
    /// `Conflict` when the token is known, be it their own.
    async fn replace_user_token(
        &self,
        org: OrgId,
        id: UserId,
        token_hash: [u8; 32],
        now: Timestamp,
    ) -> Result<()>;

    // Sessions.

    /// Opens a session. `Conflict` when its hash is known.
    async fn open_session(&self, new: NewSession, now: Timestamp) -> Result<()>;
    /// The session with this hash, while it stands.
    async fn session(&self, session_hash: [u8; 32], now: Timestamp) -> Result<Option<SessionRow>>;
    /// Ends a session; does nothing when there is none.
    async fn close_session(&self, session_hash: [u8; 32]) -> Result<()>;
    /// Ends all sessions of a user, and the sign-in codes that would open others. Returns how many sessions that were,
    /// those that had run out but were not yet removed included.
    async fn close_sessions(&self, org: OrgId, user: UserId) -> Result<u64>;
    /// Adds a code that signs a user in once. `Conflict` when its hash is known.
    async fn add_sign_in_code(&self, new: NewSignInCode, now: Timestamp) -> Result<()>;
    /// Takes a code and answers whom it signs in. Of all who come with the same code, one gets the answer; `None` for
    /// the others, and for everybody once it has ended.
    async fn use_sign_in_code(&self, code_hash: [u8; 32], now: Timestamp) -> Result<Option<UserRow>>;

    // Date formats.

    /// The organisation's own date formats, by id.
    async fn date_formats(&self, org: OrgId) -> Result<Vec<DateFormatRow>>;
    /// Keeps a date format. One that is kept already answers its id: same pattern, and same zone or none.
    async fn add_date_format(
        &self,
        org: OrgId,
        pattern: &str,
        zone: Option<&str>,
        now: Timestamp,
    ) -> Result<DateFormatId>;
    /// Removes a date format; configurations that use it go on doing so.
    async fn remove_date_format(&self, org: OrgId, id: DateFormatId) -> Result<()>;

    // Connections.

    /// The connection of an instance; `None` while nothing was ever written of it.
    async fn connection(&self, org: OrgId, instance: InstanceId) -> Result<Option<ConnectionRow>>;
    /// Writes tokens as the generation after `generation_was`, if the connection still has that one; one that is not
    /// there has generation 0. The instance is connected by that, and a refresh in flight is over. The generation
    /// decides and not the claim: tokens of a refresh that took too long are good, as long as nobody wrote newer ones.
    async fn put_tokens(&self, org: OrgId, instance: InstanceId, tokens: NewTokens) -> Result<Written>;
    /// Writes that a person must connect the instance anew, if the connection still has this generation, and ends a
    /// refresh in flight. The tokens stay.
    async fn mark_reconnect(
        &self,
        org: OrgId,
        instance: InstanceId,
        generation: i64,
        reason: &str,
    ) -> Result<Written>;
    /// Claims the refresh of this generation's tokens until `now + lease_for`. `None` while another claim stands, on
    /// whatever node, and when the connection has another generation. Unlike other claims it stands when the store is
    /// opened anew, because the request that it covers may still reach the provider.
    async fn begin_refresh(
        &self,
        org: OrgId,
        instance: InstanceId,
        generation: i64,
        now: Timestamp,
        lease_for: Duration,
    ) -> Result<Option<Lease<InstanceId>>>;
    /// Ends a refresh that brought nothing. Does nothing when the claim is another's by now.
    async fn end_refresh(&self, lease: Lease<InstanceId>) -> Result<()>;

    // Authorisations.

    /// Keeps something until an authorisation comes back, in place of what waits under the same state. Some of those
    /// that have ended go.
    async fn add_authorization(&self, new: NewAuthorization, now: Timestamp) -> Result<()>;
    /// Takes what waits under this state, or for this application if nothing else waits for it. Of all who come for the
    /// same, one gets it; `None` for the others, and for everybody once it has ended.
    async fn take_authorization(
        &self,
        org: OrgId,
        hash: [u8; 32],
        now: Timestamp,
    ) -> Result<Option<AuthorizationRow>>;

    // What happened.

    /// Writes an entry of the audit. The user may be gone.
    async fn audit(&self, new: NewAudit) -> Result<AuditId>;
    /// The organisation's audit, newest first, from before an entry on or from the newest; at most `limit`.
    async fn audit_entries(&self, org: OrgId, before: Option<AuditId>, limit: u32) -> Result<Vec<AuditRow>>;
    /// Remembers what a request was answered with. `Conflict` when the organisation's key is known.
    async fn remember_answer(&self, new: NewAnswer, now: Timestamp) -> Result<()>;
    /// What was answered under this key.
    async fn remembered(&self, org: OrgId, key: &str) -> Result<Option<RememberedAnswer>>;
    /// Removes sessions and sign-in codes that have ended, and old answers, the oldest first.
    async fn prune_directory(&self, retention: &DirectoryRetention) -> Result<Kept>;
}
