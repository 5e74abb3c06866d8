//! The dates of a record: where they stand, how they are written, and which of them decides.

use serde_json::Value;

use crate::date::{DateFormat, Zone};
use crate::resource::{ComparedBy, DateField};
use crate::template::TemplateProblem;

use super::CheckSettings;
use super::section::{Findings, Section};

/// What `datesConfiguration` says.
#[derive(Debug, Default)]
pub(super) struct Dates {
    pub(super) updated: Option<DateField>,
    pub(super) created: Option<DateField>,
    /// Something in it is a fault already.
    pub(super) faulty: bool,
    /// `createdCheckTolerance`, when it was put in here.
    pub(super) misplaced_tolerance: Option<Value>,
}

pub(super) const KNOWN: [&str; 6] = [
    "updatedDateField",
    "updatedDateFormat",
    "updatedDateTimezone",
    "createdDateField",
    "createdDateFormat",
    "createdDateTimezone",
];

/// Which of the two dates.
#[derive(Clone, Copy)]
enum Which {
    Updated,
    Created,
}

impl Which {
    fn keys(self) -> [&'static str; 3] {
        match self {
            Which::Updated => ["updatedDateField", "updatedDateFormat", "updatedDateTimezone"],
            Which::Created => ["createdDateField", "createdDateFormat", "createdDateTimezone"],
        }
    }
}

/// Reads `datesConfiguration`, and the zone that is often written beside it instead of in it.
pub(super) fn read(resource: &mut Section<'_>, settings: &CheckSettings, findings: &mut Findings) -> Dates {
    let mut dates = Dates::default();
    let faults = findings.faults.len();
    let mut zones = [None, None];
    for (at, key) in ["updatedDateTimezone", "createdDateTimezone"].into_iter().enumerate() {
        if resource.has(key)
            && let Some(text) = resource.text(key, findings)
        {
            zones[at] = Some((text.to_string(), resource.path_of(key)));
        }
    }
    let [updated_zone, created_zone] = zones;
    let Some(mut section) = resource.object("datesConfiguration", findings) else {
        dates.faulty = findings.faults.len() > faults;
        return dates;
    };
    if section.has("createdCheckTolerance") {
        dates.misplaced_tolerance = section.get("createdCheckTolerance", findings).cloned();
        let problem = "`createdCheckTolerance` is read as if it stood beside `datesConfiguration`";
        findings.repair(&section.path_of("createdCheckTolerance"), problem, "move it one level up");
    }
    let updated = Half::read(Which::Updated, &mut section, updated_zone, findings);
    let mut created = Half::read(Which::Created, &mut section, created_zone, findings);
    if created.field.is_some() && created.format.is_none() && updated.format.is_some() {
        created.format.clone_from(&updated.format);
        let problem = "`createdDateFormat` is missing and taken to be the same as `updatedDateFormat`";
        findings.warn(section.path(), problem, "give the format of the created date");
    }
    dates.updated = updated.finish(&section, settings, findings);
    dates.created = created.finish(&section, settings, findings);
    section.finish(&KNOWN, findings);
    dates.faulty = findings.faults.len() > faults;
    dates
}

/// One date as it was written.
struct Half {
    which: Which,
    field: Option<crate::json_path::JsonPath>,
    format: Option<String>,
    zone: Option<String>,
    /// The field was written and is a fault already.
    faulty: bool,
}

impl Half {
    fn read(
        which: Which,
        section: &mut Section<'_>,
        outer: Option<(String, String)>,
        findings: &mut Findings,
    ) -> Half {
        let [field_key, format_key, zone_key] = which.keys();
        let faults = findings.faults.len();
        let field = section.field(field_key, findings);
        let format = section.text(format_key, findings).map(str::to_string);
        let inner = section.text(zone_key, findings).map(str::to_string);
        let zone = match (inner, outer) {
            (Some(inner), Some((outer, path))) => {
                let problem = if inner == outer {
                    format!("`{zone_key}` stands in `datesConfiguration` as well")
                } else {
                    format!("`{outer}` gives way to `{inner}`, which stands in `datesConfiguration`")
                };
                findings.repair(&path, problem, "remove this one");
                Some(inner)
            }
            (None, Some((outer, path))) => {
                let problem = "it stands beside `datesConfiguration` and is read as if it stood in it";
                findings.repair(&path, problem, "move it into `datesConfiguration`");
                Some(outer)
            }
            (inner, None) => inner,
        };
        Half { which, field, format, zone, faulty: findings.faults.len() > faults }
    }

