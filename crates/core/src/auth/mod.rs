//! Signing in to a provider: what a request carries, how tokens are got, kept and renewed, and what a refusal means.
//!
//! Everything is a function of the connector, the account's settings and what the caller brings: the clock, a nonce, a
//! state, a verifier. Which configuration key holds what is the field's (platform-api §3 and §4).
//!
//! Not here: sending, storing, sealing; that only one renewal of an account is in flight, and that a state is used once
//! (the engine's `oauth`).

mod oauth1;
mod oauth2;
mod renewal;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::call::{CallContext, VendorBody};
use crate::connector::{AuthenticationKind, Connector, ParameterPlace, Settings, Unset};

pub use oauth1::{Oauth1Token, access_token_request, authorization_page, read_oauth1_token, request_token};
pub use oauth2::{
    Authorization, Grant, Token, TokenFault, authorization_url, client_credentials_request, code_request,
    is_expected_state, password_request, pkce_challenge, read_token, refresh_request, revocation_request,
};
pub use renewal::{Due, RenewalWay, due, renewal_way, stored};

/// Why a request cannot be signed, or a sign-in cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// A configuration value is missing.
    #[error(transparent)]
    Unset(#[from] Unset),
    /// Amazon's signatures.
    #[error("requests are not signed as Amazon wants it; use a connector that signs in another way")]
    AwsUnsupported,
    /// The redirect brought no code.
    #[error("`providerData` has no `code`; send the one that the provider redirected with")]
    NoCode,
    /// The redirect brought a refusal.
    #[error("the provider refused the authorisation ({0}); start it again and allow the access")]
    Denied(String),
    /// The verifier is not one.
    #[error("the PKCE verifier needs 43 to 128 letters, digits and signs of `-._~`; make another one")]
    BadVerifier,
    /// An address is not one.
    #[error("`{0}` is not an address; correct it in the connector")]
    BadAddress(&'static str),
}

/// Whether the connector's own parameters place this configuration value.
fn is_placed(connector: &Connector, key: &str) -> bool {
    let all = connector.resources.iter().flat_map(|resource| &resource.parameters);
    connector.parameters.iter().chain(all).any(|parameter| match parameter.place {
        ParameterPlace::Configuration => parameter.name == key,
        ParameterPlace::Value => parameter.name.contains(key),
        _ => false,
    })
}

/// Adds what the way of signing in puts into every request, unless a parameter of the connector does: `Authorization`
/// for basic and OAuth 2. An API key is placed by parameters alone.
///
/// Fails when the account has not what its way of signing in needs.
pub fn add_credentials(
    connector: &Connector,
    settings: &Settings,
    headers: &mut Vec<(String, String)>,
) -> Result<(), AuthError> {
    let needed = |key: &str, what: &str| {
        settings.filled(key).ok_or_else(|| Unset { key: key.to_string(), place: what.to_string() })
    };
    if headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization")) {
        return Ok(());
    }
    match connector.authentication {
        AuthenticationKind::Basic
            if !is_placed(connector, "username") && !is_placed(connector, "password") =>
        {
            let what = "basic authentication";
            let user = needed("username", what)?;
            // A password may be blank on purpose: keys are often sent as user names.
            let password = settings.get("password").unwrap_or_default();
            headers.push(("Authorization".into(), basic(user, password)));
        }
        AuthenticationKind::OAuth2
        | AuthenticationKind::OAuth2ClientCredentials
        | AuthenticationKind::OAuth2Password
            if !is_placed(connector, "oauth.user.token") =>
        {
            let token = needed("oauth.user.token", "OAuth 2")?;
            headers.push(("Authorization".into(), format!("Bearer {token}")));
        }
        AuthenticationKind::AwsV4 => return Err(AuthError::AwsUnsupported),
        AuthenticationKind::Basic
        | AuthenticationKind::OAuth2
        | AuthenticationKind::OAuth2ClientCredentials
        | AuthenticationKind::OAuth2Password
        | AuthenticationKind::None
        | AuthenticationKind::ApiKey
        | AuthenticationKind::OAuth1
        | AuthenticationKind::Custom => {}
    }
    Ok(())
}

/// The value of `Authorization` for a user and a password.
pub fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// Signs the finished request where the way of signing in needs that (OAuth 1), unless it is authorised already.
pub(crate) fn sign(
    context: &CallContext,
    method: &str,
    url: &str,
    body: &VendorBody,
    headers: &mut Vec<(String, String)>,
) -> Result<(), AuthError> {
    let authorised = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    if context.connector.authentication != AuthenticationKind::OAuth1 || authorised {
        return Ok(());
    }
    let form = match body {
        VendorBody::Form(fields) => fields.as_slice(),
        VendorBody::Empty | VendorBody::Json(_) | VendorBody::Text(_) | VendorBody::Multipart(_) => &[],
    };
    let signature = oauth1::Signing {
        settings: &context.settings,
        token: Some(("oauth.user.token", "oauth.user.token.secret")),
        extra: &[],
        now: context.now,
        nonce: &context.nonce,
    };
    headers.push(("Authorization".into(), signature.header(method, url, form)?));
    Ok(())
}

/// Whether a 401 may be answered with new credentials instead of an error.
pub fn can_renew(connector: &Connector, settings: &Settings) -> bool {
    !matches!(renewal_way(connector, settings), Ok(RenewalWay::None) | Err(_))
}
