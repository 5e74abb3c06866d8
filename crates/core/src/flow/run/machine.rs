//! The machine: tasks, the order in which they go on, and what they wait for.
//!
//! A task is a stack of frames: flows that call one another, and the blocks of their cards. A loop gives each of its
//! calls a task of its own, so that several of them can wait for answers at once. Everything is deterministic: tasks
//! go on in the order in which they became ready, and requests are sent together in that order.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::loops::Loop;
use super::trace::{Trace, shown};
use super::{
    AwaitFetched, AwaitPause, FlowEnd, FlowError, FlowOutcome, FlowRequest, FlowStart, FlowStep, cursor,
};
use crate::flow::program::{Body, Call, CardCode, Flow, SLOT_CONTEXT, SLOT_PARAMETERS};
use crate::flow::value::{Object, Value, convert};
use crate::limits::REQUESTS_PER_STEP_MAX;
use crate::run::Reply;
use crate::schedule::add;

pub(super) type TaskId = usize;

/// A running flow.
pub(super) struct Machine {
    pub(super) start: FlowStart,
    pub(super) flow: Arc<Flow>,
    pub(super) now: Timestamp,
    pub(super) tasks: BTreeMap<TaskId, Task>,
    next_task: TaskId,
    pub(super) ready: VecDeque<TaskId>,
    /// Tasks whose requests are under way, in request order.
    sent: Vec<TaskId>,
    /// Flows to run at the end, in order.
    pub(super) later: VecDeque<Later>,
    main_ended: bool,
    pub(super) outcome: FlowOutcome,
    pub(super) cursor: cursor::Lowered,
    pub(super) trace: Trace,
    notes: Vec<String>,
    pub(super) cards: u64,
    requests: u64,
    waited: Duration,
    /// Bytes of values that are held.
    held: usize,
    /// Bytes of values ever made.
    worked: u64,
    failure: Option<Box<FlowError>>,
}

/// A flow to run at the end of the run.
pub(super) struct Later {
    pub(super) program: usize,
    pub(super) values: Vec<Value>,
    pub(super) caller: String,
}

/// A stack of frames, and what it waits for.
pub(super) struct Task {
    pub(super) id: TaskId,
    pub(super) frames: Vec<Frame>,
    /// Flows that called this one, in other tasks.
    pub(super) depth: usize,
    /// The task whose loop this one is a call of, and its position there.
    pub(super) parent: Option<(TaskId, usize)>,
    /// Whether its cards are shown even when they do not fail.
    pub(super) is_shown: bool,
    pub(super) waits: Waits,
}

/// What a task waits for.
pub(super) enum Waits {
    /// Nothing.
    Nothing,
    /// The answer to this request; taken when it is sent.
    Answer(Option<Box<FlowRequest>>),
    /// This instant; then the card is done, or tried again.
    Until { at: Timestamp, again: bool },
    /// The calls of a loop.
    Calls,
}

/// A flow or a block on its way.
pub(super) struct Frame {
    pub(super) body: Body,
    pub(super) at: usize,
    pub(super) kind: FrameKind,
    /// The card that is under way at `at`.
    pub(super) running: Option<Running>,
}

/// What a frame is.
pub(super) enum FrameKind {
    /// A flow, with its slots.
    Flow(Activation),
    /// The Try block of the card below.
    Try,
    /// Another block of the card below.
    Block,
}

/// The values of one call of a flow.
pub(super) struct Activation {
    pub(super) program: usize,
    pub(super) slots: Vec<Value>,
    /// Bytes that its slots are counted with.
    pub(super) charged: usize,
}

impl Activation {
    /// Of a flow with these slots.
    pub(super) fn new(program: usize, slots: Vec<Value>) -> Activation {
        Activation { program, slots, charged: 0 }
    }
}

/// A card under way.
pub(super) struct Running {
    pub(super) card: usize,
    pub(super) started: Timestamp,
    /// Tries so far.
    pub(super) tries: u32,
    /// Its row in the trace.
    pub(super) traced: Option<usize>,
    /// Its loop.
    pub(super) looping: Option<Box<Loop>>,
    /// The flow that handles its error is running.
    pub(super) is_handling: bool,
}

/// How a task goes on.
pub(super) enum Next {
    /// With its next card.
    On,
    /// It waits.
    Waiting,
    /// Its bottom flow returned these values.
    Returned(Object),
    /// Its bottom flow failed.
    Failed(Box<FlowError>),
    /// The whole monitor is done.
    MonitorDone,
}

