//! Writing text into a URL so that it stays where it was put.

use std::fmt::Write;

use crate::query;

/// The part of a URL that a text stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A path; a value stays inside its segment.
    Path,
    /// The value of a parameter.
    Query,
}

/// Writes a value: everything is escaped but letters, digits and the few signs that mean nothing in this place.
pub(super) fn value(text: &str, place: Place, url: &mut String) {
    // `.` and `..` would walk through the path even when escaped once.
    if place == Place::Path && !text.is_empty() && text.bytes().all(|byte| byte == b'.') {
        text.bytes().for_each(|_| url.push_str("%252E"));
        return;
    }
    let harmless: &[u8] = match place {
        Place::Path => b"-._~:,",
        Place::Query => b"-._~:,/",
    };
    for byte in text.bytes() {
        push(byte, byte.is_ascii_alphanumeric() || harmless.contains(&byte), url);
    }
}

/// Writes text of the template: what its author escaped stays, what a URL cannot hold is escaped.
pub(super) fn literal(text: &str, place: Place, url: &mut String) {
    let bytes = text.as_bytes();
    for (at, &byte) in bytes.iter().enumerate() {
        let keep = match byte {
            b'%' => query::escape(bytes, at).is_some(),
            // A plus sign means a blank to most servers; in an offset it is meant as itself.
            b'+' => place == Place::Path || !is_offset_sign(bytes, at),
            b' ' | b'"' | b'<' | b'>' | b'`' | b'\\' | b'^' | b'{' | b'|' | b'}' => false,
            b'\'' => place == Place::Path,
            _ => byte.is_ascii_graphic(),
        };
        push(byte, keep, url);
    }
}

fn is_offset_sign(bytes: &[u8], at: usize) -> bool {
    let is_digit =
        |place: Option<usize>| place.and_then(|place| bytes.get(place)).is_some_and(u8::is_ascii_digit);
    is_digit(at.checked_sub(1)) && is_digit(Some(at + 1)) && is_digit(Some(at + 2))
}

fn push(byte: u8, keep: bool, url: &mut String) {
    if keep {
        url.push(char::from(byte));
    } else {
        // Writing to a String cannot fail.
        let _ = write!(url, "%{byte:02X}");
    }
}
