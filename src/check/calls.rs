//! Rules on what points at what: offline, so only among the groups that the files declare.
//!
//! A group that no file declares may exist in the account, which the plan finds out.

use std::hash::{DefaultHasher, Hash, Hasher};

use foldhash::HashMap;

use crate::diag::caller::{self, Step};
use crate::diag::{Diagnostic, Rule};
use crate::model::{Absent, DesiredNumber, DesiredRingGroup, Kind, Name, NameKey, Reference, Selector, Span, Spanned};

use crate::routing::cycles;

use super::reader::Reader;
use super::ring_groups::RingGroups;

/// The groups that the files declare, as references find them.
struct Declared<'a> {
    groups: &'a [(NameKey, DesiredRingGroup)],
    /// The names of all groups, also of those whose fields are wrong.
    names: Vec<(&'a NameKey, &'a Spanned<Name>)>,
    by_name: HashMap<&'a str, u32>,
    by_extension: HashMap<&'a str, u32>,
    /// By the hash of the name, and of the name without any one of its characters; see [`Declared::near`].
    near: Option<HashMap<u64, u32>>,
    absent: HashMap<NameKey, Span>,
}

/// Checks every reference to a ring group.
pub(super) fn check(reader: &mut Reader, numbers: &[DesiredNumber], groups: &RingGroups, absent: &[Absent]) {
    let mut declared = Declared::new(groups, absent);
    let groups = groups.declared.as_slice();
    absences(reader, &declared, absent);
    for number in numbers {
        if let Some(reference) = &number.to.value {
            declared.reference(reader, reference, number.to.span);
        }
    }
    let mut next: Vec<Option<u32>> = vec![None; groups.len()];
    for (index, (_, group)) in groups.iter().enumerate() {
        let Some(target) = &group.no_answer else { continue };
        let Some(reference) = &target.value else { continue };
        let found = declared.reference(reader, reference, target.span);
        if found.is_some_and(|found| found as usize == index) {
            let message = format!("`{}` sends unanswered calls to itself", group.name.value);
            let hint = "write a user, a voicemail box, another group, or `no_answer: none`";
            reader.note(Rule::SELF_NO_ANSWER, target.span, message, hint);
        } else if let Some(slot) = next.get_mut(index) {
            *slot = found.filter(|found| (*found as usize) < groups.len());
        }
    }
    report_cycles(reader, groups, &next);
}

impl<'a> Declared<'a> {
    fn new(RingGroups { declared: groups, broken, .. }: &'a RingGroups, absent: &[Absent]) -> Self {
        let index = |index: usize| u32::try_from(index).unwrap_or(u32::MAX);
        let whole = groups.iter().map(|(key, group)| (key, &group.name));
        let names: Vec<_> = whole.chain(broken.iter().map(|(key, name)| (key, name))).collect();
        let by_name = names.iter().enumerate().rev().map(|(at, (key, _))| (key.as_str(), index(at))).collect();
        let extension = |group: &'a DesiredRingGroup| group.extension.as_ref().map(|number| number.value.as_str());
        let by_extension = groups
            .iter()
            .enumerate()
            .filter_map(|(at, (_, group))| extension(group).map(|number| (number, index(at))))
            .collect();
        let absent =
            absent.iter().map(|Absent { reference }| (reference.value.selector.key(), reference.span)).collect();
        Self { groups, names, by_name, by_extension, near: None, absent }
    }

    /// The position of the declared group that is meant; one beyond the groups is a group whose fields are
    /// wrong. Reports a group that is listed in `absent`, and a near miss.
    fn reference(&mut self, reader: &mut Reader, reference: &Reference, span: Span) -> Option<u32> {
        if reference.kind != Kind::RingGroup {
            return None;
        }
        let key = reference.selector.folded();
        let found = match &reference.selector {
            Selector::Extension(extension) => self.by_extension.get(extension.as_str()),
            Selector::Name(_) | Selector::Email(_) | Selector::Number(_) => self.by_name.get(&*key),
        };
        if let Some(found) = found {
            return Some(*found);
        }
        if let Some(absent) = self.absent.get(&*key) {
            let message = format!("`{reference}` is listed in `absent`");
            let finding = Diagnostic::new(Rule::REFERENCE_TO_ABSENT, Some(span), message);
            reader.report(finding.related(*absent, "here").hint("point at something else, or keep the group"));
        } else if matches!(reference.selector, Selector::Name(_))
            && let Some(meant) = self.near(&key)
        {
            let message = format!("no file declares `{reference}`");
            let finding = Diagnostic::new(Rule::UNDECLARED_RING_GROUP, Some(span), message);
            let declared = format!("`{}` is declared here", meant.value);
            let hint = format!("did you mean `ring_group/{}`?", meant.value);
            reader.report(finding.related(meant.span, declared).hint(hint));
        }
        None
    }

