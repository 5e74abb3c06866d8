//! Spells durations, shares and tables for people.
//!
//! Everything that xtask prints about time goes through here, so that a minute
//! looks the same in every report. Does not measure anything.

use std::time::Duration;

/// Spells a duration as minutes with one decimal, rounded: 90 s is `1.5`.
pub fn minutes(duration: Duration) -> String {
    format!("{:.1}", duration.as_secs_f64() / 60.0)
}

/// Spells a duration for a sentence: `0.4 s`, `38 s`, `12 min 05 s`.
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 9.95 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.round() as u64;
    if whole < 60 {
        return format!("{whole} s");
    }
    format!("{} min {:02} s", whole / 60, whole % 60)
}

/// Spells how much of its share a part used: `75 % of 8.0`. A share of zero has
/// no percentage and is spelled `of 0.0`.
pub fn share(used: Duration, share: Duration) -> String {
    if share.is_zero() {
        return "of 0.0".to_owned();
    }
    format!("{:.0} % of {}", used.as_secs_f64() / share.as_secs_f64() * 100.0, minutes(share))
}

/// Spells a count with its noun: `1 part`, `3 parts`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Lays rows out in columns: the first to the left, the others to the right,
/// two spaces between, no trailing space.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width_of =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width_of(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            if column == 0 {
                line.push_str(&format!("{cell:<width$}"));
            } else {
                line.push_str(&format!("  {cell:>width$}"));
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_have_one_rounded_decimal() {
        let cases = [(0, "0.0"), (2, "0.0"), (3, "0.1"), (90, "1.5"), (3_600, "60.0")];
        for (seconds, expected) in cases {
            assert_eq!(minutes(Duration::from_secs(seconds)), expected, "{seconds} s");
        }
    }

    #[test]
    fn a_duration_is_as_exact_as_a_reader_wants() {
        let cases = [
            (400, "0.4 s"),
            (9_949, "9.9 s"),
            (9_960, "10 s"),
            (59_400, "59 s"),
            (59_600, "1 min 00 s"),
            (725_000, "12 min 05 s"),
        ];
        for (milliseconds, expected) in cases {
            assert_eq!(duration(Duration::from_millis(milliseconds)), expected, "{milliseconds} ms");
        }
    }

    #[test]
    fn a_share_is_a_percentage_of_minutes() {
        assert_eq!(share(Duration::from_secs(360), Duration::from_secs(480)), "75 % of 8.0");
        assert_eq!(share(Duration::from_secs(90), Duration::from_secs(60)), "150 % of 1.0");
        assert_eq!(share(Duration::from_secs(90), Duration::ZERO), "of 0.0");
    }

    #[test]
    fn one_has_no_plural() {
        assert_eq!([count(0, "part"), count(1, "part"), count(2, "part")], ["0 parts", "1 part", "2 parts"]);
    }

    #[test]
    fn a_table_aligns_names_left_and_figures_right() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let text = table(&[row(["part", "minutes", ""]), row(["a long name", "0.1", "ok"])]);
        assert_eq!(text, "part         minutes\na long name      0.1  ok\n");
    }
}
