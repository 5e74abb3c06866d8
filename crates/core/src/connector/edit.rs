//! Editing a connector: one part added, replaced or removed, everything else byte-equal.
//!
//! Every edit is a function from a document to a document and a [`Change`], which tells the keeper of ids what moved.
//! The new part is judged like one of an import, and as the reference wants it: a reserved key is not made by hand, a
//! hook made without `isLegacy` is not legacy, and none becomes it (platform-api §2).

use crate::check::Fault;
use crate::json_text::{self, JsonTextError, Kind};

use super::check::warn_about_hooks;
use super::document::{Document, Part};
use super::keys;
use super::parts::{self, read_entry, read_hook, read_parameter, read_resource};
use super::reading::{Findings, cut};

/// What an edit did to the lists, by position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The list.
    pub place: Place,
    /// The position in it.
    pub position: usize,
    /// What happened there.
    pub kind: ChangeKind,
}

/// A list: of the connector, or of one of its resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A list of the connector.
    Element(Part),
    /// A list of the resource at this position; parameters and hooks only.
    Resource(usize, Part),
}

/// What happened at a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// Something new stands there.
    Added,
    /// Something else stands there.
    Replaced,
    /// What stood there is gone, and what followed moved up.
    Removed,
}

/// An edit that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited {
    /// The document after it.
    pub document: Document,
    /// What it did.
    pub change: Change,
    /// What works less than it seems.
    pub warnings: Vec<Fault>,
}

