//! `turnstone init`: an instance document to begin with, from one answer of an API.
//!
//! What is concluded from the answer is the core's `suggest`; here it is fetched and written down, every proposal with
//! its evidence as a comment above it. A credential that was given is never written: the document refers to the
//! environment, by the variable that holds the value already, or by one that is named on standard error.
//!
//! Not here: the inference, and what a document means (`check`).

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use http::{HeaderName, HeaderValue};
use jiff::Timestamp;
use serde_json::{Value, json};
use turnstone_core::check::{CheckSettings, check};
use turnstone_core::instance::SecretRef;
use turnstone_core::run::{Request, Response};
use turnstone_core::suggest::{Proposal, Sample, Suggestion, suggest};
use turnstone_engine::clock::{Clock, SystemClock};
use turnstone_engine::egress::{Bodies, BodyBudget, Client, Connection, Guard, Net, Policy, Setup};
use turnstone_engine::prepare::look_up;
use turnstone_engine::secrets::Secret;
use url::Url;

use super::output::{Output, tame};
use super::{Failure, Outcome, input};

/// Letters of a line of a comment.
const COMMENT_CHARS_MAX: usize = 110;
/// Letters of a value below which it is not looked for in the environment: short ones are there by accident.
const VALUE_CHARS_MIN: usize = 8;
/// Headers whose values are no secrets.
const PLAIN: [&str; 7] = [
    "accept",
    "accept-language",
    "user-agent",
    "content-type",
    "cache-control",
    "prefer",
    "x-requested-with",
];

const EXAMPLES: &str = r#"Examples:
  turnstone init https://api.example.com/v2/customers > customers.yaml
  turnstone init 'https://api.example.com/v2/customers?page=1&per_page=100' -H "Authorization: $CRM_AUTH" --out customers.yaml
  turnstone init https://api.example.com/v2/orders -H 'X-Api-Key: file:/run/secrets/key' --out orders.yaml
  curl -s https://api.example.com/orders | turnstone init https://api.example.com/orders --sample -"#;

/// Writes an instance document from one answer of an API, which `turnstone explain` runs at once.
///
/// Reads the address once and proposes id field, dates with their formats and zones, pagination and the place of the
/// lower bound, each with its evidence in a comment. What the answer cannot tell is said on standard error.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct InitArgs {
    /// The address that lists the records.
    #[arg(value_name = "URL")]
    url: String,
    /// A header of the request, as `Name: value`; the value may be `env:NAME` or `file:PATH`. May be repeated.
    #[arg(short = 'H', long = "header", value_name = "HEADER")]
    headers: Vec<String>,
    /// Writes the document into this file, which must not be there yet.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Takes the answer from this file instead of asking the address; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    sample: Option<PathBuf>,
}

/// A header with its value, and how the document writes it.
struct Header {
    name: String,
    value: Secret,
    written: String,
    /// The variable that somebody has to set.
    unset: Option<String>,
}

/// Runs the command.
pub(crate) async fn run(args: InitArgs, output: Output) -> Outcome {
    if let Some(path) = args.out.as_deref().filter(|path| path.exists()) {
        return Err(exists(path));
    }
    let headers = args.headers.iter().map(|text| header(text)).collect::<Result<Vec<Header>, Failure>>()?;
    let clock = SystemClock::new();
    let response = match &args.sample {
        Some(path) => Response { status: 200, headers: Vec::new(), body: input::text(path)? },
        None => fetched(&args.url, &headers, &output).await?,
    };
    let now = clock.now();
    let sample = Sample { url: Some(&args.url), headers: &response.headers, body: &response.body, now };
    let made = suggest(&sample).map_err(|error| Failure::Provider(tame(&error.to_string())))?;
    let text = document(&args, &headers, &made);
    judged(&text, now)?;
    match &args.out {
        None => output.result(&text)?,
        Some(path) => write(path, &text)?,
    }
    tell(&args, &headers, &made, &output);
    Ok(())
}

fn exists(path: &Path) -> Failure {
    let name = path.display();
    Failure::Configuration(format!("`{name}` is there already; name another file, or remove it first"))
}

