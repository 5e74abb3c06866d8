//! Tests of the core through its public door.

mod corpus;
mod dates;
mod manual;
mod mission;
mod untrusted;
