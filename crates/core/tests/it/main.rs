//! Tests of the core through its public doors.

mod auth;
mod call_hooks;
mod call_mission;
mod call_pages;
mod calls;
mod connector;
mod corpus;
mod dates;
mod flow_cards;
mod flow_moment;
mod flows;
mod manual;
mod mission;
mod openapi;
mod query;
mod suggest;
mod untrusted;
