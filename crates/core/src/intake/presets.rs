//! The published schemes of well-known providers, as values.
//!
//! Each is what its documentation says today; a provider that differs is declared in full. The tests of the program
//! check them with the providers' own libraries where there are some.
//!
//! Not here: providers that sign with a key pair (Discord, PayPal, SendGrid, SNS) or sign without the body (Mailgun):
//! no secret of an instance can judge them.

use std::time::Duration;

use super::{
    Algorithm, Challenge, Condition, DeliveryId, Encoding, Piece, Place, Plain, SecretForm, SignatureForm,
    Signed, TimeUnit, TimestampSource, Token, Verification, Way,
};
use crate::json_path::JsonPath;

/// How far a signed time may be from ours, where the provider names no other.
pub const TOLERANCE: Duration = Duration::from_secs(300);

/// Names of all presets.
pub const NAMES: [&str; 30] = [
    "atlassian",
    "bitbucket",
    "calendly",
    "docusign",
    "dropbox",
    "github",
    "gitlab",
    "hubspot-v3",
    "intercom",
    "linear",
    "meta",
    "microsoft-graph",
    "okta",
    "paddle",
    "pagerduty",
    "razorpay",
    "sentry",
    "shopify",
    "slack",
    "square",
    "standard-webhooks",
    "stripe",
    "svix",
    "trello",
    "twilio",
    "typeform",
    "woocommerce",
    "xero",
    "zendesk",
    "zoom",
];

/// How a provider shows that a request is its own, and the question that it asks, if it asks one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preset {
    /// How it shows that a request is its own; nothing where it only asks its question.
    pub verification: Option<Verification>,
    /// The question that it asks first.
    pub challenge: Option<Challenge>,
}

/// The preset of this name.
pub fn preset(name: &str) -> Option<Preset> {
    let way = signed(name).map(Way::Signature).or_else(|| token(name).map(Way::Token))?;
    let verification = Verification { way, delivery_id: delivery_id(name) };
    Some(Preset { verification: Some(verification), challenge: challenge(name) })
}

/// The providers that sign.
fn signed(name: &str) -> Option<Signed> {
    let base64 = |signed: Signed| Signed { encoding: Encoding::Base64, ..signed };
    let sha1 = |signed: Signed| Signed { algorithm: Algorithm::Sha1, ..signed };
    Some(match name {
        "atlassian" | "bitbucket" => body("X-Hub-Signature", "sha256="),
        "calendly" => dotted("Calendly-Webhook-Signature"),
        "docusign" => base64(body("X-DocuSign-Signature-1", "")),
        "dropbox" => body("X-Dropbox-Signature", ""),
        "github" | "meta" => body("X-Hub-Signature-256", "sha256="),
        "hubspot-v3" => Signed {
            timestamp: time_header("X-HubSpot-Request-Timestamp", TimeUnit::Milliseconds),
            pieces: vec![Piece::Method, Piece::Url, Piece::Body, Piece::Timestamp],
            ..base64(body("X-HubSpot-Signature-v3", ""))
        },
        "intercom" => sha1(body("X-Hub-Signature", "sha1=")),
        "linear" => Signed {
            timestamp: Some((
                TimestampSource::Field(path("webhookTimestamp")),
                TimeUnit::Milliseconds,
                Duration::from_secs(60),
            )),
            ..body("Linear-Signature", "")
        },
        "paddle" => Signed {
            form: SignatureForm::Pairs { name: "h1".into(), separator: ';' },
            timestamp: Some((TimestampSource::Pair("ts".into()), TimeUnit::Seconds, TOLERANCE)),
            pieces: vec![Piece::Timestamp, text(":"), Piece::Body],
            ..body("Paddle-Signature", "")
        },
        "pagerduty" => Signed {
            form: SignatureForm::Pairs { name: "v1".into(), separator: ',' },
            ..body("X-PagerDuty-Signature", "")
        },
        "razorpay" => body("X-Razorpay-Signature", ""),
        "sentry" => body("Sentry-Hook-Signature", ""),
        "shopify" => base64(body("X-Shopify-Hmac-Sha256", "")),
        "slack" => versioned("X-Slack-Signature", "X-Slack-Request-Timestamp"),
        "square" => Signed {
            pieces: vec![Piece::Url, Piece::Body],
            ..base64(body("x-square-hmacsha256-signature", ""))
        },
        "standard-webhooks" => standard_webhooks("webhook"),
        "stripe" => dotted("Stripe-Signature"),
        "svix" => standard_webhooks("svix"),
        "trello" => {
            Signed { pieces: vec![Piece::Body, Piece::Url], ..base64(sha1(body("X-Trello-Webhook", ""))) }
        }
        "twilio" => {
            Signed { pieces: vec![Piece::Url, Piece::Form], ..base64(sha1(body("X-Twilio-Signature", ""))) }
        }
        "typeform" => base64(body("Typeform-Signature", "sha256=")),
        "woocommerce" => base64(body("X-WC-Webhook-Signature", "")),
        "xero" => base64(body("x-xero-signature", "")),
        "zendesk" => Signed {
            timestamp: time_header("X-Zendesk-Webhook-Signature-Timestamp", TimeUnit::Date),
            pieces: vec![Piece::Timestamp, Piece::Body],
            ..base64(body("X-Zendesk-Webhook-Signature", ""))
        },
        "zoom" => versioned("x-zm-signature", "x-zm-request-timestamp"),
        _ => return None,
    })
}

