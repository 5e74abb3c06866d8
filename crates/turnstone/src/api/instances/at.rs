//! Which instance a path acts on: the one that it names, or the one of the Element token where it names none.
//!
//! In the field every route of `/instances/{id}/…` exists without the `{id}` as well (platform-api §1). So a route is
//! written once, with it, and [`both`] adds its twin to the router and to the document.

use std::collections::HashMap;

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use turnstone_store::InstanceRow;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::{Operation, ParameterIn, PathItem};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use super::find;
use crate::api::Api;
use crate::api::access::Caller;
use crate::api::error::{Answer, ApiError};

/// What the path of an instance begins with.
const NAMED: &str = "/instances/{id}";
/// The same without a name.
const OWN: &str = "/instances";

/// The instance that a request is about.
pub struct At {
    /// Who asks.
    pub caller: Caller,
    /// The instance.
    pub row: InstanceRow,
    names: HashMap<String, String>,
}

impl At {
    /// A further variable of the path; empty when it has none of that name.
    pub fn part(&self, name: &str) -> &str {
        self.names.get(name).map(String::as_str).unwrap_or_default()
    }
}

impl FromRequestParts<Api> for At {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Answer<At> {
        let caller = Caller::from_request_parts(parts, api).await?;
        let names = match Path::<HashMap<String, String>>::from_request_parts(parts, api).await {
            Ok(Path(names)) => names,
            Err(PathRejection::MissingPathParams(_)) => HashMap::new(),
            Err(_) => return Err(ApiError::not_found("instance")),
        };
        let row = match names.get("id") {
            Some(id) => find(api, caller.org, id).await?,
            None => api.store.instance(caller.org, caller.own_instance()?).await?,
        };
        Ok(At { caller, row, names })
    }
}

/// Adds routes of `/instances/{id}`, and the same without the id. Their handlers take [`At`].
pub fn both(router: OpenApiRouter<Api>, routes: UtoipaMethodRouter<Api>) -> OpenApiRouter<Api> {
    let twin = twin(&routes);
    router.routes(routes).routes(twin)
}

fn twin((schemas, paths, methods): &UtoipaMethodRouter<Api>) -> UtoipaMethodRouter<Api> {
    let mut twins = paths.clone();
    twins.paths = paths
        .paths
        .iter()
        .map(|(path, item)| {
            let rest = path.strip_prefix(NAMED).expect("only routes of one instance have a twin");
            (format!("{OWN}{rest}"), own(item.clone()))
        })
        .collect();
    (schemas.clone(), twins, methods.clone())
}

fn own(mut item: PathItem) -> PathItem {
    let all = [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch];
    for operation in all.into_iter().flatten() {
        own_operation(operation);
    }
    item
}

fn own_operation(operation: &mut Operation) {
    if let Some(parameters) = &mut operation.parameters {
        parameters.retain(|one| match one {
            RefOr::T(one) => !(one.name == "id" && one.parameter_in == ParameterIn::Path),
            RefOr::Ref(_) => true,
        });
    }
    operation.operation_id = operation.operation_id.as_ref().map(|id| format!("{id}OfToken"));
    let words = "Acts on the instance of the Element token.";
    operation.description = Some(match &operation.description {
        Some(description) if !description.is_empty() => format!("{description}\n\n{words}"),
        Some(_) | None => words.to_owned(),
    });
}
