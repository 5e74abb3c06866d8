//! The window of a poll: the provider's time, the lower bound, and what one unit of it is.
//!
//! Everything is in provider time (design section 4, rules 4, 5 and 8). Reading too much is harmless, because the
//! ledger suppresses; reading too little is loss. So every step here rounds down.
//!
//! Not here: what stands in the window (`change`), how a bound is written into a URL (`template`).

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::date::{DateFormat, Resolution};
use crate::ledger::Compared;
use crate::limits::UNDATED_PROVIDER_MARGIN;
use crate::resource::{Bound, ComparedBy, Resource};
use crate::run::{Reply, Response};
use crate::template::Template;

/// The provider's time when a pass started, as far as it can be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProviderTime {
    /// Never later than the true one, and never later than our own clock.
    pub at: Timestamp,
    /// Our clock minus the provider's; `None` when the answer carried no readable `Date`.
    pub skew: Option<SignedDuration>,
}

/// Rule 4: the `Date` of the first answer minus the measured time from sending to its head, rounded down to the second,
/// never later than our clock; without a `Date`, our clock less twenty minutes.
pub fn provider_time(reply: &Reply, response: &Response) -> ProviderTime {
    let undated = || ProviderTime { at: minus(reply.sent_at, UNDATED_PROVIDER_MARGIN), skew: None };
    let Some(date) = response.header("date").and_then(http_date) else { return undated() };
    let at = minus(date, reply.to_head);
    let at = Timestamp::from_second(at.as_microsecond().div_euclid(1_000_000)).unwrap_or(at);
    let skew = reply.sent_at.duration_since(at);
    ProviderTime { at: at.min(reply.sent_at), skew: Some(skew) }
}

/// An HTTP date (RFC 9110): `Sun, 06 Nov 1994 08:49:37 GMT`, and the two obsolete forms.
pub fn http_date(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    for format in ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"] {
        if let Ok(civil) = jiff::civil::DateTime::strptime(format, text) {
            return civil.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
        }
    }
    None
}

/// A lower bound: what is asked for, and from when on records count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LowerBound(pub Compared);

/// Rule 5: the bound for a pass that is complete up to `watermark`, with `pollDelay` and `overlap` taken off, rounded
/// down to the coarsest unit involved, one unit lower unless the filter is known to include its bound.
pub fn lower_bound(resource: &Resource, url: &Template, watermark: Compared) -> LowerBound {
    match resource.compared {
        ComparedBy::Cursor(_) => cursor_bound(resource, url, watermark),
        ComparedBy::Updated | ComparedBy::Created | ComparedBy::Content => {
            let settled = minus(instant(watermark), resource.settling());
            round_down(resource, url, settled)
        }
    }
}

/// The bound from a value itself, for key-set reading: rounded like [`lower_bound`], but with nothing taken off.
pub fn bound_at(resource: &Resource, url: &Template, value: Compared) -> LowerBound {
    match resource.compared {
        ComparedBy::Cursor(_) => cursor_bound(resource, url, value),
        ComparedBy::Updated | ComparedBy::Created | ComparedBy::Content => {
            round_down(resource, url, instant(value))
        }
    }
}

fn cursor_bound(resource: &Resource, url: &Template, value: Compared) -> LowerBound {
    LowerBound(if includes_bound(resource, url) || !url.is_filtered() {
        value
    } else {
        value.saturating_sub(1)
    })
}

fn round_down(resource: &Resource, url: &Template, at: Timestamp) -> LowerBound {
    let query = url.start_format();
    let compared = resource.compared_format();
    let unit = coarsest(resource, query, compared);
    let mut at = at;
    if let Some(unit) = unit {
        let floors = [query, compared].into_iter().flatten().map(|format| format.floor(at, unit));
        at = floors.min().unwrap_or(at);
        if url.is_filtered() && !includes_bound(resource, url) {
            at = query.or(compared).map_or(at, |format| format.minus_one_unit(at, unit));
        }
    }
    // A local time that occurs twice is asked for by its earlier reading, from before the first one; and a record dated
    // in the second hour is read as one of the first (A15).
    let folds = [query, compared].into_iter().flatten().filter_map(|format| format.fold_before(at));
    if let Some(fold) = folds.max() {
        at = at.checked_sub(fold).unwrap_or(at);
    }
    LowerBound(at.as_microsecond())
}

fn coarsest(
    resource: &Resource,
    query: Option<&DateFormat>,
    compared: Option<&DateFormat>,
) -> Option<Resolution> {
    let formats = [query, compared].into_iter().flatten().map(DateFormat::resolution);
    formats.chain(resource.filter_resolution).max()
}

