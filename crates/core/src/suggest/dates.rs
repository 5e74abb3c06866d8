//! Which members say when a record was updated and created, how they are written, and in which zone.

use jiff::{SignedDuration, Timestamp};

use super::fields::{Field, Fields};
use super::shape;
use super::words::{counted, has_any, joined};
use super::{Alternative, Draft, Proposal};
use crate::date::{DateFormat, Zone};

/// Different formats that are tried on one member.
const FORMATS_MAX: usize = 24;

/// A zone is at most this far from UTC.
const ZONE_MAX: SignedDuration = SignedDuration::from_hours(14);

const UPDATED: [&str; 16] = [
    "updated",
    "update",
    "modified",
    "modify",
    "modification",
    "modstamp",
    "changed",
    "change",
    "edited",
    "touched",
    "lastmod",
    "mtime",
    "revised",
    "upd",
    "synced",
    "refreshed",
];
const CREATED: [&str; 18] = [
    "created",
    "create",
    "creation",
    "added",
    "inserted",
    "registered",
    "ctime",
    "submitted",
    "opened",
    "placed",
    "published",
    "issued",
    "received",
    "signup",
    "entered",
    "entry",
    "add",
    "cdate",
];
/// Words of names of dates, whichever they are.
const DATES: [&str; 12] =
    ["at", "on", "date", "time", "datetime", "timestamp", "ts", "stamp", "day", "when", "epoch", "since"];
/// Words of dates that are about something else than the record's own life.
const OTHERS: [&str; 14] = [
    "birth",
    "birthday",
    "dob",
    "due",
    "expires",
    "expiry",
    "expiration",
    "start",
    "end",
    "deleted",
    "closed",
    "scheduled",
    "delivery",
    "valid",
];

/// A format that a member's values fit.
#[derive(Clone, Debug)]
struct Reading {
    format: String,
    /// Values that it reads.
    fits: usize,
    /// Instants by record, values without a zone of their own taken in UTC.
    instants: Vec<(usize, Timestamp)>,
    has_offset: bool,
    /// Instants after now.
    ahead: usize,
}

/// A member that holds dates.
#[derive(Debug)]
struct Dated<'f> {
    field: &'f Field,
    /// Values that are not empty.
    values: usize,
    best: Reading,
    others: Vec<Reading>,
    updated: f64,
    created: f64,
    /// Name of the other member that told the order of day and month.
    told_by: Option<String>,
}

/// Proposes `datesConfiguration`, as far as there are dates.
pub(super) fn propose(fields: &Fields, now: Timestamp, draft: &mut Draft) {
    let mut dated: Vec<Dated<'_>> = fields.fields.iter().filter_map(|field| read(field, now)).collect();
    settle_order(&mut dated);
    let updated = pick(&dated, |one| one.updated).or_else(|| latest(&dated));
    let created = pick(&dated, |one| one.created).filter(|created| Some(*created) != updated);
    if updated.is_none() && created.is_none() {
        let words = match dated.first() {
            None => {
                "no member of the records is a date, so versions would be told apart by their content alone"
                    .to_owned()
            }
            Some(one) => format!(
                "no date is called like that of an update; if `{}` changes with the record, name it as \
                 `updatedDateField`",
                one.field.path
            ),
        };
        draft.warn(words);
        return;
    }
    if let Some(at) = updated {
        let order = created.map(|created| (&dated[at], &dated[created]));
        propose_one("updated", &dated, at, fields.records, order, now, draft);
    }
    if let Some(at) = created {
        propose_one("created", &dated, at, fields.records, None, now, draft);
    }
    if updated.is_none() {
        let words = "the created date decides, because no member is called like an updated date: updates of old \
                     records are seen only by their content";
        draft.warn(words);
        let evidence = "no updated date was found, and the created date is there";
        draft.propose(Proposal::new("filterByUpdatedDate", false, 0.5, evidence));
    }
}

