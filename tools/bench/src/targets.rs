//! What was set as a goal, and whether a run reaches it.

use crate::growth::{Growth, Step};
use crate::report::{Measured, Report};
use crate::stats::Series;
use crate::subject::{CREATES, Transport};

/// What ours are compared with.
pub(crate) const FLOOR: &str = "floor-put-item";

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
    for name in CREATES {
        let Some(measured) = report.of(name, Transport::Plain) else { continue };
        let most = if name == "create-account" { 40 } else { 16 };
        let memory = measured.figures.peak_memory_bytes.spread().median;
        outcomes.push(bytes(format!("{name}, peak memory"), memory, most));
        outcomes.push(bytes(format!("{name}, bootstrap"), measured.size_bytes, 6));
        outcomes.push(calls(name, measured));
    }
    outcomes.extend(growth.into_iter().flat_map(batches));
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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_byte_too_many_is_told() {
        let over = bytes(String::new(), 6_000_001, 6);
        assert_eq!((over.measured.as_str(), over.reached), ("6.1 MB", false));
    }
}
