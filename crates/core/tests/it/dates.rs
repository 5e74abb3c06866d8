//! Dates against Java's own implementation, against the published formats, and against tables read by people.
//!
//! `tests/java/Dates.java` writes the cases: a fixed set is committed, `scripts/test-java.sh` brings fresh ones through
//! `TURNSTONE_JAVA_CASES`. A difference passes only as a member of a class named here and explained in `docs/dates.md`;
//! each class checks what it claims.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use turnstone_core::date::{Compiled, DateFormat, ParseError, PatternError, Zone, ZoneRules};

/// Where we differ from Java on purpose. The order is that of `docs/dates.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    /// 1. A pattern that does not fix a date is refused when it is saved.
    Pattern,
    /// 2. `S` is digits after the point.
    Fraction,
    /// 3. A zone in a text may have every shape of the field.
    ZoneShape,
    /// 4. `z` prints the abbreviation of the IANA data.
    ZoneName,
    /// 5. `X` and `Z` keep the instant where they cannot say the whole offset.
    HourOffset,
    /// 6. A repeated local time is the earlier one.
    Fold,
    /// 7. A skipped local time is moved forward.
    Gap,
    /// 8. `24:00:00` and leap seconds are read.
    DayEnd,
    /// 9. Everything in the text must agree.
    Contradiction,
    /// 10. Texts that Java prints or could read but refuses.
    Refused,
    /// 11. Before 1900 the calendars and zone data differ.
    Old,
    /// 12. Years end at 9999, and no number is negative or wraps around.
    Number,
}

const CLASSES: [Class; 12] = [
    Class::Pattern,
    Class::Fraction,
    Class::ZoneShape,
    Class::ZoneName,
    Class::HourOffset,
    Class::Fold,
    Class::Gap,
    Class::DayEnd,
    Class::Contradiction,
    Class::Refused,
    Class::Old,
    Class::Number,
];

impl Class {
    fn explanation(self) -> &'static str {
        match self {
            Class::Pattern => "a pattern that does not fix a date is refused when it is saved",
            Class::Fraction => "S is digits after the point, not a number of milliseconds",
            Class::ZoneShape => "a zone in a text may have every shape of the field",
            Class::ZoneName => "z prints the abbreviation of the IANA data",
            Class::HourOffset => "X and Z keep the instant where they cannot say the whole offset",
            Class::Fold => "a local time that occurs twice is the earlier one",
            Class::Gap => "a local time that does not occur is moved forward",
            Class::DayEnd => "24:00:00 and leap seconds are read",
            Class::Contradiction => "everything in a text must agree, repeated parts too",
            Class::Refused => "Java refuses texts of its own printing around New Year",
            Class::Old => "before 1900 Java changes to the Julian calendar and has no zone data",
            Class::Number => "Java reads years beyond 9999 and over-long or negative numbers",
        }
    }
}

/// 1900-01-01T00:00:00Z in milliseconds; a day more for zones.
const OLD: i64 = -2_208_988_800_000 + 86_400_000;

/// The first instant that four digits cannot say, in milliseconds.
const YEAR_10000: i64 = 253_402_300_800_000;

/// A pattern in a zone, both as Java named them.
struct Group<'a> {
    pattern: &'a str,
    letters: String,
    zone: Zone,
    format: Result<DateFormat, PatternError>,
}

impl Group<'_> {
    fn new<'a>(pattern: &'a str, zone: &str) -> Group<'a> {
        let zone = Zone::parse(zone, ZoneRules::default()).expect("the generator names zones that exist");
        let format = DateFormat::compile(pattern, &zone).map(|compiled| compiled.format);
        Group { pattern, letters: letters(pattern), zone, format }
    }

    fn has(&self, set: &str) -> bool {
        self.letters.contains(|letter| set.contains(letter))
    }

    /// Whether two letters say the same thing; Java then forgets the first.
    fn says_twice(&self) -> bool {
        let hours = "HkKh".chars().filter(|letter| self.has(&letter.to_string())).count();
        hours > 1 || (self.has("E") && self.has("u")) || self.has("Y")
    }

    /// The length of the longest run of a letter outside quotes.
    fn run(&self, letter: char) -> usize {
        self.letters.split(|other| other != letter).map(str::len).max().unwrap_or(0)
    }
}

/// A pattern without its quoted parts.
fn letters(pattern: &str) -> String {
    pattern.split('\'').step_by(2).collect::<Vec<_>>().join("'")
}

#[derive(Default)]
struct Tally {
    cases: usize,
    prints: usize,
    reads: usize,
    classes: BTreeMap<Class, usize>,
    faults: Vec<String>,
}

