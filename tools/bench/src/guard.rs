//! What noise cannot fool: instructions and calls of a warm invocation, and bytes of a bootstrap,
//! held against those kept in `guard.json`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::aws::{Aws, Calls};
use crate::backend::Canned;
use crate::failure::{Doing, Failure};
use crate::measure;
use crate::process::Program;
use crate::subject::{CREATES, Places, Subject, Transport};

/// By how much a figure may grow, in percent.
const ALLOWANCE: u64 = 3;

/// What the guard is asked to do.
#[derive(Args)]
pub(crate) struct Options {
    /// Keep the figures of now.
    #[arg(long)]
    update: bool,
    /// Count this often and tell how far the counts lie apart; nothing is compared.
    #[arg(long, conflicts_with = "update")]
    repeat: Option<u32>,
    /// With --repeat: these subjects, with commas between, in the place of the creates.
    #[arg(long, value_delimiter = ',', requires = "repeat")]
    only: Vec<String>,
}

/// The file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    /// The compiler that the figures belong to.
    compiler: String,
    /// The processor that they belong to.
    architecture: String,
    functions: BTreeMap<String, Counted>,
}

/// The figures of one function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Counted {
    /// Of a warm invocation; absent without valgrind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    instructions: Option<u64>,
    bootstrap_bytes: u64,
    calls_first: Calls,
    calls_warm: Calls,
}

/// Counts, and compares or keeps.
pub(crate) async fn run(
    options: &Options,
    root: &Path,
    places: &Places,
    folder: &Path,
) -> Result<(), Failure> {
    let file = root.join("tools/bench/guard.json");
    let subjects = subjects(places, &options.only)?;
    let valgrind = valgrind();
    if valgrind.is_none() {
        println!("valgrind is not on the PATH: only sizes and calls are compared.");
    }
    let aws = Aws::start(Canned, folder).await?;
    let counting = Counting { valgrind, aws, folder };
    if let Some(times) = options.repeat {
        return counting.repeat(&subjects, times).await;
    }
    let mut now = Kept {
        compiler: compiler(),
        architecture: std::env::consts::ARCH.to_owned(),
        functions: BTreeMap::new(),
    };
    for subject in &subjects {
        now.functions.insert(subject.name.clone(), counting.of(subject).await?);
    }
    if options.update {
        return keep(&file, &now);
    }
    let text = fs::read_to_string(&file).doing(file.display())?;
    let kept: Kept = serde_json::from_str(&text).doing(file.display())?;
    judge(&kept, &now)
}

fn subjects(places: &Places, only: &[String]) -> Result<Vec<Subject>, Failure> {
    if only.is_empty() {
        CREATES.into_iter().map(|name| places.subject(name)).collect()
    } else {
        only.iter().map(|name| places.subject(name)).collect()
    }
}

fn valgrind() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join("valgrind")).find(|file| file.is_file())
}

fn compiler() -> String {
    let output = Command::new("rustc").arg("--version").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    text.map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned())
}

fn keep(file: &Path, now: &Kept) -> Result<(), Failure> {
    if now.functions.values().any(|counted| counted.instructions.is_none()) {
        return Err(Failure::new("without valgrind there are no counts to keep"));
    }
    fs::write(file, serde_json::to_string_pretty(now)? + "\n").doing(file.display())?;
    println!("kept in {}", file.display());
    Ok(())
}

/// Says how the figures stand, and fails when one has grown.
fn judge(kept: &Kept, now: &Kept) -> Result<(), Failure> {
    let same_architecture = kept.architecture == now.architecture;
    if !same_architecture {
        println!("The figures are those of {}: only calls are compared.", kept.architecture);
    }
    if kept.compiler != now.compiler {
        println!("The figures were made with {}; this is {}.", kept.compiler, now.compiler);
    }
    let mut faults = Vec::new();
    for (name, now) in &now.functions {
        let Some(kept) = kept.functions.get(name) else {
            faults.push(format!("{name}: nothing is kept"));
            continue;
        };
        if same_architecture {
            faults.extend(grown(name, "instructions", kept.instructions, now.instructions));
            let (before, after) = (Some(kept.bootstrap_bytes), Some(now.bootstrap_bytes));
            faults.extend(grown(name, "bytes", before, after));
        }
        for (when, before, after) in [
            ("first", &kept.calls_first, &now.calls_first),
            ("warm", &kept.calls_warm, &now.calls_warm),
        ] {
            if before != after {
                faults.push(format!("{name}: calls of a {when} request {before:?} -> {after:?}"));
            }
        }
    }
    if faults.is_empty() {
        return Ok(());
    }
    faults.push("On purpose? `make bench-guard-update` keeps the figures of now.".to_owned());
    Err(Failure::new(faults.join("\n  ")))
}

/// Tells a figure, and the fault when it has grown by more than the allowance.
fn grown(name: &str, what: &str, before: Option<u64>, after: Option<u64>) -> Option<String> {
    let (before, after) = (before?, after?);
    let text = format!("{name}: {what} {before} -> {after}");
    println!("{text}");
    (after * 100 > before * (100 + ALLOWANCE)).then(|| format!("{text}, more than {ALLOWANCE} %"))
}

/// How figures are counted.
struct Counting<'f> {
    valgrind: Option<PathBuf>,
    aws: Aws,
    folder: &'f Path,
}

