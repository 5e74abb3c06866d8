//! Reading the parts of a connector: one configuration entry, parameter, hook or resource each.
//!
//! The same readers judge a whole import and a single part that an editor sends.

use crate::call::RootKey;
use crate::hook::HookKind;
use crate::json_text;
use crate::limits::{HOOK_SCRIPT_BYTES_MAX, RESOURCE_PATH_BYTES_MAX};

use super::check::read_hooks;
use super::keys;
use super::reading::{Findings, Object, cut};
use super::view::{
    ConfigurationEntry, Converter, DataType, EntryKind, Hook, Parameter, ParameterPlace, Resource,
    ResourceKind, ResourcePagination, Source,
};

/// The key of a connector without one: its name in lower case, blanks dropped (platform-api §2), and whatever else an
/// address cannot hold.
pub fn key_of(name: &str) -> String {
    name.to_lowercase()
        .chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(*letter))
        .collect()
}

pub(super) fn is_key(key: &str) -> bool {
    let fits = |letter: char| letter.is_alphanumeric() || "-_.~".contains(letter);
    !key.is_empty() && key.len() <= 255 && key.chars().all(fits) && key.chars().any(char::is_alphanumeric)
}

/// Reads one entry of `configuration`.
pub(super) fn read_entry(path: &str, raw: &str, findings: &mut Findings) -> Option<ConfigurationEntry> {
    let object = Object::open(path, raw, findings)?;
    let key = object.required("key", "name the key that instances set", findings);
    let name = object.filled("name", findings);
    object.text("description", findings);
    let default = object.text("defaultValue", findings);
    let kind = entry_kind(&object, findings);
    let required = object.flag("required", findings).unwrap_or(false);
    for flag in [
        "active",
        "internal",
        "hideFromConsole",
        "groupControl",
        "resellerConfig",
        "companyConfig",
        "isPrivate",
    ] {
        object.flag(flag, findings);
    }
    let key = key?;
    if keys::unknown_event_key(&key) {
        let problem =
            format!("`{}` is not a key of the event framework, where all keys are reserved", cut(&key));
        findings.fault(object.at("key"), problem, format!("use one of {}", keys::event_keys()));
    }
    let kind = kind?;
    let secret = kind == EntryKind::Password || keys::is_secret(&key);
    Some(ConfigurationEntry {
        name: name.unwrap_or_else(|| key.clone()),
        key,
        default,
        kind,
        required,
        secret,
    })
}

fn entry_kind(object: &Object<'_>, findings: &mut Findings) -> Option<EntryKind> {
    let Some(word) = object.filled("type", findings) else { return Some(EntryKind::TextField(1_000)) };
    let plain = word.trim().to_ascii_uppercase();
    let kind = match plain.as_str() {
        "BOOLEAN" => Some(EntryKind::Boolean),
        "PASSWORD" => Some(EntryKind::Password),
        "TEXTAREA" => Some(EntryKind::TextArea),
        "COMBO" => Some(EntryKind::Combo),
        "TEXTFIELD" => Some(EntryKind::TextField(1_000)),
        other => {
            other.strip_prefix("TEXTFIELD_").and_then(|length| length.parse().ok()).map(EntryKind::TextField)
        }
    };
    if kind.is_none() {
        let remedy =
            "write BOOLEAN, PASSWORD, TEXTAREA, COMBO, or TEXTFIELD_ and a length, such as TEXTFIELD_128";
        findings.fault(object.at("type"), format!("`{}` is not a type of an entry", cut(&word)), remedy);
    }
    kind
}

const PLACES: [(&str, ParameterPlace); 15] = [
    ("configuration", ParameterPlace::Configuration),
    ("header", ParameterPlace::Header),
    ("path", ParameterPlace::Path),
    ("query", ParameterPlace::Query),
    ("body", ParameterPlace::Body),
    ("bodyField", ParameterPlace::BodyField),
    ("form", ParameterPlace::Form),
    ("multipart", ParameterPlace::Multipart),
    ("file", ParameterPlace::File),
    ("value", ParameterPlace::Value),
    ("customValue", ParameterPlace::Value),
    ("prevBody", ParameterPlace::PrevBody),
    ("prevBodyField", ParameterPlace::PrevBodyField),
    ("bodyToken", ParameterPlace::BodyToken),
    ("no-op", ParameterPlace::NoOp),
];

