//! From methods to cards: inputs, wires, blocks, policies.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value as Json, json};

use super::super::cards::{CardSpec, spec};
use super::super::value::Type;
use super::methods::{Field, Method, Methods};
use super::{Importer, Source, begins, field_of, id_of, type_of, type_word, unique};

/// Nodes of an exported If/Else that are no cards of their own.
const STRUCTURE: [&str; 2] = ["control.noop", "control.join"];

/// What a body is converted with.
struct Body<'b, 'e> {
    methods: &'b Methods<'e>,
    source: &'b Source,
    /// Our ids of cards.
    ids: BTreeMap<&'e str, String>,
    /// Joins, and the If/Else whose outputs they carry.
    joins: BTreeMap<&'e str, &'e str>,
    flow: String,
}

impl<'e> Importer<'e> {
    /// The cards of a flow.
    pub(super) fn body(&mut self, methods: &Methods<'e>, source: &Source, flow: String) -> Vec<Json> {
        if !matches!(source, Source::Embedded(_)) {
            // Ids are those of a whole flow, its blocks included.
            let reserved = super::super::check::reserved_ids();
            self.taken = reserved.iter().map(|id| (*id).to_string()).collect();
        }
        let mut ids = BTreeMap::new();
        for method in &methods.list {
            ids.insert(method.uuid, unique(&id_of(&method.title()), &mut self.taken));
        }
        let mut body = Body { methods, source, ids, joins: BTreeMap::new(), flow };
        let (mut inside, mut branches) = (HashSet::new(), BTreeMap::new());
        for method in methods.list.iter().filter(|method| method.card() == "control.if") {
            let found = branch_of(methods, *method);
            inside.extend(found.yes.iter().chain(&found.no).copied());
            if let Some(join) = found.join {
                body.joins.insert(join, method.uuid);
            }
            branches.insert(method.uuid, found);
        }
        let top = methods.list.iter().filter(|method| !inside.contains(method.uuid)).copied();
        self.cards(&body, &branches, top.collect())
    }

    fn cards(
        &mut self,
        body: &Body<'_, 'e>,
        branches: &BTreeMap<&'e str, Branch<'e>>,
        list: Vec<Method<'e>>,
    ) -> Vec<Json> {
        let mut cards = Vec::new();
        for method in list {
            let card = method.card();
            if begins(&card) || STRUCTURE.contains(&card.as_str()) {
                continue;
            }
            let mut written = self.card(body, method);
            if let Some(branch) = branches.get(method.uuid) {
                for (key, uuids) in [("then", &branch.yes), ("else", &branch.no)] {
                    let inner = uuids.iter().filter_map(|uuid| body.methods.get(uuid));
                    let nested = branches.values().filter(|other| !std::ptr::eq(*other, branch));
                    let deeper: HashSet<&str> = nested
                        .filter(|other| {
                            uuids
                                .iter()
                                .any(|uuid| branches.get(uuid).is_some_and(|it| std::ptr::eq(it, *other)))
                        })
                        .flat_map(|other| other.yes.iter().chain(&other.no).copied())
                        .collect();
                    let inner = inner.filter(|method| !deeper.contains(method.uuid)).collect();
                    let mut inner = self.cards(body, branches, inner);
                    if let Some(join) = branch.join.and_then(|join| body.methods.get(join)) {
                        inner.extend(joined(body, join, uuids, key == "then"));
                    }
                    written.insert(key.into(), Json::Array(inner));
                }
                if let Some(join) = branch.join.and_then(|join| body.methods.get(join)) {
                    written.insert("outputs".into(), declared(&join.outputs()));
                }
            }
            cards.push(Json::Object(written));
        }
        cards
    }

    fn card(&mut self, body: &Body<'_, 'e>, method: Method<'e>) -> Map<String, Json> {
        let name = method.card();
        let known = spec(&name);
        if known.is_none() {
            self.stranger(&body.flow, &method);
        }
        let mut card = Map::new();
        card.insert("id".into(), json!(body.ids[method.uuid]));
        card.insert("card".into(), json!(known.map_or(name.as_str(), |spec| spec.id)));
        let title = method.title();
        if title != name {
            card.insert("note".into(), json!(title));
        }
        self.inputs(body, method, known, &mut card);
        let outputs = made_outputs(method, known);
        if !outputs.is_empty() {
            card.insert("outputs".into(), declared(&outputs));
        }
        if let Some(timeout) = method.model()["timeout"].as_u64().filter(|timeout| *timeout >= 1_000) {
            card.insert("timeout".into(), json!(timeout / 1_000));
        }
        if let Some(policy) = self.policy(&method.model()["policy"]["error"]) {
            card.insert("onError".into(), policy);
        }
        card
    }

