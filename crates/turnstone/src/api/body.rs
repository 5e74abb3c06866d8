//! Reading what a client sends: bodies within a size and a time, JSON with the place of its first mistake, and query
//! parameters.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use jiff::Timestamp;
use serde::de::{DeserializeOwned, Deserializer, Error as _};
use serde_json::Value;
use utoipa::PartialSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use turnstone_core::limits::ELEMENT_BYTES_MAX;

use super::error::{Answer, ApiError};

/// Bytes of a request body. An instance with hundreds of resources stays far below.
pub const BODY_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Bytes of a body that is a whole connector, or a description of one: real exports have several hundred kilobytes.
pub const LARGE_BYTES_MAX: usize = ELEMENT_BYTES_MAX;
/// Time that a client may take to send a body.
pub const BODY_TIME_MAX: Duration = Duration::from_secs(15);
/// Entries of one page, and how many there are when the client does not say.
pub const PAGE_SIZE_MAX: u32 = 1_000;
/// See [`PAGE_SIZE_MAX`].
pub const PAGE_SIZE: u32 = 200;

/// A JSON body.
pub struct Body(pub Value);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Answer<Body> {
        must_be_json(&request)?;
        let bytes = bytes(request, BODY_BYTES_MAX).await?;
        serde_json::from_slice(&bytes).map(Body).map_err(|error| {
            ApiError::bad("malformedJson", format!("the body is not JSON: {error}; correct it at that place"))
        })
    }
}

/// A JSON body as its text, for documents that are kept as they came. Whether it is JSON is the reader's to find out.
pub struct TextBody(pub String);

impl<S: Send + Sync> FromRequest<S> for TextBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Answer<TextBody> {
        must_be_json(&request)?;
        text(bytes(request, LARGE_BYTES_MAX).await?).map(TextBody)
    }
}

/// The text of a body; a mark of its byte order is left out.
pub fn text(bytes: bytes::Bytes) -> Answer<String> {
    let text = String::from_utf8(bytes.into()).map_err(|error| {
        let place = error.utf8_error().valid_up_to();
        let message = format!("the body is not UTF-8 at byte {place}; send it in that encoding");
        ApiError::bad("malformedJson", message)
    })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

fn must_be_json(request: &Request) -> Answer<()> {
    let declared = request.headers().get(CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
    if declared.is_some_and(is_json) {
        return Ok(());
    }
    let message = match declared {
        Some(other) => format!("`{other}` is not read here; send `Content-Type: application/json`"),
        None => "the body has no type; send `Content-Type: application/json`".to_owned(),
    };
    Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupportedMediaType", message))
}

/// A JSON body of a known shape.
pub struct Typed<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + PartialSchema> FromRequest<S> for Typed<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Answer<Typed<T>> {
        let Body(value) = Body::from_request(request, state).await?;
        typed(value).map(Typed)
    }
}

/// A JSON body of a known shape, read from its text: members that are kept as they were written lose no digit.
pub struct TypedText<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for TypedText<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Answer<TypedText<T>> {
        must_be_json(&request)?;
        let text = text(bytes(request, BODY_BYTES_MAX).await?)?;
        // Whether it is JSON at all is told first, and in the words of every other body.
        let value: Value = serde_json::from_str(&text).map_err(|error| {
            ApiError::bad("malformedJson", format!("the body is not JSON: {error}; correct it at that place"))
        })?;
        if !value.is_object() {
            return Err(ApiError::bad("badDocument", "the body is not an object; send one in braces"));
        }
        serde_json::from_str(&text).map(TypedText).map_err(|error| {
            ApiError::bad("badDocument", format!("the body is not what is read here: {error}"))
        })
    }
}

/// A body that may be left out.
pub struct OptionalBody(pub Option<Value>);

impl<S: Send + Sync> FromRequest<S> for OptionalBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Answer<OptionalBody> {
        if request.headers().get(CONTENT_TYPE).is_none()
            && axum::body::HttpBody::is_end_stream(request.body())
        {
            return Ok(OptionalBody(None));
        }
        let Body(value) = Body::from_request(request, state).await?;
        Ok(OptionalBody(Some(value)))
    }
}

