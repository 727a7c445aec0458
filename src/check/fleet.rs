//! The file of a fleet: in which order its accounts are applied.

use crate::diag::{Diagnostic, Rule};
use crate::model::Spanned;

use super::document::{Document, View};
use super::reader::{Advice, Field, Reader};
use super::section::{Section as _, section};

section! {
    /// A fleet: in which order `strowger apply` writes to its accounts. The file is `fleet.yaml` in the folder whose folders
    /// are the accounts.
    struct FleetFile {
        /// The version of the format.
        #[schemars(extend("const" = 1, "default" = 1))]
        version: u32 = "begin the file with `version: 1`",
        /// Waves of accounts, by their names or folders. A wave begins when all accounts of the waves before it were applied
        /// and verified. Accounts that no wave names are the last wave.
        #[schemars(length(min = 1), inner(length(min = 1)), example = serde_json::json!([["paris"], ["london", "new-york"]]))]
        waves: Vec<Vec<String>> = "write `waves: [[one-account], [all, others]]`",
    }
}

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
    let root = document.root();
    let View::Mapping(mapping) = root.view() else {
        let hint = "begin with `version: 1` and `waves:`";
        return reader.refuse(Rule::WRONG_TYPE, root.span(), "the file has no fields", hint);
    };
    super::known_version(reader, root)?;
    let mut start = root.span();
    start.length = 1;
    let fields = FleetFile::read(reader, mapping, start);
    let mut fleet = Fleet::default();
    for wave in list(reader, fields.waves?)? {
        let accounts = list(reader, wave)?;
        let accounts = accounts.into_iter().filter_map(|entry| {
            let name = reader.text(entry, Advice::default());
            entry.spanned(name.map(Box::from))
        });
        fleet.waves.push(accounts.collect());
    }
    Some(fleet)
}

/// The items of a list that has some.
fn list<'d>(reader: &mut Reader, field: Field<'d>) -> Option<Vec<Field<'d>>> {
    let items = reader.items(field)?;
    if items.is_empty() {
        let hint = "name the accounts of each wave: `waves: [[one-account], [all, others]]`";
        return reader.refuse(Rule::MISSING_VALUE, field.value.span(), "the list is empty", hint);
    }
    Some(items)
}
