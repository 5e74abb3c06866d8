//! What every operation demands, as the OpenAPI document says it under `x-right`.
//!
//! Roles contain each other: an owner may do what an admin may, and so on down. What a role is for stands in
//! `docs/people.md`.

use std::collections::HashMap;

use http::Method;
use turnstone_store::Role;
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::{Operation as Described, PathItem};

/// The member of an operation that says who may do it.
pub const RIGHT: &str = "x-right";
/// The member that is `false` where a request that is not safe changes nothing that is kept here.
pub const AUDITED: &str = "x-audited";

/// Who may do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Everybody, without a token.
    Public,
    /// Whoever has this role, or one above it.
    AtLeast(Role),
}

impl Right {
    fn read(text: &str) -> Option<Right> {
        if text == "public" {
            return Some(Right::Public);
        }
        Role::ALL.into_iter().find(|role| role.as_str() == text).map(Right::AtLeast)
    }
}

/// Whether a role is another one, or above it.
pub fn reaches(role: Role, wanted: Role) -> bool {
    let rank = |role| match role {
        Role::Reader => 0,
        Role::Member => 1,
        Role::Admin => 2,
        Role::Owner => 3,
    };
    rank(role) >= rank(wanted)
}

/// What the guard knows of an operation.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Its id in the document.
    pub id: String,
    /// What it is about: its first tag.
    pub kind: String,
    /// Who may do it.
    pub right: Right,
    /// Whether doing it is written down.
    pub audited: bool,
}

/// The operations of all paths.
#[derive(Debug, Default)]
pub struct Rights(HashMap<String, Vec<(Method, Operation)>>);

impl Rights {
    /// Reads them from the document. Operations without a right that can be read are left out, and so done by nobody.
    pub fn of_document(document: &OpenApi) -> Rights {
        let of_path = |(path, item): (&String, &PathItem)| {
            let operations = operations(item).into_iter();
            let operations = operations.filter_map(|(method, described)| Some((method, read(described)?)));
            (path.clone(), operations.collect())
        };
        Rights(document.paths.paths.iter().map(of_path).collect())
    }

    /// The operation of a method on a route. A HEAD request is the GET that it stands for.
    pub fn of(&self, method: &Method, route: &str) -> Option<&Operation> {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        // The router's sign for "the rest of the path" is a plain parameter in the document.
        let operations = self.0.get(&route.replace("{*", "{"))?;
        operations.iter().find(|(known, _)| known == method).map(|(_, operation)| operation)
    }
}

fn read(described: &Described) -> Option<Operation> {
    let extensions = described.extensions.as_ref()?;
    let right = extensions.get(RIGHT)?.as_str().and_then(Right::read)?;
    let audited = extensions.get(AUDITED).and_then(serde_json::Value::as_bool).unwrap_or(true);
    let kind = described.tags.iter().flatten().next().cloned().unwrap_or_default();
    Some(Operation { id: described.operation_id.clone()?, kind, right, audited })
}

/// The operations of a path with their methods.
pub fn operations(item: &PathItem) -> Vec<(Method, &Described)> {
    let all = [
        (Method::GET, &item.get),
        (Method::PUT, &item.put),
        (Method::POST, &item.post),
        (Method::DELETE, &item.delete),
        (Method::PATCH, &item.patch),
    ];
    all.into_iter().filter_map(|(method, described)| Some((method, described.as_ref()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_contain_those_below_them() {
        for (at, role) in Role::ALL.into_iter().enumerate() {
            for (wanted_at, wanted) in Role::ALL.into_iter().enumerate() {
                assert_eq!(reaches(role, wanted), at <= wanted_at, "{role:?} for {wanted:?}");
            }
        }
    }

    #[test]
    fn rights_are_words() {
        assert_eq!(Right::read("public"), Some(Right::Public));
        assert_eq!(Right::read("admin"), Some(Right::AtLeast(Role::Admin)));
        assert_eq!(Right::read("Admin"), None);
    }
}
