//! The Agency API in the document.

use headcount_api::agency::{self, AccountBody, Agency, Refusal as Refused};
use headcount_api::{Failure, MAX_BODY, Transport, schema};
use headcount_model::agency::{
    AccountChange, AgencyAccount, AgencySettings, KeptAccount, KeptAgency, NewAgencyAccount, Page,
    Slug,
};
use headcount_model::fault::{Fault, Given};
use headcount_model::id::{AgencyAccountLcuid, AgencyLcuid, micros};
use headcount_model::port::Clock;
use headcount_model::right::{
    CreateAgencyAccounts, DeleteAgencyAccounts, ListAgencyAccounts, UpdateAgencyAccounts,
    ViewAgencyAccounts,
};
use headcount_model::text::Text;
use serde_json::Value;

use crate::explained::{Said, Words, explained, worded};
use crate::fields::{exactly, optional, pattern, required, text, url};
use crate::json::{Json, object};
use crate::operation::{Api, Example, Op, Operation, Request, Success};
use crate::ports::Still;
use crate::{body, explained};

/// The agency of the examples.
pub const AGENCY: &str = "LCUID-LY-506fc585-77be-11ec-acb9-c2cdb617d190";
/// An account of it that may have sub-accounts.
pub const PARENT: &str = "LCUID-LA-506fc585-77be-11ec-acb9-c2cdb617d190";

const CREATES: &[Op] = &[Op::CreateAgencyAccount];
const GETS: &[Op] = &[Op::GetAgencyAccount];
const UPDATES: &[Op] = &[Op::UpdateAgencyAccount];
const TAKES_BODIES: &[Op] = &[Op::CreateAgencyAccount, Op::UpdateAgencyAccount];
const DELETES: &[Op] = &[Op::DeleteAgencyAccount];
const MAY_DELETE: &[Op] = &[Op::DeleteAgencyAccount, Op::CheckDeletion];
const TAKES_KEYS: &[Op] =
    &[Op::CreateAgencyAccount, Op::UpdateAgencyAccount, Op::DeleteAgencyAccount];
const LISTS: &[Op] = &[Op::ListAgencyAccounts, Op::ListAccountsOfAgency];
const TELLS: &[Op] = &[Op::ListAccountsOfAgency];
const ALL: &[Op] = &[
    Op::CreateAgencyAccount,
    Op::CheckToken,
    Op::GetAgencyAccount,
    Op::ListAgencyAccounts,
    Op::ListAccountsOfAgency,
    Op::UpdateAgencyAccount,
    Op::DeleteAgencyAccount,
    Op::CheckDeletion,
];

