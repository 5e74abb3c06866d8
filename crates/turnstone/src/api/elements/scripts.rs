//! Hooks that do not compile, named when they are saved: an import is not refused for them, because a connector may be
//! used without the calls that they stand around.

use turnstone_core::check::Fault;
use turnstone_core::connector::{Connector, Hook, Part};
use turnstone_core::hook::HookFault;
use turnstone_core::id::OrgId;
use turnstone_core::json_text;
use turnstone_engine::hooks::syntax::Script;

use super::super::Api;

/// A script of a document, and its place there.
struct Found {
    path: String,
    body: String,
    is_legacy: bool,
}

/// The hooks of a whole connector that do not compile.
pub async fn broken(api: &Api, org: OrgId, connector: &Connector) -> Vec<Fault> {
    let of = |path: String, hooks: &[Hook]| -> Vec<Found> {
        let one = |(position, hook): (usize, &Hook)| Found {
            path: format!("{path}hooks[{position}].body"),
            body: hook.body.clone(),
            is_legacy: hook.legacy,
        };
        hooks.iter().enumerate().map(one).collect()
    };
    let mut found = of(String::new(), &connector.hooks);
    for (position, resource) in connector.resources.iter().enumerate() {
        found.extend(of(format!("resources[{position}]."), &resource.hooks));
    }
    told(api, org, &found).await
}

/// The hooks of one part that do not compile: of a hook itself, or of a resource.
pub async fn broken_in(api: &Api, org: OrgId, part: Part, item: &str) -> Vec<Fault> {
    let read = |path: String, hook: &str| {
        let body = json_text::member(hook, "body").and_then(json_text::text)?.into_owned();
        let legacy = json_text::member(hook, "isLegacy").and_then(json_text::scalar);
        Some(Found { path, body, is_legacy: legacy.as_deref() == Some("true") })
    };
    let found: Vec<Found> = match part {
        Part::Hooks => read("body".to_owned(), item).into_iter().collect(),
        Part::Resources => {
            let hooks =
                json_text::member(item, Part::Hooks.name()).and_then(json_text::items).unwrap_or_default();
            let one = |(position, hook): (usize, &str)| read(format!("hooks[{position}].body"), hook);
            hooks.into_iter().enumerate().filter_map(one).collect()
        }
        Part::Configuration | Part::Parameters => Vec::new(),
    };
    told(api, org, &found).await
}

async fn told(api: &Api, org: OrgId, found: &[Found]) -> Vec<Fault> {
    let Some(pool) = api.calls.hooks().filter(|_| !found.is_empty()) else { return Vec::new() };
    let scripts: Vec<Script<'_>> =
        found.iter().map(|found| Script { body: &found.body, is_legacy: found.is_legacy }).collect();
    let broken = pool.broken(org, &scripts).await.into_iter();
    let fault = |(position, fault): (usize, HookFault)| Fault {
        path: found[position].path.clone(),
        problem: fault.to_string(),
        remedy: "correct it; until then the calls around it fail".to_owned(),
    };
    broken.map(fault).collect()
}
