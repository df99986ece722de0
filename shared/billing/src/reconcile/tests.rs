use headcount_model::billing::{LinkedSubscription, Period, SeatCounts, SubscriptionStatus};
use headcount_model::id::OrganizationId;
use headcount_model::port::System;
use headcount_model::tiers::TierEntry;
use proptest::prelude::*;

use super::*;
use crate::subscription::Item;

fn tiers(basic: Option<&str>, premium: Option<&str>) -> Tiers {
    let entry = |name: &str, price: Option<&str>, unit_amount| TierEntry {
        name: name.to_owned(),
        price: price.map(str::to_owned),
        unit_amount,
        device_type: "shared".to_owned(),
    };
    let entries = vec![entry("basic", basic, 4_000), entry("premium", premium, 10_000)];
    Tiers::try_from(entries).expect("valid")
}

fn both() -> Tiers {
    tiers(Some("price_b"), Some("price_p"))
}

fn counted(basic: u64, premium: u64) -> CountedSeats {
    let mut counted = CountedSeats::default();
    for (tier, count) in [(Tier::Basic, basic), (Tier::Premium, premium)] {
        for _ in 0..count {
            counted.add(SeatId::new(&System, &System).expect("entropy"), tier);
        }
    }
    counted
}

fn ledger(basic: u64, premium: u64) -> LedgerState {
    let seats = SeatCounts { basic, premium };
    let mut ledger = LedgerState {
        organization: OrganizationId::parse("org_01kafzqzxqxqxqxqxqxqxqxqxq").expect("an id"),
        linked: Some(LinkedSubscription { subscription: "sub_1".to_owned(), status_version: 0 }),
        status: Some("active".to_owned()),
        cancel_at_period_end: false,
        collection_paused: false,
        period: None,
        seats,
        seat_limit: 1_000,
        seats_left: 0,
        spending_limit: 1_000_000,
        cents_left: None,
        version: 7,
        applied_version: 7,
        failed_at: None,
    };
    ledger.seats_left = ledger.room_beside(seats);
    ledger
}

fn subscription(basic: Option<u64>, premium: Option<u64>) -> Subscription {
    let item = |price: &str, quantity: Option<u64>| {
        quantity.map(|quantity| Item {
            id: format!("si_{price}"),
            price: price.to_owned(),
            quantity,
            unit_amount: Some(if price == "price_b" { 4_000 } else { 10_000 }),
        })
    };
    Subscription {
        id: "sub_1".to_owned(),
        status: "active".to_owned(),
        cancel_at_period_end: false,
        collection_paused: false,
        period: None,
        organization: OrganizationId::parse("org_01kafzqzxqxqxqxqxqxqxqxqxq").ok(),
        unfit: Vec::new(),
        customer: "cus_1".to_owned(),
        items: item("price_b", basic).into_iter().chain(item("price_p", premium)).collect(),
    }
}

fn there(basic: Option<u64>, premium: Option<u64>) -> Seen {
    Seen::There(subscription(basic, premium))
}

#[test]
fn three_that_agree_have_no_drift() {
    let seen = there(Some(2), Some(1));
    assert_eq!(compare(&counted(2, 1), &ledger(2, 1), &seen, &both()), []);
    assert_eq!(news(&ledger(2, 1), &seen), None);
    // A tier without seats needs neither item nor price.
    assert_eq!(compare(&counted(2, 0), &ledger(2, 0), &there(Some(2), None), &both()), []);
    let one_price = tiers(Some("price_b"), None);
    assert_eq!(compare(&counted(2, 0), &ledger(2, 0), &there(Some(2), None), &one_price), []);
    assert_eq!(compare(&counted(0, 0), &ledger(0, 0), &Seen::NotLinked, &both()), []);
}

#[test]
fn a_hand_edit_in_stripe_is_told_again_and_names_what_is_not_billed() {
    let counted = counted(5, 1);
    let drifts = compare(&counted, &ledger(5, 1), &there(Some(3), Some(4)), &both());
    assert_eq!(
        drifts,
        [
            Drift::Quantity { tier: Tier::Basic, ledger: 5, stripe: 3 },
            Drift::Quantity { tier: Tier::Premium, ledger: 1, stripe: 4 },
        ]
    );
    assert_eq!(remedy(&drifts), Remedy::TellAgain);
    assert_eq!(drifts[0].accounts(&counted), &counted.newest_basic[3..]);
    assert_eq!(drifts[1].accounts(&counted), &[]);
}

