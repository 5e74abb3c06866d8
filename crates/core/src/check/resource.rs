//! One resource of `event.poller.configuration`: every setting, its default, and how the settings agree.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::call::{self, NoRoute};
use crate::connector::{AuthenticationKind, Connector};
use crate::date::Resolution;
use crate::json_path::JsonPath;
use crate::limits;
use crate::resource::{
    Bound, ComparedBy, Drift, Pagination, PaginationKind, Resource, Sort, StartFrom, Sweep, WebhookRead,
};
use crate::template::{Template, TemplateError, TemplateProblem};

use super::content::{Content, shape};
use super::dates::{self, Dates};
use super::section::{Findings, Section, is_fill_in, member_path, parse_field, shown};
use super::{CheckSettings, paging, sweep, webhook};

/// Records per page when nothing is said.
const PAGE_SIZE: u32 = 20;

/// How far every pass reads again when nothing is said.
const OVERLAP: Duration = Duration::from_secs(60);

pub(super) const KNOWN: [&str; 29] = [
    "url",
    "idField",
    "datesConfiguration",
    "filterByUpdatedDate",
    "filterByCurrentDate",
    "createdCheckTolerance",
    "pageSize",
    "pollDelay",
    "list",
    "pagination",
    "startFrom",
    "overlap",
    "bound",
    "filterResolution",
    "sort",
    "drift",
    "sameTimestampChange",
    "volatileFields",
    "missingDate",
    "createdInWindow",
    "sweep",
    "webhook",
    "deletedField",
    "cursorField",
    "conditional",
    "caseInsensitiveIds",
    "keepLast",
    "concurrency",
    "updatedDateTimezone",
];

/// Settings of the field that are accepted and change nothing.
const INERT: [&str; 7] = [
    "batchSize",
    "postHooks",
    "postHookPipelines",
    "useHydrationBeforePostHooks",
    "useLastPollDate",
    "objectName",
    "parameters",
];

/// Paths of a connector that a message names.
const NAMED_PATHS_MAX: usize = 5;

const NEEDS_CONNECTOR: &str = "give at least `url` and `idField` here";

/// What a resource is read in.
pub(super) struct Surroundings<'a> {
    pub(super) settings: &'a CheckSettings,
    pub(super) base: Option<&'a str>,
    /// Names of the resources beside this one.
    pub(super) siblings: &'a [&'a str],
}

impl Surroundings<'_> {
    /// The connector whose resources a url may name.
    fn connector(&self) -> Option<&Arc<Connector>> {
        self.settings.connector.as_ref()?.calls.as_ref()
    }

    /// Reads a url and makes it absolute.
    pub(super) fn template(&self, path: &str, text: &str, findings: &mut Findings) -> Option<Template> {
        let parsed = match Template::parse(text, &self.settings.server_zone, self.settings.zone_rules) {
            Ok(parsed) => parsed,
            Err(error) => return refuse(path, error, findings),
        };
        for repair in parsed.repairs {
            findings.note_repair(path, &repair);
        }
        for advice in parsed.advice {
            let TemplateProblem { problem, remedy } =
                TemplateProblem::from_sentence(&advice, "see the documentation");
            findings.warn(path, problem, remedy);
        }
        if let Some(connector) = self.connector()
            && call::is_polled_in_process(connector, text)
        {
            return callable(connector, path, parsed.template, findings);
        }
        match self.base {
            _ if parsed.template.is_absolute() => Some(parsed.template),
            Some(base) => match parsed.template.resolve(base) {
                Ok(template) => {
                    if let Some(connector) = self.connector().filter(|connector| adds_to_calls(connector)) {
                        warn_of_what_is_left_out(connector, path, text, findings);
                    }
                    Some(template)
                }
                Err(error) => refuse(path, error, findings),
            },
            None => {
                let problem = if text.trim_start().starts_with("/hubs/") {
                    "the url is a hub path, which a connector would translate"
                } else {
                    "the url is relative"
                };
                findings.fault(
                    path,
                    problem,
                    "give `base.url` in `configuration`, or write the provider's full address",
                );
                None
            }
        }
    }
}

/// Whether a call of the connector carries more than what is asked for.
fn adds_to_calls(connector: &Connector) -> bool {
    connector.authentication != AuthenticationKind::None
        || !connector.parameters.is_empty()
        || !connector.hooks.is_empty()
}

