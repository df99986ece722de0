//! The Stripe objects of an organization: a customer and a subscription with both prices.

use headcount_billing::stripe::Stripe;
use headcount_billing::{Item, StripeFailure, Subscription, Subscriptions, reasons};
use headcount_model::billing::SeatCounts;
use headcount_model::id::OrganizationId;
use headcount_model::seats::Tier;
use headcount_model::text::Text;
use headcount_store::StripeLink;
use serde::Deserialize;

use crate::failure::Failure;
use crate::prices::Prices;

/// The id of a subscription, safe in the path of a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SubscriptionId(String);

impl SubscriptionId {
    /// Reads `sub_` and letters or digits.
    ///
    /// # Errors
    /// Says what it should look like.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        match text.strip_prefix("sub_") {
            Some(rest) if !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric()) => {
                Ok(Self(text.to_owned()))
            }
            _ => Err("the id of a subscription begins with sub_".to_owned()),
        }
    }

    /// The id as Stripe writes it.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[derive(Deserialize)]
struct Customer {
    id: String,
    #[serde(default)]
    deleted: bool,
}

/// A subscription that can bill an organization from now on.
///
/// # Errors
/// When it has ended, or seats cannot be billed by it; every reason is told.
fn link(subscription: Subscription) -> Result<StripeLink, Failure> {
    let refused = |why: String| {
        Failure::new(format!("the subscription {} cannot bill seats: {why}", subscription.id))
            .advise("Link another one. Nothing was changed.")
    };
    if subscription.has_ended() {
        return Err(refused(format!("it has ended ({})", subscription.status)));
    }
    if !subscription.unfit.is_empty() {
        return Err(refused(reasons(&subscription.unfit)));
    }
    let standing = subscription.standing().map_err(|error| Failure::new(error.to_string()))?;
    let Subscription { customer, id: subscription, .. } = subscription;
    Ok(StripeLink { customer, subscription, standing })
}

/// Key of the metadata by which a webhook about a subscription finds its organization.
const ORGANIZATION: &str = "organization";

/// Creates a customer and a subscription for an organization, or after `ended` another subscription
/// for the customer that is there.
///
/// For 24 hours Stripe gives a repetition the objects that the first run made: the idempotency
/// keys come from the organization's id, and from the subscription that is replaced.
///
/// # Errors
/// When Stripe does not do it.
pub(crate) async fn open(
    stripe: &Stripe,
    organization: &OrganizationId,
    name: &Text,
    ended: Option<&StripeIds>,
) -> Result<StripeLink, Failure> {
    let prices = Prices::find(stripe).await?;
    let again = |failure: StripeFailure| advise_repetition(organization, ended, failure);
    let known = match ended {
        Some(ended) => customer(stripe, &ended.customer).await?,
        None => None,
    };
    let key = |what| match ended {
        Some(ended) => format!("{organization}:{what}:{}", ended.subscription),
        None => format!("{organization}:{what}"),
    };
    let customer = match known {
        Some(customer) => customer,
        None => {
            let form = customer_form(organization, name);
            let made: Customer =
                stripe.post("/v1/customers", &form, &key("customer")).await.map_err(again)?;
            made.id
        }
    };
    let form = subscription_form(organization, &customer, &prices);
    link(stripe.post("/v1/subscriptions", &form, &key("subscription")).await.map_err(again)?)
}

/// The id of a customer that Stripe still has.
async fn customer(stripe: &Stripe, id: &str) -> Result<Option<String>, Failure> {
    match stripe.get::<Customer>(&format!("/v1/customers/{id}"), &[]).await {
        Ok(customer) => Ok((!customer.deleted).then_some(customer.id)),
        Err(failure) if failure.is_missing() => Ok(None),
        Err(failure) => Err(failure.into()),
    }
}

/// The Stripe objects that an organization is linked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StripeIds {
    /// `cus_…`
    pub(crate) customer: String,
    /// `sub_…`
    pub(crate) subscription: String,
}

