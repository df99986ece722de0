//! Bringing the tenants into a table, through the store as everything else.

use std::collections::BTreeSet;
use std::fmt;

use headcount_model::agency::{
    self, Agency as StoredAgency, AgencyAccount, AgencySettings, NewAgencyAccount,
};
use headcount_model::credential::{Credential, Credentials, Holder, Permission, Presented};
use headcount_model::id::{
    AccountId, AgencyAccountLcuid, AgencyLcuid, AppLcuid, OrganizationId, SeatId,
};
use headcount_model::idempotency::{FingerprintKey, Keyed, StoredAnswer};
use headcount_model::identity::{
    Account, AccountKind, AccountStatus, ClosedAccount, Email, Password, Salt, Session, SessionId,
    Settings,
};
use headcount_model::port::{Clock, Entropy, random};
use headcount_model::seats::Tier;
use headcount_model::text::Text;
use headcount_store::{
    Allowance, Limits, ProvisionError, Provisioned, SpendingLimit, StripeLink, Table,
};
use jiff::Timestamp;

use crate::file::{Agency, DemoTenants, Identity, OtherAgency};

/// The most seats that an organization may have that is not at its limit.
const SEAT_LIMIT: u64 = 100_000;

/// What a basic seat costs a month in US cents, as template.yaml has it.
const BASIC_CENTS: u64 = 4_000;

/// Why not every tenant is there now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeedError {
    /// The store did not do it.
    Provision(ProvisionError),
    /// Something of this id is there, and is not what the file says.
    Different(&'static str),
    /// An account, a record or randomness was not to be had.
    Unavailable,
}

impl fmt::Display for SeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SeedError::Provision(error) => error.fmt(f),
            SeedError::Different(what) => write!(f, "there is another {what} under a demo id"),
            SeedError::Unavailable => f.write_str("the table did not answer; see the log"),
        }
    }
}

impl std::error::Error for SeedError {}

impl From<ProvisionError> for SeedError {
    fn from(error: ProvisionError) -> Self {
        SeedError::Provision(error)
    }
}

/// Makes every tenant that the table does not have. To repeat it is harmless: what is there stays
/// as it is, seats and limits included.
///
/// `subscribe` gives an organization the Stripe objects that bill it; it is asked for those that
/// are billed and have none.
///
/// # Errors
/// Those of `subscribe`, and [`SeedError`]. What was made until then stays.
pub async fn seed<P, E>(
    table: &Table,
    ports: &P,
    tenants: &DemoTenants,
    subscribe: impl AsyncFn(&OrganizationId, &Text) -> Result<StripeLink, E>,
) -> Result<(), E>
where
    P: Clock + Entropy,
    E: From<SeedError>,
{
    let seeding = Seeding { table, ports };
    let (studio, unbilled) = (&tenants.seats, &tenants.seats_no_billing);
    let (full, spent) = (&tenants.seats_at_seat_limit, &tenants.seats_at_spending_limit);
    // Stripe lists what was made last first: there the one of the examples comes first.
    for (org, name, seat_limit, seat) in [
        (&full.org, &full.name, 0, None),
        (&spent.org, &spent.name, SEAT_LIMIT, Some(&spent.account)),
        (&studio.org, &studio.name, SEAT_LIMIT, None),
    ] {
        if !seeding.is_billed(org).await? {
            let link = subscribe(org, name).await?;
            match seat {
                None => seeding.organization(org, name, Some(&link), seat_limit).await?,
                Some(seat) => seeding.with_seat(org, name, &link, seat).await?,
            }
        }
    }
    seeding.organization(&unbilled.org, &unbilled.name, None, SEAT_LIMIT).await?;
    seeding.spends_nothing(&spent.org).await?;
    let all = [
        Permission::AccountsUpdate,
        Permission::AccountsCreate,
        Permission::AccountsDeactivate,
        Permission::BillingManage,
        Permission::KeysManage,
    ];
    // What is lacking to no key, no key is refused to give.
    let (_, not_to_update) = all.split_at(1);
    for (org, key, permissions) in [
        (&studio.org, &studio.api_key, &all[..]),
        (&unbilled.org, &unbilled.api_key, not_to_update),
        (&full.org, &full.api_key, not_to_update),
        (&spent.org, &spent.api_key, &all[..]),
    ] {
        seeding.api_key(org, key, permissions).await?;
    }
    seeding.api_key(&studio.org, &studio.api_key_without_permission, &[]).await?;
    seeding.deleted_api_key(&studio.org, &studio.deleted_api_key).await?;
    made(table.create_deactivated_seat(&studio.org, &studio.deactivated_account).await)?;
    seeding.agency(&tenants.agency).await?;
    seeding.other_agency(&tenants.other_agency).await?;
    seeding.identity(&tenants.identity).await?;
    seeding.taken_keys(tenants).await?;
    Ok(())
}

