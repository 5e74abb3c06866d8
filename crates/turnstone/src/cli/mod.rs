//! The command line.

pub mod demo;
mod node;
pub mod serve;
