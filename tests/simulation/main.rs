//! Deterministic simulation: the real functions and the real store code, through the real AWS SDK,
//! on an embedded DynamoDB, against the stand-in for Stripe, on one thread in virtual time. A seed
//! decides who calls when, what is overtaken, lost, doubled, killed and changed by hand. At rest,
//! and at every commit, an account of its own says what has to be true.
//!
//! `make simulate N=100000` runs many schedules, `make simulate SEED=7` one, with its record.
//! docs/reliability.md tells what is simulated and what is not.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

mod books;
mod bus;
mod callers;
mod check;
mod faults;
mod kernel;
mod lists;
mod lives;
mod logs;
mod queue;
mod rng;
mod schedule;
mod shards;
mod stack;
mod stripe;
mod table;
mod trace;
mod world;

use std::io::{IsTerminal, Write};
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::schedule::run;
use crate::trace::Trace;

/// A fifth of all instructions are the system's allocator's otherwise.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How many schedules the test suite runs.
const SCHEDULES: u64 = 2_000;

/// A number in the environment.
fn variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} must be a number, not {text:?}")))
}

/// How many schedules run side by side, each on a thread of its own.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

fn told(text: &str) {
    // Where nobody can be told, nobody is.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// The first seed that breaks something, in the order in which they were tried.
fn first_broken(first: u64, count: u64) -> Option<(u64, Vec<String>)> {
    let (next, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    let broken: Mutex<Option<(u64, Vec<String>)>> = Mutex::default();
    let work = || {
        while !is_over.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return;
            }
            let seed = first.wrapping_add(number);
            let outcome = run(seed, Trace::default());
            if !outcome.broken.is_empty() {
                is_over.store(true, Ordering::Relaxed);
                let mut broken = broken.lock().unwrap_or_else(PoisonError::into_inner);
                let is_earlier = broken.as_ref().is_none_or(|(known, _)| seed < *known);
                if is_earlier {
                    *broken = Some((seed, outcome.broken));
                }
            }
        }
    };
    let progress = || show_progress(&next, &is_over, count);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads()).map(|_| scope.spawn(work)).collect();
        let watch = scope.spawn(progress);
        for thread in threads {
            thread.join().expect("a thread does not panic");
        }
        is_over.store(true, Ordering::Relaxed);
        watch.thread().unpark();
    });
    broken.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// A line every few seconds that says how far it has come.
fn show_progress(next: &AtomicU64, is_over: &AtomicBool, count: u64) {
    let began = Instant::now();
    let is_terminal = std::io::stderr().is_terminal();
    let mut last = began;
    while !is_over.load(Ordering::Relaxed) {
        std::thread::park_timeout(Duration::from_secs(1));
        let done = next.load(Ordering::Relaxed).min(count);
        let is_last = is_over.load(Ordering::Relaxed);
        let pause = Duration::from_secs(if is_terminal { 1 } else { 15 });
        if last.elapsed() < pause && !is_last {
            continue;
        }
        last = Instant::now();
        let seconds = began.elapsed().as_millis().max(1) as u64;
        told(&format!("{done} of {count} schedules, {} a second", done * 1_000 / seconds));
    }
}

/// Shows the record of a schedule, and gives what it breaks.
fn show(seed: u64) -> Vec<String> {
    let outcome = run(seed, Trace::kept());
    for line in &outcome.lines {
        told(line);
    }
    outcome.broken
}

/// Says what a seed breaks, and how to see it again.
fn fail(seed: u64, broken: &[String]) -> ! {
    told(&format!("seed {seed} breaks:"));
    for line in broken {
        told(&format!("  {line}"));
    }
    panic!("an invariant does not hold; see it again with: make simulate SEED={seed}");
}

#[test]
fn schedules() {
    let count = variable("SIMULATE_N").unwrap_or(SCHEDULES);
    let first = variable("SIMULATE_SEED").unwrap_or(0);
    if count == 1 {
        match show(first) {
            broken if broken.is_empty() => told(&format!("seed {first}: every invariant holds")),
            broken => fail(first, &broken),
        }
    } else if let Some((seed, broken)) = first_broken(first, count) {
        let number = seed.wrapping_sub(first) + 1;
        told(&format!("found at schedule {number}"));
        show(seed);
        fail(seed, &broken);
    }
}

#[test]
fn a_seed_replays_to_the_step() {
    for seed in 0..40 {
        let (one, two) = (run(seed, Trace::default()), run(seed, Trace::default()));
        assert_eq!(one.hash, two.hash, "seed {seed} is not the same twice");
    }
    assert_ne!(run(1, Trace::default()).hash, run(2, Trace::default()).hash);
}

/// The faults that `make plant` plants are patches of the code as it is.
#[test]
fn every_planted_fault_can_be_planted() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let patches = std::fs::read_dir(root.join("tests/planted")).expect("planted faults");
    let patches: Vec<_> = patches.map(|patch| patch.expect("a file").path()).collect();
    assert!(patches.len() >= 12, "{patches:?}");
    for patch in patches {
        let git = std::process::Command::new("git")
            .args(["apply", "--check"])
            .arg(&patch)
            .current_dir(&root)
            .output()
            .expect("git");
        let said = String::from_utf8_lossy(&git.stderr);
        assert!(git.status.success(), "{} does not apply: {said}", patch.display());
    }
}
