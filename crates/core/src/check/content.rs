//! How the records of a resource are understood, and what decides how their content is compared.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::json_path::JsonPath;
use crate::resource::{CreatedInWindow, MissingDate, SameTimestampChange};

use super::section::{Findings, Section, parse_field, shown};

/// Version of the recipe by which content is hashed. A new one re-bases every record silently.
pub const CONTENT_RECIPE: u32 = 1;

/// How records are understood.
pub(super) struct Content {
    pub same_timestamp_change: SameTimestampChange,
    pub volatile_fields: Vec<JsonPath>,
    pub missing_date: MissingDate,
    pub created_in_window: CreatedInWindow,
    pub deleted_field: Option<JsonPath>,
    pub conditional: bool,
    pub case_insensitive_ids: bool,
    pub keep_last: bool,
}

impl Content {
    pub fn read(section: &mut Section<'_>, findings: &mut Findings) -> Content {
        let same = [("report", SameTimestampChange::Report), ("ignore", SameTimestampChange::Ignore)];
        let missing =
            [("report", MissingDate::Report), ("skip", MissingDate::Skip), ("fail", MissingDate::Fail)];
        let created = [("updated", CreatedInWindow::Updated), ("created", CreatedInWindow::Created)];
        if section.count("concurrency", 1..=16, findings).is_some_and(|count| count > 1) {
            let problem = "the resources of an instance are polled one after another";
            findings.warn(&section.path_of("concurrency"), problem, "remove it, or write 1");
        }
        Content {
            same_timestamp_change: section
                .choice("sameTimestampChange", &same, findings)
                .unwrap_or(SameTimestampChange::Report),
            volatile_fields: volatile_fields(section, findings),
            missing_date: section.choice("missingDate", &missing, findings).unwrap_or(MissingDate::Report),
            created_in_window: section
                .choice("createdInWindow", &created, findings)
                .unwrap_or(CreatedInWindow::Updated),
            deleted_field: section.field("deletedField", findings),
            conditional: section.flag("conditional", findings).unwrap_or(true),
            case_insensitive_ids: section.flag("caseInsensitiveIds", findings).unwrap_or(false),
            keep_last: section.flag("keepLast", findings).unwrap_or(false),
        }
    }
}

fn volatile_fields(section: &mut Section<'_>, findings: &mut Findings) -> Vec<JsonPath> {
    let path = section.path_of("volatileFields");
    let list = match section.get("volatileFields", findings) {
        None => return Vec::new(),
        Some(Value::Array(list)) => list,
        Some(Value::String(text)) => return parse_field(&path, text, findings).into_iter().collect(),
        Some(other) => {
            findings.fault(
                &path,
                format!("{} is not a list", shown(other)),
                "write it like [\"stats.views\"]",
            );
            return Vec::new();
        }
    };
    let mut fields = Vec::new();
    for (position, value) in list.iter().enumerate() {
        let at = format!("{path}[{position}]");
        match value.as_str() {
            Some(text) => fields.extend(parse_field(&at, text, findings)),
            None => findings.fault(
                &at,
                format!("{} is not a field", shown(value)),
                "write it like \"stats.views\"",
            ),
        }
    }
    fields
}

/// Names everything that decides how content is compared.
pub(super) fn shape(list: Option<&JsonPath>, id_field: &JsonPath, volatile_fields: &[JsonPath]) -> u32 {
    let mut volatile: Vec<&str> = volatile_fields.iter().map(JsonPath::as_str).collect();
    volatile.sort_unstable();
    volatile.dedup();
    let mut hash = Sha256::new();
    hash.update(CONTENT_RECIPE.to_be_bytes());
    for part in [list.map_or("", JsonPath::as_str), id_field.as_str()].into_iter().chain(volatile) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    digest.iter().take(4).fold(0, |shape, byte| shape << 8 | u32::from(*byte))
}
