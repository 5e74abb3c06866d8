//! Reads a document, such as that of an instance or a monitor: JSON or YAML, from a file or standard input.
//!
//! A document that begins with `{` or `[` is JSON; everything else is YAML 1.2, where `no` is a word and not a switch,
//! and `0755` and `1_000` are texts. JSON is YAML too, so what is nearly JSON (a comment, a comma at the end) is read
//! as YAML before it is refused.
//!
//! Not here: what the document means (the core's `check`).

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde_json::Value;

use super::Failure;

/// Bytes of a document. The largest connector exports are some hundred kilobytes.
const DOCUMENT_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Reads the document, or says where it breaks.
pub(crate) fn read(path: &Path) -> Result<Value, Failure> {
    parse(&text(path)?).map_err(|reason| Failure::Configuration(format!("{} {reason}", name(path))))
}

/// Reads a text as it is.
pub(crate) fn text(path: &Path) -> Result<String, Failure> {
    bounded(path).map_err(|error| {
        let name = name(path);
        Failure::Configuration(format!("cannot read {name}: {error}; give the path of a document"))
    })
}

fn name(path: &Path) -> String {
    if path == Path::new("-") { "standard input".to_owned() } else { format!("`{}`", path.display()) }
}

fn bounded(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        io::stdin().lock().take(DOCUMENT_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    } else {
        File::open(path)?.take(DOCUMENT_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    }
    if bytes.len() as u64 > DOCUMENT_BYTES_MAX {
        return Err(io::Error::other("it is larger than 16 MiB"));
    }
    String::from_utf8(bytes).map_err(|_| io::Error::other("it is not text in UTF-8"))
}

/// What a text says, or where it breaks.
pub(crate) fn parse(text: &str) -> Result<Value, String> {
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Err("is empty; write a document in YAML or JSON".to_owned());
    }
    if !text.trim_start().starts_with(['{', '[']) {
        return yaml(text);
    }
    serde_json::from_str(text).or_else(|error| {
        yaml(text).map_err(|_| {
            let (line, column) = (error.line(), error.column());
            let what = error.to_string();
            let what = what.split(" at line ").next().unwrap_or_default();
            format!("is not JSON at line {line}, column {column}: {what}; correct it there, or just before")
        })
    })
}

fn yaml(text: &str) -> Result<Value, String> {
    let options = serde_saphyr::options! {
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let place = error
            .location()
            .map(|at| format!(" at line {}, column {}", at.line(), at.column()))
            .unwrap_or_default();
        let what = error.to_string().lines().next().unwrap_or_default().to_owned();
        format!("is not YAML{place}: {what}; correct it there, or just before")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Value) {
        assert_eq!(parse(text), Ok(expect), "{text}");
    }

    #[track_caller]
    fn refused(text: &str, words: &str) {
        let reason = parse(text).unwrap_err();
        assert!(reason.contains(words), "`{words}` is not in: {reason}");
    }

    #[test]
    fn json_and_yaml_say_the_same() {
        let expect = json!({"element": {"key": "crm"}, "tags": ["a", 7], "on": true});
        check(r#"{"element": {"key": "crm"}, "tags": ["a", 7], "on": true}"#, expect.clone());
        check("element:\n  key: crm\ntags: [a, 7]\non: true\n", expect);
        check("\u{feff}{\"a\": 1}", json!({"a": 1}));
    }

    #[test]
    fn yaml_words_stay_words_and_numbers_numbers() {
        check(
            "country: no\nlate: off\nyes: y\nzone: -08:00\nsize: 100\nrate: 1.5\ncode: 0755\nbig: 1_000\nnone: null\n",
            json!({
                "country": "no", "late": "off", "yes": "y", "zone": "-08:00", "size": 100, "rate": 1.5,
                "code": "0755", "big": "1_000", "none": null
            }),
        );
        check(
            "since: 2026-01-01T00:00:00Z\nday: 2026-01-01\n",
            json!({"since": "2026-01-01T00:00:00Z", "day": "2026-01-01"}),
        );
        check(
            "url: /c?since=${gmtDate:yyyy-MM-dd'T'HH:mm:ss'Z'}\n",
            json!({"url": "/c?since=${gmtDate:yyyy-MM-dd'T'HH:mm:ss'Z'}"}),
        );
    }

    #[test]
    fn nearly_json_is_read() {
        check("{\n  \"a\": 1, # a remark\n}", json!({"a": 1}));
    }

    #[test]
    fn what_breaks_is_named_with_its_place() {
        refused("{\n  \"a\": 1\n  \"b\": 2\n}", "line 3, column 3");
        refused("a: 1\n b: [\n", "line ");
        refused("  \n", "is empty; write a document in YAML or JSON");
        refused("a: 1\na: 2\n", "line 2");
    }
}