/// What a card did.
pub(super) enum Did {
    /// It gives these outputs.
    Outputs(Object),
    /// It leaves its block, or its flow, with these values.
    Leave(Object),
    /// It runs a block.
    Block(Body, FrameKind),
    /// It runs a flow.
    Flow { program: usize, values: Vec<Value> },
    /// It waits.
    Waits(Waits),
    /// It ends the monitor.
    EndMonitor,
}

pub(super) type CardResult = Result<Did, Box<FlowError>>;

impl Machine {
    pub(super) fn start(start: FlowStart) -> FlowStep {
        let (cursor, fault) = match cursor::read(&start) {
            Ok(read) => (read, None),
            Err(message) => (cursor::Lowered::default(), Some(message)),
        };
        let mut machine = Box::new(Machine {
            flow: Arc::clone(&start.flow),
            now: start.now,
            tasks: BTreeMap::new(),
            next_task: 0,
            ready: VecDeque::new(),
            sent: Vec::new(),
            later: VecDeque::new(),
            main_ended: false,
            outcome: FlowOutcome::default(),
            cursor,
            trace: Trace::default(),
            notes: Vec::new(),
            cards: 0,
            requests: 0,
            waited: Duration::ZERO,
            held: 0,
            worked: 0,
            failure: None,
            start,
        });
        if let Some(message) = fault {
            machine.failure = Some(machine.fault_of_run("bad-cursor", message));
            return machine.finish();
        }
        if let Err(error) = machine.begin() {
            machine.failure = Some(error);
            return machine.finish();
        }
        machine.pump()
    }

    /// A new task that is ready.
    pub(super) fn spawn(
        &mut self,
        frame: Frame,
        depth: usize,
        parent: Option<(TaskId, usize)>,
        is_shown: bool,
    ) {
        let id = self.next_task;
        self.next_task += 1;
        let task = Task { id, frames: vec![frame], depth, parent, is_shown, waits: Waits::Nothing };
        self.tasks.insert(id, task);
        self.ready.push_back(id);
    }

    /// Goes on until something must be asked.
    fn pump(mut self: Box<Self>) -> FlowStep {
        loop {
            while let Some(id) = self.ready.pop_front() {
                let Some(task) = self.tasks.remove(&id) else { continue };
                self.advance(task);
                if self.failure.is_some() {
                    return self.finish();
                }
            }
            if let Some(step) = self.ask_for_answers() {
                return FlowStep::Fetch(step, AwaitFetched(self));
            }
            let wakes = self.tasks.values().filter_map(|task| match task.waits {
                Waits::Until { at, .. } => Some(at),
                Waits::Nothing | Waits::Answer(_) | Waits::Calls => None,
            });
            if let Some(at) = wakes.min() {
                return self.pause_until(at);
            }
            match self.later.pop_front() {
                Some(later) if self.main_ended => self.begin_later(later),
                _ => return self.finish(),
            }
        }
    }

    fn ask_for_answers(&mut self) -> Option<Vec<FlowRequest>> {
        let mut requests = Vec::new();
        for task in self.tasks.values_mut() {
            if let Waits::Answer(request) = &mut task.waits
                && let Some(request) = request.take()
            {
                self.sent.push(task.id);
                requests.push(*request);
            }
            if requests.len() == REQUESTS_PER_STEP_MAX {
                break;
            }
        }
        self.requests += requests.len() as u64;
        (!requests.is_empty()).then_some(requests)
    }

    fn pause_until(mut self: Box<Self>, at: Timestamp) -> FlowStep {
        let pause = at.duration_since(self.now).unsigned_abs();
        if pause > self.waits_left() {
            let message = format!(
                "waits take more than {} s in all; wait for less, or let the next run try again",
                self.start.bounds.waits.as_secs()
            );
            self.failure = Some(self.fault_of_run("limit-waits", message));
            return self.finish();
        }
        self.waited += pause;
        FlowStep::Wait(pause, AwaitPause(self))
    }

    /// Time that may still be spent waiting.
    pub(super) fn waits_left(&self) -> Duration {
        self.start.bounds.waits.saturating_sub(self.waited)
    }

