//! A proposal of how a resource is polled, from one answer of its API: given, or read from its address.
//!
//! Not here: what is concluded from the sample (the core's `suggest`).

use axum::Json;
use axum::extract::State;
use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use turnstone_core::check::Fault;
use turnstone_core::json_text;
use turnstone_core::run::{Request, Response};
use turnstone_core::suggest::{self, Alternative, Proposal, Sample, suggest};
use turnstone_engine::egress::{Bodies, Connection};
use turnstone_engine::secrets::Secret;
use turnstone_store::Role;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::access::Caller;
use super::body::TypedText;
use super::error::{Answer, ApiError};

/// Headers that are sent along.
const HEADERS_MAX: usize = 50;
/// Characters of a provider's refusal that are shown.
const REFUSAL_CHARS_MAX: usize = 500;

/// The operations.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(propose))
}

/// What is known of a list of records.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ToSuggest {
    /// The list's address. It is read when no sample is given, which an admin may have done.
    #[schema(example = "https://api.example.com/v2/customers?page=1")]
    url: Option<String>,
    /// Headers to read it with. They are kept nowhere and shown nowhere.
    #[schema(value_type = Option<Object>)]
    headers: Option<Map<String, Value>>,
    /// One answer of it: any JSON, or a text of JSON.
    #[schema(value_type = Value)]
    sample: Option<Box<RawValue>>,
}

/// What is proposed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Suggested {
    /// A name for the resource.
    name: String,
    /// Its configuration, as `event.poller.configuration` takes it under that name. Without `url` when none was given.
    #[schema(value_type = Object)]
    resource: Map<String, Value>,
    /// One entry per setting, in the order of the configuration.
    proposals: Vec<ProposalBody>,
    /// What the sample cannot tell, or what speaks against a proposal.
    warnings: Vec<String>,
    /// Records that were looked at.
    sample_records: usize,
}

/// One setting with its evidence.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Proposal)]
pub struct ProposalBody {
    /// Its place in the resource.
    #[schema(example = "idField")]
    setting: String,
    /// What is proposed.
    value: Value,
    /// Why, in one sentence.
    #[schema(example = "present, unique and never empty in 25 of 25 records")]
    evidence: String,
    /// How sure it is, 0 to 1.
    confidence: f64,
    /// What else it could be, likeliest first.
    alternatives: Vec<AlternativeBody>,
}

/// Something else that a setting could be.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Alternative)]
pub struct AlternativeBody {
    /// The value.
    value: Value,
    /// What speaks for it.
    evidence: String,
}

impl From<Proposal> for ProposalBody {
    fn from(proposal: Proposal) -> ProposalBody {
        let Proposal { setting, value, evidence, confidence, alternatives } = proposal;
        let other = |Alternative { value, evidence }| AlternativeBody { value, evidence };
        let confidence = (confidence * 100.0).round() / 100.0;
        let alternatives = alternatives.into_iter().map(other).collect();
        ProposalBody { setting, value, evidence, confidence, alternatives }
    }
}

/// Proposes how a resource is polled, from one answer of its API.
///
/// The sample is given, or read once from `url`. Nothing is stored.
#[utoipa::path(
    post,
    path = "/suggest",
    tag = "instances",
    operation_id = "suggestResource",
    request_body = ToSuggest,
    responses((status = 200, body = Suggested)),
    extensions(("x-right" = json!("member")), ("x-audited" = json!(false)))
)]
pub async fn propose(
    State(api): State<Api>,
    caller: Caller,
    TypedText(body): TypedText<ToSuggest>,
) -> Answer<Json<Suggested>> {
    let ToSuggest { url, headers, sample } = body;
    let (read, headers) = match (&sample, &url) {
        (Some(sample), _) => (text_of(sample), Vec::new()),
        (None, Some(url)) => {
            let sentence =
                "having an address read needs the role `admin`; send the answer as `sample` instead";
            caller.must_be(Role::Admin, sentence)?;
            let response = read(&api, url, headers.unwrap_or_default()).await?;
            (response.body, response.headers)
        }
        (None, None) => {
            let remedy = "send one answer of the API, or the address of its list as `url`";
            return Err(fault("sample", "it is not given", remedy));
        }
    };
    let sample = Sample { url: url.as_deref(), headers: &headers, body: &read, now: api.now() };
    let made = suggest(&sample).map_err(|error| ApiError::bad("noSuggestion", error.to_string()))?;
    let suggest::Suggestion { name, resource, proposals, warnings, records } = made;
    let proposals = proposals.into_iter().map(ProposalBody::from).collect();
    Ok(Json(Suggested { name, resource, proposals, warnings, sample_records: records }))
}

fn fault(path: &str, problem: impl Into<String>, remedy: &str) -> ApiError {
    ApiError::faults(vec![Fault {
        path: path.to_owned(),
        problem: problem.into(),
        remedy: remedy.to_owned(),
    }])
}

/// A sample as its text: a text is taken for the answer itself.
fn text_of(sample: &RawValue) -> String {
    json_text::text(sample.get()).map_or_else(|| sample.get().to_owned(), std::borrow::Cow::into_owned)
}

/// Reads a list once, through the guard.
async fn read(api: &Api, url: &str, headers: Map<String, Value>) -> Answer<Response> {
    let address = api.guard.check_url(url.trim()).map_err(|error| {
        fault(
            "url",
            error.to_string(),
            "give an address that the server may reach, beginning with `https://`",
        )
    })?;
    let headers = judged(headers)?;
    let _place = api.rehearsal()?;
    let connection = Connection { headers, ..Connection::new(&address, Bodies::new(&api.budget)) };
    let reply = api.tools.net.send(Request::get(address.as_str()), &connection).await;
    let no_sample = |message: String| ApiError::bad("noSample", message);
    let response =
        reply.outcome.map_err(|error| no_sample(format!("there is no sample: {}", error.message)))?;
    if response.status != 200 {
        let message = format!(
            "the address answered {}, so there is no sample; correct `url` or `headers`, or send `sample`",
            response.status
        );
        let said: String = response.body.chars().take(REFUSAL_CHARS_MAX).collect();
        let provider_message = Some(said).filter(|said| !said.trim().is_empty());
        return Err(ApiError { provider_message, ..no_sample(message) });
    }
    Ok(response)
}

fn judged(headers: Map<String, Value>) -> Answer<Vec<(String, Secret)>> {
    if headers.len() > HEADERS_MAX {
        return Err(fault("headers", format!("there are more than {HEADERS_MAX}"), "send fewer"));
    }
    let one = |(name, value): (String, Value)| {
        let path = format!("headers.{name:?}");
        let text = match value {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            _ => return Err(fault(&path, "it is no text", "send its value as a text")),
        };
        let fits = name.parse::<HeaderName>().is_ok() && HeaderValue::from_str(&text).is_ok();
        match fits {
            true => Ok((name, Secret::from(text))),
            false => Err(fault(&path, "its name or its value cannot be a header's", "correct it")),
        }
    };
    headers.into_iter().map(one).collect()
}
