//! What is to be done, decided by what the folder says and what the server has.
//!
//! A connector is known by its key, an instance by its connector's key and its name. What a change does to an instance
//! is asked of the server (`?plan=true`), which alone can compare secrets and knows every poller's place.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use turnstone_core::check::{CheckSettings, Checked, ConnectorDefaults, Fault, check};
use turnstone_core::connector::{CheckedConnector, Connector, Document};
use turnstone_engine::clock::{Clock as _, SystemClock};
use turnstone_engine::document::{HIDDEN, redact_document};

use super::Purpose;
use crate::cli::Failure;
use crate::cli::connector::{Present, present};
use crate::cli::folder::{CONNECTORS, ConnectorFile, FileFaults, Folder, INSTANCES, InstanceFile};
use crate::cli::output::{Output, tame};
use crate::cli::references::LookedUp;
use crate::cli::remote::{Refusal, Remote, Said, encode};
use crate::difference::{Difference, differences, member_path};

/// The member that names an instance's connector.
pub(crate) const ELEMENT: &str = "element";
/// What stands for a secret that is not there, while a new instance is only looked at.
const NOT_THERE: &str = "not set";

/// What becomes of a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// It is new.
    Create,
    /// It is there, otherwise.
    Change,
    /// It is there as it should be.
    Keep,
    /// It goes, because the folder does not have it.
    Remove,
    /// The folder does not have it, and it stays.
    Leave,
}

impl Action {
    /// Whether something is sent.
    pub(crate) fn is_change(self) -> bool {
        matches!(self, Action::Create | Action::Change | Action::Remove)
    }
}

/// What becomes of a poller's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// The resource.
    pub(crate) resource: String,
    /// `kept`, `begins anew`, `new` or `removed`.
    pub(crate) cursor: String,
    /// Why, in words; may be empty.
    pub(crate) why: String,
}

impl Cursor {
    /// Whether a place is lost.
    pub(crate) fn is_lost(&self) -> bool {
        !matches!(self.cursor.as_str(), "kept" | "new")
    }
}

/// What is sent for a thing.
#[derive(Debug)]
pub(crate) enum Sent {
    /// A connector's text.
    Connector(String),
    /// An instance's document, with its secrets.
    Instance(Value),
    /// Nothing.
    Nothing,
}

/// A thing and what becomes of it.
#[derive(Debug)]
pub(crate) struct Step {
    /// `connector` or `instance`.
    pub(crate) kind: &'static str,
    /// Its key or name.
    pub(crate) name: String,
    /// The connector's key.
    pub(crate) element_key: String,
    /// Its id on the server, or its key; `Null` while it is new.
    pub(crate) id: Value,
    /// Its file in the folder.
    pub(crate) file: Option<String>,
    /// What becomes of it.
    pub(crate) action: Action,
    /// What changes.
    pub(crate) members: Vec<Difference>,
    /// What becomes of its pollers' places.
    pub(crate) cursors: Vec<Cursor>,
    /// What works less well than it could.
    pub(crate) warnings: Vec<String>,
    /// What could not be compared.
    pub(crate) notes: Vec<String>,
    /// What is sent.
    pub(crate) sent: Sent,
    /// Whether its connector changes before it, so that the server has to be asked once more.
    pub(crate) follows_connector: bool,
}

/// Everything that is to be done, in this order.
pub(crate) struct Plan {
    /// The things.
    pub(crate) steps: Vec<Step>,
}

/// Why there is no plan.
pub(crate) enum Unplanned {
    /// Files have faults.
    Faults(Vec<FileFaults>),
    /// The server.
    Failure(Failure),
}

impl From<Failure> for Unplanned {
    fn from(failure: Failure) -> Unplanned {
        Unplanned::Failure(failure)
    }
}

/// What the server has.
struct Server<'a> {
    remote: &'a Remote,
    elements: Vec<Value>,
    instances: Vec<Value>,
    /// Its connectors that instances of the folder need, by key.
    connectors: BTreeMap<String, Option<Arc<Connector>>>,
}

