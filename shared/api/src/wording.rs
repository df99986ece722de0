//! What the Seats and the Identity API call the rules, and how they explain them. The Agency
//! API has its own words.

use headcount_model::fault::{Fault, Kind, Rule, UrlRule};

use crate::dialect::Transport;

/// The stable name of a rule. Names never change; clients match on them.
pub(crate) fn code(rule: &Rule) -> &'static str {
    match rule {
        Rule::Required | Rule::RequiredInGroup => "required",
        Rule::Unknown => "unknown_field",
        Rule::Type(_) => "type",
        Rule::MinLength(_) => "min_length",
        Rule::MaxLength(_) => "max_length",
        Rule::ForbiddenCharacter(_) => "forbidden_character",
        Rule::Alphabet(_) => "alphabet",
        Rule::OneOf(_) => "one_of",
        Rule::Count { .. } => "count",
        Rule::KeywordLength(_) => "keyword_length",
        Rule::AgeRange => "age_range",
        Rule::DuplicateOf(_) => "duplicate",
        Rule::Url(UrlRule::Absolute) => "url",
        Rule::Url(UrlRule::Scheme) => "url_scheme",
        Rule::Url(UrlRule::UserInfo) => "url_user_info",
        Rule::Url(UrlRule::PrivateHost) => "url_private_address",
        Rule::Email => "email",
        Rule::Currency | Rule::WithdrawnCurrency { .. } => "iso_4217_currency",
        Rule::TimeZone => "iana_timezone",
        Rule::Language => "bcp_47_language",
        Rule::CommonPassword => "common_password",
        Rule::ContainsEmail => "contains_email",
        Rule::ContainsName => "contains_name",
        Rule::UnusableParent => "parent",
        Rule::IdempotencyKey => "idempotency_key",
        Rule::SeatId => "account_id",
        Rule::RepeatOf(_) => "duplicate",
        Rule::Beside(_) => "exclusive",
        Rule::CurrentPassword => "current_password",
        Rule::NoSuchSeat => "not_found",
        Rule::SeatHasEnded => "deactivated",
        Rule::Quote => "quote",
        Rule::Range { .. } => "range",
        Rule::KeyId => "api_key_id",
        Rule::KeyEnd => "key_end",
        Rule::Time => "time",
        Rule::Cursor => "cursor",
        Rule::NothingToChange => "nothing_to_change",
    }
}

