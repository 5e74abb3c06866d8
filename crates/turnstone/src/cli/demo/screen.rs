//! What the demo shows: lines for people, with colours where a terminal reads them, or JSON for programs.
//!
//! Knows nothing of where its lines come from. A closed pipe is not a failure: it is somebody who has seen enough.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use turnstone_core::event::seconds;
use turnstone_core::ledger::Counts;
use turnstone_core::poll::RunRecord;

use super::receiver::ReceivedEvent;
use super::tally::Comparison;
use crate::cli::output::Output;

/// Width that lines are made for where the terminal does not say, and the least and the most that is used.
const WIDTH: usize = 100;
/// See [`WIDTH`].
const WIDTH_MAX: usize = 140;

const RESET: &str = "\x1b[0m";
const DIM: &str = "\x1b[2m";
const BOLD: &str = "\x1b[1m";
const RED: &str = "\x1b[31m";
const GREEN: &str = "\x1b[32m";
const YELLOW: &str = "\x1b[33m";
const CYAN: &str = "\x1b[36m";

/// The form of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Lines for people.
    Lines,
    /// One JSON object per line.
    Json,
}

/// Where the lines go.
pub struct Screen {
    out: Box<dyn Write + Send>,
    form: Form,
    colours: bool,
    /// Whether the last line is the running count, to be overwritten.
    live: bool,
    counting: bool,
    quiet: bool,
    width: usize,
}

/// What the demo is made of, for the head of the output.
pub struct Heading<'a> {
    /// The provider's address.
    pub provider: &'a str,
    /// The receiver's address.
    pub receiver: &'a str,
    /// The store, in words.
    pub store: &'a str,
    /// Time between two polls.
    pub interval: Duration,
    /// What signs a browser in to the console, if it was built.
    pub console: Option<&'a str>,
}

/// Counts of what was delivered and verified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// Verified CREATED events.
    pub created: u64,
    /// Verified UPDATED events.
    pub updated: u64,
    /// Verified DELETED events.
    pub deleted: u64,
    /// Notifications whose signature held.
    pub verified: u64,
    /// Notifications that were refused.
    pub refused: u64,
    /// Runs.
    pub polls: u64,
}

impl Score {
    /// Events of all kinds.
    pub fn events(&self) -> u64 {
        self.created + self.updated + self.deleted
    }

    /// Whether every kind was delivered and every signature held.
    pub fn complete(&self) -> bool {
        self.created > 0 && self.updated > 0 && self.deleted > 0 && self.refused == 0
    }
}

impl Screen {
    /// Standard output, with colours as the command line says; the running count needs a terminal.
    pub fn stdout(form: Form, output: &Output) -> Screen {
        let terminal = io::stdout().is_terminal() && form == Form::Lines;
        let width = terminal_size::terminal_size().map_or(WIDTH, |(width, _)| usize::from(width.0));
        Screen {
            out: Box::new(io::stdout()),
            form,
            colours: output.has_colors() && form == Form::Lines,
            live: false,
            counting: terminal,
            quiet: output.is_quiet(),
            width: if terminal { width.clamp(WIDTH, WIDTH_MAX) } else { WIDTH },
        }
    }

    /// The head of the output.
    pub fn heading(&mut self, heading: &Heading<'_>) -> io::Result<()> {
        if self.form == Form::Json {
            let every = heading.interval.as_secs_f64();
            return self.json(
                &json!({"type": "started", "provider": heading.provider, "receiver": heading.receiver,
                "store": heading.store, "intervalSeconds": every, "console": heading.console}),
            );
        }
        let title = self.paint(BOLD, "turnstone demo");
        let every = heading.interval.as_secs_f64();
        let rows = [
            ("provider", heading.provider, "a shop: customers, orders and tickets"),
            ("receiver", heading.receiver, "checks the signature of every notification"),
            ("store", heading.store, ""),
        ];
        self.line(&format!(
            "{title}   a fake API is polled every {every} s; its changes become signed events"
        ))?;
        self.line("")?;
        for (name, what, remark) in rows {
            let remark = self.paint(DIM, remark);
            self.line(format!("  {name:<10}{what:<30}  {remark}").trim_end())?;
        }
        if let Some(console) = heading.console {
            self.line(&format!("  {:<10}{console}", "console"))?;
            let remark = self.paint(DIM, "the pages; this link signs a browser in, once");
            self.line(&format!("  {:<10}{remark}", ""))?;
        }
        self.line("")
    }

    /// A remark between the lines.
    pub fn remark(&mut self, text: &str) -> io::Result<()> {
        if self.form == Form::Json {
            return self.json(&json!({"type": "remark", "text": text}));
        }
        let text = self.paint(BOLD, text);
        self.line(&format!("  {text}"))
    }

