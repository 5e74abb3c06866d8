//! The table of all cards.
//!
//! Ids, keys and labels are those of exported flows where an export shows them; the others follow their style, and
//! `docs/flow-cards.md` says which. Not here: what the cards do.

mod control;
mod texts;
mod values;

use std::collections::HashMap;
use std::sync::LazyLock;

use super::CardSpec;

const SECTIONS: [&[CardSpec]; 12] = [
    control::EVENT,
    control::CONTROL,
    control::BRANCHING,
    control::ERRORS,
    values::OBJECT,
    values::LIST,
    values::DATE,
    texts::TEXT,
    texts::NUMBER,
    texts::LOGIC_AND_JSON,
    texts::ENCODING,
    control::HTTP,
];

static BY_ID: LazyLock<HashMap<&'static str, &'static CardSpec>> = LazyLock::new(|| {
    all().flat_map(|card| std::iter::once(&card.id).chain(card.aliases).map(move |id| (*id, card))).collect()
});

pub(super) fn find(id: &str) -> Option<&'static CardSpec> {
    BY_ID.get(id).copied()
}

pub(super) fn all() -> impl Iterator<Item = &'static CardSpec> {
    SECTIONS.iter().flat_map(|section| section.iter())
}
