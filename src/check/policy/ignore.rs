//! `policy.ignore`: fields that are administered by hand in the account.

use std::collections::BTreeSet;

use schemars::Schema;
use serde_json::json;

use crate::diag::{Rule, list, nearest};
use crate::model::FieldName;

use crate::check::reader::{Advice, Field, Reader};

/// The words, as the schema has them.
pub(super) fn schema(schema: &mut Schema) {
    schema.insert("items".to_owned(), json!({"enum": paths()}));
}

fn paths() -> Vec<String> {
    FieldName::ignorable().map(FieldName::path).collect()
}

pub(super) fn read(reader: &mut Reader, section: Field<'_>, ignored: &mut BTreeSet<FieldName>) {
    let paths = paths();
    let words: Vec<&str> = paths.iter().map(String::as_str).collect();
    let fields = format!("fields that can be ignored are {}", list(&words));
    for item in reader.items(section).unwrap_or_default() {
        let Some(word) = reader.text(item, Advice { empty: Some(&fields), instead: Some(&fields) }) else { continue };
        if let Some((field, _)) = FieldName::ignorable().zip(&paths).find(|(_, path)| **path == *word) {
            ignored.insert(field);
            continue;
        }
        let (message, hint) = if word == "numbers.to" {
            let hint = "remove the number from the file: numbers that are not in a file are not managed".to_owned();
            ("a number's destination cannot be ignored".to_owned(), hint)
        } else {
            let hint = nearest(word, words.iter().copied())
                .map_or_else(|| fields.clone(), |near| format!("did you mean `{near}`?"));
            (format!("`{word}` is not a field that can be ignored"), hint)
        };
        reader.note(Rule::WRONG_VALUE, item.span(), message, hint);
    }
}
