//! The sandbox: an embedded phone account behind the Account API, over real HTTP.
//!
//! It is the reference server of `schemas/account-api.v1.openapi.yaml`: axum in front of one `SQLite` connection,
//! on loopback, behind a bearer token. One server is one account. It enforces the integrity of the account (no
//! reference dangles, no name or number is used twice, the main line stays mapped) inside the transaction of each
//! write, so no order of requests can break it. [`Faults`] simulate a failing server.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use strowger::sandbox::{self, SandboxOptions};
//!
//! let server = sandbox::start(SandboxOptions::new("a-token")).await?;
//! let _account_api = server.url();
//! server.stop().await;
//! # Ok(())
//! # }
//! ```

mod account;
mod api;
mod auth;
mod body;
mod collection;
mod etag;
mod faults;
mod fields;
mod hosted;
mod kinds;
mod layers;
mod lifecycle;
mod line;
mod page;
mod problem;
mod routes;
mod seed;
mod server;
mod store;
mod text;
mod write;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use tokio::net::TcpListener;

use crate::providers::settings::StateFile;

pub use self::account::countries;
pub use self::faults::Faults;
pub use self::hosted::Counters;
pub use self::routes::operations;
pub use self::seed::{Seed, SeedError};
pub use self::server::{Ending, Running};
pub use self::store::StateError;

/// What to serve, and how.
#[derive(Debug, Clone)]
pub struct SandboxOptions {
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Allows an address that other machines can reach.
    pub allow_remote: bool,
    /// Where the account is kept. A file is created if absent (with its folder), and locked while the server runs; with
    /// several accounts it is the folder that has a file for each (`1.db`, `2.db`, …).
    pub state: StateFile,
    /// The contents of a new account. Ignored if the state has an account already.
    pub seed: Option<Seed>,
    /// Name of a new account without a seed.
    pub account_name: String,
    /// Country of a new account without a seed, as two capital letters.
    pub country: String,
    /// The token that may do everything.
    pub token: String,
    /// A token that may only read.
    pub read_token: Option<String>,
    /// How many accounts there are, each below a path of its own (`/accounts/1`, `/accounts/2`, …) and with a number
    /// behind its name. They share the tokens, the faults and the rate limit, as those of one vendor do. Without it
    /// there is one account below the root.
    pub accounts: Option<u32>,
    /// Simulated failures.
    pub faults: Faults,
}

/// A safe limit, because each account has a thread.
const MOST_ACCOUNTS: u32 = 5000;

impl SandboxOptions {
    /// A French account in memory, on a free loopback port, without faults.
    pub fn new(token: impl Into<String>) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            allow_remote: false,
            state: StateFile::Memory,
            seed: None,
            account_name: "sandbox".to_owned(),
            country: "FR".to_owned(),
            token: token.into(),
            read_token: None,
            accounts: None,
            faults: Faults::default(),
        }
    }
}

/// Why the sandbox does not start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    #[error("{0} can be reached from other machines; listen on 127.0.0.1, or allow remote access explicitly")]
    Remote(SocketAddr),
    #[error("cannot listen on {address}")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error(transparent)]
    State(#[from] StateError),
    #[error("{option} {detail}")]
    Option {
        option: &'static str,
        /// The problem and a remedy.
        detail: String,
    },
    #[error("cannot set up the account: {0}")]
    Setup(String),
}

/// Starts a server; it accepts requests when this returns.
pub async fn start(options: SandboxOptions) -> Result<Running, SandboxError> {
    check(&options)?;
    let address = options.listen;
    let listening = |source| SandboxError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(listening)?;
    let bound = listener.local_addr().map_err(listening)?;
    let tokens = auth::Tokens::new(&options.token, options.read_token.as_deref());
    let injector = faults::Injector::new(options.faults.clone());
    // On a blocking thread, because opening waits for locks and seeding a large account takes seconds.
    let several = options.accounts.is_some();
    let setup = |error: &dyn std::fmt::Display| SandboxError::Setup(error.to_string());
    let databases =
        tokio::task::spawn_blocking(move || prepare_all(&options)).await.map_err(|error| setup(&error))??;
    let stores = databases.into_iter().map(store::Store::start).collect::<Result<_, _>>();
    let stores = stores.map_err(|error| setup(&error))?;
    let shared = hosted::Shared { tokens, injector, life: lifecycle::Life::new(), counters: Mutex::default() };
    Ok(Running::start(listener, bound, Arc::new(shared), stores, several))
}