    pub(super) fn fetched(mut self: Box<Self>, replies: Vec<Reply>) -> FlowStep {
        for reply in &replies {
            self.now = self.now.max(add(reply.sent_at, reply.to_head));
        }
        let mut replies = replies.into_iter();
        for id in std::mem::take(&mut self.sent) {
            let reply = replies.next();
            let Some(mut task) = self.tasks.remove(&id) else { continue };
            task.waits = Waits::Nothing;
            let next = match reply {
                Some(_) if self.is_late(&task) => self.time_out(&mut task),
                Some(reply) => self.answered(&mut task, reply),
                None => {
                    let error = self.error_at(&task, "no-reply", "the request was not sent".into());
                    self.raise(&mut task, Box::new(FlowError { transient: true, ..*error }))
                }
            };
            self.settle(task, next);
            if self.failure.is_some() {
                return self.finish();
            }
        }
        self.wake();
        self.check_time();
        if self.failure.is_some() { self.finish() } else { self.pump() }
    }

    pub(super) fn woken(mut self: Box<Self>, now: Timestamp) -> FlowStep {
        self.now = self.now.max(now);
        self.wake();
        self.check_time();
        if self.failure.is_some() { self.finish() } else { self.pump() }
    }

    fn check_time(&mut self) {
        let spent = self.now.duration_since(self.start.now).unsigned_abs();
        if spent > self.start.bounds.time {
            let message = format!(
                "it takes more than {} s; fetch less per run, or let records carry the cursor forward in steps",
                self.start.bounds.time.as_secs()
            );
            self.failure = Some(self.fault_of_run("limit-time", message));
        }
    }

    /// Makes tasks ready whose pause is over.
    fn wake(&mut self) {
        let over = |task: &&Task| matches!(task.waits, Waits::Until { at, .. } if at <= self.now);
        let ids: Vec<TaskId> = self.tasks.values().filter(over).map(|task| task.id).collect();
        for id in ids {
            let Some(mut task) = self.tasks.remove(&id) else { continue };
            let again = matches!(
                std::mem::replace(&mut task.waits, Waits::Nothing),
                Waits::Until { again: true, .. }
            );
            let next = match (self.is_late(&task), again) {
                (true, _) => self.time_out(&mut task),
                (false, true) => self.try_again(&mut task),
                (false, false) => self.did(&mut task, Ok(Did::Outputs(Object::new()))),
            };
            self.settle(task, next);
        }
    }

    /// Puts a task where it belongs after a step outside `advance`.
    pub(super) fn settle(&mut self, task: Task, next: Next) {
        match next {
            Next::On => {
                self.ready.push_back(task.id);
                self.tasks.insert(task.id, task);
            }
            Next::Waiting => {
                self.tasks.insert(task.id, task);
            }
            ended => self.ended(task, ended),
        }
    }

    /// Runs a task's cards until it waits or ends.
    fn advance(&mut self, mut task: Task) {
        loop {
            match self.next_card(&mut task) {
                Next::On => {}
                Next::Waiting => {
                    self.tasks.insert(task.id, task);
                    return;
                }
                ended => return self.ended(task, ended),
            }
        }
    }

    fn next_card(&mut self, task: &mut Task) -> Next {
        let frame = task.frames.last().expect("a task that goes on has a frame");
        let Some(card) = frame.body.get(frame.at).copied() else {
            return self.leave(task, Object::new());
        };
        if let Err(error) = self.begin_card(task, card) {
            return self.raise(task, error);
        }
        let did = self.carry_out(task);
        self.did(task, did)
    }

    /// Counts a card and notes that it begins.
    fn begin_card(&mut self, task: &mut Task, card: usize) -> Result<(), Box<FlowError>> {
        let frame = task.frames.last_mut().expect("a task that goes on has a frame");
        frame.running = Some(Running {
            card,
            started: self.now,
            tries: 1,
            traced: None,
            looping: None,
            is_handling: false,
        });
        self.cards += 1;
        if self.cards > self.start.bounds.cards {
            let message = format!(
                "more than {} cards ran; fetch less per run, or replace loops by list cards",
                self.start.bounds.cards
            );
            return Err(self.limit(task, "limit-cards", message));
        }
        Ok(())
    }

    /// The same card once more.
    fn try_again(&mut self, task: &mut Task) -> Next {
        if let Some(running) = task.frames.last_mut().and_then(|frame| frame.running.as_mut()) {
            running.tries += 1;
        }
        let did = self.carry_out(task);
        self.did(task, did)
    }

