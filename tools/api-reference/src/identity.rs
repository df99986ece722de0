//! The Identity API in the document.

use headcount_api::identity::{self, Identity, MAX_PAGE, Refusal as Refused};
use headcount_api::{Failure, MAX_BODY, Transport, schema};
use headcount_model::credential::Permission;
use headcount_model::cursor::List;
use headcount_model::fault::{Fault, Rule};
use headcount_model::grant::Right;
use headcount_model::id::AccountId;
use headcount_model::idempotency::FingerprintKey;
use headcount_model::identity::{
    Account, AccountFilter, AccountKind, AccountStatus, ClosedAccount, Email, KeptAccount,
    Language, ListedAccount, ListedSession, LoggedIn, NewAccount, PasswordHash, PasswordPolicy,
    Salt, Session, SessionId,
};
use headcount_model::page::Page;
use headcount_model::port::Clock;
use headcount_model::right::{DeleteAccounts, ReadAccounts, UpdateAccounts};

use crate::explained::{Said, Words, explained, worded};
use crate::fields::{
    exactly, one_of, optional, optional_one, pattern, required, required_one, text,
};
use crate::json::{Json, object};
use crate::operation::{Api, Example, Op, Operation, Request, Success};
use crate::ports::Still;
use crate::seats::codes;
use crate::{body, explained, rules};

/// The session of the examples.
pub const SESSION: &str = "sess_01kgjb9z8rd3m0an0therses00";

const CREATES: &[Op] = &[Op::CreateAccount];
const OPENS: &[Op] = &[Op::OpenSession];
const REFRESHES: &[Op] = &[Op::RefreshSession];
const ENDS: &[Op] = &[Op::EndSession];
const OWN: &[Op] = &[
    Op::EndSession,
    Op::ListSessions,
    Op::GetOwnAccount,
    Op::UpdateOwnAccount,
    Op::DeleteOwnAccount,
];
const LISTS: &[Op] = &[Op::ListSessions];
const LISTS_ALL: &[Op] = &[Op::ListAccounts];
const ADMINISTERS: &[Op] =
    &[Op::ListAccounts, Op::GetAccount, Op::UpdateAccount, Op::DeleteAccount];
const DELETES: &[Op] = &[Op::DeleteAccount];
const PATCHES: &[Op] = &[Op::UpdateOwnAccount, Op::UpdateAccount];
const UPDATES: &[Op] = &[Op::UpdateAccount];
const TAKES_KEYS: &[Op] = &[Op::CreateAccount, Op::UpdateOwnAccount, Op::UpdateAccount];
const TAKES_BODIES: &[Op] = &[
    Op::CreateAccount,
    Op::OpenSession,
    Op::RefreshSession,
    Op::EndSession,
    Op::UpdateOwnAccount,
    Op::UpdateAccount,
];
const READS: &[Op] = &[Op::ListAccounts, Op::GetAccount];
const NAMES: &[Op] = &[Op::GetAccount, Op::UpdateAccount, Op::DeleteAccount];
const ALL: &[Op] = &[
    Op::CreateAccount,
    Op::OpenSession,
    Op::RefreshSession,
    Op::EndSession,
    Op::ListSessions,
    Op::GetOwnAccount,
    Op::ListAccounts,
    Op::GetAccount,
    Op::UpdateOwnAccount,
    Op::UpdateAccount,
    Op::DeleteOwnAccount,
    Op::DeleteAccount,
];