/// Why an edit was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// Not JSON.
    #[error("the {0} cannot be read: {1}")]
    Json(&'static str, JsonTextError),
    /// It has faults; all of them.
    #[error("the {0} has faults: {first}", first = .1.first().map(Fault::to_string).unwrap_or_default())]
    Faults(&'static str, Vec<Fault>),
    /// The platform's own key.
    #[error(
        "the configuration key `{0}` is reserved; it comes with the connector's authentication, paging or events, so \
         set it there"
    )]
    Reserved(String),
    /// It exists.
    #[error("the {0} `{1}` exists already; replace it, or choose another name")]
    Exists(&'static str, String),
    /// There is nothing there.
    #[error("there is no {0} `{1}`; list them to see which there are")]
    Missing(&'static str, String),
    /// A hook cannot become legacy.
    #[error("a hook cannot become legacy; let it call `done` instead of returning its result")]
    BecomesLegacy,
}

impl Document {
    /// Adds a configuration entry by hand. Refuses reserved keys and keys that exist.
    pub fn with_entry(&self, entry: &str) -> Result<Edited, EditError> {
        sound(Part::Configuration, entry)?;
        if let Some(key) = parts::entry_key(entry).filter(|key| keys::is_reserved(key)) {
            return Err(EditError::Reserved(key));
        }
        self.add(Place::Element(Part::Configuration), entry)
    }

    /// Replaces the configuration entry of this key; the new one may not take another entry's key.
    pub fn with_entry_replaced(&self, key: &str, entry: &str) -> Result<Edited, EditError> {
        let position = self.entry_position(key)?;
        sound(Part::Configuration, entry)?;
        let named = match parts::entry_key(entry) {
            Some(named) if named != key && keys::is_reserved(&named) => {
                return Err(EditError::Reserved(named));
            }
            Some(named) if named != key && self.entry_position(&named).is_ok() => {
                return Err(EditError::Exists(Part::Configuration.noun(), named));
            }
            Some(_) => entry.to_string(),
            None => json_text::with_member(entry, "key", &json_text::quote(key)),
        };
        self.replace(Place::Element(Part::Configuration), position, &named)
    }

    /// Removes the configuration entry of this key.
    pub fn without_entry(&self, key: &str) -> Result<Edited, EditError> {
        let position = self.entry_position(key)?;
        self.remove(Place::Element(Part::Configuration), position)
    }

    /// The position of the configuration entry with this key.
    pub fn entry_position(&self, key: &str) -> Result<usize, EditError> {
        let is_it = |entry: &&str| parts::entry_key(entry).as_deref() == Some(key);
        let found = self.items(Part::Configuration).iter().position(is_it);
        found.ok_or_else(|| EditError::Missing(Part::Configuration.noun(), cut(key)))
    }

    /// Adds a parameter, hook or resource, or a resource's parameter or hook, at the end of its list.
    pub fn add(&self, place: Place, item: &str) -> Result<Edited, EditError> {
        let part = place.part();
        sound(part, item)?;
        let item = match part {
            Part::Hooks if json_text::member(item, "isLegacy").is_none() => {
                json_text::with_member(item, "isLegacy", "false")
            }
            _ => item.to_string(),
        };
        let warnings = judge(part, &item)?;
        let items = self.items_at(place)?;
        unique(part, &items, None, &item)?;
        let position = items.len();
        let document = self.with_list(place, |list| json_text::with_item(list, &item));
        Ok(Edited { document, change: Change { place, position, kind: ChangeKind::Added }, warnings })
    }

    /// Replaces what stands at a position.
    pub fn replace(&self, place: Place, position: usize, item: &str) -> Result<Edited, EditError> {
        let part = place.part();
        sound(part, item)?;
        let items = self.items_at(place)?;
        let old = items.get(position).ok_or_else(|| EditError::Missing(part.noun(), position.to_string()))?;
        if part == Part::Hooks && is_legacy(item) && !is_legacy(old) {
            return Err(EditError::BecomesLegacy);
        }
        let warnings = judge(part, item)?;
        unique(part, &items, Some(position), item)?;
        let document = self.with_list(place, |list| json_text::with_item_at(list, position, item));
        Ok(Edited { document, change: Change { place, position, kind: ChangeKind::Replaced }, warnings })
    }

    /// Removes what stands at a position.
    pub fn remove(&self, place: Place, position: usize) -> Result<Edited, EditError> {
        if position >= self.items_at(place)?.len() {
            return Err(EditError::Missing(place.part().noun(), position.to_string()));
        }
        let document = self.with_list(place, |list| json_text::without_item(list, position));
        let change = Change { place, position, kind: ChangeKind::Removed };
        Ok(Edited { document, change, warnings: Vec::new() })
    }

    /// Sets the model of a resource, or removes it.
    pub fn with_model(&self, resource: usize, model: Option<&str>) -> Result<Edited, EditError> {
        let resources = self.items(Part::Resources);
        let item = resources.get(resource);
        let item = item.ok_or_else(|| EditError::Missing(Part::Resources.noun(), resource.to_string()))?;
        let changed = match model {
            Some(model) => {
                json_text::validate(model).map_err(|error| EditError::Json("model", error))?;
                json_text::with_member(item, "model", model.trim_ascii())
            }
            None => json_text::without_member(item, "model"),
        };
        self.replace(Place::Element(Part::Resources), resource, &changed)
    }

    /// The items of a list.
    pub fn items_at(&self, place: Place) -> Result<Vec<&str>, EditError> {
        match place {
            Place::Element(part) => Ok(self.items(part)),
            Place::Resource(resource, part) => {
                let found = self.items(Part::Resources).get(resource).copied();
                let found =
                    found.ok_or_else(|| EditError::Missing(Part::Resources.noun(), resource.to_string()));
                Ok(json_text::member(found?, part.name()).and_then(json_text::items).unwrap_or_default())
            }
        }
    }

    fn with_list(&self, place: Place, change: impl FnOnce(&str) -> String) -> Document {
        match place {
            Place::Element(part) => self.with_member(part.name(), &change(list_or_empty(self.text(), part))),
            Place::Resource(resource, part) => {
                let resources = list_or_empty(self.text(), Part::Resources);
                let item = json_text::items(resources).and_then(|items| items.get(resource).copied());
                let item = item.unwrap_or("{}");
                let changed = json_text::with_member(item, part.name(), &change(list_or_empty(item, part)));
                self.with_member(
                    Part::Resources.name(),
                    &json_text::with_item_at(resources, resource, &changed),
                )
            }
        }
    }
}

impl Place {
    /// The kind of things in the list.
    pub fn part(self) -> Part {
        match self {
            Place::Element(part) | Place::Resource(_, part) => part,
        }
    }
}

/// The text of a list; `[]` where there is none.
fn list_or_empty(object: &str, part: Part) -> &str {
    json_text::member(object, part.name())
        .filter(|list| json_text::kind(list) == Some(Kind::List))
        .unwrap_or("[]")
}

fn is_legacy(hook: &str) -> bool {
    json_text::member(hook, "isLegacy").and_then(json_text::scalar).as_deref() == Some("true")
}

fn sound(part: Part, item: &str) -> Result<(), EditError> {
    json_text::validate(item).map_err(|error| EditError::Json(part.noun(), error))
}

/// Judges one part as an import would.
fn judge(part: Part, item: &str) -> Result<Vec<Fault>, EditError> {
    let mut findings = Findings::default();
    match part {
        Part::Configuration => {
            read_entry("", item, &mut findings);
        }
        Part::Parameters => {
            read_parameter("", item, &mut findings);
        }
        Part::Hooks => {
            if let Some(hook) = read_hook("", item, &mut findings) {
                warn_about_hooks("hooks", &[hook], &mut findings);
            }
        }
        Part::Resources => {
            if let Some(resource) = read_resource("", item, &mut findings) {
                warn_about_hooks("hooks", &resource.hooks, &mut findings);
            }
        }
    }
    if findings.faults.is_empty() {
        Ok(findings.warnings)
    } else {
        Err(EditError::Faults(part.noun(), findings.faults))
    }
}

/// Two entries of one key, or two resources that answer the same calls, would hide one another.
fn unique(part: Part, items: &[&str], except: Option<usize>, item: &str) -> Result<(), EditError> {
    let identity = |item: &str| match part {
        Part::Configuration => parts::entry_key(item),
        Part::Resources => {
            let resource = read_resource("", item, &mut Findings::default())?;
            let shape = parts::path_shape(&resource.path);
            resource.kind.is_called().then(|| format!("{} /{shape}", resource.method))
        }
        Part::Parameters | Part::Hooks => None,
    };
    let Some(own) = identity(item) else { return Ok(()) };
    let others = items.iter().enumerate().filter(|(position, _)| Some(*position) != except);
    if others.into_iter().any(|(_, other)| identity(other).as_ref() == Some(&own)) {
        return Err(EditError::Exists(part.noun(), cut(&own)));
    }
    Ok(())
}
