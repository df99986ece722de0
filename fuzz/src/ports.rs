//! What the functions stand on: a table, a Stripe, a queue and a bus that answer at once, and
//! remember nothing.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::LazyLock;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::time::Duration;

use aws_lambda_events::event::sqs::SqsMessage;
use headcount_billing::cancel::Cancels;
use headcount_billing::portal::Portals;
use headcount_billing::preview::{Change, Previewed, Previews};
use headcount_billing::rotation::SigningSecretSource;
use headcount_billing::webhook::SigningSecrets;
use headcount_billing::{StripeFailure, Subscription, Subscriptions, Unanswered, Updated, Worth};
use headcount_model::agency::{
    self, AgencyAccountChanges, AgencyAccountDeletions, AgencyAccountRecords, AgencyAccounts,
    AgencySettings, ChangeCommit, Deletable, DeletableAccounts, DeletionCommit, EarlierAnswers,
    KeptAccount, KeptAgency, NotCommitted,
};
use headcount_model::api_key::{self, ApiKey, ApiKeys, KeptKey, KeyCommit};
use headcount_model::billing::{
    Attempt, BillingChange, BillingError, BillingLedger, BillingRecord, ItemTarget,
    LedgerUnavailable, LinkedSubscription, ProrationBehavior, Recorded, RememberedItems,
    SeatCounts, Standing, SubscriptionLedger, SubscriptionStatus, TakenUpdate,
};
use headcount_model::cancellation::{Billed, Cancellations, NotSettled, Settled};
use headcount_model::credential::{
    AgencyDirectory, Credential, Credentials, Holder, LookupFailed, Permission, Presented,
};
use headcount_model::grant::Grant;
use headcount_model::history::{self, BillingHistory, Page};
use headcount_model::id::{
    AccountId, AgencyAccountLcuid, AgencyLcuid, AppLcuid, CredentialId, OrganizationId, SeatId,
    micros,
};
use headcount_model::idempotency::{Keyed, StoredAnswer};
use headcount_model::identity::{
    self, AccountChanges, AccountClosings, AccountCommit, AccountFilter, AccountKind, AccountLists,
    AccountRecords, AccountStatus, Accounts, Attempts, CloseCommit, ClosedAccount, Email,
    EndSession, Hashing, KeptAccount as Own, ListedAccount, ListedSession, LogIns, NotEnded,
    Opening, OwnAccounts, Password, PasswordHash, Refresh, RefreshCommitted, Refreshable,
    Refreshes, Salt, Session, SessionEndings, SessionId, SessionLists, Sessions, Tried,
};
use headcount_model::organization::{Organization, Organizations};
use headcount_model::page::Looked;
use headcount_model::port::{Clock, Entropy, NoEntropy};
use headcount_model::right::{
    DeleteAccounts, DeleteAgencyAccounts, ListAgencyAccounts, ManageBilling, ManageKeys,
    OwnAccount, ReadAccounts, ReadBilling, ReadOrganization, ReadSeats, UpdateAccounts,
    UpdateAgencyAccounts, ViewAgencyAccounts,
};
use headcount_model::seats::{
    self, Deactivation, EarlierUpdate, EndTerms, Kept, KeptSeat, ListedSeat, NotDeactivated,
    NotUpdated, SeatEndings, SeatFilter, SeatLedger, SeatLists, SeatUpdates, Step, Stored, Tier,
    UpdateCommit,
};
use headcount_model::statement::{Linked, Statement, Statements};
use headcount_model::text::Text;
use headcount_model::web_url::WebUrl;
use jiff::Timestamp;
use publish_changes::{Outbox, Parcel};
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use sync_billing::BillingQueue;

use crate::request::Found;

/// Of the credentials that the table has: `hc_<id>_5ea7…`, whatever the id. Who it belongs to is in
/// the id.
const SECRET: &str = "5ea7";
pub(crate) const ORGANIZATION: &str = "org_01kgjb9z8rd3m0acme00000000";
pub(crate) const AGENCY: &str = "LCUID-LY-506fc585-77be-11ec-acb9-c2cdb617d190";
pub(crate) const APP: &str = "LCUID-LAP-0d3e0000-0000-4000-8000-000000000001";
pub(crate) const SUBSCRIPTION: &str = "sub_demo";
pub(crate) const SIGNING_SECRET: &str = "whsec_fuzz";

