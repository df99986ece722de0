//! What operators make: organizations, agencies, apps and credentials. Used by the command line
//! tool and by tests, never on the request path.

use aws_sdk_dynamodb::types::TransactWriteItem;
use headcount_model::agency::Agency;
use headcount_model::billing::SubscriptionStatus;
use headcount_model::credential::Credential;
use headcount_model::id::{AgencyLcuid, AppLcuid, OrganizationId, micros};
use headcount_model::text::Text;

use crate::key::Key;
use crate::rows::{AgencyRow, AppRow, BillingRow, CredentialRow, OrganizationRow};
use crate::table::Table;
use crate::transaction::{Condition, Refused, check, put};

/// The Stripe objects of an organization that is billed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StripeLink {
    /// `cus_…`
    pub customer: String,
    /// `sub_…`
    pub subscription: String,
    /// The subscription's status when it was linked.
    pub status: SubscriptionStatus,
}

/// Why nothing was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProvisionError {
    /// What it should belong to does not exist.
    NoSuch(&'static str),
    /// The table did not do it; nothing was made as far as is known.
    Unavailable,
}

impl std::fmt::Display for ProvisionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ProvisionError::NoSuch(what) => write!(f, "there is no such {what}"),
            ProvisionError::Unavailable => f.write_str("the table did not answer; see the log"),
        }
    }
}

impl std::error::Error for ProvisionError {}

/// The result of making something.
pub type Provisioned = Result<(), ProvisionError>;

impl Table {
    /// Makes an organization that may have `seat_limit` seats, with the Stripe objects that
    /// bill it, or without: then it cannot create seats.
    ///
    /// # Errors
    /// [`ProvisionError`].
    pub async fn create_organization(
        &self,
        id: &OrganizationId,
        name: &Text,
        link: Option<&StripeLink>,
        seat_limit: u64,
    ) -> Provisioned {
        let now = micros(self.clock.now());
        let organization = OrganizationRow {
            key: Key::organization(id),
            id: id.to_string(),
            name: name.to_string(),
            created_at: now.clone(),
        };
        let billing = BillingRow {
            key: Key::billing(id),
            organization: id.to_string(),
            stripe_customer: link.map(|link| link.customer.clone()),
            stripe_subscription: link.map(|link| link.subscription.clone()),
            subscription_status: link.map(|link| link.status.as_str().to_owned()),
            seats_basic: 0,
            seats_premium: 0,
            seat_limit,
            seats_left: seat_limit,
            version: 0,
            applied_version: 0,
            behind_since: None,
            behind_shard: None,
            last_error: None,
            updated_at: now,
        };
        self.provision(
            [
                put(self, &organization, Condition::absent()),
                put(self, &billing, Condition::absent()),
            ],
            "organization",
        )
        .await
    }

    /// Makes an agency.
    ///
    /// # Errors
    /// [`ProvisionError`].
    pub async fn create_agency(&self, agency: &Agency) -> Provisioned {
        let settings = agency.settings.clone();
        let row = AgencyRow {
            key: Key::agency(&agency.lcuid),
            lcuid: agency.lcuid.to_string(),
            name: agency.name.to_string(),
            inventory_item_class: settings.inventory_item_class,
            account_class: settings.account_class,
            inventory_item_class_description: settings.inventory_item_class_description,
            account_class_description: settings.account_class_description,
            created_at: micros(self.clock.now()),
        };
        self.provision([put(self, &row, Condition::absent())], "agency")
            .await
    }

    /// Makes an app of an agency.
    ///
    /// # Errors
    /// [`ProvisionError::NoSuch`] without the agency.
    pub async fn create_app(
        &self,
        lcuid: &AppLcuid,
        agency: &AgencyLcuid,
        name: &Text,
    ) -> Provisioned {
        let row = AppRow {
            key: Key::app(lcuid),
            lcuid: lcuid.to_string(),
            agency: agency.to_string(),
            name: name.to_string(),
            created_at: micros(self.clock.now()),
        };
        self.provision(
            [
                put(self, &row, Condition::absent()),
                check(self, &Key::agency(agency), exists()),
            ],
            "agency",
        )
        .await
    }

    /// Keeps a credential for a holder that exists.
    ///
    /// # Errors
    /// [`ProvisionError::NoSuch`] without the holder.
    pub async fn create_credential(&self, credential: &Credential) -> Provisioned {
        use headcount_model::credential::Holder;

        let row = CredentialRow::new(credential, self.clock.now());
        let put = put(self, &row, Condition::absent());
        match &credential.holder {
            Holder::Organization(id) => {
                let holder = check(self, &Key::organization(id), exists());
                self.provision([put, holder], "organization").await
            }
            Holder::App { app, agency } => {
                let belongs = Condition {
                    expression: "agency = :agency",
                    values: vec![(":agency", crate::transaction::text(agency.as_str()))],
                };
                let holder = check(self, &Key::app(app), belongs);
                self.provision([put, holder], "app of this agency").await
            }
            Holder::Administrator => self.provision([put], "holder").await,
        }
    }

    async fn provision(
        &self,
        actions: impl IntoIterator<Item = Result<TransactWriteItem, Refused>>,
        needed: &'static str,
    ) -> Provisioned {
        let actions = actions
            .into_iter()
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| ProvisionError::Unavailable)?;
        self.transact(actions).await.map_err(|refused| match refused {
            Refused::Conditions(_) => ProvisionError::NoSuch(needed),
            Refused::Throttled | Refused::Unavailable => ProvisionError::Unavailable,
        })
    }
}

fn exists() -> Condition {
    Condition {
        expression: "attribute_exists(pk)",
        values: Vec::new(),
    }
}
