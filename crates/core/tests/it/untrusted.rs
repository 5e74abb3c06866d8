//! Whatever is put in, the answer is a list of faults and never a panic, a foreign host or a further parameter.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use turnstone_core::check::{CheckSettings, check, check_resource};
use turnstone_core::date::{Zone, ZoneRules};
use turnstone_core::template::{Template, Values};

fn settings() -> CheckSettings {
    CheckSettings::new("2026-01-01T00:00:00Z".parse().unwrap())
}

/// Names that reach every reader, and a few that reach none.
fn member() -> impl Strategy<Value = String> {
    let names = [
        "element",
        "key",
        "name",
        "tags",
        "providerData",
        "configuration",
        "event.poller.configuration",
        "event.poller.refresh_interval",
        "event.notification.enabled",
        "event.notification.callback.url",
        "event.notification.callback.headers",
        "event.notification.basic.username",
        "base.url",
        "http.headers",
        "authentication.type",
        "username",
        "password",
        "url",
        "idField",
        "datesConfiguration",
        "updatedDateField",
        "updatedDateFormat",
        "UpdatedDateTimezone",
        "createdDateFormat",
        "createdCheckTolerance",
        "pageSize",
        "overlap",
        "pagination",
        "type",
        "size",
        "page",
        "start",
        "token",
        "next",
        "sweep",
        "every",
        "readUrl",
        "gone",
        "sort",
        "startFrom",
        "volatileFields",
        "cursorField",
        "filterByUpdateDate",
        "customers",
    ];
    prop_oneof![9 => proptest::sample::select(names.to_vec()).prop_map(str::to_string), 1 => ".{0,6}"]
}

fn text() -> impl Strategy<Value = String> {
    let texts = [
        "",
        "<minutes>",
        "true",
        "15",
        "-1",
        "1e300",
        "https://api.example.com/v2",
        "/c?where=a>='${gmtDate:yyyy}",
        "cursor",
        "${cursor}",
        "header:X-Next",
        "3 polls",
        "24h",
        "99999999999999999999d",
        "basic",
        "env:",
        "A: b; C",
        "id",
        "a[0].b",
        "yyyy-MM-dd'T'HH:mm:ssXXX'",
        "PST",
        "{\"customers\":{\"url\":\"/x\",\"idField\":\"id\"}}",
        "asc",
        "beginning",
    ];
    prop_oneof![4 => proptest::sample::select(texts.to_vec()).prop_map(str::to_string), 1 => ".{0,20}"]
}

fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::String),
    ];
    leaf.prop_recursive(6, 96, 8, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            proptest::collection::vec((member(), inner), 0..12)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// A document whose parts stand where the readers look for them.
fn shaped() -> impl Strategy<Value = Value> {
    (document(), document(), document(), text()).prop_map(|(resource, dates, whole, url)| {
        let mut resource = match resource {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        resource.insert("url".into(), Value::String(url));
        resource.insert("idField".into(), json!("id"));
        resource.insert("datesConfiguration".into(), dates);
        json!({
            "element": {"key": "k"},
            "providerData": whole,
            "configuration": {
                "base.url": "https://api.example.com",
                "event.poller.configuration": {"customers": resource},
            },
        })
    })
}

proptest! {
    #[test]
    fn any_document_is_judged(document in prop_oneof![document(), shaped()]) {
        let checked = check(&document, &settings());
        prop_assert_eq!(checked.instance.is_none(), !checked.faults.is_empty());
        for said in checked.faults.iter().chain(&checked.repairs).chain(&checked.warnings) {
            prop_assert!(!said.problem.is_empty() && !said.remedy.is_empty(), "{:?}", said);
        }
        check_resource("customers", &document, &settings(), Some("https://api.example.com"));
    }

    #[test]
    fn any_text_is_a_template_or_an_error(
        text in prop_oneof![".{0,60}", "[/?&=a-z${}:'<>#\\\\ .%0-9-]{0,60}", "/[a-z/]{0,9}\\?(where=a>='\\$\\{gmtDate:[yMdHmsSXZz' .T:-]{0,24}\\}'?|&x=\\$\\{cursor\\}){0,3}"],
        cursor in ".{1,12}",
        seconds in -60_000_000_000i64..200_000_000_000,
    ) {
        let Ok(parsed) = Template::parse(&text, &Zone::utc(), ZoneRules::default()) else { return Ok(()) };
        let at = jiff::Timestamp::from_second(seconds).unwrap();
        let Ok(template) = parsed.template.resolve("https://api.example.com/v2") else { return Ok(()) };
        let render = |cursor| template.render(&Values { start: at, end: at, cursor });
        let (with, plain) = (render(Some(cursor.as_str())), render(Some("1")));
        prop_assert!(with.bytes().all(|byte| byte.is_ascii_graphic()), "{}", with);
        let (with, plain) = (url::Url::parse(&with).unwrap(), url::Url::parse(&plain).unwrap());
        prop_assert_eq!(with.origin(), plain.origin());
        prop_assert_eq!(Some(with.origin().ascii_serialization()), template.origin());
        prop_assert!(with.fragment().is_none() && with.username().is_empty());
        prop_assert_eq!(with.path_segments().unwrap().count(), plain.path_segments().unwrap().count());
        let names = |url: &url::Url| url.query().unwrap_or_default().matches('&').count();
        prop_assert_eq!(names(&with), names(&plain));
    }
}
