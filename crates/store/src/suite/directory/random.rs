//! Drives two directories through the same seeded steps and compares every answer.
//!
//! Ids and epochs may differ between stores, so they are replaced by the order of their first appearance, as in the
//! comparison of stores. Keys, names and hashes come from small sets, so that they meet.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use turnstone_core::id::{AuditId, DateFormatId, ElementId, InstanceId, OrgId, TokenId, UserId};

use super::Whole;
use super::world::{new_answer, new_audit, new_user};
use crate::api::*;
use crate::directory::*;
use crate::suite::random::{Chance, Names, told};
use crate::suite::world::{at, new_instance};

/// Runs `steps` seeded steps against both stores, which must be empty, and panics at the first answer that differs.
pub async fn random(model: Arc<dyn Whole>, store: Arc<dyn Whole>, seed: u64, steps: u32) {
    let (mut model, mut tested) = (Side::new(model).await, Side::new(store).await);
    let mut chance = Chance(seed);
    let mut now = 0;
    let mut before: VecDeque<String> = VecDeque::new();
    for step in 0..steps {
        now += chance.below(8) as i64;
        let draws = Chance(chance.draw());
        let expected = model.act(draws, now).await;
        let answer = tested.act(draws, now).await;
        assert!(
            expected == answer,
            "seed {seed}, step {step}, second {now}\nexpected {expected}\nanswered {answer}\nafter {before:#?}"
        );
        before.push_back(expected);
        if before.len() > 12 {
            before.pop_front();
        }
    }
    assert_eq!(model.everything(now).await, tested.everything(now).await, "seed {seed}, in the end");
}

/// One store with what it told so far.
struct Side {
    store: Arc<dyn Whole>,
    orgs: Vec<OrgId>,
    tokens: Vec<(OrgId, TokenId)>,
    elements: Vec<(OrgId, ElementId)>,
    instances: Vec<(OrgId, InstanceId)>,
    users: Vec<(OrgId, UserId)>,
    formats: Vec<(OrgId, DateFormatId)>,
    audits: Vec<AuditId>,
    leases: Vec<Lease<InstanceId>>,
    token_names: Names,
    element_names: Names,
    instance_names: Names,
    endpoint_names: Names,
    user_names: Names,
    format_names: Names,
    audit_names: Names,
}

impl Side {
    async fn new(store: Arc<dyn Whole>) -> Side {
        let mut orgs = Vec::new();
        for name in ["one", "two"] {
            orgs.push(store.ensure_org(name, at(0)).await.expect("an empty store takes organisations"));
        }
        Side {
            store,
            orgs,
            tokens: Vec::new(),
            elements: Vec::new(),
            instances: Vec::new(),
            users: Vec::new(),
            formats: Vec::new(),
            audits: Vec::new(),
            leases: Vec::new(),
            token_names: Names::default(),
            element_names: Names::default(),
            instance_names: Names::default(),
            endpoint_names: Names::default(),
            user_names: Names::default(),
            format_names: Names::default(),
            audit_names: Names::default(),
        }
    }

    async fn act(&mut self, mut chance: Chance, now: i64) -> String {
        match chance.below(100) {
            0..8 => self.create_element(&mut chance, now).await,
            8..18 => self.tend_element(&mut chance, now).await,
            18..30 => self.instance(&mut chance, now).await,
            30..38 => self.create_user(&mut chance, now).await,
            38..50 => self.tend_user(&mut chance, now).await,
            50..62 => self.session(&mut chance, now).await,
            62..78 => self.connection(&mut chance, now).await,
            78..92 => self.rim(&mut chance, now).await,
            92..95 => self.upkeep(&mut chance, now).await,
            _ => self.everything(now).await,
        }
    }

    /// Mostly the organisation that a thing belongs to, sometimes another.
    fn org(&self, chance: &mut Chance, own: OrgId) -> OrgId {
        let any = chance.of(&self.orgs).unwrap_or(own);
        if chance.one_in(8) { any } else { own }
    }

    async fn create_element(&mut self, chance: &mut Chance, now: i64) -> String {
        let org = chance.of(&self.orgs).unwrap_or(OrgId(0));
        let key = format!("k\0{}", chance.below(5));
        let (document, ids) = (format!("d{}", chance.draw()), format!("i{}", chance.below(9)));
        let new = NewElement { org, name: key.clone(), key, document, ids, active: chance.one_in(2) };
        let made = self.store.create_element(new, at(now)).await;
        let made = made.map(|id| {
            self.elements.push((org, id));
            self.element_id(id)
        });
        told("create_element", made)
    }