explained! { failures: Failure<Refused> => Said;
    Failure::Transport(Transport::MalformedJson(_)), Failure::Transport(body::malformed()) =>
        Some(("malformed_json", TAKES_BODIES, explained::MALFORMED_JSON));
    Failure::Transport(Transport::IdempotencyKey), Failure::Transport(Transport::IdempotencyKey) =>
        Some(("bad_idempotency_key", TAKES_KEYS, explained::BAD_KEY));
    Failure::Refused(Refused::AppHeader), Failure::Refused(Refused::AppHeader) =>
        Some(("bad_app_header", ALL, Words {
            cause: "The `AppIdV3` header is missing or is no app id.",
            cure: "Send the id of the app that the token belongs to.",
        }));
    Failure::Unauthorized, Failure::Unauthorized =>
        Some(("unauthenticated", ALL, Words {
            cause: "There is no token of an app in `Authorization: Bearer …`, or it is malformed, unknown, revoked or \
                    expired.",
            cure: "Send a token that works. An operator makes one: `headcount token create`.",
        }));
    Failure::Refused(Refused::ForeignApp), Failure::Refused(Refused::ForeignApp) =>
        Some(("foreign_app", ALL, Words {
            cause: "The token is good and belongs to another app than `AppIdV3` names.",
            cure: "Send token and app id of the same app.",
        }));
    Failure::Refused(Refused::Forbidden { .. }), agency::forbidden::<CreateAgencyAccounts>(AGENCY) =>
        Some(("forbidden", CREATES, Words {
            cause: "The token may not create accounts in this agency, or there is no such agency. Both get the same \
                    answer.",
            cure: "Look at `agency_lcuid`, which the message repeats. An operator makes tokens with the permission \
                   `agency.createAccounts`.",
        }));
    Failure::Refused(Refused::Forbidden { .. }), agency::forbidden::<ViewAgencyAccounts>(PARENT) =>
        Some(("forbidden", GETS, Words {
            cause: "The token may not see accounts of its agency, or the agency has no such account: there is none, it \
                    is another agency's, or the path has no id of an account. All get the same answer.",
            cure: "Look at the id, which the message repeats. An operator makes tokens with the permission \
                   `account.view`.",
        }));
    Failure::Refused(Refused::Forbidden { .. }), agency::forbidden::<ListAgencyAccounts>(AGENCY) =>
        Some(("forbidden", TELLS, Words {
            cause: "The token may not list the accounts of its agency, or the path names another agency, one that does \
                    not exist or none at all. All get the same answer.",
            cure: "Look at the id, which the message repeats. An operator makes tokens with the permission \
                   `agency.viewAccounts`.",
        }));
    Failure::Refused(Refused::Forbidden { .. }), agency::forbidden::<UpdateAgencyAccounts>(PARENT) =>
        Some(("forbidden", UPDATES, Words {
            cause: "The token may not change accounts of its agency, or the agency has no such account: there is none, it \
                    is another agency's, or the path has no id of an account. All get the same answer.",
            cure: "Look at the id, which the message repeats. An operator makes tokens with the permission \
                   `account.update`.",
        }));
    Failure::Refused(Refused::Forbidden { .. }), agency::forbidden::<DeleteAgencyAccounts>(PARENT) =>
        Some(("forbidden", MAY_DELETE, Words {
            cause: "The token may not delete accounts of its agency, or the agency has no such account: there is none, it \
                    is another agency's or deleted already, or the path has no id of an account. All get the same answer.",
            cure: "Look at the id, which the message repeats. An operator makes tokens with the permission \
                   `account.delete`.",
        }));
    Failure::Refused(Refused::HasSubAccounts), Failure::Refused(Refused::HasSubAccounts) =>
        Some(("has_sub_accounts", DELETES, Words {
            cause: "Other accounts are below this one. Nothing was deleted.",
            cure: "Delete those first. `can-be-deleted` tells beforehand.",
        }));
    Failure::Refused(Refused::TooManyAccounts), Failure::Refused(Refused::TooManyAccounts) =>
        Some(("too_many_accounts", LISTS, Words {
            cause: "The agency has so many accounts that the whole list is longer than 4 MB.",
            cure: "Send `page` and `per_page`.",
        }));
    Failure::Transport(Transport::TooLarge(_)), Failure::Transport(Transport::TooLarge(MAX_BODY)) =>
        Some(("payload_too_large", TAKES_BODIES, explained::TOO_LARGE));
    Failure::Transport(Transport::NotJson), Failure::Transport(Transport::NotJson) =>
        Some(("not_json", TAKES_BODIES, explained::NOT_JSON));
    Failure::Transport(Transport::Encoded), Failure::Transport(Transport::Encoded) =>
        Some(("encoded", TAKES_BODIES, explained::ENCODED));
    Failure::Faults(_), Failure::Faults(faults_of(&invalid_fields())) =>
        Some(("invalid_fields", CREATES, Words {
            cause: "Fields break rules. `errors` has a list of sentences for each; `message` is the first of them.",
            cure: "Mend what `errors` lists; the rules are below. Nothing was created.",
        }));
    Failure::Faults(_), Failure::Faults(change_faults(&invalid_change())) =>
        Some(("invalid_fields", UPDATES, Words {
            cause: "Fields break rules. `errors` has a list of sentences for each; `message` is the first of them.",
            cure: "Mend what `errors` lists; the rules are below. Nothing was changed.",
        }));
    Failure::Faults(_), Failure::Faults(faults_of_page()) =>
        Some(("bad_page", LISTS, Words {
            cause: "`page` or `per_page` is no whole number within its limits, or is there twice.",
            cure: "Send numbers within the limits that the message names, or neither for the whole list.",
        }));
    Failure::KeyReused, Failure::KeyReused =>
        Some(("idempotency_key_reused", TAKES_KEYS, explained::KEY_REUSED));
    Failure::TooManyRequests, Failure::TooManyRequests =>
        Some(("rate_limited", ALL, explained::TOO_MANY_REQUESTS));
    Failure::Unavailable, Failure::Unavailable =>
        Some(("service_unavailable", ALL, explained::UNAVAILABLE));
}

