//! Brings what was measured into the documents: everything between two marks is written anew.

use std::fs;
use std::path::Path;

use crate::cost::Costs;
use crate::failure::{Doing, Failure};
use crate::growth::{Growth, Step, exponent};
use crate::measure::Effort;
use crate::plot::{self, Bar, Line, count, time};
use crate::report::{Figures, Report};
use crate::stats::{Series, Spread};
use crate::subject::{Role, Transport};
use crate::{table, targets};

/// Copies the results beside the documents and rewrites what the documents say about them.
pub(crate) fn run(root: &Path, folder: &Path) -> Result<(), Failure> {
    let report = Report::read(&folder.join("latest.json"))?;
    let growth = Growth::read(&folder.join("growth.json"))?;
    if report.rounds < Effort::FULL.rounds {
        return Err(Failure::new("the last run was a quick one: `make bench` makes a whole one"));
    }
    // Everything is reckoned before anything is written: a run that lacks something changes nothing.
    let costs = Costs::of(root, &report, &growth)?;
    let performance = [
        ("figures", table::markdown(&report)),
        ("targets", goals(&report, &growth)),
        ("growth", grown(&growth)),
    ];
    let cost = [
        ("costs", costs.table()?),
        ("peers", costs.peers()?),
        ("units", costs.units_table()),
        ("prices", costs.prices()),
        ("scale", costs.scale()?),
    ];
    let docs = root.join("docs");
    let beside = docs.join("performance");
    fs::create_dir_all(&beside)?;
    for name in ["latest.json", "growth.json"] {
        fs::copy(folder.join(name), beside.join(name)).doing(name)?;
    }
    for (name, svg) in plots(&report, &growth) {
        fs::write(beside.join(name), svg).doing(name)?;
    }
    rewrite(&docs.join("performance.md"), &performance)?;
    rewrite(&docs.join("cost.md"), &cost)
}

/// Replaces what lies between `<!-- bench:name -->` and `<!-- bench:end -->`.
fn rewrite(path: &Path, parts: &[(&str, String)]) -> Result<(), Failure> {
    let mut text = fs::read_to_string(path).doing(path.display())?;
    for (name, part) in parts {
        text = replaced(&text, name, part).doing(path.display())?;
    }
    fs::write(path, text).doing(path.display())
}

fn replaced(text: &str, name: &str, part: &str) -> Result<String, Failure> {
    let (begin, end) = (format!("<!-- bench:{name} -->\n"), "<!-- bench:end -->");
    let missing = || Failure::new(format!("the marks of {name} are missing"));
    let (before, rest) = text.split_once(&begin).ok_or_else(missing)?;
    let (_, after) = rest.split_once(end).ok_or_else(missing)?;
    Ok(format!("{before}{begin}\n{}\n\n{end}{after}", part.trim()))
}

fn goals(report: &Report, growth: &Growth) -> String {
    let mut text = "| | goal | measured | |\n|---|---|---|---|\n".to_owned();
    for outcome in targets::outcomes(report, Some(growth)) {
        let reached = if outcome.reached { "reached" } else { "**missed**" };
        text += &format!(
            "| {} | {} | {} | {reached} |\n",
            outcome.what, outcome.goal, outcome.measured
        );
    }
    text
}

/// The title of the curve on which the cost of each seat is of interest.
const REQUESTS: &str = "Seats of a request";

fn grown(growth: &Growth) -> String {
    let mut text = String::new();
    for (title, head, steps) in [
        (REQUESTS, "seats", &growth.requests),
        ("Organizations that take turns in one warm process", "organizations", &growth.turns),
        ("Seats that the organization has already", "seats", &growth.organization),
        ("A page of the list of an organization's seats", "seats", &growth.pages),
        ("A page of the list of accounts", "accounts", &growth.pages_of_accounts),
    ] {
        // What an earlier run did not follow.
        if steps.is_empty() {
            continue;
        }
        let each = title == REQUESTS;
        text += &format!("### {title}\n\n{}\n", curve(head, each, steps));
    }
    text += "### Writers at the same time\n\n| writers | one organization: creates/s | p50 / p99 | tries of a create | answered 503 | one each: creates/s | p50 / p99 |\n|---|---|---|---|---|---|---|\n";
    for (one, many) in growth.writers_on_one.iter().zip(&growth.writers_on_many) {
        text += &format!(
            "| {} | {} | {} / {} | {:.2} | {} | {} | {} / {} |\n",
            one.writers,
            one.creates_per_second,
            time(one.p50_ns),
            time(one.p99_ns),
            one.tries_milli as f64 / 1_000.0,
            one.refused,
            many.creates_per_second,
            time(many.p50_ns),
            time(many.p99_ns),
        );
    }
    text
}

