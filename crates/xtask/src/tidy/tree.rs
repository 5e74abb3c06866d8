//! Rules for every text file: no machine's paths, no registry's hosts, no marker
//! words, and lines of prose that fit.
//!
//! Does not judge Rust code as code; comments are prose and are read here.

use super::code::Code;
use super::{File, Finding};

/// Columns of prose, in Markdown and in comments.
const PROSE_COLUMNS_MAX: usize = 120;

/// Words that say that something is not finished.
const MARKERS: [&str; 4] = ["TODO", "FIXME", "XXX", "HACK"];

/// Hosts that serve packages, in two halves so that this file names none.
const REGISTRIES: [(&str, &str); 10] = [
    ("registry.", "npmjs.org"),
    ("registry.", "yarnpkg.com"),
    ("index.", "crates.io"),
    ("static.", "crates.io"),
    ("pypi.", "org"),
    ("files.", "pythonhosted.org"),
    ("deb.", "debian.org"),
    ("proxy.", "golang.org"),
    ("repo1.", "maven.org"),
    ("repo.", "maven.apache.org"),
];

/// Settings that point a package tool at some other host.
const REDIRECTS: [(&str, &str); 4] =
    [("[source.", ""), ("\"resolved\":", ""), ("replace-", "with ="), ("index", "-url")];

/// Where machines keep people's and projects' files, in two halves likewise.
const MACHINE_PATHS: [(&str, &str); 5] =
    [("/ro", "ot/"), ("/ho", "me/"), ("/Use", "rs/"), ("/wo", "rk/"), ("/tm", "p/wt/")];

/// Kinds of files whose comments are checked for marker words, with what opens
/// a comment there. Rust is parsed instead.
const COMMENTS: [(&str, &str); 12] = [
    (".sh", "#"),
    (".toml", "#"),
    (".yml", "#"),
    (".yaml", "#"),
    (".py", "#"),
    ("Makefile", "#"),
    (".ci/run", "#"),
    (".sql", "--"),
    (".ts", "//"),
    (".tsx", "//"),
    (".js", "//"),
    (".java", "//"),
];

/// Checks every file.
pub fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        findings.extend(check_places(file));
        findings.extend(check_markers(file));
        findings.extend(check_columns(file));
    }
    findings
}

fn check_places(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        for (start, end) in REGISTRIES {
            let host = format!("{start}{end}");
            if find_whole(line, &host) {
                let message = format!("names the registry `{host}`, leave the place to the package tool");
                findings.push(Finding::new(&file.path, index + 1, message));
            }
        }
        for (start, end) in REDIRECTS {
            let setting = format!("{start}{end}");
            if is_setting(&file.path) && line.trim_start().starts_with(&setting) {
                let message =
                    format!("`{setting}` points at a registry, leave the place to the package tool");
                findings.push(Finding::new(&file.path, index + 1, message));
            }
        }
        for (start, end) in MACHINE_PATHS {
            let path = format!("{start}{end}");
            if starts_path(line, &path) {
                let message =
                    format!("`{path}` is a place on one machine, use a path from the project's root");
                findings.push(Finding::new(&file.path, index + 1, message));
            }
        }
    }
    findings
}

/// True for files that tell package tools where to look.
fn is_setting(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    matches!(name, "package-lock.json" | "pip.conf" | "requirements.txt") || path == ".cargo/config.toml"
}

/// True when `host` stands in `line` and is not the end of a longer name.
fn find_whole(line: &str, host: &str) -> bool {
    line.match_indices(host)
        .any(|(place, _)| !line[..place].ends_with(|before: char| before.is_alphanumeric() || before == '-'))
}

/// True when `path` stands in `line` and begins there: inside an address it does not.
fn starts_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(place, _)| {
        !line[..place].ends_with(|before: char| before.is_alphanumeric() || "}._-*$".contains(before))
    })
}

fn check_markers(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, comment) in comments(file) {
        for marker in MARKERS {
            if has_marker(&comment, marker) {
                let message = format!("`{marker}` is left over, finish it or say why it is right as it is");
                findings.push(Finding::new(&file.path, index + 1, message));
            }
        }
    }
    findings
}

/// What a file says in comments, with the line's index.
fn comments(file: &File) -> Vec<(usize, String)> {
    if file.path.ends_with(".rs") {
        let Ok(code) = Code::parse(&file.text) else { return Vec::new() };
        return code.without_literals(&file.text).into_iter().enumerate().collect();
    }
    let Some((_, opening)) = COMMENTS.iter().find(|(ending, _)| file.path.ends_with(ending)) else {
        return Vec::new();
    };
    let lines = file.text.lines().enumerate();
    lines
        .filter_map(|(index, line)| {
            // The lines of a block comment begin with a star.
            let is_block = *opening == "//" && line.trim_start().starts_with(['*', '/']);
            let place = if is_block { 0 } else { line.find(opening)? };
            Some((index, line[place..].to_owned()))
        })
        .collect()
}

