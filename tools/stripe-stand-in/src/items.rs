//! Changes of a subscription's items: what `items[n][…]` asks for and what Stripe refuses.
//! Source: <https://docs.stripe.com/api/subscriptions/update#update_subscription-items>.

use std::collections::HashSet;

use crate::{
    calendar::Recurrence,
    errors::ApiError,
    ids::Ids,
    params::{Fields, MetadataChange},
    prices::Price,
    state::State,
    subscription::Item,
};

/// <https://docs.stripe.com/billing/subscriptions/multiple-products>: up to 20 products.
const MAX_ITEMS: usize = 20;

/// One element of `items`.
#[derive(Debug, Default)]
pub(crate) struct ItemChange {
    /// The element's own name, for errors: `items[0]`, or empty for the item endpoints.
    name: String,
    pub(crate) id: Option<String>,
    price: Option<String>,
    quantity: Option<i64>,
    deleted: bool,
    metadata: MetadataChange,
}

/// The currency and the recurrence that all items of a subscription share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Billing {
    pub(crate) currency: String,
    pub(crate) every: Recurrence,
}

impl ItemChange {
    /// Reads all of `items`.
    pub(crate) fn take_all(fields: &mut Fields) -> Result<Vec<Self>, ApiError> {
        let mut changes = Vec::new();
        for mut element in fields.list("items")? {
            let id = element.text("id")?;
            let mut change = Self::take(&mut element)?;
            change.deleted = element.flag("deleted")?.unwrap_or(false);
            element.flag("clear_usage")?;
            change.id = id;
            element.finish()?;
            changes.push(change);
        }
        Ok(changes)
    }

    /// Reads what an element of `items` and the item endpoints share.
    pub(crate) fn take(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            name: fields.name(""),
            price: fields.text("price")?,
            quantity: fields.natural("quantity")?,
            metadata: fields.metadata()?,
            ..Self::default()
        })
    }

    /// The removal of one item.
    pub(crate) fn removal(id: &str) -> Self {
        Self { id: Some(id.to_owned()), deleted: true, ..Self::default() }
    }

    fn param(&self, name: &str) -> String {
        match self.name.strip_suffix("[]") {
            Some(element) => format!("{element}[{name}]"),
            None => name.to_owned(),
        }
    }
}

/// The items after `changes`, or why they are refused. `ids` names those that are new.
pub(crate) fn apply(
    state: &State,
    ids: &mut Ids,
    now: i64,
    existing: &[Item],
    changes: &[ItemChange],
) -> Result<Vec<Item>, ApiError> {
    let mut items = existing.to_vec();
    let mut named = HashSet::new();
    for change in changes {
        if let Some(id) = &change.id {
            if !named.insert(id) {
                let message = format!("Subscription item {id} is given more than once.");
                return Err(ApiError::refused_on(&change.param("id"), message));
            }
            alter(state, &mut items, id, change)?;
        } else {
            items.push(addition(state, ids, now, change)?);
        }
    }
    check(&items)?;
    Ok(items)
}

fn alter(
    state: &State,
    items: &mut Vec<Item>,
    id: &str,
    change: &ItemChange,
) -> Result<(), ApiError> {
    let position = items.iter().position(|item| item.id == id);
    let position = position
        .ok_or_else(|| ApiError::no_such_in(&change.param("id"), "subscription_item", id))?;
    if change.deleted {
        items.remove(position);
        return Ok(());
    }
    let item = &mut items[position];
    if let Some(price) = &change.price
        && *price != item.price
    {
        sellable(state, &change.param("price"), price)?;
        item.price.clone_from(price);
    }
    if let Some(quantity) = change.quantity {
        item.quantity = quantity;
    }
    change.metadata.apply(&mut item.metadata);
    Ok(())
}

fn addition(state: &State, ids: &mut Ids, now: i64, change: &ItemChange) -> Result<Item, ApiError> {
    if change.deleted {
        return Err(ApiError::missing(&change.param("id")));
    }
    let param = change.param("price");
    let price = change.price.clone().ok_or_else(|| ApiError::missing(&param))?;
    sellable(state, &param, &price)?;
    Ok(Item {
        id: ids.next("si_"),
        created: now,
        price,
        quantity: change.quantity.unwrap_or(1),
        metadata: change.metadata.clone().fresh(),
        debits: Vec::new(),
    })
}

/// A price that a subscription can take up: active and recurring.
fn sellable(state: &State, param: &str, id: &str) -> Result<(), ApiError> {
    let price = state.prices.find_in(param, id)?;
    if price.recurring.is_none() {
        let message = "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.";
        return Err(ApiError::refused_on(param, message));
    }
    if !price.active {
        let message = "The price specified is inactive. This field only accepts active prices.";
        return Err(ApiError::refused_on(param, message));
    }
    Ok(())
}

fn check(items: &[Item]) -> Result<(), ApiError> {
    if items.is_empty() {
        let message = "A subscription must have at least one active plan. To cancel a subscription, please use the cancel API endpoint on /v1/subscriptions.";
        return Err(ApiError::refused(message));
    }
    if items.len() > MAX_ITEMS {
        let message = format!("A subscription can have at most {MAX_ITEMS} items.");
        return Err(ApiError::refused_on("items", message));
    }
    let mut seen = HashSet::new();
    match items.iter().find(|item| !seen.insert(&item.price)) {
        None => Ok(()),
        Some(double) => Err(ApiError::refused_on(
            "price",
            format!("Cannot add multiple subscription items with the same plan: {}", double.price),
        )),
    }
}

/// What the items have in common; items that differ in it cannot share a subscription.
pub(crate) fn billing(state: &State, items: &[Item]) -> Result<Billing, ApiError> {
    let mut kinds = items.iter().filter_map(|item| of(state.prices.get(&item.price)?));
    let first = kinds.next().ok_or_else(|| ApiError::missing("items"))?;
    for other in kinds {
        same(&first, &other)?;
    }
    Ok(first)
}

/// Refuses items that bill differently from the subscription that they are put on.
pub(crate) fn same(subscription: &Billing, items: &Billing) -> Result<(), ApiError> {
    let field = if subscription.currency != items.currency {
        "currency"
    } else if subscription.every != items.every {
        "interval"
    } else {
        return Ok(());
    };
    Err(ApiError::refused_on(
        "items",
        format!(
            "Currency and interval fields must match across all plans on this subscription. Found mismatch in {field} field."
        ),
    ))
}

fn of(price: &Price) -> Option<Billing> {
    Some(Billing { currency: price.currency.clone(), every: price.recurring? })
}
