//! `turnstone flow`: polling monitors on this machine, checked, tried and imported, without a server.
//!
//! A run here is a rehearsal: it asks the provider like a real one and writes nothing. Not here: what cards do (the
//! core's `flow`), monitors and subscriptions of a server (`monitor`).

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::{Value, json};
use turnstone_core::check::{CheckSettings, Fault};
use turnstone_core::flow::check::check;
use turnstone_core::flow::document::{Document, scaffold};
use turnstone_core::flow::run::{Entry, FlowError, read_cursor};
use turnstone_core::flow::state::SubscriptionState;
use turnstone_core::flow::value::{Object, Value as FlowValue};
use turnstone_core::flow::{Flow, cards, import};
use turnstone_core::instance::SecretRef;
use turnstone_engine::clock::{Clock, Entropy, SystemClock, SystemEntropy};
use turnstone_engine::egress::{Bodies, BodyBudget, Client, Connection, Guard, Net, Policy, Setup};
use turnstone_engine::flows::{Flows, Link, Parts, Rehearsal, Rehearsed};
use turnstone_engine::prepare::{Preparer, References, look_up, look_up_basic};
use turnstone_engine::secrets::Secret;
use turnstone_engine::stop::Stop;
use turnstone_store::memory::MemoryStore;
use url::Url;

use super::output::{Cell, Output, Style, short, tame};
use super::session::fresh_keys;
use super::{Failure, Outcome, input};
use crate::api::monitors::Tested;

const EXAMPLES: &str = r#"Examples:
  turnstone flow new "New users" > new-users.yaml
  turnstone flow check new-users.yaml
  turnstone flow run new-users.yaml --base-url https://api.example.com -H 'Authorization: env:TOKEN' --cursor null
  turnstone flow run new-users.yaml --base-url https://api.example.com --cursor '{"cursor_value": "2026-01-01T00:00:00Z"}'
  turnstone flow import users.flopack > users.json
  turnstone flow cards list"#;

/// Checks, tries and imports flows of polling monitors on this machine.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct FlowArgs {
    #[command(subcommand)]
    command: FlowCommand,
}

#[derive(Debug, Subcommand)]
enum FlowCommand {
    Check(CheckArgs),
    Run(Box<RunArgs>),
    New(NewArgs),
    Import(ImportArgs),
    Cards(CardsArgs),
}

/// Says everything that is wrong with a monitor's document, at once. No request is made.
#[derive(Args, Debug)]
struct CheckArgs {
    /// Monitor in YAML or JSON; `-` reads standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Prints one JSON object: `{"sound", "faults", "warnings"}`.
    #[arg(long)]
    json: bool,
}

/// Runs a monitor once, for trying: the provider is asked, nothing is written, every card is shown.
#[derive(Args, Debug)]
struct RunArgs {
    /// Monitor in YAML or JSON; `-` reads standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The saved cursor to start from, as JSON; `null` is a first run.
    #[arg(long, value_name = "JSON")]
    cursor: String,
    /// Address that relative URLs continue, and whose origin gets the credentials.
    #[arg(long, value_name = "URL", conflicts_with = "instance")]
    base_url: Option<String>,
    /// A header with credentials for that origin; the value may be `env:NAME` or `file:PATH`. May be repeated.
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE", conflicts_with = "instance")]
    headers: Vec<String>,
    /// Instance document whose base URL and credentials are used instead.
    #[arg(long, value_name = "FILE")]
    instance: Option<PathBuf>,
    /// A value of an option. May be repeated.
    #[arg(long = "option", value_name = "LABEL=VALUE")]
    options: Vec<String>,
    /// Runs this helper flow instead of the monitor, such as `_authping` or one that fills a dropdown.
    #[arg(long, value_name = "NAME")]
    flow: Option<String>,
    /// A parameter of that helper flow, as JSON or as a text. May be repeated.
    #[arg(long = "value", value_name = "NAME=VALUE", requires = "flow")]
    values: Vec<String>,
    /// Prints one JSON object, as `POST /monitors/test` answers it.
    ///
    /// Its members are `ok`, `error`, `cards`, `leftOut`, `notes`, `cardsRun`, `requests`, `finishedAt`, `recordCount`,
    /// `records`, `cursor`, `savesCursor`, `returned` (of a helper flow) and `reported` (of the monitor itself, as if
    /// nothing had been reported before: `eventCount`, `events`, `decisions`, `error`).
    #[arg(long)]
    json: bool,
}

