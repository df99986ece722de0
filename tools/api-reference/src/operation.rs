//! What the document says about an endpoint.

use crate::json::Json;

/// The endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // Each is called like its function.
pub enum Op {
    CreateSeats,
    QuoteSeats,
    ListSeats,
    UpdateSeats,
    DeactivateSeats,
    GetOrganization,
    ListApiKeys,
    CreateApiKey,
    UpdateApiKey,
    DeleteApiKey,
    OpenBillingPortal,
    CancelBilling,
    ResumeBilling,
    GetBilling,
    GetBillingHistory,
    CreateAgencyAccount,
    CheckToken,
    GetAgencyAccount,
    ListAgencyAccounts,
    ListAccountsOfAgency,
    UpdateAgencyAccount,
    DeleteAgencyAccount,
    CheckDeletion,
    CreateAccount,
    OpenSession,
    RefreshSession,
    EndSession,
    ListSessions,
    GetOwnAccount,
    ListAccounts,
    GetAccount,
    UpdateOwnAccount,
    UpdateAccount,
    DeleteOwnAccount,
    DeleteAccount,
    StripeWebhook,
}

impl Op {
    /// Its `operationId`.
    pub fn id(self) -> &'static str {
        match self {
            Op::CreateSeats => "createSeats",
            Op::QuoteSeats => "quoteSeats",
            Op::ListSeats => "listSeats",
            Op::UpdateSeats => "updateSeats",
            Op::DeactivateSeats => "deactivateSeats",
            Op::GetOrganization => "getOrganization",
            Op::ListApiKeys => "listApiKeys",
            Op::CreateApiKey => "createApiKey",
            Op::UpdateApiKey => "updateApiKey",
            Op::DeleteApiKey => "deleteApiKey",
            Op::OpenBillingPortal => "openBillingPortal",
            Op::CancelBilling => "cancelBilling",
            Op::ResumeBilling => "resumeBilling",
            Op::GetBilling => "getBilling",
            Op::GetBillingHistory => "getBillingHistory",
            Op::CreateAgencyAccount => "createAgencyAccount",
            Op::CheckToken => "checkToken",
            Op::GetAgencyAccount => "getAgencyAccount",
            Op::ListAgencyAccounts => "listAgencyAccounts",
            Op::ListAccountsOfAgency => "listAccountsOfAgency",
            Op::UpdateAgencyAccount => "updateAgencyAccount",
            Op::DeleteAgencyAccount => "deleteAgencyAccount",
            Op::CheckDeletion => "checkDeletion",
            Op::CreateAccount => "createAccount",
            Op::OpenSession => "openSession",
            Op::RefreshSession => "refreshSession",
            Op::EndSession => "endSession",
            Op::ListSessions => "listSessions",
            Op::GetOwnAccount => "getOwnAccount",
            Op::ListAccounts => "listAccounts",
            Op::GetAccount => "getAccount",
            Op::UpdateOwnAccount => "updateOwnAccount",
            Op::UpdateAccount => "updateAccount",
            Op::DeleteOwnAccount => "deleteOwnAccount",
            Op::DeleteAccount => "deleteAccount",
            Op::StripeWebhook => "stripeWebhook",
        }
    }

    /// HTTP method, in lower case as OpenAPI writes it, and path.
    pub fn route(self) -> (&'static str, &'static str) {
        match self {
            Op::CreateSeats => ("post", "/accounts/create"),
            Op::QuoteSeats => ("post", "/accounts/quote"),
            Op::ListSeats => ("post", "/accounts"),
            Op::UpdateSeats => ("post", "/accounts/update-info"),
            Op::DeactivateSeats => ("post", "/billing/deactivate"),
            Op::GetOrganization => ("get", "/org"),
            Op::ListApiKeys => ("post", "/org/api-key"),
            Op::CreateApiKey => ("post", "/org/api-key/create"),
            Op::UpdateApiKey => ("post", "/org/api-key/edit"),
            Op::DeleteApiKey => ("post", "/org/api-key/delete"),
            Op::OpenBillingPortal => ("post", "/billing/portal"),
            Op::CancelBilling => ("post", "/billing/cancel"),
            Op::ResumeBilling => ("post", "/billing/resume"),
            Op::GetBilling => ("get", "/billing"),
            Op::GetBillingHistory => ("get", "/billing/history"),
            Op::CreateAgencyAccount => ("post", "/api/v3/accounts"),
            Op::CheckToken => ("get", "/api/v3/status"),
            Op::GetAgencyAccount => ("get", "/api/v3/accounts/{lcuid}"),
            Op::ListAgencyAccounts => ("get", "/api/v3/accounts"),
            Op::ListAccountsOfAgency => ("get", "/api/v3/agencies/{lcuid}/accounts"),
            Op::UpdateAgencyAccount => ("put", "/api/v3/accounts/{lcuid}"),
            Op::DeleteAgencyAccount => ("delete", "/api/v3/objects/{lcuid}"),
            Op::CheckDeletion => ("get", "/api/v3/objects/{lcuid}/can-be-deleted"),
            Op::CreateAccount => ("post", "/v1/accounts"),
            Op::OpenSession => ("post", "/v1/auth/login"),
            Op::RefreshSession => ("post", "/v1/auth/refresh"),
            Op::EndSession => ("delete", "/v1/auth/session"),
            Op::ListSessions => ("get", "/v1/auth/sessions"),
            Op::GetOwnAccount => ("get", "/v1/account"),
            Op::ListAccounts => ("get", "/v1/accounts"),
            Op::GetAccount => ("get", "/v1/accounts/{id}"),
            Op::UpdateOwnAccount => ("patch", "/v1/account"),
            Op::UpdateAccount => ("patch", "/v1/accounts/{id}"),
            Op::DeleteOwnAccount => ("delete", "/v1/account"),
            Op::DeleteAccount => ("delete", "/v1/accounts/{id}"),
            Op::StripeWebhook => ("post", "/webhooks/stripe"),
        }
    }
}

