//! What is kept of an account beside its document: the configuration values that its provider and its hooks gave.
//!
//! Tokens change with every renewal and hooks change what they like, so these values stand in a row of their own, which
//! is replaced as a whole, generation by generation. They lie over the values of the document. The whole is sealed,
//! bound to the organisation and to the instance.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use turnstone_core::call::Change;
use turnstone_core::connector::Settings;
use turnstone_core::id::{InstanceId, OrgId};

use crate::clock::Entropy;
use crate::secrets::{KeyRing, Place, Secret, SecretError};

/// Values over those of the document; `None` takes one out. Prints its keys only.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// How often the credentials were renewed: whoever was refused with older ones takes these instead of renewing.
    pub(super) renewals: u64,
    pub(super) values: BTreeMap<String, Option<String>>,
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kept({}, {:?})", self.renewals, self.values.keys())
    }
}

impl Kept {
    /// Opens what is kept of an instance.
    pub(super) fn open(
        sealed: &str,
        keys: &KeyRing,
        org: OrgId,
        instance: InstanceId,
    ) -> Result<Kept, SecretError> {
        let row = row(instance);
        let text = keys.open(sealed, Place { organisation: org.0, row: &row })?;
        // It was authenticated, so nobody but this program wrote it.
        serde_json::from_str(text.expose()).map_err(|_| SecretError::NotSealed { row })
    }

    /// Seals it for an instance.
    pub(super) fn seal(
        &self,
        keys: &KeyRing,
        org: OrgId,
        instance: InstanceId,
        entropy: &dyn Entropy,
    ) -> String {
        let text = serde_json::to_string(self).expect("a map of texts is always JSON");
        let row = row(instance);
        keys.seal(&Secret::from(text), Place { organisation: org.0, row: &row }, entropy)
    }

    /// Adds changes; whether that makes a difference.
    pub(super) fn add(&mut self, changes: &[Change]) -> bool {
        let before = self.values.clone();
        self.values.extend(changes.iter().cloned());
        self.values != before
    }

    /// Lays these values over others.
    pub(super) fn over(&self, settings: &mut Settings) {
        for (key, value) in &self.values {
            match value {
                Some(value) => settings.set(key, value),
                None => settings.remove(key),
            }
        }
    }
}

fn row(instance: InstanceId) -> String {
    format!("connection/{instance}/tokens")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SeededEntropy;

    #[test]
    fn what_is_kept_opens_for_its_instance_alone_and_prints_no_value() {
        let keys = KeyRing::parse(&"07".repeat(32), "the test").unwrap();
        let mut kept = Kept { renewals: 2, ..Kept::default() };
        let changes = [("oauth.user.token".to_owned(), Some("canary".to_owned())), ("a".to_owned(), None)];
        assert!(kept.add(&changes) && !kept.add(&changes));
        let sealed = kept.seal(&keys, OrgId(1), InstanceId(2), &SeededEntropy::new(1));
        assert!(!format!("{sealed}{kept:?}").contains("canary"));
        assert_eq!(Kept::open(&sealed, &keys, OrgId(1), InstanceId(2)).unwrap(), kept);
        assert!(Kept::open(&sealed, &keys, OrgId(1), InstanceId(3)).is_err());
        assert!(Kept::open(&sealed, &keys, OrgId(2), InstanceId(2)).is_err());
        let mut settings = Settings::default();
        settings.set("a", "1");
        kept.over(&mut settings);
        assert_eq!((settings.get("a"), settings.get("oauth.user.token")), (None, Some("canary")));
    }
}