    /// Inputs, the flow that is called, values of its calls, and embedded flows as blocks.
    fn inputs(
        &mut self,
        body: &Body<'_, 'e>,
        method: Method<'e>,
        known: Option<&CardSpec>,
        card: &mut Map<String, Json>,
    ) {
        let (mut inputs, mut values) = (Map::new(), Map::new());
        let is_branch = method.card() == "control.branch";
        for field in method.inputs() {
            let proxy = &field.json["value"]["proxy"];
            if field.is_flow() {
                if !is_branch {
                    self.flow_field(body, method, field, card);
                }
            } else if proxy["dynamic"].as_bool() == Some(true) || proxy["dest"].is_object() {
                let key = proxy["dest"]["key"].as_str().unwrap_or(field.key);
                let path = proxy["path"].as_str().map(str::trim).filter(|path| !path.is_empty());
                let from = path.map_or("item".to_string(), |path| format!("item.{path}"));
                values.insert(field_of(key), json!({"from": from}));
            } else if !is_branch {
                let value = self.value(body, method, field);
                let calls = known.is_some_and(|spec| spec.inputs.iter().any(|input| input.of == Type::FLOW));
                let is_call = matches!(method.card().as_str(), "control.spawn" | "control.run");
                let own = known.is_some_and(|spec| spec.input(field.key).is_some());
                if calls && !own && !is_call && !card_has_blocks(card) {
                    values.extend(value.map(|value| (field_of(field.key), value)));
                } else if !card_has_blocks(card) || own {
                    inputs.extend(value.map(|value| (field_of(field.key), value)));
                }
            }
        }
        if is_branch {
            self.branches(body, method, card);
        }
        for (key, map) in [("inputs", inputs), ("values", values)] {
            if !map.is_empty() {
                card.insert(key.into(), Json::Object(map));
            }
        }
    }

    /// A wire, or the literal that stands in the field.
    fn value(&mut self, body: &Body<'_, 'e>, method: Method<'e>, field: Field<'e>) -> Option<Json> {
        if let Some((from, output)) = body.methods.feeds(method.uuid, field.id) {
            return Some(reference(body, from, output));
        }
        match &field.json["value"]["data"] {
            Json::Null => None,
            data => Some(escaped(data)),
        }
    }

    /// A flow that is called by its id, or one that is embedded and becomes a block.
    fn flow_field(
        &mut self,
        body: &Body<'_, 'e>,
        method: Method<'e>,
        field: Field<'e>,
        card: &mut Map<String, Json>,
    ) {
        match &field.json["value"]["data"] {
            Json::String(id) if self.flows.contains_key(id.as_str()) => {
                let name = self.name_of(id);
                card.insert("flow".into(), json!(name));
            }
            Json::String(id) => {
                self.note(format!(
                    "flow `{}`: it calls the flow `{id}`, which the export does not hold",
                    body.flow
                ));
                card.insert("flow".into(), json!(id_of(id)));
            }
            embedded @ Json::Object(_) => {
                let cards = self.embedded(body, method, embedded, "");
                let key = match (method.card().as_str(), field.key) {
                    ("control.tryCatch", "try") => "try",
                    ("control.tryCatch", _) => "ifError",
                    _ => {
                        let what =
                            format!("flow `{}`: {} holds a flow of its own", body.flow, method.title());
                        self.note(format!("{what}; write it under `flows` and name it with `flow`"));
                        return;
                    }
                };
                card.insert(key.into(), Json::Array(cards));
            }
            _ => {}
        }
    }

