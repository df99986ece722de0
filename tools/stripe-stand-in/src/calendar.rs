//! Billing periods on the UTC calendar. Source:
//! <https://docs.stripe.com/billing/subscriptions/billing-cycle>.

use jiff::{SignedDuration, Span, Timestamp, civil::DateTime, tz::TimeZone};
use serde::{Deserialize, Serialize};

/// The unit of a recurring price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Interval {
    Day,
    Week,
    Month,
    Year,
}

impl Interval {
    pub(crate) const WORDS: [(&'static str, Self); 4] =
        [("day", Self::Day), ("week", Self::Week), ("month", Self::Month), ("year", Self::Year)];

    /// The longest period that Stripe takes is three years.
    pub(crate) fn max_count(self) -> i64 {
        match self {
            Self::Day => 1_095,
            Self::Week => 156,
            Self::Month => 36,
            Self::Year => 3,
        }
    }
}

/// How often a price bills.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Recurrence {
    pub(crate) interval: Interval,
    pub(crate) count: i64,
}

/// The first boundary of the cycle after `instant` (Unix seconds). Each boundary is counted from
/// the anchor, so that a cycle anchored on the 31st bills on 28 February and on 31 March.
pub(crate) fn next_boundary(anchor: i64, every: Recurrence, instant: i64) -> i64 {
    let mut periods = estimate(anchor, every, instant).saturating_sub(2).max(0);
    loop {
        let boundary = boundary(anchor, every, periods);
        if boundary > instant {
            return boundary;
        }
        periods += 1;
    }
}

/// How many periods fit between, counted with the longest possible month and year: never too many.
fn estimate(anchor: i64, every: Recurrence, instant: i64) -> i64 {
    let days = match every.interval {
        Interval::Day => 1,
        Interval::Week => 7,
        Interval::Month => 31,
        Interval::Year => 366,
    };
    instant.saturating_sub(anchor) / (days * 86_400 * every.count.max(1))
}

/// The end of the `periods`th period. What lies beyond the calendar never comes.
fn boundary(anchor: i64, every: Recurrence, periods: i64) -> i64 {
    let amount = every.count.max(1).saturating_mul(periods);
    let span = match every.interval {
        Interval::Day => Span::new().try_days(amount),
        Interval::Week => Span::new().try_weeks(amount),
        Interval::Month => Span::new().try_months(amount),
        Interval::Year => Span::new().try_years(amount),
    };
    let end = span.and_then(|span| utc(anchor)?.checked_add(span));
    end.and_then(|end| end.to_zoned(TimeZone::UTC))
        .map_or(i64::MAX, |end| end.timestamp().as_second())
}

fn utc(seconds: i64) -> Result<DateTime, jiff::Error> {
    Ok(Timestamp::from_second(seconds)?.to_zoned(TimeZone::UTC).datetime())
}

/// `21 Nov 2026`, as Stripe writes dates into descriptions.
pub(crate) fn date(seconds: i64) -> String {
    utc(seconds).map_or_else(|_| seconds.to_string(), |day| day.strftime("%d %b %Y").to_string())
}

/// The seconds of a number of days.
pub(crate) fn days(days: i64) -> i64 {
    SignedDuration::from_hours(days.saturating_mul(24)).as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONTHLY: Recurrence = Recurrence { interval: Interval::Month, count: 1 };

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_second()
    }

    #[test]
    fn the_31st_is_clamped_and_comes_back() {
        let anchor = at("2027-01-31T10:00:00Z");
        let mut now = anchor;
        let mut seen = Vec::new();
        for _ in 0..4 {
            now = next_boundary(anchor, MONTHLY, now);
            seen.push(date(now));
        }
        assert_eq!(seen, ["28 Feb 2027", "31 Mar 2027", "30 Apr 2027", "31 May 2027"]);
    }

    #[test]
    fn a_boundary_is_strictly_after() {
        for (interval, count) in [(Interval::Day, 3), (Interval::Week, 1), (Interval::Year, 1)] {
            let every = Recurrence { interval, count };
            let anchor = at("2024-02-29T00:00:00Z");
            let mut last = anchor;
            for _ in 0..50 {
                let next = next_boundary(anchor, every, last);
                assert!(next > last);
                assert_eq!(next_boundary(anchor, every, next - 1), next);
                last = next;
            }
        }
    }

    #[test]
    fn before_the_anchor_the_anchor_is_next() {
        let anchor = at("2027-01-31T10:00:00Z");
        assert_eq!(next_boundary(anchor, MONTHLY, anchor - 5), anchor);
    }

    #[test]
    fn what_is_beyond_the_calendar_never_comes() {
        assert_eq!(next_boundary(253_402_000_000, MONTHLY, 253_402_000_000), i64::MAX);
    }
}
