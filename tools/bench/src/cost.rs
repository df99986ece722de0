//! What a million requests cost, from measured units and published prices.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::failure::{Doing, Failure};
use crate::growth::{Growth, Units};
use crate::plot::count;
use crate::report::{Measured, Report};
use crate::subject::Transport;

/// What is assumed, because it cannot be measured without AWS.
mod assumed {
    /// A transaction, seen from a function.
    pub(super) const TRANSACTION_MS: f64 = 10.0;
    /// A read or a write of one item, a message, an event.
    pub(super) const CALL_MS: f64 = 5.0;
    /// An update of a subscription at Stripe.
    pub(super) const STRIPE_MS: f64 = 500.0;
    /// What Lambda logs about an invocation, as JSON.
    pub(super) const PLATFORM_LOG: f64 = 900.0;
    /// What the API logs about a request.
    pub(super) const ACCESS_LOG: f64 = 250.0;
    /// An answer with its headers.
    pub(super) const ANSWER: f64 = 1_000.0;
    /// Memory that comes with one whole processor, in MB
    /// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>).
    pub(super) const WHOLE_PROCESSOR: f64 = 1_769.0;
    /// By how much the busiest second exceeds the average.
    pub(super) const PEAK: f64 = 10.0;
    /// The month in which all accounts are made, in seconds.
    pub(super) const MONTH: f64 = 30.0 * 86_400.0;
}

const MILLION: f64 = 1_000_000.0;

/// The file of prices.
#[derive(Deserialize)]
pub(crate) struct Prices {
    region: String,
    as_of: String,
    note: String,
    #[serde(flatten)]
    prices: BTreeMap<String, Price>,
}

#[derive(Deserialize)]
struct Price {
    price: f64,
    page: String,
}

/// A limit that somebody has published.
#[derive(Deserialize)]
struct Limit {
    limit: String,
    of: String,
    value: f64,
    page: String,
    then: String,
}

/// One way to cost money: what for, and dollars per million.
type Line = (&'static str, f64);

/// The parts of docs/cost.md that are reckoned.
pub(crate) struct Costs<'r> {
    prices: Prices,
    limits: Vec<Limit>,
    memory: BTreeMap<String, f64>,
    report: &'r Report,
    growth: &'r Growth,
}

impl<'r> Costs<'r> {
    /// Reads prices, limits and the template.
    pub(crate) fn of(root: &Path, report: &'r Report, growth: &'r Growth) -> Result<Self, Failure> {
        let template = fs::read_to_string(root.join("template.yaml")).doing("template.yaml")?;
        Ok(Self {
            prices: read(&root.join("tools/bench/prices.json"))?,
            limits: read(&root.join("tools/bench/limits.json"))?,
            memory: memory(&template),
            report,
            growth,
        })
    }

    fn price(&self, name: &str) -> Result<f64, Failure> {
        let price = self.prices.prices.get(name);
        Ok(price.ok_or_else(|| Failure::new(format!("no price of {name}")))?.price)
    }

    /// Of a function, in MB.
    fn memory(&self, function: &str) -> Result<f64, Failure> {
        let memory = self.memory.get(function).or_else(|| self.memory.get("Globals"));
        memory.copied().ok_or_else(|| Failure::new("the template tells no MemorySize"))
    }

    fn units(&self, function: &str) -> Result<&Units, Failure> {
        let mut units = self.growth.units.iter();
        units
            .find(|units| units.function == function)
            .ok_or_else(|| Failure::new(format!("growth.json has no units of {function}")))
    }

    fn measured(&self, subject: &str) -> Result<&Measured, Failure> {
        // Over TLS, as in production.
        let measured = self.report.of(subject, Transport::Tls);
        measured.ok_or_else(|| Failure::new(format!("latest.json has no {subject}")))
    }

    /// Billed milliseconds: the processor's, which a function gets a share of, and the waiting.
    fn billed_ms(measured: &Measured, memory: f64, waiting: f64) -> f64 {
        let cpu = measured.figures.warm_cpu_ns.spread().median as f64 / MILLION;
        (cpu * assumed::WHOLE_PROCESSOR / memory + waiting).ceil()
    }

    /// What a million invocations cost at Lambda: requests, then time.
    fn lambda(&self, subject: &str, memory: f64, waiting: f64) -> Result<[Line; 2], Failure> {
        let ms = Self::billed_ms(self.measured(subject)?, memory, waiting);
        let seconds = ms / 1_000.0 * memory / 1_024.0 * MILLION;
        Ok([
            ("Lambda, requests", self.price("lambda_million_requests")?),
            ("Lambda, time", seconds * self.price("lambda_gb_second")?),
        ])
    }

