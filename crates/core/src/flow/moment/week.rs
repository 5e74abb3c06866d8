//! Weeks of a year, counted the two ways that tokens name: the English one and ISO 8601.

/// Where weeks begin, and which one is the first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weeks {
    /// The weekday that begins a week; 0 is Sunday.
    first_day: i64,
    /// With it, the day of January that is always in the first week: `7 + first_day - rule`.
    rule: i64,
}

/// Weeks from Sunday; the first one holds January 1st.
pub(super) const ENGLISH: Weeks = Weeks { first_day: 0, rule: 6 };

/// Weeks from Monday; the first one holds January 4th.
pub(super) const ISO: Weeks = Weeks { first_day: 1, rule: 4 };

pub(super) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

pub(super) fn days_in_year(year: i64) -> i64 {
    if is_leap(year) { 366 } else { 365 }
}

/// Days of a month; `month` counts from 0.
pub(super) fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        1 if is_leap(year) => 29,
        1 => 28,
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    }
}

/// Days from the start of 1970 to January 1st of a year.
fn days_to(year: i64) -> i64 {
    let before = year - 1;
    year * 365 + before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400) - 719_527
}

/// The weekday of the nth day of a year; 0 is Sunday. The day may lie outside of the year.
fn weekday(year: i64, day_of_year: i64) -> i64 {
    (days_to(year) + day_of_year - 1 + 4).rem_euclid(7)
}

impl Weeks {
    pub(super) fn first_day(self) -> i64 {
        self.first_day
    }

    /// Days from January 1st to the start of the first week.
    fn offset(self, year: i64) -> i64 {
        let sure = 7 + self.first_day - self.rule;
        let into_week = (7 + weekday(year, sure) - self.first_day) % 7;
        sure - into_week - 1
    }

    pub(super) fn in_year(self, year: i64) -> i64 {
        (days_in_year(year) - self.offset(year) + self.offset(year + 1)) / 7
    }

    /// The year of the week and the week of a day.
    pub(super) fn of(self, year: i64, day_of_year: i64) -> (i64, i64) {
        let week = (day_of_year - self.offset(year) - 1).div_euclid(7) + 1;
        if week < 1 {
            (year - 1, week + self.in_year(year - 1))
        } else if week > self.in_year(year) {
            (year + 1, week - self.in_year(year))
        } else {
            (year, week)
        }
    }

    /// The year and the day in it of a weekday (0 is Sunday) of a week.
    pub(super) fn day(self, year: i64, week: i64, weekday: i64) -> (i64, i64) {
        let into_week = (7 + weekday - self.first_day) % 7;
        let day = 1 + 7 * (week - 1) + into_week + self.offset(year);
        if day <= 0 {
            (year - 1, days_in_year(year - 1) + day)
        } else if day > days_in_year(year) {
            (year + 1, day - days_in_year(year))
        } else {
            (year, day)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_of_a_year() {
        // 2021-01-01 is a Friday.
        assert_eq!((ISO.of(2021, 1), ENGLISH.of(2021, 1)), ((2020, 53), (2021, 1)));
        assert_eq!((ISO.in_year(2020), ISO.in_year(2021)), (53, 52));
        assert_eq!(ISO.day(2020, 53, 5), (2021, 1));
        assert_eq!(ENGLISH.day(2021, 1, 0), (2020, 362));
        assert_eq!((weekday(1970, 1), weekday(2000, 1), weekday(1600, 60)), (4, 6, 2));
    }
}
