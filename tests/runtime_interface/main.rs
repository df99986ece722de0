//! The binaries of the functions behind AWS's own Runtime Interface Emulator, the program that
//! `sam local` runs in its container: every sample event of a gateway goes through it, and the
//! answer is held against the one of the same code in the process of a test, which the snapshots
//! of `tests/events.rs` keep. `make runtime-interface` names the emulator and the binaries.

mod emulator;
mod form;
mod world;

use std::collections::BTreeMap;

use futures_util::future::join_all;
use headcount_tests::Reply;
use headcount_tests::samples::{Sample, all, shown};

use emulator::Emulator;
use form::form;
use world::World;

#[tokio::test(flavor = "multi_thread")]
async fn every_function_answers_as_it_does_in_a_test() {
    let mut functions: BTreeMap<String, Vec<Sample>> = BTreeMap::new();
    for sample in all().into_iter().filter(|sample| sample.gateway().is_some()) {
        functions.entry(sample.function.clone()).or_default().push(sample);
    }
    assert!(!functions.is_empty());
    let checks = functions.iter().map(|(function, samples)| check(function, samples));
    let differences = join_all(checks).await.concat();
    assert!(differences.is_empty(), "{}", differences.join("\n\n"));
}

/// Sends all samples of a function to its binary, each to tables of its own; says which of them are
/// answered otherwise than in a test.
async fn check(function: &str, samples: &[Sample]) -> Vec<String> {
    let mut world = World::new(function).await;
    let emulator = Emulator::start(function, world.environment()).await;
    let mut differences = Vec::new();
    for sample in samples {
        world.begin_anew(sample).await;
        let reply = Reply::of(&emulator.invoke(&world.event(sample)).await);
        assert!(!reply.header("x-request-id").is_empty(), "{}", sample.path.display());
        let (found, expected) =
            (form(world.outcome(shown(&reply)).await), form(sample.kept_answer()));
        if found != expected {
            differences.push(format!(
                "{}:\n{found:#}\ninstead of\n{expected:#}\nLog: {}",
                sample.path.display(),
                emulator.log().display()
            ));
        }
    }
    differences
}
