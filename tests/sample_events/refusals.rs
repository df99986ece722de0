//! Which refusals there have to be samples of. The kinds are those of the code: each list below is
//! a `match`, so that a new kind does not compile until it is said here.

use std::iter::successors;

use headcount_api::agency::{self, Agency};
use headcount_api::identity::{Identity, Refusal as Refused};
use headcount_api::seats::{self, Seats};
use headcount_api::webhooks::{NotAWebhook, Webhooks};
use headcount_api::{Answer, Dialect, Failure, MAX_BODY, Transport};
use headcount_billing::webhook::{BadSignature, NotAnEvent};
use headcount_model::credential::Permission;
use headcount_model::fault::{Fault, Rule};
use headcount_model::grant::Right;
use headcount_model::right::{
    CreateAgencyAccounts, DeleteAccounts, DeleteAgencyAccounts, ListAgencyAccounts, ReadAccounts,
    UpdateAccounts, UpdateAgencyAccounts, ViewAgencyAccounts,
};
use headcount_tests::samples::tenants;
use serde_json::Value;

/// What a function refuses that nothing it returned shows, in its own words.
pub(crate) fn not_shown(function: &str, returned: &[Value]) -> Vec<String> {
    match function {
        "create-seats" => {
            missing::<Seats>(returned, seats_refusals("accounts:create"), |failure| {
                // A quote is signed with the secret of the stack, so that no sample can carry one.
                let is_quote = *failure == Failure::Refused(seats::Refusal::QuoteExpired);
                !is_oversize(failure) && !is_quote && !is_about_keys(failure)
            })
        }
        "quote-seats" => missing::<Seats>(returned, seats_refusals("accounts:create"), |failure| {
            !is_oversize(failure)
                && !concerns_idempotency(failure)
                && !is_about_keys(failure)
                && *failure != Failure::Refused(seats::Refusal::QuoteExpired)
        }),
        "deactivate-seats" => {
            let of_seats =
                [Rule::NoSuchSeat, Rule::SeatHasEnded].map(fault::<seats::Refusal>).to_vec();
            let others =
                missing::<Seats>(returned, seats_refusals("accounts:deactivate"), |failure| {
                    let of_creates = match failure {
                        Failure::Refused(refusal) => {
                            !matches!(refusal, seats::Refusal::Forbidden(_))
                        }
                        Failure::Faults(faults) => faults[0].rule == Rule::RequiredInGroup,
                        _ => false,
                    };
                    !is_oversize(failure) && !of_creates
                });
            [unseen::<Seats>(returned, of_seats), others].concat()
        }
        "update-seats" => {
            let of_seats = vec![fault::<seats::Refusal>(Rule::NoSuchSeat)];
            let permission = seats_refusals("accounts:update");
            let others = missing::<Seats>(returned, permission, |failure| match failure {
                // No seat is without billing: reconcile-billing would report it.
                Failure::Refused(refusal) => matches!(
                    refusal,
                    seats::Refusal::Forbidden(_)
                        | seats::Refusal::SpendingLimitReached
                        | seats::Refusal::Deactivated
                        | seats::Refusal::VersionMismatch
                ),
                failure => !is_oversize(failure),
            });
            [unseen::<Seats>(returned, of_seats), others].concat()
        }
        "list-seats" => {
            missing::<Seats>(returned, seats_refusals("accounts:read"), |failure| match failure {
                Failure::Faults(faults) => faults[0].rule != Rule::RequiredInGroup,
                Failure::Unauthorized | Failure::Refused(seats::Refusal::Forbidden(_)) => true,
                Failure::Transport(_) => !is_oversize(failure) && !concerns_idempotency(failure),
                _ => false,
            })
        }
        "open-billing-portal" | "cancel-billing" | "resume-billing" => {
            missing::<Seats>(returned, seats_refusals("billing:manage"), |failure| match failure {
                Failure::Faults(faults) => {
                    faults[0].rule != Rule::RequiredInGroup && function == "open-billing-portal"
                }
                Failure::Refused(refusal) => {
                    matches!(refusal, seats::Refusal::Forbidden(_) | seats::Refusal::NoBilling)
                }
                _ => {
                    let is_keyed = function != "open-billing-portal";
                    !is_oversize(failure) && (is_keyed || !concerns_idempotency(failure))
                }
            })
        }
        "list-api-keys" | "create-api-key" | "update-api-key" | "delete-api-key" => {
            let seats = seats_refusals("keys:manage");
            missing::<Seats>(returned, seats, |failure| is_of_keys(function, failure))
        }
        "get-organization" => missing::<Seats>(returned, Vec::new(), |failure| {
            matches!(failure, Failure::Unauthorized)
        }),
        "get-billing" => missing::<Seats>(returned, seats_refusals("billing:read"), |failure| {
            matches!(
                failure,
                Failure::Unauthorized | Failure::Refused(seats::Refusal::Forbidden(_))
            )
        }),
        "get-billing-history" => {
            missing::<Seats>(returned, seats_refusals("billing:read"), |failure| match failure {
                Failure::Faults(faults) => faults[0].rule != Rule::RequiredInGroup,
                Failure::Unauthorized | Failure::Refused(seats::Refusal::Forbidden(_)) => true,
                _ => false,
            })
        }
        "create-agency-account" => missing::<Agency>(
            returned,
            agency_refusals(CreateAgencyAccounts::ONE_OF, other_agency()),
            |_| true,
        ),
        // The permission is of no account.
        "check-token" => {
            missing::<Agency>(returned, agency_refusals(&[], String::new()), |failure| {
                is_of_callers(failure)
                    && !matches!(failure, Failure::Refused(agency::Refusal::Forbidden { .. }))
            })
        }
        "get-agency-account" => missing::<Agency>(
            returned,
            agency_refusals(ViewAgencyAccounts::ONE_OF, other_account()),
            is_of_callers,
        ),
        // Who may see none is told of none.
        "list-agency-accounts" => {
            missing::<Agency>(returned, agency_refusals(&[], String::new()), |failure| {
                let is_refused_to_none =
                    matches!(failure, Failure::Refused(agency::Refusal::Forbidden { .. }));
                is_of_lists(failure) && !is_refused_to_none
            })
        }
        "list-accounts-of-agency" => missing::<Agency>(
            returned,
            agency_refusals(ListAgencyAccounts::ONE_OF, other_agency()),
            is_of_lists,
        ),
        "update-agency-account" => missing::<Agency>(
            returned,
            agency_refusals(UpdateAgencyAccounts::ONE_OF, other_account()),
            |failure| !is_oversize(failure),
        ),
        "delete-agency-account" => missing::<Agency>(
            returned,
            agency_refusals(DeleteAgencyAccounts::ONE_OF, other_account()),
            |failure| is_of_callers(failure) || concerns_idempotency(failure),
        ),
        "check-deletion" => missing::<Agency>(
            returned,
            agency_refusals(DeleteAgencyAccounts::ONE_OF, other_account()),
            |failure| {
                is_of_callers(failure)
                    && *failure != Failure::Refused(agency::Refusal::HasSubAccounts)
            },
        ),
        "create-account" => missing::<Identity>(returned, identity_refusals(), |failure| {
            let of_others = match failure {
                Failure::Refused(refusal) => {
                    !matches!(refusal, Refused::Forbidden(_) | Refused::EmailExists)
                }
                _ => false,
            };
            !is_oversize(failure) && !of_others
        }),
        "open-session" => missing::<Identity>(returned, identity_refusals(), |failure| {
            let is_of_log_ins = matches!(failure, Failure::Refused(Refused::InvalidCredentials));
            // That there were too many attempts no single event can bring about.
            is_of_reading(failure) || is_of_log_ins
        }),
        "refresh-session" => missing::<Identity>(returned, identity_refusals(), |failure| {
            is_of_reading(failure) || matches!(failure, Failure::Unauthorized)
        }),
        "end-session" => missing::<Identity>(returned, identity_refusals(), |failure| {
            is_of_reading(failure)
                || matches!(
                    failure,
                    Failure::Unauthorized
                        | Failure::Refused(Refused::NotActive | Refused::NoSuchSession)
                )
        }),
        "list-accounts" => missing::<Identity>(returned, identity_refusals(), |failure| {
            let of_administrators = matches!(failure, Failure::Refused(Refused::Lacking(_)));
            of_administrators || matches!(failure, Failure::Unauthorized | Failure::Faults(_))
        }),
        "list-sessions" => missing::<Identity>(returned, identity_refusals(), |failure| {
            let of_own = matches!(failure, Failure::Refused(Refused::NotActive));
            of_own || matches!(failure, Failure::Unauthorized | Failure::Faults(_))
        }),
        "get-own-account" => missing::<Identity>(returned, identity_refusals(), |failure| {
            matches!(failure, Failure::Unauthorized | Failure::Refused(Refused::NotActive))
        }),
        "get-account" => missing::<Identity>(returned, identity_refusals(), |failure| {
            let of_administrators =
                matches!(failure, Failure::Refused(Refused::Lacking(_) | Refused::NoSuchAccount));
            matches!(failure, Failure::Unauthorized) || of_administrators
        }),
        "update-own-account" => missing::<Identity>(returned, identity_refusals(), |failure| {
            is_of_changes(failure) || matches!(failure, Failure::Refused(Refused::NotActive))
        }),
        "update-account" => {
            missing::<Identity>(returned, lacking(UpdateAccounts::ONE_OF), |failure| {
                let of_administrators = matches!(
                    failure,
                    Failure::Refused(Refused::Lacking(_) | Refused::NoSuchAccount)
                );
                is_of_changes(failure) || of_administrators
            })
        }
        "delete-own-account" => missing::<Identity>(returned, identity_refusals(), |failure| {
            matches!(failure, Failure::Unauthorized | Failure::Refused(Refused::NotActive))
        }),
        "delete-account" => {
            missing::<Identity>(returned, lacking(DeleteAccounts::ONE_OF), |failure| {
                let of_administrators = matches!(
                    failure,
                    Failure::Refused(Refused::Lacking(_) | Refused::NoSuchAccount)
                );
                matches!(failure, Failure::Unauthorized) || of_administrators
            })
        }
        "stripe-webhook" => missing::<Webhooks>(returned, webhook_refusals(), |failure| {
            matches!(failure, Failure::Refused(_))
        }),
        other => panic!("say here what {other} refuses"),
    }
}

