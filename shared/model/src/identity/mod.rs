//! The Identity API: accounts with a unique e-mail address and a password.

mod create;
mod email;
mod password;
mod settings;

pub use create::{
    Account, AccountInput, AccountKind, Accounts, Commit, CommitRefusal, NewAccount, SettingsInput,
};
pub use email::Email;
pub use password::{Password, PasswordHash, PasswordPolicy, Salt};
pub use settings::{Currency, Language, Settings, TimeZone};
