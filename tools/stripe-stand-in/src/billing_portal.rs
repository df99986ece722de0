//! Sessions of the billing portal. Source: <https://docs.stripe.com/api/customer_portal/sessions>.
//!
//! Stripe has no way to read one again, so none is kept. Where its address leads there is nothing here: what a
//! customer does in the portal is told to the control plane.

use serde_json::json;

use crate::{call::Call, customers, errors::Answer, params::Fields};

/// `POST /v1/billing_portal/sessions`
pub(crate) fn create(call: &mut Call, mut fields: Fields) -> Answer {
    let customer = fields.required_text("customer")?;
    let return_url = fields.text("return_url")?;
    let configuration = fields.text("configuration")?;
    let locale = fields.text("locale")?;
    fields.finish()?;
    customers::payer(call.state, "customer", &customer)?;
    let configuration = configuration.unwrap_or_else(|| "bpc_HcDefault".to_owned());
    let session = call.id("test_");
    Ok(json!({
        "id": call.id("bps_"),
        "object": "billing_portal.session",
        "configuration": configuration,
        "created": call.now,
        "customer": customer,
        "customer_account": null,
        "flow": null,
        "livemode": false,
        "locale": locale,
        "on_behalf_of": null,
        "return_url": return_url,
        "url": format!("https://billing.stripe.com/p/session/{session}"),
    }))
}
