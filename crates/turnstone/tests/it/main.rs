//! The program as its users meet it: the real binary, over its command line and its HTTP API.

mod bench;
mod demo;
mod serve;
