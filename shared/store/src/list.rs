//! Lists of seats. They lie in the order of their ids, which is that of time; what else a list is filtered
//! by is compared where they lie, so that less comes over the wire.

use aws_sdk_dynamodb::types::KeysAndAttributes;
use headcount_model::credential::LookupFailed;
use headcount_model::grant::Grant;
use headcount_model::id::{OrganizationId, SeatId};
use headcount_model::right::ReadSeats;
use headcount_model::seats::{ListedSeat, SeatFilter, SeatLists, SeatStatus, Step};
use serde::Deserialize;

use crate::credentials::{decode, failure};
use crate::key::{Key, SEAT};
use crate::rows::Malformed;
use crate::table::Table;
use crate::transaction::{Item, text};

/// What of a seat's item is shown. The fields are those of [`ListedSeat`].
#[derive(Deserialize)]
struct ShownRow {
    id: String,
    tier: String,
    status: String,
    platform: Option<String>,
    username: Option<String>,
    nick_name: Option<String>,
    pfp_url: Option<String>,
    keywords: Option<String>,
    description: Option<String>,
    age_range: Option<String>,
    sex: Option<String>,
    location: Option<String>,
    tag: Option<String>,
    org_group: Option<String>,
    user_group: Option<String>,
    profiles: Option<String>,
    #[serde(rename = "warmupVersion")]
    warmup_version: Option<String>,
    #[serde(rename = "postVersion")]
    post_version: Option<String>,
    created_at: String,
    updated_at: String,
    /// Absent before the first change.
    #[serde(default)]
    version: u64,
}

impl TryFrom<ShownRow> for ListedSeat {
    type Error = Malformed;

    fn try_from(row: ShownRow) -> Result<Self, Malformed> {
        Ok(Self {
            id: SeatId::parse(&row.id)?,
            tier: row.tier,
            status: row.status,
            platform: row.platform,
            username: row.username,
            nick_name: row.nick_name,
            pfp_url: row.pfp_url,
            keywords: row.keywords,
            description: row.description,
            age_range: row.age_range,
            sex: row.sex,
            location: row.location,
            tag: row.tag,
            org_group: row.org_group,
            user_group: row.user_group,
            profiles: row.profiles,
            warmup_version: row.warmup_version,
            post_version: row.post_version,
            created_at: row.created_at.parse().map_err(|_| Malformed("created_at"))?,
            updated_at: row.updated_at.parse().map_err(|_| Malformed("updated_at"))?,
            version: row.version,
        })
    }
}

fn shown(item: Item) -> Result<ListedSeat, LookupFailed> {
    ListedSeat::try_from(decode::<ShownRow>(item)?).map_err(|error| {
        tracing::error!(%error, "a seat could not be read");
        LookupFailed::Unavailable
    })
}

impl SeatLists for Table {
    async fn look_at(
        &self,
        granted: Grant<'_, ReadSeats>,
        filter: &SeatFilter,
        after: Option<&SeatId>,
        at_most: Option<u16>,
    ) -> Result<Step, LookupFailed> {
        let organization = granted.tenant();
        let start = after.map(|id| Key::seat(organization, id).attributes());
        let mut query = self
            .client
            .query()
            .table_name(&*self.name)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND begins_with(sk, :seats)")
            .expression_attribute_values(":pk", text(Key::billing(organization).pk))
            .expression_attribute_values(":seats", text(SEAT))
            .set_exclusive_start_key(start)
            .set_limit(at_most.map(i32::from));
        let mut conditions = Vec::new();
        for (name, value) in filter.attributes() {
            conditions.push(format!("#{name} = :{name}"));
            query = query
                .expression_attribute_names(format!("#{name}"), name)
                .expression_attribute_values(format!(":{name}"), text(value));
        }
        if filter.status.is_none() {
            conditions.push("#status <> :deactivated".to_owned());
            query =
                query.expression_attribute_names("#status", "status").expression_attribute_values(
                    ":deactivated",
                    text(SeatStatus::Deactivated.as_str()),
                );
        }
        let query = query.filter_expression(conditions.join(" AND "));
        let output = query.send().await.map_err(failure)?;
        let seats = output.items.unwrap_or_default().into_iter().map(shown);
        let more_behind = output.last_evaluated_key.map(|key| last(&key)).transpose()?;
        Ok(Step { seats: seats.collect::<Result<_, _>>()?, more_behind })
    }

    async fn named(
        &self,
        granted: Grant<'_, ReadSeats>,
        ids: &[SeatId],
    ) -> Result<Vec<ListedSeat>, LookupFailed> {
        self.seats_named(granted.tenant(), ids).await
    }
}

impl Table {
    /// The seats of an organization among `ids`, at most 100, in any order, as of now.
    ///
    /// # Errors
    /// [`LookupFailed`].
    pub(crate) async fn seats_named(
        &self,
        organization: &OrganizationId,
        ids: &[SeatId],
    ) -> Result<Vec<ListedSeat>, LookupFailed> {
        let keys = ids.iter().map(|id| Key::seat(organization, id).attributes()).collect();
        self.items_at(keys).await?.into_iter().map(shown).collect()
    }

    /// What there is at some keys, at most 100, in any order, as of now.
    ///
    /// # Errors
    /// [`LookupFailed`].
    pub(crate) async fn items_at(&self, keys: Vec<Item>) -> Result<Vec<Item>, LookupFailed> {
        let keys = KeysAndAttributes::builder()
            .set_keys(Some(keys))
            .consistent_read(true)
            .build()
            .map_err(|_| LookupFailed::Unavailable)?;
        let call = self.client.batch_get_item().request_items(&*self.name, keys);
        let output = call.send().await.map_err(failure)?;
        // What is left unprocessed must not be taken for missing.
        if output.unprocessed_keys.is_some_and(|keys| !keys.is_empty()) {
            return Err(LookupFailed::Throttled);
        }
        let tables = output.responses.into_iter();
        Ok(tables.flat_map(|mut tables| tables.remove(&*self.name).unwrap_or_default()).collect())
    }
}

/// The seat at a key.
fn last(key: &Item) -> Result<SeatId, LookupFailed> {
    let sk = key.get("sk").and_then(|sk| sk.as_s().ok());
    let id = sk.and_then(|sk| SeatId::parse(sk.strip_prefix(SEAT)?).ok());
    id.ok_or(LookupFailed::Unavailable)
}
