//! Judging whether a request is the provider's.
//!
//! A scheme is data: which header holds the signature and in which form, what exactly is signed, how old it may be. The
//! presets of well-known providers are values of it and have no code of their own. Signatures and tokens are compared
//! in constant time. Whoever is refused learns nothing but that; the [`Refusal`] is for the log.

use std::borrow::Cow;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::{DeliveryId, Inbound, delivery, form};
use crate::json_path::{JsonPath, Picker, elements};

/// Signatures that are tried in one request: enough for every key rotation, few enough to stay cheap.
const SIGNATURES_MAX: usize = 16;

/// A keyed hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC with SHA-1: weak as a hash, still sound here, and some providers have nothing else.
    Sha1,
    /// HMAC with SHA-256.
    Sha256,
    /// HMAC with SHA-384.
    Sha384,
    /// HMAC with SHA-512.
    Sha512,
}

/// How the bytes of a signature are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Hexadecimal digits, all of them in one letter case.
    Hex,
    /// Base64 with its padding, or without all of it.
    Base64,
    /// Base64 with `-` and `_`, padded or not.
    Base64Url,
}

/// How a header holds signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignatureForm {
    /// One signature after a prefix that may be empty: `sha256=…`.
    Plain {
        /// The prefix.
        prefix: String,
    },
    /// `name=value` pairs between commas or another sign; those of one name are signatures: `t=…,v1=…,v1=…`.
    Pairs {
        /// The name.
        name: String,
        /// What stands between pairs.
        separator: char,
    },
    /// Words between blanks; those with a prefix are signatures: `v1,… v1,…`.
    Words {
        /// The prefix.
        prefix: String,
    },
}

/// Where the time of a signature stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimestampSource {
    /// In a header of its own.
    Header(String),
    /// Among the pairs of the signature's header.
    Pair(String),
    /// In a field of the JSON body, which is signed as a whole. It is read when the signature is known to be right.
    Field(JsonPath),
}

/// What a time counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeUnit {
    /// Seconds since 1970.
    Seconds,
    /// Milliseconds since 1970.
    Milliseconds,
    /// It counts nothing: it is a date with its zone, as RFC 3339 writes it.
    Date,
}

/// A part of what is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// These characters.
    Text(String),
    /// The body, byte for byte.
    Body,
    /// The body's form fields: names and values without anything between them, in the order of the names.
    Form,
    /// The time, as it was written.
    Timestamp,
    /// The address that the provider was given.
    Url,
    /// The method.
    Method,
    /// A header's value.
    Header(String),
}

/// What the key of a signature is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretForm {
    /// The secret's characters.
    Text,
    /// What the secret says in base64, after `whsec_` if that stands before it.
    Base64,
}

/// A scheme of signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The keyed hash.
    pub algorithm: Algorithm,
    /// How signatures are written.
    pub encoding: Encoding,
    /// The header that holds them.
    pub header: String,
    /// And how.
    pub form: SignatureForm,
    /// Where the time stands, in which unit, and how far it may be from ours, in both directions.
    pub timestamp: Option<(TimestampSource, TimeUnit, Duration)>,
    /// What is signed, in this order.
    pub pieces: Vec<Piece>,
    /// What the key is made of.
    pub secret: SecretForm,
}

/// Where a static token stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// In a header, after a prefix that may be empty.
    Header {
        /// The header.
        name: String,
        /// The prefix.
        prefix: String,
    },
    /// In a query parameter.
    Parameter(String),
    /// In a field of the JSON body.
    Field {
        /// The list whose elements all have the field, and hold the token there; there must be one.
        each: Option<JsonPath>,
        /// The field.
        field: JsonPath,
    },
}

/// How a provider shows that a request is its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// By a signature.
    Signature(Signed),
    /// By a user name and a password: each secret is `name:password`.
    Basic,
    /// By a token that is always the same.
    Token(Token),
}

/// How requests of a provider are told from others, and how it names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// How it shows that a request is its own.
    pub way: Way,
    /// Where the name of a delivery stands, equal when it is sent again.
    pub delivery_id: Option<DeliveryId>,
}

/// A request that is the provider's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The name of the delivery, if it has one.
    pub id: Option<String>,
    /// When it was signed, if that is signed too.
    pub signed_at: Option<Timestamp>,
}

