//! How a provider's own notifications reach an instance: the kind of events, and the settings `event.webhook.…`; and
//! how a record that they name is looked at, the `webhook` of a resource.

use std::time::Duration;

use serde_json::Value;

use crate::connector::{Connector, VendorType};
use crate::hook::HookKind;
use crate::instance::{Finder, SecretRef, Webhook};
use crate::intake::{BodyFormat, Place};
use crate::limits;
use crate::resource::WebhookRead;

use super::resource::Surroundings;
use super::section::{Findings, Section, duration_text};
use super::{sweep, verification};

pub(super) const KNOWN: [&str; 3] = ["readUrl", "record", "gone"];

const KIND: &str = "event.vendor.type";

/// How long equal content without a name counts as the same delivery, when nothing is said: providers try again within
/// seconds to minutes, and who really says the same twice does so later.
const REPEAT_WINDOW: Duration = Duration::from_secs(300);

/// Secrets of one instance: the present one, and those that are being replaced.
const SECRETS_MAX: usize = 4;

/// Reads which kind of events there are. Undeclared, what the connector has decides: an event hook and nothing to poll
/// is a provider that calls.
pub(super) fn kind(
    section: &mut Section<'_>,
    connector: Option<&Connector>,
    polls: bool,
    findings: &mut Findings,
) -> VendorType {
    let calls = connector.is_some_and(has_event_hook);
    let fallback = if calls && !polls { VendorType::Webhooks } else { VendorType::Polling };
    let Some(text) = section.text(KIND, findings) else { return fallback };
    VendorType::parse(text).unwrap_or_else(|| {
        let problem = format!("`{text}` is no kind of events");
        findings.fault(&section.path_of(KIND), problem, "write `polling`, `webhooks` or `both`");
        fallback
    })
}

fn has_event_hook(connector: &Connector) -> bool {
    connector.hooks.iter().any(|hook| hook.kind == HookKind::Event)
}

/// Reads how notifications are taken in. `None` where the provider does not call.
pub(super) fn read(
    section: &mut Section<'_>,
    kind: VendorType,
    connector: Option<&Connector>,
    findings: &mut Findings,
) -> Option<Webhook> {
    let (mut verified, mut challenge, mut delivery) = (None, None, None);
    let path = section.path_of("event.webhook.verification");
    if let Some(value) = declared(section, "event.webhook.verification", findings) {
        let mut checked = verification::read(&path, &value);
        findings.faults.append(&mut checked.faults);
        findings.repairs.append(&mut checked.repairs);
        findings.warnings.append(&mut checked.warnings);
        (verified, challenge) = (checked.verification, checked.challenge);
        delivery = checked.delivery_id;
    }
    let secrets = secrets(section, findings);
    let body = section.choice("event.webhook.body", &BodyFormat::ALL, findings).unwrap_or_default();
    let repeat_window = repeat_window(section, findings);
    let open = section.flag("event.webhook.open", findings).unwrap_or(false);
    let finder = finder(section, findings);
    let _ours = section.get("event.notification.subscription.id", findings);
    if kind == VendorType::Polling {
        return None;
    }
    if !connector.is_some_and(has_event_hook) {
        let remedy = "give the connector an event hook; until then every notification is put aside";
        findings.warn(
            &section.path_of(KIND),
            "nothing says what a notification of the provider means",
            remedy,
        );
    }
    if verified.is_none() && path_is_silent(&findings.faults, &path) {
        let remedy = "declare `event.webhook.verification`, if the provider signs or shows a secret";
        findings.warn(section.path(), "whoever knows the address may send notifications", remedy);
    } else if verified.is_some() && secrets.is_empty() {
        let remedy = "give it, or every notification is refused";
        findings.fault(section.path(), "`event.webhook.secret` is missing", remedy);
    }
    Some(Webhook { verification: verified, challenge, delivery, secrets, body, repeat_window, open, finder })
}

fn path_is_silent(faults: &[super::Fault], path: &str) -> bool {
    !faults.iter().any(|fault| fault.path.starts_with(path))
}

/// A setting that is an object or a word; in a connector's default both are text.
fn declared(section: &mut Section<'_>, key: &str, findings: &mut Findings) -> Option<Value> {
    let path = section.path_of(key);
    match section.get(key, findings)? {
        Value::String(text) if text.trim().is_empty() => None,
        Value::String(text) if text.trim_start().starts_with('{') => match serde_json::from_str(text) {
            Ok(value) => Some(value),
            Err(error) => {
                findings.fault(
                    &path,
                    format!("the text is not JSON ({error})"),
                    "write an object, or a preset's name",
                );
                None
            }
        },
        value => Some(value.clone()),
    }
}