impl Plan {
    /// Compares a folder with a server.
    pub(crate) async fn make(
        remote: &Remote,
        mut folder: Folder,
        purpose: Purpose,
        prune: bool,
        output: &Output,
    ) -> Result<Plan, Unplanned> {
        let mut server = match Server::look(remote).await {
            Ok(server) => server,
            // What is wrong with the files can be told without a server.
            Err(_) if !folder.faults.is_empty() => return Err(Unplanned::Faults(folder.faults)),
            Err(failure) => return Err(failure.into()),
        };
        let mut faults = std::mem::take(&mut folder.faults);
        let mut steps = Vec::new();
        for file in &folder.connectors {
            steps.push(connector_step(remote, &server, file).await?);
        }
        let count = folder.instances.len();
        for (at, file) in folder.instances.iter().enumerate() {
            if at > 0 && at % 50 == 0 {
                output.note(&format!("{at} of {count} instances are compared"));
            }
            if folder.unsound.contains(&file.element_key) {
                let found = file.looked_up.faults.clone();
                if purpose == Purpose::Do && !found.is_empty() {
                    faults.push(FileFaults { file: file.file.clone(), faults: found });
                }
                continue;
            }
            match instance_step(&mut server, &folder, &steps, file, purpose).await? {
                Ok(step) => steps.push(step),
                Err(found) => faults.push(FileFaults { file: file.file.clone(), faults: found }),
            }
        }
        if !faults.is_empty() {
            return Err(Unplanned::Faults(faults));
        }
        let rest = server.rest(&folder, &steps, prune);
        steps.extend(rest);
        Ok(Plan { steps })
    }
}

impl Server<'_> {
    async fn look(remote: &Remote) -> Result<Server<'_>, Failure> {
        let failed = |what: &str| {
            let what = what.to_owned();
            move |refusal: Refusal| refusal.failure(&what)
        };
        let elements = remote.list("/elements").await.map_err(failed("the list of connectors"))?;
        let instances = remote.list("/instances?hydrate=true").await;
        let instances = instances.map_err(failed("the list of instances"))?;
        Ok(Server { remote, elements, instances, connectors: BTreeMap::new() })
    }

    fn element_id(&self, key: &str) -> Value {
        let found = self.elements.iter().find(|one| one["key"].as_str() == Some(key));
        found.map(|one| one["id"].clone()).unwrap_or_default()
    }

    /// The instances of this connector and name.
    fn named(&self, element_key: &str, name: &str) -> Vec<&Value> {
        let is_it = |one: &&Value| {
            one["name"].as_str() == Some(name) && one["element"]["key"].as_str() == Some(element_key)
        };
        self.instances.iter().filter(is_it).collect()
    }

    /// The connector of this key that the server has.
    async fn connector(&mut self, key: &str) -> Result<Option<Arc<Connector>>, Failure> {
        if let Some(known) = self.connectors.get(key) {
            return Ok(known.clone());
        }
        let found = match self.remote.text(&format!("/elements/{}/export", encode(key))).await {
            Ok(text) => Document::parse(text).ok().and_then(|document| {
                let CheckedConnector { connector, .. } =
                    turnstone_core::connector::check(&document, &settings(None));
                connector.map(Arc::new)
            }),
            Err(refusal) if refusal.is_missing() => None,
            Err(refusal) => return Err(refusal.failure(&format!("connector `{}`", tame(key)))),
        };
        self.connectors.insert(key.to_owned(), found.clone());
        Ok(found)
    }

    /// What only the server has: instances first, so that connectors can go after them.
    fn rest(&self, folder: &Folder, steps: &[Step], prune: bool) -> Vec<Step> {
        let known = |kind: &str, id: &Value| steps.iter().any(|step| step.kind == kind && step.id == *id);
        let action = |part: &str| match prune && folder.has(part) {
            true => Action::Remove,
            false => Action::Leave,
        };
        let mut rest = Vec::new();
        for one in self.instances.iter().filter(|one| !known("instance", &one["id"])) {
            let element_key = one["element"]["key"].as_str().unwrap_or_default().to_owned();
            let name = one["name"].as_str().unwrap_or_default().to_owned();
            let step = Step::bare("instance", name, element_key, one["id"].clone(), action(INSTANCES));
            rest.push(step);
        }
        let used: Vec<&str> = rest
            .iter()
            .filter(|step| step.action == Action::Leave)
            .map(|step| step.element_key.as_str())
            .chain(folder.instances.iter().map(|file| file.element_key.as_str()))
            .collect();
        let mut connectors = Vec::new();
        for one in self.elements.iter().filter(|one| !known("connector", &one["id"])) {
            let key = one["key"].as_str().unwrap_or_default().to_owned();
            let action = if used.contains(&key.as_str()) { Action::Leave } else { action(CONNECTORS) };
            connectors.push(Step::bare("connector", key.clone(), key, one["id"].clone(), action));
        }
        rest.extend(connectors);
        rest
    }
}