/// One sample of a body that is too large has to do, since it is as large: that of an agency.
fn is_oversize<R>(failure: &Failure<R>) -> bool {
    matches!(failure, Failure::Transport(Transport::TooLarge(_)))
}

fn concerns_idempotency<R>(failure: &Failure<R>) -> bool {
    matches!(failure, Failure::KeyReused | Failure::Transport(Transport::IdempotencyKey))
}

fn missing<D: Dialect>(
    returned: &[Value],
    refusals: Vec<D::Refusal>,
    can_happen: impl Fn(&Failure<D::Refusal>) -> bool,
) -> Vec<String> {
    let refusals = refusals.into_iter().map(Failure::Refused);
    let failures = common().into_iter().chain(refusals).filter(can_happen);
    unseen::<D>(returned, failures.collect())
}

fn unseen<D: Dialect>(returned: &[Value], failures: Vec<Failure<D::Refusal>>) -> Vec<String> {
    failures
        .into_iter()
        .filter_map(|failure| {
            let of_fields = matches!(failure, Failure::Faults(_));
            let answer = D::word(failure);
            let shown = returned.iter().any(|returned| shows(returned, &answer, of_fields));
            (!shown).then(|| format!("{} {}", answer.status, answer.body))
        })
        .collect()
}

/// Whether what was returned is an answer, up to what its message says about this very request.
fn shows(returned: &Value, answer: &Answer, of_fields: bool) -> bool {
    let expected: Value = serde_json::from_str(&answer.body).expect("answers are JSON");
    let found = &returned["body"];
    let same_code = returned["status"] == answer.status.as_u16()
        && (!expected["error"].is_string() || found["error"] == expected["error"]);
    if of_fields {
        let lists = |body: &Value| !body["errors"].is_null() || !body["details"].is_null();
        return same_code && lists(found);
    }
    same_code && kind_of_message(found) == kind_of_message(&expected)
}

