//! Where passwords are hashed.

use std::future::Future;

use headcount_model::identity::{Password, PasswordHash, Salt};
use tokio::task::spawn_blocking;

/// A place to hash a password, which takes the processor for tens of milliseconds.
pub trait Hashing: Sync {
    /// The hash; `None` when there is no memory for it.
    fn hash(
        &self,
        password: Password,
        salt: Salt,
    ) -> impl Future<Output = Option<PasswordHash>> + Send;
}

/// A thread of its own, where it holds up no answer of the table.
pub struct OwnThread;

impl Hashing for OwnThread {
    async fn hash(&self, password: Password, salt: Salt) -> Option<PasswordHash> {
        spawn_blocking(move || password.hash(&salt)).await.ok()?.ok()
    }
}
