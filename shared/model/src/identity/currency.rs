//! Currencies that an account's amounts can be shown in: those of ISO 4217 that are in use.
//!
//! The lists are one (in use) and three (withdrawn) as the standard's maintenance agency published them on
//! 2026-01-01 (docs/adr/0017-currencies-zones-and-languages.md says how they came here, and how newer ones do).

use crate::fault::Rule;

/// A code of ISO 4217, list one, that is of money: it has a minor unit, if of no digits, and is not marked as
/// one of funds.
const IN_USE: [&str; 157] = [
    "AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BHD",
    "BIF", "BMD", "BND", "BOB", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHF",
    "CLP", "CNY", "COP", "CRC", "CUP", "CVE", "CZK", "DJF", "DKK", "DOP", "DZD", "EGP", "ERN",
    "ETB", "EUR", "FJD", "FKP", "GBP", "GEL", "GHS", "GIP", "GMD", "GNF", "GTQ", "GYD", "HKD",
    "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "IQD", "IRR", "ISK", "JMD", "JOD", "JPY", "KES",
    "KGS", "KHR", "KMF", "KPW", "KRW", "KWD", "KYD", "KZT", "LAK", "LBP", "LKR", "LRD", "LSL",
    "LYD", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRU", "MUR", "MVR", "MWK", "MXN",
    "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "OMR", "PAB", "PEN", "PGK", "PHP",
    "PKR", "PLN", "PYG", "QAR", "RON", "RSD", "RUB", "RWF", "SAR", "SBD", "SCR", "SDG", "SEK",
    "SGD", "SHP", "SLE", "SOS", "SRD", "SSP", "STN", "SVC", "SYP", "SZL", "THB", "TJS", "TMT",
    "TND", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH", "UGX", "USD", "UYU", "UYW", "UZS", "VED",
    "VES", "VND", "VUV", "WST", "XAD", "XAF", "XCD", "XCG", "XOF", "XPF", "YER", "ZAR", "ZMW",
    "ZWG",
];

