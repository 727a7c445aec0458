//! `policy.ignore`: fields that are administered by hand in the account.

use std::collections::BTreeSet;

use crate::diag::{Diagnostic, Rule, nearest};
use crate::model::Ignorable;

use crate::check::reader::{Advice, Field, Reader, list};

/// Reads the list.
pub(super) fn read(reader: &mut Reader, section: Field<'_>, ignored: &mut BTreeSet<Ignorable>) {
    let Some(items) = reader.sequence(section) else { return };
    let words = Ignorable::ALL.map(Ignorable::as_str);
    let fields = format!("fields that can be ignored are {}", list(&words));
    for value in items.items() {
        let item = Field { key: section.key, value };
        let Some(word) = reader.text(item, Advice { empty: Some(&fields), instead: Some(&fields) }) else { continue };
        if let Some(field) = Ignorable::parse(word) {
            ignored.insert(field);
            continue;
        }
        let (message, hint) = if word == "numbers.to" {
            let hint = "remove the number from the file: numbers that are not in a file are not managed".to_owned();
            ("a number's destination cannot be ignored".to_owned(), hint)
        } else {
            let hint = nearest(word, words).map_or_else(|| fields.clone(), |near| format!("did you mean `{near}`?"));
            (format!("`{word}` is not a field that can be ignored"), hint)
        };
        reader.report(Diagnostic::new(Rule::WRONG_VALUE, Some(item.span()), message).hint(hint));
    }
}
