//! Putting large objects together.

use serde_json::{Map, Value};

/// One object with the keys of all `parts`, and with those that a client may look at although
/// there is nothing to say: `nulls` and empty `lists`.
pub(crate) fn object<const N: usize>(nulls: &[&str], lists: &[&str], parts: [Value; N]) -> Value {
    let mut view = Map::new();
    view.extend(nulls.iter().map(|key| ((*key).to_owned(), Value::Null)));
    view.extend(lists.iter().map(|key| ((*key).to_owned(), Value::Array(Vec::new()))));
    for part in parts {
        if let Value::Object(part) = part {
            view.extend(part);
        }
    }
    Value::Object(view)
}
