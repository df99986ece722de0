//! The Seats API in the document.

use std::collections::BTreeSet;

use headcount_api::seats::{self, Quoted, Refusal as Refused, Seats};
use headcount_api::{Answer, Failure, MAX_BODY, MAX_SEATS_BODY, Transport, schema};
use headcount_model::api_key::{ApiKey, KEY_PERMISSIONS, MAX_KEY_NAME, NewKey};
use headcount_model::billing::{
    BillingError, Period, ProrationBehavior, SeatCounts, Standing, SubscriptionStatus,
};
use headcount_model::credential::{Credential, Holder, Permission};
use headcount_model::cursor::List;
use headcount_model::fault::{Fault, Rule};
use headcount_model::history::{By, Change, Entry, MAX_PAGE, Outcome, Page, SeatChange, Told};
use headcount_model::id::{CredentialId, OrganizationId, SeatId};
use headcount_model::idempotency::{FingerprintKey, StoredAnswer};
use headcount_model::organization::Organization;
use headcount_model::policy::BillingPolicy;
use headcount_model::port::Clock;
use headcount_model::seats::{
    AgeRange, CreateSeats, Created, Keywords, ListSeats, ListedSeat, MAX_DEACTIVATIONS_PER_REQUEST,
    MAX_LISTED_IDS, MAX_SEATS_PAGE, MAX_SEATS_PER_REQUEST, MAX_UPDATES_PER_REQUEST, MAX_VERSION,
    Platforms, Profile, Quote, SeatPage, SeatStatus, SeatsUpdated, Sex, Tier, UpdateSeats,
    Username,
};
use headcount_model::statement::{Linked, Statement};
use headcount_model::text::Text;
use headcount_model::tiers::{TierEntry, Tiers};
use jiff::Timestamp;
use serde_json::Value;

use crate::explained::{Said, Words, explained, worded};
use crate::fields::{
    component, exactly, one_of, optional, optional_one, pattern, required, required_one, text, url,
};
use crate::json::{Json, object};
use crate::operation::{Api, Example, Op, Operation, Request, Success};
use crate::ports::Still;
use crate::{Refusal, body, explained, rules};

/// The platforms of a deployment whose operator has not chosen others: those of template.yaml.
pub const DEFAULT_PLATFORMS: [&str; 2] = ["tiktok", "instagram"];

/// The seats that the tenant of the examples has.
const BEFORE: SeatCounts = SeatCounts { basic: 1, premium: 0 };
/// What Stripe says about the rest of the period of the examples, in cents.
const PRORATION: i64 = 13_992;

const CREATES: &[Op] = &[Op::CreateSeats];
const TAKES_SEATS: &[Op] = &[Op::CreateSeats, Op::QuoteSeats];
const UPDATES: &[Op] = &[Op::UpdateSeats];
const BILLS: &[Op] = &[Op::CreateSeats, Op::QuoteSeats, Op::UpdateSeats];
const DEACTIVATES: &[Op] = &[Op::DeactivateSeats];
const TAKES_KEYS: &[Op] = &[
    Op::CreateSeats,
    Op::UpdateSeats,
    Op::DeactivateSeats,
    Op::CreateApiKey,
    Op::UpdateApiKey,
    Op::DeleteApiKey,
    Op::CancelBilling,
    Op::ResumeBilling,
];
const KEYS: &[Op] = &[Op::ListApiKeys, Op::CreateApiKey, Op::UpdateApiKey, Op::DeleteApiKey];
const LISTS_KEYS: &[Op] = &[Op::ListApiKeys];
const CREATES_KEYS: &[Op] = &[Op::CreateApiKey];
const UPDATES_KEYS: &[Op] = &[Op::UpdateApiKey];
const DELETES_KEYS: &[Op] = &[Op::DeleteApiKey];
const NAMES_KEYS: &[Op] = &[Op::UpdateApiKey, Op::DeleteApiKey];
const LISTS_SEATS: &[Op] = &[Op::ListSeats];
const TAKES_BODIES: &[Op] = &[
    Op::CreateSeats,
    Op::QuoteSeats,
    Op::ListSeats,
    Op::UpdateSeats,
    Op::DeactivateSeats,
    Op::ListApiKeys,
    Op::CreateApiKey,
    Op::UpdateApiKey,
    Op::DeleteApiKey,
    Op::OpenBillingPortal,
    Op::CancelBilling,
    Op::ResumeBilling,
];
const TAKES_LITTLE: &[Op] = &[
    Op::ListSeats,
    Op::UpdateSeats,
    Op::DeactivateSeats,
    Op::ListApiKeys,
    Op::CreateApiKey,
    Op::UpdateApiKey,
    Op::DeleteApiKey,
    Op::OpenBillingPortal,
    Op::CancelBilling,
    Op::ResumeBilling,
];
const OPENS: &[Op] = &[Op::OpenBillingPortal];
const ENDS: &[Op] = &[Op::CancelBilling, Op::ResumeBilling];
const MANAGES: &[Op] = &[Op::OpenBillingPortal, Op::CancelBilling, Op::ResumeBilling];
const READS: &[Op] = &[Op::GetBilling, Op::GetBillingHistory];
const LISTS: &[Op] = &[Op::GetBillingHistory];
const ALL: &[Op] = &[
    Op::CreateSeats,
    Op::QuoteSeats,
    Op::ListSeats,
    Op::UpdateSeats,
    Op::DeactivateSeats,
    Op::GetOrganization,
    Op::ListApiKeys,
    Op::CreateApiKey,
    Op::UpdateApiKey,
    Op::DeleteApiKey,
    Op::OpenBillingPortal,
    Op::CancelBilling,
    Op::ResumeBilling,
    Op::GetBilling,
    Op::GetBillingHistory,
];
const CREATES_OR_READS: &[Op] = &[
    Op::CreateSeats,
    Op::QuoteSeats,
    Op::ListSeats,
    Op::GetOrganization,
    Op::ListApiKeys,
    Op::CreateApiKey,
    Op::UpdateApiKey,
    Op::DeleteApiKey,
    Op::OpenBillingPortal,
    Op::CancelBilling,
    Op::ResumeBilling,
    Op::GetBilling,
    Op::GetBillingHistory,
];

