//! The little world that the cases start from.

use std::fmt::Debug;
use std::sync::Arc;

use turnstone_core::id::{ElementId, InstanceId, OrgId, UserId};

use super::Whole;
use crate::api::*;
use crate::directory::*;
use crate::suite::world::{at, new_instance};

/// A text that trips whoever is careless with texts.
pub const STRANGE: &str = "a\0b\u{1F600}\u{FEFF}'\"\\\n\u{7f}é\u{10FFFF}%_\0";

/// One organisation with one connector.
pub struct World {
    pub store: Arc<dyn Whole>,
    pub org: OrgId,
    pub element: ElementId,
}

#[track_caller]
pub fn is_missing<T: Debug>(answer: Result<T>, what: &str) {
    match answer {
        Err(StoreError::NotFound(word)) => assert_eq!(word, what),
        other => panic!("expected no such {what}: {other:?}"),
    }
}

#[track_caller]
pub fn is_taken<T: Debug>(answer: Result<T>) -> String {
    match answer {
        Err(StoreError::Conflict(sentence)) => {
            assert!(!sentence.is_empty() && !sentence.ends_with('.'), "`{sentence}` is a sentence");
            sentence
        }
        other => panic!("expected a conflict: {other:?}"),
    }
}

/// A connector to be made.
pub fn new_element(org: OrgId, key: &str) -> NewElement {
    NewElement {
        org,
        key: key.into(),
        name: format!("the {key}"),
        document: format!(r#"{{"key": "{key}", "n": 1.10}}"#),
        ids: r#"{"hooks":[1]}"#.into(),
        active: true,
    }
}

/// A change that keeps the key.
pub fn change(key: &str, document: &str) -> ElementChange {
    ElementChange {
        key: key.into(),
        name: format!("the new {key}"),
        document: document.into(),
        ids: r#"{"hooks":[1,2]}"#.into(),
        active: false,
    }
}

/// A user to be added.
pub fn new_user(org: OrgId, name: &str, role: Role, token: u8) -> NewUser {
    NewUser { org, name: name.into(), email: format!("{name}@a.example"), role, token_hash: [token; 32] }
}

/// An entry of the audit to be written.
pub fn new_audit(org: OrgId, action: &str) -> NewAudit {
    NewAudit {
        org,
        user: None,
        at: at(0),
        action: action.into(),
        target_kind: "instance".into(),
        target_id: "1".into(),
        detail: "{}".into(),
    }
}

/// An answer to be remembered.
pub fn new_answer(org: OrgId, key: &str, hash: u8) -> NewAnswer {
    let answer = format!("answer {hash}");
    NewAnswer { org, key: key.into(), request_hash: [hash; 32], status: 200, answer }
}

impl World {
    pub async fn new(store: Arc<dyn Whole>) -> World {
        let org = store.ensure_org("acme", at(0)).await.unwrap();
        let element = store.create_element(new_element(org, "crm"), at(0)).await.unwrap();
        World { store, org, element }
    }

    /// Another organisation.
    pub async fn other(&self) -> OrgId {
        self.store.ensure_org("other", at(0)).await.unwrap()
    }

    pub async fn row(&self) -> ElementRow {
        self.store.element(self.org, self.element).await.unwrap()
    }

    /// Changes the connector from a revision on.
    pub async fn change(&self, revision_was: i64, document: &str, seconds: i64) -> Result<i64> {
        let change = change("crm", document);
        self.store.update_element(self.org, self.element, revision_was, change, at(seconds)).await
    }

    pub async fn user(&self, name: &str, role: Role, token: u8) -> UserId {
        self.store.create_user(new_user(self.org, name, role, token), at(0)).await.unwrap()
    }

    /// A session to be opened that ends at 100.
    pub fn session_of(&self, user: UserId, hash: u8) -> NewSession {
        NewSession {
            org: self.org,
            user,
            session_hash: [hash; 32],
            change_hash: [hash ^ 0xff; 32],
            expires_at: at(100),
        }
    }

    /// A sign-in code to be added that ends at 100.
    pub fn code_of(&self, user: UserId, hash: u8) -> NewSignInCode {
        NewSignInCode { org: self.org, user, code_hash: [hash; 32], expires_at: at(100) }
    }

    /// Tokens that follow a generation.
    pub fn tokens(&self, generation_was: i64) -> NewTokens {
        let tokens_sealed = format!("sealed after {generation_was}");
        NewTokens { generation_was, tokens_sealed, expire_at: Some(at(generation_was)) }
    }

    /// An instance without a connector of ours.
    pub async fn instance(&self, token: u8) -> InstanceId {
        self.store.create_instance(new_instance(self.org, token, &[]), at(0)).await.unwrap()
    }

    /// An instance of the connector, with these tags.
    pub async fn tagged(&self, token: u8, tags: &[&str]) -> InstanceId {
        let tags = tags.iter().map(|tag| tag.to_string()).collect();
        let new = new_instance(self.org, token, &[]);
        let new = NewInstance { tags, element: Some((self.element, 1)), ..new };
        self.store.create_instance(new, at(0)).await.unwrap()
    }

    /// Ids of a page.
    pub async fn page(&self, filter: InstanceFilter) -> Vec<InstanceId> {
        let rows = self.store.instances_page(self.org, &filter).await.unwrap();
        rows.into_iter().map(|row| row.id).collect()
    }

    /// All that can be read, written down.
    pub async fn everything(&self) -> String {
        let mut answers = Vec::new();
        for org in self.store.orgs().await.unwrap() {
            answers.push(everything_of(self.store.as_ref(), org.id).await);
        }
        answers.join("\n")
    }
}

/// All that can be read of an organisation, written down.
pub async fn everything_of(store: &dyn Whole, org: OrgId) -> String {
    let mut answers = vec![
        format!("{:?}", store.org(org).await),
        format!("{:?}", store.org_tokens(org).await),
        format!("{:?}", store.elements(org).await),
        format!("{:?}", store.users(org).await),
        format!("{:?}", store.tags(org).await),
        format!("{:?}", store.date_formats(org).await),
        format!("{:?}", store.audit_entries(org, None, 10_000).await),
        format!("{:?}", store.setting(org, "a").await),
    ];
    for element in store.elements(org).await.unwrap() {
        for revision in 1..=element.revision {
            answers.push(format!("{:?}", store.element_at(org, element.id, revision).await));
        }
    }
    let all = InstanceFilter { limit: 10_000, ..InstanceFilter::default() };
    for instance in store.instances_page(org, &all).await.unwrap() {
        answers.push(format!("{instance:?} {:?}", store.connection(org, instance.id).await));
    }
    answers.join("\n")
}
