//! JSON whose members keep their order: readers want `openapi` before `components`, and the
//! fields of an answer as the answer has them.

use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    /// `null`, a boolean, a number or text.
    Scalar(Value),
    /// A list.
    Array(Vec<Json>),
    /// An object, its members in order.
    Object(Vec<(String, Json)>),
}

/// An object, its members in the order in which they are written.
macro_rules! object {
    ($($name:expr => $value:expr),* $(,)?) => {
        $crate::json::Json::Object(vec![$((String::from($name), $crate::json::Json::from($value))),*])
    };
}
pub(crate) use object;

impl Json {
    /// Reads text.
    ///
    /// # Errors
    /// When it is not JSON.
    pub(crate) fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// With a member behind the others. Anything but an object stays as it is.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl Into<Json>) -> Self {
        if let Json::Object(members) = &mut self {
            members.push((name.to_owned(), value.into()));
        }
        self
    }

    /// The member of an object.
    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut Json> {
        let Json::Object(members) = self else { return None };
        members.iter_mut().find(|(member, _)| member == name).map(|(_, value)| value)
    }

    /// Takes the member of an object out of it.
    pub(crate) fn take(&mut self, name: &str) -> Option<Json> {
        let Json::Object(members) = self else { return None };
        let place = members.iter().position(|(member, _)| member == name)?;
        Some(members.remove(place).1)
    }

    /// A derived schema, whose members come in the order of their names: fields in the order of
    /// the view, which `required` has kept, and what a reader looks for first in front.
    pub(crate) fn schema(value: Value) -> Self {
        const FIRST: [&str; 4] = ["type", "description", "required", "properties"];
        match value {
            Value::Object(mut members) => {
                let fields = members.get("required").cloned().unwrap_or_default();
                let mut ordered = Vec::new();
                for name in FIRST {
                    ordered.extend(members.remove(name).map(|value| (name.to_owned(), value)));
                }
                ordered.extend(members);
                let ordered = ordered.into_iter().map(|(name, value)| match value {
                    Value::Object(properties) if name == "properties" => {
                        (name, by_fields(properties, &fields))
                    }
                    value => (name, Json::schema(value)),
                });
                Json::Object(ordered.collect())
            }
            Value::Array(elements) => Json::Array(elements.into_iter().map(Json::schema).collect()),
            scalar => Json::Scalar(scalar),
        }
    }
}

/// Properties in the order of a list of their names; those that it leaves out come last.
fn by_fields(mut properties: serde_json::Map<String, Value>, fields: &Value) -> Json {
    let mut ordered = Vec::new();
    for name in fields.as_array().into_iter().flatten().filter_map(Value::as_str) {
        ordered.extend(properties.remove(name).map(|value| (name.to_owned(), value)));
    }
    ordered.extend(properties);
    Json::Object(ordered.into_iter().map(|(name, value)| (name, Json::schema(value))).collect())
}

impl From<Vec<Json>> for Json {
    fn from(elements: Vec<Json>) -> Self {
        Json::Array(elements)
    }
}

impl<T: Into<Value> + Clone, const N: usize> From<[T; N]> for Json {
    fn from(elements: [T; N]) -> Self {
        Json::Array(elements.into_iter().map(|element| Json::Scalar(element.into())).collect())
    }
}

macro_rules! scalar {
    ($($scalar:ty),*) => {
        $(impl From<$scalar> for Json {
            fn from(value: $scalar) -> Self {
                Json::Scalar(Value::from(value))
            }
        })*
    };
}
scalar!(&str, String, bool, usize, u16, u32);

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Json::Scalar(value) => value.serialize(serializer),
            Json::Array(elements) => elements.serialize(serializer),
            Json::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Scalar(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Scalar(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Scalar(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Scalar(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Scalar(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Json, A::Error> {
        let mut array = Vec::new();
        while let Some(element) = elements.next_element()? {
            array.push(element);
        }
        Ok(Json::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut object = Vec::new();
        while let Some(member) = members.next_entry()? {
            object.push(member);
        }
        Ok(Json::Object(object))
    }
}
