//! What the sender of a webhook is answered: `{"received":true}` or `{"error":{"message":…}}`.
//! People read it, in the list of deliveries of Stripe's dashboard; Stripe looks at the status.

use lambda_http::http::StatusCode;
use serde::Serialize;

use crate::dialect::{Answer, Dialect, Failure};
#[cfg(feature = "openapi")]
use crate::schema;
use crate::wording;

/// The dialect of webhooks.
pub struct Webhooks;

/// A request that is not a webhook of ours, with the reason as a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAWebhook(pub String);

/// What every webhook is answered that needs not come again, whether anything followed from it
/// or not.
pub fn received() -> Answer {
    Answer::new(StatusCode::OK, &Received { received: true })
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct Received {
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::yes"))]
    received: bool,
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct ErrorBody {
    error: ErrorView,
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "WebhookRefusal"))]
struct ErrorView {
    /// A sentence for a person.
    message: String,
}

fn error(status: StatusCode, message: impl Into<String>) -> Answer {
    Answer::new(status, &ErrorBody { error: ErrorView { message: message.into() } })
}

impl Dialect for Webhooks {
    type Refusal = NotAWebhook;

    fn word(failure: Failure<NotAWebhook>) -> Answer {
        match failure {
            Failure::Refused(NotAWebhook(reason)) => error(StatusCode::BAD_REQUEST, reason),
            Failure::Transport(transport) => error(transport.status(), transport.message()),
            Failure::Unavailable => {
                error(StatusCode::SERVICE_UNAVAILABLE, wording::UNAVAILABLE).retry_soon()
            }
            Failure::TooManyRequests => {
                error(StatusCode::TOO_MANY_REQUESTS, wording::TOO_MANY_REQUESTS).retry_soon()
            }
            // Webhooks have no fields of ours, no credential and no idempotency key; where one
            // of these is said of them all the same, it is the request that is not as it should.
            Failure::Faults(_) | Failure::Unauthorized | Failure::KeyReused => {
                error(StatusCode::BAD_REQUEST, "The request is not a webhook.")
            }
        }
    }
}
