//! Headers and receivers: whatever the product sends besides its own must not break a request or forge ours.

use serde_json::{Map, Value};

use crate::instance::{Basic, Callback, SecretRef};

use super::Fault;
use super::paging::is_header_name;
use super::section::{Findings, Section, member_path, shown};

/// Headers that decide how a request is understood: the HTTP client writes them.
const TRANSPORT: [&str; 9] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "upgrade",
    "te",
    "trailer",
    "expect",
];

/// Headers of a notification, beside those that begin with `elements-`.
const NOTIFICATION: [&str; 4] = ["content-type", "content-encoding", "signature", "x-signature"];

/// Who gets the headers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Towards {
    Provider,
    Callback,
}

/// Members of a callback that stands by itself, and what they are called in a configuration.
const MEMBERS: [(&str, &str); 5] = [
    ("url", "event.notification.callback.url"),
    ("headers", "event.notification.callback.headers"),
    ("username", "event.notification.basic.username"),
    ("password", "event.notification.basic.password"),
    ("signatureKey", "event.notification.signature.key"),
];

/// Reads a callback that stands by itself, such as a subscription's own: `url`, `headers`, `username`, `password` and
/// `signatureKey`, under the rules of an instance's. Every fault at once, with places that begin with `callback`.
pub fn check_callback(value: &Value) -> Result<Callback, Vec<Fault>> {
    let mut findings = Findings::default();
    let Value::Object(given) = value else {
        findings.fault("callback", format!("{} is not an object", shown(value)), "write `{\"url\": …}`");
        return Err(findings.faults);
    };
    let mut members = Map::new();
    for (name, value) in given {
        match MEMBERS.iter().find(|(short, _)| short == name) {
            Some((_, long)) => drop(members.insert((*long).to_string(), value.clone())),
            None => {
                let known: Vec<&str> = MEMBERS.iter().map(|(short, _)| *short).collect();
                let remedy = format!("remove it; there are {}", known.join(", "));
                findings.fault(&member_path("callback", name), "a callback has no such member", remedy);
            }
        }
    }
    let before = findings.faults.len();
    let callback = read(&mut Section::new("callback", &members), &mut findings);
    if callback.is_none() && findings.faults.len() == before {
        findings.fault(
            "callback.url",
            "it is not given",
            "give the address, such as `https://app.example.com/events`",
        );
    }
    match callback {
        Some(callback) if findings.faults.is_empty() => Ok(callback),
        Some(_) | None => Err(findings.faults.into_iter().map(by_itself).collect()),
    }
}

/// A fault in the words of a callback that stands by itself.
fn by_itself(fault: Fault) -> Fault {
    let short = |mut text: String| {
        for (short, long) in MEMBERS {
            text = text.replace(&format!(".{long:?}"), &format!(".{short}")).replace(long, short);
        }
        text
    };
    Fault { path: short(fault.path), problem: short(fault.problem), remedy: short(fault.remedy) }
}

/// Reads where events are sent.
pub(super) fn read(section: &mut Section<'_>, findings: &mut Findings) -> Option<Callback> {
    const URL: &str = "event.notification.callback.url";
    const KEYS: [&str; 4] = [
        "event.notification.callback.headers",
        "event.notification.basic.username",
        "event.notification.basic.password",
        "event.notification.signature.key",
    ];
    let given: Vec<&str> = KEYS.into_iter().filter(|key| section.has(key)).collect();
    let headers = headers(section, KEYS[0], Towards::Callback, findings);
    let basic = basic(section, KEYS[1], KEYS[2], findings);
    let signature_key = secret(section, KEYS[3], findings);
    let faults = findings.faults.len();
    let Some(text) = section.text(URL, findings).map(str::trim) else {
        if !given.is_empty() && findings.faults.len() == faults {
            let problem = format!("{} without `{URL}` has no effect", given.join(", "));
            findings.warn(section.path(), problem, format!("give `{URL}`"));
        }
        return None;
    };
    let remedy = "write an address such as `https://app.example.com/events`";
    let path = section.path_of(URL);
    match url::Url::parse(text) {
        Ok(url) if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() => {
            findings.fault(&path, format!("`{text}` is neither http nor https"), remedy);
            None
        }
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            let remedy = "use `event.notification.basic.username` and `.password`: addresses are logged";
            findings.fault(&path, "the address holds credentials", remedy);
            None
        }
        Ok(_) if text.chars().any(char::is_control) => {
            findings.fault(&path, "the address holds a line break", remedy);
            None
        }
        Ok(url) => {
            let local = url.host_str().is_some_and(|host| host == "localhost" || host.starts_with("127."));
            if url.scheme() == "http" && !local {
                findings.warn(&path, "events travel unencrypted", "use an `https` address");
            }
            Some(Callback { url: url.into(), headers, basic, signature_key })
        }
        Err(error) => {
            findings.fault(&path, format!("`{text}` is not an address ({error})"), remedy);
            None
        }
    }
}

