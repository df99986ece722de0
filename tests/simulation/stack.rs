//! The stack: the real functions over the simulated AWS and Stripe, and its tenants.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use aws_lambda_events::event::sqs::SqsEvent;
use aws_sdk_dynamodb::Client;
use headcount_api::Endpoint;
use headcount_billing::rotation::{SignatureCheck, SigningSecretSource};
use headcount_billing::stripe::Stripe;
use headcount_billing::webhook::SigningSecrets;
use headcount_billing::{Prices, Unanswered, message};
use headcount_model::agency::{Agency, AgencyAccount, NewAgencyAccount, create};
use headcount_model::billing::{Period, Standing, SubscriptionStatus};
use headcount_model::credential::{Credential, Holder, Permission, reveal};
use headcount_model::fewer::FewerSeats;
use headcount_model::id::{AgencyAccountLcuid, AgencyLcuid, AppLcuid, OrganizationId};
use headcount_model::idempotency::{FingerprintKey, StoredAnswer};
use headcount_model::identity::{Password, PasswordHash, PasswordPolicy, Retention, Salt};
use headcount_model::policy::BillingPolicy;
use headcount_model::port::{Clock, Entropy, NoEntropy};
use headcount_model::reconcile::Shard;
use headcount_model::seats::{Platforms, SeatsEnd};
use headcount_model::text::Text;
use headcount_model::tiers::{TierEntry, Tiers};
use headcount_store::{StripeLink, Table};
use headcount_tests::{Call, Reply, up_to};
use jiff::SignedDuration;
use reconcile_billing::{Finding, Findings, Report};

use crate::bus::{Bus, Stream};
use crate::faults::{Fault, Side};
use crate::kernel::{Died, lock};
use crate::queue::{Message, Queue};
use crate::shards::Sharded;
use crate::stripe::Account;
use crate::table::{Dynamo, TABLE, number};
use crate::world::{Ports, World};

/// Every caller has the same password, which is hashed once: hashing takes longer than all the rest
/// of a schedule, and what comes of it decides nothing.
struct HashedOnce;

impl create_account::Hashing for HashedOnce {
    async fn hash(&self, password: Password, _: Salt) -> Option<PasswordHash> {
        static HASH: OnceLock<PasswordHash> = OnceLock::new();
        let hash = || {
            let salt = Salt::new(&Zeros).expect("zeros");
            password.hash(&salt).expect("memory")
        };
        Some(HASH.get_or_init(hash).clone())
    }

    async fn verify(&self, password: Password, hash: PasswordHash) -> Option<bool> {
        let salt = Salt::new(&Zeros).expect("zeros");
        let known = self.hash(password, salt).await?;
        Some(known.as_phc() == hash.as_phc())
    }
}

/// The salt of that hash.
struct Zeros;

impl Entropy for Zeros {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        bytes.fill(0);
        Ok(())
    }
}

/// What Lambda gives the functions, as template.yaml says.
const API: Duration = Duration::from_secs(25);
const SYNC_BILLING: Duration = Duration::from_secs(30);
const STRIPE_WEBHOOK: Duration = Duration::from_secs(29);
const RECONCILE_BILLING: Duration = Duration::from_secs(240);

/// Clones are the same stack.
#[derive(Clone)]
pub(crate) struct Stack {
    pub(crate) world: World,
    pub(crate) dynamo: Dynamo,
    pub(crate) account: Account,
    pub(crate) queue: Queue,
    pub(crate) bus: Bus,
    pub(crate) findings: Found,
    stream: Stream,
    client: Client,
    prices: Prices,
    warm: Arc<Mutex<Option<Table>>>,
    secret: Arc<Mutex<String>>,
    /// The webhooks that were not acknowledged yet.
    owed: Arc<Mutex<BTreeSet<String>>>,
    /// Whether the last run of reconcile-billing did not come to the end of what it walks through, so that the
    /// next one begins in the middle.
    under_way: Arc<Mutex<bool>>,
}

/// An organization with its subscription and its key.
#[derive(Debug, Clone)]
pub(crate) struct Tenant {
    pub(crate) organization: OrganizationId,
    pub(crate) subscription: String,
    pub(crate) api_key: String,
    /// What becomes of the difference when it gives seats back.
    pub(crate) fewer: FewerSeats,
    /// When they end.
    pub(crate) seats_end: SeatsEnd,
}

