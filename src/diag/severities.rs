//! What the operator's policy makes of the rules' severities.

use super::{Diagnostic, Rule, Severity};

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

    /// Applies the policy to findings.
    pub fn apply(&self, findings: &mut Vec<Diagnostic>) {
        if self.overrides.is_empty() {
            return;
        }
        findings.retain_mut(|finding| {
            let last = self.overrides.iter().rev().find(|(rule, _)| *rule == finding.rule);
            match last {
                None => true,
                Some((_, None)) => false,
                Some((_, Some(severity))) => {
                    finding.severity = *severity;
                    true
                }
            }
        });
    }
}
