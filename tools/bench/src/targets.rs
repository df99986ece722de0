//! What was set as a goal, and whether a run reaches it.

use crate::growth::{Growth, Step};
use crate::report::{Measured, Report};
use crate::stats::Series;
use crate::subject::{CHANGES, CREATES, READS, Transport};

/// What ours are compared with.
pub(crate) const FLOOR: &str = "floor-put-item";

/// What those of ours that only show something are compared with.
pub(crate) const FLOOR_OF_READS: &str = "floor-get-item";

/// What a subject is compared with.
pub(crate) fn floor_of(subject: &str) -> &'static str {
    let is_read = READS.contains(&subject) || subject == FLOOR_OF_READS;
    if is_read { FLOOR_OF_READS } else { FLOOR }
}

/// One goal and what was measured.
pub(crate) struct Outcome {
    pub(crate) what: String,
    pub(crate) goal: String,
    pub(crate) measured: String,
    pub(crate) reached: bool,
}

/// All goals that the run says something about.
pub(crate) fn outcomes(report: &Report, growth: Option<&Growth>) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for (transport, how) in [(Transport::Plain, "in the clear"), (Transport::Tls, "over TLS")] {
        let of = |subject: &str| report.of(subject, transport);
        let Some(seats) = of("create-seats") else { continue };
        let first: fn(&Measured) -> &Series = |m| &m.figures.first_response_ns;
        let cpu: fn(&Measured) -> &Series = |m| &m.figures.warm_cpu_ns;
        for (figure, name, other, most) in [
            (first, "first response", FLOOR, (125, 100)),
            (first, "first response", "peer-node", (1, 15)),
            (first, "first response", "peer-python", (1, 50)),
            (cpu, "CPU of a warm invocation", FLOOR, (130, 100)),
            (cpu, "CPU of a warm invocation", "peer-node", (1, 5)),
            (cpu, "CPU of a warm invocation", "peer-python", (1, 5)),
        ] {
            let pair = of(other).and_then(|other| figure(seats).against(figure(other)));
            let Some((ours, others)) = pair else { continue };
            let what = format!("create-seats, {name}, {how}, against {other}");
            outcomes.push(ratio(what, ours, others, most));
        }
    }
    outcomes.extend(READS.iter().chain(&CHANGES).flat_map(|name| against_floor(report, name)));
    for name in CREATES {
        let Some(measured) = report.of(name, Transport::Plain) else { continue };
        let most = if name == "create-account" { 40 } else { 16 };
        let memory = measured.figures.peak_memory_bytes.spread().median;
        outcomes.push(bytes(format!("{name}, peak memory"), memory, most));
        outcomes.push(bytes(format!("{name}, bootstrap"), measured.size_bytes, 6));
        outcomes.push(calls(name, measured));
    }
    outcomes.extend(growth.into_iter().flat_map(batches));
    outcomes.extend(growth.into_iter().flat_map(|growth| pages("seats", &growth.pages)));
    let accounts = |growth: &Growth| pages("accounts", &growth.pages_of_accounts);
    outcomes.extend(growth.into_iter().flat_map(accounts));
    outcomes
}

/// The goals of what reads or changes something that was created: those of `create-seats`, against the
/// floor that is alike.
fn against_floor(report: &Report, name: &str) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for (transport, how) in [(Transport::Plain, "in the clear"), (Transport::Tls, "over TLS")] {
        let other = floor_of(name);
        let of = |subject: &str| report.of(subject, transport);
        let (Some(ours), Some(floor)) = (of(name), of(other)) else { continue };
        let (ours, floor) = (&ours.figures, &floor.figures);
        for (figure, pair, most) in [
            (
                "first response",
                ours.first_response_ns.against(&floor.first_response_ns),
                (125, 100),
            ),
            ("CPU of a warm invocation", ours.warm_cpu_ns.against(&floor.warm_cpu_ns), (130, 100)),
        ] {
            let Some((ours, others)) = pair else { continue };
            let what = format!("{name}, {figure}, {how}, against {other}");
            outcomes.push(ratio(what, ours, others, most));
        }
    }
    outcomes
}

fn ratio(what: String, ours: u64, other: u64, (above, below): (u64, u64)) -> Outcome {
    let goal = if below == 100 {
        format!("at most {}.{:02}×", above / 100, above % 100)
    } else {
        format!("at most {above}/{below}")
    };
    let measured = if below == 100 {
        let hundredths = (ours * 100).div_ceil(other.max(1));
        format!("{}.{:02}×", hundredths / 100, hundredths % 100)
    } else {
        let tenths = other * 10 / ours.max(1);
        format!("1/{}.{}", tenths / 10, tenths % 10)
    };
    Outcome { what, goal, measured, reached: ours * below <= other * above }
}