impl Tally {
    fn judge(&mut self, agreed: bool, class: impl FnOnce() -> Option<Class>, fault: impl FnOnce() -> String) {
        self.cases += 1;
        if agreed {
            return;
        }
        match class() {
            Some(class) => *self.classes.entry(class).or_default() += 1,
            None => self.faults.push(fault()),
        }
    }

    fn report(&self) -> String {
        let mut report =
            format!("{} cases, {} printed, {} read by both", self.cases, self.prints, self.reads);
        for class in CLASSES {
            let count = self.classes.get(&class).copied().unwrap_or(0);
            let number = class as usize + 1;
            let _ = write!(report, "\n{count:8}  {number:2}. {}", class.explanation());
        }
        report
    }
}

fn compare(cases: &str) -> Tally {
    let mut tally = Tally::default();
    let mut group = None;
    for line in cases.lines() {
        let parts: Vec<&str> = line.split('\t').collect();
        match (parts.as_slice(), &group) {
            (["F", pattern, zone], _) => group = Some(Group::new(pattern, zone)),
            (["P", millis, text, back], Some(group)) => {
                let millis = millis.parse().expect("the generator writes numbers");
                let back = if *back == "=" { Some(millis) } else { back.parse().ok() };
                compare_print(&mut tally, group, millis, text);
                compare_read(&mut tally, group, text, back);
            }
            (["R", text, millis], Some(group)) => compare_read(&mut tally, group, text, millis.parse().ok()),
            _ => tally.faults.push(format!("unreadable line `{line}`")),
        }
    }
    tally
}

fn compare_print(tally: &mut Tally, group: &Group, millis: i64, java: &str) {
    let at = Timestamp::from_millisecond(millis).expect("the generator keeps to years 1 to 9999");
    let Ok(format) = &group.format else {
        return tally.judge(false, || refused_pattern(group), || format!("`{}` is refused", group.pattern));
    };
    let ours = format.print(at);
    tally.prints += usize::from(ours == java);
    tally.judge(
        ours == java,
        || print_class(group, at, java, &ours),
        || format!("`{}` in {} prints {at} as `{ours}`, Java `{java}`", group.pattern, group.zone.name()),
    );
}

/// Patterns are refused for what they lack, never for a letter or quote that Java understands.
fn refused_pattern(group: &Group) -> Option<Class> {
    match &group.format {
        Err(PatternError::Unusable { .. }) => Some(Class::Pattern),
        Err(PatternError::Quote { .. } | PatternError::Letter { .. }) | Ok(_) => None,
    }
}

fn print_class(group: &Group, at: Timestamp, java: &str, ours: &str) -> Option<Class> {
    if at.as_millisecond() < OLD {
        return Some(Class::Old);
    }
    let offset = group.zone.time_zone().to_offset(at).seconds();
    let step = if group.run('X') == 1 { 3_600 } else { 60 };
    if group.has("XZ") && offset % step != 0 {
        // The same instant, in the zone that the text names.
        let minutes = offset / step * step / 60;
        let sign = if minutes < 0 { '-' } else { '+' };
        let name = format!("{sign}{:02}{:02}", minutes.abs() / 60, minutes.abs() % 60);
        let said = Zone::parse(&name, ZoneRules::default()).ok()?;
        let same = DateFormat::compile(group.pattern, &said).ok()?.format.print(at);
        return (ours == same || group.has("z")).then_some(Class::HourOffset);
    }
    let fraction = group.run('S') != 3 && group.has("S");
    if fraction && same_but_for(group, "S", at, java) {
        return Some(Class::Fraction);
    }
    (group.has("z") && same_but_for(group, if fraction { "zS" } else { "z" }, at, java))
        .then_some(Class::ZoneName)
}

/// Whether Java's text is ours, save for what these letters print.
fn same_but_for(group: &Group, set: &str, at: Timestamp, java: &str) -> bool {
    let mut marked = String::new();
    let mut quoted = false;
    for char in group.pattern.chars() {
        quoted ^= char == '\'';
        if quoted || !set.contains(char) {
            marked.push(char);
        } else if !marked.ends_with('\u{1}') {
            marked.push('\u{1}');
        }
    }
    let Ok(Compiled { format, .. }) = DateFormat::compile(&marked, &group.zone) else { return false };
    let ours = format.print(at);
    let mut rest = java;
    for (index, part) in ours.split('\u{1}').enumerate() {
        let Some(found) = rest.find(part).filter(|found| index > 0 || *found == 0) else { return false };
        rest = &rest[found + part.len()..];
    }
    ours.ends_with('\u{1}')
        || rest.is_empty()
        || java.ends_with(ours.rsplit('\u{1}').next().unwrap_or_default())
}

