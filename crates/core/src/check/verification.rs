//! How a provider's requests are told from others: the setting `event.webhook.verification`.
//!
//! Either a preset (`"github"`, `{"preset": "slack"}`), or declared: `signature`, `basic` or `token`, and a `challenge`
//! beside them. Secrets are no part of it: they are the instance's.

use serde_json::{Map, Value};

use crate::intake::{
    Algorithm, Challenge, Condition, Encoding, Piece, Place, Plain, SecretForm, SignatureForm, Signed,
    TimeUnit, TimestampSource, Token, Verification, presets,
};

use super::paging::is_header_name;
use super::section::{Findings, Section, shown};
use super::{CheckedVerification, nearest};

const KNOWN: [&str; 9] = [
    "preset",
    "signature",
    "timestamp",
    "signed",
    "secretEncoding",
    "deliveryId",
    "basic",
    "token",
    "challenge",
];

const ALGORITHMS: [(&str, Algorithm); 4] = [
    ("sha1", Algorithm::Sha1),
    ("sha256", Algorithm::Sha256),
    ("sha384", Algorithm::Sha384),
    ("sha512", Algorithm::Sha512),
];
const ENCODINGS: [(&str, Encoding); 3] =
    [("hex", Encoding::Hex), ("base64", Encoding::Base64), ("base64url", Encoding::Base64Url)];
const UNITS: [(&str, TimeUnit); 2] =
    [("seconds", TimeUnit::Seconds), ("milliseconds", TimeUnit::Milliseconds)];
const SECRETS: [(&str, SecretForm); 2] = [("text", SecretForm::Text), ("base64", SecretForm::Base64)];
const SIGNED_REMEDY: &str = "write what is signed, such as `{timestamp}.{body}`; known: {body}, {timestamp}, {url}, {method}, {header:NAME}";

/// Reads the setting. `path` names it in faults.
pub(super) fn read(path: &str, value: &Value) -> CheckedVerification {
    let mut findings = Findings::default();
    let found = match value {
        Value::String(name) => preset(path, name, &mut findings),
        Value::Object(members) => declared(path, members, &mut findings),
        other => {
            let problem = format!("{} is neither a preset nor a declaration", shown(other));
            findings.fault(path, problem, format!("write one of {}", presets::NAMES.join(", ")));
            None
        }
    };
    let (verification, challenge) = found.unwrap_or_default();
    let Findings { faults, repairs, warnings } = findings;
    CheckedVerification { verification, challenge, delivery_id: None, faults, repairs, warnings }
}

type Found = (Option<Verification>, Option<Challenge>);

fn preset(path: &str, name: &str, findings: &mut Findings) -> Option<Found> {
    let lower = name.trim().to_ascii_lowercase();
    if let Some(found) = presets::preset(&lower) {
        return Some((found.verification, found.challenge));
    }
    let remedy = match nearest::nearest(&lower, &presets::NAMES) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("write one of {}, or declare it in braces", presets::NAMES.join(", ")),
    };
    findings.fault(path, format!("`{name}` is no preset"), remedy);
    None
}

fn declared(path: &str, members: &Map<String, Value>, findings: &mut Findings) -> Option<Found> {
    let mut section = Section::new(path, members);
    let (mut verification, mut challenge) = (None, None);
    if let Some(name) = section.text("preset", findings) {
        (verification, challenge) = preset(&section.path_of("preset"), name, findings)?;
    }
    let kinds: Vec<&str> =
        ["signature", "basic", "token"].into_iter().filter(|kind| section.has(kind)).collect();
    if kinds.len() + usize::from(verification.is_some()) > 1 {
        let problem = "more than one way of verification is declared";
        findings.fault(path, problem, "keep one of `preset`, `signature`, `basic` and `token`");
    }
    match kinds.first() {
        Some(&"signature") => verification = signature(&mut section, findings).map(Verification::Signature),
        Some(&"token") => verification = token(&mut section, findings).map(Verification::Token),
        Some(&"basic") if section.flag("basic", findings) == Some(true) => {
            verification = Some(Verification::Basic);
        }
        _ => {}
    }
    if let Some(declared) = section.object("challenge", findings) {
        challenge = self::challenge(declared, findings);
    }
    if verification.is_none() && challenge.is_none() && findings.faults.is_empty() {
        findings.fault(
            path,
            "nothing is declared",
            "give `preset`, `signature`, `basic`, `token` or `challenge`",
        );
    }
    section.finish(&KNOWN, findings);
    Some((verification, challenge))
}