/// The Agency API.
pub(crate) fn api() -> Api {
    Api {
        tag: "Agency",
        description: "An app creates accounts and sub-accounts inside an agency, and looks after them.",
        operations: vec![
            create(),
            list(),
            get(),
            update(),
            tell(),
            delete(),
            check_deletion(),
            check_token(),
        ],
        refusals: worded::<Agency>(failures()),
        error: ("AgencyError", Json::schema(schema::agency_error())),
        schemas: vec![
            ("CreateAgencyAccount", create_schema()),
            ("CreatedAgencyAccount", Json::schema(schema::created_agency_account())),
            ("ShownAgencyAccount", Json::schema(schema::shown_agency_account())),
            ("UpdateAgencyAccount", update_schema()),
            ("AgencyAccounts", Json::schema(schema::listed_agency_accounts())),
            ("AccountsOfAgency", Json::schema(schema::told_agency_accounts())),
            ("Deletable", Json::schema(schema::deletable())),
            ("Done", Json::schema(schema::done())),
        ],
    }
}

fn create() -> Operation {
    let examples = [sub_account(), account()];
    let answers =
        examples.iter().map(|example| Example { body: created(example), ..example.clone() });
    Operation {
        op: Op::CreateAgencyAccount,
        summary: "Create an account in an agency",
        description: "Needs the permission `agency.createAccounts` on the agency. The permission is checked before the \
                      other fields. The slug is made of the name; when it is taken, the next free number is put behind.",
        security: &["appToken"],
        parameters: &["AppIdV3", "IdempotencyKey"],
        success: Success {
            status: 200,
            description: "Created. Every key is there, `null` where empty.",
            schema: "CreatedAgencyAccount",
            headers: &["IdempotencyReplayed"],
            examples: answers.collect(),
        },
        request: Some(Request {
            schema: "CreateAgencyAccount",
            examples: Vec::from(examples),
            refused: vec![invalid_fields()],
        }),
    }
}

fn get() -> Operation {
    let body = body::of(&agency::shown(&parent(), &agency_of_examples()));
    Operation {
        op: Op::GetAgencyAccount,
        summary: "Show an account",
        description: "Needs the permission `account.view` or `agency.updateDeleteAllAgencyAccounts`. An account of another \
                      agency is refused like one that does not exist.",
        security: &["appToken"],
        parameters: &["AppIdV3"],
        request: None,
        success: Success {
            status: 200,
            description: "The account and its agency. Every key is there, `null` where empty.",
            schema: "ShownAgencyAccount",
            headers: &[],
            examples: vec![Example::new("account", "An account that may have sub-accounts", body)],
        },
    }
}

fn update() -> Operation {
    let examples = [renamed(), cleared()];
    let changed = |example: &Example| {
        let change = change(&example.body).expect("an example that is accepted");
        let mut account = described();
        change.apply(&mut account);
        Example {
            body: body::of(&agency::shown(&account, &agency_of_examples())),
            ..example.clone()
        }
    };
    Operation {
        op: Op::UpdateAgencyAccount,
        summary: "Change an account",
        description: "Needs the permission `account.update` or `agency.updateDeleteAllAgencyAccounts`. A field that is left \
                      out stays as it is, `null` and blank text clear it. The slug stays.",
        security: &["appToken"],
        parameters: &["AppIdV3", "IdempotencyKey"],
        success: Success {
            status: 200,
            description: "The account as it is now, as `GET` shows it.",
            schema: "ShownAgencyAccount",
            headers: &["IdempotencyReplayed"],
            examples: examples.iter().map(changed).collect(),
        },
        request: Some(Request {
            schema: "UpdateAgencyAccount",
            examples: Vec::from(examples),
            refused: vec![invalid_change()],
        }),
    }
}

