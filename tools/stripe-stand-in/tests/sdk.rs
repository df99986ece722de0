//! Drives the binary with Stripe's own Python SDK (tests/sdk.py): if that cannot tell the
//! stand-in from Stripe, neither can the product. `make test` installs the SDK and switches this
//! on (feature `sdk-test`).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// The binary under test, stopped when the test ends however it ends.
struct StandIn(Child);

impl Drop for StandIn {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A Python that has the SDK.
fn python() -> PathBuf {
    let python = std::env::var_os("HEADCOUNT_PYTHON").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.local/venv/bin/python"),
        PathBuf::from,
    );
    let has_sdk = Command::new(&python)
        .args(["-c", "import stripe"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    assert!(
        has_sdk,
        "this test needs a Python with the stripe package, and {} is none: run `make test`, which installs it, or name one in HEADCOUNT_PYTHON",
        python.display()
    );
    python
}

/// Starts the binary on a free port and reads its address from the line that it prints.
fn start(state: &Path) -> (StandIn, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_stripe-stand-in"))
        .args(["--port", "0", "--state"])
        .arg(state)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = child.stdout.take().unwrap();
    let server = StandIn(child);
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line).unwrap();
    let address = line.trim().rsplit(' ').next().unwrap().to_owned();
    assert!(address.starts_with("http://127.0.0.1:"), "{line}");
    (server, address)
}

fn run(python: &Path, address: &str, part: &str) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk.py");
    let status = Command::new(python).arg(script).arg(address).arg(part).status().unwrap();
    assert!(status.success(), "sdk.py {part} failed");
}

#[test]
fn the_official_sdk_drives_the_stand_in() {
    let python = python();
    let state = Path::new(env!("CARGO_TARGET_TMPDIR")).join("stripe-stand-in-sdk.json");
    let _ = std::fs::remove_file(&state);
    let (server, address) = start(&state);
    run(&python, &address, "all");
    // Killed, not stopped: what was answered must be in the file.
    drop(server);
    let (server, address) = start(&state);
    run(&python, &address, "after-restart");
    drop(server);
}
