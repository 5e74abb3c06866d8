//! Flows of cards: what a polling monitor is made of.
//!
//! A flow is a graph of cards. A card is a function of its inputs: most are pure and live in [`cards`]; those that
//! branch, call another flow or ask a provider are only declared there. Values travel along wires between cards and are
//! converted leniently where the two ends differ ([`value`]).

pub mod cards;
pub mod moment;
pub mod value;
