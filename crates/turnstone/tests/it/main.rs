//! The program as its users meet it: the real binary, over its command line and its HTTP API.

mod applying;
mod authorisation;
mod bad_input;
mod bench;
mod calls;
mod checking;
mod demo;
mod elements;
mod flows;
mod fuzz;
mod harness;
mod hooks;
mod instances;
mod json_server;
mod moment;
mod monitors;
mod observing;
mod people;
mod polling;
mod senders;
mod serve;
mod trying;
mod webhooks;
