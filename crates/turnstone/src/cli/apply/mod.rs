//! `turnstone apply`: makes a server's connectors and instances be as a folder says.
//!
//! Everything is read, checked and compared first; what would change, and what that does to every poller's place, is
//! shown; only then something is sent, connectors before the instances of them. Doing it twice changes nothing, and an
//! apply that was cut off goes on where it stopped, because every step is decided by what the server has.
//!
//! Not here: reading the folder (`folder`), which values are secret and what a change does to a place (the server).

mod plan;
mod send;
mod show;

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use self::plan::{Action, Plan};
use super::confirm::{self, Agreed};
use super::output::Output;
use super::remote::{Remote, ServerArgs};
use super::{Failure, Outcome, folder};

const EXAMPLES: &str = "\
Examples:
  turnstone apply conf --plan            what would change, and what that does to every poller's place
  turnstone apply conf                   shows it, asks, and does it
  turnstone apply conf --yes --json | jq .summary
  turnstone apply conf --prune           also removes what the folder does not have

The folder:
  connectors/*.json        element JSON, as `turnstone connector export` writes it
  instances/*.yaml         instance documents; `endpoint: app` takes the callback `endpoints/app.yaml`
  endpoints/*.yaml         url, headers, username, password, signatureKey

Secrets stand in it as `env:NAME` or `file:PATH` and are looked up on this machine.";

/// Makes connectors and instances be as the files of a folder say.
///
/// Shows first what would change, member by member, and whether each poller keeps its place. Pollers keep their place
/// as long as their resource still compares the same way. Nothing is sent when any file has a fault.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ApplyArgs {
    /// The folder.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Only shows what would change.
    #[arg(long)]
    plan: bool,
    /// Also removes instances, and connectors without instances, that the folder does not have.
    #[arg(long)]
    prune: bool,
    /// Does not ask.
    #[arg(long)]
    yes: bool,
    /// Appends the tokens of new instances to this file, as lines of JSON. They are shown nowhere else.
    #[arg(long, value_name = "FILE", conflicts_with = "plan")]
    tokens: Option<PathBuf>,
    /// Prints one JSON object: `{"objects", "summary", "done", "applied"}`.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// What a folder is compared for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To be looked at: a secret that is not there is told, and counts as unchanged.
    Look,
    /// To be done: every secret must be there.
    Do,
}

/// Runs the command.
pub(crate) async fn run(args: ApplyArgs, output: Output) -> Outcome {
    let found = folder::read(&args.folder)?;
    for file in &found.ignored {
        output.warn(&format!("`{file}` is not read: it is no file that belongs there"));
    }
    let remote = match Remote::open(&args.server, &output) {
        Ok(remote) => remote,
        // What is wrong with the files can be told without a server.
        Err(failure) if found.faults.is_empty() => return Err(failure),
        Err(_) => return show::refuse(&found.faults, args.json, &output),
    };
    let purpose = if args.plan { Purpose::Look } else { Purpose::Do };
    let plan = match Plan::make(&remote, found, purpose, args.prune, &output).await {
        Ok(plan) => plan,
        Err(plan::Unplanned::Faults(faults)) => return show::refuse(&faults, args.json, &output),
        Err(plan::Unplanned::Failure(failure)) => return Err(failure),
    };
    if !args.json {
        output.result(&show::text(&plan, &output))?;
    }
    if args.plan || plan.changes() == 0 {
        return report(&args, &plan, 0, &output);
    }
    let agreed = confirm::ask("Apply this?", Agreed::of(args.yes));
    if let Err(failure) = agreed {
        report(&args, &plan, 0, &output)?;
        return Err(failure);
    }
    let mut tokens = args.tokens.as_deref().map(send::Tokens::open).transpose()?;
    let (done, outcome) = send::all(&remote, &plan, tokens.as_mut(), &output).await;
    report(&args, &plan, done, &output)?;
    match outcome {
        Ok(()) => {
            output.note(&format!("{done} of {done} changes are made"));
            Ok(())
        }
        Err(failure) => Err(stopped(failure, done, plan.changes())),
    }
}

fn report(args: &ApplyArgs, plan: &Plan, done: usize, output: &Output) -> Outcome {
    if !args.json {
        return Ok(());
    }
    let mut told = show::json(plan);
    told["done"] = json!(done);
    told["applied"] = json!(!args.plan && done == plan.changes());
    output.result(&format!("{told}\n"))
}

/// The failure that ended an apply, with what had been done by then.
fn stopped(failure: Failure, done: usize, all: usize) -> Failure {
    let with = |text: String| {
        format!("{text}\n  {done} of {all} changes were made; run it again to go on from there")
    };
    match failure {
        Failure::Internal(text) => Failure::Internal(with(text)),
        Failure::Configuration(text) => Failure::Configuration(with(text)),
        Failure::Provider(text) => Failure::Provider(with(text)),
        Failure::Callback(text) => Failure::Callback(with(text)),
        Failure::State(text) => Failure::State(with(text)),
        Failure::Server(text) => Failure::Server(with(text)),
        Failure::Unconfirmed(text) => Failure::Unconfirmed(with(text)),
    }
}

impl Plan {
    /// How many things would be changed.
    fn changes(&self) -> usize {
        self.steps.iter().filter(|step| step.action.is_change()).count()
    }

    fn count(&self, action: Action) -> usize {
        self.steps.iter().filter(|step| step.action == action).count()
    }
}
