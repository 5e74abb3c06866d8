//! From our request to the provider's: every parameter is read at its place, converted, and put at the provider's
//! place.
//!
//! Element-wide parameters come first, then those of the resource, which win over them. What is not declared passes as
//! it came: the body as raw text, further query parameters under their own names. Platform parameters (`where`, `page`
//! …) never pass undeclared.

use std::collections::BTreeMap;
use std::fmt;

use crate::auth;
use crate::connector::{
    Connector, Converter, Parameter, ParameterPlace, Resource, ResourceKind, ResourcePagination, Settings,
    Source, UnsetPlaces,
};
use crate::hook::HookKind;
use crate::json_text;
use crate::json_tree::Tree;
use crate::query::Expression;
use crate::run::Request;

use super::field::{FieldPlace, field_place};
use super::paging::PageValues;
use super::root_key::RootKey;
use super::value::Value;
use super::{CallBody, CallContext, CallFault, CallRequest, VendorRequest, address};

/// The request as it will go to the provider, before it is written out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct VendorParts {
    pub(super) method: String,
    pub(super) base: String,
    /// Below the base, or absolute; escaped.
    pub(super) path: String,
    /// A whole address that wins over path and parameters.
    pub(super) url: Option<String>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) parameters: Vec<(String, String)>,
    pub(super) body: VendorBody,
}

/// A body for the provider. It may hold secrets, so it prints its kind only.
#[derive(Clone, PartialEq, Eq)]
pub enum VendorBody {
    /// None.
    Empty,
    /// JSON text.
    Json(String),
    /// Any other text.
    Text(String),
    /// A form (`application/x-www-form-urlencoded`).
    Form(Vec<(String, String)>),
    /// Fields of a multipart body.
    Multipart(Vec<(String, String)>),
}

impl fmt::Debug for VendorBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            VendorBody::Empty => "Empty",
            VendorBody::Json(_) => "Json",
            VendorBody::Text(_) => "Text",
            VendorBody::Form(_) => "Form",
            VendorBody::Multipart(_) => "Multipart",
        })
    }
}

/// What a request is made from.
pub(super) struct Mapping<'c> {
    pub(super) connector: &'c Connector,
    pub(super) resource: &'c Resource,
    pub(super) settings: &'c Settings,
    pub(super) request: &'c CallRequest,
    pub(super) variables: &'c BTreeMap<String, String>,
    pub(super) expression: Option<&'c Expression>,
    pub(super) page: PageValues,
    /// Body of the call before this one in a chain.
    pub(super) previous: Option<&'c str>,
}

/// A mapped request, and configuration values that it sets.
#[derive(Debug)]
pub(super) struct Mapped {
    pub(super) parts: VendorParts,
    pub(super) configuration: Vec<(String, Option<String>)>,
}

/// Query parameters with a meaning of ours.
pub(super) const PLATFORM: [&str; 7] =
    ["where", "fields", "orderBy", "page", "pageSize", "nextPage", "returnTotalCount"];

