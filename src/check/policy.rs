//! Reading the `policy` section.
//!
//! The sections of several files merge: lists are joined, and what can have one value only (a rule, a cap,
//! a suspension) stands in one file.

mod caps;
mod drift;
mod external;
mod ignore;
mod protect;
mod scope;
mod suspend;
mod windows;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde_json::json;

use crate::diag::{RULES, Rule, Severities, Severity, nearest};
use crate::model::{Policy, Span};

use super::document::{NodeRef, View};
use super::reader::{Advice, Field, Reader};
use super::section::section;
use super::settings::Country;

use caps::CapsSection;
use drift::DriftSection;
use scope::ScopeSection;
use suspend::SuspendSection;
use windows::WindowEntry;

section! {
    /// What Strowger may do, and how it judges.
    struct PolicySection {
        /// Other severities for rules, by rule id (see docs/rules.md). Rules that are fixed there cannot be
        /// lowered.
        #[schemars(example = json!({"long-wait": "error"}), extend("default" = json!({})))]
        rules: Option<BTreeMap<String, RuleSeverity>>,
        /// What is deleted because no file declares it. Without it nothing is.
        #[schemars(example = &"ring_groups")]
        prune: Option<Prune>,
        /// How many objects one plan may touch before it needs an approval (see docs/guards.md).
        #[schemars(example = json!({"numbers": {"update": {"percent": 10}, "unassign": "off"}}), extend("default" = json!({})))]
        caps: Option<CapsSection>,
        /// Numbers and ring groups that keep their destination until a change of it is approved. The account's
        /// default number and its emergency call-back numbers always do.
        #[schemars(
            inner(regex(pattern = r"^(\+[1-9][0-9]{6,14}|ring_group/.*\S)$")),
            example = json!(["+33142685300", "ring_group/ventes"]),
            extend("default" = json!([]))
        )]
        protect: Option<Vec<String>>,
        /// What these files own. Changes of anything else are held back, and nothing else is pruned.
        #[schemars(example = json!({"numbers": ["+33142685300..+33142685399"], "ring_groups": ["fr-*"]}))]
        scope: Option<ScopeSection>,
        /// Countries (ISO 3166-1 alpha-2) and numbers outside of the account that calls may be sent to (`external/+…`). A
        /// country does not include its premium-rate numbers.
        #[schemars(
            inner(regex(pattern = r"^([A-Z]{2}|\+[1-9][0-9]{6,14})$")),
            example = json!(["FR", "+441632960123"]),
            extend("default" = json!([]))
        )]
        external: Option<Vec<String>>,
        /// Fields of existing objects that are neither compared nor written. A new ring group still gets what its
        /// file says.
        #[schemars(transform = ignore::schema, example = json!(["numbers.label", "ring_groups.ring_for"]), extend("default" = json!([])))]
        ignore: Option<Vec<String>>,
        /// What `strowger watch` does about changes that were made in the account. Only `strowger watch` reads it.
        #[schemars(example = json!({"numbers": "correct", "ring_groups": "report"}), extend("default" = json!({})))]
        drift: Option<DriftSection>,
        /// When changes may be written; without it, at any time. Outside of all windows, plans are held back.
        #[schemars(
            length(min = 1, max = windows::MOST),
            example = json!([{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "08:00", "to": "18:00", "zone": "Europe/Paris"}])
        )]
        windows: Option<Vec<WindowEntry>>,
        /// While this is here, and until its time if it has one, nothing is written: plans are held back.
        #[schemars(example = json!({"until": "2026-12-01T08:00:00+01:00", "reason": "porting to the new carrier"}))]
        suspend: Option<SuspendSection>,
    }
}

/// What to make of a rule.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[allow(dead_code, reason = "for the schema")]
enum RuleSeverity {
    /// How much a breach matters.
    Severity(Severity),
    /// Not at all.
    Off(Off),
}

