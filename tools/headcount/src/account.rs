//! Accounts of the Identity API.

use clap::Subcommand;

use crate::failure::Failure;
use crate::report::Report;
use crate::target::Target;

/// Accounts of the Identity API.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Puts accounts that are older than the list of accounts into it. To repeat it is harmless.
    ListOlder,
}

impl Command {
    pub(crate) async fn run(self, target: &Target) -> Result<Report, Failure> {
        let Command::ListOlder = self;
        let listed = target.table().await?.list_older_accounts().await?;
        Ok(Report::new().field("listed", listed))
    }
}
