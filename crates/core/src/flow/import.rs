//! A published flow in its export form (`.flopack`, catalogue §13) as a document of ours.
//!
//! Known cards are converted, wires become references, embedded flows and branches become blocks, other flows become
//! helper flows. What we do not know is kept under its own name and listed, so that a person sees what is left to do:
//! an import never guesses what a card did. The structure is that observed in public exports; none of them holds a
//! monitor, so the flow that becomes one is chosen (see [`import`]).
//!
//! Not here: whether the result can run (`check`).

mod blocks;
mod methods;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value as Json, json};

use super::cards::{Group, spec};
use super::reading::{is_field_name, is_id, read_type, type_word};
use super::value::Type;
use methods::{Method, Methods};

/// What came of an import.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// The document.
    pub document: Json,
    /// Cards that we do not know: flow, card and its id there.
    pub unknown: Vec<String>,
    /// What a person should look at.
    pub notes: Vec<String>,
}

/// Converts an export. The flow called `main` becomes the monitor; without a name the one that begins with a Polling
/// Monitor card, or else the only one that no other calls.
///
/// Fails with a sentence when the text is not an export, or when it does not say which flow is meant.
pub fn import(export: &Json, main: Option<&str>) -> Result<Imported, String> {
    let is_export = export["type"].as_str() == Some("flopack");
    let flows = export["data"]["flos"].as_object().filter(|_| is_export);
    let flows = flows.ok_or(
        "it is not an export of flows; give a `.flopack` file, with `type: flopack` and `data.flos`",
    )?;
    if flows.is_empty() {
        return Err("the export holds no flow".into());
    }
    let mut importer = Importer::new(flows);
    let chosen = importer.choose(main)?;
    let document = importer.document(&chosen)?;
    Ok(Imported { document, unknown: importer.unknown, notes: importer.notes })
}

/// Converts the flows of one export.
struct Importer<'e> {
    /// Flows by their ids there.
    flows: BTreeMap<&'e str, &'e Json>,
    /// Our names by their ids.
    names: BTreeMap<&'e str, String>,
    /// Ids of the flow at hand.
    taken: HashSet<String>,
    unknown: Vec<String>,
    notes: Vec<String>,
}

/// What references inside a flow mean.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// The monitor's own event card.
    Monitor,
    /// A helper flow's.
    Helper,
    /// An embedded flow: its parameters are what the card around gives them.
    Embedded(BTreeMap<String, Json>),
}

