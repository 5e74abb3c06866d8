//! The published schemes of well-known providers, as values.
//!
//! Each is what its documentation says today; a provider that differs is declared in full. The tests of the program
//! check them with the providers' own libraries.

use std::time::Duration;

use super::{
    Algorithm, Challenge, Condition, Encoding, Piece, Place, Plain, SecretForm, SignatureForm, Signed,
    TimeUnit, TimestampSource, Token, Verification,
};

/// How far a signed time may be from ours, where the provider names no other.
pub const TOLERANCE: Duration = Duration::from_secs(300);

/// Names of all presets.
pub const NAMES: [&str; 10] = [
    "github",
    "gitlab",
    "hubspot-v3",
    "meta",
    "microsoft-graph",
    "shopify",
    "slack",
    "standard-webhooks",
    "stripe",
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
    let signed =
        |signed: Signed| Preset { verification: Some(Verification::Signature(signed)), challenge: None };
    Some(match name {
        "github" => signed(Signed {
            id_header: header("X-GitHub-Delivery"),
            ..body("X-Hub-Signature-256", "sha256=")
        }),
        "gitlab" => Preset {
            verification: Some(Verification::Token(Token::Header {
                name: "X-Gitlab-Token".into(),
                prefix: String::new(),
            })),
            challenge: None,
        },
        "hubspot-v3" => signed(Signed {
            encoding: Encoding::Base64,
            timestamp: Some((
                TimestampSource::Header("X-HubSpot-Request-Timestamp".into()),
                TimeUnit::Milliseconds,
                TOLERANCE,
            )),
            pieces: vec![Piece::Method, Piece::Url, Piece::Body, Piece::Timestamp],
            ..body("X-HubSpot-Signature-v3", "")
        }),
        "meta" => Preset {
            challenge: Some(Challenge {
                when: vec![Condition {
                    place: Place::Parameter("hub.mode".into()),
                    equals: Some("subscribe".into()),
                }],
                secret: Some(Place::Parameter("hub.verify_token".into())),
                answer: Place::Parameter("hub.challenge".into()),
                form: Plain::Text,
            }),
            ..signed(body("X-Hub-Signature-256", "sha256="))
        },
        "microsoft-graph" => Preset {
            verification: None,
            challenge: Some(Challenge {
                when: vec![Condition { place: Place::Parameter("validationToken".into()), equals: None }],
                secret: None,
                answer: Place::Parameter("validationToken".into()),
                form: Plain::Text,
            }),
        },
        "shopify" => signed(Signed {
            encoding: Encoding::Base64,
            id_header: header("X-Shopify-Webhook-Id"),
            ..body("X-Shopify-Hmac-Sha256", "")
        }),
        "slack" => slack(),
        "standard-webhooks" => signed(standard_webhooks()),
        "stripe" => signed(Signed {
            form: SignatureForm::Pairs { name: "v1".into() },
            timestamp: Some((TimestampSource::Pair("t".into()), TimeUnit::Seconds, TOLERANCE)),
            pieces: vec![Piece::Timestamp, Piece::Text(".".into()), Piece::Body],
            ..body("Stripe-Signature", "")
        }),
        "zoom" => zoom(),
        _ => return None,
    })
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
        id_header: None,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the member is one that may be missing")]
fn header(name: &str) -> Option<String> {
    Some(name.to_owned())
}

/// `v0:<time>:<body>`, as Slack and Zoom sign it.
fn versioned(signature: &str, time: &str) -> Signed {
    Signed {
        timestamp: Some((TimestampSource::Header(time.to_owned()), TimeUnit::Seconds, TOLERANCE)),
        pieces: vec![Piece::Text("v0:".into()), Piece::Timestamp, Piece::Text(":".into()), Piece::Body],
        ..body(signature, "v0=")
    }
}

fn slack() -> Preset {
    let signed = versioned("X-Slack-Signature", "X-Slack-Request-Timestamp");
    Preset {
        verification: Some(Verification::Signature(signed)),
        challenge: Some(Challenge {
            when: vec![Condition {
                place: Place::Field(vec!["type".into()]),
                equals: Some("url_verification".into()),
            }],
            secret: None,
            answer: Place::Field(vec!["challenge".into()]),
            form: Plain::Text,
        }),
    }
}

fn zoom() -> Preset {
    let signed = versioned("x-zm-signature", "x-zm-request-timestamp");
    Preset {
        verification: Some(Verification::Signature(signed)),
        challenge: Some(Challenge {
            when: vec![Condition {
                place: Place::Field(vec!["event".into()]),
                equals: Some("endpoint.url_validation".into()),
            }],
            secret: None,
            answer: Place::Field(vec!["payload".into(), "plainToken".into()]),
            form: Plain::Signed {
                value: "plainToken".into(),
                mac: "encryptedToken".into(),
                encoding: Encoding::Hex,
                prefix: String::new(),
            },
        }),
    }
}

fn standard_webhooks() -> Signed {
    let dot = || Piece::Text(".".into());
    Signed {
        encoding: Encoding::Base64,
        form: SignatureForm::Words { prefix: "v1,".into() },
        timestamp: Some((TimestampSource::Header("webhook-timestamp".into()), TimeUnit::Seconds, TOLERANCE)),
        pieces: vec![Piece::Header("webhook-id".into()), dot(), Piece::Timestamp, dot(), Piece::Body],
        secret: SecretForm::Base64,
        id_header: header("webhook-id"),
        ..body("webhook-signature", "")
    }
}
