//! Whole samples and what is proposed for them. Random ones, and those of published configurations, are in `tests/it`.

use super::*;

fn now() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

fn of(url: &str, headers: &[(&str, &str)], body: &Value) -> Suggestion {
    let headers: Vec<(String, String)> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let body = body.to_string();
    let sample = Sample { url: Some(url), headers: &headers, body: &body, now: now() };
    let made = suggest(&sample).unwrap();
    let settings = CheckSettings::new(now());
    let faults = check_resource(&made.name, &json!(made.resource), &settings, None).faults;
    assert_eq!(faults, [], "{:?}", made.resource);
    made
}

#[track_caller]
fn refused(body: &str, words: &str) {
    let sample = Sample { url: None, headers: &[], body, now: now() };
    let sentence = suggest(&sample).unwrap_err().to_string();
    assert!(sentence.contains(words), "{sentence}");
}

fn proposal<'s>(made: &'s Suggestion, setting: &str) -> &'s Proposal {
    let found = made.proposals.iter().find(|proposal| proposal.setting == setting);
    found.unwrap_or_else(|| panic!("no {setting} in {:?}", made.proposals))
}

fn warned(made: &Suggestion, words: &str) -> bool {
    made.warnings.iter().any(|warning| warning.contains(words))
}

/// Records with ids, and dates a day apart.
fn customers(count: usize) -> Vec<Value> {
    let one = |at: usize| {
        json!({
            "id": format!("c{at}"), "name": "Ann", "email": format!("ann{at}@x.test"),
            "createdAt": format!("2026-04-{:02}T08:00:00+02:00", at % 28 + 1),
            "updatedAt": format!("2026-05-{:02}T08:00:00+02:00", at % 28 + 1),
        })
    };
    (0..count).map(one).collect()
}

#[test]
fn a_whole_list_is_understood_with_its_evidence() {
    let url = "https://api.test/v2/customers?updatedSince=2026-05-01T00:00:00Z&page=1&per_page=50";
    let made = of(url, &[], &json!({"data": customers(25), "meta": {"total": 90}}));
    assert_eq!((made.name.as_str(), made.records), ("customers", 25));
    assert_eq!(
        json!(made.resource),
        json!({
            "url": "https://api.test/v2/customers?updatedSince=${gmtDate:yyyy-MM-dd'T'HH:mm:ssXXX}",
            "idField": "id",
            "list": "data",
            "datesConfiguration": {
                "updatedDateField": "updatedAt", "updatedDateFormat": "yyyy-MM-dd'T'HH:mm:ssXXX",
                "createdDateField": "createdAt", "createdDateFormat": "yyyy-MM-dd'T'HH:mm:ssXXX"},
            "pageSize": 50,
            "pagination": {"type": "page", "page": "page", "size": "per_page"},
        })
    );
    let id = proposal(&made, "idField");
    assert_eq!(id.evidence, "present, unique and never empty in 25 of 25 records");
    assert_eq!(id.alternatives[0].value, "email");
    let updated = proposal(&made, "datesConfiguration.updatedDateField");
    assert!(updated.evidence.contains("not before `createdAt` in 25 of 25"), "{}", updated.evidence);
    assert!(updated.confidence > 0.9 && id.confidence > 0.9);
    assert_eq!(made.warnings, Vec::<String>::new());
}

#[test]
fn a_missing_lower_bound_is_written_as_the_api_writes_its_dates() {
    let check = |dates: Value, place: &str| {
        let record = |id: u32| {
            let mut record = dates.clone();
            record["id"] = json!(format!("b{id}"));
            record
        };
        let body = json!([record(1), record(2), record(3)]);
        let made = of("https://api.test/books", &[], &body);
        assert!(warned(&made, &format!("like `?updated_since={place}`")), "{:?}", made.warnings);
    };
    check(json!({"modified": 1_777_593_600}), "${epoch:s}");
    check(json!({"modified": 1_777_593_600_123_i64}), "${milliseconds}");
    check(json!({"modified": "2026-05-01T08:00:00+02:00"}), "${gmtDate:yyyy-MM-dd'T'HH:mm:ssXXX}");
    check(json!({"title": "no date at all"}), "${gmtDate:yyyy-MM-dd'T'HH:mm:ss'Z'}");
}

