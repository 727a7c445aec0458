//! What the operator wants, checked as far as it can be without the account.
//!
//! Invariants, which `check` establishes: numbers are sorted and unique; ring groups are sorted by name key
//! and unique; a reference to a ring group that nothing declares may still exist in the account. A field
//! that is `None` is not managed: an existing object keeps its value, a new one gets the default.

use super::{
    Base, E164, ExtensionNumber, FileId, Kind, Name, OwnerName, Place, Policy, Reference, RingFor, RingMode, Span,
    Spanned,
};

/// The wanted state of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Desired {
    /// The account's name in the file.
    pub account: Box<str>,
    /// Who manages the account with these files; `None` if that is not known.
    pub owner: Option<OwnerName>,
    /// The files, as the operator gave them, by [`FileId`].
    pub files: Vec<Box<str>>,
    /// The managed numbers.
    pub numbers: Vec<DesiredNumber>,
    /// The managed ring groups.
    pub ring_groups: Vec<DesiredRingGroup>,
    /// What must be deleted.
    pub absent: Vec<Absent>,
    /// The account's policy.
    pub policy: Policy,
    /// The guards of the revisions that these files come from, newest first: a plan is held against them as
    /// well, so that no change loosens a guard and makes use of that at once. Empty if there is none before.
    pub base: Vec<Base>,
}

/// A number, as the files declare it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredNumber {
    pub number: E164,
    /// The place of the number itself.
    pub span: Span,
    /// The destination; `None` is the written word `none`: deliberately unassigned.
    pub to: Spanned<Option<Reference>>,
    /// The text beside it, if managed; empty removes it.
    pub label: Option<Spanned<Box<str>>>,
}

/// A ring group, as the files declare it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredRingGroup {
    pub name: Spanned<Name>,
    pub extension: Option<Spanned<ExtensionNumber>>,
    pub ring: Option<Spanned<RingMode>>,
    /// In order; never empty.
    pub members: Vec<Spanned<Reference>>,
    /// The place of the whole list.
    pub members_span: Span,
    pub ring_for: Option<Spanned<RingFor>>,
    /// An inner `None` is the written word `none`: the call ends.
    pub no_answer: Option<Spanned<Option<Reference>>>,
    /// The name under which the group is known so far.
    pub renamed_from: Option<Spanned<Name>>,
}

/// A ring group that must not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absent {
    pub reference: Spanned<Reference>,
}

/// One declaration of the files, by its position in a list of [`Desired`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Declaration {
    Number(u32),
    RingGroup(u32),
    Absent(u32),
}

impl Desired {
    /// The kind and name of the object that a declaration is about, and where it is; `None` past the lists' ends.
    pub fn declared(&self, declaration: Declaration) -> Option<(Kind, String, Span)> {
        Some(match declaration {
            Declaration::Number(at) => {
                let number = self.numbers.get(at as usize)?;
                (Kind::Number, number.number.to_string(), number.span)
            }
            Declaration::RingGroup(at) => {
                let name = &self.ring_groups.get(at as usize)?.name;
                (Kind::RingGroup, name.value.to_string(), name.span)
            }
            Declaration::Absent(at) => {
                let reference = &self.absent.get(at as usize)?.reference;
                (reference.value.kind, reference.value.selector.to_string(), reference.span)
            }
        })
    }

    /// The place that can leave the process.
    pub fn place(&self, span: Span) -> Place {
        let FileId(index) = span.file;
        let file = self.files.get(index as usize).map(ToString::to_string).unwrap_or_default();
        Place { file, line: span.line, column: span.column }
    }
}