fn update_schema() -> Json {
    exactly(
        ["name"],
        object! {
            "name" => required(text("The account's name. Blank counts as missing.", 1..=NewAgencyAccount::MAX_NAME)),
            "description" => optional(text(
                "May hold newlines and tabs; CR LF is kept as LF. `null` and blank clear it.",
                0..=NewAgencyAccount::MAX_DESCRIPTION,
            )),
            "website" => optional(url("The account's site. `null` and blank clear it.")),
        },
    )
}

fn renamed() -> Example {
    let body =
        object! { "name" => "Renamed Account", "website" => "https://www.renamed.example.com" };
    Example::new("renamed", "Another name and another site; the description stays", body)
}

fn cleared() -> Example {
    let body = object! { "name" => "Parent", "description" => Json::Scalar(Value::Null) };
    Example::new("cleared", "No description any more", body)
}

fn invalid_change() -> Example {
    let body =
        object! { "description" => "d", "website" => "www.example.com", "slug" => "Another" };
    Example::new("invalid_fields", "Fields that break rules", body)
}

fn change(body: &Json) -> Result<AccountChange, Vec<Fault>> {
    agency::change(body::read(body))
}

fn change_faults(example: &Example) -> Vec<Fault> {
    change(&example.body).expect_err("an example of a refusal")
}

fn delete() -> Operation {
    Operation {
        op: Op::DeleteAgencyAccount,
        summary: "Delete an account",
        description: "Needs the permission `account.delete` or `agency.updateDeleteAllAgencyAccounts`. An account with \
                      sub-accounts is not deleted. The slug stays taken.",
        security: &["appToken"],
        parameters: &["AppIdV3", "IdempotencyKey"],
        request: None,
        success: Success {
            status: 200,
            description: "Deleted.",
            schema: "Done",
            headers: &["IdempotencyReplayed"],
            examples: vec![Example::new("deleted", "Deleted", body::of(&agency::done()))],
        },
    }
}

fn check_deletion() -> Operation {
    let example = |key, summary, has_sub_accounts| {
        Example::new(key, summary, body::of(&agency::deletable(has_sub_accounts)))
    };
    Operation {
        op: Op::CheckDeletion,
        summary: "Ask whether an account can be deleted",
        description: "Needs the permission `account.delete` or `agency.updateDeleteAllAgencyAccounts`. Deletes nothing.",
        security: &["appToken"],
        parameters: &["AppIdV3"],
        request: None,
        success: Success {
            status: 200,
            description: "Whether, and why not.",
            schema: "Deletable",
            headers: &[],
            examples: vec![
                example("can_be_deleted", "Nothing stands against it", false),
                example("has_sub_accounts", "It has sub-accounts", true),
            ],
        },
    }
}

fn list() -> Operation {
    let listed = agency::listed(&[parent()], &AgencySettings::default()).expect("a short list");
    Operation {
        op: Op::ListAgencyAccounts,
        summary: "List the accounts that the token may see",
        description: "All accounts of the agency for a token with `account.view` or \
                      `agency.updateDeleteAllAgencyAccounts`, none for others. The first created comes first, so that a \
                      page stays what it is when accounts are created or changed.",
        security: &["appToken"],
        parameters: &["AppIdV3", "Page", "PerPage"],
        request: None,
        success: Success {
            status: 200,
            description: "The accounts, without their agency.",
            schema: "AgencyAccounts",
            headers: &[],
            examples: vec![Example::new("accounts", "One account", body::of(&listed))],
        },
    }
}

fn tell() -> Operation {
    let told = agency::told(&[parent()]).expect("a short list");
    Operation {
        op: Op::ListAccountsOfAgency,
        summary: "List the accounts of an agency",
        description: "Needs the permission `agency.viewAccounts` on the agency. Each account comes without the agency's \
                      class names. The order is that of `GET /api/v3/accounts`.",
        security: &["appToken"],
        parameters: &["AppIdV3", "Page", "PerPage"],
        request: None,
        success: Success {
            status: 200,
            description: "The accounts.",
            schema: "AccountsOfAgency",
            headers: &[],
            examples: vec![Example::new("accounts", "One account", body::of(&told))],
        },
    }
}