impl Mapping<'_> {
    /// Makes the provider's request. Fails with 400 and one sentence for what is missing or does not fit.
    pub(super) fn make(&self) -> Result<Mapped, CallFault> {
        let mut target = Target::new(self)?;
        for parameter in self.parameters() {
            if parameter.name == "where" && parameter.place == ParameterPlace::Query {
                continue;
            }
            self.carry(parameter, &mut target)?;
        }
        self.carry_where(&mut target)?;
        self.carry_undeclared(&mut target)?;
        target.finish(self)
    }

    fn parameters(&self) -> impl Iterator<Item = &Parameter> {
        let all = self.connector.parameters.iter().chain(&self.resource.parameters);
        all.filter(|parameter| parameter.source == Source::Request)
    }

    fn declared(&self, name: &str) -> Option<&Parameter> {
        self.parameters()
            .filter(|parameter| parameter.place == ParameterPlace::Query && parameter.name == name)
            .last()
    }

    fn has_pre_hook(&self) -> bool {
        let all = self.connector.hooks.iter().chain(&self.resource.hooks);
        all.into_iter().any(|hook| hook.kind == HookKind::PreRequest)
    }

    /// Moves one parameter's value.
    fn carry(&self, parameter: &Parameter, target: &mut Target) -> Result<(), CallFault> {
        if let (ParameterPlace::BodyField, ParameterPlace::BodyField) =
            (parameter.place, parameter.vendor_place)
        {
            let (from, to) = (place(&parameter.name)?, place(&parameter.vendor_name)?);
            let present = target.body.as_mut().is_some_and(|body| from.read(body).is_some());
            if !present && parameter.required {
                return Err(self.missing(parameter));
            }
            if let Some(body) = target.body.as_mut() {
                let change = |raw: String| Value::Json(raw).into_json(parameter.vendor_data_type);
                from.move_to(&to, body, change).map_err(|problem| misfit(parameter, &problem))?;
            }
            return Ok(());
        }
        match self.read(parameter, target)? {
            Some(value) => target.put(parameter, value),
            // Before there is a token, element-wide parameters cannot carry one.
            None if parameter.required && !self.lacks_by_design(parameter) => Err(self.missing(parameter)),
            None => Ok(()),
        }
    }

    /// Whether a step of the sign-in may do without this parameter's configuration value.
    fn lacks_by_design(&self, parameter: &Parameter) -> bool {
        self.resource.kind.signs_in() && parameter.place == ParameterPlace::Configuration
    }

    /// Reads a value at its place on our side.
    fn read(&self, parameter: &Parameter, target: &mut Target) -> Result<Option<Value>, CallFault> {
        let name = parameter.name.as_str();
        let text = |text: &str| Some(Value::Text(text.to_string()));
        let fields = match &self.request.body {
            CallBody::Form(fields) | CallBody::Multipart { fields, .. } => fields.as_slice(),
            CallBody::Empty | CallBody::Json(_) => &[],
        };
        Ok(match parameter.place {
            ParameterPlace::Configuration => self.settings.filled(name).and_then(|value| match name {
                // A bare token is no credential of HTTP; its scheme belongs before it (decision 0016).
                "oauth.user.token"
                    if parameter.vendor_name.eq_ignore_ascii_case("authorization")
                        && !value.contains(' ') =>
                {
                    text(&format!("Bearer {value}"))
                }
                _ => text(value),
            }),
            ParameterPlace::Header => self.request.header(name).and_then(text),
            ParameterPlace::Path => self.variables.get(name).map(String::as_str).and_then(text),
            ParameterPlace::Query => match name {
                "page" => self.page.page.clone().map(Value::Text),
                "pageSize" => self.page.size.clone().map(Value::Text),
                "nextPage" => self.page.next.clone().map(Value::Text),
                _ => self.request.parameter(name).and_then(text),
            },
            ParameterPlace::Body => target.take_body().map(Value::Json),
            ParameterPlace::BodyField => {
                let from = place(name)?;
                target.body.as_mut().and_then(|body| from.take(body)).map(Value::Json)
            }
            ParameterPlace::Form | ParameterPlace::Multipart => {
                let found = fields.iter().find(|(field, _)| field == name);
                found.map(|(_, value)| Value::Text(value.clone()))
            }
            ParameterPlace::File => match &self.request.body {
                CallBody::Multipart { files, .. } if !files.is_empty() => return Err(no_files(parameter)),
                _ if parameter.required => return Err(no_files(parameter)),
                _ => None,
            },
            ParameterPlace::Value => match self.constant(name, target) {
                Err(_) if self.resource.kind.signs_in() => None,
                constant => Some(Value::Text(constant?)),
            },
            ParameterPlace::PrevBody => self.previous.map(|body| Value::Json(body.to_string())),
            ParameterPlace::PrevBodyField => {
                let from = place(name)?;
                self.previous.and_then(|body| from.read(&mut Tree::raw(body))).map(Value::Json)
            }
            ParameterPlace::BodyToken | ParameterPlace::NoOp | ParameterPlace::Unknown => None,
        })
    }

    /// A constant with its `${…}` filled in.
    fn constant(&self, name: &str, target: &mut Target) -> Result<String, CallFault> {
        let place_name = format!("the constant `{name}`");
        let mut text = self
            .settings
            .fill(name, &place_name, UnsetPlaces::Stay)
            .map_err(|unset| CallFault::new(400, unset.to_string()))?;
        while let Some((open, end, token)) = find_token(&text) {
            let value = match token.split_once('.') {
                Some(("header", header)) => self.request.header(header).map(str::to_string),
                Some(("body", path)) => {
                    let from = place(path)?;
                    let read = target.body.as_mut().and_then(|body| from.read(body));
                    read.and_then(|raw| Value::Json(raw).into_text(None).ok())
                }
                _ => None,
            };
            text.replace_range(open..end, &value.unwrap_or_default());
        }
        Ok(text)
    }

    fn carry_where(&self, target: &mut Target) -> Result<(), CallFault> {
        let Some(clause) = self.request.parameter("where").filter(|clause| !clause.trim().is_empty()) else {
            return Ok(());
        };
        let parameter = self.declared("where");
        let names_itself = |parameter: &&Parameter| {
            parameter.vendor_place != ParameterPlace::NoOp
                && (["where", ""].contains(&parameter.vendor_name.trim())
                    || parameter.converter == Some(Converter::ToQueryParameters))
        };
        match parameter.filter(|parameter| !names_itself(parameter)) {
            Some(parameter) if parameter.vendor_place == ParameterPlace::NoOp => Ok(()),
            Some(parameter) if parameter.converter == Some(Converter::ToODataFilter) => {
                let Some(expression) = self.expression else { return Ok(()) };
                match expression.to_odata_filter() {
                    Ok(filter) => {
                        let named = parameter.vendor_name.trim_start().starts_with("converter");
                        let name = if named { "$filter" } else { parameter.vendor_name.as_str() };
                        set(&mut target.parts.parameters, name, filter);
                        Ok(())
                    }
                    Err(_) if self.has_pre_hook() => Ok(()),
                    Err(error) => Err(CallFault::new(400, error.to_string())),
                }
            }
            Some(parameter) => target.put(parameter, Value::Text(clause.to_string())),
            None => {
                let Some(expression) = self.expression else { return Ok(()) };
                match expression.to_query_parameters() {
                    Ok(pairs) => pairs.into_iter().try_for_each(|(name, value)| {
                        match self.declared(&name).filter(|_| !PLATFORM.contains(&name.as_str())) {
                            Some(parameter) => target.put(parameter, Value::Text(value)),
                            None => {
                                target.parts.parameters.push((name, value));
                                Ok(())
                            }
                        }
                    }),
                    // The hook has the parsed clause and writes the provider's query itself.
                    Err(_) if self.has_pre_hook() => Ok(()),
                    Err(error) => Err(CallFault::new(400, error.to_string())),
                }
            }
        }
    }

    fn carry_undeclared(&self, target: &mut Target) -> Result<(), CallFault> {
        for (name, value) in &self.request.query {
            if !PLATFORM.contains(&name.as_str()) && self.declared(name).is_none() {
                target.parts.parameters.push((name.clone(), value.clone()));
            }
        }
        if self.request.parameter("orderBy").is_some()
            && self.declared("orderBy").is_none()
            && !self.has_pre_hook()
        {
            let sentence = "the provider cannot order this resource; call it without `orderBy`";
            return Err(CallFault::new(400, sentence));
        }
        Ok(())
    }

    fn missing(&self, parameter: &Parameter) -> CallFault {
        let resource = format!("{} {}", self.resource.method, self.resource.path);
        let (what, how) = match parameter.place {
            ParameterPlace::Configuration => ("configuration value", "set it on the instance"),
            ParameterPlace::Header => ("header", "send it"),
            ParameterPlace::Path => ("part of the path", "write it into the path"),
            ParameterPlace::Query => ("query parameter", "send it"),
            ParameterPlace::Body => ("body", "send one"),
            ParameterPlace::BodyField => ("member of the body", "send it"),
            ParameterPlace::Form | ParameterPlace::Multipart => ("field of the form", "send it"),
            ParameterPlace::PrevBody | ParameterPlace::PrevBodyField => {
                ("value of the call before this one", "correct the chain of resources")
            }
            ParameterPlace::File
            | ParameterPlace::Value
            | ParameterPlace::BodyToken
            | ParameterPlace::NoOp
            | ParameterPlace::Unknown => ("parameter", "correct the connector"),
        };
        CallFault::new(
            400,
            format!("the {what} `{}` is missing, which `{resource}` needs; {how}", parameter.name),
        )
    }
}

