//! `policy.suspend`: nothing is written for the time being.

use jiff::Timestamp;

use crate::diag::Rule;
use crate::model::{Span, Spanned, Suspend, is_unprintable};

use crate::check::document::View;
use crate::check::reader::{Advice, Field, Reader};
use crate::check::section::{Section as _, section};

/// The most characters of a reason.
const REASON_MOST: usize = 256;
const FORM: &str = "write `{ reason: \"porting to the new carrier\" }`, and `until` if it ends by itself";
const REASON: &str = "say why in a few words on one line, such as `reason: \"porting to the new carrier\"`";
const UNTIL: &str =
    "write date, time and offset in quotes, such as `\"2026-12-01T08:00:00+01:00\"`, or remove the field";

section! {
    /// Nothing is written for the time being.
    struct SuspendSection {
        /// Until when: date, time and offset in quotes. Without it, until these lines go.
        #[schemars(
            regex(pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})$"),
            example = &"2026-12-01T08:00:00+01:00"
        )]
        until: Option<String>,
        /// Why, in a few words, for those who wait for a change.
        #[schemars(length(min = 1, max = REASON_MOST), regex(pattern = r"^[^\u2028\u2029]*$"), example = &"porting to the new carrier")]
        reason: String = REASON,
    }
}

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
        return reader.note(Rule::WRONG_TYPE, section.span(), "`suspend` must be a mapping with a reason", FORM);
    };
    let fields = SuspendSection::read(reader, mapping, section.value.span());
    let until = fields.until.map(|field| moment(reader, field));
    let reason = fields.reason.and_then(|field| words(reader, field));
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
    reader.refuse(Rule::WRONG_VALUE, field.span(), problem, REASON)
}

fn moment(reader: &mut Reader, field: Field<'_>) -> Option<Timestamp> {
    let right = field.value.scalar().and_then(timestamp);
    let text = reader.text(field, Advice { empty: Some(UNTIL), instead: right.is_none().then_some(UNTIL) })?;
    right.or_else(|| reader.refuse(Rule::WRONG_VALUE, field.span(), format!("`{text}` is not a point in time"), UNTIL))
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
