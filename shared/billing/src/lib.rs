//! How seats are billed: Stripe is told absolute quantities until it agrees with the table.
//!
//! [`message`] is what travels on the queue, [`apply`](apply()) is the protocol, [`stripe`] the
//! way to Stripe. Nothing here knows the table: it is behind
//! [`BillingLedger`](headcount_model::billing::BillingLedger).

mod apply;
pub mod message;
pub mod stripe;
mod subscription;

pub use apply::{Applied, Failure, Prices, apply};
pub use subscription::{Item, ItemTarget, StripeFailure, Subscription, Subscriptions};
