#!/bin/sh
# "Canonical" language tags are two things that disagree. RFC 5646's canonical form takes the preferred value of IANA's
# registry, so `zh-cmn-Hans` is `cmn-Hans`. CLDR's, which icu_locale and Intl have, goes the other way, so `cmn-Hans` is
# `zh-Hans`; it also turns tl into fil, prs into fa-AF, and regions that the registry keeps (sr-YU). And icu_locale does not
# parse every valid tag: extended language subtags and some grandfathered tags are outside of Unicode's grammar. A
# language that one component made canonical is rewritten, or refused, by the next, so compare tags after one of them.
#
# Sources: RFC 5646, 2.2.2, 2.2.8 and 4.5; Unicode Technical Standard 35, part 1, 3.1 and 3.2.1 "Canonical Unicode Locale
# Identifiers". The third crate, oxilangtag, offers `parse_and_normalize`, which changes upper and lower case alone.
#
# Seen on 2026-11-29, language-tags 0.3.2 (RFC 5646), icu_locale 2.4.0 (CLDR), oxilangtag 0.1.6:
#   tag            RFC 5646        CLDR     normalized
#   zh-cmn-hans    cmn-Hans        refused  zh-cmn-Hans
#   cmn-hans       cmn-Hans        zh-Hans  cmn-Hans
#   en-gb-oed      en-GB-oxendict  refused  en-GB-oed
#   tl             tl              fil      tl
#   prs            prs             fa-AF    prs
#   sr-yu          sr-YU           sr-RS    sr-YU
#   iw             he              he       iw
#
# Needs cargo. Fails when the crates behave otherwise.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "tags"
edition = "2024"

[workspace]

[dependencies]
icu_locale = "=2.4.0"
language-tags = "=0.3.2"
oxilangtag = "=0.1.6"
TOML
cat > src/main.rs <<'RUST'
use icu_locale::{Locale, LocaleCanonicalizer};

/// The canonical form of RFC 5646, by IANA's registry.
fn rfc(tag: &str) -> Option<String> {
    let tag = language_tags::LanguageTag::parse(tag).ok()?;
    tag.validate().ok()?;
    Some(tag.canonicalize().ok()?.to_string())
}

/// The canonical form of CLDR.
fn cldr(tag: &str) -> Option<String> {
    let mut locale: Locale = tag.parse().ok()?;
    LocaleCanonicalizer::new_extended().canonicalize(&mut locale);
    Some(locale.to_string())
}

fn normalized(tag: &str) -> Option<String> {
    Some(oxilangtag::LanguageTag::parse_and_normalize(tag).ok()?.to_string())
}

fn main() {
    for tag in ["zh-cmn-hans", "cmn-hans", "en-gb-oed", "tl", "prs", "sr-yu", "iw"] {
        let [rfc, cldr, normalized] =
            [rfc(tag), cldr(tag), normalized(tag)].map(|form| form.unwrap_or_else(|| "refused".to_owned()));
        println!("{tag:<14} {rfc:<15} {cldr:<8} {normalized}");
    }
}
RUST
seen=$(cargo run --quiet)
echo "$seen"
test "$seen" = "zh-cmn-hans    cmn-Hans        refused  zh-cmn-Hans
cmn-hans       cmn-Hans        zh-Hans  cmn-Hans
en-gb-oed      en-GB-oxendict  refused  en-GB-oed
tl             tl              fil      tl
prs            prs             fa-AF    prs
sr-yu          sr-YU           sr-RS    sr-YU
iw             he              he       iw"
