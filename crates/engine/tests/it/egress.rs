//! Egress against peers that lie, stall, break off and never end.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use turnstone_core::limits::{BODY_BYTES_MAX, CALLBACK_ANSWER_BYTES_MAX};
use turnstone_core::run::FetchErrorKind::{
    self, BadUrl, Broken, Connect, Dns, Forbidden, Redirect, Timeout, Tls, TooLarge, Truncated, Undecodable,
};
use turnstone_core::run::{Reply, Request};
use turnstone_engine::clock::SystemClock;
use turnstone_engine::egress::{
    Bodies, BodyBudget, Callback, Client, Connection, Guard, Limits, Lookup, Net, Policy, Setup,
};
use turnstone_engine::secrets::Secret;
use url::Url;

use crate::peer::{Answer, Peer, Seen, chunked, sized};

const MIB: usize = 1024 * 1024;
const SHORT: Duration = Duration::from_millis(60);

/// Answers scripted lists of addresses, the last one for ever, and counts.
#[derive(Default)]
struct Scripted {
    answers: Mutex<VecDeque<io::Result<Vec<IpAddr>>>>,
    asked: Mutex<Vec<String>>,
}

impl Scripted {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let answers = answers
            .iter()
            .map(|addresses| Ok(addresses.iter().map(|address| address.parse().unwrap()).collect()))
            .collect();
        Arc::new(Scripted { answers: Mutex::new(answers), asked: Mutex::default() })
    }
}

#[async_trait]
impl Lookup for Scripted {
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.lock().unwrap().push(host.to_owned());
        let mut answers = self.answers.lock().unwrap();
        match (answers.len(), answers.front()) {
            (1, Some(Ok(last))) => Ok(last.clone()),
            (0, _) => Err(io::Error::other("no such name")),
            (_, _) => answers.pop_front().unwrap(),
        }
    }
}

struct Silent;

#[async_trait]
impl Lookup for Silent {
    async fn lookup(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
        std::future::pending().await
    }
}

fn client_with(guard: Guard, lookup: Arc<dyn Lookup>, limits: Limits) -> Client {
    Client::new(Setup { guard, lookup, clock: Arc::new(SystemClock::new()), limits }).unwrap()
}

fn client(limits: Limits) -> Client {
    client_with(Guard::new(Policy::AllowPrivate), Scripted::new(&[&["127.0.0.1"]]), limits)
}

fn patient() -> Client {
    client(Limits::default())
}

fn connection(base: &str) -> Connection {
    // Small answers, so that the limit is reached quickly.
    Connection::new(&Url::parse(base).unwrap(), Bodies::new(&BodyBudget::new(12 * MIB, 2 * MIB)))
}

async fn get(client: &Client, url: &str) -> Reply {
    client.send(Request::get(url), &connection(url)).await
}

#[track_caller]
fn failed(reply: &Reply, expect: FetchErrorKind) -> String {
    let error = reply.outcome.as_ref().expect_err("the request fails");
    assert_eq!(error.kind, expect, "{}", error.message);
    error.message.clone()
}

