//! Every store against the same suite.

mod directory;
mod memory;
mod sqlite;
