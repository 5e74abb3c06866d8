//! Hooks in real worker processes: scripts that mean harm, the walls around them, the pool, and the command line.
//!
//! The scripts are data, one file per class in `tests/hooks`: after `//// name: expectation` stands one script. Words
//! for what is expected are the codes of a fault, `stopped` (at any limit) and `contained` (it ran, and reached
//! nothing).

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use serde_json::value::RawValue;
use turnstone_core::hook::{HookCall, HookFault, HookInputs, HookKind, HookLimits, HookReply, InputName};
use turnstone_core::id::OrgId;
use turnstone_core::limits;
use turnstone_engine::clock::SystemClock;
use turnstone_engine::hooks::{HookPool, PoolSettings, WallState, pool};

const CLASSES: [(&str, &str); 10] = [
    ("endless-loop", include_str!("../hooks/endless-loop.js")),
    ("memory", include_str!("../hooks/memory.js")),
    ("recursion", include_str!("../hooks/recursion.js")),
    ("output", include_str!("../hooks/output.js")),
    ("prototype-pollution", include_str!("../hooks/prototype-pollution.js")),
    ("files", include_str!("../hooks/files.js")),
    ("sockets", include_str!("../hooks/sockets.js")),
    ("processes", include_str!("../hooks/processes.js")),
    ("environment", include_str!("../hooks/environment.js")),
    ("other-runs", include_str!("../hooks/other-runs.js")),
];

/// Given to each script: it says whether it reached what it reached for.
const REPORT: &str = "const report = (reached) => done({ configuration: { reached } }); ";

/// Looks at everything that an earlier run may have bent, and asks for the libraries.
const CANARY: &str = r#"
    const bent = [];
    const same = (name, one, other) => { if (one !== other) bent.push(name + " is " + String(one)); };
    same("global", Object.getOwnPropertyNames(globalThis).filter(n => /left|final|later|^t$/.test(n)).join(), "");
    same("members", Object.keys(Object.prototype).concat(Object.keys(Array.prototype)).join(), "");
    same("symbols", Object.getOwnPropertySymbols(Object.prototype).length, 0);
    same("polluted", {}.polluted, undefined);
    same("push", [1].push(2), 2);
    same("slice", "abc".slice(1), "bc");
    same("iterator", [...[1, 2]].join(), "1,2");
    same("json", JSON.stringify(JSON.parse('{"a": [1.0, 12345678901234567890]}')), '{"a":[1.0,12345678901234567890]}');
    same("map", new Map([[1, 2]]).get(1), 2);
    same("time", new Date().toISOString().slice(0, 16), "2026-01-31T09:30");
    same("chance", Math.random() > 0 && Math.random() < 1, true);
    same("md5", CE.md5("a"), "0cc175b9c0f1b6a831c399e269772661");
    same("lodash", require("lodash").sum([1, 2]), 3);
    same("util", require("util").format("%s", 1), "1");
    same("match", RegExp.$1 || "", "");
    console.log("canary");
    done({ configuration: { bent, input: request_path } });
"#;

struct Script {
    class: &'static str,
    name: &'static str,
    expect: &'static str,
    body: &'static str,
}

fn scripts() -> Vec<Script> {
    let of_class = |(class, text): &(&'static str, &'static str)| {
        let sections = text.split("\n//// ").skip(1);
        let script = |section: &'static str| {
            let (head, body) = section.split_once('\n').expect("a script follows its heading");
            let (name, expect) = head.rsplit_once(": ").expect("a heading names what is expected");
            Script { class, name, expect, body }
        };
        sections.map(script).collect::<Vec<_>>()
    };
    CLASSES.iter().flat_map(of_class).collect()
}

fn settings(workers: usize) -> PoolSettings {
    let mut settings = PoolSettings::of(PathBuf::from(env!("CARGO_BIN_EXE_turnstone")));
    settings.workers = workers;
    settings.grace = Duration::from_millis(150);
    settings
}

fn pool_of(settings: PoolSettings) -> HookPool {
    HookPool::new(settings, Arc::new(SystemClock::new()))
}

