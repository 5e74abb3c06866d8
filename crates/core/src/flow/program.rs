//! A checked flow: the proof that every card exists, every reference leads somewhere and every type fits.
//!
//! Only `check` makes a [`Flow`], and only a `Flow` can be run. A program is one flow of cards, compiled: outputs of
//! cards are slots, references are slot numbers, blocks are lists of card numbers. A card of a program runs at most
//! once per activation (loops call helper flows), so a slot is written once.
//!
//! Not here: how a program runs (`run`).

use std::sync::Arc;
use std::time::Duration;

use super::cards::{AuthorOutput, CardSpec};
use super::document::{Choices, Group};
use super::value::{Type, Value};
use crate::check::Fault;
use crate::check::nearest::nearest;
use crate::check::section::{Findings, member_path};

/// A monitor that can be run.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Its name.
    pub name: String,
    /// Key of the connector that it is made for.
    pub connector: Option<String>,
    /// The shortest interval of a subscription.
    pub interval_min: Duration,
    /// Type of its cursor.
    pub cursor: Type,
    /// By how much dates that are read from the cursor are lowered.
    pub cursor_overlap: Duration,
    /// What a user chooses.
    pub options: Vec<super::document::OptionField>,
    /// What it returns.
    pub outputs: Vec<Group>,
    /// How its records are recognised.
    pub record: Option<Identity>,
    /// The monitor itself first, then the helper flows.
    pub(super) programs: Vec<Program>,
}

/// How a returned record is recognised, as paths from the returned object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The group that a record is.
    pub group: String,
    /// Path to its id.
    pub id: Option<Vec<String>>,
    /// Path to the date of its last change.
    pub updated: Option<Vec<String>>,
    /// What kind of event it is.
    pub event_type: TypeOfEvent,
}

/// What kind of event a record is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeOfEvent {
    /// The ledger knows.
    ByLedger,
    /// Always this one.
    Always(crate::event::EventType),
    /// The record says it at this path.
    At(Vec<String>),
}

/// One flow of cards.
#[derive(Clone, Debug)]
pub(super) struct Program {
    /// Its name; the monitor's own for the first.
    pub name: String,
    /// Parameters; the first of them is slot [`SLOT_PARAMETERS`].
    pub parameters: Vec<(String, Type)>,
    /// What it returns to its caller.
    pub outputs: Vec<(String, Type)>,
    /// Its cards in order.
    pub body: Body,
    /// All cards, those of blocks included.
    pub cards: Vec<CardCode>,
    /// How many slots an activation has.
    pub slots: usize,
}

/// Cards of a flow or a block, in order, by number.
pub(super) type Body = Arc<[usize]>;

/// In the monitor's own flow: the cursor.
pub(super) const SLOT_CURSOR: usize = 0;
/// In the monitor's own flow: its options.
pub(super) const SLOT_OPTIONS: usize = 1;
/// In a helper flow: what is known of the call.
pub(super) const SLOT_CONTEXT: usize = 0;
/// In a helper flow: the first parameter.
pub(super) const SLOT_PARAMETERS: usize = 1;

/// A card, compiled.
#[derive(Clone, Debug)]
pub(super) struct CardCode {
    /// What messages call it.
    pub label: String,
    /// Its place in the document.
    pub place: String,
    /// Its row of the catalogue.
    pub spec: &'static CardSpec,
    /// Its inputs.
    pub inputs: Vec<InputCode>,
    /// Its outputs and the slots that hold them.
    pub outputs: Vec<OutputCode>,
    /// Outputs that the author made or typed, as evaluation wants them.
    pub author_outputs: Vec<AuthorOutput>,
    /// What it does.
    pub action: Action,
    /// What follows an error.
    pub policy: Option<PolicyCode>,
    /// How long it may take.
    pub timeout: Option<Duration>,
}

/// An input, compiled.
#[derive(Clone, Debug)]
pub(super) struct InputCode {
    /// Its key in the catalogue, or the author's name.
    pub key: String,
    /// Where its value comes from.
    pub expression: Expression,
}

/// An output, compiled.
#[derive(Clone, Debug)]
pub(super) struct OutputCode {
    /// Its name.
    pub key: String,
    /// Its type.
    pub of: Type,
    /// Where it is kept.
    pub slot: usize,
}

/// Where a value comes from.
#[derive(Clone, Debug)]
pub(super) enum Expression {
    /// The document.
    Literal(Value),
    /// A slot, and a path into it.
    Slot(usize, Vec<String>),
    /// The call that a card is about to make, and a path into it.
    Call(OfCall, Vec<String>),
    /// A list of such.
    List(Vec<Expression>),
    /// An object of such.
    Object(Vec<(String, Expression)>),
}

/// What differs from call to call of a card that calls a helper flow again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OfCall {
    /// The item.
    Item,
    /// Its position, from 0.
    Index,
    /// The key of a member (`object.map` and its like).
    Key,
    /// The value so far.
    Memo,
    /// What the page before said about the next one.
    Page,
}

