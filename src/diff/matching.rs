//! Which live ring group a wanted one is.
//!
//! A group is known by its name. `renamed_from` gives a live group a new name and keeps its identity; once
//! that has happened the old name is gone and the line has no effect, so that a second run has nothing to
//! do. Chains (`b` renamed from `a`, `c` renamed from `b`) are followed, in any order of the file.

use std::borrow::Cow;
use std::cell::LazyCell;
use std::collections::VecDeque;

use foldhash::HashMap;

use crate::diag::{Diagnostic, Findings, Rule};
use crate::model::{Declaration, Desired, DesiredRingGroup, Directory, Found, Handle, Kind};

/// The pairs.
#[derive(Debug)]
pub(super) struct Matching {
    /// For each wanted group its handle: a live one, or one past the live list.
    pub(super) handles: Vec<Handle>,
    /// For each live group the wanted one, if any.
    pub(super) desired_of: Vec<Option<u32>>,
    /// The wanted groups that are new, in the order of their handles.
    pub(super) created: Vec<u32>,
}

struct Claims<'m, 'a> {
    directory: &'m Directory<'a>,
    /// Wanted group → live group.
    taken: Vec<Option<u32>>,
    /// Live group → wanted group.
    owner: Vec<Option<u32>>,
}

impl Matching {
    /// The position of a group in the files, if they declare it.
    pub(super) fn desired(&self, group: Handle) -> Option<u32> {
        let index = group.index as usize;
        match index.checked_sub(self.desired_of.len()) {
            None => self.desired_of.get(index).copied().flatten(),
            Some(created) => self.created.get(created).copied(),
        }
    }

    /// Pairs the groups, and reports names that two live groups share.
    pub(super) fn new(desired: &Desired, directory: &Directory<'_>, diagnostics: &mut Findings) -> Self {
        let live = directory.live().ring_groups.len();
        let keys: Vec<Cow<'_, str>> = desired.ring_groups.iter().map(|group| group.name.value.folded()).collect();
        // Most plans rename nothing.
        let wanted: LazyCell<HashMap<&str, u32>, _> =
            LazyCell::new(|| keys.iter().map(AsRef::as_ref).zip(0..).collect());
        let mut claims = Claims { directory, taken: vec![None; desired.ring_groups.len()], owner: vec![None; live] };

        // A group whose own name no live group has takes the one it is renamed from; if that one's name is
        // also wanted, the group that wanted it has to look further.
        let mut waiting: VecDeque<u32> = VecDeque::new();
        for (index, (group, key)) in (0u32..).zip(desired.ring_groups.iter().zip(&keys)) {
            match directory.folded(Kind::RingGroup, key) {
                Found::One(_) => {}
                Found::None => {
                    diagnostics.extend(unreadable(group, index, directory));
                    waiting.push_back(index);
                }
                Found::Several(several) => diagnostics.push(
                    Diagnostic::new(
                        Rule::AMBIGUOUS_REFERENCE,
                        Some(group.name.span),
                        format!("the account has {} ring groups called `{}`", several.len(), group.name.value),
                    )
                    .hint("give them different names in the account first")
                    .of(Declaration::RingGroup(index)),
                ),
            }
        }
        while let Some(index) = waiting.pop_front() {
            let Some(old) = desired.ring_groups.get(index as usize).and_then(|group| group.renamed_from.as_ref())
            else {
                continue;
            };
            let old_key = old.value.folded();
            match claims.claim(index, &old_key) {
                Claim::Made => {
                    if let Some(&displaced) = wanted.get(&*old_key) {
                        waiting.push_back(displaced);
                    }
                }
                Claim::Missing => diagnostics.push(
                    Diagnostic::new(
                        Rule::RENAMED_FROM_MISSING,
                        Some(old.span),
                        format!("the account has no ring group `{}` to rename, so a new one is made", old.value),
                    )
                    .hint("remove `renamed_from` if the group is new")
                    .of(Declaration::RingGroup(index)),
                ),
                Claim::TakenAlready => {}
            }
        }
        for (index, key) in (0u32..).zip(&keys) {
            if claims.taken.get(index as usize).is_some_and(Option::is_none) {
                claims.claim(index, key);
            }
        }
        claims.settle(live)
    }

    /// How many live groups are wanted.
    pub(super) fn matched(&self) -> usize {
        self.handles.len() - self.created.len()
    }
}

/// A wanted group that the account has, or had under another name, with values that cannot be read: it is not made a
/// second time.
fn unreadable(group: &DesiredRingGroup, index: u32, directory: &Directory<'_>) -> Option<Diagnostic> {
    let mut names = std::iter::once(&group.name).chain(&group.renamed_from);
    let (name, one) = names.find_map(|name| Some((name, directory.unreadable_group(&name.value.key())?)))?;
    let message = format!("the ring group `{}` of the account cannot be read: {}", name.value, one.why);
    let finding = Diagnostic::new(Rule::UNREADABLE_OBJECT, Some(name.span), message);
    Some(
        finding
            .hint("give it a value that this version knows, or remove it from the files")
            .of(Declaration::RingGroup(index)),
    )
}

enum Claim {
    Made,
    Missing,
    TakenAlready,
}

impl Claims<'_, '_> {
    fn claim(&mut self, desired: u32, name: &str) -> Claim {
        let Found::One(handle) = self.directory.folded(Kind::RingGroup, name) else {
            return Claim::Missing;
        };
        let (Some(owner), Some(taken)) =
            (self.owner.get_mut(handle.index as usize), self.taken.get_mut(desired as usize))
        else {
            return Claim::Missing;
        };
        if owner.is_some() || taken.is_some() {
            return Claim::TakenAlready;
        }
        *owner = Some(desired);
        *taken = Some(handle.index);
        Claim::Made
    }

    fn settle(self, live: usize) -> Matching {
        let mut created = Vec::new();
        let mut next = u32::try_from(live).unwrap_or(u32::MAX);
        let handles = (0u32..)
            .zip(self.taken)
            .map(|(desired, taken)| {
                let index = taken.unwrap_or_else(|| {
                    created.push(desired);
                    let index = next;
                    next = next.saturating_add(1);
                    index
                });
                Handle { kind: Kind::RingGroup, index }
            })
            .collect();
        Matching { handles, desired_of: self.owner, created }
    }
}