/// Runs a future that waits for nothing but itself.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
        tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime")
    });
    RUNTIME.block_on(future)
}

pub(crate) fn organization() -> OrganizationId {
    OrganizationId::parse(ORGANIZATION).expect("an id")
}

/// The moment of the sample events, and random bytes that are always the same.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_770_142_367).expect("in range")
    }
}

impl Entropy for Still {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        bytes.fill(7);
        Ok(())
    }
}

/// Ports that have randomness for so many draws only.
#[derive(Debug)]
pub(crate) struct Draws(pub(crate) AtomicU32);

impl Clock for Draws {
    fn now(&self) -> Timestamp {
        Still.now()
    }
}

impl Entropy for Draws {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        let left = self.0.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1));
        left.map_err(|_| NoEntropy)?;
        Still.fill(bytes)
    }
}

/// A table that finds one thing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table(pub(crate) Found);

impl Table {
    /// What to say at a commit: nothing, an earlier answer, or a refusal.
    fn outcome<R>(
        self,
        stored: StoredAnswer,
        taken: R,
        reused: R,
    ) -> Result<Option<StoredAnswer>, R> {
        match self.0 {
            Found::Nothing => Ok(None),
            Found::Replayed => Ok(Some(stored)),
            Found::Taken => Err(taken),
            Found::Reused => Err(reused),
        }
    }
}

fn stored(body: &str) -> StoredAnswer {
    StoredAnswer { status: 200, location: Some("/".to_owned()), body: body.to_owned() }
}

fn holder(id: &str) -> Holder {
    if id.contains("seats") {
        Holder::Organization(organization())
    } else if id.contains("agency") {
        let app = AppLcuid::parse(APP).expect("an id");
        Holder::App { app, agency: AgencyLcuid::parse(AGENCY).expect("an id") }
    } else {
        Holder::Administrator
    }
}

impl Credentials for Table {
    async fn credential(&self, presented: &Presented) -> Result<Option<Credential>, LookupFailed> {
        let id = presented.id().clone();
        Ok(Some(Credential {
            secret_hash: Sha256::digest(SECRET.repeat(16)).into(),
            holder: holder(id.as_str()),
            permissions: BTreeSet::from(Permission::ALL),
            expires_at: None,
            revoked: false,
            id,
        }))
    }
}

impl AgencyDirectory for Table {
    async fn credential_and_agency(
        &self,
        presented: &Presented,
        _: Option<&AgencyLcuid>,
    ) -> Result<(Option<Credential>, Option<AgencySettings>), LookupFailed> {
        Ok((self.credential(presented).await?, Some(AgencySettings::default())))
    }
}

impl SeatLedger for Table {
    fn seats_per_commit(&self, keyed: bool) -> usize {
        99 - usize::from(keyed)
    }

    async fn commit(
        &self,
        commit: seats::Commit<'_>,
    ) -> Result<Option<Stored>, seats::CommitRefusal> {
        let (taken, reused) =
            (seats::CommitRefusal::SeatLimitReached, seats::CommitRefusal::KeyReused);
        let stored = self.outcome(stored("[]"), taken, reused)?;
        Ok(stored.map(|stored| Stored { answer: stored.body, expires_at: commit.now }))
    }
}

impl SeatEndings for Table {
    fn deactivations_per_commit(&self) -> usize {
        97
    }

    async fn seats(&self, _: &OrganizationId, ids: &[SeatId]) -> Result<Kept, NotDeactivated> {
        // Every other one is somebody else's when the table finds what it should not.
        let is_there = |id: &&SeatId| self.0 != Found::Taken || id.as_str().ends_with('0');
        let kept = |id: &SeatId| KeptSeat {
            id: id.clone(),
            tier: Tier::Basic,
            is_deactivated: id.as_str().ends_with('d'),
            ends_at: None,
            version: 0,
        };
        let seats = ids.iter().filter(is_there).map(kept).collect();
        Ok(Kept { seats, terms: EndTerms::default() })
    }

    async fn deactivate(&self, of: Deactivation<'_>) -> Result<Option<Stored>, NotDeactivated> {
        let (taken, reused) = (NotDeactivated::Throttled, NotDeactivated::KeyReused);
        let stored = self.outcome(stored("{}"), taken, reused)?;
        Ok(stored.map(|stored| Stored { answer: stored.body, expires_at: of.now }))
    }
}