explained! { failures: Failure<Refused> => Said;
    Failure::Faults(_), Failure::Faults(faults_of(&missing_detail_fields())) =>
        Some(("missing_detail_fields", TAKES_SEATS, Words {
            cause: "A seat has some but not all of `platform`, `username`, `pfp_url` and `keywords`. `errors` also \
                    lists whatever else is wrong with the request.",
            cure: "Give the seat all four, or none of them.",
        }));
    Failure::Faults(_), Failure::Faults(faults_of(&invalid_request())) =>
        Some(("invalid_request", TAKES_SEATS, Words {
            cause: "Fields break rules. `errors` lists every one of them, with the position of the seat.",
            cure: "Mend what `errors` lists; the rules are below. Nothing was created.",
        }));
    Failure::Faults(_), Failure::Faults(group_faults()) =>
        Some(("missing_detail_fields", UPDATES, Words {
            cause: "With the change the account would have some but not all of `platform`, `username`, `pfp_url` and \
                    `keywords`.",
            cure: "Send those that `errors` lists too. Of `updates` it is the refusal of that update alone.",
        }));
    Failure::Faults(_), Failure::Faults(update_faults(&invalid_update())) =>
        Some(("invalid_request", UPDATES, Words {
            cause: "Fields break rules. `errors` lists every one of them. Of `updates`, only what leaves it open which \
                    accounts are meant refuses the request; the rest is told with the update whose it is.",
            cure: "Mend what `errors` lists; the rules are below. Nothing was changed.",
        }));
    Failure::Faults(_), Failure::Faults(no_such_account()) =>
        Some(("account_not_found", UPDATES, Words {
            cause: "The account is not there, or is another organization's, which looks the same.",
            cure: "Name an account of the list. Of `updates` it is the refusal of that update alone.",
        }));
    Failure::Refused(Refused::Deactivated), Failure::Refused(Refused::Deactivated) =>
        Some(("account_deactivated", UPDATES, Words {
            cause: "The account was given back.",
            cure: "What has ended stays so: create a new account.",
        }));
    Failure::Refused(Refused::VersionMismatch), Failure::Refused(Refused::VersionMismatch) =>
        Some(("version_mismatch", UPDATES, Words {
            cause: "`version` is not the version of the account: somebody has changed it since it was read.",
            cure: "Read the account again, and decide anew.",
        }));
    Failure::Refused(Refused::Forbidden(_)),
    Failure::Refused(Refused::Forbidden(Permission::AccountsUpdate.as_str())) =>
        Some(("forbidden", UPDATES, NO_PERMISSION));
    Failure::TooManyRequests, Failure::TooManyRequests =>
        Some(("rate_limited", UPDATES, Words {
            cause: "More requests than the table takes at this moment, in all or for one tenant. Of several updates those in \
                    front may be done.",
            ..explained::TOO_MANY_REQUESTS
        }));
    Failure::Faults(_), Failure::Faults(ending_faults(&invalid_ending())) =>
        Some(("invalid_request", DEACTIVATES, Words {
            cause: "Fields break rules. `errors` lists every one of them; `field` names the place in a list.",
            cure: "Mend what `errors` lists; the rules are below. Nothing was deactivated.",
        }));
    Failure::Faults(_), Failure::Faults(list_faults(&invalid_list())) =>
        Some(("invalid_request", LISTS_SEATS, Words {
            cause: "Fields break rules. `errors` lists every one of them; `field` names the place in a list. A cursor is one \
                    for the same filters alone.",
            cure: "Mend what `errors` lists; the rules are below.",
        }));
    Failure::Faults(_), Failure::Faults(key_list_faults()) =>
        Some(("invalid_request", LISTS_KEYS, Words {
            cause: "The body has fields. `errors` lists every one of them.",
            cure: "Send `{}`, or no body.",
        }));
    Failure::Faults(_), Failure::Faults(key_list_faults()) =>
        Some(("invalid_request", ENDS, Words {
            cause: "The body has fields. `errors` lists every one of them.",
            cure: "Send `{}`, or no body.",
        }));
    Failure::Faults(_), Failure::Faults(portal_faults(&invalid_return())) =>
        Some(("invalid_request", OPENS, Words {
            cause: "Fields break rules. `errors` lists every one of them.",
            cure: "Mend what `errors` lists; the rules are below.",
        }));
    Failure::Faults(_), Failure::Faults(new_key(&invalid_key()).expect_err("an example of a refusal")) =>
        Some(("invalid_request", CREATES_KEYS, Words {
            cause: "Fields break rules. `errors` lists every one of them; `field` names the place in a list.",
            cure: "Mend what `errors` lists; the rules are below. Nothing was created.",
        }));
    Failure::Faults(_), Failure::Faults(key_name(&invalid_name()).expect_err("an example of a refusal")) =>
        Some(("invalid_request", UPDATES_KEYS, Words {
            cause: "Fields break rules. `errors` lists every one of them.",
            cure: "Mend what `errors` lists; the rules are below. Nothing was changed.",
        }));
    Failure::Faults(_), Failure::Faults(no_key(&invalid_key_id()).expect_err("an example of a refusal")) =>
        Some(("invalid_request", DELETES_KEYS, Words {
            cause: "Fields break rules. `errors` lists every one of them.",
            cure: "Mend what `errors` lists; the rules are below. Nothing was deleted.",
        }));
    Failure::Refused(Refused::NoSuchKey), Failure::Refused(Refused::NoSuchKey) =>
        Some(("api_key_not_found", NAMES_KEYS, Words {
            cause: "There is no key of this id, or it is another organization's, which looks the same; for a new name also: it was \
                    deleted.",
            cure: "Send the `id` of a key of the list.",
        }));
    Failure::Refused(Refused::TooManyKeys), Failure::Refused(Refused::TooManyKeys) =>
        Some(("api_key_limit_reached", CREATES_KEYS, Words {
            cause: "The organization has 1,000 keys.",
            cure: "Delete keys that are not needed.",
        }));
    Failure::Refused(Refused::LastManager), Failure::Refused(Refused::LastManager) =>
        Some(("last_managing_api_key", DELETES_KEYS, Words {
            cause: "The key would delete itself, and no other key of the organization that works may manage keys.",
            cure: "Make another key with `keys:manage` first, and delete this one with it.",
        }));
    Failure::Refused(Refused::TooManyAccounts), Failure::Refused(Refused::TooManyAccounts) =>
        Some(("too_many_accounts", LISTS_SEATS, Words {
            cause: "There is no `limit`, and the list would have more than 4 MB, or too many accounts would have to be looked \
                    at to find those that the filters fit (16 MB of them).",
            cure: "Ask for pages: send `limit`, and each answer's `next_cursor` as `cursor` of the next request.",
        }));
    Failure::Faults(_), Failure::Faults(query_faults()) =>
        Some(("invalid_request", LISTS, Words {
            cause: "Parameters of the query break rules. `errors` lists every one of them, unknown ones too.",
            cure: "Mend what `errors` lists; the rules are below.",
        }));
    Failure::Faults(_), Failure::Faults(no_such_seat()) =>
        Some(("account_not_found", DEACTIVATES, Words {
            cause: "At least one of the accounts is not there, or is another organization's, which looks the same. \
                    `errors` lists every one.",
            cure: "Leave those out that `errors` lists. Nothing was deactivated.",
        }));
    Failure::Faults(_), Failure::Faults(has_ended()) =>
        Some(("account_deactivated", DEACTIVATES, Words {
            cause: "`revoke` is true, and at least one of the accounts has ended. `errors` lists every one.",
            cure: "Leave those out that `errors` lists. What has ended stays so: create a new account.",
        }));
    Failure::Transport(Transport::MalformedJson(_)), Failure::Transport(body::malformed()) =>
        Some(("malformed_json", TAKES_BODIES, explained::MALFORMED_JSON));
    Failure::Transport(Transport::IdempotencyKey), Failure::Transport(Transport::IdempotencyKey) =>
        Some(("bad_idempotency_key", TAKES_KEYS, explained::BAD_KEY));
    Failure::Unauthorized, Failure::Unauthorized =>
        Some(("unauthorized", ALL, Words {
            cause: "There is no API key of an organization in `Authorization: Bearer …`, or it is malformed, unknown, \
                    revoked or expired.",
            cure: "Send a key that works. An operator makes one: `headcount api-key create`.",
        }));
    Failure::Refused(Refused::NoBilling), Failure::Refused(Refused::NoBilling) =>
        Some(("no_billing", BILLS, Words {
            cause: "The organization has no subscription, or one that takes no seats: `unpaid`, `canceled`, `incomplete`, \
                    `incomplete_expired` or `paused`, `past_due` for longer than the grace of 7 days \
                    (`PastDueGraceDays`), or with its collection paused. Which states do is the stack's policy \
                    (`BillableStates`), which `GET /billing` shows under `billable`.",
            cure: "Set the subscription right at Stripe; the webhook brings its status here in seconds.",
        }));
    Failure::Refused(Refused::NoBilling), Failure::Refused(Refused::NoBilling) =>
        Some(("no_billing", MANAGES, Words {
            cause: "The organization has no subscription, or one that has ended: `canceled` or `incomplete_expired`.",
            cure: "An operator links another one: `headcount org relink`.",
        }));
    Failure::Refused(Refused::Forbidden(_)),
    Failure::Refused(Refused::Forbidden(Permission::AccountsCreate.as_str())) =>
        Some(("forbidden", TAKES_SEATS, NO_PERMISSION));
    Failure::Refused(Refused::Forbidden(_)),
    Failure::Refused(Refused::Forbidden(Permission::AccountsDeactivate.as_str())) =>
        Some(("forbidden", DEACTIVATES, NO_PERMISSION));
    Failure::Refused(Refused::Forbidden(_)),
    Failure::Refused(Refused::Forbidden(Permission::KeysManage.as_str())) =>
        Some(("forbidden", KEYS, NO_PERMISSION));
    Failure::Refused(Refused::Forbidden(_)),
    Failure::Refused(Refused::Forbidden(Permission::AccountsUpdate.as_str())) =>
        Some(("not_ones_own", CREATES_KEYS, Words {
            cause: "The API key lacks a permission that it would give: that which the message names.",
            cure: "Give what the key has, or use one that has more.",
        }));
    Failure::Refused(Refused::Forbidden(_)),
    Failure::Refused(Refused::Forbidden(Permission::AccountsRead.as_str())) =>
        Some(("forbidden", LISTS_SEATS, NO_PERMISSION));
    Failure::Refused(Refused::Forbidden(_)),
    Failure::Refused(Refused::Forbidden(Permission::BillingManage.as_str())) =>
        Some(("forbidden", MANAGES, NO_PERMISSION));
    Failure::Refused(Refused::Forbidden(_)),
    Failure::Refused(Refused::Forbidden(Permission::BillingRead.as_str())) =>
        Some(("forbidden", READS, NO_PERMISSION));
    Failure::Refused(Refused::QuoteExpired), Failure::Refused(Refused::QuoteExpired) =>
        Some(("quote_expired", CREATES, Words {
            cause: "`quote_id` was given, and since the quote its hour has passed, the organization's seats have \
                    changed, or prices have.",
            cure: "Ask for a new quote, show it to whoever pays, and create with its id.",
        }));
    Failure::Refused(Refused::SeatLimitReached), Failure::Refused(Refused::SeatLimitReached) =>
        Some(("seat_limit_reached", TAKES_SEATS, Words {
            cause: "These seats are more than the organization's seat limit leaves.",
            cure: "Ask for fewer, or have the operator raise it: `headcount org set-limit`.",
        }));
    Failure::Refused(Refused::SpendingLimitReached), Failure::Refused(Refused::SpendingLimitReached) =>
        Some(("spending_limit_reached", BILLS, Words {
            cause: "These seats cost more a month than the organization's spending limit leaves.",
            cure: "Ask for fewer or cheaper ones, or have the operator raise it: `headcount org set-limit`.",
        }));
    Failure::Transport(Transport::TooLarge(_)), Failure::Transport(Transport::TooLarge(MAX_SEATS_BODY)) =>
        Some(("payload_too_large", TAKES_SEATS, explained::TOO_LARGE));
    Failure::Transport(Transport::TooLarge(_)), Failure::Transport(Transport::TooLarge(MAX_BODY)) =>
        Some(("payload_too_large", TAKES_LITTLE, explained::TOO_LARGE));
    Failure::Transport(Transport::NotJson), Failure::Transport(Transport::NotJson) =>
        Some(("not_json", TAKES_BODIES, explained::NOT_JSON));
    Failure::Transport(Transport::Encoded), Failure::Transport(Transport::Encoded) =>
        Some(("encoded", TAKES_BODIES, explained::ENCODED));
    Failure::KeyReused, Failure::KeyReused =>
        Some(("idempotency_key_reused", TAKES_KEYS, explained::KEY_REUSED));
    Failure::TooManyRequests, Failure::TooManyRequests =>
        Some(("rate_limited", CREATES_OR_READS, explained::TOO_MANY_REQUESTS));
    Failure::TooManyRequests, Failure::TooManyRequests =>
        Some(("rate_limited", DEACTIVATES, Words {
            cause: "More requests than the table takes at this moment, in all or for one tenant. Nothing was done, except \
                    that of 98 to 100 accounts the first 97 may be done.",
            ..explained::TOO_MANY_REQUESTS
        }));
    Failure::Unavailable, Failure::Unavailable =>
        Some(("service_unavailable", ALL, explained::UNAVAILABLE));
}

