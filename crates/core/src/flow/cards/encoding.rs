//! Hashes, signatures and URLs (catalogue §9).

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};
use url::Url;

use super::call::{Call, Function, bad, one};
use super::{CardError, Object, Outputs};
use crate::flow::value::Value;

pub(super) fn function(id: &str) -> Option<Function> {
    Some(match id {
        "encryption.hash" => hash,
        "encryption.hmac" => sign,
        "url.encodeComponent" => encode_component,
        "url.decodeComponent" => decode_component,
        "url.encode" => encode_query,
        "url.decode" => decode_query,
        "url.parse" => parse_url,
        "url.format" => format_url,
        _ => return None,
    })
}

enum Algorithm {
    Md5,
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Algorithm {
    fn of(call: &mut Call<'_>) -> Result<Algorithm, CardError> {
        let name = call.text("algorithm").to_ascii_lowercase().replace('-', "");
        Ok(match name.as_str() {
            "md5" => Algorithm::Md5,
            "sha1" => Algorithm::Sha1,
            "sha256" => Algorithm::Sha256,
            "sha384" => Algorithm::Sha384,
            "sha512" => Algorithm::Sha512,
            _ => {
                let message =
                    format!("input `algorithm` is `{name}`; it must be md5, sha1, sha256, sha384 or sha512");
                return Err(bad("algorithm", message));
            }
        })
    }

    fn hash(&self, data: &[u8]) -> Vec<u8> {
        match self {
            Algorithm::Md5 => Md5::digest(data).to_vec(),
            Algorithm::Sha1 => Sha1::digest(data).to_vec(),
            Algorithm::Sha256 => Sha256::digest(data).to_vec(),
            Algorithm::Sha384 => Sha384::digest(data).to_vec(),
            Algorithm::Sha512 => Sha512::digest(data).to_vec(),
        }
    }

    fn sign(&self, key: &[u8], data: &[u8]) -> Vec<u8> {
        match self {
            Algorithm::Md5 => signed::<Hmac<Md5>>(key, data),
            Algorithm::Sha1 => signed::<Hmac<Sha1>>(key, data),
            Algorithm::Sha256 => signed::<Hmac<Sha256>>(key, data),
            Algorithm::Sha384 => signed::<Hmac<Sha384>>(key, data),
            Algorithm::Sha512 => signed::<Hmac<Sha512>>(key, data),
        }
    }
}

fn signed<M: Mac + KeyInit>(key: &[u8], data: &[u8]) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(key).expect("an HMAC takes a key of any length");
    mac.update(data);
    mac.finalize().into_bytes().to_vec()
}

/// Bytes in the form that `digest` names.
fn written(call: &mut Call<'_>, bytes: &[u8]) -> Result<String, CardError> {
    let form = call.text("digest").to_ascii_lowercase();
    Ok(match form.as_str() {
        "hex" => bytes.iter().fold(String::new(), |mut out, byte| {
            // Writing into a String cannot fail.
            let _ = write!(out, "{byte:02x}");
            out
        }),
        "base64" => STANDARD.encode(bytes),
        "base64url" => URL_SAFE_NO_PAD.encode(bytes),
        // One character for each byte, as the field's text of bytes has it.
        "binary" => bytes.iter().map(|byte| char::from(*byte)).collect(),
        _ => {
            let message = format!("input `digest` is `{form}`; it must be hex, base64, base64url or binary");
            return Err(bad("digest", message));
        }
    })
}

fn hash(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let bytes = Algorithm::of(call)?.hash(call.text("data").as_bytes());
    Ok(one("output", written(call, &bytes)?))
}

fn sign(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let (algorithm, key) = (Algorithm::of(call)?, call.text("key"));
    let bytes = algorithm.sign(key.as_bytes(), call.text("data").as_bytes());
    Ok(one("output", written(call, &bytes)?))
}

