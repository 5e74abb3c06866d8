//! Whether scripts compile, found out without running them.
//!
//! A script is only ever read behind the walls, so a worker is asked, as for a run. What it gets is a hook that is done
//! before the script begins: all of it is compiled and none of it runs. Many scripts go into one call, because almost
//! always all of them compile; only when they do not is each one asked about.

use jiff::Timestamp;
use turnstone_core::hook::{HookCall, HookFault, HookInputs, HookKind, HookLimits};
use turnstone_core::id::OrgId;
use turnstone_core::limits::HOOK_SCRIPT_BYTES_MAX;

use super::HookPool;

/// Scripts that are asked about one by one, for one document.
const SINGLE_MAX: usize = 40;

/// A hook's script.
#[derive(Clone, Copy, Debug)]
pub struct Script<'a> {
    /// The body of its function.
    pub body: &'a str,
    /// Whether it is an older one, which is not strict.
    pub is_legacy: bool,
}

impl HookPool {
    /// The scripts that do not compile, by position, with the reason. Says nothing about those that are not reached:
    /// when no worker is to be had, or more than [`SINGLE_MAX`] scripts are suspect.
    pub async fn broken(&self, org: OrgId, scripts: &[Script<'_>]) -> Vec<(usize, HookFault)> {
        let mut found = Vec::new();
        let mut tried = 0;
        for is_legacy in [false, true] {
            let of_kind: Vec<(usize, Script<'_>)> = scripts
                .iter()
                .copied()
                .enumerate()
                .filter(|(_, script)| script.is_legacy == is_legacy && !script.body.trim().is_empty())
                .collect();
            for group in groups(&of_kind) {
                let bodies: Vec<&str> = group.iter().map(|(_, script)| script.body).collect();
                if self.compile(org, &together(&bodies), is_legacy).await.is_none() {
                    continue;
                }
                for (position, script) in group {
                    if tried == SINGLE_MAX {
                        return found;
                    }
                    tried += 1;
                    if let Some(fault) = self.compile(org, script.body, is_legacy).await {
                        found.push((*position, fault));
                    }
                }
            }
        }
        found.sort_by_key(|(position, _)| *position);
        found
    }

    /// Why a script does not compile.
    async fn compile(&self, org: OrgId, body: &str, is_legacy: bool) -> Option<HookFault> {
        let call = HookCall {
            kind: HookKind::PreRequest,
            body: format!("{}{body}", if is_legacy { LEGACY } else { DONE }),
            is_legacy,
            inputs: HookInputs::default(),
            limits: HookLimits::default(),
            now: Timestamp::UNIX_EPOCH,
            seed: 0,
        };
        match self.run(org, &call).await.result {
            Err(fault @ HookFault::Syntax { .. }) => Some(fault),
            _ => None,
        }
    }
}

/// Ends a hook before its script begins, on the same line, so that lines are the script's own.
const DONE: &str = "return done();";
const LEGACY: &str = "return {};";

/// Scripts as functions of one script.
fn together(bodies: &[&str]) -> String {
    bodies.iter().map(|body| format!("(function () {{{body}\n}});")).collect()
}

/// Cuts a list so that each piece fits into one call.
fn groups<'s, 'b>(scripts: &'s [(usize, Script<'b>)]) -> Vec<&'s [(usize, Script<'b>)]> {
    const ROOM: usize = 64;
    let (mut pieces, mut start, mut bytes) = (Vec::new(), 0, 0);
    for (at, (_, script)) in scripts.iter().enumerate() {
        let more = script.body.len() + ROOM;
        if at > start && bytes + more + ROOM > HOOK_SCRIPT_BYTES_MAX {
            pieces.push(&scripts[start..at]);
            (start, bytes) = (at, 0);
        }
        bytes += more;
    }
    if start < scripts.len() {
        pieces.push(&scripts[start..]);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_go_together_as_far_as_they_fit() {
        let large = "x".repeat(HOOK_SCRIPT_BYTES_MAX / 2);
        let sizes = |bodies: &[&str]| -> Vec<usize> {
            let scripts: Vec<(usize, Script<'_>)> =
                bodies.iter().map(|body| Script { body, is_legacy: false }).enumerate().collect();
            groups(&scripts).iter().map(|piece| piece.len()).collect()
        };
        assert_eq!(sizes(&["a", "b", "c"]), [3]);
        assert_eq!(sizes(&[&large, &large, "c"]), [1, 2]);
        assert_eq!(sizes(&["a", &large, &large, &large]), [2, 1, 1]);
        assert!(sizes(&[]).is_empty());
        assert_eq!(together(&["a()", "// b"]), "(function () {a()\n});(function () {// b\n});");
    }
}
