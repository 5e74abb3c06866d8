//! A card as the document writes it: its inputs, blocks, policy. Nothing is known here of what the card does.
//!
//! ```yaml
//! - id: saved                       # needed only where another card refers to this one
//!   card: object.get                # the export id
//!   note: start of the window       # for people
//!   inputs: {object: {from: monitor.cursor}, path: cursor_value}
//!   outputs: {output: date}         # types that the author picks, outputs that the author makes
//! ```
//!
//! An input is a literal or `{from: card.output}`; what follows the output is a path into it (`call.body.users.0`).
//! References may stand inside lists and objects. `{literal: …}` is taken as it stands, whatever it holds.
//!
//! Not here: whether a card exists and a reference leads anywhere (`check`).

use std::time::Duration;

use serde_json::Value as Json;

use super::reading::{Members, is_field_name, is_id};
use super::value::Type;
use crate::check::section::{Findings, member_path, shown};

/// Cards of one body, and blocks inside one another: reading is a recursion.
const NESTING_MAX: usize = 32;

/// A card.
#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    /// Its place, for messages: `cards.saved`.
    pub path: String,
    /// Its id, where others may refer to it.
    pub id: Option<String>,
    /// What it is: an export id such as `object.get`.
    pub card: String,
    /// A remark for people.
    pub note: String,
    /// Its inputs.
    pub inputs: Vec<(String, Input)>,
    /// Outputs that the author makes or types.
    pub outputs: Vec<(String, Type)>,
    /// The helper flow that it calls.
    pub flow: Option<String>,
    /// What the helper flow gets on every call.
    pub values: Vec<(String, Input)>,
    /// Its blocks.
    pub blocks: Vec<Block>,
    /// What follows an error.
    pub on_error: Option<Policy>,
    /// How long it may take.
    pub timeout: Option<Duration>,
}

/// A block of a card, with the inputs that are its own (a branch's condition).
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// Which.
    pub kind: BlockKind,
    /// Its place.
    pub path: String,
    /// Inputs of a branch.
    pub inputs: Vec<(String, Input)>,
    /// Its cards.
    pub cards: Vec<Card>,
}

/// Kinds of blocks, by the member that holds them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockKind {
    /// `try` of a `control.tryCatch`.
    Try,
    /// `ifError` of a `control.tryCatch`.
    IfError,
    /// `then` of a `control.if`.
    Then,
    /// One of the `branches` of a `control.branch`.
    Branch,
    /// `else` of a `control.if` or a `control.branch`.
    Else,
}

impl BlockKind {
    /// The member's name.
    pub fn as_str(self) -> &'static str {
        match self {
            BlockKind::Try => "try",
            BlockKind::IfError => "ifError",
            BlockKind::Then => "then",
            BlockKind::Branch => "branches",
            BlockKind::Else => "else",
        }
    }
}

/// What a card gets for one of its inputs.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// This value.
    Literal(Json),
    /// What a card, the monitor or the caller brought: `card.output`, and a path into it.
    From(Reference),
    /// A list that holds references.
    List(Vec<Input>),
    /// An object that holds references.
    Object(Vec<(String, Input)>),
}

/// `{from: card.output.path}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// As it is written.
    pub text: String,
    /// Card or source.
    pub source: String,
    /// Output, then the path into it.
    pub rest: Vec<String>,
}

/// What follows an error of a card.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// How often a refusal with 429 is tried again.
    pub retry: u32,
    /// The pause before each further try.
    pub after: Duration,
    /// What comes then.
    pub then: Then,
}

/// What follows when tries are used up, or the error is none that is tried again.
#[derive(Clone, Debug, PartialEq)]
pub enum Then {
    /// The error goes on: to the nearest `try`, or to the end of the run.
    Halt,
    /// The card has these outputs.
    Return(Vec<(String, Input)>),
    /// A helper flow runs; what it returns are the card's outputs.
    Flow(String, Vec<(String, Input)>),
}

/// Reads the cards of a body.
pub(super) fn read_cards(path: &str, items: &[Json], depth: usize, findings: &mut Findings) -> Vec<Card> {
    if depth > NESTING_MAX {
        let problem = format!("blocks stand more than {NESTING_MAX} deep in one another");
        findings.fault(path, problem, "move inner blocks to helper flows");
        return Vec::new();
    }
    let read = |(at, item)| read_card(path, at, item, depth, findings);
    items.iter().enumerate().filter_map(read).collect()
}

