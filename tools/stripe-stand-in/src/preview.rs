//! `POST /v1/invoices/create_preview`: what the next invoice would be. Source:
//! <https://docs.stripe.com/api/invoices/create_preview>.

use crate::{
    billing_cycle,
    call::Call,
    errors::{Answer, ApiError},
    invoice_items,
    invoices::{Invoice, Line, Reason},
    items::{self, ItemChange},
    params::Fields,
    proration::{self, Behavior, Charge, Terms},
    subscription::Subscription,
    table::Row,
};

/// Answers with an invoice that is never kept.
pub(crate) fn create(call: &mut Call, mut fields: Fields) -> Answer {
    let id = fields.required_text("subscription")?;
    let customer = fields.text("customer")?;
    let (changes, terms, cancel) = match fields.branch("subscription_details")? {
        None => (Vec::new(), Terms::default(), None),
        Some(mut details) => {
            let changes = ItemChange::take_all(&mut details)?;
            let terms = Terms::take_for_preview(&mut details)?;
            let cancel = details.flag("cancel_at_period_end")?;
            details.finish()?;
            (changes, terms, cancel)
        }
    };
    fields.finish()?;
    let mut subscription = call.state.subscriptions.find_in("subscription", &id)?.clone();
    if customer.is_some_and(|customer| customer != subscription.customer) {
        let message = "The subscription does not belong to this customer.";
        return Err(ApiError::refused_on("customer", message));
    }
    subscription.cancel_at_period_end = cancel.unwrap_or(subscription.cancel_at_period_end);
    let charges = preview(call, &mut subscription, &changes, terms)?;
    let lines: Vec<Line> = charges
        .into_iter()
        .zip(1..)
        .map(|((invoice_item, charge), number)| Line {
            id: format!("il_tmp_{number}"),
            invoice_item,
            charge,
        })
        .collect();
    if lines.is_empty() {
        return Err(ApiError::no_upcoming_invoice(&subscription.customer));
    }
    let id = id.replace("sub_", "upcoming_in_");
    let date = match terms.behavior {
        Behavior::AlwaysInvoice => call.now,
        Behavior::CreateProrations | Behavior::None => subscription.period.end,
    };
    let invoice = Invoice::assemble(call.state, &subscription, id, date, Reason::Upcoming, lines);
    Ok(invoice.view(call.state))
}

/// The lines: pending invoice items, the prorations of the change, and the next period in full.
fn preview(
    call: &Call,
    subscription: &mut Subscription,
    changes: &[ItemChange],
    terms: Terms,
) -> Result<Vec<(Option<String>, Charge)>, ApiError> {
    let state = &*call.state;
    if subscription.status.is_final() {
        return Err(ApiError::no_upcoming_invoice(&subscription.customer));
    }
    let at = terms.moment(subscription.period, call.now)?;
    // Ids of items that the preview adds are made up from a copy: nothing is issued.
    let mut ids = state.ids.clone();
    let fresh = items::apply(state, &mut ids, call.now, &subscription.items, changes)?;
    items::same(&billing_cycle::billing(subscription), &items::billing(state, &fresh)?)?;
    let mut charges: Vec<(Option<String>, Charge)> =
        invoice_items::pending(state, &subscription.id)
            .map(|item| (Some(item.id().to_owned()), item.charge.clone()))
            .collect();
    if terms.behavior != Behavior::None && subscription.status.prorates() {
        let prorations = proration::between(state, subscription, &fresh, at);
        charges.extend(prorations.into_iter().map(|charge| (None, charge)));
    }
    subscription.items = fresh;
    let ends = subscription.scheduled_end().is_some_and(|end| end <= subscription.period.end)
        || !subscription.status.renews();
    if terms.behavior != Behavior::AlwaysInvoice && !ends {
        let next = billing_cycle::next_period(subscription);
        let full = subscription.items.iter().map(|item| Charge::full(state, item, next));
        charges.extend(full.map(|charge| (None, charge)));
    }
    Ok(charges)
}