/// Adds to a request that was made elsewhere (by a flow) what its connector puts into every request of an account:
/// element-wide parameters that come from the configuration or are constants, as far as they go into headers or the
/// query, then credentials and signature. They win over what stands in the request, except `Accept` and `Content-Type`.
///
/// Fails as a call would when the account lacks what they need. Hooks of the connector do not run.
pub fn authorise(context: &CallContext, request: Request) -> Result<VendorRequest, CallFault> {
    let resource = flow_resource(&request);
    let call = CallRequest::default();
    let mapping = Mapping {
        connector: &context.connector,
        resource: &resource,
        settings: &context.settings,
        request: &call,
        variables: &BTreeMap::new(),
        expression: None,
        page: PageValues::default(),
        previous: None,
    };
    let mut target = Target::new(&mapping)?;
    let own = |parameter: &&Parameter| {
        matches!(parameter.place, ParameterPlace::Configuration | ParameterPlace::Value)
    };
    for parameter in mapping.parameters().filter(own) {
        mapping.carry(parameter, &mut target)?;
    }
    let mut added = target.parts.headers;
    auth::add_credentials(&context.connector, &context.settings, &mut added)
        .map_err(|error| CallFault::new(400, error.to_string()))?;
    // A fragment is never sent, and what is added must not stand behind it.
    let mut url = request.url.split('#').next().unwrap_or_default().to_owned();
    if !target.parts.parameters.is_empty() {
        let (path, query) = url.split_once('?').unwrap_or((&url, ""));
        let mut pairs = address::pairs(query);
        for (name, value) in target.parts.parameters {
            set(&mut pairs, &name, value);
        }
        url = format!("{path}?{}", address::query(&pairs));
    }
    let mut headers = request.headers;
    for (name, value) in added {
        if name.eq_ignore_ascii_case("accept") || name.eq_ignore_ascii_case("content-type") {
            default_header(&mut headers, &name, &value);
        } else {
            set_header(&mut headers, &name, value);
        }
    }
    checked(&headers)?;
    let body = request.body.map_or(VendorBody::Empty, VendorBody::Text);
    auth::sign(context, &request.method, &url, &body, &mut headers)
        .map_err(|error| CallFault::new(400, error.to_string()))?;
    Ok(VendorRequest { method: request.method, url, headers, body })
}

