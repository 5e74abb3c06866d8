//! The `CE` functions of hooks that calculate: digests, signatures, base64.
//!
//! Not here: those that draw chance; the sandbox's prelude has them.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD, URL_SAFE_NO_PAD};
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};

/// Base64 as found in the wild: with or without padding, with stray bits at the end.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The MD5 of a text in UTF-8, in hex.
pub(super) fn md5(text: &str) -> String {
    hex::encode(Md5::digest(text.as_bytes()))
}

/// A text in UTF-8 as base64.
pub(super) fn b64(text: &str) -> String {
    STANDARD.encode(text)
}

/// The text in UTF-8 behind a base64 text. Both alphabets are read, padding may be missing, what is no letter of
/// either is passed over, and reading ends at a `=`, as Node does it.
pub(super) fn decode64(text: &str) -> String {
    let letters: String = text
        .chars()
        .take_while(|&letter| letter != '=')
        .filter_map(|letter| match letter {
            '-' => Some('+'),
            '_' => Some('/'),
            letter if letter.is_ascii_alphanumeric() || letter == '+' || letter == '/' => Some(letter),
            _ => None,
        })
        .collect();
    // A single letter left over holds no whole byte.
    let whole = if letters.len() % 4 == 1 { &letters[..letters.len() - 1] } else { &letters };
    let bytes = LENIENT.decode(whole).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The HMAC of a text, by Node's names for algorithm and encoding, in any letter case. Fails with the sentence to
/// throw.
pub(super) fn hmac(algorithm: &str, encoding: &str, secret: &str, text: &str) -> Result<String, String> {
    let bytes = match algorithm.to_ascii_lowercase().replace('-', "").as_str() {
        "md5" => sign::<Hmac<Md5>>(secret, text),
        "sha1" => sign::<Hmac<Sha1>>(secret, text),
        "sha224" => sign::<Hmac<Sha224>>(secret, text),
        "sha256" => sign::<Hmac<Sha256>>(secret, text),
        "sha384" => sign::<Hmac<Sha384>>(secret, text),
        "sha512" => sign::<Hmac<Sha512>>(secret, text),
        _ => {
            return Err(format!(
                "CE.hmac knows no algorithm `{algorithm}`, there are md5, sha1, sha224, sha256, sha384 and sha512"
            ));
        }
    };
    match encoding.to_ascii_lowercase().as_str() {
        "hex" => Ok(hex::encode(bytes)),
        "base64" => Ok(STANDARD.encode(bytes)),
        "base64url" => Ok(URL_SAFE_NO_PAD.encode(bytes)),
        _ => Err(format!("CE.hmac knows no encoding `{encoding}`, there are hex, base64 and base64url")),
    }
}

fn sign<M: Mac + KeyInit>(secret: &str, text: &str) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_as_found() {
        for (text, expect) in [
            ("aGVsbG8=", "hello"),
            ("aGVsbG8", "hello"),
            (" aGVs\nbG8= ", "hello"),
            ("4oKs", "€"),
            ("_-8_", "\u{fffd}\u{fffd}?"),
            ("", ""),
            ("a", ""),
            ("aGVsbG8=aGVsbG8=", "hello"),
        ] {
            assert_eq!(decode64(text), expect, "{text:?}");
        }
        assert_eq!(b64("€"), "4oKs");
    }

    #[test]
    fn unknown_names_are_named() {
        assert!(hmac("sha3", "hex", "k", "t").unwrap_err().contains("`sha3`"));
        assert!(hmac("md5", "latin1", "k", "t").unwrap_err().contains("`latin1`"));
    }
}
