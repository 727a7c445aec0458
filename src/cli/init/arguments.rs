//! The flags of `init`: one for each answer, so that a script is asked nothing.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser as _};

use crate::diag::enumerated;
use crate::providers::registry::{self, PROVIDERS, ProviderSpec, SettingSpec};
use crate::providers::settings::{SettingValue, StateFile};

use super::{Ending, token};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// The folder for the files, made if absent [default: phones]
    #[arg(value_name = "FOLDER")]
    pub(super) folder: Option<PathBuf>,
    /// What the account is reached through [default: what the other flags belong to, else sandbox]
    #[arg(long, value_name = "PROVIDER", value_parser = provider_parser())]
    pub(super) provider: Option<&'static ProviderSpec>,
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

/// Where an account on a server is, and where its token or password is found.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Accounts on a server")]
pub(super) struct Office {
    /// The address of the Account API, for provider `office`
    #[arg(long, value_name = "URL")]
    pub(super) url: Option<String>,
    /// The database of Asterisk, for provider `asterisk`: `postgresql://USER@HOST/DATABASE`
    #[arg(long, value_name = "URL")]
    pub(super) database: Option<String>,
    /// The environment variable that holds the token or password [default: `STROWGER_TOKEN`]
    #[arg(long, value_name = "NAME", conflicts_with_all = ["token_file", "token_command"])]
    pub(super) token_env: Option<String>,
    /// The file that holds the token or password
    #[arg(long, value_name = "FILE", conflicts_with = "token_command")]
    pub(super) token_file: Option<PathBuf>,
    /// The command that prints the token or password; quotes keep a word with spaces together, and no shell is started
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
    /// A spreadsheet of numbers (CSV with columns for number, destination and label), for provider `snapshot`: it
    /// becomes the snapshot
    #[arg(long, value_name = "FILE", conflicts_with = "snapshot")]
    pub(super) from: Option<PathBuf>,
    /// The snapshot that a new sandbox starts from
    #[arg(long, value_name = "FILE")]
    pub(super) seed: Option<PathBuf>,
    /// The file that keeps the sandbox, or `:memory:` [default: .strowger/NAME.db in the folder]
    #[arg(long, value_name = "FILE")]
    pub(super) state: Option<PathBuf>,
}

