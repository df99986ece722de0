//! Where it runs: the log of a function, its way to AWS, the secrets that its environment names, batches of
//! queues, and what is no event of its own.
//!
//! A function starts with [`start`]. What is chosen here and why, with figures, is in
//! `docs/adr/0010-start-up.md`.

mod aws;
mod batch;
mod event;
mod hashing;
mod log;
mod secret;

pub use aws::{Aws, BadTrustStore};
pub use batch::{NoMessageId, by_group, deliver_again};
pub use event::{Returned, Takes};
pub use hashing::OwnThread;
pub use secret::{NamedSecret, UnreadableSecret};

/// Starts the log and finds the way to AWS, both as the environment of a function says.
///
/// # Errors
/// [`BadTrustStore`].
pub async fn start() -> Result<Aws, BadTrustStore> {
    log::start();
    Aws::from_env().await
}
