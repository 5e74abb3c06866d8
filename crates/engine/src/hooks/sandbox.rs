//! One run of a script in a fresh JavaScript runtime, with the engine's own limits.
//!
//! The engine looks at the clock only between its steps and some of its steps never end, so this alone is no wall: the
//! pool kills the process. Not here: processes and their walls; what the result means.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use rquickjs::context::{EvalOptions, intrinsic};
use rquickjs::{Array, Coerced, Context, Ctx, Error, Exception, Function, Runtime, Value};
use turnstone_core::hook::{HookCall, HookKind, InputName};

use super::host::{HELD, Libraries, State, host};
use super::wire::{Answer, End};
use crate::clock::{Clock, SystemClock};

/// The libraries, the clock, and JSON that loses no digit.
const PRELUDE: &str = include_str!("js/prelude.js");

/// The name of a script in its own stack traces.
const FILE: &str = "hook.js";

/// Letters of an error that are told.
const MESSAGE_LETTERS_MAX: usize = 1_000;

/// Everything of the language, and nothing that tells the real time.
type Intrinsics = (
    intrinsic::Date,
    intrinsic::Eval,
    intrinsic::RegExpCompiler,
    intrinsic::RegExp,
    intrinsic::Json,
    intrinsic::Proxy,
    intrinsic::MapSet,
    intrinsic::TypedArrays,
    intrinsic::Promise,
    intrinsic::WeakRef,
);

/// Runs the script of a call.
pub(super) fn run(call: &HookCall) -> Answer {
    run_with(call, HELD)
}

/// One run and what it shares with the functions that its script may call.
struct Run<'a> {
    call: &'a HookCall,
    libraries: Libraries,
    state: Rc<RefCell<State>>,
    /// Whether its time is over.
    late: Rc<Cell<bool>>,
    /// Whether a promise was rejected for want of memory: the chain that it belonged to ends there without a word.
    starved: Rc<Cell<bool>>,
}

fn run_with(call: &HookCall, libraries: Libraries) -> Answer {
    let state = Rc::new(RefCell::new(State::new(call)));
    let run = Run { call, libraries, state: Rc::clone(&state), late: Rc::default(), starved: Rc::default() };
    let end = match run.start() {
        Ok((runtime, context)) => {
            let end = context.with(|ctx| run.execute(&ctx));
            // What is left is freed here, so that what goes wrong at it belongs to this run.
            drop(context);
            drop(runtime);
            end
        }
        Err(_) => End::Memory,
    };
    let hit_limit = matches!(end, End::Time { .. } | End::Memory | End::Stack { .. } | End::Output);
    let mut state = state.borrow_mut();
    Answer { end, log: std::mem::take(&mut state.log), log_dropped: state.log_dropped, retires: hit_limit }
}

impl Run<'_> {
    /// A runtime with its limits. The time begins now.
    fn start(&self) -> rquickjs::Result<(Runtime, Context)> {
        let runtime = Runtime::new()?;
        runtime.set_memory_limit(self.call.limits.memory_bytes);
        runtime.set_max_stack_size(self.call.limits.stack_bytes);
        let (clock, late, limit) = (SystemClock::new(), Rc::clone(&self.late), self.call.limits.time);
        runtime.set_interrupt_handler(Some(Box::new(move || {
            late.set(late.get() || clock.monotonic() > limit);
            late.get()
        })));
        let starved = Rc::clone(&self.starved);
        runtime.set_host_promise_rejection_tracker(Some(Box::new(move |_, _, reason, _| {
            let is_memory = || {
                let message = reason.as_exception().and_then(Exception::message);
                message.is_some_and(|message| message.contains("out of memory"))
            };
            starved.set(starved.get() || reason.is_null() || is_memory());
        })));
        let context = Context::custom::<Intrinsics>(&runtime)?;
        Ok((runtime, context))
    }

    fn execute(&self, ctx: &Ctx<'_>) -> End {
        let thrown = self.attempt(ctx).err().map(|error| explain(ctx, &error, self.late.get()));
        let mut state = self.state.borrow_mut();
        // A script that caught its interruption and went on is late all the same.
        if self.late.get() {
            return match thrown {
                Some(End::Time { line }) => End::Time { line },
                _ => End::Time { line: None },
            };
        }
        if let Some(what) = state.refused.take() {
            return End::Refused(what);
        }
        match (state.end.take(), thrown) {
            (Some(end), None) => end,
            (Some(end), Some(End::Thrown { line, message })) => {
                // The first result counts; published hooks go on after it by mistake.
                let place = line.map(|line| format!(" at line {line}")).unwrap_or_default();
                state.log(&format!("threw{place} after done: {message}"));
                end
            }
            (_, Some(thrown)) => thrown,
            (None, None) if self.starved.get() => End::Memory,
            (None, None) => End::NoDone,
        }
    }

    /// Reads the inputs, compiles the script, runs it, and then what it left to do.
    fn attempt(&self, ctx: &Ctx<'_>) -> rquickjs::Result<()> {
        let call = self.call;
        let mut options = EvalOptions::default();
        options.filename = Some("turnstone".to_owned());
        let prelude: Function<'_> = ctx.eval_with_options(PRELUDE, options)?;
        let run: Function<'_> = prelude.call((host(ctx, &self.state, call, self.libraries)?,))?;
        let hook = match compile(ctx, call) {
            Ok(hook) => hook,
            Err(error) => {
                let end = match explain(ctx, &error, self.late.get()) {
                    End::Thrown { line, message } => End::Syntax { line, message },
                    other => other,
                };
                self.state.borrow_mut().end = Some(end);
                return Ok(());
            }
        };
        let texts = Array::new(ctx.clone())?;
        let names = Array::new(ctx.clone())?;
        for (at, &name) in InputName::ALL.iter().enumerate() {
            let json = call.inputs.iter().find(|(given, _)| *given == name).map(|(_, json)| json.get());
            match json {
                Some(json) => texts.set(at, json)?,
                None => texts.set(at, Value::new_undefined(ctx.clone()))?,
            }
            names.set(at, name.as_str())?;
        }
        let may_return_nothing = call.kind != HookKind::Event;
        let _: Value<'_> = run.call((hook, texts, names, call.is_legacy, may_return_nothing))?;
        // A script may have used promises; whoever waits for something that never comes does not get it.
        while !self.late.get() && self.state.borrow().end.is_none() && ctx.execute_pending_job() {}
        Ok(())
    }
}

