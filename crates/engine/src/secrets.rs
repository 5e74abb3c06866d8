//! Secrets: a type that does not print, and the key ring that seals what is stored.
//!
//! A sealed text is `v1.<key id>.<nonce and ciphertext>` (XChaCha20-Poly1305). The place where it is stored
//! (organisation and row) is authenticated with it, so a ciphertext that is copied to another row or organisation does
//! not open. The key id says which key of the ring to use, so a ring may hold retired keys beside the active one.
//!
//! Not here: where sealed texts are stored, and re-sealing them after a rotation (`KeyRing::is_current` tells which).

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::clock::Entropy;

const VERSION: &str = "v1";
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
/// Keys of one ring. Each rotation adds one, and retired ones leave again.
const KEYS_MAX: usize = 64;

/// A text that must not be seen. Prints as `Secret(…)` and is wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The text itself, for the one place that needs it. Never store or log what this returns.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Secret(Zeroizing::new(text))
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Secret::from(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Where a sealed text is stored. Opening it needs the same place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The organisation that owns the row.
    pub organisation: i64,
    /// Table, row and column, for example `connection/42/token`.
    pub row: &'a str,
}

/// Why a key ring cannot be had, or a text not be opened.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The key file cannot be read or made.
    #[error("cannot {doing} the key file `{path}`")]
    File {
        /// `read` or `make`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// There is no key file, and none may be made.
    #[error(
        "there is no key file `{path}`; restore it, because the stored secrets cannot be opened without it"
    )]
    NoFile {
        /// The file.
        path: PathBuf,
    },
    /// The environment variable is missing.
    #[error("the environment variable `{name}` holds no keys; set it to 32 bytes in base64 or hex")]
    NoVariable {
        /// Its name.
        name: String,
    },
    /// A line is not a key.
    #[error("key {number} of {origin} is not 32 bytes in base64 or hex")]
    BadKey {
        /// Which key, from 1.
        number: usize,
        /// The file or variable.
        origin: String,
    },
    /// There is no key at all, or too many.
    #[error("{origin} holds {count} keys; 1 to {KEYS_MAX} are needed")]
    KeyCount {
        /// The file or variable.
        origin: String,
        /// How many it holds.
        count: usize,
    },
    /// The same key stands there twice.
    #[error("key {number} of {origin} stands there twice; remove one")]
    SameKey {
        /// Which key, from 1.
        number: usize,
        /// The file or variable.
        origin: String,
    },
    /// The text was sealed with a key that the ring lacks.
    #[error("the secret of `{row}` was sealed with key `{key}`, which the key ring lacks; add that key")]
    UnknownKey {
        /// Where the text is stored.
        row: String,
        /// The id of the missing key.
        key: String,
    },
    /// The text does not open at this place.
    #[error("the secret of `{row}` does not open: it was altered, or moved here from another row")]
    DoesNotOpen {
        /// Where the text is stored.
        row: String,
    },
    /// The text is not a sealed text of this version.
    #[error("the secret of `{row}` is not a sealed text that this version can read")]
    NotSealed {
        /// Where the text is stored.
        row: String,
    },
}

/// What to do when the key file does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenMissing {
    /// Make one: right while nothing has been sealed yet.
    Make,
    /// Refuse: right as soon as the store holds sealed texts, because a new key would not open them.
    Refuse,
}

/// The keys. The first one seals; all of them open.
pub struct KeyRing {
    keys: Vec<Key>,
}

struct Key {
    id: String,
    cipher: XChaCha20Poly1305,
}

