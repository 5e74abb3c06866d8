//! A raw HTTP peer that does exactly what a test tells it, however wrong.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Which connection it came on, from 0.
    pub connection: usize,
    /// Which request of that connection it is, from 0.
    pub index: usize,
    /// Request line and headers, in lower case.
    pub head: String,
    /// As many bytes as `content-length` says.
    pub body: Vec<u8>,
}

impl Seen {
    /// The path with its query.
    pub fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }
}

/// What the peer does after a request.
pub enum Answer {
    /// Writes and waits for the next request.
    Keep(Vec<u8>),
    /// Writes and closes in order.
    Close(Vec<u8>),
    /// Writes and breaks the connection.
    Reset(Vec<u8>),
    /// Writes and then says nothing more.
    Stall(Vec<u8>),
    /// Writes the first part, then the second again and again until the client leaves.
    Forever(Vec<u8>, Vec<u8>),
}

type Script = dyn Fn(&Seen) -> Answer + Send + Sync;

/// A running peer.
pub struct Peer {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    written: Arc<AtomicU64>,
    connections: Arc<AtomicUsize>,
}

impl Peer {
    pub async fn start(script: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Self {
        Peer::start_at("127.0.0.1:0".parse().unwrap(), script).await
    }

    pub async fn start_at(
        address: SocketAddr,
        script: impl Fn(&Seen) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let peer = Peer {
            address: listener.local_addr().unwrap(),
            seen: Arc::default(),
            written: Arc::default(),
            connections: Arc::default(),
        };
        let (seen, written, connections) =
            (Arc::clone(&peer.seen), Arc::clone(&peer.written), Arc::clone(&peer.connections));
        let script: Arc<Script> = Arc::new(script);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let connection = connections.fetch_add(1, Ordering::SeqCst);
                let talk =
                    talk(stream, connection, Arc::clone(&script), Arc::clone(&seen), Arc::clone(&written));
                tokio::spawn(talk);
            }
        });
        peer
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// All requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Connections so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Bytes that clients have accepted so far.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::SeqCst)
    }
}

async fn talk(
    mut stream: TcpStream,
    connection: usize,
    script: Arc<Script>,
    seen: Arc<Mutex<Vec<Seen>>>,
    written: Arc<AtomicU64>,
) {
    let mut buffer = Vec::new();
    for index in 0.. {
        let Some((head, body)) = request(&mut stream, &mut buffer).await else { return };
        let request = Seen { connection, index, head, body };
        seen.lock().unwrap().push(request.clone());
        match script(&request) {
            Answer::Keep(bytes) => {
                if stream.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            Answer::Close(bytes) => {
                // The client may have left already; then its own outcome is what the test looks at.
                let _ = stream.write_all(&bytes).await;
                let _ = stream.shutdown().await;
                return;
            }
            Answer::Reset(bytes) => {
                let _ = stream.write_all(&bytes).await;
                let _ = stream.flush().await;
                stream.set_zero_linger().unwrap();
                return;
            }
            Answer::Stall(bytes) => {
                let _ = stream.write_all(&bytes).await;
                // Ends when the client leaves.
                let _ = stream.read(&mut [0; 1]).await;
                return;
            }
            Answer::Forever(first, again) => {
                let mut next = stream.write_all(&first).await;
                while next.is_ok() {
                    next = stream.write_all(&again).await;
                    written.fetch_add(again.len() as u64, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                }
                return;
            }
        }
    }
}

async fn request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<(String, Vec<u8>)> {
    let end = loop {
        if let Some(at) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&buffer[..end]).to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"))
        .map_or(0, |length| length.trim().parse().unwrap());
    while buffer.len() < end + length {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    let body = buffer[end..end + length].to_vec();
    buffer.drain(..end + length);
    Some((head, body))
}

/// An answer with a declared length.
pub fn sized(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let mut bytes = format!("HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\n\r\n").into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// An answer in chunks, with its end.
pub fn chunked(headers: &str, chunks: &[&[u8]]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 200 OK\r\n{headers}transfer-encoding: chunked\r\n\r\n").into_bytes();
    for chunk in chunks {
        bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    bytes
}
