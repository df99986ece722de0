//! An embedded DynamoDB with the table of template.yaml, the functions on it, and tenants.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use argon2::{Algorithm, Argon2, Params, Version};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement,
    KeyType, Projection, ProjectionType, ScalarAttributeType,
};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use headcount_billing::Prices;
use headcount_billing::stripe::Stripe;
use headcount_model::agency::{Agency, AgencyAccount, NewAgencyAccount, create};
use headcount_model::billing::SubscriptionStatus;
use headcount_model::credential::{Credential, Holder, Permission, reveal};
use headcount_model::id::{AccountId, AgencyAccountLcuid, AgencyLcuid, AppLcuid, OrganizationId};
use headcount_model::idempotency::{FingerprintKey, StoredAnswer};
use headcount_model::identity::{
    Account, AccountKind, AccountStatus, ClosedAccount, Email, Password, PasswordHash,
    PasswordPolicy, Retention, Salt, Session, Settings,
};
use headcount_model::policy::BillingPolicy;
use headcount_model::port::Clock;
use headcount_model::seats::Platforms;
use headcount_model::text::Text;
use headcount_model::tiers::{TierEntry, Tiers};
use headcount_store::{Allowance, SpendingLimit, StripeLink, Table};

use crate::billing::Billing;
use crate::call::Call;
use crate::operations::Operations;
use crate::ports::Ports;
use crate::wire::Wire;

/// An item of the table.
pub type Item = HashMap<String, AttributeValue>;

/// What the index `accounts` has of an account besides its keys, as template.yaml has it.
pub const LISTED: [&str; 10] = [
    "id",
    "email",
    "name",
    "type",
    "status",
    "currency",
    "timezone",
    "language",
    "created_at",
    "updated_at",
];

/// The name of the table.
pub const TABLE: &str = "headcount";

/// Everything that a test of a function needs.
pub struct Stage {
    /// Time and randomness.
    pub ports: Ports,
    /// The store on the embedded table.
    pub table: Table,
    /// The raw client, to look at items and to break them.
    pub client: Client,
    /// What `client`, and so every function on it, has sent.
    pub operations: Operations,
    /// The way to DynamoDB, of the store and of the raw client.
    pub wire: Wire,
    /// Where DynamoDB answers, for other processes.
    pub endpoint: String,
}

/// The password of [`Stage::own_account`] and of everybody in tests who has one.
pub const PASSWORD: &str = "secure_password_here";

/// An identity account and a session of it.
pub struct OwnTenant {
    /// The account.
    pub id: AccountId,
    /// Its address.
    pub email: String,
    /// The session.
    pub session: Session,
    /// Its access token.
    pub token: String,
    /// Its refresh token.
    pub refresh: String,
}

/// An agency with an app, its tokens and two accounts.
pub struct AgencyTenant {
    /// The agency.
    pub lcuid: String,
    /// The app.
    pub app: String,
    /// A token that may create accounts.
    pub token: String,
    /// A token that may not.
    pub token_without_permission: String,
    /// An account that may have sub-accounts.
    pub parent: String,
    /// An account that may not.
    pub plain: String,
}

impl AgencyTenant {
    /// What a token of the app says of whose it is.
    pub fn holder(&self) -> Holder {
        Holder::App {
            app: AppLcuid::parse(&self.app).expect("an app"),
            agency: AgencyLcuid::parse(&self.lcuid).expect("an agency"),
        }
    }

    /// A call of the app, with a token.
    pub fn signed(&self, call: Call, token: &str) -> Call {
        call.bearer(token).header("appidv3", &self.app)
    }
}

/// So many seats, whatever they cost.
pub fn up_to(seats: u64) -> Allowance {
    Allowance { seats, spending: SpendingLimit::None }
}

/// The HTTP client of a test's own AWS clients. The SDK brings none: functions have their own
/// (`headcount-platform`).
pub fn plain_http() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().build_http()
}

