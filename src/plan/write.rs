//! One write before it has a place in the order: what it does, what it needs, what it frees.

use crate::diff::{Deletion, Difference, GroupDelta, NumberDelta};
use crate::model::{ExtensionNumber, FieldValues, Handle, Kind, LiveRingGroup, NameKey, Reason, Verb};

/// What a write is about: a position in one of the lists of the difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    Group(usize),
    Number(usize),
    Deletion(usize),
}

/// A write, still without a place in the order.
///
/// An object has one write, or two after [`split`](super::split): then the second names the first.
#[derive(Clone, Debug)]
pub(super) struct Write {
    pub(super) subject: Subject,
    pub(super) verb: Verb,
    /// The ring group that is written, if it is one.
    pub(super) group: Option<Handle>,
    /// What is written, if a group is created or updated.
    pub(super) fields: FieldValues<Handle>,
    /// The extension number that the group has just before, if an earlier write of this plan gave it that.
    pub(super) parked: Option<ExtensionNumber>,
    /// The no-answer target just before, if an earlier write of this plan set it.
    pub(super) detached: bool,
    pub(super) reason: Reason,
    /// The earlier write to the same object.
    pub(super) after: Option<usize>,
    /// The extension number that must be free for it, and the one that it frees.
    pub(super) takes_extension: Option<ExtensionNumber>,
    pub(super) frees_extension: Option<ExtensionNumber>,
    /// The name that must be free for it, and the one that it frees.
    pub(super) takes_name: Option<NameKey>,
    pub(super) frees_name: Option<NameKey>,
    /// The destination or the no-answer target before and after the write; `None` if this write does not change it.
    pub(super) route: Option<Route>,
    /// The ring groups among the members that the group has until it is written.
    pub(super) releases: Vec<Handle>,
}

/// A changed pointer of a number's destination or of a group's no-answer target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) before: Option<Handle>,
    pub(super) after: Option<Handle>,
}

impl Write {
    fn new(subject: Subject, verb: Verb, reason: Reason) -> Self {
        Self {
            subject,
            verb,
            group: None,
            fields: FieldValues::default(),
            parked: None,
            detached: false,
            reason,
            after: None,
            takes_extension: None,
            frees_extension: None,
            takes_name: None,
            frees_name: None,
            route: None,
            releases: Vec::new(),
        }
    }

    /// The group that this write brings into being.
    pub(super) fn creates(&self) -> Option<Handle> {
        self.group.filter(|_| self.verb == Verb::Create)
    }

    /// The group that this write removes.
    pub(super) fn deletes(&self) -> Option<Handle> {
        self.group.filter(|_| self.verb == Verb::Delete)
    }
}

/// One write for each object that differs.
pub(super) fn writes(difference: &Difference<'_>) -> Vec<Write> {
    let groups = difference.groups.iter().enumerate().map(|(index, delta)| group(difference, index, delta));
    let numbers = difference.numbers.iter().enumerate().map(|(index, delta)| number(difference, index, *delta));
    let deletions = difference.deletions.iter().enumerate().map(|(index, one)| deletion(difference, index, *one));
    groups.chain(numbers).chain(deletions).collect()
}

fn group(difference: &Difference<'_>, index: usize, delta: &GroupDelta) -> Write {
    let live = difference.directory.live().ring_groups.get(delta.handle.index as usize);
    let (verb, reason) = match live {
        None => (Verb::Create, Reason::Declared),
        Some(_) if delta.renamed => (Verb::Update, Reason::Renamed),
        Some(_) => (Verb::Update, Reason::Declared),
    };
    let mut write = Write::new(Subject::Group(index), verb, reason);
    write.group = Some(delta.handle);
    write.fields = delta.fields.clone();
    write.takes_extension = delta.fields.extension().cloned();
    write.takes_name = delta.fields.name().map(crate::model::Name::key);
    if let Some(live) = live {
        write.frees_extension = live.extension.clone().filter(|_| delta.fields.extension().is_some());
        write.frees_name = delta.fields.name().map(|_| live.name.key());
        if delta.fields.members().is_some() {
            write.releases = member_groups(difference, live);
        }
        // A new spelling of the same name frees nothing and takes nothing.
        if write.frees_name == write.takes_name {
            write.frees_name = None;
            write.takes_name = None;
        }
    }
    let route = |after: Option<&Handle>| Route { before: no_answer(difference, delta.handle), after: after.copied() };
    write.route = delta.fields.no_answer().map(route);
    write
}

fn number(difference: &Difference<'_>, index: usize, delta: NumberDelta) -> Write {
    let mut write = Write::new(Subject::Number(index), Verb::Update, Reason::Declared);
    write.route = delta.to.map(|after| Route { before: difference.directory.destination(delta.live), after });
    write
}

fn deletion(difference: &Difference<'_>, index: usize, deletion: Deletion) -> Write {
    let reason = if deletion.absent.is_none() { Reason::Pruned } else { Reason::Absent };
    let mut write = Write::new(Subject::Deletion(index), Verb::Delete, reason);
    write.group = Some(deletion.handle);
    write.route = Some(Route { before: no_answer(difference, deletion.handle), after: None });
    let live = difference.directory.live().ring_groups.get(deletion.handle.index as usize);
    if let Some(live) = live {
        write.frees_extension.clone_from(&live.extension);
        write.frees_name = Some(live.name.key());
        write.releases = member_groups(difference, live);
    }
    write
}

fn no_answer(difference: &Difference<'_>, handle: Handle) -> Option<Handle> {
    let live = difference.directory.live().ring_groups.get(handle.index as usize)?;
    live.no_answer.as_ref().and_then(|target| difference.directory.by_id(target))
}

/// The ring groups among the members of a live group. No file can declare such a member, but an account can have it.
fn member_groups(difference: &Difference<'_>, live: &LiveRingGroup) -> Vec<Handle> {
    let groups = live.members.iter().filter(|member| member.kind == Kind::RingGroup);
    groups.filter_map(|member| difference.directory.by_id(member)).collect()
}
