//! Runs hooks: a connector's JavaScript, which nobody trusts.
//!
//! A script runs in a worker: a process of this same program, kept for many runs, with a fresh JavaScript runtime in
//! each ([`sandbox`]). The engine's own limits have holes, so the [`pool`] kills a worker at its deadline; and a script
//! that breaks out of the engine finds itself in a process without files, network or environment ([`walls`]). What
//! crosses is JSON text in frames ([`wire`]). Whether a script compiles can be asked without running it ([`syntax`]).
//!
//! Not here: the contract (the core's `hook`), and when a hook is called.

mod ce;
mod host;
mod numbers;
pub mod pool;
pub mod sandbox;
pub mod syntax;
pub mod walls;
mod wire;
pub mod worker;

pub use pool::{HookPool, PoolSettings};
pub use walls::{Probe, Wall, WallState};
