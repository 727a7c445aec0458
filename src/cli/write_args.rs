//! The arguments of every command that writes to accounts, and the checks before the first write.

use std::io::{self, IsTerminal as _};

use anyhow::bail;

use crate::config::{Account, Revision};
use crate::exit::Exit;
use crate::ledger::Approval;
use crate::plan::{Digest, Plan};
use crate::providers::WriteError;
use crate::render::counted;

use super::accept::Accept;
use super::console::{self, Broken, OutputStream};
use super::events::EventArguments;
use super::request_limits::Effort;
use super::{approval, run_metadata};

/// The arguments of every command that writes to accounts.
#[derive(Debug, clap::Args)]
pub(super) struct WriteArgs {
    /// Skip the confirmation prompt; required without a terminal
    #[arg(long)]
    pub(super) auto_approve: bool,
    /// Approve the blocked plan with this digest. Can be repeated for several accounts
    #[arg(long, value_name = "DIGEST")]
    pub(super) approve: Vec<Digest>,
    /// Take the account over from the owner that manages it now. `--approve` does not do that
    #[arg(long)]
    pub(super) take_over: bool,
    /// Who approves, for the ledger [default: who started the pipeline, or the current user]
    #[arg(long, value_name = "NAME", requires = "approve")]
    approve_as: Option<String>,
    /// Git revision whose policy is enforced in addition to the current one [default: HEAD and its parents]
    #[arg(long, value_name = "REF")]
    pub(super) base: Option<Revision>,
    #[command(flatten)]
    pub(super) accept: Accept,
    #[command(flatten)]
    pub(super) effort: Effort,
    #[command(flatten)]
    pub(super) events: EventArguments,
}

impl WriteArgs {
    /// The approval that lets this plan through, if it needs one. For plans that [`Self::refuses`] does not refuse.
    pub(super) fn approval(&self, plan: &Plan) -> Option<Approval> {
        Approval::of(plan, run_metadata::approver(self.approve_as.as_deref()))
    }

    /// How the command ends if these plans may not be carried out: a guard holds one back, an account cannot be
    /// written to, the plan that was written to `stream` has no reader, or the answer is no. A plan that was `read`
    /// before is not asked about. With `lacking` accounts, an approval may be of one of those.
    pub(super) fn refuses(
        &self,
        requested: &[(&Account, &Plan)],
        read: bool,
        lacking: bool,
        stream: OutputStream,
    ) -> anyhow::Result<Option<Exit>> {
        let plans: Vec<&Plan> = requested.iter().map(|(_, plan)| *plan).collect();
        let known = |digest: &&Digest| !lacking || plans.iter().any(|plan| plan.digest == **digest);
        let approved: Vec<Digest> = self.approve.iter().filter(known).cloned().collect();
        if let Some(refusal) = approval::refusal(&plans, &approved) {
            OutputStream::Err.write(&refusal);
            return Ok(Some(Exit::Blocked));
        }
        // A snapshot cannot be written to: refuse before the prompt.
        if requested.iter().any(|(account, plan)| !plan.is_empty() && account.settings.provider.spec().is_read_only) {
            bail!("{}", WriteError::ReadOnly);
        }
        let changes = plans.iter().map(|plan| plan.changes.len()).sum();
        let asks = !self.auto_approve && !read;
        if asks && !io::stdin().is_terminal() {
            console::complain("no terminal for the confirmation prompt; pass `--auto-approve`");
            return Ok(Some(Exit::Usage));
        }
        if reader_is_gone(stream) {
            return Ok(Some(Exit::Failure));
        }
        if asks && !confirmed(changes)? {
            return Ok(Some(Exit::Usage));
        }
        Ok(None)
    }
}

/// Whether the plan that was written to `stream` has no reader, which is reported. A reader that leaves later than this
/// changes nothing.
fn reader_is_gone(stream: OutputStream) -> bool {
    let name = if stream == OutputStream::Out { "standard output" } else { "standard error" };
    match stream.broken() {
        None => return false,
        Some(Broken::Closed) => {
            console::complain(&format!("nothing was applied: {name} was closed before the plan was read"));
        }
        Some(Broken::Failed(why)) => {
            console::complain(&format!("nothing was applied: the plan could not be written to {name}: {why}"));
        }
    }
    true
}

/// Asks at the terminal.
fn confirmed(changes: usize) -> io::Result<bool> {
    OutputStream::Err.write(&format!("Apply {}? Type `yes` to confirm: ", counted(changes, "change")));
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    if answer.trim() == "yes" {
        return Ok(true);
    }
    console::note("Nothing was applied.");
    Ok(false)
}
