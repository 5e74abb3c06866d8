//! Whole connectors.

use serde_json::{Value, json};
use turnstone_core::json_text;

use super::random::Random;
use super::world::{DEALS, REVEL, SAGEONE, SERVICENOW, World};

/// How many objects of a tree have an `id` of their own among the four kinds of parts.
fn part_ids(element: &Value) -> usize {
    let list = |value: &Value, name: &str| value[name].as_array().cloned().unwrap_or_default();
    let mut parts: Vec<Value> = ["configuration", "parameters", "hooks", "resources"]
        .iter()
        .flat_map(|name| list(element, name))
        .collect();
    for resource in list(element, "resources") {
        parts.extend(["parameters", "hooks"].iter().flat_map(|name| list(&resource, name)));
    }
    parts.iter().filter(|part| part["id"].is_i64()).count()
}

#[test]
fn the_connectors_of_the_mission_come_and_go_as_they_are() {
    let world = World::new();
    for text in [REVEL, SERVICENOW, DEALS, SAGEONE] {
        let made = world.import(text);
        let key = made["key"].as_str().unwrap().to_owned();
        assert!(made["id"].is_i64() && part_ids(&made) > 3, "{made}");
        let export = world.get(&format!("/elements/{key}/export"));
        assert_eq!(export.status, 200);
        assert!(export.body == text, "{key} is exported as it was imported");
        let disposition = format!("attachment; filename=\"{key}.json\"");
        assert_eq!(export.header("content-disposition"), Some(disposition.as_str()));
        let by_id = world.get(&format!("/elements/{}", made["id"])).expect(200);
        assert_eq!(by_id, world.get(&format!("/elements/{key}")).expect(200));
        let mut shown = made.clone();
        shown.as_object_mut().unwrap().remove("warnings");
        assert_eq!(by_id, shown);

        // What was read and is sent back changes nothing, not even a number.
        let again = world.text("PUT", &format!("/elements/{key}"), &by_id.to_string()).expect(200);
        assert_eq!(part_ids(&again), part_ids(&made));
        assert_eq!(
            world.get(&format!("/elements/{key}")).expect(200)["configuration"],
            by_id["configuration"]
        );
        let exported = world.get(&format!("/elements/{key}/export")).json();
        assert_eq!(exported, serde_json::from_str::<Value>(text).unwrap());
        world.text("POST", "/elements", text).expect(409);
    }
    let keys = world.get("/elements/keys").expect(200);
    assert_eq!(keys, json!(["revel", "servicenowoauth", "activecampaign2", "sageone"]));
    world.delete("/elements/revel").expect(200);
    world.get("/elements/revel").expect(404);
    world.get("/elements/revel/export").expect(404);
    assert!(json_text::validate(REVEL).is_ok());
}

