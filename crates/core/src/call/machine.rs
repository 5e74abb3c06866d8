//! The machine of one call: prepare, hooks, fetch, hooks, collect; again for the next page or the next of a chain.
//!
//! ```text
//!   prepare ─► hooks before ─► fetch ─► hooks after ─► collect ─► done
//!      ▲            │ continue:false     │ 401, once              │
//!      │            └────────► answer    └─► refresh token ─┐     │ page not full, or chain goes on
//!      └────────────────────────────────────────────────────┴─────┘
//! ```

use std::collections::BTreeMap;

use crate::auth;
use crate::connector::Resource;
use crate::hook::{HookFault, HookInputs, HookKind, HookOutcome, InputName, merge};
use crate::json_text::{self, Kind, quote};
use crate::limits::REQUESTS_PER_CALL_MAX;
use crate::query::Expression;
use crate::run::{FetchError, FetchErrorKind, Reply, Response};

use super::answer::{self, AnswerMapping, field_names};
use super::hooking::{self, Answer, Follows, HookAsk, around, body_inputs};
use super::mapping::{Mapping, PLATFORM, VendorBody, VendorParts};
use super::paging::{Plan, Position, write_token};
use super::root_key::RootKey;
use super::{
    AwaitHook, AwaitReply, AwaitToken, CallAnswer, CallContext, CallFault, CallRequest, CallStep,
    ProviderHead, Renewal, VendorRequest, address,
};

/// A call between its questions.
pub(super) struct Machine {
    context: CallContext,
    request: CallRequest,
    /// Position of the resource that is called now.
    resource: usize,
    variables: BTreeMap<String, String>,
    expression: Option<Expression>,
    fields: Vec<String>,
    plan: Plan,
    position: Position,
    records: Vec<String>,
    /// Body and headers of the call before this one in a chain.
    previous: Option<(String, Vec<(String, String)>)>,
    configuration: Vec<(String, Option<String>)>,
    headers: Vec<(String, String)>,
    head: Option<ProviderHead>,
    renewed: bool,
    requests: u32,
}

/// What the machine waits for with a hook.
pub(super) enum HookStage {
    Before { parts: Box<VendorParts>, next: usize },
    After { url: String, parts: Box<VendorParts>, answer: Box<Answer>, next: usize },
}

impl Machine {
    /// Reads the request's own words and prepares the first provider request.
    pub(super) fn start(
        context: CallContext,
        request: CallRequest,
        resource: usize,
        variables: BTreeMap<String, String>,
    ) -> CallStep {
        if let super::CallBody::Json(text) = &request.body
            && let Err(error) = json_text::validate(text)
        {
            let fault = CallFault::new(400, format!("the body cannot be read: {error}"));
            return CallStep::Done(fault.answer(&context, Vec::new(), None));
        }
        let called = &context.connector.resources[resource];
        let expression = match read_where(&context, called, &request) {
            Ok(expression) => expression,
            Err(fault) => return CallStep::Done(fault.answer(&context, Vec::new(), None)),
        };
        let planned = Plan::make(&context.connector, called, &context.settings, &request);
        let (plan, position) = match planned {
            Ok(planned) => planned,
            Err(fault) => return CallStep::Done(fault.answer(&context, Vec::new(), None)),
        };
        let mapped_fields = called.parameters.iter().any(|parameter| parameter.name == "fields");
        let fields = if mapped_fields { Vec::new() } else { field_names(request.parameter("fields")) };
        let machine = Machine {
            context,
            request,
            resource,
            variables,
            expression,
            fields,
            plan,
            position,
            records: Vec::new(),
            previous: None,
            configuration: Vec::new(),
            headers: Vec::new(),
            head: None,
            renewed: false,
            requests: 0,
        };
        Box::new(machine).prepare()
    }

    fn called(&self) -> &Resource {
        &self.context.connector.resources[self.resource]
    }

