//! Licences, banned crates and second versions among all packages of the build.
//!
//! A crate that is there twice costs build time and can meet itself in types that
//! do not fit; each one is either removed or listed with its reason. Security
//! advisories are not checked here: their database is not in the registry.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde_json::Value;

use super::{File, Finding, line_where};

/// Licences that ask no more than to be named.
const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Zlib",
];

/// Exceptions that only give more rights.
const EXCEPTIONS: &[&str] = &["LLVM-exception"];

/// Crates that may not come in by any door, with the reason.
const BANNED: &[(&str, &str)] = &[
    ("aws-lc-rs", "a second TLS provider makes rustls panic; use ring"),
    ("aws-lc-sys", "a second TLS provider makes rustls panic; use ring"),
    ("openssl-sys", "TLS is rustls; switch off the crate's default features"),
    ("native-tls", "TLS is rustls; switch off the crate's default features"),
];

const LOCK: &str = "Cargo.lock";
const DUPLICATES: &str = "crates/xtask/duplicates.txt";

/// Checks every package of the build.
pub fn check(metadata: &Value, files: &[File]) -> Result<Vec<Finding>> {
    let text_of =
        |path: &str| files.iter().find(|file| file.path == path).map_or("", |file| file.text.as_str());
    let mut packages = Vec::new();
    for package in metadata["packages"].as_array().context("metadata has no packages")? {
        packages.push(Package {
            name: package["name"].as_str().context("a package has no name")?,
            version: package["version"].as_str().context("a package has no version")?,
            licence: package["license"].as_str(),
        });
    }
    let mut findings = check_licences(&packages, text_of(LOCK));
    findings.extend(check_bans(&packages, text_of(LOCK)));
    findings.extend(check_duplicates(&packages, text_of(LOCK), text_of(DUPLICATES)));
    Ok(findings)
}

#[derive(Clone, Copy, Debug)]
struct Package<'a> {
    name: &'a str,
    version: &'a str,
    licence: Option<&'a str>,
}

fn check_licences(packages: &[Package], lock: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for Package { name, version, licence } in packages {
        let problem = match licence {
            None => Some("names no licence".to_owned()),
            Some(expression) => match is_allowed(expression) {
                Ok(true) => None,
                Ok(false) => Some(format!("has the licence `{expression}`")),
                Err(why) => Some(format!("has a licence that cannot be read (`{expression}`: {why})")),
            },
        };
        if let Some(problem) = problem {
            let line = lock_line(lock, name);
            findings.push(Finding::new(
                LOCK,
                line,
                format!("`{name}` {version} {problem}, use a crate under one of: {}", LICENCES.join(", ")),
            ));
        }
    }
    findings
}

fn check_bans(packages: &[Package], lock: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (banned, reason) in BANNED {
        if packages.iter().any(|package| package.name == *banned) {
            findings.push(Finding::new(
                LOCK,
                lock_line(lock, banned),
                format!("`{banned}` is banned, {reason}"),
            ));
        }
    }
    findings
}

fn check_duplicates(packages: &[Package], lock: &str, list: &str) -> Vec<Finding> {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in packages {
        versions.entry(package.name).or_default().insert(package.version);
    }
    versions.retain(|_, versions| versions.len() > 1);
    let mut findings = Vec::new();
    let mut listed = BTreeSet::new();
    for (index, line) in list.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, reason) = line.split_once(':').unwrap_or((line, ""));
        let name = name.trim();
        if reason.trim().is_empty() {
            let message = "an entry without reason, write `crate: why there are two`";
            findings.push(Finding::new(DUPLICATES, index + 1, message));
        }
        if !versions.contains_key(name) {
            let message = format!("`{name}` is there only once now, delete this line");
            findings.push(Finding::new(DUPLICATES, index + 1, message));
        }
        listed.insert(name);
    }
    for (name, versions) in versions.iter().filter(|(name, _)| !listed.contains(*name)) {
        let spelled = versions.iter().copied().collect::<Vec<_>>().join(" and ");
        findings.push(Finding::new(
            LOCK,
            lock_line(lock, name),
            format!("`{name}` is there as {spelled}, settle on one or give the reason in {DUPLICATES}"),
        ));
    }
    findings
}

fn lock_line(lock: &str, name: &str) -> usize {
    let wanted = format!("name = \"{name}\"");
    line_where(lock, |line| line == wanted)
}

/// Evaluates an SPDX expression: `OR` leaves the choice to us, `AND` does not. The
/// old spelling `MIT/Apache-2.0` means `OR`.
fn is_allowed(expression: &str) -> Result<bool, String> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut words = Words { words: spaced.split_whitespace().collect(), next: 0 };
    let allowed = words.any()?;
    match words.peek() {
        None => Ok(allowed),
        Some(word) => Err(format!("`{word}` is one too many")),
    }
}

