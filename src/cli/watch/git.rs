//! The arguments of `watch` that name a repository.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use crate::ledger::state_dir;
use crate::watch::git::{Git, Inside, RefName, Url};

/// One request to the remote takes no longer.
const TIMEOUT: Duration = Duration::from_secs(300);
/// The folder for everything that is kept, unless `--state` names one.
const STATE: &str = state_dir::NAME;

/// The arguments of `watch` that name a repository.
#[derive(Debug, clap::Args)]
pub(super) struct Repository {
    /// Fetch the files from a git repository instead: an ssh or https URL, or a path. Git handles credentials
    #[arg(long, value_name = "URL", conflicts_with = "paths")]
    git: Option<Written>,
    /// Branch or tag to follow
    #[arg(long, value_name = "NAME", default_value = "main", requires = "git")]
    r#ref: RefName,
    /// File or folder inside the repository
    #[arg(long, value_name = "PATH", default_value = "", hide_default_value = true, requires = "git")]
    path: Inside,
    /// Maximum time between two fetches
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = super::interval, requires = "git")]
    git_interval: Duration,
    /// Only deploy commits that pass `git verify-commit`
    #[arg(long, requires = "git")]
    require_signed: bool,
}

/// What the operator wrote, which may have a password in it: it is not repeated, also if it is wrong.
#[derive(Clone)]
struct Written(Box<str>);

impl FromStr for Written {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.into()))
    }
}

impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

impl Repository {
    /// The repository, if one is asked for.
    pub(super) fn read(&self, state: Option<&Path>) -> Result<Option<Git>, String> {
        let Some(Written(url)) = &self.git else { return Ok(None) };
        Ok(Some(Git {
            url: Url::parse(url).map_err(|error| format!("--git: {error}"))?,
            name: self.r#ref.clone(),
            inside: self.path.clone(),
            every: self.git_interval,
            require_signed: self.require_signed,
            state: state.unwrap_or(Path::new(STATE)).to_owned(),
            timeout: TIMEOUT,
        }))
    }
}
