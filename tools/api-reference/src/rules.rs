//! The rules that fields can break, explained to callers.

use headcount_api::agency::Agency;
use headcount_api::identity::{Identity, MAX_PAGE};
use headcount_api::seats::Seats;
use headcount_api::{Dialect, Failure};
use headcount_model::agency::NewAgencyAccount;
use headcount_model::fault::{Fault, Kind, Rule, UrlRule};
use headcount_model::identity::{AccountKind, NewAccount, PasswordPolicy};
use headcount_model::seats::{Keywords, MAX_SEATS_PER_REQUEST, Profile, Tier};
use serde_json::Value;

use crate::explained::explained;

/// The APIs that tell rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    /// `errors[].rule`
    Seats,
    /// A sentence in `errors`.
    Agency,
    /// `details[].rule`
    Identity,
}

/// The APIs whose fields can break a rule, each with such a field, and what helps.
type Cure = (&'static [(Of, &'static str)], &'static str);

const MORE: &str = "Send more. Lengths count Unicode scalar values, after trimming, in NFC; a password is not trimmed. \
    Text that shows nothing, such as a joiner alone, is empty.";
const LESS: &str = "Send less. Lengths count as for `min_length`.";
const DIGITS: &str =
    "Send digits alone, once, for a number within the limits that the message names.";
const LISTED: &str = "Send one of the values that the message lists, in that case.";

const PICTURE: &[(Of, &str)] = &[(Of::Seats, "pfp_url"), (Of::Agency, "website")];