    fn finish(
        self,
        section: &Section<'_>,
        settings: &CheckSettings,
        findings: &mut Findings,
    ) -> Option<DateField> {
        let [field_key, format_key, zone_key] = self.which.keys();
        let zone = match self.zone.as_deref().map(|text| Zone::parse(text, settings.zone_rules)) {
            None => Some(Zone::utc()),
            Some(Ok(zone)) => Some(zone),
            Some(Err(error)) => {
                let (problem, remedy) = sentence(&error.to_string());
                findings.fault(&section.path_of(zone_key), problem, remedy);
                None
            }
        };
        // A format is judged even where the zone or the field is missing: every fault at once.
        let utc = Zone::utc();
        let format = self.format.as_deref().and_then(|text| {
            match DateFormat::compile(text, zone.as_ref().unwrap_or(&utc)) {
                Ok(compiled) => {
                    let at = section.path_of(format_key);
                    for repair in compiled.repairs {
                        findings.note_repair(&at, &repair);
                    }
                    Some(compiled.format)
                }
                Err(error) => {
                    let (problem, remedy) = sentence(&error.to_string());
                    findings.fault(&section.path_of(format_key), problem, remedy);
                    None
                }
            }
        });
        match (self.field, format) {
            (Some(path), Some(format)) => zone.map(|_| DateField { path, format }),
            (Some(_), None) if self.format.is_none() && !self.faulty => {
                let problem = format!("`{field_key}` has no `{format_key}`, so that date is not read");
                findings.warn(section.path(), problem, format!("give `{format_key}`"));
                None
            }
            (None, Some(_)) if !self.faulty => {
                let problem = format!("`{format_key}` has no `{field_key}`, so that date is not read");
                findings.warn(section.path(), problem, format!("give `{field_key}`"));
                None
            }
            _ => None,
        }
    }
}

/// Decides which value is compared, and says what works when a part is missing.
pub(super) fn compared(
    dates: &Dates,
    by_updated: bool,
    filtered: bool,
    path: &str,
    findings: &mut Findings,
) -> ComparedBy {
    match (&dates.updated, &dates.created) {
        // Nothing comes of it, and a fault needs no warnings about what follows from it.
        _ if dates.faulty => ComparedBy::Updated,
        (None, None) => {
            let mut problem = "without a date, versions are told apart by their content alone".to_string();
            if filtered {
                problem.push_str(", and nothing in the records moves the filter of the url forward");
            }
            let remedy = "name `updatedDateField` and `updatedDateFormat` in `datesConfiguration`";
            findings.warn(path, problem, remedy);
            ComparedBy::Content
        }
        (Some(_), None) => {
            let problem = if by_updated {
                "without a created date, only the first sight of an id can tell CREATED from UPDATED"
            } else {
                "`filterByUpdatedDate` is false and there is no created date, so the updated date decides"
            };
            findings.warn(
                path,
                problem,
                "name `createdDateField` and `createdDateFormat` in `datesConfiguration`",
            );
            ComparedBy::Updated
        }
        (None, Some(_)) => {
            if by_updated {
                let problem = "without an updated date the created date decides: changes of old records show only \
                               where the filter finds them";
                let remedy =
                    "name `updatedDateField` and `updatedDateFormat`, or write `filterByUpdatedDate: false`";
                findings.warn(path, problem, remedy);
            }
            ComparedBy::Created
        }
        (Some(updated), Some(created)) => {
            if by_updated && updated.path == created.path {
                let problem = format!(
                    "`{}` serves as both dates, so every unknown record counts as CREATED",
                    updated.path
                );
                findings.warn(path, problem, "write `filterByUpdatedDate: false`");
            }
            if by_updated { ComparedBy::Updated } else { ComparedBy::Created }
        }
    }
}

