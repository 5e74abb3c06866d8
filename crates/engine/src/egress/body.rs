//! Bodies, bounded: how much memory answers may take, and how their bytes become text.
//!
//! # Memory
//!
//! All answers together stay within a [`BodyBudget`]. A run has one account ([`Bodies`]); a fetch takes its share from
//! it before it is sent, and more while it reads. The share stays with the account after the fetch, because the text
//! does; the driver takes it out with [`Bodies::take`] and drops it once the answers are used up.
//!
//! Waiting for memory while holding memory is how such schemes lock up. Here the budget has two parts:
//!
//! - the **common part**. An account that holds nothing waits for it, first come first served. An account that holds
//!   something takes from it what is free and never waits.
//! - the **lane**, which belongs to one account at a time. An account that holds something and finds the common part
//!   empty waits for the lane. It is large enough for two whole answers: one that is being committed while the next
//!   one is fetched.
//!
//! So whoever has the lane never waits for memory: it finishes, or it fails because even the lane is too small
//! (`TooLarge`). Then the lane is free for the next one. Whoever waits for the common part holds nothing, and whoever
//! holds a piece of it either works, or waits for the lane, which comes. No circle can close. Inside an account one
//! fetch at a time may wait, or two of a step would wait for each other.
//!
//! # Text
//!
//! Bytes pass through gzip and the charset piece by piece into one buffer, so nothing is held twice, and every limit
//! is checked before the buffer grows. A body without declared length that ends with an orderly close cannot be told
//! from a whole one here; its JSON, or the checksum of gzip, tells.
//!
//! Not here: sockets and time limits (`client`), and what the text means.

use std::io::{self, BufRead, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;
use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8};
use flate2::bufread::MultiGzDecoder;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use turnstone_core::limits::{BODIES_BYTES_SUM_MAX, BODY_BYTES_MAX, COMPRESSION_RATIO_MAX};
use turnstone_core::run::FetchErrorKind;

/// Unit of the budget.
const BLOCK_BYTES: usize = 1024;

/// Share that a fetch takes before it is sent when nothing is known of its size.
const SHARE_BYTES_MIN: usize = 64 * 1024;

/// Bytes that are decoded in one go. A charset may triple them.
const PIECE_BYTES: usize = 16 * 1024;

/// What a buffer may be larger than its text, at most.
const SLACK_BYTES: usize = 4 * PIECE_BYTES;

/// Below this size an answer harms nobody, however well it was compressed.
const RATIO_FREE_BYTES: usize = 1024 * 1024;

const _: () = assert!(3 * BODY_BYTES_MAX <= BODIES_BYTES_SUM_MAX); // Two answers in the lane, one in the common part.

/// The memory of all answers. Clones share it.
#[derive(Clone, Debug)]
pub struct BodyBudget {
    pool: Arc<Pool>,
}

#[derive(Debug)]
struct Pool {
    common: Arc<Semaphore>,
    lane: Arc<Semaphore>,
    lane_blocks: usize,
    body_bytes_max: usize,
}

impl BodyBudget {
    /// A budget of `sum_bytes` for answers of at most `body_bytes_max` each.
    ///
    /// # Panics
    ///
    /// When three answers do not fit the sum.
    pub fn new(sum_bytes: usize, body_bytes_max: usize) -> Self {
        assert!(
            body_bytes_max.checked_mul(3).is_some_and(|three| three <= sum_bytes),
            "the budget holds three answers of the largest size"
        );
        let lane_blocks = 2 * blocks(body_bytes_max + SLACK_BYTES);
        let common_blocks = blocks(sum_bytes).saturating_sub(lane_blocks).max(blocks(body_bytes_max));
        let common = Arc::new(Semaphore::new(common_blocks));
        BodyBudget {
            pool: Arc::new(Pool { common, lane: Arc::new(Semaphore::new(1)), lane_blocks, body_bytes_max }),
        }
    }

