//! Stripe's billing portal, where whoever pays sees invoices and changes how they are paid
//! (<https://docs.stripe.com/api/customer_portal/sessions/create>).

use std::future::Future;

use headcount_model::cancellation::{CancellationRefusal, Cancellations};
use headcount_model::grant::Grant;
use headcount_model::idempotency::hex;
use headcount_model::port::{Entropy, random};
use headcount_model::right::ManageBilling;
use headcount_model::web_url::WebUrl;
use secrecy::SecretString;
use serde::Deserialize;

use crate::cancel::refused;
use crate::stripe::{Stripe, Transport};
use crate::subscription::StripeFailure;

/// Where sessions of the portal come from.
pub trait Portals {
    /// The address of a new session. Whoever has it acts for the customer, for some minutes.
    ///
    /// # Errors
    /// [`StripeFailure`].
    fn portal(
        &self,
        customer: &str,
        return_url: Option<&WebUrl>,
        key: &str,
    ) -> impl Future<Output = Result<SecretString, StripeFailure>> + Send;
}

#[derive(Deserialize)]
struct Session {
    url: String,
}

impl<T: Transport> Portals for Stripe<T> {
    async fn portal(
        &self,
        customer: &str,
        return_url: Option<&WebUrl>,
        key: &str,
    ) -> Result<SecretString, StripeFailure> {
        let mut form = vec![("customer".to_owned(), customer.to_owned())];
        form.extend(return_url.map(|url| ("return_url".to_owned(), url.as_str().to_owned())));
        let session: Session = self.post("/v1/billing_portal/sessions", &form, key).await?;
        Ok(session.url.into())
    }
}

/// Opens the portal for the organization. Nothing is kept of it.
///
/// # Errors
/// [`CancellationRefusal`], never that of a reused key.
pub async fn open(
    store: &impl Cancellations,
    stripe: &impl Portals,
    entropy: &impl Entropy,
    granted: Grant<'_, ManageBilling>,
    return_url: Option<&WebUrl>,
) -> Result<SecretString, CancellationRefusal> {
    let billed = store.billed(granted).await?.filter(|billed| !billed.has_ended);
    let customer = billed.and_then(|billed| billed.customer);
    let customer = customer.ok_or(CancellationRefusal::NoBilling)?;
    // Each session is a new one: an old one has lived its minutes.
    let key = format!("portal:{}", hex(&random::<16>(entropy)?));
    stripe.portal(&customer, return_url, &key).await.map_err(refused)
}