/// Percent-encodes all but the characters that `encodeURIComponent` leaves: letters, digits and `-_.!~*'()`.
fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn encode_component(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    Ok(one("output", percent(&call.text("text"))))
}

/// Decodes percent signs; `plus` is what `+` stands for.
fn unpercent(input: &str, text: &str, plus: char) -> Result<String, CardError> {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match (byte, digit(bytes.get(at + 1)), digit(bytes.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).unwrap_or(0));
                at += 3;
            }
            (b'%', _, _) => {
                let message = format!("input `{input}` has a `%` without two hexadecimal digits after it");
                return Err(bad(input, message));
            }
            (b'+', _, _) => {
                out.extend(plus.to_string().bytes());
                at += 1;
            }
            (other, _, _) => {
                out.push(*other);
                at += 1;
            }
        }
    }
    String::from_utf8(out).map_err(|_| bad(input, format!("input `{input}` hides bytes that are not UTF-8")))
}

fn decode_component(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    Ok(one("output", unpercent("text", &call.text("text"), '+')?))
}

/// `a=1&b=2`; a list repeats its name, nothing is left out.
fn query_text(data: &Object) -> String {
    let mut parts = Vec::new();
    for (name, value) in data {
        let values = match value {
            Value::Null => continue,
            Value::List(items) => items.as_slice(),
            other => std::slice::from_ref(other),
        };
        parts.extend(values.iter().map(|value| format!("{}={}", percent(name), percent(&value.to_text()))));
    }
    parts.join("&")
}

fn encode_query(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    Ok(one("output", query_text(&call.object("data"))))
}

fn decode_query(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let text = call.text("query");
    let mut found: indexmap::IndexMap<String, Vec<Value>> = indexmap::IndexMap::new();
    for part in text.strip_prefix('?').unwrap_or(&text).split('&').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let value = Value::Text(unpercent("query", value, ' ')?);
        found.entry(unpercent("query", name, ' ')?).or_default().push(value);
    }
    let members = found.into_iter().map(|(name, mut values)| match values.len() {
        1 => (name, values.remove(0)),
        _ => (name, Value::list(values)),
    });
    Ok(one("output", Value::object(members.collect())))
}

fn parse_url(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let text = call.text("url");
    let url = Url::parse(text.trim()).map_err(|why| {
        bad("url", format!("input `url` is not a URL: {why}; write it with its `https://`"))
    })?;
    let auth = match (url.username(), url.password()) {
        ("", None) => String::new(),
        (user, None) => user.to_owned(),
        (user, Some(password)) => format!("{user}:{password}"),
    };
    let parts = [
        ("protocol", Value::text(url.scheme())),
        ("auth", Value::text(auth)),
        ("hostname", Value::text(url.host_str().unwrap_or_default())),
        ("port", url.port().map_or(Value::Null, |port| Value::whole(i64::from(port)))),
        ("pathname", Value::text(url.path())),
        ("query", Value::text(url.query().unwrap_or_default())),
        ("hash", Value::text(url.fragment().unwrap_or_default())),
    ];
    Ok(parts.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn format_url(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let protocol = call.text("protocol");
    let hostname = call.text("hostname");
    let mut text = format!("{}://{hostname}", protocol.trim_end_matches("://").trim_end_matches(':'));
    if let Some(port) = call.whole_if_any("port", 1, 65_535)? {
        text.push_str(&format!(":{port}"));
    }
    let path = call.text("pathname");
    if !path.is_empty() && !path.starts_with('/') {
        text.push('/');
    }
    text.push_str(&path);
    let query = query_text(&call.object("query"));
    if !query.is_empty() {
        text.push('?');
        text.push_str(&query);
    }
    if let Some(hash) = call.text_if_any("hash") {
        text.push('#');
        text.push_str(hash.strip_prefix('#').unwrap_or(&hash));
    }
    let url = Url::parse(&text)
        .map_err(|why| bad("hostname", format!("input `hostname` makes no URL of `{text}`: {why}")))?;
    Ok(one("output", url.as_str()))
}
