//! Requests that providers' own libraries signed, judged by the presets and by declarations that say the same.
//!
//! `tests/senders` signs them with the libraries or, where there is none, as the providers' documentation says; each
//! library has accepted its request before it comes here. The table of cases is made of them: every provider's request
//! as it was sent and in every way that it could be altered, with the verdict that it must get.

mod cases;
mod declarations;
mod questions;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;
use turnstone_core::check::check_verification;
use turnstone_core::intake::samples::SAMPLES;
use turnstone_core::intake::{Inbound, Refusal, Verification, Verified, presets};

use crate::harness::root;

/// A request that its provider made.
#[derive(Clone, Debug, Deserialize)]
pub struct Sent {
    pub preset: String,
    /// What signed it.
    pub by: String,
    pub kind: String,
    /// The header of its signature or token.
    pub header: String,
    pub method: String,
    pub url: String,
    /// When, in seconds.
    pub at: i64,
    /// The name of the delivery, where its provider gives one.
    pub id: Option<String>,
    pub headers: Vec<(String, String)>,
    pub body: String,
    pub secret: String,
    /// The body where it is no text any more.
    #[serde(skip)]
    pub bytes: Option<Vec<u8>>,
}

impl Sent {
    pub fn body(&self) -> &[u8] {
        self.bytes.as_deref().unwrap_or(self.body.as_bytes())
    }

    #[track_caller]
    pub fn value(&self, header: &str) -> &str {
        let found = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(header));
        &found.unwrap_or_else(|| panic!("{} sent no {header}", self.preset)).1
    }

    pub fn with(&self, header: &str, value: impl Into<String>) -> Sent {
        let mut sent = self.clone();
        for (name, known) in &mut sent.headers {
            if name.eq_ignore_ascii_case(header) {
                *known = value.into();
                return sent;
            }
        }
        sent.headers.push((header.to_owned(), value.into()));
        sent
    }

    pub fn without(&self, header: &str) -> Sent {
        let mut sent = self.clone();
        sent.headers.retain(|(name, _)| !name.eq_ignore_ascii_case(header));
        sent
    }

    pub fn with_body(&self, body: impl Into<Vec<u8>>) -> Sent {
        Sent { bytes: Some(body.into()), ..self.clone() }
    }
}

/// The three requests of each provider.
pub struct Sender {
    pub sent: Sent,
    /// Another delivery under the same secret.
    pub other: Sent,
    /// The first delivery under the next secret.
    pub renewed: Sent,
}

/// All of them, signed once for all tests.
pub static SENDERS: LazyLock<Vec<Sender>> = LazyLock::new(|| {
    let folder = root().join("tests/senders");
    assert!(
        folder.join("node_modules/standardwebhooks/package.json").exists(),
        "the senders are not installed: run `bash scripts/setup-test.sh` (or `make test`, which does), then again"
    );
    let output =
        Command::new("node").arg("sign.mjs").current_dir(folder).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let stdout = String::from_utf8(output.stdout).unwrap();
    let mut lines = stdout.lines().map(|line| serde_json::from_str::<Sent>(line).unwrap());
    let mut senders = Vec::new();
    while let Some(sent) = lines.next() {
        let (other, renewed) = (lines.next().unwrap(), lines.next().unwrap());
        assert_eq!((&*sent.kind, &*other.kind, &*renewed.kind), ("sent", "other", "renewed"));
        senders.push(Sender { sent, other, renewed });
    }
    senders
});

/// What a case must come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Accepted,
    Missing,
    Doubled,
    Malformed,
    Stale,
    Wrong,
    NoSecret,
    /// Refused for whichever reason.
    Refused,
}

/// One request to be judged.
#[derive(Clone, Debug)]
pub struct Try {
    /// What was done to it.
    pub what: String,
    pub sent: Sent,
    pub secrets: Vec<String>,
    /// Seconds from its signing to its coming in.
    pub away: i64,
}

/// A named case: all of its requests must get this verdict.
pub struct Case {
    pub name: String,
    pub tries: Vec<Try>,
    pub verdict: Verdict,
    /// The name of the delivery, when it is accepted.
    pub id: Option<String>,
}

pub fn judge(verification: &Verification, one: &Try) -> Result<Verified, Refusal> {
    let parameters = url::Url::parse(&one.sent.url).unwrap();
    let query: Vec<(String, String)> = parameters.query_pairs().into_owned().collect();
    let request = Inbound {
        method: &one.sent.method,
        url: &one.sent.url,
        query: &query,
        headers: &one.sent.headers,
        body: one.sent.body(),
    };
    let secrets: Vec<&str> = one.secrets.iter().map(String::as_str).collect();
    let now = Timestamp::from_second(one.sent.at).unwrap() + SignedDuration::from_secs(one.away);
    verification.verify(&request, &secrets, now)
}

fn verdict(judged: &Result<Verified, Refusal>) -> Verdict {
    match judged {
        Ok(_) => Verdict::Accepted,
        Err(Refusal::Missing(_)) => Verdict::Missing,
        Err(Refusal::Doubled(_)) => Verdict::Doubled,
        Err(Refusal::Malformed(_)) => Verdict::Malformed,
        Err(Refusal::Stale(_)) => Verdict::Stale,
        Err(Refusal::Wrong) => Verdict::Wrong,
        Err(Refusal::NoSecret) => Verdict::NoSecret,
    }
}

