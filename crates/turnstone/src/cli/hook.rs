//! `turnstone hook`: tries a hook as the service would run it, and shows the walls around it.
//!
//! Also the hidden `js-worker`, the other end of the pool's pipe. Not here: the contract and its merge rules (the
//! core's `hook`), and what runs a script (the engine's `hooks`).

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::json;
use turnstone_core::hook::{HookCall, HookFault, HookInputs, HookKind, HookLimits, HookReply};
use turnstone_core::id::OrgId;
use turnstone_engine::clock::{Clock, Entropy, SystemClock, SystemEntropy};
use turnstone_engine::hooks::{HookPool, PoolSettings, Probe, Wall, WallState, pool, worker};

use super::output::{Output, Style, table, tame};
use super::{Failure, Outcome};

const EXAMPLES: &str = r#"Examples:
  turnstone hook doctor
  turnstone hook run sign.js --type preRequest --input '{"request_vendor_headers": {}, "configuration": {"key": "k"}}'
  turnstone hook run events.js --type event --input delivery.json --json | jq .result.events"#;

/// Tries a hook, or shows what hooks are held back from.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct HookArgs {
    #[command(subcommand)]
    command: HookCommand,
}

#[derive(Debug, Subcommand)]
enum HookCommand {
    /// Runs a script once and prints what it wants, its log and its time.
    Run(RunArgs),
    /// Shows which walls stand around hooks on this machine, and tries to get through them.
    Doctor(DoctorArgs),
}

