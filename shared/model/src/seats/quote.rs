//! Quotes: what a create would cost, held for an hour.
//!
//! A quote is not stored. Its id says what it depends on and is signed with the secret of the
//! stack, so that a create that carries it can be held against what is true by then.

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::seat::Tier;
use crate::billing::{ProrationBehavior, SeatCounts};
use crate::fault::Rule;
use crate::id::OrganizationId;
use crate::idempotency::{FingerprintKey, WeakKey, hex, unhex};
use crate::tiers::Tiers;

/// How long a quote holds.
const LIFETIME: SignedDuration = SignedDuration::from_hours(1);

const PREFIX: &str = "quote_";
/// Keeps signatures of quotes apart from the fingerprints that the same secret keys.
const DOMAIN: &[u8] = b"headcount quote 2\0";

/// A digest of what every tier costs, and by which price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriceList([u8; 16]);

impl PriceList {
    /// The price list of a configuration.
    pub fn of(tiers: &Tiers) -> Self {
        let mut digest = Sha256::new();
        for tier in Tier::ALL {
            let terms = tiers.of(tier);
            digest.update(terms.unit_amount.to_be_bytes());
            // A price has no NUL, so that one list has one spelling.
            digest.update(terms.price.as_deref().unwrap_or_default());
            digest.update([0]);
        }
        let digest: [u8; 32] = digest.finalize().into();
        let mut list = [0; 16];
        list.copy_from_slice(&digest[..16]);
        Self(list)
    }
}

/// What a caller was quoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// The version of the billing record that it started from.
    pub version: u64,
    /// The seats that it was about.
    pub added: SeatCounts,
    /// What seats cost then.
    pub prices: PriceList,
    /// What becomes of the difference within a period: whether it is charged at all.
    pub proration: ProrationBehavior,
    /// When it stops holding; whole seconds.
    pub expires_at: Timestamp,
}

impl Quote {
    /// A quote made at `now`.
    pub fn new(
        version: u64,
        added: SeatCounts,
        tiers: &Tiers,
        proration: ProrationBehavior,
        now: Timestamp,
    ) -> Self {
        let end = now.saturating_add(LIFETIME).unwrap_or(Timestamp::MAX);
        let prices = PriceList::of(tiers);
        // A time that is in range stays so without its fraction.
        let expires_at = Timestamp::from_second(end.as_second()).unwrap_or(end);
        Self { version, added, prices, proration, expires_at }
    }

    /// The id by which an organization refers to it: `quote_<payload>_<signature>`.
    ///
    /// # Errors
    /// [`WeakKey`], which [`FingerprintKey::new`] has ruled out.
    pub fn id(
        &self,
        organization: &OrganizationId,
        secret: &FingerprintKey,
    ) -> Result<String, WeakKey> {
        let payload = self.payload();
        let signature = sign(&payload, organization, secret)?;
        Ok(format!("{PREFIX}{}_{}", hex(&payload), hex(&signature)))
    }

    /// Reads the id of a quote that was made for this organization. It need not hold any more.
    ///
    /// # Errors
    /// [`Rule::Quote`], the same for everything that is not one.
    pub fn parse(
        text: &str,
        organization: &OrganizationId,
        secret: &FingerprintKey,
    ) -> Result<Self, Rule> {
        let (payload, signature) =
            text.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_')).ok_or(Rule::Quote)?;
        let payload: Payload = unhex(payload).ok_or(Rule::Quote)?;
        let signature: [u8; 32] = unhex(signature).ok_or(Rule::Quote)?;
        let expected = sign(&payload, organization, secret).map_err(|_| Rule::Quote)?;
        if !bool::from(signature.ct_eq(&expected)) {
            return Err(Rule::Quote);
        }
        Self::from_payload(&payload).ok_or(Rule::Quote)
    }

    /// What a create that carries it has to find.
    pub fn expects(&self, tiers: &Tiers, now: Timestamp) -> Quoted {
        if now < self.expires_at && self.prices == PriceList::of(tiers) {
            Quoted::Terms { version: self.version, proration: self.proration }
        } else {
            Quoted::Expired
        }
    }

    fn payload(&self) -> Payload {
        let mut payload = [0; PAYLOAD];
        let parts = [
            &self.version.to_be_bytes()[..],
            &self.added.basic.to_be_bytes(),
            &self.added.premium.to_be_bytes(),
            &self.expires_at.as_second().to_be_bytes(),
            &self.prices.0,
            &[place(self.proration)],
        ];
        for (place, byte) in payload.iter_mut().zip(parts.into_iter().flatten()) {
            *place = *byte;
        }
        payload
    }

