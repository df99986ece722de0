//! Pages of lists: `limit` and `cursor` in the query of a `GET` (LIFECYCLE, "Common").

use headcount_model::cursor::{List, is_of_form};
use headcount_model::fault::{Fault, Form, Rule};
use headcount_model::idempotency::FingerprintKey;

use crate::dialect::Failure;
use crate::fields::Fields;
use crate::json::Object;

/// Which page of a list is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// How many entries it has at most.
    pub limit: u16,
    /// Behind which position it begins; `None` for the first.
    pub after: Option<String>,
}

/// Reads the query of a list that is filtered by nothing. Without `limit` a page has `default` entries.
///
/// # Errors
/// Every fault, unknown parameters among them.
pub fn page(
    query: Object,
    list: &List<'_>,
    secret: &FingerprintKey,
    default: u16,
    max: u16,
) -> Result<Asked, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut fields = Fields::new(query);
    let asked = asked(&mut fields, &mut faults, Some(list), secret, (default, max));
    fields.refuse_rest(&mut faults);
    if faults.is_empty() { Ok(asked) } else { Err(faults) }
}

/// Reads which page of a list is asked for. Of a list that is not known, since its filters are not good, the form
/// of the cursor alone is looked at.
pub(crate) fn asked(
    fields: &mut Fields,
    faults: &mut Vec<Fault>,
    list: Option<&List<'_>>,
    secret: &FingerprintKey,
    (default, max): (u16, u16),
) -> Asked {
    let (limit, cursor) = (fields.text("limit"), fields.text("cursor"));
    let mut form = Form::new(faults);
    let limit = form.optional("limit", limit, |text| number(&text, max));
    let after = form.optional("cursor", cursor, |text| match list {
        Some(list) => list.position(&text, secret),
        None if is_of_form(&text) => Ok(String::new()),
        None => Err(Rule::Cursor),
    });
    Asked { limit: limit.unwrap_or(default), after }
}

/// The cursor of the page behind one that ended at a position.
///
/// # Errors
/// [`Failure::Unavailable`] with a weak secret, which no function has.
pub fn next<R>(
    position: Option<&str>,
    list: &List<'_>,
    secret: &FingerprintKey,
) -> Result<Option<String>, Failure<R>> {
    let next = position.map(|position| list.cursor(position, secret));
    next.transpose().map_err(|_| Failure::Unavailable)
}

/// Digits alone: `+5` would be a number too.
fn number(text: &str, max: u16) -> Result<u16, Rule> {
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = is_plain.then(|| text.parse().ok()).flatten();
    number
        .filter(|number| (1..=max).contains(number))
        .ok_or(Rule::Range { min: 1, max: max.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Json;

    const LIST: List<'_> = List { tenant: "org_1", route: "GET /x", filters: &[] };

    fn asked(query: &[(&str, &str)]) -> Result<Asked, Vec<Fault>> {
        let secret = FingerprintKey::new(&[1; 32]).expect("long enough");
        let field =
            |(name, value): &(&str, &str)| ((*name).to_owned(), Json::String((*value).to_owned()));
        page(query.iter().map(field).collect(), &LIST, &secret, 100, 1_000)
    }

    #[test]
    fn limit_and_cursor_are_read_and_all_faults_told() {
        assert_eq!(asked(&[]), Ok(Asked { limit: 100, after: None }));
        let secret = FingerprintKey::new(&[1; 32]).expect("long enough");
        let cursor = LIST.cursor("TOLD#1", &secret).expect("a strong key");
        for (limit, number) in [("1", 1), ("1000", 1_000), ("007", 7)] {
            let page = Asked { limit: number, after: Some("TOLD#1".to_owned()) };
            assert_eq!(asked(&[("limit", limit), ("cursor", &cursor)]), Ok(page));
        }
        for limit in ["", "0", "1001", "65536", "-1", "+1", "1,2", " 1", "1.0", "ten"] {
            let faults = asked(&[("limit", limit), ("cursor", ""), ("curser", "")]);
            let faults = faults.expect_err("three faults");
            let told: Vec<_> = faults.iter().map(|fault| (&*fault.field, &fault.rule)).collect();
            let range = Rule::Range { min: 1, max: 1_000 };
            assert_eq!(
                told,
                [("limit", &range), ("cursor", &Rule::Cursor), ("curser", &Rule::Unknown)],
                "{limit}"
            );
        }
    }
}
