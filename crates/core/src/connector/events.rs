//! The events of a connector: the switch, the kind, the interval and the polled resources, as configuration entries.
//!
//! A builder sets them on one page (mission, "Setup Events"); in the document they are entries of reserved keys. What
//! we create looks as the mission prints it: the poller configuration is JSON inside a text.

use serde_json::{Map, Value, json};

use crate::hook::HookKind;
use crate::json_text;

use super::document::{Document, Part};
use super::edit::{Change, ChangeKind, EditError, Edited, Place};
use super::keys;
use super::parts;
use super::view::Connector;

/// How a provider's changes reach us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VendorType {
    /// We poll.
    Polling,
    /// It calls.
    Webhooks,
    /// Both at once.
    Both,
}

impl VendorType {
    /// Reads `event.vendor.type`: `polling`, `webhook`, `webhooks`, `both`, or a list of them.
    pub fn parse(text: &str) -> Option<VendorType> {
        let lower = text.to_ascii_lowercase();
        let (polls, calls) = (lower.contains("polling"), lower.contains("webhook"));
        match (polls, calls) {
            (true, true) => Some(VendorType::Both),
            (true, false) => Some(VendorType::Polling),
            (false, true) => Some(VendorType::Webhooks),
            (false, false) => (lower.trim() == "both").then_some(VendorType::Both),
        }
    }

    /// The value of `event.vendor.type`.
    pub fn word(self) -> &'static str {
        match self {
            VendorType::Polling => "polling",
            VendorType::Webhooks => "webhooks",
            VendorType::Both => "polling,webhooks",
        }
    }

    /// The methods of the metadata.
    fn methods(self) -> &'static [&'static str] {
        match self {
            VendorType::Polling => &["polling"],
            VendorType::Webhooks => &["webhook"],
            VendorType::Both => &["polling", "webhook"],
        }
    }
}

/// The events page of a connector.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventsSetup {
    /// Whether instances have events unless they say otherwise (`event.notification.enabled`).
    pub enabled: Option<bool>,
    /// How changes reach us.
    pub vendor_type: Option<VendorType>,
    /// Minutes between two polls, as written.
    pub refresh_interval: Option<String>,
    /// `event.poller.configuration`: a JSON object as text.
    pub poller: Option<String>,
}

impl Document {
    /// What the document says about events.
    pub fn events(&self) -> EventsSetup {
        let value = |key: &str| {
            let position = self.entry_position(key).ok()?;
            let entry = self.items(Part::Configuration).get(position).copied()?;
            json_text::member(entry, "defaultValue").and_then(json_text::scalar).map(|text| text.into_owned())
        };
        EventsSetup {
            enabled: value(keys::EVENTS_ENABLED).and_then(|text| text.trim().parse().ok()),
            vendor_type: value(keys::EVENTS_VENDOR_TYPE).and_then(|text| VendorType::parse(&text)),
            refresh_interval: value(keys::POLLER_INTERVAL),
            poller: value(keys::POLLER_CONFIGURATION),
        }
    }

    /// The document with these settings; what is `None` stays as it is. An entry that exists keeps everything but its
    /// value; one that is missing is made as the field makes it. The edits come in order, for the keeper of ids.
    ///
    /// Fails when the poller configuration is not a JSON object.
    pub fn with_events(&self, setup: &EventsSetup) -> Result<(Document, Vec<Change>), EditError> {
        let mut document = self.clone();
        let mut changes = Vec::new();
        let name = self.member("name").and_then(json_text::text).unwrap_or_default().into_owned();
        let values = [
            (keys::EVENTS_ENABLED, setup.enabled.map(|enabled| enabled.to_string())),
            (keys::EVENTS_VENDOR_TYPE, setup.vendor_type.map(|kind| kind.word().to_string())),
            (keys::POLLER_INTERVAL, setup.refresh_interval.clone()),
            (keys::POLLER_CONFIGURATION, setup.poller.clone()),
        ];
        for (key, value) in values {
            let Some(value) = value else { continue };
            if key == keys::POLLER_CONFIGURATION {
                let parsed = serde_json::from_str::<Map<String, Value>>(&value);
                parsed.map_err(|error| {
                    let malformed = json_text::JsonTextError::Malformed(error.to_string());
                    EditError::Json("poller configuration", malformed)
                })?;
            }
            let Edited { document: edited, change, .. } = document.with_value(key, &value, &name);
            document = edited;
            changes.push(change);
        }
        Ok((document, changes))
    }

