//! What operators make, look at and take back: organizations, agencies, apps and credentials.
//! Used by the command line tool and by tests, never on the request path.

use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use headcount_model::agency::{Agency, AgencyAccount};
use headcount_model::audit::Entry;
use headcount_model::billing::{Standing, SubscriptionStatus};
use headcount_model::credential::Credential;
use headcount_model::id::{
    AgencyAccountLcuid, AgencyLcuid, AppLcuid, CredentialId, OrganizationId, SeatId, micros,
};
use headcount_model::idempotency::{Keyed, StoredAnswer};
use headcount_model::identity::{Account, AccountStatus, ClosedAccount, Session};
use headcount_model::seats::{SeatStatus, Tier};
use headcount_model::text::Text;
use serde::de::DeserializeOwned;

use crate::api_keys::unlist;
use crate::key::Key;
use crate::limits::Allowance;
use crate::rows::{
    AccountRow, AgencyAccountRow, AgencyRow, ApiKeyRow, AppRow, AuditRow, BillingRow,
    ClosedAccountRow, CredentialRow, DirectoryRow, EmailRow, HolderRow, IdempotencyRow,
    ListedSessionRow, NO_SPENDING_LIMIT, OrganizationRow, SeatRow, SessionRow, behind_shard,
};
use crate::standing;
use crate::table::Table;
use crate::transaction::{
    Condition, Refused, Values, check, number, put, replace, text, unchanged, update,
};

/// The Stripe objects of an organization that is billed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StripeLink {
    /// `cus_…`
    pub customer: String,
    /// `sub_…`
    pub subscription: String,
    /// How the subscription stood when it was linked.
    pub standing: Standing,
}

/// Why nothing was made or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProvisionError {
    /// It exists already.
    Exists(&'static str),
    /// The organization is billed through other Stripe objects.
    OtherSubscription,
    /// Somebody else changes the same thing at the same time.
    Contended,
    /// As many accounts as there may be are one below the other: the lowest can be no parent.
    TooDeep,
    /// It, or what it should belong to, does not exist.
    NoSuch(&'static str),
    /// The table did not do it; nothing was made as far as is known.
    Unavailable,
}

impl std::fmt::Display for ProvisionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ProvisionError::Exists(what) => write!(f, "there is such {what} already"),
            ProvisionError::OtherSubscription => {
                f.write_str("the organization is linked to another subscription")
            }
            ProvisionError::Contended => {
                f.write_str("somebody else is changing it at the same time")
            }
            ProvisionError::TooDeep => write!(
                f,
                "accounts nest at most {} deep, and this one is on the last level",
                AgencyAccount::MAX_LEVELS
            ),
            ProvisionError::NoSuch(what) => write!(f, "there is no such {what}"),
            ProvisionError::Unavailable => f.write_str("the table did not answer; see the log"),
        }
    }
}

impl std::error::Error for ProvisionError {}

/// The result of making something.
pub type Provisioned = Result<(), ProvisionError>;