impl Stage {
    /// A new, empty table.
    pub async fn new() -> Self {
        let database = dynoxide::Database::memory().expect("an embedded database");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(dynoxide::server::serve_on(listener, database));
        let endpoint = format!("http://{address}");
        let operations = Operations::default();
        let wire = Wire::default();
        let config = aws_sdk_dynamodb::Config::builder()
            .interceptor(wire.clone())
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .endpoint_url(&endpoint)
            .http_client(plain_http())
            .interceptor(operations.clone())
            .build();
        let client = Client::from_conf(config);
        create_table(&client).await;
        let ports = Ports::default();
        let table =
            Table::new(client.clone(), TABLE, Arc::new(ports.clone()), Arc::new(ports.clone()));
        Self { ports, table, client, operations, wire, endpoint }
    }

    /// Empties the table.
    pub async fn clear(&self) {
        self.client.delete_table().table_name(TABLE).send().await.expect("there is a table");
        create_table(&self.client).await;
    }

    /// A store like [`Stage::table`] that remembers nothing, as in a process just started.
    pub fn cold_table(&self) -> Table {
        Table::new(
            self.client.clone(),
            TABLE,
            Arc::new(self.ports.clone()),
            Arc::new(self.ports.clone()),
        )
    }

    /// `POST /accounts/create`.
    pub fn create_seats(&self) -> create_seats::Function<Table, Ports> {
        create_seats::Function {
            store: self.table.clone(),
            ports: self.ports.clone(),
            platforms: Platforms::from_list("tiktok,instagram"),
            tiers: tiers(),
            policy: BillingPolicy::default(),
            fingerprint_key: fingerprint_key(),
        }
    }

    /// `POST /accounts`.
    pub fn list_seats(&self) -> list_seats::Function<Table, Ports> {
        list_seats::Function {
            store: self.table.clone(),
            ports: self.ports.clone(),
            platforms: Platforms::from_list("tiktok,instagram"),
            fingerprint_key: fingerprint_key(),
        }
    }

    /// `GET /org`.
    pub fn get_organization(&self) -> get_organization::Function<Table, Ports> {
        get_organization::Function { store: self.table.clone(), ports: self.ports.clone() }
    }

    /// `POST /org/api-key`.
    pub fn list_api_keys(&self) -> list_api_keys::Function<Table, Ports> {
        list_api_keys::Function { store: self.table.clone(), ports: self.ports.clone() }
    }

    /// `POST /org/api-key/create`.
    pub fn create_api_key(&self) -> create_api_key::Function<Table, Ports> {
        create_api_key::Function {
            store: self.table.clone(),
            ports: self.ports.clone(),
            fingerprint_key: fingerprint_key(),
        }
    }

    /// `POST /org/api-key/edit`.
    pub fn update_api_key(&self) -> update_api_key::Function<Table, Ports> {
        update_api_key::Function {
            store: self.table.clone(),
            ports: self.ports.clone(),
            fingerprint_key: fingerprint_key(),
        }
    }

    /// `POST /org/api-key/delete`.
    pub fn delete_api_key(&self) -> delete_api_key::Function<Table, Ports> {
        delete_api_key::Function {
            store: self.table.clone(),
            ports: self.ports.clone(),
            fingerprint_key: fingerprint_key(),
        }
    }

    /// `POST /accounts/update-info`.
    pub fn update_seats(&self) -> update_seats::Function<Table, Ports> {
        update_seats::Function {
            store: self.table.clone(),
            ports: self.ports.clone(),
            platforms: Platforms::from_list("tiktok,instagram"),
            tiers: tiers(),
            policy: BillingPolicy::default(),
            fingerprint_key: fingerprint_key(),
        }
    }

    /// `POST /billing/deactivate`.
    pub fn deactivate_seats(&self) -> deactivate_seats::Function<Table, Ports> {
        deactivate_seats::Function {
            store: self.table.clone(),
            ports: self.ports.clone(),
            tiers: tiers(),
            fingerprint_key: fingerprint_key(),
        }
    }

    /// `GET /billing`.
    pub fn get_billing(&self) -> get_billing::Function<Table, Ports> {
        get_billing::Function {
            store: self.table.clone(),
            ports: self.ports.clone(),
            policy: BillingPolicy::default(),
        }
    }