    /// Bytes of the common part that nobody holds.
    pub fn free_bytes(&self) -> usize {
        self.pool.common.available_permits() * BLOCK_BYTES
    }
}

impl Default for BodyBudget {
    fn default() -> Self {
        BodyBudget::new(BODIES_BYTES_SUM_MAX, BODY_BYTES_MAX)
    }
}

/// The account of one run. Clones are the same account.
#[derive(Clone, Debug)]
pub struct Bodies {
    owner: Arc<Owner>,
}

/// Closes the account with its last clone. Its shares point at the account, so it would never end by itself.
#[derive(Debug)]
struct Owner {
    account: Arc<Account>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        let finished = std::mem::take(&mut self.account.state().finished);
        drop(finished);
    }
}

#[derive(Debug)]
struct Account {
    pool: Arc<Pool>,
    /// One fetch of the account at a time may wait for memory.
    entry: Semaphore,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    held_blocks: usize,
    turn: Weak<Turn>,
    expected_bytes: usize,
    finished: Vec<Share>,
}

/// The lane, as long as some share of the account holds a piece of it.
#[derive(Debug)]
struct Turn {
    _permit: OwnedSemaphorePermit,
    used_blocks: Mutex<usize>,
}

/// What [`Bodies::take`] took out. Dropping it frees the memory for others.
#[derive(Debug)]
#[must_use = "dropping it says that the answers are used up"]
pub struct Held {
    _shares: Vec<Share>,
}

impl Bodies {
    /// An account that holds nothing.
    pub fn new(budget: &BodyBudget) -> Self {
        let state = State {
            held_blocks: 0,
            turn: Weak::new(),
            expected_bytes: SHARE_BYTES_MIN,
            finished: Vec::new(),
        };
        let account =
            Account { pool: Arc::clone(&budget.pool), entry: Semaphore::new(1), state: Mutex::new(state) };
        Bodies { owner: Arc::new(Owner { account: Arc::new(account) }) }
    }

    /// Tells the size that the next answer will probably have. Each answer updates it.
    pub fn expect_bytes(&self, bytes: usize) {
        self.account().state().expected_bytes = bytes;
    }

    /// The size of the last answer, for the next run's [`Bodies::expect_bytes`].
    pub fn expected_bytes(&self) -> usize {
        self.account().state().expected_bytes
    }

    /// Takes out the shares of all answers so far. The driver calls this before each `Fetch` and drops the result, and
    /// before each `Commit` and drops it when the commit is through, while the next page is already being fetched.
    /// A driver that forgets runs into `TooLarge` when the lane is full.
    pub fn take(&self) -> Held {
        let shares = std::mem::take(&mut self.account().state().finished);
        Held { _shares: shares }
    }

    /// Bytes that the account holds, in fetches under way and in answers.
    pub fn held_bytes(&self) -> usize {
        self.account().state().held_blocks * BLOCK_BYTES
    }

    /// Largest answer that the budget allows.
    pub(super) fn body_bytes_max(&self) -> usize {
        self.account().pool.body_bytes_max
    }

    /// Waits for the share of a fetch that has not been sent.
    pub(super) async fn reserve(&self) -> Result<Share, BodyError> {
        let account = self.account();
        let expected = account.state().expected_bytes.max(SHARE_BYTES_MIN).min(account.pool.body_bytes_max);
        let want = blocks(expected);
        let mut share = Share { account: Arc::clone(account), common: None, common_blocks: 0, lane: None };
        let _entry = account.entry.acquire().await.expect(NEVER_CLOSED);
        if account.state().held_blocks == 0 {
            let permit =
                Arc::clone(&account.pool.common).acquire_many_owned(want as u32).await.expect(NEVER_CLOSED);
            share.add_common(permit, want);
        } else if !share.try_common(want) {
            share.use_lane(want).await?;
        }
        Ok(share)
    }

    /// Keeps the share of a finished answer until the driver takes it.
    pub(super) fn keep(&self, mut share: Share, text_bytes: usize) {
        share.shrink_to(text_bytes);
        let mut state = self.account().state();
        state.expected_bytes = text_bytes;
        state.finished.push(share);
    }

