//! Typed reading of request parameters, with Stripe's errors for what is missing, malformed or
//! unknown. An endpoint takes what it knows and then calls [`Fields::finish`].

use std::collections::BTreeMap;

use crate::{
    errors::ApiError,
    form::{Node, Params},
};

/// The largest quantity and unit amount: "up to eight digits". Products of the two fit an i64.
const MAX_NATURAL: i64 = 99_999_999;
/// The largest number of any kind; beyond every time and balance, and far from overflowing.
const MAX_INTEGER: i64 = 999_999_999_999;
/// <https://docs.stripe.com/api/metadata>: 50 keys of 40, values of 500 characters.
const MAX_METADATA_KEYS: usize = 50;
const MAX_METADATA_KEY: usize = 40;
const MAX_METADATA_VALUE: usize = 500;

/// An object's own key-value pairs.
pub(crate) type Metadata = BTreeMap<String, String>;

/// The parameters of one level of brackets that nobody has read yet.
#[derive(Debug)]
pub(crate) struct Fields {
    prefix: String,
    rest: Params,
}

/// A change of metadata: keys with an empty value are removed, an empty whole removes all.
#[derive(Debug, Clone, Default)]
pub(crate) struct MetadataChange {
    clear: bool,
    entries: Metadata,
}

impl MetadataChange {
    /// Applies the change, by Stripe's rule that keys not named stay.
    pub(crate) fn apply(&self, metadata: &mut Metadata) {
        if self.clear {
            metadata.clear();
        }
        for (key, value) in &self.entries {
            if value.is_empty() {
                metadata.remove(key);
            } else {
                metadata.insert(key.clone(), value.clone());
            }
        }
    }

    /// The metadata of a new object.
    pub(crate) fn fresh(self) -> Metadata {
        let mut metadata = Metadata::new();
        self.apply(&mut metadata);
        metadata
    }
}

impl Fields {
    pub(crate) fn new(params: Params) -> Self {
        Self { prefix: String::new(), rest: params }
    }

    /// The parameter's name as a caller writes it: `items[0][quantity]`.
    pub(crate) fn name(&self, name: &str) -> String {
        if self.prefix.is_empty() { name.to_owned() } else { format!("{}[{name}]", self.prefix) }
    }

    fn leaf(&mut self, name: &str) -> Result<Option<String>, ApiError> {
        match self.rest.remove(name) {
            None => Ok(None),
            Some(Node::Leaf(value)) => Ok(Some(value)),
            Some(Node::Branch(_)) => {
                let name = self.name(name);
                Err(ApiError::invalid(&name, format!("Invalid string: {name} is an object")))
            }
        }
    }

