//! `turnstone connector`: connectors as the field's element JSON, checked here, sent to a server and fetched from it.
//!
//! A document goes to the server byte by byte as it lies in its file, and comes back like that. Everything is checked
//! and looked up before the first one is sent.
//!
//! Not here: what a connector means (the core's `connector`), connectors as a part of a folder (`apply`).

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use turnstone_core::check::{CheckSettings, Fault};
use turnstone_core::connector::{CheckedConnector, Document, check};
use turnstone_engine::clock::{Clock as _, SystemClock};

use super::output::{Cell, Output, Style, tame};
use super::remote::{Refusal, Remote, ServerArgs, encode};
use super::{Failure, Outcome, input};

const EXAMPLES: &str = "\
Examples:
  turnstone connector check exports/*.json
  turnstone connector import exports/*.json --server https://turnstone.example.com
  turnstone connector import crm.json --replace
  turnstone connector export crm -o crm.json
  turnstone connector list --where \"private='true'\"";

/// Checks, imports, exports and lists connectors (element JSON).
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ConnectorArgs {
    #[command(subcommand)]
    command: ConnectorCommand,
}

#[derive(Debug, Subcommand)]
enum ConnectorCommand {
    Check(CheckArgs),
    Import(ImportArgs),
    Export(ExportArgs),
    List(ListArgs),
}

/// Says everything that is wrong with connectors, at once. No server is needed.
///
/// Each line names the place, what is wrong there, and what would be right. Warnings tell what imports and works less
/// than its author thinks: a hook that requires `http`, a poller configuration that an instance could not use.
#[derive(Args, Debug)]
struct CheckArgs {
    /// Connectors as element JSON; `-` reads standard input.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Prints one JSON object: `{"sound", "connectors": [{"file", "key", "sound", "faults", "warnings"}]}`.
    #[arg(long)]
    json: bool,
}

/// Sends connectors to a server: new ones are made, equal ones stay.
///
/// All files are checked and compared first; nothing is sent when one of them cannot be imported.
#[derive(Args, Debug)]
struct ImportArgs {
    /// Connectors as element JSON; `-` reads standard input.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Replaces connectors that the server has in another form. Instances stay with the revision they were made from.
    #[arg(long)]
    replace: bool,
    /// Prints one JSON object: `{"connectors": [{"file", "key", "id", "done", "warnings"}]}`.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Fetches a connector as it was imported, byte by byte; only secret defaults are blank.
#[derive(Args, Debug)]
struct ExportArgs {
    /// Key or id of the connector.
    #[arg(value_name = "KEY")]
    key: String,
    /// Where to write it; `-` is standard output.
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    output: PathBuf,
    #[command(flatten)]
    server: ServerArgs,
}

/// Lists the connectors of the server.
#[derive(Args, Debug)]
struct ListArgs {
    /// Only those that match, as in `private='true' and key in ('crm', 'shop')`.
    #[arg(long = "where", value_name = "CEQL")]
    clause: Option<String>,
    /// Prints the server's answer, an array.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Runs the command.
pub(crate) async fn run(args: ConnectorArgs, output: Output) -> Outcome {
    match args.command {
        ConnectorCommand::Check(args) => check_files(&args, &output),
        ConnectorCommand::Import(args) => import(&args, &output).await,
        ConnectorCommand::Export(args) => export(&args, &output).await,
        ConnectorCommand::List(args) => list(&args, &output).await,
    }
}

/// A file that was read.
pub(crate) struct Read {
    /// Its name, as it was given.
    pub(crate) file: String,
    /// The connector, when it is sound.
    pub(crate) document: Option<Document>,
    /// What came of checking it.
    pub(crate) checked: CheckedConnector,
}

impl Read {
    /// The connector's key, as far as it can be told.
    pub(crate) fn key(&self) -> String {
        self.document.as_ref().map(Document::key).unwrap_or_default()
    }
}

/// Reads and checks a connector's file. Only a file that cannot be read is a failure.
pub(crate) fn read(path: &Path) -> Result<Read, Failure> {
    let file = path.display().to_string();
    let text = input::text(path)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(error) => {
            let remedy = "export it again, or correct it at that place".to_owned();
            let fault = Fault { path: String::new(), problem: error.to_string(), remedy };
            let checked = CheckedConnector { connector: None, faults: vec![fault], warnings: Vec::new() };
            return Ok(Read { file, document: None, checked });
        }
    };
    let checked = check(&document, &CheckSettings::new(SystemClock::new().now()));
    Ok(Read { file, document: Some(document), checked })
}

fn read_all(files: &[PathBuf]) -> Result<Vec<Read>, Failure> {
    let read: Result<Vec<Read>, Failure> = files.iter().map(|path| read(path)).collect();
    let mut read = read?;
    // Two files of one key would replace each other.
    let keys: Vec<String> = read.iter().map(Read::key).collect();
    for (at, one) in read.iter_mut().enumerate().skip(1) {
        if let Some(first) = keys[..at].iter().position(|key| !key.is_empty() && *key == keys[at]) {
            let problem = format!("the key `{}` is that of `{}` too", keys[at], files[first].display());
            let remedy = "give one of them another key, or leave it out".to_owned();
            one.checked.faults.push(Fault { path: "key".to_owned(), problem, remedy });
        }
    }
    Ok(read)
}

fn check_files(args: &CheckArgs, output: &Output) -> Outcome {
    let read: Result<Vec<Read>, Failure> = args.files.iter().map(|path| self::read(path)).collect();
    let read = read?;
    let faulty = read.iter().filter(|one| !one.checked.faults.is_empty()).count();
    if args.json {
        let all: Vec<Value> = read.iter().map(read_json).collect();
        output.result(&format!("{}\n", json!({"sound": faulty == 0, "connectors": all})))?;
    } else {
        let text: String = read.iter().map(|one| read_text(one, output)).collect();
        output.result(&text)?;
    }
    refuse_faulty(faulty, read.len())
}

fn refuse_faulty(faulty: usize, all: usize) -> Outcome {
    match (faulty, all) {
        (0, _) => Ok(()),
        (_, 1) => Err(Failure::Configuration("the connector is not sound".to_owned())),
        (1, _) => Err(Failure::Configuration(format!("one of {all} connectors is not sound"))),
        _ => Err(Failure::Configuration(format!("{faulty} of {all} connectors are not sound"))),
    }
}

/// Faults and warnings as JSON.
pub(crate) fn faults_json(faults: &[Fault]) -> Value {
    let one = |fault: &Fault| json!({"path": fault.path, "problem": fault.problem, "remedy": fault.remedy});
    faults.iter().map(one).collect()
}

fn read_json(read: &Read) -> Value {
    json!({
        "file": read.file,
        "key": read.key(),
        "sound": read.checked.faults.is_empty(),
        "faults": faults_json(&read.checked.faults),
        "warnings": faults_json(&read.checked.warnings),
    })
}

fn read_text(read: &Read, output: &Output) -> String {
    let mut text = faults_text(&read.file, &read.checked.faults, ("fault", Style::Bad), output);
    text.push_str(&faults_text(&read.file, &read.checked.warnings, ("warning", Style::Warn), output));
    if let Some(connector) = &read.checked.connector {
        let plural = |count: usize, noun: &str| match count {
            1 => format!("1 {noun}"),
            count => format!("{count} {noun}s"),
        };
        let hooks: usize = connector.resources.iter().map(|resource| resource.hooks.len()).sum();
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{}: {}: `{}`, {}, {}",
            output.paint(Style::Good, "sound"),
            output.paint(Style::Strong, &tame(&read.file)),
            tame(&connector.key),
            plural(connector.resources.len(), "resource"),
            plural(connector.hooks.len() + hooks, "hook"),
        );
    }
    text
}

/// Faults or warnings of a file, each with its place.
pub(crate) fn faults_text(
    file: &str,
    faults: &[Fault],
    (word, style): (&str, Style),
    output: &Output,
) -> String {
    let mut text = String::new();
    for fault in faults {
        let place = if fault.path.is_empty() { "the document" } else { &fault.path };
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{}: {}: {}\n    {}\n    {}",
            output.paint(style, word),
            tame(file),
            output.paint(Style::Strong, &tame(place)),
            tame(&fault.problem),
            tame(&fault.remedy)
        );
    }
    text
}

/// What the server has under a connector's key.
pub(crate) enum Present {
    /// Nothing.
    Nothing,
    /// The same document, as far as can be seen.
    Same,
    /// Another one: its export.
    Other(String),
}

/// Looks what the server has under the key of a document.
pub(crate) async fn present(remote: &Remote, document: &Document) -> Result<Present, Refusal> {
    match remote.text(&format!("/elements/{}/export", encode(&document.key()))).await {
        Ok(text) if is_same(document, &text) => Ok(Present::Same),
        Ok(text) => Ok(Present::Other(text)),
        Err(refusal) if refusal.is_missing() => Ok(Present::Nothing),
        Err(refusal) => Err(refusal),
    }
}

/// Whether an export is what this document would be exported as. Blanks between its parts do not count.
fn is_same(document: &Document, export: &str) -> bool {
    let export = compact(export);
    compact(&document.export().text) == export || compact(&document.completed().export().text) == export
}

/// JSON without the blanks between its parts. Everything else stays as it is written, numbers and escapes included.
fn compact(text: &str) -> String {
    let (mut kept, mut is_text, mut is_escaped) = (String::with_capacity(text.len()), false, false);
    for letter in text.chars() {
        if is_text {
            kept.push(letter);
            (is_text, is_escaped) = match letter {
                _ if is_escaped => (true, false),
                '\\' => (true, true),
                '"' => (false, false),
                _ => (true, false),
            };
        } else if !letter.is_ascii_whitespace() {
            is_text = letter == '"';
            kept.push(letter);
        }
    }
    kept
}

async fn import(args: &ImportArgs, output: &Output) -> Outcome {
    let read = read_all(&args.files)?;
    let faulty: Vec<&Read> = read.iter().filter(|one| !one.checked.faults.is_empty()).collect();
    if !faulty.is_empty() {
        let text: String = faulty
            .iter()
            .map(|one| faults_text(&one.file, &one.checked.faults, ("fault", Style::Bad), output))
            .collect();
        output.result(&text)?;
        return refuse_faulty(faulty.len(), read.len())
            .map_err(|failure| Failure::Configuration(format!("{failure}; nothing was sent")));
    }
    for one in &read {
        for warning in &one.checked.warnings {
            output.warn(&format!("{}: {}", one.file, tame(&warning.to_string())));
        }
    }
    let remote = Remote::open(&args.server, output)?;
    let planned = plan_import(&remote, &read, args.replace).await?;
    let mut done = Vec::new();
    for (one, document, method) in planned {
        done.push(send(&remote, one, document, method, output).await?);
    }
    if args.json {
        output.result(&format!("{}\n", json!({"connectors": done})))
    } else {
        output.result(&imported_table(&done, output))
    }
}

/// How each document gets to the server; `None` where it is there already.
async fn plan_import<'a>(
    remote: &Remote,
    read: &'a [Read],
    replace: bool,
) -> Result<Vec<(&'a Read, &'a Document, Option<&'static str>)>, Failure> {
    let (mut planned, mut others) = (Vec::new(), Vec::new());
    for one in read {
        // Without a fault there is a document.
        let Some(document) = &one.document else { continue };
        match present(remote, document).await.map_err(|refusal| refusal.failure(&named(one)))? {
            Present::Nothing => planned.push((one, document, Some("POST"))),
            // A secret default cannot be compared; replacing is how to send a new one.
            Present::Same if replace && !document.export().blanked.is_empty() => {
                planned.push((one, document, Some("PUT")));
            }
            Present::Same => planned.push((one, document, None)),
            Present::Other(_) if replace => planned.push((one, document, Some("PUT"))),
            Present::Other(_) => others.push(format!("`{}` ({})", tame(&one.key()), tame(&one.file))),
        }
    }
    if others.is_empty() {
        return Ok(planned);
    }
    Err(Failure::Configuration(format!(
        "the server has another connector under the key of {}; --replace replaces it, and instances stay with the \
         revision that they were made from. Nothing was sent",
        others.join(", ")
    )))
}

fn named(read: &Read) -> String {
    format!("`{}`", tame(&read.file))
}

async fn send(
    remote: &Remote,
    read: &Read,
    document: &Document,
    method: Option<&'static str>,
    output: &Output,
) -> Result<Value, Failure> {
    let key = document.key();
    let path = match method {
        Some("POST") => "/elements".to_owned(),
        _ => format!("/elements/{}", encode(&key)),
    };
    let answer = match method {
        None => remote.get(&path).await,
        Some(method) => remote.put_text(method, &path, document.text()).await,
    };
    let answer = answer.map_err(|refusal| refusal.failure(&named(read)))?;
    let done = match method {
        None => "unchanged",
        Some("POST") => "created",
        Some(_) => "replaced",
    };
    output.note(&format!("connector `{}` {done}", tame(&key)));
    Ok(json!({
        "file": read.file,
        "key": key,
        "id": answer["id"],
        "done": done,
        "warnings": faults_json(&read.checked.warnings),
    }))
}

fn imported_table(done: &[Value], output: &Output) -> String {
    let row = |one: &Value| {
        let word = one["done"].as_str().unwrap_or_default();
        let style = if word == "unchanged" { Style::Faint } else { Style::Good };
        let text = |name: &str| Cell::from(one[name].as_str().unwrap_or_default());
        vec![Cell::styled(word, style), text("key"), Cell::from(one["id"].to_string()), text("file")]
    };
    output.table(&["DONE", "KEY", "ID", "FILE"], &done.iter().map(row).collect::<Vec<_>>())
}

async fn export(args: &ExportArgs, output: &Output) -> Outcome {
    let remote = Remote::open(&args.server, output)?;
    let text = remote.text(&format!("/elements/{}/export", encode(&args.key))).await.map_err(|refusal| {
        if refusal.is_missing() {
            let key = tame(&args.key);
            return Failure::Configuration(format!(
                "there is no connector `{key}`; `turnstone connector list` shows what is there"
            ));
        }
        refusal.failure(&format!("`{}`", tame(&args.key)))
    })?;
    if args.output == Path::new("-") {
        return output.result(&text);
    }
    let name = args.output.display();
    std::fs::write(&args.output, &text).map_err(|error| {
        Failure::Configuration(format!("cannot write `{name}`: {error}; correct the path"))
    })?;
    output.note(&format!("connector `{}` written to `{name}`", tame(&args.key)));
    Ok(())
}

async fn list(args: &ListArgs, output: &Output) -> Outcome {
    let remote = Remote::open(&args.server, output)?;
    let clause =
        args.clause.as_deref().map(|clause| format!("?where={}", encode(clause))).unwrap_or_default();
    let all = remote
        .list(&format!("/elements{clause}"))
        .await
        .map_err(|refusal| refusal.failure("the list of connectors"))?;
    if args.json {
        return output.result(&format!("{}\n", Value::from(all)));
    }
    if all.is_empty() {
        output.note("there is no connector; `turnstone connector import FILE` brings one");
    }
    output.result(&connectors_table(&all, output))
}

fn connectors_table(all: &[Value], output: &Output) -> String {
    let row = |one: &Value| {
        let text = |name: &str| Cell::from(one[name].as_str().unwrap_or_default());
        let state = match one["active"].as_bool() {
            Some(false) => Cell::styled("inactive", Style::Warn),
            _ => Cell::styled("active", Style::Good),
        };
        vec![Cell::from(one["id"].to_string()), text("key"), state, text("hub"), text("name")]
    };
    output.table(&["ID", "KEY", "STATE", "HUB", "NAME"], &all.iter().map(row).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_between_parts_do_not_count() {
        assert_eq!(compact("{ \"a b\" : [ 1.0 ,\n \"x\\\" y\" ] }"), "{\"a b\":[1.0,\"x\\\" y\"]}");
        assert_ne!(compact("[1.0]"), compact("[1]"));
    }

    #[test]
    fn an_export_is_compared_with_what_the_document_would_be_exported_as() {
        let text = r#"{"name": "My CRM", "authentication": {"type": "none"}, "configuration":
            [{"key": "password", "name": "p", "type": "PASSWORD", "defaultValue": "hunter"}]}"#;
        let document = Document::parse(text).unwrap();
        assert!(is_same(&document, &document.export().text));
        assert!(is_same(&document, &document.completed().export().text), "as a server completes it");
        assert!(!is_same(&document, &text.replace("My CRM", "Our CRM")));
    }
}
