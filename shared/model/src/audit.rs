//! Who changed what: one entry for each transaction that changes something that exists. Entries
//! are written in that transaction and never changed.

use jiff::Timestamp;

use crate::id::{AuditId, CredentialId};

/// An entry. It names fields and never holds their values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Its id, which sorts by time.
    pub id: AuditId,
    /// Who did it: the public half of the credential; `None` for a function of the stack, which did
    /// what its time had come for, and for an operator, whom the log of the AWS account names.
    pub credential: Option<&'a CredentialId>,
    /// By which route: `POST /billing/deactivate`. Of a function without one, its name; of an
    /// operator, the command.
    pub route: &'static str,
    /// The objects that were changed, by their ids.
    pub objects: Vec<&'a str>,
    /// The fields of them that were changed.
    pub fields: &'a [&'static str],
    /// When.
    pub at: Timestamp,
    /// In which request, as `x-request-id` of its response has it; of a function that no caller
    /// reaches, in which invocation, as its log has it; empty for an operator.
    pub request_id: &'a str,
}
