//! Bodies that arrive in pieces, and bodies that never arrive whole.
//!
//! A truncated answer is a real one: the length (or the chunked framing) is on the wire, then the connection ends.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::Frame;
use tokio::time::{Sleep, sleep};

/// Marks a response in whose place the connection ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut;

/// Time between the last piece and the end of the connection, so that the piece leaves the buffers first.
const LINGER: Duration = Duration::from_millis(20);

struct Pieces {
    left: Bytes,
    piece: usize,
    pause: Duration,
    /// Whether the body ends in an error, and with it the connection.
    fails: bool,
    waiting: Option<Pin<Box<Sleep>>>,
}

/// The first `keep` bytes in pieces; if that is not all of them, the connection ends after them.
pub(crate) fn pieces(body: Vec<u8>, keep: usize, piece: usize, pause: Duration) -> Body {
    let whole = Bytes::from(body);
    let fails = keep < whole.len();
    // A truncated body waits before its first byte too, so that an empty prefix still sends the head.
    let waiting = fails.then(|| Box::pin(sleep(LINGER)));
    Body::new(Pieces { left: whole.slice(..keep.min(whole.len())), piece, pause, fails, waiting })
}

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = self.get_mut();
        if let Some(waiting) = &mut this.waiting {
            if waiting.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            this.waiting = None;
        }
        if this.left.is_empty() {
            let end = this.fails.then(|| Err(io::Error::other("the connection ends on demand")));
            return Poll::Ready(end);
        }
        let piece = this.left.split_to(this.piece.min(this.left.len()));
        if this.left.is_empty() && this.fails {
            this.waiting = Some(Box::pin(sleep(LINGER)));
        } else if !this.left.is_empty() && !this.pause.is_zero() {
            this.waiting = Some(Box::pin(sleep(this.pause)));
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }
}