/// Prints the document of a new monitor, with its Cursor and Return Outputs cards.
#[derive(Args, Debug)]
struct NewArgs {
    /// Its name.
    #[arg(value_name = "NAME")]
    name: String,
}

/// Prints the document that an export of flows (`.flopack`) becomes. Cards that are not known are listed.
#[derive(Args, Debug)]
struct ImportArgs {
    /// The export.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The flow that becomes the monitor, when the export does not say.
    #[arg(long, value_name = "NAME")]
    main: Option<String>,
}

/// Lists the cards that flows are made of.
#[derive(Args, Debug)]
struct CardsArgs {
    /// Only cards whose id or name holds this.
    #[arg(value_name = "WORD")]
    word: Option<String>,
    /// Prints a JSON array.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) async fn run(args: FlowArgs, output: Output) -> Outcome {
    match args.command {
        FlowCommand::Check(args) => check_file(&args, &output),
        FlowCommand::Run(args) => rehearse(&args, &output).await,
        FlowCommand::New(args) => output.result(&format!("{:#}\n", scaffold(&args.name))),
        FlowCommand::Import(args) => import_file(&args, &output),
        FlowCommand::Cards(args) => list_cards(&args, &output),
    }
}

fn check_file(args: &CheckArgs, output: &Output) -> Outcome {
    let (flow, faults, warnings) = checked(&input::read(&args.file)?);
    if args.json {
        let sound = faults.is_empty();
        output.result(&format!(
            "{}\n",
            json!({"sound": sound, "faults": listed(&faults), "warnings": listed(&warnings)})
        ))?;
    } else {
        let mut text = String::new();
        for (name, style, list) in [("fault", Style::Bad, &faults), ("warning", Style::Warn, &warnings)] {
            for fault in list {
                let place = if fault.path.is_empty() { "the document" } else { &fault.path };
                let (name, place) = (output.paint(style, name), output.paint(Style::Strong, &tame(place)));
                // Writing to a string cannot fail.
                let _ = writeln!(
                    text,
                    "{name}: {place}\n    {}\n    {}",
                    tame(&fault.problem),
                    tame(&fault.remedy)
                );
            }
        }
        if let Some(flow) = &flow {
            let sound = output.paint(Style::Good, "sound");
            let _ = writeln!(
                text,
                "{sound}: {} cards, cursor {}, at most every {} minutes",
                flow.card_count(),
                flow.cursor,
                flow.interval_min.as_secs_f64() / 60.0
            );
        }
        output.result(&text)?;
    }
    match faults.len() {
        0 => Ok(()),
        1 => Err(Failure::Configuration("there is one fault".to_owned())),
        count => Err(Failure::Configuration(format!("there are {count} faults"))),
    }
}

fn listed(faults: &[Fault]) -> Vec<Value> {
    let one = |fault: &Fault| json!({"path": fault.path, "problem": fault.problem, "remedy": fault.remedy});
    faults.iter().map(one).collect()
}

/// What a document means, or everything that is wrong with it.
pub(super) fn checked(document: &Value) -> (Option<Arc<Flow>>, Vec<Fault>, Vec<Fault>) {
    match Document::read(document) {
        Err(faults) => (None, faults, Vec::new()),
        Ok(document) => {
            let checked = check(&document);
            (checked.flow.map(Arc::new), checked.faults, checked.warnings)
        }
    }
}

/// Every fault, one per line, for a command that cannot go on.
pub(super) fn refuse(what: &str, faults: &[Fault]) -> Failure {
    let mut text = format!("{what} is not sound");
    for fault in faults {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n  {}", tame(&fault.to_string()));
    }
    Failure::Configuration(text)
}

