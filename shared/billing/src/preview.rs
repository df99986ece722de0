//! What a change of seats would cost in the current period, as Stripe's own invoice preview says
//! (<https://docs.stripe.com/billing/subscriptions/prorations#preview-proration>).

use std::future::Future;

use headcount_model::billing::{ItemTarget, ProrationBehavior, SeatCounts};
use headcount_model::idempotency::hex;
use headcount_model::policy::BillingPolicy;
use headcount_model::port::{Entropy, random};
use headcount_model::tiers::Tiers;
use jiff::Timestamp;
use serde::Deserialize;

use crate::stripe::{Stripe, Transport};
use crate::subscription::{StripeFailure, Subscription, Subscriptions, targets_of_seats};

/// A change of seats that may come.
#[derive(Debug, Clone)]
pub struct Change<'c> {
    /// The subscription that bills them, `sub_…`.
    pub subscription: &'c str,
    /// The seats that exist. Stripe may not have been told of all of them yet.
    pub before: SeatCounts,
    /// The seats that would exist.
    pub after: SeatCounts,
    /// By which prices.
    pub tiers: &'c Tiers,
    /// What becomes of the difference.
    pub proration: ProrationBehavior,
    /// Which subscriptions take seats.
    pub policy: &'c BillingPolicy,
    /// When the change would be.
    pub now: Timestamp,
}

/// What came of a preview.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Previewed {
    /// What the rest of the period costs more, in cents; negative for a credit.
    Proration(i64),
    /// The subscription bills no more seats, whatever the table knows of it.
    Ended,
}

/// Where previews come from.
pub trait Previews {
    /// The proration of a change.
    ///
    /// # Errors
    /// [`StripeFailure`].
    fn proration(
        &self,
        change: &Change<'_>,
        entropy: &dyn Entropy,
    ) -> impl Future<Output = Result<Previewed, StripeFailure>> + Send;
}

impl<T: Transport> Previews for Stripe<T> {
    async fn proration(
        &self,
        change: &Change<'_>,
        entropy: &dyn Entropy,
    ) -> Result<Previewed, StripeFailure> {
        let subscription = self.fetch(change.subscription).await?;
        if !takes_seats(&subscription, change) {
            return Ok(Previewed::Ended);
        }
        if change.proration == ProrationBehavior::None {
            return Ok(Previewed::Proration(0));
        }
        let after = self.preview(&subscription, change, change.after, entropy).await?;
        // What Stripe has not been told of yet is no part of this change.
        let before = if is_told(&subscription, change)? {
            0
        } else {
            self.preview(&subscription, change, change.before, entropy).await?
        };
        Ok(Previewed::Proration(after.saturating_sub(before)))
    }
}

impl<T: Transport> Stripe<T> {
    /// What Stripe would prorate if the quantities became those of `seats`.
    async fn preview(
        &self,
        subscription: &Subscription,
        change: &Change<'_>,
        seats: SeatCounts,
        entropy: &dyn Entropy,
    ) -> Result<i64, StripeFailure> {
        let now = change.now.as_second();
        // Stripe takes a moment within the period only; our clocks may differ. (`clamp` would panic
        // over a period that ends before it begins.)
        let at = subscription.period.map_or(now, |period| now.min(period.end).max(period.start));
        let targets = targets(subscription, change.tiers, seats)?;
        let with = |prorations| form(subscription, &targets, prorations);
        let Some(invoice) = self.upcoming(&with(Prorations::At(at)), entropy).await? else {
            return Ok(0);
        };
        if !invoice.lines.has_more {
            return Ok(invoice.prorated(at));
        }
        // The rest of a preview's lines cannot be asked for, since a preview is not kept. The same
        // one without prorations has everything else in it: what waits, and the next period.
        let without = self.upcoming(&with(Prorations::None), entropy).await?;
        Ok(invoice.subtotal.saturating_sub(without.map_or(0, |invoice| invoice.subtotal)))
    }

    /// What Stripe would prorate if the items became `targets` now, by its own clock: what is more on
    /// the invoice than without prorations. Lines that credit a debit begin when that did, and so
    /// cannot be told by a moment.
    pub(crate) async fn prorated_now(
        &self,
        subscription: &Subscription,
        targets: &[ItemTarget],
        entropy: &dyn Entropy,
    ) -> Result<i64, StripeFailure> {
        let with = |prorations| form(subscription, targets, prorations);
        let prorated = self.upcoming(&with(Prorations::Now), entropy).await?;
        let plain = self.upcoming(&with(Prorations::None), entropy).await?;
        let subtotal = |invoice: Option<Invoice>| invoice.map_or(0, |invoice| invoice.subtotal);
        Ok(subtotal(prorated).saturating_sub(subtotal(plain)))
    }

