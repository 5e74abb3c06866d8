//! What a provider is made of: its resources, how fast they change, and how each is served.
//!
//! Everything has a default that suits a demo. [`Settings`] can be changed while the provider runs, through
//! [`crate::control`]; the rest is fixed at the start.

use serde::{Deserialize, Serialize};

use crate::data::{IdStyle, RecordKind};
use crate::dates::DateStyle;
use crate::faults::FaultRule;
use crate::paging::{Order, PageStyle, Progress};

/// A whole provider.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProviderConfig {
    /// The same seed, rates and instants give the same records and changes.
    pub seed: u64,
    /// Port on the loopback address; 0 takes a free one.
    pub port: u16,
    /// The collections served under `/v1/`.
    pub resources: Vec<ResourceConfig>,
    /// How far the provider's clock is ahead of the driving clock, in milliseconds: its stamps and its `Date` header.
    pub skew_ms: i64,
    /// How far the `Date` header is ahead of the provider's own stamps, in milliseconds.
    pub date_skew_ms: i64,
    /// What a request must carry.
    pub auth: Auth,
    /// Faults from the start.
    pub faults: Vec<FaultRule>,
    /// Whether the records that exist at the start stand in the log as created.
    pub log_initial: bool,
    /// Whether time brings changes; forced changes happen even when it does not.
    pub paused: bool,
}

impl Default for ProviderConfig {
    /// Customers, orders and tickets of a small shop that changes a few times per second.
    fn default() -> ProviderConfig {
        ProviderConfig {
            seed: 1,
            port: 0,
            resources: vec![
                ResourceConfig::new("customers", RecordKind::Customers)
                    .with_initial(240)
                    .with_rates(0.3, 0.7, 0.04),
                ResourceConfig::new("orders", RecordKind::Orders).with_initial(400).with_rates(0.5, 1.2, 0.0),
                ResourceConfig::new("tickets", RecordKind::Tickets)
                    .with_initial(120)
                    .with_rates(0.2, 0.6, 0.02),
            ],
            skew_ms: 0,
            date_skew_ms: 0,
            auth: Auth::None,
            faults: Vec::new(),
            log_initial: false,
            paused: false,
        }
    }
}

impl ProviderConfig {
    /// A provider of exactly these resources.
    pub fn of(seed: u64, resources: Vec<ResourceConfig>) -> ProviderConfig {
        ProviderConfig { seed, resources, ..ProviderConfig::default() }
    }
}

/// One collection of records.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceConfig {
    /// Its name in the path.
    pub name: String,
    /// What its records look like.
    pub kind: RecordKind,
    /// How its ids are written.
    pub ids: IdStyle,
    /// Records that exist at the start, with stamps over the 90 days before.
    #[serde(default)]
    pub initial: u32,
    /// How fast it changes.
    #[serde(default)]
    pub rates: Rates,
    /// How it is served.
    #[serde(default)]
    pub settings: Settings,
}

impl ResourceConfig {
    /// An empty resource that does not change: customers have numbers as ids, orders text, tickets numbers beyond 2⁵³.
    pub fn new(name: &str, kind: RecordKind) -> ResourceConfig {
        let ids = match kind {
            RecordKind::Customers => IdStyle::Number,
            RecordKind::Orders => IdStyle::Text,
            RecordKind::Tickets => IdStyle::BigNumber,
        };
        ResourceConfig {
            name: name.to_owned(),
            kind,
            ids,
            initial: 0,
            rates: Rates::default(),
            settings: Settings::default(),
        }
    }

    /// With this many records at the start.
    pub fn with_initial(mut self, records: u32) -> ResourceConfig {
        self.initial = records;
        self
    }

    /// With these changes per second.
    pub fn with_rates(mut self, creates: f64, updates: f64, deletes: f64) -> ResourceConfig {
        self.rates = Rates { creates, updates, deletes };
        self
    }

    /// With these settings.
    pub fn with_settings(mut self, settings: Settings) -> ResourceConfig {
        self.settings = settings;
        self
    }
}

/// Changes per second; the pauses between them are exponentially distributed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rates {
    /// New records.
    pub creates: f64,
    /// Changed records.
    pub updates: f64,
    /// Deleted records.
    pub deletes: f64,
}

