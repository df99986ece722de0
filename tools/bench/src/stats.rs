//! Figures of several rounds.

use serde::{Deserialize, Serialize};

/// The middle of some figures, and how far they reach. The unit is that of the figures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Spread {
    pub(crate) median: u64,
    pub(crate) min: u64,
    pub(crate) max: u64,
}

impl Spread {
    /// Of no figures at all, `None`.
    pub(crate) fn of(figures: impl IntoIterator<Item = u64>) -> Option<Self> {
        let mut sorted: Vec<u64> = figures.into_iter().collect();
        sorted.sort_unstable();
        let (&min, &max) = (sorted.first()?, sorted.last()?);
        Some(Self { median: percentile(&sorted, 50)?, min, max })
    }
}

/// One figure of each round, in the order of the rounds. The unit is that of the figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Series(Vec<u64>);

impl Series {
    /// Of no figures at all, `None`.
    pub(crate) fn of(figures: impl IntoIterator<Item = u64>) -> Option<Self> {
        let figures: Vec<u64> = figures.into_iter().collect();
        (!figures.is_empty()).then_some(Self(figures))
    }

    /// The middle of the rounds, and how far they reach.
    pub(crate) fn spread(&self) -> Spread {
        Spread::of(self.0.iter().copied()).unwrap_or_default()
    }

    /// This figure and the other one, of the round whose ratio is the median of all rounds'.
    ///
    /// A machine runs one round faster than the next, and both figures of a round with it. A ratio
    /// of two medians would compare rounds of different speed.
    pub(crate) fn against(&self, other: &Self) -> Option<(u64, u64)> {
        let mut pairs: Vec<(u64, u64)> =
            self.0.iter().copied().zip(other.0.iter().copied()).filter(|pair| pair.1 > 0).collect();
        pairs.sort_by_key(|&(one, other)| u128::from(one) * 1_000_000_000 / u128::from(other));
        percentile(&pairs, 50)
    }
}

/// The nearest-rank percentile of sorted figures.
pub(crate) fn percentile<T: Copy>(sorted: &[T], percent: usize) -> Option<T> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle_and_a_percentile_is_a_figure_that_was_measured() {
        let spread = Spread::of([5, 1, 9]).expect("figures");
        assert_eq!(spread, Spread { median: 5, min: 1, max: 9 });
        let hundred: Vec<u64> = (1..=100).collect();
        assert_eq!(percentile(&hundred, 50), Some(50));
        assert_eq!(percentile(&hundred, 99), Some(99));
        assert_eq!(percentile(&[7], 99), Some(7));
        assert_eq!(percentile::<u64>(&[], 50), None);
        assert_eq!(Spread::of([]), None);
    }

    #[test]
    fn a_ratio_is_of_one_round_however_the_speed_of_rounds_differs() {
        // Always twice the other one, on a machine that runs each round at another speed.
        let ours = Series::of([20, 200, 40, 800, 60]).expect("figures");
        let other = Series::of([10, 100, 20, 400, 30]).expect("figures");
        let (one, two) = ours.against(&other).expect("rounds");
        assert_eq!(one, 2 * two);
        // One disturbed round of five does not count, on either side.
        let disturbed = Series::of([20, 200, 40, 80_000, 60]).expect("figures");
        let (one, two) = disturbed.against(&other).expect("rounds");
        assert_eq!(one, 2 * two);
        let nothing = Series::of([0, 0]).expect("figures");
        assert_eq!(ours.against(&nothing), None);
    }
}