/// A sentence of another module, as problem and remedy.
fn sentence(text: &str) -> (String, String) {
    let remedy = "write it as the provider does, for example `yyyy-MM-dd'T'HH:mm:ssXXX`";
    let TemplateProblem { problem, remedy } = TemplateProblem::from_sentence(text, remedy);
    (problem, remedy)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{clean, refused, repaired, warned};
    use crate::resource::ComparedBy;
    use std::time::Duration;

    fn dates(members: serde_json::Value) -> serde_json::Value {
        json!({"datesConfiguration": members})
    }

    #[test]
    fn zones_default_to_utc_and_blank_means_none() {
        let half = |zone: &str| {
            json!({"datesConfiguration": {
                "updatedDateField": "u.at", "updatedDateFormat": "yyyy-MM-dd HH:mm:ss", "updatedDateTimezone": zone,
                "createdDateField": "c.at", "createdDateFormat": "yyyy-MM-dd HH:mm:ss",
            }})
        };
        for (zone, instant) in
            [("", "2019-05-09T13:00:00Z"), ("PST", "2019-05-09T21:00:00Z"), ("+2:00", "2019-05-09T11:00:00Z")]
        {
            let updated = clean(half(zone)).updated.unwrap();
            assert_eq!(
                updated.format.parse("2019-05-09 13:00:00").unwrap().at.to_string(),
                instant,
                "{zone}"
            );
            assert_eq!(updated.path.as_str(), "u.at");
        }
        refused(half("Mars/Olympus"), "datesConfiguration.updatedDateTimezone", "Mars/Olympus");
    }

    #[test]
    fn missing_parts_are_warnings_that_say_what_works() {
        let none =
            warned(json!({"datesConfiguration": null}), "customers", "told apart by their content alone");
        assert_eq!(none.compared, ComparedBy::Content);
        let updated = json!({"updatedDateField": "u", "updatedDateFormat": "seconds"});
        let only = warned(dates(updated), "customers", "only the first sight of an id");
        assert!(only.created.is_none());
        let created = json!({"createdDateField": "c", "createdDateFormat": "seconds"});
        let only = warned(dates(created), "customers", "the created date decides");
        assert_eq!(only.compared, ComparedBy::Created);
        let same = json!({"updatedDateField": "u", "updatedDateFormat": "seconds", "createdDateField": "c"});
        let same = warned(dates(same), "datesConfiguration", "taken to be the same");
        assert!(same.created.is_some());
        let other = json!({"updatedDateField": "u", "createdDateField": "c", "createdDateFormat": "seconds"});
        let checked = super::super::testing::read(dates(other));
        super::super::testing::said(&checked.warnings, "datesConfiguration", "has no `updatedDateFormat`");
    }

    #[test]
    fn one_field_for_both_dates_wants_the_created_filter() {
        let both = json!({
            "updatedDateField": "at", "updatedDateFormat": "seconds", "createdDateField": "at", "createdDateFormat": "seconds",
        });
        warned(dates(both.clone()), "customers", "write `filterByUpdatedDate: false`");
        let resource = clean(json!({"datesConfiguration": both, "filterByUpdatedDate": false}));
        assert_eq!(resource.compared, ComparedBy::Created);
        assert_eq!(clean(json!({"filterByUpdatedDate": "true"})).compared, ComparedBy::Updated);
    }

    #[test]
    fn damage_of_the_field_is_read_as_it_was_meant() {
        let mut members = json!({
            "updatedDateField": "u", "updatedDateFormat": "yyyy-MM-dd'T'HH:mm:ss'", "createdDateField": "c",
            "createdDateFormat": "seconds",
        });
        repaired(dates(members.clone()), "updatedDateFormat", "stray quote");
        members["updatedDateFormat"] = json!("yyyy-MM-dd HH:mm");
        members["UpdatedDateTimezone"] = json!("PST");
        let resource =
            repaired(dates(members.clone()), "UpdatedDateTimezone", "read as `updatedDateTimezone`");
        let read = resource.updated.unwrap().format.parse("2019-05-09 13:00").unwrap().at;
        assert_eq!(read.to_string(), "2019-05-09T21:00:00Z");
        members["UpdatedDateTimezone"] = json!(null);
        let beside = json!({"datesConfiguration": members, "updatedDateTimezone": "MST"});
        let resource = repaired(beside, "customers.updatedDateTimezone", "as if it stood in it");
        let read = resource.updated.unwrap().format.parse("2019-05-09 13:00").unwrap().at;
        assert_eq!(read.to_string(), "2019-05-09T20:00:00Z");
    }

    #[test]
    fn a_misplaced_tolerance_counts() {
        let members = json!({
            "updatedDateField": "u", "updatedDateFormat": "seconds", "createdDateField": "c", "createdDateFormat": "seconds",
            "createdCheckTolerance": "60",
        });
        let resource = repaired(dates(members), "createdCheckTolerance", "move it one level up");
        assert_eq!(resource.created_check_tolerance, Duration::from_secs(60));
    }

    #[test]
    fn a_format_that_is_none_is_refused_once() {
        let members = json!({
            "updatedDateField": "u", "updatedDateFormat": "employees", "createdDateField": "c", "createdDateFormat": "seconds",
        });
        refused(dates(members), "updatedDateFormat", "no pattern letter");
        refused(json!({"datesConfiguration": "u"}), "datesConfiguration", "is not an object");
    }
}
