//! `turnstone export`: a server's connectors and instances as the folder that `apply` reads.
//!
//! Secrets never leave a server; `env:NAME` stands in their places, and `.env.example` lists the names. Callbacks stay
//! in their instances: whether two of them share a key cannot be seen from outside.
//!
//! Not here: what is exported of a connector (the server).

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value, json};
use turnstone_engine::document::HIDDEN;

use super::folder::{CONNECTORS, INSTANCES};
use super::output::{Output, tame};
use super::remote::{Remote, ServerArgs, encode};
use super::{Failure, Outcome, input};
use crate::difference::member_path;

/// Characters of a file's name, without its ending.
const NAME_CHARS_MAX: usize = 80;

const EXAMPLES: &str = "\
Examples:
  turnstone export conf
  turnstone export conf --force && git -C conf diff
  set -a; . conf/.env; set +a; turnstone apply conf --plan";

/// Writes a server's connectors and instances as files, in the form that `turnstone apply` reads.
///
/// Applied to the same server again it changes nothing. Secrets are left out: `env:NAME` stands for them, and
/// `.env.example` lists what must be set.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ExportArgs {
    /// The folder; made unless it is there.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Writes over files that are there.
    #[arg(long)]
    force: bool,
    /// Prints one JSON object: `{"folder", "connectors", "instances", "secrets"}`.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// A file to be written.
struct Written {
    file: String,
    text: String,
}

/// A secret that is left out.
struct LeftOut {
    file: String,
    path: String,
    variable: String,
}

/// Runs the command.
pub(crate) async fn run(args: ExportArgs, output: Output) -> Outcome {
    refuse_full(&args)?;
    let remote = Remote::open(&args.server, &output)?;
    let connectors = connectors(&remote, &output).await?;
    let all = remote.list("/instances?hydrate=true").await;
    let mut all = all.map_err(|refusal| refusal.failure("the list of instances"))?;
    // Ids are those of this server; files are to be called the same wherever they come from.
    all.sort_by_cached_key(|one| (one["name"].to_string(), one["element"]["key"].to_string()));
    warn_about_twins(&all, &output);
    let (mut taken, mut variables, mut left_out) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    let instances: Vec<Written> =
        all.iter().map(|one| instance(one, &mut taken, &mut variables, &mut left_out)).collect();
    let counts = (connectors.len(), instances.len());
    let mut files: Vec<Written> = connectors.into_iter().chain(instances).collect();
    warn_about_stale(&args.folder, &files, &output);
    files.push(Written { file: ".env.example".to_owned(), text: example(&left_out) });
    files.push(Written { file: "README.md".to_owned(), text: read_me(&left_out) });
    for one in &files {
        write(&args.folder, one)?;
    }
    let name = args.folder.display();
    if args.json {
        let secret = |one: &LeftOut| json!({"file": one.file, "path": one.path, "variable": one.variable});
        let secrets: Vec<Value> = left_out.iter().map(secret).collect();
        let told = json!({
            "folder": name.to_string(), "connectors": counts.0, "instances": counts.1, "secrets": secrets});
        return output.result(&format!("{told}\n"));
    }
    let (connectors, instances) = (plural(counts.0, "connector"), plural(counts.1, "instance"));
    output.result(&format!("{connectors} and {instances} written to `{name}`\n"))?;
    if !left_out.is_empty() {
        let secrets = plural(left_out.len(), "secret");
        output.note(&format!("{secrets} left out; `{name}/.env.example` lists what must be set"));
    }
    Ok(())
}

fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

fn refuse_full(args: &ExportArgs) -> Outcome {
    let name = args.folder.display();
    let is_there = |error: &std::io::Error| error.kind() != std::io::ErrorKind::NotFound;
    match fs::read_dir(&args.folder) {
        Err(error) if is_there(&error) => {
            Err(Failure::Configuration(format!("cannot read `{name}`: {error}; give a folder")))
        }
        Err(_) => Ok(()),
        Ok(_) if args.force => Ok(()),
        Ok(mut entries) => match entries.any(|entry| entry.is_ok_and(|entry| entry.file_name() != ".git")) {
            false => Ok(()),
            true => Err(Failure::Configuration(format!(
                "`{name}` is not empty; --force writes over what is there"
            ))),
        },
    }
}

