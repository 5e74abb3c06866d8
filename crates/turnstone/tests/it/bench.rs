//! What the tests of the program stand on: the binary as a child, a small HTTP client, and a receiver of callbacks.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

/// How long anything may take that should happen soon. The machine may be busy.
pub const SOON: Duration = Duration::from_secs(30);

/// The binary with nothing of this process's settings.
pub fn turnstone() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_turnstone"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("TURNSTONE_")) {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}

/// A running `turnstone serve`; killed when dropped.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    pub token: Option<String>,
}

impl Server {
    /// Starts on a free port and waits until it listens.
    pub fn start(data: &Path, options: &[&str]) -> Server {
        let mut command = turnstone();
        command.arg("serve").arg("--data").arg(data).args(["--listen", "127.0.0.1:0"]).args(options);
        Server::listening(command.stderr(Stdio::null()))
    }

    /// Runs this command and waits until it listens; its log is for the caller.
    pub fn start_with(command: &mut Command) -> (Server, ChildStderr) {
        let mut server = Server::listening(command.stderr(Stdio::piped()));
        let stderr = server.child.stderr.take().expect("it is piped");
        (server, stderr)
    }

    fn listening(command: &mut Command) -> Server {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the binary starts");
        let mut token = None;
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let address = loop {
            let line = lines.next().expect("it listens before it ends").expect("it prints text");
            if let Some((_, shown)) = line.split_once("shown only now: Authorization: ") {
                token = Some(shown.to_owned());
            }
            if let Some((_, url)) = line.split_once("listens on http://") {
                break url.split('/').next().unwrap().parse().expect("an address");
            }
        };
        Server { child, address, token }
    }

    /// Asks it to end, as a supervisor would, and waits. Whether it ended well.
    pub fn terminate(mut self) -> bool {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs").success());
        let end = Instant::now() + SOON;
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait().expect("it is ours") {
                return status.success();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("it did not end within {SOON:?}");
    }

    /// A request with this token to a path below the API's base.
    pub fn ask(&self, token: &str, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let text = body.map(Value::to_string);
        let kind = text.as_ref().map(|_| "application/json");
        let path = format!("/elements/api-v2{path}");
        request(self.address, method, &path, Some(token), kind, text.unwrap_or_default().as_bytes())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An HTTP answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The body of an answer with this status.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        if self.body.is_empty() { Value::Null } else { self.json() }
    }
}

/// One request over a connection of its own.
pub fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    token: Option<&str>,
    kind: Option<&str>,
    body: &[u8],
) -> Answer {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    if let Some(token) = token {
        head.push_str(&format!("Authorization: {token}\r\n"));
    }
    if let Some(kind) = kind {
        head.push_str(&format!("Content-Type: {kind}\r\n"));
    }
    if !body.is_empty() || kind.is_some() {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    raw(address, &[head.as_bytes(), body].concat())
}

/// Sends bytes and reads the answer to the end of the connection.
pub fn raw(address: SocketAddr, bytes: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(SOON)).unwrap();
    // A server that has read enough may close before everything was sent.
    let _ = stream.write_all(bytes);
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text);
    let text = String::from_utf8_lossy(&text).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer but `{text}`"));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
    let header = |line: &str| {
        line.split_once(':').map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
    };
    Answer {
        status: status.unwrap_or_else(|| panic!("no status in `{head}`")),
        headers: lines.filter_map(header).collect(),
        body: body.to_owned(),
    }
}

/// A callback that came in.
#[derive(Debug)]
pub struct Callback {
    pub webhook_id: String,
    pub verified: bool,
    pub body: Value,
}

/// Receives callbacks on a free port and answers each with the present status.
pub struct Receiver {
    pub address: SocketAddr,
    incoming: mpsc::Receiver<Callback>,
    status: std::sync::Arc<std::sync::atomic::AtomicU16>,
}

impl Receiver {
    pub fn start(key: &'static str) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let status = std::sync::Arc::new(std::sync::atomic::AtomicU16::new(200));
        let answered = std::sync::Arc::clone(&status);
        let (out, incoming) = mpsc::channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (out, answered) = (out.clone(), std::sync::Arc::clone(&answered));
                std::thread::spawn(move || converse(stream, key, &out, &answered));
            }
        });
        Receiver { address, incoming, status }
    }

    pub fn answer(&self, status: u16) {
        self.status.store(status, std::sync::atomic::Ordering::SeqCst);
    }

    /// The next callback, or `None` when none comes in this time.
    pub fn next(&self, within: Duration) -> Option<Callback> {
        self.incoming.recv_timeout(within).ok()
    }
}

fn converse(
    stream: TcpStream,
    key: &str,
    out: &mpsc::Sender<Callback>,
    status: &std::sync::atomic::AtomicU16,
) -> Option<()> {
    let mut writer = stream.try_clone().ok()?;
    let mut reader = BufReader::new(stream);
    loop {
        let (mut length, mut signature, mut webhook_id) = (0, String::new(), String::new());
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            let Some((name, value)) = line.split_once(':') else { continue };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().ok()?,
                "elements-webhook-signature" => signature = value.trim().to_owned(),
                "elements-webhook-id" => webhook_id = value.trim().to_owned(),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
        mac.update(&body);
        let expect = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
        let verified = signature == format!("sha256={expect}");
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let code = status.load(std::sync::atomic::Ordering::SeqCst);
        write!(writer, "HTTP/1.1 {code} X\r\nContent-Length: 2\r\n\r\n{{}}").ok()?;
        out.send(Callback { webhook_id, verified, body }).ok()?;
    }
}

/// Looks again and again until it is there.
#[track_caller]
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + SOON;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "no {what} within {SOON:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
