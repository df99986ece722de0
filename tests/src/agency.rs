//! What every endpoint of the Agency API refuses in the same words, whatever it does.

use headcount_api::Endpoint;
use headcount_model::credential::{Holder, Permission};
use serde_json::{Value, json};

use crate::call::{Call, Reply};
use crate::stage::{AgencyTenant, Stage};
use crate::unauthorized::bad_credentials;

/// An account that nobody has.
pub const NOBODYS: &str = "LCUID-LA-60f1bc3d-4172-45ad-be4d-1dcbfce926ef";

/// The refusal to who has none of the permissions, or names what is not there.
pub fn forbidden(permissions: &[Permission], object: &str) -> Value {
    let names: Vec<_> = permissions.iter().map(|permission| permission.as_str()).collect();
    let names = names.join(" or ");
    json!({"message": format!(
        "Unauthorized. Requires {names} permission to perform this action on object [[{object}]]"
    )})
}

/// The bytes of `reply` without the id of the object.
fn without(object: &str, reply: &Reply) -> (u64, String) {
    (reply.status, reply.text.replace(object, "…"))
}

/// Holds that only a good token of this API, with the app that it belongs to, is let in, and that
/// nothing is changed by others. `call` is good but for both; `permission` would do.
pub async fn lets_in_nobody_else(
    stage: &Stage,
    tenant: &AgencyTenant,
    permission: Permission,
    call: &Call,
    endpoint: &impl Endpoint,
) {
    let good = stage.credential(tenant.holder(), &[permission]).await;
    let other = stage.agency_tenant().await;
    let mut bad = bad_credentials(stage, &tenant.holder(), permission).await;
    let (organization, api_key) = stage.seats_tenant().await;
    bad.push(("an API key of the Seats API", format!("Bearer {api_key}")));
    for holder in [Holder::Organization(organization), Holder::Administrator] {
        let token = stage.credential(holder, &[permission]).await;
        bad.push(("the permission in another API's hands", format!("Bearer {token}")));
    }
    let before = stage.snapshot().await;
    let of_app = call.clone().header("appidv3", &tenant.app);
    let mut refused = vec![("no credential", of_app.clone())];
    for (what, authorization) in &bad {
        refused.push((*what, of_app.clone().header("authorization", authorization)));
    }
    for (what, call) in refused {
        for call in [call.clone(), call.clone().key("k"), call.without("appidv3")] {
            let reply = call.send(endpoint).await;
            let expected = r#"{"message":"Unauthenticated."}"#;
            assert_eq!((reply.status, reply.text.as_str()), (401, expected), "{what}");
        }
    }
    let signed = call.clone().bearer(&good);
    for app in ["", "x", &tenant.lcuid] {
        let reply = signed.clone().header("appidv3", app).send(endpoint).await;
        assert_eq!(reply.status, 400, "{app}");
        assert!(reply.text.starts_with(r#"{"message":"The AppIdV3 header is required"#));
    }
    assert_eq!(signed.send(endpoint).await.status, 400);
    for app in [&other.app, "LCUID-LAP-60f1bc3d-4172-45ad-be4d-1dcbfce926ef"] {
        let reply = signed.clone().header("appidv3", app).send(endpoint).await;
        let expected = json!({"message": "Unauthorized. The token does not belong to the app that the AppIdV3 header names."});
        assert_eq!((reply.status, reply.json()), (403, expected), "{app}");
    }
    assert!(stage.snapshot().await == before, "who is not let in has changed something");
}

/// Holds that any one of `permissions` will do, that no other permission does, and that an object
/// of another tenant, one that is not there and what is no id at all have one answer, and that none
/// of that changes anything. `call` makes a call about an object, without token and app; `good` is
/// one of the tenant's, `foreign` is one of another tenant's.
pub async fn asks_for_one_of(
    stage: &Stage,
    tenant: &AgencyTenant,
    permissions: &[Permission],
    (good, foreign): (&str, &str),
    call: impl Fn(&str) -> Call,
    endpoint: &impl Endpoint,
) {
    let others: Vec<_> =
        Permission::ALL.into_iter().filter(|one| !permissions.contains(one)).collect();
    let lacking = stage.credential(tenant.holder(), &others).await;
    let whole = stage.credential(tenant.holder(), &Permission::ALL).await;
    let before = stage.snapshot().await;

    for call in [call(good), call(good).key("k")] {
        let reply = tenant.signed(call, &lacking).send(endpoint).await;
        assert_eq!((reply.status, reply.json()), (403, forbidden(permissions, good)));
    }
    let uuid = good.rsplit_once("LCUID-LA-").map_or("", |(_, uuid)| uuid);
    let objects = [
        foreign.to_owned(),
        NOBODYS.to_owned(),
        // Of another kind: the caller's own agency and app, and those of seats and identities.
        tenant.lcuid.clone(),
        tenant.app.clone(),
        "acc_01kgjb9z8rd3m0seat00000000".to_owned(),
        "acct_01kgjb9z8rd3m0seat00000000".to_owned(),
        format!("LCUID-LY-{uuid}"),
        // Nearly the account.
        uuid.to_owned(),
        format!("{good}0"),
        good.to_lowercase(),
        good.replace('-', ""),
        "..".to_owned(),
        "x".repeat(4_000),
    ];
    let expected = {
        let reply = tenant.signed(call(NOBODYS), &whole).send(endpoint).await;
        without(NOBODYS, &reply)
    };
    for object in &objects {
        for token in [&whole, &lacking] {
            for call in [call(object), call(object).key("k")] {
                let reply = tenant.signed(call, token).send(endpoint).await;
                assert_eq!((reply.status, reply.json()), (403, forbidden(permissions, object)));
                assert_eq!(without(object, &reply), expected);
            }
        }
    }
    // What no id is written with is not even repeated.
    for object in [
        good.replace("LCUID", "%4CCUID"),
        format!("{good}%00"),
        format!("{good}%2F"),
        format!("ACCOUNT#{good}"),
        format!("{good}é"),
        format!("{good} "),
        String::new(),
    ] {
        let reply = tenant.signed(call(&object), &whole).send(endpoint).await;
        assert_eq!((reply.status, reply.json()), (403, forbidden(permissions, "")), "{object}");
    }
    assert!(stage.snapshot().await == before, "who was refused has changed something");
}
