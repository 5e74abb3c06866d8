//! Connectors' documents: what they mean, what is wrong with them, and that they leave as they came.

mod faults;

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use turnstone_core::check::{CheckSettings, Fault};
use turnstone_core::connector::{
    Activity, AuthenticationKind, ChangeKind, CheckedConnector, Connector, Document, EditError, EntryKind,
    EventsSetup, Expand, Ids, ParameterPlace, Part, Place, ResourceKind, VendorType, check, event_entry,
    key_of, keys,
};
use turnstone_core::json_text;

pub const REVEL: &str = include_str!("../elements/revel.json");
pub const SERVICENOW: &str = include_str!("../elements/servicenowoauth.json");
pub const DEALS: &str = include_str!("../elements/activecampaign2.json");
pub const SAGEONE: &str = include_str!("../elements/sageone.json");
const MISSION_ENTRY: &str = include_str!("../mission/connector-configuration.json");

fn settings() -> CheckSettings {
    CheckSettings::new("2026-01-01T00:00:00Z".parse().unwrap())
}

fn checked(text: &str) -> CheckedConnector {
    check(&Document::parse(text).unwrap(), &settings())
}

pub fn connector(text: &str) -> Connector {
    let checked = checked(text);
    assert!(checked.faults.is_empty(), "{:#?}", checked.faults);
    checked.connector.unwrap()
}

#[test]
fn the_connectors_of_the_mission_are_understood() {
    let revel = connector(REVEL);
    assert_eq!(
        (revel.key.as_str(), revel.name.as_str(), revel.hub.as_deref()),
        ("revel", "Revel", Some("employee"))
    );
    assert_eq!(revel.authentication, AuthenticationKind::OAuth2);
    assert_eq!(revel.resources.len(), 12);
    assert_eq!(revel.parameters[0].place, ParameterPlace::Value);
    assert!(revel.resource_of(ResourceKind::OAuthOnTokenExchange).is_some());
    assert_eq!(revel.defaults().resources.keys().collect::<Vec<_>>(), ["employees", "timesheets"]);
    assert_eq!(revel.defaults().base_url, None, "its base address needs the account");

    let servicenow = connector(SERVICENOW);
    assert_eq!(servicenow.defaults().resources.len(), 4);
    assert_eq!(servicenow.hooks.len(), 1);
    let secrets: Vec<&str> = servicenow.secret_keys().collect();
    assert!(
        secrets.contains(&"oauth.api.secret") && secrets.contains(&"oauth.user.refresh_token"),
        "{secrets:?}"
    );

    let deals = connector(DEALS);
    assert_eq!(deals.authentication, AuthenticationKind::ApiKey);
    assert_eq!(deals.entry("api.token").unwrap().kind, EntryKind::Password);
    assert_eq!(deals.entry(keys::POLLER_CONFIGURATION).unwrap().kind, EntryKind::TextArea);

    assert_eq!(deals.shown_value("api.token", "key"), "********");
    assert_eq!((deals.shown_value("api.token", ""), deals.shown_value("account", "acme")), ("", "acme"));
    assert_eq!(deals.shown_value("oauth.api.secret", "x"), "********", "also where no entry declares it");

    let sage = connector(SAGEONE);
    assert_eq!(sage.defaults().base_url.as_deref(), Some("https://api.accounting.sage.com/v3.1"));
    let own = BTreeMap::from([
        ("oauth.api.key".to_string(), "k".to_string()),
        ("oauth.scope".into(), String::new()),
    ]);
    let settings = sage.settings(&own);
    assert_eq!(
        (settings.get("oauth.api.key"), settings.get("oauth.scope")),
        (Some("k"), Some("full_access"))
    );
}

#[test]
fn only_known_weaknesses_of_the_mission_are_warned_about() {
    let said = |text: &str| checked(text).warnings.iter().map(Fault::to_string).collect::<Vec<_>>();
    for (name, text) in [("revel", REVEL), ("servicenow", SERVICENOW), ("deals", DEALS), ("sage", SAGEONE)] {
        for warning in said(text) {
            assert!(warning.contains(".defaultValue."), "{name}: {warning}");
        }
    }
    assert!(said(DEALS).iter().any(|text| text.contains("deals.url")), "{:?}", said(DEALS));
}