impl Counting<'_> {
    async fn of(&self, subject: &Subject) -> Result<Counted, Failure> {
        let (calls_first, calls_warm) = self.calls(subject).await.doing(&subject.name)?;
        let instructions = match &self.valgrind {
            Some(valgrind) => {
                Some(self.instructions(subject, valgrind).await.doing(&subject.name)?)
            }
            None => None,
        };
        Ok(Counted { instructions, bootstrap_bytes: subject.size()?, calls_first, calls_warm })
    }

    async fn calls(&self, subject: &Subject) -> Result<(Calls, Calls), Failure> {
        let log = self.folder.join("guard.log");
        let event = subject.event()?;
        self.aws.take_calls();
        let mut session = measure::start(subject, Transport::Plain, &self.aws, &log).await?;
        let mut calls = [Calls::new(), Calls::new()];
        for calls in &mut calls {
            subject.check(&session.invoke(&event).await?.body)?;
            *calls = self.aws.take_calls();
        }
        let [first, warm] = calls;
        Ok((first, warm))
    }

    /// Instructions of a warm invocation: of many, less those of a few, so that start and end of
    /// the process and the first requests cancel out.
    async fn instructions(&self, subject: &Subject, valgrind: &Path) -> Result<u64, Failure> {
        // A password hash is the same hundred million instructions each time.
        let (few, many) = if subject.name == "create-account" { (2, 6) } else { (20, 120) };
        let less = self.instructions_of(subject, valgrind, few).await?;
        let more = self.instructions_of(subject, valgrind, many).await?;
        Ok(more.saturating_sub(less) / u64::from(many - few))
    }

    async fn instructions_of(
        &self,
        subject: &Subject,
        valgrind: &Path,
        invocations: u32,
    ) -> Result<u64, Failure> {
        let output = self.folder.join("callgrind.out");
        let mut watched = subject.clone();
        watched.program = Program {
            file: valgrind.to_owned(),
            arguments: vec![
                "--tool=callgrind".to_owned(),
                format!("--callgrind-out-file={}", output.display()),
                subject.program.file.display().to_string(),
            ],
            directory: subject.program.directory.clone(),
        };
        let log = self.folder.join("callgrind.log");
        let event = subject.event()?;
        let mut session = measure::start(&watched, Transport::Plain, &self.aws, &log).await?;
        for _ in 0..invocations {
            subject.check(&session.invoke(&event).await?.body)?;
        }
        session.idle().await?;
        session.end().await?;
        total(&fs::read_to_string(&output).doing(output.display())?)
    }

    async fn repeat(&self, subjects: &[Subject], times: u32) -> Result<(), Failure> {
        for subject in subjects {
            let mut counts = Vec::new();
            for _ in 0..times {
                counts.extend(self.of(subject).await?.instructions);
            }
            println!("{}: {counts:?}", subject.name);
        }
        Ok(())
    }
}

/// The instructions of the whole process, from callgrind's output
/// (<https://valgrind.org/docs/manual/cl-format.html>).
fn total(output: &str) -> Result<u64, Failure> {
    let mut lines = output.lines().filter_map(|line| line.strip_prefix("totals:"));
    let total = lines.next_back().ok_or_else(|| Failure::new("callgrind told no total"))?;
    total.trim().parse().doing("reading callgrind's total")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(instructions: u64, bootstrap_bytes: u64, warm: u64) -> Counted {
        let calls = |count| Calls::from([("TransactWriteItems".to_owned(), count)]);
        let instructions = Some(instructions);
        Counted { instructions, bootstrap_bytes, calls_first: calls(1), calls_warm: calls(warm) }
    }

    fn kept(counted: Counted) -> Kept {
        Kept {
            compiler: "rustc".to_owned(),
            architecture: "x86_64".to_owned(),
            functions: BTreeMap::from([("create-seats".to_owned(), counted)]),
        }
    }

    #[test]
    fn three_percent_pass_and_more_fail() {
        let before = kept(counted(1_000, 2_000, 1));
        assert_eq!(judge(&before, &kept(counted(1_030, 2_060, 1))), Ok(()));
        assert_eq!(judge(&before, &kept(counted(500, 1_000, 1))), Ok(()));
        assert!(judge(&before, &kept(counted(1_031, 2_000, 1))).is_err());
        assert!(judge(&before, &kept(counted(1_000, 2_061, 1))).is_err());
    }

    #[test]
    fn one_call_more_or_less_fails() {
        let before = kept(counted(1_000, 2_000, 1));
        assert!(judge(&before, &kept(counted(1_000, 2_000, 2))).is_err());
        assert!(judge(&before, &kept(counted(1_000, 2_000, 0))).is_err());
    }

    #[test]
    fn without_valgrind_and_on_another_processor_calls_still_count() {
        let before = kept(counted(1_000, 2_000, 1));
        let mut now = kept(Counted { instructions: None, ..counted(0, 2_000, 1) });
        assert_eq!(judge(&before, &now), Ok(()));
        now = Kept { architecture: "aarch64".to_owned(), ..kept(counted(9_000, 9_000, 1)) };
        assert_eq!(judge(&before, &now), Ok(()));
        now = Kept { architecture: "aarch64".to_owned(), ..kept(counted(9_000, 9_000, 2)) };
        assert!(judge(&before, &now).is_err());
    }

    #[test]
    fn a_function_of_which_nothing_is_kept_fails() {
        let mut now = kept(counted(1_000, 2_000, 1));
        let other = now.functions["create-seats"].clone();
        now.functions.insert("create-account".to_owned(), other);
        assert!(judge(&kept(counted(1_000, 2_000, 1)), &now).is_err());
    }

    #[test]
    fn the_total_is_read_from_callgrind() {
        assert_eq!(total("version: 1\nsummary: 5\n\ntotals: 42\n"), Ok(42));
        assert!(total("version: 1\n").is_err());
    }
}