fn write(path: &Path, text: &str) -> Outcome {
    let opened = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
    let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => exists(path),
        _ => Failure::Configuration(format!("cannot write `{}`: {error}", path.display())),
    })
}

/// Reads `Name: value`.
fn header(text: &str) -> Result<Header, Failure> {
    let wrong = |problem: &str| {
        // What follows the colon may be a secret, even where the colon is missing.
        Failure::Configuration(format!("--header: {problem}; write it like `-H 'X-Api-Key: env:API_KEY'`"))
    };
    let (name, value) = text.split_once(':').ok_or_else(|| wrong("there is no colon behind the name"))?;
    let (name, value) = (name.trim(), value.trim());
    name.parse::<HeaderName>().map_err(|_| wrong("the name before the colon cannot be a header's"))?;
    let reference =
        SecretRef::parse(value).ok_or_else(|| wrong("nothing is named behind `env:` or `file:`"))?;
    let secret = look_up(&reference).map_err(|error| Failure::Configuration(error.to_string()))?;
    HeaderValue::from_str(secret.expose())
        .map_err(|_| wrong("its value has signs that no header may have"))?;
    if value.is_empty() {
        return Err(wrong("its value is empty"));
    }
    let lower = name.to_ascii_lowercase();
    let is_plain = PLAIN.contains(&lower.as_str()) || lower.ends_with("version");
    let (written, unset) = match reference {
        SecretRef::Env(_) | SecretRef::File(_) => (value.to_owned(), None),
        SecretRef::Literal(_) if is_plain => (value.to_owned(), None),
        SecretRef::Literal(_) => match variable_with(value) {
            Some(known) => (format!("env:{known}"), None),
            None => {
                let variable = variable_name(name);
                (format!("env:{variable}"), Some(variable))
            }
        },
    };
    Ok(Header { name: name.to_owned(), value: secret, written, unset })
}

/// The variable of the environment that has this value, if one does: that the shell has put in its value.
fn variable_with(value: &str) -> Option<String> {
    if value.len() < VALUE_CHARS_MIN {
        return None;
    }
    let mut found: Vec<String> = std::env::vars_os()
        .filter_map(|(name, known)| Some((name.into_string().ok()?, known.into_string().ok()?)))
        .filter(|(name, known)| known == value && !name.trim().is_empty())
        .map(|(name, _)| name)
        .collect();
    found.sort();
    found.into_iter().next()
}

/// What a variable for a header is called: `X-Api-Key` becomes `X_API_KEY`.
fn variable_name(header: &str) -> String {
    let letter =
        |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_uppercase() } else { '_' };
    let name: String = header.chars().map(letter).collect();
    if name.starts_with(|first: char| first.is_ascii_digit()) { format!("H_{name}") } else { name }
}

async fn fetched(url: &str, headers: &[Header], output: &Output) -> Result<Response, Failure> {
    let wrong = |problem: String| {
        Failure::Configuration(format!(
            "the address cannot be used: {problem}; give the whole address of a list"
        ))
    };
    let guard = Guard::new(Policy::AllowPrivate);
    let address: Url = guard.check_url(url).map_err(|error| wrong(tame(&error.to_string())))?;
    let host = address.host_str().unwrap_or_default().to_owned();
    output.note(&format!("reading one answer of {}", tame(&host)));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let net = Client::new(Setup::new(guard, clock)).map_err(|error| Failure::Internal(error.to_string()))?;
    let connection = Connection {
        headers: headers.iter().map(|header| (header.name.clone(), header.value.clone())).collect(),
        ..Connection::new(&address, Bodies::new(&BodyBudget::default()))
    };
    let reply = net.send(Request::get(address.as_str()), &connection).await;
    let response = reply.outcome.map_err(|error| Failure::Provider(tame(&error.message)))?;
    match response.status {
        200 => Ok(response),
        401 | 403 => Err(Failure::Provider(format!(
            "{} answered {}: it wants credentials, or others; give them with -H",
            tame(&host),
            response.status
        ))),
        status => Err(Failure::Provider(format!(
            "{} answered {status}, so there is nothing to begin with; correct the address",
            tame(&host)
        ))),
    }
}

