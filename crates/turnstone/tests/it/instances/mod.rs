//! Instances, resource calls and signing in as clients meet them: the real binary, simulated providers, real callbacks.

mod calls;
mod lifecycle;
mod mission;
mod oauth;
mod roles;
pub mod world;