fn compare_read(tally: &mut Tally, group: &Group, text: &str, java: Option<i64>) {
    let Ok(format) = &group.format else {
        return tally.judge(false, || refused_pattern(group), || format!("`{}` is refused", group.pattern));
    };
    let ours = format.parse(text);
    let agreed = match (ours, java) {
        (Ok(ours), Some(java)) => ours.at.as_nanosecond() == i128::from(java) * 1_000_000,
        (Err(_), None) => true,
        (Ok(_), None) | (Err(_), Some(_)) => false,
    };
    tally.reads += usize::from(agreed && java.is_some());
    tally.judge(
        agreed,
        || match (ours, java) {
            (Ok(ours), Some(java)) => other_instant(group, format, text, ours.at, java),
            (Ok(ours), None) => beyond_java(group, text, ours.at, ours.shifted),
            (Err(error), Some(java)) => short_of_java(group, text, error, java),
            (Err(_), None) => None,
        },
        || format!("`{}` in {} reads `{text}` as {ours:?}, Java {java:?}", group.pattern, group.zone.name()),
    );
}

/// Both read it, differently.
fn other_instant(
    group: &Group,
    format: &DateFormat,
    text: &str,
    ours: Timestamp,
    java: i64,
) -> Option<Class> {
    let theirs = Timestamp::from_millisecond(java).unwrap_or(Timestamp::MAX);
    if java < OLD {
        return Some(Class::Old);
    }
    let century =
        group.run('y').max(group.run('Y')) <= 2 && theirs.duration_since(ours).as_hours() / 24 == 36_525;
    if ours == Timestamp::MAX || java >= YEAR_10000 || century {
        return Some(Class::Number);
    }
    if group.has("S") && ours.as_second() == theirs.as_second() {
        return Some(Class::Fraction);
    }
    let apart = theirs.duration_since(ours);
    let within_a_second = apart.abs() < SignedDuration::from_secs(1) || group.has("S");
    if let Some(fold) = format.fold_before(ours)
        && within_a_second | (apart == fold)
        && (apart - fold).abs() < SignedDuration::from_secs(1)
    {
        return Some(Class::Fold);
    }
    (group.has("zZ") && names_an_offset(format, text, ours)).then_some(Class::ZoneShape)
}

/// Whether the text holds an abbreviation, and its fixed offset in its place gives the same instant.
fn names_an_offset(format: &DateFormat, text: &str, ours: Timestamp) -> bool {
    let runs = text.split(|char: char| !char.is_ascii_alphabetic());
    let parts = runs.flat_map(|run| {
        let starts =
            (2..=run.len().min(4)).flat_map(|length| (0..=run.len() - length).map(move |at| (at, length)));
        starts.map(move |(at, length)| &run[at..at + length])
    });
    // All agree on these two, save that Java calls the British standard time of 1968 to 1971 GMT, at +1:00.
    let british = ours.as_second() < 63_072_000;
    let agreed = |run: &str| run.eq_ignore_ascii_case("UTC") || (run.eq_ignore_ascii_case("GMT") && !british);
    let parts = parts.filter(|run| !agreed(run));
    parts.filter_map(|run| Some((run, Zone::parse(run, ZoneRules::default()).ok()?))).any(|(run, zone)| {
        let offset = zone.time_zone().to_offset(ours);
        let minutes = offset.seconds() / 60;
        let sign = if minutes < 0 { '-' } else { '+' };
        let numeric = format!("{sign}{:02}{:02}", minutes.abs() / 60, minutes.abs() % 60);
        format.parse(&text.replacen(run, &numeric, 1)).is_ok_and(|read| read.at == ours)
    })
}

/// We read it, Java does not.
fn beyond_java(group: &Group, text: &str, ours: Timestamp, shifted: bool) -> Option<Class> {
    if shifted {
        return Some(Class::Gap);
    }
    if ours.as_millisecond() < OLD {
        return Some(Class::Old);
    }
    if group.has("S") {
        return Some(Class::Fraction);
    }
    if group.has("zZX") {
        return Some(Class::ZoneShape);
    }
    if group.has("H") && text.contains("24") {
        return Some(Class::DayEnd);
    }
    group.has("wWFEuYD").then_some(Class::Refused)
}