/// An agency with an app that may create accounts in it.
#[derive(Debug, Clone)]
pub(crate) struct AgencyTenant {
    pub(crate) lcuid: String,
    pub(crate) app: String,
    pub(crate) token: String,
    pub(crate) parent: String,
}

/// What reconcile-billing found. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Found(Arc<Mutex<Vec<Finding>>>);

impl Found {
    pub(crate) fn take(&self) -> Vec<Finding> {
        std::mem::take(&mut *lock(&self.0))
    }
}

impl Findings for Found {
    fn record(&self, finding: &Finding) {
        lock(&self.0).push(finding.clone());
    }

    fn unreadable(&self, key: &str) {
        unreachable!("nobody writes rows by hand: {key}");
    }
}

/// The secret of webhooks, as Secrets Manager gives it.
struct Secret {
    world: World,
    text: String,
}

impl SigningSecretSource for Secret {
    async fn read(&self) -> Result<SigningSecrets, Unanswered> {
        if let Some(fault) = self.world.depart(Side::Read).await {
            self.world.note(format_args!("secret {fault:?}"));
            if let Fault::Killed(_) = fault {
                self.world.kernel.die().await;
            }
            return Err(Unanswered("the secret was not answered".to_owned()));
        }
        SigningSecrets::parse(&self.text).map_err(|error| Unanswered(error.to_string()))
    }
}

fn text(text: &str) -> Text {
    Text::line(text, 1..=255).expect("a name")
}

fn fingerprint_key() -> FingerprintKey {
    FingerprintKey::new(&[7; 32]).expect("long enough")
}

/// The current period of a subscription of Stripe.
pub(crate) fn period(subscription: &serde_json::Value) -> Period {
    let item = &subscription["items"]["data"][0];
    let second = |name: &str| item[name].as_i64().expect("Unix seconds");
    Period { start: second("current_period_start"), end: second("current_period_end") }
}

impl Stack {
    /// A stack without tenants.
    pub(crate) fn new(world: &World) -> Self {
        let dynamo = Dynamo::new(world);
        let client = dynamo.client();
        let account = Account::new(world);
        let queue = Queue::new(world);
        let bus = Bus::new(world, &queue);
        let price = |name, cents| {
            account.make(
                "/v1/prices",
                &[
                    ("currency", "usd"),
                    ("unit_amount", cents),
                    ("recurring[interval]", "month"),
                    ("product_data[name]", name),
                ],
            )
        };
        let prices = Prices {
            basic: Some(price("Basic", "4000")),
            premium: Some(price("Premium", "10000")),
        };
        Self {
            world: world.clone(),
            stream: Stream::new(world, &bus),
            dynamo,
            account,
            queue,
            bus,
            findings: Found::default(),
            client,
            prices,
            warm: Arc::default(),
            secret: Arc::default(),
            owed: Arc::default(),
            under_way: Arc::default(),
        }
    }

    /// Connects the parts: what is committed goes to `observe` and on, what is queued is received,
    /// and Stripe's webhooks are delivered if `is_listening`.
    pub(crate) fn connect(
        &self,
        is_listening: bool,
        observe: impl Fn(&[serde_json::Value]) + Send + Sync + 'static,
        billed: impl Fn(&str, &serde_json::Value, &serde_json::Value) + Send + Sync + 'static,
    ) {
        let stream = self.stream.clone();
        self.dynamo.follow(move |records| {
            observe(&records);
            stream.append(records);
        });
        let stack = self.clone();
        self.queue.follow(move |at| stack.receive_at(at));
        if is_listening {
            *lock(&self.secret) = self.account.listen();
        }
        let stack = self.clone();
        self.account.follow(billed, move || stack.deliver_webhooks());
    }

    /// Lets go of the connections, which would keep everything alive.
    pub(crate) fn disconnect(&self) {
        self.dynamo.unfollow();
        self.queue.unfollow();
        self.account.unfollow();
    }

    /// The secret of webhooks, where they are listened to.
    pub(crate) fn signing_secret(&self) -> Option<String> {
        let secret = lock(&self.secret);
        (!secret.is_empty()).then(|| secret.clone())
    }

