//! Who may do what: every operation of the served OpenAPI document against every kind of caller.
//!
//! The least role of each operation stands in `authorisation.txt`, for people to read. Callers who may are sent to
//! things that are not there, so that nothing is used up; "may" means neither 401 nor 403, and never a failure of the
//! server. Somebody of another organisation is sent to real things, and must be told that they are not there.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Instant;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use turnstone_provider::{OpKind, RunningProvider};

use crate::bench::{Answer, Server, raw, wait_for};
use crate::serve::{change, document, provider};

const TABLE: &str = include_str!("authorisation.txt");
const DEALS: &str = include_str!("../../../core/tests/elements/activecampaign2.json");
const BASE: &str = "/elements/api-v2";
const ROLES: [&str; 4] = ["reader", "member", "admin", "owner"];
/// The connector of the world.
const KEY: &str = "matrixconnector";

/// A line of the table.
#[derive(Debug)]
struct Least {
    role: &'static str,
    first_only: bool,
}

fn table() -> BTreeMap<&'static str, Least> {
    let mut rows = BTreeMap::new();
    for line in TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (id, least) = match words.as_slice() {
            [id, role] => (*id, Least { role, first_only: false }),
            [id, role, "first"] => (*id, Least { role, first_only: true }),
            _ => panic!("`{line}` is not `operation role [first]`"),
        };
        assert!(least.role == "public" || ROLES.contains(&least.role), "`{line}` names no role");
        assert!(rows.insert(id, least).is_none(), "`{id}` stands twice");
    }
    rows
}

/// An operation of the document.
struct Operation {
    id: String,
    method: String,
    path: String,
    right: String,
    /// The content type of its body, if it has one.
    body: Option<String>,
}

fn operations(document: &Value) -> Vec<Operation> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let content = operation["requestBody"]["content"].as_object();
            found.push(Operation {
                id: operation["operationId"].as_str().unwrap().to_owned(),
                method: method.to_uppercase(),
                path: path.clone(),
                right: operation["x-right"].as_str().unwrap().to_owned(),
                body: content.and_then(|content| content.keys().next().cloned()),
            });
        }
    }
    found
}

/// Something that a parameter of a path names.
#[derive(Clone)]
struct Thing {
    /// One of the first organisation's; `None` where the word belongs to nobody.
    real: Option<String>,
    /// One of nobody's.
    made_up: &'static str,
}

/// A server with things of its first organisation, and with people of two.
struct World {
    server: Server,
    owner: String,
    stranger: String,
    /// By the segment before the parameter, and its name.
    things: BTreeMap<(&'static str, &'static str), Thing>,
    /// The instance of the stored connector.
    made: String,
    people: u32,
    _data: TempDir,
    _provider: RunningProvider,
    _runtime: Runtime,
}

