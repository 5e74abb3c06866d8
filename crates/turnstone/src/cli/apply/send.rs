//! Carries a plan out, one thing after the other.
//!
//! Each thing is one request, and the next run decides by what the server has then; so nothing has to be remembered
//! here, and an apply that is killed leaves nothing half done.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::plan::{Action, Plan, Sent, Step, again};
use crate::cli::output::{Output, tame};
use crate::cli::remote::{Remote, encode};
use crate::cli::{Failure, Outcome};

/// A file that takes the tokens of new instances, readable by its owner alone.
pub(super) struct Tokens {
    name: String,
    file: File,
}

impl Tokens {
    /// Opens the file before anything is made: a token that cannot be kept is lost.
    pub(super) fn open(path: &Path) -> Result<Tokens, Failure> {
        let name = path.display().to_string();
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(|error| {
            Failure::Configuration(format!("cannot write `{name}`: {error}; correct --tokens"))
        })?;
        Ok(Tokens { name, file })
    }

    fn keep(&mut self, made: &Value) -> Outcome {
        let line = json!({"id": made["id"], "name": made["name"], "token": made["token"]});
        let written = writeln!(self.file, "{line}").and_then(|()| self.file.sync_all());
        written.map_err(|error| Failure::Internal(format!("cannot write `{}` ({error})", self.name)))
    }
}

/// Does everything, until something fails. How many changes were made, and what stopped it.
pub(super) async fn all(
    remote: &Remote,
    plan: &Plan,
    mut tokens: Option<&mut Tokens>,
    output: &Output,
) -> (usize, Outcome) {
    let all = plan.changes();
    let mut done = 0;
    for step in plan.steps.iter().filter(|step| step.action.is_change()) {
        if let Err(failure) = one(remote, step, tokens.as_deref_mut()).await {
            return (done, Err(failure));
        }
        done += 1;
        output.note(&format!("{} {} ({done} of {all})", about(step), past(step.action)));
    }
    if tokens.is_none()
        && plan.steps.iter().any(|step| step.kind == "instance" && step.action == Action::Create)
    {
        output.note("the tokens of new instances were not kept; --tokens FILE keeps them");
    }
    (done, Ok(()))
}

fn about(step: &Step) -> String {
    format!("{} `{}`", step.kind, tame(&step.name))
}

fn past(action: Action) -> &'static str {
    match action {
        Action::Create => "created",
        Action::Change => "changed",
        Action::Remove => "removed",
        Action::Keep | Action::Leave => "unchanged",
    }
}

async fn one(remote: &Remote, step: &Step, tokens: Option<&mut Tokens>) -> Outcome {
    if step.follows_connector && step.action != Action::Remove {
        as_it_was_shown(remote, step).await?;
    }
    let path = match (step.kind, step.action) {
        ("connector", Action::Create) => "/elements".to_owned(),
        ("connector", _) => format!("/elements/{}", encode(&step.name)),
        (_, Action::Create) => "/instances".to_owned(),
        (_, _) => format!("/instances/{}", step.id),
    };
    let method = match step.action {
        Action::Create => "POST",
        Action::Change => "PUT",
        Action::Remove => "DELETE",
        Action::Keep | Action::Leave => return Ok(()),
    };
    let answer = match (&step.sent, step.action) {
        (Sent::Connector(text), Action::Create | Action::Change) => {
            remote.put_text(method, &path, text).await
        }
        (Sent::Instance(document), Action::Create | Action::Change) => {
            remote.change(method, &path, Some(document)).await
        }
        _ => remote.change(method, &path, None).await,
    };
    match answer {
        Ok(made) if step.kind == "instance" && step.action == Action::Create => {
            tokens.map_or(Ok(()), |tokens| tokens.keep(&made))
        }
        Ok(_) => Ok(()),
        // Somebody was faster, or an earlier answer got lost.
        Err(refusal) if step.action == Action::Remove && refusal.is_missing() => Ok(()),
        Err(refusal) => Err(refusal.failure(&about(step))),
    }
}

/// The server made its plan before the connector changed. Places that would be lost now and were not shown stop it.
async fn as_it_was_shown(remote: &Remote, step: &Step) -> Outcome {
    let now = again(remote, step).await.map_err(|refusal| refusal.failure(&about(step)))?;
    let lost = now.iter().find(|cursor| cursor.is_lost() && !step.cursors.contains(cursor));
    match lost {
        None => Ok(()),
        Some(cursor) => Err(Failure::Configuration(format!(
            "{}: with its changed connector the place of `{}` is not kept ({}: {}), which was not shown before; look at \
             the new plan",
            about(step),
            tame(&cursor.resource),
            cursor.cursor,
            tame(&cursor.why)
        ))),
    }
}
