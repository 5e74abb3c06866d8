//! Trying a hook: a script that is kept nowhere, run once in the same pool and behind the same walls as live ones.
//!
//! Not here: the contract (the core's `hook`), and what a hook does to a call.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use turnstone_core::check::Fault;
use turnstone_core::hook::{HookCall, HookFault, HookInputs, HookKind, HookLimits, HookReply};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::access::Caller;
use super::body::TypedText;
use super::error::{Answer, ApiError};

/// The largest number that every client reads without losing a digit.
const SEED_MAX: u64 = (1 << 53) - 1;

/// The operations.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(test))
}

/// A hook to try.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ToTry {
    /// Where it stands.
    r#type: TriedKind,
    /// The script: the body of a function.
    script: String,
    /// Its inputs, named as in the script; none when it is left out.
    #[schema(value_type = Option<Object>)]
    input: Option<Box<RawValue>>,
    /// Whether it is an older hook, which returns its result and is not strict.
    legacy: Option<bool>,
    /// The time that it is told; ours when it is left out.
    #[schema(value_type = Option<String>, format = DateTime)]
    now: Option<Timestamp>,
    /// Where its chance begins: the same seed gives the same run.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    seed: Option<i64>,
}

/// Where a hook stands.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum TriedKind {
    /// Before a request goes to the provider.
    PreRequest,
    /// After its answer came.
    PostRequest,
    /// For a webhook of the provider.
    Event,
}

impl From<TriedKind> for HookKind {
    fn from(kind: TriedKind) -> HookKind {
        match kind {
            TriedKind::PreRequest => HookKind::PreRequest,
            TriedKind::PostRequest => HookKind::PostRequest,
            TriedKind::Event => HookKind::Event,
        }
    }
}

/// What came of a hook.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TriedHook)]
#[serde(rename_all = "camelCase")]
pub struct Tried {
    /// Whether it ended with a result.
    ok: bool,
    /// What it wants: what it handed to `done`, validated.
    #[schema(value_type = Option<Object>)]
    result: Option<Box<RawValue>>,
    /// Why it has no result.
    fault: Option<HookFaultBody>,
    /// What it logged.
    log: Vec<String>,
    /// Lines of the log that were dropped.
    log_dropped: u64,
    /// How long it took, in milliseconds.
    took_ms: f64,
    /// The time that it was told.
    #[schema(value_type = String, format = DateTime)]
    now: Timestamp,
    /// Where its chance began.
    seed: u64,
}

/// Why a hook has no result.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HookFault)]
pub struct HookFaultBody {
    /// For programs.
    #[schema(example = "thrown")]
    code: &'static str,
    /// A sentence.
    message: String,
    /// The line of the script, from 1, where it is known.
    line: Option<u32>,
}

impl From<HookFault> for HookFaultBody {
    fn from(fault: HookFault) -> HookFaultBody {
        HookFaultBody { code: fault.code(), message: fault.to_string(), line: fault.line() }
    }
}

/// Runs a hook that is kept nowhere.
///
/// It runs as live ones do: in a process of its own, within the same bounds. What went wrong in it is an answer, and no
/// error.
#[utoipa::path(
    post,
    path = "/hooks/test",
    tag = "elements",
    operation_id = "testHook",
    request_body = ToTry,
    responses((status = 200, body = Tried)),
    extensions(("x-right" = json!("admin")), ("x-audited" = json!(false)))
)]
pub async fn test(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    TypedText(body): TypedText<ToTry>,
) -> Answer<Json<Tried>> {
    let call = body.call(&api)?;
    let Some(pool) = api.calls.hooks() else {
        return Err(ApiError::conflict("hooksOff", "hooks are switched off in this server"));
    };
    let reply = pool.run(org, &call).await;
    Ok(Json(Tried::of(reply, &call)))
}

impl ToTry {
    /// What is run.
    fn call(self, api: &Api) -> Answer<HookCall> {
        let kind = HookKind::from(self.r#type);
        let input = self.input.as_ref().map_or("{}", |input| input.get());
        let inputs = HookInputs::from_json(input, kind).map_err(|problem| {
            let remedy = "name inputs as the script does".to_owned();
            ApiError::faults(vec![Fault { path: "input".to_owned(), problem, remedy }])
        })?;
        let seed = match self.seed.map(u64::try_from) {
            None => api.entropy.next_u64() & SEED_MAX,
            Some(Ok(seed)) if seed <= SEED_MAX => seed,
            Some(_) => return Err(ApiError::bad("badParameter", format!("`seed` is not 0 to {SEED_MAX}"))),
        };
        Ok(HookCall {
            kind,
            body: self.script,
            is_legacy: self.legacy.unwrap_or(false),
            inputs,
            limits: HookLimits::default(),
            now: self.now.unwrap_or_else(|| api.now()),
            seed,
        })
    }
}

impl Tried {
    fn of(reply: HookReply, call: &HookCall) -> Tried {
        let (result, fault) = match reply.result {
            Ok(outcome) => (serde_json::value::to_raw_value(&outcome).ok(), None),
            Err(fault) => (None, Some(fault.into())),
        };
        Tried {
            ok: fault.is_none(),
            result,
            fault,
            log: reply.log,
            log_dropped: reply.log_dropped,
            took_ms: (reply.took.as_secs_f64() * 1e5).round() / 1e2,
            now: call.now,
            seed: call.seed,
        }
    }
}