    /// `GET /billing/history`.
    pub fn get_billing_history(&self) -> get_billing_history::Function<Table, Ports> {
        get_billing_history::Function {
            store: self.table.clone(),
            ports: self.ports.clone(),
            fingerprint_key: fingerprint_key(),
        }
    }

    /// `POST /accounts/quote`, with the prices that a Stripe account has.
    pub fn quote_seats(&self, billing: &Billing) -> quote_seats::Function<Table, Stripe, Ports> {
        quote_seats::Function {
            store: self.table.clone(),
            stripe: billing.stripe.clone(),
            ports: self.ports.clone(),
            platforms: Platforms::from_list("tiktok,instagram"),
            tiers: billing.tiers(),
            policy: BillingPolicy::default(),
            fingerprint_key: fingerprint_key(),
        }
    }

    /// `POST /billing/portal`, of a Stripe account.
    pub fn open_billing_portal(
        &self,
        billing: &Billing,
    ) -> open_billing_portal::Function<Table, Stripe, Ports> {
        open_billing_portal::Function {
            store: self.table.clone(),
            stripe: billing.stripe.clone(),
            ports: self.ports.clone(),
        }
    }

    /// `POST /billing/cancel`, of a Stripe account.
    pub fn cancel_billing(
        &self,
        billing: &Billing,
    ) -> cancel_billing::Function<Table, Stripe, Ports> {
        cancel_billing::Function {
            store: self.table.clone(),
            stripe: billing.stripe.clone(),
            ports: self.ports.clone(),
            fingerprint_key: fingerprint_key(),
        }
    }

    /// `POST /billing/resume`, of a Stripe account.
    pub fn resume_billing(
        &self,
        billing: &Billing,
    ) -> resume_billing::Function<Table, Stripe, Ports> {
        resume_billing::Function {
            store: self.table.clone(),
            stripe: billing.stripe.clone(),
            ports: self.ports.clone(),
            fingerprint_key: fingerprint_key(),
        }
    }

    /// `POST /api/v3/accounts`.
    pub fn create_agency_account(&self) -> create_agency_account::Function<Table, Ports> {
        create_agency_account::Function {
            store: self.table.clone(),
            ports: self.ports.clone(),
            fingerprint_key: fingerprint_key(),
        }
    }

    /// `GET /api/v3/status`.
    pub fn check_token(&self) -> check_token::Function<Table, Ports> {
        check_token::Function { store: self.table.clone(), ports: self.ports.clone() }
    }

    /// `GET /api/v3/accounts/{lcuid}`.
    pub fn get_agency_account(&self) -> get_agency_account::Function<Table, Ports> {
        get_agency_account::Function { store: self.table.clone(), ports: self.ports.clone() }
    }

    /// `GET /api/v3/accounts`.
    pub fn list_agency_accounts(&self) -> list_agency_accounts::Function<Table, Ports> {
        list_agency_accounts::Function { store: self.table.clone(), ports: self.ports.clone() }
    }

    /// `GET /api/v3/agencies/{lcuid}/accounts`.
    pub fn list_accounts_of_agency(&self) -> list_accounts_of_agency::Function<Table, Ports> {
        list_accounts_of_agency::Function { store: self.table.clone(), ports: self.ports.clone() }
    }

    /// `PUT /api/v3/accounts/{lcuid}`.
    pub fn update_agency_account(&self) -> update_agency_account::Function<Table, Ports> {
        update_agency_account::Function {
            store: self.table.clone(),
            ports: self.ports.clone(),
            fingerprint_key: fingerprint_key(),
        }
    }

    /// `DELETE /api/v3/objects/{lcuid}`.
    pub fn delete_agency_account(&self) -> delete_agency_account::Function<Table, Ports> {
        delete_agency_account::Function {
            store: self.table.clone(),
            ports: self.ports.clone(),
            fingerprint_key: fingerprint_key(),
        }
    }

    /// `GET /api/v3/objects/{lcuid}/can-be-deleted`.
    pub fn check_deletion(&self) -> check_deletion::Function<Table, Ports> {
        check_deletion::Function { store: self.table.clone(), ports: self.ports.clone() }
    }