/// A resource that maps nothing.
fn flow_resource(request: &Request) -> Resource {
    Resource {
        kind: ResourceKind::Api,
        method: request.method.clone(),
        path: String::new(),
        vendor_method: request.method.clone(),
        vendor_path: String::new(),
        parameters: Vec::new(),
        hooks: Vec::new(),
        root_key: None,
        next_page_key: None,
        pagination: ResourcePagination::VendorSupported,
        next: None,
        operation_id: None,
        description: String::new(),
        model: None,
        sample: None,
    }
}

/// Refuses headers that would break the request.
fn checked(headers: &[(String, String)]) -> Result<(), CallFault> {
    let breaks = |text: &str| text.chars().any(|letter| letter.is_control());
    match headers.iter().find(|(name, value)| breaks(name) || breaks(value) || name.is_empty()) {
        None => Ok(()),
        Some((name, _)) => {
            let name = name.escape_default();
            let sentence =
                format!("the header `{name}` would hold a line break or has no name; correct its value");
            Err(CallFault::new(400, sentence))
        }
    }
}

/// The request under construction.
struct Target {
    parts: VendorParts,
    body: Option<Tree<'static>>,
    /// The vendor's variables of the path.
    variables: BTreeMap<String, String>,
    form: Vec<(String, String)>,
    multipart: Vec<(String, String)>,
    tokens: Vec<(String, String)>,
    puts: Vec<(FieldPlace, String, String)>,
    configuration: Vec<(String, Option<String>)>,
}

impl Target {
    fn new(mapping: &Mapping<'_>) -> Result<Target, CallFault> {
        let fill = |text: &str, place: &str, unset| {
            mapping.settings.fill(text, place, unset).map_err(|unset| CallFault::new(400, unset.to_string()))
        };
        let base = match mapping.settings.filled("base.url") {
            Some(base) => fill(base, "`base.url`", UnsetPlaces::Refuse)?,
            None => String::new(),
        };
        let (path, query) = match mapping.resource.vendor_path.split_once('?') {
            Some((path, query)) => (path, address::pairs(query)),
            None => (mapping.resource.vendor_path.as_str(), Vec::new()),
        };
        let mut parameters = Vec::new();
        for (name, value) in query {
            parameters.push((name, fill(&value, "the provider's path", UnsetPlaces::Stay)?));
        }
        let body = match &mapping.request.body {
            CallBody::Json(text) => Some(Tree::raw(text.clone())),
            CallBody::Empty | CallBody::Form(_) | CallBody::Multipart { .. } => None,
        };
        Ok(Target {
            parts: VendorParts {
                method: mapping.resource.vendor_method.clone(),
                base,
                path: path.to_string(),
                url: None,
                headers: Vec::new(),
                parameters,
                body: VendorBody::Empty,
            },
            body,
            variables: BTreeMap::new(),
            form: Vec::new(),
            multipart: Vec::new(),
            tokens: Vec::new(),
            puts: Vec::new(),
            configuration: Vec::new(),
        })
    }