    /// A delivered and verified event.
    pub fn event(&mut self, event: &ReceivedEvent, at: Timestamp) -> io::Result<()> {
        if self.form == Form::Json {
            return self.json(&json!({"type": "event", "at": at.to_string(), "eventType": event.kind,
                "objectType": event.resource, "objectId": event.object_id, "eventId": event.id,
                "reason": event.reason, "version": event.version, "signature": "ok"}));
        }
        let colour = match event.kind.as_str() {
            "CREATED" => GREEN,
            "UPDATED" => CYAN,
            "DELETED" => RED,
            _ => YELLOW,
        };
        let kind = self.paint(colour, &format!("{:<8}", event.kind));
        let ok = self.paint(GREEN, "signature ok");
        let head = format!("  {}  ", clock(at));
        let middle = format!("{:<9} {:<16} ", event.resource, shorten(&event.object_id, 16));
        let room =
            self.width.saturating_sub(head.len() + 8 + 1 + middle.chars().count() + 1 + "signature ok".len());
        let reason = shorten(&event.reason, room);
        self.line(&format!("{head}{kind} {middle}{reason:<room$} {ok}"))
    }

    /// A notification that was refused.
    pub fn refused(&mut self, fault: &str, webhook_id: &str, at: Timestamp) -> io::Result<()> {
        if self.form == Form::Json {
            return self.json(&json!({"type": "refused", "at": at.to_string(), "notification": webhook_id,
                "problem": fault, "signature": "failed"}));
        }
        let text = self.paint(RED, &format!("REFUSED  notification {webhook_id}: {fault}"));
        self.line(&format!("  {}  {text}", clock(at)))
    }

    /// A run, in a quieter voice.
    pub fn run(&mut self, resource: &str, run: &RunRecord) -> io::Result<()> {
        if self.quiet {
            return Ok(());
        }
        if self.form == Form::Json {
            let run = serde_json::to_value(run).unwrap_or(Value::Null);
            return self.json(&json!({"type": "poll", "objectType": resource, "run": run}));
        }
        let kind = run.kind.as_str();
        let window = match run.story.lower_bound {
            Some(bound) => format!("since {}", clock(bound)),
            None => "everything".to_owned(),
        };
        let text = match &run.error {
            // In full, however long: somebody has to act.
            Some(fault) => self.paint(RED, &format!("{kind:<8} {resource:<9} {}", fault.message)),
            None => {
                let said = match run.counts.pages {
                    0 => "not modified".to_owned(),
                    _ => decisions(&run.counts),
                };
                let text = format!("{kind:<8} {resource:<9} {window:<14} {said}");
                self.paint(DIM, &shorten(&text, self.width - 12))
            }
        };
        self.line(&format!("  {}  {text}", clock(run.finished_at)))
    }

    /// The running count at the foot of a terminal.
    pub fn count(&mut self, score: &Score, elapsed: Duration) -> io::Result<()> {
        if !self.counting {
            return Ok(());
        }
        self.wipe()?;
        let (minutes, seconds) = (elapsed.as_secs() / 60, elapsed.as_secs() % 60);
        let text = format!(
            "  {minutes:02}:{seconds:02}  {} events delivered and verified: {} CREATED, {} UPDATED, {} DELETED   {}",
            score.events(),
            score.created,
            score.updated,
            score.deleted,
            self.paint(DIM, "Ctrl-C ends"),
        );
        write!(self.out, "{text}")?;
        self.live = true;
        self.out.flush()
    }

    /// The end: what was seen, and how it compares with the truth.
    pub fn summary(&mut self, score: &Score, comparison: &Comparison, elapsed: Duration) -> io::Result<()> {
        if self.form == Form::Json {
            return self.json(&json!({"type": "summary", "seconds": elapsed.as_secs_f64(),
                "created": score.created, "updated": score.updated, "deleted": score.deleted,
                "verified": score.verified, "refused": score.refused, "polls": score.polls,
                "comparison": comparison, "complete": score.complete() && comparison.holds()}));
        }
        self.wipe()?;
        let heading = self.paint(BOLD, "What you saw");
        self.line("")?;
        self.line(&format!("  {heading}"))?;
        let seconds = elapsed.as_secs();
        let Score { created, updated, deleted, verified, refused, polls } = *score;
        self.row("polls", &format!("{polls} in {seconds} s"))?;
        self.row(
            "events",
            &format!("{}: {created} CREATED, {updated} UPDATED, {deleted} DELETED", score.events()),
        )?;
        let signatures = format!("{verified} notifications verified, {refused} refused");
        self.row("signatures", &self.judged(refused == 0, &signatures))?;
        let Comparison { changes, lost, doubled, invented, collapsed, on_the_way, .. } = *comparison;
        let mut verdict = format!("lost {lost}, doubled {doubled}");
        if invented > 0 {
            verdict.push_str(&format!(", invented {invented}"));
        }
        self.row("truth", &format!("{changes} changes in the provider's own log"))?;
        self.row("", &self.judged(comparison.holds(), &verdict))?;
        let rest = match (collapsed, on_the_way) {
            (0, 0) => return self.advice(),
            (0, way) => format!("{way} came too late for a poll before the end"),
            (gone, 0) => format!("{gone} replaced before a poll could see them"),
            (gone, way) => {
                format!(
                    "{gone} replaced before a poll could see them, {way} too late for a poll before the end"
                )
            }
        };
        let rest = self.paint(DIM, &rest);
        self.row("", &rest)?;
        self.advice()
    }

