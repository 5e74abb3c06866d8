//! Renewals against a token server that does what a test tells it: one however many ask, durable before use, and what
//! follows when it is slow, broken, or says no.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use turnstone_store::{Directory as _, InstanceRow};

use super::vendor::{Said, Seen, Vendor};
use super::world::{World, small_element};

/// An element that signs in with OAuth 2.
pub fn oauth_element(key: &str, more: Value) -> String {
    let entries = [
        ("oauth.api.key", "TEXTFIELD_1000", ""),
        ("oauth.api.secret", "PASSWORD", ""),
        ("oauth.callback.url", "TEXTFIELD_1000", ""),
        ("oauth.authorization.url", "TEXTFIELD_1000", ""),
        ("oauth.token.url", "TEXTFIELD_1000", ""),
        ("oauth.scope", "TEXTFIELD_1000", ""),
    ];
    let entries: Vec<Value> = entries
        .iter()
        .map(|(key, kind, default)| json!({"key": key, "name": key, "type": kind, "defaultValue": default}))
        .collect();
    let mut all = json!({"key": key, "authentication": {"type": "oauth2"}, "configuration": entries});
    for (name, value) in more.as_object().unwrap() {
        all[name] = value.clone();
    }
    small_element(all)
}

/// An instance whose tokens were obtained elsewhere.
async fn instance(world: &World, key: &str, vendor: &Vendor, token: &str) -> InstanceRow {
    let element = world.element(&oauth_element(key, json!({}))).await;
    let body = json!({"element": {"key": key}, "configuration": {
        "base.url": vendor.url(), "oauth.token.url": format!("{}/token", vendor.url()),
        "oauth.api.key": "client", "oauth.api.secret": "secret-1", "event.notification.enabled": true,
        "oauth.user.token": token, "oauth.user.refresh_token": "refresh-0"}});
    world.instance(&element, body).await.unwrap()
}

/// A server that takes only the token that it gave last, and gives another one for each refresh token, once.
#[derive(Clone, Default)]
struct Tokens {
    given: Arc<AtomicUsize>,
}

