//! Faults on demand: the answers, delays and lost connections that Stripe's documentation tells
//! clients to survive. Source: <https://docs.stripe.com/error-low-level>.

use serde::{Deserialize, Serialize};

use crate::{errors::ApiError, ids};

/// The longest delay that can be asked for.
const MAX_DELAY_MS: u64 = 60_000;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FaultKind {
    /// 429 `rate_limit`; nothing is done.
    #[serde(rename = "429")]
    RateLimited,
    /// 429 `lock_timeout`; nothing is done.
    #[serde(rename = "lock_timeout")]
    LockTimeout,
    /// 409 `idempotency_key_in_use`; nothing is done.
    #[serde(rename = "409")]
    KeyInUse,
    /// 402 `card_declined`, stored under the idempotency key; nothing is done.
    #[serde(rename = "402")]
    Declined,
    /// 500, stored under the idempotency key. With [`Fault::applied`] the effect is done as well.
    #[serde(rename = "500")]
    ServerError,
    /// 500 before anything is done, not stored.
    #[serde(rename = "500_before")]
    ServerErrorBefore,
    /// The request is carried out and its answer stored, then the connection is cut without one.
    #[serde(rename = "cut_after")]
    CutAfter,
    /// The connection is cut before anything is done.
    #[serde(rename = "cut_before")]
    CutBefore,
    /// The request is carried out [`Fault::ms`] milliseconds later.
    #[serde(rename = "slow_ms")]
    Slow,
}

/// A rule: which calls go wrong, how, and how often. Without `count` and `per_mille` it strikes
/// once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// Only calls with this method, for example `POST`.
    #[serde(default)]
    pub method: Option<String>,
    /// Only calls whose path begins so, for example `/v1/subscriptions`.
    #[serde(default)]
    pub path_prefix: Option<String>,
    /// How many more times it strikes; the rule is gone afterwards.
    #[serde(default)]
    pub count: Option<u32>,
    /// In how many of 1,000 matching calls it strikes.
    #[serde(default)]
    pub per_mille: Option<u16>,
    /// Where the random choice starts; equal seeds choose equally.
    #[serde(default)]
    pub seed: u64,
    /// Milliseconds, for `slow_ms`.
    #[serde(default)]
    pub ms: Option<u64>,
    /// For `500`: whether the effect is done although the answer says that it failed.
    #[serde(default)]
    pub applied: bool,
}

impl Fault {
    /// A rule that strikes the next call, whichever it is.
    #[must_use]
    pub fn once(kind: FaultKind) -> Self {
        Self {
            kind,
            method: None,
            path_prefix: None,
            count: Some(1),
            per_mille: None,
            seed: 0,
            ms: None,
            applied: false,
        }
    }

    fn check(&self) -> Result<(), String> {
        match (self.kind, self.ms) {
            (FaultKind::Slow, None) => return Err("slow_ms needs ms".to_owned()),
            (FaultKind::Slow, Some(ms)) if ms > MAX_DELAY_MS => {
                return Err(format!("ms is at most {MAX_DELAY_MS}"));
            }
            (FaultKind::Slow, Some(_)) | (_, None) => {}
            (_, Some(_)) => return Err("ms is for slow_ms only".to_owned()),
        }
        if self.applied && self.kind != FaultKind::ServerError {
            return Err("applied is for 500 only".to_owned());
        }
        if self.per_mille.is_some_and(|chance| chance > 1_000) {
            return Err("per_mille is at most 1000".to_owned());
        }
        Ok(())
    }

    fn matches(&self, method: &str, path: &str) -> bool {
        self.method.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self.path_prefix.as_ref().is_none_or(|prefix| path.starts_with(prefix.as_str()))
    }

    /// Draws, and counts a strike.
    fn strikes(&mut self) -> bool {
        if let Some(chance) = self.per_mille {
            self.seed = self.seed.wrapping_add(1);
            if ids::mix(self.seed) % 1_000 >= u64::from(chance) {
                return false;
            }
        }
        if let Some(count) = &mut self.count {
            *count = count.saturating_sub(1);
        }
        true
    }
}

/// What happens to one call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Injected {
    pub(crate) delay_ms: u64,
    /// With whether the effect is done although a 500 is answered.
    pub(crate) fault: Option<(FaultKind, bool)>,
}

/// What a fault does before anything is done.
pub(crate) enum Early {
    Refuse(ApiError),
    Cut,
}

