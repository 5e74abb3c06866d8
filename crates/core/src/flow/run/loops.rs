//! Cards that call a helper flow again and again: list cards, Repeat, Paginate (catalogue §3, §7, §10).
//!
//! Every call is a task of its own; as many run at once as the card's `concurrency` says, at most sixteen. Results
//! keep the order of the items, whatever the order in which calls end.

use std::sync::Arc;

use super::FlowError;
use super::cards::count;
use super::http::Pages;
use super::machine::{CardResult, Did, Machine, Next, Task, TaskId, Waits, call_values, card_code};
use super::showing::shows_call;
use crate::flow::program::{Action, Call, Flow, LoopKind};
use crate::flow::value::{Object, Type, Value, convert};
use crate::limits::REQUESTS_PER_STEP_MAX;

/// What a call counts as work, even when its flow has no card.
const CALL_BYTES: usize = 512;

/// A loop on its way.
#[derive(Debug)]
pub(super) struct Loop {
    pub(super) kind: LoopKind,
    items: Items,
    /// Calls to make.
    total: usize,
    /// The next call.
    next: usize,
    /// Calls under way.
    active: usize,
    concurrency: usize,
    results: Vec<Option<Value>>,
    /// What Reduce has so far; records of Paginate.
    memo: Value,
    /// What Find found.
    found: Option<usize>,
    pub(super) records: Vec<Value>,
    pub(super) pages: Option<Box<Pages>>,
    /// Bytes of results that are counted as held.
    pub(super) charged: usize,
}

/// What a loop goes over.
#[derive(Debug)]
enum Items {
    List(Arc<Vec<Value>>),
    Object(Arc<Object>),
    Numbers,
}

/// What differs from call to call.
#[derive(Debug, Default)]
pub(super) struct OfThisCall {
    pub(super) item: Value,
    pub(super) index: usize,
    pub(super) key: Option<String>,
    pub(super) memo: Value,
    pub(super) page: Value,
}

impl Loop {
    fn of_call(&self, index: usize) -> OfThisCall {
        let (item, key) = match &self.items {
            Items::List(items) => (items.get(index).cloned().unwrap_or_default(), None),
            Items::Object(members) => match members.get_index(index) {
                Some((key, value)) => (value.clone(), Some(key.clone())),
                None => (Value::Null, None),
            },
            Items::Numbers => (i64::try_from(index).map_or(Value::Null, Value::whole), None),
        };
        let page = self.pages.as_ref().map_or(Value::Null, |pages| pages.answer.clone());
        OfThisCall { item, index, key, memo: self.memo.clone(), page }
    }

    /// What differs in the call for a page.
    pub(super) fn of_page(&self, index: usize) -> OfThisCall {
        self.of_call(index)
    }

    /// Counts a call that was begun.
    pub(super) fn began_call(&mut self) {
        self.active += 1;
    }

    /// What Paginate gives.
    pub(super) fn all_records(self) -> Object {
        self.outputs()
    }

    fn is_over(&self) -> bool {
        self.active == 0 && (self.next >= self.total || self.found.is_some())
    }

    /// What the card gives.
    fn outputs(mut self) -> Object {
        let mut outputs = Object::new();
        match self.kind {
            LoopKind::Each | LoopKind::EachIgnoringErrors | LoopKind::Times => {}
            LoopKind::Map | LoopKind::MapToList => {
                let results = self.results.into_iter().map(Option::unwrap_or_default);
                outputs.insert("new list".into(), Value::list(results.collect()));
            }
            LoopKind::Filter => {
                let kept = (0..self.total).filter(|at| self.results[*at] == Some(Value::Boolean(true)));
                let kept: Vec<Value> = kept.map(|at| self.of_call(at).item).collect();
                outputs.insert("list".into(), Value::list(kept));
            }
            LoopKind::Find => {
                let found = self.found;
                outputs.insert("item".into(), found.map_or(Value::Null, |at| self.of_call(at).item));
                let index = found.and_then(|at| i64::try_from(at).ok());
                outputs.insert("index".into(), index.map_or(Value::Null, Value::whole));
            }
            LoopKind::Reduce => {
                outputs.insert("item".into(), self.memo);
            }
            LoopKind::MapObject => {
                let members = self.results.into_iter().flatten().filter_map(|result| match result {
                    Value::Object(members) => {
                        let key = members.get("key").map(Value::to_text)?;
                        Some((key, members.get("value").cloned().unwrap_or_default()))
                    }
                    _ => None,
                });
                outputs.insert("output".into(), Value::object(members.collect()));
            }
            LoopKind::Paginate => {
                outputs.insert("records".into(), Value::list(std::mem::take(&mut self.records)));
            }
        }
        outputs
    }
}

