//! How the bytes of an answer become text.
//!
//! They pass through gzip and the charset piece by piece into one buffer, so nothing is held twice, and every limit is
//! checked before the buffer grows. A body without declared length that ends with an orderly close cannot be told from
//! a whole one here; its JSON, or the checksum of gzip, tells.
//!
//! Not here: memory of all answers together (`budget`), sockets and time limits (`client`), and what the text means.

use std::io::{self, BufRead, Read};

use bytes::Bytes;
use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8};
use flate2::bufread::MultiGzDecoder;
use turnstone_core::limits::COMPRESSION_RATIO_MAX;
use turnstone_core::run::FetchErrorKind;

use super::budget::{SHARE_BYTES_MIN, Share};

/// Bytes that are decoded in one go. A charset may triple them.
const PIECE_BYTES: usize = 16 * 1024;

/// What a buffer may be larger than its text, at most.
pub(super) const SLACK_BYTES: usize = 4 * PIECE_BYTES;

/// Below this size an answer harms nobody, however well it was compressed.
const RATIO_FREE_BYTES: usize = 1024 * 1024;

/// Why a body is not a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BodyError {
    /// Larger than allowed, or expands too far.
    #[error("{0}")]
    TooLarge(String),
    /// Ends too early.
    #[error("the body breaks off inside its compression")]
    Truncated,
    /// Not in its declared coding or charset.
    #[error("{0}")]
    Undecodable(String),
}

impl BodyError {
    pub(super) fn kind(&self) -> FetchErrorKind {
        match self {
            BodyError::TooLarge(_) => FetchErrorKind::TooLarge,
            BodyError::Truncated => FetchErrorKind::Truncated,
            BodyError::Undecodable(_) => FetchErrorKind::Undecodable,
        }
    }
}

/// A body on its way from bytes to text.
pub(super) struct BodyText {
    share: Share,
    text: String,
    decoder: Decoder,
    charset: &'static str,
    gzip: Option<MultiGzDecoder<Feed>>,
    wire_bytes: usize,
    content_bytes: usize,
    bytes_max: usize,
}

impl BodyText {
    /// Prepares for a body with these headers' values. A coding or charset that we do not know is refused.
    pub(super) fn new(
        share: Share,
        content_encoding: Option<&str>,
        content_type: Option<&str>,
        bytes_max: usize,
    ) -> Result<Self, BodyError> {
        let gzip = match content_encoding.map(|coding| coding.trim().to_ascii_lowercase()).as_deref() {
            None | Some("" | "identity") => None,
            Some("gzip" | "x-gzip") => Some(MultiGzDecoder::new(Feed::default())),
            Some(other) => {
                return Err(BodyError::Undecodable(format!(
                    "the content coding `{}` was not asked for",
                    excerpt(other)
                )));
            }
        };
        let encoding = match content_type.and_then(charset_of) {
            None => UTF_8,
            Some(label) => Encoding::for_label_no_replacement(label.as_bytes()).ok_or_else(|| {
                BodyError::Undecodable(format!("the charset `{}` is unknown", excerpt(&label)))
            })?,
        };
        Ok(BodyText {
            share,
            text: String::new(),
            decoder: encoding.new_decoder(),
            charset: encoding.name(),
            gzip,
            wire_bytes: 0,
            content_bytes: 0,
            bytes_max,
        })
    }

    /// Takes the next bytes of the body.
    pub(super) async fn push(&mut self, chunk: Bytes) -> Result<(), BodyError> {
        self.wire_bytes += chunk.len();
        // A body of empty gzip members expands to nothing and would never end otherwise.
        if self.wire_bytes > self.bytes_max {
            return Err(self.too_large());
        }
        match self.gzip.take() {
            None => {
                self.content_bytes += chunk.len();
                for piece in chunk.chunks(PIECE_BYTES) {
                    self.decode(piece, false).await?;
                }
                Ok(())
            }
            Some(mut gzip) => {
                gzip.get_mut().bytes = chunk;
                self.unzip(&mut gzip).await?;
                self.gzip = Some(gzip);
                Ok(())
            }
        }
    }

    /// Ends the body: the whole text, and the share that pays for it.
    pub(super) async fn finish(mut self) -> Result<(String, Share), BodyError> {
        if let Some(mut gzip) = self.gzip.take()
            && self.wire_bytes > 0
        {
            gzip.get_mut().closed = true;
            self.unzip(&mut gzip).await?;
        }
        self.decode(&[], true).await?;
        self.text.shrink_to_fit();
        Ok((self.text, self.share))
    }

