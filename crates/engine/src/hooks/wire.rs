//! What goes between the pool and a worker: frames of JSON, each after its length.
//!
//! Not here: who may send what when; a worker says what it is once, and then answers one call after another.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use turnstone_core::limits;

use super::walls::{Probe, Wall};

/// Bytes of a frame, in both directions: the largest input or output, doubled for escapes, and its company.
pub(super) const FRAME_BYTES_MAX: usize =
    2 * (if limits::HOOK_INPUT_BYTES_MAX > limits::HOOK_OUTPUT_BYTES_MAX {
        limits::HOOK_INPUT_BYTES_MAX
    } else {
        limits::HOOK_OUTPUT_BYTES_MAX
    }) + 4 * limits::HOOK_SCRIPT_BYTES_MAX;

/// What a worker says first.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ready {
    /// The walls around it.
    pub walls: Vec<Wall>,
    /// What it tried and could not do, when it was asked to try.
    pub probes: Vec<Probe>,
}

/// How a script ended.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum End {
    /// It called `done` with this.
    Done(Box<RawValue>),
    /// It called `done` with nothing.
    Unchanged,
    /// It did not call `done`.
    NoDone,
    /// It handed something to `done` that has no JSON.
    Unwritable(String),
    /// It does not compile.
    Syntax { line: Option<u32>, message: String },
    /// It threw.
    Thrown { line: Option<u32>, message: String },
    /// It ran out of time.
    Time { line: Option<u32> },
    /// It ran out of memory.
    Memory,
    /// It ran out of stack.
    Stack { line: Option<u32> },
    /// Its result is too large.
    Output,
    /// It asked for what it does not get.
    Refused(String),
}

/// A worker's answer to a call.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Answer {
    pub end: End,
    pub log: Vec<String>,
    pub log_dropped: u64,
    /// The worker has done enough and ends by itself.
    pub retires: bool,
}

/// Writes one frame.
pub(super) fn write(out: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    let bytes = encode(message)?;
    out.write_all(&bytes)?;
    out.flush()
}

/// A frame's bytes. Fails when it would be too long.
pub(super) fn encode(message: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; 4];
    serde_json::to_writer(&mut bytes, message)?;
    let length = bytes.len() - 4;
    if length > FRAME_BYTES_MAX {
        return Err(io::Error::other(format!("a message of {length} bytes, {FRAME_BYTES_MAX} are allowed")));
    }
    let length = u32::try_from(length).map_err(io::Error::other)?;
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    Ok(bytes)
}

/// Reads one frame; `None` at the end of the stream.
pub(super) fn read(input: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut head = [0; 4];
    let mut filled = 0;
    while filled < head.len() {
        match input.read(&mut head[filled..])? {
            0 if filled == 0 => return Ok(None),
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => filled += count,
        }
    }
    let mut body = vec![0; length(head)?];
    input.read_exact(&mut body)?;
    Ok(Some(body))
}

/// The length that a frame's head announces. Fails when it is too long.
pub(super) fn length(head: [u8; 4]) -> io::Result<usize> {
    let length = usize::try_from(u32::from_le_bytes(head)).map_err(io::Error::other)?;
    if length > FRAME_BYTES_MAX {
        return Err(io::Error::other(format!("a message of {length} bytes, {FRAME_BYTES_MAX} are allowed")));
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_as_written() {
        let mut bytes = Vec::new();
        write(&mut bytes, &"one").unwrap();
        write(&mut bytes, &[1, 2]).unwrap();
        let mut input = bytes.as_slice();
        assert_eq!(read(&mut input).unwrap().unwrap(), b"\"one\"");
        assert_eq!(read(&mut input).unwrap().unwrap(), b"[1,2]");
        assert!(read(&mut input).unwrap().is_none());
    }

    #[test]
    fn cut_and_endless_frames_are_refused() {
        assert!(read(&mut [5, 0, 0].as_slice()).is_err());
        assert!(read(&mut [5, 0, 0, 0, 1].as_slice()).is_err());
        assert!(read(&mut [255, 255, 255, 255].as_slice()).is_err());
    }

    #[test]
    fn null_is_a_result_and_not_its_absence() {
        let null = End::Done(RawValue::from_string("null".into()).unwrap());
        let text = serde_json::to_string(&null).unwrap();
        assert!(matches!(serde_json::from_str(&text).unwrap(), End::Done(value) if value.get() == "null"));
    }
}