/// Why a request is not taken for the provider's. For the log: the sender is told nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Something that the scheme wants is not there.
    #[error("`{0}` is missing")]
    Missing(String),
    /// Something stands there twice.
    #[error("`{0}` stands there twice")]
    Doubled(String),
    /// Something is not written as the scheme wants it.
    #[error("`{0}` is not written as it is declared")]
    Malformed(String),
    /// It was signed too long ago, or lies ahead.
    #[error("it was signed {0} s from now")]
    Stale(i64),
    /// None of the secrets made it.
    #[error("the signature or secret is wrong")]
    Wrong,
    /// The instance has no secret to judge by.
    #[error("there is no secret to judge by")]
    NoSecret,
}

impl Verification {
    /// Judges a request by any of these secrets: there are two while one is being replaced.
    pub fn verify(
        &self,
        request: &Inbound<'_>,
        secrets: &[&str],
        now: Timestamp,
    ) -> Result<Verified, Refusal> {
        let secrets: Vec<&str> = secrets.iter().copied().filter(|secret| !secret.is_empty()).collect();
        if secrets.is_empty() {
            return Err(Refusal::NoSecret);
        }
        let signed_at = match &self.way {
            Way::Signature(signed) => signed.verify(request, &secrets, now)?,
            Way::Basic => {
                basic(request, &secrets)?;
                None
            }
            Way::Token(token) => {
                token.verify(request, &secrets)?;
                None
            }
        };
        let id = match &self.delivery_id {
            None => None,
            Some(id) => id.find(request)?,
        };
        Ok(Verified { id, signed_at })
    }
}

fn basic(request: &Inbound<'_>, secrets: &[&str]) -> Result<(), Refusal> {
    let name = "Authorization";
    let given = request.header(name)?.ok_or_else(|| Refusal::Missing(name.to_owned()))?;
    let malformed = || Refusal::Malformed(name.to_owned());
    let (kind, given) = given.split_once(' ').ok_or_else(malformed)?;
    if !kind.eq_ignore_ascii_case("basic") {
        return Err(malformed());
    }
    let given = STANDARD.decode(given.trim_start()).map_err(|_| malformed())?;
    same(&given, secrets)
}

/// Whether this is one of the secrets. Hashes are compared, so that the time tells nothing about the secret.
pub(super) fn same(given: &[u8], secrets: &[&str]) -> Result<(), Refusal> {
    let given = Sha256::digest(given);
    let mut is_same = false;
    for secret in secrets {
        let wanted = Sha256::digest(secret.as_bytes());
        is_same |= wanted.iter().zip(given.iter()).fold(0, |all, (a, b)| all | (a ^ b)) == 0;
    }
    if is_same { Ok(()) } else { Err(Refusal::Wrong) }
}

impl Token {
    fn verify(&self, request: &Inbound<'_>, secrets: &[&str]) -> Result<(), Refusal> {
        match self {
            Token::Header { name, prefix } => {
                let given = request.header(name)?.ok_or_else(|| Refusal::Missing(name.clone()))?;
                let given = given.strip_prefix(prefix.as_str());
                same(given.ok_or_else(|| Refusal::Malformed(name.clone()))?.as_bytes(), secrets)
            }
            Token::Parameter(name) => {
                let given = request.parameter(name)?.ok_or_else(|| Refusal::Missing(name.clone()))?;
                same(given.as_bytes(), secrets)
            }
            Token::Field { each, field } => {
                let malformed = || Refusal::Malformed("body".to_owned());
                let body = std::str::from_utf8(request.body).map_err(|_| malformed())?;
                let texts = match each {
                    None => vec![body],
                    Some(list) => {
                        let found = Picker::new([Some(list)]).pick(body).map_err(|_| malformed())?;
                        let list = found[0].ok_or_else(|| Refusal::Missing(list.to_string()))?;
                        elements(list).map_err(|_| malformed())?
                    }
                };
                if texts.is_empty() {
                    return Err(Refusal::Missing(field.to_string()));
                }
                texts.into_iter().try_for_each(|text| {
                    let given = delivery::field(text, field);
                    same(given.ok_or_else(|| Refusal::Missing(field.to_string()))?.as_bytes(), secrets)
                })
            }
        }
    }
}

