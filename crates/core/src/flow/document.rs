//! The document of a monitor: what an author writes, in YAML or JSON.
//!
//! ```yaml
//! name: New users
//! connector: people
//! cursor: object                       # text, number, date, object …; what the Cursor card saves
//! cursorOverlap: 2m
//! options: [{label: Group, type: dropdown, values: [all, staff]}]
//! outputs: {User: {ID: text, Name: text, Created: date}}
//! record: {group: User, id: ID, updated: Created, eventType: byLedger}
//! cards: […]                           # see `card`
//! flows: {name: {inputs: {…}, outputs: {…}, cards: […]}}
//! ```
//!
//! Reading it is purely structural, and agrees with `docs/schema/monitor.schema.json`: what one refuses, the other
//! does. Every fault is named at once.
//!
//! Not here: what the document means as a whole (`check`), YAML (the program reads it).

use std::time::Duration;

use serde_json::{Value as Json, json};

use super::card::{Card, read_cards};
use super::reading::{Members, is_field_name, is_id, read_field, read_type};
use super::value::Type;
use crate::check::Fault;
use crate::check::section::{Findings, member_path, shown};

/// The shortest interval of a monitor whose document names none (catalogue 2.1: any frequency from five minutes).
pub const INTERVAL_MIN_DEFAULT: Duration = Duration::from_secs(300);

/// A monitor's document, read and not yet understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Key of the connector whose connections it uses; any connection will do when it names none.
    pub connector: Option<String>,
    /// Type of the cursor.
    pub cursor: Type,
    /// By how much date values that are read from the cursor are lowered. Not named: two minutes where records have an
    /// id, so that the ledger suppresses repeats, and nothing otherwise.
    pub cursor_overlap: Option<Duration>,
    /// The shortest interval of a subscription.
    pub interval_min: Duration,
    /// What a user of the monitor chooses.
    pub options: Vec<OptionField>,
    /// What it returns.
    pub outputs: Vec<Group>,
    /// How a returned record is recognised.
    pub record: Option<RecordPaths>,
    /// Its cards.
    pub cards: Vec<Card>,
    /// Helper flows.
    pub flows: Vec<HelperFlow>,
}

/// One option of a monitor. Values are texts, as the field has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionField {
    /// Its name.
    pub label: String,
    /// Whether a user must give it.
    pub required: bool,
    /// Values to choose from; anything goes when it is a text field.
    pub choices: Option<Choices>,
}

/// Where the values of a dropdown come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choices {
    /// The document: display and value.
    Listed(Vec<(String, String)>),
    /// A helper flow.
    Flow(String),
}

/// A group of outputs, or the parameters of a helper flow.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its fields.
    pub fields: Vec<(String, Type)>,
}

/// Where a returned record carries its identity. All paths lie inside one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordPaths {
    /// The group.
    pub group: String,
    /// Path to the id.
    pub id: Option<String>,
    /// Path to the date of the last change.
    pub updated: Option<String>,
    /// What kind of event a record is: `byLedger`, one of the event types, or a path to one.
    pub event_type: Option<String>,
}

/// A flow that others call by its name.
#[derive(Clone, Debug, PartialEq)]
pub struct HelperFlow {
    /// Its name.
    pub name: String,
    /// Its place, for messages.
    pub path: String,
    /// What it is for.
    pub description: String,
    /// Its parameters; all of them are optional for callers, and empty when left out.
    pub inputs: Vec<(String, Type)>,
    /// What it returns.
    pub outputs: Vec<(String, Type)>,
    /// Its cards.
    pub cards: Vec<Card>,
}

impl Document {
    /// Reads a document. Every fault in its form is named; a document without one is not yet sound (see
    /// [`super::check`]).
    pub fn read(value: &Json) -> Result<Document, Vec<Fault>> {
        let mut findings = Findings::default();
        let document = read(value, &mut findings);
        match document {
            Some(document) if findings.faults.is_empty() => Ok(document),
            _ => Err(findings.faults),
        }
    }
}

