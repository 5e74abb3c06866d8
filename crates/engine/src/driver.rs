//! Carries out the steps of a run. All IO of a run happens here, and no decision is made here.
//!
//! Two forms: [`drive`] writes what the machine decides, under a lease; [`rehearse`] writes nothing and remembers
//! instead what would have been written, so that `explain` sees exactly what a real run would do.
//!
//! Not here: claiming and renewing leases (`poller`), sending (`egress`).

use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::sync::Arc;

use futures_util::future::{BoxFuture, Either, FutureExt, select};
use futures_util::stream::{self, StreamExt};
use turnstone_core::id::PollerId;
use turnstone_core::ledger::{Entry, Known, KnownVersion, Recall, Version};
use turnstone_core::poll::{Batch, Finish};
use turnstone_core::run::{Reply, Request, Step};
use turnstone_store::{Committed, Lease, Result, Store};

use crate::clock::Clock;
use crate::egress::{Connection, Net};
use crate::stop::Stop;

/// Requests of one step that are under way at once. They go to one provider, which did not ask for more.
const REQUESTS_AT_ONCE: usize = 4;

/// What a run works with.
#[derive(Clone)]
pub struct Tools {
    /// Where it keeps what it knows.
    pub store: Arc<dyn Store>,
    /// The way to the provider.
    pub net: Arc<dyn Net>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// How a run ended.
#[derive(Debug)]
pub enum Ended {
    /// Its last transaction is durable.
    Finished(Box<Finish>),
    /// The lease was lost; whoever holds it now goes on.
    Abandoned,
}

/// What can be seen of a run while it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// An answer arrived.
    Answered,
    /// So many records of a page were read.
    Read(usize),
    /// A transaction with so many events is durable.
    Committed(usize),
}

/// Who watches a run, and who may end it early.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// Ends the run at the next step at which nothing is half done.
    pub stop: &'a Stop,
    /// Is told what happens. Called between two steps, so it must be quick.
    pub progress: &'a (dyn Fn(Progress) + Send + Sync),
}

/// Carries out a run to its end. Every commit has been answered by the store before the machine goes on.
pub async fn drive(
    step: Step,
    lease: Lease<PollerId>,
    tools: &Tools,
    connection: &Connection,
) -> Result<Ended> {
    let watch = Watch { stop: &Stop::new(), progress: &|_| () };
    let ended = drive_until(step, lease, tools, connection, watch).await?;
    // Nobody else holds this stop, so nobody asked; a run that ended without an end would be one that lost its lease.
    Ok(ended.unwrap_or(Ended::Abandoned))
}