#[test]
fn a_wrong_count_is_corrected_once_and_for_both_sides() {
    let counted = counted(4, 0);
    let drifts = compare(&counted, &ledger(3, 0), &there(Some(9), Some(0)), &both());
    assert_eq!(
        drifts,
        [
            Drift::Ledger { tier: Tier::Basic, ledger: 3, seats: 4 },
            Drift::Quantity { tier: Tier::Basic, ledger: 3, stripe: 9 },
        ]
    );
    assert_eq!(remedy(&drifts), Remedy::Correct);
    assert_eq!(drifts[0].accounts(&counted), &counted.newest_basic[3..]);
}

#[test]
fn room_that_does_not_follow_from_the_limit_is_corrected() {
    let mut ledger = ledger(2, 0);
    ledger.seats_left = 5;
    let drifts = compare(&counted(2, 0), &ledger, &there(Some(2), None), &both());
    assert_eq!(drifts, [Drift::Room { ledger: 5, due: 998 }]);
    assert_eq!(remedy(&drifts), Remedy::Correct);
}

#[test]
fn what_is_left_to_spend_follows_from_the_limit_and_todays_prices() {
    let mut ledger = ledger(2, 0);
    let seen = there(Some(2), None);
    let drifts = |ledger: &LedgerState, basic| compare(&counted(basic, 0), ledger, &seen, &both());
    ledger.cents_left = Some(ledger.cents_beside(ledger.seats, &both()));
    assert_eq!(drifts(&ledger, 2), []);
    let due = ledger.cents_left.expect("set");
    ledger.cents_left = Some(due + 1);
    assert_eq!(drifts(&ledger, 2), [Drift::Spending { ledger: due + 1, due }]);
    assert_eq!(remedy(&drifts(&ledger, 2)), Remedy::Correct);
    // A count that is wrong as well is the one drift.
    assert_eq!(drifts(&ledger, 3).len(), 1);
}

#[test]
fn a_subscription_that_names_nobody_or_another_needs_a_person() {
    let mut nameless = subscription(Some(2), Some(1));
    nameless.organization = None;
    let seen = Seen::There(nameless.clone());
    let drifts = compare(&counted(2, 1), &ledger(2, 1), &seen, &both());
    assert_eq!(drifts, [Drift::Metadata { named: None }]);
    assert_eq!(remedy(&drifts), Remedy::None);
    nameless.status = "canceled".to_owned();
    let drifts = compare(&counted(0, 0), &ledger(0, 0), &Seen::There(nameless), &both());
    assert!(!drifts.iter().any(|drift| drift.kind() == "metadata"), "{drifts:?}");
}

#[test]
fn another_amount_at_stripe_needs_a_person() {
    let mut cheap = subscription(Some(2), Some(1));
    cheap.items[0].unit_amount = Some(1_000);
    cheap.items[1].unit_amount = None;
    let drifts = compare(&counted(2, 1), &ledger(2, 1), &Seen::There(cheap), &both());
    let configured = both().of(Tier::Basic).unit_amount;
    assert_eq!(drifts, [Drift::UnitAmount { tier: Tier::Basic, configured, stripe: 1_000 }]);
    assert_eq!(remedy(&drifts), Remedy::None);
}

#[test]
fn a_missing_item_is_told_again_and_a_missing_price_is_not() {
    let missing = compare(&counted(2, 1), &ledger(2, 1), &there(Some(2), None), &both());
    assert_eq!(missing, [Drift::ItemMissing { tier: Tier::Premium, ledger: 1 }]);
    assert_eq!(remedy(&missing), Remedy::TellAgain);

    let unpriced = tiers(Some("price_b"), None);
    let unpriced = compare(&counted(2, 1), &ledger(2, 1), &there(Some(2), None), &unpriced);
    assert_eq!(unpriced, [Drift::PriceNotConfigured { tier: Tier::Premium, ledger: 1 }]);
    assert_eq!(remedy(&unpriced), Remedy::None);
}

#[test]
fn a_subscription_that_is_gone_or_was_never_there_needs_a_person() {
    let gone = compare(&counted(1, 0), &ledger(1, 0), &Seen::Gone, &both());
    assert_eq!(gone, [Drift::SubscriptionGone]);
    let unlinked = compare(&counted(1, 0), &ledger(1, 0), &Seen::NotLinked, &both());
    assert_eq!(unlinked, [Drift::NotLinked { ledger: 1 }]);
    for drifts in [gone, unlinked] {
        assert_eq!(remedy(&drifts), Remedy::None);
    }
}

