//! Schemas of what callers send. What a schema cannot say is in its description.

use std::ops::RangeInclusive;

use headcount_model::web_url::WebUrl;

use crate::json::{Json, object};

/// A field that must be there. `null` is no value for it.
pub(crate) fn required(schema: Json) -> Json {
    schema
}

/// A field that may be left out; `null` is the same.
pub(crate) fn optional(mut schema: Json) -> Json {
    if let Some(kind) = schema.get_mut("type") {
        *kind = Json::from(vec![kind.clone(), Json::from("null")]);
    }
    schema
}

/// A schema that has a name of its own: generated clients have one type for it.
pub(crate) fn component(name: &str) -> Json {
    object! { "$ref" => format!("#/components/schemas/{name}") }
}

/// A field that must be there, of a component's schema.
pub(crate) fn required_one(description: &str, name: &str) -> Json {
    component(name).with("description", description)
}

/// A field of a component's schema that may be left out; `null` is the same. (A list of types with
/// `null` in it, beside an enumeration or properties, is several types to a generator of clients.)
pub(crate) fn optional_one(description: &str, name: &str) -> Json {
    let either = vec![component(name), object! { "type" => "null" }];
    object! { "description" => description, "anyOf" => either }
}

/// Text with a length, in Unicode scalar values.
pub(crate) fn text(description: &str, length: RangeInclusive<usize>) -> Json {
    object! {
        "type" => "string", "description" => description,
        "minLength" => *length.start(), "maxLength" => *length.end(),
    }
}

/// Text of a form.
pub(crate) fn pattern(description: &str, pattern: impl Into<String>) -> Json {
    object! { "type" => "string", "description" => description, "pattern" => pattern.into() }
}

/// One of some texts.
pub(crate) fn one_of<const N: usize>(description: &str, values: [&str; N]) -> Json {
    object! { "type" => "string", "description" => description, "enum" => values }
}

/// A URL.
pub(crate) fn url(description: &str) -> Json {
    let rule = format!(
        "{description} An absolute `http` or `https` URL without user name, not to a private, loopback or link-local \
         address or a name of the own machine or network (`localhost`, one label alone, `.local`, `.internal`, `.test`), however \
         it is spelled. It is kept as sent and never fetched."
    );
    object! {
        "type" => "string", "description" => rule, "format" => "uri", "maxLength" => WebUrl::MAX_LENGTH,
    }
}

/// An object of these fields and no others.
pub(crate) fn exactly<const N: usize>(required: [&str; N], fields: Json) -> Json {
    let schema = object! { "type" => "object" };
    let schema = if N == 0 { schema } else { schema.with("required", required) };
    schema.with("properties", fields).with("additionalProperties", false)
}
