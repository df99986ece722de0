//! The Stripe objects of an organization: a customer and a subscription with both prices.

use std::collections::HashMap;

use headcount_billing::StripeFailure;
use headcount_billing::stripe::Stripe;
use headcount_model::billing::{Period, SubscriptionStatus, UnknownStatus};
use headcount_model::id::OrganizationId;
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
}

/// A subscription (<https://docs.stripe.com/api/subscriptions/object>).
#[derive(Deserialize)]
struct Subscription {
    id: String,
    customer: String,
    status: String,
    #[serde(default)]
    cancel_at_period_end: bool,
    #[serde(default)]
    metadata: HashMap<String, String>,
    #[serde(default)]
    items: Items,
}

/// Periods are told by the items
/// (<https://docs.stripe.com/changelog/basil/2025-03-31/deprecate-subscription-current-period-start-and-end>).
#[derive(Default, Deserialize)]
struct Items {
    data: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    current_period_start: Option<i64>,
    current_period_end: Option<i64>,
}

impl Item {
    fn period(&self) -> Option<Period> {
        Some(Period { start: self.current_period_start?, end: self.current_period_end? })
    }
}

impl Subscription {
    fn link(self) -> Result<StripeLink, Failure> {
        let status: SubscriptionStatus =
            self.status.parse().map_err(|error: UnknownStatus| Failure::new(error.to_string()))?;
        Ok(StripeLink {
            customer: self.customer,
            subscription: self.id,
            status,
            cancel_at_period_end: self.cancel_at_period_end,
            // Of items with several periods the first to end counts.
            period: self.items.data.iter().filter_map(Item::period).min_by_key(|period| period.end),
        })
    }
}

/// Key of the metadata by which a webhook about a subscription finds its organization.
const ORGANIZATION: &str = "organization";

/// Creates a customer and a subscription for an organization.
///
/// For 24 hours Stripe gives a repetition the objects that the first run made: the idempotency
/// keys come from the organization's id.
///
/// # Errors
/// When Stripe does not do it.
pub(crate) async fn open(
    stripe: &Stripe,
    organization: &OrganizationId,
    name: &Text,
) -> Result<StripeLink, Failure> {
    let prices = Prices::find(stripe).await?;
    // Said before anything is made, so that a run that is killed can be finished.
    eprintln!(
        "The organization is {organization}. If this run ends early, repeat it with --org-id \
         {organization}."
    );
    let again = |failure: StripeFailure| advise_repetition(organization, failure);
    let customer: Customer = stripe
        .post(
            "/v1/customers",
            &customer_form(organization, name),
            &format!("{organization}:customer"),
        )
        .await
        .map_err(again)?;
    let subscription: Subscription = stripe
        .post(
            "/v1/subscriptions",
            &subscription_form(organization, &customer.id, &prices),
            &format!("{organization}:subscription"),
        )
        .await
        .map_err(again)?;
    subscription.link()
}

/// Takes a subscription that exists for an organization, and notes that on it.
///
/// # Errors
/// When Stripe does not do it, or another organization has the subscription: two that share
/// one would overwrite each other's quantities.
pub(crate) async fn adopt(
    stripe: &Stripe,
    organization: &OrganizationId,
    id: &SubscriptionId,
) -> Result<StripeLink, Failure> {
    let path = format!("/v1/subscriptions/{}", id.as_str());
    let subscription: Subscription = stripe.get(&path, &[]).await?;
    match subscription.metadata.get(ORGANIZATION) {
        Some(owner) if owner == organization.as_str() => subscription.link(),
        Some(owner) => Err(Failure::new(format!(
            "the subscription {} belongs to the organization {owner}",
            id.as_str()
        ))
        .advise("Link another one, or change its metadata \"organization\" in Stripe.")),
        None => {
            let noted: Subscription = stripe
                .post(
                    &path,
                    &[metadata(organization)],
                    &format!("{organization}:adopt:{}", id.as_str()),
                )
                .await?;
            noted.link()
        }
    }
}

/// Says how to go on when a step towards a new subscription fails.
fn advise_repetition(organization: &OrganizationId, failure: StripeFailure) -> Failure {
    let stored = matches!(failure, StripeFailure::Stored(_));
    let failure = Failure::from(failure);
    if stored {
        // Stripe replays an error of its server under the same key.
        failure.advise(format!(
            "Stripe repeats this answer for 24 hours. Look there for a subscription whose \
             metadata \"organization\" is {organization}. If there is one, repeat the command \
             with --org-id {organization} --subscription sub_…; if not, without --org-id."
        ))
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
        let prices = Prices { basic: "price_b".to_owned(), premium: "price_p".to_owned() };
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
            cancel_at_period_end: false,
            metadata: HashMap::new(),
            items: Items::default(),
        };
        assert!(subscription.link().is_err());
    }
}
