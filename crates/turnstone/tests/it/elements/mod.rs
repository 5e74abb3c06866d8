//! Connectors over the API of the real binary.

mod catalog;
mod configuration;
mod convert;
mod parts;
mod random;
mod world;
