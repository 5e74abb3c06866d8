//! How the domain's values stand in columns.
//!
//! Numbers that the domain counts without a sign are stored with one; a value beyond 2^63 is refused, never wrapped. A
//! row that cannot be read back is a damaged database, not a default.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::Row;
use rusqlite::types::Type;
use serde::de::DeserializeOwned;

use crate::{Result, StoreError};

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> StoreError {
        use rusqlite::ErrorCode::{DatabaseCorrupt, DiskFull, NotADatabase};
        match error.sqlite_error_code() {
            Some(DatabaseCorrupt | NotADatabase) => StoreError::Unusable(format!(
                "the database file is damaged ({error}); stop, keep a copy of it, and restore a backup"
            )),
            Some(DiskFull) => StoreError::Failed("the disk or the database is full; free some space".into()),
            _ => StoreError::Failed(error.to_string()),
        }
    }
}

/// An instant as whole microseconds.
pub(super) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// An unsigned number as SQLite can hold it.
pub(super) fn whole(number: u64) -> Result<i64> {
    i64::try_from(number)
        .map_err(|_| StoreError::Failed(format!("{number} is too large a number to be kept")))
}

/// A span as whole microseconds; longer ones than 292,000 years stop there.
pub(super) fn span(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// Why a column could not be read as what it must be.
fn unreadable(column: usize, what: impl std::fmt::Display) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, what.to_string().into())
}

/// Reads the domain's values out of a row.
pub(super) trait Columns {
    fn instant(&self, column: usize) -> rusqlite::Result<Timestamp>;
    fn instant_or_none(&self, column: usize) -> rusqlite::Result<Option<Timestamp>>;
    fn count(&self, column: usize) -> rusqlite::Result<u64>;
    fn duration(&self, column: usize) -> rusqlite::Result<Duration>;
    fn json<T: DeserializeOwned>(&self, column: usize) -> rusqlite::Result<T>;
    /// A code that `known` translates.
    fn code<T>(&self, column: usize, known: impl FnOnce(&str) -> Option<T>) -> rusqlite::Result<T>;
}

impl Columns for Row<'_> {
    fn instant(&self, column: usize) -> rusqlite::Result<Timestamp> {
        Timestamp::from_microsecond(self.get(column)?).map_err(|error| unreadable(column, error))
    }

    fn instant_or_none(&self, column: usize) -> rusqlite::Result<Option<Timestamp>> {
        self.get::<_, Option<i64>>(column)?
            .map(|number| Timestamp::from_microsecond(number).map_err(|error| unreadable(column, error)))
            .transpose()
    }

    fn count(&self, column: usize) -> rusqlite::Result<u64> {
        let number: i64 = self.get(column)?;
        u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, number))
    }

    fn duration(&self, column: usize) -> rusqlite::Result<Duration> {
        self.count(column).map(Duration::from_micros)
    }

    fn json<T: DeserializeOwned>(&self, column: usize) -> rusqlite::Result<T> {
        let text = self.get_ref(column)?.as_str()?;
        serde_json::from_str(text).map_err(|error| unreadable(column, error))
    }

    fn code<T>(&self, column: usize, known: impl FnOnce(&str) -> Option<T>) -> rusqlite::Result<T> {
        let text = self.get_ref(column)?.as_str()?;
        known(text).ok_or_else(|| unreadable(column, format!("unknown code `{text}`")))
    }
}

/// A value as JSON text for a column.
pub(super) fn json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| StoreError::Failed(error.to_string()))
}

/// Names SQL texts, and lists them for the test that prepares each of them against the newest schema.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)*) => {
        $($(#[$doc])* const $name: &str = $sql;)*
        #[cfg(test)]
        pub(super) const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $name)),*];
    };
}
pub(super) use statements;
