//! One connected account: what to poll, how often, with which credentials, and where the events go.
//!
//! The document is the one that the field sends to `POST /instances`; [`crate::check`] reads it and these values are
//! its proof. Secrets are kept in a type that cannot be printed by accident, and references to the environment or to
//! files stay references: looking them up is the engine's business, because this crate reads neither.
//!
//! Not here: reading JSON (`check`), the polled resources themselves (`resource`), sending requests.

use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::connector::VendorType;
use crate::intake::{BodyFormat, Challenge, DeliveryId, Place, Verification};
use crate::resource::Resource;

/// A connected account, read and understood.
#[derive(Clone, Debug)]
pub struct Instance {
    /// Key of the connector (the field's "element").
    pub element_key: String,
    /// Its name; the connector's key when the document has none.
    pub name: String,
    /// Free words to find it by.
    pub tags: Vec<String>,
    /// Whether it is polled and open for webhooks (`event.notification.enabled`, false when absent).
    pub enabled: bool,
    /// Time between two polls.
    pub interval: Duration,
    /// Where events are sent; `None` when the document names no callback.
    pub callback: Option<Callback>,
    /// Address that relative URLs continue, without a slash at its end.
    pub base_url: Option<String>,
    /// Headers of every request to the provider.
    pub headers: Vec<(String, SecretRef)>,
    /// Basic authentication towards the provider.
    pub basic: Option<Basic>,
    /// How changes reach us.
    pub events: VendorType,
    /// How the provider's own notifications are taken in; `None` where it sends none.
    pub webhook: Option<Webhook>,
    /// What is polled, in the order of the document; nothing where the provider notifies us of everything.
    pub resources: Vec<Resource>,
    /// What the account's authorisation brought (`providerData`), kept as it came.
    pub provider_data: Map<String, Value>,
    /// Members of `configuration` that this release does not read, kept for the connector.
    pub other_configuration: Map<String, Value>,
}

/// How a provider's own notifications are taken in.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// How a request shows that it is the provider's; nothing but its address does, where this is `None`.
    pub verification: Option<Verification>,
    /// The question that the provider asks first.
    pub challenge: Option<Challenge>,
    /// What names a delivery, where the verification does not say.
    pub delivery: Option<DeliveryId>,
    /// The secrets to judge by; several while one is replaced.
    pub secrets: Vec<SecretRef>,
    /// How bodies are read.
    pub body: BodyFormat,
    /// How long equal content counts as the same delivery, where nothing names it.
    pub repeat_window: Duration,
    /// Whether the field's addresses, which can be guessed, are accepted without a verification.
    pub open: bool,
    /// How the connector's common address finds this instance.
    pub finder: Option<Finder>,
}

/// Where a notification says which instance it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finder {
    /// The place of the value.
    pub place: Place,
    /// The key of the configuration that has the same value; any but the secret ones, where this is `None`.
    pub key: Option<String>,
}

/// Where events are sent.
#[derive(Clone, Debug)]
pub struct Callback {
    /// Absolute `http` or `https` address.
    pub url: String,
    /// Further headers of every notification; never the signature's, the host's or the length's.
    pub headers: Vec<(String, SecretRef)>,
    /// Basic authentication towards the receiver.
    pub basic: Option<Basic>,
    /// Key of the notification's signature.
    pub signature_key: Option<SecretRef>,
}

/// A user name and a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Basic {
    /// The user.
    pub username: SecretRef,
    /// The password.
    pub password: SecretRef,
}

/// A secret, or where to find it.
#[derive(Clone, PartialEq, Eq)]
pub enum SecretRef {
    /// The secret itself stands in the document.
    Literal(SecretText),
    /// `env:NAME`: a variable of the environment.
    Env(String),
    /// `file:PATH`: the content of a file, without the line break at its end.
    File(String),
}

impl SecretRef {
    /// Reads `env:NAME`, `file:PATH`, or a literal. `None` when the name or the path is missing.
    pub fn parse(text: &str) -> Option<SecretRef> {
        let named = |rest: &str| (!rest.trim().is_empty()).then(|| rest.trim().to_string());
        if let Some(name) = text.strip_prefix("env:") {
            named(name).map(SecretRef::Env)
        } else if let Some(path) = text.strip_prefix("file:") {
            named(path).map(SecretRef::File)
        } else {
            Some(SecretRef::Literal(SecretText::new(text)))
        }
    }
}

impl fmt::Debug for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretRef::Literal(_) => f.write_str("Literal"),
            SecretRef::Env(name) => write!(f, "Env({name})"),
            SecretRef::File(path) => write!(f, "File({path})"),
        }
    }
}

/// Text that never shows itself: `Debug` prints nothing of it and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(String);

impl SecretText {
    /// Keeps a secret.
    pub fn new(text: impl Into<String>) -> SecretText {
        SecretText(text.into())
    }

    /// The secret. The name is long so that every use is seen in a review.
    pub fn expose_secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Option<SecretRef>) {
        assert_eq!(SecretRef::parse(text), expect, "{text}");
    }

    #[test]
    fn secrets_are_named_or_given() {
        check("env:TOKEN", Some(SecretRef::Env("TOKEN".into())));
        check("file:/run/secrets/token", Some(SecretRef::File("/run/secrets/token".into())));
        check("Bearer env:x", Some(SecretRef::Literal(SecretText::new("Bearer env:x"))));
        check("env:", None);
        check("file: ", None);
    }

    #[test]
    fn secrets_do_not_print() {
        let basic = Basic {
            username: SecretRef::Literal(SecretText::new("hunter1")),
            password: SecretRef::Literal(SecretText::new("hunter2")),
        };
        let printed = format!("{basic:?} {:#?} {:?}", basic, SecretText::new("hunter3"));
        assert!(!printed.contains("hunter"), "{printed}");
    }
}
