//! The message on the billing queue, version 1: `{"organization":"org_…","version":7}`.

use headcount_model::billing::BillingChange;
use headcount_model::id::OrganizationId;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Wire {
    organization: String,
    version: u64,
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
    serde_json::json!({
        "organization": change.organization.as_str(),
        "version": change.version,
    })
    .to_string()
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
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded() {
        let change = BillingChange {
            organization: OrganizationId::parse("org_01kafzqzxqxqxqxqxqxqxqxqxq").expect("an id"),
            version: 7,
        };
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
        ] {
            assert_eq!(decode(text), Err(Poisoned), "{text}");
        }
    }
}
