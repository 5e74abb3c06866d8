//! Who asks: the organisation whose token the `Authorization` header carries.
//!
//! The header is the field's: pairs of a kind and a value, separated by commas, in any order
//! (`User x, Organization y`). Only the organisation's part decides here. Tokens are random, so their SHA-256 is all
//! that is kept, and looking one up by its hash tells nothing about the others.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use sha2::{Digest, Sha256};
use turnstone_core::id::OrgId;

use super::Api;
use super::error::{Answer, ApiError};

/// Characters of a token that somebody chooses; shorter ones can be guessed.
pub const TOKEN_CHARS_MIN: usize = 16;

/// The hash by which a token is known.
pub fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Lets a request pass with its [`OrgId`] as an extension, or answers 401.
pub async fn require(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    match organisation(&api, request.headers()).await {
        Ok(org) => {
            request.extensions_mut().insert(org);
            next.run(request).await
        }
        Err(error) => {
            let unauthorised = error.status == StatusCode::UNAUTHORIZED;
            let mut response = axum::response::IntoResponse::into_response(error);
            if unauthorised {
                response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Organization"));
            }
            response
        }
    }
}

async fn organisation(api: &Api, headers: &HeaderMap) -> Answer<OrgId> {
    let refused = |message: &str| ApiError::new(StatusCode::UNAUTHORIZED, "unauthorized", message);
    let header = headers.get(AUTHORIZATION).ok_or_else(|| {
        refused("the Authorization header is missing; send `User <secret>, Organization <secret>`")
    })?;
    let token = header.to_str().ok().and_then(organisation_secret).ok_or_else(|| {
        refused("the Authorization header names no organisation; send `User <secret>, Organization <secret>`")
    })?;
    let org = api.store.org_by_token(hash(token)).await?;
    org.ok_or_else(|| refused("the organisation secret is not known"))
}

/// The value of the kind `Organization`, in any letter case.
fn organisation_secret(header: &str) -> Option<&str> {
    header.split(',').find_map(|pair| {
        let (kind, value) = pair.trim().split_once(' ')?;
        let value = value.trim();
        (kind.eq_ignore_ascii_case("organization") && !value.is_empty()).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(header: &str, expect: Option<&str>) {
        assert_eq!(organisation_secret(header), expect, "{header}");
    }

    #[test]
    fn the_organisation_is_found_among_the_pairs() {
        check("User a/b+c=, Organization 0123", Some("0123"));
        check("Organization 0123,User x", Some("0123"));
        check("organization  0123 , Element e", Some("0123"));
        check("Element x, User y", None);
        check("Bearer 0123", None);
        check("Organization", None);
        check("Organization ", None);
        check("", None);
    }
}