/// Reads an expression word by word; `WITH` binds closest, then `AND`, then `OR`.
struct Words<'a> {
    words: Vec<&'a str>,
    next: usize,
}

impl<'a> Words<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.words.get(self.next).copied()
    }

    /// Takes the next word when it is `wanted`.
    fn take(&mut self, wanted: &str) -> bool {
        let is_next = self.peek() == Some(wanted);
        self.next += usize::from(is_next);
        is_next
    }

    fn any(&mut self) -> Result<bool, String> {
        let mut allowed = self.all()?;
        while self.take("OR") {
            allowed |= self.all()?;
        }
        Ok(allowed)
    }

    fn all(&mut self) -> Result<bool, String> {
        let mut allowed = self.one()?;
        while self.take("AND") {
            allowed &= self.one()?;
        }
        Ok(allowed)
    }

    fn one(&mut self) -> Result<bool, String> {
        if self.take("(") {
            let allowed = self.any()?;
            return if self.take(")") { Ok(allowed) } else { Err("a bracket is not closed".to_owned()) };
        }
        let name = self.name()?;
        let allowed = LICENCES.contains(&name);
        if self.take("WITH") {
            return Ok(EXCEPTIONS.contains(&self.name()?) && allowed);
        }
        Ok(allowed)
    }

    fn name(&mut self) -> Result<&'a str, String> {
        match self.peek() {
            None => Err("a name is missing at its end".to_owned()),
            Some(word @ ("OR" | "AND" | "WITH" | "(" | ")")) => {
                Err(format!("a name is missing before `{word}`"))
            }
            Some(name) => {
                self.next += 1;
                Ok(name)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_follow_spdx() {
        let cases = [
            ("MIT", true),
            ("GPL-3.0", false),
            ("MIT OR GPL-3.0", true),
            ("GPL-3.0 OR MIT", true),
            ("MIT AND GPL-3.0", false),
            ("MIT/Apache-2.0", true),
            ("Unlicense OR MIT", true),
            ("Unlicense", false),
            ("(MIT OR GPL-3.0) AND BSD-3-Clause", true),
            ("MIT OR GPL-3.0 AND GPL-2.0", true),
            ("(MIT OR GPL-3.0) AND GPL-2.0", false),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("Apache-2.0 WITH Strange-exception", false),
            ("GPL-2.0 WITH LLVM-exception", false),
            ("((ISC))", true),
        ];
        for (expression, expected) in cases {
            assert_eq!(is_allowed(expression), Ok(expected), "{expression}");
        }
    }

    #[test]
    fn broken_expressions_are_no_licence() {
        for expression in ["", "MIT OR", "(MIT", "MIT)", "MIT MIT", "AND MIT", "MIT WITH"] {
            assert!(is_allowed(expression).is_err(), "{expression}");
        }
    }

    fn package<'a>(name: &'a str, version: &'a str, licence: Option<&'a str>) -> Package<'a> {
        Package { name, version, licence }
    }

    #[test]
    fn a_foreign_or_missing_licence_is_found_at_its_line() {
        let packages = [
            package("good", "1.0.0", Some("MIT")),
            package("bad", "1.0.0", Some("AGPL-3.0")),
            package("mute", "1.0.0", None),
            package("odd", "1.0.0", Some("MIT OR")),
        ];
        let found = check_licences(&packages, "version = 4\n\n[[package]]\nname = \"bad\"\n");
        assert_eq!(found.len(), 3, "{found:#?}");
        assert!(found[0].to_string().starts_with("Cargo.lock:4: `bad` 1.0.0 has the licence `AGPL-3.0`"));
        assert!(found[1].message.contains("names no licence"));
        assert!(found[2].message.contains("cannot be read"));
    }

    #[test]
    fn banned_crates_are_found() {
        assert_eq!(check_bans(&[package("openssl-sys", "0.9.0", Some("MIT"))], "").len(), 1);
        assert_eq!(check_bans(&[package("rustls", "0.23.0", Some("MIT"))], ""), []);
    }

    #[test]
    fn a_second_version_needs_a_reason_and_a_reason_a_second_version() {
        let two =
            [package("syn", "2.0.0", None), package("syn", "3.0.0", None), package("url", "2.0.0", None)];
        let found = |list: &str| {
            let findings = check_duplicates(&two, "", list);
            findings.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(found("# Comment.\n\nsyn: the derives disagree\n"), [""; 0]);
        assert!(found("")[0].starts_with("Cargo.lock:1: `syn` is there as 2.0.0 and 3.0.0"));
        assert!(found("syn:\n")[0].starts_with("crates/xtask/duplicates.txt:1: an entry without reason"));
        assert!(found("syn: why\nurl: why\n")[0].contains("txt:2: `url` is there only once"));
    }
}
