//! Whatever Stripe answers, it is a subscription, a proration or a failure that says what to do.

use std::sync::atomic::{AtomicUsize, Ordering};

use headcount_billing::preview::{Change, Previews};
use headcount_billing::stripe::{Answered, Call, NoAnswer, Stripe, Transport};
use headcount_billing::{StripeFailure, Subscriptions};
use headcount_model::billing::{ProrationBehavior, SeatCounts};
use headcount_model::policy::BillingPolicy;
use headcount_model::port::Clock;
use reqwest::StatusCode;

use crate::endpoints::tiers;
use crate::ports::{SUBSCRIPTION, Still, block_on};

/// How many answers one input gives, so that a list that never ends does.
const MOST_CALLS: usize = 8;

/// Gives the same answers to every conversation: each with its status, one behind the other.
struct Answers {
    answers: Vec<Answered>,
    given: AtomicUsize,
}

impl Answers {
    /// Answers are divided by empty lines; the first line of each is its status.
    fn read(input: &[u8]) -> Self {
        let text = String::from_utf8_lossy(input);
        let answers = text.split("\n\n").map(|answer| {
            let (status, body) = answer.split_once('\n').unwrap_or(("200", answer));
            let status = status.parse().ok().and_then(|status| StatusCode::from_u16(status).ok());
            Answered {
                status: status.unwrap_or(StatusCode::OK),
                body: body.as_bytes().to_owned(),
                request_id: None,
            }
        });
        Self { answers: answers.collect(), given: Default::default() }
    }
}

impl Transport for &Answers {
    async fn carry(&self, call: Call<'_>) -> Result<Answered, NoAnswer> {
        assert!(call.path.starts_with("/v1/"), "{}", call.path);
        let n = self.given.fetch_add(1, Ordering::Relaxed);
        if n >= MOST_CALLS {
            return Err(NoAnswer("enough".to_owned()));
        }
        Ok(self.answers[n % self.answers.len()].clone())
    }
}

pub(crate) fn answers(input: &[u8]) {
    let answers = Answers::read(input);
    let stripe = Stripe::over(&answers);
    if let Err(failure) = block_on(stripe.fetch(SUBSCRIPTION)) {
        is_sorted(&failure, answers.answers[0].status);
    }
    answers.given.store(0, Ordering::Relaxed);
    let tiers = tiers();
    let change = Change {
        subscription: SUBSCRIPTION,
        before: SeatCounts { basic: 1, premium: 0 },
        after: SeatCounts { basic: 2, premium: 1 },
        tiers: &tiers,
        proration: ProrationBehavior::default(),
        policy: &BillingPolicy::default(),
        now: Still.now(),
    };
    let _ = block_on(stripe.proration(&change, &Still));
}

/// A failure is for good exactly when Stripe has understood and refused: all others may pass, and
/// what may have been done is asked again.
fn is_sorted(failure: &StripeFailure, status: StatusCode) {
    let passes = matches!(status, StatusCode::CONFLICT | StatusCode::TOO_MANY_REQUESTS);
    let is_for_good = !passes && !status.is_success() && !status.is_server_error();
    assert_eq!(matches!(failure, StripeFailure::Permanent(_)), is_for_good, "{status}");
}