#[test]
fn an_ambiguous_date_is_called_so_and_another_member_settles_it() {
    let record = |id: u32, made: &str, changed: &str| json!({"id": id, "created": made, "modified": changed});
    let both = json!([
        record(1, "01/02/2026", "03/02/2026"),
        record(2, "02/03/2026", "04/04/2026"),
        record(3, "01/02/2026", "05/05/2026")
    ]);
    let made = of("https://a.test/x", &[], &both);
    assert!(warned(&made, "fits `MM/dd/yyyy` and `dd/MM/yyyy`"), "{:?}", made.warnings);
    let format = proposal(&made, "datesConfiguration.updatedDateFormat");
    assert_eq!(
        (format.value.as_str(), format.alternatives[0].value.as_str()),
        (Some("MM/dd/yyyy"), Some("dd/MM/yyyy"))
    );
    assert!(format.confidence < 0.5);

    let settled = json!([
        record(1, "01/02/2026", "03/02/2026"),
        record(2, "25/03/2026", "04/04/2026"),
        record(3, "01/02/2026", "05/05/2026")
    ]);
    let made = of("https://a.test/x", &[], &settled);
    assert!(!warned(&made, "fits `"), "{:?}", made.warnings);
    let format = proposal(&made, "datesConfiguration.updatedDateFormat");
    assert_eq!(format.value, "dd/MM/yyyy");
    assert!(format.evidence.contains("`created`, which is certain"), "{}", format.evidence);

    // Read as month and day, two of them would lie ahead of the sample.
    let ahead = json!([
        record(1, "01/05/2026", "03/05/2026"),
        record(2, "02/05/2026", "04/09/2026"),
        record(3, "01/02/2026", "05/12/2026")
    ]);
    let made = of(
        "https://a.test/x",
        &[],
        &ahead.to_string().replace("04/09", "09/04").replace("05/12", "12/05").parse().unwrap(),
    );
    assert_eq!(proposal(&made, "datesConfiguration.updatedDateFormat").value, "dd/MM/yyyy");
}

#[test]
fn epochs_and_zones_are_told() {
    let record = |id: u32, at: i64| json!({"id": id, "ts_updated": at, "updated_by": 1_700_000_000, "quantity": 1_700_000_000});
    let made = of(
        "https://a.test/x",
        &[],
        &json!([record(1, 1_780_000_000), record(2, 1_779_000_000), record(3, 1)]),
    );
    let format = proposal(&made, "datesConfiguration.updatedDateFormat");
    assert_eq!((format.value.as_str(), format.confidence < 0.5), (Some("seconds"), true));
    assert!(warned(&made, "reads only 2 of 3"), "{:?}", made.warnings);
    let made = of("https://a.test/x", &[], &json!([{"id": 1, "modified": 1_780_000_000_123_i64}]));
    assert_eq!(proposal(&made, "datesConfiguration.updatedDateFormat").value, "milliseconds");
    assert!(warned(&made, "the sample has 1 record"));

    let local =
        json!([{"id": 1, "updated": "2026-05-31 10:00:00"}, {"id": 2, "updated": "2026-05-31 23:00:00"}]);
    let made = of("https://a.test/x", &[], &local);
    assert_eq!(proposal(&made, "datesConfiguration.updatedDateTimezone").value, "UTC");
    assert!(warned(&made, "no value of `updated` has an offset"));
    let east = local.to_string().replace("05-31 23:00", "06-01 01:50").parse().unwrap();
    let zone = of("https://a.test/x", &[], &east);
    assert_eq!(proposal(&zone, "datesConfiguration.updatedDateTimezone").value, "+02:00");
}

