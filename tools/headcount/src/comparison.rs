//! What Stripe bills beside the seats that there are: to be looked at before Stripe is told of a
//! table that was restored to an earlier time.

use clap::Args;
use headcount_billing::Subscriptions;
use headcount_billing::stripe::Stripe;
use headcount_model::billing::LedgerUnavailable;
use headcount_model::id::OrganizationId;
use headcount_model::port::{Clock, System};
use headcount_model::reconcile::{Correction, ReconciliationStore, Shard, Written};
use headcount_model::seats::Tier;
use headcount_store::Table;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::prices::Prices;
use crate::report::Report;
use crate::target::Target;

/// How many organizations are read from the directory at a time.
const PAGE: u16 = 100;

/// How often an organization is looked at again that changes meanwhile.
const MAX_TRIES: u32 = 5;

/// What to do beside comparing.
#[derive(Args)]
pub(crate) struct Compare {
    /// Give each organization a version that Stripe was never told of, so that it is told of the
    /// seats that there are whatever it was told before. Refused while Stripe bills more of any.
    #[arg(long)]
    raise_versions: bool,
    /// An organization of which Stripe may be told fewer seats than it bills. Can be repeated.
    #[arg(
        long,
        value_name = "ORG",
        value_parser = OrganizationId::parse,
        requires = "raise_versions"
    )]
    lower: Vec<OrganizationId>,
}

/// An organization, and where Stripe bills something else than its seats.
struct Compared {
    organization: OrganizationId,
    /// The tiers that differ: the seats that there are, and the quantity at Stripe.
    differences: Vec<(Tier, u64, u64)>,
}

impl Compared {
    fn bills_more(&self) -> bool {
        self.differences.iter().any(|(_, seats, billed)| billed > seats)
    }

    fn shown(&self) -> Value {
        let tiers = self.differences.iter().map(|(tier, seats, billed)| {
            json!({"tier": tier.as_str(), "seats": seats, "stripe": billed})
        });
        let tiers: Vec<_> = tiers.collect();
        json!({"org": self.organization.as_str(), "differs": tiers})
    }
}

impl Compare {
    pub(crate) async fn run(self, target: &Target) -> Result<Report, Failure> {
        let (table, stripe) = (target.table().await?, target.stripe()?);
        let prices = Prices::find(&stripe).await?;
        let (mut compared, mut unreadable) = (Vec::new(), Vec::new());
        for shard in Shard::all() {
            let mut after: Option<OrganizationId> = None;
            loop {
                let page = table.organizations(shard, after.as_ref(), PAGE).await?;
                for organization in &page.readable {
                    compared.extend(look(&table, &stripe, &prices, organization).await?);
                }
                unreadable.extend(page.unreadable);
                if page.is_end {
                    break;
                }
                after = page.readable.into_iter().next_back();
            }
        }
        let raised =
            if self.raise_versions { self.raise(&table, &prices, &compared).await? } else { 0 };
        let differing = compared.iter().filter(|compared| !compared.differences.is_empty());
        let differing: Vec<_> = differing.map(Compared::shown).collect();
        Ok(Report::new()
            .field("compared", compared.len())
            .field("differing", differing)
            .field("unreadable", unreadable)
            .field("raised", raised))
    }

    /// Raises the version of each; returns how many.
    async fn raise(
        &self,
        table: &Table,
        prices: &Prices,
        compared: &[Compared],
    ) -> Result<usize, Failure> {
        let lowered = compared.iter().filter(|compared| {
            compared.bills_more() && !self.lower.contains(&compared.organization)
        });
        let lowered: Vec<_> = lowered.map(|compared| compared.organization.as_str()).collect();
        if !lowered.is_empty() {
            return Err(Failure::new(format!(
                "Stripe bills more seats than there are of {}",
                lowered.join(", ")
            ))
            .advise(
                "Nothing was changed. Put their seats back, or name each one that Stripe shall \
                 bill fewer seats of: --lower org_…",
            ));
        }
        for compared in compared {
            leap(table, prices, &compared.organization).await?;
        }
        Ok(compared.len())
    }
}

/// Compares one organization; `None` when it has no subscription, so that nothing is billed.
async fn look(
    table: &Table,
    stripe: &Stripe,
    prices: &Prices,
    organization: &OrganizationId,
) -> Result<Option<Compared>, Failure> {
    let state = table.ledger_state(organization).await?.ok_or_else(|| no_record(organization))?;
    let Some(linked) = &state.linked else { return Ok(None) };
    let subscription = match stripe.fetch(&linked.subscription).await {
        Ok(subscription) => subscription,
        // What Stripe does not have, it bills nothing by.
        Err(failure) if failure.is_missing() => return Ok(None),
        Err(failure) => return Err(failure.into()),
    };
    let counted = table.count_seats(organization).await?.seats;
    let differences = Tier::ALL.into_iter().filter_map(|tier| {
        let items = subscription.items.iter();
        let items = items.filter(|item| prices.tier_of(&item.price) == Some(tier));
        let (seats, billed) = (counted.get(tier), items.map(|item| item.quantity).sum());
        (seats != billed).then_some((tier, seats, billed))
    });
    let differences = differences.collect();
    Ok(Some(Compared { organization: organization.clone(), differences }))
}

/// Gives an organization a version that Stripe was never told of. The record is told the seats
/// that there are first: it may have been put back from before some of them were made.
async fn leap(
    table: &Table,
    prices: &Prices,
    organization: &OrganizationId,
) -> Result<(), Failure> {
    for _ in 0..MAX_TRIES {
        let state =
            table.ledger_state(organization).await?.ok_or_else(|| no_record(organization))?;
        let seats = table.count_seats(organization).await?.seats;
        let cents = |seats| i64::try_from(prices.monthly(seats)).unwrap_or(i64::MAX);
        let correction = Correction {
            seats,
            seats_left: state.room_beside(seats).saturating_sub(state.seats_left),
            cents_left: cents(state.seats).saturating_sub(cents(seats)),
        };
        if table.leap_version(&state, &correction, System.now()).await? == Written::Yes {
            return Ok(());
        }
    }
    Err(Failure::new(format!("{organization} keeps changing"))
        .advise("Repeat the command: a version that is raised twice does no harm."))
}

fn no_record(organization: &OrganizationId) -> Failure {
    Failure::new(format!("{organization} has no billing record"))
}

impl From<LedgerUnavailable> for Failure {
    fn from(error: LedgerUnavailable) -> Self {
        Self::new(error.to_string()).advise(
            "Check --table, AWS_REGION, AWS_ENDPOINT_URL and the AWS credentials, then repeat \
             the command.",
        )
    }
}