impl World {
    fn new() -> World {
        let (runtime, data) = (Runtime::new().unwrap(), tempfile::tempdir().unwrap());
        let provider = provider(&runtime);
        let server = Server::start(data.path(), &["--allow-private", "--interval-minimum", "0.05"]);
        let owner = server.token.clone().unwrap();
        let ask = |method: &str, path: &str, body: Value| {
            server.ask(&owner, method, path, Some(&body).filter(|body| !body.is_null())).expect(200)
        };
        let stranger = ask("POST", "/organizations", json!({"name": "strangers"}));
        let stranger = format!("User {}", stranger["owner"]["secret"].as_str().unwrap());
        let mut connector: Value = serde_json::from_str(DEALS).unwrap();
        connector["key"] = json!(KEY);
        let hook = json!({"type": "preRequest", "mimeType": "application/javascript", "body": "done({});"});
        connector["hooks"] = json!([hook]);
        connector["resources"][0]["hooks"] = json!([hook]);
        connector["resources"][0]["model"] = json!({"fields": [{"path": "id", "type": "string"}]});
        ask("POST", "/elements", connector);
        // Nobody listens there: what is sent waits to be sent again.
        let nowhere = "http://127.0.0.1:9/events";
        let mut polled = document(&provider.url(), nowhere);
        polled["configuration"]["event.vendor.type"] = json!("both");
        let polled = ask("POST", "/instances", polled)["id"].to_string();
        let poller = format!("/instances/{polled}/pollers/customers");
        wait_for("run", || {
            let run = ask("GET", &poller, Value::Null)["lastRuns"].get(0)?.clone();
            (run["outcome"] == "completed").then_some(())
        });
        let monitor = ask("POST", "/monitors", json!({"name": "watch"}))["id"].clone();
        ask("POST", &format!("/monitors/{monitor}/deploy"), Value::Null);
        let subscriptions = format!("/instances/{polled}/subscriptions");
        let subscription = ask("POST", &subscriptions, json!({"monitorId": monitor}))["id"].to_string();
        let started = server.ask(&owner, "POST", &format!("/subscriptions/{subscription}/run"), None);
        started.expect(202);
        let runs = format!("/subscriptions/{subscription}/runs");
        // Its run has a trace, which one of a poller has not.
        let run = wait_for("run of a subscription", || {
            let run = ask("GET", &runs, Value::Null).get(0)?.clone();
            (run["outcome"] == "completed").then(|| run["id"].as_str().unwrap().to_owned())
        });
        change(&provider, OpKind::Update);
        let event = wait_for("event", || {
            Some(ask("GET", "/events", Value::Null).get(0)?["id"].as_str().unwrap().to_owned())
        });
        let deliveries = format!("/instances/{polled}/deliveries");
        let delivery =
            wait_for("delivery", || Some(ask("GET", &deliveries, Value::Null).get(0)?["id"].to_string()));
        let endpoint = ask("GET", "/endpoints", Value::Null)[0]["id"].to_string();
        let poller_id = ask("GET", &poller, Value::Null)["id"].to_string();
        // It has no hook, so what comes in is put aside.
        let webhook = format!("/instances/{polled}/webhook");
        let address = ask("GET", &webhook, Value::Null)["url"].as_str().unwrap().to_owned();
        let address = address.split_once("/api-v2").unwrap().1.to_owned();
        ask("POST", &address, json!({"a": 1}));
        let inbound = wait_for("notification", || {
            let all = ask("GET", &format!("{webhook}/requests?state=quarantined"), Value::Null);
            Some(all.get(0)?["id"].to_string())
        });
        let entries = ask("GET", &format!("/instances/{polled}/configuration"), Value::Null);
        let user = ask("POST", "/users", json!({"name": "somebody", "role": "member"}))["id"].to_string();
        let token = ask("POST", "/organizations/tokens", Value::Null)["id"].to_string();
        let format = json!({"format": "yyyy.MM.dd 'at' HH"});
        let format = ask("POST", "/date-formats", format)["id"].to_string();
        let first =
            |list: &str| ask("GET", &format!("/elements/{KEY}/{list}"), Value::Null)[0]["id"].to_string();
        let resource = first("resources");
        let of_resource = |list: &str| first(&format!("resources/{resource}/{list}"));
        let owned = |real: String, made_up| Thing { real: Some(real), made_up };
        let word = |made_up| Thing { real: None, made_up };
        let things = BTreeMap::from([
            (("elements", "keyOrId"), owned(KEY.to_owned(), "nosuchconnector")),
            (("instances", "id"), owned(polled, "999999999")),
            (("configuration", "entry"), owned(entries[0]["id"].to_string(), "999999999")),
            (("pollers", "resource"), owned("customers".to_owned(), "nosuchresource")),
            (("events", "event"), owned(event, "evt_00000000000000000000000000")),
            (("runs", "id"), owned(run, "run_00000000000000000000000000")),
            (("monitors", "id"), owned(monitor.to_string(), "999999999")),
            (("versions", "version"), owned("1".to_owned(), "999999999")),
            (("subscriptions", "id"), owned(subscription, "999999999")),
            (("deliveries", "id"), owned(delivery, "999999999")),
            (("endpoints", "id"), owned(endpoint, "999999999")),
            (("records", "poller"), owned(poller_id, "999999999")),
            (("{poller}", "id"), word("nosuchrecord")),
            (("users", "id"), owned(user, "999999999")),
            (("tokens", "id"), owned(token, "999999999")),
            (("date-formats", "id"), owned(format, "999999999")),
            (("configuration", "configKey"), owned("base.url".to_owned(), "no.such.key")),
            (("resources", "partId"), owned(resource.clone(), "999999999")),
            (("resource hooks", "partId"), owned(of_resource("hooks"), "999999999")),
            (("resource parameters", "partId"), owned(of_resource("parameters"), "999999999")),
            (("resources", "resourceId"), owned(resource, "999999999")),
            (("hooks", "partId"), owned(first("hooks"), "999999999")),
            (("parameters", "partId"), owned(first("parameters"), "999999999")),
            (("hubs", "hub"), word("crm")),
            (("{hub}", "path"), word("nosuchresource")),
            (("objects", "name"), word("nosuchobject")),
            (("requests", "requestId"), owned(inbound, "999999999")),
            (("samples", "name"), word("nosuchsample")),
            (("events", "elementKey"), word("nosuchconnector")),
            (("{elementKey}", "encodedId"), word("nosuchaddress")),
        ]);
        let (_data, _provider, _runtime) = (data, provider, runtime);
        let made = String::new();
        let mut world =
            World { server, owner, stranger, things, made, people: 0, _data, _provider, _runtime };
        world.made = world.instance().0;
        world
    }

    fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// Adds a user with this role; their secret.
    fn person(&mut self, role: &str) -> String {
        let owner = self.owner.clone();
        self.person_of(&owner, role)
    }

    /// The same, in the organisation of this owner.
    fn person_of(&mut self, owner: &str, role: &str) -> String {
        self.people += 1;
        let body = json!({"name": format!("person {}", self.people), "role": role});
        let made = self.server.ask(owner, "POST", "/users", Some(&body)).expect(200);
        made["secret"].as_str().unwrap().to_owned()
    }

    /// Makes an instance of the stored connector; its id and its token.
    fn instance(&self) -> (String, String) {
        let body = json!({"element": {"key": KEY}, "name": "made", "configuration": {
            "base.url": "http://127.0.0.1:9", "oauth.api.key": "a", "oauth.api.secret": "b", "api.key": "c",
            "oauth.callback.url": "http://127.0.0.1:9/callback"}});
        let made = self.server.ask(&self.owner, "POST", "/instances", Some(&body)).expect(200);
        (made["id"].to_string(), made["token"].as_str().unwrap().to_owned())
    }

    /// Signs a user in; the header lines of their cookie and their change token.
    fn session(&self, secret: &str) -> (String, String) {
        let body = json!({"user": secret}).to_string();
        let kind = Some("application/json");
        let path = format!("{BASE}/session");
        let answer = crate::bench::request(self.address(), "POST", &path, None, kind, body.as_bytes());
        let cookie = answer.header("Set-Cookie").unwrap().split(';').next().unwrap();
        let token = answer.json()["changeToken"].as_str().unwrap().to_owned();
        (format!("Cookie: {cookie}\r\n"), format!("X-Change-Token: {token}\r\n"))
    }

    /// The operation's path, and whether it names something that belongs to somebody.
    fn path(&self, operation: &Operation, real: bool) -> (String, bool) {
        let mut owned = false;
        let segments: Vec<&str> = operation.path.split('/').collect();
        let fill = |place: usize, segment: &str| -> String {
            let Some(name) = segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) else {
                return segment.to_owned();
            };
            let before = match segments[place - 1] {
                "hooks" if segments.contains(&"{resourceId}") => "resource hooks",
                "parameters" if segments.contains(&"{resourceId}") => "resource parameters",
                other => other,
            };
            let Some(thing) = self.things.get(&(before, name)) else {
                panic!("{}: tell the world of a real `{{{name}}}` behind `{before}`", operation.id)
            };
            owned |= thing.real.is_some();
            let of_connector = before == "instances" && segments.contains(&"{keyOrId}");
            match &thing.real {
                Some(_) if real && of_connector => self.made.clone(),
                Some(id) if real => id.clone(),
                Some(_) | None => thing.made_up.to_owned(),
            }
        };
        let mut fill = fill;
        let filled: Vec<String> =
            segments.iter().enumerate().map(|(place, segment)| fill(place, segment)).collect();
        (filled.join("/"), owned)
    }

    /// Sends an operation with these header lines, to real things or to those that are not there.
    fn send(&self, operation: &Operation, lines: &str, real: bool) -> Answer {
        let (path, _) = self.path(operation, real);
        self.request(operation, &operation.method, &path, lines)
    }

    fn request(&self, operation: &Operation, method: &str, path: &str, lines: &str) -> Answer {
        let (kind, body) = match &operation.body {
            Some(kind) => (format!("Content-Type: {kind}\r\n"), body_of(operation)),
            None => (String::new(), String::new()),
        };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n{kind}{lines}\r\n",
            body.len()
        );
        raw(self.address(), (head + &body).as_bytes())
    }
}

