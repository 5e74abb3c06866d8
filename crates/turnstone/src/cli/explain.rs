//! `turnstone explain`: what the next poll would do, record by record, without doing it.
//!
//! The same machine runs as in a real poll, and its answers come from the same ledger; only nothing is written. A state
//! file is copied first, because the document may have changed since it was polled, and the copy takes that change.
//!
//! Not here: the decisions (the core), carrying them out without writing (the engine's `driver::rehearse`).

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};
use turnstone_core::id::RunId;
use turnstone_core::ledger::Counts;
use turnstone_core::poll::{
    Batch, Decision, Options, Pass, PollerState, RunKind, RunOutcome, Start, Verdict, start,
};
use turnstone_core::resource::{ComparedBy, Resource};
use turnstone_engine::clock::{Clock, SystemClock};
use turnstone_engine::driver::{Rehearsal, rehearse};
use turnstone_engine::egress::{Bodies, BodyBudget};
use turnstone_store::PollerRow;
use turnstone_store::sqlite::SqliteStore;

use super::output::{Output, Style, table, tame};
use super::session::{Delivery, Session, State, Sweep, Wishes, state};
use super::{DocumentArgs, Failure, Outcome, check, input};

/// Decisions that are shown. More than a person reads; enough to search.
const DECISIONS_MAX: usize = 100_000;

const EXAMPLES: &str = "\
Examples:
  turnstone explain contacts.yaml                     what a first poll would do
  turnstone explain contacts.yaml --state crm.db      what the next poll would do, and why
  turnstone explain contacts.yaml --state crm.db --json | jq '.[].records[] | select(.id == \"42\")'";

/// Says what the next poll would do with every record, and why. Nothing is committed.
///
/// Shows the window with its rendered URL, the pages, every record with its verdict and reason, the counts, to which
/// provider instant the poll would be complete, and the `pollDelay` that late records so far would have needed.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    document: DocumentArgs,
    /// Starts from what this file remembers. A copy is used: neither the place nor what is known of records changes.
    #[arg(long, value_name = "STATE")]
    state: Option<PathBuf>,
    /// Explains a sweep instead of a poll.
    #[arg(long)]
    sweep: bool,
    /// Explains only this resource. May be given several times.
    #[arg(long = "resource", value_name = "NAME")]
    resources: Vec<String>,
    /// Prints a JSON list with one object per resource.
    #[arg(long)]
    json: bool,
}

/// One rehearsed poll.
struct Explained {
    poller: PollerRow,
    resource: Resource,
    before: PollerState,
    after: PollerState,
    resumes: bool,
    rehearsal: Rehearsal,
}

/// Runs the command.
pub(crate) async fn run(args: ExplainArgs, output: Output) -> Outcome {
    let document = input::read(&args.document.file)?;
    let settings = check::settings(&args.document, SystemClock::new().now())?;
    let copies = tempfile::tempdir()
        .map_err(|error| Failure::Internal(format!("cannot make a temporary folder ({error})")))?;
    let kept = match args.state.as_deref() {
        None => State::Memory,
        Some(path) if !path.exists() => {
            return Err(Failure::State(format!(
                "there is no state file `{}`; `turnstone poll --state` makes one, or leave --state out",
                path.display()
            )));
        }
        Some(path) => {
            let copy = copies.path().join("state.db");
            let original = SqliteStore::open(path).map_err(state)?;
            original.backup(copy.clone()).await.map_err(state)?;
            State::File(copy)
        }
    };
    let wishes = Wishes {
        settings,
        every: None,
        resources: args.resources.clone(),
        sweep: if args.sweep { Sweep::Asked } else { Sweep::NotAsked },
        delivery: Delivery::Leave,
        state: kept,
    };
    let session = Session::open(&document, wishes, &output).await?;
    let mut all = Vec::new();
    let mut worst = Ok(());
    for poller in &session.pollers {
        let explained = explain(&session, poller, args.sweep).await?;
        if let (Ok(()), Some(fault)) = (&worst, &explained.rehearsal.finish.run.error) {
            worst = Err(super::poll::refusal(&poller.resource, &fault.code, &fault.message));
        }
        if args.json {
            all.push(explained.json());
        } else {
            output.result(&explained.text(&output))?;
        }
    }
    if args.json {
        output.result(&format!("{}\n", Value::Array(all)))?;
    }
    worst
}

