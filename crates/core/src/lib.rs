//! The part of Turnstone that decides.
//!
//! Pure and synchronous: no clock, no randomness, no files, sockets, SQL or logging.
//! Time and entropy are arguments. Everything here can be replayed from its inputs.

pub mod auth;
pub mod cadence;
pub mod call;
pub mod change;
pub mod check;
pub mod connector;
pub mod date;
pub mod delivery;
pub mod event;
pub mod flow;
pub mod hook;
pub mod id;
pub mod instance;
pub mod intake;
pub mod json_hash;
pub mod json_path;
pub mod json_text;
pub mod json_tree;
pub mod json_walk;
pub mod ledger;
pub mod limits;
pub mod notification;
pub mod openapi;
pub mod page;
pub mod poll;
pub mod query;
pub mod records;
pub mod resource;
pub mod run;
pub mod schedule;
pub mod suggest;
pub mod template;
pub mod window;
