//! E-mail addresses (CONTRACT section 3, "Email").

use unicode_normalization::UnicodeNormalization;

use crate::fault::Rule;
use crate::text::is_forbidden;

/// One address, as typed and as it is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    typed: String,
    ascii: String,
    local_length: usize,
}

impl Email {
    /// The longest address in its ASCII form (RFC 5321, section 4.5.3.1.3, less the brackets).
    pub const MAX_LENGTH: usize = 254;
    /// The longest local part (RFC 5321, section 4.5.3.1.1).
    const MAX_LOCAL: usize = 64;

    /// Reads an address: a dot-atom local part, `@`, and a domain of two or more labels, which
    /// may be internationalized.
    ///
    /// # Errors
    /// [`Rule::MaxLength`] or [`Rule::Email`].
    pub fn parse(raw: &str) -> Result<Self, Rule> {
        let typed: String = raw.trim().nfc().collect();
        // Long before it is parsed: IDNA processing of an endless label is not for free.
        if typed.chars().count() > Self::MAX_LENGTH {
            return Err(Rule::MaxLength(Self::MAX_LENGTH));
        }
        // IDNA passes over some characters that are not seen; an address shown as typed must
        // not hold them.
        if typed.chars().any(is_forbidden) {
            return Err(Rule::Email);
        }
        let (local, domain) = typed.split_once('@').ok_or(Rule::Email)?;
        if !is_dot_atom(local) || local.len() > Self::MAX_LOCAL {
            return Err(Rule::Email);
        }
        let domain = ascii_domain(domain).ok_or(Rule::Email)?;
        let ascii = format!("{local}@{domain}");
        if ascii.len() > Self::MAX_LENGTH {
            return Err(Rule::MaxLength(Self::MAX_LENGTH));
        }
        let local_length = local.len();
        Ok(Self { typed, ascii, local_length })
    }

    /// The address as typed, trimmed and in NFC.
    pub fn as_typed(&self) -> &str {
        &self.typed
    }

    /// The address with its domain as A-labels, for sending mail.
    pub fn as_ascii(&self) -> &str {
        &self.ascii
    }

    /// What must be unique: the whole address in lower case. `+tag` and dots stay.
    pub fn unique_form(&self) -> String {
        self.ascii.to_ascii_lowercase()
    }

    /// The part before the `@`.
    pub fn local_part(&self) -> &str {
        &self.ascii[..self.local_length]
    }
}

/// RFC 5322, section 3.2.3.
fn is_dot_atom(text: &str) -> bool {
    text.split('.').all(|atom| {
        !atom.is_empty()
            && atom
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b))
    })
}

/// The domain as A-labels; `None` when it is not the name of a host that can receive mail
/// from anywhere.
fn ascii_domain(domain: &str) -> Option<String> {
    // A trailing dot is legal in DNS and not in an address.
    if domain.ends_with(['.', '。', '．', '｡']) {
        return None;
    }
    let ascii = idna::domain_to_ascii_strict(domain).ok()?;
    let top = ascii.rsplit('.').next()?;
    // A single label has no place on the internet, and a numeric last label makes the whole
    // an IPv4 address.
    let is_public = ascii.contains('.') && !top.bytes().all(|b| b.is_ascii_digit());
    is_public.then_some(ascii)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn accepted_addresses() {
        for (raw, unique) in [
            ("owner@example.com", "owner@example.com"),
            ("  Owner@Example.COM ", "owner@example.com"),
            ("a.b+tag@example.com", "a.b+tag@example.com"),
            ("o'neil@example.co.uk", "o'neil@example.co.uk"),
            ("x@bücher.example", "x@xn--bcher-kva.example"),
            ("x@BÜCHER.example", "x@xn--bcher-kva.example"),
            ("x@xn--bcher-kva.example", "x@xn--bcher-kva.example"),
        ] {
            let email = Email::parse(raw).expect(raw);
            assert_eq!(email.unique_form(), unique);
            assert_eq!(email.as_typed(), raw.trim());
        }
    }

    #[test]
    fn refused_addresses() {
        for bad in [
            "",
            "plain",
            "@example.com",
            "a@",
            "a@b@example.com",
            "a@localhost",
            "a@example",
            "a@example.com.",
            "a@.example.com",
            "a@example..com",
            "a@-example.com",
            "a@127.0.0.1",
            "a@[127.0.0.1]",
            "a..b@example.com",
            ".a@example.com",
            "a.@example.com",
            "a b@example.com",
            "\"a b\"@example.com",
            "Owner <owner@example.com>",
            "a@example.com,b@example.com",
            "a\0@example.com",
            "a@exa mple.com",
            "a@exam_ple.com",
            "ünder@example.com",
            "раypal@example.com",
            "a\u{200B}@example.com",
            "a@example\u{202E}.com",
            "a@exam\u{200B}ple.com",
        ] {
            assert_eq!(Email::parse(bad), Err(Rule::Email), "{bad:?}");
        }
        let local = "a".repeat(65);
        assert_eq!(Email::parse(&format!("{local}@example.com")), Err(Rule::Email));
    }

    #[test]
    fn the_longest_address_has_254_characters() {
        let label = "a".repeat(61);
        let fits = format!("{}@{label}.{label}.{label}.ab", "l".repeat(64 - 1 - 2 + 4 - 2));
        let address = |n: usize| format!("{}@{label}.{label}.{label}.abc", "l".repeat(n));
        let domain = label.len() * 3 + 6;
        assert!(Email::parse(&fits).is_ok());
        assert!(Email::parse(&address(254 - 1 - domain)).is_ok());
        assert_eq!(Email::parse(&address(255 - 1 - domain)), Err(Rule::MaxLength(254)));
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_the_unique_form_is_stable(raw in any::<String>()) {
            if let Ok(email) = Email::parse(&raw) {
                let unique = email.unique_form();
                prop_assert_eq!(Email::parse(&unique).map(|again| again.unique_form()), Ok(unique));
            }
        }
    }

    #[test]
    fn the_parts_are_those_of_the_ascii_form() {
        let email = Email::parse(" O.Wner+x@bu\u{308}cher.example ").expect("an address");
        assert_eq!(email.as_typed(), "O.Wner+x@bücher.example");
        assert_eq!(email.as_ascii(), "O.Wner+x@xn--bcher-kva.example");
        assert_eq!(email.local_part(), "O.Wner+x");
        assert_eq!(Email::parse(&"@".repeat(255)), Err(Rule::MaxLength(254)));
        let longest = format!("{}@example.com", "l".repeat(64));
        assert!(Email::parse(&longest).is_ok());
    }
}