struct Seeding<'s, P> {
    table: &'s Table,
    ports: &'s P,
}

/// What is there already is fine.
fn made(provisioned: Provisioned) -> Result<(), SeedError> {
    match provisioned {
        Ok(()) | Err(ProvisionError::Exists(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

impl<P: Clock + Entropy> Seeding<'_, P> {
    async fn is_billed(&self, org: &OrganizationId) -> Result<bool, SeedError> {
        let row = self.table.billing_row(org).await?;
        Ok(row.is_some_and(|row| row.stripe_subscription.is_some()))
    }

    /// Makes an organization; one that is there is linked to its Stripe objects, if there are any.
    async fn organization(
        &self,
        org: &OrganizationId,
        name: &Text,
        link: Option<&StripeLink>,
        seat_limit: u64,
    ) -> Result<(), SeedError> {
        let allowance = Allowance { seats: seat_limit, spending: SpendingLimit::None };
        let created = self.table.create_organization(org, name, link, allowance).await;
        match (created, link) {
            (Err(ProvisionError::Exists(_)), Some(link)) => {
                Ok(self.table.link_subscription(org, link).await?)
            }
            (created, _) => made(created),
        }
    }

    /// Makes an organization that has a seat. Its subscription is told of the seat as any is that takes
    /// the place of another.
    async fn with_seat(
        &self,
        org: &OrganizationId,
        name: &Text,
        link: &StripeLink,
        seat: &SeatId,
    ) -> Result<(), SeedError> {
        self.organization(org, name, None, SEAT_LIMIT).await?;
        let seats = [(seat.clone(), Tier::Basic)];
        made(self.table.import_seats(org, &seats, BASIC_CENTS).await)?;
        self.table.link_subscription(org, link).await?;
        Ok(self.table.relink_subscription(org, &link.subscription, link).await?)
    }

    async fn spends_nothing(&self, org: &OrganizationId) -> Result<(), SeedError> {
        let spending = Some(SpendingLimit::Cents(0));
        Ok(self.table.set_limits(org, Limits { seats: None, spending }).await?)
    }

    async fn api_key(
        &self,
        org: &OrganizationId,
        key: &Presented,
        permissions: &[Permission],
    ) -> Result<(), SeedError> {
        self.credential(key, Holder::Organization(org.clone()), permissions).await
    }

    async fn credential(
        &self,
        presented: &Presented,
        holder: Holder,
        permissions: &[Permission],
    ) -> Result<(), SeedError> {
        let wanted: Credential =
            presented.issued_to(holder, BTreeSet::from_iter(permissions.iter().copied()));
        made(self.table.create_credential(&wanted).await)?;
        // A file whose secrets were changed must not seem to have been seeded.
        let kept = self.table.credential(presented).await;
        match kept.map_err(|_| SeedError::Unavailable)? {
            // One that was deleted stays so.
            Some(kept) if kept == (Credential { revoked: kept.revoked, ..wanted }) => Ok(()),
            _ => Err(SeedError::Different("credential")),
        }
    }

    async fn agency(&self, agency: &Agency) -> Result<(), SeedError> {
        let (lcuid, app) = (&agency.agency_lcuid, &agency.app_id);
        self.agency_with_app(lcuid, &agency.name, app).await?;
        let parent = &agency.parent_account_lcuid;
        self.account(lcuid, parent, "Demo Parent", true, None).await?;
        self.account(lcuid, &agency.plain_account_lcuid, "Demo Account", false, None).await?;
        self.account(lcuid, &agency.spare_account_lcuid, "Demo Spare", false, None).await?;
        let sub_account = &agency.sub_account_lcuid;
        self.account(lcuid, sub_account, "Demo Sub-Account", false, Some(parent)).await?;
        let holder = Holder::App { app: app.clone(), agency: lcuid.clone() };
        let all = [
            Permission::AgencyCreateAccounts,
            Permission::AgencyViewAccounts,
            Permission::AgencyUpdateDeleteAllAccounts,
        ];
        self.credential(&agency.token, holder.clone(), &all).await?;
        self.credential(&agency.token_without_permission, holder, &[]).await
    }

    async fn other_agency(&self, agency: &OtherAgency) -> Result<(), SeedError> {
        self.agency_with_app(&agency.agency_lcuid, &agency.name, &agency.app_id).await?;
        let (lcuid, parent) = (&agency.agency_lcuid, &agency.parent_account_lcuid);
        self.account(lcuid, parent, "Another Demo Parent", true, None).await
    }

    async fn agency_with_app(
        &self,
        lcuid: &AgencyLcuid,
        name: &Text,
        app: &AppLcuid,
    ) -> Result<(), SeedError> {
        let settings = AgencySettings::default();
        let agency = StoredAgency { lcuid: lcuid.clone(), name: name.clone(), settings };
        made(self.table.create_agency(&agency).await)?;
        made(self.table.create_app(app, lcuid, name).await)
    }

    async fn account(
        &self,
        agency: &AgencyLcuid,
        lcuid: &AgencyAccountLcuid,
        name: &'static str,
        is_parent_account: bool,
        parent: Option<&AgencyAccountLcuid>,
    ) -> Result<(), SeedError> {
        // A repetition would take another slug.
        if self.table.agency_account(agency, lcuid).await?.is_some() {
            return Ok(());
        }
        let name = Text::line(name, 1..=255).map_err(|_| SeedError::Different("name"))?;
        let account = AgencyAccount {
            lcuid: lcuid.clone(),
            agency: agency.clone(),
            new: NewAgencyAccount {
                name,
                description: None,
                website: None,
                parent: parent.cloned(),
            },
            is_parent_account,
            created_by: None,
            created_at: self.ports.now(),
        };
        let made = agency::create(self.table, self.ports, &account, None, |_, _| no_answer());
        made.await.map(|_| ()).map_err(|_| SeedError::Unavailable)
    }

    async fn identity(&self, identity: &Identity) -> Result<(), SeedError> {
        let all =
            [Permission::AccountsCreate, Permission::AccountsUpdate, Permission::AccountsDelete];
        self.credential(&identity.admin_token, Holder::Administrator, &all).await?;
        let powerless = &identity.admin_token_without_permission;
        self.credential(powerless, Holder::Administrator, &[]).await?;
        let (owner, suspended) = (&identity.account, &identity.suspended_account);
        for (id, email, name, status) in [
            (owner, &identity.email, "Demo Owner", AccountStatus::Active),
            (suspended, &identity.suspended_email, "Demo Suspended", AccountStatus::Suspended),
        ] {
            let account = self.identity_account(id, email, name, &identity.password)?;
            made(self.table.create_identity_account(&account, status).await)?;
        }
        let closed = &identity.closed_account;
        let left = ClosedAccount { id: closed.clone(), closed_at: self.ports.now() };
        made(self.table.keep_closed_account(&left).await)?;
        for (account, token) in [
            (owner, &identity.account_token),
            (suspended, &identity.suspended_account_token),
            (closed, &identity.closed_account_token),
        ] {
            let session = self.session(account, SessionId::of(token.id().clone()));
            let opened = Session { access_hash: *token.secret_hash(), ..session };
            made(self.table.create_session(&opened).await)?;
        }
        let token = &identity.account_refresh_token;
        let refreshable = self.session(owner, SessionId::of(token.id().clone()));
        let refreshable = Session { refresh_hash: *token.secret_hash(), ..refreshable };
        made(self.table.create_session(&refreshable).await)?;
        let ended = self.session(owner, identity.ended_session.clone());
        let ended = Session { ended_at: Some(self.ports.now()), ..ended };
        made(self.table.create_session(&ended).await)
    }

    /// A session that lasts for ever, and that no token opens.
    fn session(&self, account: &AccountId, id: SessionId) -> Session {
        Session {
            id,
            account: account.clone(),
            access_hash: [0; 32],
            refresh_hash: [0; 32],
            epoch: 0,
            created_at: self.ports.now(),
            access_until: Timestamp::MAX,
            refresh_until: Timestamp::MAX,
            ended_at: None,
        }
    }

    fn identity_account(
        &self,
        id: &AccountId,
        email: &Email,
        name: &'static str,
        password: &Password,
    ) -> Result<Account, SeedError> {
        let salt = Salt::new(self.ports).map_err(|_| SeedError::Unavailable)?;
        let hash = password.hash(&salt).map_err(|_| SeedError::Unavailable)?;
        let name = Text::line(name, 1..=255);
        Ok(Account {
            id: id.clone(),
            email: email.clone(),
            name: name.map_err(|_| SeedError::Different("name"))?,
            kind: AccountKind::Individual,
            password_hash: hash,
            settings: Settings::default(),
            created_at: self.ports.now(),
        })
    }

    /// The callers are those that the functions name in their records.
    /// A key of an organization that was deleted.
    async fn deleted_api_key(
        &self,
        org: &OrganizationId,
        key: &Presented,
    ) -> Result<(), SeedError> {
        let kept = key.issued_to(Holder::Organization(org.clone()), BTreeSet::new());
        made(self.table.create_credential(&Credential { revoked: true, ..kept }).await)
    }

    async fn taken_keys(&self, tenants: &DemoTenants) -> Result<(), SeedError> {
        let plain = &tenants.agency.plain_account_lcuid;
        let update = format!("PUT /api/v3/accounts/{plain}");
        let spare = &tenants.agency.spare_account_lcuid;
        let delete = format!("DELETE /api/v3/objects/{spare}");
        let owner = &tenants.identity.account;
        let patch = format!("PATCH /v1/accounts/{owner}");
        let of_administrators = &["POST /v1/accounts", &*patch];
        let of_agencies = &["POST /api/v3/accounts", &*update, &*delete];
        let of_seats = &[
            "POST /accounts/create",
            "POST /accounts/update-info",
            "POST /billing/deactivate",
            "POST /billing/cancel",
            "POST /billing/resume",
            "POST /org/api-key/create",
            "POST /org/api-key/edit",
            "POST /org/api-key/delete",
        ][..];
        for (caller, routes) in [
            (tenants.seats.org.as_str(), of_seats),
            (tenants.agency.app_id.as_str(), of_agencies),
            (tenants.identity.admin_token.id().as_str(), of_administrators),
            (owner.as_str(), &["PATCH /v1/account"]),
        ] {
            // Fingerprinted with a secret that is forgotten: no body is the one of the record.
            let secret = random::<32>(self.ports).map_err(|_| SeedError::Unavailable)?;
            let secret = FingerprintKey::new(&secret).map_err(|_| SeedError::Unavailable)?;
            let (key, now) = (&tenants.taken_idempotency_key, self.ports.now());
            for route in routes {
                let request = Keyed::new(caller, route, key, b"", &secret, now)
                    .map_err(|_| SeedError::Unavailable)?;
                let for_ever = Keyed { expires_at: Timestamp::MAX, ..request };
                made(self.table.take_idempotency_key(&for_ever).await)?;
            }
        }
        Ok(())
    }
}

/// What is answered to nobody. Without an idempotency key it is kept nowhere.
fn no_answer() -> StoredAnswer {
    StoredAnswer { status: 200, location: None, body: String::new() }
}
