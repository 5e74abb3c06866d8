//! The instance around the resources: what the field sends to `POST /instances`.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::connector::{Connector, VendorType, keys};
use crate::instance::{Basic, Instance, Webhook};
use crate::limits;
use crate::resource::Resource;
use crate::template;

use super::callback::{self, Towards};
use super::resource::{self, Surroundings};
use super::section::{Findings, Section, is_fill_in, member_path, shown};
use super::{CheckSettings, nearest, webhook};

const KNOWN: [&str; 5] = ["element", "name", "tags", "providerData", "configuration"];

/// Members of an instance as it is listed; a document that was read back is not scolded for them.
const LISTED: [&str; 11] = [
    "id",
    "user",
    "token",
    "description",
    "createdDate",
    "updatedDate",
    "disabled",
    "cachingEnabled",
    "elementId",
    "valid",
    "externalAuthentication",
];

const RESOURCES: &str = "event.poller.configuration";

/// The keys of `configuration` that are read.
pub(super) const CONFIGURATION: [&str; 22] = [
    "event.notification.enabled",
    "event.notification.callback.url",
    "event.notification.callback.headers",
    "event.notification.basic.username",
    "event.notification.basic.password",
    "event.notification.signature.key",
    "event.poller.refresh_interval",
    RESOURCES,
    "base.url",
    "http.headers",
    "authentication.type",
    "username",
    "password",
    "event.poller.urls",
    "event.vendor.type",
    "event.notification.instance.finder",
    "event.notification.subscription.id",
    "event.webhook.verification",
    "event.webhook.secret",
    "event.webhook.body",
    "event.webhook.repeatWindow",
    "event.webhook.open",
];

/// Keys of the field that are accepted and change nothing here.
const INERT: [&str; 6] = [
    "event.notification.type",
    "event.objects",
    "event.metadata",
    "event.helper.key",
    "event.raw.enabled",
    "filter.response.nulls",
];

/// Reads the whole document. What is returned counts only when no fault was found.
pub(super) fn read(document: &Value, settings: &CheckSettings, findings: &mut Findings) -> Option<Instance> {
    let Value::Object(members) = document else {
        let problem = format!("the document is {} and not an object", shown(document));
        findings.fault("", problem, "write it as in `{\"element\": {\"key\": …}, \"configuration\": {…}}`");
        return None;
    };
    if let Some(name) = bare_resource(members) {
        let problem = format!("`{name}` stands at the top, where an instance is expected");
        findings.fault(name, problem, format!("put the resources into `configuration.\"{RESOURCES}\"`"));
        return None;
    }
    let mut section = Section::new("", members);
    let element_key = element_key(&mut section, findings);
    let name = section.text("name", findings).map(str::to_string);
    let tags = tags(&mut section, findings);
    let provider_data = match section.object("providerData", findings) {
        Some(data) => {
            data.rest().into_iter().map(|(name, value)| (name.to_string(), value.clone())).collect()
        }
        None => Map::new(),
    };
    let configuration = section.object("configuration", findings);
    for (name, _) in section.rest() {
        if LISTED.contains(&name) {
            section.take(name);
        }
    }
    section.finish(&KNOWN, findings);
    let (empty, filled) = (Map::new(), with_defaults(members, connector(settings)));
    let configuration = match (configuration, &filled) {
        (_, Some(filled)) => Section::new("configuration", filled),
        (Some(own), None) => own,
        (None, None) => Section::new("configuration", &empty),
    };
    let read = Configuration::read(configuration, settings, findings);
    let element_key = element_key?;
    Some(Instance {
        name: name.unwrap_or_else(|| element_key.clone()),
        element_key,
        tags,
        enabled: read.enabled,
        interval: read.interval,
        callback: read.callback,
        base_url: read.base_url,
        headers: read.headers,
        basic: read.basic,
        events: read.events,
        webhook: read.webhook,
        resources: read.resources,
        provider_data,
        other_configuration: read.other,
    })
}

