//! Seats, billing record and idempotency record, in one transaction.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, Put, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem, Update,
};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use lambda_http::Error;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use validator::ValidationErrors;

use crate::seats::NewSeat;

const ROUTE: &str = "POST /accounts/create";

/// Why nothing was created.
pub enum Refused {
    Because(u16, &'static str),
    Invalid(Box<ValidationErrors>),
    Failed(Error),
}

impl Refused {
    pub const INVALID: Self = Self::Because(400, "invalid_request");
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for Refused {
    fn from(error: E) -> Self {
        Self::Failed(Box::new(error))
    }
}

#[derive(Serialize)]
pub struct Seat {
    pub id: String,
    pub status: &'static str,
    #[serde(flatten)]
    pub seat: NewSeat,
}

#[derive(Serialize)]
struct SeatRow<'s> {
    pk: String,
    sk: String,
    organization: &'s str,
    #[serde(flatten)]
    seat: &'s Seat,
    device_type: &'s str,
    created_at: &'s str,
    updated_at: &'s str,
}

#[derive(Serialize, Deserialize)]
struct Record {
    pk: String,
    sk: String,
    fingerprint: String,
    status: u16,
    body: String,
    expires_at: i64,
}

#[derive(Deserialize)]
struct BillingRow {
    subscription_status: Option<String>,
    seats_left: i64,
}

#[derive(Deserialize)]
struct Tier {
    name: String,
    unit_amount: u64,
    device_type: String,
}

/// A request that carries an idempotency key.
pub struct Keyed {
    name: String,
    fingerprint: String,
    expires_at: i64,
}

impl Keyed {
    pub fn new(
        organization: &str,
        key: &[u8],
        body: &[u8],
        secret: &[u8],
        now: DateTime<Utc>,
    ) -> Self {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("a key of any length will do");
        mac.update(body);
        Self {
            name: format!("{organization}#{ROUTE}#{}", hex::encode(Sha256::digest(key))),
            fingerprint: hex::encode(mac.finalize().into_bytes()),
            expires_at: now.timestamp() + 86_401,
        }
    }
}

pub struct Table {
    client: Client,
    name: String,
    tiers: Vec<Tier>,
    grace: TimeDelta,
    pub fingerprint_key: Vec<u8>,
}

fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

fn n(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn micros(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

impl Table {
    pub fn from_env(client: Client, name: String) -> Result<Self, Error> {
        Ok(Self {
            client,
            name,
            tiers: serde_json::from_str(&std::env::var("TIERS")?)?,
            grace: TimeDelta::days(std::env::var("PAST_DUE_GRACE_DAYS")?.parse()?),
            fingerprint_key: std::env::var("FINGERPRINT_KEY")?.into_bytes(),
        })
    }

    /// Commits all or nothing. Returns the answer that an earlier request of the same key left, if any.
    pub async fn commit(
        &self,
        organization: &str,
        seats: &[Seat],
        request: Option<&Keyed>,
        answer: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<String>, Refused> {
        let mut transaction = self.client.transact_write_items();
        if let Some(request) = request {
            transaction = transaction.transact_items(self.record(request, answer, now)?);
        }
        transaction = transaction.transact_items(self.billing(organization, seats, now)?);
        for seat in seats {
            transaction = transaction.transact_items(self.seat(organization, seat, now)?);
        }
        let Err(error) = transaction.send().await else { return Ok(None) };
        match error.into_service_error() {
            TransactWriteItemsError::TransactionCanceledException(cancelled) => {
                refusal(cancelled.cancellation_reasons(), request, seats).map(Some)
            }
            other => Err(other.into()),
        }
    }

    fn put(
        &self,
        row: impl Serialize,
        condition: &str,
        values: Option<HashMap<String, AttributeValue>>,
    ) -> Result<TransactWriteItem, Refused> {
        let put = Put::builder()
            .table_name(&self.name)
            .set_item(Some(serde_dynamo::to_item(row)?))
            .condition_expression(condition)
            .set_expression_attribute_values(values)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn record(
        &self,
        request: &Keyed,
        answer: &str,
        now: DateTime<Utc>,
    ) -> Result<TransactWriteItem, Refused> {
        let row = Record {
            pk: format!("IDEMPOTENCY#{}", request.name),
            sk: "IDEMPOTENCY".into(),
            fingerprint: request.fingerprint.clone(),
            status: 200,
            body: answer.to_owned(),
            expires_at: request.expires_at,
        };
        let values = HashMap::from([(":now".to_owned(), n(now.timestamp()))]);
        self.put(row, "attribute_not_exists(pk) OR expires_at <= :now", Some(values))
    }

    fn tier(&self, name: &str) -> Result<&Tier, Refused> {
        self.tiers.iter().find(|tier| tier.name == name).ok_or(Refused::INVALID)
    }

    fn seat(
        &self,
        organization: &str,
        seat: &Seat,
        now: DateTime<Utc>,
    ) -> Result<TransactWriteItem, Refused> {
        let now = micros(now);
        let row = SeatRow {
            pk: format!("ORG#{organization}"),
            sk: format!("SEAT#{}", seat.id),
            organization,
            seat,
            device_type: &self.tier(&seat.seat.tier)?.device_type,
            created_at: &now,
            updated_at: &now,
        };
        self.put(row, "attribute_not_exists(pk)", None)
    }

    fn billing(
        &self,
        organization: &str,
        seats: &[Seat],
        now: DateTime<Utc>,
    ) -> Result<TransactWriteItem, Refused> {
        let basic = seats.iter().filter(|seat| seat.seat.tier == "basic").count();
        let premium = seats.len() - basic;
        let cents = basic as u64 * self.tier("basic")?.unit_amount
            + premium as u64 * self.tier("premium")?.unit_amount;
        let update = Update::builder()
            .table_name(&self.name)
            .key("pk", s(format!("ORG#{organization}")))
            .key("sk", s("BILLING"))
            .update_expression(
                "SET seats_basic = seats_basic + :basic, seats_premium = seats_premium + :premium, \
                 seats_left = seats_left - :all, cents_left = if_not_exists(cents_left, :unlimited) - :cents, \
                 version = version + :one, behind_since = if_not_exists(behind_since, :now), \
                 behind_shard = :shard, updated_at = :now",
            )
            .condition_expression(
                "(subscription_status IN (:active, :trialing) OR (subscription_status = :past_due \
                 AND (attribute_not_exists(past_due_since) OR past_due_since > :cutoff))) AND seats_left >= :all \
                 AND (attribute_not_exists(cents_left) OR cents_left >= :cents)",
            )
            .expression_attribute_values(":basic", n(basic))
            .expression_attribute_values(":premium", n(premium))
            .expression_attribute_values(":all", n(seats.len()))
            .expression_attribute_values(":unlimited", n(1_000_000_000_000_000_000_i64))
            .expression_attribute_values(":cents", n(cents))
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":now", s(micros(now)))
            .expression_attribute_values(":shard", s(&organization[organization.len() - 1..]))
            .expression_attribute_values(":active", s("active"))
            .expression_attribute_values(":trialing", s("trialing"))
            .expression_attribute_values(":past_due", s("past_due"))
            .expression_attribute_values(":cutoff", s(micros(now - self.grace)))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}

fn refusal(
    reasons: &[CancellationReason],
    request: Option<&Keyed>,
    seats: &[Seat],
) -> Result<String, Refused> {
    let failed = |at: usize| {
        reasons.get(at).filter(|reason| reason.code() == Some("ConditionalCheckFailed"))
    };
    if let (Some(request), Some(reason)) = (request, failed(0)) {
        let kept: Record = serde_dynamo::from_item(reason.item().cloned().unwrap_or_default())?;
        if kept.fingerprint != request.fingerprint {
            return Err(Refused::Because(422, "idempotency_key_reused"));
        }
        return Ok(kept.body);
    }
    let Some(reason) = failed(usize::from(request.is_some())) else {
        return Err(Refused::Failed("the transaction was cancelled for another reason".into()));
    };
    let Some(item) = reason.item() else { return Err(Refused::Because(402, "no_billing")) };
    let row: BillingRow = serde_dynamo::from_item(item.clone())?;
    let active = row
        .subscription_status
        .as_deref()
        .is_some_and(|s| ["active", "trialing", "past_due"].contains(&s));
    if !active {
        return Err(Refused::Because(402, "no_billing"));
    }
    let short = usize::try_from(row.seats_left).unwrap_or(0) < seats.len();
    Err(Refused::Because(409, if short { "seat_limit_reached" } else { "spending_limit_reached" }))
}