const NO_PERMISSION: Words = Words {
    cause: "The API key is good and lacks the permission: `accounts:create` for creates and quotes, \
            `accounts:read` or `accounts:create` for lists, `accounts:update` for changes, `accounts:deactivate` for deactivations, `billing:read` or `accounts:create` for the billing, \
            `billing:manage` for the portal and the end of the subscription, \
            `keys:manage` for keys.",
    cure: "Use a key that has it. An operator makes one: `headcount api-key create --permission …`.",
};

/// The Seats API.
pub(crate) fn api() -> Api {
    let refusals = worded::<Seats>(failures());
    let codes = codes(&refusals);
    Api {
        tag: "Seats",
        description: "An organization creates 1 to 1,000 account seats at a time and is billed for them by tier.",
        operations: vec![
            create(),
            quote(),
            list(),
            update(),
            deactivate(),
            organization(),
            list_keys(),
            create_key(),
            update_key(),
            delete_key(),
            portal(),
            ending(Op::CancelBilling),
            ending(Op::ResumeBilling),
            billing(),
            history(),
        ],
        error: ("SeatsError", error_schema(&codes)),
        schemas: vec![
            ("CreateSeats", create_schema()),
            ("QuoteSeats", quote_schema()),
            ("ListSeats", list_schema()),
            ("SeatStatusFilter", status_filter_schema()),
            ("UpdateSeats", update_schema()),
            ("UpdateOne", update_one_schema()),
            ("UpdateSeveral", update_several_schema()),
            ("DeactivateSeats", deactivate_schema()),
            ("DeactivateOne", deactivate_one_schema()),
            ("DeactivateSeveral", deactivate_several_schema()),
            ("Seat", seat_schema()),
            ("Tier", tier_schema()),
            ("Platform", platform_schema()),
            ("Sex", sex_schema()),
            ("CreatedSeats", Json::schema(schema::created_seats())),
            ("Quote", Json::schema(schema::quote())),
            ("ListedSeats", Json::schema(schema::listed_seats())),
            ("UpdatedSeats", updated_schema()),
            ("UpdatedSeat", Json::schema(schema::updated_seat())),
            ("UpdatedSeveralSeats", with_rules(schema::updated_seats())),
            ("DeactivatedSeats", Json::schema(schema::deactivated_seats())),
            ("ListApiKeys", exactly([], object! {})),
            ("CreateApiKey", create_key_schema()),
            ("UpdateApiKey", update_key_schema()),
            ("DeleteApiKey", exactly(["apiKeyId"], object! { "apiKeyId" => required(key_id()) })),
            ("ApiKeys", Json::schema(schema::api_keys())),
            ("MadeApiKey", Json::schema(schema::created_api_key())),
            ("NamedApiKey", Json::schema(schema::renamed_api_key())),
            ("GoneApiKey", Json::schema(schema::deleted_api_key())),
            (
                "OpenBillingPortal",
                exactly(
                    [],
                    object! { "return_url" => optional(url("Where the portal's link leads back to.")) },
                ),
            ),
            ("CancelBilling", exactly([], object! {})),
            ("ResumeBilling", exactly([], object! {})),
            ("OpenedBillingPortal", Json::schema(schema::billing_portal())),
            ("CancelledBilling", Json::schema(schema::subscription_changed())),
            ("ResumedBilling", Json::schema(schema::subscription_changed())),
            ("Organizations", Json::schema(schema::organizations())),
            ("Billing", Json::schema(schema::billing())),
            ("BillingHistory", Json::schema(schema::billing_history())),
        ],
        refusals,
    }
}

/// The stable codes of refusals.
pub(crate) fn codes(refusals: &[Refusal]) -> BTreeSet<String> {
    let code = |refusal: &Refusal| {
        let body: Value = serde_json::from_str(&refusal.answer.body).ok()?;
        Some(body["error"].as_str()?.to_owned())
    };
    refusals.iter().filter_map(code).collect()
}

fn error_schema(codes: &BTreeSet<String>) -> Json {
    let mut schema = schema::seats_error();
    schema["properties"]["error"]["enum"] = codes.iter().cloned().collect();
    with_rules(schema)
}

/// A schema with faults in it, and the rules that they may name.
fn with_rules(mut schema: Value) -> Json {
    schema["$defs"]["SeatsFault"]["properties"]["rule"]["enum"] =
        rules::codes(rules::Of::Seats).into();
    Json::schema(schema)
}

