//! Runs the parts of `make test` in order and says where the minutes went.
//!
//! The parts, their shares of the hour and their commands are the one table
//! [`PARTS`]. `cargo test` and not another runner: it is there wherever cargo is,
//! and it runs the examples in the docs too. A share that is exceeded is a loud
//! warning and no failure, because a slow machine is not a broken product; a part
//! that hangs is ended at [`OVERRUN_MAX`] times its share.

use std::collections::BTreeSet;
use std::io::{IsTerminal, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::spell;

/// How often its share a part may take before it is taken for hung and ended.
/// Wide, since shares are meant for two quiet cores and CI machines are not quiet.
const OVERRUN_MAX: u32 = 5;

/// No part is ended earlier than this, however small its share.
const PATIENCE_MIN: Duration = Duration::from_secs(10 * 60);

/// How often a running part is looked at.
const GLANCE: Duration = Duration::from_millis(50);

/// What a failed part means for those after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OnFailure {
    /// The others say something useful all the same.
    GoOn,
    /// The others would only fail for the same reason.
    Stop,
}

/// One part of `make test`.
#[derive(Clone, Copy, Debug)]
struct Part {
    name: &'static str,
    /// Its share of the hour that `make test` may take on two cores.
    share: Duration,
    command: &'static [&'static str],
    on_failure: OnFailure,
}

const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

/// All of `make test`. A part is listed from the day its files exist.
const PARTS: &[Part] = &[
    Part {
        name: "set-up",
        share: minutes(1),
        command: &["bash", "scripts/setup-test.sh"],
        on_failure: OnFailure::Stop,
    },
    // Before everything that compiles the program, which embeds it.
    Part {
        name: "console",
        share: minutes(1),
        command: &["bash", "scripts/console.sh", "build"],
        on_failure: OnFailure::GoOn,
    },
    Part {
        name: "tidy",
        share: minutes(1),
        command: &["cargo", "xtask", "tidy"],
        on_failure: OnFailure::GoOn,
    },
    Part {
        name: "fmt",
        share: minutes(1),
        command: &["cargo", "fmt", "--all", "--check"],
        on_failure: OnFailure::GoOn,
    },
    Part {
        name: "clippy",
        share: minutes(4),
        command: &["cargo", "clippy", "--workspace", "--all-targets", "--", "-D", "warnings"],
        on_failure: OnFailure::GoOn,
    },
    Part {
        name: "build",
        share: minutes(8),
        command: &["cargo", "test", "--workspace", "--no-run"],
        on_failure: OnFailure::Stop,
    },
    Part {
        name: "tests",
        share: minutes(8),
        command: &["cargo", "test", "--workspace", "--no-fail-fast", "--", "--show-output"],
        on_failure: OnFailure::GoOn,
    },
    Part {
        name: "screens",
        share: minutes(7),
        command: &["bash", "scripts/console.sh", "test"],
        on_failure: OnFailure::GoOn,
    },
];

/// How a part ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
    /// Ended by us, [`OVERRUN_MAX`] shares after its start.
    Hung,
    /// An earlier part failed that this one cannot do without.
    NotRun,
}

#[derive(Debug)]
struct Report {
    part: Part,
    took: Duration,
    outcome: Outcome,
}

