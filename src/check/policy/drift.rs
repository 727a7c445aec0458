//! `policy.drift`: how a watch handles changes that were made in the account.

use crate::diag::{Diagnostic, Rule, nearest};
use crate::model::{DriftPolicy, OnDrift, Span};

use crate::check::document::View;
use crate::check::reader::{Advice, Field, Reader};

const FORM: &str = "write `{ numbers: correct, ring_groups: report }`, or one of the two";
const WORDS: &str = "write `report`, `correct` or `adopt`";

/// Where each kind is set; one file per kind.
#[derive(Debug, Default)]
pub(super) struct Places([Option<Span>; 2]);

pub(super) fn read(reader: &mut Reader, section: Field<'_>, drift: &mut DriftPolicy, places: &mut Places) {
    let View::Mapping(mapping) = section.value.view() else {
        let finding = Diagnostic::new(Rule::WRONG_TYPE, Some(section.span()), "`drift` must be a mapping of kinds");
        return reader.report(finding.hint(FORM));
    };
    let fields = reader.fields(mapping, section.key.span(), ["numbers", "ring_groups"]).found;
    let kinds = [&mut drift.numbers, &mut drift.ring_groups];
    for ((field, kind), place) in fields.into_iter().zip(kinds).zip(&mut places.0) {
        let Some(field) = field else { continue };
        let Some(read) = on_drift(reader, field) else { continue };
        if let Some(first) = *place {
            reader.repeated(field.key, first);
            continue;
        }
        (*kind, *place) = (read, Some(field.key.span()));
    }
}

fn on_drift(reader: &mut Reader, field: Field<'_>) -> Option<OnDrift> {
    let word = reader.text(field, Advice { empty: Some(WORDS), instead: Some(WORDS) })?;
    if let Some(known) = OnDrift::parse(word) {
        return Some(known);
    }
    let near = nearest(word, OnDrift::ALL.map(OnDrift::as_str));
    let hint = near.map_or_else(|| WORDS.to_owned(), |near| format!("did you mean `{near}`?"));
    let message = format!("`{word}` is not a way to handle drift");
    reader.report(Diagnostic::new(Rule::WRONG_VALUE, Some(field.span()), message).hint(hint));
    None
}
