//! `POST /org/api-key` and below: the organization's API keys.

use headcount_model::api_key::{ApiKey, KeyRefusal, NewKey, NewKeyInput};
use headcount_model::credential::{Credential, reveal};
use headcount_model::fault::{Fault, Form, Rule};
use headcount_model::id::CredentialId;
use headcount_model::idempotency::StoredAnswer;
use headcount_model::text::Text;
use jiff::Timestamp;
use lambda_http::http::StatusCode;
use secrecy::SecretString;
use serde::Serialize;

use super::history::iso;
use super::{Refusal, Success};
use crate::dialect::{Answer, Failure};
use crate::fields::Fields;
use crate::json::Object;
#[cfg(feature = "openapi")]
use crate::schema;

/// How the original calls the key that a request is about.
const KEY: &str = "apiKeyId";

/// Reads the body of `POST /org/api-key`, which has no field.
///
/// # Errors
/// Every fault.
pub fn list_api_keys(body: Object) -> Result<(), Vec<Fault>> {
    let mut faults = Vec::new();
    Fields::new(body).refuse_rest(&mut faults);
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// Reads the body of `POST /org/api-key/create`, sent with the key `giver` at `now`.
///
/// # Errors
/// Every fault.
pub fn create_api_key(
    body: Object,
    giver: &Credential,
    now: Timestamp,
) -> Result<NewKey, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut fields = Fields::new(body);
    let input = NewKeyInput {
        name: fields.text("name"),
        permissions: fields.texts("permissions"),
        expires_at: fields.text("expires_at"),
    };
    fields.refuse_rest(&mut faults);
    NewKey::parse(input, giver, now, faults)
}

/// Reads the body of `POST /org/api-key/edit`.
///
/// # Errors
/// Every fault.
pub fn rename_api_key(body: Object) -> Result<(CredentialId, Text), Vec<Fault>> {
    let mut faults = Vec::new();
    let mut fields = Fields::new(body);
    let (id, name) = (fields.text(KEY), fields.text("name"));
    let mut form = Form::new(&mut faults);
    let id = form.required(KEY, id, |text| key_id(&text));
    let name = form.required("name", name, |text| NewKey::name(&text));
    fields.refuse_rest(&mut faults);
    match (id, name) {
        (Some(id), Some(name)) if faults.is_empty() => Ok((id, name)),
        _ => Err(faults),
    }
}

/// Reads the body of `POST /org/api-key/delete`.
///
/// # Errors
/// Every fault.
pub fn delete_api_key(body: Object) -> Result<CredentialId, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut fields = Fields::new(body);
    let id = fields.text(KEY);
    let id = Form::new(&mut faults).required(KEY, id, |text| key_id(&text));
    fields.refuse_rest(&mut faults);
    match id {
        Some(id) if faults.is_empty() => Ok(id),
        _ => Err(faults),
    }
}

fn key_id(text: &str) -> Result<CredentialId, Rule> {
    CredentialId::parse(text).map_err(|_| Rule::KeyId)
}

/// An API key, without its text.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "ApiKey"))]
pub(crate) struct ApiKeyView<'k> {
    /// Names the key: what is between the underscores of `hc_<id>_<secret>`.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::key_id"))]
    id: &'k str,
    /// What the organization calls it.
    name: &'k str,
    /// When it was made. ISO 8601, UTC, with three decimals.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::time"))]
    created_at: String,
    /// What it allows.
    permissions: &'k [String],
    /// When it stops working; `null`: never.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::period_boundary"))]
    expires_at: Option<String>,
    /// The day on which it was used last; `null`, since that is not on record yet.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::nothing_yet"))]
    last_used_on: Option<&'static str>,
}

impl<'k> From<&'k ApiKey> for ApiKeyView<'k> {
    fn from(key: &'k ApiKey) -> Self {
        Self {
            id: key.id.as_str(),
            name: &key.name,
            created_at: iso(key.created_at),
            permissions: &key.permissions,
            expires_at: key.expires_at.map(iso),
            last_used_on: None,
        }
    }
}

/// An API key that was made.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "CreatedApiKey"))]
pub(crate) struct CreatedApiKeyView<'k> {
    #[serde(flatten)]
    made: ApiKeyView<'k>,
    /// The key itself, to be sent as bearer credential. It is shown this once: `null` where the answer is given
    /// again.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::key_text"))]
    key: Option<&'k str>,
}

/// What became of a key that was deleted.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "DeletedApiKey"))]
pub(crate) struct DeletedApiKeyView<'k> {
    /// A sentence for a person.
    message: &'static str,
    /// The key.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::key_id"))]
    id: &'k str,
}

fn success(data: impl Serialize) -> Answer {
    Answer::new(StatusCode::OK, &Success { ok: true, code: 200, message: "Success", data })
}

/// The answer to `POST /org/api-key`.
pub fn api_keys(keys: &[ApiKey]) -> Answer {
    success(keys.iter().map(ApiKeyView::from).collect::<Vec<_>>())
}

/// The answer to `POST /org/api-key/create`: with the text of the key, or as it is kept for retries.
pub fn created_api_key(key: &ApiKey, text: Option<&SecretString>) -> StoredAnswer {
    success(CreatedApiKeyView { made: key.into(), key: text.map(reveal) }).kept()
}

/// The answer to `POST /org/api-key/edit`.
pub fn renamed_api_key(key: &ApiKey) -> StoredAnswer {
    success(ApiKeyView::from(key)).kept()
}

/// The answer to `POST /org/api-key/delete`.
pub fn deleted_api_key(id: &CredentialId) -> StoredAnswer {
    success(DeletedApiKeyView { message: "API key deleted", id: id.as_str() }).kept()
}

impl From<KeyRefusal> for Failure<Refusal> {
    fn from(refusal: KeyRefusal) -> Self {
        match refusal {
            KeyRefusal::CallerRevoked => Failure::Unauthorized,
            KeyRefusal::Lacking(permission) => {
                Failure::Refused(Refusal::Forbidden(permission.as_str()))
            }
            KeyRefusal::Missing => Failure::Refused(Refusal::NoSuchKey),
            KeyRefusal::TooMany => Failure::Refused(Refusal::TooManyKeys),
            KeyRefusal::LastManager => Failure::Refused(Refusal::LastManager),
            KeyRefusal::KeyReused => Failure::KeyReused,
            KeyRefusal::Throttled => Failure::TooManyRequests,
            KeyRefusal::Unavailable => Failure::Unavailable,
        }
    }
}
