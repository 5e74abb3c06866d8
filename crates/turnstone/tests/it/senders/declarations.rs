//! What the documentation of each provider says, as a declaration: written apart from the presets.

use serde_json::{Value, json};

/// The declaration that says what the preset of this name says.
pub fn declaration(name: &str) -> Value {
    let body = |header: &str, encoding: &str| json!({"signature": {"header": header, "encoding": encoding}});
    match name {
        "atlassian" => {
            prefixed("X-Hub-Signature", "sha256=", "hex", json!({"header": "X-Atlassian-Webhook-Identifier"}))
        }
        "bitbucket" => prefixed("X-Hub-Signature", "sha256=", "hex", Value::Null),
        "calendly" => timed_pairs("Calendly-Webhook-Signature", Value::Null),
        "declared-sha384" => json!({
            "signature": {"header": "X-Signatures", "algorithm": "sha384", "pair": "mac", "separator": "|"},
            "signed": "{header:X-Delivery}{body}",
            "deliveryId": {"header": "X-Delivery"}
        }),
        "declared-sha512" => json!({
            "signature": {
                "header": "X-Signature", "algorithm": "sha512", "encoding": "base64url", "prefix": "sha512="
            },
            "timestamp": {"header": "X-Time", "unit": "milliseconds", "tolerance": 300},
            "signed": "{method} {url}\n{timestamp}\n{body}",
            "deliveryId": {"header": "X-Delivery"}
        }),
        "docusign" => body("X-DocuSign-Signature-1", "base64"),
        "dropbox" => body("X-Dropbox-Signature", "hex"),
        "github" => prefixed("X-Hub-Signature-256", "sha256=", "hex", json!({"header": "X-GitHub-Delivery"})),
        "gitlab" => {
            json!({"token": {"header": "X-Gitlab-Token"}, "deliveryId": {"header": "Idempotency-Key"}})
        }
        "hubspot-v3" => json!({
            "signature": {"header": "X-HubSpot-Signature-v3", "encoding": "base64"},
            "timestamp": {"header": "X-HubSpot-Request-Timestamp", "unit": "milliseconds"},
            "signed": "{method}{url}{body}{timestamp}"
        }),
        "intercom" => json!({
            "signature": {"header": "X-Hub-Signature", "algorithm": "sha1", "prefix": "sha1="},
            "deliveryId": {"field": "id"}
        }),
        "linear" => json!({
            "signature": {"header": "Linear-Signature"},
            "timestamp": {"field": "webhookTimestamp", "unit": "milliseconds", "tolerance": "1m"},
            "deliveryId": {"header": "Linear-Delivery"}
        }),
        "meta" => prefixed("X-Hub-Signature-256", "sha256=", "hex", Value::Null),
        "okta" => json!({"token": {"header": "Authorization"}}),
        "paddle" => json!({
            "signature": {"header": "Paddle-Signature", "pair": "h1", "separator": ";"},
            "timestamp": {"pair": "ts"},
            "signed": "{timestamp}:{body}",
            "deliveryId": {"field": "event_id"}
        }),
        "pagerduty" => json!({
            "signature": {"header": "X-PagerDuty-Signature", "pair": "v1"}, "deliveryId": {"field": "event.id"}
        }),
        "razorpay" => json!({
            "signature": {"header": "X-Razorpay-Signature"}, "deliveryId": {"header": "x-razorpay-event-id"}
        }),
        "sentry" => body("Sentry-Hook-Signature", "hex"),
        "shopify" => json!({
            "signature": {"header": "X-Shopify-Hmac-Sha256", "encoding": "base64"},
            "deliveryId": {"header": "X-Shopify-Webhook-Id"}
        }),
        "slack" => versioned("X-Slack-Signature", "X-Slack-Request-Timestamp", json!({"field": "event_id"})),
        "square" => json!({
            "signature": {"header": "x-square-hmacsha256-signature", "encoding": "base64"},
            "signed": "{url}{body}",
            "deliveryId": {"field": "event_id"}
        }),
        "standard-webhooks" => standard("webhook"),
        "stripe" => timed_pairs("Stripe-Signature", json!({"field": "id"})),
        "svix" => standard("svix"),
        "trello" => json!({
            "signature": {"header": "X-Trello-Webhook", "algorithm": "sha1", "encoding": "base64"},
            "signed": "{body}{url}",
            "deliveryId": {"field": "action.id"}
        }),
        "twilio" => json!({
            "signature": {"header": "X-Twilio-Signature", "algorithm": "sha1", "encoding": "base64"},
            "signed": "{url}{form}",
            "deliveryId": {"header": "I-Twilio-Idempotency-Token"}
        }),
        "typeform" => prefixed("Typeform-Signature", "sha256=", "base64", json!({"field": "event_id"})),
        "woocommerce" => body("X-WC-Webhook-Signature", "base64"),
        "xero" => body("x-xero-signature", "base64"),
        "zendesk" => json!({
            "signature": {"header": "X-Zendesk-Webhook-Signature", "encoding": "base64"},
            "timestamp": {"header": "X-Zendesk-Webhook-Signature-Timestamp", "unit": "date"},
            "signed": "{timestamp}{body}",
            "deliveryId": {"header": "X-Zendesk-Webhook-Invocation-Id"}
        }),
        "zoom" => versioned("x-zm-signature", "x-zm-request-timestamp", Value::Null),
        other => panic!("`{other}` has no declaration here"),
    }
}

fn prefixed(header: &str, prefix: &str, encoding: &str, id: Value) -> Value {
    json!({"signature": {"header": header, "prefix": prefix, "encoding": encoding}, "deliveryId": id})
}

fn timed_pairs(header: &str, id: Value) -> Value {
    json!({
        "signature": {"header": header, "pair": "v1"},
        "timestamp": {"pair": "t", "unit": "seconds", "tolerance": "5m"},
        "signed": "{timestamp}.{body}",
        "deliveryId": id
    })
}

fn versioned(header: &str, time: &str, id: Value) -> Value {
    json!({
        "signature": {"header": header, "prefix": "v0="},
        "timestamp": {"header": time},
        "signed": "v0:{timestamp}:{body}",
        "deliveryId": id
    })
}

fn standard(start: &str) -> Value {
    json!({
        "signature": {"header": format!("{start}-signature"), "encoding": "base64", "wordPrefix": "v1,"},
        "timestamp": {"header": format!("{start}-timestamp")},
        "signed": format!("{{header:{start}-id}}.{{timestamp}}.{{body}}"),
        "secretEncoding": "base64",
        "deliveryId": {"header": format!("{start}-id")}
    })
}
