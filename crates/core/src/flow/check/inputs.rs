//! Inputs of a card against its row of the catalogue, and values of a call against the flow that is called.

use serde_json::Value as Json;

use super::super::card::{Card, Input};
use super::super::cards::{CardSpec, InputSpec};
use super::super::program::{Expression, InputCode, LoopKind};
use super::super::value::{Kind, Type, convert};
use super::compile::Compiler;
use super::{Signature, literal, wires};
use crate::check::nearest::nearest;
use crate::check::section::member_path;

impl Compiler<'_> {
    /// Compiles what a document writes for an input, and says what it is.
    pub(super) fn expression(
        &mut self,
        path: &str,
        input: &Input,
        card: &str,
        loops: Option<LoopKind>,
    ) -> (Expression, Type) {
        match input {
            Input::Literal(json) => {
                let value = literal(json);
                let of = value.own_type();
                (Expression::Literal(value), of)
            }
            Input::From(reference) => match self.resolve(reference, card, loops) {
                Ok(found) => found,
                Err((problem, remedy)) => {
                    let problem = format!("`{}` leads nowhere: {problem}", reference.text);
                    self.findings.fault(path, problem, remedy);
                    (Expression::Literal(Default::default()), Type::ANY)
                }
            },
            Input::List(items) => {
                let parts = items.iter().enumerate();
                let parts =
                    parts.map(|(at, item)| self.expression(&format!("{path}[{at}]"), item, card, loops).0);
                (Expression::List(parts.collect()), Type::LIST)
            }
            Input::Object(members) => {
                let parts = members.iter().map(|(name, value)| {
                    (name.clone(), self.expression(&member_path(path, name), value, card, loops).0)
                });
                (Expression::Object(parts.collect()), Type::OBJECT)
            }
        }
    }

    /// Compiles an input of a declared type.
    pub(super) fn wire(
        &mut self,
        path: &str,
        input: &Input,
        of: Type,
        card: &str,
        loops: Option<LoopKind>,
    ) -> Expression {
        let (expression, from) = self.expression(path, input, card, loops);
        if let Input::Literal(json) = input {
            if let Err(why) = convert(literal(json), of) {
                let why = why.to_string();
                let otherwise = (why.as_str(), format!("write {}", example(of)));
                // A text that cannot be read says itself what could be.
                let (why, remedy) =
                    why.rsplit_once("; ").map_or(otherwise, |(why, remedy)| (why, remedy.to_string()));
                self.findings.fault(path, format!("the value does not fit: {why}"), remedy);
            }
        } else if !wires::join(from, of) {
            let problem = format!("a type clash: {from} is given, {of} is wanted");
            self.findings.fault(path, problem, remedy_of_clash(from, of));
        }
        expression
    }

    /// The inputs of a card. `author` says what becomes of inputs that the catalogue does not name.
    pub(super) fn inputs(
        &mut self,
        card: &Card,
        spec: &'static CardSpec,
        author: AuthorInputs<'_>,
    ) -> (Vec<InputCode>, Vec<(String, Type)>) {
        let path = member_path(&card.path, "inputs");
        let id = card.id.clone().unwrap_or_default();
        let (mut codes, mut types): (Vec<InputCode>, Vec<(String, Type)>) = (Vec::new(), Vec::new());
        for (name, input) in &card.inputs {
            let place = member_path(&path, name);
            let known = spec.input(name).filter(|known| known.of != Type::FLOW);
            let (key, of) = match (known, &author) {
                (Some(known), _) => (key_of(known, name), known.of),
                (None, _) if spec.input(name).is_some() => {
                    let remedy = "name the flow with `flow`, and blocks with their own members";
                    self.findings.fault(&place, "a flow is no input here", remedy);
                    continue;
                }
                (None, AuthorInputs::Free) => (name.clone(), Type::ANY),
                (None, AuthorInputs::Parameters(signature)) => match parameter(signature, name) {
                    Some(of) => (name.clone(), of),
                    None => {
                        self.unknown_parameter(&place, name, signature);
                        continue;
                    }
                },
                (None, AuthorInputs::None(more)) => {
                    self.unknown_input(&place, name, spec, more);
                    continue;
                }
            };
            if codes.iter().any(|code| code.key == key) {
                let problem = format!("the input `{key}` is given twice, by its key and by its label");
                self.findings.fault(&place, problem, "write it once");
                continue;
            }
            if let Input::Literal(Json::Null) = input
                && known.is_some_and(|known| known.required && !known.nullable && known.of != Type::TEXT)
            {
                let problem = format!("the required input `{name}` is null");
                self.findings.fault(&place, problem, "write a value, or refer to one");
                continue;
            }
            let (expression, from) = (self.wire(&place, input, of, &id, None), self.type_of(input, &id));
            types.push((name.clone(), if of == Type::ANY { from } else { of }));
            codes.push(InputCode { key, expression });
        }
        self.required(card, spec, &codes);
        (codes, types)
    }

    /// The type of an input as far as it is known, without faults of its own.
    fn type_of(&self, input: &Input, card: &str) -> Type {
        match input {
            Input::Literal(json) => literal(json).own_type(),
            Input::From(reference) => self.resolve(reference, card, None).map_or(Type::ANY, |(_, of)| of),
            Input::List(_) => Type::LIST,
            Input::Object(_) => Type::OBJECT,
        }
    }

    fn required(&mut self, card: &Card, spec: &CardSpec, codes: &[InputCode]) {
        for input in spec.inputs.iter().filter(|input| input.required && input.of != Type::FLOW) {
            let given =
                codes.iter().any(|code| code.key == input.key || input.number_of(&code.key).is_some());
            if !given {
                let problem = format!("the required input `{}` is missing", input.label);
                let remedy = format!("give it {}", example(input.of));
                self.findings.fault(&member_path(&card.path, "inputs"), problem, remedy);
            }
        }
    }

    fn unknown_input(&mut self, place: &str, name: &str, spec: &CardSpec, more: &[&str]) {
        let mut known: Vec<&str> =
            spec.inputs.iter().filter(|input| input.of != Type::FLOW).map(|input| input.label).collect();
        known.extend(more);
        let remedy = match nearest(name, &known) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None if known.is_empty() => "remove it; the card takes no inputs".to_string(),
            None => format!("remove it; the card takes {}", known.join(", ")),
        };
        self.findings.fault(place, format!("`{}` has no input `{name}`", spec.id), remedy);
    }

    fn unknown_parameter(&mut self, place: &str, name: &str, signature: &Signature) {
        let known: Vec<&str> = signature.inputs.iter().map(|(name, _)| name.as_str()).collect();
        let remedy = match nearest(name, &known) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None if known.is_empty() => "remove it; the flow takes no inputs".to_string(),
            None => format!("remove it; the flow takes {}", known.join(", ")),
        };
        self.findings.fault(place, format!("the flow `{}` has no input `{name}`", signature.name), remedy);
    }

    /// The parameters of a call, in their order.
    pub(super) fn parameters(
        &mut self,
        path: &str,
        values: &[(String, Input)],
        signature: &Signature,
        card: &str,
        loops: Option<LoopKind>,
    ) -> Vec<Expression> {
        for (name, _) in values.iter().filter(|(name, _)| parameter(signature, name).is_none()) {
            self.unknown_parameter(&member_path(path, name), name, signature);
        }
        let mut parameters = Vec::new();
        for (name, of) in &signature.inputs {
            let given = values.iter().find(|(known, _)| known == name);
            parameters.push(match given {
                Some((_, input)) => self.wire(&member_path(path, name), input, *of, card, loops),
                None => Expression::Literal(Default::default()),
            });
        }
        parameters
    }
}

