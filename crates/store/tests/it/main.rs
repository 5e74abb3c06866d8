//! Every store against the same suite.

mod directory;
mod intake;
mod memory;
mod sqlite;
