//! `record`: that its paths exist in the declared outputs, and what follows when there is no id.

use super::super::document::{Document, Group, RecordPaths};
use super::super::program::{Identity, TypeOfEvent};
use super::super::value::{Kind, Type};
use super::wires;
use crate::check::nearest::nearest;
use crate::check::section::Findings;
use crate::event::EventType;

pub(super) fn check(document: &Document, findings: &mut Findings) -> Option<Identity> {
    let identity = document.record.as_ref().and_then(|record| identity(document, record, findings));
    let has_id = document.record.as_ref().is_some_and(|record| record.id.is_some());
    if !has_id {
        let problem =
            "no `record.id` is declared: every returned record is an event, and repeats are not suppressed";
        findings.warn("record", problem, "write `record: {group: …, id: …}` where records have an id");
    }
    if !has_id && document.cursor_overlap.is_some_and(|overlap| !overlap.is_zero()) {
        let problem =
            "with `cursorOverlap` and without `record.id`, what was returned before is returned again";
        findings.warn("cursorOverlap", problem, "declare `record.id`, or remove the overlap");
    }
    if has_id && document.record.as_ref().is_some_and(|record| record.updated.is_none()) {
        let problem =
            "no `record.updated` is declared: versions of a record are told apart by their content alone";
        findings.warn("record", problem, "name the field with the date of the last change");
    }
    identity
}

fn identity(document: &Document, record: &RecordPaths, findings: &mut Findings) -> Option<Identity> {
    let Some(group) = document.outputs.iter().find(|group| group.name == record.group) else {
        let names: Vec<&str> = document.outputs.iter().map(|group| group.name.as_str()).collect();
        let remedy = match nearest(&record.group, &names) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("name one of {}", names.join(", ")),
        };
        findings.fault("record.group", format!("there is no output group `{}`", record.group), remedy);
        return None;
    };
    let id = field(group, "record.id", record.id.as_deref(), findings);
    let updated = field(group, "record.updated", record.updated.as_deref(), findings);
    if let Some((_, of)) = &id
        && (of.collection || matches!(of.kind, Kind::Object | Kind::File))
    {
        findings.fault(
            "record.id",
            format!("an id cannot be {of}"),
            "name a field that is a text or a number",
        );
    }
    if let Some((_, of)) = &updated
        && !wires::join(*of, Type::DATE)
    {
        findings.fault("record.updated", format!("{of} is no date"), "name a field that is a date");
    }
    let event_type = match record.event_type.as_deref() {
        None | Some("byLedger") => TypeOfEvent::ByLedger,
        Some(word) => match word.parse::<EventType>() {
            Ok(event_type) => TypeOfEvent::Always(event_type),
            Err(()) => {
                let (path, _) = field(group, "record.eventType", Some(word), findings)?;
                TypeOfEvent::At(path)
            }
        },
    };
    Some(Identity {
        group: record.group.clone(),
        id: id.map(|(path, _)| path),
        updated: updated.map(|(path, _)| path),
        event_type,
    })
}

/// A path in a group, from the returned object.
fn field(
    group: &Group,
    place: &str,
    path: Option<&str>,
    findings: &mut Findings,
) -> Option<(Vec<String>, Type)> {
    let steps: Vec<String> = path?.split('.').map(str::to_string).collect();
    let names: Vec<&str> = group.fields.iter().map(|(name, _)| name.as_str()).collect();
    let Some((_, of)) = group.fields.iter().find(|(name, _)| *name == steps[0]) else {
        let remedy = match nearest(&steps[0], &names) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("name one of {}", names.join(", ")),
        };
        let problem = format!("the group `{}` has no field `{}`", group.name, steps[0]);
        findings.fault(place, problem, remedy);
        return None;
    };
    if steps.len() > 1 && !matches!(of.kind, Kind::Object | Kind::Any) {
        let problem = format!("`{}` is {of}, which has no member `{}`", steps[0], steps[1]);
        findings.fault(place, problem, "name the field alone");
        return None;
    }
    let of = if steps.len() > 1 { Type::ANY } else { *of };
    Some((std::iter::once(group.name.clone()).chain(steps).collect(), of))
}
