//! Numbers that come in with a document, and numbers that stay with a part when a whole document is exchanged.
//!
//! Whoever reads a connector through the API and sends it back sends our numbers along, and whoever imports what
//! another platform answered sends that platform's. Numbers of parts are not part of a document: they are taken out, so
//! that an export has none. Parts that are there before and after keep theirs, because scripts address them by it.

use crate::json_text::{self, Kind};

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

impl Document {
    /// The document without the `id` of any part, and the numbers that it had. Where there is none, the text stays as
    /// it is, byte by byte.
    pub fn without_ids(&self) -> (Document, SentIds) {
        let mut sent = SentIds::default();
        let mut document = self.clone();
        for part in Part::ALL {
            let Some(list) = self.member(part.name()) else { continue };
            let bare = match part {
                Part::Configuration => bare_list(list, &mut sent.configuration),
                Part::Parameters => bare_list(list, &mut sent.parameters),
                Part::Hooks => bare_list(list, &mut sent.hooks),
                Part::Resources => json_text::with_each_item(list, |_, item| {
                    let mut ids = SentResource::default();
                    let bare = bare_resource(item, &mut ids);
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

/// One part without its number; of a resource, without those of its parts.
pub(super) fn bare_part(part: Part, item: &str) -> String {
    match part {
        Part::Resources => bare_resource(item, &mut SentResource::default()),
        Part::Configuration | Part::Parameters | Part::Hooks => bare_item(item).0,
    }
}

fn bare_resource(item: &str, ids: &mut SentResource) -> String {
    let (mut bare, id) = bare_item(item);
    ids.id = id;
    for (part, found) in [(Part::Parameters, &mut ids.parameters), (Part::Hooks, &mut ids.hooks)] {
        let Some(list) = json_text::member(&bare, part.name()) else { continue };
        let without = bare_list(list, found);
        if without != list {
            bare = json_text::with_member(&bare, part.name(), &without);
        }
    }
    bare
}

fn bare_list(list: &str, ids: &mut Vec<Option<i64>>) -> String {
    json_text::with_each_item(list, |_, item| {
        let (bare, id) = bare_item(item);
        ids.push(id);
        bare
    })
}

fn bare_item(item: &str) -> (String, Option<i64>) {
    if json_text::kind(item) != Some(Kind::Object) {
        return (item.to_string(), None);
    }
    match json_text::member(item, "id") {
        Some(id) => (json_text::without_member(item, "id"), id.trim().parse().ok()),
        None => (item.to_string(), None),
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
