//! What is told about drift.

use headcount_billing::reconcile::Drift;
use headcount_model::id::OrganizationId;

/// What was done about a drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The record was corrected; as a new version it is on its way to Stripe.
    Corrected,
    /// A new version is on its way to Stripe.
    ToldAgain,
    /// What Stripe says was recorded.
    Recorded,
    /// Somebody else wrote first; the next round looks again.
    Overtaken,
    /// Nothing: somebody has to look.
    Reported,
}

impl Action {
    /// A stable name, for records and filters.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Corrected => "corrected",
            Action::ToldAgain => "told_again",
            Action::Recorded => "recorded",
            Action::Overtaken => "overtaken",
            Action::Reported => "reported",
        }
    }
}

/// One drift of one organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whose billing drifted.
    pub organization: OrganizationId,
    /// The version of the record that was compared.
    pub version: u64,
    /// What differs.
    pub drift: Drift,
    /// The accounts that explain it, as far as the table knows: at most 20.
    pub accounts: Vec<String>,
    /// What was done about it.
    pub action: Action,
}

/// Where findings go.
pub trait Findings {
    /// Takes one.
    fn record(&self, finding: &Finding);

    /// Takes the key of a row of the directory or of the index `behind` that cannot be read, so that
    /// nothing can be done for whoever it is about.
    fn unreadable(&self, key: &str);
}

/// Findings as records of the function's log, one each. template.yaml counts the records by
/// their message, [`BILLING_DRIFT`], and raises an alarm. An event on the bus would tell the
/// same to nobody who listens, for one more right of the function.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogFindings;

/// The message of every record of a drift. A metric filter of template.yaml looks for it.
pub const BILLING_DRIFT: &str = "billing drift found";

impl Findings for LogFindings {
    fn unreadable(&self, key: &str) {
        let (kind, action) = ("unreadable_row", Action::Reported.as_str());
        let cause = "a row was written by hand or by another version";
        tracing::warn!(key, kind, cause, action, "{BILLING_DRIFT}");
    }

    fn record(&self, finding: &Finding) {
        let (ledger, other) = finding.drift.sides();
        tracing::warn!(
            organization = finding.organization.as_str(),
            version = finding.version,
            kind = finding.drift.kind(),
            cause = finding.drift.cause(),
            tier = finding.drift.tier().map(|tier| tier.as_str()),
            ledger,
            other,
            accounts = finding.accounts.join(","),
            action = finding.action.as_str(),
            "{BILLING_DRIFT}"
        );
    }
}