async fn explain(session: &Session, poller: &PollerRow, sweep: bool) -> Result<Explained, Failure> {
    let now = session.tools.clock.now();
    let faulty = |error: turnstone_engine::prepare::PrepareError| {
        super::poll::failure(&error.fault().code, error.to_string())
    };
    let prepared = session.preparer.prepare(&session.row, now).await.map_err(faulty)?;
    let plan = prepared.plan(poller).map_err(faulty)?;
    let bodies = Bodies::new(&BodyBudget::default());
    let connection = prepared.connection(&plan.resource, bodies).map_err(faulty)?;
    let unreadable = |error: serde_json::Error| {
        Failure::State(format!("the state of `{}` cannot be read ({error})", tame(&poller.resource)))
    };
    let before = PollerState::read(&poller.state).map_err(unreadable)?;
    let pass = poller.checkpoint.as_deref().map(Pass::read).transpose().map_err(unreadable)?;
    let resumes = pass.is_some();
    let entropy = session.entropy.next_u64();
    let kind = sweep.then_some(RunKind::Sweep);
    let options = Options { kind, decisions_max: DECISIONS_MAX, ..Options::default() };
    let step = start(Start {
        plan: Arc::clone(&plan),
        state: before.clone(),
        pass,
        run: RunId::new(now, entropy),
        now,
        due: now,
        entropy,
        options,
        notices: None,
    });
    let rehearsal = rehearse(step, poller.id, &session.tools, &connection).await.map_err(state)?;
    let after = PollerState::read(&rehearsal.finish.state).map_err(unreadable)?;
    Ok(Explained {
        poller: poller.clone(),
        resource: plan.resource.clone(),
        before,
        after,
        resumes,
        rehearsal,
    })
}

impl Explained {
    fn batches(&self) -> impl Iterator<Item = &Batch> {
        self.rehearsal.batches.iter().chain([&self.rehearsal.finish.batch])
    }

    /// Page (unknown for an event), id, compared value, verdict, reason; events of a batch before its other decisions.
    fn records(&self) -> Vec<[String; 5]> {
        let mut records = Vec::new();
        for batch in self.batches() {
            for event in &batch.events {
                records.push([
                    String::new(),
                    event.object_id.clone(),
                    turnstone_core::event::seconds(event.date),
                    event.event_type.to_string(),
                    event.reason.clone(),
                ]);
            }
            for Decision { object_id, verdict, reason, compared, page } in &batch.decisions {
                let verdict = match verdict {
                    Verdict::Event(event_type) => event_type.to_string(),
                    Verdict::Seeded => "known".to_owned(),
                    Verdict::Ignored(why) => why.as_str().to_owned(),
                };
                records.push([
                    page.to_string(),
                    object_id.clone(),
                    compared.clone(),
                    verdict,
                    reason.clone(),
                ]);
            }
        }
        records
    }

    fn window(&self) -> String {
        let (resource, story) = (&self.resource, &self.rehearsal.finish.run.story);
        if self.rehearsal.finish.run.kind == RunKind::Sweep {
            return "everything (a sweep)".to_owned();
        }
        let numbered = matches!(resource.compared, ComparedBy::Cursor(_));
        let Some(bound) = story.lower_bound else { return "everything".to_owned() };
        let why = match self.before.watermark.filter(|_| self.before.primed) {
            None => "the first poll".to_owned(),
            Some(watermark) if numbered => {
                return format!("from {} on (watermark {watermark})", bound.as_microsecond());
            }
            Some(watermark) => format!(
                "watermark {}, less pollDelay {} s and overlap {} s, rounded down",
                Timestamp::from_microsecond(watermark)
                    .map_or_else(|_| watermark.to_string(), |at| at.to_string()),
                resource.poll_delay.as_secs_f64(),
                resource.overlap.as_secs_f64()
            ),
        };
        let part = if resource.url.is_filtered() {
            ""
        } else {
            "; the url has no placeholder, so everything is read"
        };
        format!("from {bound} on ({why}){part}")
    }

