//! Proposals from samples: total on any input, sound in what they hand out, and held against the published
//! configurations: records made as each of them says must lead back to it.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};
use turnstone_core::check::{CheckSettings, check_resource};
use turnstone_core::date::{DateFormat, Zone};
use turnstone_core::json_path::{JsonPath, Segment};
use turnstone_core::resource::{DateField, Resource};
use turnstone_core::suggest::{Sample, Suggestion, suggest};

const CONFIGURATIONS: &str = include_str!("../corpus/poller-configs.jsonl");
const RECORDS: i64 = 25;

fn now() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

fn settings() -> CheckSettings {
    CheckSettings::new(now())
}

/// Puts a value at a path. Values that stand there already are replaced.
fn put(record: &mut Value, path: &JsonPath, value: &Value) {
    let mut at = record;
    for segment in path.segments() {
        at = match segment {
            Segment::Key(key) => {
                if !at.is_object() {
                    *at = json!({});
                }
                &mut at[key]
            }
            Segment::Index(index) => {
                if !at.is_array() {
                    *at = json!([]);
                }
                let list = at.as_array_mut().unwrap();
                list.resize(list.len().max(index + 1), Value::Null);
                &mut list[*index]
            }
        };
    }
    *at = value.clone();
}

/// A date as the provider of this field writes it.
fn written(field: &DateField, at: Timestamp) -> Value {
    let text = field.format.print(at);
    match field.format.epoch_unit() {
        Some(_) => serde_json::from_str(&text).unwrap(),
        None => json!(text),
    }
}

/// Records as a resource describes them.
fn records(resource: &Resource) -> Vec<Value> {
    let one = |number: i64| {
        let mut record = json!({"comment": "a text", "amount": 12.5, "active": true});
        put(&mut record, &resource.id_field, &json!(format!("x{}", 1_000 + number)));
        let updated = now() - SignedDuration::from_hours(26 * (RECORDS - number + 1));
        if let Some(field) = &resource.created {
            put(
                &mut record,
                &field.path,
                &written(field, updated - SignedDuration::from_hours(13 * (1 + number % 5))),
            );
        }
        if let Some(field) = &resource.updated {
            put(&mut record, &field.path, &written(field, updated));
        }
        record
    };
    (1..=RECORDS).map(one).collect()
}

/// Whether two formats read these texts alike, in this zone.
fn read_alike(field: &DateField, proposed: &str, records: &[Value]) -> bool {
    let Ok(compiled) = DateFormat::compile(proposed, field.format.zone()) else { return false };
    records.iter().all(|record| {
        let value = field.path.segments().iter().try_fold(record, |at, segment| match segment {
            Segment::Key(key) => at.get(key),
            Segment::Index(index) => at.get(index),
        });
        let text =
            value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).unwrap();
        let read = |format: &DateFormat| format.parse(&text).map(|parsed| parsed.at);
        read(&field.format) == read(&compiled.format) && read(&compiled.format).is_ok()
    })
}

#[derive(Debug, Default)]
struct Tally {
    resources: usize,
    ids: usize,
    updated: usize,
    updated_right: usize,
    created: usize,
    created_right: usize,
    formats: usize,
    formats_right: usize,
    missed: Vec<String>,
}

impl Tally {
    fn date(&mut self, made: &Suggestion, which: &str, field: &DateField, records: &[Value], what: &str) {
        let dates = made.resource.get("datesConfiguration").cloned().unwrap_or_default();
        let member = |part: &str| dates[format!("{which}Date{part}")].as_str().unwrap_or_default().to_owned();
        let is_right = member("Field") == field.path.as_str();
        let counts = match which {
            "updated" => (&mut self.updated, &mut self.updated_right),
            _ => (&mut self.created, &mut self.created_right),
        };
        *counts.0 += 1;
        *counts.1 += usize::from(is_right);
        if !is_right {
            self.missed.push(format!("{what}: {which} `{}`, proposed `{}`", field.path, member("Field")));
            return;
        }
        self.formats += 1;
        match read_alike(field, &member("Format"), records) {
            true => self.formats_right += 1,
            false => self.missed.push(format!(
                "{what}: format {:?}, proposed `{}`",
                field.format,
                member("Format")
            )),
        }
    }
}