/// Runs the parts named in `arguments`, or all. Fails when any part fails.
pub fn run(root: &Path, arguments: &[String]) -> Result<ExitCode> {
    if arguments == ["--list"] {
        print!("{}", list(PARTS));
        return Ok(ExitCode::SUCCESS);
    }
    let parts = choose(PARTS, arguments)?;
    let reports = run_parts(&parts, |part| run_part(root, part))?;
    print!("\n{}", summary(&reports));
    let good = reports.iter().all(|report| report.outcome == Outcome::Passed);
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn list(parts: &[Part]) -> String {
    let mut text = String::new();
    for part in parts {
        let share = spell::minutes(part.share);
        text.push_str(&format!("{:<10} {share:>5} min  {}\n", part.name, command_line(part)));
    }
    text
}

/// The parts with these names in the table's order; all when none is named.
fn choose(parts: &[Part], names: &[String]) -> Result<Vec<Part>> {
    let known: Vec<&str> = parts.iter().map(|part| part.name).collect();
    if let Some(unknown) = names.iter().find(|name| !known.contains(&name.as_str())) {
        bail!("no part is called `{unknown}`; there are: {}", known.join(", "));
    }
    let wanted: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    Ok(parts.iter().filter(|part| wanted.is_empty() || wanted.contains(part.name)).copied().collect())
}

/// Runs parts in order by `run`, up to a failed one that the others need.
fn run_parts(
    parts: &[Part],
    mut run: impl FnMut(&Part) -> Result<(Outcome, Duration)>,
) -> Result<Vec<Report>> {
    let mut reports = Vec::with_capacity(parts.len());
    let mut stopped = false;
    for part in parts {
        let (outcome, took) = if stopped { (Outcome::NotRun, Duration::ZERO) } else { run(part)? };
        stopped |= outcome != Outcome::Passed && part.on_failure == OnFailure::Stop;
        reports.push(Report { part: *part, took, outcome });
    }
    Ok(reports)
}

fn run_part(root: &Path, part: &Part) -> Result<(Outcome, Duration)> {
    println!("\n== {}: {}", part.name, command_line(part));
    std::io::stdout().flush()?;
    let started = Instant::now();
    let mut command = Command::new(part.command[0]);
    command.args(&part.command[1..]).current_dir(root).env("CI", "true").stdin(Stdio::null());
    // With a terminal, ctrl-c must reach the part; without, all it started must end with it.
    let own_group = !std::io::stdout().is_terminal();
    if own_group {
        command.process_group(0);
    }
    let mut child = command.spawn().with_context(|| format!("cannot run `{}`", command_line(part)))?;
    let patience = (part.share * OVERRUN_MAX).max(PATIENCE_MIN);
    let status = wait(&mut child, patience)?;
    let took = started.elapsed();
    let outcome = match status {
        Some(status) if status.success() => Outcome::Passed,
        Some(_) => Outcome::Failed,
        None => {
            end(&mut child, own_group)?;
            Outcome::Hung
        }
    };
    println!("{}", verdict(part, outcome, took));
    Ok((outcome, took))
}

/// Waits until the child ends, at most `patience`; `None` when it has not.
fn wait(child: &mut Child, patience: Duration) -> Result<Option<ExitStatus>> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            return Ok(None);
        }
        std::thread::sleep(GLANCE);
    }
}

/// Ends a hung part, with everything it started when it leads its own group.
fn end(child: &mut Child, own_group: bool) -> Result<()> {
    if own_group {
        let group = format!("-{}", child.id());
        // Spelled with `-s`: some shells take `-KILL --` for a bad number.
        let killed = Command::new("sh").args(["-c", "kill -s KILL -- \"$0\"", &group]).status()?;
        if !killed.success() {
            bail!("cannot end process group {group}");
        }
    } else {
        child.kill()?;
    }
    child.wait()?;
    Ok(())
}

/// The line printed when a part has ended.
fn verdict(part: &Part, outcome: Outcome, took: Duration) -> String {
    let name = part.name;
    let spelled = spell::duration(took);
    let repeat = command_line(part);
    match outcome {
        Outcome::Passed => format!("== {name}: passed in {spelled}"),
        Outcome::Failed => format!("== {name}: FAILED after {spelled}; repeat it with: {repeat}"),
        Outcome::Hung => format!("== {name}: HUNG, ended after {spelled}; repeat it with: {repeat}"),
        Outcome::NotRun => format!("== {name}: not run"),
    }
}

/// The table of minutes, warnings, what to repeat, and the count as the last line.
fn summary(reports: &[Report]) -> String {
    let mut rows = vec![["part", "minutes", "share", ""].map(str::to_owned).to_vec()];
    for report in reports {
        let share = spell::share(report.took, report.part.share);
        rows.push(vec![
            report.part.name.to_owned(),
            spell::minutes(report.took),
            share,
            word(report).to_owned(),
        ]);
    }
    let total: Duration = reports.iter().map(|report| report.took).sum();
    let share: Duration = reports.iter().map(|report| report.part.share).sum();
    rows.push(vec!["total".to_owned(), spell::minutes(total), spell::share(total, share)]);
    let mut text = spell::table(&rows);
    for report in reports.iter().filter(|report| is_slow(report)) {
        let over = spell::duration(report.took - report.part.share);
        text.push_str(&format!("WARNING: {} took {over} more than its share\n", report.part.name));
    }
    for report in reports {
        match report.outcome {
            Outcome::Passed => {}
            Outcome::Failed | Outcome::Hung => {
                text.push_str(&format!(
                    "{} failed; repeat: {}\n",
                    report.part.name,
                    command_line(&report.part)
                ));
            }
            Outcome::NotRun => text.push_str(&format!(
                "{} was not run and counts as failed: a part before it failed\n",
                report.part.name
            )),
        }
    }
    let passed = reports.iter().filter(|report| report.outcome == Outcome::Passed).count();
    text.push_str(&format!("{passed} passed, {} failed\n", reports.len() - passed));
    text
}

fn is_slow(report: &Report) -> bool {
    report.took > report.part.share
}