fn check(options: &SandboxOptions) -> Result<(), SandboxError> {
    let wrong = |option, detail: String| Err(SandboxError::Option { option, detail });
    if !options.listen.ip().is_loopback() && !options.allow_remote {
        return Err(SandboxError::Remote(options.listen));
    }
    let visible = |token: &str| !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic());
    if !visible(&options.token) || !options.read_token.as_deref().is_none_or(visible) {
        return wrong("token", "must be visible ASCII characters without spaces".to_owned());
    }
    if options.read_token.as_ref() == Some(&options.token) {
        return wrong("read token", "must differ from the token".to_owned());
    }
    for (option, rate) in [
        ("error rate", options.faults.error_rate),
        ("late error rate", options.faults.late_error_rate),
        ("reset rate", options.faults.reset_rate),
        ("stall rate", options.faults.stall_rate),
        ("late commit rate", options.faults.late_commit_rate),
        ("duplicate rate", options.faults.duplicate_rate),
    ] {
        if !(0.0..=1.0).contains(&rate) {
            return wrong(option, format!("must be from 0 to 1, not {rate}"));
        }
    }
    if options.accounts.is_some_and(|count| !(1..=MOST_ACCOUNTS).contains(&count)) {
        return wrong("accounts", format!("must be 1 to {MOST_ACCOUNTS}"));
    }
    if options.faults.rate_limit == Some(0) {
        return wrong("rate limit", "must be at least 1 request per second".to_owned());
    }
    Ok(())
}

/// Opens the state of every account.
fn prepare_all(options: &SandboxOptions) -> Result<Vec<Connection>, SandboxError> {
    let Some(count) = options.accounts else { return Ok(vec![prepare(options, None)?]) };
    (1..=count).map(|number| prepare(options, Some(number))).collect()
}

/// Opens the state of one account (with its number, if there are several), and creates the account if it is new.
fn prepare(options: &SandboxOptions, number: Option<u32>) -> Result<Connection, SandboxError> {
    let mut db = match (&options.state, number) {
        (StateFile::Memory, _) => store::open_memory()?,
        (StateFile::File(path), None) => store::open_file(path)?,
        (StateFile::File(folder), Some(number)) => store::open_file(&folder.join(format!("{number}.db")))?,
    };
    let setup = |error: rusqlite::Error| SandboxError::Setup(error.to_string());
    if account::exists(&db).map_err(setup)? {
        return Ok(db);
    }
    let tx = db.transaction().map_err(setup)?;
    match &options.seed {
        Some(seed) => {
            seed.suits(&options.country).map_err(|error| SandboxError::Setup(error.to_string()))?;
            seed.load(&tx, &options.country).map_err(setup)?;
        }
        None => create_account(&tx, options)?,
    }
    if let Some(number) = number {
        account::number(&tx, number).map_err(setup)?;
    }
    tx.commit().map_err(setup)?;
    Ok(db)
}

fn create_account(db: &Connection, options: &SandboxOptions) -> Result<(), SandboxError> {
    let wrong = |option, detail| SandboxError::Option { option, detail };
    text::name(&options.account_name).map_err(|detail| wrong("account name", detail))?;
    let Some(number) = account::main_number(&options.country) else {
        let known = account::countries().collect::<Vec<_>>().join(", ");
        let detail =
            format!("{:?} is not supported for new accounts; choose one of {known}, or give a seed", options.country);
        return Err(wrong("country", detail));
    };
    account::create_account(db, &options.account_name, &options.country, number)
        .map_err(|problem| SandboxError::Setup(format!("{problem:?}")))
}