fn call(body: &str) -> HookCall {
    HookCall {
        kind: HookKind::PreRequest,
        body: body.to_owned(),
        is_legacy: false,
        inputs: HookInputs::new().with_text(InputName::RequestPath, "/secret"),
        limits: HookLimits::default(),
        now: "2026-01-31T09:30:00Z".parse().unwrap(),
        seed: 7,
    }
}

fn limits_of(class: &str) -> HookLimits {
    let defaults = HookLimits::default();
    let time = Duration::from_millis(if class == "endless-loop" { 200 } else { 4_000 });
    HookLimits { time, memory_bytes: 24 << 20, output_bytes: 1 << 20, ..defaults }
}

/// What is wrong with the reply, if anything.
fn judge(script: &Script, reply: &HookReply) -> Result<(), String> {
    let code = match &reply.result {
        Err(fault) => fault.code(),
        Ok(outcome) => {
            let reached =
                outcome.configuration.iter().any(|(name, json)| name == "reached" && json.get() != "false");
            if reached { "reached" } else { "contained" }
        }
    };
    let is_limit = reply.result.as_ref().is_err_and(|fault| fault.limit().is_some());
    let is_well = match script.expect {
        "stopped" => is_limit,
        // The engine's own bound, or ours: whichever a machine meets first.
        "stopped-or-thrown" => is_limit || code == "thrown",
        "thrown-or-contained" => code == "thrown" || code == "contained",
        expect => code == expect,
    };
    if is_well {
        return Ok(());
    }
    let what = reply.result.as_ref().map_or_else(ToString::to_string, |outcome| format!("{outcome:?}"));
    Err(format!("{}: `{}` is {code} and not {}: {what}", script.class, script.name, script.expect))
}

fn judge_canary(reply: &HookReply) -> Result<(), String> {
    let outcome = reply.result.as_ref().map_err(|fault| format!("the next hook failed: {fault}"))?;
    let texts: Vec<&str> = outcome.configuration.iter().map(|(_, json)| json.get()).collect();
    if texts != ["[]", "\"/canary\""] || reply.log != ["canary"] {
        return Err(format!("the next hook found {texts:?} and said {:?}", reply.log));
    }
    Ok(())
}

fn canary() -> HookCall {
    HookCall { inputs: HookInputs::new().with_text(InputName::RequestPath, "/canary"), ..call(CANARY) }
}