/// The message without the reason behind its colon.
fn kind_of_message(body: &Value) -> &str {
    let message = body["message"].as_str().or(body["error"]["message"].as_str());
    message.unwrap_or_default().split(": ").next().unwrap_or_default()
}

fn fault<R>(rule: Rule) -> Failure<R> {
    Failure::Faults(vec![Fault { index: Some(0), field: "field".into(), rule }])
}

/// What neither a create nor a quote is refused by.
fn is_about_keys(failure: &Failure<seats::Refusal>) -> bool {
    use seats::Refusal;
    matches!(
        failure,
        Failure::Refused(
            Refusal::NoSuchKey
                | Refusal::LastManager
                | Refusal::Deactivated
                | Refusal::VersionMismatch
        )
    )
}

/// What is refused to who manages API keys.
fn is_of_keys(function: &str, failure: &Failure<seats::Refusal>) -> bool {
    use seats::Refusal;
    let is_list = function == "list-api-keys";
    match failure {
        Failure::Refused(Refusal::NoSuchKey) => !is_list && function != "create-api-key",
        Failure::Refused(Refusal::LastManager) => function == "delete-api-key",
        Failure::Refused(refusal) => matches!(refusal, Refusal::Forbidden(_)),
        Failure::Faults(faults) => faults[0].rule != Rule::RequiredInGroup,
        failure if concerns_idempotency(failure) => !is_list,
        failure => !is_oversize(failure),
    }
}