/// The providers that show a token.
fn token(name: &str) -> Option<Token> {
    let header = |name: &str| Token::Header { name: name.to_owned(), prefix: String::new() };
    match name {
        "gitlab" => Some(header("X-Gitlab-Token")),
        "microsoft-graph" => Some(Token::Field { each: Some(path("value")), field: path("clientState") }),
        "okta" => Some(header("Authorization")),
        _ => None,
    }
}

/// Where a provider names a delivery in a way that is the same when it sends again. A name that changes with every
/// attempt is worse than none, so what is not published to stay is not here.
fn delivery_id(name: &str) -> Option<DeliveryId> {
    let header = |name: &str| Some(DeliveryId::Header(name.to_owned()));
    let field = |name: &str| Some(DeliveryId::Field(path(name)));
    match name {
        "atlassian" => header("X-Atlassian-Webhook-Identifier"),
        "github" => header("X-GitHub-Delivery"),
        "gitlab" => header("Idempotency-Key"),
        "intercom" | "stripe" => field("id"),
        "linear" => header("Linear-Delivery"),
        "paddle" | "slack" | "square" | "typeform" => field("event_id"),
        "pagerduty" => field("event.id"),
        "razorpay" => header("x-razorpay-event-id"),
        "shopify" => header("X-Shopify-Webhook-Id"),
        "standard-webhooks" => header("webhook-id"),
        "svix" => header("svix-id"),
        "trello" => field("action.id"),
        "twilio" => header("I-Twilio-Idempotency-Token"),
        "zendesk" => header("X-Zendesk-Webhook-Invocation-Id"),
        _ => None,
    }
}

/// The questions of those who ask one.
fn challenge(name: &str) -> Option<Challenge> {
    let field = |names: &[&str]| Place::Field(names.iter().map(|&name| name.to_owned()).collect());
    let parameter = |name: &str| Place::Parameter(name.to_owned());
    let when = |place: Place, equals: &str| Condition { place, equals: Some(equals.to_owned()) };
    let echoed = |place: Place, form: Plain| Challenge {
        when: vec![Condition { place: place.clone(), equals: None }],
        secret: None,
        answer: place,
        form,
    };
    match name {
        "dropbox" => Some(echoed(parameter("challenge"), Plain::Text)),
        "meta" => Some(Challenge {
            when: vec![when(parameter("hub.mode"), "subscribe")],
            secret: Some(parameter("hub.verify_token")),
            answer: parameter("hub.challenge"),
            form: Plain::Text,
        }),
        "microsoft-graph" => Some(echoed(parameter("validationToken"), Plain::Text)),
        "okta" => {
            let asked = Place::Header("X-Okta-Verification-Challenge".into());
            Some(echoed(asked, Plain::Member("verification".into())))
        }
        "slack" => Some(Challenge {
            when: vec![when(field(&["type"]), "url_verification")],
            secret: None,
            answer: field(&["challenge"]),
            form: Plain::Text,
        }),
        "zoom" => Some(Challenge {
            when: vec![when(field(&["event"]), "endpoint.url_validation")],
            secret: None,
            answer: field(&["payload", "plainToken"]),
            form: Plain::Signed {
                value: "plainToken".into(),
                mac: "encryptedToken".into(),
                encoding: Encoding::Hex,
                prefix: String::new(),
            },
        }),
        _ => None,
    }
}

/// HMAC-SHA256 of the body in hexadecimal digits.
fn body(name: &str, prefix: &str) -> Signed {
    Signed {
        algorithm: Algorithm::Sha256,
        encoding: Encoding::Hex,
        header: name.to_owned(),
        form: SignatureForm::Plain { prefix: prefix.to_owned() },
        timestamp: None,
        pieces: vec![Piece::Body],
        secret: SecretForm::Text,
    }
}

/// `v0:<time>:<body>`, as Slack and Zoom sign it.
fn versioned(signature: &str, time: &str) -> Signed {
    Signed {
        timestamp: time_header(time, TimeUnit::Seconds),
        pieces: vec![text("v0:"), Piece::Timestamp, text(":"), Piece::Body],
        ..body(signature, "v0=")
    }
}

/// `<time>.<body>`, both in one header as `t=…,v1=…`.
fn dotted(signature: &str) -> Signed {
    Signed {
        form: SignatureForm::Pairs { name: "v1".into(), separator: ',' },
        timestamp: Some((TimestampSource::Pair("t".into()), TimeUnit::Seconds, TOLERANCE)),
        pieces: vec![Piece::Timestamp, text("."), Piece::Body],
        ..body(signature, "")
    }
}

/// The standard, with headers that begin like this.
fn standard_webhooks(start: &str) -> Signed {
    let header = |end: &str| format!("{start}-{end}");
    Signed {
        encoding: Encoding::Base64,
        form: SignatureForm::Words { prefix: "v1,".into() },
        timestamp: time_header(&header("timestamp"), TimeUnit::Seconds),
        pieces: vec![Piece::Header(header("id")), text("."), Piece::Timestamp, text("."), Piece::Body],
        secret: SecretForm::Base64,
        ..body(&header("signature"), "")
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the member is one that may be missing")]
fn time_header(name: &str, unit: TimeUnit) -> Option<(TimestampSource, TimeUnit, Duration)> {
    Some((TimestampSource::Header(name.to_owned()), unit, TOLERANCE))
}

fn text(text: &str) -> Piece {
    Piece::Text(text.to_owned())
}

fn path(text: &str) -> JsonPath {
    JsonPath::parse(text).expect("the paths of presets are written in this file")
}