/// The providers' words, with what `--help` says of each.
fn provider_parser() -> impl clap::builder::TypedValueParser<Value = &'static ProviderSpec> {
    let value = |spec: &ProviderSpec| PossibleValue::new(spec.word).help(spec.about.trim_end_matches('.'));
    PossibleValuesParser::new(PROVIDERS.map(value))
        .try_map(|word| registry::find(&word).ok_or_else(|| format!("there is no provider `{word}`")))
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
    pub(super) fn provider(&self) -> Option<&'static ProviderSpec> {
        self.provider.or_else(|| self.given().first().and_then(|(_, setting)| owner(setting)))
    }

    /// The flags that are given for settings, with the settings' names.
    fn given(&self) -> Vec<(&'static str, &'static str)> {
        let Self { office, other, .. } = self;
        let secret = self.provider.and_then(ProviderSpec::secret).map_or("token", |secret| secret.name);
        let flags = [
            ("--url", "url", office.url.is_some()),
            ("--database", "database", office.database.is_some()),
            ("--token-env", secret, office.token_env.is_some()),
            ("--token-file", secret, office.token_file.is_some()),
            ("--token-command", secret, office.token_command.is_some()),
            ("--snapshot", "file", other.snapshot.is_some()),
            ("--from", "file", other.from.is_some()),
            ("--seed", "seed", other.seed.is_some()),
            ("--state", "state", other.state.is_some()),
        ];
        flags.into_iter().filter(|(.., given)| *given).map(|(flag, setting, _)| (flag, setting)).collect()
    }

    /// The value that a flag gives to a setting.
    pub(super) fn value(&self, setting: &str) -> anyhow::Result<Option<SettingValue>> {
        let Self { office, other, .. } = self;
        Ok(match setting {
            "url" => office.url.as_deref().map(|url| SettingValue::Url(url.into())),
            "database" => office.database.as_deref().map(|url| SettingValue::Url(url.into())),
            "file" => other.snapshot.clone().map(SettingValue::File),
            "seed" => other.seed.clone().map(SettingValue::File),
            "state" => other.state.clone().map(|file| {
                let in_memory = file.as_os_str() == ":memory:";
                SettingValue::State(if in_memory { StateFile::Memory } else { StateFile::File(file) })
            }),
            _ if self.provider().and_then(ProviderSpec::secret).is_some_and(|secret| secret.name == setting) => {
                token::given(self)?.map(SettingValue::Secret)
            }
            _ => None,
        })
    }

    /// Refuses a flag of another provider.
    pub(super) fn fit_together(&self) -> Result<(), Ending> {
        let Some(provider) = self.provider() else { return Ok(()) };
        match self.given().into_iter().find(|(_, setting)| provider.setting(setting).is_none()) {
            None => Ok(()),
            Some((flag, setting)) => {
                let (owner, provider) = (owner(setting).map_or("", |owner| owner.word), provider.word);
                Err(Ending::Usage(format!("`{flag}` belongs to provider `{owner}`, and the provider is `{provider}`")))
            }
        }
    }

    /// Refuses to go on without a terminal if an answer is missing; all that are missing are named.
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
        Err(Ending::Usage(format!("no terminal for questions; pass {}{defaults}", enumerated(&missing))))
    }

    /// What has no default and is not given.
    fn needed(&self) -> Vec<&'static str> {
        let Some(provider) = self.provider() else { return Vec::new() };
        let needs = |setting| provider.setting(setting).is_some_and(SettingSpec::is_required);
        let flags = [
            ("`--url`", "url", self.office.url.is_none()),
            ("`--database`", "database", self.office.database.is_none()),
            ("`--snapshot` or `--from`", "file", self.other.snapshot.is_none() && self.other.from.is_none()),
        ];
        flags.into_iter().filter(|(_, setting, absent)| *absent && needs(setting)).map(|(flag, ..)| flag).collect()
    }

    /// What has a default and is not given.
    fn left_to_defaults(&self) -> Vec<&'static str> {
        let Self { office, .. } = self;
        let provider = self.provider();
        let token = office.token_env.is_some() || office.token_file.is_some() || office.token_command.is_some();
        let needs_token = provider.is_some_and(|provider| provider.secret().is_some());
        let answers = [
            ("FOLDER", self.folder.is_some()),
            ("`--provider`", provider.is_some()),
            ("one of `--token-env`, `--token-file` and `--token-command`", token || !needs_token),
            ("`--name`", self.name.is_some()),
            ("`--country`", self.country.is_some() || !self.asks_country()),
            ("`--numbers`", !self.numbers.is_empty()),
            ("`--groups`", !self.groups.is_empty()),
            ("`--workflow`", self.workflow.is_some()),
        ];
        answers.into_iter().filter(|(_, given)| !given).map(|(flag, _)| flag).collect()
    }

    /// Whether the country makes a difference to what the account is: to a sandbox without a seed, and to the national
    /// numbers of a spreadsheet.
    fn asks_country(&self) -> bool {
        let is_new = self.provider().is_none_or(|provider| provider.is_embedded) && self.other.seed.is_none();
        is_new || self.other.from.is_some()
    }
}

/// The flag that gives a setting.
pub(super) fn flag(setting: &str) -> String {
    if setting == "file" { "--snapshot".to_owned() } else { format!("--{setting}") }
}

/// The first provider that has a setting of this name.
fn owner(setting: &str) -> Option<&'static ProviderSpec> {
    registry::with_setting(setting).first().copied()
}
