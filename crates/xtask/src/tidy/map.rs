//! Holds ARCHITECTURE.md to the truth: it names every crate and every module of
//! `core`.
//!
//! Does not judge what is said about them, nor names that no longer exist.

use std::collections::BTreeSet;

use super::{File, Finding};

const MAP: &str = "ARCHITECTURE.md";
const CORE: &str = "crates/core/src/";

/// Checks that the map exists and misses nothing.
pub fn check(files: &[File]) -> Vec<Finding> {
    let Some(map) = files.iter().find(|file| file.path == MAP) else {
        return vec![Finding::new(MAP, 1, "is missing, write the map of the crates and of core's modules")];
    };
    let named = names(&map.text);
    let mut findings = Vec::new();
    for name in crates(files) {
        if !named.contains(&name) && !named.contains(&format!("crates/{name}")) {
            findings.push(Finding::new(MAP, 1, format!("does not name crate `{name}`, say what it is for")));
        }
    }
    for module in files.iter().filter_map(|file| module_of(&file.path)) {
        if !named.contains(&module) {
            findings.push(Finding::new(
                MAP,
                1,
                format!("does not name core's module `{module}`, say what it is for"),
            ));
        }
    }
    findings
}

/// The folders in `crates/` that hold a manifest.
fn crates(files: &[File]) -> BTreeSet<String> {
    let manifests = files.iter().filter_map(|file| file.path.strip_prefix("crates/"));
    manifests
        .filter_map(|path| path.strip_suffix("/Cargo.toml"))
        .filter(|name| !name.contains('/'))
        .map(str::to_owned)
        .collect()
}

/// `crates/core/src/date/zone.rs` is `date/zone`; `date/mod.rs` is `date`.
fn module_of(path: &str) -> Option<String> {
    let module = path.strip_prefix(CORE)?.strip_suffix(".rs")?;
    let module = module.strip_suffix("/mod").unwrap_or(module);
    (module != "lib").then(|| module.to_owned())
}

/// Everything the document writes as code, as module paths: `date::zone`,
/// `date/zone.rs`, `crates/core/src/date/zone.rs` and `date/{zone,parse}` all name
/// `date/zone`.
fn names(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut in_block = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if in_block {
            line.split_whitespace().for_each(|word| add(&mut names, word));
        } else {
            line.split('`').skip(1).step_by(2).for_each(|word| add(&mut names, word));
        }
    }
    names
}

fn add(names: &mut BTreeSet<String>, word: &str) {
    let path = word.trim_end_matches([',', ';', '/']).replace("::", "/");
    let path = path.strip_prefix(CORE).or_else(|| path.strip_prefix("core/")).unwrap_or(&path);
    let path = path.strip_suffix(".rs").unwrap_or(path);
    match path.split_once('{').and_then(|(start, rest)| Some((start, rest.strip_suffix('}')?))) {
        Some((start, choices)) => {
            names.insert(start.trim_end_matches('/').to_owned());
            names.extend(choices.split(',').map(|choice| format!("{start}{}", choice.trim())));
        }
        None => {
            names.insert(path.strip_suffix("/mod").unwrap_or(path).to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(map: Option<&str>) -> Vec<String> {
        let paths = [
            "crates/core/Cargo.toml",
            "crates/core/src/lib.rs",
            "crates/core/src/date/mod.rs",
            "crates/core/src/date/zone.rs",
            "crates/store/Cargo.toml",
            "crates/store/src/lib.rs",
        ];
        let mut files: Vec<File> =
            paths.iter().map(|path| File { path: (*path).to_owned(), text: String::new() }).collect();
        files.extend(map.map(|text| File { path: MAP.to_owned(), text: text.to_owned() }));
        check(&files).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn a_missing_map_is_a_finding() {
        assert!(messages(None)[0].starts_with("is missing"));
    }

    #[test]
    fn a_map_may_name_modules_in_many_ways() {
        let maps = [
            "`core`, `store`, `date`, `date::zone`",
            "`crates/core`, `crates/store/`, `date/{parse,zone}`",
            "```\ncrates/core  crates/store\n  date/zone.rs, date/mod.rs\n```\n",
            "`core`, `store`, `crates/core/src/date/mod.rs`, `core::date::zone`",
        ];
        for map in maps {
            assert_eq!(messages(Some(map)), [""; 0], "{map}");
        }
    }

    #[test]
    fn what_the_map_leaves_out_is_found() {
        let found = messages(Some("The core and the store. `core` `date`"));
        assert_eq!(found.len(), 2, "{found:#?}");
        assert!(found[0].contains("crate `store`"));
        assert!(found[1].contains("module `date/zone`"));
    }
}