#[test]
fn a_connector_is_switched_off_and_on() {
    let world = World::new();
    world.import(r#"{"name": "Small One", "authentication": {"type": "none"}, "x-more": 1.50}"#);
    let export = || world.get("/elements/smallone/export").body;
    let before = export();
    assert_eq!(
        before,
        r#"{"name": "Small One", "authentication": {"type": "none"}, "x-more": 1.50,"key": "smallone","configuration": [],"parameters": [],"hooks": [],"resources": []}"#
    );
    let active = |method: &str| {
        world.server.ask(&world.token, method, "/elements/smallone/active", None).expect(200)["active"]
            .clone()
    };
    assert_eq!((active("PUT"), export()), (json!(true), before.clone()), "it is active already");
    assert_eq!(active("DELETE"), json!(false));
    assert_eq!(world.get("/elements/smallone").expect(200)["active"], json!(false));
    assert_eq!(active("PUT"), json!(true));
}

#[test]
fn generated_documents_come_back_byte_by_byte() {
    let world = World::new();
    let mut random = Random::new(20_261_125);
    for number in 0..200 {
        let key = format!("generated{number}");
        let text = random.element(&key);
        json_text::validate(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let made = world.import(&text);
        let export = world.get(&format!("/elements/{key}/export"));
        assert_eq!(export.body, text);
        if number % 10 == 0 {
            // Read, sent back, exported: still the same, number texts included.
            let read = world.get(&format!("/elements/{key}")).body;
            world.text("PUT", &format!("/elements/{key}"), &read).expect(200);
            let again = world.get(&format!("/elements/{key}/export")).body;
            assert_eq!(compact(&again), compact(&text), "{read}");
            assert_eq!(
                world.get(&format!("/elements/{key}")).json(),
                serde_json::from_str::<Value>(&read).unwrap()
            );
        }
        assert!(made["warnings"].is_array(), "{made}");
    }
    let all = world.get("/elements");
    assert_eq!(all.header("elements-returned-count"), Some("200"));
    assert_eq!(all.json().as_array().unwrap().len(), 200);
    let page = world.get("/elements?pageSize=150");
    assert_eq!(page.json().as_array().unwrap().len(), 150);
    let next = page.header("elements-next-page-token").unwrap().to_owned();
    let rest = world.get(&format!("/elements?pageSize=150&nextPage={next}"));
    assert_eq!((rest.json().as_array().unwrap().len(), rest.header("elements-next-page-token")), (50, None));
}

/// JSON without the blanks between its parts, everything else as it is written.
fn compact(text: &str) -> String {
    let (mut kept, mut quoted, mut escaped) = (String::new(), false, false);
    for letter in text.chars() {
        if !quoted && letter.is_ascii_whitespace() {
            continue;
        }
        kept.push(letter);
        (quoted, escaped) = match letter {
            _ if escaped => (quoted, false),
            '\\' if quoted => (quoted, true),
            '"' => (!quoted, false),
            _ => (quoted, false),
        };
    }
    kept
}

#[test]
fn large_documents_come_back_byte_by_byte() {
    let world = World::new();
    let script = "// padding that a real hook has too\nconst x = {\"a\": 'b'};\n".repeat(64);
    let hooks = |count: usize| {
        json!(
            (0..count)
                .map(|_| json!({"type": "preRequest", "body": script, "isLegacy": false}))
                .collect::<Vec<_>>()
        )
    };
    for (count, at_least) in [(60, 200_000), (1_200, 4_000_000)] {
        let large = DEALS.replacen("\"hooks\": []", &format!("\"hooks\": {}", hooks(count)), 1).replacen(
            "activecampaign2",
            &format!("large{count}"),
            1,
        );
        assert!(large.len() > at_least, "{}", large.len());
        let key = serde_json::from_str::<Value>(&large).unwrap()["key"].as_str().unwrap().to_owned();
        world.import(&large);
        assert!(world.get(&format!("/elements/{key}/export")).body == large, "{key}");
        world.delete(&format!("/elements/{key}")).expect(200);
    }
    let beyond = format!("{{\"name\":\"{}\"}}", "x".repeat(8 * 1024 * 1024));
    assert_eq!(world.text("POST", "/elements", &beyond).status, 413);
}

#[test]
fn connectors_are_found_by_a_clause() {
    let world = World::new();
    let element = |key: &str, more: Value| {
        let mut element =
            json!({"key": key, "name": format!("Name of {key}"), "authentication": {"type": "none"}});
        element.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        world.import(&element.to_string());
    };
    element("one", json!({"private": true, "hub": "crm", "extended": false}));
    element("two", json!({"private": false, "hub": "finance", "extended": true}));
    element("three", json!({"private": "false", "hub": "crm", "active": false, "tags": ["a", "b"]}));
    element("four", json!({}));
    let found = |clause: &str| -> Vec<String> {
        let encoded: String = clause.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let all = world.get(&format!("/elements?where={encoded}")).expect(200);
        let key = |element: &Value| element["key"].as_str().unwrap().to_owned();
        all.as_array().unwrap_or_else(|| panic!("{clause}: {all}")).iter().map(key).collect()
    };
    for (clause, expect) in [
        ("private='true'", vec!["one", "four"]),
        ("private = true", vec!["one", "four"]),
        ("private='false'", vec!["two", "three"]),
        ("extended='true'", vec!["two"]),
        ("extended='false' AND private='true'", vec!["one", "four"]),
        ("key='two'", vec!["two"]),
        ("key in ('one','four','nine')", vec!["one", "four"]),
        ("key IN ('one', 'two') and hub='finance'", vec!["two"]),
        ("hub='crm' OR key='four'", vec!["one", "three", "four"]),
        ("(hub='crm' or hub='finance') and extended='true'", vec!["two"]),
        ("abridged='true'", vec!["one", "two", "three", "four"]),
        ("abridged='true' and private='false'", vec!["two", "three"]),
        ("abridged='false' and key='one'", vec!["one"]),
        ("active='false'", vec!["three"]),
        ("active!='false' and private='false'", vec!["two"]),
        ("name like 'Name of t%'", vec!["two", "three"]),
        ("authentication.type='none' and tags='b'", vec!["three"]),
        ("hub is null", vec!["four"]),
        ("key='nothing'", vec![]),
        ("", vec!["one", "two", "three", "four"]),
    ] {
        assert_eq!(found(clause), expect, "{clause}");
    }
    let whole = world.get("/elements?where=abridged%3D'false'%20and%20key%3D'one'").json();
    assert!(whole[0]["resources"].is_array(), "{whole}");
    assert!(world.get("/elements?where=key%3D'one'").json()[0].get("resources").is_none());
    for clause in ["key", "key='one", "key='one' and", "='one'"] {
        let encoded: String = clause.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let refused = world.get(&format!("/elements?where={encoded}")).expect(400);
        assert_eq!(refused["code"], "badWhere", "{clause}");
    }
}

#[test]
fn secrets_are_shown_hidden_exported_blank_and_kept() {
    let world = World::new();
    let element = |default: &str| {
        format!(
            r#"{{"key": "secretive", "name": "S", "authentication": {{"type": "oauth2"}}, "configuration": [
            {{"key": "oauth.api.secret", "type": "TEXTFIELD_128", "defaultValue": {default}}},
            {{"key": "own", "type": "PASSWORD", "defaultValue": "canary-own"}},
            {{"key": "oauth.scope", "type": "TEXTFIELD_128", "defaultValue": "read"}}],
            "parameters": [], "hooks": [], "resources": []}}"#
        )
    };
    let text = element("\"canary-secret\"");
    let made = world.text("POST", "/elements", &text);
    assert_eq!(made.status, 200, "{}", made.body);
    let shown = |name: &str| world.get(&format!("/elements/secretive{name}"));
    for answer in [made, shown(""), shown("/configuration"), shown("/configuration/own"), shown("/export")] {
        assert!(!answer.body.contains("canary") && !answer.body.contains("$sealed"), "{}", answer.body);
    }
    assert_eq!(shown("").json()["configuration"][0]["defaultValue"], "********");
    assert_eq!(shown("").json()["configuration"][2]["defaultValue"], "read");
    let export = shown("/export");
    assert_eq!(export.header("elements-blanked-secrets"), Some("oauth.api.secret, own"));
    assert_eq!(export.body, text.replace("canary-secret", "").replace("canary-own", ""));

    // What was shown, and what was exported, leaves the secrets as they are; an export says that it does.
    let put = |body: &str| world.text("PUT", "/elements/secretive", body).expect(200);
    assert_eq!(put(&shown("").body)["warnings"], json!([]));
    let told = put(&export.body)["warnings"].clone();
    assert_eq!(told.as_array().unwrap().len(), 2, "{told}");
    assert_eq!(told[0]["path"], "configuration[0].defaultValue");
    assert_eq!(shown("/export").header("elements-blanked-secrets"), Some("oauth.api.secret, own"));
    put(&element("null"));
    assert_eq!(shown("/export").header("elements-blanked-secrets"), Some("own"));
    world
        .text("PUT", "/elements/secretive/configuration/own", r#"{"type": "PASSWORD", "defaultValue": ""}"#)
        .expect(200);
    assert_eq!(shown("/export").header("elements-blanked-secrets"), None);

    // A copy has none, and is private.
    put(&text);
    let copy = world.send("POST", "/elements/secretive/clone", &json!({})).expect(200);
    assert_eq!(
        (&copy["key"], &copy["private"], &copy["name"]),
        (&json!("secretive-copy"), &json!(true), &json!("S (copy)"))
    );
    assert_eq!(copy["configuration"][0]["defaultValue"], "");
    let second = world.server.ask(&world.token, "POST", "/elements/secretive/clone", None).expect(200);
    assert_eq!(second["key"], "secretive-copy-2");
    let named =
        world.send("POST", "/elements/secretive/clone", &json!({"key": "mine", "name": "Mine"})).expect(200);
    assert_eq!((&named["key"], &named["name"]), (&json!("mine"), &json!("Mine")));
    world.send("POST", "/elements/secretive/clone", &json!({"key": "mine"})).expect(409);
    world.send("POST", "/elements/secretive/clone", &json!({"key": 5})).expect(400);

    // A masked secret that nobody knows is blank, and said so.
    let shown_text = shown("").body.replace("\"secretive\"", "\"elsewhere\"");
    let elsewhere = world.text("POST", "/elements", &shown_text).expect(200);
    assert_eq!(elsewhere["configuration"][0]["defaultValue"], "");
    assert_eq!(elsewhere["warnings"].as_array().unwrap().len(), 2, "{elsewhere}");
    let exported = world.get("/elements/elsewhere/export").body;
    assert!(!exported.contains("\"id\""), "numbers of another connector are none of its own: {exported}");
}