fn read_card(parent: &str, at: usize, value: &Json, depth: usize, findings: &mut Findings) -> Option<Card> {
    let named = value.get("id").and_then(Json::as_str).filter(|id| is_id(id));
    let path = match named {
        Some(id) => format!("{parent}.{id}"),
        None => format!("{parent}[{at}]"),
    };
    let mut members = Members::new(&path, value, findings)?;
    if let Some(id) = members.text("id", findings).filter(|id| !is_id(id)) {
        let remedy = "begin with a letter, then letters, digits, `-` and `_`, at most 64";
        findings.fault(&members.path_of("id"), format!("`{id}` is not an id"), remedy);
    }
    let remedy = "name a card, such as `object.get`";
    let card = members.needed_text("card", remedy, findings).unwrap_or_default().to_string();
    let note = members.text("note", findings).unwrap_or_default().to_string();
    let inputs = read_inputs(&mut members, "inputs", findings);
    let outputs = members.types("outputs", findings);
    let flow = read_flow_name(&mut members, findings);
    let values = read_inputs(&mut members, "values", findings);
    let blocks = read_blocks(&mut members, &path, depth, findings);
    let on_error = read_policy(&mut members, findings);
    let timeout = members.duration("timeout", findings);
    if timeout.is_some_and(|time| time.is_zero()) {
        findings.fault(&members.path_of("timeout"), "no time is left for it", "write at least `1s`");
    }
    members.finish(findings);
    let id = named.map(str::to_string);
    Some(Card { path, id, card, note, inputs, outputs, flow, values, blocks, on_error, timeout })
}

fn read_flow_name(members: &mut Members<'_>, findings: &mut Findings) -> Option<String> {
    let name = members.text("flow", findings)?;
    if !is_id(name) {
        let remedy = "write the name of a flow under `flows`, or `httpHelper`";
        findings.fault(&members.path_of("flow"), format!("`{name}` is not the name of a flow"), remedy);
    }
    Some(name.to_string())
}

fn read_blocks(members: &mut Members<'_>, path: &str, depth: usize, findings: &mut Findings) -> Vec<Block> {
    let mut blocks = Vec::new();
    for (kind, key) in [(BlockKind::Try, "try"), (BlockKind::IfError, "ifError"), (BlockKind::Then, "then")] {
        blocks.extend(read_block(members, kind, key, path, depth, findings));
    }
    let branches_path = members.path_of("branches");
    for (at, branch) in members.list("branches", findings).unwrap_or_default().iter().enumerate() {
        let path = format!("{branches_path}[{at}]");
        let Some(mut branch) = Members::new(&path, branch, findings) else { continue };
        let inputs = read_inputs(&mut branch, "inputs", findings);
        branch.needed("then", "write the cards of the branch", findings);
        let cards = branch.list("then", findings).unwrap_or_default();
        let cards = read_cards(&branch.path_of("then"), cards, depth + 1, findings);
        branch.finish(findings);
        blocks.push(Block { kind: BlockKind::Branch, path, inputs, cards });
    }
    blocks.extend(read_block(members, BlockKind::Else, "else", path, depth, findings));
    blocks
}

fn read_block(
    members: &mut Members<'_>,
    kind: BlockKind,
    key: &'static str,
    parent: &str,
    depth: usize,
    findings: &mut Findings,
) -> Option<Block> {
    let items = members.list(key, findings)?;
    let path = member_path(parent, key);
    let cards = read_cards(&path, items, depth + 1, findings);
    Some(Block { kind, path, inputs: Vec::new(), cards })
}

fn read_policy(members: &mut Members<'_>, findings: &mut Findings) -> Option<Policy> {
    let path = members.path_of("onError");
    let value = members.get("onError")?;
    let mut policy = Members::new(&path, value, findings)?;
    let retry = policy.count("retry", 0..=10, findings).unwrap_or(0);
    let after = policy.duration("after", findings).unwrap_or(Duration::from_secs(300));
    let then_path = policy.path_of("then");
    let then = policy.get("then").map_or(Then::Halt, |then| read_then(&then_path, then, findings));
    policy.finish(findings);
    Some(Policy { retry: u32::try_from(retry).unwrap_or(10), after, then })
}