/// True when `marker` stands as a word of its own. In backticks it is spoken of,
/// and `XXX` marks only with a colon or first in a comment: it is a date pattern too.
fn has_marker(comment: &str, marker: &str) -> bool {
    comment.match_indices(marker).any(|(place, _)| {
        let (before, after) = (&comment[..place], &comment[place + marker.len()..]);
        let joins = |letter: char| letter.is_alphanumeric() || "_`'\"-".contains(letter);
        let is_word = !before.ends_with(joins) && !after.starts_with(joins);
        let is_first = before.trim_end().ends_with(['/', '#', '*', '!']);
        is_word && (marker != "XXX" || after.starts_with(':') || is_first)
    })
}

fn check_columns(file: &File) -> Vec<Finding> {
    let is_markdown = file.path.ends_with(".md");
    let is_rust = file.path.ends_with(".rs");
    if !is_markdown && !is_rust {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let mut in_block = false;
    for (index, line) in file.text.lines().enumerate() {
        let start = line.trim_start();
        if is_markdown && start.starts_with("```") {
            in_block = !in_block;
        }
        let is_prose = if is_rust { start.starts_with("//") } else { !in_block && !start.starts_with('|') };
        let columns = line.chars().count();
        if is_prose && columns > PROSE_COLUMNS_MAX && can_wrap(start) {
            let message = format!("has {columns} columns, wrap prose at {PROSE_COLUMNS_MAX}");
            findings.push(Finding::new(&file.path, index + 1, message));
        }
    }
    findings
}

/// False when a line is one long word after its bullet or comment sign, such as an
/// address.
fn can_wrap(line: &str) -> bool {
    let is_mark = |word: &&str| word.chars().any(char::is_alphanumeric);
    line.split_whitespace().filter(is_mark).count() > 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    fn lines(findings: Vec<Finding>) -> Vec<usize> {
        findings.into_iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn registries_are_not_named() {
        for (start, end) in REGISTRIES {
            let text = format!("good\n\"https://{start}{end}/a\"\n");
            assert_eq!(lines(check_places(&file("a.md", &text))), [2], "{end}");
            let longer = format!("my{start}{end}\n");
            assert_eq!(lines(check_places(&file("a.md", &longer))), [0; 0], "{end}");
        }
    }

    #[test]
    fn package_tools_are_not_redirected() {
        let (name, rest) = REDIRECTS[1];
        let text = format!("{{\n  {name}{rest} \"https://mirror.example/a.tgz\"\n}}\n");
        assert_eq!(lines(check_places(&file("tests/a/package-lock.json", &text))), [2]);
        assert_eq!(lines(check_places(&file("docs/a.md", &text))), [0; 0]);
        assert_eq!(lines(check_places(&file(".cargo/config.toml", "[alias]\n[source.mirror]\n"))), [2]);
    }

    #[test]
    fn places_on_a_machine_are_not_named() {
        for (start, end) in MACHINE_PATHS {
            let text = format!("see {start}{end}notes\n");
            assert_eq!(lines(check_places(&file("a.md", &text))), [1], "{end}");
            let address = format!("https://a.example{start}{end}notes\n");
            assert_eq!(lines(check_places(&file("a.md", &address))), [0; 0], "{end}");
        }
    }

    #[test]
    fn markers_are_found_in_comments() {
        for marker in MARKERS {
            let text = format!("//! Doc.\nfn a() {{}} // {marker}: later\n");
            assert_eq!(lines(check_markers(&file("a.rs", &text))), [2], "{marker}");
            let script = format!("echo\n# {marker} later\n");
            assert_eq!(lines(check_markers(&file("a.sh", &script))), [2], "{marker}");
            let typed = format!("/**\n * {marker}: later\n */\n");
            assert_eq!(lines(check_markers(&file("a.ts", &typed))), [2], "{marker}");
        }
    }

    #[test]
    fn markers_may_be_spoken_of() {
        let text = "//! Prints `XXX` and SSSXXX, and XXX is a zone.\nconst A: &str = \"TODO\"; // `FIXME` is a word.\n";
        assert_eq!(lines(check_markers(&file("a.rs", text))), [0; 0]);
        assert_eq!(lines(check_markers(&file("a.sh", "echo TODO\n"))), [0; 0]);
        assert_eq!(lines(check_markers(&file("a.ts", "const MY_TODO_LIST = 1; // TODOS\n"))), [0; 0]);
    }

    #[test]
    fn prose_wraps_and_tables_and_code_do_not() {
        let long = "word ".repeat(25);
        assert_eq!(lines(check_columns(&file("a.md", &format!("short\n{long}\n")))), [2]);
        assert_eq!(lines(check_columns(&file("a.md", &format!("| {long} |\n```\n{long}\n```\n")))), [0; 0]);
        assert_eq!(lines(check_columns(&file("a.rs", &format!("// {long}\n")))), [1]);
        assert_eq!(lines(check_columns(&file("a.rs", &format!("const A: &str = \"{long}\";\n")))), [0; 0]);
        let address = format!("- [a]: https://a.example/{}\n", "b".repeat(120));
        assert_eq!(lines(check_columns(&file("a.md", &address))), [0; 0]);
    }

    #[test]
    fn columns_are_letters_and_not_bytes() {
        let exact = format!("{}→→", "a b ".repeat(29) + "aa");
        assert_eq!(exact.chars().count(), PROSE_COLUMNS_MAX);
        assert_eq!(lines(check_columns(&file("a.md", &exact))), [0; 0]);
        assert_eq!(lines(check_columns(&file("a.md", &format!("{exact}→")))), [1]);
    }
}