explained! { failures: Failure<Refused> => Said;
    Failure::Faults(_), Failure::Faults(faults_of(&invalid_request())) =>
        Some(("invalid_request", CREATES, Words {
            cause: "Fields break rules. `details` lists every one of them, all rules that a password breaks included.",
            cure: "Mend what `details` lists; the rules are below. Nothing was created.",
        }));
    Failure::Faults(_), Failure::Faults(log_in_faults()) =>
        Some(("invalid_request", OPENS, Words {
            cause: "Fields break rules, which `details` lists. Whether there is such an account plays no part in it.",
            cure: "Mend what `details` lists.",
        }));
    Failure::Faults(_), Failure::Faults(refresh_faults()) =>
        Some(("invalid_request", REFRESHES, Words {
            cause: "A field is neither `true` nor `false`, or none of this request.",
            cure: "Mend what `details` lists. The token is as good as before.",
        }));
    Failure::Faults(_), end_session_faults() =>
        Some(("invalid_request", ENDS, Words {
            cause: "A field is no text, or none of this request.",
            cure: "Mend what `details` lists. Nothing was ended.",
        }));
    Failure::Faults(_), Failure::Faults(list_faults()) =>
        Some(("invalid_request", LISTS, Words {
            cause: "The query has a parameter that the list does not know, a `limit` out of bounds, or a `cursor` that was \
                    not given out for this very list.",
            cure: "Mend what `details` lists. Begin again without `cursor`.",
        }));
    Failure::Faults(_), Failure::Faults(accounts_faults()) =>
        Some(("invalid_request", LISTS_ALL, Words {
            cause: "The query has a parameter that the list does not know, a filter that nothing can fit, a `limit` out of \
                    bounds, or a `cursor` that was not given out for the list with these very filters.",
            cure: "Mend what `details` lists. With other filters, begin again without `cursor`.",
        }));
    Failure::Transport(Transport::MalformedJson(_)), Failure::Transport(body::malformed()) =>
        Some(("malformed_json", TAKES_BODIES, explained::MALFORMED_JSON));
    Failure::Transport(Transport::IdempotencyKey), Failure::Transport(Transport::IdempotencyKey) =>
        Some(("bad_idempotency_key", TAKES_KEYS, explained::BAD_KEY));
    Failure::Unauthorized, Failure::Unauthorized =>
        Some(("unauthorized", CREATES, Words {
            cause: "An `Authorization` header is there, even an empty one, and holds no good credential of an \
                    administrator: a bad one is never ignored. Or there is none, and self-signup is off.",
            cure: "To sign up, leave the header out. To create an account for somebody, send an administrator's token: \
                   `headcount admin-token create`.",
        }));
    Failure::Unauthorized, Failure::Unauthorized =>
        Some(("unauthorized", OWN, Words {
            cause: "There is no access token of an account's session in `Authorization: Bearer …`, or it is malformed, \
                    unknown or expired, its session was ended, or its account closed. A refresh token is none, nor is a \
                    token of an administrator.",
            cure: "Log in again.",
        }));
    Failure::Unauthorized, Failure::Unauthorized =>
        Some(("unauthorized", REFRESHES, Words {
            cause: "There is no refresh token in `Authorization: Bearer …`, or it is malformed, unknown or expired, its session \
                    was ended, or its account is closed or suspended. An access token is none. Or the token was used before, \
                    and another one has taken its place: then its session has ended.",
            cure: "Log in again. Keep the last `refresh_token` alone, and let no two refreshes run at once.",
        }));
    Failure::Refused(Refused::InvalidCredentials), Failure::Refused(Refused::InvalidCredentials) =>
        Some(("invalid_credentials", OPENS, Words {
            cause: "There is no account with this address, it has another password, or it is suspended. All get the \
                    same answer.",
            cure: "Let the person type both again. After ten in a row the address has to wait.",
        }));
    Failure::Refused(Refused::TooManyAttempts(_)), Failure::Refused(Refused::TooManyAttempts(30)) =>
        Some(("too_many_attempts", OPENS, Words {
            cause: "Ten log-ins or more with this address have failed in a row. There may be another one after 30 \
                    seconds, and after each that fails the wait is twice as long, up to 15 minutes. Sessions go on.",
            cure: "Wait as long as `Retry-After` says. A log-in that succeeds, or 24 hours without one, ends the count.",
        }));
    Failure::Refused(Refused::NotActive), Failure::Refused(Refused::NotActive) =>
        Some(("not_active", OWN, Words {
            cause: "The token is good, and its account is suspended.",
            cure: "Ask an administrator.",
        }));
    Failure::Refused(Refused::NoSuchSession), Failure::Refused(Refused::NoSuchSession) =>
        Some(("no_such_session", ENDS, Words {
            cause: "`session_id` is no session of this account: there is none, or it is another account's.",
            cure: "Look at the id. Without one it is the session of the token.",
        }));
    Failure::Unauthorized, Failure::Unauthorized =>
        Some(("unauthorized", ADMINISTERS, Words {
            cause: "There is no token of an administrator in `Authorization: Bearer …`, or it is malformed, unknown, \
                    revoked or expired. An account's own token is none.",
            cure: "Send a token that works: `headcount admin-token create`.",
        }));
    Failure::Refused(Refused::Lacking(_)), Failure::Refused(Refused::Lacking(ReadAccounts::ONE_OF)) =>
        Some(("forbidden", READS, Words {
            cause: "The token is good and has neither the permission `accounts:read` nor `accounts:create`, which includes \
                    it.",
            cure: "Use a token that has it: `headcount admin-token create --permission accounts:read`.",
        }));
    Failure::Refused(Refused::Lacking(_)), Failure::Refused(Refused::Lacking(UpdateAccounts::ONE_OF)) =>
        Some(("forbidden", UPDATES, Words {
            cause: "The token is good and lacks the permission `accounts:update`.",
            cure: "Use a token that has it: `headcount admin-token create --permission accounts:update`.",
        }));
    Failure::Refused(Refused::Lacking(_)), Failure::Refused(Refused::Lacking(DeleteAccounts::ONE_OF)) =>
        Some(("forbidden", DELETES, Words {
            cause: "The token is good and lacks the permission `accounts:delete`.",
            cure: "Use a token that has it: `headcount admin-token create --permission accounts:delete`.",
        }));
    Failure::Faults(_), Failure::Faults(patch_faults()) =>
        Some(("invalid_request", PATCHES, Words {
            cause: "Members of the patch break rules, which `details` lists. Of the own account `current_password` may also \
                    be another one than the account has.",
            cure: "Mend what `details` lists. Nothing was changed.",
        }));
    Failure::Refused(Refused::VersionMismatch), Failure::Refused(Refused::VersionMismatch) =>
        Some(("version_mismatch", PATCHES, Words {
            cause: "`If-Match` is there and does not name the account's version: somebody has changed it since.",
            cure: "Read the account again, and decide again.",
        }));
    Failure::Refused(Refused::EmailLinked), Failure::Refused(Refused::EmailLinked) =>
        Some(("email_exists", PATCHES, Words {
            cause: "Another account has this address.",
            cure: "Give another address. Nothing was changed.",
        }));
    Failure::Refused(Refused::NoSuchAccount), Failure::Refused(Refused::NoSuchAccount) =>
        Some(("no_such_account", NAMES, Words {
            cause: "There is no account of this id, or none any more, or it is no id.",
            cure: "Look at the id: `acct_…`, in lower case.",
        }));
    Failure::Refused(Refused::Forbidden(_)),
    Failure::Refused(Refused::Forbidden(Permission::AccountsCreate.as_str())) =>
        Some(("forbidden", CREATES, Words {
            cause: "The token is good and lacks the permission `accounts:create`.",
            cure: "Use a token that has it: `headcount admin-token create --permission accounts:create`.",
        }));
    Failure::Refused(Refused::EmailExists), Failure::Refused(Refused::EmailExists) =>
        Some(("email_exists", CREATES, Words {
            cause: "Another account has this address. Case makes no difference; dots and `+tag` do.",
            cure: "Let the person sign in, or give another address.",
        }));
    Failure::Transport(Transport::TooLarge(_)), Failure::Transport(Transport::TooLarge(MAX_BODY)) =>
        Some(("payload_too_large", TAKES_BODIES, explained::TOO_LARGE));
    Failure::Transport(Transport::NotJson), Failure::Transport(Transport::NotJson) =>
        Some(("not_json", TAKES_BODIES, explained::NOT_JSON));
    Failure::Transport(Transport::Encoded), Failure::Transport(Transport::Encoded) =>
        Some(("encoded", TAKES_BODIES, explained::ENCODED));
    Failure::KeyReused, Failure::KeyReused =>
        Some(("idempotency_key_reused", TAKES_KEYS, explained::KEY_REUSED));
    Failure::TooManyRequests, Failure::TooManyRequests =>
        Some(("rate_limited", ALL, explained::TOO_MANY_REQUESTS));
    Failure::Unavailable, Failure::Unavailable =>
        Some(("service_unavailable", ALL, explained::UNAVAILABLE));
}

