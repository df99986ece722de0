//! JSON as a public API has to read it: nothing ambiguous gets through.
//!
//! `serde_json::Value` keeps the last of two equal keys, and derived types read an array for a
//! struct, so bodies are read into a type of our own first.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};

use crate::dialect::Transport;

/// The deepest nesting of objects and arrays, the outermost object included.
const MAX_DEPTH: usize = 32;

/// The most values in one document, those inside other ones included: some seven times as many as 1,000
/// seats with every field have. What is kept of a value can take a hundred times the bytes that it was sent
/// in, so that size alone does not bound memory.
const MAX_VALUES: usize = 100_000;

/// The members of an object.
pub type Object = BTreeMap<String, Json>;

/// A JSON value. A number keeps its value where it is a whole one that is not below zero: no field of the
/// three APIs takes another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, with its value if it is whole and fits.
    Number(Option<u64>),
    /// Text.
    String(String),
    /// A list.
    Array(Vec<Json>),
    /// An object without duplicate keys.
    Object(Object),
}

impl Json {
    /// The same in serde_json's type, to be written again; `None` where a number in it is not known.
    pub(crate) fn to_value(&self) -> Option<serde_json::Value> {
        use serde_json::Value;
        Some(match self {
            Json::Null => Value::Null,
            Json::Bool(flag) => Value::Bool(*flag),
            Json::Number(number) => Value::from((*number)?),
            Json::String(text) => Value::String(text.clone()),
            Json::Array(list) => {
                Value::Array(list.iter().map(Json::to_value).collect::<Option<_>>()?)
            }
            Json::Object(members) => {
                let member =
                    |(name, value): (&String, &Json)| Some((name.clone(), value.to_value()?));
                Value::Object(members.iter().map(member).collect::<Option<_>>()?)
            }
        })
    }
}

/// Reads the body of a request: one object, in UTF-8, and nothing behind it.
///
/// # Errors
/// [`Transport::MalformedJson`], with the place.
pub(crate) fn parse_object(body: &[u8]) -> Result<Object, Transport> {
    let malformed = |why: String| Transport::MalformedJson(why);
    let text = std::str::from_utf8(body).map_err(|_| malformed("it is not UTF-8".to_owned()))?;
    if text.trim().is_empty() {
        return Err(malformed("it is empty".to_owned()));
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let values = Cell::new(0);
    let value = Nested { depth: 1, values: &values }
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value));
    match value {
        Ok(Json::Object(object)) => Ok(object),
        Ok(_) => Err(malformed("it is not an object".to_owned())),
        Err(error) => Err(malformed(reason(&error))),
    }
}

/// serde_json's reason; it names positions and our own messages, never the text of a value.
fn reason(error: &serde_json::Error) -> String {
    error.to_string()
}

/// Reads a value that lies at a depth; 1 is the outermost.
#[derive(Clone, Copy)]
struct Nested<'v> {
    depth: usize,
    /// How many values have been read so far.
    values: &'v Cell<usize>,
}

