//! The two prices that seats are billed at. They are found by lookup key, so that an account
//! of Stripe needs no record of their ids.

use clap::Subcommand;
use headcount_billing::StripeFailure;
use headcount_billing::stripe::Stripe;
use headcount_model::idempotency::hex;
use headcount_model::port::{System, random};
use headcount_model::seats::Tier;
use serde::Deserialize;

use crate::failure::Failure;
use crate::report::Report;
use crate::target::Target;

/// What Stripe must hold before anything can be billed.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Creates a product with a monthly price for each tier, where there is none.
    ///
    /// The prices are told by their lookup keys, headcount_basic and headcount_premium. To
    /// repeat it changes nothing.
    Setup,
}

impl Command {
    pub(crate) async fn run(self, target: &Target) -> Result<Report, Failure> {
        match self {
            Command::Setup => setup(&target.stripe()?).await,
        }
    }
}

/// The ids of the two prices, `price_…`.
pub(crate) struct Prices {
    pub(crate) basic: String,
    pub(crate) premium: String,
}

impl Prices {
    /// The prices that [`Command::Setup`] has made.
    ///
    /// # Errors
    /// When one is missing or is not what a seat costs.
    pub(crate) async fn find(stripe: &Stripe) -> Result<Self, Failure> {
        let missing = |plan: &Plan| {
            Failure::new(format!("Stripe has no price with the lookup key {}", plan.lookup_key))
                .advise("Create it first: headcount stripe setup")
        };
        let listed = list(stripe).await?;
        Ok(Self {
            basic: BASIC.find_in(&listed)?.ok_or_else(|| missing(&BASIC))?,
            premium: PREMIUM.find_in(&listed)?.ok_or_else(|| missing(&PREMIUM))?,
        })
    }
}

/// What a seat costs.
struct Plan {
    tier: Tier,
    lookup_key: &'static str,
    product: &'static str,
    /// US cents a month.
    cents: u64,
}

const BASIC: Plan = Plan {
    tier: Tier::Basic,
    lookup_key: "headcount_basic",
    product: "Headcount basic seat",
    cents: 4_000,
};

const PREMIUM: Plan = Plan {
    tier: Tier::Premium,
    lookup_key: "headcount_premium",
    product: "Headcount premium seat",
    cents: 10_000,
};

/// A price (<https://docs.stripe.com/api/prices/object>).
#[derive(Deserialize)]
struct Price {
    id: String,
    lookup_key: Option<String>,
    currency: String,
    /// In cents; absent on prices in tiers or of a customer's choice.
    unit_amount: Option<u64>,
    recurring: Option<Recurring>,
}

#[derive(Deserialize)]
struct Recurring {
    interval: String,
    interval_count: u64,
    usage_type: String,
}

#[derive(Deserialize)]
struct List {
    data: Vec<Price>,
}

impl Plan {
    /// The id of the price with this plan's lookup key, if there is one.
    fn find_in(&self, prices: &[Price]) -> Result<Option<String>, Failure> {
        let Some(price) =
            prices.iter().find(|price| price.lookup_key.as_deref() == Some(self.lookup_key))
        else {
            return Ok(None);
        };
        if self.is_charged_by(price) {
            return Ok(Some(price.id.clone()));
        }
        Err(Failure::new(format!(
            "the price {} has the lookup key {} but is not {} US cents a month for each unit",
            price.id, self.lookup_key, self.cents
        ))
        .advise("Take the lookup key away from it in Stripe, then run: headcount stripe setup"))
    }

    fn is_charged_by(&self, price: &Price) -> bool {
        price.currency == "usd"
            && price.unit_amount == Some(self.cents)
            && price.recurring.as_ref().is_some_and(|recurring| {
                recurring.interval == "month"
                    && recurring.interval_count == 1
                    && recurring.usage_type == "licensed"
            })
    }

    /// The form that creates the price together with its product, in one call
    /// (<https://docs.stripe.com/api/prices/create>).
    fn form(&self) -> Vec<(String, String)> {
        [
            ("lookup_key", self.lookup_key),
            ("currency", "usd"),
            ("unit_amount", &self.cents.to_string()),
            ("recurring[interval]", "month"),
            ("product_data[name]", self.product),
            ("metadata[tier]", self.tier.as_str()),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    async fn find_or_create(&self, stripe: &Stripe, listed: &[Price]) -> Result<String, Failure> {
        if let Some(id) = self.find_in(listed)? {
            return Ok(id);
        }
        // A key of its own for each try: a lookup key is unique, so a repetition cannot make
        // a second price, and a stored error must not be replayed for a day.
        let key = format!("{}:{}", self.lookup_key, hex(&random::<16>(&System)?));
        let created: Result<Price, StripeFailure> =
            stripe.post("/v1/prices", &self.form(), &key).await;
        Ok(created?.id)
    }
}

async fn setup(stripe: &Stripe) -> Result<Report, Failure> {
    let listed = list(stripe).await?;
    let basic = BASIC.find_or_create(stripe, &listed).await?;
    let premium = PREMIUM.find_or_create(stripe, &listed).await?;
    Ok(Report::new().field("price_basic", basic).field("price_premium", premium).note(
        "Deploy the stack with these as its parameters StripePriceBasic and StripePricePremium.",
    ))
}

/// The active prices with our lookup keys (<https://docs.stripe.com/api/prices/list>).
async fn list(stripe: &Stripe) -> Result<Vec<Price>, StripeFailure> {
    let query = [
        ("lookup_keys[]", BASIC.lookup_key),
        ("lookup_keys[]", PREMIUM.lookup_key),
        ("active", "true"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let list: List = stripe.get("/v1/prices", &query).await?;
    Ok(list.data)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn price(cents: u64, interval: &str) -> Price {
        serde_json::from_value(json!({
            "id": "price_1",
            "lookup_key": "headcount_basic",
            "currency": "usd",
            "unit_amount": cents,
            "recurring": {"interval": interval, "interval_count": 1, "usage_type": "licensed"},
        }))
        .expect("a price")
    }

    #[test]
    fn a_price_is_found_by_its_lookup_key_alone() {
        let listed = [price(4_000, "month")];
        assert_eq!(BASIC.find_in(&listed), Ok(Some("price_1".to_owned())));
        assert_eq!(PREMIUM.find_in(&listed), Ok(None));
    }

    #[test]
    fn a_price_that_charges_otherwise_is_not_taken() {
        for wrong in [price(4_100, "month"), price(4_000, "year")] {
            assert!(BASIC.find_in(&[wrong]).is_err());
        }
    }

    #[test]
    fn seats_cost_40_and_100_dollars_a_month() {
        let amount = |plan: &Plan| plan.form().into_iter().find(|(name, _)| name == "unit_amount");
        let cents = |cents: &str| Some(("unit_amount".to_owned(), cents.to_owned()));
        assert_eq!(amount(&BASIC), cents("4000"));
        assert_eq!(amount(&PREMIUM), cents("10000"));
    }
}
