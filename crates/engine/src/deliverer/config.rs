//! The settings of a callback endpoint, as they are kept, and its secrets.
//!
//! A secret is kept sealed by the server's key ring and bound to its organisation and its use, so that a signature key
//! cannot be passed off as a header of another organisation. The command line keeps references (`env:`, `file:`) as
//! they stand in the user's own document. A server must not follow those on behalf of its clients, who could otherwise
//! read its environment and files: [`References`] says which of the two it is.
//!
//! Not here: checking the document (the core's `check`), sending.

use std::fs::File;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use turnstone_core::delivery::RetryPolicy;
use turnstone_core::id::OrgId;
use turnstone_core::instance::{Callback, SecretRef};
use turnstone_core::limits::CALLBACK_TIMEOUT;

use crate::clock::Entropy;
use crate::secrets::{KeyRing, Place, Secret, SecretError};

/// Bytes of a secret that stands in a file. A key or a token is far shorter; a whole log given by mistake is not read.
const SECRET_FILE_BYTES_MAX: u64 = 64 * 1024;

/// Longest time that an endpoint may be given to answer, in seconds. The claim of a notification outlasts it.
pub const TIMEOUT_SECONDS_MAX: u64 = 30;

/// Settings of an endpoint of kind `callback`. Unknown members are refused: they would be secrets or bounds that nobody
/// honours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EndpointConfig {
    /// Where to.
    pub url: String,
    /// The subscriber's own headers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, StoredSecret)>,
    /// HTTP Basic authentication.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basic: Option<StoredBasic>,
    /// Keys of the signature; all of them sign. The first one is what a receiver that reads one signature sees.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signature_keys: Vec<StoredSecret>,
    /// What a failed notification leads to.
    #[serde(default)]
    pub policy: RetryPolicy,
    /// Which headers a request carries.
    #[serde(default)]
    pub format: Format,
    /// How long the endpoint may take to answer, in seconds; 1 to [`TIMEOUT_SECONDS_MAX`].
    #[serde(default = "default_timeout")]
    pub timeout_seconds: u64,
}

fn default_timeout() -> u64 {
    CALLBACK_TIMEOUT.as_secs()
}

/// Which id and signature headers a request carries. The body is the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Format {
    /// The field's: `Elements-Webhook-Id` and `Elements-Webhook-Signature`.
    #[default]
    Elements,
    /// Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature`; keys are `whsec_…`.
    StandardWebhooks,
}

/// User name and password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredBasic {
    /// The user.
    pub username: StoredSecret,
    /// The password.
    pub password: StoredSecret,
}

/// A secret as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StoredSecret {
    /// Sealed by the key ring.
    Sealed(String),
    /// As it is: only in a store that belongs to the user who wrote it.
    #[serde(with = "plain")]
    Plain(Secret),
    /// In a variable of the environment.
    Env(String),
    /// In a file.
    File(String),
}

mod plain {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::secrets::Secret;

    pub fn serialize<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(secret.expose())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        String::deserialize(deserializer).map(Secret::from)
    }
}

/// Whether references to the environment and to files are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum References {
    /// They are: the document is the own one of the user who runs this process.
    Follow,
    /// They are not: documents come from clients.
    Refuse,
}

