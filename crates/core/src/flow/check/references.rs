//! Where a reference may lead: to earlier cards of the same block or of those around it, and to what the monitor, the
//! caller, an error or a call brings.

use std::collections::HashMap;

use super::super::card::{Block, BlockKind, Card, Reference};
use super::super::document::Document;
use super::super::program::{
    Expression, LoopKind, OfCall, SLOT_CONTEXT, SLOT_CURSOR, SLOT_OPTIONS, SLOT_PARAMETERS,
};
use super::super::value::{Kind, Type};
use crate::check::nearest::nearest;

/// Names that no card may have: sources of values that are no cards.
pub(super) const SOURCES: [&str; 10] =
    ["monitor", "options", "inputs", "context", "error", "item", "index", "key", "memo", "page"];

/// What is wrong with a reference: problem and remedy.
pub(super) type Wrong = (String, String);

/// A card that may be referred to.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) outputs: Vec<(String, Type, usize)>,
}

/// What can be seen from a place.
#[derive(Debug, Default)]
pub(super) struct Scope {
    /// Earlier cards, block by block.
    blocks: Vec<HashMap<String, Known>>,
    /// Slots of the errors of the If Error blocks around.
    errors: Vec<usize>,
}

impl Scope {
    pub(super) fn open(&mut self) {
        self.blocks.push(HashMap::new());
    }

    pub(super) fn close(&mut self) {
        self.blocks.pop();
    }

    pub(super) fn open_error(&mut self, slot: usize) {
        self.errors.push(slot);
    }

    pub(super) fn close_error(&mut self) {
        self.errors.pop();
    }

    pub(super) fn add(&mut self, id: &str, known: Known) {
        if let Some(block) = self.blocks.last_mut() {
            block.insert(id.to_string(), known);
        }
    }

    fn card(&self, id: &str) -> Option<&Known> {
        self.blocks.iter().rev().find_map(|block| block.get(id))
    }

    fn ids(&self) -> Vec<&str> {
        self.blocks.iter().flat_map(|block| block.keys().map(String::as_str)).collect()
    }
}

/// Which flow a reference stands in.
#[derive(Clone, Copy, Debug)]
pub(super) enum Inside<'d> {
    /// The monitor's own.
    Monitor(&'d Document),
    /// A helper flow with these parameters.
    Helper(&'d [(String, Type)]),
}

/// The place that a reference stands in.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'v> {
    /// The flow.
    pub(super) inside: Inside<'v>,
    /// What can be seen.
    pub(super) scope: &'v Scope,
    /// The kind of loop whose calls it is evaluated for.
    pub(super) loops: Option<LoopKind>,
    /// Every card of the flow with an id.
    pub(super) all: &'v Ids,
    /// The card that refers; empty without an id.
    pub(super) from: &'v str,
    /// The blocks that it stands in.
    pub(super) blocks: &'v [String],
}

/// Resolves a reference.
pub(super) fn resolve(reference: &Reference, view: View<'_>) -> Result<(Expression, Type), Wrong> {
    let View { inside, scope, loops, .. } = view;
    let rest = &reference.rest;
    match reference.source.as_str() {
        "monitor" => match inside {
            Inside::Monitor(document) => of_monitor(document, rest),
            Inside::Helper(_) => Err(only_in_monitor("monitor")),
        },
        "options" => match inside {
            Inside::Monitor(document) => of_options(document, rest),
            Inside::Helper(_) => Err(only_in_monitor("options")),
        },
        "inputs" => match inside {
            Inside::Helper(parameters) => of_inputs(parameters, rest),
            Inside::Monitor(_) => {
                Err(wrong("a monitor has no inputs", "refer to `monitor.cursor` or `options`"))
            }
        },
        "context" => match inside {
            Inside::Helper(_) => of_context(rest),
            Inside::Monitor(_) => Err(wrong("a monitor has no context", "refer to it in a helper flow")),
        },
        "error" => match scope.errors.last() {
            Some(slot) => of_error(*slot, rest),
            None => Err(wrong("there is no error here", "refer to `error` inside an `ifError` block")),
        },
        "item" | "index" | "key" | "memo" | "page" => of_call(reference, loops),
        source => match scope.card(source) {
            Some(known) => of_card(source, known, rest),
            None => Err(unseen(reference, view)),
        },
    }
}

