//! Asks before something is changed that is hard to undo.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use super::Failure;

/// Whether the command line agreed already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Agreed {
    /// `--yes`.
    Yes,
    /// Somebody must be asked.
    NotYet,
}

impl Agreed {
    /// What the switch says.
    pub(crate) fn of(yes: bool) -> Agreed {
        if yes { Agreed::Yes } else { Agreed::NotYet }
    }
}

/// Asks on the terminal unless it was agreed already. Where nobody can be asked, the answer is no.
pub(crate) fn ask(question: &str, agreed: Agreed) -> Result<(), Failure> {
    if agreed == Agreed::Yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Failure::Unconfirmed(
            "nobody can be asked here, and nothing was changed; --yes agrees beforehand".to_owned(),
        ));
    }
    let mut stderr = io::stderr().lock();
    // The answer is read all the same; a terminal that is gone answers nothing.
    let _ = write!(stderr, "{question} [y/N] ").and_then(|()| stderr.flush());
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    if read.is_ok_and(|bytes| bytes > 0)
        && ["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str())
    {
        return Ok(());
    }
    Err(Failure::Unconfirmed("nothing was changed".to_owned()))
}