/// A seat that nothing is left out of.
fn listed(id: SeatId) -> ListedSeat {
    let some = |text: &str| Some(text.to_owned());
    ListedSeat {
        id,
        tier: "basic".to_owned(),
        status: "pending".to_owned(),
        platform: some("tiktok"),
        username: some("new.creator"),
        nick_name: some("\""),
        pfp_url: some("https://example.com/a.jpg"),
        keywords: some("a,b"),
        description: some("One\n\ttwo"),
        age_range: some("18-24"),
        sex: some("other"),
        location: some("語"),
        tag: some("a"),
        org_group: None,
        user_group: None,
        profiles: None,
        warmup_version: None,
        post_version: None,
        created_at: Still.now(),
        updated_at: Still.now(),
        version: 7,
    }
}

impl SeatUpdates for Table {
    async fn seats_to_update(
        &self,
        _: &OrganizationId,
        ids: &[SeatId],
    ) -> Result<Vec<ListedSeat>, NotUpdated> {
        // Every other one is somebody else's when the table finds what it should not.
        let is_there = |id: &&SeatId| self.0 != Found::Taken || id.as_str().ends_with('0');
        Ok(ids.iter().filter(is_there).cloned().map(listed).collect())
    }

    async fn earlier_update(
        &self,
        _: &Keyed,
        _: usize,
        _: Timestamp,
    ) -> Result<Option<EarlierUpdate>, NotUpdated> {
        Ok(None)
    }

    async fn update_seat(&self, of: UpdateCommit<'_>) -> Result<Option<EarlierUpdate>, NotUpdated> {
        let taken = NotUpdated::Refused(seats::CommitRefusal::SpendingLimitReached);
        let reused = NotUpdated::Refused(seats::CommitRefusal::KeyReused);
        let stored = self.outcome(stored("{}"), taken, reused)?;
        Ok(stored.map(|answer| EarlierUpdate { answer, expires_at: of.now }))
    }
}

impl SeatLists for Table {
    async fn look_at(
        &self,
        _: Grant<'_, ReadSeats>,
        _: &SeatFilter,
        after: Option<&SeatId>,
        at_most: Option<u16>,
    ) -> Result<Step, LookupFailed> {
        let id = after.cloned().map_or_else(|| SeatId::new(&Still, &Still), Ok);
        let id = id.map_err(|_| LookupFailed::Unavailable)?;
        let count = if self.0 == Found::Taken { 0 } else { at_most.unwrap_or(1_000) };
        let seats = vec![listed(id.clone()); usize::from(count)];
        Ok(Step { seats, more_behind: (self.0 != Found::Nothing).then_some(id) })
    }

    async fn named(
        &self,
        _: Grant<'_, ReadSeats>,
        ids: &[SeatId],
    ) -> Result<Vec<ListedSeat>, LookupFailed> {
        Ok(ids.iter().rev().cloned().map(listed).collect())
    }
}

impl AgencyAccounts for Table {
    async fn commit(
        &self,
        _: agency::Commit<'_>,
    ) -> Result<Option<StoredAnswer>, agency::CommitRefusal> {
        let taken = agency::CommitRefusal::UnusableParent;
        self.outcome(stored("{}"), taken, agency::CommitRefusal::KeyReused)
    }
}

/// An account of the agency, unless the table finds what it should not.
fn kept_account(lcuid: &AgencyAccountLcuid) -> KeptAccount {
    KeptAccount {
        lcuid: lcuid.clone(),
        name: "My New Account".to_owned(),
        slug: "MyNewAccount".to_owned(),
        description: Some("One\n\ttwo".to_owned()),
        website: None,
        is_parent_account: true,
        created_at: micros(Still.now()),
        version: 7,
    }
}

fn kept_agency() -> KeptAgency {
    KeptAgency {
        lcuid: AgencyLcuid::parse(AGENCY).expect("an id"),
        name: Text::line("Blue River", 1..=255).expect("a name"),
        settings: AgencySettings::default(),
        created_at: micros(Still.now()),
    }
}

