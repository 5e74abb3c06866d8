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
use crate::egress::{Callback, CallbackReply, Connection, Net};

/// See [`Calls::net`].
pub(super) struct InstanceNet {
    pub(super) calls: Calls,
    pub(super) row: InstanceRow,
    pub(super) plain: Arc<dyn Net>,
}

#[async_trait]
impl Net for InstanceNet {
    async fn send(&self, request: Request, connection: &Connection) -> Reply {
        if !request.url.starts_with('/') {
            return self.plain.send(request, connection).await;
        }
        // Validators of one answer say nothing about a page that may be put together from several.
        let answer = self.calls.call_row(&self.row, CallRequest::get(&request.url), &connection.bodies).await;
        reply_of(answer, self.calls.0.way.clock.now())
    }

    async fn post(&self, callback: Callback) -> CallbackReply {
        self.plain.post(callback).await
    }
}