    fn account(&self) -> &Arc<Account> {
        &self.owner.account
    }
}

const NEVER_CLOSED: &str = "the semaphores of the budget are never closed";

impl Account {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    fn used(&self) -> MutexGuard<'_, usize> {
        self.used_blocks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Memory of one answer. Dropping it gives it back.
#[derive(Debug)]
pub(super) struct Share {
    account: Arc<Account>,
    common: Option<OwnedSemaphorePermit>,
    common_blocks: usize,
    lane: Option<(Arc<Turn>, usize)>,
}

impl Share {
    fn held_blocks(&self) -> usize {
        self.common_blocks + self.lane.as_ref().map_or(0, |(_, blocks)| *blocks)
    }

    /// Makes the share at least this large. May wait for the lane.
    async fn grow_to(&mut self, bytes: usize) -> Result<(), BodyError> {
        let want = blocks(bytes).saturating_sub(self.held_blocks());
        if want == 0 || self.try_common(want) {
            return Ok(());
        }
        let account = Arc::clone(&self.account);
        let _entry = account.entry.acquire().await.expect(NEVER_CLOSED);
        self.use_lane(want).await
    }

    fn try_common(&mut self, want: usize) -> bool {
        let Ok(permit) = Arc::clone(&self.account.pool.common).try_acquire_many_owned(want as u32) else {
            return false;
        };
        self.add_common(permit, want);
        true
    }

    fn add_common(&mut self, permit: OwnedSemaphorePermit, count: usize) {
        match &mut self.common {
            Some(common) => common.merge(permit),
            None => self.common = Some(permit),
        }
        self.common_blocks += count;
        self.account.state().held_blocks += count;
    }

    /// The caller holds the account's entry, so nobody else of the account waits for the lane meanwhile.
    async fn use_lane(&mut self, want: usize) -> Result<(), BodyError> {
        let turn = self.account.state().turn.upgrade();
        let turn = match turn {
            Some(turn) => turn,
            None => {
                let permit = Arc::clone(&self.account.pool.lane).acquire_owned().await.expect(NEVER_CLOSED);
                let turn = Arc::new(Turn { _permit: permit, used_blocks: Mutex::new(0) });
                self.account.state().turn = Arc::downgrade(&turn);
                turn
            }
        };
        let lane_blocks = self.account.pool.lane_blocks;
        {
            let mut used = turn.used();
            if *used + want > lane_blocks {
                let lane_mib = lane_blocks * BLOCK_BYTES / (1024 * 1024);
                return Err(BodyError::TooLarge(format!(
                    "memory for answers is short, and this run already holds {lane_mib} MiB of it"
                )));
            }
            *used += want;
        }
        match &mut self.lane {
            Some((_, count)) => *count += want,
            None => self.lane = Some((turn, want)),
        }
        self.account.state().held_blocks += want;
        Ok(())
    }

