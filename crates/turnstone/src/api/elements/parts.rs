//! Parts of a connector: its parameters, hooks and resources, and those of a resource, each with the same five verbs.
//!
//! The verbs are written once; what differs between the lists is where they are. A part that is sent is judged like one
//! of an import, and the connector as a whole after it.

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use serde::Deserialize;
use turnstone_core::check::Fault;
use turnstone_core::connector::{EditError, Part, Place};
use turnstone_core::id::OrgId;
use turnstone_core::json_text::{self, Kind};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::access::Caller;
use super::super::body::TextBody;
use super::super::error::{Answer, ApiError};
use super::super::{Api, Gone};
use super::scripts::broken_in;
use super::stored::{self, Stored, is_ours, with_warnings};
use super::{JsonText, list_of};

/// The operations.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .merge(parameters::routes())
        .merge(hooks::routes())
        .merge(resources::routes())
        .merge(resource_parameters::routes())
        .merge(resource_hooks::routes())
        .routes(routes!(read_model, add_model, replace_model, remove_model))
}

/// A list of a connector, as a path names it.
pub enum Which<'a> {
    /// A list of the connector.
    Element(Part),
    /// A list of the resource with this id.
    Resource(&'a str, Part),
}

impl Which<'_> {
    /// Where the list is in this connector.
    pub fn place(&self, stored: &Stored) -> Answer<Place> {
        match *self {
            Which::Element(part) => Ok(Place::Element(part)),
            Which::Resource(id, part) => Ok(Place::Resource(resource(stored, id)?, part)),
        }
    }

    /// Where the list is, and the position in it of this id.
    fn position(&self, stored: &Stored, id: &str) -> Answer<(Place, usize)> {
        let place = self.place(stored)?;
        let position = id.parse().ok().and_then(|id| stored.ids.position(place, id));
        Ok((place, position.ok_or_else(|| ApiError::not_found(place.part().noun()))?))
    }
}

fn resource(stored: &Stored, id: &str) -> Answer<usize> {
    let position = id.parse().ok().and_then(|id| stored.ids.position(Place::Element(Part::Resources), id));
    position.ok_or_else(|| ApiError::not_found(Part::Resources.noun()))
}

/// Why an edit was refused, for the client.
pub fn refused(error: EditError) -> ApiError {
    let sentence = error.to_string();
    match error {
        EditError::Json(..) => ApiError::bad("malformedJson", sentence),
        EditError::Faults(_, faults) => ApiError::faults(faults),
        EditError::Reserved(_) => ApiError::bad("reservedKey", sentence),
        EditError::Exists(..) => ApiError::conflict("exists", sentence),
        EditError::Missing(..) => ApiError::new(StatusCode::NOT_FOUND, "notFound", sentence),
        EditError::BecomesLegacy => ApiError::bad("becomesLegacy", sentence),
    }
}

/// A list as it is answered.
pub async fn all(api: &Api, org: OrgId, element: &str, which: Which<'_>) -> Answer<JsonText> {
    let stored = stored::find(api, org, element).await?;
    let place = which.place(&stored)?;
    Ok(JsonText(list_of(&stored.document.shown_items(place, &stored.ids))))
}

async fn one(api: &Api, org: OrgId, element: &str, which: Which<'_>, id: &str) -> Answer<JsonText> {
    let stored = stored::find(api, org, element).await?;
    let (place, position) = which.position(&stored, id)?;
    shown(&stored, place, position, &[])
}

/// One part as it is answered; what works less than it seems stands with it only where there is something to say.
pub fn shown(stored: &Stored, place: Place, position: usize, warnings: &[Fault]) -> Answer<JsonText> {
    let items = stored.document.shown_items(place, &stored.ids);
    let item = items.into_iter().nth(position).ok_or_else(|| ApiError::not_found(place.part().noun()))?;
    Ok(JsonText(if warnings.is_empty() { item } else { with_warnings(&item, warnings) }))
}

/// A part that came in, without what our answers add.
pub fn arrived(stored: &Stored, part: Part, text: &str) -> String {
    let bare = stored.ids.as_shown(&stored.document).taken_out(part, text);
    match json_text::member(&bare, "warnings").is_some_and(is_ours) {
        true => json_text::without_member(&bare, "warnings"),
        false => bare,
    }
}

