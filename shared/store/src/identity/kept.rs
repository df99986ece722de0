//! Identity accounts after their creation.

use headcount_model::credential::LookupFailed;
use headcount_model::grant::Grant;
use headcount_model::id::AccountId;
use headcount_model::identity::{AccountRecords, AccountStatus, Found, KeptAccount, OwnAccounts};
use headcount_model::right::{OwnAccount, ReadAccounts};

use serde::de::DeserializeOwned;

use crate::credentials::{decode, failure};
use crate::key::Key;
use crate::rows::{AccountRow, ClosedAccountRow, Malformed};
use crate::table::Table;
use crate::transaction::Item;

impl OwnAccounts for Table {
    async fn own(
        &self,
        granted: Grant<'_, OwnAccount>,
    ) -> Result<Option<KeptAccount>, LookupFailed> {
        self.kept_account(granted.tenant()).await
    }
}

impl AccountRecords for Table {
    async fn account(
        &self,
        _: Grant<'_, ReadAccounts>,
        id: &AccountId,
    ) -> Result<Option<KeptAccount>, LookupFailed> {
        self.kept_account(id).await
    }
}

impl Table {
    /// An account as of now; `None` for one that is closed, as for one that never was.
    pub(super) async fn kept_account(
        &self,
        id: &AccountId,
    ) -> Result<Option<KeptAccount>, LookupFailed> {
        Ok(match self.found_account(id).await? {
            Some(Found::Open(account)) => Some(*account),
            Some(Found::Closed(_)) | None => None,
        })
    }

    /// What there is under an id as of now.
    pub(super) async fn found_account(
        &self,
        id: &AccountId,
    ) -> Result<Option<Found>, LookupFailed> {
        let item = self.get(&Key::account(id)).await.map_err(failure)?;
        let Some(item) = item else { return Ok(None) };
        let status = item.get("status").and_then(|status| status.as_s().ok());
        Ok(Some(if status.is_some_and(|status| status == AccountStatus::Closed.as_str()) {
            Found::Closed(read::<ClosedAccountRow, _>(item)?)
        } else {
            Found::Open(Box::new(read::<AccountRow, _>(item)?))
        }))
    }
}

/// Reads an item as what its row stands for.
fn read<R, T>(item: Item) -> Result<T, LookupFailed>
where
    R: DeserializeOwned,
    T: TryFrom<R, Error = Malformed>,
{
    T::try_from(decode::<R>(item)?).map_err(|error| {
        tracing::error!(%error, "an account could not be read");
        LookupFailed::Unavailable
    })
}
