//! The part of Turnstone that does.

pub mod clock;
pub mod deliverer;
pub mod egress;
pub mod secrets;
