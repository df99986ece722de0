//! docs/runbook.md, as far as it is for a shell.

use std::path::Path;

/// The fenced blocks of commands, in their order, without the indentation of a list that they
/// stand in.
///
/// # Panics
/// When a block holds an ellipsis, which nobody can run.
pub fn blocks() -> Vec<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/runbook.md");
    let text = std::fs::read_to_string(file).expect("a runbook");
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(indent) = line.strip_suffix("```sh") else { continue };
        let block = lines.by_ref().take_while(|line| line.trim() != "```");
        let block: Vec<_> = block.map(|line| line.strip_prefix(indent).unwrap_or(line)).collect();
        let block = block.join("\n");
        assert!(!block.contains('…'), "cannot be run as it is written: {block}");
        blocks.push(block);
    }
    blocks
}

/// Whether a block builds and deploys.
pub fn is_of_sam(block: &str) -> bool {
    block.lines().any(|line| line.starts_with("sam "))
}
