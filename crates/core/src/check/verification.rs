//! How a provider's requests are told from others: the setting `event.webhook.verification`.
//!
//! Either a preset (`"github"`, `{"preset": "slack"}`), or declared: `signature`, `basic` or `token`; a `challenge` and
//! a `deliveryId` beside them or alone. Secrets are no part of it: they are the instance's.

use serde_json::{Map, Value};

use crate::intake::{
    Algorithm, Challenge, Condition, DeliveryId, Encoding, Piece, Place, Plain, SecretForm, SignatureForm,
    Signed, TimeUnit, TimestampSource, Token, Verification, Way, presets,
};
use crate::json_path::JsonPath;

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
const UNITS: [(&str, TimeUnit); 3] =
    [("seconds", TimeUnit::Seconds), ("milliseconds", TimeUnit::Milliseconds), ("date", TimeUnit::Date)];
const SECRETS: [(&str, SecretForm); 2] = [("text", SecretForm::Text), ("base64", SecretForm::Base64)];
const SIGNED_REMEDY: &str = "write what is signed, such as `{timestamp}.{body}`; known: {body}, {form}, {timestamp}, {url}, {method}, {header:NAME}";

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
    let Found { way, challenge, delivery_id } = found.unwrap_or_default();
    let verification = way.map(|way| Verification { way, delivery_id: delivery_id.clone() });
    let Findings { faults, repairs, warnings } = findings;
    CheckedVerification { verification, challenge, delivery_id, faults, repairs, warnings }
}

/// What is declared.
#[derive(Default)]
struct Found {
    way: Option<Way>,
    challenge: Option<Challenge>,
    delivery_id: Option<DeliveryId>,
}

