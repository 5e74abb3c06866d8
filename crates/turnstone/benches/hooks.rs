//! Measures hooks: runs a second and the time of the slowest per cent, with a body of 1 KB.
//!
//! `RUNS` sets their number. The floor is the same frame sent through a process that only sends it back (`cat`): what a
//! pipe and a change of process cost.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::value::RawValue;
use turnstone_core::hook::{HookCall, HookInputs, HookKind, HookLimits, InputName};
use turnstone_core::id::OrgId;
use turnstone_engine::clock::SystemClock;
use turnstone_engine::hooks::{HookPool, PoolSettings};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    if std::env::args().any(|argument| argument == "--list") {
        return Ok(());
    }
    let runs: usize = std::env::var("RUNS").ok().and_then(|text| text.parse().ok()).unwrap_or(5_000);
    let plain = body("12.5", "1234567");
    let exact = body("12.50", "12345678901234567890");
    echo(&plain, runs)?;

    let pass = "done({response_body})";
    let map = "done({response_body: response_body.map(one => ({...one, sum: one.amount * 2}))})";
    let sign = "const text = JSON.stringify(response_body); \
                done({request_vendor_headers: {'X-Sign': CE.hmacSha256Hex('key', text)}})";
    let lodash = "const _ = require('lodash'); done({response_body: _.keyBy(response_body, 'name')})";
    for (name, script, body) in [
        ("passes its body on", pass, &plain),
        ("passes long numbers on", pass, &exact),
        ("maps its body", map, &plain),
        ("signs its body", sign, &plain),
        ("requires lodash", lodash, &plain),
    ] {
        measure(name, script, body, runs, 1).await?;
    }
    measure("passes its body on", pass, &plain, runs, 2).await
}

/// About 1 KB of records.
fn body(amount: &str, id: &str) -> String {
    let record = |at: usize| {
        format!(r#"{{"id":{id},"name":"contact {at}","amount":{amount},"active":true,"tags":["a","b"]}}"#)
    };
    let records: Vec<String> = (0..12).map(record).collect();
    format!("[{}]", records.join(","))
}

async fn measure(name: &str, script: &str, body: &str, runs: usize, callers: usize) -> Result<()> {
    let mut settings = PoolSettings::of(PathBuf::from(env!("CARGO_BIN_EXE_turnstone")));
    settings.workers = callers.max(2);
    let pool = HookPool::new(settings, Arc::new(SystemClock::new()));
    let call = HookCall {
        kind: HookKind::PostRequest,
        body: script.to_owned(),
        is_legacy: false,
        inputs: HookInputs::new().with(InputName::ResponseBody, RawValue::from_string(body.to_owned())?),
        limits: HookLimits::default(),
        now: "2026-01-31T09:30:00Z".parse()?,
        seed: 1,
    };
    pool.run(OrgId(0), &call).await.result.context("the hook of the benchmark fails")?;
    let started = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|caller| {
            let (pool, call) = (pool.clone(), call.clone());
            tokio::spawn(async move {
                let mut times = Vec::with_capacity(runs);
                for _ in 0..runs / callers {
                    let began = Instant::now();
                    let reply = pool.run(OrgId(caller as i64), &call).await;
                    times.push(began.elapsed());
                    reply.result.expect("the same hook ran before");
                }
                times
            })
        })
        .collect();
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await?);
    }
    tell(&format!("{name}, {callers} at once"), body.len(), times, started.elapsed());
    Ok(())
}

/// The floor: a process that sends back what it gets.
fn echo(body: &str, runs: usize) -> Result<()> {
    let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut input = child.stdin.take().context("it is piped")?;
    let mut output = child.stdout.take().context("it is piped")?;
    let mut back = vec![0; body.len()];
    let started = Instant::now();
    let mut times = Vec::with_capacity(runs);
    for _ in 0..runs {
        let began = Instant::now();
        input.write_all(body.as_bytes())?;
        output.read_exact(&mut back)?;
        times.push(began.elapsed());
    }
    drop(input);
    child.wait()?;
    tell("floor: an echo through a process", body.len(), times, started.elapsed());
    Ok(())
}

fn tell(name: &str, bytes: usize, mut times: Vec<Duration>, whole: Duration) {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!(
        "{name}: {:.0} runs/s with {bytes} bytes, p50 {:.2} ms, p99 {:.2} ms, longest {:.2} ms",
        times.len() as f64 / whole.as_secs_f64(),
        at(0.5),
        at(0.99),
        at(1.0),
    );
}
