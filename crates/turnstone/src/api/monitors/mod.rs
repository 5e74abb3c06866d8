//! Polling monitors: documents and their versions, subscriptions that run them, cursors, and runs that write nothing.
//!
//! Who wrote the document of a monitor can send requests with the credentials of every instance that it is subscribed
//! for (to the connection's own origin, and nowhere else), so writing one is an admin's, and a dry run needs the same
//! right. Subscriptions and their cursors are a member's, like instances. Faults are told beside the member that has
//! them, all at once.
//!
//! Not here: what a document means (the core's `flow`), when a run is due and what it does (the engine's `flows`).

mod changes;
mod cursors;
mod document;
mod drafts;
mod dry_run;
mod settings;
mod subscriptions;
mod versions;

use turnstone_core::check::Fault;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::body::Query;
use super::error::{Answer, FaultBody};
use super::instances::both;

pub use self::dry_run::{CardError, Tested, TraceBody};
pub use self::subscriptions::under_way;

/// The operations.
pub fn routes() -> OpenApiRouter<Api> {
    let router = OpenApiRouter::new()
        .routes(routes!(document::check_document))
        .routes(routes!(document::import_flow))
        .routes(routes!(dry_run::test_document))
        .routes(routes!(drafts::list, drafts::create))
        .routes(routes!(drafts::read, drafts::replace, drafts::remove))
        .routes(routes!(drafts::deploy))
        .routes(routes!(versions::list))
        .routes(routes!(versions::read))
        .routes(routes!(dry_run::test))
        .routes(routes!(subscriptions::list))
        .routes(routes!(subscriptions::read, subscriptions::change, subscriptions::remove))
        .routes(routes!(subscriptions::activate, subscriptions::deactivate))
        .routes(routes!(subscriptions::run))
        .routes(routes!(subscriptions::runs))
        .routes(routes!(cursors::read, cursors::replace, cursors::reset))
        .routes(routes!(cursors::list))
        .routes(routes!(cursors::rewind));
    both(router, routes!(subscriptions::list_of_instance, subscriptions::create))
}

/// The page of a list that was asked for, and what `nextPage` continues after. The rows stand in the order of their
/// ids.
fn page<T>(query: &Query, rows: Vec<T>, id: impl Fn(&T) -> i64) -> Answer<(Vec<T>, Option<i64>)> {
    let after = query.number("nextPage")?.unwrap_or(0);
    let size = query.page_size()? as usize;
    let mut rows: Vec<T> = rows.into_iter().filter(|row| id(row) > after).collect();
    let has_more = rows.len() > size;
    rows.truncate(size);
    let next = rows.last().map(&id).filter(|_| has_more);
    Ok((rows, next))
}

fn findings(faults: &[Fault]) -> Vec<FaultBody> {
    faults.iter().map(FaultBody::from).collect()
}