/// Why a secret of an endpoint cannot be kept or used.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// It was sealed, and does not open.
    #[error(transparent)]
    Sealed(#[from] SecretError),
    /// It is sealed, and this process has no keys.
    #[error(
        "the secret of `{purpose}` is sealed, and there is no key ring to open it; start with the server's keys"
    )]
    NoKeys {
        /// What it is for.
        purpose: String,
    },
    /// It is a reference where none is followed.
    #[error(
        "the secret of `{purpose}` refers to the server's environment or files, which are not for clients; give the \
         secret itself"
    )]
    Reference {
        /// What it is for.
        purpose: String,
    },
    /// The variable is missing.
    #[error("the environment variable `{name}` is not set or is no text; set it for the process")]
    NoVariable {
        /// Its name.
        name: String,
    },
    /// The file cannot be read.
    #[error("cannot read the secret in the file `{path}`; it must be text of at most 64 KiB")]
    NoFile {
        /// The file.
        path: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// Keeps and opens the secrets of endpoints.
#[derive(Clone, Debug)]
pub struct Vault {
    ring: Option<Arc<KeyRing>>,
    references: References,
}

impl Vault {
    /// A server's: literals are sealed, references refused.
    pub fn of_server(ring: Arc<KeyRing>) -> Vault {
        Vault { ring: Some(ring), references: References::Refuse }
    }

    /// The command line's own: literals are kept as they are, references followed.
    pub fn of_user() -> Vault {
        Vault { ring: None, references: References::Follow }
    }

    /// Makes what is kept of a secret.
    pub fn keep(
        &self,
        secret: &SecretRef,
        place: Place<'_>,
        entropy: &dyn Entropy,
    ) -> Result<StoredSecret, VaultError> {
        match (secret, self.references) {
            (SecretRef::Literal(text), _) => {
                let plain = Secret::from(text.expose_secret());
                Ok(match &self.ring {
                    Some(ring) => StoredSecret::Sealed(ring.seal(&plain, place, entropy)),
                    None => StoredSecret::Plain(plain),
                })
            }
            (SecretRef::Env(_) | SecretRef::File(_), References::Refuse) => {
                Err(VaultError::Reference { purpose: place.row.to_owned() })
            }
            (SecretRef::Env(name), References::Follow) => Ok(StoredSecret::Env(name.clone())),
            (SecretRef::File(path), References::Follow) => Ok(StoredSecret::File(path.clone())),
        }
    }

    /// The secret itself. References are looked up anew each time, so that a rotated file counts at once.
    pub fn open(&self, kept: &StoredSecret, place: Place<'_>) -> Result<Secret, VaultError> {
        let purpose = || place.row.to_owned();
        match (kept, self.references) {
            (StoredSecret::Plain(secret), _) => Ok(secret.clone()),
            (StoredSecret::Sealed(text), _) => {
                let ring = self.ring.as_ref().ok_or_else(|| VaultError::NoKeys { purpose: purpose() })?;
                Ok(ring.open(text, place)?)
            }
            (StoredSecret::Env(_) | StoredSecret::File(_), References::Refuse) => {
                Err(VaultError::Reference { purpose: purpose() })
            }
            (StoredSecret::Env(name), References::Follow) => {
                let found = std::env::var(name).map_err(|_| VaultError::NoVariable { name: name.clone() })?;
                Ok(Secret::from(found))
            }
            (StoredSecret::File(path), References::Follow) => {
                read_file(path).map_err(|source| VaultError::NoFile { path: path.clone(), source })
            }
        }
    }
}

/// The content of a file, without the line break at its end.
fn read_file(path: &str) -> std::io::Result<Secret> {
    let mut text = String::new();
    File::open(path)?.take(SECRET_FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > SECRET_FILE_BYTES_MAX {
        return Err(std::io::ErrorKind::FileTooLarge.into());
    }
    let trimmed =
        text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    Ok(Secret::from(trimmed))
}

/// Why an endpoint's settings cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the settings of the endpoint cannot be read; save its callback anew")]
pub struct ConfigError(#[from] serde_json::Error);

/// What a secret of an endpoint is for. Sealed with it, so that one cannot stand in for another.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose<'a> {
    Header(&'a str),
    Username,
    Password,
    Signature,
}

impl Purpose<'_> {
    pub(super) fn row(self) -> String {
        match self {
            Purpose::Header(name) => format!("endpoint/header/{}", name.to_ascii_lowercase()),
            Purpose::Username => "endpoint/basic/username".to_owned(),
            Purpose::Password => "endpoint/basic/password".to_owned(),
            Purpose::Signature => "endpoint/signature".to_owned(),
        }
    }
}

impl EndpointConfig {
    /// Takes over a checked callback and keeps its secrets as the vault does it.
    pub fn of_callback(
        callback: &Callback,
        org: OrgId,
        vault: &Vault,
        entropy: &dyn Entropy,
    ) -> Result<EndpointConfig, VaultError> {
        let keep = |secret: &SecretRef, purpose: Purpose<'_>| {
            vault.keep(secret, Place { organisation: org.0, row: &purpose.row() }, entropy)
        };
        let mut headers = Vec::with_capacity(callback.headers.len());
        for (name, value) in &callback.headers {
            headers.push((name.clone(), keep(value, Purpose::Header(name))?));
        }
        let basic = match &callback.basic {
            None => None,
            Some(basic) => Some(StoredBasic {
                username: keep(&basic.username, Purpose::Username)?,
                password: keep(&basic.password, Purpose::Password)?,
            }),
        };
        let key = callback.signature_key.as_ref();
        let signature_keys = key.map(|key| keep(key, Purpose::Signature)).transpose()?.into_iter().collect();
        Ok(EndpointConfig {
            url: callback.url.clone(),
            headers,
            basic,
            signature_keys,
            policy: RetryPolicy::default(),
            format: Format::default(),
            timeout_seconds: default_timeout(),
        })
    }

    /// Reads kept settings.
    pub fn from_json(text: &str) -> Result<EndpointConfig, ConfigError> {
        Ok(serde_json::from_str(text)?)
    }

    /// Writes settings to be kept.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("texts, numbers and lists always serialise")
    }

    /// How long the endpoint may take to answer.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds.clamp(1, TIMEOUT_SECONDS_MAX))
    }
}

#[cfg(test)]
mod tests {
    use turnstone_core::instance::{Basic, SecretText};

    use super::*;
    use crate::clock::SeededEntropy;

    fn literal(text: &str) -> SecretRef {
        SecretRef::Literal(SecretText::new(text))
    }