/// The document must be what `check` and `explain` take.
fn judged(text: &str, now: Timestamp) -> Outcome {
    let mistake = |words: String| Failure::Internal(format!("what was written cannot be used: {words}"));
    let document = input::parse(text).map_err(mistake)?;
    let checked = check(&document, &CheckSettings::new(now));
    match checked.faults.first() {
        None => Ok(()),
        Some(fault) => Err(mistake(tame(&fault.to_string()))),
    }
}

fn document(args: &InitArgs, headers: &[Header], made: &Suggestion) -> String {
    let host = Url::parse(args.url.trim()).ok().and_then(|url| url.host_str().map(str::to_owned));
    let key: String = host
        .unwrap_or_default()
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' })
        .collect();
    let key =
        Some(key.trim_matches('-').to_owned()).filter(|key| !key.is_empty()).unwrap_or("api".to_owned());
    let mut yaml = Yaml::default();
    yaml.comment(0, "made by `turnstone init` from one answer: read the reasons, and correct what is wrong");
    yaml.pair(0, "name", &json!(made.name));
    yaml.pair(0, "element", &json!({"key": key}));
    yaml.open(0, "configuration");
    if !headers.is_empty() {
        yaml.open(1, "http.headers");
        for header in headers {
            yaml.pair(2, &header.name, &json!(header.written));
        }
    }
    yaml.pair(1, "event.notification.enabled", &json!(true));
    yaml.pair(1, "event.poller.refresh_interval", &json!(15));
    yaml.open(1, "event.poller.configuration");
    yaml.open(2, &made.name);
    for (member, value) in &made.resource {
        let of_member = |proposal: &&Proposal| proposal.setting.split('.').next() == Some(member.as_str());
        let proposals: Vec<&Proposal> = made.proposals.iter().filter(of_member).collect();
        match value.as_object().filter(|_| member == "datesConfiguration") {
            Some(inner) => {
                yaml.open(3, member);
                for (name, value) in inner {
                    let setting = format!("{member}.{name}");
                    yaml.reasons(4, proposals.iter().filter(|proposal| proposal.setting == setting));
                    yaml.pair(4, name, value);
                }
            }
            None => {
                yaml.reasons(3, proposals.iter());
                yaml.pair(3, member, value);
            }
        }
    }
    for warning in &made.warnings {
        yaml.comment(3, &format!("look at this: {warning}"));
    }
    yaml.text
}

/// YAML as it is written for people to go on with.
#[derive(Default)]
struct Yaml {
    text: String,
}

impl Yaml {
    fn line(&mut self, depth: usize, text: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{:indent$}{text}", "", indent = depth * 2);
    }

    fn open(&mut self, depth: usize, name: &str) {
        self.line(depth, &format!("{}:", word(name)));
    }

    fn pair(&mut self, depth: usize, name: &str, value: &Value) {
        self.line(depth, &format!("{}: {}", word(name), scalar(value)));
    }

    fn reasons<'p>(&mut self, depth: usize, proposals: impl Iterator<Item = &'p &'p Proposal>) {
        for proposal in proposals {
            let others: Vec<String> =
                proposal.alternatives.iter().take(3).map(|other| other.value.to_string()).collect();
            let others = match others.is_empty() {
                true => String::new(),
                false => format!("; or {}", others.join(", ")),
            };
            self.comment(depth, &format!("{}{others}", proposal.evidence));
        }
    }

    /// A comment over as many lines as it needs. What a provider sent must not end it.
    fn comment(&mut self, depth: usize, text: &str) {
        let is_break =
            |letter: char| letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{feff}');
        let plain: String = text.chars().map(|letter| if is_break(letter) { ' ' } else { letter }).collect();
        let mut line = String::new();
        for part in plain.split_whitespace() {
            if !line.is_empty()
                && line.chars().count() + part.chars().count() + depth * 2 + 3 > COMMENT_CHARS_MAX
            {
                self.line(depth, &format!("# {line}"));
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(part);
        }
        self.line(depth, &format!("# {line}"));
    }
}