async fn rehearse(args: &RunArgs, output: &Output) -> Outcome {
    let name = format!("`{}`", args.file.display());
    let (flow, faults, warnings) = checked(&input::read(&args.file)?);
    let Some(flow) = flow else { return Err(refuse(&name, &faults)) };
    for warning in &warnings {
        output.warn(&tame(&warning.to_string()));
    }
    let wrong = |sentence: String| Failure::Configuration(tame(&sentence));
    let cursor = read_cursor(&flow, &args.cursor).map_err(|why| wrong(format!("--cursor: {why}")))?;
    let options = pairs(&args.options, "--option")?;
    if args.flow.is_none() {
        let faults = flow.check_options(&options);
        if !faults.is_empty() {
            return Err(refuse("--option", &faults));
        }
    }
    let entry = match &args.flow {
        None => Entry::Monitor,
        Some(name) => Entry::Helper { name: name.clone(), values: values(&args.values)? },
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let setup = Setup::new(Guard::new(Policy::AllowPrivate), Arc::clone(&clock));
    let net: Arc<dyn Net> =
        Arc::new(Client::new(setup).map_err(|error| Failure::Internal(error.to_string()))?);
    let budget = BodyBudget::default();
    let link = link(args, &budget, &net, &clock, output)?;
    let flows = flows(net, clock, budget)?;
    let stop = Stop::new();
    let asked = stop.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            asked.ask();
        }
    });
    let state = SubscriptionState { cursor, ..SubscriptionState::default() };
    let rehearsal = Rehearsal { flow, entry, state, options, subscription: None };
    let Some(rehearsed) = flows.rehearse(rehearsal, &link, &stop).await else {
        return Err(Failure::Internal("stopped; nothing was written".to_owned()));
    };
    show(rehearsed, &link, args.json, output)
}

/// The engine's flows, over a store that is gone with the process.
fn flows(net: Arc<dyn Net>, clock: Arc<dyn Clock>, budget: BodyBudget) -> Result<Flows, Failure> {
    let store = Arc::new(MemoryStore::new());
    let keys = fresh_keys(&SystemEntropy)?;
    let settings = CheckSettings::new(clock.now());
    let zones = settings.zone_rules;
    let preparer = Arc::new(Preparer::new(settings, Arc::new(keys), References::Allow));
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    Ok(Flows::new(Parts {
        store: Arc::clone(&store) as _,
        monitors: store,
        preparer,
        calls: None,
        net,
        clock,
        entropy,
        budget,
        zones,
    }))
}

/// The way to the provider, with the credentials that were given.
fn link(
    args: &RunArgs,
    budget: &BodyBudget,
    net: &Arc<dyn Net>,
    clock: &Arc<dyn Clock>,
    output: &Output,
) -> Result<Link, Failure> {
    let missing = |error: turnstone_engine::prepare::PrepareError| Failure::Configuration(error.to_string());
    let (base_url, headers, basic) = match &args.instance {
        Some(file) => {
            let document = input::read(file)?;
            let settings =
                CheckSettings { interval_min: Duration::from_secs(1), ..CheckSettings::new(clock.now()) };
            let checked = turnstone_core::check::check(&document, &settings);
            let Some(instance) = checked.instance else {
                return Err(refuse(&format!("`{}`", file.display()), &checked.faults));
            };
            let headers = instance.headers.iter();
            let headers = headers.map(|(name, value)| Ok((name.clone(), look_up(value).map_err(missing)?)));
            let headers: Vec<(String, Secret)> = headers.collect::<Result<_, Failure>>()?;
            let basic = instance.basic.as_ref().map(look_up_basic).transpose().map_err(missing)?;
            (instance.base_url, headers, basic)
        }
        None => (args.base_url.clone(), given_headers(&args.headers)?, None),
    };
    let base = match base_url.as_deref().map(Url::parse) {
        Some(Ok(url)) if matches!(url.scheme(), "http" | "https") => Some(url),
        Some(_) => {
            return Err(Failure::Configuration(format!(
                "the base URL `{}` is no address; write it as `https://api.example.com`",
                tame(base_url.as_deref().unwrap_or_default())
            )));
        }
        None if headers.is_empty() && basic.is_none() => None,
        None => {
            output.warn("without a base URL no request gets the credentials; give --base-url");
            None
        }
    };
    let origins = base.iter().map(Url::origin).collect();
    let connection = Connection { headers, basic, origins, bodies: Bodies::new(budget) };
    Ok(Link::new(Arc::clone(net), Arc::clone(clock), base_url, connection))
}

