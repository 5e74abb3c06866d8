//! Signing in: requests, answers of token servers, and what they mean, as tables.

use jiff::Timestamp;
use serde_json::{Value, json};
use turnstone_core::auth::{
    Authorization, Due, Grant, RenewalWay, TokenFault, authorization_url, can_renew,
    client_credentials_request, code_request, due, is_expected_state, password_request, pkce_challenge,
    read_token, refresh_request, renewal_way, revocation_request, stored,
};
use turnstone_core::call::{VendorBody, VendorRequest};
use turnstone_core::check::CheckSettings;
use turnstone_core::connector::{Connector, Document, Settings, check};

use super::connector::{REVEL, SERVICENOW, connector};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

fn settings(pairs: &[(&str, &str)]) -> Settings {
    let mut settings = Settings::default();
    let usual = [
        ("oauth.api.key", "id"),
        ("oauth.api.secret", "s&cret"),
        ("oauth.callback.url", "https://app.example.com/cb"),
        ("oauth.authorization.url", "https://{sub}.example.com/authorize"),
        ("oauth.token.url", "https://{sub}.example.com/token"),
        ("sub", "acme"),
    ];
    usual.iter().chain(pairs).for_each(|(key, value)| settings.set(key, value));
    settings
}

fn asked<'a>(state: &'a str, verifier: Option<&'a str>, scope: &'a str) -> Authorization<'a> {
    Authorization { state, verifier, scope }
}

#[test]
fn the_authorisation_address_has_state_and_challenge() {
    let url =
        authorization_url(&settings(&[("oauth.scope", "a b")]), asked("st&te", Some(VERIFIER), "")).unwrap();
    assert_eq!(
        url,
        "https://acme.example.com/authorize?response_type=code&client_id=id&redirect_uri=https%3A%2F%2Fapp.example.com\
         %2Fcb&scope=a+b&state=st%26te&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=\
         S256"
    );
    let url = authorization_url(&settings(&[]), asked("s", None, "x")).unwrap();
    assert!(url.ends_with("&scope=x&state=s"), "{url}");
    let own = settings(&[("oauth.authorization.url", "https://p.example.com/a?scope=fixed&filter=3.1")]);
    let url = authorization_url(&own, asked("s", None, "x")).unwrap();
    assert!(url.starts_with("https://p.example.com/a?scope=fixed&filter=3.1&response_type=code&"), "{url}");
    assert_eq!(url.matches("scope=").count(), 1, "{url}");
}