    /// What follows from what a card did.
    pub(super) fn did(&mut self, task: &mut Task, did: CardResult) -> Next {
        match did {
            Ok(Did::Outputs(outputs)) => self.card_done(task, outputs),
            Ok(Did::Leave(values)) => {
                self.trace_outputs(task, None);
                self.leave(task, values)
            }
            Ok(Did::Block(body, kind)) => {
                task.frames.push(Frame { body, at: 0, kind, running: None });
                Next::On
            }
            Ok(Did::Flow { program, values }) => {
                let caller = self.label_of_flow(task);
                let context = self.context(None, &caller, None);
                match self.enter(task, program, values, context) {
                    Ok(()) => Next::On,
                    Err(error) => self.raise(task, error),
                }
            }
            Ok(Did::Waits(waits)) => {
                task.waits = waits;
                Next::Waiting
            }
            Ok(Did::EndMonitor) => {
                self.trace_outputs(task, None);
                Next::MonitorDone
            }
            Err(error) => self.raise(task, error),
        }
    }

    /// Enters a flow in the same task.
    fn enter(
        &mut self,
        task: &mut Task,
        program: usize,
        values: Vec<Value>,
        context: Value,
    ) -> Result<(), Box<FlowError>> {
        self.check_depth(task)?;
        let frame = self.activate(program, values, context).map_err(|error| self.placed(task, error))?;
        task.frames.push(frame);
        Ok(())
    }

    /// Refuses a call that would be one too deep.
    pub(super) fn check_depth(&self, task: &Task) -> Result<(), Box<FlowError>> {
        let flows = task.frames.iter().filter(|frame| matches!(frame.kind, FrameKind::Flow(_))).count();
        if task.depth + flows < self.start.bounds.depth {
            return Ok(());
        }
        let message = format!(
            "flows call one another more than {} deep; end the recursion, or use a loop",
            self.start.bounds.depth
        );
        Err(self.limit(task, "limit-depth", message))
    }

    /// A frame of a flow with its parameters.
    pub(super) fn activate(
        &mut self,
        program: usize,
        values: Vec<Value>,
        context: Value,
    ) -> Result<Frame, Box<FlowError>> {
        let flow = Arc::clone(&self.flow);
        let code = &flow.programs[program];
        let mut slots = vec![Value::Null; code.slots];
        slots[SLOT_CONTEXT] = context;
        let mut charged = 0;
        for (at, ((name, of), value)) in code.parameters.iter().zip(values).enumerate() {
            let value = convert(value, *of).map_err(|why| {
                let message = format!("parameter `{name}` of flow `{}`: {why}", code.name);
                let mut error = self.fault_of_run("wrong-type", message);
                error.input = Some(name.clone());
                error.fatal = false;
                error
            })?;
            charged += shallow_bytes(&value);
            slots[SLOT_PARAMETERS + at] = value;
        }
        self.held += charged;
        Ok(flow_frame(code.body.clone(), Activation { program, slots, charged }))
    }

    /// A body is over: the card below it, or the caller, goes on with `values`.
    fn leave(&mut self, task: &mut Task, mut values: Object) -> Next {
        let frame = task.frames.pop().expect("a task that goes on has a frame");
        if let FrameKind::Flow(activation) = frame.kind {
            self.held = self.held.saturating_sub(activation.charged);
            let flow = Arc::clone(&self.flow);
            let declared = &flow.programs[activation.program].outputs;
            let converted = converted(&mut values, declared);
            if task.frames.is_empty() {
                return match converted {
                    Ok(returned) => Next::Returned(returned),
                    Err(message) => {
                        let mut error = self.fault_of_run("wrong-type", message);
                        error.flow = format!("flow `{}`", flow.programs[activation.program].name);
                        error.card = "Return".into();
                        error.fatal = false;
                        Next::Failed(error)
                    }
                };
            }
            return match converted {
                Ok(returned) => self.card_done(task, returned),
                Err(message) => {
                    let error = self.error_at(task, "wrong-type", message);
                    self.raise(task, error)
                }
            };
        }
        self.card_done(task, values)
    }