    /// A text; an empty one is refused.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, ApiError> {
        match self.leaf(name)? {
            Some(value) if value.is_empty() => Err(ApiError::empty(&self.name(name))),
            other => Ok(other),
        }
    }

    /// A text that must be there.
    pub(crate) fn required_text(&mut self, name: &str) -> Result<String, ApiError> {
        self.text(name)?.ok_or_else(|| ApiError::missing(&self.name(name)))
    }

    /// A text that an empty value unsets: `Some(None)`.
    pub(crate) fn clearable(&mut self, name: &str) -> Result<Option<Option<String>>, ApiError> {
        Ok(self.leaf(name)?.map(|value| Some(value).filter(|value| !value.is_empty())))
    }

    /// A whole number, possibly negative.
    pub(crate) fn integer(&mut self, name: &str) -> Result<Option<i64>, ApiError> {
        let Some(value) = self.leaf(name)? else {
            return Ok(None);
        };
        let name = self.name(name);
        let number: Option<i64> = value.parse().ok();
        number
            .filter(|number| (-MAX_INTEGER..=MAX_INTEGER).contains(number))
            .map(Some)
            .ok_or_else(|| ApiError::invalid_integer(&name, format!("Invalid integer: {value}")))
    }

    /// A whole number from 0 to the largest that is taken.
    pub(crate) fn natural(&mut self, name: &str) -> Result<Option<i64>, ApiError> {
        let Some(number) = self.integer(name)? else {
            return Ok(None);
        };
        let name = self.name(name);
        if number < 0 {
            let message = "This value must be greater than or equal to 0.";
            return Err(ApiError::invalid_integer(&name, message));
        }
        if number > MAX_NATURAL {
            let message = format!("This value must be less than or equal to {MAX_NATURAL}.");
            return Err(ApiError::invalid_integer(&name, message));
        }
        Ok(Some(number))
    }

    /// `true` or `false`.
    pub(crate) fn flag(&mut self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.leaf(name)?.as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => {
                Err(ApiError::invalid(&self.name(name), format!("Invalid boolean: {other}")))
            }
        }
    }

    /// One of a fixed set of words.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        name: &str,
        choices: &[(&str, T)],
    ) -> Result<Option<T>, ApiError> {
        let Some(value) = self.text(name)? else {
            return Ok(None);
        };
        let found = choices.iter().find(|(word, _)| *word == value);
        found.map(|(_, choice)| Some(*choice)).ok_or_else(|| {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            let name = self.name(name);
            let message = format!("Invalid {name}: must be one of {}", words.join(", "));
            ApiError::invalid(&name, message)
        })
    }

    /// `metadata[key]=value`, or `metadata=` to remove everything.
    pub(crate) fn metadata(&mut self) -> Result<MetadataChange, ApiError> {
        let name = self.name("metadata");
        let mut change = MetadataChange::default();
        let branch = match self.rest.remove("metadata") {
            None => return Ok(change),
            Some(Node::Leaf(text)) if text.is_empty() => {
                change.clear = true;
                return Ok(change);
            }
            Some(Node::Leaf(_)) => return Err(ApiError::invalid(&name, "Invalid object")),
            Some(Node::Branch(branch)) => branch,
        };
        if branch.len() > MAX_METADATA_KEYS {
            let message = format!("You can only set {MAX_METADATA_KEYS} metadata keys at a time.");
            return Err(ApiError::invalid(&name, message));
        }
        for (key, node) in branch {
            let Node::Leaf(value) = node else {
                let message = "Metadata values must be strings.";
                return Err(ApiError::invalid(&format!("{name}[{key}]"), message));
            };
            check_metadata(&name, &key, &value)?;
            change.entries.insert(key, value);
        }
        Ok(change)
    }

    /// The level below `name`, if it was sent.
    pub(crate) fn branch(&mut self, name: &str) -> Result<Option<Fields>, ApiError> {
        let full = self.name(name);
        match self.rest.remove(name) {
            None => Ok(None),
            Some(Node::Branch(rest)) => Ok(Some(Fields { prefix: full, rest })),
            Some(Node::Leaf(_)) => Err(ApiError::invalid(&full, "Invalid object")),
        }
    }

    /// The level below `name`, which an empty value unsets: `Some(None)`.
    pub(crate) fn clearable_branch(
        &mut self,
        name: &str,
    ) -> Result<Option<Option<Fields>>, ApiError> {
        if matches!(self.rest.get(name), Some(Node::Leaf(text)) if text.is_empty()) {
            self.rest.remove(name);
            return Ok(Some(None));
        }
        Ok(self.branch(name)?.map(Some))
    }

    /// The objects of an array, in the order of their indexes.
    pub(crate) fn list(&mut self, name: &str) -> Result<Vec<Fields>, ApiError> {
        let elements = self.elements(name)?;
        elements
            .into_iter()
            .map(|(prefix, node)| match node {
                Node::Branch(rest) => Ok(Fields { prefix, rest }),
                Node::Leaf(_) => Err(ApiError::invalid(&prefix, "Invalid object")),
            })
            .collect()
    }

    /// The texts of an array, in the order of their indexes.
    pub(crate) fn texts(&mut self, name: &str) -> Result<Vec<String>, ApiError> {
        let elements = self.elements(name)?;
        elements
            .into_iter()
            .map(|(name, node)| match node {
                Node::Leaf(text) if !text.is_empty() => Ok(text),
                _ => Err(ApiError::invalid(&name, "Invalid string")),
            })
            .collect()
    }

    fn elements(&mut self, name: &str) -> Result<Vec<(String, Node)>, ApiError> {
        let full = self.name(name);
        let branch = match self.rest.remove(name) {
            None => return Ok(Vec::new()),
            Some(Node::Branch(branch)) => branch,
            Some(Node::Leaf(_)) => return Err(ApiError::invalid(&full, "Invalid array")),
        };
        let mut indexed = Vec::with_capacity(branch.len());
        for (key, node) in branch {
            let Ok(index) = key.parse::<u32>() else {
                return Err(ApiError::invalid(&full, "Invalid array"));
            };
            indexed.push((index, (format!("{full}[{key}]"), node)));
        }
        indexed.sort_by_key(|(index, _)| *index);
        Ok(indexed.into_iter().map(|(_, element)| element).collect())
    }

    /// Refuses what nobody has read.
    pub(crate) fn finish(self) -> Result<(), ApiError> {
        if self.rest.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = self.rest.keys().map(|name| self.name(name)).collect();
        Err(ApiError::unknown_parameters(&names))
    }
}

