//! What a command works on: a data directory, or a running server.

use std::path::PathBuf;

use clap::Args;

use super::{Failure, remote::Client};
use crate::{database::Database, error::Result as EngineResult, snapshot::Snapshot, sync::Arc};

/// The data directory.
#[derive(Debug, Args)]
pub struct DataArgs {
    /// The data directory
    #[arg(long, env = "MONSTERDB_DATA", default_value = "./data", value_name = "DIR")]
    pub data: PathBuf,
}

/// A data directory or a server.
#[derive(Debug, Args)]
pub struct TargetArgs {
    /// The data directory.
    #[command(flatten)]
    pub data: DataArgs,

    /// A running server to ask instead of opening the directory, e.g. http://127.0.0.1:7117
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,

    /// The key to ask it with.
    #[command(flatten)]
    pub key: KeyArgs,
}

/// What to ask a server with.
#[derive(Debug, Args)]
pub struct KeyArgs {
    /// The API key for the server
    #[arg(long, env = "MONSTERDB_API_KEY", hide_env_values = true, value_name = "KEY")]
    pub key: Option<String>,
}

impl TargetArgs {
    /// The server to ask, if one was named.
    pub(super) fn client(&self) -> Result<Option<Client>, Failure> {
        let key = self.key.key.as_deref();
        self.url.as_deref().map(|url| Client::new(url, key)).transpose()
    }

    /// The committed state of the data directory, which is left as it is.
    pub(super) fn snapshot(&self) -> EngineResult<Arc<Snapshot>> {
        Ok(Database::open_read_only(&self.data.data)?.snapshot())
    }
}
