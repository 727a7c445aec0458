//! `policy.drift`: how a watch handles changes that were made in the account.

use crate::diag::{Rule, nearest};
use crate::model::{DriftPolicy, OnDrift, Span};

use crate::check::document::View;
use crate::check::reader::{Advice, Field, Reader};
use crate::check::section::{Section as _, section};

const FORM: &str = "write `{ numbers: correct, ring_groups: report }`, or one of the two";
const WORDS: &str = "write `report`, `correct` or `adopt`";

section! {
    /// What becomes of drift, for each kind of object.
    struct DriftSection {
        /// Of numbers.
        #[schemars(extend("default" = "correct"), example = &"report")]
        numbers: Option<OnDrift>,
        /// Of ring groups.
        #[schemars(extend("default" = "correct"), example = &"adopt")]
        ring_groups: Option<OnDrift>,
    }
}

/// Where each kind is set; one file per kind.
#[derive(Debug, Default)]
pub(super) struct Places([Option<Span>; 2]);

pub(super) fn read(reader: &mut Reader, section: Field<'_>, drift: &mut DriftPolicy, places: &mut Places) {
    let View::Mapping(mapping) = section.value.view() else {
        return reader.note(Rule::WRONG_TYPE, section.span(), "`drift` must be a mapping of kinds", FORM);
    };
    let fields = DriftSection::read(reader, mapping, section.key.span());
    let kinds = [(fields.numbers, &mut drift.numbers), (fields.ring_groups, &mut drift.ring_groups)];
    for ((field, kind), place) in kinds.into_iter().zip(&mut places.0) {
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
    reader.refuse(Rule::WRONG_VALUE, field.span(), format!("`{word}` is not a way to handle drift"), hint)
}