    async fn tend_element(&mut self, chance: &mut Chance, now: i64) -> String {
        let Some((own, id)) = chance.of(&self.elements) else { return String::new() };
        let org = self.org(chance, own);
        if chance.one_in(5) {
            return told("delete_element", self.store.delete_element(org, id).await);
        }
        if chance.one_in(3) {
            let revision = chance.below(4) as i64;
            return told("element_at", self.store.element_at(org, id, revision).await);
        }
        let present = self.store.element(own, id).await.map_or(1, |row| row.revision);
        let key = format!("k\0{}", chance.below(5));
        let (document, ids) = (format!("d{}", chance.draw()), format!("i{}", chance.below(9)));
        let change = ElementChange { name: key.clone(), key, document, ids, active: chance.one_in(2) };
        let revision_was = present - i64::from(chance.one_in(5));
        told("update_element", self.store.update_element(org, id, revision_was, change, at(now)).await)
    }

    async fn instance(&mut self, chance: &mut Chance, now: i64) -> String {
        let (org, element) = match chance.of(&self.elements) {
            Some((org, id)) if !chance.one_in(4) => {
                (self.org(chance, org), Some((id, 1 + chance.below(2) as i64)))
            }
            _ => (chance.of(&self.orgs).unwrap_or(OrgId(0)), None),
        };
        let tags = (0..chance.below(3)).map(|_| format!("t\0{}", chance.below(3))).collect();
        let token = chance.below(30) as u8;
        let element_key = format!("k{}", chance.below(3));
        let new = NewInstance { tags, element, element_key, ..new_instance(org, token, &[]) };
        let known = chance.of(&self.instances);
        match (chance.below(4), known) {
            (0, Some((own, id))) => {
                let org = self.org(chance, own);
                told("update_instance", self.store.update_instance(org, id, new, at(now)).await)
            }
            (1, Some((own, id))) if chance.one_in(2) => {
                told("delete_instance", self.store.delete_instance(own, id, at(now)).await)
            }
            _ => {
                let made = self.store.create_instance(new, at(now)).await;
                let made = made.map(|id| {
                    self.instances.push((org, id));
                    self.instance_id(id)
                });
                told("create_instance", made)
            }
        }
    }

    async fn create_user(&mut self, chance: &mut Chance, now: i64) -> String {
        let org = chance.of(&self.orgs).unwrap_or(OrgId(0));
        let token = chance.below(40) as u8;
        if chance.one_in(4) {
            return told(
                "add_org_token",
                self.store.add_org_token(org, [token; 32], at(now)).await.map(drop),
            );
        }
        let role = chance.of(&Role::ALL).unwrap_or(Role::Reader);
        let new = new_user(org, &format!("n\0{}", chance.below(6)), role, token);
        let made = self.store.create_user(new, at(now)).await;
        let made = made.map(|id| {
            self.users.push((org, id));
            self.user_id(id)
        });
        told("create_user", made)
    }

    async fn tend_user(&mut self, chance: &mut Chance, now: i64) -> String {
        let Some((own, id)) = chance.of(&self.users) else { return String::new() };
        let org = self.org(chance, own);
        match chance.below(8) {
            0 | 1 => {
                let role = chance.of(&Role::ALL).filter(|_| chance.below(3) > 0);
                let name = (chance.below(3) == 0).then(|| format!("n\0{}", chance.below(6)));
                let change = UserChange { name, email: None, role };
                told("change_user", self.store.change_user(org, id, change).await)
            }
            2 => told("remove_user", self.store.remove_user(org, id).await),
            3 => {
                let token_hash = [chance.below(40) as u8; 32];
                told("replace_user_token", self.store.replace_user_token(org, id, token_hash, at(now)).await)
            }
            4 => told("close_sessions", self.store.close_sessions(org, id).await),
            5 => {
                let Some((own, token)) = chance.of(&self.tokens) else { return String::new() };
                let org = self.org(chance, own);
                told("remove_org_token", self.store.remove_org_token(org, token).await)
            }
            _ => {
                let found = self.store.user_by_token([chance.below(40) as u8; 32]).await;
                told("user_by_token", found.map(|row| row.map(|row| self.user(row))))
            }
        }
    }

    async fn session(&mut self, chance: &mut Chance, now: i64) -> String {
        let hash = [chance.below(12) as u8; 32];
        let Some((own, user)) = chance.of(&self.users) else { return String::new() };
        let (org, expires_at) = (self.org(chance, own), at(now + chance.below(60) as i64));
        match chance.below(6) {
            0 | 1 => {
                let new = NewSession { org, user, session_hash: hash, change_hash: hash, expires_at };
                told("open_session", self.store.open_session(new, at(now)).await)
            }
            2 => {
                let found = self.store.session(hash, at(now)).await;
                told("session", found.map(|row| row.map(|row| self.session_row(row))))
            }
            3 => told("close_session", self.store.close_session(hash).await),
            4 => {
                let new = NewSignInCode { org, user, code_hash: hash, expires_at };
                told("add_sign_in_code", self.store.add_sign_in_code(new, at(now)).await)
            }
            _ => {
                let found = self.store.use_sign_in_code(hash, at(now)).await;
                told("use_sign_in_code", found.map(|row| row.map(|row| self.user(row))))
            }
        }
    }