/// What a caller can do wrong in every API.
fn common<R>() -> Vec<Failure<R>> {
    let first = Failure::Transport(Transport::MalformedJson(String::new()));
    successors(Some(first), |failure| match failure {
        Failure::Transport(transport) => Some(match transport {
            Transport::MalformedJson(_) => Failure::Transport(Transport::TooLarge(MAX_BODY)),
            Transport::TooLarge(_) => Failure::Transport(Transport::NotJson),
            Transport::NotJson => Failure::Transport(Transport::Encoded),
            Transport::Encoded => Failure::Transport(Transport::IdempotencyKey),
            Transport::IdempotencyKey => fault(Rule::Required),
        }),
        // In the Seats API this one has a code of its own.
        Failure::Faults(faults) if faults[0].rule == Rule::Required => {
            Some(fault(Rule::RequiredInGroup))
        }
        Failure::Faults(_) => Some(Failure::Unauthorized),
        Failure::Unauthorized => Some(Failure::KeyReused),
        // These no caller brings about: the table is too slow. Refusals are listed by API.
        Failure::KeyReused
        | Failure::TooManyRequests
        | Failure::Unavailable
        | Failure::Refused(_) => None,
    })
    .collect()
}

fn seats_refusals(permission: &'static str) -> Vec<seats::Refusal> {
    use seats::Refusal;
    successors(Some(Refusal::Forbidden(permission)), |refusal| match refusal {
        Refusal::Forbidden(_) => Some(Refusal::NoBilling),
        Refusal::NoBilling => Some(Refusal::SeatLimitReached),
        Refusal::SeatLimitReached => Some(Refusal::SpendingLimitReached),
        Refusal::SpendingLimitReached => Some(Refusal::QuoteExpired),
        Refusal::QuoteExpired => Some(Refusal::TooManyAccounts),
        Refusal::TooManyAccounts => Some(Refusal::NoSuchKey),
        Refusal::NoSuchKey => Some(Refusal::TooManyKeys),
        Refusal::TooManyKeys => Some(Refusal::LastManager),
        Refusal::LastManager => Some(Refusal::Deactivated),
        Refusal::Deactivated => Some(Refusal::VersionMismatch),
        Refusal::VersionMismatch => None,
    })
    // No sample has an organization of thousands of accounts or keys.
    .filter(|refusal| !matches!(refusal, Refusal::TooManyAccounts | Refusal::TooManyKeys))
    .collect()
}