impl Step {
    fn bare(kind: &'static str, name: String, element_key: String, id: Value, action: Action) -> Step {
        Step {
            kind,
            name,
            element_key,
            id,
            file: None,
            action,
            members: Vec::new(),
            cursors: Vec::new(),
            warnings: Vec::new(),
            notes: Vec::new(),
            sent: Sent::Nothing,
            follows_connector: false,
        }
    }
}

async fn connector_step(remote: &Remote, server: &Server<'_>, file: &ConnectorFile) -> Result<Step, Failure> {
    let key = file.connector.key.clone();
    let found = present(remote, &file.document).await;
    let found = found.map_err(|refusal| refusal.failure(&format!("`{}`", tame(&file.file))))?;
    let mut members = Vec::new();
    let action = match found {
        Present::Nothing => Action::Create,
        Present::Same => Action::Keep,
        Present::Other(text) => {
            let value = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
            members = differences(&value(&text), &value(&file.document.completed().export().text));
            Action::Change
        }
    };
    let warnings: Vec<String> = file.warnings.iter().map(ToString::to_string).collect();
    let mut notes = Vec::new();
    let blanked = file.document.export().blanked;
    if action == Action::Keep && !blanked.is_empty() {
        let keys = blanked.join("`, `");
        notes.push(format!(
            "secret defaults (`{keys}`) cannot be compared; `turnstone connector import --replace` sends them anew"
        ));
    }
    Ok(Step {
        file: Some(file.file.clone()),
        members,
        warnings,
        notes,
        sent: Sent::Connector(file.document.text().to_owned()),
        ..Step::bare("connector", key.clone(), key.clone(), server.element_id(&key), action)
    })
}

/// What an instance becomes, or what is wrong with its file.
async fn instance_step(
    server: &mut Server<'_>,
    folder: &Folder,
    before: &[Step],
    file: &InstanceFile,
    purpose: Purpose,
) -> Result<Result<Step, Vec<Fault>>, Failure> {
    let own = folder.connectors.iter().find(|one| one.connector.key == file.element_key);
    let connector = match own {
        Some(own) => Some(Arc::clone(&own.connector)),
        None => server.connector(&file.element_key).await?,
    };
    let Checked { faults, .. } = check(&file.looked_up.document, &settings(connector.as_ref()));
    let mut faults: Vec<Fault> = faults;
    if purpose == Purpose::Do {
        faults.extend(file.looked_up.faults.iter().cloned());
    }
    let named = server.named(&file.element_key, &file.name);
    if named.len() > 1 {
        let ids: Vec<String> = named.iter().map(|one| one["id"].to_string()).collect();
        faults.push(Fault {
            path: "name".to_owned(),
            problem: format!("the server has several instances of this name: {}", ids.join(", ")),
            remedy: "rename all but one of them".to_owned(),
        });
    }
    let present: Option<Value> = named.first().map(|one| (*one).clone());
    let changed = before.iter().find(|step| step.kind == "connector" && step.name == file.element_key);
    let changed = changed.map_or(Action::Keep, |step| step.action);
    let step = Step {
        file: Some(file.file.clone()),
        follows_connector: changed.is_change(),
        ..Step::bare("instance", file.name.clone(), file.element_key.clone(), Value::Null, Action::Create)
    };
    if !faults.is_empty() {
        return Ok(Err(faults));
    }
    let looked_up = &file.looked_up;
    let planned = match present {
        // The server does not know the connector yet, so it cannot say more than the check did.
        None if changed == Action::Create => Ok(new_of_new(step, connector.as_ref(), looked_up)),
        None => ask_create(server.remote, step, looked_up).await,
        Some(shown) => {
            let step = Step { id: shown["id"].clone(), ..step };
            ask_change(server.remote, step, &shown, looked_up).await
        }
    };
    match planned {
        Ok(step) => Ok(Ok(with_missing(step, looked_up))),
        Err(Refusal::Said(Said { status: 400, faults, message, .. })) => {
            let whole = Fault { path: String::new(), problem: message, remedy: "correct it".to_owned() };
            Ok(Err(if faults.is_empty() { vec![whole] } else { faults }))
        }
        Err(refusal) => Err(refusal.failure(&format!("`{}`", tame(&file.file)))),
    }
}

