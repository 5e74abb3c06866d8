//! Dates in the formats of moment.js, which the date cards take: `YYYY-MM-DD`, `M/D/YY h:mm a`.
//!
//! Exported flows hold formats in this language. It is not Java's: `DD` is the day of the month here and the day of
//! the year there. So it has a room of its own, and shares with [`crate::date`] only the table of zones. Printing and
//! reading follow moment 2.31 with its English locale, held against it by tests; where we differ on purpose,
//! `docs/flow-cards.md` says so.
//!
//! Deliberately not here: other languages, relative words ("3 days ago"), and the reading of ISO 8601 without a format.

mod print;
mod read;
mod week;

use jiff::Timestamp;

use crate::date::Zone;
use crate::limits::FLOW_PATTERN_BYTES_MAX;

pub use read::ReadError;

/// A compiled format. Any text is one: what is no token stands for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    text: String,
    pieces: Vec<Piece>,
}

/// A part of a format.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    /// A token by its letters; all of them are in [`TOKENS`].
    Token(&'static str),
    /// Letters that stand for themselves.
    Literal(String),
}

/// Says why a text is no format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// Nothing to print.
    #[error("the format is empty; write one such as `YYYY-MM-DD`")]
    Empty,
    /// Longer than people write formats.
    #[error("the format has {0} bytes; at most {FLOW_PATTERN_BYTES_MAX}")]
    TooLong(usize),
}

/// How a text must fit a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// As moment reads by default: what does not fit is skipped, what is missing is taken from the present.
    Forgiving,
    /// Every token and every letter must fit, in its full width.
    Strict,
}

/// Tokens in the order in which they are looked for: of two that begin alike the first one wins.
const TOKENS: [&str; 81] = [
    "eHHmm",
    "Hmmss",
    "Hmm",
    "hmmss",
    "hmm",
    "Mo",
    "MMMM",
    "MMM",
    "MM",
    "M",
    "Do",
    "DDDo",
    "DDDD",
    "DDD",
    "DD",
    "D",
    "dddd",
    "ddd",
    "dd",
    "do",
    "d",
    "wo",
    "ww",
    "w",
    "Wo",
    "WW",
    "W",
    "Qo",
    "Q",
    "NNNNN",
    "NNNN",
    "NNN",
    "NN",
    "N",
    "YYYYYY",
    "YYYYY",
    "YYYY",
    "YY",
    "Y",
    "yyyy",
    "yyy",
    "yy",
    "yo",
    "y",
    "ggggg",
    "gggg",
    "gg",
    "GGGGG",
    "GGGG",
    "GG",
    "e",
    "E",
    "a",
    "A",
    "hh",
    "h",
    "HH",
    "H",
    "kk",
    "k",
    "mm",
    "m",
    "ss",
    "s",
    "SSSSSSSSS",
    "SSSSSSSS",
    "SSSSSSS",
    "SSSSSS",
    "SSSSS",
    "SSSS",
    "SSS",
    "SS",
    "S",
    "x",
    "X",
    "zz",
    "z",
    "ZZ",
    "Z",
    "g",
    "G",
];

/// Formats that stand for others, longest first.
const LONG_FORMATS: [(&str, &str); 10] = [
    ("LTS", "h:mm:ss A"),
    ("LT", "h:mm A"),
    ("LLLL", "dddd, MMMM D, YYYY h:mm A"),
    ("LLL", "MMMM D, YYYY h:mm A"),
    ("LL", "MMMM D, YYYY"),
    ("L", "MM/DD/YYYY"),
    ("llll", "ddd, MMM D, YYYY h:mm A"),
    ("lll", "MMM D, YYYY h:mm A"),
    ("ll", "MMM D, YYYY"),
    ("l", "M/D/YYYY"),
];

impl Format {
    /// Compiles a format.
    pub fn compile(text: &str) -> Result<Format, FormatError> {
        match text.len() {
            0 => Err(FormatError::Empty),
            length if length > FLOW_PATTERN_BYTES_MAX => Err(FormatError::TooLong(length)),
            _ => Ok(Format { text: text.to_owned(), pieces: pieces(&expand(text)) }),
        }
    }

    /// Prints an instant in a zone. Digits after the point are cut off, never rounded.
    ///
    /// ```
    /// use turnstone_core::date::Zone;
    /// use turnstone_core::flow::moment::Format;
    ///
    /// let format = Format::compile("dddd, MMMM Do YYYY, h:mm a").unwrap();
    /// let at = "2025-03-01T13:05:00Z".parse().unwrap();
    /// assert_eq!(format.print(at, &Zone::utc()), "Saturday, March 1st 2025, 1:05 pm");
    /// ```
    pub fn print(&self, at: Timestamp, zone: &Zone) -> String {
        print::print(&self.pieces, at, zone)
    }

    /// Reads a text. A date without an offset of its own is in `zone`; year, month and day that are missing before the
    /// first one given are those of `now` there, what is missing after it is the lowest.
    ///
    /// A local time that occurs twice is the earlier one; one that does not occur is moved forward by the gap.
    pub fn read(&self, text: &str, zone: &Zone, now: Timestamp, fit: Fit) -> Result<Timestamp, ReadError> {
        read::read(self, text, zone, now, fit)
    }
}

/// The end of a `[…]` that begins a text: the last `]` before another `[`.
fn bracket(rest: &str) -> Option<usize> {
    let inside = rest.strip_prefix('[')?;
    let end = inside.find('[').unwrap_or(inside.len());
    inside[..end].rfind(']').map(|at| at + 2)
}

/// Writes out the formats that stand for others, except in brackets and after a backslash.
fn expand(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let escaped = rest.strip_prefix('\\').unwrap_or(rest);
        let long = LONG_FORMATS.iter().find(|(short, _)| escaped.starts_with(short));
        let length = if let Some(length) = bracket(rest) {
            length
        } else if let Some((short, long)) = long {
            let backslash = rest.len() - escaped.len();
            if backslash == 0 {
                out.push_str(long);
                rest = &rest[short.len()..];
                continue;
            }
            backslash + short.len()
        } else {
            first.len_utf8()
        };
        out.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    out
}

fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some(length) = bracket(rest) {
            pieces.push(Piece::Literal(rest[1..length - 1].to_owned()));
            rest = &rest[length..];
            continue;
        }
        let escaped = rest.strip_prefix('\\').unwrap_or(rest);
        let token = TOKENS.iter().find(|token| escaped.starts_with(**token)).copied();
        match token {
            Some(token) if escaped.len() == rest.len() => {
                pieces.push(Piece::Token(token));
                rest = &rest[token.len()..];
            }
            // A backslash takes the whole token after it for letters.
            Some(token) => {
                pieces.push(Piece::Literal(token.to_owned()));
                rest = &escaped[token.len()..];
            }
            None => {
                let char = escaped.chars().next().unwrap_or(first);
                let after = escaped.get(char.len_utf8()..).unwrap_or_default();
                if char != '\\' || escaped.len() == rest.len() {
                    pieces.push(Piece::Literal(char.to_string()));
                }
                rest = after;
            }
        }
    }
    pieces
}