/// The configuration with the event settings that the connector has a default for and the document leaves out.
fn with_defaults(members: &Map<String, Value>, connector: Option<&Connector>) -> Option<Map<String, Value>> {
    let own = match members.get("configuration") {
        None | Some(Value::Null) => Map::new(),
        Some(configuration) => configuration.as_object()?.clone(),
    };
    let mut filled = own;
    let mut is_filled = false;
    for entry in connector.into_iter().flat_map(|connector| &connector.configuration) {
        let is_ours = CONFIGURATION.contains(&entry.key.as_str())
            && entry.key.starts_with("event.")
            && entry.key != RESOURCES;
        let Some(default) = entry.default.as_deref().filter(|default| is_ours && !default.trim().is_empty())
        else {
            continue;
        };
        let is_open = match filled.get(&entry.key) {
            None | Some(Value::Null) => true,
            Some(Value::String(text)) => text.trim().is_empty(),
            Some(_) => false,
        };
        if is_open {
            filled.insert(entry.key.clone(), Value::String(default.to_string()));
            is_filled = true;
        }
    }
    is_filled.then_some(filled)
}

/// A document that is only the resources, as the field's pages show them.
fn bare_resource(members: &Map<String, Value>) -> Option<&str> {
    if KNOWN.iter().any(|key| members.contains_key(*key)) {
        return None;
    }
    members
        .iter()
        .find(|(_, value)| value.get("url").is_some_and(Value::is_string))
        .map(|(name, _)| name.as_str())
}

fn element_key(section: &mut Section<'_>, findings: &mut Findings) -> Option<String> {
    let remedy = "write `\"element\": {\"key\": \"…\"}`: it becomes the `elementKey` of every event";
    let faults = findings.faults.len();
    let element = section.object("element", findings);
    let key = element.and_then(|mut element| element.text("key", findings).map(|key| key.trim().to_string()));
    if key.is_none() && findings.faults.len() == faults {
        findings.fault("element", "the key of the element is missing", remedy);
    }
    key
}

fn tags(section: &mut Section<'_>, findings: &mut Findings) -> Vec<String> {
    let list = match section.get("tags", findings) {
        None => return Vec::new(),
        Some(Value::Array(list)) => list.iter().collect::<Vec<_>>(),
        Some(one) => vec![one],
    };
    let mut tags = Vec::new();
    for (position, value) in list.into_iter().enumerate() {
        let path = format!("tags[{position}]");
        match value.as_str() {
            Some(text) if is_fill_in(text) => {
                findings.fault(&path, format!("`{text}` is left to fill in"), "replace it, or remove it");
            }
            Some(text) => tags.push(text.to_string()),
            None => {
                findings.fault(&path, format!("{} is not a text", shown(value)), "write a text in quotes")
            }
        }
    }
    tags
}

/// What `configuration` says.
struct Configuration {
    enabled: bool,
    interval: Duration,
    callback: Option<crate::instance::Callback>,
    base_url: Option<String>,
    headers: Vec<(String, crate::instance::SecretRef)>,
    basic: Option<Basic>,
    events: VendorType,
    webhook: Option<Webhook>,
    resources: Vec<Resource>,
    other: Map<String, Value>,
}

impl Configuration {
    fn read(mut section: Section<'_>, settings: &CheckSettings, findings: &mut Findings) -> Configuration {
        let enabled = section.flag("event.notification.enabled", findings).unwrap_or(false);
        let interval = interval(&mut section, settings, findings);
        let callback = callback::read(&mut section, findings);
        if enabled && callback.is_none() && !section.has("event.notification.callback.url") {
            let remedy = "give `event.notification.callback.url`, or read the events from the API";
            findings.warn(section.path(), "events are recorded and sent nowhere", remedy);
        }
        let base = base_url(&mut section, settings, findings);
        let headers = callback::headers(&mut section, "http.headers", Towards::Provider, findings);
        // With a connector, name and password are what its own way of signing in takes.
        let basic = match connector(settings) {
            Some(_) => None,
            None => authentication(&mut section, findings),
        };
        if basic.is_some() && headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization")) {
            let problem = "`http.headers` and `authentication.type` both say how to authenticate";
            findings.fault(section.path(), problem, "remove one of them");
        }
        if section.has("event.poller.urls") {
            let _legacy = section.get("event.poller.urls", findings);
            let path = section.path_of("event.poller.urls");
            findings.warn(
                &path,
                "lines in this old form are not read",
                format!("write them as `{RESOURCES}`"),
            );
        }
        let polls = section.has(RESOURCES)
            || settings.connector.as_ref().is_some_and(|connector| !connector.resources.is_empty());
        let events = webhook::kind(&mut section, connector(settings), polls, findings);
        let webhook = webhook::read(&mut section, events, connector(settings), findings);
        let resources = match events {
            VendorType::Webhooks => {
                let _unpolled = section.get(RESOURCES, findings);
                Vec::new()
            }
            VendorType::Polling | VendorType::Both => resources(&mut section, settings, &base, findings),
        };
        section.inert(&INERT, "remove it, or keep it for other readers", findings);
        let other = other(&section, connector(settings), findings);
        let base_url = match base {
            Base::Given(url) => Some(url),
            Base::Absent | Base::Faulty => None,
        };
        Configuration {
            enabled,
            interval,
            callback,
            base_url,
            headers,
            basic,
            events,
            webhook,
            resources,
            other,
        }
    }
}