/// Whether a subscription bills nothing any more and never will: it has ended, or Stripe does not
/// have it.
///
/// # Errors
/// When Stripe does not answer.
pub(crate) async fn has_ended(stripe: &Stripe, subscription: &str) -> Result<bool, Failure> {
    match stripe.fetch(subscription).await {
        Ok(subscription) => Ok(subscription.has_ended()),
        Err(failure) if failure.is_missing() => Ok(true),
        Err(failure) => Err(failure.into()),
    }
}

/// What linking would make of a subscription that exists.
pub(crate) struct Adoption {
    subscription: Subscription,
    /// What becomes of each of its items.
    pub(crate) items: Vec<AdoptedItem>,
}

/// An item of a subscription, and what Stripe would be told of it.
pub(crate) struct AdoptedItem {
    /// `price_…`
    pub(crate) price: String,
    /// The tier that it bills; `None` for an item that is none of ours, and stays as it is.
    pub(crate) tier: Option<Tier>,
    /// What it bills.
    pub(crate) quantity: u64,
    /// What it would bill.
    pub(crate) after: u64,
    /// What one costs, in cents.
    pub(crate) unit_amount: u64,
}

/// Looks at a subscription that exists as what would bill `seats` of an organization. Nothing is
/// written.
///
/// # Errors
/// When Stripe does not answer, or another organization has the subscription: two that share one
/// would overwrite each other's quantities.
pub(crate) async fn examine(
    stripe: &Stripe,
    organization: &OrganizationId,
    id: &SubscriptionId,
    seats: SeatCounts,
) -> Result<Adoption, Failure> {
    let subscription = stripe.fetch(id.as_str()).await?;
    if let Some(owner) = subscription.organization.as_ref().filter(|owner| *owner != organization) {
        return Err(Failure::new(format!(
            "the subscription {} belongs to the organization {owner}",
            id.as_str()
        ))
        .advise("Link another one, or change its metadata \"organization\" in Stripe."));
    }
    let prices = Prices::find(stripe).await?;
    let item = |item: &Item| {
        let tier = prices.tier_of(&item.price);
        let after = tier.map_or(item.quantity, |tier| seats.get(tier));
        let unit_amount = item.unit_amount.unwrap_or_default();
        AdoptedItem { price: item.price.clone(), tier, quantity: item.quantity, after, unit_amount }
    };
    let items = subscription.items.iter().map(item).collect();
    Ok(Adoption { subscription, items })
}

/// Seats that a subscription bills and that are not there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Missing {
    /// Of this tier.
    pub(crate) tier: Tier,
    /// So many.
    pub(crate) count: u64,
    /// What one costs, in cents a month.
    pub(crate) unit_amount: u64,
}

impl Adoption {
    /// Has the seats that are billed and not there made: what these are. Nothing is lowered then.
    pub(crate) fn import(&mut self) -> Vec<Missing> {
        let mut missing = Vec::new();
        for item in &mut self.items {
            let Some(tier) = item.tier.filter(|_| item.after < item.quantity) else { continue };
            let count = item.quantity - item.after;
            missing.push(Missing { tier, count, unit_amount: item.unit_amount });
            item.after = item.quantity;
        }
        missing
    }

    /// Fails where something stands against linking it.
    ///
    /// # Errors
    /// All objections.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let objections = self.objections();
        if objections.is_empty() {
            return Ok(());
        }
        Err(Failure::new(format!(
            "the subscription {} cannot bill the organization: {}",
            self.subscription.id,
            objections.join("; ")
        ))
        .advise("Nothing was changed. `headcount org adopt --dry-run` shows each item."))
    }

    /// What stands against linking it; empty when nothing does.
    pub(crate) fn objections(&self) -> Vec<String> {
        let fewer = self.items.iter().filter(|item| item.after < item.quantity).map(|item| {
            format!(
                "it bills {} at the price {}, and there are {} seats: the rest would be taken back",
                item.quantity, item.price, item.after
            )
        });
        let ended = self.subscription.has_ended();
        let ended = ended.then(|| format!("it has ended ({})", self.subscription.status));
        let unfit = self.subscription.unfit.iter().map(ToString::to_string);
        ended.into_iter().chain(unfit).chain(fewer).collect()
    }

    /// Notes on the subscription whose it is, and gives what links it.
    ///
    /// # Errors
    /// The objections, or when Stripe does not do it.
    pub(crate) async fn take(
        self,
        stripe: &Stripe,
        organization: &OrganizationId,
    ) -> Result<StripeLink, Failure> {
        self.check()?;
        let subscription = self.subscription;
        if subscription.organization.is_some() {
            return link(subscription);
        }
        let path = format!("/v1/subscriptions/{}", subscription.id);
        let key = format!("{organization}:adopt:{}", subscription.id);
        link(stripe.post(&path, &[metadata(organization)], &key).await?)
    }
}

