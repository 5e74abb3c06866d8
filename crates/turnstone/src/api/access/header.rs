//! The `Authorization` header as the field writes it: `User <secret>, Organization <secret>, Element <token>`.

/// The secrets of a header, by kind.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Credentials<'a> {
    /// Whose request it is.
    pub user: Option<&'a str>,
    /// Of which organisation.
    pub organization: Option<&'a str>,
    /// For which instance.
    pub element: Option<&'a str>,
}

impl<'a> Credentials<'a> {
    /// Reads the pairs: kinds in any letter case and order, each at most once. The error says what is wrong.
    pub fn read(header: &'a str) -> Result<Credentials<'a>, String> {
        let mut found = Credentials::default();
        for pair in header.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (kind, secret) = pair.split_once(char::is_whitespace).unwrap_or((pair, ""));
            let secret = secret.trim();
            let place = match kind.to_ascii_lowercase().as_str() {
                "user" => &mut found.user,
                "organization" => &mut found.organization,
                "element" => &mut found.element,
                _ => return Err("the Authorization header has a kind that is not known".to_owned()),
            };
            if secret.is_empty() || secret.contains(char::is_whitespace) {
                return Err(format!("the Authorization header has no secret after `{kind}`"));
            }
            if place.replace(secret).is_some() {
                return Err(format!("the Authorization header has `{kind}` twice"));
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(header: &str, user: Option<&str>, organization: Option<&str>, element: Option<&str>) {
        assert_eq!(Credentials::read(header), Ok(Credentials { user, organization, element }), "{header}");
    }

    #[test]
    fn pairs_stand_in_any_order_and_case() {
        check("User a/b+c=, Organization 0123", Some("a/b+c="), Some("0123"), None);
        check("Element x=,User y", Some("y"), None, Some("x="));
        check("organization  0123 , USER u", Some("u"), Some("0123"), None);
        check("", None, None, None);
    }

    #[test]
    fn what_is_no_pair_is_refused() {
        for header in ["Bearer x", "User", "User ", "User a b", "User a, User b", "User a, Basic b"] {
            assert!(Credentials::read(header).is_err(), "{header}");
        }
    }
}
