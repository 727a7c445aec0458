//! The flags of `init`: one for each answer, so that a script is asked nothing.

use std::path::PathBuf;

use super::Ending;

/// The arguments of `init`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// The folder for the files, made if absent [default: phones]
    #[arg(value_name = "FOLDER")]
    pub(super) folder: Option<PathBuf>,
    /// What the account is reached through [default: what the other flags belong to, else sandbox]
    #[arg(long, value_enum, value_name = "PROVIDER")]
    pub(super) provider: Option<Provider>,
    /// What the account is called in plans and logs [default: the account's own name; of a sandbox, the folder's]
    #[arg(long, value_name = "NAME")]
    pub(super) name: Option<String>,
    /// The country whose national spellings of numbers are recognised, as two capitals; a new sandbox is there [default: FR for a sandbox, else none]
    #[arg(long, value_name = "CODE")]
    pub(super) country: Option<String>,
    /// The numbers to manage: `all`, `none`, or `+33…,+33…` [default: all]
    #[arg(long, value_name = "NUMBERS")]
    pub(super) numbers: Vec<String>,
    /// The ring groups to manage: `all`, `none`, or their names with commas between [default: all]
    #[arg(long, value_name = "GROUPS")]
    pub(super) groups: Vec<String>,
    /// Also write workflows that check pull requests and apply merges [default: none]
    #[arg(long, value_enum, value_name = "HOST", num_args = 0..=1, require_equals = true, default_missing_value = "github")]
    pub(super) workflow: Option<Workflow>,
    /// Ask nothing: take the default of each answer that no flag gives, and write
    #[arg(short, long)]
    pub(super) yes: bool,
    #[command(flatten)]
    pub(super) office: Office,
    #[command(flatten)]
    pub(super) other: Other,
}

/// Where an `office` account is, and where its token is found.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Provider office")]
pub(super) struct Office {
    /// The address of the Account API
    #[arg(long, value_name = "URL")]
    pub(super) url: Option<String>,
    /// The environment variable that holds the token [default: `STROWGER_TOKEN`]
    #[arg(long, value_name = "NAME", conflicts_with_all = ["token_file", "token_command"])]
    pub(super) token_env: Option<String>,
    /// The file that holds the token
    #[arg(long, value_name = "FILE", conflicts_with = "token_command")]
    pub(super) token_file: Option<PathBuf>,
    /// The command that prints the token; quotes keep a word with spaces together, and no shell is started
    #[arg(long, value_name = "COMMAND")]
    pub(super) token_command: Option<String>,
}

/// Where other accounts are.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Other providers")]
pub(super) struct Other {
    /// The snapshot that is the account, for provider `snapshot`
    #[arg(long, value_name = "FILE")]
    pub(super) snapshot: Option<PathBuf>,
    /// The snapshot that a new sandbox starts from
    #[arg(long, value_name = "FILE")]
    pub(super) seed: Option<PathBuf>,
    /// The file that keeps the sandbox, or `:memory:` [default: .strowger/NAME.db in the folder]
    #[arg(long, value_name = "FILE")]
    pub(super) state: Option<PathBuf>,
}

/// What an account is reached through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Provider {
    /// An embedded account, to try things on; it needs no credentials
    Sandbox,
    /// A server of the Account API
    Office,
    /// A snapshot file, for plans only
    Snapshot,
}

/// Where workflows run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Workflow {
    /// On GitHub
    Github,
    /// Nowhere
    None,
}

impl Arguments {
    /// The provider, if a flag says or implies it.
    pub(super) fn provider(&self) -> Option<Provider> {
        self.provider.or_else(|| self.owned().first().map(|(_, owner)| *owner))
    }

    /// The flags that belong to one provider.
    fn owned(&self) -> Vec<(&'static str, Provider)> {
        let Self { office, other, .. } = self;
        let flags = [
            ("--url", office.url.is_some(), Provider::Office),
            ("--token-env", office.token_env.is_some(), Provider::Office),
            ("--token-file", office.token_file.is_some(), Provider::Office),
            ("--token-command", office.token_command.is_some(), Provider::Office),
            ("--snapshot", other.snapshot.is_some(), Provider::Snapshot),
            ("--seed", other.seed.is_some(), Provider::Sandbox),
            ("--state", other.state.is_some(), Provider::Sandbox),
        ];
        flags.into_iter().filter(|(_, given, _)| *given).map(|(flag, _, owner)| (flag, owner)).collect()
    }

    /// Refuses a flag of another provider.
    pub(super) fn fit_together(&self) -> Result<(), Ending> {
        let Some(provider) = self.provider() else { return Ok(()) };
        match self.owned().into_iter().find(|(_, owner)| *owner != provider) {
            None => Ok(()),
            Some((flag, owner)) => {
                let (owner, provider) = (owner.word(), provider.word());
                Err(Ending::Usage(format!("`{flag}` belongs to provider `{owner}`, and the provider is `{provider}`")))
            }
        }
    }

    /// Refuses to go on where nobody can be asked and an answer is missing; all that are missing are named.
    pub(super) fn complete(&self) -> Result<(), Ending> {
        let needed = self.needed();
        if self.yes {
            return match needed.as_slice() {
                [] => Ok(()),
                needed => Err(Ending::Usage(format!("`--yes` asks nothing: give {} as well", enumerated(needed)))),
            };
        }
        let missing = [needed.clone(), self.left_to_defaults(), vec!["`--yes`"]].concat();
        let besides = if needed.is_empty() { String::new() } else { format!(" with {}", enumerated(&needed)) };
        let defaults = if missing.len() > 1 {
            format!("; or only `--yes`{besides}, which takes the defaults of the others")
        } else {
            String::new()
        };
        Err(Ending::Usage(format!("nobody can be asked here: give {}{defaults}", enumerated(&missing))))
    }

    /// What has no default and is not given.
    fn needed(&self) -> Vec<&'static str> {
        match self.provider() {
            Some(Provider::Office) if self.office.url.is_none() => vec!["`--url`"],
            Some(Provider::Snapshot) if self.other.snapshot.is_none() => vec!["`--snapshot`"],
            _ => Vec::new(),
        }
    }

    /// What has a default and is not given.
    fn left_to_defaults(&self) -> Vec<&'static str> {
        let Self { office, .. } = self;
        let provider = self.provider();
        let token = office.token_env.is_some() || office.token_file.is_some() || office.token_command.is_some();
        let answers = [
            ("FOLDER", self.folder.is_some()),
            ("`--provider`", provider.is_some()),
            ("one of `--token-env`, `--token-file` and `--token-command`", token || provider != Some(Provider::Office)),
            ("`--name`", self.name.is_some()),
            ("`--country`", self.country.is_some() || !self.asks_country()),
            ("`--numbers`", !self.numbers.is_empty()),
            ("`--groups`", !self.groups.is_empty()),
            ("`--workflow`", self.workflow.is_some()),
        ];
        answers.into_iter().filter(|(_, given)| !given).map(|(flag, _)| flag).collect()
    }

    /// Whether the country makes a difference to what the account is: to a sandbox without a seed.
    fn asks_country(&self) -> bool {
        matches!(self.provider(), None | Some(Provider::Sandbox)) && self.other.seed.is_none()
    }
}

impl Provider {
    /// The word in the file.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Office => "office",
            Self::Snapshot => "snapshot",
        }
    }
}

/// `a, b and c`.
fn enumerated(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}