    async fn connection(&mut self, chance: &mut Chance, now: i64) -> String {
        let Some((own, id)) = chance.of(&self.instances) else { return String::new() };
        let org = self.org(chance, own);
        let present = self.store.connection(own, id).await.ok().flatten().map_or(0, |row| row.generation);
        let generation = present - i64::from(chance.one_in(6)) + i64::from(chance.one_in(9));
        match chance.below(6) {
            0 | 1 => {
                let lease_for = Duration::from_secs(chance.below(30));
                let begun = self.store.begin_refresh(org, id, generation, at(now), lease_for).await;
                let begun = begun.map(|lease| {
                    self.leases.extend(lease);
                    lease.is_some()
                });
                told("begin_refresh", begun)
            }
            2 => {
                let Some(lease) = chance.of(&self.leases) else { return String::new() };
                told("end_refresh", self.store.end_refresh(lease).await)
            }
            3 => told("mark_reconnect", self.store.mark_reconnect(org, id, generation, "r\0").await),
            _ => {
                let expire_at = (!chance.one_in(3)).then(|| at(now + 60));
                let tokens_sealed = format!("s{}", chance.draw());
                let tokens = NewTokens { generation_was: generation, tokens_sealed, expire_at };
                told("put_tokens", self.store.put_tokens(org, id, tokens).await)
            }
        }
    }

    async fn rim(&mut self, chance: &mut Chance, now: i64) -> String {
        let org = chance.of(&self.orgs).unwrap_or(OrgId(0));
        let key = format!("k\0{}", chance.below(6));
        match chance.below(6) {
            0 => told("put_setting", self.store.put_setting(org, &key, &format!("{now}")).await),
            1 => {
                let zone = chance.of(&[None, Some(""), Some("UTC")]).flatten();
                let added = self.store.add_date_format(org, &key, zone, at(now)).await;
                let added = added.map(|id| {
                    self.formats.push((org, id));
                    self.format_id(id)
                });
                told("add_date_format", added)
            }
            2 => {
                let Some((own, id)) = chance.of(&self.formats) else { return String::new() };
                let org = self.org(chance, own);
                told("remove_date_format", self.store.remove_date_format(org, id).await)
            }
            3 => {
                let written = self.store.audit(new_audit(org, &key)).await;
                let written = written.map(|id| {
                    self.audits.push(id);
                    self.audit_id(id)
                });
                told("audit", written)
            }
            4 => {
                let (before, limit) = (chance.of(&self.audits), chance.below(5) as u32);
                let entries = self.store.audit_entries(org, before, limit).await;
                told("audit_entries", entries.map(|rows| self.audit_rows(rows)))
            }
            _ => {
                let answer = new_answer(org, &key, chance.below(9) as u8);
                told("remember_answer", self.store.remember_answer(answer, at(now)).await)
            }
        }
    }

    async fn upkeep(&mut self, chance: &mut Chance, now: i64) -> String {
        if chance.one_in(4) {
            // Only how far the numbers move is the same everywhere.
            let first = self.store.reserve_part_ids(chance.below(9) as u32).await;
            let second = self.store.reserve_part_ids(0).await;
            return told("reserve_part_ids", first.and_then(|first| second.map(|second| second - first)));
        }
        let retention = DirectoryRetention {
            ended_by: at(now - chance.below(60) as i64),
            answers_before: at(now - chance.below(100) as i64),
            rows_max: chance.below(5) as u32,
        };
        told("prune_directory", self.store.prune_directory(&retention).await)
    }

