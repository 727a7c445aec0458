//! Leaving writes out of a difference, and what depends on them.
//!
//! Invariants: an object of which something is left out is not written at all. While a declaration is invalid, nothing
//! is deleted and no number loses its destination. Linear in the size of the account for each round.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use crate::diag::{Diagnostic, Rule, Severity};
use crate::diff::{Deletion, Difference, GroupDelta, NumberDelta};
use crate::model::{Declaration, Desired, Handle, Kind, Span};

use super::Plan;
use super::dependencies::needs;
use super::graph::Graph;
use super::order::Ordered;
use super::selection::{Select, declarations};
use super::skipped::{Cause, Skipped};
use super::write::{Subject, Write, writes};

/// How many rounds look for cycles of unanswered calls before every change of a target is left out.
const ROUNDS: usize = 16;

/// Why a write is left out.
#[derive(Clone)]
enum Why {
    NotSelected,
    Invalid {
        rule: &'static str,
        message: String,
    },
    Blocked(String),
    /// It takes something away while a declaration is invalid.
    Degraded,
    /// It needs that write.
    Needs(usize),
    /// With what is left out, unanswered calls would go round.
    Cycle,
}

/// The writes of a difference, and which of them are left out.
pub(super) struct Cut {
    numbers: Vec<NumberDelta>,
    groups: Vec<GroupDelta>,
    deletions: Vec<Deletion>,
    writes: Vec<Write>,
    /// What must come before what.
    graph: Graph,
    /// The declaration behind each write; `None` if it is the policy that asks for it.
    declaration: Vec<Option<Declaration>>,
    left: Vec<Option<Why>>,
    /// Declarations that are left out and would write nothing.
    unwritten: BTreeMap<Declaration, Why>,
    /// The declarations that are planned; `None` if there is no selection.
    selected: Option<BTreeSet<Declaration>>,
    in_sync: usize,
    /// The writes of the reduced difference, as positions in the list of all.
    kept: BTreeMap<Subject, usize>,
}

impl Cut {
    pub(super) fn new(difference: &Difference<'_>) -> Self {
        let writes = writes(difference);
        let declaration = |write: &Write| {
            Some(match write.subject {
                Subject::Number(at) => Declaration::Number(difference.numbers.get(at)?.desired),
                Subject::Group(at) => Declaration::RingGroup(difference.groups.get(at)?.desired),
                Subject::Deletion(at) => Declaration::Absent(difference.deletions.get(at)?.absent?),
            })
        };
        Self {
            numbers: difference.numbers.clone(),
            groups: difference.groups.clone(),
            deletions: difference.deletions.clone(),
            graph: needs(&writes),
            declaration: writes.iter().map(declaration).collect(),
            left: vec![None; writes.len()],
            unwritten: BTreeMap::new(),
            selected: None,
            in_sync: difference.in_sync,
            kept: writes.iter().enumerate().map(|(at, write)| (write.subject, at)).collect(),
            writes,
        }
    }

    fn is_kept(&self, at: usize) -> bool {
        self.left.get(at).is_some_and(Option::is_none)
    }

    fn leave(&mut self, at: usize, why: Why) {
        if let Some(slot) = self.left.get_mut(at).filter(|slot| slot.is_none()) {
            *slot = Some(why);
        }
    }

    fn written(&self) -> BTreeMap<Declaration, usize> {
        (0..).zip(&self.declaration).filter_map(|(at, declaration)| Some(((*declaration)?, at))).collect()
    }

