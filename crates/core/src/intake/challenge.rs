//! Questions that a provider asks before it sends: answered by a declared rule.
//!
//! What is given back is the value of one declared place, short and of harmless characters, as plain text or as the
//! one member of an object: an address of ours must not become a place where others put their pages (H09).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::verification::same;
use super::{Encoding, Inbound};

/// Characters of a value that is given back.
const ANSWER_CHARS_MAX: usize = 1_024;

/// Characters of a value that is signed.
const SIGNED_CHARS_MAX: usize = 256;

/// Where a value of a question stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a query parameter.
    Parameter(String),
    /// In a header.
    Header(String),
    /// In a member of the JSON body, by the names on the way to it.
    Field(Vec<String>),
}

impl Place {
    /// The value that stands here: a text, or a number as its text. `None` where there is none, where a header or a
    /// parameter stands twice, or where the body is no JSON.
    pub fn read(&self, request: &Inbound<'_>) -> Option<String> {
        let body = match self {
            Place::Field(_) => serde_json::from_slice(request.body).ok(),
            Place::Parameter(_) | Place::Header(_) => None,
        };
        value_at(self, request, body.as_ref())
    }
}

/// What makes a request a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Where to look.
    pub place: Place,
    /// What must stand there; anything, if it is not said.
    pub equals: Option<String>,
}

/// How the value is given back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plain {
    /// As the whole body.
    Text,
    /// As a member of an object.
    Member(String),
    /// As a header of an empty answer.
    Header(String),
    /// With its HMAC-SHA256 under the first secret, both as members of an object.
    Signed {
        /// The member for the value; left out when empty.
        value: String,
        /// The member for its HMAC.
        mac: String,
        /// How the HMAC is written.
        encoding: Encoding,
        /// What stands before it.
        prefix: String,
    },
}

/// A question and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// All of these make a request a question.
    pub when: Vec<Condition>,
    /// Where one of the secrets must stand, if the question proves itself by one.
    pub secret: Option<Place>,
    /// The value that is given back.
    pub answer: Place,
    /// And how.
    pub form: Plain,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChallengeAnswer {
    /// It is no question.
    NotAsked,
    /// It is one, and is answered with 200 and this.
    Answer {
        /// A header, for those who want it there.
        header: Option<(String, String)>,
        /// The type of the body.
        content_type: &'static str,
        /// The body.
        body: String,
    },
    /// It is one and is not answered: the secret is wrong, or the value is nothing to give back.
    Refused,
}

impl Challenge {
    /// Looks whether a request is the question, and answers it.
    pub fn answer(&self, request: &Inbound<'_>, secrets: &[&str]) -> ChallengeAnswer {
        let body: Option<Value> = match self.reads_body() {
            true => serde_json::from_slice(request.body).ok(),
            false => None,
        };
        let look = |place: &Place| value_at(place, request, body.as_ref());
        let is_asked = self.when.iter().all(|condition| {
            look(&condition.place)
                .is_some_and(|found| condition.equals.as_ref().is_none_or(|wanted| found == *wanted))
        });
        if !is_asked || self.when.is_empty() {
            return ChallengeAnswer::NotAsked;
        }
        if let Some(place) = &self.secret {
            let known: Vec<&str> = secrets.iter().copied().filter(|secret| !secret.is_empty()).collect();
            let is_known = look(place).is_some_and(|given| same(given.as_bytes(), &known).is_ok());
            if !is_known {
                return ChallengeAnswer::Refused;
            }
        }
        match look(&self.answer).filter(|value| is_harmless(value)) {
            Some(value) => self.written(value, secrets),
            None => ChallengeAnswer::Refused,
        }
    }

    fn reads_body(&self) -> bool {
        let places = self.when.iter().map(|condition| &condition.place);
        let mut places = places.chain(self.secret.as_ref()).chain([&self.answer]);
        places.any(|place| matches!(place, Place::Field(_)))
    }

    fn written(&self, value: String, secrets: &[&str]) -> ChallengeAnswer {
        let json = |object: Value| ChallengeAnswer::Answer {
            header: None,
            content_type: "application/json",
            body: object.to_string(),
        };
        match &self.form {
            Plain::Text => ChallengeAnswer::Answer {
                header: None,
                content_type: "text/plain; charset=utf-8",
                body: value,
            },
            Plain::Member(name) => json(json!({name: value})),
            Plain::Header(name) => ChallengeAnswer::Answer {
                header: Some((name.clone(), value)),
                content_type: "text/plain; charset=utf-8",
                body: String::new(),
            },
            Plain::Signed { value: value_name, mac: mac_name, encoding, prefix } => {
                let Some(secret) = secrets.iter().find(|secret| !secret.is_empty()) else {
                    return ChallengeAnswer::Refused;
                };
                if !is_only_a_token(&value) {
                    return ChallengeAnswer::Refused;
                }
                let mut object = serde_json::Map::new();
                if !value_name.is_empty() {
                    object.insert(value_name.clone(), Value::from(value.as_str()));
                }
                let mac = format!("{prefix}{}", mac_text(secret, &value, *encoding));
                object.insert(mac_name.clone(), Value::from(mac));
                json(Value::Object(object))
            }
        }
    }
}

fn value_at(place: &Place, request: &Inbound<'_>, body: Option<&Value>) -> Option<String> {
    match place {
        Place::Parameter(name) => request.parameter(name).ok().flatten().map(str::to_owned),
        Place::Header(name) => request.header(name).ok().flatten().map(str::to_owned),
        Place::Field(names) => {
            let found = names.iter().try_fold(body?, |value, name| value.get(name))?;
            match found {
                Value::String(text) => Some(text.clone()),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            }
        }
    }
}

