//! Products. Source: <https://docs.stripe.com/api/products>.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    call::Call,
    errors::{Answer, ApiError},
    params::{Fields, Metadata},
    table::{Page, Row},
};

/// What is sold.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Product {
    id: String,
    created: i64,
    updated: i64,
    pub(crate) name: String,
    active: bool,
    description: Option<String>,
    metadata: Metadata,
}

impl Row for Product {
    const OBJECT: &'static str = "product";
    fn id(&self) -> &str {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

impl Product {
    pub(crate) fn view(&self) -> Value {
        json!({
            "id": self.id,
            "object": "product",
            "active": self.active,
            "created": self.created,
            "default_price": null,
            "description": self.description,
            "images": [],
            "livemode": false,
            "marketing_features": [],
            "metadata": self.metadata,
            "name": self.name,
            "package_dimensions": null,
            "shippable": null,
            "statement_descriptor": null,
            "tax_code": null,
            "type": "service",
            "unit_label": null,
            "updated": self.updated,
            "url": null,
        })
    }

    /// Takes the parameters of a new product; also those of `product_data` in a price. It has no
    /// id yet unless the caller chose one.
    pub(crate) fn take(call: &Call, fields: &mut Fields) -> Result<Self, ApiError> {
        let product = Self {
            id: fields.text("id")?.unwrap_or_default(),
            name: fields.required_text("name")?,
            active: fields.flag("active")?.unwrap_or(true),
            description: fields.text("description")?,
            metadata: fields.metadata()?.fresh(),
            created: call.now,
            updated: call.now,
        };
        if call.state.products.get(&product.id).is_some() {
            return Err(ApiError::refused_on("id", "Product already exists."));
        }
        Ok(product)
    }

    /// Keeps a new product.
    pub(crate) fn keep(mut self, call: &mut Call) -> Self {
        if self.id.is_empty() {
            self.id = call.id("prod_");
        }
        call.state.products.insert(self.clone());
        self
    }
}

/// `POST /v1/products`
pub(crate) fn create(call: &mut Call, mut fields: Fields) -> Answer {
    let product = Product::take(call, &mut fields)?;
    fields.finish()?;
    Ok(product.keep(call).view())
}

/// `GET /v1/products/{id}`
pub(crate) fn retrieve(call: &mut Call, fields: Fields, id: &str) -> Answer {
    fields.finish()?;
    Ok(call.state.products.find(id)?.view())
}

/// `POST /v1/products/{id}`
pub(crate) fn update(call: &mut Call, mut fields: Fields, id: &str) -> Answer {
    let mut product = call.state.products.find(id)?.clone();
    if let Some(name) = fields.text("name")? {
        product.name = name;
    }
    if let Some(active) = fields.flag("active")? {
        product.active = active;
    }
    if let Some(description) = fields.clearable("description")? {
        product.description = description;
    }
    fields.metadata()?.apply(&mut product.metadata);
    fields.finish()?;
    product.updated = call.now;
    let view = product.view();
    *call.state.products.find_mut(id)? = product;
    Ok(view)
}

/// `GET /v1/products`
pub(crate) fn list(call: &mut Call, mut fields: Fields) -> Answer {
    let page = Page::take(&mut fields)?;
    let active = fields.flag("active")?;
    let ids = fields.texts("ids")?;
    fields.finish()?;
    let rows = call.state.products.iter().rev().filter(|product| {
        active.is_none_or(|active| product.active == active)
            && (ids.is_empty() || ids.contains(&product.id))
    });
    page.list("/v1/products", rows, Product::view)
}
