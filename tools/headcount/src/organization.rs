//! Organizations of the Seats API.

use clap::{Args, Subcommand};
use headcount_model::billing::{ProrationBehavior, SeatCounts};
use headcount_model::fewer::FewerSeats;
use headcount_model::id::{OrganizationId, SeatId};
use headcount_model::port::System;
use headcount_model::seats::{SeatsEnd, Tier};
use headcount_model::text::Text;
use headcount_store::rows::{BillingRow, OrganizationRow};
use headcount_store::{Allowance, Limits, ProvisionError, SpendingLimit, StripeLink, Table};
use serde_json::{Value, json};

use crate::cli::name;
use crate::failure::Failure;
use crate::report::Report;
use crate::subscription::{self, Missing, StripeIds, SubscriptionId};
use crate::target::Target;

/// Organizations of the Seats API.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Creates an organization, billed or not. Without billing it cannot create seats.
    Create(Create),
    /// Shows an organization and how its billing stands.
    Show {
        /// Id of the organization, org_…
        #[arg(value_name = "ORG", value_parser = OrganizationId::parse)]
        id: OrganizationId,
    },
    /// Links a subscription that exists. One that bills already must not bill more than there are
    /// seats: the rest would be taken back, and credited.
    Adopt {
        /// Id of the organization, org_…
        #[arg(value_name = "ORG", value_parser = OrganizationId::parse)]
        id: OrganizationId,
        /// The subscription, sub_…
        #[arg(value_name = "SUB", value_parser = SubscriptionId::parse)]
        subscription: SubscriptionId,
        /// Make a seat for each that it bills beyond those that there are, without details, so that
        /// nothing is taken back.
        #[arg(long)]
        import_seats: bool,
        /// Show what would become of each item, and what stands against it. Nothing is written.
        #[arg(long)]
        dry_run: bool,
    },
    /// Links another subscription in the place of one that has ended. Its quantities become the
    /// seats that there are.
    #[command(group = clap::ArgGroup::new("another").required(true))]
    Relink {
        /// Id of the organization, org_…
        #[arg(value_name = "ORG", value_parser = OrganizationId::parse)]
        id: OrganizationId,
        /// Create a subscription for its Stripe customer.
        #[arg(long, group = "another")]
        with_billing: bool,
        /// Link this Stripe subscription.
        #[arg(long, value_name = "SUB", group = "another", value_parser = SubscriptionId::parse)]
        subscription: Option<SubscriptionId>,
    },
    /// Sets what an organization may have. A limit below what it has is fine: it keeps that and
    /// can add nothing.
    SetLimit(SetLimit),
    /// Sets what becomes of the difference when its seats change within a billing period.
    SetProration {
        /// Id of the organization, org_…
        #[arg(value_name = "ORG", value_parser = OrganizationId::parse)]
        id: OrganizationId,
        /// create_prorations (on the next invoice), none, or always_invoice (at once; Stripe
        /// makes at most 20 such invoices a day).
        #[arg(value_name = "BEHAVIOR")]
        proration: ProrationBehavior,
    },
    /// Sets what becomes of the rest of a billing period when seats are given back.
    SetFewerSeats {
        /// Id of the organization, org_…
        #[arg(value_name = "ORG", value_parser = OrganizationId::parse)]
        id: OrganizationId,
        /// none, or credit (as set-proration says for more seats).
        #[arg(value_name = "SETTING")]
        setting: FewerSeats,
    },
    /// Sets when seats end that are given back from now on. Those that are to end already end when
    /// they were told.
    SetSeatsEnd {
        /// Id of the organization, org_…
        #[arg(value_name = "ORG", value_parser = OrganizationId::parse)]
        id: OrganizationId,
        /// at_once, or period_end (with the billing period; until then that can be revoked).
        #[arg(value_name = "SETTING")]
        setting: SeatsEnd,
    },
}

/// Which limits to set.
#[derive(Args)]
pub(crate) struct SetLimit {
    /// Id of the organization, org_…
    #[arg(value_name = "ORG", value_parser = OrganizationId::parse)]
    id: OrganizationId,
    /// The most seats that it may have.
    #[arg(
        long,
        value_parser = clap::value_parser!(u64).range(..=1_000_000_000),
        required_unless_present = "monthly_cents"
    )]
    seats: Option<u64>,
    /// The most that its seats may cost together, in US cents a month, or none for no limit.
    /// Seats count with what their tier cost when they were created.
    #[arg(long, value_name = "CENTS", value_parser = spending_limit)]
    monthly_cents: Option<SpendingLimit>,
}