impl KeyRing {
    /// Reads keys from text: one per line, in base64 or hex; the first one seals. Empty lines and lines that begin with
    /// `#` are skipped. `origin` names the text in errors.
    pub fn parse(text: &str, origin: &str) -> Result<Self, SecretError> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let mut keys: Vec<Key> = Vec::new();
        let mut count = 0;
        for line in lines {
            count += 1;
            if count > KEYS_MAX {
                continue;
            }
            let bytes =
                key_bytes(line).ok_or(SecretError::BadKey { number: count, origin: origin.to_owned() })?;
            let key = Key::new(&bytes);
            if keys.iter().any(|other| other.id == key.id) {
                return Err(SecretError::SameKey { number: count, origin: origin.to_owned() });
            }
            keys.push(key);
        }
        if count == 0 || count > KEYS_MAX {
            return Err(SecretError::KeyCount { origin: origin.to_owned(), count });
        }
        Ok(KeyRing { keys })
    }

    /// Reads the keys from an environment variable. Several keys are separated by line breaks or commas.
    pub fn from_environment(name: &str) -> Result<Self, SecretError> {
        match std::env::var(name) {
            Ok(text) if !text.trim().is_empty() => {
                let text = Zeroizing::new(text.replace(',', "\n"));
                KeyRing::parse(&text, &format!("the environment variable `{name}`"))
            }
            Ok(_) | Err(_) => Err(SecretError::NoVariable { name: name.to_owned() }),
        }
    }

    /// Reads the keys from a file, which may be made with one new key and mode 0600.
    pub fn from_file(path: &Path, missing: WhenMissing, entropy: &dyn Entropy) -> Result<Self, SecretError> {
        let read = || fs::read_to_string(path).map(Zeroizing::new);
        let text = match read() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => match missing {
                WhenMissing::Refuse => return Err(SecretError::NoFile { path: path.to_owned() }),
                WhenMissing::Make => {
                    make_file(path, entropy).map_err(|source| SecretError::File {
                        doing: "make",
                        path: path.to_owned(),
                        source,
                    })?;
                    read()
                }
            },
            other => other,
        };
        let text =
            text.map_err(|source| SecretError::File { doing: "read", path: path.to_owned(), source })?;
        warn_when_readable_by_others(path);
        KeyRing::parse(&text, &format!("the key file `{}`", path.display()))
    }

    /// The id of the key that seals.
    pub fn active_id(&self) -> &str {
        &self.active().id
    }

    /// Whether the text was sealed with the active key. Texts that were not are to be sealed again before their key
    /// leaves the ring.
    pub fn is_current(&self, sealed: &str) -> bool {
        split(sealed).is_some_and(|(id, _)| id == self.active_id())
    }

    /// Whether the ring holds the key that the text names. Cheap: lets a start-up check name a missing key early.
    pub fn holds_key_of(&self, sealed: &str) -> bool {
        split(sealed).is_some_and(|(id, _)| self.keys.iter().any(|key| key.id == id))
    }

    /// Seals a secret for its place, with the active key and a fresh random nonce.
    pub fn seal(&self, plain: &Secret, place: Place<'_>, entropy: &dyn Entropy) -> String {
        let key = self.active();
        let mut nonce = [0; NONCE_BYTES];
        entropy.fill(&mut nonce);
        let payload = Payload { msg: plain.expose().as_bytes(), aad: &bound(&key.id, place) };
        let mut sealed = nonce.to_vec();
        sealed.extend(
            key.cipher
                .encrypt(&XNonce::from(nonce), payload)
                .expect("a text that fits memory is shorter than the cipher's limit of 256 GiB"),
        );
        format!("{VERSION}.{}.{}", key.id, URL_SAFE_NO_PAD.encode(sealed))
    }

    /// Opens a sealed text at the place where it was sealed.
    pub fn open(&self, sealed: &str, place: Place<'_>) -> Result<Secret, SecretError> {
        let row = || place.row.to_owned();
        let (id, body) = split(sealed).ok_or_else(|| SecretError::NotSealed { row: row() })?;
        let key = self
            .keys
            .iter()
            .find(|key| key.id == id)
            .ok_or_else(|| SecretError::UnknownKey { row: row(), key: id.to_owned() })?;
        let bytes = URL_SAFE_NO_PAD.decode(body).map_err(|_| SecretError::NotSealed { row: row() })?;
        let (nonce, ciphertext) =
            bytes.split_first_chunk::<NONCE_BYTES>().ok_or_else(|| SecretError::NotSealed { row: row() })?;
        let payload = Payload { msg: ciphertext, aad: &bound(id, place) };
        let plain = key
            .cipher
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| SecretError::DoesNotOpen { row: row() })?;
        String::from_utf8(plain).map(Secret::from).map_err(|error| {
            drop(Zeroizing::new(error.into_bytes()));
            SecretError::DoesNotOpen { row: row() }
        })
    }

    fn active(&self) -> &Key {
        self.keys.first().expect("a ring is only made with at least one key")
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|key| &key.id)).finish()
    }
}

