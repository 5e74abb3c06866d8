//! Text cards (catalogue §9).
//!
//! Positions and lengths count characters (Unicode scalar values), so that no cut goes through one.

use std::ops::Range;

use base64::Engine;
use base64::alphabet::{STANDARD as STANDARD_ALPHABET, URL_SAFE};
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use regex::{Regex, RegexBuilder};

use super::call::{Call, Function, bad, check_items, check_text, one};
use super::chance::Chance;
use super::object::count;
use super::{CardError, Outputs};
use crate::flow::value::Value;
use crate::limits::{FLOW_PATTERN_BYTES_MAX, FLOW_REGEX_BYTES_MAX};

/// Characters of a text made by chance.
const RANDOM_MAX: i64 = 10_000;

/// Characters that a text is filled up to.
const PAD_MAX: i64 = 100_000;

pub(super) fn function(name: &str) -> Option<Function> {
    Some(match name {
        "compose" => compose,
        "concat" => concat,
        "split" => split,
        "replace" => replace,
        "replacePatterns" => replace_patterns,
        "find" => find,
        "findLast" => find_last,
        "match" => find_pattern,
        "substr" => segment,
        "trim" => trim,
        "toLower" => to_lower,
        "toUpper" => to_upper,
        "length" => length,
        "pad" => pad,
        "random" => random,
        "base64Encode" => base64_encode,
        "base64Decode" => base64_decode,
        _ => return None,
    })
}

/// `{{name}}` for every input of the author; what names no input stays as it is.
fn compose(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let template = call.text("string");
    let mut out = String::with_capacity(template.len());
    let mut rest = template.as_str();
    while let Some(open) = rest.find("{{") {
        let inside = &rest[open + 2..];
        let named = inside.find("}}").map(|close| (inside[..close].trim(), &inside[close + 2..]));
        let wired = named.and_then(|(name, after)| {
            call.author().find(|(key, _)| *key == name).map(|(_, value)| (value.to_text(), after))
        });
        out.push_str(&rest[..open]);
        match wired {
            Some((text, after)) => {
                out.push_str(&text);
                rest = after;
            }
            None => {
                // One brace on: `{{{name}}` holds a place too.
                out.push('{');
                rest = &rest[open + 1..];
            }
        }
        check_text("string", out.len())?;
    }
    out.push_str(rest);
    check_text("string", out.len())?;
    Ok(one("output", out))
}

fn concat(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let mut out = String::new();
    for (name, value) in call.repeated("text")? {
        out.push_str(&value.to_text());
        check_text(&name, out.len())?;
    }
    Ok(one("output", out))
}

fn split(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let (text, delimiter) = (call.text("string"), call.text("delimiter"));
    if delimiter.is_empty() {
        check_items("string", text.chars().count())?;
        return Ok(one("output", Value::list(text.chars().map(Value::text).collect())));
    }
    check_items("string", text.matches(&delimiter).count() + 1)?;
    Ok(one("output", Value::list(text.split(&delimiter).map(Value::text).collect())))
}

/// A regular expression of bounded size.
fn pattern(input: &str, text: &str, sensitive: bool) -> Result<Regex, CardError> {
    if text.len() > FLOW_PATTERN_BYTES_MAX {
        let message =
            format!("input `{input}` is a pattern of {} bytes; at most {FLOW_PATTERN_BYTES_MAX}", text.len());
        return Err(bad(input, message));
    }
    let built = RegexBuilder::new(text).case_insensitive(!sensitive).size_limit(FLOW_REGEX_BYTES_MAX).build();
    built.map_err(|why| {
        let why = match why {
            regex::Error::CompiledTooBig(_) => "it is too large; write it shorter".to_owned(),
            // The library draws the pattern with a mark under the place; the last line says what is wrong.
            other => other.to_string().lines().last().unwrap_or_default().trim().to_owned(),
        };
        bad(input, format!("input `{input}` is no regular expression: {why}"))
    })
}

/// A text that is looked for as it stands, with or without regard to letter case; in linear time either way.
struct Literal<'t> {
    text: &'t str,
    wanted: &'t str,
    /// Both in small letters.
    folded: Option<(String, String)>,
}

