//! What the cards do that steer a run: everything but loops and requests.

use std::sync::Arc;
use std::time::Duration;

use super::conditions;
use super::loops::OfThisCall;
use super::machine::{
    CardResult, Did, FrameKind, Later, Machine, Next, Task, Waits, activation, call_values, card_code,
    shallow_bytes,
};
use super::{FlowError, cursor, outputs};
use crate::flow::cards::{self, CardError, Context, Inputs};
use crate::flow::program::{Action, CardCode, Expression, Flow, InputCode, OfCall, Program, ThenCode};
use crate::flow::value::{Number, Object, Type, Value, convert};
use crate::schedule::add;

impl Machine {
    /// Carries out the card under way.
    pub(super) fn carry_out(&mut self, task: &mut Task) -> CardResult {
        let flow = Arc::clone(&self.flow);
        let code = card_code(&flow, task);
        let mut given = Object::with_capacity(code.inputs.len());
        for input in &code.inputs {
            given.insert(input.key.clone(), evaluate(&input.expression, task, None));
        }
        self.trace_inputs(task, &given);
        let bytes = given.values().map(walked_bytes).sum();
        self.work(task, bytes)?;
        match &code.action {
            Action::Pure => self.pure(task, code, given),
            _ => {
                let given = self.typed(task, code, given)?;
                self.steer(task, &flow, code, given)
            }
        }
    }

    fn pure(&mut self, task: &Task, code: &CardCode, given: Object) -> CardResult {
        let context = Context {
            now: self.start.provider_now,
            zones: self.start.zones,
            seed: self.start.seed,
            counter: self.cards,
        };
        let inputs = Inputs::from(given).with_outputs(code.author_outputs.clone());
        match cards::evaluate(code.spec.id, &inputs, &context) {
            Ok(outputs) => Ok(Did::Outputs(outputs)),
            Err(error) => Err(self.card_error(task, error)),
        }
    }

    /// A card's own error, with its place.
    pub(super) fn card_error(&self, task: &Task, error: CardError) -> Box<FlowError> {
        let mut at = self.error_at(task, error.code.as_str(), error.message);
        at.input = error.input;
        at
    }

    /// Inputs of a card that the run carries out, in their declared types, with defaults.
    fn typed(&self, task: &Task, code: &CardCode, given: Object) -> Result<Object, Box<FlowError>> {
        let mut typed = given;
        for input in code.spec.inputs {
            if matches!(code.action, Action::Branch { .. }) || input.of == Type::FLOW {
                continue; // Conditions stand in the branches, flows in the code.
            }
            let value = typed.get_mut(input.key).map(std::mem::take).unwrap_or_default();
            let value = convert(value, input.of).map_err(|why| {
                let message = format!("input `{}`: {why}", input.label);
                self.input_error(task, "wrong-type", input.key, message)
            })?;
            let value = match (value, input.default) {
                (Value::Null, Some(json)) => Value::from_json(json).unwrap_or_default(),
                (Value::Null, None) if input.of == Type::TEXT && input.required => Value::text(""),
                (Value::Null, None) if input.required && !input.nullable => {
                    let message = format!("input `{}` has no value; wire one to it", input.label);
                    return Err(self.input_error(task, "missing-input", input.key, message));
                }
                (value, _) => value,
            };
            typed.insert(input.key.to_string(), value);
        }
        Ok(typed)
    }

    pub(super) fn input_error(
        &self,
        task: &Task,
        code: &str,
        input: &str,
        message: String,
    ) -> Box<FlowError> {
        let error = self.error_at(task, code, message);
        Box::new(FlowError { input: Some(input.to_string()), ..*error })
    }