    /// `POST /v1/accounts`, with self-signup on.
    pub fn create_account(&self) -> create_account::Function<Table, Ports> {
        create_account::Function {
            store: self.table.clone(),
            ports: self.ports.clone(),
            password_policy: PasswordPolicy::default(),
            hashing: create_account::OwnThread,
            self_signup: true,
            fingerprint_key: fingerprint_key(),
        }
    }

    /// `POST /v1/auth/login`.
    pub fn open_session(&self) -> open_session::Function<Table, Ports> {
        open_session::Function {
            store: self.table.clone(),
            ports: self.ports.clone(),
            hashing: open_session::OwnThread,
            fingerprint_key: fingerprint_key(),
        }
    }

    /// `DELETE /v1/auth/session`.
    pub fn end_session(&self) -> end_session::Function<Table, Ports> {
        end_session::Function { store: self.table.clone(), ports: self.ports.clone() }
    }

    /// `POST /v1/auth/refresh`.
    pub fn refresh_session(&self) -> refresh_session::Function<Table, Ports> {
        refresh_session::Function { store: self.table.clone(), ports: self.ports.clone() }
    }

    /// `GET /v1/accounts`.
    pub fn list_accounts(&self) -> list_accounts::Function<Table, Ports> {
        list_accounts::Function {
            store: self.table.clone(),
            ports: self.ports.clone(),
            fingerprint_key: fingerprint_key(),
        }
    }

    /// `GET /v1/auth/sessions`.
    pub fn list_sessions(&self) -> list_sessions::Function<Table, Ports> {
        list_sessions::Function {
            store: self.table.clone(),
            ports: self.ports.clone(),
            fingerprint_key: fingerprint_key(),
        }
    }

    /// `GET /v1/account`.
    pub fn get_own_account(&self) -> get_own_account::Function<Table, Ports> {
        get_own_account::Function { store: self.table.clone(), ports: self.ports.clone() }
    }

    /// `DELETE /v1/account`.
    pub fn delete_own_account(&self) -> delete_own_account::Function<Table, Ports> {
        delete_own_account::Function {
            store: self.table.clone(),
            ports: self.ports.clone(),
            retention: Retention::new(30).expect("few days"),
        }
    }

    /// `DELETE /v1/accounts/{id}`.
    pub fn delete_account(&self) -> delete_account::Function<Table, Ports> {
        delete_account::Function {
            store: self.table.clone(),
            ports: self.ports.clone(),
            retention: Retention::new(30).expect("few days"),
        }
    }

    /// Leaves of an account what is left when it is closed.
    pub async fn close(&self, id: &AccountId) {
        self.forget(&format!("ACCOUNT#{id}"), "ACCOUNT").await;
        let closed = ClosedAccount { id: id.clone(), closed_at: self.ports.now() };
        self.table.keep_closed_account(&closed).await.expect("a tombstone");
    }

    /// `PATCH /v1/account`.
    pub fn update_own_account(&self) -> update_own_account::Function<Table, Ports> {
        update_own_account::Function {
            store: self.table.clone(),
            ports: self.ports.clone(),
            hashing: update_own_account::OwnThread,
            password_policy: PasswordPolicy::default(),
            fingerprint_key: fingerprint_key(),
        }
    }

    /// `PATCH /v1/accounts/{id}`.
    pub fn update_account(&self) -> update_account::Function<Table, Ports> {
        update_account::Function {
            store: self.table.clone(),
            ports: self.ports.clone(),
            hashing: update_account::OwnThread,
            password_policy: PasswordPolicy::default(),
            fingerprint_key: fingerprint_key(),
        }
    }

    /// `GET /v1/accounts/{id}`.
    pub fn get_account(&self) -> get_account::Function<Table, Ports> {
        get_account::Function { store: self.table.clone(), ports: self.ports.clone() }
    }

    /// An account at `local_part@example.com` that nobody has the password of, and a session of it.
    pub async fn own_account(&self, local_part: &str) -> OwnTenant {
        let hash = PasswordHash::of_nobody();
        self.account_hashed(local_part, hash, AccountStatus::Active).await
    }

