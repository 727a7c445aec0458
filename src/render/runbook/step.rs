//! One change as a step of a runbook: what must be seen before, the clicks, what must be seen in the end.

use crate::model::{Change, FieldName, FieldValue, Kind, PlannedRef, Reason, RingMode, Verb, WritableKind};

use super::super::{blocks, fields};
use super::words::{Words, fill};

/// A change, and the name under which its object is found at this point.
pub(super) struct Step<'a> {
    pub(super) words: &'a Words,
    pub(super) change: &'a Change,
    /// The number of the step, from 1.
    pub(super) number: usize,
    pub(super) name: &'a str,
}

/// The lines of a step below its title; clicks are numbered as they come.
struct Lines {
    text: String,
    step: usize,
    clicks: usize,
}

impl Lines {
    fn plain(&mut self, line: &str) {
        self.text.push_str("   ");
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn item(&mut self, line: &str) {
        self.plain(&format!("  - {line}"));
    }

    fn click(&mut self, line: &str) {
        self.clicks += 1;
        self.plain(&format!("{}.{} {line}", self.step, self.clicks));
    }
}

impl Step<'_> {
    /// The step as lines; `guards` are those that hold the change back.
    pub(super) fn text(&self, guards: Option<&str>) -> String {
        let words = &self.words.step;
        let title = match self.change.verb {
            Verb::Create => words.create,
            Verb::Update => words.update,
            Verb::Delete => words.delete,
        };
        let place = self.change.place.as_ref().map(|place| format!(" ({})", blocks::position(place)));
        let title = fill(title, &[("object", &self.object())]);
        let text = format!("{}. {title}{}\n", self.number, place.unwrap_or_default());
        let mut lines = Lines { text, step: self.number, clicks: 0 };
        if let Some(guards) = guards {
            lines.plain(&fill(words.held, &[("guards", guards)]));
        }
        for note in self.notes() {
            lines.plain(&format!("{} {note}", words.note));
        }
        lines.plain(words.before);
        self.before(&mut lines);
        match (self.change.object.kind, self.change.verb) {
            (WritableKind::Number, _) => self.number(&mut lines),
            (WritableKind::RingGroup, Verb::Create) => self.create(&mut lines),
            (WritableKind::RingGroup, Verb::Update) => self.update(&mut lines),
            (WritableKind::RingGroup, Verb::Delete) => self.delete(&mut lines),
        }
        lines.plain(words.after);
        self.after(&mut lines);
        lines.text
    }

    /// What the object was when the plan was made, or that there is room for a new one.
    fn before(&self, lines: &mut Lines) {
        let words = &self.words.step;
        if self.change.verb == Verb::Create {
            lines.item(&fill(words.name_is_free, &[("name", &fields::quoted(&self.change.object.name))]));
            if let Some(extension @ FieldValue::Extension(_)) = self.change.after(FieldName::Extension) {
                lines.item(&fill(words.extension_is_free, &[("value", &self.value(extension))]));
            }
            return;
        }
        for field in &self.change.fields {
            lines.item(&self.field(field.field, &field.before));
        }
        if self.change.verb == Verb::Delete {
            lines.item(words.nothing_points_at_it);
        }
    }

    fn after(&self, lines: &mut Lines) {
        if self.change.verb == Verb::Delete {
            lines.item(&fill(self.words.step.is_gone, &[("object", &self.object())]));
            return;
        }
        for field in &self.change.fields {
            lines.item(&self.field(field.field, &field.after));
        }
    }

    fn number(&self, lines: &mut Lines) {
        let (clicks, gaps) = (&self.words.clicks, &self.words.gaps);
        match self.change.after(FieldName::To) {
            None => {}
            Some(FieldValue::None) => {
                self.clicks(lines, clicks.number);
                lines.plain(gaps.unassign);
                lines.click(clicks.save);
            }
            Some(to) => {
                self.clicks(lines, clicks.number);
                lines.click(&fill(clicks.number_choose, &[("value", &self.value(to))]));
                lines.click(clicks.save);
            }
        }
        if self.change.after(FieldName::Label).is_some() {
            lines.plain(gaps.label);
        }
    }

    fn create(&self, lines: &mut Lines) {
        self.clicks(lines, self.words.clicks.add);
        lines.plain(self.words.gaps.create);
        self.options(
            lines,
            &[FieldName::Name, FieldName::Extension, FieldName::Ring, FieldName::RingFor, FieldName::NoAnswer],
        );
        lines.click(self.words.clicks.save);
        self.members(lines);
    }

    /// The members first and the name last, so that the group is found under one name all along.
    fn update(&self, lines: &mut Lines) {
        let clicks = &self.words.clicks;
        self.members(lines);
        if let Some(extension) = self.change.after(FieldName::Extension) {
            for click in clicks.extension {
                lines.click(&fill(click, &[("object", &self.found()), ("value", &self.value(extension))]));
            }
            lines.click(clicks.save);
        }
        let options = [FieldName::Ring, FieldName::RingFor, FieldName::NoAnswer, FieldName::Name];
        if options.iter().any(|field| self.change.after(*field).is_some()) {
            self.clicks(lines, clicks.group);
            self.options(lines, &options);
            lines.click(clicks.save);
        }
    }