fn signature(section: &mut Section<'_>, findings: &mut Findings) -> Option<Signed> {
    let mut signature = section.object("signature", findings)?;
    let header = header_name(&mut signature, "header", findings);
    if header.is_none() && !signature.has("header") {
        findings.fault(signature.path(), "`header` is missing", "name the header that holds the signature");
    }
    let algorithm = signature.choice("algorithm", &ALGORITHMS, findings).unwrap_or(Algorithm::Sha256);
    let encoding = signature.choice("encoding", &ENCODINGS, findings).unwrap_or(Encoding::Hex);
    let prefix = signature.text("prefix", findings).unwrap_or_default().to_owned();
    let pair = signature.text("pair", findings).map(str::to_owned);
    let word = signature.text("wordPrefix", findings).map(str::to_owned);
    let form = match (pair, word, prefix.is_empty()) {
        (None, None, _) => SignatureForm::Plain { prefix },
        (Some(name), None, true) => SignatureForm::Pairs { name },
        (None, Some(prefix), true) => SignatureForm::Words { prefix },
        _ => {
            let problem = "more than one form of the signature is declared";
            findings.fault(signature.path(), problem, "keep one of `prefix`, `pair` and `wordPrefix`");
            return None;
        }
    };
    signature.finish(&["header", "algorithm", "encoding", "prefix", "pair", "wordPrefix"], findings);
    let timestamp = timestamp(section, &form, findings);
    let pieces = pieces(section, timestamp.is_some(), findings)?;
    let secret = section.choice("secretEncoding", &SECRETS, findings).unwrap_or(SecretForm::Text);
    let id_header = section.object("deliveryId", findings).and_then(|mut id| {
        let name = header_name(&mut id, "header", findings);
        id.finish(&["header"], findings);
        name
    });
    Some(Signed { algorithm, encoding, header: header?, form, timestamp, pieces, secret, id_header })
}

fn timestamp(
    section: &mut Section<'_>,
    form: &SignatureForm,
    findings: &mut Findings,
) -> Option<(TimestampSource, TimeUnit, std::time::Duration)> {
    let mut timestamp = section.object("timestamp", findings)?;
    let header = header_name(&mut timestamp, "header", findings);
    let pair = timestamp.text("pair", findings).map(str::to_owned);
    let unit = timestamp.choice("unit", &UNITS, findings).unwrap_or(TimeUnit::Seconds);
    let tolerance = timestamp.seconds("tolerance", findings).unwrap_or(presets::TOLERANCE);
    let source = match (header, pair) {
        (Some(name), None) => Some(TimestampSource::Header(name)),
        (None, Some(name)) if matches!(form, SignatureForm::Pairs { .. }) => {
            Some(TimestampSource::Pair(name))
        }
        _ => {
            let remedy = "name its `header`, or its `pair` where the signature is a pair as well";
            findings.fault(timestamp.path(), "it is not said where the time stands", remedy);
            None
        }
    };
    timestamp.finish(&["header", "pair", "unit", "tolerance"], findings);
    Some((source?, unit, tolerance))
}

