//! The two prices that seats are billed at. They are found by lookup key, so that an account
//! of Stripe needs no record of their ids.

use clap::Subcommand;
use headcount_billing::StripeFailure;
use headcount_billing::stripe::Stripe;
use headcount_model::billing::SeatCounts;
use headcount_model::idempotency::hex;
use headcount_model::port::{System, random};
use headcount_model::seats::Tier;
use headcount_model::tiers::MAX_UNIT_AMOUNT;
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
    Setup {
        /// What a basic seat costs, in US cents a month: its UnitAmount in template.yaml.
        #[arg(long, value_name = "CENTS", default_value_t = 4_000, value_parser = cents())]
        basic_cents: u64,
        /// What a premium seat costs, in US cents a month: its UnitAmount in template.yaml.
        #[arg(long, value_name = "CENTS", default_value_t = 10_000, value_parser = cents())]
        premium_cents: u64,
    },
}

fn cents() -> clap::builder::RangedU64ValueParser {
    clap::value_parser!(u64).range(..=MAX_UNIT_AMOUNT)
}

impl Command {
    pub(crate) async fn run(self, target: &Target) -> Result<Report, Failure> {
        match self {
            Command::Setup { basic_cents, premium_cents } => {
                setup(&target.stripe()?, basic_cents, premium_cents).await
            }
        }
    }
}

/// The two prices.
pub(crate) struct Prices {
    /// The id of the price of a basic seat, `price_…`.
    pub(crate) basic: String,
    /// The id of the price of a premium seat.
    pub(crate) premium: String,
    /// What seats of both tiers cost, in US cents a month each.
    pub(crate) cents: SeatCounts,
}

impl Prices {
    /// The tier that a price bills.
    pub(crate) fn tier_of(&self, price: &str) -> Option<Tier> {
        match price {
            _ if price == self.basic => Some(Tier::Basic),
            _ if price == self.premium => Some(Tier::Premium),
            _ => None,
        }
    }

    /// What seats cost together, in US cents a month.
    pub(crate) fn monthly(&self, seats: SeatCounts) -> u64 {
        let cost = |tier| seats.get(tier).saturating_mul(self.cents.get(tier));
        cost(Tier::Basic).saturating_add(cost(Tier::Premium))
    }

    /// The prices that [`Command::Setup`] has made.
    ///
    /// # Errors
    /// When one is missing or is not charged by the month for each seat.
    pub(crate) async fn find(stripe: &Stripe) -> Result<Self, Failure> {
        let missing = |plan: &Plan| {
            Failure::new(format!("Stripe has no price with the lookup key {}", plan.lookup_key))
                .advise("Create it first: headcount stripe setup")
        };
        let listed = list(stripe).await?;
        let basic = BASIC.find_in(&listed, None)?.ok_or_else(|| missing(&BASIC))?;
        let premium = PREMIUM.find_in(&listed, None)?.ok_or_else(|| missing(&PREMIUM))?;
        let cents = |id: &str| {
            let price = listed.iter().find(|price| price.id == id);
            price.and_then(|price| price.unit_amount).unwrap_or_default()
        };
        let cents = SeatCounts { basic: cents(&basic), premium: cents(&premium) };
        Ok(Self { basic, premium, cents })
    }
}

/// How the seats of a tier are billed.
struct Plan {
    tier: Tier,
    lookup_key: &'static str,
    product: &'static str,
}

const BASIC: Plan =
    Plan { tier: Tier::Basic, lookup_key: "headcount_basic", product: "Headcount basic seat" };

const PREMIUM: Plan = Plan {
    tier: Tier::Premium,
    lookup_key: "headcount_premium",
    product: "Headcount premium seat",
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

impl Price {
    /// Whether it charges US dollars, by the month and for each unit.
    fn is_monthly(&self) -> bool {
        self.currency == "usd"
            && self.unit_amount.is_some()
            && self.recurring.as_ref().is_some_and(|recurring| {
                recurring.interval == "month"
                    && recurring.interval_count == 1
                    && recurring.usage_type == "licensed"
            })
    }
}

impl Plan {
    /// The id of the price with this plan's lookup key, if there is one. It has to charge `cents`,
    /// where they are known.
    fn find_in(&self, prices: &[Price], cents: Option<u64>) -> Result<Option<String>, Failure> {
        let Some(price) =
            prices.iter().find(|price| price.lookup_key.as_deref() == Some(self.lookup_key))
        else {
            return Ok(None);
        };
        if price.is_monthly() && (cents.is_none() || price.unit_amount == cents) {
            return Ok(Some(price.id.clone()));
        }
        let cents = cents.map_or("some".to_owned(), |cents| cents.to_string());
        Err(Failure::new(format!(
            "the price {} has the lookup key {} but is not {cents} US cents a month for each unit",
            price.id, self.lookup_key
        ))
        .advise("Take the lookup key away from it in Stripe, then run: headcount stripe setup"))
    }

    /// The form that creates the price together with its product, in one call
    /// (<https://docs.stripe.com/api/prices/create>).
    fn form(&self, cents: u64) -> Vec<(String, String)> {
        [
            ("lookup_key", self.lookup_key),
            ("currency", "usd"),
            ("unit_amount", &cents.to_string()),
            ("recurring[interval]", "month"),
            ("product_data[name]", self.product),
            ("metadata[tier]", self.tier.as_str()),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    async fn find_or_create(
        &self,
        stripe: &Stripe,
        listed: &[Price],
        cents: u64,
    ) -> Result<String, Failure> {
        if let Some(id) = self.find_in(listed, Some(cents))? {
            return Ok(id);
        }
        // A key of its own for each try: a lookup key is unique, so a repetition cannot make
        // a second price, and a stored error must not be replayed for a day.
        let key = format!("{}:{}", self.lookup_key, hex(&random::<16>(&System)?));
        let created: Result<Price, StripeFailure> =
            stripe.post("/v1/prices", &self.form(cents), &key).await;
        Ok(created?.id)
    }
}

async fn setup(stripe: &Stripe, basic: u64, premium: u64) -> Result<Report, Failure> {
    let listed = list(stripe).await?;
    let basic = BASIC.find_or_create(stripe, &listed, basic).await?;
    let premium = PREMIUM.find_or_create(stripe, &listed, premium).await?;
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
        for cents in [Some(4_000), None] {
            assert_eq!(BASIC.find_in(&listed, cents), Ok(Some("price_1".to_owned())));
            assert_eq!(PREMIUM.find_in(&listed, cents), Ok(None));
        }
    }

    #[test]
    fn a_price_that_charges_otherwise_is_not_taken() {
        for wrong in [price(4_100, "month"), price(4_000, "year")] {
            assert!(BASIC.find_in(&[wrong], Some(4_000)).is_err());
        }
        assert!(BASIC.find_in(&[price(4_000, "year")], None).is_err());
    }

    #[test]
    fn a_price_charges_what_is_asked_for() {
        let form = PREMIUM.form(10_000);
        assert!(form.contains(&("unit_amount".to_owned(), "10000".to_owned())));
        assert!(form.contains(&("lookup_key".to_owned(), "headcount_premium".to_owned())));
    }
}
