//! Weeks as Java counts them for English (United States): they begin on Sunday, and week 1 holds 1 January.
//!
//! Not ISO weeks: a pattern language is only shared when its week letters mean the same.

use jiff::civil::{Date, Weekday};

/// The year to which the week of a date belongs, and its number there.
pub(super) fn week_of_year(date: Date) -> (i16, i32) {
    let last = i32::from(date.days_in_year());
    let until_saturday = 6 - sunday_based(date.weekday());
    let day = i32::from(date.day_of_year());
    if day + until_saturday > last {
        return (date.year() + 1, 1);
    }
    (date.year(), (day - 1 + first_weekday(date.year())) / 7 + 1)
}

/// The date of a weekday (Sunday is 0) in a week; `None` when there is none.
pub(super) fn date_of_week(year: i16, week: i32, weekday: i32) -> Option<Date> {
    let first = Date::new(year, 1, 1).ok()?;
    let days = (week - 1) * 7 + weekday - first_weekday(year);
    let date = first.checked_add(jiff::Span::new().try_days(days).ok()?).ok()?;
    (week_of_year(date) == (year, week)).then_some(date)
}

/// The week of the month, where week 1 holds the first day.
pub(super) fn week_of_month(date: Date) -> i32 {
    let first = sunday_based(date.first_of_month().weekday());
    (i32::from(date.day()) - 1 + first) / 7 + 1
}

/// The date of a weekday (Sunday is 0) in a week of a month; `None` when there is none.
pub(super) fn date_of_month_week(year: i16, month: i8, week: i32, weekday: i32) -> Option<Date> {
    let first = sunday_based(Date::new(year, month, 1).ok()?.weekday());
    day_in(year, month, (week - 1) * 7 + weekday - first + 1)
}

/// The date of the n-th weekday (Sunday is 0) of a month; `None` when there is none.
pub(super) fn date_of_nth_weekday(year: i16, month: i8, nth: i32, weekday: i32) -> Option<Date> {
    let first = sunday_based(Date::new(year, month, 1).ok()?.weekday());
    day_in(year, month, (nth - 1) * 7 + (weekday - first).rem_euclid(7) + 1)
}

/// Sunday is 0.
pub(super) fn sunday_based(weekday: Weekday) -> i32 {
    i32::from(weekday.to_sunday_zero_offset())
}

fn first_weekday(year: i16) -> i32 {
    Date::new(year, 1, 1).map_or(0, |first| sunday_based(first.weekday()))
}

fn day_in(year: i16, month: i8, day: i32) -> Option<Date> {
    Date::new(year, month, i8::try_from(day).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_date_comes_back() {
        let mut date = Date::constant(1996, 12, 20);
        for _ in 0..20_000 {
            let weekday = sunday_based(date.weekday());
            let (year, week) = week_of_year(date);
            assert_eq!(date_of_week(year, week, weekday), Some(date));
            let week = week_of_month(date);
            assert_eq!(date_of_month_week(date.year(), date.month(), week, weekday), Some(date));
            let nth = (i32::from(date.day()) - 1) / 7 + 1;
            assert_eq!(date_of_nth_weekday(date.year(), date.month(), nth, weekday), Some(date));
            date = date.tomorrow().unwrap();
        }
    }

    #[test]
    fn the_turn_of_the_year() {
        assert_eq!(week_of_year(Date::constant(2018, 12, 29)), (2018, 52));
        assert_eq!(week_of_year(Date::constant(2018, 12, 30)), (2019, 1));
        assert_eq!(week_of_year(Date::constant(2019, 1, 5)), (2019, 1));
        assert_eq!(date_of_week(2019, 54, 0), None);
        assert_eq!(date_of_month_week(2019, 5, 1, 0), None);
    }
}