fn create() -> Operation {
    let examples = [two_seats(), one_seat()];
    let answers =
        examples.iter().map(|example| Example { body: created(example), ..example.clone() });
    Operation {
        op: Op::CreateSeats,
        summary: "Create seats",
        description: "Creates every seat of the request, or none of them when any is invalid. A seat with the whole \
                      detail group (`platform`, `username`, `pfp_url`, `keywords`) is set up by itself. The \
                      organization's subscription follows within seconds; see `GET /billing`.\n\n\
                      A request of more than 98 seats (99 without an `Idempotency-Key`) runs as a series of \
                      transactions. When a later one fails, the answer is 200 with the rest counted in `failed`; send \
                      the same request with the same key to go on behind it.",
        security: &["apiKey"],
        parameters: &["IdempotencyKey"],
        success: Success {
            status: 200,
            description: "Created, in the order of the request.",
            schema: "CreatedSeats",
            headers: &["IdempotencyReplayed"],
            examples: answers.collect(),
        },
        request: Some(Request {
            schema: "CreateSeats",
            examples: Vec::from(examples),
            refused: vec![missing_detail_fields(), invalid_request()],
        }),
    }
}

fn quote() -> Operation {
    let example = two_seats();
    Operation {
        op: Op::QuoteSeats,
        summary: "Quote seats",
        description: "What creating these seats would cost. Creates and keeps nothing. It is refused as the create \
                      would be at this moment. A quote ends after an hour, with any change of the organization's \
                      seats, and with a change of prices; a create that uses it ends it too.",
        security: &["apiKey"],
        parameters: &[],
        success: Success {
            status: 200,
            description: "The quote.",
            schema: "Quote",
            headers: &[],
            examples: vec![Example { body: quoted(&example), ..example.clone() }],
        },
        request: Some(Request {
            schema: "QuoteSeats",
            examples: vec![example],
            refused: vec![missing_detail_fields(), invalid_request()],
        }),
    }
}

fn list() -> Operation {
    Operation {
        op: Op::ListSeats,
        summary: "List seats",
        description: "The organization's seats that all of the filters fit, oldest first; without a filter all of them. Those \
                      that are deactivated are listed under `status` `deactivated` alone.\n\n\
                      With `limit` it is a page, which costs what it shows, and goes on with `next_cursor` as `cursor`, with the \
                      same filters. A seat that is there all the while is on exactly one page, whatever is created or changed \
                      meanwhile. A page may have fewer seats than `limit`, even none, while there is a `next_cursor`: where \
                      some 4,000 seats were looked at, or 4 MB are full. Without `limit` the list is whole, or refused \
                      (`too_many_accounts`).",
        security: &["apiKey"],
        parameters: &[],
        success: Success {
            status: 200,
            description: "The seats, and where the next page begins.",
            schema: "ListedSeats",
            headers: &[],
            examples: vec![
                Example::new("all", "Every seat", listed_seats(2, false)),
                Example::new("page", "The first of those with a tag", listed_seats(1, true)),
            ],
        },
        request: Some(Request {
            schema: "ListSeats",
            examples: vec![all_seats(), page_of_seats()],
            refused: vec![invalid_list()],
        }),
    }
}

fn update() -> Operation {
    let examples = [several_updates(), one_update()];
    let answers =
        examples.iter().map(|example| Example { body: changed(example), ..example.clone() });
    Operation {
        op: Op::UpdateSeats,
        summary: "Change seats",
        description: "Changes one seat, or up to 100 (`updates`). What is left out stays, `null` clears a field that may be \
                      empty. `version` is the version that the seat is expected to have.\n\n\
                      A seat that is `uninitialized` is set up once its detail group is whole. Another `tier` changes the \
                      organization's subscription within seconds, as its proration behaviour says.\n\n\
                      Each of `updates` is a transaction of its own, and refused by itself: the answer is 200 and says of \
                      each what became of it, in the order of the request. Of two that name the same account none is \
                      carried out. Should there be no answer, the same request with the same key does the rest.",
        security: &["apiKey"],
        parameters: &["IdempotencyKey"],
        success: Success {
            status: 200,
            description: "What became of each.",
            schema: "UpdatedSeats",
            headers: &["IdempotencyReplayed"],
            examples: answers.collect(),
        },
        request: Some(Request {
            schema: "UpdateSeats",
            examples: Vec::from(examples),
            refused: vec![invalid_update()],
        }),
    }
}

fn deactivate() -> Operation {
    let examples = [one_ending(), several_endings(), revocation()];
    let mut answers: Vec<_> = examples
        .iter()
        .map(|example| Example { body: ended(example, None), ..example.clone() })
        .collect();
    let ends_at = Timestamp::from_second(Still.now().as_second() + 24 * 24 * 60 * 60).ok();
    answers.push(Example::new(
        "ends_later",
        "One account, which ends with the period",
        ended(&one_ending(), ends_at),
    ));
    Operation {
        op: Op::DeactivateSeats,
        summary: "Give seats back, or keep them after all",
        description: "Deactivates one seat (`account_id`) or up to 100 (`account_ids`), whatever the subscription's \
                      status. They are kept, counted no more, and their usernames are free. The organization's \
                      subscription follows within seconds; the rest of the period is credited only where an operator \
                      has set that. A seat that is deactivated already is no fault, and is counted down once.\n\n\
                      Where an operator has set that seats end with the billing period, the answer has `ends_at`, six \
                      hours before the period's end. The seat is as it was, and counted, until it ends: then, or \
                      within the hours after it. Until it has ended `\"revoke\": true` lets it stay.\n\n\
                      Any account that is not there refuses the whole request. More than 97 are two transactions: \
                      should the second one get no answer, the same request again does the rest.",
        security: &["apiKey"],
        parameters: &["IdempotencyKey"],
        success: Success {
            status: 200,
            description: "Deactivated, now or before, or to end at `ends_at`; or to stay.",
            schema: "DeactivatedSeats",
            headers: &["IdempotencyReplayed"],
            examples: answers,
        },
        request: Some(Request {
            schema: "DeactivateSeats",
            examples: Vec::from(examples),
            refused: vec![invalid_ending()],
        }),
    }
}

fn organization() -> Operation {
    let id = OrganizationId::new(&Still, &Still).expect("there is entropy");
    let shown = Organization { id, name: "Acme".to_owned() };
    Operation {
        op: Op::GetOrganization,
        summary: "Show the organization",
        description: "The organization of the key, as a list of one. Any good key will do.",
        security: &["apiKey"],
        parameters: &[],
        request: None,
        success: Success {
            status: 200,
            description: "The organization.",
            schema: "Organizations",
            headers: &[],
            examples: vec![Example::new(
                "shown",
                "The key's organization",
                body::of(&seats::organizations(&shown)),
            )],
        },
    }
}

fn list_keys() -> Operation {
    Operation {
        op: Op::ListApiKeys,
        summary: "List API keys",
        description: "The organization's keys that were not deleted, oldest first, without their texts. A key that an operator \
                      made before there was a list is in it once it is given a name. The body is `{}` or none.",
        security: &["apiKey"],
        parameters: &[],
        success: Success {
            status: 200,
            description: "The keys.",
            schema: "ApiKeys",
            headers: &[],
            examples: vec![Example::new(
                "all",
                "Every key",
                body::of(&seats::api_keys(&[a_key("API key")])),
            )],
        },
        request: Some(Request {
            schema: "ListApiKeys",
            examples: vec![Example::new("all", "Every key", object! {})],
            refused: vec![Example::new(
                "invalid_request",
                "Fields that are none",
                object! { "limit" => 1_usize },
            )],
        }),
    }
}

