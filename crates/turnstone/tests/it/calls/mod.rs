//! Instances made from connectors: their calls, their polls through their own resources, and their credentials, with
//! real hooks, real sockets and a real store.

pub mod mission;
pub mod oidc;
mod polling;
pub mod renewal;
mod sign_in;
pub mod vendor;
pub mod world;