    /// The same with [`PASSWORD`], which it takes some time to hash.
    pub async fn own_account_with_password(
        &self,
        local_part: &str,
        status: AccountStatus,
    ) -> OwnTenant {
        let password = Password::candidate(PASSWORD).expect("a password");
        let hash = password.hash(&Salt::new(&self.ports).expect("entropy")).expect("memory");
        self.account_hashed(local_part, hash, status).await
    }

    /// The same with any hash.
    pub async fn account_hashed(
        &self,
        local_part: &str,
        password_hash: PasswordHash,
        status: AccountStatus,
    ) -> OwnTenant {
        let email = format!("{local_part}@example.com");
        let account = Account {
            id: AccountId::new(&self.ports, &self.ports).expect("entropy"),
            email: Email::parse(&email).expect("an address"),
            name: text("Acme Inc."),
            kind: AccountKind::Business,
            password_hash,
            settings: Settings::default(),
            created_at: self.ports.now(),
        };
        self.table.create_identity_account(&account, status).await.expect("an account");
        self.session_of(&account.id, &email, 0).await
    }

    /// An account of this id at `local_part@example.com`.
    pub async fn account_of_id(&self, id: &AccountId, local_part: &str) {
        let account = Account {
            id: id.clone(),
            email: Email::parse(&format!("{local_part}@example.com")).expect("an address"),
            name: text("Acme Inc."),
            kind: AccountKind::Business,
            password_hash: PasswordHash::of_nobody(),
            settings: Settings::default(),
            created_at: self.ports.now(),
        };
        let status = AccountStatus::Active;
        self.table.create_identity_account(&account, status).await.expect("an account");
    }

    /// So many accounts of a status, a second apart, past the use case. Their ids end with `first` and on.
    pub async fn many_own_accounts(&self, (first, count): (usize, usize), status: &str) {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        for n in first..first + count {
            let id = format!("acct_01kgjb9z8rd3m0many{n:08}");
            let email = format!("many{n}@example.com");
            let created_at =
                format!("2026-01-01T{:02}:{:02}:{:02}.000000Z", n / 3_600, n / 60 % 60, n % 60);
            let made = self.client.put_item().table_name(TABLE);
            let made = [
                ("pk", format!("ACCOUNT#{id}").as_str()),
                ("sk", "ACCOUNT"),
                ("listed_as", &format!("{created_at}#{id}")),
                ("id", &id),
                ("email", &email),
                ("email_ascii", &email),
                ("name", &format!("Account {n}")),
                ("type", "individual"),
                ("status", status),
                ("password_hash", PasswordHash::of_nobody().as_phc()),
                ("currency", "USD"),
                ("timezone", "UTC"),
                ("language", "en"),
                ("created_at", &created_at),
                ("updated_at", &created_at),
            ]
            .into_iter()
            .fold(made, |made, (name, value)| made.item(name, text(value)));
            made.send().await.expect("an item");
        }
    }

    /// One more session of an account.
    pub async fn session_of(&self, id: &AccountId, email: &str, epoch: u64) -> OwnTenant {
        let (session, tokens) =
            Session::open(id, epoch, &self.ports, &self.ports).expect("entropy");
        self.table.create_session(&session).await.expect("a session");
        OwnTenant {
            id: id.clone(),
            email: email.to_owned(),
            session,
            token: reveal(&tokens.access).to_owned(),
            refresh: reveal(&tokens.refresh).to_owned(),
        }
    }

    /// An organization with a subscription in a status and room for `seat_limit` seats.
    pub async fn organization(
        &self,
        status: Option<SubscriptionStatus>,
        seat_limit: u64,
    ) -> OrganizationId {
        let id = OrganizationId::new(&self.ports, &self.ports).expect("entropy");
        let link = status.map(|status| StripeLink {
            customer: format!("cus_{id}"),
            subscription: format!("sub_{id}"),
            standing: status.into(),
        });
        self.table
            .create_organization(&id, &text("Acme"), link.as_ref(), up_to(seat_limit))
            .await
            .expect("an organization");
        id
    }

    /// An organization that is billed, with an API key that may create seats.
    pub async fn seats_tenant(&self) -> (OrganizationId, String) {
        let id = self.organization(Some(SubscriptionStatus::Active), 100_000).await;
        let key = self.api_key(&id).await;
        (id, key)
    }

