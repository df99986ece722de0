//! The Identity API in the document.

use headcount_api::identity::{self, Identity, Refusal as Refused};
use headcount_api::{Failure, MAX_BODY, Transport, schema};
use headcount_model::credential::Permission;
use headcount_model::fault::Fault;
use headcount_model::id::AccountId;
use headcount_model::identity::{
    Account, AccountKind, Email, Language, NewAccount, PasswordPolicy, Salt,
};
use headcount_model::port::Clock;

use crate::explained::{Said, Words, explained, worded};
use crate::fields::{exactly, one_of, optional, pattern, required, text};
use crate::json::{Json, object};
use crate::operation::{Api, Example, Op, Operation, Request, Success};
use crate::ports::Still;
use crate::seats::codes;
use crate::{body, explained, rules};

const CREATES: &[Op] = &[Op::CreateAccount];

explained! { failures: Failure<Refused> => Said;
    Failure::Faults(_), Failure::Faults(faults_of(&invalid_request())) =>
        Some(("invalid_request", CREATES, Words {
            cause: "Fields break rules. `details` lists every one of them, all rules that a password breaks included.",
            cure: "Mend what `details` lists; the rules are below. Nothing was created.",
        }));
    Failure::Transport(Transport::MalformedJson(_)), Failure::Transport(body::malformed()) =>
        Some(("malformed_json", CREATES, explained::MALFORMED_JSON));
    Failure::Transport(Transport::IdempotencyKey), Failure::Transport(Transport::IdempotencyKey) =>
        Some(("bad_idempotency_key", CREATES, explained::BAD_KEY));
    Failure::Unauthorized, Failure::Unauthorized =>
        Some(("unauthorized", CREATES, Words {
            cause: "An `Authorization` header is there, even an empty one, and holds no good credential of an \
                    administrator: a bad one is never ignored. Or there is none, and self-signup is off.",
            cure: "To sign up, leave the header out. To create an account for somebody, send an administrator's token: \
                   `headcount admin-token create`.",
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
        Some(("payload_too_large", CREATES, explained::TOO_LARGE));
    Failure::Transport(Transport::NotJson), Failure::Transport(Transport::NotJson) =>
        Some(("not_json", CREATES, explained::NOT_JSON));
    Failure::Transport(Transport::Encoded), Failure::Transport(Transport::Encoded) =>
        Some(("encoded", CREATES, explained::ENCODED));
    Failure::KeyReused, Failure::KeyReused =>
        Some(("idempotency_key_reused", CREATES, explained::KEY_REUSED));
    Failure::TooManyRequests, Failure::TooManyRequests =>
        Some(("rate_limited", CREATES, explained::TOO_MANY_REQUESTS));
    Failure::Unavailable, Failure::Unavailable =>
        Some(("service_unavailable", CREATES, explained::UNAVAILABLE));
}

/// The Identity API.
pub(crate) fn api() -> Api {
    let refusals = worded::<Identity>(failures());
    let mut error = schema::identity_error();
    error["properties"]["error"]["enum"] = codes(&refusals).into_iter().collect();
    error["properties"]["details"]["items"]["properties"]["rule"]["enum"] =
        rules::codes(rules::Of::Identity).into();
    Api {
        tag: "Identity",
        description: "Accounts with a unique e-mail address and a password.",
        operations: vec![create()],
        refusals,
        error: ("IdentityError", Json::schema(error)),
        schemas: vec![
            ("CreateAccount", create_schema()),
            ("Account", Json::schema(schema::created_account())),
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
            examples: examples.into_iter().chain([invalid_request()]).collect(),
        }),
    }
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
            "type" => required(one_of("Whose account it is.", AccountKind::ALL.map(AccountKind::as_str))),
            "password" => required(password.with("format", "password")),
            "settings" => optional(settings_schema()),
        },
    )
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
    .with("description", "Preferences.")
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
