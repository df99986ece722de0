//! Customers. Source: <https://docs.stripe.com/api/customers>.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    call::Call,
    errors::{Answer, ApiError},
    params::{Fields, Metadata},
    state::State,
    subscriptions,
    table::{Page, Row},
};

/// Who pays.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Customer {
    id: String,
    created: i64,
    deleted: bool,
    name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    description: Option<String>,
    default_payment_method: Option<String>,
    address: Option<Address>,
    metadata: Metadata,
    /// The currency of the first subscription, lower case.
    pub(crate) currency: Option<String>,
    /// Cents that the next invoice is lower (negative) or higher (positive) by.
    pub(crate) balance: i64,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Address {
    city: Option<String>,
    country: Option<String>,
    line1: Option<String>,
    line2: Option<String>,
    postal_code: Option<String>,
    state: Option<String>,
}

impl Row for Customer {
    const OBJECT: &'static str = "customer";
    fn id(&self) -> &str {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

impl Customer {
    pub(crate) fn view(&self) -> Value {
        if self.deleted {
            return json!({ "id": self.id, "object": "customer", "deleted": true });
        }
        json!({
            "id": self.id,
            "object": "customer",
            "address": self.address,
            "balance": self.balance,
            "created": self.created,
            "currency": self.currency,
            "customer_account": null,
            "default_source": null,
            "delinquent": false,
            "description": self.description,
            "discount": null,
            "email": self.email,
            "invoice_prefix": self.id.chars().rev().take(8).collect::<String>().to_uppercase(),
            "invoice_settings": {
                "custom_fields": null,
                "default_payment_method": self.default_payment_method,
                "footer": null,
                "rendering_options": null,
            },
            "livemode": false,
            "metadata": self.metadata,
            "name": self.name,
            "next_invoice_sequence": 1,
            "phone": self.phone,
            "preferred_locales": [],
            "shipping": null,
            "tax_exempt": "none",
            "test_clock": null,
        })
    }

    /// What an invoice repeats of its customer.
    pub(crate) fn contact(&self) -> (Option<&str>, Option<&str>) {
        (self.name.as_deref(), self.email.as_deref())
    }

    /// Takes the parameters that create and update share.
    fn apply(&mut self, fields: &mut Fields) -> Result<(), ApiError> {
        for (name, slot) in [
            ("name", &mut self.name),
            ("email", &mut self.email),
            ("phone", &mut self.phone),
            ("description", &mut self.description),
        ] {
            if let Some(value) = fields.clearable(name)? {
                *slot = value;
            }
        }
        if let Some(mut address) = fields.branch("address")? {
            self.address = Some(Address {
                city: address.text("city")?,
                country: address.text("country")?,
                line1: address.text("line1")?,
                line2: address.text("line2")?,
                postal_code: address.text("postal_code")?,
                state: address.text("state")?,
            });
            address.finish()?;
        }
        if let Some(method) = fields.text("payment_method")? {
            self.default_payment_method.get_or_insert(method);
        }
        if let Some(mut settings) = fields.branch("invoice_settings")? {
            if let Some(method) = settings.clearable("default_payment_method")? {
                self.default_payment_method = method;
            }
            settings.finish()?;
        }
        if let Some(balance) = fields.integer("balance")? {
            self.balance = balance;
        }
        fields.metadata()?.apply(&mut self.metadata);
        Ok(())
    }
}

/// The customer that a parameter names; one that was deleted is none.
pub(crate) fn payer<'a>(state: &'a State, param: &str, id: &str) -> Result<&'a Customer, ApiError> {
    let customer = state.customers.find_in(param, id)?;
    if customer.deleted {
        return Err(ApiError::no_such_in(param, Customer::OBJECT, id));
    }
    Ok(customer)
}

/// `POST /v1/customers`
pub(crate) fn create(call: &mut Call, mut fields: Fields) -> Answer {
    let mut customer = Customer { created: call.now, ..Customer::default() };
    customer.apply(&mut fields)?;
    fields.finish()?;
    customer.id = call.id("cus_");
    let view = customer.view();
    call.state.customers.insert(customer);
    Ok(view)
}

/// `GET /v1/customers/{id}`: also answers for a deleted one, as a stub.
pub(crate) fn retrieve(call: &mut Call, fields: Fields, id: &str) -> Answer {
    fields.finish()?;
    Ok(call.state.customers.find(id)?.view())
}

/// `POST /v1/customers/{id}`
pub(crate) fn update(call: &mut Call, mut fields: Fields, id: &str) -> Answer {
    let mut changed = call.state.customers.find(id)?.clone();
    if changed.deleted {
        return Err(ApiError::no_such(Customer::OBJECT, id));
    }
    changed.apply(&mut fields)?;
    fields.finish()?;
    let view = changed.view();
    *call.state.customers.find_mut(id)? = changed;
    Ok(view)
}

/// `GET /v1/customers`
pub(crate) fn list(call: &mut Call, mut fields: Fields) -> Answer {
    let page = Page::take(&mut fields)?;
    let email = fields.text("email")?;
    fields.finish()?;
    let rows = call.state.customers.iter().rev().filter(|customer| {
        !customer.deleted
            && email.as_ref().is_none_or(|email| customer.email.as_ref() == Some(email))
    });
    page.list("/v1/customers", rows, Customer::view)
}

/// `DELETE /v1/customers/{id}`: "Also immediately cancels any active subscriptions".
pub(crate) fn delete(call: &mut Call, fields: Fields, id: &str) -> Answer {
    fields.finish()?;
    let customer = call.state.customers.find_mut(id)?;
    if customer.deleted {
        return Err(ApiError::no_such(Customer::OBJECT, id));
    }
    customer.deleted = true;
    let view = customer.view();
    subscriptions::cancel_all_of(call, id);
    Ok(view)
}
