//! Identity accounts after their creation.

use headcount_model::credential::LookupFailed;
use headcount_model::grant::Grant;
use headcount_model::id::AccountId;
use headcount_model::identity::{AccountRecords, AccountStatus, KeptAccount, OwnAccounts};
use headcount_model::right::{OwnAccount, ReadAccounts};

use crate::credentials::{decode, failure};
use crate::key::Key;
use crate::rows::AccountRow;
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
        let kept = self.kept_account(id).await?;
        Ok(kept.filter(|kept| kept.status != AccountStatus::Closed))
    }
}

impl Table {
    /// An account as of now.
    pub(super) async fn kept_account(
        &self,
        id: &AccountId,
    ) -> Result<Option<KeptAccount>, LookupFailed> {
        let item = self.get(&Key::account(id)).await.map_err(failure)?;
        item.map(read).transpose()
    }
}

fn read(item: Item) -> Result<KeptAccount, LookupFailed> {
    KeptAccount::try_from(decode::<AccountRow>(item)?).map_err(|error| {
        tracing::error!(%error, "an account could not be read");
        LookupFailed::Unavailable
    })
}