/// Java reads it, we do not.
fn short_of_java(group: &Group, text: &str, error: ParseError, java: i64) -> Option<Class> {
    if java < OLD {
        return Some(Class::Old);
    }
    if java >= YEAR_10000 - 86_400_000 {
        return Some(Class::Number);
    }
    let digits = text.split(|char: char| !char.is_ascii_digit()).map(str::len).max().unwrap_or(0);
    match error {
        ParseError::Contradiction { .. } => group.has("EuYwWFDzZXahHkK").then_some(Class::Contradiction),
        ParseError::Range { .. } | ParseError::Expected { .. } if group.says_twice() => {
            Some(Class::Contradiction)
        }
        ParseError::Expected { .. } if group.has("S") && digits > 9 => Some(Class::Fraction),
        // Where numbers run together, `-0` may be followed by the digits of the next one.
        ParseError::Expected { .. } if !group.pattern.contains('-') && text.contains("-0") => {
            Some(Class::Number)
        }
        _ => (digits > 9 || has_negative(text)).then_some(Class::Number),
    }
}

/// A minus sign before nothing but zeros: Java takes `-0` for a number, and zero for what it is.
fn has_negative(text: &str) -> bool {
    text.split('-').skip(1).any(|rest| {
        let digits = rest.len() - rest.trim_start_matches(|char: char| char.is_ascii_digit()).len();
        digits > 0 && rest[..digits].bytes().all(|digit| digit == b'0')
    })
}

fn assert_sound(tally: &Tally) {
    println!("{}", tally.report());
    let shown: Vec<&String> = tally.faults.iter().take(40).collect();
    assert!(
        tally.faults.is_empty(),
        "{} unexplained differences, the first:\n{shown:#?}",
        tally.faults.len()
    );
}

#[test]
fn java_agrees() {
    let tally = compare(include_str!("../golden/dates-java.tsv"));
    assert!(tally.cases >= 20_000, "only {} cases", tally.cases);
    // The classes must stay the exception: most cases agree, on both sides.
    assert!(tally.prints >= 3_000 && tally.reads >= 6_000, "{}", tally.report());
    assert_sound(&tally);
}

#[test]
fn java_agrees_on_fresh_cases() {
    // Without the variable there are no fresh cases; `scripts/test-java.sh` sets it and asks for the count.
    let Some(path) = std::env::var_os("TURNSTONE_JAVA_CASES") else { return };
    let cases = std::fs::read_to_string(Path::new(&path)).expect("the cases are readable");
    let tally = compare(&cases);
    let least =
        std::env::var("TURNSTONE_JAVA_LEAST").map_or(200_000, |least| least.parse().expect("a number"));
    assert!(tally.cases >= least, "only {} cases", tally.cases);
    assert_sound(&tally);
}

#[test]
fn a_wrong_case_is_found() {
    let faults = |cases: &str| compare(cases).faults.len();
    assert_eq!(
        faults("F\tyyyy-MM-dd\tUTC\nP\t0\t1970-01-01\t=\nR\t1970-01-03\t172800000\nR\t1970-01-32\t-"),
        0
    );
    assert_eq!(faults("F\tyyyy-MM-dd\tUTC\nP\t0\t1970-01-02\t86400000"), 1);
    assert_eq!(faults("F\tyyyy-MM-dd\tUTC\nR\t1970-01-02\t-"), 1);
    assert_eq!(faults("F\tyyyy-MM-dd\tUTC\nR\t1970-01-02\t0"), 1);
    assert_eq!(faults("F\tyyyy-MM-dd\tUTC\nR\t1970-01-x\t0"), 1);
    assert_eq!(faults("F\tyyyy-MM-dd HH:mm z\tUTC\nP\t0\t1970-01-01 01:00 UTC\t="), 2);
    assert_eq!(faults("nonsense"), 1);
}

/// Lines of a table for people: cells between ` | `, `#` begins a remark.
fn rows(table: &str) -> impl Iterator<Item = Vec<&str>> {
    table
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split(" | ").collect())
}

fn compile(pattern: &str, zone: &str) -> Result<Compiled, PatternError> {
    DateFormat::compile(
        pattern,
        &Zone::parse(zone, ZoneRules::default()).expect("the tables name zones that exist"),
    )
}

/// Fails with the rows as they should read, so that a wanted change is copied after it was looked at.
#[track_caller]
fn assert_rows(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} rows differ; they now are:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn texts_are_read_as_the_table_says() {
    let mut wrong = Vec::new();
    for row in rows(include_str!("../golden/dates-read.txt")) {
        let [pattern, zone, text, expect] = row[..] else { panic!("a row has four cells: {row:?}") };
        let format = compile(pattern, zone).expect("the table has usable patterns").format;
        let shown = match format.parse(text) {
            Ok(parsed) => format!("{}{}", parsed.at, if parsed.shifted { " shifted" } else { "" }),
            Err(error) => error.to_string(),
        };
        if shown != expect {
            wrong.push(format!("{pattern} | {zone} | {text} | {shown}"));
        }
    }
    assert_rows(&wrong);
}

