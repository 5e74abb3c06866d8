//! The log and the figures of a long-running program.
//!
//! Logs go to standard error, so that standard output stays for what was asked for. `TURNSTONE_LOG` filters them
//! (`info`, `turnstone_engine=debug`, …).

use std::io::IsTerminal as _;
use std::time::Duration;

use anyhow::Context as _;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

/// The environment variable that filters the log.
const FILTER_VARIABLE: &str = "TURNSTONE_LOG";

/// How often figures that nobody reads are tidied, so that they do not grow.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// Bounds of durations, in seconds: from a local answer to a provider at its worst.
const SECONDS: [f64; 14] =
    [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0];

/// The form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// Starts the log, at this level where [`FILTER_VARIABLE`] says nothing. Fails when the filter cannot be read, or a log
/// was started before.
pub fn log(form: Form, level: &str) -> anyhow::Result<()> {
    let filter = match std::env::var(FILTER_VARIABLE) {
        Ok(text) if !text.trim().is_empty() => EnvFilter::try_new(&text)
            .with_context(|| format!("{FILTER_VARIABLE} `{text}` is not a filter"))?,
        Ok(_) | Err(_) => EnvFilter::new(level),
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match form {
        Form::Text => builder.with_ansi(std::io::stderr().is_terminal()).try_init(),
        Form::Json => builder.json().flatten_event(true).with_current_span(false).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("cannot start the log: {error}"))
}

/// Starts counting. The handle writes what `/metrics` answers.
pub fn metrics() -> anyhow::Result<PrometheusHandle> {
    let handle = PrometheusBuilder::new()
        .set_buckets(&SECONDS)
        .and_then(PrometheusBuilder::install_recorder)
        .context("cannot start the figures")?;
    turnstone_engine::metrics::describe();
    Ok(handle)
}

/// Tidies the figures for as long as it runs.
pub async fn upkeep(handle: PrometheusHandle) {
    let mut interval = tokio::time::interval(UPKEEP_EVERY);
    loop {
        interval.tick().await;
        handle.run_upkeep();
    }
}