/// What is wrong with a page of no accounts.
fn faults_of_page() -> Vec<Fault> {
    let zero = || Given::Value("0".to_owned());
    Page::parse(zero(), zero()).expect_err("no page")
}

fn check_token() -> Operation {
    Operation {
        op: Op::CheckToken,
        summary: "Check a token",
        description: "Tells whether a token works. It needs no permission.",
        security: &["appToken"],
        parameters: &["AppIdV3"],
        request: None,
        success: Success {
            status: 200,
            description: "It works.",
            schema: "Done",
            headers: &[],
            examples: vec![Example::new("good", "A good token", body::of(&agency::done()))],
        },
    }
}

/// The account of the examples before it is changed.
fn described() -> KeptAccount {
    KeptAccount { description: Some("Everything below".to_owned()), ..parent() }
}

/// The account of the examples.
fn parent() -> KeptAccount {
    KeptAccount {
        lcuid: AgencyAccountLcuid::parse(PARENT).expect("an id"),
        name: "Parent".to_owned(),
        slug: "Parent".to_owned(),
        description: None,
        website: None,
        is_parent_account: true,
        created_at: micros(Still.now()),
        version: 0,
    }
}

fn agency_of_examples() -> KeptAgency {
    KeptAgency {
        lcuid: AgencyLcuid::parse(AGENCY).expect("an id"),
        name: Text::line("Blue River", 1..=255).expect("a name"),
        settings: AgencySettings::default(),
        created_at: micros(Still.now()),
    }
}

fn create_schema() -> Json {
    let agency = schema::lcuid_pattern(AgencyLcuid::PREFIX);
    // Blank text counts as absent where a field may be left out.
    let parent = format!("{}|^$", schema::lcuid_pattern(AgencyAccountLcuid::PREFIX));
    exactly(
        ["name", "agency_lcuid"],
        object! {
            "name" => required(text("The account's name. Blank counts as missing.", 1..=NewAgencyAccount::MAX_NAME)),
            "description" => optional(text(
                "May hold newlines and tabs; CR LF is kept as LF. Blank counts as absent.",
                0..=NewAgencyAccount::MAX_DESCRIPTION,
            )),
            "agency_lcuid" => required(pattern("The agency that the account will belong to.", agency)),
            "website" => optional(url("The account's site. Blank counts as absent.")),
            "parent_account_lcuid" => optional(pattern(
                "The account above this one: one of the same agency that may have sub-accounts. Blank counts as absent.",
                parent,
            )),
        },
    )
}

fn sub_account() -> Example {
    let body = object! {
        "name" => "My New Account",
        "description" => "My New Account Description",
        "agency_lcuid" => AGENCY,
        "website" => "https://www.mynewaccount.com",
        "parent_account_lcuid" => PARENT,
    };
    Example::new("sub_account", "Below another account", body)
}

fn account() -> Example {
    let body = object! { "name" => "Blue River Real Estate", "agency_lcuid" => AGENCY };
    Example::new("account", "The least: a name and an agency", body)
}

fn invalid_fields() -> Example {
    let body = object! {
        "agency_lcuid" => AGENCY, "website" => "www.mynewaccount.com", "is_parent_account" => true,
    };
    Example::new("invalid_fields", "Fields that break rules", body)
}

fn parse(example: &Example) -> Result<NewAgencyAccount, Vec<Fault>> {
    AccountBody::from(body::read(&example.body)).check()
}

fn faults_of(example: &Example) -> Vec<Fault> {
    parse(example).expect_err("an example of a refusal")
}

fn created(example: &Example) -> Json {
    let new = parse(example).expect("an example that is accepted");
    let slug = Slug::of(&new.name);
    let account = AgencyAccount {
        lcuid: AgencyAccountLcuid::new(&Still).expect("there is entropy"),
        agency: AgencyLcuid::parse(AGENCY).expect("an id"),
        new,
        is_parent_account: false,
        created_by: None,
        created_at: Still.now(),
    };
    body::stored(&agency::created(&account, &slug, &AgencySettings::default()))
}