/// The Identity API.
pub(crate) fn api() -> Api {
    let refusals = worded::<Identity>(failures());
    let mut error = schema::identity_error();
    error["properties"]["error"]["enum"] = codes(&refusals).into_iter().collect();
    error["$defs"]["IdentityFault"]["properties"]["rule"]["enum"] =
        rules::codes(rules::Of::Identity).into();
    Api {
        tag: "Identity",
        description: "Accounts with a unique e-mail address and a password.",
        operations: vec![
            create(),
            list_accounts(),
            get(),
            update(Op::UpdateAccount),
            delete(Op::DeleteAccount),
            get_own(),
            update(Op::UpdateOwnAccount),
            delete(Op::DeleteOwnAccount),
            open_session(),
            refresh_session(),
            end_session(),
            list_sessions(),
        ],
        refusals,
        error: ("IdentityError", Json::schema(error)),
        schemas: vec![
            ("CreateAccount", create_schema()),
            ("NewAccountSettings", settings_schema()),
            ("AccountType", kind_schema()),
            ("Account", Json::schema(schema::created_account())),
            ("PatchOwnAccount", patch_schema(Op::UpdateOwnAccount)),
            ("PatchAccount", patch_schema(Op::UpdateAccount)),
            ("ClosedAccount", Json::schema(schema::closed_account())),
            ("LogIn", log_in_schema()),
            ("LoggedIn", Json::schema(schema::logged_in())),
            ("RefreshSession", refresh_schema()),
            ("RefreshedSession", Json::schema(schema::refreshed_session())),
            ("EndSession", end_session_schema()),
            ("EndedSession", Json::schema(schema::ended_session())),
            ("Accounts", Json::schema(schema::listed_accounts())),
            ("Sessions", Json::schema(schema::listed_sessions())),
        ],
    }
}