/// Codes of list three that list one has no longer, with those of what is paid with there since. Three units of
/// account have none.
const WITHDRAWN: [(&str, &[&str]); 129] = [
    ("ADP", &["EUR"]),
    ("AFA", &["AFN"]),
    ("ALK", &["ALL"]),
    ("ANG", &["XCG"]),
    ("AOK", &["AOA"]),
    ("AON", &["AOA"]),
    ("AOR", &["AOA"]),
    ("ARA", &["ARS"]),
    ("ARP", &["ARS"]),
    ("ARY", &["ARS"]),
    ("ATS", &["EUR"]),
    ("AYM", &["AZN"]),
    ("AZM", &["AZN"]),
    ("BAD", &["BAM"]),
    ("BEC", &["EUR"]),
    ("BEF", &["EUR"]),
    ("BEL", &["EUR"]),
    ("BGJ", &["EUR"]),
    ("BGK", &["EUR"]),
    ("BGL", &["EUR"]),
    ("BGN", &["EUR"]),
    ("BOP", &["BOB"]),
    ("BRB", &["BRL"]),
    ("BRC", &["BRL"]),
    ("BRE", &["BRL"]),
    ("BRN", &["BRL"]),
    ("BRR", &["BRL"]),
    ("BUK", &["MMK"]),
    ("BYB", &["BYN"]),
    ("BYR", &["BYN"]),
    ("CHC", &["CHF"]),
    ("CSD", &["RSD"]),
    ("CSJ", &["CZK", "EUR"]),
    ("CSK", &["CZK", "EUR"]),
    ("CUC", &["CUP"]),
    ("CYP", &["EUR"]),
    ("DDM", &["EUR"]),
    ("DEM", &["EUR"]),
    ("ECS", &["USD"]),
    ("ECV", &["USD"]),
    ("EEK", &["EUR"]),
    ("ESA", &["EUR"]),
    ("ESB", &["EUR"]),
    ("ESP", &["EUR"]),
    ("FIM", &["EUR"]),
    ("FRF", &["EUR"]),
    ("GEK", &["GEL"]),
    ("GHC", &["GHS"]),
    ("GHP", &["GHS"]),
    ("GNE", &["GNF"]),
    ("GNS", &["GNF"]),
    ("GQE", &["XAF"]),
    ("GRD", &["EUR"]),
    ("GWE", &["XOF"]),
    ("GWP", &["XOF"]),
    ("HRD", &["EUR"]),
    ("HRK", &["EUR"]),
    ("IEP", &["EUR"]),
    ("ILP", &["ILS"]),
    ("ILR", &["ILS"]),
    ("ISJ", &["ISK"]),
    ("ITL", &["EUR"]),
    ("LAJ", &["LAK"]),
    ("LSM", &["LSL"]),
    ("LTL", &["EUR"]),
    ("LTT", &["EUR"]),
    ("LUC", &["EUR"]),
    ("LUF", &["EUR"]),
    ("LUL", &["EUR"]),
    ("LVL", &["EUR"]),
    ("LVR", &["EUR"]),
    ("MGF", &["MGA"]),
    ("MLF", &["XOF"]),
    ("MRO", &["MRU"]),
    ("MTL", &["EUR"]),
    ("MTP", &["EUR"]),
    ("MVQ", &["MVR"]),
    ("MXP", &["MXN"]),
    ("MZE", &["MZN"]),
    ("MZM", &["MZN"]),
    ("NIC", &["NIO"]),
    ("NLG", &["EUR"]),
    ("PEH", &["PEN"]),
    ("PEI", &["PEN"]),
    ("PES", &["PEN"]),
    ("PLZ", &["PLN"]),
    ("PTE", &["EUR"]),
    ("RHD", &["ZWG"]),
    ("ROK", &["RON"]),
    ("ROL", &["RON"]),
    ("RUR", &["RUB"]),
    ("SDD", &["SDG"]),
    ("SDP", &["SDG"]),
    ("SIT", &["EUR"]),
    ("SKK", &["EUR"]),
    ("SLL", &["SLE"]),
    ("SRG", &["SRD"]),
    ("STD", &["STN"]),
    ("SUR", &["RUB"]),
    ("TJR", &["TJS"]),
    ("TMM", &["TMT"]),
    ("TPE", &["USD"]),
    ("TRL", &["TRY"]),
    ("UAK", &["UAH"]),
    ("UGS", &["UGX"]),
    ("UGW", &["UGX"]),
    ("USS", &["USD"]),
    ("UYN", &["UYU"]),
    ("UYP", &["UYU"]),
    ("VEB", &["VES"]),
    ("VEF", &["VES"]),
    ("VNC", &["VND"]),
    ("XEU", &["EUR"]),
    ("XFO", &[]),
    ("XFU", &[]),
    ("XRE", &[]),
    ("YDD", &["YER"]),
    ("YUD", &["RSD"]),
    ("YUM", &["RSD"]),
    ("YUN", &["RSD"]),
    ("ZAL", &["ZAR"]),
    ("ZMK", &["ZMW"]),
    ("ZRN", &["CDF"]),
    ("ZRZ", &["CDF"]),
    ("ZWC", &["ZWG"]),
    ("ZWD", &["ZWG"]),
    ("ZWL", &["ZWG"]),
    ("ZWN", &["ZWG"]),
    ("ZWR", &["ZWG"]),
];

/// An ISO 4217 alphabetic currency code, upper case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Currency(&'static str);

