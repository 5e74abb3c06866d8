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
use super::error::FaultBody;
use super::instances::both;

pub use self::dry_run::{Tested, TraceBody};

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

fn findings(faults: &[Fault]) -> Vec<FaultBody> {
    faults.iter().map(FaultBody::from).collect()
}
