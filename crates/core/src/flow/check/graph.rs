//! What is seen only on the whole: that a run ends with records, moves its cursor once, and that calls end.

use super::super::document::{Choices, Document};
use super::super::program::{Action, CardCode, Program, ThenCode};
use super::HTTP_HELPER;
use crate::check::section::Findings;
use crate::limits::FLOW_DEPTH_MAX;

pub(super) fn check(document: &Document, programs: &[Program], findings: &mut Findings) {
    check_end(&programs[0], findings);
    check_cursors(&programs[0], findings);
    check_recursion(programs, findings);
    check_unused(document, programs, findings);
}

fn check_end(main: &Program, findings: &mut Findings) {
    let ends = main.cards.iter().filter(|card| matches!(card.action, Action::ReturnOutputs)).count();
    if ends == 0 {
        let problem = "there is no Return Outputs card, so that no record ever leaves";
        findings.fault("cards", problem, "end with `card: control.returnOutputs`, `inputs: {List: …}`");
    }
}

/// Two Cursor cards on one path race: only one value can be meant. Blocks of which one alone runs may each have one,
/// and so may a Try block and its If Error block: the last one that ran counts.
fn check_cursors(main: &Program, findings: &mut Findings) {
    let mut found = Vec::new();
    cursors(main, &main.body, &mut found, findings);
    if !main.cards.iter().any(|card| matches!(card.action, Action::Cursor)) {
        let problem = "there is no Cursor card: every run begins like the first one";
        findings.warn("cards", problem, "save a cursor with `card: control.cursor`");
    }
}

/// The Cursor cards of a body that may run on the worst path.
fn cursors<'p>(
    program: &'p Program,
    body: &[usize],
    before: &mut Vec<&'p CardCode>,
    findings: &mut Findings,
) {
    for at in body {
        let card = &program.cards[*at];
        match &card.action {
            Action::Cursor => {
                if let Some(first) = before.last() {
                    let problem =
                        format!("two Cursor cards race in one path: `{}` and `{}`", first.place, card.place);
                    findings.fault(
                        &card.place,
                        problem,
                        "keep one of them, or put them into different branches",
                    );
                }
                before.push(card);
            }
            Action::If { then, otherwise } => {
                alternatives(program, &[then, otherwise], before, findings);
            }
            Action::Branch { branches, otherwise } => {
                let mut bodies: Vec<&[usize]> = branches.iter().map(|(_, body)| &**body).collect();
                bodies.push(otherwise);
                alternatives(program, &bodies, before, findings);
            }
            Action::Try { body, if_error, .. } => alternatives(program, &[body, if_error], before, findings),
            Action::Pure
            | Action::ReturnOutputs
            | Action::Call(_)
            | Action::CallLater(_)
            | Action::Return
            | Action::Wait
            | Action::ContinueIf
            | Action::Throw
            | Action::ThrowIf
            | Action::Loop(..)
            | Action::Http(_)
            | Action::Nothing => {}
        }
    }
}

/// Bodies of which one counts: each alone goes on from what was before.
fn alternatives<'p>(
    program: &'p Program,
    bodies: &[&[usize]],
    before: &mut Vec<&'p CardCode>,
    findings: &mut Findings,
) {
    let mut longest = before.clone();
    for body in bodies {
        let mut path = before.clone();
        cursors(program, body, &mut path, findings);
        if path.len() > longest.len() {
            longest = path;
        }
    }
    *before = longest;
}

/// Programs that a card calls, whatever for.
fn calls_of(card: &CardCode) -> Vec<usize> {
    let mut calls = Vec::new();
    match &card.action {
        Action::Call(call) | Action::CallLater(call) | Action::Loop(_, call) => calls.push(call.program),
        _ => {}
    }
    if let Some(ThenCode::Flow(call)) = card.policy.as_ref().map(|policy| &policy.then) {
        calls.push(call.program);
    }
    calls
}

/// Calls that a flow makes whenever it runs: not in blocks, not after a card that may end it.
fn certain_calls(program: &Program) -> Vec<usize> {
    let mut calls = Vec::new();
    for at in program.body.iter() {
        match &program.cards[*at].action {
            Action::Call(call) => calls.push(call.program),
            Action::Return | Action::ReturnOutputs | Action::ContinueIf | Action::Throw | Action::ThrowIf => {
                break;
            }
            _ => {}
        }
    }
    calls
}

fn check_recursion(programs: &[Program], findings: &mut Findings) {
    for (at, program) in programs.iter().enumerate() {
        if let Some(over) = reaches(programs, at) {
            let names: Vec<&str> = over.iter().map(|at| programs[*at].name.as_str()).collect();
            let problem = format!("the flow calls itself without end: {}", names.join(" → "));
            let remedy = "call it inside a block whose condition ends the recursion, or use a loop";
            findings.fault(&format!("flows.{}", program.name), problem, remedy);
        }
    }
    let mut depths = vec![None; programs.len()];
    let depth = depth_of(programs, 0, &mut Vec::new(), &mut depths);
    if depth > FLOW_DEPTH_MAX {
        let problem = format!("flows call one another {depth} deep, and at most {FLOW_DEPTH_MAX} may");
        findings.fault("flows", problem, "let flows return to their callers instead of calling on");
    }
}

/// The way from a flow to itself over calls that are made in any case.
fn reaches(programs: &[Program], from: usize) -> Option<Vec<usize>> {
    let mut ways = vec![vec![from]];
    let mut seen = vec![false; programs.len()];
    while let Some(way) = ways.pop() {
        for call in certain_calls(&programs[*way.last()?]) {
            let mut further = way.clone();
            further.push(call);
            if call == from {
                return Some(further);
            }
            if !std::mem::replace(&mut seen[call], true) {
                ways.push(further);
            }
        }
    }
    None
}

/// How deep flows call one another from here, recursion aside.
fn depth_of(programs: &[Program], at: usize, open: &mut Vec<usize>, known: &mut [Option<usize>]) -> usize {
    if let Some(depth) = known[at] {
        return depth;
    }
    if open.contains(&at) || open.len() > FLOW_DEPTH_MAX {
        return 1;
    }
    open.push(at);
    let calls = programs[at].cards.iter().flat_map(calls_of);
    let deepest = calls.map(|call| depth_of(programs, call, open, known)).max().unwrap_or(0);
    open.pop();
    if open.is_empty() || !programs[at].cards.is_empty() {
        known[at] = Some(deepest + 1);
    }
    deepest + 1
}

fn check_unused(document: &Document, programs: &[Program], findings: &mut Findings) {
    let mut used = vec![false; programs.len()];
    let mut open = vec![0];
    for option in &document.options {
        if let Some(Choices::Flow(name)) = &option.choices {
            open.extend(programs.iter().position(|program| program.name == *name));
        }
    }
    while let Some(at) = open.pop() {
        if std::mem::replace(&mut used[at], true) {
            continue;
        }
        open.extend(programs[at].cards.iter().flat_map(calls_of));
    }
    for (at, program) in programs.iter().enumerate().skip(1) {
        let reserved = program.name == HTTP_HELPER || program.name == "_authping";
        if !used[at] && !reserved {
            let problem = format!("nothing calls the flow `{}`", program.name);
            findings.warn(&format!("flows.{}", program.name), problem, "call it, or remove it");
        }
    }
}
