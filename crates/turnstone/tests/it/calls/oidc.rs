//! An authorisation server that we did not write: npm's oidc-provider, with PKCE required and refresh tokens rotated.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use turnstone_engine::connections::AskedFor;
use turnstone_store::sqlite::SqliteStore;
use turnstone_store::{InstanceRow, Store as _};

use super::renewal::oauth_element;
use super::vendor::zulu;
use super::world::{Element, World};
use crate::harness::{PATIENCE, root};

pub const CALLBACK: &str = "http://127.0.0.1/callback";

/// The server; it ends with the test.
pub struct Server {
    child: Child,
    pub issuer: String,
    http: reqwest::Client,
}

impl Server {
    pub async fn start() -> Server {
        turnstone_engine::egress::install_crypto();
        let folder = root().join("tests/oidc-provider");
        assert!(
            folder.join("node_modules/oidc-provider/package.json").exists(),
            "oidc-provider is not installed: run `bash scripts/setup-test.sh` (or `make test`, which does), then again"
        );
        let mut child = Command::new("node")
            .arg("server.mjs")
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).expect("oidc-provider did not start");
        // A kept connection would belong to a runtime that a test lets die, and wait for it for ever.
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
        let http = http.pool_max_idle_per_host(0).timeout(PATIENCE);
        let issuer = said["issuer"].as_str().unwrap().to_owned();
        Server { child, issuer, http: http.build().unwrap() }
    }

    pub async fn control(&self, path: &str, body: Value) -> Value {
        let url = format!("{}/control/{path}", self.issuer);
        let text = self.http.post(url).body(body.to_string()).send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    }

    pub async fn count(&self, name: &str) -> u64 {
        self.control("counts", json!({})).await[name].as_u64().unwrap()
    }

    /// Makes things that changed so many seconds ago.
    pub async fn things(&self, ids: std::ops::Range<u64>, seconds_ago: i64) {
        let at = World::now() - jiff::SignedDuration::from_secs(seconds_ago);
        let thing = |id: u64| json!({"id": id.to_string(), "changed": zulu(at), "made": zulu(at)});
        self.control("things", ids.map(thing).collect()).await;
    }

    /// What a person's browser does: follows the redirects with its cookies until they lead to the callback.
    pub async fn allow(&self, url: &str) -> Map<String, Value> {
        let (mut url, mut cookies) = (url.to_owned(), BTreeMap::new());
        for _ in 0..10 {
            if url.starts_with(CALLBACK) {
                let pairs = reqwest::Url::parse(&url).unwrap();
                return pairs.query_pairs().map(|(name, value)| (name.into_owned(), json!(value))).collect();
            }
            let cookie: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let response = self.http.get(&url).header("cookie", cookie.join("; ")).send().await.unwrap();
            for set in response.headers().get_all("set-cookie") {
                let pair = set.to_str().unwrap().split(';').next().unwrap();
                let (name, value) = pair.split_once('=').unwrap();
                cookies.insert(name.to_owned(), value.to_owned());
            }
            let place = response.headers().get("location").map(|place| place.to_str().unwrap().to_owned());
            let place = place.unwrap_or_else(|| panic!("{url} does not redirect: {}", response.status()));
            url = reqwest::Url::parse(&url).unwrap().join(&place).unwrap().to_string();
        }
        panic!("the authorisation does not end: {url}");
    }

    pub fn configuration(&self, client: &str) -> Map<String, Value> {
        let Value::Object(configuration) = json!({
            "base.url": self.issuer,
            "oauth.authorization.url": format!("{}/auth", self.issuer),
            "oauth.token.url": format!("{}/token", self.issuer),
            "oauth.callback.url": CALLBACK, "oauth.scope": "openid offline_access api",
            "oauth.api.key": client, "oauth.api.secret": format!("secret-of-{client}"),
            "oauth.basic.header": (client == "basic").to_string(),
            "event.notification.enabled": true, "event.poller.refresh_interval": "15"
        }) else {
            unreachable!("it is an object")
        };
        configuration
    }

    /// Where a person allows the access, and what comes back from there.
    async fn grant(&self, world: &World, element: &Element, client: &str) -> Map<String, Value> {
        let text =
            |(key, value): (String, Value)| (key, value.as_str().map_or(value.to_string(), str::to_owned));
        let configuration = self.configuration(client).into_iter().map(text).collect();
        let asked = AskedFor { configuration, ..AskedFor::default() };
        let connections = world.calls.connections();
        let url = connections.authorization_url(world.org, &element.connector, asked).await.unwrap();
        assert!(url.contains("code_challenge_method=S256"), "{url}");
        self.allow(&url).await
    }

    /// Connects an account; `more` are members of its configuration.
    async fn connect(&self, world: &World, element: &Element, more: Value) -> InstanceRow {
        let data = self.grant(world, element, "turnstone").await;
        let mut configuration = self.configuration("turnstone");
        configuration.extend(more.as_object().unwrap().clone());
        let body = json!({"element": {"key": element.connector.key}, "providerData": data,
            "configuration": configuration});
        world.instance(element, body).await.unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_allows_the_access_and_records_become_events() {
    let server = Server::start().await;
    let world = World::new().await;
    let element = world.element(&oauth_element("oidc", json!({}))).await;
    server.things(0..70, 5_000).await;
    let data = server.grant(&world, &element, "turnstone").await;
    let body = |data: &Map<String, Value>, client: &str| json!({"element": {"key": "oidc"}, "providerData": data, "configuration": server.configuration(client)});
    let row = world.instance(&element, body(&data, "turnstone")).await.unwrap();
    let code = data["code"].as_str().unwrap();
    assert!(!row.document.contains(code) && !row.document.contains("providerData"), "it is kept nowhere");
    let mut position = 0;
    assert_eq!(world.events(&row, "things", &mut position).await.len(), 70);
    server.things(70..73, 100).await;
    assert_eq!(world.events(&row, "things", &mut position).await.len(), 3);
    assert_eq!(world.events(&row, "things", &mut position).await.len(), 0);
    // Its state was taken.
    let again = world.instance(&element, body(&data, "turnstone")).await.unwrap_err();
    assert!(again.status == 400 && again.message.contains("was used already"), "{again:?}");
    // A client that hands on the code alone, and one that signs in with a header.
    for client in ["turnstone", "basic"] {
        let mut alone = server.grant(&world, &element, client).await;
        alone.remove("state");
        let row = world.instance(&element, body(&alone, client)).await.unwrap();
        assert_eq!(world.call(&row, "/things?pageSize=1").await.status, 200);
    }
    // A code without its verifier is refused by the server, in its words.
    let mut stolen = server.grant(&world, &element, "turnstone").await;
    server.grant(&world, &element, "turnstone").await;
    stolen.remove("state");
    let refused = world.instance(&element, body(&stolen, "turnstone")).await.unwrap_err();
    assert_eq!(refused.status, 401, "two wait, so none is taken: {refused:?}");
    assert!(refused.message.contains("invalid_grant"), "{refused:?}");
    assert_eq!(server.count("exchanges").await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_polls_at_once_make_one_refresh() {
    let server = Server::start().await;
    let world = Arc::new(World::new().await);
    let element = world.element(&oauth_element("fifty", json!({}))).await;
    server.things(0..5, 5_000).await;
    let default = element.connector.defaults().resources["things"].clone();
    let polled: Map<String, Value> =
        (0..50).map(|number| (format!("things{number}"), default.clone())).collect();
    let row = server.connect(&world, &element, json!({"event.poller.configuration": polled})).await;
    for round in 1..=2 {
        server.control("expire", json!({})).await;
        let polls: Vec<_> = (0..50)
            .map(|number| {
                let (world, row) = (Arc::clone(&world), row.clone());
                tokio::spawn(async move { world.poll(&row, &format!("things{number}")).await.unwrap() })
            })
            .collect();
        for poll in polls {
            let finish = poll.await.unwrap();
            assert_eq!(finish.run.error, None);
            assert_eq!(finish.run.counts.events(), if round == 1 { 5 } else { 0 });
        }
        assert_eq!(server.count("refreshes").await, round, "one refresh for fifty polls");
    }
    assert_eq!(server.count("refused").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_grant_says_so_keeps_its_place_and_goes_on_when_connected_anew() {
    let server = Server::start().await;
    let world = World::new().await;
    let element = world.element(&oauth_element("revoked", json!({}))).await;
    server.things(0..30, 5_000).await;
    let row = server.connect(&world, &element, json!({})).await;
    let mut position = 0;
    assert_eq!(world.events(&row, "things", &mut position).await.len(), 30);
    let place = world.poller_of(&row, "things").await;
    server.control("revoke", json!({})).await;
    let other = server.connect(&world, &element, json!({})).await;
    server.things(30..35, 200).await;
    let fault = world.poll(&row, "things").await.unwrap().run.error.unwrap();
    assert_eq!(fault.code, "reconnectNeeded");
    assert!(
        fault.message.starts_with("reconnect needed: ") && fault.message.contains("invalid_grant"),
        "{fault:?}"
    );
    let rests = world.poller_of(&row, "things").await;
    assert_eq!((rests.watermark, rests.paused.as_deref()), (place.watermark, Some(fault.message.as_str())));
    let asked = server.count("asked").await;
    assert!(world.poll(&row, "things").await.is_none(), "it rests");
    assert_eq!(server.count("asked").await, asked);
    let mut others = position;
    assert_eq!(world.events(&other, "things", &mut others).await.len(), 35, "others go on");
    // A person connects it again: nothing that happened meanwhile is missed.
    let document = json!({"providerData": server.grant(&world, &element, "turnstone").await,
        "configuration": server.configuration("turnstone")});
    let connections = world.calls.connections();
    let signed_in = connections.sign_in(world.org, &element.connector, &document).await.unwrap();
    connections.adopt(&row, &signed_in).await.unwrap();
    assert_eq!(world.reconnect(&row).await, None);
    assert_eq!(world.events(&row, "things", &mut position).await.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_signs_in_without_anybody() {
    let server = Server::start().await;
    let world = World::new().await;
    let element = json!({"authentication": {"type": "oauth2ClientCredentials"}});
    let element = world.element(&oauth_element("machine", element)).await;
    server.things(0..3, 5_000).await;
    let mut configuration = server.configuration("machine");
    configuration.insert("oauth.scope".into(), json!("api"));
    let body = json!({"element": {"key": "machine"}, "configuration": configuration});
    let row = world.instance(&element, body).await.unwrap();
    let mut position = 0;
    assert_eq!(world.events(&row, "things", &mut position).await.len(), 3);
    server.control("expire", json!({})).await;
    server.things(3..4, 100).await;
    assert_eq!(world.events(&row, "things", &mut position).await.len(), 1);
    assert_eq!(server.count("machines").await, 2);
}

/// Opens a store that another process let go of a moment ago.
async fn reopened(path: &Path, lease: Duration) -> World {
    let patience = std::time::Instant::now() + PATIENCE;
    loop {
        match SqliteStore::open(path) {
            Ok(store) => drop(store),
            Err(error) if std::time::Instant::now() > patience => panic!("{error}"),
            Err(_) => {
                tokio::time::sleep(Duration::from_millis(10)).await; // It tells nobody when it is gone.
                continue;
            }
        }
        return World::in_file(path, lease).await;
    }
}

/// What is left after a process died in the middle of a refresh, and its store was opened by another one.
struct Left {
    server: Server,
    world: World,
    row: InstanceRow,
    position: i64,
    _folder: tempfile::TempDir,
}

/// Lets a process die while the server does this to its refresh.
async fn crash(mode: Value, grace: bool) -> Left {
    let server = Server::start().await;
    server.control("mode", json!({"grace": grace})).await;
    server.things(0..30, 5_000).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("turnstone.db");
    let lease = Duration::from_millis(1_500);
    // The process that dies has a runtime of its own, and all of its tasks die with it.
    let dies = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (server, row, position) = {
        let path = path.clone();
        let lives = dies.spawn(async move {
            let world = World::in_file(&path, lease).await;
            let element = world.element(&oauth_element("crash", json!({}))).await;
            let row = server.connect(&world, &element, json!({})).await;
            let mut position = 0;
            assert_eq!(world.events(&row, "things", &mut position).await.len(), 30);
            server.control("expire", json!({})).await;
            server.control("mode", mode.clone()).await;
            let before = server.control("counts", json!({})).await;
            let (asks, asked) = (world, row.clone());
            tokio::spawn(async move { asks.call(&asked, "/things").await });
            let seen = async {
                loop {
                    let now = server.control("counts", json!({})).await;
                    if now["held"] != before["held"] || now["refreshes"] != before["refreshes"] {
                        return;
                    }
                    tokio::task::yield_now().await;
                }
            };
            seen.await;
            (server, row, position)
        });
        lives.await.unwrap()
    };
    dies.shutdown_background();
    server.control("mode", json!({"hold": false, "drop": false})).await;
    server.things(30..34, 200).await;
    let world = reopened(&path, lease).await;
    Left { server, world, row, position, _folder: folder }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_before_the_refresh_was_handled_loses_no_grant() {
    let mut left = crash(json!({"hold": true}), false).await;
    let Left { server, world, row, position, .. } = &mut left;
    assert_eq!(world.events(row, "things", position).await.len(), 4);
    assert_eq!(world.reconnect(row).await, None);
    assert_eq!((server.count("refreshes").await, server.count("refused").await), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_after_it_was_handled_loses_no_grant_where_the_old_token_has_some_grace() {
    let mut left = crash(json!({"drop": true}), true).await;
    let Left { server, world, row, position, .. } = &mut left;
    assert_eq!(world.events(row, "things", position).await.len(), 4);
    assert_eq!(world.reconnect(row).await, None);
    assert_eq!((server.count("refreshes").await, server.count("refused").await), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_after_it_was_handled_asks_for_a_person_where_used_tokens_end_the_grant() {
    let mut left = crash(json!({"drop": true}), false).await;
    let Left { world, row, position, .. } = &mut left;
    let place = world.poller_of(row, "things").await;
    let fault = world.poll(row, "things").await.unwrap().run.error.unwrap();
    assert_eq!(fault.code, "reconnectNeeded");
    let rests = world.poller_of(row, "things").await;
    assert_eq!((rests.watermark, rests.paused), (place.watermark, Some(fault.message)));
    assert_eq!(world.recorded(row, position).await.len(), 0, "nothing is recorded, and nothing is lost");
    assert_eq!(world.store.pollers(row.org, Some(row.id)).await.unwrap().len(), 1);
}
