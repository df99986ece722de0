//! Which endpoint answers which method and path.

use crate::{
    billing_portal,
    call::Call,
    customers,
    errors::{Answer, ApiError},
    events, invoice_items, invoices, new_subscription,
    params::Fields,
    preview, prices, products, subscription_items, subscriptions, webhooks,
};

/// Carries out one call.
pub(crate) fn execute(call: &mut Call, method: &str, path: &str, fields: Fields) -> Answer {
    let unrecognized = || ApiError::unrecognized_url(method, path);
    let resource = path.strip_prefix("/v1/").ok_or_else(unrecognized)?;
    let segments: Vec<&str> = resource.split('/').collect();
    match (method, segments.as_slice()) {
        ("POST", ["customers"]) => customers::create(call, fields),
        ("GET", ["customers"]) => customers::list(call, fields),
        ("GET", ["customers", id]) => customers::retrieve(call, fields, id),
        ("POST", ["customers", id]) => customers::update(call, fields, id),
        ("DELETE", ["customers", id]) => customers::delete(call, fields, id),

        ("POST", ["products"]) => products::create(call, fields),
        ("GET", ["products"]) => products::list(call, fields),
        ("GET", ["products", id]) => products::retrieve(call, fields, id),
        ("POST", ["products", id]) => products::update(call, fields, id),

        ("POST", ["prices"]) => prices::create(call, fields),
        ("GET", ["prices"]) => prices::list(call, fields),
        ("GET", ["prices", id]) => prices::retrieve(call, fields, id),
        ("POST", ["prices", id]) => prices::update(call, fields, id),

        ("POST", ["subscriptions"]) => new_subscription::create(call, fields),
        ("GET", ["subscriptions"]) => subscriptions::list(call, fields),
        ("GET", ["subscriptions", id]) => subscriptions::retrieve(call, fields, id),
        ("POST", ["subscriptions", id]) => subscriptions::update(call, fields, id),
        ("DELETE", ["subscriptions", id]) => subscriptions::cancel(call, fields, id),

        ("POST", ["subscription_items"]) => subscription_items::create(call, fields),
        ("GET", ["subscription_items"]) => subscription_items::list(call, fields),
        ("GET", ["subscription_items", id]) => subscription_items::retrieve(call, fields, id),
        ("POST", ["subscription_items", id]) => subscription_items::update(call, fields, id),
        ("DELETE", ["subscription_items", id]) => subscription_items::delete(call, fields, id),

        ("POST", ["invoices", "create_preview"]) => preview::create(call, fields),
        ("GET", ["invoices"]) => invoices::list(call, fields),
        ("GET", ["invoices", id]) => invoices::retrieve(call, fields, id),
        ("GET", ["invoices", id, "lines"]) => invoices::lines(call, fields, id),

        ("GET", ["invoiceitems"]) => invoice_items::list(call, fields),
        ("GET", ["invoiceitems", id]) => invoice_items::retrieve(call, fields, id),

        ("POST", ["billing_portal", "sessions"]) => billing_portal::create(call, fields),

        ("GET", ["events"]) => events::list(call, fields),
        ("GET", ["events", id]) => events::retrieve(call, fields, id),

        ("POST", ["webhook_endpoints"]) => webhooks::create(call, fields),
        ("GET", ["webhook_endpoints"]) => webhooks::list(call, fields),
        ("GET", ["webhook_endpoints", id]) => webhooks::retrieve(call, fields, id),
        ("POST", ["webhook_endpoints", id]) => webhooks::update(call, fields, id),
        ("DELETE", ["webhook_endpoints", id]) => webhooks::delete(call, fields, id),

        _ => Err(unrecognized()),
    }
}