impl Table {
    /// Makes an organization with what it may have and the Stripe objects that bill it, or
    /// without these: then it cannot create seats.
    ///
    /// # Errors
    /// [`ProvisionError`].
    pub async fn create_organization(
        &self,
        id: &OrganizationId,
        name: &Text,
        link: Option<&StripeLink>,
        allowance: Allowance,
    ) -> Provisioned {
        let Allowance { seats: seat_limit, spending } = allowance;
        let now = micros(self.clock.now());
        let organization = OrganizationRow {
            key: Key::organization(id),
            id: id.to_string(),
            name: name.to_string(),
            created_at: now.clone(),
        };
        let directory = DirectoryRow {
            key: Key::directory(id),
            organization: id.to_string(),
            created_at: now.clone(),
        };
        let standing = link.map(|link| link.standing);
        let period = standing.and_then(|standing| standing.period);
        let billing = BillingRow {
            key: Key::billing(id),
            organization: id.to_string(),
            stripe_customer: link.map(|link| link.customer.clone()),
            stripe_subscription: link.map(|link| link.subscription.clone()),
            subscription_status: standing.map(|standing| standing.status.as_str().to_owned()),
            past_due_since: standing
                .filter(|standing| standing.status == SubscriptionStatus::PastDue)
                .map(|_| now.clone()),
            cancel_at_period_end: standing.is_some_and(|standing| standing.cancel_at_period_end),
            current_period_start: period.map(|period| period.start),
            current_period_end: period.map(|period| period.end),
            collection_paused: standing.is_some_and(|standing| standing.collection_paused),
            status_version: 0,
            seats_basic: 0,
            seats_premium: 0,
            seat_limit,
            seats_left: i64::try_from(seat_limit).unwrap_or(i64::MAX),
            spending_limit: spending.cents(),
            cents_left: spending.cents(),
            proration_behavior: None,
            version: 0,
            applied_version: 0,
            told_basic: None,
            told_premium: None,
            changed_by: None,
            changed_version: None,
            fewer_seats: None,
            seats_end: None,
            fewer_version: None,
            fewer_at: None,
            item_basic: None,
            item_premium: None,
            paced_until: None,
            attempt: None,
            behind_since: None,
            behind_shard: None,
            last_error: None,
            updated_at: now,
        };
        self.provision([
            (put(self, &organization, Condition::absent()), ProvisionError::Exists("organization")),
            (put(self, &billing, Condition::absent()), ProvisionError::Exists("billing record")),
            (put(self, &directory, Condition::absent()), ProvisionError::Exists("organization")),
        ])
        .await
    }

    /// Links an organization to the Stripe objects that bill it from now on. To repeat it is
    /// harmless; a link to another subscription stays as it is, because the seats that exist
    /// are billed there.
    ///
    /// # Errors
    /// [`ProvisionError::OtherSubscription`], or [`ProvisionError::NoSuch`] without the
    /// organization.
    pub async fn link_subscription(&self, id: &OrganizationId, link: &StripeLink) -> Provisioned {
        let unlinked = Condition {
            expression: "attribute_not_exists(stripe_subscription) \
                         OR stripe_subscription = :subscription"
                .into(),
            values: vec![(":subscription", text(&link.subscription))],
        };
        // The condition has the subscription among its values already.
        let mut values = link_values(link, micros(self.clock.now()));
        values.retain(|(name, _)| *name != ":subscription");
        let key = Key::billing(id);
        let linked = update(self, &key, &link_expression(link), unlinked, values);
        self.provision([
            (linked, ProvisionError::OtherSubscription),
            (check(self, &Key::organization(id), exists()), ProvisionError::NoSuch("organization")),
        ])
        .await
    }

    /// Links an organization to other Stripe objects in the place of `ended`, whose subscription
    /// bills nothing any more. What was remembered of that goes: its items, its pace and why it
    /// failed. It is a new version, so that the new subscription is told of the seats.
    ///
    /// # Errors
    /// [`ProvisionError::OtherSubscription`] when it is linked to neither, or
    /// [`ProvisionError::NoSuch`] without the organization.
    pub async fn relink_subscription(
        &self,
        id: &OrganizationId,
        ended: &str,
        link: &StripeLink,
    ) -> Provisioned {
        let still_linked = Condition {
            expression: "stripe_subscription = :ended".into(),
            values: vec![(":ended", text(ended))],
        };
        let mut values = link_values(link, micros(self.clock.now()));
        values.push((":shard", text(behind_shard(id))));
        let linked =
            update(self, &Key::billing(id), &relink_expression(link), still_linked, values);
        self.provision([
            (linked, ProvisionError::OtherSubscription),
            (check(self, &Key::organization(id), exists()), ProvisionError::NoSuch("organization")),
        ])
        .await
    }

