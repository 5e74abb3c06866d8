//! A provider's definition: how to sign in, what can be called, what is mapped, hooked and polled.
//!
//! On the wire it is the field's *element JSON* (platform-api §2). A [`Document`] is its text, kept byte by byte, so
//! that import then export is the same; a [`Connector`] is what the text means, and exists only when [`check`] found
//! no fault. Edits are functions from a document to a document, and the numbers that the API gives to its parts lie
//! beside it ([`Ids`]).
//!
//! Not here: making a call (`call`), signing in (`auth`), other forms of a definition (`openapi`), storing anything.

mod carry;
mod check;
mod document;
mod edit;
mod events;
mod ids;
pub mod keys;
mod parts;
mod reading;
mod settings;
mod view;

pub use carry::{SentIds, ShownIds};
pub use check::{CheckedConnector, authentication_kind, check};
pub use document::{Activity, Document, DocumentError, Export, KeptSecret, Part};
pub use edit::{Change, ChangeKind, EditError, Edited, Place};
pub use events::{EventsSetup, Expand, VendorType, event_entry};
pub use ids::{Ids, ResourceIds};
pub use parts::{key_of, without_hub};
pub use settings::{Settings, Unset, UnsetPlaces};
pub use view::{
    AuthenticationKind, ConfigurationEntry, Connector, Converter, DataType, EntryKind, Hook, Parameter,
    ParameterPlace, Resource, ResourceKind, ResourcePagination, SECRET_MASK, Source,
};
