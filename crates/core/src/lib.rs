//! The part of Turnstone that decides.
//!
//! Pure and synchronous: no clock, no randomness, no files, sockets, SQL or logging.
//! Time and entropy are arguments. Everything here can be replayed from its inputs.

pub mod limits;
pub mod id;
pub mod json_path;
pub mod date;
pub mod template;
pub mod query;
pub mod resource;
pub mod instance;
pub mod check;
pub mod records;
pub mod page;
pub mod window;
pub mod ledger;
pub mod change;
pub mod poll;
pub mod event;
pub mod notification;
pub mod delivery;
pub mod schedule;