/// A body of a known shape that may be left out.
pub struct OptionalTyped<T>(pub Option<T>);

impl<S: Send + Sync, T: DeserializeOwned + PartialSchema> FromRequest<S> for OptionalTyped<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Answer<OptionalTyped<T>> {
        let OptionalBody(body) = OptionalBody::from_request(request, state).await?;
        Ok(OptionalTyped(body.map(typed).transpose()?))
    }
}

/// Reads a value into its shape. A list is not taken for an object whose members stand in order, as serde would.
fn typed<T: DeserializeOwned + PartialSchema>(value: Value) -> Answer<T> {
    let wants_object = matches!(T::schema(), RefOr::T(Schema::Object(_) | Schema::AllOf(_)));
    if wants_object && !value.is_object() {
        return Err(ApiError::bad("badDocument", "the body is not an object; send one in braces"));
    }
    serde_json::from_value(value)
        .map_err(|error| ApiError::bad("badDocument", format!("the body is not what is read here: {error}")))
}

/// For members that are objects within a body: a list is none, see [`Typed`].
pub fn as_object<'de, D: Deserializer<'de>, T: DeserializeOwned>(reader: D) -> Result<Option<T>, D::Error> {
    let members: Option<serde_json::Map<String, Value>> = serde::Deserialize::deserialize(reader)?;
    members.map(|members| serde_json::from_value(members.into()).map_err(D::Error::custom)).transpose()
}

fn is_json(declared: &str) -> bool {
    let essence = declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || essence.starts_with("application/") && essence.ends_with("+json")
}

/// A whole body of at most so many bytes.
pub async fn bytes(request: Request, bytes_max: usize) -> Answer<bytes::Bytes> {
    let too_large = || {
        let message = format!("the body is larger than {bytes_max} bytes");
        ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "bodyTooLarge", message)
    };
    let declared = axum::body::HttpBody::size_hint(request.body()).lower();
    if declared > bytes_max as u64 {
        return Err(too_large());
    }
    let reading = Limited::new(request.into_body(), bytes_max).collect();
    match tokio::time::timeout(BODY_TIME_MAX, reading).await {
        Err(_) => {
            let message = format!("the body did not come within {} s", BODY_TIME_MAX.as_secs());
            Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, "bodyTooSlow", message))
        }
        Ok(Err(error)) if error.downcast_ref::<LengthLimitError>().is_some() => Err(too_large()),
        Ok(Err(_)) => Err(ApiError::bad("bodyBroken", "the body broke off")),
        Ok(Ok(body)) => Ok(body.to_bytes()),
    }
}

/// The query's parameters, decoded; a name may stand several times.
pub struct Query(HashMap<String, Vec<String>>);

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Answer<Query> {
        let mut found: HashMap<String, Vec<String>> = HashMap::new();
        for (name, value) in decode(parts.uri.query().unwrap_or_default()) {
            found.entry(name).or_default().push(value);
        }
        Ok(Query(found))
    }
}

