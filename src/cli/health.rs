//! `health`: whether a server takes reads and writes, for whoever has to decide by an exit code: the
//! health check of a container, a script that waits for a start.

use std::time::Duration;

use clap::Args;
use serde::Deserialize;

use super::{
    Failure, ListenArgs,
    output::Output,
    remote::{Client, understood},
    values::parse_pause,
};

/// Ask a server whether it takes reads and writes. The exit code is 0 if it does, else 1.
#[derive(Debug, Args)]
pub struct HealthArgs {
    /// The server to ask, by default the one that listens on this machine at the address of
    /// --listen
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,

    /// The address that the server listens on.
    #[command(flatten)]
    pub address: ListenArgs,

    /// How long to wait for its answer
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = parse_pause)]
    pub timeout: Duration,
}

/// What a server says of itself.
#[derive(Deserialize)]
struct State {
    status: String,
    version: u64,
    durability: String,
    uptime_s: u64,
    reason: Option<String>,
}

/// Asks, and prints the answer.
pub(super) fn run(args: &HealthArgs, json: bool) -> Result<(), Failure> {
    let url = args.url.clone().unwrap_or_else(|| args.local_url());
    let (is_ready, text) = Client::new(&url, None)?.health(args.timeout)?;
    let state: State = understood(&text)?;
    let mut output = Output::new();
    output.line(&if json { text.clone() } else { state.to_text() })?;
    output.finish()?;
    match is_ready {
        true => Ok(()),
        false => Err(Failure::NotReady { url, state: state.status }),
    }
}

impl HealthArgs {
    /// The server beside us. One that listens on every address is asked at the loopback one.
    fn local_url(&self) -> String {
        let mut address = self.address.listen;
        if address.ip().is_unspecified() {
            match address {
                std::net::SocketAddr::V4(_) => address.set_ip(std::net::Ipv4Addr::LOCALHOST.into()),
                std::net::SocketAddr::V6(_) => address.set_ip(std::net::Ipv6Addr::LOCALHOST.into()),
            }
        }
        format!("http://{address}")
    }
}

impl State {
    fn to_text(&self) -> String {
        let State { status, version, durability, uptime_s, reason } = self;
        let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        format!("{status}{reason}; version {version}, durability {durability}, up {uptime_s} s")
    }
}
