//! What the tiers of seats stand for: the price that bills them, what they cost and the kind of
//! device behind them. All of it is configuration; that there is a basic and a premium tier is
//! not, because callers name them.

use std::fmt;

use serde::Deserialize;

use crate::billing::SeatCounts;
use crate::seats::Tier;

/// The largest amount that Stripe takes for one unit, in cents
/// (<https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts>).
pub const MAX_UNIT_AMOUNT: u64 = 99_999_999;

/// What one tier stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TierTerms {
    /// The Stripe price, `price_…`; `None` when it is not configured: then the tier cannot be
    /// billed, and the billing record of whoever has such seats says so.
    pub price: Option<String>,
    /// What a seat costs, in US cents a month; at most [`MAX_UNIT_AMOUNT`].
    pub unit_amount: u64,
    /// The kind of device behind a seat.
    pub device_type: String,
}

/// One tier as the configuration spells it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierEntry {
    /// `basic` or `premium`.
    pub name: String,
    /// The Stripe price; absent, `null` or empty when there is none.
    #[serde(default)]
    pub price: Option<String>,
    /// US cents a month.
    pub unit_amount: u64,
    /// The kind of device.
    pub device_type: String,
}

/// The terms of every tier.
///
/// It is read from the list of its entries:
/// `[{"name":"basic","price":"price_…","unit_amount":4000,"device_type":"shared"},…]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<TierEntry>")]
pub struct Tiers {
    basic: TierTerms,
    premium: TierTerms,
}

impl Tiers {
    /// What a tier stands for.
    pub fn of(&self, tier: Tier) -> &TierTerms {
        match tier {
            Tier::Basic => &self.basic,
            Tier::Premium => &self.premium,
        }
    }

    /// What seats cost together, in US cents a month.
    pub fn monthly(&self, seats: SeatCounts) -> u64 {
        let cost = |tier| seats.get(tier).saturating_mul(self.of(tier).unit_amount);
        cost(Tier::Basic).saturating_add(cost(Tier::Premium))
    }
}

impl TryFrom<Vec<TierEntry>> for Tiers {
    type Error = TiersError;

    fn try_from(entries: Vec<TierEntry>) -> Result<Self, TiersError> {
        let (mut basic, mut premium) = (None, None);
        for entry in entries {
            let (tier, terms) = terms(entry)?;
            let slot = match tier {
                Tier::Basic => &mut basic,
                Tier::Premium => &mut premium,
            };
            if slot.replace(terms).is_some() {
                return Err(TiersError::Twice(tier));
            }
        }
        let tiers = Self {
            basic: basic.ok_or(TiersError::Missing(Tier::Basic))?,
            premium: premium.ok_or(TiersError::Missing(Tier::Premium))?,
        };
        // Items of a subscription are told apart by their price.
        if tiers.basic.price.is_some() && tiers.basic.price == tiers.premium.price {
            return Err(TiersError::SamePrice);
        }
        Ok(tiers)
    }
}

fn terms(entry: TierEntry) -> Result<(Tier, TierTerms), TiersError> {
    let tier: Tier = entry.name.parse().map_err(|_| TiersError::Unknown(entry.name.clone()))?;
    let price = entry.price.filter(|price| !price.is_empty());
    if !price.as_deref().is_none_or(is_price) {
        return Err(TiersError::Price(tier));
    }
    if entry.unit_amount > MAX_UNIT_AMOUNT {
        return Err(TiersError::UnitAmount(tier));
    }
    if !is_device_type(&entry.device_type) {
        return Err(TiersError::DeviceType(tier));
    }
    let (unit_amount, device_type) = (entry.unit_amount, entry.device_type);
    Ok((tier, TierTerms { price, unit_amount, device_type }))
}