fn read(value: &Json, findings: &mut Findings) -> Option<Document> {
    let mut members = Members::new("", value, findings)?;
    let name = members.needed_text("name", "give the monitor a name", findings).unwrap_or_default();
    let description = members.text("description", findings).unwrap_or_default();
    let connector = members.text("connector", findings);
    let cursor = read_cursor(&mut members, findings);
    let cursor_overlap = members.duration("cursorOverlap", findings);
    let interval_min = members.duration("minimumInterval", findings);
    let options = members.list("options", findings).unwrap_or_default();
    let options = read_options(options, findings);
    let outputs = read_groups(&mut members, findings);
    let record = read_record(&mut members, findings);
    let remedy = "write its cards; `scaffold` makes a first Cursor and Return Outputs";
    members.needed("cards", remedy, findings);
    let cards = members.list("cards", findings).unwrap_or_default();
    let cards = read_cards("cards", cards, 0, findings);
    let flows = read_flows(&mut members, findings);
    members.finish(findings);
    Some(Document {
        name: name.to_string(),
        description: description.to_string(),
        connector: connector.map(str::to_string),
        cursor,
        cursor_overlap,
        interval_min: interval_min.unwrap_or(INTERVAL_MIN_DEFAULT),
        options,
        outputs,
        record,
        cards,
        flows,
    })
}

fn read_cursor(members: &mut Members<'_>, findings: &mut Findings) -> Type {
    let remedy = "write the type of the cursor: date, number, text or object";
    members.needed("cursor", remedy, findings);
    let Some(value) = members.get("cursor") else { return Type::ANY };
    value.as_str().and_then(read_type).unwrap_or_else(|| {
        findings.fault("cursor", format!("{} is not a type", shown(value)), remedy);
        Type::ANY
    })
}

fn read_options(items: &[Json], findings: &mut Findings) -> Vec<OptionField> {
    let mut options = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let path = format!("options[{at}]");
        let Some(mut members) = Members::new(&path, item, findings) else { continue };
        let label = members.needed_text("label", "give the option a label", findings).unwrap_or_default();
        if !label.is_empty() && !is_field_name(label) {
            let remedy = "leave out full stops and blanks around it, and use at most 100 letters";
            findings.fault(&members.path_of("label"), format!("`{label}` cannot be referred to"), remedy);
        }
        let kind = members.text("type", findings).unwrap_or("text");
        let required = members.flag("required", true, findings);
        let choices = read_choices(&mut members, kind, findings);
        members.finish(findings);
        options.push(OptionField { label: label.to_string(), required, choices });
    }
    options
}

fn read_choices(members: &mut Members<'_>, kind: &str, findings: &mut Findings) -> Option<Choices> {
    let path = members.path_of("values");
    let values = members.get("values");
    match (kind, values) {
        ("text", None) => None,
        ("text", Some(_)) => {
            let remedy = "write `type: dropdown`, or remove the values";
            findings.fault(&path, "a text field has no values to choose from", remedy);
            None
        }
        ("dropdown", None) => {
            let remedy = "write `values: [a, b]`, or `values: {flow: name}`";
            findings.fault(&members.path_of("type"), "a dropdown has no values to choose from", remedy);
            None
        }
        ("dropdown", Some(Json::Array(items))) if !items.is_empty() => {
            let read = |(at, item)| read_choice(&format!("{path}[{at}]"), item, findings);
            Some(Choices::Listed(items.iter().enumerate().filter_map(read).collect()))
        }
        ("dropdown", Some(value @ Json::Object(_))) => {
            let mut source = Members::new(&path, value, findings)?;
            let name = source.needed_text("flow", "name the helper flow that returns them", findings);
            source.finish(findings);
            if let Some(name) = name.filter(|name| !is_id(name)) {
                findings.fault(
                    &path,
                    format!("`{name}` is not the name of a flow"),
                    "name one under `flows`",
                );
            }
            name.map(|name| Choices::Flow(name.to_string()))
        }
        ("dropdown", Some(value)) => {
            let remedy = "write `values: [a, b]`, or `values: {flow: name}`";
            findings.fault(&path, format!("{} are no values to choose from", shown(value)), remedy);
            None
        }
        (other, _) => {
            let problem = format!("`{other}` is not a type of an option");
            findings.fault(&members.path_of("type"), problem, "write `text` or `dropdown`");
            None
        }
    }
}

