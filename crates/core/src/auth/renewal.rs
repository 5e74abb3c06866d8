//! When credentials are renewed, how, and what of them is kept under which configuration key.
//!
//! A token is renewed before it ends, because a request takes time and clocks differ; a 401 stays the last word
//! (catalogue E05). The end comes from the provider's `expires_in` or the connector's `oauth.user.refresh_interval`,
//! whichever is sooner; without a time of the last renewal nothing is known, and the 401 decides alone.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{AuthError, Token, client_credentials_request, password_request, refresh_request};
use crate::call::{Change, VendorRequest};
use crate::connector::{AuthenticationKind, Connector, ResourceKind, Settings};
use crate::limits::TOKEN_MARGIN;

/// Seconds that a token lives when nobody says (platform-api §4).
const REFRESH_INTERVAL_DEFAULT: u64 = 3_600;

/// How an account's credentials are renewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RenewalWay {
    /// By this request; [`super::read_token`] reads its answer.
    Request(VendorRequest),
    /// By calling this resource of the connector (`onRefresh`, `oauthOnTokenRefresh` …): its hooks change the
    /// configuration.
    Resource(usize),
    /// They cannot be: the account must connect again.
    None,
}

/// The way to renew an account's credentials. A connector's own resource goes before the standard request.
///
/// Fails when the standard request lacks a configuration value.
pub fn renewal_way(connector: &Connector, settings: &Settings) -> Result<RenewalWay, AuthError> {
    let own = |kinds: &[ResourceKind]| kinds.iter().find_map(|kind| connector.resource_of(*kind));
    let by_resource = match connector.authentication {
        AuthenticationKind::OAuth2 | AuthenticationKind::OAuth2Password => {
            own(&[ResourceKind::OAuthOnTokenRefresh, ResourceKind::OnRefresh])
        }
        AuthenticationKind::OAuth2ClientCredentials => {
            own(&[ResourceKind::OAuth2ClientCredentials, ResourceKind::OnRefresh])
        }
        AuthenticationKind::Custom | AuthenticationKind::ApiKey | AuthenticationKind::Basic => {
            own(&[ResourceKind::OnRefresh])
        }
        AuthenticationKind::None | AuthenticationKind::OAuth1 | AuthenticationKind::AwsV4 => None,
    };
    if let Some(resource) = by_resource {
        return Ok(RenewalWay::Resource(resource));
    }
    let has_refresh_token = settings.filled("oauth.user.refresh_token").is_some();
    Ok(match connector.authentication {
        AuthenticationKind::OAuth2 if has_refresh_token => RenewalWay::Request(refresh_request(settings)?),
        AuthenticationKind::OAuth2Password if has_refresh_token => {
            RenewalWay::Request(refresh_request(settings)?)
        }
        AuthenticationKind::OAuth2Password => RenewalWay::Request(password_request(settings)?),
        AuthenticationKind::OAuth2ClientCredentials => {
            RenewalWay::Request(client_credentials_request(settings)?)
        }
        AuthenticationKind::OAuth2
        | AuthenticationKind::None
        | AuthenticationKind::Basic
        | AuthenticationKind::ApiKey
        | AuthenticationKind::OAuth1
        | AuthenticationKind::AwsV4
        | AuthenticationKind::Custom => RenewalWay::None,
    })
}

/// When credentials are due for renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Before the next request.
    Now,
    /// Not before this instant.
    At(Timestamp),
    /// Nothing tells; a 401 will.
    Unknown,
}

/// When an account's credentials are due, by what was stored with them.
pub fn due(settings: &Settings, now: Timestamp) -> Due {
    let number = |key: &str| settings.filled(key).and_then(|text| text.parse::<f64>().ok());
    let Some(renewed) = number("oauth.user.refresh_time").and_then(instant) else { return Due::Unknown };
    let lives = |key: &str| number(key).filter(|seconds| (1.0..=4e9).contains(seconds));
    let told = [lives("expires_in"), lives("oauth.user.refresh_interval")].into_iter().flatten();
    #[expect(clippy::cast_precision_loss, reason = "a default of a few thousand")]
    let lifetime = told.reduce(f64::min).unwrap_or(REFRESH_INTERVAL_DEFAULT as f64);
    let lifetime = Duration::from_secs_f64(lifetime);
    // A token of seconds would always be due with the whole margin.
    let margin = TOKEN_MARGIN.min(lifetime / 4);
    let Ok(span) = SignedDuration::try_from(lifetime - margin) else { return Due::Unknown };
    match renewed.checked_add(span) {
        // A renewal that lies ahead is a clock that was set back: the end is not known then.
        Ok(at) if at > now && renewed <= now + SignedDuration::from_secs(60) => Due::At(at),
        Ok(at) if at <= now => Due::Now,
        Ok(_) | Err(_) => Due::Unknown,
    }
}

/// `oauth.user.refresh_time`: milliseconds of the epoch.
fn instant(milliseconds: f64) -> Option<Timestamp> {
    #[expect(clippy::cast_possible_truncation, reason = "bounded just before")]
    let whole = (0.0..=9e14).contains(&milliseconds).then_some(milliseconds as i64)?;
    Timestamp::from_millisecond(whole).ok()
}

/// What is stored of a token, by configuration key. A refresh token that did not come again stays as it is.
pub fn stored(token: &Token, now: Timestamp) -> Vec<Change> {
    let mut changes = vec![
        ("oauth.user.token".to_string(), Some(token.access.clone())),
        ("oauth.user.refresh_time".to_string(), Some(now.as_millisecond().to_string())),
    ];
    if let Some(refresh) = &token.refresh {
        changes.push(("oauth.user.refresh_token".to_string(), Some(refresh.clone())));
    }
    // The end of the token before this one says nothing about this one.
    changes.push(("expires_in".to_string(), token.expires_in.map(|seconds| seconds.to_string())));
    changes
}
