//! `strowger sandbox`: the embedded phone account on its own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::signal;

use crate::exit::Exit;
use crate::sandbox::{self, Ending, Faults, SandboxOptions, State};

use super::console;
use super::open::read_seed;
use super::plan::runtime;

/// The arguments of `sandbox`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The address; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Allow an address that other machines can reach
    #[arg(long)]
    allow_remote: bool,
    /// The file that keeps the account, or `:memory:`; with `--accounts`, a folder with a file for each: `.strowger/sandbox`
    /// unless given
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Serve so many accounts, to rehearse a fleet: each is at `/accounts/1`, `/accounts/2` and so on, begins like the
    /// one account would, and has its number behind its name
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=5000))]
    accounts: Option<u32>,
    /// The snapshot that a new account starts from
    #[arg(long, value_name = "FILE")]
    seed: Option<PathBuf>,
    /// The name of a new account without a seed
    #[arg(long, value_name = "NAME", default_value = "sandbox")]
    name: String,
    /// The country of a new account without a seed
    #[arg(long, value_name = "CODE", default_value = "FR")]
    country: String,
    /// The token that may do everything; made up and printed if not given
    #[arg(long, env = "STROWGER_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    token: Option<String>,
    /// A token that may only read
    #[arg(long, env = "STROWGER_READ_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    read_token: Option<String>,
    #[command(flatten)]
    faults: FaultArguments,
}

/// What goes wrong on purpose, for rehearsals.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Faults")]
struct FaultArguments {
    /// Every answer takes at least this long, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 0)]
    latency: u64,
    /// Plus a random share of this, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 0)]
    jitter: u64,
    /// The share of requests that fail with 503 and do nothing, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    error_rate: f64,
    /// The share of requests that do their work and then answer 503, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    late_error_rate: f64,
    /// The share of connections that are reset without an answer, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    reset_rate: f64,
    /// The share of requests that are never answered, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    stall_rate: f64,
    /// The share of writes that answer 503 and are carried out later, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    late_commit_rate: f64,
    /// How much later, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 500)]
    late_commit_after: u64,
    /// The share of writes that arrive twice, as through a proxy that repeats them, 0 to 1; the second is answered
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    duplicate_rate: f64,
    /// The most requests in a second; more get 429 and `Retry-After`
    #[arg(long, value_name = "COUNT")]
    rate_limit: Option<u32>,
    /// The seed of all chances
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    fault_seed: u64,
    /// This write, counted from 1, answers 500 and does nothing
    #[arg(long, value_name = "N")]
    fail_write: Option<u64>,
    /// After this write, counted from 1, the server dies without answering
    #[arg(long, value_name = "N")]
    die_after_write: Option<u64>,
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "a share is a number from 0 to 1, such as 0.1".to_owned())
}

impl FaultArguments {
    fn faults(&self) -> Faults {
        Faults {
            latency: Duration::from_millis(self.latency),
            jitter: Duration::from_millis(self.jitter),
            error_rate: self.error_rate,
            late_error_rate: self.late_error_rate,
            reset_rate: self.reset_rate,
            stall_rate: self.stall_rate,
            late_commit_rate: self.late_commit_rate,
            late_commit_after: Duration::from_millis(self.late_commit_after),
            duplicate_rate: self.duplicate_rate,
            rate_limit: self.rate_limit,
            seed: self.fault_seed,
            fail_write: self.fail_write,
            die_after_write: self.die_after_write,
        }
    }
}

/// Serves until Ctrl-C or a fault ends it.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    if !arguments.listen.ip().is_loopback() && !arguments.allow_remote {
        let listen = arguments.listen;
        let why = format!("{listen} can be reached from other machines; listen on 127.0.0.1, or add `--allow-remote`");
        console::complain(&why);
        return Ok(Exit::Usage);
    }
    let made_up = arguments.token.is_none();
    let token = arguments.token.clone().unwrap_or_else(|| format!("{:032x}", fastrand::u128(..)));
    let mut options = SandboxOptions::new(token.clone());
    options.listen = arguments.listen;
    options.allow_remote = arguments.allow_remote;
    options.accounts = arguments.accounts;
    let usual = if arguments.accounts.is_some() { ".strowger/sandbox" } else { ".strowger/sandbox.db" };
    options.state = match &arguments.state {
        Some(path) if path.as_os_str() == ":memory:" => State::Memory,
        path => State::File(path.clone().unwrap_or_else(|| usual.into())),
    };
    options.seed = arguments.seed.as_deref().map(read_seed).transpose()?;
    options.account_name.clone_from(&arguments.name);
    options.country.clone_from(&arguments.country);
    options.read_token.clone_from(&arguments.read_token);
    options.faults = arguments.faults.faults();
    runtime()?.block_on(async {
        let mut server = sandbox::start(options).await.context("the embedded account does not start")?;
        let url = server.url();
        console::note(&match arguments.accounts {
            None => format!("Account API at {url}/v1, until Ctrl-C"),
            Some(count) => {
                format!("Account API of {count} accounts at {url}/accounts/1 to /accounts/{count}, until Ctrl-C")
            }
        });
        if made_up {
            console::note(&format!("token: {token}"));
        }
        let ended = tokio::select! {
            ending = server.wait() => Some(ending),
            pressed = signal::ctrl_c() => { pressed?; None }
        };
        match ended {
            None => server.stop().await,
            Some(Ending::Stopped) => {}
            Some(_) => bail!("the server died after the write that it was told to die after"),
        }
        Ok(Exit::Ok)
    })
}
