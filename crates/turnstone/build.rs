//! Tells cargo that the program embeds the console: it is built anew when the console was.

fn main() {
    println!("cargo:rerun-if-changed=../../console/dist");
}
