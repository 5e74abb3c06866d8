//! Connecting and disconnecting accounts: a connector's own steps, OAuth 1, and what a failure leaves behind.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use turnstone_engine::connections::AskedFor;
use turnstone_store::Store as _;

use super::renewal::oauth_element;
use super::vendor::{Said, Seen, Vendor};
use super::world::{World, small_element};

fn step(kind: &str, method: &str, path: &str, hooks: Value) -> Value {
    json!({"type": kind, "method": method, "path": path, "vendorMethod": method, "vendorPath": path,
        "parameters": [], "hooks": hooks})
}

fn ok(json: Value) -> Said {
    (200, Vec::new(), json)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connectors_own_steps_run_in_their_order_and_leave_nothing_when_they_fail() {
    let vendor = Vendor::start(|seen| match (seen.path.as_str(), seen.header("x-key")) {
        ("/check", "right") => ok(json!({"account": "acme"})),
        ("/check", _) => (403, Vec::new(), json!({"message": "the key is not known"})),
        ("/hello", _) => ok(json!({"region": "eu"})),
        ("/bye", _) => ok(json!({})),
        _ => ok(json!({"items": []})),
    })
    .await;
    let world = World::new().await;
    let account = json!([{"type": "postRequest",
        "body": "done(response_iserror ? undefined : { configuration: { account: response_body.account } });"}]);
    let region = json!([{"type": "postRequest",
        "body": "done({ configuration: { region: response_body.region + '-' + configuration.account } });"}]);
    let element = small_element(json!({
        "key": "steps", "authentication": {"type": "apiKey"},
        "configuration": [{"key": "the.key", "name": "Key", "type": "PASSWORD"}],
        "parameters": [{"name": "the.key", "type": "configuration", "vendorName": "X-Key", "vendorType": "header"}],
        "resources": [
            step("provisionAuthValidation", "GET", "/check", account),
            step("onProvision", "POST", "/hello", region),
            step("onDelete", "DELETE", "/bye", json!([]))]
    }));
    let element = world.element(&element).await;
    let body = |key: &str| {
        json!({"element": {"key": "steps"}, "providerData": {"hint": "canary"},
            "configuration": {"base.url": vendor.url(), "the.key": key}})
    };
    let refused = world.instance(&element, body("wrong")).await.unwrap_err();
    assert_eq!(refused.status, 403);
    assert!(refused.message.starts_with("`provisionAuthValidation` failed: "), "{refused:?}");
    assert_eq!(refused.provider_message.as_deref(), Some("the key is not known"));
    assert!(vendor.asked("/hello").is_empty());
    assert!(world.store.instances(world.org).await.unwrap().is_empty());
    let row = world.instance(&element, body("right")).await.unwrap();
    assert!(!row.document.contains("canary") && !row.document.contains("\"right\""), "{}", row.document);
    assert_eq!(vendor.asked("/hello")[0].body, r#"{"hint":"canary"}"#, "an input of the step");
    let account = world.calls.connections().account(&row).await.unwrap();
    assert_eq!(account.settings.get("region"), Some("eu-acme"));
    assert_eq!(world.calls.connections().disconnect(&row).await, Vec::<String>::new());
    assert_eq!(vendor.asked("/bye").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn oauth_1_goes_its_three_steps_and_signs_every_call() {
    let signed = |seen: &Seen, words: &[&str]| {
        let header = seen.header("authorization").to_owned();
        header.starts_with("OAuth ") && words.iter().all(|word| header.contains(word))
    };
    let vendor = Vendor::start(move |seen| match seen.path.as_str() {
        "/request" => {
            assert!(signed(
                seen,
                &["oauth_consumer_key=\"client\"", "oauth_callback=\"https%3A%2F%2Fapp%2Fcb\""]
            ));
            ok(json!("oauth_token=rt&oauth_token_secret=rs&oauth_callback_confirmed=true"))
        }
        "/access" => {
            assert!(signed(seen, &["oauth_token=\"rt\"", "oauth_verifier=\"v\""]));
            ok(json!("oauth_token=at-1234&oauth_token_secret=as-1234"))
        }
        "/things" if signed(seen, &["oauth_token=\"at-1234\"", "oauth_signature="]) => {
            ok(json!({"items": [{"id": 1}]}))
        }
        _ => (401, Vec::new(), Value::Null),
    })
    .await;
    let world = World::new().await;
    let element = oauth_element("three", json!({"authentication": {"type": "oauth1"}}));
    let element = world.element(&element).await;
    let configuration = json!({
        "base.url": vendor.url(), "oauth.request.url": format!("{}/request", vendor.url()),
        "oauth.token.url": format!("{}/access", vendor.url()), "oauth.api.key": "client",
        "oauth.authorization.url": "https://p.example/allow", "oauth.api.secret": "secret-1",
        "oauth.callback.url": "https://app/cb"
    });
    let text = |(key, value): (&String, &Value)| (key.clone(), value.as_str().unwrap().to_owned());
    let given: BTreeMap<String, String> = configuration.as_object().unwrap().iter().map(text).collect();
    let asked = AskedFor { configuration: given, ..AskedFor::default() };
    let connections = world.calls.connections();
    let url = connections.authorization_url(world.org, &element.connector, asked).await.unwrap();
    assert_eq!(url, "https://p.example/allow?oauth_token=rt");
    // The secret of the request token waited here; clients that kept it may send it as `secret`.
    let body = json!({"element": {"key": "three"}, "configuration": configuration,
        "providerData": {"oauth_token": "rt", "oauth_verifier": "v"}});
    let row = world.instance(&element, body).await.unwrap();
    assert!(!row.document.contains("at-1234"));
    let answer = world.call(&row, "/things").await;
    assert_eq!((answer.status, answer.body.as_deref()), (200, Some(r#"[{"id":1}]"#)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_of_one_connector_is_of_no_use_for_another() {
    let world = World::new().await;
    let (one, two) = (
        world.element(&oauth_element("one", json!({}))).await,
        world.element(&oauth_element("two", json!({}))).await,
    );
    let configuration: BTreeMap<String, String> = [
        ("oauth.authorization.url", "https://p.example/allow"),
        ("oauth.token.url", "http://127.0.0.1:1/token"),
        ("oauth.api.key", "client"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into();
    let connections = world.calls.connections();
    let asked =
        AskedFor { configuration: configuration.clone(), state: Some("s1".into()), ..AskedFor::default() };
    let url = connections.authorization_url(world.org, &one.connector, asked).await.unwrap();
    assert!(url.contains("state=s1"), "{url}");
    let document = json!({"providerData": {"code": "c", "state": "s1"}, "configuration": configuration});
    let refused = connections.sign_in(world.org, &two.connector, &document).await.unwrap_err();
    assert!(refused.status == 400 && refused.message.contains("`state` is unknown"), "{refused:?}");
    let denied = json!({"providerData": {"error": "access_denied"}, "configuration": configuration});
    let refused = connections.sign_in(world.org, &one.connector, &denied).await.unwrap_err();
    assert!(refused.message.contains("refused the authorisation (access_denied)"), "{refused:?}");
    let nothing = json!({"configuration": configuration});
    let refused = connections.sign_in(world.org, &one.connector, &nothing).await.unwrap_err();
    assert!(refused.message.contains("`providerData` has no `code`"), "{refused:?}");
}