/// Reads what is signed: text with places in braces.
fn pieces(section: &mut Section<'_>, has_time: bool, findings: &mut Findings) -> Option<Vec<Piece>> {
    let path = section.path_of("signed");
    let template = section.text("signed", findings).unwrap_or("{body}");
    let (mut pieces, mut rest) = (Vec::new(), template);
    while let Some(open) = rest.find('{') {
        let Some(length) = rest[open..].find('}') else {
            findings.fault(&path, format!("`{template}` has a `{{` without its `}}`"), SIGNED_REMEDY);
            return None;
        };
        if open > 0 {
            pieces.push(Piece::Text(rest[..open].to_owned()));
        }
        let name = &rest[open + 1..open + length];
        let piece = match (name, name.strip_prefix("header:")) {
            ("body", _) => Piece::Body,
            ("timestamp", _) => Piece::Timestamp,
            ("url", _) => Piece::Url,
            ("method", _) => Piece::Method,
            (_, Some(header)) if is_header_name(header) => Piece::Header(header.to_owned()),
            _ => {
                findings.fault(&path, format!("`{{{name}}}` is not known"), SIGNED_REMEDY);
                return None;
            }
        };
        pieces.push(piece);
        rest = &rest[open + length + 1..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    if !pieces.contains(&Piece::Body) {
        findings.fault(&path, "the body is not signed, so anybody could change it", SIGNED_REMEDY);
    }
    match (pieces.contains(&Piece::Timestamp), has_time) {
        (true, false) => {
            findings.fault(&path, "`timestamp` is signed and not declared", "declare `timestamp`")
        }
        (false, true) => {
            let problem = "the time is not signed, so an old request can be sent again with a new one";
            findings.warn(&path, problem, "sign it too, if the provider does");
        }
        _ => {}
    }
    Some(pieces)
}

fn token(section: &mut Section<'_>, findings: &mut Findings) -> Option<Token> {
    let mut token = section.object("token", findings)?;
    let header = header_name(&mut token, "header", findings);
    let prefix = token.text("prefix", findings).unwrap_or_default().to_owned();
    let parameter = token.text("parameter", findings).map(str::to_owned);
    let found = match (header, parameter) {
        (Some(name), None) => Some(Token::Header { name, prefix }),
        (None, Some(name)) => Some(Token::Parameter(name)),
        _ => {
            findings.fault(
                token.path(),
                "it is not said where the token stands",
                "name `header` or `parameter`",
            );
            None
        }
    };
    token.finish(&["header", "prefix", "parameter"], findings);
    found
}

fn header_name(section: &mut Section<'_>, key: &str, findings: &mut Findings) -> Option<String> {
    let name = section.text(key, findings)?.trim();
    if !is_header_name(name) {
        findings.fault(
            &section.path_of(key),
            format!("`{name}` is no name of a header"),
            "write its name alone",
        );
        return None;
    }
    Some(name.to_owned())
}

fn challenge(mut section: Section<'_>, findings: &mut Findings) -> Option<Challenge> {
    let when = section.object("when", findings).and_then(|mut when| {
        let place = place(&mut when, findings);
        let equals = when.text("equals", findings).map(str::to_owned);
        when.finish(&["parameter", "header", "field", "equals"], findings);
        Some(Condition { place: place?, equals })
    });
    if when.is_none() && !section.has("when") {
        findings.fault(section.path(), "`when` is missing", "say what makes a request a question");
    }
    let secret = section.object("secret", findings).and_then(|mut secret| {
        let found = place(&mut secret, findings);
        secret.finish(&["parameter", "header", "field"], findings);
        found
    });
    let answer = section.object("answer", findings).and_then(|mut answer| {
        let found = place(&mut answer, findings);
        answer.finish(&["parameter", "header", "field"], findings);
        found
    });
    if answer.is_none() && !section.has("answer") {
        findings.fault(section.path(), "`answer` is missing", "say which value is given back");
    }
    let form = form(&mut section, findings);
    section.finish(&["when", "secret", "answer", "member", "answerHeader", "signed"], findings);
    Some(Challenge { when: vec![when?], secret, answer: answer?, form: form? })
}

fn form(section: &mut Section<'_>, findings: &mut Findings) -> Option<Plain> {
    if let Some(mut signed) = section.object("signed", findings) {
        let value = signed.text("value", findings).unwrap_or_default().to_owned();
        let mac = signed.text("mac", findings).map(str::to_owned);
        if mac.is_none() {
            findings.fault(signed.path(), "`mac` is missing", "name the member for the signature");
        }
        let encoding = signed.choice("encoding", &ENCODINGS, findings).unwrap_or(Encoding::Hex);
        let prefix = signed.text("prefix", findings).unwrap_or_default().to_owned();
        signed.finish(&["value", "mac", "encoding", "prefix"], findings);
        return Some(Plain::Signed { value, mac: mac?, encoding, prefix });
    }
    if let Some(name) = section.text("member", findings) {
        return Some(Plain::Member(name.to_owned()));
    }
    if section.has("answerHeader") {
        return header_name(section, "answerHeader", findings).map(Plain::Header);
    }
    Some(Plain::Text)
}

fn place(section: &mut Section<'_>, findings: &mut Findings) -> Option<Place> {
    let parameter = section.text("parameter", findings).map(|name| Place::Parameter(name.to_owned()));
    let header = header_name(section, "header", findings).map(Place::Header);
    let names = |text: &str| Place::Field(text.split('.').map(str::to_owned).collect());
    let field = section.text("field", findings).map(names);
    let mut found: Vec<Place> = [parameter, header, field].into_iter().flatten().collect();
    if found.len() != 1 {
        findings.fault(
            section.path(),
            "it is not said where to look",
            "name `parameter`, `header` or `field`",
        );
        return None;
    }
    found.pop()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::intake::presets::preset;

    #[track_caller]
    fn read_soundly(value: &Value) -> CheckedVerification {
        let checked = read("v", value);
        assert!(checked.faults.is_empty(), "{:?}", checked.faults);
        checked
    }

    #[test]
    fn a_declaration_can_say_what_a_preset_says() {
        let slack = json!({
            "signature": {"header": "X-Slack-Signature", "prefix": "v0="},
            "timestamp": {"header": "X-Slack-Request-Timestamp", "tolerance": "5m"},
            "signed": "v0:{timestamp}:{body}",
            "challenge": {"when": {"field": "type", "equals": "url_verification"}, "answer": {"field": "challenge"}}
        });
        let stripe = json!({
            "signature": {"header": "Stripe-Signature", "pair": "v1"},
            "timestamp": {"pair": "t", "unit": "seconds"},
            "signed": "{timestamp}.{body}"
        });
        let standard = json!({
            "signature": {"header": "webhook-signature", "wordPrefix": "v1,", "encoding": "base64"},
            "timestamp": {"header": "webhook-timestamp"},
            "signed": "{header:webhook-id}.{timestamp}.{body}",
            "secretEncoding": "base64", "deliveryId": {"header": "webhook-id"}
        });
        for (name, declared) in [("slack", slack), ("stripe", stripe), ("standard-webhooks", standard)] {
            let (checked, wanted) = (read_soundly(&declared), preset(name).unwrap());
            assert_eq!(checked.verification, wanted.verification, "{name}");
            assert_eq!(checked.challenge, wanted.challenge, "{name}");
            assert_eq!(checked.warnings, [], "{name}");
            let named = read_soundly(&json!(name));
            assert_eq!((named.verification, named.challenge), (wanted.verification, wanted.challenge));
        }
    }

    #[test]
    fn a_preset_may_get_a_question_of_its_own() {
        let checked = read_soundly(&json!({"preset": "github", "challenge":
            {"when": {"parameter": "probe"}, "answer": {"parameter": "probe"}, "member": "probe"}}));
        assert!(checked.verification.is_some() && checked.challenge.is_some());
    }

    #[test]
    fn every_fault_is_named_with_its_place() {
        for (value, path, words) in [
            (json!("githup"), "v", "`githup` is no preset"),
            (json!(7), "v", "neither a preset nor a declaration"),
            (json!({}), "v", "nothing is declared"),
            (json!({"signature": {}}), "v.signature", "`header` is missing"),
            (json!({"signature": {"header": "a b"}}), "v.signature.header", "no name of a header"),
            (
                json!({"signature": {"header": "X", "algorithm": "md5"}}),
                "v.signature.algorithm",
                "not one of",
            ),
            (
                json!({"signature": {"header": "X", "pair": "a", "prefix": "b"}}),
                "v.signature",
                "more than one form",
            ),
            (json!({"signature": {"header": "X"}, "signed": "{body"}), "v.signed", "without its `}`"),
            (json!({"signature": {"header": "X"}, "signed": "{bodi}"}), "v.signed", "`{bodi}` is not known"),
            (json!({"signature": {"header": "X"}, "signed": "{url}"}), "v.signed", "the body is not signed"),
            (
                json!({"signature": {"header": "X"}, "signed": "{timestamp}{body}"}),
                "v.signed",
                "not declared",
            ),
            (
                json!({"signature": {"header": "X"}, "timestamp": {"pair": "t"}}),
                "v.timestamp",
                "where the time",
            ),
            (json!({"signature": {"header": "X"}, "basic": true}), "v", "more than one way"),
            (json!({"token": {}}), "v.token", "where the token stands"),
            (json!({"challenge": {"answer": {"field": "x"}}}), "v.challenge", "`when` is missing"),
            (json!({"challenge": {"when": {"field": "x"}}}), "v.challenge", "`answer` is missing"),
        ] {
            let checked = read("v", &value);
            let found =
                checked.faults.iter().any(|fault| fault.path == path && fault.problem.contains(words));
            assert!(found, "{value}: {:?}", checked.faults);
        }
    }

    #[test]
    fn a_time_that_is_not_signed_is_warned_about() {
        let checked = read_soundly(&json!({"signature": {"header": "X"}, "timestamp": {"header": "T"}}));
        assert!(checked.warnings[0].problem.contains("the time is not signed"), "{:?}", checked.warnings);
    }
}
