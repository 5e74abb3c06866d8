//! The formats that a date may be written in, told from its shape.
//!
//! A text is taken apart into runs of digits, letters and other signs, and put together again as the patterns that
//! could have printed it. Which of them it really fits is for [`crate::date`] to say: what is handed out was compiled
//! and has read the text. Where order is ambiguous (`01/02/2026`) there is more than one.

use crate::date::{DateFormat, Zone};

/// Bytes of a date. The longest that anybody writes has a weekday and a region's name.
const LENGTH_MAX: usize = 64;

/// Letters that a pattern gives a meaning, so that they stand in quotes.
const QUOTED: &str = "'";

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A run of signs of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Run<'t> {
    Digits(&'t str),
    Letters(&'t str),
    Sign(&'t str),
}

/// Formats that read this text, likeliest first. Numbers counted from 1970 are among them where their size fits.
pub(super) fn formats(text: &str) -> Vec<String> {
    if text.is_empty() || text.len() > LENGTH_MAX || !text.is_ascii() {
        return Vec::new();
    }
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let shapes = if is_number { numbers(text) } else { Vec::new() };
    let shapes = if shapes.is_empty() { dates(&runs(text)) } else { shapes };
    let mut found: Vec<String> = Vec::new();
    for shape in shapes {
        if !found.contains(&shape) && fits(&shape, text) {
            found.push(shape);
        }
    }
    found
}

/// Whether a format reads a text.
pub(super) fn fits(format: &str, text: &str) -> bool {
    DateFormat::compile(format, &Zone::utc()).is_ok_and(|compiled| compiled.format.parse(text).is_ok())
}

fn numbers(text: &str) -> Vec<String> {
    let whole = text.split('.').next().unwrap_or_default();
    if text.matches('.').count() > 1 || whole.len() != text.len() && whole.len() < 9 {
        return Vec::new();
    }
    let names: &[&str] = match whole.len() {
        8 => &["yyyyMMdd"],
        9..=11 => &["seconds"],
        12 => &["milliseconds", "yyyyMMddHHmm"],
        13 => &["milliseconds"],
        14 => &["yyyyMMddHHmmss", "milliseconds"],
        15 | 16 => &["microseconds"],
        17 => &["yyyyMMddHHmmssSSS"],
        _ => &[],
    };
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn runs(text: &str) -> Vec<Run<'_>> {
    let kind = |byte: u8| (byte.is_ascii_digit(), byte.is_ascii_alphabetic());
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut from = 0;
    while from < bytes.len() {
        let first = kind(bytes[from]);
        let same = |byte: &&u8| kind(**byte) == first && first != (false, false);
        let end = from + bytes[from..].iter().take_while(same).count().max(1);
        let run = &text[from..end];
        found.push(match first {
            (true, _) => Run::Digits(run),
            (_, true) => Run::Letters(run),
            _ => Run::Sign(run),
        });
        from = end;
    }
    found
}

/// Patterns of the whole text: an optional weekday, a date, a time, a zone.
fn dates(runs: &[Run<'_>]) -> Vec<String> {
    let (weekday, rest) = weekday(runs);
    let mut found: Vec<String> = Vec::new();
    for (date, rest) in day(rest) {
        found.extend(after_day(rest).into_iter().map(|tail| format!("{weekday}{date}{tail}")));
    }
    found.extend(spoken(rest).into_iter().map(|pattern| format!("{weekday}{pattern}")));
    found
}

fn weekday<'r, 't>(runs: &'r [Run<'t>]) -> (String, &'r [Run<'t>]) {
    let (Some(Run::Letters(name)), Some((gap, rest))) =
        (runs.first(), gap(runs.get(1..).unwrap_or_default()))
    else {
        return (String::new(), runs);
    };
    if !WEEKDAYS.iter().any(|known| name.to_ascii_lowercase().starts_with(known)) {
        return (String::new(), runs);
    }
    let letters = if name.len() > 3 { "EEEE" } else { "EEE" };
    (format!("{letters}{gap}"), rest)
}

/// Signs up to the next digits or letters, as they stand in a pattern.
fn gap<'r, 't>(runs: &'r [Run<'t>]) -> Option<(String, &'r [Run<'t>])> {
    let count = runs.iter().take_while(|run| matches!(run, Run::Sign(_))).count();
    let text: String = runs[..count].iter().map(|run| text(*run)).collect();
    let is_plain = (1..=3).contains(&count) && !text.contains(QUOTED);
    is_plain.then_some((text, &runs[count..]))
}

fn text<'t>(run: Run<'t>) -> &'t str {
    match run {
        Run::Digits(text) | Run::Letters(text) | Run::Sign(text) => text,
    }
}

/// One or two letters for a number of one or two digits.
fn letters(letter: char, digits: &str) -> String {
    std::iter::repeat_n(letter, digits.len()).collect()
}

fn month(name: &str) -> Option<&'static str> {
    let known = MONTHS.iter().any(|known| name.to_ascii_lowercase().starts_with(known));
    known.then_some(if name.len() > 3 { "MMMM" } else { "MMM" })
}

