//! `strowger watch`: `apply` in a loop, for as long as it runs.

mod adopt;
mod environment;
mod git;
mod plan_order;
mod refused;
mod serve;
mod systemd;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::ValueEnum;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::apply::{ShutdownSignal, Urgency};
use crate::config::{self, Revision};
use crate::diag::has_errors;
use crate::exit::Exit;
use crate::plan::Digest;
use crate::providers::Access;
use crate::watch::git::Git;
use crate::watch::source::Files;
use crate::watch::{Clock, Options, Setup, StatusStore};

use super::accept::Accept;
use super::read_account::runtime;
use super::request_limits::Effort;
use super::{allowed_paths, console, run_metadata, signals};

use environment::Process;
use serve::Serving;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Files, folders of files, or folders of such folders
    #[arg(required_unless_present = "git", value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    git: git::Repository,
    /// How to handle drift
    #[arg(long, value_enum, default_value = "report")]
    mode: ModeArgument,
    /// Maximum time between two checks of an account
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = interval)]
    interval: Duration,
    /// Poll the files at this interval instead of relying on file system events, as network file systems need
    #[arg(long, value_name = "TIME", num_args = 0..=1, default_missing_value = "2s", require_equals = true, value_parser = interval, conflicts_with = "git")]
    poll: Option<Duration>,
    /// Folder for ledgers, locks and fetched files [default: `.strowger` next to the files, or in the current folder
    /// with --git]
    #[arg(long, value_name = "FOLDER")]
    state: Option<PathBuf>,
    /// Approve the blocked plan with this digest, once. Can be repeated
    #[arg(long, value_name = "DIGEST")]
    approve: Vec<Digest>,
    /// Who approves with `--approve`, for the ledger [default: the current user]
    #[arg(long, value_name = "NAME", requires = "approve")]
    approve_as: Option<String>,
    /// Take accounts over from the owners that manage them now: once, and not again if another owner takes them over
    /// later
    #[arg(long)]
    take_over: bool,
    /// Git revision whose policy is enforced in addition to the current one [default: HEAD and its parents]
    #[arg(long, value_name = "REF", conflicts_with = "git")]
    base: Option<Revision>,
    #[command(flatten)]
    accept: Accept,
    /// Number of corrections of a field within an hour after which it is left alone and reported
    #[arg(long, value_name = "COUNT", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..))]
    fight_limit: u8,
    /// How long files and account must stay unchanged before a deletion; at the least, one more check is made
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = rest)]
    deletion_delay: Duration,
    #[command(flatten)]
    adopting: adopt::Adopting,
    #[command(flatten)]
    serving: Serving,
    #[command(flatten)]
    effort: Effort,
    /// Log format on stderr
    #[arg(long, value_enum, default_value = "human")]
    pub(super) log: LogFormat,
}

/// How to handle drift.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum ModeArgument {
    /// Report it, never write
    Report,
    /// Correct it, as far as the policy and the guards allow
    Correct,
}

/// Log format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// One line of text per event
    #[default]
    Human,
    /// One JSON object per line
    Json,
}

/// A time such as `30s` or `5m`, from a tenth of a second to a day.
fn interval(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).map_err(|error| format!("{error}; write `30s` or `5m`"))?;
    let allowed = Duration::from_millis(100)..=Duration::from_secs(24 * 3600);
    if allowed.contains(&time) { Ok(time) } else { Err("must be from 100ms to 1day".to_owned()) }
}

/// A time such as `30s`, up to a day; `0s` is none.
fn rest(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).map_err(|error| format!("{error}; write `30s` or `5m`"))?;
    if time <= Duration::from_secs(24 * 3600) { Ok(time) } else { Err("must be at most 1day".to_owned()) }
}