/// A path below the base url that the connector does not have is no call of it.
fn warn_of_what_is_left_out(connector: &Connector, path: &str, url: &str, findings: &mut Findings) {
    let wanted = url.trim().split('?').next().unwrap_or_default();
    let problem = format!(
        "the connector `{}` has no resource `{wanted}`, so it is read without the connector's keys, parameters and hooks",
        connector.key
    );
    let remedy =
        "add it to the connector's `resources` to have it called, or leave it where the list needs none";
    findings.warn(path, problem, remedy);
}

/// A url that names one of the connector's own resources stays a path.
fn callable(
    connector: &Connector,
    path: &str,
    template: Template,
    findings: &mut Findings,
) -> Option<Template> {
    let wanted = template.as_str().split('?').next().unwrap_or_default();
    let problem = match call::find(connector, "GET", wanted) {
        Ok(_) => return Some(template),
        Err(NoRoute::Path) => format!("the connector `{}` has no resource `{wanted}`", connector.key),
        Err(NoRoute::Method(_)) => format!("`{wanted}` cannot be read with GET"),
    };
    let own = connector.resources.iter().filter(|own| own.kind.is_called() && own.method == "GET");
    let known: Vec<String> = own.map(|own| format!("`{}`", own.path)).take(NAMED_PATHS_MAX).collect();
    let remedy = match known.is_empty() {
        true => "write the provider's full address".to_string(),
        false => format!("write one of those it has, such as {}", known.join(", ")),
    };
    findings.fault(path, problem, remedy);
    None
}

fn refuse(path: &str, error: TemplateError, findings: &mut Findings) -> Option<Template> {
    for reason in error.problems {
        findings.fault(path, reason.problem, reason.remedy);
    }
    None
}

/// Reads one resource, and those that were nested in it by mistake.
pub(super) fn read(
    name: &str,
    path: &str,
    value: &Value,
    place: &Surroundings<'_>,
    findings: &mut Findings,
) -> Vec<Resource> {
    if is_fill_in(name) || name.trim().is_empty() {
        findings.fault(path, "the name of the resource is left to fill in", "name it as the provider does");
    }
    let Value::Object(members) = value else {
        findings.fault(path, format!("{} is not an object", shown(value)), "write its settings in braces");
        return Vec::new();
    };
    let members = if members.is_empty() {
        match default_of(name, place) {
            Some(members) => members,
            None => {
                findings.fault(
                    path,
                    "`{}` takes the settings of a connector, and there is none",
                    NEEDS_CONNECTOR,
                );
                return Vec::new();
            }
        }
    } else {
        members
    };
    let mut section = Section::new(path, members);
    let nested = nested(&mut section);
    let mut resources: Vec<Resource> = settings(name, section, place, findings).into_iter().collect();
    for (inner_name, inner) in nested {
        let inner_path = member_path(path, inner_name);
        if place.siblings.contains(&inner_name) {
            let problem = format!("`{inner_name}` stands inside `{name}` and beside it");
            findings.fault(&inner_path, problem, "keep one of them, beside the others");
            continue;
        }
        let problem = format!("`{inner_name}` stands inside `{name}` and is read as a resource beside it");
        findings.repair(&inner_path, problem, "move it one level up");
        // What is nested deeper than this is no slip of a brace: unknown members, and warned about as such.
        let section = Section::new(inner_path, inner);
        resources.extend(settings(inner_name, section, place, findings));
    }
    resources
}

fn default_of<'a>(name: &str, place: &Surroundings<'a>) -> Option<&'a Map<String, Value>> {
    let defaults = place.settings.connector.as_ref()?.resources.get(name)?.as_object()?;
    (!defaults.is_empty()).then_some(defaults)
}

/// Takes out the members that are resources of their own.
fn nested<'v>(section: &mut Section<'v>) -> Vec<(&'v str, &'v Map<String, Value>)> {
    let mut found = Vec::new();
    for (name, value) in section.rest() {
        if let Value::Object(members) = value
            && members.contains_key("url")
            && members.contains_key("idField")
            && !KNOWN.contains(&name)
        {
            section.take(name);
            found.push((name, members));
        }
    }
    found
}