/// What a date may be, each with what follows it.
fn day<'r, 't>(runs: &'r [Run<'t>]) -> Vec<(String, &'r [Run<'t>])> {
    use Run::{Digits, Letters, Sign};
    match runs {
        [Digits(year), Sign(one), Digits(second), Sign(two), Digits(third), rest @ ..]
            if year.len() == 4 && one == two && second.len() <= 2 && third.len() <= 2 =>
        {
            let pattern = format!("yyyy{one}{}{two}{}", letters('M', second), letters('d', third));
            vec![(pattern, rest)]
        }
        [Digits(first), Sign(one), Digits(second), Sign(two), Digits(year), rest @ ..]
            if one == two && first.len() <= 2 && second.len() <= 2 && year.len() == 4 =>
        {
            let days = format!("{}{one}{}{two}yyyy", letters('d', first), letters('M', second));
            let months = format!("{}{one}{}{two}yyyy", letters('M', first), letters('d', second));
            // A dot is how countries write that put the day first.
            if *one == "." { vec![(days, rest), (months, rest)] } else { vec![(months, rest), (days, rest)] }
        }
        [Digits(first), Sign(one), Digits(second), Sign(two), Digits(third), rest @ ..]
            if one == two && [first, second, third].iter().all(|digits| digits.len() == 2) =>
        {
            let orders = [["MM", "dd", "yy"], ["dd", "MM", "yy"], ["yy", "MM", "dd"]];
            orders.into_iter().map(|[a, b, c]| (format!("{a}{one}{b}{two}{c}"), rest)).collect()
        }
        [Digits(number), Sign(one), Letters(name), rest @ ..] if number.len() <= 2 || number.len() == 4 => {
            let (Some(month), Some((two, rest))) = (month(name), gap(rest)) else { return Vec::new() };
            match (number.len(), rest) {
                (4, [Digits(day), rest @ ..]) if day.len() <= 2 => {
                    vec![(format!("yyyy{one}{month}{two}{}", letters('d', day)), rest)]
                }
                (1 | 2, [Digits(year), rest @ ..]) if matches!(year.len(), 2 | 4) => {
                    vec![(format!("{}{one}{month}{two}{}", letters('d', number), letters('y', year)), rest)]
                }
                _ => Vec::new(),
            }
        }
        [Letters(name), Sign(one), Digits(day), rest @ ..] if day.len() <= 2 => {
            let (Some(month), Some((two, rest))) = (month(name), gap(rest)) else { return Vec::new() };
            match rest {
                [Digits(year), rest @ ..] if year.len() == 4 => {
                    vec![(format!("{month}{one}{}{two}yyyy", letters('d', day)), rest)]
                }
                _ => Vec::new(),
            }
        }
        [Digits(whole), rest @ ..] if whole.len() == 8 => vec![("yyyyMMdd".to_owned(), rest)],
        _ => Vec::new(),
    }
}

/// `Thu May 09 20:37:30 UTC 2019`, behind the weekday.
fn spoken(runs: &[Run<'_>]) -> Vec<String> {
    let [Run::Letters(name), Run::Sign(" "), Run::Digits(day), Run::Sign(" "), rest @ ..] = runs else {
        return Vec::new();
    };
    let [rest @ .., Run::Sign(" "), Run::Digits(year)] = rest else { return Vec::new() };
    let (Some(month), 4, Some((time, rest))) = (month(name), year.len(), time(rest)) else {
        return Vec::new();
    };
    let head = format!("{month} {} {time}", letters('d', day));
    zones(rest).into_iter().map(|zone| format!("{head}{zone} yyyy")).collect()
}

/// What may follow a date: nothing, or a time and a zone.
fn after_day(runs: &[Run<'_>]) -> Vec<String> {
    if runs.is_empty() {
        return vec![String::new()];
    }
    let (between, rest) = match runs {
        [Run::Letters("T"), rest @ ..] => ("'T'".to_owned(), rest),
        [Run::Letters("t"), rest @ ..] => ("'t'".to_owned(), rest),
        _ => match gap(runs) {
            Some((gap, [Run::Letters("at"), Run::Sign(" "), rest @ ..])) => (format!("{gap}'at' "), rest),
            Some((gap, rest)) => (gap, rest),
            None => (String::new(), runs),
        },
    };
    let mut found: Vec<String> = match time(rest) {
        Some((time, rest)) => zones(rest).into_iter().map(|zone| format!("{between}{time}{zone}")).collect(),
        None => Vec::new(),
    };
    // A day with a zone and no time: `2019-05-09Z`, `2019-05-09+02:00`.
    found.extend(zones(runs).into_iter().filter(|zone| !zone.is_empty()));
    found
}

/// A time of day, and what follows it.
fn time<'r, 't>(runs: &'r [Run<'t>]) -> Option<(String, &'r [Run<'t>])> {
    use Run::{Digits, Sign};
    let (hours, minutes, mut tail, mut rest) = match runs {
        [Digits(all), rest @ ..] if matches!(all.len(), 4 | 6) => {
            let tail = if all.len() == 6 { "ss" } else { "" };
            return Some((format!("HHmm{tail}"), rest)).map(|(head, rest)| fraction(head, rest));
        }
        [Digits(hours), Sign(":"), Digits(minutes), rest @ ..] if hours.len() <= 2 && minutes.len() == 2 => {
            (*hours, "mm", String::new(), rest)
        }
        _ => return None,
    };
    if let [Sign(":"), Digits(seconds), after @ ..] = rest
        && seconds.len() == 2
    {
        (tail, rest) = fraction(":ss".to_owned(), after);
    }
    let halves = |run: Option<&Run<'_>>| matches!(run, Some(Run::Letters(name)) if matches!(name.to_ascii_lowercase().as_str(), "am" | "pm"));
    let (letter, half, rest) = match rest {
        [Sign(" "), half, after @ ..] if halves(Some(half)) => ('h', " a", after),
        [half, after @ ..] if halves(Some(half)) => ('h', "a", after),
        _ => ('H', "", rest),
    };
    Some((format!("{}:{minutes}{tail}{half}", letters(letter, hours)), rest))
}

