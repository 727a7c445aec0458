//! What the operator allows: what a plan may do without approval, and what it ignores.
//!
//! Invariants: a [`Cap`]'s percentage is at most 100; a policy ignores only fields that are
//! [ignorable](super::FieldSpec::ignorable). A policy knows nothing of plans, it only answers questions.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    DesiredRingGroup, E164, ExternalPolicy, FieldName, Freeze, NameKey, Reference, Scope, Span, Spanned, WatchPolicy,
};

/// The policy of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Whether ring groups that no file declares are deleted, and where that is written.
    pub prune_ring_groups: Option<Span>,
    /// Fields of existing objects that are neither compared nor written.
    pub ignore: BTreeSet<FieldName>,
    /// What a plan is held against.
    pub guards: GuardPolicy,
    /// What is for `strowger watch`. Plans do not read it.
    pub watch: WatchPolicy,
}

/// The part of a policy that guards read, and that also counts as it was in an earlier revision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GuardPolicy {
    /// How much one plan may change.
    pub caps: Caps,
    /// What keeps where it leads.
    pub protect: Protected,
    /// What these files own.
    pub scope: Scope,
    /// Which outside numbers may become destinations.
    pub external: ExternalPolicy,
    /// When nothing is written.
    pub freeze: Freeze,
}

/// What is known of the guards of an earlier revision of the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// Them.
    Read(Box<BasePolicy>),
    /// They exist but cannot be read: why, and what to do about it, as one sentence without a full
    /// stop. It may hold git's words and paths, so it is untrusted text.
    Unread(Box<str>),
}

/// The guards of an earlier revision of the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BasePolicy {
    /// The revision as the operator, or git, spells it: `HEAD^1`.
    pub revision: Box<str>,
    /// The name that the account had there, if it was another one. Untrusted text.
    pub account: Option<Box<str>>,
    /// Its guards. Their places are in files that are not shown, so they mean nothing.
    pub guards: GuardPolicy,
}

super::words! {
    /// What a cap counts: objects of a kind to which something happens. The order is that of messages.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Capped {
        /// Numbers that are changed in any way.
        NumberUpdate = "numbers.update",
        /// Numbers that lose their destination; they count as changed, too.
        NumberUnassign = "numbers.unassign",
        /// Ring groups that are made.
        GroupCreate = "ring_groups.create",
        /// Ring groups that are changed.
        GroupUpdate = "ring_groups.update",
        /// Ring groups that are deleted.
        GroupDelete = "ring_groups.delete",
    }
}

/// The most objects of a kind that one plan may touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cap {
    /// Never more than this, however large the account.
    pub most: Option<u32>,
    /// This share of the account's objects of that kind, 0 to 100.
    pub percent: u8,
    /// But at least this many, so that a small account is not held up by arithmetic.
    pub floor: u32,
}

/// The caps that are written; the others have their defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caps(BTreeMap<Capped, Spanned<Option<Cap>>>);

/// What keeps its destination until a change of it is approved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Protected {
    pub numbers: BTreeMap<E164, Span>,
    /// Ring groups, by the name or the extension number after the `/`.
    pub groups: BTreeMap<NameKey, Spanned<Reference>>,
    /// Other names and extension numbers of these groups, as their own files declare them, each with its key in
    /// `groups`: a renamed group stays protected.
    pub aliases: BTreeMap<NameKey, NameKey>,
}

impl Protected {
    /// Adds the names and extension numbers that these declarations give the protected groups.
    pub fn alias<'g>(&mut self, declared: impl IntoIterator<Item = &'g DesiredRingGroup>) {
        if self.groups.is_empty() {
            return;
        }
        for group in declared {
            let extension = group.extension.as_ref().map(|extension| NameKey::of(extension.value.as_str()));
            let former = group.renamed_from.as_ref().map(|former| former.value.key());
            let all: Vec<NameKey> = [Some(group.name.value.key()), extension, former].into_iter().flatten().collect();
            let Some(protected) = all.iter().find(|key| self.groups.contains_key(*key)).cloned() else { continue };
            for key in all.into_iter().filter(|key| !self.groups.contains_key(key)) {
                self.aliases.insert(key, protected.clone());
            }
        }
    }

    /// The entry for one of these names or extension numbers.
    pub fn find<'k>(&self, keys: impl Iterator<Item = &'k NameKey> + Clone) -> Option<&Spanned<Reference>> {
        let direct = keys.clone().find_map(|key| self.groups.get(key));
        direct.or_else(|| keys.filter_map(|key| self.aliases.get(key)).find_map(|key| self.groups.get(key)))
    }
}

impl Capped {
    /// The cap that holds where the policy says nothing.
    pub const fn default_cap(self) -> Cap {
        let (percent, floor) = match self {
            Self::NumberUpdate | Self::GroupUpdate => (30, 10),
            Self::NumberUnassign => (5, 1),
            Self::GroupCreate => (100, 50),
            Self::GroupDelete => (10, 2),
        };
        Cap { most: None, percent, floor }
    }
}

impl Cap {
    /// How many objects may be touched in an account that has so many of that kind.
    pub fn limit(self, live: usize) -> usize {
        let share = live.saturating_mul(usize::from(self.percent)) / 100;
        let floor = usize::try_from(self.floor).unwrap_or(usize::MAX);
        let most = self.most.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
        share.max(floor).min(most)
    }
}

impl Caps {
    /// The cap, unless it is off; and where the policy says so.
    pub fn get(&self, capped: Capped) -> (Option<Cap>, Option<Span>) {
        match self.0.get(&capped) {
            Some(written) => (written.value, Some(written.span)),
            None => (Some(capped.default_cap()), None),
        }
    }

    /// Sets a cap; `None` is the word `off`. The place of the one that is written already, if there is one:
    /// then nothing is changed.
    pub fn set(&mut self, capped: Capped, cap: Spanned<Option<Cap>>) -> Result<(), Span> {
        match self.0.entry(capped) {
            std::collections::btree_map::Entry::Occupied(first) => Err(first.get().span),
            std::collections::btree_map::Entry::Vacant(free) => {
                free.insert(cap);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_share_and_at_least_the_floor_and_never_above_the_most() {
        let cap = Cap { most: None, percent: 30, floor: 10 };
        assert_eq!((cap.limit(0), cap.limit(33), cap.limit(34), cap.limit(100)), (10, 10, 10, 30));
        assert_eq!(Cap { most: Some(20), ..cap }.limit(100), 20);
        assert_eq!(Cap { most: Some(5), ..cap }.limit(3), 5, "the most wins over the floor");
        assert_eq!(Cap { most: None, percent: 100, floor: 0 }.limit(usize::MAX), usize::MAX / 100);
    }

    #[test]
    fn a_cap_that_is_not_written_has_its_default_and_the_first_one_written_stays() {
        let mut caps = Caps::default();
        let written = Spanned { value: None, span: Span { line: 4, ..Span::default() } };
        assert_eq!(caps.get(Capped::GroupDelete), (Some(Capped::GroupDelete.default_cap()), None));
        assert_eq!(caps.set(Capped::GroupDelete, written), Ok(()));
        assert_eq!(caps.set(Capped::GroupDelete, Spanned { span: Span::default(), ..written }), Err(written.span));
        assert_eq!(caps.get(Capped::GroupDelete), (None, Some(written.span)));
    }
}
