//! One flow of cards, card by card: each gets its row of the catalogue, its inputs resolved, its outputs slots, its
//! blocks compiled, and what it does.

use std::collections::HashSet;

use super::super::card::{Block, BlockKind, Card, Input, Policy, Reference, Then};
use super::super::cards::{AuthorOutput, CardSpec, Group, Runs, all, spec};
use super::super::document::{Document, HelperFlow};
use super::super::program::{
    Action, Body, Call, CardCode, Expression, HttpKind, LoopKind, OutputCode, PolicyCode, Program,
    SLOT_OPTIONS, SLOT_PARAMETERS, ThenCode,
};
use super::super::value::Type;
use super::inputs::AuthorInputs;
use super::references::{Ids, Inside, Known, SOURCES, Scope, View, Wrong, name_of_block, resolve};
use super::{Signature, wires};
use crate::check::nearest::nearest;
use crate::check::section::{Findings, member_path};

/// What compiles one flow.
pub(super) struct Compiler<'d> {
    pub(super) findings: &'d mut Findings,
    pub(super) signatures: &'d [Signature],
    pub(super) inside: Inside<'d>,
    document: &'d Document,
    scope: Scope,
    ids: Ids,
    seen: HashSet<String>,
    /// The blocks around, from outside: their names, and what a Return in them gives.
    blocks: Vec<String>,
    returns: Vec<Vec<(String, Type)>>,
    cards: Vec<CardCode>,
    slots: usize,
}

/// Compiles the monitor's own flow.
pub(super) fn main(document: &Document, signatures: &[Signature], findings: &mut Findings) -> Program {
    let inside = Inside::Monitor(document);
    let mut compiler =
        Compiler::new(document, signatures, inside, &document.cards, SLOT_OPTIONS + 1, findings);
    let body = compiler.body(&document.cards);
    Program {
        name: document.name.clone(),
        parameters: Vec::new(),
        outputs: Vec::new(),
        body,
        slots: compiler.slots,
        cards: compiler.cards,
    }
}

/// Compiles a helper flow.
pub(super) fn helper(
    document: &Document,
    flow: &HelperFlow,
    signatures: &[Signature],
    findings: &mut Findings,
) -> Program {
    let inside = Inside::Helper(&flow.inputs);
    let slots = SLOT_PARAMETERS + flow.inputs.len();
    let mut compiler = Compiler::new(document, signatures, inside, &flow.cards, slots, findings);
    compiler.returns.push(flow.outputs.clone());
    let body = compiler.body(&flow.cards);
    Program {
        name: flow.name.clone(),
        parameters: flow.inputs.clone(),
        outputs: flow.outputs.clone(),
        body,
        slots: compiler.slots,
        cards: compiler.cards,
    }
}

