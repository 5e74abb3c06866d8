//! Runs the program, and the servers that it talks to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use turnstone_provider::{Provider, ProviderConfig, RunningProvider};

/// Longer than any single command of these tests takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A folder with a document and a state, and the program to use them.
pub struct Desk {
    pub folder: tempfile::TempDir,
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub lines: Vec<Value>,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub fn expect_words(self, words: &str) -> Self {
        assert!(self.stderr.contains(words), "`{words}` is not in:\n{}", self.stderr);
        self
    }
}

impl Desk {
    pub fn new(document: &Value) -> Desk {
        let desk = Desk { folder: tempfile::tempdir().unwrap() };
        desk.write(document);
        desk
    }

    pub fn write(&self, document: &Value) {
        std::fs::write(self.path("instance.json"), document.to_string()).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program with these arguments; `FILE` and `STATE` stand for the document and the state of this desk.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_turnstone"));
        command.env_remove("NO_COLOR").env_remove("TURNSTONE_LOG").stdin(Stdio::null());
        for arg in args {
            match *arg {
                "FILE" => command.arg(self.path("instance.json")),
                "STATE" => command.arg(self.path("state.db")),
                arg => command.arg(arg),
            };
        }
        command
    }

    pub fn run(&self, args: &[&str]) -> Ended {
        ended(self.command(args))
    }

    /// One poll into the state; every line is one event.
    pub fn poll(&self) -> Ended {
        self.run(&["poll", "FILE", "--state", "STATE"])
    }
}

/// Runs a command to its end.
pub fn ended(mut command: Command) -> Ended {
    let output = command.output().unwrap();
    of_output(output.status, output.stdout, output.stderr)
}

pub fn of_output(status: ExitStatus, stdout: Vec<u8>, stderr: Vec<u8>) -> Ended {
    let stdout = String::from_utf8(stdout).unwrap();
    let lines = stdout.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    Ended { code: status.code(), lines, stdout, stderr: String::from_utf8(stderr).unwrap() }
}

/// A running program whose messages can be waited for.
pub struct Running {
    pub child: Child,
    messages: BufReader<std::process::ChildStderr>,
}

impl Running {
    pub fn start(mut command: Command) -> Running {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let messages = BufReader::new(child.stderr.take().unwrap());
        Running { child, messages }
    }

    /// Reads messages until one holds these words.
    pub fn wait_for(&mut self, words: &str) {
        let mut said = String::new();
        while self.messages.read_line(&mut said).unwrap() > 0 {
            if said.contains(words) {
                return;
            }
        }
        panic!("the program ended without `{words}`:\n{said}");
    }

    /// What Ctrl-C does.
    pub fn interrupt(&self) {
        let done = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        assert!(done.success());
    }

    pub fn end(mut self) -> Ended {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        self.child.stdout.take().unwrap().read_to_end(&mut stdout).unwrap();
        self.messages.read_to_end(&mut stderr).unwrap();
        of_output(self.child.wait().unwrap(), stdout, stderr)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has usually ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A request as a server saw it.
#[derive(Clone, Debug)]
pub struct Seen {
    pub path: String,
    pub body: String,
}

/// A server that answers as a test tells it, one request per connection.
pub struct Peer {
    pub address: SocketAddr,
    pub seen: Arc<Mutex<Vec<Seen>>>,
}

impl Peer {
    /// `answer` gets the path and the number of the request, and returns everything from the status line on.
    pub fn start(answer: impl Fn(&Seen, usize) -> String + Send + Sync + 'static) -> Peer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (log, answer) = (Arc::clone(&seen), Arc::new(answer));
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                // An answer that is held back holds back no other.
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                std::thread::spawn(move || {
                    let Some(request) = read_request(&mut stream) else { return };
                    let number = {
                        let mut log = log.lock().unwrap();
                        log.push(request.clone());
                        log.len() - 1
                    };
                    let text = answer(&request, number);
                    // A client that left does not wait for the answer.
                    let _ = stream.write_all(text.as_bytes());
                });
            }
        });
        Peer { address, seen }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

fn read_request(stream: &mut TcpStream) -> Option<Seen> {
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Seen { path: first.split(' ').nth(1)?.to_owned(), body: String::from_utf8(body).ok()? })
}

/// A whole answer.
pub fn answer(status: &str, kind: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

pub fn json_answer(body: &Value) -> String {
    answer("200 OK", "application/json", &body.to_string())
}

/// A document with one resource `customers`.
pub fn document(url: &str, more: Value) -> Value {
    let mut resource = json!({
        "url": url,
        "idField": "id",
        "datesConfiguration": {
            "updatedDateField": "updated_at", "updatedDateFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
            "createdDateField": "created_at", "createdDateFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSXXX"
        },
        "pagination": {"type": "none"}
    });
    for (name, value) in more.as_object().unwrap() {
        resource[name] = value.clone();
    }
    json!({
        "element": {"key": "crm"},
        "name": "the CRM",
        "configuration": {
            "event.notification.enabled": true,
            "event.poller.configuration": {"customers": resource}
        }
    })
}

/// The fake CRM, on a runtime of its own.
pub struct Crm {
    pub provider: RunningProvider,
    _runtime: tokio::runtime::Runtime,
}

impl Crm {
    pub fn start(config: ProviderConfig) -> Crm {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let provider = runtime.block_on(Provider::start(config)).unwrap();
        Crm { provider, _runtime: runtime }
    }

    /// A document that polls its customers, in pages of 20.
    pub fn document(&self, more: Value) -> Value {
        let url = format!(
            "{}/v1/customers?updated_at_gte=${{gmtDate:yyyy-MM-dd'T'HH:mm:ss.SSS'Z'}}",
            self.provider.url()
        );
        let mut all = json!({"pagination": {"type": "page", "page": "page", "size": "per_page"}});
        for (name, value) in more.as_object().unwrap() {
            all[name] = value.clone();
        }
        document(&url, all)
    }
}

/// One request to a server, for tests that change its data.
pub fn http(address: SocketAddr, method: &str, path: &str, body: &Value) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let length = body.len();
    stream.write_all(
        format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        )
        .as_bytes(),
    )?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let status = text.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status = status.ok_or_else(|| std::io::Error::other("no status"))?;
    Ok((status, text.split_once("\r\n\r\n").map_or("", |(_, body)| body).to_owned()))
}

/// The root of the project.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
