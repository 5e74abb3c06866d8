//! Identities: typed, so that a poller's id cannot be taken for an instance's.
//!
//! Things that the field numbers (accounts, instances, …) are integers; ours (events, runs, notifications' wire ids)
//! are prefixed text on the wire and bytes inside. Derived ids come from [`crate::event`]; random ones are made from
//! entropy that the caller brings.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! numbers {
    ($(#[$doc:meta] $name:ident;)*) => {$(
        #[$doc]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

numbers! {
    /// An organisation: the tenant that every row belongs to.
    OrgId;
    /// A person or a program that acts for an organisation.
    UserId;
    /// A token of an organisation, told apart without telling it.
    TokenId;
    /// A connector; an `element` on the wire.
    ElementId;
    /// A date format that an organisation keeps for its configurations.
    DateFormatId;
    /// One entry of the audit.
    AuditId;
    /// A connector with one customer's settings.
    InstanceId;
    /// What the scheduler runs.
    PollerId;
    /// Where notifications go.
    EndpointId;
    /// The events that are sent to one endpoint in one request.
    NotificationId;
    /// A request of a provider that was taken in.
    InboundId;
    /// A polling monitor.
    MonitorId;
    /// One use of a monitor's deployed version.
    SubscriptionId;
}

/// Crockford's base 32 in lower case: no letter is mistaken for a digit, and ids sort as their bytes do.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

fn encode(bytes: [u8; 16]) -> [u8; 26] {
    let mut value = u128::from_be_bytes(bytes);
    let mut text = [b'0'; 26];
    for place in text.iter_mut().rev() {
        *place = ALPHABET[(value & 31) as usize];
        value >>= 5;
    }
    text
}

fn decode(text: &str) -> Option<[u8; 16]> {
    if text.len() != 26 || text.as_bytes()[0] > b'7' {
        return None;
    }
    let mut value: u128 = 0;
    for letter in text.bytes() {
        let digit = ALPHABET.iter().position(|known| *known == letter)?;
        value = (value << 5) | digit as u128;
    }
    Some(value.to_be_bytes())
}

/// A text that is not an id of the expected kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an id of the form `{prefix}…`")]
pub struct IdError {
    text: String,
    prefix: &'static str,
}

macro_rules! texts {
    ($(#[$doc:meta] $name:ident $prefix:literal;)*) => {$(
        #[$doc]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 16]);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($prefix)?;
                f.write_str(std::str::from_utf8(&encode(self.0)).expect("the alphabet is ASCII"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                text.strip_prefix($prefix)
                    .and_then(decode)
                    .map($name)
                    .ok_or_else(|| IdError { text: text.to_string(), prefix: $prefix })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

texts! {
    /// One recorded change, derived from what happened (design section 5).
    EventId "evt_";
    /// One sitting of a poller.
    RunId "run_";
    /// One HTTP try of a notification.
    AttemptId "att_";
}

impl RunId {
    /// A run's id: its start in microseconds first, so that runs sort by time, then chance.
    pub fn new(started: jiff::Timestamp, entropy: u64) -> RunId {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&started.as_microsecond().max(0).to_be_bytes());
        bytes[8..].copy_from_slice(&entropy.to_be_bytes());
        RunId(bytes)
    }
}

impl AttemptId {
    /// An attempt's id, made like a run's.
    pub fn new(started: jiff::Timestamp, entropy: u64) -> AttemptId {
        AttemptId(RunId::new(started, entropy).0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_survive_their_text() {
        for seed in [0u128, 1, 31, 32, u128::MAX, 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef] {
            let id = EventId(seed.to_be_bytes());
            assert_eq!(id.to_string().parse::<EventId>(), Ok(id));
            assert_eq!(id.to_string().len(), 30);
        }
    }

    #[test]
    fn foreign_texts_are_no_ids() {
        for text in [
            "",
            "evt_",
            "run_00000000000000000000000000",
            "evt_0000000000000000000000000u",
            "evt_z0000000000000000000000000",
        ] {
            assert!(text.parse::<EventId>().is_err(), "{text}");
        }
    }

    #[test]
    fn later_runs_sort_later() {
        let early = RunId::new(jiff::Timestamp::from_second(1_000).unwrap(), u64::MAX);
        let late = RunId::new(jiff::Timestamp::from_second(1_001).unwrap(), 0);
        assert!(early.to_string() < late.to_string());
    }
}
