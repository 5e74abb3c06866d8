//! Writing the provider's address: base, path with its variables, query.
//!
//! A value can change neither host nor path depth nor add a parameter: everything but letters, digits and `-._~` is
//! escaped, and a path segment of dots alone is refused, because servers walk on it even when it is escaped.

use std::fmt::Write;

use crate::query::percent_decode;

/// Escapes a value for a path segment or a query.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

/// Whether a value would walk through a path instead of standing in it.
pub(super) fn walks(value: &str) -> bool {
    value.is_empty() || value.bytes().all(|byte| byte == b'.')
}

/// Joins pairs into a query.
pub(super) fn query(pairs: &[(String, String)]) -> String {
    let pair = |(name, value): &(String, String)| format!("{}={}", escape(name), escape(value));
    pairs.iter().map(pair).collect::<Vec<_>>().join("&")
}

/// Takes a query apart.
pub(super) fn pairs(query: &str) -> Vec<(String, String)> {
    let decoded = |text: &str| percent_decode(&text.replace('+', " "));
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| match pair.split_once('=') {
            Some((name, value)) => (decoded(name), decoded(value)),
            None => (decoded(pair), String::new()),
        })
        .collect()
}

/// An absolute address from its parts. `path` may be absolute itself.
pub(super) fn join(base: &str, path: &str, parameters: &[(String, String)]) -> String {
    let absolute = path.starts_with("https://") || path.starts_with("http://");
    let mut url = match absolute {
        true => path.to_string(),
        false if path.is_empty() || path.starts_with(['/', '?']) => {
            format!("{}{path}", base.trim_end_matches('/'))
        }
        false => format!("{}/{path}", base.trim_end_matches('/')),
    };
    if !parameters.is_empty() {
        url.push(if url.contains('?') { '&' } else { '?' });
        url.push_str(&query(parameters));
    }
    url
}

/// An address on the same origin as another one; relative ones continue it.
pub(super) fn on_origin_of(url: &str, next: &str) -> Option<String> {
    let base = url::Url::parse(url).ok()?;
    let next = base.join(next).ok()?;
    (next.origin() == base.origin()).then(|| next.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_where_they_were_put() {
        assert_eq!(escape("a b&c=d/é+'"), "a%20b%26c%3Dd%2F%C3%A9%2B%27");
        assert!(walks("..") && walks(".") && walks("") && !walks("a.b"));
        let pair = |name: &str, value: &str| (name.to_string(), value.to_string());
        assert_eq!(query(&[pair("a", "1"), pair("b[x]", "&")]), "a=1&b%5Bx%5D=%26");
        assert_eq!(pairs("a=1&b%5Bx%5D=%26+c&d"), [pair("a", "1"), pair("b[x]", "& c"), pair("d", "")]);
    }

    #[test]
    fn addresses_are_joined() {
        let one = [("a".to_string(), "1".to_string())];
        assert_eq!(join("https://x.example/v1/", "/c", &one), "https://x.example/v1/c?a=1");
        assert_eq!(join("https://x.example/v1", "c?b=2", &one), "https://x.example/v1/c?b=2&a=1");
        assert_eq!(join("https://x.example", "https://y.example/c", &[]), "https://y.example/c");
        assert_eq!(join("https://x.example/", "", &[]), "https://x.example");
        assert_eq!(on_origin_of("https://x.example/a?b", "/c?d").as_deref(), Some("https://x.example/c?d"));
        assert_eq!(on_origin_of("https://x.example/a", "https://y.example/c"), None);
        assert_eq!(on_origin_of("https://x.example/a", "http://x.example/c"), None);
    }
}