fn secrets(section: &mut Section<'_>, findings: &mut Findings) -> Vec<SecretRef> {
    const KEY: &str = "event.webhook.secret";
    let path = section.path_of(KEY);
    let remedy = "write a text, or a list of the present and the former one while it is replaced";
    let texts: Vec<&Value> = match section.get(KEY, findings) {
        None => return Vec::new(),
        Some(Value::Array(list)) => list.iter().collect(),
        Some(one) => vec![one],
    };
    if texts.len() > SECRETS_MAX {
        findings.fault(&path, format!("there are {}, and {SECRETS_MAX} are allowed", texts.len()), remedy);
    }
    let mut secrets = Vec::new();
    for value in texts {
        match value.as_str().map(str::trim) {
            Some("") => {}
            Some(text) => match SecretRef::parse(text) {
                Some(secret) => secrets.push(secret),
                None => {
                    let problem = "a secret is referred to without a name";
                    findings.fault(&path, problem, "write `env:NAME` or `file:PATH`");
                }
            },
            // The value may be a secret and is not shown.
            None => findings.fault(&path, "a secret is no text", remedy),
        }
    }
    secrets
}

fn repeat_window(section: &mut Section<'_>, findings: &mut Findings) -> Duration {
    const KEY: &str = "event.webhook.repeatWindow";
    let remedy = "write a time such as `5m`, at most 72h; `0s` takes every delivery as a new one";
    let path = section.path_of(KEY);
    let time = match section.get(KEY, findings) {
        None => return REPEAT_WINDOW,
        Some(Value::String(text)) if text.trim() == "0s" || text.trim() == "0" => Some(Duration::ZERO),
        Some(Value::String(text)) => duration_text(text),
        Some(value) => value.as_u64().map(Duration::from_secs),
    };
    match time.filter(|time| *time <= limits::REPEAT_WINDOW_MAX) {
        Some(time) => time,
        None => {
            findings.fault(&path, "it is no time within the bounds", remedy);
            REPEAT_WINDOW
        }
    }
}

/// `team.id`, `header:X-Shop`, `parameter:shop`; each may be followed by ` = key` of the configuration.
fn finder(section: &mut Section<'_>, findings: &mut Findings) -> Option<Finder> {
    const KEY: &str = "event.notification.instance.finder";
    let text = section.text(KEY, findings)?.trim();
    let (place, key) = match text.split_once('=') {
        Some((place, key)) => (place.trim(), Some(key.trim())),
        None => (text, None),
    };
    let place = match place.split_once(':') {
        Some((kind, name)) if kind.eq_ignore_ascii_case("header") => Place::Header(name.trim().to_owned()),
        Some((kind, name)) if kind.eq_ignore_ascii_case("parameter") => {
            Place::Parameter(name.trim().to_owned())
        }
        _ => Place::Field(place.split('.').map(|name| name.trim().to_owned()).collect()),
    };
    let is_named = match &place {
        Place::Header(name) | Place::Parameter(name) => !name.is_empty(),
        Place::Field(names) => names.iter().all(|name| !name.is_empty()),
    };
    if !is_named || key == Some("") {
        let remedy = "write `team.id`, `header:X-Shop` or `parameter:shop`, and ` = key` after it for one key of \
                      the configuration";
        findings.fault(&section.path_of(KEY), format!("`{text}` names no place"), remedy);
        return None;
    }
    Some(Finder { place, key: key.map(str::to_owned) })
}