fn word(report: &Report) -> &'static str {
    match report.outcome {
        Outcome::Passed if is_slow(report) => "SLOW",
        Outcome::Passed => "ok",
        Outcome::Failed => "FAILED",
        Outcome::Hung => "HUNG",
        Outcome::NotRun => "not run",
    }
}

fn command_line(part: &Part) -> String {
    part.command.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(name: &'static str, command: &'static [&'static str], on_failure: OnFailure) -> Part {
        Part { name, share: minutes(2), command, on_failure }
    }

    fn report(name: &'static str, seconds: u64, outcome: Outcome) -> Report {
        let part = part(name, &["true"], OnFailure::GoOn);
        Report { part, took: Duration::from_secs(seconds), outcome }
    }

    #[test]
    fn names_are_unique_and_shares_fit_the_hour() {
        let names: BTreeSet<&str> = PARTS.iter().map(|part| part.name).collect();
        assert_eq!(names.len(), PARTS.len());
        let total: Duration = PARTS.iter().map(|part| part.share).sum();
        assert!(total <= minutes(60), "shares add up to {} minutes", spell::minutes(total));
        assert!(PARTS.iter().all(|part| !part.command.is_empty()));
    }

    #[test]
    fn parts_are_chosen_by_name_in_the_order_of_the_table() {
        let chosen = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            choose(PARTS, &names).map(|parts| parts.iter().map(|part| part.name).collect::<Vec<_>>())
        };
        assert_eq!(chosen(&["fmt", "tidy"]).unwrap(), ["tidy", "fmt"]);
        assert_eq!(chosen(&[]).unwrap().len(), PARTS.len());
        assert!(
            chosen(&["fmt", "nonsense"]).unwrap_err().to_string().contains("`nonsense`; there are: set-up")
        );
    }

    #[test]
    fn a_needed_part_that_fails_stops_the_rest_and_another_does_not() {
        let outcomes = |on_failure| {
            let parts = [part("a", &["a"], on_failure), part("b", &["b"], OnFailure::GoOn)];
            let run = |part: &Part| {
                let outcome = if part.name == "a" { Outcome::Failed } else { Outcome::Passed };
                Ok((outcome, Duration::from_secs(1)))
            };
            let reports = run_parts(&parts, run).unwrap();
            reports.iter().map(|report| report.outcome).collect::<Vec<_>>()
        };
        assert_eq!(outcomes(OnFailure::Stop), [Outcome::Failed, Outcome::NotRun]);
        assert_eq!(outcomes(OnFailure::GoOn), [Outcome::Failed, Outcome::Passed]);
    }

    #[test]
    fn the_summary_counts_and_warns_and_says_how_to_repeat() {
        let text = summary(&[
            report("quick", 60, Outcome::Passed),
            report("slow", 180, Outcome::Passed),
            report("broken", 1, Outcome::Failed),
            report("later", 0, Outcome::NotRun),
        ]);
        assert!(text.contains("quick       1.0   50 % of 2.0       ok\n"), "{text}");
        assert!(text.contains("WARNING: slow took 1 min 00 s more than its share\n"), "{text}");
        assert!(!text.contains("WARNING: quick"), "{text}");
        assert!(text.contains("broken failed; repeat: true\n"), "{text}");
        assert!(text.contains("total       4.0   50 % of 8.0\n"), "{text}");
        assert!(text.ends_with("\n2 passed, 2 failed\n"), "{text}");
    }

    #[test]
    fn a_command_passes_or_fails_by_its_exit_status() {
        let outcome_of = |command| {
            run_part(Path::new("."), &part("p", command, OnFailure::GoOn)).map(|(outcome, _)| outcome)
        };
        assert_eq!(outcome_of(&["true"]).unwrap(), Outcome::Passed);
        assert_eq!(outcome_of(&["false"]).unwrap(), Outcome::Failed);
        assert!(outcome_of(&["/no/such/program"]).is_err());
    }

    #[test]
    fn parts_see_ci_and_an_empty_stdin() {
        let command = &["sh", "-c", "test \"$CI\" = true && ! read -r line"];
        let (outcome, _) = run_part(Path::new("."), &part("p", command, OnFailure::GoOn)).unwrap();
        assert_eq!(outcome, Outcome::Passed);
    }

    #[test]
    fn a_hung_part_ends_with_what_it_started() {
        let mut child = Command::new("sh")
            .args(["-c", "sleep 600 & echo $!; wait"])
            .process_group(0)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = std::io::BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        std::io::BufRead::read_line(&mut output, &mut line).unwrap();
        assert_eq!(wait(&mut child, Duration::from_millis(1)).unwrap(), None);
        end(&mut child, true).unwrap();
        // The grandchild held the pipe: its end is the end of the output.
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut output, &mut rest).unwrap();
        assert_eq!(rest, "");
    }
}
