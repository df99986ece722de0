//! What is allowed.
//!
//! Everything here is pure: no network, no clock, no random source and no JSON. Time and
//! randomness come through the two ports of [`port`], stores implement the traits that each
//! use case names. The three published APIs meet here: [`seats`], [`agency`] and [`identity`]
//! each say what a valid command is and what carrying it out means.

pub mod agency;
pub mod api_key;
pub mod audit;
pub mod billing;
pub mod cancellation;
pub mod credential;
pub mod cursor;
pub mod fault;
pub mod fewer;
pub mod grant;
pub mod history;
pub mod id;
pub mod idempotency;
pub mod identity;
pub mod organization;
pub mod page;
pub mod policy;
pub mod port;
pub mod reconcile;
pub mod right;
pub mod seats;
pub mod statement;
pub mod text;
pub mod tiers;
pub mod web_url;