    fn logs(&self, subject: &str, besides: f64) -> Result<Line, Failure> {
        let bytes = self.measured(subject)?.figures.log_bytes.spread().median as f64;
        Ok(("logs", (bytes + besides) * MILLION / 1e9 * self.price("logs_gb")?))
    }

    fn writes(&self, units: &Units) -> Result<Line, Failure> {
        let milli = (units.write_units_milli + units.index_write_units_milli) as f64;
        Ok(("DynamoDB, writes", milli / 1_000.0 * self.price("dynamodb_million_write_units")?))
    }

    /// A million requests of an API, made by a subject that does the work of `function`.
    fn create(&self, subject: &str, function: &str) -> Result<Vec<Line>, Failure> {
        let lambda = self.lambda(subject, self.memory(function)?, assumed::TRANSACTION_MS)?;
        let mut lines = vec![("HTTP API", self.price("http_api_million_requests")?)];
        lines.extend(lambda);
        lines.push(self.writes(self.units(function)?)?);
        lines.push(self.logs(subject, assumed::PLATFORM_LOG + assumed::ACCESS_LOG)?);
        let out = assumed::ANSWER * MILLION / 1e9 * self.price("data_out_gb")?;
        lines.push(("data out", out));
        Ok(lines)
    }

    /// A million billing changes that each come alone: nothing is saved by batches.
    fn change(&self) -> Result<Vec<Line>, Failure> {
        let publish =
            self.lambda("publish-changes", self.memory("publish-changes")?, assumed::CALL_MS)?;
        let waiting = 2.0 * assumed::CALL_MS + assumed::STRIPE_MS;
        let sync = self.lambda("sync-billing", self.memory("sync-billing")?, waiting)?;
        let units = self.units("sync-billing")?;
        let reads =
            units.read_units_milli as f64 / 1_000.0 * self.price("dynamodb_million_read_units")?;
        let logs = self.logs("publish-changes", assumed::PLATFORM_LOG)?.1
            + self.logs("sync-billing", assumed::PLATFORM_LOG)?.1;
        Ok(vec![
            ("publish-changes", publish[0].1 + publish[1].1),
            ("SQS FIFO (send, receive, delete)", 3.0 * self.price("sqs_fifo_million_requests")?),
            ("sync-billing", sync[0].1 + sync[1].1),
            self.writes(units)?,
            ("DynamoDB, reads", reads),
            ("logs", logs),
        ])
    }

    /// A million times the events of the two seats of the example: two that were created, one
    /// whose setup is asked for, which goes through the setup queue.
    fn events(&self) -> Result<Vec<Line>, Failure> {
        Ok(vec![
            ("EventBridge, three events", 3.0 * self.price("eventbridge_million_events")?),
            ("setup queue (send, receive, delete)", 3.0 * self.price("sqs_million_requests")?),
        ])
    }

    /// Dollars for a million of each.
    pub(crate) fn table(&self) -> Result<String, Failure> {
        let mut text = String::new();
        let creates = [
            ("Seats: `POST /accounts/create`, two seats", "create-seats"),
            ("Agency: `POST /api/v3/accounts`", "create-agency-account"),
            ("Identity: `POST /v1/accounts`", "create-account"),
        ];
        for (title, function) in creates {
            text += &itemized(title, &self.create(function, function)?);
        }
        text += &itemized("A billing change, each alone", &self.change()?);
        text += &itemized("Events of two seats", &self.events()?);
        Ok(text)
    }

    /// The same million of requests, made by the peers.
    pub(crate) fn peers(&self) -> Result<String, Failure> {
        let memory = self.memory("create-seats")?;
        let mut text = "| two seats | billed ms | Lambda, time | everything | a million cold starts |\n|---|---|---|---|---|\n".to_owned();
        for subject in ["create-seats", "peer-rust", "peer-node", "peer-python"] {
            let Ok(measured) = self.measured(subject) else { continue };
            let lines = self.create(subject, "create-seats")?;
            let time =
                lines.iter().find(|line| line.0 == "Lambda, time").map_or(0.0, |line| line.1);
            let start = measured.figures.first_poll_ns.spread().median as f64 / 1e9;
            let start = start * memory / 1_024.0 * MILLION * self.price("lambda_gb_second")?;
            let ms = Self::billed_ms(measured, memory, assumed::TRANSACTION_MS);
            text += &format!(
                "| {subject} | {ms:.0} | ${time:.3} | ${:.2} | ${start:.2} |\n",
                total(&lines)
            );
        }
        Ok(text)
    }

    /// What was measured in the table's own unit.
    pub(crate) fn units_table(&self) -> String {
        let milli = |milli: u64| format!("{}", milli as f64 / 1_000.0);
        let mut text = "| one request | write units | by the rule | of the index | read units, unless remembered | bytes kept |\n|---|---|---|---|---|---|\n".to_owned();
        for units in &self.growth.units {
            text += &format!(
                "| {} | {} | {} | {} | {} | {} |\n",
                units.function,
                milli(units.write_units_milli),
                milli(units.write_units_by_rule_milli),
                milli(units.index_write_units_milli),
                milli(units.read_units_milli),
                count(units.stored_bytes)
            );
        }
        text
    }