    fn advice(&mut self) -> io::Result<()> {
        let heading = self.paint(BOLD, "With your own API");
        self.line("")?;
        self.line(&format!("  {heading}"))?;
        self.row(
            "",
            "turnstone demo --document > shop.json        the document behind this demo, to start from",
        )?;
        self.row(
            "",
            "turnstone check shop.json                    everything that is wrong with it, at once",
        )?;
        self.row("", "turnstone poll shop.json --state shop.db     events as JSON lines, no server needed")?;
        self.row("", "turnstone serve                              the same as a service with an HTTP API")?;
        self.line("")
    }

    fn row(&mut self, name: &str, text: &str) -> io::Result<()> {
        let indent = if name.is_empty() && text.starts_with("turnstone") { 4 } else { 16 };
        if indent == 4 {
            return self.line(&format!("    {text}"));
        }
        self.line(&format!("    {name:<12}{text}"))
    }

    fn judged(&self, good: bool, text: &str) -> String {
        self.paint(if good { GREEN } else { RED }, text)
    }

    fn json(&mut self, value: &Value) -> io::Result<()> {
        writeln!(self.out, "{value}")?;
        self.out.flush()
    }

    fn line(&mut self, text: &str) -> io::Result<()> {
        self.wipe()?;
        writeln!(self.out, "{text}")?;
        self.out.flush()
    }

    /// Takes the running count off the screen.
    fn wipe(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.live) {
            write!(self.out, "\r\x1b[2K")?;
        }
        Ok(())
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        if self.colours && !text.is_empty() { format!("{colour}{text}{RESET}") } else { text.to_owned() }
    }
}

/// `23:59:59` in UTC.
fn clock(at: Timestamp) -> String {
    let text = seconds(at);
    text.get(11..19).unwrap_or(&text).to_owned()
}

/// At most so many characters; what is longer ends in an ellipsis. Control characters are shown as blanks.
fn shorten(text: &str, room: usize) -> String {
    let clean = |letter: char| if letter.is_control() { ' ' } else { letter };
    if text.chars().count() <= room {
        return text.chars().map(clean).collect();
    }
    let mut short: String = text.chars().take(room.saturating_sub(1)).map(clean).collect();
    short.push('…');
    short
}

/// What a run decided, in words, the unusual first.
fn decisions(counts: &Counts) -> String {
    let mut parts = vec![plural(counts.pages, "page"), plural(counts.records, "record")];
    let named = [
        (counts.created, "created"),
        (counts.updated, "updated"),
        (counts.deleted, "deleted"),
        (counts.seeded, "taken as known"),
        (counts.reported, "known"),
        (counts.before_window, "before the window"),
        (counts.superseded, "superseded"),
        (counts.quarantined, "unreadable"),
        (counts.filtered, "left out"),
    ];
    parts.extend(named.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")));
    parts.join(", ")
}

fn plural(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written(form: Form, show: impl FnOnce(&mut Screen)) -> String {
        let paper = Paper::default();
        let out = Box::new(paper.clone());
        let mut screen =
            Screen { out, form, colours: false, live: false, counting: false, quiet: false, width: WIDTH };
        show(&mut screen);
        let bytes = paper.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    fn event() -> ReceivedEvent {
        ReceivedEvent {
            id: "evt_1".into(),
            kind: "UPDATED".into(),
            resource: "customers".into(),
            object_id: "a very long id of a record\nwith a line break".into(),
            reason: "a reason that is far too long to stand in what is left of a line of this width".into(),
            version: Some(2),
        }
    }

    #[test]
    fn a_line_is_as_wide_as_the_screen_and_ends_with_the_verdict() {
        let at = "2026-01-01T10:20:30Z".parse().unwrap();
        let text = written(Form::Lines, |screen| screen.event(&event(), at).unwrap());
        assert_eq!(text.trim_end_matches('\n').chars().count(), WIDTH, "{text}");
        assert!(text.starts_with("  10:20:30  UPDATED  customers a very long id … "), "{text}");
        assert!(text.ends_with("… signature ok\n"), "{text}");
    }

    #[test]
    fn json_is_one_object_per_line() {
        let at = "2026-01-01T10:20:30Z".parse().unwrap();
        let text = written(Form::Json, |screen| {
            screen.event(&event(), at).unwrap();
            screen.summary(&Score::default(), &Comparison::default(), Duration::from_secs(1)).unwrap();
        });
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines[0]["signature"], "ok");
        assert_eq!(lines[1]["complete"], false);
    }

    #[test]
    fn a_score_is_complete_with_every_kind_and_no_refusal() {
        let score = Score { created: 1, updated: 1, deleted: 1, verified: 3, ..Score::default() };
        assert!(score.complete());
        assert!(!Score { deleted: 0, ..score }.complete());
        assert!(!Score { refused: 1, ..score }.complete());
    }
}
