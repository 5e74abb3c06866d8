//! The account of a document that is kept nowhere: what a configuration is tried with before it is saved.
//!
//! Its settings live in memory and end with the trial. What was obtained elsewhere is used as it stands; an account
//! that needs nobody's leave gets a token of its own, which nobody keeps. A grant that is good once is not used up, and
//! a connector's own steps (`onProvision` and others) do not run: they may change something at the provider.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};
use turnstone_core::call::{CallFault, Change};
use turnstone_core::connector::{AuthenticationKind, Connector, Settings};
use turnstone_core::id::OrgId;

use super::sign_in::{apply, brought_along};
use super::{ConnectionError, Connections};
use crate::document::configuration_of;

/// An account in memory. Prints nothing of it.
pub struct Trial {
    pub(crate) org: OrgId,
    pub(crate) connector: Arc<Connector>,
    settings: Mutex<Settings>,
}

impl Trial {
    /// The settings as they are now.
    pub(crate) fn settings(&self) -> Settings {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes over what hooks of a call set.
    pub(crate) fn remember(&self, changes: &[Change]) {
        apply(&mut self.settings.lock().unwrap_or_else(PoisonError::into_inner), changes);
    }
}

impl Connections {
    /// An account for a document with its secrets open. Nothing of it is stored.
    ///
    /// Fails where the account needs a person's leave first, and where the provider refuses it a token.
    pub async fn trial(
        &self,
        org: OrgId,
        connector: &Arc<Connector>,
        document: &Value,
    ) -> Result<Trial, CallFault> {
        let empty = Map::new();
        let data = document.get("providerData").and_then(Value::as_object).unwrap_or(&empty);
        let unusable = |error| ConnectionError::Prepare(error).fault();
        let values = self.0.looked_up(configuration_of(document), connector).map_err(unusable)?;
        let mut settings = connector.settings(&values);
        let changes = match (connector.authentication, brought_along(connector, document, data)) {
            (_, Some(tokens)) => tokens,
            (AuthenticationKind::OAuth2 | AuthenticationKind::OAuth1, None) => {
                let words = "the account is not connected, and a code is good once, so it is not spent on a trial; \
                             make the instance first, or give `oauth.user.token` in `configuration`";
                return Err(CallFault::new(409, words));
            }
            (AuthenticationKind::OAuth2ClientCredentials | AuthenticationKind::OAuth2Password, None) => {
                self.0.first_token(org, connector, &settings).await?
            }
            (
                AuthenticationKind::None
                | AuthenticationKind::Basic
                | AuthenticationKind::ApiKey
                | AuthenticationKind::AwsV4
                | AuthenticationKind::Custom,
                None,
            ) => Vec::new(),
        };
        apply(&mut settings, &changes);
        Ok(Trial { org, connector: Arc::clone(connector), settings: Mutex::new(settings) })
    }
}