    fn steer(&mut self, task: &mut Task, flow: &Flow, code: &CardCode, given: Object) -> CardResult {
        match &code.action {
            Action::Pure => self.pure(task, code, given),
            Action::Nothing => Ok(Did::Outputs(Object::new())),
            Action::Cursor => self.save_cursor(task, given),
            Action::ReturnOutputs => self.return_outputs(task, &given),
            Action::Call(call) => {
                Ok(Did::Flow { program: call.program, values: call_values(call, task, None) })
            }
            Action::CallLater(call) => {
                let values = call_values(call, task, None);
                self.charge(task, values.iter().map(shallow_bytes).sum())?;
                let caller = self.label_of_flow(task);
                self.later.push_back(Later { program: call.program, values, caller });
                Ok(Did::Outputs(Object::new()))
            }
            Action::Return => Ok(Did::Leave(given)),
            Action::Wait => self.wait(task, &given),
            Action::If { then, otherwise } => {
                let holds = self.holds(task, code, &code.inputs, &given)?;
                Ok(Did::Block(if holds { then.clone() } else { otherwise.clone() }, FrameKind::Block))
            }
            Action::Branch { branches, otherwise } => {
                for (condition, body) in branches {
                    let given = condition
                        .iter()
                        .map(|input| (input.key.clone(), evaluate(&input.expression, task, None)));
                    if self.holds(task, code, condition, &given.collect())? {
                        return Ok(Did::Block(body.clone(), FrameKind::Block));
                    }
                }
                Ok(Did::Block(otherwise.clone(), FrameKind::Block))
            }
            Action::Try { body, .. } => Ok(Did::Block(body.clone(), FrameKind::Try)),
            Action::ContinueIf => match self.holds(task, code, &code.inputs, &given)? {
                true => Ok(Did::Outputs(only("message", &given))),
                false => {
                    let message = text(&given, "message");
                    if !message.is_empty() && task.parent.is_none() {
                        self.note(format!("card `{}` ended its block or flow: {message}", code.label));
                    }
                    Ok(Did::Leave(Object::new()))
                }
            },
            Action::Throw => Err(self.thrown(task, &given)),
            Action::ThrowIf => match self.holds(task, code, &code.inputs, &given)? {
                true => Err(self.thrown(task, &given)),
                false => Ok(Did::Outputs(Object::new())),
            },
            Action::Loop(kind, call) => self.begin_loop(task, flow, *kind, call, given),
            Action::Http(kind) => self.ask(task, *kind, given),
        }
    }

    fn holds(
        &self,
        task: &Task,
        code: &CardCode,
        condition: &[InputCode],
        given: &Object,
    ) -> Result<bool, Box<FlowError>> {
        let program = &self.flow.programs[activation(task).program];
        let declared = left_type(program, condition);
        conditions::holds(given, declared).map_err(|mut error| {
            if matches!(code.action, Action::Branch { .. }) {
                error.message = format!("a branch's condition: {}", error.message);
            }
            self.card_error(task, error)
        })
    }

    fn save_cursor(&mut self, task: &Task, mut given: Object) -> CardResult {
        let value = given.get_mut("Properties").map(std::mem::take).unwrap_or_default();
        match cursor::saved(value, self.flow.cursor, &self.cursor) {
            Ok(text) => {
                self.outcome.cursor = Some(text);
                Ok(Did::Outputs(Object::new()))
            }
            Err((code, message)) => Err(self.input_error(task, code, "Properties", message)),
        }
    }

    fn return_outputs(&mut self, task: &Task, given: &Object) -> CardResult {
        let list = given.get("List").cloned().unwrap_or_default();
        let count = match &list {
            Value::List(items) => items.len(),
            _ => 0,
        };
        if count > self.start.bounds.records {
            let message = format!(
                "{count} records are returned, at most {} may be; fetch less per run",
                self.start.bounds.records
            );
            return Err(self.limit(task, "limit-records", message));
        }
        match outputs::records(&self.flow, &list) {
            Ok(records) => {
                self.charge(task, records.iter().map(|record| record.body.len()).sum())?;
                self.outcome.records = records;
                Ok(Did::EndMonitor)
            }
            Err(message) => Err(self.input_error(task, "wrong-outputs", "List", message)),
        }
    }

    fn wait(&mut self, task: &Task, given: &Object) -> CardResult {
        let delay = match given.get("delay") {
            Some(Value::Number(number)) => number.as_f64(),
            _ => 0.0,
        };
        let unit = text(given, "unit").trim().to_ascii_lowercase();
        let seconds = match unit.trim_end_matches('s') {
            "millisecond" | "m" | "milli" => 0.001,
            "second" | "sec" | "" => 1.0,
            "minute" | "min" => 60.0,
            "hour" => 3_600.0,
            "day" => 86_400.0,
            _ => {
                let message =
                    format!("`{unit}` is not a unit of time; write milliseconds, seconds or minutes");
                return Err(self.input_error(task, "bad-value", "unit", message));
            }
        };
        let pause = Duration::try_from_secs_f64(delay * seconds);
        let Ok(pause) = pause else {
            let message = format!("{delay} {unit} cannot be waited for; give a number that is not negative");
            return Err(self.input_error(task, "bad-value", "delay", message));
        };
        if pause > self.waits_left() {
            let message = format!(
                "{} s more would be waited, and waits may take {} s in all; let the next run go on",
                pause.as_secs(),
                self.start.bounds.waits.as_secs()
            );
            return Err(self.limit(task, "limit-waits", message));
        }
        Ok(Did::Waits(Waits::Until { at: add(self.now, pause), again: false }))
    }

    fn thrown(&self, task: &Task, given: &Object) -> Box<FlowError> {
        let status = match given.get("statusCode") {
            Some(Value::Number(number)) => number.as_i64().and_then(|status| u16::try_from(status).ok()),
            _ => None,
        };
        let message = text(given, "message");
        let message = if message.is_empty() { "the flow returned an error".to_string() } else { message };
        let error = self.error_at(task, "returned-error", message);
        Box::new(FlowError { status, ..*error })
    }