explained! { all: Rule => Cure;
    Rule::Required, Rule::Required => (
        &[(Of::Seats, "tier"), (Of::Agency, "name"), (Of::Identity, "email")],
        "Give the field; `null` is no value for it. In the Agency API blank text is none either.",
    );
    Rule::RequiredInGroup, Rule::RequiredInGroup => (
        &[(Of::Seats, "keywords")],
        "Give all four fields of the group, or none.",
    );
    Rule::Unknown, Rule::Unknown => (
        &[(Of::Seats, "status"), (Of::Agency, "is_parent_account"), (Of::Identity, "id")],
        "Leave the field out. Look for a slip in its name.",
    );
    Rule::Type(_), Rule::Type(Kind::String) => (
        &[(Of::Seats, "tag"), (Of::Agency, "name"), (Of::Identity, "name")],
        "Send the JSON type that the message names.",
    );
    Rule::MinLength(_), Rule::MinLength(1) => (&[(Of::Seats, "tag")], MORE);
    Rule::MinLength(_), Rule::MinLength(PasswordPolicy::DEFAULT_MINIMUM) => (
        &[(Of::Identity, "password")],
        MORE,
    );
    Rule::MaxLength(_), Rule::MaxLength(Profile::MAX_TAG) => (&[(Of::Seats, "tag")], LESS);
    Rule::MaxLength(_), Rule::MaxLength(NewAgencyAccount::MAX_NAME) => (&[(Of::Agency, "name")], LESS);
    Rule::MaxLength(_), Rule::MaxLength(NewAccount::MAX_NAME) => (&[(Of::Identity, "name")], LESS);
    Rule::ForbiddenCharacter(_), Rule::ForbiddenCharacter('\u{202E}') => (
        &[(Of::Seats, "nick_name"), (Of::Agency, "name"), (Of::Identity, "name")],
        "Take the character out: control characters (newline and tab are allowed in `description`) and those that \
         hide text or change its direction are refused.",
    );
    Rule::Alphabet(_), Rule::Alphabet("A-Z a-z 0-9 . _ -") => (
        &[(Of::Seats, "username")],
        "Use the characters that the message names.",
    );
    Rule::OneOf(_), Rule::OneOf(Tier::ALL.map(|tier| tier.as_str().to_owned()).to_vec()) => (
        &[(Of::Seats, "tier")],
        LISTED,
    );
    Rule::OneOf(_), Rule::OneOf(AccountKind::ALL.map(|kind| kind.as_str().to_owned()).to_vec()) => (
        &[(Of::Identity, "type")],
        LISTED,
    );
    Rule::Count { .. }, Rule::Count { min: 1, max: MAX_SEATS_PER_REQUEST } => (
        &[(Of::Seats, "accounts")],
        "Send as many as the message says; split what is more over several requests.",
    );
    Rule::KeywordLength(_), Rule::KeywordLength(Keywords::MAX_LENGTH) => (
        &[(Of::Seats, "keywords")],
        "Shorten the keyword, or take the empty one out: `a,,b` has one.",
    );
    Rule::AgeRange, Rule::AgeRange => (
        &[(Of::Seats, "age_range")],
        "Send two ages in years, the lower one first.",
    );
    Rule::DuplicateOf(_), Rule::DuplicateOf(0) => (
        &[(Of::Seats, "username")],
        "Take one of the two seats out. Handles are the same whatever their case.",
    );
    Rule::Url(UrlRule::Absolute), Rule::Url(UrlRule::Absolute) => (PICTURE, "Send the whole URL.");
    Rule::Url(UrlRule::Scheme), Rule::Url(UrlRule::Scheme) => (PICTURE, "Use `https://` or `http://`.");
    Rule::Url(UrlRule::UserInfo), Rule::Url(UrlRule::UserInfo) => (
        PICTURE, "Take out what is before the `@`.",
    );
    Rule::Url(UrlRule::PrivateHost), Rule::Url(UrlRule::PrivateHost) => (
        PICTURE, "Name a host that can be reached from everywhere: with a public address, or two labels and more under a public domain.",
    );
    Rule::Email, Rule::Email => (
        &[(Of::Identity, "email")],
        "Send one address: at most 64 characters before the `@`, without quotes, and a domain of two or more labels \
         whose last is not a number. The domain may be internationalized.",
    );
    Rule::Currency, Rule::Currency => (
        &[(Of::Identity, "settings.currency")],
        "Send a code of money from the standard's list of 2026-01-01, not one of funds, metals, units of account or tests.",
    );
    Rule::WithdrawnCurrency { .. }, Rule::WithdrawnCurrency { code: "BGN", successors: &["EUR"] } => (
        &[(Of::Identity, "settings.currency")], "Send the code that the message names.",
    );
    Rule::TimeZone, Rule::TimeZone => (
        &[(Of::Identity, "settings.timezone")], "Send a name of the database, not an offset, an abbreviation or a file of an installation.",
    );
    Rule::Language, Rule::Language => (
        &[(Of::Identity, "settings.language")], "Send a tag of at most 64 characters and of subtags that IANA has registered; it begins with a language of two or three letters.",
    );
    Rule::CommonPassword, Rule::CommonPassword => (
        &[(Of::Identity, "password")], "Let the person choose another password.",
    );
    Rule::ContainsEmail, Rule::ContainsEmail => (
        &[(Of::Identity, "password")],
        "Let the person choose another password. A part of fewer than 4 characters does not count.",
    );
    Rule::ContainsName, Rule::ContainsName => (
        &[(Of::Identity, "password")], "As for `contains_email`.",
    );
    Rule::UnusableParent, Rule::UnusableParent => (
        &[(Of::Agency, "parent_account_lcuid")],
        "Name an account of the same agency that may have sub-accounts.",
    );
    // The header is refused before there are fields: `bad_idempotency_key` above.
    Rule::IdempotencyKey, Rule::IdempotencyKey => (&[], "");
    Rule::SeatId, Rule::SeatId => (
        &[(Of::Seats, "account_id")],
        "Send the `id` that the account was created with, to the letter.",
    );
    Rule::RepeatOf(_), Rule::RepeatOf(0) => (
        &[(Of::Seats, "account_ids[1]")],
        "Name each account once.",
    );
    Rule::Beside(_), Rule::Beside("account_id") => (
        &[(Of::Seats, "account_ids")],
        "Send one of the two fields.",
    );
    Rule::CurrentPassword, Rule::CurrentPassword => (
        &[(Of::Identity, "current_password")],
        "Send the password that the account has now, beside the new one.",
    );
    Rule::NoSuchSeat, Rule::NoSuchSeat => (
        &[(Of::Seats, "account_id")],
        "Name accounts of the organization whose API key it is.",
    );
    Rule::SeatHasEnded, Rule::SeatHasEnded => (
        &[(Of::Seats, "account_id")],
        "Revoke before `ends_at`. What has ended stays so.",
    );
    Rule::Quote, Rule::Quote => (
        &[(Of::Seats, "quote_id")],
        "Send the `quote_id` that this organization was given, for as many seats of each tier, to the letter.",
    );
    Rule::Range { .. }, Rule::Range { min: 1, max: 1_000 } => (
        &[(Of::Seats, "limit"), (Of::Agency, "per_page")],
        DIGITS,
    );
    Rule::Range { .. }, Rule::Range { min: 1, max: MAX_PAGE.into() } => (
        &[(Of::Identity, "limit")],
        DIGITS,
    );
    Rule::KeyId, Rule::KeyId => (
        &[(Of::Seats, "apiKeyId")],
        "Send the `id` that the list of keys has, never the key itself.",
    );
    Rule::KeyEnd, Rule::KeyEnd => (
        &[(Of::Seats, "expires_at")],
        "Send a later time, with `Z` or an offset. A key that ends gives no key that ends after it; left out, both end together.",
    );
    Rule::NothingToChange, Rule::NothingToChange => (
        &[(Of::Seats, "accountId")],
        "Give at least one field beside `accountId`.",
    );
    Rule::Time, Rule::Time => (
        &[(Of::Identity, "created_after")],
        "Send date, time and zone: `Z` or an offset, whose `+` is `%2B` in a URL.",
    );
    Rule::Cursor, Rule::Cursor => (
        &[(Of::Seats, "cursor"), (Of::Identity, "cursor")],
        "Send the `next_cursor` of the page before, to the letter, with the same API and the same filters. Begin again without one.",
    );
}

