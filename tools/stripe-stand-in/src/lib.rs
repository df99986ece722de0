//! A stateful stand-in for the part of Stripe's API that Headcount uses.
//!
//! [`Stripe`] is the account as a plain value: [`Stripe::handle`] takes a [`Request`] and the time
//! and gives a [`Reply`]. It has no clock and no socket, so that a simulation can own and replay
//! it. [`Server`] puts it behind HTTP on 127.0.0.1, where any Stripe client can use it.
//!
//! What it does like Stripe, where Stripe documents that, and what it leaves out: README.md.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that cannot go on should stop"))]

mod billing_cycle;
mod billing_portal;
mod calendar;
mod call;
mod connection;
mod control;
mod customers;
mod delivery;
mod errors;
mod events;
mod expand;
mod faults;
mod form;
mod idempotency;
mod ids;
mod invoice_items;
mod invoices;
mod items;
mod messages;
mod new_subscription;
mod outbox;
mod params;
mod preview;
mod prices;
mod products;
mod proration;
mod request_log;
mod routes;
mod server;
mod state;
mod state_file;
mod stripe;
mod subscription;
mod subscription_items;
mod subscriptions;
mod table;
mod views;
mod webhooks;

pub use crate::{
    faults::{Fault, FaultKind},
    messages::{Reply, Request},
    server::Server,
    stripe::Stripe,
    subscription::Status,
    webhooks::{WebhookPost, sign_webhook},
};