#[test]
fn records_of_published_configurations_lead_back_to_them() {
    let base = Some("https://api.example.com/elements/api-v2");
    let mut tally = Tally::default();
    for line in CONFIGURATIONS.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let name = row["resource"].as_str().unwrap();
        let checked = check_resource(name, &row["config"], &settings(), base);
        let Some(resource) = checked.resources.first() else { continue };
        let records = records(resource);
        let body = json!({"paging": {"total": RECORDS}, "records": records}).to_string();
        let url = format!("https://api.example.com/v1/{name}");
        let sample = Sample { url: Some(&url), headers: &[], body: &body, now: now() };
        let made = suggest(&sample).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(made.resource["list"], "records", "{line}");
        let faults = check_resource(&made.name, &json!(made.resource), &settings(), None).faults;
        assert_eq!(faults, [], "{line}");
        assert!(
            !made.warnings.iter().any(|warning| warning.contains("cannot be used")),
            "{:?}",
            made.warnings
        );
        let what = format!("{} {name}", row["element"]);
        tally.resources += 1;
        match made.resource["idField"] == resource.id_field.as_str() {
            true => tally.ids += 1,
            false => tally
                .missed
                .push(format!("{what}: id `{}`, proposed {}", resource.id_field, made.resource["idField"])),
        }
        if let Some(field) = &resource.updated {
            tally.date(&made, "updated", field, &records, &what);
        }
        // One member that serves as both dates is found once.
        let is_same = resource.updated.as_ref().is_some_and(|updated| {
            Some(&updated.path) == resource.created.as_ref().map(|created| &created.path)
        });
        if let Some(field) = resource.created.as_ref().filter(|_| !is_same) {
            tally.date(&made, "created", field, &records, &what);
        }
    }
    for missed in &tally.missed {
        println!("{missed}");
    }
    println!("{:?}", Tally { missed: Vec::new(), ..tally });
    let Tally {
        resources, ids, updated, updated_right, created, created_right, formats, formats_right, ..
    } = tally;
    assert!(resources >= 200 && updated >= 180 && created >= 150, "{resources} {updated} {created}");
    assert!(ids * 100 >= resources * 95, "{ids} of {resources} ids");
    assert!(updated_right * 100 >= updated * 85, "{updated_right} of {updated} updated dates");
    assert!(created_right * 100 >= created * 85, "{created_right} of {created} created dates");
    assert_eq!(formats_right, formats, "formats that read otherwise");
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        Just(json!(1_780_000_000)),
        ".{0,12}".prop_map(Value::from),
        date_text().prop_map(Value::from),
        Just(json!("https://api.example.com/x?page=2")),
    ];
    leaf.prop_recursive(5, 64, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((name(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn name() -> impl Strategy<Value = String> {
    let names = [
        "id",
        "data",
        "items",
        "next",
        "next_page",
        "nextCursor",
        "has_more",
        "page",
        "per_page",
        "offset",
        "limit",
        "total",
        "updatedAt",
        "created",
        "modified",
        "a.b",
        "header:x",
        "['x']",
        "",
        " ",
        "é",
        "links",
        "href",
        "url",
        "uuid",
        "\"",
        "'\"",
    ];
    prop_oneof![8 => proptest::sample::select(names.to_vec()).prop_map(str::to_owned), 1 => ".{0,6}"]
}

fn date_text() -> impl Strategy<Value = String> {
    let texts = [
        "2026-05-01T00:00:00Z",
        "2026-05-01",
        "01/02/2026",
        "31/12/2025",
        "1780000000",
        "1780000000123",
        "20260501",
        "Fri, 01 May 2026 00:00:00 GMT",
        "2026-05-01 10:00:00.123456",
        "yesterday",
        "May 1, 2026",
        "2026-13-45",
        "Fri May 01 00:00:00 UTC 2026",
        "2026-05-01T00:00:00.1+02",
        "9999-12-31T23:59:59Z",
        "01.02.26 1:00 PM",
    ];
    proptest::sample::select(texts.to_vec()).prop_map(str::to_owned)
}

fn address() -> impl Strategy<Value = String> {
    let parts = [
        "",
        "page=1",
        "page=0",
        "per_page=50",
        "limit=0",
        "offset=40",
        "cursor=abc",
        "since=2026-05-01T00:00:00Z",
        "updated[gte]=1780000000",
        "where=updated>='2026-05-01'",
        "$filter=a%20ge%202026-05-01",
        "${x}",
        "a=%zz",
        "key=s",
        "&",
        "x='y",
        "after=2026-05-01",
        "page=1&page=2",
        "size=10&limit=10",
        "from=0",
        "q={id}",
    ];
    let query = proptest::collection::vec(proptest::sample::select(parts.to_vec()), 0..4);
    let heads = [
        "https://api.example.com/customers",
        "http://a.test",
        "https://a.test/v1/",
        "https://a.test/{x}/${gmtDate}",
        "x",
        "https://",
    ];
    (proptest::sample::select(heads.to_vec()), query)
        .prop_map(|(head, query)| format!("{head}?{}", query.join("&")))
}

/// Lists of records that are alike, as APIs send them, in some envelope.
fn answers() -> impl Strategy<Value = Value> {
    let member = (name(), prop_oneof![Just(0_u8), Just(1), Just(2), Just(3)], date_text());
    let members = proptest::collection::vec(member, 1..6);
    let envelope = proptest::collection::vec((name(), any_json()), 0..4);
    (members, 1..8_i64, envelope, any::<bool>()).prop_map(|(members, count, envelope, bare)| {
        let record = |number: i64| {
            let of = |(name, kind, text): &(String, u8, String)| {
                let value = match kind {
                    0 => json!(number),
                    1 => json!(text),
                    2 if number % 2 == 0 => Value::Null,
                    _ => json!(format!("{text}{number}")),
                };
                (name.clone(), value)
            };
            Value::Object(members.iter().map(of).collect())
        };
        let list: Vec<Value> = (0..count).map(record).collect();
        if bare {
            return json!(list);
        }
        let mut whole: serde_json::Map<String, Value> = envelope.into_iter().collect();
        whole.insert("results".to_owned(), json!(list));
        Value::Object(whole)
    })
}

fn sound(url: Option<&str>, headers: &[(String, String)], body: &str) -> Result<(), TestCaseError> {
    let sample = Sample { url, headers, body, now: now() };
    let Ok(mut made) = suggest(&sample) else { return Ok(()) };
    if url.is_none() {
        made.resource.insert("url".to_owned(), json!("https://api.example.com/x"));
    }
    let faults = check_resource(&made.name, &json!(made.resource), &settings(), None).faults;
    prop_assert!(faults.is_empty(), "{:?}: {:?}", made.resource, faults);
    for proposal in &made.proposals {
        prop_assert!((0.0..=1.0).contains(&proposal.confidence) && !proposal.evidence.is_empty());
        // What is proposed is what stands in the resource.
        let whole = json!(made.resource);
        let standing = proposal.setting.split('.').try_fold(&whole, |at, name| at.get(name));
        prop_assert_eq!(standing, Some(&proposal.value));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_json_is_answered(value in any_json(), url in proptest::option::of(address())) {
        sound(url.as_deref(), &[], &value.to_string())?;
    }

    #[test]
    fn any_list_of_records_leads_to_what_check_accepts(value in answers(), url in address(), header in name(), text in ".{0,10}") {
        let headers = [("link".to_owned(), "<x>; rel=next".to_owned()), (header, text)];
        sound(Some(&url), &headers[..1], &value.to_string())?;
        sound(Some(&url), &headers[1..], &value.to_string())?;
        sound(None, &[], &value.to_string())?;
    }

    #[test]
    fn any_text_is_answered(text in ".{0,60}", url in ".{0,40}") {
        sound(Some(&url), &[], &text)?;
        sound(None, &[], &text)?;
    }
}

/// Digits of years are no evidence, and neither are instants that lie ahead in every reading.
#[test]
fn a_sample_of_one_record_is_answered_with_doubt() {
    let body = r#"[{"id": 9007199254740993, "updated": "01/02/2027", "zone": "PST"}]"#;
    let made = suggest(&Sample { url: None, headers: &[], body, now: now() }).unwrap();
    assert!(made.proposals.iter().all(|proposal| proposal.confidence < 0.96), "{:?}", made.proposals);
    assert!(made.warnings.iter().any(|warning| warning.contains("1 record:")), "{:?}", made.warnings);
    assert!(
        DateFormat::compile(
            made.resource["datesConfiguration"]["updatedDateFormat"].as_str().unwrap(),
            &Zone::utc()
        )
        .is_ok()
    );
}
