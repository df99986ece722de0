//! Who calls, with a memory of 30 seconds.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::table::Refused;

const MEMORY: Duration = Duration::from_secs(30);

pub struct Credentials {
    client: Client,
    table: String,
    remembered: Mutex<HashMap<String, (Instant, Credential)>>,
}

#[derive(Clone, Deserialize)]
struct Credential {
    secret_hash: String,
    holder: Holder,
    permissions: Vec<String>,
    valid_until: Option<String>,
    revoked: bool,
}

#[derive(Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Holder {
    Organization {
        organization: String,
    },
    #[serde(other)]
    Other,
}

const UNAUTHORIZED: Refused = Refused::Because(401, "unauthorized");

impl Credentials {
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table, remembered: Mutex::default() }
    }

    /// The organization that calls.
    pub async fn authenticate(&self, header: Option<&str>) -> Result<String, Refused> {
        let (scheme, token) =
            header.and_then(|header| header.split_once(' ')).ok_or(UNAUTHORIZED)?;
        let (id, secret) = token
            .trim()
            .strip_prefix("hc_")
            .and_then(|token| token.split_once('_'))
            .ok_or(UNAUTHORIZED)?;
        if !scheme.eq_ignore_ascii_case("bearer") || id.len() != 26 || secret.len() != 64 {
            return Err(UNAUTHORIZED);
        }
        let kept = self.look_up(id).await?.ok_or(UNAUTHORIZED)?;
        let presented = hex::encode(Sha256::digest(secret));
        let same = bool::from(presented.as_bytes().ct_eq(kept.secret_hash.as_bytes()));
        let now = chrono::Utc::now().to_rfc3339();
        if !same || kept.revoked || kept.valid_until.is_some_and(|until| now >= until) {
            return Err(UNAUTHORIZED);
        }
        let Holder::Organization { organization } = kept.holder else { return Err(UNAUTHORIZED) };
        if !kept.permissions.iter().any(|permission| permission == "accounts:create") {
            return Err(Refused::Because(403, "forbidden"));
        }
        Ok(organization)
    }

    async fn look_up(&self, id: &str) -> Result<Option<Credential>, Refused> {
        if let Some((since, known)) = self.remembered.lock().unwrap().get(id)
            && since.elapsed() < MEMORY
        {
            return Ok(Some(known.clone()));
        }
        let output = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(format!("CREDENTIAL#{id}")))
            .key("sk", AttributeValue::S("CREDENTIAL".into()))
            .consistent_read(true)
            .send()
            .await?;
        let Some(item) = output.item else { return Ok(None) };
        let credential: Credential = serde_dynamo::from_item(item)?;
        let mut remembered = self.remembered.lock().unwrap();
        if remembered.len() >= 1_000 {
            remembered.clear();
        }
        remembered.insert(id.to_owned(), (Instant::now(), credential.clone()));
        Ok(Some(credential))
    }
}
