//! Connectors over the API of the real binary.

mod catalog;
mod world;