/// Carries out a run to its end, or until a stop is asked for. `None`: it was stopped; the page in hand and everything
/// before it is durable, nothing was finished, and the lease is still held.
pub async fn drive_until(
    mut step: Step,
    lease: Lease<PollerId>,
    tools: &Tools,
    connection: &Connection,
    watch: Watch<'_>,
) -> Result<Option<Ended>> {
    // Memory of the answer that the machine is working on; given back when the next one is asked for.
    let mut held = None;
    // A commit under way while the machine already works on the page that came meanwhile.
    let mut pending: Option<Pending<'_>> = None;
    loop {
        // Nothing is sent, written or told before what came before it is durable. The ledger may be read.
        if !matches!(step, Step::Recall(Recall::Versions(_), _))
            && let Some(Pending { commit, .. }) = pending.take()
            && commit.await? == Committed::StaleLease
        {
            return Ok(Some(Ended::Abandoned));
        }
        step = match step {
            Step::Fetch(requests, waiting) => {
                drop(held.take());
                if watch.stop.is_asked() {
                    return Ok(None);
                }
                let Some(replies) = watch.stop.unless_asked(send_all(requests.0, tools, connection)).await
                else {
                    return Ok(None);
                };
                held = Some(connection.bodies.take());
                (watch.progress)(Progress::Answered);
                waiting.resume(replies)
            }
            Step::Recall(recall, waiting) => {
                let Some(known) = recalled(&recall, lease, tools, &mut pending).await? else {
                    return Ok(Some(Ended::Abandoned));
                };
                if let Recall::Versions(versions) = &recall {
                    (watch.progress)(Progress::Read(versions.len()));
                }
                waiting.resume(known)
            }
            Step::Wait(pause, waiting) => {
                if watch.stop.unless_asked(tools.clock.sleep(pause)).await.is_none() {
                    return Ok(None);
                }
                waiting.resume(tools.clock.now())
            }
            Step::Commit(batch, next, waiting) => {
                let travels = next.is_some();
                if travels {
                    drop(held.take());
                }
                let send = async {
                    match next {
                        Some(request) if !watch.stop.is_asked() => {
                            watch.stop.unless_asked(tools.net.send(request, connection)).await
                        }
                        Some(_) | None => None,
                    }
                };
                let overlay = if travels { Overlay::of(&batch) } else { Overlay::default() };
                let commit = commit(*batch, lease, tools, watch).boxed();
                let reply = match select(commit, pin!(send)).await {
                    Either::Left((committed, send)) => {
                        if committed? == Committed::StaleLease {
                            return Ok(Some(Ended::Abandoned));
                        }
                        send.await
                    }
                    Either::Right((reply, commit)) if travels && reply.is_some() => {
                        pending = Some(Pending { commit, overlay });
                        reply
                    }
                    Either::Right((reply, commit)) => {
                        if commit.await? == Committed::StaleLease {
                            return Ok(Some(Ended::Abandoned));
                        }
                        reply
                    }
                };
                if travels {
                    held = Some(connection.bodies.take());
                    if reply.is_none() {
                        return Ok(None);
                    }
                    (watch.progress)(Progress::Answered);
                }
                waiting.resume(reply)
            }
            Step::Done(finish) => {
                let events = finish.batch.events.len();
                let written = tools.store.finish(lease, (*finish).clone(), tools.clock.now()).await?;
                return Ok(Some(match written {
                    Committed::Yes => {
                        (watch.progress)(Progress::Committed(events));
                        Ended::Finished(finish)
                    }
                    Committed::StaleLease => Ended::Abandoned,
                }));
            }
        };
    }
}

/// A commit under way, and what the ledger will say once it is durable.
struct Pending<'a> {
    commit: BoxFuture<'a, Result<Committed>>,
    overlay: Overlay,
}

/// Asks the ledger, also while a commit is under way: two processors then work on two pages. Whether the store answers
/// from before or after that commit makes no difference, because what it writes is laid over the answer. What is
/// decided from it is written only after that commit, or never if it fails. `None`: the lease was lost.
async fn recalled(
    recall: &Recall,
    lease: Lease<PollerId>,
    tools: &Tools,
    pending: &mut Option<Pending<'_>>,
) -> Result<Option<Known>> {
    let asked = tools.store.recall(lease.id, recall);
    let Some(Pending { commit, overlay }) = pending.take() else { return asked.await.map(Some) };
    match select(commit, asked).await {
        Either::Left((committed, asked)) => match committed? {
            Committed::StaleLease => Ok(None),
            Committed::Yes => Ok(Some(overlay.over(recall, asked.await?))),
        },
        Either::Right((Ok(known), commit)) => {
            let known = overlay.over(recall, known);
            *pending = Some(Pending { commit, overlay });
            Ok(Some(known))
        }
        Either::Right((Err(error), commit)) => {
            commit.await?; // Nobody may take the run for ended while it still writes.
            Err(error)
        }
    }
}

/// Writes a batch and tells the watcher.
async fn commit(batch: Batch, lease: Lease<PollerId>, tools: &Tools, watch: Watch<'_>) -> Result<Committed> {
    let events = batch.events.len();
    let committed = tools.store.commit(lease, batch, tools.clock.now()).await?;
    if committed == Committed::Yes {
        (watch.progress)(Progress::Committed(events));
    }
    Ok(committed)
}

/// What a rehearsed run would have written.
#[derive(Debug)]
pub struct Rehearsal {
    /// Its batches, in order.
    pub batches: Vec<Batch>,
    /// Its finish.
    pub finish: Box<Finish>,
}