/// Reads one parameter. A converter may stand in `converter`, or in the vendor name as `converter:<name>`.
pub(super) fn read_parameter(path: &str, raw: &str, findings: &mut Findings) -> Option<Parameter> {
    let object = Object::open(path, raw, findings)?;
    let name = object.required("name", "name the parameter, or the value of a `value` parameter", findings);
    let vendor_name = object.text("vendorName", findings);
    let place = read_place(&object, "type", findings);
    let vendor_place = match object.raw("vendorType") {
        Some(_) => read_place(&object, "vendorType", findings),
        None => place,
    };
    let data_type = data_type(&object, "dataType", findings);
    let vendor_data_type = data_type_or(&object, data_type, findings);
    let source = object
        .choice("source", &[("request", Source::Request), ("response", Source::Response)], findings)
        .unwrap_or(Source::Request);
    let required = object.flag("required", findings).unwrap_or(false);
    let description = object.text("description", findings).unwrap_or_default();
    let (converter, at) = match object.filled("converter", findings) {
        Some(converter) => (Some(converter), "converter"),
        None => (vendor_name.as_deref().and_then(named_converter).map(str::to_string), "vendorName"),
    };
    let converter = converter.and_then(|word| {
        let known = read_converter(&word);
        if known.is_none() {
            let problem = format!("there is no converter `{}`", cut(&word));
            findings.fault(object.at(at), problem, "use `toQueryParameters` or `toODataFilter`, or a hook");
        }
        known
    });
    let name = name?;
    for (key, place) in [("name", place?), ("vendorName", vendor_place?)] {
        let text = if key == "name" { Some(name.as_str()) } else { vendor_name.as_deref() };
        if matches!(place, ParameterPlace::BodyField | ParameterPlace::PrevBodyField)
            && let Some(text) = text
            && let Err(problem) = crate::call::field_place(text)
        {
            findings.fault(object.at(key), problem, "write the place of a member, such as `contact.email`");
        }
    }
    Some(Parameter {
        vendor_name: vendor_name.filter(|name| !name.is_empty()).unwrap_or_else(|| name.clone()),
        name,
        place: place?,
        vendor_place: vendor_place?,
        data_type,
        vendor_data_type,
        source,
        required,
        converter,
        description,
    })
}

/// The converter that a vendor name stands for: `converter:toODataFilter`, with or without a blank.
fn named_converter(vendor_name: &str) -> Option<&str> {
    let rest = vendor_name.trim().strip_prefix("converter")?.trim_start();
    Some(rest.strip_prefix(':')?.trim())
}

fn read_converter(word: &str) -> Option<Converter> {
    let word = named_converter(word).unwrap_or_else(|| word.trim());
    match word {
        _ if word.eq_ignore_ascii_case("toQueryParameters") => Some(Converter::ToQueryParameters),
        _ if word.eq_ignore_ascii_case("toODataFilter") => Some(Converter::ToODataFilter),
        _ => None,
    }
}

fn read_place(object: &Object<'_>, key: &str, findings: &mut Findings) -> Option<ParameterPlace> {
    let words: Vec<&str> = PLACES.iter().map(|(word, _)| *word).collect();
    let word = object.required(key, &format!("write one of {}", words.join(", ")), findings)?;
    let plain = word.trim().replace("noop", "no-op");
    let found = PLACES.iter().find(|(name, _)| name.eq_ignore_ascii_case(&plain));
    if found.is_none() {
        let problem = format!("`{}` is not a place that we know, so the parameter is not sent", cut(&word));
        findings.warn(object.at(key), problem, format!("write one of {}", words.join(", ")));
    }
    Some(found.map_or(ParameterPlace::Unknown, |(_, place)| *place))
}

fn data_type(object: &Object<'_>, key: &str, findings: &mut Findings) -> Option<DataType> {
    let word = object.filled(key, findings)?;
    Some(match word.trim().to_ascii_lowercase().as_str() {
        "integer" | "int" | "int32" | "int64" | "long" => DataType::Integer,
        "float" | "double" | "number" | "decimal" => DataType::Number,
        "boolean" | "bool" => DataType::Boolean,
        "string" | "byte" | "binary" | "date" | "datetime" | "date-time" | "password" | "text" | "file" => {
            DataType::Text
        }
        // Names of models: objects and lists travel as they are.
        _ => DataType::Structure,
    })
}

fn data_type_or(object: &Object<'_>, ours: Option<DataType>, findings: &mut Findings) -> Option<DataType> {
    data_type(object, "vendorDataType", findings).or(ours)
}