fn fraction<'r, 't>(head: String, runs: &'r [Run<'t>]) -> (String, &'r [Run<'t>]) {
    match runs {
        [Run::Sign(point @ ("." | ",")), Run::Digits(digits), rest @ ..] if digits.len() <= 9 => {
            (format!("{head}{point}{}", letters('S', digits)), rest)
        }
        _ => (head, runs),
    }
}

/// What a text may end with: nothing, or a zone. All of it must be one.
fn zones(runs: &[Run<'_>]) -> Vec<String> {
    use Run::{Digits, Letters, Sign};
    let (blank, runs) = match runs {
        [Sign(" "), rest @ ..] => (" ", rest),
        _ => ("", runs),
    };
    let kinds: &[&str] = match runs {
        [] if blank.is_empty() => &[""],
        // `XXX` reads what `'Z'` does, and offsets as well.
        [Letters("Z")] => &["XXX", "'Z'", "Z", "z"],
        [Sign("+" | "-"), Digits(hours), Sign(":"), Digits(minutes)]
            if hours.len() == 2 && minutes.len() == 2 =>
        {
            &["XXX", "Z", "z"]
        }
        [Sign("+" | "-"), Digits(offset)] if offset.len() == 4 => &["Z", "XX", "z"],
        [Sign("+" | "-"), Digits(offset)] if offset.len() <= 2 => &["X", "Z", "z"],
        [Letters(_), ..] => &["z", "Z"],
        _ => &[],
    };
    kinds.iter().map(|kind| format!("{blank}{kind}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &[&str]) {
        assert_eq!(formats(text), expect, "{text}");
    }

    #[test]
    fn the_usual_shapes_have_their_formats() {
        check(
            "2019-05-09T13:37:30-07:00",
            &["yyyy-MM-dd'T'HH:mm:ssXXX", "yyyy-MM-dd'T'HH:mm:ssZ", "yyyy-MM-dd'T'HH:mm:ssz"],
        );
        assert_eq!(
            formats("2019-05-09T20:37:30.123Z")[..2],
            ["yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'"]
        );
        assert_eq!(formats("2019-05-09T20:37:30+0000")[0], "yyyy-MM-dd'T'HH:mm:ssZ");
        check("2019-05-09", &["yyyy-MM-dd"]);
        check("2019/05/09 20:37:30", &["yyyy/MM/dd HH:mm:ss"]);
        check("20190509", &["yyyyMMdd"]);
        assert_eq!(formats("20190509T203730Z")[0], "yyyyMMdd'T'HHmmssXXX");
        assert_eq!(formats("Thu, 09 May 2019 20:37:30 GMT")[0], "EEE, dd MMM yyyy HH:mm:ss z");
        assert_eq!(formats("Thu May 09 20:37:30 UTC 2019")[0], "EEE MMM dd HH:mm:ss z yyyy");
        check("May 9, 2019 8:37 PM", &["MMM d, yyyy h:mm a"]);
        check("09-May-2019", &["dd-MMM-yyyy"]);
    }

    #[test]
    fn numbers_are_told_apart_by_their_size() {
        check("1557434250", &["seconds"]);
        check("1557434250.25", &["seconds"]);
        check("1557434250123", &["milliseconds"]);
        check("1557434250123456", &["microseconds"]);
        check("20190509203730", &["yyyyMMddHHmmss", "milliseconds"]);
        check("42", &[]);
        check("1.2.3", &[]);
    }

    #[test]
    fn what_has_two_readings_has_two_formats() {
        check("01/02/2026", &["MM/dd/yyyy", "dd/MM/yyyy"]);
        check("13/02/2026", &["dd/MM/yyyy"]);
        check("01.02.2026", &["dd.MM.yyyy", "MM.dd.yyyy"]);
        check("01/02/26", &["MM/dd/yy", "dd/MM/yy", "yy/MM/dd"]);
    }

    #[test]
    fn other_texts_have_none() {
        for text in
            ["", "abc", "2019-13-40", "10.0.0.1", "1-2-3", "Ann", "é", "T", "2019-05-09T", "a@b.test", "'"]
        {
            check(text, &[]);
        }
    }
}