    /// A declared group whose name differs by a typo.
    ///
    /// Comparing with every name would make an account without any declared names quadratic. Two texts that
    /// are one insertion, deletion, replacement or swap apart become the same when each loses one character
    /// at most, so all such shortened forms are looked up in one table.
    fn near(&mut self, key: &str) -> Option<&'a Spanned<Name>> {
        let names = &self.names;
        let table = self.near.get_or_insert_with(|| {
            let mut table = HashMap::default();
            for (index, (name, _)) in names.iter().enumerate() {
                for hash in shortened(name.as_str()) {
                    table.entry(hash).or_insert(u32::try_from(index).unwrap_or(u32::MAX));
                }
            }
            table
        });
        let candidates = shortened(key).filter_map(|hash| table.get(&hash).copied());
        let mut meant: Vec<(usize, u32)> = candidates
            .filter_map(|index| {
                let (name, _) = names.get(index as usize)?;
                let distance = strsim::damerau_levenshtein(key, name.as_str());
                // Of a name of three letters, one other letter makes another name.
                (distance <= 2 && distance * 4 <= key.chars().count()).then_some((distance, index))
            })
            .collect();
        meant.sort_unstable();
        let (_, index) = meant.first()?;
        names.get(*index as usize).map(|(_, name)| *name)
    }
}

/// The hashes of a text and of all texts that it becomes by losing one character.
fn shortened(text: &str) -> impl Iterator<Item = u64> {
    let hash = |left: &str, right: &str| {
        let mut hasher = DefaultHasher::new();
        left.as_bytes().iter().chain(right.as_bytes()).for_each(|byte| byte.hash(&mut hasher));
        hasher.finish()
    };
    let without = text.char_indices().map(move |(at, character)| {
        let (left, right) = text.split_at(at);
        hash(left, right.get(character.len_utf8()..).unwrap_or_default())
    });
    std::iter::once(hash(text, "")).chain(without)
}

/// Groups in `absent` that are named elsewhere in the files.
fn absences(reader: &mut Reader, declared: &Declared<'_>, absent: &[Absent]) {
    let mut seen: HashMap<NameKey, Span> = HashMap::default();
    for Absent { reference } in absent {
        let key = reference.value.selector.key();
        if let Some(first) = seen.insert(key.clone(), reference.span) {
            let message = format!("`{}` is given twice", reference.value);
            let finding = Diagnostic::new(Rule::DUPLICATE_RING_GROUP, Some(reference.span), message);
            reader.report(finding.related(first, "here as well").hint("remove one of the two"));
        }
        let by_name = matches!(reference.value.selector, Selector::Name(_));
        let name = declared.by_name.get(key.as_str()).and_then(|index| declared.names.get(*index as usize));
        if by_name && let Some((_, name)) = name {
            let message = format!("`{}` is both declared and listed in `absent`", reference.value);
            let finding = Diagnostic::new(Rule::DECLARED_ABSENT, Some(reference.span), message);
            reader.report(finding.related(name.span, "declared here").hint("remove one of the two"));
        }
    }
    for (_, group) in declared.groups {
        let Some(former) = &group.renamed_from else { continue };
        if let Some(absent) = seen.get(&former.value.key()) {
            let message = format!("`{}` is both renamed and listed in `absent`", former.value);
            let finding = Diagnostic::new(Rule::DECLARED_ABSENT, Some(*absent), message);
            reader.report(finding.related(former.span, "renamed here").hint("remove one of the two"));
        }
    }
}

/// Cycles among groups that each have one next group at most.
fn report_cycles(reader: &mut Reader, groups: &[(NameKey, DesiredRingGroup)], next: &[Option<u32>]) {
    for cycle in cycles(next) {
        let members = cycle.iter().filter_map(|at| groups.get(*at));
        let steps = members.map(|(_, group)| Step {
            name: group.name.value.as_str(),
            span: group.no_answer.as_ref().map(|target| target.span),
        });
        if let Some(finding) = caller::cycle(steps.collect()) {
            reader.report(finding);
        }
    }
}
