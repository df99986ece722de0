//! Forms as a public API has to read them: as unambiguous as JSON.

use std::collections::btree_map::Entry;

use percent_encoding::percent_decode;

use crate::json::{Json, Object};

/// The most fields of one form, those that the API does not know included.
const MAX_FIELDS: usize = 1_000;

/// Reads a form (`application/x-www-form-urlencoded`,
/// <https://url.spec.whatwg.org/#urlencoded-parsing>): each field once and in UTF-8. A `%` without two
/// hexadecimal digits behind it stands for itself.
///
/// # Errors
/// A sentence that says why it is none.
pub(crate) fn parse_form(body: &[u8]) -> Result<Object, &'static str> {
    let decoded = |text: &[u8]| {
        let spaced: Vec<u8> = text.iter().map(|&b| if b == b'+' { b' ' } else { b }).collect();
        String::from_utf8(percent_decode(&spaced).collect()).map_err(|_| "it is not UTF-8")
    };
    let mut fields = Object::new();
    for pair in body.split(|&b| b == b'&').filter(|pair| !pair.is_empty()) {
        let mut halves = pair.splitn(2, |&b| b == b'=');
        let name = decoded(halves.next().unwrap_or_default())?;
        let value = decoded(halves.next().unwrap_or_default())?;
        if fields.len() == MAX_FIELDS {
            return Err("it has more than 1000 fields");
        }
        match fields.entry(name) {
            Entry::Occupied(_) => return Err("a field is there more than once"),
            Entry::Vacant(place) => drop(place.insert(Json::String(value))),
        }
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_like_an_object() {
        let text = |text: &str| Json::String(text.to_owned());
        let read = parse_form(b"a=1%202+3&b=%zz&&c&d==%C3%A9").expect("a form");
        let expected = [("a", "1 2 3"), ("b", "%zz"), ("c", ""), ("d", "=\u{e9}")];
        assert_eq!(read, expected.map(|(name, value)| (name.to_owned(), text(value))).into());
        assert_eq!(parse_form(b""), Ok(Object::new()));
    }

    #[test]
    fn what_is_open_to_more_than_one_reading_is_none() {
        for bad in [&b"a=1&a=1"[..], b"a=1&%61=2", b"a=%FF", b"\xff=1", b"a=%ED%A0%80"] {
            assert!(parse_form(bad).is_err(), "{bad:?}");
        }
        let of = |count: usize| (0..count).map(|n| format!("f{n}=&")).collect::<String>();
        assert!(parse_form(of(MAX_FIELDS).as_bytes()).is_ok());
        assert!(parse_form(of(MAX_FIELDS + 1).as_bytes()).is_err());
    }
}
