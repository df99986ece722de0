//! Figures of several rounds.

use serde::{Deserialize, Serialize};

/// The middle of some figures, and how far they reach. The unit is that of the figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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

/// The nearest-rank percentile of sorted figures.
pub(crate) fn percentile(sorted: &[u64], percent: usize) -> Option<u64> {
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
        assert_eq!(percentile(&[], 50), None);
        assert_eq!(Spread::of([]), None);
    }
}
