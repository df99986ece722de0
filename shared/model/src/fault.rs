//! Faults in what a caller sent: a field and the rule that it breaks.
//!
//! A fault is data. It carries no prose and no status code, because each published API words
//! the same fault in its own way (`headcount-api`). Parsing never stops at the first one:
//! [`Form`] collects them all.

use std::borrow::Cow;

use crate::text::shows_nothing;

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Position of the seat in a bulk request, counted from 0; `None` for the request itself.
    pub index: Option<usize>,
    /// The field as the caller names it, dotted when nested: `settings.timezone`.
    pub field: Cow<'static, str>,
    /// What is wrong with it.
    pub rule: Rule,
}

/// The rules that a field can break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// The field must be there.
    Required,
    /// The field belongs to a group of which some but not all fields are there.
    RequiredInGroup,
    /// The API has no such field.
    Unknown,
    /// The field has another JSON type than the one named.
    Type(Kind),
    /// Fewer Unicode scalar values than this, after trimming.
    MinLength(usize),
    /// More Unicode scalar values than this, after trimming.
    MaxLength(usize),
    /// A control character or one that hides or reorders text.
    ForbiddenCharacter(char),
    /// A character outside the alphabet that is named.
    Alphabet(&'static str),
    /// Not one of the values of the list.
    OneOf(Vec<String>),
    /// Fewer or more elements than allowed.
    Count {
        /// The smallest number allowed.
        min: usize,
        /// The largest number allowed.
        max: usize,
    },
    /// One of the comma-separated keywords is empty or longer than this.
    KeywordLength(usize),
    /// Not an age range such as `18-24`.
    AgeRange,
    /// The same account as the seat at this position of the same request.
    DuplicateOf(usize),
    /// Not a URL that may be stored.
    Url(UrlRule),
    /// Not one e-mail address of the accepted form.
    Email,
    /// Not the ISO 4217 code of a currency in use.
    Currency,
    /// The code of a currency that ISO 4217 has withdrawn.
    WithdrawnCurrency {
        /// The code as sent.
        code: &'static str,
        /// Codes of what took its place: none, one or two.
        successors: &'static [&'static str],
    },
    /// Not a time zone of the IANA database.
    TimeZone,
    /// Not a BCP 47 language tag.
    Language,
    /// The password is one of the commonly used ones.
    CommonPassword,
    /// The password contains the local part of the e-mail address.
    ContainsEmail,
    /// The password contains the account's name.
    ContainsName,
    /// The parent account does not exist in this agency or may not have sub-accounts.
    UnusableParent,
    /// A header value that is not 1 to 255 visible ASCII characters.
    IdempotencyKey,
    /// Not the id of a seat.
    SeatId,
    /// The same as the entry at this position of the same list.
    RepeatOf(usize),
    /// Not to be given beside the field that is named.
    Beside(&'static str),
    /// Not the password that the account has.
    CurrentPassword,
    /// The organization has no such seat.
    NoSuchSeat,
    /// The seat has ended, so that its end cannot be revoked any more.
    SeatHasEnded,
    /// Not the id of a quote that this organization was given for these seats.
    Quote,
    /// Not a whole number in this range.
    Range {
        /// The smallest number allowed.
        min: u32,
        /// The largest number allowed.
        max: u32,
    },
    /// Not a time with its zone.
    Time,
    /// Not a cursor that the caller was given for this list.
    Cursor,
    /// Not the id of an API key.
    KeyId,
    /// Not a time to come, with its zone, within the time of the key that gives it.
    KeyEnd,
    /// An account is named, and nothing that is to be changed of it.
    NothingToChange,
}

/// JSON types, as far as the three APIs ask for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A JSON string.
    String,
    /// A JSON object.
    Object,
    /// A JSON array.
    Array,
    /// `true` or `false`.
    Boolean,
    /// A JSON number without a fraction.
    Integer,
}

/// Why a URL is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UrlRule {
    /// Not an absolute URL.
    Absolute,
    /// A scheme other than `http` or `https`.
    Scheme,
    /// It carries a user name or password.
    UserInfo,
    /// Its host is an address of a private, loopback or link-local network, or a name that only ever means
    /// the own machine or network.
    PrivateHost,
}

/// What the caller sent for one field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Given<T> {
    /// Nothing, or `null`.
    #[default]
    Absent,
    /// A value of another JSON type than the field's.
    Wrong(Kind),
    /// A value.
    Value(T),
}

impl<T> Given<T> {
    /// Whether the caller sent anything, right or wrong.
    pub fn is_present(&self) -> bool {
        !matches!(self, Given::Absent)
    }
}

impl Given<String> {
    /// Takes text that shows nothing for none, as the Agency API does with blank text.
    #[must_use]
    pub fn blank_is_absent(self) -> Self {
        match self {
            Given::Value(text) if shows_nothing(&text) => Given::Absent,
            other => other,
        }
    }
}

/// Reads the fields of one object and collects every fault.
pub struct Form<'f> {
    index: Option<usize>,
    faults: &'f mut Vec<Fault>,
}

impl<'f> Form<'f> {
    /// A form whose faults belong to the request itself.
    pub fn new(faults: &'f mut Vec<Fault>) -> Self {
        Self { index: None, faults }
    }

    /// A form whose faults belong to the seat at `index`.
    pub fn of_seat(index: usize, faults: &'f mut Vec<Fault>) -> Self {
        Self { index: Some(index), faults }
    }

    /// Records a fault.
    pub fn fault(&mut self, field: impl Into<Cow<'static, str>>, rule: Rule) {
        self.faults.push(Fault { index: self.index, field: field.into(), rule });
    }