/// Whether a value may stand in an answer of ours: no markup, no line break, nothing that a browser would take for more
/// than a word.
fn is_harmless(value: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~+/=:, {}\"[]@".contains(&byte);
    !value.is_empty() && value.len() <= ANSWER_CHARS_MAX && value.bytes().all(fits)
}

/// Whether a value can be nothing but a token, as base64 writes one. Anybody may ask, and the same secret signs the
/// provider's requests: whoever could have `v0:1700000000:{…}` signed here would have a request of the provider.
fn is_only_a_token(value: &str) -> bool {
    let letters = value.trim_end_matches('=');
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_+/".contains(&byte);
    value.len() <= SIGNED_CHARS_MAX
        && value.len() - letters.len() <= 2
        && !letters.is_empty()
        && letters.bytes().all(fits)
}

fn mac_text(secret: &str, value: &str, encoding: Encoding) -> String {
    let mut mac =
        <Hmac<Sha256> as KeyInit>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(value.as_bytes());
    let bytes = mac.finalize().into_bytes();
    match encoding {
        Encoding::Hex => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        Encoding::Base64 => STANDARD.encode(bytes),
        Encoding::Base64Url => base64::engine::general_purpose::URL_SAFE.encode(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slack() -> Challenge {
        Challenge {
            when: vec![Condition {
                place: Place::Field(vec!["type".into()]),
                equals: Some("url_verification".into()),
            }],
            secret: None,
            answer: Place::Field(vec!["challenge".into()]),
            form: Plain::Text,
        }
    }

    fn ask(challenge: &Challenge, query: &[(&str, &str)], body: &str, secrets: &[&str]) -> ChallengeAnswer {
        let query: Vec<(String, String)> =
            query.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let request = Inbound { method: "POST", url: "", query: &query, headers: &[], body: body.as_bytes() };
        challenge.answer(&request, secrets)
    }

    #[track_caller]
    fn body_of(answer: ChallengeAnswer) -> String {
        match answer {
            ChallengeAnswer::Answer { body, .. } => body,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_question_in_the_body_is_answered_with_its_value_alone() {
        let asked = ask(&slack(), &[], r#"{"type":"url_verification","challenge":"3eZbrw1a"}"#, &[]);
        assert_eq!(body_of(asked), "3eZbrw1a");
        for other in [r#"{"type":"event_callback","challenge":"x"}"#, "not json", "", "[]", r#"{"type":1}"#] {
            assert_eq!(ask(&slack(), &[], other, &[]), ChallengeAnswer::NotAsked, "{other}");
        }
    }

    #[test]
    fn nothing_that_a_browser_would_read_is_given_back() {
        for value in ["<script>alert(1)</script>", "a\\r\\nb", "", "x&y", "%3Cb", "caf\u{e9}"] {
            let body = format!(r#"{{"type":"url_verification","challenge":"{value}"}}"#);
            assert_eq!(ask(&slack(), &[], &body, &[]), ChallengeAnswer::Refused, "{value}");
        }
        let long = "a".repeat(ANSWER_CHARS_MAX + 1);
        let body = format!(r#"{{"type":"url_verification","challenge":"{long}"}}"#);
        assert_eq!(ask(&slack(), &[], &body, &[]), ChallengeAnswer::Refused);
        let body = r#"{"type":"url_verification","challenge":{"a":1}}"#;
        assert_eq!(ask(&slack(), &[], body, &[]), ChallengeAnswer::Refused);
    }

    #[test]
    fn a_question_that_must_prove_itself_does() {
        let hub = |name: &str| Place::Parameter(name.to_owned());
        let challenge = Challenge {
            when: vec![Condition { place: hub("hub.mode"), equals: Some("subscribe".into()) }],
            secret: Some(hub("hub.verify_token")),
            answer: hub("hub.challenge"),
            form: Plain::Text,
        };
        let ask = |token: &str| {
            let query =
                [("hub.mode", "subscribe"), ("hub.verify_token", token), ("hub.challenge", "1158201444")];
            ask(&challenge, &query, "", &["", "right"])
        };
        assert_eq!(body_of(ask("right")), "1158201444");
        assert_eq!(ask("wrong"), ChallengeAnswer::Refused);
        assert_eq!(ask(""), ChallengeAnswer::Refused);
    }

    #[test]
    fn a_value_is_signed_where_that_is_asked_for() {
        let challenge = Challenge {
            when: vec![Condition {
                place: Place::Field(vec!["event".into()]),
                equals: Some("endpoint.url_validation".into()),
            }],
            secret: None,
            answer: Place::Field(vec!["payload".into(), "plainToken".into()]),
            form: Plain::Signed {
                value: "plainToken".into(),
                mac: "encryptedToken".into(),
                encoding: Encoding::Hex,
                prefix: String::new(),
            },
        };
        let body = r#"{"event":"endpoint.url_validation","payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"}}"#;
        let answer = body_of(ask(&challenge, &[], body, &["key"]));
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["plainToken"], "qgg8vlvZRS6UYooatFL8Aw");
        assert_eq!(answer["encryptedToken"].as_str().map(str::len), Some(64));
        assert_eq!(ask(&challenge, &[], body, &[]), ChallengeAnswer::Refused);
        for forged in [
            r#"v0:1700000000:{\"event\":\"x\"}"#,
            r#"{\"event\":1}"#,
            "a=b",
            "a===",
            "=",
            "a.b",
            "a b",
            &"a".repeat(SIGNED_CHARS_MAX + 1),
        ] {
            let body =
                format!(r#"{{"event":"endpoint.url_validation","payload":{{"plainToken":"{forged}"}}}}"#);
            assert!(serde_json::from_str::<Value>(&body).is_ok(), "{body}");
            assert_eq!(ask(&challenge, &[], &body, &["key"]), ChallengeAnswer::Refused, "{forged}");
        }
    }
}
