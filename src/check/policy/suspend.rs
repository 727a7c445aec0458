//! `policy.suspend`: nothing is written for the time being.

use jiff::Timestamp;

use crate::diag::{Diagnostic, Rule};
use crate::model::{Span, Spanned, Suspend, is_unprintable};

use crate::check::document::View;
use crate::check::reader::{Advice, Field, Reader};

/// The most characters of a reason.
const REASON_MOST: usize = 256;
const FORM: &str = "write `{ reason: \"porting to the new carrier\" }`, and `until` if it ends by itself";
const REASON: &str = "say why in a few words on one line, such as `reason: \"porting to the new carrier\"`";
const UNTIL: &str =
    "write date, time and offset in quotes, such as `\"2026-12-01T08:00:00+01:00\"`, or remove the field";

/// Reads the section, which stands in one file.
pub(super) fn read(
    reader: &mut Reader,
    section: Field<'_>,
    suspend: &mut Option<Spanned<Suspend>>,
    place: &mut Option<Span>,
) {
    if let Some(first) = *place {
        return reader.repeated(section.key, first);
    }
    *place = Some(section.key.span());
    let View::Mapping(mapping) = section.value.view() else {
        let finding =
            Diagnostic::new(Rule::WRONG_TYPE, Some(section.span()), "`suspend` must be a mapping with a reason");
        return reader.report(finding.hint(FORM));
    };
    let fields = reader.fields(mapping, section.value.span(), ["until", "reason"]);
    let [until, _] = fields.found;
    let until = until.map(|field| moment(reader, field));
    let reason = fields.required(1, reader, REASON).and_then(|field| words(reader, field));
    if let (Some(reason), None | Some(Some(_))) = (reason, until) {
        let value = Suspend { until: until.flatten(), reason: reason.into() };
        *suspend = Some(Spanned { value, span: section.key.span() });
    }
}

fn words<'d>(reader: &mut Reader, field: Field<'d>) -> Option<&'d str> {
    let text = reader.text(field, Advice { empty: Some(REASON), instead: None })?;
    let problem = if text.trim().is_empty() {
        "`reason` is empty"
    } else if text.chars().any(is_unprintable) {
        "a reason has no control characters and no line breaks"
    } else if text.len() > REASON_MOST && text.chars().count() > REASON_MOST {
        "a reason has at most 256 characters"
    } else {
        return Some(text);
    };
    reader.report(Diagnostic::new(Rule::WRONG_VALUE, Some(field.span()), problem).hint(REASON));
    None
}

fn moment(reader: &mut Reader, field: Field<'_>) -> Option<Timestamp> {
    let right = field.value.scalar().and_then(timestamp);
    let text = reader.text(field, Advice { empty: Some(UNTIL), instead: right.is_none().then_some(UNTIL) })?;
    if right.is_none() {
        let message = format!("`{text}` is not a point in time");
        reader.report(Diagnostic::new(Rule::WRONG_VALUE, Some(field.span()), message).hint(UNTIL));
    }
    right
}

/// A date, a time and an offset: without one of them, the text could mean several moments.
fn timestamp(text: &str) -> Option<Timestamp> {
    let shape: String =
        text.chars().map(|character| if character.is_ascii_digit() { '0' } else { character }).collect();
    let (clock, offset) = shape.split_at_checked("0000-00-00T00:00".len())?;
    let offset = offset.strip_prefix(":00").unwrap_or(offset);
    let is_whole = clock == "0000-00-00T00:00" && matches!(offset, "Z" | "+00:00" | "-00:00");
    is_whole.then(|| text.parse().ok()).flatten()
}