impl Currency {
    /// Reads a code.
    ///
    /// # Errors
    /// [`Rule::WithdrawnCurrency`] or [`Rule::Currency`].
    pub fn parse(raw: &str) -> Result<Self, Rule> {
        let raw = raw.trim();
        if let Some(code) = IN_USE.into_iter().find(|&code| code == raw) {
            return Ok(Self(code));
        }
        match WITHDRAWN.into_iter().find(|&(code, _)| code == raw) {
            Some((code, successors)) => Err(Rule::WithdrawnCurrency { code, successors }),
            None => Err(Rule::Currency),
        }
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        self.0
    }
}

impl Default for Currency {
    fn default() -> Self {
        Self("USD")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// The lists as published, a code a line.
    const PUBLISHED: &str = include_str!("iso_4217.csv");

    /// What each published code must come to.
    fn published() -> BTreeMap<&'static str, Published> {
        let codes = PUBLISHED.lines().filter(|line| !line.starts_with('#')).map(|line| {
            let columns: Vec<&str> = line.splitn(6, ',').collect();
            let [list, code, minor_unit, fund, ..] = columns[..] else { panic!("{line}") };
            let meaning = match (list, minor_unit, fund) {
                ("three", ..) => Published::Withdrawn,
                ("one", "N.A.", _) | ("one", _, "fund") => Published::NoMoney,
                ("one", _, "") => Published::Money,
                _ => panic!("{line}"),
            };
            (code, meaning)
        });
        codes.collect()
    }

    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    enum Published {
        Money,
        /// Funds, metals, units of account, tests, no currency at all.
        NoMoney,
        Withdrawn,
    }

    #[test]
    fn every_code_of_three_letters_is_read_as_the_lists_have_it() {
        let published = published();
        let count = |of| published.values().filter(|&&meaning| meaning == of).count();
        let counts = [Published::Money, Published::NoMoney, Published::Withdrawn].map(count);
        assert_eq!(counts, [157, 21, 129]);
        let letters = || 'A'..='Z';
        for (a, b, c) in
            letters().flat_map(|a| letters().flat_map(move |b| letters().map(move |c| (a, b, c))))
        {
            let code = format!("{a}{b}{c}");
            let read = Currency::parse(&code);
            match published.get(code.as_str()) {
                Some(Published::Money) => {
                    assert_eq!(read.as_ref().map(Currency::as_str), Ok(code.as_str()));
                }
                Some(Published::Withdrawn) => assert!(
                    matches!(&read, Err(Rule::WithdrawnCurrency { code: told, .. }) if *told == code),
                    "{code}: {read:?}"
                ),
                Some(Published::NoMoney) | None => assert_eq!(read, Err(Rule::Currency), "{code}"),
            }
        }
    }

    #[test]
    fn successors_are_in_use() {
        for (code, successors) in WITHDRAWN {
            assert!(successors.iter().all(|code| IN_USE.contains(code)), "{code}");
            let has_none = matches!(code, "XFO" | "XFU" | "XRE");
            assert_eq!(successors.is_empty(), has_none, "{code}");
        }
    }

    #[test]
    fn changes_of_recent_years() {
        let withdrawn = |code: &str| match Currency::parse(code) {
            Err(Rule::WithdrawnCurrency { successors, .. }) => successors,
            other => panic!("{code}: {other:?}"),
        };
        for (old, new) in [
            // Croatia, 2023-01-01, and Bulgaria, 2026-01-01.
            ("HRK", "EUR"),
            ("BGN", "EUR"),
            // Curaçao and Sint Maarten, 2025-03-31.
            ("ANG", "XCG"),
            ("CUC", "CUP"),
            ("SLL", "SLE"),
            ("ZWL", "ZWG"),
        ] {
            assert_eq!(withdrawn(old), [new], "{old}");
            assert!(Currency::parse(new).is_ok(), "{new}");
        }
        assert_eq!(withdrawn("CSK"), ["CZK", "EUR"]);
        for code in ["XTS", "XXX", "USN", "CHE", "CHW", "CLF", "XDR", "XAU", "XBA", "XSU"] {
            assert_eq!(Currency::parse(code), Err(Rule::Currency), "{code}");
        }
    }
}
