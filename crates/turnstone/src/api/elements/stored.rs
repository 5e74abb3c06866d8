//! A connector between the wire and the store: what comes in is understood and numbered, what is there is found, and a
//! change is made on the newest revision.
//!
//! Secrets are sealed before anything else is done with a document, so that no later step can store or show one.

use serde_json::Value;
use turnstone_core::check::Fault;
use turnstone_core::connector::{
    Change, CheckedConnector, Connector, Document, DocumentError, Edited, Ids, KeptSecret,
};
use turnstone_core::id::{ElementId, OrgId};
use turnstone_core::json_text::{self, Kind};
use turnstone_engine::connectors::seal_connector;
use turnstone_store::{ElementChange, ElementRow, NewElement, StoreError};

use super::super::error::{Answer, ApiError, FaultBody};
use super::super::{Api, date_formats};
use super::scripts;

/// Keys that are words of our own paths, where a connector of that name could not be reached.
const PATH_WORDS: [&str; 5] = ["keys", "metadata", "convert", "check", "oauthProxies"];
/// How often a change is made anew because another node was faster.
const TRIES_MAX: u32 = 8;

/// A connector of the store.
pub struct Stored {
    /// As it is kept.
    pub row: ElementRow,
    /// Its document; defaults of secrets are sealed.
    pub document: Document,
    /// The numbers of its parts.
    pub ids: Ids,
}

impl Stored {
    /// Reads what the store has.
    pub fn of(row: ElementRow) -> Answer<Stored> {
        let document = Document::parse(row.document.clone()).map_err(|error| ApiError {
            detail: Some(format!("document of element {}: {error}", row.id)),
            ..ApiError::conflict("badDocument", "the stored document cannot be read; PUT it anew")
        })?;
        // Numbers that do not fit are no reason to hide a connector; its parts are shown without.
        let ids = serde_json::from_str(&row.ids).unwrap_or_default();
        Ok(Stored { row, document, ids })
    }

    /// The connector as it is shown in whole.
    pub fn shown(&self) -> String {
        self.document.shown(self.row.id.0, &self.ids)
    }

    /// The connector, understood; a connector that was sound when it was stored may be refused by a newer program.
    pub fn understood(&self, api: &Api) -> Answer<Connector> {
        Ok(understand(api, &self.document)?.0)
    }
}

/// Reads a document that came in, and seals its secrets. What our own answers add is taken out again.
pub fn arrive(api: &Api, org: OrgId, text: String) -> Answer<Document> {
    let mut document = Document::parse(text).map_err(unreadable)?;
    if document.member("warnings").is_some_and(is_ours) {
        let text = json_text::without_member(document.text(), "warnings");
        document = Document::parse(text).map_err(unreadable)?;
    }
    Ok(seal_connector(&document, api.preparer.keys(), org, api.entropy.as_ref()))
}

fn unreadable(error: DocumentError) -> ApiError {
    match error {
        DocumentError::Json(_) => ApiError::bad("malformedJson", error.to_string()),
        DocumentError::NoObject(_) | DocumentError::TooLong(_) => {
            ApiError::bad("badDocument", error.to_string())
        }
    }
}

/// Whether a member `warnings` is what an answer of ours adds.
pub fn is_ours(warnings: &str) -> bool {
    let own = |item: &&str| {
        let names: Vec<String> = json_text::members(item)
            .unwrap_or_default()
            .into_iter()
            .map(|member| member.name.to_string())
            .collect();
        names == ["path", "problem", "remedy"]
    };
    json_text::items(warnings).is_some_and(|items| items.iter().all(own))
}

/// Judges a whole document: the connector and its warnings, or 400 with every fault.
pub fn understand(api: &Api, document: &Document) -> Answer<(Connector, Vec<Fault>)> {
    let CheckedConnector { connector, mut faults, warnings } =
        api.preparer.check_connector(document, api.now());
    if let Some(key) = connector.as_ref().map(|connector| &connector.key)
        && PATH_WORDS.contains(&key.as_str())
    {
        faults.push(Fault {
            path: "key".to_owned(),
            problem: format!("`{key}` is a word of this API's own paths"),
            remedy: "choose another key".to_owned(),
        });
    }
    match connector.filter(|_| faults.is_empty()) {
        Some(connector) => Ok((connector, warnings)),
        None => Err(ApiError::faults(faults)),
    }
}

/// What a connector would mean as it is sent, in place of the stored one. Nothing is stored.
pub fn tried(api: &Api, row: ElementRow, element: Value) -> Answer<Connector> {
    let (org, stored) = (row.org, Stored::of(row)?);
    let arrived = arrive(api, org, element.to_string())?;
    let (document, _) = arrived.without_shown(&stored.ids.as_shown(&stored.document));
    let (document, _) = document.with_secrets_of(&stored.document);
    let document = with_its_key(with_its_own_id(&document, &stored), &stored);
    understand(api, &document)?;
    let Some(connectors) = api.preparer.connectors() else { return Err(ApiError::not_found("connector")) };
    connectors.of_document(org, &document).map_err(|words| ApiError::conflict("badConnector", words))
}