    /// Keeps a basic seat of an organization that was given back the moment it was made: it is
    /// there, and counts nowhere.
    ///
    /// # Errors
    /// [`ProvisionError::Exists`].
    pub async fn create_deactivated_seat(&self, id: &OrganizationId, seat: &SeatId) -> Provisioned {
        let now = micros(self.clock.now());
        let row = SeatRow {
            deactivated_at: Some(now.clone()),
            ..bare_seat(id, seat, Tier::Basic, SeatStatus::Deactivated, now)
        };
        let put = put(self, &row, Condition::absent());
        self.provision([(put, ProvisionError::Exists("seat"))]).await
    }

    /// Keeps seats that a subscription bills already which the organization will be linked to, and
    /// counts them: as much as `cents` a month, so many as fit one transaction
    /// ([`Table::MOST_IMPORTED`]). No version is made, since nobody has to be told of them.
    ///
    /// # Errors
    /// [`ProvisionError::Contended`] when the organization has a subscription by now, or its limits
    /// leave no room.
    pub async fn import_seats(
        &self,
        id: &OrganizationId,
        seats: &[(SeatId, Tier)],
        cents: u64,
    ) -> Provisioned {
        let now = micros(self.clock.now());
        let of = |tier| seats.iter().filter(|(_, of)| *of == tier).count();
        let counted = update(
            self,
            &Key::billing(id),
            "SET seats_basic = seats_basic + :basic, seats_premium = seats_premium + :premium, \
             seats_left = seats_left - :all, \
             cents_left = if_not_exists(cents_left, :unlimited) - :cents, updated_at = :now",
            Condition {
                expression: "attribute_not_exists(stripe_subscription) AND seats_left >= :all \
                             AND (attribute_not_exists(cents_left) OR cents_left >= :cents)"
                    .into(),
                values: vec![(":all", number(seats.len())), (":cents", number(cents))],
            },
            vec![
                (":basic", number(of(Tier::Basic))),
                (":premium", number(of(Tier::Premium))),
                (":unlimited", number(NO_SPENDING_LIMIT)),
                (":now", text(&now)),
            ],
        );
        let rows = seats.iter().map(|(seat, tier)| {
            let row = bare_seat(id, seat, *tier, SeatStatus::Uninitialized, now.clone());
            (put(self, &row, Condition::absent()), ProvisionError::Exists("seat"))
        });
        let actions = std::iter::once((counted, ProvisionError::Contended)).chain(rows);
        self.provision(actions).await
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
        let put = put(self, &row, Condition::absent());
        self.provision([(put, ProvisionError::Exists("agency"))]).await
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
        self.provision([
            (put(self, &row, Condition::absent()), ProvisionError::Exists("app")),
            (check(self, &Key::agency(agency), exists()), ProvisionError::NoSuch("agency")),
        ])
        .await
    }

    /// Keeps a credential for a holder that exists.
    ///
    /// # Errors
    /// [`ProvisionError::NoSuch`] without the holder.
    pub async fn create_credential(&self, credential: &Credential) -> Provisioned {
        use headcount_model::credential::Holder;

        let row = CredentialRow::new(credential, self.clock.now());
        let kept = (put(self, &row, Condition::absent()), ProvisionError::Exists("credential"));
        match &credential.holder {
            Holder::Organization(id) => {
                let holder = check(self, &Key::organization(id), exists());
                let holder = (holder, ProvisionError::NoSuch("organization"));
                // One that is revoked from the start is in no list of keys.
                let listed = (!credential.revoked).then(|| {
                    let row = ApiKeyRow::unnamed(id, row);
                    let put = put(self, &row, Condition::absent());
                    (put, ProvisionError::Exists("credential"))
                });
                self.provision([kept, holder].into_iter().chain(listed)).await
            }
            Holder::App { app, agency } => {
                let belongs = Condition {
                    expression: "agency = :agency".into(),
                    values: vec![(":agency", crate::transaction::text(agency.as_str()))],
                };
                let holder = check(self, &Key::app(app), belongs);
                self.provision([kept, (holder, ProvisionError::NoSuch("app of this agency"))]).await
            }
            Holder::Administrator => self.provision([kept]).await,
        }
    }

