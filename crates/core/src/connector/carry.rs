//! Numbers that come back with a document, and numbers that stay with a part when a whole document is exchanged.
//!
//! Whoever reads a connector through the API and sends it back sends our numbers along. They are no part of the
//! document: what was imported stands there again, so that an export never has them. What another platform numbered is
//! imported like everything else. Parts that are there before and after keep their numbers, because scripts address
//! them by it.

use std::collections::BTreeMap;

use crate::json_text;

use super::document::{Document, Part};
use super::ids::{Ids, ResourceIds};
use super::parts;

/// The numbers that stood in a document that came in, by position.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SentIds {
    configuration: Vec<Option<i64>>,
    parameters: Vec<Option<i64>>,
    hooks: Vec<Option<i64>>,
    resources: Vec<SentResource>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct SentResource {
    id: Option<i64>,
    parameters: Vec<Option<i64>>,
    hooks: Vec<Option<i64>>,
}

/// The numbers that the API shows for the parts of a connector, each with the `id` that the document has there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShownIds(BTreeMap<i64, Option<String>>);

impl SentIds {
    /// Whether none of our numbers stood in the document.
    pub fn is_empty(&self) -> bool {
        let lists = [&self.configuration, &self.parameters, &self.hooks].into_iter();
        let inner = self.resources.iter().flat_map(|sent| [&sent.parameters, &sent.hooks]);
        lists.chain(inner).flatten().all(Option::is_none)
            && self.resources.iter().all(|sent| sent.id.is_none())
    }
}

impl ShownIds {
    /// One part of this kind with what was imported in place of the numbers that were shown.
    pub fn taken_out(&self, part: Part, item: &str) -> String {
        match part {
            Part::Resources => self.resource(item, &mut SentResource::default()),
            Part::Configuration | Part::Parameters | Part::Hooks => self.item(item).0,
        }
    }

    fn resource(&self, item: &str, ids: &mut SentResource) -> String {
        let (mut bare, id) = self.item(item);
        ids.id = id;
        for (part, found) in [(Part::Parameters, &mut ids.parameters), (Part::Hooks, &mut ids.hooks)] {
            let Some(list) = json_text::member(&bare, part.name()) else { continue };
            let without = self.list(list, found);
            if without != list {
                bare = json_text::with_member(&bare, part.name(), &without);
            }
        }
        bare
    }

    fn list(&self, list: &str, ids: &mut Vec<Option<i64>>) -> String {
        json_text::with_each_item(list, |_, item| {
            let (bare, id) = self.item(item);
            ids.push(id);
            bare
        })
    }

    fn item(&self, item: &str) -> (String, Option<i64>) {
        let sent = json_text::member(item, "id").and_then(|id| id.trim_ascii().parse().ok());
        match sent.and_then(|sent| self.0.get(&sent)) {
            None => (item.to_string(), None),
            Some(None) => (json_text::without_member(item, "id"), sent),
            Some(Some(imported)) => (json_text::with_member(item, "id", imported), sent),
        }
    }
}

impl Document {
    /// The document with what was imported in place of the numbers that were shown, and where these stood. Where there
    /// is none, the text stays as it is, byte by byte.
    pub fn without_shown(&self, shown: &ShownIds) -> (Document, SentIds) {
        let mut sent = SentIds::default();
        let mut document = self.clone();
        for part in Part::ALL {
            let Some(list) = self.member(part.name()) else { continue };
            let bare = match part {
                Part::Configuration => shown.list(list, &mut sent.configuration),
                Part::Parameters => shown.list(list, &mut sent.parameters),
                Part::Hooks => shown.list(list, &mut sent.hooks),
                Part::Resources => json_text::with_each_item(list, |_, item| {
                    let mut ids = SentResource::default();
                    let bare = shown.resource(item, &mut ids);
                    sent.resources.push(ids);
                    bare
                }),
            };
            if bare != list {
                document = document.with_member(part.name(), &bare);
            }
        }
        (document, sent)
    }
}

/// One list before and after.
struct Lists<'a> {
    part: Part,
    old: Vec<&'a str>,
    old_ids: &'a [i64],
    new: Vec<&'a str>,
    sent: &'a [Option<i64>],
}