fn read_choice(path: &str, item: &Json, findings: &mut Findings) -> Option<(String, String)> {
    if let Some(text) = item.as_str() {
        return Some((text.to_string(), text.to_string()));
    }
    let mut members = Members::new(path, item, findings)?;
    let value = members.needed_text("value", "write the value that the flow gets", findings);
    let display = members.text("display", findings).or(value);
    members.finish(findings);
    Some((display?.to_string(), value?.to_string()))
}

fn read_groups(members: &mut Members<'_>, findings: &mut Findings) -> Vec<Group> {
    let remedy = "write `outputs: {Group: {Field: text}}`";
    members.needed("outputs", remedy, findings);
    let entries = members.entries("outputs", findings);
    if entries.is_empty() && matches!(members.get("outputs"), Some(Json::Object(_))) {
        findings.fault("outputs", "no group is declared", remedy);
    }
    let mut groups = Vec::new();
    for (name, value) in entries {
        let path = member_path("outputs", name);
        if !is_field_name(name) {
            let remedy = "leave out full stops and blanks around it, and use at most 100 letters";
            findings.fault(&path, "this name cannot be referred to", remedy);
        }
        let Json::Object(fields) = value else {
            findings.fault(&path, format!("{} is not a group of fields", shown(value)), remedy);
            continue;
        };
        if fields.is_empty() {
            findings.fault(&path, "the group has no fields", remedy);
        }
        let read = |(name, value): (&String, &Json)| read_field(&path, name, value, findings);
        groups.push(Group { name: name.clone(), fields: fields.iter().filter_map(read).collect() });
    }
    groups
}

fn read_record(members: &mut Members<'_>, findings: &mut Findings) -> Option<RecordPaths> {
    let value = members.get("record")?;
    let mut record = Members::new("record", value, findings)?;
    let remedy = "name the output group that a record is";
    let group = record.needed_text("group", remedy, findings).unwrap_or_default().to_string();
    let mut path = |key, findings: &mut Findings| record.text(key, findings).map(str::to_string);
    let paths = RecordPaths {
        group,
        id: path("id", findings),
        updated: path("updated", findings),
        event_type: path("eventType", findings),
    };
    record.finish(findings);
    Some(paths)
}

fn read_flows(members: &mut Members<'_>, findings: &mut Findings) -> Vec<HelperFlow> {
    let mut flows = Vec::new();
    for (name, value) in members.entries("flows", findings) {
        let path = member_path("flows", name);
        if !is_id(name) {
            let remedy = "begin with a letter or `_`, then letters, digits, `-` and `_`, at most 64";
            findings.fault(&path, "this name cannot be called", remedy);
        }
        let Some(mut flow) = Members::new(&path, value, findings) else { continue };
        let description = flow.text("description", findings).unwrap_or_default().to_string();
        let inputs = flow.types("inputs", findings);
        let outputs = flow.types("outputs", findings);
        flow.needed("cards", "write its cards; the last one is most often a Return", findings);
        let cards = flow.list("cards", findings).unwrap_or_default();
        let cards = read_cards(&flow.path_of("cards"), cards, 0, findings);
        flow.finish(findings);
        flows.push(HelperFlow { name: name.clone(), path, description, inputs, outputs, cards });
    }
    flows
}

/// A new monitor, with the Cursor and Return Outputs cards that every monitor has. It is sound as it stands: it
/// returns nothing, and moves its cursor to now.
pub fn scaffold(name: &str) -> Json {
    json!({
        "name": if name.trim().is_empty() { "New monitor" } else { name },
        "cursor": "date",
        "outputs": {"Record": {"ID": "text"}},
        "record": {"group": "Record", "id": "ID"},
        "cards": [
            {"id": "now", "card": "date.now"},
            {"card": "control.cursor", "inputs": {"Properties": {"from": "now.date"}}},
            {"card": "control.returnOutputs", "inputs": {"List": []}},
        ],
    })
}
