//! The subscription object and the subscription item object. Source:
//! <https://docs.stripe.com/api/subscriptions/object> and
//! <https://docs.stripe.com/api/subscription_items/object>.

use serde_json::{Value, json};

use crate::{prices::Price, state::State, views};

use super::{Item, Subscription};

/// Keys that a client may look at and that the stand-in has nothing to say about.
const NULLS: [&str; 13] = [
    "application",
    "application_fee_percent",
    "billing_cycle_anchor_config",
    "billing_thresholds",
    "customer_account",
    "default_source",
    "next_pending_invoice_item_invoice",
    "on_behalf_of",
    "pending_invoice_item_interval",
    "pending_setup_intent",
    "pending_update",
    "test_clock",
    "transfer_data",
];

impl Subscription {
    pub(crate) fn view(&self, state: &State) -> Value {
        let parts = [self.identity(), self.times(), self.settings(), self.list(state)];
        views::object(&NULLS, &["default_tax_rates", "discounts"], parts)
    }

    /// The item's object. Since API version 2025-03-31 the period is the item's.
    pub(crate) fn item_view(&self, state: &State, item: &Item) -> Value {
        let mut view = json!({
            "id": item.id,
            "object": "subscription_item",
            "billing_thresholds": null,
            "created": item.created,
            "current_period_end": self.period.end,
            "current_period_start": self.period.start,
            "discounts": [],
            "metadata": item.metadata,
            "quantity": item.quantity,
            "subscription": self.id,
            "tax_rates": [],
        });
        // Put in afterwards, because `json!` copies what it is given.
        let price = state.prices.get(&item.price);
        view["plan"] = price.map(Price::plan_view).into();
        view["price"] = price.map(Price::view).into();
        view
    }

    fn identity(&self) -> Value {
        json!({
            "id": self.id,
            "object": "subscription",
            "created": self.created,
            "currency": self.currency,
            "customer": self.customer,
            "description": self.description,
            "latest_invoice": self.latest_invoice,
            "livemode": false,
            "metadata": self.metadata,
            "schedule": self.schedule,
            "status": self.status,
        })
    }

    fn times(&self) -> Value {
        json!({
            "billing_cycle_anchor": self.anchor,
            "cancel_at": self.scheduled_end(),
            "cancel_at_period_end": self.cancel_at_period_end,
            "canceled_at": self.canceled_at,
            "cancellation_details": self.cancellation,
            "ended_at": self.ended_at,
            "start_date": self.created,
            "trial_end": self.trial.map(|trial| trial.end),
            "trial_start": self.trial.map(|trial| trial.start),
        })
    }

    fn settings(&self) -> Value {
        json!({
            "automatic_tax": { "disabled_reason": null, "enabled": false, "liability": null },
            "billing_mode": { "type": self.billing_mode, "flexible": null },
            "collection_method": self.collection,
            "days_until_due": self.days_until_due,
            "pause_collection": self.pause_collection,
            "default_payment_method": self.default_payment_method,
            "invoice_settings": {
                "account_tax_ids": null,
                "custom_fields": null,
                "description": null,
                "footer": null,
                "issuer": { "type": "self" },
            },
            "payment_settings": {
                "payment_method_options": null,
                "payment_method_types": null,
                "save_default_payment_method": "off",
            },
            "trial_settings": { "end_behavior": { "missing_payment_method": "create_invoice" } },
        })
    }

    fn list(&self, state: &State) -> Value {
        let mut list = json!({
            "items": {
                "object": "list",
                "has_more": false,
                "url": format!("/v1/subscription_items?subscription={}", self.id),
            },
        });
        let items = self.items.iter().map(|item| self.item_view(state, item));
        list["items"]["data"] = items.collect();
        list
    }
}
