//! How deletions without a trace are found: the settings of `sweep`.

use serde_json::Value;

use crate::resource::{Sweep, SweepEvery};
use crate::template::Template;

use super::resource::Surroundings;
use super::section::{Findings, Section, duration_text, shown};

pub(super) const KNOWN: [&str; 5] = ["every", "url", "readUrl", "gone", "confirm"];

/// What follows an id that two sweeps miss.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Confirm {
    Read,
    Sweeps,
}

const CONFIRM: [(&str, Confirm); 2] = [("read", Confirm::Read), ("sweeps", Confirm::Sweeps)];

/// Reads `sweep`. `url` is the resource's own, `None` when that is a fault already.
pub(super) fn read(
    resource: &mut Section<'_>,
    url: Option<&Template>,
    place: &Surroundings<'_>,
    findings: &mut Findings,
) -> Option<Sweep> {
    let mut section = resource.object("sweep", findings)?;
    let every = every(&mut section, findings);
    let url = complete_list(&mut section, url, place, findings);
    let read_url = read_url(&mut section, place, findings);
    let gone = gone(&mut section, findings);
    let confirm = section.choice("confirm", &CONFIRM, findings);
    let read_url = match (confirm, read_url) {
        (Some(Confirm::Sweeps), Some(_)) => {
            let problem = "`readUrl` has no effect, because `confirm` is `sweeps`";
            findings.warn(section.path(), problem, "remove one of them");
            None
        }
        (Some(Confirm::Read), None) if !section.has("readUrl") => {
            findings.fault(section.path(), "`confirm` is `read` and there is no `readUrl`", READ_URL_REMEDY);
            None
        }
        (_, read_url) => read_url,
    };
    section.finish(&KNOWN, findings);
    Some(Sweep { every: every?, url: url?, read_url, gone })
}

const READ_URL_REMEDY: &str = "give the address of one record, like `/v1/customers/{id}`";

/// `24h`, `90m`, `3 polls`.
fn every(section: &mut Section<'_>, findings: &mut Findings) -> Option<SweepEvery> {
    let remedy = "write a time such as `24h` or `90m`, or a number of polls such as `3 polls`";
    let path = section.path_of("every");
    let value = match section.get("every", findings) {
        None => {
            findings.fault(section.path(), "`every` is missing", remedy);
            return None;
        }
        Some(value) => value,
    };
    let found = value.as_str().and_then(|text| {
        let lower = text.trim().to_ascii_lowercase();
        let polls = lower.strip_suffix("polls").or_else(|| lower.strip_suffix("poll"));
        match polls {
            Some(count) => {
                count.trim().parse().ok().filter(|count| (1..=100_000).contains(count)).map(SweepEvery::Polls)
            }
            None => duration_text(text).filter(|time| time.as_secs() >= 60).map(SweepEvery::Time),
        }
    });
    if found.is_none() {
        let problem =
            format!("{} is neither a time of at least a minute nor a number of polls", shown(value));
        findings.fault(&path, problem, remedy);
    }
    found
}

/// The complete list: its own url, or the resource's when that reads everything.
fn complete_list(
    section: &mut Section<'_>,
    own: Option<&Template>,
    place: &Surroundings<'_>,
    findings: &mut Findings,
) -> Option<Template> {
    let faults = findings.faults.len();
    let path = section.path_of("url");
    let Some(text) = section.text("url", findings) else {
        let own = own.filter(|_| findings.faults.len() == faults)?;
        if own.is_filtered() {
            let problem = "the url of the resource is filtered, so it cannot show what is missing";
            findings.fault(section.path(), problem, "give the complete list as `url` of the sweep");
            return None;
        }
        return Some(own.clone());
    };
    let template = place.template(&path, text, findings)?;
    if template.is_filtered() {
        let problem = "the list of a sweep is filtered, so it cannot show what is missing";
        findings.fault(&path, problem, "take the placeholders out of it");
        return None;
    }
    Some(template)
}

/// The address of one record: absolute, with `{id}` still in it.
pub(super) fn read_url(
    section: &mut Section<'_>,
    place: &Surroundings<'_>,
    findings: &mut Findings,
) -> Option<String> {
    // Survives the encoding of a template and stands in nobody's address.
    const MARK: &str = "turnstone-id-goes-here";
    let text = section.text("readUrl", findings)?;
    let path = section.path_of("readUrl");
    if !text.contains("{id}") {
        findings.fault(&path, "`{id}` is missing, so it cannot name a record", READ_URL_REMEDY);
        return None;
    }
    let template = place.template(&path, &text.replace("{id}", MARK), findings)?;
    if template.is_filtered() || template.uses_end() {
        findings.fault(&path, "a placeholder other than `{id}` stands in it", READ_URL_REMEDY);
        return None;
    }
    if template.origin().is_some_and(|origin| origin.contains(MARK)) {
        findings.fault(&path, "`{id}` stands in the host", READ_URL_REMEDY);
        return None;
    }
    let epoch = jiff::Timestamp::UNIX_EPOCH;
    let rendered = template.render(&crate::template::Values { start: epoch, end: epoch, cursor: None });
    Some(rendered.replace(MARK, "{id}"))
}

