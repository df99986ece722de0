//! Where it runs: the log of a function, and its way to AWS.
//!
//! A function starts with [`start`]. What is chosen here and why, with figures, is in
//! `docs/adr/0010-start-up.md`.

mod aws;
mod log;

pub use aws::{Aws, BadTrustStore};

/// Starts the log and finds the way to AWS, both as the environment of a function says.
///
/// # Errors
/// [`BadTrustStore`].
pub async fn start() -> Result<Aws, BadTrustStore> {
    log::start();
    Aws::from_env().await
}
