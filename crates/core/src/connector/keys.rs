//! The configuration keys whose meaning the platform fixes.
//!
//! A person who builds a connector may not create one of these by hand (platform-api §2, "Reserved configuration
//! keys"): they come with the authentication, the paging and the events that a connector declares. An import may hold
//! them, because an export does; but a key of `event.` that nobody knows is a mistake that would silently do nothing.

/// `event.poller.configuration`: what is polled, as JSON inside a text.
pub const POLLER_CONFIGURATION: &str = "event.poller.configuration";
/// `event.poller.refresh_interval`: minutes between two polls.
pub const POLLER_INTERVAL: &str = "event.poller.refresh_interval";
/// `event.notification.enabled`: the master switch.
pub const EVENTS_ENABLED: &str = "event.notification.enabled";
/// `event.vendor.type`: `polling`, `webhooks`, or both.
pub const EVENTS_VENDOR_TYPE: &str = "event.vendor.type";
/// `event.metadata`: which objects have events, as JSON inside a text.
pub const EVENTS_METADATA: &str = "event.metadata";
/// `base.url`: where the provider's API begins.
pub const BASE_URL: &str = "base.url";

/// Every key of the event framework (events §2) and those that UiPath's builder writes.
const EVENT_KEYS: [&str; 24] = [
    EVENTS_ENABLED,
    EVENTS_VENDOR_TYPE,
    "event.notification.type",
    "event.notification.callback.url",
    "event.notification.callback.headers",
    "event.notification.basic.username",
    "event.notification.basic.password",
    "event.notification.signature.key",
    "event.notification.subscription.id",
    "event.notification.instance.finder",
    POLLER_INTERVAL,
    POLLER_CONFIGURATION,
    "event.poller.urls",
    "event.objects",
    EVENTS_METADATA,
    "event.webhook.verification",
    "event.webhook.secret",
    "event.webhook.body",
    "event.webhook.repeatWindow",
    "event.webhook.open",
    "event.helper.key",
    "event.raw.enabled",
    "event.type",
    "event.hooks",
];

/// Reserved keys outside of the reserved prefixes.
const RESERVED: [&str; 24] = [
    BASE_URL,
    "pagination.type",
    "pagination.max",
    "pagination.page.startindex",
    "username",
    "password",
    "oauth.api.key",
    "oauth.api.secret",
    "oauth.callback.url",
    "oauth.scope",
    "oauth.authorization.url",
    "oauth.token.url",
    "oauth.token.refresh_url",
    "oauth.token.revoke_url",
    "oauth.request.url",
    "oauth.request.authorization.type",
    "oauth.basic.header",
    "oauth.user.token",
    "oauth.user.refresh_token",
    "oauth.user.refresh_time",
    "oauth.user.refresh_interval",
    "oauth.user.token.secret",
    "expires",
    "expires_in",
];

/// Keys whose values are secrets whatever their type says.
const SECRETS: [&str; 10] = [
    "password",
    "oauth.api.key",
    "oauth.api.secret",
    "oauth.user.token",
    "oauth.user.refresh_token",
    "oauth.user.token.secret",
    "aws.api.key",
    "aws.api.secret",
    "event.notification.basic.password",
    "event.notification.signature.key",
];

/// Whether a person may not create this key by hand.
pub fn is_reserved(key: &str) -> bool {
    ["event.", "bulk.", "aws."].iter().any(|prefix| key.starts_with(prefix)) || RESERVED.contains(&key)
}

/// Whether the key is of the event framework and unknown there; with the known key that it resembles.
pub(super) fn unknown_event_key(key: &str) -> bool {
    key.starts_with("event.") && !EVENT_KEYS.contains(&key)
}

/// The keys of the event framework, for a message.
pub(super) fn event_keys() -> String {
    EVENT_KEYS.map(|key| format!("`{key}`")).join(", ")
}

/// Whether the value of this key is a secret.
pub fn is_secret(key: &str) -> bool {
    SECRETS.contains(&key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_the_platform_are_reserved() {
        for key in ["event.anything", "bulk.query.operator", "aws.region", "base.url", "oauth.user.token"] {
            assert!(is_reserved(key), "{key}");
        }
        for key in ["subdomain", "oauth.app.token", "servicenow.subdomain", "events.x"] {
            assert!(!is_reserved(key), "{key}");
        }
        assert!(unknown_event_key("event.poller.refresh") && !unknown_event_key("event.objects"));
        assert!(is_secret("oauth.api.secret") && !is_secret("oauth.scope"));
        assert!(EVENT_KEYS.iter().chain(&SECRETS).all(|key| is_reserved(key)));
    }
}
