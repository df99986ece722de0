//! Credentials that are nearly good, and good ones in the wrong place.

use serde_json::json;

use crate::row::{Row, To, accepted, refused};
use crate::tenants::{Tenants, sign_up};

pub(crate) fn rows(t: &Tenants) -> Vec<Row> {
    let seats = |name, credential: String| {
        refused(name, To::Seats, t.seat().bearer(&credential), 401, "unauthorized")
    };
    let (id, secret) = parts(&t.key);
    let (other_id, other_secret) = parts(&t.other_key);
    let fullwidth = |text: &str| -> String {
        text.chars().map(|c| char::from_u32(u32::from(c) + 0xFEE0).unwrap_or(c)).collect()
    };
    vec![
        seats("the secret of another", format!("hc_{id}_{other_secret}")),
        seats("the id of another", format!("hc_{other_id}_{secret}")),
        seats("the id in upper case", format!("hc_{}_{secret}", id.to_uppercase())),
        seats("the secret in upper case", format!("hc_{id}_{}", uppercase_of(secret))),
        seats("the id in letters that look alike", format!("hc_{}_{secret}", id.replace('0', "o"))),
        seats("the secret in full width", format!("hc_{id}_{}", fullwidth(secret))),
        seats("the secret in Arabic digits", format!("hc_{id}_{}", secret.replace('0', "٠"))),
        seats("the secret less one", format!("hc_{id}_{}", &secret[..63])),
        seats("the secret and one more", format!("hc_{id}_{secret}0")),
        seats("the secret padded", format!("hc_{id}_{secret}==")),
        seats("the secret twice", format!("hc_{id}_{secret}_{secret}")),
        seats("no secret", format!("hc_{id}_")),
        seats("no id", format!("hc__{secret}")),
        seats("a secret of zeros", format!("hc_{id}_{}", "0".repeat(64))),
        seats("the prefix in upper case", format!("HC_{id}_{secret}")),
        seats("the prefix of Stripe", format!("sk_{id}_{secret}")),
        seats("a path to another item", format!("hc_../{id}_{secret}")),
        seats("a key of the table", format!("hc_CREDENTIAL#{id}_{secret}")),
        seats("a token without signature", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.".to_owned()),
        seats("the token of an app at the Seats API", t.agency.token.clone()),
        seats("the token of an administrator at the Seats API", t.administrator.clone()),
        refused(
            "a key of an organization at the Identity API",
            To::Identity,
            sign_up(&json!({})).bearer(&t.key),
            401,
            "unauthorized",
        ),
        refused(
            "a key of an organization at the Agency API",
            To::Agency,
            t.account(&json!({})).bearer(&t.key),
            401,
            "Unauthenticated.",
        ),
        refused(
            "the token of an administrator at the Agency API",
            To::Agency,
            t.account(&json!({})).bearer(&t.administrator),
            401,
            "Unauthenticated.",
        ),
        refused(
            "the token of another app with the app's own header",
            To::Agency,
            t.account(&json!({})).bearer(&t.other_agency.token),
            403,
            "Unauthorized. The token does not belong to the app that the AppIdV3 header names.",
        ),
        refused(
            "a key that allows nothing",
            To::Seats,
            t.seat().bearer(&t.idle_key),
            403,
            "forbidden",
        ),
        refused(
            "a key that allows nothing, for a quote",
            To::Quote,
            t.seat().bearer(&t.idle_key),
            403,
            "forbidden",
        ),
        refused(
            "a key that allows nothing, for the bill",
            To::Billing,
            t.seat().bearer(&t.idle_key),
            403,
            "forbidden",
        ),
        refused(
            "a key that allows nothing, for the bill's history, with a query that is wrong as well",
            To::History,
            t.seat().bearer(&t.idle_key).query("limit", "0"),
            403,
            "forbidden",
        ),
        refused(
            "a token that allows nothing, for a field that is wrong as well",
            To::Agency,
            t.account(&json!({"name": 1})).bearer(&t.agency.token_without_permission),
            403,
            format!(
                "Unauthorized. Requires agency.createAccounts permission to perform this action on object [[{}]]",
                t.agency.lcuid
            ),
        ),
        accepted(
            "spaces around a good one",
            To::Seats,
            t.seat().header("authorization", &format!("bEARER   {} ", t.key)),
        ),
    ]
}

/// The id and the secret of a credential.
fn parts(credential: &str) -> (&str, &str) {
    let rest = credential.strip_prefix("hc_").expect("a credential of ours");
    rest.split_once('_').expect("an id and a secret")
}

/// In upper case, where that makes a difference.
fn uppercase_of(secret: &str) -> String {
    let upper = secret.to_uppercase();
    assert_ne!(upper, secret, "a secret of digits alone shows nothing");
    upper
}