/// Intervals and zones are the server's business; it is asked too.
fn settings(connector: Option<&Arc<Connector>>) -> CheckSettings {
    CheckSettings {
        interval_min: Duration::ZERO,
        connector: connector.map(ConnectorDefaults::of),
        ..CheckSettings::new(SystemClock::new().now())
    }
}

fn new_of_new(step: Step, connector: Option<&Arc<Connector>>, looked_up: &LookedUp) -> Step {
    let checked = check(&looked_up.document, &settings(connector));
    // One that wants no events has no pollers.
    let polled = checked.instance.filter(|instance| instance.enabled);
    let resources = polled.map(|instance| instance.resources).unwrap_or_default();
    let cursor = |name: String| Cursor { resource: name, cursor: "new".to_owned(), why: String::new() };
    Step {
        cursors: resources.into_iter().map(|resource| cursor(resource.name)).collect(),
        warnings: checked.warnings.iter().chain(&checked.repairs).map(ToString::to_string).collect(),
        sent: Sent::Instance(looked_up.document.clone()),
        ..step
    }
}

async fn ask_create(remote: &Remote, step: Step, looked_up: &LookedUp) -> Result<Step, Refusal> {
    // Nothing is kept that the sign for "as it is" could stand for.
    let mut document = looked_up.document.clone();
    for fault in &looked_up.faults {
        each_at("", &mut document, &mut |place, value| {
            if place == fault.path {
                *value = Value::from(NOT_THERE);
            }
        });
    }
    let answer = remote.change("POST", "/instances?plan=true", Some(&document)).await?;
    Ok(told(Step { sent: Sent::Instance(document), ..step }, &answer))
}

/// Asks what a document would do to an instance.
async fn ask_change(
    remote: &Remote,
    step: Step,
    shown: &Value,
    looked_up: &LookedUp,
) -> Result<Step, Refusal> {
    let mut document = looked_up.document.clone();
    // A code signs in once, when the instance is made; sent again it would be refused.
    if let Some(members) = document.as_object_mut() {
        members.shift_remove("providerData");
    }
    let path = format!("/instances/{}?plan=true", step.id);
    let answer = remote.change("PUT", &path, Some(&document)).await?;
    let members = members(&answer, shown, &document, looked_up);
    let mut step = told(Step { members, sent: Sent::Instance(document), ..step }, &answer);
    if step.follows_connector && !step.members.iter().any(|one| one.path == ELEMENT) {
        step.members.push(Difference { path: ELEMENT.to_owned(), from: None, to: None });
    }
    let is_moved = step.cursors.iter().any(|cursor| cursor.cursor != "kept");
    let action = if step.members.is_empty() && !is_moved { Action::Keep } else { Action::Change };
    Ok(Step { action, ..step })
}