/// What a card does.
#[derive(Clone, Debug)]
pub(super) enum Action {
    /// It is a function of its inputs.
    Pure,
    /// Saves the cursor.
    Cursor,
    /// Ends the monitor's flow with records.
    ReturnOutputs,
    /// Runs a helper flow in place.
    Call(Call),
    /// Runs a helper flow at the end of the run.
    CallLater(Call),
    /// Leaves the block or the flow with values.
    Return,
    /// Pauses.
    Wait,
    /// Runs one of two blocks.
    If { then: Body, otherwise: Body },
    /// Runs the block of the first condition that is true.
    Branch { branches: Vec<(Vec<InputCode>, Body)>, otherwise: Body },
    /// Runs a block, and another one when it fails.
    Try { body: Body, if_error: Body, error: usize },
    /// Leaves the block or the flow when a condition is false.
    ContinueIf,
    /// Fails.
    Throw,
    /// Fails when a condition is true.
    ThrowIf,
    /// Calls a helper flow for many items.
    Loop(LoopKind, Call),
    /// Asks a provider.
    Http(HttpKind),
    /// Answers a caller that a monitor does not have.
    Nothing,
}

/// A call of a helper flow.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// Which program.
    pub program: usize,
    /// Its parameters, in their order.
    pub values: Vec<Expression>,
}

/// What becomes of the results of many calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LoopKind {
    /// A list of what they return.
    Map,
    /// Nothing.
    Each,
    /// Nothing, and errors of single items do not matter.
    EachIgnoringErrors,
    /// The items for which they return true.
    Filter,
    /// The first item for which they return true.
    Find,
    /// The last value of a chain.
    Reduce,
    /// Nothing: the items are numbers.
    Times,
    /// A list of what they return for every member of an object.
    MapToList,
    /// An object of the `key` and `value` that they return for every member.
    MapObject,
    /// The records of all pages.
    Paginate,
}

/// Forms of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HttpKind {
    /// Texts both ways, any method.
    Raw,
    /// JSON both ways.
    Json(&'static str),
    /// The built-in `httpHelper`.
    Helper,
}

/// What follows an error of a card.
#[derive(Clone, Debug)]
pub(super) struct PolicyCode {
    /// Further tries after 429.
    pub retry: u32,
    /// The pause before each.
    pub after: Duration,
    /// What comes then.
    pub then: ThenCode,
}

/// What comes when nothing is tried again.
#[derive(Clone, Debug)]
pub(super) enum ThenCode {
    /// The error goes on.
    Halt,
    /// These outputs.
    Return(Vec<(String, Expression)>),
    /// What this flow returns.
    Flow(Call),
}

impl Flow {
    /// Whether it has a flow that tries a connection (`_authping`).
    pub fn has_authping(&self) -> bool {
        self.program_named("_authping").is_some()
    }

    /// Whether it has a helper flow of this name.
    pub fn has_helper(&self, name: &str) -> bool {
        self.program_named(name).is_some()
    }

    /// Number of cards, helper flows included.
    pub fn card_count(&self) -> usize {
        self.programs.iter().map(|program| program.cards.len()).sum()
    }

    /// Values of a dropdown that the document lists: display and value.
    pub fn choices(&self, label: &str) -> Option<&[(String, String)]> {
        let option = self.options.iter().find(|option| option.label == label)?;
        match option.choices.as_ref()? {
            Choices::Listed(values) => Some(values),
            Choices::Flow(_) => None,
        }
    }

    /// Checks what a user chose: required options, values of listed dropdowns, labels that there are not.
    pub fn check_options(&self, values: &[(String, String)]) -> Vec<Fault> {
        let mut findings = Findings::default();
        for option in &self.options {
            let path = member_path("options", &option.label);
            let value =
                values.iter().find(|(label, _)| *label == option.label).map(|(_, value)| value.as_str());
            match (value.filter(|value| !value.trim().is_empty()), &option.choices) {
                (None, _) if option.required => {
                    let problem = format!("the option `{}` is required", option.label);
                    findings.fault(&path, problem, "give it a value");
                }
                (Some(value), Some(Choices::Listed(choices)))
                    if !choices.iter().any(|(_, known)| known == value) =>
                {
                    let known: Vec<&str> = choices.iter().map(|(_, value)| value.as_str()).collect();
                    let problem = format!("`{value}` is not one of its values");
                    findings.fault(&path, problem, format!("choose one of {}", known.join(", ")));
                }
                _ => {}
            }
        }
        let known: Vec<&str> = self.options.iter().map(|option| option.label.as_str()).collect();
        for (label, _) in values.iter().filter(|(label, _)| !known.contains(&label.as_str())) {
            let remedy = match nearest(label, &known) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None if known.is_empty() => "remove it; the monitor has no options".to_string(),
                None => format!("remove it; there are {}", known.join(", ")),
            };
            findings.fault(&member_path("options", label), format!("there is no option `{label}`"), remedy);
        }
        findings.faults
    }

    pub(super) fn program_named(&self, name: &str) -> Option<usize> {
        self.programs.iter().skip(1).position(|program| program.name == name).map(|at| at + 1)
    }
}

impl CardCode {
    /// Whether it is a Return.
    pub(super) fn action_is_return(&self) -> bool {
        matches!(self.action, Action::Return) && self.spec.id == "control.return"
    }
}
