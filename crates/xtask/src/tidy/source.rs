//! Rules that read Rust: purity of `core`, who may ask the time, sizes, module
//! docs, SQL's place and marker words.
//!
//! Knows nothing of crates that import each other; that is `graph`.

use syn::UseTree;
use syn::visit::Visit;

use super::code::{Code, Kind, Token, find_words};
use super::{File, Finding};

/// Lines a function of `core` may have, from `fn` to its closing brace.
const CORE_FUNCTION_LINES_MAX: usize = 70;

/// Lines an HTTP handler may have: what is longer decides something.
const HANDLER_LINES_MAX: usize = 40;

/// Lines of code a file may have without its tests.
const FILE_LINES_MAX: usize = 800;

const CORE: &str = "crates/core/src/";
const HANDLERS: &str = "crates/turnstone/src/api";
const CLOCK: &str = "crates/engine/src/clock.rs";

/// Crates whose product code asks the engine's clock. The provider is a program
/// of its own and has its own clock; `core` may not ask at all.
const CLOCKED: [&str; 3] = ["crates/store/src/", "crates/engine/src/", "crates/turnstone/src/"];

/// Files that may measure how long something takes, because nothing that is stored or sent depends on it.
const STOPWATCHES: [&str; 1] = [
    // A commit group closes after a few milliseconds.
    "crates/store/src/sqlite/writer.rs",
];

/// What reads the time or draws chance.
const TIME_AND_CHANCE: [&[&str]; 5] = [
    &["Timestamp", "::", "now"],
    &["Zoned", "::", "now"],
    &["Instant", "::", "now"],
    &["SystemTime"],
    &["getrandom"],
];

/// What else has no place in `core`.
const IMPURE: [&[&str]; 6] = [
    &["println", "!"],
    &["eprintln", "!"],
    &["async", "fn"],
    &["async", "move"],
    &[".", "await"],
    &["unsafe"],
];

/// Modules of the standard library with no place in `core`.
const IMPURE_MODULES: [&str; 5] = ["std::fs", "std::net", "std::env", "std::process", "std::thread"];

/// Types whose `now` is forbidden; under another name the rule would not see it.
const CLOCK_TYPES: [&str; 3] = ["Timestamp", "Zoned", "Instant"];

/// Macros that say that something is not finished.
const UNFINISHED: [&str; 3] = ["todo", "unimplemented", "dbg"];

/// Checks every Rust file.
pub fn check(files: &[File]) -> Vec<Finding> {
    files.iter().filter(|file| file.path.ends_with(".rs")).flat_map(check_file).collect()
}

fn check_file(file: &File) -> Vec<Finding> {
    let code = match Code::parse(&file.text) {
        Ok(code) => code,
        Err((line, why)) => {
            return vec![Finding::new(&file.path, line, format!("is not Rust ({why}), make it compile"))];
        }
    };
    let mut findings = Vec::new();
    findings.extend(check_purity(&file.path, &code));
    findings.extend(check_clock(&file.path, &code));
    findings.extend(check_function_lengths(&file.path, &code));
    findings.extend(check_file_length(&file.path, &code));
    findings.extend(check_module_doc(&file.path, &code));
    findings.extend(check_sql(&file.path, &code));
    findings.extend(check_unfinished(&file.path, &code));
    findings
}

fn check_purity(path: &str, code: &Code) -> Vec<Finding> {
    if !path.starts_with(CORE) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for words in TIME_AND_CHANCE.iter().chain(&IMPURE) {
        for line in find_words(code.product(), words) {
            let spelled = spell_words(words);
            findings.push(Finding::new(
                path,
                line,
                format!("`{spelled}` in core, take the value as an argument or do it in engine"),
            ));
        }
    }
    for module in IMPURE_MODULES {
        let mut lines = find_words(code.product(), &path_words(module));
        lines.extend(imports_of(code, module));
        lines.sort_unstable();
        lines.dedup();
        for line in lines {
            findings.push(Finding::new(path, line, format!("`{module}` in core, do IO in engine or store")));
        }
    }
    findings.extend(check_renamed_clocks(path, code));
    findings
}

