//! The documents that the product was ordered with do what their text says.

use std::time::Duration;

use serde_json::{Value, json};
use turnstone_core::check::{CheckSettings, Checked, ConnectorDefaults, check};
use turnstone_core::date::Resolution;
use turnstone_core::resource::{ComparedBy, Resource};
use turnstone_core::template::Values;

const SAGEONE: &str = include_str!("../mission/sageone.json");
const REVEL: &str = include_str!("../mission/revel-to-fill-in.json");
const REVEL_COMMAS: &str = include_str!("../mission/revel-commas-missing.txt");
const SERVICENOW: &str = include_str!("../mission/servicenow-to-fill-in.json");
const ALL_PARAMETERS: &str = include_str!("../mission/all-parameters.json");
const CONNECTOR: &str = include_str!("../mission/connector-configuration.json");

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The documents use hub paths, which continue a base address.
fn settings() -> CheckSettings {
    let mut settings = CheckSettings::new("2026-01-01T00:00:00Z".parse().unwrap());
    let base_url = Some("https://api.example.com/elements/api-v2".into());
    settings.connector = Some(ConnectorDefaults { base_url, ..ConnectorDefaults::default() });
    settings
}

fn checked(document: &Value) -> Checked {
    check(document, &settings())
}

/// What an address becomes when the last poll was at 2019-05-09T20:37:30.123Z.
fn rendered(resource: &Resource) -> String {
    let at = "2019-05-09T20:37:30.123Z".parse().unwrap();
    resource.url.render(&Values { start: at, end: at, cursor: None })
}

#[track_caller]
fn check_said(found: &[turnstone_core::check::Fault], path: &str, words: &str) {
    let here =
        |fault: &&turnstone_core::check::Fault| fault.path == path && fault.to_string().contains(words);
    assert!(found.iter().any(|fault| here(&fault)), "no `{words}` at {path} in {found:#?}");
}

#[test]
fn the_finance_example_is_polled_with_its_quote_closed() {
    let checked = checked(&read(SAGEONE));
    let url = r#"configuration."event.poller.configuration".customers.url"#;
    check_said(&checked.repairs, url, "last quote of `where` is missing");
    check_said(&checked.warnings, url, "write `gmtDate`");
    assert_eq!((checked.faults.len(), checked.repairs.len()), (0, 1), "{:#?}", checked.repairs);
    let instance = checked.instance.unwrap();
    assert_eq!((instance.element_key.as_str(), instance.name.as_str()), ("sageone", "API_Polling"));
    assert_eq!(instance.tags, ["Test"]);
    assert!(instance.enabled);
    assert_eq!(instance.interval, Duration::from_secs(15 * 60));
    assert_eq!(instance.callback.as_ref().unwrap().url, "http://mycoolapp.com/");
    assert_eq!(instance.provider_data["code"], "1c6ff4089d58d80e86482ab7d5b97f15dd7b041d");
    assert_eq!(instance.other_configuration["oauth.callback.url"], "https://mycoolapp.com");
    let [customers] = &instance.resources[..] else { panic!("one resource") };
    assert_eq!(customers.name, "customers");
    assert_eq!(customers.id_field.as_str(), "id");
    assert_eq!(customers.compared, ComparedBy::Updated);
    assert_eq!(customers.url.inclusive(), Some(true));
    assert_eq!(
        rendered(customers),
        "https://api.example.com/elements/api-v2/hubs/finance/customers?where=lastModifiedDate%3E=\
         %272019-05-09T20:37:30Z%27%20and%20attributes=%27created_at,updated_at%27"
    );
}

