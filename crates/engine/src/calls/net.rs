//! A way out for polls whose `url` is a path of their own connector.
//!
//! A poll asks for URLs and gets replies; that `/hubs/crm/contacts` is mapped, hooked and put together from several
//! requests is not its business. So the poll's machine stays as it is.

use std::sync::Arc;

use async_trait::async_trait;
use turnstone_core::call::{CallRequest, reply_of};
use turnstone_core::run::{Reply, Request};
use turnstone_store::InstanceRow;

use super::Calls;
use crate::connections::Trial;
use crate::egress::{Callback, CallbackReply, Connection, Net};

/// Whose calls they are.
pub(super) enum Account {
    /// A stored instance's.
    Row(Box<InstanceRow>),
    /// Nobody's yet.
    Trial(Trial),
}

/// See [`Calls::net`].
pub(super) struct InstanceNet {
    pub(super) calls: Calls,
    pub(super) account: Account,
    pub(super) plain: Arc<dyn Net>,
}

#[async_trait]
impl Net for InstanceNet {
    async fn send(&self, request: Request, connection: &Connection) -> Reply {
        if !request.url.starts_with('/') {
            return self.plain.send(request, connection).await;
        }
        // Validators of one answer say nothing about a page that may be put together from several.
        let (call, bodies) = (CallRequest::get(&request.url), &connection.bodies);
        let answer = match &self.account {
            Account::Row(row) => self.calls.call_row(row, call, bodies).await,
            Account::Trial(trial) => self.calls.call_trial(trial, call, bodies).await,
        };
        reply_of(answer, self.calls.0.way.clock.now())
    }

    async fn post(&self, callback: Callback) -> CallbackReply {
        self.plain.post(callback).await
    }
}
