//! What every command that writes to accounts is told.

use crate::config::Revision;
use crate::plan::Digest;

use super::effort::Effort;
use super::events::EventArguments;

/// What every command that writes to accounts is told.
#[derive(Debug, clap::Args)]
pub(super) struct Writing {
    /// Do it without asking; needed where nobody can be asked
    #[arg(long)]
    pub(super) auto_approve: bool,
    /// Let a plan through that guards hold back: exactly the one with this digest. Repeat it for several
    /// accounts
    #[arg(long, value_name = "DIGEST")]
    pub(super) approve: Vec<Digest>,
    /// The revision whose guards hold as well; without it, HEAD and its first parent
    #[arg(long, value_name = "REF")]
    pub(super) base: Option<Revision>,
    #[command(flatten)]
    pub(super) effort: Effort,
    #[command(flatten)]
    pub(super) events: EventArguments,
}
