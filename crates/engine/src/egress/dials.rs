//! Whether a request dialled a connection, or was served by a kept one: the latter may be sent again.

use std::cell::Cell;
use std::task::{Context, Poll};

tokio::task_local! {
    static DIALLED: Cell<bool>;
}

/// Runs a request and tells whether it dialled a connection. One that did not was served by a kept connection.
pub(super) async fn noting_dials<T>(request: impl Future<Output = T>) -> (T, bool) {
    DIALLED
        .scope(Cell::new(false), async {
            let outcome = request.await;
            (outcome, DIALLED.with(Cell::get))
        })
        .await
}

/// Stands before the library's connector and notes when it is called.
#[derive(Clone, Copy)]
pub(super) struct NoteDials;

impl<S> tower::Layer<S> for NoteDials {
    type Service = Noting<S>;

    fn layer(&self, inner: S) -> Noting<S> {
        Noting { inner }
    }
}

#[derive(Clone)]
pub(super) struct Noting<S> {
    inner: S,
}

impl<S: tower::Service<R>, R> tower::Service<R> for Noting<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, target: R) -> S::Future {
        // Outside of a request (the library connects ahead for a later one) nobody asks.
        let _ = DIALLED.try_with(|dialled| dialled.set(true));
        self.inner.call(target)
    }
}
