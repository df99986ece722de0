//! The API reference, made from the code: the schemas of answers are derived from the views, those
//! of requests hold the model's limits, the examples of answers are what the views make of the
//! examples of requests, and every error is worded by the dialect that callers meet.
//!
//! [`openapi`] is docs/openapi.json and [`errors`] is docs/errors.md; `make openapi` writes both.

// Everything here is made of constants. One that does not do is a slip in this crate, and whoever
// runs it, be it the test that holds the documents against the code, has to see which.
#![allow(clippy::expect_used)]

mod agency;
mod body;
mod document;
mod errors_page;
mod explained;
mod fields;
mod identity;
mod json;
mod operation;
mod ports;
mod rules;
mod seats;
mod webhooks;

pub use agency::{AGENCY, PARENT};
pub use body::SLIP;
pub use explained::Refusal;
pub use identity::SESSION;
pub use operation::Op;
pub use seats::{ACCOUNTS, API_KEY_ID, DEFAULT_PLATFORMS};

/// The text of docs/openapi.json: OpenAPI 3.1, the same at each run.
pub fn openapi() -> String {
    let document = document::document(&apis());
    serde_json::to_string_pretty(&document).expect("JSON is text") + "\n"
}

/// The text of docs/errors.md, the same at each run.
pub fn errors() -> String {
    errors_page::page(&apis())
}

fn apis() -> [operation::Api; 4] {
    [seats::api(), agency::api(), identity::api(), webhooks::api()]
}