#[derive(Args, Debug)]
struct RunArgs {
    /// The script.
    file: PathBuf,
    /// Where it stands: preRequest, postRequest or event.
    #[arg(long = "type", value_name = "TYPE", value_parser = kind)]
    kind: HookKind,
    /// Its inputs: an object whose members are named as in the script, as JSON or as a file of JSON.
    #[arg(long, value_name = "FILE|JSON", default_value = "{}")]
    input: String,
    /// It is an older hook: returns its result, and is not strict.
    #[arg(long)]
    legacy: bool,
    /// The time that it is told.
    #[arg(long, value_name = "INSTANT")]
    now: Option<Timestamp>,
    /// Where its chance begins: the same seed gives the same run.
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// Prints one JSON object: `{"ok", "result" or "fault", "log", "took_ms", "now", "seed"}`.
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
struct DoctorArgs {
    /// Prints one JSON object: `{"contained", "walls", "probes"}`.
    #[arg(long)]
    json: bool,
}

/// The arguments of the hidden worker.
#[derive(Args, Debug)]
pub(crate) struct WorkerArgs {
    /// Tries to get out, tells what came of it, and ends.
    #[arg(long)]
    probe: bool,
}

fn kind(text: &str) -> Result<HookKind, String> {
    text.parse().map_err(|()| "there are preRequest, postRequest and event".to_owned())
}

/// Runs a worker on the standard streams.
pub(crate) fn work(args: &WorkerArgs) -> ExitCode {
    worker::run(if args.probe { worker::Mode::Probe } else { worker::Mode::Serve })
}

/// Runs the command.
pub(crate) async fn run(args: HookArgs, output: Output) -> Outcome {
    let settings = PoolSettings::of_this_program()
        .map_err(|error| Failure::Internal(format!("cannot find the program itself ({error})")))?;
    match args.command {
        HookCommand::Run(args) => run_script(&args, settings, &output).await,
        HookCommand::Doctor(args) => doctor(&args, &settings, &output).await,
    }
}

async fn run_script(args: &RunArgs, settings: PoolSettings, output: &Output) -> Outcome {
    let clock = SystemClock::new();
    let name = args.file.display();
    let body = std::fs::read_to_string(&args.file).map_err(|error| {
        Failure::Configuration(format!("cannot read `{name}`: {error}; give the path of a script"))
    })?;
    let call = HookCall {
        kind: args.kind,
        body,
        is_legacy: args.legacy,
        inputs: inputs(&args.input, args.kind)?,
        limits: HookLimits::default(),
        now: args.now.unwrap_or_else(|| clock.now()),
        seed: args.seed.unwrap_or_else(|| SystemEntropy.next_u64()),
    };
    let reply = HookPool::new(settings, Arc::new(clock)).run(OrgId(1), &call).await;
    if args.json {
        output.result(&format!("{}\n", reply_json(&call, &reply)?))?;
    } else {
        show(&reply, output)?;
    }
    reply.result.map(|_| ()).map_err(|fault| {
        let place = fault.line().map(|line| format!(":{line}")).unwrap_or_default();
        let text = format!("{name}{place}: {}", tame(&fault.to_string()));
        match fault {
            HookFault::NoWorker { .. } | HookFault::Busy { .. } => Failure::Internal(text),
            _ => Failure::Configuration(text),
        }
    })
}

/// The inputs, given as JSON or as the name of a file of JSON.
fn inputs(given: &str, kind: HookKind) -> Result<HookInputs, Failure> {
    let text = if given.trim_start().starts_with('{') {
        given.to_owned()
    } else {
        std::fs::read_to_string(Path::new(given)).map_err(|error| {
            Failure::Configuration(format!(
                "cannot read `{given}`: {error}; --input takes an object or a file with one"
            ))
        })?
    };
    HookInputs::from_json(&text, kind).map_err(|why| Failure::Configuration(format!("--input: {why}")))
}

fn reply_json(call: &HookCall, reply: &HookReply) -> Result<String, Failure> {
    // Values of the script are written as their texts: through `Value` they would lose digits.
    let mut text = match &reply.result {
        Ok(outcome) => {
            let outcome = serde_json::to_string(outcome)
                .map_err(|error| Failure::Internal(format!("cannot write the result ({error})")))?;
            format!("{{\"ok\":true,\"result\":{outcome}")
        }
        Err(fault) => {
            let fault = json!({"code": fault.code(), "message": fault.to_string(), "line": fault.line()});
            format!("{{\"ok\":false,\"fault\":{fault}")
        }
    };
    let rest = json!({
        "log": reply.log,
        "log_dropped": reply.log_dropped,
        "took_ms": (reply.took.as_secs_f64() * 1e5).round() / 1e2,
        "now": call.now,
        "seed": call.seed,
    });
    text.push(',');
    text.push_str(&rest.to_string()[1..]);
    Ok(text)
}

fn show(reply: &HookReply, output: &Output) -> Outcome {
    for line in &reply.log {
        output.note(&format!("log: {}", tame(line)));
    }
    if reply.log_dropped > 0 {
        output.warn(&format!("{} further lines of the log were dropped", reply.log_dropped));
    }
    if let Ok(outcome) = &reply.result {
        for member in &outcome.ignored {
            output.warn(&format!("`{}` is no result of a hook and does nothing", tame(member)));
        }
        let text = serde_json::to_string_pretty(outcome)
            .map_err(|error| Failure::Internal(format!("cannot write the result ({error})")))?;
        output.result(&format!("{text}\n"))?;
    }
    output.note(&format!("took {:.1} ms", reply.took.as_secs_f64() * 1e3));
    Ok(())
}

async fn doctor(args: &DoctorArgs, settings: &PoolSettings, output: &Output) -> Outcome {
    let (walls, probes) =
        pool::inspect(settings).await.map_err(|fault| Failure::Internal(fault.to_string()))?;
    let allowed: Vec<&str> =
        probes.iter().filter(|probe| !probe.is_refused).map(|probe| probe.name.as_str()).collect();
    let contained = !probes.is_empty() && allowed.is_empty();
    if args.json {
        let text = json!({"contained": contained, "walls": walls, "probes": probes});
        output.result(&format!("{text}\n"))?;
    } else {
        output.result(&format!("{}\n{}", walls_table(&walls), probes_table(&probes)))?;
    }
    if contained {
        output.note(&format!(
            "{}: a script that breaks out of its engine is held",
            output.paint(Style::Good, "sound")
        ));
        return Ok(());
    }
    let what = if probes.is_empty() { "anything".to_owned() } else { allowed.join(", ") };
    Err(Failure::Internal(format!(
        "a script that breaks out of its engine could do this here: {what}; run hooks that you do not trust on a Linux \
         with seccomp or landlock"
    )))
}

fn walls_table(walls: &[Wall]) -> String {
    let state = |wall: &Wall| match wall.state {
        WallState::Up => "up",
        WallState::Partial => "partly",
        WallState::Absent => "absent",
    };
    let rows: Vec<Vec<String>> = walls
        .iter()
        .map(|wall| vec![wall.name.clone(), state(wall).to_owned(), wall.detail.clone()])
        .collect();
    table(&["WALL", "STATE", "WHAT IT HOLDS BACK"], &rows)
}

fn probes_table(probes: &[Probe]) -> String {
    let row = |probe: &Probe| {
        let answer = if probe.is_refused { "refused" } else { "ALLOWED" };
        vec![probe.name.clone(), answer.to_owned(), probe.detail.clone()]
    };
    table(&["TRIED", "ANSWER", "THE SYSTEM SAYS"], &probes.iter().map(row).collect::<Vec<_>>())
}