/// Reads cents or `none`.
fn spending_limit(text: &str) -> Result<SpendingLimit, String> {
    match text.parse() {
        Ok(cents) if cents <= SpendingLimit::MAX_CENTS => Ok(SpendingLimit::Cents(cents)),
        _ if text == "none" => Ok(SpendingLimit::None),
        _ => Err(format!("cents from 0 to {}, or none", SpendingLimit::MAX_CENTS)),
    }
}

/// What to create.
#[derive(Args)]
pub(crate) struct Create {
    /// Name, 1 to 255 characters.
    #[arg(long, value_parser = name)]
    name: Text,
    /// Create a Stripe customer and a subscription without seats for it.
    #[arg(long, conflicts_with = "subscription")]
    with_billing: bool,
    /// Link this Stripe subscription.
    #[arg(long, value_name = "SUB", value_parser = SubscriptionId::parse)]
    subscription: Option<SubscriptionId>,
    /// The most seats that it may have. Has to be said of an organization that is new.
    #[arg(
        long,
        value_name = "SEATS",
        value_parser = clap::value_parser!(u64).range(..=1_000_000_000),
        required_unless_present = "org_id"
    )]
    seat_limit: Option<u64>,
    /// The most that its seats may cost together, in US cents a month, or none for no limit. Has
    /// to be said of an organization that is new.
    #[arg(
        long,
        value_name = "CENTS",
        value_parser = spending_limit,
        required_unless_present = "org_id"
    )]
    spending_limit: Option<SpendingLimit>,
    /// Finish what an earlier run began under this id, or link an organization that has no
    /// billing yet. The name must be the same.
    #[arg(long, value_name = "ORG", value_parser = OrganizationId::parse)]
    org_id: Option<OrganizationId>,
}

impl Command {
    pub(crate) async fn run(self, target: &Target) -> Result<Report, Failure> {
        match self {
            Command::Create(create) => create.run(target).await,
            Command::Show { id } => show(&target.table().await?, &id).await,
            Command::Adopt { id, subscription, import_seats, dry_run } => {
                adopt(target, &id, &subscription, import_seats, dry_run).await
            }
            Command::Relink { id, subscription, .. } => {
                relink(target, &id, subscription.as_ref()).await
            }
            Command::SetLimit(SetLimit { id, seats, monthly_cents }) => {
                let table = target.table().await?;
                let limits = Limits { seats, spending: monthly_cents };
                table.set_limits(&id, limits).await?;
                show(&table, &id).await
            }
            Command::SetProration { id, proration } => {
                let table = target.table().await?;
                table.set_proration(&id, proration).await?;
                show(&table, &id).await
            }
            Command::SetFewerSeats { id, setting } => {
                let table = target.table().await?;
                table.set_fewer_seats(&id, setting).await?;
                show(&table, &id).await
            }
            Command::SetSeatsEnd { id, setting } => {
                let table = target.table().await?;
                table.set_seats_end(&id, setting).await?;
                show(&table, &id).await
            }
        }
    }
}

impl Create {
    async fn run(self, target: &Target) -> Result<Report, Failure> {
        let table = target.table().await?;
        let id = match &self.org_id {
            Some(id) => id.clone(),
            None => OrganizationId::new(&System, &System)?,
        };
        // Only an id that the operator names can exist.
        let existing = match &self.org_id {
            Some(id) => read(&table, id).await?,
            None => None,
        };
        let mut new = None;
        match &existing {
            Some((organization, _)) => self.check_name(organization)?,
            None => new = Some(self.allowance()?),
        }
        let linked = existing.as_ref().and_then(|(_, billing)| link_of(billing.as_ref()?));
        let seats = existing.as_ref().and_then(|(_, billing)| Some(seats_of(billing.as_ref()?)));
        let link = match linked {
            Some(linked) => Some(self.keep(target, &id, linked).await?),
            None => self.link(target, &id, seats.unwrap_or_default()).await?,
        };
        let kept = self.keep_in(&table, &id, new, link.as_ref());
        kept.await.map_err(|error| self.unfinished(&id, error))?;
        Ok(Report::new()
            .field("org", id.as_str())
            .field("customer", link.as_ref().map(|link| link.ids.customer.as_str()))
            .field("subscription", link.as_ref().map(|link| link.ids.subscription.as_str())))
    }