    fn text(&self, output: &Output) -> String {
        let run = &self.rehearsal.finish.run;
        let what = match (run.kind, self.resumes, self.before.primed) {
            (RunKind::Sweep, ..) => "a sweep",
            (RunKind::Look, ..) => "a look at named records",
            (RunKind::Flow, ..) => "a run of a flow",
            (RunKind::Poll, true, _) => "goes on with an open pass",
            (RunKind::Poll, false, true) => "the next poll",
            (RunKind::Poll, false, false) => "the first poll",
        };
        let mut lines = vec![
            format!("{}  {what}", output.paint(Style::Strong, &tame(&self.poller.resource))),
            format!("  window       {}", self.window()),
        ];
        for (at, url) in run.story.requests.iter().enumerate() {
            lines.push(format!("  {}{}", if at == 0 { "requests     " } else { "             " }, tame(url)));
        }
        let hidden = run.counts.pages.saturating_sub(run.story.requests.len() as u64);
        if hidden > 0 {
            lines.push(format!("               and {hidden} more"));
        }
        if let Some(at) = run.story.provider_time {
            let skew = run.story.clock_skew_ms.map_or_else(
                || "it sends no `Date`: our clock less 20 minutes".to_owned(),
                |ms| {
                    format!(
                        "our clock is {} s {}",
                        ms.unsigned_abs() as f64 / 1000.0,
                        if ms < 0 { "behind" } else { "ahead" }
                    )
                },
            );
            lines.push(format!("  its time     {at} ({skew})"));
        }
        for note in &run.story.notes {
            lines.push(format!("  note         {}", tame(note)));
        }
        let rows: Vec<Vec<String>> = self.records().into_iter().map(Vec::from).collect();
        let mut text = lines.join("\n") + "\n\n";
        if !rows.is_empty() {
            text.push_str(&table(&["PAGE", "ID", "COMPARED", "VERDICT", "WHY"], &rows));
            text.push('\n');
        }
        text.push_str(&format!("  result       {}\n", counted(&run.counts)));
        text.push_str(&self.conclusion(output));
        text.push('\n');
        text
    }

    fn conclusion(&self, output: &Output) -> String {
        let run = &self.rehearsal.finish.run;
        let mut text = match (&run.error, run.outcome) {
            (Some(fault), _) => {
                format!("  {}       {}\n", output.paint(Style::Bad, "failed"), tame(&fault.message))
            }
            (None, RunOutcome::Yielded) => {
                "  complete to  not yet: the pass is long and goes on in the next run\n".to_owned()
            }
            (None, RunOutcome::Completed | RunOutcome::Failed) => {
                let at = self.after.complete_to.map_or_else(|| "unknown".to_owned(), |at| at.to_string());
                format!("  complete to  {at}\n")
            }
        };
        if let Some(delay) = self.after.suggested_poll_delay() {
            text.push_str(&format!(
                "  late         {} records so far, by up to {delay} s; `pollDelay: {delay}` would cover them\n",
                self.after.lateness.count
            ));
        }
        let status = &self.rehearsal.finish.status;
        if run.error.is_none() && !status.sentence.is_empty() {
            text.push_str(&format!("  status       {}\n", tame(&status.sentence)));
        }
        text.push_str("  nothing was committed\n");
        text
    }

    fn json(&self) -> Value {
        let finish = &self.rehearsal.finish;
        let run = &finish.run;
        let records: Vec<Value> = self
            .records()
            .into_iter()
            .map(|[page, id, compared, verdict, reason]| {
                let page = page.parse::<u32>().ok();
                json!({"page": page, "id": id, "compared": compared, "verdict": verdict, "reason": reason})
            })
            .collect();
        json!({
            "resource": self.poller.resource,
            "kind": run.kind.as_str(),
            "first": !self.before.primed,
            "watermark": self.before.watermark,
            "lowerBound": run.story.lower_bound,
            "providerTime": run.story.provider_time,
            "clockSkewMs": run.story.clock_skew_ms,
            "requests": run.story.requests,
            "notes": run.story.notes,
            "records": records,
            "counts": run.counts,
            "outcome": run.outcome.as_str(),
            "error": run.error,
            "status": finish.status,
            "completeTo": self.after.complete_to,
            "suggestedPollDelay": self.after.suggested_poll_delay(),
        })
    }
}

/// What a run read and decided, in words.
pub(crate) fn counted(counts: &Counts) -> String {
    let plural = |count: u64, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    let mut parts = Vec::new();
    for (count, word) in [
        (counts.created, "created"),
        (counts.updated, "updated"),
        (counts.deleted, "deleted"),
        (counts.seeded, "taken as known"),
        (counts.reported, "reported before"),
        (counts.before_window, "before the window"),
        (counts.superseded, "superseded"),
        (counts.quarantined, "unusable"),
        (counts.filtered, "filtered"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {word}"));
        }
    }
    let what = if parts.is_empty() { "nothing new".to_owned() } else { parts.join(", ") };
    format!("{}, {}: {what}", plural(counts.pages, "page"), plural(counts.records, "record"))
}
