//! What the account owes to its webhook endpoints, for whoever carries it there: the background
//! task of the server, or a simulation.

use crate::{stripe::Stripe, webhooks::WebhookPost};

impl Stripe {
    /// The webhook requests that are due. Each is handed out once, until its outcome is reported
    /// with [`Self::delivered`].
    pub fn due_webhooks(&mut self, now: i64) -> Vec<WebhookPost> {
        let now = self.advance(now);
        let Self { state, posting, .. } = self;
        state
            .deliveries
            .iter()
            .filter(|delivery| delivery.due <= now && posting.insert(delivery.id()))
            .filter_map(|delivery| {
                let endpoint = state.endpoints.get(&delivery.endpoint)?;
                let event = state.events.iter().rev().find(|event| event.id == delivery.event)?;
                Some(delivery.post(endpoint, &event.payload, now))
            })
            .collect()
    }

    /// Reports whether the endpoint answered a webhook request with a 2xx. One that failed comes
    /// back a few times, later.
    pub fn delivered(&mut self, delivery: &str, success: bool, now: i64) {
        let now = now + self.state.clock_offset;
        self.posting.remove(delivery);
        self.state
            .deliveries
            .retain_mut(|owed| owed.id() != delivery || (!success && owed.retry(now)));
        self.state.touch();
    }
}