/// Reads one hook.
pub(super) fn read_hook(path: &str, raw: &str, findings: &mut Findings) -> Option<Hook> {
    const KINDS: [(&str, HookKind); 4] = [
        ("preRequest", HookKind::PreRequest),
        ("postRequest", HookKind::PostRequest),
        ("event", HookKind::Event),
        ("events", HookKind::Event),
    ];
    let object = Object::open(path, raw, findings)?;
    if object.raw("type").is_none() {
        findings.fault(object.at("type"), "`type` is missing", "write preRequest, postRequest or event");
    }
    let kind = object.choice("type", &KINDS, findings);
    let body = object.text("body", findings);
    if body.is_none() && object.raw("body").is_none() {
        findings.fault(object.at("body"), "`body` is missing", "write the JavaScript of the hook");
    }
    if let Some(body) = body.as_ref().filter(|body| body.len() > HOOK_SCRIPT_BYTES_MAX) {
        let problem = format!("the hook has {} bytes", body.len());
        findings.fault(object.at("body"), problem, format!("shorten it to {HOOK_SCRIPT_BYTES_MAX} bytes"));
    }
    if let Some(mime) = object.filled("mimeType", findings)
        && !mime.to_ascii_lowercase().contains("javascript")
    {
        let problem = format!("`{}` is not JavaScript", cut(&mime));
        findings.fault(object.at("mimeType"), problem, "write `application/javascript`");
    }
    let legacy = object.flag("isLegacy", findings).unwrap_or(false);
    Some(Hook { kind: kind?, body: body?, legacy })
}

/// Reads one resource.
pub(super) fn read_resource(path: &str, raw: &str, findings: &mut Findings) -> Option<Resource> {
    let object = Object::open(path, raw, findings)?;
    let kind = resource_kind(&object, findings);
    let our_path = read_path(&object, "path", findings);
    let method = read_method(&object, "method", findings);
    let vendor_path = match object.filled("vendorPath", findings) {
        Some(_) => read_path(&object, "vendorPath", findings),
        None => our_path.as_deref().map(|path| without_hub(path).to_string()),
    };
    let vendor_method = match object.raw("vendorMethod") {
        Some(_) => read_method(&object, "vendorMethod", findings),
        None => method.clone(),
    };
    let parameters = object
        .list("parameters", findings)
        .into_iter()
        .filter_map(|(path, raw)| read_parameter(&path, raw, findings))
        .collect();
    let hooks = read_hooks(object.list("hooks", findings), findings);
    let root_key = object.filled("rootKey", findings).or_else(|| expressions(&object, findings));
    if let Some(Err(problem)) = root_key.as_deref().map(RootKey::parse) {
        let remedy = "write it as `data.items`, `data[*]`, `[0]`, or `request|response`";
        findings.fault(object.at("rootKey"), problem, remedy);
    }
    let next_page_key = object.word("nextPageKey", findings);
    let pagination = match object.filled("paginationType", findings).as_deref() {
        Some("NOT_SUPPORTED" | "NONE" | "not_supported" | "none") => ResourcePagination::NotSupported,
        _ => ResourcePagination::VendorSupported,
    };
    let operation_id = object.word("operationId", findings);
    let description = object.text("description", findings).unwrap_or_default();
    if let Some(model) = object.raw("model") {
        Object::open(&object.at("model"), model, findings);
    }
    let response = object.object("response", findings);
    let sample = response.and_then(|response| response.raw("sampleData")).map(str::to_string);
    Some(Resource {
        kind: kind?,
        method: method?,
        path: our_path?,
        vendor_method: vendor_method?,
        vendor_path: vendor_path?,
        parameters,
        hooks,
        root_key,
        next_page_key,
        pagination,
        next: None,
        operation_id,
        description,
        model: object.raw("model").map(str::to_string),
        sample,
    })
}

/// The root key of later exports: `expressions: {requestBodyRoot, responseBodyRoot}`.
fn expressions(object: &Object<'_>, findings: &mut Findings) -> Option<String> {
    let expressions = object.object("expressions", findings)?;
    let side = |key: &str, findings: &mut Findings| expressions.filled(key, findings).unwrap_or_default();
    let (request, response) = (side("requestBodyRoot", findings), side("responseBodyRoot", findings));
    (!request.is_empty() || !response.is_empty()).then(|| format!("{request}|{response}"))
}

const KINDS: [(&str, ResourceKind); 16] = [
    ("api", ResourceKind::Api),
    ("apiElementRequest", ResourceKind::Api),
    ("apiNoDocumentation", ResourceKind::ApiNoDocumentation),
    ("onProvision", ResourceKind::OnProvision),
    ("onDelete", ResourceKind::OnDelete),
    ("onRefresh", ResourceKind::OnRefresh),
    ("provisionAuthValidation", ResourceKind::ProvisionAuthValidation),
    ("oauthOnAuthroizeUrl", ResourceKind::OAuthOnAuthorizeUrl),
    ("oauthOnAuthorizeUrl", ResourceKind::OAuthOnAuthorizeUrl),
    ("oauthOnTokenExchange", ResourceKind::OAuthOnTokenExchange),
    ("oauthOnTokenRefresh", ResourceKind::OAuthOnTokenRefresh),
    ("oauthOnTokenRevoke", ResourceKind::OAuthOnTokenRevoke),
    ("oauth1OnTokenRequest", ResourceKind::OAuth1OnTokenRequest),
    ("oauth2ClientCredentials", ResourceKind::OAuth2ClientCredentials),
    ("onProvisionWebhook", ResourceKind::OnProvisionWebhook),
    ("onDeleteWebhook", ResourceKind::OnDeleteWebhook),
];