    async fn unzip(&mut self, gzip: &mut MultiGzDecoder<Feed>) -> Result<(), BodyError> {
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            match gzip.read(&mut piece) {
                Ok(0) => return Ok(()),
                Ok(count) => {
                    self.content_bytes += count;
                    let allowed = self.wire_bytes.saturating_mul(COMPRESSION_RATIO_MAX).max(RATIO_FREE_BYTES);
                    if self.content_bytes > allowed {
                        return Err(BodyError::TooLarge(format!(
                            "the body expands to more than {COMPRESSION_RATIO_MAX} times its compressed size"
                        )));
                    }
                    if self.content_bytes > self.bytes_max {
                        return Err(self.too_large());
                    }
                    self.decode(&piece[..count], false).await?;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Err(BodyError::Truncated);
                }
                Err(_) => return Err(BodyError::Undecodable("the body is not valid gzip".to_owned())),
            }
        }
    }

    async fn decode(&mut self, piece: &[u8], last: bool) -> Result<(), BodyError> {
        let room = self
            .decoder
            .max_utf8_buffer_length_without_replacement(piece.len())
            .ok_or_else(|| self.too_large())?;
        self.make_room(room).await?;
        let (result, _) = self.decoder.decode_to_string_without_replacement(piece, &mut self.text, last);
        match result {
            DecoderResult::InputEmpty if self.text.len() > self.bytes_max => Err(self.too_large()),
            DecoderResult::InputEmpty => Ok(()),
            DecoderResult::Malformed(..) => Err(BodyError::Undecodable(format!(
                "the body is not valid {} after {} characters",
                self.charset,
                self.text.chars().count()
            ))),
            DecoderResult::OutputFull => unreachable!("the decoder was given the room that it asked for"),
        }
    }

    /// Pays for the buffer before it grows; by half each time, so that a large body does not grow in tiny steps.
    async fn make_room(&mut self, room: usize) -> Result<(), BodyError> {
        let need = self.text.len() + room;
        if need <= self.text.capacity() {
            return Ok(());
        }
        let roomy = (self.text.capacity() + self.text.capacity() / 2).min(self.bytes_max);
        // What was reserved before sending is used first.
        let capacity = need.max(roomy).max(SHARE_BYTES_MIN.min(self.bytes_max));
        self.share.grow_to(capacity).await?;
        self.text.reserve_exact(capacity - self.text.len());
        Ok(())
    }

    fn too_large(&self) -> BodyError {
        BodyError::TooLarge(format!("the body is larger than {} bytes", self.bytes_max))
    }
}

/// Hands the gzip reader the bytes that have come so far.
#[derive(Default)]
struct Feed {
    bytes: Bytes,
    closed: bool,
}

impl Read for Feed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.len().min(into.len());
        into[..count].copy_from_slice(&self.bytes[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Feed {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.bytes.is_empty() && !self.closed {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(&self.bytes)
    }

    fn consume(&mut self, count: usize) {
        drop(self.bytes.split_to(count));
    }
}

/// The `charset` of a content type.
fn charset_of(content_type: &str) -> Option<String> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches(['"', '\'']).to_owned())
    })
}