impl<'d> Compiler<'d> {
    fn new(
        document: &'d Document,
        signatures: &'d [Signature],
        inside: Inside<'d>,
        cards: &[Card],
        slots: usize,
        findings: &'d mut Findings,
    ) -> Compiler<'d> {
        Compiler {
            findings,
            signatures,
            inside,
            document,
            scope: Scope::default(),
            ids: Ids::of(cards),
            seen: HashSet::new(),
            blocks: Vec::new(),
            returns: Vec::new(),
            cards: Vec::new(),
            slots,
        }
    }

    fn is_monitor(&self) -> bool {
        matches!(self.inside, Inside::Monitor(_))
    }

    pub(super) fn resolve(
        &self,
        reference: &Reference,
        card: &str,
        loops: Option<LoopKind>,
    ) -> Result<(Expression, Type), Wrong> {
        let view = View {
            inside: self.inside,
            scope: &self.scope,
            loops,
            all: &self.ids,
            from: card,
            blocks: &self.blocks,
        };
        resolve(reference, view)
    }

    fn slot(&mut self) -> usize {
        self.slots += 1;
        self.slots - 1
    }

    /// The cards of a flow or a block.
    fn body(&mut self, cards: &[Card]) -> Body {
        self.scope.open();
        let mut body = Vec::new();
        let mut end: Option<&str> = None;
        for card in cards {
            if let Some(end) = end {
                let problem =
                    format!("card `{}` never runs: `{end}` before it ends the flow or block", card.label());
                self.findings.warn(&card.path, problem, "move it, or remove it");
            }
            body.extend(self.card(card));
            let ends = spec(&card.card).is_some_and(|spec| {
                matches!(
                    spec.id,
                    "control.return" | "control.returnRaw" | "control.returnOutputs" | "control.throw"
                )
            });
            if ends && end.is_none() {
                end = Some(card.label());
            }
        }
        self.scope.close();
        Body::from(body)
    }

    fn card(&mut self, card: &Card) -> Option<usize> {
        self.check_id(card);
        let Some(spec) = spec(&card.card) else {
            self.unknown_card(card);
            self.declare(card, &[]);
            return None;
        };
        if spec.group == Group::Event {
            let remedy = "remove it; the document itself says how the flow begins";
            self.findings.fault(
                &card.path,
                format!("`{}` begins a flow and cannot stand in one", spec.id),
                remedy,
            );
            return None;
        }
        let flow = self.called(card, spec);
        let signatures = self.signatures;
        let signature = flow.map(|at| &signatures[at]);
        let loops = loop_kind(spec.id);
        let is_call = matches!(spec.id, "control.spawn" | "control.run");
        let author = match signature {
            Some(signature) if is_call => AuthorInputs::Parameters(signature),
            _ if spec.id == "control.returnOutputs" || loops.is_some() || is_call => AuthorInputs::None(&[]),
            _ if spec.id == "control.branch" => AuthorInputs::None(&["branches"]),
            _ if spec.author_inputs => AuthorInputs::Free,
            _ => AuthorInputs::None(&[]),
        };
        let (inputs, types) = if is_call && signature.is_none() || spec.id == "control.branch" {
            self.no_inputs(card, spec, is_call);
            (Vec::new(), Vec::new())
        } else {
            self.inputs(card, spec, author)
        };
        let outputs = self.outputs(card, spec, &types, signature.filter(|_| is_call));
        let call =
            flow.map(|program| Call { program, values: self.call_values(card, program, is_call, loops) });
        if loops.is_none() && !card.values.is_empty() {
            let remedy = "write them under `inputs`";
            self.findings.fault(
                &member_path(&card.path, "values"),
                "this card calls no flow again and again",
                remedy,
            );
        }
        let action = self.action(card, spec, loops, call, &types, &outputs);
        let policy = card.on_error.as_ref().map(|policy| self.policy(card, policy, &outputs));
        let kept: Vec<OutputCode> = outputs
            .iter()
            .map(|(key, of)| OutputCode { key: key.clone(), of: *of, slot: self.slot() })
            .collect();
        let known = kept.iter().map(|output| (output.key.clone(), output.of, output.slot)).collect();
        if let Some(id) = &card.id {
            self.scope.add(id, Known { outputs: known });
        }
        let author_outputs = card.outputs.iter().map(|(key, of)| AuthorOutput { key: key.clone(), of: *of });
        self.cards.push(CardCode {
            label: card.label().to_string(),
            place: card.path.clone(),
            spec,
            inputs,
            outputs: kept,
            author_outputs: if spec.runs == Runs::Pure { author_outputs.collect() } else { Vec::new() },
            action,
            policy,
            timeout: card.timeout,
        });
        Some(self.cards.len() - 1)
    }

    fn check_id(&mut self, card: &Card) {
        let Some(id) = &card.id else { return };
        let path = member_path(&card.path, "id");
        if SOURCES.contains(&id.as_str()) {
            let problem = format!("`{id}` cannot be the id of a card: references mean something else by it");
            self.findings.fault(&path, problem, "choose another id");
        }
        if !self.seen.insert(id.clone()) {
            let problem = format!("two cards of this flow have the id `{id}`");
            self.findings.fault(&path, problem, "give each an id of its own");
        }
    }

    fn unknown_card(&mut self, card: &Card) {
        let known: Vec<&str> = all()
            .flat_map(|spec| [spec.id, spec.label].into_iter().chain(spec.aliases.iter().copied()))
            .collect();
        let by_label = all().find(|spec| spec.label.eq_ignore_ascii_case(card.card.trim()));
        let meant = by_label.map(|spec| spec.id).or_else(|| {
            let name = nearest(&card.card, &known)?;
            all()
                .find(|spec| spec.id == name || spec.label == name || spec.aliases.contains(&name))
                .map(|it| it.id)
        });
        let remedy = match meant {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "look it up in docs/flow-cards.md".to_string(),
        };
        self.findings.fault(
            &member_path(&card.path, "card"),
            format!("there is no card `{}`", card.card),
            remedy,
        );
    }

    /// Makes a card known that cannot be compiled, so that references to it bring no further faults.
    fn declare(&mut self, card: &Card, more: &[(String, Type)]) {
        let Some(id) = &card.id else { return };
        let declared: Vec<(String, Type)> = card.outputs.iter().chain(more).cloned().collect();
        let outputs = declared.into_iter().map(|(name, of)| (name, of, self.slot())).collect();
        self.scope.add(id, Known { outputs });
    }

    /// The flow that a card calls.
    fn called(&mut self, card: &Card, spec: &CardSpec) -> Option<usize> {
        let calls = spec.inputs.iter().any(|input| input.of == Type::FLOW && input.required);
        let path = member_path(&card.path, "flow");
        match (&card.flow, calls) {
            (None, false) => None,
            (None, true) => {
                let problem = format!("`{}` calls a flow, and none is named", spec.id);
                self.findings.fault(
                    &card.path,
                    problem,
                    "write `flow: NAME`, one under `flows` or `httpHelper`",
                );
                None
            }
            (Some(_), false) => {
                let problem = format!("`{}` calls no flow", spec.id);
                self.findings.fault(&path, problem, "remove `flow`, or use Call Flow (`control.spawn`)");
                None
            }
            (Some(name), true) => self.flow_named(&path, name),
        }
    }

    fn flow_named(&mut self, path: &str, name: &str) -> Option<usize> {
        let found = self.signatures.iter().skip(1).position(|signature| signature.name == name);
        if found.is_none() {
            let known: Vec<&str> = self.signatures.iter().skip(1).map(|it| it.name.as_str()).collect();
            let remedy = match nearest(name, &known) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("write it under `flows`; there are {}", known.join(", ")),
            };
            self.findings.fault(path, format!("there is no flow `{name}`"), remedy);
        }
        found.map(|at| at + 1)
    }

    /// Inputs that cannot be read, because the flow is not known or the card has none.
    fn no_inputs(&mut self, card: &Card, spec: &CardSpec, is_call: bool) {
        if let Some((name, _)) = card.inputs.first().filter(|_| !is_call) {
            let path = member_path(&member_path(&card.path, "inputs"), name);
            let problem = format!("`{}` has no inputs of its own", spec.id);
            self.findings.fault(&path, problem, "write conditions under `branches`");
        }
    }

    fn call_values(
        &mut self,
        card: &Card,
        program: usize,
        is_call: bool,
        loops: Option<LoopKind>,
    ) -> Vec<Expression> {
        let signatures = self.signatures;
        let signature = &signatures[program];
        let id = card.id.clone().unwrap_or_default();
        if is_call {
            // Faults of these were named with the inputs.
            let kept = std::mem::take(&mut self.findings.faults);
            let path = member_path(&card.path, "inputs");
            let values = self.parameters(&path, &card.inputs, signature, &id, None);
            self.findings.faults = kept;
            return values;
        }
        let path = member_path(&card.path, "values");
        if card.values.is_empty() && !signature.inputs.is_empty() {
            let names: Vec<&str> = signature.inputs.iter().map(|(name, _)| name.as_str()).collect();
            let remedy = format!("give them under `values`: {}", names.join(", "));
            let problem = format!("the flow `{}` is called without its inputs", signature.name);
            self.findings.warn(&card.path, problem, remedy);
        }
        self.parameters(&path, &card.values, signature, &id, loops)
    }

    /// The outputs of a card: given ones, those that the author made, and mirrored inputs.
    fn outputs(
        &mut self,
        card: &Card,
        spec: &CardSpec,
        types: &[(String, Type)],
        called: Option<&Signature>,
    ) -> Vec<(String, Type)> {
        let mut outputs: Vec<(String, Type)> =
            spec.outputs.iter().map(|output| (output.key.to_string(), output.of)).collect();
        if let Some(signature) = called {
            outputs.extend(signature.outputs.iter().cloned());
        }
        if spec.mirrored {
            outputs.extend(types.iter().cloned());
        }
        for (name, of) in &card.outputs {
            let path = member_path(&member_path(&card.path, "outputs"), name);
            let known = outputs.iter_mut().find(|(known, _)| known == name);
            match known {
                Some((_, given)) => {
                    let fixed = spec.output(name).is_some_and(|output| !output.typed_by_author);
                    if !wires::join(*given, *of) || fixed && !wires::same(*given, *of) {
                        let problem = format!("`{name}` is {given}, and {of} is declared");
                        self.findings.fault(&path, problem, "declare the type that it has");
                    }
                    *given = *of;
                }
                None if called.is_some() => {
                    let names: Vec<&str> =
                        called.iter().flat_map(|it| &it.outputs).map(|(name, _)| name.as_str()).collect();
                    let problem = format!("the called flow returns no `{name}`");
                    let remedy = match nearest(name, &names) {
                        Some(meant) => format!("did you mean `{meant}`?"),
                        None => format!("it returns {}", names.join(", ")),
                    };
                    self.findings.fault(&path, problem, remedy);
                }
                None if spec.author_outputs => outputs.push((name.clone(), *of)),
                None => {
                    let known: Vec<&str> = spec.outputs.iter().map(|output| output.key).collect();
                    let remedy = match nearest(name, &known) {
                        Some(meant) => format!("did you mean `{meant}`?"),
                        None if known.is_empty() => "remove it; the card gives nothing".to_string(),
                        None => format!("it gives {}", known.join(", ")),
                    };
                    self.findings.fault(&path, format!("`{}` gives no `{name}`", spec.id), remedy);
                }
            }
        }
        outputs
    }

    /// What a card does, its blocks included.
    fn action(
        &mut self,
        card: &Card,
        spec: &'static CardSpec,
        loops: Option<LoopKind>,
        call: Option<Call>,
        types: &[(String, Type)],
        outputs: &[(String, Type)],
    ) -> Action {
        self.check_blocks(card, spec);
        match spec.id {
            "control.if" => Action::If {
                then: self.block(card, BlockKind::Then, outputs),
                otherwise: self.block(card, BlockKind::Else, outputs),
            },
            "control.branch" => self.branches(card, spec, outputs),
            "control.tryCatch" => {
                let body = self.block(card, BlockKind::Try, outputs);
                let error = self.slot();
                self.scope.open_error(error);
                let if_error = self.block(card, BlockKind::IfError, outputs);
                self.scope.close_error();
                Action::Try { body, if_error, error }
            }
            "control.cursor" => {
                self.check_cursor(card, types);
                Action::Cursor
            }
            "control.returnOutputs" => {
                if !self.is_monitor() {
                    let problem = "Return Outputs ends a monitor, and this is a helper flow";
                    self.findings.fault(&card.path, problem, "use Return (`control.return`)");
                }
                Action::ReturnOutputs
            }
            "control.return" => {
                self.check_return(card, types);
                Action::Return
            }
            "control.returnRaw" => Action::Return,
            "control.wait" => Action::Wait,
            "control.continueIf" => Action::ContinueIf,
            "control.throw" => Action::Throw,
            "control.throwIf" => Action::ThrowIf,
            "control.spawn" => call.map_or(Action::Nothing, Action::Call),
            "control.run" => call.map_or(Action::Nothing, Action::CallLater),
            "http.raw" => Action::Http(HttpKind::Raw),
            "http.get" => Action::Http(HttpKind::Json("GET")),
            "http.post" => Action::Http(HttpKind::Json("POST")),
            "http.put" => Action::Http(HttpKind::Json("PUT")),
            "http.patch" => Action::Http(HttpKind::Json("PATCH")),
            "http.delete" => Action::Http(HttpKind::Json("DELETE")),
            _ => match (loops, call) {
                (Some(kind), Some(call)) => {
                    self.check_loop(card, kind, call.program);
                    Action::Loop(kind, call)
                }
                (Some(_), None) => Action::Nothing,
                (None, _) if spec.runs == Runs::Pure => Action::Pure,
                (None, _) => self.not_in_a_monitor(card, spec),
            },
        }
    }

    fn not_in_a_monitor(&mut self, card: &Card, spec: &CardSpec) -> Action {
        let problem = format!("{} (`{}`) has no meaning in a monitor", spec.label, spec.id);
        self.findings.fault(
            &member_path(&card.path, "card"),
            problem,
            "remove it; a monitor answers no caller",
        );
        Action::Nothing
    }

    fn check_blocks(&mut self, card: &Card, spec: &CardSpec) {
        let (takes, needs): (&[BlockKind], &[BlockKind]) = match spec.id {
            "control.if" => (&[BlockKind::Then, BlockKind::Else], &[BlockKind::Then]),
            "control.branch" => (&[BlockKind::Branch, BlockKind::Else], &[BlockKind::Branch]),
            "control.tryCatch" => {
                let both = &[BlockKind::Try, BlockKind::IfError];
                (both, both)
            }
            _ => (&[], &[]),
        };
        for block in card.blocks.iter().filter(|block| !takes.contains(&block.kind)) {
            let problem = format!("`{}` has no block `{}`", spec.id, block.kind.as_str());
            let remedy = match takes {
                [] => "move its cards to a card with blocks: If/Else, If/ElseIf or If Error".to_string(),
                _ => format!(
                    "it has {}",
                    takes.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ")
                ),
            };
            self.findings.fault(&block.path, problem, remedy);
        }
        for kind in needs.iter().filter(|kind| card.block(**kind).is_none()) {
            let problem = format!("the block `{}` is missing", kind.as_str());
            self.findings.fault(&card.path, problem, "write its cards; the list may be empty");
        }
    }

    fn block(&mut self, card: &Card, kind: BlockKind, outputs: &[(String, Type)]) -> Body {
        match card.block(kind) {
            Some(block) => self.cards_of_block(card, block, outputs),
            None => Body::from([]),
        }
    }

    fn cards_of_block(&mut self, card: &Card, block: &Block, outputs: &[(String, Type)]) -> Body {
        self.blocks.push(name_of_block(card, block));
        self.returns.push(outputs.to_vec());
        let body = self.body(&block.cards);
        self.returns.pop();
        self.blocks.pop();
        body
    }

    fn branches(&mut self, card: &Card, spec: &'static CardSpec, outputs: &[(String, Type)]) -> Action {
        let mut branches = Vec::new();
        for block in card.blocks.iter().filter(|block| block.kind == BlockKind::Branch) {
            // A branch's condition has the inputs of the card's row.
            let condition = Card {
                path: block.path.clone(),
                inputs: block.inputs.clone(),
                id: card.id.clone(),
                ..empty(&card.card)
            };
            let (inputs, _) = self.inputs(&condition, spec, AuthorInputs::None(&[]));
            branches.push((inputs, self.cards_of_block(card, block, outputs)));
        }
        Action::Branch { branches, otherwise: self.block(card, BlockKind::Else, outputs) }
    }

    fn check_cursor(&mut self, card: &Card, types: &[(String, Type)]) {
        if !self.is_monitor() {
            let problem = "a Cursor card is only valid in the monitor's own flow";
            self.findings.fault(&card.path, problem, "return the value, and save it in the monitor");
            return;
        }
        let wanted = self.document.cursor;
        let is_literal = matches!(card.inputs.first(), Some((_, Input::Literal(_))));
        let Some((name, of)) = types.first() else { return };
        if !wires::same(*of, wanted) && !is_literal {
            let path = member_path(&member_path(&card.path, "inputs"), name);
            let problem = format!("the cursor of this monitor is {wanted}, and {of} is saved");
            let remedy =
                format!("save {wanted}, or declare `cursor: {}`", super::super::reading::type_word(*of));
            self.findings.fault(&path, problem, remedy);
        }
        if is_literal {
            let path = member_path(&member_path(&card.path, "inputs"), name);
            let problem = "the cursor is always the same value";
            self.findings.warn(&path, problem, "save a value that moves, such as the output of Now");
        }
    }

    /// A Return gives what its block's card, or its flow, declares.
    fn check_return(&mut self, card: &Card, types: &[(String, Type)]) {
        let Some(declared) = self.returns.last().cloned() else {
            if !types.is_empty() {
                let problem = "a monitor returns its records with Return Outputs";
                self.findings.fault(&card.path, problem, "use `control.returnOutputs`");
            }
            return;
        };
        let owner = self.blocks.last().cloned().unwrap_or_else(|| "the flow".to_string());
        for (name, of) in types {
            let path = member_path(&member_path(&card.path, "inputs"), name);
            match declared.iter().find(|(known, _)| known == name) {
                Some((_, wanted)) if wires::join(*of, *wanted) => {}
                Some((_, wanted)) => {
                    let problem =
                        format!("a type clash: `{name}` is declared as {wanted}, and {of} is returned");
                    self.findings.fault(&path, problem, "return that type, or declare this one");
                }
                None => {
                    let names: Vec<&str> = declared.iter().map(|(name, _)| name.as_str()).collect();
                    let remedy = match nearest(name, &names) {
                        Some(meant) => format!("did you mean `{meant}`?"),
                        None => "declare it under `outputs`".to_string(),
                    };
                    self.findings.fault(&path, format!("{owner} declares no output `{name}`"), remedy);
                }
            }
        }
    }

    /// What the flow of a loop must return.
    fn check_loop(&mut self, card: &Card, kind: LoopKind, program: usize) {
        let signature = &self.signatures[program];
        let wants: &[(&str, Type)] = match kind {
            LoopKind::Paginate => &[("records", Type::LIST), ("next", Type::ANY)],
            LoopKind::MapObject => &[("key", Type::TEXT), ("value", Type::ANY)],
            _ => &[],
        };
        let path = member_path(&card.path, "flow");
        for (name, of) in wants {
            let given = signature.outputs.iter().find(|(known, _)| known == name);
            if !given.is_some_and(|(_, given)| wires::join(*given, *of)) {
                let problem = format!("the flow `{}` returns no `{name}` that is {of}", signature.name);
                self.findings.fault(&path, problem, "declare it under the flow's `outputs`, and return it");
            }
        }
        let truth = matches!(kind, LoopKind::Filter | LoopKind::Find);
        if truth && !matches!(signature.outputs.as_slice(), [(_, of)] if wires::join(*of, Type::BOOLEAN)) {
            let problem = format!("the flow `{}` does not return one True/False", signature.name);
            self.findings.fault(&path, problem, "let it return one output that is a boolean");
        }
        let gives = matches!(kind, LoopKind::Map | LoopKind::MapToList | LoopKind::Reduce);
        if gives && signature.outputs.is_empty() {
            let problem = format!("the flow `{}` returns nothing", signature.name);
            self.findings.fault(&path, problem, "declare its `outputs`, and return them");
        }
    }

    fn policy(&mut self, card: &Card, policy: &Policy, outputs: &[(String, Type)]) -> PolicyCode {
        let path = member_path(&member_path(&card.path, "onError"), "then");
        let id = card.id.clone().unwrap_or_default();
        let then = match &policy.then {
            Then::Halt => ThenCode::Halt,
            Then::Return(values) => {
                let path = member_path(&path, "return");
                let mut codes = Vec::new();
                for (name, input) in values {
                    let place = member_path(&path, name);
                    match outputs.iter().find(|(known, _)| known == name) {
                        Some((_, of)) => codes.push((name.clone(), self.wire(&place, input, *of, &id, None))),
                        None => {
                            let problem = format!("card `{}` gives no `{name}`", card.label());
                            self.findings.fault(&place, problem, "return outputs of the card");
                        }
                    }
                }
                ThenCode::Return(codes)
            }
            Then::Flow(name, values) => match self.flow_named(&member_path(&path, "flow"), name) {
                Some(program) => {
                    let signatures = self.signatures;
                    let place = member_path(&path, "values");
                    let values = self.parameters(&place, values, &signatures[program], &id, None);
                    ThenCode::Flow(Call { program, values })
                }
                None => ThenCode::Halt,
            },
        };
        PolicyCode { retry: policy.retry, after: policy.after, then }
    }
}

/// The kind of loop that a card is.
fn loop_kind(id: &str) -> Option<LoopKind> {
    let kind = match id {
        "list.map" => LoopKind::Map,
        "list.each" => LoopKind::Each,
        "list.asyncEach" => LoopKind::EachIgnoringErrors,
        "list.filter" => LoopKind::Filter,
        "list.find" => LoopKind::Find,
        "list.reduce" => LoopKind::Reduce,
        "control.times" => LoopKind::Times,
        "object.map" => LoopKind::MapToList,
        "object.process" => LoopKind::MapObject,
        "http.paginate" => LoopKind::Paginate,
        _ => return None,
    };
    Some(kind)
}

fn empty(card: &str) -> Card {
    Card {
        path: String::new(),
        id: None,
        card: card.to_string(),
        note: String::new(),
        inputs: Vec::new(),
        outputs: Vec::new(),
        flow: None,
        values: Vec::new(),
        blocks: Vec::new(),
        on_error: None,
        timeout: None,
    }
}