    /// Maps the request for the present position.
    fn prepare(mut self: Box<Self>) -> CallStep {
        let mapping = Mapping {
            connector: &self.context.connector,
            resource: self.called(),
            settings: &self.context.settings,
            request: &self.request,
            variables: &self.variables,
            expression: self.expression.as_ref(),
            page: self.plan.values(&self.position),
            previous: self.previous.as_ref().map(|(body, _)| body.as_str()),
        };
        match mapping.make() {
            Ok(mapped) => {
                self.change_configuration(mapped.configuration);
                let mut parts = mapped.parts;
                if let super::paging::At::Url(next) = &self.position.at {
                    // The address comes back from the caller: credentials must not follow it elsewhere.
                    let own = address::join(&parts.base, &parts.path, &[]);
                    match address::on_origin_of(&own, next) {
                        Some(next) => parts.url = Some(next),
                        None => {
                            let sentence = "`nextPage` leads to another origin; begin with the first page";
                            return self.fail(CallFault::new(400, sentence));
                        }
                    }
                }
                self.before(parts, 0)
            }
            Err(fault) => self.fail(fault),
        }
    }

    fn before(self: Box<Self>, parts: VendorParts, next: usize) -> CallStep {
        let hooks = around(&self.context.connector, self.resource, self.called(), HookKind::PreRequest);
        let Some((place, hook)) = hooks.get(next) else { return self.send(parts) };
        let call = HookAsk {
            kind: HookKind::PreRequest,
            place: place.clone(),
            body: hook.body.clone(),
            is_legacy: hook.legacy,
            inputs: self.inputs(&parts, None),
        };
        let (place, stage) = (place.clone(), HookStage::Before { parts: Box::new(parts), next });
        CallStep::Hook(call, AwaitHook { machine: self, stage, place })
    }

    fn send(mut self: Box<Self>, parts: VendorParts) -> CallStep {
        self.requests += 1;
        if self.requests > REQUESTS_PER_CALL_MAX {
            let sentence = format!(
                "the call would need more than {REQUESTS_PER_CALL_MAX} requests to the provider; ask for fewer records"
            );
            return self.fail(CallFault::new(400, sentence));
        }
        let url = match &parts.url {
            Some(url) => url.clone(),
            None => address::join(&parts.base, &parts.path, &parts.parameters),
        };
        if !(url.starts_with("https://") || url.starts_with("http://")) || url::Url::parse(&url).is_err() {
            let sentence = "the provider's address is not complete; set `base.url` to one like `https://api.example.com`";
            return self.fail(CallFault::new(400, sentence));
        }
        let mut headers = parts.headers.clone();
        let signed = auth::sign(&self.context, &parts.method, &url, &parts.body, &mut headers);
        if let Err(error) = signed {
            return self.fail(CallFault::new(400, error.to_string()));
        }
        let request = VendorRequest {
            method: parts.method.clone(),
            url: url.clone(),
            headers,
            body: parts.body.clone(),
        };
        CallStep::Fetch(request, AwaitReply { machine: self, url, parts: Box::new(parts) })
    }

    /// Continues with a hook's result.
    pub(super) fn hooked(
        mut self: Box<Self>,
        stage: HookStage,
        place: &str,
        result: Result<HookOutcome, HookFault>,
    ) -> CallStep {
        let outcome = match result {
            Ok(outcome) => outcome,
            Err(fault) => {
                let status = if fault.is_passing() { 503 } else { 400 };
                let called = self.called();
                let sentence = format!("`{} {}` (`{place}`): {fault}", called.method, called.path);
                let sentence = self.context.settings.redacted(&sentence);
                return self.fail(CallFault::new(status, sentence));
            }
        };
        self.change_configuration(hooking::configuration(&outcome));
        match stage {
            HookStage::Before { mut parts, next } => match hooking::apply_before(&outcome, &mut parts) {
                Follows::GoOn => self.before(*parts, next + 1),
                Follows::Answer(answer) => self.answered_by_hook(answer),
                Follows::Fail { status, words } => self.fail(CallFault::new(status, words)),
            },
            HookStage::After { url, parts, mut answer, next } => {
                match hooking::apply_after(&outcome, &mut answer) {
                    Follows::GoOn | Follows::Answer(_) => self.after(url, *parts, *answer, next + 1),
                    Follows::Fail { status, words } => self.fail(CallFault::new(status, words)),
                }
            }
        }
    }