    /// Leaves out what is not selected, but for the ring groups that must be created for what is.
    pub(super) fn select(&mut self, desired: &Desired, only: &[Select]) {
        let is_selected = |declaration: &Declaration| only.iter().any(|select| select.has(desired, *declaration));
        let mut selected: BTreeSet<Declaration> = declarations(desired).filter(is_selected).collect();
        let is_in =
            |at: &usize| self.declaration.get(*at).copied().flatten().is_some_and(|one| selected.contains(&one));
        let (mut queue, others): (Vec<usize>, Vec<usize>) = (0..self.writes.len()).partition(is_in);
        for at in others {
            self.leave(at, Why::NotSelected);
        }
        let before = self.graph.predecessors();
        while let Some(at) = queue.pop() {
            for &needed in before.get(at).into_iter().flatten() {
                let creates = self.writes.get(needed).is_some_and(|write| write.creates().is_some());
                if creates && let Some(slot) = self.left.get_mut(needed).filter(|slot| slot.is_some()) {
                    *slot = None;
                    selected.extend(self.declaration.get(needed).copied().flatten());
                    queue.push(needed);
                }
            }
        }
        let written = self.written();
        let in_sync = |one: &&Declaration| !matches!(one, Declaration::Absent(_)) && !written.contains_key(one);
        self.in_sync = selected.iter().filter(in_sync).count();
        self.selected = Some(selected);
    }

    /// Whether a finding is about an object that is planned, or about the whole.
    pub(super) fn is_about(&self, finding: &Diagnostic) -> bool {
        finding.concerns.is_empty() || finding.concerns.iter().any(|one| self.is_selected(*one))
    }

    fn is_selected(&self, declaration: Declaration) -> bool {
        self.selected.as_ref().is_none_or(|selected| selected.contains(&declaration))
    }

    /// Leaves out the declarations that errors are about, and every deletion and unassignment. False if an error is
    /// not about single declarations.
    pub(super) fn skip_invalid(&mut self, findings: &[Diagnostic]) -> bool {
        let written = self.written();
        for finding in findings.iter().filter(|finding| finding.severity == Severity::Error) {
            if finding.concerns.is_empty() || !finding.rule.is_skippable() {
                return false;
            }
            for declaration in
                finding.concerns.iter().filter(|one| self.is_selected(**one)).copied().collect::<Vec<_>>()
            {
                let why = Why::Invalid { rule: finding.rule.id, message: finding.reason() };
                if let Some(at) = written.get(&declaration) {
                    self.leave(*at, why);
                } else if let Entry::Vacant(free) = self.unwritten.entry(declaration) {
                    free.insert(why);
                    let managed = !matches!(declaration, Declaration::Absent(_));
                    self.in_sync = self.in_sync.saturating_sub(usize::from(managed));
                }
            }
        }
        for at in 0..self.writes.len() {
            let takes_away = self.writes.get(at).is_some_and(|write| match write.subject {
                Subject::Deletion(_) => true,
                Subject::Number(number) => self.numbers.get(number).is_some_and(|delta| delta.to == Some(None)),
                Subject::Group(_) => false,
            });
            if takes_away {
                self.leave(at, Why::Degraded);
            }
        }
        true
    }

    /// Leaves out what guards on single objects hold back; false if there is nothing of that kind.
    pub(super) fn skip_blocked(&mut self, plan: &Plan, ordered: &Ordered) -> bool {
        let mut any = false;
        for block in plan.blocked.iter().filter(|block| block.guard.is_of_objects()) {
            for change in &block.changes {
                let place = (change.0 as usize).checked_sub(1);
                let write = place.and_then(|place| ordered.writes.get(place));
                if let Some(at) = write.and_then(|write| self.kept.get(&write.subject)).copied() {
                    self.leave(at, Why::Blocked(block.message.clone()));
                    any = true;
                }
            }
        }
        any
    }

    /// Leaves out what depends on what is left out.
    pub(super) fn close(&mut self, difference: &Difference<'_>) {
        let mut rounds = 0;
        loop {
            let mut queue: Vec<usize> = (0..self.left.len()).filter(|at| !self.is_kept(*at)).collect();
            while let Some(at) = queue.pop() {
                for next in self.graph.after(at).collect::<Vec<_>>() {
                    if self.is_kept(next) {
                        self.leave(next, Why::Needs(at));
                        queue.push(next);
                    }
                }
            }
            let closing = if rounds < ROUNDS { self.closing(difference) } else { self.targets() };
            if closing.is_empty() {
                return;
            }
            for at in closing {
                self.leave(at, Why::Cycle);
            }
            rounds += 1;
        }
    }