fn is_price(text: &str) -> bool {
    text.strip_prefix("price_").is_some_and(|rest| {
        !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

fn is_device_type(text: &str) -> bool {
    let allowed = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_')
    };
    (1..=64).contains(&text.len()) && text.bytes().all(allowed)
}

/// Why a configuration of the tiers makes no sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TiersError {
    /// There is no tier of this name.
    Unknown(String),
    /// The tier has two entries.
    Twice(Tier),
    /// The tier has no entry.
    Missing(Tier),
    /// The tier's price is not the id of one.
    Price(Tier),
    /// The tier's unit amount is above [`MAX_UNIT_AMOUNT`].
    UnitAmount(Tier),
    /// The tier's device type is not 1 to 64 of `a-z 0-9 - _`.
    DeviceType(Tier),
    /// Both tiers have the same price.
    SamePrice,
}

impl fmt::Display for TiersError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TiersError::Unknown(name) => {
                write!(f, "there is no tier {name:?}; there are basic and premium")
            }
            TiersError::Twice(tier) => write!(f, "tier {} is there twice", tier.as_str()),
            TiersError::Missing(tier) => write!(f, "tier {} is missing", tier.as_str()),
            TiersError::Price(tier) => {
                write!(f, "the price of tier {} is not price_…", tier.as_str())
            }
            TiersError::UnitAmount(tier) => {
                let tier = tier.as_str();
                write!(f, "the unit_amount of tier {tier} is above {MAX_UNIT_AMOUNT} cents")
            }
            TiersError::DeviceType(tier) => {
                let tier = tier.as_str();
                write!(f, "the device_type of tier {tier} is not 1 to 64 of a-z 0-9 - _")
            }
            TiersError::SamePrice => f.write_str("both tiers have the same price"),
        }
    }
}

impl std::error::Error for TiersError {}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn entry(name: &str, price: &str, unit_amount: u64) -> TierEntry {
        TierEntry {
            name: name.to_owned(),
            price: Some(price.to_owned()),
            unit_amount,
            device_type: "shared".to_owned(),
        }
    }

    /// The tiers at what they cost to begin with.
    pub(crate) fn tiers() -> Tiers {
        Tiers::try_from(vec![entry("basic", "price_b", 4_000), entry("premium", "price_p", 10_000)])
            .expect("valid")
    }

    #[test]
    fn seats_cost_what_their_tiers_cost() {
        assert_eq!(tiers().monthly(SeatCounts { basic: 3, premium: 2 }), 32_000);
        assert_eq!(tiers().monthly(SeatCounts::default()), 0);
        assert_eq!(tiers().monthly(SeatCounts { basic: u64::MAX, premium: 1 }), u64::MAX);
    }

    #[test]
    fn a_tier_may_have_no_price_yet() {
        let none = TierEntry { price: None, ..entry("premium", "", 10_000) };
        for premium in [entry("premium", "", 10_000), none] {
            let tiers = Tiers::try_from(vec![entry("basic", "", 4_000), premium]).expect("valid");
            assert_eq!(Tier::ALL.map(|tier| tiers.of(tier).price.clone()), [None, None]);
        }
    }

    #[test]
    fn the_largest_and_oddest_that_make_sense_are_taken() {
        let basic = TierEntry {
            device_type: "shared_phone-2".to_owned(),
            ..entry("basic", "price_1_a", MAX_UNIT_AMOUNT)
        };
        let tiers = Tiers::try_from(vec![basic, entry("premium", "price_p", 0)]).expect("valid");
        assert_eq!(tiers.of(Tier::Basic).unit_amount, MAX_UNIT_AMOUNT);
        assert_eq!(tiers.of(Tier::Basic).price.as_deref(), Some("price_1_a"));
        assert_eq!(tiers.of(Tier::Basic).device_type, "shared_phone-2");
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_reason() {
        let basic = || entry("basic", "price_b", 4_000);
        let premium = || entry("premium", "price_p", 10_000);
        let device = |device_type: &str| TierEntry { device_type: device_type.into(), ..basic() };
        let (twice, missing) = (TiersError::Twice(Tier::Basic), TiersError::Missing(Tier::Premium));
        for (entries, error) in [
            (vec![], TiersError::Missing(Tier::Basic)),
            (vec![basic()], missing),
            (vec![basic(), basic(), premium()], twice),
            (vec![basic(), entry("gold", "price_g", 1)], TiersError::Unknown("gold".to_owned())),
            (vec![entry("basic", "plan_b", 1), premium()], TiersError::Price(Tier::Basic)),
            (vec![entry("basic", "price_", 1), premium()], TiersError::Price(Tier::Basic)),
            (vec![entry("basic", "price_a b", 1), premium()], TiersError::Price(Tier::Basic)),
            (vec![entry("basic", "price_p", 1), premium()], TiersError::SamePrice),
            (
                vec![entry("basic", "price_b", MAX_UNIT_AMOUNT + 1), premium()],
                TiersError::UnitAmount(Tier::Basic),
            ),
            (vec![device(""), premium()], TiersError::DeviceType(Tier::Basic)),
            (vec![device("Shared phone"), premium()], TiersError::DeviceType(Tier::Basic)),
        ] {
            assert_eq!(Tiers::try_from(entries), Err(error));
        }
        let told = TiersError::Unknown("gold".to_owned()).to_string();
        assert_eq!(told, "there is no tier \"gold\"; there are basic and premium");
    }
}