impl AgencyAccountRecords for Table {
    async fn account(
        &self,
        _: Grant<'_, ViewAgencyAccounts>,
        lcuid: &AgencyAccountLcuid,
    ) -> Result<Option<(KeptAccount, KeptAgency)>, LookupFailed> {
        Ok((self.0 != Found::Taken).then(|| (kept_account(lcuid), kept_agency())))
    }

    async fn accounts(
        &self,
        _: Grant<'_, ListAgencyAccounts>,
        _: usize,
    ) -> Result<Option<(Vec<KeptAccount>, KeptAgency)>, LookupFailed> {
        let lcuid = AgencyAccountLcuid::new(&Still).expect("entropy");
        let accounts = vec![kept_account(&lcuid); 1_000];
        Ok((self.0 != Found::Taken).then(|| (accounts, kept_agency())))
    }
}

impl AgencyAccountChanges for Table {
    async fn change(
        &self,
        _: Grant<'_, UpdateAgencyAccounts>,
        _: ChangeCommit<'_>,
    ) -> Result<Option<StoredAnswer>, NotCommitted> {
        self.outcome(stored("{}"), NotCommitted::Changed, NotCommitted::KeyReused)
    }
}

impl DeletableAccounts for Table {
    async fn deletable(
        &self,
        _: Grant<'_, DeleteAgencyAccounts>,
        lcuid: &AgencyAccountLcuid,
    ) -> Result<Option<Deletable>, LookupFailed> {
        let has_sub_accounts = lcuid.as_str().ends_with('0');
        let read = Deletable {
            version: 7,
            sub_accounts_made: Some(2),
            has_sub_accounts,
            created_at: String::new(),
            created_by: None,
        };
        Ok((self.0 != Found::Taken).then_some(read))
    }
}

impl AgencyAccountDeletions for Table {
    async fn delete(
        &self,
        _: Grant<'_, DeleteAgencyAccounts>,
        _: DeletionCommit<'_>,
    ) -> Result<Option<StoredAnswer>, NotCommitted> {
        self.outcome(stored("{}"), NotCommitted::Changed, NotCommitted::KeyReused)
    }
}

impl EarlierAnswers for Table {
    async fn earlier(
        &self,
        request: &Keyed,
        _: Timestamp,
    ) -> Result<Option<StoredAnswer>, NotCommitted> {
        Ok((request.fingerprint[0] > 127).then(|| stored("{}")))
    }
}

fn own_account() -> AccountId {
    AccountId::parse("acct_01kgjb9z8rd3m00wner0000000").expect("an id")
}

/// The account that a session is of: suspended when the table finds what it should not.
fn own(table: Table) -> Own {
    let is_fine = table.0 != Found::Taken;
    Own {
        id: own_account(),
        email: Email::parse("o@bücher.example").expect("an address"),
        name: "Acme \"Inc.\"".to_owned(),
        kind: AccountKind::Business,
        status: if is_fine { AccountStatus::Active } else { AccountStatus::Suspended },
        password_hash: PasswordHash::of_nobody(),
        currency: "USD".to_owned(),
        timezone: "UTC".to_owned(),
        language: "en".to_owned(),
        created_at: Still.now(),
        updated_at: Still.now(),
        version: 3,
        created_by: None,
        session_epoch: 0,
        spared_session: None,
    }
}

impl Sessions for Table {
    async fn session(&self, presented: &Presented) -> Result<Option<Session>, LookupFailed> {
        Ok(Some(Session {
            id: SessionId::of(presented.id().clone()),
            account: own_account(),
            access_hash: Sha256::digest(SECRET.repeat(16)).into(),
            refresh_hash: [0; 32],
            epoch: 0,
            created_at: Still.now(),
            access_until: Timestamp::MAX,
            refresh_until: Timestamp::MAX,
            ended_at: None,
        }))
    }
}

impl AccountLists for Table {
    async fn accounts(
        &self,
        _: Grant<'_, ReadAccounts>,
        filter: &AccountFilter,
        after: Option<&str>,
        at_most: u16,
    ) -> Result<Looked<ListedAccount>, LookupFailed> {
        let mut account = ListedAccount::from(own(*self));
        account.status = filter.status.unwrap_or(account.status);
        account.created_at = filter.created_after.unwrap_or(account.created_at);
        let position = after.unwrap_or("2026-02-03T18:12:47.000000Z#acct_1").to_owned();
        Ok(Looked {
            entries: vec![(position.clone(), account); at_most.into()],
            more_behind: (self.0 == Found::Replayed).then_some(position),
        })
    }

