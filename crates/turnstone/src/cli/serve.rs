//! `turnstone serve`: the product as a service, with its HTTP API, on one data directory.
//!
//! The directory holds the database and the key that seals its secrets, both readable by their owner alone. The first
//! start makes them and prints the organisation's secret and its owner's once; only hashes are kept. A stop (SIGTERM,
//! Ctrl-C) lets requests, polls and deliveries in hand end, claims nothing more, and releases what it holds.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use turnstone_core::check::CheckSettings;
use turnstone_core::date::Zone;
use turnstone_core::id::OrgId;
use turnstone_engine::clock::{Clock as _, SystemClock, SystemEntropy};
use turnstone_engine::egress::Policy;
use turnstone_engine::keeper::{DAY, KeeperSettings};
use turnstone_engine::secrets::{KeyRing, SecretError, WhenMissing};
use turnstone_engine::stop::Stop;
use turnstone_store::sqlite::SqliteStore;
use turnstone_store::{Directory as _, NewSignInCode, NewUser, Role, Store, StoreError};

use super::node::{Node, Settings};
use super::output::Output;
use super::{Failure, Outcome};
use crate::api::access::{self, session};
use crate::api::{self, Api, server};
use crate::console::Console;
use crate::telemetry;

/// The environment variable that presets the organisation's secret.
const TOKEN_VARIABLE: &str = "TURNSTONE_TOKEN";
/// The environment variable that presets the owner's secret.
const USER_TOKEN_VARIABLE: &str = "TURNSTONE_USER_TOKEN";
/// The environment variable that holds the keys, in place of the file.
const KEYS_VARIABLE: &str = "TURNSTONE_KEYS";
/// Name of the organisation that the first start makes.
const ORGANISATION: &str = "default";
/// Name of its first user.
const OWNER: &str = "owner";

/// Runs as a service with an HTTP API: polls, delivers, and keeps everything in one directory.
#[derive(Debug, clap::Args)]
pub(crate) struct ServeArgs {
    /// Address and port to listen on; port 0 takes a free one and prints it
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080", env = "TURNSTONE_LISTEN")]
    listen: SocketAddr,
    /// Directory of the database and its key; made on the first start
    #[arg(long, value_name = "DIR", default_value = "turnstone-data", env = "TURNSTONE_DATA")]
    data: PathBuf,
    /// Lets instances poll and notify private and loopback addresses (never link-local or metadata ones)
    #[arg(long, env = "TURNSTONE_ALLOW_PRIVATE")]
    allow_private: bool,
    /// Shortest polling interval that an instance may ask for, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0, value_parser = interval,
        env = "TURNSTONE_INTERVAL_MINIMUM")]
    interval_minimum: f64,
    /// The zone of `${date:…}` in URLs
    #[arg(long, value_name = "ZONE", default_value = "UTC", env = "TURNSTONE_SERVER_TIME_ZONE")]
    time_zone: String,
    /// How others reach this server, such as `https://hooks.example.com`: the addresses that providers are given begin
    /// with it; the address it listens on when it is left out
    #[arg(long, value_name = "URL", value_parser = public_url, env = "TURNSTONE_PUBLIC_URL")]
    public_url: Option<String>,
    #[command(flatten)]
    keep: Keep,
    /// Makes new secrets of the organisation and its owner, prints them once, and starts
    #[arg(long)]
    new_token: bool,
    /// Reads the console from this folder at each request, instead of the one that was built in
    #[arg(long, value_name = "DIR", hide = true, env = "TURNSTONE_CONSOLE")]
    console: Option<PathBuf>,
}

/// How long things are kept; `/retention` tells it.
#[derive(clap::Args, Clone, Copy, Debug)]
struct Keep {
    /// Days that events are kept; one that waits for its delivery stays until it is there
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = days(), env = "TURNSTONE_KEEP_EVENTS")]
    keep_events: u32,
    /// Days that runs are kept, with what they decided
    #[arg(long, value_name = "DAYS", default_value_t = 14, value_parser = days(), env = "TURNSTONE_KEEP_RUNS")]
    keep_runs: u32,
    /// Days that attempts of deliveries are kept
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = days(), env = "TURNSTONE_KEEP_ATTEMPTS")]
    keep_attempts: u32,
    /// Days that providers' webhooks are kept as they came, once they are settled
    #[arg(long, value_name = "DAYS", default_value_t = 7, value_parser = days(), env = "TURNSTONE_KEEP_WEBHOOKS")]
    keep_webhooks: u32,
}

