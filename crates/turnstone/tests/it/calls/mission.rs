//! The mission's connectors, instantiated with its bodies and polled through their own resources against providers
//! that answer as theirs do: everything that changes becomes an event, and nothing twice.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use serde_json::{Value, json};
use turnstone_core::event::{Event, EventType};

use super::vendor::{Records, Said, Seen, Vendor, zulu};
use super::world::World;

pub const REVEL: &str = include_str!("../../../../core/tests/elements/revel.json");
pub const SERVICENOW: &str = include_str!("../../../../core/tests/elements/servicenowoauth.json");
pub const DEALS: &str = include_str!("../../../../core/tests/elements/activecampaign2.json");
pub const SAGEONE: &str = include_str!("../../../../core/tests/elements/sageone.json");

/// Records at the start, in several pages.
const RECORDS: u64 = 65;

fn bearer() -> Value {
    json!({"access_token": "access-token-1", "refresh_token": "refresh-token-1", "expires_in": 3600})
}

fn ok(json: Value) -> Said {
    (200, Vec::new(), json)
}

fn refused() -> Said {
    (401, Vec::new(), json!({"error": {"message": "bad credentials"}}))
}

fn dates(pattern: &str, changed: Timestamp, made: Timestamp, zone: &TimeZone) -> (String, String) {
    let write = |at: Timestamp| at.to_zoned(zone.clone()).strftime(pattern).to_string();
    (write(changed), write(made))
}

/// A provider as revel is one.
pub async fn revel(records: &Records) -> Vendor {
    let shown = records.clone();
    let pst = TimeZone::fixed(Offset::constant(-8));
    Vendor::start(move |seen: &Seen| match seen.path.as_str() {
        "/oauth/token/" => {
            let sent: Value = serde_json::from_str(&seen.body).unwrap();
            assert_eq!((&sent["code"], &sent["temporary_token"]), (&json!("xxx"), &json!("temporary-1")));
            ok(bearer())
        }
        _ if seen.header("api-authentication") != "Bearer access-token-1" => refused(),
        "/enterprise/Establishment/" => ok(json!({"objects": []})),
        "/resources/Employee/" | "/resources/TimeSheetEntry/" => {
            let since = seen.parameter("updated_date__gte").map(|text| {
                let local: jiff::civil::DateTime = text.parse().unwrap();
                local.to_zoned(pst.clone()).unwrap().timestamp()
            });
            let page = shown.page(since, seen.number("offset", 0), seen.number("limit", 100));
            let record = |(number, made, changed)| {
                let (changed, made) = dates("%Y-%m-%dT%H:%M:%S.000", changed, made, &pst);
                json!({"id": number, "updated_date": changed, "created_date": made})
            };
            ok(json!({"meta": {}, "objects": page.into_iter().map(record).collect::<Vec<_>>()}))
        }
        _ => (404, Vec::new(), json!({"message": "Not found"})),
    })
    .await
}

/// The mission's body for revel, with this address of the provider.
pub fn revel_body(url: &str) -> Value {
    let polled = json!({
        "url": "/hubs/employee/employees?where=updated_date__gte='${DateTimeZone:PST:yyyy-MM-dd'T'HH:mm:ss.SSS}'",
        "idField": "id",
        "datesConfiguration": {
            "updatedDateField": "updated_date", "updatedDateFormat": "yyyy-MM-dd'T'HH:mm:ss.SSS",
            "updatedDateTimezone": "PST", "createdDateField": "created_date",
            "createdDateFormat": "yyyy-MM-dd'T'HH:mm:ss.SSS", "createdDateTimezone": "PST"}
    });
    json!({
        "element": {"key": "revel"},
        "providerData": {"code": "xxx", "token": "temporary-1"},
        "configuration": {
            "base.url": url,
            "oauth.callback.url": "https://mycoolapp.com", "oauth.api.key": "key", "oauth.api.secret": "secret-1",
            "subdomain": "cloud-elements", "event.notification.enabled": true,
            "event.notification.callback.url": "https://api.cloud-elements.com/elements/api-v2/events/revel/",
            "event.poller.refresh_interval": "15",
            // The second takes the connector's default.
            "event.poller.configuration": {"employees": polled, "timesheets": {}}
        },
        "tags": ["Docs"], "name": "API Instance with Polling"
    })
}

/// A provider as servicenow is one.
pub async fn servicenow(records: &Records) -> Vendor {
    let shown = records.clone();
    Vendor::start(move |seen: &Seen| {
        let utc = TimeZone::UTC;
        match seen.path.as_str() {
            "/oauth_token.do" => {
                assert!(seen.form().contains(&("code".into(), "grant-1".into())), "{:?}", seen.form());
                ok(bearer())
            }
            _ if seen.header("authorization") != "Bearer access-token-1" => refused(),
            "/api/now/v1/table/sys_user" => ok(json!({"result": []})),
            "/api/now/v1/table/customer_account" => {
                let since = seen.parameter("sysparm_query").map(|query| {
                    let text = query.strip_prefix("sys_updated_on>").expect(query);
                    let local: jiff::civil::DateTime = text.parse().unwrap();
                    local.to_zoned(utc.clone()).unwrap().timestamp() + jiff::SignedDuration::from_secs(1)
                });
                let page =
                    shown.page(since, seen.number("sysparm_offset", 0), seen.number("sysparm_limit", 100));
                let record = |(number, made, changed): (u64, _, _)| {
                    let (changed, made) = dates("%Y-%m-%d %H:%M:%S", changed, made, &utc);
                    json!({"sys_id": number.to_string(), "sys_updated_on": changed, "sys_created_on": made})
                };
                ok(json!({"result": page.into_iter().map(record).collect::<Vec<_>>()}))
            }
            _ => (404, Vec::new(), json!({"error": {"message": "No Record found"}})),
        }
    })
    .await
}