/// Reads the settings of one resource. `None` when what is required is missing or wrong.
fn settings(
    name: &str,
    mut section: Section<'_>,
    place: &Surroundings<'_>,
    findings: &mut Findings,
) -> Option<Resource> {
    let url = required(&mut section, "url", "give the address that lists the records", findings)
        .and_then(|text| place.template(&section.path_of("url"), text, findings));
    let id_field =
        required(&mut section, "idField", "name the member that identifies a record, like `id`", findings)
            .and_then(|text| parse_field(&section.path_of("idField"), text, findings));
    let list = section.field("list", findings);
    let dates = dates::read(&mut section, place.settings, findings);
    let tolerance = tolerance(&mut section, &dates, findings);
    let compared = compared(&mut section, &dates, url.as_ref(), findings);
    let filter_by_current_date = section.flag("filterByCurrentDate", findings).unwrap_or(false);
    let page_size = page_size(&mut section, findings);
    let faults = findings.faults.len();
    let mut pagination = paging::read(&mut section, findings);
    // The pages of a call follow by our own token, unless the configuration counts them itself.
    let calls = place.connector().filter(|_| url.as_ref().is_some_and(|url| !url.is_absolute()));
    let drift = match (calls, url.as_ref()) {
        (Some(connector), Some(url)) => {
            if pagination.kind == PaginationKind::Undeclared {
                pagination = call::hub_pagination();
            }
            Some(call::hub_drift(connector, url.as_str()))
        }
        _ => None,
    };
    let pagination_is_sound = findings.faults.len() == faults;
    let names = url.as_ref().map(Template::query_names).unwrap_or_default();
    let (size, declared) = (page_size.unwrap_or(PAGE_SIZE), page_size.is_some());
    if pagination_is_sound {
        paging::agree(&pagination, size, declared, &names, section.path(), findings);
    }
    let sweep = sweep::read(&mut section, url.as_ref(), place, findings);
    let webhook = webhook::of_resource(&mut section, place, findings);
    let reading = Reading::read(&mut section, &pagination, drift, place.settings, findings);
    let content = Content::read(&mut section, findings);
    if let Some(url) = &url {
        exact_filter(url, &dates, section.path(), findings);
        agree(url, &compared, &reading, &pagination, section.path(), findings);
    }
    section.inert(&INERT, "remove it", findings);
    section.inert(&["xPath"], "name the list in `list`", findings);
    section.finish(&KNOWN, findings);
    let (url, id_field) = (url?, id_field?);
    let shape = shape(list.as_ref(), &id_field, &content.volatile_fields);
    let name = name.to_string();
    let first = First { name, url, id_field, list, shape, sweep, webhook, pagination, compared, dates };
    Some(first.resource(tolerance, filter_by_current_date, size, reading, content))
}

/// The parts of a resource that have to do with where its records are.
struct First {
    name: String,
    url: Template,
    id_field: JsonPath,
    list: Option<JsonPath>,
    shape: u32,
    sweep: Option<Sweep>,
    webhook: Option<WebhookRead>,
    pagination: Pagination,
    compared: ComparedBy,
    dates: Dates,
}

impl First {
    fn resource(
        self,
        created_check_tolerance: Duration,
        filter_by_current_date: bool,
        page_size: u32,
        reading: Reading,
        content: Content,
    ) -> Resource {
        Resource {
            name: self.name,
            url: self.url,
            id_field: self.id_field,
            list: self.list,
            updated: self.dates.updated,
            created: self.dates.created,
            compared: self.compared,
            filter_by_current_date,
            created_check_tolerance,
            page_size,
            poll_delay: reading.poll_delay,
            overlap: reading.overlap,
            pagination: self.pagination,
            start_from: reading.start_from,
            bound: reading.bound.unwrap_or(Bound::Auto),
            filter_resolution: reading.filter_resolution,
            sort: reading.sort,
            drift: reading.drift,
            same_timestamp_change: content.same_timestamp_change,
            volatile_fields: content.volatile_fields,
            missing_date: content.missing_date,
            created_in_window: content.created_in_window,
            sweep: self.sweep,
            webhook: self.webhook,
            deleted_field: content.deleted_field,
            conditional: content.conditional,
            case_insensitive_ids: content.case_insensitive_ids,
            keep_last: content.keep_last,
            shape: self.shape,
        }
    }
}