#[test]
fn nothing_is_stored_of_a_document_with_a_fault_and_every_fault_is_named() {
    let world = World::new();
    let refused = |text: &str, status: u16| {
        let answer = world.text("POST", "/elements", text).expect(status);
        assert_eq!(world.get("/elements").json(), json!([]), "{text}");
        answer
    };
    let answer = refused(
        r#"{"name": 5, "authentication": {"type": "magic"}, "configuration": [{"key": "event.nonsense"}, {"key": "a", "type": "X"}],
            "parameters": {}, "hooks": [{"type": "sometimes", "body": 1}],
            "resources": [{"path": "/a/{b", "method": "FETCH"}, {"path": "/a", "method": "GET", "nextResource": "GET /a", "parameters": [{"type": "query"}]}]}"#,
        400,
    );
    let paths: Vec<&str> =
        answer["faults"].as_array().unwrap().iter().map(|fault| fault["path"].as_str().unwrap()).collect();
    for path in [
        "name",
        "authentication.type",
        "configuration[0].key",
        "configuration[1].type",
        "parameters",
        "hooks[0].type",
        "hooks[0].body",
        "resources[0].path",
        "resources[0].method",
        "resources[1].parameters[0].name",
    ] {
        assert!(paths.contains(&path), "{path} is not in {paths:?}");
    }
    assert!(answer["message"].as_str().unwrap().contains("faults"), "{answer}");
    let none = r#"{"name": "n", "authentication": {"type": "none"}"#;
    for (text, status, code) in [
        ("", 400, "malformedJson"),
        ("{", 400, "malformedJson"),
        ("[]", 400, "badDocument"),
        ("\"text\"", 400, "badDocument"),
        ("{}", 400, "badDocument"),
        (r#"{"name": "n"}"#, 400, "badDocument"),
        (&format!("{none}, \"key\": \"metadata\"}}"), 400, "badDocument"),
        (&format!("{none}, \"key\": \"a/b\"}}"), 400, "badDocument"),
        (
            &format!(
                "{none}, \"resources\": [{{\"path\": \"/a\", \"method\": \"GET\", \"nextResource\": \"GET /a\"}}]}}"
            ),
            400,
            "badDocument",
        ),
        (
            &format!(
                "{none}, \"resources\": [{{\"path\": \"/a\", \"method\": \"GET\", \"nextResource\": \"GET /b\"}}]}}"
            ),
            400,
            "badDocument",
        ),
        (
            &format!(
                "{none}, \"resources\": [{{\"path\": \"/a\", \"method\": \"GET\"}}, {{\"path\": \"/hubs/x/a\", \"method\": \"get\"}}]}}"
            ),
            400,
            "badDocument",
        ),
        (&"[".repeat(100_000), 400, "malformedJson"),
    ] {
        let answer = refused(text, status);
        assert_eq!(answer["code"], code, "{}: {answer}", text.chars().take(80).collect::<String>());
    }
    assert_eq!(world.typed("POST", "/elements", "text/plain", b"{}").status, 415);
    assert_eq!(world.typed("POST", "/elements", "application/json", b"{\"name\": \"\xff\"}").status, 400);
    let bom = [b"\xef\xbb\xbf".as_slice(), none.as_bytes(), b"}"].concat();
    assert_eq!(world.typed("POST", "/elements", "application/json; charset=utf-8", &bom).status, 200);
    for (method, path) in [
        ("GET", "/elements/x"),
        ("GET", "/elements/99"),
        ("GET", "/elements/-1"),
        ("GET", "/elements/x/export"),
        ("DELETE", "/elements/x"),
        ("PUT", "/elements/x/active"),
        ("POST", "/elements/x/clone"),
        ("GET", "/elements/999999999999/metadata"),
        ("GET", "/elements/x/docs"),
        ("GET", "/elements/x/configuration"),
    ] {
        assert_eq!(world.server.ask(&world.token, method, path, None).status, 404, "{method} {path}");
    }
    world.text("PUT", "/elements/x", &format!("{none}}}")).expect(404);
}

