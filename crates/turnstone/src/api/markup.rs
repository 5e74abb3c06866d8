//! Takes markup out of names and tags, as the field does: they are shown in consoles that are not ours.

/// The text without `<…>` and control characters, trimmed. An opening bracket without its end is kept.
pub fn strip(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        let Some(length) = rest[open..].find('>') else { break };
        plain.push_str(&rest[..open]);
        rest = &rest[open + length + 1..];
    }
    plain.push_str(rest);
    plain.retain(|letter| !letter.is_control());
    plain.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        assert_eq!(strip(text), expect, "{text}");
    }

    #[test]
    fn markup_goes_and_text_stays() {
        check("<b>Shop</b> one", "Shop one");
        check("<script src=x>alert(1)</script>", "alert(1)");
        check("a < b", "a < b");
        check("Caf\u{e9}\u{0} <i>", "Café");
        check("", "");
    }
}
