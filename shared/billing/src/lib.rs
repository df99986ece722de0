//! How seats are billed: Stripe is told absolute quantities until it agrees with the table.
//!
//! [`message`] is what travels on the queue, [`apply`](apply()) is the protocol, [`reconcile`]
//! looks whether it holds, [`stripe`] is the way to Stripe. What Stripe tells of its own accord
//! comes as a [`webhook`], and [`follow`](follow()) keeps it. Nothing here knows the table: it is behind
//! [`BillingLedger`](headcount_model::billing::BillingLedger) and
//! [`SubscriptionLedger`](headcount_model::billing::SubscriptionLedger).

mod apply;
pub mod cancel;
pub mod configuration;
mod follow;
pub mod message;
pub mod portal;
pub mod preview;
pub mod reconcile;
pub mod rotation;
pub mod stripe;
mod subscription;
mod until;
pub mod webhook;
mod worth;

pub use apply::{Applied, Failure, Prices, apply};
pub use follow::{Followed, Unanswered, follow, heed};
pub use subscription::{Item, StripeFailure, Subscription, Subscriptions, Unfit, Updated, reasons};
pub use until::Until;
pub use worth::Worth;