    /// The card under way gives its outputs, and the next one follows.
    pub(super) fn card_done(&mut self, task: &mut Task, mut outputs: Object) -> Next {
        let flow = Arc::clone(&self.flow);
        let code = card_code(&flow, task);
        let mut kept: Vec<(usize, Value)> = Vec::with_capacity(code.outputs.len());
        for output in &code.outputs {
            let value = outputs.get_mut(&output.key).map(std::mem::take).unwrap_or_default();
            match convert(value, output.of) {
                Ok(value) => kept.push((output.slot, value)),
                Err(why) => {
                    let message = format!("output `{}` should be {}: {why}", output.key, output.of);
                    let error = self.error_at(task, "wrong-type", message);
                    return self.raise(task, error);
                }
            }
        }
        if self.is_traced(task) {
            let values =
                code.outputs.iter().map(|output| output.key.as_str()).zip(kept.iter().map(|(_, v)| v));
            let text = shown(values);
            self.trace_outputs(task, (!code.outputs.is_empty()).then_some(text));
        }
        let bytes: usize = kept.iter().map(|(_, value)| value.json_bytes()).sum();
        let activation = activation_mut(task);
        activation.charged += bytes;
        for (slot, value) in kept {
            activation.slots[slot] = value;
        }
        if let Err(error) = self.charge(task, bytes) {
            return self.raise(task, error);
        }
        let frame = task.frames.last_mut().expect("a card stands in a frame");
        frame.running = None;
        frame.at += 1;
        Next::On
    }

    /// Counts bytes of values that are held from now on.
    pub(super) fn charge(&mut self, task: &Task, bytes: usize) -> Result<(), Box<FlowError>> {
        self.held += bytes;
        self.worked += bytes as u64;
        let bounds = &self.start.bounds;
        if self.held > bounds.value_bytes {
            let message = format!(
                "values take more than {} MiB; fetch less per run, or keep only the fields that are needed",
                bounds.value_bytes >> 20
            );
            return Err(self.limit(task, "limit-memory", message));
        }
        self.work(task, 0)
    }

    /// Counts bytes that a card walks over.
    pub(super) fn work(&mut self, task: &Task, bytes: usize) -> Result<(), Box<FlowError>> {
        self.worked += bytes as u64;
        if self.worked > self.start.bounds.work_bytes {
            let message = format!(
                "cards handled more than {} MiB of values; use list cards in place of loops, or fetch less per run",
                self.start.bounds.work_bytes >> 20
            );
            return Err(self.limit(task, "limit-work", message));
        }
        Ok(())
    }

    /// Gives bytes back that were counted with [`Self::charge`].
    pub(super) fn release(&mut self, bytes: usize) {
        self.held = self.held.saturating_sub(bytes);
    }

    /// An error of the card under way: tried again, handled, caught, or passed on.
    pub(super) fn raise(&mut self, task: &mut Task, error: Box<FlowError>) -> Next {
        if error.fatal {
            self.trace_error(task, &error);
            return Next::Failed(error);
        }
        loop {
            if task.frames.last().is_none() {
                return Next::Failed(error);
            }
            if task.frames.last().is_some_and(|frame| frame.running.is_some()) {
                if let Some(looping) = self.take_loop(task) {
                    self.release(looping.charged);
                    self.cancel_calls(task.id);
                }
                if let Some(next) = self.by_policy(task, &error) {
                    return next;
                }
                self.trace_error(task, &error);
            }
            let Some(frame) = task.frames.pop() else { return Next::Failed(error) };
            self.give_up(task.id, frame.running);
            match frame.kind {
                FrameKind::Flow(activation) => self.release(activation.charged),
                FrameKind::Block => {}
                FrameKind::Try => return self.catch(task, &error),
            }
        }
    }

    /// The If Error block of the card below takes over.
    fn catch(&mut self, task: &mut Task, error: &FlowError) -> Next {
        let flow = Arc::clone(&self.flow);
        let code = card_code(&flow, task);
        let crate::flow::program::Action::Try { if_error, error: slot, .. } = &code.action else {
            unreachable!("a Try frame stands on a Try card");
        };
        activation_mut(task).slots[*slot] = error.object(&self.start.execution);
        task.frames.push(Frame { body: if_error.clone(), at: 0, kind: FrameKind::Block, running: None });
        Next::On
    }

    /// Forgets what a card under way held.
    pub(super) fn give_up(&mut self, task: TaskId, running: Option<Running>) {
        if let Some(looping) = running.and_then(|running| running.looping) {
            self.release(looping.charged);
            self.cancel_calls(task);
        }
    }

