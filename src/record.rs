//! What a run leaves behind: the lines of its ledger, which are also the lines of its event stream.
//!
//! One vocabulary, two sinks. A [`Line`] is one JSON object with the format's version; the first line of a run
//! has the whole plan with the values from before, so that a ledger can be read, shown and undone without
//! anything else. Reading is strict: only a torn last line is tolerated, because a process can die while it
//! writes. Pure: lines come in as text, time and chance as arguments. No type here can hold a secret.

mod approval;
mod fold;
mod line;
mod read;
mod run_id;

pub use approval::{Approval, Approver, ApproverSource, Passed};
pub use fold::{Ending, Fate, Run};
pub use line::{Commit, Halt, Line, Planned, Record, Summary, schema};
pub use read::{ReadError, Reader};
pub use run_id::{RunId, RunIdError};