/// Statuses that mean deleted.
pub(super) fn gone(section: &mut Section<'_>, findings: &mut Findings) -> Vec<u16> {
    const DEFAULT: [u16; 2] = [404, 410];
    let path = section.path_of("gone");
    let remedy = "list statuses such as [404, 410]";
    let list = match section.get("gone", findings) {
        None => return DEFAULT.to_vec(),
        Some(Value::Array(list)) => list.iter().collect::<Vec<_>>(),
        Some(one) => vec![one],
    };
    if list.is_empty() {
        findings.fault(&path, "it is empty, so no record could ever be found deleted", remedy);
    }
    let mut statuses = Vec::new();
    for value in list {
        let number = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok());
        match number.and_then(|number| u16::try_from(number).ok()) {
            Some(401 | 407 | 408 | 425 | 429 | 500..=599) => {
                let problem = format!(
                    "{} says that the question was not answered, not that the record is gone",
                    shown(value)
                );
                findings.fault(&path, problem, remedy);
            }
            Some(status @ 400..=499) => statuses.push(status),
            Some(_) | None => {
                findings.fault(
                    &path,
                    format!("{} is not a status that can mean deleted", shown(value)),
                    remedy,
                );
            }
        }
    }
    statuses
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::super::testing::{clean, refused, warned};
    use crate::resource::SweepEvery;

    const LIST: &str = "https://api.example.com/customers";

    fn sweep(members: Value) -> Value {
        let mut sweep = json!({"every": "24h", "url": LIST});
        let (Value::Object(into), Value::Object(members)) = (&mut sweep, members) else {
            panic!("two objects")
        };
        into.extend(members);
        json!({"sweep": sweep})
    }

    #[test]
    fn intervals_are_times_or_polls() {
        let every = |text: &str| clean(sweep(json!({"every": text}))).sweep.unwrap().every;
        assert_eq!(every("24h"), SweepEvery::Time(Duration::from_secs(86_400)));
        assert_eq!(every("90m"), SweepEvery::Time(Duration::from_secs(5_400)));
        assert_eq!(every("1h 30m"), SweepEvery::Time(Duration::from_secs(5_400)));
        assert_eq!(every("3 polls"), SweepEvery::Polls(3));
        assert_eq!(every("1 Poll"), SweepEvery::Polls(1));
        for text in ["soon", "0 polls", "30s", "-1h", "24", "99999999999999999999d"] {
            refused(sweep(json!({"every": text})), "sweep.every", "`3 polls`");
        }
        refused(sweep(json!({"every": 24})), "sweep.every", "24 is neither");
    }

    #[test]
    fn the_list_must_be_complete() {
        refused(json!({"sweep": {"every": "24h"}}), "customers.sweep", "the url of the resource is filtered");
        refused(
            sweep(json!({"url": format!("{LIST}?since=${{epoch}}")})),
            "sweep.url",
            "cannot show what is missing",
        );
        let full = json!({"url": LIST, "sweep": {"every": "24h"}});
        assert_eq!(clean(full).sweep.unwrap().url.as_str(), LIST);
        refused(json!({"sweep": {"url": LIST}}), "customers.sweep", "`every` is missing");
    }

    #[test]
    fn a_second_look_is_an_address_of_one_record() {
        let read = |url: &str| sweep(json!({"readUrl": url}));
        let sweep_read = clean(read("https://api.example.com/customers/{id}?view=a b")).sweep.unwrap();
        assert_eq!(sweep_read.read_url.as_deref(), Some("https://api.example.com/customers/{id}?view=a%20b"));
        refused(read("https://api.example.com/customers/"), "sweep.readUrl", "`{id}` is missing");
        refused(read("https://{id}.example.com/"), "sweep.readUrl", "stands in the host");
        refused(read("https://x.example/{id}?a=${epoch}"), "sweep.readUrl", "other than `{id}`");
        refused(read("/customers/{id}"), "sweep.readUrl", "relative");
        refused(sweep(json!({"confirm": "read"})), "customers.sweep", "there is no `readUrl`");
        let both = sweep(json!({"confirm": "sweeps", "readUrl": "https://x.example/{id}"}));
        assert_eq!(warned(both, "customers.sweep", "has no effect").sweep.unwrap().read_url, None);
    }

    #[test]
    fn only_answers_about_the_record_can_mean_deleted() {
        let gone = |list: Value| clean(sweep(json!({"gone": list}))).sweep.unwrap().gone;
        assert_eq!(clean(sweep(json!({}))).sweep.unwrap().gone, [404, 410]);
        assert_eq!(gone(json!([403, "404"])), [403, 404]);
        assert_eq!(gone(json!(410)), [410]);
        for status in [401, 429, 500, 503] {
            refused(sweep(json!({"gone": [status]})), "sweep.gone", "was not answered");
        }
        refused(sweep(json!({"gone": [200]})), "sweep.gone", "not a status that can mean deleted");
        refused(sweep(json!({"gone": []})), "sweep.gone", "it is empty");
    }
}
