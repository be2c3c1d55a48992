//! `keys`: the keys of a server, made, listed and revoked.
//!
//! On a directory this needs no key: whoever can write the files has all of them anyway. It is also
//! the way back in for who has lost every admin key.
//!
//! Invariant: a key is printed once, where it is made, and stored nowhere but as a hash.

use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::json;

use super::{Failure, TargetArgs, output::Output, remote::understood};
use crate::{
    database::Database,
    names::CollectionName,
    server::{self, KeyError, LastAdmin, NewKey, OwnRate, Rate, Role},
};

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make a key and print it, this one time
    Create(CreateKeyArgs),
    /// Print all keys without what opens anything, one a line
    List(ListKeysArgs),
    /// Revoke a key: from then on it opens nothing
    Revoke(RevokeKeyArgs),
}

/// Make a key and print it, this one time.
#[derive(Debug, Args)]
pub struct CreateKeyArgs {
    /// What the key is to be called, for people
    pub name: String,

    /// What it allows: each role may do what those before it may
    #[arg(long, value_name = "ROLE")]
    pub role: Role,

    /// A collection that it is for, and any number of others; without one it is for all
    #[arg(long = "collection", value_name = "C")]
    pub collections: Vec<CollectionName>,

    /// How often it may ask, e.g. 1000/s, 30/m or off, instead of what the server says
    #[arg(long, value_name = "RATE")]
    pub rate_limit: Option<Rate>,

    /// Requests that it may send at once, instead of what the server says
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub rate_burst: Option<u32>,

    /// Where it is.
    #[command(flatten)]
    pub target: TargetArgs,
}

/// Print all keys without what opens anything, one a line.
#[derive(Debug, Args)]
pub struct ListKeysArgs {
    /// Where they are.
    #[command(flatten)]
    pub target: TargetArgs,
}

/// Revoke a key: from then on it opens nothing.
#[derive(Debug, Args)]
pub struct RevokeKeyArgs {
    /// The key's id, as the list shows it
    pub id: String,

    /// Where it is.
    #[command(flatten)]
    pub target: TargetArgs,
}

/// All of them.
#[derive(Deserialize)]
struct List {
    keys: Vec<Described>,
}

/// One, as it is told.
#[derive(Deserialize)]
struct Described {
    id: String,
    key: Option<String>,
    name: String,
    role: Role,
    collections: Option<Vec<String>>,
    #[serde(flatten)]
    rate: OwnRate,
    created: Option<String>,
    last_used: Option<String>,
}

/// Does what was asked for, and says so.
pub(super) fn run(command: &KeysCommand, json: bool) -> Result<(), Failure> {
    let text = match command {
        KeysCommand::Create(args) => create(args, json)?,
        KeysCommand::List(args) => list(args, json)?,
        KeysCommand::Revoke(args) => revoke(args, json)?,
    };
    let mut output = Output::new();
    output.line(&text)?;
    output.finish()
}

fn create(args: &CreateKeyArgs, json: bool) -> Result<String, Failure> {
    let names = Some(args.collections.clone()).filter(|names| !names.is_empty());
    let rate = OwnRate { limit: args.rate_limit, burst: args.rate_burst };
    let new = NewKey::new(&args.name, args.role, names, rate)?;
    let text = match args.target.client()? {
        Some(client) => client.create_key(new.to_json())?,
        None => {
            let database = Database::open(&args.target.data.data)?;
            let made = server::make_key(&database, &new)?;
            database.close()?;
            made
        }
    };
    if json {
        return Ok(text);
    }
    let made: Described = understood(&text)?;
    let key = made.key.as_deref().unwrap_or_default();
    Ok(format!("made key {}\n{key}\nKeep it: it is shown only this once.", made.line()))
}

fn list(args: &ListKeysArgs, json: bool) -> Result<String, Failure> {
    let text = match args.target.client()? {
        Some(client) => client.keys()?,
        // A directory does not know when a key was used.
        None => server::list_keys(&*args.target.snapshot()?, |_| None),
    };
    if json {
        return Ok(text);
    }
    let List { keys } = understood(&text)?;
    let lines: Vec<String> = keys.iter().map(Described::line).collect();
    match lines.is_empty() {
        true => Ok("there is no key".to_owned()),
        false => Ok(lines.join("\n")),
    }
}

fn revoke(args: &RevokeKeyArgs, json: bool) -> Result<String, Failure> {
    let id = &args.id;
    match args.target.client()? {
        Some(client) => client.revoke_key(id)?,
        None => {
            // Looked for first: opening for writing would make a directory that is not there.
            if args.target.snapshot()?.get("_keys", id).is_none() {
                return Err(KeyError::NotFound { id: id.clone() }.into());
            }
            let database = Database::open(&args.target.data.data)?;
            server::revoke_key(&database, id, LastAdmin::Stays)?;
            database.close()?;
        }
    }
    Ok(match json {
        true => json!({ "revoked": id }).to_string(),
        false => format!("revoked key {id}"),
    })
}

impl Described {
    fn line(&self) -> String {
        let mut line = format!("{} {}: {}", self.id, self.name, self.role);
        match &self.collections {
            Some(names) => line.push_str(&format!(" in {}", names.join(","))),
            None => line.push_str(" in all collections"),
        }
        if let Some(rate) = self.rate.limit {
            line.push_str(&format!(", rate {rate}"));
        }
        if let Some(burst) = self.rate.burst {
            line.push_str(&format!(", {burst} at once"));
        }
        if let Some(created) = &self.created {
            line.push_str(&format!(", made {created}"));
        }
        // A directory does not know; a server knows since its start.
        if let Some(used) = &self.last_used {
            line.push_str(&format!(", last used {used}"));
        }
        line
    }
}
