//! Organisations and their tokens, users, sessions, sign-in codes.

use jiff::Timestamp;
use turnstone_core::id::{OrgId, TokenId, UserId};

use super::directory::{Code, Session};
use super::state::{State, Token, micros, next};
use crate::api::*;
use crate::directory::*;

impl State {
    pub fn orgs(&self) -> Vec<OrgRow> {
        self.orgs.values().cloned().collect()
    }

    pub fn org(&self, id: OrgId) -> Result<OrgRow> {
        self.orgs.get(&id).cloned().ok_or(StoreError::NotFound("organisation"))
    }

    pub fn org_by_name(&self, name: &str) -> Option<OrgRow> {
        self.orgs.values().find(|org| org.name == name).cloned()
    }

    /// Adds a token that nobody has yet.
    pub fn add_token(
        &mut self,
        org: OrgId,
        user: Option<UserId>,
        token_hash: [u8; 32],
        now: Timestamp,
    ) -> Result<TokenId> {
        self.new_token(token_hash)?;
        let id = TokenId(next(&mut self.numbers.token));
        self.tokens.insert(token_hash, Token { id, org, user, created_at: micros(now) });
        Ok(id)
    }

    fn new_token(&self, token_hash: [u8; 32]) -> Result<()> {
        match self.tokens.contains_key(&token_hash) {
            true => Err(StoreError::Conflict("this token is taken".into())),
            false => Ok(()),
        }
    }

    pub fn org_tokens(&self, org: OrgId) -> Vec<OrgTokenRow> {
        let own = self.tokens.values().filter(|token| token.org == org && token.user.is_none());
        let mut rows: Vec<OrgTokenRow> =
            own.map(|token| OrgTokenRow { id: token.id, created_at: token.created_at }).collect();
        rows.sort_by_key(|row| row.id);
        rows
    }

    pub fn remove_org_token(&mut self, org: OrgId, id: TokenId) -> Result<()> {
        let before = self.tokens.len();
        self.tokens.retain(|_, token| token.id != id || token.org != org || token.user.is_some());
        if self.tokens.len() < before { Ok(()) } else { Err(StoreError::NotFound("token")) }
    }

    pub fn create_user(&mut self, new: NewUser, now: Timestamp) -> Result<UserId> {
        self.known_org(new.org)?;
        if self.users(new.org).iter().any(|user| user.name == new.name) {
            return Err(StoreError::Conflict("this user name is taken".into()));
        }
        self.new_token(new.token_hash)?;
        let id = UserId(next(&mut self.numbers.user));
        self.add_token(new.org, Some(id), new.token_hash, now)?;
        let row = UserRow {
            id,
            org: new.org,
            name: new.name,
            email: new.email,
            role: new.role,
            created_at: micros(now),
        };
        self.directory.users.insert(id, row);
        Ok(id)
    }

    pub fn users(&self, org: OrgId) -> Vec<UserRow> {
        self.directory.users.values().filter(|user| user.org == org).cloned().collect()
    }

    pub fn user(&self, org: OrgId, id: UserId) -> Result<UserRow> {
        let user = self.directory.users.get(&id).filter(|user| user.org == org);
        user.cloned().ok_or(StoreError::NotFound("user"))
    }

    pub fn user_by_token(&self, token_hash: [u8; 32]) -> Option<UserRow> {
        let user = self.tokens.get(&token_hash)?.user?;
        self.directory.users.get(&user).cloned()
    }

    fn other_owner(&self, user: &UserRow) -> Result<()> {
        let others = self.users(user.org).into_iter().filter(|other| other.id != user.id);
        let has_other = others.into_iter().any(|other| other.role == Role::Owner);
        match user.role {
            Role::Owner if !has_other => Err(StoreError::Conflict("this is the only owner".into())),
            _ => Ok(()),
        }
    }

    pub fn change_user(&mut self, org: OrgId, id: UserId, change: UserChange) -> Result<()> {
        let before = self.user(org, id)?;
        let role = change.role.unwrap_or(before.role);
        if role != Role::Owner {
            self.other_owner(&before)?;
        }
        let name = change.name.unwrap_or_else(|| before.name.clone());
        if self.users(org).iter().any(|other| other.id != id && other.name == name) {
            return Err(StoreError::Conflict("this user name is taken".into()));
        }
        let email = change.email.unwrap_or_else(|| before.email.clone());
        self.directory.users.insert(id, UserRow { name, email, role, ..before });
        Ok(())
    }

    pub fn remove_user(&mut self, org: OrgId, id: UserId) -> Result<()> {
        self.other_owner(&self.user(org, id)?)?;
        self.close_sessions(org, id)?;
        self.tokens.retain(|_, token| token.user != Some(id));
        self.directory.users.remove(&id);
        Ok(())
    }

    pub fn replace_user_token(
        &mut self,
        org: OrgId,
        id: UserId,
        token_hash: [u8; 32],
        now: Timestamp,
    ) -> Result<()> {
        self.user(org, id)?;
        self.new_token(token_hash)?;
        self.tokens.retain(|_, token| token.user != Some(id));
        self.add_token(org, Some(id), token_hash, now)?;
        Ok(())
    }

    pub fn open_session(&mut self, new: NewSession, now: Timestamp) -> Result<()> {
        self.user(new.org, new.user)?;
        if self.directory.sessions.contains_key(&new.session_hash) {
            return Err(StoreError::Conflict("this session is taken".into()));
        }
        let session = Session {
            user: new.user,
            change_hash: new.change_hash,
            created_at: micros(now),
            expires_at: micros(new.expires_at),
        };
        self.directory.sessions.insert(new.session_hash, session);
        Ok(())
    }

    pub fn session(&self, session_hash: [u8; 32], now: Timestamp) -> Option<SessionRow> {
        let session = self.directory.sessions.get(&session_hash)?;
        let stands = session.expires_at > micros(now);
        stands.then(|| SessionRow {
            user: self.directory.users[&session.user].clone(),
            change_hash: session.change_hash,
            created_at: session.created_at,
            expires_at: session.expires_at,
        })
    }

    pub fn close_session(&mut self, session_hash: [u8; 32]) {
        self.directory.sessions.remove(&session_hash);
    }

    pub fn close_sessions(&mut self, org: OrgId, id: UserId) -> Result<u64> {
        self.user(org, id)?;
        let before = self.directory.sessions.len();
        self.directory.sessions.retain(|_, session| session.user != id);
        self.directory.codes.retain(|_, code| code.user != id);
        Ok((before - self.directory.sessions.len()) as u64)
    }

    pub fn add_sign_in_code(&mut self, new: NewSignInCode, _now: Timestamp) -> Result<()> {
        self.user(new.org, new.user)?;
        if self.directory.codes.contains_key(&new.code_hash) {
            return Err(StoreError::Conflict("this code is taken".into()));
        }
        let code = Code { user: new.user, expires_at: micros(new.expires_at) };
        self.directory.codes.insert(new.code_hash, code);
        Ok(())
    }

    pub fn use_sign_in_code(&mut self, code_hash: [u8; 32], now: Timestamp) -> Option<UserRow> {
        let code = self.directory.codes.get(&code_hash)?;
        if code.expires_at <= micros(now) {
            return None;
        }
        let code = self.directory.codes.remove(&code_hash)?;
        self.directory.users.get(&code.user).cloned()
    }
}