    /// The invoice of a preview; `None` when nothing would be invoiced, not even the change.
    async fn upcoming(
        &self,
        form: &[(String, String)],
        entropy: &dyn Entropy,
    ) -> Result<Option<Invoice>, StripeFailure> {
        // A preview is new each time: a stored one would be one of other quantities.
        let random = random::<16>(entropy)
            .map_err(|no_entropy| StripeFailure::Transient(no_entropy.to_string()))?;
        let key = format!("quote:{}", hex(&random));
        match self.post("/v1/invoices/create_preview", form, &key).await {
            Ok(invoice) => Ok(Some(invoice)),
            Err(StripeFailure::Permanent(error)) if error.code == "invoice_upcoming_none" => {
                Ok(None)
            }
            Err(failure) => Err(failure),
        }
    }
}

/// Whether the subscription takes seats as it is now. Since when it is past due the record knows.
fn takes_seats(subscription: &Subscription, change: &Change<'_>) -> bool {
    let standing = subscription.standing();
    standing.is_ok_and(|standing| change.policy.check(&standing, None, change.now).is_ok())
}

/// Whether Stripe bills the seats that exist.
fn is_told(subscription: &Subscription, change: &Change<'_>) -> Result<bool, StripeFailure> {
    let targets = targets(subscription, change.tiers, change.before)?;
    Ok(targets.iter().all(|target| {
        let item = subscription.item_of(&target.price);
        item.map_or(0, |item| item.quantity) == target.quantity
    }))
}

/// What Stripe would be told of some seats.
fn targets(
    subscription: &Subscription,
    tiers: &Tiers,
    seats: SeatCounts,
) -> Result<Vec<ItemTarget>, StripeFailure> {
    let price = |tier| tiers.of(tier).price.as_deref();
    let item = |_, price: &str| subscription.item_of(price).map(|item| item.id.clone());
    targets_of_seats(seats, price, item).map_err(StripeFailure::Permanent)
}

/// Whether a preview prorates the change. When the organization's differences are invoiced is no
/// part of the question: a proration on the next invoice is the same as one at once.
#[derive(Debug, Clone, Copy)]
enum Prorations {
    /// As if the change were made at this second.
    At(i64),
    /// As if it were made when Stripe is asked.
    Now,
    /// The difference is left out. Stripe takes no moment then.
    None,
}

/// The form of a preview (<https://docs.stripe.com/api/invoices/create_preview>).
fn form(
    subscription: &Subscription,
    targets: &[ItemTarget],
    prorations: Prorations,
) -> Vec<(String, String)> {
    let mut form = vec![("subscription".to_owned(), subscription.id.clone())];
    let mut detail = |name: String, value: String| {
        form.push((format!("subscription_details{name}"), value));
    };
    for (n, target) in targets.iter().enumerate() {
        match &target.id {
            Some(id) => detail(format!("[items][{n}][id]"), id.clone()),
            None => detail(format!("[items][{n}][price]"), target.price.clone()),
        }
        detail(format!("[items][{n}][quantity]"), target.quantity.to_string());
    }
    let behavior = match prorations {
        Prorations::At(_) | Prorations::Now => ProrationBehavior::CreateProrations,
        Prorations::None => ProrationBehavior::None,
    };
    detail("[proration_behavior]".to_owned(), behavior.as_str().to_owned());
    if let Prorations::At(second) = prorations {
        detail("[proration_date]".to_owned(), second.to_string());
    }
    form
}

#[derive(Deserialize)]
struct Invoice {
    /// Cents, of all lines, also those that are not shown.
    subtotal: i64,
    lines: Lines,
}

impl Invoice {
    /// The sum of the prorations that begin at `at`: those of the change itself. Those of earlier
    /// changes that wait for the same invoice began before.
    fn prorated(&self, at: i64) -> i64 {
        let of_change = |line: &&Line| line.is_proration() && line.period.start == at;
        let amounts = self.lines.data.iter().filter(of_change).map(|line| line.amount);
        amounts.fold(0, i64::saturating_add)
    }
}

