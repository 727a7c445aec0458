//! Reading fields: what every section's reader shares.
//!
//! A reader never stops at the first mistake, and names each mistake once: a field that is misspelt is not
//! missing as well.

use crate::diag::{Diagnostic, Findings, Rule, list, nearest};
use crate::model::{Span, Spanned};

use super::document::{Mapping, NodeRef, View};
use super::section::Section;
use super::yaml_scalar::{ScalarKind, kind};

/// Findings so far.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) findings: Findings,
    /// Places of literal secrets.
    pub(super) secrets: Vec<Span>,
}

/// A key and its value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<'d> {
    pub(super) key: NodeRef<'d>,
    pub(super) value: NodeRef<'d>,
}

/// The fields of a mapping that a format knows.
pub(super) struct NamedFields<'d> {
    fields: Vec<(&'static str, Option<Field<'d>>)>,
    /// Names that have a misspelt field in their place.
    misspelt: Vec<&'static str>,
    owner: Span,
}

/// Hints for a field without a value, and for one whose value is not text.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Advice<'a> {
    /// What to write when the field is empty.
    pub(super) empty: Option<&'a str>,
    /// What to write for a value that is not text, such as the words that the field accepts.
    pub(super) instead: Option<&'a str>,
}

impl<'d> Field<'d> {
    /// The field's name as it is written.
    pub(super) fn name(self) -> &'d str {
        self.key.scalar().unwrap_or_default()
    }

    /// Where to point: at the value, or at the key if the value is empty.
    pub(super) fn span(self) -> Span {
        match self.value.scalar() {
            Some("") if self.value.span().length <= 1 => self.key.span(),
            _ => self.value.span(),
        }
    }

    /// A value that was read from this field, with its place.
    pub(super) fn spanned<T>(self, value: Option<T>) -> Option<Spanned<T>> {
        value.map(|value| Spanned { value, span: self.value.span() })
    }
}

impl Reader {
    pub(super) fn report(&mut self, finding: Diagnostic) {
        self.findings.push(finding);
    }

    /// Adds a finding at a place, with its remedy.
    pub(super) fn note(
        &mut self,
        rule: &'static Rule,
        span: Span,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.report(Diagnostic::new(rule, Some(span), message).hint(hint));
    }

