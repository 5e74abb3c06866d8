//! Turnstone, the program.
//!
//! Not here: everything. The command line is `cli`, the HTTP API is `api`, the pages are `console`; what they command
//! is the engine's.

mod api;
mod cli;
mod console;
mod difference;
mod telemetry;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