/// A text as YAML: in quotes unless it is a plain word or path. Every JSON text is a YAML text too.
fn word(text: &str) -> String {
    let is_plain = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || "_.-".contains(letter))
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
            .contains(&text.to_ascii_lowercase().as_str());
    if is_plain { text.to_owned() } else { Value::from(text).to_string() }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => word(text),
        Value::Object(members) => {
            let one = |(name, value): (&String, &Value)| format!("{}: {}", word(name), scalar(value));
            format!("{{ {} }}", members.iter().map(one).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// What a person should know, on standard error.
fn tell(args: &InitArgs, headers: &[Header], made: &Suggestion, output: &Output) {
    for Proposal { setting, value, evidence, confidence, .. } in &made.proposals {
        let percent = (confidence * 100.0).round();
        output.note(&format!("{setting}: {} ({percent} %: {})", tame(&value.to_string()), tame(evidence)));
    }
    for warning in &made.warnings {
        output.warn(&tame(warning));
    }
    for variable in headers.iter().filter_map(|header| header.unset.as_deref()) {
        output.warn(&format!(
            "the document refers to `env:{variable}` instead of the value that was given; set it before the next \
             command: export {variable}=…"
        ));
    }
    let name = args.out.as_ref().map_or("FILE".to_owned(), |path| path.display().to_string());
    output.note(&format!("next: turnstone explain {name}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_not_written() {
        let Ok(literal) = header("X-Api-Key: canary-0123456789") else { panic!("it is a header") };
        assert_eq!(
            (literal.written.as_str(), literal.unset.as_deref()),
            ("env:X_API_KEY", Some("X_API_KEY"))
        );
        assert_eq!(literal.value.expose(), "canary-0123456789");
        let Ok(known) = header(&format!("X-Home: {}", env!("CARGO_MANIFEST_DIR"))) else {
            panic!("it is a header")
        };
        let variable = known.written.strip_prefix("env:").expect("the shell's own variable");
        assert_eq!((std::env::var(variable).as_deref(), known.unset), (Ok(env!("CARGO_MANIFEST_DIR")), None));
        let Ok(plain) = header("Accept: application/json") else { panic!("it is a header") };
        assert_eq!((plain.written.as_str(), plain.unset), ("application/json", None));
        for wrong in ["no colon canary", "a b: canary", "X: env:", "X:", "X: file:/no/such/file"] {
            let Err(failure) = header(wrong) else { panic!("{wrong} is no header") };
            assert!(!failure.to_string().contains("canary"), "{failure}");
        }
    }

    #[test]
    fn what_a_provider_calls_its_members_stays_a_value_and_a_comment() {
        let made = Suggestion {
            name: "no".to_owned(),
            resource: json!({"url": "https://a.test/no?x=${gmtDate:yyyy-MM-dd'T'HH:mm:ss}", "idField": "['a\": #\\n']",
                "pagination": {"type": "next", "next": "['@odata.nextLink']"}})
            .as_object()
            .unwrap()
            .clone(),
            proposals: vec![Proposal {
                setting: "idField".to_owned(),
                value: json!("x"),
                evidence: "line\nelement: { key: other }\u{85}# \u{2028}".to_owned() + &"word ".repeat(60),
                confidence: 1.0,
                alternatives: Vec::new(),
            }],
            warnings: vec!["one\r\ntwo".to_owned()],
            records: 1,
        };
        let args =
            InitArgs { url: "https://a.test/no".to_owned(), headers: Vec::new(), out: None, sample: None };
        let text = document(&args, &[], &made);
        let read = input::parse(&text).unwrap();
        assert_eq!(read["element"]["key"], "a-test");
        assert_eq!(read["configuration"]["event.poller.configuration"]["no"], json!(made.resource), "{text}");
        assert!(text.lines().all(|line| line.len() <= 2 * COMMENT_CHARS_MAX));
    }
}