    /// Keeps an identity account that stands as it is told, for demos and tests.
    ///
    /// # Errors
    /// [`ProvisionError::Exists`] when the account is there, or another one with its address.
    pub async fn create_identity_account(
        &self,
        account: &Account,
        status: AccountStatus,
    ) -> Provisioned {
        let lock = EmailRow::new(&account.email, &account.id);
        let row = AccountRow { status: status.as_str().to_owned(), ..AccountRow::from(account) };
        self.provision([
            (put(self, &lock, Condition::absent()), ProvisionError::Exists("account")),
            (put(self, &row, Condition::absent()), ProvisionError::Exists("account")),
        ])
        .await
    }

    /// Keeps what is left of an identity account that never was, for demos and tests.
    ///
    /// # Errors
    /// [`ProvisionError::Exists`] when there is such an account, or was.
    pub async fn keep_closed_account(&self, closed: &ClosedAccount) -> Provisioned {
        let put = put(self, &ClosedAccountRow::new(closed, 1), Condition::absent());
        self.provision([(put, ProvisionError::Exists("account"))]).await
    }

    /// Keeps a session that was opened by no log-in, for demos and tests.
    ///
    /// # Errors
    /// [`ProvisionError::Exists`] when it is there.
    pub async fn create_session(&self, session: &Session) -> Provisioned {
        let put = put(self, &SessionRow::from(session), Condition::absent());
        // One that was ended is in no list.
        let listed = session.ended_at.is_none();
        let listed = listed.then(|| replace(self, &ListedSessionRow::new(session, None)));
        let listed = listed.map(|listed| (listed, ProvisionError::Unavailable));
        let kept = [(put, ProvisionError::Exists("session"))];
        self.provision(kept.into_iter().chain(listed)).await
    }

    /// Takes a credential back, for good. A warm process may believe it for 30 s more. To
    /// repeat it is harmless.
    ///
    /// # Errors
    /// [`ProvisionError::NoSuch`] without the credential.
    pub async fn revoke_credential(&self, id: &CredentialId) -> Provisioned {
        let revoked = update(
            self,
            &Key::credential(id),
            "SET revoked = :true",
            exists(),
            vec![(":true", AttributeValue::Bool(true))],
        );
        let row: Option<CredentialRow> = self.read(&Key::credential(id)).await?;
        let holder = row.map(|row| row.holder);
        let unlisted = match &holder {
            Some(HolderRow::Organization { organization }) => {
                let organization = OrganizationId::parse(organization);
                organization.ok().map(|of| (unlist(self, &of, id), ProvisionError::Unavailable))
            }
            _ => None,
        };
        let revoked = (revoked, ProvisionError::NoSuch("credential"));
        self.provision([revoked].into_iter().chain(unlisted)).await
    }

    /// An organization as it is now.
    ///
    /// # Errors
    /// [`ProvisionError::Unavailable`].
    pub async fn organization(
        &self,
        id: &OrganizationId,
    ) -> Result<Option<OrganizationRow>, ProvisionError> {
        self.read(&Key::organization(id)).await
    }

    /// The whole billing record of an organization as it is now.
    ///
    /// # Errors
    /// [`ProvisionError::Unavailable`].
    pub async fn billing_row(
        &self,
        id: &OrganizationId,
    ) -> Result<Option<BillingRow>, ProvisionError> {
        self.read(&Key::billing(id)).await
    }

    /// An agency as it is now.
    ///
    /// # Errors
    /// [`ProvisionError::Unavailable`].
    pub async fn agency(&self, lcuid: &AgencyLcuid) -> Result<Option<AgencyRow>, ProvisionError> {
        self.read(&Key::agency(lcuid)).await
    }

