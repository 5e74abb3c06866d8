//! What a script can reach outside itself: a few functions over the state of its run.
//!
//! None of them touches anything but that state and its own arguments. Not here: the names under which a script knows
//! them; the prelude gives those.

use std::cell::RefCell;
use std::rc::Rc;

use rquickjs::context::EvalOptions;
use rquickjs::{Coerced, Ctx, Exception, Function, Object, Result, Value};
use serde_json::value::RawValue;
use turnstone_core::hook::HookCall;
use turnstone_core::limits;

use super::wire::End;
use super::{ce, numbers};
use crate::clock::{Entropy, SeededEntropy};

include!(concat!(env!("OUT_DIR"), "/libraries.rs"));

/// Texts of libraries by their short names.
pub(super) type Libraries = &'static [(&'static str, &'static str)];

/// The libraries that this build holds.
pub(super) const HELD: Libraries = LIBRARIES;

/// What is ours, and not needed in every run.
const OURS: Libraries = &[("numbers", include_str!("js/numbers.js")), ("util", include_str!("js/util.js"))];

/// One run, as it stands.
#[derive(Debug)]
pub(super) struct State {
    /// How it ended, when it has.
    pub end: Option<End>,
    /// What it asked for and does not get.
    pub refused: Option<String>,
    pub log: Vec<String>,
    pub log_dropped: u64,
    log_bytes: usize,
    now_ms: i64,
    chance: SeededEntropy,
}

impl State {
    /// A run that begins.
    pub(super) fn new(call: &HookCall) -> Self {
        State {
            end: None,
            refused: None,
            log: Vec::new(),
            log_dropped: 0,
            log_bytes: 0,
            now_ms: call.now.as_millisecond(),
            chance: SeededEntropy::new(call.seed),
        }
    }

    /// Keeps a line, or counts it.
    pub(super) fn log(&mut self, line: &str) {
        let fits = self.log_bytes + line.len() <= limits::HOOK_LOG_BYTES_MAX;
        if !fits || self.log.len() >= limits::HOOK_LOG_LINES_MAX {
            self.log_dropped += 1;
            return;
        }
        self.log_bytes += line.len();
        self.log.push(line.to_owned());
    }

    /// The call's time, a millisecond later at each look: a script that waits by looking comes to an end.
    fn now(&mut self) -> f64 {
        let now = self.now_ms;
        self.now_ms += 1;
        now as f64
    }

    /// From 0 up to but not 1: the same seed gives the same numbers everywhere.
    fn random(&mut self) -> f64 {
        (self.chance.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// The functions, as the object that the prelude takes.
pub(super) fn host<'js>(
    ctx: &Ctx<'js>,
    state: &Rc<RefCell<State>>,
    call: &HookCall,
    libraries: Libraries,
) -> Result<Object<'js>> {
    let host = Object::new(ctx.clone())?;
    let output_max = call.limits.output_bytes;
    host.set("outputMax", output_max as f64)?;
    host.set("logMax", limits::HOOK_LOG_BYTES_MAX as f64)?;
    let shared = || Rc::clone(state);

    let run = shared();
    host.set("log", Function::new(ctx.clone(), move |line: String| run.borrow_mut().log(&line))?)?;
    let run = shared();
    host.set("now", Function::new(ctx.clone(), move || run.borrow_mut().now())?)?;
    let run = shared();
    host.set("random", Function::new(ctx.clone(), move || run.borrow_mut().random())?)?;
    let run = shared();
    let done = move |json: Option<String>| run.borrow_mut().end = Some(result(json, output_max));
    host.set("done", Function::new(ctx.clone(), done)?)?;
    let run = shared();
    let unwritable = move |why: Coerced<String>| run.borrow_mut().end = Some(unwritable(why.0));
    host.set("unwritable", Function::new(ctx.clone(), unwritable)?)?;
    let run = shared();
    host.set("tooLarge", Function::new(ctx.clone(), move || run.borrow_mut().end = Some(End::Output))?)?;
    let run = shared();
    let refuse = move |ctx: Ctx<'_>, what: String| -> Result<()> {
        let error = Exception::throw_message(&ctx, &format!("hooks do not get {what} here"));
        // It fails the call even when the script catches it.
        run.borrow_mut().refused.get_or_insert(what);
        Err(error)
    };
    host.set("refuse", Function::new(ctx.clone(), refuse)?)?;

