//! Finds numbers that a script's doubles would spell differently.
//!
//! Most documents have none, and are then read by the JavaScript engine's own fast reader. Not here: what is done about
//! them; the sandbox's prelude does it.

/// Digits that a double always reproduces.
const SAFE_DIGITS: usize = 15;

/// Whether `json` holds a number whose text might not come out of a double as it went in. May say so of a number that
/// does; never the reverse. `json` need not be well-formed: the script's reader says what is wrong with it.
pub(super) fn has_special(json: &str) -> bool {
    let bytes = json.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => at = end_of_string(bytes, at + 1),
            b'-' | b'0'..=b'9' => {
                let end = bytes[at..]
                    .iter()
                    .position(|byte| !matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9'))
                    .map_or(bytes.len(), |length| at + length);
                if is_special(&json[at..end]) {
                    return true;
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    false
}

fn end_of_string(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    at
}

fn is_special(number: &str) -> bool {
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    if digits > SAFE_DIGITS || number == "-0" || number.contains(['e', 'E']) {
        return true;
    }
    if !number.contains('.') {
        return false;
    }
    // JavaScript writes a decimal fraction between these bounds as Rust does: shortest, without an exponent.
    match number.parse::<f64>() {
        Ok(value) => !(1e-6..1e21).contains(&value.abs()) || value.to_string() != number,
        Err(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_numbers_are_not_special() {
        for json in [
            "[0,1,-1,12.5,-0.25,123456789012345]",
            r#"{"a": "1.0", "b\"": "12345678901234567890"}"#,
            "null",
            "",
        ] {
            assert!(!has_special(json), "{json}");
        }
    }

    #[test]
    fn numbers_that_a_double_respells_are_special() {
        for number in [
            "1.0",
            "0.10",
            "-0",
            "-0.0",
            "1e400",
            "1E5",
            "12345678901234567890",
            "9007199254740993",
            "0.0000001",
            "0.12345678901234567",
        ] {
            assert!(has_special(number), "{number}");
            assert!(has_special(&format!("{{\"a\": [1, {number}]}}")), "{number}");
        }
    }
}
