//! The schemas of the answers (JSON Schema 2020-12, as OpenAPI 3.1 has it), derived from the very
//! views that serialize them. The API reference is made of these; no function has them on board.

use headcount_model::billing::{ProrationBehavior, SubscriptionStatus};
use headcount_model::history::{FAILED, PARTLY, TOLD};
use headcount_model::id::{AccountId, AgencyAccountLcuid, AgencyLcuid, SeatId};
use headcount_model::identity::{ACCESS_LIFETIME, AccountStatus, Session, SessionId};
use headcount_model::seats::SeatStatus;
use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use crate::seats::billing::{CURRENCY, OrganizationView, QuoteView, SYNC_STATES, StatementView};
use crate::seats::deactivate::EitherView;
use crate::seats::history::{EntryView, ListView};
use crate::seats::keys::{ApiKeyView, CreatedApiKeyView, DeletedApiKeyView};
use crate::seats::list::ListedSeatView;
use crate::seats::manage::{ChangedView, PortalView};
use crate::seats::update::{UpdatedOneView, UpdatedSeveralView};
use crate::seats::{CreatedView, Success};
use crate::{agency, identity, seats, webhooks};

/// `POST /accounts/create`, 200.
pub fn created_seats() -> Value {
    of::<Success<CreatedView>>()
}

/// `POST /accounts/quote`, 200.
pub fn quote() -> Value {
    of::<Success<QuoteView>>()
}

/// `GET /billing`, 200.
pub fn billing() -> Value {
    of::<Success<StatementView<'static>>>()
}

/// `POST /org/api-key`, 200.
pub fn api_keys() -> Value {
    of::<Success<Vec<ApiKeyView<'static>>>>()
}

/// `POST /org/api-key/create`, 200.
pub fn created_api_key() -> Value {
    of::<Success<CreatedApiKeyView<'static>>>()
}

/// `POST /org/api-key/edit`, 200.
pub fn renamed_api_key() -> Value {
    of::<Success<ApiKeyView<'static>>>()
}

/// `POST /org/api-key/delete`, 200.
pub fn deleted_api_key() -> Value {
    of::<Success<DeletedApiKeyView<'static>>>()
}

/// `POST /billing/portal`, 200.
pub fn billing_portal() -> Value {
    of::<Success<PortalView<'static>>>()
}

/// `POST /billing/cancel` and `/billing/resume`, 200.
pub fn subscription_changed() -> Value {
    of::<Success<ChangedView>>()
}