/// What the server says that it would do.
fn told(step: Step, answer: &Value) -> Step {
    let list = |name: &str| answer[name].as_array().cloned().unwrap_or_default();
    let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let cursor = |one: &Value| Cursor {
        resource: text(one, "resource"),
        cursor: text(one, "cursor"),
        why: text(one, "why"),
    };
    let said = |one: &Value| {
        let (path, problem, remedy) = (text(one, "path"), text(one, "problem"), text(one, "remedy"));
        format!("{path}: {problem}; {remedy}")
    };
    Step {
        cursors: list("changes").iter().map(cursor).collect(),
        warnings: list("warnings").iter().chain(&list("repairs")).map(said).collect(),
        ..step
    }
}

/// What changes, place by place: the server names the members, because it alone can compare secrets, and what can be
/// seen of both sides tells the rest.
fn members(answer: &Value, shown: &Value, document: &Value, looked_up: &LookedUp) -> Vec<Difference> {
    let mut found = Vec::new();
    for named in answer["document"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if named == ELEMENT {
            found.push(Difference { path: named.to_owned(), from: None, to: None });
            continue;
        }
        let key =
            named.strip_prefix("configuration.").and_then(|key| serde_json::from_str::<String>(key).ok());
        let (path, from, to) = match &key {
            Some(key) => {
                let side = |side: &Value| side["configuration"].get(key).cloned();
                (member_path("configuration", key), side(shown), side(&redact_document(document)))
            }
            None => (named.to_owned(), shown.get(named).cloned(), document.get(named).cloned()),
        };
        let (mut from, mut to) = (from.unwrap_or_default(), to.unwrap_or_default());
        let is_secret = holds_hidden(&from);
        if from.as_str() == Some(HIDDEN) && !to.is_null() {
            to = Value::from(HIDDEN);
        }
        hide(&path, &mut to, &looked_up.places);
        let is_secret = is_secret || holds_hidden(&to);
        let seen = differences_at(&path, &from, &to);
        if seen.is_empty() && is_secret {
            hide_all(&mut from);
            let (from, to) = (Some(from), Some(to));
            found.push(Difference { path, from, to });
        } else if !is_default(named, &from, &to) {
            // What says the same in another form (`15`, `"15"`) is no change.
            found.extend(seen);
        }
    }
    found
}

/// The differences below a place.
fn differences_at(path: &str, from: &Value, to: &Value) -> Vec<Difference> {
    let side = |value: &Value| match value {
        Value::Null => json!({}),
        value => json!({"": value}),
    };
    let below = |one: Difference| {
        let rest = one.path.strip_prefix("\"\"").unwrap_or(&one.path);
        Difference { path: format!("{path}{rest}"), ..one }
    };
    differences(&side(from), &side(to)).into_iter().map(below).collect()
}

/// Whether both sides are what a member is when nothing is said about it.
fn is_default(name: &str, from: &Value, to: &Value) -> bool {
    let is_default = |value: &Value| match name {
        "tags" => value.as_array().is_none_or(Vec::is_empty),
        "externalAuthentication" => value.is_null() || value.as_str() == Some("none"),
        _ => value.is_null(),
    };
    is_default(from) && is_default(to)
}

fn holds_hidden(value: &Value) -> bool {
    match value {
        Value::String(text) => text == HIDDEN,
        Value::Object(members) => members.values().any(holds_hidden),
        _ => false,
    }
}

/// Nothing but names stays to be seen.
fn hide_all(value: &mut Value) {
    match value {
        Value::Object(members) => members.values_mut().for_each(hide_all),
        value => *value = Value::from(HIDDEN),
    }
}

/// Hides values that were references: what they stand for is not to be shown, whatever the server calls a secret.
fn hide(path: &str, value: &mut Value, places: &[String]) {
    each_at(path, value, &mut |place, value| {
        if places.iter().any(|known| known == place) {
            *value = Value::from(HIDDEN);
        }
    });
}

/// Calls for a value and every value in it, with their places.
fn each_at(path: &str, value: &mut Value, call: &mut dyn FnMut(&str, &mut Value)) {
    call(path, value);
    if let Value::Object(members) = value {
        for (name, value) in members.iter_mut() {
            each_at(&member_path(path, name), value, call);
        }
    }
}

