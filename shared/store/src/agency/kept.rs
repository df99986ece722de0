//! Accounts of agencies after their creation.

use headcount_model::agency::{AgencyAccountRecords, KeptAccount, KeptAgency};
use headcount_model::credential::LookupFailed;
use headcount_model::grant::Grant;
use headcount_model::id::AgencyAccountLcuid;
use headcount_model::right::{ListAgencyAccounts, ViewAgencyAccounts};

use crate::credentials::{decode, failure};
use crate::key::{AGENCY_ACCOUNT, Key};
use crate::rows::{AgencyAccountRow, AgencyRow, Malformed};
use crate::table::Table;
use crate::transaction::{Item, text};

impl AgencyAccountRecords for Table {
    async fn account(
        &self,
        granted: Grant<'_, ViewAgencyAccounts>,
        lcuid: &AgencyAccountLcuid,
    ) -> Result<Option<(KeptAccount, KeptAgency)>, LookupFailed> {
        let agency = granted.tenant().agency;
        // The two lie beside each other: one call.
        let (account_key, agency_key) = (Key::agency_account(agency, lcuid), Key::agency(agency));
        let mut items = self.get_both(&account_key, &agency_key).await?;
        let Some(account) = items.remove(&account_key) else { return Ok(None) };
        // Whoever has a token has an agency too.
        let agency = items.remove(&agency_key).ok_or(LookupFailed::Unavailable)?;
        Ok(Some((read::<AgencyAccountRow, _>(account)?, read::<AgencyRow, _>(agency)?)))
    }

    async fn accounts(
        &self,
        granted: Grant<'_, ListAgencyAccounts>,
        at_most: usize,
    ) -> Result<Option<(Vec<KeptAccount>, KeptAgency)>, LookupFailed> {
        let agency = Key::agency(granted.tenant().agency);
        let mut accounts: Vec<KeptAccount> = Vec::new();
        let mut from = None;
        loop {
            // The agency lies just behind its accounts.
            let query = self
                .client
                .query()
                .table_name(&*self.name)
                .consistent_read(true)
                .key_condition_expression("pk = :pk AND sk BETWEEN :accounts AND :agency")
                .expression_attribute_values(":pk", text(&agency.pk))
                .expression_attribute_values(":accounts", text(AGENCY_ACCOUNT))
                .expression_attribute_values(":agency", text(&agency.sk))
                .set_exclusive_start_key(from);
            let found = query.send().await.map_err(failure)?;
            let mut items = found.items.unwrap_or_default();
            from = found.last_evaluated_key;
            let own = if from.is_none() { items.pop() } else { None };
            for item in items {
                accounts.push(read::<AgencyAccountRow, _>(item)?);
            }
            if accounts.len() > at_most {
                return Ok(None);
            }
            if from.is_none() {
                // Whoever has a token has an agency too.
                let own = read::<AgencyRow, _>(own.ok_or(LookupFailed::Unavailable)?)?;
                let order = |a: &KeptAccount, b: &KeptAccount| {
                    (&a.created_at, &a.lcuid).cmp(&(&b.created_at, &b.lcuid))
                };
                accounts.sort_unstable_by(order);
                return Ok(Some((accounts, own)));
            }
        }
    }
}

/// Reads an item as what its row stands for.
fn read<R, T>(item: Item) -> Result<T, LookupFailed>
where
    R: serde::de::DeserializeOwned,
    T: TryFrom<R, Error = Malformed>,
{
    T::try_from(decode::<R>(item)?).map_err(|error| {
        tracing::error!(%error, "an agency or an account of one could not be read");
        LookupFailed::Unavailable
    })
}
