//! What is said of cards under way: where they stand, whether their time is over, and their rows in the trace.

use super::FlowError;
use super::machine::{FrameKind, Machine, Next, Task, activation, card_code};
use super::trace::{CALLS_SHOWN, CardTrace, shown};
use crate::flow::value::{Object, Value};

impl Machine {
    /// A fault that no card has.
    pub(super) fn fault_of_run(&self, code: &str, message: String) -> Box<FlowError> {
        Box::new(FlowError {
            card: "Polling Monitor".into(),
            place: "monitor".into(),
            flow: format!("monitor `{}`", self.flow.name),
            input: None,
            code: code.into(),
            message,
            status: None,
            raw: None,
            transient: false,
            fatal: true,
            retry_after: None,
        })
    }

    /// The outermost card of a task whose time is over.
    fn late_frame(&self, task: &Task) -> Option<usize> {
        let flow = &self.flow;
        let mut program = 0;
        for (at, frame) in task.frames.iter().enumerate() {
            if let FrameKind::Flow(activation) = &frame.kind {
                program = activation.program;
            }
            let Some(running) = &frame.running else { continue };
            let timeout = flow.programs[program].cards[running.card].timeout;
            let spent = self.now.duration_since(running.started).unsigned_abs();
            if timeout.is_some_and(|timeout| spent > timeout) {
                return Some(at);
            }
        }
        None
    }

    pub(super) fn is_late(&self, task: &Task) -> bool {
        self.late_frame(task).is_some()
    }

    /// Fails the card whose time is over, and everything inside it.
    pub(super) fn time_out(&mut self, task: &mut Task) -> Next {
        let at = self.late_frame(task).expect("asked only when a card is late");
        for frame in task.frames.drain(at + 1..).collect::<Vec<_>>() {
            self.give_up(task.id, frame.running);
            if let FrameKind::Flow(activation) = frame.kind {
                self.release(activation.charged);
            }
        }
        let timeout = card_code(&self.flow, task).timeout.unwrap_or_default();
        let message = format!("it took longer than its timeout of {} s", timeout.as_secs());
        let error = self.error_at(task, "timeout", message);
        self.raise(task, Box::new(FlowError { transient: true, ..*error }))
    }

    /// An error of the card under way.
    pub(super) fn error_at(&self, task: &Task, code: &str, message: String) -> Box<FlowError> {
        let mut error = self.fault_of_run(code, message);
        error.fatal = false;
        self.placed(task, error)
    }

    /// The same, with the place of the card under way.
    pub(super) fn placed(&self, task: &Task, mut error: Box<FlowError>) -> Box<FlowError> {
        let code = card_code(&self.flow, task);
        error.card.clone_from(&code.label);
        error.place.clone_from(&code.place);
        error.flow = self.label_of_flow(task);
        error
    }

    /// A bound that was crossed by the card under way.
    pub(super) fn limit(&self, task: &Task, code: &str, message: String) -> Box<FlowError> {
        let error = self.error_at(task, code, message);
        Box::new(FlowError { fatal: true, ..*error })
    }

    pub(super) fn label_of_flow(&self, task: &Task) -> String {
        match activation(task).program {
            0 => format!("monitor `{}`", self.flow.name),
            program => format!("flow `{}`", self.flow.programs[program].name),
        }
    }

    /// What a helper flow knows of its call (catalogue 2.3).
    pub(super) fn context(&self, index: Option<usize>, caller: &str, error: Option<&FlowError>) -> Value {
        let mut parent = Object::new();
        parent.insert("id".into(), Value::text(caller));
        let mut members = Object::new();
        members.insert("execution_id".into(), Value::text(self.start.execution.as_str()));
        let index = index.and_then(|index| i64::try_from(index).ok());
        members.insert("index".into(), index.map_or(Value::Null, Value::whole));
        members.insert("parent".into(), Value::object(parent));
        let error = error.map_or(Value::Null, |error| error.object(&self.start.execution));
        members.insert("error".into(), error);
        Value::object(members)
    }

    /// Notes a card's inputs.
    pub(super) fn trace_inputs(&mut self, task: &mut Task, inputs: &Object) {
        let shows = task.is_shown && self.trace.has_room();
        let Some(running) = task.frames.last().and_then(|frame| frame.running.as_ref()) else { return };
        if running.traced.is_some() {
            return; // Tried again: the first try's row goes on.
        }
        if !shows {
            self.trace.left_out += 1;
            return;
        }
        let row = self.trace_row(task, shown(inputs.iter().map(|(name, value)| (name.as_str(), value))));
        let at = self.trace.begin(row);
        if let Some(running) = task.frames.last_mut().and_then(|frame| frame.running.as_mut()) {
            running.traced = Some(at);
        }
    }

    fn trace_row(&self, task: &Task, inputs: String) -> CardTrace {
        let code = card_code(&self.flow, task);
        CardTrace {
            flow: self.label_of_flow(task),
            card: code.label.clone(),
            place: code.place.clone(),
            kind: code.spec.id,
            index: task.parent.map(|(_, index)| index),
            started_at: self.now,
            finished_at: None,
            inputs,
            outputs: None,
            error: None,
            raw: None,
        }
    }

    pub(super) fn is_traced(&self, task: &Task) -> bool {
        let running = task.frames.last().and_then(|frame| frame.running.as_ref());
        running.is_some_and(|running| running.traced.is_some()) && self.trace.has_room()
    }

    pub(super) fn trace_outputs(&mut self, task: &Task, outputs: Option<String>) {
        let running = task.frames.last().and_then(|frame| frame.running.as_ref());
        let Some(at) = running.and_then(|running| running.traced) else { return };
        self.trace.cards[at].finished_at = Some(self.now);
        if let Some(text) = outputs {
            self.trace.outputs(at, text);
        }
    }

    pub(super) fn trace_error(&mut self, task: &Task, error: &FlowError) {
        let Some(running) = task.frames.last().and_then(|frame| frame.running.as_ref()) else { return };
        let at = match running.traced {
            Some(at) => at,
            None if self.trace.has_room_for_failure() => {
                let row = self.trace_row(task, "{}".into());
                self.trace.left_out = self.trace.left_out.saturating_sub(1);
                self.trace.begin(row)
            }
            None => return,
        };
        self.trace.cards[at].finished_at = Some(self.now);
        self.trace.error(at, error.message.clone(), error.raw.as_deref());
    }
}

/// Whether the cards of a loop's call are shown.
pub(super) fn shows_call(index: usize) -> bool {
    index < CALLS_SHOWN
}
