//! The methods of an exported flow: cards with their fields, the wires between them, and their order.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value as Json};

use super::super::value::Type;
use super::{begins, type_of};

/// The methods of one flow.
pub(super) struct Methods<'e> {
    /// In the order in which they run.
    pub(super) list: Vec<Method<'e>>,
    /// What feeds an input: method, field → method, field.
    wires: HashMap<(&'e str, &'e str), (&'e str, &'e str)>,
    /// Followers of a method.
    pub(super) after: BTreeMap<&'e str, Vec<&'e str>>,
}

/// One method.
#[derive(Clone, Copy)]
pub(super) struct Method<'e> {
    pub(super) uuid: &'e str,
    pub(super) json: &'e Json,
}

/// One field of a method.
#[derive(Clone, Copy)]
pub(super) struct Field<'e> {
    pub(super) id: &'e str,
    pub(super) key: &'e str,
    pub(super) group: &'e str,
    pub(super) json: &'e Json,
}

impl<'e> Methods<'e> {
    /// Of a flow, or of an embedded one, which may stand without its wrapping.
    pub(super) fn of(flow: &'e Json) -> Methods<'e> {
        let data = if flow["methods"].is_array() { flow } else { &flow["data"] };
        let written = data["methods"].as_array().into_iter().flatten();
        let list: Vec<Method<'e>> =
            written.filter_map(|json| Some(Method { uuid: json["uuid"].as_str()?, json })).collect();
        let mut after: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for edge in data["orderings"].as_object().into_iter().flat_map(Map::values) {
            if let (Some(from), Some(to)) = (edge[0].as_str(), edge[1].as_str()) {
                after.entry(from).or_default().push(to);
            }
        }
        let mut wires = HashMap::new();
        for method in &list {
            for (output, targets) in method.json["pins"].as_object().into_iter().flatten() {
                for (target, pins) in targets.as_object().into_iter().flatten() {
                    for pin in pins.as_array().into_iter().flatten() {
                        if let Some(input) = pin["input"].as_str() {
                            wires.insert((target.as_str(), input), (method.uuid, output.as_str()));
                        }
                    }
                }
            }
        }
        let list = in_order(list, &after);
        Methods { list, wires, after }
    }

    pub(super) fn get(&self, uuid: &str) -> Option<Method<'e>> {
        self.list.iter().copied().find(|method| method.uuid == uuid)
    }

    /// The method that begins the flow.
    pub(super) fn event(&self) -> Option<Method<'e>> {
        self.list.iter().copied().find(|method| begins(&method.card()))
    }

    /// What feeds an input: the method and its output field.
    pub(super) fn feeds(&self, method: &str, field: &str) -> Option<(Method<'e>, Field<'e>)> {
        let (from, output) = self.wires.get(&(method, field))?;
        let from = self.get(from)?;
        let field = from.outputs().into_iter().find(|known| known.id == *output)?;
        Some((from, field))
    }

    /// Ids of flows that are called, those of embedded flows included.
    pub(super) fn flows_called(&self) -> Vec<String> {
        let mut called = Vec::new();
        for method in &self.list {
            for field in method.inputs() {
                match &field.json["value"]["data"] {
                    Json::String(id) if field.is_flow() => called.push(id.clone()),
                    embedded @ Json::Object(_) if field.is_flow() => {
                        called.extend(Methods::of(embedded).flows_called());
                    }
                    _ => {}
                }
            }
        }
        called
    }

    /// Fields that the flow's Return gives.
    pub(super) fn returned(&self) -> Vec<(String, Type)> {
        let mut returned: Vec<(String, Type)> = Vec::new();
        for method in self.list.iter().filter(|method| method.card() == "control.return") {
            for field in method.inputs() {
                if !returned.iter().any(|(name, _)| name == field.key) {
                    returned.push((field.key.to_string(), type_of(&field.json["value"])));
                }
            }
        }
        returned
    }

    /// Declared groups and fields of a Return Outputs, where it has more than a list.
    pub(super) fn groups_returned(&self) -> Option<Json> {
        let method = self.list.iter().find(|method| method.card() == "control.returnOutputs")?;
        let mut groups = Map::new();
        for field in method.outputs().iter().chain(&method.inputs()).filter(|field| !field.group.is_empty()) {
            let group =
                groups.entry(super::field_of(field.group)).or_insert_with(|| Json::Object(Map::new()));
            let word = super::type_word(type_of(&field.json["value"]));
            if let Json::Object(fields) = group {
                fields.insert(super::field_of(field.key), Json::String(word));
            }
        }
        (!groups.is_empty()).then_some(Json::Object(groups))
    }
}

