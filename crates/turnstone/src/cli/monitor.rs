//! `turnstone monitor` and `turnstone subscription`: polling monitors on a server.
//!
//! Cursors go both ways as texts: a number of more digits than a computer counts with loses none of them.
//!
//! Not here: trying a flow on this machine (`flow`).

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use turnstone_core::instance::SecretRef;
use turnstone_core::json_text;
use turnstone_engine::prepare::look_up;
use turnstone_engine::secrets::Secret;

use super::confirm::{self, Agreed};
use super::output::{Cell, Output, Style, pretty, short, tame};
use super::remote::{Remote, ServerArgs};
use super::{Failure, Outcome, flow, input, instance, references};
use crate::api::markup;

const MONITOR_EXAMPLES: &str = "\
Examples:
  turnstone monitor save new-users.yaml --deploy
  turnstone monitor list
  turnstone monitor deploy \"New users\"";

const SUBSCRIPTION_EXAMPLES: &str = r#"Examples:
  turnstone subscription create "New users" --instance shop --interval 15m
  turnstone subscription create "New users" --instance shop --name nightly --cron '0 6 * * *' --zone Europe/Berlin
  turnstone subscription cursor 7
  turnstone subscription cursor 7 --set '{"cursor_value": "2026-01-01T00:00:00Z"}'
  turnstone subscription cursor 7 --history
  turnstone subscription cursor 7 --rewind 41
  turnstone subscription cursor 7 --reset
  turnstone subscription change 7 --version 3
  turnstone subscription run 7"#;

/// Saves, deploys, lists and removes polling monitors on a server.
#[derive(Args, Debug)]
#[command(after_help = MONITOR_EXAMPLES)]
pub(crate) struct MonitorArgs {
    #[command(subcommand)]
    command: MonitorCommand,
}

#[derive(Debug, Subcommand)]
enum MonitorCommand {
    Save(SaveArgs),
    /// Makes the draft the next version. Subscriptions stay with the version that they use.
    Deploy(WhichArgs),
    List(ListArgs),
    /// Shows a monitor's draft.
    Show(WhichArgs),
    Delete(DeleteArgs),
}

