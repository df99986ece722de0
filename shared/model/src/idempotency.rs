//! Idempotency keys: a caller that does not know what became of a request sends it again.
//!
//! The record of a request commits in the same transaction as its effect, so it is either
//! there with the answer or not there at all: nothing can be stuck "in progress".

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use jiff::{RoundMode, SignedDuration, Timestamp, TimestampRound, Unit};
use sha2::{Digest, Sha256};

use crate::fault::Rule;
use crate::identity::Email;

/// How long a record answers retries.
pub const LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// The value of an `Idempotency-Key` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The longest key, in characters.
    pub const MAX_LENGTH: usize = 255;

    /// Reads a header value: 1 to 255 visible ASCII characters.
    ///
    /// # Errors
    /// [`Rule::IdempotencyKey`].
    pub fn parse(raw: &[u8]) -> Result<Self, Rule> {
        let visible =
            (1..=Self::MAX_LENGTH).contains(&raw.len()) && raw.iter().all(u8::is_ascii_graphic);
        let text = std::str::from_utf8(raw).map_err(|_| Rule::IdempotencyKey)?;
        if visible { Ok(Self(text.to_owned())) } else { Err(Rule::IdempotencyKey) }
    }
}

/// The secret of a stack under which request bodies are fingerprinted. Without it, a stored
/// fingerprint says nothing about the body, so it cannot be used to guess a password.
#[derive(Clone)]
pub struct FingerprintKey(Vec<u8>);

impl FingerprintKey {
    /// Takes the secret; 32 bytes or more.
    ///
    /// # Errors
    /// [`WeakKey`] when it is shorter.
    pub fn new(secret: &[u8]) -> Result<Self, WeakKey> {
        if secret.len() < 32 {
            return Err(WeakKey);
        }
        Ok(Self(secret.to_owned()))
    }

    /// The caller of a request without a credential, for whoever is at `address`: a name in which nobody
    /// who lacks the secret finds the address again.
    ///
    /// # Errors
    /// [`WeakKey`], which [`FingerprintKey::new`] has ruled out.
    pub fn caller_at(&self, address: &Email) -> Result<String, WeakKey> {
        // No body begins like this: a body is JSON.
        let named = format!("caller at {}", address.unique_form());
        Ok(format!("anyone-{}", hex(&self.fingerprint(named.as_bytes())?)))
    }

    /// The name under which the log-ins of an address are counted: nobody who lacks the secret finds the
    /// address again in it.
    ///
    /// # Errors
    /// [`WeakKey`], which [`FingerprintKey::new`] has ruled out.
    pub fn log_ins_at(&self, address: &Email) -> Result<String, WeakKey> {
        let named = format!("log-ins at {}", address.unique_form());
        Ok(hex(&self.fingerprint(named.as_bytes())?))
    }

    /// The keyed hash of some bytes.
    pub(crate) fn fingerprint(&self, body: &[u8]) -> Result<[u8; 32], WeakKey> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).map_err(|_| WeakKey)?;
        mac.update(body);
        Ok(mac.finalize().into_bytes().into())
    }
}

impl fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FingerprintKey(…)")
    }
}

/// The fingerprint secret is too short to protect anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WeakKey;

impl fmt::Display for WeakKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the fingerprint key must have at least 32 bytes")
    }
}

impl std::error::Error for WeakKey {}

/// A request that carries an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyed {
    /// Names the record: caller, route and the hash of the key.
    pub name: String,
    /// The keyed hash of the body.
    pub fingerprint: [u8; 32],
    /// When a record made now stops answering, in whole seconds: never before its time.
    pub expires_at: Timestamp,
}

impl Keyed {
    /// Identifies a request by its caller, route, key and body.
    ///
    /// `caller` must be unique among all callers of the route, or one could read another's
    /// answer.
    ///
    /// # Errors
    /// [`WeakKey`], which [`FingerprintKey::new`] has ruled out.
    pub fn new(
        caller: &str,
        route: &str,
        key: &IdempotencyKey,
        body: &[u8],
        secret: &FingerprintKey,
        now: Timestamp,
    ) -> Result<Self, WeakKey> {
        Ok(Self {
            name: format!("{caller}#{route}#{}", hex(&Sha256::digest(&key.0))),
            fingerprint: secret.fingerprint(body)?,
            expires_at: end_of_life(now),
        })
    }

    #[cfg(test)]
    pub(crate) fn for_tests() -> Self {
        Self {
            name: "caller#route#key".to_owned(),
            fingerprint: [7; 32],
            expires_at: Timestamp::UNIX_EPOCH,
        }
    }
}

/// A lifetime from now, rounded up: the table keeps the time to live in seconds.
fn end_of_life(now: Timestamp) -> Timestamp {
    let up = TimestampRound::new().smallest(Unit::Second).mode(RoundMode::Ceil);
    now.saturating_add(LIFETIME).and_then(|end| end.round(up)).unwrap_or(Timestamp::MAX)
}