#[test]
fn a_subscription_that_has_ended_is_told_nothing() {
    let mut ended = subscription(Some(0), Some(0));
    ended.status = "canceled".to_owned();
    let seen = Seen::There(ended);
    let drifts = compare(&counted(2, 0), &ledger(2, 0), &seen, &both());
    assert_eq!(
        drifts.iter().map(Drift::kind).collect::<Vec<_>>(),
        ["status", "subscription_ended"]
    );
    assert_eq!(remedy(&drifts), Remedy::None);
    let standing = news(&ledger(2, 0), &seen).expect("news");
    assert_eq!(standing.status, SubscriptionStatus::Canceled);
}

#[test]
fn a_new_period_is_news_and_no_drift() {
    let mut renewed = subscription(Some(2), None);
    renewed.period = Some(Period { start: 1, end: 2 });
    let seen = Seen::There(renewed);
    assert_eq!(compare(&counted(2, 0), &ledger(2, 0), &seen, &both()), []);
    assert_eq!(news(&ledger(2, 0), &seen).and_then(|news| news.period?.end.into()), Some(2));
}

#[test]
fn a_status_that_we_do_not_know_is_drift_and_is_not_written() {
    let mut odd = subscription(Some(2), None);
    odd.status = "new_word".to_owned();
    let seen = Seen::There(odd);
    let drifts = compare(&counted(2, 0), &ledger(2, 0), &seen, &both());
    assert_eq!(drifts.iter().map(Drift::kind).collect::<Vec<_>>(), ["status"]);
    assert_eq!(news(&ledger(2, 0), &seen), None);
}

#[test]
fn while_seats_cannot_be_read_no_count_is_corrected() {
    let mut counted = counted(1, 0);
    counted.add_unreadable("SEAT#odd".to_owned());
    let drifts = compare(&counted, &ledger(2, 0), &there(Some(9), None), &both());
    assert!(drifts.contains(&Drift::UnreadableSeats));
    assert_eq!(remedy(&drifts), Remedy::None);
}

proptest! {
    /// Whatever the three say: there is a drift of a tier exactly where two of them differ, the
    /// remedy is the one that leads to agreement, and what is named is never more than differs.
    #[test]
    fn drift_is_found_exactly_where_two_differ(
        seats in (0_u64..40, 0_u64..40),
        kept in (0_u64..40, 0_u64..40),
        billed in (proptest::option::of(0_u64..40), proptest::option::of(0_u64..40)),
    ) {
        let counted = counted(seats.0, seats.1);
        let ledger = ledger(kept.0, kept.1);
        let drifts = compare(&counted, &ledger, &there(billed.0, billed.1), &both());

        let pairs = [(seats.0, kept.0, billed.0), (seats.1, kept.1, billed.1)];
        for (tier, (seats, kept, billed)) in Tier::ALL.into_iter().zip(pairs) {
            let found = |kind| {
                drifts.iter().any(|drift| drift.kind() == kind && drift.tier() == Some(tier))
            };
            prop_assert_eq!(found("ledger"), seats != kept);
            prop_assert_eq!(found("quantity"), billed.is_some_and(|billed| billed != kept));
            prop_assert_eq!(found("item_missing"), billed.is_none() && kept > 0);
        }
        let counts_differ = seats != kept;
        let stripe_differs = pairs.iter().any(|(_, kept, billed)| billed.unwrap_or(0) != *kept);
        prop_assert_eq!(remedy(&drifts), match (counts_differ, stripe_differs) {
            (true, _) => Remedy::Correct,
            (false, true) => Remedy::TellAgain,
            (false, false) => Remedy::None,
        });
        for drift in &drifts {
            let (one, other) = drift.sides();
            let number = |side: String| side.parse::<u64>().unwrap_or(0);
            let differ = number(one).abs_diff(number(other));
            prop_assert!(drift.accounts(&counted).len() as u64 <= differ.min(20));
        }
    }

    /// What heals is enough: once the counts are corrected and Stripe is told, nothing is left.
    #[test]
    fn after_the_remedy_nothing_is_left(
        seats in (0_u64..40, 0_u64..40),
        kept in (0_u64..40, 0_u64..40),
    ) {
        let (counted, mut ledger) = (counted(seats.0, seats.1), ledger(kept.0, kept.1));
        let correction =
            headcount_model::reconcile::Correction::of(&ledger, counted.seats, &both());
        ledger.seats = correction.seats;
        ledger.seats_left += correction.seats_left;
        let told = there(Some(seats.0), Some(seats.1));
        prop_assert_eq!(compare(&counted, &ledger, &told, &both()), []);
    }
}
