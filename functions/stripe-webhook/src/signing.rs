//! The signing secrets, in a secret of Secrets Manager.

use headcount_billing::Unanswered;
use headcount_billing::rotation::SigningSecretSource;
use headcount_billing::webhook::SigningSecrets;
use headcount_platform::NamedSecret;
use secrecy::ExposeSecret;

/// The secret that holds them.
pub struct Kept(pub NamedSecret);

impl SigningSecretSource for Kept {
    async fn read(&self) -> Result<SigningSecrets, Unanswered> {
        let text = self.0.text().await.map_err(|error| Unanswered(error.to_string()))?;
        SigningSecrets::parse(text.expose_secret())
            .map_err(|error| Unanswered(format!("the signing secrets: {error}")))
    }
}
