//! `health`: whether a server takes reads and writes, for whoever has to decide by an exit code: the
//! health check of a container, a script that waits for a start.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use clap::Args;
use serde::Deserialize;

use super::{
    Failure, ListenArgs,
    output::Output,
    remote::{Client, health_over_tls, understood},
    values::parse_pause,
};

/// Ask a server whether it takes reads and writes. The exit code is 0 if it does, else 1.
#[derive(Debug, Args)]
pub struct HealthArgs {
    /// The server to ask, by default the one that listens on this machine at the address of
    /// --listen, with TLS if it has a certificate
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
    let (url, (is_ready, text)) = args.ask()?;
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
    /// The URL that was asked, whether it is ready, and what it says of itself.
    fn ask(&self) -> Result<(String, (bool, String)), Failure> {
        let plain = |url: String| {
            let answer = Client::new(&url, None)?.health(self.timeout)?;
            Ok((url, answer))
        };
        let address = self.beside_us();
        match (&self.url, &self.address.tls_cert) {
            (Some(url), _) => plain(url.clone()),
            (None, None) => plain(format!("http://{address}")),
            (None, Some(_)) => {
                let answer = health_over_tls(address, self.timeout)?;
                Ok((format!("https://{address}"), answer))
            }
        }
    }

    /// The server beside us. One that listens on every address is asked at the loopback one.
    fn beside_us(&self) -> SocketAddr {
        let mut address = self.address.listen;
        if address.ip().is_unspecified() {
            address.set_ip(match address {
                SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            });
        }
        address
    }
}

impl State {
    fn to_text(&self) -> String {
        let State { status, version, durability, uptime_s, reason } = self;
        let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        format!("{status}{reason}; version {version}, durability {durability}, up {uptime_s} s")
    }
}