    /// Every write of a no-answer target that is kept.
    fn targets(&self) -> Vec<usize> {
        let is_target = |at: &usize| self.is_kept(*at) && self.no_answer(*at).is_some();
        (0..self.writes.len()).filter(is_target).collect()
    }

    /// The group, and the no-answer target that a write gives it.
    fn no_answer(&self, at: usize) -> Option<(Handle, Option<Handle>)> {
        let write = self.writes.get(at)?;
        match write.subject {
            Subject::Group(group) => {
                let delta = self.groups.get(group)?;
                Some((delta.handle, delta.fields.no_answer()?.copied()))
            }
            Subject::Deletion(deletion) => Some((self.deletions.get(deletion)?.handle, None)),
            Subject::Number(_) => None,
        }
    }

    /// Writes that close a cycle of unanswered calls which neither the account nor the files have: what is left out
    /// would have broken it.
    fn closing(&self, difference: &Difference<'_>) -> Vec<usize> {
        if self.left.iter().all(Option::is_none) {
            return Vec::new();
        }
        let whole = difference.routing();
        let mut kept = difference.live_routing();
        let mut writer: BTreeMap<Handle, usize> = BTreeMap::new();
        for at in (0..self.writes.len()).filter(|at| self.is_kept(*at)) {
            if let Some((group, to)) = self.no_answer(at) {
                kept.set_target(group, to);
                writer.insert(group, at);
            }
        }
        let is_mixed = |cycle: &Vec<Handle>| cycle.iter().any(|group| kept.target(*group) != whole.target(*group));
        let mixed: Vec<Vec<Handle>> = kept.cycles().into_iter().filter(is_mixed).collect();
        mixed.iter().flatten().filter_map(|group| writer.get(group)).copied().collect()
    }

    /// Takes what is left out from the difference that all of this was made of.
    pub(super) fn reduce(&mut self, difference: &mut Difference<'_>) {
        difference.groups.clear();
        difference.numbers.clear();
        difference.deletions.clear();
        self.kept.clear();
        for (at, write) in
            self.writes.iter().enumerate().filter(|(at, _)| self.left.get(*at).is_some_and(Option::is_none))
        {
            let subject = match write.subject {
                Subject::Group(group) => {
                    difference.groups.extend(self.groups.get(group).cloned());
                    Subject::Group(difference.groups.len() - 1)
                }
                Subject::Number(number) => {
                    difference.numbers.extend(self.numbers.get(number).copied());
                    Subject::Number(difference.numbers.len() - 1)
                }
                Subject::Deletion(deletion) => {
                    difference.deletions.extend(self.deletions.get(deletion).copied());
                    Subject::Deletion(difference.deletions.len() - 1)
                }
            };
            self.kept.insert(subject, at);
        }
        difference.in_sync = self.in_sync;
    }

    /// Whether it is because of the selection that a write is left out.
    fn is_unselected(&self, mut at: usize) -> bool {
        // Every step leads to a write that was left out before.
        loop {
            match self.left.get(at) {
                Some(Some(Why::NotSelected)) => return true,
                Some(Some(Why::Needs(before))) => at = *before,
                _ => return false,
            }
        }
    }

    /// Findings on selected objects that cannot be written without others.
    pub(super) fn refused(&self, difference: &Difference<'_>) -> Vec<Diagnostic> {
        let selected = |at: &usize| {
            let declaration = self.declaration.get(*at).copied().flatten();
            self.selected.is_some() && declaration.is_some_and(|one| self.is_selected(one))
        };
        let refused = (0..self.writes.len()).filter(selected).filter_map(|at| {
            let needs = match self.left.get(at)?.as_ref()? {
                Why::Needs(before) if self.is_unselected(*before) => {
                    format!("needs the change of {}", self.named(difference, *before))
                }
                Why::Cycle => "closes a cycle of unanswered calls".to_owned(),
                _ => return None,
            };
            let message = format!("{} {needs}, which `--only` does not select", self.named(difference, at));
            let finding = Diagnostic::new(Rule::NEEDS_UNSELECTED, self.span(difference, at), message);
            Some(finding.hint("select both, or plan everything"))
        });
        refused.collect()
    }