fn bytes(what: String, measured: u64, most: u64) -> Outcome {
    let tenths = measured.div_ceil(100_000);
    Outcome {
        what,
        goal: format!("at most {most} MB"),
        measured: format!("{}.{} MB", tenths / 10, tenths % 10),
        reached: measured <= most * 1_000_000,
    }
}

fn calls(name: &str, measured: &Measured) -> Outcome {
    let sum = |calls: &crate::aws::Calls| calls.values().sum::<u64>();
    let (first, warm) = (sum(&measured.calls_first), sum(&measured.calls_warm));
    Outcome {
        what: format!("{name}, calls of AWS"),
        goal: "1, the first time 2".to_owned(),
        measured: format!("{warm}, the first time {first}"),
        reached: (first, warm) == (2, 1),
    }
}

/// The goals for a thousand seats in one request, made with an idempotency key.
fn batches(growth: &Growth) -> Vec<Outcome> {
    let step = |size| growth.requests.iter().find(|step: &&Step| step.size == size);
    let (Some(one), Some(ninety), Some(thousand)) = (step(1), step(90), step(1_000)) else {
        return Vec::new();
    };
    let cpu = |step: &Step| step.cpu_ns.median;
    let calls = thousand.calls_milli.div_ceil(1_000);
    vec![
        Outcome {
            what: "1,000 seats, transactions".to_owned(),
            goal: "11, since 98 seats fit".to_owned(),
            measured: calls.to_string(),
            reached: calls == 11,
        },
        ratio(
            "1,000 seats, CPU of a seat, against a request for one".to_owned(),
            cpu(thousand) / 1_000,
            cpu(one),
            (1, 10),
        ),
        ratio(
            "1,000 seats, CPU, against 90 seats in proportion".to_owned(),
            cpu(thousand) * 90,
            cpu(ninety) * 1_000,
            (150, 100),
        ),
    ]
}

/// The goal for a page of a list: the same calls and the same units, however long the list is.
fn pages(of: &str, steps: &[Step]) -> Option<Outcome> {
    let (fewest, most) = (steps.first()?, steps.last()?);
    let cost = |step: &Step| (step.calls_milli, step.read_units_milli);
    let told = |step: &Step| {
        let units = step.read_units_milli.unwrap_or_default() as f64 / 1_000.0;
        format!("{} calls and {units} read units", step.calls_milli as f64 / 1_000.0)
    };
    Some(Outcome {
        what: format!("a page of the list of {of}, {} {of} against {}", most.size, fewest.size),
        goal: "the same".to_owned(),
        measured: format!("{}; {}", told(most), told(fewest)),
        reached: steps.iter().all(|step| cost(step) == cost(fewest)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Spread;

    #[test]
    fn a_ratio_is_rounded_to_the_side_that_flatters_less() {
        let close = ratio(String::new(), 12_501, 10_000, (125, 100));
        assert_eq!((close.measured.as_str(), close.reached), ("1.26×", false));
        let exact = ratio(String::new(), 125, 100, (125, 100));
        assert_eq!((exact.measured.as_str(), exact.reached), ("1.25×", true));
        let peer = ratio(String::new(), 100, 1_499, (1, 15));
        assert_eq!((peer.measured.as_str(), peer.reached), ("1/14.9", false));
    }

    #[test]
    fn reads_are_compared_with_a_read_and_all_else_with_a_write() {
        assert_eq!(floor_of("get-account"), "floor-get-item");
        assert_eq!(floor_of("floor-get-item"), "floor-get-item");
        assert_eq!(floor_of("update-account"), "floor-put-item");
        assert_eq!(floor_of("create-seats"), "floor-put-item");
    }

    #[test]
    fn a_page_that_costs_more_in_a_longer_list_is_told() {
        let spread = || Spread { median: 1, min: 1, max: 1 };
        let step = |size, calls, units| Step {
            size,
            cpu_ns: spread(),
            latency_ns: spread(),
            calls_milli: calls,
            peak_memory_bytes: 0,
            write_units_milli: None,
            read_units_milli: Some(units),
        };
        let reached = |steps: &[Step]| pages("seats", steps).map(|outcome| outcome.reached);
        assert_eq!(reached(&[]), None);
        assert_eq!(reached(&[step(1_000, 1_000, 8_500), step(9_000, 1_000, 8_500)]), Some(true));
        assert_eq!(reached(&[step(1_000, 1_000, 8_500), step(9_000, 1_000, 9_000)]), Some(false));
        assert_eq!(reached(&[step(1_000, 1_000, 8_500), step(9_000, 2_000, 8_500)]), Some(false));
    }

    #[test]
    fn a_byte_too_many_is_told() {
        let over = bytes(String::new(), 6_000_001, 6);
        assert_eq!((over.measured.as_str(), over.reached), ("6.1 MB", false));
    }
}