/// Stripe shows the first ten lines only (<https://docs.stripe.com/api/invoice-line-item/retrieve>).
#[derive(Deserialize)]
struct Lines {
    data: Vec<Line>,
    #[serde(default)]
    has_more: bool,
}

#[derive(Deserialize)]
struct Line {
    /// Cents.
    amount: i64,
    period: LinePeriod,
    parent: Option<Parent>,
}

#[derive(Deserialize)]
struct LinePeriod {
    start: i64,
}

/// What a line comes from: an item of the subscription, or an invoice item that waited.
#[derive(Deserialize)]
struct Parent {
    subscription_item_details: Option<Details>,
    invoice_item_details: Option<Details>,
}

#[derive(Deserialize)]
struct Details {
    #[serde(default)]
    proration: bool,
}

impl Line {
    fn is_proration(&self) -> bool {
        let Some(parent) = &self.parent else { return false };
        let details = [&parent.subscription_item_details, &parent.invoice_item_details];
        details.into_iter().flatten().any(|details| details.proration)
    }
}

#[cfg(test)]
mod tests {
    use headcount_model::billing::Period;
    use headcount_model::tiers::TierEntry;

    use super::*;
    use crate::subscription::Item;

    fn tiers(premium: Option<&str>) -> Tiers {
        let entry = |name: &str, price: Option<&str>| TierEntry {
            name: name.to_owned(),
            price: price.map(str::to_owned),
            unit_amount: 1,
            device_type: "shared".to_owned(),
        };
        Tiers::try_from(vec![entry("basic", Some("price_b")), entry("premium", premium)])
            .expect("valid")
    }

    fn subscription(basic: u64) -> Subscription {
        Subscription {
            id: "sub_1".to_owned(),
            status: "active".to_owned(),
            collection_paused: false,
            cancel_at_period_end: false,
            period: Some(Period { start: 100, end: 200 }),
            organization: None,
            unfit: Vec::new(),
            customer: "cus_1".to_owned(),
            items: vec![Item {
                id: "si_b".to_owned(),
                price: "price_b".to_owned(),
                quantity: basic,
                unit_amount: None,
            }],
        }
    }

    #[test]
    fn the_form_holds_absolute_quantities() {
        let seats = SeatCounts { basic: 3, premium: 1 };
        let subscription = subscription(1);
        let targets = targets(&subscription, &tiers(Some("price_p")), seats).expect("prices");
        let form = |prorations| -> Vec<_> {
            let form = form(&subscription, &targets, prorations);
            form.iter().map(|(name, value)| format!("{name}={value}")).collect()
        };
        let items = [
            "subscription=sub_1",
            "subscription_details[items][0][id]=si_b",
            "subscription_details[items][0][quantity]=3",
            "subscription_details[items][1][price]=price_p",
            "subscription_details[items][1][quantity]=1",
        ];
        let dated = form(Prorations::At(150));
        assert_eq!(dated[..5], items);
        assert_eq!(
            dated[5..],
            [
                "subscription_details[proration_behavior]=create_prorations",
                "subscription_details[proration_date]=150",
            ]
        );
        let now = form(Prorations::Now);
        assert_eq!(now[..5], items);
        assert_eq!(now[5..], ["subscription_details[proration_behavior]=create_prorations"]);
        let undated = form(Prorations::None);
        assert_eq!(undated[..5], items);
        assert_eq!(undated[5..], ["subscription_details[proration_behavior]=none"]);
    }

    #[test]
    fn a_tier_without_price_can_have_no_seats() {
        let of = |premium| {
            targets(&subscription(0), &tiers(None), SeatCounts { basic: 1, premium }).is_ok()
        };
        assert!(of(0));
        assert!(!of(1));
    }

    #[test]
    fn lines_are_prorations_by_either_parent() {
        let line = |parent: &str| -> Line {
            let line = format!(
                r#"{{"id":"il_1","amount":-5,"period":{{"start":1,"end":2}},"parent":{parent}}}"#
            );
            serde_json::from_str(&line).expect("a line")
        };
        assert!(line(r#"{"subscription_item_details":{"proration":true}}"#).is_proration());
        assert!(line(r#"{"invoice_item_details":{"proration":true}}"#).is_proration());
        assert!(!line(r#"{"subscription_item_details":{"proration":false}}"#).is_proration());
        assert!(!line("null").is_proration());
    }
}
