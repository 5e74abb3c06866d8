//! Whether what reaches Return Outputs has the declared groups and fields, as far as the cards say what they build.
//!
//! Constructed objects, lists of them and what helper flows return are followed; where a shape comes from a provider
//! there is nothing to say before the run, which checks every record.

use super::super::document::Document;
use super::super::program::{Action, CardCode, Expression, LoopKind, Program, SLOT_PARAMETERS};
use super::super::value::{Kind, Type, Value};
use crate::check::nearest::nearest;
use crate::check::section::{Findings, member_path};

/// Flows and cards that are followed.
const FOLLOWED_MAX: usize = 64;

/// What is known of a value.
#[derive(Clone, Debug, PartialEq)]
enum Shape {
    /// Nothing.
    Unknown,
    /// It is of this type and no object or list.
    Plain(Type),
    /// An object of exactly these members.
    Object(Vec<(String, Shape)>),
    /// A list of such items.
    List(Box<Shape>),
}

pub(super) fn check_outputs(document: &Document, programs: &[Program], findings: &mut Findings) {
    let main = &programs[0];
    for card in main.cards.iter().filter(|card| matches!(card.action, Action::ReturnOutputs)) {
        let Some(input) = card.inputs.iter().find(|input| input.key == "List") else { continue };
        let path = member_path(&member_path(&card.place, "inputs"), "List");
        let shape = Follower { programs, left: FOLLOWED_MAX }.of(main, &input.expression);
        let item = match shape {
            Shape::List(item) => *item,
            Shape::Object(members) => Shape::Object(members),
            // What is no list at all is a type clash of the wire.
            Shape::Plain(_) | Shape::Unknown => continue,
        };
        check_item(document, &path, &item, findings);
    }
}

fn check_item(document: &Document, path: &str, item: &Shape, findings: &mut Findings) {
    let groups: Vec<&str> = document.outputs.iter().map(|group| group.name.as_str()).collect();
    let members = match item {
        Shape::Object(members) => members,
        Shape::Plain(of) => {
            let problem = format!("each item is {of}, an object `{{group: {{field: value}}}}` is wanted");
            findings.fault(path, problem, "build each item with Construct");
            return;
        }
        Shape::List(_) => {
            let problem = "each item is a list, an object `{group: {field: value}}` is wanted";
            findings.fault(path, problem, "flatten the list");
            return;
        }
        Shape::Unknown => return,
    };
    for (name, shape) in members {
        let Some(group) = document.outputs.iter().find(|group| group.name == *name) else {
            let remedy = match nearest(name, &groups) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("declared are {}", groups.join(", ")),
            };
            findings.fault(path, format!("the group `{name}` is not declared under `outputs`"), remedy);
            continue;
        };
        match shape {
            Shape::Object(fields) => {
                let known: Vec<&str> = group.fields.iter().map(|(name, _)| name.as_str()).collect();
                for (field, _) in fields.iter().filter(|(field, _)| !known.contains(&field.as_str())) {
                    let remedy = match nearest(field, &known) {
                        Some(meant) => format!("did you mean `{meant}`?"),
                        None => format!("declared are {}", known.join(", ")),
                    };
                    let problem =
                        format!("the field `{field}` of group `{name}` is not declared under `outputs`");
                    findings.fault(path, problem, remedy);
                }
            }
            Shape::Plain(of) => {
                let problem = format!("the group `{name}` is {of}, an object of its fields is wanted");
                findings.fault(path, problem, "build it with Construct");
            }
            Shape::List(_) => {
                let problem = format!("the group `{name}` is a list, an object of its fields is wanted");
                findings.fault(path, problem, "return one object per record");
            }
            Shape::Unknown => {}
        }
    }
}

/// Follows values back to the cards that made them.
struct Follower<'p> {
    programs: &'p [Program],
    left: usize,
}

