//! Reading the `policy` section.
//!
//! The sections of several files merge: lists are joined, and what can have one value only (a rule, a cap,
//! a suspension) stands in one file.

mod caps;
mod drift;
mod ignore;
mod protect;
mod scope;
mod suspend;
mod windows;

use crate::diag::{Diagnostic, RULES, Rule, Severities, Severity, nearest};
use crate::model::{Policy, Span};

use super::document::{NodeRef, View};
use super::reader::{Advice, Field, Reader};
use super::settings::Country;

const FIELDS: [&str; 9] = ["rules", "prune", "caps", "protect", "scope", "ignore", "drift", "windows", "suspend"];
const PRUNABLE: &str = "ring_groups";
const SEVERITIES: &str = "write `error`, `warning`, `info` or `off`";

/// The policy of all files of an account.
#[derive(Debug, Default)]
pub(super) struct Policies {
    /// What the plan needs.
    pub(super) policy: Policy,
    /// What becomes of the rules.
    pub(super) severities: Severities,
    rules: Vec<(&'static Rule, Span)>,
    drift: drift::Places,
    suspend: Option<Span>,
}

impl Policies {
    /// Reads one file's section. National spellings of numbers are recognised with the account's country.
    pub(super) fn read(&mut self, reader: &mut Reader, section: Field<'_>, country: Option<Country>) {
        let Some(mapping) = reader.mapping(section) else { return };
        let fields = reader.fields(mapping, section.key.span(), FIELDS);
        let [rules, prune, caps, protect, scope, ignore, drift, windows, suspend] = fields.found;
        if let Some(rules) = rules {
            self.rules(reader, rules);
        }
        if let Some(prune) = prune {
            self.prune(reader, prune);
        }
        let guards = &mut self.policy.guards;
        if let Some(caps) = caps {
            caps::read(reader, caps, &mut guards.caps);
        }
        if let Some(protect) = protect {
            protect::read(reader, protect, country, &mut guards.protect);
        }
        if let Some(scope) = scope {
            scope::read(reader, scope, &mut guards.scope);
        }
        if let Some(ignore) = ignore {
            ignore::read(reader, ignore, &mut self.policy.ignore);
        }
        let freeze = &mut guards.freeze;
        if let Some(windows) = windows {
            windows::read(reader, windows, freeze);
        }
        if let Some(suspend) = suspend {
            suspend::read(reader, suspend, &mut freeze.suspend, &mut self.suspend);
        }
        if let Some(drift) = drift {
            drift::read(reader, drift, &mut self.policy.watch.drift, &mut self.drift);
        }
    }

    fn rules(&mut self, reader: &mut Reader, section: Field<'_>) {
        let Some(mapping) = reader.mapping(section) else { return };
        for (key, value) in mapping.entries() {
            self.rule(reader, Field { key, value });
        }
    }

    fn rule(&mut self, reader: &mut Reader, field: Field<'_>) {
        let id = field.name();
        let severity = severity(reader, field);
        let Some(rule) = Rule::find(id) else {
            let near = nearest(id, RULES.iter().map(|rule| rule.id));
            let hint = near.map_or("docs/rules.md lists them".to_owned(), |near| format!("did you mean `{near}`?"));
            let finding =
                Diagnostic::new(Rule::UNKNOWN_RULE, Some(field.key.span()), format!("there is no rule `{id}`"));
            return reader.report(finding.hint(hint));
        };
        if let Some((_, first)) = self.rules.iter().find(|(known, _)| *known == rule) {
            return reader.repeated(field.key, *first);
        }
        self.rules.push((rule, field.key.span()));
        let Some(severity) = severity else { return };
        if !self.severities.set(rule, severity) {
            let message = format!("rule `{id}` cannot be lowered");
            let finding = Diagnostic::new(Rule::FIXED_RULE, Some(field.value.span()), message);
            reader.report(finding.hint("remove the line: docs/rules.md marks the rule as fixed"));
        }
    }

    fn prune(&mut self, reader: &mut Reader, field: Field<'_>) {
        match field.value.view() {
            View::Sequence(items) => {
                for item in items.items() {
                    self.prune_kind(reader, Field { key: field.key, value: item });
                }
            }
            _ => self.prune_kind(reader, field),
        }
    }

    fn prune_kind(&mut self, reader: &mut Reader, field: Field<'_>) {
        let hint = "write `prune: ring_groups`, or remove the field";
        match reader.text(field, Advice { empty: Some(hint), instead: Some(hint) }) {
            Some(PRUNABLE) => {
                let span = field.value.span();
                self.policy.prune_ring_groups.get_or_insert(span);
            }
            Some(other) => {
                let message = format!("`{other}` cannot be pruned");
                reader.report(Diagnostic::new(Rule::WRONG_VALUE, Some(field.span()), message).hint(hint));
            }
            None => {}
        }
    }
}

/// The severity; an inner `None` is the word `off`, quoted or not.
#[expect(clippy::option_option, reason = "wrong, off and a severity are three things")]
fn severity(reader: &mut Reader, field: Field<'_>) -> Option<Option<Severity>> {
    if is_off(field.value) {
        return Some(None);
    }
    match reader.text(field, Advice { empty: Some(SEVERITIES), instead: Some(SEVERITIES) })? {
        "error" => Some(Some(Severity::Error)),
        "warning" => Some(Some(Severity::Warning)),
        "info" => Some(Some(Severity::Info)),
        other => {
            let message = format!("there is no severity `{other}`");
            reader.report(Diagnostic::new(Rule::WRONG_VALUE, Some(field.span()), message).hint(SEVERITIES));
            None
        }
    }
}

/// Where `off` cannot be mistaken (severities and caps): whatever a YAML reader takes it for, it means no.
fn is_off(value: NodeRef<'_>) -> bool {
    value.scalar() == Some("off")
}
