//! Tests of the core through its public door.

mod dates;