/// What becomes of inputs that the catalogue does not name.
#[derive(Clone, Copy, Debug)]
pub(super) enum AuthorInputs<'s> {
    /// The author makes them.
    Free,
    /// They are parameters of the called flow.
    Parameters(&'s Signature),
    /// There are none; these names help to find what was meant.
    None(&'s [&'s str]),
}

pub(super) fn parameter(signature: &Signature, name: &str) -> Option<Type> {
    signature.inputs.iter().find(|(known, _)| known == name).map(|(_, of)| *of)
}

/// The key by which a card's evaluation knows an input: of repeated ones the name as it is written.
fn key_of(known: &InputSpec, name: &str) -> String {
    if known.repeated { name.to_string() } else { known.key.to_string() }
}

/// What would be right for a type.
pub(super) fn example(of: Type) -> String {
    let one = match of.kind {
        Kind::Text => "a text",
        Kind::Number => "a number",
        Kind::Boolean => "true or false",
        Kind::Date => "a date such as `2025-01-31T09:30:00Z`",
        Kind::Object => "an object",
        Kind::File => "a file",
        Kind::Flow => "the name of a flow",
        Kind::Any => "a value",
    };
    let one = if of.collection { format!("a list, each item {one}") } else { one.to_string() };
    format!("{one}, or `{{from: card.output}}`")
}

fn remedy_of_clash(from: Type, to: Type) -> &'static str {
    match (from.collection, to.collection, to.kind) {
        (true, false, _) => "take one item with At, Get First Item or Find, or use a list card",
        (_, _, Kind::Object) => "build an object with Construct",
        (_, _, Kind::Date) => "read a date with Text to Date",
        (_, _, Kind::Number) => "use an output that is a number",
        _ => "convert it with a card in between",
    }
}
