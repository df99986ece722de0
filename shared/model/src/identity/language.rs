//! Languages: tags of BCP 47 in their canonical form, by the registry.

use oxilangtag::LanguageTag;

use super::registry;
use crate::fault::Rule;

/// A language tag in its canonical form (RFC 5646, section 4.5): a registered language of two or three letters
/// and registered subtags, none of which another has taken the place of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Language(String);

impl Language {
    /// The longest tag, as sent. RFC 5646 sets no limit and asks for at least 35 (section 4.4.1).
    pub const MAX_LENGTH: usize = 64;

    /// Reads a tag, in any case.
    ///
    /// A subtag is known when the registry has it, and is replaced by what the registry prefers. A tag that
    /// names no language is refused: one for private use alone (`x-pirate`), and a grandfathered one that
    /// nothing has taken the place of (`i-default`).
    ///
    /// # Errors
    /// [`Rule::Language`].
    pub fn parse(raw: &str) -> Result<Self, Rule> {
        canonical(raw.trim()).map(Self).ok_or(Rule::Language)
    }

    /// The tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Language {
    fn default() -> Self {
        Self("en".to_owned())
    }
}

/// The extensions that are registered: those of Unicode's locales (RFC 6067) and of transformed content
/// (RFC 6497).
const EXTENSIONS: [char; 2] = ['t', 'u'];

fn canonical(raw: &str) -> Option<String> {
    if raw.len() > Language::MAX_LENGTH {
        return None;
    }
    let lower = raw.to_ascii_lowercase();
    if let Some(preferred) = successor(&registry::TAGS, &lower) {
        return Some(preferred.to_owned());
    }
    let tag = LanguageTag::parse(lower.as_str()).ok()?;

    let mut parts = vec![language(&tag)?.to_owned()];
    if let Some(script) = tag.script() {
        is_in(registry::SCRIPTS, script).then_some(())?;
        let (first, rest) = script.split_at_checked(1)?;
        parts.push(format!("{}{rest}", first.to_ascii_uppercase()));
    }
    if let Some(region) = tag.region() {
        let known = if region.len() == 2 {
            registry::REGIONS_OF_LETTERS
        } else {
            registry::REGIONS_OF_DIGITS
        };
        is_in(known, region).then_some(())?;
        let preferred = successor(&registry::REGION_SUCCESSORS, region).unwrap_or(region);
        parts.push(preferred.to_ascii_uppercase());
    }
    let first_variant = parts.len();
    for variant in tag.variant_subtags() {
        registry::VARIANTS.contains(&variant).then_some(())?;
        let preferred = successor(&registry::VARIANT_SUCCESSORS, variant).unwrap_or(variant);
        // The same one twice says nothing, and is not valid (section 2.2.5).
        (!parts[first_variant..].iter().any(|earlier| earlier == preferred)).then_some(())?;
        parts.push(preferred.to_owned());
    }
    let mut extensions: Vec<(char, &str)> = tag.extension_subtags().collect();
    extensions.sort_by_key(|&(singleton, _)| singleton);
    let is_once = extensions.windows(2).all(|pair| pair[0].0 != pair[1].0);
    let is_registered = extensions.iter().all(|(singleton, _)| EXTENSIONS.contains(singleton));
    (is_once && is_registered).then_some(())?;
    parts.extend(extensions.iter().map(|(singleton, subtags)| format!("{singleton}-{subtags}")));
    parts.extend(tag.private_use().map(str::to_owned));
    Some(parts.join("-"))
}

/// The language itself. An extended one stands for itself, without the one before it.
fn language<'t>(tag: &'t LanguageTag<&str>) -> Option<&'t str> {
    let primary = tag.primary_language();
    let known = match primary.len() {
        2 => registry::LANGUAGES_OF_TWO,
        3 => registry::LANGUAGES_OF_THREE,
        _ => return None,
    };
    is_in(known, primary).then_some(())?;
    let mut extended = tag.extended_language_subtags();
    match (extended.next(), extended.next()) {
        (None, _) => Some(successor(&registry::SUCCESSORS, primary).unwrap_or(primary)),
        (Some(extended), None) => {
            let of_primary = successor(&registry::EXTENDED_LANGUAGES, primary)?;
            is_in(of_primary, extended).then_some(extended)
        }
        // Two are reserved, and never were registered.
        (Some(_), Some(_)) => None,
    }
}

