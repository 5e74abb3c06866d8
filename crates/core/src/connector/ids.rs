//! The numbers by which the API addresses the parts of a connector, kept beside its document.
//!
//! The field gives every configuration entry, parameter, hook and resource an integer id. An import carries ids of
//! another platform or none, and an export must leave as it came; so ours are a list of numbers in the order of the
//! document, and move with its edits.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::json_text::{self, Kind};

use super::document::{Document, Part};
use super::edit::{Change, ChangeKind, Place};

/// The ids of one connector's parts, by position.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ids {
    /// Of `configuration`.
    pub configuration: Vec<i64>,
    /// Of `parameters`.
    pub parameters: Vec<i64>,
    /// Of `hooks`.
    pub hooks: Vec<i64>,
    /// Of `resources`.
    pub resources: Vec<ResourceIds>,
}

/// The ids of one resource and its parts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceIds {
    /// Its own.
    pub id: i64,
    /// Of its parameters.
    pub parameters: Vec<i64>,
    /// Of its hooks.
    pub hooks: Vec<i64>,
}

impl Ids {
    /// Numbers for all parts of a document; `next` gives a fresh one each time.
    pub fn assign(document: &Document, next: &mut impl FnMut() -> i64) -> Ids {
        let count = |items: Vec<&str>, next: &mut dyn FnMut() -> i64| items.iter().map(|_| next()).collect();
        Ids {
            configuration: count(document.items(Part::Configuration), next),
            parameters: count(document.items(Part::Parameters), next),
            hooks: count(document.items(Part::Hooks), next),
            resources: document
                .items(Part::Resources)
                .into_iter()
                .map(|resource| resource_ids(resource, next))
                .collect(),
        }
    }

    /// Follows an edit. `document` is the one after it.
    pub fn follow(&mut self, change: &Change, document: &Document, next: &mut impl FnMut() -> i64) {
        let Change { place, position, kind } = *change;
        if place == Place::Element(Part::Resources) {
            let items = document.items(Part::Resources);
            match kind {
                ChangeKind::Added => {
                    let ids = items.get(position).map(|item| resource_ids(item, next)).unwrap_or_default();
                    self.resources.insert(position.min(self.resources.len()), ids);
                }
                ChangeKind::Replaced => {
                    if let (Some(item), Some(ids)) = (items.get(position), self.resources.get_mut(position)) {
                        let id = ids.id;
                        *ids = ResourceIds { id, ..resource_ids(item, next) };
                    }
                }
                ChangeKind::Removed if position < self.resources.len() => {
                    self.resources.remove(position);
                }
                ChangeKind::Removed => {}
            }
            return;
        }
        let Some(list) = self.list_mut(place) else { return };
        match kind {
            ChangeKind::Added => list.insert(position.min(list.len()), next()),
            ChangeKind::Replaced => {}
            ChangeKind::Removed if position < list.len() => {
                list.remove(position);
            }
            ChangeKind::Removed => {}
        }
    }

    /// The position of an id in a list.
    pub fn position(&self, place: Place, id: i64) -> Option<usize> {
        match place {
            Place::Element(Part::Resources) => self.resources.iter().position(|resource| resource.id == id),
            Place::Element(Part::Configuration) => at(&self.configuration, id),
            Place::Element(Part::Parameters) => at(&self.parameters, id),
            Place::Element(Part::Hooks) => at(&self.hooks, id),
            Place::Resource(resource, Part::Parameters) => at(&self.resources.get(resource)?.parameters, id),
            Place::Resource(resource, Part::Hooks) => at(&self.resources.get(resource)?.hooks, id),
            Place::Resource(..) => None,
        }
    }

    fn list_mut(&mut self, place: Place) -> Option<&mut Vec<i64>> {
        match place {
            Place::Element(Part::Configuration) => Some(&mut self.configuration),
            Place::Element(Part::Parameters) => Some(&mut self.parameters),
            Place::Element(Part::Hooks) => Some(&mut self.hooks),
            Place::Resource(resource, Part::Parameters) => {
                self.resources.get_mut(resource).map(|ids| &mut ids.parameters)
            }
            Place::Resource(resource, Part::Hooks) => {
                self.resources.get_mut(resource).map(|ids| &mut ids.hooks)
            }
            Place::Element(Part::Resources) | Place::Resource(..) => None,
        }
    }
}

fn at(ids: &[i64], id: i64) -> Option<usize> {
    ids.iter().position(|known| *known == id)
}

