//! Where passwords are hashed.

use headcount_model::identity::{Hashing, Password, PasswordHash, Salt};
use tokio::task::spawn_blocking;

/// A thread of its own, where it holds up no answer of the table.
pub struct OwnThread;

impl Hashing for OwnThread {
    async fn hash(&self, password: Password, salt: Salt) -> Option<PasswordHash> {
        spawn_blocking(move || password.hash(&salt)).await.ok()?.ok()
    }

    async fn verify(&self, password: Password, hash: PasswordHash) -> Option<bool> {
        spawn_blocking(move || password.is_of(&hash)).await.ok()
    }
}
