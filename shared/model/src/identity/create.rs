//! Creating an identity account.

use std::future::Future;
use std::str::FromStr;

use jiff::Timestamp;

use super::{
    Currency, Email, Language, Password, PasswordHash, PasswordPolicy, Settings, TimeZone,
};
use crate::fault::{Fault, Form, Given, Rule};
use crate::id::AccountId;
use crate::idempotency::{Keyed, StoredAnswer};
use crate::text::Text;

/// Whose account it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountKind {
    /// A person.
    Individual,
    /// A business.
    Business,
}

impl AccountKind {
    /// Every kind.
    pub const ALL: [AccountKind; 2] = [AccountKind::Individual, AccountKind::Business];

    /// The kind as callers and the table write it.
    pub fn as_str(self) -> &'static str {
        match self {
            AccountKind::Individual => "individual",
            AccountKind::Business => "business",
        }
    }
}

impl FromStr for AccountKind {
    type Err = Rule;

    fn from_str(text: &str) -> Result<Self, Rule> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text.trim())
            .ok_or_else(|| Rule::OneOf(Self::ALL.map(|kind| kind.as_str().to_owned()).to_vec()))
    }
}

/// The fields of an account as a caller sent them.
#[derive(Default, Clone)]
#[allow(missing_docs)] // The fields are the published API's; CONTRACT section 3 describes them.
pub struct AccountInput {
    pub email: Given<String>,
    pub name: Given<String>,
    pub kind: Given<String>,
    pub password: Given<String>,
    pub settings: Given<SettingsInput>,
}

/// The preferences as a caller sent them.
#[derive(Default, Clone)]
#[allow(missing_docs)] // As above.
pub struct SettingsInput {
    pub currency: Given<String>,
    pub timezone: Given<String>,
    pub language: Given<String>,
}

/// A valid wish for an account.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// The address, unique over all accounts.
    pub email: Email,
    /// 1 to [`NewAccount::MAX_NAME`] characters.
    pub name: Text,
    /// Person or business.
    pub kind: AccountKind,
    /// The password, never stored.
    pub password: Password,
    /// The preferences.
    pub settings: Settings,
}

impl NewAccount {
    /// The longest name, in Unicode scalar values after trimming.
    pub const MAX_NAME: usize = 255;

    /// Checks every field.
    ///
    /// `faults` holds what the reader of the body has found already.
    ///
    /// # Errors
    /// Every fault, in the order of the published documentation.
    pub fn parse(
        input: AccountInput,
        policy: PasswordPolicy,
        mut faults: Vec<Fault>,
    ) -> Result<Self, Vec<Fault>> {
        let found_by_reader = std::mem::take(&mut faults);
        let mut form = Form::new(&mut faults);
        let email = form.required("email", input.email, |raw| Email::parse(&raw));
        let name = form.required("name", input.name, |raw| Text::line(&raw, 1..=Self::MAX_NAME));
        let kind = form.required("type", input.kind, |raw| raw.parse());
        let password = form.required("password", input.password, |raw| {
            Ok(Password::parse(&raw, policy, email.as_ref(), name.as_ref()))
        });
        let password = password.and_then(|parsed| {
            parsed
                .map_err(|rules| {
                    for rule in rules {
                        form.fault("password", rule);
                    }
                })
                .ok()
        });
        let settings = form.optional("settings", input.settings, Ok);
        let settings = parse_settings(&mut form, settings.unwrap_or_default());
        faults.extend(found_by_reader);
        match (email, name, kind, password) {
            (Some(email), Some(name), Some(kind), Some(password)) if faults.is_empty() => {
                Ok(Self { email, name, kind, password, settings })
            }
            _ => Err(faults),
        }
    }
}

fn parse_settings(form: &mut Form<'_>, input: SettingsInput) -> Settings {
    Settings {
        currency: form
            .optional("settings.currency", input.currency, |raw| Currency::parse(&raw))
            .unwrap_or_default(),
        timezone: form
            .optional("settings.timezone", input.timezone, |raw| TimeZone::parse(&raw))
            .unwrap_or_default(),
        language: form
            .optional("settings.language", input.language, |raw| Language::parse(&raw))
            .unwrap_or_default(),
    }
}

/// An account as it is created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Its address.
    pub email: Email,
    /// Its name.
    pub name: Text,
    /// Person or business.
    pub kind: AccountKind,
    /// The hash of its password.
    pub password_hash: PasswordHash,
    /// Its preferences.
    pub settings: Settings,
    /// When it was created.
    pub created_at: Timestamp,
}

/// One transaction: the account, the lock on its address, and the idempotency record.
#[derive(Debug, Clone)]
pub struct Commit<'a> {
    /// The account.
    pub account: &'a Account,
    /// Who creates it, as [`crate::audit::created_by`] has it.
    pub created_by: &'a str,
    /// The request and the answer to keep for its retries, when it has a key.
    pub record: Option<(&'a Keyed, &'a StoredAnswer)>,
    /// The time of the request.
    pub now: Timestamp,
}

/// Why an account could not be committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitRefusal {
    /// Another account has this address.
    EmailExists,
    /// The idempotency key belongs to a request with another body.
    KeyReused,
    /// The table is written to faster than it takes it; later is fine.
    Throttled,
    /// The table did not answer in time; what happened is unknown.
    Unavailable,
}

/// Where identity accounts are kept.
pub trait Accounts {
    /// Commits all of it or nothing. `Some` is the answer stored by an earlier commit of the
    /// same request: nothing was done now.
    ///
    /// # Errors
    /// [`CommitRefusal`].
    fn commit(
        &self,
        commit: Commit<'_>,
    ) -> impl Future<Output = Result<Option<StoredAnswer>, CommitRefusal>> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Given<String> {
        Given::Value(text.to_owned())
    }

    #[test]
    fn every_fault_comes_back_at_once() {
        let faults = NewAccount::parse(
            AccountInput {
                email: text("nobody"),
                kind: text("robot"),
                password: text("short"),
                settings: Given::Value(SettingsInput {
                    currency: text("XXXX"),
                    timezone: text("Mars"),
                    language: text("?"),
                }),
                ..AccountInput::default()
            },
            PasswordPolicy::default(),
            Vec::new(),
        )
        .expect_err("faults");
        let fields: Vec<_> = faults.iter().map(|fault| fault.field.as_ref()).collect();
        assert_eq!(
            fields,
            [
                "email",
                "name",
                "type",
                "password",
                "settings.currency",
                "settings.timezone",
                "settings.language"
            ]
        );
    }

    #[test]
    fn settings_fall_back_one_by_one() {
        let account = NewAccount::parse(
            AccountInput {
                email: text("owner@example.com"),
                name: text("Acme Inc."),
                kind: text("business"),
                password: text("secure_password_here"),
                settings: Given::Value(SettingsInput {
                    currency: text("EUR"),
                    ..SettingsInput::default()
                }),
            },
            PasswordPolicy::default(),
            Vec::new(),
        )
        .expect("valid");
        assert_eq!(account.settings.currency.as_str(), "EUR");
        assert_eq!(account.settings.timezone.as_str(), "UTC");
        assert_eq!(account.settings.language.as_str(), "en");
    }
}