impl Injected {
    /// What happens instead of the execution, if it does not come to that. `key` is the call's
    /// idempotency key.
    pub(crate) fn early(&self, key: Option<&str>) -> Option<Early> {
        match self.fault?.0 {
            FaultKind::RateLimited => Some(Early::Refuse(ApiError::rate_limited())),
            FaultKind::LockTimeout => Some(Early::Refuse(ApiError::lock_timeout())),
            FaultKind::KeyInUse => {
                Some(Early::Refuse(ApiError::key_in_use(key.unwrap_or("(none)"))))
            }
            FaultKind::ServerErrorBefore => Some(Early::Refuse(ApiError::internal())),
            FaultKind::CutBefore => Some(Early::Cut),
            FaultKind::Declined
            | FaultKind::ServerError
            | FaultKind::CutAfter
            | FaultKind::Slow => None,
        }
    }
}

/// The rules in force, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Vec<Fault>,
}

impl Faults {
    /// Adds a rule, or says why it makes no sense.
    pub(crate) fn add(&mut self, mut fault: Fault) -> Result<(), String> {
        fault.check()?;
        if fault.per_mille.is_none() {
            fault.count.get_or_insert(1);
        }
        self.rules.push(fault);
        self.drop_spent();
        Ok(())
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    pub(crate) fn rules(&self) -> &[Fault] {
        &self.rules
    }

    /// Decides about one call: the first rule that strikes, and any delays before it. A call that
    /// will be `replayed` executes nothing, so that a 402, a 500 or a delay of the execution waits for
    /// the next one.
    pub(crate) fn strike(&mut self, method: &str, path: &str, replayed: bool) -> Injected {
        let mut injected = Injected::default();
        for rule in &mut self.rules {
            let executing =
                matches!(rule.kind, FaultKind::Declined | FaultKind::ServerError | FaultKind::Slow);
            if (replayed && executing) || !rule.matches(method, path) || !rule.strikes() {
                continue;
            }
            match rule.kind {
                FaultKind::Slow => injected.delay_ms += rule.ms.unwrap_or(0),
                kind => {
                    injected.fault = Some((kind, rule.applied));
                    break;
                }
            }
        }
        self.drop_spent();
        injected
    }

    fn drop_spent(&mut self) {
        self.rules.retain(|rule| rule.count != Some(0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(json: &str) -> Fault {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_rule_strikes_where_it_applies_and_as_often_as_it_says() {
        let mut faults = Faults::default();
        let json = r#"{"kind":"429","method":"POST","path_prefix":"/v1/subscriptions","count":2}"#;
        faults.add(rule(json)).unwrap();
        let mut hit = |method, path| faults.strike(method, path, false).fault.is_some();
        assert!(!hit("GET", "/v1/subscriptions"));
        assert!(!hit("POST", "/v1/customers"));
        assert!(hit("POST", "/v1/subscriptions/sub_1"));
        assert!(hit("POST", "/v1/subscriptions"));
        assert!(!hit("POST", "/v1/subscriptions"));
        assert!(faults.rules().is_empty());
    }

    #[test]
    fn a_seed_replays() {
        let run = |seed| {
            let mut faults = Faults::default();
            faults
                .add(Fault {
                    count: None,
                    per_mille: Some(300),
                    seed,
                    ..Fault::once(FaultKind::CutAfter)
                })
                .unwrap();
            (0..1_000).map(|_| faults.strike("GET", "/", false).fault.is_some()).collect::<Vec<_>>()
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8_000));
        let struck = run(7).into_iter().filter(|hit| *hit).count();
        assert!((200..400).contains(&struck), "{struck}");
    }

    #[test]
    fn delays_add_to_what_follows() {
        let mut faults = Faults::default();
        faults.add(rule(r#"{"kind":"slow_ms","ms":20}"#)).unwrap();
        faults.add(rule(r#"{"kind":"500","applied":true}"#)).unwrap();
        let expected = Injected { delay_ms: 20, fault: Some((FaultKind::ServerError, true)) };
        assert_eq!(faults.strike("POST", "/v1/x", true), Injected::default());
        assert_eq!(faults.strike("POST", "/v1/x", false), expected);
    }

    #[test]
    fn nonsense_is_refused() {
        for json in [
            r#"{"kind":"slow_ms"}"#,
            r#"{"kind":"429","ms":1}"#,
            r#"{"kind":"429","applied":true}"#,
            r#"{"kind":"429","per_mille":1001}"#,
        ] {
            assert!(Faults::default().add(rule(json)).is_err(), "{json}");
        }
    }
}
