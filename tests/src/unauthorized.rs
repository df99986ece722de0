//! Every way of not having a good credential. One and the same answer is due to all of them.

use std::collections::BTreeSet;

use headcount_model::credential::{Credential, Holder, Permission, reveal};
use headcount_model::port::Clock;
use jiff::{SignedDuration, Timestamp};

use crate::stage::Stage;

/// `Authorization` headers that must not be let in, each with what is wrong with it. Were it
/// good, it would be `holder`'s, with `permission`.
pub async fn bad_credentials(
    stage: &Stage,
    holder: &Holder,
    permission: Permission,
) -> Vec<(&'static str, String)> {
    let issue = |expires_at: Option<Timestamp>| {
        let (credential, text) = Credential::issue(
            holder.clone(),
            BTreeSet::from([permission]),
            expires_at,
            &stage.ports,
            &stage.ports,
        )
        .expect("entropy");
        (credential, reveal(&text).to_owned())
    };
    let now = stage.ports.now();

    let (good, token) = issue(None);
    stage.keep(&good).await;
    let (other, other_token) = issue(None);
    stage.keep(&other).await;
    let (_, unknown) = issue(None);
    let (mut revoked, revoked_token) = issue(None);
    revoked.revoked = true;
    stage.keep(&revoked).await;
    let (expired, expired_token) = issue(Some(now));
    stage.keep(&expired).await;
    let (long_expired, long_expired_token) = issue(Some(now - SignedDuration::from_hours(1)));
    stage.keep(&long_expired).await;

    let secret = |token: &str| token.rsplit('_').next().unwrap_or_default().to_owned();
    let last = if token.ends_with('0') { "1" } else { "0" };
    let wrong_secret = format!("{}{last}", &token[..token.len() - 1]);
    let bearer = |token: &str| format!("Bearer {token}");
    vec![
        ("empty", String::new()),
        ("scheme alone", "Bearer".to_owned()),
        ("no token", "Bearer ".to_owned()),
        ("no scheme", token.clone()),
        ("another scheme", format!("Basic {token}")),
        ("not one of ours", bearer("admin_access_token")),
        ("not ASCII", bearer("hc_é_é")),
        ("very long", bearer(&"x".repeat(8_000))),
        ("cut off", bearer(&token[..token.len() - 1])),
        ("too long", bearer(&format!("{token}0"))),
        ("two tokens", bearer(&format!("{token} {other_token}"))),
        ("id without secret", bearer(&format!("hc_{}_", good.id))),
        ("the hash for the secret", {
            let hash: String = good.secret_hash.map(|byte| format!("{byte:02x}")).concat();
            bearer(&format!("hc_{}_{hash}", good.id))
        }),
        ("unknown", bearer(&unknown)),
        ("wrong secret", bearer(&wrong_secret)),
        (
            "secret of another credential",
            bearer(&format!("hc_{}_{}", good.id, secret(&other_token))),
        ),
        ("revoked", bearer(&revoked_token)),
        ("expired this moment", bearer(&expired_token)),
        ("expired long ago", bearer(&long_expired_token)),
    ]
}
