//! Holds the date cards against cases that moment.js made (`tests/moment/cases.mjs`).
//!
//! Two test binaries use this file: the core's with the committed cases, the program's with fresh ones. A difference is
//! either in a class that `docs/flow-cards.md` names, or a fault.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use turnstone_core::date::{Zone, ZoneRules};
use turnstone_core::flow::cards::{Context, Inputs, evaluate};
use turnstone_core::flow::moment::{Fit, Format};
use turnstone_core::flow::value::{Number, Value};

/// Differences that are meant; the words stand in `docs/flow-cards.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Years beyond 9998, and offsets or instants beyond what an instant here can hold.
    Beyond,
    /// More than three digits of a second are kept.
    Finer,
    /// A number counted from 1970 beside other tokens: moment-timezone moves it by the zone, it is an instant here.
    Counted,
    /// From 2037 on moment-timezone knows no daylight saving.
    Future,
}

/// What a comparison came to.
#[derive(Debug, Default)]
pub struct Tally {
    /// Cases by kind: printing, reading, adding, counting.
    pub cases: BTreeMap<char, usize>,
    /// Texts that both read.
    pub reads: usize,
    /// Texts that both refuse.
    pub refused: usize,
    /// Meant differences.
    pub classes: BTreeMap<Class, usize>,
    /// Differences that nobody meant.
    pub faults: Vec<String>,
}

impl Tally {
    /// All cases.
    pub fn sum(&self) -> usize {
        self.cases.values().sum()
    }
}

fn zone(name: &str) -> Zone {
    Zone::parse(name, ZoneRules::default()).expect("the cases name zones that exist")
}

fn at(cell: &str) -> Timestamp {
    Timestamp::from_millisecond(cell.parse().expect("milliseconds")).expect("an instant that can be held")
}

/// Compares every case.
pub fn compare(cases: &str) -> Tally {
    let mut tally = Tally::default();
    let mut zones: HashMap<String, Zone> = HashMap::new();
    for line in cases.lines() {
        let cells: Vec<&str> = line.split('\t').collect();
        let mut zone = |name: &str| zones.entry(name.to_owned()).or_insert_with(|| zone(name)).clone();
        let kind = match cells[..] {
            ["P", format, place, instant, text] => {
                print(&mut tally, format, &zone(place), at(instant), text);
                'P'
            }
            ["R", format, place, now, fit, text, result] => {
                let fit = if fit == "strict" { Fit::Strict } else { Fit::Forgiving };
                read(&mut tally, line, (format, text), (&zone(place), at(now), fit), result);
                'R'
            }
            ["A", start, number, units, result] => {
                add(&mut tally, line, start, (number, units), result);
                'A'
            }
            ["D", start, end, years, months, days, hours] => {
                count(&mut tally, line, (start, end), [years, months, days, hours]);
                'D'
            }
            _ => {
                tally.faults.push(format!("no case: {line}"));
                '?'
            }
        };
        *tally.cases.entry(kind).or_default() += 1;
    }
    tally
}

fn print(tally: &mut Tally, format: &str, zone: &Zone, at: Timestamp, text: &str) {
    let ours = Format::compile(format).expect("the cases have sound formats").print(at, zone);
    if ours != text {
        tally.faults.push(format!("`{format}` prints {at} in {} as `{ours}`, moment `{text}`", zone.name()));
    }
}

fn read(
    tally: &mut Tally,
    line: &str,
    (format, text): (&str, &str),
    (zone, now, fit): (&Zone, Timestamp, Fit),
    result: &str,
) {
    let compiled = Format::compile(format).expect("the cases have sound formats");
    let ours = compiled.read(text, zone, now, fit);
    let theirs: Option<i64> = (result != "-").then(|| result.parse().expect("milliseconds"));
    match (&ours, theirs) {
        (Ok(ours), Some(theirs)) if ours.as_millisecond() == theirs => tally.reads += 1,
        (Ok(ours), Some(theirs)) if ours.as_nanosecond().div_euclid(1_000_000) == i128::from(theirs) => {
            *tally.classes.entry(Class::Finer).or_default() += 1;
        }
        (Err(_), None) => tally.refused += 1,
        // Years of five digits and more are dates in JavaScript.
        (Err(why), Some(_)) if why.to_string().contains("beyond all dates") => {
            *tally.classes.entry(Class::Beyond).or_default() += 1;
        }
        (Ok(ours), Some(theirs)) if zone.name() != "UTC" => match class(format, zone, *ours, theirs) {
            Some(class) => *tally.classes.entry(class).or_default() += 1,
            None => tally.faults.push(format!("reads {ours:?}: {line}")),
        },
        _ => tally.faults.push(format!("reads {ours:?}: {line}")),
    }
}

/// The class of two readings that differ by what the zone adds.
fn class(format: &str, zone: &Zone, ours: Timestamp, theirs: i64) -> Option<Class> {
    let apart = ours.as_nanosecond().div_euclid(1_000_000) - i128::from(theirs);
    let offset = i128::from(zone.time_zone().to_offset(ours).seconds()) * 1_000;
    let has_count = format.contains(['x', 'X']);
    if has_count && apart.abs() <= offset.abs() + 3_600_000 && apart * offset >= 0 {
        return Some(Class::Counted);
    }
    let year_2037 = 2_114_380_800_000;
    (theirs > year_2037 && matches!(apart.abs(), 1_800_000 | 3_600_000)).then_some(Class::Future)
}

fn card(id: &str, inputs: &[(&str, Value)]) -> Result<HashMap<String, Value>, String> {
    let mut given = Inputs::new();
    for (key, value) in inputs {
        given.set(*key, value.clone());
    }
    let context = Context { now: Timestamp::UNIX_EPOCH, zones: ZoneRules::default(), seed: 0, counter: 0 };
    evaluate(id, &given, &context).map(|outputs| outputs.into_iter().collect()).map_err(|why| why.to_string())
}

fn add(tally: &mut Tally, line: &str, start: &str, (number, units): (&str, &str), result: &str) {
    let number = Number::parse(number).expect("a number");
    let inputs = [("start", Value::Date(at(start))), ("scale", number.into()), ("units", Value::text(units))];
    let ours = card("date.add", &inputs);
    let expect = Value::Date(at(result));
    if ours.as_ref().ok().and_then(|outputs| outputs.get("output")) != Some(&expect) {
        tally.faults.push(format!("adds {ours:?}: {line}"));
    }
}

fn count(tally: &mut Tally, line: &str, (start, end): (&str, &str), results: [&str; 4]) {
    let ours = card("date.difference", &[("start", Value::Date(at(start))), ("end", Value::Date(at(end)))]);
    let keys = ["years", "months", "days", "hours"];
    let agrees = |outputs: &HashMap<String, Value>| {
        keys.iter().zip(results).all(|(key, result)| outputs[*key].to_json() == result)
    };
    if !ours.as_ref().is_ok_and(agrees) {
        tally.faults.push(format!("counts {ours:?}: {line}"));
    }
}

/// Fails with the first faults when there are any.
#[track_caller]
pub fn assert_sound(tally: &Tally) {
    println!("{:?}: {} read, {} refused, {:?}", tally.cases, tally.reads, tally.refused, tally.classes);
    let shown: Vec<&String> = tally.faults.iter().take(40).collect();
    assert!(tally.faults.is_empty(), "{} differences, the first:\n{shown:#?}", tally.faults.len());
}