impl Signed {
    /// When the request was signed, if that is known.
    fn verify(
        &self,
        request: &Inbound<'_>,
        secrets: &[&str],
        now: Timestamp,
    ) -> Result<Option<Timestamp>, Refusal> {
        let header = request.header(&self.header)?.ok_or_else(|| Refusal::Missing(self.header.clone()))?;
        let given = self.signatures(header)?;
        let text = match &self.timestamp {
            None => None,
            Some((source, ..)) => self.timestamp_text(source, header, request)?,
        };
        let mut signed_at = match (text, &self.timestamp) {
            (Some(text), Some((_, unit, tolerance))) => Some(judge_time(text, *unit, *tolerance, now)?),
            _ => None,
        };
        let pieces = self.pieces.iter().map(|piece| part(piece, request, text));
        let pieces: Vec<Cow<'_, [u8]>> = pieces.collect::<Result<_, _>>()?;
        let mut is_right = false;
        for secret in secrets {
            let Some(key) = key(self.secret, secret) else { continue };
            for signature in &given {
                is_right |= is_signature(self.algorithm, &key, &pieces, signature);
            }
        }
        if !is_right {
            return Err(Refusal::Wrong);
        }
        if let Some((TimestampSource::Field(path), unit, tolerance)) = &self.timestamp {
            let body =
                std::str::from_utf8(request.body).map_err(|_| Refusal::Malformed("body".to_owned()))?;
            let text = delivery::field(body, path).ok_or_else(|| Refusal::Missing(path.to_string()))?;
            signed_at = Some(judge_time(&text, *unit, *tolerance, now)?);
        }
        Ok(signed_at)
    }

    /// The bytes of the signatures in their header.
    fn signatures(&self, header: &str) -> Result<Vec<Vec<u8>>, Refusal> {
        let malformed = || Refusal::Malformed(self.header.clone());
        let texts: Vec<&str> = match &self.form {
            SignatureForm::Plain { prefix } => {
                vec![header.strip_prefix(prefix.as_str()).ok_or_else(malformed)?]
            }
            SignatureForm::Pairs { name, separator } => pairs(header, name, *separator).collect(),
            SignatureForm::Words { prefix } => {
                header.split(' ').filter_map(|word| word.strip_prefix(prefix.as_str())).collect()
            }
        };
        if texts.is_empty() || texts.len() > SIGNATURES_MAX {
            return Err(malformed());
        }
        let decoded: Vec<Vec<u8>> =
            texts.into_iter().filter_map(|text| decode(self.encoding, text)).collect();
        if decoded.is_empty() { Err(malformed()) } else { Ok(decoded) }
    }

    /// The time as it is written outside of the body; `None` where it stands in it.
    fn timestamp_text<'a>(
        &self,
        source: &TimestampSource,
        header: &'a str,
        request: &Inbound<'a>,
    ) -> Result<Option<&'a str>, Refusal> {
        let found = match source {
            TimestampSource::Header(name) => {
                request.header(name)?.ok_or_else(|| Refusal::Missing(name.clone()))?
            }
            TimestampSource::Pair(name) => {
                let SignatureForm::Pairs { separator, .. } = self.form else {
                    return Err(Refusal::Missing(name.clone()));
                };
                let mut all = pairs(header, name, separator);
                match (all.next(), all.next()) {
                    (None, _) => return Err(Refusal::Missing(name.clone())),
                    (_, Some(_)) => return Err(Refusal::Doubled(name.clone())),
                    (Some(text), None) => text,
                }
            }
            TimestampSource::Field(_) => return Ok(None),
        };
        Ok(Some(found))
    }
}

fn judge_time(text: &str, unit: TimeUnit, tolerance: Duration, now: Timestamp) -> Result<Timestamp, Refusal> {
    let malformed = || Refusal::Malformed("timestamp".to_owned());
    let number = || {
        let is_number =
            !text.is_empty() && text.len() <= 16 && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { text.parse::<i64>().map_err(|_| malformed()) } else { Err(malformed()) }
    };
    let at = match unit {
        TimeUnit::Seconds => Timestamp::from_second(number()?),
        TimeUnit::Milliseconds => Timestamp::from_millisecond(number()?),
        TimeUnit::Date => text.parse(),
    };
    let at = at.map_err(|_| malformed())?;
    let away = now.duration_since(at);
    if away.unsigned_abs() > tolerance {
        return Err(Refusal::Stale(away.as_secs()));
    }
    Ok(at)
}

