//! Brings a database to the newest schema.
//!
//! Migrations are numbered SQL files inside the program. Each runs in one transaction together with the row that says
//! so, hence an interrupted one starts over. A migration that was changed after it ran is refused: released files are
//! never edited. There is no way back; a newer database is not opened by an older program.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use sha2::{Digest, Sha256};

use crate::{Result, StoreError};

/// One step of the schema.
#[derive(Clone, Copy)]
pub(super) struct Migration {
    pub number: i64,
    pub name: &'static str,
    pub sql: &'static str,
}

/// All steps, in order.
pub(super) const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, name: "first", sql: include_str!("../migrations/sqlite/0001_first.sql") },
    Migration { number: 2, name: "watch", sql: include_str!("../migrations/sqlite/0002_watch.sql") },
    Migration { number: 3, name: "told", sql: include_str!("../migrations/sqlite/0003_told.sql") },
];

const CREATE_TABLE: &str = "
    create table if not exists schema_migration (
        number integer primary key,
        name text not null,
        checksum blob not null
    ) strict";

const SELECT_APPLIED: &str = "
    select checksum
    from schema_migration
    where number = ?1";

const INSERT_APPLIED: &str = "
    insert into schema_migration (number, name, checksum)
    values (?1, ?2, ?3)";

const SELECT_NEWEST: &str = "
    select coalesce(max(number), 0)
    from schema_migration";

/// Applies what is missing of `migrations` and returns how many that were.
pub(super) fn migrate(db: &mut Connection, migrations: &[Migration]) -> Result<usize> {
    db.execute_batch(CREATE_TABLE)?;
    let newest: i64 = db.query_row(SELECT_NEWEST, [], |row| row.get(0))?;
    if newest > migrations.last().map_or(0, |migration| migration.number) {
        return Err(StoreError::Unusable(format!(
            "the database has schema {newest}, which is newer than this program; use the newer program"
        )));
    }
    let mut count = 0;
    for migration in migrations {
        count += usize::from(apply(db, migration)?);
    }
    Ok(count)
}

fn apply(db: &mut Connection, migration: &Migration) -> Result<bool> {
    let checksum: [u8; 32] = Sha256::digest(migration.sql.as_bytes()).into();
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let applied: Option<[u8; 32]> =
        transaction.query_row(SELECT_APPLIED, [migration.number], |row| row.get(0)).optional()?;
    match applied {
        Some(applied) if applied == checksum => return Ok(false),
        Some(_) => {
            return Err(StoreError::Unusable(format!(
                "migration {} (`{}`) of the database is not the one of this program; use the program that made it",
                migration.number, migration.name
            )));
        }
        None => {}
    }
    transaction.execute_batch(migration.sql)?;
    transaction.execute(INSERT_APPLIED, params![migration.number, migration.name, checksum])?;
    transaction.commit()?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(db: &Connection) -> Vec<String> {
        let mut select =
            db.prepare("select sql from sqlite_schema where sql is not null order by name").unwrap();
        select.query_map([], |row| row.get(0)).unwrap().map(|row| row.unwrap()).collect()
    }

    #[test]
    fn every_migration_applies_from_empty_and_twice_is_nothing() {
        let mut db = Connection::open_in_memory().unwrap();
        assert_eq!(migrate(&mut db, MIGRATIONS).unwrap(), MIGRATIONS.len());
        let before = schema(&db);
        assert_eq!(migrate(&mut db, MIGRATIONS).unwrap(), 0);
        assert_eq!(schema(&db), before);
    }

    #[test]
    fn numbers_grow_by_one() {
        let numbers: Vec<i64> = MIGRATIONS.iter().map(|migration| migration.number).collect();
        assert_eq!(numbers, (1..=MIGRATIONS.len() as i64).collect::<Vec<_>>());
    }

    #[test]
    fn every_table_is_strict() {
        let mut db = Connection::open_in_memory().unwrap();
        migrate(&mut db, MIGRATIONS).unwrap();
        let sql = "select name from pragma_table_list where schema = 'main' and not strict and name not like 'sqlite%'";
        let mut select = db.prepare(sql).unwrap();
        let loose: Vec<String> =
            select.query_map([], |row| row.get(0)).unwrap().map(|row| row.unwrap()).collect();
        assert_eq!(loose, Vec::<String>::new());
    }

    #[test]
    fn a_changed_migration_and_a_newer_database_are_refused() {
        let mut db = Connection::open_in_memory().unwrap();
        let first = Migration { number: 1, name: "first", sql: "create table a (b integer) strict" };
        let second = Migration { number: 2, name: "second", sql: "create table c (d integer) strict" };
        migrate(&mut db, &[first, second]).unwrap();

        let changed = Migration { sql: "create table a (b text) strict", ..first };
        let error = migrate(&mut db, &[changed, second]).unwrap_err().to_string();
        assert!(error.contains("migration 1 (`first`)"), "{error}");
        let error = migrate(&mut db, &[first]).unwrap_err().to_string();
        assert!(error.contains("newer than this program"), "{error}");
    }

    #[test]
    fn a_migration_that_fails_leaves_nothing() {
        let mut db = Connection::open_in_memory().unwrap();
        let broken =
            Migration { number: 1, name: "x", sql: "create table a (b integer) strict; select nothing" };
        assert!(migrate(&mut db, &[broken]).is_err());
        let tables: i64 = db
            .query_row("select count(*) from sqlite_schema where name = 'a'", [], |row| row.get(0))
            .unwrap();
        assert_eq!(tables, 0);
    }
}