/// The rule is not checked.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
#[allow(dead_code, reason = "for the schema")]
enum Off {
    /// The rule is not checked.
    Off,
}

/// One kind of object, or a list of kinds.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[allow(dead_code, reason = "for the schema")]
enum Prune {
    /// One.
    One(Prunable),
    /// Several.
    Many(Vec<Prunable>),
}

/// What can be deleted because no file declares it.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
#[allow(dead_code, reason = "for the schema")]
enum Prunable {
    /// Ring groups that nothing points at.
    RingGroups,
}

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
        let Some(fields) = reader.section::<PolicySection>(section) else { return };
        if let Some(mapping) = fields.rules.and_then(|rules| reader.mapping(rules)) {
            mapping.entries().for_each(|(key, value)| self.rule(reader, Field { key, value }));
        }
        if let Some(prune) = fields.prune {
            self.prune(reader, prune);
        }
        let guards = &mut self.policy.guards;
        if let Some(caps) = fields.caps {
            caps::read(reader, caps, &mut guards.caps);
        }
        if let Some(protect) = fields.protect {
            protect::read(reader, protect, country, &mut guards.protect);
        }
        if let Some(external) = fields.external {
            external::read(reader, external, country, &mut guards.external);
        }
        if let Some(scope) = fields.scope {
            scope::read(reader, scope, &mut guards.scope);
        }
        if let Some(ignore) = fields.ignore {
            ignore::read(reader, ignore, &mut self.policy.ignore);
        }
        let freeze = &mut guards.freeze;
        if let Some(windows) = fields.windows {
            windows::read(reader, windows, freeze);
        }
        if let Some(suspend) = fields.suspend {
            suspend::read(reader, suspend, &mut freeze.suspend, &mut self.suspend);
        }
        if let Some(drift) = fields.drift {
            drift::read(reader, drift, &mut self.policy.watch.drift, &mut self.drift);
        }
    }

    fn rule(&mut self, reader: &mut Reader, field: Field<'_>) {
        let id = field.name();
        let severity = severity(reader, field);
        let Some(rule) = Rule::find(id) else {
            let near = nearest(id, RULES.iter().map(|rule| rule.id));
            let hint = near.map_or("docs/rules.md lists them".to_owned(), |near| format!("did you mean `{near}`?"));
            return reader.note(Rule::UNKNOWN_RULE, field.key.span(), format!("there is no rule `{id}`"), hint);
        };
        if let Some((_, first)) = self.rules.iter().find(|(known, _)| *known == rule) {
            return reader.repeated(field.key, *first);
        }
        self.rules.push((rule, field.key.span()));
        let Some(severity) = severity else { return };
        if !self.severities.set(rule, severity) {
            let message = format!("rule `{id}` cannot be lowered");
            let hint = "remove the line: docs/rules.md marks the rule as fixed";
            reader.note(Rule::FIXED_RULE, field.value.span(), message, hint);
        }
    }

    fn prune(&mut self, reader: &mut Reader, field: Field<'_>) {
        let kinds = match field.value.view() {
            View::Sequence(_) => reader.items(field).unwrap_or_default(),
            _ => vec![field],
        };
        let hint = "write `prune: ring_groups`, or remove the field";
        for kind in kinds {
            match reader.text(kind, Advice { empty: Some(hint), instead: Some(hint) }) {
                Some(PRUNABLE) => {
                    self.policy.prune_ring_groups.get_or_insert(kind.value.span());
                }
                Some(other) => {
                    reader.note(Rule::WRONG_VALUE, kind.span(), format!("`{other}` cannot be pruned"), hint);
                }
                None => {}
            }
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
        other => reader.refuse(Rule::WRONG_VALUE, field.span(), format!("there is no severity `{other}`"), SEVERITIES),
    }
}

/// Where `off` cannot be mistaken (severities and caps): whatever a YAML reader takes it for, it means no.
fn is_off(value: NodeRef<'_>) -> bool {
    value.scalar() == Some("off")
}