    /// The same, where nothing can be read.
    pub(super) fn refuse<T>(
        &mut self,
        rule: &'static Rule,
        span: Span,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Option<T> {
        self.note(rule, span, message, hint);
        None
    }

    /// The fields of a section that a field holds.
    pub(super) fn section<'d, S: Section>(&mut self, field: Field<'d>) -> Option<S::Fields<'d>> {
        let mapping = self.mapping(field)?;
        Some(S::read(self, mapping, field.key.span()))
    }

    /// The known fields of a mapping; finds unknown and repeated ones.
    pub(super) fn named_fields<'d>(
        &mut self,
        mapping: Mapping<'d>,
        owner: Span,
        names: &[&'static str],
    ) -> NamedFields<'d> {
        let fields = names.iter().map(|name| (*name, None)).collect();
        let mut all = NamedFields { fields, misspelt: Vec::new(), owner };
        let mut unknown = Vec::new();
        for (key, value) in mapping.entries() {
            let name = key.scalar().unwrap_or_default();
            match all.fields.iter_mut().find(|(known, _)| *known == name) {
                Some((_, slot @ None)) => *slot = Some(Field { key, value }),
                Some((_, Some(first))) => self.repeated(key, first.key.span()),
                None => unknown.push(key),
            }
        }
        for key in unknown {
            let name = key.scalar().unwrap_or_default();
            let missing = all.fields.iter().filter(|(_, found)| found.is_none());
            let similar =
                nearest(name, missing.map(|(name, _)| *name)).or_else(|| nearest(name, names.iter().copied()));
            all.misspelt.extend(names.iter().find(|known| Some(**known) == similar));
            let hint = match similar {
                Some(similar) => format!("did you mean `{similar}`?"),
                None if names.is_empty() => "remove it".to_owned(),
                None => format!("known fields are {}", list(names)),
            };
            self.note(Rule::UNKNOWN_FIELD, key.span(), format!("there is no field `{name}` here"), hint);
        }
        all
    }

    /// Reports a key that is given twice.
    pub(super) fn repeated(&mut self, key: NodeRef<'_>, first: Span) {
        let name = key.scalar().unwrap_or_default();
        self.report(
            Diagnostic::new(Rule::DUPLICATE_KEY, Some(key.span()), format!("`{name}` is given twice"))
                .related(first, "the first one")
                .hint("keep one of the two"),
        );
    }

    /// The mapping that a field holds.
    pub(super) fn mapping<'d>(&mut self, field: Field<'d>) -> Option<Mapping<'d>> {
        match field.value.view() {
            View::Mapping(mapping) => Some(mapping),
            other => {
                self.wrong_type(field, other, "a mapping", "a mapping: a name, `:` and a value for each entry");
                None
            }
        }
    }

    /// The items of the list that a field holds. An item has no key, so messages use that of the field.
    pub(super) fn items<'d>(&mut self, field: Field<'d>) -> Option<Vec<Field<'d>>> {
        match field.value.view() {
            View::Sequence(items) => Some(items.items().map(|value| Field { value, ..field }).collect()),
            other => {
                self.wrong_type(field, other, "a list", "a list, such as `[a, b]`");
                None
            }
        }
    }

    /// The text that a field holds, if every YAML reader parses it as text.
    pub(super) fn text<'d>(&mut self, field: Field<'d>, advice: Advice<'_>) -> Option<&'d str> {
        match field.value.view() {
            View::Quoted(text) => Some(text),
            View::Plain(text) => match kind(text) {
                ScalarKind::Text => Some(text),
                ScalarKind::Null => {
                    self.no_value(field, advice.empty);
                    None
                }
                other => {
                    self.unquoted(field.value, text, other, advice.instead);
                    None
                }
            },
            other => {
                self.wrong_type(field, other, "text", "text");
                None
            }
        }
    }

    /// Reports unquoted text that YAML readers parse as another type.
    pub(super) fn unquoted(&mut self, node: NodeRef<'_>, text: &str, read_as: ScalarKind, instead: Option<&str>) {
        let message = format!("unquoted `{text}` is parsed as {}", read_as.noun());
        let hint = instead.map_or_else(|| format!("write `\"{text}\"`"), ToOwned::to_owned);
        self.note(unquoted_rule(read_as), node.span(), message, hint);
    }

    fn no_value(&mut self, field: Field<'_>, advice: Option<&str>) {
        let name = field.name();
        let message = match field.value.scalar() {
            Some("") | None => format!("`{name}` has no value"),
            Some(null) => format!("`{name}` has no value: `{null}` is parsed as null"),
        };
        let hint = advice.map_or_else(|| format!("give `{name}` a value or remove it"), ToOwned::to_owned);
        self.note(Rule::MISSING_VALUE, field.span(), message, hint);
    }

    pub(super) fn wrong_type(&mut self, field: Field<'_>, found: View<'_>, expected: &str, example: &str) {
        let name = field.name();
        let found = match found {
            View::Mapping(_) => "a mapping",
            View::Sequence(_) => "a list",
            View::Plain(text) if kind(text) == ScalarKind::Null => return self.no_value(field, None),
            View::Plain(_) | View::Quoted(_) => "a single value",
        };
        let message = format!("`{name}` must be {expected}, not {found}");
        self.note(Rule::WRONG_TYPE, field.span(), message, format!("write {example}"));
    }
}

impl<'d> NamedFields<'d> {
    /// The fields that are there.
    pub(super) fn found(&self) -> impl Iterator<Item = Field<'d>> {
        self.fields.iter().filter_map(|(_, field)| *field)
    }

    pub(super) fn get(&self, name: &str) -> Option<Field<'d>> {
        self.fields.iter().find_map(|(known, field)| if *known == name { *field } else { None })
    }

    /// A required field; reported as missing unless it is there, or misspelt.
    pub(super) fn required(&self, name: &str, reader: &mut Reader, hint: &str) -> Option<Field<'d>> {
        let found = self.get(name);
        if found.is_none() && !self.misspelt.contains(&name) {
            reader.note(Rule::MISSING_FIELD, self.owner, format!("`{name}` is missing"), hint);
        }
        found
    }
}

/// The rule about text that is read as this.
pub(super) fn unquoted_rule(read_as: ScalarKind) -> &'static Rule {
    match read_as {
        ScalarKind::Truth | ScalarKind::Date | ScalarKind::Null | ScalarKind::Text => Rule::UNQUOTED_WORD,
        _ => Rule::UNQUOTED_NUMBER,
    }
}