    async fn account_at(
        &self,
        _: Grant<'_, ReadAccounts>,
        _: &Email,
    ) -> Result<Option<Own>, LookupFailed> {
        Ok((self.0 != Found::Reused).then(|| own(*self)))
    }
}

impl SessionLists for Table {
    async fn sessions(
        &self,
        _: Grant<'_, OwnAccount>,
        after: Option<&str>,
        at_most: u16,
    ) -> Result<Looked<ListedSession>, LookupFailed> {
        let id = CredentialId::new(&Still, &Still).map_err(|_| LookupFailed::Unavailable)?;
        let session = ListedSession {
            id: SessionId::of(id),
            epoch: 0,
            created_at: Still.now(),
            refreshed_at: Some(Still.now()),
            access_until: Timestamp::MAX,
            refresh_until: Timestamp::MAX,
        };
        let position = after.unwrap_or("SESSION#1").to_owned();
        Ok(Looked {
            entries: vec![(position.clone(), session); at_most.into()],
            more_behind: (self.0 == Found::Replayed).then_some(position),
        })
    }
}

impl OwnAccounts for Table {
    async fn own(&self, _: Grant<'_, OwnAccount>) -> Result<Option<Own>, LookupFailed> {
        Ok((self.0 != Found::Reused).then(|| own(*self)))
    }
}

impl AccountRecords for Table {
    async fn account(
        &self,
        _: Grant<'_, ReadAccounts>,
        _: &AccountId,
    ) -> Result<Option<Own>, LookupFailed> {
        Ok((self.0 != Found::Reused).then(|| own(*self)))
    }
}

impl AccountChanges<OwnAccount> for Table {
    async fn kept(
        &self,
        _: Grant<'_, OwnAccount>,
        _: &AccountId,
    ) -> Result<Option<Own>, LookupFailed> {
        Ok(Some(own(*self)))
    }

    async fn commit(
        &self,
        _: Grant<'_, OwnAccount>,
        _: AccountCommit<'_>,
    ) -> Result<Option<StoredAnswer>, identity::NotCommitted> {
        let (taken, reused) =
            (identity::NotCommitted::EmailExists, identity::NotCommitted::KeyReused);
        self.outcome(stored("{}"), taken, reused)
    }

    async fn earlier(
        &self,
        _: Grant<'_, OwnAccount>,
        _: &Keyed,
        _: Timestamp,
    ) -> Result<Option<StoredAnswer>, identity::NotCommitted> {
        Ok((self.0 == Found::Replayed).then(|| stored("{}")))
    }
}

impl AccountChanges<UpdateAccounts> for Table {
    async fn kept(
        &self,
        _: Grant<'_, UpdateAccounts>,
        _: &AccountId,
    ) -> Result<Option<Own>, LookupFailed> {
        Ok(Some(own(*self)))
    }

    async fn commit(
        &self,
        _: Grant<'_, UpdateAccounts>,
        _: AccountCommit<'_>,
    ) -> Result<Option<StoredAnswer>, identity::NotCommitted> {
        let (taken, reused) =
            (identity::NotCommitted::EmailExists, identity::NotCommitted::KeyReused);
        self.outcome(stored("{}"), taken, reused)
    }

    async fn earlier(
        &self,
        _: Grant<'_, UpdateAccounts>,
        _: &Keyed,
        _: Timestamp,
    ) -> Result<Option<StoredAnswer>, identity::NotCommitted> {
        Ok((self.0 == Found::Replayed).then(|| stored("{}")))
    }
}

impl AccountClosings<OwnAccount> for Table {
    async fn found(
        &self,
        _: Grant<'_, OwnAccount>,
        id: &AccountId,
    ) -> Result<Option<identity::Found>, LookupFailed> {
        let closed = ClosedAccount { id: id.clone(), closed_at: Still.now() };
        Ok(match self.0 {
            Found::Reused => None,
            Found::Replayed => Some(identity::Found::Closed(closed)),
            _ => Some(identity::Found::Open(Box::new(own(*self)))),
        })
    }