    fn ports(&self) -> Ports {
        Ports::new(&self.world)
    }

    /// The table of a process: mostly one that is warm and remembers credentials.
    fn table(&self, ports: &Ports) -> Table {
        let is_cold = self.world.kernel.draw(|rng| rng.chance(200));
        let mut warm = lock(&self.warm);
        if is_cold || warm.is_none() {
            *warm = Some(self.cold_table(ports));
        }
        warm.clone().expect("it is warm now")
    }

    fn cold_table(&self, ports: &Ports) -> Table {
        let (clock, entropy) = (Arc::new(ports.clone()), Arc::new(ports.clone()));
        Table::new(self.client.clone(), TABLE, clock, entropy)
    }

    fn tiers(&self) -> Tiers {
        let entry = |name: &str, price: &Option<String>, unit_amount, device: &str| TierEntry {
            name: name.to_owned(),
            price: price.clone(),
            unit_amount,
            device_type: device.to_owned(),
        };
        Tiers::try_from(vec![
            entry("basic", &self.prices.basic, 4_000, "shared"),
            entry("premium", &self.prices.premium, 10_000, "dedicated"),
        ])
        .expect("valid tiers")
    }

    // ------------------------------------------------------------------------ Tenants

    /// An organization that is billed.
    pub(crate) async fn tenant(
        &self,
        seat_limit: u64,
        (fewer, seats_end): (FewerSeats, SeatsEnd),
    ) -> Tenant {
        let ports = self.ports();
        let table = self.cold_table(&ports);
        let organization = OrganizationId::new(&ports, &ports).expect("entropy");
        let metadata = ("metadata[organization]", organization.as_str());
        let customer = self.account.make("/v1/customers", &[metadata]);
        let price = |price: &Option<String>| price.clone().expect("a price");
        let (basic, premium) = (price(&self.prices.basic), price(&self.prices.premium));
        let subscription = self.account.make(
            "/v1/subscriptions",
            &[
                ("customer", &customer),
                metadata,
                ("items[0][price]", &basic),
                ("items[0][quantity]", "0"),
                ("items[1][price]", &premium),
                ("items[1][quantity]", "0"),
            ],
        );
        let link = StripeLink {
            customer,
            subscription: subscription.clone(),
            // Where seats end with the period, it has to be known before the first is given back.
            standing: Standing {
                period: (seats_end == SeatsEnd::PeriodEnd)
                    .then(|| period(&self.account.subscription(&subscription))),
                ..SubscriptionStatus::Active.into()
            },
        };
        let allowance = up_to(seat_limit);
        let made =
            table.create_organization(&organization, &text("Acme"), Some(&link), allowance).await;
        made.expect("an organization");
        if fewer != FewerSeats::default() {
            table.set_fewer_seats(&organization, fewer).await.expect("an organization");
        }
        if seats_end != SeatsEnd::default() {
            table.set_seats_end(&organization, seats_end).await.expect("an organization");
        }
        let holder = Holder::Organization(organization.clone());
        let permissions = [
            Permission::AccountsCreate,
            Permission::AccountsUpdate,
            Permission::AccountsDeactivate,
        ];
        let api_key = self.credential(&table, holder, &permissions).await;
        Tenant { organization, subscription, api_key, fewer, seats_end }
    }

    /// An agency.
    pub(crate) async fn agency(&self) -> AgencyTenant {
        let ports = self.ports();
        let table = self.cold_table(&ports);
        let lcuid = AgencyLcuid::new(&ports).expect("entropy");
        let agency =
            Agency { lcuid: lcuid.clone(), name: text("Blue"), settings: Default::default() };
        table.create_agency(&agency).await.expect("an agency");
        let app = AppLcuid::new(&ports).expect("entropy");
        table.create_app(&app, &lcuid, &text("App")).await.expect("an app");
        let parent = AgencyAccount {
            lcuid: AgencyAccountLcuid::new(&ports).expect("entropy"),
            agency: lcuid.clone(),
            new: NewAgencyAccount {
                name: text("Parent"),
                description: None,
                website: None,
                parent: None,
            },
            is_parent_account: true,
            created_by: None,
            created_at: ports.now(),
        };
        let no_answer = StoredAnswer { status: 200, location: None, body: String::new() };
        let made = create(&table, &ports, &parent, None, |_, _| no_answer.clone()).await;
        made.expect("an account");
        let holder = Holder::App { app: app.clone(), agency: lcuid.clone() };
        let token = self.credential(&table, holder, &[Permission::AgencyCreateAccounts]).await;
        AgencyTenant {
            lcuid: lcuid.to_string(),
            app: app.to_string(),
            token,
            parent: parent.lcuid.to_string(),
        }
    }