/// Runs every script, after each the canary in the same worker, while another organisation works all the time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scripts_that_mean_harm_are_stopped_and_leave_nothing() {
    let scripts = Arc::new(scripts());
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    scripts.iter().for_each(|script| *counts.entry(script.class).or_default() += 1);
    assert!(
        counts.values().all(|&count| count >= 15) && counts.len() == 10 && scripts.len() >= 100,
        "{counts:?}"
    );

    let started = Instant::now();
    let pool = pool_of(settings(6));
    let attack = |half: usize| {
        let (pool, scripts) = (pool.clone(), Arc::clone(&scripts));
        tokio::spawn(async move {
            let org = OrgId(half as i64);
            let mut wrong = Vec::new();
            for script in scripts.iter().skip(half).step_by(2) {
                let call =
                    HookCall { limits: limits_of(script.class), ..call(&format!("{REPORT}{}", script.body)) };
                let reply = pool.run(org, &call).await;
                if reply.took > Duration::from_secs(1) {
                    println!("{}: `{}` took {:.1?}", script.class, script.name, reply.took);
                }
                wrong.extend(judge(script, &reply).err());
                let next = judge_canary(&pool.run(org, &canary()).await);
                wrong
                    .extend(next.err().map(|why| format!("{}: after `{}` {why}", script.class, script.name)));
            }
            wrong
        })
    };
    let attacks = [attack(0), attack(1)];
    let (mut bystander, mut longest) = (0, Duration::ZERO);
    while attacks.iter().any(|attack| !attack.is_finished()) {
        let reply = pool.run(OrgId(9), &canary()).await;
        judge_canary(&reply).unwrap();
        longest = longest.max(reply.took);
        bystander += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut wrong = Vec::new();
    for attack in attacks {
        wrong.extend(attack.await.unwrap());
    }
    println!("{} scripts in {:.1?}: {counts:?}", scripts.len(), started.elapsed());
    println!("meanwhile another organisation ran {bystander} hooks, the longest took {longest:.1?}");
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(longest < Duration::from_secs(5), "{longest:?}");
    assert!(started.elapsed() < Duration::from_secs(120), "{:?}", started.elapsed());
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_worker_can_open_connect_execute_and_trace_nothing() {
    let (walls, probes) = pool::inspect(&settings(2)).await.unwrap();
    let names: Vec<&str> = walls.iter().map(|wall| wall.name.as_str()).collect();
    assert_eq!(names, ["environment", "limits", "privileges", "landlock", "seccomp"]);
    let down: Vec<_> =
        walls.iter().filter(|wall| wall.name != "landlock" && wall.state != WallState::Up).collect();
    assert!(down.is_empty(), "{down:?}");
    for name in [
        "read a file",
        "write a file",
        "open a datagram socket",
        "connect to a port",
        "open a local socket",
        "start a process",
        "start a thread",
        "execute a program",
        "trace a process",
        "signal its parent",
        "make a file in memory",
    ] {
        let probe =
            probes.iter().find(|probe| probe.name == name).unwrap_or_else(|| panic!("{name} was not tried"));
        assert!(probe.is_refused, "{probe:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_organisation_has_half_of_the_workers_and_of_the_queue() {
    let mut settings = settings(2);
    settings.queue = 8;
    let pool = pool_of(settings);
    let long = HookCall {
        limits: HookLimits { time: Duration::from_millis(400), ..HookLimits::default() },
        ..call("for (;;) {}")
    };
    let flood: Vec<_> = (0..7)
        .map(|_| {
            let (pool, long) = (pool.clone(), long.clone());
            tokio::spawn(async move { pool.run(OrgId(1), &long).await })
        })
        .collect();
    // One runs, four wait, the others are refused at once.
    let mut refused = 0;
    let started = Instant::now();
    while refused < 2 && started.elapsed() < Duration::from_secs(30) {
        refused = flood.iter().filter(|task| task.is_finished()).count();
        tokio::time::sleep(Duration::from_millis(5)).await;
        if started.elapsed() > Duration::from_millis(350) {
            break;
        }
    }
    let other = pool.run(OrgId(2), &canary()).await;
    judge_canary(&other).unwrap();
    let mut codes: BTreeMap<&str, usize> = BTreeMap::new();
    for task in flood {
        *codes.entry(task.await.unwrap().result.unwrap_err().code()).or_default() += 1;
    }
    assert_eq!(codes, BTreeMap::from([("busy", 2), ("time", 5)]));
    judge_canary(&pool.run(OrgId(1), &canary()).await).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_gives_up_frees_its_worker() {
    let pool = pool_of(settings(2));
    let blind = call("[].reverse.call({ length: 2 ** 53 - 1 })");
    for _ in 0..3 {
        let given_up = tokio::time::timeout(Duration::from_millis(300), pool.run(OrgId(1), &blind)).await;
        assert!(given_up.is_err());
    }
    judge_canary(&pool.run(OrgId(1), &canary()).await).unwrap();
    assert_eq!(pool.idle_workers(), 1);
}

#[tokio::test]
async fn a_worker_is_kept_until_it_met_a_limit_or_did_enough() {
    let pool = pool_of(settings(2));
    let small = call("done()");
    for _ in 0..limits::HOOK_RUNS_PER_WORKER_MAX - 1 {
        pool.run(OrgId(1), &small).await.result.unwrap();
    }
    assert_eq!(pool.idle_workers(), 1);
    pool.run(OrgId(1), &small).await.result.unwrap();
    assert_eq!(pool.idle_workers(), 0, "it did enough");
    pool.run(OrgId(1), &small).await.result.unwrap();
    let deep = pool.run(OrgId(1), &call("(function f() { f(); })()")).await;
    assert!(matches!(deep.result, Err(HookFault::Stack { line: Some(1) })), "{:?}", deep.result);
    assert_eq!(pool.idle_workers(), 0, "it met a limit");
    pool.run(OrgId(1), &call("null.x")).await.result.unwrap_err();
    assert_eq!(pool.idle_workers(), 1, "an error is no limit");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_worker_that_dies_idle_costs_nothing_and_one_that_dies_at_work_says_so() {
    let mut own = settings(2);
    own.program = PathBuf::from("/bin/sh");
    // A worker that is ready, takes one byte of a call, and ends.
    let ready = r#"{"walls":[],"probes":[]}"#;
    let script =
        format!("printf '\\{:03o}\\000\\000\\000%s' '{ready}'; head -c 1 >/dev/null; exit 3", ready.len());
    own.arguments = vec!["-c".into(), script.into()];
    let reply = pool_of(own).run(OrgId(1), &call("done()")).await;
    match reply.result {
        Err(HookFault::WorkerDied { how }) => assert_eq!(how, "with exit code 3"),
        other => panic!("{other:?}"),
    }
    for (program, words) in
        [("/no/such/program", "No such file"), ("/bin/true", "did not say that it is ready")]
    {
        let mut other = settings(2);
        other.program = PathBuf::from(program);
        match pool_of(other).run(OrgId(1), &call("done()")).await.result {
            Err(HookFault::NoWorker { why }) => assert!(why.contains(words), "{why}"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn calls_that_are_too_large_are_refused_before_they_are_sent() {
    let pool = pool_of(settings(2));
    let script = call(&" ".repeat(limits::HOOK_SCRIPT_BYTES_MAX + 1));
    let input = HookCall {
        inputs: HookInputs::new()
            .with_text(InputName::RequestBody, &"x".repeat(limits::HOOK_INPUT_BYTES_MAX)),
        ..call("done()")
    };
    for call in [script, input] {
        assert_eq!(pool.run(OrgId(1), &call).await.result.unwrap_err().code(), "too-large");
    }
    assert_eq!(pool.idle_workers(), 0);
}

/// The largest call that is allowed goes through, with the limits that are the default.
#[tokio::test]
async fn the_largest_input_passes() {
    let pool = pool_of(settings(2));
    let record = |at: usize| {
        let (id, amount) = (12_345_678_901_000_000_000_u64 + at as u64, at % 1_000_000);
        format!(r#"{{"id":{id},"amount":{amount}.50,"name":"somebody","tags":["a","b"]}}"#)
    };
    let count = (limits::HOOK_INPUT_BYTES_MAX - 10) / (record(999_999).len() + 1);
    let records: Vec<String> = (0..count).map(record).collect();
    let json = format!("[{}]", records.join(","));
    let call = HookCall {
        kind: HookKind::PostRequest,
        inputs: HookInputs::new().with(InputName::ResponseBody, RawValue::from_string(json.clone()).unwrap()),
        limits: HookLimits { time: Duration::from_secs(60), ..HookLimits::default() },
        ..call("done({response_body})")
    };
    let reply = pool.run(OrgId(1), &call).await;
    println!("{} bytes in and out in {:.1?}", json.len(), reply.took);
    assert_eq!(reply.result.unwrap().response.body.unwrap().get(), json);
}

#[tokio::test]
async fn the_same_call_gives_the_same_answer() {
    let pool = pool_of(settings(2));
    let mut call = call(
        "console.log(new Date(), Math.random()); done({configuration: {a: CE.randomString(), b: Date.now(), c: Math.random()}})",
    );
    let told = |reply: HookReply| {
        let values: Vec<String> =
            reply.result.unwrap().configuration.iter().map(|(_, json)| json.get().to_owned()).collect();
        (values, reply.log)
    };
    let first = told(pool.run(OrgId(1), &call).await);
    for _ in 0..3 {
        assert_eq!(told(pool_of(settings(2)).run(OrgId(2), &call).await), first);
    }
    call.seed += 1;
    assert_ne!(told(pool.run(OrgId(1), &call).await), first);
}

struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

fn turnstone(args: &[&str]) -> Ended {
    let output = Command::new(env!("CARGO_BIN_EXE_turnstone")).args(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

#[test]
fn hook_run_prints_what_a_hook_wants() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("hook.js"), "console.log('hi');\ndone({events: [{event_type: 'CREATED', event_object_id: events.id,\n event_object_type: 'a'}], more: 1})").unwrap();
    std::fs::write(path("in.json"), r#"{"events": {"id": 12345678901234567890}}"#).unwrap();

    let ended = turnstone(&[
        "hook",
        "run",
        &path("hook.js"),
        "--type",
        "event",
        "--input",
        &path("in.json"),
        "--json",
    ]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let told: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(told["ok"], true);
    assert_eq!(told["log"], serde_json::json!(["hi"]));
    assert_eq!(told["result"]["events"][0]["objectId"], "12345678901234567890");

    let ended = turnstone(&[
        "hook",
        "run",
        &path("hook.js"),
        "--type",
        "event",
        "--input",
        r#"{"events": {"id": 1.0}}"#,
    ]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.contains(r#""objectId": "1.0""#), "{}", ended.stdout);
    for words in ["log: hi", "`more` is no result", "took "] {
        assert!(ended.stderr.contains(words), "{}", ended.stderr);
    }
}

#[test]
fn hook_run_names_the_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bad.js").display().to_string();
    for (body, words) in [
        ("let a = 1;\nlet b = ;", "bad.js:2: the hook does not compile at line 2"),
        ("\n\nnull.x;", "bad.js:3: the hook threw at line 3: TypeError"),
        ("let x = 1;", "bad.js: the hook ended without a result; call done"),
        ("require('http')", "hooks do not get here"),
    ] {
        std::fs::write(&file, body).unwrap();
        let ended = turnstone(&["hook", "run", &file, "--type", "preRequest"]);
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        assert!(ended.stderr.contains(words), "`{words}` is not in {}", ended.stderr);
    }
    let ended = turnstone(&["hook", "run", &file, "--type", "preRequest", "--json"]);
    let told: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((ended.code, told["fault"]["code"].as_str()), (Some(2), Some("refused")));
    let ended = turnstone(&["hook", "run", &file, "--type", "event", "--input", r#"{"response_body": 1}"#]);
    assert!(ended.stderr.contains("no input of a hook of type event"), "{}", ended.stderr);
    let ended = turnstone(&["hook", "run", "/no/such/file.js", "--type", "event"]);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
}

#[cfg(target_os = "linux")]
#[test]
fn hook_doctor_tells_the_walls() {
    let ended = turnstone(&["hook", "doctor"]);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    for words in ["seccomp", "landlock", "limits", "privileges", "environment", "trace a process", "refused"]
    {
        assert!(ended.stdout.contains(words), "{}", ended.stdout);
    }
    let told: Value = serde_json::from_str(&turnstone(&["hook", "doctor", "--json"]).stdout).unwrap();
    assert_eq!(told["contained"], true, "{told}");
    assert_eq!(told["walls"].as_array().unwrap().len(), 5);
}

#[test]
fn the_worker_is_hidden_and_survives_nonsense() {
    let help = turnstone(&["--help"]);
    assert!(help.stdout.contains("hook") && !help.stdout.contains("js-worker"), "{}", help.stdout);
    // Its input ends, or is no frame: it ends without a word.
    for (input, code) in [(&b""[..], 0), (b"GET / HTTP/1.1\r\n\r\n", 1), (b"\x02\0\0\0{}", 1), (b"\x05\0", 1)]
    {
        let mut worker = Command::new(env!("CARGO_BIN_EXE_turnstone"))
            .arg("js-worker")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        worker.stdin.take().unwrap().write_all(input).unwrap();
        let ended = worker.wait_with_output().unwrap();
        assert_eq!((ended.status.code(), ended.stderr.as_slice()), (Some(code), &b""[..]), "{input:?}");
    }
}
