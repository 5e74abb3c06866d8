//! Which crate may import which: the table of the design, as code.
//!
//! Reads `cargo metadata` for what is declared and the manifests for what metadata
//! leaves out (the lints). Looks at direct dependencies only: what those bring
//! along is the matter of `licences`.

use anyhow::{Context, Result};
use serde_json::Value;

use super::{File, Finding, line_where};

/// Third-party crates a crate may declare.
enum Allowed {
    /// These and no others.
    Only(&'static [&'static str]),
    /// All but these.
    Not(&'static [&'static str]),
}

/// What one of our crates may import.
struct Rule {
    name: &'static str,
    ours: &'static [&'static str],
    /// Ours for its tests, beyond `ours`.
    ours_in_tests: &'static [&'static str],
    others: Allowed,
    /// Third-party crates for its tests, beyond `others`; matters with `Only`.
    others_in_tests: &'static [&'static str],
}

/// Every crate of the workspace has a row: a new one is a decision.
const RULES: &[Rule] = &[
    Rule {
        name: "turnstone-core",
        ours: &[],
        ours_in_tests: &[],
        others: Allowed::Only(&[
            "base64",
            "croner",
            "hmac",
            "indexmap",
            "jiff",
            "md-5",
            "regex",
            "serde",
            "serde_json",
            "sha1",
            "sha2",
            "thiserror",
            "twox-hash",
            "url",
        ]),
        others_in_tests: &["boon", "proptest", "serde-saphyr"],
    },
    Rule {
        name: "turnstone-store",
        ours: &["turnstone-core"],
        ours_in_tests: &[],
        others: Allowed::Not(&[
            "axum",
            "boa_engine",
            "clap",
            "http",
            "hyper",
            "hyper-util",
            "reqwest",
            "rquickjs",
            "tower",
            "tower-http",
        ]),
        others_in_tests: &[],
    },
    Rule {
        name: "turnstone-engine",
        ours: &["turnstone-core", "turnstone-store"],
        ours_in_tests: &["turnstone-provider"],
        others: Allowed::Not(&["axum", "clap", "rusqlite", "sqlx", "tokio-postgres", "deadpool-postgres"]),
        others_in_tests: &[],
    },
    Rule {
        name: "turnstone",
        ours: &["turnstone-core", "turnstone-store", "turnstone-engine", "turnstone-provider"],
        ours_in_tests: &[],
        others: Allowed::Not(&["rusqlite", "sqlx", "tokio-postgres", "deadpool-postgres", "rquickjs"]),
        // The benchmark's floor writes its rows without our store.
        others_in_tests: &["rusqlite"],
    },
    Rule {
        name: "turnstone-provider",
        ours: &[],
        ours_in_tests: &[],
        others: Allowed::Only(&[
            "axum",
            "base64",
            "bytes",
            "futures-util",
            "hex",
            "hmac",
            "http",
            "http-body-util",
            "hyper",
            "hyper-util",
            "jiff",
            "serde",
            "serde_json",
            "sha2",
            "subtle",
            "tokio",
            "tower",
        ]),
        others_in_tests: &["proptest", "reqwest", "tempfile"],
    },
    Rule {
        name: "xtask",
        ours: &[],
        ours_in_tests: &[],
        others: Allowed::Only(&["anyhow", "proc-macro2", "serde_json", "syn"]),
        others_in_tests: &[],
    },
];

/// Checks imports, version requirements and lints of every workspace crate.
pub fn check(metadata: &Value, files: &[File]) -> Result<Vec<Finding>> {
    let root = metadata["workspace_root"].as_str().context("metadata has no workspace_root")?;
    let members = metadata["workspace_members"].as_array().context("metadata has no workspace_members")?;
    let packages = metadata["packages"].as_array().context("metadata has no packages")?;
    let mut findings = Vec::new();
    let is_member = |package: &&Value| members.contains(&package["id"]);
    let ours: Vec<&str> =
        packages.iter().filter(is_member).filter_map(|package| package["name"].as_str()).collect();
    for package in packages.iter().filter(is_member) {
        let manifest = package["manifest_path"].as_str().context("a package has no manifest_path")?;
        let path = manifest.strip_prefix(root).unwrap_or(manifest).trim_start_matches('/');
        let text = files.iter().find(|file| file.path == path).map_or("", |file| file.text.as_str());
        findings.extend(check_crate(package, path, text, &ours)?);
    }
    findings.extend(check_workspace_lints(files));
    Ok(findings)
}