impl Query {
    /// The last value of a parameter.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.all(name).last().map(String::as_str)
    }

    /// All values of a parameter.
    pub fn all(&self, name: &str) -> &[String] {
        self.0.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// The last value of every parameter.
    pub fn into_last(self) -> BTreeMap<String, String> {
        self.0.into_iter().filter_map(|(name, mut values)| Some((name, values.pop()?))).collect()
    }

    /// A switch, off when it is not there; 400 when it is neither `true` nor `false`.
    pub fn flag(&self, name: &str) -> Answer<bool> {
        self.flag_or(name, false)
    }

    /// A switch that has this position when it is not there; 400 when it is neither `true` nor `false`.
    pub fn flag_or(&self, name: &str, unsaid: bool) -> Answer<bool> {
        match self.text(name).map(str::to_ascii_lowercase).as_deref() {
            None => Ok(unsaid),
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(other) => {
                let message = format!("`{name}` is `{other}`; write `true` or `false`");
                Err(ApiError::bad("badParameter", message))
            }
        }
    }

    /// A whole number of at least 0; 400 when it is none.
    pub fn number(&self, name: &str) -> Answer<Option<i64>> {
        self.text(name).map(|text| whole(name, text)).transpose()
    }

    /// Every value of a number that may be there several times; 400 when one is none.
    pub fn numbers(&self, name: &str) -> Answer<Vec<i64>> {
        self.all(name).iter().map(|text| whole(name, text)).collect()
    }

    /// An instant; 400 when it is none.
    pub fn instant(&self, name: &str) -> Answer<Option<Timestamp>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        text.trim().parse().map(Some).map_err(|_| {
            let message = format!("`{name}` is `{text}`; write an instant such as `2026-03-01T12:00:00Z`");
            ApiError::bad("badParameter", message)
        })
    }

    /// How many entries the pages before held: the parameter `nextPage` of lists that are in no order of ids.
    pub fn skip(&self) -> Answer<u32> {
        let skip = self.number("nextPage")?.unwrap_or(0);
        // No list is longer, so that nothing follows.
        Ok(u32::try_from(skip).unwrap_or(u32::MAX))
    }

    /// The parameter `pageSize`, between 1 and [`PAGE_SIZE_MAX`].
    pub fn page_size(&self) -> Answer<u32> {
        match self.number("pageSize")? {
            None => Ok(PAGE_SIZE),
            Some(size) => {
                u32::try_from(size).ok().filter(|size| (1..=PAGE_SIZE_MAX).contains(size)).ok_or_else(|| {
                    let message = format!("`pageSize` is {size}; write 1 to {PAGE_SIZE_MAX}");
                    ApiError::bad("badParameter", message)
                })
            }
        }
    }
}

fn whole(name: &str, text: &str) -> Answer<i64> {
    let number = text.trim().parse::<i64>().ok().filter(|number| *number >= 0);
    number.ok_or_else(|| {
        let message = format!("`{name}` is `{text}`; write a whole number of at least 0");
        ApiError::bad("badParameter", message)
    })
}

/// Tells how many entries an answer holds, and what `nextPage` continues after, if there may be more.
pub fn paged(response: &mut Response, returned: usize, next: Option<i64>) {
    response.headers_mut().insert("Elements-Returned-Count", HeaderValue::from(returned));
    if let Some(next) = next {
        response.headers_mut().insert("Elements-Next-Page-Token", HeaderValue::from(next));
    }
}

/// The same of a list whose pages are told by how many entries came before, with the number of all.
pub fn counted(response: &mut Response, skipped: u32, returned: usize, total: u64) {
    let reached = u64::from(skipped) + returned as u64;
    let next = (returned > 0 && reached < total).then(|| i64::try_from(reached).unwrap_or(i64::MAX));
    paged(response, returned, next);
    response.headers_mut().insert("Elements-Total-Count", HeaderValue::from(total));
}

/// The parameters of a query or the fields of a form, decoded, in their order.
pub fn pairs(text: &str) -> Vec<(String, String)> {
    decode(text).collect()
}

/// The fields of a form.
pub fn form(body: &[u8]) -> impl Iterator<Item = (String, String)> {
    decode(std::str::from_utf8(body).unwrap_or_default())
}

/// Decodes `application/x-www-form-urlencoded`. Bytes that are no text become replacement characters.
fn decode(query: &str) -> impl Iterator<Item = (String, String)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (percent_decode(name), percent_decode(value))
    })
}

fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                at += 3;
                continue;
            }
            (b'+', _, _) => decoded.push(b' '),
            (other, _, _) => decoded.push(other),
        }
        at += 1;
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_decoded_and_halves_are_left() {
        let pairs: Vec<_> = decode("where=status%3D'queued'+and&tags[]=a&&x&y=100%&z=%zz").collect();
        let expect =
            [("where", "status='queued' and"), ("tags[]", "a"), ("x", ""), ("y", "100%"), ("z", "%zz")];
        let expect: Vec<_> = expect.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        assert_eq!(pairs, expect);
    }

    #[test]
    fn json_is_told_by_its_type() {
        for declared in
            ["application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"]
        {
            assert!(is_json(declared), "{declared}");
        }
        for declared in ["", "text/json", "application/x-www-form-urlencoded", "text/plain; application/json"]
        {
            assert!(!is_json(declared), "{declared}");
        }
    }
}