fn create_key() -> Operation {
    let made = a_key("Reports");
    let text = format!("hc_{}_{}", made.id, "5ea7".repeat(16)).into();
    Operation {
        op: Op::CreateApiKey,
        summary: "Make an API key",
        description: "Makes a key of the organization. It is given at most what the key has that makes it (what a permission \
                      includes it has too), for at most as long. Its text, `key`, is shown this once and kept nowhere: the answer \
                      that is given again under an `Idempotency-Key` has `null` in its place. Who lost the first answer deletes the \
                      key and makes another.",
        security: &["apiKey"],
        parameters: &["IdempotencyKey"],
        success: Success {
            status: 200,
            description: "The key.",
            schema: "MadeApiKey",
            headers: &["IdempotencyReplayed"],
            examples: vec![Example::new(
                "reports",
                "A key that sees seats",
                body::of(&answer(seats::created_api_key(&made, Some(&text)))),
            )],
        },
        request: Some(Request {
            schema: "CreateApiKey",
            examples: vec![reports_key()],
            refused: vec![invalid_key()],
        }),
    }
}

fn update_key() -> Operation {
    Operation {
        op: Op::UpdateApiKey,
        summary: "Name an API key",
        description: "Gives a key another name. What it allows, and for how long, stays.",
        security: &["apiKey"],
        parameters: &["IdempotencyKey"],
        success: Success {
            status: 200,
            description: "The key, without its text.",
            schema: "NamedApiKey",
            headers: &["IdempotencyReplayed"],
            examples: vec![Example::new(
                "named",
                "Another name",
                body::of(&answer(seats::renamed_api_key(&a_key("Monthly reports")))),
            )],
        },
        request: Some(Request {
            schema: "UpdateApiKey",
            examples: vec![named_key()],
            refused: vec![invalid_name()],
        }),
    }
}

fn delete_key() -> Operation {
    let id = CredentialId::parse(API_KEY_ID).expect("an id");
    Operation {
        op: Op::DeleteApiKey,
        summary: "Delete an API key",
        description: "A key works no more, within 30 seconds and for good, and is listed no more. That it is deleted already is no \
                      fault. A key may delete itself while another one that works may manage keys.",
        security: &["apiKey"],
        parameters: &["IdempotencyKey"],
        success: Success {
            status: 200,
            description: "It is deleted.",
            schema: "GoneApiKey",
            headers: &["IdempotencyReplayed"],
            examples: vec![Example::new(
                "deleted",
                "A key",
                body::of(&answer(seats::deleted_api_key(&id))),
            )],
        },
        request: Some(Request {
            schema: "DeleteApiKey",
            examples: vec![deleted_key()],
            refused: vec![invalid_key_id()],
        }),
    }
}

fn portal() -> Operation {
    let url = "https://billing.stripe.com/p/session/test_YWNjdF8xTTJKVGtMa2RJd0h1N2l4".to_owned();
    Operation {
        op: Op::OpenBillingPortal,
        summary: "Open the billing portal",
        description: "A session of Stripe's billing portal, where invoices are and how they are paid is changed. Its address works for \
                      some minutes, for whoever has it. Each call opens another.",
        security: &["apiKey"],
        parameters: &[],
        success: Success {
            status: 200,
            description: "The session.",
            schema: "OpenedBillingPortal",
            headers: &[],
            examples: vec![Example::new(
                "opened",
                "A session",
                body::of(&seats::portal(&url.into())),
            )],
        },
        request: Some(Request {
            schema: "OpenBillingPortal",
            examples: vec![Example::new(
                "opened",
                "With a way back",
                object! { "return_url" => "https://example.com/billing" },
            )],
            refused: vec![invalid_return()],
        }),
    }
}

fn invalid_return() -> Example {
    let body = object! { "return_url" => false };
    Example::new("invalid_request", "Fields that break rules", body)
}

fn portal_faults(example: &Example) -> Vec<Fault> {
    seats::open_portal(body::read(&example.body)).expect_err("an example of a refusal")
}

/// The end of the subscription, and that there is none after all.
fn ending(op: Op) -> Operation {
    let is_end = op == Op::CancelBilling;
    let (done, said) = if is_end {
        (seats::cancelled(), "The subscription ends with its period.")
    } else {
        (seats::resumed(), "The subscription goes on.")
    };
    Operation {
        op,
        summary: if is_end { "End the subscription with its period" } else { "Go on after all" },
        description: if is_end {
            "The subscription ends with the current period, which is paid for; until then seats work and can be created. That it ends \
             already is no fault. `GET /billing` shows it as `cancel_at_period_end`."
        } else {
            "The subscription does not end with the current period, whether that was asked for here or in the billing portal. That it \
             goes on already is no fault. One that has ended goes on no more."
        },
        security: &["apiKey"],
        parameters: &["IdempotencyKey"],
        success: Success {
            status: 200,
            description: said,
            schema: if is_end { "CancelledBilling" } else { "ResumedBilling" },
            headers: &["IdempotencyReplayed"],
            examples: vec![Example::new("done", said, body::of(&answer(done)))],
        },
        request: Some(Request {
            schema: if is_end { "CancelBilling" } else { "ResumeBilling" },
            examples: vec![Example::new("done", "Nothing is asked", object! {})],
            refused: vec![Example::new(
                "invalid_request",
                "Fields that are none",
                object! { "limit" => 1_usize },
            )],
        }),
    }
}

fn answer(stored: StoredAnswer) -> Answer {
    Answer::stored(stored, false)
}

/// The key of the examples.
pub const API_KEY_ID: &str = "01kgjb9z8rd3m0rep0rts00000";

fn a_key(name: &str) -> ApiKey {
    ApiKey {
        id: CredentialId::parse(API_KEY_ID).expect("an id"),
        name: name.to_owned(),
        permissions: vec![Permission::AccountsRead.as_str().to_owned()],
        created_at: Still.now(),
        expires_at: None,
        version: 0,
    }
}

fn billing() -> Operation {
    Operation {
        op: Op::GetBilling,
        summary: "Show the billing",
        description: "How the organization's billing stands: its subscription as of the last webhook, the seats that \
                      exist, whether Stripe bills for them already, and which subscriptions take seats.",
        security: &["apiKey"],
        parameters: &[],
        request: None,
        success: Success {
            status: 200,
            description: "The billing.",
            schema: "Billing",
            headers: &[],
            examples: vec![
                Example::new("synced", "Stripe bills every seat", billed(1)),
                Example::new("pending", "Stripe is about to be told", billed(0)),
            ],
        },
    }
}

fn history() -> Operation {
    Operation {
        op: Op::GetBillingHistory,
        summary: "Show what Stripe was told",
        description: "Every update of the organization's subscription, the newest first: which versions of the seats \
                      it told of, who made them, the seats before and after, and what came of it. It is kept for ever.",
        security: &["apiKey"],
        parameters: &["Limit", "Cursor"],
        request: None,
        success: Success {
            status: 200,
            description: "A page of the history.",
            schema: "BillingHistory",
            headers: &[],
            examples: vec![
                Example::new(
                    "told",
                    "Two creates that Stripe was told of together",
                    told(Outcome::Told, None),
                ),
                Example::new(
                    "failed",
                    "One that could not be billed, and more behind it",
                    told(
                        Outcome::Failed { error: declined(), times: 1 },
                        Some("TOLD#00000000000000000002#failed"),
                    ),
                ),
            ],
        },
    }
}

fn declined() -> BillingError {
    let (code, message) = ("card_declined".to_owned(), "Your card was declined.".to_owned());
    BillingError { code, message, request_id: None }
}

/// A page with the first two versions of an organization, told together.
fn told(outcome: Outcome, next: Option<&str>) -> Json {
    let organization = OrganizationId::new(&Still, &Still).expect("there is entropy");
    let credential = CredentialId::new(&Still, &Still).expect("there is entropy");
    let by = By { credential, request_id: "8476a536-e9f4-11e8-9739-2dfe598c3fcd".to_owned() };
    let change = |version, basic, premium| Change {
        version,
        by: Some(by.clone()),
        at: Still.now(),
        seats: SeatChange { basic, premium },
    };
    let told = Told {
        version: 2,
        since: 0,
        outcome,
        before: None,
        after: SeatCounts { basic: 3, premium: 1 },
        proration: ProrationBehavior::default(),
        subscription: String::new(),
        items: Default::default(),
        key: String::new(),
        request_id: None,
        begun_at: Still.now(),
        answered_at: Still.now(),
    };
    let changes = vec![change(2, 1, 1), change(1, 2, 0)];
    let page = Page { entries: vec![Entry { told, changes }], next: next.map(str::to_owned) };
    let list = List { tenant: organization.as_str(), route: "GET /billing/history", filters: &[] };
    let secret = FingerprintKey::new(&[7; 32]).expect("long enough");
    let cursor = next.map(|position| list.cursor(position, &secret).expect("a strong secret"));
    body::of(&seats::history(&page, cursor))
}

