//! Object ids in Stripe's form: a prefix that names the kind, then letters and digits.

use serde::{Deserialize, Serialize};

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Makes ids from a counter, so that the same calls give the same ids: a simulation that is
/// replayed from its seed sees the same world. They only look random; nothing here is secret.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Ids {
    issued: u64,
}

impl Ids {
    /// The next id, for example `next("cus_")`. Never repeats: the mixing is a bijection.
    pub(crate) fn next(&mut self, prefix: &str) -> String {
        self.issued += 1;
        format!("{prefix}{}", word(self.issued))
    }

    /// A signing secret for a webhook endpoint.
    pub(crate) fn secret(&mut self) -> String {
        format!("{}{}", self.next("whsec_"), word(mix(self.issued)))
    }
}

/// 14 letters and digits that belong to `number` alone.
pub(crate) fn word(number: u64) -> String {
    let mut rest = mix(number);
    let mut text = String::from("Hc0");
    for _ in 0..11 {
        let digit = usize::try_from(rest % 62).unwrap_or(0);
        text.push(char::from(ALPHABET[digit]));
        rest /= 62;
    }
    text
}

/// One step of splitmix64: a bijection on u64 that spreads neighbouring numbers apart.
pub(crate) fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_distinct_and_repeatable() {
        let (mut first, mut second) = (Ids::default(), Ids::default());
        let ids: Vec<_> = (0..1_000).map(|_| first.next("si_")).collect();
        let again: Vec<_> = (0..1_000).map(|_| second.next("si_")).collect();
        assert_eq!(ids, again);
        let distinct: std::collections::HashSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), 1_000);
        assert!(ids[0].starts_with("si_") && ids[0].len() == 17);
    }
}
