//! How callers see it.
//!
//! [`serve`](serve()) runs an [`Endpoint`] as a Lambda function: it takes the event from any
//! gateway, hands the endpoint an [`Incoming`] request, and words what comes back in the
//! endpoint's [`Dialect`]. The three dialects, with their wire types and views, are [`seats`],
//! [`agency`] and [`identity`]; [`webhooks`] is what Stripe is answered.

pub mod agency;
pub mod configuration;
mod dialect;
mod etag;
mod event;
mod fields;
mod form;
pub mod identity;
mod incoming;
mod json;
pub mod paging;
#[cfg(feature = "openapi")]
pub mod schema;
pub mod seats;
mod serve;
pub mod webhooks;
mod wording;

pub use dialect::{Answer, Dialect, Failure, Transport};
pub use event::GatewayEvent;
pub use incoming::{Incoming, MAX_BODY, MAX_SEATS_BODY, STRIPE_SIGNATURE};
pub use json::Object;
pub use serve::{Endpoint, answer, serve};
