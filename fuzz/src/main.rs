//! The targets under libFuzzer: `FUZZ_TARGET=<name> headcount-fuzz <libFuzzer's options> <corpus>`.
//! `make fuzz` builds it with coverage; without that it only lists the targets.
#![cfg_attr(libfuzzer, no_main)]

#[cfg(libfuzzer)]
use std::sync::LazyLock;

#[cfg(libfuzzer)]
static CHOSEN: LazyLock<headcount_fuzz::Target> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    headcount_fuzz::Target::named(&name).expect("FUZZ_TARGET must name a target")
});

#[cfg(libfuzzer)]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (CHOSEN.run)(bytes));

#[cfg(not(libfuzzer))]
#[expect(clippy::print_stdout, reason = "it is what the program is for")]
fn main() {
    for target in headcount_fuzz::TARGETS {
        println!("{}", target.name);
    }
}
