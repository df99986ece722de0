//! The Identity API: a module for each of its functions.

mod create_account;
mod delete_account;
mod delete_own_account;
mod end_session;
mod get_account;
mod get_own_account;
mod list_sessions;
mod open_session;
mod refresh_session;
mod update_account;
mod update_own_account;
