//! The message on the billing queue, version 1: `{"organization":"org_…","version":7}`, and beside it,
//! for the history, how versions came about: `"changes":[{"version":7,"at":"…","basic":2,"premium":0,
//! "credential":"…","request_id":"…"}]`.

use headcount_model::billing::BillingChange;
use headcount_model::history::{By, Change, SeatChange};
use headcount_model::id::{CredentialId, OrganizationId, micros};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Wire {
    organization: String,
    version: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    changes: Vec<WireChange>,
}

#[derive(Serialize, Deserialize)]
struct WireChange {
    version: u64,
    at: String,
    basic: i64,
    premium: i64,
    #[serde(flatten)]
    by: Option<WireBy>,
}

#[derive(Serialize, Deserialize)]
struct WireBy {
    credential: String,
    request_id: String,
}

impl From<&Change> for WireChange {
    fn from(change: &Change) -> Self {
        let by = |by: &By| WireBy {
            credential: by.credential.to_string(),
            request_id: by.request_id.clone(),
        };
        Self {
            version: change.version,
            at: micros(change.at),
            basic: change.seats.basic,
            premium: change.seats.premium,
            by: change.by.as_ref().map(by),
        }
    }
}

impl TryFrom<WireChange> for Change {
    type Error = Poisoned;

    fn try_from(wire: WireChange) -> Result<Self, Poisoned> {
        let by = |by: WireBy| {
            let credential = CredentialId::parse(&by.credential).map_err(|_| Poisoned)?;
            Ok(By { credential, request_id: by.request_id })
        };
        Ok(Self {
            version: wire.version,
            by: wire.by.map(by).transpose()?,
            at: wire.at.parse().map_err(|_| Poisoned)?,
            seats: SeatChange { basic: wire.basic, premium: wire.premium },
        })
    }
}

/// A message that is not one of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Poisoned;

impl std::fmt::Display for Poisoned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not a billing change")
    }
}

impl std::error::Error for Poisoned {}

/// The text of a message.
pub fn encode(change: &BillingChange) -> String {
    let wire = Wire {
        organization: change.organization.to_string(),
        version: change.version,
        changes: change.changes.iter().map(WireChange::from).collect(),
    };
    // Text and numbers always serialize.
    serde_json::to_string(&wire).unwrap_or_default()
}

/// Reads the text of a message.
///
/// # Errors
/// [`Poisoned`].
pub fn decode(text: &str) -> Result<BillingChange, Poisoned> {
    let wire: Wire = serde_json::from_str(text).map_err(|_| Poisoned)?;
    Ok(BillingChange {
        organization: OrganizationId::parse(&wire.organization).map_err(|_| Poisoned)?,
        version: wire.version,
        changes: wire.changes.into_iter().map(Change::try_from).collect::<Result<_, _>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded() {
        let organization = "org_01kafzqzxqxqxqxqxqxqxqxqxq";
        let change = |changes| BillingChange {
            organization: OrganizationId::parse(organization).expect("an id"),
            version: 7,
            changes,
        };
        let bare = format!(r#"{{"organization":"{organization}","version":7}}"#);
        assert_eq!(encode(&change(Vec::new())), bare, "as before there was a history");
        assert_eq!(decode(&bare), Ok(change(Vec::new())));
        let by = By {
            credential: CredentialId::parse("01kgjb9z8rd3m0seats0000000").expect("an id"),
            request_id: "r 1".to_owned(),
        };
        let made = |version, by| Change {
            version,
            by,
            at: "2026-02-03T18:12:47.123456Z".parse().expect("a time"),
            seats: SeatChange { basic: -2, premium: 1 },
        };
        let change = change(vec![made(6, None), made(7, Some(by))]);
        assert_eq!(decode(&encode(&change)), Ok(change));
    }

    #[test]
    fn anything_else_is_poison() {
        for text in [
            "",
            "{}",
            "[]",
            "null",
            r#"{"organization":"org_x","version":1}"#,
            r#"{"organization":"org_01kafzqzxqxqxqxqxqxqxqxqxq","version":-1}"#,
            r#"{"organization":"org_01kafzqzxqxqxqxqxqxqxqxqxq","version":"1"}"#,
            r#"{"organization":"org_01kafzqzxqxqxqxqxqxqxqxqxq","version":1,"changes":[{"version":1}]}"#,
        ] {
            assert_eq!(decode(text), Err(Poisoned), "{text}");
        }
    }
}
