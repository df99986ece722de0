//! The message on the queue of setup results: `{"organization":"org_…","id":"acc_…","outcome":"ready"}`,
//! and where the sender has them `"reason":"…"` and `"request":3`.

use std::fmt;

use headcount_model::fault::{Fault, Form, Given, Kind, Rule};
use headcount_model::seats::{SETUP_FIELDS, SetupInput, SetupResult};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;

/// Why a message is no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Poisoned {
    /// It is no JSON object, or has a field twice.
    Malformed(String),
    /// Fields break rules.
    Faults(Vec<Fault>),
}

/// The members of an object, each of another name.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members: Vec<(String, Value)> = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if members.iter().any(|(known, _)| *known == name) {
                        return Err(A::Error::custom("a field is there twice"));
                    }
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Each)
    }
}

/// Reads the text of a message.
///
/// # Errors
/// [`Poisoned`].
pub fn decode(text: &str) -> Result<SetupResult, Poisoned> {
    let members: Members =
        serde_json::from_str(text).map_err(|error| Poisoned::Malformed(error.to_string()))?;
    let mut input = SetupInput::default();
    let mut faults = Vec::new();
    for (name, value) in members.0 {
        match name.as_str() {
            "organization" => input.organization = string(value),
            "id" => input.id = string(value),
            "outcome" => input.outcome = string(value),
            "reason" => input.reason = string(value),
            "request" => {
                input.request = match value {
                    Value::Null => Given::Absent,
                    Value::Number(number) => Given::Value(number.as_u64()),
                    _ => Given::Wrong(Kind::Integer),
                }
            }
            // Its name goes into the log, and it may be of any length.
            _ => Form::new(&mut faults)
                .fault(name.chars().take(64).collect::<String>(), Rule::Unknown),
        }
    }
    SetupResult::parse(input, faults).map_err(Poisoned::Faults)
}

fn string(value: Value) -> Given<String> {
    match value {
        Value::Null => Given::Absent,
        Value::String(text) => Given::Value(text),
        _ => Given::Wrong(Kind::String),
    }
}

/// What the log says of faults: each field with the rule that it breaks.
pub(crate) fn told(faults: &[Fault]) -> String {
    let each = faults.iter().map(|fault| format!("{}: {:?}", fault.field, fault.rule));
    let known = SETUP_FIELDS.join(", ");
    format!("{} (the fields are {known})", each.collect::<Vec<_>>().join("; "))
}
