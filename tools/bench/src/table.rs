//! The figures as text: for the terminal, and for documents.

use comfy_table::{Table, presets};

use crate::aws::Calls;
use crate::report::{Measured, Report};
use crate::stats::{Series, Spread};
use crate::subject::{Role, Transport};
use crate::targets::floor_of;

const HEAD: [&str; 9] = [
    "",
    "first poll ms",
    "first response ms",
    "× floor",
    "warm p50 / p99 µs",
    "CPU µs",
    "× floor",
    "peak MB",
    "size MB",
];

/// A figure in a unit, with one digit behind the point where it is small.
fn scaled(figure: u64, unit: u64) -> String {
    let tenths = (figure * 10 + unit / 2) / unit;
    if tenths < 1_000 {
        format!("{}.{}", tenths / 10, tenths % 10)
    } else {
        (tenths / 10).to_string()
    }
}

fn spread(figure: &Series, unit: u64) -> String {
    let Spread { median, min, max } = figure.spread();
    let [median, min, max] = [median, min, max].map(|f| scaled(f, unit));
    format!("{median} ({min}–{max})")
}

fn ratio(figure: &Series, floor: Option<&Series>) -> String {
    let Some((one, floor)) = floor.and_then(|floor| figure.against(floor)) else {
        return "–".to_owned();
    };
    let hundredths = (one * 100 + floor / 2) / floor;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

fn row(measured: &Measured, floor: Option<&Measured>) -> [String; 9] {
    let figures = &measured.figures;
    let floor = floor.map(|floor| &floor.figures);
    [
        measured.subject.clone(),
        spread(&figures.first_poll_ns, 1_000_000),
        spread(&figures.first_response_ns, 1_000_000),
        ratio(&figures.first_response_ns, floor.map(|floor| &floor.first_response_ns)),
        format!(
            "{} / {}",
            scaled(figures.warm_p50_ns.spread().median, 1_000),
            scaled(figures.warm_p99_ns.spread().median, 1_000)
        ),
        spread(&figures.warm_cpu_ns, 1_000),
        ratio(&figures.warm_cpu_ns, floor.map(|floor| &floor.warm_cpu_ns)),
        scaled(figures.peak_memory_bytes.spread().median, 1_000_000),
        scaled(measured.size_bytes, 1_000_000),
    ]
}

/// The results over one transport, floors and peers behind ours.
fn results(report: &Report, transport: Transport) -> Vec<[String; 9]> {
    [Role::Ours, Role::Floor, Role::Peer]
        .into_iter()
        .flat_map(|role| report.results.iter().filter(move |measured| measured.role == role))
        .filter(|measured| measured.transport == transport)
        .map(|measured| row(measured, report.of(floor_of(&measured.subject), transport)))
        .collect()
}

/// The tables of a run for the terminal.
pub(crate) fn terminal(report: &Report) -> String {
    let mut text = String::new();
    for (transport, title) in TRANSPORTS {
        let rows = results(report, transport);
        if !rows.is_empty() {
            let mut table = Table::new();
            table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_header(HEAD).add_rows(rows);
            text += &format!("{title}\n{table}\n");
        }
    }
    text + &calls(report)
}

/// The tables of a run for a document.
pub(crate) fn markdown(report: &Report) -> String {
    let machine = &report.machine;
    let mut text = format!(
        "Made {} on {} ({} cores, Linux {}), {} rounds. Median (lowest–highest); of ratios within each round the median.\n",
        report.made_at, machine.processor, machine.cores, machine.kernel, report.rounds
    );
    for (transport, title) in TRANSPORTS {
        let rows = results(report, transport);
        if !rows.is_empty() {
            text += &format!("\n### {title}\n\n{}", lines(HEAD.as_slice(), &rows));
        }
    }
    text + &format!("\n### Calls of AWS and Stripe\n\n{}", lines(&CALLS, &call_rows(report)))
}

fn lines<const N: usize>(head: &[&str], rows: &[[String; N]]) -> String {
    let line = |cells: Vec<&str>| format!("| {} |\n", cells.join(" | "));
    let mut text = line(head.to_vec()) + &line(vec!["---"; N]);
    for row in rows {
        text += &line(row.iter().map(String::as_str).collect());
    }
    text
}

/// The transports, as they are called.
const TRANSPORTS: [(Transport, &str); 2] =
    [(Transport::Plain, "In the clear"), (Transport::Tls, "Over TLS")];

const CALLS: [&str; 3] = ["", "until the first answer", "of a warm invocation"];

/// The calls of AWS and Stripe, which do not depend on the transport.
fn call_rows(report: &Report) -> Vec<[String; 3]> {
    let list = |calls: &Calls| {
        let calls: Vec<String> =
            calls.iter().map(|(name, count)| format!("{count} {name}")).collect();
        if calls.is_empty() { "none".to_owned() } else { calls.join(", ") }
    };
    let transport = report.results.first().map(|measured| measured.transport);
    report
        .results
        .iter()
        .filter(|measured| Some(measured.transport) == transport)
        .map(|measured| {
            [measured.subject.clone(), list(&measured.calls_first), list(&measured.calls_warm)]
        })
        .collect()
}

fn calls(report: &Report) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_header(CALLS);
    table.add_rows(call_rows(report));
    format!("Calls of AWS and Stripe\n{table}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_figures_keep_a_digit() {
        assert_eq!(scaled(1_249, 1_000), "1.2");
        assert_eq!(scaled(1_250, 1_000), "1.3");
        assert_eq!(scaled(99_949, 1_000), "99.9");
        assert_eq!(scaled(123_456, 1_000), "123");
    }

    #[test]
    fn a_ratio_to_nothing_is_none() {
        let figure = |figure| Series::of([figure]).expect("a figure");
        assert_eq!(ratio(&figure(125), Some(&figure(100))), "1.25");
        assert_eq!(ratio(&figure(1), Some(&figure(0))), "–");
        assert_eq!(ratio(&figure(1), None), "–");
    }
}