/// Makes a document the draft of the monitor of its name, which is made when it is not there.
#[derive(Args, Debug)]
struct SaveArgs {
    /// Monitor in YAML or JSON; `-` reads standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Deploys it as well.
    #[arg(long)]
    deploy: bool,
    /// Prints the server's answer.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Lists what is there.
#[derive(Args, Debug)]
struct ListArgs {
    /// Prints the server's answer, an array.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Args, Debug)]
struct WhichArgs {
    /// Its id or its name.
    #[arg(value_name = "ID|NAME")]
    which: String,
    /// Prints the server's answer.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Removes it.
#[derive(Args, Debug)]
struct DeleteArgs {
    /// Its id or its name.
    #[arg(value_name = "ID|NAME")]
    which: String,
    /// Does not ask.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Makes, lists, switches and removes subscriptions of monitors, and looks after their cursors.
#[derive(Args, Debug)]
#[command(after_help = SUBSCRIPTION_EXAMPLES)]
pub(crate) struct SubscriptionArgs {
    #[command(subcommand)]
    command: SubscriptionCommand,
}

#[derive(Debug, Subcommand)]
enum SubscriptionCommand {
    Create(Box<CreateArgs>),
    Change(ChangeArgs),
    List(ListArgs),
    /// Shows a subscription.
    Show(WhichArgs),
    Cursor(CursorArgs),
    /// Runs it as soon as there is a free place.
    Run(WhichArgs),
    /// Switches it on: it goes on from its cursor.
    Activate(WhichArgs),
    /// Switches it off: cursor and ledger stay.
    Deactivate(WhichArgs),
    Delete(DeleteArgs),
}

/// Subscribes an instance to the newest version of a monitor.
#[derive(Args, Debug)]
struct CreateArgs {
    /// The monitor's id or name.
    #[arg(value_name = "MONITOR")]
    monitor: String,
    /// The instance's id or name: its connection is used, and its callback unless one is given.
    #[arg(long, value_name = "ID|NAME")]
    instance: String,
    /// Its name; that of the monitor when it is left out.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Time between two runs, such as `15m`; the monitor's shortest when it is left out.
    #[arg(long, value_name = "DURATION", conflicts_with = "cron")]
    interval: Option<String>,
    /// A cron pattern instead of an interval.
    #[arg(long, value_name = "PATTERN", requires = "zone")]
    cron: Option<String>,
    /// The IANA zone of the pattern.
    #[arg(long, value_name = "ZONE", requires = "cron")]
    zone: Option<String>,
    /// A value of an option. May be repeated.
    #[arg(long = "option", value_name = "LABEL=VALUE")]
    options: Vec<String>,
    /// How its records leave: eachRecord, noNewData or everyTime.
    #[arg(long, value_name = "MODE")]
    run_mode: Option<String>,
    /// Where its events go, if not where the instance's go.
    #[arg(long, value_name = "URL")]
    callback: Option<String>,
    /// What its callbacks are signed with: `env:NAME` or `file:PATH`, looked up here.
    #[arg(long, value_name = "REFERENCE", requires = "callback")]
    callback_key: Option<String>,
    /// The cursor to start from, as JSON.
    #[arg(long, value_name = "JSON")]
    cursor: Option<String>,
    /// Does not run before it is activated.
    #[arg(long)]
    inactive: bool,
    /// Prints the server's answer.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Moves a subscription to another version of its monitor. Its cursor and what it knows of records stay.
///
/// When that version saves a cursor of another type, a converted one has to be given; `null` begins anew.
#[derive(Args, Debug)]
struct ChangeArgs {
    /// The subscription's id or name.
    #[arg(value_name = "ID|NAME")]
    which: String,
    /// The version to use from now on.
    #[arg(long, value_name = "NUMBER")]
    version: i64,
    /// The cursor to go on from, as JSON.
    #[arg(long, value_name = "JSON")]
    cursor: Option<String>,
    /// Prints the server's answer.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Shows a subscription's cursor, or changes it.
#[derive(Args, Debug)]
struct CursorArgs {
    /// The subscription's id or name.
    #[arg(value_name = "ID|NAME")]
    which: String,
    /// Sets it to this JSON.
    #[arg(long, value_name = "JSON", group = "what")]
    set: Option<String>,
    /// Takes it away: the next run is a first run.
    #[arg(long, group = "what")]
    reset: bool,
    /// Puts back an earlier one, by its number in the history.
    #[arg(long, value_name = "NUMBER", group = "what")]
    rewind: Option<i64>,
    /// Lists the earlier ones.
    #[arg(long, group = "what")]
    history: bool,
    /// Prints the server's answer.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Runs `turnstone monitor`.
pub(crate) async fn run_monitor(args: MonitorArgs, output: Output) -> Outcome {
    match args.command {
        MonitorCommand::Save(args) => save(&args, &output).await,
        MonitorCommand::Deploy(args) => deploy(&args, &output).await,
        MonitorCommand::List(args) => list_monitors(&args, &output).await,
        MonitorCommand::Show(args) => show_monitor(&args, &output).await,
        MonitorCommand::Delete(args) => delete(&args, &MONITOR, &output).await,
    }
}

/// Runs `turnstone subscription`.
pub(crate) async fn run_subscription(args: SubscriptionArgs, output: Output) -> Outcome {
    match args.command {
        SubscriptionCommand::Create(args) => create(&args, &output).await,
        SubscriptionCommand::Change(args) => change(&args, &output).await,
        SubscriptionCommand::List(args) => list_subscriptions(&args, &output).await,
        SubscriptionCommand::Show(args) => show_subscription(&args, &output).await,
        SubscriptionCommand::Cursor(args) => cursor(&args, &output).await,
        SubscriptionCommand::Run(args) => switch(&args, "POST", "run", "is due now", &output).await,
        SubscriptionCommand::Activate(args) => switch(&args, "PUT", "active", "is active", &output).await,
        SubscriptionCommand::Deactivate(args) => {
            switch(&args, "DELETE", "active", "is not active", &output).await
        }
        SubscriptionCommand::Delete(args) => delete(&args, &SUBSCRIPTION, &output).await,
    }
}

/// A kind of things on a server that have ids and names.
struct Noun {
    word: &'static str,
    path: &'static str,
}

const MONITOR: Noun = Noun { word: "monitor", path: "/monitors" };
const SUBSCRIPTION: Noun = Noun { word: "subscription", path: "/subscriptions" };

/// Something on a server, as it is written there.
#[derive(Clone)]
struct Found {
    text: String,
    value: Value,
}

impl Found {
    fn of(text: String) -> Found {
        // The server's answer was read as JSON already.
        let value = serde_json::from_str(&text).unwrap_or_default();
        Found { text, value }
    }

