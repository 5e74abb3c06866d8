//! `rootKey`: where a provider's request and response hold the object that a call is about.
//!
//! `data.items` names a member, `[0]` an item, `data[*]` every item of a list; `contact|contacts` says it for request
//! and response apart, and either side may be empty. Without a bar both sides are meant (decision 0016).

use crate::json_text::{self, Kind};
use crate::limits::MAPPING_DEPTH_MAX;

/// Where the object stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RootKey {
    request: Vec<Step>,
    response: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Member(String),
    Item(usize),
    Each,
}

impl RootKey {
    /// Reads a root key. The error says what is wrong with it, without a remedy.
    pub fn parse(text: &str) -> Result<RootKey, String> {
        let read = |side: &str| steps(side.trim());
        Ok(match text.split_once('|') {
            Some((request, response)) => RootKey { request: read(request)?, response: read(response)? },
            None => RootKey { request: read(text)?, response: read(text)? },
        })
    }

    /// Puts the object where the provider wants it.
    pub fn wrap(&self, object: &str) -> String {
        self.request.iter().rev().fold(object.to_string(), |inner, step| match step {
            Step::Member(name) => format!("{{{}:{inner}}}", json_text::quote(name)),
            Step::Item(_) => format!("[{inner}]"),
            Step::Each if json_text::kind(&inner) == Some(Kind::List) => inner,
            Step::Each => format!("[{inner}]"),
        })
    }

    /// Takes the object out of an answer. `None` when nothing stands there.
    pub fn unwrap(&self, answer: &str) -> Option<String> {
        let mut found = vec![answer.trim_ascii()];
        let mut listed = false;
        for (at, step) in self.response.iter().enumerate() {
            found = match step {
                Step::Member(name) => {
                    let inner: Vec<&str> =
                        found.iter().filter_map(|value| json_text::member(value, name)).collect();
                    if inner.is_empty() && !(listed && found.is_empty()) {
                        return None;
                    }
                    inner
                }
                Step::Item(index) => {
                    let inner: Vec<&str> = found
                        .iter()
                        .filter_map(|value| json_text::items(value)?.get(*index).copied())
                        .collect();
                    if inner.is_empty() && !listed {
                        return None;
                    }
                    inner
                }
                // Every item of a list at the end is the list itself.
                Step::Each if at + 1 == self.response.len() && found.len() == 1 && !listed => {
                    json_text::items(found[0])?;
                    found
                }
                Step::Each => {
                    listed = true;
                    let lists: Option<Vec<Vec<&str>>> =
                        found.iter().map(|value| json_text::items(value)).collect();
                    lists?.into_iter().flatten().collect()
                }
            };
        }
        Some(if listed { format!("[{}]", found.join(",")) } else { found.first()?.to_string() })
    }

    /// Whether answers hold their object below something.
    pub fn is_nested(&self) -> bool {
        !self.response.is_empty()
    }
}

fn steps(text: &str) -> Result<Vec<Step>, String> {
    // `$` is the answer itself only where a step follows: OData and others have members like `$items`.
    let text = match text.strip_prefix('$') {
        Some(rest) if rest.is_empty() || rest.starts_with(['.', '[']) => rest,
        _ => text,
    };
    let mut steps = Vec::new();
    let mut rest = text.strip_prefix('.').unwrap_or(text);
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let end = inner.find(']').ok_or_else(|| format!("a `]` is missing in `{text}`"))?;
            steps.push(match inner[..end].trim() {
                "*" | "" => Step::Each,
                index => match index.trim_matches(['\'', '"']) {
                    name if name.len() < index.len() => Step::Member(name.to_string()),
                    index => Step::Item(index.parse().map_err(|_| format!("`{index}` is not a position"))?),
                },
            });
            rest = &inner[end + 1..];
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            if end == 0 {
                return Err(format!("a name is missing in `{text}`"));
            }
            steps.push(match &rest[..end] {
                "*" => Step::Each,
                name => Step::Member(name.to_string()),
            });
            rest = &rest[end..];
        }
        if let Some(after) = rest.strip_prefix('.') {
            if after.is_empty() {
                return Err(format!("`{text}` ends with a dot"));
            }
            rest = after;
        }
        if steps.len() > MAPPING_DEPTH_MAX {
            return Err(format!("it is more than {MAPPING_DEPTH_MAX} steps deep"));
        }
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn unwraps(key: &str, answer: &str, expect: Option<&str>) {
        assert_eq!(RootKey::parse(key).unwrap().unwrap(answer).as_deref(), expect, "{key} of {answer}");
    }

    #[track_caller]
    fn wraps(key: &str, object: &str, expect: &str) {
        assert_eq!(RootKey::parse(key).unwrap().wrap(object), expect, "{key}");
    }

    #[test]
    fn objects_are_taken_out_of_answers() {
        unwraps("data", r#"{"data":[1.50, 2]}"#, Some("[1.50, 2]"));
        unwraps("data.items", r#"{"data":{"items":[1]}}"#, Some("[1]"));
        unwraps("data[*]", r#"{"data":[1]}"#, Some("[1]"));
        unwraps("data[*].deal", r#"{"data":[{"deal":{"a":1}},{"x":2},{"deal":3}]}"#, Some(r#"[{"a":1},3]"#));
        unwraps("a[*].b[*]", r#"{"a":[{"b":[1]},{"b":[2,3]}]}"#, Some("[1,2,3]"));
        unwraps("[0]", "[7,8]", Some("7"));
        unwraps("[0].x", r#"[{"x":1}]"#, Some("1"));
        unwraps("x|y", r#"{"y":1}"#, Some("1"));
        unwraps("|y", r#"{"y":1}"#, Some("1"));
        unwraps("x|", r#"{"y":1}"#, Some(r#"{"y":1}"#));
        unwraps("$.data", r#"{"data":1}"#, Some("1"));
        unwraps("|$items", r#"{"$items":1}"#, Some("1"));
        unwraps("['a.b']", r#"{"a.b":1}"#, Some("1"));
        unwraps("data[*].deal", r#"{"data":[]}"#, Some("[]"));
    }

    #[test]
    fn what_is_not_there_is_said() {
        unwraps("data", r#"{"items":[]}"#, None);
        unwraps("data.items", r#"{"data":7}"#, None);
        unwraps("[0]", "[]", None);
        unwraps("data[*]", r#"{"data":{}}"#, None);
    }

    #[test]
    fn objects_are_put_into_requests() {
        wraps("contact", r#"{"a":1.50}"#, r#"{"contact":{"a":1.50}}"#);
        wraps("a.b|c", "1", r#"{"a":{"b":1}}"#);
        wraps("list[*]", "1", r#"{"list":[1]}"#);
        wraps("list[*]", "[1]", r#"{"list":[1]}"#);
        wraps("[0]", "1", "[1]");
        wraps("|data", "1", "1");
    }

    #[test]
    fn what_is_no_root_key_is_refused() {
        for text in ["a..b", "a.", "a[x]", "a[0", ".", &"a.".repeat(40)] {
            assert!(RootKey::parse(text).is_err() || text == ".", "{text}");
        }
    }
}