    /// A hook answered instead of the provider: its words are final, and no page follows but one that it names.
    fn answered_by_hook(mut self: Box<Self>, answer: Answer) -> CallStep {
        if answer.is_error {
            let fault = answer::refused(&answer, &self.context.settings);
            return self.fail(fault);
        }
        merge(&mut self.headers, &some(answer.set_by_hooks));
        let count = answer.body.as_deref().and_then(json_text::items).map(|items| items.len());
        self.done(answer.status, answer.body, count, None)
    }

    /// Continues with the provider's answer.
    pub(super) fn replied(mut self: Box<Self>, url: String, parts: VendorParts, reply: Reply) -> CallStep {
        let response = match reply.outcome {
            Ok(response) => response,
            Err(error) => {
                let fault = answer::unreachable(&error);
                let answer = fault.answer(&self.context, self.configuration, self.head);
                return CallStep::Done(CallAnswer { unreachable: Some(error), ..answer });
            }
        };
        let Response { status, headers, body } = response;
        let head =
            ProviderHead { status, headers: headers.clone(), sent_at: reply.sent_at, to_head: reply.to_head };
        // A step of the sign-in itself must not ask for another sign-in.
        let renews = !self.renewed && self.called().kind.is_called();
        if status == 401 && renews && auth::can_renew(&self.context.connector, &self.context.settings) {
            self.renewed = true;
            // What counts is the answer to the second try.
            let refusal = Box::new(head);
            return CallStep::RefreshToken(AwaitToken { machine: self, refusal });
        }
        if self.head.is_none() || !(200..300).contains(&status) {
            self.head = Some(head);
        }
        self.after(url, parts, answer::read(status, headers, body), 0)
    }

    /// Continues with new credentials, or without.
    pub(super) fn renewed(mut self: Box<Self>, refusal: ProviderHead, renewal: Renewal) -> CallStep {
        if !matches!(renewal, Renewal::Renewed(_)) {
            self.head = Some(refusal);
        }
        match renewal {
            Renewal::Renewed(settings) => {
                self.context.settings = settings;
                // What hooks set meanwhile still holds, except what the renewal is about.
                for (key, value) in self.configuration.clone() {
                    let renewed = key.starts_with("oauth.user.") || key.starts_with("expires");
                    match value {
                        Some(value) if !renewed => self.context.settings.set(&key, &value),
                        None if !renewed => self.context.settings.remove(&key),
                        Some(_) | None => {}
                    }
                }
                self.prepare()
            }
            Renewal::Refused(words) => self.unasked(401, FetchErrorKind::Reconnect, words),
            Renewal::Failed(words) => self.unasked(503, FetchErrorKind::Broken, words),
        }
    }

    /// Ends the call because the provider cannot be asked again.
    fn unasked(self: Box<Self>, status: u16, kind: FetchErrorKind, message: String) -> CallStep {
        let fault = CallFault::new(status, message.clone());
        let answer = fault.answer(&self.context, self.configuration, self.head);
        CallStep::Done(CallAnswer { unreachable: Some(FetchError { kind, message }), ..answer })
    }

    fn after(self: Box<Self>, url: String, parts: VendorParts, answer: Answer, next: usize) -> CallStep {
        let hooks = around(&self.context.connector, self.resource, self.called(), HookKind::PostRequest);
        let Some((place, hook)) = hooks.get(next) else { return self.conclude(url, parts, answer) };
        let call = HookAsk {
            kind: HookKind::PostRequest,
            place: place.clone(),
            body: hook.body.clone(),
            is_legacy: hook.legacy,
            inputs: self.inputs(&parts, Some(&answer)),
        };
        let place = place.clone();
        let stage = HookStage::After { url, parts: Box::new(parts), answer: Box::new(answer), next };
        CallStep::Hook(call, AwaitHook { machine: self, stage, place })
    }

