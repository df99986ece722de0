//! The stand-in's behaviour as a caller sees it, in process and on a clock of the test's own.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod account;
mod billing;
mod control;
mod idempotency;
mod objects;
mod subscriptions;
mod walk;
mod webhooks;