fn required<'v>(
    section: &mut Section<'v>,
    key: &str,
    remedy: &str,
    findings: &mut Findings,
) -> Option<&'v str> {
    let faults = findings.faults.len();
    let text = section.text(key, findings);
    if text.is_none() && findings.faults.len() == faults {
        let problem = format!("`{key}` is {}", if section.has(key) { "empty" } else { "missing" });
        findings.fault(section.path(), problem, remedy);
    }
    text
}

fn tolerance(section: &mut Section<'_>, dates: &Dates, findings: &mut Findings) -> Duration {
    const KEY: &str = "createdCheckTolerance";
    let declared = section.seconds(KEY, findings);
    let misplaced = dates.misplaced_tolerance.as_ref().and_then(|value| {
        let members = Map::from_iter([(KEY.to_string(), value.clone())]);
        Section::new(section.path_of("datesConfiguration"), &members).seconds(KEY, findings)
    });
    declared.or(misplaced).unwrap_or(Duration::ZERO)
}

fn page_size(section: &mut Section<'_>, findings: &mut Findings) -> Option<u32> {
    let largest = limits::RECORDS_PER_PAGE_MAX as u64;
    section.count("pageSize", 1..=largest, findings).and_then(|size| u32::try_from(size).ok())
}

fn compared(
    section: &mut Section<'_>,
    dates: &Dates,
    url: Option<&Template>,
    findings: &mut Findings,
) -> ComparedBy {
    let by_updated = section.flag("filterByUpdatedDate", findings).unwrap_or(true);
    let cursor_path = section.path_of("cursorField");
    let filtered_by_date = url.is_some_and(|url| url.start_format().is_some());
    let uses_cursor = url.is_some_and(Template::uses_cursor);
    match section.field("cursorField", findings) {
        Some(field) => {
            if filtered_by_date {
                let problem = "`cursorField` decides what is new, but the url filters by a date";
                findings.fault(
                    &cursor_path,
                    problem,
                    "put `${cursor}` into the url, or remove `cursorField`",
                );
            } else if url.is_some() && !uses_cursor {
                let problem = "no `${cursor}` stands in the url, so every poll reads the whole list";
                findings.warn(
                    &cursor_path,
                    problem,
                    "put `${cursor}` into the url where the provider can filter by it",
                );
            }
            ComparedBy::Cursor(field)
        }
        None => {
            if uses_cursor && !section.has("cursorField") {
                let remedy = "name the member that holds the growing number in `cursorField`";
                findings.fault(
                    section.path(),
                    "`${cursor}` stands in the url and there is no `cursorField`",
                    remedy,
                );
            }
            dates::compared(dates, by_updated, filtered_by_date, section.path(), findings)
        }
    }
}

/// How the list is read.
struct Reading {
    poll_delay: Duration,
    overlap: Duration,
    start_from: StartFrom,
    bound: Option<Bound>,
    filter_resolution: Option<Resolution>,
    sort: Sort,
    drift: Drift,
}

impl Reading {
    fn read(
        section: &mut Section<'_>,
        pagination: &Pagination,
        of_calls: Option<Drift>,
        settings: &CheckSettings,
        findings: &mut Findings,
    ) -> Reading {
        let bounds =
            [("auto", Bound::Auto), ("inclusive", Bound::Inclusive), ("exclusive", Bound::Exclusive)];
        let resolutions = [
            ("ms", Resolution::Millis),
            ("s", Resolution::Second),
            ("min", Resolution::Minute),
            ("h", Resolution::Hour),
            ("day", Resolution::Day),
        ];
        let drift = section.choice("drift", &[("verify", Drift::Verify), ("trust", Drift::Trust)], findings);
        let default_drift = match pagination.kind {
            PaginationKind::Cursor { .. } => Drift::Trust,
            PaginationKind::Undeclared
            | PaginationKind::None
            | PaginationKind::Page { .. }
            | PaginationKind::Offset { .. }
            | PaginationKind::Link
            | PaginationKind::Next { .. } => Drift::Verify,
        };
        let shifting = matches!(pagination.kind, PaginationKind::Page { .. } | PaginationKind::Offset { .. });
        if drift == Some(Drift::Trust) && shifting {
            let problem = "numbered pages shift when records come and go, and `trust` reads them once: records can be missed";
            findings.warn(&section.path_of("drift"), problem, "leave it at `verify`");
        }
        Reading {
            poll_delay: section.seconds("pollDelay", findings).unwrap_or(Duration::ZERO),
            overlap: section.seconds("overlap", findings).unwrap_or(OVERLAP),
            start_from: start_from(section, settings, findings),
            bound: section.choice("bound", &bounds, findings),
            filter_resolution: section.choice("filterResolution", &resolutions, findings),
            sort: section
                .choice("sort", &[("asc", Sort::Asc), ("desc", Sort::Desc), ("none", Sort::None)], findings)
                .unwrap_or(Sort::None),
            drift: drift.or(of_calls).unwrap_or(default_drift),
        }
    }
}

