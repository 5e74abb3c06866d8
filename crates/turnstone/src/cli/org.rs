//! `turnstone org`: organisations, each with people, connectors and instances that no other one sees.
//!
//! Through a running server, as an owner of its first organisation; or in the data directory itself while no server
//! runs on it, for whoever may read that directory anyway.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use turnstone_engine::clock::{Clock as _, SystemClock, SystemEntropy};
use turnstone_store::{Directory as _, NewUser, Role, Store as _, StoreError};

use super::output::{Cell, Output, Style, tame};
use super::remote::{Remote, ServerArgs};
use super::{Failure, Outcome, serve};
use crate::api::{access, markup, organization_secret, secret};

/// What the first user of an organisation is called when nobody says.
const OWNER: &str = "owner";
/// Characters of a name, as the API has it.
const NAME_CHARS_MAX: usize = 200;

const EXAMPLES: &str = "\
Examples:
  turnstone org create \"Team north\" --server https://turnstone.example.com
  turnstone org create \"Team north\" --data /var/lib/turnstone      while no server runs on it
  turnstone org create \"Team north\" --json | jq -r .authorization > credentials";

/// Makes and lists organisations.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct OrgArgs {
    #[command(subcommand)]
    command: OrgCommand,
}

#[derive(Debug, Subcommand)]
enum OrgCommand {
    Create(CreateArgs),
    List(ListArgs),
}

/// Makes an organisation with its owner and prints their secrets, once.
///
/// A server lets owners of its first organisation do so.
#[derive(Args, Debug)]
struct CreateArgs {
    /// Its name, once per server.
    #[arg(value_name = "NAME")]
    name: String,
    /// What its first user is called.
    #[arg(long, value_name = "NAME", default_value = OWNER)]
    owner: String,
    /// Makes it in this data directory, on which no server runs, instead of asking one.
    #[arg(long, value_name = "DIR", conflicts_with = "credentials")]
    data: Option<PathBuf>,
    /// Prints one JSON object: `{"id", "name", "owner", "authorization"}`.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Lists the organisations that you may see.
#[derive(Args, Debug)]
struct ListArgs {
    /// Prints the server's answer, an array.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// An organisation that was just made.
struct Made {
    id: Value,
    name: String,
    owner: String,
    authorization: String,
}

/// Runs the command.
pub(crate) async fn run(args: OrgArgs, output: Output) -> Outcome {
    match args.command {
        OrgCommand::Create(args) => {
            let made = match &args.data {
                Some(data) => make(data, &args.name, &args.owner).await?,
                None => ask(&args, &output).await?,
            };
            told(&made, args.json, &output)
        }
        OrgCommand::List(args) => list(&args, &output).await,
    }
}

async fn ask(args: &CreateArgs, output: &Output) -> Result<Made, Failure> {
    let remote = Remote::open(&args.server, output)?;
    let body = json!({"name": args.name, "owner": {"name": args.owner}});
    let answer = remote.change("POST", "/organizations", Some(&body)).await;
    let answer = answer.map_err(|refusal| refusal.failure(&format!("`{}`", tame(&args.name))))?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(Made {
        id: answer["id"].clone(),
        name: text(&answer["name"]),
        owner: text(&answer["owner"]["name"]),
        authorization: authorization(&text(&answer["owner"]["secret"]), &text(&answer["secret"])),
    })
}

fn authorization(user: &str, organization: &str) -> String {
    format!("User {user}, Organization {organization}")
}

/// Makes an organisation in a data directory. One that was begun and has no user yet is finished.
async fn make(data: &Path, name: &str, owner: &str) -> Result<Made, Failure> {
    let (name, owner) = (named(name, "the organisation")?, named(owner, "its owner")?);
    if !data.join("turnstone.db").exists() {
        return Err(Failure::State(format!(
            "there is no database in `{}`; the first start of `turnstone serve --data` makes it",
            data.display()
        )));
    }
    let (store, _, _) = serve::open(data).map_err(|error| Failure::State(format!("{error:#}")))?;
    let failed = |error: StoreError| Failure::State(error.to_string());
    let now = SystemClock::new().now();
    let org = store.ensure_org(&name, now).await.map_err(failed)?;
    if !store.users(org).await.map_err(failed)?.is_empty() {
        return Err(Failure::Configuration(format!(
            "there is an organisation `{name}` already; choose another name"
        )));
    }
    let (user, organization) = (secret(&SystemEntropy), organization_secret(&SystemEntropy));
    let (email, token_hash) = (String::new(), access::hash(&user));
    let new = NewUser { org, name: owner.clone(), email, role: Role::Owner, token_hash };
    store.create_user(new, now).await.map_err(failed)?;
    store.add_org_token(org, access::hash(&organization), now).await.map_err(failed)?;
    Ok(Made { id: json!(org), name, owner, authorization: authorization(&user, &organization) })
}

fn named(text: &str, what: &str) -> Result<String, Failure> {
    let name = markup::strip(text);
    match name.chars().count() {
        1..=NAME_CHARS_MAX => Ok(name),
        _ => Err(Failure::Configuration(format!(
            "the name of {what} must have 1 to {NAME_CHARS_MAX} characters; write another one"
        ))),
    }
}

fn told(made: &Made, as_json: bool, output: &Output) -> Outcome {
    if as_json {
        let told = json!({
            "id": made.id, "name": made.name, "owner": made.owner, "authorization": made.authorization});
        return output.result(&format!("{told}\n"));
    }
    output.note("the secrets are shown only now; keep them in a file for --credentials");
    output.result(&format!(
        "organisation   {} {}\nowner          {}\nAuthorization  {}\n",
        made.id,
        output.paint(Style::Strong, &tame(&made.name)),
        tame(&made.owner),
        made.authorization
    ))
}

async fn list(args: &ListArgs, output: &Output) -> Outcome {
    let remote = Remote::open(&args.server, output)?;
    let all = remote.list("/organizations").await;
    let all = all.map_err(|refusal| refusal.failure("the list of organisations"))?;
    if args.json {
        return output.result(&format!("{}\n", Value::from(all)));
    }
    let row = |one: &Value| {
        let text = |name: &str| Cell::from(one[name].as_str().unwrap_or_default());
        vec![Cell::from(one["id"].to_string()), text("createdDate"), text("name")]
    };
    output.result(&output.table(&["ID", "CREATED", "NAME"], &all.iter().map(row).collect::<Vec<_>>()))
}
