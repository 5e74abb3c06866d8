//! A folder of configuration as files, read completely and checked as far as that goes without a server.
//!
//! ```text
//! connectors/*.json                element JSON, as it is exported
//! instances/*.{yaml,yml,json}      instance documents; `endpoint: NAME` takes a callback from below
//! endpoints/*.{yaml,yml,json}      callbacks that several instances share
//! ```
//!
//! What lies deeper in these three is read too; everything beside them is nobody's business here. Every fault of every
//! file is kept, so that all are told at once.
//!
//! Not here: what a server has (`apply`).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value, json};
use turnstone_core::check::Fault;
use turnstone_core::connector::{Connector, Document};

use super::references::{LookedUp, look_up_all};
use super::{Failure, connector, input};
use crate::api::markup;

/// How deep folders lie in each other.
const DEPTH_MAX: usize = 8;
/// Files that are read. Far more than one organisation has.
const FILES_MAX: usize = 10_000;

/// Where connectors lie.
pub(crate) const CONNECTORS: &str = "connectors";
/// Where instances lie.
pub(crate) const INSTANCES: &str = "instances";
/// Where callbacks lie.
const ENDPOINTS: &str = "endpoints";

/// The member of an instance that names its callback.
const ENDPOINT: &str = "endpoint";

/// What an endpoint's members are called in the configuration of an instance.
const MEMBERS: [(&str, &str); 5] = [
    ("url", "event.notification.callback.url"),
    ("headers", "event.notification.callback.headers"),
    ("username", "event.notification.basic.username"),
    ("password", "event.notification.basic.password"),
    ("signatureKey", "event.notification.signature.key"),
];

/// A connector's file that can be sent.
pub(crate) struct ConnectorFile {
    /// Its path in the folder.
    pub(crate) file: String,
    /// What lies there.
    pub(crate) document: Document,
    /// What it means.
    pub(crate) connector: Arc<Connector>,
    /// What works less than it seems.
    pub(crate) warnings: Vec<Fault>,
}

/// An instance's file.
pub(crate) struct InstanceFile {
    /// Its path in the folder.
    pub(crate) file: String,
    /// Key of its connector.
    pub(crate) element_key: String,
    /// Its name, as a server shows it.
    pub(crate) name: String,
    /// The document with its callback and with what it refers to.
    pub(crate) looked_up: LookedUp,
}

/// What is wrong with a file.
pub(crate) struct FileFaults {
    /// Its path in the folder.
    pub(crate) file: String,
    /// What is wrong there.
    pub(crate) faults: Vec<Fault>,
}

/// Everything that the folder says.
#[derive(Default)]
pub(crate) struct Folder {
    /// Its connectors, by path.
    pub(crate) connectors: Vec<ConnectorFile>,
    /// Its instances, by path.
    pub(crate) instances: Vec<InstanceFile>,
    /// Which of its parts are there at all.
    pub(crate) parts: Vec<&'static str>,
    /// Everything that must be put right first.
    pub(crate) faults: Vec<FileFaults>,
    /// Keys of connectors that have faults: what their instances mean cannot be told.
    pub(crate) unsound: Vec<String>,
    /// Files that nobody reads.
    pub(crate) ignored: Vec<String>,
}

impl Folder {
    /// Whether the folder speaks of this kind of things at all.
    pub(crate) fn has(&self, part: &str) -> bool {
        self.parts.contains(&part)
    }

    fn fault(&mut self, file: &str, fault: Fault) {
        match self.faults.iter_mut().find(|known| known.file == file) {
            Some(known) => known.faults.push(fault),
            None => self.faults.push(FileFaults { file: file.to_owned(), faults: vec![fault] }),
        }
    }
}

fn fault(path: &str, problem: impl Into<String>, remedy: impl Into<String>) -> Fault {
    Fault { path: path.to_owned(), problem: problem.into(), remedy: remedy.into() }
}

