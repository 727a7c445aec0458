//! The plan: what to write to the account, in which order, and what it costs.
//!
//! A plan is a value, a pure function of the desired state and the live account. Renderers, guards and the
//! engine read it and nothing else. What holds for every plan (design, section 5) is tested as properties
//! in `tests/it/laws.rs`: it converges, it is minimal, it is safe at every prefix of every order that its
//! dependencies allow, and the same inputs give the same bytes.
//!
//! Three steps: the differences become writes with what each needs and frees (`write`); the writes become
//! a graph, and where only a second write to one object can break a circle, one is split (`order`,
//! `split`); the graph gets the edges that keep every ring group reachable (`reach`). What the plan then holds
//! is judged by the guards (`guard`), which add what they have against it and change nothing else; those that depend on
//! the time (`freeze`) judge it when it is shown or applied. A part of the writes can be left out before all of that
//! (`part`).

mod block;
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
mod validate;
mod value;
mod write;

pub use block::{Block, Guard};
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
pub use value::{Plan, Price, UnreadableObject};

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
