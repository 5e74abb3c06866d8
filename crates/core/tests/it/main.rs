//! Tests of the core through its public doors.

mod corpus;
mod dates;
mod mission;
mod untrusted;