fn wrong(problem: impl Into<String>, remedy: impl Into<String>) -> Wrong {
    (problem.into(), remedy.into())
}

fn only_in_monitor(source: &str) -> Wrong {
    let remedy = "declare an input of the flow, and let its caller give it";
    wrong(format!("`{source}` is known to the monitor's own cards alone"), remedy)
}

/// A value of a slot, possibly a path into it.
fn slot(slot: usize, of: Type, path: &[String], text: &str) -> Result<(Expression, Type), Wrong> {
    if path.is_empty() {
        return Ok((Expression::Slot(slot, Vec::new()), of));
    }
    let has_members = of.collection || matches!(of.kind, Kind::Object | Kind::Any);
    if !has_members {
        let problem = format!("`{text}` is {of}, which has no member `{}`", path[0]);
        return Err(wrong(problem, "refer to the output alone"));
    }
    let by_number = path[0].bytes().all(|byte| byte.is_ascii_digit());
    if of.collection && !by_number {
        let problem = format!("`{text}` is {of}, whose items are taken by number, not by `{}`", path[0]);
        return Err(wrong(problem, "write a position from 0, or use Pluck or Map"));
    }
    let of = if of.collection && path.len() == 1 { of.item() } else { Type::ANY };
    Ok((Expression::Slot(slot, path.to_vec()), of))
}

fn of_monitor(document: &Document, rest: &[String]) -> Result<(Expression, Type), Wrong> {
    match rest.split_first() {
        Some((name, path)) if name.eq_ignore_ascii_case("cursor") => {
            slot(SLOT_CURSOR, document.cursor, path, "monitor.cursor")
        }
        _ => Err(wrong("the monitor gives `cursor` alone", "write `monitor.cursor`")),
    }
}

fn of_options(document: &Document, rest: &[String]) -> Result<(Expression, Type), Wrong> {
    let labels: Vec<&str> = document.options.iter().map(|option| option.label.as_str()).collect();
    match rest.split_first() {
        Some((label, [])) if labels.contains(&label.as_str()) => {
            Ok((Expression::Slot(SLOT_OPTIONS, vec![label.clone()]), Type::TEXT))
        }
        Some((label, _)) if labels.contains(&label.as_str()) => {
            Err(wrong("an option is a text", "refer to the option alone"))
        }
        Some((label, _)) => Err(unknown(
            &format!("there is no option `{label}`"),
            label,
            &labels,
            "declare it under `options`",
        )),
        None => Ok((Expression::Slot(SLOT_OPTIONS, Vec::new()), Type::OBJECT)),
    }
}

fn of_inputs(parameters: &[(String, Type)], rest: &[String]) -> Result<(Expression, Type), Wrong> {
    let names: Vec<&str> = parameters.iter().map(|(name, _)| name.as_str()).collect();
    let Some((name, path)) = rest.split_first() else {
        return Err(wrong("an input must be named", format!("write `inputs.NAME`; {}", these(&names))));
    };
    match parameters.iter().position(|(known, _)| known == name) {
        Some(at) => slot(SLOT_PARAMETERS + at, parameters[at].1, path, &format!("inputs.{name}")),
        None => Err(unknown(
            &format!("the flow has no input `{name}`"),
            name,
            &names,
            "declare it under `inputs` of the flow",
        )),
    }
}

const CONTEXT: [(&str, Type); 4] = [
    ("execution_id", Type::TEXT),
    ("index", Type::NUMBER),
    ("parent", Type::OBJECT),
    ("error", Type::OBJECT),
];

fn of_context(rest: &[String]) -> Result<(Expression, Type), Wrong> {
    members(SLOT_CONTEXT, Vec::new(), &CONTEXT, rest, "context")
}