/// Without the list that is too long: no sample has an agency of thousands of accounts.
fn agency_refusals(one_of: &'static [Permission], object: String) -> Vec<agency::Refusal> {
    use agency::Refusal;
    successors(Some(Refusal::AppHeader), |refusal| match refusal {
        Refusal::AppHeader => Some(Refusal::ForeignApp),
        Refusal::ForeignApp => Some(Refusal::Forbidden { one_of, object: object.clone() }),
        Refusal::Forbidden { .. } => Some(Refusal::HasSubAccounts),
        Refusal::HasSubAccounts => Some(Refusal::TooManyAccounts),
        Refusal::TooManyAccounts => None,
    })
    .filter(|refusal| *refusal != Refusal::TooManyAccounts)
    .filter(|refusal| *refusal != Refusal::HasSubAccounts || one_of == DeleteAgencyAccounts::ONE_OF)
    .collect()
}

/// What is refused to who asks for a list.
fn is_of_lists<R>(failure: &Failure<R>) -> bool {
    is_of_callers(failure) || matches!(failure, Failure::Faults(_))
}

/// What is refused to who reads: who calls, and what it may see.
fn is_of_callers<R>(failure: &Failure<R>) -> bool {
    matches!(failure, Failure::Unauthorized | Failure::Refused(_))
}

fn other_agency() -> String {
    tenants().1.other_agency.agency_lcuid.to_string()
}

fn other_account() -> String {
    tenants().1.other_agency.parent_account_lcuid.to_string()
}

fn identity_refusals() -> Vec<Refused> {
    lacking(ReadAccounts::ONE_OF)
}

/// What is refused to who changes an account.
fn is_of_changes(failure: &Failure<Refused>) -> bool {
    let of_state =
        matches!(failure, Failure::Refused(Refused::VersionMismatch | Refused::EmailLinked));
    let of_keys = concerns_idempotency(failure);
    is_of_reading(failure) || of_state || of_keys || *failure == Failure::Unauthorized
}

/// Those of the Identity API, where one of these permissions is asked for.
fn lacking(one_of: &'static [Permission]) -> Vec<Refused> {
    successors(Some(Refused::Forbidden("accounts:create")), |refusal| match refusal {
        Refused::Forbidden(_) => Some(Refused::EmailExists),
        Refused::EmailExists => Some(Refused::InvalidCredentials),
        Refused::InvalidCredentials => Some(Refused::TooManyAttempts(30)),
        Refused::TooManyAttempts(_) => Some(Refused::NotActive),
        Refused::NotActive => Some(Refused::NoSuchSession),
        Refused::NoSuchSession => Some(Refused::Lacking(one_of)),
        Refused::Lacking(_) => Some(Refused::NoSuchAccount),
        Refused::NoSuchAccount => Some(Refused::VersionMismatch),
        Refused::VersionMismatch => Some(Refused::EmailLinked),
        Refused::EmailLinked => None,
    })
    .collect()
}

/// What is refused of a body that cannot be read or breaks rules, without those of idempotency keys.
fn is_of_reading<R>(failure: &Failure<R>) -> bool {
    matches!(failure, Failure::Transport(_) | Failure::Faults(_))
        && !is_oversize(failure)
        && !concerns_idempotency(failure)
}

fn webhook_refusals() -> Vec<NotAWebhook> {
    let signatures = successors(Some(BadSignature::Missing), |bad| match bad {
        BadSignature::Missing => Some(BadSignature::Malformed),
        BadSignature::Malformed => Some(BadSignature::Wrong),
        BadSignature::Wrong => Some(BadSignature::OutOfTime),
        BadSignature::OutOfTime => None,
    });
    let reasons = signatures.map(|bad| bad.to_string()).chain([NotAnEvent.to_string()]);
    reasons.map(NotAWebhook).collect()
}
