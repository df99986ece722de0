//! Invoice items: what waits for the next invoice. Source:
//! <https://docs.stripe.com/api/invoiceitems>.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    call::Call,
    errors::Answer,
    params::Fields,
    proration::Charge,
    state::State,
    subscription::Subscription,
    table::{Page, Row},
};

/// A proration, pending until an invoice takes it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct InvoiceItem {
    id: String,
    created: i64,
    customer: String,
    subscription: String,
    currency: String,
    /// The invoice that took it; `None` while pending.
    pub(crate) invoice: Option<String>,
    pub(crate) charge: Charge,
}

impl Row for InvoiceItem {
    const OBJECT: &'static str = "invoiceitem";
    fn id(&self) -> &str {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

impl InvoiceItem {
    fn view(&self, state: &State) -> Value {
        json!({
            "id": self.id,
            "object": "invoiceitem",
            "amount": self.charge.amount,
            "currency": self.currency,
            "customer": self.customer,
            "customer_account": null,
            "date": self.created,
            "description": self.charge.description,
            "discountable": !self.charge.proration,
            "discounts": [],
            "invoice": self.invoice,
            "livemode": false,
            "metadata": {},
            "net_amount": self.charge.amount,
            "parent": {
                "type": "subscription_details",
                "subscription_details": {
                    "subscription": self.subscription,
                    "subscription_item": self.charge.item,
                },
            },
            "period": self.charge.period,
            "pricing": self.charge.pricing(state),
            "proration": self.charge.proration,
            "proration_details": null,
            "quantity": self.charge.quantity,
            "tax_rates": [],
            "test_clock": null,
        })
    }
}

/// Keeps `charges` for the subscription's next invoice.
pub(crate) fn keep(call: &mut Call, subscription: &Subscription, charges: Vec<Charge>) {
    for charge in charges {
        let item = InvoiceItem {
            id: call.id("ii_"),
            created: call.now,
            customer: subscription.customer.clone(),
            subscription: subscription.id.clone(),
            currency: subscription.currency.clone(),
            invoice: None,
            charge,
        };
        call.state.invoice_items.insert(item);
    }
}

/// What waits for the subscription's next invoice, oldest first.
pub(crate) fn pending<'a>(
    state: &'a State,
    subscription: &'a str,
) -> impl Iterator<Item = &'a InvoiceItem> {
    let waits = |item: &&InvoiceItem| item.invoice.is_none();
    state.invoice_items.iter().filter(waits).filter(move |item| item.subscription == subscription)
}

/// `GET /v1/invoiceitems`
pub(crate) fn list(call: &mut Call, mut fields: Fields) -> Answer {
    let page = Page::take(&mut fields)?;
    let customer = fields.text("customer")?;
    let invoice = fields.text("invoice")?;
    let pending = fields.flag("pending")?;
    fields.finish()?;
    let state = &*call.state;
    let rows = state.invoice_items.iter().rev().filter(|item| {
        customer.as_ref().is_none_or(|customer| item.customer == *customer)
            && invoice.as_ref().is_none_or(|invoice| item.invoice.as_ref() == Some(invoice))
            && pending.is_none_or(|pending| item.invoice.is_none() == pending)
    });
    page.list("/v1/invoiceitems", rows, |item| item.view(state))
}

/// `GET /v1/invoiceitems/{id}`
pub(crate) fn retrieve(call: &mut Call, fields: Fields, id: &str) -> Answer {
    fields.finish()?;
    Ok(call.state.invoice_items.find(id)?.view(call.state))
}
