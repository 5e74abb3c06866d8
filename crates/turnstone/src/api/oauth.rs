//! The way to an authorisation: the address where a person allows the access, and request tokens of OAuth 1.
//!
//! The published clients ask for the address without a secret in the header. Here it needs a member: connectors belong
//! to organisations, and what comes back waits in the store (decision 0046).
//!
//! Not here: what the redirect brings, which goes into `providerData` of `POST /instances`.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use serde_json::Value;
use turnstone_core::connector::Connector;
use turnstone_engine::connections::AskedFor;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::access::Caller;
use super::body::{Body, Query};
use super::elements::row as of_path;
use super::error::{Answer, ApiError};
use super::instances::element::Chosen;
use super::instances::{not_signed_in, places};

/// Configuration values under the short names of these routes.
const NAMES: [(&str, &str); 3] =
    [("apiKey", "oauth.api.key"), ("apiSecret", "oauth.api.secret"), ("callbackUrl", "oauth.callback.url")];

/// The addresses that may have the account's own part in them.
const ADDRESSES: [&str; 4] = ["oauth.authorization.url", "oauth.request.url", "oauth.token.url", "base.url"];

/// The operations.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(url, url_of_body)).routes(routes!(token))
}

/// Where a person allows the access.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OAuthUrl {
    /// The address. It carries a state and, for OAuth 2, a PKCE challenge; both are good for ten minutes.
    oauth_url: String,
    /// The connector's key.
    element: String,
}

/// A request token of OAuth 1.
#[derive(Debug, Serialize, ToSchema)]
pub struct OAuthToken {
    /// The token.
    token: String,
    /// Its secret.
    secret: String,
}

/// The address where a person allows the access.
///
/// Further parameters that are configuration keys of the connector are taken as such.
#[utoipa::path(
    get,
    path = "/elements/{keyOrId}/oauth/url",
    tag = "oauth",
    operation_id = "readOAuthUrl",
    params(
        ("keyOrId" = String, Path, description = "The connector's key, or its id."),
        ("apiKey" = Option<String>, Query, description = "The application's key; the connector's own when it is left out."),
        ("apiSecret" = Option<String>, Query, description = "Its secret; only OAuth 1 needs it here."),
        ("callbackUrl" = Option<String>, Query, description = "Where the provider sends the person back to."),
        ("state" = Option<String>, Query, description = "A text of yours that comes back; made when it is left out."),
        ("scope" = Option<String>, Query, description = "Scopes, separated by blanks; the connector's own when it is left out."),
        ("siteAddress" = Option<String>, Query, description = "The account's part of the provider's address, such as its subdomain."),
        ("requestToken" = Option<String>, Query, description = "A request token of OAuth 1; one is asked for when it is left out.")
    ),
    responses((status = 200, body = OAuthUrl)),
    extensions(("x-right" = json!("member")))
)]
pub async fn url(
    State(api): State<Api>,
    caller: Caller,
    Path(key_or_id): Path<String>,
    query: Query,
) -> Answer<Json<OAuthUrl>> {
    answer(&api, &caller, &key_or_id, query.into_last()).await
}

/// The address where a person allows the access, with the parameters in a body.
#[utoipa::path(
    post,
    path = "/elements/{keyOrId}/oauth/url",
    tag = "oauth",
    operation_id = "makeOAuthUrl",
    params(
        ("keyOrId" = String, Path, description = "The connector's key, or its id.")
    ),
    request_body = Value,
    responses((status = 200, body = OAuthUrl)),
    extensions(("x-right" = json!("member")), ("x-audited" = json!(false)))
)]
pub async fn url_of_body(
    State(api): State<Api>,
    caller: Caller,
    Path(key_or_id): Path<String>,
    Body(body): Body,
) -> Answer<Json<OAuthUrl>> {
    let Value::Object(members) = body else {
        return Err(ApiError::bad(
            "badDocument",
            "the body is not an object; send `apiKey`, `callbackUrl` and so on",
        ));
    };
    let text = |(name, value): (String, Value)| match value {
        Value::Null => None,
        Value::String(text) => Some((name, text)),
        other => Some((name, other.to_string())),
    };
    answer(&api, &caller, &key_or_id, members.into_iter().filter_map(text).collect()).await
}