fn interval(section: &mut Section<'_>, settings: &CheckSettings, findings: &mut Findings) -> Duration {
    const KEY: &str = "event.poller.refresh_interval";
    const DEFAULT: Duration = Duration::from_secs(15 * 60);
    let (shortest, longest) = (settings.interval_min, *limits::INTERVAL_MINUTES.end());
    let remedy = format!("write minutes, from {} to {longest}", shortest.as_secs_f64() / 60.0);
    let Some(minutes) = section.number(KEY, &remedy, findings) else {
        return DEFAULT;
    };
    if minutes < 0.0 || minutes > longest || Duration::from_secs_f64(minutes * 60.0) < shortest {
        findings.fault(&section.path_of(KEY), format!("{minutes} minutes are out of range"), remedy);
        return DEFAULT;
    }
    Duration::from_secs_f64(minutes * 60.0)
}

/// The connector that the document is an instance of, where its resources can be called.
fn connector(settings: &CheckSettings) -> Option<&Connector> {
    settings.connector.as_ref()?.calls.as_deref()
}

/// Where relative urls continue.
enum Base {
    Given(String),
    Absent,
    /// It is a fault already; relative urls are not blamed for it.
    Faulty,
}

fn base_url(section: &mut Section<'_>, settings: &CheckSettings, findings: &mut Findings) -> Base {
    let faults = findings.faults.len();
    let own = section.text("base.url", findings);
    if findings.faults.len() > faults {
        return Base::Faulty;
    }
    // What a connector fills in at every call is no base for anything else.
    let own = own.filter(|text| connector(settings).is_none() || !text.contains('{'));
    let default = settings.connector.as_ref().and_then(|connector| connector.base_url.as_deref());
    match own.or(default).map(template::base_prefix) {
        None => Base::Absent,
        Some(Ok(base)) => Base::Given(base),
        Some(Err(reason)) => {
            findings.fault(&section.path_of("base.url"), reason.problem, reason.remedy);
            Base::Faulty
        }
    }
}

fn authentication(section: &mut Section<'_>, findings: &mut Findings) -> Option<Basic> {
    let path = section.path_of("authentication.type");
    let kind = section.text("authentication.type", findings).map(|text| text.trim().to_ascii_lowercase());
    match kind.as_deref() {
        Some("basic") => {
            let faults = findings.faults.len();
            let basic = callback::basic(section, "username", "password", findings);
            if basic.is_none() && findings.faults.len() == faults {
                let remedy = "give both; `env:NAME` and `file:PATH` keep them out of the document";
                findings.fault(&path, "`basic` needs `username` and `password`", remedy);
            }
            basic
        }
        Some(other) => {
            let remedy =
                "use `basic`, or put the token into `http.headers` as `\"Authorization\": \"env:NAME\"`";
            findings.fault(
                &path,
                format!("`{other}` is not a way to authenticate that is known here"),
                remedy,
            );
            None
        }
        None => None,
    }
}

