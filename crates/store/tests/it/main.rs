//! Every store against the same suite.

mod memory;
mod sqlite;
