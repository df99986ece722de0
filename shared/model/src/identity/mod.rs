//! The Identity API: accounts with a unique e-mail address and a password.

mod create;
mod currency;
mod email;
mod language;
mod password;
mod registry;
mod settings;

pub use create::{
    Account, AccountInput, AccountKind, Accounts, Commit, CommitRefusal, NewAccount, SettingsInput,
};
pub use currency::Currency;
pub use email::Email;
pub use language::Language;
pub use password::{Password, PasswordHash, PasswordPolicy, Salt};
pub use settings::{Settings, TimeZone};
