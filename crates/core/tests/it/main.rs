//! Tests of the core through its public doors.

mod corpus;
mod mission;
mod untrusted;
