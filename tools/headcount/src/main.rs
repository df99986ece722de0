//! `headcount`, the operator's command line: makes organizations, agencies and credentials in
//! the table of a stack, and what Stripe needs to bill them.

mod account;
mod agency;
mod audit;
mod billing;
mod cli;
mod comparison;
mod credential;
mod demo;
mod explain;
mod failure;
mod organization;
mod prices;
mod report;
mod subscription;
mod target;
mod webhook;

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    cli::main().await
}