#[test]
fn an_import_leaves_as_it_came() {
    for text in [REVEL, SERVICENOW, DEALS, SAGEONE] {
        let export = Document::parse(text).unwrap().export();
        assert_eq!(export.text, text);
        assert!(export.blanked.is_empty());
    }
}

/// JSON with unknown members at every level, odd blanks, and numbers that no float holds.
fn any_json(depth: u32) -> BoxedStrategy<String> {
    let leaf = prop_oneof![
        Just("null".to_string()),
        Just("true".to_string()),
        "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,12})?([eE][+-]?[0-9]{1,3})?",
        ".{0,12}".prop_map(|text| json_text::quote(&text)),
        Just(r#""\u00e9\ud800\/""#.to_string()),
    ];
    let blanks = "[ \n\t]{0,2}";
    leaf.prop_recursive(depth, 24, 4, move |inner| {
        let member = (".{0,6}", blanks, inner.clone());
        prop_oneof![
            (proptest::collection::vec(inner, 0..4), blanks)
                .prop_map(|(items, blank)| format!("[{blank}{}{blank}]", items.join(&format!(",{blank}")))),
            proptest::collection::vec(member, 0..4).prop_map(|members| object(&members)),
        ]
    })
    .boxed()
}

fn object(members: &[(String, String, String)]) -> String {
    let member = |(name, blank, value): &(String, String, String)| {
        format!("{}{blank}:{blank}{value}", json_text::quote(name))
    };
    format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(","))
}

