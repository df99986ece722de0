//! How costs grow: with the seats of a request, with the organizations that a process serves, with
//! the writers on one organization, and with the seats that an organization has, of a create and of a page
//! of the list, and with the accounts that there are, of a page of theirs.

#[cfg(feature = "growth")]
mod database;
#[cfg(feature = "growth")]
mod organization;
#[cfg(feature = "growth")]
mod pages;
mod requests;
mod turns;
#[cfg(feature = "growth")]
mod units;
mod writers;

use std::path::Path;

use axum::body::Bytes;
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::failure::{Doing, Failure};
use crate::measure::nanos;
use crate::session::Session;
use crate::stats::Spread;
use crate::subject::Places;

/// How far growth is followed.
#[derive(Args)]
pub(crate) struct Options {
    /// Fewer repetitions, and organizations of up to 10,000 seats only.
    #[arg(long)]
    pub(crate) quick: bool,
}

/// What was found, as `target/bench/growth.json` keeps it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Growth {
    /// When, in UTC.
    pub(crate) made_at: String,
    /// A request of so many seats.
    pub(crate) requests: Vec<Step>,
    /// So many organizations take turns in one warm process.
    pub(crate) turns: Vec<Step>,
    /// So many processes write to one organization.
    pub(crate) writers_on_one: Vec<Contention>,
    /// So many processes write to an organization each.
    pub(crate) writers_on_many: Vec<Contention>,
    /// An organization has so many seats already.
    #[serde(default)]
    pub(crate) organization: Vec<Step>,
    /// A page of the list of an organization that has so many seats.
    #[serde(default)]
    pub(crate) pages: Vec<Step>,
    /// A page of the list of so many accounts.
    #[serde(default)]
    pub(crate) pages_of_accounts: Vec<Step>,
    /// What the table charges for one request.
    #[serde(default)]
    pub(crate) units: Vec<Units>,
}

/// One point of a curve.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Step {
    /// How much there is of what grows.
    pub(crate) size: u64,
    /// Processor time of one request.
    pub(crate) cpu_ns: Spread,
    /// From handing out the event until the answer is here.
    pub(crate) latency_ns: Spread,
    /// Calls of AWS by one request, in thousandths.
    pub(crate) calls_milli: u64,
    /// The most memory that the process has held.
    pub(crate) peak_memory_bytes: u64,
    /// Write units of one request, in thousandths, where the table tells them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) write_units_milli: Option<u64>,
    /// Read units of one request, in thousandths, where they are of interest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) read_units_milli: Option<u64>,
}

/// What came of writers that want the same item at the same time.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Contention {
    pub(crate) writers: u64,
    /// Creates that committed, each second.
    pub(crate) creates_per_second: u64,
    /// Creates that were answered with 503.
    pub(crate) refused: u64,
    /// Of the creates that committed.
    pub(crate) p50_ns: u64,
    /// Of the creates that committed.
    pub(crate) p99_ns: u64,
    /// Transactions tried for one create, in thousandths.
    pub(crate) tries_milli: u64,
}

/// What DynamoDB charges for one request, in thousandths of a unit.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Units {
    pub(crate) function: String,
    /// Of the table.
    pub(crate) write_units_milli: u64,
    /// Of the index `behind`.
    pub(crate) index_write_units_milli: u64,
    /// Of a process that remembers nothing yet.
    pub(crate) read_units_milli: u64,
    /// Write units by the published rule, from the sizes of the items that were written.
    pub(crate) write_units_by_rule_milli: u64,
    /// What the items take in the table.
    pub(crate) stored_bytes: u64,
}

impl Growth {
    /// Reads what an earlier run found.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path).doing(path.display())?;
        serde_json::from_str(&text).doing(path.display())
    }
}

