//! The invoice object. Source: <https://docs.stripe.com/api/invoices/object>.

use serde_json::{Value, json};

use crate::{state::State, views};

use super::{Invoice, InvoiceStatus, Line};

/// Keys that a client may look at and that the stand-in has nothing to say about.
const NULLS: [&str; 27] = [
    "account_name",
    "account_tax_ids",
    "application",
    "automatically_finalizes_at",
    "custom_fields",
    "customer_account",
    "customer_address",
    "customer_phone",
    "customer_shipping",
    "default_payment_method",
    "default_source",
    "description",
    "footer",
    "from_invoice",
    "hosted_invoice_url",
    "invoice_pdf",
    "last_finalization_error",
    "latest_revision",
    "next_payment_attempt",
    "on_behalf_of",
    "receipt_number",
    "rendering",
    "shipping_cost",
    "shipping_details",
    "statement_descriptor",
    "test_clock",
    "webhooks_delivered_at",
];

/// An invoice holds the first of its lines; the list goes on at its URL
/// (<https://docs.stripe.com/api/invoice-line-item/retrieve>).
const EMBEDDED_LINES: usize = 10;

/// Lists that are always empty.
const LISTS: [&str; 6] = [
    "customer_tax_ids",
    "default_tax_rates",
    "discounts",
    "total_discount_amounts",
    "total_pretax_credit_amounts",
    "total_taxes",
];

impl Invoice {
    pub(crate) fn view(&self, state: &State) -> Value {
        let parts =
            [self.identity(state), self.amounts(), self.progress(), self.content(state), fixed()];
        views::object(&NULLS, &LISTS, parts)
    }

    /// Whose it is and what for.
    fn identity(&self, state: &State) -> Value {
        let customer = state.customers.get(&self.customer);
        let (name, email) = customer.map_or((None, None), |customer| customer.contact());
        json!({
            "id": self.id,
            "object": "invoice",
            "billing_reason": self.reason,
            "collection_method": self.collection,
            "created": self.created,
            "currency": self.currency,
            "customer": self.customer,
            "customer_email": email,
            "customer_name": name,
            "livemode": false,
            "parent": {
                "type": "subscription_details",
                "quote_details": null,
                "subscription_details": {
                    "metadata": self.subscription_metadata,
                    "subscription": self.subscription,
                },
            },
            "period_end": self.period.end,
            "period_start": self.period.start,
        })
    }

    /// How much, in cents.
    fn amounts(&self) -> Value {
        let due = self.amount_due();
        json!({
            "amount_due": due,
            "amount_overpaid": 0,
            "amount_paid": self.amount_paid(),
            "amount_remaining": due - self.amount_paid(),
            "amount_shipping": 0,
            "ending_balance": (!self.is_draft()).then(|| self.ending_balance()),
            "starting_balance": self.starting_balance,
            "subtotal": self.total,
            "subtotal_excluding_tax": self.total,
            "total": self.total,
            "total_excluding_tax": self.total,
        })
    }

    /// How far it is. Payments succeed at once.
    fn progress(&self) -> Value {
        let finalized_at = (!self.is_draft()).then_some(self.created);
        let paid_at = (self.status == InvoiceStatus::Paid).then_some(self.created);
        json!({
            "attempt_count": i64::from(paid_at.is_some()),
            "attempted": paid_at.is_some(),
            "auto_advance": false,
            "due_date": self.due_date,
            "effective_at": finalized_at,
            "number": finalized_at.map(|_| format!("HC-{}", self.id.trim_start_matches("in_"))),
            "status": self.status,
            "status_transitions": {
                "finalized_at": finalized_at,
                "marked_uncollectible_at": null,
                "paid_at": paid_at,
                "voided_at": null,
            },
        })
    }

    fn content(&self, state: &State) -> Value {
        let shown = self.lines.iter().take(EMBEDDED_LINES);
        let lines: Vec<Value> = shown.map(|line| self.line(state, line)).collect();
        json!({
            "lines": {
                "object": "list",
                "data": lines,
                "has_more": self.lines.len() > EMBEDDED_LINES,
                "url": self.lines_path(),
            },
        })
    }

    /// Where the lines of an invoice that is kept are listed.
    pub(super) fn lines_path(&self) -> String {
        format!("/v1/invoices/{}/lines", self.id)
    }

    pub(super) fn line(&self, state: &State, line: &Line) -> Value {
        let charge = &line.charge;
        json!({
            "id": line.id,
            "object": "line_item",
            "amount": charge.amount,
            "currency": self.currency,
            "description": charge.description,
            "discount_amounts": [],
            "discountable": !charge.proration,
            "discounts": [],
            "invoice": self.id,
            "livemode": false,
            "metadata": {},
            "parent": {
                "type": "subscription_item_details",
                "invoice_item_details": null,
                "subscription_item_details": {
                    "invoice_item": line.invoice_item,
                    "proration": charge.proration,
                    "proration_details": { "credited_items": null },
                    "subscription": self.subscription,
                    "subscription_item": charge.item,
                },
            },
            "period": charge.period,
            "pretax_credit_amounts": [],
            "pricing": charge.pricing(state),
            "quantity": charge.quantity,
            "quantity_decimal": charge.quantity.to_string(),
            "subscription": self.subscription,
            "subtotal": charge.amount,
            "taxes": [],
        })
    }

    fn is_draft(&self) -> bool {
        self.status == InvoiceStatus::Draft
    }
}

/// What is the same on every invoice.
fn fixed() -> Value {
    json!({
        "account_country": "US",
        "automatic_tax": {
            "disabled_reason": null,
            "enabled": false,
            "liability": null,
            "provider": null,
            "status": null,
        },
        "customer_tax_exempt": "none",
        "issuer": { "type": "self" },
        "metadata": {},
        "payment_settings": {
            "default_mandate": null,
            "payment_method_options": null,
            "payment_method_types": null,
        },
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
    })
}