/// Carries out a run without writing anything. The ledger is read, and overlaid by what the run would have written.
pub async fn rehearse(
    mut step: Step,
    poller: PollerId,
    tools: &Tools,
    connection: &Connection,
) -> Result<Rehearsal> {
    let mut batches: Vec<Batch> = Vec::new();
    let mut overlay = Overlay::default();
    loop {
        step = match step {
            Step::Fetch(requests, waiting) => {
                let replies = send_all(requests.0, tools, connection).await;
                drop(connection.bodies.take());
                waiting.resume(replies)
            }
            Step::Recall(recall, waiting) => {
                let known = tools.store.recall(poller, &recall).await?;
                waiting.resume(overlay.over(&recall, known))
            }
            Step::Wait(pause, waiting) => {
                tools.clock.sleep(pause).await;
                waiting.resume(tools.clock.now())
            }
            Step::Commit(batch, next, waiting) => {
                overlay.add(&batch);
                batches.push(*batch);
                let reply = match next {
                    Some(request) => send_all(vec![request], tools, connection).await.pop(),
                    None => None,
                };
                drop(connection.bodies.take());
                waiting.resume(reply)
            }
            Step::Done(finish) => return Ok(Rehearsal { batches, finish }),
        };
    }
}

/// Sends requests, a few at once, and returns the answers in request order.
async fn send_all(requests: Vec<Request>, tools: &Tools, connection: &Connection) -> Vec<Reply> {
    stream::iter(requests)
        .map(|request| tools.net.send(request, connection))
        .buffered(REQUESTS_AT_ONCE)
        .collect()
        .await
}

/// Ledger rows that are not written yet, or never will be because the run is rehearsed.
#[derive(Default)]
struct Overlay {
    entries: HashMap<String, Entry>,
    versions: HashSet<Version>,
    swept: HashMap<String, u64>,
}

impl Overlay {
    fn of(batch: &Batch) -> Overlay {
        let mut overlay = Overlay::default();
        overlay.add(batch);
        overlay
    }

    fn add(&mut self, batch: &Batch) {
        for entry in &batch.entries {
            self.entries.insert(entry.id.clone(), entry.clone());
        }
        self.versions.extend(batch.versions.iter().cloned());
        for id in &batch.swept {
            self.swept.insert(id.clone(), batch.sweep);
        }
    }

    fn over(&self, recall: &Recall, known: Known) -> Known {
        match (recall, known) {
            (Recall::Versions(asked), Known::Versions(known)) => Known::Versions(
                asked.iter().zip(known).map(|(version, known)| self.over_one(version, known)).collect(),
            ),
            (Recall::Missing { last_sweep_below, .. }, Known::Missing { entries, missing, alive }) => {
                let seen = |entry: &Entry| {
                    self.swept.get(&entry.id).is_some_and(|sweep| sweep >= last_sweep_below)
                        || self
                            .entries
                            .get(&entry.id)
                            .is_some_and(|entry| entry.last_sweep >= *last_sweep_below)
                };
                let swept = self.swept.values().filter(|sweep| *sweep >= last_sweep_below).count() as u64;
                Known::Missing {
                    entries: entries.into_iter().filter(|entry| !seen(entry)).collect(),
                    missing: missing.saturating_sub(swept),
                    alive,
                }
            }
            (_, known) => known,
        }
    }

    fn over_one(&self, asked: &Version, known: KnownVersion) -> KnownVersion {
        let written = self.entries.get(&asked.id);
        let is_last =
            written.is_some_and(|entry| entry.compared == asked.compared && entry.hash == asked.hash);
        let version = known.version || is_last || self.versions.contains(asked);
        let mut entry = written.cloned().or(known.entry);
        if let Some(entry) = &mut entry
            && let Some(sweep) = self.swept.get(&asked.id)
        {
            entry.last_sweep = *sweep;
        }
        KnownVersion { entry, version, announced_at: known.announced_at }
    }
}
