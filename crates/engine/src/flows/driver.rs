//! Carries out the steps of a flow. All IO of it happens here, and no decision is made here.
//!
//! Cards are computed on a thread where computing harms nobody else: between two requests a flow may work for seconds.

use futures_util::stream::{self, StreamExt};
use turnstone_core::flow::run::{FlowEnd, FlowStart, FlowStep, start};
use turnstone_core::flow::turn::ClockSeen;

use super::link::Link;
use crate::clock::Clock;
use crate::stop::Stop;

/// Requests of one flow that are under way at once (docs/monitors.md, bounds).
const REQUESTS_AT_ONCE: usize = 16;

/// Runs a flow to its end. `None`: a stop was asked for; nothing came of it.
pub(super) async fn drive(
    flow: FlowStart,
    link: &Link,
    clock: &dyn Clock,
    stop: &Stop,
) -> Option<(FlowEnd, ClockSeen)> {
    let mut seen = ClockSeen::default();
    let mut step = computed(move || start(flow)).await;
    // Memory of the answers that the flow is working on; given back when the next ones are asked for.
    let mut held = None;
    loop {
        step = match step {
            FlowStep::Fetch(requests, waiting) => {
                drop(held.take());
                let own: Vec<bool> =
                    requests.iter().map(|request| request.authorised || link.base_url().is_none()).collect();
                let sending = stream::iter(requests).map(|request| link.send(request));
                let replies: Vec<_> = stop.unless_asked(sending.buffered(REQUESTS_AT_ONCE).collect()).await?;
                held = Some(link.bodies().take());
                for (reply, _) in replies.iter().zip(own).filter(|(_, own)| *own) {
                    seen.see(reply);
                }
                computed(move || waiting.resume(replies)).await
            }
            FlowStep::Wait(pause, waiting) => {
                // Whoever holds memory works; one that waits would make others wait for it.
                drop(held.take());
                stop.unless_asked(clock.sleep(pause)).await?;
                let now = clock.now();
                computed(move || waiting.resume(now)).await
            }
            FlowStep::Done(end) => return Some((*end, seen)),
        };
    }
}

/// The next step. A panic of the core goes on in whoever runs the flow.
async fn computed(step: impl FnOnce() -> FlowStep + Send + 'static) -> FlowStep {
    match tokio::task::spawn_blocking(step).await {
        Ok(step) => step,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