    /// An API key that may create seats and give them back.
    pub async fn api_key(&self, organization: &OrganizationId) -> String {
        let holder = Holder::Organization(organization.clone());
        let permissions = [Permission::AccountsCreate, Permission::AccountsDeactivate];
        self.credential(holder, &permissions).await
    }

    /// A credential; the text of it.
    pub async fn credential(&self, holder: Holder, permissions: &[Permission]) -> String {
        let (credential, text) = Credential::issue(
            holder,
            BTreeSet::from_iter(permissions.iter().copied()),
            None,
            &self.ports,
            &self.ports,
        )
        .expect("entropy");
        self.keep(&credential).await;
        reveal(&text).to_owned()
    }

    /// Keeps a credential.
    pub async fn keep(&self, credential: &Credential) {
        self.table.create_credential(credential).await.expect("a credential");
    }

    /// An agency with everything that belongs to one.
    pub async fn agency_tenant(&self) -> AgencyTenant {
        let lcuid = AgencyLcuid::new(&self.ports).expect("entropy");
        let agency =
            Agency { lcuid: lcuid.clone(), name: text("Blue River"), settings: Default::default() };
        self.table.create_agency(&agency).await.expect("an agency");
        let app = AppLcuid::new(&self.ports).expect("entropy");
        self.table.create_app(&app, &lcuid, &text("App")).await.expect("an app");
        let holder = Holder::App { app: app.clone(), agency: lcuid.clone() };
        AgencyTenant {
            token: self.credential(holder.clone(), &[Permission::AgencyCreateAccounts]).await,
            token_without_permission: self.credential(holder, &[]).await,
            parent: self.agency_account(&lcuid, "Parent", true).await,
            plain: self.agency_account(&lcuid, "Plain", false).await,
            lcuid: lcuid.to_string(),
            app: app.to_string(),
        }
    }

    async fn agency_account(&self, agency: &AgencyLcuid, name: &str, is_parent: bool) -> String {
        let account = AgencyAccount {
            lcuid: AgencyAccountLcuid::new(&self.ports).expect("entropy"),
            agency: agency.clone(),
            new: NewAgencyAccount {
                name: text(name),
                description: None,
                website: None,
                parent: None,
            },
            is_parent_account: is_parent,
            created_by: None,
            created_at: self.ports.now(),
        };
        self.keep_agency_account(&account).await;
        account.lcuid.to_string()
    }

    /// Gives an agency accounts with descriptions of so many characters, past the use case.
    pub async fn many_accounts(&self, agency: &str, count: usize, length: usize) {
        let text = |text: String| AttributeValue::S(text);
        for n in 0..count {
            let lcuid = format!("LCUID-LA-00000000-0000-4000-8000-{n:012x}");
            let made = self
                .client
                .put_item()
                .table_name(TABLE)
                .item("pk", text(format!("AGENCY#{agency}")))
                .item("sk", text(format!("ACCOUNT#{lcuid}")))
                .item("lcuid", text(lcuid))
                .item("agency", text(agency.to_owned()))
                .item("name", text(format!("Account {n}")))
                .item("slug", text(format!("Account{n}")))
                // Three bytes each.
                .item("description", text("語".repeat(length)))
                .item("is_parent_account", AttributeValue::Bool(false))
                // Against the order of the ids.
                .item("created_at", text(format!("2026-01-01T00:00:00.{:06}Z", 999_999 - n)))
                .item("updated_at", text("2026-01-01T00:00:00.000000Z".to_owned()));
            made.send().await.expect("an item");
        }
    }

