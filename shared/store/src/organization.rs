//! Organizations, read by their own callers.

use headcount_model::credential::LookupFailed;
use headcount_model::grant::Grant;
use headcount_model::organization::{Organization, Organizations};
use headcount_model::right::ReadOrganization;

use crate::credentials::{decode, failure};
use crate::key::Key;
use crate::rows::OrganizationRow;
use crate::table::Table;

impl Organizations for Table {
    async fn organization(
        &self,
        granted: Grant<'_, ReadOrganization>,
    ) -> Result<Option<Organization>, LookupFailed> {
        let id = granted.tenant();
        let item = self.get(&Key::organization(id)).await.map_err(failure)?;
        let Some(item) = item else { return Ok(None) };
        let row: OrganizationRow = decode(item)?;
        Ok(Some(Organization { id: id.clone(), name: row.name }))
    }
}
