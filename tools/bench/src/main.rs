//! `bench`: measures functions as Lambda runs them, without AWS.
//!
//! It plays the Lambda Runtime API and the AWS endpoints on loopback, starts a bootstrap as Lambda
//! does, and looks at the process from outside: what was built is measured as it is deployed.
//! README.md says how to run it and what the figures mean.

mod answers;
mod aws;
mod backend;
mod cli;
mod cost;
mod failure;
mod growth;
mod guard;
mod machine;
mod measure;
mod plot;
mod process;
mod publish;
mod report;
mod session;
mod signature;
mod stats;
mod subject;
mod table;
mod targets;
mod tls;

use std::process::ExitCode;

/// One thread serves, drives and measures: nothing is handed from thread to thread while a clock
/// runs, and the other core is left to the process under test.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match cli::main().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}