impl Keep {
    fn settings(self) -> KeeperSettings {
        KeeperSettings {
            events: DAY * self.keep_events,
            runs: DAY * self.keep_runs,
            attempts: DAY * self.keep_attempts,
            requests: DAY * self.keep_webhooks,
            ..KeeperSettings::default()
        }
    }
}

/// Up to ten years.
fn days() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=3_650)
}

fn interval(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "write a number of seconds".to_owned())?;
    let fits = (0.05..=86_400.0).contains(&seconds);
    if fits { Ok(seconds) } else { Err("write 0.05 to 86400 seconds".to_owned()) }
}

fn public_url(text: &str) -> Result<String, String> {
    let url = url::Url::parse(text).map_err(|error| format!("it is no address ({error})"))?;
    let fits = matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none();
    if !fits || url.fragment().is_some() || !url.username().is_empty() {
        return Err("write a plain http or https address such as https://hooks.example.com".to_owned());
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// Serves until it is told to stop.
pub(crate) async fn run(args: ServeArgs, output: Output) -> Outcome {
    serve(args, &output).await.map_err(|error| {
        if error.is::<StoreError>() || error.is::<SecretError>() {
            Failure::State(format!("{error:#}"))
        } else {
            Failure::Internal(format!("{error:#}"))
        }
    })
}

async fn serve(args: ServeArgs, output: &Output) -> anyhow::Result<()> {
    let form = if output.is_json() { telemetry::Form::Json } else { telemetry::Form::Text };
    telemetry::log(form, if output.is_quiet() { "warn" } else { "info" })?;
    let metrics = telemetry::metrics()?;
    let stop = Stop::new();
    stop_on_signals(stop.clone())?;
    let (store, keys, is_new) = open(&args.data)?;
    let database = Arc::new(store);
    let store: Arc<dyn Store> = Arc::clone(&database) as _;
    let now = SystemClock::new().now();
    let org = store.ensure_org(ORGANISATION, now).await?;
    let credentials = credentials(&database, org, is_new || args.new_token).await?;

    let mut check = CheckSettings::new(now);
    check.interval_min = Duration::from_secs_f64(args.interval_minimum);
    check.server_zone = Zone::parse(&args.time_zone, check.zone_rules)
        .with_context(|| format!("--time-zone `{}` is no zone", args.time_zone))?;
    let policy = if args.allow_private { Policy::AllowPrivate } else { Policy::Public };
    // Before the loops: a port that is taken ends the start while nothing is claimed.
    let listener = TcpListener::bind(args.listen)
        .await
        .with_context(|| format!("cannot listen on {}; choose another address with --listen", args.listen))?;
    let address = listener.local_addr()?;
    let keeper = args.keep.settings();
    let node = Node::start(Settings { store: Arc::clone(&database), keys, policy, check, keeper }, &stop)?;
    let outside = Outside {
        public_url: args.public_url.unwrap_or_else(|| format!("http://{address}")),
        console: args.console.map_or(Console::Embedded, Console::Folder),
        metrics: metrics.clone(),
    };
    let api = api_of(&node, database, outside, &stop);
    let upkeep = tokio::spawn(telemetry::upkeep(metrics));
    if let Some(Credentials { organization, user, code }) = credentials {
        say(&format!(
            "shown only now: Authorization: User {user}, Organization {organization}\n\
             to sign in once with a browser: {}",
            api::people::sign_in_address(&format!("http://{address}"), &code)
        ))?;
    }
    say(&format!("turnstone listens on http://{address}{}", api::BASE))?;
    server::serve(listener, api::router(api), server::Limits::default(), stop.clone()).await;
    upkeep.abort();
    node.join().await?;
    tracing::info!("stopped");
    Ok(())
}

/// Opens the data directory, or makes it. A database without its key is refused: a new key would not open its secrets.
pub(super) fn open(directory: &Path) -> anyhow::Result<(SqliteStore, Arc<KeyRing>, bool)> {
    make_directory(directory)
        .with_context(|| format!("cannot make the directory `{}`", directory.display()))?;
    let database = directory.join("turnstone.db");
    let is_new = !database.exists();
    let missing = if is_new { WhenMissing::Make } else { WhenMissing::Refuse };
    let keys = match std::env::var_os(KEYS_VARIABLE) {
        Some(_) => KeyRing::from_environment(KEYS_VARIABLE)?,
        None => KeyRing::from_file(&directory.join("turnstone.key"), missing, &SystemEntropy)?,
    };
    if is_new {
        make_private(&database).with_context(|| format!("cannot make `{}`", database.display()))?;
    }
    Ok((SqliteStore::open(&database)?, Arc::new(keys), is_new))
}

/// Makes a directory that only its owner may enter. One that is there stays as it is.
fn make_directory(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

/// Makes an empty file that only its owner may read.
fn make_private(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.sync_all()
}

/// What an API has that its node has not.
pub(super) struct Outside {
    /// The beginning of our addresses as others reach us.
    pub public_url: String,
    /// The pages for people.
    pub console: Console,
    /// The figures of `/metrics`.
    pub metrics: PrometheusHandle,
}

/// The API over a running node.
pub(super) fn api_of(node: &Node, database: Arc<SqliteStore>, outside: Outside, stop: &Stop) -> Api {
    Api::new(api::Parts {
        store: Arc::clone(&database) as _,
        directory: Arc::clone(&database) as _,
        watch: database,
        preparer: Arc::clone(&node.preparer),
        vault: node.vault.clone(),
        guard: node.guard.clone(),
        tools: node.tools.clone(),
        calls: node.calls.clone(),
        budget: node.budget.clone(),
        entropy: Arc::clone(&node.entropy),
        inbox: Arc::clone(&node.inbox),
        intake: node.intake.clone(),
        monitors: Arc::clone(&node.monitors),
        flows: node.flows.clone(),
        recorded: Arc::clone(&node.recorded),
        kept: node.kept,
        stop: stop.clone(),
        public_url: outside.public_url,
        wake: Box::new(node.waker()),
        metrics: outside.metrics,
        console: outside.console,
    })
}

/// What is shown once, for who starts the server for the first time.
struct Credentials {
    /// The organisation's secret and the owner's.
    organization: String,
    user: String,
    /// The code of the link that signs in a browser.
    code: String,
}

/// Keeps preset secrets, and makes new ones where there are none to be had otherwise.
async fn credentials(store: &SqliteStore, org: OrgId, wanted: bool) -> anyhow::Result<Option<Credentials>> {
    let preset = (preset(TOKEN_VARIABLE)?, preset(USER_TOKEN_VARIABLE)?);
    if preset.0.is_some() && preset.0 == preset.1 {
        bail!("{TOKEN_VARIABLE} and {USER_TOKEN_VARIABLE} must differ: one names, the other opens");
    }
    let now = SystemClock::new().now();
    let users = store.users(org).await.context("cannot read the users")?;
    let wanted = wanted || users.is_empty();
    let organization = match &preset.0 {
        Some(secret) => secret.clone(),
        None => api::organization_secret(&SystemEntropy),
    };
    // Without an owner's secret to show, one of the organisation's own would be lost.
    if preset.0.is_some() || wanted && preset.1.is_none() {
        match store.add_org_token(org, access::hash(&organization), now).await {
            // Known already: the same variable at an earlier start.
            Ok(_) | Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error).context("cannot keep the organisation's secret"),
        }
    }
    // One who is an owner now: whoever has the name may have another role since.
    let mut owners = users.iter().filter(|user| user.role == Role::Owner);
    let known = owners.clone().find(|user| user.name == OWNER).or(owners.next());
    let user = preset.1.clone().unwrap_or_else(|| api::secret(&SystemEntropy));
    let token_hash = access::hash(&user);
    let owner = match known {
        Some(owner) if preset.1.is_some() || wanted => {
            match store.replace_user_token(org, owner.id, token_hash, now).await {
                Ok(()) => {
                    let closing = store.close_sessions(org, owner.id).await;
                    closing.context("cannot end the owner's sessions")?;
                }
                Err(StoreError::Conflict(_)) => {}
                Err(error) => return Err(error).context("cannot keep the owner's secret"),
            }
            owner.id
        }
        Some(owner) => owner.id,
        None => {
            let (name, email, role) = (OWNER.to_owned(), String::new(), Role::Owner);
            let new = NewUser { org, name, email, role, token_hash };
            store.create_user(new, now).await.context("cannot add the owner")?
        }
    };
    if preset.1.is_some() || !wanted {
        return Ok(None);
    }
    let code = api::secret(&SystemEntropy);
    let expires_at = now + session::CODE_TIME;
    let new = NewSignInCode { org, user: owner, code_hash: access::hash(&code), expires_at };
    store.add_sign_in_code(new, now).await.context("cannot make a link to sign in")?;
    Ok(Some(Credentials { organization, user, code }))
}

/// A secret that the environment gives.
fn preset(variable: &str) -> anyhow::Result<Option<String>> {
    let Some(preset) = std::env::var(variable).ok().filter(|preset| !preset.is_empty()) else {
        return Ok(None);
    };
    let fits = preset.chars().all(|letter| letter.is_ascii_graphic() && letter != ',');
    if preset.len() < access::TOKEN_CHARS_MIN || !fits {
        bail!(
            "{variable} must be at least {} printable characters without blanks and commas",
            access::TOKEN_CHARS_MIN
        );
    }
    Ok(Some(preset))
}

/// A line on standard output, which a program that started this one may wait for.
fn say(text: &str) -> io::Result<()> {
    let mut out = io::stdout();
    writeln!(out, "{text}")?;
    out.flush()
}

/// Asks for a stop on SIGTERM and Ctrl-C; the second one ends the program at once.
fn stop_on_signals(stop: Stop) -> anyhow::Result<()> {
    #[cfg(unix)]
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .context("cannot listen for signals")?;
    tokio::spawn(async move {
        loop {
            #[cfg(unix)]
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            #[cfg(not(unix))]
            let _ = tokio::signal::ctrl_c().await;
            if stop.is_asked() {
                std::process::exit(130);
            }
            tracing::info!("stopping: what is in hand ends first");
            stop.ask();
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_made_once_with_its_key_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("a/b");
        let (store, _, is_new) = open(&data).unwrap();
        assert!(is_new);
        drop(store);
        #[cfg(unix)]
        for (name, mode) in [("", 0o700), ("turnstone.db", 0o600), ("turnstone.key", 0o600)] {
            use std::os::unix::fs::PermissionsExt as _;
            let found = fs::metadata(data.join(name)).unwrap().permissions().mode() & 0o777;
            assert_eq!(found, mode, "{name}");
        }
        assert!(!open(&data).unwrap().2);
        fs::remove_file(data.join("turnstone.key")).unwrap();
        assert!(open(&data).is_err(), "a database without its key");
    }

    #[test]
    fn what_is_not_said_is_kept_as_long_as_the_keeper_keeps_it() {
        #[derive(clap::Parser)]
        struct Said {
            #[command(flatten)]
            keep: Keep,
        }
        let said = |words: &[&str]| <Said as clap::Parser>::try_parse_from([&["serve"], words].concat());
        assert_eq!(said(&[]).ok().map(|said| said.keep.settings()), Some(KeeperSettings::default()));
        for days in ["0", "3651", "-1", "x"] {
            assert!(said(&["--keep-events", days]).is_err(), "{days}");
        }
    }

    #[test]
    fn intervals_have_bounds() {
        assert_eq!(interval("0.5"), Ok(0.5));
        for text in ["0", "-1", "x", "NaN", "1e9"] {
            assert!(interval(text).is_err(), "{text}");
        }
    }
}