impl Key {
    fn new(bytes: &[u8; KEY_BYTES]) -> Self {
        let mut digest = Sha256::new();
        digest.update(b"turnstone key id");
        digest.update(bytes);
        let id = hex::encode(&digest.finalize()[..4]);
        Key { id, cipher: XChaCha20Poly1305::new(bytes.into()) }
    }
}

/// Key id and body of a sealed text.
fn split(sealed: &str) -> Option<(&str, &str)> {
    sealed.strip_prefix(VERSION)?.strip_prefix('.')?.split_once('.')
}

/// What is authenticated beside the text. Only the last part has a free length, so no two places read alike.
fn bound(key_id: &str, place: Place<'_>) -> Vec<u8> {
    [
        VERSION.as_bytes(),
        b".",
        key_id.as_bytes(),
        b".",
        &place.organisation.to_be_bytes(),
        place.row.as_bytes(),
    ]
    .concat()
}

fn key_bytes(line: &str) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    if hex::decode_to_slice(line, key.as_mut()).is_ok() {
        return Some(key);
    }
    let bytes = [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD]
        .iter()
        .find_map(|engine| engine.decode(line).ok())
        .map(Zeroizing::new)?;
    key.copy_from_slice(bytes.get(..KEY_BYTES).filter(|_| bytes.len() == KEY_BYTES)?);
    Some(key)
}

/// Makes the file whole or not at all: a crash never leaves half a key, and of two first starts one wins.
fn make_file(path: &Path, entropy: &dyn Entropy) -> io::Result<()> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    entropy.fill(key.as_mut());
    let text = Zeroizing::new(format!(
        "# Turnstone's key: without this file the stored secrets cannot be opened. Keep a copy.\n{}\n",
        *Zeroizing::new(STANDARD.encode(key.as_ref()))
    ));
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    };
    let mut draft_name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
    draft_name.push(format!(".{:016x}", entropy.next_u64()));
    let draft = folder.join(draft_name);
    let made = write_new(&draft, text.as_bytes()).and_then(|()| match fs::hard_link(&draft, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    });
    let cleared = fs::remove_file(&draft);
    made.and(cleared)?;
    File::open(folder)?.sync_all()
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(unix)]
fn warn_when_readable_by_others(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode());
    if mode & 0o077 != 0 {
        tracing::warn!(path = %path.display(), "other users can read the key file; set its mode to 0600");
    }
}

