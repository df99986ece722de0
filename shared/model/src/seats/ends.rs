//! When seats end that are given back: at once, or with the billing period
//! (docs/adr/0021-with-the-period.md).

use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};

use crate::billing::Period;

/// When the seats of an organization end. Each has its own setting, which holds for what is given
/// back from then on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SeatsEnd {
    /// At once.
    #[default]
    AtOnce,
    /// With the billing period that runs. Until then they stay as they are, are counted, and can
    /// be kept after all.
    PeriodEnd,
}

impl SeatsEnd {
    /// Every setting.
    pub const ALL: [SeatsEnd; 2] = [SeatsEnd::AtOnce, SeatsEnd::PeriodEnd];

    /// The setting as operators and the table write it.
    pub fn as_str(self) -> &'static str {
        match self {
            SeatsEnd::AtOnce => "at_once",
            SeatsEnd::PeriodEnd => "period_end",
        }
    }
}

impl FromStr for SeatsEnd {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|setting| setting.as_str() == text)
            .ok_or_else(|| format!("there are: {}", Self::ALL.map(Self::as_str).join(", ")))
    }
}

/// How long before the end of a period the seats end that end with it. Stripe invoices the next
/// period at the quantity that it has at the very end, and has to be told before: a cycle of
/// reconcile-billing takes 2 h 40 min at most, an update of an organization whose differences are
/// invoiced at once waits up to 1 h 40 min for its turn, and the rest is for what goes wrong.
pub const LEAD: SignedDuration = SignedDuration::from_hours(6);

/// What of a billing record decides when seats end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EndTerms {
    /// What the organization has chosen.
    pub setting: SeatsEnd,
    /// The billing period, as the record has it. `None` when nothing is paid for: no subscription
    /// is linked or it has ended. `None` also until Stripe has told a period.
    pub period: Option<Period>,
}

impl EndTerms {
    /// When a seat ends that is given back at `now`; `None` for at once. So does one that is given
    /// back less than [`LEAD`] before the period's end: the next period must not be billed for it.
    pub fn ends_at(&self, now: Timestamp) -> Option<Timestamp> {
        match self.setting {
            SeatsEnd::AtOnce => None,
            SeatsEnd::PeriodEnd => {
                ends_with(running(self.period?, now)).filter(|ends_at| *ends_at > now)
            }
        }
    }
}

/// When seats end that end with a period; `None` for a period beyond the calendar.
fn ends_with(period: Period) -> Option<Timestamp> {
    Timestamp::from_second(period.end).ok()?.checked_sub(LEAD).ok()
}

/// The period that runs at `now`. One that has ended on record has been followed by another, of
/// which the news is on its way. It is taken for as long, and [`fate`] corrects what comes of that.
fn running(period: Period, now: Timestamp) -> Period {
    let (length, now) = (period.end.saturating_sub(period.start), now.as_second());
    if length <= 0 || now < period.end {
        return period;
    }
    let start = now - now.saturating_sub(period.end) % length;
    Period { start, end: start.saturating_add(length) }
}

/// What is known of the subscription that bills seats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Billed {
    /// It runs, and this is its period.
    Until(Period),
    /// It has ended. Nothing is paid for any more.
    Ended,
    /// Nothing.
    Unknown,
}

/// What becomes of a seat that is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Its time has not come.
    Stays,
    /// The period that it ends with ends at another time than it did: so does the seat.
    Moves(Timestamp),
    /// It ends now.
    Ends {
        /// Whether the next period has begun, and was billed for it.
        is_late: bool,
    },
}