    fn take_body(&mut self) -> Option<String> {
        self.body.take().map(|body| body.write())
    }

    /// Puts a value at the provider's place.
    fn put(&mut self, parameter: &Parameter, value: Value) -> Result<(), CallFault> {
        let name = parameter.vendor_name.as_str();
        let to = parameter.vendor_data_type;
        let text = |value: Value| value.into_text(to).map_err(|problem| misfit(parameter, &problem));
        match parameter.vendor_place {
            ParameterPlace::Configuration => self.configuration.push((name.to_string(), Some(text(value)?))),
            ParameterPlace::Header => set_header(&mut self.parts.headers, name, text(value)?),
            ParameterPlace::Path => {
                self.variables.insert(name.to_string(), text(value)?);
            }
            ParameterPlace::Query => set(&mut self.parts.parameters, name, text(value)?),
            ParameterPlace::Body => {
                let json = match value {
                    Value::Json(raw) => raw,
                    Value::Text(text) if json_text::validate(&text).is_ok() => text,
                    Value::Text(text) => json_text::quote(&text),
                };
                self.body = Some(Tree::raw(json));
            }
            ParameterPlace::BodyField => {
                let json = value.into_json(to).map_err(|problem| misfit(parameter, &problem))?;
                self.puts.push((place(name)?, json, parameter.name.clone()));
            }
            ParameterPlace::Form => set(&mut self.form, name, text(value)?),
            ParameterPlace::Multipart => set(&mut self.multipart, name, text(value)?),
            ParameterPlace::BodyToken => self.tokens.push((name.to_string(), text(value)?)),
            ParameterPlace::File => return Err(no_files(parameter)),
            ParameterPlace::Value
            | ParameterPlace::PrevBody
            | ParameterPlace::PrevBodyField
            | ParameterPlace::NoOp
            | ParameterPlace::Unknown => {}
        }
        Ok(())
    }

    fn finish(mut self, mapping: &Mapping<'_>) -> Result<Mapped, CallFault> {
        self.parts.path = self.path(mapping)?;
        for (place, value, name) in std::mem::take(&mut self.puts) {
            let body = self.body.get_or_insert_with(Tree::object);
            place.put(body, value).map_err(|problem| {
                CallFault::new(400, format!("the parameter `{name}` has no place in the body: {problem}"))
            })?;
        }
        if !mapping.resource.kind.signs_in() {
            auth::add_credentials(mapping.connector, mapping.settings, &mut self.parts.headers)
                .map_err(|error| CallFault::new(400, error.to_string()))?;
        }
        self.parts.body = self.vendor_body(mapping);
        let kind = match &self.parts.body {
            VendorBody::Json(_) => Some("application/json"),
            VendorBody::Form(_) => Some("application/x-www-form-urlencoded"),
            VendorBody::Empty | VendorBody::Text(_) | VendorBody::Multipart(_) => None,
        };
        if let Some(kind) = kind {
            default_header(&mut self.parts.headers, "Content-Type", kind);
        }
        default_header(&mut self.parts.headers, "Accept", "application/json");
        checked(&self.parts.headers)?;
        Ok(Mapped { parts: self.parts, configuration: self.configuration })
    }

