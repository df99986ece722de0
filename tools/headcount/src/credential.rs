//! Credentials: issued once, shown once, kept as a hash, taken back.

use std::collections::BTreeSet;

use clap::{Args, Subcommand};
use headcount_model::credential::{self, Credential, Holder, Permission};
use headcount_model::id::{AgencyLcuid, AppLcuid, CredentialId, OrganizationId};
use headcount_model::port::{Clock, System};
use jiff::{SignedDuration, Timestamp};

use crate::failure::Failure;
use crate::report::Report;
use crate::target::Target;

/// API keys of organizations.
#[derive(Subcommand)]
pub(crate) enum ApiKeyCommand {
    /// Issues an API key.
    Create {
        /// Id of the organization, org_…
        #[arg(long, value_parser = OrganizationId::parse)]
        org: OrganizationId,
        #[command(flatten)]
        permissions: SomePermissions,
        #[command(flatten)]
        lifetime: Lifetime,
    },
}

/// Tokens of apps.
#[derive(Subcommand)]
pub(crate) enum TokenCommand {
    /// Issues a token. Without a permission it may do nothing.
    Create {
        /// Id of the app, LCUID-LAP-…
        #[arg(long, value_parser = AppLcuid::parse)]
        app: AppLcuid,
        /// Id of the agency that the app belongs to, LCUID-LY-…
        #[arg(long, value_parser = AgencyLcuid::parse)]
        agency: AgencyLcuid,
        /// What it allows, such as agency.createAccounts; repeat it for more.
        #[arg(long)]
        permission: Vec<Permission>,
        #[command(flatten)]
        lifetime: Lifetime,
    },
}

/// Tokens of administrators of the Identity API.
#[derive(Subcommand)]
pub(crate) enum AdminTokenCommand {
    /// Issues a token.
    Create {
        #[command(flatten)]
        permissions: SomePermissions,
        #[command(flatten)]
        lifetime: Lifetime,
    },
}

/// Credentials of any kind.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Takes a credential back, for good. It stops working within 30 seconds.
    Revoke {
        /// Id of the credential: what stands between hc_ and the next _.
        #[arg(value_parser = CredentialId::parse)]
        id: CredentialId,
    },
}

/// What a credential allows: something.
#[derive(Args)]
pub(crate) struct SomePermissions {
    /// What it allows, such as accounts:create; repeat it for more.
    #[arg(long, required = true)]
    permission: Vec<Permission>,
}

/// How long a credential works.
#[derive(Args)]
pub(crate) struct Lifetime {
    /// Days after which it stops working; without it, it works until it is revoked.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..=3_650))]
    expires_in_days: Option<u16>,
}

impl Lifetime {
    fn end(&self, now: Timestamp) -> Result<Option<Timestamp>, Failure> {
        self.expires_in_days
            .map(|days| now.checked_add(SignedDuration::from_hours(i64::from(days) * 24)))
            .transpose()
            .map_err(|error| Failure::new(error.to_string()))
    }
}

impl ApiKeyCommand {
    pub(crate) async fn run(self, target: &Target) -> Result<Report, Failure> {
        let ApiKeyCommand::Create { org, permissions, lifetime } = self;
        let holder = Holder::Organization(org);
        issue(target, holder, permissions.permission, &lifetime).await
    }
}

impl TokenCommand {
    pub(crate) async fn run(self, target: &Target) -> Result<Report, Failure> {
        let TokenCommand::Create { app, agency, permission, lifetime } = self;
        let report = issue(target, Holder::App { app, agency }, permission, &lifetime).await?;
        Ok(report.note(
            "For POST /api/v3/auth, token is the id, and secret is what stands behind the last _.",
        ))
    }
}

impl AdminTokenCommand {
    pub(crate) async fn run(self, target: &Target) -> Result<Report, Failure> {
        let AdminTokenCommand::Create { permissions, lifetime } = self;
        issue(target, Holder::Administrator, permissions.permission, &lifetime).await
    }
}

impl Command {
    pub(crate) async fn run(self, target: &Target) -> Result<Report, Failure> {
        let Command::Revoke { id } = self;
        target.table().await?.revoke_credential(&id).await?;
        Ok(Report::new()
            .field("id", id.as_str())
            .field("revoked", true)
            .note("It stops working within 30 seconds: running functions remember it that long."))
    }
}

async fn issue(
    target: &Target,
    holder: Holder,
    permissions: Vec<Permission>,
    lifetime: &Lifetime,
) -> Result<Report, Failure> {
    let permissions: BTreeSet<_> = permissions.into_iter().collect();
    let end = lifetime.end(System.now())?;
    let (kept, secret) = Credential::issue(holder, permissions, end, &System, &System)?;
    target.table().await?.create_credential(&kept).await?;
    Ok(Report::new()
        .field("credential", credential::reveal(&secret))
        .field("id", kept.id.as_str())
        .note(
            "The credential is shown this once: only its hash is stored. Keep it in a safe place.",
        ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_24_hours() {
        let now: Timestamp = "2026-03-28T12:00:00Z".parse().expect("a time");
        let lifetime = Lifetime { expires_in_days: Some(2) };
        let end: Timestamp = "2026-03-30T12:00:00Z".parse().expect("a time");
        assert_eq!(lifetime.end(now), Ok(Some(end)));
    }

    #[test]
    fn without_days_it_works_until_it_is_revoked() {
        let lifetime = Lifetime { expires_in_days: None };
        assert_eq!(lifetime.end(Timestamp::UNIX_EPOCH), Ok(None));
    }
}
