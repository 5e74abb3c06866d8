//! `Idempotency-Key`: a request that is sent again gets the answer that it got, and makes nothing twice.
//!
//! The answer to a new instance holds its token, so what is remembered is sealed, with a random salt inside: without
//! the server's key neither the token nor what was sent can be found out (decision 0047).

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use axum::Extension;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use turnstone_core::id::OrgId;
use turnstone_engine::secrets::{Place, Secret};
use turnstone_store::{NewAnswer, StoreError};

use super::shape::InstanceOrPlan;
use crate::api::access::{Caller, Unaudited};
use crate::api::error::{Answer, ApiError};
use crate::api::{Api, secret};

/// The request's header.
const HEADER: &str = "idempotency-key";
/// Characters of a key.
const KEY_CHARS_MAX: usize = 200;

/// Keys whose requests are under way in this process.
#[derive(Debug, Default)]
pub struct UnderWay(Mutex<HashSet<(OrgId, String)>>);

/// What is known of a request.
pub enum Remembered {
    /// It was answered with this.
    Answer(Response),
    /// It is new. The place is held until it is dropped; there is none without a key.
    New(Option<Held>),
}

/// A key whose request is being answered.
pub struct Held {
    api: Api,
    org: OrgId,
    key: String,
    request: String,
}

impl Drop for Held {
    fn drop(&mut self) {
        let under_way = &self.api.under_way().0;
        under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&(self.org, self.key.clone()));
    }
}

/// What is sealed.
#[derive(Serialize, Deserialize)]
struct Kept {
    salt: String,
    body: String,
}

/// Looks whether this request was answered before.
pub async fn begin(api: &Api, caller: &Caller, headers: &HeaderMap, document: &Value) -> Answer<Remembered> {
    let Some(key) = headers.get(HEADER) else { return Ok(Remembered::New(None)) };
    let key = key.to_str().unwrap_or_default().trim().to_owned();
    if key.is_empty() || key.len() > KEY_CHARS_MAX {
        let message = format!("`Idempotency-Key` is empty, or longer than {KEY_CHARS_MAX} characters");
        return Err(ApiError::bad("badParameter", message));
    }
    let key = format!("instances/{}/{key}", caller.user.id);
    let request = document.to_string();
    let held = {
        let under_way = &api.under_way().0;
        let mut known = under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.insert((caller.org, key.clone())) {
            let message = "the same `Idempotency-Key` is being answered just now; try again in a moment";
            return Err(ApiError::conflict("underWay", message));
        }
        Held { api: api.clone(), org: caller.org, key, request }
    };
    let Some(answer) = api.directory.remembered(caller.org, &held.key).await? else {
        return Ok(Remembered::New(Some(held)));
    };
    let kept = open(api, &held, &answer.answer)?;
    if hash(&kept.salt, &held.request) != answer.request_hash {
        let message = "this `Idempotency-Key` named another request before; choose a new one";
        return Err(ApiError::conflict("keyUsed", message));
    }
    let mut response =
        (Extension(Unaudited), [(http::header::CONTENT_TYPE, "application/json")], kept.body).into_response();
    response.headers_mut().insert("Idempotency-Replayed", HeaderValue::from_static("true"));
    Ok(Remembered::Answer(response))
}

/// Remembers an answer.
pub async fn end(api: &Api, caller: &Caller, held: Option<Held>, made: &InstanceOrPlan) -> Answer<()> {
    let Some(held) = held else { return Ok(()) };
    let salt = secret(api.entropy.as_ref());
    let request_hash = hash(&salt, &held.request);
    let kept = Kept { salt, body: serde_json::to_string(made).unwrap_or_default() };
    let text = Secret::from(serde_json::to_string(&kept).unwrap_or_default());
    let row = row(&held.key);
    let place = Place { organisation: caller.org.0, row: &row };
    let answer = api.preparer.keys().seal(&text, place, api.entropy.as_ref());
    let new = NewAnswer { org: caller.org, key: held.key.clone(), request_hash, status: 200, answer };
    match api.directory.remember_answer(new, api.now()).await {
        Ok(()) => Ok(()),
        // What was made is there: an answer that says otherwise would have it made again.
        Err(StoreError::Conflict(_)) => Ok(()),
        Err(error) => {
            tracing::warn!(%error, "an answer could not be remembered under its Idempotency-Key");
            Ok(())
        }
    }
}

fn open(api: &Api, held: &Held, sealed: &str) -> Answer<Kept> {
    let row = row(&held.key);
    let place = Place { organisation: held.org.0, row: &row };
    let gone = |detail: String| ApiError {
        detail: Some(detail),
        ..ApiError::conflict(
            "sealed",
            "what was answered does not open with this server's keys; look for the instance",
        )
    };
    let text = api.preparer.keys().open(sealed, place).map_err(|error| gone(error.to_string()))?;
    serde_json::from_str(text.expose()).map_err(|error| gone(error.to_string()))
}

fn row(key: &str) -> String {
    format!("answer/{key}")
}

fn hash(salt: &str, request: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(salt.as_bytes());
    hash.update([0]);
    hash.update(request.as_bytes());
    hash.finalize().into()
}