fn resource_kind(object: &Object<'_>, findings: &mut Findings) -> Option<ResourceKind> {
    if object.raw("type").is_none() {
        return Some(ResourceKind::Api);
    }
    object.choice("type", &KINDS, findings)
}

impl ResourceKind {
    /// Whether calls from outside reach it.
    pub fn is_called(self) -> bool {
        matches!(self, ResourceKind::Api | ResourceKind::ApiNoDocumentation)
    }

    /// Whether it is a step on the way to a token, so that there may be none yet.
    pub fn signs_in(self) -> bool {
        matches!(
            self,
            ResourceKind::OAuthOnAuthorizeUrl
                | ResourceKind::OAuthOnTokenExchange
                | ResourceKind::OAuthOnTokenRefresh
                | ResourceKind::OAuth1OnTokenRequest
                | ResourceKind::OAuth2ClientCredentials
                | ResourceKind::OnRefresh
        )
    }

    /// The field's word for it.
    pub fn word(self) -> &'static str {
        KINDS.iter().find(|(_, kind)| *kind == self).map_or("api", |(word, _)| word)
    }
}

fn read_path(object: &Object<'_>, key: &str, findings: &mut Findings) -> Option<String> {
    let path = object.required(key, "write it like `/hubs/crm/contacts/{id}`", findings)?;
    let path = path.trim();
    let absolute = key == "vendorPath" && (path.starts_with("http://") || path.starts_with("https://"));
    let dynamic = key == "vendorPath" && path.starts_with(['{', '$']);
    let refused = if path.len() > RESOURCE_PATH_BYTES_MAX {
        Some(format!("it has {} bytes", path.len()))
    } else if path.chars().any(char::is_control) {
        Some("it holds a control character".to_string())
    } else if path.matches('{').count() != path.matches('}').count() {
        Some(format!("a brace of `{}` is not closed", cut(path)))
    } else {
        None
    };
    if let Some(problem) = refused {
        let remedy = format!("write it like `/contacts/{{id}}`, in at most {RESOURCE_PATH_BYTES_MAX} bytes");
        findings.fault(object.at(key), problem, remedy);
        return None;
    }
    Some(if absolute || dynamic || path.starts_with('/') { path.to_string() } else { format!("/{path}") })
}

fn read_method(object: &Object<'_>, key: &str, findings: &mut Findings) -> Option<String> {
    const METHODS: [&str; 8] = ["GET", "GETBYID", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    let remedy = "write GET, POST, PUT, PATCH or DELETE";
    let method = object.required(key, remedy, findings)?.trim().to_ascii_uppercase();
    if !METHODS.contains(&method.as_str()) {
        findings.fault(object.at(key), format!("`{}` is not a method", cut(&method)), remedy);
        return None;
    }
    Some(if method == "GETBYID" { "GET".to_string() } else { method })
}

/// A path without its hub: `/hubs/crm/contacts` and `/contacts` are one.
pub fn without_hub(path: &str) -> &str {
    let path = path.trim();
    let Some(rest) = path.strip_prefix("/hubs/").or_else(|| path.strip_prefix("hubs/")) else { return path };
    rest.find('/').map_or("", |at| &rest[at..])
}

/// What a path answers to: its hub dropped, its variables without their names.
pub(super) fn path_shape(path: &str) -> String {
    let segment = |segment: &str| match segment.starts_with('{') && segment.ends_with('}') {
        true => "{}".to_string(),
        false => segment.to_string(),
    };
    let path = without_hub(path);
    path.split('/').filter(|part| !part.is_empty()).map(segment).collect::<Vec<_>>().join("/")
}

/// The resource that a chain names, as `GET /path` or by its operation.
pub(super) fn named_resource(named: &str, resources: &[Resource]) -> Option<usize> {
    if let Some(found) = resources.iter().position(|resource| resource.operation_id.as_deref() == Some(named))
    {
        return Some(found);
    }
    let (method, path) = named.split_once(' ')?;
    let shape = path_shape(path.trim());
    let method = method.to_ascii_uppercase();
    resources.iter().position(|resource| resource.method == method && path_shape(&resource.path) == shape)
}

/// Whether a text is a member of the reserved keys that nobody may create by hand.
pub(super) fn entry_key(raw: &str) -> Option<String> {
    json_text::member(raw, "key").and_then(json_text::text).map(|key| key.into_owned())
}
