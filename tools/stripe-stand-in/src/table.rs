//! A collection of objects: looked up by id, listed newest first, paged as Stripe pages.

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};

use crate::{errors::ApiError, params::Fields};

/// An object of the API.
pub(crate) trait Row {
    /// What Stripe calls it in messages: "No such customer".
    const OBJECT: &'static str;
    fn id(&self) -> &str;
    /// When it was created, in Unix seconds.
    fn created(&self) -> i64;
}

/// All objects of one kind in the order of their creation. Rows are never removed.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "Vec<T>")]
#[serde(bound(deserialize = "T: Row + Deserialize<'de>"))]
pub(crate) struct Table<T> {
    rows: Vec<T>,
    index: HashMap<String, usize>,
    /// The rows that are new or may have been altered since the changes were last taken.
    changed: BTreeSet<usize>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), index: HashMap::new(), changed: BTreeSet::new() }
    }
}

impl<T: Row> From<Vec<T>> for Table<T> {
    fn from(rows: Vec<T>) -> Self {
        let index = rows.iter().enumerate().map(|(at, row)| (row.id().to_owned(), at)).collect();
        Self { rows, index, changed: BTreeSet::new() }
    }
}

impl<T: Serialize> Serialize for Table<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.rows.serialize(serializer)
    }
}

impl<T: Row> Table<T> {
    pub(crate) fn insert(&mut self, row: T) {
        self.changed.insert(self.rows.len());
        self.index.insert(row.id().to_owned(), self.rows.len());
        self.rows.push(row);
    }

    pub(crate) fn get(&self, id: &str) -> Option<&T> {
        self.rows.get(*self.index.get(id)?)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        let at = *self.index.get(id)?;
        self.changed.insert(at);
        self.rows.get_mut(at)
    }

    /// The object that the path names, or 404.
    pub(crate) fn find(&self, id: &str) -> Result<&T, ApiError> {
        self.get(id).ok_or_else(|| ApiError::no_such(T::OBJECT, id))
    }

    /// As [`Self::find`], to change it.
    pub(crate) fn find_mut(&mut self, id: &str) -> Result<&mut T, ApiError> {
        self.get_mut(id).ok_or_else(|| ApiError::no_such(T::OBJECT, id))
    }

    /// The object that a parameter names, or 400.
    pub(crate) fn find_in(&self, param: &str, id: &str) -> Result<&T, ApiError> {
        self.get(id).ok_or_else(|| ApiError::no_such_in(param, T::OBJECT, id))
    }

    /// Oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.rows.iter()
    }

    /// Oldest first, to change them.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.changed.extend(0..self.rows.len());
        self.rows.iter_mut()
    }

    /// The rows that changed since this was last asked.
    pub(crate) fn take_changes(&mut self) -> Self
    where
        T: Clone,
    {
        let changed = std::mem::take(&mut self.changed);
        let rows = changed.into_iter().filter_map(|at| self.rows.get(at).cloned());
        rows.collect::<Vec<T>>().into()
    }

    /// Takes over rows that changed: those that are known are replaced.
    pub(crate) fn absorb(&mut self, changes: Self) {
        for row in changes.rows {
            match self.get_mut(row.id()) {
                Some(known) => *known = row,
                None => self.insert(row),
            }
        }
    }
}

/// The parameters of every list. Source: <https://docs.stripe.com/api/pagination>.
#[derive(Debug)]
pub(crate) struct Page {
    limit: usize,
    after: Option<String>,
    before: Option<String>,
    created: [Option<i64>; 4],
}

const DEFAULT_LIMIT: i64 = 10;
const MAX_LIMIT: i64 = 100;

impl Page {
    /// Takes `limit`, `starting_after`, `ending_before` and `created[…]`.
    pub(crate) fn take(fields: &mut Fields) -> Result<Self, ApiError> {
        let limit = fields.integer("limit")?.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            let message = format!("Invalid limit: must be between 1 and {MAX_LIMIT}");
            return Err(ApiError::invalid_integer("limit", message));
        }
        let after = fields.text("starting_after")?;
        let before = fields.text("ending_before")?;
        if after.is_some() && before.is_some() {
            let message = "You cannot parameterize both starting_after and ending_before.";
            return Err(ApiError::invalid("starting_after", message));
        }
        let mut created = [None; 4];
        if let Some(mut range) = fields.branch("created")? {
            for (bound, name) in created.iter_mut().zip(["gt", "gte", "lt", "lte"]) {
                *bound = range.integer(name)?;
            }
            range.finish()?;
        }
        Ok(Self { limit: usize::try_from(limit).unwrap_or(1), after, before, created })
    }

    fn admits(&self, created: i64) -> bool {
        let [gt, gte, lt, lte] = self.created;
        gt.is_none_or(|bound| created > bound)
            && gte.is_none_or(|bound| created >= bound)
            && lt.is_none_or(|bound| created < bound)
            && lte.is_none_or(|bound| created <= bound)
    }

    /// The list object with one page of `rows`, which come newest first.
    pub(crate) fn list<'a, T: Row + 'a>(
        &self,
        url: &str,
        rows: impl Iterator<Item = &'a T>,
        view: impl Fn(&T) -> Value,
    ) -> Result<Value, ApiError> {
        let rows: Vec<&T> = rows.filter(|row| self.admits(row.created())).collect();
        let position = |param: &str, id: &str| {
            rows.iter()
                .position(|row| row.id() == id)
                .ok_or_else(|| ApiError::no_such_in(param, T::OBJECT, id))
        };
        let (window, has_more) = if let Some(id) = &self.before {
            let end = position("ending_before", id)?;
            let start = end.saturating_sub(self.limit);
            (&rows[start..end], start > 0)
        } else {
            let start = match &self.after {
                Some(id) => position("starting_after", id)? + 1,
                None => 0,
            };
            let end = rows.len().min(start + self.limit);
            (&rows[start..end], end < rows.len())
        };
        let data: Vec<Value> = window.iter().map(|row| view(row)).collect();
        Ok(json!({ "object": "list", "url": url, "has_more": has_more, "data": data }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::{self, Params};

    struct Number(String);
    impl Row for Number {
        const OBJECT: &'static str = "number";
        fn id(&self) -> &str {
            &self.0
        }
        fn created(&self) -> i64 {
            self.0.parse().unwrap()
        }
    }

    fn page(raw: &str) -> (Vec<String>, bool) {
        let mut table = Table::default();
        for number in 0..5 {
            table.insert(Number(number.to_string()));
        }
        let mut params = Params::new();
        form::parse(raw, &mut params).unwrap();
        let page = Page::take(&mut Fields::new(params)).unwrap();
        let list = page.list("/v1/n", table.iter().rev(), |row| row.0.as_str().into()).unwrap();
        let ids = list["data"].as_array().unwrap();
        let ids = ids.iter().map(|id| id.as_str().unwrap().to_owned()).collect();
        (ids, list["has_more"].as_bool().unwrap())
    }

    #[test]
    fn pages_run_newest_first_in_both_directions() {
        let cases: [(&str, &[&str], bool); 6] = [
            ("limit=2", &["4", "3"], true),
            ("limit=2&starting_after=3", &["2", "1"], true),
            ("limit=2&starting_after=1", &["0"], false),
            ("limit=2&ending_before=1", &["3", "2"], true),
            ("limit=5&ending_before=3", &["4"], false),
            ("created[gte]=1&created[lt]=3", &["2", "1"], false),
        ];
        for (raw, ids, has_more) in cases {
            assert_eq!(
                page(raw),
                (ids.iter().map(ToString::to_string).collect(), has_more),
                "{raw}"
            );
        }
    }
}
