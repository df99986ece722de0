//! Who changed what: one entry for each transaction that changes something that exists. Entries
//! are written in that transaction and never changed. What is created is the entry of its own
//! creation: who did it is kept with it ([`created_by`]; docs/adr/0034-audit-of-creates.md).

use jiff::Timestamp;

use crate::id::{AuditId, CredentialId, NotAnId};

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

/// The route by which seats are created.
pub const CREATE_SEATS: &str = "POST /accounts/create";
/// The route by which accounts of agencies are created.
pub const CREATE_AGENCY_ACCOUNT: &str = "POST /api/v3/accounts";
/// The route by which identity accounts are created.
pub const CREATE_ACCOUNT: &str = "POST /v1/accounts";

/// Stands for the credential of somebody who signs up, who has none.
const NOBODY: &str = "-";

/// How a creation is kept with what is created: in one text, since a create pays for every attribute.
pub fn created_by(credential: Option<&CredentialId>, request_id: &str) -> String {
    let credential = credential.map_or(NOBODY, CredentialId::as_str);
    format!("{credential} {request_id}")
}

/// Who created something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Creator {
    /// The public half of the credential; `None` for somebody who signed up.
    pub credential: Option<CredentialId>,
    /// The request, as `x-request-id` of its response has it.
    pub request_id: String,
}

impl Creator {
    /// Reads what [`created_by`] writes.
    ///
    /// # Errors
    /// [`NotAnId`].
    pub fn parse(text: &str) -> Result<Self, NotAnId> {
        let (credential, request_id) = text.split_once(' ').ok_or(NotAnId)?;
        let credential = (credential != NOBODY).then(|| CredentialId::parse(credential));
        Ok(Self { credential: credential.transpose()?, request_id: request_id.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_created_something_is_read_as_it_was_written() {
        let id = CredentialId::parse("01kgjb9z8rd3m0seats0000000").expect("an id");
        for credential in [Some(&id), None] {
            let creator = Creator::parse(&created_by(credential, "request 1")).expect("a creator");
            assert_eq!(creator.credential.as_ref(), credential);
            assert_eq!(creator.request_id, "request 1");
        }
        assert_eq!(Creator::parse("somebody request-1"), Err(NotAnId));
        assert_eq!(Creator::parse("-"), Err(NotAnId));
    }
}