fn check_crate(package: &Value, path: &str, manifest: &str, ours: &[&str]) -> Result<Vec<Finding>> {
    let name = package["name"].as_str().context("a package has no name")?;
    let mut findings = Vec::new();
    if !section(manifest, "[lints]").any(|line| line == "workspace=true") {
        findings.push(Finding::new(
            path,
            1,
            "does not inherit the lints, add `[lints]` with `workspace = true`",
        ));
    }
    let Some(rule) = RULES.iter().find(|rule| rule.name == name) else {
        findings.push(Finding::new(
            path,
            1,
            format!("crate `{name}` has no row in the import table, decide in xtask's tidy/graph.rs what it may import"),
        ));
        return Ok(findings);
    };
    for dependency in package["dependencies"].as_array().context("a package has no dependencies")? {
        let imported = dependency["name"].as_str().context("a dependency has no name")?;
        let spelled = dependency["rename"].as_str().unwrap_or(imported);
        let in_tests = dependency["kind"].as_str() == Some("dev");
        let line = dependency_line(manifest, spelled);
        if let Some(message) = refuse(rule, imported, in_tests, ours.contains(&imported)) {
            findings.push(Finding::new(path, line, message));
        }
        let is_local = dependency["path"].is_string();
        if !is_local && dependency["req"].as_str() == Some("*") {
            findings.push(Finding::new(path, line, format!("`{imported}` in any version, name one")));
        }
    }
    Ok(findings)
}

/// Says why `rule` forbids an import; `None` when it does not.
fn refuse(rule: &Rule, imported: &str, in_tests: bool, is_ours: bool) -> Option<String> {
    let name = rule.name;
    if is_ours {
        let allowed = rule.ours.contains(&imported) || in_tests && rule.ours_in_tests.contains(&imported);
        let may = if rule.ours.is_empty() { "none of ours".to_owned() } else { rule.ours.join(", ") };
        return (!allowed).then(|| format!("`{name}` imports `{imported}`, it may import {may}"));
    }
    if in_tests && rule.others_in_tests.contains(&imported) {
        return None;
    }
    match rule.others {
        Allowed::Only(names) if !names.contains(&imported) => {
            let tests = if rule.others_in_tests.is_empty() {
                String::new()
            } else {
                format!(" (for tests also {})", rule.others_in_tests.join(", "))
            };
            Some(format!("`{name}` imports `{imported}`, it may import only {}{tests}", names.join(", ")))
        }
        Allowed::Not(names) if names.contains(&imported) => {
            Some(format!("`{name}` imports `{imported}`, which the design keeps out of it; move the code"))
        }
        Allowed::Only(_) | Allowed::Not(_) => None,
    }
}

fn check_workspace_lints(files: &[File]) -> Option<Finding> {
    let manifest = files.iter().find(|file| file.path == "Cargo.toml")?;
    let forbids =
        section(&manifest.text, "[workspace.lints.rust]").any(|line| line == "unsafe_code=\"forbid\"");
    (!forbids).then(|| {
        Finding::new(
            "Cargo.toml",
            1,
            "allows unsafe code, put `unsafe_code = \"forbid\"` in [workspace.lints.rust]",
        )
    })
}

/// The lines of a manifest's section without spaces and comments.
fn section<'a>(manifest: &'a str, heading: &'a str) -> impl Iterator<Item = String> + 'a {
    manifest
        .lines()
        .skip_while(move |line| line.trim() != heading)
        .skip(1)
        .take_while(|line| !line.trim_start().starts_with('['))
        .map(|line| line.split('#').next().unwrap_or_default().split_whitespace().collect())
}

