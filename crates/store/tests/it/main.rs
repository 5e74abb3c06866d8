//! Every store against the same suite.

mod directory;
mod intake;
mod memory;
mod monitors;
mod sqlite;
mod watch;
