//! A plan for people and for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::plan::{Action, Cursor, ELEMENT, Plan, Step};
use crate::cli::connector::{faults_json, faults_text};
use crate::cli::folder::FileFaults;
use crate::cli::output::{Output, Style, short, tame, terminal_width};
use crate::cli::{Failure, Outcome};
use crate::difference::Difference;

/// Members of one thing that are shown to people; programs get all.
const MEMBERS_MAX: usize = 30;
/// Characters of a value that are shown to people where standard output is no terminal.
const VALUE_CHARS_MAX: usize = 60;

/// Tells every fault of every file.
pub(super) fn refuse(all: &[FileFaults], as_json: bool, output: &Output) -> Outcome {
    if as_json {
        let one = |one: &FileFaults| json!({"file": one.file, "faults": faults_json(&one.faults)});
        let files: Vec<Value> = all.iter().map(one).collect();
        output.result(&format!("{}\n", json!({"applied": false, "files": files})))?;
    } else {
        let text: String = all
            .iter()
            .map(|one| faults_text(&one.file, &one.faults, ("fault", Style::Bad), output))
            .collect();
        output.result(&text)?;
    }
    let count: usize = all.iter().map(|one| one.faults.len()).sum();
    let faults =
        if count == 1 { "there is one fault".to_owned() } else { format!("there are {count} faults") };
    let files = if all.len() == 1 { "one file".to_owned() } else { format!("{} files", all.len()) };
    Err(Failure::Configuration(format!("{faults} in {files}; nothing was changed")))
}

/// The plan as JSON.
pub(super) fn json(plan: &Plan) -> Value {
    json!({"objects": plan.steps.iter().map(step_json).collect::<Vec<_>>(), "summary": summary_json(plan)})
}

fn summary_json(plan: &Plan) -> Value {
    json!({
        "create": plan.count(Action::Create),
        "change": plan.count(Action::Change),
        "remove": plan.count(Action::Remove),
        "unchanged": plan.count(Action::Keep),
        "onlyOnServer": plan.count(Action::Leave),
        "cursorsLost": plan.steps.iter().flat_map(|step| &step.cursors).filter(|one| one.is_lost()).count(),
    })
}

fn step_json(step: &Step) -> Value {
    let member = |one: &Difference| {
        let mut told = json!({"path": one.path});
        for (name, value) in [("from", &one.from), ("to", &one.to)] {
            if let Some(value) = value {
                told[name] = value.clone();
            }
        }
        told
    };
    let cursor = |one: &Cursor| json!({"resource": one.resource, "cursor": one.cursor, "why": one.why});
    json!({
        "kind": step.kind,
        "name": step.name,
        "connector": step.element_key,
        "id": step.id,
        "file": step.file,
        "action": word(step.action),
        "members": step.members.iter().map(member).collect::<Vec<_>>(),
        "cursors": step.cursors.iter().map(cursor).collect::<Vec<_>>(),
        "warnings": step.warnings,
        "notes": step.notes,
    })
}

fn word(action: Action) -> &'static str {
    match action {
        Action::Create => "create",
        Action::Change => "change",
        Action::Keep => "none",
        Action::Remove => "remove",
        Action::Leave => "onlyOnServer",
    }
}

/// The plan for people.
pub(super) fn text(plan: &Plan, output: &Output) -> String {
    let mut text = String::new();
    for step in plan.steps.iter().filter(|step| step.action != Action::Leave) {
        if step.action != Action::Keep || !step.notes.is_empty() {
            step_text(step, output, &mut text);
        }
    }
    let left: Vec<&Step> = plan.steps.iter().filter(|step| step.action == Action::Leave).collect();
    for step in &left {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{} {}", output.paint(Style::Faint, "?"), head(step, output));
    }
    if !left.is_empty() {
        let hint = "? is only on the server and stays; --prune removes what has nothing to hold it";
        let _ = writeln!(text, "{}", output.paint(Style::Faint, hint));
    }
    let _ = writeln!(text, "{}", summary(plan, output));
    text
}

