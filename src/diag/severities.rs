//! Severities of rules, as set by the policy.

use super::{Diagnostic, RULES, Rule, Severity};

/// Severities that differ from the rules' own. Findings of one account pass through it, also those that are
/// made while planning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Severities {
    overrides: Vec<(&'static Rule, Option<Severity>)>,
}

impl Severities {
    /// Gives a rule another severity; `None` switches it off. False, and nothing done, if the rule is
    /// [fixed](Rule::fixed) and would be lowered.
    pub fn set(&mut self, rule: &'static Rule, severity: Option<Severity>) -> bool {
        // The graver, the less.
        if rule.fixed && severity.is_none_or(|severity| severity > rule.severity) {
            return false;
        }
        self.overrides.push((rule, severity));
        true
    }

    /// What the policy makes of a rule, if anything: the last one counts.
    fn own(&self, rule: &Rule) -> Option<Option<Severity>> {
        self.overrides.iter().rev().find(|(known, _)| *known == rule).map(|(_, severity)| *severity)
    }

    /// What becomes of a rule's findings; `None` if it is off.
    fn of(&self, rule: &Rule) -> Option<Severity> {
        self.own(rule).unwrap_or(Some(rule.severity))
    }

    /// Takes back what lowers a rule that [guards against harm](Rule::guards_harm) below what another policy makes of
    /// it: that of the files before this change.
    pub fn raise(&mut self, before: &Self) {
        // Off is the least.
        let rank = |severity: Option<Severity>| severity.map_or(u8::MAX, |severity| severity as u8);
        for rule in RULES.iter().copied().filter(|rule| rule.guards_harm) {
            if rank(before.of(rule)) < rank(self.of(rule)) {
                self.overrides.retain(|(known, _)| *known != rule);
                self.overrides.extend(before.own(rule).map(|severity| (rule, severity)));
            }
        }
    }

    /// The findings of rules that [guard against harm](Rule::guards_harm) which this policy lowers or drops.
    pub fn lowered(&self, findings: &[Diagnostic]) -> Vec<Diagnostic> {
        let lowers = |finding: &&Diagnostic| {
            let own = self.own(finding.rule);
            finding.rule.guards_harm && own.is_some_and(|own| own.is_none_or(|own| own > finding.severity))
        };
        findings.iter().filter(lowers).cloned().collect()
    }

    /// Applies the policy to findings.
    pub fn apply(&self, findings: &mut Vec<Diagnostic>) {
        if self.overrides.is_empty() {
            return;
        }
        findings.retain_mut(|finding| {
            let own = self.own(finding.rule);
            finding.severity = own.flatten().unwrap_or(finding.severity);
            own != Some(None)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_that_guards_against_harm_is_as_strict_as_the_stricter_policy_has_it() {
        let policy = |severity: Option<Option<Severity>>| {
            let mut severities = Severities::default();
            if let Some(severity) = severity {
                assert!(severities.set(Rule::NO_ANSWER_CYCLE, severity));
                assert!(severities.set(Rule::UNDECLARED_RING_GROUP, severity));
            }
            severities
        };
        let (error, warning) = (Some(Severity::Error), Some(Severity::Warning));
        for (now, before, both) in [
            (Some(None), None, error),
            (Some(None), Some(warning), warning),
            (Some(warning), Some(error), error),
            (None, Some(None), error),
            (Some(None), Some(None), None),
            (Some(error), Some(warning), error),
        ] {
            let mut severities = policy(now);
            severities.raise(&policy(before));
            assert_eq!(severities.of(Rule::NO_ANSWER_CYCLE), both, "{now:?} {before:?}");
            // Of other rules, the newest policy decides.
            assert_eq!(severities.of(Rule::UNDECLARED_RING_GROUP), now.unwrap_or(warning));
        }
        // A finding that is not an error, such as for a cycle that exists already, does not become one.
        let mut findings = vec![Diagnostic::new(Rule::NO_ANSWER_CYCLE, None, "there already")];
        for finding in &mut findings {
            finding.severity = Severity::Warning;
        }
        let mut severities = policy(Some(None));
        severities.raise(&Severities::default());
        severities.apply(&mut findings);
        assert_eq!(findings.iter().map(|finding| finding.severity).collect::<Vec<_>>(), [Severity::Warning]);
    }
}