/// Reads a folder. Only one that is no such folder at all is a failure.
pub(crate) fn read(root: &Path) -> Result<Folder, Failure> {
    let mut folder = Folder::default();
    for part in [CONNECTORS, ENDPOINTS, INSTANCES] {
        if root.join(part).is_dir() {
            folder.parts.push(part);
        }
    }
    if folder.parts.is_empty() {
        let name = root.display();
        return Err(Failure::Configuration(format!(
            "`{name}` holds none of `{CONNECTORS}`, `{INSTANCES}` and `{ENDPOINTS}`; give a folder with these, as \
             `turnstone export DIR` writes it"
        )));
    }
    for (file, path) in files(root, CONNECTORS, &["json"], &mut folder)? {
        read_connector(&mut folder, file, &path);
    }
    let mut endpoints = BTreeMap::new();
    for (file, path) in files(root, ENDPOINTS, &["yaml", "yml", "json"], &mut folder)? {
        read_endpoint(&mut folder, &mut endpoints, &file, &path);
    }
    for (file, path) in files(root, INSTANCES, &["yaml", "yml", "json"], &mut folder)? {
        read_instance(&mut folder, &endpoints, file, &path);
    }
    Ok(folder)
}

/// The files of a part by their paths in the folder.
fn files(
    root: &Path,
    part: &str,
    endings: &[&str],
    folder: &mut Folder,
) -> Result<Vec<(String, PathBuf)>, Failure> {
    let mut found = Vec::new();
    if folder.has(part) {
        walk(&root.join(part), part, endings, DEPTH_MAX, folder, &mut found)?;
    }
    found.sort();
    Ok(found)
}

fn walk(
    place: &Path,
    name: &str,
    endings: &[&str],
    depth: usize,
    folder: &mut Folder,
    found: &mut Vec<(String, PathBuf)>,
) -> Result<(), Failure> {
    let failed = |what: &str, error: String| {
        Failure::Configuration(format!("cannot read {what}: {error}; correct its permissions"))
    };
    let listed = fs::read_dir(place).map_err(|error| failed(&format!("`{name}`"), error.to_string()))?;
    for entry in listed {
        let entry = entry.map_err(|error| failed(&format!("`{name}`"), error.to_string()))?;
        let own = entry.file_name().to_string_lossy().into_owned();
        // Editors and version control leave files like these.
        if own.starts_with('.') || own.ends_with('~') {
            continue;
        }
        let (path, file) = (entry.path(), format!("{name}/{own}"));
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_lowercase();
        if path.is_dir() {
            if depth == 0 {
                return Err(failed(&format!("`{file}`"), "it lies too deep".to_owned()));
            }
            walk(&path, &file, endings, depth - 1, folder, found)?;
        } else if endings.contains(&ending.as_str()) {
            found.push((file, path));
        } else {
            folder.ignored.push(file);
        }
        if found.len() > FILES_MAX {
            return Err(failed(&format!("`{name}`"), format!("it holds more than {FILES_MAX} files")));
        }
    }
    Ok(())
}

fn read_connector(folder: &mut Folder, file: String, path: &Path) {
    let read = match connector::read(path) {
        Ok(read) => read,
        Err(failure) => return folder.fault(&file, unreadable(&failure)),
    };
    let key = read.key();
    let known = folder.connectors.iter().find(|known| known.connector.key == key);
    if let Some(known) = known {
        let problem = format!("the key `{key}` is that of `{}` too", known.file);
        let said = fault("key", problem, "give one of them another key, or remove one");
        folder.fault(&file, said);
    }
    for said in read.checked.faults {
        folder.fault(&file, said);
    }
    match (read.document, read.checked.connector) {
        (Some(document), Some(connector)) => {
            let (connector, warnings) = (Arc::new(connector), read.checked.warnings);
            folder.connectors.push(ConnectorFile { file, document, connector, warnings });
        }
        _ => folder.unsound.push(key),
    }
}

