//! The provider as a client meets it: over sockets, on a clock that the test moves.

mod client;
mod content;
mod faults;
mod pages;

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::Value;
use tokio::runtime::Runtime;
use turnstone_provider::{
    Control, ControlReply, ManualClock, Provider, ProviderConfig, RecordKind, ResourceConfig,
    RunningProvider, Settings,
};

use client::{Reply, get};

/// 2026-03-01T12:00:00Z.
const START: i64 = 1_772_366_400_000_000;

/// A provider whose time stands still, and the runtime that it lives in.
struct Bench {
    provider: RunningProvider,
    clock: Arc<ManualClock>,
    address: SocketAddr,
    _runtime: Runtime,
}

impl Bench {
    fn new(config: ProviderConfig) -> Bench {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let clock = ManualClock::at(START);
        let start = Provider::start_with_clock(config, clock.clone());
        let provider = runtime.block_on(start).expect("the provider starts");
        Bench { address: provider.address(), provider, clock, _runtime: runtime }
    }

    /// Customers only, as many as given, with the given settings.
    fn of_customers(initial: u32, settings: Settings) -> Bench {
        let customers = ResourceConfig::new("customers", RecordKind::Customers);
        let customers = customers.with_initial(initial).with_settings(settings);
        Bench::new(ProviderConfig::of(11, vec![customers]))
    }

    fn get(&self, target: &str) -> Reply {
        get(self.address, target)
    }

    #[track_caller]
    fn control(&self, control: Control) -> ControlReply {
        self.provider.control(control).expect("a good control document")
    }

    /// The ids of a list, wherever it is in the body.
    #[track_caller]
    fn ids(&self, target: &str) -> Vec<String> {
        let reply = self.get(target);
        assert_eq!(reply.status, 200, "{target}: {}", reply.text());
        ids_of(&reply.json())
    }
}

/// The ids of the list in a body, as text.
#[track_caller]
fn ids_of(body: &Value) -> Vec<String> {
    let list = if body.is_array() { body } else { &body["data"]["items"] };
    let list = list.as_array().unwrap_or_else(|| panic!("no list in {body}"));
    list.iter().map(|record| id_text(&record["id"])).collect()
}

fn id_text(id: &Value) -> String {
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}
