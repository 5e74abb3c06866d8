//! Integration tests of the engine: real sockets, scripted peers.

mod delivery;
mod egress;
mod peer;
