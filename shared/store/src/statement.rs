//! Statements, read from the billing record.

use headcount_model::billing::{BillingError, Period, SeatCounts, Standing};
use headcount_model::credential::LookupFailed;
use headcount_model::id::OrganizationId;
use headcount_model::statement::{Statement, Statements};

use crate::credentials::{decode, failure};
use crate::key::Key;
use crate::rows::{BillingRow, Malformed, fewer, proration};
use crate::table::Table;

impl Statements for Table {
    async fn statement(
        &self,
        organization: &OrganizationId,
    ) -> Result<Option<Statement>, LookupFailed> {
        let item = self.get(&Key::billing(organization)).await.map_err(failure)?;
        let Some(item) = item else { return Ok(None) };
        statement(decode(item)?).map_err(|error| {
            tracing::error!(%error, "a billing record could not be read");
            LookupFailed::Unavailable
        })
    }
}

fn statement(row: BillingRow) -> Result<Option<Statement>, Malformed> {
    let fewer = fewer(&row)?;
    let (Some(customer), Some(subscription), Some(status)) =
        (row.stripe_customer, row.stripe_subscription, row.subscription_status)
    else {
        return Ok(None);
    };
    let period = row
        .current_period_start
        .zip(row.current_period_end)
        .map(|(start, end)| Period { start, end });
    Ok(Some(Statement {
        customer,
        subscription,
        standing: Standing {
            status: status.parse().map_err(|_| Malformed("subscription_status"))?,
            cancel_at_period_end: row.cancel_at_period_end,
            period,
        },
        past_due_since: row
            .past_due_since
            .map(|since| since.parse().map_err(|_| Malformed("past_due_since")))
            .transpose()?,
        seats: SeatCounts { basic: row.seats_basic, premium: row.seats_premium },
        seats_left: row.seats_left,
        // Without a limit what is left counts down from one that nobody reaches.
        cents_left: row.spending_limit.and(row.cents_left),
        proration: proration(row.proration_behavior.as_deref())?,
        fewer,
        version: row.version,
        applied_version: row.applied_version,
        last_error: row
            .last_error
            .map(|error| BillingError { code: error.code, message: error.message }),
    }))
}
