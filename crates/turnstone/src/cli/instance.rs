//! `turnstone instance`: connected accounts on a server, made, listed, shown, switched and removed.
//!
//! Not here: instances as a part of a folder (`apply`), polling without a server (`poll`).

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::confirm::{self, Agreed};
use super::output::{Cell, Output, Style, tame};
use super::references::look_up_all;
use super::remote::{Remote, ServerArgs, encode};
use super::{Failure, Outcome, input};

const EXAMPLES: &str = "\
Examples:
  turnstone instance create shop.yaml
  turnstone instance list --tag production
  turnstone instance show \"Shop of the north\"
  turnstone instance disable 7
  turnstone instance list --json | jq -r '.[] | select(.disabled) | .name'";

/// Makes, lists, shows, switches and removes instances on a server.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct InstanceArgs {
    #[command(subcommand)]
    command: InstanceCommand,
}

#[derive(Debug, Subcommand)]
enum InstanceCommand {
    Create(CreateArgs),
    List(ListArgs),
    Show(OneArgs),
    /// Switches an instance on: its resources are polled again, from where they were.
    Enable(OneArgs),
    /// Switches an instance off: it keeps its place in every resource.
    Disable(OneArgs),
    Delete(DeleteArgs),
}

/// Makes an instance from a document and prints its token, once.
///
/// `env:NAME` and `file:PATH` are looked up here, on this machine, and their values are sent.
#[derive(Args, Debug)]
struct CreateArgs {
    /// Instance document in JSON or YAML; `-` reads standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Prints the server's answer.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Lists instances.
#[derive(Args, Debug)]
struct ListArgs {
    /// Only those with this tag. May be given several times: then with all of them.
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Prints the server's answer, an array.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Shows an instance, and how far each of its resources is known.
#[derive(Args, Debug)]
struct OneArgs {
    /// Its id or its name.
    #[arg(value_name = "ID|NAME")]
    which: String,
    /// Prints the server's answer.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Removes an instance with its place in every resource. Its events stay for their retention.
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

/// What becomes of an instance's switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Switch {
    On,
    Off,
}

/// Runs the command.
pub(crate) async fn run(args: InstanceArgs, output: Output) -> Outcome {
    match args.command {
        InstanceCommand::Create(args) => create(&args, &output).await,
        InstanceCommand::List(args) => list(&args, &output).await,
        InstanceCommand::Show(args) => show(&args, &output).await,
        InstanceCommand::Enable(args) => switch(&args, Switch::On, &output).await,
        InstanceCommand::Disable(args) => switch(&args, Switch::Off, &output).await,
        InstanceCommand::Delete(args) => delete(&args, &output).await,
    }
}

async fn create(args: &CreateArgs, output: &Output) -> Outcome {
    let name = format!("`{}`", args.file.display());
    let looked_up = look_up_all(&input::read(&args.file)?);
    if !looked_up.faults.is_empty() {
        let mut text = format!("{name} refers to what is not there; nothing was sent");
        for fault in &looked_up.faults {
            // Writing to a string cannot fail.
            let _ = write!(text, "\n  {}", tame(&fault.to_string()));
        }
        return Err(Failure::Configuration(text));
    }
    let remote = Remote::open(&args.server, output)?;
    let made = remote.change("POST", "/instances", Some(&looked_up.document)).await;
    let made = made.map_err(|refusal| refusal.failure(&name))?;
    for (member, word) in [("repairs", "read as it was meant"), ("warnings", "")] {
        for said in made[member].as_array().into_iter().flatten() {
            let text = |name: &str| tame(said[name].as_str().unwrap_or_default());
            let mark = if word.is_empty() { String::new() } else { format!("{word}: ") };
            output.warn(&format!("{mark}{}: {}; {}", text("path"), text("problem"), text("remedy")));
        }
    }
    if args.json {
        return output.result(&format!("{made}\n"));
    }
    output.note("the token is shown only now; it stands for this instance in calls of its resources");
    let text = |name: &str| tame(made[name].as_str().unwrap_or_default());
    output.result(&format!(
        "id     {}\nname   {}\nstate  {}\ntoken  {}\n",
        made["id"],
        text("name"),
        painted_state(&made, output),
        text("token")
    ))
}

async fn list(args: &ListArgs, output: &Output) -> Outcome {
    let remote = Remote::open(&args.server, output)?;
    let tags: String = args.tags.iter().map(|tag| format!("&tags[]={}", encode(tag))).collect();
    // The whole document comes along only for programs.
    let hydrate = if args.json { "true" } else { "false" };
    let all = remote.list(&format!("/instances?hydrate={hydrate}{tags}")).await;
    let all = all.map_err(|refusal| refusal.failure("the list of instances"))?;
    if args.json {
        return output.result(&format!("{}\n", Value::from(all)));
    }
    if all.is_empty() {
        output.note("there is no such instance; `turnstone instance create FILE` makes one");
    }
    let row = |one: &Value| {
        let (word, style) = state(one);
        vec![
            Cell::from(one["id"].to_string()),
            Cell::from(one["name"].as_str().unwrap_or_default()),
            Cell::from(one["element"]["key"].as_str().unwrap_or_default()),
            Cell::styled(word, style),
            Cell::from(words(&one["tags"])),
        ]
    };
    let rows: Vec<Vec<Cell>> = all.iter().map(row).collect();
    output.result(&output.table(&["ID", "NAME", "CONNECTOR", "STATE", "TAGS"], &rows))
}

fn words(list: &Value) -> String {
    let words: Vec<&str> = list.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    words.join(", ")
}

/// How an instance is, in a word.
fn state(instance: &Value) -> (&'static str, Style) {
    let is = |name: &str| instance[name].as_bool() == Some(true);
    if instance["valid"].as_bool() == Some(false) {
        ("reconnect needed", Style::Bad)
    } else if is("disabled") {
        ("disabled", Style::Warn)
    } else if is("eventsEnabled") {
        ("polls", Style::Good)
    } else {
        ("no events", Style::Faint)
    }
}

fn painted_state(instance: &Value, output: &Output) -> String {
    let (word, style) = state(instance);
    output.paint(style, word)
}

/// The instance of this id or name.
pub(crate) async fn find(remote: &Remote, which: &str) -> Result<Value, Failure> {
    if which.parse::<i64>().is_ok() {
        match remote.get(&format!("/instances/{which}")).await {
            Ok(found) => return Ok(found),
            // It may be a name that looks like a number.
            Err(refusal) if refusal.is_missing() => {}
            Err(refusal) => return Err(refusal.failure(&format!("instance {which}"))),
        }
    }
    let all = remote.list("/instances?hydrate=true").await;
    let all = all.map_err(|refusal| refusal.failure("the list of instances"))?;
    let mut named: Vec<Value> = all.into_iter().filter(|one| one["name"].as_str() == Some(which)).collect();
    let which = tame(which);
    match named.len() {
        1 => Ok(named.remove(0)),
        0 => Err(Failure::Configuration(format!(
            "there is no instance `{which}`; `turnstone instance list` shows what is there"
        ))),
        _ => {
            let ids: Vec<String> = named.iter().map(|one| one["id"].to_string()).collect();
            let ids = ids.join(", ");
            Err(Failure::Configuration(format!(
                "the name `{which}` has several instances; give an id: {ids}"
            )))
        }
    }
}

async fn show(args: &OneArgs, output: &Output) -> Outcome {
    let remote = Remote::open(&args.server, output)?;
    let mut found = find(&remote, &args.which).await?;
    let pollers = remote.list(&format!("/instances/{}/pollers", found["id"])).await;
    let pollers = pollers.map_err(|refusal| refusal.failure("its pollers"))?;
    if args.json {
        found["pollers"] = Value::from(pollers);
        return output.result(&format!("{found}\n"));
    }
    output.result(&shown(&found, output))?;
    if pollers.is_empty() {
        return Ok(());
    }
    let row = |one: &Value| {
        let text = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
        let (code, style) = poller_state(one);
        let why = one["paused"].as_str().or(one["status"]["sentence"].as_str()).unwrap_or_default();
        let minutes = one["intervalSeconds"].as_f64().unwrap_or_default() / 60.0;
        vec![
            Cell::from(text("resource")),
            Cell::styled(code, style),
            Cell::from(format!("{} min", (minutes * 100.0).round() / 100.0)),
            Cell::from(text("completeTo")),
            Cell::from(text("nextDue")),
            Cell::from(why),
        ]
    };
    let rows: Vec<Vec<Cell>> = pollers.iter().map(row).collect();
    let head = ["RESOURCE", "STATE", "EVERY", "KNOWN UP TO", "NEXT POLL", "WHY"];
    output.result(&format!("\n{}", output.table(&head, &rows)))
}

fn poller_state(poller: &Value) -> (String, Style) {
    if poller["paused"].is_string() {
        return ("paused".to_owned(), Style::Warn);
    }
    let code = poller["status"]["code"].as_str().unwrap_or_default().to_owned();
    let style = match poller["status"]["needsAttention"].as_bool() {
        Some(true) => Style::Bad,
        _ if code == "ok" => Style::Good,
        _ => Style::Faint,
    };
    (code, style)
}

fn shown(instance: &Value, output: &Output) -> String {
    let text = |name: &str| tame(instance[name].as_str().unwrap_or_default());
    let element = tame(instance["element"]["key"].as_str().unwrap_or_default());
    let mut lines = vec![
        ("id", instance["id"].to_string()),
        ("name", output.paint(Style::Strong, &text("name"))),
        ("connector", element),
        ("state", painted_state(instance, output)),
        ("tags", tame(&words(&instance["tags"]))),
        ("created", text("createdDate")),
    ];
    lines.retain(|(_, value)| !value.is_empty());
    let configuration = instance["configuration"].as_object();
    let settings: Vec<(String, String)> = configuration
        .into_iter()
        .flatten()
        .filter(|(key, _)| key.as_str() != "event.poller.configuration")
        .map(|(key, value)| (tame(key), tame(&value.as_str().map_or(value.to_string(), str::to_owned))))
        .collect();
    let widest = settings.iter().map(|(key, _)| key.chars().count()).max().unwrap_or_default();
    let width = widest.max("connector".len());
    let mut text = String::new();
    let own = lines.into_iter().map(|(key, value)| (key.to_owned(), value));
    for (key, value) in own.chain(settings) {
        let key = output.paint(Style::Faint, &format!("{key:<width$}"));
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{key}  {value}");
    }
    text
}

async fn switch(args: &OneArgs, switch: Switch, output: &Output) -> Outcome {
    let remote = Remote::open(&args.server, output)?;
    let found = find(&remote, &args.which).await?;
    let method = match switch {
        Switch::On => "PUT",
        Switch::Off => "DELETE",
    };
    let about = format!("instance `{}`", tame(&args.which));
    let path = format!("/instances/{}/enabled", found["id"]);
    let answer = remote.change(method, &path, None).await.map_err(|refusal| refusal.failure(&about))?;
    // The switch may answer nothing.
    let now = if answer.is_object() { answer } else { find(&remote, &args.which).await? };
    if args.json {
        return output.result(&format!("{now}\n"));
    }
    output.result(&format!("{about}: {}\n", painted_state(&now, output)))
}

async fn delete(args: &DeleteArgs, output: &Output) -> Outcome {
    let remote = Remote::open(&args.server, output)?;
    let found = find(&remote, &args.which).await?;
    let (id, name) = (&found["id"], tame(found["name"].as_str().unwrap_or_default()));
    let question = format!("Remove instance {id} `{name}` with its place in every resource?");
    confirm::ask(&question, Agreed::of(args.yes))?;
    let gone = remote.change("DELETE", &format!("/instances/{id}"), None).await;
    gone.map_err(|refusal| refusal.failure(&format!("instance {id}")))?;
    output.note(&format!("instance {id} `{name}` is removed"));
    Ok(())
}
