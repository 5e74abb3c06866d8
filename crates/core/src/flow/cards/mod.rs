//! The cards of a flow: what each takes and gives, and the pure ones themselves.
//!
//! One table ([`all`]) names every card of the catalogue under the id that exported flows use. Most cards are functions
//! of their inputs and are carried out by [`evaluate`], which converts what came along the wires to the declared types,
//! refuses what is missing, and bounds what comes out. The others branch, call another flow or ask a provider; they
//! stand in the table ([`Runs::Flow`]) and are carried out by the run.
//!
//! Deliberately not here: wires, the order of cards, the clock and chance. Time and entropy come with [`Context`].

pub mod compare;

mod call;
mod catalogue;
mod chance;
mod date;
mod encoding;
mod formula;
mod json;
mod list;
mod logic;
mod number;
mod object;
mod path;
mod spec;
mod text;

use jiff::Timestamp;

pub use spec::{CardSpec, Group, InputSpec, OutputSpec, Runs};

use super::value::{Object, Type, Value};
use crate::date::ZoneRules;

/// What a card gives: output key to value.
pub type Outputs = Object;

/// What the author filled into one card, resolved to values.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    values: Object,
    outputs: Vec<AuthorOutput>,
}

/// An output that the author declared: one that he added, or a given one whose type he chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorOutput {
    /// Its key; for Get Multiple also the path that is read.
    pub key: String,
    /// Its type; the value is converted to it.
    pub of: Type,
}

/// What a card may know besides its inputs.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// The instant that Now gives; in a monitor's run the provider's time.
    pub now: Timestamp,
    /// How short zone names are read.
    pub zones: ZoneRules,
    /// Entropy of the whole run. The same seed gives the same values, so that a run can be replayed.
    pub seed: u64,
    /// How many cards the run evaluated before this one; no two evaluations of a run share one.
    pub counter: u64,
}

/// Why a card gave nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CardError {
    /// What kind of failure it is.
    pub code: ErrorCode,
    /// One sentence that names the input and the remedy.
    pub message: String,
    /// The input at fault, when one is.
    pub input: Option<String>,
}

/// Kinds of failure; stable, for an If Error block to choose by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// No such card, or one that is not a function of its inputs.
    UnknownCard,
    /// An input that the card does not have.
    UnknownInput,
    /// A needed input that has no value.
    MissingInput,
    /// A value that has no form of the declared type.
    WrongType,
    /// A value of the right type that the card cannot use.
    BadValue,
    /// Larger than the bounds allow.
    TooLarge,
}

impl ErrorCode {
    /// Its name in an error object.
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorCode::UnknownCard => "unknown-card",
            ErrorCode::UnknownInput => "unknown-input",
            ErrorCode::MissingInput => "missing-input",
            ErrorCode::WrongType => "wrong-type",
            ErrorCode::BadValue => "bad-value",
            ErrorCode::TooLarge => "too-large",
        }
    }
}

impl CardError {
    /// A failure of one input.
    pub fn of_input(code: ErrorCode, input: &str, message: impl Into<String>) -> CardError {
        CardError { code, message: message.into(), input: Some(input.to_owned()) }
    }
}

impl Inputs {
    /// No inputs.
    pub fn new() -> Inputs {
        Inputs::default()
    }

    /// Sets an input; a later value replaces an earlier one in its place.
    pub fn set(&mut self, key: impl Into<String>, value: impl Into<Value>) -> &mut Inputs {
        self.values.insert(key.into(), value.into());
        self
    }

    /// With the outputs that the author declared.
    pub fn with_outputs(mut self, outputs: Vec<AuthorOutput>) -> Inputs {
        self.outputs = outputs;
        self
    }

    /// The value of an input, as it came.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.values.get(key)
    }

    /// All inputs in their order.
    pub fn values(&self) -> &Object {
        &self.values
    }
}

impl From<Object> for Inputs {
    fn from(values: Object) -> Inputs {
        Inputs { values, outputs: Vec::new() }
    }
}

/// The card of this id or one of its other names; letter case matters.
pub fn spec(id: &str) -> Option<&'static CardSpec> {
    catalogue::find(id)
}

/// Every card, section by section of the catalogue.
pub fn all() -> impl Iterator<Item = &'static CardSpec> {
    catalogue::all()
}

/// Carries out a card that is a function of its inputs ([`Runs::Pure`]).
///
/// Inputs are converted to their declared types first; an input that is absent or nothing takes its default. Nothing in
/// a text input is an empty text. Outputs that the author declared are converted to their types at the end. What comes
/// out is at most [`crate::limits::FLOW_VALUE_BYTES_MAX`] as JSON and [`crate::limits::JSON_DEPTH_MAX`] deep.
pub fn evaluate(id: &str, inputs: &Inputs, context: &Context) -> Result<Outputs, CardError> {
    let Some(spec) = spec(id) else {
        let message = format!("there is no card `{id}`");
        return Err(CardError { code: ErrorCode::UnknownCard, message, input: None });
    };
    call::carry_out(spec, inputs, context)
}
