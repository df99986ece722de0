//! What the tests stand on: the real functions and the real store, through the real AWS SDK, on
//! an embedded DynamoDB, with a clock and a random source that can be replayed.

pub mod agency;
pub mod billing;
mod call;
pub mod identity;
mod operations;
mod outbox;
mod ports;
pub mod runbook;
pub mod samples;
mod stage;
pub mod transport;
mod unauthorized;
mod wire;

pub use call::{Call, Reply};
pub use operations::{Access, Operations};
pub use outbox::outbox;
pub use ports::Ports;
pub use stage::{
    AgencyTenant, Item, LISTED, OwnTenant, PASSWORD, Stage, TABLE, plain_http, text_of, up_to,
    weak_hash,
};
pub use unauthorized::bad_credentials;
pub use wire::{Fault, Wire};