/// The values of the pairs of this name.
fn pairs<'h>(header: &'h str, name: &str, separator: char) -> impl Iterator<Item = &'h str> {
    let pairs = header.split(separator).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(move |(known, _)| *known == name).map(|(_, value)| value)
}

fn part<'a>(
    piece: &'a Piece,
    request: &Inbound<'a>,
    time: Option<&'a str>,
) -> Result<Cow<'a, [u8]>, Refusal> {
    let text = match piece {
        Piece::Text(text) => text,
        Piece::Body => return Ok(Cow::Borrowed(request.body)),
        Piece::Form => return Ok(Cow::Owned(form::sorted(request.body))),
        Piece::Timestamp => time.ok_or_else(|| Refusal::Missing("timestamp".to_owned()))?,
        Piece::Url => request.url,
        Piece::Method => request.method,
        Piece::Header(name) => request.header(name)?.ok_or_else(|| Refusal::Missing(name.clone()))?,
    };
    Ok(Cow::Borrowed(text.as_bytes()))
}

/// The key that a secret means. An empty one is none: anybody could sign with it.
fn key(form: SecretForm, secret: &str) -> Option<Vec<u8>> {
    let key = match form {
        SecretForm::Text => Some(secret.as_bytes().to_vec()),
        SecretForm::Base64 => {
            let text = secret.strip_prefix("whsec_").unwrap_or(secret);
            STANDARD.decode(text).or_else(|_| STANDARD_NO_PAD.decode(text)).ok()
        }
    };
    key.filter(|key| !key.is_empty())
}

/// A signature's bytes. What could be written in two ways is refused in the other one, so that a text that was altered
/// is a signature no more.
fn decode(encoding: Encoding, text: &str) -> Option<Vec<u8>> {
    match encoding {
        Encoding::Hex => decode_hex(text),
        Encoding::Base64 => STANDARD.decode(text).or_else(|_| STANDARD_NO_PAD.decode(text)).ok(),
        Encoding::Base64Url => URL_SAFE.decode(text).or_else(|_| URL_SAFE_NO_PAD.decode(text)).ok(),
    }
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let is_mixed = text.bytes().any(|byte| byte.is_ascii_lowercase())
        && text.bytes().any(|byte| byte.is_ascii_uppercase());
    if is_mixed || !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = |pair: &[u8]| u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok();
    text.as_bytes().chunks_exact(2).map(byte).collect()
}