    /// The prices, with where they are published.
    pub(crate) fn prices(&self) -> String {
        let Prices { region, as_of, note, prices } = &self.prices;
        let mut text =
            format!("Prices of {region}, {as_of}. {note}\n\n| price | $ | page |\n|---|---|---|\n");
        for (name, Price { price, page }) in prices {
            text += &format!("| {} | {price} | {page} |\n", name.replace('_', " "));
        }
        text
    }

    /// The first limit that is met when so many accounts are made in a month.
    pub(crate) fn scale(&self) -> Result<String, Failure> {
        let units = self.units("create-seats")?;
        let units = (units.write_units_milli + units.index_write_units_milli) as f64 / 1_000.0;
        let memory = self.memory("create-seats")?;
        let ms = Self::billed_ms(self.measured("create-seats")?, memory, assumed::TRANSACTION_MS);
        let whole = total(&self.create("create-seats", "create-seats")?)
            + total(&self.change()?)
            + total(&self.events()?);
        let mut text = "| accounts | requests a second, at the peak | write units a second | AWS | limits met, the tightest first |\n|---|---|---|---|---|\n".to_owned();
        for power in 3..=9 {
            let accounts = 10_f64.powi(power);
            let rate = accounts / 2.0 / assumed::MONTH * assumed::PEAK;
            let load = |of: &str| match of {
                "write_units_per_second" => rate * units,
                "events_per_second" => rate * 3.0,
                "concurrency" => rate * ms / 1_000.0,
                _ => rate,
            };
            let mut met: Vec<(f64, &Limit)> = self
                .limits
                .iter()
                .map(|limit| (load(&limit.of) / limit.value, limit))
                .filter(|(share, _)| *share > 1.0)
                .collect();
            met.sort_by(|a, b| b.0.total_cmp(&a.0));
            let met: Vec<&str> = met.iter().map(|(_, limit)| limit.limit.as_str()).collect();
            let met = if met.is_empty() { "none".to_owned() } else { met.join("; ") };
            let dollars = accounts / 2.0 / MILLION * whole;
            text += &format!(
                "| {} | {rate:.2} | {:.1} | ${dollars:.2} | {met} |\n",
                count(accounts as u64),
                rate * units
            );
        }
        text += "\n| limit | what to do then | source |\n|---|---|---|\n";
        for Limit { limit, then, page, .. } in &self.limits {
            text += &format!("| {limit} | {then} | {page} |\n");
        }
        Ok(text)
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    let text = fs::read_to_string(path).doing(path.display())?;
    serde_json::from_str(&text).doing(path.display())
}

fn total(lines: &[Line]) -> f64 {
    lines.iter().map(|line| line.1).sum()
}

fn itemized(title: &str, lines: &[Line]) -> String {
    let mut text = format!("| {title} | $ per million |\n|---|---|\n");
    for (what, dollars) in lines {
        text += &format!("| {what} | {dollars:.3} |\n");
    }
    text + &format!("| **together** | **{:.2}** |\n\n", total(lines))
}

/// `MemorySize` by function, `Globals` included: `CreateSeatsFunction` is `create-seats`.
fn memory(template: &str) -> BTreeMap<String, f64> {
    let mut found = BTreeMap::new();
    let mut owner = String::new();
    for line in template.lines() {
        let indent = line.len() - line.trim_start().len();
        let line = line.trim();
        if indent == 0 && line == "Globals:" {
            owner = "Globals".to_owned();
        } else if indent == 2 && line.ends_with("Function:") && line != "Function:" {
            owner = kebab(line.trim_end_matches("Function:"));
        } else if let Some(memory) = line.strip_prefix("MemorySize: ")
            && let Ok(memory) = memory.parse()
        {
            found.insert(owner.clone(), memory);
        }
    }
    found
}

fn kebab(pascal: &str) -> String {
    let mut text = String::new();
    for letter in pascal.chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_tells_the_memory() {
        let template = "Globals:\n  Function:\n    MemorySize: 256\nResources:\n  CreateAccountFunction:\n    Properties:\n      MemorySize: 512\n";
        let memory = memory(template);
        assert_eq!(memory["Globals"], 256.0);
        assert_eq!(memory["create-account"], 512.0);
    }

    #[test]
    fn a_million_of_what_costs_a_dollar_each_is_added_up() {
        let text = itemized("x", &[("a", 1.0), ("b", 0.25)]);
        assert!(text.contains("| a | 1.000 |") && text.contains("**1.25**"));
    }
}