/// What is wrong with a case under this judge, if anything: one line for it.
pub fn fault_of(case: &Case, judge: impl Fn(&Try) -> Result<Verified, Refusal>) -> Option<String> {
    case.tries.iter().find_map(|one| {
        let judged = judge(one);
        let found = verdict(&judged);
        let is_right = match case.verdict {
            Verdict::Refused => found != Verdict::Accepted,
            wanted => found == wanted,
        };
        let id = judged.ok().and_then(|verified| verified.id);
        if !is_right {
            return Some(format!("{}: {found:?} and not {:?}: {}", case.name, case.verdict, one.what));
        }
        let has_name = found != Verdict::Accepted || id == case.id;
        (!has_name).then(|| format!("{}: named {id:?} and not {:?}: {}", case.name, case.id, one.what))
    })
}

/// The verification of a preset, if it is one, and of the declaration that says the same.
fn verifications(name: &str) -> Vec<(&'static str, Verification)> {
    let declared = declarations::declaration(name);
    let checked = check_verification("v", &declared);
    assert_eq!((&checked.faults, &checked.repairs), (&vec![], &vec![]), "{name}");
    assert_eq!(checked.warnings, vec![], "{name}");
    let declared = checked.verification.unwrap();
    let mut all = vec![("declared", declared.clone())];
    if let Some(preset) = presets::preset(name) {
        let preset = preset.verification.unwrap();
        assert_eq!(preset, declared, "the preset and the declaration of {name} differ");
        all.push(("preset", preset));
    }
    all
}

/// What is wrong with the cases of all senders.
fn faults(judge: impl Fn(&Verification, &Try) -> Result<Verified, Refusal>) -> (Vec<String>, Vec<Case>) {
    let (mut faults, mut all) = (Vec::new(), Vec::new());
    for sender in SENDERS.iter() {
        let cases = cases::of(sender);
        for (how, verification) in verifications(&sender.sent.preset) {
            for case in &cases {
                let fault = fault_of(case, |one| judge(&verification, one));
                faults.extend(fault.map(|fault| format!("{how} {fault}")));
            }
        }
        all.extend(cases);
    }
    (faults, all)
}

#[test]
fn every_case_of_every_sender_gets_its_verdict() {
    let (faults, cases) = faults(judge);
    assert!(faults.is_empty(), "{} cases are judged wrongly:\n{}", faults.len(), faults.join("\n"));
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), cases.len(), "two cases have one name");
    let of = |wanted: fn(Verdict) -> bool| cases.iter().filter(|case| wanted(case.verdict)).count();
    let accepted = of(|verdict| verdict == Verdict::Accepted);
    let tries: usize = cases.iter().map(|case| case.tries.len()).sum();
    println!("{} cases ({accepted} accepted), {tries} requests, each judged twice", cases.len());
    assert!(cases.len() >= 2_200, "{}", cases.len());
    assert!((500..1_000).contains(&accepted), "{accepted}");
    assert!(tries >= 7_500, "{tries}");
}

#[test]
fn every_preset_has_a_sender() {
    let mut by: BTreeMap<&str, &str> =
        SENDERS.iter().map(|sender| (sender.sent.preset.as_str(), sender.sent.by.as_str())).collect();
    // What it shows stands in the body; `tokens` has it.
    by.insert("microsoft-graph", "");
    for name in presets::NAMES {
        assert!(by.contains_key(name), "{name} has no sender");
    }
    let libraries = by.values().filter(|by| by.ends_with(|last: char| last.is_ascii_digit())).count();
    assert!(libraries >= 11, "{libraries}");
}

#[test]
fn the_table_sees_judges_that_are_too_kind() {
    let kind = |verification: &Verification, one: &Try| {
        judge(verification, one).or(Ok(Verified { id: None, signed_at: None }))
    };
    let (found, cases) = faults(kind);
    let declared = found.iter().filter(|fault| fault.starts_with("declared ")).count();
    let refused = cases.iter().filter(|case| case.verdict != Verdict::Accepted).count();
    assert_eq!(declared, refused, "every case that must be refused is missed when it is accepted");

    let timeless = |verification: &Verification, one: &Try| match judge(verification, one) {
        Err(Refusal::Stale(_)) => judge(verification, &Try { away: 0, ..one.clone() }),
        judged => judged,
    };
    let (found, _) = faults(timeless);
    assert!(found.len() >= 20 && found.iter().all(|fault| fault.contains("time")), "{found:?}");
}

#[test]
fn the_page_names_every_preset_and_sample_and_its_examples_are_sound() {
    let page = std::fs::read_to_string(root().join("docs/webhooks.md")).unwrap();
    let (_, table) = page.split_once("## Presets").unwrap();
    let (table, _) = table.split_once("## Challenges").unwrap();
    let names = presets::NAMES.iter().chain(SAMPLES.iter().map(|sample| &sample.name));
    for (at, name) in names.enumerate() {
        let place = if at < presets::NAMES.len() { table } else { page.as_str() };
        assert!(place.contains(&format!("`{name}`")), "docs/webhooks.md does not name `{name}`");
    }
    let mut examples = 0;
    let (_, declarations) = page.split_once("## From a request to events").unwrap();
    let (declarations, _) = declarations.split_once("## What is kept").unwrap();
    for block in page.split("```json").skip(1) {
        let (block, _) = block.split_once("```").unwrap();
        let values = serde_json::Deserializer::from_str(block).into_iter::<Value>();
        assert!(values.into_iter().all(|value| value.is_ok()), "no JSON: {block}");
    }
    for block in declarations.split("```json").skip(1) {
        let (block, _) = block.split_once("```").unwrap();
        for example in serde_json::Deserializer::from_str(block).into_iter::<Value>() {
            let example = example.unwrap_or_else(|error| panic!("{error}: {block}"));
            let checked = check_verification("v", &example);
            assert_eq!((checked.faults, checked.warnings), (vec![], vec![]), "{example}");
            examples += 1;
        }
    }
    assert_eq!(examples, 8);
}
