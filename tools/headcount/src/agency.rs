//! Agencies of the Agency API, their apps and accounts.

use clap::{ArgAction, Args, Subcommand};
use headcount_model::agency::{
    self, Agency, AgencyAccount, AgencySettings, CommitRefusal, NewAgencyAccount, Slug,
};
use headcount_model::audit::Entry;
use headcount_model::id::{AgencyAccountLcuid, AgencyLcuid, AppLcuid, AuditId};
use headcount_model::idempotency::StoredAnswer;
use headcount_model::port::{Clock, System};
use headcount_model::text::Text;
use headcount_store::{ProvisionError, Table};

use crate::cli::name;
use crate::failure::Failure;
use crate::report::Report;
use crate::target::Target;

/// Agencies of the Agency API.
#[derive(Subcommand)]
pub(crate) enum AgencyCommand {
    /// Creates an agency with the default classes for its accounts.
    Create {
        /// Name, 1 to 255 characters.
        #[arg(long, value_parser = name)]
        name: Text,
    },
}

/// Apps, which hold tokens of the Agency API.
#[derive(Subcommand)]
pub(crate) enum AppCommand {
    /// Creates an app of an agency. Its id is what callers send as AppIdV3.
    Create {
        /// Id of the agency, LCUID-LY-…
        #[arg(long, value_parser = AgencyLcuid::parse)]
        agency: AgencyLcuid,
        /// Name, 1 to 255 characters.
        #[arg(long, value_parser = name)]
        name: Text,
    },
}

/// Accounts of agencies.
#[derive(Subcommand)]
pub(crate) enum AccountCommand {
    /// Creates an account of an agency.
    Create(CreateAccount),
    /// Says whether an account may have sub-accounts. Those that there are stay.
    SetParent(SetParent),
}

/// Which account to create.
#[derive(Args)]
pub(crate) struct CreateAccount {
    /// Id of the agency, LCUID-LY-…
    #[arg(long, value_parser = AgencyLcuid::parse)]
    agency: AgencyLcuid,
    /// Name, 1 to 255 characters.
    #[arg(long, value_parser = name)]
    name: Text,
    /// It may have sub-accounts.
    #[arg(long)]
    parent: bool,
}

/// Which account may have sub-accounts, or no more.
#[derive(Args)]
pub(crate) struct SetParent {
    /// Id of the agency, LCUID-LY-…
    #[arg(long, value_parser = AgencyLcuid::parse)]
    agency: AgencyLcuid,
    /// Id of the account, LCUID-LA-…
    #[arg(long, value_parser = AgencyAccountLcuid::parse)]
    account: AgencyAccountLcuid,
    /// Whether it may have sub-accounts: true or false.
    #[arg(long, action = ArgAction::Set)]
    parent: bool,
}

impl AgencyCommand {
    pub(crate) async fn run(self, target: &Target) -> Result<Report, Failure> {
        let AgencyCommand::Create { name } = self;
        let agency =
            Agency { lcuid: AgencyLcuid::new(&System)?, name, settings: AgencySettings::default() };
        target.table().await?.create_agency(&agency).await?;
        Ok(Report::new().field("agency_lcuid", agency.lcuid.as_str()))
    }
}

impl AppCommand {
    pub(crate) async fn run(self, target: &Target) -> Result<Report, Failure> {
        let AppCommand::Create { agency, name } = self;
        let app = AppLcuid::new(&System)?;
        target.table().await?.create_app(&app, &agency, &name).await?;
        Ok(Report::new().field("app_id", app.as_str()))
    }
}

impl AccountCommand {
    pub(crate) async fn run(self, target: &Target) -> Result<Report, Failure> {
        let table = target.table().await?;
        match self {
            AccountCommand::Create(create) => create.run(&table).await,
            AccountCommand::SetParent(set) => set.run(&table).await,
        }
    }
}

impl SetParent {
    async fn run(self, table: &Table) -> Result<Report, Failure> {
        let entry = Entry {
            id: AuditId::new(&System, &System)?,
            credential: None,
            route: "headcount agency-account set-parent",
            objects: vec![self.account.as_str()],
            fields: &["is_parent_account"],
            at: System.now(),
            request_id: "",
        };
        let changed = table.set_parent(&self.agency, &self.account, self.parent, &entry).await?;
        Ok(Report::new()
            .field("lcuid", self.account.as_str())
            .field("is_parent_account", self.parent)
            .field("changed", changed))
    }
}

impl CreateAccount {
    async fn run(self, table: &Table) -> Result<Report, Failure> {
        // The transaction does not check the agency: in the API, authorization has. Agencies
        // are never deleted, so what is found here stays.
        if table.agency(&self.agency).await?.is_none() {
            return Err(ProvisionError::NoSuch("agency").into());
        }
        let account = AgencyAccount {
            lcuid: AgencyAccountLcuid::new(&System)?,
            agency: self.agency,
            new: NewAgencyAccount {
                name: self.name,
                description: None,
                website: None,
                parent: None,
            },
            is_parent_account: self.parent,
            created_by: None,
            created_at: System.now(),
        };
        let (answer, _) =
            agency::create(table, &System, &account, None, slug_alone).await.map_err(refused)?;
        Ok(Report::new().field("lcuid", account.lcuid.as_str()).field("slug", answer.body))
    }
}

/// An answer that carries the slug out. Without an idempotency key it is kept nowhere.
fn slug_alone(_: &AgencyAccount, slug: &Slug) -> StoredAnswer {
    StoredAnswer { status: 200, location: None, body: slug.to_string() }
}

fn refused(refusal: CommitRefusal) -> Failure {
    match refusal {
        CommitRefusal::Throttled => Failure::new("the table is written to faster than it takes it")
            .advise("Nothing was made. Repeat the command in a minute."),
        // The others cannot happen without a parent or a key, and after the slugs were tried.
        CommitRefusal::Unavailable
        | CommitRefusal::UnusableParent
        | CommitRefusal::KeyReused
        | CommitRefusal::SlugTaken { .. } => ProvisionError::Unavailable.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slug_is_carried_out() {
        let name = Text::line("Blue River", 1..=255).expect("a name");
        let account = AgencyAccount {
            lcuid: AgencyAccountLcuid::new(&System).expect("entropy"),
            agency: AgencyLcuid::new(&System).expect("entropy"),
            new: NewAgencyAccount {
                name: name.clone(),
                description: None,
                website: None,
                parent: None,
            },
            is_parent_account: false,
            created_by: None,
            created_at: System.now(),
        };
        let slug = Slug::of(&name).numbered(2);
        assert_eq!(slug_alone(&account, &slug).body, "BlueRiver2");
    }
}
