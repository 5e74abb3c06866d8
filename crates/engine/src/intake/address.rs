//! Addresses: which instance a request is for.
//!
//! An address of ours ends in 256 random bits and is found by their hash. The field's address ends in the instance's
//! number in base64; that can be guessed, so it opens only for instances that tell their provider by something else, or
//! whose admin allows it (catalogue H17).

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::Value;
use sha2::{Digest, Sha256};
use turnstone_core::connector::Connector;
use turnstone_core::id::{InstanceId, OrgId};
use turnstone_core::instance::{Finder, Instance};
use turnstone_store::NewIntake;

use crate::clock::Entropy;
use crate::document::configuration_of;
use crate::secrets::{KeyRing, Place, Secret, SecretError};

/// Values of a configuration by which an instance may be found.
const MATCHES_MAX: usize = 64;

/// Characters of such a value: what identifies an account is short.
const MATCH_CHARS_MAX: usize = 256;

/// The last part of an address that was made for one instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// A new one.
    fn new(entropy: &dyn Entropy) -> Address {
        let mut bytes = [0; 32];
        for part in bytes.chunks_exact_mut(8) {
            part.copy_from_slice(&entropy.next_u64().to_be_bytes());
        }
        Address(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Opens a stored one.
    pub fn open(sealed: &str, keys: &KeyRing, org: OrgId) -> Result<Address, SecretError> {
        let secret = keys.open(sealed, place(org))?;
        Ok(Address(secret.expose().to_owned()))
    }
}

fn place(org: OrgId) -> Place<'static> {
    Place { organisation: org.0, row: "intake.address" }
}

/// A new address: its hash and its sealed text, for the store.
pub fn new_address(keys: &KeyRing, org: OrgId, entropy: &dyn Entropy) -> ([u8; 32], String) {
    let address = Address::new(entropy);
    let sealed = keys.seal(&Secret::from(address.as_str()), place(org), entropy);
    (address_hash(address.as_str()), sealed)
}

/// By what an address is found.
pub(super) fn address_hash(address: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"turnstone address 1");
    hash.update(address.as_bytes());
    hash.finalize().into()
}

/// The instance that the field's address names: its number in base64, with or without padding.
pub(super) fn encoded_id(text: &str) -> Option<InstanceId> {
    if text.len() > 32 {
        return None;
    }
    let engines = [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD];
    let bytes = engines.into_iter().find_map(|engine| engine.decode(text).ok())?;
    let digits =
        String::from_utf8(bytes).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    digits.parse().ok().filter(|id| *id > 0).map(InstanceId)
}

/// What the store keeps of an instance's intake; `None` where its provider sends nothing. An instance that has an
/// address keeps it.
pub fn new_intake(
    org: OrgId,
    instance: &Instance,
    connector: Option<&Connector>,
    open_document: &Value,
    keys: &KeyRing,
    entropy: &dyn Entropy,
) -> Option<NewIntake> {
    let webhook = instance.webhook.as_ref()?;
    let matches = webhook.finder.as_ref().map(|finder| matches(finder, instance, connector, open_document));
    Some(NewIntake { address: Some(new_address(keys, org, entropy)), matches: matches.unwrap_or_default() })
}

/// Hashes of the values by which an instance is found, and the one by which everybody who is found like this is found.
fn matches(
    finder: &Finder,
    instance: &Instance,
    connector: Option<&Connector>,
    open_document: &Value,
) -> Vec<[u8; 32]> {
    let settings = connector.map(|connector| connector.settings(&configuration_of(open_document)));
    let values = settings.iter().flat_map(|settings| {
        settings.iter().filter(|(key, value)| {
            let fits = !value.is_empty() && value.len() <= MATCH_CHARS_MAX;
            match &finder.key {
                Some(wanted) => key == wanted && fits,
                None => fits && !key.starts_with("event.") && !settings.is_secret(key),
            }
        })
    });
    let values: BTreeSet<&str> = values.map(|(_, value)| value).take(MATCHES_MAX).collect();
    let found = values.into_iter().map(|value| match_hash(&instance.element_key, value));
    found.chain([finders_hash(&instance.element_key)]).collect()
}

/// By what an instance is found that has this value.
pub(super) fn match_hash(element_key: &str, value: &str) -> [u8; 32] {
    hash_of(b"turnstone match 1", element_key, value)
}

/// By what all instances are found that are found by a value: they tell where it stands in a request.
pub(super) fn finders_hash(element_key: &str) -> [u8; 32] {
    hash_of(b"turnstone finders 1", element_key, "")
}

fn hash_of(what: &[u8], element_key: &str, value: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(what);
    hash.update((element_key.len() as u64).to_be_bytes());
    hash.update(element_key.as_bytes());
    hash.update(value.as_bytes());
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SeededEntropy;

    #[test]
    fn the_fields_address_is_a_number_in_base64() {
        for (text, id) in [("NDI=", Some(42)), ("NDI", Some(42)), ("MzQxOTg0", Some(341_984)), ("NDJ4", None)]
        {
            assert_eq!(encoded_id(text), id.map(InstanceId), "{text}");
        }
        for text in ["", "MA==", "LTE=", "!!", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5"] {
            assert_eq!(encoded_id(text), None, "{text}");
        }
    }

    #[test]
    fn an_address_is_found_by_its_hash_and_opens_for_its_organisation_alone() {
        let keys = KeyRing::parse(&"07".repeat(32), "the test").unwrap();
        let (hash, sealed) = new_address(&keys, OrgId(3), &SeededEntropy::new(1));
        let address = Address::open(&sealed, &keys, OrgId(3)).unwrap();
        assert_eq!((address_hash(address.as_str()), address.as_str().len()), (hash, 43));
        assert!(!sealed.contains(address.as_str()));
        assert!(Address::open(&sealed, &keys, OrgId(4)).is_err());
    }
}
