//! The worker: the other end of the pipe, in a process of its own.
//!
//! It raises its walls, says that it is ready, and then answers one call after another until its input ends or it has
//! done enough. It starts no thread and opens nothing. Not here: who kills it.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use turnstone_core::hook::HookCall;
use turnstone_core::limits;

use super::wire::{self, Ready};
use super::{sandbox, walls};

/// What a worker does after its walls are up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Answers calls.
    Serve,
    /// Tries to get out, tells what came of it, and ends.
    Probe,
}

/// Runs a worker on this process's standard streams. Returns when there is nothing more to do.
pub fn run(mode: Mode) -> ExitCode {
    let parent = walls::parent();
    let walls = walls::raise();
    let probes = if mode == Mode::Probe { walls::probe(parent) } else { Vec::new() };
    let outcome = serve(mode, &Ready { walls, probes });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever started it sees the pipe close; there is no other way to say why.
        Err(_) => ExitCode::FAILURE,
    }
}

fn serve(mode: Mode, ready: &Ready) -> io::Result<()> {
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    wire::write(&mut output, ready)?;
    if mode == Mode::Probe {
        return Ok(());
    }
    for run in 1..=limits::HOOK_RUNS_PER_WORKER_MAX {
        let Some(frame) = wire::read(&mut input)? else { return Ok(()) };
        let call: HookCall = serde_json::from_slice(&frame)?;
        drop(frame);
        let mut answer = sandbox::run(&call);
        answer.retires |=
            run == limits::HOOK_RUNS_PER_WORKER_MAX || processor_time() * 2 > limits::HOOK_WORKER_CPU_MAX;
        wire::write(&mut output, &answer)?;
        output.flush()?;
        if answer.retires {
            return Ok(());
        }
    }
    Ok(())
}

/// What this process has used so far.
#[cfg(target_os = "linux")]
fn processor_time() -> Duration {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(used.tv_sec.unsigned_abs(), used.tv_nsec.unsigned_abs() as u32)
}

/// Unknown here, where there is no limit either.
#[cfg(not(target_os = "linux"))]
fn processor_time() -> Duration {
    Duration::ZERO
}