async fn add(api: &Api, org: OrgId, element: &str, which: Which<'_>, text: &str) -> Answer<JsonText> {
    let change = |stored: &Stored| {
        let place = which.place(stored)?;
        let edited = stored.document.add(place, &arrived(stored, place.part(), text));
        Ok(edited.map_err(refused)?.into())
    };
    finish(api, org, stored::edit(api, org, element, change).await?).await
}

async fn put(
    api: &Api,
    org: OrgId,
    element: &str,
    which: Which<'_>,
    id: &str,
    text: &str,
) -> Answer<JsonText> {
    let change = |stored: &Stored| {
        let (place, position) = which.position(stored, id)?;
        let edited = stored.document.replace(place, position, &arrived(stored, place.part(), text));
        Ok(edited.map_err(refused)?.into())
    };
    finish(api, org, stored::edit(api, org, element, change).await?).await
}

/// The part that an edit was about.
async fn finish(api: &Api, org: OrgId, (stored, edit): (Stored, stored::Edit)) -> Answer<JsonText> {
    let Some(change) = edit.changes.first() else { return Err(ApiError::not_found("part")) };
    let mut warnings = edit.warnings;
    if change.place.part() == Part::Hooks {
        // A hook by itself is judged as if it were the only one of a list.
        for warning in &mut warnings {
            warning.path = warning.path.trim_start_matches("hooks[0].").to_owned();
        }
    }
    let items = stored.document.items_at(change.place).map_err(refused)?;
    if let Some(item) = items.get(change.position) {
        warnings.extend(broken_in(api, org, change.place.part(), item).await);
    }
    shown(&stored, change.place, change.position, &warnings)
}

async fn take(api: &Api, org: OrgId, element: &str, which: Which<'_>, id: &str) -> Answer<Json<Gone>> {
    let change = |stored: &Stored| {
        let (place, position) = which.position(stored, id)?;
        Ok(stored.document.remove(place, position).map_err(refused)?.into())
    };
    stored::edit(api, org, element, change).await?;
    Ok(Json(Gone {}))
}

/// The path of a list: of a connector, or of one of its resources.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListPath {
    key_or_id: String,
    resource_id: Option<String>,
}

/// The path of one part.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartPath {
    key_or_id: String,
    resource_id: Option<String>,
    part_id: String,
}

/// The list of this kind that a path names.
fn which(part: Part, resource: Option<&str>) -> Which<'_> {
    match resource {
        Some(id) => Which::Resource(id, part),
        None => Which::Element(part),
    }
}