    async fn credential(
        &self,
        table: &Table,
        holder: Holder,
        permissions: &[Permission],
    ) -> String {
        let ports = self.ports();
        let permissions = permissions.iter().copied().collect();
        let (credential, text) =
            Credential::issue(holder, permissions, None, &ports, &ports).expect("entropy");
        table.create_credential(&credential).await.expect("a credential");
        reveal(&text).to_owned()
    }

    // ------------------------------------------------------------------------ Functions

    /// `POST /accounts/create`.
    pub(crate) async fn create_seats(&self, call: Call) -> Result<Reply, Died> {
        let ports = self.ports();
        let function = create_seats::Function {
            store: self.table(&ports),
            ports,
            platforms: Platforms::from_list("tiktok,instagram"),
            tiers: self.tiers(),
            policy: BillingPolicy::default(),
            fingerprint_key: fingerprint_key(),
        };
        self.ask("create-seats", API, function, call).await
    }

    /// `POST /billing/deactivate`.
    pub(crate) async fn deactivate_seats(&self, call: Call) -> Result<Reply, Died> {
        let ports = self.ports();
        let function = deactivate_seats::Function {
            store: self.table(&ports),
            ports,
            tiers: self.tiers(),
            fingerprint_key: fingerprint_key(),
        };
        self.ask("deactivate-seats", API, function, call).await
    }

    /// `POST /accounts/update-info`.
    pub(crate) async fn update_seats(&self, call: Call) -> Result<Reply, Died> {
        let ports = self.ports();
        let function = update_seats::Function {
            store: self.table(&ports),
            ports,
            platforms: Platforms::from_list("tiktok,instagram"),
            tiers: self.tiers(),
            policy: BillingPolicy::default(),
            fingerprint_key: fingerprint_key(),
        };
        self.ask("update-seats", API, function, call).await
    }

    /// `POST /accounts`.
    pub(crate) async fn list_seats(&self, call: Call) -> Result<Reply, Died> {
        let ports = self.ports();
        let function = list_seats::Function {
            store: self.table(&ports),
            ports,
            platforms: Platforms::from_list("tiktok,instagram"),
            fingerprint_key: fingerprint_key(),
        };
        self.ask("list-seats", API, function, call).await
    }

    /// `POST /api/v3/accounts`.
    pub(crate) async fn create_agency_account(&self, call: Call) -> Result<Reply, Died> {
        let ports = self.ports();
        let function = create_agency_account::Function {
            store: self.table(&ports),
            ports,
            fingerprint_key: fingerprint_key(),
        };
        self.ask("create-agency-account", API, function, call).await
    }

    /// `POST /v1/accounts`.
    pub(crate) async fn create_account(&self, call: Call) -> Result<Reply, Died> {
        let ports = self.ports();
        let function = create_account::Function {
            store: self.table(&ports),
            ports,
            password_policy: PasswordPolicy::default(),
            hashing: HashedOnce,
            self_signup: true,
            fingerprint_key: fingerprint_key(),
        };
        self.ask("create-account", API, function, call).await
    }

    /// `POST /v1/auth/login`.
    pub(crate) async fn open_session(&self, call: Call) -> Result<Reply, Died> {
        let ports = self.ports();
        let function = open_session::Function {
            store: self.table(&ports),
            ports,
            hashing: HashedOnce,
            fingerprint_key: fingerprint_key(),
        };
        self.ask("open-session", API, function, call).await
    }

    /// `PATCH /v1/account`.
    pub(crate) async fn update_own_account(&self, call: Call) -> Result<Reply, Died> {
        let ports = self.ports();
        let function = update_own_account::Function {
            store: self.table(&ports),
            ports,
            hashing: HashedOnce,
            password_policy: PasswordPolicy::default(),
            fingerprint_key: fingerprint_key(),
        };
        self.ask("update-own-account", API, function, call).await
    }