/// What becomes of a seat that is to end at `ends_at`.
///
/// It never ends later than it was told, once that time has come, however long a period has become
/// meanwhile.
pub fn fate(ends_at: Timestamp, billed: Billed, now: Timestamp) -> Fate {
    let has_come = ends_at <= now;
    match billed {
        Billed::Ended => Fate::Ends { is_late: false },
        Billed::Until(period) if has_come => {
            Fate::Ends { is_late: period.start >= ends_at.as_second() }
        }
        Billed::Unknown if has_come => Fate::Ends { is_late: false },
        Billed::Unknown => Fate::Stays,
        Billed::Until(period) => match ends_with(period) {
            Some(with_it) if with_it <= now => Fate::Ends { is_late: false },
            Some(with_it) if with_it != ends_at => Fate::Moves(with_it),
            _ => Fate::Stays,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn period(start: &str, end: &str) -> Period {
        Period { start: at(start).as_second(), end: at(end).as_second() }
    }

    fn march() -> Period {
        period("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z")
    }

    #[test]
    fn a_setting_is_read_back_and_nothing_else_is() {
        for setting in SeatsEnd::ALL {
            assert_eq!(setting.as_str().parse(), Ok(setting));
        }
        let unknown = "period-end".parse::<SeatsEnd>().expect_err("another spelling");
        assert_eq!(unknown, "there are: at_once, period_end");
        assert_eq!(SeatsEnd::default(), SeatsEnd::AtOnce);
    }

    #[test]
    fn seats_end_before_the_period_does() {
        let terms = |setting, period| EndTerms { setting, period };
        let ends_at = |terms: EndTerms, now: &str| terms.ends_at(at(now));
        let with_it = terms(SeatsEnd::PeriodEnd, Some(march()));
        let end = Some(at("2026-03-31T18:00:00Z"));
        assert_eq!(ends_at(with_it, "2026-03-01T00:00:00Z"), end);
        assert_eq!(ends_at(with_it, "2026-03-31T17:59:59Z"), end);
        // Too late for the next period not to be billed for it.
        assert_eq!(ends_at(with_it, "2026-03-31T18:00:00Z"), None);
        assert_eq!(ends_at(with_it, "2026-03-31T23:59:59Z"), None);
        let mid = "2026-03-10T00:00:00Z";
        assert_eq!(ends_at(terms(SeatsEnd::AtOnce, Some(march())), mid), None);
        assert_eq!(ends_at(terms(SeatsEnd::PeriodEnd, None), mid), None);
        let beyond = Period { start: 0, end: i64::MAX };
        assert_eq!(ends_at(terms(SeatsEnd::PeriodEnd, Some(beyond)), mid), None);
    }

    #[test]
    fn a_period_that_has_ended_on_record_has_been_followed_by_one_as_long() {
        let terms = EndTerms { setting: SeatsEnd::PeriodEnd, period: Some(march()) };
        for (now, end) in [
            ("2026-04-01T00:00:00Z", "2026-05-01T18:00:00Z"),
            ("2026-05-01T17:59:59Z", "2026-05-01T18:00:00Z"),
            ("2026-05-02T00:00:01Z", "2026-06-01T18:00:00Z"),
        ] {
            assert_eq!(terms.ends_at(at(now)), Some(at(end)), "{now}");
        }
        let nonsense = Period { start: march().end, end: march().start };
        let terms = EndTerms { period: Some(nonsense), ..terms };
        assert_eq!(terms.ends_at(at("2026-03-10T00:00:00Z")), None);
    }

    #[test]
    fn a_seat_ends_at_its_time_or_with_the_period_that_runs() {
        let told = at("2026-03-31T18:00:00Z");
        let (ends, late) = (Fate::Ends { is_late: false }, Fate::Ends { is_late: true });
        let until = |start, end| Billed::Until(period(start, end));
        for (billed, now, expected) in [
            (Billed::Until(march()), "2026-03-31T17:59:59Z", Fate::Stays),
            (Billed::Until(march()), "2026-03-31T18:00:00Z", ends),
            (Billed::Unknown, "2026-03-31T17:59:59Z", Fate::Stays),
            (Billed::Unknown, "2026-03-31T18:00:00Z", ends),
            (Billed::Ended, "2026-03-02T00:00:00Z", ends),
            // Nobody ended it in time.
            (until("2026-04-01T00:00:00Z", "2026-05-01T00:00:00Z"), "2026-04-02T00:00:00Z", late),
            // The period became shorter, so short that it is about to end.
            (
                until("2026-03-01T00:00:00Z", "2026-03-10T00:00:00Z"),
                "2026-03-05T00:00:00Z",
                Fate::Moves(at("2026-03-09T18:00:00Z")),
            ),
            (until("2026-03-01T00:00:00Z", "2026-03-10T00:00:00Z"), "2026-03-09T20:00:00Z", ends),
            // It was renewed early, or became longer: what is paid for is used.
            (
                until("2026-03-10T00:00:00Z", "2026-04-10T00:00:00Z"),
                "2026-03-11T00:00:00Z",
                Fate::Moves(at("2026-04-09T18:00:00Z")),
            ),
            // Its time had come before the period became longer.
            (until("2026-03-01T00:00:00Z", "2026-05-01T00:00:00Z"), "2026-03-31T18:00:00Z", ends),
        ] {
            assert_eq!(fate(told, billed, at(now)), expected, "{billed:?} {now}");
        }
    }
}