/// Watches until a signal ends it.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let git = match arguments.git.read(arguments.state.as_deref()) {
        Ok(git) => git,
        Err(says) => {
            console::complain(&says);
            return Ok(Exit::Usage);
        }
    };
    if let Some(says) = arguments.adopting.misplaced(&arguments.paths) {
        console::complain(&says);
        return Ok(Exit::Usage);
    }
    // Fail immediately if the files are invalid at the start; later errors are only reported.
    let loaded = config::load(&arguments.paths);
    if git.is_none() && loaded.accounts.is_empty() && has_errors(&loaded.diagnostics) {
        console::report(&loaded, &loaded.diagnostics);
        return Ok(Exit::Invalid);
    }
    drop(loaded);
    let runtime = runtime()?;
    let exit = runtime.block_on(watch(arguments, git));
    runtime.shutdown_background();
    exit
}

async fn watch(arguments: &Arguments, git: Option<Git>) -> anyhow::Result<Exit> {
    let stop = signals::listen()?;
    let (status_store, clock) = (StatusStore::default(), Clock::system());
    let (revisions_in, revisions) = mpsc::channel(1);
    let (commands_in, commands) = mpsc::channel(16);
    let (refresh_in, refresh) = mpsc::channel(1);
    let served = arguments.serving.start(&status_store, &clock, &commands_in, &stop).await?;
    let (reload_in, reloads) = mpsc::channel(1);
    plan_order::on_hangup(commands_in.clone(), reload_in)?;
    systemd::notify(status_store.clone(), commands_in.clone(), reloads);
    let ending = stop.clone();
    let notifier = tokio::spawn(async move {
        ending.until(Urgency::Finish).await;
        systemd::stopping();
    });
    let mut state = arguments.state.clone();
    let adopt = arguments.adopting.target(git.as_ref()).map(Arc::new);
    let mut source = if let Some(git) = git {
        // The files are checked out again for every commit, so the state cannot be next to them.
        state = Some(git.state.clone());
        allowed_paths::allow_own(&git.state);
        let git = git.open().await.map_err(anyhow::Error::msg)?;
        tokio::spawn(git.follow(revisions_in, refresh, status_store.clone(), clock.clone(), stop.clone()))
    } else {
        let files = Files { paths: arguments.paths.clone(), poll: arguments.poll, base: arguments.base.clone() };
        tokio::spawn(files.follow(revisions_in, refresh, status_store.clone(), clock.clone(), stop.clone()))
    };
    let options = Options {
        interval: arguments.interval,
        access: match arguments.mode {
            ModeArgument::Report => Access::ReadOnly,
            ModeArgument::Correct => Access::Write,
        },
        concurrency: arguments.effort.concurrency(),
        accounts_at_once: arguments.effort.accounts_of_server().unwrap_or(Options::default().accounts_at_once),
        fight_limit: usize::from(arguments.fight_limit),
        deletion_delay: arguments.deletion_delay,
        take_over: arguments.take_over,
        ..Options::default()
    };
    let environment = Arc::new(Process { effort: arguments.effort, accept: arguments.accept.clone(), state, adopt });
    let by = run_metadata::approver(arguments.approve_as.as_deref());
    let approved = arguments.approve.iter().map(|digest| (digest.clone(), by.clone())).collect();
    let stopping = stop.clone();
    let setup =
        Setup { options, environment, status_store, clock, stop, approved, revisions, commands, refresh: refresh_in };
    let loops = crate::watch::run(setup);
    let exit = watched(loops, &mut source, &stopping).await;
    source.abort();
    if stopping.is_asked() {
        // Without any loop the process would end before the service manager is notified.
        notifier.await?;
    }
    served.end(&stopping).await;
    exit
}

/// Waits for the end of the loops. A source that breaks ends them all: the service manager restarts the process, and a
/// process that follows its files no longer looks alive.
async fn watched(
    loops: impl Future<Output = ()>,
    source: &mut JoinHandle<()>,
    stop: &ShutdownSignal,
) -> anyhow::Result<Exit> {
    tokio::pin!(loops);
    tokio::select! {
        () = &mut loops => Ok(Exit::Ok),
        ended = source => {
            if stop.is_asked() {
                loops.await;
                return Ok(Exit::Ok);
            }
            ended.context("the files are no longer watched; this is a bug in Strowger")?;
            anyhow::bail!("the files are no longer watched; this is a bug in Strowger")
        }
    }
}