    fn with_value(&self, key: &str, value: &str, name: &str) -> Edited {
        let list = self.member(Part::Configuration.name()).unwrap_or("[]");
        let place = Place::Element(Part::Configuration);
        let (list, position, kind) = match self.entry_position(key) {
            Ok(position) => {
                let entry = self.items(Part::Configuration)[position];
                let entry = json_text::with_member(entry, "defaultValue", &json_text::quote(value));
                (json_text::with_item_at(list, position, &entry), position, ChangeKind::Replaced)
            }
            Err(_) => {
                let list = if json_text::items(list).is_some() { list } else { "[]" };
                let position = self.items(Part::Configuration).len();
                (json_text::with_item(list, &event_entry(key, value, name)), position, ChangeKind::Added)
            }
        };
        let document = self.with_member(Part::Configuration.name(), &list);
        Edited { document, change: Change { place, position, kind }, warnings: Vec::new() }
    }
}

/// An entry of the event framework as the field makes it; `name` is the connector's.
pub fn event_entry(key: &str, value: &str, name: &str) -> String {
    let (title, kind, order) = match key {
        keys::EVENTS_ENABLED => ("Enable/Disable Event Notification", "BOOLEAN", 100),
        keys::EVENTS_VENDOR_TYPE => ("Vendor Event Notification Type", "TEXTFIELD_32", 101),
        keys::POLLER_INTERVAL => ("Event poller refresh interval (mins)", "TEXTFIELD_32", 103),
        keys::POLLER_CONFIGURATION => ("Event Poller Resources Configuration", "TEXTAREA", 104),
        _ => (key, "TEXTFIELD_1000", 105),
    };
    let description = format!("{name} {title}");
    json!({
        "name": title,
        "key": key,
        "description": description.trim_start(),
        "defaultValue": value,
        "resellerConfig": false,
        "companyConfig": false,
        "active": true,
        "internal": false,
        "groupControl": false,
        "displayOrder": order,
        "type": kind,
        "hideFromConsole": false,
        "required": false,
    })
    .to_string()
}

impl Connector {
    /// What `GET /elements/{id}/metadata` answers. `polling` holds the polled resources; with [`Expand::Full`] their
    /// settings too.
    pub fn metadata(&self, expand: Expand) -> String {
        let default = |key: &str| self.entry(key).and_then(|entry| entry.default.as_deref());
        let object = |key: &str| -> Map<String, Value> {
            default(key).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
        };
        let poller = object(keys::POLLER_CONFIGURATION);
        let declared = object(keys::EVENTS_METADATA);
        let stated = default(keys::EVENTS_VENDOR_TYPE).and_then(VendorType::parse);
        let has_event_hook = self.hooks.iter().any(|hook| hook.kind == HookKind::Event);
        let vendor_type = stated.or(match (!poller.is_empty(), has_event_hook) {
            (true, true) => Some(VendorType::Both),
            (true, false) => Some(VendorType::Polling),
            (false, true) => Some(VendorType::Webhooks),
            (false, false) => None,
        });
        let mut events = Map::new();
        events.insert("supported".into(), Value::Bool(vendor_type.is_some()));
        events.insert("methods".into(), json!(vendor_type.map_or(&[][..], VendorType::methods)));
        let polls = matches!(vendor_type, Some(VendorType::Polling | VendorType::Both));
        if polls {
            let mut polling = declared.get("polling").and_then(Value::as_object).cloned().unwrap_or_default();
            for (resource, settings) in poller {
                let shown = match expand {
                    Expand::Full => settings,
                    Expand::Names => json!({"url": settings.get("url"), "idField": settings.get("idField")}),
                };
                polling.insert(resource, shown);
            }
            events.insert("polling".into(), Value::Object(polling));
        }
        if let Some(webhook) = declared.get("webhook") {
            events.insert("webhook".into(), webhook.clone());
        }
        let resources: Vec<&str> = self
            .resources
            .iter()
            .filter(|resource| resource.kind.is_called())
            .map(|resource| parts::without_hub(&resource.path))
            .collect();
        json!({"key": self.key, "name": self.name, "events": events, "resources": resources}).to_string()
    }
}

/// How much of a connector's metadata is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expand {
    /// Resources by name, with where and by what they are polled.
    Names,
    /// All settings (`expand=true`).
    Full,
}