/// What stands beside `key` in a table.
fn successor(table: &[(&str, &'static str)], key: &str) -> Option<&'static str> {
    table.iter().find(|(old, _)| *old == key).map(|&(_, new)| new)
}

/// Whether `subtag` is one of the subtags of its length that stand, in order, in `packed`.
fn is_in(packed: &str, subtag: &str) -> bool {
    let packed = packed.as_bytes();
    let width = subtag.len();
    let (mut from, mut to) = (0, packed.len() / width.max(1));
    while from < to {
        let middle = from.midpoint(to);
        match packed[middle * width..(middle + 1) * width].cmp(subtag.as_bytes()) {
            std::cmp::Ordering::Less => from = middle + 1,
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Greater => to = middle,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kept(raw: &str) -> Option<String> {
        Language::parse(raw).ok().map(|language| language.0)
    }

    /// The 26 of the registry, with what it prefers.
    const GRANDFATHERED: [(&str, Option<&str>); 26] = [
        ("art-lojban", Some("jbo")),
        ("cel-gaulish", None),
        ("en-GB-oed", Some("en-GB-oxendict")),
        ("i-ami", Some("ami")),
        ("i-bnn", Some("bnn")),
        ("i-default", None),
        ("i-enochian", None),
        ("i-hak", Some("hak")),
        ("i-klingon", Some("tlh")),
        ("i-lux", Some("lb")),
        ("i-mingo", None),
        ("i-navajo", Some("nv")),
        ("i-pwn", Some("pwn")),
        ("i-tao", Some("tao")),
        ("i-tay", Some("tay")),
        ("i-tsu", Some("tsu")),
        ("no-bok", Some("nb")),
        ("no-nyn", Some("nn")),
        ("sgn-BE-FR", Some("sfb")),
        ("sgn-BE-NL", Some("vgt")),
        ("sgn-CH-DE", Some("sgg")),
        ("zh-guoyu", Some("cmn")),
        ("zh-hakka", Some("hak")),
        ("zh-min", None),
        ("zh-min-nan", Some("nan")),
        ("zh-xiang", Some("hsn")),
    ];

    #[test]
    fn every_grandfathered_tag_is_what_took_its_place() {
        for (tag, preferred) in GRANDFATHERED {
            for raw in [tag.to_owned(), tag.to_uppercase(), tag.to_lowercase()] {
                assert_eq!(kept(&raw).as_deref(), preferred, "{raw}");
            }
        }
    }

    #[test]
    fn tags_are_kept_in_their_canonical_form() {
        for (raw, canonical) in [
            ("en", "en"),
            ("PT-br", "pt-BR"),
            ("zh-hant-tw", "zh-Hant-TW"),
            ("es-419", "es-419"),
            ("iw", "he"),
            ("iw-IL", "he-IL"),
            ("in", "id"),
            ("ji", "yi"),
            ("mo", "ro"),
            ("zh-yue", "yue"),
            ("zh-cmn-Hans-CN", "cmn-Hans-CN"),
            ("ar-arb", "arb"),
            ("sgn-US", "ase"),
            ("sgn-ase", "ase"),
            // Registered, and nothing is preferred to them; by Unicode's aliases they would be others.
            ("sh", "sh"),
            ("tl", "tl"),
            ("no", "no"),
            ("de-DD", "de-DE"),
            ("my-BU", "my-MM"),
            ("sr-YU", "sr-YU"),
            ("ja-Latn-hepburn-heploc", "ja-Latn-hepburn-alalc97"),
            ("sl-rozaj-biske", "sl-rozaj-biske"),
            ("de-CH-1996", "de-CH-1996"),
            ("en-u-hc-h12-T-jp", "en-t-jp-u-hc-h12"),
            ("en-X-Private-t", "en-x-private-t"),
            ("qaa-Qaaa-QM-x-own", "qaa-Qaaa-QM-x-own"),
            ("und", "und"),
        ] {
            assert_eq!(kept(raw).as_deref(), Some(canonical), "{raw}");
        }
    }

    #[test]
    fn what_names_no_registered_language_is_refused() {
        for bad in [
            "",
            "e",
            "english",
            "latn",
            "english_us",
            "en_US",
            "en--US",
            "12",
            "x-pirate",
            "x-private",
            "i-unknown",
            "xx",
            "aaj",
            "de-yue",
            "zh-yue-cmn",
            "zh-cmn-yue",
            "en-Abcd",
            "en-AB",
            "en-999",
            "en-unheard",
            "de-1996-1996",
            "ja-Latn-heploc-alalc97",
            "en-u-hc-h12-u-nu-latn",
            "en-a-bbb",
            "deutsch-DE",
            "de\u{200B}",
            "ｄｅ",
        ] {
            assert_eq!(kept(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_tag_may_have_64_characters() {
        let tag = format!("en-x-{}-aaaaa", ["aaaaaaaa"; 6].join("-"));
        assert_eq!(tag.len(), Language::MAX_LENGTH);
        assert!(kept(&tag).is_some());
        assert_eq!(kept(&(tag + "a")), None);
    }

    #[test]
    fn the_tables_are_whole_and_in_order() {
        let count = |packed: &str, width: usize| {
            assert_eq!(packed.len() % width, 0);
            let subtags: Vec<_> = packed.as_bytes().chunks(width).collect();
            assert!(subtags.is_sorted_by(|one, next| one < next));
            subtags.len()
        };
        // Of the registry of 2026-09-17, ranges for private use counted out.
        assert_eq!(count(registry::LANGUAGES_OF_TWO, 2), 190);
        assert_eq!(count(registry::LANGUAGES_OF_THREE, 3), 8_085 + 520);
        assert_eq!(count(registry::SCRIPTS, 4), 224 + 50);
        let regions = [(registry::REGIONS_OF_LETTERS, 2), (registry::REGIONS_OF_DIGITS, 3)];
        let regions: usize = regions.into_iter().map(|(packed, width)| count(packed, width)).sum();
        assert_eq!(regions, 303 + 14 + 26);
        let extended: usize =
            registry::EXTENDED_LANGUAGES.iter().map(|(_, packed)| count(packed, 3)).sum();
        assert_eq!((extended, registry::VARIANTS.len()), (258, 139));
    }

    #[test]
    fn what_is_preferred_is_canonical() {
        let tables: [&[(&str, &str)]; 2] = [&registry::TAGS, &registry::SUCCESSORS];
        for (old, new) in tables.into_iter().flatten() {
            assert_eq!(kept(old).as_deref(), Some(*new));
            assert_eq!(kept(new).as_deref(), Some(*new));
        }
    }

    proptest! {
        #[test]
        fn reading_is_idempotent(raw in "[a-zA-Z]{2,3}(-[a-zA-Z0-9]{1,8}){0,4}") {
            if let Some(once) = kept(&raw) {
                prop_assert_eq!(kept(&once), Some(once.clone()), "{}", raw);
            }
        }

        #[test]
        fn no_text_makes_it_panic(raw in any::<String>()) {
            let _ = kept(&raw);
        }
    }
}
