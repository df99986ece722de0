//! What was done: who created, changed and deleted what, in which request.

use clap::Args;
use headcount_model::history::MAX_PAGE;
use headcount_model::id::{AccountId, AgencyLcuid, OrganizationId, micros};
use headcount_store::Audited;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::report::Report;
use crate::target::Target;

/// Whose audit, and since when.
#[derive(Args)]
pub(crate) struct Audit {
    #[command(flatten)]
    of: Of,
    /// The oldest to be shown: 2026-11-30T08:00:00Z, or a day, which begins in UTC.
    #[arg(long, value_name = "TIME", value_parser = since, default_value = "1970-01-01")]
    since: Timestamp,
    /// The most entries, from the newest on.
    #[arg(
        long,
        value_name = "ENTRIES",
        default_value_t = 100,
        value_parser = clap::value_parser!(u16).range(1..=i64::from(MAX_PAGE))
    )]
    limit: u16,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Of {
    /// Of an organization of the Seats API.
    #[arg(long, value_name = "ORG", value_parser = OrganizationId::parse)]
    org: Option<OrganizationId>,
    /// Of an agency.
    #[arg(long, value_name = "LCUID", value_parser = AgencyLcuid::parse)]
    agency: Option<AgencyLcuid>,
    /// Of an account of the Identity API.
    #[arg(long, value_name = "ACCOUNT", value_parser = AccountId::parse)]
    account: Option<AccountId>,
}

fn since(text: &str) -> Result<Timestamp, String> {
    let day = || text.parse::<Date>().and_then(|day| day.to_zoned(TimeZone::UTC));
    let time = text.parse().or_else(|_| day().map(|day| day.timestamp()));
    time.map_err(|_| "it is a time like 2026-11-30T08:00:00Z or a day like 2026-11-30".to_owned())
}

impl Audit {
    pub(crate) async fn run(self, target: &Target) -> Result<Report, Failure> {
        let table = target.table().await?;
        let (since, limit) = (self.since, usize::from(self.limit));
        let (entries, more) = match self.of {
            Of { org: Some(org), .. } => table.audit_of_organization(&org, since, limit).await?,
            Of { agency: Some(agency), .. } => table.audit_of_agency(&agency, since, limit).await?,
            Of { account: Some(account), .. } => {
                table.audit_of_account(&account, since, limit).await?
            }
            // The arguments were refused then.
            _ => return Err(Failure::new("say whose audit: --org, --agency or --account")),
        };
        let entries: Vec<Value> = entries.iter().map(shown).collect();
        Ok(Report::new().field("entries", entries).field("more", more))
    }
}

fn shown(entry: &Audited) -> Value {
    json!({
        "at": micros(entry.at),
        "route": entry.route,
        "credential": entry.credential,
        "request_id": entry.request_id,
        "objects": entry.objects,
        "fields": entry.fields,
    })
}