impl<'t> Literal<'t> {
    fn new(text: &'t str, wanted: &'t str, sensitive: bool) -> Literal<'t> {
        let fold = |text: &str| text.chars().flat_map(char::to_lowercase).collect::<String>();
        Literal { text, wanted, folded: (!sensitive).then(|| (fold(text), fold(wanted))) }
    }

    /// Where it stands, in ascending order and not overlapping.
    fn ranges(&self) -> Box<dyn Iterator<Item = Range<usize>> + '_> {
        let Some((text, wanted)) = &self.folded else {
            return Box::new(self.text.match_indices(self.wanted).map(|(at, found)| at..at + found.len()));
        };
        let mut place = self.unfold();
        Box::new(text.match_indices(wanted.as_str()).map(move |(at, found)| {
            let start = place(at);
            start..place(at + found.len()).max(start)
        }))
    }

    fn first(&self) -> Option<usize> {
        self.ranges().next().map(|range| range.start)
    }

    fn last(&self) -> Option<usize> {
        match &self.folded {
            None => self.text.rfind(self.wanted),
            Some((text, wanted)) => text.rfind(wanted.as_str()).map(self.unfold()),
        }
    }

    /// Places in small letters to places in the text: the first character that is not wholly in front. Asked in
    /// ascending order, so that all of them together are one walk.
    fn unfold(&self) -> impl FnMut(usize) -> usize + use<'t> {
        let text = self.text;
        let (mut chars, mut folded, mut at) = (text.chars(), 0, 0);
        move |place| {
            while folded < place
                && let Some(char) = chars.next()
            {
                folded += char.to_lowercase().map(char::len_utf8).sum::<usize>();
                at += char.len_utf8();
            }
            at
        }
    }
}

/// Writes a text with some of its ranges exchanged for what `put` writes.
fn exchanged<R>(
    text: &str,
    found: impl Iterator<Item = (Range<usize>, R)>,
    put: impl Fn(R, &mut String),
) -> Result<String, CardError> {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for (range, what) in found {
        out.push_str(&text[from..range.start]);
        put(what, &mut out);
        from = range.end;
        check_text("string", out.len())?;
    }
    out.push_str(&text[from..]);
    check_text("string", out.len())?;
    Ok(out)
}

fn replace(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let (text, wanted, by) = (call.text("string"), call.text("src"), call.text("dest"));
    let (global, sensitive) = (call.truth("global"), call.truth("sensitive"));
    if wanted.is_empty() {
        return Ok(one("output", text));
    }
    let literal = Literal::new(&text, &wanted, sensitive);
    let found = literal.ranges().take(if global { usize::MAX } else { 1 }).map(|range| (range, ()));
    Ok(one("output", exchanged(&text, found, |(), out| out.push_str(&by))?))
}

fn replace_patterns(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let (mut text, by) = (call.text("string"), call.text("replacement"));
    let (global, sensitive) = (call.truth("global"), call.truth("sensitive"));
    for (name, value) in call.repeated("pattern")? {
        let wanted = value.to_text();
        if wanted.is_empty() {
            continue;
        }
        let regex = pattern(&name, &wanted, sensitive)?;
        let found = regex.captures_iter(&text).take(if global { usize::MAX } else { 1 });
        let found = found.map(|captures| (captures.get_match().range(), captures));
        text = exchanged(&text, found, |captures, out| expand(&by, &captures, out))?;
    }
    Ok(one("output", text))
}

/// Writes a replacement: `$1` to `$99` are groups, `$&` is the match, `$$` a dollar sign; anything else is itself.
fn expand(by: &str, captures: &regex::Captures<'_>, out: &mut String) {
    let mut rest = by;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let digits = after.bytes().take(2).take_while(u8::is_ascii_digit).count();
        // As many digits as name a group that the pattern has.
        let group = (1..=digits).rev().find_map(|length| {
            let number: usize = after[..length].parse().ok()?;
            (number > 0 && number < captures.len()).then_some((number, length))
        });
        rest = if let Some((number, length)) = group {
            out.push_str(captures.get(number).map_or("", |group| group.as_str()));
            &after[length..]
        } else if let Some(after) = after.strip_prefix('&') {
            out.push_str(captures.get(0).map_or("", |whole| whole.as_str()));
            after
        } else {
            out.push('$');
            after.strip_prefix('$').unwrap_or(after)
        };
    }
    out.push_str(rest);
}

