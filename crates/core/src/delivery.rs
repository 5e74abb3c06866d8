//! Delivery: what is signed, when a failed notification is tried again, and what an attempt leads to.
//!
//! The schedule is the field's published one: nine retries, each at 4^x seconds after the *first* failure (4 s, 16 s,
//! … 262,144 s, which is about 73 hours). [`judge`] turns one attempt into a [`Verdict`]:
//!
//! | attempt | verdict |
//! |---|---|
//! | answered 200 to 299, whatever the text says | `Delivered` |
//! | answered 410 | `Disable` |
//! | any other failure, policy `queue` | `Queue` |
//! | the third or a later failure, answered by HTTP (not 429), several events | `Split` |
//! | the tenth failure, nothing accepted since the first one | `DeadAndDeactivate` |
//! | the tenth failure otherwise | `Dead` |
//! | any other failure, redirects included | `Retry` |
//!
//! A 429 does not split: it speaks of the pace, not of the content, and single notifications would only be more
//! requests.
//!
//! Not here: sending (the engine), holding events back per record (the store).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::schedule::{RETRY_AFTER_MAX, add, part};
use crate::window::http_date;

/// Header with the notification's id, equal on every attempt.
pub const ID_HEADER: &str = "Elements-Webhook-Id";

/// Header with the signature. While a key is being replaced there is one header line per key, in the order of the keys:
/// a receiver that reads the first line only keeps working with the first key, and HTTP lets a receiver join them with
/// commas, which base64 does not contain. [`verify`] takes both forms.
pub const SIGNATURE_HEADER: &str = "Elements-Webhook-Signature";

/// Retries of one notification: the field's number.
pub const RETRIES_MAX: u32 = 9;

/// From this failure on, a notification of several events that is answered by HTTP is taken apart, so that one event
/// that the receiver cannot stand does not hold up the others.
pub const FAILURES_BEFORE_SPLIT: u32 = 3;

/// Signs a body with one key: `sha256=` and the base64 of HMAC-SHA256. The key's text is used as it is, never decoded.
///
/// ```
/// let signature = turnstone_core::delivery::sign("key", b"{}");
/// assert!(turnstone_core::delivery::verify(&["old", "key"], b"{}", &[&signature]));
/// ```
pub fn sign(key: &str, body: &[u8]) -> String {
    format!("sha256={}", STANDARD.encode(mac(key.as_bytes(), &[body]).finalize().into_bytes()))
}

/// For receivers: whether any of the signatures was made with any of the keys over exactly these bytes. Each element of
/// `signatures` is the text of one header line and may hold several signatures, separated by commas. Compares in
/// constant time.
pub fn verify(keys: &[&str], body: &[u8], signatures: &[&str]) -> bool {
    let given = signatures.iter().flat_map(|line| line.split(','));
    let given = given.filter_map(|text| text.trim().strip_prefix("sha256="));
    given
        .filter_map(|text| STANDARD.decode(text).ok())
        .any(|signature| keys.iter().any(|key| mac(key.as_bytes(), &[body]).verify_slice(&signature).is_ok()))
}

fn mac(key: &[u8], parts: &[&[u8]]) -> Hmac<Sha256> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac
}

/// Signatures of the Standard Webhooks convention: id, time and body are signed, so that an old request cannot be sent
/// again later as a new one.
pub mod standard {
    use super::*;

    /// Header with the message's id.
    pub const ID_HEADER: &str = "webhook-id";
    /// Header with the time of the attempt, in seconds since 1970.
    pub const TIMESTAMP_HEADER: &str = "webhook-timestamp";
    /// Header with the signatures, separated by blanks.
    pub const SIGNATURE_HEADER: &str = "webhook-signature";

    /// How far a receiver's clock and the time of the attempt may be apart.
    pub const TOLERANCE: Duration = Duration::from_secs(300);

    /// A secret of this convention.
    #[derive(Clone)]
    pub struct Secret(Vec<u8>);