    /// `DELETE /v1/account`.
    pub(crate) async fn delete_own_account(&self, call: Call) -> Result<Reply, Died> {
        let ports = self.ports();
        let function = delete_own_account::Function {
            store: self.table(&ports),
            ports,
            retention: Retention::new(30).expect("days"),
        };
        self.ask("delete-own-account", API, function, call).await
    }

    async fn ask<E: Endpoint + Send + 'static>(
        &self,
        name: &'static str,
        limit: Duration,
        function: E,
        call: Call,
    ) -> Result<Reply, Died> {
        let event = call.event();
        let work = async move { Reply::to_event(&function, &event).await };
        let outcome = self.world.kernel.isolated(name, limit, work).await;
        match &outcome {
            Ok(reply) => self.world.note(format_args!("{name} answers {}", reply.status)),
            Err(Died::Killed) => self.world.note(format_args!("{name} dies")),
            // The caller is told 503 by the gateway, without an envelope.
            Err(Died::TimeUp) => self.world.broken(10, format_args!("{name} did not answer")),
        }
        outcome
    }

    // ------------------------------------------------------------------------ Queue

    /// Receives a batch at a time or somewhat later, with what has come until then.
    fn receive_at(&self, at: u64) {
        let stack = self.clone();
        self.world.kernel.spawn("billing-queue", async move {
            let wait = at.saturating_sub(stack.world.kernel.now());
            let late = stack.world.kernel.draw(|rng| match rng.below(3) {
                0 => rng.between(0, 1_500_000),
                _ => rng.between(0, 20_000),
            });
            stack.world.kernel.sleep_micros(wait + late).await;
            let batch = stack.queue.receive();
            if !batch.is_empty() {
                stack.sync(batch).await;
            }
        });
    }

    async fn sync(&self, batch: Vec<Message>) {
        self.world.note(format_args!("receives {}", batch.len()));
        if self.world.is_overlapping() {
            self.queue.duplicate(&batch);
        }
        let ports = self.ports();
        let function = sync_billing::Function {
            ledger: self.table(&ports),
            stripe: Stripe::over(self.account.clone()),
            queue: self.queue.clone(),
            prices: self.prices.clone(),
            ports,
        };
        let mut event = SqsEvent::default();
        event.records = Queue::event(&batch);
        let struck = self.world.faults(|faults| faults.struck);
        let work = async move { function.handle(event).await.map_err(|error| error.to_string()) };
        let outcome = self.world.kernel.isolated("sync-billing", SYNC_BILLING, work).await;
        let Ok(Ok(response)) = outcome else {
            self.world.note(format_args!("sync-billing dies"));
            return;
        };
        let failed: BTreeSet<_> = response
            .batch_item_failures
            .into_iter()
            .map(|failure| failure.item_identifier)
            .collect();
        let is_done = |message: &&Message| !failed.contains(&message.name());
        let acknowledged: Vec<_> = batch.iter().filter(is_done).cloned().collect();
        self.world.note(format_args!("acknowledges {} of {}", acknowledged.len(), batch.len()));
        for message in &acknowledged {
            self.check_acknowledged(message);
        }
        if struck == self.world.faults(|faults| faults.struck) {
            self.check_poisoned(&batch, &failed);
        }
        // Lambda deletes what was done, and may die before it has.
        if !self.world.is_duplicated() {
            self.queue.delete(&acknowledged);
        }
    }

    /// Invariant 6.
    fn check_acknowledged(&self, message: &Message) {
        let Ok(change) = message::decode(&message.body) else {
            self.world.broken(6, format_args!("a poison message was acknowledged"));
            return;
        };
        let organization = change.organization.as_str();
        let record = self.dynamo.item(&format!("ORG#{organization}"), "BILLING");
        let applied = record.map_or(0, |record| number(&record, "applied_version"));
        let is_applied = u64::try_from(applied).is_ok_and(|applied| applied >= change.version);
        let is_told = self.queue.is_lossy()
            || self.queue.will_tell_beside(message, organization, change.version);
        if !is_applied && !is_told {
            let version = change.version;
            self.world.broken(
                6,
                format_args!(
                    "{organization} version {version} was acknowledged, but {applied} is applied"
                ),
            );
        }
    }

    /// Invariant 7: where nothing else went wrong, only the group of a poison message fails.
    fn check_poisoned(&self, batch: &[Message], failed: &BTreeSet<String>) {
        let is_poison = |message: &&Message| message::decode(&message.body).is_err();
        let poisoned: BTreeSet<_> =
            batch.iter().filter(is_poison).map(|message| &message.group).collect();
        if poisoned.is_empty() {
            return;
        }
        for message in batch.iter().filter(|message| failed.contains(&message.name())) {
            let has_ended = || {
                let record = self.dynamo.item(&format!("ORG#{}", message.group), "BILLING");
                record.is_some_and(|record| record.contains_key("last_error"))
            };
            if !poisoned.contains(&message.group) && !has_ended() {
                self.world.broken(7, format_args!("{} failed beside poison", message.group));
            }
        }
    }

    // ------------------------------------------------------------------------ Webhooks

    /// Sends what is due on its way. Webhooks overtake each other and come twice.
    pub(crate) fn deliver_webhooks(&self) {
        for post in self.account.webhooks() {
            lock(&self.owed).insert(post.delivery.clone());
            let stack = self.clone();
            self.world.kernel.spawn("webhook", async move {
                if stack.world.is_duplicated() {
                    stack.post(&post).await;
                }
                let is_acknowledged = stack.post(&post).await;
                stack.account.delivered(&post, is_acknowledged);
                if is_acknowledged {
                    lock(&stack.owed).remove(&post.delivery);
                } else {
                    // Stripe tries again after 5, 30 and 120 seconds.
                    for seconds in [6, 25, 90] {
                        stack.world.kernel.sleep(Duration::from_secs(seconds)).await;
                        stack.deliver_webhooks();
                    }
                }
            });
        }
    }

    /// Whether every webhook was acknowledged.
    pub(crate) fn is_all_heard(&self) -> bool {
        lock(&self.owed).is_empty()
    }

    async fn post(&self, post: &stripe_stand_in::WebhookPost) -> bool {
        let wait = self.world.kernel.draw(|rng| match rng.below(8) {
            0 => rng.between(0, 20_000_000),
            _ => rng.between(20_000, 400_000),
        });
        self.world.kernel.sleep_micros(wait).await;
        let ports = self.ports();
        let function = stripe_webhook::Function {
            ledger: self.table(&ports),
            stripe: Stripe::over(self.account.clone()),
            signatures: SignatureCheck::new(Secret {
                world: self.world.clone(),
                text: lock(&self.secret).clone(),
            }),
            ports,
        };
        let call = Call::text(&post.payload).header("stripe-signature", &post.signature);
        let reply = self.ask("stripe-webhook", STRIPE_WEBHOOK, function, call).await;
        reply.is_ok_and(|reply| reply.status == 200)
    }

    // ------------------------------------------------------------------------ Comparison

    /// One run of reconcile-billing, which asks the table for some shards.
    pub(crate) async fn reconcile(&self, shards: BTreeSet<Shard>) -> Option<Report> {
        let ports = self.ports();
        let limit = SignedDuration::try_from(RECONCILE_BILLING).expect("minutes");
        let deadline = ports.now() + limit;
        let function = reconcile_billing::Function {
            ledger: Sharded::new(self.table(&ports), shards),
            stripe: Stripe::over(self.account.clone()),
            queue: self.queue.clone(),
            findings: self.findings.clone(),
            tiers: self.tiers(),
            reads_per_second: NonZeroU32::new(15).expect("above 0"),
            ports,
        };
        let work = async move {
            function.handle(deadline, "run".to_owned()).await.map_err(|error| error.to_string())
        };
        let outcome =
            self.world.kernel.isolated("reconcile-billing", RECONCILE_BILLING, work).await;
        self.world.note(format_args!("reconciled: {outcome:?}"));
        let report = outcome.ok().and_then(Result::ok);
        let is_over = |report: &Report| report.ended == reconcile_billing::Ended::Complete;
        *lock(&self.under_way) = !report.as_ref().is_some_and(is_over);
        report
    }

    /// Whether the next run of reconcile-billing begins in the middle.
    pub(crate) fn is_under_way(&self) -> bool {
        *lock(&self.under_way)
    }
}
