//! The command line.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};
use jiff::Timestamp;

use crate::aws::Aws;
use crate::backend::Canned;
use crate::failure::{Doing, Failure};
use crate::growth;
use crate::guard;
use crate::machine::Machine;
use crate::measure::{self, Effort};
use crate::publish;
use crate::report::Report;
use crate::subject::{Places, Subject, Transport};
use crate::{table, targets};

/// Measures functions beside a floor and beside peers, without AWS.
#[derive(Parser)]
struct Cli {
    /// Root of the checkout.
    #[arg(long, default_value = ".", global = true)]
    root: PathBuf,
    /// Where the release binaries are, below the root: `make build` puts them into target/lambda,
    /// cargo into target/release.
    #[arg(long, default_value = "target/lambda", global = true)]
    binaries: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Starts, invokes and compares.
    Run(Run),
    /// Counts instructions, bytes and calls, and compares them with those kept in guard.json.
    Guard(guard::Options),
    /// Follows how costs grow.
    Growth(growth::Options),
    /// Brings the last results into docs/performance.md and docs/cost.md.
    Publish,
}

#[derive(Args)]
struct Run {
    /// Three rounds instead of eleven.
    #[arg(long)]
    quick: bool,
    /// Only these subjects, with commas between.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Leave TLS out.
    #[arg(long)]
    plain: bool,
}

/// Does what the command line says.
pub(crate) async fn main() -> Result<(), Failure> {
    let cli = Cli::parse();
    let root = cli.root.canonicalize().doing(cli.root.display())?;
    let places = Places::of(&root, &cli.binaries);
    let folder = root.join("target/bench");
    fs::create_dir_all(&folder)?;
    match cli.command {
        Command::Run(options) => run(&options, &places, &folder).await,
        Command::Publish => publish::run(&root, &folder),
        Command::Growth(options) => growth::run(&options, &places, &folder).await,
        Command::Guard(options) => guard::run(&options, &root, &places, &folder).await,
    }
}

async fn run(options: &Run, places: &Places, folder: &Path) -> Result<(), Failure> {
    let subjects = wanted(places, &options.only)?;
    let transports =
        if options.plain { &[Transport::Plain][..] } else { &[Transport::Plain, Transport::Tls] };
    let effort = if options.quick { Effort::QUICK } else { Effort::FULL };
    let aws = Aws::start(Canned, folder).await?;
    let report = Report {
        made_at: Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        machine: Machine::this(),
        rounds: effort.rounds,
        invocations: effort.invocations,
        results: measure::all(&subjects, transports, effort, &aws, folder).await?,
    };
    report.write(&folder.join("latest.json"))?;
    println!("{}", table::terminal(&report));
    for outcome in targets::outcomes(&report, None).iter().filter(|outcome| !outcome.reached) {
        println!("missed: {}: {}, goal {}", outcome.what, outcome.measured, outcome.goal);
    }
    Ok(())
}

/// The subjects to measure, without those that have not been built.
pub(crate) fn wanted(places: &Places, only: &[String]) -> Result<Vec<Subject>, Failure> {
    let all = places.subjects();
    if let Some(name) = only.iter().find(|name| all.iter().all(|subject| subject.name != **name)) {
        return Err(Failure::new(format!("there is no subject {name}")));
    }
    let wanted = all.into_iter().filter(|subject| only.is_empty() || only.contains(&subject.name));
    let (there, missing): (Vec<_>, Vec<_>) = wanted.partition(Subject::exists);
    for subject in missing {
        eprintln!("{} is left out: {} is not there", subject.name, subject.code.display());
    }
    if there.is_empty() {
        Err(Failure::new("nothing to measure has been built"))
    } else {
        Ok(there)
    }
}
