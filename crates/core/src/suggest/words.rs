//! Words of names: members and parameters are called alike in every API, only spelt in different ways.

/// The words of a name in lower case: `lastModifiedDate`, `last_modified_date` and `Last-Modified-Date` are one.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut fresh = true;
    let letters: Vec<char> = name.chars().collect();
    for (at, letter) in letters.iter().enumerate() {
        if !letter.is_alphanumeric() {
            fresh = true;
            continue;
        }
        let before = at.checked_sub(1).map(|before| letters[before]);
        let after = letters.get(at + 1);
        // `createdAt`, and the last capital of `IDNumber`.
        let is_hump = letter.is_uppercase()
            && (before.is_some_and(|before| before.is_lowercase() || before.is_ascii_digit())
                || before.is_some_and(char::is_uppercase) && after.is_some_and(|after| after.is_lowercase()));
        if fresh || is_hump {
            words.push(String::new());
        }
        fresh = false;
        if let Some(word) = words.last_mut() {
            word.extend(letter.to_lowercase());
        }
    }
    words
}

/// Whether one of the words is one of these.
pub(super) fn has_any(words: &[String], wanted: &[&str]) -> bool {
    words.iter().any(|word| wanted.contains(&word.as_str()))
}

/// The words run together, for names that are spelt in lower case without a gap: `updatedat`.
pub(super) fn joined(words: &[String]) -> String {
    words.concat()
}

/// A word without the `s` of a plural.
pub(super) fn singular(word: &str) -> String {
    let lower = word.to_lowercase();
    match lower.strip_suffix("ies") {
        Some(stem) if !stem.is_empty() => format!("{stem}y"),
        _ => lower.strip_suffix('s').filter(|stem| stem.len() > 1).unwrap_or(&lower).to_owned(),
    }
}

/// `1 record`, `25 records`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("{count} {noun}") } else { format!("{count} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_same_words_however_they_are_spelt() {
        for name in ["lastModifiedDate", "last_modified_date", "Last-Modified-Date", "LAST MODIFIED DATE"] {
            assert_eq!(words(name), ["last", "modified", "date"], "{name}");
        }
        assert_eq!(words("customerID"), ["customer", "id"]);
        assert_eq!(words("IDNumber2x"), ["id", "number2x"]);
        assert!(words("__").is_empty() && words("").is_empty());
    }

    #[test]
    fn plurals_lose_their_ending() {
        for (word, one) in [("Customers", "customer"), ("companies", "company"), ("s", "s"), ("data", "data")]
        {
            assert_eq!(singular(word), one);
        }
    }
}