fn summary(plan: &Plan, output: &Output) -> String {
    let unchanged = plan.count(Action::Keep);
    if plan.changes() == 0 {
        return format!("{}: {unchanged} unchanged", output.paint(Style::Good, "nothing to do"));
    }
    let counts = [
        (plan.count(Action::Create), "to create"),
        (plan.count(Action::Change), "to change"),
        (plan.count(Action::Remove), "to remove"),
        (unchanged, "unchanged"),
    ];
    let told: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    format!("{}: {}", output.paint(Style::Strong, "plan"), told.join(", "))
}

fn head(step: &Step, output: &Output) -> String {
    let name = output.paint(Style::Strong, &tame(&step.name));
    let of = if step.kind == "instance" { format!(" ({})", tame(&step.element_key)) } else { String::new() };
    let id = match &step.id {
        Value::Number(id) if step.kind == "instance" => format!(" {id}"),
        _ => String::new(),
    };
    format!("{}{id} {name}{of}", step.kind)
}

fn step_text(step: &Step, output: &Output, text: &mut String) {
    let (sign, style) = match step.action {
        Action::Create => ("+", Style::Good),
        Action::Change => ("~", Style::Warn),
        Action::Remove => ("-", Style::Bad),
        Action::Keep => ("=", Style::Faint),
        Action::Leave => ("?", Style::Faint),
    };
    let file = step.file.as_deref().map(|file| format!("  {}", output.paint(Style::Faint, &tame(file))));
    // Writing to a string cannot fail.
    let _ =
        writeln!(text, "{} {}{}", output.paint(style, sign), head(step, output), file.unwrap_or_default());
    if step.action == Action::Change && step.kind == "connector" && step.members.is_empty() {
        let _ = writeln!(text, "    only how it is written");
    }
    for member in step.members.iter().take(MEMBERS_MAX) {
        let _ = writeln!(text, "    {}", member_text(member, output));
    }
    if let Some(more @ 1..) = step.members.len().checked_sub(MEMBERS_MAX) {
        let _ = writeln!(text, "    … and {more} more (--json shows all)");
    }
    cursors_text(step, output, text);
    if step.action == Action::Remove && step.kind == "instance" {
        let lost = output.paint(Style::Bad, "removed");
        let _ =
            writeln!(text, "    its pollers and their places: {lost}; its events stay for their retention");
    }
    for note in &step.notes {
        let _ = writeln!(text, "    {}: {}", output.paint(Style::Faint, "note"), tame(note));
    }
    // Who changes nothing has seen them before.
    for warning in step.warnings.iter().filter(|_| step.action != Action::Keep) {
        let _ = writeln!(text, "    {}: {}", output.paint(Style::Warn, "warning"), tame(warning));
    }
}

fn member_text(member: &Difference, output: &Output) -> String {
    let width = terminal_width().map_or(VALUE_CHARS_MAX, |width| width.saturating_sub(12) / 2);
    let shown = |value: &Value| short(&tame(&value.to_string()), width.max(12));
    let path = tame(&member.path);
    match (&member.from, &member.to) {
        (None, None) if path == ELEMENT => format!("{path}: takes the connector as it is now"),
        (None, None) => path,
        (None, Some(to)) => format!("{path}: {}", output.paint(Style::Good, &format!("+ {}", shown(to)))),
        (Some(from), None) => format!("{path}: {}", output.paint(Style::Bad, &format!("- {}", shown(from)))),
        (Some(from), Some(to)) => {
            let arrow = output.paint(Style::Faint, "→");
            format!("{path}: {} {arrow} {}", shown(from), shown(to))
        }
    }
}

fn cursors_text(step: &Step, output: &Output, text: &mut String) {
    // Writing to a string cannot fail.
    let kept: Vec<&Cursor> = step.cursors.iter().filter(|one| one.cursor == "kept").collect();
    if step.action == Action::Change && !kept.is_empty() {
        let names: Vec<String> = kept.iter().map(|one| tame(&one.resource)).collect();
        let word = output.paint(Style::Good, "kept");
        let _ = writeln!(text, "    place of {}: {word}", names.join(", "));
    }
    for cursor in step.cursors.iter().filter(|one| one.cursor != "kept") {
        let style = if cursor.is_lost() { Style::Bad } else { Style::Good };
        let why = if cursor.why.is_empty() { String::new() } else { format!(": {}", tame(&cursor.why)) };
        let word = output.paint(style, &tame(&cursor.cursor));
        let _ = writeln!(text, "    place of {}: {word}{why}", tame(&cursor.resource));
    }
}
