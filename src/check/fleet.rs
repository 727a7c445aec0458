//! The file of a fleet: in which order its accounts are applied.

use crate::diag::{Diagnostic, Rule};
use crate::model::Spanned;

use super::document::{Document, View};
use super::reader::{Advice, Field, Reader};

/// The fields, in the order of the schema.
const FIELDS: [&str; 2] = ["version", "waves"];

/// What a `fleet.yaml` says.
#[derive(Debug, Default)]
pub struct Fleet {
    /// The accounts of each wave, by their names or folders, as they are written.
    pub waves: Vec<Vec<Spanned<Box<str>>>>,
}

/// Reads a fleet's file; nothing if it has errors, which are among the findings.
pub fn fleet(document: &Document<'_>) -> (Option<Fleet>, Vec<Diagnostic>) {
    let mut reader = Reader::default();
    let fleet = read(&mut reader, document);
    let findings = reader.findings.into_vec();
    (fleet.filter(|_| !crate::diag::has_errors(&findings)), findings)
}

fn read(reader: &mut Reader, document: &Document<'_>) -> Option<Fleet> {
    let mut start = document.root().span();
    start.length = 1;
    let View::Mapping(mapping) = document.root().view() else {
        let finding = Diagnostic::new(Rule::WRONG_TYPE, Some(document.root().span()), "the file has no fields");
        reader.report(finding.hint("begin with `version: 1` and `waves:`"));
        return None;
    };
    let fields = reader.fields(mapping, start, FIELDS);
    let version = fields.required(0, reader, "begin the file with `version: 1`")?;
    if !super::version(reader, version) {
        return None;
    }
    let waves = fields.required(1, reader, "write `waves: [[one-account], [all, others]]`")?;
    let mut fleet = Fleet::default();
    for value in list(reader, waves)? {
        let wave = Field { key: waves.key, value };
        let accounts = list(reader, wave)?.into_iter().filter_map(|value| {
            let entry = Field { key: waves.key, value };
            let name = reader.text(entry, Advice::default())?;
            Some(entry.spanned(Box::from(name)))
        });
        fleet.waves.push(accounts.collect());
    }
    Some(fleet)
}

/// The items of a list that has some.
fn list<'d>(reader: &mut Reader, field: Field<'d>) -> Option<Vec<super::document::NodeRef<'d>>> {
    let items = reader.sequence(field)?;
    if items.is_empty() {
        let finding = Diagnostic::new(Rule::MISSING_VALUE, Some(field.value.span()), "the list is empty");
        reader.report(finding.hint("name the accounts of each wave: `waves: [[one-account], [all, others]]`"));
        return None;
    }
    Some(items.items().collect())
}
