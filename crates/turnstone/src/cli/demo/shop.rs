//! The shop that the demo watches: a provider with three resources, each served in another way, and the instance
//! document that a user would write for it.

use serde_json::{Value, json};
use turnstone_provider::{
    Control, DateStyle, DeleteMode, Op, OpKind, Order, PageStyle, ProviderConfig, RecordKind, ResourceConfig,
    Settings,
};

/// The document as it stands in the repository, with placeholders for what is known only at the start.
const DOCUMENT: &str = include_str!("shop.json");

/// Names of the resources, in the order of the document.
pub const RESOURCES: [&str; 3] = ["customers", "orders", "tickets"];

/// The provider's configuration. It stands still until the first reads are over, so that everything that happens in it
/// afterwards must become an event: then lost and doubled can be counted without excuses.
pub fn provider(seed: u64) -> ProviderConfig {
    let customers = Settings {
        dates: DateStyle::IsoMillis,
        style: PageStyle::Page,
        deletes: DeleteMode::Hard,
        gone_status: 404,
        ..Settings::default()
    };
    let orders = Settings { dates: DateStyle::EpochMs, style: PageStyle::Cursor, ..Settings::default() };
    let tickets = Settings {
        dates: DateStyle::IsoOffset,
        zone: "America/Los_Angeles".into(),
        style: PageStyle::Link,
        sort: Order::Desc,
        deletes: DeleteMode::Soft,
        ..Settings::default()
    };
    let resources = vec![
        ResourceConfig::new(RESOURCES[0], RecordKind::Customers)
            .with_initial(240)
            .with_rates(0.10, 0.25, 0.06)
            .with_settings(customers),
        ResourceConfig::new(RESOURCES[1], RecordKind::Orders)
            .with_initial(400)
            .with_rates(0.16, 0.34, 0.0)
            .with_settings(orders),
        ResourceConfig::new(RESOURCES[2], RecordKind::Tickets)
            .with_initial(120)
            .with_rates(0.08, 0.20, 0.04)
            .with_settings(tickets),
    ];
    ProviderConfig { paused: true, ..ProviderConfig::of(seed, resources) }
}

/// Opens the shop: time brings changes from now on, and the first of each kind come at once, so that nobody has to wait
/// for chance.
pub fn opening() -> Control {
    let ops = vec![
        Op::some(OpKind::Create, "orders", 1),
        Op::some(OpKind::Update, "customers", 1),
        Op::some(OpKind::Delete, "customers", 1),
        Op::some(OpKind::Delete, "tickets", 1),
    ];
    Control { pause: Some(false), ..Control::ops(ops) }
}

/// The instance document with the addresses and the key of this start.
pub fn document(provider_url: &str, receiver_url: &str, signature_key: &str) -> Value {
    let mut document: Value = serde_json::from_str(DOCUMENT).expect("the document is JSON, as a test shows");
    let configuration = &mut document["configuration"];
    configuration["base.url"] = json!(provider_url);
    configuration["event.notification.callback.url"] = json!(receiver_url);
    configuration["event.notification.signature.key"] = json!(signature_key);
    document
}

/// The document to start an own one from: the same resources at an interval that every server allows.
pub fn template() -> Value {
    let mut document =
        document("https://api.example.com", "https://app.example.com/events", "env:SIGNATURE_KEY");
    document["configuration"]["event.poller.refresh_interval"] = json!("15");
    document
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use turnstone_core::check::{CheckSettings, check};

    use super::*;

    #[test]
    fn the_document_has_nothing_to_complain_about() {
        let document = document("http://127.0.0.1:8080", "http://127.0.0.1:9090/events", "key");
        let mut settings = CheckSettings::new("2026-01-01T00:00:00Z".parse().unwrap());
        settings.interval_min = Duration::from_secs(1);
        let checked = check(&document, &settings);
        assert_eq!((checked.faults, checked.repairs, checked.warnings), (vec![], vec![], vec![]));
        let instance = checked.instance.unwrap();
        let names: Vec<&str> = instance.resources.iter().map(|resource| resource.name.as_str()).collect();
        assert_eq!(names, RESOURCES);
        assert_eq!(instance.interval, Duration::from_secs(3));
        let checked = check(&template(), &CheckSettings::new("2026-01-01T00:00:00Z".parse().unwrap()));
        assert_eq!((checked.faults, checked.repairs, checked.warnings), (vec![], vec![], vec![]));
    }
}