    /// The text is not a secret of this convention. It is not shown, since it is one anyhow.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
    #[error("the signature key is not `whsec_` and base64; take the secret as the receiver shows it")]
    pub struct BadSecret;

    impl Secret {
        /// Reads `whsec_` and base64; the prefix may be missing.
        pub fn parse(text: &str) -> Result<Secret, BadSecret> {
            let text = text.trim();
            let text = text.strip_prefix("whsec_").unwrap_or(text);
            let bytes = STANDARD.decode(text).or_else(|_| STANDARD_NO_PAD.decode(text));
            bytes.ok().filter(|bytes| !bytes.is_empty()).map(Secret).ok_or(BadSecret)
        }

        fn mac(&self, id: &str, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
            mac(&self.0, &[id.as_bytes(), b".", timestamp.as_bytes(), b".", body])
        }
    }

    /// Signs with every secret, for the one signature header.
    pub fn sign(secrets: &[Secret], id: &str, at: Timestamp, body: &[u8]) -> String {
        let timestamp = at.as_second().to_string();
        let one = |secret: &Secret| {
            format!("v1,{}", STANDARD.encode(secret.mac(id, &timestamp, body).finalize().into_bytes()))
        };
        secrets.iter().map(one).collect::<Vec<String>>().join(" ")
    }

    /// What a receiver has in hand.
    #[derive(Clone, Copy, Debug)]
    pub struct Signed<'a> {
        /// The id header.
        pub id: &'a str,
        /// The timestamp header.
        pub timestamp: &'a str,
        /// The signature header.
        pub signatures: &'a str,
        /// The body's bytes.
        pub body: &'a [u8],
    }

    /// For receivers: whether any signature was made with any of the secrets, within [`TOLERANCE`] of `now`. Compares
    /// in constant time.
    pub fn verify(secrets: &[Secret], signed: &Signed<'_>, now: Timestamp) -> bool {
        let sent = signed.timestamp.parse().ok().and_then(|second| Timestamp::from_second(second).ok());
        let fresh = sent.is_some_and(|sent| now.duration_since(sent).unsigned_abs() <= TOLERANCE);
        let given = signed.signatures.split(' ').filter_map(|text| text.strip_prefix("v1,"));
        fresh
            && given.filter_map(|text| STANDARD.decode(text).ok()).any(|signature| {
                secrets.iter().any(|secret| {
                    secret.mac(signed.id, signed.timestamp, signed.body).verify_slice(&signature).is_ok()
                })
            })
    }
}

/// What an endpoint does with a failed notification: the field's `notification.webhook.failure.policy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RetryPolicy {
    /// Nine retries on the published schedule.
    #[default]
    Retry,
    /// None: from the first failure on everything is held until somebody releases it.
    Queue,
}

/// What came of one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver answered.
    Answered {
        /// The HTTP status.
        status: u16,
        /// How long it asked us to wait.
        retry_after: Option<Duration>,
    },
    /// It did not, or nobody knows: a connection that broke may have delivered the request.
    Unanswered,
}

impl Outcome {
    /// Whether the notification counts as accepted.
    pub fn is_accepted(self) -> bool {
        match self {
            Outcome::Answered { status, .. } => (200..300).contains(&status),
            Outcome::Unanswered => false,
        }
    }
}

/// Reads a `Retry-After` header: seconds, or a date. What has passed already asks for nothing; what cannot be read is
/// ignored, because the schedule holds anyway.
pub fn retry_after(header: &str, now: Timestamp) -> Option<Duration> {
    let text = header.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return (seconds >= 0.0 && seconds.is_finite()).then(|| Duration::from_secs_f64(seconds.min(1e9)));
    }
    Duration::try_from(http_date(text)?.duration_since(now)).ok()
}

/// What is known of a notification before the attempt's outcome is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Situation {
    /// Failed attempts before this one.
    pub failures: u32,
    /// When the first of them failed; `None` before any.
    pub first_failed_at: Option<Timestamp>,
    /// When the endpoint last accepted anything.
    pub accepted_at: Option<Timestamp>,
    /// Events of the notification.
    pub events: usize,
}