#[test]
fn the_employee_example_names_everything_that_is_left_to_fill_in() {
    let checked = checked(&read(REVEL));
    assert!(checked.instance.is_none());
    check_said(
        &checked.faults,
        r#"configuration."event.poller.refresh_interval""#,
        "`<minutes>` is left to fill in",
    );
    check_said(&checked.faults, "name", "`<INSTANCE_NAME>` is left to fill in");
    check_said(&checked.faults, "tags[0]", "`<Add_Your_Tag>` is left to fill in");
    let timesheets = r#"configuration."event.poller.configuration".timesheets"#;
    check_said(&checked.faults, timesheets, "takes the settings of a connector");
    assert_eq!(checked.faults.len(), 4, "{:#?}", checked.faults);
    check_said(&checked.warnings, r#"configuration."oauth.api.key""#, "left to fill in");
}

#[test]
fn the_employee_example_works_when_it_is_filled_in() {
    let mut document = read(REVEL);
    document["name"] = json!("Revel");
    document["tags"] = json!([]);
    document["configuration"]["event.poller.refresh_interval"] = json!("7.5");
    let mut settings = settings();
    let employees = document["configuration"]["event.poller.configuration"]["employees"].clone();
    settings.connector.as_mut().unwrap().resources.insert("timesheets".into(), employees);
    let checked = check(&document, &settings);
    assert!(checked.faults.is_empty() && checked.repairs.is_empty(), "{:#?}", checked.faults);
    let instance = checked.instance.unwrap();
    assert_eq!(instance.interval, Duration::from_secs(450));
    assert_eq!(instance.resources.len(), 2, "`{{}}` took what the connector brings");
    let employees = &instance.resources[0];
    assert!(
        rendered(employees).ends_with("updated_date__gte=%272019-05-09T12:37:30.123%27"),
        "PST is 8 hours behind"
    );
    assert_eq!(employees.url.inclusive(), Some(true), "its name ends in gte");
    let updated = employees.updated.as_ref().unwrap();
    let read = updated.format.parse("2019-05-09T12:37:30.123").unwrap().at;
    assert_eq!(read.to_string(), "2019-05-09T20:37:30.123Z");
}

#[test]
fn the_command_with_missing_commas_is_no_document_until_they_are_there() {
    let error = serde_json::from_str::<Value>(REVEL_COMMAS).unwrap_err();
    assert_eq!(error.line(), 7, "{error}");
    let mended = REVEL_COMMAS
        .replace("\"code\": \"xxx\"\n", "\"code\": \"xxx\",\n")
        .replace("\"subdomain\": \"cloud-elements\"\n", "\"subdomain\": \"cloud-elements\",\n");
    let checked = checked(&read(&mended));
    assert!(checked.faults.is_empty() && checked.repairs.is_empty(), "{:#?}", checked.faults);
    let instance = checked.instance.unwrap();
    assert_eq!(
        instance.resources.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(),
        ["employees", "timesheets"]
    );
    assert_eq!(instance.interval, Duration::from_secs(15 * 60));
}

#[test]
fn the_helpdesk_example_reads_dates_with_a_blank_and_asks_with_a_t() {
    let mut document = read(SERVICENOW);
    let faults = checked(&document).faults;
    assert_eq!(faults.len(), 3, "{faults:#?}");
    document["name"] = json!("ServiceNow");
    document["tags"] = json!(["Docs"]);
    document["configuration"]["event.poller.refresh_interval"] = json!(1);
    let instance = checked(&document).instance.unwrap();
    let accounts = &instance.resources[0];
    assert!(rendered(accounts).ends_with("?where=sys_updated_on%3E%272019-05-09T20:37:30%27"));
    assert_eq!(accounts.url.inclusive(), Some(false));
    assert_eq!(accounts.url.resolution(), Some(Resolution::Second));
    let read = accounts.created.as_ref().unwrap().format.parse("2019-05-09 20:37:30").unwrap().at;
    assert_eq!(read.to_string(), "2019-05-09T20:37:30Z");
}

fn around(resources: Value) -> Value {
    json!({"element": {"key": "activecampaign2"}, "configuration": {"event.poller.configuration": resources}})
}

#[test]
fn every_parameter_of_the_builder_page_is_read() {
    let checked = checked(&around(read(ALL_PARAMETERS)));
    let format = r#"configuration."event.poller.configuration".deals.datesConfiguration.createdDateFormat"#;
    check_said(&checked.repairs, format, "dropped the stray quote");
    let url = r#"configuration."event.poller.configuration".deals.url"#;
    check_said(&checked.warnings, url, "a date that never moves");
    let deals = &checked.instance.unwrap().resources[0];
    assert_eq!(deals.created_check_tolerance, Duration::from_secs(60));
    assert_eq!(deals.poll_delay, Duration::from_secs(60));
    assert_eq!(deals.page_size, 20);
    assert!(!deals.url.is_filtered());
    assert!(rendered(deals).ends_with("/hubs/marketing/deals?where=mdate%3E=2017-02-28T16:11:29-06:00"));
    for date in [&deals.updated, &deals.created] {
        let read = date.as_ref().unwrap().format.parse("2019-05-09T13:37:30-07:00").unwrap().at;
        assert_eq!(read.to_string(), "2019-05-09T20:37:30Z");
    }
}

#[test]
fn the_same_as_text_inside_a_connector_is_read_too() {
    let text = read(CONNECTOR)["defaultValue"].clone();
    assert!(text.is_string());
    let checked = checked(&around(text));
    assert!(checked.repairs.is_empty(), "an empty zone means none: {:#?}", checked.repairs);
    assert_eq!(checked.instance.unwrap().resources[0].name, "deals");
}

#[test]
fn without_a_base_the_hub_paths_say_what_is_missing() {
    let bare = CheckSettings::new("2026-01-01T00:00:00Z".parse().unwrap());
    let checked = check(&read(SAGEONE), &bare);
    let url = r#"configuration."event.poller.configuration".customers.url"#;
    check_said(&checked.faults, url, "hub path");
    check_said(&checked.faults, url, "`base.url`");
}

#[test]
fn the_resources_alone_are_told_where_they_belong() {
    let checked = checked(&read(ALL_PARAMETERS));
    check_said(&checked.faults, "deals", "put the resources into");
}
