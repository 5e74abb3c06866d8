//! Turnstone, the program.

fn main() {}