#[test]
fn what_an_authorisation_lacks_is_said() {
    let fault = |pairs: &[(&str, &str)], verifier: Option<&str>| {
        authorization_url(&settings(pairs), asked("s", verifier, "")).unwrap_err().to_string()
    };
    assert_eq!(
        fault(&[("oauth.api.key", "")], None),
        "the configuration value `oauth.api.key` is missing, which OAuth 2 needs; set it on the instance"
    );
    assert_eq!(
        fault(&[("oauth.authorization.url", "https://{site}/a")], None),
        "the configuration value `site` is missing, which `oauth.authorization.url` needs; set it on the instance"
    );
    for address in ["nowhere", "javascript:alert(1)", "ftp://x/"] {
        assert_eq!(
            fault(&[("oauth.authorization.url", address)], None),
            "`oauth.authorization.url` is not an address; correct it in the connector"
        );
    }
    let verifier = "the PKCE verifier needs 43 to 128 letters, digits and signs of `-._~`; make another one";
    for bad in ["short", &"x".repeat(129), &"ü".repeat(30)] {
        assert_eq!(fault(&[], Some(bad)), verifier);
    }
    // RFC 7636, appendix B.
    assert_eq!(pkce_challenge(VERIFIER).unwrap(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

#[test]
fn a_state_is_compared_whole() {
    assert!(is_expected_state("abc", "abc"));
    for other in ["abd", "ab", "abcd", ""] {
        assert!(!is_expected_state("abc", other), "{other}");
    }
    assert!(!is_expected_state("", ""));
}

fn grant(data: Value) -> Result<Grant, String> {
    Grant::read(data.as_object().unwrap()).map_err(|error| error.to_string())
}

#[test]
fn what_a_redirect_brought_is_read_and_not_shown() {
    let found =
        grant(json!({"code": "c0de", "state": "s", "realmId": 12, "token": "t", "more": {}})).unwrap();
    assert_eq!((found.code.as_str(), found.state.as_deref()), ("c0de", Some("s")));
    assert_eq!(found.others, [("realmId".to_string(), "12".to_string()), ("token".into(), "t".into())]);
    assert_eq!(format!("{found:?}"), "Grant");
    assert_eq!(
        grant(json!({"state": "s"})).unwrap_err(),
        "`providerData` has no `code`; send the one that the provider redirected with"
    );
    assert_eq!(
        grant(json!({"error": "access_denied", "error_description": "user said no"})).unwrap_err(),
        "the provider refused the authorisation (user said no); start it again and allow the access"
    );
}

/// Address, authorisation header, fields.
fn show(request: &VendorRequest) -> String {
    let header = request.headers.iter().find(|(name, _)| name == "Authorization");
    let header = header.map(|(_, value)| format!(" [{value}]")).unwrap_or_default();
    let VendorBody::Form(fields) = &request.body else { panic!("a form") };
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{} {}{header} {}", request.method, request.url, fields.join("&"))
}

#[test]
fn token_requests_are_as_the_connector_declares() {
    let basic = [("oauth.basic.header", "true"), ("oauth.user.refresh_token", "r")];
    let grant = grant(json!({"code": "c", "state": "s", "token": "t", "client_id": "x"})).unwrap();
    let callback = "redirect_uri=https://app.example.com/cb";
    assert_eq!(
        show(&code_request(&settings(&[]), &grant, Some(VERIFIER)).unwrap()),
        format!(
            "POST https://acme.example.com/token grant_type=authorization_code&code=c&{callback}&code_verifier={VERIFIER}\
             &token=t&client_id=id&client_secret=s&cret"
        )
    );
    assert_eq!(
        show(&code_request(&settings(&basic), &grant, None).unwrap()),
        format!(
            "POST https://acme.example.com/token [Basic aWQ6cyZjcmV0] grant_type=authorization_code&code=c&{callback}&\
             token=t"
        )
    );
    assert_eq!(
        show(&refresh_request(&settings(&basic)).unwrap()),
        "POST https://acme.example.com/token [Basic aWQ6cyZjcmV0] grant_type=refresh_token&refresh_token=r"
    );
    let elsewhere =
        settings(&[("oauth.user.refresh_token", "r"), ("oauth.token.refresh_url", "https://r.example.com/")]);
    assert!(
        show(&refresh_request(&elsewhere).unwrap())
            .starts_with("POST https://r.example.com/ grant_type=refresh_token")
    );
    assert_eq!(
        show(&client_credentials_request(&settings(&[("oauth.scope", "a b")])).unwrap()),
        "POST https://acme.example.com/token grant_type=client_credentials&scope=a b&client_id=id&client_secret=s&cret"
    );
    let owner = settings(&[("username", "u"), ("password", "p"), ("oauth.api.secret", "")]);
    assert_eq!(
        show(&password_request(&owner).unwrap()),
        "POST https://acme.example.com/token grant_type=password&username=u&password=p&client_id=id"
    );
    assert!(
        refresh_request(&settings(&[]))
            .unwrap_err()
            .to_string()
            .contains("`oauth.user.refresh_token` is missing")
    );
    assert_eq!(revocation_request(&settings(&basic)).unwrap(), None);
    let revoked =
        settings(&[("oauth.token.revoke_url", "https://r.example.com/x"), ("oauth.user.token", "a")]);
    assert!(
        show(&revocation_request(&revoked).unwrap().unwrap())
            .starts_with("POST https://r.example.com/x token=a&")
    );
}

/// Access token, refresh token, seconds, further members; or the fault.
#[track_caller]
fn reads(status: u16, body: &str, expect: &str) {
    let shown = match read_token(status, body) {
        Ok(token) => format!(
            "{} {} {} {:?}",
            token.access,
            token.refresh.unwrap_or("-".into()),
            token.expires_in.map_or("-".into(), |seconds| seconds.to_string()),
            token.others
        ),
        Err(TokenFault::Reconnect(words)) => format!("reconnect: {words}"),
        Err(TokenFault::Transient(words)) => format!("transient: {words}"),
    };
    assert_eq!(shown, expect, "{status} {body}");
}

#[test]
fn answers_of_token_servers_are_read_leniently() {
    reads(
        200,
        r#"{"access_token":"a","refresh_token":"r","expires_in":3600,"token_type":"Bearer"}"#,
        "a r 3600 []",
    );
    reads(200, r#"{"access_token":"a","expires_in":"3600"}"#, "a - 3600 []");
    reads(200, r#"{"access_token":"a","expires_in":3599.8}"#, "a - 3599 []");
    reads(200, r#"{"access_token":"a","expires_in":null,"refresh_token":""}"#, "a - - []");
    reads(201, r#"{"accessToken":"a","refreshToken":"r","expiresIn":9}"#, "a r 9 []");
    reads(200, "access_token=a%2Bb&expires_in=60&token_type=bearer", "a+b - 60 []");
    reads(
        200,
        r#"{"access_token":"a","instance_url":"https://x"}"#,
        r#"a - - [("instance_url", "https://x")]"#,
    );
    reads(200, r#"{"data":{"access_token":"a"}}"#, "a - - []");
    reads(200, r#"{"access_token":"a","expires_in":"soon"}"#, "a - - []");
}

#[test]
fn refusals_of_token_servers_are_verdicts_or_pass() {
    reads(
        400,
        r#"{"error":"invalid_grant","error_description":"revoked"}"#,
        "reconnect: the provider answered 400 (invalid_grant: revoked)",
    );
    reads(401, r#"{"error":"invalid_client"}"#, "reconnect: the provider answered 401 (invalid_client)");
    reads(403, "", "reconnect: the provider answered 403");
    reads(
        200,
        r#"{"error":"bad_verification_code"}"#,
        "reconnect: the provider answered 200 (bad_verification_code)",
    );
    reads(200, r#"{"ok":true}"#, "reconnect: the provider answered 200 without a token");
    reads(200, "<html>maintenance</html>", "transient: the provider answered 200 without a token");
    reads(200, "", "transient: the provider answered 200 without a token");
    reads(500, r#"{"error":"invalid_grant"}"#, "transient: the provider answered 500 (invalid_grant)");
    reads(503, "<html>", "transient: the provider answered 503");
    reads(429, r#"{"error":"slow_down"}"#, "transient: the provider answered 429 (slow_down)");
    reads(
        400,
        r#"{"error":"temporarily_unavailable"}"#,
        "transient: the provider answered 400 (temporarily_unavailable)",
    );
    reads(408, "", "transient: the provider answered 408");
    reads(302, "", "transient: the provider answered 302");
    let reconnect = read_token(400, r#"{"error":"invalid_grant"}"#).unwrap_err();
    assert_eq!(reconnect.to_string(), "reconnect needed: the provider answered 400 (invalid_grant)");
    let later = read_token(500, "").unwrap_err();
    assert_eq!(later.to_string(), "the token could not be renewed this time: the provider answered 500");
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn a_token_is_kept_under_the_keys_of_the_field() {
    let token = read_token(200, r#"{"access_token":"a","expires_in":60}"#).unwrap();
    let kept = stored(&token, at("2026-01-01T00:00:00Z"));
    let value = |key: &str| kept.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_deref());
    assert_eq!(value("oauth.user.token"), Some(Some("a")));
    assert_eq!(value("oauth.user.refresh_time"), Some(Some("1767225600000")));
    assert_eq!(value("oauth.user.refresh_token"), None, "the old one stays");
    assert_eq!(value("expires_in"), Some(Some("60")));
    let rotated = read_token(200, r#"{"access_token":"b","refresh_token":"r2"}"#).unwrap();
    let kept = stored(&rotated, at("2026-01-01T00:00:00Z"));
    assert!(kept.contains(&("oauth.user.refresh_token".to_string(), Some("r2".to_string()))));
    assert!(kept.contains(&("expires_in".to_string(), None)), "the end of another token says nothing");
    assert_eq!(format!("{rotated:?}"), "Token(expires in None)");
}

/// `expires_in` and `oauth.user.refresh_interval` of a token of midnight.
#[track_caller]
fn due_at(expires_in: &str, interval: &str, now: &str, expect: Due) {
    let settings = settings(&[
        ("oauth.user.refresh_time", "1767225600000"),
        ("expires_in", expires_in),
        ("oauth.user.refresh_interval", interval),
    ]);
    assert_eq!(due(&settings, at(now)), expect, "{expires_in} {interval} {now}");
}

#[test]
fn tokens_are_renewed_before_they_end() {
    let noon = "2026-01-01T00:10:00Z";
    due_at("3600", "", noon, Due::At(at("2026-01-01T00:58:00Z")));
    due_at("", "", noon, Due::At(at("2026-01-01T00:58:00Z")));
    due_at("3600", "1800", noon, Due::At(at("2026-01-01T00:28:00Z")));
    due_at("86400", "3600", noon, Due::At(at("2026-01-01T00:58:00Z")));
    due_at("600", "", noon, Due::Now);
    due_at("700", "", "2026-01-01T00:09:39Z", Due::At(at("2026-01-01T00:09:40Z")));
    due_at("8", "", "2026-01-01T00:00:05Z", Due::At(at("2026-01-01T00:00:06Z")));
    due_at("8", "", "2026-01-01T00:00:06Z", Due::Now);
    due_at("nonsense", "-1", noon, Due::At(at("2026-01-01T00:58:00Z")));
    due_at("3600", "", "2025-12-31T00:00:00Z", Due::Unknown);
    assert_eq!(due(&settings(&[]), at(noon)), Due::Unknown);
    assert_eq!(due(&settings(&[("oauth.user.refresh_time", "x")]), at(noon)), Due::Unknown);
}

fn of_kind(kind: &str, resources: Value) -> Connector {
    let element = json!({"name": "t", "authentication": {"type": kind}, "resources": resources});
    let document = Document::parse(element.to_string()).unwrap();
    let checked = check(&document, &CheckSettings::new(at("2026-01-01T00:00:00Z")));
    checked.connector.unwrap_or_else(|| panic!("{:#?}", checked.faults))
}

#[test]
fn credentials_are_renewed_in_the_way_of_the_connector() {
    let way = |kind: &str, resources: Value, pairs: &[(&str, &str)]| match renewal_way(
        &of_kind(kind, resources),
        &settings(pairs),
    )
    .unwrap()
    {
        RenewalWay::Request(request) => show(&request).split(' ').nth(2).unwrap()[..24].to_string(),
        RenewalWay::Resource(position) => format!("resource {position}"),
        RenewalWay::None => "none".to_string(),
    };
    let refresh = [("oauth.user.refresh_token", "r")];
    let own =
        |kind: &str| json!([{"path": "/x", "method": "GET"}, {"path": "/r", "method": "POST", "type": kind}]);
    assert_eq!(way("oauth2", json!([]), &refresh), "grant_type=refresh_token");
    assert_eq!(way("oauth2", json!([]), &[]), "none");
    assert_eq!(way("oauth2", own("oauthOnTokenRefresh"), &refresh), "resource 1");
    assert_eq!(way("oauth2", own("onRefresh"), &refresh), "resource 1");
    assert_eq!(way("oauth2ClientCredentials", json!([]), &[]), "grant_type=client_creden");
    assert_eq!(way("oauth2ClientCredentials", own("oauth2ClientCredentials"), &[]), "resource 1");
    assert_eq!(
        way("oauth2Password", json!([]), &[("username", "u"), ("password", "p")]),
        "grant_type=password&user"
    );
    assert_eq!(way("custom", own("onRefresh"), &[]), "resource 1");
    assert_eq!(way("apiKey", own("onRefresh"), &[]), "resource 1");
    for kind in ["custom", "basic", "none", "oauth1", "apiKey"] {
        assert_eq!(way(kind, json!([]), &refresh), "none", "{kind}");
    }
    assert!(!can_renew(&of_kind("oauth2Password", json!([])), &settings(&[])), "without a password");
}

#[test]
fn the_connectors_of_the_mission_can_be_signed_in_to() {
    let servicenow = connector(SERVICENOW);
    let own = [("servicenow.subdomain", "acme"), ("oauth.api.key", "k"), ("oauth.api.secret", "s")];
    let own = own.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    let settings = servicenow.settings(&own);
    let url = authorization_url(&settings, asked("s", None, "")).unwrap();
    assert!(
        url.starts_with("https://acme.service-now.com/oauth_auth.do?response_type=code&client_id=k&"),
        "{url}"
    );
    let grant = grant(json!({"code": "<AUTHORIZATION_GRANT_CODE>"})).unwrap();
    let request = code_request(&settings, &grant, None).unwrap();
    assert_eq!(request.url, "https://acme.service-now.com/oauth_token.do");
    assert_eq!(
        format!("{request:?}"),
        "VendorRequest(POST https://acme.service-now.com)",
        "no secret is printed"
    );
    let revel = connector(REVEL);
    assert!(revel.settings(&own).get("oauth.token.url").is_some());
}
