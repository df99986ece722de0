//! A process under test, looked at from outside.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::time::{ClockId, clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;
use tokio::process::{Child, Command};

use crate::failure::{Doing, Failure};

/// How to start something.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(crate) file: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) directory: PathBuf,
}

/// A running process. It is killed when this is dropped.
pub(crate) struct Process {
    child: Child,
    pid: Pid,
    clock: ClockId,
    log: PathBuf,
    /// Just before the process was made.
    pub(crate) started: Instant,
}

impl Process {
    /// Starts a program with nothing in its environment but `environment`. What it says goes to
    /// the file `log`.
    pub(crate) fn start(
        program: &Program,
        environment: &BTreeMap<String, String>,
        log: &Path,
    ) -> Result<Self, Failure> {
        let output = File::create(log).doing(log.display())?;
        let mut command = Command::new(&program.file);
        command
            .args(&program.arguments)
            .current_dir(&program.directory)
            .env_clear()
            .envs(environment)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .kill_on_drop(true);
        let started = Instant::now();
        let child = command.spawn().doing(program.file.display())?;
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        let pid = Pid::from_raw(id.ok_or_else(|| Failure::new("a process without an id"))?);
        Ok(Self { clock: clock_getcpuclockid(pid)?, child, pid, log: log.to_owned(), started })
    }

    /// The processor time of all threads up to now, those that have ended included.
    pub(crate) fn cpu(&self) -> Result<Duration, Failure> {
        Ok(clock_gettime(self.clock)?.into())
    }

    /// The most memory that the process has held, in bytes.
    pub(crate) fn peak_memory(&self) -> Result<u64, Failure> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let kibibytes = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .and_then(|rest| rest.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        Ok(1024 * kibibytes.ok_or_else(|| Failure::new("the kernel tells no VmHWM"))?)
    }

    /// Resolves when the process ends by itself, to the reason why that is wrong.
    pub(crate) async fn ended(&mut self) -> Failure {
        let how = match self.child.wait().await {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        Failure::new(format!("the process ended ({how}); see {}", self.log.display()))
    }

    /// Asks the process to end, and waits until it has.
    pub(crate) async fn terminate(mut self) -> Result<(), Failure> {
        kill(self.pid, Signal::SIGTERM)?;
        self.child.wait().await?;
        Ok(())
    }
}