fn with_missing(mut step: Step, looked_up: &LookedUp) -> Step {
    for fault in &looked_up.faults {
        step.notes.push(format!("{}: {}; it is not compared", fault.path, fault.problem));
    }
    step
}

/// Asks the server once more what an instance would become, after its connector changed.
pub(crate) async fn again(remote: &Remote, step: &Step) -> Result<Vec<Cursor>, Refusal> {
    let Sent::Instance(document) = &step.sent else { return Ok(Vec::new()) };
    let (method, path) = match step.action {
        Action::Create => ("POST", "/instances?plan=true".to_owned()),
        _ => ("PUT", format!("/instances/{}?plan=true", step.id)),
    };
    let answer = remote.change(method, &path, Some(document)).await?;
    let bare = Step::bare("instance", String::new(), String::new(), json!(null), step.action);
    Ok(told(bare, &answer).cursors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(named: Value, shown: Value, document: Value, places: &[&str], expect: &[(&str, Value, Value)]) {
        let places = places.iter().map(|place| (*place).to_owned()).collect();
        let looked_up = LookedUp { places, ..LookedUp::default() };
        let found = members(&json!({"document": named}), &shown, &document, &looked_up);
        let found: Vec<(&str, Value, Value)> =
            found.iter().map(|one| (one.path.as_str(), json!(one.from), json!(one.to))).collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn what_changes_is_shown_without_secrets() {
        let shown = json!({"name": "a", "configuration": {
            "password": HIDDEN, "own.secret": HIDDEN, "subdomain": "x",
            "http.headers": {"X-A": HIDDEN, "X-B": HIDDEN}}});
        let document = json!({"name": "b", "configuration": {
            "password": "canary", "own.secret": "canary", "subdomain": "canary",
            "http.headers": {"X-A": "canary", "X-B": "canary"}}});
        let named = json!([
            "name",
            "element",
            "configuration.\"password\"",
            "configuration.\"own.secret\"",
            "configuration.\"subdomain\"",
            "configuration.\"http.headers\""
        ]);
        let headers = json!({"X-A": HIDDEN, "X-B": HIDDEN});
        check(
            named,
            shown,
            document,
            &["configuration.subdomain"],
            &[
                ("name", json!("a"), json!("b")),
                ("element", json!(null), json!(null)),
                ("configuration.password", json!(HIDDEN), json!(HIDDEN)),
                ("configuration.\"own.secret\"", json!(HIDDEN), json!(HIDDEN)),
                ("configuration.subdomain", json!("x"), json!(HIDDEN)),
                ("configuration.\"http.headers\"", headers.clone(), headers),
            ],
        );
    }

    #[test]
    fn what_says_the_same_in_another_form_is_no_change() {
        let polled = json!({"a": {"url": "/a"}});
        check(
            json!(["tags", "externalAuthentication", "configuration.\"n\"", "configuration.\"p\""]),
            json!({"tags": [], "externalAuthentication": "none",
                "configuration": {"n": "15", "p": polled.to_string()}}),
            json!({"configuration": {"n": 15, "p": polled}}),
            &[],
            &[],
        );
        check(
            json!(["configuration.\"p\"", "configuration.\"gone\"", "configuration.\"new\""]),
            json!({"configuration": {"p": {"a": {"url": "/a"}}, "gone": 1}}),
            json!({"configuration": {"p": {"a": {"url": "/b"}}, "new": 2}}),
            &[],
            &[
                ("configuration.p.a.url", json!("/a"), json!("/b")),
                ("configuration.gone", json!(1), json!(null)),
                ("configuration.new", json!(null), json!(2)),
            ],
        );
    }

    #[test]
    fn places_that_were_references_are_hidden() {
        let mut value = json!({"configuration": {"http.headers": {"X-A": "canary"}, "plain": "x"}});
        hide("", &mut value, &["configuration.\"http.headers\".X-A".to_owned()]);
        assert_eq!(value, json!({"configuration": {"http.headers": {"X-A": HIDDEN}, "plain": "x"}}));
    }
}
