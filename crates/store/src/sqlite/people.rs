//! Users, their tokens, sessions and sign-in codes, and the tokens of organisations.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use turnstone_core::id::{OrgId, TokenId, UserId};

use super::instances::require_org;
use super::row::{Columns, micros, statements};
use super::writer::Desk;
use crate::{
    NewSession, NewSignInCode, NewUser, OrgRow, OrgTokenRow, Result, Role, SessionRow, StoreError,
    UserChange, UserRow,
};

macro_rules! org_columns {
    () => {
        "
    select id, name, created_at
    from org"
    };
}

macro_rules! user_columns {
    () => {
        "
    select
        app_user.id,
        app_user.org_id,
        app_user.name,
        app_user.email,
        app_user.role,
        app_user.created_at"
    };
}

statements! {
    SELECT_ORGS = concat!(org_columns!(), "
    order by id");

    SELECT_ORG_ROW = concat!(org_columns!(), "
    where id = ?1");

    SELECT_ORG_NAMED = concat!(org_columns!(), "
    where name = ?1");

    SELECT_ORG_TOKENS = "
    select id, created_at
    from token
    where org_id = ?1
    and user_id is null
    order by id";

    DELETE_ORG_TOKEN = "
    delete from token
    where id = ?1
    and org_id = ?2
    and user_id is null";

    SELECT_USER_NAMED = "
    select 1
    from app_user
    where org_id = ?1
    and name = ?2";

    SELECT_TOKEN_KNOWN = "
    select 1
    from token
    where token_hash = ?1";

    INSERT_USER = "
    insert into app_user (org_id, name, email, role, created_at)
    values (?1, ?2, ?3, ?4, ?5)";

    INSERT_USER_TOKEN = "
    insert into token (token_hash, org_id, user_id, created_at)
    values (?1, ?2, ?3, ?4)";

    SELECT_USER = concat!(user_columns!(), "
    from app_user
    where id = ?1
    and org_id = ?2");

    SELECT_ANY_USER = concat!(user_columns!(), "
    from app_user
    where id = ?1");

    SELECT_USERS = concat!(user_columns!(), "
    from app_user
    where org_id = ?1
    order by id");

    SELECT_USER_BY_TOKEN = concat!(user_columns!(), "
    from token
    join app_user on app_user.id = token.user_id
    where token.token_hash = ?1");

    SELECT_OTHER_OWNER = "
    select 1
    from app_user
    where org_id = ?1
    and role = 'owner'
    and id <> ?2
    limit 1";

    SELECT_OTHER_NAMED = "
    select 1
    from app_user
    where org_id = ?1
    and name = ?2
    and id <> ?3";

    UPDATE_USER = "
    update app_user
    set name = ?2, email = ?3, role = ?4
    where id = ?1";

    DELETE_USER = "
    delete from app_user
    where id = ?1";

    UPDATE_USER_TOKEN = "
    update token
    set token_hash = ?2, created_at = ?3
    where user_id = ?1";

    INSERT_SESSION = "
    insert into session (session_hash, org_id, user_id, change_hash, created_at, expires_at)
    values (?1, ?2, ?3, ?4, ?5, ?6)
    on conflict do nothing";

    SELECT_SESSION = concat!(user_columns!(), ",
        session.change_hash,
        session.created_at,
        session.expires_at
    from session
    join app_user on app_user.id = session.user_id
    where session.session_hash = ?1
    and session.expires_at > ?2");

    DELETE_SESSION = "
    delete from session
    where session_hash = ?1";

    DELETE_SESSIONS_OF_USER = "
    delete from session
    where user_id = ?1";

    DELETE_CODES_OF_USER = "
    delete from sign_in_code
    where user_id = ?1";

    INSERT_CODE = "
    insert into sign_in_code (code_hash, org_id, user_id, created_at, expires_at)
    values (?1, ?2, ?3, ?4, ?5)
    on conflict do nothing";

    TAKE_CODE = "
    delete from sign_in_code
    where code_hash = ?1
    and expires_at > ?2
    returning user_id";
}

fn read_org(row: &Row<'_>) -> rusqlite::Result<OrgRow> {
    Ok(OrgRow { id: OrgId(row.get(0)?), name: row.get(1)?, created_at: row.instant(2)? })
}

/// See [`crate::Directory::orgs`].
pub(super) fn orgs(db: &Connection) -> Result<Vec<OrgRow>> {
    let mut select = db.prepare_cached(SELECT_ORGS)?;
    Ok(select.query_map([], read_org)?.collect::<rusqlite::Result<_>>()?)
}

/// See [`crate::Directory::org`].
pub(super) fn org(db: &Connection, id: OrgId) -> Result<OrgRow> {
    let found = db.prepare_cached(SELECT_ORG_ROW)?.query_row([id.0], read_org).optional()?;
    found.ok_or(StoreError::NotFound("organisation"))
}

/// See [`crate::Directory::org_by_name`].
pub(super) fn org_by_name(db: &Connection, name: &str) -> Result<Option<OrgRow>> {
    Ok(db.prepare_cached(SELECT_ORG_NAMED)?.query_row([name], read_org).optional()?)
}

/// See [`crate::Directory::org_tokens`].
pub(super) fn org_tokens(db: &Connection, org: OrgId) -> Result<Vec<OrgTokenRow>> {
    let mut select = db.prepare_cached(SELECT_ORG_TOKENS)?;
    let rows = select.query_map([org.0], |row| {
        Ok(OrgTokenRow { id: TokenId(row.get(0)?), created_at: row.instant(1)? })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// See [`crate::Directory::remove_org_token`].
pub(super) fn remove_org_token(desk: &mut Desk, org: OrgId, id: TokenId) -> Result<()> {
    match desk.db.prepare_cached(DELETE_ORG_TOKEN)?.execute([id.0, org.0])? {
        0 => Err(StoreError::NotFound("token")),
        _ => Ok(()),
    }
}

fn role_of(code: &str) -> Option<Role> {
    Role::ALL.into_iter().find(|role| role.as_str() == code)
}

fn read_user(row: &Row<'_>) -> rusqlite::Result<UserRow> {
    Ok(UserRow {
        id: UserId(row.get(0)?),
        org: OrgId(row.get(1)?),
        name: row.get(2)?,
        email: row.get(3)?,
        role: row.code(4, role_of)?,
        created_at: row.instant(5)?,
    })
}

/// Refuses a token that anybody has.
fn require_new_token(db: &Connection, token_hash: [u8; 32]) -> Result<()> {
    match db.prepare_cached(SELECT_TOKEN_KNOWN)?.exists([token_hash])? {
        true => Err(StoreError::Conflict("this token is already known".into())),
        false => Ok(()),
    }
}

/// See [`crate::Directory::create_user`].
pub(super) fn create_user(desk: &mut Desk, new: &NewUser, now: Timestamp) -> Result<UserId> {
    let db = &desk.db;
    require_org(db, new.org)?;
    if db.prepare_cached(SELECT_USER_NAMED)?.exists(params![new.org.0, new.name])? {
        return Err(StoreError::Conflict(format!("there is a user `{}` already", new.name)));
    }
    require_new_token(db, new.token_hash)?;
    db.prepare_cached(INSERT_USER)?.execute(params![
        new.org.0,
        new.name,
        new.email,
        new.role.as_str(),
        micros(now)
    ])?;
    let id = UserId(db.last_insert_rowid());
    db.prepare_cached(INSERT_USER_TOKEN)?.execute(params![new.token_hash, new.org.0, id.0, micros(now)])?;
    Ok(id)
}

/// See [`crate::Directory::users`].
pub(super) fn users(db: &Connection, org: OrgId) -> Result<Vec<UserRow>> {
    let mut select = db.prepare_cached(SELECT_USERS)?;
    Ok(select.query_map([org.0], read_user)?.collect::<rusqlite::Result<_>>()?)
}

/// See [`crate::Directory::user`].
pub(super) fn user(db: &Connection, org: OrgId, id: UserId) -> Result<UserRow> {
    let found = db.prepare_cached(SELECT_USER)?.query_row([id.0, org.0], read_user).optional()?;
    found.ok_or(StoreError::NotFound("user"))
}

/// See [`crate::Directory::user_by_token`].
pub(super) fn user_by_token(db: &Connection, token_hash: [u8; 32]) -> Result<Option<UserRow>> {
    Ok(db.prepare_cached(SELECT_USER_BY_TOKEN)?.query_row([token_hash], read_user).optional()?)
}

/// Refuses to do without a user who is the only owner.
fn require_other_owner(db: &Connection, user: &UserRow) -> Result<()> {
    if user.role == Role::Owner && !db.prepare_cached(SELECT_OTHER_OWNER)?.exists([user.org.0, user.id.0])? {
        return Err(StoreError::Conflict(format!(
            "`{}` is the only owner; make somebody else an owner first",
            user.name
        )));
    }
    Ok(())
}

/// See [`crate::Directory::change_user`].
pub(super) fn change_user(desk: &mut Desk, org: OrgId, id: UserId, change: UserChange) -> Result<()> {
    let db = &desk.db;
    let before = user(db, org, id)?;
    let role = change.role.unwrap_or(before.role);
    if role != Role::Owner {
        require_other_owner(db, &before)?;
    }
    let name = change.name.unwrap_or(before.name);
    if db.prepare_cached(SELECT_OTHER_NAMED)?.exists(params![org.0, name, id.0])? {
        return Err(StoreError::Conflict(format!("there is a user `{name}` already")));
    }
    let email = change.email.unwrap_or(before.email);
    db.prepare_cached(UPDATE_USER)?.execute(params![id.0, name, email, role.as_str()])?;
    Ok(())
}

/// See [`crate::Directory::remove_user`].
pub(super) fn remove_user(desk: &mut Desk, org: OrgId, id: UserId) -> Result<()> {
    let db = &desk.db;
    require_other_owner(db, &user(db, org, id)?)?;
    db.prepare_cached(DELETE_USER)?.execute([id.0])?;
    Ok(())
}

/// See [`crate::Directory::replace_user_token`].
pub(super) fn replace_user_token(
    desk: &mut Desk,
    org: OrgId,
    id: UserId,
    token_hash: [u8; 32],
    now: Timestamp,
) -> Result<()> {
    let db = &desk.db;
    user(db, org, id)?;
    require_new_token(db, token_hash)?;
    db.prepare_cached(UPDATE_USER_TOKEN)?.execute(params![id.0, token_hash, micros(now)])?;
    Ok(())
}

/// See [`crate::Directory::open_session`].
pub(super) fn open_session(desk: &mut Desk, new: &NewSession, now: Timestamp) -> Result<()> {
    let db = &desk.db;
    user(db, new.org, new.user)?;
    let inserted = db.prepare_cached(INSERT_SESSION)?.execute(params![
        new.session_hash,
        new.org.0,
        new.user.0,
        new.change_hash,
        micros(now),
        micros(new.expires_at)
    ])?;
    match inserted {
        0 => Err(StoreError::Conflict("this session is already known".into())),
        _ => Ok(()),
    }
}

/// See [`crate::Directory::session`].
pub(super) fn session(db: &Connection, session_hash: [u8; 32], now: Timestamp) -> Result<Option<SessionRow>> {
    let mut select = db.prepare_cached(SELECT_SESSION)?;
    let found = select.query_row(params![session_hash, micros(now)], |row| {
        Ok(SessionRow {
            user: read_user(row)?,
            change_hash: row.get(6)?,
            created_at: row.instant(7)?,
            expires_at: row.instant(8)?,
        })
    });
    Ok(found.optional()?)
}

/// See [`crate::Directory::close_session`].
pub(super) fn close_session(desk: &mut Desk, session_hash: [u8; 32]) -> Result<()> {
    desk.db.prepare_cached(DELETE_SESSION)?.execute([session_hash])?;
    Ok(())
}

/// See [`crate::Directory::close_sessions`].
pub(super) fn close_sessions(desk: &mut Desk, org: OrgId, id: UserId) -> Result<u64> {
    let db = &desk.db;
    user(db, org, id)?;
    db.prepare_cached(DELETE_CODES_OF_USER)?.execute([id.0])?;
    Ok(db.prepare_cached(DELETE_SESSIONS_OF_USER)?.execute([id.0])? as u64)
}

/// See [`crate::Directory::add_sign_in_code`].
pub(super) fn add_sign_in_code(desk: &mut Desk, new: &NewSignInCode, now: Timestamp) -> Result<()> {
    let db = &desk.db;
    user(db, new.org, new.user)?;
    let inserted = db.prepare_cached(INSERT_CODE)?.execute(params![
        new.code_hash,
        new.org.0,
        new.user.0,
        micros(now),
        micros(new.expires_at)
    ])?;
    match inserted {
        0 => Err(StoreError::Conflict("this sign-in code is already known".into())),
        _ => Ok(()),
    }
}

/// See [`crate::Directory::use_sign_in_code`].
pub(super) fn use_sign_in_code(
    desk: &mut Desk,
    code_hash: [u8; 32],
    now: Timestamp,
) -> Result<Option<UserRow>> {
    let db = &desk.db;
    let mut take = db.prepare_cached(TAKE_CODE)?;
    let taken: Option<i64> = take.query_row(params![code_hash, micros(now)], |row| row.get(0)).optional()?;
    match taken {
        Some(id) => Ok(Some(db.prepare_cached(SELECT_ANY_USER)?.query_row([id], read_user)?)),
        None => Ok(None),
    }
}
