//! Taking the fields out of a JSON object. What is left over is a fault.

use headcount_model::fault::{Fault, Given, Kind, Rule};
use headcount_model::seats::MAX_SEATS_PER_REQUEST;

use crate::json::{Json, Object};

/// The longest field name that is told back to the caller, in characters.
const MAX_ECHO: usize = 64;

/// The most unknown fields of one request that are told by name: one for each seat. With these the longest
/// list of faults stays below the 6 MB that Lambda passes on
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
const MAX_UNKNOWN: usize = MAX_SEATS_PER_REQUEST;

/// The fields of one object, taken out one by one.
pub(crate) struct Fields {
    members: Object,
    index: Option<usize>,
    prefix: &'static str,
}

impl Fields {
    /// The fields of the request itself.
    pub(crate) fn new(members: Object) -> Self {
        Self { members, index: None, prefix: "" }
    }

    /// The fields of the seat at a position.
    pub(crate) fn of_seat(index: usize, members: Object) -> Self {
        Self { members, index: Some(index), prefix: "" }
    }

    /// The fields of a nested object, named with a prefix (`settings.`).
    pub(crate) fn nested(prefix: &'static str, members: Object) -> Self {
        Self { members, index: None, prefix }
    }

    fn take<T>(
        &mut self,
        name: &str,
        kind: Kind,
        read: impl FnOnce(Json) -> Option<T>,
    ) -> Given<T> {
        match self.members.remove(name) {
            None | Some(Json::Null) => Given::Absent,
            Some(value) => read(value).map_or(Given::Wrong(kind), Given::Value),
        }
    }

    /// A text field; `None` when it is left out, which is not the same as `null`.
    pub(crate) fn text_if_there(&mut self, name: &str) -> Option<Given<String>> {
        self.members.contains_key(name).then(|| self.text(name))
    }

    /// A text field.
    pub(crate) fn text(&mut self, name: &str) -> Given<String> {
        self.take(name, Kind::String, |value| match value {
            Json::String(text) => Some(text),
            _ => None,
        })
    }

    /// An object field.
    pub(crate) fn object(&mut self, name: &str) -> Given<Object> {
        self.take(name, Kind::Object, |value| match value {
            Json::Object(object) => Some(object),
            _ => None,
        })
    }

    /// An object field; `None` when it is left out, which is not the same as `null`.
    pub(crate) fn object_if_there(&mut self, name: &str) -> Option<Given<Object>> {
        self.members.contains_key(name).then(|| self.object(name))
    }

    /// A list field.
    pub(crate) fn array(&mut self, name: &str) -> Given<Vec<Json>> {
        self.take(name, Kind::Array, |value| match value {
            Json::Array(array) => Some(array),
            _ => None,
        })
    }

    /// A number: its value if it is whole, not below zero and fits.
    pub(crate) fn number(&mut self, name: &str) -> Given<Option<u64>> {
        self.take(name, Kind::Integer, |value| match value {
            Json::Number(number) => Some(number),
            _ => None,
        })
    }

    /// A number, as [`Fields::number`]; `None` when it is left out, which is not the same as `null`.
    pub(crate) fn number_if_there(&mut self, name: &str) -> Option<Given<Option<u64>>> {
        self.members.contains_key(name).then(|| self.number(name))
    }

    /// A value of any type, as JSON; `None` when it is left out. Of numbers, whole ones that are not below
    /// zero are known alone.
    pub(crate) fn json_if_there(&mut self, name: &str) -> Option<Given<String>> {
        let json = |value: Json| value.to_value().map(|value| value.to_string());
        self.members.contains_key(name).then(|| self.take(name, Kind::Integer, json))
    }

    /// A list of texts.
    pub(crate) fn texts(&mut self, name: &str) -> Given<Vec<Given<String>>> {
        let text = |element| match element {
            Json::Null => Given::Absent,
            Json::String(text) => Given::Value(text),
            _ => Given::Wrong(Kind::String),
        };
        match self.array(name) {
            Given::Absent => Given::Absent,
            Given::Wrong(kind) => Given::Wrong(kind),
            Given::Value(list) => Given::Value(list.into_iter().map(text).collect()),
        }
    }

    /// A field that is `true` or `false`.
    pub(crate) fn flag(&mut self, name: &str) -> Given<bool> {
        self.take(name, Kind::Boolean, |value| match value {
            Json::Bool(flag) => Some(flag),
            _ => None,
        })
    }

    /// Refuses by name every field that was not taken, so that nothing can be assigned that
    /// the API does not offer. The request's first [`MAX_UNKNOWN`] are told.
    pub(crate) fn refuse_rest(self, faults: &mut Vec<Fault>) {
        let told = faults.iter().filter(|fault| fault.rule == Rule::Unknown).count();
        let rest = self.members.into_keys().take(MAX_UNKNOWN.saturating_sub(told));
        faults.extend(rest.map(|name| Fault {
            index: self.index,
            field: format!("{}{}", self.prefix, echo(name)).into(),
            rule: Rule::Unknown,
        }));
    }
}

fn echo(name: String) -> String {
    if name.chars().count() <= MAX_ECHO {
        name
    } else {
        name.chars().take(MAX_ECHO).chain(['…']).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Fields {
        Fields::new(crate::json::parse_object(text.as_bytes()).expect("valid"))
    }

    #[test]
    fn null_is_absent_and_another_type_is_wrong() {
        let mut fields = fields(r#"{"a":null,"b":1,"c":"x","d":[],"e":{},"g":null}"#);
        assert_eq!(fields.text("a"), Given::Absent);
        assert_eq!(fields.text_if_there("g"), Some(Given::Absent));
        assert_eq!(fields.text("b"), Given::Wrong(Kind::String));
        assert_eq!(fields.text("c"), Given::Value("x".to_owned()));
        assert_eq!(fields.object("d"), Given::Wrong(Kind::Object));
        assert_eq!(fields.array("e"), Given::Wrong(Kind::Array));
        assert_eq!(fields.text("f"), Given::Absent);
        assert_eq!(fields.text_if_there("f"), None);
    }

    #[test]
    fn what_is_not_taken_is_refused_by_name() {
        let long = "x".repeat(100);
        let mut fields = fields(&format!(r#"{{"a":"1","id":"2","{long}":null}}"#));
        let _ = fields.text("a");
        let mut faults = Vec::new();
        fields.refuse_rest(&mut faults);
        let names: Vec<_> = faults.iter().map(|fault| fault.field.as_ref()).collect();
        assert_eq!(names, ["id", &format!("{}…", "x".repeat(64))]);
    }
}
