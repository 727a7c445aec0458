//! Findings while they are collected: never more than a person can read, however many mistakes a file has.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::{Deref, DerefMut};

use super::{Diagnostic, Severity};
use crate::model::Declaration;

/// The most findings that are shown, and that are kept of a rule and severity until the policy is known. Others
/// are counted.
pub const MOST: usize = 1_000;

/// What is of one rule and one severity.
type Kind = (&'static str, Severity);

fn kind(finding: &Diagnostic) -> Kind {
    (finding.rule.id, finding.severity)
}

/// Findings while they are collected. Of each rule and severity the first [`MOST`] are kept, and the last of these says
/// how many more there are: policy may switch a rule off, and none may hide the findings of another.
#[derive(Debug, Default)]
pub struct Findings {
    kept: Vec<Diagnostic>,
    /// How many are kept of a kind, and where the last one is.
    kinds: HashMap<Kind, (usize, usize)>,
    total: usize,
    /// What the findings that are only counted concern, by the place of the one that stands for them; `None` once one of
    /// them concerns the whole.
    counted: HashMap<usize, Option<Vec<Declaration>>>,
}

impl Findings {
    pub fn push(&mut self, finding: Diagnostic) {
        self.total += 1 + finding.more;
        let next = self.kept.len();
        match self.kinds.entry(kind(&finding)) {
            Entry::Vacant(entry) => {
                entry.insert((1, next));
            }
            Entry::Occupied(mut entry) => {
                let (count, last) = entry.get_mut();
                if *count >= MOST
                    && let Some(kept) = self.kept.get_mut(*last)
                {
                    kept.more += 1 + finding.more;
                    let others = self.counted.entry(*last).or_insert_with(|| Some(Vec::new()));
                    match others {
                        Some(all) if !finding.concerns.is_empty() => all.extend(finding.concerns),
                        _ => *others = None,
                    }
                    return;
                }
                (*count, *last) = (*count + 1, next);
            }
        }
        self.kept.push(finding);
    }

    /// How many there were, kept or not.
    pub fn total(&self) -> usize {
        self.total
    }

    /// Whether some are only counted.
    pub fn is_cut(&self) -> bool {
        self.total > self.kept.len()
    }

    /// Those that are kept; one that stands for others concerns what they do.
    pub fn into_vec(mut self) -> Vec<Diagnostic> {
        for (at, counted) in self.counted {
            let Some(kept) = self.kept.get_mut(at) else { continue };
            kept.concerns = match counted {
                Some(list) if !kept.concerns.is_empty() => kept.concerns.iter().copied().chain(list).collect(),
                _ => Box::default(),
            };
        }
        self.kept
    }
}

impl Deref for Findings {
    type Target = [Diagnostic];

    fn deref(&self) -> &[Diagnostic] {
        &self.kept
    }
}

impl DerefMut for Findings {
    fn deref_mut(&mut self) -> &mut [Diagnostic] {
        &mut self.kept
    }
}

impl Diagnostic {
    /// Why a declaration is wrong that this concerns.
    pub fn reason(&self) -> String {
        if self.more == 0 {
            return self.message.clone();
        }
        // Which of the declarations the message is about is not known any more.
        format!("it breaks `{}`, like {} other findings that are not listed", self.rule.id, self.more)
    }

    /// Stands for another one as well. What exactly it concerns is not known any more, so it is the account as a whole.
    fn count(&mut self, other: &Self) {
        self.more += 1 + other.more;
        self.concerns = Box::default();
    }
}

impl Extend<Diagnostic> for Findings {
    fn extend<I: IntoIterator<Item = Diagnostic>>(&mut self, findings: I) {
        findings.into_iter().for_each(|finding| self.push(finding));
    }
}

impl From<Vec<Diagnostic>> for Findings {
    fn from(findings: Vec<Diagnostic>) -> Self {
        let mut kept = Self::default();
        kept.extend(findings);
        kept
    }
}

/// How many findings these stand for besides themselves.
pub fn more(findings: &[Diagnostic]) -> usize {
    findings.iter().map(|finding| finding.more).sum()
}

/// Cuts findings that are in their order down to [`MOST`]: the first of each rule and severity, then errors before
/// warnings before notes. The last one of a kind says how many more of it there are.
pub(super) fn cut(findings: &mut Vec<Diagnostic>) {
    if findings.len() <= MOST && more(findings) == 0 {
        return;
    }
    findings.sort_by_key(|finding| finding.severity);
    let kinds: std::collections::HashSet<Kind> = findings.iter().map(kind).collect();
    let mut room = MOST.saturating_sub(kinds.len());
    let mut last: HashMap<Kind, usize> = HashMap::new();
    let mut kept: Vec<Diagnostic> = Vec::new();
    for finding in findings.drain(..) {
        let before = last.get(&kind(&finding)).copied();
        if let Some(before) = before {
            if room == 0 {
                if let Some(before) = kept.get_mut(before) {
                    before.count(&finding);
                }
                continue;
            }
            room -= 1;
        }
        last.insert(kind(&finding), kept.len());
        kept.push(finding);
    }
    *findings = kept;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::{Rule, has_errors, sort};
    use crate::model::Span;

    fn finding(rule: &'static Rule, line: u32) -> Diagnostic {
        Diagnostic::new(rule, Some(Span { line, column: 1, ..Span::default() }), format!("number {line}"))
    }

    #[test]
    fn a_flood_of_one_rule_hides_no_finding_of_another() {
        let mut findings = Findings::default();
        findings.extend((1..=50_000).map(|line| finding(Rule::LONG_WAIT, line)));
        findings.push(finding(Rule::UNKNOWN_FIELD, 50_001));
        findings.extend((50_002..=60_000).map(|line| finding(Rule::DUPLICATE_KEY, line)));
        assert_eq!((findings.total(), findings.len(), findings.is_cut()), (60_000, 2_001, true));
        let mut list = findings.into_vec();
        sort(&mut list);
        assert_eq!((list.len(), list.len() + more(&list)), (MOST, 60_000));
        assert!(has_errors(&list) && list.iter().any(|finding| finding.rule == Rule::UNKNOWN_FIELD));
        assert!(list.is_sorted_by_key(|finding| finding.severity), "errors come first");
        let again = list.clone();
        sort(&mut list);
        assert_eq!(list, again, "sorting twice changes nothing");
    }

    #[test]
    fn a_rule_that_is_switched_off_takes_its_count_along() {
        let mut findings = Findings::default();
        findings.extend((1..=5_000).map(|line| finding(Rule::LONG_WAIT, line)));
        let mut list = findings.into_vec();
        let mut severities = crate::diag::Severities::default();
        assert!(severities.set(Rule::LONG_WAIT, None));
        severities.apply(&mut list);
        assert_eq!((list.len(), more(&list)), (0, 0));
    }

    #[test]
    fn few_findings_stay_in_the_order_of_the_file() {
        let mut list =
            vec![finding(Rule::UNKNOWN_FIELD, 9), finding(Rule::LONG_WAIT, 2), finding(Rule::UNKNOWN_FIELD, 1)];
        sort(&mut list);
        assert_eq!(list.iter().map(|finding| finding.span.unwrap().line).collect::<Vec<_>>(), [1, 2, 9]);
        assert_eq!(more(&list), 0);
    }
}