fn includes_bound(resource: &Resource, url: &Template) -> bool {
    match resource.bound {
        Bound::Inclusive => true,
        Bound::Exclusive => false,
        Bound::Auto => url.inclusive() == Some(true),
    }
}

/// Whether a value's whole unit lies before `s`: only then is it certain that the version is older than `s` (rule 8). A
/// local time that occurs twice may be the later one.
pub fn unit_is_before(resource: &Resource, value: Compared, s: Timestamp) -> bool {
    let value = instant(value);
    match resource.compared_format() {
        Some(format) => {
            let fold = format.fold_before(value).unwrap_or_default();
            value.checked_add(fold).unwrap_or(value) < format.floor(s, format.resolution())
        }
        None => value < s,
    }
}

/// A compared date as an instant. Values beyond representable time stop at its end.
pub fn instant(value: Compared) -> Timestamp {
    Timestamp::from_microsecond(value).unwrap_or(if value < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// `at - pause`, stopping at the beginning of representable time.
pub fn minus(at: Timestamp, pause: Duration) -> Timestamp {
    at.checked_sub(pause).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_date(text: &str, expect: Option<&str>) {
        assert_eq!(http_date(text).map(|at| at.to_string()).as_deref(), expect, "{text}");
    }

    #[test]
    fn http_dates_are_read_in_all_three_forms() {
        check_date("Sun, 06 Nov 1994 08:49:37 GMT", Some("1994-11-06T08:49:37Z"));
        check_date("Sunday, 06-Nov-94 08:49:37 GMT", Some("1994-11-06T08:49:37Z"));
        check_date("Sun Nov  6 08:49:37 1994", Some("1994-11-06T08:49:37Z"));
        check_date("yesterday", None);
    }

    #[track_caller]
    fn check_provider(date: Option<&str>, to_head_ms: u64, expect: &str) {
        let reply = Reply {
            sent_at: "2024-03-01T12:00:00.500Z".parse().unwrap(),
            to_head: Duration::from_millis(to_head_ms),
            outcome: Ok(Response {
                status: 200,
                headers: date.map(|date| ("date".to_string(), date.to_string())).into_iter().collect(),
                body: String::new(),
            }),
        };
        let response = reply.outcome.clone().unwrap();
        assert_eq!(provider_time(&reply, &response).at.to_string(), expect);
    }

    #[test]
    fn provider_time_is_never_later_than_the_truth_or_our_clock() {
        check_provider(Some("Fri, 01 Mar 2024 12:00:00 GMT"), 0, "2024-03-01T12:00:00Z");
        check_provider(Some("Fri, 01 Mar 2024 12:00:00 GMT"), 1, "2024-03-01T11:59:59Z");
        check_provider(Some("Fri, 01 Mar 2024 12:15:00 GMT"), 0, "2024-03-01T12:00:00.5Z");
        check_provider(Some("Fri, 01 Mar 2024 11:45:00 GMT"), 0, "2024-03-01T11:45:00Z");
        check_provider(None, 0, "2024-03-01T11:40:00.5Z");
        check_provider(Some("garbage"), 0, "2024-03-01T11:40:00.5Z");
    }

    fn local(url: &str) -> Resource {
        let value = serde_json::json!({
            "url": url, "idField": "id", "overlap": 60,
            "datesConfiguration": {
                "updatedDateField": "u", "updatedDateFormat": "yyyy-MM-dd HH:mm:ss",
                "updatedDateTimezone": "America/New_York",
            },
        });
        let settings = crate::check::CheckSettings::new("2024-11-03T00:00:00Z".parse().unwrap());
        crate::check::check_resource("r", &value, &settings, Some("https://x")).resources.remove(0)
    }

    #[test]
    fn a_window_reaches_over_the_hour_that_occurs_twice() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap().as_microsecond();
        for url in ["/l", "/l?since=${epoch:s}"] {
            let resource = local(url);
            let LowerBound(bound) = lower_bound(&resource, &resource.url, at("2024-11-03T05:59:59Z"));
            // 01:00:50 of the second hour is read as that of the first.
            assert!(bound <= at("2024-11-03T05:00:50Z"), "{url}");
        }
    }

    #[test]
    fn a_time_that_occurs_twice_is_not_before_the_start_unless_both_are() {
        let start: Timestamp = "2024-11-03T06:10:00Z".parse().unwrap();
        let resource = local("/l");
        let value = |text: &str| text.parse::<Timestamp>().unwrap().as_microsecond();
        assert!(!unit_is_before(&resource, value("2024-11-03T05:30:00Z"), start));
        assert!(unit_is_before(&resource, value("2024-11-03T05:05:00Z"), start));
        assert!(unit_is_before(&resource, value("2024-11-03T04:59:00Z"), start));
    }
}