/// A user name and a password, both or neither.
pub(super) fn basic(
    section: &mut Section<'_>,
    username_key: &str,
    password_key: &str,
    findings: &mut Findings,
) -> Option<Basic> {
    let faults = findings.faults.len();
    let (username, password) =
        (secret(section, username_key, findings), secret(section, password_key, findings));
    match (username, password) {
        (Some(username), Some(password)) => {
            if let SecretRef::Literal(text) = &username
                && text.expose_secret().contains(':')
            {
                let problem = "a user name with a colon cannot be sent by basic authentication";
                findings.fault(&section.path_of(username_key), problem, "use another user");
            }
            Some(Basic { username, password })
        }
        (None, None) => None,
        (username, _) => {
            if findings.faults.len() == faults {
                let (there, missing) = if username.is_some() {
                    (username_key, password_key)
                } else {
                    (password_key, username_key)
                };
                findings.fault(
                    section.path(),
                    format!("`{there}` has no `{missing}`"),
                    format!("give `{missing}`"),
                );
            }
            None
        }
    }
}

/// A secret or where to find it.
pub(super) fn secret(section: &mut Section<'_>, key: &str, findings: &mut Findings) -> Option<SecretRef> {
    let text = section.text(key, findings)?;
    let found = SecretRef::parse(text);
    if found.is_none() {
        findings.fault(&section.path_of(key), "a secret is referred to without a name", SECRET_REMEDY);
    }
    found
}

const SECRET_REMEDY: &str = "write `env:NAME` or `file:PATH`";

/// Reads headers: an object, or text with one `Name: value` per line or between semicolons.
pub(super) fn headers(
    section: &mut Section<'_>,
    key: &str,
    towards: Towards,
    findings: &mut Findings,
) -> Vec<(String, SecretRef)> {
    let path = section.path_of(key);
    let pairs = match section.get(key, findings) {
        None => return Vec::new(),
        Some(Value::Object(members)) => object_pairs(&path, members, findings),
        Some(Value::String(text)) if text.trim().is_empty() => return Vec::new(),
        Some(Value::String(text)) if towards == Towards::Callback => text_pairs(&path, text, findings),
        Some(other) => {
            let remedy = "write an object such as {\"X-Tenant\": \"7\"}";
            let shown = if other.is_string() { "a text".to_string() } else { shown(other) };
            findings.fault(&path, format!("{shown} is not an object of headers"), remedy);
            return Vec::new();
        }
    };
    let mut headers: Vec<(String, SecretRef)> = Vec::new();
    for (name, value) in pairs {
        if headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(&name)) {
            findings.fault(&path, format!("the header `{name}` is given twice"), "keep one of them");
        } else if let Some(value) = header(&path, &name, &value, towards, findings) {
            headers.push((name, value));
        }
    }
    headers
}

fn object_pairs(path: &str, members: &Map<String, Value>, findings: &mut Findings) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for (name, value) in members {
        match value {
            Value::String(text) => pairs.push((name.clone(), text.clone())),
            Value::Number(_) | Value::Bool(_) => pairs.push((name.clone(), value.to_string())),
            Value::Null | Value::Array(_) | Value::Object(_) => {
                let problem = format!("the header `{name}` has no text");
                findings.fault(path, problem, "write its value in quotes");
            }
        }
    }
    pairs
}