    /// An account of an agency as it is now.
    ///
    /// # Errors
    /// [`ProvisionError::Unavailable`].
    pub async fn agency_account(
        &self,
        agency: &AgencyLcuid,
        lcuid: &AgencyAccountLcuid,
    ) -> Result<Option<AgencyAccountRow>, ProvisionError> {
        self.read(&Key::agency_account(agency, lcuid)).await
    }

    /// Says whether an account may have sub-accounts from now on. Says whether that is a change; one
    /// that is none writes nothing.
    ///
    /// Only what may have sub-accounts gets one, so that here is where accounts nest too deeply, and
    /// nowhere else. What is above an account never changes, and does not go while it is there.
    ///
    /// # Errors
    /// [`ProvisionError::NoSuch`] without the account, [`ProvisionError::TooDeep`] on the last level,
    /// [`ProvisionError::Contended`] where the account was changed or deleted meanwhile.
    pub async fn set_parent(
        &self,
        agency: &AgencyLcuid,
        lcuid: &AgencyAccountLcuid,
        is_parent: bool,
        audit: &Entry<'_>,
    ) -> Result<bool, ProvisionError> {
        let account = self.agency_account(agency, lcuid).await?;
        let account = account.ok_or(ProvisionError::NoSuch("account of this agency"))?;
        if account.is_parent_account == is_parent {
            return Ok(false);
        }
        if is_parent && self.is_on_last_level(agency, &account).await? {
            return Err(ProvisionError::TooDeep);
        }
        let version = account.version.unwrap_or(0);
        // An account without the flag is searched for sub-accounts only where some were counted, and
        // older ones are not (docs/adr/0026-accounts-of-agencies.md): a count of none is one.
        let changed = update(
            self,
            &account.key,
            "SET is_parent_account = :is_parent, version = :next, updated_at = :now, \
             sub_accounts_made = if_not_exists(sub_accounts_made, :zero)",
            Condition {
                expression: unchanged(version).into(),
                values: vec![(":version", number(version))],
            },
            vec![
                (":is_parent", AttributeValue::Bool(is_parent)),
                (":next", number(version + 1)),
                (":now", text(micros(audit.at))),
                (":zero", number(0)),
            ],
        );
        let entry = put(self, &AuditRow::of_agency(agency, audit), Condition::absent());
        self.provision([
            (changed, ProvisionError::Contended),
            (entry, ProvisionError::Unavailable),
        ])
        .await?;
        Ok(true)
    }

    /// Whether as many accounts as there may be are one below the other down to this one. One that is
    /// named as a parent and is gone was there: it counts, and what was above it is not known.
    async fn is_on_last_level(
        &self,
        agency: &AgencyLcuid,
        account: &AgencyAccountRow,
    ) -> Result<bool, ProvisionError> {
        let mut parent = account.parent.clone();
        for _ in 1..AgencyAccount::MAX_LEVELS {
            let Some(lcuid) = parent else { return Ok(false) };
            let lcuid = AgencyAccountLcuid::parse(&lcuid).map_err(|error| {
                tracing::error!(%error, "the parent of an account could not be read");
                ProvisionError::Unavailable
            })?;
            parent = self.agency_account(agency, &lcuid).await?.and_then(|above| above.parent);
        }
        Ok(true)
    }

    /// Keeps the record of a request that was never made, so that its idempotency key is taken.
    ///
    /// # Errors
    /// [`ProvisionError::Exists`] when there is a record under the key.
    pub async fn take_idempotency_key(&self, request: &Keyed) -> Provisioned {
        let answer = StoredAnswer { status: 200, location: None, body: String::new() };
        let row = IdempotencyRow::new(request, 0, &answer);
        let put = put(self, &row, Condition::absent());
        self.provision([(put, ProvisionError::Exists("idempotency record"))]).await
    }