/// A rule as callers are told of it.
pub(crate) struct Told {
    /// `rule`; empty when only the Agency API tells it, which has none.
    pub(crate) code: String,
    /// The sentences of the Seats and the Identity API, each with the API's name.
    pub(crate) sentences: Vec<(&'static str, String)>,
    pub(crate) cure: &'static str,
}

/// Every rule. Samples of one rule that say the same about it are told together.
pub(crate) fn told() -> Vec<Told> {
    let mut rules: Vec<Told> = Vec::new();
    for (rule, (fields, cure)) in all() {
        for &(of, field) in fields {
            let (code, sentence) = tell(of, field, &rule);
            let code = code.unwrap_or_default();
            let sentence = (of.name(), sentence);
            match rules.last_mut() {
                Some(last) if last.cure == cure => {
                    // The Agency API has no codes; another one tells it.
                    if last.code.is_empty() {
                        last.code = code;
                    }
                    last.sentences.push(sentence);
                }
                _ => rules.push(Told { code, sentences: vec![sentence], cure }),
            }
        }
    }
    rules
}

/// The codes that an API has for rules, each once.
pub(crate) fn codes(of: Of) -> Vec<String> {
    let mut codes = Vec::new();
    for (rule, (fields, _)) in all() {
        let field = fields.iter().find(|(api, _)| *api == of);
        let code = field.and_then(|(_, field)| tell(of, field, &rule).0);
        codes.extend(code.filter(|code| !codes.contains(code)));
    }
    codes
}

impl Of {
    fn name(self) -> &'static str {
        match self {
            Of::Seats => "Seats",
            Of::Agency => "Agency",
            Of::Identity => "Identity",
        }
    }
}

/// What an API says when a field breaks a rule: the code, where it has one, and the sentence.
fn tell(of: Of, field: &'static str, rule: &Rule) -> (Option<String>, String) {
    let faults = vec![Fault { index: None, field: field.into(), rule: rule.clone() }];
    let (answer, list) = match of {
        Of::Seats => (Seats::word(Failure::Faults(faults)), "errors"),
        Of::Agency => (Agency::word(Failure::Faults(faults)), "errors"),
        Of::Identity => (Identity::word(Failure::Faults(faults)), "details"),
    };
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let told = &body[list][0];
    let sentence = told["message"].as_str().or(body["message"].as_str()).unwrap_or_default();
    (told["rule"].as_str().map(str::to_owned), sentence.to_owned())
}
