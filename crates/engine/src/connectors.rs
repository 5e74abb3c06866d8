//! Connectors as the store has them, read and kept ready.
//!
//! A revision of a connector never changes, so what was read once is right for as long as it is kept. An instance stays
//! with the revision that it was made from.
//!
//! Not here: changing connectors (the API), what they mean (the core's `connector`).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use turnstone_core::check::CheckSettings;
use turnstone_core::connector::{CheckedConnector, Connector, Document, check};
use turnstone_core::id::{ElementId, OrgId};
use turnstone_store::{Directory, InstanceRow, StoreError};

/// Connectors that are kept ready. A large one is some hundred kilobytes; beyond this number all are forgotten.
const READY_MAX: usize = 500;

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
    ready: Mutex<HashMap<Which, Arc<Connector>>>,
}

impl Connectors {
    /// Connectors of this store.
    pub fn new(directory: Arc<dyn Directory>) -> Connectors {
        Connectors { directory, ready: Mutex::default() }
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
        // Dates that lie ahead are only warned about, and warnings are for whoever edits it.
        let CheckedConnector { connector, faults, .. } =
            check(&document, &CheckSettings::new(Timestamp::UNIX_EPOCH));
        let Some(connector) = connector else {
            let first = faults.first().map(ToString::to_string);
            return Err(unusable(first.unwrap_or_else(|| "it is not understood".to_owned())));
        };
        let connector = Arc::new(connector);
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if ready.len() >= READY_MAX {
            ready.clear();
        }
        ready.insert(which, Arc::clone(&connector));
        Ok(connector)
    }
}
