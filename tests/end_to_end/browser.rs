//! What is looked at in a headless Chromium, by a program of tools/local.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::stack::Stack;

/// Runs a program that drives a browser; what it saw. Nothing where there is no Chromium, which is
/// said, and which continuous integration does not take.
pub(crate) fn seen_by(program: &str, arguments: &[&str], stack: &Stack) -> Option<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Command::new(root.join(".local/venv/bin/python"))
        .arg(root.join("tools/local").join(program))
        .arg("--stack-file")
        .arg(stack.file())
        .args(arguments)
        .output()
        .expect("Python runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {said}");
    let seen: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let Some(reason) = seen["left_out"].as_str() else { return Some(seen) };
    assert!(std::env::var_os("CI").is_none(), "{program} cannot run here: {reason}");
    // Past the capture of the test harness: a reader of the output has to know.
    writeln!(std::io::stderr(), "left out: {program}; {reason}").expect("an output");
    None
}
