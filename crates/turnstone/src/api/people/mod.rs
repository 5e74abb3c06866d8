//! People, tokens, organisations, and who did what: one file per noun.
//!
//! Owners decide who may what; everybody may look after their own account. A secret is shown in the answer that made it
//! and never again, because only its hash is kept. That an organisation keeps an owner is the store's to see to.
//!
//! Not here: what a role may do (it stands with every operation), sessions (`access::session`).

mod audit;
mod me;
mod organizations;
mod tokens;
mod users;

use serde::{Deserialize, Serialize};
use turnstone_core::event::seconds;
use turnstone_store::UserRow;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use super::error::{Answer, ApiError};
use super::{Api, markup};

pub use self::organizations::is_first;
pub use self::users::sign_in_address;

/// Characters of a name of a person or an organisation.
const NAME_CHARS_MAX: usize = 200;
/// Characters of an e-mail address; mail itself allows no more.
const ADDRESS_CHARS_MAX: usize = 254;

/// The operations.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .merge(me::routes())
        .merge(users::routes())
        .merge(tokens::routes())
        .merge(organizations::routes())
        .merge(audit::routes())
}

/// What a user may do. Each role may do what those below it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The organisation itself: users, tokens, roles.
    Owner,
    /// Connectors, hooks, how resources are polled.
    Admin,
    /// Instances.
    Member,
    /// Looks only.
    Reader,
}

impl From<turnstone_store::Role> for Role {
    fn from(role: turnstone_store::Role) -> Role {
        match role {
            turnstone_store::Role::Owner => Role::Owner,
            turnstone_store::Role::Admin => Role::Admin,
            turnstone_store::Role::Member => Role::Member,
            turnstone_store::Role::Reader => Role::Reader,
        }
    }
}

impl From<Role> for turnstone_store::Role {
    fn from(role: Role) -> turnstone_store::Role {
        match role {
            Role::Owner => turnstone_store::Role::Owner,
            Role::Admin => turnstone_store::Role::Admin,
            Role::Member => turnstone_store::Role::Member,
            Role::Reader => turnstone_store::Role::Reader,
        }
    }
}

/// A user.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// The user's id.
    id: i64,
    /// Their name, once per organisation.
    name: String,
    /// Their e-mail address; empty where none was given. Nothing is sent to it.
    email_address: String,
    /// What they may do.
    role: Role,
    /// When they were added.
    #[schema(format = DateTime)]
    created_date: String,
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> User {
        User {
            id: row.id.0,
            name: row.name,
            email_address: row.email,
            role: row.role.into(),
            created_date: seconds(row.created_at),
        }
    }
}

/// A user whose secret was just made.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserWithSecret {
    #[serde(flatten)]
    user: User,
    /// What they send as `Authorization: User <secret>`. Shown only now.
    secret: String,
}

/// A name without markup; 400 where nothing is left of it, or too much.
fn name(text: &str) -> Answer<String> {
    let name = markup::strip(text);
    match text.chars().count() {
        ..=NAME_CHARS_MAX if !name.is_empty() => Ok(name),
        _ => Err(ApiError::bad("badDocument", format!("`name` must have 1 to {NAME_CHARS_MAX} characters"))),
    }
}

/// An e-mail address, or nothing. Whether mail arrives there only mail can tell.
fn address(text: &str) -> Answer<String> {
    let address = text.trim();
    let fits = text.chars().count() <= ADDRESS_CHARS_MAX
        && !address.contains(|letter: char| letter.is_whitespace() || letter.is_control())
        && !address.contains(['<', '>', ',', ';'])
        && address.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty());
    if fits || text.is_empty() {
        return Ok(address.to_owned());
    }
    let message = format!(
        "`emailAddress` is no e-mail address of at most {ADDRESS_CHARS_MAX} characters; correct it, or leave it empty"
    );
    Err(ApiError::bad("badDocument", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_their_markup_and_are_not_empty() {
        assert_eq!(name(" <b>Ann</b>\u{7} ").unwrap(), "Ann");
        assert!(name("é".repeat(NAME_CHARS_MAX).as_str()).is_ok());
        for text in ["", "  ", "<b></b>", "\u{0}", &"x".repeat(NAME_CHARS_MAX + 1), &"<i>".repeat(90)] {
            assert!(name(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn addresses_have_two_sides() {
        assert_eq!(address(" ann@example.com ").unwrap(), "ann@example.com");
        assert_eq!(address("").unwrap(), "");
        for text in ["ann", "@example.com", "ann@", "a b@c", "<a@b>", "a@b,c@d", "a\n@b"] {
            assert!(address(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn roles_are_spelled_as_they_are_kept() {
        for role in turnstone_store::Role::ALL {
            assert_eq!(serde_json::to_value(Role::from(role)).unwrap(), role.as_str());
            assert_eq!(turnstone_store::Role::from(Role::from(role)), role);
        }
    }
}