fn query_faults() -> Vec<Fault> {
    let fault = |field: &'static str, rule| Fault { index: None, field: field.into(), rule };
    vec![
        fault("limit", Rule::Range { min: 1, max: MAX_PAGE.into() }),
        fault("cursor", Rule::Cursor),
        fault("page", Rule::Unknown),
    ]
}

// ---------------------------------------------------------------------------------- Requests

fn create_schema() -> Json {
    exactly(
        ["accounts"],
        object! {
            "accounts" => required(accounts()),
            "quote_id" => optional(pattern(
                "Holds the create to a quote that this organization was given for as many seats of each tier. It \
                 holds for the first transaction of a series.",
                "^quote_[0-9a-f]+_[0-9a-f]+$",
            )),
        },
    )
}

fn quote_schema() -> Json {
    exactly(["accounts"], object! { "accounts" => required(accounts()) })
}

fn list_schema() -> Json {
    let ids = object! {
        "type" => "array",
        "description" => "Accounts, each once. Those that the organization does not have are left out.",
        "minItems" => 1_usize,
        "maxItems" => MAX_LISTED_IDS,
        "items" => pattern("An account.", an_account()),
    };
    let limit = object! {
        "type" => "integer",
        "description" => "The most seats of the page; all of them when it is left out.",
        "minimum" => 1_usize,
        "maximum" => usize::from(MAX_SEATS_PAGE),
    };
    exactly(
        [],
        object! {
            "tag" => optional(text("With exactly this tag.", 1..=Profile::MAX_TAG)),
            "org_group" => optional(text("In exactly this group of the organization.", 1..=Profile::MAX_ORG_GROUP)),
            "user_group" => optional(text("In exactly this group of users.", 1..=Profile::MAX_ORG_GROUP)),
            "status" => optional_one(
                "In this state; `setup` is `pending`. Without it, in any but `deactivated`.",
                "SeatStatusFilter",
            ),
            "tier" => optional_one("Of this tier.", "Tier"),
            "platform" => optional_one("On this platform.", "Platform"),
            "ids" => optional(ids),
            "limit" => optional(limit),
            "cursor" => optional(pattern(
                "The `next_cursor` of the page before, which had the same filters.",
                "^cursor_[0-9a-f]+_[0-9a-f]{64}$",
            )),
        },
    )
}

fn create_key_schema() -> Json {
    let names: Vec<Json> =
        KEY_PERMISSIONS.map(Permission::as_str).into_iter().map(Json::from).collect();
    let permissions = object! {
        "type" => "array",
        "description" => "What it allows, each once: nothing that the key lacks which gives it.",
        "minItems" => 1_usize,
        "maxItems" => KEY_PERMISSIONS.len(),
        "items" => object! { "type" => "string", "enum" => names },
    };
    let end = object! {
        "type" => "string",
        "description" => "When it stops working: a time to come, not after the end of the key that gives it. Left out, the end of \
                          that key, if it has one.",
        "format" => "date-time",
    };
    exactly(
        ["name", "permissions"],
        object! {
            "name" => required(text("What it is called.", 1..=MAX_KEY_NAME)),
            "permissions" => required(permissions),
            "expires_at" => optional(end),
        },
    )
}

fn update_key_schema() -> Json {
    exactly(
        ["apiKeyId", "name"],
        object! {
            "apiKeyId" => required(key_id()),
            "name" => required(text("What it is called.", 1..=MAX_KEY_NAME)),
        },
    )
}

fn key_id() -> Json {
    pattern(
        "A key of the organization: what is between the underscores of `hc_<id>_<secret>`.",
        "^[0-9a-hjkmnp-tv-z]{26}$",
    )
}

fn reports_key() -> Example {
    let body = object! { "name" => "Reports", "permissions" => ["accounts:read"] };
    Example::new("reports", "A key that sees seats", body)
}

fn invalid_key() -> Example {
    let permissions = ["accounts:read", "account.view"];
    let body = object! { "name" => "", "permissions" => permissions, "expires_at" => "2020-01-01T00:00:00Z", "id" => "x" };
    Example::new("invalid_request", "Fields that break rules", body)
}

fn named_key() -> Example {
    let body = object! { "apiKeyId" => API_KEY_ID, "name" => "Monthly reports" };
    Example::new("named", "Another name", body)
}

fn invalid_name() -> Example {
    let body = object! { "apiKeyId" => "hc_", "name" => "", "permissions" => ["accounts:read"] };
    Example::new("invalid_request", "Fields that break rules", body)
}

fn deleted_key() -> Example {
    Example::new("deleted", "A key", object! { "apiKeyId" => API_KEY_ID })
}

fn invalid_key_id() -> Example {
    Example::new("invalid_request", "Fields that break rules", object! { "apiKeyId" => "hc_" })
}

fn update_schema() -> Json {
    object! {
        "description" => "Several accounts or one.",
        "anyOf" => vec![component("UpdateSeveral"), component("UpdateOne")],
    }
}

fn updated_schema() -> Json {
    object! { "anyOf" => vec![component("UpdatedSeveralSeats"), component("UpdatedSeat")] }
}

fn update_several_schema() -> Json {
    let list = object! {
        "type" => "array",
        "description" => "The changes, each of another account.",
        "minItems" => 1_usize,
        "maxItems" => MAX_UPDATES_PER_REQUEST,
        "items" => component("UpdateOne"),
    };
    exactly(["updates"], object! { "updates" => required(list) })
}

fn update_one_schema() -> Json {
    let kept = |description: &str| object! { "description" => description };
    let user_group = "A group of users; kept, and means nothing here.";
    let version = object! {
        "type" => "integer",
        "description" => "The version that it is expected to have.",
        "minimum" => 0_usize,
        "maximum" => usize::try_from(MAX_VERSION).unwrap_or(usize::MAX),
    };
    let account = pattern("An account of the organization.", an_account());
    let mut fields = object! { "accountId" => required(account) };
    if let (Json::Object(all), Json::Object(of_seat)) = (&mut fields, seat_fields()) {
        all.extend(of_seat);
    }
    let fields = fields
        .with("type", optional_one("The same as `platform`.", "Platform"))
        .with("user_group", optional(text(user_group, 1..=Profile::MAX_ORG_GROUP)))
        .with("profiles", kept("Any JSON of up to 4,096 characters, kept; means nothing here."))
        .with("warmupVersion", kept("As `profiles`."))
        .with("postVersion", kept("As `profiles`."))
        .with("version", optional(version));
    exactly(["accountId"], fields).with("minProperties", 2_usize)
}

fn deactivate_schema() -> Json {
    object! {
        "description" => "One account or several.",
        "anyOf" => vec![component("DeactivateOne"), component("DeactivateSeveral")],
    }
}

fn deactivate_one_schema() -> Json {
    exactly(
        ["account_id"],
        object! {
            "account_id" => required(pattern("An account of the organization.", an_account())),
            "account_ids" => nothing(),
            "revoke" => revoke(),
        },
    )
}

fn deactivate_several_schema() -> Json {
    let list = object! {
        "type" => "array",
        "description" => "Several accounts of the organization, each once.",
        "minItems" => 1_usize,
        "maxItems" => MAX_DEACTIVATIONS_PER_REQUEST,
        "items" => pattern("An account.", an_account()),
    };
    exactly(
        ["account_ids"],
        object! {
            "account_ids" => required(list),
            "account_id" => nothing(),
            "revoke" => revoke(),
        },
    )
}