    /// Gives an organization seats of a status with descriptions of so many characters, past the use case.
    /// Their ids begin with `first`.
    pub async fn many_seats(
        &self,
        organization: &OrganizationId,
        (first, count): (usize, usize),
        status: &str,
        length: usize,
    ) {
        let text = |text: String| AttributeValue::S(text);
        for n in first..first + count {
            let id = format!("acc_01kgjb9z8rd3m0many{n:08}");
            let made = self
                .client
                .put_item()
                .table_name(TABLE)
                .item("pk", text(format!("ORG#{organization}")))
                .item("sk", text(format!("SEAT#{id}")))
                .item("id", text(id))
                .item("organization", text(organization.to_string()))
                .item("tier", text("basic".to_owned()))
                .item("status", text(status.to_owned()))
                .item("description", text("d".repeat(length)))
                .item("created_at", text("2026-01-01T00:00:00.000000Z".to_owned()))
                .item("updated_at", text("2026-01-01T00:00:00.000000Z".to_owned()));
            made.send().await.expect("an item");
        }
    }

    /// Puts so many keys that work nowhere into the list of an organization.
    pub async fn many_keys(&self, organization: &OrganizationId, count: usize) {
        let text = |text: String| AttributeValue::S(text);
        for n in 0..count {
            let id = format!("01kgjb9z8rd3m0many{n:08}");
            let made = self
                .client
                .put_item()
                .table_name(TABLE)
                .item("pk", text(format!("ORG#{organization}")))
                .item("sk", text(format!("APIKEY#{id}")))
                .item("id", text(id))
                .item("organization", text(organization.to_string()))
                .item("name", text(format!("Key {n}")))
                .item("permissions", AttributeValue::L(Vec::new()))
                .item("created_at", text("2026-01-01T00:00:00.000000Z".to_owned()));
            made.send().await.expect("an item");
        }
    }

    /// Keeps an account of an agency.
    pub async fn keep_agency_account(&self, account: &AgencyAccount) {
        let no_answer = StoredAnswer { status: 200, location: None, body: String::new() };
        create(&self.table, &self.ports, account, None, |_, _| no_answer.clone())
            .await
            .expect("an account");
    }

    /// An administrator of the Identity API.
    pub async fn administrator(&self) -> String {
        self.credential(Holder::Administrator, &[Permission::AccountsCreate]).await
    }

    /// Every item of the table.
    pub async fn items(&self) -> Vec<Item> {
        let output = self.client.scan().table_name(TABLE).into_paginator().items().send();
        output.collect::<Result<Vec<_>, _>>().await.expect("the table answers")
    }

    /// Every item of the table by its key.
    pub async fn snapshot(&self) -> BTreeMap<(String, String), Item> {
        let items = self.items().await.into_iter();
        let part = |item: &Item, name| attribute(item, name).to_owned();
        items.map(|item| ((part(&item, "pk"), part(&item, "sk")), item)).collect()
    }

    /// The items whose partition key begins with `prefix`.
    pub async fn items_under(&self, prefix: &str) -> Vec<Item> {
        let mut items = self.items().await;
        items.retain(|item| attribute(item, "pk").starts_with(prefix));
        items
    }

    /// How many items have an attribute.
    pub async fn items_with(&self, attribute: &str) -> usize {
        let items = self.items().await;
        items.iter().filter(|item| item.contains_key(attribute)).count()
    }

    /// How many seats an organization has, how many its billing record counts (basic and
    /// premium), and the version of that record.
    pub async fn seats(&self, organization: &OrganizationId) -> (usize, u64, u64, u64) {
        let items = self.items_under(&format!("ORG#{organization}")).await;
        let seats = items.iter().filter(|item| attribute(item, "sk").starts_with("SEAT#")).count();
        let billing =
            items.iter().find(|item| attribute(item, "sk") == "BILLING").expect("a billing record");
        let number = |name| attribute(billing, name).parse().expect("a number");
        (seats, number("seats_basic"), number("seats_premium"), number("version"))
    }

    /// Makes an account stand otherwise.
    pub async fn stand(&self, id: &AccountId, status: AccountStatus) {
        let status = AttributeValue::S(status.as_str().to_owned());
        self.set(&format!("ACCOUNT#{id}"), "ACCOUNT", "status", status).await;
    }

    /// Removes an item.
    pub async fn forget(&self, pk: &str, sk: &str) {
        let removed = self
            .client
            .delete_item()
            .table_name(TABLE)
            .key("pk", AttributeValue::S(pk.to_owned()))
            .key("sk", AttributeValue::S(sk.to_owned()));
        removed.send().await.expect("an item is removed");
    }

