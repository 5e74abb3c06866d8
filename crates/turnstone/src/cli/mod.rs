//! The command line: what can be asked for, how it ends, and where messages go.
//!
//! Standard output carries results only (events, findings, a table); everything that is said to a person goes to
//! standard error. A command ends with one of the exit codes of [`Failure`], which are also listed in `--help` and in
//! `docs/commands.md`.
//!
//! Not here: what a command does; each has its own file.

mod apply;
mod bookmark;
mod check;
mod confirm;
mod connector;
mod credentials;
mod demo;
mod explain;
mod export;
mod flow;
mod folder;
mod hook;
mod init;
pub(crate) mod input;
mod instance;
mod monitor;
mod node;
mod org;
mod output;
mod poll;
mod references;
mod remote;
mod serve;
mod session;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use output::{Color, Output};

const EXIT_CODES: &str = "\
Exit codes:
  0   done
  1   a mistake of this program, or of the machine
  2   the configuration is wrong: what, and what would be right, is on standard error
  3   the provider is unreachable, refuses, or answers something that cannot be used
  4   the callback is unreachable or refuses
  5   the state file cannot be used, or another process uses it
  6   the server cannot be reached, or refuses the credentials
  7   what was asked for was not confirmed; nothing was changed
  64  the command line is wrong";

/// Watches APIs that cannot call you.
///
/// Polls any REST API that is described by an instance document, decides for every record whether it was created,
/// updated or deleted, and gives each change out exactly once.
#[derive(Debug, Parser)]
#[command(name = "turnstone", version, after_help = EXIT_CODES, after_long_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// When to use colours.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    color: Color,
    /// Writes messages on standard error as lines of JSON: `{"level", "message"}`.
    #[arg(long, global = true)]
    json_messages: bool,
    /// Says nothing on standard error but what went wrong.
    #[arg(long, short, global = true)]
    quiet: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::InitArgs),
    Check(check::CheckArgs),
    Poll(Box<poll::PollArgs>),
    Explain(explain::ExplainArgs),
    Demo(demo::DemoArgs),
    Serve(serve::ServeArgs),
    Connector(connector::ConnectorArgs),
    Instance(instance::InstanceArgs),
    Org(org::OrgArgs),
    Apply(Box<apply::ApplyArgs>),
    Export(export::ExportArgs),
    Hook(hook::HookArgs),
    Flow(flow::FlowArgs),
    Monitor(monitor::MonitorArgs),
    Subscription(monitor::SubscriptionArgs),
    /// Runs hooks that come on standard input, behind walls. The program starts it by itself.
    #[command(name = "js-worker", hide = true)]
    JsWorker(hook::WorkerArgs),
}

/// The document, and how it is read.
#[derive(Args, Debug)]
pub(crate) struct DocumentArgs {
    /// Instance document in JSON or YAML; `-` reads standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The zone of `${date:…}` in URLs.
    #[arg(long, value_name = "ZONE", default_value = "UTC", env = "TURNSTONE_SERVER_TIME_ZONE")]
    time_zone: String,
}

/// Why a command did not do what it was asked for, in one sentence or several lines.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A mistake of ours, or of the machine.
    #[error("{0}")]
    Internal(String),
    /// The document, or what it refers to.
    #[error("{0}")]
    Configuration(String),
    /// The provider.
    #[error("{0}")]
    Provider(String),
    /// The callback.
    #[error("{0}")]
    Callback(String),
    /// The state file.
    #[error("{0}")]
    State(String),
    /// The server that was asked.
    #[error("{0}")]
    Server(String),
    /// Nobody agreed.
    #[error("{0}")]
    Unconfirmed(String),
}

impl Failure {
    fn code(&self) -> u8 {
        match self {
            Failure::Internal(_) => 1,
            Failure::Configuration(_) => 2,
            Failure::Provider(_) => 3,
            Failure::Callback(_) => 4,
            Failure::State(_) => 5,
            Failure::Server(_) => 6,
            Failure::Unconfirmed(_) => 7,
        }
    }
}

/// How a command ends that did what it could.
pub(crate) type Outcome = Result<(), Failure>;

/// Exit code of a wrong command line: the one of `sysexits.h`, because 2 means a wrong configuration here.
const USAGE: u8 = 64;

/// Runs the program.
pub(crate) fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Nobody is left to tell when even the usage cannot be printed.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS };
        }
    };
    if let Command::JsWorker(args) = &cli.command {
        // Before anything else: it must not open, start or draw anything of its own.
        return hook::work(args);
    }
    let output = Output::new(cli.color, cli.json_messages, cli.quiet);
    if !matches!(cli.command, Command::Serve(_)) {
        log_to_stderr(cli.json_messages);
    }
    turnstone_engine::egress::install_crypto();
    let outcome = match cli.command {
        Command::Init(args) => block_on(init::run(args, output.clone())),
        Command::Check(args) => check::run(&args, &output),
        Command::Poll(args) => block_on(poll::run(*args, output.clone())),
        Command::Explain(args) => block_on(explain::run(args, output.clone())),
        Command::Demo(args) => block_on(demo::run(args, output.clone())),
        Command::Serve(args) => block_on(serve::run(args, output.clone())),
        Command::Connector(args) => block_on(connector::run(args, output.clone())),
        Command::Instance(args) => block_on(instance::run(args, output.clone())),
        Command::Org(args) => block_on(org::run(args, output.clone())),
        Command::Apply(args) => block_on(apply::run(*args, output.clone())),
        Command::Export(args) => block_on(export::run(args, output.clone())),
        Command::Hook(args) => block_on(hook::run(args, output.clone())),
        Command::Flow(args) => block_on(flow::run(args, output.clone())),
        Command::Monitor(args) => block_on(monitor::run_monitor(args, output.clone())),
        Command::Subscription(args) => block_on(monitor::run_subscription(args, output.clone())),
        Command::JsWorker(args) => return hook::work(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.error(&failure.to_string());
            ExitCode::from(failure.code())
        }
    }
}

fn block_on(work: impl Future<Output = Outcome>) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime
        .map_err(|error| Failure::Internal(format!("cannot start the program's threads ({error})")))?;
    let outcome = runtime.block_on(work);
    // A reader of standard output that hangs must not keep the program alive.
    runtime.shutdown_background();
    outcome
}

/// The log of the engine, for whoever asks for it with `TURNSTONE_LOG`; warnings otherwise say what the command says.
fn log_to_stderr(json: bool) {
    let filter = std::env::var("TURNSTONE_LOG").unwrap_or_else(|_| "off".to_owned());
    let builder = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(filter))
        .with_writer(io::stderr);
    // It fails only when a log is set up already, and this is the only place that sets one up.
    let _ = if json { builder.json().try_init() } else { builder.try_init() };
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_exit_codes_of_the_help_are_those_of_the_manual() {
        let manual = include_str!("../../../../docs/commands.md");
        for line in EXIT_CODES.lines().skip(1) {
            let code = line.split_whitespace().next().unwrap();
            assert!(manual.contains(&format!("| {code} |")), "{code} is missing in docs/commands.md");
        }
    }
}
