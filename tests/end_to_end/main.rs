//! template.yaml, deployed unchanged to the local AWS and driven over HTTP. `make end-to-end`
//! brings up a stack of its own for these tests and names it in `HEADCOUNT_STACK`.

mod billing;
mod browser;
mod clients;
mod creates;
mod generated;
mod origins;
mod races;
mod reference;
mod runbook;
mod samples;
mod stack;