fn revoke() -> Json {
    optional(object! {
        "type" => "boolean",
        "description" => "Lets accounts stay that are to end. One that is not to end is no fault.",
    })
}

fn an_account() -> String {
    format!("^{}[0-9a-hjkmnp-tv-z]{{26}}$", SeatId::PREFIX)
}

/// A field that may only be `null`, which is as good as left out.
fn nothing() -> Json {
    object! { "type" => "null", "description" => "Not beside the other one." }
}

/// What has a field that is not `null`.
fn given(field: &str) -> Json {
    let there = object! { field => object! { "not" => object! { "type" => "null" } } };
    object! { "required" => [field], "properties" => there }
}

fn accounts() -> Json {
    object! {
        "type" => "array",
        "description" => "The seats. Two of one request may not have the same platform and username, case aside.",
        "minItems" => 1_usize,
        "maxItems" => MAX_SEATS_PER_REQUEST,
        "items" => component("Seat"),
    }
}

/// The detail group: all or none.
const DETAILS: [&str; 4] = ["platform", "username", "pfp_url", "keywords"];

/// What a create says of a seat, and a change too.
fn seat_fields() -> Json {
    let (keywords, keyword) = (Keywords::MAX_COUNT, Keywords::MAX_LENGTH);
    object! {
        "tier" => required_one("What the seat is billed by.", "Tier"),
        "platform" => optional_one("Detail group.", "Platform"),
        "username" => optional(pattern(
            "Detail group. The handle on the platform; a leading `@` is dropped.",
            format!("^@?[A-Za-z0-9._-]{{1,{}}}$", Username::MAX_LENGTH),
        )),
        "pfp_url" => optional(url("Detail group. The profile picture.")),
        "keywords" => optional(pattern(
            &format!("Detail group. 1 to {keywords} comma-separated keywords of 1 to {keyword} characters each, trimmed."),
            format!("^[^,]{{1,{keyword}}}(,[^,]{{1,{keyword}}}){{0,{}}}$", keywords - 1),
        )),
        "nick_name" => optional(text("Display name.", 1..=Profile::MAX_NICK_NAME)),
        "age_range" => optional(pattern(
            &format!("Two ages in years, the first not above the second, at most {}.", AgeRange::MAX_AGE),
            "^[0-9]+-[0-9]+$",
        )),
        "sex" => optional_one("Of the persona that the account shows.", "Sex"),
        "location" => optional(text("Of the persona.", 1..=Profile::MAX_LOCATION)),
        "description" => optional(text("Interests. May hold newlines and tabs; CR LF is kept as LF.", 1..=Profile::MAX_DESCRIPTION)),
        "tag" => optional(text("A label of the organization's own.", 1..=Profile::MAX_TAG)),
        "org_group" => optional(text("A group within the organization.", 1..=Profile::MAX_ORG_GROUP)),
    }
}

fn seat_schema() -> Json {
    let any: Vec<Json> = DETAILS.iter().map(|field| given(field)).collect();
    let all = any.clone();
    exactly(["tier"], seat_fields())
        .with("if", object! { "anyOf" => any })
        .with("then", object! { "allOf" => all })
}

fn tier_schema() -> Json {
    one_of(
        "What a seat is billed by; it also fixes the kind of device.",
        Tier::ALL.map(Tier::as_str),
    )
}

fn status_filter_schema() -> Json {
    let statuses = SeatStatus::ALL.map(SeatStatus::as_str).into_iter().chain(["setup"]);
    let statuses: Vec<Json> = statuses.map(Json::from).collect();
    object! {
        "type" => "string", "description" => "A state that seats are listed by.", "enum" => statuses,
    }
}

fn platform_schema() -> Json {
    one_of(
        "Where a seat is. The platforms are configuration; these are the default.",
        DEFAULT_PLATFORMS,
    )
}

fn sex_schema() -> Json {
    one_of("Of a persona.", Sex::ALL.map(Sex::as_str))
}

fn two_seats() -> Example {
    let body = object! { "accounts" => vec![
        object! { "tier" => "basic" },
        object! {
            "tier" => "premium",
            "platform" => "tiktok",
            "username" => "newcreator",
            "pfp_url" => "https://example.com/avatar.jpg",
            "keywords" => "fitness,health,workout",
            "nick_name" => "New Creator",
            "tag" => "influencer",
        },
    ] };
    Example::new("two_seats", "A seat without details and one with them", body)
}

fn one_seat() -> Example {
    let body =
        object! { "accounts" => vec![object! { "tier" => "basic", "org_group" => "spring" }] };
    Example::new("one_seat", "The least: a tier", body)
}

fn missing_detail_fields() -> Example {
    let seat = object! { "tier" => "premium", "platform" => "tiktok", "username" => "newcreator" };
    let body = object! { "accounts" => vec![object! { "tier" => "basic" }, seat] };
    Example::new("missing_detail_fields", "Part of the detail group", body)
}

fn invalid_request() -> Example {
    let seat = object! { "tier" => "gold", "age_range" => "24-18", "status" => "pending" };
    let body = object! { "accounts" => vec![object! { "tier" => "basic" }, seat] };
    Example::new("invalid_request", "Fields that break rules", body)
}

/// The account of the examples, and another one.
pub const ACCOUNTS: [&str; 2] =
    ["acc_01kgjb9z8rd3m0seat00000000", "acc_01kgjb9z8rd3m0seat00000001"];

fn all_seats() -> Example {
    Example::new("all", "Every seat", object! {})
}

fn page_of_seats() -> Example {
    let body = object! { "tag" => "influencer", "limit" => 1_usize };
    Example::new("page", "The first of those with a tag", body)
}

fn invalid_list() -> Example {
    let body = object! { "status" => "gone", "limit" => 0_usize, "ids" => [ACCOUNTS[0], ACCOUNTS[0]], "page" => 2_usize };
    Example::new("invalid_request", "Fields that break rules", body)
}

fn one_update() -> Example {
    let body = object! { "accountId" => ACCOUNTS[0], "tag" => "influencer" };
    Example::new("one_account", "The older form: one account", body)
}

fn several_updates() -> Example {
    let update = |account: &str| object! { "accountId" => account, "tag" => "influencer", "version" => 0_usize };
    let updates = ACCOUNTS.map(update).to_vec();
    Example::new("several_accounts", "Several accounts", object! { "updates" => updates })
}

fn invalid_update() -> Example {
    let body = object! { "accountId" => "acc_1", "tier" => "gold", "status" => "pending" };
    Example::new("invalid_request", "Fields that break rules", body)
}

fn one_ending() -> Example {
    Example::new("one_account", "One account", object! { "account_id" => ACCOUNTS[0] })
}

fn several_endings() -> Example {
    let body = object! { "account_ids" => ACCOUNTS };
    Example::new("several_accounts", "Several accounts", body)
}

fn revocation() -> Example {
    let body = object! { "account_id" => ACCOUNTS[1], "revoke" => true };
    Example::new("revoked", "An account that is to end stays", body)
}

fn invalid_ending() -> Example {
    let ids = [ACCOUNTS[0], ACCOUNTS[0], "org_01kgjb9z8rd3m0seat00000000"];
    Example::new("invalid_request", "Fields that break rules", object! { "account_ids" => ids })
}

// ----------------------------------------------------------------------------------- Answers

fn ending_faults(example: &Example) -> Vec<Fault> {
    seats::deactivate_seats(body::read(&example.body)).expect_err("an example of a refusal")
}

fn key_list_faults() -> Vec<Fault> {
    vec![Fault { index: None, field: "limit".into(), rule: Rule::Unknown }]
}

/// What a key without an end is asked to make.
fn new_key(example: &Example) -> Result<NewKey, Vec<Fault>> {
    let organization = OrganizationId::new(&Still, &Still).expect("there is entropy");
    let holder = Holder::Organization(organization);
    let giver = Credential::issue(holder, BTreeSet::new(), None, &Still, &Still);
    let (giver, _) = giver.expect("there is entropy");
    seats::create_api_key(body::read(&example.body), &giver, Still.now())
}