fn given_headers(given: &[String]) -> Result<Vec<(String, Secret)>, Failure> {
    let one = |text: &String| {
        let wrong = || {
            Failure::Configuration(format!(
                "--header `{}` is no header; write it as `Name: value`",
                tame(text.split(':').next().unwrap_or_default())
            ))
        };
        let (name, value) = text.split_once(':').ok_or_else(wrong)?;
        let value = SecretRef::parse(value.trim()).ok_or_else(wrong)?;
        let value = look_up(&value).map_err(|error| Failure::Configuration(error.to_string()))?;
        Ok((name.trim().to_owned(), value))
    };
    given.iter().map(one).collect()
}

/// `NAME=VALUE` as both.
pub(super) fn pairs(given: &[String], argument: &str) -> Result<Vec<(String, String)>, Failure> {
    let one = |text: &String| {
        let pair = text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        pair.ok_or_else(|| {
            Failure::Configuration(format!("{argument} `{}` has no `=`; write NAME=VALUE", tame(text)))
        })
    };
    given.iter().map(one).collect()
}

fn values(given: &[String]) -> Result<Object, Failure> {
    let read = |text: String| FlowValue::from_json(&text).unwrap_or(FlowValue::Text(text));
    let pairs = pairs(given, "--value")?;
    Ok(pairs.into_iter().map(|(name, text)| (name, read(text))).collect())
}

fn show(rehearsed: Rehearsed, link: &Link, as_json: bool, output: &Output) -> Outcome {
    if as_json {
        let ended = rehearsed.end.result.as_ref().map(|_| ()).map_err(|error| failure(error, link));
        let shown = serde_json::to_string(&Tested::of(rehearsed, link));
        output.result(&format!("{}\n", shown.map_err(|error| Failure::Internal(error.to_string()))?))?;
        return ended;
    }
    let end = &rehearsed.end;
    cards_table(&rehearsed, link, output)?;
    for note in &end.notes {
        output.warn(&tame(&link.redacted(note)));
    }
    if let Some(Err(sentence)) = &rehearsed.judged {
        output.warn(&tame(sentence));
    }
    if let Ok(outcome) = &end.result {
        let mut text = String::new();
        for record in &outcome.records {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{}", tame(&record.body));
        }
        if !outcome.returned.is_empty() {
            let returned = FlowValue::object(outcome.returned.clone());
            let _ = writeln!(text, "{}", tame(&returned.to_json()));
        }
        output.result(&link.redacted(&text))?;
        let cursor = outcome
            .cursor
            .as_deref()
            .map_or("stays as it was".to_owned(), |cursor| tame(&link.redacted(cursor)));
        output.note(&format!(
            "{}: {} cards, {} requests, {} records; cursor {cursor}",
            output.paint(Style::Good, "done"),
            end.cards,
            end.requests,
            outcome.records.len()
        ));
    }
    end.result.as_ref().map(|_| ()).map_err(|error| failure(error, link))
}

/// How a run that failed ends the command.
fn failure(error: &FlowError, link: &Link) -> Failure {
    let mut text = tame(&link.redacted(&error.to_string()));
    if !error.place.is_empty() {
        let _ = write!(text, " (at {})", tame(&error.place));
    }
    if let Some(raw) = &error.raw {
        let _ = write!(text, "\n  the provider says: {}", tame(&short(&link.redacted(raw), 400)));
    }
    if error.status.is_some() || error.transient {
        Failure::Provider(text)
    } else {
        Failure::Configuration(text)
    }
}