fn create() -> Operation {
    let examples = [business(), individual()];
    let answers =
        examples.iter().map(|example| Example { body: created(example), ..example.clone() });
    Operation {
        op: Op::CreateAccount,
        summary: "Create an account",
        description: "Without an `Authorization` header it is a self-signup, which an operator can turn off. With one, \
                      an administrator who has the permission `accounts:create` creates the account.",
        security: &["", "adminToken"],
        parameters: &["IdempotencyKey"],
        success: Success {
            status: 201,
            description: "Created. The password is not part of any answer.",
            schema: "Account",
            headers: &["Location", "IdempotencyReplayed"],
            examples: answers.collect(),
        },
        request: Some(Request {
            schema: "CreateAccount",
            examples: Vec::from(examples),
            refused: vec![invalid_request()],
        }),
    }
}

fn get() -> Operation {
    let account = own_account();
    Operation {
        op: Op::GetAccount,
        summary: "Show an account",
        description: "Needs the permission `accounts:read`, or `accounts:create`, which includes it.",
        security: &["adminToken"],
        parameters: &["IfNoneMatch"],
        request: None,
        success: Success {
            status: 200,
            description: "The whole account.",
            schema: "Account",
            headers: &["ETag"],
            examples: vec![Example::new("account", "An account", body::shown(&account))],
        },
    }
}

fn get_own() -> Operation {
    let account = own_account();
    Operation {
        op: Op::GetOwnAccount,
        summary: "Show the own account",
        description: "The account that the token is of, as of now.",
        security: &["accountToken"],
        parameters: &["IfNoneMatch"],
        request: None,
        success: Success {
            status: 200,
            description: "The whole account.",
            schema: "Account",
            headers: &["ETag"],
            examples: vec![Example::new("account", "The own account", body::shown(&account))],
        },
    }
}

