//! The Seats API: a module for each of its functions.

mod cancel_billing;
mod create_api_key;
mod create_seats;
mod deactivate_seats;
mod delete_api_key;
mod get_billing;
mod get_billing_history;
mod get_organization;
mod list_api_keys;
mod list_seats;
mod open_billing_portal;
mod quote_seats;
mod resume_billing;
mod update_api_key;
mod update_seats;