/// How a resource is served where a request does not say otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Names of the members that polling needs.
    pub names: Names,
    /// How its dates are written.
    pub dates: DateStyle,
    /// The zone of its local times: `UTC`, an offset, or an IANA name.
    pub zone: String,
    /// How its pages follow one another.
    pub style: PageStyle,
    /// What a page token means; empty takes the style's own.
    pub tokens: Option<Progress>,
    /// Where the records are: `bare` or a dotted path; empty takes `bare` where the style allows it, else `data.items`.
    pub list: Option<String>,
    /// Order of lists.
    pub sort: Order,
    /// Records on a page that does not ask for a size.
    pub page_size: usize,
    /// The most records on a page.
    pub page_size_max: usize,
    /// Number of the first page.
    pub first_page: usize,
    /// Positions beyond this many records are refused.
    pub result_cap: Option<usize>,
    /// The unit in which filters compare; both sides are rounded down to it.
    pub filter_resolution: Resolution,
    /// What a deletion leaves behind.
    pub deletes: DeleteMode,
    /// Status of a deleted record's own address.
    pub gone_status: u16,
    /// Whether URLs of next pages carry scheme and host.
    pub absolute_next: bool,
    /// Changes that lists show late.
    pub late: Option<LateVisibility>,
    /// How far the lagging replica is behind; without it there is none.
    pub replica_lag_ms: Option<u64>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            names: Names::default(),
            dates: DateStyle::IsoMillis,
            zone: "UTC".to_owned(),
            style: PageStyle::Page,
            tokens: None,
            list: None,
            sort: Order::Asc,
            page_size: 20,
            page_size_max: 1_000,
            first_page: 1,
            result_cap: None,
            filter_resolution: Resolution::Us,
            deletes: DeleteMode::Hard,
            gone_status: 404,
            absolute_next: true,
            late: None,
            replica_lag_ms: None,
        }
    }
}

/// Names of the members that polling needs; a provider may change them overnight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Names {
    /// The id.
    pub id: String,
    /// The created value.
    pub created: String,
    /// The updated value.
    pub updated: String,
    /// Whether ids that are numbers are written as text.
    pub quoted_ids: bool,
}

impl Default for Names {
    fn default() -> Names {
        Names {
            id: "id".to_owned(),
            created: "created_at".to_owned(),
            updated: "updated_at".to_owned(),
            quoted_ids: false,
        }
    }
}

/// Late visibility: a change appears in lists some time after its stamp, as with a lagging search index or a
/// transaction that is stamped when it begins.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LateVisibility {
    /// Share of the changes that are late, 0 to 1.
    pub share: f64,
    /// Least delay in milliseconds.
    pub min_ms: u64,
    /// Largest delay in milliseconds.
    pub max_ms: u64,
}

/// What a deletion leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeleteMode {
    /// Nothing: the record is gone from lists.
    Hard,
    /// The record with `"is_deleted":true` and a new updated value.
    Soft,
    /// A tombstone in the list and under `/v1/{resource}/deleted`: id, dates, version and `"deleted":true`.
    Tombstone,
}

/// A unit of time in which filters compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// Microseconds: as stored.
    Us,
    /// Milliseconds.
    Ms,
    /// Seconds.
    S,
    /// Minutes.
    Min,
    /// Hours.
    H,
    /// Days of UTC.
    Day,
}

impl Resolution {
    /// Length of the unit in microseconds.
    pub fn micros(self) -> i64 {
        match self {
            Resolution::Us => 1,
            Resolution::Ms => 1_000,
            Resolution::S => 1_000_000,
            Resolution::Min => 60_000_000,
            Resolution::H => 3_600_000_000,
            Resolution::Day => 86_400_000_000,
        }
    }
}

/// What a request must carry; otherwise it is answered 401.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Auth {
    /// Nothing.
    None,
    /// Basic authentication.
    Basic {
        /// User name.
        username: String,
        /// Password.
        password: String,
    },
    /// `Authorization: Bearer …`.
    Bearer {
        /// The token.
        token: String,
    },
    /// A key in a header.
    ApiKey {
        /// Name of the header.
        header: String,
        /// The key.
        value: String,
    },
}
