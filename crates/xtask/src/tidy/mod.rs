//! The rules of the house that neither compiler nor clippy knows.
//!
//! Each rule is a function from text to [`Finding`]s, in the module named for what
//! it reads: `graph` and `licences` read `cargo metadata`, `source` reads Rust,
//! `tree` reads every file, `map` reads ARCHITECTURE.md, `links` reads Markdown.
//! All findings are reported at once. Nothing is repaired here: a rule says what
//! would be right.

mod code;
mod graph;
mod licences;
mod links;
mod map;
mod source;
mod tree;

use std::fmt;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::spell;

/// One broken rule at one place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    /// Path from the project's root.
    path: String,
    /// Counted from 1. A fault of a whole file is at line 1.
    line: usize,
    /// What is wrong and, after the comma, what would be right.
    message: String,
}

impl Finding {
    fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// A text file of the project.
#[derive(Clone, Debug)]
struct File {
    /// Path from the project's root, with `/`.
    path: String,
    text: String,
}

/// Checks every rule, prints all findings, and fails when there is one.
pub fn run(root: &Path) -> Result<ExitCode> {
    let (files, others) = read_files(root)?;
    let metadata = read_metadata(root)?;
    let mut findings = Vec::new();
    findings.extend(graph::check(&metadata, &files)?);
    findings.extend(licences::check(&metadata, &files)?);
    findings.extend(source::check(&files));
    findings.extend(tree::check(&files));
    findings.extend(map::check(&files));
    findings.extend(links::check(&files, &others));
    findings.sort();
    findings.dedup();
    for finding in &findings {
        println!("{finding}");
    }
    let looked_at = spell::count(files.len(), "file");
    if findings.is_empty() {
        println!("tidy: {looked_at}, nothing to report");
        return Ok(ExitCode::SUCCESS);
    }
    println!("tidy: {looked_at}, {}", spell::count(findings.len(), "finding"));
    Ok(ExitCode::FAILURE)
}

/// Every text file that git tracks or would track, and the paths of the others: a
/// new file is checked before it is added. Files that are not UTF-8 are not text.
fn read_files(root: &Path) -> Result<(Vec<File>, Vec<String>)> {
    let listing = output_of(
        root,
        "git",
        &["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"],
    )?;
    let (mut files, mut others) = (Vec::new(), Vec::new());
    for path in listing.split('\0').filter(|path| !path.is_empty()) {
        let place = root.join(path);
        if !place.is_file() {
            continue; // Deleted but not yet committed, or a link to a folder.
        }
        let bytes = std::fs::read(&place).with_context(|| format!("cannot read `{path}`"))?;
        match String::from_utf8(bytes) {
            Ok(text) => files.push(File { path: path.to_owned(), text }),
            Err(_) => others.push(path.to_owned()),
        }
    }
    Ok((files, others))
}

/// Reads the packages that this machine's build uses, so that nothing is fetched
/// for other systems.
fn read_metadata(root: &Path) -> Result<Value> {
    let version = output_of(root, "rustc", &["-vV"])?;
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .context("`rustc -vV` does not name its host")?;
    let arguments = ["metadata", "--format-version", "1", "--locked", "--filter-platform", host];
    let text = output_of(root, "cargo", &arguments)?;
    serde_json::from_str(&text).context("cannot read the answer of `cargo metadata`")
}

fn output_of(root: &Path, program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(root)
        .output()
        .with_context(|| format!("cannot run `{program}`"))?;
    if !output.status.success() {
        let command = arguments.join(" ");
        bail!("`{program} {command}` failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{program}` did not answer in UTF-8"))
}

/// The line, counted from 1, of the first that `wanted` accepts; 1 when none does.
fn line_where(text: &str, wanted: impl Fn(&str) -> bool) -> usize {
    text.lines().position(wanted).map_or(1, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_reads_as_path_line_message() {
        let finding = Finding::new("crates/core/src/id.rs", 7, "too long, split it");
        assert_eq!(finding.to_string(), "crates/core/src/id.rs:7: too long, split it");
    }

    #[test]
    fn a_line_is_found_or_the_first_is_named() {
        assert_eq!(line_where("a\nb\nc\n", |line| line == "b"), 2);
        assert_eq!(line_where("a\nb\nc\n", |line| line == "z"), 1);
    }
}
