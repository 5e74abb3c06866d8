//! Messages on standard error, and tables and colours for people.
//!
//! Not here: results. They go to standard output, each command in its own form.

use std::io::{IsTerminal, Write};

use serde_json::json;
use turnstone_core::json_text;

use super::Failure;

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How a word is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// Wrong.
    Bad,
    /// Worth a look.
    Warn,
    /// Right.
    Good,
    /// The thing itself.
    Strong,
    /// Less important.
    Faint,
}

/// Where messages go, and how.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    stdout_colors: bool,
    stderr_colors: bool,
    json: bool,
    quiet: bool,
}

impl Output {
    pub(crate) fn new(color: Color, json: bool, quiet: bool) -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let colors = |terminal: bool| match color {
            Color::Auto => terminal && !plain,
            Color::Always => true,
            Color::Never => false,
        };
        Output {
            stdout_colors: colors(std::io::stdout().is_terminal()),
            stderr_colors: colors(std::io::stderr().is_terminal()) && !json,
            json,
            quiet,
        }
    }

    /// Whether standard output has colours.
    pub(crate) fn has_colors(&self) -> bool {
        self.stdout_colors
    }

    /// Whether messages are lines of JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Whether only what went wrong is said.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// What happens.
    pub(crate) fn note(&self, message: &str) {
        if !self.quiet {
            self.say("note", Style::Faint, message);
        }
    }

    /// What may surprise.
    pub(crate) fn warn(&self, message: &str) {
        if !self.quiet {
            self.say("warning", Style::Warn, message);
        }
    }

    /// What went wrong.
    pub(crate) fn error(&self, message: &str) {
        self.say("error", Style::Bad, message);
    }

    fn say(&self, level: &str, style: Style, message: &str) {
        let line = if self.json {
            json!({"level": level, "message": message}).to_string()
        } else {
            format!("{}: {message}", paint(self.stderr_colors, style, level))
        };
        // Nobody is left to tell when standard error is closed.
        let _ = writeln!(std::io::stderr().lock(), "{line}");
    }

    /// A result, for standard output. A reader that has seen enough (`head`) is no failure.
    pub(crate) fn result(&self, text: &str) -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                Err(Failure::Internal(format!("cannot write to standard output ({error})")))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// A word for standard output.
    pub(crate) fn paint(&self, style: Style, text: &str) -> String {
        paint(self.stdout_colors, style, text)
    }

    /// A table for standard output: its head, coloured cells, and no line longer than the terminal.
    pub(crate) fn table(&self, head: &[&str], rows: &[Vec<Cell>]) -> String {
        let head: Vec<Cell> =
            head.iter().map(|&text| Cell { text: text.to_owned(), style: Some(Style::Faint) }).collect();
        let all: Vec<&Vec<Cell>> = std::iter::once(&head).chain(rows).collect();
        let width = |column: usize| {
            all.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max().unwrap_or(0)
        };
        let line_max = terminal_width().unwrap_or(usize::MAX);
        let widths = fitted((0..head.len()).map(width).collect(), line_max);
        let mut text = String::new();
        for row in all {
            let (mut line, mut at) = (String::new(), 0);
            for (column, cell) in row.iter().enumerate() {
                let is_last = column + 1 == row.len();
                let left = line_max.saturating_sub(at);
                let room = if is_last { left } else { widths[column].min(left) };
                let shown = short(&tame(&cell.text), room);
                let taken = shown.chars().count();
                line.push_str(&cell.style.map_or(shown.clone(), |style| self.paint(style, &shown)));
                if !is_last {
                    let gap = (widths[column] + 2).saturating_sub(taken);
                    line.push_str(&" ".repeat(gap.min(left.saturating_sub(taken))));
                    at += taken + gap;
                }
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// The widths of columns, so that all of them can be seen: what is too wide is cut, the widest first.
fn fitted(mut widths: Vec<usize>, line_max: usize) -> Vec<usize> {
    const NARROWEST: usize = 8;
    let columns = widths.len();
    for width in widths.iter_mut().take(columns.saturating_sub(1)) {
        *width = (*width).min(CELL_MAX);
    }
    let gaps = 2 * columns.saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > line_max {
        match widths.iter_mut().max() {
            Some(widest) if *widest > NARROWEST => *widest -= 1,
            _ => break,
        }
    }
    widths
}

/// Characters of a cell that is not the last one of its row.
const CELL_MAX: usize = 40;

/// A cell of a table.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    text: String,
    style: Option<Style>,
}

impl Cell {
    /// A cell that is shown in a style.
    pub(crate) fn styled(text: impl Into<String>, style: Style) -> Cell {
        Cell { text: text.into(), style: Some(style) }
    }

    fn width(&self) -> usize {
        tame(&self.text).chars().count()
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Cell {
        Cell { text: text.into(), style: None }
    }
}

/// How wide the terminal is; `None` when standard output is none.
pub(crate) fn terminal_width() -> Option<usize> {
    if !std::io::stdout().is_terminal() {
        return None;
    }
    terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| usize::from(width.0).max(20))
}

/// A text of at most so many characters; what is cut ends with `…`.
pub(crate) fn short(text: &str, chars_max: usize) -> String {
    if text.chars().count() <= chars_max {
        return text.to_owned();
    }
    let Some(kept) = chars_max.checked_sub(1) else { return String::new() };
    text.chars().take(kept).chain(['…']).collect()
}

fn paint(colors: bool, style: Style, text: &str) -> String {
    let code = match style {
        Style::Bad => "31;1",
        Style::Warn => "33",
        Style::Good => "32",
        Style::Strong => "1",
        Style::Faint => "2",
    };
    if colors { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// Text of others, for a terminal: control characters, which could move its cursor or colour it, are shown as escapes.
pub(crate) fn tame(text: &str) -> String {
    let mut tamed = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() { tamed.extend(letter.escape_default()) } else { tamed.push(letter) }
    }
    tamed
}

/// JSON with a line for each member and item; numbers and texts as they are written.
pub(crate) fn pretty(json: &str) -> String {
    let mut text = String::new();
    lay_out(json.trim(), 0, &mut text);
    text
}

fn lay_out(value: &str, depth: usize, text: &mut String) {
    let (open, parts, close) = match json_text::kind(value) {
        Some(json_text::Kind::Object) => {
            let members = json_text::members(value).unwrap_or_default().into_iter();
            let members = members.map(|member| (json_text::quote(&member.name) + ": ", member.value));
            ('{', members.collect::<Vec<_>>(), '}')
        }
        Some(json_text::Kind::List) => {
            let items = json_text::items(value).unwrap_or_default().into_iter();
            ('[', items.map(|item| (String::new(), item)).collect(), ']')
        }
        _ => return text.push_str(value),
    };
    text.push(open);
    let indent = |depth: usize| format!("\n{}", "  ".repeat(depth));
    let is_empty = parts.is_empty();
    for (at, (name, part)) in parts.into_iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        text.push_str(&indent(depth + 1));
        text.push_str(&name);
        lay_out(part, depth + 1, text);
    }
    if !is_empty {
        text.push_str(&indent(depth));
    }
    text.push(close);
}

/// Columns, aligned at their left; the last one may be as long as it likes.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let all: Vec<Vec<String>> = std::iter::once(head.iter().map(|&text| text.to_owned()).collect())
        .chain(rows.iter().cloned())
        .map(|row: Vec<String>| {
            let last = row.len().saturating_sub(1);
            row.iter()
                .enumerate()
                .map(|(at, text)| short(&tame(text), if at == last { usize::MAX } else { CELL_MAX }))
                .collect()
        })
        .collect();
    let width = |column: usize| {
        all.iter()
            .filter_map(|row: &Vec<String>| row.get(column))
            .map(|text| text.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let mut text = String::new();
    for row in &all {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(&format!("{cell:<width$}  "));
        }
        text.push_str("  ");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other() {
        let rows =
            [vec!["1".to_owned(), "a\u{1b}[31m".to_owned()], vec!["twelve".to_owned(), "b".to_owned()]];
        let expect = "  ID      WHY\n  1       a\\u{1b}[31m\n  twelve  b\n";
        assert_eq!(table(&["ID", "WHY"], &rows), expect);
        let long = [vec!["x".repeat(50), "y".repeat(50)]];
        assert!(table(&["A", "B"], &long).contains(&format!("{}…  {}", "x".repeat(39), "y".repeat(50))));
    }

    #[test]
    fn cells_are_cut_and_coloured_after_they_are_laid_out() {
        let plain = Output::new(Color::Never, false, false);
        let rows = [
            vec![Cell::from("1"), Cell::styled("polls", Style::Good), Cell::from("a\nb")],
            vec![Cell::from("y".repeat(50)), Cell::from("off"), Cell::from("")],
        ];
        let (long, gap) = ("y".repeat(39), " ".repeat(39));
        let expect = format!("ID{}  STATE  WHAT\n1{gap}  polls  a\\nb\n{long}…  off\n", " ".repeat(38));
        assert_eq!(plain.table(&["ID", "STATE", "WHAT"], &rows), expect);
        let colours = Output::new(Color::Always, false, false);
        let shown =
            colours.table(&["ID", "STATE"], &[vec![Cell::from("1"), Cell::styled("on", Style::Good)]]);
        assert!(shown.ends_with("1   \u{1b}[32mon\u{1b}[0m\n"), "{shown:?}");
        assert_eq!(
            (short("abc", 3), short("abcd", 3), short("a", 0)),
            ("abc".into(), "ab…".into(), "".into())
        );
    }

    #[test]
    fn json_is_laid_out_and_keeps_its_digits() {
        let check = |json: &str, expect: &str| assert_eq!(pretty(json), expect, "{json}");
        check("12345678901234567890123", "12345678901234567890123");
        check(
            "{\"a\":[1.10,{}],\"b\\\"\":\"x, {y}\"}",
            "{\n  \"a\": [\n    1.10,\n    {}\n  ],\n  \"b\\\"\": \"x, {y}\"\n}",
        );
        check("[]", "[]");
        let value = json!({"a": {"b": [1, null, "ü\n"], "c": {}}, "d": []});
        check(&value.to_string(), &format!("{value:#}"));
    }

    #[test]
    fn colours_only_where_they_are_wanted() {
        assert_eq!(paint(false, Style::Bad, "x"), "x");
        assert_eq!(paint(true, Style::Bad, "x"), "\u{1b}[31;1mx\u{1b}[0m");
    }
}
