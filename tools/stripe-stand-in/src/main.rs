//! `stripe-stand-in --port 12111 --state FILE`: serves the stand-in on 127.0.0.1 until it is told
//! to stop.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use clap::Parser;
use stripe_stand_in::Server;
use tokio::signal::unix::{SignalKind, signal};

/// A stateful stand-in for Stripe's API, on 127.0.0.1 only.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// The port; 0 takes a free one, which the first line of output names.
    #[arg(long, default_value_t = 12111)]
    port: u16,
    /// Where the account is kept over restarts; without it, in memory only.
    #[arg(long)]
    state: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let options = Options::parse();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let server = Server::bind(options.port, options.state).await?;
    writeln!(io::stdout(), "stripe-stand-in listening on http://{}", server.address())?;
    server
        .run(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
        .await
}