fn is_signature(algorithm: Algorithm, key: &[u8], pieces: &[Cow<'_, [u8]>], signature: &[u8]) -> bool {
    match algorithm {
        Algorithm::Sha1 => is_mac::<Hmac<Sha1>>(key, pieces, signature),
        Algorithm::Sha256 => is_mac::<Hmac<Sha256>>(key, pieces, signature),
        Algorithm::Sha384 => is_mac::<Hmac<Sha384>>(key, pieces, signature),
        Algorithm::Sha512 => is_mac::<Hmac<Sha512>>(key, pieces, signature),
    }
}

/// Of the whole length and in constant time.
fn is_mac<M: Mac + KeyInit>(key: &[u8], pieces: &[Cow<'_, [u8]>], signature: &[u8]) -> bool {
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(key) else { return false };
    for piece in pieces {
        mac.update(piece);
    }
    mac.verify_slice(signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::presets::{self, preset};

    const GITHUB: (&str, &str, &str) = (
        "It's a Secret to Everybody",
        "Hello, World!",
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
    );

    /// A request that its provider made, as tests change it.
    #[derive(Clone)]
    struct Sent {
        headers: Vec<(String, String)>,
        query: Vec<(String, String)>,
        body: Vec<u8>,
        secret: String,
        now: Timestamp,
    }

    impl Sent {
        fn judged(&self, verification: &Verification) -> Result<Verified, Refusal> {
            let request = Inbound {
                method: "POST",
                url: "https://x.test/events/1",
                query: &self.query,
                headers: &self.headers,
                body: &self.body,
            };
            verification.verify(&request, &[&self.secret], self.now)
        }

        fn header(&mut self, name: &str) -> &mut String {
            &mut self.headers.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)).unwrap().1
        }
    }

    fn sent(headers: &[(&str, &str)], body: &str, secret: &str, now: i64) -> Sent {
        let headers = headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let now = Timestamp::from_second(now).unwrap();
        Sent { headers, query: Vec::new(), body: body.as_bytes().to_vec(), secret: secret.into(), now }
    }

    fn verification(name: &str) -> Verification {
        preset(name).unwrap().verification.unwrap()
    }

    fn way(way: Way) -> Verification {
        Verification { way, delivery_id: None }
    }

    /// Requests whose signatures stand in the documentation of those who made the scheme.
    fn published() -> Vec<(&'static str, Sent)> {
        let slack_body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V\
            &channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=\
            &response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN\
            &trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
        let slack = [
            ("X-Slack-Signature", "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"),
            ("X-Slack-Request-Timestamp", "1531420618"),
        ];
        let standard = [
            ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
            ("webhook-timestamp", "1614265330"),
            ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        ];
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        vec![
            ("github", sent(&[("X-Hub-Signature-256", GITHUB.2)], GITHUB.1, GITHUB.0, 0)),
            ("slack", sent(&slack, slack_body, "8f742231b10e8888abcd99yyyzzz85a5", 1_531_420_618)),
            ("standard-webhooks", sent(&standard, r#"{"test": 2432232314}"#, secret, 1_614_265_330)),
        ]
    }

    #[test]
    fn published_signatures_are_accepted_and_every_altered_byte_is_refused() {
        let mut refused = 0;
        for (name, sent) in published() {
            let verification = verification(name);
            assert!(sent.judged(&verification).is_ok(), "{name}: {:?}", sent.judged(&verification));
            for at in 0..sent.body.len() {
                let mut altered = sent.clone();
                altered.body[at] ^= 1;
                assert_eq!(
                    altered.judged(&verification),
                    Err(Refusal::Wrong),
                    "{name}: byte {at} of the body"
                );
                refused += 1;
            }
            for header in 0..sent.headers.len() {
                for at in 0..sent.headers[header].1.len() {
                    for by in [1_u8, 0x20] {
                        let mut altered = sent.clone();
                        let mut bytes = altered.headers[header].1.clone().into_bytes();
                        bytes[at] ^= by;
                        altered.headers[header].1 = String::from_utf8_lossy(&bytes).into_owned();
                        let judged = altered.judged(&verification);
                        assert!(
                            judged.is_err(),
                            "{name}: {:?} became {:?}",
                            sent.headers[header],
                            altered.headers[header]
                        );
                        refused += 1;
                    }
                }
            }
        }
        assert!(refused > 800, "{refused}");
    }

    #[test]
    fn what_is_missing_doubled_or_of_another_key_is_refused() {
        for (name, sent) in published() {
            let verification = verification(name);
            let names: Vec<String> = sent.headers.iter().map(|(name, _)| name.clone()).collect();
            for (at, header) in names.iter().enumerate() {
                let mut missing = sent.clone();
                missing.headers.remove(at);
                assert_eq!(missing.judged(&verification), Err(Refusal::Missing(header.clone())), "{name}");
                let mut doubled = sent.clone();
                let copy = (header.to_ascii_lowercase(), doubled.headers[at].1.clone());
                doubled.headers.push(copy);
                assert_eq!(doubled.judged(&verification), Err(Refusal::Doubled(header.clone())), "{name}");
                let mut empty = sent.clone();
                empty.headers[at].1.clear();
                assert!(empty.judged(&verification).is_err(), "{name}: empty {header}");
            }
            for secret in ["wrong", "whsec_AAAA", "whsec_", "\u{e9}"] {
                let other = Sent { secret: secret.into(), ..sent.clone() };
                assert_eq!(other.judged(&verification), Err(Refusal::Wrong), "{name}");
            }
            let none = Sent { secret: String::new(), ..sent.clone() };
            assert_eq!(none.judged(&verification), Err(Refusal::NoSecret), "{name}");
        }
    }

    #[test]
    fn a_signature_has_its_time() {
        for (name, sent) in published().into_iter().skip(1) {
            let verification = verification(name);
            for (away, is_in_time) in [(-301, false), (-300, true), (0, true), (300, true), (301, false)] {
                let now = Timestamp::from_second(sent.now.as_second() + away).unwrap();
                let judged = Sent { now, ..sent.clone() }.judged(&verification);
                assert_eq!(judged.is_ok(), is_in_time, "{name} {away}: {judged:?}");
                assert!(is_in_time || judged == Err(Refusal::Stale(away)), "{judged:?}");
            }
            for text in ["", "x", "-1531420618", "1e9", "99999999999999999", "+1531420618", " 1531420618"] {
                let mut other = sent.clone();
                let header = if name == "slack" { "X-Slack-Request-Timestamp" } else { "webhook-timestamp" };
                *other.header(header) = text.to_owned();
                assert!(other.judged(&verification).is_err(), "{name}: `{text}`");
            }
        }
    }

    #[test]
    fn several_signatures_may_stand_in_one_header() {
        let standard = verification("standard-webhooks");
        let (_, sent) = published().pop().unwrap();
        let right = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        let with = |text: String| {
            let mut sent = sent.clone();
            *sent.header("webhook-signature") = text;
            sent.judged(&standard)
        };
        assert!(with(format!("v1,AAAA {right}")).is_ok());
        assert!(with(format!("v1a,AAAA {right} v2,AAAA")).is_ok());
        assert!(with(right.replace("v1,", "v2,")).is_err());
        assert!(with(vec![right; SIGNATURES_MAX + 1].join(" ")).is_err(), "too many to try");
        assert_eq!(with(right.to_owned()).unwrap().id.as_deref(), Some("msg_p5jXN8AQM9LWM0D4loKWxJek"));
    }

    #[test]
    fn old_and_new_secret_hold_while_one_is_replaced() {
        let github = verification("github");
        let headers = [("x-hub-signature-256".to_owned(), GITHUB.2.to_owned())];
        let request =
            Inbound { method: "POST", url: "", query: &[], headers: &headers, body: GITHUB.1.as_bytes() };
        let now = Timestamp::UNIX_EPOCH;
        assert!(github.verify(&request, &["new", GITHUB.0], now).is_ok());
        assert!(github.verify(&request, &["new", ""], now).is_err());
    }

    #[test]
    fn tokens_and_passwords_are_compared_whole() {
        let gitlab = verification("gitlab");
        let with = |verification: &Verification, name: &str, value: &str, secret: &str| {
            sent(&[(name, value)], "{}", secret, 0).judged(verification)
        };
        assert!(with(&gitlab, "X-Gitlab-Token", "t0ken", "t0ken").is_ok());
        for wrong in ["t0ke", "t0kenn", "T0ken", ""] {
            assert!(with(&gitlab, "X-Gitlab-Token", wrong, "t0ken").is_err(), "{wrong}");
        }
        let basic = STANDARD.encode("ann:pass:word");
        for (value, is_right) in [
            (format!("Basic {basic}"), true),
            (format!("basic {basic}"), true),
            (format!("Bearer {basic}"), false),
            (basic.clone(), false),
            (format!("Basic {}", STANDARD.encode("ann:pass")), false),
            ("Basic ***".to_owned(), false),
        ] {
            let judged = with(&way(Way::Basic), "Authorization", &value, "ann:pass:word");
            assert_eq!(judged.is_ok(), is_right, "{value}: {judged:?}");
        }
        let parameter = way(Way::Token(Token::Parameter("key".into())));
        let mut asked = sent(&[], "", "s", 0);
        assert_eq!(asked.judged(&parameter), Err(Refusal::Missing("key".into())));
        asked.query.push(("key".into(), "s".into()));
        assert!(asked.judged(&parameter).is_ok());
        asked.query.push(("key".into(), "s".into()));
        assert_eq!(asked.judged(&parameter), Err(Refusal::Doubled("key".into())));
    }

    #[test]
    fn every_preset_says_something() {
        for name in presets::NAMES {
            let found = preset(name).unwrap();
            assert!(found.verification.is_some() || found.challenge.is_some(), "{name}");
        }
        assert!(preset("Github").is_none() && preset("").is_none());
    }

    #[test]
    fn hexadecimal_digits_are_of_one_case() {
        assert_eq!(decode_hex("0aff"), Some(vec![10, 255]));
        assert_eq!(decode_hex("0AFF"), Some(vec![10, 255]));
        for text in ["0aFf", "0", "0g", "é1"] {
            assert_eq!(decode_hex(text), None, "{text}");
        }
    }
}