fn start_from(section: &mut Section<'_>, settings: &CheckSettings, findings: &mut Findings) -> StartFrom {
    let path = section.path_of("startFrom");
    let Some(text) = section.text("startFrom", findings).map(str::trim) else {
        return StartFrom::Now;
    };
    if text.eq_ignore_ascii_case("now") {
        return StartFrom::Now;
    }
    if text.eq_ignore_ascii_case("beginning") {
        return StartFrom::Beginning;
    }
    let midnight = || text.parse::<jiff::civil::Date>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok();
    match text.parse().ok().or_else(|| midnight().map(|zoned| zoned.timestamp())) {
        Some(at) => {
            if at > settings.now {
                findings.warn(
                    &path,
                    format!("{at} lies ahead, so nothing before it is reported"),
                    "write `now`",
                );
            }
            StartFrom::Instant(at)
        }
        None => {
            let remedy = "write `now`, `beginning`, or an instant such as `2019-05-09T13:37:30Z`";
            findings.fault(&path, format!("`{text}` is not an instant"), remedy);
            StartFrom::Now
        }
    }
}

/// Says where a filter asks for a date of the record itself rather than for everything since then.
fn exact_filter(url: &Template, dates: &Dates, path: &str, findings: &mut Findings) {
    let fields = [&dates.updated, &dates.created];
    let is_date =
        |name: &&str| fields.into_iter().flatten().any(|date| date.path.as_str().eq_ignore_ascii_case(name));
    if let Some(name) = url.equated_names().find(is_date) {
        let problem =
            format!("`{name}=` may ask for records of exactly that instant and miss everything later");
        let remedy = "use an operator such as `>=`, or the provider's parameter for \"since\", if `=` does not mean that";
        findings.warn(&format!("{path}.url"), problem, remedy);
    }
}