/// What an attempt leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is accepted and closed.
    Delivered,
    /// It is tried again, with the same id and the same bytes.
    Retry {
        /// When.
        at: Timestamp,
    },
    /// It is closed and replaced by one notification per event, each with a schedule of its own.
    Split {
        /// When they are due.
        at: Timestamp,
    },
    /// It is held until somebody releases it, and so is everything that follows at this endpoint.
    Queue,
    /// It is a dead letter. The endpoint accepts other notifications and goes on.
    Dead,
    /// It is a dead letter, and the endpoint is deactivated: it has accepted nothing since the first failure.
    DeadAndDeactivate,
    /// The receiver wants nothing any more: the endpoint is disabled, and the notification held.
    Disable,
}

impl Verdict {
    /// A word for it, stable for measurements and lists.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Delivered => "delivered",
            Verdict::Retry { .. } => "retry",
            Verdict::Split { .. } => "split",
            Verdict::Queue => "queued",
            Verdict::Dead | Verdict::DeadAndDeactivate => "dead",
            Verdict::Disable => "disabled",
        }
    }
}

/// Decides what follows an attempt; see the table of this module.
///
/// `now` is the instant that is kept as the end of the attempt, and so becomes `first_failed_at` of a first failure.
pub fn judge(
    outcome: Outcome,
    situation: &Situation,
    policy: RetryPolicy,
    now: Timestamp,
    entropy: u64,
) -> Verdict {
    if outcome.is_accepted() {
        return Verdict::Delivered;
    }
    let (status, asked) = match outcome {
        Outcome::Answered { status, retry_after } => (Some(status), retry_after),
        Outcome::Unanswered => (None, None),
    };
    if status == Some(410) {
        return Verdict::Disable;
    }
    match policy {
        RetryPolicy::Queue => return Verdict::Queue,
        RetryPolicy::Retry => {}
    }
    let failures = situation.failures.saturating_add(1);
    let first = situation.first_failed_at.unwrap_or(now);
    let speaks_of_content = status.is_some_and(|status| status != 429);
    if failures >= FAILURES_BEFORE_SPLIT && situation.events > 1 && speaks_of_content {
        // The single ones count their failures anew, so they also wait as after a first failure.
        let at = retry_at(&Failed { first: now, failures: 1, now, asked }, entropy);
        return Verdict::Split { at };
    }
    if failures <= RETRIES_MAX {
        return Verdict::Retry { at: retry_at(&Failed { first, failures, now, asked }, entropy) };
    }
    let accepted_since = situation.accepted_at.is_some_and(|accepted| accepted >= first);
    if accepted_since { Verdict::Dead } else { Verdict::DeadAndDeactivate }
}

/// A failure, for [`retry_at`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed {
    /// When the first attempt failed.
    pub first: Timestamp,
    /// Failed attempts, this one included.
    pub failures: u32,
    /// When this one failed.
    pub now: Timestamp,
    /// How long the receiver asked us to wait.
    pub asked: Option<Duration>,
}

/// When retry number `failures` is due: 4^failures seconds after the first failure and up to a tenth of that later,
/// never earlier than the receiver asked (at most 24 hours are granted), and never sooner after `now` than half of the
/// usual distance between these two tries. The last clause matters to a process that was down for days: the retries
/// that it missed must not be spent within seconds.
pub fn retry_at(failed: &Failed, entropy: u64) -> Timestamp {
    let offset = Duration::from_secs(1 << (2 * failed.failures.min(RETRIES_MAX)));
    let planned = add(failed.first, offset + part(offset / 10, entropy));
    let spaced = add(failed.now, offset * 3 / 8);
    let asked = add(failed.now, failed.asked.unwrap_or_default().min(RETRY_AFTER_MAX));
    planned.max(spaced).max(asked)
}