    /// What the card's policy makes of an error; `None` lets it go on.
    pub(super) fn by_policy(&mut self, task: &mut Task, error: &FlowError) -> Option<Next> {
        let flow = Arc::clone(&self.flow);
        let code = card_code(&flow, task);
        let policy = code.policy.as_ref()?;
        let running = task.frames.last().and_then(|frame| frame.running.as_ref())?;
        if running.is_handling {
            return None;
        }
        if error.status == Some(429) && running.tries <= policy.retry {
            let pause = policy.after.max(error.retry_after.unwrap_or_default());
            if pause <= self.waits_left() {
                task.waits = Waits::Until { at: add(self.now, pause), again: true };
                return Some(Next::Waiting);
            }
            self.note(format!(
                "card `{}` was not tried again: the pause of {} s is longer than a run may wait",
                code.label,
                pause.as_secs()
            ));
        }
        let frame = task.frames.last_mut().expect("a card stands in a frame");
        frame.running.as_mut().expect("asked of a card under way").is_handling = true;
        match &policy.then {
            ThenCode::Halt => None,
            ThenCode::Return(values) => {
                let values = values.iter().map(|(name, value)| (name.clone(), evaluate(value, task, None)));
                let outputs = values.collect();
                Some(self.card_done(task, outputs))
            }
            ThenCode::Flow(call) => {
                let values = call_values(call, task, None);
                let context = self.context(None, &self.label_of_flow(task), Some(error));
                match self.check_depth(task).and_then(|()| self.activate(call.program, values, context)) {
                    Ok(frame) => {
                        task.frames.push(frame);
                        Some(Next::On)
                    }
                    Err(error) => Some(self.raise(task, error)),
                }
            }
        }
    }
}

/// The declared type of a condition's left operand.
fn left_type(program: &Program, condition: &[InputCode]) -> Type {
    let left = condition.iter().find(|input| input.key == "left-operand");
    match left.map(|input| &input.expression) {
        Some(Expression::Slot(slot, path)) if path.is_empty() => {
            let outputs = program.cards.iter().flat_map(|card| &card.outputs);
            outputs.filter(|output| output.slot == *slot).map(|output| output.of).next().unwrap_or(Type::ANY)
        }
        _ => Type::ANY,
    }
}

/// The value of an expression in the flow that a task is in.
pub(super) fn evaluate(expression: &Expression, task: &Task, call: Option<&OfThisCall>) -> Value {
    match expression {
        Expression::Literal(value) => value.clone(),
        Expression::Slot(slot, path) => at_path(&activation(task).slots[*slot], path),
        Expression::Call(which, path) => match call {
            Some(call) => match which {
                OfCall::Item => at_path(&call.item, path),
                OfCall::Memo => at_path(&call.memo, path),
                OfCall::Page => at_path(&call.page, path),
                OfCall::Key => call.key.clone().map_or(Value::Null, Value::text),
                OfCall::Index => i64::try_from(call.index).map_or(Value::Null, Value::whole),
            },
            None => Value::Null,
        },
        Expression::List(items) => Value::list(items.iter().map(|item| evaluate(item, task, call)).collect()),
        Expression::Object(members) => {
            let members = members.iter().map(|(name, value)| (name.clone(), evaluate(value, task, call)));
            Value::object(members.collect())
        }
    }
}

/// The value at a path: members by name, items of lists by position from 0; nothing where there is none.
pub(super) fn at_path(value: &Value, path: &[String]) -> Value {
    let mut value = value;
    for step in path {
        let next = match value {
            Value::Object(members) => members.get(step),
            Value::List(items) => step.parse::<usize>().ok().and_then(|at| items.get(at)),
            _ => None,
        };
        match next {
            Some(next) => value = next,
            None => return Value::Null,
        }
    }
    value.clone()
}

/// Bytes that a card must walk at least to use a value: a shared list costs its length.
fn walked_bytes(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::List(items) => 16 * items.len(),
        Value::Object(members) => 16 * members.len(),
        Value::File(file) => file.bytes.len(),
        Value::Null | Value::Boolean(_) | Value::Number(_) | Value::Date(_) => 8,
    }
}

/// A text input.
pub(super) fn text(given: &Object, key: &str) -> String {
    given.get(key).map(Value::to_text).unwrap_or_default()
}

/// A whole number that is not negative, as an input gives it.
pub(super) fn count(given: &Object, key: &str) -> Option<usize> {
    match given.get(key) {
        Some(Value::Number(number)) => whole(number),
        _ => None,
    }
}

pub(super) fn whole(number: &Number) -> Option<usize> {
    number.as_i64().and_then(|count| usize::try_from(count).ok())
}

fn only(key: &str, given: &Object) -> Object {
    let mut outputs = Object::new();
    outputs.insert(key.to_string(), given.get(key).cloned().unwrap_or_default());
    outputs
}
