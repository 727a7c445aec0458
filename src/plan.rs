//! The plan: what to write to the account, in which order, and how many calls that takes.
//!
//! A plan is a value, a pure function of the desired state and the live account. Renderers, guards and the
//! engine read it and nothing else. Every plan keeps the laws that `tests/it/laws.rs` tests as properties: it converges,
//! it is minimal, it is safe at every prefix of every order that its dependencies allow, and the same inputs give the
//! same bytes.
//!
//! The differences become writes (`write`), each with what it needs and frees (`dependencies`). The writes become a
//! graph; where only a second write to one object can break a cycle, one is split (`order`, `split`). The graph gets the
//! edges that keep every ring group reachable (`reachability`). The guards judge the changes (`guard`, `freeze`,
//! `ownership`) and add only what they hold back. A part of the writes can be left out before all of that (`partial`).

mod build;
mod dependencies;
mod digest;
mod exclude;
mod freeze;
mod graph;
mod guard;
pub(crate) mod live_fields;
mod min_splits;
mod order;
mod order_search;
mod ownership;
mod partial;
mod preimage;
mod reachability;
mod review;
mod saved;
mod selection;
mod skipped;
mod split;
mod stale;
mod types;
mod validate;
mod violation;
mod write;

pub use digest::{Digest, DigestError};
pub use freeze::{Frozen, frozen, thaws};
pub use guard::{Sharing, Size, cap_together};
pub use ownership::owner_conflict;
pub use partial::{Part, plan_part};
pub use review::{Review, Unreviewed, unreviewed};
pub use saved::{revalidate, unapplied_objects};
pub use selection::{Select, SelectError};
pub use skipped::{Cause, Skipped};
pub use stale::{StaleChange, StaleReason};
pub use types::{CallEstimate, Plan, UnreadableObject};
pub use violation::{Guard, GuardViolation};

use crate::diag::{Diagnostic, Severities};
use crate::model::{Desired, LiveAccount};

/// Compares both sides and plans the writes.
///
/// `severities` is the operator's policy on rules; `reads` is how many calls it took to read the account.
/// Returns the plan, unless a diagnostic is an error.
pub fn plan(
    desired: &Desired,
    live: &LiveAccount,
    severities: &Severities,
    reads: u64,
) -> (Option<Plan>, Vec<Diagnostic>) {
    plan_part(desired, live, severities, reads, &Part::default())
}