    fn from_payload(payload: &Payload) -> Option<Self> {
        let (numbers, rest) = payload.split_at(4 * 8);
        let (prices, proration) = rest.split_at(16);
        let mut words = numbers.chunks_exact(8);
        let mut word = || words.next()?.try_into().ok();
        Some(Self {
            version: u64::from_be_bytes(word()?),
            added: SeatCounts {
                basic: u64::from_be_bytes(word()?),
                premium: u64::from_be_bytes(word()?),
            },
            expires_at: Timestamp::from_second(i64::from_be_bytes(word()?)).ok()?,
            prices: PriceList(prices.try_into().ok()?),
            proration: *ProrationBehavior::ALL.get(usize::from(*proration.first()?))?,
        })
    }
}

/// The place of a behaviour among all of them.
fn place(proration: ProrationBehavior) -> u8 {
    match proration {
        ProrationBehavior::CreateProrations => 0,
        ProrationBehavior::None => 1,
        ProrationBehavior::AlwaysInvoice => 2,
    }
}

/// Four numbers of eight bytes, the price list and the behaviour.
const PAYLOAD: usize = 4 * 8 + 16 + 1;
type Payload = [u8; PAYLOAD];

fn sign(
    payload: &Payload,
    organization: &OrganizationId,
    secret: &FingerprintKey,
) -> Result<[u8; 32], WeakKey> {
    // The payload has a fixed length: nothing of it can pass for a part of the organization.
    secret.fingerprint(&[DOMAIN, payload, organization.as_str().as_bytes()].concat())
}

/// What a quote asks of the billing record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quoted {
    /// It must be as it was: nothing has changed since.
    Terms {
        /// How often the seats have changed.
        version: u64,
        /// What becomes of the difference within a period.
        proration: ProrationBehavior,
    },
    /// The quote's time is up or the prices are others: no version will do. That is still for
    /// the transaction to find, because a retry has its stored answer come before it.
    Expired,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tiers::TierEntry;
    use crate::tiers::tests::tiers;

    fn organization(last: char) -> OrganizationId {
        OrganizationId::parse(&format!("org_01kafzqzxqxqxqxqxqxqxqxqx{last}")).expect("an id")
    }

    fn secret(byte: u8) -> FingerprintKey {
        FingerprintKey::new(&[byte; 32]).expect("long enough")
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    fn quote() -> Quote {
        quoted(ProrationBehavior::None)
    }

    fn quoted(proration: ProrationBehavior) -> Quote {
        Quote::new(7, SeatCounts { basic: 2, premium: 1 }, &tiers(), proration, at(1_000))
    }

    #[test]
    fn an_id_says_what_was_quoted() {
        let id = quote().id(&organization('q'), &secret(1)).expect("a strong key");
        assert_eq!(Quote::parse(&id, &organization('q'), &secret(1)), Ok(quote()));
        for proration in ProrationBehavior::ALL {
            let quote = quoted(proration);
            let id = quote.id(&organization('q'), &secret(1)).expect("a strong key");
            assert_eq!(Quote::parse(&id, &organization('q'), &secret(1)), Ok(quote));
        }
        assert_eq!(Quote::parse(&id, &organization('r'), &secret(1)), Err(Rule::Quote));
        assert_eq!(Quote::parse(&id, &organization('q'), &secret(2)), Err(Rule::Quote));
    }

    #[test]
    fn a_change_of_any_character_is_found() {
        let id = quote().id(&organization('q'), &secret(1)).expect("a strong key");
        for place in 0..id.len() {
            for other in ["0", "1", "g", "_", ""] {
                let mut tampered = id.clone();
                tampered.replace_range(place..=place, other);
                if tampered != id {
                    let read = Quote::parse(&tampered, &organization('q'), &secret(1));
                    assert_eq!(read, Err(Rule::Quote), "{tampered}");
                }
            }
        }
    }

    #[test]
    fn it_holds_for_an_hour_and_while_the_prices_stay() {
        let terms = Quoted::Terms { version: 7, proration: ProrationBehavior::None };
        assert_eq!(quote().expects(&tiers(), at(1_000 + 3_599)), terms);
        assert_eq!(quote().expects(&tiers(), at(1_000 + 3_600)), Quoted::Expired);
        let entry = |name: &str, unit_amount| TierEntry {
            name: name.to_owned(),
            price: None,
            unit_amount,
            device_type: "shared".to_owned(),
        };
        let others = vec![entry("basic", 4_000), entry("premium", 10_000)];
        let others = Tiers::try_from(others).expect("valid");
        assert_eq!(quote().expects(&others, at(1_000)), Quoted::Expired);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let text = format!("{PREFIX}{text}");
            prop_assert_eq!(Quote::parse(&text, &organization('q'), &secret(1)), Err(Rule::Quote));
        }
    }
}
