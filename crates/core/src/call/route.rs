//! Which resource a call means, by its method and path.
//!
//! The hub segment is ignored: `/hubs/crm/x`, `/hubs/anything/x` and `/x` are one (platform-api §5). A fixed segment
//! goes before a variable, so `/contacts/search` is not the contact `search`.

use std::collections::BTreeMap;

use crate::connector::{Connector, without_hub};
use crate::query::percent_decode;

/// A resource and the variables of its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Position of the resource in the connector.
    pub resource: usize,
    /// Variables by name, decoded.
    pub variables: BTreeMap<String, String>,
}

/// Why no resource answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoRoute {
    /// No resource has this path.
    Path,
    /// Resources have this path, with these methods.
    Method(Vec<String>),
}

/// Finds the resource for a method and a path (without the API's base path, with or without its hub and query).
pub fn find(connector: &Connector, method: &str, path: &str) -> Result<Route, NoRoute> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let segments: Vec<&str> = without_hub(path).split('/').filter(|part| !part.is_empty()).collect();
    let mut best: Option<(Vec<bool>, Route)> = None;
    let mut others: Vec<String> = Vec::new();
    for (position, resource) in connector.resources.iter().enumerate() {
        if !resource.kind.is_called() {
            continue;
        }
        let Some((variables, fixed)) = fit(&resource.path, &segments) else { continue };
        if !resource.method.eq_ignore_ascii_case(method) {
            others.push(resource.method.clone());
            continue;
        }
        // `true` for a fixed segment; the first difference decides.
        if best.as_ref().is_none_or(|(known, _)| fixed > *known) {
            best = Some((fixed, Route { resource: position, variables }));
        }
    }
    match best {
        Some((_, route)) => Ok(route),
        None if others.is_empty() => Err(NoRoute::Path),
        None => {
            others.sort();
            others.dedup();
            Err(NoRoute::Method(others))
        }
    }
}

fn fit(pattern: &str, segments: &[&str]) -> Option<(BTreeMap<String, String>, Vec<bool>)> {
    let mut variables = BTreeMap::new();
    let mut fixed = Vec::new();
    let pattern: Vec<&str> = without_hub(pattern).split('/').filter(|part| !part.is_empty()).collect();
    if pattern.len() != segments.len() {
        return None;
    }
    for (part, segment) in pattern.iter().zip(segments) {
        let decoded = percent_decode(segment);
        match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(name) => {
                variables.insert(name.to_string(), decoded);
                fixed.push(false);
            }
            None if *part == decoded => fixed.push(true),
            None => return None,
        }
    }
    Some((variables, fixed))
}
