//! The project's own checks, run as `cargo xtask <task>`.
//!
//! `tidy` holds the rules of the house that neither compiler nor clippy knows;
//! `ci` runs all of `make test` in order and says where the minutes went. Nothing
//! of the product lives here, and the product imports nothing from here.

mod ci;
mod spell;
mod tidy;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

const USAGE: &str = "\
usage: cargo xtask tidy           check the rules of the house; faults as `path:line: ...`
       cargo xtask ci [part ...]  run the parts of `make test`, or only those named
       cargo xtask ci --list      list the parts, their shares and commands
";

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: Vec<String>) -> Result<ExitCode> {
    match arguments.split_first() {
        Some((task, [])) if task == "tidy" => tidy::run(&project_root()?),
        Some((task, names)) if task == "ci" => ci::run(&project_root()?, names),
        Some((task, _)) if task == "help" || task == "--help" => {
            print!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        Some(_) | None => {
            eprint!("{USAGE}");
            Ok(ExitCode::from(2))
        }
    }
}

/// Asks cargo where the workspace is. Not baked in at compile time: one build
/// cache may serve several checkouts.
fn project_root() -> Result<PathBuf> {
    let output = Command::new("cargo")
        .args(["locate-project", "--workspace", "--message-format", "plain"])
        .output()
        .context("cannot run `cargo locate-project`")?;
    if !output.status.success() {
        bail!("cannot find the workspace: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let manifest = PathBuf::from(String::from_utf8(output.stdout)?.trim());
    Ok(manifest.parent().context("the workspace manifest has no folder")?.to_owned())
}