/// Says how to go on when a step towards a new subscription fails.
fn advise_repetition(
    organization: &OrganizationId,
    ended: Option<&StripeIds>,
    failure: StripeFailure,
) -> Failure {
    let stored = matches!(failure, StripeFailure::Stored(_));
    let failure = Failure::from(failure);
    if stored {
        // Stripe replays an error of its server under the same key.
        failure.advise(format!(
            "Stripe repeats this answer for 24 hours. Look there for a subscription whose \
             metadata \"organization\" is {organization}. If there is one, repeat the command \
             with --org-id {organization} --subscription sub_…; if not, without --org-id."
        ))
    } else if ended.is_some() {
        failure.advise(
            "When the cause is gone, repeat the command; within 24 hours nothing is done twice.",
        )
    } else {
        failure.advise(format!(
            "When the cause is gone, repeat the command with --org-id {organization}; within \
             24 hours nothing is done twice."
        ))
    }
}

fn metadata(organization: &OrganizationId) -> (String, String) {
    (format!("metadata[{ORGANIZATION}]"), organization.to_string())
}

fn customer_form(organization: &OrganizationId, name: &Text) -> Vec<(String, String)> {
    vec![("name".to_owned(), name.to_string()), metadata(organization)]
}

/// The form of a subscription without seats. Its first invoice is about nothing, so it is
/// active at once without a way to pay; the customer adds one before the first invoice that is
/// about seats.
fn subscription_form(
    organization: &OrganizationId,
    customer: &str,
    prices: &Prices,
) -> Vec<(String, String)> {
    let fields = [
        ("customer", customer),
        ("items[0][price]", &prices.basic),
        ("items[0][quantity]", "0"),
        ("items[1][price]", &prices.premium),
        ("items[1][quantity]", "0"),
        ("collection_method", "charge_automatically"),
        // What a credit is computed from must not depend on the version of the API.
        ("billing_mode[type]", "flexible"),
    ];
    fields
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into_iter()
        .chain([metadata(organization)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_cannot_leave_its_place_in_the_path() {
        assert!(SubscriptionId::parse("sub_1MowQVLkdIwHu7ixeRlqHVzs").is_ok());
        for bad in ["", "sub_", "cus_1", "sub_1/cancel", "sub_1?x", "sub_..", "sub_1 "] {
            assert!(SubscriptionId::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_new_subscription_has_both_prices_and_no_seats() {
        let id = OrganizationId::parse("org_01k6z3v8m4t5q7r9w2x1y0abcd").expect("an id");
        let (basic, premium) = ("price_b".to_owned(), "price_p".to_owned());
        let prices = Prices { basic, premium, cents: SeatCounts::default() };
        let form: Vec<_> = subscription_form(&id, "cus_1", &prices)
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(
            form,
            [
                "customer=cus_1",
                "items[0][price]=price_b",
                "items[0][quantity]=0",
                "items[1][price]=price_p",
                "items[1][quantity]=0",
                "collection_method=charge_automatically",
                "billing_mode[type]=flexible",
                "metadata[organization]=org_01k6z3v8m4t5q7r9w2x1y0abcd",
            ]
        );
    }

    #[test]
    fn a_status_that_is_not_known_is_a_failure() {
        let subscription = Subscription {
            id: "sub_1".to_owned(),
            customer: "cus_1".to_owned(),
            status: "new_word".to_owned(),
            collection_paused: false,
            cancel_at_period_end: false,
            period: None,
            organization: None,
            items: Vec::new(),
            unfit: Vec::new(),
        };
        assert!(link(subscription).is_err());
    }
}