    /// What it may have when it is new.
    fn allowance(&self) -> Result<Allowance, Failure> {
        let said = self.seat_limit.zip(self.spending_limit);
        let (seats, spending) = said.ok_or_else(|| {
            Failure::usage("there is no such organization, and a new one needs its limits")
                .advise("Say --seat-limit and --spending-limit. Nothing was changed.")
        })?;
        Ok(Allowance { seats, spending })
    }

    fn check_name(&self, organization: &OrganizationRow) -> Result<(), Failure> {
        if organization.name == self.name.as_str() {
            return Ok(());
        }
        Err(Failure::new(format!(
            "the organization {} exists under another name, {:?}",
            organization.id, organization.name
        ))
        .advise("Check --org-id and --name. Nothing was changed."))
    }

    /// The link that is there, when it is the one that is wanted and still bills.
    async fn keep(
        &self,
        target: &Target,
        id: &OrganizationId,
        linked: StripeIds,
    ) -> Result<Link, Failure> {
        let another =
            self.subscription.as_ref().is_some_and(|wanted| wanted.as_str() != linked.subscription);
        let wants_billing = self.with_billing || self.subscription.is_some();
        if wants_billing && subscription::has_ended(&target.stripe()?, &linked.subscription).await?
        {
            return Err(Failure::new(format!(
                "the organization's subscription {} has ended",
                linked.subscription
            ))
            .advise(format!("Nothing was changed. Link another one: headcount org relink {id}")));
        }
        if another {
            return Err(ProvisionError::OtherSubscription.into());
        }
        Ok(Link { ids: linked, new: None })
    }

    /// Makes or finds the Stripe objects that are wanted.
    async fn link(
        &self,
        target: &Target,
        id: &OrganizationId,
        seats: SeatCounts,
    ) -> Result<Option<Link>, Failure> {
        if let Some(wanted) = &self.subscription {
            let stripe = target.stripe()?;
            let adoption = subscription::examine(&stripe, id, wanted, seats).await?;
            return Ok(Some(Link::new(adoption.take(&stripe, id).await?)));
        }
        if !self.with_billing {
            return Ok(None);
        }
        // Said before anything is made, so that a run that is killed can be finished.
        eprintln!(
            "The organization is {id}. If this run ends early, repeat it with --org-id {id}."
        );
        let link = subscription::open(&target.stripe()?, id, &self.name, None).await?;
        Ok(Some(Link::new(link)))
    }

    async fn keep_in(
        &self,
        table: &Table,
        id: &OrganizationId,
        new: Option<Allowance>,
        link: Option<&Link>,
    ) -> Result<(), ProvisionError> {
        let link = link.and_then(|link| link.new.as_ref());
        match (new, link) {
            (Some(may), link) => table.create_organization(id, &self.name, link, may).await,
            (None, Some(link)) => table.link_subscription(id, link).await,
            (None, None) => Ok(()),
        }
    }

    /// The table failed; what exists at Stripe by now is not lost.
    fn unfinished(&self, id: &OrganizationId, error: ProvisionError) -> Failure {
        let unknown = error == ProvisionError::Unavailable;
        let failure = Failure::from(error);
        if unknown {
            failure.advise(format!(
                "The cause is above. Check --table, AWS_REGION, AWS_ENDPOINT_URL and the AWS \
                 credentials, then repeat the command with --org-id {id}."
            ))
        } else {
            failure
        }
    }
}

/// The Stripe objects of an organization.
struct Link {
    ids: StripeIds,
    /// To be written to the table; `None` when that says so already.
    new: Option<StripeLink>,
}

impl Link {
    fn new(link: StripeLink) -> Self {
        let ids =
            StripeIds { customer: link.customer.clone(), subscription: link.subscription.clone() };
        Self { ids, new: Some(link) }
    }
}

fn link_of(billing: &BillingRow) -> Option<StripeIds> {
    Some(StripeIds {
        customer: billing.stripe_customer.clone()?,
        subscription: billing.stripe_subscription.clone()?,
    })
}

