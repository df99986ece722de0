//! How much of its limits an organization has used up: told when the limit comes near and when it
//! is reached, since a key that got into other hands is noticed by what it spends.

use headcount_store::rows::BillingRow;
use serde_json::{Value, json};

/// At how many hundredths of a limit somebody has to know.
const PERCENTS: [u8; 2] = [80, 100];

/// A limit of an organization, and how it stands.
struct Limit {
    detail_type: &'static str,
    /// What it counts, in the names of `headcount org set-limit`.
    unit: &'static str,
    /// The limit; `None` while there is none.
    limit: Option<i128>,
    used: i128,
}

impl Limit {
    /// Both limits of a record. Used is what is not left, which is what creates are held against.
    fn both(row: &BillingRow) -> [Self; 2] {
        let cents = row.spending_limit.map(i128::from);
        let seats = i128::from(row.seat_limit);
        [
            Self {
                detail_type: "SeatLimitReached",
                unit: "seats",
                limit: Some(seats),
                used: seats - i128::from(row.seats_left),
            },
            Self {
                detail_type: "SpendingLimitReached",
                unit: "monthly_cents",
                limit: cents,
                used: cents.zip(row.cents_left).map_or(0, |(cents, left)| cents - i128::from(left)),
            },
        ]
    }

    fn has_reached(&self, percent: u8) -> bool {
        self.limit.is_some_and(|limit| self.used * 100 >= limit * i128::from(percent))
    }
}

/// A threshold that a change of a record has crossed upwards.
pub(crate) struct Crossed {
    pub(crate) detail_type: &'static str,
    pub(crate) percent: u8,
    pub(crate) data: Value,
}

/// The thresholds that lie between two images of a record, whether seats were added or a limit
/// was lowered. A record that is new has crossed none.
pub(crate) fn crossed(old: &BillingRow, new: &BillingRow) -> Vec<Crossed> {
    let mut crossed = Vec::new();
    for (before, now) in Limit::both(old).into_iter().zip(Limit::both(new)) {
        for percent in PERCENTS {
            if before.has_reached(percent) || !now.has_reached(percent) {
                continue;
            }
            let data = json!({
                "organization": new.organization,
                "percent": percent,
                "unit": now.unit,
                "limit": now.limit.and_then(|limit| i64::try_from(limit).ok()),
                "used": i64::try_from(now.used).ok(),
                "reached_at": new.updated_at,
            });
            crossed.push(Crossed { detail_type: now.detail_type, percent, data });
        }
    }
    crossed
}