fn update(op: Op) -> Operation {
    let is_own = op == Op::UpdateOwnAccount;
    let (summary, description, security, schema) = if is_own {
        let description = "A JSON merge patch (RFC 7396), under its own content type or as JSON. A new password ends all \
                           other sessions of the account at once.";
        ("Change the own account", description, &["accountToken"], "PatchOwnAccount")
    } else {
        let description = "A JSON merge patch (RFC 7396), under its own content type or as JSON. Needs the permission \
                           `accounts:update`. A new password ends all sessions of the account at once.";
        ("Change an account", description, &["adminToken"], "PatchAccount")
    };
    let example = renamed();
    let account = KeptAccount {
        name: "Acme Ltd.".to_owned(),
        currency: "EUR".to_owned(),
        version: 1,
        ..own_account()
    };
    let answer = body::stored(&identity::whole(&account));
    Operation {
        op,
        summary,
        description,
        security,
        parameters: &["IfMatch", "IdempotencyKey"],
        success: Success {
            status: 200,
            description: "The whole account as it is now.",
            schema: "Account",
            headers: &["ETag", "IdempotencyReplayed"],
            examples: vec![Example { body: answer, ..example.clone() }],
        },
        request: Some(Request { schema, examples: vec![example], refused: vec![bad_patch()] }),
    }
}

fn delete(op: Op) -> Operation {
    let common = "What is personal goes at once, and all its tokens end. Its address is free for others after 30 days \
                  (`RetentionDays`). Repeated, the answer is the same.";
    let (summary, description, security): (_, _, &[&str]) = if op == Op::DeleteOwnAccount {
        ("Delete the own account", common, &["accountToken"])
    } else {
        let description = "Needs the permission `accounts:delete`. What is personal goes at once, and all its tokens end. Its \
                           address is free for others after 30 days (`RetentionDays`). Repeated, the answer is the same.";
        ("Delete an account", description, &["adminToken"])
    };
    let closed = ClosedAccount { id: own_account().id, closed_at: Still.now() };
    Operation {
        op,
        summary,
        description,
        security,
        parameters: &[],
        request: None,
        success: Success {
            status: 200,
            description: "Closed, now or before.",
            schema: "ClosedAccount",
            headers: &[],
            examples: vec![Example::new(
                "closed",
                "A closed account",
                body::of(&identity::closed(&closed)),
            )],
        },
    }
}

fn renamed() -> Example {
    let body = object! {
        "name" => "Acme Ltd.",
        "settings" => object! { "currency" => "EUR", "timezone" => Json::Scalar(serde_json::Value::Null) },
    };
    Example::new("renamed", "Another name and currency; the time zone as at first", body)
}

fn bad_patch() -> Example {
    let body = object! { "email" => "owner", "name" => Json::Scalar(serde_json::Value::Null) };
    Example::new("invalid_request", "Members that break rules", body)
}

fn patch_faults() -> Vec<Fault> {
    let read = identity::patch(body::read(&bad_patch().body), PasswordPolicy::default());
    read.expect_err("an example of a refusal")
}

fn patch_schema(op: Op) -> Json {
    let email = object! {
        "type" => "string", "description" => "Another address, unique over all accounts.", "format" => "email",
        "maxLength" => Email::MAX_LENGTH,
    };
    let password = text(
        "Another password, by the rules of a create.",
        PasswordPolicy::DEFAULT_MINIMUM..=PasswordPolicy::MAX_LENGTH,
    );
    let password = required(password.with("format", "password"));
    let common = object! {
        "email" => required(email),
        "name" => required(text("Another name.", 1..=NewAccount::MAX_NAME)),
        "settings" => optional(settings_schema()),
        "password" => password,
    };
    if op == Op::UpdateAccount {
        let status = one_of("What it shall be.", ["active", "suspended"]);
        return exactly([], common.with("status", required(status)));
    }
    let current =
        text("Has to be there beside `password`, and only there.", 1..=PasswordPolicy::MAX_LENGTH);
    let current = required(current.with("format", "password"));
    let together =
        object! { "password" => ["current_password"], "current_password" => ["password"] };
    exactly([], common.with("current_password", current)).with("dependentRequired", together)
}

