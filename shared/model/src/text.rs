//! Text as all three APIs take it (CONTRACT, "Text fields").

use std::fmt;
use std::ops::RangeInclusive;

use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;
use unicode_normalization::UnicodeNormalization;

use crate::fault::Rule;

/// Text that is NFC-normalised, trimmed, of an allowed length, and free of characters that
/// control a terminal, hide, or reorder what is around them. Text that shows nothing is no longer
/// than none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text(String);

impl Text {
    /// One line of text whose length lies in `length`, in Unicode scalar values after trimming.
    ///
    /// # Errors
    /// [`Rule::ForbiddenCharacter`], [`Rule::MinLength`] or [`Rule::MaxLength`].
    pub fn line(raw: &str, length: RangeInclusive<usize>) -> Result<Self, Rule> {
        Self::parse(raw, length, |_| false)
    }

    /// Like [`Text::line`], with newlines and tabs allowed. The line ends of forms and of Windows, CR LF,
    /// are kept as LF, and count as one character.
    ///
    /// # Errors
    /// As [`Text::line`].
    pub fn lines(raw: &str, length: RangeInclusive<usize>) -> Result<Self, Rule> {
        Self::parse(&raw.replace("\r\n", "\n"), length, |c| matches!(c, '\n' | '\t'))
    }