    /// The cards of an embedded flow; its parameters are the inputs that the card around has for it.
    fn embedded(
        &mut self,
        body: &Body<'_, 'e>,
        method: Method<'e>,
        flow: &'e Json,
        suffix: &str,
    ) -> Vec<Json> {
        let mut given = BTreeMap::new();
        for field in method.inputs().into_iter().filter(|field| !field.is_flow()) {
            if !suffix.is_empty() && !field.group.ends_with(suffix) {
                continue;
            }
            if let Some(value) = self.value(body, method, field) {
                given.insert(field.key.to_string(), value);
            }
        }
        let methods = Methods::of(flow);
        self.body(&methods, &Source::Embedded(given), body.flow.clone())
    }

    /// Branches of an If/ElseIf: groups of operands, an operator and an embedded flow, in order.
    fn branches(&mut self, body: &Body<'_, 'e>, method: Method<'e>, card: &mut Map<String, Json>) {
        let (mut branches, mut order): (BTreeMap<&str, Vec<Field<'e>>>, Vec<&str>) =
            (BTreeMap::new(), Vec::new());
        for field in method.inputs() {
            if !order.contains(&field.group) {
                order.push(field.group);
            }
            branches.entry(field.group).or_default().push(field);
        }
        let mut written = Vec::new();
        for group in order {
            let fields = &branches[group];
            let flow = fields.iter().find(|field| field.is_flow());
            let cards = match flow.map(|field| &field.json["value"]["data"]) {
                Some(embedded @ Json::Object(_)) => self.embedded(body, method, embedded, group),
                _ => Vec::new(),
            };
            if group.to_ascii_lowercase().starts_with("else")
                && !fields.iter().any(|field| field.key == "operator")
            {
                card.insert("else".into(), Json::Array(cards));
                continue;
            }
            let operands = fields
                .iter()
                .filter(|field| ["left-operand", "operator", "right-operand"].contains(&field.key));
            let mut inputs = Map::new();
            for field in operands {
                inputs.extend(self.value(body, method, *field).map(|value| (field.key.to_string(), value)));
            }
            if flow.is_some() {
                written.push(json!({"inputs": inputs, "then": cards}));
            }
        }
        card.insert("branches".into(), Json::Array(written));
    }

    fn policy(&mut self, error: &Json) -> Option<Json> {
        let kind = error["type"].as_str()?;
        let retry = error["retry"].as_u64().unwrap_or(0).min(10);
        let then = match (kind, error["flo"].as_str()) {
            ("flo" | "handler", Some(id)) => Some(json!({"flow": self.name_of(id)})),
            ("return", _) => {
                let values = error["values"].as_object().map(|values| {
                    values.iter().map(|(key, value)| (field_of(key), escaped(value))).collect::<Map<_, _>>()
                });
                Some(json!({"return": values.unwrap_or_default()}))
            }
            _ => None,
        };
        if retry == 0 && then.is_none() {
            return None;
        }
        let mut policy = Map::new();
        if retry > 0 {
            let delay = error["delay"].as_u64().or_else(|| error["delay"][1].as_u64());
            policy.insert("retry".into(), json!(retry));
            policy.extend(delay.map(|delay| ("after".to_string(), json!(delay.div_ceil(1_000)))));
        }
        policy.extend(then.map(|then| ("then".to_string(), then)));
        Some(Json::Object(policy))
    }
}

fn card_has_blocks(card: &Map<String, Json>) -> bool {
    card.contains_key("try") || card.contains_key("ifError")
}

/// A literal of the export; what looks like a reference of ours is put under `literal`.
fn escaped(data: &Json) -> Json {
    fn looks_like_ours(data: &Json) -> bool {
        match data {
            Json::Object(members) => {
                members.contains_key("from")
                    || members.contains_key("literal")
                    || members.values().any(looks_like_ours)
            }
            Json::Array(items) => items.iter().any(looks_like_ours),
            _ => false,
        }
    }
    if looks_like_ours(data) { json!({"literal": data}) } else { data.clone() }
}

/// A wire as a reference of ours.
fn reference(body: &Body<'_, '_>, from: Method<'_>, output: Field<'_>) -> Json {
    let key = field_of(output.key);
    if begins(&from.card()) {
        return match body.source {
            Source::Embedded(given) => match given.get(output.key) {
                Some(value) => value.clone(),
                None => json!({"from": format!("error.{key}")}),
            },
            Source::Monitor if output.group.eq_ignore_ascii_case("options") => {
                json!({"from": format!("options.{key}")})
            }
            Source::Monitor => json!({"from": "monitor.cursor"}),
            Source::Helper if output.group == "context" => json!({"from": format!("context.{key}")}),
            Source::Helper if output.key == "context" => json!({"from": "context"}),
            Source::Helper => json!({"from": format!("inputs.{key}")}),
        };
    }
    let owner = body.joins.get(from.uuid).copied().unwrap_or(from.uuid);
    json!({"from": format!("{}.{key}", body.ids[owner])})
}

/// Outputs that the author made or typed.
fn made_outputs<'e>(method: Method<'e>, known: Option<&CardSpec>) -> Vec<Field<'e>> {
    let is_made = |field: &Field<'_>| match known {
        None => true,
        Some(spec) if spec.mirrored => false,
        Some(spec) => match spec.output(field.key) {
            Some(output) => output.typed_by_author && type_of(&field.json["value"]) != output.of,
            None => spec.author_outputs,
        },
    };
    method.outputs().into_iter().filter(is_made).collect()
}