/// The formats of a member's values, if they are dates.
fn read<'f>(field: &'f Field, now: Timestamp) -> Option<Dated<'f>> {
    let values: Vec<(usize, &str)> = field.scalars().collect();
    if values.is_empty() || !field.is_scalar() {
        return None;
    }
    let mut formats: Vec<String> = Vec::new();
    for (_, text) in values.iter().take(50) {
        for format in shape::formats(text) {
            if formats.len() < FORMATS_MAX && !formats.contains(&format) {
                formats.push(format);
            }
        }
    }
    let mut readings: Vec<Reading> =
        formats.into_iter().filter_map(|format| reading(format, &values, now)).collect();
    // What reads more comes first, and among equals what keeps out of the future; a stable sort keeps the preference.
    readings.sort_by_key(|reading| (std::cmp::Reverse(reading.fits), reading.ahead));
    let is_number =
        values.iter().all(|(_, text)| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'));
    let (updated, created) = (likeness(field, &UPDATED), likeness(field, &CREATED));
    let parts = field.words();
    // Numbers are dates only where the name says so.
    if is_number && updated.max(created) == 0.0 && !has_any(&parts, &DATES) {
        return None;
    }
    let mut readings = readings.into_iter();
    let best = readings.next()?;
    if best.fits * 2 < values.len() {
        return None;
    }
    let others = readings.filter(|other| other.fits == best.fits).collect();
    Some(Dated { field, values: values.len(), best, others, updated, created, told_by: None })
}

fn reading(format: String, values: &[(usize, &str)], now: Timestamp) -> Option<Reading> {
    let compiled = DateFormat::compile(&format, &Zone::utc()).ok()?.format;
    let mut instants = Vec::new();
    for (at, text) in values {
        let Ok(parsed) = compiled.parse(text) else { continue };
        if compiled.plausible(parsed.at, now).is_ok() {
            instants.push((*at, parsed.at));
        }
    }
    let ahead = instants.iter().filter(|(_, at)| *at > now).count();
    // A literal `Z` says UTC as well as an offset does.
    let has_offset = compiled.has_offset() || format.contains("'Z'");
    (!instants.is_empty()).then_some(Reading { format, fits: instants.len(), instants, has_offset, ahead })
}

/// How much a name speaks for one of the two dates.
fn likeness(field: &Field, wanted: &[&str]) -> f64 {
    let parts = field.words();
    let whole = joined(&parts);
    let by_word = has_any(&parts, wanted);
    let by_start = wanted.iter().any(|word| word.len() > 4 && whole.contains(word));
    if !(by_word || by_start) || has_any(&parts, &["by", "user", "count", "id"]) {
        return 0.0;
    }
    let dated = if has_any(&parts, &DATES) || by_start { 1.0 } else { 0.9 };
    let depth = i32::try_from(field.names.len()).unwrap_or(i32::MAX).saturating_sub(1);
    dated * if by_word { 1.0 } else { 0.9 } * 0.8_f64.powi(depth)
}

fn pick(dated: &[Dated<'_>], score: impl Fn(&Dated<'_>) -> f64) -> Option<usize> {
    let key = |at: &usize| (score(&dated[*at]), dated[*at].values);
    let mut found: Option<usize> = None;
    for at in (0..dated.len()).filter(|at| score(&dated[*at]) > 0.0) {
        if found.is_none_or(|best| key(&at) > key(&best)) {
            found = Some(at);
        }
    }
    found
}

