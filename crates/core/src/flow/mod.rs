//! Flows of cards: what a polling monitor is made of.
//!
//! An author writes a [`document`]; [`check`] makes a [`Flow`] of it, or says everything that is wrong; [`run`]
//! carries one out, as a machine of steps; [`records`] says what becomes of what it returned. A card is a function of
//! its inputs: most are pure and live in [`cards`]; those that branch, call another flow or ask a provider are carried
//! out by the run. [`turn`] is one run of a subscription, from its [`state`] to what is committed. Values travel along
//! wires between cards and are converted leniently where the two ends differ ([`value`]).
//!
//! Deliberately not here: schedules, subscriptions and versions (the store's and the engine's), credentials.

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
pub mod state;
pub mod turn;
pub mod value;

pub use program::{Flow, Identity, TypeOfEvent};
pub use reading::type_word;