    async fn close(
        &self,
        _: Grant<'_, OwnAccount>,
        _: CloseCommit<'_>,
    ) -> Result<(), identity::NotCommitted> {
        Ok(())
    }
}

impl AccountClosings<DeleteAccounts> for Table {
    async fn found(
        &self,
        _: Grant<'_, DeleteAccounts>,
        id: &AccountId,
    ) -> Result<Option<identity::Found>, LookupFailed> {
        let closed = ClosedAccount { id: id.clone(), closed_at: Still.now() };
        Ok(match self.0 {
            Found::Reused => None,
            Found::Replayed => Some(identity::Found::Closed(closed)),
            _ => Some(identity::Found::Open(Box::new(own(*self)))),
        })
    }

    async fn close(
        &self,
        _: Grant<'_, DeleteAccounts>,
        _: CloseCommit<'_>,
    ) -> Result<(), identity::NotCommitted> {
        Ok(())
    }
}

impl SessionEndings for Table {
    async fn end(
        &self,
        _: Grant<'_, OwnAccount>,
        end: EndSession<'_>,
    ) -> Result<Timestamp, NotEnded> {
        let is_there = self.0 != Found::Replayed;
        if is_there { Ok(end.now) } else { Err(NotEnded::Missing) }
    }
}

impl Refreshes for Table {
    async fn refreshable(
        &self,
        presented: &Presented,
    ) -> Result<Option<Refreshable>, LookupFailed> {
        let kept = self.session(presented).await?;
        Ok(kept.map(|session| Refreshable {
            session: Session { refresh_hash: *presented.secret_hash(), ..session },
            was_rotated: self.0 == Found::Reused,
        }))
    }

    async fn refresh(&self, _: Refresh<'_>) -> Result<RefreshCommitted, LookupFailed> {
        Ok(match self.0 {
            Found::Taken => RefreshCommitted::Over,
            Found::Replayed => RefreshCommitted::Rotated,
            _ => RefreshCommitted::Refreshed,
        })
    }
}

impl LogIns for Table {
    async fn tried(&self, _: &Email, _: &str, now: Timestamp) -> Result<Tried, LookupFailed> {
        let count = if self.0 == Found::Reused { 30 } else { 0 };
        let attempts = Attempts { count, wait_until: None };
        let attempts = if count > 0 { attempts.and_one(now) } else { attempts };
        Ok(Tried { account: Some(own_account()), attempts })
    }

    async fn count(
        &self,
        _: &str,
        _: Attempts,
        _: Attempts,
        _: Timestamp,
    ) -> Result<bool, LookupFailed> {
        Ok(self.0 != Found::Replayed)
    }

    async fn at_address(&self, _: Option<&AccountId>) -> Result<Option<Own>, LookupFailed> {
        Ok(Some(own(*self)))
    }

    async fn open(&self, _: Opening<'_>) -> Result<bool, LookupFailed> {
        Ok(true)
    }
}

/// Every password is right: to compare one takes as long as a thousand inputs.
pub(crate) struct Right;

impl Hashing for Right {
    async fn hash(&self, _: Password, _: Salt) -> Option<PasswordHash> {
        Some(PasswordHash::of_nobody())
    }

    async fn verify(&self, _: Password, _: PasswordHash) -> Option<bool> {
        Some(true)
    }
}

impl Accounts for Table {
    async fn commit(
        &self,
        _: identity::Commit<'_>,
    ) -> Result<Option<StoredAnswer>, identity::CommitRefusal> {
        let taken = identity::CommitRefusal::EmailExists;
        self.outcome(stored("{}"), taken, identity::CommitRefusal::KeyReused)
    }
}

impl ApiKeys for Table {
    async fn keys(&self, granted: Grant<'_, ManageKeys>) -> Result<Vec<ApiKey>, LookupFailed> {
        let key = listed_key(granted.by().clone());
        Ok(if self.0 == Found::Taken { vec![key; 1_000] } else { vec![key] })
    }

    async fn key(
        &self,
        _: Grant<'_, ManageKeys>,
        id: &CredentialId,
    ) -> Result<Option<KeptKey>, LookupFailed> {
        let is_revoked = id.as_str().ends_with('d');
        let kept = KeptKey { key: listed_key(id.clone()), is_revoked };
        Ok((self.0 != Found::Taken).then_some(kept))
    }