/// Reads `event.poller.configuration`: an object, or the same as text.
fn resources(
    section: &mut Section<'_>,
    settings: &CheckSettings,
    base: &Base,
    findings: &mut Findings,
) -> Vec<Resource> {
    let path = section.path_of(RESOURCES);
    let defaults = settings.connector.as_ref().map(|connector| Value::Object(connector.resources.clone()));
    let remedy = "write an object: a resource's name, and its settings with at least `url` and `idField`";
    let parsed = match section.get(RESOURCES, findings) {
        None => defaults,
        Some(Value::String(text)) if text.trim().is_empty() => defaults,
        Some(Value::String(text)) if is_fill_in(text) => {
            findings.fault(&path, format!("`{}` is left to fill in", text.trim()), remedy);
            return Vec::new();
        }
        Some(Value::String(text)) => match serde_json::from_str(text) {
            Ok(value) => Some(value),
            Err(error) => {
                findings.fault(&path, format!("the text is not JSON ({error})"), remedy);
                return Vec::new();
            }
        },
        Some(value) => Some(value.clone()),
    };
    let members = match parsed {
        Some(Value::Object(members)) if !members.is_empty() => members,
        // Written empty it is meant, and so is a connector that polls nothing: an account that is called, or that only
        // monitors use.
        Some(Value::Object(_)) => {
            let remedy = "subscribe a monitor, or name a resource";
            findings.warn(&path, "nothing is polled by declaration", remedy);
            return Vec::new();
        }
        None => {
            let problem = "no resource is named, which takes those of a connector, and there is none";
            let remedy = format!("{remedy}; or `{{}}` where only monitors use the account");
            findings.fault(&path, problem, remedy);
            return Vec::new();
        }
        Some(other) => {
            findings.fault(&path, format!("{} is not an object", shown(&other)), remedy);
            return Vec::new();
        }
    };
    let names: Vec<&str> = members.keys().map(String::as_str).collect();
    let base = match base {
        Base::Given(url) => Some(url.as_str()),
        Base::Absent => None,
        // Any address will do: the fault of the base is told already, and the rest is still judged.
        Base::Faulty => Some("https://base.invalid"),
    };
    let place = Surroundings { settings, base, siblings: &names };
    let mut resources: Vec<Resource> = Vec::new();
    for (name, value) in &members {
        for found in resource::read(name, &member_path(&path, name), value, &place, findings) {
            if resources.iter().any(|known| known.name == found.name) {
                let problem = format!("the resource `{}` is there twice", found.name);
                findings.fault(&path, problem, "keep one of them");
            }
            resources.push(found);
        }
    }
    resources
}