    /// Takes what one provider answer gives, and decides what follows.
    fn conclude(mut self: Box<Self>, url: String, parts: VendorParts, answer: Answer) -> CallStep {
        if answer.is_error {
            let fault = answer::refused(&answer, &self.context.settings);
            return self.fail(fault);
        }
        let body = match self.object_of(&answer) {
            Ok(body) => body,
            Err(fault) => return self.fail(fault),
        };
        let fields = self.fields.clone();
        let connector = std::sync::Arc::clone(&self.context.connector);
        let resource = &connector.resources[self.resource];
        let mapping = AnswerMapping::new(&connector, resource, &self.context.settings, fields);
        let aside = mapping.aside(&answer);
        self.change_configuration(aside.configuration);
        merge(&mut self.headers, &some(aside.headers));
        merge(&mut self.headers, &some(answer.set_by_hooks.clone()));
        if let Some(next) = resource.next {
            self.previous = Some((body.clone().unwrap_or_else(|| "null".into()), answer.headers.clone()));
            self.resource = next;
            return self.prepare();
        }
        let Some(body) = body else { return self.done(answer.status, None, None, None) };
        if json_text::kind(&body) != Some(Kind::List) {
            return match mapping.record(&body, &answer) {
                Ok(mapped) => self.done(answer.status, Some(mapped.unwrap_or(body)), None, None),
                Err(fault) => self.fail(fault),
            };
        }
        self.collect(&url, &parts, &answer, &body, &mapping)
    }

    /// The object of an answer: below its root key, and JSON.
    fn object_of(&self, answer: &Answer) -> Result<Option<String>, CallFault> {
        let is_read = self.called().method == "GET";
        let wrong = |message: String| CallFault {
            status: 502,
            message,
            provider_message: answer::provider_message(answer, &self.context.settings),
        };
        if let Some(text) = &answer.text {
            let what = if text.trim_start().starts_with('<') { "HTML" } else { "something else" };
            if is_read || what == "HTML" {
                return Err(wrong(format!("the provider answered with {what} where JSON was expected")));
            }
            return Ok(Some(quote(text)));
        }
        let root =
            self.called().root_key.as_deref().and_then(|key| RootKey::parse(key).ok()).unwrap_or_default();
        let Some(body) = &answer.body else {
            if is_read && root.is_nested() && !answer.rewritten {
                return Err(wrong("the provider answered with nothing where JSON was expected".into()));
            }
            return Ok(None);
        };
        match root.unwrap(body) {
            Some(object) => Ok(Some(object)),
            // A hook that unwrapped by itself, and answers to writes, which often are not wrapped.
            None if answer.rewritten || !is_read => Ok(Some(body.clone())),
            None => {
                let key = self.called().root_key.clone().unwrap_or_default();
                let key = key.rsplit('|').next().unwrap_or_default().to_string();
                Err(wrong(format!("the provider's answer has nothing at `{key}`; correct `rootKey`")))
            }
        }
    }

    /// Adds the records of one provider page, and asks for another while the caller's page is not full.
    fn collect(
        mut self: Box<Self>,
        url: &str,
        parts: &VendorParts,
        answer: &Answer,
        body: &str,
        mapping: &AnswerMapping<'_>,
    ) -> CallStep {
        let items = json_text::items(body).unwrap_or_default();
        let cuts = self.plan.asked || !self.records.is_empty() || self.plan.cuts();
        let skip = usize::try_from(self.position.skip).unwrap_or(usize::MAX).min(items.len());
        let room = if cuts { self.plan.want as usize - self.records.len() } else { usize::MAX };
        let taken = room.min(items.len() - skip);
        for item in &items[skip..skip + taken] {
            match mapping.record(item, answer) {
                Ok(mapped) => self.records.push(mapped.unwrap_or_else(|| item.to_string())),
                Err(fault) => return self.fail(fault),
            }
        }
        let whole = answer.body.as_deref().unwrap_or_default();
        let left = items.len() - skip - taken;
        let next = if left > 0 {
            let skip = (skip + taken) as u64;
            Some(Position { skip, ..self.position.clone() })
        } else {
            let after = self.plan.after(&self.position, items.len(), url, whole, &answer.headers);
            let skip = self.position.skip - skip as u64;
            match after {
                Ok(at) => at.map(|at| Position { at, skip, size: self.position.size }),
                Err(fault) => return self.fail(fault),
            }
        };
        let full = !cuts || !self.plan.fills || self.records.len() >= self.plan.want as usize;
        match next {
            Some(next) if !full && self.requests < REQUESTS_PER_CALL_MAX && !parts.base.is_empty() => {
                self.position = next;
                self.prepare()
            }
            next => {
                // Untouched records leave in the provider's own text, blanks included.
                let untouched = self.requests <= 1 && taken == items.len() && is_same(&self.records, &items);
                let text = if untouched { body.to_string() } else { format!("[{}]", self.records.join(",")) };
                let token = next.map(|next| write_token(&next));
                let count = self.records.len();
                self.done(answer.status, Some(text), Some(count), token)
            }
        }
    }