    fn parse(
        raw: &str,
        length: RangeInclusive<usize>,
        allowed: impl Fn(char) -> bool,
    ) -> Result<Self, Rule> {
        let text: String = raw.trim().nfc().collect();
        if let Some(bad) = text.chars().find(|&c| is_forbidden(c) && !allowed(c)) {
            return Err(Rule::ForbiddenCharacter(bad));
        }
        check_length(if shows_nothing(&text) { "" } else { &text }, length)?;
        Ok(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Checks a length in Unicode scalar values.
pub(crate) fn check_length(text: &str, length: RangeInclusive<usize>) -> Result<(), Rule> {
    let count = text.chars().count();
    if count < *length.start() {
        Err(Rule::MinLength(*length.start()))
    } else if count > *length.end() {
        Err(Rule::MaxLength(*length.end()))
    } else {
        Ok(())
    }
}

/// Whether nobody would see this text: it is empty, or of white space and characters that show as nothing
/// when they stand alone. Characters that no text may hold do not count as such, so that they are told.
pub(crate) fn shows_nothing(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || (is_invisible(c) && !is_forbidden(c)))
}

/// Characters that show as nothing unless something visible is beside them.
fn is_invisible(c: char) -> bool {
    // Joiners, soft hyphen, direction marks, variation selectors, the fillers of Hangul and so on: Unicode's
    // Default_Ignorable_Code_Point, as the crate carries it.
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
        // Those with a blank glyph, which Unicode does not count among them: braille without a dot, a note
        // without a head, the filler of Khitan.
        || matches!(c, '\u{2800}' | '\u{1D159}' | '\u{16FE4}')
        // Anchors of annotations, and what puts hieroglyphs together.
        || matches!(c, '\u{FFF9}'..='\u{FFFB}' | '\u{13430}'..='\u{1343F}')
}

/// Characters that no text field may hold. U+200C and U+200D (the zero-width joiners) are
/// not among them: Persian, Indic scripts and emoji cannot be written without them.
pub(crate) fn is_forbidden(c: char) -> bool {
    let code = u32::from(c);
    c.is_control()
        // Bidirectional marks that override, embed or isolate: text that reads as another text.
        || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
        // Zero-width space, word joiner, byte order mark: two names that look like one.
        || matches!(c, '\u{200B}' | '\u{2060}' | '\u{FEFF}')
        // Line and paragraph separators.
        || matches!(c, '\u{2028}' | '\u{2029}')
        // Tag characters, which render as nothing.
        || matches!(c, '\u{E0000}'..='\u{E007F}')
        // Non-characters: U+FDD0..U+FDEF and the last two of every plane.
        || matches!(c, '\u{FDD0}'..='\u{FDEF}')
        || code & 0xFFFE == 0xFFFE
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn joiners_stay_and_deceivers_are_refused() {
        assert!(Text::line("می\u{200C}خواهم 👩\u{200D}🚀", 1..=64).is_ok());
        for bad in [
            '\0',
            '\n',
            '\t',
            '\u{7f}',
            '\u{85}',
            '\u{200B}',
            '\u{202A}',
            '\u{202E}',
            '\u{2028}',
            '\u{2029}',
            '\u{2060}',
            '\u{2066}',
            '\u{2069}',
            '\u{FDD0}',
            '\u{FEFF}',
            '\u{FFFE}',
            '\u{FFFF}',
            '\u{1FFFE}',
            '\u{E0001}',
            '\u{E007F}',
            '\u{10FFFF}',
        ] {
            let raw = format!("a{bad}b");
            assert_eq!(Text::line(&raw, 1..=64), Err(Rule::ForbiddenCharacter(bad)), "{bad:?}");
        }
    }

    #[test]
    fn text_that_shows_nothing_is_empty() {
        for nothing in [
            "\u{3164}",
            "\u{115F}\u{1160}",
            "\u{FFA0}",
            "\u{2800}\u{2800}",
            "\u{200C}",
            "\u{200D}",
            "\u{AD}",
            "\u{34F}",
            "\u{61C}",
            "\u{17B4}",
            "\u{180E}",
            "\u{200E}\u{200F}",
            "\u{2061}",
            "\u{FE0F}",
            "\u{FFF9}\u{FFFB}",
            "\u{13430}",
            "\u{16FE4}",
            "\u{1D159}",
            "\u{1D173}",
            "\u{E0100}",
            "\u{3164} \u{200D}\u{2003}\u{2800}",
        ] {
            assert_eq!(Text::line(nothing, 1..=64), Err(Rule::MinLength(1)), "{nothing:?}");
            assert!(Text::line(nothing, 0..=64).is_ok(), "{nothing:?}");
            let seen = format!("{nothing}a");
            assert!(Text::line(&seen, 1..=64).is_ok(), "{seen:?}");
        }
        for name in [
            "می\u{200C}خواهم",
            "क्\u{200D}ष",
            "👩\u{200D}🚀",
            "❤\u{FE0F}",
            "1\u{FE0F}\u{20E3}",
            "⠓",
            "한글",
        ] {
            assert_eq!(Text::line(name, 1..=64).as_ref().map(Text::as_str), Ok(name));
        }
        // One that must not be there is told as such.
        assert_eq!(Text::line("\u{200B}", 1..=64), Err(Rule::ForbiddenCharacter('\u{200B}')));
        assert!(!shows_nothing("\u{200B}") && shows_nothing("") && shows_nothing("\u{3164}\n"));
    }

    #[test]
    fn newline_and_tab_are_allowed_in_lines_only() {
        assert!(Text::lines("a\n\tb", 0..=10).is_ok());
        for bad in ["a\rb", "a\n\rb", "a\r\r\nb"] {
            assert_eq!(Text::lines(bad, 0..=10), Err(Rule::ForbiddenCharacter('\r')), "{bad:?}");
        }
    }

    #[test]
    fn a_line_end_of_a_form_is_kept_as_a_newline() {
        let kept = Text::lines("a\r\n\r\nb\nc\r\n", 1..=6);
        assert_eq!(kept.as_ref().map(Text::as_str), Ok("a\n\nb\nc"));
        assert_eq!(Text::line("a\r\nb", 1..=6), Err(Rule::ForbiddenCharacter('\r')));
    }

    #[test]
    fn length_counts_scalar_values_after_trimming_and_composing() {
        // "e" and a combining acute accent compose to one scalar value.
        assert_eq!(Text::line("  e\u{301}  ", 1..=1).as_ref().map(Text::as_str), Ok("é"));
        assert_eq!(Text::line("   ", 1..=5), Err(Rule::MinLength(1)));
        assert_eq!(Text::line("abcdef", 1..=5), Err(Rule::MaxLength(5)));
        assert!(Text::line("😀😀😀😀😀", 1..=5).is_ok());
    }

    proptest! {
        #[test]
        fn parsing_is_idempotent(raw in "\\PC{0,40}") {
            if let Ok(once) = Text::line(&raw, 0..=64) {
                prop_assert_eq!(Text::line(once.as_str(), 0..=64), Ok(once.clone()));
            }
        }

        #[test]
        fn what_is_accepted_holds_nothing_forbidden(raw in any::<String>()) {
            if let Ok(text) = Text::lines(&raw, 0..=1_000) {
                prop_assert!(text.as_str().chars().all(|c| !is_forbidden(c) || c == '\n' || c == '\t'));
            }
        }
    }
}