/// Methods after those that they follow; as they are written where nothing is said. A cycle keeps its written order.
fn in_order<'e>(list: Vec<Method<'e>>, after: &BTreeMap<&'e str, Vec<&'e str>>) -> Vec<Method<'e>> {
    let mut waiting: HashMap<&str, usize> = HashMap::new();
    for to in after.values().flatten() {
        *waiting.entry(to).or_default() += 1;
    }
    let (mut rest, mut ordered) = (list, Vec::new());
    while !rest.is_empty() {
        let at =
            rest.iter().position(|method| waiting.get(method.uuid).copied().unwrap_or(0) == 0).unwrap_or(0);
        let method = rest.remove(at);
        for to in after.get(method.uuid).into_iter().flatten() {
            if let Some(count) = waiting.get_mut(to) {
                *count = count.saturating_sub(1);
            }
        }
        ordered.push(method);
    }
    ordered
}

impl<'e> Method<'e> {
    /// Its card: `object.get` of `root:kernel:object:0.0.1:get`.
    pub(super) fn card(&self) -> String {
        let address = self.json["address"].as_str().unwrap_or_default();
        let parts: Vec<&str> = address.split(':').collect();
        match parts.as_slice() {
            ["root", "kernel", channel, _, key] => format!("{channel}.{key}"),
            ["root", "channels", _, connector, _, key] => format!("{connector}.{key}"),
            _ => self.json["node"]["key"].as_str().unwrap_or("unknown").to_string(),
        }
    }

    /// What people see of it.
    pub(super) fn title(&self) -> String {
        let named = self.json["node"]["data"]["name"].as_str().map(str::trim).filter(|name| !name.is_empty());
        named.map_or_else(|| self.card(), str::to_string)
    }

    pub(super) fn model(&self) -> &'e Json {
        &self.json["node"]["model"]
    }

    pub(super) fn inputs(&self) -> Vec<Field<'e>> {
        fields(&self.model()["inputs"]["data"])
    }

    pub(super) fn outputs(&self) -> Vec<Field<'e>> {
        fields(&self.model()["outputs"]["data"])
    }

    /// Parameters of a flow that begins with it.
    pub(super) fn parameters(self) -> Vec<(String, Type)> {
        let own =
            self.outputs().into_iter().filter(|field| field.group != "context" && field.key != "context");
        own.map(|field| (field.key.to_string(), type_of(&field.json["value"]))).collect()
    }

    pub(super) fn output_type(&self, key: &str) -> Option<Type> {
        let field = self.outputs().into_iter().find(|field| field.key.eq_ignore_ascii_case(key))?;
        Some(type_of(&field.json["value"])).filter(|of| *of != Type::ANY)
    }
}

impl Field<'_> {
    /// Whether its value is a flow.
    pub(super) fn is_flow(&self) -> bool {
        self.json["value"]["type"].as_str() == Some("flo")
    }
}

/// Fields in the order of their index.
fn fields(data: &Json) -> Vec<Field<'_>> {
    let entries = data.as_object().into_iter().flatten();
    let mut fields: Vec<Field<'_>> = entries
        .map(|(id, json)| Field {
            id,
            key: json["key"].as_str().unwrap_or(id),
            group: json["group"].as_str().unwrap_or_default(),
            json,
        })
        .collect();
    fields.sort_by_key(|field| field.json["metadata"]["index"].as_u64().unwrap_or(u64::MAX));
    fields
}
