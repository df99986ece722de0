//! Accounts of agencies after their creation.

use headcount_model::agency::{AgencyAccountRecords, KeptAccount, KeptAgency};
use headcount_model::credential::LookupFailed;
use headcount_model::grant::Grant;
use headcount_model::id::AgencyAccountLcuid;
use headcount_model::right::ViewAgencyAccounts;

use crate::credentials::decode;
use crate::key::Key;
use crate::rows::{AgencyAccountRow, AgencyRow, Malformed};
use crate::table::Table;
use crate::transaction::Item;

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