#[test]
fn what_hooks_cannot_have_is_flagged_and_imports() {
    let world = World::new();
    let made = world.import(
        &json!({"name": "Hooked", "authentication": {"type": "none"},
            "hooks": [
                {"type": "preRequest", "body": "const http = require('http'); done();"},
                {"type": "postRequest", "body": "notify.email('a'); done();"},
                {"type": "preRequest", "body": "done({"},
                {"type": "preRequest", "body": "return {a: 1}", "isLegacy": true}],
            "resources": [{"path": "/a", "method": "GET", "hooks": [
                {"type": "preRequest", "body": "done();"},
                {"type": "postRequest", "body": "const a = 1;\nconst a = 2;"}]}]})
        .to_string(),
    );
    let told: Vec<(String, String)> = made["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|warning| {
            (warning["path"].as_str().unwrap().to_owned(), warning["problem"].as_str().unwrap().to_owned())
        })
        .collect();
    let said =
        |path: &str, words: &str| told.iter().any(|(at, problem)| at == path && problem.contains(words));
    assert!(said("hooks[0].body", "requires `http`"), "{told:?}");
    assert!(said("hooks[1].body", "notify.email"), "{told:?}");
    assert!(said("hooks[2].body", "does not compile"), "{told:?}");
    assert!(said("resources[0].hooks[1].body", "does not compile at line 2"), "{told:?}");
    assert_eq!(told.len(), 4, "{told:?}");
}