/// What is left of `configuration` belongs to the connector; what looks like one of ours is named.
fn other(
    section: &Section<'_>,
    connector: Option<&Connector>,
    findings: &mut Findings,
) -> Map<String, Value> {
    let mut other = Map::new();
    for (name, value) in section.rest() {
        let is_entry = connector.is_some_and(|connector| connector.entry(name).is_some());
        if is_entry || (connector.is_some() && keys::is_reserved(name) && !name.starts_with("event.")) {
            // The connector's own; whether it fits is for its calls to say.
        } else if let Some(meant) = nearest::nearest(name, &CONFIGURATION) {
            let path = section.path_of(name);
            findings.warn(
                &path,
                format!("`{name}` is not a setting and has no effect"),
                format!("did you mean `{meant}`?"),
            );
        } else if name.starts_with("event.") {
            let path = section.path_of(name);
            findings.warn(&path, format!("`{name}` is not a setting and has no effect"), "remove it");
        } else if value.as_str().is_some_and(is_fill_in) {
            let problem = format!("{} is left to fill in", shown(value));
            findings.warn(&section.path_of(name), problem, "fill it in for the connector that reads it");
        }
        other.insert(name.to_string(), value.clone());
    }
    other
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::super::testing::{clean_instance, document, said, settings};
    use super::super::{ConnectorDefaults, check};
    use crate::instance::SecretRef;

    #[track_caller]
    fn refused(members: Value, place: &str, words: &str) {
        let checked = document(members);
        said(&checked.faults, place, words);
        assert_eq!(checked.faults.len(), 1, "{:#?}", checked.faults);
        assert!(checked.instance.is_none());
    }

    #[test]
    fn the_interval_is_minutes_as_number_or_text() {
        let interval =
            |value: Value| clean_instance(json!({"event.poller.refresh_interval": value})).interval;
        assert_eq!(clean_instance(json!({})).interval, Duration::from_secs(900));
        assert_eq!(interval(json!("15")), Duration::from_secs(900));
        assert_eq!(interval(json!(1.5)), Duration::from_secs(90));
        assert_eq!(interval(json!(43_200)), Duration::from_secs(43_200 * 60));
        for value in [json!(0.5), json!(43_201), json!(-1), json!("1e9")] {
            refused(json!({"event.poller.refresh_interval": value}), "refresh_interval\"", "from 1 to 43200");
        }
        refused(json!({"event.poller.refresh_interval": "fast"}), "refresh_interval\"", "is not a number");
        let mut lowered = settings();
        lowered.interval_min = Duration::from_secs(1);
        let seconds = json!({"element": {"key": "k"}, "configuration": {
            "event.poller.refresh_interval": "0.05",
            "event.poller.configuration": {"c": {"url": "https://x.example/", "idField": "id"}},
        }});
        assert_eq!(check(&seconds, &lowered).instance.unwrap().interval, Duration::from_secs(3));
    }

    #[test]
    fn switches_may_be_texts() {
        for (value, expect) in [(json!("true"), true), (json!(false), false), (json!(""), false)] {
            let checked = document(json!({"event.notification.enabled": value}));
            assert_eq!(checked.instance.unwrap().enabled, expect);
        }
        refused(json!({"event.notification.enabled": "yes"}), "enabled\"", "neither true nor false");
    }

    #[test]
    fn resources_may_be_a_text() {
        let text = r#"{"orders":{"url":"/orders","idField":"id"}}"#;
        let checked = document(json!({"event.poller.configuration": text}));
        assert_eq!(checked.instance.unwrap().resources[0].name, "orders");
        refused(
            json!({"event.poller.configuration": "{\"orders\":"}),
            "configuration\"",
            "the text is not JSON",
        );
        refused(json!({"event.poller.configuration": []}), "configuration\"", "a list is not an object");
        let checked = document(json!({"event.poller.configuration": {}}));
        said(&checked.warnings, "configuration\"", "nothing is polled by declaration");
        assert!(checked.instance.is_some_and(|instance| instance.resources.is_empty()));
        refused(json!({"event.poller.configuration": null}), "configuration\"", "there is none");
    }

    #[test]
    fn a_connector_fills_what_is_left_to_it() {
        let mut with = settings();
        let resources = json!({"orders": {"url": "/orders", "idField": "id"}, "users": {"url": "/users", "idField": "id"}});
        let Value::Object(resources) = resources else { panic!("an object") };
        with.connector =
            Some(ConnectorDefaults { base_url: Some("https://x.example".into()), resources, calls: None });
        let names = |configuration: Value| {
            let checked = check(&json!({"element": {"key": "k"}, "configuration": configuration}), &with);
            let instance = checked.instance.unwrap_or_else(|| panic!("{:#?}", checked.faults));
            instance.resources.into_iter().map(|one| one.name).collect::<Vec<_>>()
        };
        assert_eq!(names(json!({})), ["orders", "users"]);
        assert_eq!(names(json!({"event.poller.configuration": {"users": {}}})), ["users"]);
        assert_eq!(names(json!({"event.poller.configuration": {}})), [""; 0], "written empty it is meant");
        let mut calls = with.clone();
        calls.connector.as_mut().unwrap().resources.clear();
        let called = check(&json!({"element": {"key": "k"}, "configuration": {}}), &calls);
        assert!(called.instance.is_some_and(|instance| instance.resources.is_empty()), "{:?}", called.faults);
        said(&called.warnings, "configuration\"", "nothing is polled by declaration");
        let unknown =
            json!({"element": {"key": "k"}, "configuration": {"event.poller.configuration": {"cars": {}}}});
        said(&check(&unknown, &with).faults, "cars", "there is none");
    }

    #[test]
    fn a_connector_brings_event_settings_too() {
        let element = json!({
            "key": "k", "name": "K", "description": "d", "authentication": {"type": "none"},
            "configuration": [
                {"key": "event.poller.refresh_interval", "name": "i", "type": "TEXTFIELD_32", "defaultValue": "30"},
                {"key": "event.notification.enabled", "name": "e", "type": "BOOLEAN", "defaultValue": "true"}
            ],
            "parameters": [], "hooks": [], "resources": []
        });
        let document = crate::connector::Document::parse(element.to_string()).unwrap();
        let connector =
            std::sync::Arc::new(crate::connector::check(&document, &settings()).connector.unwrap());
        let with = super::CheckSettings { connector: Some(ConnectorDefaults::of(&connector)), ..settings() };
        let read = |configuration: Value| {
            let polled = json!({"c": {"url": "https://x.example/", "idField": "id"}});
            let mut document = json!({"element": {"key": "k"}, "configuration": configuration});
            document["configuration"]["event.poller.configuration"] = polled;
            let checked = check(&document, &with);
            checked.instance.unwrap_or_else(|| panic!("{:#?}", checked.faults))
        };
        let taken = read(json!({"event.notification.enabled": ""}));
        assert_eq!((taken.interval, taken.enabled), (Duration::from_secs(1_800), true));
        let own = read(json!({"event.poller.refresh_interval": 5, "event.notification.enabled": false}));
        assert_eq!((own.interval, own.enabled), (Duration::from_secs(300), false));
    }

    #[test]
    fn a_path_that_the_connector_does_not_have_is_read_without_its_keys() {
        let warnings = |authentication: &str, parameters: Value, url: &str| {
            let element = json!({
                "key": "k", "name": "K", "description": "d", "authentication": {"type": authentication},
                "configuration": [
                    {"key": "base.url", "name": "b", "type": "TEXTFIELD_1000", "defaultValue": "https://x.example/v1"},
                    {"key": "api.token", "name": "t", "type": "PASSWORD", "required": true}
                ],
                "parameters": parameters, "hooks": [],
                "resources": [{"type": "api", "method": "GET", "path": "/own/{id}/list", "vendorMethod": "GET",
                    "vendorPath": "/own/{id}/list", "parameters": [], "hooks": []}]
            });
            let document = crate::connector::Document::parse(element.to_string()).unwrap();
            let connector =
                std::sync::Arc::new(crate::connector::check(&document, &settings()).connector.unwrap());
            let with =
                super::CheckSettings { connector: Some(ConnectorDefaults::of(&connector)), ..settings() };
            let polled = json!({"c": {"url": url, "idField": "id"}});
            let document =
                json!({"element": {"key": "k"}, "configuration": {"event.poller.configuration": polled}});
            let found =
                check(&document, &with).warnings.into_iter().filter(|said| said.path.ends_with(".c.url"));
            found.map(|said| said.problem).collect::<Vec<_>>()
        };
        let key = json!([{"name": "api.token", "type": "configuration", "vendorName": "X-Key", "vendorType": "header"}]);
        let left_out = warnings("apiKey", key.clone(), "/books?since=${epoch:s}");
        assert_eq!(left_out.len(), 1, "{left_out:?}");
        assert!(left_out[0].starts_with("the connector `k` has no resource `/books`, so it is read without"));
        assert_eq!(
            warnings("none", key.clone(), "/books?since=${epoch:s}").len(),
            1,
            "a parameter is left out"
        );
        for (authentication, parameters, url) in [
            ("none", json!([]), "/books?since=${epoch:s}"),
            ("apiKey", key.clone(), "/own/7/list?since=${epoch:s}"),
            ("apiKey", key, "https://y.example/books?since=${epoch:s}"),
        ] {
            assert_eq!(
                warnings(authentication, parameters, url),
                Vec::<String>::new(),
                "{authentication} {url}"
            );
        }
    }

    #[test]
    fn authentication_is_basic_or_a_header() {
        let basic = json!({"authentication.type": "basic", "username": "u", "password": "env:P"});
        assert_eq!(clean_instance(basic).basic.unwrap().password, SecretRef::Env("P".into()));
        refused(
            json!({"authentication.type": "basic"}),
            "authentication.type\"",
            "needs `username` and `password`",
        );
        refused(json!({"authentication.type": "basic", "username": "u"}), "configuration", "give `password`");
        refused(json!({"authentication.type": "oauth2"}), "authentication.type\"", "http.headers");
        let both = json!({
            "authentication.type": "basic", "username": "u", "password": "p", "http.headers": {"authorization": "x"},
        });
        refused(both, "configuration", "remove one of them");
    }

    #[test]
    fn keys_of_a_connector_are_kept_and_slips_are_named() {
        let instance = clean_instance(json!({"oauth.api.key": "x", "subdomain": "acme"}));
        assert_eq!(instance.other_configuration.len(), 2);
        let slip = document(json!({"event.poler.refresh_interval": 5, "base_url": "https://x.example"}));
        said(&slip.warnings, "refresh_interval\"", "did you mean `event.poller.refresh_interval`?");
        said(&slip.warnings, "base_url", "did you mean `base.url`?");
        said(&document(json!({"event.poller.urls": "a|b"})).warnings, "urls\"", "old form");
        said(&document(json!({"event.objects": "a"})).warnings, "objects\"", "has no effect");
    }

    #[test]
    fn a_bad_base_is_blamed_once() {
        refused(json!({"base.url": "ftp://x"}), "base.url\"", "neither http nor https");
        refused(json!({"base.url": "https://x.example?key=1"}), "base.url\"", "a query");
        refused(json!({"base.url": null}), "customers.url", "the url is relative");
    }

    #[test]
    fn a_document_of_another_kind_is_told_so() {
        for document in [json!([]), json!("x"), json!(null)] {
            said(&check(&document, &settings()).faults, "", "not an object");
        }
        let checked = check(&json!({"element": "shop", "elment": 1, "configuration": {}}), &settings());
        said(&checked.faults, "element", "is not an object");
        said(&checked.faults, "configuration\"", "there is none");
        said(&checked.warnings, "elment", "did you mean `element`?");
        assert_eq!(checked.faults.len(), 2, "every fault at once: {:#?}", checked.faults);
    }
}
