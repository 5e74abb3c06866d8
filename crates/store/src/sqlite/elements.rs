//! Connectors, the numbers of their parts, and instances as they are looked for: by token, by tag, by connector.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use turnstone_core::id::{ElementId, InstanceId, OrgId};

use super::instances::{instance_columns, read_instance, require_org, with_tags};
use super::row::{Columns, micros, statements};
use super::writer::Desk;
use crate::{
    ElementChange, ElementRow, InstanceFilter, InstanceRow, NewElement, Result, StoreError, TagCount,
};

macro_rules! element_columns {
    () => {
        "
    select id, org_id, key, name, document, ids, active, revision, created_at, updated_at
    from element"
    };
}

statements! {
    RESERVE_PARTS = "
    update counter
    set value = value + ?1
    where name = 'part'
    returning value";

    SELECT_ELEMENT = concat!(element_columns!(), "
    where id = ?1
    and org_id = ?2");

    SELECT_ELEMENT_BY_KEY = concat!(element_columns!(), "
    where org_id = ?1
    and key = ?2");

    SELECT_ELEMENTS = concat!(element_columns!(), "
    where org_id = ?1
    order by id");

    SELECT_HOLDER_OF_KEY = "
    select id
    from element
    where org_id = ?1
    and key = ?2";

    INSERT_ELEMENT = "
    insert into element (org_id, key, name, document, ids, active, revision, created_at, updated_at)
    values (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?7)";

    INSERT_ELEMENT_REVISION = "
    insert into element_revision (element_id, revision, org_id, document, created_at)
    values (?1, ?2, ?3, ?4, ?5)";

    SELECT_REVISION_OF_ELEMENT = "
    select revision
    from element
    where id = ?1
    and org_id = ?2";

    UPDATE_ELEMENT = "
    update element
    set
        key = ?2,
        name = ?3,
        document = ?4,
        ids = ?5,
        active = ?6,
        revision = ?7,
        updated_at = ?8
    where id = ?1";

    COUNT_INSTANCES_OF_ELEMENT = "
    select count(*)
    from instance
    where element_id = ?1";

    DELETE_ELEMENT = "
    delete from element
    where id = ?1";

    SELECT_DOCUMENT_OF_REVISION = "
    select document
    from element_revision
    where element_id = ?1
    and revision = ?2";

    SELECT_INSTANCE_OF_TOKEN = concat!(instance_columns!(), "
    where instance.token_hash = ?1");

    SELECT_INSTANCES_AFTER = concat!(instance_columns!(), "
    where instance.org_id = ?1
    and instance.id > ?2
    order by instance.id
    limit ?3");

    SELECT_INSTANCES_OF_ELEMENT_AFTER = concat!(instance_columns!(), "
    where instance.element_id = ?4
    and instance.id > ?2
    and +instance.org_id = ?1
    order by instance.id
    limit ?3");

    SELECT_NAMES_AFTER = "
    select id, name
    from instance
    where org_id = ?1
    and id > ?2
    and (?3 is null or element_id = ?3)
    order by id";

    SELECT_TAGGED_AFTER = "
    select distinct instance_id
    from instance_tag
    where org_id = ?1
    and tag = ?2
    and instance_id > ?3
    order by instance_id";

    SELECT_INSTANCE_BY_ID = concat!(instance_columns!(), "
    where instance.id = ?1");

    SELECT_TAG_COUNTS = "
    select tag, count(distinct instance_id)
    from instance_tag
    where org_id = ?1
    group by tag
    order by tag";
}

/// See [`crate::Directory::reserve_part_ids`].
pub(super) fn reserve_part_ids(desk: &mut Desk, count: u32) -> Result<i64> {
    let last: i64 = desk.db.prepare_cached(RESERVE_PARTS)?.query_row([count], |row| row.get(0))?;
    Ok(last - i64::from(count) + 1)
}

fn read_element(row: &Row<'_>) -> rusqlite::Result<ElementRow> {
    Ok(ElementRow {
        id: ElementId(row.get(0)?),
        org: OrgId(row.get(1)?),
        key: row.get(2)?,
        name: row.get(3)?,
        document: row.get(4)?,
        ids: row.get(5)?,
        active: row.get(6)?,
        revision: row.get(7)?,
        created_at: row.instant(8)?,
        updated_at: row.instant(9)?,
    })
}

/// Refuses a key that another connector of the organisation has.
fn require_free_key(db: &Connection, org: OrgId, key: &str, own: Option<ElementId>) -> Result<()> {
    let mut select = db.prepare_cached(SELECT_HOLDER_OF_KEY)?;
    let holder = select.query_row(params![org.0, key], |row| row.get(0).map(ElementId)).optional()?;
    match holder {
        Some(holder) if own != Some(holder) => {
            Err(StoreError::Conflict(format!("another connector has the key `{key}`; choose another key")))
        }
        _ => Ok(()),
    }
}

/// See [`crate::Directory::create_element`].
pub(super) fn create_element(desk: &mut Desk, new: &NewElement, now: Timestamp) -> Result<ElementId> {
    let db = &desk.db;
    require_org(db, new.org)?;
    require_free_key(db, new.org, &new.key, None)?;
    db.prepare_cached(INSERT_ELEMENT)?.execute(params![
        new.org.0,
        new.key,
        new.name,
        new.document,
        new.ids,
        new.active,
        micros(now)
    ])?;
    let id = ElementId(db.last_insert_rowid());
    insert_revision(db, new.org, id, 1, &new.document, now)?;
    Ok(id)
}

fn insert_revision(
    db: &Connection,
    org: OrgId,
    id: ElementId,
    revision: i64,
    document: &str,
    now: Timestamp,
) -> Result<()> {
    let mut insert = db.prepare_cached(INSERT_ELEMENT_REVISION)?;
    insert.execute(params![id.0, revision, org.0, document, micros(now)])?;
    Ok(())
}

/// The present revision of a connector that must be there.
fn revision_of(db: &Connection, org: OrgId, id: ElementId) -> Result<i64> {
    let mut select = db.prepare_cached(SELECT_REVISION_OF_ELEMENT)?;
    let found = select.query_row([id.0, org.0], |row| row.get(0)).optional()?;
    found.ok_or(StoreError::NotFound("connector"))
}

/// See [`crate::Directory::update_element`].
pub(super) fn update_element(
    desk: &mut Desk,
    org: OrgId,
    id: ElementId,
    revision_was: i64,
    change: &ElementChange,
    now: Timestamp,
) -> Result<i64> {
    let db = &desk.db;
    let present = revision_of(db, org, id)?;
    if present != revision_was {
        return Err(StoreError::Conflict(format!(
            "the connector is at revision {present} and not {revision_was}; read it again"
        )));
    }
    require_free_key(db, org, &change.key, Some(id))?;
    let revision = present + 1;
    db.prepare_cached(UPDATE_ELEMENT)?.execute(params![
        id.0,
        change.key,
        change.name,
        change.document,
        change.ids,
        change.active,
        revision,
        micros(now)
    ])?;
    insert_revision(db, org, id, revision, &change.document, now)?;
    Ok(revision)
}

/// See [`crate::Directory::delete_element`].
pub(super) fn delete_element(desk: &mut Desk, org: OrgId, id: ElementId) -> Result<()> {
    let db = &desk.db;
    revision_of(db, org, id)?;
    let count: i64 = db.prepare_cached(COUNT_INSTANCES_OF_ELEMENT)?.query_row([id.0], |row| row.get(0))?;
    match count {
        0 => {}
        1 => return Err(StoreError::Conflict("one instance uses this connector; delete it first".into())),
        _ => {
            return Err(StoreError::Conflict(format!(
                "{count} instances use this connector; delete them first"
            )));
        }
    }
    db.prepare_cached(DELETE_ELEMENT)?.execute([id.0])?;
    Ok(())
}

/// See [`crate::Directory::element`].
pub(super) fn element(db: &Connection, org: OrgId, id: ElementId) -> Result<ElementRow> {
    let found = db.prepare_cached(SELECT_ELEMENT)?.query_row([id.0, org.0], read_element).optional()?;
    found.ok_or(StoreError::NotFound("connector"))
}

/// See [`crate::Directory::element_by_key`].
pub(super) fn element_by_key(db: &Connection, org: OrgId, key: &str) -> Result<Option<ElementRow>> {
    let mut select = db.prepare_cached(SELECT_ELEMENT_BY_KEY)?;
    Ok(select.query_row(params![org.0, key], read_element).optional()?)
}

/// See [`crate::Directory::elements`].
pub(super) fn elements(db: &Connection, org: OrgId) -> Result<Vec<ElementRow>> {
    let mut select = db.prepare_cached(SELECT_ELEMENTS)?;
    Ok(select.query_map([org.0], read_element)?.collect::<rusqlite::Result<_>>()?)
}

/// See [`crate::Directory::element_at`].
pub(super) fn element_at(db: &Connection, org: OrgId, id: ElementId, revision: i64) -> Result<String> {
    revision_of(db, org, id)?;
    let mut select = db.prepare_cached(SELECT_DOCUMENT_OF_REVISION)?;
    let found = select.query_row([id.0, revision], |row| row.get(0)).optional()?;
    found.ok_or(StoreError::NotFound("revision"))
}

/// See [`crate::Directory::instance_by_token`].
pub(super) fn instance_by_token(db: &Connection, token_hash: [u8; 32]) -> Result<Option<InstanceRow>> {
    let mut select = db.prepare_cached(SELECT_INSTANCE_OF_TOKEN)?;
    let found = select.query_row([token_hash], read_instance).optional()?;
    found.map(|row| with_tags(db, row)).transpose()
}

/// See [`crate::Directory::instances_page`].
pub(super) fn instances_page(
    db: &Connection,
    org: OrgId,
    filter: &InstanceFilter,
) -> Result<Vec<InstanceRow>> {
    if let Some(tag) = filter.tags.first() {
        return tagged_page(db, org, tag, filter);
    }
    if !filter.search.is_empty() {
        return named_page(db, org, filter);
    }
    let mut select;
    let rows = match filter.element {
        None => {
            select = db.prepare_cached(SELECT_INSTANCES_AFTER)?;
            select.query_map(params![org.0, filter.after, filter.limit], read_instance)?
        }
        Some(element) => {
            select = db.prepare_cached(SELECT_INSTANCES_OF_ELEMENT_AFTER)?;
            select.query_map(params![org.0, filter.after, filter.limit, element.0], read_instance)?
        }
    };
    let rows: Vec<InstanceRow> = rows.collect::<rusqlite::Result<_>>()?;
    rows.into_iter().map(|row| with_tags(db, row)).collect()
}

/// Looks through names, which stand before the documents, and reads what has the right one.
fn named_page(db: &Connection, org: OrgId, filter: &InstanceFilter) -> Result<Vec<InstanceRow>> {
    let is_named = filter.named();
    let mut page = Vec::new();
    let mut select = db.prepare_cached(SELECT_NAMES_AFTER)?;
    let mut rows = select.query(params![org.0, filter.after, filter.element.map(|id| id.0)])?;
    while page.len() < filter.limit as usize
        && let Some(row) = rows.next()?
    {
        if !is_named(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?) {
            continue;
        }
        let id: i64 = row.get(0)?;
        let row = db.prepare_cached(SELECT_INSTANCE_BY_ID)?.query_row([id], read_instance)?;
        page.push(with_tags(db, row)?);
    }
    Ok(page)
}

/// Walks the index of one tag and keeps what has the others too, so that a page never reads the organisation through.
fn tagged_page(db: &Connection, org: OrgId, tag: &str, filter: &InstanceFilter) -> Result<Vec<InstanceRow>> {
    let is_named = filter.named();
    let mut page = Vec::new();
    let mut select = db.prepare_cached(SELECT_TAGGED_AFTER)?;
    let mut tagged = select.query(params![org.0, tag, filter.after])?;
    while page.len() < filter.limit as usize {
        let Some(row) = tagged.next()? else { break };
        let id = InstanceId(row.get(0)?);
        let row = db.prepare_cached(SELECT_INSTANCE_BY_ID)?.query_row([id.0], read_instance)?;
        if filter.element.is_some() && row.element.map(|(element, _)| element) != filter.element {
            continue;
        }
        if !is_named(&row.name) {
            continue;
        }
        let row = with_tags(db, row)?;
        if filter.tags.iter().all(|tag| row.tags.contains(tag)) {
            page.push(row);
        }
    }
    Ok(page)
}

/// See [`crate::Directory::tags`].
pub(super) fn tags(db: &Connection, org: OrgId) -> Result<Vec<TagCount>> {
    let mut select = db.prepare_cached(SELECT_TAG_COUNTS)?;
    let rows =
        select.query_map([org.0], |row| Ok(TagCount { tag: row.get(0)?, instances: row.count(1)? }))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
