//! Fewer seats: what becomes of the difference, and since when there may be fewer.

use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};

use crate::billing::ProrationBehavior;

/// What becomes of the difference when seats are given back within a period that is paid for.
/// Each organization has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FewerSeats {
    /// Nothing is credited. The next period costs less.
    #[default]
    None,
    /// The rest of the period is credited, as the organization's [`ProrationBehavior`] says.
    Credit,
}

impl FewerSeats {
    /// Every setting.
    pub const ALL: [FewerSeats; 2] = [FewerSeats::None, FewerSeats::Credit];

    /// The setting as operators and the table write it.
    pub fn as_str(self) -> &'static str {
        match self {
            FewerSeats::None => "none",
            FewerSeats::Credit => "credit",
        }
    }
}

impl FromStr for FewerSeats {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|setting| setting.as_str() == text)
            .ok_or_else(|| format!("there are: {}", Self::ALL.map(Self::as_str).join(", ")))
    }
}

/// Longer than a billing period of Stripe's months, and than clocks differ.
const LONGEST_PERIOD: SignedDuration = SignedDuration::from_hours(24 * 32);

/// What a billing record says about fewer seats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fewer {
    /// What becomes of the difference.
    pub setting: FewerSeats,
    /// The version of the last change that may have left fewer seats; 0 before the first.
    pub version: u64,
    /// When that was.
    pub at: Option<Timestamp>,
}

impl Fewer {
    /// Whether what Stripe is to be told depends on what it bills: nothing is to be credited, and
    /// there may be fewer seats than it was told, or it may hold a debit of this period for seats
    /// that were given back without a credit, which it would credit with the next change.
    ///
    /// `applied_version` is what Stripe was told last; a writer that was overtaken does not know.
    pub fn asks_first(&self, applied_version: Option<u64>, now: Timestamp) -> bool {
        if self.setting == FewerSeats::Credit || self.version == 0 {
            return false;
        }
        let is_untold = applied_version.is_none_or(|applied| applied < self.version);
        is_untold || self.at.is_none_or(|at| now.duration_since(at) < LONGEST_PERIOD)
    }

    /// What becomes of the difference of fewer seats where that of more is treated like `more`.
    pub fn proration(&self, more: ProrationBehavior) -> ProrationBehavior {
        match self.setting {
            FewerSeats::None => ProrationBehavior::None,
            FewerSeats::Credit => more,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_read_back_and_nothing_else_is() {
        for setting in FewerSeats::ALL {
            assert_eq!(setting.as_str().parse(), Ok(setting));
        }
        let unknown = "Credit".parse::<FewerSeats>().expect_err("another case");
        assert_eq!(unknown, "there are: none, credit");
    }

    #[test]
    fn only_a_credit_prorates_fewer_seats_and_as_more_are() {
        for more in ProrationBehavior::ALL {
            let fewer = |setting| Fewer { setting, ..Fewer::default() }.proration(more);
            assert_eq!(fewer(FewerSeats::None), ProrationBehavior::None);
            assert_eq!(fewer(FewerSeats::Credit), more);
        }
    }

    #[test]
    fn stripe_is_asked_first_while_it_may_bill_or_have_billed_more() {
        let now: Timestamp = "2026-02-03T00:00:00Z".parse().expect("a time");
        let at = |days: i64| now.checked_sub(SignedDuration::from_hours(24 * days)).ok();
        let fewer = |version, days| Fewer { version, at: at(days), ..Fewer::default() };
        assert!(!Fewer::default().asks_first(None, now), "there never were fewer");
        assert!(fewer(3, 100).asks_first(Some(2), now), "it was not told");
        assert!(fewer(3, 100).asks_first(None, now), "it is not known what it was told");
        assert!(!fewer(3, 100).asks_first(Some(3), now), "another period by now");
        assert!(fewer(3, 31).asks_first(Some(3), now), "perhaps still the same");
        let credits = Fewer { setting: FewerSeats::Credit, ..fewer(3, 0) };
        assert!(!credits.asks_first(Some(2), now), "every difference is prorated");
    }
}