/// `GET /org`, 200.
pub fn organizations() -> Value {
    of::<Success<[OrganizationView<'static>; 1]>>()
}

/// `GET /billing/history`, 200.
pub fn billing_history() -> Value {
    of::<ListView<EntryView<'static>>>()
}

/// `POST /accounts`, 200.
pub fn listed_seats() -> Value {
    of::<ListView<ListedSeatView<'static>>>()
}

/// `POST /accounts/update-info`, 200, of the form with `updates`.
pub fn updated_seats() -> Value {
    of::<Success<UpdatedSeveralView<'static>>>()
}

/// `POST /accounts/update-info`, 200, of the form with one account.
pub fn updated_seat() -> Value {
    of::<Success<UpdatedOneView<'static>>>()
}

/// `POST /billing/deactivate`, 200.
pub fn deactivated_seats() -> Value {
    of::<Success<EitherView<'static>>>()
}

/// A refusal of the Seats API.
pub fn seats_error() -> Value {
    of::<seats::ErrorBody>()
}

/// `POST /api/v3/accounts`, 200.
pub fn created_agency_account() -> Value {
    of::<agency::Success<'static>>()
}

/// `GET /api/v3/status`, 200.
pub fn done() -> Value {
    of::<agency::Done>()
}

/// `GET /api/v3/accounts/{lcuid}`, 200.
pub fn shown_agency_account() -> Value {
    of::<agency::kept::Shown<'static>>()
}

/// `GET /api/v3/accounts`, 200.
pub fn listed_agency_accounts() -> Value {
    of::<agency::kept::List<agency::kept::ListedView<'static>>>()
}

/// `GET /api/v3/agencies/{lcuid}/accounts`, 200.
pub fn told_agency_accounts() -> Value {
    of::<agency::kept::List<agency::kept::ToldView<'static>>>()
}

/// `GET /api/v3/objects/{lcuid}/can-be-deleted`, 200.
pub fn deletable() -> Value {
    of::<agency::kept::DeletableView>()
}

/// A refusal of the Agency API.
pub fn agency_error() -> Value {
    of::<agency::ErrorBody>()
}

/// `POST /v1/accounts`, 201.
pub fn created_account() -> Value {
    of::<identity::AccountView<'static>>()
}

/// `POST /v1/auth/login`, 200.
pub fn logged_in() -> Value {
    of::<identity::session::LoggedInView<'static>>()
}

/// `POST /v1/auth/refresh`, 200.
pub fn refreshed_session() -> Value {
    of::<identity::session::RefreshedView<'static>>()
}

/// `DELETE /v1/auth/session`, 200.
pub fn ended_session() -> Value {
    of::<identity::session::EndedView>()
}

/// `GET /v1/accounts`, 200.
pub fn listed_accounts() -> Value {
    of::<identity::list::PageView<identity::AccountView<'static>>>()
}

/// `GET /v1/auth/sessions`, 200.
pub fn listed_sessions() -> Value {
    of::<identity::list::PageView<identity::list::SessionView>>()
}

/// `DELETE /v1/account`, 200.
pub fn closed_account() -> Value {
    of::<identity::close::ClosedView<'static>>()
}

/// A refusal of the Identity API.
pub fn identity_error() -> Value {
    of::<identity::ErrorBody>()
}

/// `POST /webhooks/stripe`, 200.
pub fn received() -> Value {
    of::<webhooks::Received>()
}

/// A webhook that is not taken.
pub fn webhook_error() -> Value {
    of::<webhooks::ErrorBody>()
}

/// Where the document has a schema that others refer to: a client that is generated from it has one
/// type for it, called like it.
const COMPONENTS: &str = "#/components/schemas/";

/// A view's schema. Those of its parts are under `$defs`; what refers to them, refers to the
/// document's components.
fn of<T: JsonSchema>() -> Value {
    let mut settings = SchemaSettings::draft2020_12().for_serialize();
    settings.meta_schema = None;
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    RecursiveTransform(exact).transform(&mut schema);
    schema.remove("title");
    schema.to_value()
}

/// The published bodies are exact: what the view does not have is not there. And `uint`, which is no
/// format that OpenAPI's registry knows, says no more than the minimum that goes with it.
fn exact(schema: &mut Schema) {
    if schema.get("properties").is_some() {
        schema.insert("additionalProperties".to_owned(), false.into());
    }
    if schema.get("format").is_some_and(|format| format == "uint") {
        schema.remove("format");
    }
    let part = schema.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix("#/$defs/"));
    if let Some(name) = part {
        let component = format!("{COMPONENTS}{name}");
        schema.insert("$ref".to_owned(), component.into());
    }
    // A comment breaks its lines where the code does.
    if let Some(description) = schema.get("description").and_then(Value::as_str) {
        let description = description.replace('\n', " ");
        schema.insert("description".to_owned(), description.into());
    }
}

fn one_of<const N: usize>(values: [&str; N]) -> Schema {
    json_schema!({"type": "string", "enum": values.as_slice()})
}

/// A boundary of a billing period: `2026-02-03T18:12:47.000Z`, or `null`.
pub(crate) fn period_boundary(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": ["string", "null"], "format": "date-time"})
}

/// When a seat ends: `2026-02-03T18:12:47.000Z`.
pub(crate) fn ends_at(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "format": "date-time"})
}

/// What `sync.error.code` can be.
pub(crate) fn billing_error(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "enum": crate::seats::told_codes()})
}

pub(crate) fn yes(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "boolean", "const": true})
}

pub(crate) fn no(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "boolean", "const": false})
}

pub(crate) fn ok_status(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "integer", "const": 200})
}

pub(crate) fn error_status(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "integer", "minimum": 400, "maximum": 599})
}

pub(crate) fn success_message(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "const": "Success"})
}

/// The component `Tier`.
pub(crate) fn tier(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"$ref": format!("{COMPONENTS}Tier")})
}

pub(crate) fn seat_status(_: &mut SchemaGenerator) -> Schema {
    one_of(SeatStatus::NEW.map(SeatStatus::as_str))
}

