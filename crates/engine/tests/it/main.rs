//! Integration tests of the engine: real sockets, scripted peers.

mod egress;
mod peer;