    /// Gives back what the text does not need; the lane's part first, so that the lane moves on.
    fn shrink_to(&mut self, bytes: usize) {
        let mut spare = self.held_blocks().saturating_sub(blocks(bytes));
        self.account.state().held_blocks -= spare;
        if let Some((turn, count)) = &mut self.lane {
            let back = spare.min(*count);
            *count -= back;
            *turn.used() -= back;
            spare -= back;
            if *count == 0 {
                self.lane = None;
            }
        }
        if let Some(common) = &mut self.common {
            drop(common.split(spare));
            self.common_blocks -= spare;
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}

fn blocks(bytes: usize) -> usize {
    bytes.div_ceil(BLOCK_BYTES)
}

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
    use std::time::Duration;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use futures_util::poll;

    use super::*;

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

    /// A budget of 12 MiB for answers of 2 MiB: about 7.8 MiB common, the rest lane.
    fn small() -> BodyBudget {
        BodyBudget::new(12 * MIB, 2 * MIB)
    }

    fn account(budget: &BodyBudget, expected: usize) -> Bodies {
        let bodies = Bodies::new(budget);
        bodies.expect_bytes(expected);
        bodies
    }

    #[tokio::test]
    async fn a_share_comes_back_when_it_is_dropped() {
        let budget = small();
        let free = budget.free_bytes();
        let bodies = account(&budget, MIB);
        let share = bodies.reserve().await.unwrap();
        assert_eq!(budget.free_bytes(), free - MIB);
        bodies.keep(share, 1000);
        assert_eq!((budget.free_bytes(), bodies.expected_bytes()), (free - BLOCK_BYTES, 1000));
        drop(bodies.take());
        assert_eq!((budget.free_bytes(), bodies.held_bytes()), (free, 0));
        let share = bodies.reserve().await.unwrap();
        bodies.keep(share, 1000);
        drop(bodies);
        assert_eq!(budget.free_bytes(), free);
    }

    #[tokio::test]
    async fn who_holds_nothing_waits_until_others_give_back() {
        let budget = small();
        let mut others = Vec::new();
        while budget.free_bytes() >= 2 * MIB {
            others.push(account(&budget, 2 * MIB).reserve().await.unwrap());
        }
        let bodies = account(&budget, 2 * MIB);
        let late = bodies.reserve();
        tokio::pin!(late);
        assert!(poll!(late.as_mut()).is_pending());
        others.pop();
        assert!(late.await.is_ok());
    }

    #[tokio::test]
    async fn who_holds_something_and_finds_nothing_free_goes_through_the_lane() {
        let budget = small();
        let (one, two) = (account(&budget, 0), account(&budget, 0));
        let (mut first, mut second) = (one.reserve().await.unwrap(), two.reserve().await.unwrap());
        let rest: Vec<_> = {
            let mut rest = Vec::new();
            while let Ok(permit) = Arc::clone(&budget.pool.common).try_acquire_owned() {
                rest.push(permit);
            }
            rest
        };
        first.grow_to(2 * MIB).await.unwrap();
        let mut waiting = Box::pin(second.grow_to(2 * MIB));
        assert!(poll!(waiting.as_mut()).is_pending());
        // The page is whole; the next one of the same run still finds room, the one after that does not.
        one.keep(first, 2 * MIB);
        let next = one.reserve().await.unwrap();
        one.keep(next, 2 * MIB);
        assert_eq!(one.reserve().await.unwrap_err().kind(), FetchErrorKind::TooLarge);
        assert!(poll!(waiting.as_mut()).is_pending());
        drop(one.take());
        waiting.await.unwrap();
        drop(rest);
    }

    /// Runs that fetch several large answers per step, more than the budget holds, and all of them come through.
    #[tokio::test]
    async fn many_runs_with_many_answers_never_lock_up() {
        let budget = small();
        let free = budget.free_bytes();
        let run_once = |seed: usize| {
            let bodies = account(&budget, 0);
            async move {
                for step in 0..4 {
                    drop(bodies.take());
                    let fetches = (0..4).map(|index| {
                        let bodies = bodies.clone();
                        async move {
                            let mut share = bodies.reserve().await?;
                            let size = 400_000 + (seed * 7919 + step * 104_729 + index * 1299) % 600_000;
                            for part in 1..=8 {
                                tokio::task::yield_now().await;
                                share.grow_to(size * part / 8).await?;
                            }
                            bodies.keep(share, size);
                            Ok::<(), BodyError>(())
                        }
                    });
                    for outcome in futures_util::future::join_all(fetches).await {
                        outcome.unwrap();
                    }
                }
            }
        };
        let all = futures_util::future::join_all((0..40).map(run_once));
        tokio::time::timeout(Duration::from_secs(30), all).await.expect("the runs wait for each other");
        assert_eq!(budget.free_bytes(), free);
        assert_eq!(budget.pool.lane.available_permits(), 1);
    }
}
