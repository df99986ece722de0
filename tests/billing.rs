//! What follows a commit: the functions between the table, the queues and Stripe.

mod publish_changes;
mod reconcile_billing;
mod record_setup;
mod stripe_events;
mod stripe_webhook;
mod sync_billing;