    async fn commit(
        &self,
        _: Grant<'_, ManageKeys>,
        _: KeyCommit<'_>,
    ) -> Result<Option<StoredAnswer>, api_key::NotCommitted> {
        let (taken, reused) = (api_key::NotCommitted::Changed, api_key::NotCommitted::KeyReused);
        self.outcome(stored("{}"), taken, reused)
    }
}

fn listed_key(id: CredentialId) -> ApiKey {
    ApiKey {
        id,
        name: "\"".to_owned(),
        permissions: vec!["keys:manage".to_owned()],
        created_at: Still.now(),
        expires_at: Some(Timestamp::MAX),
        version: 1,
    }
}

impl Organizations for Table {
    async fn organization(
        &self,
        granted: Grant<'_, ReadOrganization>,
    ) -> Result<Option<Organization>, LookupFailed> {
        let (id, name) = (granted.tenant().clone(), "\u{202E}\"Acme".to_owned());
        Ok(Some(Organization { id, name }))
    }
}

impl Cancellations for Table {
    async fn billed(&self, _: Grant<'_, ManageBilling>) -> Result<Option<Billed>, LookupFailed> {
        Ok(Some(Billed {
            linked: LinkedSubscription { subscription: SUBSCRIPTION.to_owned(), status_version: 1 },
            customer: Some("cus_demo".to_owned()),
            has_ended: self.0 == Found::Taken,
            cancel_at_period_end: false,
        }))
    }

    async fn answered(&self, _: &Keyed, _: Timestamp) -> Result<Option<StoredAnswer>, NotSettled> {
        Ok(None)
    }

    async fn settle(
        &self,
        _: Grant<'_, ManageBilling>,
        _: &Settled<'_>,
    ) -> Result<Option<StoredAnswer>, NotSettled> {
        self.outcome(stored("{}"), NotSettled::Throttled, NotSettled::KeyReused)
    }
}

impl Statements for Table {
    async fn statement(
        &self,
        _: Grant<'_, ReadBilling>,
    ) -> Result<Option<Statement>, LookupFailed> {
        Ok(Some(Statement {
            name: "Acme".to_owned(),
            customer: Some("cus_demo".to_owned()),
            subscription: Some(Linked {
                id: SUBSCRIPTION.to_owned(),
                standing: SubscriptionStatus::Active.into(),
                past_due_since: None,
            }),
            seats: SeatCounts { basic: 1, premium: 2 },
            seats_left: if self.0 == Found::Taken { 0 } else { 2_000 },
            cents_left: None,
            proration: ProrationBehavior::default(),
            fewer: Default::default(),
            version: 3,
            applied_version: 2,
            last_error: None,
        }))
    }
}

impl BillingLedger for Table {
    async fn billing(
        &self,
        organization: &OrganizationId,
    ) -> Result<Option<BillingRecord>, LedgerUnavailable> {
        Ok((self.0 != Found::Taken).then(|| BillingRecord {
            organization: organization.clone(),
            subscription: Some(SUBSCRIPTION.to_owned()),
            seats: SeatCounts { basic: 1, premium: 2 },
            version: 3,
            applied_version: 2,
            told: None,
            proration: ProrationBehavior::default(),
            fewer: Default::default(),
            items: RememberedItems::default(),
            paced_until: None,
            attempt: None,
            last_error: None,
        }))
    }

    async fn begin(
        &self,
        _: &BillingRecord,
        _: &Attempt,
        _: Timestamp,
        _: Timestamp,
    ) -> Result<Recorded, LedgerUnavailable> {
        Ok(Recorded::Yes)
    }

    async fn keep_changes(
        &self,
        _: &OrganizationId,
        _: &[history::Change],
    ) -> Result<(), LedgerUnavailable> {
        Ok(())
    }

    async fn keep_told(
        &self,
        _: &OrganizationId,
        _: &history::Told,
    ) -> Result<(), LedgerUnavailable> {
        Ok(())
    }

    async fn record_applied(
        &self,
        _: &OrganizationId,
        _: &TakenUpdate,
        _: Timestamp,
    ) -> Result<Recorded, LedgerUnavailable> {
        Ok(Recorded::Yes)
    }