#[test]
fn damaged_formats_are_told_what_is_wrong() {
    let mut wrong = Vec::new();
    for row in rows(include_str!("../golden/dates-refused.txt")) {
        let [pattern, expect] = row[..] else { panic!("a row has two cells: {row:?}") };
        let shown = match compile(pattern, "UTC") {
            Ok(compiled) => compiled.repairs.join("; "),
            Err(error) => error.to_string(),
        };
        assert!(!shown.is_empty(), "`{pattern}` is accepted without a word");
        if shown != expect {
            wrong.push(format!("{pattern} | {shown}"));
        }
    }
    assert_rows(&wrong);
}

#[test]
fn every_published_format_is_usable_or_known_damage() {
    let damage = [
        "key",
        "employees",
        "credit-terms",
        "10 digit integer Unix time",
        "10 digit integer Unix time'",
        "518862600",
        "518862600'",
    ];
    let mended = [
        "yyyy-MM-dd'T'HH:mm:ssXXX'",
        "yyyy-MM-dd'T'HH:mm:ss'",
        "yyyy-MM-dd'T'HH:mm:ss.SSSX'",
        "milliseconds'",
    ];
    let at: Timestamp = "2019-05-09T13:37:30.123456Z".parse().expect("a sound instant");
    let mut usable = 0;
    for line in include_str!("../corpus/date-formats.txt").lines().filter(|line| !line.starts_with('#')) {
        let published = line.split('\t').nth(4).expect("five columns");
        // Placeholders without a format stand in brackets: `(bare ${epoch})`.
        let inner = published.strip_prefix("(bare ${").or_else(|| published.strip_prefix("(${"));
        let pattern = inner.map_or(published, |inner| inner.trim_end_matches("})"));
        let Ok(Compiled { format, repairs }) = compile(pattern, "America/New_York") else {
            assert!(damage.contains(&published), "`{published}` is refused");
            continue;
        };
        assert!(!damage.contains(&published), "`{published}` is accepted");
        assert_eq!(!repairs.is_empty(), mended.contains(&published), "`{published}`: {repairs:?}");
        let floor = format.floor(at, format.resolution());
        let text = format.print(floor);
        assert_eq!(format.parse(&text).map(|parsed| parsed.at), Ok(floor), "`{published}` printed `{text}`");
        usable += 1;
    }
    assert_eq!(usable, 26, "formats of the corpus that work");
}

#[test]
fn the_published_examples_are_read_and_printed() {
    let table = [
        ("yyyy-MM-dd'T'HH:mm:ssXXX", "2019-05-09T13:37:30-07:00", "2019-05-09T20:37:30Z"),
        ("yyyy-MM-dd'T'HH:mm:ssZ", "2019-05-09T13:38:01-0700", "2019-05-09T20:38:01Z"),
        ("yyyy-MM-dd'T'HH:mm:ss'Z'", "2019-05-09T13:38:41Z", "2019-05-09T20:38:41Z"),
        ("yyyy-MM-dd", "2019-05-09", "2019-05-09T07:00:00Z"),
        ("yyyy/MM/dd HH:mm:ss", "2019/05/09 13:39:11", "2019-05-09T20:39:11Z"),
        ("MM/dd/yyyy'T'HH:mm:ssXXX", "05/09/2019T13:39:34-07:00", "2019-05-09T20:39:34Z"),
        ("MM/dd/yyyy", "05/09/2019", "2019-05-09T07:00:00Z"),
        ("dd/MM/yyyy'T'HH:mm:ssXXX", "09/05/2019T13:40:20-07:00", "2019-05-09T20:40:20Z"),
        ("dd/MM/yyyy", "09/05/2019", "2019-05-09T07:00:00Z"),
        ("EEE, dd MMM yyyy HH:mm:ss Z", "Thu, 09 May 2019 13:41:35 -0700", "2019-05-09T20:41:35Z"),
    ];
    for (pattern, text, expect) in table {
        let format = compile(pattern, "-7:00").expect("a published pattern").format;
        let at = format.parse(text).expect("a published example").at;
        assert_eq!((at.to_string(), format.print(at)), (expect.to_owned(), text.to_owned()), "{pattern}");
    }
}