fn check_clock(path: &str, code: &Code) -> Vec<Finding> {
    if path == CLOCK || !CLOCKED.iter().any(|start| path.starts_with(start)) {
        return Vec::new();
    }
    let mut findings = check_renamed_clocks(path, code);
    for words in TIME_AND_CHANCE {
        let spelled = spell_words(words);
        if STOPWATCHES.contains(&path) && spelled == "Instant::now" {
            continue;
        }
        for line in find_words(code.product(), words) {
            findings.push(Finding::new(
                path,
                line,
                format!("`{spelled}` outside {CLOCK}, ask the engine's clock"),
            ));
        }
    }
    findings
}

fn check_renamed_clocks(path: &str, code: &Code) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in CLOCK_TYPES {
        for line in find_words(code.product(), &[name, "as"]) {
            findings.push(Finding::new(
                path,
                line,
                format!("`{name}` under another name hides its `now`, import it as it is"),
            ));
        }
    }
    findings
}

fn check_function_lengths(path: &str, code: &Code) -> Vec<Finding> {
    let in_core = path.starts_with(CORE);
    let in_handlers = path.starts_with(HANDLERS);
    if !in_core && !in_handlers {
        return Vec::new();
    }
    let mut functions = Functions { found: Vec::new() };
    functions.visit_file(&code.syntax);
    let mut findings = Vec::new();
    for function in functions.found {
        let max = if in_handlers && function.is_async { HANDLER_LINES_MAX } else { CORE_FUNCTION_LINES_MAX };
        if function.lines > max {
            let Function { name, lines, line, .. } = function;
            findings.push(Finding::new(
                path,
                line,
                format!("`{name}` has {lines} lines, split it so that each part has at most {max}"),
            ));
        }
    }
    findings
}

fn check_file_length(path: &str, code: &Code) -> Vec<Finding> {
    let lines = code.product_lines();
    if !is_product(path) || lines <= FILE_LINES_MAX {
        return Vec::new();
    }
    vec![Finding::new(
        path,
        1,
        format!(
            "has {lines} lines of code without its tests, give its rooms files of at most {FILE_LINES_MAX}"
        ),
    )]
}

fn check_module_doc(path: &str, code: &Code) -> Vec<Finding> {
    let opens_with_doc = code.syntax.attrs.iter().any(|attribute| {
        matches!(attribute.style, syn::AttrStyle::Inner(_)) && attribute.path().is_ident("doc")
    });
    if opens_with_doc || !(is_product(path) || is_test_root(path)) {
        return Vec::new();
    }
    vec![Finding::new(path, 1, "has no module doc, open with `//!`: why it exists and what is not in it")]
}

fn check_sql(path: &str, code: &Code) -> Vec<Finding> {
    let is_free = path.starts_with("crates/store/")
        || path.starts_with("crates/xtask/")
        || path.split('/').any(|part| part == "benches");
    if is_free {
        return Vec::new();
    }
    let literals = code.tokens.iter().filter(|token| token.kind == Kind::Literal);
    literals
        .filter(|token| string_of(token).is_some_and(|text| is_sql(&text)))
        .map(|token| Finding::new(path, token.line, "SQL outside crates/store, add a verb to the store"))
        .collect()
}

fn check_unfinished(path: &str, code: &Code) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in UNFINISHED {
        for line in find_words(code.tokens.iter(), &[name, "!"]) {
            findings.push(Finding::new(path, line, format!("`{name}!` is left over, finish it")));
        }
    }
    for line in find_words(code.tokens.iter(), &["#", "[", "ignore"]) {
        findings.push(Finding::new(path, line, "a test that never runs, repair or delete it"));
    }
    findings
}

/// A function's place and size.
struct Function {
    name: String,
    line: usize,
    lines: usize,
    is_async: bool,
}

