//! The Identity API: accounts with a unique e-mail address and a password.

mod change;
mod close;
mod create;
mod currency;
mod email;
mod kept;
mod language;
mod list;
mod log_in;
mod password;
mod refresh;
mod registry;
mod session;
mod settings;

pub use change::{
    AccountChanges, AccountCommit, AccountPatch, AccountPatchInput, ChangeRefusal, Changed,
    NotCommitted, PatchRequest, SettingsPatchInput, change,
};
pub use close::{
    AccountClosings, CloseCommit, CloseRequest, ClosedAccount, Found, Retention, close,
};
pub use create::{
    Account, AccountInput, AccountKind, Accounts, Commit, CommitRefusal, NewAccount, SettingsInput,
};
pub use currency::Currency;
pub use email::Email;
pub use kept::{AccountRecords, AccountStatus, KeptAccount, NotAdmitted, OwnAccounts};
pub use language::Language;
pub use list::{
    AccountFilter, AccountFilterInput, AccountLists, LISTED_STATUSES, ListedAccount, list_accounts,
};
pub use log_in::{
    Attempts, LogIn, LogInInput, LogIns, LoggedIn, NotLoggedIn, Opening, Tried, log_in,
};
pub use password::{Hashing, Password, PasswordHash, PasswordPolicy, Salt};
pub use refresh::{
    Asked as RefreshAsked, Committed as RefreshCommitted, NotRefreshed, Refresh, Refreshable,
    Refreshes, refresh,
};
pub use session::{
    ACCESS_LIFETIME, EndSession, ListedSession, NewTokens, NotEnded, REFRESH_LIFETIME, Session,
    SessionEndings, SessionId, SessionLists, Sessions, Tokens, list_sessions,
};
pub use settings::{Settings, TimeZone};