fn declared(fields: &[Field<'_>]) -> Json {
    let write = |field: &Field<'_>| (field_of(field.key), json!(type_word(type_of(&field.json["value"]))));
    Json::Object(fields.iter().map(write).collect())
}

/// The Return at the end of a branch: what it feeds into the join.
fn joined(body: &Body<'_, '_>, join: Method<'_>, inside: &[&str], is_then: bool) -> Option<Json> {
    let mut inputs = Map::new();
    for field in join.inputs() {
        // Each output of an If/Else has one field per branch; a field is a branch's by what feeds it, or by its group.
        let side = field.group.to_ascii_lowercase();
        let of_other_side = if is_then { side.contains("false") } else { side.contains("true") };
        match body.methods.feeds(join.uuid, field.id) {
            Some((from, output)) if !of_other_side && (inside.contains(&from.uuid) || !side.is_empty()) => {
                inputs.insert(field_of(field.key), reference(body, from, output));
            }
            None if !of_other_side && !side.is_empty() && !field.json["value"]["data"].is_null() => {
                inputs.insert(field_of(field.key), escaped(&field.json["value"]["data"]));
            }
            _ => {}
        }
    }
    (!inputs.is_empty()).then(|| json!({"card": "control.return", "inputs": inputs}))
}

/// The methods of the two branches of an If/Else, and where they meet.
struct Branch<'e> {
    yes: Vec<&'e str>,
    no: Vec<&'e str>,
    join: Option<&'e str>,
}

fn branch_of<'e>(methods: &Methods<'e>, method: Method<'e>) -> Branch<'e> {
    let heads = |wanted: bool| -> Vec<&'e str> {
        let heads = method.json["branches"].as_object().into_iter().flatten();
        heads.filter(|(_, side)| side.as_bool() == Some(wanted)).map(|(uuid, _)| uuid.as_str()).collect()
    };
    let (yes, no) = (reached(methods, heads(true)), reached(methods, heads(false)));
    let join = yes.iter().chain(&no).copied().find(|uuid| {
        let is_join = methods.get(uuid).is_some_and(|method| method.card() == "control.join");
        is_join && (no.is_empty() || yes.is_empty() || (yes.contains(uuid) && no.contains(uuid)))
    });
    let own = |side: Vec<&'e str>, other: &[&'e str]| -> Vec<&'e str> {
        let behind = join.map(|join| reached(methods, vec![join])).unwrap_or_default();
        let mine = side.into_iter().filter(|uuid| !behind.contains(uuid) && !other.contains(uuid));
        let mine: Vec<&'e str> = mine.collect();
        // In the order in which they run.
        methods.list.iter().map(|method| method.uuid).filter(|uuid| mine.contains(uuid)).collect()
    };
    Branch { yes: own(yes.clone(), &no), no: own(no, &yes), join }
}

/// Everything that follows from these methods, themselves included.
fn reached<'e>(methods: &Methods<'e>, mut open: Vec<&'e str>) -> Vec<&'e str> {
    let mut seen = Vec::new();
    while let Some(uuid) = open.pop() {
        if !seen.contains(&uuid) {
            seen.push(uuid);
            open.extend(methods.after.get(uuid).into_iter().flatten().copied());
        }
    }
    seen
}
