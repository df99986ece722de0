//! Writes docs/openapi.json and docs/errors.md of the checkout that it was built from.

use std::fs;
use std::io;
use std::path::Path;

fn main() -> io::Result<()> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    fs::write(docs.join("openapi.json"), api_reference::openapi())?;
    fs::write(docs.join("errors.md"), api_reference::errors())
}
