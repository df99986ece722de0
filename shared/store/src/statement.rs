//! Statements, read from the billing record and the organization beside it.

use headcount_model::billing::{BillingError, Period, SeatCounts, Standing};
use headcount_model::credential::LookupFailed;
use headcount_model::grant::Grant;
use headcount_model::right::ReadBilling;
use headcount_model::statement::{Linked, Statement, Statements};

use crate::credentials::{decode, failure};
use crate::key::Key;
use crate::rows::{BillingRow, Malformed, OrganizationRow, fewer, proration};
use crate::table::Table;
use crate::transaction::text;

impl Statements for Table {
    async fn statement(
        &self,
        granted: Grant<'_, ReadBilling>,
    ) -> Result<Option<Statement>, LookupFailed> {
        let organization = granted.tenant();
        // The two lie beside each other: one call.
        let (billing, own) = (Key::billing(organization), Key::organization(organization));
        let found = self
            .client
            .query()
            .table_name(&*self.name)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND sk BETWEEN :billing AND :organization")
            .expression_attribute_values(":pk", text(billing.pk))
            .expression_attribute_values(":billing", text(&billing.sk))
            .expression_attribute_values(":organization", text(&own.sk))
            .send()
            .await
            .map_err(failure)?;
        let items = found.items.unwrap_or_default();
        let of = |sk: &str| {
            let is_at = |item: &&crate::transaction::Item| {
                item.get("sk").and_then(|value| value.as_s().ok()).is_some_and(|at| at == sk)
            };
            items.iter().find(is_at).cloned()
        };
        let (Some(billing), Some(own)) = (of(&billing.sk), of(&own.sk)) else { return Ok(None) };
        let own: OrganizationRow = decode(own)?;
        statement(own.name, decode(billing)?).map(Some).map_err(|error| {
            tracing::error!(%error, "a billing record could not be read");
            LookupFailed::Unavailable
        })
    }
}

fn statement(name: String, row: BillingRow) -> Result<Statement, Malformed> {
    let fewer = fewer(&row)?;
    let period = row
        .current_period_start
        .zip(row.current_period_end)
        .map(|(start, end)| Period { start, end });
    let past_due_since = row
        .past_due_since
        .map(|since| since.parse().map_err(|_| Malformed("past_due_since")))
        .transpose()?;
    let linked = match row.stripe_subscription.zip(row.subscription_status) {
        None => None,
        Some((id, status)) => Some(Linked {
            id,
            standing: Standing {
                status: status.parse().map_err(|_| Malformed("subscription_status"))?,
                collection_paused: row.collection_paused,
                cancel_at_period_end: row.cancel_at_period_end,
                period,
            },
            past_due_since,
        }),
    };
    Ok(Statement {
        name,
        customer: row.stripe_customer,
        subscription: linked,
        seats: SeatCounts { basic: row.seats_basic, premium: row.seats_premium },
        seats_left: row.seats_left,
        // Without a limit what is left counts down from one that nobody reaches.
        cents_left: row.spending_limit.and(row.cents_left),
        proration: proration(row.proration_behavior.as_deref())?,
        fewer,
        version: row.version,
        applied_version: row.applied_version,
        last_error: row.last_error.map(BillingError::from),
    })
}