async fn connectors(remote: &Remote, output: &Output) -> Result<Vec<Written>, Failure> {
    let all = remote.list("/elements").await;
    let all = all.map_err(|refusal| refusal.failure("the list of connectors"))?;
    let mut written = Vec::new();
    for (at, one) in all.iter().enumerate() {
        if at > 0 && at % 50 == 0 {
            output.note(&format!("{at} of {} connectors are fetched", all.len()));
        }
        let key = one["key"].as_str().unwrap_or_default();
        let text = remote.text(&format!("/elements/{}/export", encode(key))).await;
        let text = text.map_err(|refusal| refusal.failure(&format!("connector `{}`", tame(key))))?;
        // A key is letters, digits, `-`, `_` and `.`.
        written.push(Written { file: format!("{CONNECTORS}/{key}.json"), text });
    }
    Ok(written)
}

fn warn_about_twins(all: &[Value], output: &Output) {
    let identity = |one: &Value| (one["element"]["key"].to_string(), one["name"].to_string());
    let mut seen: Vec<(String, String)> = Vec::new();
    for one in all {
        let own = identity(one);
        if seen.contains(&own) {
            output.warn(&format!(
                "several instances are called {}; `apply` cannot tell them apart until all but one are renamed",
                tame(&own.1)
            ));
        }
        seen.push(own);
    }
}

fn warn_about_stale(folder: &Path, files: &[Written], output: &Output) {
    for part in [CONNECTORS, INSTANCES] {
        for entry in fs::read_dir(folder.join(part)).into_iter().flatten().flatten() {
            let file = format!("{part}/{}", entry.file_name().to_string_lossy());
            if !files.iter().any(|one| one.file == file) {
                output.warn(&format!("`{file}` was there before and is not on the server; it stays"));
            }
        }
    }
}

/// An instance as a file; its secrets are noted and left out.
fn instance(
    shown: &Value,
    taken: &mut BTreeSet<String>,
    variables: &mut BTreeSet<String>,
    left_out: &mut Vec<LeftOut>,
) -> Written {
    let name = shown["name"].as_str().unwrap_or_default();
    let key = shown["element"]["key"].as_str().unwrap_or_default();
    let base = match slug(name, '-') {
        base if base.is_empty() => slug(key, '-'),
        base => base,
    };
    let stem = free(&base, '-', taken);
    let mut document = Map::new();
    document.insert("element".to_owned(), json!({"key": key}));
    document.insert("name".to_owned(), json!(name));
    if shown["tags"].as_array().is_some_and(|tags| !tags.is_empty()) {
        document.insert("tags".to_owned(), shown["tags"].clone());
    }
    if let Some(words) = shown["description"].as_str() {
        document.insert("description".to_owned(), json!(words));
    }
    if let Some(kind) = shown["externalAuthentication"].as_str().filter(|kind| *kind != "none") {
        document.insert("externalAuthentication".to_owned(), json!(kind));
    }
    let mut configuration = shown["configuration"].as_object().cloned().unwrap_or_default();
    let mut found = Vec::new();
    for (key, value) in &mut configuration {
        let path = member_path("configuration", key);
        leave_out(&path, key, value, &mut |path, words, value| {
            let words = slug(&format!("{stem} {words}"), '_').to_uppercase();
            let variable = free(&words, '_', variables);
            *value = Value::from(format!("env:{variable}"));
            found.push((path.to_owned(), variable));
        });
    }
    document.insert("configuration".to_owned(), Value::Object(configuration));
    let (ending, text) = as_text(&Value::Object(document));
    let file = format!("{INSTANCES}/{stem}.{ending}");
    let noted = found.into_iter().map(|(path, variable)| LeftOut { file: file.clone(), path, variable });
    left_out.extend(noted);
    Written { file, text }
}

/// Calls for every hidden value, with its place and the words that it is called by.
fn leave_out(path: &str, words: &str, value: &mut Value, call: &mut dyn FnMut(&str, &str, &mut Value)) {
    match value {
        Value::String(text) if text == HIDDEN => call(path, words, value),
        Value::Object(members) => {
            for (name, value) in members.iter_mut() {
                leave_out(&member_path(path, name), &format!("{words} {name}"), value, call);
            }
        }
        _ => {}
    }
}

/// YAML, which people read more easily, where it says exactly the same; JSON otherwise.
fn as_text(document: &Value) -> (&'static str, String) {
    let yaml = serde_saphyr::to_string(document).ok();
    match yaml.filter(|text| input::parse(text).is_ok_and(|read| read == *document)) {
        Some(yaml) => ("yaml", yaml),
        None => ("json", format!("{document:#}\n")),
    }
}