/// Asks the provider for a request token of OAuth 1.
#[utoipa::path(
    get,
    path = "/elements/{keyOrId}/oauth/token",
    tag = "oauth",
    operation_id = "readOAuthToken",
    params(
        ("keyOrId" = String, Path, description = "The connector's key, or its id."),
        ("apiKey" = Option<String>, Query, description = "The application's key; the connector's own when it is left out."),
        ("apiSecret" = Option<String>, Query, description = "Its secret."),
        ("callbackUrl" = Option<String>, Query, description = "Where the provider sends the person back to."),
        ("siteAddress" = Option<String>, Query, description = "The account's part of the provider's address, such as its subdomain.")
    ),
    responses((status = 200, body = OAuthToken)),
    extensions(("x-right" = json!("member")))
)]
pub async fn token(
    State(api): State<Api>,
    caller: Caller,
    Path(key_or_id): Path<String>,
    query: Query,
) -> Answer<Json<OAuthToken>> {
    let chosen = Chosen::current(&api, &of_path(&api, caller.org, &key_or_id).await?).await?;
    let asked = asked(&chosen.connector, query.into_last());
    let token = api.calls.connections().request_token(caller.org, &chosen.connector, asked).await;
    let token = token.map_err(not_signed_in)?;
    Ok(Json(OAuthToken { token: token.token, secret: token.secret }))
}

async fn answer(
    api: &Api,
    caller: &Caller,
    key_or_id: &str,
    parameters: BTreeMap<String, String>,
) -> Answer<Json<OAuthUrl>> {
    let chosen = Chosen::current(api, &of_path(api, caller.org, key_or_id).await?).await?;
    let asked = asked(&chosen.connector, parameters);
    let url = api.calls.connections().authorization_url(caller.org, &chosen.connector, asked).await;
    Ok(Json(OAuthUrl { oauth_url: url.map_err(not_signed_in)?, element: chosen.key }))
}

/// What is asked for by these parameters.
fn asked(connector: &Connector, mut parameters: BTreeMap<String, String>) -> AskedFor {
    parameters.retain(|_, value| !value.is_empty());
    let mut configuration = BTreeMap::new();
    for (name, key) in NAMES {
        if let Some(value) = parameters.remove(name) {
            configuration.insert(key.to_owned(), value);
        }
    }
    let state = parameters.remove("state");
    let scope = parameters.remove("scope").unwrap_or_default();
    let request_token = parameters.remove("requestToken");
    let site = parameters.remove("siteAddress");
    configuration.extend(parameters.into_iter().filter(|(name, _)| connector.entry(name).is_some()));
    if let Some(site) = site {
        for key in open_places(connector) {
            configuration.entry(key).or_insert_with(|| site.clone());
        }
    }
    AskedFor { configuration, state, scope, request_token }
}

/// The names in the addresses that the connector has no value for: what `siteAddress` stands for.
fn open_places(connector: &Connector) -> Vec<String> {
    let default = |key: &str| connector.entry(key).and_then(|entry| entry.default.as_deref());
    let texts = ADDRESSES.iter().filter_map(|key| default(key));
    let names = texts.flat_map(places);
    names.filter(|name| default(name).is_none_or(|value| value.trim().is_empty())).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use turnstone_core::check::CheckSettings;
    use turnstone_core::connector::{Document, check};

    use super::*;

    fn connector() -> Connector {
        let element = json!({
            "key": "k", "name": "K", "description": "d", "authentication": {"type": "oauth2"},
            "configuration": [
                {"key": "oauth.authorization.url", "name": "a", "type": "TEXTFIELD_1000",
                    "defaultValue": "https://{subdomain}.x.test/authorize"},
                {"key": "oauth.token.url", "name": "t", "type": "TEXTFIELD_1000", "defaultValue": "https://x.test/token"},
                {"key": "subdomain", "name": "s", "type": "TEXTFIELD_32"}
            ],
            "parameters": [], "hooks": [], "resources": []
        });
        let document = Document::parse(element.to_string()).unwrap();
        let checked = check(&document, &CheckSettings::new("2026-01-01T00:00:00Z".parse().unwrap()));
        checked.connector.unwrap_or_else(|| panic!("{:#?}", checked.faults))
    }

    #[test]
    fn parameters_are_configuration_by_short_and_by_own_names() {
        let of = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            asked(&connector(), pairs.collect())
        };
        let found = of(&[
            ("apiKey", "k1"),
            ("callbackUrl", "https://a.test"),
            ("state", "s"),
            ("siteAddress", "acme"),
        ]);
        assert_eq!(found.configuration["oauth.api.key"], "k1");
        assert_eq!(found.configuration["subdomain"], "acme");
        assert_eq!(found.state.as_deref(), Some("s"));
        let found = of(&[("subdomain", "own"), ("siteAddress", "acme"), ("other", "x"), ("state", "")]);
        assert_eq!(found.configuration, [("subdomain".to_owned(), "own".to_owned())].into());
        assert_eq!(found.state, None);
    }
}