    /// Overwrites an attribute of an item.
    pub async fn set(&self, pk: &str, sk: &str, name: &str, value: AttributeValue) {
        let update = self.update(pk, sk, name).update_expression("SET #name = :value");
        let update = update.expression_attribute_values(":value", value);
        update.send().await.expect("an update");
    }

    /// Removes an attribute of an item.
    pub async fn remove(&self, pk: &str, sk: &str, name: &str) {
        let update = self.update(pk, sk, name).update_expression("REMOVE #name");
        update.send().await.expect("an update");
    }

    fn update(&self, pk: &str, sk: &str, name: &str) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(TABLE)
            .key("pk", AttributeValue::S(pk.to_owned()))
            .key("sk", AttributeValue::S(sk.to_owned()))
            .expression_attribute_names("#name", name)
    }
}

/// A password hashed in a single pass, in so many KiB: weaker than a hash of today, and quicker.
pub fn weak_hash(password: &str, memory: u32) -> String {
    let params = Params::new(memory, 1, 1, None).expect("parameters");
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let (salt, mut hash) = ([7; 16], [0; 32]);
    argon2.hash_password_into(password.as_bytes(), &salt, &mut hash).expect("memory");
    let (salt, hash) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(hash));
    format!("$argon2id$v=19$m={memory},t=1,p=1${salt}${hash}")
}

/// What an item keeps under a name, when that is text.
pub fn text_of<'i>(item: &'i Item, name: &str) -> Option<&'i str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

/// The text of an attribute, or of its number; empty when there is none.
fn attribute<'i>(item: &'i Item, name: &str) -> &'i str {
    match item.get(name) {
        Some(AttributeValue::S(text) | AttributeValue::N(text)) => text,
        _ => "",
    }
}

fn text(text: &str) -> Text {
    Text::line(text, 1..=255).expect("a name")
}

/// The tiers as the template has them, without prices.
fn tiers() -> Tiers {
    tiers_priced(&Prices { basic: None, premium: None })
}

/// The tiers as the template has them, with some prices.
pub(crate) fn tiers_priced(prices: &Prices) -> Tiers {
    let entry = |name: &str, price: &Option<String>, unit_amount, device_type: &str| TierEntry {
        name: name.to_owned(),
        price: price.clone(),
        unit_amount,
        device_type: device_type.to_owned(),
    };
    let entries = vec![
        entry("basic", &prices.basic, 4_000, "shared"),
        entry("premium", &prices.premium, 10_000, "dedicated"),
    ];
    Tiers::try_from(entries).expect("valid tiers")
}

fn fingerprint_key() -> FingerprintKey {
    FingerprintKey::new(&[7; 32]).expect("long enough")
}

async fn create_table(client: &Client) {
    let string = |name| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S)
            .build()
            .expect("a definition")
    };
    let key = |name, kind| {
        KeySchemaElement::builder().attribute_name(name).key_type(kind).build().expect("a key")
    };
    let behind = GlobalSecondaryIndex::builder()
        .index_name("behind")
        .key_schema(key("behind_shard", KeyType::Hash))
        .key_schema(key("behind_since", KeyType::Range))
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
        .build()
        .expect("an index");
    let shown = Projection::builder()
        .projection_type(ProjectionType::Include)
        .set_non_key_attributes(Some(LISTED.map(str::to_owned).to_vec()));
    let accounts = GlobalSecondaryIndex::builder()
        .index_name("accounts")
        .key_schema(key("sk", KeyType::Hash))
        .key_schema(key("listed_as", KeyType::Range))
        .projection(shown.build())
        .build()
        .expect("an index");
    client
        .create_table()
        .table_name(TABLE)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(string("pk"))
        .attribute_definitions(string("sk"))
        .attribute_definitions(string("behind_shard"))
        .attribute_definitions(string("behind_since"))
        .attribute_definitions(string("listed_as"))
        .key_schema(key("pk", KeyType::Hash))
        .key_schema(key("sk", KeyType::Range))
        .global_secondary_indexes(behind)
        .global_secondary_indexes(accounts)
        .send()
        .await
        .expect("a table");
}
