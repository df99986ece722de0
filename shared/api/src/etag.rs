//! Entity tags in the headers that name them (RFC 9110, sections 8.8.3 and 13.1).

/// How tags are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    /// A weak tag is as good as a strong one.
    Weak,
    /// A weak tag is like none.
    Strong,
}

/// Whether a list of tags, or `*`, names `etag`, a strong one with its quotes. What is no tag names
/// nothing.
pub(crate) fn names(list: &[u8], etag: &[u8], comparison: Comparison) -> bool {
    if list.trim_ascii() == b"*" {
        return true;
    }
    let mut rest = list;
    loop {
        rest = rest.trim_ascii_start();
        let is_weak = rest.starts_with(b"W/");
        let opaque = if is_weak { &rest[2..] } else { rest };
        let length = opaque
            .strip_prefix(b"\"")
            .and_then(|inner| inner.iter().position(|byte| *byte == b'"'))
            .map_or(0, |inner| inner + 2);
        let (tag, behind) = opaque.split_at(length);
        let end = behind.iter().position(|byte| *byte == b',');
        let between = &behind[..end.unwrap_or(behind.len())];
        let is_one = length > 0 && between.trim_ascii().is_empty();
        if is_one && tag == etag && (comparison == Comparison::Weak || !is_weak) {
            return true;
        }
        let Some(end) = end else { return false };
        rest = &behind[end + 1..];
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_list_names_its_tags() {
        let named = |list: &str| {
            [Comparison::Weak, Comparison::Strong]
                .map(|comparison| names(list.as_bytes(), b"\"3\"", comparison))
        };
        for both in [
            "\"3\"",
            " \"3\" ",
            "*",
            " * ",
            "\"1\", \"3\"",
            "\"3\",\"1\"",
            ",,\"3\"",
            "x, \"3\"",
            "\"a,b\",\"3\"",
        ] {
            assert_eq!(named(both), [true, true], "{both}");
        }
        for weak in ["W/\"3\"", "W/\"1\" , W/\"3\""] {
            assert_eq!(named(weak), [true, false], "{weak}");
        }
        for none in [
            "",
            "3",
            "\"3",
            "3\"",
            "w/\"3\"",
            "\"33\"",
            "\"3\"x",
            "\"1\", *",
            "\"a,\"3\"\"",
            "W/3",
            "\"\"",
        ] {
            assert_eq!(named(none), [false, false], "{none}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(list in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = names(&list, b"\"3\"", Comparison::Weak);
        }

        #[test]
        fn a_tag_is_found_in_any_list_of_tags(before in "([!#-~]{0,5}\",\"){0,3}", after in "(,\"[!#-~]{0,5}\"){0,3}") {
            let before = before.strip_suffix('"').map_or(String::new(), |before| format!("\"{before}"));
            let list = format!("{before}\"3\"{after}");
            prop_assert!(names(list.as_bytes(), b"\"3\"", Comparison::Strong), "{list}");
        }
    }
}
