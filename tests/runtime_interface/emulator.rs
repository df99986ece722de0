//! One function under the Runtime Interface Emulator
//! (<https://github.com/aws/aws-lambda-runtime-interface-emulator>).

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use serde_json::Value;

/// How long the emulator may take to listen, and a function to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running emulator. Dropping it ends it and its function.
pub(crate) struct Emulator {
    process: Child,
    address: SocketAddr,
    log: PathBuf,
    http: reqwest::Client,
}

/// A variable of the environment that `make runtime-interface` sets.
fn variable(name: &str) -> PathBuf {
    std::env::var(name).map(PathBuf::from).unwrap_or_else(|_| panic!("{name} must be set"))
}

impl Emulator {
    /// Starts the binary of a function with this environment and nothing else.
    pub(crate) async fn start(function: &str, environment: Vec<(&str, String)>) -> Self {
        let released = std::env::var("HEADCOUNT_RELEASED").expect("HEADCOUNT_RELEASED must be set");
        let binary = if released.split(' ').any(|name| name == function) {
            format!("lambda/{function}/bootstrap")
        } else {
            format!("debug/{function}")
        };
        let binary = variable("HEADCOUNT_BINARIES").join(binary);
        assert!(binary.exists(), "{} is not built", binary.display());
        let [address, runtime_api] = free_addresses();
        let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{function}.log"));
        let file = File::create(&log).expect("a log");
        let process = Command::new(variable("HEADCOUNT_RUNTIME_EMULATOR"))
            .args(["--runtime-interface-emulator-address", &address.to_string()])
            .args(["--runtime-api-address", &runtime_api.to_string()])
            .arg(&binary)
            .env_clear()
            .envs(environment)
            .stdout(file.try_clone().expect("a log"))
            .stderr(file)
            .spawn()
            .expect("the emulator starts");
        headcount_billing::stripe::install_tls();
        let emulator = Self { process, address, log, http: reqwest::Client::new() };
        emulator.until_it_listens().await;
        emulator
    }

    async fn until_it_listens(&self) {
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        let listening = async {
            loop {
                ticks.tick().await;
                if tokio::net::TcpStream::connect(self.address).await.is_ok() {
                    return;
                }
            }
        };
        let listens = tokio::time::timeout(PATIENCE, listening).await;
        assert!(listens.is_ok(), "the emulator does not listen; see {}", self.log.display());
    }

    /// What the function returns to an event.
    pub(crate) async fn invoke(&self, event: &Value) -> Value {
        let url = format!("http://{}/2015-03-31/functions/function/invocations", self.address);
        let request = self.http.post(url).timeout(PATIENCE).body(event.to_string());
        let response = request.send().await.expect("the emulator answers");
        let body = response.bytes().await.expect("a body");
        let text = String::from_utf8_lossy(&body);
        serde_json::from_slice(&body)
            .unwrap_or_else(|error| panic!("{error}: {text}; see {}", self.log.display()))
    }

    /// Where emulator and function log to.
    pub(crate) fn log(&self) -> &Path {
        &self.log
    }
}

impl Drop for Emulator {
    /// Asks the emulator to end, since only then does it end the function.
    fn drop(&mut self) {
        let ended = Command::new("kill").arg(self.process.id().to_string()).status();
        if ended.is_ok_and(|status| status.success()) {
            self.process.wait().ok();
        }
    }
}

/// Two addresses that nobody listens on, both held until the second is known.
fn free_addresses() -> [SocketAddr; 2] {
    let held = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    held.each_ref().map(|listener| listener.local_addr().expect("an address"))
}