    fn done(
        self: Box<Self>,
        status: u16,
        body: Option<String>,
        count: Option<usize>,
        token: Option<String>,
    ) -> CallStep {
        let is_set = |name: &str| self.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
        let mut headers = vec![
            ("Elements-Request-Id".to_string(), self.context.request_id.clone()),
            ("Elements-Element-Instance-Id".to_string(), self.context.instance.to_string()),
        ];
        if let Some(count) = count {
            headers.push(("Elements-Returned-Count".into(), count.to_string()));
            if let Some(token) = token.filter(|_| !is_set("elements-next-page-token")) {
                headers.push(("Elements-Next-Page-Token".into(), token));
            }
            let has_token = is_set("elements-next-page-token")
                || headers.iter().any(|(name, _)| name == "Elements-Next-Page-Token");
            headers.push(("Elements-Has-More".into(), has_token.to_string()));
            if let Some(total) = self.total() {
                headers.push(("Elements-Total-Count".into(), total));
            }
        }
        merge(&mut headers, &some(self.headers.clone()));
        let status = if (200..300).contains(&status) { 200 } else { status };
        CallStep::Done(CallAnswer {
            status,
            headers,
            body,
            configuration: self.configuration,
            provider: self.head,
            fault: None,
            unreachable: None,
        })
    }

    /// The total that the provider's headers tell.
    fn total(&self) -> Option<String> {
        const NAMES: [&str; 4] = ["x-total-count", "x-total", "total-count", "x-pagination-total-count"];
        let head = self.head.as_ref()?;
        let found =
            head.headers.iter().find(|(name, _)| NAMES.contains(&name.to_ascii_lowercase().as_str()))?;
        found.1.trim().parse::<u64>().ok().map(|total| total.to_string())
    }

    fn fail(self: Box<Self>, fault: CallFault) -> CallStep {
        CallStep::Done(fault.answer(&self.context, self.configuration, self.head))
    }

    fn change_configuration(&mut self, changes: Vec<(String, Option<String>)>) {
        for (key, value) in changes {
            match &value {
                Some(value) => self.context.settings.set(&key, value),
                None => self.context.settings.remove(&key),
            }
            self.configuration.retain(|(known, _)| *known != key);
            self.configuration.push((key, value));
        }
    }