/// One of the published APIs.
pub(crate) struct Api {
    /// Its tag.
    pub(crate) tag: &'static str,
    pub(crate) description: &'static str,
    pub(crate) operations: Vec<Operation>,
    pub(crate) refusals: Vec<crate::Refusal>,
    /// Name and schema of the body of every refusal.
    pub(crate) error: (&'static str, Json),
    /// Names and schemas of what its operations take and give.
    pub(crate) schemas: Vec<(&'static str, Json)>,
}

/// An endpoint.
pub(crate) struct Operation {
    pub(crate) op: Op,
    pub(crate) summary: &'static str,
    pub(crate) description: &'static str,
    /// Names of security schemes, each enough; an empty name stands for none at all.
    pub(crate) security: &'static [&'static str],
    /// Names of parameters, without those of the path.
    pub(crate) parameters: &'static [&'static str],
    pub(crate) request: Option<Request>,
    pub(crate) success: Success,
}

/// What an endpoint takes.
pub(crate) struct Request {
    /// Name of the schema.
    pub(crate) schema: &'static str,
    pub(crate) examples: Vec<Example>,
    /// What is refused, under the key of the refusal.
    pub(crate) refused: Vec<Example>,
}

/// What an endpoint gives when it does what it is asked.
pub(crate) struct Success {
    pub(crate) status: u16,
    pub(crate) description: &'static str,
    /// Name of the schema.
    pub(crate) schema: &'static str,
    /// Names of headers.
    pub(crate) headers: &'static [&'static str],
    pub(crate) examples: Vec<Example>,
}

/// A body. That of a request and that of its answer have one key.
#[derive(Clone)]
pub(crate) struct Example {
    pub(crate) key: &'static str,
    pub(crate) summary: String,
    pub(crate) body: Json,
}

impl Example {
    pub(crate) fn new(key: &'static str, summary: impl Into<String>, body: Json) -> Self {
        Self { key, summary: summary.into(), body }
    }
}