/// Reads `webhook` of a resource.
pub(super) fn of_resource(
    resource: &mut Section<'_>,
    place: &Surroundings<'_>,
    findings: &mut Findings,
) -> Option<WebhookRead> {
    let mut section = resource.object("webhook", findings)?;
    let faults = findings.faults.len();
    let read_url = sweep::read_url(&mut section, place, findings);
    if read_url.is_none() && findings.faults.len() == faults {
        let remedy = "give the address of one record, like `/v1/customers/{id}`, or leave `webhook` out: the list is \
                      polled at once then";
        findings.fault(section.path(), "`readUrl` is missing", remedy);
    }
    let record = section.field("record", findings);
    let gone = sweep::gone(&mut section, findings);
    section.finish(&KNOWN, findings);
    Some(WebhookRead { read_url: read_url?, record, gone })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::super::testing::{clean, document, refused, said, settings};
    use super::super::{CheckSettings, Checked, ConnectorDefaults, check};
    use crate::connector::VendorType;
    use crate::instance::{Finder, Webhook};
    use crate::intake::{BodyFormat, Place};

    /// A document of a connector that polls and has an event hook, with these settings.
    fn read(configuration: Value) -> Checked {
        let polled = r#"{"customers": {"url": "https://x.example/c", "idField": "id"}}"#;
        let element = json!({
            "key": "k", "name": "K", "description": "d", "authentication": {"type": "none"},
            "configuration": [{"key": "event.poller.configuration", "name": "p", "type": "TEXTAREA", "defaultValue": polled}],
            "parameters": [], "resources": [],
            "hooks": [{"type": "event", "mimeType": "application/javascript", "body": "done({events: []});"}],
        });
        let parsed = crate::connector::Document::parse(element.to_string()).unwrap();
        let connector = Arc::new(crate::connector::check(&parsed, &settings()).connector.unwrap());
        let with = CheckSettings { connector: Some(ConnectorDefaults::of(&connector)), ..settings() };
        check(&json!({"element": {"key": "k"}, "configuration": configuration}), &with)
    }

    #[track_caller]
    fn webhook(configuration: Value) -> Webhook {
        let checked = read(configuration);
        checked.instance.unwrap_or_else(|| panic!("{:#?}", checked.faults)).webhook.unwrap()
    }

    #[test]
    fn the_kind_of_events_decides_what_is_read() {
        let kind = |value: &str| {
            let instance = read(json!({"event.vendor.type": value})).instance.unwrap();
            (instance.events, instance.resources.len(), instance.webhook.is_some())
        };
        assert_eq!(kind("polling"), (VendorType::Polling, 1, false));
        assert_eq!(kind("webhook"), (VendorType::Webhooks, 0, true));
        assert_eq!(kind("both"), (VendorType::Both, 1, true));
        assert_eq!(kind("polling,webhooks"), (VendorType::Both, 1, true));
        let undeclared = read(json!({})).instance.unwrap();
        assert_eq!(undeclared.events, VendorType::Polling, "what polls goes on to poll");
        said(
            &read(json!({"event.vendor.type": "carrier pigeon"})).faults,
            "type\"",
            "`polling`, `webhooks` or `both`",
        );
        said(
            &document(json!({"event.vendor.type": "both"})).warnings,
            "type\"",
            "nothing says what a notification",
        );
    }

    #[test]
    fn everything_about_notifications_is_understood() {
        let found = webhook(json!({
            "event.vendor.type": "both",
            "event.webhook.verification": "{\"preset\": \"github\"}",
            "event.webhook.secret": ["new", "env:OLD"],
            "event.webhook.body": "form",
            "event.webhook.repeatWindow": "10m",
            "event.notification.instance.finder": "header:X-Shop = shop",
        }));
        assert!(found.verification.is_some() && !found.open);
        assert_eq!(
            (found.secrets.len(), found.body, found.repeat_window),
            (2, BodyFormat::Form, Duration::from_secs(600))
        );
        let finder = Finder { place: Place::Header("X-Shop".into()), key: Some("shop".into()) };
        assert_eq!(found.finder, Some(finder));
        let bare = webhook(
            json!({"event.vendor.type": "webhooks", "event.notification.instance.finder": "team.id"}),
        );
        assert_eq!(bare.finder.unwrap().place, Place::Field(vec!["team".into(), "id".into()]));
        assert_eq!((bare.body, bare.repeat_window), (BodyFormat::Json, super::REPEAT_WINDOW));
        let never = webhook(json!({"event.vendor.type": "webhooks", "event.webhook.repeatWindow": "0s"}));
        assert_eq!(never.repeat_window, Duration::ZERO);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let faults = |key: &str, value: Value| {
            let mut configuration = json!({"event.vendor.type": "webhooks"});
            configuration[key] = value;
            read(configuration).faults
        };
        said(
            &faults("event.webhook.verification", json!("githup")),
            "verification\"",
            "did you mean `github`?",
        );
        said(&faults("event.webhook.verification", json!("{oops")), "verification\"", "not JSON");
        said(
            &faults("event.webhook.verification", json!("github")),
            "configuration",
            "`event.webhook.secret` is missing",
        );
        said(&faults("event.webhook.secret", json!([7])), "secret\"", "is no text");
        said(&faults("event.webhook.secret", json!("env:")), "secret\"", "without a name");
        said(&faults("event.webhook.secret", json!(["a", "b", "c", "d", "e"])), "secret\"", "4 are allowed");
        said(&faults("event.webhook.body", json!("xml")), "body\"", "xml");
        said(&faults("event.webhook.repeatWindow", json!("73h")), "repeatWindow\"", "no time within");
        said(&faults("event.notification.instance.finder", json!("a..b")), "finder\"", "names no place");
        said(&faults("event.notification.instance.finder", json!("header: ")), "finder\"", "names no place");
    }

    #[test]
    fn a_record_is_looked_at_by_a_declared_address() {
        let found = clean(
            json!({"webhook": {"readUrl": "https://x.example/c/{id}", "record": "data", "gone": [404]}}),
        );
        let webhook = found.webhook.unwrap();
        assert_eq!((webhook.read_url.as_str(), webhook.gone), ("https://x.example/c/{id}", vec![404]));
        assert_eq!(webhook.record.unwrap().as_str(), "data");
        refused(json!({"webhook": {}}), "webhook", "`readUrl` is missing");
        refused(json!({"webhook": {"readUrl": "https://x.example/c"}}), "readUrl", "`{id}` is missing");
    }
}