/// A sound part with unknown members before, between and after those that are known.
fn part(known: Vec<(&'static str, String)>) -> BoxedStrategy<String> {
    proptest::collection::vec(("x[a-z]{0,5}", "[ \n]{0,2}", any_json(2)), 0..3)
        .prop_map(move |unknown| {
            let mut members: Vec<(String, String, String)> =
                known.iter().map(|(name, value)| (name.to_string(), String::new(), value.clone())).collect();
            for (at, extra) in unknown.into_iter().enumerate() {
                members.insert((at * 2).min(members.len()), extra);
            }
            object(&members)
        })
        .boxed()
}

fn text() -> BoxedStrategy<String> {
    prop_oneof![
        ".{0,40}".prop_map(|text| json_text::quote(&text)),
        Just(r#""const a = \"\\u00e9\";\n\tdone({\"x\": 1.0});""#.to_string()),
        Just(r#""{\"deals\":{\"url\":\"\/x?where=a>='${gmtDate:yyyy}'\",\"n\":1.10}}""#.to_string()),
    ]
    .boxed()
}

fn generated() -> BoxedStrategy<String> {
    let quoted = |text: &str| json_text::quote(text);
    let entries = (0..4usize).prop_flat_map(move |count| {
        (0..count)
            .map(|at| {
                text().prop_flat_map(move |default| {
                    let key = format!("\"key.{at}\"");
                    part(vec![("key", key), ("type", "\"TEXTAREA\"".into()), ("defaultValue", default)])
                })
            })
            .collect::<Vec<_>>()
    });
    let parameter =
        || part(vec![("name", quoted("id")), ("vendorName", quoted("i.d")), ("type", quoted("query"))]);
    let hook = || text().prop_flat_map(|body| part(vec![("type", "\"preRequest\"".into()), ("body", body)]));
    let lists = (
        entries,
        proptest::collection::vec(parameter(), 0..3),
        proptest::collection::vec(hook(), 0..3),
        proptest::collection::vec(parameter(), 0..3),
        proptest::collection::vec(hook(), 0..2),
    );
    (lists, any_json(3))
        .prop_flat_map(move |((entries, parameters, hooks, inner_parameters, inner_hooks), model)| {
            let list = |items: &[String]| format!("[{}]", items.join(" ,\n"));
            let model = if model.starts_with('{') { model } else { format!("{{\"m\":{model}}}") };
            let (entries, parameters, hooks) = (list(&entries), list(&parameters), list(&hooks));
            part(vec![
                ("path", "\"/hubs/crm/deals\"".into()),
                ("method", "\"GET\"".into()),
                ("parameters", list(&inner_parameters)),
                ("hooks", list(&inner_hooks)),
                ("model", model),
            ])
            .prop_flat_map(move |resource| {
                part(vec![
                    ("name", "\"Generated One\"".into()),
                    ("authentication", "{\"type\":\"none\", \"more\":1.0}".into()),
                    ("configuration", entries.clone()),
                    ("parameters", parameters.clone()),
                    ("hooks", hooks.clone()),
                    ("resources", format!("[ {resource} ]")),
                ])
            })
        })
        .boxed()
}

/// How often a property is tried: as often as the order asks.
fn two_hundred() -> TestRunner {
    TestRunner::new(Config { cases: 200, failure_persistence: None, ..Config::default() })
}

#[test]
fn generated_documents_leave_as_they_came() {
    two_hundred()
        .run(&generated(), |text| {
            let document = Document::parse(text.clone()).unwrap();
            let checked = check(&document, &settings());
            prop_assert!(checked.faults.is_empty(), "{:#?}\n{}", checked.faults, text);
            prop_assert_eq!(&document.export().text, &text);
            // An edit and its reversal touch nothing else.
            let added = document.add(Place::Element(Part::Hooks), r#"{"type":"event","body":""}"#).unwrap();
            let position = added.change.position;
            for part in [Part::Configuration, Part::Parameters, Part::Resources] {
                prop_assert_eq!(added.document.items(part), document.items(part));
            }
            prop_assert_eq!(&added.document.items(Part::Hooks)[..position], document.items(Part::Hooks));
            let removed = added.document.remove(Place::Element(Part::Hooks), position).unwrap().document;
            prop_assert_eq!(removed.items(Part::Hooks), document.items(Part::Hooks));
            let ids = Ids::assign(&document, &mut numbers());
            prop_assert!(json_text::validate(&document.shown(7, &ids)).is_ok());
            Ok(())
        })
        .unwrap();
}

#[test]
fn large_documents_leave_as_they_came() {
    let script = "// padding that a real hook has too\nconst x = {\"a\": 'b'};\n".repeat(64);
    let hooks: Vec<Value> =
        (0..50).map(|_| json!({"type": "preRequest", "body": script, "isLegacy": false})).collect();
    let large = DEALS.replacen("\"hooks\": []", &format!("\"hooks\": {}", json!(hooks)), 1);
    assert!(large.len() > 200_000, "{}", large.len());
    assert_eq!(connector(&large).hooks[49].body, script);
    assert_eq!(Document::parse(large.clone()).unwrap().export().text, large);
}

#[test]
fn any_text_is_judged_and_none_panics() {
    let names = proptest::sample::select(vec![
        "name",
        "key",
        "authentication",
        "type",
        "configuration",
        "parameters",
        "hooks",
        "resources",
        "path",
        "method",
        "rootKey",
        "nextResource",
        "body",
        "vendorName",
        "vendorType",
        "converter",
        "defaultValue",
        "model",
        "response",
        "source",
        "isLegacy",
        "nextPageKey",
        "paginationType",
        "operationId",
    ]);
    let words = proptest::sample::select(vec![
        "\"a|b\"",
        "\"[*]\"",
        "\"GET\"",
        "\"/x/{id}\"",
        "\"bodyField\"",
        "\"oauth2\"",
        "\"event.poller.configuration\"",
        "\"{\\\"a\\\":{\\\"url\\\":\\\"/x\\\"}}\"",
        "\"GET /x/{id}\"",
        "\"preRequest\"",
        "[]",
        "{}",
        "true",
        "1e999",
        "\"\"",
        "\"a.b.c\"",
        "\"converter:x\"",
    ]);
    let leaf = prop_oneof![3 => words.prop_map(str::to_string), 1 => any_json(1)];
    let strategy = leaf.prop_recursive(5, 80, 8, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            proptest::collection::vec((names.clone(), inner), 0..9).prop_map(|members| {
                let members: Vec<_> = members
                    .into_iter()
                    .map(|(name, value)| (name.to_string(), String::new(), value))
                    .collect();
                object(&members)
            }),
        ]
    });
    TestRunner::new(Config { cases: 1_000, failure_persistence: None, ..Config::default() })
        .run(&strategy, |text| {
            let Ok(document) = Document::parse(text) else { return Ok(()) };
            let checked = check(&document, &settings());
            prop_assert_eq!(checked.connector.is_none(), !checked.faults.is_empty());
            for said in checked.faults.iter().chain(&checked.warnings) {
                prop_assert!(!said.problem.is_empty() && !said.remedy.is_empty(), "{:?}", said);
            }
            let ids = Ids::assign(&document, &mut numbers());
            for json in [document.shown(1, &ids), document.abridged(1), document.export().text] {
                prop_assert!(json_text::validate(&json).is_ok(), "{}", json);
            }
            let entry = r#"{"key":"k","name":"n","type":"BOOLEAN"}"#;
            for edited in [document.with_entry(entry), document.remove(Place::Resource(0, Part::Hooks), 0)] {
                prop_assert!(
                    edited.map_or(true, |edited| json_text::validate(edited.document.text()).is_ok())
                );
            }
            if let Some(connector) = checked.connector {
                prop_assert!(json_text::validate(&connector.metadata(Expand::Full)).is_ok());
            }
            Ok(())
        })
        .unwrap();
}

fn numbers() -> impl FnMut() -> i64 {
    let mut next = 100;
    move || {
        next += 1;
        next
    }
}

/// A small sound document with these members put in, or taken out where they are null.
fn small(members: Value) -> String {
    let mut document = json!({
        "name": "Small", "description": "", "authentication": {"type": "none"},
        "configuration": [], "parameters": [], "hooks": [],
        "resources": [{"path": "/hubs/crm/x", "method": "GET"}],
    });
    for (name, value) in members.as_object().unwrap() {
        if value.is_null() {
            document.as_object_mut().unwrap().remove(name);
        } else {
            document[name] = value.clone();
        }
    }
    document.to_string()
}

#[track_caller]
fn faulty(members: Value, expect: &[&str]) {
    let checked = checked(&small(members));
    let said: Vec<String> = checked.faults.iter().map(Fault::to_string).collect();
    assert_eq!(said, expect);
    assert!(checked.connector.is_none());
}

#[track_caller]
fn warned(members: Value, expect: &[&str]) {
    let checked = checked(&small(members));
    assert!(checked.faults.is_empty(), "{:#?}", checked.faults);
    assert_eq!(checked.warnings.iter().map(Fault::to_string).collect::<Vec<_>>(), expect);
}

#[test]
fn a_key_is_made_from_the_name() {
    assert_eq!(key_of("Sage One (Beta)"), "sageonebeta");
    let document = Document::parse(r#"{"name":"My CRM", "x": 1}"#).unwrap();
    assert_eq!(document.key(), "mycrm");
    let complete = document.completed();
    assert_eq!(
        complete.text(),
        r#"{"name":"My CRM", "x": 1,"key": "mycrm","configuration": [],"parameters": [],"hooks": [],"resources": []}"#
    );
    assert_eq!(complete.completed(), complete);
}

#[test]
fn entries_are_edited_by_key_and_reserved_ones_are_not_made_by_hand() {
    let document = Document::parse(DEALS).unwrap();
    let added = document.with_entry(r#"{"key":"region","name":"Region","type":"COMBO"}"#).unwrap();
    assert_eq!(
        (added.change.kind, added.change.position),
        (ChangeKind::Added, document.items(Part::Configuration).len())
    );
    assert_eq!(added.document.without_entry("region").unwrap().document.text(), DEALS, "byte by byte");
    let replaced = document.with_entry_replaced("account", r#"{"name":"Account"}"#).unwrap();
    let position = replaced.change.position;
    assert_eq!(
        replaced.document.items(Part::Configuration)[position],
        r#"{"name":"Account","key":"account"}"#
    );
    assert_eq!(replaced.document.items(Part::Resources), document.items(Part::Resources));
    let refused = |result: Result<_, EditError>| {
        result.map(|_: turnstone_core::connector::Edited| ()).unwrap_err().to_string()
    };
    assert_eq!(
        refused(document.with_entry(r#"{"key":"oauth.scope","type":"TEXTFIELD_32"}"#)),
        "the configuration key `oauth.scope` is reserved; it comes with the connector's authentication, paging or \
         events, so set it there"
    );
    assert!(
        refused(document.with_entry_replaced("account", r#"{"key":"base.url"}"#)).contains("is reserved")
    );
    assert_eq!(
        refused(document.with_entry(r#"{"key":"account"}"#)),
        "the configuration entry `account` exists already; replace it, or choose another name"
    );
    assert!(
        refused(document.with_entry_replaced("account", r#"{"key":"api.token"}"#)).contains("exists already")
    );
    assert_eq!(
        refused(document.without_entry("nothing")),
        "there is no configuration entry `nothing`; list them to see which there are"
    );
    assert!(
        refused(document.with_entry("{"))
            .starts_with("the configuration entry cannot be read: it is not well-formed")
    );
    assert_eq!(
        refused(document.with_entry(r#"{"key":"a","type":"X"}"#)),
        "the configuration entry has faults: type: `X` is not a type of an entry; write BOOLEAN, PASSWORD, TEXTAREA, \
         COMBO, or TEXTFIELD_ and a length, such as TEXTFIELD_128"
    );
}

#[test]
fn parts_are_edited_by_position_and_ids_follow() {
    let mut document = Document::parse(DEALS).unwrap();
    let mut next = numbers();
    let mut ids = Ids::assign(&document, &mut next);
    let mut apply = |document: &mut Document, ids: &mut Ids, edited: turnstone_core::connector::Edited| {
        *document = edited.document;
        ids.follow(&edited.change, document, &mut next);
    };
    let resource = ids.resources[1].id;
    let place = Place::Element(Part::Resources);
    assert_eq!(ids.position(place, resource), Some(1));
    let edited = document.remove(place, 0).unwrap();
    apply(&mut document, &mut ids, edited);
    assert_eq!((ids.position(place, resource), ids.resources.len()), (Some(0), 4));

    let hooks = Place::Resource(0, Part::Hooks);
    let edited = document.add(hooks, r#"{"type":"postRequest","body":"done()"}"#).unwrap();
    apply(&mut document, &mut ids, edited);
    let hook = ids.resources[0].hooks[0];
    let shown: Value = serde_json::from_str(&document.shown_items(hooks, &ids)[0]).unwrap();
    assert_eq!(shown, json!({"type": "postRequest", "body": "done()", "isLegacy": false, "id": hook}));
    let legacy = r#"{"type":"postRequest","body":"return {}","isLegacy":true}"#;
    assert_eq!(
        document.replace(hooks, 0, legacy).unwrap_err().to_string(),
        "a hook cannot become legacy; let it call `done` instead of returning its result"
    );
    let edited = document.add(hooks, legacy).unwrap();
    apply(&mut document, &mut ids, edited);
    assert!(document.replace(hooks, 1, legacy).is_ok(), "it is legacy already");

    let edited = document.with_model(0, Some(r#"{"name":"deal"}"#)).unwrap();
    apply(&mut document, &mut ids, edited);
    assert_eq!(ids.resources[0].id, resource, "a replaced resource keeps its id");
    assert_eq!(json_text::member(document.items(Part::Resources)[0], "model"), Some(r#"{"name":"deal"}"#));
    let duplicate = r#"{"path":"/deals/{x}","method":"GET"}"#;
    assert_eq!(
        document.add(place, duplicate).unwrap_err().to_string(),
        "the resource `GET /deals/{}` exists already; replace it, or choose another name"
    );
    assert!(document.replace(Place::Element(Part::Hooks), 9, legacy).is_err());
    assert!(document.add(Place::Resource(99, Part::Hooks), legacy).is_err());
}

#[test]
fn a_connector_is_shown_with_our_ids_and_in_short() {
    let document = Document::parse(DEALS).unwrap();
    let ids = Ids::assign(&document, &mut numbers());
    let shown: Value = serde_json::from_str(&document.shown(42, &ids)).unwrap();
    assert_eq!(shown["id"], 42);
    assert_eq!(shown["configuration"][0]["id"], 101);
    assert!(shown["resources"][0]["parameters"][0]["id"].is_i64());
    assert!(!document.export().text.contains("\"id\": 101"));
    let short: Value = serde_json::from_str(&document.abridged(42)).unwrap();
    assert_eq!(
        (&short["key"], &short["private"], &short["extended"]),
        (&json!("activecampaign2"), &json!(true), &json!(false))
    );
    assert!(short.get("resources").is_none());
    let complete = Document::parse(r#"{"name":"n","authentication":{"type":"none"}}"#).unwrap();
    let shown: Value = serde_json::from_str(&complete.shown(1, &Ids::default())).unwrap();
    assert_eq!((&shown["hooks"], &shown["key"]), (&json!([]), &json!("n")));
}

#[test]
fn numbers_stay_with_parts_when_a_whole_document_is_exchanged() {
    let text = |parts: &str, hooks: &str| {
        format!(
            r#"{{"name":"n","authentication":{{"type":"none"}},"configuration":[{{"key":"a","id":7}},{{"key":"b"}}],
            "parameters":[{parts}],"hooks":[{hooks}],"resources":[{{"path":"/hubs/x/r/{{id}}","method":"GET",
            "parameters":[{parts}],"hooks":[]}}]}}"#
        )
    };
    let (one, two) = (r#"{"name":"p","type":"query"}"#, r#"{"name":"q","type":"query"}"#);
    let (first, second) = (r#"{"type":"event","body":"1"}"#, r#"{"type":"event","body":"2"}"#);
    let old = Document::parse(text(&format!("{one},{two}"), &format!("{first},{second}"))).unwrap();
    let mut next = numbers();
    let ids = Ids::assign(&old, &mut next);

    // What is shown and comes back is what was imported, another platform's number included.
    let shown = Document::parse(old.shown(42, &ids)).unwrap();
    let (back, sent) = shown.without_shown(&ids.as_shown(&old));
    assert!(!sent.is_empty());
    let member = |document: &Document, name: &str| {
        serde_json::from_str::<Value>(document.member(name).unwrap()).unwrap()
    };
    for name in ["configuration", "parameters", "hooks", "resources"] {
        assert_eq!(member(&back, name), member(&old, name), "{name}");
    }
    assert_eq!(ids.carried(&old, &back, &sent, &mut next), ids);
    let (same, none) = old.without_shown(&ids.as_shown(&old));
    assert!(none.is_empty() && same == old, "numbers of others stay");

    // Moved, taken out, put in, renamed with its number: each keeps its own.
    let renamed = format!(r#"{{"name":"r","type":"query","id":{}}}"#, ids.parameters[0]);
    let third = r#"{"type":"event","body":"3"}"#;
    let sent_text = text(&format!("{two},{renamed}"), &format!("{second},{third},{first}"));
    let (new, sent) = Document::parse(sent_text).unwrap().without_shown(&ids.as_shown(&old));
    let carried = ids.carried(&old, &new, &sent, &mut next);
    assert_eq!(carried.configuration, ids.configuration);
    assert_eq!(carried.parameters, [ids.parameters[1], ids.parameters[0]]);
    assert_eq!((carried.hooks[0], carried.hooks[2]), (ids.hooks[1], ids.hooks[0]));
    assert!(carried.hooks[1] > *ids.hooks.iter().max().unwrap());
    assert_eq!(carried.resources[0].id, ids.resources[0].id);
    assert_eq!(carried.resources[0].parameters[0], ids.resources[0].parameters[1]);
    assert!(!new.text().contains(&ids.parameters[0].to_string()), "{}", new.text());
}

#[test]
fn secrets_are_blank_in_copies_and_exports() {
    let with_secret =
        DEALS.replace(r#""key": "api.token","#, r#""key": "api.token", "defaultValue": "s3cret-s3cret","#);
    let document = Document::parse(with_secret).unwrap();
    let export = document.export();
    assert_eq!(export.blanked, ["api.token"]);
    assert_eq!(export.text, document.text().replace("s3cret-s3cret", ""));
    let copy = document.cloned_as("copy", "A Copy");
    assert!(!copy.text().contains("s3cret"));
    assert_eq!((copy.key().as_str(), copy.items(Part::Resources)), ("copy", document.items(Part::Resources)));
    let inactive = document.with_active(Activity::Inactive);
    assert_eq!(
        inactive.text(),
        document.text().replace("\"active\": true,\n  \"deleted\"", "\"active\": false,\n  \"deleted\"")
    );
    assert!(!check(&inactive, &settings()).connector.unwrap().active);
}

#[test]
fn the_poller_entry_looks_as_the_mission_prints_it() {
    let printed: Value = serde_json::from_str(MISSION_ENTRY).unwrap();
    let value = printed["defaultValue"].as_str().unwrap();
    let made: Value =
        serde_json::from_str(&event_entry("event.poller.configuration", value, "ActiveCampaign2")).unwrap();
    let mut expected = printed.clone();
    expected.as_object_mut().unwrap().remove("id");
    assert_eq!(made, expected);
    assert_eq!(Document::parse(DEALS).unwrap().events().poller.as_deref(), Some(value));
}

#[test]
fn events_are_set_up_on_one_page() {
    let document = Document::parse(small(json!({"name": "Shop"}))).unwrap();
    assert_eq!(document.events(), EventsSetup::default());
    let setup = EventsSetup {
        enabled: Some(true),
        vendor_type: Some(VendorType::Both),
        refresh_interval: Some("5".into()),
        poller: Some(r#"{"x":{"url":"/hubs/crm/x","idField":"id"}}"#.into()),
    };
    let (document, changes) = document.with_events(&setup).unwrap();
    assert_eq!(
        changes.iter().map(|change| (change.kind, change.position)).collect::<Vec<_>>(),
        (0..4).map(|position| (ChangeKind::Added, position)).collect::<Vec<_>>()
    );
    assert_eq!(document.events(), setup);
    let metadata: Value =
        serde_json::from_str(&check(&document, &settings()).connector.unwrap().metadata(Expand::Names))
            .unwrap();
    assert_eq!(
        metadata["events"],
        json!({"supported": true, "methods": ["polling", "webhook"], "polling": {"x": {"url": "/hubs/crm/x", "idField": "id"}}})
    );
    let interval = EventsSetup { refresh_interval: Some("60".into()), ..EventsSetup::default() };
    let (changed, changes) = document.with_events(&interval).unwrap();
    assert_eq!(changes[0].kind, ChangeKind::Replaced);
    assert_eq!(changed.text(), document.text().replace(r#""defaultValue":"5""#, r#""defaultValue":"60""#));
    let broken = EventsSetup { poller: Some("[]".into()), ..EventsSetup::default() };
    assert!(
        document
            .with_events(&broken)
            .unwrap_err()
            .to_string()
            .starts_with("the poller configuration cannot be read")
    );
    for (word, kind) in [
        ("polling", VendorType::Polling),
        ("webhook", VendorType::Webhooks),
        ("webhooks", VendorType::Webhooks),
        ("both", VendorType::Both),
        ("Polling,Webhooks", VendorType::Both),
    ] {
        assert_eq!(VendorType::parse(word), Some(kind), "{word}");
    }
    assert_eq!(VendorType::parse("email"), None);
}