/// The mission's body for servicenow, with this address of the provider.
pub fn servicenow_body(url: &str) -> Value {
    json!({
        "element": {"key": "servicenowoauth"},
        "providerData": {"code": "grant-1"},
        "configuration": {
            "base.url": format!("{}/api/now/v1", url),
            "oauth.token.url": format!("{}/oauth_token.do", url),
            "oauth.callback.url": "https://mycoolapp.com", "oauth.api.key": "key", "oauth.api.secret": "secret-1",
            "servicenow.subdomain": "acme", "event.notification.enabled": true,
            "event.notification.callback.url": "http://mycoolapp.com",
            "event.poller.refresh_interval": "15",
            "event.poller.configuration": {"accounts": {
                "url": "/hubs/helpdesk/accounts?where=sys_updated_on>'${gmtDate:yyyy-MM-dd'T'HH:mm:ss}'",
                "idField": "sys_id",
                "datesConfiguration": {
                    "updatedDateField": "sys_updated_on", "updatedDateFormat": "yyyy-MM-dd HH:mm:ss",
                    "createdDateField": "sys_created_on", "createdDateFormat": "yyyy-MM-dd HH:mm:ss"}
            }}
        },
        "tags": ["docs"], "name": "demo"
    })
}

/// A provider as deals is one.
pub async fn deals(records: &Records) -> Vendor {
    let shown = records.clone();
    Vendor::start(move |seen: &Seen| match seen.path.as_str() {
        _ if seen.header("api-token") != "key-0123" => refused(),
        "/api/3/deals" => {
            assert_eq!(seen.parameter("filters[updated_after]"), Some("2017-02-28T16:11:29-06:00"));
            let page = shown.page(None, seen.number("offset", 0), seen.number("limit", 100));
            let record = |(number, made, changed): (u64, _, _)| {
                let (changed, made) =
                    dates("%Y-%m-%dT%H:%M:%S-06:00", changed, made, &TimeZone::fixed(Offset::constant(-6)));
                json!({"id": number.to_string(), "mdate": changed, "cdate": made, "title": format!("deal {number}"),
                    "owner": {"name": "ann"}})
            };
            ok(json!({"deals": page.into_iter().map(record).collect::<Vec<_>>()}))
        }
        _ => (404, Vec::new(), Value::Null),
    })
    .await
}

/// The mission's body for deals, with this address of the provider.
pub fn deals_body(url: &str) -> Value {
    json!({
        "element": {"key": "activecampaign2"}, "name": "deals",
        "configuration": {
            "base.url": format!("{}/api/3", url), "account": "acme", "api.token": "key-0123",
            "event.notification.enabled": true, "event.poller.configuration": {"deals": {}}
        }
    })
}

/// A provider as sageone is one.
pub async fn sageone(records: &Records) -> Vendor {
    let shown = records.clone();
    Vendor::start(move |seen: &Seen| match seen.path.as_str() {
        "/token" => ok(bearer()),
        _ if seen.header("authorization") != "Bearer access-token-1" => refused(),
        "/v3.1/contacts" => {
            assert_eq!(seen.parameter("contact_type_id"), Some("CUSTOMER"));
            assert_eq!(seen.parameter("attributes"), Some("created_at,updated_at"));
            let since = seen.parameter("updated_or_created_since").map(|text| text.parse().unwrap());
            let size = seen.number("items_per_page", 200);
            let page = shown.page(since, (seen.number("page", 1) - 1) * size, size);
            let record = |(number, made, changed): (u64, _, _)| {
                json!({"id": number.to_string(), "updated_at": zulu(changed), "created_at": zulu(made)})
            };
            ok(json!({"$total": 1, "$items": page.into_iter().map(record).collect::<Vec<_>>()}))
        }
        _ => (404, Vec::new(), Value::Null),
    })
    .await
}