/// One clause for a status that is no acceptance: what the receiver did, and what helps.
pub fn refusal(status: u16) -> String {
    let remedy = match status {
        300..=399 => "redirects are not followed; give the address that it leads to",
        401 | 403 => "correct the credentials or the signature key of the callback",
        404 | 405 => "correct the address of the callback",
        408 | 425 => "it was not ready; the notification is tried again",
        410 => "it wants no notifications any more, and the endpoint is disabled",
        413 => "it takes no body of this size; raise the receiver's limit",
        429 => "it asks for patience; the notification is tried again later",
        400..=499 => "it does not accept this notification; see the beginning of its answer",
        500..=599 => "it failed; see the receiver's own log",
        _ => "only a status from 200 to 299 says that it is accepted",
    };
    format!("the callback answered {status}: {remedy}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    const BODY: &[u8] = b"<INSERT_EVENT_NOTIFICATION_RESPONSE_BODY>";

    #[test]
    fn the_published_vector_holds() {
        let signature = sign("MySecretEventSignatureKey", BODY);
        assert_eq!(signature, "sha256=jHdbRx5EZAsOfTwAPJOGkNUzQMVVdu5VJlxcsk+G6jQ=");
    }

    #[track_caller]
    fn check_verify(keys: &[&str], body: &[u8], signatures: &[&str], expect: bool) {
        assert_eq!(verify(keys, body, signatures), expect, "{keys:?} {signatures:?}");
    }

    #[test]
    fn a_receiver_accepts_any_of_its_keys_and_nothing_else() {
        let (old, new) = (sign("old", BODY), sign("new", BODY));
        let joined = format!("{new}, {old}");
        check_verify(&["old"], BODY, &[&old], true);
        check_verify(&["old"], BODY, &[&new, &old], true);
        check_verify(&["old"], BODY, &[&joined], true);
        check_verify(&["new", "old"], BODY, &[&old], true);
        check_verify(&["new"], BODY, &[&old], false);
        check_verify(&[], BODY, &[&old], false);
        check_verify(&["old"], BODY, &[], false);
        check_verify(&["old"], b"{}", &[&old], false);
        check_verify(&["old"], BODY, &[&old[..old.len() - 5]], false);
        check_verify(&["old"], BODY, &["sha256="], false);
        check_verify(&["old"], BODY, &[&old.replace("sha256=", "sha1=")], false);
        check_verify(&["old"], BODY, &[&old.replace("sha256=", "")], false);
    }

    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const TEST: &[u8] = br#"{"test": 2432232314}"#;
    const VECTOR: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn secret(text: &str) -> standard::Secret {
        standard::Secret::parse(text).unwrap()
    }

    #[test]
    fn the_vector_of_the_public_convention_holds() {
        let secrets = [secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")];
        assert_eq!(standard::sign(&secrets, ID, at(1_614_265_330), TEST), VECTOR);
        let both = [secret("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), secret("whsec_AAAA")];
        let signatures = standard::sign(&both, ID, at(1_614_265_330), TEST);
        assert_eq!(signatures.split(' ').count(), 2);
        assert!(signatures.starts_with(VECTOR));
    }

    #[track_caller]
    fn check_standard(id: &str, timestamp: &str, signatures: &str, now: i64, expect: bool) {
        let secrets = [secret("AAAA"), secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")];
        let signed = standard::Signed { id, timestamp, signatures, body: TEST };
        assert_eq!(
            standard::verify(&secrets, &signed, at(now)),
            expect,
            "{id} {timestamp} {signatures} {now}"
        );
    }

    #[test]
    fn a_standard_receiver_judges_id_time_and_body() {
        let sent = 1_614_265_330;
        check_standard(ID, "1614265330", VECTOR, sent, true);
        check_standard(ID, "1614265330", &format!("v2,x v1,AAAA {VECTOR}"), sent, true);
        check_standard(ID, "1614265330", VECTOR, sent + 300, true);
        check_standard(ID, "1614265330", VECTOR, sent + 301, false);
        check_standard(ID, "1614265330", VECTOR, sent - 301, false);
        check_standard(ID, "1614265331", VECTOR, sent, false);
        check_standard("msg_2", "1614265330", VECTOR, sent, false);
        check_standard(ID, "soon", VECTOR, sent, false);
        check_standard(ID, "1614265330", "", sent, false);
    }

    #[test]
    fn secrets_that_are_none_are_refused_unseen() {
        for text in ["", "whsec_", "whsec_ü", "whsec_A"] {
            let error = standard::Secret::parse(text).err().unwrap_or_else(|| panic!("{text} is no secret"));
            assert!(!error.to_string().contains(text) || text.is_empty() || text == "whsec_", "{error}");
        }
    }

    fn answered(status: u16) -> Outcome {
        Outcome::Answered { status, retry_after: None }
    }

    fn fresh(events: usize) -> Situation {
        Situation { failures: 0, first_failed_at: None, accepted_at: None, events }
    }

    fn failed(failures: u32) -> Situation {
        Situation { failures, first_failed_at: Some(at(1_000)), accepted_at: None, events: 1 }
    }

    /// Fails promptly again and again; gives the seconds after the first failure at which it is tried.
    fn tries(entropy: u64) -> Vec<i64> {
        let mut now = at(1_000);
        let mut situation = fresh(1);
        let mut times = Vec::new();
        while let Verdict::Retry { at: next } =
            judge(Outcome::Unanswered, &situation, RetryPolicy::Retry, now, entropy)
        {
            times.push(next.as_second() - 1_000);
            situation.failures += 1;
            situation.first_failed_at = Some(at(1_000));
            now = next;
        }
        times
    }

    const PUBLISHED: [i64; 9] = [4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144];

    #[test]
    fn the_schedule_is_the_published_one() {
        assert_eq!(tries(0), PUBLISHED);
    }

    #[test]
    fn jitter_only_delays_and_at_most_by_a_tenth() {
        for entropy in [1 << 61, u64::MAX / 2, u64::MAX - 1, u64::MAX] {
            let times = tries(entropy);
            assert_eq!(times.len(), PUBLISHED.len());
            for (time, published) in times.iter().zip(PUBLISHED) {
                assert!(*time >= published && *time * 10 <= published * 11, "{time} for {published}");
            }
        }
        assert_ne!(tries(u64::MAX), PUBLISHED);
    }

    #[track_caller]
    fn check(outcome: Outcome, situation: Situation, now: i64, expect: Verdict) {
        assert_eq!(
            judge(outcome, &situation, RetryPolicy::Retry, at(now), 0),
            expect,
            "{outcome:?} {situation:?} at {now}"
        );
    }

    fn retry(second: i64) -> Verdict {
        Verdict::Retry { at: at(second) }
    }

    #[test]
    fn every_2xx_is_accepted_and_nothing_else() {
        for status in [200, 201, 202, 204, 226, 299] {
            check(answered(status), failed(9), 1_000, Verdict::Delivered);
        }
        for status in [100, 199, 300, 301, 302, 304, 307, 308, 400, 401, 404, 409, 429, 500, 502, 503, 599] {
            check(answered(status), fresh(1), 1_000, retry(1_004));
        }
        check(Outcome::Unanswered, fresh(10), 1_000, retry(1_004));
    }

    #[test]
    fn a_gone_receiver_is_disabled_at_once() {
        check(answered(410), fresh(10), 1_000, Verdict::Disable);
        check(answered(410), failed(9), 1_000, Verdict::Disable);
        assert_eq!(judge(answered(410), &fresh(1), RetryPolicy::Queue, at(0), 0), Verdict::Disable);
    }

    #[test]
    fn the_queue_policy_holds_from_the_first_failure() {
        for outcome in [answered(500), Outcome::Unanswered] {
            assert_eq!(judge(outcome, &fresh(10), RetryPolicy::Queue, at(0), 0), Verdict::Queue);
        }
        assert_eq!(judge(answered(204), &fresh(10), RetryPolicy::Queue, at(0), 0), Verdict::Delivered);
    }

    #[test]
    fn several_events_are_taken_apart_from_the_third_answered_failure_on() {
        let group = |failures| Situation { events: 2, ..failed(failures) };
        check(answered(500), group(1), 1_004, retry(1_016));
        check(answered(500), group(2), 1_016, Verdict::Split { at: at(1_020) });
        check(Outcome::Unanswered, group(2), 1_016, retry(1_064));
        check(answered(429), group(2), 1_016, retry(1_064));
        check(answered(302), group(3), 1_064, Verdict::Split { at: at(1_068) });
        check(answered(500), group(9), 263_144, Verdict::Split { at: at(263_148) });
        let asking = Outcome::Answered { status: 503, retry_after: Some(Duration::from_secs(60)) };
        check(asking, group(2), 1_016, Verdict::Split { at: at(1_076) });
        check(answered(500), failed(2), 1_016, retry(1_064));
    }

    #[test]
    fn after_the_ninth_retry_it_is_dead() {
        let with = |accepted| Situation { accepted_at: accepted, ..failed(9) };
        check(Outcome::Unanswered, failed(8), 66_536, retry(263_144));
        check(Outcome::Unanswered, with(None), 263_144, Verdict::DeadAndDeactivate);
        check(Outcome::Unanswered, with(Some(at(999))), 263_144, Verdict::DeadAndDeactivate);
        check(answered(500), with(Some(at(1_000))), 263_144, Verdict::Dead);
        check(answered(500), with(Some(at(200_000))), 263_144, Verdict::Dead);
    }

    fn asking(seconds: u64) -> Outcome {
        Outcome::Answered { status: 429, retry_after: Some(Duration::from_secs(seconds)) }
    }

    #[test]
    fn the_receiver_is_not_asked_earlier_than_it_said() {
        check(asking(3), fresh(1), 1_000, retry(1_004));
        check(asking(120), fresh(1), 1_000, retry(1_120));
        check(asking(120), failed(1), 1_004, retry(1_124));
        check(asking(1 << 30), fresh(1), 1_000, retry(1_000 + 24 * 3600));
        check(asking(120), failed(9), 263_144, Verdict::DeadAndDeactivate);
    }

    #[test]
    fn missed_retries_are_not_spent_at_once() {
        // The process was down for ten days; retries 2 to 9 are all overdue.
        let now = 1_000 + 864_000;
        check(Outcome::Unanswered, failed(1), now, retry(now + 6));
        check(Outcome::Unanswered, failed(8), now, retry(now + 98_304));
        // A receiver that hangs for 15 seconds each time is still tried on the schedule later on.
        check(Outcome::Unanswered, failed(1), 1_019, retry(1_025));
        check(Outcome::Unanswered, failed(2), 1_040, retry(1_064));
    }

    #[track_caller]
    fn check_asked(header: &str, expect: Option<u64>) {
        let now = "1994-11-06T08:49:00Z".parse().unwrap();
        assert_eq!(retry_after(header, now), expect.map(Duration::from_secs), "{header}");
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        check_asked("120", Some(120));
        check_asked(" 0 ", Some(0));
        check_asked("Sun, 06 Nov 1994 08:49:37 GMT", Some(37));
        check_asked("Sun, 06 Nov 1994 08:48:37 GMT", None);
        check_asked("99999999999999999999", Some(1_000_000_000));
        for header in ["-1", "soon", "", "NaN", "inf", "1h"] {
            check_asked(header, None);
        }
    }

    #[test]
    fn a_refusal_is_one_clause() {
        for status in 100..=999 {
            let text = refusal(status);
            assert!(text.starts_with(&format!("the callback answered {status}: ")), "{text}");
            assert!(!text.ends_with('.') && !text.contains('\n'), "{text}");
        }
        assert!(refusal(302).contains("not followed"));
    }
}