fn resource_ids(resource: &str, next: &mut dyn FnMut() -> i64) -> ResourceIds {
    let mut count = |part: Part| {
        let items = json_text::member(resource, part.name()).and_then(json_text::items).unwrap_or_default();
        items.iter().map(|_| next()).collect::<Vec<_>>()
    };
    let (parameters, hooks) = (count(Part::Parameters), count(Part::Hooks));
    ResourceIds { id: next(), parameters, hooks }
}

/// The members of an abridged record, in this order.
const ABRIDGED: [&str; 20] = [
    "id",
    "key",
    "name",
    "description",
    "image",
    "logo",
    "hub",
    "authentication",
    "active",
    "deleted",
    "private",
    "extended",
    "extendable",
    "cloneable",
    "beta",
    "typeOauth",
    "trialAccount",
    "transformationsEnabled",
    "protocolType",
    "tags",
];

impl Document {
    /// The connector as `GET /elements/{keyOrId}` answers it: complete, with our ids. Defaults of secrets are
    /// hidden.
    pub fn shown(&self, id: i64, ids: &Ids) -> String {
        let mut text = self.masked().completed().text().to_string();
        text = json_text::with_member(&text, "id", &id.to_string());
        for part in Part::ALL {
            let Some(list) = json_text::member(&text, part.name()) else { continue };
            let list = shown_list(list, Place::Element(part), ids);
            text = json_text::with_member(&text, part.name(), &list);
        }
        text
    }

    /// One list as the API answers it, with our ids. Defaults of secrets are hidden.
    pub fn shown_items(&self, place: Place, ids: &Ids) -> Vec<String> {
        let masked = self.masked();
        let items = masked.items_at(place).unwrap_or_default();
        items.iter().enumerate().map(|(position, item)| shown_item(item, place, position, ids)).collect()
    }

    /// The connector's short record for `GET /elements`.
    pub fn abridged(&self, id: i64) -> String {
        let members = json_text::members(self.text()).unwrap_or_default();
        let own =
            |name: &str| members.iter().rev().find(|member| member.name == name).map(|found| found.value);
        let mut short = String::from("{");
        for name in ABRIDGED {
            let value = match name {
                "id" => Some(Cow::Owned(id.to_string())),
                "key" => Some(Cow::Owned(json_text::quote(&self.key()))),
                _ => own(name).or_else(|| absent(name)).map(Cow::Borrowed),
            };
            let Some(value) = value else { continue };
            if short.len() > 1 {
                short.push(',');
            }
            short.push_str(&format!("\"{name}\":{value}"));
        }
        short.push('}');
        short
    }
}

/// What a switch that is not there means, so that a `where` finds it.
fn absent(name: &str) -> Option<&'static str> {
    match name {
        "active" | "private" => Some("true"),
        "extended" | "deleted" | "cloneable" => Some("false"),
        _ => None,
    }
}

fn shown_list(list: &str, place: Place, ids: &Ids) -> String {
    json_text::with_each_item(list, |position, item| shown_item(item, place, position, ids))
}

fn shown_item(item: &str, place: Place, position: usize, ids: &Ids) -> String {
    if json_text::kind(item) != Some(Kind::Object) {
        return item.to_string();
    }
    let id = match place {
        Place::Element(Part::Configuration) => ids.configuration.get(position).copied(),
        Place::Element(Part::Parameters) => ids.parameters.get(position).copied(),
        Place::Element(Part::Hooks) => ids.hooks.get(position).copied(),
        Place::Element(Part::Resources) => ids.resources.get(position).map(|ids| ids.id),
        Place::Resource(resource, Part::Parameters) => {
            ids.resources.get(resource).and_then(|ids| ids.parameters.get(position)).copied()
        }
        Place::Resource(resource, Part::Hooks) => {
            ids.resources.get(resource).and_then(|ids| ids.hooks.get(position)).copied()
        }
        Place::Resource(..) => None,
    };
    let mut shown = match id {
        Some(id) => json_text::with_member(item, "id", &id.to_string()),
        None => item.to_string(),
    };
    if place == Place::Element(Part::Resources) {
        for part in [Part::Parameters, Part::Hooks] {
            let list = json_text::member(&shown, part.name()).unwrap_or("[]");
            let list = if json_text::kind(list) == Some(Kind::List) { list } else { "[]" };
            let list = shown_list(list, Place::Resource(position, part), ids);
            shown = json_text::with_member(&shown, part.name(), &list);
        }
    }
    shown
}
