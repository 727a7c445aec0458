//! `strowger sandbox`: the embedded phone account as a server.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::signal;

use crate::exit::Exit;
use crate::providers::settings::StateFile;
use crate::sandbox::{self, Ending, Faults, SandboxOptions};

use super::console;
use super::open::read_seed;
use super::read_account::runtime;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Listen address; port 0 picks a free port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Allow an address that other machines can reach
    #[arg(long)]
    allow_remote: bool,
    /// File that stores the account, or `:memory:`; with `--accounts`, a folder with one file per account [default:
    /// `.strowger/sandbox.db`, or `.strowger/sandbox` with `--accounts`]
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Serve this many accounts, to try out a fleet: at `/accounts/1`, `/accounts/2` and so on. Each starts like a
    /// single account, with its number appended to its name
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=5000))]
    accounts: Option<u32>,
    /// Snapshot that a new account starts from
    #[arg(long, value_name = "FILE")]
    seed: Option<PathBuf>,
    /// Name of a new account without a seed
    #[arg(long, value_name = "NAME", default_value = "sandbox")]
    name: String,
    /// Country of a new account without a seed
    #[arg(long, value_name = "CODE", default_value = "FR")]
    country: String,
    /// Token with full access; generated and printed if not given
    #[arg(long, env = "STROWGER_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    token: Option<String>,
    /// Token with read-only access
    #[arg(long, env = "STROWGER_READ_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    read_token: Option<String>,
    #[command(flatten)]
    faults: FaultArguments,
}

/// Faults on purpose, for rehearsals.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Faults")]
struct FaultArguments {
    /// Minimum time of each response, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 0)]
    latency: u64,
    /// Maximum random time added to it, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 0)]
    jitter: u64,
    /// Share of requests that fail with 503 and do nothing, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    error_rate: f64,
    /// Share of requests that are carried out and then answered with 503, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    late_error_rate: f64,
    /// Share of connections that are reset without a response, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    reset_rate: f64,
    /// Share of requests that are never answered, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    stall_rate: f64,
    /// Share of writes that are answered with 503 and carried out later, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    late_commit_rate: f64,
    /// How much later, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 500)]
    late_commit_after: u64,
    /// Share of writes that arrive twice, as through a proxy that retries, 0 to 1; the second response is returned
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    duplicate_rate: f64,
    /// Maximum requests per second; further ones get 429 and `Retry-After`
    #[arg(long, value_name = "COUNT")]
    rate_limit: Option<u32>,
    /// Seed of the random number generator
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    fault_seed: u64,
    /// Answer this write, counted from 1, with 500 and do nothing
    #[arg(long, value_name = "N")]
    fail_write: Option<u64>,
    /// Exit after this write, counted from 1, without a response
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
        Some(path) if path.as_os_str() == ":memory:" => StateFile::Memory,
        path => StateFile::File(path.clone().unwrap_or_else(|| usual.into())),
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
            Some(_) => bail!("the server exited after the write given by `--die-after-write`"),
        }
        Ok(Exit::Ok)
    })
}
