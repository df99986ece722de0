//! Cursors: where the next page of a list begins, in a text that says nothing to its holder and that is
//! good for this list alone (LIFECYCLE, "Common").
//!
//! A cursor is not stored. It is signed with the secret of the stack, over whose list it is, by which
//! route and with which filters, so that it leads to nobody else's list and to no other.

use subtle::ConstantTimeEq;

use crate::fault::Rule;
use crate::idempotency::{FingerprintKey, WeakKey, hex, unhex};

const PREFIX: &str = "cursor_";
/// Keeps signatures of cursors apart from whatever else the same secret keys.
const DOMAIN: &[u8] = b"headcount cursor 1\0";
/// The longest position, in bytes. A sort key has at most 1,024
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>).
const MAX_POSITION: usize = 1_024;

/// One list: whose it is, and which.
#[derive(Debug, Clone, Copy)]
pub struct List<'l> {
    /// Whose: the id of the tenant.
    pub tenant: &'l str,
    /// By which route: `GET /billing/history`.
    pub route: &'l str,
    /// What it is filtered by: names and values, in an order that is always the same. How long a page is
    /// is no filter.
    pub filters: &'l [(&'l str, &'l str)],
}

impl List<'_> {
    /// The cursor that goes on behind `position`: `cursor_<position>_<signature>`.
    ///
    /// # Errors
    /// [`WeakKey`], which [`FingerprintKey::new`] has ruled out.
    pub fn cursor(&self, position: &str, secret: &FingerprintKey) -> Result<String, WeakKey> {
        let signature = self.sign(position.as_bytes(), secret)?;
        Ok(format!("{PREFIX}{}_{}", hex(position.as_bytes()), hex(&signature)))
    }

    /// The position of a cursor that was given out for this list.
    ///
    /// # Errors
    /// [`Rule::Cursor`], the same for everything that is not one.
    pub fn position(&self, cursor: &str, secret: &FingerprintKey) -> Result<String, Rule> {
        let (position, signature) = cursor
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split_once('_'))
            .ok_or(Rule::Cursor)?;
        let position = bytes(position).ok_or(Rule::Cursor)?;
        let signature: [u8; 32] = unhex(signature).ok_or(Rule::Cursor)?;
        let expected = self.sign(&position, secret).map_err(|_| Rule::Cursor)?;
        if !bool::from(signature.ct_eq(&expected)) {
            return Err(Rule::Cursor);
        }
        String::from_utf8(position).map_err(|_| Rule::Cursor)
    }

    /// Every part goes in with its length before it, so that nothing of one can pass for a part of the next.
    fn sign(&self, position: &[u8], secret: &FingerprintKey) -> Result<[u8; 32], WeakKey> {
        let filters = self.filters.iter().flat_map(|(name, value)| [*name, *value]);
        let parts = [self.tenant, self.route].into_iter().chain(filters).map(str::as_bytes);
        let mut signed = DOMAIN.to_vec();
        for part in std::iter::once(position).chain(parts) {
            signed.extend((part.len() as u64).to_be_bytes());
            signed.extend(part);
        }
        secret.fingerprint(&signed)
    }
}

/// Whether a text may be a cursor of some list, as far as its form tells.
pub fn is_of_form(text: &str) -> bool {
    let parts = text.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_'));
    parts.is_some_and(|(position, signature)| {
        bytes(position).is_some() && unhex::<32>(signature).is_some()
    })
}

/// Reads what [`hex`] writes of any number of bytes that a position may have.
fn bytes(text: &str) -> Option<Vec<u8>> {
    if text.len() > 2 * MAX_POSITION || !text.is_ascii() {
        return None;
    }
    let byte = |digits: &[u8]| {
        let [byte] = unhex(std::str::from_utf8(digits).ok()?)?;
        Some(byte)
    };
    text.as_bytes().chunks(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIST: List<'_> =
        List { tenant: "org_1", route: "GET /x", filters: &[("tag", "a"), ("tier", "basic")] };

    fn secret(byte: u8) -> FingerprintKey {
        FingerprintKey::new(&[byte; 32]).expect("long enough")
    }

    fn cursor() -> String {
        LIST.cursor("SEAT#1", &secret(1)).expect("a strong key")
    }

    #[test]
    fn it_goes_on_where_it_was_given_out() {
        assert_eq!(LIST.position(&cursor(), &secret(1)).as_deref(), Ok("SEAT#1"));
        assert!(!cursor().contains("SEAT"), "{}", cursor());
    }

    #[test]
    fn it_is_good_for_its_own_list_alone() {
        let lists = [
            List { tenant: "org_2", ..LIST },
            List { route: "GET /y", ..LIST },
            List { filters: &[], ..LIST },
            List { filters: &[("tag", "a")], ..LIST },
            List { filters: &[("tier", "basic"), ("tag", "a")], ..LIST },
            List { filters: &[("tag", "atier"), ("", "basic")], ..LIST },
            List { tenant: "org_1GET /x", route: "", ..LIST },
        ];
        for list in lists {
            assert_eq!(list.position(&cursor(), &secret(1)), Err(Rule::Cursor), "{list:?}");
        }
        assert_eq!(LIST.position(&cursor(), &secret(2)), Err(Rule::Cursor));
    }

    #[test]
    fn its_form_is_known() {
        assert!(is_of_form(&cursor()));
        for text in ["", "cursor_", "cursor__", "x", &cursor()[..60], &cursor()[1..]] {
            assert!(!is_of_form(text), "{text}");
        }
    }

    #[test]
    fn a_change_of_any_character_is_found() {
        let cursor = cursor();
        for place in 0..cursor.len() {
            for other in ["0", "1", "A", "_", ""] {
                let mut tampered = cursor.clone();
                tampered.replace_range(place..=place, other);
                if tampered != cursor {
                    let read = LIST.position(&tampered, &secret(1));
                    assert_eq!(read, Err(Rule::Cursor), "{tampered}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let text = format!("{PREFIX}{text}");
            prop_assert_eq!(LIST.position(&text, &secret(1)), Err(Rule::Cursor));
        }
    }
}