/// Says where settings contradict the url or each other.
fn agree(
    url: &Template,
    compared: &ComparedBy,
    reading: &Reading,
    pagination: &Pagination,
    path: &str,
    findings: &mut Findings,
) {
    let by_date = url.start_format().is_some();
    if url.keeps_older() {
        let problem = "the filter keeps what is older than the last poll, so changes are never seen";
        findings.warn(&format!("{path}.url"), problem, "turn the operator round: `>=`");
    }
    if url.uses_end() && !url.is_filtered() {
        let problem = "the url has an end and no start, so every poll reads everything";
        findings.warn(
            &format!("{path}.url"),
            problem,
            "add a placeholder for the start, such as `${gmtDate:…}`",
        );
    }
    if !by_date && reading.bound.is_some_and(|bound| bound != Bound::Auto) {
        findings.warn(
            &format!("{path}.bound"),
            "`bound` has no effect without a date in the url",
            "remove it",
        );
    }
    if !by_date && reading.filter_resolution.is_some() {
        let problem = "`filterResolution` has no effect without a date in the url";
        findings.warn(&format!("{path}.filterResolution"), problem, "remove it");
    }
    if reading.sort != Sort::None && *compared == ComparedBy::Content {
        let problem =
            "an order is promised, and neither a date nor `cursorField` is named that it could be by";
        findings.fault(
            &format!("{path}.sort"),
            problem,
            "name the date in `datesConfiguration`, or remove `sort`",
        );
    }
    if reading.sort == Sort::Asc && !url.is_filtered() {
        let problem =
            "oldest first without a filter: every poll reads the whole list before it meets what is new";
        findings.warn(
            &format!("{path}.sort"),
            problem,
            "ask for the newest first (`desc`), or filter by the date",
        );
    }
    if reading.sort == Sort::Desc && pagination.kind == PaginationKind::None {
        let problem = "`desc` saves later pages, and one page is all that is read";
        findings.warn(&format!("{path}.sort"), problem, "remove it");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{clean, read, refused, repaired, said, settings, warned};
    use super::super::{check, check_resource};
    use crate::date::Resolution;
    use crate::resource::*;
    use std::time::Duration;

    #[test]
    fn everything_optional_has_its_default() {
        let resource = clean(json!({}));
        assert_eq!(
            (resource.page_size, resource.poll_delay, resource.overlap),
            (20, Duration::ZERO, Duration::from_secs(60))
        );
        assert_eq!(resource.settling(), Duration::from_secs(60));
        assert_eq!(resource.start_from, StartFrom::Now);
        assert_eq!(
            (resource.bound, resource.filter_resolution, resource.sort),
            (Bound::Auto, None, Sort::None)
        );
        assert_eq!((resource.drift, resource.missing_date), (Drift::Verify, MissingDate::Report));
        assert_eq!(resource.same_timestamp_change, SameTimestampChange::Report);
        assert_eq!(resource.created_in_window, CreatedInWindow::Updated);
        assert!(resource.conditional && !resource.case_insensitive_ids && !resource.keep_last);
        assert!(!resource.filter_by_current_date && resource.list.is_none() && resource.sweep.is_none());
        assert_eq!(resource.created_check_tolerance, Duration::ZERO);
    }

    #[test]
    fn every_setting_is_read() {
        let resource = clean(json!({
            "list": "data.items", "pageSize": "200", "pollDelay": "30", "overlap": "5m", "startFrom": "2019-05-09",
            "bound": "inclusive", "filterResolution": "day", "sort": "DESC", "drift": "verify", "createdCheckTolerance": 2,
            "sameTimestampChange": "ignore", "volatileFields": ["stats.views", "etag"], "missingDate": "skip",
            "createdInWindow": "created", "deletedField": "is_deleted", "conditional": false, "keepLast": "true",
            "caseInsensitiveIds": true, "filterByCurrentDate": true, "concurrency": 1,
        }));
        assert_eq!(resource.list.as_ref().unwrap().as_str(), "data.items");
        assert_eq!((resource.page_size, resource.poll_delay), (200, Duration::from_secs(30)));
        assert_eq!(resource.settling(), Duration::from_secs(330));
        assert_eq!(resource.start_from, StartFrom::Instant("2019-05-09T00:00:00Z".parse().unwrap()));
        assert_eq!((resource.bound, resource.sort), (Bound::Inclusive, Sort::Desc));
        assert_eq!(resource.filter_resolution, Some(Resolution::Day));
        assert_eq!(resource.same_timestamp_change, SameTimestampChange::Ignore);
        assert_eq!(resource.volatile_fields.len(), 2);
        assert_eq!(
            (resource.missing_date, resource.created_in_window),
            (MissingDate::Skip, CreatedInWindow::Created)
        );
        assert_eq!(resource.deleted_field.as_ref().unwrap().as_str(), "is_deleted");
        assert!(!resource.conditional && resource.keep_last && resource.case_insensitive_ids);
        assert!(resource.filter_by_current_date);
    }

    #[test]
    fn what_is_required_is_named_with_everything_else_that_is_wrong() {
        let checked =
            read(json!({"url": "", "idField": null, "pageSize": -1, "sort": "up", "startFrom": "tomorrow"}));
        said(&checked.faults, "customers", "`url` is empty");
        said(&checked.faults, "customers", "`idField` is missing");
        said(&checked.faults, "customers.pageSize", "from 1 to 50000");
        said(&checked.faults, "customers.sort", "write `asc`, `desc`, `none`");
        said(&checked.faults, "customers.startFrom", "is not an instant");
        assert_eq!(checked.faults.len(), 5, "{:#?}", checked.faults);
        refused(json!({"idField": "a..b"}), "customers.idField", "not a field path");
        refused(json!({"idField": "<id>"}), "customers.idField", "left to fill in");
        refused(json!({"url": "/hubs/finance/customers"}), "customers.url", "hub path");
        refused(json!({"url": "https://x.example/${gmtDate}"}), "customers.url", "has no format");
        refused(json!({"overlap": "a while"}), "customers.overlap", "is not a number");
        refused(json!({"volatileFields": [1]}), "customers.volatileFields[0]", "1 is not a field");
    }

    #[test]
    fn slips_are_found_and_strangers_named() {
        let resource = repaired(
            json!({"filterByUpdateDate": false}),
            "filterByUpdateDate",
            "read as `filterByUpdatedDate`",
        );
        assert_eq!(resource.compared, ComparedBy::Created);
        assert_eq!(repaired(json!({"pagesize": 7}), "pagesize", "read as `pageSize`").page_size, 7);
        warned(json!({"polDelay": 7}), "customers.polDelay", "did you mean `pollDelay`?");
        warned(json!({"colour": 7}), "customers.colour", "is not a setting");
        warned(json!({"batchSize": 7}), "customers.batchSize", "accepted and has no effect");
        warned(json!({"xPath": "id"}), "customers.xPath", "name the list in `list`");
        warned(json!({"concurrency": 4}), "customers.concurrency", "one after another");
    }

    #[test]
    fn a_growing_number_can_decide_instead_of_a_date() {
        let url = |url: &str| json!({"url": url, "cursorField": "seq", "datesConfiguration": null});
        let resource = clean(url("https://x.example/log?after=${cursor}"));
        assert!(matches!(resource.compared, ComparedBy::Cursor(field) if field.as_str() == "seq"));
        warned(url("https://x.example/log"), "cursorField", "every poll reads the whole list");
        refused(url("https://x.example/log?after=${epoch}"), "cursorField", "filters by a date");
        refused(
            json!({"url": "https://x.example/log?after=${cursor}"}),
            "customers",
            "there is no `cursorField`",
        );
    }

    #[test]
    fn contradictions_with_the_url_are_named() {
        let full = |extra: Value| {
            let mut members = json!({"url": "https://x.example/log"});
            members.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            members
        };
        warned(full(json!({"bound": "inclusive"})), "customers.bound", "without a date in the url");
        warned(
            full(json!({"filterResolution": "day"})),
            "customers.filterResolution",
            "without a date in the url",
        );
        warned(full(json!({"sort": "asc"})), "customers.sort", "`desc`");
        warned(json!({"url": "https://x.example/?where=a<=${epoch}"}), "customers.url", "never seen");
        warned(
            json!({"url": "https://x.example/?updated_at=${epoch}"}),
            "customers.url",
            "exactly that instant",
        );
        warned(json!({"url": "https://x.example/?until=${end.epoch}"}), "customers.url", "no start");
        warned(json!({"startFrom": "2027-01-01T00:00:00Z"}), "customers.startFrom", "lies ahead");
        let checked = read(json!({"sort": "asc", "datesConfiguration": null}));
        said(&checked.faults, "customers.sort", "neither a date nor `cursorField`");
    }

    #[test]
    fn a_resource_inside_another_is_taken_out_and_never_twice() {
        let inner = json!({"url": "https://x.example/leads", "idField": "id"});
        let checked = read(json!({"leads": inner}));
        said(&checked.repairs, "customers.leads", "move it one level up");
        assert_eq!(
            checked.resources.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(),
            ["customers", "leads"]
        );
        let outer = json!({"url": "https://x.example/c", "idField": "id", "leads": inner});
        let twice = json!({"element": {"key": "k"}, "configuration": {
            "event.poller.configuration": {"customers": outer, "leads": inner},
        }});
        said(&check(&twice, &settings()).faults, "customers.leads", "keep one of them");
    }

    #[test]
    fn only_objects_are_resources() {
        for value in [json!(null), json!("https://x.example"), json!([]), json!(1)] {
            said(&check_resource("c", &value, &settings(), None).faults, "c", "is not an object");
        }
        said(
            &check_resource("c", &json!({}), &settings(), None).faults,
            "c",
            "takes the settings of a connector",
        );
    }

    #[test]
    fn the_shape_names_what_content_is_compared_by() {
        let shape = |members| clean(members).shape;
        let plain = shape(json!({}));
        assert_eq!(
            plain,
            shape(json!({"pollDelay": 30, "sort": "desc"})),
            "what is not content does not matter"
        );
        let volatile = shape(json!({"volatileFields": ["a", "b"]}));
        assert_eq!(volatile, shape(json!({"volatileFields": ["b", "a", "b"]})), "order does not matter");
        let others = [
            volatile,
            shape(json!({"volatileFields": ["ab"]})),
            shape(json!({"list": "a"})),
            shape(json!({"idField": "a"})),
        ];
        for other in others {
            assert_ne!(plain, other);
        }
        // Stored beside every record: a change of this number re-bases all of them.
        assert_eq!(plain, 2_268_064_924);
    }
}