fn text_pairs(path: &str, text: &str, findings: &mut Findings) -> Vec<(String, String)> {
    let separator = if text.trim().contains('\n') { '\n' } else { ';' };
    let mut pairs: Vec<(String, String)> = Vec::new();
    for piece in text.split(separator).map(str::trim).filter(|piece| !piece.is_empty()) {
        match piece.split_once(':').filter(|(name, _)| is_header_name(name.trim())) {
            Some((name, value)) => pairs.push((name.trim().to_string(), value.trim().to_string())),
            None => {
                // The text itself may be a secret and is not shown.
                let problem = format!("header {} is not of the form `Name: value`", pairs.len() + 1);
                let remedy = "write one `Name: value` per line, or an object when a value holds a semicolon";
                findings.fault(path, problem, remedy);
            }
        }
    }
    pairs
}

/// Judges one header.
fn header(
    path: &str,
    name: &str,
    value: &str,
    towards: Towards,
    findings: &mut Findings,
) -> Option<SecretRef> {
    if !is_header_name(name) {
        findings.fault(
            path,
            format!("{name:?} cannot be the name of a header"),
            "use letters, digits and hyphens",
        );
        return None;
    }
    let lower = name.to_ascii_lowercase();
    let ours = towards == Towards::Callback
        && (NOTIFICATION.contains(&lower.as_str()) || lower.starts_with("elements-"));
    if ours || TRANSPORT.contains(&lower.as_str()) {
        let problem = format!("the header `{name}` is written by the product and cannot be overridden");
        findings.fault(path, problem, "remove it");
        return None;
    }
    if value.chars().any(|letter| letter.is_control() && letter != '\t') {
        findings.fault(path, format!("the value of `{name}` holds a line break"), "write it on one line");
        return None;
    }
    if !value.is_ascii() {
        let problem = format!("the value of `{name}` holds letters that a header cannot");
        findings.fault(path, problem, "use ASCII");
        return None;
    }
    if super::section::is_fill_in(value) {
        let problem = format!("the value of `{name}` is left to fill in");
        findings.fault(path, problem, "replace it with its value");
        return None;
    }
    let found = SecretRef::parse(value);
    if found.is_none() {
        findings.fault(path, format!("the value of `{name}` refers to nothing"), SECRET_REMEDY);
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{clean_instance, document, said};
    use super::check_callback;
    use crate::instance::{SecretRef, SecretText};

    const HEADERS: &str = "event.notification.callback.headers";

    fn headers(value: Value) -> Value {
        json!({HEADERS: value})
    }

    #[track_caller]
    fn check(value: Value, expect: &[(&str, &str)]) {
        let callback = clean_instance(headers(value)).callback.unwrap();
        let literal =
            |(name, value): &(&str, &str)| (name.to_string(), SecretRef::Literal(SecretText::new(*value)));
        assert_eq!(callback.headers, expect.iter().map(literal).collect::<Vec<_>>());
    }

    #[track_caller]
    fn refused(members: Value, place: &str, words: &str) {
        let checked = document(members);
        said(&checked.faults, place, words);
        assert!(checked.instance.is_none());
    }

    #[test]
    fn headers_are_an_object_or_lines() {
        check(json!({"X-Tenant": "7", "X-Count": 3}), &[("X-Tenant", "7"), ("X-Count", "3")]);
        check(
            json!("X-Tenant: 7\nAuthorization: Bearer a;b\r\n"),
            &[("X-Tenant", "7"), ("Authorization", "Bearer a;b")],
        );
        check(
            json!("X-Tenant: 7; X-Url: https://x.example"),
            &[("X-Tenant", "7"), ("X-Url", "https://x.example")],
        );
        check(json!(""), &[]);
    }

    #[test]
    fn nothing_overrides_ours_or_breaks_the_request() {
        for name in
            ["Host", "content-length", "Elements-Webhook-Signature", "elements-anything", "Transfer-Encoding"]
        {
            refused(
                headers(json!({name: "x"})),
                "\"event.notification.callback.headers\"",
                "cannot be overridden",
            );
        }
        refused(headers(json!({"X-A": "a\r\nHost: b"})), "", "holds a line break");
        refused(headers(json!({"X\r\nHost": "a"})), "", "cannot be the name of a header");
        refused(headers(json!({"X-A": "ü"})), "", "use ASCII");
        refused(headers(json!({"X-A": "1", "x-a": "2"})), "", "given twice");
        refused(headers(json!({"X-A": []})), "", "has no text");
        refused(headers(json!("X-A")), "", "`Name: value`");
        refused(headers(json!([1])), "", "not an object of headers");
        refused(json!({"http.headers": {"Host": "x"}}), "\"http.headers\"", "cannot be overridden");
    }

    #[test]
    fn secrets_stay_references_and_are_never_shown() {
        let instance = clean_instance(json!({
            "http.headers": {"Authorization": "env:TOKEN", "X-Key": "file:/run/key"},
            "event.notification.signature.key": "hunter2",
            "event.notification.basic.username": "user",
            "event.notification.basic.password": "env:PASSWORD",
        }));
        assert_eq!(instance.headers[0].1, SecretRef::Env("TOKEN".into()));
        assert_eq!(instance.headers[1].1, SecretRef::File("/run/key".into()));
        assert!(!format!("{instance:?}").contains("hunter2"));
        let bad =
            document(json!({"event.notification.signature.key": 271_828, "http.headers": {"A": "env:"}}));
        said(&bad.faults, "\"event.notification.signature.key\"", "a number is not a text");
        said(&bad.faults, "\"http.headers\"", "refers to nothing");
        assert!(!format!("{:?}", bad.faults).contains("271828"));
    }

    #[test]
    fn the_callback_is_an_address() {
        let url = |text: &str| json!({"event.notification.callback.url": text});
        refused(url("app.example.com"), "callback.url\"", "is not an address");
        refused(url("ftp://app.example.com"), "callback.url\"", "neither http nor https");
        refused(url("https://u:p@app.example.com"), "callback.url\"", "holds credentials");
        refused(url("<CALLBACK_URL>"), "callback.url\"", "left to fill in");
        said(&document(url("http://app.example.com")).warnings, "callback.url\"", "unencrypted");
        assert!(clean_instance(url("http://127.0.0.1:8080/x")).callback.is_some());
        let without = document(json!({"event.notification.callback.url": null}));
        assert!(without.instance.is_some());
        said(&without.warnings, "configuration", "sent nowhere");
        refused(
            json!({"event.notification.basic.username": "u"}),
            "configuration",
            "has no `event.notification.basic.password`",
        );
    }

    #[test]
    fn a_callback_by_itself_is_read_by_the_same_rules() {
        let callback = check_callback(&json!({
            "url": "https://a.test/events", "headers": {"x-team": "7"}, "username": "u", "password": "p",
            "signatureKey": "k"
        }));
        let callback = callback.unwrap();
        assert_eq!((callback.url.as_str(), callback.headers.len()), ("https://a.test/events", 1));
        assert!(callback.basic.is_some() && callback.signature_key.is_some());
        let faulty = json!({"url": "ftp://a.test", "headers": {"host": "x"}, "username": "u", "urll": 1});
        let faults = check_callback(&faulty).unwrap_err();
        let places: Vec<&str> = faults.iter().map(|fault| fault.path.as_str()).collect();
        assert!(places.contains(&"callback.url") && places.contains(&"callback.urll"), "{places:?}");
        assert!(faults.len() >= 4, "{faults:?}");
        let words = format!("{faults:?}");
        assert!(!words.contains("event.notification"), "{words}");
        for nothing in [json!({}), json!({"url": "  "}), json!("https://a.test"), json!([])] {
            assert!(check_callback(&nothing).is_err(), "{nothing}");
        }
    }
}