    fn span(&self, difference: &Difference<'_>, at: usize) -> Option<Span> {
        let declaration = self.declaration.get(at).copied().flatten();
        match (declaration, self.writes.get(at).map(|write| write.subject)) {
            (Some(declaration), _) => difference.desired.declared(declaration).map(|(_, _, span)| span),
            (None, Some(Subject::Deletion(deletion))) => self.deletions.get(deletion).map(|deletion| deletion.span),
            _ => None,
        }
    }

    /// The object of a write, as the account calls it if it exists.
    fn object(&self, difference: &Difference<'_>, at: usize) -> Option<(Kind, String)> {
        let group = |handle: Handle| {
            let live = difference.directory.live().ring_groups.get(handle.index as usize);
            (Kind::RingGroup, live.map_or_else(|| difference.name_after(handle), |live| live.name.to_string()))
        };
        Some(match self.writes.get(at)?.subject {
            Subject::Group(delta) => group(self.groups.get(delta)?.handle),
            Subject::Deletion(deletion) => group(self.deletions.get(deletion)?.handle),
            Subject::Number(number) => {
                let desired = self.numbers.get(number)?.desired;
                (Kind::Number, difference.desired.numbers.get(desired as usize)?.number.to_string())
            }
        })
    }

    fn named(&self, difference: &Difference<'_>, at: usize) -> String {
        self.object(difference, at).map(|(kind, name)| format!("`{kind}/{name}`")).unwrap_or_default()
    }

    /// What is left out, and why, by kind and name; but for what was not selected.
    pub(super) fn skipped(&self, difference: &Difference<'_>) -> Vec<Skipped> {
        let place = |span: Option<Span>| span.map(|span| difference.desired.place(span));
        let written = (0..self.writes.len()).filter_map(|at| {
            let why = self.left.get(at)?.as_ref()?;
            if self.is_unselected(at) {
                return None;
            }
            let (kind, name) = self.object(difference, at)?;
            Some(self.entry(difference, kind, name, why, place(self.span(difference, at))))
        });
        let unwritten = self.unwritten.iter().filter_map(|(declaration, why)| {
            let (kind, name, span) = difference.desired.declared(*declaration)?;
            Some(self.entry(difference, kind, name, why, place(Some(span))))
        });
        let mut skipped: Vec<Skipped> = written.chain(unwritten).collect();
        skipped.sort_by(|one, other| (one.kind, &one.name, one.cause).cmp(&(other.kind, &other.name, other.cause)));
        skipped
    }

    fn entry(
        &self,
        difference: &Difference<'_>,
        kind: Kind,
        name: String,
        why: &Why,
        place: Option<crate::model::Place>,
    ) -> Skipped {
        let (cause, rule, reason) = match why {
            Why::Invalid { rule, message } => (Cause::Invalid, Some((*rule).to_owned()), message.clone()),
            Why::Blocked(message) => (Cause::Blocked, None, message.clone()),
            Why::Degraded if kind == Kind::Number => {
                (Cause::Degraded, None, "no number loses its destination while a declaration is invalid".to_owned())
            }
            Why::Degraded => (Cause::Degraded, None, "nothing is deleted while a declaration is invalid".to_owned()),
            Why::Needs(before) => {
                let needed = self.named(difference, *before);
                (Cause::Depends, None, format!("it depends on {needed}, which is left out"))
            }
            Why::Cycle => {
                let why = "without what is left out, unanswered calls would go round in a cycle";
                (Cause::Depends, None, why.to_owned())
            }
            Why::NotSelected => (Cause::Depends, None, "it is not selected".to_owned()),
        };
        Skipped { kind, name, cause, reason, rule, place }
    }
}