fn seats_of(billing: &BillingRow) -> SeatCounts {
    SeatCounts { basic: billing.seats_basic, premium: billing.seats_premium }
}

/// Links a subscription that exists to an organization that has none, or shows what that would do.
async fn adopt(
    target: &Target,
    id: &OrganizationId,
    subscription: &SubscriptionId,
    import_seats: bool,
    dry_run: bool,
) -> Result<Report, Failure> {
    let table = target.table().await?;
    let (_, billing) = read(&table, id).await?.ok_or(ProvisionError::NoSuch("organization"))?;
    let linked = billing.as_ref().and_then(link_of);
    if linked.is_some_and(|linked| linked.subscription != subscription.as_str()) {
        return Err(ProvisionError::OtherSubscription.into());
    }
    let stripe = target.stripe()?;
    let seats = billing.as_ref().map(seats_of).unwrap_or_default();
    let mut adoption = subscription::examine(&stripe, id, subscription, seats).await?;
    let mut imported = 0;
    if import_seats {
        let missing = adoption.import();
        imported = missing.iter().map(|missing| missing.count).sum();
        if !dry_run {
            adoption.check()?;
            import(&table, id, &missing).await?;
        }
    }
    let items = adoption.items.iter().map(|item| {
        json!({
            "price": item.price,
            "tier": item.tier.map(Tier::as_str),
            "quantity": item.quantity,
            "after": item.after,
        })
    });
    let items: Vec<_> = items.collect();
    let objections = adoption.objections();
    if !dry_run {
        table.link_subscription(id, &adoption.take(&stripe, id).await?).await?;
    }
    Ok(Report::new()
        .field("org", id.as_str())
        .field("subscription", subscription.as_str())
        .field("items", items)
        .field("imported", imported)
        .field("objections", objections)
        .field("linked", !dry_run))
}

/// How many seats one transaction makes beside counting them.
const IMPORTED_AT_ONCE: usize = 90;

/// Makes the seats that a subscription bills already. What was made stays when it fails half-way: to
/// repeat it makes the rest.
async fn import(table: &Table, id: &OrganizationId, missing: &[Missing]) -> Result<(), Failure> {
    for &Missing { tier, count, unit_amount } in missing {
        let mut left = usize::try_from(count).unwrap_or(usize::MAX);
        while left > 0 {
            let ids = SeatId::batch(left.min(IMPORTED_AT_ONCE), &System, &System)?;
            let seats: Vec<_> = ids.into_iter().map(|seat| (seat, tier)).collect();
            let cents = unit_amount.saturating_mul(seats.len() as u64);
            table.import_seats(id, &seats, cents).await.map_err(|error| {
                Failure::from(error).advise(
                    "Do the organization's limits leave room for what the subscription bills? Repeat \
                     the command: what was made stays, and the rest is made.",
                )
            })?;
            left -= seats.len();
        }
    }
    Ok(())
}

/// Links another subscription in the place of one that has ended.
async fn relink(
    target: &Target,
    id: &OrganizationId,
    another: Option<&SubscriptionId>,
) -> Result<Report, Failure> {
    let table = target.table().await?;
    let (organization, billing) =
        read(&table, id).await?.ok_or(ProvisionError::NoSuch("organization"))?;
    let Some((billing, ended)) = billing.and_then(|billing| {
        let linked = link_of(&billing)?;
        Some((billing, linked))
    }) else {
        return Err(Failure::new("the organization has no subscription").advise(format!(
            "Nothing was changed. Link one: headcount org create --name … --org-id {id}"
        )));
    };
    let stripe = target.stripe()?;
    if !subscription::has_ended(&stripe, &ended.subscription).await? {
        return Err(Failure::new(format!(
            "the organization's subscription {} has not ended, and bills its seats",
            ended.subscription
        ))
        .advise("Nothing was changed. Cancel it in Stripe first."));
    }
    let link = match another {
        Some(another) => {
            let seats = seats_of(&billing);
            let adoption = subscription::examine(&stripe, id, another, seats).await?;
            adoption.take(&stripe, id).await?
        }
        None => {
            let name = Text::line(&organization.name, 1..=255)
                .map_err(|_| Failure::new("the organization's name cannot be read"))?;
            subscription::open(&stripe, id, &name, Some(&ended)).await?
        }
    };
    table.relink_subscription(id, &ended.subscription, &link).await?;
    show(&table, id).await
}

