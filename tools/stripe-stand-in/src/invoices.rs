//! Invoices: put together from a subscription's charges. Source:
//! <https://docs.stripe.com/api/invoices>. Every payment succeeds at once; the control plane makes
//! a subscription past due when a test needs one that is.

mod view;

use serde::{Deserialize, Serialize};

use crate::{
    calendar,
    call::Call,
    errors::Answer,
    invoice_items,
    params::{Fields, Metadata},
    proration::Charge,
    state::State,
    subscription::{Collection, Period, Status, Subscription},
    table::{Page, Row},
};

/// Why an invoice exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reason {
    SubscriptionCreate,
    SubscriptionCycle,
    SubscriptionUpdate,
    /// A preview.
    Upcoming,
}

/// Where an invoice stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum InvoiceStatus {
    Draft,
    Open,
    Paid,
}

impl InvoiceStatus {
    const WORDS: [(&'static str, Self); 3] =
        [("draft", Self::Draft), ("open", Self::Open), ("paid", Self::Paid)];
}

/// One line: a charge, and the invoice item that it was, if it was one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) id: String,
    pub(crate) invoice_item: Option<String>,
    pub(crate) charge: Charge,
}

impl Row for Line {
    const OBJECT: &'static str = "line_item";
    fn id(&self) -> &str {
        &self.id
    }
    /// A line has no time of its own to be listed by.
    fn created(&self) -> i64 {
        0
    }
}

/// An invoice of a subscription. Amounts are cents.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Invoice {
    id: String,
    created: i64,
    customer: String,
    subscription: String,
    subscription_metadata: Metadata,
    currency: String,
    collection: Collection,
    due_date: Option<i64>,
    status: InvoiceStatus,
    reason: Reason,
    period: Period,
    lines: Vec<Line>,
    total: i64,
    starting_balance: i64,
}

impl Row for Invoice {
    const OBJECT: &'static str = "invoice";
    fn id(&self) -> &str {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

impl Invoice {
    /// Puts an invoice together without issuing it.
    pub(crate) fn assemble(
        state: &State,
        subscription: &Subscription,
        id: String,
        now: i64,
        reason: Reason,
        lines: Vec<Line>,
    ) -> Self {
        let customer = state.customers.get(&subscription.customer);
        let due_date =
            subscription.days_until_due.map(|days| now.saturating_add(calendar::days(days)));
        Self {
            id,
            created: now,
            customer: subscription.customer.clone(),
            subscription: subscription.id.clone(),
            subscription_metadata: subscription.metadata.clone(),
            currency: subscription.currency.clone(),
            collection: subscription.collection,
            due_date,
            status: status(subscription, reason),
            reason,
            period: subscription.period,
            total: lines.iter().fold(0, |total, line| line.charge.amount.saturating_add(total)),
            starting_balance: customer.map_or(0, |customer| customer.balance),
            lines,
        }
    }

    /// What is to be paid: the total after the customer's balance, never below zero.
    fn amount_due(&self) -> i64 {
        self.total.saturating_add(self.starting_balance).max(0)
    }

    /// The customer's balance afterwards: a credit that was too large stays.
    fn ending_balance(&self) -> i64 {
        self.total.saturating_add(self.starting_balance).min(0)
    }

    fn amount_paid(&self) -> i64 {
        if self.status == InvoiceStatus::Paid { self.amount_due() } else { 0 }
    }
}

fn status(subscription: &Subscription, reason: Reason) -> InvoiceStatus {
    match subscription.status {
        _ if reason == Reason::Upcoming => InvoiceStatus::Draft,
        Status::Unpaid => InvoiceStatus::Draft,
        Status::PastDue | Status::Incomplete => InvoiceStatus::Open,
        _ if subscription.collection == Collection::SendInvoice => InvoiceStatus::Open,
        _ => InvoiceStatus::Paid,
    }
}

/// Issues an invoice over what is pending for the subscription and over `charges`.
pub(crate) fn issue(
    call: &mut Call,
    subscription: &mut Subscription,
    reason: Reason,
    charges: Vec<Charge>,
) {
    let id = call.id("in_");
    let pending: Vec<(String, Charge)> = invoice_items::pending(call.state, &subscription.id)
        .map(|item| (item.id().to_owned(), item.charge.clone()))
        .collect();
    let mut lines = Vec::new();
    for (item, charge) in pending {
        if let Some(item) = call.state.invoice_items.get_mut(&item) {
            item.invoice = Some(id.clone());
        }
        lines.push(Line { id: call.id("il_"), invoice_item: Some(item), charge });
    }
    for charge in charges {
        lines.push(Line { id: call.id("il_"), invoice_item: None, charge });
    }
    let invoice = Invoice::assemble(call.state, subscription, id.clone(), call.now, reason, lines);
    if let Some(customer) = call.state.customers.get_mut(&invoice.customer) {
        customer.balance = invoice.ending_balance();
    }
    call.state.invoices.insert(invoice);
    subscription.latest_invoice = Some(id);
}

/// `GET /v1/invoices`
pub(crate) fn list(call: &mut Call, mut fields: Fields) -> Answer {
    let page = Page::take(&mut fields)?;
    let customer = fields.text("customer")?;
    let subscription = fields.text("subscription")?;
    let status = fields.choice("status", &InvoiceStatus::WORDS)?;
    fields.finish()?;
    let state = &*call.state;
    let rows = state.invoices.iter().rev().filter(|invoice| {
        customer.as_ref().is_none_or(|customer| invoice.customer == *customer)
            && subscription.as_ref().is_none_or(|wanted| invoice.subscription == *wanted)
            && status.is_none_or(|status| invoice.status == status)
    });
    page.list("/v1/invoices", rows, |invoice| invoice.view(state))
}

/// `GET /v1/invoices/{id}`
pub(crate) fn retrieve(call: &mut Call, fields: Fields, id: &str) -> Answer {
    fields.finish()?;
    Ok(call.state.invoices.find(id)?.view(call.state))
}

/// `GET /v1/invoices/{id}/lines`. A preview is not kept, so that its lines cannot be listed.
pub(crate) fn lines(call: &mut Call, mut fields: Fields, id: &str) -> Answer {
    let page = Page::take(&mut fields)?;
    fields.finish()?;
    let state = &*call.state;
    let invoice = state.invoices.find(id)?;
    page.list(&invoice.lines_path(), invoice.lines.iter(), |line| invoice.line(state, line))
}