    async fn record_failure(
        &self,
        _: &OrganizationId,
        _: Option<&str>,
        _: &BillingError,
        _: Timestamp,
    ) -> Result<(), LedgerUnavailable> {
        Ok(())
    }
}

impl BillingHistory for Table {
    async fn history(
        &self,
        _: Grant<'_, ReadBilling>,
        after: Option<&str>,
        _: u16,
    ) -> Result<Page, LookupFailed> {
        Ok(Page { entries: Vec::new(), next: after.map(str::to_owned) })
    }
}

impl SubscriptionLedger for Table {
    async fn linked(
        &self,
        _: &OrganizationId,
    ) -> Result<Option<LinkedSubscription>, LedgerUnavailable> {
        let subscription = SUBSCRIPTION.to_owned();
        Ok(Some(LinkedSubscription { subscription, status_version: 1 }))
    }

    async fn record_standing(
        &self,
        _: &OrganizationId,
        _: &LinkedSubscription,
        _: &Standing,
        _: Timestamp,
    ) -> Result<Recorded, LedgerUnavailable> {
        Ok(Recorded::Yes)
    }
}

/// A Stripe with one subscription, which takes everything.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Willing;

fn subscription() -> Subscription {
    Subscription {
        id: SUBSCRIPTION.to_owned(),
        status: "active".to_owned(),
        collection_paused: false,
        cancel_at_period_end: false,
        period: None,
        organization: Some(organization()),
        unfit: Vec::new(),
        customer: "cus_1".to_owned(),
        items: Vec::new(),
    }
}

impl Subscriptions for Willing {
    async fn fetch(&self, _: &str) -> Result<Subscription, StripeFailure> {
        Ok(subscription())
    }

    async fn set_quantities(
        &self,
        _: &str,
        _: &[ItemTarget],
        _: ProrationBehavior,
        _: &str,
    ) -> Result<Updated, StripeFailure> {
        Ok(subscription().into())
    }
}

impl Worth for Willing {
    async fn worth(
        &self,
        _: &Subscription,
        _: &[ItemTarget],
        _: &dyn Entropy,
    ) -> Result<i64, StripeFailure> {
        Ok(0)
    }
}

impl Portals for Willing {
    async fn portal(
        &self,
        _: &str,
        _: Option<&WebUrl>,
        _: &str,
    ) -> Result<SecretString, StripeFailure> {
        Ok("https://billing.stripe.com/p/session/test_1".into())
    }
}

/// A Stripe that is willing too, and lets the subscription end as it was told last.
#[derive(Default)]
pub(crate) struct Ending(AtomicBool);

impl Subscriptions for Ending {
    async fn fetch(&self, _: &str) -> Result<Subscription, StripeFailure> {
        Ok(Subscription { cancel_at_period_end: self.0.load(Relaxed), ..subscription() })
    }

    async fn set_quantities(
        &self,
        _: &str,
        _: &[ItemTarget],
        _: ProrationBehavior,
        _: &str,
    ) -> Result<Updated, StripeFailure> {
        Ok(subscription().into())
    }
}

impl Cancels for Ending {
    async fn cancel_at_period_end(
        &self,
        _: &str,
        ends: bool,
        _: &str,
    ) -> Result<(), StripeFailure> {
        self.0.store(ends, Relaxed);
        Ok(())
    }
}

impl Previews for Willing {
    async fn proration(&self, _: &Change<'_>, _: &dyn Entropy) -> Result<Previewed, StripeFailure> {
        Ok(Previewed::Proration(0))
    }
}

impl BillingQueue for Willing {
    async fn delay(&self, _: &[SqsMessage], _: Duration) {}

    async fn send_again(&self, _: &BillingChange, _: &SqsMessage) -> bool {
        true
    }
}

impl SigningSecretSource for Willing {
    async fn read(&self) -> Result<SigningSecrets, Unanswered> {
        Ok(SigningSecrets::parse(SIGNING_SECRET).expect("a secret"))
    }
}

/// An outbox that fails at some parcels.
#[derive(Debug)]
pub(crate) struct FailingAt(pub(crate) Vec<usize>);

impl Outbox for FailingAt {
    async fn deliver(&self, parcels: &[Parcel]) -> Vec<usize> {
        self.0.iter().copied().filter(|position| *position < parcels.len()).collect()
    }
}
