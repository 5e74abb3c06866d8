//! Turnstone, the program.
//!
//! Not here: everything. The command line is `cli`, the HTTP API is `api`; what they command is the engine's.

mod api;
mod cli;
mod difference;
mod telemetry;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
