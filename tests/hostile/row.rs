//! One request and what must come of it.

use headcount_tests::Call;

/// The endpoint that a request is sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum To {
    /// `POST /accounts/create`
    Seats,
    /// `POST /accounts/quote`
    Quote,
    /// `POST /accounts/update-info`
    Update,
    /// `POST /billing/deactivate`
    Deactivate,
    /// `POST /accounts`
    List,
    /// `POST /org/api-key`
    Keys,
    /// `POST /org/api-key/create`
    NewKey,
    /// `POST /org/api-key/edit`
    NameKey,
    /// `POST /org/api-key/delete`
    EndKey,
    /// `GET /org`
    Organization,
    /// `GET /billing`
    Billing,
    /// `POST /billing/portal`
    Portal,
    /// `POST /billing/cancel`
    Cancel,
    /// `POST /billing/resume`
    Resume,
    /// `GET /billing/history`
    History,
    /// `POST /api/v3/accounts`
    Agency,
    /// `GET /api/v3/status`
    Token,
    /// `GET /api/v3/accounts/{lcuid}`
    Account,
    /// `PUT /api/v3/accounts/{lcuid}`
    Change,
    /// `DELETE /api/v3/objects/{lcuid}`
    Delete,
    /// `GET /api/v3/objects/{lcuid}/can-be-deleted`
    CanBeDeleted,
    /// `GET /api/v3/accounts`
    Accounts,
    /// `GET /api/v3/agencies/{lcuid}/accounts`
    AccountsOfAgency,
    /// `POST /v1/accounts`
    Identity,
    /// `POST /v1/auth/login`
    LogIn,
    /// `POST /v1/auth/refresh`
    Refresh,
    /// `DELETE /v1/auth/session`
    EndSession,
    /// `GET /v1/accounts`
    AllAccounts,
    /// `GET /v1/auth/sessions`
    Sessions,
    /// `GET /v1/account`
    OwnAccount,
    /// `GET /v1/accounts/{id}`
    AnAccount,
    /// `PATCH /v1/account`
    OwnPatch,
    /// `PATCH /v1/accounts/{id}`
    Patch,
    /// `DELETE /v1/account`
    OwnEnd,
    /// `DELETE /v1/accounts/{id}`
    End,
    /// `POST /webhooks/stripe`
    Webhook,
}

/// A row of a table.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// Requests that are carried out first.
    pub(crate) before: Vec<(To, Call)>,
    pub(crate) to: To,
    pub(crate) call: Call,
    pub(crate) status: u64,
    /// What is said of a refusal; see `said`.
    pub(crate) says: String,
    /// What must be in the table afterwards: a key prefix, an attribute, its text.
    pub(crate) keeps: Option<(&'static str, &'static str, String)>,
}

/// A request that must be refused, and so leave no trace.
pub(crate) fn refused(
    name: &'static str,
    to: To,
    call: Call,
    status: u64,
    says: impl Into<String>,
) -> Row {
    Row { name, before: Vec::new(), to, call, status, says: says.into(), keeps: None }
}

/// A request that looks bad and is good.
pub(crate) fn accepted(name: &'static str, to: To, call: Call) -> Row {
    let status = if to == To::Identity { 201 } else { 200 };
    refused(name, to, call, status, "")
}

impl Row {
    /// After another request, which must be carried out.
    pub(crate) fn after(mut self, to: To, call: Call) -> Self {
        self.before.push((to, call));
        self
    }

    /// Leaves an attribute of this text in an item whose partition key begins with `prefix`.
    pub(crate) fn keeps(
        self,
        prefix: &'static str,
        attribute: &'static str,
        value: impl Into<String>,
    ) -> Self {
        Self { keeps: Some((prefix, attribute, value.into())), ..self }
    }
}
