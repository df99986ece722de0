//! The subscription item endpoints. Source: <https://docs.stripe.com/api/subscription_items>.

use serde_json::json;

use crate::{
    call::Call,
    errors::{Answer, ApiError},
    items::ItemChange,
    params::Fields,
    proration::Terms,
    state::State,
    subscription::{Item, Subscription},
    subscriptions,
    table::Page,
};

/// The item that the path names, with the subscription that it is on.
fn find<'a>(state: &'a State, id: &str) -> Result<(&'a Subscription, &'a Item), ApiError> {
    state
        .subscriptions
        .iter()
        .find_map(|subscription| {
            Some((subscription, subscription.items.iter().find(|item| item.id == id)?))
        })
        .ok_or_else(|| ApiError::no_such_item(id))
}

/// `GET /v1/subscription_items/{id}`
pub(crate) fn retrieve(call: &mut Call, fields: Fields, id: &str) -> Answer {
    fields.finish()?;
    let (subscription, item) = find(call.state, id)?;
    Ok(subscription.item_view(call.state, item))
}

/// `GET /v1/subscription_items?subscription=…`
pub(crate) fn list(call: &mut Call, mut fields: Fields) -> Answer {
    let page = Page::take(&mut fields)?;
    let id = fields.required_text("subscription")?;
    fields.finish()?;
    let state = &*call.state;
    let subscription = state.subscriptions.find_in("subscription", &id)?;
    // In the order of the subscription's own list, which is how Stripe answers.
    let rows = subscription.items.iter();
    page.list("/v1/subscription_items", rows, |item| subscription.item_view(state, item))
}

/// `POST /v1/subscription_items`
pub(crate) fn create(call: &mut Call, mut fields: Fields) -> Answer {
    let id = fields.required_text("subscription")?;
    let change = ItemChange::take(&mut fields)?;
    let terms = take_terms(&mut fields)?;
    fields.finish()?;
    call.state.subscriptions.find_in("subscription", &id)?;
    let subscription = apply(call, &id, change, terms)?;
    let added = subscription.items.last().ok_or_else(|| ApiError::missing("price"))?;
    Ok(subscription.item_view(call.state, added))
}

/// `POST /v1/subscription_items/{id}`
pub(crate) fn update(call: &mut Call, mut fields: Fields, id: &str) -> Answer {
    let mut change = ItemChange::take(&mut fields)?;
    let terms = take_terms(&mut fields)?;
    fields.finish()?;
    change.id = Some(id.to_owned());
    let subscription = find(call.state, id)?.0.id.clone();
    apply(call, &subscription, change, terms)?;
    let (subscription, item) = find(call.state, id)?;
    Ok(subscription.item_view(call.state, item))
}

/// `DELETE /v1/subscription_items/{id}`
pub(crate) fn delete(call: &mut Call, mut fields: Fields, id: &str) -> Answer {
    let terms = take_terms(&mut fields)?;
    fields.flag("clear_usage")?;
    fields.finish()?;
    let subscription = find(call.state, id)?.0.id.clone();
    apply(call, &subscription, ItemChange::removal(id), terms)?;
    Ok(json!({ "id": id, "object": "subscription_item", "deleted": true }))
}

fn take_terms(fields: &mut Fields) -> Result<Terms, ApiError> {
    subscriptions::take_payment_behavior(fields)?;
    fields.flag("off_session")?;
    Terms::take(fields)
}

fn apply(
    call: &mut Call,
    id: &str,
    change: ItemChange,
    terms: Terms,
) -> Result<Subscription, ApiError> {
    let mut subscription = call.state.subscriptions.find(id)?.clone();
    if subscription.status.is_final() {
        return Err(subscriptions::canceled());
    }
    let before = subscription.view(call.state);
    subscriptions::change_items(call, &mut subscription, &[change], terms)?;
    subscriptions::commit(call, subscription.clone(), before);
    Ok(subscription)
}