    /// Its cursor, digit by digit.
    fn cursor(&self) -> String {
        tame(json_text::member(&self.text, "cursor").unwrap_or("null"))
    }

    fn id(&self) -> &Value {
        &self.value["id"]
    }

    fn name(&self) -> &str {
        self.value["name"].as_str().unwrap_or_default()
    }
}

/// Everything of a list.
async fn all(remote: &Remote, path: &str, about: &str) -> Result<Vec<Found>, Failure> {
    let texts = remote.texts(path).await.map_err(|refusal| refusal.failure(about))?;
    Ok(texts.into_iter().map(Found::of).collect())
}

/// Several as one JSON array.
fn array(all: &[Found]) -> String {
    let texts: Vec<&str> = all.iter().map(|one| one.text.as_str()).collect();
    format!("[{}]\n", texts.join(","))
}

/// The one of this id or name.
async fn find(remote: &Remote, noun: &Noun, which: &str) -> Result<Found, Failure> {
    let all = all(remote, noun.path, &format!("the list of {}s", noun.word)).await?;
    let id = which.parse::<i64>().ok();
    let mut found: Vec<&Found> = all.iter().filter(|one| id.is_some() && one.id().as_i64() == id).collect();
    if found.is_empty() {
        found = all.iter().filter(|one| one.name() == which).collect();
    }
    let which = tame(which);
    match found.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(Failure::Configuration(format!(
            "there is no {} `{which}`; `turnstone {} list` shows what is there",
            noun.word, noun.word
        ))),
        several => {
            let ids: Vec<String> = several.iter().map(|one| one.id().to_string()).collect();
            Err(Failure::Configuration(format!(
                "the name `{which}` has several {}s; give an id: {}",
                noun.word,
                ids.join(", ")
            )))
        }
    }
}

async fn save(args: &SaveArgs, output: &Output) -> Outcome {
    let file = format!("`{}`", args.file.display());
    let document = input::read(&args.file)?;
    let (sound, faults, warnings) = flow::checked(&document);
    if sound.is_none() {
        return Err(flow::refuse(&file, &faults));
    }
    for warning in &warnings {
        output.warn(&tame(&warning.to_string()));
    }
    // As the server keeps it, so that the second save finds what the first one made.
    let name = markup::strip(document["name"].as_str().unwrap_or_default());
    let remote = Remote::open(&args.server, output)?;
    let all = remote.list(MONITOR.path).await.map_err(|refusal| refusal.failure("the list of monitors"))?;
    let body = json!({"name": name, "document": document});
    let saved = match all.iter().find(|one| one["name"].as_str() == Some(&name)) {
        Some(known) => remote.change("PUT", &format!("/monitors/{}", known["id"]), Some(&body)).await,
        None => remote.change("POST", "/monitors", Some(&body)).await,
    };
    let mut saved = saved.map_err(|refusal| refusal.failure(&file))?;
    if args.deploy {
        let path = format!("/monitors/{}/deploy", saved["id"]);
        let deployed = remote.change("POST", &path, Some(&json!({}))).await;
        saved["version"] = deployed.map_err(|refusal| refusal.failure(&file))?["version"].clone();
    }
    if args.json {
        return output.result(&format!("{saved}\n"));
    }
    let version = match &saved["version"] {
        Value::Null => "not deployed; `turnstone monitor deploy` does it".to_owned(),
        version => format!("version {version}"),
    };
    output.result(&format!(
        "monitor {} `{}`: draft {}, {version}\n",
        saved["id"],
        tame(&name),
        saved["revision"]
    ))
}

async fn deploy(args: &WhichArgs, output: &Output) -> Outcome {
    let remote = Remote::open(&args.server, output)?;
    let found = find(&remote, &MONITOR, &args.which).await?;
    let about = format!("monitor `{}`", tame(&args.which));
    let path = format!("/monitors/{}/deploy", found.id());
    let deployed = remote.change("POST", &path, Some(&json!({}))).await;
    let deployed = deployed.map_err(|refusal| refusal.failure(&about))?;
    if args.json {
        return output.result(&format!("{deployed}\n"));
    }
    output.result(&format!("{about}: version {} is deployed\n", deployed["version"]))
}

async fn list_monitors(args: &ListArgs, output: &Output) -> Outcome {
    let remote = Remote::open(&args.server, output)?;
    let all = remote.list(MONITOR.path).await.map_err(|refusal| refusal.failure("the list of monitors"))?;
    if args.json {
        return output.result(&format!("{}\n", Value::from(all)));
    }
    if all.is_empty() {
        output.note("there is no monitor; `turnstone monitor save FILE` makes one");
    }
    let row = |one: &Value| {
        let version = if one["version"].is_null() { "-".to_owned() } else { one["version"].to_string() };
        let (word, style) = match one["changed"].as_bool() {
            Some(true) => ("draft changed", Style::Warn),
            _ => ("deployed", Style::Good),
        };
        vec![
            Cell::from(one["id"].to_string()),
            Cell::from(one["name"].as_str().unwrap_or_default()),
            Cell::from(version),
            Cell::styled(word, style),
            Cell::from(one["updatedDate"].as_str().unwrap_or_default()),
        ]
    };
    let rows: Vec<Vec<Cell>> = all.iter().map(row).collect();
    output.result(&output.table(&["ID", "NAME", "VERSION", "STATE", "CHANGED"], &rows))
}

async fn show_monitor(args: &WhichArgs, output: &Output) -> Outcome {
    let remote = Remote::open(&args.server, output)?;
    let found = find(&remote, &MONITOR, &args.which).await?;
    let shown = remote.get(&format!("/monitors/{}", found.id())).await;
    let shown = shown.map_err(|refusal| refusal.failure(&format!("monitor `{}`", tame(&args.which))))?;
    match args.json {
        true => output.result(&format!("{shown}\n")),
        false => output.result(&format!("{:#}\n", shown["draft"])),
    }
}

async fn delete(args: &DeleteArgs, noun: &Noun, output: &Output) -> Outcome {
    let remote = Remote::open(&args.server, output)?;
    let found = find(&remote, noun, &args.which).await?;
    let about = format!("{} {} `{}`", noun.word, found.id(), tame(found.name()));
    confirm::ask(&format!("Remove {about} for good?"), Agreed::of(args.yes))?;
    let gone = remote.change("DELETE", &format!("{}/{}", noun.path, found.id()), None).await;
    gone.map_err(|refusal| refusal.failure(&about))?;
    output.note(&format!("{about} is removed"));
    Ok(())
}

async fn create(args: &CreateArgs, output: &Output) -> Outcome {
    let remote = Remote::open(&args.server, output)?;
    let monitor = find(&remote, &MONITOR, &args.monitor).await?;
    let account = instance::find(&remote, &args.instance).await?;
    let mut body = json!({"monitorId": monitor.id(), "active": !args.inactive});
    let name = args.name.clone().unwrap_or_else(|| monitor.name().to_owned());
    body["name"] = name.clone().into();
    match (&args.interval, &args.cron, &args.zone) {
        (Some(interval), ..) => body["schedule"] = json!({"interval": interval}),
        (None, Some(cron), Some(zone)) => body["schedule"] = json!({"cron": cron, "zone": zone}),
        (None, ..) => {}
    }
    let options = flow::pairs(&args.options, "--option")?;
    if !options.is_empty() {
        body["options"] = options.into_iter().map(|(label, value)| (label, Value::from(value))).collect();
    }
    if let Some(mode) = &args.run_mode {
        body["runMode"] = mode.clone().into();
    }
    if let Some(url) = &args.callback {
        body["callback"] = json!({"url": url});
    }
    if let Some(reference) = &args.callback_key {
        body["callback"]["signatureKey"] = key(reference)?.expose().into();
    }
    let body = with_cursor(&body, args.cursor.as_deref())?;
    let path = format!("/instances/{}/subscriptions", account["id"]);
    let made = remote.told("POST", &path, Some(body)).await;
    let made =
        Found::of(made.map_err(|refusal| refusal.failure(&format!("subscription `{}`", tame(&name))))?);
    if args.json {
        return output.result(&format!("{}\n", made.text));
    }
    output.result(&format!(
        "subscription {} `{}`: version {}, next run {}\n",
        made.id(),
        tame(&name),
        made.value["version"],
        tame(made.value["nextDue"].as_str().unwrap_or_default())
    ))
}

/// A secret that a command line only names: what stands there, everybody on this machine can read.
fn key(reference: &str) -> Result<Secret, Failure> {
    let reference = Some(reference).filter(|text| references::is_reference(text)).and_then(SecretRef::parse);
    let Some(reference) = reference else {
        let remedy = "write `env:NAME` or `file:PATH`; a secret does not belong on a command line";
        return Err(Failure::Configuration(format!("--callback-key names no place of a key; {remedy}")));
    };
    look_up(&reference).map_err(|error| Failure::Configuration(format!("--callback-key: {error}")))
}

async fn change(args: &ChangeArgs, output: &Output) -> Outcome {
    let remote = Remote::open(&args.server, output)?;
    let found = find(&remote, &SUBSCRIPTION, &args.which).await?;
    let about = format!("subscription {} `{}`", found.id(), tame(found.name()));
    let body = with_cursor(&json!({"version": args.version}), args.cursor.as_deref())?;
    let changed = remote.told("PATCH", &format!("/subscriptions/{}", found.id()), Some(body)).await;
    let changed = Found::of(changed.map_err(|refusal| refusal.failure(&about))?);
    match args.json {
        true => output.result(&format!("{}\n", changed.text)),
        false => output.result(&format!(
            "{about}: version {}, cursor {}\n",
            changed.value["version"],
            changed.cursor()
        )),
    }
}

/// A body with the cursor that was given, as it was written.
fn with_cursor(body: &Value, cursor: Option<&str>) -> Result<String, Failure> {
    let body = body.to_string();
    match cursor {
        None => Ok(body),
        Some(text) => Ok(json_text::with_member(&body, "cursor", parsed(text, "--cursor")?.get())),
    }
}

fn parsed<'t>(text: &'t str, argument: &str) -> Result<&'t RawValue, Failure> {
    serde_json::from_str(text)
        .map_err(|error| Failure::Configuration(format!("{argument} is no JSON: {error}; correct it")))
}

async fn list_subscriptions(args: &ListArgs, output: &Output) -> Outcome {
    let remote = Remote::open(&args.server, output)?;
    let all = all(&remote, SUBSCRIPTION.path, "the list of subscriptions").await?;
    if args.json {
        return output.result(&array(&all));
    }
    if all.is_empty() {
        output
            .note("there is no subscription; `turnstone subscription create MONITOR --instance …` makes one");
    }
    let row = |found: &Found| {
        let one = &found.value;
        let (word, style) = state(one);
        vec![
            Cell::from(one["id"].to_string()),
            Cell::from(found.name()),
            Cell::from(format!("{} v{}", one["monitorId"], one["version"])),
            Cell::from(one["instanceId"].to_string()),
            Cell::styled(word, style),
            Cell::from(one["nextDue"].as_str().unwrap_or_default()),
            Cell::from(short(&found.cursor(), 40)),
        ]
    };
    let rows: Vec<Vec<Cell>> = all.iter().map(row).collect();
    output.result(&output.table(&["ID", "NAME", "MONITOR", "INSTANCE", "STATE", "NEXT RUN", "CURSOR"], &rows))
}

/// How a subscription is, in a word.
fn state(one: &Value) -> (String, Style) {
    if one["active"].as_bool() != Some(true) {
        return ("inactive".to_owned(), Style::Faint);
    }
    if one["paused"].is_string() {
        return ("paused".to_owned(), Style::Warn);
    }
    let code = one["status"]["code"].as_str().unwrap_or_default().to_owned();
    let style = match one["status"]["needsAttention"].as_bool() {
        Some(true) => Style::Bad,
        _ if code == "ok" => Style::Good,
        _ => Style::Faint,
    };
    (code, style)
}

async fn show_subscription(args: &WhichArgs, output: &Output) -> Outcome {
    let remote = Remote::open(&args.server, output)?;
    let found = find(&remote, &SUBSCRIPTION, &args.which).await?;
    match args.json {
        true => output.result(&format!("{}\n", found.text)),
        false => output.result(&format!("{}\n", pretty(&found.text))),
    }
}

async fn switch(args: &WhichArgs, method: &str, path: &str, words: &str, output: &Output) -> Outcome {
    let remote = Remote::open(&args.server, output)?;
    let found = find(&remote, &SUBSCRIPTION, &args.which).await?;
    let about = format!("subscription {} `{}`", found.id(), tame(found.name()));
    let path = format!("/subscriptions/{}/{path}", found.id());
    let answer = remote.told(method, &path, None).await.map_err(|refusal| refusal.failure(&about))?;
    match args.json {
        true => output.result(&format!("{answer}\n")),
        false => output.result(&format!("{about} {words}\n")),
    }
}

async fn cursor(args: &CursorArgs, output: &Output) -> Outcome {
    let remote = Remote::open(&args.server, output)?;
    let found = find(&remote, &SUBSCRIPTION, &args.which).await?;
    let about = format!("the cursor of subscription `{}`", tame(&args.which));
    let base = format!("/subscriptions/{}", found.id());
    if args.history {
        return history(&remote, &base, &about, args.json, output).await;
    }
    let answer = match (&args.set, args.reset, args.rewind) {
        (Some(text), ..) => {
            let body = json_text::with_member("{}", "cursor", parsed(text, "--set")?.get());
            remote.told("PUT", &format!("{base}/cursor"), Some(body)).await
        }
        (None, true, _) => remote.told("DELETE", &format!("{base}/cursor"), None).await,
        (None, false, Some(number)) => {
            let body = json!({"to": number}).to_string();
            remote.told("POST", &format!("{base}/rewind"), Some(body)).await
        }
        (None, false, None) => remote.told("GET", &format!("{base}/cursor"), None).await,
    };
    let answer = Found::of(answer.map_err(|refusal| refusal.failure(&about))?);
    if args.json {
        return output.result(&format!("{}\n", answer.text));
    }
    if let Some(date) = answer.value["savedDate"].as_str() {
        let by = answer.value["savedBy"].as_str().map_or("by hand".to_owned(), |run| format!("by {run}"));
        output.note(&format!("saved {date} {by}, {} bytes", answer.value["bytes"]));
    }
    output.result(&format!("{}\n", answer.cursor()))
}

async fn history(remote: &Remote, base: &str, about: &str, as_json: bool, output: &Output) -> Outcome {
    let all = all(remote, &format!("{base}/cursors"), about).await?;
    if as_json {
        return output.result(&array(&all));
    }
    let row = |one: &Found| {
        let text = |name: &str| one.value[name].as_str().unwrap_or_default().to_owned();
        vec![
            Cell::from(one.id().to_string()),
            Cell::from(text("savedDate")),
            Cell::from(text("replacedDate")),
            Cell::from(one.value["bytes"].to_string()),
            Cell::from(short(&one.cursor(), 60)),
        ]
    };
    let rows: Vec<Vec<Cell>> = all.iter().map(row).collect();
    output.result(&output.table(&["NUMBER", "SAVED", "REPLACED", "BYTES", "CURSOR"], &rows))
}