impl Tokens {
    fn answer(&self, seen: &Seen) -> Said {
        let present = self.given.load(Ordering::SeqCst);
        if seen.path == "/token" {
            assert!(seen.method == "POST" && seen.header("authorization").is_empty());
            let wanted = ("refresh_token".to_owned(), format!("refresh-{present}"));
            if !seen.form().contains(&wanted) {
                return (400, Vec::new(), json!({"error": "invalid_grant"}));
            }
            let next = self.given.fetch_add(1, Ordering::SeqCst) + 1;
            let (access, refresh) = (format!("access-{next}"), format!("refresh-{next}"));
            return (
                200,
                Vec::new(),
                json!({"access_token": access, "refresh_token": refresh, "expires_in": 3600}),
            );
        }
        match seen.header("authorization") == format!("Bearer access-{present}") {
            true => (200, Vec::new(), json!({"items": []})),
            false => (401, Vec::new(), json!({"error": "invalid_token"})),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_callers_make_one_renewal_and_all_go_on() {
    let tokens = Tokens::default();
    let server = tokens.clone();
    let vendor = Vendor::start(move |seen| server.answer(seen)).await;
    let world = Arc::new(World::new().await);
    let row = instance(&world, "fifty", &vendor, "expired").await;
    for round in 1..=3 {
        let callers: Vec<_> = (0..50)
            .map(|_| {
                let (world, row) = (Arc::clone(&world), row.clone());
                tokio::spawn(async move { world.call(&row, "/things").await.status })
            })
            .collect();
        for caller in callers {
            assert_eq!(caller.await.unwrap(), 200);
        }
        assert_eq!(vendor.asked("/token").len(), round, "one renewal for fifty callers");
        // The server forgets its tokens: the next round is refused anew.
        let sent = vendor.asked("/token").last().unwrap().body.clone();
        assert!(sent.contains(&format!("refresh_token=refresh-{}", round - 1)), "{sent}");
        let changes = vec![("oauth.user.token".to_owned(), Some(format!("forgotten-{round}")))];
        world.calls.connections().remember(&row, changes).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_server_that_is_down_takes_nothing_away() {
    let up = Arc::new(AtomicUsize::new(0));
    let (tokens, is_up) = (Tokens::default(), Arc::clone(&up));
    let vendor =
        Vendor::start(move |seen| match seen.path == "/token" && is_up.load(Ordering::SeqCst) == 0 {
            true => (503, Vec::new(), json!({"error": "temporarily_unavailable"})),
            false => tokens.answer(seen),
        })
        .await;
    let world = World::new().await;
    let row = instance(&world, "down", &vendor, "expired").await;
    let answer = world.call(&row, "/things").await;
    assert_eq!(answer.status, 503, "{answer:?}");
    let finish = world.poll(&row, "things").await.unwrap();
    let fault = finish.run.error.unwrap();
    assert!(fault.transient && fault.message.contains("could not be renewed this time"), "{fault:?}");
    assert_eq!(world.poller_of(&row, "things").await.paused, None);
    assert_eq!(world.reconnect(&row).await, None);
    up.store(1, Ordering::SeqCst);
    assert_eq!(world.call(&row, "/things").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_grant_rests_its_pollers_alone_until_it_is_connected_anew() {
    let vendor = Vendor::start(|seen| match (seen.path.as_str(), seen.header("authorization")) {
        ("/token", _) => {
            (400, Vec::new(), json!({"error": "invalid_grant", "error_description": "it is revoked"}))
        }
        (_, "Bearer good") => (200, Vec::new(), json!({"items": []})),
        _ => (401, Vec::new(), Value::Null),
    })
    .await;
    let world = World::new().await;
    let (revoked, other) =
        (instance(&world, "revoked", &vendor, "bad").await, instance(&world, "other", &vendor, "good").await);
    let before = world.poller_of(&revoked, "things").await;
    let finish = world.poll(&revoked, "things").await.unwrap();
    let fault = finish.run.error.unwrap();
    let sentence = "reconnect needed: the provider answered 400 (invalid_grant: it is revoked)";
    assert_eq!((fault.code.as_str(), fault.message.as_str()), ("reconnectNeeded", sentence));
    let poller = world.poller_of(&revoked, "things").await;
    assert_eq!(poller.paused.as_deref(), Some(sentence));
    assert_eq!(
        (poller.watermark, &poller.checkpoint),
        (before.watermark, &before.checkpoint),
        "it keeps its place"
    );
    assert_eq!(world.reconnect(&revoked).await.as_deref(), Some(sentence));
    // Nothing is sent for it any more; others go on.
    let asked = vendor.seen.lock().unwrap().len();
    assert_eq!(world.call(&revoked, "/things").await.status, 401);
    assert!(world.poll(&revoked, "things").await.is_none());
    assert_eq!(vendor.seen.lock().unwrap().len(), asked);
    assert_eq!(world.poll(&other, "things").await.unwrap().run.error, None);
    // Another value does not connect it.
    let other_value = vec![("count".to_owned(), Some("1".to_owned()))];
    world.calls.connections().remember(&revoked, other_value).await.unwrap();
    assert_eq!(world.reconnect(&revoked).await.as_deref(), Some(sentence));
    // A person connects it again.
    let document = json!({"configuration": {"oauth.user.token": "good"}});
    let element = world.connectors.of_instance(&revoked).await.unwrap().unwrap();
    let signed_in = world.calls.connections().sign_in(world.org, &element, &document).await.unwrap();
    world.calls.connections().adopt(&revoked, &signed_in).await.unwrap();
    assert_eq!(world.reconnect(&revoked).await, None);
    assert_eq!(world.poll(&revoked, "things").await.unwrap().run.error, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_make_one_renewal() {
    let tokens = Tokens::default();
    let server = tokens.clone();
    let vendor = Vendor::start(move |seen| server.answer(seen)).await;
    let world = Arc::new(World::new().await);
    let row = instance(&world, "two", &vendor, "expired").await;
    // The other one knows nothing of this one but the store.
    let others: Vec<Arc<World>> = vec![Arc::new(world.twin().await), Arc::clone(&world)];
    let callers: Vec<_> = (0..40)
        .map(|number| {
            let (world, row) = (Arc::clone(&others[number % 2]), row.clone());
            tokio::spawn(async move { world.call(&row, "/things").await.status })
        })
        .collect();
    for caller in callers {
        assert_eq!(caller.await.unwrap(), 200);
    }
    assert_eq!(vendor.asked("/token").len(), 1);
    assert_eq!(tokens.given.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_ends_when_nobody_waits_for_it_any_more() {
    let tokens = Tokens::default();
    let server = tokens.clone();
    let vendor = Vendor::start(move |seen| server.answer(seen)).await;
    let world = World::new().await;
    let row = instance(&world, "left", &vendor, "expired").await;
    let call = world.call(&row, "/things");
    let watch = async {
        while vendor.asked("/token").is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = call => {}
        () = watch => {}
    }
    // Its tokens were stored although the caller left; the next call needs no renewal.
    while world.store.connection(row.org, row.id).await.unwrap().is_none_or(|row| row.generation < 2) {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.call(&row, "/things").await.status, 200);
    assert_eq!(tokens.given.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connectors_own_renewal_is_called_before_the_token_ends() {
    let vendor = Vendor::start(|seen| match seen.path.as_str() {
        "/session" => (200, Vec::new(), json!({"session": format!("for-{}", seen.header("x-user"))})),
        _ if seen.header("x-session") == "for-ann" => (200, Vec::new(), json!({"items": []})),
        _ => (401, Vec::new(), Value::Null),
    })
    .await;
    let world = World::new().await;
    let hook = "done({ configuration: { 'oauth.user.token': response_body.session, expires_in: '3600' } });";
    let element = world
        .element(&small_element(json!({
            "key": "own", "authentication": {"type": "custom"},
            "configuration": [{"key": "username", "name": "User", "type": "TEXTFIELD_64"}],
            "parameters": [
                {"name": "oauth.user.token", "type": "configuration", "vendorName": "X-Session", "vendorType": "header"},
                {"name": "username", "type": "configuration", "vendorName": "X-User", "vendorType": "header"}],
            "resources": [{"type": "onRefresh", "method": "POST", "path": "/refresh", "vendorMethod": "POST",
                "vendorPath": "/session", "parameters": [], "hooks": [{"type": "postRequest", "body": hook}]}]
        })))
        .await;
    let body = json!({"element": {"key": "own"}, "configuration": {
        "base.url": vendor.url(), "username": "ann", "oauth.user.token": "old", "expires_in": "60",
        "oauth.user.refresh_time": "1000"}});
    let row = world.instance(&element, body).await.unwrap();
    assert_eq!(world.call(&row, "/things").await.status, 200);
    assert_eq!(vendor.asked("/things").len(), 1, "it was due, so nothing was refused");
    assert_eq!(world.call(&row, "/things").await.status, 200);
    assert_eq!(vendor.asked("/session").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_ran_out_with_its_process_gives_way() {
    let tokens = Tokens::default();
    let server = tokens.clone();
    let vendor = Vendor::start(move |seen| server.answer(seen)).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("turnstone.db");
    let lease = Duration::from_millis(400);
    let world = World::in_file(&path, lease).await;
    let row = instance(&world, "crash", &vendor, "expired").await;
    let generation = world.store.connection(row.org, row.id).await.unwrap().unwrap().generation;
    // A process that died before its request left.
    let claim = world.store.begin_refresh(row.org, row.id, generation, World::now(), lease).await.unwrap();
    assert!(claim.is_some());
    drop(world);
    let world = World::in_file(&path, lease).await;
    assert_eq!(world.call(&row, "/things").await.status, 200);
    assert_eq!(tokens.given.load(Ordering::SeqCst), 1);
}