#[cfg(not(unix))]
fn warn_when_readable_by_others(_path: &Path) {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{SeededEntropy, SystemEntropy};

    const HOME: Place<'_> = Place { organisation: 7, row: "connection/42/token" };

    fn ring(keys: &[u8]) -> KeyRing {
        let lines: Vec<String> = keys.iter().map(|key| hex::encode([*key; 32])).collect();
        KeyRing::parse(&lines.join("\n"), "the test").unwrap()
    }

    fn sealed(keys: &[u8]) -> String {
        ring(keys).seal(&"s3cret ü".into(), HOME, &SeededEntropy::new(1))
    }

    #[test]
    fn a_sealed_text_opens_at_its_place() {
        let text = sealed(&[1]);
        assert!(!text.contains("s3cret"));
        assert_eq!(ring(&[1]).open(&text, HOME).unwrap().expose(), "s3cret ü");
        assert_eq!(
            ring(&[1]).open(&ring(&[1]).seal(&"".into(), HOME, &SystemEntropy), HOME).unwrap().expose(),
            ""
        );
    }

    #[test]
    fn a_text_copied_elsewhere_does_not_open() {
        let text = sealed(&[1]);
        for place in [
            Place { organisation: 8, ..HOME },
            Place { organisation: -7, ..HOME },
            Place { row: "connection/43/token", ..HOME },
            Place { row: "connection/42/toke", ..HOME },
            Place { row: "", ..HOME },
        ] {
            let error = ring(&[1]).open(&text, place).unwrap_err();
            assert!(matches!(error, SecretError::DoesNotOpen { .. }), "{place:?}: {error}");
        }
    }

    #[test]
    fn every_altered_byte_is_noticed() {
        let text = sealed(&[1]);
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(bytes).unwrap();
            assert!(ring(&[1]).open(&altered, HOME).is_err(), "byte {at}");
            assert!(ring(&[1]).open(&text[..at], HOME).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn a_retired_key_still_opens_but_is_not_current() {
        let old = sealed(&[1]);
        let rotated = ring(&[2, 1]);
        assert_eq!(rotated.open(&old, HOME).unwrap().expose(), "s3cret ü");
        assert!(!rotated.is_current(&old));
        assert!(rotated.is_current(&sealed(&[2, 1])));
        assert!(rotated.holds_key_of(&old));
        assert!(!ring(&[2]).holds_key_of(&old));
        let error = ring(&[2]).open(&old, HOME).unwrap_err();
        assert!(error.to_string().contains(ring(&[1]).active_id()), "{error}");
    }

    #[test]
    fn the_same_text_is_never_sealed_alike() {
        let entropy = SeededEntropy::new(1);
        let ring = ring(&[1]);
        assert_ne!(ring.seal(&"a".into(), HOME, &entropy), ring.seal(&"a".into(), HOME, &entropy));
    }

    #[test]
    fn nothing_prints_a_secret() {
        let secret = Secret::from("canary-4711");
        let shown = format!("{secret:?} {:?} {:?}", Some(&secret), ring(&[1]));
        assert!(!shown.contains("canary"), "{shown}");
        assert!(!shown.contains("0101"), "{shown}");
    }

    #[track_caller]
    fn refused(text: &str, expect: &str) {
        let error = KeyRing::parse(text, "the test").unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
    }

    #[test]
    fn keys_are_read_in_every_spelling() {
        let bytes: [u8; 32] = std::array::from_fn(|index| 250u8.wrapping_add(index as u8));
        let id = |text: &str| KeyRing::parse(text, "the test").unwrap().active_id().to_owned();
        let expect = id(&hex::encode(bytes));
        for text in [
            STANDARD.encode(bytes),
            URL_SAFE_NO_PAD.encode(bytes),
            hex::encode_upper(bytes),
            format!("# a note\n\n  {}  \n", STANDARD_NO_PAD.encode(bytes)),
        ] {
            assert_eq!(id(&text), expect, "{text}");
        }
        refused("", "holds 0 keys");
        refused("# only a note", "holds 0 keys");
        refused("short", "key 1 of the test");
        refused(&STANDARD.encode([1; 31]), "key 1 of the test");
        refused(&hex::encode([1; 33]), "key 1 of the test");
        refused(&format!("{0}\n{0}", hex::encode([1; 32])), "key 2 of the test stands there twice");
        refused(&(0..65u8).map(|key| hex::encode([key; 32])).collect::<Vec<_>>().join("\n"), "holds 65 keys");
    }

    #[test]
    fn the_first_start_makes_the_file_and_the_second_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("turnstone.key");
        let refused = KeyRing::from_file(&path, WhenMissing::Refuse, &SystemEntropy).unwrap_err();
        assert!(matches!(refused, SecretError::NoFile { .. }), "{refused}");
        assert!(!path.exists());
        let first = KeyRing::from_file(&path, WhenMissing::Make, &SystemEntropy).unwrap();
        let second = KeyRing::from_file(&path, WhenMissing::Make, &SystemEntropy).unwrap();
        assert_eq!(first.active_id(), second.active_id());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left behind");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        fs::write(&path, "").unwrap();
        let empty = KeyRing::from_file(&path, WhenMissing::Make, &SystemEntropy).unwrap_err();
        assert!(empty.to_string().contains("holds 0 keys"), "{empty}");
    }

    #[test]
    fn a_missing_variable_says_what_to_set() {
        let error = KeyRing::from_environment("TURNSTONE_TEST_NO_SUCH_KEYS").unwrap_err().to_string();
        assert!(error.contains("TURNSTONE_TEST_NO_SUCH_KEYS"), "{error}");
    }
}
