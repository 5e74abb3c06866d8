//! An instance whose provider also notifies us: its document, its address, and its node's intake.

use std::sync::Arc;

use serde_json::{Value, json};
use turnstone_core::check::CheckSettings;
use turnstone_core::id::OrgId;
use turnstone_engine::clock::SeededEntropy;
use turnstone_engine::intake::{Address, new_address};
use turnstone_engine::prepare::{Preparer, References};
use turnstone_engine::secrets::KeyRing;
use turnstone_store::{Intake, NewIntake};

use crate::hub::Hub;
use crate::inbox::SimInbox;
use crate::push::{POLLED, Push};
use crate::rng::Rng;
use crate::scenario::{BASE, Scenario};
use crate::stamp::*;

/// The organisation of the simulation.
const ORG: OrgId = OrgId(1);

/// Where notifications are sent.
pub struct Door {
    pub new: NewIntake,
    address: Address,
    keys: Arc<KeyRing>,
}

/// An address for the instance of this scenario.
pub fn door(scenario: &Scenario) -> Door {
    let keys = Arc::new(KeyRing::parse(&"07".repeat(32), "the simulation").expect("a sound key"));
    let entropy = SeededEntropy::new(scenario.start.unsigned_abs());
    let (hash, sealed) = new_address(&keys, ORG, &entropy);
    let address = Address::open(&sealed, &keys, ORG).expect("sealed just now");
    Door { new: NewIntake { address: Some((hash, sealed)), matches: Vec::new() }, address, keys }
}

/// The document of the instance, as its user would write it.
pub fn document(scenario: &Scenario) -> Value {
    let Some(pushing) = &scenario.pushing else { return json!({}) };
    let mut configuration = pushing.configuration();
    configuration["base.url"] = json!(BASE);
    configuration["event.poller.refresh_interval"] = json!(scenario.interval / MINUTE);
    configuration["event.poller.configuration"] = json!({POLLED: scenario.configuration()});
    json!({"element": {"key": "simulated"}, "configuration": configuration})
}

/// The provider that notifies, and the node that takes it in.
pub fn push(hub: &Hub, scenario: &Scenario, store: Arc<dyn Intake>, door: Door, chance: Rng) -> Push {
    let settings = CheckSettings::new(timestamp(scenario.start + scenario.skew));
    let preparer = Arc::new(Preparer::new(settings, door.keys, References::Refuse));
    let inbox = Arc::new(SimInbox::new(store, hub.clone(), scenario.fault));
    Push::new(hub.clone(), scenario, inbox, preparer, door.address.as_str().to_owned(), chance)
}