    /// The provider's path with its variables.
    fn path(&self, mapping: &Mapping<'_>) -> Result<String, CallFault> {
        let mut path = String::new();
        let mut rest = self.parts.path.as_str();
        while let Some(open) = rest.find('{') {
            let Some(length) = rest[open..].find('}') else { break };
            let name = &rest[open + 1..open + length];
            let before = rest[..open].strip_suffix('$').unwrap_or(&rest[..open]);
            path.push_str(before);
            let key = name.strip_prefix("configuration.").unwrap_or(name);
            let variable = self.variables.get(name).or_else(|| mapping.variables.get(name));
            match (variable, mapping.settings.get(key)) {
                (Some(value), _) if address::walks(value) => {
                    let sentence = format!(
                        "`{value}` cannot be the `{name}` of the provider's path; send another value"
                    );
                    return Err(CallFault::new(400, sentence));
                }
                (Some(value), _) => path.push_str(&address::escape(value)),
                (None, Some(value)) => path.push_str(value),
                (None, None) => {
                    let sentence = format!(
                        "the provider's path needs `{name}`, which neither the call nor the configuration has; add a \
                         parameter for it to the resource"
                    );
                    return Err(CallFault::new(400, sentence));
                }
            }
            rest = &rest[open + length + 1..];
        }
        path.push_str(rest);
        Ok(path)
    }

    fn vendor_body(&mut self, mapping: &Mapping<'_>) -> VendorBody {
        let fields = match &mapping.request.body {
            CallBody::Form(fields) | CallBody::Multipart { fields, .. } => fields.as_slice(),
            CallBody::Empty | CallBody::Json(_) => &[],
        };
        // Fields that no parameter names pass under their own names.
        let declared = |field: &str| mapping.parameters().any(|parameter| parameter.name == field);
        let undeclared = fields.iter().filter(|(field, _)| !declared(field)).cloned();
        if !self.multipart.is_empty() || matches!(mapping.request.body, CallBody::Multipart { .. }) {
            self.multipart.extend(undeclared);
            return VendorBody::Multipart(std::mem::take(&mut self.multipart));
        }
        if !self.form.is_empty() || !fields.is_empty() {
            self.form.extend(undeclared);
            return VendorBody::Form(std::mem::take(&mut self.form));
        }
        let Some(body) = self.take_body() else { return VendorBody::Empty };
        let wants_form = self.parts.headers.iter().any(|(name, value)| {
            name.eq_ignore_ascii_case("content-type")
                && value.starts_with("application/x-www-form-urlencoded")
        });
        if wants_form && let Some(members) = json_text::members(&body) {
            let field = |member: json_text::Member<'_>| {
                let value = Value::Json(member.value.to_string()).into_text(None).unwrap_or_default();
                (member.name.into_owned(), value)
            };
            return VendorBody::Form(members.into_iter().map(field).collect());
        }
        let root = mapping.resource.root_key.as_deref().and_then(|key| RootKey::parse(key).ok());
        let mut body = root.unwrap_or_default().wrap(&body);
        for (name, value) in &self.tokens {
            let quoted = json_text::quote(value);
            let inner = &quoted[1..quoted.len() - 1];
            body = body.replace(&format!("${{{name}}}"), inner).replace(&format!("{{{name}}}"), inner);
        }
        VendorBody::Json(body)
    }
}

fn place(text: &str) -> Result<FieldPlace, CallFault> {
    field_place(text)
        .map_err(|problem| CallFault::new(400, format!("a mapping of the connector is broken: {problem}")))
}

fn misfit(parameter: &Parameter, problem: &str) -> CallFault {
    CallFault::new(
        400,
        format!("the parameter `{}` does not fit: {problem}; send another value", parameter.name),
    )
}

fn no_files(parameter: &Parameter) -> CallFault {
    let sentence = format!(
        "the parameter `{}` is a file, and calls with files are not supported; send none",
        parameter.name
    );
    CallFault::new(415, sentence)
}

/// The first `${header.x}` or `${body.x}` of a text.
fn find_token(text: &str) -> Option<(usize, usize, String)> {
    let mut from = 0;
    while let Some(open) = text[from..].find("${").map(|at| from + at) {
        let end = open + text[open..].find('}')? + 1;
        let token = &text[open + 2..end - 1];
        if token.starts_with("header.") || token.starts_with("body.") {
            return Some((open, end, token.to_string()));
        }
        from = end;
    }
    None
}

fn set(pairs: &mut Vec<(String, String)>, name: &str, value: String) {
    match pairs.iter_mut().find(|(known, _)| known == name) {
        Some(pair) => pair.1 = value,
        None => pairs.push((name.to_string(), value)),
    }
}

fn set_header(headers: &mut Vec<(String, String)>, name: &str, value: String) {
    crate::hook::merge(headers, &[(name.to_string(), Some(value))]);
}

fn default_header(headers: &mut Vec<(String, String)>, name: &str, value: &str) {
    if !headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
        headers.push((name.to_string(), value.to_string()));
    }
}