/// A provider's word, short enough for a message.
fn excerpt(text: &str) -> String {
    text.chars().filter(|char| !char.is_control()).take(40).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use turnstone_core::limits::BODY_BYTES_MAX;

    use super::*;
    use crate::egress::{Bodies, BodyBudget};

    const MIB: usize = 1024 * 1024;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    async fn read(
        wire: &[u8],
        chunk_bytes: usize,
        coding: Option<&str>,
        content_type: Option<&str>,
        bytes_max: usize,
    ) -> Result<String, BodyError> {
        let bodies = Bodies::new(&BodyBudget::default());
        let mut body = BodyText::new(bodies.reserve().await?, coding, content_type, bytes_max)?;
        for chunk in wire.chunks(chunk_bytes) {
            body.push(Bytes::copy_from_slice(chunk)).await?;
        }
        body.finish().await.map(|(text, _)| text)
    }

    #[track_caller]
    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
    }

    #[track_caller]
    fn check(wire: &[u8], content_type: &str, expect: &str) {
        for chunk_bytes in [1, 2, 3, 7, usize::MAX] {
            let text = run(read(wire, chunk_bytes, None, Some(content_type), BODY_BYTES_MAX));
            assert_eq!(text.as_deref(), Ok(expect), "{content_type} in chunks of {chunk_bytes}");
            let zipped =
                run(read(&gzip(wire), chunk_bytes, Some("gzip"), Some(content_type), BODY_BYTES_MAX));
            assert_eq!(zipped.as_deref(), Ok(expect), "{content_type}, gzip in chunks of {chunk_bytes}");
        }
    }

    #[test]
    fn charsets() {
        check("grün 日本".as_bytes(), "application/json", "grün 日本");
        check(b"\xef\xbb\xbf{}", "application/json", "{}");
        check(b"\xef\xbb\xbf\xc3\xbc", "text/html; charset=iso-8859-1", "ü");
        check(b"gr\xfcn \x80", "application/json; charset=ISO-8859-1", "grün €");
        check(b"gr\xfcn", "application/json;charset=\"windows-1252\"", "grün");
        check(b"\xff\xfe{\0}\0", "application/json", "{}");
        check(b"\xfe\xff\0{\0}", "application/json; Charset=utf-16", "{}");
        check(b"\x93\xfa\x96\x7b", "text/json; boundary=x; charset=Shift_JIS", "日本");
        check(b"", "application/json", "");
    }

    #[track_caller]
    fn fails(wire: &[u8], coding: &str, content_type: &str, expect: FetchErrorKind) {
        for chunk_bytes in [1, 1000, usize::MAX] {
            let outcome = run(read(wire, chunk_bytes, Some(coding), Some(content_type), 2 * MIB));
            assert_eq!(outcome.as_ref().map_err(BodyError::kind), Err(expect), "{coding} {content_type}");
        }
    }

    #[test]
    fn bodies_that_are_no_text() {
        use FetchErrorKind::{TooLarge, Truncated, Undecodable};
        fails(b"gr\xfcn", "identity", "application/json", Undecodable);
        fails(b"\xc3", "identity", "application/json", Undecodable);
        fails(b"{}", "identity", "application/json; charset=klingon", Undecodable);
        fails(b"{}", "identity", "application/json; charset=iso-2022-kr", Undecodable);
        for coding in ["br", "zstd", "deflate", "gzip, gzip", "compress"] {
            fails(b"{}", coding, "application/json", Undecodable);
        }
        fails(b"{}{}{}{}{}{}", "gzip", "application/json", Undecodable);
        fails(&vec![b'a'; 2 * MIB + 1], "identity", "application/json", TooLarge);
        fails(&vec![0xfc; MIB + 1], "identity", "text/plain; charset=latin1", TooLarge);
        fails(&gzip(&vec![b'a'; 2 * MIB]), "gzip", "application/json", TooLarge);
        fails(&gzip(b"").repeat(2 * MIB / 20 + 1), "gzip", "application/json", TooLarge);
        let whole = gzip(b"{\"id\":1}");
        for cut in 1..whole.len() {
            fails(&whole[..cut], "gzip", "application/json", Truncated);
        }
        let mut altered = whole.clone();
        let checksum = altered.len() - 8;
        altered[checksum] ^= 1;
        fails(&altered, "gzip", "application/json", Undecodable);
        fails(&[&whole[..], b"rest of another answer"].concat(), "gzip", "application/json", Undecodable);
    }

    #[test]
    fn the_limit_itself_is_allowed() {
        let plain = vec![b'a'; 2 * MIB];
        assert_eq!(run(read(&plain, 70_000, None, None, 2 * MIB)).unwrap().len(), 2 * MIB);
        let ordinary: String =
            (0..40_000).map(|id| format!("{{\"id\":{id},\"v\":{}}},", id * 7919)).collect();
        let wire = gzip(ordinary.as_bytes());
        assert_eq!(run(read(&wire, 1000, Some("gzip"), None, BODY_BYTES_MAX)).unwrap(), ordinary);
        assert_eq!(run(read(b"", 1, Some("gzip"), None, BODY_BYTES_MAX)).unwrap(), "");
        let members = [gzip(b"one "), gzip(b"two")].concat();
        assert_eq!(run(read(&members, 1, Some("x-gzip"), None, BODY_BYTES_MAX)).unwrap(), "one two");
    }

    #[test]
    fn a_bomb_stops_long_before_its_size() {
        run(async {
            // 1 GiB of zeros in about 1 MiB.
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            let zeros = vec![0; MIB];
            for _ in 0..1024 {
                encoder.write_all(&zeros).unwrap();
            }
            let bomb = encoder.finish().unwrap();
            let bodies = Bodies::new(&BodyBudget::default());
            let share = bodies.reserve().await.unwrap();
            let mut body = BodyText::new(share, Some("gzip"), None, BODY_BYTES_MAX).unwrap();
            let mut outcome = Ok(());
            let mut most = 0;
            for chunk in bomb.chunks(1024) {
                outcome = body.push(Bytes::copy_from_slice(chunk)).await;
                most = most.max(bodies.held_bytes());
                if outcome.is_err() {
                    break;
                }
            }
            assert_eq!(outcome.unwrap_err().kind(), FetchErrorKind::TooLarge);
            assert!(most < 3 * MIB, "held {most} bytes");
        });
    }
}