    /// The parsed value of a field that must be there; `None` when a fault was recorded.
    pub fn required<T, U>(
        &mut self,
        field: &'static str,
        given: Given<T>,
        parse: impl FnOnce(T) -> Result<U, Rule>,
    ) -> Option<U> {
        if !given.is_present() {
            self.fault(field, Rule::Required);
        }
        self.optional(field, given, parse)
    }

    /// The parsed value of a field that may be left out; `None` when it is absent or faulty.
    pub fn optional<T, U>(
        &mut self,
        field: &'static str,
        given: Given<T>,
        parse: impl FnOnce(T) -> Result<U, Rule>,
    ) -> Option<U> {
        let rule = match given {
            Given::Absent => return None,
            Given::Wrong(kind) => Rule::Type(kind),
            Given::Value(value) => match parse(value) {
                Ok(parsed) => return Some(parsed),
                Err(rule) => rule,
            },
        };
        self.fault(field, rule);
        None
    }

    /// The elements of a list that has 1 to `max`, each once, in the order in which they were sent; `None` when
    /// it is absent or no such list. A faulty element is left out, and its fault names its place: `ids[3]`.
    pub fn each_once<U: PartialEq>(
        &mut self,
        field: &'static str,
        given: Given<Vec<Given<String>>>,
        max: usize,
        parse: impl Fn(&str) -> Result<U, Rule>,
    ) -> Option<Vec<U>> {
        let list = self.optional(field, given, |list| {
            let fits = (1..=max).contains(&list.len());
            if fits { Ok(list) } else { Err(Rule::Count { min: 1, max }) }
        })?;
        let mut read: Vec<(usize, U)> = Vec::with_capacity(list.len());
        for (place, element) in list.into_iter().enumerate() {
            let parsed = match element {
                Given::Absent => Err(Rule::Required),
                Given::Wrong(kind) => Err(Rule::Type(kind)),
                Given::Value(text) => parse(&text),
            };
            let first = |value: &U| read.iter().find(|(_, known)| known == value);
            let once = parsed.and_then(|value| match first(&value) {
                Some((first, _)) => Err(Rule::RepeatOf(*first)),
                None => Ok(value),
            });
            match once {
                Ok(value) => read.push((place, value)),
                Err(rule) => self.fault(format!("{field}[{place}]"), rule),
            }
        }
        Some(read.into_iter().map(|(_, value)| value).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Result<u8, Rule> {
        text.parse().map_err(|_| Rule::AgeRange)
    }

    #[test]
    fn a_list_has_each_element_once_and_its_faults_name_their_places() {
        let text = |text: &str| Given::Value(text.to_owned());
        let list = vec![text("a"), text("1"), text("2"), Given::Absent, text("1"), text("3")];
        let mut faults = Vec::new();
        let read = Form::new(&mut faults).each_once("n", Given::Value(list), 6, number);
        assert_eq!(read, Some(vec![1, 2, 3]));
        let faults: Vec<_> =
            faults.into_iter().map(|fault| (fault.field.into_owned(), fault.rule)).collect();
        // What is repeated is named by the place where it was sent, whatever was wrong before it.
        let expected =
            [("n[0]", Rule::AgeRange), ("n[3]", Rule::Required), ("n[4]", Rule::RepeatOf(1))];
        assert_eq!(faults, expected.map(|(field, rule)| (field.to_owned(), rule)));
        for count in [0, 7] {
            let mut faults = Vec::new();
            let list = Given::Value(vec![text("1"); count]);
            assert_eq!(Form::new(&mut faults).each_once("n", list, 6, number), None);
            assert_eq!(faults[0].rule, Rule::Count { min: 1, max: 6 });
            assert_eq!(faults.len(), 1);
        }
    }

    #[test]
    fn a_form_collects_what_is_wrong_and_returns_what_is_right() {
        let mut faults = Vec::new();
        let mut form = Form::of_seat(3, &mut faults);
        assert_eq!(form.required("a", Given::Value("1"), number), Some(1));
        assert_eq!(form.required("b", Given::Absent, number), None);
        assert_eq!(form.required("c", Given::Value("x"), number), None);
        assert_eq!(form.optional("d", Given::Absent, number), None);
        assert_eq!(form.optional("e", Given::Wrong(Kind::Array), number), None);
        assert_eq!(form.optional("f", Given::Value("2"), number), Some(2));
        Form::new(&mut faults).fault("g", Rule::Unknown);
        let fault = |index, field: &'static str, rule| Fault { index, field: field.into(), rule };
        assert_eq!(
            faults,
            [
                fault(Some(3), "b", Rule::Required),
                fault(Some(3), "c", Rule::AgeRange),
                fault(Some(3), "e", Rule::Type(Kind::Array)),
                fault(None, "g", Rule::Unknown),
            ]
        );
    }

    #[test]
    fn blank_text_can_count_as_nothing() {
        let given = |text: &str| Given::Value(text.to_owned());
        assert_eq!(given(" \t").blank_is_absent(), Given::Absent);
        assert_eq!(given("\u{3164} \u{200D}").blank_is_absent(), Given::Absent);
        assert_eq!(given("\u{200B}").blank_is_absent(), given("\u{200B}"));
        assert_eq!(given(" a ").blank_is_absent(), given(" a "));
        assert_eq!(Given::Wrong(Kind::Object).blank_is_absent(), Given::Wrong(Kind::Object));
        assert!(given("").is_present() && Given::<()>::Wrong(Kind::String).is_present());
        assert!(!Given::<()>::Absent.is_present());
    }
}