const ERROR: [(&str, Type); 6] = [
    ("message", Type::TEXT),
    ("code", Type::ANY),
    ("method", Type::TEXT),
    ("flo", Type::TEXT),
    ("execution", Type::TEXT),
    ("body", Type::TEXT),
];

fn of_error(error: usize, rest: &[String]) -> Result<(Expression, Type), Wrong> {
    members(error, Vec::new(), &ERROR, rest, "error")
}

/// A member of an object whose members are known.
fn members(
    of: usize,
    mut path: Vec<String>,
    known: &[(&str, Type)],
    rest: &[String],
    text: &str,
) -> Result<(Expression, Type), Wrong> {
    let Some((name, further)) = rest.split_first() else {
        return Ok((Expression::Slot(of, path), Type::OBJECT));
    };
    let Some((_, kind)) = known.iter().find(|(known, _)| known == name) else {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        return Err(unknown(&format!("`{text}` has no `{name}`"), name, &names, &these(&names)));
    };
    let (_, kind) = slot(of, *kind, further, &format!("{text}.{name}"))?;
    path.extend(rest.iter().cloned());
    Ok((Expression::Slot(of, path), kind))
}

fn of_call(reference: &Reference, loops: Option<LoopKind>) -> Result<(Expression, Type), Wrong> {
    let source = reference.source.as_str();
    let (which, of, given) = match source {
        "item" => (OfCall::Item, Type::ANY, loops.is_some_and(|kind| kind != LoopKind::Paginate)),
        "index" => (OfCall::Index, Type::NUMBER, loops.is_some()),
        "key" => (OfCall::Key, Type::TEXT, matches!(loops, Some(LoopKind::MapToList | LoopKind::MapObject))),
        "memo" => (OfCall::Memo, Type::ANY, loops == Some(LoopKind::Reduce)),
        _ => (OfCall::Page, Type::OBJECT, loops == Some(LoopKind::Paginate)),
    };
    if !given {
        let place = match source {
            "memo" => "the `values` of a Reduce",
            "page" => "the `values` of a Paginate",
            "key" => "the `values` of a Map over an object",
            _ => "the `values` of a card that calls its flow again and again",
        };
        return Err(wrong(format!("there is no `{source}` here"), format!("refer to it in {place}")));
    }
    if matches!(which, OfCall::Index | OfCall::Key) && !reference.rest.is_empty() {
        return Err(wrong(format!("`{source}` has no members"), "refer to it alone"));
    }
    let of = if reference.rest.is_empty() { of } else { Type::ANY };
    Ok((Expression::Call(which, reference.rest.clone()), of))
}

fn of_card(id: &str, known: &Known, rest: &[String]) -> Result<(Expression, Type), Wrong> {
    let names: Vec<&str> = known.outputs.iter().map(|(name, _, _)| name.as_str()).collect();
    let Some((name, path)) = rest.split_first() else {
        let remedy = match names.as_slice() {
            [] => "it gives nothing".to_string(),
            [only] => format!("write `{id}.{only}`"),
            _ => format!("write `{id}.OUTPUT`; {}", these(&names)),
        };
        return Err(wrong(format!("no output of `{id}` is named"), remedy));
    };
    match known.outputs.iter().find(|(known, _, _)| known == name) {
        Some((_, of, at)) => slot(*at, *of, path, &format!("{id}.{name}")),
        None => Err(unknown(
            &format!("card `{id}` gives no `{name}`"),
            name,
            &names,
            "declare it under its `outputs`",
        )),
    }
}

fn these(names: &[&str]) -> String {
    if names.is_empty() { "there is none".into() } else { format!("there are {}", names.join(", ")) }
}

fn unknown(problem: &str, name: &str, known: &[&str], otherwise: &str) -> Wrong {
    let remedy = match nearest(name, known) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None if known.is_empty() => otherwise.to_string(),
        None => format!("{otherwise}; {}", these(known)),
    };
    (problem.to_string(), remedy)
}