fn curve(head: &str, each: bool, steps: &[Step]) -> String {
    let charged = steps.iter().any(|step| step.write_units_milli.is_some());
    let mut heads = vec![head, "CPU of a request"];
    heads.extend(each.then_some("of one seat"));
    heads.extend(["latency", "calls", "peak memory"]);
    heads.extend(charged.then_some("write units"));
    let read = steps.iter().any(|step| step.read_units_milli.is_some());
    heads.extend(read.then_some("read units"));
    let mut text = format!("| {} |\n|{}\n", heads.join(" | "), "---|".repeat(heads.len()));
    for step in steps {
        let Spread { median, min, max } = step.cpu_ns;
        let mut cells =
            vec![count(step.size), format!("{} ({}–{})", time(median), time(min), time(max))];
        cells.extend(each.then(|| time(median / step.size)));
        cells.extend([
            time(step.latency_ns.median),
            format!("{}", step.calls_milli as f64 / 1_000.0),
            format!("{:.1} MB", step.peak_memory_bytes as f64 / 1e6),
        ]);
        let units = [step.write_units_milli, step.read_units_milli].into_iter().flatten();
        cells.extend(units.map(|units| format!("{}", units as f64 / 1_000.0)));
        text += &format!("| {} |\n", cells.join(" | "));
    }
    let points: Vec<(u64, u64)> =
        steps.iter().map(|step| (step.size, step.cpu_ns.median)).collect();
    match exponent(&points) {
        Some(exponent) => text + &format!("\nFitted: CPU grows with the power {exponent:.2}.\n"),
        None => text,
    }
}

fn plots(report: &Report, growth: &Growth) -> [(&'static str, String); 4] {
    let bars = |title: &str, figure: fn(&Figures) -> &Series| {
        let compared = report.results.iter().filter(|measured| {
            measured.transport == Transport::Tls
                && (measured.role != Role::Ours || measured.subject.starts_with("create-"))
        });
        let bars: Vec<Bar> = compared
            .map(|measured| Bar {
                label: measured.subject.clone(),
                figure: figure(&measured.figures).spread(),
                ours: measured.role == Role::Ours,
            })
            .collect();
        plot::bars(title, &bars, time)
    };
    let line = |label: &str, steps: &[Step]| Line {
        label: label.to_owned(),
        points: steps.iter().map(|step| (step.size, step.cpu_ns.median)).collect(),
    };
    let growing = [
        line("seats of a request", &growth.requests),
        line("organizations", &growth.turns),
        line("seats there", &growth.organization),
    ];
    let rate = |label: &str, contentions: &[crate::growth::Contention]| Line {
        label: label.to_owned(),
        points: contentions.iter().map(|c| (c.writers, c.creates_per_second)).collect(),
    };
    let writers =
        [rate("one each", &growth.writers_on_many), rate("the same", &growth.writers_on_one)];
    [
        (
            "first-response.svg",
            bars("From starting the process to its first answer, over TLS", |f| {
                &f.first_response_ns
            }),
        ),
        ("warm-cpu.svg", bars("Processor time of a warm invocation, over TLS", |f| &f.warm_cpu_ns)),
        ("growth.svg", plot::lines("Processor time of a create", "how many", &growing, time)),
        (
            "writers.svg",
            plot::lines(
                "Creates a second, all writers together",
                "writers on one organization each, or all on the same",
                &writers,
                count,
            ),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_between_the_marks_changes() {
        let text = "a\n<!-- bench:x -->\nold\n<!-- bench:end -->\nb\n";
        let new = replaced(text, "x", "new\n").expect("marks");
        assert_eq!(new, "a\n<!-- bench:x -->\n\nnew\n\n<!-- bench:end -->\nb\n");
        assert_eq!(replaced(&new, "x", "new").expect("marks"), new);
        assert!(replaced(text, "y", "new").is_err());
    }
}