    /// The inputs of a hook, by their documented names.
    fn inputs(&self, parts: &VendorParts, answer: Option<&Answer>) -> HookInputs {
        let pairs = |pairs: &[(String, String)]| {
            hooking::object(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
        };
        let ours = match &self.request.body {
            super::CallBody::Empty => VendorBody::Empty,
            super::CallBody::Json(text) => VendorBody::Json(text.clone()),
            super::CallBody::Form(fields) | super::CallBody::Multipart { fields, .. } => {
                VendorBody::Form(fields.clone())
            }
        };
        let (body, body_map) = body_inputs(&ours);
        let (vendor_body, vendor_body_map) = body_inputs(&parts.body);
        let variables = self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let whole = || address::join(&parts.base, &parts.path, &parts.parameters);
        let expression = self.expression.as_ref().map_or("[]".to_string(), Expression::to_hook_form);
        let mut inputs = vec![
            (InputName::RequestBody, body),
            (InputName::RequestBodyMap, body_map),
            (InputName::RequestHeaders, pairs(&self.request.headers)),
            (InputName::RequestPath, quote(&self.request.path)),
            (InputName::RequestPathVariables, hooking::object(variables)),
            (InputName::RequestParameters, pairs(&self.request.query)),
            (InputName::RequestMethod, quote(&self.request.method)),
            (InputName::RequestVendorBody, vendor_body),
            (InputName::RequestVendorBodyMap, vendor_body_map),
            (InputName::RequestVendorHeaders, pairs(&parts.headers)),
            (InputName::RequestVendorParameters, pairs(&parts.parameters)),
            (InputName::RequestVendorPath, quote(&parts.path)),
            (InputName::RequestVendorMethod, quote(&parts.method)),
            (InputName::RequestVendorUrl, quote(&parts.url.clone().unwrap_or_else(whole))),
            (InputName::RequestExpression, expression),
            (InputName::ObjectName, quote(object_name(&self.called().path))),
            (InputName::MetaData, "{}".to_string()),
            (InputName::Configuration, hooking::object(self.context.settings.iter())),
        ];
        if let Some((body, headers)) = &self.previous {
            inputs.push((InputName::RequestPreviousResponse, body.clone()));
            inputs.push((InputName::RequestPreviousResponseHeaders, pairs(headers)));
        }
        if let Some(answer) = answer {
            let body = match (&answer.body, &answer.text) {
                (Some(body), _) => body.clone(),
                (None, Some(text)) => quote(text),
                (None, None) => "null".to_string(),
            };
            inputs.push((InputName::ResponseBody, body));
            inputs.push((InputName::ResponseHeaders, pairs(&answer.headers)));
            inputs.push((InputName::ResponseStatusCode, answer.status.to_string()));
            inputs.push((InputName::ResponseIsError, answer.is_error.to_string()));
        }
        inputs.into_iter().fold(HookInputs::new(), |all, (name, text)| all.with(name, hooking::json(text)))
    }
}

/// Reads the clause, unless the provider gets its text as it is.
fn read_where(
    context: &CallContext,
    resource: &Resource,
    request: &CallRequest,
) -> Result<Option<Expression>, CallFault> {
    debug_assert!(PLATFORM.contains(&"where"));
    let Some(clause) = request.parameter("where").filter(|clause| !clause.trim().is_empty()) else {
        return Ok(None);
    };
    match Expression::parse(clause) {
        Ok(expression) => Ok(Some(expression)),
        Err(error) => {
            let all = context.connector.parameters.iter().chain(&resource.parameters);
            let passes = all.into_iter().any(|parameter| {
                parameter.name == "where" && parameter.converter.is_none() && parameter.vendor_name != "where"
            });
            if passes { Ok(None) } else { Err(CallFault::new(400, error.to_string())) }
        }
    }
}

fn object_name(path: &str) -> &str {
    let path = crate::connector::without_hub(path);
    path.split('/').rfind(|part| !part.is_empty() && !part.starts_with('{')).unwrap_or_default()
}

fn is_same(records: &[String], items: &[&str]) -> bool {
    records.len() == items.len() && records.iter().zip(items).all(|(record, item)| record == item)
}

fn some(pairs: Vec<(String, String)>) -> Vec<(String, Option<String>)> {
    pairs.into_iter().map(|(name, value)| (name, Some(value))).collect()
}

impl CallFault {
    /// The answer to a call of this instance that cannot even begin, in the field's shape.
    pub fn into_answer(self, instance: i64, request_id: &str) -> CallAnswer {
        self.shaped(instance, request_id, Vec::new(), None)
    }

    /// The answer in the field's shape.
    pub(super) fn answer(
        self,
        context: &CallContext,
        configuration: Vec<(String, Option<String>)>,
        provider: Option<ProviderHead>,
    ) -> CallAnswer {
        self.shaped(context.instance, &context.request_id, configuration, provider)
    }

    fn shaped(
        self,
        instance: i64,
        request_id: &str,
        configuration: Vec<(String, Option<String>)>,
        provider: Option<ProviderHead>,
    ) -> CallAnswer {
        let mut body = format!("{{\"requestId\":{},\"message\":{}", quote(request_id), quote(&self.message));
        if let Some(words) = &self.provider_message {
            body.push_str(&format!(",\"providerMessage\":{}", quote(words)));
        }
        body.push('}');
        let mut headers = vec![
            ("Elements-Request-Id".to_string(), request_id.to_string()),
            ("Elements-Element-Instance-Id".to_string(), instance.to_string()),
        ];
        if let Some(head) = provider.as_ref().filter(|_| matches!(self.status, 429 | 503)) {
            let wait = head.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("retry-after"));
            headers.extend(wait.map(|(_, value)| ("Retry-After".to_string(), value.clone())));
        }
        CallAnswer {
            unreachable: None,
            status: self.status,
            headers,
            body: Some(body),
            configuration,
            provider,
            fault: Some(self),
        }
    }
}
