//! `POST /billing/portal`, `/billing/cancel` and `/billing/resume`: an organization sees to its own
//! subscription.

use headcount_model::cancellation::CancellationRefusal;
use headcount_model::credential::reveal;
use headcount_model::fault::{Fault, Form};
use headcount_model::idempotency::StoredAnswer;
use headcount_model::web_url::WebUrl;
use lambda_http::http::StatusCode;
use secrecy::SecretString;
use serde::Serialize;

use super::{Refusal, Success, keys};
use crate::dialect::{Answer, Failure};
use crate::fields::Fields;
use crate::json::Object;

/// The original's words.
const CANCELLED: &str = "Subscription will be cancelled at the end of the current billing period";

/// Reads the body of `POST /billing/cancel` and `/billing/resume`, which has no field.
///
/// # Errors
/// Every fault.
pub fn cancel_billing(body: Object) -> Result<(), Vec<Fault>> {
    keys::list_api_keys(body)
}

/// Reads the body of `POST /billing/portal`: where the portal's link leads back to.
///
/// # Errors
/// Every fault.
pub fn open_portal(body: Object) -> Result<Option<WebUrl>, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut fields = Fields::new(body);
    let given = fields.text("return_url");
    let url = Form::new(&mut faults).optional("return_url", given, |raw| WebUrl::parse(&raw));
    fields.refuse_rest(&mut faults);
    if faults.is_empty() { Ok(url) } else { Err(faults) }
}

/// A session of Stripe's billing portal.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "BillingPortal"))]
pub(crate) struct PortalView<'p> {
    /// Where the portal is. It works for some minutes, for whoever has it: hand it to nobody else.
    url: &'p str,
}

/// What became of the subscription.
#[derive(Serialize)]
#[cfg_attr(
    feature = "openapi",
    derive(schemars::JsonSchema),
    schemars(rename = "SubscriptionChanged")
)]
pub(crate) struct ChangedView {
    /// A sentence for a person.
    message: &'static str,
}

fn success(data: impl Serialize) -> Answer {
    Answer::new(StatusCode::OK, &Success { ok: true, code: 200, message: "Success", data })
}

/// The answer to `POST /billing/portal`.
pub fn portal(url: &SecretString) -> Answer {
    success(PortalView { url: reveal(url) })
}

/// The answer to `POST /billing/cancel`.
pub fn cancelled() -> StoredAnswer {
    success(ChangedView { message: CANCELLED }).kept()
}

/// The answer to `POST /billing/resume`.
pub fn resumed() -> StoredAnswer {
    success(ChangedView { message: "Subscription will continue" }).kept()
}

impl From<CancellationRefusal> for Failure<Refusal> {
    fn from(refusal: CancellationRefusal) -> Self {
        match refusal {
            CancellationRefusal::NoBilling => Failure::Refused(Refusal::NoBilling),
            CancellationRefusal::KeyReused => Failure::KeyReused,
            CancellationRefusal::Throttled => Failure::TooManyRequests,
            CancellationRefusal::Unavailable => Failure::Unavailable,
        }
    }
}