fn dependency_line(manifest: &str, name: &str) -> usize {
    line_where(manifest, |line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['.', ' ', '='])))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const LINTS: &str = "[lints]\nworkspace = true\n";

    fn messages(name: &str, manifest: &str, dependencies: Value) -> Vec<String> {
        let package = json!({ "name": name, "dependencies": dependencies });
        let ours = ["turnstone-core", "turnstone-store", "turnstone-engine", "turnstone-provider"];
        let findings = check_crate(&package, "crates/x/Cargo.toml", manifest, &ours).unwrap();
        findings.iter().map(ToString::to_string).collect()
    }

    fn refused(name: &str, imported: &str, kind: Value) -> bool {
        let is_ours = imported.starts_with("turnstone-");
        let dependency =
            json!([{ "name": imported, "kind": kind, "req": "^1", "path": is_ours.then_some("crates/y") }]);
        !messages(name, LINTS, dependency).is_empty()
    }

    #[test]
    fn imports_go_one_way() {
        let cases = [
            ("turnstone-core", "serde", false),
            ("turnstone-core", "tokio", true),
            ("turnstone-core", "turnstone-store", true),
            ("turnstone-store", "turnstone-core", false),
            ("turnstone-store", "turnstone-engine", true),
            ("turnstone-store", "rusqlite", false),
            ("turnstone-store", "reqwest", true),
            ("turnstone-engine", "turnstone-store", false),
            ("turnstone-engine", "axum", true),
            ("turnstone-engine", "turnstone-provider", true),
            ("turnstone", "turnstone-provider", false),
            ("turnstone", "rusqlite", true),
            ("turnstone-provider", "turnstone-core", true),
            ("turnstone-provider", "axum", false),
            ("xtask", "turnstone-core", true),
            ("xtask", "tokio", true),
        ];
        for (name, imported, expected) in cases {
            assert_eq!(refused(name, imported, Value::Null), expected, "{name} imports {imported}");
        }
    }

    #[test]
    fn tests_may_import_a_little_more() {
        assert!(!refused("turnstone-core", "proptest", json!("dev")));
        assert!(refused("turnstone-core", "proptest", Value::Null));
        assert!(refused("turnstone-core", "tokio", json!("dev")));
        assert!(!refused("turnstone-engine", "turnstone-provider", json!("dev")));
        assert!(refused("turnstone-provider", "turnstone-core", json!("dev")));
    }

    #[test]
    fn a_finding_names_the_line_of_the_manifest() {
        let manifest =
            "[lints]\nworkspace = true\n[dependencies]\ntokio-util = \"1\"\ntokio.workspace = true\n";
        let found =
            messages("turnstone-core", manifest, json!([{ "name": "tokio", "kind": null, "req": "^1" }]));
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("crates/x/Cargo.toml:5: `turnstone-core` imports `tokio`"), "{found:?}");
    }

    #[test]
    fn a_crate_inherits_the_lints() {
        assert!(messages("xtask", LINTS, json!([])).is_empty());
        assert!(
            messages("xtask", "[lints]\n# workspace = true\n[a]\nworkspace = true\n", json!([])).len() == 1
        );
    }

    #[test]
    fn a_new_crate_needs_a_row() {
        assert!(messages("turnstone-extra", LINTS, json!([]))[0].contains("has no row"));
    }

    #[test]
    fn any_version_is_refused_and_any_version_of_ours_is_not() {
        let star = |path| json!([{ "name": "serde", "kind": null, "req": "*", "path": path }]);
        assert!(messages("turnstone-core", LINTS, star(Value::Null))[0].contains("in any version"));
        assert!(messages("turnstone-core", LINTS, star(json!("crates/serde"))).is_empty());
    }

    #[test]
    fn the_workspace_forbids_unsafe() {
        let check = |text: &str| {
            check_workspace_lints(&[File { path: "Cargo.toml".to_owned(), text: text.to_owned() }]).is_none()
        };
        assert!(check("[workspace.lints.rust]\nunsafe_code = \"forbid\"\n"));
        assert!(!check("[workspace.lints.rust]\nunsafe_code = \"deny\"\n"));
        assert!(!check("[workspace.lints.clippy]\nunsafe_code = \"forbid\"\n"));
    }

    #[test]
    fn members_are_found_in_metadata() {
        let metadata = json!({
            "workspace_root": "/w",
            "workspace_members": ["core", "provider"],
            "packages": [
                { "id": "core", "name": "turnstone-core", "manifest_path": "/w/crates/core/Cargo.toml",
                  "dependencies": [] },
                { "id": "provider", "name": "turnstone-provider", "manifest_path": "/w/crates/provider/Cargo.toml",
                  "dependencies": [{ "name": "turnstone-core", "kind": null, "req": "*", "path": "/w/crates/core" }] },
                { "id": "other", "name": "other", "manifest_path": "/elsewhere/Cargo.toml", "dependencies": [] },
            ],
        });
        let file = |path: &str| File { path: path.to_owned(), text: LINTS.to_owned() };
        let found =
            check(&metadata, &[file("crates/core/Cargo.toml"), file("crates/provider/Cargo.toml")]).unwrap();
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(
            found[0].to_string().starts_with("crates/provider/Cargo.toml:1: `turnstone-provider` imports")
        );
    }
}