#[test]
fn metadata_and_docs_tell_what_a_connector_has() {
    let world = World::new();
    for text in [REVEL, SERVICENOW, DEALS, SAGEONE] {
        let made = world.import(text);
        let key = made["key"].as_str().unwrap();
        let metadata = world.get(&format!("/elements/{}/metadata", made["id"])).expect(200);
        assert_eq!((&metadata["id"], &metadata["key"]), (&made["id"], &made["key"]));
        assert_eq!((&metadata["name"], &metadata["description"]), (&made["name"], &made["description"]));
        assert_eq!(metadata["events"]["supported"], true, "{metadata}");
        assert!(metadata["events"]["methods"].as_array().unwrap().contains(&json!("polling")), "{metadata}");
        let expanded = world.get(&format!("/elements/{key}/metadata?expand=true")).expect(200);
        assert!(expanded.to_string().len() > metadata.to_string().len());
        let docs = world.get(&format!("/elements/{key}/docs")).expect(200);
        assert_eq!((&docs["swagger"], &docs["info"]["title"]), (&json!("2.0"), &made["name"]));
        assert!(!docs["paths"].as_object().unwrap().is_empty());
        assert_eq!(docs["host"], json!(world.server.address.to_string()));
        assert_eq!(world.get(&format!("/elements/{key}/transformations")).expect(200), json!({}));
    }
    let all = world.get("/elements/metadata").expect(200);
    assert_eq!(all.as_array().unwrap().len(), 4);
}

#[test]
fn a_key_without_a_document_stays_when_the_name_changes() {
    let world = World::new();
    let made = world.import(r#"{"name": "First Name", "authentication": {"type": "none"}}"#);
    assert_eq!(made["key"], "firstname");
    let renamed = r#"{"name": "Second Name", "authentication": {"type": "none"}}"#;
    let put = world.text("PUT", "/elements/firstname", renamed).expect(200);
    assert_eq!(
        (&put["key"], &put["name"], &put["id"]),
        (&json!("firstname"), &json!("Second Name"), &made["id"])
    );
    let keyed = r#"{"key": "other", "name": "Second Name", "authentication": {"type": "none"}}"#;
    assert_eq!(world.text("PUT", "/elements/firstname", keyed).expect(200)["key"], "other");
    world.get("/elements/firstname").expect(404);
    world.import(renamed);
    let taken = r#"{"key": "other", "name": "x", "authentication": {"type": "none"}}"#;
    assert_eq!(world.text("PUT", "/elements/secondname", taken).expect(409)["code"], "exists");
}
