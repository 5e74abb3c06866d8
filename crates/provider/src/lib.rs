//! A seeded fake CRM to poll in demos and tests.
//!
//! Records are created, updated and deleted as time passes; they are served in every pagination style and date style
//! of the field, with faults on demand; and the truth about every change can be read beside it. Nothing of Turnstone is
//! used here, because a fake must share no bug with what it tests.
//!
//! ```no_run
//! # async fn demo() -> std::io::Result<()> {
//! use turnstone_provider::{Provider, ProviderConfig};
//!
//! let provider = Provider::start(ProviderConfig::default()).await?;
//! println!("poll {}/v1/customers?updated_since=2026-01-01T00:00:00Z", provider.url());
//! # provider.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! # Resources
//!
//! | request | answer |
//! |---|---|
//! | `GET /v1/{resource}` | a list |
//! | `GET /v1/{resource}/deleted` | deleted records only (soft deletion and tombstones) |
//! | `GET /v1/{resource}/{id}` | one record; after its deletion the status of the setting `gone_status` |
//! | `GET /` | resources, settings, counts of requests, faults in force |
//! | `GET /_truth?after=n&limit=m` | the change log ([`log::Change`]) after position n |
//! | `GET /_truth/records?resource=r` | the newest version of every record ([`Truth`]), lag and faults aside |
//! | `GET /_requests` | the last requests under `/v1/` ([`Seen`]) |
//! | `POST /_control` | changes anything: [`control::Control`] as JSON |
//!
//! A record is `{"id", "created_at", "updated_at", "version", "seq", …}`; `version` and `seq` are those of the log,
//! and the first three can have other names ([`config::Names`]).
//! Lists and records carry an `ETag`, and `If-None-Match` is answered 304.
//!
//! # Parameters of a list
//!
//! | parameter | meaning |
//! |---|---|
//! | `updated_since`, `updated_after`, `modified_after`, `updated_at_gt`, `since` | later than |
//! | `updated_at_gte`, `updated_from`, `modified_from`, `start` | later or equal |
//! | `updated_before`, `updated_at_lt`, `end`; `updated_at_lte`, `updated_until` | earlier; earlier or equal |
//! | `created_since`, `created_at_gte`, `created_before`, … | the same for the created value |
//! | `seq_gt`, `after_seq`, `seq_gte` | by the change number |
//! | `filter`, `where` | `updated_at>='…' and created_at<'…'`, with `>=`, `<=`, `>`, `<`, `=` |
//! | `filter_dates`, `filter_resolution` | the style of dates in filters; `us`, `ms`, `s`, `min`, `h`, `day` |
//! | `dates`, `zone` | how dates are written: [`dates::DateStyle`]; an offset or IANA name |
//! | `sort` | `asc`, `desc`, `none`, `random`, `seq`, `updated_at`, `-updated_at` |
//! | `list` | `bare`, or the dotted path of the list in the body |
//! | `style` | where the next page is named: [`paging::PageStyle`] |
//! | `tokens` | what that name means: `page`, `offset`, `snapshot`, `keyset` |
//! | `per_page`, `limit`, `page_size`, `size` | records on a page |
//! | `page`, `offset`, `cursor` | the page |
//!
//! Without parameters the resource's [`config::Settings`] decide.
//!
//! # Time
//!
//! Time comes from a [`Clock`]. The provider's own clock may be ahead of it (`skew_ms`), and its `Date` header ahead of
//! that (`date_skew_ms`). Pauses of slow answers are real time, whatever the clock.

mod body;
pub mod config;
pub mod control;
pub mod data;
pub mod dates;
pub mod faults;
pub mod log;
pub mod paging;
mod server;
pub mod world;

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::MissedTickBehavior;

pub use crate::config::{
    Auth, DeleteMode, LateVisibility, Names, ProviderConfig, Rates, Resolution, ResourceConfig, Settings,
};
pub use crate::control::{Control, ControlReply, Op, OpKind, Stamp};
pub use crate::data::{IdStyle, RecordKind};
pub use crate::dates::DateStyle;
pub use crate::faults::{Fault, FaultRule, Framing, RetryAfter, Target};
pub use crate::log::{Change, ChangeKind};
pub use crate::paging::{Order, PageStyle, Progress};
pub use crate::server::Seen;

use crate::server::{Inner, Shared, Traffic};
use crate::world::World;

/// How often the world moves on when nobody asks.
const TICK: Duration = Duration::from_millis(100);

/// Tells the time that drives the world.
pub trait Clock: Send + Sync + 'static {
    /// Microseconds since 1970.
    fn now_micros(&self) -> i64;
}

/// The time of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_micros(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct ManualClock {
    micros: AtomicI64,
}

impl ManualClock {
    /// Stands at an instant in microseconds since 1970.
    pub fn at(micros: i64) -> Arc<ManualClock> {
        Arc::new(ManualClock { micros: AtomicI64::new(micros) })
    }

    /// Moves on.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        self.micros.fetch_add(by, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_micros(&self) -> i64 {
        self.micros.load(Ordering::SeqCst)
    }
}

