//! `turnstone check`: everything that is wrong with a document, at once.
//!
//! Not here: the rules (the core's `check`), and asking the provider (`explain` does).

use std::fmt::Write as _;

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};
use turnstone_core::check::{CheckSettings, Checked, Fault, check};
use turnstone_core::date::{Zone, ZoneRules};
use turnstone_engine::clock::{Clock, SystemClock};

use super::output::{Output, Style, tame};
use super::{DocumentArgs, Failure, Outcome, input};

const EXAMPLES: &str = "\
Examples:
  turnstone check contacts.yaml
  turnstone check instance.json --json | jq .faults
  kubectl get configmap crm -o jsonpath='{.data.instance}' | turnstone check -";

/// Says everything that is wrong with an instance document, at once.
///
/// Each line names the place, what is wrong there, and what would be right. What was damaged and is read as it was
/// meant, and what works but could be better, is told apart. No request is made.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    document: DocumentArgs,
    /// Prints one JSON object: `{"sound", "faults", "repairs", "warnings"}`.
    #[arg(long)]
    json: bool,
}

/// Settings of the command line: intervals of a second are the user's own business.
pub(crate) fn settings(args: &DocumentArgs, now: Timestamp) -> Result<CheckSettings, Failure> {
    let server_zone = Zone::parse(&args.time_zone, ZoneRules::default()).map_err(|error| {
        Failure::Configuration(format!("--time-zone `{}` is no zone: {error}", args.time_zone))
    })?;
    let interval_min = std::time::Duration::from_secs(1);
    Ok(CheckSettings { server_zone, interval_min, ..CheckSettings::new(now) })
}

/// Runs the command.
pub(crate) fn run(args: &CheckArgs, output: &Output) -> Outcome {
    let document = input::read(&args.document.file)?;
    let checked = check(&document, &settings(&args.document, SystemClock::new().now())?);
    if args.json {
        output.result(&format!("{}\n", json(&checked)))?;
    } else {
        output.result(&text(&checked, output))?;
    }
    match checked.faults.len() {
        0 => Ok(()),
        1 => Err(Failure::Configuration("there is one fault".to_owned())),
        count => Err(Failure::Configuration(format!("there are {count} faults"))),
    }
}

fn json(checked: &Checked) -> Value {
    let list = |faults: &[Fault]| -> Vec<Value> {
        let one =
            |fault: &Fault| json!({"path": fault.path, "problem": fault.problem, "remedy": fault.remedy});
        faults.iter().map(one).collect()
    };
    json!({
        "sound": checked.faults.is_empty(),
        "faults": list(&checked.faults),
        "repairs": list(&checked.repairs),
        "warnings": list(&checked.warnings),
    })
}

fn text(checked: &Checked, output: &Output) -> String {
    let mut text = String::new();
    for (name, style, faults) in [
        ("fault", Style::Bad, &checked.faults),
        ("repaired", Style::Warn, &checked.repairs),
        ("warning", Style::Warn, &checked.warnings),
    ] {
        for fault in faults {
            let place = if fault.path.is_empty() { "the document" } else { &fault.path };
            let (name, place) = (output.paint(style, name), output.paint(Style::Strong, &tame(place)));
            // Writing to a string cannot fail.
            let _ =
                writeln!(text, "{name}: {place}\n    {}\n    {}", tame(&fault.problem), tame(&fault.remedy));
        }
    }
    if let Some(instance) = &checked.instance {
        let names: Vec<String> =
            instance.resources.iter().map(|resource| format!("`{}`", tame(&resource.name))).collect();
        let every = instance.interval.as_secs_f64() / 60.0;
        let sound = output.paint(Style::Good, "sound");
        let _ = writeln!(text, "{sound}: polls {} every {every} minutes", names.join(", "));
    }
    text
}

/// Every fault, one per line, for a command that cannot go on.
pub(crate) fn refuse(checked: &Checked) -> Failure {
    let mut text = String::from("the document is not sound");
    for fault in &checked.faults {
        let _ = write!(text, "\n  {}", tame(&fault.to_string()));
    }
    Failure::Configuration(text)
}