pub(crate) fn any_seat_status(_: &mut SchemaGenerator) -> Schema {
    one_of(SeatStatus::ALL.map(SeatStatus::as_str))
}

pub(crate) fn subscription_status(_: &mut SchemaGenerator) -> Schema {
    one_of(SubscriptionStatus::ALL.map(SubscriptionStatus::as_str))
}

pub(crate) fn sync_state(_: &mut SchemaGenerator) -> Schema {
    one_of(SYNC_STATES)
}

pub(crate) fn outcome(_: &mut SchemaGenerator) -> Schema {
    one_of([TOLD, PARTLY, FAILED])
}

pub(crate) fn proration_behavior(_: &mut SchemaGenerator) -> Schema {
    one_of(ProrationBehavior::ALL.map(ProrationBehavior::as_str))
}

pub(crate) fn currency(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "const": CURRENCY})
}

/// The component `AccountType`.
pub(crate) fn account_kind(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"$ref": format!("{COMPONENTS}AccountType")})
}

pub(crate) fn account_status(_: &mut SchemaGenerator) -> Schema {
    one_of(AccountStatus::ALL.map(AccountStatus::as_str))
}

pub(crate) fn seat_id(_: &mut SchemaGenerator) -> Schema {
    ulid(SeatId::PREFIX)
}

pub(crate) fn seat_ids(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "array", "items": ulid(SeatId::PREFIX), "minItems": 1})
}

pub(crate) fn closed(_: &mut SchemaGenerator) -> Schema {
    one_of([AccountStatus::Closed.as_str()])
}

pub(crate) fn session_id(_: &mut SchemaGenerator) -> Schema {
    ulid(SessionId::PREFIX)
}

pub(crate) fn token(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "pattern": "^hc_[0-9a-hjkmnp-tv-z]{26}_[0-9a-f]{64}$"})
}

pub(crate) fn key_id(_: &mut SchemaGenerator) -> Schema {
    ulid("")
}

/// The text of an API key, or `null`.
pub(crate) fn key_text(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": ["string", "null"],
        "pattern": "^hc_[0-9a-hjkmnp-tv-z]{26}_[0-9a-f]{64}$",
    })
}

/// A day, or `null`.
pub(crate) fn nothing_yet(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": ["string", "null"], "format": "date"})
}

pub(crate) fn token_type(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "const": identity::session::TOKEN_TYPE})
}

pub(crate) fn expires_in(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "integer", "const": ACCESS_LIFETIME.as_secs()})
}

pub(crate) fn tokens_of_session(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "integer", "const": Session::TOKENS})
}

pub(crate) fn account_id(_: &mut SchemaGenerator) -> Schema {
    ulid(AccountId::PREFIX)
}

pub(crate) fn agency_account_lcuid(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "pattern": lcuid_pattern(AgencyAccountLcuid::PREFIX)})
}

pub(crate) fn agency_lcuid(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "pattern": lcuid_pattern(AgencyLcuid::PREFIX)})
}

pub(crate) fn agency_status(_: &mut SchemaGenerator) -> Schema {
    one_of([agency::kept::ACTIVE])
}

pub(crate) fn time(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "format": "date-time"})
}

pub(crate) fn sentences_by_field(generator: &mut SchemaGenerator) -> Schema {
    let sentences = generator.subschema_for::<Vec<String>>();
    json_schema!({"type": "object", "additionalProperties": sentences})
}

fn ulid(prefix: &str) -> Schema {
    json_schema!({"type": "string", "pattern": ulid_pattern(prefix)})
}

fn ulid_pattern(prefix: &str) -> String {
    format!("^{prefix}[0-9a-hjkmnp-tv-z]{{26}}$")
}

/// The pattern of the id of an identity account.
pub fn account_id_pattern() -> String {
    ulid_pattern(AccountId::PREFIX)
}

/// The pattern of an LCUID with a prefix, in either case of its UUID.
pub fn lcuid_pattern(prefix: &str) -> String {
    let digits = |count: usize| format!("[0-9A-Fa-f]{{{count}}}");
    let groups = [8, 4, 4, 4, 12].map(digits).join("-");
    format!("^{prefix}{groups}$")
}