/// Every card with what it got and gave, on standard error: results are for standard output.
fn cards_table(rehearsed: &Rehearsed, link: &Link, output: &Output) -> Outcome {
    let trace = &rehearsed.end.trace;
    let first: Option<Timestamp> = trace.cards.first().map(|card| card.started_at);
    let row = |card: &turnstone_core::flow::run::CardTrace| {
        let since = first.map_or(0, |first| card.started_at.duration_since(first).as_millis());
        let took = card.finished_at.map(|at| at.duration_since(card.started_at).as_millis());
        let index = card.index.map(|index| format!("[{index}]")).unwrap_or_default();
        let shown = |text: &str| short(&tame(&link.redacted(text)), 60);
        let gave = match (&card.error, &card.outputs) {
            (Some(error), _) => Cell::styled(shown(error), Style::Bad),
            (None, Some(outputs)) => Cell::from(shown(outputs)),
            (None, None) => Cell::from(""),
        };
        vec![
            Cell::from(format!("+{since} ms")),
            Cell::from(took.map(|took| format!("{took} ms")).unwrap_or_default()),
            Cell::from(format!("{}{index}", card.flow)),
            Cell::from(format!("{} {}", card.card, card.kind)),
            Cell::from(shown(&card.inputs)),
            gave,
        ]
    };
    let rows: Vec<Vec<Cell>> = trace.cards.iter().map(row).collect();
    let table = output.table(&["BEGAN", "TOOK", "FLOW", "CARD", "GOT", "GAVE"], &rows);
    for line in table.lines() {
        output.note(line);
    }
    if trace.left_out > 0 {
        output.note(&format!("{} further cards of loops are not shown", trace.left_out));
    }
    Ok(())
}

fn import_file(args: &ImportArgs, output: &Output) -> Outcome {
    let name = format!("`{}`", args.file.display());
    let imported = import::import(&input::read(&args.file)?, args.main.as_deref())
        .map_err(|why| Failure::Configuration(tame(&format!("{name}: {why}"))))?;
    output.result(&format!("{:#}\n", imported.document))?;
    for note in &imported.notes {
        output.note(&tame(note));
    }
    for card in &imported.unknown {
        output.warn(&format!("not known: {}", tame(card)));
    }
    let (_, faults, _) = checked(&imported.document);
    let left = match faults.len() {
        0 => return Ok(()),
        1 => "one fault is left".to_owned(),
        count => format!("{count} faults are left"),
    };
    output.warn(&format!("{left} to put right: `turnstone flow check` lists what is wrong"));
    Ok(())
}

fn list_cards(args: &CardsArgs, output: &Output) -> Outcome {
    let word = args.word.as_deref().unwrap_or_default().to_lowercase();
    let found: Vec<_> = cards::all()
        .filter(|card| card.id.to_lowercase().contains(&word) || card.label.to_lowercase().contains(&word))
        .collect();
    if args.json {
        let all: Vec<Value> = found
            .iter()
            .map(|card| {
                let inputs: Vec<&str> = card.inputs.iter().map(|input| input.key).collect();
                let outputs: Vec<&str> = card.outputs.iter().map(|output| output.key).collect();
                json!({"id": card.id, "name": card.label, "inputs": inputs, "outputs": outputs})
            })
            .collect();
        return output.result(&format!("{}\n", Value::from(all)));
    }
    let rows: Vec<Vec<Cell>> = found
        .iter()
        .map(|card| {
            let join = |keys: Vec<&str>| keys.join(", ");
            vec![
                Cell::from(card.id),
                Cell::from(card.label),
                Cell::from(join(card.inputs.iter().map(|input| input.key).collect())),
                Cell::from(join(card.outputs.iter().map(|output| output.key).collect())),
            ]
        })
        .collect();
    output.result(&output.table(&["ID", "CARD", "INPUTS", "OUTPUTS"], &rows))
}