fn check_metadata(name: &str, key: &str, value: &str) -> Result<(), ApiError> {
    let param = format!("{name}[{key}]");
    if key.chars().count() > MAX_METADATA_KEY {
        let message = format!("Metadata keys can be up to {MAX_METADATA_KEY} characters long.");
        return Err(ApiError::invalid(&param, message));
    }
    if value.chars().count() > MAX_METADATA_VALUE {
        let message = format!("Metadata values can have up to {MAX_METADATA_VALUE} characters.");
        return Err(ApiError::invalid(&param, message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form;

    fn fields(raw: &str) -> Fields {
        let mut params = Params::new();
        form::parse(raw, &mut params).unwrap();
        Fields::new(params)
    }

    #[test]
    fn arrays_come_in_numeric_order() {
        let mut fields = fields("items[10][id]=c&items[2][id]=b&items[0][id]=a");
        let ids: Vec<_> = fields
            .list("items")
            .unwrap()
            .iter_mut()
            .map(|item| item.required_text("id").unwrap())
            .collect();
        assert_eq!(ids, ["a", "b", "c"]);
    }

    #[test]
    fn what_is_left_is_unknown() {
        let mut fields = fields("name=a&items[0][x]=1");
        fields.text("name").unwrap();
        let mut items = fields.list("items").unwrap();
        let error = items.remove(0).finish().unwrap_err().body();
        assert_eq!(error["error"]["code"], "parameter_unknown");
        assert_eq!(error["error"]["message"], "Received unknown parameter: items[0][x]");
    }

    #[test]
    fn integers_are_checked() {
        for raw in ["n=-1", "n=1.5", "n=abc", "n=", "n=99999999999"] {
            let error = fields(raw).natural("n").unwrap_err().body();
            assert_eq!(error["error"]["code"], "parameter_invalid_integer", "{raw}");
        }
        assert_eq!(fields("n=0").natural("n").unwrap(), Some(0));
    }

    #[test]
    fn metadata_merges_and_unsets() {
        let mut metadata = Metadata::from([("a".into(), "1".into()), ("b".into(), "2".into())]);
        fields("metadata[a]=&metadata[c]=3").metadata().unwrap().apply(&mut metadata);
        assert_eq!(metadata, Metadata::from([("b".into(), "2".into()), ("c".into(), "3".into())]));
        fields("metadata=").metadata().unwrap().apply(&mut metadata);
        assert!(metadata.is_empty());
    }
}