/// Collects functions, leaving out tests.
struct Functions {
    found: Vec<Function>,
}

impl Functions {
    fn add(&mut self, signature: &syn::Signature, body: &syn::Block) {
        let line = signature.fn_token.span.start().line;
        let end = body.brace_token.span.close().end().line;
        self.found.push(Function {
            name: signature.ident.to_string(),
            line,
            lines: end + 1 - line,
            is_async: signature.asyncness.is_some(),
        });
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test_item(&item.attrs) {
            syn::visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !is_test_item(&item.attrs) {
            self.add(&item.sig, &item.block);
            syn::visit::visit_item_fn(self, item);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        if !is_test_item(&item.attrs) {
            syn::visit::visit_item_impl(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !is_test_item(&item.attrs) {
            self.add(&item.sig, &item.block);
            syn::visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(body) = &item.default {
            self.add(&item.sig, body);
        }
        syn::visit::visit_trait_item_fn(self, item);
    }
}

/// True for `#[test]` and `#[cfg(test)]`.
fn is_test_item(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg")
                && attribute.parse_args::<syn::Ident>().is_ok_and(|word| word == "test")
    })
}

/// Lines of imports of `module` that its spelling does not show: `use std::{fs, net}`.
fn imports_of(code: &Code, module: &str) -> Vec<usize> {
    let mut imports = Imports { found: Vec::new() };
    imports.visit_file(&code.syntax);
    let starts = |path: &str| path == module || path.starts_with(&format!("{module}::"));
    imports.found.iter().filter(|(path, _)| starts(path)).map(|(_, line)| *line).collect()
}

/// Collects what `use` names, one path for each leaf, with its line.
struct Imports {
    found: Vec<(String, usize)>,
}

impl<'ast> Visit<'ast> for Imports {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test_item(&item.attrs) {
            syn::visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !is_test_item(&item.attrs) {
            self.add("", &item.tree);
        }
    }
}

impl Imports {
    fn add(&mut self, prefix: &str, tree: &UseTree) {
        let join = |name: &syn::Ident| {
            if prefix.is_empty() { name.to_string() } else { format!("{prefix}::{name}") }
        };
        match tree {
            UseTree::Path(path) => self.add(&join(&path.ident), &path.tree),
            UseTree::Name(name) => self.found.push((join(&name.ident), name.ident.span().start().line)),
            UseTree::Rename(name) => self.found.push((join(&name.ident), name.ident.span().start().line)),
            UseTree::Glob(glob) => {
                self.found.push((format!("{prefix}::*"), glob.star_token.spans[0].start().line));
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.add(prefix, tree)),
        }
    }
}

fn is_product(path: &str) -> bool {
    path.starts_with("crates/") && path.split('/').nth(2) == Some("src")
}

/// The file that an integration test or a bench starts from.
fn is_test_root(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        ["crates", _, "tests" | "benches", _] => true,
        ["crates", _, "tests" | "benches", _, file] => *file == "main.rs",
        _ => false,
    }
}

fn string_of(token: &Token) -> Option<String> {
    match syn::parse_str::<syn::Lit>(&token.text).ok()? {
        syn::Lit::Str(text) => Some(text.value()),
        _ => None,
    }
}

/// True for text that a database would take. A sentence that merely begins with
/// such a word ("Select a connector") is not.
fn is_sql(text: &str) -> bool {
    let text = text.to_lowercase();
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.as_slice() {
        ["select", next, rest @ ..] => {
            rest.contains(&"from") || next.contains('(') || next.parse::<f64>().is_ok()
        }
        ["insert" | "replace", "into", _, ..] | ["insert", "or", _, ..] | ["delete", "from", _, ..] => true,
        ["update", _, "set", rest @ ..] => rest.iter().any(|word| word.contains('=')),
        ["update", "or", _, ..] => true,
        ["create" | "drop" | "alter", "table" | "index" | "view" | "trigger", _, ..] => true,
        ["create", "unique", "index", _, ..] | ["create", "temp" | "temporary", "table", _, ..] => true,
        ["with", _, "as", next, ..] => next.starts_with('('),
        ["with", "recursive", _, ..] | ["pragma", _, ..] => true,
        _ => false,
    }
}

fn path_words(path: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for part in path.split("::") {
        if !words.is_empty() {
            words.push("::");
        }
        words.push(part);
    }
    words
}

fn spell_words(words: &[&str]) -> String {
    let text = words.join(" ");
    text.replace(" :: ", "::").replace(" !", "!").replace(". ", ".")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines found in `text` at `path`, with the start of each message.
    fn check(path: &str, text: &str, expected: &[(usize, &str)]) {
        let found = check_file(&File { path: path.to_owned(), text: text.to_owned() });
        assert_eq!(found.len(), expected.len(), "{path}\n{text}\n{found:#?}");
        for (finding, (line, message)) in found.iter().zip(expected) {
            assert_eq!(finding.line, *line, "{finding}");
            assert!(finding.message.contains(message), "{finding}");
        }
    }

    #[test]
    fn core_reads_no_clock_and_does_no_io() {
        let path = "crates/core/src/a.rs";
        let planted = [
            ("let t = jiff::Timestamp::now();", "`Timestamp::now` in core"),
            ("let t = Zoned::now();", "`Zoned::now` in core"),
            ("let t = std::time::SystemTime::UNIX_EPOCH;", "`SystemTime` in core"),
            ("let t = dbgless!(Instant::now());", "`Instant::now` in core"),
            ("getrandom::fill(&mut bytes)?;", "`getrandom` in core"),
            ("let t = std::fs::read(path);", "`std::fs` in core"),
            ("use std::{collections::BTreeMap, net};", "`std::net` in core"),
            ("std::thread::sleep(pause);", "`std::thread` in core"),
            ("println!(\"x\");", "`println!` in core"),
            ("eprintln!(\"x\");", "`eprintln!` in core"),
            ("async fn b() {}", "`async fn` in core"),
            ("c.await;", "`.await` in core"),
            ("unsafe { c() }", "`unsafe` in core"),
            ("use jiff::Timestamp as Stamp;", "hides its `now`"),
        ];
        for (line, message) in planted {
            check(path, &format!("//! Doc.\nfn a() {{\n    {line}\n}}\n"), &[(3, message)]);
        }
    }

    #[test]
    fn core_may_speak_of_clocks_and_test_with_files() {
        let text = "//! Never calls `Timestamp::now`.\n// std::fs is absent.\nfn a(now: Timestamp) {}\n\
                    #[cfg(test)]\nmod tests { use std::fs; fn b() { Instant::now(); println!(\"x\"); } }\n";
        check("crates/core/src/a.rs", text, &[]);
    }

    #[test]
    fn only_the_engines_clock_reads_the_time() {
        let text = "//! Doc.\nfn a() {\n    Timestamp::now();\n    getrandom::fill(x);\n}\n";
        let both: &[(usize, &str)] = &[(3, "`Timestamp::now` outside"), (4, "`getrandom` outside")];
        check("crates/engine/src/poller.rs", text, both);
        check("crates/store/src/lib.rs", text, both);
        check("crates/turnstone/src/api/run.rs", text, both);
        check("crates/engine/src/clock.rs", text, &[]);
        check("crates/provider/src/clock.rs", text, &[]);
        check("crates/engine/tests/sim.rs", text, &[]);
    }

    #[test]
    fn functions_have_an_end() {
        let body = |start: &str, lines: usize| {
            format!("//! Doc.\n{start} {{\n{}}}\n", "    b();\n".repeat(lines.saturating_sub(2)))
        };
        let core = "crates/core/src/a.rs";
        check(core, &body("fn a()", 70), &[]);
        check(core, &body("fn a()", 71), &[(2, "`a` has 71 lines")]);
        check(core, &body("#[cfg(test)] fn a()", 71), &[]);
        let method = format!("//! Doc.\nimpl A {{\nfn a() {{\n{}}}\n}}\n", "    b();\n".repeat(69));
        check(core, &method, &[(3, "`a` has 71 lines")]);
        let handler = "crates/turnstone/src/api/run.rs";
        check(handler, &body("async fn a()", 40), &[]);
        check(handler, &body("async fn a()", 41), &[(2, "at most 40")]);
        check(handler, &body("fn a()", 70), &[]);
        check(handler, &body("fn a()", 71), &[(2, "at most 70")]);
        check("crates/engine/src/a.rs", &body("fn a()", 100), &[]);
    }

    #[test]
    fn files_have_an_end_that_tests_do_not_bring_nearer() {
        let text = |lines: usize| format!("//! Doc.\n{}", "struct A;\n".repeat(lines));
        let path = "crates/engine/src/a.rs";
        check(path, &text(800), &[]);
        check(path, &text(801), &[(1, "has 801 lines of code")]);
        let tests = format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", text(800), "struct A;\n".repeat(100));
        check(path, &tests, &[]);
    }

    #[test]
    fn modules_say_why_they_exist() {
        let silent = "fn a() {}\n";
        let missing: &[(usize, &str)] = &[(1, "has no module doc")];
        check("crates/store/src/a.rs", silent, missing);
        check("crates/store/tests/suite.rs", silent, missing);
        check("crates/engine/tests/sim/main.rs", silent, missing);
        check("crates/engine/tests/sim/oracle.rs", silent, &[]);
        check("crates/store/src/a.rs", "/// Of the function only.\nfn a() {}\n", missing);
        check("crates/store/src/a.rs", "//! Why.\nfn a() {}\n", &[]);
    }

    #[test]
    fn sql_lives_in_the_store() {
        let planted = [
            "select id from event",
            "SELECT count(*)\nFROM event",
            "insert into event values (?1)",
            "insert or ignore into event values (1)",
            "update event set seen = 1",
            "delete from event",
            "create table event (id integer)",
            "create unique index a on b (c)",
            "with due as (select 1) select 2",
            "pragma journal_mode = wal",
        ];
        for sql in planted {
            let text = format!("//! Doc.\nfn a() {{\n    b!({sql:?});\n}}\n");
            check("crates/engine/src/a.rs", &text, &[(3, "SQL outside")]);
            check("crates/turnstone/tests/api.rs", &text, &[(3, "SQL outside")]);
            check("crates/store/src/sqlite/a.rs", &text, &[]);
            check("crates/engine/benches/floor.rs", &text, &[]);
        }
        let sentences = [
            "Select a connector",
            "select",
            "update the settings",
            "update a set of rules",
            "create tables",
            "delete this",
            "with care as always",
        ];
        for sentence in sentences {
            let text = format!("//! Doc: select a from b.\nconst A: &str = {sentence:?};\n");
            check("crates/engine/src/a.rs", &text, &[]);
        }
    }

    #[test]
    fn nothing_is_left_unfinished() {
        let path = "crates/engine/src/a.rs";
        check(path, "//! Doc.\nfn a() { todo!() }\n", &[(2, "`todo!`")]);
        check(path, "//! Doc.\nfn a() { unimplemented!(\"b\") }\n", &[(2, "`unimplemented!`")]);
        check(path, "//! Doc.\n#[cfg(test)]\nfn a() { dbg!(b); }\n", &[(3, "`dbg!`")]);
        check(path, "//! Doc.\n#[test]\n#[ignore = \"slow\"]\nfn a() {}\n", &[(3, "never runs")]);
        check(path, "//! Doc: no `todo!()` here.\nfn todo() {}\n", &[]);
    }

    #[test]
    fn a_file_that_does_not_parse_is_a_finding() {
        check("crates/engine/src/a.rs", "//! Doc.\nfn {}\n", &[(2, "is not Rust")]);
    }
}