#[track_caller]
fn body(reply: Reply) -> String {
    reply.outcome.unwrap_or_else(|error| panic!("{error}")).body
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// Serves one answer to everybody, with an end after it.
async fn fails_with(answer: impl Fn() -> Answer + Send + Sync + 'static, expect: FetchErrorKind) -> String {
    let peer = Peer::start(move |_: &Seen| answer()).await;
    failed(&get(&patient(), &peer.url("/page?key=canary")).await, expect)
}

#[tokio::test]
async fn an_ordinary_answer_arrives_whole() {
    let peer = Peer::start(|_: &Seen| {
        Answer::Keep(sized(200, "Content-Type: application/json\r\nX-Two: a\r\nx-two: b\r\n", b"[1,2]"))
    })
    .await;
    let before = jiff::Timestamp::now();
    let reply = get(&patient(), &peer.url("/items?q=1")).await;
    assert!(reply.sent_at >= before && reply.sent_at <= jiff::Timestamp::now());
    assert!(reply.to_head > Duration::ZERO);
    let response = reply.outcome.unwrap();
    assert_eq!((response.status, response.body.as_str()), (200, "[1,2]"));
    assert_eq!(response.header("content-type"), Some("application/json"));
    assert_eq!(response.headers.iter().filter(|(name, _)| name == "x-two").count(), 2);
    let head = &peer.seen()[0].head;
    assert!(head.starts_with("get /items?q=1 http/1.1\r\n"), "{head}");
    for line in ["accept: application/json", "accept-encoding: gzip", "user-agent: turnstone/"] {
        assert!(head.contains(line), "{head}");
    }
    for line in ["cookie", "referer", "authorization"] {
        assert!(!head.contains(line), "{head}");
    }
}

#[tokio::test]
async fn a_body_cut_anywhere_is_never_taken_for_a_whole_one() {
    let rows: Vec<String> = (0..260).map(|id| format!("{{\"id\":{id}}}")).collect();
    let page = format!("[{}]", rows.join(","));
    let zipped = gzip(page.as_bytes());
    let wholes = [
        sized(200, "", page.as_bytes()),
        chunked("", &page.as_bytes().chunks(100).collect::<Vec<_>>()),
        sized(200, "content-encoding: gzip\r\n", &zipped),
        chunked("content-encoding: gzip\r\n", &zipped.chunks(50).collect::<Vec<_>>()),
    ];
    // The path says which answer, where to cut it, and how.
    let served = wholes.clone();
    let peer = Peer::start(move |seen: &Seen| {
        let numbers: Vec<usize> =
            seen.path().split('/').skip(1).map(|number| number.parse().unwrap()).collect();
        let part = served[numbers[0]][..numbers[1]].to_vec();
        if numbers[2] == 0 { Answer::Close(part) } else { Answer::Reset(part) }
    })
    .await;
    let client = patient();
    for (which, whole) in wholes.iter().enumerate() {
        let head = whole.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
        for cut in (head..whole.len()).step_by(7).chain(whole.len() - 6..whole.len()) {
            let reply = get(&client, &peer.url(&format!("/{which}/{cut}/0"))).await;
            failed(&reply, Truncated);
        }
        for cut in (head..whole.len()).step_by(501) {
            let reply = get(&client, &peer.url(&format!("/{which}/{cut}/1"))).await;
            let error = reply.outcome.expect_err("a reset is a failure");
            // The reset may overtake the head.
            assert!(matches!(error.kind, Truncated | Broken), "{error}");
        }
        for cut in (0..head).step_by(5) {
            failed(&get(&client, &peer.url(&format!("/{which}/{cut}/0"))).await, Broken);
        }
        assert_eq!(body(get(&client, &peer.url(&format!("/{which}/{}/0", whole.len()))).await), page);
    }
}

#[tokio::test]
async fn answers_that_contradict_themselves_are_refused() {
    let bad = |head: &str| format!("HTTP/1.1 200 OK\r\n{head}\r\n[1,2]").into_bytes();
    for (head, expect) in [
        ("content-length: 6\r\n", Truncated),
        ("content-length: 5\r\ncontent-length: 4\r\n", Broken),
        ("content-length: five\r\n", Broken),
        ("content-length: -5\r\n", Broken),
        ("transfer-encoding: chunked\r\n", Truncated),
        ("content-encoding: br\r\ncontent-length: 5\r\n", Undecodable),
        ("content-encoding: gzip\r\ncontent-encoding: gzip\r\ncontent-length: 5\r\n", Undecodable),
        ("content-type: a/b; charset=x-unknown\r\ncontent-length: 5\r\n", Undecodable),
        ("a header without colon\r\n", Broken),
        (&"x-flood: 1\r\n".repeat(200), Broken),
        (&format!("x-flood: {}\r\n", "a".repeat(MIB)), Broken),
    ] {
        let bytes = bad(head);
        let message = fails_with(move || Answer::Close(bytes.clone()), expect).await;
        assert!(message.contains("127.0.0.1"), "{message}");
        assert!(!message.contains("canary"), "{message}");
    }
    fails_with(
        || Answer::Close(b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n".to_vec()),
        Broken,
    )
    .await;
    fails_with(|| Answer::Close(b"\x16\x03\x01 not http at all\r\n\r\n".to_vec()), Broken).await;
    fails_with(|| Answer::Close(Vec::new()), Broken).await;
    fails_with(|| Answer::Reset(Vec::new()), Broken).await;
}

#[tokio::test]
async fn bytes_after_the_declared_length_are_not_read() {
    let peer = Peer::start(|_: &Seen| {
        let mut bytes = sized(200, "", b"[1]");
        bytes.extend_from_slice(b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n[\"bad\"]");
        Answer::Keep(bytes)
    })
    .await;
    let client = patient();
    for _ in 0..3 {
        assert_eq!(body(get(&client, &peer.url("/")).await), "[1]");
    }
}

#[tokio::test]
async fn charsets_and_codings_are_undone() {
    for (head, bytes, expect) in [
        ("content-type: text/json; charset=iso-8859-1\r\n", b"\"gr\xfcn\"".to_vec(), "\"grün\""),
        ("content-type: application/json\r\n", b"\xef\xbb\xbf{}".to_vec(), "{}"),
        ("content-encoding: gzip\r\n", gzip(b"{}"), "{}"),
        ("content-encoding: GZip\r\n", Vec::new(), ""),
        ("content-encoding: identity\r\n", b"{}".to_vec(), "{}"),
    ] {
        let peer = Peer::start(move |_: &Seen| Answer::Keep(sized(200, head, &bytes))).await;
        assert_eq!(body(get(&patient(), &peer.url("/")).await), expect, "{head}");
    }
    fails_with(|| Answer::Keep(sized(200, "", b"\"gr\xfcn\"")), Undecodable).await;
}

#[tokio::test]
async fn an_endless_body_is_left_at_the_limit() {
    let peer = Peer::start(|_: &Seen| {
        let mut chunk = b"10000\r\n".to_vec();
        chunk.extend(vec![b' '; 0x10000]);
        chunk.extend(b"\r\n");
        Answer::Forever(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec(), chunk)
    })
    .await;
    let connection = connection(&peer.url("/"));
    let reply = patient().send(Request::get(peer.url("/")), &connection).await;
    failed(&reply, TooLarge);
    // What the limit allows and what sockets buffer, and not more.
    assert!(peer.written() < 16 * MIB as u64, "{}", peer.written());
    assert_eq!(connection.bodies.held_bytes(), 0, "the share came back");
}

#[tokio::test]
async fn bombs_are_stopped_by_their_ratio() {
    let bomb = gzip(&vec![0; 32 * MIB]);
    let wire_bytes = bomb.len();
    let peer =
        Peer::start(move |_: &Seen| Answer::Close(sized(200, "content-encoding: gzip\r\n", &bomb))).await;
    let url = peer.url("/");
    let large = BodyBudget::default();
    let connection = Connection::new(&Url::parse(&url).unwrap(), Bodies::new(&large));
    let free = large.free_bytes();
    let reply = patient().send(Request::get(&url), &connection).await;
    assert!(wire_bytes < 64 * 1024 && 32 * MIB < BODY_BYTES_MAX, "only the ratio can stop it");
    assert!(failed(&reply, TooLarge).contains("compressed size"));
    assert_eq!(large.free_bytes(), free);
}

#[tokio::test]
async fn every_kind_of_slowness_ends() {
    let short = |change: fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        client(limits)
    };
    let silent = Peer::start(|_: &Seen| Answer::Stall(Vec::new())).await;
    let reply = get(&short(|limits| limits.head = SHORT), &silent.url("/")).await;
    assert!(failed(&reply, Timeout).contains("did not answer within"));

    let slow_head = Peer::start(|_: &Seen| Answer::Stall(b"HTTP/1.1 200 OK\r\nx-a: 1\r\nx-".to_vec())).await;
    failed(&get(&short(|limits| limits.head = SHORT), &slow_head.url("/")).await, Timeout);

    let stops = Peer::start(|_: &Seen| Answer::Stall(sized(200, "", b"[1,2]")[..40].to_vec())).await;
    let reply = get(&short(|limits| limits.idle = SHORT), &stops.url("/")).await;
    failed(&reply, Timeout);

    // A byte now and then keeps the idle limit quiet; the total one ends it.
    let dribbles = Peer::start(|_: &Seen| {
        let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
        Answer::Forever(head, b"1\r\n \r\n".to_vec())
    })
    .await;
    let reply = get(&short(|limits| limits.total = SHORT), &dribbles.url("/")).await;
    assert!(failed(&reply, Timeout).contains("was not complete within"));

    // A handshake that never goes on.
    let mute = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", mute.local_addr().unwrap());
    let reply = get(&short(|limits| limits.connect = SHORT), &url).await;
    assert!(failed(&reply, Timeout).contains("could not be connected within"));

    let unnamed = client_with(
        Guard::new(Policy::Public),
        Arc::new(Silent),
        Limits { lookup: SHORT, ..Limits::default() },
    );
    failed(&get(&unnamed, "http://slow.test/").await, Dns);
}

#[tokio::test]
async fn a_fetch_waits_for_memory_before_it_is_sent() {
    let peer = Peer::start(|_: &Seen| Answer::Keep(sized(200, "", b"[]"))).await;
    let budget = BodyBudget::new(12 * MIB, 2 * MIB);
    let url = Url::parse(&peer.url("/")).unwrap();
    let impatient = client(Limits { memory: SHORT, ..Limits::default() });
    // Whole answers of others fill the common part.
    let large = Peer::start(|_: &Seen| Answer::Keep(sized(200, "", &vec![b' '; 2 * MIB - 8192]))).await;
    let mut others = Vec::new();
    while budget.free_bytes() >= 2 * MIB {
        let other = Connection::new(&Url::parse(&large.url("/")).unwrap(), Bodies::new(&budget));
        other.bodies.expect_bytes(2 * MIB);
        body(impatient.send(Request::get(large.url("/")), &other).await);
        others.push(other);
    }
    let late = Connection::new(&url, Bodies::new(&budget));
    late.bodies.expect_bytes(2 * MIB);
    let reply = impatient.send(Request::get(peer.url("/")), &late).await;
    assert!(failed(&reply, Timeout).contains("memory"));
    assert_eq!(peer.connections(), 0, "nothing was sent");
    drop(others.pop());
    assert_eq!(body(impatient.send(Request::get(peer.url("/")), &late).await), "[]");
    assert_eq!(late.bodies.expected_bytes(), 2);
}

#[tokio::test]
async fn an_error_status_survives_a_damaged_body() {
    let cut = sized(429, "retry-after: 7\r\n", b"slow down")[..60].to_vec();
    let odd = sized(503, "content-encoding: br\r\nretry-after: 7\r\n", b"??");
    let html = sized(500, "content-type: text/html; charset=x-none\r\nretry-after: 7\r\n", b"??");
    let huge = sized(400, "retry-after: 7\r\n", &vec![b'a'; MIB]);
    for (status, bytes) in [(429, cut), (503, odd), (500, html), (400, huge)] {
        let peer = Peer::start(move |_: &Seen| Answer::Close(bytes.clone())).await;
        let response = get(&patient(), &peer.url("/")).await.outcome.unwrap();
        assert_eq!((response.status, response.body.as_str()), (status, ""));
        assert_eq!(response.header("retry-after"), Some("7"));
    }
    let peer = Peer::start(|_: &Seen| Answer::Keep(sized(404, "", b"{\"error\":1}"))).await;
    assert_eq!(body(get(&patient(), &peer.url("/")).await), "{\"error\":1}");
    let unchanged = b"HTTP/1.1 304 Not Modified\r\ncontent-encoding: br\r\netag: \"1\"\r\n\r\n".to_vec();
    let peer = Peer::start(move |_: &Seen| Answer::Keep(unchanged.clone())).await;
    assert_eq!(get(&patient(), &peer.url("/")).await.outcome.unwrap().status, 304);
}

#[tokio::test]
async fn credentials_go_to_their_own_origin_only() {
    let page = |_: &Seen| Answer::Keep(sized(200, "set-cookie: a=b\r\n", b"{}"));
    let (own, other) = (Peer::start(page).await, Peer::start(page).await);
    let mut connection = connection(&own.url("/"));
    connection.headers.push(("X-Api-Key".into(), Secret::from("canary-1")));
    connection.basic = Some(("ann".into(), Secret::from("canary-2")));
    let client = patient();
    for url in [own.url("/1"), other.url("/2"), own.url("/3")] {
        let mut request = Request::get(url);
        request.headers.push(("If-None-Match".into(), "\"7\"".into()));
        body(client.send(request, &connection).await);
    }
    assert_eq!((own.seen().len(), other.seen().len()), (2, 1));
    for seen in own.seen() {
        assert!(seen.head.contains("x-api-key: canary-1"), "{}", seen.head);
        assert!(seen.head.contains("authorization: basic yw5uomnhbmfyes0y"), "{}", seen.head);
        assert!(seen.head.contains("if-none-match: \"7\""), "{}", seen.head);
        assert!(!seen.head.contains("cookie"), "cookies are not kept: {}", seen.head);
    }
    let head = &other.seen()[0].head;
    assert!(!head.contains("canary") && !head.contains("authorization"), "{head}");
}

#[tokio::test]
async fn redirects_stay_inside_and_take_no_credentials_along() {
    let other = Peer::start(|_: &Seen| Answer::Keep(sized(200, "", b"other"))).await;
    let elsewhere = other.url("/there");
    let own = Peer::start(move |seen: &Seen| {
        let to = |place: &str| Answer::Keep(sized(302, &format!("location: {place}\r\n"), b""));
        match seen.path() {
            "/inside" => to("/end"),
            "/thrice" => to("/twice"),
            "/twice" => to("/inside"),
            "/four" => to("/thrice"),
            "/loop" => to("/loop"),
            "/other" => to(&elsewhere),
            "/up" => {
                to(&format!("https://{}/", seen.head.split("host: ").nth(1).unwrap().lines().next().unwrap()))
            }
            "/metadata" => to("http://169.254.169.254/"),
            "/file" => to("file:///etc/passwd"),
            _ => Answer::Keep(sized(200, "", b"end")),
        }
    })
    .await;
    let client = patient();
    let mut connection = connection(&own.url("/"));
    connection.headers.push(("X-Api-Key".into(), Secret::from("canary")));
    let send = |path: &str| client.send(Request::get(own.url(path)), &connection);
    for path in ["/inside", "/twice", "/thrice"] {
        assert_eq!(body(send(path).await), "end", "{path}");
    }
    assert!(own.seen().iter().all(|seen| seen.head.contains("canary")));
    for (path, expect) in [
        ("/four", Redirect),
        ("/loop", Redirect),
        ("/other", Redirect),
        ("/up", Redirect),
        ("/file", Redirect),
        ("/metadata", Forbidden),
    ] {
        let message = failed(&send(path).await, expect);
        assert!(!message.contains("canary"), "{message}");
    }
    assert_eq!(
        own.seen().iter().filter(|seen| seen.path() == "/loop").count(),
        4,
        "one request and three hops"
    );
    assert_eq!(other.connections(), 0);

    // An origin that the connection owns may be led to, but gets no credentials on the way.
    let mut both = connection.clone();
    both.origins.push(Url::parse(&other.url("/")).unwrap().origin());
    assert_eq!(body(client.send(Request::get(own.url("/other")), &both).await), "other");
    assert!(!other.seen()[0].head.contains("canary"));
}

#[tokio::test]
async fn a_broken_kept_connection_is_tried_once_more_for_safe_requests() {
    let peer = Peer::start(|seen: &Seen| match (seen.connection, seen.index) {
        (_, 0) => Answer::Keep(sized(200, "", b"{}")),
        (_, _) => Answer::Close(Vec::new()),
    })
    .await;
    let client = patient();
    body(get(&client, &peer.url("/first")).await);
    assert_eq!(body(get(&client, &peer.url("/second")).await), "{}");
    let seen: Vec<_> = peer.seen().iter().map(|seen| (seen.connection, seen.path().to_owned())).collect();
    let expect = [(0, "/first"), (0, "/second"), (1, "/second")].map(|(on, path)| (on, path.to_owned()));
    assert_eq!(seen, expect);
    // An unsafe request is not repeated. The retry's connection is not kept, so one is opened first.
    body(get(&client, &peer.url("/third")).await);
    let mut post = Request::get(peer.url("/post"));
    (post.method, post.body) = ("POST".into(), Some("{}".into()));
    failed(&client.send(post, &connection(&peer.url("/"))).await, Broken);
    assert_eq!(peer.seen().iter().filter(|seen| seen.path() == "/post").count(), 1);
    // Nor is one whose own new connection breaks.
    let closes = Peer::start(|_: &Seen| Answer::Close(Vec::new())).await;
    failed(&get(&client, &closes.url("/")).await, Broken);
    assert_eq!(closes.seen().len(), 1);
    // Nor one whose answer had begun.
    let half = Peer::start(|seen: &Seen| match seen.index {
        0 => Answer::Keep(sized(200, "", b"{}")),
        _ => Answer::Close(sized(200, "", b"{}")[..38].to_vec()),
    })
    .await;
    body(get(&client, &half.url("/")).await);
    failed(&get(&client, &half.url("/")).await, Truncated);
    assert_eq!(half.seen().len(), 2);
}

#[tokio::test]
async fn the_address_that_was_checked_is_dialled() {
    let answer = |name: &'static str| {
        move |_: &Seen| Answer::Close(sized(200, "connection: close\r\n", name.as_bytes()))
    };
    let good = Peer::start(answer("good")).await;
    let port = good.address.port();
    let bad = Peer::start_at(SocketAddr::from(([127, 0, 0, 2], port)), answer("bad")).await;
    let guard = || Guard::new(Policy::Public).with_allowed(["127.0.0.1/32".parse().unwrap()]);
    let url = format!("http://rebind.test:{port}/");

    let lookup = Scripted::new(&[&["127.0.0.1"], &["127.0.0.2"]]);
    let client = client_with(guard(), lookup.clone(), Limits::default());
    assert_eq!(body(get(&client, &url).await), "good");
    assert_eq!(lookup.asked.lock().unwrap().len(), 1, "one lookup, no second one to change its mind in");
    let message = failed(&get(&client, &url).await, Forbidden);
    assert!(message.contains("`rebind.test` is a loopback address"), "{message}");

    for answers in [
        &["127.0.0.2", "::1", "10.0.0.1", "127.0.0.1"][..],
        &["169.254.169.254", "::ffff:127.0.0.2", "127.0.0.1"],
    ] {
        let client = client_with(guard(), Scripted::new(&[answers]), Limits::default());
        assert_eq!(body(get(&client, &url).await), "good", "{answers:?}");
    }
    for answers in [&["127.0.0.2", "::1"][..], &["::ffff:127.0.0.2"], &["fd00:ec2::254"]] {
        let client = client_with(guard(), Scripted::new(&[answers]), Limits::default());
        failed(&get(&client, &url).await, Forbidden);
    }
    assert_eq!(bad.connections(), 0);
}

#[tokio::test]
async fn what_cannot_be_reached_says_why() {
    let closed = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    let message = failed(&get(&patient(), &format!("http://{closed}/?key=canary")).await, Connect);
    assert!(message.contains("refused") && !message.contains("canary"), "{message}");

    let plain = Peer::start(|_: &Seen| Answer::Close(Vec::new())).await;
    let tls = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", tls.local_addr().unwrap());
    let not_tls = async {
        use tokio::io::AsyncWriteExt;
        let (mut stream, _) = tls.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        stream.shutdown().await.unwrap();
    };
    let client = patient();
    let (reply, ()) = tokio::join!(get(&client, &url), not_tls);
    failed(&reply, Tls);

    let nameless = client_with(Guard::new(Policy::Public), Arc::new(Scripted::default()), Limits::default());
    assert!(failed(&get(&nameless, "http://none.test/").await, Dns).contains("no such name"));

    let strict = client_with(Guard::new(Policy::Public), Scripted::new(&[&["127.0.0.1"]]), Limits::default());
    for url in [plain.url("/"), format!("http://name.test:{}/", plain.address.port())] {
        failed(&get(&strict, &url).await, Forbidden);
        let base = url.replace("http://", "http://user:canary@");
        let reply = strict.send(Request::get(base), &connection(&url)).await;
        assert!(!failed(&reply, BadUrl).contains("canary"));
    }
    assert_eq!(plain.connections(), 0);
}

fn callback(url: String) -> Callback {
    Callback {
        url,
        headers: vec![("X-Signature".into(), Secret::from("sig-1"))],
        body: Bytes::from_static(b"{\"events\":[]}"),
        timeout: Duration::from_secs(15),
    }
}

#[tokio::test]
async fn a_callback_posts_its_body_and_keeps_the_beginning_of_the_answer() {
    let peer = Peer::start(|seen: &Seen| match seen.path() {
        "/ok" => Answer::Keep(sized(202, "retry-after: 5\r\n", b"thanks\0")),
        "/moved" => Answer::Keep(sized(307, "location: /ok\r\n", b"")),
        "/huge" => Answer::Forever(
            b"HTTP/1.1 500 X\r\ncontent-length: 99999999999\r\n\r\n".to_vec(),
            vec![0xff; 65_536],
        ),
        "/zipped" => Answer::Keep(sized(200, "content-encoding: gzip\r\n", &gzip(&vec![b'a'; 9 * MIB]))),
        "/cut" => Answer::Close(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nbegun".to_vec()),
        _ => Answer::Stall(Vec::new()),
    })
    .await;
    let client = patient();
    let answer = client.post(callback(peer.url("/ok"))).await.outcome.unwrap();
    assert_eq!(
        (answer.status, answer.retry_after.as_deref(), answer.text.as_str()),
        (202, Some("5"), "thanks\u{fffd}")
    );
    let seen = &peer.seen()[0];
    assert!(seen.head.starts_with("post /ok"), "{}", seen.head);
    for line in ["x-signature: sig-1", "content-type: application/json", "user-agent: turnstone/"] {
        assert!(seen.head.contains(line), "{}", seen.head);
    }
    assert_eq!(seen.body, b"{\"events\":[]}");

    assert_eq!(client.post(callback(peer.url("/moved"))).await.outcome.unwrap().status, 307);
    assert_eq!(peer.seen().len(), 2, "a redirect is not followed");
    let answer = client.post(callback(peer.url("/huge"))).await.outcome.unwrap();
    assert_eq!((answer.status, answer.text.chars().count()), (500, CALLBACK_ANSWER_BYTES_MAX));
    let answer = client.post(callback(peer.url("/zipped"))).await.outcome.unwrap();
    assert!(answer.text.len() <= 3 * CALLBACK_ANSWER_BYTES_MAX && !answer.text.contains("aaaa"));
    let answer = client.post(callback(peer.url("/cut"))).await.outcome.unwrap();
    assert_eq!((answer.status, answer.text.as_str()), (200, "begun"));

    let late = Callback { timeout: SHORT, ..callback(peer.url("/silent")) };
    let reply = client.post(late).await;
    assert_eq!(reply.outcome.unwrap_err().kind, Timeout);
    assert!(reply.duration >= SHORT);
}

#[tokio::test]
async fn a_callback_to_a_private_address_is_refused() {
    let peer = Peer::start(|_: &Seen| Answer::Keep(sized(200, "", b""))).await;
    let strict = client_with(Guard::new(Policy::Public), Scripted::new(&[&["127.0.0.1"]]), Limits::default());
    for url in [peer.url("/"), format!("http://hook.test:{}/", peer.address.port())] {
        assert_eq!(strict.post(callback(url)).await.outcome.unwrap_err().kind, Forbidden);
    }
    assert_eq!(peer.connections(), 0);
}
