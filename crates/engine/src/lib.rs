//! The part of Turnstone that does: it sends, waits, stores and delivers what the core has decided.
//!
//! Not here: HTTP routes and command lines (the binary), rules (the core), SQL (the store).

pub mod calls;
pub mod clock;
pub mod connections;
pub mod connectors;
pub mod deliverer;
pub mod document;
pub mod driver;
pub mod egress;
pub mod flows;
pub mod hooks;
pub mod intake;
pub mod keeper;
pub mod metrics;
pub mod poller;
pub mod prepare;
pub mod secrets;
pub mod stop;
mod turns;