fn preset(path: &str, name: &str, findings: &mut Findings) -> Option<Found> {
    let lower = name.trim().to_ascii_lowercase();
    if let Some(presets::Preset { verification, challenge }) = presets::preset(&lower) {
        let (way, delivery_id) = match verification {
            Some(Verification { way, delivery_id }) => (Some(way), delivery_id),
            None => (None, None),
        };
        return Some(Found { way, challenge, delivery_id });
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
    let mut found = Found::default();
    if let Some(name) = section.text("preset", findings) {
        found = preset(&section.path_of("preset"), name, findings)?;
    }
    let kinds: Vec<&str> =
        ["signature", "basic", "token"].into_iter().filter(|kind| section.has(kind)).collect();
    if kinds.len() + usize::from(found.way.is_some()) > 1 {
        let problem = "more than one way of verification is declared";
        findings.fault(path, problem, "keep one of `preset`, `signature`, `basic` and `token`");
    }
    if let Some(Way::Signature(signed)) = &mut found.way {
        tolerance(&mut section, signed, findings);
    }
    match kinds.first() {
        Some(&"signature") => found.way = signature(&mut section, findings).map(Way::Signature),
        Some(&"token") => found.way = token(&mut section, findings).map(Way::Token),
        Some(&"basic") if section.flag("basic", findings) == Some(true) => found.way = Some(Way::Basic),
        _ => {}
    }
    if !kinds.contains(&"signature") {
        without_signature(&section, &found, findings);
    }
    if let Some(declared) = section.object("challenge", findings) {
        found.challenge = challenge(declared, findings);
    }
    if let Some(declared) = section.object("deliveryId", findings) {
        found.delivery_id = delivery_id(declared, findings);
    }
    let is_nothing = found.way.is_none() && found.challenge.is_none() && found.delivery_id.is_none();
    if is_nothing && findings.faults.is_empty() {
        findings.fault(
            path,
            "nothing is declared",
            "give `preset`, `signature`, `basic`, `token`, `challenge` or `deliveryId`",
        );
    }
    section.finish(&KNOWN, findings);
    Some(found)
}

/// Beside a preset only the tolerance of its time can be set.
fn tolerance(section: &mut Section<'_>, signed: &mut Signed, findings: &mut Findings) {
    let Some((_, _, tolerance)) = &mut signed.timestamp else { return };
    let Some(mut timestamp) = section.object("timestamp", findings) else { return };
    if let Some(declared) = timestamp.seconds("tolerance", findings) {
        *tolerance = declared;
    }
    for (name, _) in timestamp.rest() {
        let problem = format!("`{name}` is said by the preset");
        let remedy = "keep `tolerance` alone, or declare `signature` in full instead of the preset";
        findings.fault(&timestamp.path_of(name), problem, remedy);
    }
}

/// What belongs to a signature is a fault where none is declared: nobody may believe that it is looked at.
fn without_signature(section: &Section<'_>, found: &Found, findings: &mut Findings) {
    let has_time = matches!(&found.way, Some(Way::Signature(signed)) if signed.timestamp.is_some());
    for name in ["timestamp", "signed", "secretEncoding"] {
        if section.has(name) && !(name == "timestamp" && has_time) {
            let problem = format!("`{name}` stands without a `signature`, so it would change nothing");
            findings.fault(&section.path_of(name), problem, "declare `signature` beside it, or remove it");
        }
    }
}

fn signature(section: &mut Section<'_>, findings: &mut Findings) -> Option<Signed> {
    let mut signature = section.object("signature", findings)?;
    let header = header_name(&mut signature, "header", findings);
    if header.is_none() && !signature.has("header") {
        findings.fault(signature.path(), "`header` is missing", "name the header that holds the signature");
    }
    let algorithm = signature.choice("algorithm", &ALGORITHMS, findings).unwrap_or(Algorithm::Sha256);
    let encoding = signature.choice("encoding", &ENCODINGS, findings).unwrap_or(Encoding::Hex);
    let form = signature_form(&mut signature, findings)?;
    signature
        .finish(&["header", "algorithm", "encoding", "prefix", "pair", "separator", "wordPrefix"], findings);
    let timestamp = timestamp(section, &form, findings);
    let pieces = pieces(section, timestamp.as_ref().map(|(source, ..)| source), findings)?;
    let secret = section.choice("secretEncoding", &SECRETS, findings).unwrap_or(SecretForm::Text);
    Some(Signed { algorithm, encoding, header: header?, form, timestamp, pieces, secret })
}

fn signature_form(signature: &mut Section<'_>, findings: &mut Findings) -> Option<SignatureForm> {
    let prefix = signature.text("prefix", findings).unwrap_or_default().to_owned();
    let pair = signature.text("pair", findings).map(str::to_owned);
    let word = signature.text("wordPrefix", findings).map(str::to_owned);
    let separator = signature.text("separator", findings).map(|text| text.chars().collect::<Vec<_>>());
    let separator = match separator.as_deref() {
        None => ',',
        Some(_) if pair.is_none() => {
            let problem = "`separator` stands without a `pair`";
            findings.fault(signature.path(), problem, "name the `pair` that holds the signature");
            return None;
        }
        Some([sign]) if sign.is_ascii_punctuation() && *sign != '=' => *sign,
        Some(_) => {
            let problem = "it is not one sign that can stand between pairs";
            findings.fault(&signature.path_of("separator"), problem, "write one, such as `,` or `;`");
            return None;
        }
    };
    match (pair, word, prefix.is_empty()) {
        (None, None, _) => Some(SignatureForm::Plain { prefix }),
        (Some(name), None, true) => Some(SignatureForm::Pairs { name, separator }),
        (None, Some(prefix), true) => Some(SignatureForm::Words { prefix }),
        _ => {
            let problem = "more than one form of the signature is declared";
            findings.fault(signature.path(), problem, "keep one of `prefix`, `pair` and `wordPrefix`");
            None
        }
    }
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
    let field = timestamp.field("field", findings);
    let source = match (header, pair, field) {
        (Some(name), None, None) => Some(TimestampSource::Header(name)),
        (None, Some(name), None) if matches!(form, SignatureForm::Pairs { .. }) => {
            Some(TimestampSource::Pair(name))
        }
        (None, None, Some(path)) => Some(TimestampSource::Field(path)),
        _ => {
            let remedy = "name its `header`, its `field` in the body, or its `pair` where the signature is a \
                          pair as well";
            findings.fault(timestamp.path(), "it is not said where the time stands", remedy);
            None
        }
    };
    timestamp.finish(&["header", "pair", "field", "unit", "tolerance"], findings);
    Some((source?, unit, tolerance))
}

/// Reads what is signed: text with places in braces.
fn pieces(
    section: &mut Section<'_>,
    time: Option<&TimestampSource>,
    findings: &mut Findings,
) -> Option<Vec<Piece>> {
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
            ("form", _) => Piece::Form,
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
    whole(&path, &pieces, time, findings);
    Some(pieces)
}

/// Says what is not protected by the pieces that are signed.
fn whole(path: &str, pieces: &[Piece], time: Option<&TimestampSource>, findings: &mut Findings) {
    let has_body = pieces.contains(&Piece::Body);
    if !has_body && !pieces.contains(&Piece::Form) {
        findings.fault(path, "the body is not signed, so anybody could change it", SIGNED_REMEDY);
    }
    let is_in_body = matches!(time, Some(TimestampSource::Field(_)));
    match (pieces.contains(&Piece::Timestamp), time.is_some()) {
        (true, false) => {
            findings.fault(path, "`timestamp` is signed and not declared", "declare `timestamp`")
        }
        (true, true) if is_in_body => {
            let problem = "the time stands in the body, so it is signed with it and not once more";
            findings.fault(path, problem, "leave `{timestamp}` out");
        }
        (false, true) if is_in_body && !has_body => {
            let problem = "the time stands in a JSON body, and the fields of a form are signed";
            findings.fault(path, problem, "sign `{body}`");
        }
        (false, true) if !is_in_body => {
            let problem = "the time is not signed, so an old request can be sent again with a new one";
            findings.warn(path, problem, "sign it too, if the provider does");
        }
        _ => {}
    }
}

fn token(section: &mut Section<'_>, findings: &mut Findings) -> Option<Token> {
    let mut token = section.object("token", findings)?;
    let header = header_name(&mut token, "header", findings);
    let prefix = token.text("prefix", findings).unwrap_or_default().to_owned();
    let parameter = token.text("parameter", findings).map(str::to_owned);
    let field = token.field("field", findings);
    let each = token.field("each", findings);
    let has_prefix = !prefix.is_empty();
    let found = match (header, parameter, field) {
        (Some(name), None, None) => Some(Token::Header { name, prefix }),
        (None, Some(name), None) => Some(Token::Parameter(name)),
        (None, None, Some(field)) => Some(Token::Field { each: each.clone(), field }),
        _ => {
            findings.fault(
                token.path(),
                "it is not said where the token stands",
                "name `header`, `parameter` or `field`",
            );
            None
        }
    };
    if each.is_some() && !matches!(found, Some(Token::Field { .. })) {
        findings.fault(token.path(), "`each` stands without a `field`", "name the `field` of its elements");
    }
    if has_prefix && !matches!(found, Some(Token::Header { .. })) {
        findings.fault(token.path(), "`prefix` stands without a `header`", "name the `header`, or remove it");
    }
    token.finish(&["header", "prefix", "parameter", "field", "each"], findings);
    found
}

fn delivery_id(mut section: Section<'_>, findings: &mut Findings) -> Option<DeliveryId> {
    let header = header_name(&mut section, "header", findings).map(DeliveryId::Header);
    let parameter = section.text("parameter", findings).map(|name| DeliveryId::Parameter(name.to_owned()));
    let field: Option<JsonPath> = section.field("field", findings);
    let mut found: Vec<DeliveryId> =
        [header, parameter, field.map(DeliveryId::Field)].into_iter().flatten().collect();
    let names_one = ["header", "parameter", "field"].into_iter().filter(|name| section.has(name)).count();
    if found.len() != 1 && (names_one != 1 || findings.faults.is_empty()) {
        findings.fault(
            section.path(),
            "it is not said where the name of a delivery stands",
            "name one of `header`, `field` and `parameter`",
        );
    }
    section.finish(&["header", "parameter", "field"], findings);
    if found.len() == 1 { found.pop() } else { None }
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
            "signed": "v0:{timestamp}:{body}", "deliveryId": {"field": "event_id"},
            "challenge": {"when": {"field": "type", "equals": "url_verification"}, "answer": {"field": "challenge"}}
        });
        let stripe = json!({
            "signature": {"header": "Stripe-Signature", "pair": "v1"},
            "timestamp": {"pair": "t", "unit": "seconds"},
            "signed": "{timestamp}.{body}", "deliveryId": {"field": "id"}
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
            assert_eq!(named.delivery_id, wanted.verification.as_ref().unwrap().delivery_id, "{name}");
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
    fn a_delivery_is_named_beside_any_way_and_alone() {
        let field = || Some(DeliveryId::Field(JsonPath::parse("event.id").unwrap()));
        for beside in [
            json!({"basic": true}),
            json!({"token": {"parameter": "key"}}),
            json!({"signature": {"header": "X"}}),
            json!({"preset": "github"}),
        ] {
            let mut declared = beside;
            declared["deliveryId"] = json!({"field": "event.id"});
            let checked = read_soundly(&declared);
            assert_eq!(checked.delivery_id, field(), "{declared}");
            assert_eq!(checked.verification.unwrap().delivery_id, field(), "{declared}");
        }
        let alone = read_soundly(&json!({"deliveryId": {"parameter": "d"}}));
        assert_eq!((alone.verification, alone.delivery_id), (None, Some(DeliveryId::Parameter("d".into()))));
        let header = read_soundly(&json!({"basic": true, "deliveryId": {"header": "X-Id"}}));
        assert_eq!(header.delivery_id, Some(DeliveryId::Header("X-Id".into())));
    }

    #[test]
    fn the_tolerance_of_a_preset_can_be_set_and_nothing_else_of_it() {
        let checked = read_soundly(&json!({"preset": "stripe", "timestamp": {"tolerance": "10m"}}));
        let Way::Signature(signed) = checked.verification.unwrap().way else { panic!("stripe signs") };
        let tolerance = signed.timestamp.unwrap().2;
        assert_eq!(tolerance.as_secs(), 600);
        assert_eq!(checked.warnings, []);
    }

    #[test]
    fn what_a_time_in_the_body_needs_is_said() {
        let timed = |signed: &str| {
            read("v", &json!({"signature": {"header": "X"}, "timestamp": {"field": "at"}, "signed": signed}))
        };
        let sound = timed("{body}");
        assert_eq!((sound.faults, sound.warnings), (vec![], vec![]));
        assert!(timed("{timestamp}{body}").faults[0].problem.contains("stands in the body"));
        assert!(timed("{form}").faults[0].problem.contains("fields of a form"));
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
            (json!({"token": {"header": "X", "field": "a"}}), "v.token", "where the token stands"),
            (json!({"token": {"header": "X", "each": "a"}}), "v.token", "`each` stands without a `field`"),
            (json!({"token": {"field": "a..b"}}), "v.token.field", "is not a field path"),
            (json!({"token": {"parameter": "a", "prefix": "b"}}), "v.token", "`prefix` stands without"),
            (json!({"deliveryId": {}}), "v.deliveryId", "where the name of a delivery"),
            (
                json!({"deliveryId": {"field": "a", "header": "b"}}),
                "v.deliveryId",
                "where the name of a delivery",
            ),
            (json!({"deliveryId": {"field": "a."}}), "v.deliveryId.field", "is not a field path"),
            (json!({"deliveryId": {"header": "a b"}}), "v.deliveryId.header", "no name of a header"),
            (json!({"deliveryId": "x"}), "v.deliveryId", "is not an object"),
            (
                json!({"signature": {"header": "X", "separator": ";"}}),
                "v.signature",
                "`separator` stands without a `pair`",
            ),
            (
                json!({"signature": {"header": "X", "pair": "a", "separator": "=="}}),
                "v.signature.separator",
                "not one sign",
            ),
            (json!({"preset": "github", "timestamp": {}}), "v.timestamp", "without a `signature`"),
            (json!({"preset": "slack", "signed": "{body}"}), "v.signed", "without a `signature`"),
            (json!({"basic": true, "secretEncoding": "base64"}), "v.secretEncoding", "without a `signature`"),
            (
                json!({"preset": "slack", "timestamp": {"header": "X"}}),
                "v.timestamp.header",
                "said by the preset",
            ),
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