fn open_session() -> Operation {
    let tokens = Session::open(&own_account().id, 0, &Still, &Still).expect("there is entropy").1;
    let logged_in = LoggedIn { account: own_account(), tokens };
    Operation {
        op: Op::OpenSession,
        summary: "Log in",
        description: "Opens a session and gives its two tokens, the only time that they are told. The access token \
                      works for an hour. A credential that the request carries is not looked at.",
        security: &[""],
        parameters: &[],
        success: Success {
            status: 200,
            description: "Logged in.",
            schema: "LoggedIn",
            headers: &[],
            examples: vec![Example::new(
                "log_in",
                "Tokens",
                body::of(&identity::logged_in(&logged_in)),
            )],
        },
        request: Some(Request {
            schema: "LogIn",
            examples: vec![log_in()],
            refused: vec![bad_log_in()],
        }),
    }
}

fn refresh_session() -> Operation {
    let (session, opened) =
        Session::open(&own_account().id, 0, &Still, &Still).expect("there is entropy");
    let refreshed = |rotate| {
        let (session, tokens) =
            session.refreshed(rotate, &Still, &Still).expect("there is entropy");
        body::of(&identity::refreshed(&session, &tokens, &opened.refresh))
    };
    Operation {
        op: Op::RefreshSession,
        summary: "Get new tokens",
        description: "A new access token for the session, in the place of the one before, and a new refresh token, unless \
                      `rotate_refresh_token` is `false`. A refresh token that another one has taken the place of ends the \
                      session when it is used again. The body may be left out.",
        security: &["refreshToken"],
        parameters: &[],
        success: Success {
            status: 200,
            description: "New tokens, told this once.",
            schema: "RefreshedSession",
            headers: &[],
            examples: vec![
                Example::new("keep", "The refresh token stays", refreshed(false)),
                Example::new("rotate", "Both tokens are new", refreshed(true)),
            ],
        },
        request: Some(Request {
            schema: "RefreshSession",
            examples: vec![
                Example::new(
                    "keep",
                    "The refresh token stays",
                    object! { "rotate_refresh_token" => false },
                ),
                Example::new("rotate", "Both tokens are new", object! {}),
            ],
            refused: vec![bad_refresh()],
        }),
    }
}

fn end_session() -> Operation {
    let ended = |id: &SessionId| body::of(&identity::ended(id, Still.now()));
    let this = Session::open(&own_account().id, 0, &Still, &Still).expect("there is entropy").0;
    let another = SessionId::parse(SESSION).expect("an id");
    Operation {
        op: Op::EndSession,
        summary: "End a session",
        description: "Ends a session of the account: that of the token, or the one that is named. Repeated, the answer \
                      is the same. Its tokens work for 30 seconds more at most.",
        security: &["accountToken"],
        parameters: &[],
        success: Success {
            status: 200,
            description: "Ended, now or before.",
            schema: "EndedSession",
            headers: &[],
            examples: vec![
                Example::new("this_session", "The session of the token", ended(&this.id)),
                Example::new("another_session", "Another session", ended(&another)),
            ],
        },
        request: Some(Request {
            schema: "EndSession",
            examples: vec![
                Example::new("this_session", "The session of the token", object! {}),
                Example::new(
                    "another_session",
                    "Another session",
                    object! { "session_id" => SESSION },
                ),
            ],
            refused: vec![bad_end_session()],
        }),
    }
}

fn list_sessions() -> Operation {
    let this = Session::open(&own_account().id, 0, &Still, &Still).expect("there is entropy").0;
    let listed = |id: &SessionId, refreshed_at| ListedSession {
        id: id.clone(),
        epoch: 0,
        created_at: this.created_at,
        refreshed_at,
        access_until: this.access_until,
        refresh_until: this.refresh_until,
    };
    let another = SessionId::parse(SESSION).expect("an id");
    let all = [listed(&another, Some(Still.now())), listed(&this.id, None)];
    let page = |sessions, next| body::of(&identity::sessions(sessions, &this.id, next));
    Operation {
        op: Op::ListSessions,
        summary: "List the own sessions",
        description: "The sessions of the account that go on, the newest first. Those that were ended are not among them, nor \
                      those whose refresh token has expired.",
        security: &["accountToken"],
        parameters: &["ShortLimit", "Cursor"],
        request: None,
        success: Success {
            status: 200,
            description: "A page of the list.",
            schema: "Sessions",
            headers: &[],
            examples: vec![
                Example::new(
                    "sessions",
                    "Another session, which was refreshed, and this one",
                    page(&all, None),
                ),
                Example::new("more", "One, and more behind it", page(&all[..1], Some(cursor()))),
            ],
        },
    }
}

