//! The only way out.

pub mod body;
pub mod guard;
