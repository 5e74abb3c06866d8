//! Embeds the libraries that hooks may require, where they are installed: `libraries/node_modules`, which
//! `scripts/setup-test.sh` fills. A build without them works, and a hook that asks for one is told.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

/// What lodash and lodash/fp are made of, in the package's folder.
const FILES: [&str; 5] =
    ["lodash.min.js", "fp.js", "fp/_baseConvert.js", "fp/_mapping.js", "fp/placeholder.js"];

fn main() {
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo names the package's folder");
    let folder = Path::new(&root).join("libraries");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", folder.display());

    let package = folder.join("node_modules/lodash");
    let files: Vec<_> = FILES.iter().map(|file| package.join(file)).collect();
    // All or none: half a library is worse than none.
    let is_installed = files.iter().all(|file| file.is_file());
    let mut code =
        String::from("/// Files of libraries by their short names.\nconst LIBRARIES: &[(&str, &str)] = &[\n");
    for file in files.iter().filter(|_| is_installed) {
        let name = file.file_stem().and_then(|name| name.to_str()).expect("our files have plain names");
        // Writing to a string cannot fail.
        let _ = writeln!(code, "    ({name:?}, include_str!({:?})),", file.display().to_string());
    }
    code.push_str("];\n");
    let out = env::var("OUT_DIR").expect("cargo names a folder for what is generated");
    fs::write(Path::new(&out).join("libraries.rs"), code)
        .expect("the folder for what is generated can be written to");
}