    host.set("isInt", Function::new(ctx.clone(), |value: Value<'_>| value.is_int())?)?;
    host.set("hasSpecial", Function::new(ctx.clone(), |json: String| numbers::has_special(&json))?)?;
    let load = move |ctx: Ctx<'js>, name: String| load(ctx, libraries, name);
    host.set("load", Function::new(ctx.clone(), load)?)?;
    host.set("md5", Function::new(ctx.clone(), |text: String| ce::md5(&text))?)?;
    host.set("b64", Function::new(ctx.clone(), |text: String| ce::b64(&text))?)?;
    host.set("decode64", Function::new(ctx.clone(), |text: String| ce::decode64(&text))?)?;
    let hmac = |ctx: Ctx<'_>, algorithm: String, encoding: String, secret: String, text: String| {
        ce::hmac(&algorithm, &encoding, &secret, &text).map_err(|why| Exception::throw_message(&ctx, &why))
    };
    host.set("hmac", Function::new(ctx.clone(), hmac)?)?;
    Ok(host)
}

fn result(json: Option<String>, output_max: usize) -> End {
    match json {
        None => End::Unchanged,
        Some(json) if json.len() > output_max => End::Output,
        Some(json) => match RawValue::from_string(json) {
            Ok(json) => End::Done(json),
            Err(error) => End::Unwritable(format!("it has no JSON ({error})")),
        },
    }
}

/// Why a result could not be written: it is of no use, or writing it met a limit.
fn unwritable(why: String) -> End {
    if why.contains("out of memory") || why == "null" {
        End::Memory
    } else if why.contains("call stack") {
        End::Stack { line: None }
    } else {
        End::Unwritable(why)
    }
}

/// The function around a library's text; undefined when this build does not hold it.
fn load<'js>(ctx: Ctx<'js>, libraries: Libraries, name: String) -> Result<Value<'js>> {
    let file = OURS.iter().chain(libraries).find(|(known, _)| *known == name);
    let Some((_, text)) = file else { return Ok(Value::new_undefined(ctx)) };
    let mut options = EvalOptions::default();
    options.strict = false;
    options.filename = Some(name);
    ctx.eval_with_options(format!("(function (module, exports, require) {{{text}\n}})"), options)
}

#[cfg(test)]
mod tests {
    use turnstone_core::hook::{HookInputs, HookKind, HookLimits};

    use super::*;

    fn state(seed: u64) -> State {
        State::new(&HookCall {
            kind: HookKind::Event,
            body: String::new(),
            is_legacy: false,
            inputs: HookInputs::new(),
            limits: HookLimits::default(),
            now: "2026-01-31T09:30:00Z".parse().unwrap(),
            seed,
        })
    }

    #[test]
    fn chance_lies_between_0_and_1_and_follows_its_seed() {
        let draw = |seed| {
            let mut state = state(seed);
            (0..100).map(|_| state.random()).collect::<Vec<f64>>()
        };
        assert!(draw(1).iter().all(|number| (0.0..1.0).contains(number)));
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn time_moves_when_it_is_looked_at() {
        let mut state = state(0);
        let (first, second) = (state.now(), state.now());
        assert_eq!((first, second - first), (1_769_851_800_000.0, 1.0));
    }

    #[test]
    fn the_log_is_bounded_in_lines_and_bytes() {
        let mut state = state(0);
        (0..limits::HOOK_LOG_LINES_MAX + 5).for_each(|_| state.log("x"));
        assert_eq!((state.log.len(), state.log_dropped), (limits::HOOK_LOG_LINES_MAX, 5));
        let mut state = self::state(0);
        state.log(&"x".repeat(limits::HOOK_LOG_BYTES_MAX));
        state.log("y");
        assert_eq!((state.log.len(), state.log_dropped), (1, 1));
    }
}