impl Nested<'_> {
    /// The reader of what is inside an array or object that lies here, be it empty or not.
    fn inner<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth > MAX_DEPTH {
            return Err(E::custom(format_args!("nested deeper than {MAX_DEPTH} levels")));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Nested<'_> {
    type Value = Json;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        if self.values.replace(self.values.get() + 1) == MAX_VALUES {
            return Err(D::Error::custom(format_args!("more than {MAX_VALUES} values")));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Nested<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Json, E> {
        Ok(Json::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
        Ok(Json::Number(u64::try_from(number).ok()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Number(Some(number)))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Json, E> {
        // `1.0` is a whole number too (JSON Schema 2020-12, validation, section 6.1.1).
        let is_whole = number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range")]
        Ok(Json::Number(is_whole.then_some(number as u64)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Json, A::Error> {
        let inner = self.inner()?;
        let mut array = Vec::new();
        while let Some(element) = elements.next_element_seed(inner)? {
            array.push(element);
        }
        Ok(Json::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let inner = self.inner()?;
        let mut object = Object::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(inner)?;
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("an object has the same key twice"));
            }
        }
        Ok(Json::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn nested(depth: usize) -> String {
        format!("{{\"a\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1))
    }

    #[test]
    fn everything_malformed_is_refused() {
        let cases: &[(&str, &[u8])] = &[
            ("empty", b""),
            ("blank", b" \n"),
            ("cut off", b"{\"a\":1"),
            ("trailing text", b"{} x"),
            ("two documents", b"{}{}"),
            ("duplicate keys", br#"{"a":1,"a":2}"#),
            ("nested duplicate keys", br#"{"a":{"b":1,"\u0062":2}}"#),
            ("top-level array", b"[]"),
            ("top-level text", b"\"a\""),
            ("top-level null", b"null"),
            ("lone leading surrogate", br#"{"a":"\ud800"}"#),
            ("lone trailing surrogate", br#"{"a":"\udc00x"}"#),
            ("surrogate in a key", br#"{"\ud800":1}"#),
            ("invalid UTF-8 in a value", b"{\"a\":\"\xff\"}"),
            ("invalid UTF-8 in a key", b"{\"\xc3\x28\":1}"),
            ("overlong UTF-8", b"{\"a\":\"\xc0\x80\"}"),
            ("byte order mark", b"\xef\xbb\xbf{}"),
            ("trailing comma", br#"{"a":1,}"#),
            ("single quotes", b"{'a':1}"),
            ("comment", b"{/**/}"),
            ("NaN", br#"{"a":NaN}"#),
            ("number out of range", br#"{"a":1e999}"#),
            ("leading zero", br#"{"a":01}"#),
            ("raw control character", b"{\"a\":\"\x01\"}"),
            ("unknown escape", br#"{"a":"\x41"}"#),
        ];
        for (what, body) in cases {
            assert!(matches!(parse_object(body), Err(Transport::MalformedJson(_))), "{what}");
        }
    }

    #[test]
    fn thirty_two_levels_and_no_more() {
        assert!(parse_object(nested(32).as_bytes()).is_ok());
        assert!(parse_object(nested(33).as_bytes()).is_err());
        assert!(parse_object(nested(100_000).as_bytes()).is_err());
        // An empty object is a level like any other.
        let objects =
            |depth: usize| format!("{}{{}}{}", "{\"a\":".repeat(depth - 1), "}".repeat(depth - 1));
        assert!(parse_object(objects(32).as_bytes()).is_ok());
        assert!(parse_object(objects(33).as_bytes()).is_err());
    }

    #[test]
    fn a_hundred_thousand_values_and_no_more() {
        // The object and its list are two of them.
        let list = |length: usize| format!("{{\"a\":[0{}]}}", ",0".repeat(length - 1));
        assert!(parse_object(list(99_998).as_bytes()).is_ok());
        let why = "The request body is not a valid JSON object: more than 100000 values at line 1 column 200002.";
        let refused = parse_object(list(99_999).as_bytes());
        assert_eq!(refused.map_err(|refused| refused.message()), Err(why.to_owned()));
    }

    #[test]
    fn the_reason_names_the_place() {
        let Err(error) = parse_object(b"{\"a\":1,\n\"a\":2}") else {
            panic!("a duplicate");
        };
        assert_eq!(
            error.message(),
            "The request body is not a valid JSON object: an object has the same key twice at line 2 column 6."
        );
    }

    #[test]
    fn escapes_and_joined_surrogates_are_read() {
        let object = parse_object(br#"{"a":"\ud83d\ude80\u0000"}"#).expect("valid");
        assert_eq!(object["a"], Json::String("🚀\0".to_owned()));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_object(&body);
        }

        #[test]
        fn it_accepts_no_more_than_serde_json(text in "[\\[\\]{}\",:a0 ]{0,40}") {
            if parse_object(text.as_bytes()).is_ok() {
                prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
            }
        }
    }
}
