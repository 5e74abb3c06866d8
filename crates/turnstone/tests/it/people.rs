//! People: who may be added, changed and removed by whom, what ends when, sessions of browsers, and the audit.

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value, json};

use crate::bench::{Answer, Server, raw, request};

const BASE: &str = "/elements/api-v2";

/// A server with its first owner.
struct Town {
    server: Server,
    owner: String,
}

impl Town {
    fn start(data: &Path) -> Town {
        let server = Server::start(data, &[]);
        let owner = server.token.clone().expect("the first start shows a token");
        Town { server, owner }
    }

    fn ask(&self, token: &str, method: &str, path: &str, body: Value) -> Answer {
        self.server.ask(token, method, path, Some(&body).filter(|body| !body.is_null()))
    }

    /// Adds a user; their id and their header.
    fn user(&self, name: &str, role: &str) -> (i64, String) {
        let body = json!({"name": name, "role": role});
        let made = self.ask(&self.owner, "POST", "/users", body).expect(200);
        (made["id"].as_i64().unwrap(), format!("User {}", made["secret"].as_str().unwrap()))
    }

    fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// A request with these header lines.
    fn raw(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n",
            self.address()
        );
        raw(self.address(), (head + body).as_bytes())
    }
}

#[test]
fn owners_add_change_and_remove_users() {
    let data = tempfile::tempdir().unwrap();
    let town = Town::start(data.path());
    let body = json!({"name": " <b>Ann</b> ", "emailAddress": "ann@example.com", "role": "admin"});
    let made = town.ask(&town.owner, "POST", "/users", body).expect(200);
    assert_eq!((&made["name"], &made["role"]), (&json!("Ann"), &json!("admin")), "{made}");
    let ann = format!("User {}", made["secret"].as_str().unwrap());
    let path = format!("/users/{}", made["id"]);
    let me = town.ask(&ann, "GET", "/users/me", Value::Null).expect(200);
    assert_eq!(me["emailAddress"], "ann@example.com");
    assert_eq!(town.ask(&ann, "GET", &path, Value::Null).expect(200), me);
    let listed = town.ask(&ann, "GET", "/users", Value::Null).expect(200);
    let names: Vec<&str> =
        listed.as_array().unwrap().iter().map(|user| user["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["owner", "Ann"]);
    assert!(!listed.to_string().contains("secret"), "{listed}");

    // Nobody raises themselves, and everybody corrects their own name.
    for body in [json!({"role": "owner"}), json!({"role": "owner", "name": "x"})] {
        town.ask(&ann, "PATCH", &path, body.clone()).expect(403);
        town.ask(&ann, "PATCH", "/users/me", body).expect(400);
    }
    let renamed = town.ask(&ann, "PATCH", "/users/me", json!({"name": "Anna"})).expect(200);
    assert_eq!((&renamed["name"], &renamed["role"]), (&json!("Anna"), &json!("admin")));
    town.ask(&ann, "PATCH", "/users/me", json!({"name": "owner"})).expect(409);
    town.ask(&town.owner, "POST", "/users", json!({"name": "Anna", "role": "reader"})).expect(409);

    // A role holds from the next request on.
    let lowered = town.ask(&town.owner, "PATCH", &path, json!({"role": "reader"})).expect(200);
    assert_eq!((&lowered["name"], &lowered["role"]), (&json!("Anna"), &json!("reader")));
    let refused = town.ask(&ann, "GET", "/users", Value::Null).expect(403);
    assert!(refused["message"].as_str().unwrap().contains("`admin`"), "{refused}");
    town.ask(&ann, "GET", "/instances", Value::Null).expect(200);
    town.ask(&town.owner, "DELETE", &path, Value::Null).expect(204);
    town.ask(&ann, "GET", "/instances", Value::Null).expect(401);
    town.ask(&town.owner, "DELETE", &path, Value::Null).expect(404);
    for (body, about) in [
        (json!({"name": "x"}), "role"),
        (json!({"name": "x", "role": "king"}), "king"),
        (json!({"name": "<i></i>", "role": "reader"}), "`name`"),
        (json!({"name": "x", "role": "reader", "emailAddress": "x"}), "`emailAddress`"),
        (json!({"name": "x", "role": "reader", "admin": true}), "`admin`"),
        (json!([]), "body"),
    ] {
        let refused = town.ask(&town.owner, "POST", "/users", body).expect(400);
        assert!(refused["message"].as_str().unwrap().contains(about), "{refused}");
    }
}

#[test]
fn an_organisation_keeps_an_owner() {
    let data = tempfile::tempdir().unwrap();
    let town = Town::start(data.path());
    let owner = town.ask(&town.owner, "GET", "/users/me", Value::Null).expect(200);
    let path = format!("/users/{}", owner["id"]);
    for role in ["admin", "member", "reader"] {
        let refused = town.ask(&town.owner, "PATCH", &path, json!({"role": role})).expect(409);
        assert!(refused["message"].as_str().unwrap().contains("only owner"), "{refused}");
    }
    town.ask(&town.owner, "DELETE", &path, Value::Null).expect(409);
    let (_, second) = town.user("second", "owner");
    town.ask(&second, "PATCH", &path, json!({"role": "reader"})).expect(200);
    town.ask(&town.owner, "GET", "/users", Value::Null).expect(403);
    town.ask(&second, "DELETE", &path, Value::Null).expect(204);
}

/// Signs in and answers cookie and change token.
fn sign_in(town: &Town, body: Value, cookie: &str) -> (String, String) {
    let lines = format!("Content-Type: application/json\r\n{cookie}");
    let answer = town.raw("POST", &format!("{BASE}/session"), &lines, &body.to_string());
    let session = answer.expect(200);
    let cookie = answer.header("Set-Cookie").unwrap().split(';').next().unwrap().to_owned();
    (
        format!("Cookie: {cookie}\r\n"),
        format!("X-Change-Token: {}\r\n", session["changeToken"].as_str().unwrap()),
    )
}

#[test]
fn a_browser_signs_in_changes_things_and_is_signed_out_with_its_user() {
    let data = tempfile::tempdir().unwrap();
    let town = Town::start(data.path());
    let (id, user) = town.user("Ann", "member");
    let secret = user.strip_prefix("User ").unwrap();
    let (cookie, token) = sign_in(&town, json!({"user": secret}), "");
    let (me, session) = (format!("{BASE}/users/me"), format!("{BASE}/session"));
    let read = |cookie: &str| town.raw("GET", &me, cookie, "").status;
    assert_eq!(read(&cookie), 200);
    // A change needs the token, whoever sends the cookie.
    let body = json!({"name": "Anna"}).to_string();
    let json_kind = "Content-Type: application/json\r\n";
    let change = |lines: &str| town.raw("PATCH", &me, &format!("{json_kind}{lines}"), &body);
    assert_eq!(change(&cookie).expect(403)["code"], "noChangeToken");
    assert_eq!(change(&format!("{cookie}X-Change-Token: wrong\r\n")).status, 403);
    assert_eq!(change(&format!("{cookie}{token}")).status, 200);
    // A page that is loaded anew gets its token again; a head is read like its body, and nothing comes with it.
    let again = town.raw("GET", &session, &cookie, "").expect(200);
    assert!(token.contains(again["changeToken"].as_str().unwrap()));
    let head = town.raw("HEAD", &session, &cookie, "");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    // A header counts before the cookie beside it, and does not get the other's token.
    let other =
        town.raw("GET", &session, &format!("{cookie}Authorization: {}\r\n", town.owner), "").expect(200);
    assert_eq!((&other["name"], other.get("changeToken")), (&json!("owner"), None));
    // Signing in again ends the session before; two cookies of the name are none.
    let (second, second_token) = sign_in(&town, json!({"user": secret}), &cookie);
    assert_eq!((read(&cookie), read(&second)), (401, 200));
    let (third, _) = sign_in(&town, json!({"user": secret}), "");
    assert_eq!(read(&format!("{second}{third}")), 401);
    // Signing out.
    let out = town.raw("DELETE", &session, &format!("{second}{second_token}"), "");
    assert!(out.header("Set-Cookie").unwrap().contains("Max-Age=0"), "{out:?}");
    assert_eq!((out.status, read(&second)), (204, 401));
    // A new secret ends the others; removal ends everything.
    let renewed = town.ask(&town.owner, "POST", &format!("/users/{id}/token"), Value::Null).expect(200);
    assert_eq!((read(&third), town.ask(&user, "GET", "/users/me", Value::Null).status), (401, 401));
    let (fourth, _) = sign_in(&town, json!({"user": renewed["secret"]}), "");
    town.ask(&town.owner, "DELETE", &format!("/users/{id}"), Value::Null).expect(204);
    assert_eq!(read(&fourth), 401);
    let body = json!({"user": renewed["secret"]});
    let gone = request(
        town.address(),
        "POST",
        &session,
        None,
        Some("application/json"),
        body.to_string().as_bytes(),
    );
    assert_eq!(gone.status, 401);
    assert!(gone.header("WWW-Authenticate").is_some());
}

#[test]
fn a_link_signs_in_once() {
    let data = tempfile::tempdir().unwrap();
    let town = Town::start(data.path());
    let (id, _) = town.user("Ann", "reader");
    let make =
        || town.ask(&town.owner, "POST", &format!("/users/{id}/sign-in-link"), Value::Null).expect(200);
    let link = make();
    let (url, code) = (link["url"].as_str().unwrap(), link["code"].as_str().unwrap());
    assert_eq!(url, format!("http://{}/sign-in?code={code}", town.address()));
    // Looking at the page uses nothing up, and it shows nothing but the code.
    for _ in 0..2 {
        let page = town.raw("GET", &format!("/sign-in?code={code}%27%3E%3Cscript%3E"), "", "");
        assert!(
            page.status == 200 && page.body.contains(code) && !page.body.contains("<script>"),
            "{page:?}"
        );
        assert_eq!(page.header("Cache-Control"), Some("no-store"));
    }
    let enter = |lines: &str, code: &str| {
        let lines = format!("Content-Type: application/x-www-form-urlencoded\r\n{lines}");
        town.raw("POST", "/sign-in", &lines, &format!("code={code}"))
    };
    assert_eq!(enter("Sec-Fetch-Site: cross-site\r\n", code).status, 403);
    assert_eq!(enter("Origin: http://elsewhere.test\r\n", code).status, 403);
    let entered = enter("Sec-Fetch-Site: same-origin\r\nX-Forwarded-Proto: https\r\n", code);
    assert_eq!(entered.status, 303, "{entered:?}");
    let cookie = entered.header("Set-Cookie").unwrap();
    for flag in ["; HttpOnly", "; SameSite=Strict", "; Secure"] {
        assert!(cookie.contains(flag), "{cookie}");
    }
    assert_eq!(enter("", code).expect(401)["requestId"].as_str().map(str::len), Some(24));
    let told = enter("Accept: text/html,*/*\r\n", code);
    assert!(told.status == 401 && told.body.contains("<p>This link was used already"), "{told:?}");
    assert_eq!(told.header("Cache-Control"), Some("no-store"));
    // By `POST /session` too; a new secret ends a link that nobody used.
    let (cookie, _) = sign_in(&town, json!({"code": make()["code"]}), "");
    assert_eq!(town.raw("GET", &format!("{BASE}/users/me"), &cookie, "").expect(200)["name"], "Ann");
    let unused = make();
    town.ask(&town.owner, "POST", &format!("/users/{id}/token"), Value::Null).expect(200);
    assert_eq!(enter("", unused["code"].as_str().unwrap()).status, 401);
    for body in [json!({}), json!({"user": "a", "code": "b"}), json!({"user": 1}), json!({"usr": "a"})] {
        let text = body.to_string();
        let kind = Some("application/json");
        let refused =
            request(town.address(), "POST", &format!("{BASE}/session"), None, kind, text.as_bytes());
        assert_eq!(refused.status, 400, "{body}: {refused:?}");
    }
}

#[test]
fn organisations_are_made_by_the_first_ones_owners_and_do_not_see_each_other() {
    let data = tempfile::tempdir().unwrap();
    let town = Town::start(data.path());
    let body = json!({"name": "acme", "owner": {"name": "Eve", "emailAddress": "eve@example.com"}});
    let made = town.ask(&town.owner, "POST", "/organizations", body.clone()).expect(200);
    let secrets = (made["owner"]["secret"].as_str().unwrap(), made["secret"].as_str().unwrap());
    assert_eq!(secrets.1.len(), 32);
    let eve = format!("User {}, Organization {}", secrets.0, secrets.1);
    town.ask(&town.owner, "POST", "/organizations", body).expect(409);
    // Each sees its own; the first one's owners see that others are there, and nothing in them.
    let names = |token: &str| -> Vec<String> {
        let all = town.ask(token, "GET", "/organizations", Value::Null).expect(200);
        all.as_array().unwrap().iter().map(|org| org["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        (names(&town.owner), names(&eve)),
        (vec!["default".into(), "acme".into()], vec!["acme".into()])
    );
    let (id, reader) = town.user("Ann", "reader");
    assert_eq!(names(&reader), ["default"]);
    let refused = town.ask(&eve, "POST", "/organizations", json!({"name": "x"})).expect(403);
    assert!(refused["message"].as_str().unwrap().contains("first organisation"), "{refused}");
    for (method, path) in [
        ("GET", format!("/users/{id}")),
        ("DELETE", format!("/users/{id}")),
        ("POST", format!("/users/{id}/token")),
    ] {
        town.ask(&eve, method, &path, Value::Null).expect(404);
    }
    assert_eq!(town.ask(&eve, "GET", "/users", Value::Null).expect(200).as_array().unwrap().len(), 1);
    let mixed = format!("User {}, {}", secrets.0, town.owner.split_once(", ").unwrap().1);
    town.ask(&mixed, "GET", "/users/me", Value::Null).expect(401);
    let audits = town.ask(&eve, "GET", "/audit", Value::Null).expect(200);
    assert_eq!(audits, json!([]), "what made it is the first organisation's business");
}

#[test]
fn secrets_of_an_organisation_come_and_go() {
    let data = tempfile::tempdir().unwrap();
    let town = Town::start(data.path());
    let user = town.owner.split_once(", ").unwrap().0;
    let made = town.ask(user, "POST", "/organizations/tokens", Value::Null).expect(200);
    let second = format!("{user}, Organization {}", made["secret"].as_str().unwrap());
    let listed = town.ask(&second, "GET", "/organizations/tokens", Value::Null).expect(200);
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert_eq!(listed[1], json!({"id": made["id"], "createdDate": made["createdDate"]}));
    let path = format!("/organizations/tokens/{}", made["id"]);
    town.ask(&second, "DELETE", &path, Value::Null).expect(204);
    town.ask(&second, "GET", "/users/me", Value::Null).expect(401);
    town.ask(user, "DELETE", &path, Value::Null).expect(404);
    // A user's secret is none of these, whatever its number.
    for id in 0..8 {
        let answer = town.ask(user, "DELETE", &format!("/organizations/tokens/{id}"), Value::Null);
        assert!(matches!(answer.status, 204 | 404), "{answer:?}");
    }
    town.ask(user, "GET", "/users/me", Value::Null).expect(200);
}

#[test]
fn what_was_changed_is_written_down_without_secrets() {
    let data = tempfile::tempdir().unwrap();
    let town = Town::start(data.path());
    let (id, user) = town.user("Ann", "admin");
    let owner_id = town.ask(&town.owner, "GET", "/users/me", Value::Null).expect(200)["id"].clone();
    town.ask(&town.owner, "PATCH", &format!("/users/{id}"), json!({"role": "member"})).expect(200);
    town.ask(&town.owner, "PATCH", &format!("/users/{id}"), json!({"role": "admin"})).expect(200);
    let (_, other) = town.user("Bob", "reader");
    // What fails, and what only reads, is no change.
    town.ask(&other, "PATCH", &format!("/users/{id}"), json!({"role": "owner"})).expect(403);
    town.ask(&town.owner, "POST", "/users", json!({"name": "Ann", "role": "reader"})).expect(409);
    town.ask(&user, "GET", "/users", Value::Null).expect(200);
    let renewed = town.ask(&user, "POST", "/users/me/token", Value::Null).expect(200);
    let ann = format!("User {}", renewed["secret"].as_str().unwrap());
    sign_in(&town, json!({"user": renewed["secret"]}), "");
    let audit = town.ask(&ann, "GET", "/audit", Value::Null).expect(200);
    let entry = |place: usize| {
        let entry = &audit[place];
        (entry["action"].as_str().unwrap(), entry["target"].as_str().unwrap(), entry["userId"].clone())
    };
    assert_eq!(audit.as_array().unwrap().len(), 6, "{audit:#}");
    assert_eq!(entry(0), ("openSession", "/session", json!(id)));
    assert_eq!(entry(1), ("renewMySecret", "/users/me/token", json!(id)));
    assert_eq!(entry(2), ("createUser", "/users", owner_id.clone()));
    assert_eq!(entry(3), ("changeUser", format!("/users/{id}").as_str(), owner_id.clone()));
    assert_eq!(audit[3]["detail"], json!({"role": {"from": "member", "to": "admin"}}));
    assert_eq!(audit[5]["detail"], json!({"id": id, "name": "Ann", "role": "admin"}));
    for secret in [&ann, &user, &other, &town.owner] {
        let secret = secret.split(", ").next().unwrap().strip_prefix("User ").unwrap();
        assert!(!audit.to_string().contains(secret), "{audit}");
    }
    // Page by page it is the same.
    let (mut pages, mut next) = (Vec::new(), String::new());
    loop {
        let page = town.ask(&ann, "GET", &format!("/audit?pageSize=4{next}"), Value::Null);
        pages.extend(page.json().as_array().unwrap().clone());
        let Some(token) = page.header("Elements-Next-Page-Token") else { break };
        next = format!("&nextPage={token}");
    }
    assert_eq!(Value::from(pages), audit);
    town.ask(&other, "GET", "/audit", Value::Null).expect(403);
}

#[test]
fn one_authorization_header_is_enough_and_two_are_too_many() {
    let data = tempfile::tempdir().unwrap();
    let town = Town::start(data.path());
    let once = format!("Authorization: {}\r\n", town.owner);
    let path = format!("{BASE}/users/me");
    assert_eq!(town.raw("GET", &path, &once, "").status, 200);
    let twice = town.raw("GET", &path, &format!("{once}{once}"), "");
    assert_eq!(twice.status, 401);
    assert!(twice.json()["message"].as_str().unwrap().contains("twice"), "{twice:?}");
    let head = town.raw("HEAD", &path, "", "");
    assert_eq!((head.status, head.body.as_str()), (401, ""));
    let answer = town.raw("GET", &path, &once, "");
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));
    assert_eq!(answer.header("X-Content-Type-Options"), Some("nosniff"));
}

#[test]
fn new_secrets_go_to_an_owner_and_end_what_was_open() {
    let data = tempfile::tempdir().unwrap();
    let town = Town::start(data.path());
    // The user called `owner` is none any more.
    let (_, second) = town.user("second", "owner");
    let first = town.ask(&town.owner, "GET", "/users/me", Value::Null).expect(200)["id"].clone();
    town.ask(&second, "PATCH", &format!("/users/{first}"), json!({"role": "reader"})).expect(200);
    let (cookie, _) = sign_in(&town, json!({"user": second.strip_prefix("User ").unwrap()}), "");
    let Town { server, owner } = town;
    assert!(server.terminate());
    let server = Server::start(data.path(), &["--new-token"]);
    let shown = server.token.clone().expect("it is shown");
    let me = server.ask(&shown, "GET", "/users/me", None).expect(200);
    assert_eq!((&me["name"], &me["role"]), (&json!("second"), &json!("owner")));
    assert_eq!(server.ask(&owner, "GET", "/users/me", None).expect(200)["role"], "reader");
    server.ask(&second, "GET", "/users/me", None).expect(401);
    let head = format!("GET {BASE}/users/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{cookie}\r\n");
    assert_eq!(raw(server.address, head.as_bytes()).status, 401);
}

#[test]
fn a_browser_names_an_instance_beside_its_session_and_needs_its_token_to_change_it() {
    let data = tempfile::tempdir().unwrap();
    let town = Town::start(data.path());
    let (_, user) = town.user("Ann", "member");
    let (cookie, token) = sign_in(&town, json!({"user": user.strip_prefix("User ").unwrap()}), "");
    let document = json!({
        "element": {"key": "shop"}, "name": "north",
        "configuration": {"event.notification.enabled": true, "event.poller.configuration": {}}
    });
    let made = town.ask(&town.owner, "POST", "/instances", document).expect(200);
    let element = format!("Authorization: Element {}\r\n", made["token"].as_str().unwrap());
    let (instances, tags) = (format!("{BASE}/instances"), format!("{BASE}/instances/tags"));
    let read = |lines: &str| town.raw("GET", &instances, lines, "");
    assert_eq!(read(&format!("{cookie}{element}")).expect(200)["id"], made["id"]);
    // An instance's token names and does not open.
    let alone = read(&element).expect(401);
    assert!(alone["message"].as_str().unwrap().contains("names no user"), "{alone}");
    assert_eq!(read(&format!("{cookie}Authorization: Element nobody\r\n")).status, 401);
    let organization = town.owner.split(", ").find(|pair| pair.starts_with("Organization")).unwrap();
    let beside = format!("{cookie}Authorization: {organization}\r\n");
    assert_eq!(read(&beside).status, 401, "a session is taken beside an instance, and beside nothing else");
    let change = |lines: &str| {
        let lines = format!("Content-Type: application/json\r\n{cookie}{element}{lines}");
        town.raw("PUT", &tags, &lines, "[\"new\"]")
    };
    assert_eq!(change("").expect(403)["code"], "noChangeToken");
    assert_eq!(change(&token).status, 200);
}

#[test]
fn pages_are_for_browsers_and_the_rest_is_the_apis() {
    let data = tempfile::tempdir().unwrap();
    let town = Town::start(data.path());
    let page = "Accept: text/html,application/xhtml+xml\r\n";
    for path in ["/", "/instances/7", "/no/such/page"] {
        let answer = town.raw("GET", path, page, "");
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        assert!(
            answer.header("Content-Security-Policy").unwrap().contains("script-src 'self'"),
            "{answer:?}"
        );
    }
    // Below the base is the API's, whoever asks; a client that wants no page gets an error as everywhere.
    for (path, lines) in
        [("/elements/api-v2/no/such", page), ("/instances/7", "Accept: application/json\r\n")]
    {
        let answer = town.raw("GET", path, lines, "");
        assert_eq!((answer.status, &answer.expect(404)["code"]), (404, &json!("noSuchRoute")), "{path}");
    }
    assert_eq!(town.raw("POST", "/instances/7", page, "").status, 404);
    assert_eq!(town.raw("GET", "/openapi.json", "", "").expect(200)["openapi"], "3.1.0");
}

#[test]
fn long_answers_are_packed_for_who_takes_them() {
    let data = tempfile::tempdir().unwrap();
    let town = Town::start(data.path());
    let ask = |path: &str, lines: &str| {
        let mut stream = std::net::TcpStream::connect(town.address()).unwrap();
        let head = format!("GET {path} HTTP/1.0\r\nHost: x\r\nAuthorization: {}\r\n{lines}\r\n", town.owner);
        stream.write_all(head.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let at = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let body = bytes.split_off(at + 4);
        (String::from_utf8(bytes).unwrap().to_ascii_lowercase(), body)
    };
    for (path, times) in [("/elements/api-v2/date-formats", 2), ("/openapi.json", 10)] {
        let (head, plain) = ask(path, "");
        assert!(head.starts_with("http/1.0 200") && !head.contains("content-encoding"), "{head}");
        let (head, packed) = ask(path, "Accept-Encoding: gzip\r\n");
        assert!(head.contains("content-encoding: gzip") && head.contains("vary: accept-encoding"), "{head}");
        assert!(packed.len() * times < plain.len(), "{path}: {} of {}", packed.len(), plain.len());
        let mut unpacked = Vec::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked, plain);
    }
    let (head, _) = ask("/elements/api-v2/retention", "Accept-Encoding: gzip\r\n");
    assert!(
        head.starts_with("http/1.0 200") && !head.contains("content-encoding"),
        "short ones go as they are"
    );
}