/// The position of a byte in characters; −1 for none.
fn position(text: &str, byte: Option<usize>) -> Value {
    byte.map_or_else(|| Value::whole(-1), |byte| count(text[..byte].chars().count()))
}

fn find(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let (text, wanted) = (call.text("string"), call.text("target"));
    let first = Literal::new(&text, &wanted, call.truth("sensitive")).first();
    Ok(one("output", position(&text, first)))
}

fn find_last(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let (text, wanted) = (call.text("string"), call.text("target"));
    let last = Literal::new(&text, &wanted, call.truth("sensitive")).last();
    Ok(one("output", position(&text, last)))
}

fn find_pattern(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let (text, wanted) = (call.text("string"), call.text("target"));
    let regex = pattern("target", &wanted, call.truth("sensitive"))?;
    Ok(one("output", position(&text, regex.find(&text).map(|found| found.start()))))
}

fn segment(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let text = call.text("string");
    let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    let place = |position: i64| {
        let from_start = if position < 0 { length.saturating_add(position) } else { position };
        usize::try_from(from_start.clamp(0, length)).unwrap_or(0)
    };
    let start = place(call.whole("start", i64::MIN, i64::MAX)?);
    let end = call.whole_if_any("end", i64::MIN, i64::MAX)?.map_or_else(|| place(length), place);
    Ok(one("output", text.chars().skip(start).take(end.saturating_sub(start)).collect::<String>()))
}

fn trim(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    Ok(one("output", call.text("string").trim()))
}

fn to_lower(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    Ok(one("output", call.text("string").to_lowercase()))
}

fn to_upper(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    Ok(one("output", call.text("string").to_uppercase()))
}

fn length(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    Ok(one("output", count(call.text("string").chars().count())))
}

fn pad(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let (text, filler, side) = (call.text("string"), call.text("pad"), call.text("side"));
    let wanted = usize::try_from(call.whole("length", 0, PAD_MAX)?).unwrap_or(0);
    let missing = wanted.saturating_sub(text.chars().count());
    if missing > 0 && filler.is_empty() {
        return Err(bad("pad", "input `pad` is empty; give at least one character to fill with"));
    }
    let fill: String = filler.chars().cycle().take(missing).collect();
    match side.as_str() {
        "left" => Ok(one("output", fill + &text)),
        "right" => Ok(one("output", text + &fill)),
        other => Err(bad("side", format!("input `side` is `{other}`; it must be `left` or `right`"))),
    }
}

fn random(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let length = call.whole("length", 0, RANDOM_MAX)?;
    let characters = call.text_if_any("characters").unwrap_or_else(|| LETTERS.to_owned());
    let characters: Vec<char> = characters.chars().collect();
    let mut chance = Chance::of(call.context);
    let mut draw = || {
        let at = chance.below(u64::try_from(characters.len()).unwrap_or(1));
        characters[usize::try_from(at).unwrap_or(0)]
    };
    Ok(one("output", (0..length).map(|_| draw()).collect::<String>()))
}

fn base64_encode(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let text = call.text("string");
    check_text("string", text.len().div_ceil(3) * 4)?;
    Ok(one("output", STANDARD.encode(text)))
}

fn base64_decode(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let text: String = call.text("string").split_whitespace().collect();
    let alphabet = if text.contains(['-', '_']) { &URL_SAFE } else { &STANDARD_ALPHABET };
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let bytes = GeneralPurpose::new(alphabet, config).decode(&text).map_err(|why| {
        let why = why.to_string();
        bad("string", format!("input `string` is not Base64: {}", why.trim_end_matches('.')))
    })?;
    let decoded = String::from_utf8(bytes).map_err(|_| {
        bad("string", "input `string` decodes to bytes that are not UTF-8; a text cannot hold them")
    })?;
    Ok(one("output", decoded))
}
