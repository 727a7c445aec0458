//! `--skip-invalid`, `--skip-blocked` and `--only`: plan only a part of the files.

use crate::config::Account;
use crate::plan::{Digest, Part, Select};
use crate::text::sanitized;

use super::console;

/// Which part is planned.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct PartArguments {
    /// Leave out invalid declarations and what depends on them, instead of leaving out their whole account. Nothing is
    /// deleted or unassigned meanwhile
    #[arg(long)]
    skip_invalid: bool,
    /// Leave out objects that a guard on single objects (protection, scope) blocks, and what depends on them
    #[arg(long)]
    skip_blocked: bool,
    /// Plan only these objects: numbers, or `ring_group/NAME`; a `*` at the end matches any rest. Can be repeated.
    /// Ring groups that must be created for them are included
    #[arg(long, value_name = "SELECTOR")]
    only: Vec<Select>,
}

impl PartArguments {
    /// The part, unless one of these plans is approved as a whole.
    pub(super) fn part(&self, approved: &[Digest], take_over: bool) -> Part {
        Part {
            skip_invalid: self.skip_invalid,
            skip_blocked: self.skip_blocked,
            approved: approved.to_vec(),
            only: self.only.clone(),
            take_over,
        }
    }

    /// The accounts that declare something of what is selected; nothing if a selector selects nothing, which is said.
    pub(super) fn accounts<'a>(&self, accounts: Vec<&'a Account>) -> Option<Vec<&'a Account>> {
        let desired: Vec<_> = accounts.iter().map(|account| &account.desired).collect();
        let unknown = self.only.iter().filter(|select| !desired.iter().any(|desired| select.matches(desired)));
        let mut known = true;
        for select in unknown {
            known = false;
            let near = select.nearest(&desired).map(|near| format!("; did you mean `{}`?", sanitized(&near, 200)));
            let near = near.unwrap_or_default();
            let text = sanitized(select.as_str(), 200);
            console::complain(&format!("`--only {text}` matches nothing in the files{near}"));
        }
        let selected = |account: &&Account| {
            self.only.is_empty() || self.only.iter().any(|select| select.matches(&account.desired))
        };
        known.then(|| accounts.into_iter().filter(selected).collect())
    }
}