/// The connector of a path: by its id, or by its key.
pub async fn find(api: &Api, org: OrgId, key_or_id: &str) -> Answer<Stored> {
    Stored::of(row(api, org, key_or_id).await?)
}

/// The connector of a path, as it is kept: by its id, else by its key.
pub async fn row(api: &Api, org: OrgId, key_or_id: &str) -> Answer<ElementRow> {
    if let Ok(id) = key_or_id.parse() {
        match api.directory.element(org, ElementId(id)).await {
            // A key may be a number too.
            Err(StoreError::NotFound(_)) => {}
            other => return Ok(other?),
        }
    }
    let found = api.directory.element_by_key(org, key_or_id).await?;
    found.ok_or_else(|| {
        let message = "there is no such element; GET /elements/keys lists those that there are";
        ApiError::new(http::StatusCode::NOT_FOUND, "notFound", message)
    })
}

/// Stores a new connector.
pub async fn create(api: &Api, org: OrgId, arrived: Document) -> Answer<(Stored, Vec<Fault>)> {
    let arrived = without_our_ids(api, org, arrived).await?;
    let nothing = Document::parse("{}").map_err(unreadable)?;
    let (document, told) = arrived.with_secrets_of(&nothing);
    let (connector, mut warnings) = understand(api, &document)?;
    warnings.extend(told.iter().map(of_secret));
    warnings.extend(scripts::broken(api, org, &connector).await);
    let ids = numbered(api, |next| Ids::assign(&document, &mut || next())).await?;
    let new = NewElement {
        org,
        key: connector.key.clone(),
        name: connector.name.clone(),
        document: document.text().to_owned(),
        ids: serialised(&ids),
        active: connector.active,
    };
    let id = match api.directory.create_element(new, api.now()).await {
        Err(StoreError::Conflict(_)) => return Err(exists(&connector.key)),
        other => other?,
    };
    date_formats::remember_of(api, org, &document).await;
    Ok((Stored::of(api.directory.element(org, id).await?)?, warnings))
}

/// A document that was read here and is sent as a new one has the numbers of that one, which are not its own.
async fn without_our_ids(api: &Api, org: OrgId, arrived: Document) -> Answer<Document> {
    let Some(id) = arrived.member("id").and_then(|id| id.trim_ascii().parse().ok()) else {
        return Ok(arrived);
    };
    let row = match api.directory.element(org, ElementId(id)).await {
        Err(StoreError::NotFound(_)) => return Ok(arrived),
        other => other?,
    };
    let stored = Stored::of(row)?;
    let (document, sent) = arrived.without_shown(&stored.ids.as_shown(&stored.document));
    // Another platform may have given that number to something else.
    Ok(if sent.is_empty() { arrived } else { with_its_own_id(&document, &stored) })
}

fn exists(key: &str) -> ApiError {
    let message =
        format!("there is an element `{key}` already; PUT replaces it, another `key` makes a second one");
    ApiError::conflict("exists", message)
}

/// Replaces a whole connector. Parts that stay keep their numbers, and secrets that are sent as they were shown or
/// exported stay as they are. A document that is there already makes no revision.
pub async fn replace(
    api: &Api,
    org: OrgId,
    key_or_id: &str,
    arrived: &Document,
) -> Answer<(Stored, Vec<Fault>)> {
    let one_at_a_time = api.element_changes().lock().await;
    for _ in 0..TRIES_MAX {
        let stored = find(api, org, key_or_id).await?;
        let (document, sent) = arrived.without_shown(&stored.ids.as_shown(&stored.document));
        let (document, told) = document.with_secrets_of(&stored.document);
        let document = with_its_key(with_its_own_id(&document, &stored), &stored);
        let (connector, mut warnings) = understand(api, &document)?;
        let carried = |next: &mut dyn FnMut() -> i64| {
            stored.ids.carried(&stored.document, &document, &sent, &mut || next())
        };
        let replaced = match document == stored.document {
            true => Some(stored),
            false => put(api, &stored, &document, &numbered(api, carried).await?, &connector).await?,
        };
        if let Some(stored) = replaced {
            drop(one_at_a_time);
            warnings.extend(told.iter().map(of_secret));
            warnings.extend(scripts::broken(api, org, &connector).await);
            date_formats::remember_of(api, org, &document).await;
            return Ok((stored, warnings));
        }
    }
    Err(busy())
}

/// A number that the API showed for the whole connector is no part of the document: what was imported stands there.
fn with_its_own_id(document: &Document, stored: &Stored) -> Document {
    let own = stored.row.id.0.to_string();
    if document.member("id").map(str::trim) != Some(own.as_str()) {
        return document.clone();
    }
    let text = match stored.document.member("id") {
        Some(imported) => json_text::with_member(document.text(), "id", imported),
        None => json_text::without_member(document.text(), "id"),
    };
    Document::parse(text).unwrap_or_else(|_| document.clone())
}

