//! Paths that nearly name an account, and credentials that nearly allow it.

use headcount_tests::Call;

use crate::row::{Row, To, accepted, refused};
use crate::tenants::Tenants;

pub(crate) fn rows(t: &Tenants) -> Vec<Row> {
    let get = |id: &str| Call::empty().at(&format!("/v1/accounts/{id}")).bearer(&t.administrator);
    let missing = |name, id: &str| refused(name, To::AnAccount, get(id), 404, "not_found");
    let by = |name, credential: &str, status, says: &str| {
        refused(name, To::AnAccount, get(t.own.id.as_str()).bearer(credential), status, says)
    };
    let own = t.own.id.as_str();
    vec![
        accepted("an account", To::AnAccount, get(own)),
        accepted("an account behind a stage", To::AnAccount, {
            get(own).at(&format!("/prod/v1/accounts/{own}"))
        }),
        accepted("a body where none is asked for", To::AnAccount, {
            Call::text("{").at(&format!("/v1/accounts/{own}")).bearer(&t.administrator)
        }),
        missing("nobody's account", "acct_01kgjb9z8rd3m0n0b0dy000000"),
        missing("an account in upper case", &own.to_uppercase()),
        missing("an account without its prefix", &own["acct_".len()..]),
        missing("an account and more", &format!("{own}0")),
        missing("an account with an encoded letter", &own.replace("acct", "%61cct")),
        missing("an end of text in the path", &format!("{own}%00")),
        missing("a key of the table in the path", &format!("ACCOUNT#{own}")),
        missing("a session as an account", &t.own.session.id.to_string()),
        missing("a seat as an account", "acc_01kgjb9z8rd3m0seat00000000"),
        missing("two accounts", &format!("{own},{}", t.other_own.id)),
        missing("a folder above", ".."),
        missing("a wildcard", "*"),
        missing("no account", ""),
        missing("a very long name", &"a".repeat(6_000)),
        missing("a line end in the path", &format!("{own}\r\nx: y")),
        by("an account's own token", &t.own.token, 401, "unauthorized"),
        by("an API key", &t.key, 401, "unauthorized"),
        by("an app's token that may do everything", &t.manager, 401, "unauthorized"),
        by("no token", "", 401, "unauthorized"),
    ]
}