/// A body that gets past its reading where `{}` does not.
fn body_of(operation: &Operation) -> String {
    let instance = || json!({"element": {"key": KEY}, "name": "x", "configuration": {"base.url": "https://api.example.com"}});
    let body = match operation.id.as_str() {
        "createOrganization" => json!({"name": "others"}),
        "replaceInstance" | "replaceInstanceOfElement" | "createInstanceOfElement" => instance(),
        "replaceInstanceTags" => json!([]),
        "rewindCursor" => json!({"to": 1}),
        "setPollerCursor" | "setPollerCursorOfToken" | "rewindPoller" | "rewindPollerOfToken" => {
            json!({"date": "2020-01-01T00:00:00Z"})
        }
        "redeliverWhere" => json!({"where": "status='dead'"}),
        "changeInstanceConfiguration" => json!({"propertyValue": "x"}),
        "replaceElement" => serde_json::from_str(DEALS).unwrap(),
        _ => json!({}),
    };
    body.to_string()
}

fn authorization(secret: &str) -> String {
    format!("Authorization: {secret}\r\n")
}

#[track_caller]
fn is_refused(operation: &Operation, who: &str, answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{} by {who}: {}", operation.id, answer.body);
}

#[track_caller]
fn is_let_in(operation: &Operation, who: &str, answer: &Answer) {
    let let_in = !matches!(answer.status, 401 | 403) && answer.status < 500;
    assert!(let_in, "{} by {who}: {} {}", operation.id, answer.status, answer.body);
}

#[test]
fn every_operation_is_done_by_those_who_may_and_by_nobody_else() {
    let begun = Instant::now();
    let mut world = World::new();
    let document =
        crate::bench::request(world.address(), "GET", "/openapi.json", None, None, b"").expect(200);
    let (operations, table) = (operations(&document), table());
    let missing: Vec<String> = operations
        .iter()
        .filter(|operation| !table.contains_key(operation.id.as_str()))
        .map(|operation| format!("{:36} {}", operation.id, operation.right))
        .collect();
    assert!(missing.is_empty(), "authorisation.txt lacks, if this is right:\n{}", missing.join("\n"));
    for id in table.keys() {
        assert!(operations.iter().any(|operation| operation.id == *id), "{id} is no operation any more");
    }
    let mut requests = 0;
    for operation in &operations {
        let least = &table[operation.id.as_str()];
        assert_eq!(operation.right, least.role, "{}: table and document differ", operation.id);
        requests += without_rights(&mut world, operation, least);
        requests += with_rights(&mut world, operation, least);
    }
    println!("{} operations, {requests} requests, {:.1} s", operations.len(), begun.elapsed().as_secs_f64());
}

