//! The kept corpus through every target, and random bytes made from it.

use std::path::{Path, PathBuf};

use headcount_fuzz::{TARGETS, Target};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestRunner};

/// How many random inputs each target gets.
const RANDOM: u32 = 400;
/// The corpus is there to be read and replayed; what is found anew stays out until it says more.
const MOST_FILES: usize = 200;
const MOST_BYTES: u64 = 1024 * 1024;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

fn list(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

fn kept(target: Target) -> Vec<Vec<u8>> {
    let files = list(&folder().join(target.name));
    files.iter().map(|file| std::fs::read(file).expect("a file")).collect()
}

#[test]
fn every_target_has_a_small_corpus() {
    let folders = list(&folder());
    let mut found: Vec<_> =
        folders.iter().filter_map(|folder| folder.file_name()?.to_str()).collect();
    let mut names = TARGETS.map(|target| target.name);
    names.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, names);
    let files: Vec<_> = folders.iter().flat_map(|folder| list(folder)).collect();
    let bytes: u64 = files.iter().map(|file| file.metadata().expect("a file").len()).sum();
    assert!(
        files.len() <= MOST_FILES && bytes <= MOST_BYTES,
        "{} files, {bytes} bytes",
        files.len()
    );
    assert!(TARGETS.into_iter().all(|target| !kept(target).is_empty()));
}

#[test]
fn what_was_kept_breaks_nothing() {
    for target in TARGETS {
        for input in kept(target) {
            (target.run)(&input);
        }
    }
}

#[test]
fn random_bytes_break_nothing() {
    for target in TARGETS {
        let mut runner =
            TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(RANDOM) });
        let run = runner.run(&vec(any::<u8>(), 0..300), |input| {
            (target.run)(&input);
            Ok(())
        });
        assert!(run.is_ok(), "{}: {run:?}", target.name);
    }
}

/// Texts that mean something to a parser.
static TELLING: [&str; 23] = [
    "\n\n",
    "\r\n",
    "\0",
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "null",
    "-1",
    "1e999",
    "\\ud800",
    "\u{202e}",
    "\u{fffd}",
    "é",
    "@",
    ".",
    "#",
    "xn--",
    "18446744073709551616",
];

/// What replaces a part of an input.
fn replacement() -> impl Strategy<Value = Vec<u8>> {
    let telling = select(TELLING.as_slice()).prop_map(|text| text.as_bytes().to_vec());
    prop_oneof![vec(any::<u8>(), 0..8), telling]
}

#[test]
fn the_corpus_with_parts_replaced_breaks_nothing() {
    for target in TARGETS {
        let change = (any::<Index>(), 0..40_usize, replacement());
        let inputs = (select(kept(target)), vec(change, 1..4)).prop_map(|(mut input, changes)| {
            for (begin, length, new) in changes {
                let begin = begin.index(input.len() + 1);
                let end = (begin + length).min(input.len());
                input.splice(begin..end, new);
            }
            input
        });
        let mut runner =
            TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(RANDOM) });
        let run = runner.run(&inputs, |input| {
            (target.run)(&input);
            Ok(())
        });
        assert!(run.is_ok(), "{}: {run:?}", target.name);
    }
}
