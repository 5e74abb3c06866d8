//! What providers send to us: whether a request is theirs, and what to answer before anything is taken in.
//!
//! A provider signs, or shows a token or a password; how is declared (`check::verification`) and judged here over the
//! raw bytes, before anything is parsed (failure catalogue H03, H04). Some ask a question first, to see that the
//! address is ours; it is answered by a declared rule, never by echoing whatever came (H09).
//!
//! Not here: sockets, addresses and limits of requests (the binary), keeping what came and running event hooks
//! (the engine).

mod challenge;
mod delivery;
mod form;
pub mod presets;
mod request;
pub mod samples;
mod verification;

pub use challenge::{Challenge, ChallengeAnswer, Condition, Place, Plain};
pub use delivery::DeliveryId;
pub use request::{
    BodyError, BodyFormat, DeliveryKey, Hint, Quarantine, RawRequest, ReceivedEvent, Recognition, Reported,
    delivery_key, event_id, sort_reported,
};
pub use verification::{
    Algorithm, Encoding, Piece, Refusal, SecretForm, SignatureForm, Signed, TimeUnit, TimestampSource, Token,
    Verification, Verified, Way,
};

/// A request as it came in.
#[derive(Clone, Copy, Debug)]
pub struct Inbound<'a> {
    /// Its method.
    pub method: &'a str,
    /// The address that the sender was given, as it was made for him.
    pub url: &'a str,
    /// Its query parameters, decoded, in their order.
    pub query: &'a [(String, String)],
    /// Its headers in their order.
    pub headers: &'a [(String, String)],
    /// Its body, byte for byte.
    pub body: &'a [u8],
}

impl<'a> Inbound<'a> {
    /// The header of this name; refused when it stands there twice, because two readers would take different ones.
    fn header(&self, name: &str) -> Result<Option<&'a str>, Refusal> {
        let mut all = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        match (all.next(), all.next()) {
            (_, Some(_)) => Err(Refusal::Doubled(name.to_owned())),
            (found, None) => Ok(found.map(|(_, value)| value.as_str())),
        }
    }

    /// The query parameter of this name; refused when it stands there twice.
    fn parameter(&self, name: &str) -> Result<Option<&'a str>, Refusal> {
        let mut all = self.query.iter().filter(|(known, _)| known == name);
        match (all.next(), all.next()) {
            (_, Some(_)) => Err(Refusal::Doubled(name.to_owned())),
            (found, None) => Ok(found.map(|(_, value)| value.as_str())),
        }
    }
}