#[test]
fn the_way_to_the_next_page_is_found_where_it_stands() {
    let list = || json!(customers(3));
    let check = |url: &str, headers: &[(&str, &str)], body: Value, expect: Value| {
        let made = of(url, headers, &body);
        assert_eq!(made.resource.get("pagination").cloned().unwrap_or_default(), expect, "{url} {body}");
        made
    };
    let url = "https://a.test/customers";
    check(
        url,
        &[("link", "<https://a.test/customers?page=2>; rel=\"next\"")],
        list(),
        json!({"type": "link"}),
    );
    let body = json!({"results": list(), "next": "https://a.test/customers?c=2"});
    check(url, &[], body, json!({"type": "next", "next": "next"}));
    let body = json!({"value": list(), "@odata.nextLink": "https://a.test/c?$skiptoken=2"});
    check(url, &[], body, json!({"type": "next", "next": "['@odata.nextLink']"}));
    let body = json!({"results": list(), "paging": {"next": {"after": "NTI1", "link": "https://a.test/c?after=NTI1"}}});
    check(url, &[], body, json!({"type": "next", "next": "paging.next.link"}));
    let body = json!({"results": list(), "paging": {"next": {"after": "NTI1"}}});
    let made =
        check(url, &[], body, json!({"type": "cursor", "token": "paging.next.after", "param": "after"}));
    assert!(warned(&made, "`after` is a guess"), "{:?}", made.warnings);
    let body = json!({"items": list(), "nextPageToken": "abc"});
    check(url, &[], body, json!({"type": "cursor", "token": "nextPageToken", "param": "pageToken"}));
    let body = json!({"items": list(), "meta": {"next_cursor": "abc", "has_more": true}});
    let with = "https://a.test/customers?cursor=xyz&limit=100";
    let expect = json!({"type": "cursor", "token": "meta.next_cursor", "param": "cursor", "size": "limit", "more": "meta.has_more"});
    let made = check(with, &[], body, expect);
    assert_eq!((&made.resource["url"], &made.resource["pageSize"]), (&json!(url), &json!(100)));
    check(
        "https://a.test/customers?offset=0&limit=20",
        &[],
        list(),
        json!({"type": "offset", "offset": "offset", "size": "limit"}),
    );
    check(
        "https://a.test/customers?page[number]=0",
        &[],
        list(),
        json!({"type": "page", "page": "page[number]", "start": 0}),
    );
    let body = json!({"data": list(), "current_page": 1, "last_page": 9, "per_page": 3});
    check(url, &[], body, json!({"type": "page", "page": "page"}));
    let made = check(
        url,
        &[("elements-next-page-token", "dG9r")],
        list(),
        json!({"type": "cursor", "token": "header:elements-next-page-token", "param": "elements-next-page-token"}),
    );
    assert!(warned(&made, "is a guess"));
    let made = check(url, &[("x-total-count", "40")], list(), json!(null));
    assert!(warned(&made, "`x-total-count` is 40 and the sample has 3 records"), "{:?}", made.warnings);
    let made = check(url, &[], list(), json!(null));
    assert!(warned(&made, "nothing shows how pages follow"));
}

#[test]
fn ids_are_chosen_by_what_holds_and_then_by_name() {
    let of_list = |list: Value| of("https://a.test/orders", &[], &list).resource["idField"].clone();
    assert_eq!(of_list(json!([{"customerId": 1, "orderId": 2}, {"customerId": 2, "orderId": 3}])), "orderId");
    assert_eq!(of_list(json!([{"id": 1, "uuid": "a"}, {"id": 1, "uuid": "b"}])), "uuid");
    assert_eq!(
        of_list(
            json!([{"id": 12345678901234567890_u64, "at": 1}, {"id": 12345678901234567891_u64, "at": 1}])
        ),
        "id"
    );
    assert_eq!(of_list(json!([{"_id": "x", "a.b": 1}, {"_id": "y", "a.b": 2}])), "_id");
    assert_eq!(
        of_list(json!([{"fields": {"id": 5, "note": "x"}}, {"fields": {"id": 6, "note": "x"}}])),
        "fields.id"
    );
    let made = of("https://a.test/orders", &[], &json!([{"id": 1}, {"id": null}, {"id": 2}]));
    assert!(warned(&made, "`id` is present in 2 of 3 records"), "{:?}", made.warnings);
}

#[test]
fn the_list_of_records_is_told_from_lists_beside_it() {
    let body = json!({"data": customers(2), "included": customers(9), "errors": [{"id": 1}]});
    let made = of("https://a.test/x", &[], &body);
    assert_eq!(made.resource["list"], "data");
    assert_eq!(proposal(&made, "list").alternatives[0].value, "included");
    let body = json!({"response": {"docs": customers(3)}, "tags": [1, 2]});
    assert_eq!(of("https://a.test/x", &[], &body).resource["list"], "response.docs");
    let body = json!({"orders": customers(1), "items": customers(5)});
    assert_eq!(of("https://a.test/orders", &[], &body).resource["list"], "orders");
}

#[test]
fn what_is_no_list_of_records_is_refused_with_a_remedy() {
    refused("", "empty; give an answer");
    refused("<html>", "HTML or XML");
    refused("{", "cannot be read");
    refused("[]", "an empty list; take one with records");
    refused("[1, 2]", "values that are no objects");
    refused("{\"a\": 1}", "no list with objects");
    refused("3", "a single value");
    refused(r#"[{"a": []}, {"a": {}}]"#, "could be an id");
    let sample = Sample { url: Some("file:///etc"), headers: &[], body: "[{\"id\":1}]", now: now() };
    assert!(suggest(&sample).unwrap_err().to_string().contains("does not begin with `https://`"));
}

#[test]
fn without_an_address_there_is_no_url() {
    let sample = Sample { url: None, headers: &[], body: r#"{"deals": [{"id": 1}]}"#, now: now() };
    let made = suggest(&sample).unwrap();
    assert_eq!((made.name.as_str(), made.resource.get("url")), ("deals", None));
    assert!(warned(&made, "`url` is missing"));
}
