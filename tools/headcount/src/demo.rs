//! The demo tenants of a local stack.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use demo_tenants::{DemoTenants, SeedError, seed};
use headcount_model::port::System;

use crate::failure::Failure;
use crate::report::Report;
use crate::subscription;
use crate::target::Target;

/// The demo tenants of a local stack.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Makes the demo tenants that a file describes, ids and credentials included. Those that are
    /// there stay as they are.
    ///
    /// Everybody knows these credentials. So this works on a table of this machine alone: where
    /// AWS_ENDPOINT_URL, or the stack file, names a loopback address.
    Seed {
        /// The description, tools/local/demo-tenants.json.
        file: PathBuf,
    },
}

impl Command {
    pub(crate) async fn run(self, target: &Target) -> Result<Report, Failure> {
        let Command::Seed { file } = self;
        let tenants = read(&file)?;
        let (table, stripe) = (target.local_table().await?, target.stripe()?);
        seed::<_, Failure>(&table, &System, &tenants, async |organization, name| {
            subscription::open(&stripe, organization, name, None).await
        })
        .await?;
        Ok(Report::new()
            .field("org", tenants.seats.org.as_str())
            .field("agency_lcuid", tenants.agency.agency_lcuid.as_str())
            .field("app_id", tenants.agency.app_id.as_str())
            .note("Their credentials are in the file."))
    }
}

fn read(file: &Path) -> Result<DemoTenants, Failure> {
    let told = |error: &dyn std::fmt::Display| {
        Failure::new(format!("the demo tenants {}: {error}", file.display()))
    };
    let text = std::fs::read(file).map_err(|error| told(&error))?;
    serde_json::from_slice(&text).map_err(|error| told(&error))
}

impl From<SeedError> for Failure {
    fn from(error: SeedError) -> Self {
        match error {
            SeedError::Provision(error) => error.into(),
            SeedError::Different(_) => Failure::new(error.to_string())
                .advise("The file was changed since the table was seeded: make clean-local"),
            SeedError::Unavailable => Failure::new(error.to_string()).advise("Repeat the command."),
        }
    }
}