    async fn read<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>, ProvisionError> {
        let output = self
            .client
            .get_item()
            .table_name(&*self.name)
            .set_key(Some(key.attributes()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| {
                tracing::error!(cause = %DisplayErrorContext(&error), "the table did not answer");
                ProvisionError::Unavailable
            })?;
        output.item.map(serde_dynamo::aws_sdk_dynamodb_1::from_item).transpose().map_err(|error| {
            tracing::error!(%error, "an item could not be read");
            ProvisionError::Unavailable
        })
    }

    /// Commits the actions, each with what it means that its condition fails. Of several that
    /// fail the first one counts.
    pub(crate) async fn provision(
        &self,
        actions: impl IntoIterator<Item = (Result<TransactWriteItem, Refused>, ProvisionError)>,
    ) -> Provisioned {
        let (actions, meanings): (Vec<_>, Vec<_>) = actions.into_iter().unzip();
        let actions = actions
            .into_iter()
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| ProvisionError::Unavailable)?;
        self.transact(|| Ok(actions.clone())).await.map_err(|refused| match refused {
            Refused::Conditions(failed) => meanings
                .into_iter()
                .zip(failed)
                .find_map(|(meaning, failed)| failed.map(|_| meaning))
                .unwrap_or(ProvisionError::Unavailable),
            Refused::Throttled | Refused::Unavailable => ProvisionError::Unavailable,
        })
    }
}

/// A seat of which nothing but its tier is known.
fn bare_seat(
    id: &OrganizationId,
    seat: &SeatId,
    tier: Tier,
    status: SeatStatus,
    now: String,
) -> SeatRow {
    SeatRow {
        key: Key::seat(id, seat),
        id: seat.to_string(),
        organization: id.to_string(),
        tier: tier.as_str().to_owned(),
        status: status.as_str().to_owned(),
        platform: None,
        username: None,
        pfp_url: None,
        keywords: None,
        nick_name: None,
        age_range: None,
        sex: None,
        location: None,
        description: None,
        tag: None,
        org_group: None,
        device_type: None,
        ends_at: None,
        deactivated_at: None,
        version: Some(1),
        created_by: None,
        created_at: now.clone(),
        updated_at: now,
    }
}

fn link_values(link: &StripeLink, now: String) -> Values {
    let mut values = vec![
        (":customer", text(&link.customer)),
        (":subscription", text(&link.subscription)),
        (":zero", number(0)),
        (":one", number(1)),
        (":now", text(now)),
    ];
    values.extend(standing::values(&link.standing));
    values
}

/// As [`link_expression`], and a new version. A time since which the old subscription was past due
/// is none of the new one's, nor is its period.
fn relink_expression(link: &StripeLink) -> String {
    let standing = &link.standing;
    let (set, mut remove) = standing::clauses(standing);
    let set = set.replace("if_not_exists(past_due_since, :now)", ":now");
    remove.extend(["item_basic", "item_premium", "last_error", "paced_until", "attempt"]);
    remove.extend(["told_basic", "told_premium"]);
    if standing.period.is_none() {
        remove.extend(["current_period_start", "current_period_end"]);
    }
    format!(
        "SET {LINK}, {set}, version = version + :one, \
         behind_since = if_not_exists(behind_since, :now), behind_shard = :shard REMOVE {}",
        remove.join(", ")
    )
}

/// A link is a write of the subscription's standing too, and counts as one.
const LINK: &str = "stripe_customer = :customer, stripe_subscription = :subscription, \
                    status_version = if_not_exists(status_version, :zero) + :one, updated_at = :now";

fn link_expression(link: &StripeLink) -> String {
    standing::expression(LINK, &link.standing)
}

pub(crate) fn exists() -> Condition {
    Condition { expression: "attribute_exists(pk)".into(), values: Vec::new() }
}