/// The five verbs of one list.
macro_rules! verbs {
    (
        $name:ident, $part:expr, $noun:literal, $path:literal, $one:literal,
        [$list:literal, $add:literal, $read:literal, $replace:literal, $remove:literal]
        $(, $resource:literal)?
    ) => {
        #[doc = concat!("The verbs of `", $path, "`.")]
        mod $name {
            use super::*;

            pub fn routes() -> OpenApiRouter<Api> {
                OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(read, replace, remove))
            }

            #[utoipa::path(
                get,
                path = $path,
                tag = "elements",
                operation_id = $list,
                summary = concat!("Lists ", $noun, "s."),
                params(
                    ("keyOrId" = String, Path, description = "Key or id of the element."),
                    $(($resource = i64, Path, description = "The resource."),)?
                ),
                responses((status = 200, body = Vec<Value>)),
                extensions(("x-right" = json!("reader")))
            )]
            pub async fn list(
                State(api): State<Api>,
                Caller { org, .. }: Caller,
                Path(path): Path<ListPath>,
            ) -> Answer<JsonText> {
                all(&api, org, &path.key_or_id, which($part, path.resource_id.as_deref())).await
            }

            #[utoipa::path(
                post,
                path = $path,
                tag = "elements",
                operation_id = $add,
                summary = concat!("Adds a ", $noun, "."),
                params(
                    ("keyOrId" = String, Path, description = "Key or id of the element."),
                    $(($resource = i64, Path, description = "The resource."),)?
                ),
                request_body = Value,
                responses((status = 200, body = Value)),
                extensions(("x-right" = json!("admin")))
            )]
            pub async fn create(
                State(api): State<Api>,
                Caller { org, .. }: Caller,
                Path(path): Path<ListPath>,
                TextBody(text): TextBody,
            ) -> Answer<JsonText> {
                add(&api, org, &path.key_or_id, which($part, path.resource_id.as_deref()), &text).await
            }

            #[utoipa::path(
                get,
                path = $one,
                tag = "elements",
                operation_id = $read,
                summary = concat!("One ", $noun, "."),
                params(
                    ("keyOrId" = String, Path, description = "Key or id of the element."),
                    $(($resource = i64, Path, description = "The resource."),)?
                    ("partId" = i64, Path, description = "Its id.")
                ),
                responses((status = 200, body = Value)),
                extensions(("x-right" = json!("reader")))
            )]
            pub async fn read(
                State(api): State<Api>,
                Caller { org, .. }: Caller,
                Path(path): Path<PartPath>,
            ) -> Answer<JsonText> {
                let which = which($part, path.resource_id.as_deref());
                one(&api, org, &path.key_or_id, which, &path.part_id).await
            }

            #[utoipa::path(
                put,
                path = $one,
                tag = "elements",
                operation_id = $replace,
                summary = concat!("Replaces a ", $noun, "."),
                params(
                    ("keyOrId" = String, Path, description = "Key or id of the element."),
                    $(($resource = i64, Path, description = "The resource."),)?
                    ("partId" = i64, Path, description = "Its id.")
                ),
                request_body = Value,
                responses((status = 200, body = Value)),
                extensions(("x-right" = json!("admin")))
            )]
            pub async fn replace(
                State(api): State<Api>,
                Caller { org, .. }: Caller,
                Path(path): Path<PartPath>,
                TextBody(text): TextBody,
            ) -> Answer<JsonText> {
                let which = which($part, path.resource_id.as_deref());
                put(&api, org, &path.key_or_id, which, &path.part_id, &text).await
            }

            #[utoipa::path(
                delete,
                path = $one,
                tag = "elements",
                operation_id = $remove,
                summary = concat!("Removes a ", $noun, "."),
                params(
                    ("keyOrId" = String, Path, description = "Key or id of the element."),
                    $(($resource = i64, Path, description = "The resource."),)?
                    ("partId" = i64, Path, description = "Its id.")
                ),
                responses((status = 200, body = Gone)),
                extensions(("x-right" = json!("admin")))
            )]
            pub async fn remove(
                State(api): State<Api>,
                Caller { org, .. }: Caller,
                Path(path): Path<PartPath>,
            ) -> Answer<Json<Gone>> {
                let which = which($part, path.resource_id.as_deref());
                take(&api, org, &path.key_or_id, which, &path.part_id).await
            }
        }
    };
}

verbs!(
    parameters,
    Part::Parameters,
    "parameter of all calls",
    "/elements/{keyOrId}/parameters",
    "/elements/{keyOrId}/parameters/{partId}",
    [
        "listElementParameters",
        "addElementParameter",
        "readElementParameter",
        "replaceElementParameter",
        "removeElementParameter"
    ]
);

verbs!(
    hooks,
    Part::Hooks,
    "hook around all calls",
    "/elements/{keyOrId}/hooks",
    "/elements/{keyOrId}/hooks/{partId}",
    ["listElementHooks", "addElementHook", "readElementHook", "replaceElementHook", "removeElementHook"]
);

verbs!(
    resources,
    Part::Resources,
    "resource",
    "/elements/{keyOrId}/resources",
    "/elements/{keyOrId}/resources/{partId}",
    [
        "listElementResources",
        "addElementResource",
        "readElementResource",
        "replaceElementResource",
        "removeElementResource"
    ]
);

verbs!(
    resource_parameters,
    Part::Parameters,
    "parameter of a resource",
    "/elements/{keyOrId}/resources/{resourceId}/parameters",
    "/elements/{keyOrId}/resources/{resourceId}/parameters/{partId}",
    [
        "listResourceParameters",
        "addResourceParameter",
        "readResourceParameter",
        "replaceResourceParameter",
        "removeResourceParameter"
    ],
    "resourceId"
);