fn key_name(example: &Example) -> Result<(CredentialId, Text), Vec<Fault>> {
    seats::rename_api_key(body::read(&example.body))
}

fn no_key(example: &Example) -> Result<CredentialId, Vec<Fault>> {
    seats::delete_api_key(body::read(&example.body))
}

/// The list of the examples' organization, with a secret of their own.
fn asked(example: &Example) -> Result<ListSeats, Vec<Fault>> {
    let organization = OrganizationId::new(&Still, &Still).expect("there is entropy");
    let platforms = Platforms::from_list(&DEFAULT_PLATFORMS.join(","));
    let secret = FingerprintKey::new(&[7; 32]).expect("long enough");
    seats::list_seats(body::read(&example.body), &organization, &platforms, &secret)
}

fn list_faults(example: &Example) -> Vec<Fault> {
    asked(example).expect_err("an example of a refusal")
}

/// The seats of the example of a create, of which the first has no details. With `has_more` it is the other one
/// alone, on a page that others follow.
fn listed_seats(count: usize, has_more: bool) -> Json {
    let command = parse(&two_seats()).expect("an example that is accepted");
    let seats = command.identify(&Still, &Still).expect("there is entropy");
    let seats = seats.iter().rev().take(count).rev().map(|seat| {
        let details = seat.new.details.as_ref();
        let text = |text: &str| text.to_owned();
        ListedSeat {
            id: seat.id.clone(),
            tier: text(seat.new.tier.as_str()),
            status: text(seat.status().as_str()),
            platform: details.map(|details| details.platform.clone()),
            username: details.map(|details| text(details.username.as_str())),
            nick_name: seat.new.profile.nick_name.as_ref().map(|name| text(name.as_str())),
            pfp_url: details.map(|details| text(details.pfp_url.as_str())),
            keywords: details.map(|details| text(details.keywords.as_str())),
            description: None,
            age_range: None,
            sex: None,
            location: None,
            tag: seat.new.profile.tag.as_ref().map(|tag| text(tag.as_str())),
            org_group: None,
            user_group: None,
            profiles: None,
            warmup_version: None,
            post_version: None,
            created_at: Still.now(),
            updated_at: Still.now(),
            version: 0,
        }
    });
    let seats: Vec<_> = seats.collect();
    let next = has_more.then(|| seats[0].id.clone());
    let organization = OrganizationId::new(&Still, &Still).expect("there is entropy");
    let filter = asked(&page_of_seats()).expect("an example that is accepted").filter;
    let secret = FingerprintKey::new(&[7; 32]).expect("long enough");
    let page = SeatPage { seats, next };
    body::of(&seats::listed(Some(&page), &organization, &filter, &secret).expect("a strong secret"))
}

fn no_such_seat() -> Vec<Fault> {
    vec![Fault { index: None, field: "account_id".into(), rule: Rule::NoSuchSeat }]
}

fn ended(example: &Example, ends_at: Option<Timestamp>) -> Json {
    let seats = seats::deactivate_seats(body::read(&example.body)).expect("an example");
    let answer = seats::deactivated(&seats, ends_at);
    body::of(&seats::told(headcount_model::seats::Told { answer, is_replay: false }))
}

fn no_such_account() -> Vec<Fault> {
    vec![Fault { index: None, field: "accountId".into(), rule: Rule::NoSuchSeat }]
}

fn group_faults() -> Vec<Fault> {
    let fault = |field: &'static str| Fault {
        index: None,
        field: field.into(),
        rule: Rule::RequiredInGroup,
    };
    ["pfp_url", "keywords"].map(fault).to_vec()
}

fn update_faults(example: &Example) -> Vec<Fault> {
    let platforms = Platforms::from_list(&DEFAULT_PLATFORMS.join(","));
    seats::update_seats(body::read(&example.body), &platforms).expect_err("an example of a refusal")
}

/// What is told about an example of a request, every account of which has the tag that it was given.
fn changed(example: &Example) -> Json {
    let platforms = Platforms::from_list(&DEFAULT_PLATFORMS.join(","));
    let asked = seats::update_seats(body::read(&example.body), &platforms).expect("an example");
    let bare = |id: &str| ListedSeat {
        id: SeatId::parse(id).expect("an id"),
        tier: "basic".to_owned(),
        status: "uninitialized".to_owned(),
        platform: None,
        username: None,
        nick_name: None,
        pfp_url: None,
        keywords: None,
        description: None,
        age_range: None,
        sex: None,
        location: None,
        tag: Some("influencer".to_owned()),
        org_group: None,
        user_group: None,
        profiles: None,
        warmup_version: None,
        post_version: None,
        created_at: Still.now(),
        updated_at: Still.now(),
        version: 1,
    };
    let answers = match &asked {
        UpdateSeats::One(update) => vec![seats::update_told(None, Ok(&bare(update.id.as_str())))],
        UpdateSeats::Several(updates) => updates
            .iter()
            .map(|asked| seats::update_told(Some(&asked.account_id), Ok(&bare(&asked.account_id))))
            .collect(),
    };
    body::of(&seats::updated(&asked, SeatsUpdated { answers, is_replay: false }))
}

fn has_ended() -> Vec<Fault> {
    vec![Fault { index: None, field: "account_id".into(), rule: Rule::SeatHasEnded }]
}

fn parse(example: &Example) -> Result<CreateSeats, Vec<Fault>> {
    seats::quote_seats(
        body::read(&example.body),
        &Platforms::from_list(&DEFAULT_PLATFORMS.join(",")),
    )
}

fn faults_of(example: &Example) -> Vec<Fault> {
    parse(example).expect_err("an example of a refusal")
}

fn created(example: &Example) -> Json {
    let command = parse(example).expect("an example that is accepted");
    let seats = command.identify(&Still, &Still).expect("there is entropy");
    let created = Created { answers: vec![seats::piece(&seats)], failed: 0, replayed: false };
    body::of(&seats::created(&created).expect("the answer is whole"))
}

fn quoted(example: &Example) -> Json {
    let added = parse(example).expect("an example that is accepted").counts();
    let organization = OrganizationId::new(&Still, &Still).expect("there is entropy");
    let secret = FingerprintKey::new(&[7; 32]).expect("long enough");
    let tiers = tiers();
    let quote = Quote::new(1, added, &tiers, ProrationBehavior::default(), Still.now());
    body::of(&seats::quoted(Quoted {
        id: quote.id(&organization, &secret).expect("a strong secret"),
        before: BEFORE,
        after: BEFORE + added,
        tiers: &tiers,
        proration: PRORATION,
        policy: &BillingPolicy::default(),
        expires_at: quote.expires_at,
    }))
}

fn tiers() -> Tiers {
    let entry = |name: &str, unit_amount| TierEntry {
        name: name.to_owned(),
        price: None,
        unit_amount,
        device_type: "shared".to_owned(),
    };
    Tiers::try_from(vec![entry("basic", 4_000), entry("premium", 10_000)]).expect("valid tiers")
}

/// The billing of an organization at version 1 of which Stripe was told `applied_version`.
fn billed(applied_version: u64) -> Json {
    let organization = OrganizationId::new(&Still, &Still).expect("there is entropy");
    let statement = statement(applied_version);
    body::of(&seats::billing(&organization, &statement, &BillingPolicy::default(), Still.now()))
}

/// A statement at version 1 of which Stripe was told `applied_version`.
fn statement(applied_version: u64) -> Statement {
    let start = Still.now().as_second();
    Statement {
        name: "Acme".to_owned(),
        customer: Some("cus_QXg1o8vcGmoR32".to_owned()),
        subscription: Some(Linked {
            id: "sub_1Pgc6tLkdIwHu7ixkTzWqPbV".to_owned(),
            standing: Standing {
                period: Some(Period { start, end: start + 28 * 24 * 60 * 60 }),
                ..SubscriptionStatus::Active.into()
            },
            past_due_since: None,
        }),
        seats: BEFORE,
        seats_left: 99,
        cents_left: None,
        proration: ProrationBehavior::default(),
        fewer: Default::default(),
        version: 1,
        applied_version,
        last_error: None,
    }
}