fn read_then(path: &str, value: &Json, findings: &mut Findings) -> Then {
    if value.as_str() == Some("halt") {
        return Then::Halt;
    }
    let one =
        value.as_object().filter(|members| members.contains_key("return") != members.contains_key("flow"));
    if one.is_none() {
        let remedy = "write `halt`, `{return: {output: value}}` or `{flow: name, values: {…}}`";
        findings.fault(path, format!("{} says not what follows", shown(value)), remedy);
        return Then::Halt;
    }
    let Some(mut members) = Members::new(path, value, findings) else { return Then::Halt };
    let is_flow = value.get("flow").is_some();
    let then = if is_flow {
        let name = read_flow_name(&mut members, findings).unwrap_or_default();
        Then::Flow(name, read_inputs(&mut members, "values", findings))
    } else {
        Then::Return(read_inputs(&mut members, "return", findings))
    };
    members.finish(findings);
    then
}

/// Inputs by name.
pub(super) fn read_inputs(
    members: &mut Members<'_>,
    key: &'static str,
    findings: &mut Findings,
) -> Vec<(String, Input)> {
    let path = members.path_of(key);
    let mut inputs = Vec::new();
    for (name, value) in members.entries(key, findings) {
        let place = member_path(&path, name);
        if !is_field_name(name) {
            let remedy = "leave out full stops and blanks around it, and use at most 100 letters";
            findings.fault(&place, "this name cannot be referred to", remedy);
        }
        inputs.push((name.clone(), read_input(&place, value, 0, findings)));
    }
    inputs
}

/// A literal, a reference, or a structure that holds references.
fn read_input(path: &str, value: &Json, depth: usize, findings: &mut Findings) -> Input {
    if depth > NESTING_MAX {
        findings.fault(path, format!("it is nested more than {NESTING_MAX} deep"), "build it with cards");
        return Input::Literal(Json::Null);
    }
    match value {
        Json::Object(members) if members.contains_key("from") => read_reference(path, value, findings),
        Json::Object(members) if members.contains_key("literal") => {
            if members.len() > 1 {
                let remedy = "put the whole object under `literal`";
                findings.fault(path, "`literal` stands beside other members", remedy);
            }
            Input::Literal(members["literal"].clone())
        }
        Json::Object(members) => {
            let read = |(name, value): (&String, &Json)| {
                (name.clone(), read_input(&member_path(path, name), value, depth + 1, findings))
            };
            let parts: Vec<(String, Input)> = members.iter().map(read).collect();
            match parts.iter().any(|(_, part)| !matches!(part, Input::Literal(_))) || holds_literal(value) {
                true => Input::Object(parts),
                false => Input::Literal(value.clone()),
            }
        }
        Json::Array(items) => {
            let read = |(at, item)| read_input(&format!("{path}[{at}]"), item, depth + 1, findings);
            let parts: Vec<Input> = items.iter().enumerate().map(read).collect();
            match parts.iter().any(|part| !matches!(part, Input::Literal(_))) || holds_literal(value) {
                true => Input::List(parts),
                false => Input::Literal(value.clone()),
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => Input::Literal(value.clone()),
    }
}

/// Whether a part of a structure is written as `{literal: …}`, so that the structure differs from its text.
fn holds_literal(value: &Json) -> bool {
    match value {
        Json::Object(members) => members.contains_key("literal") || members.values().any(holds_literal),
        Json::Array(items) => items.iter().any(holds_literal),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => false,
    }
}

fn read_reference(path: &str, value: &Json, findings: &mut Findings) -> Input {
    let remedy = "write `{from: card.output}`, or put an object with such members under `literal`";
    if value.as_object().is_some_and(|members| members.len() > 1) {
        findings.fault(path, "`from` stands beside other members", remedy);
    }
    match value["from"].as_str().map(Reference::parse) {
        Some(Some(reference)) => Input::From(reference),
        Some(None) | None => {
            findings.fault(path, format!("{} is not a reference", shown(&value["from"])), remedy);
            Input::Literal(Json::Null)
        }
    }
}

impl Reference {
    /// Reads `card.output.path`. `None` when a part of it is empty.
    pub fn parse(text: &str) -> Option<Reference> {
        let mut parts = text.split('.').map(str::to_string);
        let source = parts.next()?;
        let rest: Vec<String> = parts.collect();
        let blank = |part: &String| part.trim().is_empty();
        (!blank(&source) && !rest.iter().any(blank)).then(|| Reference {
            text: text.to_string(),
            source,
            rest,
        })
    }
}

impl Card {
    /// What messages call it: its id, or what it is.
    pub fn label(&self) -> &str {
        self.id.as_deref().unwrap_or(&self.card)
    }

    /// The block of this kind.
    pub fn block(&self, kind: BlockKind) -> Option<&Block> {
        self.blocks.iter().find(|block| block.kind == kind)
    }
}