impl Machine {
    pub(super) fn begin_loop(
        &mut self,
        task: &mut Task,
        flow: &Flow,
        kind: LoopKind,
        call: &Call,
        given: Object,
    ) -> CardResult {
        self.check_depth(task)?;
        if kind == LoopKind::Paginate {
            return self.begin_pages(task, given);
        }
        let (items, total) = match kind {
            LoopKind::Times => (Items::Numbers, self.times(task, &given)?),
            LoopKind::MapToList | LoopKind::MapObject => match given.get("object") {
                Some(Value::Object(members)) => (Items::Object(Arc::clone(members)), members.len()),
                _ => (Items::Numbers, 0),
            },
            _ => match given.get("list") {
                Some(Value::List(items)) => (Items::List(Arc::clone(items)), items.len()),
                _ => (Items::Numbers, 0),
            },
        };
        let concurrency = match (kind, given.get("concurrency")) {
            (LoopKind::Find | LoopKind::Reduce, _) | (_, None | Some(Value::Null)) => 1,
            _ => match count(&given, "concurrency") {
                Some(0) | None => {
                    let message = "`concurrency` is no number of calls; write 1 to 16";
                    return Err(self.input_error(task, "bad-value", "concurrency", message.into()));
                }
                Some(wanted) => wanted.min(REQUESTS_PER_STEP_MAX),
            },
        };
        let looping = Loop {
            kind,
            items,
            total,
            next: 0,
            active: 0,
            concurrency,
            results: vec![None; total],
            memo: given.get("memo").cloned().unwrap_or_default(),
            found: None,
            records: Vec::new(),
            pages: None,
            charged: 0,
        };
        self.set_loop(task, Box::new(looping));
        self.call_more(task, flow, call)
    }

    fn times(&self, task: &Task, given: &Object) -> Result<usize, Box<FlowError>> {
        let Some(times) = count(given, "count") else {
            let message = "`count` is no number of calls; write a whole number that is not negative";
            return Err(self.input_error(task, "bad-value", "count", message.into()));
        };
        if times > self.start.bounds.iterations {
            let message = format!(
                "it would call its flow {times} times, and at most {} are allowed",
                self.start.bounds.iterations
            );
            return Err(self.limit(task, "limit-iterations", message));
        }
        Ok(times)
    }

    /// A loop over pages.
    pub(super) fn loop_of_pages(pages: Pages) -> Box<Loop> {
        Box::new(Loop {
            kind: LoopKind::Paginate,
            items: Items::Numbers,
            total: 0,
            next: 0,
            active: 0,
            concurrency: 1,
            results: Vec::new(),
            memo: Value::Null,
            found: None,
            records: Vec::new(),
            pages: Some(Box::new(pages)),
            charged: 0,
        })
    }

    pub(super) fn set_loop(&self, task: &mut Task, looping: Box<Loop>) {
        let running = task.frames.last_mut().and_then(|frame| frame.running.as_mut());
        running.expect("a loop belongs to a card under way").looping = Some(looping);
    }

    pub(super) fn take_loop(&self, task: &mut Task) -> Option<Box<Loop>> {
        task.frames.last_mut().and_then(|frame| frame.running.as_mut()).and_then(|it| it.looping.take())
    }

    /// Begins as many calls as may run at once; the loop's outputs when it is over.
    fn call_more(&mut self, task: &mut Task, flow: &Flow, call: &Call) -> CardResult {
        let Some(mut looping) = self.take_loop(task) else { return Ok(Did::Outputs(Object::new())) };
        while looping.active < looping.concurrency && looping.next < looping.total && looping.found.is_none()
        {
            let index = looping.next;
            looping.next += 1;
            match self.call_one(task, call, &looping.of_call(index)) {
                Ok(()) => looping.active += 1,
                Err(error) if error.fatal || looping.kind != LoopKind::EachIgnoringErrors => {
                    self.release(looping.charged);
                    self.cancel_calls(task.id);
                    return Err(error);
                }
                Err(error) => self.note_ignored(flow, &error),
            }
        }
        if !looping.is_over() {
            self.set_loop(task, looping);
            return Ok(Did::Waits(Waits::Calls));
        }
        self.release(looping.charged);
        Ok(Did::Outputs(looping.outputs()))
    }

    fn note_ignored(&mut self, flow: &Flow, error: &FlowError) {
        self.note(format!("monitor `{}`: an error of one item was ignored: {error}", flow.name));
    }