/// Those whose secrets are none, or somebody else's.
fn without_rights(world: &mut World, operation: &Operation, least: &Least) -> usize {
    let revoked = world.person("owner");
    let old = authorization(&format!("User {revoked}"));
    let renewal = raw(
        world.address(),
        format!(
            "POST {BASE}/users/me/token HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n{old}\r\n"
        )
        .as_bytes(),
    );
    renewal.expect(200);
    let (_, element) = world.instance();
    let strangers = [
        ("nobody", String::new()),
        ("a malformed header", authorization("Bearer abc")),
        ("a header without its secret", authorization("User")),
        ("a secret that nobody has", authorization("User 0123456789abcdef")),
        ("a secret that was revoked", old),
        ("an Element token alone", authorization(&format!("Element {element}"))),
        (
            "a stranger with an Element token",
            authorization(&format!("{}, Element {element}", world.stranger)),
        ),
        ("a cookie of nobody", "Cookie: turnstone_session=abc\r\n".to_owned()),
    ];
    for (who, lines) in &strangers {
        let answer = world.send(operation, lines, true);
        match least.role {
            // What signs in may refuse what it was given.
            "public" => assert!(answer.status < 500, "{} by {who}: {answer:?}", operation.id),
            _ => is_refused(operation, who, &answer, 401),
        }
    }
    if operation.method == "GET" && least.role != "public" {
        let (path, _) = world.path(operation, true);
        let head = world.request(operation, "HEAD", &path, "");
        assert_eq!((head.status, head.body.as_str()), (401, ""), "HEAD of {}", operation.id);
    }
    another_organisation(world, operation, least);
    strangers.len() + 3
}

/// An owner of another organisation, who knows the ids of this one's things.
fn another_organisation(world: &mut World, operation: &Operation, least: &Least) {
    let stranger = world.stranger.clone();
    let lines = authorization(&format!("User {}", world.person_of(&stranger, "owner")));
    let (_, owned) = world.path(operation, true);
    let answer = world.send(operation, &lines, true);
    if least.first_only {
        return is_refused(operation, "another organisation", &answer, 403);
    }
    if owned && !needs_own_instance(&answer) {
        is_refused(operation, "another organisation", &answer, 404);
        let unknown = world.send(operation, &lines, false);
        let told = |answer: &Answer| {
            (answer.status, answer.json()["code"].clone(), answer.json()["message"].clone())
        };
        assert_eq!(told(&answer), told(&unknown), "{}: a stranger learns that it is there", operation.id);
        if operation.method == "GET" {
            let own = world.send(operation, &authorization(&world.owner), true);
            // What brings its own settings has no connector to describe.
            let is_there = own.status != 404 || own.json()["code"] == "noConnector";
            assert!(is_there, "{}: the world's things are not real: {}", operation.id, own.body);
        }
    } else {
        assert!(answer.status < 500 && answer.status != 401, "{}: {answer:?}", operation.id);
    }
}

/// Whether a path acts on the instance of an Element token, which was not sent.
fn needs_own_instance(answer: &Answer) -> bool {
    answer.status == 400 && answer.json()["code"] == "noElementToken"
}

/// Those who are somebody here.
fn with_rights(world: &mut World, operation: &Operation, least: &Least) -> usize {
    for role in ROLES {
        let secret = world.person(role);
        let answer = world.send(operation, &authorization(&format!("User {secret}")), false);
        let rank = |role| ROLES.iter().position(|known| *known == role);
        match least.role != "public" && rank(role) < rank(least.role) {
            true => is_refused(operation, role, &answer, 403),
            false if least.role == "public" => assert!(answer.status < 500, "{answer:?}"),
            false => is_let_in(operation, role, &answer),
        }
    }
    if least.role == "public" {
        return ROLES.len();
    }
    let secret = world.person("owner");
    let (_, element) = world.instance();
    let both = authorization(&format!("User {secret}, Element {element}"));
    is_let_in(operation, "an owner with an Element token", &world.send(operation, &both, false));
    let browser = world.person("owner");
    let (cookie, token) = world.session(&browser);
    let without = world.send(operation, &cookie, false);
    if operation.method == "GET" {
        is_let_in(operation, "a browser", &without);
    } else {
        is_refused(operation, "a browser without its change token", &without, 403);
        assert_eq!(without.json()["code"], "noChangeToken", "{}", operation.id);
    }
    let (other, _) = world.session(&browser);
    if operation.method != "GET" {
        let mixed = world.send(operation, &format!("{other}{token}"), false);
        is_refused(operation, "a browser with another's change token", &mixed, 403);
    }
    let with = world.send(operation, &format!("{cookie}{token}"), false);
    is_let_in(operation, "a browser with its change token", &with);
    ROLES.len() + 4
}