    /// Gives back what a task holds.
    pub(super) fn forget(&mut self, task: Task) {
        for frame in task.frames {
            if let Some(looping) = frame.running.and_then(|running| running.looping) {
                self.release(looping.charged);
            }
            if let FrameKind::Flow(activation) = frame.kind {
                self.release(activation.charged);
            }
        }
    }

    fn ended(&mut self, task: Task, next: Next) {
        let parent = task.parent;
        let loops = |frame: &Frame| frame.running.as_ref().is_some_and(|running| running.looping.is_some());
        if task.frames.iter().any(loops) {
            self.cancel_calls(task.id);
        }
        self.forget(task);
        let result = match next {
            Next::Failed(error) if error.fatal => {
                self.failure = Some(error);
                return;
            }
            Next::Failed(error) => Err(error),
            Next::Returned(values) => Ok(values),
            Next::On | Next::Waiting | Next::MonitorDone => Ok(Object::new()),
        };
        match (parent, self.main_ended) {
            (Some((parent, index)), _) => self.deliver(parent, index, result),
            (None, false) => {
                self.main_ended = true;
                match result {
                    Ok(values) => self.outcome.returned = values,
                    Err(error) => self.failure = Some(error),
                }
            }
            (None, true) => {
                if let Err(error) = result {
                    self.note(format!("a flow that was called asynchronously failed: {error}"));
                }
            }
        }
    }

    pub(super) fn note(&mut self, note: String) {
        const NOTES_MAX: usize = 50;
        if self.notes.len() < NOTES_MAX && !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// The end, well or not. A run that fails brings nothing.
    fn finish(mut self: Box<Self>) -> FlowStep {
        let result = match self.failure.take() {
            Some(error) => Err(*error),
            None => Ok(std::mem::take(&mut self.outcome)),
        };
        if result.is_err() && !self.later.is_empty() {
            self.note(format!("{} flows that were called asynchronously did not run", self.later.len()));
        }
        FlowStep::Done(Box::new(FlowEnd {
            result,
            trace: self.trace,
            notes: self.notes,
            cards: self.cards,
            requests: self.requests,
            finished_at: self.now,
        }))
    }
}

/// A flow that begins.
pub(super) fn flow_frame(body: Body, activation: Activation) -> Frame {
    Frame { body, at: 0, kind: FrameKind::Flow(activation), running: None }
}

/// The values of the flow that a task is in.
pub(super) fn activation(task: &Task) -> &Activation {
    let flows = task.frames.iter().rev().find_map(|frame| match &frame.kind {
        FrameKind::Flow(activation) => Some(activation),
        FrameKind::Try | FrameKind::Block => None,
    });
    flows.expect("the bottom frame of a task is a flow")
}

fn activation_mut(task: &mut Task) -> &mut Activation {
    let flows = task.frames.iter_mut().rev().find_map(|frame| match &mut frame.kind {
        FrameKind::Flow(activation) => Some(activation),
        FrameKind::Try | FrameKind::Block => None,
    });
    flows.expect("the bottom frame of a task is a flow")
}

/// The card under way.
pub(super) fn card_code<'f>(flow: &'f Flow, task: &Task) -> &'f CardCode {
    let frame = task.frames.last().expect("a card stands in a frame");
    let card = frame.running.as_ref().map_or_else(|| frame.body[frame.at], |running| running.card);
    &flow.programs[activation(task).program].cards[card]
}

/// Values of declared outputs in their types; those that were not given are nothing.
fn converted(values: &mut Object, declared: &[(String, crate::flow::value::Type)]) -> Result<Object, String> {
    let mut returned = Object::with_capacity(declared.len());
    for (name, of) in declared {
        let value = values.get_mut(name).map(std::mem::take).unwrap_or_default();
        let value = convert(value, *of).map_err(|why| format!("returned value `{name}`: {why}"))?;
        returned.insert(name.clone(), value);
    }
    Ok(returned)
}

/// Bytes that a value takes of its own: lists and objects are shared.
pub(super) fn shallow_bytes(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len() + 24,
        Value::Null
        | Value::Boolean(_)
        | Value::Number(_)
        | Value::Date(_)
        | Value::Object(_)
        | Value::List(_)
        | Value::File(_) => 24,
    }
}

/// Values of a call's parameters.
pub(super) fn call_values(
    call: &Call,
    task: &Task,
    of_call: Option<&super::loops::OfThisCall>,
) -> Vec<Value> {
    call.values.iter().map(|expression| super::cards::evaluate(expression, task, of_call)).collect()
}
