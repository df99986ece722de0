//! POST /accounts/create, for requests of one transaction.

mod credentials;
mod seats;
mod table;

use chrono::Utc;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Error, Request, RequestExt, Response, run, service_fn, tracing};
use serde::Serialize;
use serde_json::json;
use ulid::Ulid;
use validator::Validate;

use crate::credentials::Credentials;
use crate::seats::CreateSeats;
use crate::table::{Keyed, Refused, Seat, Table};

const MOST_SEATS: usize = 98;
const MOST_BYTES: usize = 256 * 1024;

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let config = aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await;
    let client = aws_sdk_dynamodb::Client::new(&config);
    let name = std::env::var("TABLE_NAME")?;
    let credentials = &Credentials::new(client.clone(), name.clone());
    let table = &Table::from_env(client, name)?;
    run(service_fn(|request| handle(credentials, table, request))).await
}

async fn handle(
    credentials: &Credentials,
    table: &Table,
    request: Request,
) -> Result<Response<Body>, Error> {
    let request_id = request.lambda_context().request_id;
    let (status, body, replayed) = match create(credentials, table, &request).await {
        Ok((body, replayed)) => (StatusCode::OK, body, replayed),
        Err(refused) => refusal(refused)?,
    };
    tracing::info!(request_id, status = status.as_u16(), "answered");
    let mut response = Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .header("x-request-id", request_id);
    if replayed {
        response = response.header("idempotency-replayed", "true");
    }
    Ok(response.body(body.into())?)
}

#[derive(Serialize)]
struct View<'s> {
    id: &'s str,
    tier: &'s str,
    status: &'s str,
    platform: Option<&'s str>,
    username: Option<&'s str>,
}

async fn create(
    credentials: &Credentials,
    table: &Table,
    request: &Request,
) -> Result<(String, bool), Refused> {
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let organization = credentials.authenticate(header("authorization")).await?;
    if !header("content-type")
        .is_some_and(|value| value.to_lowercase().starts_with("application/json"))
    {
        return Err(Refused::Because(415, "unsupported_media_type"));
    }
    let body: &[u8] = request.body();
    if body.len() > MOST_BYTES {
        return Err(Refused::Because(413, "payload_too_large"));
    }
    let command: CreateSeats = serde_json::from_slice(body).map_err(|_| Refused::INVALID)?;
    command.validate().map_err(|errors| Refused::Invalid(Box::new(errors)))?;
    let (accounts, faults) = command.tidy();
    if !faults.is_empty() || accounts.len() > MOST_SEATS {
        return Err(Refused::Because(400, "invalid_request"));
    }

    let now = Utc::now();
    let seats: Vec<Seat> = accounts
        .into_iter()
        .map(|seat| Seat {
            id: format!("acc_{}", Ulid::generate().to_string().to_lowercase()),
            status: if seat.platform.is_some() { "pending" } else { "uninitialized" },
            seat,
        })
        .collect();
    let views: Vec<View> = seats
        .iter()
        .map(|Seat { id, status, seat }| View {
            id,
            tier: &seat.tier,
            status,
            platform: seat.platform.as_deref(),
            username: seat.username.as_deref(),
        })
        .collect();
    let views = serde_json::to_string(&views)?;
    let keyed = match request.headers().get("idempotency-key") {
        None => None,
        Some(key)
            if key.as_bytes().iter().all(u8::is_ascii_graphic)
                && !key.is_empty()
                && key.len() <= 255 =>
        {
            Some(Keyed::new(&organization, key.as_bytes(), body, &table.fingerprint_key, now))
        }
        Some(_) => return Err(Refused::INVALID),
    };
    let stored = table.commit(&organization, &seats, keyed.as_ref(), &views, now).await?;
    let replayed = stored.is_some();
    let accounts: serde_json::Value = serde_json::from_str(&stored.unwrap_or(views))?;
    let count = accounts.as_array().map_or(0, Vec::len);
    let answer = json!({
        "ok": true,
        "code": 200,
        "message": "Success",
        "data": {
            "message": format!("Successfully created {count} account(s)"),
            "successful": count,
            "failed": 0,
            "accounts": accounts,
        },
    });
    // `json!` sorts the keys, as the samples do: the peer's answer is the same JSON, not the same text.
    Ok((answer.to_string(), replayed))
}

fn refusal(refused: Refused) -> Result<(StatusCode, String, bool), Error> {
    let (status, error, errors) = match refused {
        Refused::Because(status, error) => (status, error, None),
        Refused::Invalid(errors) => (400, "invalid_request", Some(serde_json::to_value(errors)?)),
        Refused::Failed(error) => return Err(error),
    };
    let body =
        json!({"ok": false, "code": status, "message": error, "error": error, "errors": errors});
    Ok((StatusCode::from_u16(status)?, body.to_string(), false))
}
