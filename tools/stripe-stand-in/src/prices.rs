//! Prices: an amount per unit and how often it is due. Source:
//! <https://docs.stripe.com/api/prices>.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    calendar::{Interval, Recurrence},
    call::Call,
    errors::{Answer, ApiError},
    params::{Fields, Metadata},
    products::Product,
    table::{Page, Row},
};

/// A price per unit.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Price {
    id: String,
    created: i64,
    pub(crate) active: bool,
    pub(crate) product: String,
    /// ISO 4217 in lower case.
    pub(crate) currency: String,
    /// Cents (the currency's smallest unit) per unit.
    pub(crate) unit_amount: i64,
    /// `None`: paid once.
    pub(crate) recurring: Option<Recurrence>,
    nickname: Option<String>,
    lookup_key: Option<String>,
    metadata: Metadata,
}

impl Row for Price {
    const OBJECT: &'static str = "price";
    fn id(&self) -> &str {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

impl Price {
    pub(crate) fn view(&self) -> Value {
        let recurring = self.recurring.map(|every| {
            json!({
                "interval": every.interval,
                "interval_count": every.count,
                "meter": null,
                "trial_period_days": null,
                "usage_type": "licensed",
            })
        });
        json!({
            "id": self.id,
            "object": "price",
            "active": self.active,
            "billing_scheme": "per_unit",
            "created": self.created,
            "currency": self.currency,
            "custom_unit_amount": null,
            "livemode": false,
            "lookup_key": self.lookup_key,
            "metadata": self.metadata,
            "nickname": self.nickname,
            "product": self.product,
            "type": if recurring.is_some() { "recurring" } else { "one_time" },
            "recurring": recurring,
            "tax_behavior": "unspecified",
            "tiers_mode": null,
            "transform_quantity": null,
            "unit_amount": self.unit_amount,
            "unit_amount_decimal": self.unit_amount.to_string(),
        })
    }

    /// The `plan` that subscription items still carry beside their price.
    pub(crate) fn plan_view(&self) -> Value {
        json!({
            "id": self.id,
            "object": "plan",
            "active": self.active,
            "amount": self.unit_amount,
            "amount_decimal": self.unit_amount.to_string(),
            "billing_scheme": "per_unit",
            "created": self.created,
            "currency": self.currency,
            "interval": self.recurring.map(|every| every.interval),
            "interval_count": self.recurring.map(|every| every.count),
            "livemode": false,
            "metadata": self.metadata,
            "meter": null,
            "nickname": self.nickname,
            "product": self.product,
            "tiers_mode": null,
            "transform_usage": null,
            "trial_period_days": null,
            "usage_type": "licensed",
        })
    }
}

/// `POST /v1/prices`, for an existing `product` or with `product_data` for a new one.
pub(crate) fn create(call: &mut Call, mut fields: Fields) -> Answer {
    let currency = fields.required_text("currency")?.to_lowercase();
    if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Err(ApiError::invalid("currency", format!("Invalid currency: {currency}")));
    }
    let unit_amount = fields.natural("unit_amount")?;
    let unit_amount = unit_amount.ok_or_else(|| ApiError::missing("unit_amount"))?;
    let recurring = recurring(&mut fields)?;
    let active = fields.flag("active")?.unwrap_or(true);
    let nickname = fields.text("nickname")?;
    let lookup_key = fields.text("lookup_key")?;
    let transfer = fields.flag("transfer_lookup_key")?.unwrap_or(false);
    let metadata = fields.metadata()?.fresh();
    let existing = fields.text("product")?;
    let data = fields.branch("product_data")?;
    fields.finish()?;
    free_lookup_key(call, lookup_key.as_deref(), transfer)?;
    let (product, fresh) = match (existing, data) {
        (Some(id), None) => {
            call.state.products.find_in("product", &id)?;
            (id, None)
        }
        (None, Some(mut data)) => {
            let fresh = Product::take(call, &mut data)?;
            data.finish()?;
            (String::new(), Some(fresh))
        }
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: product, product_data.";
            return Err(ApiError::invalid("product_data", message));
        }
        (None, None) => return Err(ApiError::missing("product")),
    };
    if let Some(key) = &lookup_key {
        release_lookup_key(call, key);
    }
    let product = match fresh {
        Some(fresh) => fresh.keep(call).id().to_owned(),
        None => product,
    };
    let id = call.id("price_");
    let created = call.now;
    let price = Price {
        id,
        created,
        active,
        product,
        currency,
        unit_amount,
        recurring,
        nickname,
        lookup_key,
        metadata,
    };
    let view = price.view();
    call.state.prices.insert(price);
    Ok(view)
}

fn recurring(fields: &mut Fields) -> Result<Option<Recurrence>, ApiError> {
    let Some(mut branch) = fields.branch("recurring")? else {
        return Ok(None);
    };
    let interval = branch.choice("interval", &Interval::WORDS)?;
    let interval = interval.ok_or_else(|| ApiError::missing("recurring[interval]"))?;
    let count = branch.natural("interval_count")?.unwrap_or(1);
    branch.choice("usage_type", &[("licensed", ())])?;
    branch.finish()?;
    if !(1..=interval.max_count()).contains(&count) {
        let message =
            "Invalid interval_count: a period is at least one interval and at most three years.";
        return Err(ApiError::invalid_integer("recurring[interval_count]", message));
    }
    Ok(Some(Recurrence { interval, count }))
}

fn free_lookup_key(call: &Call, key: Option<&str>, transfer: bool) -> Result<(), ApiError> {
    let taken =
        key.is_some() && call.state.prices.iter().any(|price| price.lookup_key.as_deref() == key);
    if taken && !transfer {
        let message =
            "A price already uses that lookup key. Pass transfer_lookup_key to transfer it.";
        return Err(ApiError::refused_on("lookup_key", message));
    }
    Ok(())
}

fn release_lookup_key(call: &mut Call, key: &str) {
    for price in call.state.prices.iter_mut() {
        if price.lookup_key.as_deref() == Some(key) {
            price.lookup_key = None;
        }
    }
}

/// `GET /v1/prices/{id}`
pub(crate) fn retrieve(call: &mut Call, fields: Fields, id: &str) -> Answer {
    fields.finish()?;
    Ok(call.state.prices.find(id)?.view())
}

/// `POST /v1/prices/{id}`: an amount never changes; what describes the price does.
pub(crate) fn update(call: &mut Call, mut fields: Fields, id: &str) -> Answer {
    let mut price = call.state.prices.find(id)?.clone();
    if let Some(active) = fields.flag("active")? {
        price.active = active;
    }
    if let Some(nickname) = fields.clearable("nickname")? {
        price.nickname = nickname;
    }
    fields.metadata()?.apply(&mut price.metadata);
    fields.finish()?;
    let view = price.view();
    *call.state.prices.find_mut(id)? = price;
    Ok(view)
}

/// `GET /v1/prices`
pub(crate) fn list(call: &mut Call, mut fields: Fields) -> Answer {
    let page = Page::take(&mut fields)?;
    let active = fields.flag("active")?;
    let product = fields.text("product")?;
    let lookup_keys = fields.texts("lookup_keys")?;
    fields.finish()?;
    let rows = call.state.prices.iter().rev().filter(|price| {
        let key = price.lookup_key.as_ref();
        active.is_none_or(|active| price.active == active)
            && product.as_ref().is_none_or(|product| price.product == *product)
            && (lookup_keys.is_empty() || key.is_some_and(|key| lookup_keys.contains(key)))
    });
    page.list("/v1/prices", rows, Price::view)
}
