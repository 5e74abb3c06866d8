//! The fields of a form as some providers sign them.
//!
//! Their names and values stand one after another without anything between them, so a form that is cut elsewhere can
//! sign alike. That is the scheme's own weakness; a provider that signs the body byte for byte has none.

/// Names and values of a form's fields, decoded, in the order of the names and then of the values, each pair once.
pub(super) fn sorted(body: &[u8]) -> Vec<u8> {
    let fields = body.split(|byte| *byte == b'&').filter(|field| !field.is_empty());
    let mut fields: Vec<(Vec<u8>, Vec<u8>)> = fields
        .map(|field| match field.iter().position(|byte| *byte == b'=') {
            Some(at) => (decoded(&field[..at]), decoded(&field[at + 1..])),
            None => (decoded(field), Vec::new()),
        })
        .collect();
    fields.sort();
    fields.dedup();
    fields.into_iter().flat_map(|(name, value)| [name, value]).flatten().collect()
}

/// Percent signs and plus signs undone. What is no escape stays, and bytes stay bytes: two forms that differ must not
/// become one by characters that stand for what cannot be read.
fn decoded(text: &[u8]) -> Vec<u8> {
    let digit = |at: usize| text.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let (mut bytes, mut at) = (Vec::with_capacity(text.len()), 0);
    while at < text.len() {
        let escaped = match text[at] {
            b'%' => {
                digit(at + 1).zip(digit(at + 2)).and_then(|(high, low)| u8::try_from(high * 16 + low).ok())
            }
            _ => None,
        };
        bytes.push(escaped.unwrap_or(if text[at] == b'+' { b' ' } else { text[at] }));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &[u8], expect: &[u8]) {
        assert_eq!(sorted(body), expect, "{}", String::from_utf8_lossy(body));
    }

    #[test]
    fn fields_stand_in_the_order_of_their_names() {
        check(b"To=%2B1800&From=%2b1415&Body=Hello+w%C3%B6rld", "BodyHello wörldFrom+1415To+1800".as_bytes());
        check(b"b=2&a=1&a=0&a=1&B=3", b"B3a0a1b2");
        check(b"a&=b&&c=", b"bac");
        check(b"", b"");
    }

    #[test]
    fn what_is_no_escape_stays() {
        check(b"a=100%&b=%zz%4", b"a100%b%zz%4");
        check(b"a=%ff", b"a\xff");
        assert_ne!(sorted(b"a=%ff"), sorted(b"a=%fe"));
    }
}