    fn callback(signature_key: SecretRef) -> Callback {
        Callback {
            url: "https://a.test/events".into(),
            headers: vec![("X-Key".into(), literal("canary-1"))],
            basic: Some(Basic { username: literal("canary-2"), password: literal("canary-3") }),
            signature_key: Some(signature_key),
        }
    }

    fn server() -> Vault {
        Vault::of_server(Arc::new(KeyRing::parse(&hex::encode([7; 32]), "the test").unwrap()))
    }

    fn kept(vault: &Vault, key: SecretRef) -> Result<EndpointConfig, VaultError> {
        EndpointConfig::of_callback(&callback(key), OrgId(3), vault, &SeededEntropy::new(1))
    }

    fn open(vault: &Vault, kept: &StoredSecret, org: i64, row: &str) -> Result<String, String> {
        let opened = vault.open(kept, Place { organisation: org, row });
        opened.map(|secret| secret.expose().to_owned()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_server_keeps_secrets_sealed_and_bound_to_their_use() {
        let vault = server();
        let text = kept(&vault, literal("canary-4")).unwrap().to_json();
        assert!(!text.contains("canary"), "{text}");
        let config = EndpointConfig::from_json(&text).unwrap();
        assert!(!format!("{config:?}").contains("canary"));
        let key = &config.signature_keys[0];
        assert_eq!(open(&vault, key, 3, "endpoint/signature").unwrap(), "canary-4");
        assert_eq!(open(&vault, &config.headers[0].1, 3, "endpoint/header/x-key").unwrap(), "canary-1");
        let basic = config.basic.unwrap();
        assert_eq!(open(&vault, &basic.password, 3, "endpoint/basic/password").unwrap(), "canary-3");
        for (org, row) in [(4, "endpoint/signature"), (3, "endpoint/header/x-key")] {
            assert!(open(&vault, key, org, row).unwrap_err().contains("does not open"), "{org} {row}");
        }
        assert!(open(&Vault::of_user(), key, 3, "endpoint/signature").unwrap_err().contains("no key ring"));
    }

    #[test]
    fn a_server_follows_no_references_whoever_wrote_them() {
        for (reference, stored) in [
            (SecretRef::Env("PATH".into()), StoredSecret::Env("PATH".into())),
            (SecretRef::File("/etc/hostname".into()), StoredSecret::File("/etc/hostname".into())),
        ] {
            let error = kept(&server(), reference).unwrap_err().to_string();
            assert!(error.contains("not for clients"), "{error}");
            let error = open(&server(), &stored, 3, "endpoint/signature").unwrap_err();
            assert!(error.contains("not for clients"), "{error}");
        }
    }

    #[test]
    fn the_command_line_follows_its_users_references() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key").to_str().unwrap().to_owned();
        let vault = Vault::of_user();
        let config = kept(&vault, SecretRef::File(path.clone())).unwrap();
        let config = EndpointConfig::from_json(&config.to_json()).unwrap();
        let key = &config.signature_keys[0];
        assert_eq!(*key, StoredSecret::File(path.clone()));
        assert!(open(&vault, key, 3, "x").unwrap_err().contains("cannot read the secret"));
        for (content, expect) in
            [("one\n", "one"), ("two\r\n", "two"), (" three ", " three "), ("four\n\n", "four\n")]
        {
            std::fs::write(&path, content).unwrap();
            assert_eq!(open(&vault, key, 3, "x").unwrap(), expect);
        }
        std::fs::write(&path, "x".repeat(64 * 1024 + 1)).unwrap();
        assert!(open(&vault, key, 3, "x").is_err());
        let variable = StoredSecret::Env("TURNSTONE_TEST_NO_SUCH_VARIABLE".into());
        assert!(open(&vault, &variable, 3, "x").unwrap_err().contains("is not set"));
    }

    #[track_caller]
    fn check(text: &str, expect: Option<(RetryPolicy, Format, u64)>) {
        let config = EndpointConfig::from_json(text).ok();
        let seen = config.map(|config| (config.policy, config.format, config.timeout().as_secs()));
        assert_eq!(seen, expect, "{text}");
    }

    #[test]
    fn settings_have_defaults_and_bounds() {
        check(r#"{"url":"https://a.test"}"#, Some((RetryPolicy::Retry, Format::Elements, 15)));
        check(
            r#"{"url":"https://a.test","policy":"queue","format":"standardWebhooks","timeoutSeconds":5}"#,
            Some((RetryPolicy::Queue, Format::StandardWebhooks, 5)),
        );
        check(r#"{"url":"u","timeoutSeconds":0}"#, Some((RetryPolicy::Retry, Format::Elements, 1)));
        check(r#"{"url":"u","timeoutSeconds":999}"#, Some((RetryPolicy::Retry, Format::Elements, 30)));
        for text in ["", "{}", r#"{"url":"u","signatureKey":"x"}"#, r#"{"url":"u","policy":"drop"}"#] {
            check(text, None);
        }
    }
}
