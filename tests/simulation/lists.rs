//! Whoever reads a list of seats from its first page to its last while others change it.

use std::collections::BTreeSet;

use headcount_tests::Call;
use serde_json::{Value, json};

use crate::callers::Callers;

/// Pages of one walk, and how often one is asked for again, at most.
const MAX_PAGES: usize = 2_000;
const MAX_TRIES: usize = 40;

/// Which list is read.
#[derive(Debug, Clone)]
pub(crate) struct Walk {
    /// Whose.
    pub(crate) tenant: usize,
    /// How many seats a page has.
    pub(crate) limit: u64,
    /// Those of a tag alone.
    pub(crate) tag: Option<String>,
}

impl Callers {
    /// Reads all pages. A seat that is there from the first to the last is shown exactly once, and each
    /// as it was at some commit.
    pub(crate) async fn walk(&self, walk: Walk) {
        let (kernel, world) = (&self.stack.world.kernel, &self.stack.world);
        let tenant = &self.tenants[walk.tenant];
        let organization = tenant.organization.as_str();
        let began = kernel.now();
        let mut shown = BTreeSet::new();
        let mut cursor = Value::Null;
        let mut tries = 0;
        for _ in 0..MAX_PAGES {
            let mut body = json!({"limit": walk.limit});
            if let Some(tag) = &walk.tag {
                body["tag"] = json!(tag);
            }
            if !cursor.is_null() {
                body["cursor"] = cursor.clone();
            }
            let call = Call::json(&body).bearer(&tenant.api_key);
            let page = match self.stack.list_seats(call).await {
                Ok(reply) if reply.status == 200 => reply.json(),
                Ok(reply) if !matches!(reply.status, 429 | 503) => {
                    let (status, text) = (reply.status, &reply.text);
                    world.broken(10, format_args!("a list was answered {status}: {text}"));
                    return;
                }
                // Whoever hears nothing asks for the same page again.
                _ if tries < MAX_TRIES => {
                    tries += 1;
                    let wait = kernel.draw(|rng| rng.between(10_000, 4_000_000));
                    kernel.sleep_micros(wait).await;
                    continue;
                }
                _ => return,
            };
            for seat in page["data"].as_array().into_iter().flatten() {
                let id = seat["id"].as_str().unwrap_or_default();
                if !shown.insert(id.to_owned()) {
                    world.broken(4, format_args!("a list of {organization} has {id} twice"));
                }
                if walk.tag.as_deref().is_some_and(|tag| seat["tag"] != tag) {
                    world.broken(4, format_args!("{id} is in a list of {:?}", walk.tag));
                }
                if let Err(why) = self.books.lives(|lives| lives.has_been(organization, id, seat)) {
                    world.broken(8, format_args!("a list of {organization} has {id}, {why}"));
                }
            }
            cursor = page["next_cursor"].clone();
            if cursor.is_null() {
                let span = (began, kernel.now());
                let tag = walk.tag.as_deref();
                let due = self.books.lives(|lives| lives.there(organization, tag, span));
                let missing: Vec<_> = due.difference(&shown).collect();
                if !missing.is_empty() {
                    world.broken(4, format_args!("{missing:?} are in no page of {organization}"));
                }
                return;
            }
        }
        world.broken(4, format_args!("the list of {organization} does not end"));
    }
}