/// Every card with an id of one flow: where it stands, and what it refers to.
#[derive(Debug, Default)]
pub(super) struct Ids {
    cards: HashMap<String, Spot>,
}

#[derive(Debug)]
struct Spot {
    /// Blocks that it stands in, from outside; empty for the flow itself.
    blocks: Vec<String>,
    /// Ids that its inputs refer to.
    refers: Vec<String>,
}

impl Ids {
    /// Collects the cards of a flow.
    pub(super) fn of(cards: &[Card]) -> Ids {
        let mut ids = Ids::default();
        ids.collect(cards, &[]);
        ids
    }

    fn collect(&mut self, cards: &[Card], blocks: &[String]) {
        for card in cards {
            if let Some(id) = &card.id {
                let mut refers = Vec::new();
                refers_of(card, &mut refers);
                self.cards.entry(id.clone()).or_insert(Spot { blocks: blocks.to_vec(), refers });
            }
            for block in &card.blocks {
                let mut inner = blocks.to_vec();
                inner.push(name_of_block(card, block));
                self.collect(&block.cards, &inner);
            }
        }
    }

    /// Whether one card's inputs come, over other cards, from the other.
    fn depends(&self, card: &str, on: &str) -> bool {
        let mut seen: Vec<&str> = Vec::new();
        let mut open = vec![card];
        while let Some(id) = open.pop() {
            if id == on {
                return true;
            }
            if seen.contains(&id) {
                continue;
            }
            seen.push(id);
            if let Some(spot) = self.cards.get(id) {
                open.extend(spot.refers.iter().map(String::as_str));
            }
        }
        false
    }
}

/// What messages call a block: `try of fetch`.
pub(super) fn name_of_block(card: &Card, block: &Block) -> String {
    let member = match block.kind {
        BlockKind::Branch => "branches",
        kind => kind.as_str(),
    };
    format!("`{member}` of `{}`", card.label())
}

fn refers_of(card: &Card, refers: &mut Vec<String>) {
    for (_, input) in card.inputs.iter().chain(&card.values) {
        sources_of(input, refers);
    }
    for block in &card.blocks {
        for (_, input) in &block.inputs {
            sources_of(input, refers);
        }
        for inner in &block.cards {
            refers_of(inner, refers);
        }
    }
}

fn sources_of(input: &super::super::card::Input, refers: &mut Vec<String>) {
    use super::super::card::Input;
    match input {
        Input::Literal(_) => {}
        Input::From(reference) => refers.push(reference.source.clone()),
        Input::List(items) => items.iter().for_each(|item| sources_of(item, refers)),
        Input::Object(members) => members.iter().for_each(|(_, member)| sources_of(member, refers)),
    }
}

/// Why a card cannot be seen from here.
fn unseen(reference: &Reference, view: View<'_>) -> Wrong {
    let View { scope, all, from, blocks: here, .. } = view;
    let id = reference.source.as_str();
    if id == from && all.cards.contains_key(id) {
        return wrong(format!("card `{id}` refers to itself"), "refer to an earlier card");
    }
    let Some(spot) = all.cards.get(id) else {
        let mut known = scope.ids();
        known.sort_unstable();
        known.extend(SOURCES);
        let problem = format!("there is no card `{id}`");
        let remedy = match nearest(id, &known) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "refer to the id of an earlier card".to_string(),
        };
        return (problem, remedy);
    };
    if !from.is_empty() && all.depends(id, from) {
        let problem = format!("cards `{from}` and `{id}` wait for each other: a cycle");
        return wrong(problem, "break it: one of them must do without the other");
    }
    if let Some(block) = spot.blocks.last()
        && !here.starts_with(&spot.blocks)
    {
        let problem = format!("card `{id}` stands inside {block}, and cannot be seen from outside");
        return wrong(
            problem,
            "return its value from the block with a Return card, and declare it as an output",
        );
    }
    wrong(format!("card `{id}` comes later"), "move it before this card")
}