    /// Begins one call as a task of its own.
    pub(super) fn call_one(
        &mut self,
        task: &Task,
        call: &Call,
        of_call: &OfThisCall,
    ) -> Result<(), Box<FlowError>> {
        self.work(task, CALL_BYTES)?;
        let values = call_values(call, task, Some(of_call));
        let context = self.context(Some(of_call.index), &self.label_of_flow(task), None);
        let frame = self.activate(call.program, values, context).map_err(|error| {
            let placed =
                self.error_at(task, &error.code, format!("item {}: {}", of_call.index, error.message));
            Box::new(FlowError { input: error.input, ..*placed })
        })?;
        let flows =
            task.frames.iter().filter(|frame| matches!(frame.kind, super::machine::FrameKind::Flow(_)));
        let depth = task.depth + flows.count();
        let is_shown = task.is_shown && shows_call(of_call.index);
        self.spawn(frame, depth, Some((task.id, of_call.index)), is_shown);
        Ok(())
    }

    /// A call has ended.
    pub(super) fn deliver(&mut self, parent: TaskId, index: usize, result: Result<Object, Box<FlowError>>) {
        let Some(mut task) = self.tasks.remove(&parent) else { return };
        task.waits = Waits::Nothing;
        let next = if self.is_late(&task) {
            self.cancel_calls(task.id);
            self.time_out(&mut task)
        } else {
            self.delivered(&mut task, index, result)
        };
        self.settle(task, next);
    }

    fn delivered(&mut self, task: &mut Task, index: usize, result: Result<Object, Box<FlowError>>) -> Next {
        let flow = Arc::clone(&self.flow);
        let Action::Loop(_, call) = &card_code(&flow, task).action else {
            unreachable!("only loops have calls");
        };
        let Some(mut looping) = self.take_loop(task) else { return Next::Waiting };
        looping.active -= 1;
        let taken = match result {
            Ok(values) => self.take_result(task, &mut looping, index, values),
            Err(error) if looping.kind == LoopKind::EachIgnoringErrors => {
                self.note_ignored(&flow, &error);
                Ok(())
            }
            Err(error) => Err(error),
        };
        if let Err(error) = taken {
            self.release(looping.charged);
            self.cancel_calls(task.id);
            return self.raise(task, error);
        }
        if looping.kind == LoopKind::Paginate {
            let did = self.next_page(task, looping);
            return self.did(task, did);
        }
        self.set_loop(task, looping);
        let did = self.call_more(task, &flow, call);
        self.did(task, did)
    }

    fn take_result(
        &mut self,
        task: &Task,
        looping: &mut Loop,
        index: usize,
        mut values: Object,
    ) -> Result<(), Box<FlowError>> {
        let result = match looping.kind {
            LoopKind::Each | LoopKind::EachIgnoringErrors | LoopKind::Times => return Ok(()),
            LoopKind::Paginate => {
                return self.take_page(task, looping, values);
            }
            LoopKind::MapObject => Value::object(values),
            _ if values.len() == 1 => {
                values.get_index_mut(0).map(|(_, value)| std::mem::take(value)).unwrap_or_default()
            }
            _ if values.is_empty() => Value::Null,
            _ => Value::object(values),
        };
        let bytes = result.json_bytes();
        looping.charged += bytes;
        self.charge(task, bytes)?;
        match looping.kind {
            LoopKind::Filter | LoopKind::Find => {
                let truth = convert(result, Type::BOOLEAN).map_err(|why| {
                    let message =
                        format!("what the flow returns for item {index} is not true or false: {why}");
                    self.error_at(task, "wrong-type", message)
                })?;
                let holds = truth == Value::Boolean(true);
                if holds && looping.kind == LoopKind::Find {
                    looping.found = Some(index);
                }
                looping.results[index] = Some(Value::Boolean(holds));
            }
            LoopKind::Reduce => looping.memo = result,
            _ => looping.results[index] = Some(result),
        }
        Ok(())
    }

    /// Ends the calls of a task's loop, and theirs.
    pub(super) fn cancel_calls(&mut self, parent: TaskId) {
        let mut parents = vec![parent];
        while let Some(parent) = parents.pop() {
            let calls = self.tasks.values().filter(|task| task.parent.is_some_and(|(id, _)| id == parent));
            let ids: Vec<TaskId> = calls.map(|task| task.id).collect();
            for id in ids {
                if let Some(task) = self.tasks.remove(&id) {
                    self.forget(task);
                }
                parents.push(id);
            }
        }
    }
}
