#!/bin/sh
# The crate ulid reads 26 characters as 128 bits and lets what does not fit fall off: 81… is read as 01…, and so are G1…
# and R1…, four spellings for each id. The specification has whatever is above 7ZZZZZZZZZZZZZZZZZZZZZZZZZ refused, and the
# implementations in JavaScript and Python do. Who compares ids as text in one place and as values in another, to find the
# same id twice in a list for instance, has two answers. Write down what was read, not what came, or refuse what differs.
#
# Source: https://github.com/ulid/spec, "Overflow Errors when Parsing Base32 Strings".
#
# Seen on 2026-11-29, ulid 3.0.0 (crates.io), ulid 3.0.2 (npm), python-ulid 4.1.0 (PyPI):
#   rust 01ARZ3NDEKTSV4RRFFQ69G5FAV
#   node refused
#   python refused
#
# Needs cargo, node, npm and python3 with venv. Fails when the packages behave otherwise.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
text=81ARZ3NDEKTSV4RRFFQ69G5FAV
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund ulid@3.0.2
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check python-ulid==4.1.0
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "ids"
edition = "2024"

[workspace]

[dependencies]
ulid = { version = "=3.0.0", default-features = false }
TOML
cat > src/main.rs <<'RUST'
fn main() {
    let text = std::env::args().nth(1).unwrap();
    println!("rust {}", ulid::Ulid::from_string(&text).map_or("refused".to_owned(), |id| id.to_string()));
}
RUST
cat > ids.cjs <<'NODE'
const { ulidToUUID } = require("ulid");
try {
  console.log("node", ulidToUUID(process.argv[2]));
} catch (error) {
  console.log("node", error.code === "ULID_INVALID" ? "refused" : error);
}
NODE
cat > ids.py <<'PYTHON'
import sys

from ulid import ULID

try:
    print("python", ULID.from_str(sys.argv[1]))
except ValueError:
    print("python refused")
PYTHON
seen=$(cargo run --quiet -- "$text" && node ids.cjs "$text" && venv/bin/python ids.py "$text")
echo "$seen"
test "$seen" = "rust 01ARZ3NDEKTSV4RRFFQ69G5FAV
node refused
python refused"
