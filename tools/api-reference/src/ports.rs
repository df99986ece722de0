//! The moment and the random numbers of the examples: always the same, so that the document is.

use headcount_model::port::{Clock, Entropy, NoEntropy};
use jiff::Timestamp;

/// Ports that stand still.
pub(crate) struct Still;

impl Clock for Still {
    /// The moment of the Agency API's published example, 2026-02-03T18:12:47Z.
    fn now(&self) -> Timestamp {
        Timestamp::constant(1_770_142_367, 0)
    }
}

impl Entropy for Still {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        // Steps by an odd number meet every byte before one comes again: ids look like ids.
        let mut next = 0x5a_u8;
        for byte in bytes {
            *byte = next;
            next = next.wrapping_add(0x9d);
        }
        Ok(())
    }
}