/// Follows growth and keeps what was found.
pub(crate) async fn run(options: &Options, places: &Places, folder: &Path) -> Result<(), Failure> {
    let growth = Growth {
        made_at: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        requests: requests::follow(options, places, folder).await?,
        turns: turns::follow(options, places, folder).await?,
        writers_on_one: writers::follow(options, places, folder, writers::Target::One).await?,
        writers_on_many: writers::follow(options, places, folder, writers::Target::Each).await?,
        #[cfg(feature = "growth")]
        organization: organization::follow(options, places, folder).await?,
        #[cfg(not(feature = "growth"))]
        organization: Vec::new(),
        #[cfg(feature = "growth")]
        pages: pages::follow(&pages::SEATS, options, places, folder).await?,
        #[cfg(not(feature = "growth"))]
        pages: Vec::new(),
        #[cfg(feature = "growth")]
        pages_of_accounts: pages::follow(&pages::ACCOUNTS, options, places, folder).await?,
        #[cfg(not(feature = "growth"))]
        pages_of_accounts: Vec::new(),
        #[cfg(feature = "growth")]
        units: units::count(places, folder).await?,
        #[cfg(not(feature = "growth"))]
        units: Vec::new(),
    };
    let path = folder.join("growth.json");
    std::fs::write(&path, serde_json::to_string_pretty(&growth)? + "\n").doing(path.display())?;
    println!("written to {}", path.display());
    Ok(())
}

/// The slope of a straight line through the points on logarithmic scales: 0 when nothing grows, 1
/// when twice as much costs twice as much.
pub(crate) fn exponent(points: &[(u64, u64)]) -> Option<f64> {
    let logs: Vec<(f64, f64)> =
        points.iter().map(|&(x, y)| ((x as f64).ln(), (y as f64).ln())).collect();
    let count = logs.len() as f64;
    let (sum_x, sum_y) = logs.iter().fold((0.0, 0.0), |(x, y), log| (x + log.0, y + log.1));
    let (mean_x, mean_y) = (sum_x / count, sum_y / count);
    let (above, below) = logs.iter().fold((0.0, 0.0), |(above, below), (x, y)| {
        (above + (x - mean_x) * (y - mean_y), below + (x - mean_x).powi(2))
    });
    (below > 0.0).then(|| above / below)
}

/// A request for so many seats, which are as those of the published example by turns.
fn seats(count: u64) -> Value {
    let seat = |index: u64| {
        if index.is_multiple_of(2) {
            json!({"tier": "basic"})
        } else {
            json!({
                "tier": "premium", "platform": "tiktok", "username": format!("newcreator{index}"),
                "pfp_url": "https://example.com/avatar.jpg", "keywords": "fitness,health,workout",
                "nick_name": "New Creator", "tag": "influencer",
            })
        }
    };
    json!({"accounts": (0..count).map(seat).collect::<Vec<_>>()})
}

/// What some invocations of a warm process took.
pub(crate) struct Warm {
    /// Processor time of one.
    cpu_ns: u64,
    /// Sorted.
    latencies: Vec<u64>,
}

/// Invokes a process that is waiting for work, once for each event.
async fn warm(session: &mut Session, events: impl Iterator<Item = Bytes>) -> Result<Warm, Failure> {
    let cpu = session.process.cpu()?;
    let mut latencies = Vec::new();
    for event in events {
        latencies.push(nanos(session.invoke(&event).await?.latency));
    }
    session.idle().await?;
    let cpu = nanos(session.process.cpu()?.saturating_sub(cpu));
    latencies.sort_unstable();
    Ok(Warm { cpu_ns: cpu / u64::try_from(latencies.len().max(1))?, latencies })
}

/// What an answer must say when so many seats were created.
fn made_all(answer: &[u8], count: u64) -> Result<(), Failure> {
    let answer = String::from_utf8_lossy(answer);
    if answer.contains(&format!("\\\"successful\\\":{count},\\\"failed\\\":0")) {
        return Ok(());
    }
    let beginning: String = answer.chars().take(500).collect();
    Err(Failure::new(format!("{count} seats were to be created: {beginning}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponent_of_a_power_is_that_power() {
        let close = |points: &[(u64, u64)], power: f64| {
            exponent(points).is_some_and(|found| (found - power).abs() < 0.001)
        };
        assert!(close(&[(1, 7), (10, 70), (100, 700)], 1.0));
        assert!(close(&[(1, 7), (10, 7), (1_000, 7)], 0.0));
        assert!(close(&[(1, 1), (10, 100), (100, 10_000)], 2.0));
        assert_eq!(exponent(&[(1, 7)]), None);
    }

    #[test]
    fn an_answer_that_created_less_is_noticed() {
        let answer = br#"{"body":"{\"data\":{\"successful\":2,\"failed\":0}}"}"#;
        assert_eq!(made_all(answer, 2), Ok(()));
        assert!(made_all(answer, 3).is_err());
    }
}