    /// All that can be read.
    async fn everything(&mut self, now: i64) -> String {
        let store = self.store.clone();
        let mut answers = vec![told("orgs", store.orgs().await)];
        for org in self.orgs.clone() {
            let tokens = store.org_tokens(org).await;
            for row in tokens.iter().flatten() {
                if !self.tokens.contains(&(org, row.id)) {
                    self.tokens.push((org, row.id));
                }
            }
            answers.push(told("org_tokens", tokens.map(|rows| self.token_rows(rows))));
            let elements = store.elements(org).await;
            answers.push(told("elements", elements.map(|rows| self.element_rows(rows))));
            let users = store.users(org).await;
            let users = users.map(|rows| rows.into_iter().map(|row| self.user(row)).collect::<Vec<_>>());
            answers.push(told("users", users));
            answers.push(told("tags", store.tags(org).await));
            let formats = store.date_formats(org).await;
            answers.push(told("date_formats", formats.map(|rows| self.format_rows(rows))));
            let audit = store.audit_entries(org, None, 10_000).await;
            answers.push(told("audit_entries", audit.map(|rows| self.audit_rows(rows))));
            for key in 0..6 {
                let key = format!("k\0{key}");
                answers.push(told("setting", store.setting(org, &key).await));
                answers.push(told("remembered", store.remembered(org, &key).await));
                let element = store.element_by_key(org, &key).await;
                let element = element.map(|row| row.map(|row| self.element_rows(vec![row])));
                answers.push(told("element_by_key", element));
            }
            answers.extend(self.pages(org).await);
        }
        for (org, id) in self.instances.clone() {
            answers.push(told("connection", store.connection(org, id).await));
        }
        for hash in 0..12 {
            let found = store.session([hash; 32], at(now)).await;
            answers.push(told("session", found.map(|row| row.map(|row| self.session_row(row)))));
        }
        for hash in 0..40 {
            answers.push(told("org_by_token", store.org_by_token([hash; 32]).await));
            let found = store.instance_by_token([hash; 32]).await;
            let found = found.map(|row| row.map(|row| self.instance_rows(vec![row])));
            answers.push(told("instance_by_token", found));
        }
        answers.join("\n")
    }

    async fn pages(&mut self, org: OrgId) -> Vec<String> {
        let mut answers = Vec::new();
        let element = self.elements.last().map(|(_, id)| *id);
        for tags in [vec![], vec!["t\u{0}0".to_string()], vec!["t\u{0}1".into(), "t\u{0}2".into()]] {
            for element in [None, element] {
                let after = self.instances.first().map_or(0, |(_, id)| id.0);
                for (after, limit) in [(0, 100), (after, 2)] {
                    let search = String::new();
                    let filter = InstanceFilter { tags: tags.clone(), element, search, after, limit };
                    let page = self.store.instances_page(org, &filter).await;
                    answers.push(told("instances_page", page.map(|rows| self.instance_rows(rows))));
                }
            }
        }
        answers
    }

    fn element_id(&mut self, mut id: ElementId) -> ElementId {
        self.element_names.rename(&mut id.0);
        id
    }

    fn instance_id(&mut self, mut id: InstanceId) -> InstanceId {
        self.instance_names.rename(&mut id.0);
        id
    }

    fn user_id(&mut self, mut id: UserId) -> UserId {
        self.user_names.rename(&mut id.0);
        id
    }

    fn format_id(&mut self, mut id: DateFormatId) -> DateFormatId {
        self.format_names.rename(&mut id.0);
        id
    }

    fn audit_id(&mut self, mut id: AuditId) -> AuditId {
        self.audit_names.rename(&mut id.0);
        id
    }

    fn user(&mut self, row: UserRow) -> UserRow {
        UserRow { id: self.user_id(row.id), ..row }
    }

    fn session_row(&mut self, row: SessionRow) -> SessionRow {
        SessionRow { user: self.user(row.user), ..row }
    }

    fn token_rows(&mut self, mut rows: Vec<OrgTokenRow>) -> Vec<OrgTokenRow> {
        rows.iter_mut().for_each(|row| self.token_names.rename(&mut row.id.0));
        rows
    }

    fn element_rows(&mut self, mut rows: Vec<ElementRow>) -> Vec<ElementRow> {
        rows.iter_mut().for_each(|row| self.element_names.rename(&mut row.id.0));
        rows
    }

    fn format_rows(&mut self, mut rows: Vec<DateFormatRow>) -> Vec<DateFormatRow> {
        rows.iter_mut().for_each(|row| self.format_names.rename(&mut row.id.0));
        rows
    }

    fn audit_rows(&mut self, mut rows: Vec<AuditRow>) -> Vec<AuditRow> {
        rows.iter_mut().for_each(|row| self.audit_names.rename(&mut row.id.0));
        rows
    }

    fn instance_rows(&mut self, mut rows: Vec<InstanceRow>) -> Vec<InstanceRow> {
        for row in &mut rows {
            self.instance_names.rename(&mut row.id.0);
            if let Some(endpoint) = &mut row.endpoint {
                self.endpoint_names.rename(&mut endpoint.0);
            }
            if let Some((element, _)) = &mut row.element {
                self.element_names.rename(&mut element.0);
            }
        }
        rows
    }
}
