//! Connectors as the store has them, read and kept ready.
//!
//! A revision of a connector never changes, so what was read once is right for as long as it is kept. An instance stays
//! with the revision that it was made from.
//!
//! The defaults of a connector's secrets are sealed in its stored text ([`seal_connector`]) and opened here alone.
//!
//! Not here: changing connectors (the API), what they mean (the core's `connector`).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use turnstone_core::check::CheckSettings;
use turnstone_core::connector::{CheckedConnector, Connector, Document, SECRET_MASK, check};
use turnstone_core::id::{ElementId, OrgId};
use turnstone_store::{Directory, InstanceRow, StoreError};

use crate::clock::Entropy;
use crate::secrets::{KeyRing, Place, Secret, SecretError};

/// Connectors that are kept ready. A large one is some hundred kilobytes; beyond this number all are forgotten.
const READY_MAX: usize = 500;

/// What a sealed default begins with.
const SEALED: &str = "$sealed:";

/// Seals the default of every secret entry, bound to the organisation and the entry's key. All of them must be open:
/// one that looks sealed is somebody's text and is sealed like any other. What is hidden is left as it is: whoever
/// stores the document puts the earlier value there.
pub fn seal_connector(document: &Document, keys: &KeyRing, org: OrgId, entropy: &dyn Entropy) -> Document {
    document.with_secrets(|key, value| {
        if value == SECRET_MASK {
            return None;
        }
        let row = row(key);
        let sealed = keys.seal(&Secret::from(value), Place { organisation: org.0, row: &row }, entropy);
        Some(format!("{SEALED}{sealed}"))
    })
}

/// Opens every default that is sealed. Fails with the first that does not open.
fn open_connector(document: &Document, keys: &KeyRing, org: OrgId) -> Result<Document, SecretError> {
    let mut failed = None;
    let open = document.with_secrets(|key, value| {
        let row = row(key);
        match keys.open(value.strip_prefix(SEALED)?, Place { organisation: org.0, row: &row }) {
            Ok(secret) => Some(secret.expose().to_owned()),
            Err(error) => {
                failed.get_or_insert(error);
                None
            }
        }
    });
    match failed {
        None => Ok(open),
        Some(error) => Err(error),
    }
}

fn row(key: &str) -> String {
    format!("element/configuration/{key}")
}

/// Why a connector cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ConnectorError {
    /// The store does not answer, or has no such connector.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is stored cannot be used.
    #[error("the connector {element} (revision {revision}) cannot be used: {words}")]
    Unusable {
        /// The connector.
        element: ElementId,
        /// Its revision.
        revision: i64,
        /// The first fault.
        words: String,
    },
}

/// Which connector, in which revision, of which organisation.
type Which = (OrgId, ElementId, i64);

/// Reads connectors from the store.
pub struct Connectors {
    directory: Arc<dyn Directory>,
    keys: Arc<KeyRing>,
    ready: Mutex<HashMap<Which, Arc<Connector>>>,
}

impl Connectors {
    /// Connectors of this store, whose secrets these keys open.
    pub fn new(directory: Arc<dyn Directory>, keys: Arc<KeyRing>) -> Connectors {
        Connectors { directory, keys, ready: Mutex::default() }
    }

    /// The connector that an instance was made from; `None` for a document that brings its own settings.
    pub async fn of_instance(&self, row: &InstanceRow) -> Result<Option<Arc<Connector>>, ConnectorError> {
        match row.element {
            Some((element, revision)) => self.get(row.org, element, revision).await.map(Some),
            None => Ok(None),
        }
    }

    /// A connector in one of its revisions.
    pub async fn get(
        &self,
        org: OrgId,
        element: ElementId,
        revision: i64,
    ) -> Result<Arc<Connector>, ConnectorError> {
        let which = (org, element, revision);
        let known = self.ready.lock().unwrap_or_else(PoisonError::into_inner).get(&which).cloned();
        if let Some(connector) = known {
            return Ok(connector);
        }
        let text = self.directory.element_at(org, element, revision).await?;
        let unusable = |words: String| ConnectorError::Unusable { element, revision, words };
        let document = Document::parse(text).map_err(|error| unusable(error.to_string()))?;
        let connector = Arc::new(self.of_document(org, &document).map_err(unusable)?);
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if ready.len() >= READY_MAX {
            ready.clear();
        }
        ready.insert(which, Arc::clone(&connector));
        Ok(connector)
    }

    /// What a document means whose secrets are sealed, stored or not. Fails with the first thing that is wrong with it.
    pub fn of_document(&self, org: OrgId, document: &Document) -> Result<Connector, String> {
        let document = open_connector(document, &self.keys, org).map_err(|error| error.to_string())?;
        // Dates that lie ahead are only warned about, and warnings are for whoever edits it.
        let CheckedConnector { connector, faults, .. } =
            check(&document, &CheckSettings::new(Timestamp::UNIX_EPOCH));
        connector.ok_or_else(|| {
            let first = faults.first().map(ToString::to_string);
            first.unwrap_or_else(|| "it is not understood".to_owned())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SeededEntropy;

    #[test]
    fn secret_defaults_are_sealed_in_their_place_and_open_again() {
        let keys = KeyRing::parse(&"07".repeat(32), "the test").unwrap();
        let text = r#"{"configuration": [ {"key":"oauth.api.secret", "defaultValue":"canary-1"},
            {"key":"own","type":"PASSWORD","defaultValue":"$sealed:canary-2"}, {"key":"url","defaultValue":"u","n":1.0},
            {"key":"password","defaultValue":"********"} ]}"#;
        let document = Document::parse(text).unwrap();
        let sealed = seal_connector(&document, &keys, OrgId(4), &SeededEntropy::new(1));
        assert!(!sealed.text().contains("canary") && sealed.text().contains(r#""u","n":1.0"#), "{sealed:?}");
        assert_eq!(open_connector(&sealed, &keys, OrgId(4)).unwrap(), document);
        assert!(open_connector(&sealed, &keys, OrgId(5)).is_err(), "another organisation");
        assert_eq!(open_connector(&Document::parse("{}").unwrap(), &keys, OrgId(4)).unwrap().text(), "{}");
    }
}