verbs!(
    resource_hooks,
    Part::Hooks,
    "hook of a resource",
    "/elements/{keyOrId}/resources/{resourceId}/hooks",
    "/elements/{keyOrId}/resources/{resourceId}/hooks/{partId}",
    ["listResourceHooks", "addResourceHook", "readResourceHook", "replaceResourceHook", "removeResourceHook"],
    "resourceId"
);

/// The model of a resource's body; 404 while it has none.
#[utoipa::path(
    get,
    path = "/elements/{keyOrId}/resources/{resourceId}/models",
    tag = "elements",
    operation_id = "readResourceModel",
    params(
        ("keyOrId" = String, Path, description = "Key or id of the element."),
        ("resourceId" = i64, Path, description = "The resource.")
    ),
    responses((status = 200, body = Value)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn read_model(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path((element, id)): Path<(String, String)>,
) -> Answer<JsonText> {
    let stored = stored::find(&api, org, &element).await?;
    Ok(JsonText(model(&stored, resource(&stored, &id)?)?.to_owned()))
}

fn model(stored: &Stored, resource: usize) -> Answer<&str> {
    let item = stored.document.items(Part::Resources).get(resource).copied().unwrap_or_default();
    let found = json_text::member(item, "model").filter(|model| json_text::kind(model) == Some(Kind::Object));
    found.ok_or_else(|| ApiError::not_found("model of this resource"))
}

/// Gives a resource its model.
///
/// The same as PUT, because a resource has one.
#[utoipa::path(
    post,
    path = "/elements/{keyOrId}/resources/{resourceId}/models",
    tag = "elements",
    operation_id = "addResourceModel",
    params(
        ("keyOrId" = String, Path, description = "Key or id of the element."),
        ("resourceId" = i64, Path, description = "The resource.")
    ),
    request_body = Value,
    responses((status = 200, body = Value)),
    extensions(("x-right" = json!("admin")))
)]
pub async fn add_model(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path((element, id)): Path<(String, String)>,
    TextBody(text): TextBody,
) -> Answer<JsonText> {
    put_model(&api, org, &element, &id, &text).await
}

/// Replaces the model of a resource.
#[utoipa::path(
    put,
    path = "/elements/{keyOrId}/resources/{resourceId}/models",
    tag = "elements",
    operation_id = "replaceResourceModel",
    params(
        ("keyOrId" = String, Path, description = "Key or id of the element."),
        ("resourceId" = i64, Path, description = "The resource.")
    ),
    request_body = Value,
    responses((status = 200, body = Value)),
    extensions(("x-right" = json!("admin")))
)]
pub async fn replace_model(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path((element, id)): Path<(String, String)>,
    TextBody(text): TextBody,
) -> Answer<JsonText> {
    put_model(&api, org, &element, &id, &text).await
}

async fn put_model(api: &Api, org: OrgId, element: &str, id: &str, text: &str) -> Answer<JsonText> {
    let change = |stored: &Stored| {
        Ok(stored.document.with_model(resource(stored, id)?, Some(text)).map_err(refused)?.into())
    };
    let (stored, _) = stored::edit(api, org, element, change).await?;
    Ok(JsonText(model(&stored, resource(&stored, id)?)?.to_owned()))
}

/// Removes the model of a resource.
#[utoipa::path(
    delete,
    path = "/elements/{keyOrId}/resources/{resourceId}/models",
    tag = "elements",
    operation_id = "removeResourceModel",
    params(
        ("keyOrId" = String, Path, description = "Key or id of the element."),
        ("resourceId" = i64, Path, description = "The resource.")
    ),
    responses((status = 200, body = Gone)),
    extensions(("x-right" = json!("admin")))
)]
pub async fn remove_model(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path((element, id)): Path<(String, String)>,
) -> Answer<Json<Gone>> {
    let change = |stored: &Stored| {
        let resource = resource(stored, &id)?;
        model(stored, resource)?;
        Ok(stored.document.with_model(resource, None).map_err(refused)?.into())
    };
    stored::edit(&api, org, &element, change).await?;
    Ok(Json(Gone {}))
}