/// The mission's body for sageone, with this address of the provider.
pub fn sageone_body(url: &str) -> Value {
    json!({
        "element": {"key": "sageone"},
        "providerData": {"code": "1c6ff4089d58d80e86482ab7d5b97f15dd7b041d"},
        "configuration": {
            "base.url": format!("{}/v3.1", url), "oauth.token.url": format!("{}/token", url),
            "oauth.api.key": "key", "oauth.api.secret": "secret-1", "oauth.callback.url": "https://mycoolapp.com",
            "event.notification.enabled": true, "event.notification.callback.url": "http://mycoolapp.com",
            "event.poller.refresh_interval": "15",
            "event.poller.configuration": {"customers": {
                "url": "/hubs/finance/customers?where=lastModifiedDate>='${date:yyyy-MM-dd'T'HH:mm:ss'Z'}' and attributes='created_at,updated_at",
                "idField": "id",
                "datesConfiguration": {
                    "updatedDateField": "updated_at", "updatedDateFormat": "yyyy-MM-dd'T'HH:mm:ss'Z'",
                    "updatedDateTimezone": "GMT", "createdDateField": "created_at",
                    "createdDateFormat": "yyyy-MM-dd'T'HH:mm:ss'Z'", "createdDateTimezone": "GMT"}
            }}
        },
        "tags": ["Test"], "name": "API_Polling"
    })
}

/// Polls three times: the start is seeded in silence; what changed since is reported once; then there is nothing.
async fn polls(world: &World, vendor: &Vendor, records: &Records, row: &super::world::Polled<'_>) {
    let mut position = 0;
    assert_eq!(world.events(row.row, row.resource, &mut position).await.len(), 0, "the start is silent");
    let now = vendor.pass(30);
    let changed_at = Timestamp::from_second(now.as_second() - 600).unwrap();
    for number in [3, 40] {
        records.change(number, changed_at);
    }
    records.made(2, Timestamp::from_second(changed_at.as_second() - RECORDS as i64).unwrap());
    let mut events = world.events(row.row, row.resource, &mut position).await;
    events.sort_by_key(|event| event.object_id.parse::<u64>().unwrap());
    let told: Vec<(String, EventType)> =
        events.iter().map(|event| (event.object_id.clone(), event.event_type)).collect();
    let expect = [
        (3, EventType::Updated),
        (40, EventType::Updated),
        (66, EventType::Created),
        (67, EventType::Created),
    ];
    assert_eq!(told, expect.map(|(id, kind)| (id.to_string(), kind)));
    assert!(events.iter().all(|event: &Event| event.record.is_some()));
    vendor.pass(1);
    assert_eq!(world.events(row.row, row.resource, &mut position).await.len(), 0, "nothing twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn revel_is_connected_and_polled() {
    let records = Records::default();
    let vendor = revel(&records).await;
    let world = World::new().await;
    let element = world.element(REVEL).await;
    let body = revel_body(&vendor.url());
    let row = world.instance(&element, body).await.unwrap();
    assert!(
        !row.document.contains("access-token-1") && !row.document.contains("temporary-1"),
        "{}",
        row.document
    );
    assert_eq!(world.poller_of(&row, "timesheets").await.paused, None);
    records.made(RECORDS, Timestamp::from_second(vendor.now().as_second() - 900_000).unwrap());
    polls(&world, &vendor, &records, &super::world::Polled { row: &row, resource: "employees" }).await;
    assert_eq!(vendor.asked("/enterprise/Establishment/").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn servicenow_is_connected_and_polled_through_its_hooks() {
    let records = Records::default();
    let vendor = servicenow(&records).await;
    let world = World::new().await;
    let element = world.element(SERVICENOW).await;
    let body = servicenow_body(&vendor.url());
    let row = world.instance(&element, body).await.unwrap();
    records.made(RECORDS, Timestamp::from_second(vendor.now().as_second() - 900_000).unwrap());
    polls(&world, &vendor, &records, &super::world::Polled { row: &row, resource: "accounts" }).await;
    let missing = world.call(&row, "/hubs/helpdesk/incidents").await;
    assert_eq!(missing.status, 404);
    assert!(missing.body.unwrap().contains("No Record found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn deals_are_polled_by_their_default() {
    let records = Records::default();
    let vendor = deals(&records).await;
    let world = World::new().await;
    let element = world.element(DEALS).await;
    let body = deals_body(&vendor.url());
    let row = world.instance(&element, body).await.unwrap();
    assert!(!row.document.contains("key-0123"), "a secret entry of the connector is sealed");
    records.made(RECORDS, Timestamp::from_second(vendor.now().as_second() - 900_000).unwrap());
    polls(&world, &vendor, &records, &super::world::Polled { row: &row, resource: "deals" }).await;
    let url = "/hubs/any/deals?pageSize=1&where=mdate>=2017-02-28T16:11:29-06:00";
    let first: Value = serde_json::from_str(&world.call(&row, url).await.body.unwrap()).unwrap();
    assert_eq!((&first[0]["ownerName"], &first[0]["title"]), (&json!("ann"), &json!("deal 1")));
}

#[tokio::test(flavor = "multi_thread")]
async fn sage_one_is_connected_and_polled() {
    let records = Records::default();
    let vendor = sageone(&records).await;
    let world = World::new().await;
    let element = world.element(SAGEONE).await;
    let body = sageone_body(&vendor.url());
    let row = world.instance(&element, body).await.unwrap();
    records.made(RECORDS, Timestamp::from_second(vendor.now().as_second() - 900_000).unwrap());
    polls(&world, &vendor, &records, &super::world::Polled { row: &row, resource: "customers" }).await;
}