/// What a caller was told, kept for retries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    /// HTTP status.
    pub status: u16,
    /// The `Location` header, where there was one.
    pub location: Option<String>,
    /// The body, JSON.
    pub body: String,
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.extend([byte >> 4, byte & 0xf].map(|nibble| DIGITS[usize::from(nibble)]));
    }
    text
}

/// Reads what [`hex`] writes of `N` bytes: `None` for any other text, such as one with digits in
/// upper case.
pub fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    if text.len() != 2 * N {
        return None;
    }
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = 16 * digit(digits[0])? + digit(digits[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyed(caller: &str, route: &str, key: &str, body: &str, secret: u8) -> Keyed {
        Keyed::new(
            caller,
            route,
            &IdempotencyKey::parse(key.as_bytes()).expect("a key"),
            body.as_bytes(),
            &FingerprintKey::new(&[secret; 32]).expect("long enough"),
            Timestamp::UNIX_EPOCH,
        )
        .expect("a strong key")
    }

    #[test]
    fn keys_are_visible_ascii_of_1_to_255() {
        for good in ["a", "~!#", &"k".repeat(255)] {
            assert!(IdempotencyKey::parse(good.as_bytes()).is_ok());
        }
        for bad in ["", "a b", "a\tb", "é", "a\u{7f}", &"k".repeat(256)] {
            assert_eq!(IdempotencyKey::parse(bad.as_bytes()), Err(Rule::IdempotencyKey), "{bad:?}");
        }
    }

    #[test]
    fn caller_route_and_key_name_the_record_and_the_body_does_not() {
        let one = keyed("org_a", "POST /x", "k", "body", 1);
        assert_eq!(one, keyed("org_a", "POST /x", "k", "body", 1));
        for other in [
            keyed("org_b", "POST /x", "k", "body", 1),
            keyed("org_a", "POST /y", "k", "body", 1),
            keyed("org_a", "POST /x", "l", "body", 1),
        ] {
            assert_ne!(one.name, other.name);
        }
        let body = keyed("org_a", "POST /x", "k", "other", 1);
        assert_eq!(one.name, body.name);
        assert_ne!(one.fingerprint, body.fingerprint);
    }

    #[test]
    fn the_fingerprint_depends_on_the_secret_of_the_stack() {
        let fingerprint = |secret| keyed("c", "r", "k", "body", secret).fingerprint;
        assert_ne!(fingerprint(1), fingerprint(2));
        assert_ne!(fingerprint(1).as_slice(), Sha256::digest("body").as_slice());
    }

    #[test]
    fn a_short_secret_is_refused_and_a_long_one_is_not_printed() {
        assert_eq!(FingerprintKey::new(&[0; 31]).err(), Some(WeakKey));
        let key = FingerprintKey::new(b"0123456789abcdef0123456789abcdef").expect("long enough");
        assert!(!format!("{key:?}").contains("0123"));
    }

    #[test]
    fn who_signs_up_is_one_caller_for_each_address_and_is_not_named() {
        let secret = FingerprintKey::new(b"0123456789abcdef0123456789abcdef").expect("long enough");
        let caller = |address: &str| {
            let address = Email::parse(address).expect("an address");
            secret.caller_at(&address).expect("a key")
        };
        let one = caller("owner@example.com");
        assert_eq!(one, caller(" Owner@EXAMPLE.com "));
        assert_ne!(one, caller("owner+a@example.com"));
        assert!(!one.contains("owner") && !one.contains('#'), "{one}");
        let address = Email::parse("owner@example.com").expect("an address");
        let counted = secret.log_ins_at(&address).expect("a key");
        assert!(!one.contains(&counted) && !counted.contains("owner"), "{counted}");
        let upper = Email::parse("Owner@Example.com").expect("an address");
        assert_eq!(secret.log_ins_at(&upper), Ok(counted));
        let other = FingerprintKey::new(&[0; 32]).expect("long enough");
        let address = Email::parse("owner@example.com").expect("an address");
        assert_ne!(Ok(one), other.caller_at(&address));
    }

    #[test]
    fn hexadecimal_is_read_back() {
        let bytes = [0x00, 0x09, 0x0a, 0x9f, 0xa0, 0xff];
        assert_eq!(hex(&bytes), "00090a9fa0ff");
        assert_eq!(unhex("00090a9fa0ff"), Some(bytes));
        for bad in
            ["", "00090a9fa0f", "00090a9fa0ff0", "00090A9fa0ff", "00090a9fa0fg", "0009é9fa0ff"]
        {
            assert_eq!(unhex::<6>(bad), None, "{bad}");
        }
        assert_eq!(WeakKey.to_string(), "the fingerprint key must have at least 32 bytes");
    }

    #[test]
    fn a_record_lives_a_day_in_whole_seconds_and_never_less() {
        let end = |time: &str| end_of_life(time.parse().expect("a time")).to_string();
        assert_eq!(end("2026-02-03T18:12:47Z"), "2026-02-04T18:12:47Z");
        assert_eq!(end("2026-02-03T18:12:47.000001Z"), "2026-02-04T18:12:48Z");
        assert_eq!(end_of_life(Timestamp::MAX), Timestamp::MAX);
    }
}