/// Lower-case letters and digits with a mark between them.
fn slug(text: &str, mark: char) -> String {
    let mut slug = String::new();
    for letter in text.chars() {
        if letter.is_ascii_alphanumeric() {
            slug.push(letter.to_ascii_lowercase());
        } else if !slug.ends_with(mark) && !slug.is_empty() {
            slug.push(mark);
        }
    }
    slug.trim_end_matches(mark).chars().take(NAME_CHARS_MAX).collect()
}

/// A name that nothing has yet.
fn free(base: &str, mark: char, taken: &mut BTreeSet<String>) -> String {
    let base = if base.is_empty() || base.starts_with(|letter: char| letter.is_ascii_digit() && mark == '_') {
        format!("x{mark}{base}")
    } else {
        base.to_owned()
    };
    let name = (1..)
        .map(|number| if number == 1 { base.clone() } else { format!("{base}{mark}{number}") })
        .find(|name| !taken.contains(name))
        .unwrap_or(base);
    taken.insert(name.clone());
    name
}

fn example(left_out: &[LeftOut]) -> String {
    let mut text = String::from(
        "# What the instances need to be applied. Copy it to `.env`, fill it in, keep it out of version\n# control.\n",
    );
    for one in left_out {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n# {}: {}\n{}=\n", one.file, one.path, one.variable);
    }
    text
}

fn read_me(left_out: &[LeftOut]) -> String {
    let mut text = String::from(
        "# Connectors and instances\n\nWritten by `turnstone export`; `turnstone apply` makes a server be like this.\n\n\
         ```sh\nset -a; . ./.env; set +a     # the secrets, see `.env.example`\nturnstone apply . --plan     # what would \
         change\nturnstone apply .\n```\n",
    );
    if !left_out.is_empty() {
        let _ = write!(text, "\nSecrets that must be set:\n\n");
    }
    for one in left_out {
        let _ = writeln!(text, "- `{}` for `{}` in `{}`", one.variable, one.path, one.file);
    }
    text
}

fn write(folder: &Path, one: &Written) -> Outcome {
    let path = folder.join(&one.file);
    let written = match path.parent() {
        Some(parent) => fs::create_dir_all(parent).and_then(|()| fs::write(&path, &one.text)),
        None => fs::write(&path, &one.text),
    };
    written.map_err(|error| {
        Failure::Configuration(format!("cannot write `{}`: {error}; give another folder", path.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_and_their_own() {
        assert_eq!(slug("Shop of the <North> é!", '-'), "shop-of-the-north");
        assert_eq!(slug("../../etc/passwd", '-'), "etc-passwd");
        let mut taken = BTreeSet::new();
        let names = ["a", "a", "", "7"].map(|base| free(base, '_', &mut taken));
        assert_eq!(names, ["a", "a_2", "x_", "x_7"]);
    }

    #[test]
    fn an_instance_says_the_same_in_its_file() {
        let shown = json!({
            "id": 7, "name": "Shop", "tags": ["no", "0755", "2026-01-01"], "disabled": false, "valid": true,
            "element": {"key": "crm", "id": 3},
            "configuration": {
                "password": HIDDEN,
                "event.notification.enabled": "true",
                "zone": "-08:00", "big": "1_000", "none": null, "text": "a: b\n# c\n", "empty": "",
                "http.headers": {"X-Key": HIDDEN, "Accept": "env:ALREADY"},
                "event.poller.configuration": {"c": {"url": "/c?since=${gmtDate:yyyy-MM-dd'T'HH:mm:ss'Z'}"}}
            }
        });
        let (mut taken, mut variables, mut left_out) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
        let written = instance(&shown, &mut taken, &mut variables, &mut left_out);
        let mut expect = json!({
            "element": {"key": "crm"}, "name": "Shop", "tags": shown["tags"],
            "configuration": shown["configuration"]
        });
        expect["configuration"]["password"] = json!("env:SHOP_PASSWORD");
        expect["configuration"]["http.headers"]["X-Key"] = json!("env:SHOP_HTTP_HEADERS_X_KEY");
        assert_eq!(input::parse(&written.text).unwrap(), expect, "{}", written.text);
        assert_eq!(written.file, "instances/shop.yaml", "{}", written.text);
        let names: Vec<&str> = left_out.iter().map(|one| one.variable.as_str()).collect();
        assert_eq!(names, ["SHOP_PASSWORD", "SHOP_HTTP_HEADERS_X_KEY"]);
        assert!(
            example(&left_out).contains("\n# instances/shop.yaml: configuration.password\nSHOP_PASSWORD=\n")
        );
    }
}