impl Follower<'_> {
    fn of(&mut self, program: &Program, expression: &Expression) -> Shape {
        if self.left == 0 {
            return Shape::Unknown;
        }
        self.left -= 1;
        match expression {
            Expression::Literal(value) => of_value(value, 0),
            Expression::Call(..) => Shape::Unknown,
            Expression::List(items) => {
                let mut shapes = items.iter().map(|item| self.of(program, item));
                let first = shapes.next().unwrap_or(Shape::Unknown);
                let same = shapes.all(|shape| shape == first);
                Shape::List(Box::new(if same { first } else { Shape::Unknown }))
            }
            Expression::Object(members) => {
                let members = members.iter().map(|(name, value)| (name.clone(), self.of(program, value)));
                Shape::Object(members.collect())
            }
            Expression::Slot(slot, path) => {
                let mut shape = self.of_slot(program, *slot);
                for step in path {
                    shape = match shape {
                        Shape::Object(members) => members
                            .into_iter()
                            .find(|(name, _)| name == step)
                            .map_or(Shape::Unknown, |(_, it)| it),
                        Shape::List(item) => *item,
                        Shape::Plain(_) | Shape::Unknown => Shape::Unknown,
                    };
                }
                shape
            }
        }
    }

    fn of_slot(&mut self, program: &Program, slot: usize) -> Shape {
        let made = program.cards.iter().find_map(|card| {
            card.outputs.iter().find(|output| output.slot == slot).map(|output| (card, output))
        });
        let Some((card, output)) = made else {
            let parameter = slot.checked_sub(SLOT_PARAMETERS).and_then(|at| program.parameters.get(at));
            return parameter.map_or(Shape::Unknown, |(_, of)| of_type(*of));
        };
        match self.of_output(program, card, &output.key) {
            Shape::Unknown => of_type(output.of),
            shape => shape,
        }
    }

    fn of_output(&mut self, program: &Program, card: &CardCode, key: &str) -> Shape {
        match (&card.action, card.spec.id) {
            (Action::Pure, "object.construct") => {
                let inputs = card.inputs.iter();
                Shape::Object(inputs.map(|it| (it.key.clone(), self.of(program, &it.expression))).collect())
            }
            (Action::Pure, "control.let") => {
                let input = card.inputs.iter().find(|input| input.key == key);
                input.map_or(Shape::Unknown, |input| self.of(program, &input.expression))
            }
            (Action::Call(call), _) => self.returned(call.program, key),
            (Action::Loop(LoopKind::Map | LoopKind::MapToList, call), _) => {
                let outputs = self.programs[call.program].outputs.clone();
                let item = match outputs.as_slice() {
                    [(only, _)] => self.returned(call.program, only),
                    several => Shape::Object(
                        several
                            .iter()
                            .map(|(name, _)| (name.clone(), self.returned(call.program, name)))
                            .collect(),
                    ),
                };
                Shape::List(Box::new(item))
            }
            _ => Shape::Unknown,
        }
    }

    /// What a flow returns, when it has one Return at its end and none elsewhere.
    fn returned(&mut self, program: usize, key: &str) -> Shape {
        let program = &self.programs[program];
        let declared = program.outputs.iter().find(|(name, _)| name == key).map_or(Type::ANY, |(_, of)| *of);
        let mut returns =
            program.body.iter().map(|at| &program.cards[*at]).filter(|card| card.action_is_return());
        let (Some(last), None) = (returns.next(), returns.next()) else { return of_type(declared) };
        let input = last.inputs.iter().find(|input| input.key == key);
        match input.map_or(Shape::Unknown, |input| self.of(program, &input.expression)) {
            Shape::Unknown => of_type(declared),
            shape => shape,
        }
    }
}

/// What a type alone says.
fn of_type(of: Type) -> Shape {
    match (of.collection, of.kind) {
        (true, _) => Shape::List(Box::new(of_type(of.item()))),
        (false, Kind::Object | Kind::Any | Kind::Text) => Shape::Unknown,
        (false, _) => Shape::Plain(of),
    }
}

fn of_value(value: &Value, depth: usize) -> Shape {
    match value {
        _ if depth > 3 => Shape::Unknown,
        Value::Null => Shape::Unknown,
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| (name.clone(), of_value(value, depth + 1)));
            Shape::Object(members.collect())
        }
        Value::List(items) => {
            let mut shapes = items.iter().map(|item| of_value(item, depth + 1));
            let first = shapes.next().unwrap_or(Shape::Unknown);
            let same = shapes.all(|shape| shape == first);
            Shape::List(Box::new(if same { first } else { Shape::Unknown }))
        }
        Value::Text(text) if text.trim_start().starts_with(['{', '[']) => Shape::Unknown,
        other => Shape::Plain(other.own_type()),
    }
}
