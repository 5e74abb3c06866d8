//! Instances made from connectors: their calls, their polls through their own resources, and their credentials, with
//! real hooks, real sockets and a real store.

mod mission;
mod oidc;
mod polling;
mod renewal;
mod sign_in;
mod vendor;
mod world;