/// A cursor of the form that they have.
fn cursor() -> String {
    let list = List { tenant: "", route: "", filters: &[] };
    list.cursor(SESSION, &secret()).expect("a strong secret")
}

fn secret() -> FingerprintKey {
    FingerprintKey::new(&[7; 32]).expect("long enough")
}

fn list_accounts() -> Operation {
    let page = |next: Option<&str>| {
        let entries = vec![ListedAccount::from(own_account())];
        let page = Page { entries, next: next.map(str::to_owned) };
        let answer = identity::accounts(&page, &AccountFilter::default(), &secret());
        body::of(&answer.expect("a strong secret"))
    };
    Operation {
        op: Op::ListAccounts,
        summary: "List accounts",
        description: "The accounts that all filters fit, the first created first. Those that are closed are not among them. \
                      Needs the permission `accounts:read`, or `accounts:create`, which includes it.",
        security: &["adminToken"],
        parameters: &["Email", "Status", "CreatedAfter", "CreatedBefore", "ShortLimit", "Cursor"],
        request: None,
        success: Success {
            status: 200,
            description: "A page of the list.",
            schema: "Accounts",
            headers: &[],
            examples: vec![
                Example::new("accounts", "The only account", page(None)),
                Example::new("more", "One, and more behind it", page(Some("position"))),
            ],
        },
    }
}

fn accounts_faults() -> Vec<Fault> {
    let query = object! {
        "email" => "owner", "status" => "closed", "created_after" => "today", "limit" => "0", "page" => "2",
    };
    identity::list_accounts(body::read(&query), &secret()).expect_err("an example of a refusal")
}

fn list_faults() -> Vec<Fault> {
    let fault = |field: &'static str, rule| Fault { index: None, field: field.into(), rule };
    vec![
        fault("limit", Rule::Range { min: 1, max: MAX_PAGE.into() }),
        fault("cursor", Rule::Cursor),
        fault("page", Rule::Unknown),
    ]
}

/// The account of the examples.
fn own_account() -> KeptAccount {
    KeptAccount {
        id: AccountId::new(&Still, &Still).expect("there is entropy"),
        email: Email::parse("owner@example.com").expect("an address"),
        name: "Acme Inc.".to_owned(),
        kind: AccountKind::Business,
        status: AccountStatus::Active,
        password_hash: PasswordHash::of_nobody(),
        currency: "USD".to_owned(),
        timezone: "UTC".to_owned(),
        language: "en".to_owned(),
        created_at: Still.now(),
        updated_at: Still.now(),
        version: 0,
        session_epoch: 0,
        created_by: None,
        spared_session: None,
    }
}

fn log_in() -> Example {
    let body = object! { "email" => "owner@example.com", "password" => "secure_password_here" };
    Example::new("log_in", "Address and password", body)
}

fn bad_log_in() -> Example {
    let body = object! { "email" => "owner", "password" => "" };
    Example::new("invalid_request", "Fields that break rules", body)
}

fn log_in_faults() -> Vec<Fault> {
    identity::log_in(body::read(&bad_log_in().body)).expect_err("an example of a refusal")
}

fn bad_refresh() -> Example {
    let body = object! { "rotate_refresh_token" => "no" };
    Example::new("invalid_request", "A field that breaks a rule", body)
}

fn refresh_faults() -> Vec<Fault> {
    identity::refresh(body::read(&bad_refresh().body)).expect_err("an example of a refusal")
}

fn bad_end_session() -> Example {
    let body = object! { "session_id" => 1_usize };
    Example::new("invalid_request", "A field that breaks a rule", body)
}

fn end_session_faults() -> Failure<Refused> {
    identity::end_session(body::read(&bad_end_session().body)).expect_err("an example of a refusal")
}

fn log_in_schema() -> Json {
    let email = object! {
        "type" => "string", "description" => "The address of the account.", "format" => "email",
        "maxLength" => Email::MAX_LENGTH,
    };
    let password = text("Its password.", 1..=PasswordPolicy::MAX_LENGTH);
    exactly(
        ["email", "password"],
        object! {
            "email" => required(email),
            "password" => required(password.with("format", "password")),
        },
    )
}