/// What a rule asks of `field`, as a sentence.
pub(crate) fn sentence(field: &str, rule: &Rule) -> String {
    match rule {
        Rule::Required => format!("{field} is required."),
        Rule::RequiredInGroup => {
            format!("{field} is required: platform, username, pfp_url and keywords go together.")
        }
        Rule::Unknown => format!("{field} is not a field of this request."),
        Rule::Type(kind) => format!("{field} must be {}.", type_name(*kind)),
        Rule::MinLength(min) => format!("{field} must have at least {min} character(s)."),
        Rule::MaxLength(max) => format!("{field} must have at most {max} characters."),
        Rule::ForbiddenCharacter(c) => {
            format!("{field} must not contain the character U+{:04X}.", u32::from(*c))
        }
        Rule::Alphabet(alphabet) => format!("{field} may contain only {alphabet}."),
        Rule::OneOf(values) => format!("{field} must be one of: {}.", values.join(", ")),
        Rule::Count { min, max } => format!("{field} must have {min} to {max} entries."),
        Rule::KeywordLength(max) => {
            format!("Each of the comma-separated {field} must have 1 to {max} characters.")
        }
        Rule::AgeRange => format!("{field} must be two ages such as 18-24, at most 120."),
        Rule::DuplicateOf(first) => {
            format!("{field} and platform are those of account {first} of this request.")
        }
        Rule::Url(rule) => format!("{field} must be {}.", url_rule(*rule)),
        Rule::Email => format!("{field} must be one e-mail address such as owner@example.com."),
        Rule::Currency => {
            format!(
                "{field} must be the ISO 4217 code of a currency in use such as USD, in upper case."
            )
        }
        Rule::WithdrawnCurrency { code, successors: [] } => {
            format!("{field} is {code}, which ISO 4217 has withdrawn without a successor.")
        }
        Rule::WithdrawnCurrency { code, successors } => {
            format!(
                "{field} is {code}, which ISO 4217 has withdrawn; use {}.",
                successors.join(" or ")
            )
        }
        Rule::TimeZone => {
            format!("{field} must be an IANA time zone such as America/New_York.")
        }
        Rule::Language => format!("{field} must be a BCP 47 language tag such as en or pt-BR."),
        Rule::CommonPassword => format!("{field} is one of the most commonly used ones."),
        Rule::ContainsEmail => {
            format!("{field} must not contain the part of the email before the @.")
        }
        Rule::ContainsName => format!("{field} must not contain the name."),
        Rule::UnusableParent => format!("{field} is not a usable parent account."),
        Rule::IdempotencyKey => format!("{field} must be 1 to 255 visible ASCII characters."),
        Rule::SeatId => format!("{field} must be the id of an account, acc_…"),
        Rule::RepeatOf(first) => format!("{field} is the same as entry {first} of the list."),
        Rule::Beside(other) => format!("{field} must not be given beside {other}."),
        Rule::CurrentPassword => format!("{field} is not the password of this account."),
        Rule::NoSuchSeat => format!("{field} is no account of this organization."),
        Rule::SeatHasEnded => {
            format!("{field} is an account that has ended, which cannot be revoked.")
        }
        Rule::Quote => {
            format!("{field} is not a quote that this organization was given for these accounts.")
        }
        Rule::Range { min, max } => format!("{field} must be a whole number from {min} to {max}."),
        Rule::KeyId => {
            format!(
                "{field} must be the id of an API key: what is between the underscores of hc_<id>_<secret>."
            )
        }
        Rule::KeyEnd => format!(
            "{field} must be a time to come, such as 2031-01-31T00:00:00Z, and not behind the end of the key that gives it."
        ),
        Rule::Time => {
            format!("{field} must be a time with its zone, such as 2026-01-31T00:00:00Z.")
        }
        Rule::Cursor => format!("{field} is not one that was given out for this list."),
        Rule::NothingToChange => {
            format!("{field} names an account; give at least one field to change beside it.")
        }
    }
}

fn type_name(kind: Kind) -> &'static str {
    match kind {
        Kind::String => "a string",
        Kind::Object => "an object",
        Kind::Array => "an array",
        Kind::Boolean => "true or false",
        Kind::Integer => "a whole number",
    }
}

fn url_rule(rule: UrlRule) -> &'static str {
    match rule {
        UrlRule::Absolute => "an absolute URL such as https://example.com/a.jpg",
        UrlRule::Scheme => "an http or https URL",
        UrlRule::UserInfo => "a URL without user name and password",
        UrlRule::PrivateHost => {
            "a URL whose host is public: no private, loopback or link-local address and no local name"
        }
    }
}

/// A fault as one sentence, with the seat that it belongs to.
pub(crate) fn located(fault: &Fault) -> String {
    let sentence = sentence(&fault.field, &fault.rule);
    match fault.index {
        Some(index) => format!("accounts[{index}]: {sentence}"),
        None => sentence,
    }
}

/// The stable code of a request that cannot be read.
pub(crate) fn transport_code(transport: &Transport) -> &'static str {
    match transport {
        Transport::MalformedJson(_) | Transport::IdempotencyKey => "invalid_request",
        Transport::TooLarge(_) => "payload_too_large",
        Transport::NotJson | Transport::Encoded => "unsupported_media_type",
    }
}

/// Same key, other body.
pub(crate) const KEY_REUSED: &str =
    "This Idempotency-Key was used with another request body; nothing was done.";
/// Too fast.
pub(crate) const TOO_MANY_REQUESTS: &str = "Too many requests; try again shortly.";
/// No answer in time.
pub(crate) const UNAVAILABLE: &str =
    "The service could not complete the request in time; try again with the same Idempotency-Key.";
