//! Posts webhooks in the background, so that no API call ever waits for a webhook endpoint.

use std::{sync::Arc, time::Duration};

use reqwest::{Client, redirect::Policy};

use crate::{
    server::{Shared, wall_clock},
    webhooks::WebhookPost,
};

/// How long an endpoint may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How often to look for retries that have become due.
const TICK: Duration = Duration::from_secs(1);

/// Runs for as long as the server does.
pub(crate) async fn run(shared: Arc<Shared>) {
    let client = match Client::builder().timeout(TIMEOUT).redirect(Policy::none()).build() {
        Ok(client) => client,
        Err(error) => {
            eprintln!("stripe-stand-in: webhooks cannot be sent: {error}");
            return;
        }
    };
    loop {
        let due = shared.stripe().due_webhooks(wall_clock());
        for post in due {
            tokio::spawn(deliver(client.clone(), shared.clone(), post));
        }
        // Woken by a change, or by the tick: either way there may be something to do.
        let _ = tokio::time::timeout(TICK, shared.changed.notified()).await;
    }
}

async fn deliver(client: Client, shared: Arc<Shared>, post: WebhookPost) {
    let request = client
        .post(&post.url)
        .header("Content-Type", "application/json; charset=utf-8")
        .header("User-Agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)")
        .header("Stripe-Signature", &post.signature)
        .body(post.payload);
    let success = request.send().await.is_ok_and(|response| response.status().is_success());
    shared.stripe().delivered(&post.delivery, success, wall_clock());
    if let Err(error) = shared.save().await {
        eprintln!("stripe-stand-in: the state file cannot be written: {error}");
    }
}