fn refresh_schema() -> Json {
    exactly(
        [],
        object! {
            "rotate_refresh_token" => optional(object! {
                "type" => "boolean",
                "description" => "Whether the refresh token is to be another one.",
                "default" => true,
            }),
        },
    )
}

fn end_session_schema() -> Json {
    exactly(
        [],
        object! {
            "session_id" => optional(object! {
                "type" => "string",
                "description" => "The session, `sess_…`; the one of the token when left out. What is no session of the \
                                  account is not found.",
            }),
        },
    )
}

fn create_schema() -> Json {
    let password = text(
        "Not trimmed; any Unicode. Refused when it is one of the commonly used ones, or contains the part of the email \
         before the `@` or the name, where these have 4 characters or more. The shortest length is configuration; this \
         is the default.",
        PasswordPolicy::DEFAULT_MINIMUM..=PasswordPolicy::MAX_LENGTH,
    );
    let email = object! {
        "type" => "string",
        "description" => "One address, unique over all accounts. The domain may be internationalized.",
        "format" => "email",
        "maxLength" => Email::MAX_LENGTH,
    };
    exactly(
        ["email", "name", "type", "password"],
        object! {
            "email" => required(email),
            "name" => required(text("Of the business or the person.", 1..=NewAccount::MAX_NAME)),
            "type" => required_one("Whose account it is.", "AccountType"),
            "password" => required(password.with("format", "password")),
            "settings" => optional_one("Preferences.", "NewAccountSettings"),
        },
    )
}

fn kind_schema() -> Json {
    one_of("Whose an account is.", AccountKind::ALL.map(AccountKind::as_str))
}

fn settings_schema() -> Json {
    exactly(
        [],
        object! {
            "currency" => optional(pattern("The ISO 4217 code of a currency in use, by the lists of 2026-01-01; none of funds, metals, units of account or tests.", "^[A-Z]{3}$").with("default", "USD")),
            "timezone" => optional(object! {
                "type" => "string",
                "description" => "A time zone of the IANA database, in any case.",
                "default" => "UTC",
            }),
            "language" => optional(
                text("A BCP 47 tag of registered subtags that begins with a language of two or three letters, in any case. It is kept in its canonical form: `iw` becomes `he`.", 1..=Language::MAX_LENGTH).with("default", "en"),
            ),
        },
    )
    .with("description", "Preferences; what is left out is as the default says.")
}

fn business() -> Example {
    let body = object! {
        "email" => "owner@example.com",
        "name" => "Acme Inc.",
        "type" => "business",
        "password" => "secure_password_here",
        "settings" => object! {
            "currency" => "USD", "timezone" => "America/New_York", "language" => "en",
        },
    };
    Example::new("business", "A business, with its preferences", body)
}

fn individual() -> Example {
    let body = object! {
        "email" => "jo@example.com",
        "name" => "Jo March",
        "type" => "individual",
        "password" => "four little women 1868",
    };
    Example::new("individual", "A person, with the defaults", body)
}

fn invalid_request() -> Example {
    let body = object! {
        "email" => "owner",
        "name" => "Acme Inc.",
        "type" => "business",
        "password" => "acme inc.",
        "settings" => object! { "timezone" => "Mars/Olympus" },
    };
    Example::new("invalid_request", "Fields that break rules", body)
}

fn parse(example: &Example) -> Result<NewAccount, Vec<Fault>> {
    identity::create_account(body::read(&example.body), PasswordPolicy::default())
}

fn faults_of(example: &Example) -> Vec<Fault> {
    parse(example).expect_err("an example of a refusal")
}

fn created(example: &Example) -> Json {
    let new = parse(example).expect("an example that is accepted");
    let salt = Salt::new(&Still).expect("there is entropy");
    let account = Account {
        id: AccountId::new(&Still, &Still).expect("there is entropy"),
        password_hash: new.password.hash(&salt).expect("it fits the parameters"),
        email: new.email,
        name: new.name,
        kind: new.kind,
        settings: new.settings,
        created_at: Still.now(),
    };
    body::stored(&identity::created(&account))
}
