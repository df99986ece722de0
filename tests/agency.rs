//! The Agency API: a module for each of its functions.

mod check_deletion;
mod check_token;
mod create_agency_account;
mod delete_agency_account;
mod get_agency_account;
mod list_accounts_of_agency;
mod list_agency_accounts;
mod update_agency_account;
