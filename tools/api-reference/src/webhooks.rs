//! The webhook endpoint in the document.

use headcount_api::webhooks::{NotAWebhook, Webhooks, received};
use headcount_api::{Failure, MAX_BODY, Transport, schema};
use headcount_billing::webhook::{BadSignature, NotAnEvent};

use crate::explained::{Said, Words, explained, worded};
use crate::json::{Json, object};
use crate::operation::{Api, Example, Op, Operation, Request, Success};
use crate::{body, explained};

const HERE: &[Op] = &[Op::StripeWebhook];

explained! { failures: Failure<NotAWebhook> => Said;
    Failure::Refused(_), refused(&BadSignature::Missing) => Some(("no_signature", HERE, Words {
        cause: "There is no `Stripe-Signature` header.",
        cure: "Only Stripe calls this endpoint.",
    }));
    Failure::Refused(_), refused(&BadSignature::Malformed) => Some(("malformed_signature", HERE, Words {
        cause: "The `Stripe-Signature` header has another form.",
        cure: "Look at what lies between Stripe and this endpoint: something rewrites headers.",
    }));
    Failure::Refused(_), refused(&BadSignature::Wrong) => Some(("wrong_signature", HERE, Words {
        cause: "None of the stack's signing secrets made the signature for these very bytes.",
        cure: "Put the endpoint's signing secret from Stripe's dashboard where `StripeWebhookSecretName` says.",
    }));
    Failure::Refused(_), refused(&BadSignature::OutOfTime) => Some(("old_signature", HERE, Words {
        cause: "The signature is right and its time more than 5 minutes away: a recording, or a clock that is wrong.",
        cure: "Nothing to do: Stripe signs every delivery anew.",
    }));
    Failure::Refused(_), refused(&NotAnEvent) => Some(("not_an_event", HERE, Words {
        cause: "The signature is right and the body is no event, or one about a subscription that it does not name.",
        cure: "Only Stripe calls this endpoint.",
    }));
    Failure::Transport(_), Failure::Transport(Transport::TooLarge(MAX_BODY)) =>
        Some(("payload_too_large", HERE, explained::TOO_LARGE));
    Failure::Unavailable, Failure::Unavailable => Some(("service_unavailable", HERE, Words {
        cause: "The table, Stripe or the signing secret did not answer in time.",
        cure: "Nothing to do: Stripe delivers again, for three days.",
    }));
    // A webhook has no fields of ours, no credential and no idempotency key, and a table that
    // throttles is one that did not answer.
    Failure::TooManyRequests, Failure::TooManyRequests => None;
    Failure::Faults(_), Failure::Faults(Vec::new()) => None;
    Failure::Unauthorized, Failure::Unauthorized => None;
    Failure::KeyReused, Failure::KeyReused => None;
}

fn refused(reason: &dyn std::fmt::Display) -> Failure<NotAWebhook> {
    Failure::Refused(NotAWebhook(reason.to_string()))
}

/// The endpoint that Stripe calls.
pub(crate) fn api() -> Api {
    Api {
        tag: "Stripe",
        description: "What Stripe calls; nobody else needs it.",
        operations: vec![webhook()],
        refusals: worded::<Webhooks>(failures()),
        error: ("WebhookError", Json::schema(schema::webhook_error())),
        schemas: vec![
            ("StripeEvent", event_schema()),
            ("Received", Json::schema(schema::received())),
        ],
    }
}

fn webhook() -> Operation {
    let answers =
        [updated(), paid()].map(|example| Example { body: body::of(&received()), ..example });
    Operation {
        op: Op::StripeWebhook,
        summary: "Take a webhook of Stripe",
        description: "An event `customer.subscription.*` makes the function ask Stripe how the subscription stands and \
                      record that; late, repeated and unordered events do no harm. Every other event, and \
                      subscriptions of nobody here, are acknowledged and nothing follows.",
        security: &[],
        parameters: &["StripeSignature"],
        success: Success {
            status: 200,
            description: "Taken, or nothing follows from it.",
            schema: "Received",
            headers: &[],
            examples: Vec::from(answers),
        },
        request: Some(Request { schema: "StripeEvent", examples: vec![updated(), paid()] }),
    }
}

fn event_schema() -> Json {
    object! {
        "type" => "object",
        "description" => "An event of Stripe's API (https://docs.stripe.com/api/events/object), as far as it is read.",
        "required" => ["id", "type"],
        "properties" => object! {
            "id" => object! { "type" => "string" },
            "type" => object! { "type" => "string" },
            "data" => object! { "type" => "object", "properties" => object! {
                "object" => object! { "type" => "object", "description" => "What it is about." },
            } },
        },
    }
}

fn updated() -> Example {
    let subscription = object! {
        "id" => "sub_1Pgc6tLkdIwHu7ixkTzWqPbV", "object" => "subscription", "status" => "past_due",
    };
    let body = object! {
        "id" => "evt_1PgcBnLkdIwHu7ix0vJ8Yx2D", "object" => "event", "type" => "customer.subscription.updated",
        "data" => object! { "object" => subscription },
    };
    Example::new("subscription_updated", "A subscription has changed", body)
}

fn paid() -> Example {
    let invoice = object! { "id" => "in_1PgcBnLkdIwHu7ixWlGqzKyE", "object" => "invoice" };
    let body = object! {
        "id" => "evt_1PgcBnLkdIwHu7ixqYt3C9sV", "object" => "event", "type" => "invoice.paid",
        "data" => object! { "object" => invoice },
    };
    Example::new("another_event", "Something else has happened", body)
}
