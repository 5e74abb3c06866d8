//! Connectors, and instances as they are looked for.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use turnstone_core::id::{ElementId, OrgId};

use super::directory::Element;
use super::state::{State, micros, next};
use crate::api::*;
use crate::directory::*;

impl State {
    pub fn reserve_part_ids(&mut self, count: u32) -> i64 {
        let first = self.numbers.part + 1;
        self.numbers.part += i64::from(count);
        first
    }

    pub fn create_element(&mut self, new: NewElement, now: Timestamp) -> Result<ElementId> {
        self.known_org(new.org)?;
        self.free_key(new.org, &new.key, None)?;
        let id = ElementId(next(&mut self.numbers.element));
        let row = ElementRow {
            id,
            org: new.org,
            key: new.key,
            name: new.name,
            document: new.document.clone(),
            ids: new.ids,
            active: new.active,
            revision: 1,
            created_at: micros(now),
            updated_at: micros(now),
        };
        self.directory.elements.insert(id, Element { row, documents: BTreeMap::from([(1, new.document)]) });
        Ok(id)
    }

    fn free_key(&self, org: OrgId, key: &str, own: Option<ElementId>) -> Result<()> {
        match self.element_by_key(org, key) {
            Some(holder) if own != Some(holder.id) => {
                Err(StoreError::Conflict(format!("the key `{key}` is taken by another connector")))
            }
            _ => Ok(()),
        }
    }

    fn known_element(&self, org: OrgId, id: ElementId) -> Result<&Element> {
        let element = self.directory.elements.get(&id);
        element.filter(|element| element.row.org == org).ok_or(StoreError::NotFound("connector"))
    }

    /// Refuses a revision that is not there.
    pub fn known_revision(&self, org: OrgId, element: Option<(ElementId, i64)>) -> Result<()> {
        let Some((id, revision)) = element else { return Ok(()) };
        match self.known_element(org, id)?.documents.contains_key(&revision) {
            true => Ok(()),
            false => Err(StoreError::NotFound("connector")),
        }
    }

    pub fn update_element(
        &mut self,
        org: OrgId,
        id: ElementId,
        revision_was: i64,
        change: ElementChange,
        now: Timestamp,
    ) -> Result<i64> {
        if self.known_element(org, id)?.row.revision != revision_was {
            return Err(StoreError::Conflict("the connector has another revision".into()));
        }
        self.free_key(org, &change.key, Some(id))?;
        let element = self.directory.elements.get_mut(&id).expect("it was found above");
        element.row = ElementRow {
            key: change.key,
            name: change.name,
            document: change.document.clone(),
            ids: change.ids,
            active: change.active,
            revision: revision_was + 1,
            updated_at: micros(now),
            ..element.row
        };
        element.documents.insert(revision_was + 1, change.document);
        Ok(revision_was + 1)
    }

    pub fn delete_element(&mut self, org: OrgId, id: ElementId) -> Result<()> {
        self.known_element(org, id)?;
        let of_it = |row: &InstanceRow| row.element.is_some_and(|(element, _)| element == id);
        match self.instances.values().filter(|instance| of_it(&instance.row)).count() {
            0 => {}
            count => return Err(StoreError::Conflict(format!("{count} instances of this connector exist"))),
        }
        self.directory.elements.remove(&id);
        Ok(())
    }

    pub fn element(&self, org: OrgId, id: ElementId) -> Result<ElementRow> {
        self.known_element(org, id).map(|element| element.row.clone())
    }

    pub fn element_by_key(&self, org: OrgId, key: &str) -> Option<ElementRow> {
        self.elements(org).into_iter().find(|row| row.key == key)
    }

    pub fn elements(&self, org: OrgId) -> Vec<ElementRow> {
        let rows = self.directory.elements.values().map(|element| &element.row);
        rows.filter(|row| row.org == org).cloned().collect()
    }

    pub fn element_at(&self, org: OrgId, id: ElementId, revision: i64) -> Result<String> {
        let document = self.known_element(org, id)?.documents.get(&revision);
        document.cloned().ok_or(StoreError::NotFound("revision"))
    }

    pub fn instance_by_token(&self, token_hash: [u8; 32]) -> Option<InstanceRow> {
        let id = self.instance_tokens.get(&token_hash)?;
        self.instances.get(id).map(|instance| instance.row.clone())
    }

    pub fn instances_page(&self, org: OrgId, filter: &InstanceFilter) -> Vec<InstanceRow> {
        let is_named = filter.named();
        let wanted = |row: &InstanceRow| {
            row.id.0 > filter.after
                && is_named(&row.name)
                && filter.tags.iter().all(|tag| row.tags.contains(tag))
                && filter.element.is_none_or(|id| row.element.is_some_and(|(element, _)| element == id))
        };
        self.instances(org).into_iter().filter(wanted).take(filter.limit as usize).collect()
    }

    pub fn tags(&self, org: OrgId) -> Vec<TagCount> {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for row in self.instances(org) {
            for tag in row.tags.into_iter().collect::<BTreeSet<_>>() {
                *counts.entry(tag).or_default() += 1;
            }
        }
        counts.into_iter().map(|(tag, instances)| TagCount { tag, instances }).collect()
    }
}
