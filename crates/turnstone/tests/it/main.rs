//! Integration tests of the program: the real binary, real sockets, real files.

mod bad_input;
mod checking;
mod harness;
mod json_server;
mod polling;