/// The newest version of a record, as it really is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truth {
    /// The record's id as text.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// Its updated value in microseconds.
    pub stamp: i64,
    /// Whether it is deleted.
    pub deleted: bool,
}

pub(crate) fn truths(world: &World, resource: &str) -> Option<Vec<Truth>> {
    let collection = world.collection(resource)?;
    let truth = |record: &Arc<world::Record>| Truth {
        id: collection.ids().id(record.key),
        version: record.version,
        stamp: record.updated,
        deleted: record.deleted,
    };
    Some(collection.all().map(truth).collect())
}

/// Starts providers.
#[derive(Clone, Copy, Debug)]
pub struct Provider;

impl Provider {
    /// Starts a provider on the loopback address, driven by the time of this machine.
    ///
    /// Fails when the port is taken or the configuration cannot be served. Needs a Tokio runtime.
    pub async fn start(config: ProviderConfig) -> io::Result<RunningProvider> {
        Provider::start_with_clock(config, Arc::new(SystemClock)).await
    }

    /// Starts a provider that is driven by another clock.
    pub async fn start_with_clock(
        config: ProviderConfig,
        clock: Arc<dyn Clock>,
    ) -> io::Result<RunningProvider> {
        let mut settings = HashMap::new();
        for resource in &config.resources {
            let invalid = |message: String| io::Error::new(io::ErrorKind::InvalidInput, message);
            control::check_settings(&resource.settings)
                .map_err(|message| invalid(format!("resource `{}`: {message}", resource.name)))?;
            if settings.insert(resource.name.clone(), resource.settings.clone()).is_some() {
                return Err(invalid(format!("there are two resources `{}`", resource.name)));
            }
        }
        let started = clock.now_micros();
        let inner = Inner {
            world: World::new(&config, started),
            settings,
            settings_revision: 0,
            faults: faults::Faults::new(config.seed, config.faults),
            pager: paging::Pager::default(),
            auth: config.auth,
            date_skew_ms: config.date_skew_ms,
            token_epoch: 1,
            last_pages: HashMap::new(),
            request_number: 0,
        };
        let traffic = Mutex::new(Traffic::default());
        let shared = Arc::new(Shared { inner: Mutex::new(inner), traffic, clock, started });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, config.port)).await?;
        let address = listener.local_addr()?;
        let accepting = tokio::spawn(accept(listener, server::router(Arc::clone(&shared))));
        let ticking = tokio::spawn(tick(Arc::clone(&shared)));
        Ok(RunningProvider { address, shared, tasks: [accepting, ticking] })
    }
}

/// A provider that is up. Dropping it stops it.
pub struct RunningProvider {
    address: SocketAddr,
    shared: Arc<Shared>,
    tasks: [JoinHandle<()>; 2],
}

impl RunningProvider {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Scheme, host and port, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Changes anything; the error is a sentence.
    pub fn control(&self, control: Control) -> Result<ControlReply, String> {
        control::apply(&mut self.shared.present(), control)
    }

    /// Changes after a position of the log (0 for all), oldest first.
    pub fn truth(&self, after: u64) -> Vec<Change> {
        self.shared.present().world.log().after(after, usize::MAX)
    }

    /// The newest version of every record of a resource, deleted ones included; `None` without such a resource.
    pub fn records(&self, resource: &str) -> Option<Vec<Truth>> {
        truths(&self.shared.present().world, resource)
    }

    /// The provider's own present in microseconds.
    pub fn now_micros(&self) -> i64 {
        self.shared.present().world.provider_now()
    }

    /// Requests under `/v1/` so far.
    pub fn request_count(&self) -> u64 {
        self.shared.traffic().total
    }

    /// The last 10,000 requests under `/v1/`, oldest first.
    pub fn requests(&self) -> Vec<Seen> {
        self.shared.traffic().recent.iter().cloned().collect()
    }

    /// Stops it: open connections end, and the port is free when this returns.
    pub async fn stop(mut self) {
        for task in &mut self.tasks {
            task.abort();
            // The only outcome besides a panic is the cancellation just asked for.
            let _ = task.await;
        }
    }
}

impl Drop for RunningProvider {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn tick(shared: Arc<Shared>) {
    let mut interval = tokio::time::interval(TICK);
    interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        interval.tick().await;
        drop(shared.present());
    }
}

async fn accept(listener: TcpListener, router: axum::Router) {
    // Dropped with this task, and the connections with it.
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(serve(stream, router.clone()));
            }
            // Out of file handles, or a connection that ended before it was taken.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(stream: TcpStream, router: axum::Router) {
    // Only latency suffers without it.
    let _ = stream.set_nodelay(true);
    let inner = TowerToHyperService::new(router);
    let service = service_fn(move |request| {
        let answer = inner.call(request);
        async move {
            let response = match answer.await {
                Ok(response) => response,
                Err(never) => match never {},
            };
            match response.extensions().get::<body::Cut>() {
                Some(_) => Err(io::Error::other("the connection ends on demand")),
                None => Ok(response),
            }
        }
    });
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.auto_date_header(false).header_read_timeout(None);
    // A connection that ends badly concerns the client, who sees it.
    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
}