    fn delete(&self, lines: &mut Lines) {
        self.clicks(lines, self.words.clicks.group);
        lines.plain(self.words.gaps.delete);
    }

    fn options(&self, lines: &mut Lines, options: &[FieldName]) {
        let (clicks, gaps) = (&self.words.clicks, &self.words.gaps);
        for field in options {
            let Some(value) = self.change.after(*field) else { continue };
            let known = match value {
                FieldValue::Reference(target) => matches!(target.kind, Kind::User | Kind::Voicemail),
                FieldValue::None => false,
                _ => true,
            };
            if *field == FieldName::NoAnswer && !known {
                lines.plain(gaps.no_answer);
                continue;
            }
            let option = [("field", (self.words.field)(*field)), ("value", &self.value(value))];
            lines.click(&fill(clicks.group_option, &option));
            if *field == FieldName::RingFor {
                lines.plain(gaps.duration);
            }
        }
    }

    fn members(&self, lines: &mut Lines) {
        let clicks = &self.words.clicks;
        let Some(field) = self.change.fields.iter().find(|field| field.field == FieldName::Members) else { return };
        let (before, after) = (field.before.references(), field.after.references());
        let same = |left: &PlannedRef, right: &PlannedRef| {
            (left.kind, &left.id, &left.name) == (right.kind, &right.id, &right.name)
        };
        for click in clicks.members {
            lines.click(&fill(click, &[("object", &self.found())]));
        }
        for member in before.iter().filter(|member| !after.iter().any(|other| same(member, other))) {
            lines.click(&fill(clicks.member_remove, &[("value", &self.reference(member))]));
        }
        for member in after.iter().filter(|member| !before.iter().any(|other| same(member, other))) {
            lines.click(&fill(clicks.member_add, &[("value", &self.reference(member))]));
        }
        let together = matches!(self.change.after(FieldName::Ring), Some(FieldValue::Ring(RingMode::Simultaneous)));
        if after.len() > 1 && !together {
            lines.plain(self.words.gaps.order);
        }
        lines.click(clicks.save);
    }

    fn notes(&self) -> Vec<String> {
        let words = &self.words.notes;
        let mut notes: Vec<String> = match self.change.reason {
            Reason::Declared | Reason::Absent => None,
            Reason::Renamed => Some(words.renamed),
            Reason::Pruned => Some(words.pruned),
            Reason::ExtensionCycle => Some(words.extension_cycle),
            Reason::NoAnswerCycle => Some(words.no_answer_cycle),
        }
        .map(str::to_owned)
        .into_iter()
        .collect();
        let groups: Vec<String> = self.change.unreachable_meanwhile.iter().map(|group| fields::quoted(group)).collect();
        if !groups.is_empty() {
            notes.push(fill(words.unreachable, &[("groups", &groups.join(", "))]));
        }
        notes
    }

    fn clicks(&self, lines: &mut Lines, clicks: &[&str]) {
        for click in clicks {
            lines.click(&fill(click, &[("object", &self.found())]));
        }
    }

    /// What is clicked: a number as it is, a group by the name that it has at this point.
    fn found(&self) -> String {
        match self.change.object.kind {
            WritableKind::Number => fields::sanitized(self.name),
            WritableKind::RingGroup => fields::quoted(self.name),
        }
    }

    fn object(&self) -> String {
        let parts = [("kind", (self.words.kind)(self.change.object.kind.into())), ("name", &self.found())];
        fill(self.words.values.reference, &parts)
    }

    fn field(&self, name: FieldName, value: &FieldValue) -> String {
        fill(self.words.step.field, &[("field", (self.words.field)(name)), ("value", &self.value(value))])
    }

    fn value(&self, value: &FieldValue) -> String {
        let words = &self.words.values;
        match value {
            FieldValue::None => words.none.to_owned(),
            FieldValue::ChosenByAccount => words.chosen.to_owned(),
            FieldValue::Text(label) => fields::quoted(label),
            FieldValue::Name(name) => fields::quoted(name.as_str()),
            FieldValue::Extension(extension) => extension.to_string(),
            FieldValue::Ring(RingMode::Simultaneous) => words.simultaneous.to_owned(),
            FieldValue::Ring(RingMode::Sequential) => words.sequential.to_owned(),
            FieldValue::RingFor(time) => fill(words.seconds, &[("seconds", &time.seconds().to_string())]),
            FieldValue::Reference(target) => self.reference(target),
            FieldValue::References(targets) => {
                targets.iter().map(|target| self.reference(target)).collect::<Vec<_>>().join(", ")
            }
        }
    }

    fn reference(&self, target: &PlannedRef) -> String {
        let parts = [("kind", (self.words.kind)(target.kind)), ("name", &fields::quoted(&target.name))];
        fill(self.words.values.reference, &parts)
    }
}