/// A document without a key is the connector's that it replaces, whatever its name is now.
fn with_its_key(document: Document, stored: &Stored) -> Document {
    let own = document.member("key").and_then(json_text::text).filter(|key| !key.trim().is_empty());
    // What stands there and is no text is for the check to refuse.
    let is_absent = document.member("key").is_none_or(|key| matches!(json_text::kind(key), Some(Kind::Null)))
        || document.member("key").and_then(json_text::text).is_some_and(|key| key.trim().is_empty());
    if own.is_some() || !is_absent || document.key() == stored.row.key {
        return document;
    }
    let text = json_text::with_member(document.text(), "key", &json_text::quote(&stored.row.key));
    Document::parse(text).unwrap_or(document)
}

/// What an edit makes of a connector.
pub struct Edit {
    /// The document after it.
    pub document: Document,
    /// What it did to the lists, in order.
    pub changes: Vec<Change>,
    /// What works less than it seems, with places in the part that was edited.
    pub warnings: Vec<Fault>,
    /// The same for the whole document after it.
    pub of_whole: Vec<Fault>,
}

impl From<Edited> for Edit {
    fn from(edited: Edited) -> Edit {
        let Edited { document, change, warnings } = edited;
        Edit { document, changes: vec![change], warnings, of_whole: Vec::new() }
    }
}

/// Changes a connector, and again on its newest revision when somebody else was faster.
pub async fn edit(
    api: &Api,
    org: OrgId,
    key_or_id: &str,
    change: impl Fn(&Stored) -> Answer<Edit>,
) -> Answer<(Stored, Edit)> {
    let _one_at_a_time = api.element_changes().lock().await;
    for _ in 0..TRIES_MAX {
        let stored = find(api, org, key_or_id).await?;
        let mut edit = change(&stored)?;
        if edit.document == stored.document {
            return Ok((stored, edit));
        }
        let (connector, of_whole) = understand(api, &edit.document)?;
        edit.of_whole = of_whole;
        let followed = |next: &mut dyn FnMut() -> i64| {
            let mut ids = stored.ids.clone();
            for change in &edit.changes {
                ids.follow(change, &edit.document, &mut || next());
            }
            ids
        };
        let ids = numbered(api, followed).await?;
        if let Some(stored) = put(api, &stored, &edit.document, &ids, &connector).await? {
            return Ok((stored, edit));
        }
    }
    Err(busy())
}

fn busy() -> ApiError {
    ApiError::conflict("conflict", "others are changing this element at the same time; try again")
}

/// Writes the next revision; `None` when there is one already.
async fn put(
    api: &Api,
    stored: &Stored,
    document: &Document,
    ids: &Ids,
    connector: &Connector,
) -> Answer<Option<Stored>> {
    let ElementRow { org, id, revision, .. } = stored.row;
    let change = ElementChange {
        key: connector.key.clone(),
        name: connector.name.clone(),
        document: document.text().to_owned(),
        ids: serialised(ids),
        active: connector.active,
    };
    let now = api.now();
    match api.directory.update_element(org, id, revision, change.clone(), now).await {
        Ok(revision) => {
            let ElementChange { key, name, document, ids, active } = change;
            let row = ElementRow {
                key,
                name,
                document,
                ids,
                active,
                revision,
                updated_at: now,
                ..stored.row.clone()
            };
            Ok(Some(Stored::of(row)?))
        }
        // Another revision came between, or the key is another connector's.
        Err(StoreError::Conflict(_)) if api.directory.element(org, id).await?.revision != revision => {
            Ok(None)
        }
        Err(StoreError::Conflict(_)) => Err(exists(&connector.key)),
        Err(error) => Err(error.into()),
    }
}

/// Does something that needs fresh numbers: once to count them, once with those that the store handed out.
pub async fn numbered<T>(api: &Api, make: impl Fn(&mut dyn FnMut() -> i64) -> T) -> Answer<T> {
    let mut count = 0_u32;
    let without = make(&mut || {
        count = count.saturating_add(1);
        0
    });
    if count == 0 {
        return Ok(without);
    }
    let mut next = api.directory.reserve_part_ids(count).await?;
    Ok(make(&mut || {
        next += 1;
        next - 1
    }))
}

fn serialised(ids: &Ids) -> String {
    serde_json::to_string(ids).unwrap_or_default()
}

fn of_secret(secret: &KeptSecret) -> Fault {
    let KeptSecret { position, key, kept } = secret;
    let (problem, remedy) = match kept {
        true => (
            format!(
                "the default of the secret `{key}` is blank, as in an export, so the stored one was kept"
            ),
            "leave `defaultValue` out to remove it, or write the new one",
        ),
        false => (
            format!("the default of the secret `{key}` is hidden, and none is stored, so it is blank now"),
            "write the secret itself",
        ),
    };
    Fault { path: format!("configuration[{position}].defaultValue"), problem, remedy: remedy.to_owned() }
}

/// The text of an answer with what works less than it seems.
pub fn with_warnings(shown: &str, warnings: &[Fault]) -> String {
    let told: Vec<FaultBody> = warnings.iter().map(FaultBody::from).collect();
    json_text::with_member(
        shown,
        "warnings",
        &serde_json::to_string(&told).unwrap_or_else(|_| Value::Null.to_string()),
    )
}