/// The script as a function of its inputs and `done`. It begins on the first line, so that lines are its own; it is a
/// function within, so that it may declare a name that is an input's.
fn compile<'js>(ctx: &Ctx<'js>, call: &HookCall) -> rquickjs::Result<Function<'js>> {
    let names: Vec<&str> = InputName::ALL.iter().map(|name| name.as_str()).collect();
    let source =
        format!("(function ({}, done) {{ return (function () {{{}\n}})(); }})", names.join(", "), call.body);
    let mut options = EvalOptions::default();
    options.strict = !call.is_legacy;
    options.filename = Some(FILE.to_owned());
    ctx.eval_with_options(source, options)
}

/// What was thrown, as an end.
fn explain(ctx: &Ctx<'_>, error: &Error, late: bool) -> End {
    if !matches!(error, Error::Exception) {
        return match error {
            Error::Allocation => End::Memory,
            other => End::Thrown { line: None, message: shorten(&other.to_string()) },
        };
    }
    let thrown = ctx.catch();
    let line = line_of(&thrown);
    if late {
        return End::Time { line };
    }
    // Memory that ran out while the error about it was made is thrown as null.
    if thrown.is_null() {
        return End::Memory;
    }
    let message = message_of(ctx, &thrown);
    if message.contains("out of memory") {
        End::Memory
    } else if message.contains("call stack size exceeded") {
        End::Stack { line }
    } else {
        End::Thrown { line, message }
    }
}

fn message_of<'js>(ctx: &Ctx<'js>, thrown: &Value<'js>) -> String {
    let text = match thrown.as_exception() {
        Some(exception) => {
            let name = exception.get::<_, Coerced<String>>("name").map(|name| name.0).unwrap_or_default();
            let message = exception.message().unwrap_or_default();
            if message.is_empty() { name } else { format!("{name}: {message}") }
        }
        None => match thrown.get::<Coerced<String>>() {
            Ok(text) => text.0,
            Err(_) => {
                ctx.catch();
                "something that is no text".to_owned()
            }
        },
    };
    let mut text = shorten(&text);
    if text.to_ascii_lowercase().contains("bigint") {
        text.push_str(
            " (an integer beyond 2^53 is a BigInt in a hook, so that no digit is lost; calculate with Number(x))",
        );
    }
    text
}

/// The line of the script in the first place of a stack trace that is the script's.
fn line_of(thrown: &Value<'_>) -> Option<u32> {
    let stack = thrown.as_object().cloned().and_then(Exception::from_object)?.stack()?;
    let (_, rest) = stack.split_once(&format!("{FILE}:"))?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

fn shorten(text: &str) -> String {
    if text.chars().count() <= MESSAGE_LETTERS_MAX {
        return text.to_owned();
    }
    text.chars().take(MESSAGE_LETTERS_MAX).chain(['…']).collect()
}

#[cfg(test)]
mod tests;