async fn read(
    table: &Table,
    id: &OrganizationId,
) -> Result<Option<(OrganizationRow, Option<BillingRow>)>, ProvisionError> {
    match table.organization(id).await? {
        Some(organization) => Ok(Some((organization, table.billing_row(id).await?))),
        None => Ok(None),
    }
}

async fn show(table: &Table, id: &OrganizationId) -> Result<Report, Failure> {
    let (organization, billing) =
        read(table, id).await?.ok_or(ProvisionError::NoSuch("organization"))?;
    Ok(Report::new()
        .field("id", organization.id)
        .field("name", organization.name)
        .field("created_at", organization.created_at)
        .field("billing", billing.map_or(Value::Null, view)))
}

/// The billing record for an operator. Billing is true when both versions are equal.
fn view(billing: BillingRow) -> Value {
    json!({
        "status": billing.subscription_status,
        "customer": billing.stripe_customer,
        "subscription": billing.stripe_subscription,
        "seats": { "basic": billing.seats_basic, "premium": billing.seats_premium },
        "seat_limit": billing.seat_limit,
        "seats_left": billing.seats_left,
        "spending_limit": billing.spending_limit,
        "cents_left": billing.spending_limit.and(billing.cents_left),
        "proration_behavior":
            billing.proration_behavior.as_deref().unwrap_or(ProrationBehavior::default().as_str()),
        "fewer_seats": billing.fewer_seats.as_deref().unwrap_or(FewerSeats::default().as_str()),
        "seats_end": billing.seats_end.as_deref().unwrap_or(SeatsEnd::default().as_str()),
        "version": billing.version,
        "applied_version": billing.applied_version,
        "behind_since": billing.behind_since,
        "last_error": billing.last_error.map(|error| json!({
            "code": error.code,
            "message": error.message,
            "at": error.at,
        })),
    })
}

#[cfg(test)]
mod tests {
    use headcount_store::key::Key;
    use headcount_store::rows::LastErrorRow;

    use super::*;

    #[test]
    fn the_view_tells_how_billing_stands() {
        let id = OrganizationId::parse("org_01k6z3v8m4t5q7r9w2x1y0abcd").expect("an id");
        let billing = BillingRow {
            key: Key::billing(&id),
            organization: id.to_string(),
            stripe_customer: Some("cus_1".to_owned()),
            stripe_subscription: Some("sub_1".to_owned()),
            subscription_status: Some("active".to_owned()),
            past_due_since: None,
            cancel_at_period_end: false,
            current_period_start: None,
            current_period_end: None,
            collection_paused: false,
            status_version: 0,
            seats_basic: 2,
            seats_premium: 1,
            seat_limit: 10,
            seats_left: 7,
            spending_limit: Some(50_000),
            cents_left: Some(32_000),
            proration_behavior: None,
            version: 3,
            applied_version: 2,
            told_basic: None,
            told_premium: None,
            changed_by: None,
            changed_version: None,
            fewer_seats: None,
            seats_end: None,
            fewer_version: None,
            fewer_at: None,
            item_basic: None,
            item_premium: None,
            paced_until: None,
            attempt: None,
            behind_since: Some("2026-02-03T18:12:47.000000Z".to_owned()),
            behind_shard: Some("d".to_owned()),
            last_error: Some(LastErrorRow {
                code: "resource_missing".to_owned(),
                message: "No such subscription".to_owned(),
                at: "2026-02-03T18:12:48.000000Z".to_owned(),
            }),
            updated_at: "2026-02-03T18:12:48.000000Z".to_owned(),
        };
        assert_eq!(
            view(billing),
            json!({
                "status": "active",
                "customer": "cus_1",
                "subscription": "sub_1",
                "seats": {"basic": 2, "premium": 1},
                "seat_limit": 10,
                "seats_left": 7,
                "spending_limit": 50_000,
                "cents_left": 32_000,
                "proration_behavior": "create_prorations",
                "fewer_seats": "none",
                "seats_end": "at_once",
                "version": 3,
                "applied_version": 2,
                "behind_since": "2026-02-03T18:12:47.000000Z",
                "last_error": {
                    "code": "resource_missing",
                    "message": "No such subscription",
                    "at": "2026-02-03T18:12:48.000000Z"
                },
            })
        );
    }
}
