//! Configuration entries, the events setup among them, and the date formats that come of it.

use serde_json::{Value, json};

use super::world::{DEALS, World};

#[test]
fn the_poller_entry_is_shown_as_the_mission_prints_it() {
    let world = World::new();
    world.import(DEALS);
    let all = world.get("/elements/activecampaign2/configuration").expect(200);
    let entry =
        |key: &str| all.as_array().unwrap().iter().find(|entry| entry["key"] == key).cloned().unwrap();
    let poller = entry("event.poller.configuration");
    assert_eq!(poller["name"], "Event Poller Resources Configuration");
    assert_eq!(poller["description"], "ActiveCampaign2 Event Poller Resources Configuration");
    assert_eq!((&poller["type"], &poller["displayOrder"]), (&json!("TEXTAREA"), &json!(104)));
    assert!(poller["id"].is_i64());
    let polled: Value = serde_json::from_str(poller["defaultValue"].as_str().unwrap()).unwrap();
    assert_eq!(polled["deals"]["idField"], "id");
    let one = |name: &str| world.get(&format!("/elements/activecampaign2/configuration/{name}")).expect(200);
    assert_eq!(one("event.poller.configuration"), poller);
    assert_eq!(one(&poller["id"].to_string()), poller);
}

#[test]
fn events_are_set_up_through_the_configuration() {
    let world = World::new();
    world.import(r#"{"name": "Shop", "authentication": {"type": "none"}}"#);
    let entry = |key: &str| format!("/elements/shop/configuration/{key}");
    let polled = json!({"orders": {"url": "/hubs/ecommerce/orders?where=changed>='${gmtDate:dd.MM.yyyy HH:mm:ss}'",
        "idField": "id", "datesConfiguration": {
            "updatedDateField": "changed", "updatedDateFormat": "dd.MM.yyyy HH:mm:ss", "updatedDateTimezone": "Europe/Berlin",
            "createdDateField": "made", "createdDateFormat": "yyyy-MM-dd"}}});
    for (key, value) in [
        ("event.notification.enabled", json!("true")),
        ("event.vendor.type", json!("polling")),
        ("event.poller.refresh_interval", json!("15")),
        ("event.poller.configuration", polled.clone()),
    ] {
        world.get(&entry(key)).expect(404);
        world
            .send("POST", "/elements/shop/configuration", &json!({"key": key, "defaultValue": "x"}))
            .expect(400);
        let made = world.send("PATCH", &entry(key), &json!({"defaultValue": value})).expect(200);
        assert_eq!(made["key"], key, "{made}");
        assert!(made["name"].as_str().unwrap().to_lowercase().contains("event"), "{made}");
    }
    let made = world.get(&entry("event.poller.configuration")).expect(200);
    let expect = json!({"id": made["id"], "name": "Event Poller Resources Configuration", "key": "event.poller.configuration",
        "description": "Shop Event Poller Resources Configuration", "defaultValue": polled.to_string(),
        "resellerConfig": false, "companyConfig": false, "active": true, "internal": false, "groupControl": false,
        "displayOrder": 104, "type": "TEXTAREA", "hideFromConsole": false, "required": false});
    assert_eq!(made, expect);
    let metadata = world.get("/elements/shop/metadata").expect(200);
    assert_eq!(metadata["events"]["methods"], json!(["polling"]));
    assert_eq!(metadata["events"]["polling"]["orders"]["idField"], "id");

    // Only the value changes, and the number stays.
    let interval = world.get(&entry("event.poller.refresh_interval")).expect(200);
    let changed =
        world.send("PATCH", &entry("event.poller.refresh_interval"), &json!({"defaultValue": 5})).expect(200);
    assert_eq!(
        (&changed["defaultValue"], &changed["id"], &changed["name"]),
        (&json!("5"), &interval["id"], &interval["name"])
    );
    for (key, value) in [
        ("event.poller.configuration", "[]"),
        ("event.poller.configuration", "{"),
        ("event.vendor.type", "pigeons"),
    ] {
        world.send("PATCH", &entry(key), &json!({"defaultValue": value})).expect(400);
    }
    assert_eq!(world.get(&entry("event.poller.configuration")).expect(200), made);
    world.send("PUT", &entry("event.nonsense"), &json!({"defaultValue": "x"})).expect(400);

    // "We'll save it for future use."
    let formats = world.get("/date-formats").expect(200);
    let own: Vec<&Value> =
        formats.as_array().unwrap().iter().filter(|format| format["builtIn"] == false).collect();
    assert_eq!(own.len(), 1, "{own:?}");
    assert_eq!(
        (&own[0]["format"], &own[0]["timezone"]),
        (&json!("dd.MM.yyyy HH:mm:ss"), &json!("Europe/Berlin"))
    );
    assert_eq!(own[0]["example"], "09.05.2019 22:37:30");
}

#[test]
fn entries_are_made_read_changed_and_removed_by_key() {
    let world = World::new();
    world.import(r#"{"name": "Shop", "authentication": {"type": "none"}}"#);
    let list = "/elements/shop/configuration";
    let entry = json!({"name": "Subdomain", "key": "subdomain", "description": "Where", "type": "TEXTFIELD_128", "x": 1});
    let made = world.send("POST", list, &entry).expect(200);
    world.send("POST", list, &entry).expect(409);
    for key in ["base.url", "oauth.api.key", "event.poller.configuration", "bulk.add.relations", "expires_in"]
    {
        let refused = world.send("POST", list, &json!({"key": key, "defaultValue": "x"})).expect(400);
        assert_eq!(refused["code"], "reservedKey", "{key}: {refused}");
    }
    let base = world
        .send(
            "PUT",
            &format!("{list}/base.url"),
            &json!({"name": "Base", "type": "TEXTFIELD_1000", "defaultValue": "https://api.example.com"}),
        )
        .expect(200);
    assert_eq!((&base["key"], &base["name"]), (&json!("base.url"), &json!("Base")));
    world.send("PUT", &format!("{list}/nothing"), &json!({"defaultValue": "x"})).expect(404);
    let put =
        world.send("PUT", &format!("{list}/subdomain"), &json!({"name": "S", "type": "BOOLEAN"})).expect(200);
    assert_eq!(put, json!({"name": "S", "type": "BOOLEAN", "key": "subdomain", "id": made["id"]}));
    let renamed = world
        .send("PATCH", &format!("{list}/{}", made["id"]), &json!({"key": "domain", "name": null}))
        .expect(200);
    assert_eq!(renamed, json!({"type": "BOOLEAN", "key": "domain", "id": made["id"]}));
    world.send("PATCH", &format!("{list}/domain"), &json!({"key": "base.url"})).expect(400);
    world.send("PATCH", &format!("{list}/domain"), &json!({"type": "X"})).expect(400);
    world.send("PATCH", &format!("{list}/domain"), &json!([])).expect(400);
    world.delete(&format!("{list}/domain")).expect(200);
    world.delete(&format!("{list}/domain")).expect(404);

    // A secret is written and never read.
    let secret = json!({"name": "Key", "key": "api.token", "type": "PASSWORD", "defaultValue": "canary-1"});
    let made = world.send("POST", list, &secret).expect(200);
    assert_eq!(made["defaultValue"], "********");
    let one = format!("{list}/api.token");
    let kept = |expect: Option<&str>| {
        let export = world.get("/elements/shop/export");
        assert_eq!(export.header("elements-blanked-secrets"), expect);
        assert!(!export.body.contains("canary") && !export.body.contains("sealed"), "{}", export.body);
    };
    kept(Some("api.token"));
    assert_eq!(world.send("PUT", &one, &made).expect(200), made);
    kept(Some("api.token"));
    world.send("PATCH", &one, &json!({"name": "Other"})).expect(200);
    kept(Some("api.token"));
    let open = world.send("PATCH", &one, &json!({"type": "TEXTFIELD_32"})).expect(200);
    assert_eq!(open["defaultValue"], "", "what is no secret any more is not shown by that");
    kept(None);
    world.send("PATCH", &one, &json!({"type": "PASSWORD", "defaultValue": "canary-2"})).expect(200);
    let moved = world.send("PATCH", &one, &json!({"key": "other.token"})).expect(200);
    assert_eq!(moved["defaultValue"], "", "sealed for the key that it had");
}

#[test]
fn date_formats_are_listed_kept_and_removed() {
    let world = World::new();
    let all = world.get("/date-formats").expect(200);
    let formats: Vec<&str> =
        all.as_array().unwrap().iter().map(|format| format["format"].as_str().unwrap()).collect();
    let table = [
        "yyyy-MM-dd'T'HH:mm:ssXXX",
        "yyyy-MM-dd'T'HH:mm:ssZ",
        "yyyy-MM-dd'T'HH:mm:ss'Z'",
        "yyyy-MM-dd",
        "yyyy/MM/dd HH:mm:ss",
        "MM/dd/yyyy'T'HH:mm:ssXXX",
        "MM/dd/yyyy",
        "dd/MM/yyyy'T'HH:mm:ssXXX",
        "dd/MM/yyyy",
        "EEE, dd MMM yyyy HH:mm:ss Z",
    ];
    assert_eq!(formats[..table.len()], table);
    let add = |body: Value| world.send("POST", "/date-formats", &body);
    let made = add(json!({"format": "dd.MM.yyyy"})).expect(200);
    assert_eq!(
        (&made["format"], &made["builtIn"], &made["example"]),
        (&json!("dd.MM.yyyy"), &json!(false), &json!("09.05.2019"))
    );
    assert_eq!(add(json!({"format": "dd.MM.yyyy"})).expect(200), made, "the same again is the same");
    let zoned = add(json!({"format": "dd.MM.yyyy HH:mm", "timezone": "PST"})).expect(200);
    assert_eq!(zoned["timezone"], "PST");
    assert_eq!(add(json!({"format": "yyyy-MM-dd"})).expect(200)["builtIn"], true);
    for bad in [
        json!({"format": ""}),
        json!({"format": "'open"}),
        json!({"format": "HH:mm"}),
        json!({"format": "yyyy", "timezone": "Mars"}),
        json!({}),
        json!({"format": 5}),
        json!({"format": "yyyy", "zone": "x"}),
        json!({"format": "y".repeat(300)}),
    ] {
        assert_eq!(add(bad.clone()).status, 400, "{bad}");
    }
    world.delete(&format!("/date-formats/{}", made["id"])).expect(200);
    world.delete(&format!("/date-formats/{}", made["id"])).expect(404);
    world.delete("/date-formats/x").expect(404);
    assert_eq!(world.get("/date-formats").expect(200).as_array().unwrap().len(), formats.len() + 1);
}