/// Without a name that says so: the date that is never before another one of its record. It takes two to compare.
fn latest(dated: &[Dated<'_>]) -> Option<usize> {
    let may_be: Vec<usize> = (0..dated.len())
        .filter(|at| dated[*at].created == 0.0 && !has_any(&dated[*at].field.words(), &OTHERS))
        .collect();
    let is_latest = |at: &&usize| {
        let others = (0..dated.len()).filter(|other| other != *at);
        let orders: Vec<Order> = others.map(|other| Order::of(&dated[**at], &dated[other])).collect();
        orders.iter().any(|order| order.later > 0) && orders.iter().all(|order| order.earlier == 0)
    };
    may_be.iter().find(is_latest).copied()
}

/// How two dates of the same records stand to each other.
struct Order {
    compared: usize,
    earlier: usize,
    later: usize,
}

impl Order {
    fn of(one: &Dated<'_>, other: &Dated<'_>) -> Order {
        let mut order = Order { compared: 0, earlier: 0, later: 0 };
        let mut rest = other.best.instants.iter().peekable();
        for (at, instant) in &one.best.instants {
            while rest.peek().is_some_and(|(of, _)| of < at) {
                rest.next();
            }
            let Some((_, compared)) = rest.peek().filter(|(of, _)| of == at) else { continue };
            order.compared += 1;
            order.earlier += usize::from(instant < compared);
            order.later += usize::from(instant > compared);
        }
        order
    }
}

/// Day and month are written in one order in all of a record: where one member is certain, it tells the others.
fn settle_order(dated: &mut [Dated<'_>]) {
    let order = |format: &str| Some(format.find('d')? < format.find('M')?);
    let certain = dated.iter().find_map(|one| {
        let own = order(&one.best.format)?;
        let is_numeric = !one.best.format.contains("MMM") && !one.best.format.starts_with("yyyy");
        let is_certain = one.others.iter().all(|other| order(&other.format) == Some(own));
        (is_numeric && is_certain).then(|| (own, one.field.path.clone()))
    });
    let Some((days_first, path)) = certain else { return };
    for one in dated.iter_mut().filter(|one| order(&one.best.format) != Some(days_first)) {
        let other = one.others.iter().position(|other| order(&other.format) == Some(days_first));
        if let Some(at) = other {
            std::mem::swap(&mut one.best, &mut one.others[at]);
        }
    }
    for one in dated.iter_mut().filter(|one| one.field.path != path && !one.best.format.starts_with("yyyy")) {
        let before = one.others.len();
        one.others.retain(|other| order(&other.format) == Some(days_first));
        if one.others.len() < before {
            one.told_by = Some(path.clone());
        }
    }
}

fn propose_one(
    which: &str,
    dated: &[Dated<'_>],
    at: usize,
    records: usize,
    order: Option<(&Dated<'_>, &Dated<'_>)>,
    now: Timestamp,
    draft: &mut Draft,
) {
    let one = &dated[at];
    let score = |one: &Dated<'_>| if which == "updated" { one.updated } else { one.created };
    let mut evidence = match score(one) {
        0.0 => format!("`{}` is a date, and never earlier than any other date of its record", one.field.path),
        _ => format!("`{}` is called like a date of that kind", one.field.path),
    };
    evidence.push_str(&format!(" and is there in {} of {}", one.values, counted(records, "record")));
    let mut confidence = if score(one) > 0.0 { 0.5 + 0.45 * score(one) } else { 0.4 };
    if let Some((updated, created)) = order {
        let Order { compared, earlier, .. } = Order::of(updated, created);
        if compared > 0 {
            let name = &created.field.path;
            evidence
                .push_str(&format!("; it is not before `{name}` in {} of {compared}", compared - earlier));
        }
        if earlier > 0 {
            confidence *= 0.6;
            draft.warn(format!(
                "`{}` is before `{}` in {}: see whether it really is the date of the last update",
                updated.field.path,
                created.field.path,
                counted(earlier, "record")
            ));
        }
    }
    if one.values < records {
        draft.warn(format!(
            "{} of {} have no `{}`; what becomes of them is said by `missingDate`",
            records - one.values,
            counted(records, "record"),
            one.field.path
        ));
    }
    let others = (0..dated.len()).filter(|other| *other != at);
    let mut others: Vec<&Dated<'_>> = others.map(|other| &dated[other]).collect();
    others.sort_by(|one, other| score(other).total_cmp(&score(one)));
    let alternatives = others.iter().map(|other| {
        let says = format!("it is a date in {} of {}", other.best.fits, counted(records, "record"));
        Alternative::new(other.field.path.clone(), says)
    });
    let setting = |part: &str| format!("datesConfiguration.{which}Date{part}");
    let proposal = Proposal::new(&setting("Field"), one.field.path.clone(), confidence, evidence);
    draft.propose(proposal.or(alternatives));
    propose_format(&setting("Format"), one, draft);
    propose_zone(&setting("Timezone"), one, now, draft);
}

fn propose_format(setting: &str, one: &Dated<'_>, draft: &mut Draft) {
    let Reading { format, fits, .. } = &one.best;
    let mut evidence = format!("it reads {fits} of {}", counted(one.values, "value"));
    let mut confidence: f64 = if *fits == one.values { 0.95 } else { 0.4 };
    let differs = |other: &&Reading| other.instants != one.best.instants;
    let rivals: Vec<&Reading> = one.others.iter().filter(differs).collect();
    if let Some(rival) = rivals.first() {
        let words = format!("`{}` of every record fits `{format}` and `{}`", one.field.path, rival.format);
        if rival.ahead > one.best.ahead {
            evidence.push_str(&format!(
                "; `{}` reads them too, but puts {} into the future",
                rival.format,
                counted(rival.ahead - one.best.ahead, "more value")
            ));
            confidence = 0.8;
        } else {
            draft.warn(format!(
                "{words}, and they mean different days: no record of the sample has a day after the 12th, so look up \
                 which one it is"
            ));
            confidence = 0.4;
        }
    }
    if let Some(path) = &one.told_by {
        evidence.push_str(&format!("; `{path}`, which is certain, has day and month in the same order"));
    }
    if *fits < one.values {
        draft.warn(format!(
            "`{format}` reads only {fits} of {} of `{}`; the others are written otherwise",
            counted(one.values, "value"),
            one.field.path
        ));
    }
    let alternatives = one.others.iter().map(|other| {
        let same = if other.instants == one.best.instants { " to the same instants" } else { "" };
        Alternative::new(other.format.clone(), format!("it reads {} of {}{same}", other.fits, one.values))
    });
    draft.propose(Proposal::new(setting, format.clone(), confidence, evidence).or(alternatives));
}

/// Dates without an offset say nothing of their zone, except where they would lie ahead of us.
fn propose_zone(setting: &str, one: &Dated<'_>, now: Timestamp, draft: &mut Draft) {
    if one.best.has_offset {
        return;
    }
    let newest = one.best.instants.iter().map(|(_, at)| *at).max().unwrap_or(now);
    let ahead = newest.duration_since(now);
    let path = &one.field.path;
    if ahead > SignedDuration::from_mins(1) && ahead <= ZONE_MAX {
        let quarters = (ahead.as_secs() + 899) / 900;
        let zone = format!("+{:02}:{:02}", quarters / 4, quarters % 4 * 15);
        let evidence = format!(
            "no value has an offset; read in UTC the newest would lie {} min ahead of now, so the zone is at least {zone}",
            ahead.as_secs() / 60
        );
        let utc =
            Alternative::new("UTC", "if the provider's clock is wrong, or the date lies ahead on purpose");
        draft.warn(format!("the zone of `{path}` is a guess from its newest value: look it up"));
        draft.propose(Proposal::new(setting, zone, 0.4, evidence).or([utc]));
        return;
    }
    let evidence = format!(
        "none of {} has an offset, so nothing tells the zone; UTC is the usual one",
        counted(one.values, "value")
    );
    draft.warn(format!("no value of `{path}` has an offset: its zone is taken to be UTC, look it up"));
    draft.propose(Proposal::new(setting, "UTC", 0.4, evidence));
}
