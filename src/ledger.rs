//! What a run leaves behind: the lines of its ledger, which are also the lines of its event stream, and the
//! files that keep them.
//!
//! A [`Line`] is one JSON object with the format's version. The first line of a run has the whole plan with the
//! values from before, so that a ledger can be read, shown and rolled back without anything else. Reading is
//! strict: only a torn last line is tolerated, because a process can die while it writes. No type here can hold
//! a secret. All of it is pure except `file`, `folder` and `state_dir`, which read and write the files.

mod approval;
mod file;
mod folder;
mod line;
mod outcome;
mod reader;
mod run;
mod run_id;
pub mod state_dir;

pub use approval::{Approval, Approver, ApproverSource, Passed};
pub use file::Ledger;
pub use folder::{Found, LedgerError, Opened};
pub use line::{ChangeRecord, Claimed, Commit, Halt, Line, Planned, Record, RunRecord, Summary, schema};
pub use outcome::{ChangeOutcome, Counts};
pub use reader::{ReadError, Reader};
pub use run::{Ending, Run};
pub use run_id::{RunId, RunIdError};
