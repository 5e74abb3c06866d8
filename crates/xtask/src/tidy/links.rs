//! Holds documents to the tree: what Markdown links to is there, and every
//! picture is shown by some document.
//!
//! Does not ask the web, nor look for headings.

use std::collections::BTreeSet;

use super::{File, Finding};

/// Where pictures lie that documents show.
const PICTURES: &str = "docs/";

/// Checks every link of every document; `others` are the files that are no text.
pub fn check(files: &[File], others: &[String]) -> Vec<Finding> {
    let paths: BTreeSet<&str> =
        files.iter().map(|file| file.path.as_str()).chain(others.iter().map(String::as_str)).collect();
    let mut findings = Vec::new();
    let mut linked = BTreeSet::new();
    for file in files.iter().filter(|file| file.path.ends_with(".md")) {
        for (line, target) in links(&file.text) {
            let place = resolved(&file.path, &target);
            if !exists(&paths, &place) {
                let message = format!("links to `{target}`, which is not there, write it or mend the link");
                findings.push(Finding::new(&file.path, line, message));
            }
            linked.insert(place);
        }
    }
    for picture in others.iter().filter(|path| path.starts_with(PICTURES) && !linked.contains(*path)) {
        findings.push(Finding::new(picture, 1, "no document shows it, show it or remove it"));
    }
    findings
}

/// What a document links to within the project, each with its line. Code is no text, so what it holds is no link.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut in_block = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        }
        if in_block {
            continue;
        }
        let prose: String = line.split('`').step_by(2).collect();
        for rest in prose.split("](").skip(1) {
            let target = rest.split([')', ' ', '#']).next().unwrap_or_default();
            if !target.is_empty() && !target.contains(':') {
                found.push((index + 1, target.to_owned()));
            }
        }
    }
    found
}

/// The path from the project's root that a link in a document means.
fn resolved(document: &str, target: &str) -> String {
    let mut parts: Vec<&str> = document.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// Whether a file or a folder lies there.
fn exists(paths: &BTreeSet<&str>, place: &str) -> bool {
    let folder = format!("{place}/");
    paths.contains(place)
        || paths.range(folder.as_str()..).next().is_some_and(|path| path.starts_with(&folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let file = |path: &str, text: &str| File { path: path.to_owned(), text: text.to_owned() };
        let files = [file("docs/a.md", text), file("docs/deep/b.md", ""), file("README.md", "")];
        let others = ["docs/screens/x.png".to_owned(), "console/public/y.png".to_owned()];
        check(&files, &others).iter().map(ToString::to_string).collect()
    }

    const SHOWN: &str = "![x](screens/x.png)";

    #[test]
    fn what_is_there_may_be_linked_to() {
        for link in [
            "[b](deep/b.md)",
            "[`b`](deep/b.md#head)",
            "[folder](deep)",
            "[folder](deep/) and [up](../README.md)",
            "[here](#head)",
            "[web](https://example.com/x)",
            "`[x](y)`",
            "```\n[x](y)\n```",
        ] {
            assert_eq!(found(&format!("{SHOWN}\n{link}\n")), [""; 0], "{link}");
        }
    }

    #[test]
    fn what_is_not_there_is_found_with_its_line() {
        let text = format!("{SHOWN}\n\n[b](deep/c.md), [b](dee) and [b](../docs/a.md)");
        let found = found(&text);
        assert_eq!(found.len(), 2, "{found:#?}");
        assert!(found[0].starts_with("docs/a.md:3: links to `deep/c.md`"), "{found:#?}");
        assert!(found[1].contains("`dee`"), "{found:#?}");
    }

    #[test]
    fn a_picture_that_nobody_shows_is_found() {
        assert_eq!(found("nothing"), ["docs/screens/x.png:1: no document shows it, show it or remove it"]);
    }
}