impl Lists<'_> {
    /// For every new item the position of the old one that it continues: the same text, else the same identity, else
    /// the number that it was sent with.
    fn continued(&self) -> Vec<Option<usize>> {
        let mut taken = vec![false; self.old.len().min(self.old_ids.len())];
        let mut found: Vec<Option<usize>> = vec![None; self.new.len()];
        let identities: Vec<String> = self.old.iter().map(|item| identity(self.part, item)).collect();
        let mut pass = |matches: &dyn Fn(usize, usize) -> bool| {
            for (new, place) in found.iter_mut().enumerate().filter(|(_, place)| place.is_none()) {
                let old = taken.iter().enumerate().find(|(old, taken)| !**taken && matches(*old, new));
                if let Some((old, _)) = old {
                    taken[old] = true;
                    *place = Some(old);
                }
            }
        };
        let wanted: Vec<String> = self.new.iter().map(|item| identity(self.part, item)).collect();
        pass(&|old, new| self.old[old] == self.new[new]);
        pass(&|old, new| identities[old] == wanted[new]);
        pass(&|old, new| self.sent.get(new).copied().flatten() == Some(self.old_ids[old]));
        found
    }

    fn ids(&self, next: &mut impl FnMut() -> i64) -> Vec<i64> {
        self.continued().into_iter().map(|old| old.map_or_else(&mut *next, |old| self.old_ids[old])).collect()
    }
}

/// By what a part is known when its text changed.
fn identity(part: Part, item: &str) -> String {
    let word = |name: &str| json_text::member(item, name).and_then(json_text::scalar).unwrap_or_default();
    match part {
        Part::Configuration => word("key").into_owned(),
        Part::Parameters => format!("{} {} {}", word("source"), word("type"), word("name")),
        Part::Hooks => word("type").into_owned(),
        Part::Resources => {
            format!("{} {} {}", word("type"), word("method"), parts::path_shape(&word("path")))
        }
    }
}

impl Ids {
    /// The numbers as they are shown, with what their document has in their places.
    pub fn as_shown(&self, document: &Document) -> ShownIds {
        let mut shown = BTreeMap::new();
        let mut note = |ids: &[i64], items: Vec<&str>| {
            let imported = |item: &str| json_text::member(item, "id").map(str::to_string);
            shown.extend(ids.iter().zip(items).map(|(id, item)| (*id, imported(item))));
        };
        note(&self.configuration, document.items(Part::Configuration));
        note(&self.parameters, document.items(Part::Parameters));
        note(&self.hooks, document.items(Part::Hooks));
        for (ids, item) in self.resources.iter().zip(document.items(Part::Resources)) {
            note(&[ids.id], vec![item]);
            note(&ids.parameters, inner_items(Some(item), Part::Parameters));
            note(&ids.hooks, inner_items(Some(item), Part::Hooks));
        }
        ShownIds(shown)
    }

    /// The numbers of a document that takes the place of another one: parts that continue keep theirs, `next` gives
    /// those of the others.
    #[must_use]
    pub fn carried(
        &self,
        old: &Document,
        new: &Document,
        sent: &SentIds,
        next: &mut impl FnMut() -> i64,
    ) -> Ids {
        let lists = |part: Part, old_ids, sent| Lists {
            part,
            old: old.items(part),
            old_ids,
            new: new.items(part),
            sent,
        };
        let resource_ids: Vec<i64> = self.resources.iter().map(|ids| ids.id).collect();
        let sent_resources: Vec<Option<i64>> = sent.resources.iter().map(|sent| sent.id).collect();
        let resources = lists(Part::Resources, &resource_ids, &sent_resources);
        let (unknown, unsent) = (ResourceIds::default(), SentResource::default());
        let mut carried = Vec::with_capacity(resources.new.len());
        for (position, before) in resources.continued().into_iter().enumerate() {
            let was = before.and_then(|before| self.resources.get(before));
            let (known, sent) = (was.unwrap_or(&unknown), sent.resources.get(position).unwrap_or(&unsent));
            let mut inner = |part: Part, old_ids, sent| {
                let old = inner_items(before.and_then(|before| resources.old.get(before).copied()), part);
                let new = inner_items(resources.new.get(position).copied(), part);
                Lists { part, old, old_ids, new, sent }.ids(next)
            };
            let parameters = inner(Part::Parameters, &known.parameters, &sent.parameters);
            let hooks = inner(Part::Hooks, &known.hooks, &sent.hooks);
            carried.push(ResourceIds { id: was.map_or_else(&mut *next, |was| was.id), parameters, hooks });
        }
        Ids {
            configuration: lists(Part::Configuration, &self.configuration, &sent.configuration).ids(next),
            parameters: lists(Part::Parameters, &self.parameters, &sent.parameters).ids(next),
            hooks: lists(Part::Hooks, &self.hooks, &sent.hooks).ids(next),
            resources: carried,
        }
    }
}

fn inner_items(resource: Option<&str>, part: Part) -> Vec<&str> {
    resource
        .and_then(|item| json_text::member(item, part.name()))
        .and_then(json_text::items)
        .unwrap_or_default()
}
