//! The part of Turnstone that decides.
//!
//! Pure and synchronous: no clock, no randomness, no files, sockets, SQL or logging.
//! Time and entropy are arguments. Everything here can be replayed from its inputs.

pub mod date;
pub mod id;
pub mod json_path;
pub mod limits;
// pub mod template;
// pub mod query;
// pub mod resource;
pub mod json_hash;
// pub mod instance;
// pub mod check;
pub mod change;
pub mod delivery;
pub mod event;
pub mod ledger;
pub mod notification;
pub mod page;
pub mod poll;
pub mod records;
pub mod run;
pub mod schedule;
pub mod window;
