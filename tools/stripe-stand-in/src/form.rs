//! Stripe's request encoding: `application/x-www-form-urlencoded` with bracketed keys
//! (`items[0][quantity]=3`), in bodies and in query strings.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::errors::ApiError;

/// How deep brackets may nest; Stripe's own parameters stay well below.
const MAX_DEPTH: usize = 8;

/// The parameters of one request by name. Sorted, so that equal parameters serialise equally
/// whatever order they were sent in.
pub(crate) type Params = BTreeMap<String, Node>;

/// One parameter: a text, or a level of brackets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum Node {
    /// A value as it was sent, percent-decoded.
    Leaf(String),
    /// What is inside `name[…]`, arrays included (their keys are the indexes).
    Branch(Params),
}

/// Parses `raw` into `params`. A key that comes twice keeps its last value, as at Stripe.
pub(crate) fn parse(raw: &str, params: &mut Params) -> Result<(), ApiError> {
    for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let key = decode(key)?;
        let path = split_key(&key);
        if path.len() > MAX_DEPTH {
            return Err(ApiError::unreadable("The parameters are nested too deeply."));
        }
        insert(params, &path, decode(value)?, &key)?;
    }
    Ok(())
}

fn insert(params: &mut Params, path: &[&str], value: String, key: &str) -> Result<(), ApiError> {
    let Some((first, rest)) = path.split_first() else {
        return Ok(());
    };
    // `expand[]=a&expand[]=b` appends: the next free index is the number of entries.
    let name = if first.is_empty() { params.len().to_string() } else { (*first).to_owned() };
    if rest.is_empty() {
        params.insert(name, Node::Leaf(value));
        return Ok(());
    }
    match params.entry(name).or_insert_with(|| Node::Branch(Params::new())) {
        Node::Branch(inner) => insert(inner, rest, value, key),
        Node::Leaf(_) => Err(ApiError::invalid(
            key,
            format!("Invalid parameter {key}: it is given both as a value and as an object."),
        )),
    }
}

/// `items[0][id]` -> `items`, `0`, `id`. A key whose brackets do not match is one plain name, which
/// no endpoint knows, so it is refused as an unknown parameter.
fn split_key(key: &str) -> Vec<&str> {
    let Some((base, brackets)) = key.split_once('[') else {
        return vec![key];
    };
    let Some(inner) = brackets.strip_suffix(']') else {
        return vec![key];
    };
    std::iter::once(base).chain(inner.split("][")).collect()
}

fn decode(text: &str) -> Result<String, ApiError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => hex(rest.next(), rest.next())
                .ok_or_else(|| ApiError::unreadable("Invalid percent-encoding in the request."))?,
            other => other,
        });
    }
    String::from_utf8(bytes).map_err(|_| ApiError::unreadable("Invalid UTF-8 in the request."))
}

fn hex(high: Option<u8>, low: Option<u8>) -> Option<u8> {
    let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(raw: &str) -> String {
        let mut params = Params::new();
        parse(raw, &mut params).unwrap();
        serde_json::to_string(&params).unwrap()
    }

    #[test]
    fn brackets_nest_and_order_does_not_matter() {
        let expected = r#"{"items":{"0":{"id":"si_1","quantity":"3"}},"metadata":{"a b":"c&d"}}"#;
        assert_eq!(parsed("items[0][id]=si_1&items[0][quantity]=3&metadata[a+b]=c%26d"), expected);
        assert_eq!(
            parsed("metadata%5Ba%20b%5D=c%26d&items[0][quantity]=3&items[0][id]=si_1"),
            expected
        );
    }

    #[test]
    fn empty_brackets_append() {
        assert_eq!(parsed("expand[]=a&expand[]=b"), r#"{"expand":{"0":"a","1":"b"}}"#);
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for raw in ["a=%zz", "a=%f", "a=%ff", "a=1&a[b]=2", "a[1][2][3][4][5][6][7][8]=1"] {
            assert!(parse(raw, &mut Params::new()).is_err(), "{raw}");
        }
    }

    #[test]
    fn unbalanced_brackets_are_a_plain_name() {
        assert_eq!(parsed("items[0=1"), r#"{"items[0":"1"}"#);
    }
}
