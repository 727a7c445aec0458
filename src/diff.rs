//! What differs between the desired account and the live one.
//!
//! Pure, and linear in the size of the account. Every declared ring group is matched with a live one or found
//! to be new (`matching`); every reference is resolved to a handle, in the state that the file asks for
//! (`resolve`); then each object is compared field by field. References are compared as handles, and the
//! members of a group that rings all at once as a set, so that no spelling makes a phantom change.
//!
//! What needs the account to be judged (does the user exist, is the extension free) is found here, as
//! diagnostics with the same look as those of `check`.

mod callers;
mod deletions;
mod delta;
mod groups;
mod identity;
mod matching;
mod numbers;
mod policy;
mod resolve;

pub use delta::{Deletion, Difference, GroupDelta, NumberDelta, Unmanaged};

use crate::diag::{Diagnostic, Findings};
use crate::model::{Desired, Directory, Kind, LiveAccount};

use matching::Matching;
use resolve::Resolver;

/// Compares the desired account with the live one.
///
/// The difference is only worth planning if no diagnostic is an error. Of many findings of one rule only the first are kept,
/// so that memory does not grow with the mistakes.
pub fn diff<'a>(desired: &'a Desired, live: &'a LiveAccount) -> (Difference<'a>, Vec<Diagnostic>) {
    let mut diagnostics = Findings::default();
    let directory = Directory::new(live);
    let matching = Matching::new(desired, &directory, &mut diagnostics);
    let absent = deletions::absent(desired, &directory, &matching, &mut diagnostics);

    let resolver = Resolver::new(desired, &directory, &matching, &absent);
    let groups = groups::compare(&resolver, &mut diagnostics);
    let (numbers, missing) = numbers::compare(&resolver, &mut diagnostics);
    identity::check(&resolver, &mut diagnostics);
    policy::check(desired, &directory, &mut diagnostics);
    let deletions = {
        let mut routing = delta::routing(desired, &directory, &matching.created, &groups, &numbers);
        let deletions = deletions::decide(&resolver, &routing, absent.clone(), &mut diagnostics);
        for deletion in &deletions {
            routing.delete(deletion.handle);
        }
        callers::check(&resolver, &groups, &routing, &mut diagnostics);
        deletions
    };

    let managed = desired.ring_groups.len() + desired.numbers.len();
    let in_sync = managed.saturating_sub(groups.len() + numbers.len());
    let of = |kind| live.unreadable.iter().filter(|one| one.kind == kind).count();
    let unmanaged = Unmanaged {
        numbers: (live.numbers.len() + missing).saturating_sub(desired.numbers.len()) + of(Kind::Number),
        ring_groups: live.ring_groups.len().saturating_sub(matching.matched() + deletions.len()) + of(Kind::RingGroup),
    };
    drop(resolver);
    let created = matching.created;
    (Difference { desired, directory, numbers, groups, deletions, created, in_sync, unmanaged }, diagnostics.into_vec())
}
