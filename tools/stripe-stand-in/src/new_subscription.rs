//! `POST /v1/subscriptions`. Source: <https://docs.stripe.com/api/subscriptions/create>.

use crate::{
    billing_cycle, calendar,
    call::Call,
    customers,
    errors::{Answer, ApiError},
    events::SubscriptionEvent,
    invoices::{self, Reason},
    items::{self, Billing, ItemChange},
    params::{Fields, Metadata},
    proration::{self, Charge, Terms},
    subscription::{BillingMode, Cancellation, Collection, Item, Period, Status, Subscription},
    subscriptions,
};

/// <https://docs.stripe.com/api/subscriptions/create>: trials of up to 730 days.
const MAX_TRIAL_DAYS: i64 = 730;

/// What a creation asks for.
struct Order {
    customer: String,
    items: Vec<ItemChange>,
    trial_end: Option<i64>,
    incomplete: bool,
    cancel_at_period_end: bool,
    collection: Collection,
    days_until_due: Option<i64>,
    default_payment_method: Option<String>,
    description: Option<String>,
    currency: Option<String>,
    billing_mode: Option<BillingMode>,
    metadata: Metadata,
}

impl Order {
    fn take(mut fields: Fields, now: i64) -> Result<Self, ApiError> {
        let order = Self {
            customer: fields.required_text("customer")?,
            items: ItemChange::take_all(&mut fields)?,
            trial_end: trial_end(&mut fields, now)?,
            incomplete: subscriptions::take_payment_behavior(&mut fields)?,
            cancel_at_period_end: fields.flag("cancel_at_period_end")?.unwrap_or(false),
            collection: fields
                .choice("collection_method", &Collection::WORDS)?
                .unwrap_or(Collection::ChargeAutomatically),
            days_until_due: fields.natural("days_until_due")?,
            default_payment_method: fields.text("default_payment_method")?,
            description: fields.text("description")?,
            currency: fields.text("currency")?,
            billing_mode: billing_mode(&mut fields)?,
            metadata: fields.metadata()?.fresh(),
        };
        fields.flag("off_session")?;
        // Nothing is prorated when a first period begins with the subscription.
        Terms::take(&mut fields)?;
        fields.finish()?;
        order.check()
    }

    fn check(self) -> Result<Self, ApiError> {
        if self.items.is_empty() {
            return Err(ApiError::missing("items"));
        }
        if let Some(change) = self.items.iter().find(|change| change.id.is_some()) {
            let id = change.id.as_deref().unwrap_or_default();
            return Err(ApiError::no_such_in("items", "subscription_item", id));
        }
        match (self.collection, self.days_until_due) {
            (Collection::SendInvoice, None) => Err(ApiError::missing("days_until_due")),
            (Collection::ChargeAutomatically, Some(_)) => Err(ApiError::invalid(
                "days_until_due",
                "You can only set `days_until_due` if `collection_method` is `send_invoice`.",
            )),
            _ => Ok(self),
        }
    }
}

fn trial_end(fields: &mut Fields, now: i64) -> Result<Option<i64>, ApiError> {
    let days = fields.natural("trial_period_days")?;
    let end = fields.integer("trial_end")?;
    match (days, end) {
        (None, None) => Ok(None),
        (Some(days), None) if days <= MAX_TRIAL_DAYS => {
            Ok((days > 0).then(|| now + calendar::days(days)))
        }
        (None, Some(end)) if (now..=now + calendar::days(MAX_TRIAL_DAYS)).contains(&end) => {
            Ok(Some(end))
        }
        (Some(_), Some(_)) => Err(ApiError::invalid(
            "trial_end",
            "You may only specify one of these parameters: trial_end, trial_period_days.",
        )),
        _ => Err(ApiError::invalid(
            "trial_end",
            format!("Invalid trial: it ends in the future and within {MAX_TRIAL_DAYS} days."),
        )),
    }
}

fn billing_mode(fields: &mut Fields) -> Result<Option<BillingMode>, ApiError> {
    let Some(mut mode) = fields.branch("billing_mode")? else {
        return Ok(None);
    };
    let kind = mode.choice("type", &BillingMode::WORDS)?;
    mode.finish()?;
    kind.map(Some).ok_or_else(|| ApiError::missing("billing_mode[type]"))
}

/// Creates a subscription, its first invoice, and the event.
pub(crate) fn create(call: &mut Call, fields: Fields) -> Answer {
    let order = Order::take(fields, call.now)?;
    customers::payer(call.state, "customer", &order.customer)?;
    let mut ids = call.state.ids.clone();
    let items = items::apply(call.state, &mut ids, call.now, &[], &order.items)?;
    let billing = items::billing(call.state, &items)?;
    if order.currency.as_ref().is_some_and(|currency| *currency != billing.currency) {
        let message = "The currency does not match the currency of the prices.";
        return Err(ApiError::refused_on("currency", message));
    }
    call.state.ids = ids;
    let mut subscription = subscription(call, order, items, billing);
    let charges = first_charges(call, &subscription);
    proration::note_debits(&mut subscription.items, &charges);
    invoices::issue(call, &mut subscription, Reason::SubscriptionCreate, charges);
    let view = subscription.view(call.state);
    if let Some(customer) = call.state.customers.get_mut(&subscription.customer) {
        customer.currency.get_or_insert_with(|| subscription.currency.clone());
    }
    call.state.subscriptions.insert(subscription);
    call.emit(SubscriptionEvent::Created, view.clone(), None);
    Ok(view)
}

fn subscription(call: &mut Call, order: Order, items: Vec<Item>, billing: Billing) -> Subscription {
    let now = call.now;
    let status = match (order.trial_end, order.incomplete) {
        (Some(_), _) => Status::Trialing,
        (None, true) => Status::Incomplete,
        (None, false) => Status::Active,
    };
    let anchor = order.trial_end.unwrap_or(now);
    let end =
        order.trial_end.unwrap_or_else(|| calendar::next_boundary(anchor, billing.every, now));
    let mut subscription = Subscription {
        id: call.id("sub_"),
        created: now,
        customer: order.customer,
        status,
        items,
        currency: billing.currency,
        every: billing.every,
        anchor,
        period: Period { start: now, end },
        trial: order.trial_end.map(|end| Period { start: now, end }),
        cancel_at_period_end: order.cancel_at_period_end,
        cancel_at: None,
        pause_collection: None,
        canceled_at: None,
        ended_at: None,
        cancellation: Cancellation::default(),
        latest_invoice: None,
        collection: order.collection,
        days_until_due: order.days_until_due,
        default_payment_method: order.default_payment_method,
        description: order.description,
        billing_mode: order
            .billing_mode
            .unwrap_or_else(|| BillingMode::of_version(call.origin.api_version.as_deref())),
        metadata: order.metadata,
        schedule: None,
    };
    subscriptions::note_scheduled_end(&mut subscription, now);
    subscription
}

/// The first period in full; while a trial lasts, lines that cost nothing.
fn first_charges(call: &Call, subscription: &Subscription) -> Vec<Charge> {
    let mut charges = billing_cycle::full_period(call.state, subscription);
    if subscription.status == Status::Trialing {
        for charge in &mut charges {
            charge.amount = 0;
            charge.description = format!("Free trial for {}", charge.description);
        }
    }
    charges
}
