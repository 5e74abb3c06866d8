//! Flows of cards: what a polling monitor is made of.
//!
//! A flow is a graph of cards. A card is a function of its inputs: most are pure and live in [`cards`]; those that
//! branch, call another flow or ask a provider are only declared there. Values travel along wires between cards and are
//! converted leniently where the two ends differ ([`value`]).

pub mod card;
pub mod cards;
pub mod check;
pub mod document;
pub mod import;
pub mod moment;
mod program;
mod reading;
pub mod records;
pub mod run;
pub mod value;

pub use program::{Flow, Identity, TypeOfEvent};