fn unreadable(failure: &Failure) -> Fault {
    let text = failure.to_string();
    let (problem, remedy) = text.rsplit_once("; ").unwrap_or((&text, "correct it"));
    fault("", problem, remedy)
}

/// A callback under its name: what it becomes in the configuration of an instance.
type Endpoints = BTreeMap<String, Map<String, Value>>;

fn read_endpoint(folder: &mut Folder, endpoints: &mut Endpoints, file: &str, path: &Path) {
    let members = match input::read(path) {
        Ok(Value::Object(members)) => members,
        Ok(_) => {
            let remedy = "write it as `url: https://app.example.com/events`";
            return folder.fault(file, fault("", "an endpoint is an object", remedy));
        }
        Err(failure) => return folder.fault(file, unreadable(&failure)),
    };
    let mut configuration = Map::new();
    for (name, value) in members {
        match MEMBERS.iter().find(|(known, _)| *known == name) {
            Some((_, key)) => {
                configuration.insert((*key).to_owned(), value);
            }
            None => {
                let names: Vec<&str> = MEMBERS.iter().map(|(name, _)| *name).collect();
                let problem = format!("`{name}` is not a setting of an endpoint");
                folder.fault(file, fault(&name, problem, format!("there are {}", names.join(", "))));
            }
        }
    }
    if !configuration.contains_key(MEMBERS[0].1) {
        let remedy = "write `url: https://app.example.com/events`";
        folder.fault(file, fault("url", "the endpoint has no address", remedy));
    }
    let name = stem(path);
    // Two files of one name (`app.yaml`, `app.json`) would hide each other.
    if endpoints.insert(name.clone(), configuration).is_some() {
        let problem = format!("another file is the endpoint `{name}` too");
        folder.fault(file, fault("", problem, "remove or rename one of them"));
    }
}

fn read_instance(folder: &mut Folder, endpoints: &Endpoints, file: String, path: &Path) {
    let mut document = match input::read(path) {
        Ok(document @ Value::Object(_)) => document,
        Ok(_) => {
            let remedy = "write it as in `{\"element\": {\"key\": …}, \"configuration\": {…}}`";
            return folder.fault(&file, fault("", "an instance is an object", remedy));
        }
        Err(failure) => return folder.fault(&file, unreadable(&failure)),
    };
    if let Err(said) = take_endpoint(&mut document, endpoints) {
        folder.fault(&file, said);
    }
    // Without a name it is called as its file is: two instances of one connector need two names.
    let given = document["name"].as_str().filter(|name| !name.trim().is_empty());
    let name = given.map_or_else(|| stem(path), str::to_owned);
    document["name"] = Value::from(name.clone());
    let name = markup::strip(&name);
    let element_key = document["element"]["key"].as_str().unwrap_or_default().trim().to_owned();
    let same = folder.instances.iter().find(|other| other.name == name && other.element_key == element_key);
    if let Some(same) = same {
        let problem = format!("`{}` is an instance `{name}` of `{element_key}` too", same.file);
        let said = fault("name", problem, "an instance is known by its connector and its name; rename one");
        folder.fault(&file, said);
    }
    let looked_up = look_up_all(&document);
    folder.instances.push(InstanceFile { file, element_key, name, looked_up });
}

/// Puts the callback that an instance names into its configuration. What the instance says itself stays; headers are
/// laid together.
fn take_endpoint(document: &mut Value, endpoints: &Endpoints) -> Result<(), Fault> {
    let Some(named) = document.as_object_mut().and_then(|members| members.shift_remove(ENDPOINT)) else {
        return Ok(());
    };
    let shared = named.as_str().and_then(|name| endpoints.get(name)).ok_or_else(|| {
        let names: Vec<String> = endpoints.keys().map(|name| format!("`{name}`")).collect();
        let remedy = match names.is_empty() {
            true => format!("make `{ENDPOINTS}/<name>.yaml`"),
            false => format!("there are {}", names.join(", ")),
        };
        fault(ENDPOINT, format!("there is no endpoint {named}"), remedy)
    })?;
    let configuration = &mut document["configuration"];
    if configuration.is_null() {
        *configuration = json!({});
    }
    // What is no object is told by the check.
    let Some(configuration) = configuration.as_object_mut() else { return Ok(()) };
    for (key, value) in shared {
        match (configuration.get_mut(key), value) {
            (None, value) => {
                configuration.insert(key.clone(), value.clone());
            }
            (Some(Value::Object(own)), Value::Object(shared)) => {
                for (name, value) in shared {
                    let is_own = own.keys().any(|known| known.eq_ignore_ascii_case(name));
                    if !is_own {
                        own.insert(name.clone(), value.clone());
                    }
                }
            }
            (Some(_), _) => {}
        }
    }
    Ok(())
}

fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of these files.
    fn folder(files: &[(&str, &str)]) -> Folder {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        read(root.path()).unwrap()
    }

    fn faults(folder: &Folder) -> Vec<String> {
        let of_file =
            |one: &FileFaults| one.faults.iter().map(|said| format!("{}: {said}", one.file)).collect();
        folder.faults.iter().map(of_file).flat_map(|all: Vec<String>| all).collect()
    }

    #[test]
    fn an_endpoint_is_laid_under_the_instance() {
        let found = folder(&[
            ("endpoints/app.yaml", "url: https://a.test/\nheaders: {X-A: 1, X-B: 2}\nsignatureKey: k\n"),
            (
                "instances/deep/north.yaml",
                "element: {key: crm}\nendpoint: app\nconfiguration:\n  \
                 event.notification.callback.headers: {x-b: own}\n  event.notification.signature.key: mine\n",
            ),
            ("instances/.hidden.yaml", "]"),
            ("instances/notes.txt", "x"),
            ("README.md", "x"),
        ]);
        assert_eq!(faults(&found), [] as [String; 0]);
        assert_eq!(found.ignored, ["instances/notes.txt"]);
        let north = &found.instances[0];
        assert_eq!((north.name.as_str(), north.element_key.as_str()), ("north", "crm"), "its file's name");
        let expect = json!({
            "event.notification.callback.headers": {"x-b": "own", "X-A": "1"},
            "event.notification.signature.key": "mine",
            "event.notification.callback.url": "https://a.test/"
        });
        assert_eq!(north.looked_up.document["configuration"], expect);
        assert_eq!(north.looked_up.document.get("endpoint"), None);
    }

    #[test]
    fn every_file_is_read_and_every_fault_kept() {
        let found = folder(&[
            ("connectors/a.json", "{\"name\": \"A\"}"),
            ("connectors/b.json", "{"),
            ("endpoints/app.yaml", "url: https://a.test/\nsecret: x\n"),
            ("endpoints/app.json", "[]"),
            ("endpoints/none.yaml", "{}"),
            ("instances/a.yaml", "element: {key: crm}\nname: <b>One</b>\nendpoint: ap\n"),
            ("instances/b.yaml", "element: {key: crm}\nname: One\n"),
            ("instances/c.yaml", "a: ["),
            ("instances/d.yaml", "- 1"),
        ]);
        let said = faults(&found);
        for words in [
            "connectors/a.json: authentication",
            "connectors/b.json: the connector's document cannot be read",
            "endpoints/app.yaml: secret: `secret` is not a setting",
            "endpoints/app.json: an endpoint is an object",
            "endpoints/none.yaml: url: the endpoint has no address",
            "instances/a.yaml: endpoint: there is no endpoint \"ap\"; there are `app`",
            "instances/b.yaml: name: `instances/a.yaml` is an instance `One` of `crm` too",
            "instances/c.yaml: ",
            "instances/d.yaml: an instance is an object",
        ] {
            assert!(said.iter().any(|said| said.starts_with(words)), "`{words}` is not in {said:#?}");
        }
        let empty = tempfile::tempdir().unwrap();
        assert!(read(empty.path()).is_err());
    }
}
