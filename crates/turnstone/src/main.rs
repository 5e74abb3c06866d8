//! Turnstone, the program.
//!
//! Not here: everything. The command line is `cli`; what it commands is the engine's.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