impl<'e> Importer<'e> {
    fn new(flows: &'e Map<String, Json>) -> Importer<'e> {
        let flows: BTreeMap<&str, &Json> = flows.iter().map(|(id, flow)| (id.as_str(), flow)).collect();
        let (mut names, mut taken) = (BTreeMap::new(), HashSet::new());
        for (id, flow) in &flows {
            let name = unique(&id_of(flow["name"].as_str().unwrap_or("flow")), &mut taken);
            names.insert(*id, name);
        }
        Importer { flows, names, taken: HashSet::new(), unknown: Vec::new(), notes: Vec::new() }
    }

    fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Which flow becomes the monitor.
    fn choose(&self, main: Option<&str>) -> Result<String, String> {
        let named = |wanted: &str| {
            let is_it =
                |(id, flow): &(&&str, &&Json)| **id == wanted || flow["name"].as_str() == Some(wanted);
            self.flows.iter().find(is_it).map(|(id, _)| (*id).to_string())
        };
        let all = || {
            let names: Vec<&str> = self.flows.values().filter_map(|flow| flow["name"].as_str()).collect();
            names.join(", ")
        };
        if let Some(wanted) = main {
            return named(wanted)
                .ok_or_else(|| format!("the export has no flow `{wanted}`; it has {}", all()));
        }
        let monitors = self.flows.iter().filter(|(_, flow)| {
            let methods = Methods::of(flow);
            methods.event().is_some_and(|event| event.card() == "control.pollingMonitor")
        });
        let monitors: Vec<&str> = monitors.map(|(id, _)| *id).collect();
        let called: HashSet<String> =
            self.flows.values().flat_map(|flow| Methods::of(flow).flows_called()).collect();
        let alone: Vec<&str> = self.flows.keys().copied().filter(|id| !called.contains(*id)).collect();
        match (monitors.as_slice(), alone.as_slice()) {
            ([one], _) | ([], [one]) => Ok((*one).to_string()),
            _ => Err(format!("the export does not say which flow is the monitor; name one of {}", all())),
        }
    }

    fn document(&mut self, main: &str) -> Result<Json, String> {
        let flow = self.flows.get(main).copied().ok_or("the export has lost its flow")?;
        let methods = Methods::of(flow);
        let cards = self.body(&methods, &Source::Monitor, self.name_of(main));
        let mut document = Map::new();
        document.insert("name".into(), json!(words(flow["name"].as_str()).unwrap_or("Imported monitor")));
        if let Some(description) = words(flow["description"].as_str()) {
            document.insert("description".into(), json!(description));
        }
        let cursor = methods.event().and_then(|event| event.output_type("Cursor")).unwrap_or(Type::OBJECT);
        document.insert("cursor".into(), json!(type_word(cursor)));
        let returns = cards.iter().any(|card| card["card"] == "control.returnOutputs");
        let outputs = match methods.groups_returned() {
            Some(groups) => groups,
            None => {
                self.note("the export declares no output groups; declare yours under `outputs`".into());
                json!({"Record": {"value": "any"}})
            }
        };
        document.insert("outputs".into(), outputs);
        if !returns {
            self.note("the flow returns no records; add a Return Outputs card, and a Cursor card".into());
        }
        document.insert("cards".into(), Json::Array(cards));
        let mut flows = Map::new();
        let others: Vec<&str> = self.flows.keys().copied().filter(|id| *id != main).collect();
        for id in others {
            flows.insert(self.name_of(id), self.helper(id));
        }
        if !flows.is_empty() {
            document.insert("flows".into(), Json::Object(flows));
        }
        Ok(Json::Object(document))
    }

    fn name_of(&self, id: &str) -> String {
        self.names.get(id).cloned().unwrap_or_else(|| id_of(id))
    }

    fn helper(&mut self, id: &str) -> Json {
        let flow = self.flows[id];
        let methods = Methods::of(flow);
        let mut helper = Map::new();
        if let Some(description) = words(flow["description"].as_str()) {
            helper.insert("description".into(), json!(description));
        }
        let inputs = methods.event().map(Method::parameters).unwrap_or_default();
        helper.insert("inputs".into(), types(&inputs));
        helper.insert("outputs".into(), types(&methods.returned()));
        let cards = self.body(&methods, &Source::Helper, self.name_of(id));
        helper.insert("cards".into(), Json::Array(cards));
        Json::Object(helper)
    }

    /// Notes a card that we do not know.
    fn stranger(&mut self, flow: &str, method: &Method<'_>) {
        let what = format!("flow `{flow}`: {} (`{}`)", method.title(), method.card());
        if !self.unknown.contains(&what) {
            self.unknown.push(what);
        }
    }
}

/// Whether a card begins a flow.
fn begins(card: &str) -> bool {
    spec(card).is_some_and(|spec| spec.group == Group::Event)
}

/// Fields with their types as a document writes them.
fn types(fields: &[(String, Type)]) -> Json {
    let write = |(name, of): &(String, Type)| (field_of(name), json!(type_word(*of)));
    Json::Object(fields.iter().map(write).collect())
}

/// A type of an export.
fn type_of(value: &Json) -> Type {
    let of = match &value["type"] {
        Json::String(word) => Type::parse(word).or_else(|| read_type(word)).unwrap_or(Type::ANY),
        Json::Object(_) => Type::OBJECT,
        _ => Type::ANY,
    };
    if value["collection"].as_bool() == Some(true) && !of.collection { of.list() } else { of }
}

fn words(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// An id of ours for a name of theirs.
fn id_of(name: &str) -> String {
    let mut id = String::new();
    for letter in name.trim().chars() {
        if letter.is_ascii_alphanumeric() || letter == '_' {
            id.push(letter);
        } else if !id.ends_with('-') && !id.is_empty() {
            id.push('-');
        }
    }
    let id: String = id.trim_matches('-').chars().take(48).collect();
    let id = if id.starts_with(|first: char| first.is_ascii_digit()) { format!("f{id}") } else { id };
    if is_id(&id) { id } else { "flow".to_string() }
}

/// A name of a field that a reference can hold.
fn field_of(name: &str) -> String {
    let kept: String =
        name.trim().chars().map(|letter| if letter == '.' || letter < ' ' { '_' } else { letter }).collect();
    let kept: String = kept.trim().chars().take(100).collect();
    if is_field_name(&kept) { kept } else { "field".to_string() }
}

fn unique(name: &str, taken: &mut HashSet<String>) -> String {
    let mut candidate = name.to_string();
    let mut number = 2;
    while !taken.insert(candidate.clone()) {
        candidate = format!("{name}-{number}");
        number += 1;
    }
    candidate
}
