//! The secrets that a command shows to a server: from the environment or from a file, never from the command line,
//! where every process of the machine could read them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use turnstone_engine::secrets::Secret;

use super::Failure;

/// The user's secret.
const USER: &str = "TURNSTONE_USER_TOKEN";
/// The organisation's.
const ORGANIZATION: &str = "TURNSTONE_TOKEN";
/// Bytes of a file of credentials. It holds one line.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// The value of the `Authorization` header: from the file that was named, from the environment, or from the file in
/// the user's own folder, whichever comes first.
pub(crate) fn find(named: Option<&Path>) -> Result<Secret, Failure> {
    if let Some(path) = named {
        return read(path);
    }
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    if let Some(user) = variable(USER) {
        let organization = variable(ORGANIZATION);
        let organization =
            organization.map(|secret| format!(", Organization {}", secret.trim())).unwrap_or_default();
        return usable(&format!("User {}{organization}", user.trim()), USER);
    }
    match own_file().filter(|path| path.exists()) {
        Some(path) => read(&path),
        None => Err(Failure::Server(format!(
            "there are no credentials; set {USER} (and {ORGANIZATION}) to the secrets that the server showed at its \
             first start, or put its line `User …, Organization …` into {}, readable by you alone",
            own_file().map_or("a file for --credentials".to_owned(), |path| format!("`{}`", path.display()))
        ))),
    }
}

/// Where a user's credentials lie when nothing else is said.
fn own_file() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let config = folder("XDG_CONFIG_HOME").or_else(|| folder("HOME").map(|home| home.join(".config")))?;
    Some(config.join("turnstone").join("credentials"))
}

fn read(path: &Path) -> Result<Secret, Failure> {
    let name = path.display();
    let failed = |error: io::Error| {
        Failure::Configuration(format!("cannot read the credentials in `{name}`: {error}; correct the path"))
    };
    let found = fs::metadata(path).map_err(failed)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = found.permissions().mode() & 0o777;
        if found.is_file() && mode & 0o077 != 0 {
            return Err(Failure::Configuration(format!(
                "others may read the credentials in `{name}` (mode {mode:03o}); run `chmod 600 {name}`"
            )));
        }
    }
    if found.len() > FILE_BYTES_MAX {
        return Err(Failure::Configuration(format!("`{name}` is no file of credentials: it is too long")));
    }
    let text = fs::read_to_string(path).map_err(failed)?;
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    match (lines.next(), lines.next()) {
        (Some(line), None) => usable(line, &format!("`{name}`")),
        _ => Err(Failure::Configuration(format!(
            "`{name}` must hold one line, `User <secret>, Organization <secret>`; correct it"
        ))),
    }
}

/// A header's value, or why it is none. The text itself is never shown.
fn usable(text: &str, place: &str) -> Result<Secret, Failure> {
    let text = text.trim();
    let head = text.get(..14).filter(|head| head.eq_ignore_ascii_case("authorization:"));
    let value = head.map_or(text, |head| text[head.len()..].trim());
    let is_pair = |pair: &str| {
        let words: Vec<&str> = pair.split_whitespace().collect();
        let [kind, _] = words.as_slice() else { return false };
        ["user", "organization", "element"].contains(&kind.to_ascii_lowercase().as_str())
    };
    if value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) && value.split(',').all(is_pair) {
        return Ok(Secret::from(value));
    }
    Err(Failure::Configuration(format!(
        "{place} holds no credentials; write `User <secret>, Organization <secret>` on one line, as the server \
         showed them (the secrets alone in the variables)"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Option<&str>) {
        let found = usable(text, "here").ok();
        assert_eq!(found.as_ref().map(Secret::expose), expect, "{text}");
    }

    #[test]
    fn credentials_are_pairs() {
        check("User a+/=, Organization b", Some("User a+/=, Organization b"));
        check(" Authorization: User a, Organization b ", Some("User a, Organization b"));
        check("Element t, User u", Some("Element t, User u"));
        check("Bearer abc", None);
        check("abc", None);
        check("User a b", None);
        check("User a\u{7f}", None);
        check("User ü", None);
        check("", None);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_is_read_only_when_it_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials");
        fs::write(&path, "# of the test\nUser a, Organization b\n").unwrap();
        let mode = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        mode(0o644);
        assert!(find(Some(&path)).unwrap_err().to_string().contains("chmod 600"));
        mode(0o600);
        assert_eq!(find(Some(&path)).unwrap().expose(), "User a, Organization b");
        fs::write(&path, "User a\nUser b\n").unwrap();
        let error = find(Some(&path)).unwrap_err().to_string();
        assert!(error.contains("one line") && !error.contains("User a"), "{error}");
    }
}
